/* arena.c - see arena.h. Chunks form a list, newest first; each is at least twice as large as the
 * one before, so a batch of any size needs few of them. */
#include "base/base.h"

#include <stdarg.h>

#define ARENA_LIMIT_DEFAULT (64u * MIB)
#define ARENA_CHUNK_MIN     (16u * KIB)
#define ARENA_ALIGN         16u

struct arena_chunk {
    struct arena_chunk *next;
    size_t size, used;
    _Alignas(16) unsigned char bytes[];
};

void arena_init(struct arena *a, size_t limit_bytes)
{
    *a = (struct arena){ .limit_bytes = limit_bytes ? limit_bytes : ARENA_LIMIT_DEFAULT };
}

RARELY static void *fail(struct arena *a)
{
    a->failed = true;
    return NULL;
}

RARELY static bool grow(struct arena *a, size_t need)
{
    size_t size = a->chunk ? a->chunk->size * 2 : ARENA_CHUNK_MIN;
    struct arena_chunk *c;

    if (size > 8u * MIB)
        size = 8u * MIB;
    if (size < need)
        size = need;
    c = malloc(sizeof *c + size);
    if (!c)
        return false;
    *c = (struct arena_chunk){ .next = a->chunk, .size = size };
    a->chunk = c;
    return true;
}

void *arena_alloc(struct arena *a, size_t bytes)
{
    size_t need;

    if (__builtin_add_overflow(bytes, ARENA_ALIGN - 1, &need))
        return fail(a);
    need &= ~(size_t)(ARENA_ALIGN - 1);
    if (need == 0)
        need = ARENA_ALIGN;
    if (need > a->limit_bytes || a->used_bytes > a->limit_bytes - need)
        return fail(a);
    if (!a->chunk || a->chunk->size - a->chunk->used < need)
        if (!grow(a, need))
            return fail(a);
    void *p = a->chunk->bytes + a->chunk->used;
    a->chunk->used += need;
    a->used_bytes += need;
    return p;
}

void *arena_zero(struct arena *a, size_t bytes)
{
    void *p = arena_alloc(a, bytes);

    if (p)
        memset(p, 0, bytes);
    return p;
}

void *arena_array(struct arena *a, size_t count, size_t size)
{
    size_t bytes;

    if (__builtin_mul_overflow(count, size, &bytes))
        return fail(a);
    return arena_alloc(a, bytes);
}

struct str arena_copy(struct arena *a, struct str s)
{
    char *p = s.n < SIZE_MAX ? arena_alloc(a, s.n + 1) : fail(a);

    if (!p)
        return (struct str){ NULL, 0 };
    if (s.n)
        memcpy(p, s.p, s.n);
    p[s.n] = 0;
    return str_of(p, s.n);
}

struct str arena_join(struct arena *a, const struct str *parts, size_t count)
{
    size_t n = 0;
    char *p, *at;

    for (size_t i = 0; i < count; i++)
        if (__builtin_add_overflow(n, parts[i].n, &n))
            return (fail(a), (struct str){ NULL, 0 });
    at = p = arena_alloc(a, n);
    for (size_t i = 0; p && i < count; i++)
        if (parts[i].n) {
            memcpy(at, parts[i].p, parts[i].n);
            at += parts[i].n;
        }
    return p ? str_of(p, n) : (struct str){ NULL, 0 };
}

struct str arena_printf(struct arena *a, const char *fmt, ...)
{
    va_list ap, again;
    char *p = NULL;
    int n;

    va_start(ap, fmt);
    va_copy(again, ap);
    n = vsnprintf(NULL, 0, fmt, ap);
    if (n >= 0 && (p = arena_alloc(a, (size_t)n + 1)) != NULL)
        vsnprintf(p, (size_t)n + 1, fmt, again);
    va_end(again);
    va_end(ap);
    return p ? str_of(p, (size_t)n) : (struct str){ NULL, 0 };
}

bool arena_failed(const struct arena *a)
{
    return a->failed;
}

void arena_reset(struct arena *a)
{
    /* The largest chunk is the newest: keep that one, so that the next batch fits at once. */
    struct arena_chunk *keep = a->chunk;

    if (keep) {
        struct arena_chunk *c = keep->next;

        while (c) {
            struct arena_chunk *next = c->next;

            free(c);
            c = next;
        }
        keep->next = NULL;
        keep->used = 0;
    }
    a->used_bytes = 0;
    a->failed = false;
}

void arena_free(struct arena *a)
{
    arena_reset(a);
    free(a->chunk);
    a->chunk = NULL;
}
