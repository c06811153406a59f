/* gather.c - what the planner is asked: the objects of the registry with what each is owed, their closed days, the teams with what they can, and the
 * lines that stay. Read before the transaction that writes the plan. */
#include "desk/registry/registry.h"
#include "desk/schedule/room.h"

int plan_year(struct call *c, int year, struct schedule_year *out)
{
    int rc = schedule_year_make(c->d->setup.world, c->d->setup.node->content, year, out, c->e);

    return rc == -ENODATA ? refuse(c, -EINVAL, "no_calendar", "year", "the calendar of working days has no year %d", year) : rc;
}

/* --- teams --- */

static unsigned modes_of(struct str words)
{
    unsigned bits = 0;
    struct str one;

    while (str_split(&words, ' ', &one))
        if (plan_mode_parse(one) < PLAN_MODES)
            bits |= 1u << plan_mode_parse(one);
    return bits;
}

static int absences(struct call *c, struct gathered *g, size_t team)
{
    sqlite3_stmt *st = db_query(c->d, c->e, "SELECT from_on, to_on, less FROM team_absence WHERE team_id = ? ORDER BY from_on, id", "i", g->team_ids[team]);
    int rc = st ? 0 : -EIO;

    while (st && (rc = db_step(c->d, st, c->e)) > 0) {
        int from = year_day(&g->year, db_str(st, 0)), to = year_day(&g->year, db_str(st, 1)), less = sqlite3_column_int(st, 2);

        for (int d = from < 0 ? 0 : from; d <= to && d < PLAN_DAYS; d++) {
            int16_t *n = &g->teams[team].at_once[d];

            if (less == 0 || (*n >= 0 && *n < less))
                *n = 0;
            else if (*n > 0)
                *n = (int16_t)(*n - less);
        }
    }
    return rc;
}

int gather_teams(struct call *c, struct gathered *g)
{
    sqlite3_stmt *st = db_query(c->d, c->e, "SELECT id, name, at_once, days_week, modes FROM team WHERE active = 1 ORDER BY id LIMIT ?", "i", (int64_t)PLAN_TEAMS_MAX);
    int rc = st ? 0 : -EIO;

    g->teams = arena_array(&c->a, PLAN_TEAMS_MAX, sizeof *g->teams);
    g->team_ids = arena_array(&c->a, PLAN_TEAMS_MAX, sizeof *g->team_ids);
    g->team_names = arena_array(&c->a, PLAN_TEAMS_MAX, sizeof *g->team_names);
    if (!g->teams || !g->team_ids || !g->team_names)
        return -ENOMEM;
    while (st && (rc = db_step(c->d, st, c->e)) > 0) {
        struct planner_team *t = &g->teams[g->team_count];
        int at_once = sqlite3_column_int(st, 2);

        *t = (struct planner_team){ .modes = modes_of(db_str(st, 4)), .days_week = sqlite3_column_int(st, 3) };
        for (int d = 0; d < PLAN_DAYS; d++)
            t->at_once[d] = (int16_t)(at_once ? at_once : -1);
        g->team_ids[g->team_count] = sqlite3_column_int64(st, 0);
        g->team_names[g->team_count++] = db_copy(st, 1, &c->a);
    }
    for (size_t t = 0; rc >= 0 && t < g->team_count; t++)
        rc = absences(c, g, t);
    return rc < 0 ? rc : 0;
}

/* --- objects --- */

/* part_of - n a year for so many of its days, to the nearest, as duty_plan rounds. */
static int part_of(int n, int days, int of) { return days <= 0 ? 0 : (int)(((int64_t)n * days * 2 + of) / (of * 2)); }

int gather_counts(struct call *c, const struct plan_row *p, const struct schedule_year *y, struct gathered_object *o)
{
    const struct duty_world *w = c->d->setup.world;
    const struct edition *ed = duty_edition(w, p->edition);
    int days = o->until - o->since + 1;

    for (int m = 0; m < PLAN_MODES; m++) {
        const struct obligation *f = plan_mode_frequency[m] && ed ? edition_obligation(ed, str_c(plan_mode_frequency[m])) : NULL;
        struct duty_result r;

        o->full[m] = o->share[m] = 0;
        if (m == PLAN_DOCUMENT)
            o->full[m] = o->works & WT_OPERATION ? o->documents >= 0 ? o->documents : p->documents : 0;
        else if (!f)
            return err_set(c->e, -ENOTSUP, "the edition %.*s has no %s", STR_ARG(p->edition), plan_mode_frequency[m]);
        else if (o->works & WT_PROTECTION) {
            int rc = duty_plan(w, f, y->year, y->first, &r, c->e);

            if (rc < 0)
                return rc;
            o->full[m] = r.main;
        }
        o->share[m] = days >= y->p.days ? o->full[m] : part_of(o->full[m], days, y->p.days);
    }
    return 0;
}

