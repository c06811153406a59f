/* groups.c - see groups.h: the records, the table, and who is oldest. */
#include "sigma/items.h"

#include <math.h>
#include <sys/mman.h>
#include <sys/random.h>

#define PLACES_MIN  8u
#define HUGE_PAGE   (2u * MIB)
#define KEY_INLINE  15u
#define KEY_LONG    ((char)0xFF)
#define TAG_SHIFT   17          /* of a slot: below it the group, above it bits of the hash */
#define SLOT_GROUP  ((1u << TAG_SHIFT) - 1)
#define NO_SLOT     UINT32_MAX
#define QUEUE_SHARE 16          /* a queue holds one group of so many */
#define QUEUE_MIN   64u
#define SHARE_BYTES 6u          /* what the table and the queue take for each of SIGMA_GROUPS_MAX groups */
#define MALLOC_BYTES 8u         /* what the allocator takes for each piece */
static_assert(SIGMA_GROUPS_MAX < SLOT_GROUP, "a slot has room for the number of a group");

struct longkey { uint32_t n; char p[]; };

void groups_account(struct groups *g, size_t more, size_t less)
{
    g->bytes += more - less;
    *g->bytes_all += more - less;
}

/* --- layout --- */

#define ENTRY_NARROW 4u
#define ITEMS_FEW    10u        /* of a group that lie in its record */
#define STEPS_BYTES  192u       /* so many bytes of steps lie there too */

static uint32_t clamp(uint64_t n, uint32_t least, uint32_t most) { return n < least ? least : n > most ? most : (uint32_t)n; }

static uint32_t steps_of(const struct correlation *c)
{
    uint32_t n = 0;

    if (c->kind == CORR_TEMPORAL)
        return c->ref_count;
    for (uint32_t k = 0; k < c->alternative_count; k++)
        n += (uint32_t)__builtin_popcount(c->alternatives[k].want);
    return n;
}

/* area_of - bytes for items: of a count as many as make it fire, of values some. */
static uint32_t area_of(const struct layout *l, const struct correlation *c)
{
    uint32_t few = clamp(correlation_least(c), 4, ITEMS_FEW);

    switch (c->kind) {
    case CORR_EVENT_COUNT: return l->ends ? 0 : few * ENTRY_NARROW;
    case CORR_PERCENTILE: return l->ends ? 0 : ITEMS_FEW * ENTRY_NARROW;
    case CORR_SUM:
    case CORR_AVG: return l->ends ? 0 : ITEMS_FEW * (ENTRY_NARROW + 4);
    case CORR_VALUE_COUNT: return few * (ENTRY_NARROW + 8);
    case CORR_NEW_VALUE: return 4 * (ENTRY_NARROW + 8);
    default: return 0;
    }
}

/* tick_of - the finest unit in which a timespan, and half of it, fits a narrow moment. */
static time_ns tick_of(const struct layout *l, time_ns timespan)
{
    time_ns most = (time_ns)1 << (32 - l->flag_bits), span = timespan + timespan / 2;

    return span / (NS_PER_MS / 1000) < most ? (NS_PER_MS / 1000) : span / NS_PER_MS < most ? NS_PER_MS : NS_PER_SECOND;
}

static struct layout layout_of(const struct correlation *c)
{
    struct layout l = { .area_at = sizeof(struct group), .ends = c->at_end || c->kind == CORR_ABSENCE };
    bool numbers = c->kind == CORR_SUM || c->kind == CORR_AVG, values = c->kind == CORR_VALUE_COUNT || c->kind == CORR_NEW_VALUE;

    l.narrow = numbers ? sizeof(float) : values ? sizeof(uint64_t) : 0;
    l.payload = numbers || values ? sizeof(uint64_t) : 0;
    l.entry[FORM_NARROW] = ENTRY_NARROW + l.narrow;
    l.entry[FORM_WORD] = 8 + l.payload;
    l.entry[FORM_WIDE] = sizeof(struct item);
    l.flag_bits = c->kind == CORR_PERCENTILE ? 2 : 0;
    l.tick = tick_of(&l, c->timespan);
    l.area_at += l.ends ? sizeof(struct ending) : numbers || l.flag_bits ? sizeof(uint64_t) : 0;
    l.area_n = area_of(&l, c);
    if ((c->kind == CORR_TEMPORAL || c->kind == CORR_TEMPORAL_ORDERED) && !l.ends) {
        l.steps = steps_of(c);
        l.step = c->kind == CORR_TEMPORAL ? sizeof(time_ns) : sizeof(struct step);
        l.area_n = l.steps * l.step <= STEPS_BYTES ? l.steps * l.step : sizeof(void *);
    }
    l.area_n = (l.area_n + 7) & ~7u;
    for (int form = FORM_NARROW; form < FORM_WIDE; form++)
        l.entry_cap[form] = l.area_n / l.entry[form];   /* wide ones lie in a block */
    l.stride = l.area_at + l.area_n;
    return l;
}

