/* groups.c - see groups.h. */
#include "sigma/groups.h"

#define BUCKETS_MIN 64u

struct groups *groups_new(const struct correlation *c)
{
    struct groups *g = calloc(1, sizeof *g);

    if (!g)
        return NULL;
    g->c = c;
    g->oldest = g->newest = g->free_head = NIL;
    g->watermark = INT64_MIN;
    return g;
}

void groups_free(struct groups **gp)
{
    struct groups *g = *gp;

    if (!g)
        return;
    for (uint32_t i = 0; i < g->used; i++) {
        free(g->at[i].key);
        free(g->at[i].items);
    }
    free(g->at);
    free(g->buckets);
    free(g);
    *gp = NULL;
}

uint32_t groups_find(const struct groups *g, struct str key)
{
    uint32_t hash = (uint32_t)str_hash(key);

    if (!g->bucket_n)
        return NIL;
    for (uint32_t i = g->buckets[hash & (g->bucket_n - 1)]; i != NIL; i = g->at[i].chain)
        if (g->at[i].hash == hash && str_eq(str_of(g->at[i].key, g->at[i].key_n), key))
            return i;
    return NIL;
}

static bool grow_buckets(struct groups *g)
{
    uint32_t n = g->bucket_n ? g->bucket_n * 2 : BUCKETS_MIN;
    uint32_t *b = malloc(n * sizeof *b);

    if (!b)
        return false;
    memset(b, 0xFF, n * sizeof *b);
    for (uint32_t i = g->oldest; i != NIL; i = g->at[i].next) {
        g->at[i].chain = b[g->at[i].hash & (n - 1)];
        b[g->at[i].hash & (n - 1)] = i;
    }
    free(g->buckets);
    g->buckets = b;
    g->bucket_n = n;
    return true;
}

static uint32_t take_place(struct groups *g)
{
    uint32_t i = g->free_head;

    if (i != NIL) {
        g->free_head = g->at[i].next;
        return i;
    }
    if (g->used == g->cap) {
        uint32_t cap = g->cap ? g->cap * 2 : 32;
        struct group *grown = realloc(g->at, cap * sizeof *grown);

        if (!grown)
            return NIL;
        g->at = grown;
        g->cap = cap;
    }
    return g->used++;
}

static void link_newest(struct groups *g, uint32_t i)
{
    g->at[i].prev = g->newest;
    g->at[i].next = NIL;
    if (g->newest != NIL)
        g->at[g->newest].next = i;
    else
        g->oldest = i;
    g->newest = i;
}

static void unlink_group(struct groups *g, uint32_t i)
{
    struct group *gr = &g->at[i];

    if (gr->prev != NIL)
        g->at[gr->prev].next = gr->next;
    else
        g->oldest = gr->next;
    if (gr->next != NIL)
        g->at[gr->next].prev = gr->prev;
    else
        g->newest = gr->prev;
}

/* forget - groups that nothing can come of any more go without being counted as evicted. */
static void forget(struct groups *g)
{
    while (g->oldest != NIL && !g->c->at_end && g->watermark != INT64_MIN) {
        const struct group *gr = &g->at[g->oldest];

        if (gr->last > g->watermark - g->c->timespan || gr->quiet_until > g->watermark)
            return;
        groups_remove(g, g->oldest);
    }
}

uint32_t groups_add(struct groups *g, struct str key, uint64_t *evicted)
{
    char *copy = malloc(key.n + 1);
    uint32_t i, b;

    if (!copy)
        return NIL;
    forget(g);
    while (g->count >= SIGMA_GROUPS_MAX || (g->items >= ITEMS_MAX && g->count)) {
        groups_remove(g, g->oldest);
        ++*evicted;
    }
    if (g->count >= g->bucket_n && !grow_buckets(g)) {
        free(copy);
        return NIL;
    }
    i = take_place(g);
    if (i == NIL) {
        free(copy);
        return NIL;
    }
    if (key.n)
        memcpy(copy, key.p, key.n);
    g->at[i] = (struct group){ .key = copy, .key_n = (uint32_t)key.n, .hash = (uint32_t)str_hash(key), .quiet_until = INT64_MIN };
    b = g->at[i].hash & (g->bucket_n - 1);
    g->at[i].chain = g->buckets[b];
    g->buckets[b] = i;
    link_newest(g, i);
    g->count++;
    return i;
}

void groups_remove(struct groups *g, uint32_t i)
{
    struct group *gr = &g->at[i];
    uint32_t *link = &g->buckets[gr->hash & (g->bucket_n - 1)];

    while (*link != i)
        link = &g->at[*link].chain;
    *link = gr->chain;
    unlink_group(g, i);
    g->items -= gr->item_n;
    free(gr->key);
    free(gr->items);
    *gr = (struct group){ .next = g->free_head };
    g->free_head = i;
    g->count--;
}

void groups_touch(struct groups *g, uint32_t i)
{
    if (g->newest == i)
        return;
    unlink_group(g, i);
    link_newest(g, i);
}

bool group_item(struct groups *g, struct group *gr, uint32_t at, struct item it)
{
    if (gr->item_n == gr->item_cap) {
        uint32_t cap = gr->item_cap ? gr->item_cap * 2 : 4;
        struct item *grown = realloc(gr->items, cap * sizeof *grown);

        if (!grown)
            return false;
        gr->items = grown;
        gr->item_cap = cap;
    }
    memmove(gr->items + at + 1, gr->items + at, (gr->item_n - at) * sizeof *gr->items);
    gr->items[at] = it;
    gr->item_n++;
    g->items++;
    return true;
}

void group_drop_items(struct groups *g, struct group *gr, uint32_t from, uint32_t n)
{
    if (n == 0)
        return;
    memmove(gr->items + from, gr->items + from + n, (gr->item_n - from - n) * sizeof *gr->items);
    gr->item_n -= n;
    g->items -= n;
}
