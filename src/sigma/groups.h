/* groups.h - for correlate.c, window.c and state.c: the memory of one correlation.
 *
 * Owns      the groups: a row of records, all of one length, a row of their colder halves, and a table that leads to them.
 * Promises  1. An update looks at one place of memory that is not in the cache already: the record, two or three lines side by side. Its
 *              events lie in it while they are few, packed (items.h).
 *           2. A group is known by 96 bits of the SipHash of its key, under a secret of this process; its text is kept to be told, not to be
 *              compared. Who does not know the secret cannot choose keys that fall together, and by chance a new key meets one of 100,000
 *              groups once in 8 * 10^23 times: at a million new keys a second, once in twenty thousand million years. Nor can he make the table
 *              slow. The state of a restart has the texts alone, and is read under a new secret.
 *           3. The order in which groups go is exact: the one untouched for longest (of windows judged at their end, the one that opened first).
 *           4. What is accounted is what is taken: record, colder half, key, blocks, and a share of the table.
 *           5. While the state is saved in slices (state.c), a group is written before it is changed or goes, once.
 * Threads   owner.
 * Units     bytes.
 *
 *   table of 32 bits a place:  15 bits of the hash, 17 of the group's number
 *        |
 *        +--> record:  struct group (48) | tail, by kind | area: items, or a pointer to their block
 *        +--> struct cold (32): its first event, its key
 *
 * A touch only writes the next number of a count, the stamp, into the record. Who is oldest is asked rarely: then all stamps are sorted, and the
 * first sixteenth of them becomes a queue, which is right until it is used up: who is touched meanwhile moves behind all of it. */
#ifndef SAQSHY_SIGMA_GROUPS_H
#define SAQSHY_SIGMA_GROUPS_H

#include "base/siphash.h"
#include "sigma/internal.h"

/* What is added up over the items of a group. */
struct tally {
    uint64_t n;
    union {
        double   sum;
        struct { uint32_t low, high; } rank;
        uint32_t mask;                            /* temporal, judged at the end: the references seen */
        uint64_t bits;                            /* whatever it is, as it is saved */
    };
};

#define TOTAL_MAX ((UINT64_C(1) << 48) - 1)

struct group {
    uint64_t id;                    /* of its key's hash; with home, where it wants to stand in the table, and what the table keeps */
    uint64_t total : 48, source : 16;             /* events of the episode; whose event opened the window */
    time_ns  edge;                  /* the newest of its events; of a window judged at its end the first, from which it stands */
    union {
        time_ns fired;              /* the moment, or NEVER */
        time_ns seen;               /* of those that end by our clock: when they were touched, or opened */
    };
    uint32_t stamp;                 /* 0: a free place */
    uint32_t seen_s;                /* the others: when they were touched, in seconds, the upper bits left out */
    uint16_t home_low;
    uint16_t item_source;           /* of narrow items */
    uint32_t head : 14, item_n : 14, form : 2, spilled : 1, home_high : 1;   /* the living items start at head; spilled: they lie in a block */
};
static_assert(sizeof(struct group) == 48, "most of a line of cache");

/* What is seldom looked at. */
struct cold {
    uint64_t first_seq;
    time_ns  first;
    char     key[16];               /* up to 15 bytes and how many in the last; or a pointer to more, and KEY_LONG there */
};

/* Tail of those that end by our clock. */
struct ending {
    uint64_t     last_seq;
    struct tally tally;
};

struct layout {
    uint32_t stride, area_at, area_n;    /* bytes of a record; where items lie in it, how many bytes of them */
    uint32_t steps, step;                /* temporal kinds, not judged at the end: places, bytes of one */
    uint32_t narrow, payload;            /* of an item: bytes beside moment and source, if it is narrow, if it is a word */
    uint32_t entry[4], entry_cap[4];     /* all bytes of one, by form; how many lie in the record. A set has none */
    uint32_t flag_bits;                  /* bits of its moment that are marks */
    time_ns  tick;                       /* of narrow moments */
    bool     ends;                       /* by our clock */
};

struct turn { uint32_t stamp, group; };

