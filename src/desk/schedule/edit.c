/* edit.c - a line by hand: added, moved, given to another team, dropped. What speaks against it is told in words that name the rule; a soft conflict
 * may be accepted with a reason, which stays with the line, a hard one not. */
#include "desk/registry/registry.h"
#include "desk/schedule/room.h"

#define STANDING_NAMED 3    /* works that are named where a team is full */

struct edit {
    struct plan_row   p;
    struct gathered   g;           /* year and teams */
    int64_t           id, team, pair;
    struct str        object, org, mode_name, kind;
    enum plan_mode    mode;
    int               ordinal, from, to, since, until;
    bool              begun, off;  /* off: the work was called off */
    json_t           *problems;    /* owned */
    bool              hard;
};

static void conflict(struct call *c, struct edit *e, bool hard, const char *field, const char *rule, json_t *args)
{
    char key[64];

    snprintf(key, sizeof key, "schedule.rule.%s", rule);
    json_array_append_new(e->problems, json_pack("{s:s, s:s, s:o}", "field", field, "code", rule, "detail", json_str(schedule_say(c, key, args))));
    e->hard = e->hard || hard;
}

/* --- rules --- */

static void check_days(struct call *c, struct edit *e)
{
    const struct planner_year *y = &e->g.year.p;
    char day[16], last[16], today[16];

    if (e->from < 0 || e->to >= y->days || e->to < e->from || e->to - e->from > PLAN_LINE_LONGEST - 1) {
        conflict(c, e, true, "to_on", "year", json_pack("{s:i, s:i}", "year", e->g.year.year, "days", PLAN_LINE_LONGEST));
        return;
    }
    if (e->from < e->since || e->to > e->until)
        conflict(c, e, true, "from_on", "object_time", json_pack("{s:s, s:s}", "from", year_text(&e->g.year, e->since, day), "to", year_text(&e->g.year, e->until, last)));
    for (int i = 0; i < 2; i++) {
        int d = i ? e->to : e->from;
        struct calendar_day k;
        struct err err;

        if (y->worked[d] || (i && e->to == e->from))
            continue;
        struct str name = calendar_day(c->d->setup.world->calendar, e->g.year.first + d, &k, &err) == 0 && k.name ? k.name->text[c->v->lang] : STR("–");
        conflict(c, e, false, i ? "to_on" : "from_on", "non_business", json_pack("{s:s, s:o}", "day", year_text(&e->g.year, d, day), "name", json_str(name)));
    }
    local_date(c->d, c->now, today);
    if (e->from < year_day(&e->g.year, str_c(today)))
        conflict(c, e, false, "from_on", "past", json_pack("{s:s}", "today", today));
}

static int check_blackouts(struct call *c, struct edit *e)
{
    char from[16], to[16];
    sqlite3_stmt *st = db_query(c->d, c->e,
                                "SELECT from_on, to_on, reason FROM blackout WHERE (object_id = ?1 OR org_id = ?2 OR (object_id IS NULL AND org_id IS NULL)) AND from_on <= ?4"
                                " AND to_on >= ?3 ORDER BY from_on, id LIMIT 10",
                                "ttzz", e->object, e->org, year_text(&e->g.year, e->from, from), year_text(&e->g.year, e->to, to));
    int rc = st ? 0 : -EIO;

    while (st && (rc = db_step(c->d, st, c->e)) > 0)
        conflict(c, e, false, "from_on", "blackout", json_pack("{s:o, s:o, s:o}", "from", db_json(st, 0), "to", db_json(st, 1), "reason", db_json(st, 2)));
    return rc;
}

static int team_at(const struct edit *e)
{
    for (size_t t = 0; t < e->g.team_count; t++)
        if (e->g.team_ids[t] == e->team)
            return (int)t;
    return -1;
}

/* What a team has to do around the line. */
struct occupied {
    int        on[PLAN_DAYS], week[PLAN_WEEKS];
    struct str names[PLAN_DAYS];
};

