/* items.h - for the files of groups.h: what a group remembers of its events, packed.
 *
 * A moment is kept as its lower bits: it lies before the group's edge, by less than those bits can tell. Narrow ones count in ticks, so the
 * moments must be whole ticks, as those of most logs are; one that is not, comes of another source, lies too far back, or has a value that is
 * no float, makes all items of the group wider. Nothing is rounded. An empty group begins narrow again.
 *
 *   narrow   moment in ticks (32 bits, less two for the marks of a percentile) | float, or the hash of a value (8 bytes)
 *   word     moment in ns (48, less two), source (16)                          | double, or the hash
 *   wide     struct item: all else, and several that became one
 *   set      many values: struct values, with an index
 *
 * They lie in the record while they have room there, then in a block. */
#ifndef SAQSHY_SIGMA_ITEMS_H
#define SAQSHY_SIGMA_ITEMS_H

#include "sigma/groups.h"

enum form { FORM_NARROW, FORM_WORD, FORM_WIDE, FORM_SET };
#define WORD_SOURCE 16u   /* bits */

/* Something that happened, or several things of nearly the same time that became one; as window.c sees it. */
struct item {
    time_ns t;
    union {
        uint64_t v;                               /* kinds that keep values: the value's hash */
        double   sum;                             /* of the values */
        struct { uint32_t low, high; } rank;      /* percentile: values that fail the lower bound, that keep the upper one */
    };
    uint32_t n, source;                           /* how many; whose clock t is of */
};
static_assert(sizeof(struct item) == 24, "an item is small");
static_assert(offsetof(struct item, t) == 0 && offsetof(struct item, v) == 8, "row_time, row_value");

/* A block of items that have no room in the record. */
struct block {
    uint64_t events;                /* of wide items: what they stand for */
    uint32_t cap, unused;
    char     at[];
};

static inline char *group_area(const struct groups *g, const struct group *gr) { return (char *)(uintptr_t)gr + g->lay.area_at; }
/* group_block - what a spilled area points to; struct values if the form is a set. */
static inline void *group_block(const struct groups *g, const struct group *gr)
{
    void *block;

    memcpy(&block, group_area(g, gr), sizeof block);
    return block;
}
static inline void group_block_set(const struct groups *g, struct group *gr, void *block) { memcpy(group_area(g, gr), &block, sizeof block); }
void group_block_free(struct groups *g, struct group *gr);           /* not that of a set */

/* in_ticks - by constants, for they divide quickly. */
static inline time_ns in_ticks(time_ns tick, time_ns t)
{
    return tick == NS_PER_MS / 1000 ? t / (NS_PER_MS / 1000) : tick == NS_PER_MS ? t / NS_PER_MS : t / NS_PER_SECOND;
}

/* items_reference - a moment that no packed item lies behind: the edge, or the end of the window that stands. */
static inline time_ns items_reference(const struct groups *g, time_ns edge) { return g->lay.ends ? edge + g->c->timespan : edge; }

/* The items of a group, in the order of time: borrowed until one is added or dropped, or the edge moves. */
struct row {
    const char *p;
    uint32_t  n, entry, form, source, flag_bits;
    bool      number;
    time_ns   edge, edge_ticks, tick;
};

static inline struct row group_row(const struct groups *g, const struct group *gr)
{
    const char *at = gr->spilled ? ((const struct block *)group_block(g, gr))->at : group_area(g, gr);
    time_ns edge = items_reference(g, gr->edge);

    return (struct row){ .p = at + (size_t)gr->head * g->lay.entry[gr->form], .n = gr->item_n, .entry = g->lay.entry[gr->form], .form = gr->form,
                         .source = gr->item_source, .flag_bits = g->lay.flag_bits, .number = g->lay.narrow == 4, .edge = edge,
                         .edge_ticks = in_ticks(g->lay.tick, edge), .tick = g->lay.tick };
}

static inline time_ns narrow_time(const struct row *r, uint32_t w)
{
    uint32_t back = ((uint32_t)r->edge_ticks - (w >> r->flag_bits)) & (UINT32_MAX >> r->flag_bits);

    return (r->edge_ticks - back) * r->tick;
}

