/* changes.c - differences as people see them, their explanation by the owner, and what the centre makes of it. */
#include "desk/integrity/room.h"
#include "desk/blob.h"
#include "desk/notices/notices.h"
#include "desk/tables/tables.h"

static const char *const explanation_values[] = { "planned", "not_ours", NULL };
static const char *const decision_values[] = { "accept", "question", NULL };

/* --- reading --- */

#define CHANGE_COLUMNS                                                                                                                          \
    "g.id, g.object_id, o.name, h.host, g.kind, g.key, g.against, g.what, g.before, g.after, g.state, g.found_at, g.last_at, g.count, g.reason,"    \
    " g.document_sha256, g.document_name, g.explained_at, g.explained_by, u.name, g.decided_at, g.decided_by, w.name, g.note, g.passport_version,"  \
    " g.case_due_at, k.id, k.number"
#define CHANGE_TABLES                                                                                                                           \
    " JOIN object o ON o.id = g.object_id LEFT JOIN fact_host h ON h.id = g.host_id LEFT JOIN user u ON u.id = g.explained_by LEFT JOIN user w ON" \
    " w.id = g.decided_by LEFT JOIN cases k ON k.id = g.case_id AND (?1 = 0 OR k.notified_at IS NOT NULL)"

static json_t *person(sqlite3_stmt *st, int column)
{
    return sqlite3_column_type(st, column) == SQLITE_NULL ? json_null() : json_pack("{s:o, s:o}", "id", db_json_id(st, column), "name", db_json(st, column + 1));
}

static json_t *explanation_json(sqlite3_stmt *st)
{
    bool denied = str_eq(db_str(st, 10), STR("denied"));

    if (sqlite3_column_type(st, 17) == SQLITE_NULL)
        return json_null();
    return json_pack("{s:s, s:o, s:o, s:o, s:o}", "kind", denied ? "not_ours" : "planned", "reason", db_json(st, 14), "document",
                     sqlite3_column_type(st, 15) == SQLITE_NULL ? json_null() : json_pack("{s:o, s:o}", "sha256", db_json(st, 15), "name", db_json(st, 16)), "at",
                     db_json_time(st, 17), "by", person(st, 18));
}

static json_t *change_json(sqlite3_stmt *st)
{
    const char *kind = fact_kind(db_str(st, 4));
    struct str before = db_str(st, 8), after = db_str(st, 9);
    json_t *out = json_pack("{s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "id", db_json_id(st, 0), "object", json_ref(db_str(st, 1), db_str(st, 2)), "host",
                            db_json(st, 3), "kind", db_json(st, 4), "key", db_json(st, 5), "against", db_json(st, 6), "what", db_json(st, 7));

    json_object_set_new(out, "before", fact_value_json(kind, before));
    json_object_set_new(out, "after", fact_value_json(kind, after));
    json_object_set_new(out, "state", db_json(st, 10));
    json_object_set_new(out, "found_at", db_json_time(st, 11));
    json_object_set_new(out, "last_at", db_json_time(st, 12));
    json_object_set_new(out, "count", json_integer(sqlite3_column_int64(st, 13)));
    json_object_set_new(out, "explanation", explanation_json(st));
    json_object_set_new(out, "decided_at", db_json_time(st, 20));
    json_object_set_new(out, "decided_by", person(st, 21));
    json_object_set_new(out, "note", db_json(st, 23));
    json_object_set_new(out, "passport_version", sqlite3_column_type(st, 24) == SQLITE_NULL ? json_null() : json_integer(sqlite3_column_int64(st, 24)));
    json_object_set_new(out, "case_due_at", db_json_time(st, 25));
    json_object_set_new(out, "case", sqlite3_column_type(st, 26) == SQLITE_NULL
                                         ? json_null()
                                         : json_pack("{s:o, s:o}", "id", db_json_id(st, 26), "number", db_json(st, 27)));
    return out;
}

/* A statement for each way in, so that each has its index: of one object, of the objects that an organisation reaches, of all; what waits, one state,
 * any; of all, one kind too. Within one object rows are few, and what is left is filtered. test_integrity.c looks at the plans. */
#define WAITING   "g.state IN ('open','denied','explained','questioned')"
#define LIST(index, where)                                                                                                                      \
    "SELECT " CHANGE_COLUMNS " FROM integrity_change g INDEXED BY " index CHANGE_TABLES " WHERE " where                                          \
    " AND (?5 = '' OR h.host = ?5) AND (?6 = '' OR g.kind = ?6) AND g.id < ?7 ORDER BY g.id DESC LIMIT ?8"
