/* lines.c - lines of a plan: pages of them, a calendar of the year, plan against done, an object's year. */
#include "desk/schedule/lines.h"
#include "desk/duties/setback.h"
#include "desk/registry/registry.h"
#include "desk/schedule/paper.h"

struct line_scope line_scope_of(const struct viewer *v)
{
    struct scope s = scope_of(v);

    if (v && v->role == DESK_KNB)
        return (struct line_scope){ 0, "", 0 };
    return (struct line_scope){ s.bounded, s.org, v && (v->role == DESK_SURVEYOR || v->role == DESK_DOCUMENT_AUDITOR) ? v->user_id : 0 };
}

#define NAMED(s) ((s).p ? (s) : STR(""))

/* The filters of a query as SQL wants them. */
struct filter {
    struct line_scope seen;
    char   today[16], least[16], most[16], until[16];   /* from_on from least to most, to_on from until on */
    int    draft;
};

static int filter_make(struct call *c, const struct plan_row *p, const struct schedule_query *q, struct filter *f)
{
    bool sees = plan_sees_draft(c, p);
    int64_t day = 0;

    f->seen = line_scope_of(c->v);
    bool half = p->state->drafting && p->writing.n;   /* a draft that is not whole yet is shown to nobody */

    f->draft = q->draft < 0 ? sees && !half && (p->state->drafting || p->state->with_knb) : q->draft;
    if (f->draft && !sees)
        return refuse(c, -ENOENT, "not_found", NULL, "the draft is the centre's");
    if (f->draft && half)
        return plan_whole(c, p);
    local_date(c->d, c->now, f->today);
    snprintf(f->least, sizeof f->least, "%s", "0000-01-01");
    snprintf(f->most, sizeof f->most, "%s", "9999-12-31");
    snprintf(f->until, sizeof f->until, "%s", "0000-01-01");
    if (q->month.n) {
        snprintf(f->least, sizeof f->least, "%.7s-01", q->month.p);
        snprintf(f->most, sizeof f->most, "%.7s-31", q->month.p);
        if (q->month.n != 7 || !year_number(str_c(f->least), &day))
            return refuse(c, -EINVAL, "bad_request", "month", "a month such as 2026-03 is expected");
    }
    if (q->on.n) {
        if (!year_number(q->on, &day))
            return refuse(c, -EINVAL, "bad_request", "on", "a day such as 2026-03-20 is expected");
        struct civil early = civil_from_days(day - PLAN_LINE_LONGEST);

        snprintf(f->least, sizeof f->least, "%04d-%02d-%02d", (int)(early.year % 10000), (int)early.month, (int)early.day);
        snprintf(f->most, sizeof f->most, "%.10s", q->on.p);
        snprintf(f->until, sizeof f->until, "%.10s", q->on.p);
    }
    return 0;
}

#define LINE_COLUMNS                                                                                                                                     \
    "SELECT l.id, l.object_id, o.name, g.id, g.name, l.mode, l.kind, l.ordinal, l.pair_id, l.from_on, l.to_on, t.id, t.name, l.fixed, l.reason, "         \
    LINE_STANDS ", w.subject, w.subject_id, w.completed_at, w.reason, l.plan_id,"                                                                                \
    " iif(l.draft = 0, (SELECT z.first_at FROM setback z WHERE z.kind IN ('" SETBACK_LINE "','" SETBACK_MOVED "') AND z.id = l.id LIMIT 1), NULL)"
#define LINE_JOINS                                                                                                                                       \
    " JOIN org g ON g.id = o.org_id LEFT JOIN team t ON t.id = l.team_id"
#define LINE_WORK " LEFT JOIN plan_work w ON w.line_id = iif(l.draft = 0, l.id, NULL)"
#define LINE_FILTERS                                                                                                                                     \
    " WHERE " LINE_SEEN " AND l.plan_id = ?5 AND l.draft = ?6 AND (?7 = '' OR l.object_id = ?7) AND (?8 = '' OR ?8 IN (o.org_id, o.possessor_id)) AND"    \
    " (?9 = '' OR l.mode = ?9) AND (?10 = '' OR l.kind = ?10) AND (?11 = 0 OR l.team_id = ?11) AND l.from_on <= ?13 AND l.to_on >= ?14 AND"                \
    " (?15 = '' OR " LINE_STANDS " = ?15)"
