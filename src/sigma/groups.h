/* groups.h - for correlate.c, window.c and state.c: the memory of one correlation.
 *
 * Groups lie in an array, found by the hash of their key in a table of open addressing, and hang in one list: by last touch, oldest
 * first (by opening for correlations judged at the window's end). The list's head is what is evicted, closed or forgotten. The links
 * lie apart from the groups: to move one to the end touches its neighbours, and those are small then. */
#ifndef SAQSHY_SIGMA_GROUPS_H
#define SAQSHY_SIGMA_GROUPS_H

#include "sigma/internal.h"

/* Something that happened, or several things of nearly the same time that became one. */
struct item {
    time_ns t;
    union {
        uint64_t v;                               /* ordered: the seq of the event that came last */
        double   sum;                             /* of the values */
        struct { uint32_t low, high; } rank;      /* percentile: values that fail the lower bound, that keep the upper one */
    };
    uint32_t n, source;                           /* how many; whose clock t is of */
};
static_assert(sizeof(struct item) == 24, "an item is small");

/* A value and when it was seen last; they hang in a list, oldest first. */
struct value {
    uint64_t hash;
    time_ns  t;
    uint32_t source, older, newer;
};
struct values {
    uint32_t     *index;       /* open addressing; none while there are few */
    uint32_t      count, used, cap, index_n, oldest, newest, free_head;
    struct value  at[];
};

/* What is added up over the items of a group. */
struct tally {
    uint64_t n;
    union {
        double   sum;
        struct { uint32_t low, high; } rank;
        uint32_t mask;                            /* temporal, judged at the end: the references seen */
    };
};

struct group {
    char     *key;              /* owned; NULL: a free place */
    uint64_t  hash;
    uint32_t  key_n, source;    /* source: whose event opened the window */
    uint64_t  total, first_seq, last_seq;
    time_ns   first, last;      /* of its events */
    time_ns   fired;            /* the moment, or NEVER */
    time_ns   seen;             /* on our clock: last touch, or the opening of a window judged at its end */
    union {
        struct item   *items;   /* owned; the living ones start at head */
        struct values *values;  /* owned; value_count and new_value */
    };
    uint32_t  head, item_n, item_cap;
    struct tally tally;
    double    value;            /* the sum or average with which it fired; NAN: there is none */
};
static_assert(sizeof(struct group) == 128, "a group takes two lines of cache");

struct slot_ref { uint32_t hash, group; };
struct link { uint32_t prev, next; };

struct groups {
    const struct correlation *c;
    struct group *at;
    struct link  *links;
    struct slot_ref *slots;
    uint32_t  count, used, cap, free_head, slot_n;   /* count: living */
    uint32_t  oldest, newest;
    uint64_t  bytes, evicted;
    uint64_t *bytes_all;        /* of all correlations */
};

struct groups *groups_new(const struct correlation *c, uint64_t *bytes_all);
void groups_free(struct groups **g);
uint32_t groups_find(const struct groups *g, struct str key, uint64_t hash);
/* groups_add - a new group at the newest end; NIL without memory. */
uint32_t groups_add(struct groups *g, struct str key, uint64_t hash);
void groups_remove(struct groups *g, uint32_t i);
void groups_touch(struct groups *g, uint32_t i);
/* groups_empty - what the group remembers of its events goes; it stays. */
void groups_empty(struct groups *g, struct group *gr);
/* groups_account - bytes that came and went. */
void groups_account(struct groups *g, size_t more, size_t less);
static inline bool keeps_values(const struct groups *g) { return g->c->kind == CORR_VALUE_COUNT || g->c->kind == CORR_NEW_VALUE; }

static inline struct item *group_items(const struct group *gr) { return gr->items + gr->head; }
/* group_item - one more item at position at (0 to item_n). */
bool group_item(struct groups *g, struct group *gr, uint32_t at, struct item it);
void group_drop_items(struct group *gr, uint32_t from, uint32_t n);

/* --- values.c --- */

/* values_note - a value seen at t. *known (may be NULL): it was there. Past SIGMA_VALUES_MAX the oldest goes. False without memory. */
bool values_note(struct groups *g, struct group *gr, struct value v, bool *known);
/* values_drop_oldest - forget the value not seen for longest. */
void values_drop_oldest(struct group *gr);
static inline uint32_t values_count(const struct group *gr) { return gr->values ? gr->values->count : 0; }
void values_free(struct groups *g, struct group *gr);

/* --- window.c --- */

struct arrival {
    time_ns  t, now;            /* of the event; on our clock */
    uint64_t seq, value;        /* value: hash, for the kinds that keep values */
    double   number;
    uint32_t ref, source;
    bool     ended;             /* no event but the end of a window: seq is of the event that ended it */
};
/* window_take - the event into its group. 1 if the correlation fires on it. */
int window_take(struct groups *g, struct group *gr, const struct clocks *clocks, const struct arrival *a);
/* window_over - for kinds judged at the end: the event belongs behind the window that is open. */
bool window_over(const struct groups *g, const struct group *gr, const struct arrival *a);
/* window_holds - the window is over: does it fire? */
bool window_holds(const struct groups *g, struct group *gr);

#endif