static int occupied_read(struct call *c, const struct edit *e, struct occupied *o)
{
    char early[16], late[16];
    sqlite3_stmt *st = db_query(c->d, c->e,
                                "SELECT l.from_on, l.to_on, o.name FROM plan_line l JOIN object o ON o.id = l.object_id WHERE l.team_id = ? AND l.draft = 1 AND l.plan_id = ?"
                                " AND l.id <> ? AND l.from_on >= ? AND l.from_on <= ? ORDER BY l.from_on, l.id",
                                "iiizz", e->team, e->p.id, e->id, year_text(&e->g.year, e->from - PLAN_LINE_LONGEST - 7, early), year_text(&e->g.year, e->to + 7, late));
    int rc = st ? 0 : -EIO;

    while (st && (rc = db_step(c->d, st, c->e)) > 0) {
        int from = year_day(&e->g.year, db_str(st, 0)), to = year_day(&e->g.year, db_str(st, 1));
        struct str name = db_copy(st, 2, &c->a);

        for (int d = from < 0 ? 0 : from; d <= to && d < e->g.year.p.days; d++) {
            if (!e->g.year.p.worked[d])
                continue;
            o->week[planner_week(&e->g.year.p, d)]++;
            if (o->on[d]++ < STANDING_NAMED)
                o->names[d] = o->names[d].n ? arena_printf(&c->a, "%.*s, %.*s", STR_ARG(o->names[d]), STR_ARG(name)) : name;
        }
    }
    return rc;
}

static int check_capacity(struct call *c, struct edit *e)
{
    int at = team_at(e), week = -1, need = 0, rc;
    struct occupied *o = arena_zero(&c->a, sizeof *o);
    char day[16];

    if (at < 0) {
        conflict(c, e, e->team != 0, "team_id", e->team ? "team_unknown" : "team_none", NULL);
        return 0;
    }
    const struct planner_team *t = &e->g.teams[at];

    if (!(t->modes & 1u << e->mode))
        conflict(c, e, true, "team_id", "team_mode", json_pack("{s:o}", "team", json_str(e->g.team_names[at])));
    rc = o ? occupied_read(c, e, o) : -ENOMEM;
    for (int d = e->from; rc == 0 && d <= e->to; d++) {
        if (!e->g.year.p.worked[d])
            continue;
        if (t->at_once[d] >= 0 && o->on[d] >= t->at_once[d]) {
            conflict(c, e, false, "team_id", t->at_once[d] ? "capacity" : "absent",
                     json_pack("{s:o, s:s, s:i, s:o}", "team", json_str(e->g.team_names[at]), "day", year_text(&e->g.year, d, day), "most", (int)t->at_once[d], "standing",
                               json_str(o->names[d].n ? o->names[d] : STR("–"))));
            return 0;   /* one day says it */
        }
        if (planner_week(&e->g.year.p, d) != week) {
            week = planner_week(&e->g.year.p, d);
            need = 0;
        }
        need++;
        if (t->days_week && o->week[week] + need > t->days_week) {
            conflict(c, e, false, "team_id", "week", json_pack("{s:o, s:s, s:i}", "team", json_str(e->g.team_names[at]), "day", year_text(&e->g.year, d, day), "most", t->days_week));
            return 0;
        }
    }
    return rc;
}

static void check_distance(struct call *c, struct edit *e, int main_to, int control_from)
{
    int earliest = main_to >= 0 && main_to < PLAN_DAYS ? e->g.year.p.earliest[e->mode][main_to] : PLAN_NEVER;
    char day[16], last[16];

    if (control_from <= main_to)
        conflict(c, e, true, "from_on", "order", json_pack("{s:s}", "main", year_text(&e->g.year, main_to, last)));
    else if (control_from < earliest)
        conflict(c, e, false, "from_on", earliest < PLAN_DAYS ? "distance" : "distance_year",
                 json_pack("{s:s, s:s}", "main", year_text(&e->g.year, main_to, last), "earliest", year_text(&e->g.year, earliest < PLAN_DAYS ? earliest : 0, day)));
}

static int check_pair(struct call *c, struct edit *e)
{
    bool control = str_eq(e->kind, STR("control"));
    /* A new main one belongs to the control one of its number that lost its own: add() joins them. */
    sqlite3_stmt *st = !control && !e->id
                         ? db_query(c->d, c->e, "SELECT from_on, to_on FROM plan_line WHERE plan_id = ? AND draft = 1 AND object_id = ? AND mode = ? AND kind = 'control' AND ordinal = ? AND"
                                                " pair_id IS NULL LIMIT 1", "itti", e->p.id, e->object, e->mode_name, (int64_t)e->ordinal)
                         : db_query(c->d, c->e, "SELECT from_on, to_on FROM plan_line WHERE draft = 1 AND iif(?1 = 1, id = ?2, pair_id = ?3) LIMIT 1", "iii", (int64_t)control,
                                    e->pair, e->id);
    int rc = st ? db_step(c->d, st, c->e) : -EIO;

    if (rc <= 0)
        return rc;
    int from = year_day(&e->g.year, db_str(st, 0)), to = year_day(&e->g.year, db_str(st, 1));
    db_done(st);
    if (control)
        check_distance(c, e, to, e->from);
    else
        check_distance(c, e, e->to, from);
    return 0;
}