bool groups_alike(const struct correlation *a, const struct correlation *b)
{
    struct layout x = layout_of(a), y = layout_of(b);

    return a->definition == b->definition && a->kind == b->kind && x.stride == y.stride && x.area_at == y.area_at && x.steps == y.steps &&
           x.tick == y.tick && x.ends == y.ends;
}

struct groups *groups_new(const struct correlation *c, uint64_t *bytes_all)
{
    struct groups *g = calloc(1, sizeof *g);

    if (!g)
        return NULL;
    if (getrandom(g->secret, sizeof g->secret, 0) != (ssize_t)sizeof g->secret) {
        free(g);
        return NULL;
    }
    g->c = c;
    g->lay = layout_of(c);
    g->bytes_all = bytes_all;
    g->free_head = NIL;
    g->floor = INT64_MAX;
    g->value = (double)NAN;
    return g;
}

void groups_free(struct groups **gp)
{
    struct groups *g = *gp;

    if (!g)
        return;
    groups_keep_drop(g);
    for (uint32_t i = 0; i < g->used; i++)
        if (group_at(g, i)->stamp)
            groups_remove(g, i);
    free(g->at);
    free(g->cold);
    free(g->slots);
    free(g->queue);
    free(g);
    *gp = NULL;
}

/* --- the table --- */

static uint32_t home_of(const struct groups *g, uint64_t low) { return (uint32_t)low & (g->slot_n - 1); }
static uint64_t group_low(const struct group *gr) { return (uint32_t)gr->home_high << 16 | gr->home_low; }
static uint32_t slot_of(uint64_t low, uint32_t i) { return (uint32_t)low >> TAG_SHIFT << TAG_SHIFT | i; }
static uint32_t slot_group(uint32_t slot) { return slot & SLOT_GROUP; }

uint32_t groups_find(const struct groups *g, struct str key, struct siphash *hash)
{
    struct siphash h = siphash(g->secret, key);

    *hash = h;
    if (!g->slot_n)
        return NIL;
    for (uint32_t at = home_of(g, h.low); g->slots[at] != NO_SLOT; at = (at + 1) & (g->slot_n - 1)) {
        uint32_t i = slot_group(g->slots[at]);
        const struct group *gr;

        if (g->slots[at] != slot_of(h.low, i))
            continue;
        gr = group_at(g, i);
        /* Nearly always it is this one: let memory bring all of it at once. */
        __builtin_prefetch((const char *)gr + g->lay.stride - 1);
        if (g->lay.stride > 64)
            __builtin_prefetch((const char *)gr + 64);
        if (gr->id == h.high && group_low(gr) == (h.low & SLOT_GROUP))
            return i;
    }
    return NIL;
}

static void slot_put(struct groups *g, uint64_t low, uint32_t slot)
{
    uint32_t at = home_of(g, low);

    while (g->slots[at] != NO_SLOT)
        at = (at + 1) & (g->slot_n - 1);
    g->slots[at] = slot;
}

/* slot_take - those behind that could stand here move up, so that no search ends too early. */
static void slot_take(struct groups *g, uint32_t i)
{
    uint32_t mask = g->slot_n - 1, at = home_of(g, group_low(group_at(g, i)));

    while (slot_group(g->slots[at]) != i)
        at = (at + 1) & mask;
    for (uint32_t next = (at + 1) & mask; g->slots[next] != NO_SLOT; next = (next + 1) & mask) {
        uint32_t home = home_of(g, group_low(group_at(g, slot_group(g->slots[next]))));

        if (((next - home) & mask) >= ((next - at) & mask)) {
            g->slots[at] = g->slots[next];
            at = next;
        }
    }
    g->slots[at] = NO_SLOT;
}

/* places - memory at lines of cache; much of it in large pages, for groups are visited in no order. */
static void *places(size_t bytes)
{
    size_t unit = bytes >= HUGE_PAGE ? HUGE_PAGE : 64;
    void *at = aligned_alloc(unit, (bytes + unit - 1) / unit * unit);

    if (at && bytes >= HUGE_PAGE)
        (void)madvise(at, bytes, MADV_HUGEPAGE);   /* a wish: without it it is only slower */
    return at;
}

