/* list.c - lists of duties by page, one duty with all that is known of it, and what moved.
 *
 * Each kind of question has a query whose first condition is an index in the order of the list, so a page costs a page, however many rows
 * there are. An organisation's list starts from duty_reach: its own rows and nobody else's. */
#include "desk/approvals/approvals.h"
#include "desk/duties/room.h"

/* --- cursors: "SORT.ID" of the last row --- */

struct cursor {
    int64_t sort, id;
};

static bool number(struct str s, int64_t *out)
{
    uint64_t n = 0;

    if (!str_u64(s, &n) || n > INT64_MAX)
        return false;
    *out = (int64_t)n;
    return true;
}

static int cursor_parse(struct call *c, struct str before, bool ended, struct cursor *out)
{
    ptrdiff_t dot = before.n ? str_chr(before, '.') : -1;

    *out = ended ? (struct cursor){ INT64_MAX, INT64_MAX } : (struct cursor){ -1, 0 };
    if (!before.n)
        return 0;
    if (dot <= 0 || !number(str_of(before.p, (size_t)dot), &out->sort) || !number(str_cut(before, (size_t)dot + 1), &out->id))
        return refuse(c, -EINVAL, "bad_request", "before", "not a cursor of this list");
    return 0;
}

static json_t *cursor_json(const struct cursor *at)
{
    char text[64];

    snprintf(text, sizeof text, "%lld.%lld", (long long)at->sort, (long long)at->id);
    return json_string(text);
}

/* --- the queries ---
 * ?1 bounded ?2 organisation ?3 sort ?4 id ?5 limit ?6 obligation ?7 object ?8 subject ?9 its id ?10 now, if only what is late by law, else 0
 * ?11 1: owed by the centre ?12 performer ?13 organisation wanted ?14 the person who asks */
#define FILTERS                                                                                                                       \
    " AND (?6 IS NULL OR d.obligation = ?6) AND (?7 IS NULL OR d.object_id = ?7) AND (?8 IS NULL OR d.subject = ?8)"                  \
    " AND (?9 IS NULL OR d.subject_id = ?9) AND (?10 = 0 OR (d.basis = 'law' AND d.due_at < ?10 AND d.state = 'running'))"            \
    " AND (?11 = 0 OR d.owed_by = 'centre') AND (?12 IS NULL OR d.performer_org = ?12)"                                               \
    " AND (?13 IS NULL OR ?13 IN (d.performer_org, d.org_id))"
#define SHOWN_TO(user) " AND (?1 = 0 OR d.case_id IS NULL OR " CASE_SHOWN(user) ")"
#define SHOWN SHOWN_TO("?14")
#define REACHED " AND (?1 = 0 OR EXISTS (SELECT 1 FROM duty_reach e WHERE e.duty_id = d.id AND e.org_id = ?2))"
#define AHEAD   " AND d.open = 1 AND d.sort_at >= ?3 AND (d.sort_at > ?3 OR d.id > ?4) ORDER BY d.sort_at, d.id LIMIT ?5"
#define BACK    " AND d.open = 0 AND d.sort_at <= ?3 AND (d.sort_at < ?3 OR d.id < ?4) ORDER BY d.sort_at DESC, d.id DESC LIMIT ?5"
/* A subject has few rows: the plus keeps the planner from walking a list of all subjects instead. */
#define FEW_AHEAD " AND +d.open = 1 AND +d.sort_at >= ?3 AND (+d.sort_at > ?3 OR d.id > ?4) ORDER BY +d.sort_at, d.id LIMIT ?5"
#define FEW_BACK  " AND +d.open = 0 AND +d.sort_at <= ?3 AND (+d.sort_at < ?3 OR d.id < ?4) ORDER BY +d.sort_at DESC, d.id DESC LIMIT ?5"
#define COLUMNS "SELECT " CLOCK_COLUMNS " FROM "
#define BOTH(tables, first)                                                                                                           \
    { COLUMNS tables CLOCK_JOINS "WHERE " first SHOWN FILTERS AHEAD, COLUMNS tables CLOCK_JOINS "WHERE " first SHOWN FILTERS BACK }

