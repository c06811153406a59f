/* exchange.c - one request of another node: its bundle is taken, ours goes back. What is refused is answered with a status and a code. */
#include "desk/link/room.h"

static int status_of(const struct desk_reply *r, int rc)
{
    static const struct { const char *code; int status; } codes[] = {
        { "not_a_bundle", 400 }, { "unknown_version", 400 }, { "wrong_node", 403 }, { "unknown_node", 403 }, { "forged", 403 }, { "diverged", 409 },
    };

    for (size_t i = 0; r->code && i < COUNT(codes); i++)
        if (strcmp(r->code, codes[i].code) == 0)
            return codes[i].status;
    return rc == -EBUSY || rc == -ENOSPC || rc == -ENOMEM ? 503 : 500;
}

static void refusal(const struct desk_reply *r, int status, struct buf *out)
{
    buf_reset(out);
    buf_str(out, STR("{\"code\":"));
    buf_json(out, str_c(r->code ? r->code : "unavailable"));
    buf_str(out, STR(",\"detail\":"));
    /* What went wrong inside is for our own log, not for another organisation. */
    buf_json(out, str_c(status < 500 ? r->err.text : "the node cannot take anything now"));
    buf_printf(out, ",\"status\":%d}\n", status);
}

int link_exchange(struct desk *d, const char *fingerprint, struct str body, time_ns now, struct buf *out)
{
    struct desk_reply r = { 0 };
    struct taken t;
    struct call c;
    int64_t count;
    int rc, status = 200;

    desk_call_init(&c, d, NULL, now, &r);
    rc = bundle_take(&c, body, false, fingerprint, &t);
    if (rc == 0)
        rc = bundle_make(&c, str_c(t.node), LINK_BATCH_BYTES, out, &count, NULL);
    if (rc < 0) {
        status = status_of(&r, rc);
        if (*t.node)
            peer_failed(d, str_c(t.node), r.err.text, false, now);
        refusal(&r, status, out);
    }
    desk_call_free(&c);
    desk_reply_free(&r);
    return status;
}
