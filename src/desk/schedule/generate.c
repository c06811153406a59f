/* generate.c - "generate": the planner is asked outside of the transaction, what it gives is written in a short one. If the draft was changed in
 * between, nothing is written (-EEXIST "stale"). */
#include "desk/schedule/room.h"

static const char *const why_names[] = { "no_team", "blackout", "no_days", "distance", "no_capacity" };
static_assert(COUNT(why_names) == PLANNER_WHYS, "a name for each reason");

static int ask_of(struct call *c, const struct plan_row *p, const json_t *body, struct gather_ask *ask)
{
    struct str scope = json_get_str(body, "scope");
    int64_t n = 0;
    int rc;

    *ask = (struct gather_ask){ .all = str_eq(scope, STR("all")), .object = json_get_str(body, "object_id") };
    if (ask->all && p->agreed_version)
        return refuse(c, -EINVAL, "bad_request", "scope", "an amendment adds what is missing; lines that were agreed are moved one by one");
    if (!ask->object.n)
        return 0;
    rc = db_int(c->d, c->e, 0, &n, "SELECT count(*) FROM object WHERE id = ?", "t", ask->object);
    return rc < 0 ? rc : n ? 0 : refuse(c, -EINVAL, "bad_request", "object_id", "no such object");
}

int prepare_generate(struct call *c, struct plan_row *p, const json_t *body, void **out)
{
    struct gathered *g = arena_zero(&c->a, sizeof *g);
    struct gather_ask ask;
    int rc = g ? ask_of(c, p, body, &ask) : -ENOMEM;

    *out = g;
    if (rc == 0)
        rc = gather_plan(c, p, &ask, g);
    if (rc < 0)
        return rc;
    g->planner = (struct planner){ .year = &g->year.p, .teams = g->teams, .team_count = g->team_count, .objects = g->objects, .object_count = g->object_count };
    return planner_run(&g->planner);
}

/* --- writing --- */

static int lines_drop(struct call *c, const struct gathered *g)
{
    int rc = 0;

    for (size_t i = 0; rc >= 0 && i < g->drop_count; i++)
        rc = db_exec(c->d, c->e, "DELETE FROM plan_line WHERE id = ? AND draft = 1", "i", g->drop[i]);
    return rc;
}

static int line_insert(struct call *c, const struct plan_row *p, const struct gathered *g, const struct planner_work *w, int64_t id, int64_t pair)
{
    char from[16], to[16];

    return db_exec(c->d, c->e,
                   "INSERT INTO plan_line(id, draft, plan_id, object_id, mode, kind, ordinal, pair_id, from_on, to_on, team_id) VALUES (?,1,?,?,?,?,?,?,?,?,?)",
                   "iitzzimzzm", id, p->id, g->facts[w->object].id, plan_mode_names[w->mode], w->mode == PLAN_DOCUMENT ? "" : w->control ? "control" : "main",
                   (int64_t)w->ordinal, (time_ns)pair, year_text(&g->year, w->from, from), year_text(&g->year, w->to, to),
                   (time_ns)(w->team < 0 ? 0 : g->team_ids[w->team]));
}

/* given_id - the other half of a pair that was there already. */
static int64_t given_id(const struct gathered *g, const struct planner_work *w, bool control)
{
    const struct planner_object *o = &g->objects[w->object];

    for (int i = 0; i < o->given_count; i++)
        if (o->given[i].mode == w->mode && o->given[i].ordinal == w->ordinal && (bool)o->given[i].control == control)
            return g->given_ids[&o->given[i] - g->given];
    return 0;
}

/* works_write - a main work and its control one come one after the other from the planner. */
static int works_write(struct call *c, const struct plan_row *p, const struct gathered *g)
{
    int64_t id = 0;
    int rc = plan_ids(c, (int64_t)g->planner.work_count, &id);

    for (size_t i = 0; rc >= 0 && i < g->planner.work_count; i++, id++) {
        const struct planner_work *w = &g->planner.works[i], *before = i ? w - 1 : NULL;
        int64_t pair = 0;

        if (w->control)
            pair = before && before->object == w->object && before->mode == w->mode && before->ordinal == w->ordinal && !before->control ? id - 1
                                                                                                                                          : given_id(g, w, false);
        rc = line_insert(c, p, g, w, id, pair);
        if (rc >= 0 && !w->control && given_id(g, w, true))
            rc = db_exec(c->d, c->e, "UPDATE plan_line SET pair_id = ? WHERE id = ? AND draft = 1", "ii", id, given_id(g, w, true));
    }
    return rc < 0 ? rc : 0;
}