struct groups {
    const struct correlation *c;
    struct layout lay;
    char     *at;
    struct cold *cold;
    uint32_t *slots;
    uint32_t  count, used, cap, free_head, slot_n;   /* count: living */
    uint32_t  stamp, since;     /* the last that was given; the one before the event seq came */
    uint64_t  seq;
    struct turn *queue;        /* the oldest, in order; those touched since have another stamp */
    uint32_t  queue_at, queue_n;
    time_ns   floor;            /* none outside the queue was seen before */
    uint64_t  secret[2];
    uint64_t  bytes, evicted;
    uint64_t *bytes_all;        /* of all correlations */
    double    value;            /* the sum or average with which the last one fired; NAN: there is none */
    struct keeping *keeping;    /* the state is being saved in slices; NULL: it is not, or all of them are written */
};

struct groups *groups_new(const struct correlation *c, uint64_t *bytes_all);
void groups_free(struct groups **g);
/* groups_keep - before the group is changed, or its place is taken, the state that is being saved gets it as it is. groups_keep_all: all of them. */
void group_write_early(struct groups *g, uint32_t i);
static inline void groups_keep(struct groups *g, uint32_t i)
{
    if (g->keeping)
        group_write_early(g, i);
}
void groups_keep_all(struct groups *g);
void groups_keep_drop(struct groups *g);
/* groups_alike - groups of one correlation may go on as those of the other. */
bool groups_alike(const struct correlation *a, const struct correlation *b);
static inline struct group *group_at(const struct groups *g, uint32_t i) { return (struct group *)(void *)(g->at + (size_t)i * g->lay.stride); }
/* groups_find - the hash of the key goes to *hash, for groups_add. */
uint32_t groups_find(const struct groups *g, struct str key, struct siphash *hash);
/* groups_add - a new group, the newest; NIL without memory. */
uint32_t groups_add(struct groups *g, struct str key, struct siphash hash);
void groups_remove(struct groups *g, uint32_t i);
/* groups_touch - now is that of our clock. */
void groups_touch(struct groups *g, struct group *gr, time_ns now);
/* groups_seen_set - the same as it was saved. */
void groups_seen_set(struct groups *g, struct group *gr, uint32_t stamp, time_ns seen);
/* groups_oldest - the group untouched for longest; NIL if none was seen before "before". NIL without memory too. */
uint32_t groups_oldest(struct groups *g, time_ns before, time_ns now);
/* group_seen - when it was touched (or opened) by our clock, which shows now. To the second, later rather than earlier, unless it ends by it. */
time_ns group_seen(const struct groups *g, const struct group *gr, time_ns now);
/* groups_second - the second in which a moment counts as seen: never an earlier one. */
static inline time_ns groups_second(time_ns t) { return (t + NS_PER_SECOND - 1) / NS_PER_SECOND; }
/* groups_again - the event seq was in this group before; asked before it is touched. */
bool groups_again(struct groups *g, const struct group *gr, uint64_t seq);
/* groups_empty - what the group remembers of its events goes; it stays. */
void groups_empty(struct groups *g, struct group *gr);
/* groups_account - bytes that came and went. */
void groups_account(struct groups *g, size_t more, size_t less);
struct cold *group_cold(const struct groups *g, const struct group *gr);
struct str cold_key(const struct cold *k);
static inline bool keeps_values(const struct groups *g) { return g->c->kind == CORR_VALUE_COUNT || g->c->kind == CORR_NEW_VALUE; }
static inline struct ending *group_ending(const struct group *gr) { return (struct ending *)(void *)(gr + 1); }

/* --- window.c --- */

struct arrival {
    time_ns  t, now;            /* of the event; on our clock */
    uint64_t seq, value;        /* value: hash, for the kinds that keep values */
    double   number;
    uint32_t ref, source;
    bool     ended;             /* no event but the end of a window: seq is of the event that ended it */
};
/* window_take - the event into its group, which it touches. 1 if the correlation fires on it. */
int window_take(struct groups *g, struct group *gr, const struct clocks *clocks, const struct arrival *a);
/* window_over - for kinds judged at the end: the event belongs behind the window that is open. */
bool window_over(const struct groups *g, const struct group *gr, const struct arrival *a);
/* window_holds - the window is over: does it fire? */
bool window_holds(struct groups *g, struct group *gr);

#endif
