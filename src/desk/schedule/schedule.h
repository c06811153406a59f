/* schedule.h - the yearly schedule of monitoring works: what is planned for each object, agreed with KNB, and what came of it.
 *
 * Owns      the tables team, team_member, team_absence, blackout, plan, plan_object, plan_line, plan_reason, plan_unplaced, plan_version, plan_work,
 *           plan_change.
 * Promises  1. An act is one transaction with its audit row, or nothing. A plan is computed outside of it.
 *           2. The states are those of requirements 7.8, one table (machine.c). A version that was sent is frozen with its SHA-256; triggers refuse
 *              any change.
 *           3. What surveys and documents take are agreed lines. While an amendment is drafted or at KNB, the lines agreed before stay in execution.
 *           4. The counts come from the edition (F-01 to F-04), never from code; a plan that differs is sent only with a written reason for each
 *              object and mode (requirements 7.8).
 *              A plan of many lines is written in pieces after the act: until it is whole its draft is shown to nobody and edited by nobody; a kill
 *              in the middle is made good by schedule_turn (writing.c).
 *           5. The planner gives the same plan for the same data. What it cannot place is listed with the reason, never dropped.
 *           6. Owners see the lines of their own objects once they are agreed; KNB sees plans from the moment they were sent; surveyors and auditors
 *              see the lines of their team.
 * Threads   as struct desk.
 * Units     time_ns; days are texts "2026-03-20" in the zone of the node; capacity in works at once, and team-days a week.
 * Source    paragraph 9 of the Rules; requirements 7.8, R-9-01, R-9-02, F-01 to F-04, Q-15, Q-20, Q-62; docs/schedule.md. */
#ifndef SAQSHY_DESK_SCHEDULE_H
#define SAQSHY_DESK_SCHEDULE_H

#include "desk/desk.h"

struct call;

/* --- the API; bodies and answers by docs/openapi.yaml --- */

MUST_USE int desk_schedule_plans(struct desk *d, const struct viewer *v, time_ns now, struct desk_reply *r);
/* desk_schedule_open - body {year, documents, from_on}: a new plan in state "draft" (7.8 row 1). One for each year. */
MUST_USE int desk_schedule_open(struct desk *d, const struct viewer *v, const json_t *body, time_ns now, struct desk_reply *r);
MUST_USE int desk_schedule_plan(struct desk *d, const struct viewer *v, struct str id, time_ns now, struct desk_reply *r);
MUST_USE int desk_schedule_act(struct desk *d, const struct viewer *v, struct str id, struct str action, const json_t *body, time_ns now,
                               struct desk_reply *r);
MUST_USE int desk_schedule_unplaced(struct desk *d, const struct viewer *v, struct str id, int limit, struct str before, time_ns now, struct desk_reply *r);
/* desk_schedule_mismatches - what keeps the draft from being sent; at most limit of them. */
MUST_USE int desk_schedule_mismatches(struct desk *d, const struct viewer *v, struct str id, int limit, time_ns now, struct desk_reply *r);
/* desk_schedule_changes - of a version, what it changes in the one agreed before; version 0: of the draft. */
MUST_USE int desk_schedule_changes(struct desk *d, const struct viewer *v, struct str id, int64_t version, int limit, struct str before, time_ns now,
                                   struct desk_reply *r);

/* Which lines: of the plan as agreed, or of its draft (draft: 1; -1: the draft where the viewer may change it, else as agreed). */
struct schedule_query {
    int        draft;
    struct str object, org, mode, kind, state, month, on;   /* month "2026-03"; on: works that run on that day */
    int64_t    team;
    int        limit;
    struct str before;
};
MUST_USE int desk_schedule_lines(struct desk *d, const struct viewer *v, struct str id, const struct schedule_query *q, time_ns now, struct desk_reply *r);
/* desk_schedule_calendar - works on each day of the year, and what week and month they make, by the same filters. */
MUST_USE int desk_schedule_calendar(struct desk *d, const struct viewer *v, struct str id, const struct schedule_query *q, time_ns now,
                                    struct desk_reply *r);
/* desk_schedule_progress - plan against done by "mode", "month" or "object". */
MUST_USE int desk_schedule_progress(struct desk *d, const struct viewer *v, struct str id, struct str by, int limit, struct str before, time_ns now,
                                    struct desk_reply *r);
/* desk_schedule_object - the year of one object: its lines with what came of them, what it is owed, and the arithmetic of a share. */
MUST_USE int desk_schedule_object(struct desk *d, const struct viewer *v, struct str id, struct str object, time_ns now, struct desk_reply *r);
/* desk_schedule_export - the lines that the viewer sees: xlsx, csv or pdf. */
MUST_USE int desk_schedule_export(struct desk *d, const struct viewer *v, struct str id, struct str format, time_ns now, struct buf *out,
                                  struct desk_reply *r);

/* desk_schedule_line_add, _change, _drop - by hand. A soft conflict is -EEXIST "schedule_conflict" with all of them in r->problems in words, unless the
 * body accepts them with a reason; a hard one is refused whatever it says. line is NULL of a new one. */
