/* register.c - the register of the documents of Annex 3 at an object: numbered versions with their files; what is missing stands there as missing. */
#include "desk/documents/room.h"
#include "desk/blob.h"

static const struct body_field file_fields[] = {
    { "upload_id", BODY_STRING, true, false, 1, 64, NULL },
    { "dated_on", BODY_DATE, false, true, 0, 0, NULL },
};
static const struct body_field add_fields[] = {
    { "document", BODY_STRING, true, false, 1, 64, NULL },    { "number", BODY_STRING, false, true, 1, 100, NULL },
    { "dated_on", BODY_DATE, false, true, 0, 0, NULL },       { "edition", BODY_STRING, false, true, 1, 100, NULL },
    { "approved_by", BODY_STRING, false, true, 1, 300, NULL }, { "approved_on", BODY_DATE, false, true, 0, 0, NULL },
    { "signed", BODY_BOOL, true, false, 0, 0, NULL },         { "sealed", BODY_BOOL, false, true, 0, 0, NULL },
    { "certified", BODY_BOOL, true, false, 0, 0, NULL },      { "valid_until", BODY_DATE, false, true, 0, 0, NULL },
    { "review_on", BODY_DATE, false, true, 0, 0, NULL },      { "note", BODY_TEXT, false, true, 1, DESK_TEXT_MAX, NULL },
    { "files", BODY_ITEMS, false, false, 0, TD_FILES_MAX, NULL, file_fields, COUNT(file_fields) },
};

int version_add(struct call *c, const struct td_version *t, int64_t *id)
{
    int64_t n = 0;
    int rc = db_int(c->d, c->e, 0, &n, "SELECT max(version) FROM td_document WHERE object_id = ? AND document = ?", "tt", t->object_id, t->document);

    if (rc == 0 && n >= TD_VERSIONS_MAX)
        return refuse(c, -EINVAL, "bad_request", "document", "more than %d versions", TD_VERSIONS_MAX);
    if (rc < 0)
        return rc;
    return db_int(c->d, c->e, 0, id,
                  "INSERT INTO td_document(object_id, document, version, number, dated_on, edition, approved_by, approved_on, signed, sealed, certified,"
                  " valid_until, review_on, note, source, request_id, added_at, added_by) VALUES (?1,?2,?3,?4,?5,?6,?7,?8,?9,CASE WHEN ?10 >= 0 THEN ?10 END,"
                  "?11,?12,?13,?14,?15,?16,?17,?18) RETURNING id",
                  "ttittttti" "iitttzmim", t->object_id, t->document, n + 1, t->number, t->dated_on, t->edition, t->approved_by, t->approved_on,
                  (int64_t)t->is_signed, (int64_t)t->is_sealed, (int64_t)t->is_certified, t->valid_until, t->review_on, t->note, t->source,
                  (time_ns)t->request_id, c->now, (time_ns)(c->v ? c->v->user_id : 0));
}

int version_file(struct call *c, int64_t document_id, struct str name, struct str type, int64_t size, struct str sha256, struct str dated_on)
{
    int rc = db_exec(c->d, c->e, "INSERT INTO td_file(document_id, name, type, size_bytes, sha256, dated_on, added_at) VALUES (?,?,?,?,?,?,?)", "ittitti",
                     document_id, name, type, size, sha256, dated_on.n ? dated_on : (struct str){ NULL, 0 }, c->now);

    return rc < 0 ? rc : 0;
}

int newest_version(struct call *c, struct str object, struct str document, int64_t *id)
{
    return db_int(c->d, c->e, 0, id, "SELECT id FROM td_document WHERE object_id = ? AND document = ? ORDER BY version DESC LIMIT 1", "tt", object, document);
}

/* --- adding --- */

/* days_hold - days that exclude each other; none that proves something may lie ahead. */
static int days_hold(struct call *c, const json_t *body)
{
    static const char *const past[] = { "dated_on", "approved_on" };
    struct str until = json_get_str(body, "valid_until"), dated = json_get_str(body, "dated_on");
    char today[16];

    local_date(c->d, c->now, today);
    for (size_t i = 0; i < COUNT(past); i++)
        if (json_get_str(body, past[i]).n && str_cmp(json_get_str(body, past[i]), str_c(today)) > 0)
            return td_wrong(c, past[i], "lies in the future");
    if (until.n && dated.n && str_cmp(until, dated) < 0)
        return td_wrong(c, "valid_until", "before the day of the document");
    return 0;
}