/* From the first day that is asked for, or from the cursor: the index is entered there and walked in its order. */
#define LINE_PAGE " AND (l.from_on, l.id) > (?12, ?16) ORDER BY l.from_on, l.id LIMIT ?17"
/* What came of a line is looked at before its names: a filter by state leaves most lines out. */
#define BY_DAY    " FROM plan_line l INDEXED BY plan_line_day" LINE_WORK " CROSS JOIN object o ON o.id = l.object_id"
#define BY_OBJECT " FROM object o CROSS JOIN plan_line l INDEXED BY plan_line_object ON l.object_id = o.id" LINE_WORK
#define BY_TEAM   " FROM plan_line l INDEXED BY plan_line_team" LINE_WORK " CROSS JOIN object o ON o.id = l.object_id"

static const char lines_by_day[] = LINE_COLUMNS BY_DAY LINE_JOINS LINE_FILTERS LINE_PAGE;
/* The objects are few: those that the viewer reaches, of an organisation, or one. */
static const char lines_by_object[] = LINE_COLUMNS BY_OBJECT LINE_JOINS LINE_FILTERS " AND (?7 = '' OR o.id = ?7) AND (?1 = 0 OR o.id IN " OBJECTS_OF("?2") ")" LINE_PAGE;
static const char lines_by_team[] = LINE_COLUMNS BY_TEAM LINE_JOINS LINE_FILTERS " AND l.team_id = ?11" LINE_PAGE;

static json_t *line_json(sqlite3_stmt *st)
{
    json_t *subject = sqlite3_column_type(st, 17) == SQLITE_NULL ? json_null() : json_pack("{s:o, s:o}", "kind", db_json(st, 16), "id", db_json(st, 17));
    json_t *team = sqlite3_column_type(st, 11) == SQLITE_NULL ? json_null() : json_pack("{s:o, s:o}", "id", db_json_id(st, 11), "name", db_json(st, 12));
    struct str why = db_str(st, 19);

    return json_pack("{s:o, s:o, s:o, s:o, s:o, s:o, s:i, s:o, s:o, s:o, s:o, s:b, s:o, s:o, s:o, s:o, s:o}", "id", db_json_id(st, 0), "plan_id", db_json_id(st, 20), "object",
                     json_ref(db_str(st, 1), db_str(st, 2)), "org", json_ref(db_str(st, 3), db_str(st, 4)), "mode", db_json(st, 5), "kind", db_json(st, 6), "ordinal",
                     sqlite3_column_int(st, 7), "pair_id", db_json_id(st, 8), "from_on", db_json(st, 9), "to_on", db_json(st, 10), "team", team, "fixed",
                     sqlite3_column_int(st, 13), "reason", why.n ? json_str(why) : db_json(st, 14), "state", db_json(st, 15), "subject", subject, "completed_at",
                     db_json_time(st, 18), "held_since", db_json_time(st, 21));
}

/* after_of - the cursor "2026-03-20.17". */
static int64_t after_of(struct str before, char day[16])
{
    int64_t id = 0;

    day[0] = 0;
    if (before.n > 11 && before.p[10] == '.') {
        snprintf(day, 16, "%.10s", before.p);
        id = parse_id(str_of(before.p + 11, before.n - 11));
    }
    return id;
}

static int lines_page(struct call *c, const struct plan_row *p, const struct schedule_query *q, json_t *items, struct str *next)
{
    int64_t most = page_limit(q->limit), last;
    struct filter f;
    char after[16];
    int rc = filter_make(c, p, q, &f);

    if (rc < 0)
        return rc;
    last = after_of(q->before, after);
    const char *sql = f.seen.bounded || q->object.n || q->org.n ? lines_by_object : q->team ? lines_by_team : lines_by_day;
    sqlite3_stmt *st = db_query(c->d, c->e, sql, "izizii" "tttti" "zzzt" "ii", f.seen.bounded, f.seen.org, f.seen.member, f.today, p->id, (int64_t)f.draft, NAMED(q->object),
                                NAMED(q->org), NAMED(q->mode), NAMED(q->kind), q->team, last ? after : f.least, f.most, f.until, NAMED(q->state), last, most + 1);
    rc = st ? 0 : -EIO;
    while (st && (rc = db_step(c->d, st, c->e)) > 0) {
        if ((int64_t)json_array_size(items) == most) {
            const json_t *one = json_array_get(items, (size_t)most - 1);

            *next = arena_printf(&c->a, "%.*s.%.*s", STR_ARG(json_get_str(one, "from_on")), STR_ARG(json_get_str(one, "id")));
            db_done(st);
            return 0;
        }
        json_array_append_new(items, line_json(st));
    }
    return rc;
}