enum question { ASK_ALL, ASK_REACH, ASK_OBJECT, ASK_SUBJECT, ASK_OBLIGATION, ASK_CENTRE, ASK_PERFORMER, ASK_COUNT };
static const char *const queries[ASK_COUNT][2] = {
    [ASK_ALL] = BOTH("duty d INDEXED BY duty_list", "?1 = 0"),
    [ASK_REACH] = { COLUMNS "duty_reach x CROSS JOIN duty d ON d.id = x.duty_id" CLOCK_JOINS
                    "WHERE x.org_id = ?2 AND x.open = 1 AND x.sort_at >= ?3 AND (x.sort_at > ?3 OR x.duty_id > ?4)" SHOWN FILTERS
                    " ORDER BY x.sort_at, x.duty_id LIMIT ?5",
                    COLUMNS "duty_reach x CROSS JOIN duty d ON d.id = x.duty_id" CLOCK_JOINS
                    "WHERE x.org_id = ?2 AND x.open = 0 AND x.sort_at <= ?3 AND (x.sort_at < ?3 OR x.duty_id < ?4)" SHOWN FILTERS
                    " ORDER BY x.sort_at DESC, x.duty_id DESC LIMIT ?5" },
    [ASK_OBJECT] = BOTH("duty d INDEXED BY duty_object", "d.object_id = ?7" REACHED),
    [ASK_SUBJECT] = { COLUMNS "duty d" CLOCK_JOINS "WHERE d.subject = ?8 AND d.subject_id = ?9" REACHED SHOWN FILTERS FEW_AHEAD,
                      COLUMNS "duty d" CLOCK_JOINS "WHERE d.subject = ?8 AND d.subject_id = ?9" REACHED SHOWN FILTERS FEW_BACK },
    [ASK_OBLIGATION] = BOTH("duty d INDEXED BY duty_obligation", "d.obligation = ?6" REACHED),
    [ASK_CENTRE] = BOTH("duty d INDEXED BY duty_owed", "d.owed_by = 'centre' AND ?1 = 0"),
    [ASK_PERFORMER] = BOTH("duty d INDEXED BY duty_performer", "d.performer_org = ?12 AND d.performer_org IS NOT NULL" REACHED),
};

struct ask {
    const struct duties_query *q;
    struct scope  scope;
    struct cursor at;
    int           limit;
    time_ns       late;
    int64_t       centre;
    struct str    performer;
};

static enum question question_of(const struct ask *a)
{
    if (a->q->subject.n && a->q->subject_id.n)
        return ASK_SUBJECT;
    if (a->q->object.n)
        return ASK_OBJECT;
    if (a->performer.n)
        return ASK_PERFORMER;
    if (a->scope.bounded)
        return ASK_REACH;
    if (a->q->obligation.n)
        return ASK_OBLIGATION;
    return a->centre ? ASK_CENTRE : ASK_ALL;
}

static struct str or_null(struct str s) { return s.n ? s : (struct str){ NULL, 0 }; }

static int list(struct call *c, const struct ask *a, json_t *items, json_t **next)
{
    struct cursor last = { 0, 0 };
    sqlite3_stmt *st = db_query(c->d, c->e, queries[question_of(a)][a->q->ended], "iziiittttiitti", a->scope.bounded, a->scope.org, a->at.sort, a->at.id,
                                (int64_t)a->limit + 1, or_null(a->q->obligation), or_null(a->q->object), or_null(a->q->subject),
                                or_null(a->q->subject_id), a->late, a->centre, or_null(a->performer), or_null(a->q->org), viewer_id(c));
    int rc = st ? 0 : -EIO, n = 0;

    *next = NULL;
    while (st && (rc = db_step(c->d, st, c->e)) > 0) {
        if (n++ == a->limit) {
            *next = cursor_json(&last);
            db_done(st);
            return 0;
        }
        last = (struct cursor){ sqlite3_column_int64(st, 29), sqlite3_column_int64(st, 0) };
        json_array_append_new(items, clock_json(c, st));
    }
    return rc;
}

