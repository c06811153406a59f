/* frames.c - see frames.h. */
#include "store/frames.h"

#include <xxhash.h>

#define FRAMES_BYTES_MAX (256u * MIB)

bool frames_init(struct frames *f)
{
    *f = (struct frames){ .zstd = ZSTD_createCCtx() };
    buf_init(&f->own.bytes, FRAMES_BYTES_MAX);
    buf_init(&f->pools.bytes, FRAMES_BYTES_MAX);
    buf_init(&f->pool, FRAMES_BYTES_MAX);
    return f->zstd != NULL;
}

void frames_free(struct frames *f)
{
    ZSTD_freeCCtx(f->zstd);
    buf_free(&f->own.bytes);
    buf_free(&f->pools.bytes);
    buf_free(&f->pool);
    free(f->own.list);
    free(f->pools.list);
    *f = (struct frames){ .zstd = NULL };
}

void frames_reset(struct frames *f)
{
    f->own.count = f->pools.count = 0;
    f->failed = false;
    f->pool_new = true;
    buf_reset(&f->own.bytes);
    buf_reset(&f->pools.bytes);
    buf_reset(&f->pool);
}

bool frames_failed(const struct frames *f)
{
    return f->failed || buf_failed(&f->own.bytes) || buf_failed(&f->pools.bytes) || buf_failed(&f->pool);
}

/* add - one more frame, compressed where that gains something. */
static void add(struct frames *w, struct packed_frames *f, struct str raw, bool dense)
{
    size_t bound = ZSTD_compressBound(raw.n), n = 0;
    char *to = buf_room(&f->bytes, bound);

    if (f->count == f->cap) {
        size_t cap = f->cap ? f->cap * 2 : 256;
        struct packed_frame *list = realloc(f->list, cap * sizeof *list);

        if (!list) {
            w->failed = true;
            return;
        }
        f->list = list;
        f->cap = cap;
    }
    if (!to || raw.n > UINT32_MAX) {
        w->failed = true;
        return;
    }
    if (!dense)
        n = ZSTD_compressCCtx(w->zstd, to, bound, raw.p, raw.n, COLUMNS_ZSTD_LEVEL);
    if (n == 0 || ZSTD_isError(n) || n >= raw.n) {
        memcpy(to, raw.p, raw.n);
        n = raw.n;
    }
    f->list[f->count++] = (struct packed_frame){ (uint32_t)raw.n, (uint32_t)n, XXH3_64bits(to, n) };
    f->bytes.n += n;
}

static void pool_end(struct frames *w)
{
    if (w->pool.n)
        add(w, &w->pools, buf_view(&w->pool), false);
    buf_reset(&w->pool);
    w->pool_new = true;
}

void frames_put(struct frames *w, struct buf *directory, struct str raw, bool dense)
{
    bool own = raw.n >= FRAME_OWN_MIN || dense;

    if (raw.n == 0) {
        buf_varint(directory, 0);
        return;
    }
    if (own) {
        buf_varint(directory, (uint64_t)raw.n << 2 | 1);
        add(w, &w->own, raw, dense);
        return;
    }
    if (w->pool.n + raw.n > POOL_BYTES)
        pool_end(w);
    buf_varint(directory, (uint64_t)raw.n << 2 | (w->pool_new ? 2 : 0));
    w->pool_new = false;
    buf_str(&w->pool, raw);
}

size_t frames_packed(struct frames *w, struct str raw)
{
    size_t bound = ZSTD_compressBound(raw.n), n;
    char *to = buf_room(&w->own.bytes, bound);     /* thrown away */

    if (!to)
        return SIZE_MAX;
    n = ZSTD_compressCCtx(w->zstd, to, bound, raw.p, raw.n, COLUMNS_ZSTD_LEVEL);
    return ZSTD_isError(n) ? SIZE_MAX : n;
}

static void put_table(struct buf *directory, const struct packed_frames *f)
{
    buf_varint(directory, f->count);
    for (size_t i = 0; i < f->count; i++) {
        bool stored = f->list[i].packed == f->list[i].raw;

        buf_varint(directory, (uint64_t)f->list[i].raw << 1 | stored);
        if (!stored)
            buf_varint(directory, f->list[i].packed);
        buf_le64(directory, f->list[i].sum);
    }
}

void frames_end(struct frames *w, struct buf *directory)
{
    pool_end(w);
    put_table(directory, &w->own);
    put_table(directory, &w->pools);
}

void frames_bytes(const struct frames *f, struct buf *out)
{
    buf_str(out, buf_view(&f->own.bytes));
    buf_str(out, buf_view(&f->pools.bytes));
}
