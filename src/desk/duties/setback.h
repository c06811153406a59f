/* setback.h - work of the background that could not be written: marked, passed, tried again with a growing pause.
 *
 * Owns      the table "setback": what failed (kind and id), when first and last, how often, when next, why; of a finding its bytes too.
 * Promises  1. A row that cannot be written holds up nothing behind it, and is never dropped: its mark goes when the work is done or
 *              is no longer wanted.
 *           2. Trouble of the whole desk (a full or failing disk, a locked file, no memory) marks no row: it delays the turn.
 *           3. Each mark is made in a transaction of its own, after the work was rolled back. A kill between the two tries the row
 *              once more and changes nothing.
 *           4. A clock that ran ahead and came back does not stretch a pause: a mark from the future is tried at once.
 * Threads   as struct desk.
 * Units     time_ns.
 * Source    docs/duties.md, "What cannot be written". */
#ifndef SAQSHY_DESK_DUTIES_SETBACK_H
#define SAQSHY_DESK_DUTIES_SETBACK_H

#include "desk/internal.h"

#define SETBACK_FIRST_NS NS_PER_MINUTE
#define SETBACK_MOST_NS  (6 * NS_PER_HOUR)   /* a corrected calendar or program is noticed within a shift */

/* The kinds of work, and what their ids are of. */
#define SETBACK_REMINDER "reminder"   /* reminder.id */
#define SETBACK_OVERDUE  "overdue"    /* duty.id */
#define SETBACK_CLOCK    "clock"      /* duty.id: a false mark that is to be taken back */
#define SETBACK_RECOUNT  "recount"    /* duty.id */
#define SETBACK_FINDING  "finding"    /* seq of the finding; payload holds it */
#define SETBACK_AUTO     "auto"       /* cases.id: a notice that policy sends */
#define SETBACK_LINE     "line"       /* plan_line.id: an agreed line that is to become a survey */
#define SETBACK_MOVED    "moved"      /* plan_line.id: what an amendment made of it */
#define SETBACK_FOLLOW   "follow"     /* td_survey.id: it follows its request */
#define SETBACK_CHANGE   "change"     /* integrity_change.id: a difference that becomes a case */

#define SETBACK_PLAN     "plan"       /* plan.id: a schedule whose writing was broken off */

/* SETBACK_RESTS - in SQL: is this row's next try still to come? now and id are expressions. */
#define SETBACK_RESTS(kind, id, now)                                                                                                    \
    "EXISTS (SELECT 1 FROM setback z WHERE z.kind = '" kind "' AND z.id = " id " AND z.next_at > " now " AND z.last_at <= " now ")"

/* setback_of_row - is this failure about the row at hand, not about the disk, the lock or memory? */
bool setback_of_row(int rc);
/* setback_add - mark it: first or once more. Not inside a transaction: makes its own. payload may be {NULL,0}; the first one stays. */
MUST_USE int setback_add(struct call *c, const char *kind, int64_t id, const char *story, struct str payload);
/* setback_done - the work was done: forget the mark. In the transaction of the work. */
MUST_USE int setback_done(struct call *c, const char *kind, int64_t id);
/* setback_sweep - forget marks of work that nobody wants any more (its duty has ended). */
MUST_USE int setback_sweep(struct call *c);
/* setback_next - when the next try of any mark is due; INT64_MAX: none. */
MUST_USE int setback_next(struct call *c, time_ns *next);

/* setback_repeat - up to most pieces of one kind of work, each in a transaction of its own. one does the next piece and returns 1, or 0 if
 * there is none; it puts the id into *id before it can fail. Returns how many were done. */
typedef int setback_work(struct call *c, int64_t *id);
MUST_USE int setback_repeat(struct call *c, const char *kind, setback_work *one, int most);

#endif
