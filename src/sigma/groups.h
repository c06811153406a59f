/* groups.h - for correlate.c and state.c: the memory of one correlation.
 *
 * Groups lie in an array, found by a hash of their key, and hang in one list: by last touch, oldest first (by opening for
 * correlations judged at the window's end). The list's head is what is evicted, closed or forgotten. */
#ifndef SAQSHY_SIGMA_GROUPS_H
#define SAQSHY_SIGMA_GROUPS_H

#include "sigma/internal.h"

#define NIL UINT32_MAX
#define ITEMS_MAX (SIGMA_STATE_BYTES_MAX / 16)   /* over all groups of one correlation */

/* A time, and what was seen then: the hash of a value, or a seq. */
struct item { time_ns t; uint64_t v; };

struct group {
    char     *key;              /* owned; UINT32_MAX key_n: a free place */
    uint32_t  key_n, hash;
    uint32_t  chain, prev, next;
    uint64_t  total, first_seq, last_seq;
    time_ns   first, last, quiet_until;
    struct item *items;         /* owned */
    uint32_t  item_n, item_cap;
};

struct groups {
    const struct correlation *c;
    struct group *at;
    uint32_t  count, used, cap, free_head;   /* count: living */
    uint32_t *buckets, bucket_n;
    uint32_t  oldest, newest;
    uint64_t  items;
    time_ns   watermark;        /* the latest moment seen */
};

struct groups *groups_new(const struct correlation *c);
void groups_free(struct groups **g);
uint32_t groups_find(const struct groups *g, struct str key);
/* groups_add - a new group at the newest end; NIL without memory. *evicted counts what had to go. */
uint32_t groups_add(struct groups *g, struct str key, uint64_t *evicted);
void groups_remove(struct groups *g, uint32_t i);
void groups_touch(struct groups *g, uint32_t i);
/* group_item - room for one more item at position at (0 to item_n). */
bool group_item(struct groups *g, struct group *gr, uint32_t at, struct item it);
void group_drop_items(struct groups *g, struct group *gr, uint32_t from, uint32_t n);

#endif