#define OF_OBJECT "g.object_id = ?3 AND " SCOPE_OBJECT
/* The rows of some objects are sorted as bare numbers, before anything is joined to them. */
#define OF_ORG(index, where)                                                                                                                    \
    "SELECT " CHANGE_COLUMNS " FROM integrity_change g" CHANGE_TABLES " WHERE g.id IN (SELECT i.id FROM integrity_change i INDEXED BY " index         \
    " WHERE i.object_id IN " OBJECTS_OF("?2") where " AND (?6 = '' OR i.kind = ?6) AND i.id < ?7 ORDER BY i.id DESC LIMIT ?8) AND (?5 = '' OR"      \
    " h.host = ?5) ORDER BY g.id DESC"

enum way_in { IN_OBJECT, IN_ORG, IN_ALL, IN_ALL_KIND, WAYS_IN };
enum whole { OF_WAITING, OF_STATE, OF_ANY, WHOLES };
static const char *const lists[WAYS_IN][WHOLES] = {
    [IN_OBJECT] = { LIST("integrity_change_object_waiting", OF_OBJECT " AND " WAITING), LIST("integrity_change_object_state", OF_OBJECT " AND g.state = ?4"),
                    LIST("integrity_change_object", OF_OBJECT) },
    [IN_ORG] = { OF_ORG("integrity_change_object_waiting", " AND i.state IN ('open','denied','explained','questioned')"),
                 OF_ORG("integrity_change_object_state", " AND i.state = ?4"), OF_ORG("integrity_change_object", "") },
    [IN_ALL] = { LIST("integrity_change_waiting", WAITING), LIST("integrity_change_state", "g.state = ?4"),
                 "SELECT " CHANGE_COLUMNS " FROM integrity_change g NOT INDEXED" CHANGE_TABLES
                 " WHERE (?5 = '' OR h.host = ?5) AND (?6 = '' OR g.kind = ?6) AND g.id < ?7 ORDER BY g.id DESC LIMIT ?8" },
    [IN_ALL_KIND] = { LIST("integrity_change_waiting", WAITING), LIST("integrity_change_state_kind", "g.state = ?4 AND g.kind = ?6"),
                      LIST("integrity_change_kind", "g.kind = ?6") },
};
static const char of_key_sql[] =
    "SELECT " CHANGE_COLUMNS " FROM integrity_change g INDEXED BY integrity_change_key" CHANGE_TABLES
    " WHERE g.object_id = ?3 AND " SCOPE_OBJECT " AND (?4 = '' OR g.state = ?4) AND g.host_id = (SELECT id FROM fact_host WHERE host = ?5) AND g.kind = ?6 AND"
    " g.key = ?9 AND g.id < ?7 ORDER BY g.id DESC LIMIT ?8";

static struct str or_empty(struct str s) { return s.p ? s : STR(""); }

static sqlite3_stmt *changes_query(struct call *c, const struct desk_integrity_query *q, int limit)
{
    struct scope s = scope_of(c->v);
    int64_t last = q->before.n ? parse_id(q->before) : INT64_MAX;
    struct str object = or_empty(q->object), state = or_empty(q->state), host = or_empty(q->host), kind = or_empty(q->kind);
    enum way_in in = object.n ? IN_OBJECT : s.bounded ? IN_ORG : kind.n ? IN_ALL_KIND : IN_ALL;
    enum whole whole = str_eq(state, STR("waiting")) ? OF_WAITING : state.n ? OF_STATE : OF_ANY;

    if (q->key.n)
        return db_query(c->d, c->e, of_key_sql, "iztttt" "iit", s.bounded, s.org, object, state, host, kind, last, (int64_t)limit + 1, q->key);
    return db_query(c->d, c->e, lists[in][whole], "iztttt" "ii", s.bounded, s.org, object, state, host, kind, last, (int64_t)limit + 1);
}

/* integrity_statements - for the test of the plans. */
const char *const *integrity_statements(size_t *count)
{
    *count = (size_t)WAYS_IN * WHOLES;
    return &lists[0][0];
}

static int changes_page(struct call *c, const struct desk_integrity_query *q)
{
    int limit = page_limit(q->limit);
    json_t *items = json_array();
    int64_t last = 0;
    bool more = false;
    sqlite3_stmt *st = changes_query(c, q, limit);
    int rc = st ? 0 : -EIO;

    while (st && (rc = db_step(c->d, st, c->e)) > 0) {
        if (json_array_size(items) == (size_t)limit) {
            more = true;
            db_done(st);
            break;
        }
        last = sqlite3_column_int64(st, 0);
        json_array_append_new(items, change_json(st));
    }
    c->r->json = json_pack("{s:o, s:o}", "items", items, "next", more ? json_id(last) : json_null());
    return rc < 0 ? rc : 0;
}

