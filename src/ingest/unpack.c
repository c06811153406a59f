/* unpack.c - compressed bodies in plain, bounded: a bomb stops at BODY_PLAIN_MAX, whatever its header says. */
#include "ingest/internal.h"

#include <zlib.h>
#include <zstd.h>

#define STEP_BYTES       (128u * KIB)
#define ZSTD_WINDOW_LOG  24            /* 16 MiB: more memory than the largest body is never needed */
#define GZIP_WBITS       (15 + 16)

static int too_large(struct err *e)
{
    return err_set(e, -E2BIG, "the body is larger than %u bytes when unpacked", BODY_PLAIN_MAX);
}

static int unpack_gzip(struct str body, struct buf *out, struct err *e)
{
    z_stream z = { .next_in = (Bytef *)(uintptr_t)body.p, .avail_in = (uInt)body.n };
    int rc = inflateInit2(&z, GZIP_WBITS);

    if (rc != Z_OK)
        return err_set(e, -ENOMEM, "no memory to unpack a body");
    do {
        size_t room = min_size(STEP_BYTES, BODY_PLAIN_MAX - out->n);
        char *to = room ? buf_room(out, room) : NULL;

        if (!to)
            break;
        z.next_out = (Bytef *)to;
        z.avail_out = (uInt)room;
        rc = inflate(&z, Z_NO_FLUSH);
        out->n += room - z.avail_out;
    } while (rc == Z_OK);
    inflateEnd(&z);
    if (rc == Z_STREAM_END)
        return 0;
    return rc == Z_OK ? too_large(e) : err_set(e, -EBADMSG, "the body is not whole gzip data");
}

static int unpack_zstd(struct str body, struct buf *out, struct err *e)
{
    ZSTD_DCtx *ctx = ZSTD_createDCtx();
    ZSTD_inBuffer in = { body.p, body.n, 0 };
    size_t left = 1;
    int rc = 0;

    if (!ctx)
        return err_set(e, -ENOMEM, "no memory to unpack a body");
    ZSTD_DCtx_setParameter(ctx, ZSTD_d_windowLogMax, ZSTD_WINDOW_LOG);
    while (rc == 0 && (in.pos < in.size || left)) {
        size_t room = min_size(STEP_BYTES, BODY_PLAIN_MAX - out->n);
        char *to = room ? buf_room(out, room) : NULL;
        ZSTD_outBuffer o = { to, room, 0 };
        size_t before = in.pos;

        if (!to) {
            rc = too_large(e);
            break;
        }
        left = ZSTD_decompressStream(ctx, &o, &in);
        out->n += o.pos;
        if (ZSTD_isError(left))
            rc = err_set(e, -EBADMSG, "the body is not zstd data: %s", ZSTD_getErrorName(left));
        else if (left && o.pos == 0 && in.pos == before)
            rc = err_set(e, -EBADMSG, "the body is cut zstd data");
    }
    ZSTD_freeDCtx(ctx);
    return rc;
}

int unpack(enum coding coding, struct str body, struct buf *out, struct err *e)
{
    buf_reset(out);
    if (coding == CODING_NONE) {
        buf_str(out, body);
        return buf_failed(out) ? too_large(e) : 0;
    }
    if (body.n == 0)
        return err_set(e, -EBADMSG, "the body is empty, but its encoding says otherwise");
    return coding == CODING_GZIP ? unpack_gzip(body, out, e) : unpack_zstd(body, out, e);
}
