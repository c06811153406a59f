/* list.c - pages: surveys, the check-list of one, violations and the life of one, the library as the files say now. */
#include "desk/documents/room.h"

/* sides_of - whose turn counts as "mine" for a viewer. */
static const char *side_of(const struct viewer *v)
{
    return role_of_centre(v->role) || v->role == DESK_DOCUMENT_AUDITOR ? "centre" : "owner";
}

static json_t *next_due_json(struct call *c, sqlite3_stmt *st, int column)
{
    time_ns due = sqlite3_column_int64(st, column), left = due - c->now;

    if (sqlite3_column_type(st, column) == SQLITE_NULL)
        return json_null();
    return json_pack("{s:o, s:o, s:I}", "obligation", db_json(st, column + 1), "due", json_time(due), "remaining_s",
                     (json_int_t)(left >= 0 ? left / NS_PER_SECOND : -((-left + NS_PER_SECOND - 1) / NS_PER_SECOND)));
}

/* The term that runs: of the survey, or of its request (D-16). */
#define RUNNING(subject, id)                                                                                                                              \
    "(SELECT x.id FROM duty x WHERE x.subject = '" subject "' AND x.subject_id = CAST(" id " AS TEXT) AND x.state = 'running' AND x.due_at IS NOT NULL" \
    " ORDER BY x.due_at LIMIT 1)"
#define SUMMARY                                                                                                                                         \
    "SELECT s.id, s.number, s.state, s.waits, s.ended, o.id, o.name, g.id, g.name, s.planned_from, s.planned_to, s.opened_at, s.updated_at, d.due_at,"  \
    " d.obligation, s.plan_line, s.inner FROM td_survey s JOIN object o ON o.id = s.object_id JOIN org g ON g.id = o.org_id LEFT JOIN duty d ON d.id =" \
    " coalesce(" RUNNING("document_survey", "s.id") ", " RUNNING("request", "s.request_id") ")"

static json_t *summary_json(struct call *c, sqlite3_stmt *st)
{
    return json_pack("{s:o, s:o, s:o, s:o, s:b, s:o, s:o, s:o, s:o, s:b, s:o, s:o, s:o, s:b}", "id", db_json_id(st, 0), "number", db_json(st, 1), "state",
                     db_json(st, 2), "waits", db_json(st, 3), "ended", sqlite3_column_int(st, 4), "object", json_ref(db_str(st, 5), db_str(st, 6)), "org",
                     json_ref(db_str(st, 7), db_str(st, 8)), "planned_from", db_json(st, 9), "planned_to", db_json(st, 10), "planned",
                     sqlite3_column_type(st, 15) != SQLITE_NULL, "opened_at", db_json_time(st, 11), "updated_at", db_json_time(st, 12), "next_due",
                     next_due_json(c, st, 13), "overdue", sqlite3_column_type(st, 13) != SQLITE_NULL && c->now > sqlite3_column_int64(st, 13));
}

/* Each way of asking walks an index of its own: one object's, or all by number. */
static sqlite3_stmt *surveys_query(struct call *c, const struct td_surveys_query *q, int64_t limit)
{
    struct scope s = scope_of(c->v);
    int64_t before = parse_id(q->before) ? parse_id(q->before) : INT64_MAX;
    struct str state = q->state.p ? q->state : STR(""), side = q->side.p ? q->side : STR("");

#define SIDES                                                                                                                                           \
    " AND CASE ?5 WHEN 'ended' THEN s.ended = 1 WHEN 'mine' THEN s.ended = 0 AND s.waits = ?6 WHEN 'other' THEN s.ended = 0 AND s.waits <> ?6 WHEN 'all'" \
    " THEN 1 ELSE s.ended = 0 END AND (?4 = '' OR s.state = ?4) AND s.id < ?3 ORDER BY s.id DESC LIMIT ?7"
    if (q->object.n)
        return db_query(c->d, c->e, SUMMARY " WHERE s.object_id = ?8 AND (?1 = 0 OR (s.inner = 0 AND " SCOPE_OBJECT "))" SIDES, "izittzit", s.bounded, s.org,
                        before, state, side, side_of(c->v), limit, q->object);
    if (s.bounded)
        return db_query(c->d, c->e, SUMMARY " WHERE ?1 = 1 AND s.inner = 0 AND s.object_id IN " OBJECTS_OF("?2") SIDES, "izittzi", s.bounded, s.org, before, state, side,
                        side_of(c->v), limit);
    return db_query(c->d, c->e, SUMMARY " WHERE ?1 = 0 AND ?2 = ''" SIDES, "izittzi", s.bounded, s.org, before, state, side, side_of(c->v), limit);
#undef SIDES
}

/* page_end - the page is full: *next is its last id. */
static int page_end(const json_t *items, int64_t limit, sqlite3_stmt *st, json_t **next)
{
    json_decref(*next);
    *next = json_incref(json_object_get(json_array_get(items, (size_t)limit - 1), "id"));
    db_done(st);
    return 0;
}

