/* replay.h - what saqshy replay does with the events that it reads again, beside printing them.
 *
 * Owns      struct reparse owns its parser and tables; struct redetect its rules.
 * Promises  1. Nothing is written: no event, case or position changes.
 *           2. Bounded: REPARSE_PAIRS_MAX pairs of parsers with REPARSE_EXAMPLES each; one event at a time.
 * Threads   main only. */
#ifndef SAQSHY_BIN_REPLAY_H
#define SAQSHY_BIN_REPLAY_H

#include "bin/bin.h"
#include "event/event.h"

#define REPARSE_PAIRS_MAX 256
#define REPARSE_EXAMPLES  3

struct reparse;
/* reparse_new - with the parsers of content and of DATA/parsers as they are now; own (may be NULL) before them. */
MUST_USE int reparse_new(const char *data, const char *content, const char *own, struct reparse **out, struct err *e);
void reparse_free(struct reparse **r);
MUST_USE int reparse_event(struct reparse *r, const struct event *ev, struct err *e);
/* reparse_show - counts and examples, on standard output. True if something differs. */
bool reparse_show(struct reparse *r, bool json);

struct redetect;
/* redetect_new - rules of these folders; none: those of content and DATA/rules. */
MUST_USE int redetect_new(const char *data, const char *content, const char *const *rules, size_t count, struct redetect **out, struct err *e);
void redetect_free(struct redetect **r);
/* redetect_event - matches go to standard output. */
MUST_USE int redetect_event(struct redetect *r, const struct event *ev, bool json, struct err *e);
uint64_t redetect_matches(const struct redetect *r);

#endif
