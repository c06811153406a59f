/* retro_pool.c - pieces of the store go round: a worker reads one and matches its events, the owner takes them in order; see retro_internal.h. With correlations the
 * workers only read, and the owner matches. Without workers the owner does it all. */
#include "detect/retro_internal.h"

#define SLOTS_A_WORKER 2u      /* one at work, one that waits to be told */
#define OUT_MAX        (256u * MIB)

int retro_match(struct pool *p, struct sigma_run *run, const struct event *ev, struct buf *out, struct retro_stats *stats, struct err *e)
{
    const struct sigma_match *m;
    int n;

    if (str_eq(ev->parser, STR(EVENT_PARSER_FACTS)))     /* the state of a host, which no rule looks at */
        return 0;
    n = sigma_run_event(run, ev, false, &m, e);
    if (n < 0)
        return n;
    if (ev->time < p->from)
        return 0;
    stats->events++;
    if (n == 0)
        return 0;
    stats->matches += (uint64_t)n;
    n = p->to->sink(p->to->arg, ev, m, (size_t)n, out);
    return n < 0 ? err_set(e, n, "the matches could not be told") : 0;
}

static void work_on(struct pool *p, size_t piece, struct sigma_run *run, struct slot *s)
{
    s->stats = (struct retro_stats){ 0 };
    buf_reset(&s->out);
    s->count = 0;
    s->rc = store_scan_read(p->scan, piece, s->page, &s->events, &s->count, &s->stats.store, &s->err);
    for (size_t i = 0; run && s->rc == 0 && i < s->count; i++)
        s->rc = retro_match(p, run, s->events[i], &s->out, &s->stats, &s->err);
    if (s->rc == 0 && buf_failed(&s->out))
        s->rc = err_set(&s->err, -E2BIG, "the matches of one piece of the store take more than %u MiB", OUT_MAX / MIB);
}

/* next_piece - a piece that has a slot, or that none is left or allowed now. */
static bool next_piece(const struct pool *p)
{
    return p->scan && !p->stop && p->taken < store_scan_pieces(p->scan) && p->slot[p->taken % p->slots].state == SLOT_FREE;
}

static void *work(void *arg)
{
    struct pool_worker *w = arg;
    struct pool *p = w->pool;

    pthread_mutex_lock(&p->lock);
    for (;;) {
        struct slot *s;
        size_t piece;

        while (!p->quit && !next_piece(p))
            pthread_cond_wait(&p->ready, &p->lock);
        if (p->quit)
            break;
        piece = p->taken++;
        s = &p->slot[piece % p->slots];
        s->state = SLOT_BUSY;
        p->busy++;
        pthread_mutex_unlock(&p->lock);
        work_on(p, piece, w->run, s);
        pthread_mutex_lock(&p->lock);
        s->state = SLOT_DONE;
        p->busy--;
        pthread_cond_broadcast(&p->done);
    }
    pthread_mutex_unlock(&p->lock);
    return NULL;
}

static int start_slots(struct pool *p, struct err *e)
{
    int rc = 0;

    p->slots = p->workers ? SLOTS_A_WORKER * p->workers : 1;
    p->slot = calloc(p->slots, sizeof *p->slot);
    if (!p->slot)
        return err_set(e, -ENOMEM, "no memory to hunt");
    for (size_t i = 0; i < p->slots; i++)
        buf_init(&p->slot[i].out, OUT_MAX);
    for (size_t i = 0; i < p->slots && rc == 0; i++)
        rc = store_page_new(&p->slot[i].page, e);
    return rc;
}

int retro_pool_start(struct pool *p, struct err *e)
{
    int rc;

    pthread_mutex_init(&p->lock, NULL);
    pthread_cond_init(&p->ready, NULL);
    pthread_cond_init(&p->done, NULL);
    p->workers = p->o->workers < RETRO_WORKERS_MAX ? p->o->workers : RETRO_WORKERS_MAX;
    rc = start_slots(p, e);
    if (rc == 0)
        rc = sigma_run_new(p->o->rules, false, &p->run, e);      /* the owner's: for the tail, too */
    for (unsigned i = 0; rc == 0 && i < p->workers; i++) {
        struct pool_worker *w = &p->worker[i];

        w->pool = p;
        if (!p->ordered)
            rc = sigma_run_new(p->o->rules, false, &w->run, e);
        if (rc == 0) {
            rc = -pthread_create(&w->thread, NULL, work, w);
            w->started = rc == 0;
            if (rc < 0)
                err_set(e, rc, "could not start a worker: %s", strerror(-rc));
        }
    }
    return rc;
}

void retro_pool_stop(struct pool *p)
{
    pthread_mutex_lock(&p->lock);
    p->quit = true;
    pthread_cond_broadcast(&p->ready);
    pthread_mutex_unlock(&p->lock);
    for (size_t i = 0; i < COUNT(p->worker); i++) {
        if (p->worker[i].started)
            pthread_join(p->worker[i].thread, NULL);
        sigma_run_free(&p->worker[i].run);
    }
    for (size_t i = 0; p->slot && i < p->slots; i++) {
        store_page_free(&p->slot[i].page);
        buf_free(&p->slot[i].out);
    }
    free(p->slot);
    sigma_run_free(&p->run);
    pthread_cond_destroy(&p->ready);
    pthread_cond_destroy(&p->done);
    pthread_mutex_destroy(&p->lock);
}

void retro_pool_round(struct pool *p, const struct store_scan *scan)
{
    pthread_mutex_lock(&p->lock);
    p->scan = scan;
    p->taken = p->told = 0;
    p->stop = false;
    for (size_t i = 0; i < p->slots; i++)
        p->slot[i].state = SLOT_FREE;
    pthread_cond_broadcast(&p->ready);
    pthread_mutex_unlock(&p->lock);
}

void retro_pool_end(struct pool *p)
{
    pthread_mutex_lock(&p->lock);
    p->stop = true;
    while (p->busy)
        pthread_cond_wait(&p->done, &p->lock);
    p->scan = NULL;
    pthread_mutex_unlock(&p->lock);
}

struct slot *retro_pool_next(struct pool *p)
{
    struct slot *s;

    pthread_mutex_lock(&p->lock);
    if (p->told > 0) {
        p->slot[(p->told - 1) % p->slots].state = SLOT_FREE;
        pthread_cond_broadcast(&p->ready);
    }
    s = &p->slot[p->told++ % p->slots];
    while (p->workers && s->state != SLOT_DONE)
        pthread_cond_wait(&p->done, &p->lock);
    pthread_mutex_unlock(&p->lock);
    if (!p->workers)
        work_on(p, p->told - 1, p->ordered ? NULL : p->run, s);
    return s;
}