int desk_duties(struct desk *d, const struct viewer *v, const struct duties_query *q, time_ns now, struct desk_reply *r)
{
    struct ask a = { .q = q, .scope = scope_of(v), .limit = page_limit(q->limit), .late = q->overdue ? now : 0 };
    json_t *items = json_array(), *next = NULL;
    struct call c;
    int rc;

    desk_call_init(&c, d, v, now, r);
    if (q->mine && a.scope.bounded)
        a.performer = str_c(v->org_id);
    else if (q->mine)
        a.centre = 1;
    rc = q->overdue && q->ended ? refuse(&c, -EINVAL, "bad_request", "overdue", "what has ended is not overdue")
                                : cursor_parse(&c, q->before, q->ended, &a.at);
    if (rc == 0)
        rc = list(&c, &a, items, &next);
    r->json = json_pack("{s:o, s:o, s:o}", "now", json_time(now), "items", items, "next", next ? next : json_null());
    if (rc < 0) {
        json_decref(r->json);
        r->json = NULL;
    }
    desk_call_free(&c);
    return refuse_rc(r, rc);
}

/* desk_clocks - what runs, the most urgent first, by page: desk_duties without a question. */
int desk_clocks(struct desk *d, const struct viewer *v, int limit, struct str before, time_ns now, struct desk_reply *r)
{
    return desk_duties(d, v, &(struct duties_query){ .limit = limit, .before = before }, now, r);
}

/* --- one duty --- */

static json_t *person(sqlite3_stmt *st, int id, int name)
{
    return sqlite3_column_type(st, id) == SQLITE_NULL ? json_null() : json_pack("{s:o, s:o}", "id", db_json_id(st, id), "name", db_json(st, name));
}

static json_t *number_json(sqlite3_stmt *st, int column)
{
    return sqlite3_column_type(st, column) == SQLITE_NULL ? json_null() : json_integer(sqlite3_column_int64(st, column));
}

/* facts_json - all that the edition asks for, in its order; what is not there yet has no moment. */
static int facts_json(struct call *c, int64_t id, const struct obligation *o, json_t *out)
{
    sqlite3_stmt *st = db_query(c->d, c->e,
                                "SELECT f.fact, f.at, f.recorded_at, f.author_id, u.name, f.notice_id, f.sha256, f.note FROM duty_fact f LEFT JOIN user u"
                                " ON u.id = f.author_id WHERE f.duty_id = ? ORDER BY f.at",
                                "i", id);
    json_t *there = json_object(), *one;
    int rc = st ? 0 : -EIO;

    while (st && (rc = db_step(c->d, st, c->e)) > 0) {
        one = json_pack("{s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "fact", db_json(st, 0), "at", db_json_time(st, 1), "recorded_at", db_json_time(st, 2),
                        "author", person(st, 3, 4), "notice_id", db_json_id(st, 5), "sha256", db_json(st, 6), "note", db_json(st, 7));
        json_object_set_new(there, json_string_value(json_object_get(one, "fact")), one);
    }
    for (size_t i = 0; o && i < o->fact_count; i++) {
        char fact[65];

        snprintf(fact, sizeof fact, "%.*s", (int)min_size(o->facts[i].n, 64), o->facts[i].p);
        one = json_object_get(there, fact);
        json_array_append_new(out, one ? json_incref(one)
                                       : json_pack("{s:s, s:n, s:n, s:n, s:n, s:n, s:n}", "fact", fact, "at", "recorded_at", "author", "notice_id",
                                                   "sha256", "note"));
    }
    json_decref(there);
    return rc;
}