static int check_all(struct call *c, struct edit *e)
{
    int rc;

    if (e->begun || e->off) {
        conflict(c, e, true, "from_on", e->begun ? "begun" : "called_off", NULL);
        return 0;
    }
    check_days(c, e);
    if (e->hard)
        return 0;
    rc = check_blackouts(c, e);
    if (rc == 0)
        rc = check_capacity(c, e);
    if (rc == 0 && e->mode != PLAN_DOCUMENT)
        rc = check_pair(c, e);
    return rc;
}

/* judge - 0 if nothing speaks against it, or only what the body accepts with a reason. */
static int judge(struct call *c, struct edit *e, const json_t *body)
{
    struct str reason = str_trim(json_get_str(body, "reason"));
    size_t n = json_array_size(e->problems);

    if (n == 0 || (!e->hard && json_is_true(json_object_get(body, "accept")) && reason.n))
        return 0;
    c->r->problems = json_incref(e->problems);
    if (e->hard)
        return refuse(c, -EINVAL, "schedule_refused", json_string_value(json_object_get(json_array_get(e->problems, 0), "field")), "%zu rules speak against the line", n);
    return refuse(c, -EEXIST, "schedule_conflict", NULL, "%zu conflicts are to be accepted with a reason", n);
}

/* --- the line in hand --- */

static int edit_plan(struct call *c, struct edit *e, int64_t plan)
{
    int rc = role_of_centre(c->v->role) ? plan_load(c, plan, &e->p) : refuse(c, -EACCES, "forbidden", NULL, "%s may not edit a plan", desk_role_name(c->v->role));

    if (rc == 0 && !e->p.state->drafting)
        rc = refuse(c, -EPROTO, "wrong_state", NULL, "a plan in state %s is not edited", e->p.state->name);
    if (rc == 0)
        rc = plan_whole(c, &e->p);
    if (rc == 0)
        rc = plan_year(c, e->p.year, &e->g.year);
    if (rc == 0)
        rc = gather_teams(c, &e->g);
    return rc;
}

/* edit_object - its time in the plan, and its organisation. */
static int edit_object(struct call *c, struct edit *e)
{
    sqlite3_stmt *st = db_query(c->d, c->e,
                                "SELECT o.org_id, x.since_on, x.until_on FROM plan_object x JOIN object o ON o.id = x.object_id WHERE x.plan_id = ? AND x.draft = 1 AND"
                                " x.object_id = ?",
                                "it", e->p.id, e->object);
    int rc = st ? db_step(c->d, st, c->e) : -EIO;

    if (rc < 0)
        return rc;
    if (rc == 0)
        return refuse(c, -EINVAL, "bad_request", "object_id", "the object is not in the draft: generate what is missing first");
    e->org = db_copy(st, 0, &c->a);
    e->since = year_day(&e->g.year, db_str(st, 1));
    e->until = year_day(&e->g.year, db_str(st, 2));
    db_done(st);
    return 0;
}