static inline time_ns word_time(const struct row *r, uint64_t w)
{
    uint32_t bits = WORD_SOURCE + r->flag_bits;

    return r->edge - (time_ns)(((uint64_t)r->edge - (w >> bits)) & (UINT64_MAX >> bits));
}

static inline time_ns row_time(const struct row *r, uint32_t i)
{
    const char *p = r->p + (size_t)i * r->entry;
    uint32_t narrow;
    uint64_t word;

    if (r->form == FORM_NARROW) {
        memcpy(&narrow, p, sizeof narrow);
        return narrow_time(r, narrow);
    }
    memcpy(&word, p, sizeof word);
    return r->form == FORM_WORD ? word_time(r, word) : (time_ns)word;
}

/* row_value - of kinds that keep values: its hash. */
static inline uint64_t row_value(const struct row *r, uint32_t i)
{
    uint64_t v;

    memcpy(&v, r->p + (size_t)i * r->entry + (r->form == FORM_NARROW ? 4 : 8), sizeof v);
    return v;
}

static inline uint32_t row_source(const struct row *r, uint32_t i)
{
    const char *p = r->p + (size_t)i * r->entry;
    struct item it;
    uint64_t word;

    if (r->form == FORM_NARROW)
        return r->source;
    memcpy(&word, p, sizeof word);
    if (r->form == FORM_WORD)
        return word >> r->flag_bits & UINT16_MAX;
    memcpy(&it, p, sizeof it);
    return it.source;
}

struct item row_at(const struct row *r, uint32_t i);

/* group_item - one more item at position at (0 to item_n) of the group's row, which has it then. */
bool group_item(struct groups *g, struct group *gr, struct row *r, uint32_t at, const struct item *it);
void group_drop_items(struct groups *g, struct group *gr, uint32_t from, uint32_t n);
/* group_widen - its items, each as a struct item. NULL without memory. */
struct item *group_widen(struct groups *g, struct group *gr);
/* group_move - its edge moves on; items that were packed against it stay what they are, in the row too. False without memory. */
bool group_move(struct groups *g, struct group *gr, struct row *r, time_ns edge);
/* group_events - what its items stand for. */
static inline uint64_t group_events(const struct groups *g, const struct group *gr)
{
    return gr->form == FORM_WIDE ? ((const struct block *)group_block(g, gr))->events : gr->item_n;
}

/* The places of the temporal kinds: the last moment of each rule; of ordered ones, by position in each chain, the latest start. */
struct step { time_ns t; uint64_t seq; };
/* group_steps - of ordered kinds struct step, else time_ns, all NEVER at first. NULL without memory. */
void *group_steps(struct groups *g, struct group *gr);
bool group_has_steps(const struct groups *g, const struct group *gr);   /* without one they are all NEVER */
void group_steps_clear(const struct groups *g, struct group *gr);

/* --- values.c --- */

/* A value and when it was seen last; they hang in a list, oldest first. */
struct value {
    uint64_t hash;
    time_ns  t;
    uint32_t source, older, newer;
};
struct values {
    uint32_t     *index;       /* open addressing */
    uint32_t      count, used, cap, index_n, oldest, newest, free_head;
    struct value  at[];
};


/* values_note - a value (v) seen at t. *known (may be NULL): it was there. Past SIGMA_VALUES_MAX the oldest goes. False without memory. */
bool values_note(struct groups *g, struct group *gr, const struct item *it, bool *known);
uint32_t values_count(const struct groups *g, const struct group *gr);
/* values_drop_oldest - forget the value not seen for longest. */
void values_drop_oldest(struct groups *g, struct group *gr);
/* values_ends - how many, and from when to when; what the oldest's clock is. */
struct values_ends { uint32_t count, source; time_ns oldest, newest; };
struct values_ends values_ends(const struct groups *g, const struct group *gr);
/* values_between - how many were seen last then. */
uint32_t values_between(const struct groups *g, const struct group *gr, time_ns from, time_ns to);
/* values_each - from the oldest on. */
typedef void values_fn(void *arg, const struct item *it);
void values_each(const struct groups *g, const struct group *gr, values_fn *fn, void *arg);
void values_free(struct groups *g, struct group *gr);

#endif
