/* tokens.c - tokens of senders over HTTP, made and taken back in the portal: rows of DATA/tokens/senders (ingest/token_file.h), which the
 * collector takes within seconds. The desk keeps nothing of them but the lines of the audit trail. */
#include "desk/collection/collection.h"
#include "desk/internal.h"
#include "base/file.h"
#include "ingest/token_file.h"

#include <openssl/crypto.h>

static int may(struct call *c, const char *action, bool change)
{
    int rc = 0;

    if (c->v->role != DESK_ADMINISTRATOR && (change || c->v->role != DESK_AUDITOR)) {
        rc = refuse(c, -EACCES, "forbidden", NULL, "tokens of senders are for administrators");
        audit_refusal(c, action, "sender_token");
    }
    return rc;
}

static int read_file(const struct call *c, struct buf *b)
{
    char path[4096];

    buf_init(b, TOKENS_BYTES_MAX + KIB);
    node_path(c->d->setup.node, TOKENS_FILE, path);
    return file_exists(path) ? file_read(path, TOKENS_BYTES_MAX, b, c->e) : 0;
}

static int object_name(struct call *c, struct str id, json_t **out)
{
    sqlite3_stmt *st;
    int rc;

    *out = json_null();
    if (!id.n)
        return 0;
    st = db_query(c->d, c->e, "SELECT name FROM object WHERE id = ?", "t", id);
    rc = st ? db_step(c->d, st, c->e) : -EIO;
    *out = json_ref(id, rc > 0 ? db_str(st, 0) : id);
    if (rc > 0)
        db_done(st);
    return rc < 0 ? rc : 0;
}

static int list(struct call *c)
{
    AUTO_FREE struct token *rows = calloc(TOKENS_MAX, sizeof *rows);
    AUTO_BUF struct buf b = { 0 };
    json_t *items = json_array();
    size_t count = 0;
    int rc = rows ? read_file(c, &b) : err_set(c->e, -ENOMEM, "no memory for tokens");

    if (rc == 0)
        rc = tokens_read(buf_view(&b), rows, &count, c->e);
    for (size_t i = 0; rc == 0 && i < count; i++) {
        json_t *object = NULL;

        rc = object_name(c, str_c(rows[i].object), &object);
        json_array_append_new(items, json_pack("{s:s,s:o}", "name", rows[i].name, "object", object));
    }
    c->r->json = json_pack("{s:o,s:n}", "items", items, "next");
    return rc;
}

int desk_sender_tokens(struct desk *d, const struct viewer *v, struct desk_reply *r)
{
    struct call c;
    int rc;

    desk_call_init(&c, d, v, 0, r);
    rc = may(&c, "sender_token.read", false);
    if (rc == 0)
        rc = list(&c);
    desk_call_free(&c);
    return refuse_rc(r, rc);
}

/* store - the changed file and its line of the audit trail: the line first, so that no token is made without one. */
static int store(struct call *c, const char *action, struct str name, struct str object, const struct buf *b)
{
    char target[128], path[4096];
    int rc;

    snprintf(target, sizeof target, "sender_token/%.*s", (int)min_size(name.n, 64), name.p);
    rc = audit_add(c, action, target, object, "ok");
    if (rc == 0)
        rc = file_mkdirs(node_path(c->d->setup.node, "tokens", path), 0750, c->e);
    return rc < 0 ? rc : file_write_atomic(node_path(c->d->setup.node, TOKENS_FILE, path), buf_view(b), 0640, c->e);
}

static int made(struct call *c, struct str name, struct str object)
{
    AUTO_BUF struct buf before = { 0 }, after = { 0 };
    char secret[TOKEN_SECRET_MAX];
    int64_t there = 0;
    int rc = read_file(c, &before);

    buf_init(&after, TOKENS_BYTES_MAX + 4 * KIB);
    if (rc == 0 && object.n)
        rc = db_int(c->d, c->e, 0, &there, "SELECT 1 FROM object WHERE id = ?", "t", object);
    if (rc == 0 && object.n && !there)
        rc = refuse(c, -EINVAL, "bad_request", "object_id", "there is no such object");
    if (rc == 0)
        rc = token_secret(secret, c->e);
    if (rc < 0)
        return rc;
    rc = token_add(buf_view(&before), name, object, secret, &after, c->e);
    if (rc == -EEXIST)
        rc = refuse(c, -EEXIST, "conflict", "name", "there is a token of this name already");
    else if (rc == -E2BIG)
        rc = refuse(c, -EINVAL, "bad_request", "name", "there are too many tokens");
    if (rc == 0)
        rc = store(c, "sender_token.create", name, object, &after);
    if (rc == 0)
        c->r->json = json_pack("{s:o,s:s}", "name", json_str(name), "token", secret);
    OPENSSL_cleanse(secret, sizeof secret);
    return rc;
}

int desk_sender_token_create(struct desk *d, const struct viewer *v, const json_t *body, time_ns now, struct desk_reply *r)
{
    static const struct body_field fields[] = { { "name", BODY_STRING, true, false, 1, LISTEN_ID_MAX, NULL },
                                                { "object_id", BODY_STRING, true, true, 0, TOKEN_OBJECT_MAX - 1, NULL } };
    struct str name, object;
    struct call c;
    int rc;

    desk_call_init(&c, d, v, now, r);
    rc = may(&c, "sender_token.create", true);
    if (rc == 0)
        rc = body_check(body, fields, COUNT(fields), r->field, c.e);
    name = json_get_str(body, "name");
    object = json_get_str(body, "object_id");
    if (rc == 0 && !tokens_name_valid(name))
        rc = refuse(&c, -EINVAL, "bad_request", "name", "a name is 1 to 48 letters, digits, '_', '-', '.', and not \"saqshyd\"");
    if (rc == 0)
        rc = db_begin(d, c.e);
    if (rc == 0)
        rc = db_end(d, made(&c, name, object.p ? object : STR("")), c.e);
    desk_call_free(&c);
    return refuse_rc(r, rc);
}

static int taken_back(struct call *c, struct str name)
{
    AUTO_BUF struct buf before = { 0 }, after = { 0 };
    int rc = read_file(c, &before);

    buf_init(&after, TOKENS_BYTES_MAX + 4 * KIB);
    if (rc == 0)
        rc = token_remove(buf_view(&before), name, &after, c->e);
    if (rc == -ENOENT)
        return refuse(c, -ENOENT, "not_found", NULL, "there is no such token");
    return rc < 0 ? rc : store(c, "sender_token.remove", name, STR(""), &after);
}

int desk_sender_token_remove(struct desk *d, const struct viewer *v, struct str name, time_ns now, struct desk_reply *r)
{
    struct call c;
    int rc;

    desk_call_init(&c, d, v, now, r);
    rc = may(&c, "sender_token.remove", true);
    if (rc == 0)
        rc = db_begin(d, c.e);
    if (rc == 0)
        rc = db_end(d, taken_back(&c, name), c.e);
    desk_call_free(&c);
    return refuse_rc(r, rc);
}
