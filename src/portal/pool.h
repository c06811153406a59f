/* pool.h - a few threads that do what the loop may not: SQLite, searches, Argon2id.
 *
 * Owns      its threads and queues. A job belongs to the pool from pool_submit until pool_done gives it back.
 * Promises  1. Bounded: each lane has a greatest number of running and of waiting jobs; one too many is -EAGAIN at once.
 *           2. One lane never starves another: at least one thread is free of searches, sign-ins and other nodes.
 *           3. Jobs of one lane start in the order they came.
 * Threads   pool_submit, pool_done and pool_close: the loop.
 * Source    conventions, section 8: such work goes to a worker by queue and returns as an event. */
#ifndef SAQSHY_PORTAL_POOL_H
#define SAQSHY_PORTAL_POOL_H

#include "portal/router.h"

#define POOL_THREADS 5

struct job {
    struct job *next;
    enum lane   lane;
    /* run - on a worker; its number is 0 to POOL_THREADS - 1: each thread has its own desk. */
    void      (*run)(struct job *j, unsigned worker);
    /* done - for whoever called pool_done: what comes next, on the loop. */
    void      (*done)(struct job *j);
};

struct pool;

MUST_USE int pool_open(struct pool **out, struct err *e);
/* pool_close - jobs that run are waited for; those that wait are given to pool_done undone. Then the threads are gone;
 * the pool itself lives until pool_free. */
void pool_close(struct pool *p);
void pool_free(struct pool **p);
/* pool_fd - becomes readable when pool_done has something; owned by the pool. */
int pool_fd(const struct pool *p);
MUST_USE int pool_submit(struct pool *p, struct job *j, enum lane lane);
/* pool_done - the next finished job, or NULL. */
struct job *pool_done(struct pool *p);

#endif
