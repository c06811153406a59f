/* list.c - requests as they are told: pages of them, and one with all that belongs to it. */
#include "desk/requests/kind.h"

/* sides_of - whose turn counts as "mine" for a viewer: two values of waits. */
static void sides_of(const struct viewer *v, const char *out[2])
{
    out[0] = out[1] = "owner";
    if (role_of_centre(v->role) || v->role == DESK_SURVEYOR || v->role == DESK_DOCUMENT_AUDITOR) {
        out[0] = "centre";
        out[1] = "ocib";
    } else if (v->role == DESK_OCIB_ANALYST)
        out[1] = "ocib";
}

static json_t *next_due_json(struct call *c, sqlite3_stmt *st, int column)
{
    time_ns due = sqlite3_column_int64(st, column), left = due - c->now;

    if (sqlite3_column_type(st, column) == SQLITE_NULL)
        return json_null();
    return json_pack("{s:o, s:o, s:I}", "obligation", db_json(st, column + 1), "due", json_time(due), "remaining_s",
                     (json_int_t)(left >= 0 ? left / NS_PER_SECOND : -((-left + NS_PER_SECOND - 1) / NS_PER_SECOND)));
}

static json_t *summary_json(struct call *c, sqlite3_stmt *st)
{
    const struct req_kind *k = req_kind_find(db_str(st, 2));

    return json_pack("{s:o, s:o, s:o, s:s, s:o, s:o, s:b, s:o, s:o, s:o, s:o, s:o, s:o, s:b}", "id", db_json_id(st, 0), "number", db_json(st, 1), "kind",
                     db_json(st, 2), "paragraph", k ? k->paragraph : "", "state", db_json(st, 3), "waits", db_json(st, 4), "ended", sqlite3_column_int(st, 5),
                     "object", json_ref(db_str(st, 6), db_str(st, 7)), "org", json_ref(db_str(st, 8), db_str(st, 9)), "title", db_json(st, 10), "opened_at",
                     db_json_time(st, 11), "updated_at", db_json_time(st, 12), "next_due", next_due_json(c, st, 13), "overdue",
                     sqlite3_column_type(st, 13) != SQLITE_NULL && c->now > sqlite3_column_int64(st, 13));
}

#define SUMMARY                                                                                                                              \
    "SELECT r.id, r.number, r.kind, r.state, r.waits, r.ended, o.id, o.name, g.id, g.name, json_extract(r.values_json, '$.title'), r.opened_at," \
    " r.updated_at, d.due_at, d.obligation FROM request r JOIN object o ON o.id = r.object_id JOIN org g ON g.id = o.org_id LEFT JOIN duty d ON d.id ="  \
    " (SELECT x.id FROM duty x WHERE x.subject = 'request' AND x.subject_id = CAST(r.id AS TEXT) AND x.state = 'running' AND x.due_at IS NOT NULL ORDER BY x.due_at LIMIT 1)"

static int page(struct call *c, const struct requests_query *q, json_t *items, int64_t *next)
{
    struct scope s = scope_of(c->v);
    int64_t before = parse_id(q->before), limit = page_limit(q->limit), list = c->v->role == DESK_AUTHORISED_BODY;
    const char *mine[2];
    sqlite3_stmt *st;
    int rc;

    sides_of(c->v, mine);
    st = db_query(c->d, c->e,
                  SUMMARY " WHERE (?1 = 0 OR (r.inner = 0 AND (" SCOPE_OBJECT " OR (?3 = 1 AND r.kind = 'cii_connection')))) AND r.id < ?4"
                  " AND (?5 = '' OR r.kind = ?5) AND (?6 = '' OR r.state = ?6) AND (?7 = '' OR r.object_id = ?7)"
                  " AND CASE ?8 WHEN 'ended' THEN r.ended = 1 WHEN 'mine' THEN r.ended = 0 AND r.waits IN (?9, ?10)"
                  " WHEN 'other' THEN r.ended = 0 AND r.waits NOT IN (?9, ?10) WHEN 'all' THEN 1 ELSE r.ended = 0 END"
                  " ORDER BY r.id DESC LIMIT ?11",
                  "iziitttt" "zzi", s.bounded, s.org, list, before ? before : INT64_MAX, q->kind.p ? q->kind : STR(""), q->state.p ? q->state : STR(""),
                  q->object.p ? q->object : STR(""), q->side.p ? q->side : STR(""), mine[0], mine[1], limit + 1);
    rc = st ? 0 : -EIO;
    *next = 0;
    while (st && (rc = db_step(c->d, st, c->e)) > 0) {
        if ((int64_t)json_array_size(items) == limit) {
            *next = parse_id(json_get_str(json_array_get(items, (size_t)limit - 1), "id"));
            db_done(st);
            return 0;
        }
        json_array_append_new(items, summary_json(c, st));
    }
    return rc;
}

