/* files.c - evidence: files by the SHA-256 of their bytes, with the moment and place of photographs and films. */
#include "desk/requests/kind.h"
#include "desk/blob.h"

int files_json(struct call *c, const struct req *q, json_t **out)
{
    sqlite3_stmt *st = db_query(c->d, c->e,
                                "SELECT f.id, f.role, f.item, f.name, f.type, f.size_bytes, f.sha256, f.captured_at, f.place, f.note, f.added_at, u.name"
                                " FROM request_file f LEFT JOIN user u ON u.id = f.added_by WHERE f.request_id = ? ORDER BY f.id",
                                "i", q->id);
    int rc = st ? 0 : -EIO;

    *out = json_array();
    while (st && (rc = db_step(c->d, st, c->e)) > 0)
        json_array_append_new(*out, json_pack("{s:o, s:o, s:o, s:o, s:o, s:I, s:o, s:o, s:o, s:o, s:o, s:o}", "id", db_json_id(st, 0), "role", db_json(st, 1),
                                              "item", db_json(st, 2), "name", db_json(st, 3), "type", db_json(st, 4), "size_bytes",
                                              (json_int_t)sqlite3_column_int64(st, 5), "sha256", db_json(st, 6), "captured_at", db_json_time(st, 7), "place",
                                              db_json(st, 8), "note", db_json(st, 9), "added_at", db_json_time(st, 10), "added_by", db_json(st, 11)));
    return rc;
}

int files_of(struct call *c, const struct req *q, const char *role, int64_t *n)
{
    return db_int(c->d, c->e, 0, n, "SELECT count(*) FROM request_file WHERE request_id = ? AND role = ?", "iz", q->id, role);
}

static const char *const file_roles[] = { "letter", "information", "formats", "format_description", "photo", "video", "document", "protocol", "contract", NULL };
static const struct body_field attach_fields[] = {
    { "upload_id", BODY_STRING, true, false, 1, 64, NULL },
    { "role", BODY_ENUM, true, false, 0, 0, file_roles },
    { "item", BODY_STRING, false, true, 1, 64, NULL },
    { "captured_at", BODY_DATETIME, false, true, 0, 0, NULL },
    { "place", BODY_STRING, false, true, 1, 300, NULL },
    { "note", BODY_TEXT, false, true, 0, DESK_TEXT_MAX, NULL },
};

/* may_attach - whoever may open such a request or act on it. */
static bool may_attach(const struct req *q, enum desk_role role)
{
    unsigned roles = q->kind->open;

    for (const struct req_act *a = q->kind->acts; a->name; a++)
        roles |= a->roles;
    return (roles & (1u << role)) != 0;
}

static int attach_check(struct call *c, const struct req *q, const json_t *body, time_ns *captured)
{
    struct str role = json_get_str(body, "role"), item = json_get_str(body, "item");
    bool recording = str_eq(role, STR("photo")) || str_eq(role, STR("video"));
    int64_t n = 0;
    int rc = db_int(c->d, c->e, 0, &n, "SELECT count(*) FROM request_file WHERE request_id = ?", "i", q->id);

    if (rc == 0 && n >= REQUEST_FILES_MAX)
        return refuse(c, -EINVAL, "bad_request", "upload_id", "more than %d files", REQUEST_FILES_MAX);
    if (rc == 0 && recording && json_get_str(body, "captured_at").n == 0)
        return req_wrong(c, "captured_at", "a recording needs the moment of its making");
    if (rc == 0 && recording && json_get_str(body, "place").n == 0)
        return req_wrong(c, "place", "a recording needs its place");
    if (rc == 0 && item.n) {
        rc = db_int(c->d, c->e, 0, &n, "SELECT count(*) FROM request_item WHERE request_id = ? AND code = ?", "it", q->id, item);
        if (rc == 0 && n == 0)
            return req_wrong(c, "item", "no such line");
    }
    *captured = 0;
    return rc < 0 || json_get_str(body, "captured_at").n == 0 ? rc : moment_of(c, body, "captured_at", true, captured);
}