int desk_integrity_changes(struct desk *d, const struct viewer *v, const struct desk_integrity_query *q, struct desk_reply *r)
{
    struct call c;
    int rc;

    desk_call_init(&c, d, v, 0, r);
    rc = changes_page(&c, q);
    desk_call_free(&c);
    return refuse_rc(r, rc);
}

/* --- deciding --- */

struct pending {
    int64_t    id;
    struct str object_id, org_id, key, against, after, state;
};

static int pending_load(struct call *c, int64_t id, struct pending *p)
{
    struct scope s = scope_of(c->v);
    sqlite3_stmt *st = db_query(c->d, c->e,
                                "SELECT g.id, g.object_id, o.org_id, g.key, g.against, g.after, g.state FROM integrity_change g JOIN object o ON o.id = g.object_id"
                                " WHERE g.id = ?3 AND " SCOPE_OBJECT,
                                "izi", s.bounded, s.org, id);
    int rc = st ? db_step(c->d, st, c->e) : -EIO;

    if (rc <= 0)
        return rc < 0 ? rc : refuse(c, -ENOENT, "not_found", "ids", "no such difference");
    *p = (struct pending){ id, db_copy(st, 1, &c->a), db_copy(st, 2, &c->a), db_copy(st, 3, &c->a), db_copy(st, 4, &c->a), db_copy(st, 5, &c->a),
                           db_copy(st, 6, &c->a) };
    db_done(st);
    if (str_eq(p->state, STR("accepted")) || str_eq(p->state, STR("withdrawn")) || str_eq(p->state, STR("recorded")))
        return refuse(c, -EPROTO, "wrong_state", "ids", "difference %lld waits for nothing", (long long)id);
    return 0;
}

/* pending_all - those that the body names, in the arena. */
static int pending_all(struct call *c, const json_t *body, struct pending **out, size_t *count)
{
    const json_t *ids = json_object_get(body, "ids");
    int rc = 0;

    *count = json_array_size(ids);
    *out = arena_array(&c->a, *count ? *count : 1, sizeof **out);
    if (!*out)
        return err_set(c->e, -ENOMEM, "out of memory");
    if (*count == 0 || *count > INTEGRITY_IDS_MAX)
        return refuse(c, -EINVAL, "bad_request", "ids", "from 1 to %d differences at once", INTEGRITY_IDS_MAX);
    for (size_t i = 0; rc == 0 && i < *count; i++) {
        const json_t *id = json_array_get(ids, i);

        rc = pending_load(c, json_is_string(id) ? parse_id(str_c(json_string_value(id))) : 0, &(*out)[i]);
        for (size_t k = 0; rc == 0 && k < i; k++)
            if ((*out)[k].id == (*out)[i].id)
                rc = refuse(c, -EINVAL, "bad_request", "ids", "difference %lld is named twice", (long long)(*out)[i].id);
    }
    return rc;
}

static int explain(struct call *c, const json_t *body)
{
    bool denied = str_eq(json_get_str(body, "kind"), STR("not_ours"));
    struct str upload = json_get_str(body, "upload_id");
    struct pending *all = NULL;
    struct blob b = { .sha256 = "" };
    size_t count = 0;
    int rc = role_of_owner(c->v->role) ? 0 : refuse(c, -EACCES, "forbidden", NULL, "%s explains no differences: the owner's side does", desk_role_name(c->v->role));

    if (rc == 0)
        rc = pending_all(c, body, &all, &count);
    if (rc == 0 && upload.n)
        rc = blob_take(c, upload, "upload_id", &b);
    for (size_t i = 0; rc == 0 && i < count; i++) {
        rc = db_exec(c->d, c->e,
                     "UPDATE integrity_change SET state = ?2, reason = ?3, document_sha256 = ?4, document_name = ?5, explained_at = ?6, explained_by = ?7,"
                     " case_due_at = iif(?2 = 'denied', ?6, case_due_at) WHERE id = ?1",
                     "iztzzii", all[i].id, denied ? "denied" : "explained", json_get_str(body, "reason"), *b.sha256 ? b.sha256 : NULL,
                     *b.sha256 ? b.name : NULL, c->now, c->v->user_id);
        change_add(c->d, "change", all[i].object_id);
        rc = rc < 0 ? rc : 0;
    }
    if (rc == 0)
        rc = audit_add(c, "integrity.explain", "integrity", arena_printf(&c->a, "%zu differences, %s", count, denied ? "not ours" : "planned"), "ok");
    if (rc == 0)
        c->r->json = json_pack("{s:I}", "decided", (json_int_t)count);
    return rc;
}

