/* names.c - the names in the paths of a description, as small numbers: a report's names are compared once, then numbers are. */
#include "scan/internal.h"

int names_init(struct names *n, struct arena *a)
{
    n->count = 0;
    n->slots = NAMES_MAX * 2;
    n->text = arena_array(a, NAMES_MAX + 1, sizeof *n->text);
    n->slot = arena_zero(a, n->slots * sizeof *n->slot);
    return n->text && n->slot ? 0 : -ENOMEM;
}

uint32_t names_find(const struct names *n, struct str text, uint64_t *hash)
{
    uint64_t h = str_hash(text);

    if (hash)
        *hash = h;
    for (size_t i = h & (n->slots - 1); n->slot[i]; i = (i + 1) & (n->slots - 1))
        if (str_eq(n->text[n->slot[i]], text))
            return n->slot[i];
    return 0;
}

uint32_t names_add(struct names *n, struct arena *a, struct str text)
{
    uint64_t h = 0;
    uint32_t id = names_find(n, text, &h);
    size_t i = h & (n->slots - 1);

    if (id || n->count >= NAMES_MAX)
        return id;
    while (n->slot[i])
        i = (i + 1) & (n->slots - 1);
    n->text[n->count + 1] = arena_copy(a, text);
    if (!n->text[n->count + 1].p)
        return 0;
    n->slot[i] = (uint32_t)++n->count;
    return n->slot[i];
}