MUST_USE int desk_schedule_line_add(struct desk *d, const struct viewer *v, struct str id, const json_t *body, time_ns now, struct desk_reply *r);
MUST_USE int desk_schedule_line_change(struct desk *d, const struct viewer *v, struct str id, struct str line, const json_t *body, time_ns now,
                                       struct desk_reply *r);
MUST_USE int desk_schedule_line_drop(struct desk *d, const struct viewer *v, struct str id, struct str line, const json_t *body, time_ns now,
                                     struct desk_reply *r);

MUST_USE int desk_schedule_teams(struct desk *d, const struct viewer *v, struct desk_reply *r);
/* desk_schedule_team_put - team is {NULL,0} for a new one. */
MUST_USE int desk_schedule_team_put(struct desk *d, const struct viewer *v, struct str team, const json_t *body, time_ns now, struct desk_reply *r);
MUST_USE int desk_schedule_blackouts(struct desk *d, const struct viewer *v, struct str object, int limit, struct str before, struct desk_reply *r);
MUST_USE int desk_schedule_blackout_add(struct desk *d, const struct viewer *v, const json_t *body, time_ns now, struct desk_reply *r);
MUST_USE int desk_schedule_blackout_drop(struct desk *d, const struct viewer *v, struct str id, time_ns now, struct desk_reply *r);

/* --- for the rooms that do the works: surveys and documents --- */

/* A line of an agreed plan. Texts live in the arena of the call. */
struct plan_line {
    int64_t    id;              /* stays the same through all versions of the plan */
    int64_t    plan_id;
    int64_t    pair_id;         /* of a control one: its main line; else 0 */
    struct str object_id;
    struct str mode;            /* pentest_auto, update_config, source_code, pentest_manual, document */
    struct str kind;            /* main, control; empty for documents */
    int        ordinal;         /* 1 … of this mode and kind in the year */
    struct str from_on, to_on;  /* days "2026-03-20", both worked */
    int64_t    team_id;         /* 0: none */
};

/* schedule_take - the next agreed lines, by day, that nobody has taken: of documents, or of the other modes. They count as taken with the commit of
 * the caller's transaction, in which it makes its surveys; call again while *count is most. Whoever asks for one at a time and marks what fails
 * (SETBACK_LINE; of schedule_moved: SETBACK_MOVED) is given the next ones meanwhile. */
MUST_USE int schedule_take(struct call *c, bool documents, struct plan_line *out, size_t most, size_t *count);

/* schedule_line_state - what came of a line that was taken, in the transaction of the act that did it. subject is "survey" or "document_survey".
 * state: planned, blocked, in_progress, completed, cancelled. completed_at counts for completed alone: done in time, or late. The first work that
 * begins puts the plan into execution (7.8 row 5) and the object under monitoring (7.7 row 10). */
MUST_USE int schedule_line_state(struct call *c, int64_t line, struct str subject, struct str subject_id, struct str state, time_ns completed_at);
/* schedule_line_cancelled - the same for a work that will not be done, with the reason that plan against done shows. */
MUST_USE int schedule_line_cancelled(struct call *c, int64_t line, struct str reason);

/* schedule_moved - lines that were taken and that an agreed amendment has moved, given to another team, or dropped, and that nobody was told of.
 * They count as told with the commit of the caller's transaction. A line that is completed or cancelled is never among them. */
struct plan_moved {
    struct plan_line line;      /* as it is now */
    bool             cancelled; /* no longer in the plan */
    struct str       reason;    /* written in the amendment; may be empty */
    struct str       subject_id;/* of schedule_line_state; empty if it was never called */
};
MUST_USE int schedule_moved(struct call *c, bool documents, struct plan_moved *out, size_t most, size_t *count);

/* schedule_line - one agreed line by id, for showing where a survey comes from. -ENOENT. */
MUST_USE int schedule_line(struct call *c, int64_t id, struct plan_line *out);
/* schedule_team_has - is the account a member of the team? 1 or 0. A team of 0 has nobody. */
MUST_USE int schedule_team_has(struct call *c, int64_t team, int64_t user);
/* schedule_team_name - {NULL,0} for 0. In the arena. */
MUST_USE int schedule_team_name(struct call *c, int64_t team, struct str *out);

/* schedule_knows - *n is 1 if the viewer may know that this plan has changed: as whoever asks for it. */
MUST_USE int schedule_knows(struct desk *d, const struct viewer *v, int64_t plan, int64_t *n, struct err *e);

/* schedule_turn - a plan whose writing was broken off is written to its end. Of the thread of results: it may take long, and no clock waits for it. */
MUST_USE int schedule_turn(struct desk *d, time_ns now, struct err *e);

/* schedule_tick - what time brings: objects of an agreed plan become "scheduled" (7.7 row 8). Returns how many were made. */
MUST_USE int schedule_tick(struct call *c);

#endif