/* One row of the registry, and of the draft where the object stands in it already. */
struct candidate {
    struct str id, org, since_on;   /* since_on: of the draft; empty: it is not in it */
    json_t    *value;
    bool       active, listed;
    int        documents;
};

static bool is_listed(struct str state)
{
    static const char *const states[] = { "listed", "scheduled", "onboarding", "monitored", "information_requested", NULL };

    return value_known(states, state);
}

/* judge - is the object owed anything in this year, and from when until when? False: it is not in the plan. */
static bool judge(struct call *c, const struct plan_row *p, const struct schedule_year *y, const struct candidate *k, struct gathered_object *o)
{
    struct str since_on = json_get_str(k->value, "commissioned_on"), until_on = json_get_str(k->value, "terminated_on");
    int begin = year_day(y, p->from_on), since = since_on.n ? year_day(y, since_on) : 0, put = since, until = until_on.n ? year_day(y, until_on) - 1 : y->p.days - 1;
    char today[16], day[16];

    local_date(c->d, c->now, today);
    int now = year_day(y, str_c(today));
    *o = (struct gathered_object){ .id = k->id, .works = works_of(k->value), .documents = k->documents };
    begin = begin < 0 ? 0 : begin;
    if (k->since_on.n && p->agreed_version) {
        since = year_day(y, k->since_on);
    } else if (p->agreed_version && (since <= now || since <= begin)) {
        since = now + y->policy.lead_days > begin ? now + y->policy.lead_days : begin;
        o->code = "entered";
    } else if (since <= begin) {
        since = begin;
        o->code = "begun";
    } else
        o->code = "commissioned";
    if (k->since_on.n && p->agreed_version)   /* as it was found then: put into operation on that day, or later in the list than in operation */
        o->code = since <= begin ? "begun" : put == since ? "commissioned" : "entered";
    struct object_facts facts = facts_of(k->value, year_text(y, since < 0 ? 0 : since > y->p.days - 1 ? y->p.days - 1 : since, day));
    bool in = k->active && k->listed && regime_monitored(regime_of(&facts)) && (o->works & (WT_PROTECTION | WT_OPERATION));

    if (!in && !(k->since_on.n && p->agreed_version))
        return false;
    if (!in && now - 1 < until && !until_on.n)
        until = now - 1;
    o->since = since < 0 ? 0 : since;
    o->until = until > y->p.days - 1 ? y->p.days - 1 : until;
    if (o->until < y->p.days - 1)
        o->code = "terminated";
    else if (o->since == 0)
        o->code = NULL;
    return o->since < y->p.days && (o->until >= o->since || k->since_on.n);
}

static int candidate_read(struct call *c, sqlite3_stmt *st, struct candidate *k)
{
    struct str json = db_str(st, 2);

    *k = (struct candidate){ .id = db_copy(st, 0, &c->a), .org = db_copy(st, 1, &c->a), .since_on = sqlite3_column_type(st, 5) == SQLITE_NULL ? STR("") : db_copy(st, 5, &c->a),
                             .active = sqlite3_column_int(st, 3), .listed = is_listed(db_str(st, 4)),
                             .documents = sqlite3_column_type(st, 6) == SQLITE_NULL ? -1 : sqlite3_column_int(st, 6) };
    k->value = json_loadb(json.p, json.n, 0, NULL);
    return k->value ? 0 : err_set(c->e, -EIO, "the record of an object cannot be read");
}

/* A blackout of all, of an organisation or of an object. */
struct closing { struct str object, org; int from, to; };

static int closings(struct call *c, const struct schedule_year *y, struct closing **out, size_t *count)
{
    char first[16], last[16];
    size_t most = 64;
    sqlite3_stmt *st = db_query(c->d, c->e, "SELECT object_id, org_id, from_on, to_on FROM blackout WHERE from_on <= ? AND to_on >= ? ORDER BY id", "zz",
                                year_text(y, y->p.days - 1, last), year_text(y, 0, first));
    int rc = st ? 0 : -EIO;

    *out = arena_array(&c->a, most, sizeof **out);
    *count = 0;
    while (st && *out && (rc = db_step(c->d, st, c->e)) > 0) {
        if (*count == most) {
            struct closing *more = arena_array(&c->a, most * 2, sizeof *more);

            if (!more)
                return -ENOMEM;
            memcpy(more, *out, most * sizeof *more);
            *out = more;
            most *= 2;
        }
        (*out)[(*count)++] = (struct closing){ db_copy(st, 0, &c->a), db_copy(st, 1, &c->a), year_day(y, db_str(st, 2)), year_day(y, db_str(st, 3)) };
    }
    return rc;
}

