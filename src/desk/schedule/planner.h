/* planner.h - a year's works laid out over days and teams: pure, the same input gives the same plan.
 *
 * Owns      a struct planner owns what planner_new took from its arena; input arrays are borrowed until planner_free.
 * Promises  1. Every work begins and ends on a business day, has as many of them as its mode takes, and touches no blackout day of its object.
 *           2. No team has more works on a day, or more team-days in a week, than it can.
 *           3. A control work begins no earlier than its main one allows (struct planner_year, earliest), and the next main one after it.
 *           4. A main work and its control one are placed together or not at all; whatever is not placed is told with the reason.
 *           5. Works are spread: the n works of a mode stand in n equal parts of the object's time, objects at different places of theirs.
 *           6. Lines that are given stay where they are, even where they break a rule: they were accepted by a person or agreed.
 * Threads   any.
 * Units     days count from 0, the first of January of the year; spans are inclusive.
 * Source    requirements 7.8, F-01 to F-04, Q-15; docs/schedule.md. */
#ifndef SAQSHY_DESK_SCHEDULE_PLANNER_H
#define SAQSHY_DESK_SCHEDULE_PLANNER_H

#include "base/base.h"

#define PLAN_DAYS    366
#define PLAN_WORDS   6               /* 64-bit words of a set of days */
#define PLAN_WEEKS   54
#define PLAN_TEAMS_MAX   500
#define PLAN_OBJECTS_MAX 50000       /* 25 times the largest list that is known */
#define PLAN_COUNT_MAX   24          /* works of one mode and kind of one object: the Rules have 4 */
#define PLAN_WORK_DAYS   30          /* business days that one work may take */
#define PLAN_NEVER   32767           /* of earliest: not in this year */

enum plan_mode { PLAN_PENTEST_AUTO, PLAN_UPDATE_CONFIG, PLAN_SOURCE_CODE, PLAN_PENTEST_MANUAL, PLAN_DOCUMENT, PLAN_MODES };

struct day_set { uint64_t w[PLAN_WORDS]; };
static inline bool day_in(const struct day_set *s, int day) { return day >= 0 && day < PLAN_DAYS && (s->w[day / 64] >> (day % 64) & 1); }
static inline void day_add(struct day_set *s, int day)
{
    if (day >= 0 && day < PLAN_DAYS)
        s->w[day / 64] |= UINT64_C(1) << (day % 64);
}

struct planner_year {
    int  days;                               /* 365 or 366 */
    int  weekday;                            /* of the first day: 0 Monday */
    bool worked[PLAN_DAYS];
    int  takes[PLAN_MODES];                  /* business days of one work */
    int16_t earliest[PLAN_MODES][PLAN_DAYS]; /* by the last day of the main work: when its control one may begin */
};
struct planner_team {
    unsigned modes;                          /* bits 1 << enum plan_mode */
    int      days_week;                      /* team-days; 0: no bound */
    int16_t  at_once[PLAN_DAYS];             /* works on that day, absences taken off; below zero: no bound */
};
/* A work: placed (out), or there already (in). */
struct planner_work {
    int32_t object;                          /* index */
    int16_t from, to;
    int16_t team;                            /* index; below zero: none */
    uint8_t mode;                            /* enum plan_mode */
    uint8_t control;                         /* 1: a control work */
    uint8_t ordinal;                         /* from 1 */
};
struct planner_object {
    int             since, until;            /* the days on which it is to be surveyed */
    int             begin;                   /* before that day nothing new is placed: since, or today in an amendment */
    int             count[PLAN_MODES];       /* pairs of main and control; of documents single works */
    const struct day_set *closed;            /* blackouts; NULL: none */
    const struct planner_work *given;        /* sorted by mode, ordinal, control; counted against count */
    int             given_count;
};
enum planner_why { WHY_NO_TEAM, WHY_BLACKOUT, WHY_NO_DAYS, WHY_DISTANCE, WHY_CAPACITY, PLANNER_WHYS };
struct planner_unplaced {
    int32_t object;
    uint8_t mode, control, ordinal, why;
    int16_t from, to;                        /* where it was looked for */
};
struct planner {
    const struct planner_year   *year;
    const struct planner_team   *teams;
    size_t                       team_count;
    const struct planner_object *objects;
    size_t                       object_count;
    struct planner_work         *works;      /* out: the given ones are not among them */
    size_t                       work_count, work_most;
    struct planner_unplaced     *unplaced;
    size_t                       unplaced_count, unplaced_most;
    struct team_load            *load;       /* by team */
    int                         (*ends)[PLAN_DAYS];   /* by mode and first day: the last; below zero: none */
    struct day_set               any[PLAN_MODES];     /* days on which some team can begin */
    bool                         failed;     /* no memory */
};

/* planner_run - fill works and unplaced. 0, or -ENOMEM. planner_free in any case. */
MUST_USE int planner_run(struct planner *p);
void planner_free(struct planner *p);
/* planner_end - the last day of a work of so many business days that begins on a day; below zero: not in this year. */
int planner_end(const struct planner_year *y, int takes, int from);
static inline int planner_week(const struct planner_year *y, int day) { return (day + y->weekday) / 7; }

#endif
