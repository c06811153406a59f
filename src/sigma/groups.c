/* groups.c - see groups.h. */
#include "sigma/groups.h"

#include <math.h>
#include <sys/mman.h>

#define SLOTS_MIN 16u
#define HUGE_PAGE (2u * MIB)

void groups_account(struct groups *g, size_t more, size_t less)
{
    g->bytes += more - less;
    *g->bytes_all += more - less;
}

struct groups *groups_new(const struct correlation *c, uint64_t *bytes_all)
{
    struct groups *g = calloc(1, sizeof *g);

    if (!g)
        return NULL;
    g->c = c;
    g->bytes_all = bytes_all;
    g->oldest = g->newest = g->free_head = NIL;
    return g;
}

void groups_free(struct groups **gp)
{
    struct groups *g = *gp;

    if (!g)
        return;
    while (g->oldest != NIL)
        groups_remove(g, g->oldest);
    free(g->at);
    free(g->links);
    free(g->slots);
    free(g);
    *gp = NULL;
}

/* --- the table --- */

uint32_t groups_find(const struct groups *g, struct str key, uint64_t hash)
{
    if (!g->slot_n)
        return NIL;
    for (uint32_t at = (uint32_t)hash & (g->slot_n - 1); g->slots[at].group != NIL; at = (at + 1) & (g->slot_n - 1)) {
        const struct slot_ref *s = &g->slots[at];

        const struct group *gr = &g->at[s->group];

        if (s->hash != (uint32_t)(hash >> 32) || gr->hash != hash)
            continue;
        /* Nearly always it is this one: let memory work while keys are compared. */
        __builtin_prefetch(gr->items + gr->head);
        __builtin_prefetch(gr->items + gr->head + gr->item_n);
        __builtin_prefetch(&g->links[s->group]);
        if (str_eq(str_of(gr->key, gr->key_n), key))
            return s->group;
    }
    return NIL;
}

static void slot_put(struct groups *g, uint32_t i)
{
    uint32_t at = (uint32_t)g->at[i].hash & (g->slot_n - 1);

    while (g->slots[at].group != NIL)
        at = (at + 1) & (g->slot_n - 1);
    g->slots[at] = (struct slot_ref){ (uint32_t)(g->at[i].hash >> 32), i };
}

/* slot_take - those behind that could stand here move up, so that no search ends too early. */
static void slot_take(struct groups *g, uint32_t i)
{
    uint32_t mask = g->slot_n - 1, at = (uint32_t)g->at[i].hash & mask;

    while (g->slots[at].group != i)
        at = (at + 1) & mask;
    for (uint32_t next = (at + 1) & mask; g->slots[next].group != NIL; next = (next + 1) & mask) {
        uint32_t home = (uint32_t)g->at[g->slots[next].group].hash & mask;

        if (((next - home) & mask) >= ((next - at) & mask)) {
            g->slots[at] = g->slots[next];
            at = next;
        }
    }
    g->slots[at].group = NIL;
}

/* places - memory for groups, at lines of cache; much of it in large pages, for groups are visited in no order. */
static struct group *places(uint32_t cap)
{
    size_t bytes = cap * sizeof(struct group);
    struct group *at = aligned_alloc(bytes >= HUGE_PAGE ? HUGE_PAGE : 64, bytes);   /* cap is a power of two */

    if (at && bytes >= HUGE_PAGE)
        (void)madvise(at, bytes, MADV_HUGEPAGE);   /* a wish: without it it is only slower */
    return at;
}

/* grow - places, links and slots for twice as many. */
static bool grow(struct groups *g)
{
    uint32_t cap = g->cap ? g->cap * 2 : SLOTS_MIN / 2;
    struct group *at = places(cap);
    struct link *links = realloc(g->links, cap * sizeof *links);
    struct slot_ref *slots = malloc(2 * (size_t)cap * sizeof *slots);   /* half full at most */

    g->links = links ? links : g->links;
    if (!at || !links || !slots) {
        free(at);
        free(slots);
        return false;
    }
    if (g->used)
        memcpy(at, g->at, g->used * sizeof *at);
    free(g->at);
    free(g->slots);
    g->at = at;
    g->slots = slots;
    g->slot_n = 2 * cap;
    g->cap = cap;
    memset(slots, 0xFF, g->slot_n * sizeof *slots);
    for (uint32_t i = g->oldest; i != NIL; i = g->links[i].next)
        slot_put(g, i);
    return true;
}

