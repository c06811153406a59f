/* coverage.h - what arrives: of each object, source and event type of Annex 4 how many events came, when, how often, and with which fields.
 *
 * Owns      struct coverage owns its table. Events are borrowed for the call.
 * Promises  1. Each event of the journal is counted once: the table is saved with the position of detection and goes on from there.
 *           2. What is counted, and which silence is told, depends on the events and the saved state alone, never on the clock of whoever reads:
 *              a replay tells the same. (While nothing comes detection's ticks stand for events: tick.c.)
 *           3. Bounded: COVERAGE_ROWS_MAX rows; past that the one silent for longest is dropped and counted. A name over COVERAGE_NAME_MAX is cut.
 *           4. A silence is told once, and again only after events came.
 *           5. The file is replaced whole; a reader never sees a part.
 * Threads   owner.
 * Units     times are time_ns of receipt; silences in seconds; rates in events an hour.
 * Source    Rules paragraph 12, Annex 4; detect.md 8; docs/collection.md, "What arrives".
 *
 * DATA/detect/coverage.json, written by detection at most each COVERAGE_NS, or COVERAGE_LARGE_NS:
 *
 * {"at":TIME,"since":TIME or null,"seq":N,   when written; receipt of the first event counted; the next event to count
 *  "clock":TIME or null,"resumed":TIME or null,   receipt of the newest event; end of the last hour or more in which nothing came at all
 *  "dropped":N,
 *  "classes":{"os-unix":{"types":["OS-01", …],"fields":["event_datetime", …]}, …},   what the chapter of a class wants
 *  "objects":[{"object":ID,"class":"os-unix","sources":N,"silent":N,"events":N,"first":TIME,"last":TIME,   ID "": nobody's
 *    "types":[{"type":"OS-04","state":STATE,"events":N,"first":TIME,"last":TIME,"rate_h":X,"silence_s":N,"late_after_s":N,"sources":N,
 *              "late":N,"last_source":ID,"last_seq":N,"seen":[field …],"lacks":[field …]}],
 *    "never":["OS-02", …]}],
 *  "sources":[{"source":ID,"object":ID,"class":"os-unix","state":STATE,"events":N,"first":TIME,"last":TIME,"rate_h":X,"silence_s":N,
 *    "late_after_s":N,"last_seq":N,"checked":N,"types":[{"type":"OS-04","state":STATE,"events":N,"first":TIME,"last":TIME,"rate_h":X,"silence_s":N,
 *              "late_after_s":N,"last_seq":N,"checked":N,"seen":[field …],"lacks":[field …]}]}]}
 *
 * STATE     "arriving"; "late": silent for longer than late_after_s. A type that the class wants and that never came stands in "never"; of other
 *           classes it is not applicable and stands nowhere. Whether a type is switched on at the source and only had no occasion is not known:
 *           no agent tells its audit settings yet.
 * seen      fields of the chapter that at least one looked-at event had; lacks: those that at least one had not. Of a type's events the first 16
 *           are looked at and then one of 64 ("checked").
 * silence_s the longest silence of this week and the last. */
#ifndef SAQSHY_DETECT_COVERAGE_H
#define SAQSHY_DETECT_COVERAGE_H

#include "event/event.h"
#include "event/types.h"

#define COVERAGE_NS        (10 * NS_PER_SECOND)
#define COVERAGE_LARGE     2000    /* rows from which on it is written each minute: it has megabytes */
#define COVERAGE_LARGE_NS  (60 * NS_PER_SECOND)
#define COVERAGE_ROWS_MAX  50000   /* a row: object, source, class */
#define COVERAGE_NAME_MAX  1024

struct coverage;
struct detect_policy;

MUST_USE int coverage_new(struct coverage **out, struct err *e);
void coverage_free(struct coverage **c);
/* coverage_event - one more event. Own reports of agents (parser "facts") are not to be given. -ENOMEM. */
MUST_USE int coverage_event(struct coverage *c, const struct event *ev, struct err *e);
/* coverage_listen - from that moment on somebody listens: where nothing came for an hour before it, no source was silent so far. */
void coverage_listen(struct coverage *c, time_ns since);
/* coverage_is_due - at that moment some silence may be news. */
bool coverage_is_due(const struct coverage *c, const struct detect_policy *p, time_ns at);
/* coverage_due - sources and types whose silence is news when ev is received (or at its moment, when nothing is), as findings added to out; p NULL, or without a part "silence":
 * none are told. Returns how many, or -ENOMEM. */
MUST_USE int coverage_due(struct coverage *c, const struct detect_policy *p, const struct event *ev, struct event_batch *out, struct err *e);

void coverage_save(const struct coverage *c, struct buf *b);
/* coverage_load - saved {NULL,0}: nothing was counted yet. On failure it is empty. */
MUST_USE int coverage_load(struct coverage *c, struct str saved, struct err *e);
size_t coverage_rows(const struct coverage *c);
uint64_t coverage_dropped(const struct coverage *c);
/* coverage_json - the file above, written "at"; now: the moment up to which events were looked at, by which they are late; seq: the next to count. */
void coverage_json(const struct coverage *c, time_ns at, time_ns now, uint64_t seq, struct buf *out);
time_ns coverage_clock(const struct coverage *c);   /* receipt of the newest event; 0: none came */

/* coverage_silent_after - seconds after which the silence of a source is news: twice its longest silence of two weeks, a quarter of an hour at
 * least, six hours for one known for less than a day that does not send all the time, a week at most. The portal's lists use the same. */
int64_t coverage_silent_after(int64_t longest_s, int64_t life_s, int64_t events);
/* coverage_late_after - seconds after which a type of event is late: three times its longest silence of two weeks, an hour at least, a day for
 * what comes less than once an hour; 30 days where less than five came. */
int64_t coverage_late_after(int64_t longest_s, int64_t life_s, uint64_t events);

/* coverage_wants - does the chapter of a class want this type? Firewalls are telecommunication equipment too. */
bool coverage_wants(enum event_class class, int type);

#endif