/* slots_grow - twice as many as there are places; what stood in the former is put anew. */
static bool slots_grow(struct groups *g, uint32_t cap)
{
    uint32_t n = 2 * PLACES_MIN, had = g->slot_n, *old = g->slots;

    while (n < cap + cap / 4)
        n *= 2;
    g->slots = places(n * sizeof *g->slots);
    if (!g->slots) {
        g->slots = old;
        return false;
    }
    g->slot_n = n;
    memset(g->slots, 0xFF, n * sizeof *g->slots);
    for (uint32_t k = 0; k < had; k++)
        if (old[k] != NO_SLOT)
            slot_put(g, group_low(group_at(g, slot_group(old[k]))), old[k]);
    free(old);
    return true;
}

/* grow - places for twice as many, at last for SIGMA_GROUPS_MAX. */
static bool grow(struct groups *g)
{
    uint32_t cap = g->cap ? g->cap * 2 : PLACES_MIN;
    char *at;
    struct cold *cold;

    if (cap > SIGMA_GROUPS_MAX)
        cap = SIGMA_GROUPS_MAX;
    at = places((size_t)cap * g->lay.stride);
    cold = places(cap * sizeof *cold);
    if (!at || !cold || cap <= g->used || !slots_grow(g, cap)) {
        free(at);
        free(cold);
        return false;
    }
    if (g->used) {
        memcpy(at, g->at, (size_t)g->used * g->lay.stride);
        memcpy(cold, g->cold, g->used * sizeof *cold);
    }
    free(g->at);
    free(g->cold);
    g->at = at;
    g->cold = cold;
    g->cap = cap;
    return true;
}

/* --- keys --- */

struct cold *group_cold(const struct groups *g, const struct group *gr)
{
    return &g->cold[(size_t)((const char *)gr - g->at) / g->lay.stride];
}

static struct longkey *long_key(const struct cold *k)
{
    struct longkey *more = NULL;

    if (k->key[KEY_INLINE] == KEY_LONG)
        memcpy(&more, k->key, sizeof(void *));
    return more;
}

struct str cold_key(const struct cold *k)
{
    const struct longkey *more = long_key(k);

    return more ? str_of(more->p, more->n) : str_of(k->key, (size_t)k->key[KEY_INLINE]);
}

static bool key_set(struct cold *k, struct str key)
{
    struct longkey *more;

    if (key.n <= KEY_INLINE) {
        if (key.n)
            memcpy(k->key, key.p, key.n);
        k->key[KEY_INLINE] = (char)key.n;
        return true;
    }
    more = malloc(sizeof *more + key.n);
    if (!more)
        return false;
    more->n = (uint32_t)key.n;
    memcpy(more->p, key.p, key.n);
    memcpy(k->key, &more, sizeof(void *));
    k->key[KEY_INLINE] = KEY_LONG;
    return true;
}

/* group_bytes - without its items. */
static size_t group_bytes(const struct groups *g, const struct cold *k)
{
    const struct longkey *more = long_key(k);

    return g->lay.stride + sizeof *k + SHARE_BYTES + (more ? sizeof *more + more->n + MALLOC_BYTES : 0);
}

/* --- groups that come and go --- */

uint32_t groups_add(struct groups *g, struct str key, struct siphash hash)
{
    uint32_t i = g->free_head;
    struct group *gr;

    if (i == NIL && g->used == g->cap && !grow(g))
        return NIL;
    if (!key_set(&g->cold[i == NIL ? g->used : i], key))
        return NIL;
    if (i == NIL)
        i = g->used++;
    else
        g->free_head = group_at(g, i)->seen_s;
    gr = group_at(g, i);
    groups_keep(g, i);
    memset(gr, 0, g->lay.stride);
    gr->id = hash.high;
    gr->home_low = (uint16_t)hash.low;
    gr->home_high = hash.low >> 16 & 1;
    gr->fired = NEVER;
    g->cold[i].first = 0;
    g->cold[i].first_seq = 0;
    group_steps_clear(g, gr);
    slot_put(g, hash.low, slot_of(hash.low, i));
    g->count++;
    gr->stamp = 1;
    groups_account(g, group_bytes(g, &g->cold[i]), 0);
    return i;
}

void groups_empty(struct groups *g, struct group *gr)
{
    if (gr->form == FORM_SET)
        values_free(g, gr);
    else if (gr->spilled)
        group_block_free(g, gr);
    gr->head = gr->item_n = gr->form = gr->spilled = 0;
    if (g->lay.ends)
        group_ending(gr)->tally = (struct tally){ .n = 0 };
    else
        memset(gr + 1, 0, g->lay.area_at - sizeof *gr);   /* the tally */
    group_steps_clear(g, gr);
}