int desk_schedule_lines(struct desk *d, const struct viewer *v, struct str id, const struct schedule_query *q, time_ns now, struct desk_reply *r)
{
    struct str next = { NULL, 0 };
    json_t *items = json_array();
    struct plan_row p;
    struct call c;
    int rc;

    desk_call_init(&c, d, v, now, r);
    rc = plan_load(&c, parse_id(id), &p);
    if (rc == 0)
        rc = lines_page(&c, &p, q, items, &next);
    if (rc == 0)
        r->json = json_pack("{s:O, s:o}", "items", items, "next", json_str(next));
    json_decref(items);
    desk_call_free(&c);
    return refuse_rc(r, rc);
}

/* --- the calendar --- */

struct calendar_work {
    struct schedule_year *y;
    int on[PLAN_DAYS + 1], begins[PLAN_DAYS], month[13], week[PLAN_WEEKS];
    int outside;
};

static void calendar_count(struct calendar_work *w, struct str from_on, struct str to_on, int n)
{
    int from = year_day(w->y, from_on), to = year_day(w->y, to_on);

    if (from < 0 || from >= w->y->p.days) {
        w->outside++;
        return;
    }
    w->on[from] += n;
    w->on[(to >= w->y->p.days ? w->y->p.days - 1 : to) + 1] -= n;
    w->begins[from] += n;
    w->month[civil_from_days(w->y->first + from).month] += n;
    w->week[planner_week(&w->y->p, from)] += n;
}

/* days_json - every day with a work; weeks by their Monday, as far as it lies in the year; months. */
static json_t *calendar_json(const struct calendar_work *w)
{
    json_t *days = json_array(), *weeks = json_array(), *months = json_array(), *off = json_array();
    char text[16];
    int on = 0;

    for (int d = 0; d < w->y->p.days; d++) {
        on += w->on[d];
        if (on)
            json_array_append_new(days, json_pack("{s:s, s:i, s:i}", "day", year_text(w->y, d, text), "works", w->y->p.worked[d] ? on : 0, "begin", w->begins[d]));
        if (!w->y->p.worked[d])
            json_array_append_new(off, json_string(year_text(w->y, d, text)));
        if ((d == 0 || (d + w->y->p.weekday) % 7 == 0) && w->week[planner_week(&w->y->p, d)])
            json_array_append_new(weeks, json_pack("{s:s, s:i}", "from_on", year_text(w->y, d, text), "begin", w->week[planner_week(&w->y->p, d)]));
    }
    for (int m = 1; m <= 12; m++)
        json_array_append_new(months, json_pack("{s:i, s:i}", "month", m, "begin", w->month[m]));
    return json_pack("{s:i, s:o, s:o, s:o, s:o}", "year", w->y->year, "days", days, "weeks", weeks, "months", months, "off", off);
}

static int closed_json(struct call *c, const struct schedule_year *y, json_t **out)
{
    char first[16], last[16];
    sqlite3_stmt *st = db_query(c->d, c->e,
                                "SELECT from_on, to_on, reason FROM blackout WHERE object_id IS NULL AND org_id IS NULL AND from_on <= ? AND to_on >= ? ORDER BY from_on"
                                " LIMIT 100",
                                "zz", year_text(y, y->p.days - 1, last), year_text(y, 0, first));
    int rc = st ? 0 : -EIO;

    *out = json_array();
    while (st && (rc = db_step(c->d, st, c->e)) > 0)
        json_array_append_new(*out, json_pack("{s:o, s:o, s:o}", "from_on", db_json(st, 0), "to_on", db_json(st, 1), "reason", db_json(st, 2)));
    return rc;
}

