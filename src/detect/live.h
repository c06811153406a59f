/* live.h - rules read anew beside the loop: a thread looks, reads and compiles; the loop only takes what is ready.
 *
 *     thread:  change seen -> read, compile, keep the texts (sets.h), meet origins -> READY      -> the list of sets, durable -> SETTLED; frees the former rules
 *     loop:                                                                         take it, hand over the former -> …findings are not committed until…
 *
 * Owns      struct live owns the store of rule files, the list of sets, its thread, and what is ready and was not taken.
 * Promises  1. The loop waits for nothing: live_ready and live_settled answer at once.
 *           2. What runs is on disk before live_settled says so: the texts, and from which event on they look.
 *           3. Without a thread (live_start was not called) live_read does the same at once.
 *           4. A change is seen by inotify at once, else within LIVE_LOOK_MS.
 *           5. What grows with the number of rules is done by the thread: the loop moves pointers (those of correlations one by one) and adds a cost for each rule. The
 *              first events of a new set find the look at all rules, that each origin of events needs, done for the origins that came before.
 * Threads   owner; what the thread does it does behind the lock. */
#ifndef SAQSHY_DETECT_LIVE_H
#define SAQSHY_DETECT_LIVE_H

#include "detect/internal.h"
#include "detect/sets.h"

#define LIVE_LOOK_MS   5000
#define LIVE_SETTLE_MS 5       /* a change is read when nothing more changed for so long */
#define LIVE_WATCH_MAX 4096    /* folders */
#define LIVE_MEASURE_EVERY 2500   /* in one event of so many it is measured what rules look for (sigma/frequency.h): the next set chooses its witnesses by it */
#define LIVE_MEASURED_NS   (10 * NS_PER_MINUTE)   /* the numbers are written to STATE.frequency so often, and at a stop; what a kill loses is measured again */

struct live;

/* A set with what belongs to it. Owned by whoever has it. */
struct live_set {
    struct sigma       *set;
    struct sigma_run   *run;
    struct detect_rules stats;
    struct refusals     kept;
    uint64_t            hash;
};
void live_set_free(struct live_set *s);

/* live_open - paths and state are borrowed until live_close. */
MUST_USE int live_open(const char *const *paths, size_t count, const char *state, struct live **out, struct err *e);
void live_close(struct live **l);
/* live_read - look and read now, without the thread. 1: *out; 0: nothing changed. */
MUST_USE int live_read(struct live *l, bool force, struct live_set *out, struct err *e);
MUST_USE int live_start(struct live *l, struct err *e);
/* live_ask - read anew (force: though nothing seems changed). */
void live_ask(struct live *l, bool force);
/* live_ready - 1: *out is another set, the caller's from now on; 0: nothing yet. An error is told once. */
MUST_USE int live_ready(struct live *l, struct live_set *out, struct err *e);

/* live_since - the set hash, compiled as now, looks at events from seq on; saved: where the saved state ends. former (may be NULL): is freed, and of its rules the costs
 * are counted for those of now. With a thread: settled later. */
MUST_USE int live_since(struct live *l, uint64_t seq, uint64_t saved, uint64_t hash, const struct sigma *now, struct live_set *former,
                        struct err *e);
/* live_settled - false: the list is not yet durable, nothing that now's rules found may be committed. *trouble (may be NULL): why it takes so long; "" else. */
bool live_settled(struct live *l, char *trouble, size_t room);
/* live_wait - until it is settled; false: there is trouble. */
bool live_wait(struct live *l);
/* live_costs - what the former rules cost, by rule of now; NULL without memory. Owned by the caller. */
struct sigma_cost *live_costs(const struct live_set *former, const struct sigma *now);
/* live_do - work(arg) beside the loop, before any former set is freed; at once where there is no thread. False: work of that kind is under way. */
enum live_job { LIVE_PICTURE, LIVE_EXCEPTIONS, LIVE_JOBS };
typedef int live_work(void *arg, struct err *e);
bool live_do(struct live *l, enum live_job job, live_work *work, void *arg);
/* live_done - the work is over: 0 and what it answered, *e of it; 1: not yet, or there was none. */
int live_done(struct live *l, enum live_job job, int *answer, struct err *e);
/* live_origin - an event of an origin that the rules of now had not met: what another set has for it is worked out before that set is handed over. Of the event so
 * much is kept as tells its origin; of so many events, the latest. */
#define LIVE_ORIGINS_MAX 1024
#define LIVE_VALUE_MAX   100      /* bytes of a value: longer ones tell nothing of an origin (WORD_MAX of cell.c) */
void live_origin(struct live *l, const struct event *ev);
/* live_carry - the costs of the former rules, by rule of the set that came; NULL: there are none, or they were taken. Owned by the caller. */
struct sigma_cost *live_carry(struct live *l);
/* live_sets - the list, for the start. */
struct sets *live_sets(struct live *l);
/* live_stop - nothing behind seq was looked at. */
MUST_USE int live_stop(struct live *l, uint64_t seq, struct err *e);

#endif