int desk_requests(struct desk *d, const struct viewer *v, const struct requests_query *q, time_ns now, struct desk_reply *r)
{
    json_t *items = json_array();
    int64_t next = 0;
    struct call c;
    int rc;

    desk_call_init(&c, d, v, now, r);
    rc = page(&c, q, items, &next);
    r->json = json_pack("{s:o, s:o, s:o}", "now", json_time(now), "items", items, "next", next ? json_id(next) : json_null());
    desk_call_free(&c);
    return refuse_rc(r, rc);
}

/* --- one --- */

static json_t *author_json(sqlite3_stmt *st, int column)
{
    if (sqlite3_column_type(st, column) == SQLITE_NULL)
        return json_null();
    return json_pack("{s:o, s:o, s:o}", "id", db_json_id(st, column), "name", db_json(st, column + 1), "role", db_json(st, column + 2));
}

/* step_text - what a person wrote, behind what the system has to tell in the reader's language. */
static json_t *step_text(struct call *c, struct str text, struct str key, json_t *values)
{
    if (!key.n)
        return json_str(text);
    struct str told = text_fill(&c->a, catalog_text(c->d->setup.catalog, c->v->lang, key.p), values);
    AUTO_BUF struct buf b = { 0 };

    buf_init(&b, MIB);
    buf_str(&b, told);
    if (text.n)
        buf_byte(&b, '\n');
    buf_str(&b, text);
    return json_str(buf_view(&b));
}

static int steps_json(struct call *c, const struct req *q, json_t **out)
{
    sqlite3_stmt *st = db_query(c->d, c->e,
                                "SELECT t.id, t.kind, t.happened_at, t.recorded_at, t.due_at, t.author_id, u.name, u.role, t.text, t.key, t.args,"
                                " t.obligation, t.addressee FROM timeline t LEFT JOIN user u ON u.id = t.author_id"
                                " WHERE t.subject = 'request' AND t.subject_id = ?1 AND (?2 = 0 OR t.internal = 0) ORDER BY t.recorded_at, t.id",
                                "zi", q->id_text, scope_of(c->v).bounded);
    int rc = st ? 0 : -EIO;

    *out = json_array();
    while (st && (rc = db_step(c->d, st, c->e)) > 0) {
        struct str args = db_str(st, 10), key = db_copy(st, 9, &c->a);
        json_t *values = args.n ? json_loadb(args.p, args.n, 0, NULL) : NULL;

        json_array_append_new(*out, json_pack("{s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "id", db_json_id(st, 0), "kind", db_json(st, 1),
                                              "happened_at", db_json_time(st, 2), "recorded_at", db_json_time(st, 3), "due_at", db_json_time(st, 4),
                                              "author", author_json(st, 5), "obligation", db_json(st, 11), "addressee", db_json(st, 12), "text",
                                              step_text(c, db_copy(st, 8, &c->a), key, values), "values",
                                              !key.n && json_object_size(values) ? json_incref(values) : json_null()));
        json_decref(values);
    }
    return rc;
}

static int opened_by(struct call *c, const struct req *q, json_t **out)
{
    sqlite3_stmt *st = db_query(c->d, c->e, "SELECT u.id, u.name, u.role FROM user u WHERE u.id = ?", "i", q->opened_by);
    int rc = st ? db_step(c->d, st, c->e) : -EIO;

    *out = rc > 0 ? author_json(st, 0) : json_null();
    if (rc > 0)
        db_done(st);
    return rc < 0 ? rc : 0;
}

