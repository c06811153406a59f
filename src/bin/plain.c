/* plain.c - see plain.h. */
#include "bin/plain.h"
#include "base/file.h"

#include <zlib.h>
#include <zstd.h>

#define STEP_BYTES      (256u * KIB)
#define ZSTD_WINDOW_LOG 27
#define GZIP_WBITS      (15 + 16)

/* step - room for some more, at most one byte past max: NULL then. */
static char *step(struct buf *out, size_t max, size_t *room)
{
    *room = out->n > max ? 0 : min_size(STEP_BYTES, max - out->n + 1);
    return *room ? buf_room(out, *room) : NULL;
}

static int from_gzip(struct str bytes, size_t max, struct buf *out)
{
    z_stream z = { .next_in = (Bytef *)(uintptr_t)bytes.p, .avail_in = (uInt)bytes.n };
    int rc = inflateInit2(&z, GZIP_WBITS);

    if (rc != Z_OK)
        return -ENOMEM;
    while (rc == Z_OK) {
        size_t room;
        char *to = step(out, max, &room);

        if (!to)
            break;
        z.next_out = (Bytef *)to;
        z.avail_out = (uInt)room;
        rc = inflate(&z, Z_NO_FLUSH);
        out->n += room - z.avail_out;
        if (rc == Z_STREAM_END && z.avail_in)   /* another member */
            rc = inflateReset(&z);
    }
    inflateEnd(&z);
    return out->n > max || rc == Z_OK ? -E2BIG : rc == Z_STREAM_END ? 0 : -EBADMSG;
}

static int from_zstd(struct str bytes, size_t max, struct buf *out)
{
    ZSTD_DCtx *ctx = ZSTD_createDCtx();
    ZSTD_inBuffer in = { bytes.p, bytes.n, 0 };
    size_t left = 1, room;
    int rc = ctx ? 0 : -ENOMEM;

    if (ctx)
        ZSTD_DCtx_setParameter(ctx, ZSTD_d_windowLogMax, ZSTD_WINDOW_LOG);
    while (rc == 0 && (in.pos < in.size || left)) {
        char *to = step(out, max, &room);
        ZSTD_outBuffer o = { to, room, 0 };
        size_t before = in.pos;

        if (!to) {
            rc = -E2BIG;
            break;
        }
        left = ZSTD_decompressStream(ctx, &o, &in);
        out->n += o.pos;
        if (ZSTD_isError(left) || (left && o.pos == 0 && in.pos == before))
            rc = -EBADMSG;
    }
    ZSTD_freeDCtx(ctx);
    return rc == 0 && out->n > max ? -E2BIG : rc;
}

int plain_read(const char *path, size_t max, struct buf *out, struct err *e)
{
    AUTO_BUF struct buf file;
    int rc;

    buf_init(&file, max);
    rc = file_read(path, max, &file, e);
    if (rc < 0)
        return rc;
    if (str_starts(buf_view(&file), STR("\x1f\x8b")))
        rc = from_gzip(buf_view(&file), max, out);
    else if (str_starts(buf_view(&file), STR("\x28\xb5\x2f\xfd")))
        rc = from_zstd(buf_view(&file), max, out);
    else
        buf_str(out, buf_view(&file));
    if (rc == -E2BIG || buf_failed(out))
        return err_set(e, -E2BIG, "\"%s\" has more than %zu MiB of text", path, max / MIB);
    return rc < 0 ? err_set(e, rc, rc == -EBADMSG ? "\"%s\" is damaged: its compressed data end before their time" : "no memory to read \"%s\"", path) : 0;
}