static int reasons_write(struct call *c, const struct plan_row *p, const struct gathered *g, const struct gathered_object *o)
{
    /* What ends under an agreed plan loses what is not done: how much, no share tells. */
    bool ended = p->agreed_version && o->code && strcmp(o->code, "terminated") == 0;
    char day[16];
    int rc = 0;

    for (int m = 0; rc >= 0 && m < PLAN_MODES && o->code; m++)
        if ((ended ? o->full[m] > 0 : o->share[m] < o->full[m]) && !(o->written & 1u << m))
            rc = db_exec(c->d, c->e, "INSERT INTO plan_reason(plan_id, draft, object_id, mode, code, text) VALUES (?,1,?,?,?,?)", "itzzz", p->id, o->id,
                         plan_mode_names[m], o->code, year_text(&g->year, strcmp(o->code, "terminated") == 0 ? o->until + 1 : o->since, day));
    return rc;
}

static int objects_write(struct call *c, const struct plan_row *p, const struct gathered *g)
{
    char since[16], until[16];
    int rc = db_exec(c->d, c->e, "DELETE FROM plan_object WHERE plan_id = ? AND draft = 1", "i", p->id);

    if (rc >= 0)
        rc = db_exec(c->d, c->e, "DELETE FROM plan_reason WHERE plan_id = ? AND draft = 1 AND code <> 'written'", "i", p->id);
    for (size_t i = 0; rc >= 0 && i < g->object_count; i++) {
        const struct gathered_object *o = &g->facts[i];

        rc = db_exec(c->d, c->e, "INSERT INTO plan_object(plan_id, draft, object_id, works, since_on, until_on, documents) VALUES (?,1,?,?,?,?,nullif(?,-1))",
                     "itizzi", p->id, o->id, (int64_t)o->works, year_text(&g->year, o->since, since), year_text(&g->year, o->until, until), (int64_t)o->documents);
        if (rc >= 0)
            rc = reasons_write(c, p, g, o);
    }
    return rc;
}

/* teams_named - who could do the mode, for the reason "no capacity". */
static json_t *teams_named(const struct gathered *g, int mode)
{
    json_t *names = json_array();

    for (size_t t = 0; t < g->team_count && json_array_size(names) < 5; t++)
        if (g->teams[t].modes & 1u << mode)
            json_array_append_new(names, json_str(g->team_names[t]));
    return names;
}

static int unplaced_write(struct call *c, const struct plan_row *p, const struct gathered *g)
{
    char from[16], to[16];
    int rc = db_exec(c->d, c->e, "DELETE FROM plan_unplaced WHERE plan_id = ?", "i", p->id);

    for (size_t i = 0; rc >= 0 && i < g->planner.unplaced_count; i++) {
        const struct planner_unplaced *u = &g->planner.unplaced[i];
        json_t *args = json_pack("{s:s, s:s, s:o}", "from", year_text(&g->year, u->from, from), "to", year_text(&g->year, u->to, to), "teams",
                                 u->why == WHY_CAPACITY ? teams_named(g, u->mode) : json_array());
        AUTO_FREE char *text = json_dumps(args, JSON_COMPACT | JSON_SORT_KEYS);

        rc = db_exec(c->d, c->e, "INSERT INTO plan_unplaced(plan_id, object_id, mode, kind, ordinal, why, args) VALUES (?,?,?,?,?,?,?)", "itzziz" "z", p->id,
                     g->facts[u->object].id, plan_mode_names[u->mode], u->mode == PLAN_DOCUMENT ? "" : u->control ? "control" : "main", (int64_t)u->ordinal,
                     why_names[u->why], text);
        json_decref(args);
    }
    return rc;
}

int plan_generate(struct call *c, struct plan_row *p, const json_t *body, void *prepared)
{
    const struct gathered *g = prepared;
    int rc = lines_drop(c, g);

    (void)body;
    if (rc >= 0)
        rc = works_write(c, p, g);
    if (rc >= 0)
        rc = objects_write(c, p, g);
    if (rc >= 0)
        rc = unplaced_write(c, p, g);
    p->generated_at = c->now;
    return rc < 0 ? rc : plan_changed(c, p);
}