static int one_json(struct call *c, const struct req *q, json_t **out)
{
    static const char *const waits[] = { "nobody", "owner", "centre", "ocib" };
    json_t *clocks = NULL, *items = NULL, *files = NULL, *steps = NULL, *by = NULL, *notices = NULL;
    struct subject s = req_subject(q);
    int rc = duties_json(c, &s, &clocks);

    if (rc == 0)
        rc = items_json(c, q, &items);
    if (rc == 0)
        rc = files_json(c, q, &files);
    if (rc == 0)
        rc = steps_json(c, q, &steps);
    if (rc == 0)
        rc = opened_by(c, q, &by);
    if (rc == 0)
        rc = notices_of(c, &s, &notices);
    if (rc == 0)
        *out = json_pack("{s:o, s:o, s:o, s:s, s:s, s:o, s:s, s:s, s:b, s:o, s:o, s:o, s:o, s:o, s:O, s:O, s:O, s:O, s:O, s:o}", "now", json_time(c->now),
                         "id", json_id(q->id), "number", json_str(q->number), "kind", q->kind->name, "paragraph", q->kind->paragraph, "batch",
                         q->batch ? json_id(q->batch) : json_null(), "state", q->state->name, "waits", waits[q->state->waits], "ended", q->state->ended,
                         "object", json_ref(q->object_id, q->object_name), "org", json_ref(q->org_id, q->org_name), "opened_at", json_time(q->opened_at),
                         "opened_by", json_incref(by), "item_fields", body_fields_json(q->kind->item_fields, body_field_count(q->kind->item_fields, REQ_ITEM_VALUES_MAX)), "values", q->values,
                         "items", items, "files", files, "clocks", clocks, "timeline", steps, "actions", req_actions_json(c, q));
    if (rc == 0)
        json_object_set(*out, "notices", notices);
    json_decref(notices);
    json_decref(by);
    json_decref(clocks);
    json_decref(items);
    json_decref(files);
    json_decref(steps);
    return rc;
}

/* shows_person - does the request name somebody with how to reach them, or hold the Information with its contacts? */
static bool shows_person(const struct req *q)
{
    const char *key;
    json_t *v;

    json_object_foreach(q->values, key, v)
        if (strncmp(key, "person_", 7) == 0 || strcmp(key, "information") == 0)
            return true;
    return false;
}

int desk_request(struct desk *d, const struct viewer *v, struct str id, time_ns now, struct desk_reply *r)
{
    AUTO_REQ struct req q = { 0 };
    struct call c;
    int rc;

    desk_call_init(&c, d, v, now, r);
    rc = req_load(&c, parse_id(id), &q);
    if (rc == 0 && shows_person(&q))
        rc = audit_read(&c, "personal.read", arena_printf(&c.a, "request/%lld", (long long)q.id).p, q.number);
    if (rc == 0)
        rc = one_json(&c, &q, &r->json);
    desk_call_free(&c);
    return refuse_rc(r, rc);
}

int desk_request_targets(struct desk *d, const struct viewer *v, struct str kind, struct str q, struct desk_reply *r)
{
    json_t *items = json_array();
    struct scope s = scope_of(v);
    struct call c;

    desk_call_init(&c, d, v, 0, r);
    struct str wanted = fold_text(q, &c.a);
    sqlite3_stmt *st = db_query(d, c.e,
                                "SELECT o.id, o.name, g.id, g.name FROM object o JOIN org g ON g.id = o.org_id WHERE o.active = 1 AND (" SCOPE_OBJECT
                                " OR (?3 = 1 AND o.is_ego = 0 AND NOT EXISTS (SELECT 1 FROM request x WHERE x.object_id = o.id AND x.kind ="
                                " 'cii_connection' AND x.ended = 0))) ORDER BY o.name, o.id LIMIT 20000",
                                "izi", s.bounded, s.org, (int64_t)(v->role == DESK_AUTHORISED_BODY && str_eq(kind, STR("cii_connection"))));
    int rc = st ? 0 : -EIO;

    if (!req_kind_find(kind))
        rc = refuse(&c, -ENOENT, "not_found", NULL, "no such kind");
    for (rc = rc < 0 ? rc : db_step(d, st, c.e); rc > 0; rc = db_step(d, st, c.e)) {
        if (json_array_size(items) == 200 || (wanted.n && str_find(fold_text(db_str(st, 1), &c.a), wanted) < 0))
            continue;
        json_array_append_new(items, json_pack("{s:o, s:o, s:o}", "id", db_json(st, 0), "name", db_json(st, 1), "org", json_ref(db_str(st, 2), db_str(st, 3))));
    }
    r->json = json_pack("{s:o, s:n}", "items", items, "next");
    desk_call_free(&c);
    return refuse_rc(r, rc);
}