/* --- the list --- */

static void link_newest(struct groups *g, uint32_t i)
{
    g->links[i] = (struct link){ g->newest, NIL };
    if (g->newest != NIL)
        g->links[g->newest].next = i;
    else
        g->oldest = i;
    g->newest = i;
}

static void unlink_group(struct groups *g, uint32_t i)
{
    struct link l = g->links[i];

    if (l.prev != NIL)
        g->links[l.prev].next = l.next;
    else
        g->oldest = l.next;
    if (l.next != NIL)
        g->links[l.next].prev = l.prev;
    else
        g->newest = l.prev;
}

void groups_touch(struct groups *g, uint32_t i)
{
    if (g->newest == i)
        return;
    unlink_group(g, i);
    link_newest(g, i);
}

uint32_t groups_add(struct groups *g, struct str key, uint64_t hash)
{
    char *copy = malloc(key.n + 1);
    uint32_t i = g->free_head;

    if (!copy || (i == NIL && g->used == g->cap && !grow(g))) {
        free(copy);
        return NIL;
    }
    if (i != NIL)
        g->free_head = g->links[i].next;
    else
        i = g->used++;
    if (key.n)
        memcpy(copy, key.p, key.n);
    g->at[i] = (struct group){ .key = copy, .key_n = (uint32_t)key.n, .hash = hash, .fired = NEVER, .value = (double)NAN };
    slot_put(g, i);
    link_newest(g, i);
    g->count++;
    groups_account(g, sizeof(struct group) + key.n + 1, 0);
    return i;
}

void groups_empty(struct groups *g, struct group *gr)
{
    if (keeps_values(g)) {
        values_free(g, gr);
    } else {
        groups_account(g, 0, gr->item_cap * sizeof *gr->items);
        free(gr->items);
        gr->items = NULL;
        gr->head = gr->item_n = gr->item_cap = 0;
    }
    gr->tally = (struct tally){ .n = 0 };
}

void groups_remove(struct groups *g, uint32_t i)
{
    struct group *gr = &g->at[i];

    slot_take(g, i);
    unlink_group(g, i);
    groups_empty(g, gr);
    groups_account(g, 0, sizeof(struct group) + gr->key_n + 1);
    free(gr->key);
    *gr = (struct group){ .key = NULL };
    g->links[i].next = g->free_head;
    g->free_head = i;
    g->count--;
}

/* --- items --- */

/* room_behind - a place behind the last item. Those that went leave room before the first: from an eighth on it is used. */
static bool room_behind(struct groups *g, struct group *gr)
{
    uint32_t cap;
    struct item *grown;

    if (gr->head + gr->item_n < gr->item_cap)
        return true;
    if (gr->head > gr->item_cap / 8) {
        memmove(gr->items, group_items(gr), gr->item_n * sizeof *gr->items);
        gr->head = 0;
        return true;
    }
    cap = gr->item_cap ? gr->item_cap * 2 : 2;
    grown = realloc(gr->items, cap * sizeof *grown);
    if (!grown)
        return false;
    groups_account(g, (cap - gr->item_cap) * sizeof *grown, 0);
    gr->items = grown;
    gr->item_cap = cap;
    return true;
}

bool group_item(struct groups *g, struct group *gr, uint32_t at, struct item it)
{
    struct item *items;

    if (!room_behind(g, gr))
        return false;
    items = group_items(gr);
    memmove(items + at + 1, items + at, (gr->item_n - at) * sizeof *items);
    items[at] = it;
    gr->item_n++;
    return true;
}

void group_drop_items(struct group *gr, uint32_t from, uint32_t n)
{
    struct item *items = group_items(gr);

    if (n == 0)
        return;
    if (from == 0)
        gr->head += n;
    else
        memmove(items + from, items + from + n, (gr->item_n - from - n) * sizeof *items);
    gr->item_n -= n;
    if (gr->item_n == 0)
        gr->head = 0;
}