/* new_sums - the passport's items with what was found put in; a file that is gone goes. */
static int new_sums(struct call *c, const struct pending *all, size_t count, struct str object, json_t *items)
{
    sqlite3_stmt *st = db_query(c->d, c->e,
                                "SELECT i.json FROM passport_item i WHERE i.passport_id = (SELECT id FROM passport WHERE object_id = ? ORDER BY version DESC LIMIT 1)"
                                " ORDER BY i.position",
                                "t", object);
    int rc = st ? 0 : -EIO;

    while (st && (rc = db_step(c->d, st, c->e)) > 0) {
        struct str text = db_str(st, 0);
        json_t *item = json_loadb(text.p, text.n, 0, NULL);
        struct str file = json_get_str(item, "file");
        bool gone = false;

        for (size_t i = 0; file.n && i < count; i++) {
            struct str path = all[i].key;
            bool fits = file.p[0] == '/' ? str_eq(file, path) : str_ends(path, file) && (path.n == file.n || path.p[path.n - file.n - 1] == '/');

            if (!str_eq(all[i].against, STR("passport")) || !str_eq(all[i].object_id, object) || !fits)
                continue;
            gone = !all[i].after.p;
            if (!gone) {
                json_object_set_new(item, "algorithm", json_string("sha256"));
                json_object_set_new(item, "value", json_str(value_part(all[i].after, 3)));
            }
        }
        if (gone)
            json_decref(item);
        else
            json_array_append_new(items, item);
    }
    return rc;
}

/* accept_object - accepted differences to the passport of one object make its next version. */
static int accept_object(struct call *c, const struct pending *all, size_t count, struct str object, struct str note, int64_t *version)
{
    json_t *items = json_array();
    struct passport_new p = { .object_id = object, .source = STR("observation"), .note = note, .items = items };
    int rc = new_sums(c, all, count, object, items);

    if (rc == 0)
        rc = passport_write(c, &p, version);
    json_decref(items);
    return rc;
}

static int decided(struct call *c, const struct pending *p, const char *state, int64_t version, struct str note)
{
    int rc = db_exec(c->d, c->e, "UPDATE integrity_change SET state = ?2, decided_at = ?3, decided_by = ?4, note = ?5, passport_version = ?6 WHERE id = ?1",
                     "iziitm", p->id, state, c->now, c->v->user_id, note, (time_ns)version);

    change_add(c->d, "change", p->object_id);
    return rc < 0 ? rc : 0;
}

/* accept_all - first every row, so that the new version withdraws none of them; then the versions. */
static int accept_all(struct call *c, const struct pending *all, size_t count, struct str note)
{
    int rc = 0;

    for (size_t i = 0; rc == 0 && i < count; i++)
        rc = decided(c, &all[i], "accepted", 0, note);
    for (size_t i = 0; rc == 0 && i < count; i++) {
        bool first = str_eq(all[i].against, STR("passport"));
        int64_t version = 0;

        for (size_t k = 0; k < i; k++)
            first = first && !(str_eq(all[k].object_id, all[i].object_id) && str_eq(all[k].against, STR("passport")));
        if (!first)
            continue;
        rc = accept_object(c, all, count, all[i].object_id, note, &version);
        for (size_t k = i; rc == 0 && k < count; k++)
            if (str_eq(all[k].object_id, all[i].object_id) && str_eq(all[k].against, STR("passport")))
                rc = decided(c, &all[k], "accepted", version, note);
    }
    return rc;
}

static int question_one(struct call *c, const struct pending *p, struct str note)
{
    struct subject about = { .kind = "object", .id = p->object_id, .object_id = p->object_id, .org_id = p->org_id };
    json_t *args = json_pack("{s:o}", "what", json_str(p->key));
    struct notice_new n = { .kind = "change_question", .paragraph = "7", .about = &about, .orgs = &p->org_id, .org_count = 1, .text = note };
    int64_t id = 0;
    int rc = decided(c, p, "questioned", 0, note);

    n.title = arena_printf(&c->a, "%.*s / %.*s", STR_ARG(text_fill(&c->a, catalog_text(c->d->setup.catalog, LANG_KK, "notice.change_question.title"), args)),
                           STR_ARG(text_fill(&c->a, catalog_text(c->d->setup.catalog, LANG_RU, "notice.change_question.title"), args)));
    json_decref(args);
    return rc < 0 ? rc : notice_issue(c, &n, &id);
}

