/* hunt_pool.c - pieces go round: the owner fills one, a worker takes it, the owner tells what was found, in the order in which they
 * were filled; see hunt_internal.h. Without workers the owner does it all, at once. */
#include "detect/hunt_internal.h"

static struct piece *piece_at(struct hunt *h, uint64_t n) { return &h->ring[n % h->count]; }

/* --- workers --- */

static void *work(void *arg)
{
    struct worker *w = arg;
    struct hunt *h = w->hunt;

    pthread_mutex_lock(&h->lock);
    for (;;) {
        struct piece *p;

        while (!h->stop && h->taken == h->put)
            pthread_cond_wait(&h->ready, &h->lock);
        if (h->stop)
            break;
        p = piece_at(h, h->taken++);
        p->state = PIECE_BUSY;
        pthread_mutex_unlock(&h->lock);
        piece_work(h, w, p);
        pthread_mutex_lock(&h->lock);
        p->state = PIECE_DONE;
        pthread_cond_signal(&h->done);
    }
    pthread_mutex_unlock(&h->lock);
    return NULL;
}

static bool correlates(const struct sigma *s)
{
    for (size_t i = 0; i < sigma_rule_count(s); i++)
        if (sigma_rule_at(s, i)->correlation)
            return true;
    return false;
}

/* start_ring - pieces for all who work. */
static int start_ring(struct hunt *h, struct err *e)
{
    h->count = h->worker_count ? PIECES_A_WORKER * h->worker_count : 1;
    h->ring = calloc(h->count, sizeof *h->ring);
    if (!h->ring)
        return err_set(e, -ENOMEM, "no memory to hunt");
    for (size_t i = 0; i < h->count; i++) {
        struct piece *p = &h->ring[i];

        arena_init(&p->texts, 2 * HUNT_VALUE_MAX);
        event_batch_init(&p->events, 8 * HUNT_VALUE_MAX);
        buf_init(&p->records, 8 * EVENT_BATCH_MAX);
        buf_init(&p->out, 1u << 30);
        buf_init(&p->complaints, 0);
    }
    return 0;
}

/* open_types - the event types by rules, as the content says them. */
static int open_types(struct worker *w, const char *content, struct err *e)
{
    char pipelines[4096], rules[4096];
    const char *const folders[] = { pipelines, rules };

    if (!content || snprintf(pipelines, sizeof pipelines, "%s/pipelines", content) >= (int)sizeof pipelines ||
        snprintf(rules, sizeof rules, "%s/rules", content) >= (int)sizeof rules)
        return 0;
    return classify_open(folders, COUNT(folders), &w->types, e);
}

int pool_start(struct hunt *h, const char *content, unsigned workers, struct err *e)
{
    bool ordered = correlates(h->rules);
    int rc;

    pthread_mutex_init(&h->lock, NULL);
    pthread_cond_init(&h->ready, NULL);
    pthread_cond_init(&h->done, NULL);
    h->worker_count = workers < HUNT_WORKERS_MAX ? workers : HUNT_WORKERS_MAX;
    rc = start_ring(h, e);
    if (rc == 0 && ordered)
        rc = sigma_run_new(h->rules, true, &h->run, e);
    for (unsigned i = 0; rc == 0 && i < (h->worker_count ? h->worker_count : 1); i++) {
        struct worker *w = &h->workers[i];

        w->hunt = h;
        if (!ordered)
            rc = sigma_run_new(h->rules, true, &w->run, e);
        if (rc == 0)
            rc = open_types(w, content, e);
        if (rc == 0 && h->worker_count) {
            rc = -pthread_create(&w->thread, NULL, work, w);
            w->started = rc == 0;
            if (rc < 0)
                err_set(e, rc, "could not start a worker: %s", strerror(-rc));
        }
    }
    return rc;
}

