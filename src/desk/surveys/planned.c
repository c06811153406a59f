/* planned.c - surveys that an agreed schedule orders (7.5 row 1): taken once, moved and called off as amendments say. */
#include "desk/duties/setback.h"
#include "desk/schedule/schedule.h"
#include "desk/surveys/room.h"

#define TAKE_MOST 256   /* of one tick, each in a transaction of its own: a year's plan of 2,000 objects is taken in some minutes, and no clock waits for it */

static int one_new(struct call *c, const struct plan_line *l)
{
    struct sv_new n = { .object_id = l->object_id, .mode = l->mode, .kind = l->kind, .from_on = l->from_on, .to_on = l->to_on, .line_id = l->id,
                        .team_id = l->team_id, .ordinal = l->ordinal };
    char text[24];
    int64_t id = 0;
    int rc = l->pair_id ? db_int(c->d, c->e, 0, &n.main_id, "SELECT id FROM survey WHERE line_id = ?", "i", l->pair_id) : 0;

    if (rc == 0)
        rc = sv_insert(c, &n, &id);
    snprintf(text, sizeof text, "%lld", (long long)id);
    if (rc == 0)
        rc = schedule_line_state(c, l->id, STR("survey"), str_c(text), STR("planned"), 0);
    return rc;
}

/* take_one, move_one - the next line, for setback_repeat: one that the tables refuse is marked and holds up nothing behind it. */
static int take_one(struct call *c, int64_t *id)
{
    struct plan_line line;
    size_t count = 0;
    int rc = schedule_take(c, false, &line, 1, &count);

    if (rc < 0 || !count)
        return rc;
    *id = line.id;
    rc = one_new(c, &line);
    return rc < 0 ? rc : 1;
}

/* one_moved - a survey that has not begun follows its line; one whose works go on keeps its own days: the line tells of the plan, the survey of what was done. */
static int one_moved(struct call *c, const struct plan_moved *m)
{
    AUTO_SV struct sv s = { 0 };
    int64_t id = 0;
    int rc = db_int(c->d, c->e, 0, &id, "SELECT id FROM survey WHERE line_id = ?", "i", m->line.id);

    if (rc < 0 || !id)
        return rc;
    rc = sv_load(c, id, &s);
    if (rc < 0 || !sv_in(&s, "planned blocked"))
        return rc;
    if (m->cancelled) {
        sv_move(&s, "cancelled");
        rc = sv_line(c, &s, "cancelled", m->reason, NULL, false);
        if (rc == 0 && s.told_at)
            rc = sv_tell(c, &s, &(struct sv_letter){ .key = "cancelled", .paragraph = "10(2)", .args = json_pack("{s:o}", "reason", json_str(m->reason.p ? m->reason : STR(""))) }, NULL);
        if (rc == 0)
            rc = schedule_line_cancelled(c, s.line_id, m->reason);
    } else {
        json_t *args = json_pack("{s:o, s:o, s:o, s:o}", "before_from", json_str(s.from_on), "before_to", json_str(s.to_on), "from_on", json_str(m->line.from_on),
                                 "to_on", json_str(m->line.to_on));

        s.from_on = m->line.from_on;
        s.to_on = m->line.to_on;
        s.team_id = m->line.team_id;
        rc = sv_line(c, &s, "moved", m->reason, args, false);
        if (rc == 0 && s.told_at)
            rc = sv_tell(c, &s, &(struct sv_letter){ .key = "moved", .paragraph = "10(2)" }, NULL);
    }
    if (rc == 0)
        rc = sv_save(c, &s);
    return rc < 0 ? rc : audit_add(c, m->cancelled ? "survey.cancel" : "survey.move", arena_printf(&c->a, "survey/%lld", (long long)s.id).p, s.number, "ok");
}

static int move_one(struct call *c, int64_t *id)
{
    struct plan_moved m;
    size_t count = 0;
    int rc = schedule_moved(c, false, &m, 1, &count);

    if (rc < 0 || !count)
        return rc;
    *id = m.line.id;
    rc = one_moved(c, &m);
    return rc < 0 ? rc : 1;
}

int sv_pair(struct call *c, struct sv *s)
{
    struct plan_line line;
    int rc;

    if (s->main_id || !s->line_id || !str_eq(s->kind, STR("control")))
        return 0;
    rc = schedule_line(c, s->line_id, &line);
    if (rc < 0 || !line.pair_id)
        return rc == -ENOENT ? 0 : rc;
    rc = db_int(c->d, c->e, 0, &s->main_id, "SELECT id FROM survey WHERE line_id = ?", "i", line.pair_id);
    if (rc == 0 && s->main_id)
        rc = db_exec(c->d, c->e, "UPDATE survey SET main_id = ?2 WHERE id = ?1", "ii", s->id, s->main_id);
    return rc < 0 ? rc : 0;
}

int surveys_tick(struct call *c)
{
    int64_t waiting = 0;   /* looked at before the lock is asked for: mostly there is nothing */
    int taken = 0, moved = 0, ran;
    int rc = db_int(c->d, c->e, 0, &waiting, "SELECT EXISTS (SELECT 1 FROM plan_wait WHERE documents = 0) OR EXISTS (SELECT 1 FROM plan_change WHERE documents = 0)",
                    "");

    if (rc < 0)
        return rc;
    if (waiting) {
        taken = setback_repeat(c, SETBACK_LINE, take_one, TAKE_MOST);
        moved = setback_repeat(c, SETBACK_MOVED, move_one, TAKE_MOST);
    }
    ran = runs_tick(c);
    return taken < 0 ? taken : moved < 0 ? moved : ran < 0 ? ran : taken + moved + ran;
}