int desk_td_surveys(struct desk *d, const struct viewer *v, const struct td_surveys_query *q, time_ns now, struct desk_reply *r)
{
    json_t *items = json_array(), *next = json_null();
    int64_t limit = page_limit(q->limit);
    struct call c;

    desk_call_init(&c, d, v, now, r);
    sqlite3_stmt *st = surveys_query(&c, q, limit + 1);
    int rc = st ? 0 : -EIO;
    while (st && (rc = db_step(d, st, c.e)) > 0) {
        if ((int64_t)json_array_size(items) == limit) {
            rc = page_end(items, limit, st, &next);
            break;
        }
        json_array_append_new(items, summary_json(&c, st));
    }
    r->json = json_pack("{s:o, s:b, s:o, s:o}", "now", json_time(now), "may_plan", (int)(role_of_centre(v->role) || v->role == DESK_DOCUMENT_AUDITOR), "items", items,
                        "next", next);
    desk_call_free(&c);
    return refuse_rc(r, rc);
}

/* --- the check-list --- */

static json_t *column_json(sqlite3_stmt *st, int column)
{
    struct str text = db_str(st, column);

    return text.n ? json_loadb(text.p, text.n, 0, NULL) : json_null();
}

#define LINE(state, violation)                                                                                                                            \
    "SELECT v.position, v.code, v.document, q.json, v.verdict, v.reason, v.quote, v.page, v.note, v.description, v.recommendation, v.as_last,"            \
    " v.violation_id, v.at, u.name, l.verdict, l.reason, l.quote, l.page, l.note, l.description, p.number, p.completed_at, x.id, x.number, " state ","      \
    " t.version, t.edition FROM td_verdict v JOIN td_requirement q ON q.id = v.requirement_id LEFT JOIN user u ON u.id = v.user_id LEFT JOIN td_document t"  \
    " ON t.id = v.document_id LEFT JOIN td_verdict l ON l.survey_id = ?2 AND l.code = v.code AND l.verdict IS NOT NULL LEFT JOIN td_survey p ON p.id ="     \
    " l.survey_id LEFT JOIN " violation " WHERE v.survey_id = ?1 AND (?4 = '' OR v.document = ?4) AND v.position > ?5 ORDER BY v.position LIMIT ?6"
static const char line_sql[] = LINE("x.state", "td_violation x ON x.object_id = ?3 AND x.code = v.code AND x.open = 1");
/* To the owner, what the next survey found is not told beside the lines of this one. */
static const char line_told_sql[] = LINE(TD_TOLD_STATE("1"), "(td_violation x JOIN td_survey y ON y.id = x.survey_id) ON x.object_id = ?3 AND x.code = v.code AND"
                                                            " x.shown = 1 AND " TD_TOLD_OPEN("1"));

static json_t *last_json(sqlite3_stmt *st)
{
    if (sqlite3_column_type(st, 15) == SQLITE_NULL)
        return json_null();
    return json_pack("{s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "verdict", db_json(st, 15), "reason", db_json(st, 16), "quote", db_json(st, 17), "page",
                     db_json(st, 18), "note", db_json(st, 19), "description", db_json(st, 20), "survey", db_json(st, 21), "at", db_json_time(st, 22));
}

/* measured - what Saqshy measures of this requirement, in the reader's language. */
static json_t *measured(struct call *c, const json_t *measures, const json_t *facts)
{
    json_t *out = json_array(), *m, *f;
    size_t i, j;

    json_array_foreach((json_t *)(uintptr_t)measures, i, m)
        json_array_foreach((json_t *)(uintptr_t)facts, j, f)
            if (json_equal(m, json_object_get(f, "measure")))
                json_array_append_new(out, json_pack("{s:O, s:O, s:o, s:O, s:O}", "measure", m, "state", json_object_get(f, "state"), "text",
                                                     json_str(said_in(c, json_object_get(f, "text"), c->v->lang)), "measured_at", json_object_get(f, "measured_at"),
                                                     "by", json_object_get(f, "by")));
    return out;
}