int desk_schedule_calendar(struct desk *d, const struct viewer *v, struct str id, const struct schedule_query *q, time_ns now, struct desk_reply *r)
{
    static const char days_of_all[] = "SELECT l.from_on, l.to_on" BY_DAY LINE_FILTERS
        " AND l.from_on >= ?12";
    static const char days_alone[] = "SELECT from_on, to_on, count(*) FROM plan_line WHERE plan_id = ? AND draft = ? GROUP BY from_on, to_on";
    struct calendar_work w = { 0 };
    json_t *closed = NULL;
    struct plan_row p;
    struct filter f;
    struct call c;
    int rc;

    desk_call_init(&c, d, v, now, r);
    w.y = arena_alloc(&c.a, sizeof *w.y);
    rc = w.y ? plan_load(&c, parse_id(id), &p) : -ENOMEM;
    if (rc == 0)
        rc = plan_year(&c, p.year, w.y);
    if (rc == 0)
        rc = filter_make(&c, &p, q, &f);
    bool plain = rc == 0 && !f.seen.bounded && !f.seen.member && !q->object.n && !q->org.n && !q->mode.n && !q->kind.n && !q->team && !q->state.n && !q->month.n && !q->on.n;
    sqlite3_stmt *st = rc < 0  ? NULL
                       : plain ? db_query(d, c.e, days_alone, "ii", p.id, (int64_t)f.draft)
                               : db_query(d, c.e, days_of_all, "izizii" "tttti" "zzzt", f.seen.bounded, f.seen.org, f.seen.member, f.today, p.id, (int64_t)f.draft,
                                          NAMED(q->object), NAMED(q->org), NAMED(q->mode), NAMED(q->kind), q->team, f.least, f.most, f.until, NAMED(q->state));
    if (rc == 0 && !st)
        rc = -EIO;
    while (st && (rc = db_step(d, st, c.e)) > 0)
        calendar_count(&w, db_str(st, 0), db_str(st, 1), plain ? sqlite3_column_int(st, 2) : 1);
    if (rc == 0)
        rc = closed_json(&c, w.y, &closed);
    if (rc == 0) {
        r->json = calendar_json(&w);
        json_object_set(r->json, "closed", closed);
        json_object_set_new(r->json, "estimated", json_boolean(w.y->estimated));
        json_object_set_new(r->json, "draft", json_boolean(f.draft));
    }
    json_decref(closed);
    desk_call_free(&c);
    return refuse_rc(r, rc);
}

/* --- plan against done --- */

#define SUMS                                                                                                                                             \
    "count(*), sum(s = 'in_time'), sum(s = 'late'), sum(s = 'cancelled'), sum(s = 'overdue'), sum(s IN ('in_progress','blocked')), sum(s = 'planned')"
/* Each line is judged once, not once for each sum. */
#define STANDING_OF                                                                                                                                      \
    "WITH x AS MATERIALIZED (SELECT l.mode, l.from_on, l.object_id, " LINE_STANDS " AS s FROM plan_line l LEFT JOIN plan_work w ON w.line_id = l.id WHERE l.plan_id = ?5 AND"    \
    " l.draft = 0 AND " LINE_SEEN ")"

static int percent_of(int64_t n, int64_t of) { return of ? (int)((n * 1000 / of + 5) / 10) : 0; }

static json_t *sums_json(sqlite3_stmt *st, int at)
{
    int64_t all = sqlite3_column_int64(st, at), in_time = sqlite3_column_int64(st, at + 1), late = sqlite3_column_int64(st, at + 2);

    return json_pack("{s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:i, s:i}", "planned", (json_int_t)all, "in_time", (json_int_t)in_time, "late", (json_int_t)late, "cancelled",
                     (json_int_t)sqlite3_column_int64(st, at + 3), "overdue", (json_int_t)sqlite3_column_int64(st, at + 4), "running",
                     (json_int_t)sqlite3_column_int64(st, at + 5), "ahead", (json_int_t)sqlite3_column_int64(st, at + 6), "done_percent", percent_of(in_time + late, all),
                     "in_time_percent", percent_of(in_time, all));
}