void groups_remove(struct groups *g, uint32_t i)
{
    struct group *gr = group_at(g, i);

    groups_keep(g, i);
    slot_take(g, i);
    groups_empty(g, gr);
    groups_account(g, 0, group_bytes(g, &g->cold[i]));
    free(long_key(&g->cold[i]));
    gr->stamp = 0;
    gr->seen_s = g->free_head;
    g->free_head = i;
    g->count--;
}

bool groups_again(struct groups *g, const struct group *gr, uint64_t seq)
{
    if (seq != g->seq) {
        g->seq = seq;
        g->since = g->stamp;
    }
    return seq && gr->stamp > g->since;
}

/* --- who is oldest --- */

time_ns group_seen(const struct groups *g, const struct group *gr, time_ns now)
{
    time_ns second = groups_second(now);

    return g->lay.ends ? gr->seen : (second - (uint32_t)((uint32_t)second - gr->seen_s)) * NS_PER_SECOND;
}

/* sorted - all living groups by their stamps, by three digits of 11 bits; NULL without memory. */
static struct turn *sorted(const struct groups *g)
{
    enum { DIGIT = 11, DIGITS = 3, RADIX = 1 << DIGIT };
    struct turn *from = malloc((g->count + 1) * sizeof *from), *to = malloc((g->count + 1) * sizeof *to);
    uint32_t n = 0;

    if (!from || !to) {
        free(from);
        free(to);
        return NULL;
    }
    for (uint32_t i = 0; i < g->used; i++)
        if (group_at(g, i)->stamp)
            from[n++] = (struct turn){ group_at(g, i)->stamp, i };
    for (int d = 0; d < DIGITS; d++) {
        uint32_t at[RADIX] = { 0 }, sum = 0;
        struct turn *swap = from;

        for (uint32_t i = 0; i < n; i++)
            at[from[i].stamp >> (d * DIGIT) & (RADIX - 1)]++;
        for (uint32_t k = 0; k < RADIX; k++) {
            uint32_t here = at[k];

            at[k] = sum;
            sum += here;
        }
        for (uint32_t i = 0; i < n; i++)
            to[at[from[i].stamp >> (d * DIGIT) & (RADIX - 1)]++] = from[i];
        from = to;
        to = swap;
    }
    free(to);
    return from;
}

static void queue_drop(struct groups *g)
{
    free(g->queue);
    g->queue = NULL;
    g->queue_at = g->queue_n = 0;
}

/* queue_make - the oldest of all; false without memory. */
static bool queue_make(struct groups *g, time_ns now)
{
    struct turn *all = sorted(g), *less;
    uint32_t n = g->count / QUEUE_SHARE > QUEUE_MIN ? g->count / QUEUE_SHARE : g->count < QUEUE_MIN ? g->count : QUEUE_MIN;

    if (!all)
        return false;
    queue_drop(g);
    less = realloc(all, (n + 1) * sizeof *all);
    g->queue = less ? less : all;
    g->queue_n = n;
    g->floor = n ? group_seen(g, group_at(g, g->queue[n - 1].group), now) : INT64_MAX;
    return true;
}

uint32_t groups_oldest(struct groups *g, time_ns before, time_ns now)
{
    for (;;) {
        for (; g->queue_at < g->queue_n; g->queue_at++) {
            const struct turn *p = &g->queue[g->queue_at];

            if (group_at(g, p->group)->stamp == p->stamp)
                return group_seen(g, group_at(g, p->group), now) < before ? p->group : NIL;
        }
        if (!g->count || g->floor >= before || !queue_make(g, now))
            return NIL;
    }
}

/* renumber - the stamps from 1 on, in the same order: after four thousand million touches. */
static bool renumber(struct groups *g)
{
    struct turn *all = sorted(g);
    uint32_t since = 0;

    if (!all)
        return false;
    groups_keep_all(g);
    for (uint32_t i = 0; i < g->count; i++) {
        since += all[i].stamp <= g->since;
        group_at(g, all[i].group)->stamp = i + 1;
    }
    free(all);
    queue_drop(g);
    g->stamp = g->count;
    g->since = since;
    return true;
}

void groups_seen_set(struct groups *g, struct group *gr, uint32_t stamp, time_ns seen)
{
    gr->stamp = stamp;
    g->floor = seen < g->floor ? seen : g->floor;
    if (g->lay.ends)
        gr->seen = seen;
    else
        gr->seen_s = (uint32_t)groups_second(seen);
}

void groups_touch(struct groups *g, struct group *gr, time_ns now)
{
    if (g->stamp < UINT32_MAX || renumber(g))   /* without memory those touched from now on are as young as each other */
        g->stamp++;
    groups_seen_set(g, gr, g->stamp, now);
}
