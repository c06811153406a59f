/* lookup.c - the tables of a report: what records refer to by a key, read in a first pass and kept on a pile of its own. */
#include "scan/internal.h"

/* place_of - where the table lies in memory goes into the hash: nobody can write a report whose keys all fall into one place. */
static struct entry **place_of(const struct lookup *l, struct str key)
{
    uint64_t h = (str_hash(key) ^ (uintptr_t)l->slot) * UINT64_C(0x9E3779B97F4A7C15);
    size_t i = (size_t)(h >> 32) & (l->slots - 1);

    while (l->slot[i] && !str_eq(l->slot[i]->key, key))
        i = (i + 1) & (l->slots - 1);
    return &l->slot[i];
}

static int grow(struct lookup *l)
{
    struct lookup more = { .slots = l->slots ? l->slots * 2 : 1024, .count = l->count };

    more.slot = calloc(more.slots, sizeof(struct entry *));
    if (!more.slot)
        return -ENOMEM;
    for (size_t i = 0; i < l->slots; i++)
        if (l->slot[i])
            *place_of(&more, l->slot[i]->key) = l->slot[i];
    free(l->slot);
    *l = more;
    return 0;
}

int lookup_add(struct lookup *l, struct pile *p, struct str key, struct node *copy)
{
    struct entry *entry, **at;

    if (l->count * 2 >= l->slots && grow(l) < 0)
        return -ENOMEM;
    entry = pile_alloc(p, sizeof *entry);
    if (!entry)
        return -E2BIG;
    *entry = (struct entry){ .key = pile_copy(p, key), .node = copy };
    at = place_of(l, key);
    if (!*at) {
        *at = entry;
        l->count++;
        entry->next = entry;
        return p->failed ? -E2BIG : 0;
    }
    if (++(*at)->same >= SAME_KEY_MAX)
        return -EMLINK;
    (*at)->next->chain = entry;   /* the first entry knows the last */
    (*at)->next = entry;
    return p->failed ? -E2BIG : 0;
}

struct entry *lookup_find(const struct lookup *l, struct str key)
{
    return l->slots && key.n ? *place_of(l, key) : NULL;
}

static struct node *copy_one(struct pile *p, const struct node *n, struct node *parent)
{
    struct node *c = pile_alloc(p, sizeof *c);

    if (!c)
        return NULL;
    *c = (struct node){ .id = n->id, .index = n->index, .line = n->line, .parent = parent };
    c->name = n->id ? n->name : pile_copy(p, n->name);
    c->text = pile_copy(p, n->text);
    c->all = pile_copy(p, n->all);
    if (parent && parent->last)
        parent->last->next = c;
    else if (parent)
        parent->first = c;
    if (parent)
        parent->last = c;
    return c;
}

struct node *node_copy(struct pile *p, const struct node *n)
{
    struct node *top = copy_one(p, n, NULL), *to = top;
    const struct node *at = n;

    while (to) {
        if (at->first) {
            at = at->first;
            to = copy_one(p, at, to);
            continue;
        }
        while (at != n && !at->next) {
            at = at->parent;
            to = to->parent;
        }
        if (at == n)
            return top;
        at = at->next;
        to = copy_one(p, at, to->parent);
    }
    return NULL;
}