int desk_schedule_progress(struct desk *d, const struct viewer *v, struct str id, struct str by, int limit, struct str before, time_ns now, struct desk_reply *r)
{
    static const char by_mode[] = STANDING_OF " SELECT mode, '', " SUMS " FROM x WHERE ?6 = ?6 AND ?7 > 0 GROUP BY mode ORDER BY mode";
    static const char by_month[] = STANDING_OF " SELECT substr(from_on, 1, 7), '', " SUMS " FROM x WHERE ?6 = ?6 AND ?7 > 0 GROUP BY substr(from_on, 1, 7) ORDER BY 1";
    static const char by_object[] = "SELECT l.object_id, o.name, " SUMS " FROM (SELECT l.object_id, " LINE_STANDS " AS s FROM plan_line l INDEXED BY plan_line_object LEFT"
                                    " JOIN plan_work w ON w.line_id = l.id WHERE l.plan_id = ?5 AND l.draft = 0 AND l.object_id > ?6 AND " LINE_SEEN ") l JOIN object o ON"
                                    " o.id = l.object_id GROUP BY l.object_id ORDER BY l.object_id LIMIT ?7";
    bool objects = str_eq(by, STR("object"));
    int64_t most = page_limit(limit);
    struct line_scope seen = line_scope_of(v);
    json_t *items = json_array(), *next = NULL;
    struct plan_row p;
    char today[16];
    struct call c;
    int rc;

    desk_call_init(&c, d, v, now, r);
    local_date(d, now, today);
    rc = plan_load(&c, parse_id(id), &p);
    if (rc == 0 && !objects && !str_eq(by, STR("mode")) && !str_eq(by, STR("month")))
        rc = refuse(&c, -EINVAL, "bad_request", "by", "mode, month or object");
    sqlite3_stmt *st = rc < 0 ? NULL
                              : db_query(d, c.e, objects ? by_object : str_eq(by, STR("mode")) ? by_mode : by_month, "izizit" "i", seen.bounded, seen.org, seen.member, today,
                                         p.id, NAMED(before), most + 1);
    if (rc == 0 && !st)
        rc = -EIO;
    while (st && (rc = db_step(d, st, c.e)) > 0) {
        if (objects && (int64_t)json_array_size(items) == most) {
            next = json_incref(json_object_get(json_array_get(items, (size_t)most - 1), "key"));
            db_done(st);
            rc = 0;
            break;
        }
        json_t *one = sums_json(st, 2);

        json_object_set_new(one, "key", db_json(st, 0));
        json_object_set_new(one, "name", db_json(st, 1));
        json_array_append_new(items, one);
    }
    if (rc == 0)
        r->json = json_pack("{s:O, s:o}", "items", items, "next", next ? json_incref(next) : json_null());
    json_decref(next);
    json_decref(items);
    desk_call_free(&c);
    return refuse_rc(r, rc);
}

/* --- an object's year --- */

static int reasons_json(struct call *c, const struct plan_row *p, int draft, struct str object, json_t **out)
{
    sqlite3_stmt *st = db_query(c->d, c->e, "SELECT mode, code, text FROM plan_reason WHERE plan_id = ? AND draft = ? AND object_id = ? ORDER BY mode", "iit", p->id,
                                (int64_t)draft, object);
    int rc = st ? 0 : -EIO;

    *out = json_array();
    while (st && (rc = db_step(c->d, st, c->e)) > 0) {
        char key[64];

        snprintf(key, sizeof key, "schedule.reason.%.*s", STR_ARG(db_str(st, 1)));
        json_array_append_new(*out, json_pack("{s:o, s:o, s:o}", "mode", db_json(st, 0), "code", db_json(st, 1), "text",
                                              json_str(schedule_say(c, key, json_pack("{s:o}", "text", db_json(st, 2))))));
    }
    return rc;
}

/* owed_json - what the edition asks of each mode for the object's part of the year, with the steps of the sum in words. */
static int owed_json(struct call *c, const struct plan_row *p, const struct schedule_year *y, const struct gathered_object *o, json_t **out)
{
    const struct edition *ed = duty_edition(c->d->setup.world, p->edition);

    *out = json_array();
    for (int m = 0; m < PLAN_MODES; m++) {
        const struct obligation *f = plan_mode_frequency[m] && ed ? edition_obligation(ed, str_c(plan_mode_frequency[m])) : NULL;
        json_t *steps = json_array();
        struct duty_result r;

        if (f && o->full[m]) {
            int rc = duty_plan(c->d->setup.world, f, p->year, y->first + o->since, &r, c->e);

            if (rc < 0) {
                json_decref(steps);
                return rc;
            }
            for (size_t i = 0; i < r.step_count; i++)
                json_array_append_new(steps, json_str(duty_step_text(c->d->setup.world, &r, i, c->d->setup.catalog, c->v->lang, &c->a)));
        }
        json_array_append_new(*out, json_pack("{s:s, s:o, s:i, s:i, s:i, s:o}", "mode", plan_mode_names[m], "obligation", f ? json_str(f->id) : json_null(), "full",
                                              o->full[m], "main", o->share[m], "control", m == PLAN_DOCUMENT ? 0 : o->share[m], "arithmetic", steps));
    }
    return 0;
}

