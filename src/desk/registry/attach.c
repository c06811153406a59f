/* attach.c - files that belong to a record: what they are, who brought them, who approved them. The bytes lie in blob.h, once each. */
#include "desk/approvals/approvals.h"
#include "desk/blob.h"
#include "desk/registry/room.h"

const char *const attachment_kinds[] = { "logical_diagram", "physical_diagram", "network_diagram", "letter", "signing_certificate", "photo", "video",
                                         "contract", "order", "test_report", "other", NULL };

/* Who reaches a file: whoever reaches its object or is its organisation. Of a case only from the notice on, as the case itself. */
#define ATTACHMENT_REACHED(user)                                                                                                                  \
    "(?1 = 0 OR ((a.org_id = ?2 OR EXISTS (SELECT 1 FROM object o WHERE o.id = a.object_id AND ?2 IN (o.org_id, o.possessor_id, o.ocib_id)))"    \
    " AND (a.subject <> 'case' OR EXISTS (SELECT 1 FROM cases k LEFT JOIN object o ON o.id = k.object_id WHERE k.id ="                          \
    " CAST(a.subject_id AS INTEGER) AND " CASE_SHOWN(user) "))))"
#define ATTACHMENT_COLUMNS                                                                                                                        \
    "a.id, a.subject, a.subject_id, a.kind, a.title, a.name, a.type, a.size_bytes, a.sha256, a.approved_by, a.approved_on, a.signed, a.sealed, a.at,"  \
    " u.login, a.removed_at, a.removal_reason"

static int row_add(struct call *c, const struct attachment_new *n, const struct blob *b, char id_out[24])
{
    struct subject s = *n->about;
    struct str target = arena_printf(&c->a, "%s/%.*s", s.kind, STR_ARG(s.id));
    int rc;

    if (!value_known(attachment_kinds, str_c(n->kind)))
        return refuse(c, -EINVAL, "bad_request", "kind", "no such kind of attachment");
    rc = db_exec(c->d, c->e,
                 "INSERT INTO attachment(subject, subject_id, object_id, org_id, kind, title, name, type, size_bytes, sha256, approved_by, approved_on,"
                 " signed, sealed, at, author_id) VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)",
                 "ztttztzzizttiiim", s.kind, s.id, s.object_id, s.org_id, n->kind, n->title.n ? n->title : str_c(b->name), b->name, b->type,
                 b->size_bytes, b->sha256, n->approved_by.n ? n->approved_by : (struct str){ NULL, 0 },
                 n->approved_on.n ? n->approved_on : (struct str){ NULL, 0 }, (int64_t)n->signed_, (int64_t)n->sealed, c->now,
                 c->v ? c->v->user_id : 0);
    if (rc < 0)
        return rc;
    snprintf(id_out, 24, "%lld", (long long)sqlite3_last_insert_rowid(c->d->db));
    return audit_add(c, "attachment.create", target.p, arena_printf(&c->a, "%s %s %.16s", id_out, n->kind, b->sha256), "ok");
}

int attachment_add(struct call *c, const struct attachment_new *n, struct str upload_id, const char *field, char id_out[24])
{
    struct blob b;
    int rc = blob_take(c, upload_id, field, &b);

    return rc < 0 ? rc : row_add(c, n, &b, id_out);
}

int attachment_add_bytes(struct call *c, const struct attachment_new *n, struct str name, struct str bytes, char id_out[24])
{
    struct blob b;
    int rc = blob_put(c, bytes, &b);

    if (rc < 0)
        return rc;
    snprintf(b.name, sizeof b.name, "%.*s", (int)min_size(name.n, BLOB_NAME_MAX), name.p ? name.p : "");
    return row_add(c, n, &b, id_out);
}

static json_t *attachment_row(sqlite3_stmt *st)
{
    return json_pack("{s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:I, s:o, s:o, s:o, s:b, s:b, s:o, s:o, s:o, s:o}", "id", db_json_id(st, 0), "subject",
                     db_json(st, 1), "subject_id", db_json(st, 2), "kind", db_json(st, 3), "title", db_json(st, 4), "name", db_json(st, 5), "type",
                     db_json(st, 6), "size_bytes", (json_int_t)sqlite3_column_int64(st, 7), "sha256", db_json(st, 8), "approved_by", db_json(st, 9),
                     "approved_on", db_json(st, 10), "signed", sqlite3_column_int(st, 11), "sealed", sqlite3_column_int(st, 12), "at",
                     db_json_time(st, 13), "author", db_json(st, 14), "removed_at", db_json_time(st, 15), "removal_reason", db_json(st, 16));
}