static int files_take(struct call *c, const json_t *body, int64_t id)
{
    json_t *f;
    size_t i;

    json_array_foreach(json_object_get(body, "files"), i, f) {
        char field[48];
        struct blob b;

        snprintf(field, sizeof field, "files.%zu.upload_id", i);
        int rc = blob_take(c, json_get_str(f, "upload_id"), field, &b);
        if (rc == 0)
            rc = version_file(c, id, str_c(b.name), str_c(b.type), b.size_bytes, str_c(b.sha256), json_get_str(f, "dated_on"));
        if (rc < 0)
            return rc;
    }
    return 0;
}

static int add(struct call *c, struct str object, const json_t *body, struct str *document)
{
    const struct enumeration *docs = NULL;
    const json_t *sealed = json_object_get(body, "sealed");
    bool owner = role_of_owner(c->v->role);
    int64_t id = 0;
    int rc = td_object_reached(c, object);

    if (rc == 0)
        rc = object_capacity(c, object);
    if (rc == 0)
        rc = body_check(body, add_fields, COUNT(add_fields), c->r->field, c->e);
    if (rc == 0)
        rc = td_documents(c, c->now, &docs);
    if (rc < 0)
        return rc;
    *document = json_get_str(body, "document");
    if (!enumeration_value(docs, *document))
        return td_wrong(c, "document", "not one of the documents of Annex 3");
    struct td_version t = { .object_id = object, .document = *document, .number = json_get_str(body, "number"), .dated_on = json_get_str(body, "dated_on"),
                            .edition = json_get_str(body, "edition"), .approved_by = json_get_str(body, "approved_by"),
                            .approved_on = json_get_str(body, "approved_on"), .valid_until = json_get_str(body, "valid_until"),
                            .review_on = json_get_str(body, "review_on"), .note = json_get_str(body, "note"),
                            .is_signed = json_is_true(json_object_get(body, "signed")), .is_sealed = json_is_boolean(sealed) ? json_is_true(sealed) : -1,
                            .is_certified = json_is_true(json_object_get(body, "certified")), .source = owner ? "owner" : "centre" };
    rc = days_hold(c, body);
    if (rc == 0)
        rc = version_add(c, &t, &id);
    if (rc == 0)
        rc = files_take(c, body, id);
    return rc < 0 ? rc : audit_add(c, "document.add", arena_printf(&c->a, "object/%.*s", STR_ARG(object)).p, *document, "ok");
}

int desk_td_add(struct desk *d, const struct viewer *v, struct str object, const json_t *body, time_ns now, struct desk_reply *r)
{
    struct str document = { NULL, 0 };
    struct call c;
    int rc;

    desk_call_init(&c, d, v, now, r);
    rc = db_begin(d, c.e);
    if (rc == 0)
        rc = db_end(d, add(&c, object, body, &document), c.e);
    if (rc == -EACCES)
        audit_refusal(&c, "document.add", "object");
    rc = rc < 0 ? refuse_rc(r, rc) : desk_td_versions(d, v, object, document, 1, STR(""), now, r);
    desk_call_free(&c);
    return rc;
}

/* --- reading --- */

static json_t *files_json(struct call *c, int64_t version)
{
    json_t *out = json_array();
    sqlite3_stmt *st = db_query(c->d, NULL, "SELECT id, name, type, size_bytes, sha256, dated_on, added_at FROM td_file WHERE document_id = ? ORDER BY id", "i",
                                version);

    while (st && db_step(c->d, st, NULL) > 0)
        json_array_append_new(out, json_pack("{s:o, s:o, s:o, s:I, s:o, s:o, s:o}", "id", db_json_id(st, 0), "name", db_json(st, 1), "type", db_json(st, 2),
                                             "size_bytes", (json_int_t)sqlite3_column_int64(st, 3), "sha256", db_json(st, 4), "dated_on", db_json(st, 5),
                                             "added_at", db_json_time(st, 6)));
    return out;
}

