/* indicators.h - events held against the set of indicators of compromise: a finding for each that is in it.
 *
 * Owns      struct indicators owns the opened set and what content/ioc/indicators.yaml says.
 * Promises  1. A set that is replaced is in force within the time between two calls of indicators_refresh; one that is torn is told, and the one before goes on.
 *           2. An indicator on a warning list, or whose term is over, raises nothing; the former are counted.
 *           3. One event meets each value once, however many fields and sources have it.
 *           4. Nobody has given indicators: an event costs one comparison.
 * Threads   owner. */
#ifndef SAQSHY_DETECT_INDICATORS_H
#define SAQSHY_DETECT_INDICATORS_H

#include "ioc/ioc.h"
#include "detect/triage.h"

#define INDICATORS_MAX 16   /* findings of one event */

struct indicators;

/* indicators_open - set: the file DATA/intel/set, which may be missing; policy: content/ioc/indicators.yaml. */
MUST_USE int indicators_open(const char *set, const char *policy, struct indicators **out, struct err *e);
void indicators_close(struct indicators **x);
/* indicators_refresh - 1: another set is in force, *count indicators; 0: as before; -EBADMSG and its like: the new one cannot be read. */
MUST_USE int indicators_refresh(struct indicators *x, size_t *count, struct err *e);
/* indicators_look - what ev has of them is a match each on its way to a finding (triage.h), added to out. Returns how many it met, or -ENOMEM.
 * *silent grows by those that a warning list kept silent. */
MUST_USE int indicators_look(struct indicators *x, struct triage *triage, const struct sigma *set, const struct event *ev, struct event_batch *out,
                             int64_t *silent, struct err *e);

/* indicators_each - all of the set in force. */
MUST_USE int indicators_each(const struct indicators *x, ioc_fn *fn, void *arg, struct err *e);
/* indicators_only - from now on events are those of then: an indicator raises a finding where wanted says so. Terms are held against
 * now, not against the event: who published an indicator today, with a term that begins today, wants to know of yesterday. */
typedef bool indicators_wanted(void *arg, const struct ioc *i, uint64_t seq);
void indicators_only(struct indicators *x, indicators_wanted *wanted, void *arg, time_ns now);

#endif