int attachments_json(struct call *c, const struct subject *about, time_ns as_of, json_t **out)
{
    sqlite3_stmt *st = db_query(c->d, c->e,
                                "SELECT " ATTACHMENT_COLUMNS " FROM attachment a LEFT JOIN user u ON u.id = a.author_id WHERE a.subject = ?4 AND"
                                " a.subject_id = ?5 AND a.at <= ?6 AND (a.removed_at IS NULL OR a.removed_at > ?6) AND " ATTACHMENT_REACHED("?3")
                                " ORDER BY a.id",
                                "izizti", is_bounded(c), viewer_org(c), viewer_id(c), about->kind, about->id, as_of ? (int64_t)as_of : INT64_MAX);
    int rc = st ? 0 : -EIO;

    *out = json_array();
    while (st && (rc = db_step(c->d, st, c->e)) > 0)
        json_array_append_new(*out, attachment_row(st));
    if (rc < 0) {
        json_decref(*out);
        *out = NULL;
    }
    return rc;
}

int attachment_take_away(struct call *c, struct str id, struct str reason)
{
    struct str target = arena_printf(&c->a, "attachment/%.*s", STR_ARG(id));
    int rc = db_exec(c->d, c->e, "UPDATE attachment SET removed_at = ?2, removed_by = ?3, removal_reason = ?4 WHERE id = ?1 AND removed_at IS NULL",
                     "iimt", parse_id(id), c->now, c->v ? c->v->user_id : 0, reason);

    if (rc == 0)
        return refuse(c, -ENOENT, "not_found", NULL, "no such attachment");
    return rc < 0 ? rc : audit_add(c, "attachment.delete", target.p, reason, "ok");
}

/* --- the API --- */

static const char *const about_kinds[] = { "object", "organisation", "contract", NULL };

static int about_of(struct call *c, struct str kind, struct str id, struct subject *s)
{
    enum record_kind k = record_kind_parse(kind);
    int rc = value_known(about_kinds, kind) ? record_seen(c, k, id) : refuse(c, -ENOENT, "not_found", NULL, "nothing has files of this kind");

    *s = (struct subject){ .kind = record_kind_name(k), .id = arena_copy(&c->a, id) };
    if (k == RECORD_OBJECT)
        s->object_id = s->id;
    else if (k == RECORD_ORGANISATION)
        s->org_id = s->id;
    return rc;
}

int desk_attachments(struct desk *d, const struct viewer *v, struct str kind, struct str id, time_ns now, struct desk_reply *r)
{
    struct subject s;
    struct call c;
    json_t *items = NULL;
    int rc;

    desk_call_init(&c, d, v, now, r);
    rc = about_of(&c, kind, id, &s);
    if (rc == 0)
        rc = attachments_json(&c, &s, 0, &items);
    if (rc == 0)
        r->json = json_pack("{s:o, s:n}", "items", items, "next");
    desk_call_free(&c);
    return refuse_rc(r, rc);
}

static const struct body_field add_fields[] = {
    { "upload_id", BODY_STRING, true, false, 1, 64, NULL },    { "kind", BODY_ENUM, true, false, 0, 0, attachment_kinds },
    { "title", BODY_STRING, false, true, 0, 300, NULL },       { "approved_by", BODY_STRING, false, true, 0, 300, NULL },
    { "approved_on", BODY_DATE, false, true, 0, 0, NULL },     { "signed", BODY_BOOL, false, false, 0, 0, NULL },
    { "sealed", BODY_BOOL, false, false, 0, 0, NULL },
};

static int added(struct call *c, const struct subject *s, const json_t *body)
{
    struct attachment_new n = { .about = s, .title = json_get_str(body, "title"), .approved_by = json_get_str(body, "approved_by"),
                                .approved_on = json_get_str(body, "approved_on"), .signed_ = json_is_true(json_object_get(body, "signed")),
                                .sealed = json_is_true(json_object_get(body, "sealed")) };
    json_t *items = NULL, *one;
    char id[24];
    size_t i;
    int rc;

    n.kind = json_string_value(json_object_get(body, "kind"));
    rc = attachment_add(c, &n, json_get_str(body, "upload_id"), "upload_id", id);
    if (rc == 0)
        rc = attachments_json(c, s, 0, &items);
    json_array_foreach(items, i, one)
        if (str_eq(json_get_str(one, "id"), str_c(id)))
            c->r->json = json_incref(one);
    json_decref(items);
    return rc;
}

int desk_attachment_add(struct desk *d, const struct viewer *v, struct str kind, struct str id, const json_t *body, time_ns now,
                        struct desk_reply *r)
{
    struct subject s;
    struct call c;
    bool whole;
    int rc;

    desk_call_init(&c, d, v, now, r);
    rc = about_of(&c, kind, id, &s);
    if (rc == 0)
        rc = registry_may_write(&c, record_kind_parse(kind), id, (struct str){ NULL, 0 }, &whole);
    if (rc == 0 && body_check(body, add_fields, COUNT(add_fields), r->field, c.e) < 0) {
        r->code = "bad_request";
        rc = -EINVAL;
    }
    if (rc == 0)
        rc = db_begin(d, c.e);
    if (rc == 0)
        rc = db_end(d, added(&c, &s, body), c.e);
    if (rc == -EACCES)
        audit_refusal(&c, "attachment.create", arena_printf(&c.a, "%.*s/%.*s", STR_ARG(kind), STR_ARG(id)).p);
    desk_call_free(&c);
    return refuse_rc(r, rc);
}