static int edit_line(struct call *c, struct edit *e, struct str line)
{
    sqlite3_stmt *st = db_query(c->d, c->e,
                                "SELECT l.id, l.object_id, l.mode, l.kind, l.ordinal, coalesce(l.pair_id, 0), l.from_on, l.to_on, coalesce(l.team_id, 0),"
                                " coalesce(w.state IN ('in_progress','completed'), 0), coalesce(w.state = 'cancelled', 0) FROM plan_line l LEFT JOIN plan_work w ON w.line_id = l.id WHERE"
                                " l.id = ? AND l.draft ="
                                " 1 AND l.plan_id = ?",
                                "ii", parse_id(line), e->p.id);
    int rc = st ? db_step(c->d, st, c->e) : -EIO;

    if (rc < 0)
        return rc;
    if (rc == 0)
        return refuse(c, -ENOENT, "not_found", NULL, "no such line in the draft");
    e->id = sqlite3_column_int64(st, 0);
    e->object = db_copy(st, 1, &c->a);
    e->mode_name = db_copy(st, 2, &c->a);
    e->mode = plan_mode_parse(e->mode_name);
    e->kind = db_copy(st, 3, &c->a);
    e->ordinal = sqlite3_column_int(st, 4);
    e->pair = sqlite3_column_int64(st, 5);
    e->from = year_day(&e->g.year, db_str(st, 6));
    e->to = year_day(&e->g.year, db_str(st, 7));
    e->team = sqlite3_column_int64(st, 8);
    e->begun = sqlite3_column_int(st, 9);
    e->off = sqlite3_column_int(st, 10);
    db_done(st);
    return edit_object(c, e);
}

/* edit_days - what the body says of days and team; without a last day the work takes what its mode takes. */
static int edit_days(struct call *c, struct edit *e, const json_t *body)
{
    struct str from = json_get_str(body, "from_on"), to = json_get_str(body, "to_on");
    const json_t *team = json_object_get(body, "team_id");

    if (from.n)
        e->from = year_day(&e->g.year, from);
    if (to.n)
        e->to = year_day(&e->g.year, to);
    else if (from.n) {
        int start = e->from;

        while (start >= 0 && start < e->g.year.p.days && !e->g.year.p.worked[start])
            start++;
        e->to = planner_end(&e->g.year.p, e->g.year.p.takes[e->mode], start);
    }
    if (team)
        e->team = json_is_null(team) ? 0 : parse_id(json_get_str(body, "team_id"));
    return 0;
}

static const char *const modes[] = { "pentest_auto", "update_config", "source_code", "pentest_manual", "document", NULL };
static const char *const kinds[] = { "main", "control", "", NULL };

#define DAY_FIELDS                                                                                                                                       \
    { "to_on", BODY_DATE, false, true, 0, 0, NULL, NULL, 0 }, { "team_id", BODY_STRING, false, true, 1, 24, NULL, NULL, 0 },                             \
        { "fixed", BODY_BOOL, false, false, 0, 0, NULL, NULL, 0 }, { "accept", BODY_BOOL, false, false, 0, 0, NULL, NULL, 0 },                           \
    {                                                                                                                                                    \
        "reason", BODY_TEXT, false, true, 0, PLAN_REASON_MAX, NULL, NULL, 0                                                                              \
    }
static const struct body_field add_fields[] = {
    { "object_id", BODY_STRING, true, false, 1, ID_MAX, NULL, NULL, 0 }, { "mode", BODY_ENUM, true, false, 0, 0, modes, NULL, 0 },
    { "kind", BODY_ENUM, true, false, 0, 0, kinds, NULL, 0 },            { "from_on", BODY_DATE, true, false, 0, 0, NULL, NULL, 0 },
    DAY_FIELDS,
};
static const struct body_field change_fields[] = { { "from_on", BODY_DATE, false, false, 0, 0, NULL, NULL, 0 }, DAY_FIELDS };
static const struct body_field drop_fields[] = { { "reason", BODY_TEXT, false, true, 0, PLAN_REASON_MAX, NULL, NULL, 0 } };

/* --- writing --- */

static int noted(struct call *c, struct edit *e, const char *action)
{
    int rc = plan_changed(c, &e->p);

    if (rc == 0)
        rc = plan_save(c, &e->p);
    if (rc < 0)
        return rc;
    return audit_add(c, action, arena_printf(&c->a, "plan/%lld", (long long)e->p.id).p,
                     arena_printf(&c->a, "%.*s %.*s %.*s %d", STR_ARG(e->object), STR_ARG(e->mode_name), STR_ARG(e->kind), e->ordinal), "ok");
}

