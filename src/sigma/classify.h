/* classify.h - which event types of Annex 4 an event shows, told by rules: the union with what its parser said.
 *
 *     event ──► rules tagged kz.a4.os-04 … (the folder "types" below rules) ──► codes that are not there yet ──► saqshy.types
 *
 * Owns      struct classify owns its rules and their scratch. It keeps nothing of an event.
 * Promises  1. What a parser said stays; a code is added once. The same rules give the same event the same codes, wherever it is asked:
 *              before it is stored, before detection, by `saqshy parse` and by `saqshy hunt`.
 *           2. A rule of this kind never raises a finding: sigma.h calls it silent, in whatever folder it lies.
 *           3. Relations between events are none of it: a correlation gives no code here. UX-01 is one; it is a detection, whose finding
 *              says UX-01 (classify_of_rule).
 *           4. A file that is broken stops no other; without rules nothing is added.
 * Threads   owner.
 * Units     a set of codes has the bits of event/types.h.
 * Source    Annex 4 of the Rules (spec/requirements.md 6.4); docs/detection.md. */
#ifndef SAQSHY_SIGMA_CLASSIFY_H
#define SAQSHY_SIGMA_CLASSIFY_H

#include "event/types.h"
#include "sigma/sigma.h"

#define CLASSIFY_TAG     "kz.a4."      /* and the code in small letters */
#define CLASSIFY_FOLDER  "types"       /* of the pack below a folder of rules */
#define CLASSIFY_PATHS   8

struct classify;

/* --- codes --- */

/* classify_bit - of a code, in whatever case; 0 if it is none. */
uint64_t classify_bit(struct str code);
/* classify_said - the codes of saqshy.types. */
uint64_t classify_said(const struct event *ev);
/* classify_of_rule - the codes of a rule's tags "kz.a4.…" and "saqshy.…". */
uint64_t classify_of_rule(const struct sigma_rule *r);
/* classify_file - the file below a folder of rules is one of the pack: it lies below its folder "types". */
bool classify_file(struct str rules, struct str file);

/* --- the pack --- */

/* classify_open - of the given folders (those that detection reads) the rules below their folder "types", and the pipelines. */
MUST_USE int classify_open(const char *const *rules, size_t count, struct classify **out, struct err *e);
void classify_close(struct classify **c);
/* classify_changed - a file below the folders came, went, or has another time or size. */
bool classify_changed(const struct classify *c);
/* classify_refresh - read the files anew if one changed. 1: other rules run; on failure the former ones go on. */
MUST_USE int classify_refresh(struct classify *c, struct err *e);
/* classify_rules - what was loaded, and what was refused. */
const struct sigma *classify_rules(const struct classify *c);
/* classify_event - add to saqshy.types what the rules find; *added (may be NULL) tells the bits that are new. c may be NULL: nothing. Fails only
 * without memory; an event that has no room for more fields stays as it is. */
MUST_USE int classify_event(struct classify *c, struct event *ev, struct arena *a, uint64_t *added, struct err *e);
/* classify_batch - all events of a batch that are no state of a host. */
MUST_USE int classify_batch(struct classify *c, struct event_batch *b, struct err *e);

#endif
