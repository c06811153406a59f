/* body.c - compressed bodies in plain, bounded: a bomb stops at BODY_PLAIN_MAX, whatever its header says. */
#include "ingest/internal.h"

static int too_large(struct err *e)
{
    return err_set(e, -E2BIG, "the body is larger than %u bytes when unpacked", BODY_PLAIN_MAX);
}

int body_plain(enum packing coding, struct str body, struct buf *out, struct err *e)
{
    int rc;

    buf_reset(out);
    if (coding == PACKING_NONE) {
        buf_str(out, body);
        return buf_failed(out) ? too_large(e) : 0;
    }
    if (body.n == 0)
        return err_set(e, -EBADMSG, "the body is empty, but its encoding says otherwise");
    rc = unpack_all(coding, UNPACK_WINDOW_BODY, body, BODY_PLAIN_MAX, out);
    if (rc == -E2BIG)
        return too_large(e);
    if (rc == -EBADMSG)
        return err_set(e, rc, "the body is not whole %s data", coding == PACKING_GZIP ? "gzip" : "zstd");
    return rc < 0 ? err_set(e, rc, "no memory to unpack a body") : 0;
}
