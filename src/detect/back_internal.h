/* back_internal.h - what back.c, the owner's side, and back_pass.c, the thread, share.
 *
 * While ready is false the thread owns found and what belongs to it, while it is true the owner does. known is read by the thread under the lock: the owner replaces it when another
 * set comes, but never changes what the pass asks for. */
#ifndef SAQSHY_DETECT_BACK_INTERNAL_H
#define SAQSHY_DETECT_BACK_INTERNAL_H

#include <pthread.h>

#include "detect/back.h"
#include "detect/internal.h"

#define BACK_FOUND_MAX   4096u          /* findings of one turn */
#define BACK_FOUND_BYTES (64u * MIB)
#define BACK_STATE_BYTES (128u * MIB)

struct back_entry {
    uint64_t hash;
    uint16_t set;            /* 0: was looked for */
};

struct back {
    char               path[4200], path_at[4200], store[4200], journal[4200], set[4200], policy[4200], triage[4200], site[4200];
    int64_t            days, share;
    struct back_entry *known;        /* in order */
    size_t             count, sets;
    uint64_t           upto[BACK_SETS_MAX + 1];   /* set 1 … sets: detection has it from this event on */
    uint64_t           pass, base;   /* frames of the pass are base + seq */
    uint64_t           hi;           /* the sets 1 … hi have their pass; 0: there is none */
    uint64_t           next, to;     /* events before next were looked at */
    uint64_t           wanted;
    time_ns            from, failed_at;
    struct back_counts counts;
    char               note[ERR_TEXT_MAX];

    pthread_t          thread;
    bool               running;
    pthread_mutex_t    lock;
    pthread_cond_t     wake;
    bool               ready;        /* a piece waits for the owner */
    bool               quit;
    volatile int       stop;         /* for the store */
    bool               ended;        /* it is the last one */
    int                failed;
    struct err         failure;
    struct event_batch found;
    uint64_t          *found_seq;    /* of each of found; found_cap: there is room for so many */
    size_t             found_cap;
    uint64_t           found_to, found_events;
    struct buf         episodes, risk;   /* of the events before found_to; at the start of those before next */
};

uint64_t back_hash(const struct ioc *i);
/* back_find - its place in known, or SIZE_MAX. */
size_t back_find(const struct back *b, uint64_t hash);

/* --- back_pass.c --- */

MUST_USE int back_pass_start(struct back *b, struct err *e);
void back_pass_stop(struct back *b);       /* also one that does not run */
void back_pass_go_on(struct back *b);      /* what was ready is taken */

#endif
