/* unpack.c - see unpack.h. */
#include "base/unpack.h"

#include <limits.h>
#include <zlib.h>
#include <zstd.h>

#define STEP_BYTES (128u * KIB)
#define GZIP_WBITS (15 + 16)

struct unpack {
    ZSTD_DCtx *zstd;   /* NULL: gzip */
    z_stream   gzip;
    bool       whole;
};

enum packing packing_of(struct str head)
{
    if (str_starts(head, STR("\x1f\x8b")))
        return PACKING_GZIP;
    return str_starts(head, STR("\x28\xb5\x2f\xfd")) ? PACKING_ZSTD : PACKING_NONE;
}

int unpack_new(enum packing packing, int window, struct unpack **out, struct err *e)
{
    struct unpack *u = calloc(1, sizeof *u);
    bool ok = u != NULL;

    if (u && packing == PACKING_ZSTD) {
        u->zstd = ZSTD_createDCtx();
        ok = u->zstd && !ZSTD_isError(ZSTD_DCtx_setParameter(u->zstd, ZSTD_d_windowLogMax, window));
    } else if (u) {
        ok = inflateInit2(&u->gzip, GZIP_WBITS) == Z_OK;
    }
    if (!ok) {
        if (u && u->zstd)
            ZSTD_freeDCtx(u->zstd);
        free(u);
        return err_set(e, -ENOMEM, "no memory to unpack");
    }
    u->whole = true;
    *out = u;
    return 0;
}

void unpack_free(struct unpack **u)
{
    if (*u && (*u)->zstd)
        ZSTD_freeDCtx((*u)->zstd);
    else if (*u)
        inflateEnd(&(*u)->gzip);
    free(*u);
    *u = NULL;
}

static ssize_t step_zstd(struct unpack *u, struct str *packed, char *to, size_t room)
{
    ZSTD_inBuffer in = { packed->p, packed->n, 0 };
    ZSTD_outBuffer out = { to, room, 0 };
    size_t rc = ZSTD_decompressStream(u->zstd, &out, &in);

    if (ZSTD_isError(rc))
        return -EBADMSG;
    u->whole = rc == 0;
    *packed = str_cut(*packed, in.pos);
    return (ssize_t)out.pos;
}

/* step_gzip - the end of a member is the beginning of the next one, if anything follows. */
static ssize_t step_gzip(struct unpack *u, struct str *packed, char *to, size_t room)
{
    uInt given = (uInt)min_size(packed->n, INT_MAX), space = (uInt)min_size(room, INT_MAX);
    z_stream *z = &u->gzip;
    int rc;

    z->next_in = (Bytef *)(uintptr_t)packed->p;
    z->avail_in = given;
    z->next_out = (Bytef *)to;
    z->avail_out = space;
    rc = inflate(z, Z_NO_FLUSH);
    if (rc != Z_OK && rc != Z_STREAM_END && rc != Z_BUF_ERROR)
        return -EBADMSG;
    if (rc == Z_STREAM_END && inflateReset2(z, GZIP_WBITS) != Z_OK)
        return -EBADMSG;
    u->whole = rc == Z_STREAM_END;
    *packed = str_cut(*packed, given - z->avail_in);
    return (ssize_t)(space - z->avail_out);
}

ssize_t unpack_step(struct unpack *u, struct str *packed, char *to, size_t room)
{
    /* Between two members nothing is begun: asking for more there would be the beginning of one that may never come. */
    if (u->whole && packed->n == 0)
        return 0;
    return u->zstd ? step_zstd(u, packed, to, room) : step_gzip(u, packed, to, room);
}

bool unpack_whole(const struct unpack *u) { return u->whole; }

int unpack_all(enum packing packing, int window, struct str packed, size_t most, struct buf *out)
{
    struct unpack *u = NULL;
    size_t from = out->n;
    int rc = unpack_new(packing, window, &u, NULL);

    while (rc == 0 && (packed.n || !unpack_whole(u))) {
        /* One byte more than may come tells a text of just that size from a longer one. */
        size_t room = min_size(STEP_BYTES, most - (out->n - from) + 1), before = packed.n;
        char *to = out->n - from > most ? NULL : buf_room(out, room);
        ssize_t n = to ? unpack_step(u, &packed, to, room) : -E2BIG;

        if (n < 0)
            rc = (int)n;
        else if (n == 0 && packed.n == before)
            rc = -EBADMSG;
        else
            out->n += (size_t)n;
    }
    unpack_free(&u);
    if (out->n - from <= most)
        return rc;
    out->n = from + most;
    return -E2BIG;
}