static int attach(struct call *c, int64_t id, const json_t *body)
{
    AUTO_REQ struct req q = { 0 };
    time_ns captured = 0;
    struct blob b;
    char target[40];
    int rc = req_load(c, id, &q);

    if (rc < 0)
        return rc;
    if (!may_attach(&q, c->v->role))
        return refuse(c, -EACCES, "forbidden", NULL, "%s may not attach files", desk_role_name(c->v->role));
    if (q.state->ended)
        return refuse(c, -EPROTO, "wrong_state", NULL, "the request has ended");
    rc = body_check(body, attach_fields, COUNT(attach_fields), c->r->field, c->e);
    if (rc == 0)
        rc = attach_check(c, &q, body, &captured);
    if (rc == 0)
        rc = blob_take(c, json_get_str(body, "upload_id"), "upload_id", &b);
    if (rc == 0)
        rc = db_exec(c->d, c->e,
                     "INSERT INTO request_file(request_id, item, role, name, type, size_bytes, sha256, captured_at, place, note, added_at, added_by)"
                     " VALUES (?,?,?,?,?,?,?,?,?,?,?,?)",
                     "ittzzizmttii", q.id, json_get_str(body, "item"), json_get_str(body, "role"), b.name, b.type, b.size_bytes, b.sha256, captured,
                     json_get_str(body, "place"), json_get_str(body, "note"), c->now, c->v->user_id);
    if (rc >= 0) {
        struct subject s = req_subject(&q);

        rc = timeline_of(c, &s, &(struct line){ .kind = "file", .text = str_c(b.name), .happened_at = captured, .sha256 = b.sha256 });
    }
    if (rc >= 0)
        rc = req_save(c, &q);
    snprintf(target, sizeof target, "request/%lld", (long long)q.id);
    return rc < 0 ? rc : audit_add(c, "request.attach", target, str_c(b.sha256), "ok");
}

int desk_request_attach(struct desk *d, const struct viewer *v, struct str id, const json_t *body, time_ns now, struct desk_reply *r)
{
    struct call c;
    int rc;

    desk_call_init(&c, d, v, now, r);
    rc = db_begin(d, c.e);
    if (rc == 0)
        rc = db_end(d, attach(&c, parse_id(id), body), c.e);
    if (rc == -EACCES)
        audit_refusal(&c, "request.attach", "request");
    desk_call_free(&c);
    return rc < 0 ? refuse_rc(r, rc) : desk_request(d, v, id, now, r);
}

int desk_request_file(struct desk *d, const struct viewer *v, struct str id, struct str file, time_ns now, int *fd, struct desk_reply *r)
{
    AUTO_REQ struct req q = { 0 };
    struct str sha, name;
    struct call c;
    struct blob b;
    int rc;

    desk_call_init(&c, d, v, now, r);
    rc = req_load(&c, parse_id(id), &q);
    sqlite3_stmt *st = rc == 0 ? db_query(d, c.e, "SELECT sha256, name FROM request_file WHERE request_id = ? AND id = ?", "ii", q.id, parse_id(file)) : NULL;
    if (rc == 0)
        rc = st ? db_step(d, st, c.e) : -EIO;
    if (rc > 0) {
        sha = db_copy(st, 0, &c.a);
        name = db_copy(st, 1, &c.a);
        db_done(st);
        rc = audit_read(&c, "document.read", arena_printf(&c.a, "request/%lld", (long long)q.id).p, sha);
        if (rc == 0)
            rc = blob_open(&c, sha.p, fd, &b);
        if (rc == 0)
            r->json = json_pack("{s:o, s:s, s:I}", "name", json_str(name), "type", b.type, "size_bytes", (json_int_t)b.size_bytes);
    } else if (rc == 0)
        rc = refuse(&c, -ENOENT, "not_found", NULL, "no such file");
    desk_call_free(&c);
    return refuse_rc(r, rc);
}
