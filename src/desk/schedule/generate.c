/* generate.c - "generate": the planner is asked outside of a transaction, what it gives is written in pieces (writing.c). If the draft was changed in
 * between, nothing is written (-EEXIST "stale").
 *
 * What is killed on the way is asked for once more. So lines come first, each useful by itself, then the objects, whose own numbers stay in
 * place until theirs are written; nothing is taken away that the planner would need again. */
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
    if (rc < 0) {
        *out = NULL;
        return rc;
    }
    g->planner = (struct planner){ .year = &g->year.p, .teams = g->teams, .team_count = g->team_count, .objects = g->objects, .object_count = g->object_count };
    return planner_run(&g->planner);
}

void gathered_free(struct gathered *g)
{
    if (g)
        planner_free(&g->planner);
}

/* --- writing --- */

int64_t generate_total(const struct gathered *g)
{
    return (int64_t)(g->drop_count + g->planner.work_count + g->object_count + g->planner.unplaced_count);
}

static int lines_drop(struct writing *w)
{
    int rc = 0;

    for (size_t i = 0; rc >= 0 && i < w->g->drop_count; i++) {
        rc = db_exec(w->c->d, w->c->e, "DELETE FROM plan_line WHERE id = ? AND draft = 1", "i", w->g->drop[i]);
        if (rc >= 0)
            rc = piece_rows(w, 1, 1);
    }
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
static int works_write(struct writing *in)
{
    const struct gathered *g = in->g;
    struct call *c = in->c;
    int64_t id = 0;
    int rc = plan_ids(c, (int64_t)g->planner.work_count, &id);

    for (size_t i = 0; rc >= 0 && i < g->planner.work_count; i++, id++) {
        const struct planner_work *w = &g->planner.works[i], *before = i ? w - 1 : NULL;
        int64_t pair = 0;

        if (w->control)
            pair = before && before->object == w->object && before->mode == w->mode && before->ordinal == w->ordinal && !before->control ? id - 1
                                                                                                                                          : given_id(g, w, false);
        rc = line_insert(c, &in->p, g, w, id, pair);
        if (rc >= 0 && !w->control && given_id(g, w, true))
            rc = db_exec(c->d, c->e, "UPDATE plan_line SET pair_id = ? WHERE id = ? AND draft = 1", "ii", id, given_id(g, w, true));
        if (rc >= 0)
            rc = piece_rows(in, 1, 1);
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

/* objects_gone - those that stand in the draft and are no longer in the plan; theirs is taken with them. */
static int objects_gone(struct writing *w)
{
    struct call *c = w->c;
    size_t n = 0, most = 0;
    struct str *gone = NULL;
    sqlite3_stmt *st = db_query(c->d, c->e, "SELECT object_id FROM plan_object WHERE plan_id = ? AND draft = 1", "i", w->p.id);
    int rc = st ? 0 : -EIO;

    while (st && (rc = db_step(c->d, st, c->e)) > 0) {
        if (gathered_index(w->g, db_str(st, 0)) >= 0)
            continue;
        if (n == most) {
            struct str *more = arena_array(&c->a, most = most ? most * 2 : 64, sizeof *more);

            if (!more) {
                db_done(st);
                return -ENOMEM;
            }
            if (n)
                memcpy(more, gone, n * sizeof *gone);
            gone = more;
        }
        gone[n++] = db_copy(st, 0, &c->a);
    }
    for (size_t i = 0; rc >= 0 && i < n; i++) {
        rc = db_exec(c->d, c->e, "DELETE FROM plan_object WHERE plan_id = ? AND draft = 1 AND object_id = ?", "it", w->p.id, gone[i]);
        if (rc >= 0)
            rc = db_exec(c->d, c->e, "DELETE FROM plan_reason WHERE plan_id = ? AND draft = 1 AND object_id = ? AND code <> 'written'", "it", w->p.id, gone[i]);
        if (rc >= 0)
            rc = piece_rows(w, 1, 1);
    }
    return rc;
}

static int objects_write(struct writing *w)
{
    const struct gathered *g = w->g;
    struct call *c = w->c;
    char since[16], until[16];
    int rc = objects_gone(w);

    for (size_t i = 0; rc >= 0 && i < g->object_count; i++) {
        const struct gathered_object *o = &g->facts[i];

        rc = db_exec(c->d, c->e, "DELETE FROM plan_reason WHERE plan_id = ? AND draft = 1 AND object_id = ? AND code <> 'written'", "it", w->p.id, o->id);
        if (rc >= 0)
            rc = db_exec(c->d, c->e, "INSERT OR REPLACE INTO plan_object(plan_id, draft, object_id, works, since_on, until_on, documents) VALUES (?,1,?,?,?,?,nullif(?,-1))",
                         "itizzi", w->p.id, o->id, (int64_t)o->works, year_text(&g->year, o->since, since), year_text(&g->year, o->until, until), (int64_t)o->documents);
        if (rc >= 0)
            rc = reasons_write(c, &w->p, g, o);
        if (rc >= 0)
            rc = piece_rows(w, 1, 1);
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

/* unplaced_gone - those of the time before, a piece at a time. */
int unplaced_gone(struct writing *w)
{
    int rc;

    while ((rc = db_exec(w->c->d, w->c->e, "DELETE FROM plan_unplaced WHERE id IN (SELECT id FROM plan_unplaced WHERE plan_id = ?1 ORDER BY id LIMIT ?2)", "ii", w->p.id,
                         w->most)) > 0) {
        rc = piece_rows(w, rc, 1);
        if (rc < 0)
            return rc;
    }
    return rc;
}

static int unplaced_write(struct writing *w)
{
    const struct gathered *g = w->g;
    char from[16], to[16];
    int rc = unplaced_gone(w);

    for (size_t i = 0; rc >= 0 && i < g->planner.unplaced_count; i++) {
        const struct planner_unplaced *u = &g->planner.unplaced[i];
        json_t *args = json_pack("{s:s, s:s, s:o}", "from", year_text(&g->year, u->from, from), "to", year_text(&g->year, u->to, to), "teams",
                                 u->why == WHY_CAPACITY ? teams_named(g, u->mode) : json_array());
        AUTO_FREE char *text = json_dumps(args, JSON_COMPACT | JSON_SORT_KEYS);

        rc = db_exec(w->c->d, w->c->e, "INSERT INTO plan_unplaced(plan_id, object_id, mode, kind, ordinal, why, args) VALUES (?,?,?,?,?,?,?)", "itzziz" "z", w->p.id,
                     g->facts[u->object].id, plan_mode_names[u->mode], u->mode == PLAN_DOCUMENT ? "" : u->control ? "control" : "main", (int64_t)u->ordinal,
                     why_names[u->why], text);
        json_decref(args);
        if (rc >= 0)
            rc = piece_rows(w, 1, 1);
    }
    return rc;
}

int generate_pieces(struct writing *w)
{
    int rc = lines_drop(w);

    if (rc >= 0)
        rc = works_write(w);
    if (rc >= 0)
        rc = objects_write(w);
    if (rc >= 0)
        rc = unplaced_write(w);
    return rc < 0 ? rc : 0;
}

/* What the act itself changes: from now on another draft than before. */
int plan_generate(struct call *c, struct plan_row *p, const json_t *body, void *prepared)
{
    (void)body;
    (void)prepared;
    return plan_changed(c, p);
}