void pool_stop(struct hunt *h)
{
    pthread_mutex_lock(&h->lock);
    h->stop = true;
    pthread_cond_broadcast(&h->ready);
    pthread_mutex_unlock(&h->lock);
    for (size_t i = 0; i < COUNT(h->workers); i++) {
        if (h->workers[i].started)
            pthread_join(h->workers[i].thread, NULL);
        sigma_run_free(&h->workers[i].run);
        evtx_free(&h->workers[i].evtx);
        classify_close(&h->workers[i].types);
    }
    for (size_t i = 0; h->ring && i < h->count; i++) {
        struct piece *p = &h->ring[i];

        arena_free(&p->texts);
        event_batch_free(&p->events);
        buf_free(&p->records);
        buf_free(&p->out);
        buf_free(&p->complaints);
    }
    free(h->ring);
    sigma_run_free(&h->run);
    pthread_cond_destroy(&h->ready);
    pthread_cond_destroy(&h->done);
    pthread_mutex_destroy(&h->lock);
}

/* --- telling --- */

/* match_in_order - with correlations: the events of a piece, one by one. */
static int match_in_order(struct hunt *h, struct piece *p, struct err *e)
{
    struct reader records = rd_str(buf_view(&p->records));
    int rc = 0;

    for (size_t i = 0; rc >= 0 && i < p->events.count && rd_left(&records); i++) {
        struct event *ev = &p->events.items[i];

        ev->seq = ++h->seq;
        rc = piece_match(h, h->run, p, rd_le64(&records), ev, e);
    }
    return rc < 0 ? rc : 0;
}

static int tell(struct hunt *h, struct piece *p, struct err *e)
{
    struct reader said = rd_str(buf_view(&p->complaints));
    int rc = p->rc;

    if (rc < 0)
        *e = p->err;
    else if (h->run)
        rc = match_in_order(h, p, e);
    while (rd_left(&said) && rd_ok(&said)) {
        uint64_t record = rd_le64(&said);
        struct str why = rd_varstr(&said, sizeof p->err.text, "a complaint");
        char text[sizeof p->err.text + 1];

        snprintf(text, sizeof text, "%.*s", STR_ARG(why));
        h->to.say(h->to.arg, p->path, record, text);
    }
    h->stats.events += p->stats.events;
    h->stats.matches += p->stats.matches;
    h->stats.broken += p->stats.broken;
    if (rc >= 0 && buf_failed(&p->out))
        rc = err_set(e, -ENOMEM, "no memory for the matches");
    if (rc >= 0 && p->out.n)
        rc = h->to.flush(h->to.arg, buf_view(&p->out));
    piece_reset(p);
    return rc < 0 ? rc : 0;
}

/* is_done - the oldest piece; waits for it if asked to. */
static bool is_done(struct hunt *h, struct piece *p, bool wait)
{
    bool done;

    pthread_mutex_lock(&h->lock);
    while (wait && p->state != PIECE_DONE)
        pthread_cond_wait(&h->done, &h->lock);
    done = p->state == PIECE_DONE;
    if (done)
        p->state = PIECE_FREE;
    pthread_mutex_unlock(&h->lock);
    return done;
}

int pool_tell(struct hunt *h, bool all, struct err *e)
{
    int rc = 0;

    while (rc == 0 && h->told < h->put && is_done(h, piece_at(h, h->told), all))
        rc = tell(h, piece_at(h, h->told++), e);
    return rc;
}

int pool_piece(struct hunt *h, struct piece **out, struct err *e)
{
    int rc = pool_tell(h, false, e);

    if (rc == 0 && h->put - h->told == h->count && is_done(h, piece_at(h, h->told), true))
        rc = tell(h, piece_at(h, h->told++), e);
    *out = piece_at(h, h->put);
    return rc;
}

int pool_put(struct hunt *h, struct err *e)
{
    struct piece *p = piece_at(h, h->put);

    if (h->worker_count == 0) {
        piece_work(h, &h->workers[0], p);
        p->state = PIECE_DONE;
        h->put++;
        return pool_tell(h, true, e);
    }
    pthread_mutex_lock(&h->lock);
    p->state = PIECE_READY;
    h->put++;
    pthread_cond_signal(&h->ready);
    pthread_mutex_unlock(&h->lock);
    return 0;
}