static json_t *flag_json(sqlite3_stmt *st, int column)
{
    return sqlite3_column_type(st, column) == SQLITE_NULL ? json_null() : json_boolean(sqlite3_column_int(st, column));
}

#define VERSION_COLUMNS                                                                                                                                  \
    "t.id, t.version, t.number, t.dated_on, t.edition, t.approved_by, t.approved_on, t.signed, t.sealed, t.certified, t.valid_until, t.review_on, t.note," \
    " t.source, r.number, t.request_id, t.added_at, u.name"
#define VERSION_TABLES " FROM td_document t LEFT JOIN user u ON u.id = t.added_by LEFT JOIN request r ON r.id = t.request_id "

/* passed - a day that is named and is over. */
static int passed(const char *today, struct str day) { return day.n > 0 && str_cmp(day, str_c(today)) < 0; }

static json_t *version_json(struct call *c, sqlite3_stmt *st, const char *today, int64_t *id)
{
    struct str until = db_str(st, 10), review = db_str(st, 11);
    json_t *request = sqlite3_column_type(st, 15) == SQLITE_NULL ? json_null() : json_pack("{s:o, s:o}", "id", db_json_id(st, 15), "number", db_json(st, 14));

    (void)c;
    *id = sqlite3_column_int64(st, 0);
    return json_pack("{s:o, s:I, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:b, s:o, s:b, s:o, s:o, s:o, s:o, s:o}", "id", db_json_id(st, 0), "version",
                     (json_int_t)sqlite3_column_int64(st, 1), "number", db_json(st, 2), "dated_on", db_json(st, 3), "edition", db_json(st, 4), "approved_by",
                     db_json(st, 5), "approved_on", db_json(st, 6), "signed", flag_json(st, 7), "sealed", flag_json(st, 8), "certified", flag_json(st, 9),
                     "valid_until", db_json(st, 10), "expired", passed(today, until), "review_on", db_json(st, 11), "review_due", passed(today, review), "note",
                     db_json(st, 12), "source", db_json(st, 13), "request", request, "added_at", db_json_time(st, 16), "added_by", db_json(st, 17));
}

int desk_td_versions(struct desk *d, const struct viewer *v, struct str object, struct str document, int limit, struct str before, time_ns now,
                     struct desk_reply *r)
{
    json_t *items = json_array(), *one, *next = json_null();
    char today[16];
    struct call c;
    size_t i;

    desk_call_init(&c, d, v, now, r);
    local_date(d, now, today);
    int rc = td_object_reached(&c, object), most = page_limit(limit);
    sqlite3_stmt *st = rc == 0 ? db_query(d, c.e, "SELECT " VERSION_COLUMNS VERSION_TABLES
                                          "WHERE t.object_id = ?1 AND t.document = ?2 AND t.version < ?3 ORDER BY t.version DESC LIMIT ?4",
                                          "ttii", object, document, parse_id(before) ? parse_id(before) : INT64_MAX, (int64_t)most + 1)
                               : NULL;
    for (rc = rc < 0 ? rc : st ? db_step(d, st, c.e) : -EIO; rc > 0; rc = db_step(d, st, c.e)) {
        int64_t id = 0;

        if (json_array_size(items) == (size_t)most) {
            json_decref(next);
            next = json_id(json_integer_value(json_object_get(json_array_get(items, (size_t)most - 1), "version")));
            db_done(st);
            rc = 0;
            break;
        }
        json_array_append_new(items, version_json(&c, st, today, &id));
    }
    json_array_foreach(items, i, one)
        json_object_set_new(one, "files", files_json(&c, parse_id(json_get_str(one, "id"))));
    r->json = json_pack("{s:o, s:o}", "items", items, "next", next);
    desk_call_free(&c);
    return refuse_rc(r, rc);
}