static int object_json(struct call *c, const struct plan_row *p, struct str object, json_t **out)
{
    struct schedule_query q = { .draft = -1, .object = object, .limit = DESK_LIMIT_MAX };
    struct schedule_year *y = arena_alloc(&c->a, sizeof *y);
    struct gathered_object o = { .id = object, .documents = -1 };
    json_t *lines = json_array(), *reasons = NULL, *owed = NULL;
    struct str next, name = STR(""), since = STR(""), until = STR("");
    struct filter f;
    int rc = y ? filter_make(c, p, &q, &f) : -ENOMEM;

    sqlite3_stmt *st = rc < 0 ? NULL
                              : db_query(c->d, c->e,
                                         "SELECT o.name, x.works, x.since_on, x.until_on, coalesce(x.documents, -1) FROM plan_object x JOIN object o ON o.id = x.object_id"
                                         " WHERE x.plan_id = ? AND x.draft = ? AND x.object_id = ?",
                                         "iit", p->id, (int64_t)f.draft, object);
    rc = rc < 0 ? rc : st ? db_step(c->d, st, c->e) : -EIO;
    if (rc == 0)
        rc = refuse(c, -ENOENT, "not_found", NULL, "the object is not in this plan");
    else if (rc > 0) {
        name = db_copy(st, 0, &c->a);
        o.works = (unsigned)sqlite3_column_int(st, 1);
        since = db_copy(st, 2, &c->a);
        until = db_copy(st, 3, &c->a);
        o.documents = sqlite3_column_int(st, 4);
        db_done(st);
        rc = plan_year(c, p->year, y);
    }
    if (rc == 0) {
        o.since = year_day(y, since);
        o.until = year_day(y, until);
        rc = gather_counts(c, p, y, &o);
    }
    if (rc == 0)
        rc = lines_page(c, p, &q, lines, &next);
    if (rc == 0 && line_scope_of(c->v).member && json_array_size(lines) == 0)
        rc = refuse(c, -ENOENT, "not_found", NULL, "no line of the object is one of the viewer's team");
    if (rc == 0)
        rc = reasons_json(c, p, f.draft, object, &reasons);
    if (rc == 0)
        rc = owed_json(c, p, y, &o, &owed);
    if (rc == 0)
        *out = json_pack("{s:o, s:i, s:s, s:o, s:o, s:b, s:b, s:O, s:O, s:O}", "object", json_ref(object, name), "year", p->year, "state", p->state->name, "since_on",
                         json_str(since), "until_on", json_str(until), "draft", f.draft, "estimated", (int)y->estimated, "lines", lines, "owed", owed, "reasons", reasons);
    json_decref(lines);
    json_decref(reasons);
    json_decref(owed);
    return rc;
}

int desk_schedule_object(struct desk *d, const struct viewer *v, struct str id, struct str object, time_ns now, struct desk_reply *r)
{
    struct plan_row p;
    struct call c;
    int rc;

    desk_call_init(&c, d, v, now, r);
    rc = plan_load(&c, parse_id(id), &p);
    if (rc == 0 && line_scope_of(v).bounded)
        rc = object_seen(&c, object);
    if (rc == 0)
        rc = object_json(&c, &p, object, &r->json);
    desk_call_free(&c);
    return refuse_rc(r, rc);
}

/* --- taken out --- */

int desk_schedule_export(struct desk *d, const struct viewer *v, struct str id, struct str format, time_ns now, struct buf *out, struct desk_reply *r)
{
    bool xlsx = str_eq(format, STR("xlsx")), csv = str_eq(format, STR("csv")), pdf = str_eq(format, STR("pdf"));
    struct schedule_query q = { .draft = -1 };
    struct plan_row p;
    struct filter f;
    struct call c;
    int rc;

    desk_call_init(&c, d, v, now, r);
    rc = xlsx || csv || pdf ? plan_load(&c, parse_id(id), &p) : refuse(&c, -EINVAL, "bad_request", "format", "xlsx, csv or pdf");
    if (rc == 0)
        rc = filter_make(&c, &p, &q, &f);
    if (rc == 0)
        rc = audit_read(&c, "schedule.export", arena_printf(&c.a, "plan/%lld", (long long)p.id).p, format);
    if (rc == 0)
        rc = pdf ? paper_pdf(&c, &p, f.draft, out) : paper_table(&c, &p, f.draft, xlsx, out);
    if (rc == -E2BIG)
        rc = refuse(&c, -EINVAL, "too_many_pages", "format", "more pages than one paper has: take the workbook");
    desk_call_free(&c);
    return refuse_rc(r, rc);
}
