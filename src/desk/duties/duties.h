/* duties.h - what is owed under the Rules: one row for each duty that runs, was kept or was called off.
 *
 * Owns      the tables duty and reminder.
 * Promises  1. A row keeps the obligation, its start and the field it came from, due and nominal, the versions of edition and calendar, and the
 *              arithmetic in three languages as it was counted.
 *           2. A running duty that begins again on the same subject is counted anew; one that has ended gets a next row (seq).
 *           3. Begin, fulfil and cancel write a line of the subject's timeline; reminders are rows too.
 * Threads   as struct desk; inside the transaction of the act.
 * Units     time_ns.
 * Source    requirements 5; docs/cases.md. */
#ifndef SAQSHY_DESK_DUTIES_H
#define SAQSHY_DESK_DUTIES_H

#include "desk/internal.h"

/* duties_begin - the obligation runs from start. id (may be NULL) is the row. -ENOTSUP for one that the edition lacks or that has no term;
 * -ENODATA if the calendar lacks a year on the way. */
MUST_USE int duties_begin(struct call *c, const struct subject *s, const char *obligation, struct duty_start start, int64_t *id);
/* duties_fulfil, duties_cancel - end what runs; what does not run is left as it is (0). key: a text of the catalogue that says why. */
MUST_USE int duties_fulfil(struct call *c, const struct subject *s, const char *obligation, time_ns at);
MUST_USE int duties_cancel(struct call *c, const struct subject *s, const char *obligation, const char *key);
/* duties_due - due moment of one that runs; 0 if it does not run. */
MUST_USE int duties_due(struct call *c, const struct subject *s, const char *obligation, time_ns *due);
/* duties_json - all of a subject, an array of schema Clock. */
MUST_USE int duties_json(struct call *c, const struct subject *s, json_t **out);

/* duties_table_json - the obligations of an edition, an array of schema Obligation. */
json_t *duties_table_json(const struct duty_world *w, const struct edition *ed);

#endif
