/* reply.c - answers and refusals. */
#include "desk/internal.h"

#include <stdarg.h>

static const struct { int rc, status; const char *code; } codes[] = {
    { 0, 200, NULL },
    { -EINVAL, 400, "bad_request" },
    { -EPERM, 401, "bad_credentials" },
    { -ENOKEY, 401, "unauthenticated" },
    { -EACCES, 403, "forbidden" },
    { -ENOENT, 404, "not_found" },
    { -EPROTO, 409, "wrong_state" },
    { -EEXIST, 409, "conflict" },
    { -EAGAIN, 429, "locked_out" },
    { -EBUSY, 503, "unavailable" },
    { -ENOSPC, 503, "unavailable" },
};

int desk_status(int rc)
{
    for (size_t i = 0; i < COUNT(codes); i++)
        if (codes[i].rc == (rc > 0 ? 0 : rc))
            return codes[i].status;
    return 500;
}

void desk_reply_free(struct desk_reply *r)
{
    json_decref(r->json);
    r->json = NULL;
    json_decref(r->problems);
    r->problems = NULL;
}

void desk_call_init(struct call *c, struct desk *d, const struct viewer *v, time_ns now, struct desk_reply *r)
{
    struct err ours;

    *c = (struct call){ .d = d, .v = v, .now = now, .r = r, .e = &r->err };
    if (d)      /* there is none where only the form of a value is looked at */
        (void)!policy_refresh(d->setup.node, &d->policy, &ours);   /* what is wrong is told by each tick, what was good goes on */
    arena_init(&c->a, 64 * MIB);
}

void desk_call_free(struct call *c) { arena_free(&c->a); }

int refuse(struct call *c, int rc, const char *code, const char *field, const char *fmt, ...)
{
    char text[ERR_TEXT_MAX];
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    c->r->code = code;
    if (field)
        snprintf(c->r->field, sizeof c->r->field, "%s", field);
    return err_set(c->e, rc, "%s", text);
}

int refuse_rc(struct desk_reply *r, int rc)
{
    if (rc >= 0 || r->code)
        return rc;
    r->code = "internal";
    for (size_t i = 1; i < COUNT(codes); i++)
        if (codes[i].rc == rc)
            r->code = codes[i].code;
    return rc;
}

const char *desk_role_name(enum desk_role r)
{
    return r < DESK_ROLE_COUNT ? role_values[r] : "?";
}

enum desk_role desk_role_parse(struct str s)
{
    enum desk_role r = 0;

    while (r < DESK_ROLE_COUNT && !str_eq(s, str_c(role_values[r])))
        r++;
    return r;
}
