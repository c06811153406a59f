/* pile.c - memory in the order of a stack: what was taken behind a mark is given back at once; chunks are kept for the next. */
#include "scan/internal.h"

#define PILE_FIRST (64u * KIB)

void pile_init(struct pile *p, size_t limit)
{
    memset(p, 0, sizeof *p);
    p->limit = limit;
}

void pile_end(struct pile *p)
{
    for (size_t i = 0; i < PILE_CHUNKS; i++)
        free(p->chunk[i].p);
    memset(p->chunk, 0, sizeof p->chunk);
}

/* next_chunk - the chunk behind the current one, with room for bytes. */
static bool next_chunk(struct pile *p, size_t bytes)
{
    size_t at = p->chunk[p->current].p ? p->current + 1 : p->current;
    size_t size = (size_t)PILE_FIRST << min_size(at, 6);
    struct pile_chunk *c;

    if (at >= PILE_CHUNKS)
        return false;
    c = &p->chunk[at];
    size = max_size(size, bytes);
    if (c->size < size) {
        free(c->p);
        c->p = malloc(size);
        c->size = c->p ? size : 0;
    }
    c->used = 0;
    if (c->p)
        p->current = at;
    return c->p != NULL;
}

void *pile_alloc(struct pile *p, size_t bytes)
{
    struct pile_chunk *c = &p->chunk[p->current];
    void *at;

    if (bytes > p->limit) {
        p->failed = true;
        return NULL;
    }
    bytes = (bytes + 15) & ~(size_t)15;
    if (p->total + bytes > p->limit) {
        p->failed = true;
        return NULL;
    }
    if (!c->p || c->size - c->used < bytes) {
        if (!next_chunk(p, bytes)) {
            p->failed = true;
            return NULL;
        }
        c = &p->chunk[p->current];
    }
    at = c->p + c->used;
    c->used += bytes;
    p->total += bytes;
    return at;
}

struct str pile_copy(struct pile *p, struct str s)
{
    char *at;

    if (s.n == 0)
        return (struct str){ NULL, 0 };
    at = pile_alloc(p, s.n);
    if (!at)
        return (struct str){ NULL, 0 };
    memcpy(at, s.p, s.n);
    return str_of(at, s.n);
}

struct pile_mark pile_mark(const struct pile *p)
{
    return (struct pile_mark){ .current = p->current, .used = p->chunk[p->current].used, .total = p->total };
}

void pile_rewind(struct pile *p, struct pile_mark m)
{
    p->current = m.current;
    p->chunk[m.current].used = m.used;
    p->total = m.total;
}