/* add_place - which one it is: the first number that is free; a control one belongs to the first main one without. */
static int add_place(struct call *c, struct edit *e)
{
    bool control = str_eq(e->kind, STR("control"));
    sqlite3_stmt *st;
    int rc;

    if ((e->mode == PLAN_DOCUMENT) != (e->kind.n == 0))
        return refuse(c, -EINVAL, "bad_request", "kind", "main or control; empty for documents");
    if (control) {
        st = db_query(c->d, c->e,
                      "SELECT m.ordinal, m.id FROM plan_line m WHERE m.plan_id = ? AND m.draft = 1 AND m.object_id = ? AND m.mode = ? AND m.kind = 'main' AND NOT EXISTS"
                      " (SELECT 1 FROM plan_line k WHERE k.pair_id = m.id AND k.draft = 1) ORDER BY m.ordinal LIMIT 1",
                      "itt", e->p.id, e->object, e->mode_name);
        rc = st ? db_step(c->d, st, c->e) : -EIO;
        if (rc == 0)
            return refuse(c, -EINVAL, "bad_request", "kind", "every main survey of this mode has its control one");
        if (rc > 0) {
            e->ordinal = sqlite3_column_int(st, 0);
            e->pair = sqlite3_column_int64(st, 1);
            db_done(st);
        }
        return rc < 0 ? rc : 0;
    }
    st = db_query(c->d, c->e, "SELECT ordinal FROM plan_line WHERE plan_id = ? AND draft = 1 AND object_id = ? AND mode = ? AND kind = ? ORDER BY ordinal", "ittt", e->p.id,
                  e->object, e->mode_name, e->kind);
    e->ordinal = 1;
    rc = st ? 0 : -EIO;
    while (st && (rc = db_step(c->d, st, c->e)) > 0)
        e->ordinal += sqlite3_column_int(st, 0) == e->ordinal;
    if (rc == 0 && e->ordinal > PLAN_COUNT_MAX)
        rc = refuse(c, -EINVAL, "bad_request", "mode", "more than %d of one mode", PLAN_COUNT_MAX);
    return rc;
}

static int add(struct call *c, struct edit *e, int64_t plan, const json_t *body)
{
    char from[16], to[16];
    int rc = edit_plan(c, e, plan);

    e->object = json_get_str(body, "object_id");
    e->mode_name = json_get_str(body, "mode");
    e->mode = plan_mode_parse(e->mode_name);
    e->kind = json_get_str(body, "kind");
    if (rc == 0)
        rc = edit_object(c, e);
    if (rc == 0)
        rc = add_place(c, e);
    if (rc == 0)
        rc = edit_days(c, e, body);
    if (rc == 0)
        rc = check_all(c, e);
    if (rc == 0)
        rc = judge(c, e, body);
    if (rc == 0)
        rc = plan_ids(c, 1, &e->id);
    if (rc == 0)
        rc = db_exec(c->d, c->e,
                     "INSERT INTO plan_line(id, draft, plan_id, object_id, mode, kind, ordinal, pair_id, from_on, to_on, team_id, fixed, reason) VALUES"
                     " (?,1,?,?,?,?,?,?,?,?,?,?,?)",
                     "iitttimzzmit", e->id, e->p.id, e->object, e->mode_name, e->kind, (int64_t)e->ordinal, (time_ns)e->pair, year_text(&e->g.year, e->from, from),
                     year_text(&e->g.year, e->to, to), (time_ns)e->team, (int64_t)!json_is_false(json_object_get(body, "fixed")), str_trim(json_get_str(body, "reason")).n ? json_get_str(body, "reason") : STR(""));
    if (rc >= 0)
        rc = db_exec(c->d, c->e, "DELETE FROM plan_unplaced WHERE plan_id = ? AND object_id = ? AND mode = ? AND kind = ? AND ordinal = ?", "ittti", e->p.id, e->object,
                     e->mode_name, e->kind, (int64_t)e->ordinal);
    if (rc >= 0 && str_eq(e->kind, STR("main")))
        rc = db_exec(c->d, c->e,
                     "UPDATE plan_line SET pair_id = ?1 WHERE plan_id = ?2 AND draft = 1 AND object_id = ?3 AND mode = ?4 AND kind = 'control' AND ordinal = ?5 AND pair_id IS"
                     " NULL",
                     "iitti", e->id, e->p.id, e->object, e->mode_name, (int64_t)e->ordinal);
    return rc < 0 ? rc : noted(c, e, "schedule.line_add");
}

