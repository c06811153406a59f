/* machine.c - the states of the plan (requirements 7.8). */
#include "desk/schedule/room.h"

int plan_begin(struct call *c, int64_t plan)
{
    int rc = db_exec(c->d, c->e, "UPDATE plan SET begun = 1, state = iif(state = 'agreed', 'in_execution', state), updated_at = ?2 WHERE id = ?1 AND begun = 0",
                     "ii", plan, c->now);

    return rc < 0 ? rc : 0;
}
