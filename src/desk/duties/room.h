/* room.h - what the files of the room "duties" share: a row as C, counting and writing it, the policy of reminders.
 *
 * Owns      see duties.h; a struct duty_row borrows its texts from the arena of the call.
 * Promises  1. Every change of a due moment goes through row_count and change_add, so that none is without its trace.
 * Threads   as struct desk. */
#ifndef SAQSHY_DESK_DUTIES_ROOM_H
#define SAQSHY_DESK_DUTIES_ROOM_H

#include "desk/duties/duties.h"
#include "desk/internal.h"

struct duty_row {
    int64_t    id, case_id, missing_year;
    struct str subject, subject_id, object_id, org_id, performer_org, owed_by, obligation, basis, from_field, state, edition, calendar;
    time_ns    from_at, due_at, nominal_at, overdue_marked_at, acknowledged_at, created_at;
    bool       from_day;
};

/* --- row.c --- */
/* row_load - by id; -ENOENT if there is none. */
MUST_USE int row_load(struct call *c, int64_t id, struct duty_row *out);
struct subject row_subject(const struct duty_row *d);
/* row_obligation - by the row's own edition; NULL if that edition is no longer in content. */
const struct obligation *row_obligation(const struct desk *d, const struct duty_row *row);
/* row_running - ids of what runs of an obligation (NULL: of all) on a subject, oldest first. Returns how many. */
#define ROWS_OF_SUBJECT_MAX 64
MUST_USE int row_running(struct call *c, const struct subject *s, const char *obligation, int64_t ids[ROWS_OF_SUBJECT_MAX]);

/* --- count.c --- */
struct counted {
    struct duty_result r;
    int64_t            missing_year;   /* the calendar lacks it: no due moment; else 0 */
    char              *arithmetic;     /* owned: JSON of {kk, ru, en} */
};
/* count_due - what duty says, or that a year is missing. counted_free after. */
MUST_USE int count_due(struct call *c, const struct obligation *o, struct duty_start start, struct counted *out);
void counted_free(struct counted *n);
#define AUTO_COUNTED __attribute__((cleanup(counted_free)))

enum change_reason { CHANGE_START, CHANGE_CALENDAR, CHANGE_CLOCK, CHANGE_RESUMED };
/* row_recount - count a row that runs by the start, keep the trace if anything moved, plan its reminders anew. Returns 1 if the due moment moved. */
MUST_USE int row_recount(struct call *c, const struct duty_row *row, struct duty_start start, enum change_reason why, struct str note);
/* change_add_row - a trace by itself: from and due as they were and are. */
struct moved {
    time_ns from_was, from_is, due_was, due_is, nominal_was, nominal_is;
    struct str calendar_was, calendar_is;
};
MUST_USE int trace_add(struct call *c, int64_t duty_id, enum change_reason why, struct str note, const struct moved *m);

/* --- policy.c --- */
#define REMIND_RULES_MAX  64
#define REMIND_BEFORE_MAX 8
#define REMIND_TO_MAX     8
#define REMIND_STEPS_MAX  8
#define REMIND_CHAINS_MAX 32

enum { TO_INBOX = 1, TO_EMAIL = 2 };

struct remind_to {
    unsigned   channels;
    struct str who[REMIND_TO_MAX];  /* centre, performer, accountable, addressee, responsible, contact:N, role:ROLE */
    size_t     count;
};
struct remind_when {
    enum { WHEN_PERCENT, WHEN_BEFORE, WHEN_DUE } kind;
    int64_t value;                  /* per cent of the term that has passed; nanoseconds before its end */
};
struct remind_chain {
    struct str         id;
    struct remind_when start;
    struct { time_ns wait; struct remind_to to; } steps[REMIND_STEPS_MAX];
    size_t             count;
};
struct remind_rule {
    struct str                 obligation;
    struct remind_when         before[REMIND_BEFORE_MAX];
    size_t                     before_count;
    bool                       at_due;
    time_ns                    every;   /* 0: nothing after the due moment */
    int64_t                    most;
    struct remind_to           to;
    const struct remind_chain *chain;   /* NULL: none */
};
const struct remind_rule *remind_rule_of(const struct duty_policy *p, struct str obligation);
/* policy_print - changes with every byte of the file. */
const char *policy_print(const struct duty_policy *p);

/* --- remind.c --- */
/* reminders_plan - what is to come after since for a row that runs; what was sent stays. since 0: all since the row began, what an outage
 * has left undone too. */
MUST_USE int reminders_plan(struct call *c, int64_t duty_id, time_ns since);
/* reminder_one - one that is due: sent, with its line. 1 if one was, 0 if none is due. In a transaction (setback_work). */
MUST_USE int reminder_one(struct call *c, int64_t *id);

/* --- send.c --- */
/* send_to - a message about a row to all of these; key: texts duty.mail.KEY.subject and .body. internal: the centre alone knows of it. */
MUST_USE int send_to(struct call *c, const struct duty_row *row, const struct remind_to *to, const char *key, bool internal);

/* --- json.c --- */
#define CLOCK_COLUMNS                                                                                                                  \
    "d.id, d.obligation, d.from_at, d.due_at, d.nominal_at, d.state, d.fulfilled_at, d.arithmetic, d.case_id, k.number, k.rule_id,"    \
    " k.rule_name, o.id, o.name, d.subject, d.subject_id, d.basis, d.edition, d.calendar, d.seq, d.estimated, d.missing_year,"         \
    " d.acknowledged_at, d.owed_by, p.id, p.name, a.id, a.name, d.from_day, d.sort_at"
#define CLOCK_JOINS                                                                                                                    \
    " LEFT JOIN cases k ON k.id = d.case_id LEFT JOIN object o ON o.id = coalesce(d.object_id, k.object_id)"                           \
    " LEFT JOIN org p ON p.id = d.performer_org LEFT JOIN org a ON a.id = d.org_id "
json_t *clock_json(struct call *c, sqlite3_stmt *st);
/* duty_json_full - schema Duty, if the viewer may see it; else -ENOENT. */
MUST_USE int duty_json_full(struct call *c, int64_t id, json_t **out);

#endif