static void days_close(struct day_set *s, const struct closing *k)
{
    for (int d = k->from < 0 ? 0 : k->from; d <= k->to && d < PLAN_DAYS; d++)
        day_add(s, d);
}

/* closed_of - the closed days of an object; the set of all where it has none of its own. */
static const struct day_set *closed_of(struct call *c, const struct closing *list, size_t count, const struct day_set *all, struct str object, struct str org)
{
    struct day_set *own = NULL;

    for (size_t i = 0; i < count; i++) {
        bool mine = (list[i].object.n && str_eq(list[i].object, object)) || (list[i].org.n && str_eq(list[i].org, org));

        if (!mine)
            continue;
        if (!own) {
            own = arena_alloc(&c->a, sizeof *own);
            if (!own)
                return NULL;
            *own = *all;
        }
        days_close(own, &list[i]);
    }
    return own ? own : all;
}

int gather_objects(struct call *c, const struct plan_row *p, struct gathered *g)
{
    struct day_set *all = arena_zero(&c->a, sizeof *all);
    struct closing *list = NULL;
    size_t count = 0, most = 4096;
    int rc = closings(c, &g->year, &list, &count);

    if (rc < 0 || !all)
        return rc < 0 ? rc : -ENOMEM;
    for (size_t i = 0; i < count; i++)
        if (!list[i].object.n && !list[i].org.n)
            days_close(all, &list[i]);
    g->objects = arena_array(&c->a, most, sizeof *g->objects);
    g->facts = arena_array(&c->a, most, sizeof *g->facts);
    sqlite3_stmt *st = db_query(c->d, c->e,
                                "SELECT o.id, o.org_id, r.json, o.active, o.state, x.since_on, x.documents FROM object o JOIN record r ON r.kind = 'object' AND"
                                " r.id = o.id LEFT JOIN plan_object x ON x.plan_id = ?1 AND x.draft = 1 AND x.object_id = o.id ORDER BY o.id",
                                "i", p->id);
    rc = st && g->objects && g->facts ? 0 : -EIO;
    while (rc >= 0 && (rc = db_step(c->d, st, c->e)) > 0) {
        struct candidate k;
        struct gathered_object o;

        rc = candidate_read(c, st, &k);
        if (rc == 0 && judge(c, p, &g->year, &k, &o) && (rc = gather_counts(c, p, &g->year, &o)) == 0) {
            if (g->object_count == most) {
                struct planner_object *more = arena_array(&c->a, most * 2, sizeof *more);
                struct gathered_object *facts = arena_array(&c->a, most * 2, sizeof *facts);

                if (!more || !facts || most * 2 > 2 * PLAN_OBJECTS_MAX) {
                    json_decref(k.value);
                    db_done(st);
                    return err_set(c->e, -E2BIG, "more than %d objects in a plan", PLAN_OBJECTS_MAX);
                }
                memcpy(more, g->objects, most * sizeof *more);
                memcpy(facts, g->facts, most * sizeof *facts);
                g->objects = more;
                g->facts = facts;
                most *= 2;
            }
            g->facts[g->object_count] = o;
            g->objects[g->object_count++] = (struct planner_object){ .since = o.since, .until = o.until, .closed = closed_of(c, list, count, all, k.id, k.org) };
        }
        json_decref(k.value);
    }
    if (rc < 0 && st)
        db_done(st);
    return rc;
}

/* --- lines that are there --- */

int64_t gathered_index(const struct gathered *g, struct str object)
{
    size_t lo = 0, hi = g->object_count;

    while (lo < hi) {
        size_t mid = (lo + hi) / 2;
        int cmp = str_cmp(g->facts[mid].id, object);

        if (cmp == 0)
            return (int64_t)mid;
        if (cmp < 0)
            lo = mid + 1;
        else
            hi = mid;
    }
    return -1;
}

static int team_index(const struct gathered *g, int64_t id)
{
    for (size_t t = 0; t < g->team_count; t++)
        if (g->team_ids[t] == id)
            return (int)t;
    return -1;
}

int gather_written(struct call *c, const struct plan_row *p, struct gathered *g)
{
    sqlite3_stmt *st = db_query(c->d, c->e, "SELECT object_id, mode FROM plan_reason WHERE plan_id = ? AND draft = 1 AND code = 'written'", "i", p->id);
    int rc = st ? 0 : -EIO;

    while (st && (rc = db_step(c->d, st, c->e)) > 0) {
        int64_t at = gathered_index(g, db_str(st, 0));

        if (at >= 0)
            g->facts[at].written |= 1u << plan_mode_parse(db_str(st, 1));
    }
    return rc;
}

