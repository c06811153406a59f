/* retro_internal.h - what the files of retro share: retro_wants.c says which blocks of the store may stay closed, retro_pool.c reads pieces and matches them,
 * retro.c tells in order, retro_preview.c counts. */
#ifndef SAQSHY_DETECT_RETRO_INTERNAL_H
#define SAQSHY_DETECT_RETRO_INTERNAL_H

#include <pthread.h>

#include "detect/retro.h"

/* --- retro_wants.c --- */

#define WANTS_SETS_MAX   512u    /* with more, one or another seems to be in every block */
#define WANTS_TOKENS_MAX (16u * WANTS_SETS_MAX)

struct wants {
    uint64_t           tokens[WANTS_TOKENS_MAX];
    uint32_t           ends[WANTS_SETS_MAX];
    size_t             token_count;
    struct store_wants store;
};
/* wants_add - one more text of which one must stand in a block; bounds as those of sigma_need. false: no token of it is certain, or there are too many: nothing may be skipped. */
bool wants_add(struct wants *w, struct str folded, bool left, bool right);
/* wants_of_rules - false: nothing may be skipped. */
bool wants_of_rules(struct wants *w, const struct sigma *s);

/* --- retro_pool.c --- */

enum slot_state { SLOT_FREE, SLOT_BUSY, SLOT_DONE };

/* A piece at work; its page lives on until it is told. */
struct slot {
    enum slot_state     state;
    struct store_page  *page;
    const struct event *const *events;
    size_t              count;
    struct buf          out;
    struct retro_stats  stats;      /* of this piece */
    int                 rc;
    struct err          err;
};

struct pool {
    const struct retro_options  *o;
    const struct retro_listener *to;
    const struct store_scan     *scan;     /* of this round */
    time_ns              from;             /* what is older only warms correlations up */
    bool                 ordered;          /* correlations: the owner matches */
    struct slot         *slot;
    size_t               slots;
    size_t               taken, told;      /* pieces */
    bool                 stop, quit;       /* stop: of this round */
    size_t               busy;
    pthread_mutex_t      lock;
    pthread_cond_t       ready, done;
    struct pool_worker { struct pool *pool; struct sigma_run *run; pthread_t thread; bool started; } worker[RETRO_WORKERS_MAX];
    unsigned             workers;
    struct sigma_run    *run;              /* the owner's */
};

MUST_USE int retro_pool_start(struct pool *p, struct err *e);
void retro_pool_stop(struct pool *p);
/* retro_pool_round - a scan to be read from its first piece on; retro_pool_end: nobody reads it any more. */
void retro_pool_round(struct pool *p, const struct store_scan *scan);
void retro_pool_end(struct pool *p);
/* retro_pool_next - the next piece in order, done; it is free again at the next call. */
struct slot *retro_pool_next(struct pool *p);
/* retro_match - one event through the rules; matches are told to the sink. */
MUST_USE int retro_match(struct pool *p, struct sigma_run *run, const struct event *ev, struct buf *out, struct retro_stats *stats, struct err *e);

#endif