static int change(struct call *c, struct edit *e, int64_t plan, struct str line, const json_t *body)
{
    struct str reason = str_trim(json_get_str(body, "reason"));
    char from[16], to[16];
    int rc = edit_plan(c, e, plan);

    if (rc == 0)
        rc = edit_line(c, e, line);
    if (rc == 0)
        rc = edit_days(c, e, body);
    if (rc == 0)
        rc = check_all(c, e);
    if (rc == 0)
        rc = judge(c, e, body);
    if (rc == 0)
        rc = db_exec(c->d, c->e, "UPDATE plan_line SET from_on = ?2, to_on = ?3, team_id = ?4, fixed = ?5, reason = ?6 WHERE id = ?1 AND draft = 1", "izzmit", e->id,
                     year_text(&e->g.year, e->from, from), year_text(&e->g.year, e->to, to), (time_ns)e->team, (int64_t)!json_is_false(json_object_get(body, "fixed")),
                     reason.n ? reason : STR(""));
    return rc < 0 ? rc : noted(c, e, "schedule.line_change");
}

static int drop(struct call *c, struct edit *e, int64_t plan, struct str line)
{
    int rc = edit_plan(c, e, plan);

    if (rc == 0)
        rc = edit_line(c, e, line);
    if (rc == 0 && e->begun) {
        conflict(c, e, true, "line", "begun", NULL);
        rc = judge(c, e, NULL);
    }
    if (rc == 0)
        rc = db_exec(c->d, c->e, "UPDATE plan_line SET pair_id = NULL WHERE pair_id = ? AND draft = 1", "i", e->id);
    if (rc >= 0)
        rc = db_exec(c->d, c->e, "DELETE FROM plan_line WHERE id = ? AND draft = 1", "i", e->id);
    return rc < 0 ? rc : noted(c, e, "schedule.line_drop");
}

/* edited - one of the three in its transaction; the answer is the line, or nothing of a dropped one. */
static int edited(struct call *c, const char *action, struct str id, struct str line, const json_t *body, const struct body_field *fields, size_t count, bool gone)
{
    struct edit *e = arena_zero(&c->a, sizeof *e);
    int64_t plan = parse_id(id);
    int rc = e ? body_check(body, fields, count, c->r->field, c->e) : -ENOMEM;

    if (rc == 0)
        rc = db_begin(c->d, c->e);
    if (rc == 0) {
        e->problems = json_array();
        rc = gone ? drop(c, e, plan, line) : line.n ? change(c, e, plan, line, body) : add(c, e, plan, body);
        json_decref(e->problems);
        rc = db_end(c->d, rc, c->e);
    }
    if (rc == -EACCES)
        audit_refusal(c, action, "plan");
    if (rc == 0 && !gone) {
        struct schedule_query q = { .draft = 1, .object = e->object, .limit = DESK_LIMIT_MAX };

        rc = desk_schedule_lines(c->d, c->v, id, &q, c->now, c->r);
        json_t *all = c->r->json, *one;
        size_t i;

        c->r->json = NULL;
        json_array_foreach(json_object_get(all, "items"), i, one)
            if (parse_id(json_get_str(one, "id")) == e->id)
                c->r->json = json_incref(one);
        json_decref(all);
    }
    return rc;
}

int desk_schedule_line_add(struct desk *d, const struct viewer *v, struct str id, const json_t *body, time_ns now, struct desk_reply *r)
{
    struct call c;
    int rc;

    desk_call_init(&c, d, v, now, r);
    rc = edited(&c, "schedule.line_add", id, STR(""), body, add_fields, COUNT(add_fields), false);
    desk_call_free(&c);
    return refuse_rc(r, rc);
}

int desk_schedule_line_change(struct desk *d, const struct viewer *v, struct str id, struct str line, const json_t *body, time_ns now, struct desk_reply *r)
{
    struct call c;
    int rc;

    desk_call_init(&c, d, v, now, r);
    rc = edited(&c, "schedule.line_change", id, line, body, change_fields, COUNT(change_fields), false);
    desk_call_free(&c);
    return refuse_rc(r, rc);
}

int desk_schedule_line_drop(struct desk *d, const struct viewer *v, struct str id, struct str line, const json_t *body, time_ns now, struct desk_reply *r)
{
    json_t *empty = json_object();
    struct call c;
    int rc;

    desk_call_init(&c, d, v, now, r);
    rc = edited(&c, "schedule.line_drop", id, line, body ? body : empty, drop_fields, COUNT(drop_fields), true);
    json_decref(empty);
    desk_call_free(&c);
    return refuse_rc(r, rc);
}
