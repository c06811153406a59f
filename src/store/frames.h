/* frames.h - the frames of a block of columns as they are written: large ones by themselves, small ones together in pools.
 *
 * Owns      the packed bytes and the table of them, until frames_free.
 * Promises  1. Which packed frame has a frame's bytes follows from the order in which they are put and from what frames_put writes.
 *           2. A failure sticks: frames_failed says so.
 * Threads   owner.
 * Units     bytes.
 * Source    docs/formats.md, "Columns" of the store. */
#ifndef SAQSHY_STORE_FRAMES_H
#define SAQSHY_STORE_FRAMES_H

#include <zstd.h>

#include "store/columns.h"

#define COLUMNS_ZSTD_LEVEL 1     /* engine research: higher ones cost more than they save */

struct packed_frame {
    uint32_t raw, packed;       /* equal: stored as it is */
    uint64_t sum;
};

struct packed_frames {
    struct buf           bytes;
    struct packed_frame *list;
    size_t               count, cap;
};

struct frames {
    struct packed_frames own, pools;
    struct buf           pool;
    bool                 pool_new;      /* the next small frame begins a pool */
    bool                 failed;
    ZSTD_CCtx           *zstd;
};

bool frames_init(struct frames *f);     /* false: no memory */
void frames_free(struct frames *f);
void frames_reset(struct frames *f);
bool frames_failed(const struct frames *f);
/* frames_put - the bytes of a frame; in the directory stands how many, and whether they are a frame of their own or begin a pool. dense: compressing gains nothing. */
void frames_put(struct frames *f, struct buf *directory, struct str raw, bool dense);
/* frames_packed - how many bytes raw would take. */
size_t frames_packed(struct frames *f, struct str raw);
/* frames_end - no more come; the directory gets the table of all. frames_bytes: the frames themselves. */
void frames_end(struct frames *f, struct buf *directory);
void frames_bytes(const struct frames *f, struct buf *out);

#endif
