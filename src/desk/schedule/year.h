/* year.h - a year as the planner counts it: which days are worked, how long works take, how far a control survey stands from its main one.
 *
 * Owns      struct schedule_year: nothing outside itself.
 * Promises  1. Business days come from the calendar of src/duty; a year it lacks is -ENODATA.
 *           2. The distance comes from the terms of the edition, or from content/policy/schedule.yaml where it says so.
 * Threads   any.
 * Units     days from the first of January, 0. */
#ifndef SAQSHY_DESK_SCHEDULE_YEAR_H
#define SAQSHY_DESK_SCHEDULE_YEAR_H

#include "desk/internal.h"
#include "desk/schedule/planner.h"

/* content/policy/schedule.yaml */
struct schedule_policy {
    int  takes[PLAN_MODES];
    int  distance[PLAN_MODES];     /* calendar days; below zero: the terms */
    char terms[2][16];             /* ids of obligations; empty: none */
    int  lead_days;
};
MUST_USE int schedule_policy_load(const char *content, struct schedule_policy *out, struct err *e);

extern const char *const plan_mode_names[];      /* by enum plan_mode, ended by NULL */
extern const char *const plan_mode_frequency[];  /* "F-01" …; NULL for documents */
enum plan_mode plan_mode_parse(struct str s);    /* PLAN_MODES if it is none */

struct schedule_year {
    int                    year;
    int64_t                first;                /* days since 1970 */
    bool                   estimated;            /* of the calendar: some of its days are estimates */
    struct planner_year    p;
    struct schedule_policy policy;
};
/* schedule_year_make - -ENODATA if the calendar lacks the year; -EBADMSG for a broken policy. */
MUST_USE int schedule_year_make(const struct duty_world *w, const char *content, int year, struct schedule_year *out, struct err *e);

/* year_day - of a text "2026-03-20": its number in the year, also outside of it (below zero before); INT32_MIN if it is no date. */
int  year_day(const struct schedule_year *y, struct str date);
/* year_text - "2026-03-20"; out holds 16 bytes. Returns out. */
const char *year_text(const struct schedule_year *y, int day, char out[16]);
/* year_number - days since 1970 of a text; false if it is no date. */
bool year_number(struct str date, int64_t *out);

#endif