static int opened(struct call *c, struct str id, int *fd)
{
    struct scope s = scope_of(c->v);
    struct blob b;
    struct str target = arena_printf(&c->a, "attachment/%.*s", STR_ARG(id));
    sqlite3_stmt *st = db_query(c->d, c->e,
                                "SELECT a.sha256, a.name, a.type, a.size_bytes FROM attachment a WHERE " ATTACHMENT_REACHED("?4")
                                " AND a.id = ?3 AND a.removed_at IS NULL",
                                "izii", s.bounded, s.org, parse_id(id), viewer_id(c));
    int rc = st ? db_step(c->d, st, c->e) : -EIO;

    if (rc <= 0)
        return rc < 0 ? rc : refuse(c, -ENOENT, "not_found", NULL, "no such attachment");
    struct str sha = db_copy(st, 0, &c->a);
    c->r->json = json_pack("{s:o, s:o, s:o, s:I}", "sha256", db_json(st, 0), "name", db_json(st, 1), "type", db_json(st, 2), "size_bytes",
                           (json_int_t)sqlite3_column_int64(st, 3));
    db_done(st);
    rc = blob_open(c, sha.p, fd, &b);
    return rc < 0 ? rc : audit_add(c, "attachment.read", target.p, sha, "ok");
}

int desk_attachment_open(struct desk *d, const struct viewer *v, struct str id, time_ns now, int *fd, struct desk_reply *r)
{
    struct call c;
    int rc;

    *fd = -1;
    desk_call_init(&c, d, v, now, r);
    rc = db_begin(d, c.e);
    if (rc == 0)
        rc = db_end(d, opened(&c, id, fd), c.e);
    if (rc < 0 && *fd >= 0) {
        close(*fd);
        *fd = -1;
    }
    desk_call_free(&c);
    return refuse_rc(r, rc);
}

/* --- taking away: asked by one person, done by another --- */

static const struct body_field remove_fields[] = { { "reason", BODY_STRING, true, false, 1, REGISTRY_REASON_MAX, NULL } };

/* attachment_about - what a file belongs to, if the viewer reaches it. */
static int attachment_about(struct call *c, struct str id, struct subject *s)
{
    struct scope scope = scope_of(c->v);
    sqlite3_stmt *st = db_query(c->d, c->e,
                                "SELECT a.subject, a.subject_id, a.object_id, a.org_id FROM attachment a WHERE " ATTACHMENT_REACHED("?4")
                                " AND a.id = ?3 AND a.removed_at IS NULL",
                                "izii", scope.bounded, scope.org, parse_id(id), viewer_id(c));
    int rc = st ? db_step(c->d, st, c->e) : -EIO;

    if (rc <= 0)
        return rc < 0 ? rc : refuse(c, -ENOENT, "not_found", NULL, "no such attachment");
    *s = (struct subject){ .kind = db_copy(st, 0, &c->a).p, .id = db_copy(st, 1, &c->a), .object_id = db_copy(st, 2, &c->a), .org_id = db_copy(st, 3, &c->a) };
    db_done(st);
    return 0;
}

static int taken_away(struct call *c, struct str id, const json_t *body)
{
    struct subject s = { 0 };
    bool whole;
    int rc = attachment_about(c, id, &s);

    if (rc == 0)
        rc = registry_may_write(c, record_kind_parse(str_c(s.kind)), s.id, (struct str){ NULL, 0 }, &whole);
    if (rc < 0)
        return rc;
    /* The subject of the approval is the file itself; who may see it is told by its object or organisation. */
    s.kind = "attachment";
    s.id = id;
    rc = approval_gate(c, "attachment.delete", &s, body, json_get_str(body, "reason"));
    return rc < 0 ? rc : rc > 0 ? 0 : attachment_take_away(c, id, json_get_str(body, "reason"));
}

int attachment_delete_approved(struct call *c, struct str id, const json_t *args) { return taken_away(c, id, args); }

int desk_attachment_remove(struct desk *d, const struct viewer *v, struct str id, const json_t *body, time_ns now, struct desk_reply *r)
{
    struct call c;
    int rc = 0;

    desk_call_init(&c, d, v, now, r);
    if (body_check(body, remove_fields, COUNT(remove_fields), r->field, c.e) < 0) {
        r->code = "bad_request";
        rc = -EINVAL;
    }
    if (rc == 0)
        rc = db_begin(d, c.e);
    if (rc == 0)
        rc = db_end(d, taken_away(&c, id, body), c.e);
    if (rc == -EACCES)
        audit_refusal(&c, "attachment.delete", arena_printf(&c.a, "attachment/%.*s", STR_ARG(id)).p);
    desk_call_free(&c);
    return refuse_rc(r, rc);
}
