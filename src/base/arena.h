/* arena.h - memory that ends all at once: a call, a batch, a connection.
 *
 * Owns      every block it handed out, until arena_reset or arena_free.
 * Promises  1. Blocks are aligned for any type and not cleared, save by arena_zero.
 *           2. The sum of blocks never passes limit_bytes: then the answer is NULL, and the arena
 *              remembers it (arena_failed), so a caller may check once at the end.
 *           3. arena_reset keeps the newest chunk: a loop over batches settles and allocates no more.
 * Threads   owner.
 * Units     bytes. */
#ifndef SAQSHY_BASE_ARENA_H
#define SAQSHY_BASE_ARENA_H

#include "base/str.h"

struct arena_chunk;
struct arena {
    struct arena_chunk *chunk;
    size_t used_bytes, limit_bytes;
    bool   failed;
};

/* arena_init - an empty arena; the first chunk comes with the first block. limit 0: 64 MiB. */
void  arena_init(struct arena *a, size_t limit_bytes);
void *arena_alloc(struct arena *a, size_t bytes);
void *arena_zero(struct arena *a, size_t bytes);
/* arena_array - count * size with the product checked. Not cleared. */
void *arena_array(struct arena *a, size_t count, size_t size);
/* arena_copy - a copy of s with a NUL behind it. {NULL, 0} on failure. */
struct str arena_copy(struct arena *a, struct str s);
/* arena_join - the parts one behind another. {NULL, 0} on failure. */
struct str arena_join(struct arena *a, const struct str *parts, size_t count);
#define ARENA_JOIN(a, ...) arena_join(a, (const struct str[]){ __VA_ARGS__ }, sizeof((const struct str[]){ __VA_ARGS__ }) / sizeof(struct str))
/* arena_printf - formatted text in the arena; of two or three texts ARENA_JOIN is ten times as fast. */
struct str arena_printf(struct arena *a, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
bool  arena_failed(const struct arena *a);
void  arena_reset(struct arena *a);
void  arena_free(struct arena *a);

#endif
