/* back.h - new indicators of compromise are looked for in the events of the last days, too.
 *
 *     another set ──► what is new in it ──► thread: stored events, a piece and a rest in turn ──► findings ──► the owner writes them
 *
 * Owns      DATA/detect/searched (which indicators were looked for, and up to which event the others are to be) and DATA/detect/searched-at (how far it is); one thread
 *           while there is something to do.
 * Promises  1. Each event that an indicator stands in counts once: behind the event at which detection took up the set by detection, before it by
 *              the search. However often it is killed: the frames of findings are numbered by the event, from a base that each pass moves on.
 *           2. A finding is that of detection, marked saqshy.searched_back; by the policy hits of one episode are counted into one. An event in which a surer indicator was found live raises no second one of it.
 *           3. The thread rests between pieces so that it works no more than share percent of the time of one processor.
 *           4. An indicator that is taken out and comes again is not looked for again, while there is room to remember it.
 *           5. An indicator that comes while a pass goes on has its turn in the next one.
 * Threads   owner; the thread is its own affair.
 * Units     days back from the moment when a pass begins, of the events' time; seq of the journal. */
#ifndef SAQSHY_DETECT_BACK_H
#define SAQSHY_DETECT_BACK_H

#include "detect/indicators.h"
#include "journal/journal.h"

#define BACK_ORIGIN    "detect.back"
#define BACK_KNOWN_MAX (2u * IOC_MAX)
#define BACK_SETS_MAX  1024          /* sets that wait for their pass */

struct back;

struct back_config {
    const char *folder;        /* DATA/detect */
    const char *data;          /* store and journal below it */
    const char *set, *policy;  /* as those of indicators_open */
    const char *triage, *site; /* as those of triage_open: levels, episodes and storms are those of the events' time of receipt, in accounts of the search's own */
    int64_t     days;          /* 0: nothing is searched back, what comes counts as known */
    int64_t     share;         /* percent; 0: 25 */
};

struct back_counts {
    uint64_t events, findings, repeated, passes, damaged;   /* since it was opened; damaged: parts of the store that could not be read */
    uint64_t next_seq, to_seq;                              /* of the pass that goes on; 0: none does */
    uint64_t indicators;                                    /* that it looks for */
    uint64_t sets;                                          /* that have their pass or wait for it; 0: all is done */
};

/* back_open - -EBADMSG: what was written is damaged; it begins anew with nothing known, and *e tells it: *out is made all the same. */
MUST_USE int back_open(const struct back_config *c, struct back **out, struct err *e);
void back_close(struct back **b);
/* back_take - detection looks at the events from seq on with this set. What is new in it is to be searched for before seq. Returns how many are new. -EBUSY: too many sets
 * wait, come again. */
MUST_USE int64_t back_take(struct back *b, const struct indicators *x, uint64_t seq, struct err *e);
/* back_step - what the thread found is written to out and committed; a pass is begun if one is due. Returns the number of findings. Never waits. */
MUST_USE int back_step(struct back *b, struct journal *out, struct err *e);
struct back_counts back_counts(const struct back *b);
/* back_note - why the last pass ended before its time, ""; it is begun again after a minute. */
const char *back_note(const struct back *b);

#endif