/* line_stays - of a line of the draft: done or begun works always; what is outside its object's time never; else by what is asked. */
static bool line_stays(const struct gathered *g, const struct plan_row *p, const struct gather_ask *ask, sqlite3_stmt *st, int64_t object)
{
    bool fixed = sqlite3_column_int(st, 9), begun = sqlite3_column_int(st, 10), taken = sqlite3_column_int(st, 11);

    if (begun)
        return true;
    if (object < 0 || year_day(&g->year, db_str(st, 5)) > g->facts[object].until)
        return false;
    if (fixed || (p->agreed_version && taken) || (ask->object.n && !str_eq(ask->object, db_str(st, 1))))
        return true;
    return !ask->all && !ask->object.n;
}

static int gather_lines(struct call *c, const struct plan_row *p, const struct gather_ask *ask, struct gathered *g)
{
    int64_t n = 0;
    int rc = db_int(c->d, c->e, 0, &n, "SELECT count(*) FROM plan_line WHERE plan_id = ? AND draft = 1", "i", p->id);

    if (rc < 0)
        return rc;
    g->given = arena_array(&c->a, (size_t)n + 1, sizeof *g->given);
    g->given_ids = arena_array(&c->a, (size_t)n + 1, sizeof *g->given_ids);
    g->drop = arena_array(&c->a, (size_t)n + 1, sizeof *g->drop);
    if (!g->given || !g->given_ids || !g->drop)
        return -ENOMEM;
    sqlite3_stmt *st = db_query(c->d, c->e,
                                "SELECT l.id, l.object_id, l.mode, l.kind, l.ordinal, l.from_on, l.to_on, l.team_id, l.pair_id, l.fixed,"
                                " coalesce(w.state IN ('in_progress','completed'), 0), w.line_id IS NOT NULL FROM plan_line l LEFT JOIN plan_work w ON"
                                " w.line_id = l.id WHERE l.plan_id = ? AND l.draft = 1 ORDER BY l.object_id, l.mode, l.ordinal, l.kind DESC, l.id",
                                "i", p->id);
    rc = st ? 0 : -EIO;
    while (st && (rc = db_step(c->d, st, c->e)) > 0) {
        int64_t object = gathered_index(g, db_str(st, 1));

        if (!line_stays(g, p, ask, st, object)) {
            g->drop[g->drop_count++] = sqlite3_column_int64(st, 0);
            continue;
        }
        if (object < 0)
            continue;
        struct planner_object *o = &g->objects[object];
        int from = year_day(&g->year, db_str(st, 5)), to = year_day(&g->year, db_str(st, 6));

        g->given_ids[g->given_count] = sqlite3_column_int64(st, 0);
        g->given[g->given_count] = (struct planner_work){ .object = (int32_t)object, .from = (int16_t)(from < 0 ? 0 : from), .to = (int16_t)(to >= g->year.p.days ? g->year.p.days - 1 : to),
                                                          .team = (int16_t)team_index(g, sqlite3_column_int64(st, 7)), .mode = (uint8_t)plan_mode_parse(db_str(st, 2)),
                                                          .control = str_eq(db_str(st, 3), STR("control")), .ordinal = (uint8_t)sqlite3_column_int(st, 4) };
        if (!o->given_count)
            o->given = &g->given[g->given_count];
        o->given_count++;
        g->given_count++;
    }
    return rc;
}

int gather_plan(struct call *c, const struct plan_row *p, const struct gather_ask *ask, struct gathered *g)
{
    int rc = plan_year(c, p->year, &g->year);

    if (rc == 0)
        rc = gather_teams(c, g);
    if (rc == 0)
        rc = gather_objects(c, p, g);
    if (rc == 0)
        rc = gather_written(c, p, g);
    if (rc == 0)
        rc = gather_lines(c, p, ask, g);
    char today[16];

    local_date(c->d, c->now, today);
    for (size_t i = 0; rc == 0 && i < g->object_count; i++) {
        const struct gathered_object *o = &g->facts[i];
        bool other = ask->object.n && !str_eq(ask->object, o->id), ended = p->agreed_version && o->code && strcmp(o->code, "terminated") == 0;
        int soon = year_day(&g->year, str_c(today)) + g->year.policy.lead_days;

        g->objects[i].begin = p->agreed_version && soon > o->since ? soon : o->since;
        for (int m = 0; m < PLAN_MODES; m++)
            g->objects[i].count[m] = o->written & 1u << m || other || ended ? 0 : o->share[m];
    }
    return rc;
}