/* newest - {document: newest version}, with the number of versions. */
static int newest(struct call *c, struct str object, json_t **out)
{
    char today[16];
    sqlite3_stmt *st = db_query(c->d, c->e, "SELECT " VERSION_COLUMNS ", t.document" VERSION_TABLES
                                "WHERE t.object_id = ?1 AND t.version = (SELECT max(x.version) FROM td_document x WHERE x.object_id = ?1 AND x.document ="
                                " t.document)", "t", object);
    int rc = st ? 0 : -EIO;
    const char *key;
    json_t *one;

    local_date(c->d, c->now, today);
    *out = json_object();
    while (st && (rc = db_step(c->d, st, c->e)) > 0) {
        int64_t id = 0;
        json_t *v = version_json(c, st, today, &id);

        json_object_setn_new(*out, db_str(st, 18).p, db_str(st, 18).n, v);
    }
    json_object_foreach(*out, key, one)
        json_object_set_new(one, "files", files_json(c, parse_id(json_get_str(one, "id"))));
    return rc;
}

int register_json(struct call *c, struct str object, json_t **out)
{
    const struct enumeration *docs = NULL;
    json_t *have = NULL;
    int rc = td_documents(c, c->now, &docs);

    *out = json_array();
    if (rc == 0)
        rc = newest(c, object, &have);
    for (size_t i = 0; rc == 0 && i < docs->count; i++) {
        const struct enum_value *v = &docs->values[i];
        json_t *one = json_object_getn(have, v->id.p, v->id.n);

        json_array_append_new(*out, json_pack("{s:o, s:o, s:i, s:i, s:o, s:b, s:o}", "document", json_str(v->id), "row", json_str(v->row), "level", td_level(v),
                                              "number", (int)v->number, "title", json_str(v->name.text[c->v ? c->v->lang : LANG_KK]), "missing", one == NULL,
                                              "newest", one ? json_incref(one) : json_null()));
    }
    json_decref(have);
    return rc;
}

int desk_td_register(struct desk *d, const struct viewer *v, struct str object, time_ns now, struct desk_reply *r)
{
    json_t *items = NULL;
    struct str name = { NULL, 0 };
    struct call c;

    desk_call_init(&c, d, v, now, r);
    int rc = td_object_reached(&c, object);
    sqlite3_stmt *st = rc == 0 ? db_query(d, c.e, "SELECT name FROM object WHERE id = ?", "t", object) : NULL;
    if (st && db_step(d, st, c.e) > 0) {
        name = db_copy(st, 0, &c.a);
        db_done(st);
    }
    if (rc == 0)
        rc = register_json(&c, object, &items);
    if (rc == 0)
        r->json = json_pack("{s:o, s:o, s:b, s:O, s:n}", "now", json_time(now), "object", json_ref(object, name), "may_add",
                            (int)(v->role == DESK_OWNER_OFFICER || v->role == DESK_OWNER_ADMINISTRATOR || v->role == DESK_DOCUMENT_AUDITOR || role_of_centre(v->role)),
                            "items", items, "next");
    json_decref(items);
    desk_call_free(&c);
    return refuse_rc(r, rc);
}

int desk_td_file(struct desk *d, const struct viewer *v, struct str object, struct str file, time_ns now, int *fd, struct desk_reply *r)
{
    struct str sha, name;
    struct blob b;
    struct call c;

    desk_call_init(&c, d, v, now, r);
    int rc = td_object_reached(&c, object);
    sqlite3_stmt *st = rc == 0 ? db_query(d, c.e, "SELECT f.sha256, f.name FROM td_file f JOIN td_document t ON t.id = f.document_id WHERE f.id = ? AND t.object_id = ?",
                                          "it", parse_id(file), object)
                               : NULL;
    if (rc == 0)
        rc = st ? db_step(d, st, c.e) : -EIO;
    if (rc > 0) {
        sha = db_copy(st, 0, &c.a);
        name = db_copy(st, 1, &c.a);
        db_done(st);
        rc = audit_read(&c, "document.read", arena_printf(&c.a, "object/%.*s", STR_ARG(object)).p, sha);
        if (rc == 0)
            rc = blob_open(&c, sha.p, fd, &b);
        if (rc == 0)
            r->json = json_pack("{s:o, s:s, s:I}", "name", json_str(name), "type", b.type, "size_bytes", (json_int_t)b.size_bytes);
    } else if (rc == 0)
        rc = refuse(&c, -ENOENT, "not_found", NULL, "no such file");
    desk_call_free(&c);
    return refuse_rc(r, rc);
}
