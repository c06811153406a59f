/* tick.c - what time brings to surveys of documents: lines of agreed schedules become surveys; surveys follow their requests. */
#include "desk/documents/room.h"
#include "desk/schedule/schedule.h"

#define FOLLOW_ROWS 64
#define TAKE_ROWS   16

static int follow_one(struct call *c, int64_t id)
{
    struct td_survey s;
    int rc = db_begin(c->d, c->e);

    if (rc < 0)
        return rc;
    rc = td_load(c, id, &s);
    if (rc == 0)
        rc = td_follow(c, &s);
    int made = rc;
    rc = db_end(c->d, rc < 0 ? rc : 0, c->e);
    return rc < 0 ? rc : made;
}

/* Only those whose request stands further than they do. */
static int follow_all(struct call *c)
{
    int64_t ids[FOLLOW_ROWS];
    int n = 0, made = 0;
    sqlite3_stmt *st = db_query(c->d, c->e,
                                "SELECT s.id FROM td_survey s JOIN request r ON r.id = s.request_id WHERE s.request_id IS NOT NULL AND " TD_BEHIND " LIMIT 64", "");
    int rc = st ? 0 : -EIO;

    while (st && (rc = db_step(c->d, st, c->e)) > 0)
        ids[n++] = sqlite3_column_int64(st, 0);
    for (int i = 0; rc >= 0 && i < n; i++) {
        rc = follow_one(c, ids[i]);
        made += rc > 0;
    }
    return rc < 0 ? rc : made;
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

static int take(struct call *c, size_t *count)
{
    struct plan_line lines[TAKE_ROWS];
    int rc = schedule_take(c, true, lines, TAKE_ROWS, count);

    for (size_t i = 0; rc >= 0 && i < *count; i++)
        rc = planned_from_line(c, &lines[i]);
    return rc;
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

static int move(struct call *c, size_t *count)
{
    struct plan_moved moved[TAKE_ROWS];
    int rc = schedule_moved(c, true, moved, TAKE_ROWS, count);

    for (size_t i = 0; rc >= 0 && i < *count; i++)
        rc = moved_one(c, &moved[i]);
    return rc;
}

/* in_turn - one batch in a transaction of its own; none if nothing waits. */
static int in_turn(struct call *c, int (*work)(struct call *c, size_t *count))
{
    size_t count = 0;
    int rc = db_begin(c->d, c->e);

    if (rc < 0)
        return rc;
    rc = work(c, &count);
    rc = db_end(c->d, rc < 0 ? rc : 0, c->e);
    return rc < 0 ? rc : (int)count;
}

int documents_tick(struct call *c)
{
    int64_t waiting = 0;   /* looked at before the lock is asked for: mostly there is nothing */
    int taken = 0, moved = 0, followed;
    int rc = db_int(c->d, c->e, 0, &waiting, "SELECT EXISTS (SELECT 1 FROM plan_wait WHERE documents = 1) OR EXISTS (SELECT 1 FROM plan_change WHERE documents = 1)",
                    "");

    if (rc < 0)
        return rc;
    if (waiting)
        taken = in_turn(c, take);
    if (waiting && taken >= 0)
        moved = in_turn(c, move);
    followed = follow_all(c);
    return taken < 0 ? taken : moved < 0 ? moved : followed < 0 ? followed : taken + moved + followed;
}