static json_t *line_json(struct call *c, sqlite3_stmt *st, const json_t *facts)
{
    json_t *words = column_json(st, 3), *own = column_json(st, 10);
    const json_t *recommendation = json_is_object(own) ? own : json_object_get(words, "recommendation");
    json_t *open = sqlite3_column_type(st, 23) == SQLITE_NULL ? json_null()
                                                             : json_pack("{s:o, s:o, s:o}", "id", db_json_id(st, 23), "number", db_json(st, 24), "state",
                                                                         db_json(st, 25));
    json_t *out = json_pack("{s:I, s:o, s:o, s:o, s:o, s:O, s:o, s:O, s:b, s:o, s:o, s:o, s:o, s:o, s:o, s:b, s:o, s:o, s:o, s:o, s:o, s:o}", "position",
                            (json_int_t)sqlite3_column_int64(st, 0), "requirement", db_json(st, 1), "document", db_json(st, 2), "text",
                            json_str(said_in(c, json_object_get(words, "text"), c->v->lang)), "look", json_str(said_in(c, json_object_get(words, "look"), c->v->lang)),
                            "recommendation", recommendation, "basis", json_incref(json_object_get(words, "basis")), "version", json_object_get(words, "version"),
                            "presence", json_is_true(json_object_get(words, "presence")), "facts", measured(c, json_object_get(words, "measures"), facts), "verdict",
                            db_json(st, 4), "reason", db_json(st, 5), "quote", db_json(st, 6), "page", db_json(st, 7), "note", db_json(st, 8), "as_last",
                            sqlite3_column_int(st, 11), "description", db_json(st, 9), "judged_at", db_json_time(st, 13), "judged_by", db_json(st, 14), "last",
                            last_json(st), "open", open, "looked_at",
                            sqlite3_column_type(st, 26) == SQLITE_NULL ? json_null()
                                                                       : json_pack("{s:I, s:o}", "version", (json_int_t)sqlite3_column_int64(st, 26), "edition",
                                                                                   db_json(st, 27)));

    json_decref(words);
    json_decref(own);
    return out;
}

/* facts_of - frozen with the completion; before it, as they are now. */
static int survey_facts(struct call *c, const struct td_survey *s, json_t **out)
{
    sqlite3_stmt *st;
    int rc;

    *out = NULL;
    if (!s->completed_at)
        return facts_json(c, s->object_id, out);
    st = db_query(c->d, c->e, "SELECT facts FROM td_survey WHERE id = ?", "i", s->id);
    rc = st ? db_step(c->d, st, c->e) : -EIO;
    if (rc > 0) {
        *out = column_json(st, 0);
        db_done(st);
    }
    return rc < 0 ? rc : 0;
}

static int checklist(struct call *c, const struct td_survey *s, struct str document, int64_t limit, struct str before, json_t *items, json_t **next)
{
    json_t *facts = NULL;
    int64_t after = before.n ? parse_id(before) - 1 : -1, last = 0;   /* cursors count from 1: position 0 is one too */
    int rc = survey_facts(c, s, &facts);
    sqlite3_stmt *st = rc == 0 ? db_query(c->d, c->e, scope_of(c->v).bounded ? line_told_sql : line_sql, "iittii", s->id, s->previous_id, s->object_id, document.p ? document : STR(""), after, limit + 1) : NULL;

    for (rc = rc < 0 ? rc : st ? db_step(c->d, st, c->e) : -EIO; rc > 0; rc = db_step(c->d, st, c->e)) {
        if ((int64_t)json_array_size(items) == limit) {
            json_decref(*next);
            *next = json_id(last + 1);
            db_done(st);
            rc = 0;
            break;
        }
        last = sqlite3_column_int64(st, 0);
        json_array_append_new(items, line_json(c, st, facts));
    }
    json_decref(facts);
    return rc;
}

int desk_td_checklist(struct desk *d, const struct viewer *v, struct str id, struct str document, int limit, struct str before, time_ns now,
                      struct desk_reply *r)
{
    json_t *items = json_array(), *next = json_null();
    struct td_survey s;
    struct call c;

    desk_call_init(&c, d, v, now, r);
    int rc = td_load(&c, parse_id(id), &s);
    if (rc == 0 && scope_of(v).bounded && !s.state->told)
        rc = refuse(&c, -ENOENT, "not_found", NULL, "the results were not sent yet");
    if (rc == 0)
        rc = checklist(&c, &s, document, page_limit(limit), before, items, &next);
    r->json = json_pack("{s:o, s:o}", "items", items, "next", next);
    desk_call_free(&c);
    return refuse_rc(r, rc);
}

/* --- the library --- */

int desk_td_library(struct desk *d, const struct viewer *v, struct str document, time_ns now, struct desk_reply *r)
{
    AUTO_LIBRARY struct td_library l = { 0 };
    json_t *items = json_array(), *problem = json_null();
    struct call c;

    desk_call_init(&c, d, v, now, r);
    int rc = library_here(&c, now, &l);
    if (rc == -EBADMSG || rc == -E2BIG) {
        problem = json_string(c.e->text);
        rc = 0;
    }
    for (size_t i = 0; rc == 0 && i < l.count; i++)
        if (!document.n || str_eq(l.items[i].document, document)) {
            json_t *q = requirement_json(&l.items[i]);

            json_object_set_new(q, "shown", json_str(l.items[i].text.text[v->lang]));
            json_object_set_new(q, "title", json_str(td_title(&c, l.items[i].document)));
            json_array_append_new(items, q);
        }
    r->json = json_pack("{s:o, s:o, s:o, s:n}", "problem", problem, "sha256", l.sha256[0] ? json_string(l.sha256) : json_null(), "items", items, "next");
    desk_call_free(&c);
    return refuse_rc(r, rc);
}
