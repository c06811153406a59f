/* duties.h - what is owed under the Rules: one row for each duty that runs, was kept, was called off or gave way to another.
 *
 * Owns      the tables duty, duty_fact, duty_change, duty_reach and reminder; content/policy/reminders.yaml.
 * Promises  1. A row keeps the obligation, its edition, its start and the field it came from, due and nominal, the version of the calendar, and
 *              the arithmetic in three languages as it was counted. A case keeps its edition; what begins alone has the one in force then.
 *           2. A running duty that begins again on the same subject is counted anew, with a trace; one that has ended gets a next row (seq).
 *           3. It is fulfilled when all its facts are there, at the moment of the last one: D-01 wants paper and electronic, D-06 causes and
 *              consequences. Facts keep their evidence. An act at the due moment is in time.
 *           4. Begin, fact, fulfil, cancel, supersede and resume write a line of the subject's timeline. What moved the due moment of a row that
 *              had one is a row of duty_change: who, when, why, from what to what. Both are only added to.
 *           5. When the calendar or the internal days change, rows that run are counted anew at the next tick, each with its trace.
 *           6. A calendar without a year on the way stops no act: the row runs without a due moment and says which year is missing.
 *           7. Reminders and escalations are rows that say "not yet"; an outage delays them and never drops them.
 *           8. "Overdue" is said of terms of the law alone. A mark that a wrong clock made is taken back, with a trace.
 * Threads   as struct desk; inside the transaction of the act.
 * Units     time_ns.
 * Source    requirements 5, Q-02, 03, 07-09, 15, 21, 22, 24-26, 29, 32, 54; docs/duties.md. */
#ifndef SAQSHY_DESK_DUTIES_H
#define SAQSHY_DESK_DUTIES_H

#include "desk/desk.h"
#include "desk/subject.h"

struct call;

/* --- for the other rooms --- */

/* duties_begin - the obligation runs from start. id (may be NULL) is the row. -ENOTSUP for one that the edition lacks, or a frequency. */
MUST_USE int duties_begin(struct call *c, const struct subject *s, const char *obligation, struct duty_start start, int64_t *id);
/* What a beginning may say besides. Zero it. */
struct duty_terms {
    struct str performer_org; /* the one named performer; {NULL,0}: by the obligation: the object's operational centre, the possessor, the owner */
    struct str edition;       /* {NULL,0}: of the case, else the one in force now */
    bool       another;       /* a row of its own beside one that runs (a second change of contacts within 48 hours) */
};
MUST_USE int duties_begin_as(struct call *c, const struct subject *s, const char *obligation, struct duty_start start,
                             const struct duty_terms *terms, int64_t *id);

/* What shows that a fact is so. Zero it; all of it may be empty. */
struct duty_evidence {
    int64_t    notice_id;     /* of the table notice_record; 0: none */
    struct str sha256;        /* of a document */
    struct str note;
};
/* duties_fact - one fact of the edition's fulfilled_by ("commission_paper_at") happened at that moment. A second word on the same fact replaces
 * the first while the row runs. Returns 1 if the duty is fulfilled by it, 0 if others are missing or none runs; -EINVAL for a fact that the
 * obligation does not know. */
MUST_USE int duties_fact(struct call *c, const struct subject *s, const char *obligation, const char *fact, time_ns at,
                         const struct duty_evidence *ev);
/* duties_fulfil - all facts at once. duties_cancel, duties_supersede - end what runs; key: a text of the catalogue that says why. What does not
 * run is left as it is (0). duties_resume - the newest superseded row runs again (a split undone). */
MUST_USE int duties_fulfil(struct call *c, const struct subject *s, const char *obligation, time_ns at);
MUST_USE int duties_fulfil_by(struct call *c, const struct subject *s, const char *obligation, time_ns at, const struct duty_evidence *ev);
MUST_USE int duties_cancel(struct call *c, const struct subject *s, const char *obligation, const char *key);
MUST_USE int duties_supersede(struct call *c, const struct subject *s, const char *obligation, const char *key);
MUST_USE int duties_resume(struct call *c, const struct subject *s, const char *obligation, const char *key);
/* duties_acknowledge - somebody has seen what runs on the subject (obligation NULL: all of it): escalation stops, reminders go on. */
MUST_USE int duties_acknowledge(struct call *c, const struct subject *s, const char *obligation);
/* duties_due - due moment of one that runs; 0 if it does not run or has no due moment. */
MUST_USE int duties_due(struct call *c, const struct subject *s, const char *obligation, time_ns *due);
/* duties_json - all of a subject, an array of schema Clock. */
MUST_USE int duties_json(struct call *c, const struct subject *s, json_t **out);

/* duty_message - what was said of a duty by key and parameters ("duty.mail.reminder", see send.c) in a language; part "subject" or "body". */
struct str duty_message(struct call *c, struct str key, const json_t *args, enum lang lang, const char *part);

/* duties_table_json - the obligations of an edition, an array of schema Obligation. */
json_t *duties_table_json(const struct duty_world *w, const struct edition *ed);

/* --- time --- */

/* duties_tick - one turn: recounting after a change of calendar or internal days, marks that a wrong clock made, overdue marks, reminders,
 * escalations; each row in a transaction of its own, outside of any. Returns how many were made. duties_next: the moment of the next. */
MUST_USE int duties_tick(struct call *c);
MUST_USE int duties_next(struct call *c, time_ns *next);
/* What another room does when a duty of a case is overdue by law and the Rules order something: "notify_knb" (cases). */
MUST_USE int duty_late_case(struct call *c, int64_t case_id, struct str order, time_ns due);

/* --- reminders and escalation: content/policy/reminders.yaml --- */
struct duty_policy;
MUST_USE int duty_policy_load(const char *content, const struct duty_world *w, struct duty_policy **out, struct err *e);
void duty_policy_free(struct duty_policy **p);

/* --- the API --- */

struct duties_query {
    bool       ended;         /* false: what runs, by due moment; true: what has ended, latest due first */
    bool       mine;          /* owed by the viewer's own organisation (the centre's staff: by the centre) */
    bool       overdue;
    struct str obligation, object, subject, subject_id, org;  /* org: performer or accountable */
    int        limit;         /* 0: 100 */
    struct str before;        /* cursor */
};
MUST_USE int desk_duties(struct desk *d, const struct viewer *v, const struct duties_query *q, time_ns now, struct desk_reply *r);
MUST_USE int desk_duty(struct desk *d, const struct viewer *v, struct str id, time_ns now, struct desk_reply *r);
/* desk_duty_changes - what moved due moments, newest first; reason empty: all. */
MUST_USE int desk_duty_changes(struct desk *d, const struct viewer *v, struct str reason, int limit, struct str before, time_ns now,
                               struct desk_reply *r);
/* desk_duty_acknowledge - by those who owe it. desk_duty_restart - another start {from, reason}, by the centre, under the two-person rule. */
MUST_USE int desk_duty_acknowledge(struct desk *d, const struct viewer *v, struct str id, time_ns now, struct desk_reply *r);
MUST_USE int desk_duty_restart(struct desk *d, const struct viewer *v, struct str id, const json_t *body, time_ns now, struct desk_reply *r);

#endif