#define CHANGE_COLUMNS                                                                                                                \
    "x.id, x.duty_id, x.at, x.reason, x.author_id, u.name, x.note, x.from_was, x.from_is, x.due_was, x.due_is, x.nominal_was, x.nominal_is," \
    " x.calendar_was, x.calendar_is"

static json_t *change_json(sqlite3_stmt *st)
{
    return json_pack("{s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "id", db_json_id(st, 0), "duty_id", db_json_id(st, 1),
                     "at", db_json_time(st, 2), "reason", db_json(st, 3), "author", person(st, 4, 5), "note", db_json(st, 6), "from_was",
                     db_json_time(st, 7), "from_is", db_json_time(st, 8), "due_was", db_json_time(st, 9), "due_is", db_json_time(st, 10),
                     "nominal_was", db_json_time(st, 11), "nominal_is", db_json_time(st, 12), "calendar_was", db_json(st, 13), "calendar_is",
                     db_json(st, 14));
}

static int changes_json(struct call *c, int64_t id, json_t *out)
{
    sqlite3_stmt *st = db_query(c->d, c->e, "SELECT " CHANGE_COLUMNS " FROM duty_change x LEFT JOIN user u ON u.id = x.author_id WHERE x.duty_id = ?"
                                            " ORDER BY x.id LIMIT 500", "i", id);
    int rc = st ? 0 : -EIO;

    while (st && (rc = db_step(c->d, st, c->e)) > 0)
        json_array_append_new(out, change_json(st));
    return rc;
}

static int reminders_json(struct call *c, int64_t id, json_t *out)
{
    sqlite3_stmt *st = db_query(c->d, c->e, "SELECT kind, step, percent, at, sent_at, outcome FROM reminder WHERE duty_id = ? ORDER BY at, id LIMIT 500",
                                "i", id);
    int rc = st ? 0 : -EIO;

    while (st && (rc = db_step(c->d, st, c->e)) > 0)
        json_array_append_new(out, json_pack("{s:o, s:I, s:o, s:o, s:o, s:o}", "kind", db_json(st, 0), "step", (json_int_t)sqlite3_column_int64(st, 1),
                                             "percent", number_json(st, 2), "at", db_json_time(st, 3), "sent_at", db_json_time(st, 4), "outcome",
                                             db_json(st, 5)));
    return rc;
}

static json_t *label_json(const struct label *l, enum lang lang) { return l && l->text[lang].n ? json_str(l->text[lang]) : json_null(); }

static json_t *told(struct call *c, const struct obligation *o)
{
    json_t *parallel = json_array(), *rows = json_array();
    enum lang lang = c->v->lang;

    for (size_t i = 0; o && i < o->parallel_count; i++)
        json_array_append_new(parallel, json_str(o->parallel[i]));
    for (size_t i = 0; o && i < o->row_count; i++)
        json_array_append_new(rows, json_str(o->rows[i]));
    return json_pack("{s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "trigger", label_json(o ? &o->trigger : NULL, lang), "content",
                     label_json(o ? &o->content : NULL, lang), "from_name", label_json(o && o->from ? &o->from->name : NULL, lang), "on_late",
                     o && o->on_late.n ? json_str(o->on_late) : json_null(), "reading", o && o->reading.n ? json_str(o->reading) : json_null(),
                     "annex", o && o->annex ? json_integer(o->annex) : json_null(), "parallel", parallel, "rows", rows);
}