static int decide(struct call *c, const json_t *body)
{
    bool accept = str_eq(json_get_str(body, "decision"), STR("accept"));
    struct str note = json_get_str(body, "note");
    struct pending *all = NULL;
    size_t count = 0;
    int rc = role_of_centre(c->v->role) ? 0 : refuse(c, -EACCES, "forbidden", NULL, "%s decides on no differences: the centre does", desk_role_name(c->v->role));

    if (rc == 0)
        rc = pending_all(c, body, &all, &count);
    if (rc == 0 && !accept && !note.n)
        rc = refuse(c, -EINVAL, "bad_request", "note", "a question needs words");
    if (rc == 0 && accept)
        rc = accept_all(c, all, count, note);
    for (size_t i = 0; rc == 0 && !accept && i < count; i++)
        rc = question_one(c, &all[i], note);
    if (rc == 0)
        rc = audit_add(c, accept ? "integrity.accept" : "integrity.question", "integrity", arena_printf(&c->a, "%zu differences", count), "ok");
    if (rc == 0)
        c->r->json = json_pack("{s:I}", "decided", (json_int_t)count);
    return rc;
}

/* act - one act on many: the body without its ids is checked by the table. */
static int act(struct desk *d, const struct viewer *v, const json_t *body, time_ns now, struct desk_reply *r, const struct body_field *fields, size_t count,
               const char *name, int (*run)(struct call *c, const json_t *body))
{
    json_t *rest = json_is_object(body) ? json_copy((json_t *)(uintptr_t)body) : NULL;
    struct call c;
    int rc;

    desk_call_init(&c, d, v, now, r);
    if (rest)
        json_object_del(rest, "ids");
    rc = body_check(rest, fields, count, r->field, c.e);
    json_decref(rest);
    if (rc == 0)
        rc = db_begin(d, c.e);
    if (rc == 0)
        rc = db_end(d, run(&c, body), c.e);
    if (rc == -EACCES)
        audit_refusal(&c, name, "integrity");
    if (rc < 0) {
        json_decref(r->json);
        r->json = NULL;
    }
    desk_call_free(&c);
    return refuse_rc(r, rc);
}

int desk_integrity_explain(struct desk *d, const struct viewer *v, const json_t *body, time_ns now, struct desk_reply *r)
{
    static const struct body_field fields[] = {
        { "kind", BODY_ENUM, true, false, 0, 0, explanation_values },
        { "reason", BODY_TEXT, true, false, 1, DESK_TEXT_MAX, NULL },
        { "upload_id", BODY_STRING, false, true, 1, 64, NULL },
    };

    return act(d, v, body, now, r, fields, COUNT(fields), "integrity.explain", explain);
}

int desk_integrity_decide(struct desk *d, const struct viewer *v, const json_t *body, time_ns now, struct desk_reply *r)
{
    static const struct body_field fields[] = {
        { "decision", BODY_ENUM, true, false, 0, 0, decision_values },
        { "note", BODY_TEXT, false, true, 0, DESK_TEXT_MAX, NULL },
    };

    return act(d, v, body, now, r, fields, COUNT(fields), "integrity.decide", decide);
}

int desk_integrity_document(struct desk *d, const struct viewer *v, struct str id, time_ns now, int *fd, struct desk_reply *r)
{
    struct scope s = scope_of(v);
    struct str sha256 = { NULL, 0 }, name = { NULL, 0 };
    sqlite3_stmt *st;
    struct blob b;
    struct call c;
    int rc;

    desk_call_init(&c, d, v, now, r);
    st = db_query(d, c.e,
                  "SELECT g.document_sha256, g.document_name FROM integrity_change g JOIN object o ON o.id = g.object_id WHERE g.id = ?3 AND"
                  " g.document_sha256 IS NOT NULL AND " SCOPE_OBJECT, "izi", s.bounded, s.org, parse_id(id));
    rc = st ? db_step(d, st, c.e) : -EIO;
    if (rc > 0) {
        sha256 = db_copy(st, 0, &c.a);
        name = db_copy(st, 1, &c.a);
        db_done(st);
    }
    if (rc == 0)
        rc = refuse(&c, -ENOENT, "not_found", NULL, "no such document");
    else if (rc > 0) {
        rc = audit_read(&c, "document.read", arena_printf(&c.a, "integrity/%.*s", STR_ARG(id)).p, sha256);
        if (rc == 0)
            rc = blob_open(&c, arena_copy(&c.a, sha256).p, fd, &b);
        if (rc == 0)
            r->json = json_pack("{s:o, s:s, s:I}", "name", json_str(name), "type", b.type, "size_bytes", (json_int_t)b.size_bytes);
    }
    desk_call_free(&c);
    return refuse_rc(r, rc);
}
