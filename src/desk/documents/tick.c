/* tick.c - what time brings to surveys of documents: lines of agreed schedules become surveys; surveys follow their requests. */
#include "desk/documents/room.h"
#include "desk/duties/setback.h"
#include "desk/schedule/schedule.h"

#define FOLLOW_ROWS 64
#define TAKE_ROWS   16

/* follow_one - the next whose request stands further than it does. */
static int follow_one(struct call *c, int64_t *id)
{
    struct td_survey s;
    int rc = db_int(c->d, c->e, 0, id,
                    "SELECT s.id FROM td_survey s JOIN request r ON r.id = s.request_id WHERE s.request_id IS NOT NULL AND " TD_BEHIND " AND NOT "
                    SETBACK_RESTS(SETBACK_FOLLOW, "s.id", "?1") " LIMIT 1", "i", c->now);

    if (rc < 0 || !*id)
        return rc;
    rc = td_load(c, *id, &s);
    if (rc == 0)
        rc = td_follow(c, &s);
    return rc == 0 ? err_set(c->e, -EPROTO, "survey %lld does not get to where its request is", (long long)*id) : rc;
}

/* --- the schedule --- */

static int planned_from_line(struct call *c, const struct plan_line *l)
{
    struct td_survey s = { .object_id = l->object_id, .planned_from = l->from_on, .planned_to = l->to_on, .plan_line = l->id };
    int64_t id = 0;
    int rc = schedule_team_name(c, l->team_id, &s.team);

    if (rc >= 0)
        rc = td_new(c, &s, &id);
    return rc < 0 ? rc : schedule_line_state(c, l->id, STR("document_survey"), arena_printf(&c->a, "%lld", (long long)id), STR("planned"), 0);
}

static int take_one(struct call *c, int64_t *id)
{
    struct plan_line line;
    size_t count = 0;
    int rc = schedule_take(c, true, &line, 1, &count);

    if (rc < 0 || !count)
        return rc;
    *id = line.id;
    rc = planned_from_line(c, &line);
    return rc < 0 ? rc : 1;
}

/* moved_one - an agreed amendment: what has not begun moves or goes with it; what has begun goes on, and the line says so. */
static int moved_one(struct call *c, const struct plan_moved *m)
{
    struct td_survey s;
    int64_t id = 0;
    int rc = db_int(c->d, c->e, 0, &id, "SELECT id FROM td_survey WHERE plan_line = ?", "i", m->line.id);

    if (rc < 0 || !id)
        return rc;
    rc = td_load(c, id, &s);
    if (rc < 0 || s.state->ended)
        return rc;
    rc = td_line(c, &s, m->cancelled ? "line_dropped" : "line_moved", m->reason, 0);
    if (rc == 0 && m->cancelled && td_in(&s, "planned")) {
        td_move(&s, "withdrawn");
        return td_save(c, &s);
    }
    if (rc < 0 || m->cancelled)
        return rc;
    struct str team = { NULL, 0 };
    rc = schedule_team_name(c, m->line.team_id, &team);
    if (rc >= 0)
        rc = db_exec(c->d, c->e, "UPDATE td_survey SET planned_from = ?2, planned_to = ?3, team = ?4, updated_at = ?5 WHERE id = ?1", "ittti", id, m->line.from_on,
                     m->line.to_on, team, c->now);
    return rc < 0 ? rc : 0;
}

static int move_one(struct call *c, int64_t *id)
{
    struct plan_moved moved;
    size_t count = 0;
    int rc = schedule_moved(c, true, &moved, 1, &count);

    if (rc < 0 || !count)
        return rc;
    *id = moved.line.id;
    rc = moved_one(c, &moved);
    return rc < 0 ? rc : 1;
}

int documents_tick(struct call *c)
{
    int64_t waiting = 0, behind = 0;   /* looked at before the lock is asked for: mostly there is nothing */
    int taken = 0, moved = 0, followed = 0;
    int rc = db_int(c->d, c->e, 0, &waiting, "SELECT EXISTS (SELECT 1 FROM plan_wait WHERE documents = 1) OR EXISTS (SELECT 1 FROM plan_change WHERE documents = 1)",
                    "");

    if (rc == 0)
        rc = db_int(c->d, c->e, 0, &behind, "SELECT EXISTS (SELECT 1 FROM td_survey s JOIN request r ON r.id = s.request_id WHERE s.request_id IS NOT NULL AND"
                                            " " TD_BEHIND ")", "");
    if (rc < 0)
        return rc;
    if (waiting) {
        taken = setback_repeat(c, SETBACK_LINE, take_one, TAKE_ROWS);
        moved = setback_repeat(c, SETBACK_MOVED, move_one, TAKE_ROWS);
    }
    if (behind)
        followed = setback_repeat(c, SETBACK_FOLLOW, follow_one, FOLLOW_ROWS);
    return taken < 0 ? taken : moved < 0 ? moved : followed < 0 ? followed : taken + moved + followed;
}