int duty_json_full(struct call *c, int64_t id, json_t **out)
{
    struct scope scope = scope_of(c->v);
    json_t *facts = json_array(), *changes = json_array(), *reminders = json_array(), *waiting = NULL, *more;
    struct duty_row row;
    sqlite3_stmt *st = db_query(c->d, c->e, "SELECT " CLOCK_COLUMNS " FROM duty d" CLOCK_JOINS "WHERE d.id = ?3" REACHED SHOWN_TO("?4"), "izii", scope.bounded,
                                scope.org, id, viewer_id(c));
    int rc = st ? db_step(c->d, st, c->e) : -EIO;

    if (rc == 0)
        rc = refuse(c, -ENOENT, "not_found", NULL, "no such duty");
    if (rc > 0) {
        *out = clock_json(c, st);
        db_done(st);
        rc = row_load(c, id, &row);
    }
    const struct obligation *o = rc == 0 ? row_obligation(c->d, &row) : NULL;
    if (rc == 0)
        rc = facts_json(c, id, o, facts);
    if (rc == 0)
        rc = changes_json(c, id, changes);
    if (rc == 0)
        rc = reminders_json(c, id, reminders);
    if (rc == 0)
        rc = approvals_json(c, row.subject.p, row.subject_id, &waiting);
    more = json_pack("{s:o, s:o, s:o, s:o}", "facts", facts, "changes", changes, "reminders", reminders, "approvals", waiting ? waiting : json_array());
    if (rc == 0) {
        json_t *words = told(c, o);

        json_object_update(*out, words);
        json_object_update(*out, more);
        json_decref(words);
    }
    json_decref(more);
    return rc;
}

int desk_duty(struct desk *d, const struct viewer *v, struct str id, time_ns now, struct desk_reply *r)
{
    struct call c;
    int rc;

    desk_call_init(&c, d, v, now, r);
    rc = duty_json_full(&c, parse_id(id), &r->json);
    if (rc < 0) {
        json_decref(r->json);
        r->json = NULL;
    }
    desk_call_free(&c);
    return refuse_rc(r, rc);
}

/* --- what moved --- */

int desk_duty_changes(struct desk *d, const struct viewer *v, struct str reason, int limit, struct str before, time_ns now, struct desk_reply *r)
{
    static const char *const sql[] = {
        "SELECT " CHANGE_COLUMNS ", d.obligation, d.subject, d.subject_id FROM duty_change x JOIN duty d ON d.id = x.duty_id LEFT JOIN user u ON u.id ="
        " x.author_id WHERE x.id < ?1 ORDER BY x.id DESC LIMIT ?2",
        "SELECT " CHANGE_COLUMNS ", d.obligation, d.subject, d.subject_id FROM duty_change x JOIN duty d ON d.id = x.duty_id LEFT JOIN user u ON u.id ="
        " x.author_id WHERE x.id < ?1 AND x.reason = ?3 ORDER BY x.id DESC LIMIT ?2",
    };
    int64_t from = before.n ? parse_id(before) : INT64_MAX, last = 0;
    json_t *items = json_array(), *next = NULL;
    struct call c;
    int rc = 0, n = 0, most = page_limit(limit);

    desk_call_init(&c, d, v, now, r);
    if (from == 0)
        rc = refuse(&c, -EINVAL, "bad_request", "before", "not a cursor of this list");
    sqlite3_stmt *st = rc < 0 ? NULL : db_query(d, c.e, sql[reason.n > 0], reason.n ? "iit" : "ii", from, (int64_t)most + 1, reason);
    while (st && (rc = db_step(d, st, c.e)) > 0) {
        if (n++ == most) {
            next = json_id(last);
            db_done(st);
            rc = 0;
            break;
        }
        json_t *one = change_json(st);

        last = sqlite3_column_int64(st, 0);
        json_object_set_new(one, "obligation", db_json(st, 15));
        json_object_set_new(one, "subject", json_pack("{s:o, s:o}", "kind", db_json(st, 16), "id", db_json(st, 17)));
        json_array_append_new(items, one);
    }
    r->json = json_pack("{s:o, s:o}", "items", items, "next", next ? next : json_null());
    if (rc < 0 || !st) {
        json_decref(r->json);
        r->json = NULL;
        rc = rc < 0 ? rc : -EIO;
    }
    desk_call_free(&c);
    return refuse_rc(r, rc);
}
