/* testing.h - what the tests of the registry share: making, changing and reading records as the API does. Only tests include it. */
#ifndef SAQSHY_DESK_REGISTRY_TESTING_H
#define SAQSHY_DESK_REGISTRY_TESTING_H

#include "desk/registry/room.h"
#include "desk/blob.h"
#include "desk/testing.h"

#define NONE ((struct str){ NULL, 0 })

static inline json_t *parsed(const char *text)
{
    char buf[8192];
    size_t n = 0;

    for (; text[n] && n + 1 < sizeof buf; n++)
        buf[n] = text[n] == '\'' ? '"' : text[n];
    buf[n] = 0;
    json_t *j = json_loads(buf, 0, NULL);
    if (!j)
        fail_msg("no JSON: %s", buf);
    return j;
}

/* make - create through the API; the whole answer. value is written with ' for ". */
static inline json_t *make(struct world *w, const struct viewer *v, enum record_kind k, const char *parent, const char *value)
{
    struct desk_reply r = { 0 };
    json_t *body = json_pack("{s:o}", "value", parsed(value));
    int rc = desk_registry_create(w->desk, v, k, parent ? str_c(parent) : NONE, body, T0, &r);

    json_decref(body);
    if (rc < 0)
        fail_msg("%s: %d %s field \"%s\"", value, rc, r.err.text, r.field);
    return r.json;
}

/* try_make - the same where a refusal is expected; *field is what it names. */
static inline int try_make(struct world *w, const struct viewer *v, enum record_kind k, const char *parent, const char *value, char field[DESK_FIELD_MAX])
{
    struct desk_reply r = { 0 };
    json_t *body = json_pack("{s:o}", "value", parsed(value));
    int rc = desk_registry_create(w->desk, v, k, parent ? str_c(parent) : NONE, body, T0, &r);

    json_decref(body);
    snprintf(field, DESK_FIELD_MAX, "%s", r.field);
    desk_reply_free(&r);
    return rc;
}

static inline json_t *fetch(struct world *w, const struct viewer *v, enum record_kind k, const char *id, time_ns at)
{
    struct desk_reply r = { 0 };

    must(desk_registry_get(w->desk, v, k, str_c(id), at, T0, &r), &r.err);
    return r.json;
}

/* change - set fields (patch over the value that stands) at a moment; what the call returned, the answer in *r. */
static inline int change(struct world *w, const struct viewer *v, enum record_kind k, const char *id, const char *patch, int64_t version, time_ns now,
                  struct desk_reply *r)
{
    json_t *old = fetch(w, &w->admin, k, id, 0), *value = json_deep_copy(json_object_get(old, "value")), *p = parsed(patch);
    json_t *body;
    int rc;

    json_object_update(value, p);
    body = json_pack("{s:I, s:s, s:o}", "version", (json_int_t)(version ? version : json_integer_value(json_object_get(old, "version"))), "reason",
                     "a test", "value", value);
    *r = (struct desk_reply){ 0 };
    rc = desk_registry_update(w->desk, v, k, str_c(id), body, now, r);
    json_decref(body);
    json_decref(old);
    json_decref(p);
    return rc;
}

static inline void changed(struct world *w, enum record_kind k, const char *id, const char *patch)
{
    struct desk_reply r;
    int rc = change(w, &w->admin, k, id, patch, 0, T0, &r);

    if (rc < 0)
        fail_msg("%s: %d %s field \"%s\"", patch, rc, r.err.text, r.field);
    desk_reply_free(&r);
}

/* approved - the same as the approval of a request for exclusion does: a second person has agreed. */
static inline void approved(struct world *w, const char *id, const char *patch)
{
    json_t *old = fetch(w, &w->admin, RECORD_OBJECT, id, 0), *value = json_deep_copy(json_object_get(old, "value")), *p = parsed(patch);
    struct desk_reply r = { 0 };
    struct call c;

    json_object_update(value, p);
    desk_call_init(&c, w->desk, &w->analyst, T0, &r);
    c.approved = true;
    must(db_begin(w->desk, c.e), c.e);
    must(db_end(w->desk, record_put(&c, &(struct record_write){ .kind = RECORD_OBJECT, .id = str_c(id), .value = value, .origin = "centre" }, NULL), c.e), c.e);
    desk_call_free(&c);
    desk_reply_free(&r);
    json_decref(value);
    json_decref(old);
    json_decref(p);
}

static inline const char *text(const json_t *o, const char *key)
{
    const char *s = json_string_value(json_object_get(o, key));

    return s ? s : "";
}

static inline int64_t audited(struct world *w, const char *action)
{
    int64_t n = 0;

    must(db_int(w->desk, NULL, 0, &n, "SELECT count(*) FROM audit WHERE action = ?", "z", action), &(struct err){ 0 });
    return n;
}

static inline void upload_file(struct world *w, const struct viewer *v, const char *bytes, char id[64])
{
    json_t *body = json_pack("{s:s, s:I}", "name", "схема.pdf", "size_bytes", (json_int_t)strlen(bytes));
    struct desk_reply r = { 0 };

    must(desk_upload_begin(w->desk, v, body, T0, &r), &r.err);
    snprintf(id, 64, "%s", text(r.json, "id"));
    json_decref(body);
    desk_reply_free(&r);
    r = (struct desk_reply){ 0 };
    must(desk_upload_piece(w->desk, v, str_c(id), 0, str_c(bytes), T0, &r), &r.err);
    desk_reply_free(&r);
}

static inline void diagram_put(struct world *w, const char *object, const char *kind, bool approved)
{
    char id[64];
    struct desk_reply r = { 0 };
    json_t *body;

    upload_file(w, &w->registry, "%PDF-1.7 a diagram", id);
    body = json_pack("{s:s, s:s, s:s?, s:s?, s:b, s:b}", "upload_id", id, "kind", kind, "approved_by", approved ? "А. Басшы" : NULL, "approved_on",
                     approved ? "2026-01-15" : NULL, "signed", approved, "sealed", false);
    must(desk_attachment_add(w->desk, &w->registry, STR("object"), str_c(object), body, T0, &r), &r.err);
    json_decref(body);
    desk_reply_free(&r);
}

#endif
