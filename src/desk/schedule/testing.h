/* testing.h - lines of an agreed plan without a planner, for tests of the rooms that take them. Only tests include it. */
#ifndef SAQSHY_DESK_SCHEDULE_TESTING_H
#define SAQSHY_DESK_SCHEDULE_TESTING_H

#include "desk/internal.h"
#include "desk/schedule/schedule.h"

/* line_planned - one agreed line of the plan of 2026 (made if it is not there), waiting to be taken. pair: the main line of a control one, else 0. */
static inline int64_t line_planned(struct desk *d, const char *object, const char *mode, const char *kind, int ordinal, const char *from_on,
                                   const char *to_on, int64_t pair)
{
    int64_t plan = 0, id = 0;
    int rc = db_exec(d, NULL,
                     "INSERT OR IGNORE INTO plan(year, state, documents, version, agreed_version, edition, created_at, updated_at)"
                     " VALUES (2026, 'agreed', 1, 1, 1, 'kz-52-2025', 1, 1)",
                     "");

    if (rc >= 0)
        rc = db_int(d, NULL, 0, &plan, "SELECT id FROM plan WHERE year = 2026", "");
    if (rc >= 0)
        rc = db_exec(d, NULL, "INSERT OR IGNORE INTO plan_object(plan_id, draft, object_id, works, since_on, until_on) VALUES (?,0,?,7,'2026-01-01','2026-12-31')",
                     "iz", plan, object);
    if (rc >= 0)
        rc = counter_next(d, "plan-line", &id, NULL);
    if (rc >= 0)
        rc = db_exec(d, NULL,
                     "INSERT INTO plan_line(id, draft, plan_id, object_id, mode, kind, ordinal, pair_id, from_on, to_on) VALUES (?,0,?,?,?,?,?,?,?,?)",
                     "iizzzimzz", id, plan, object, mode, kind, (int64_t)ordinal, (time_ns)pair, from_on, to_on);
    if (rc >= 0)
        rc = db_exec(d, NULL, "INSERT INTO plan_wait(documents, from_on, line_id) VALUES (?,?,?)", "izi", (int64_t)(strcmp(mode, "document") == 0), from_on, id);
    return rc < 0 ? rc : id;
}

#endif
