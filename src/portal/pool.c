/* pool.c - see pool.h. */
#include "portal/pool.h"

#include <pthread.h>
#include <sys/eventfd.h>
#include <unistd.h>

struct list {
    struct job *first, **last;
};

/* What each lane may have at once. Sign-in costs 64 MiB and half a second by design, so one at a time. */
static const struct {
    unsigned running, waiting;
} bounds[LANE_COUNT] = {
    [LANE_DESK] = { POOL_THREADS, 128 },
    [LANE_SEARCH] = { 2, 16 },
    [LANE_SIGNIN] = { 1, 16 },
    [LANE_LINK] = { 1, 40 },
};
static_assert(POOL_THREADS > 4, "searches, sign-ins and other nodes together must leave a thread free");

struct seat {
    struct pool *pool;
    unsigned     number;
    pthread_t    thread;
};

struct pool {
    pthread_mutex_t lock;
    pthread_cond_t  work;
    struct list     wait[LANE_COUNT], done;
    unsigned        waiting[LANE_COUNT], running[LANE_COUNT];
    bool            closing;
    int             fd;
    struct seat     seat[POOL_THREADS];
    size_t          threads;
};

static void list_add(struct list *l, struct job *j)
{
    j->next = NULL;
    *l->last = j;
    l->last = &j->next;
}

static struct job *list_take(struct list *l)
{
    struct job *j = l->first;

    if (!j)
        return NULL;
    l->first = j->next;
    if (!l->first)
        l->last = &l->first;
    j->next = NULL;
    return j;
}

/* take_job - the lock is held. Short work first. */
static struct job *take_job(struct pool *p)
{
    for (enum lane l = 0; l < LANE_COUNT; l++) {
        struct job *j = p->running[l] < bounds[l].running ? list_take(&p->wait[l]) : NULL;

        if (!j)
            continue;
        p->waiting[l]--;
        p->running[l]++;
        return j;
    }
    return NULL;
}

static void tell(struct pool *p)
{
    uint64_t one = 1;

    /* A full counter means the loop has been told already. */
    if (write(p->fd, &one, sizeof one) < 0)
        return;
}

static void *worker(void *arg)
{
    struct seat *seat = arg;
    struct pool *p = seat->pool;

    pthread_mutex_lock(&p->lock);
    while (!p->closing) {
        struct job *j = take_job(p);

        if (!j) {
            pthread_cond_wait(&p->work, &p->lock);
            continue;
        }
        pthread_mutex_unlock(&p->lock);
        j->run(j, seat->number);
        pthread_mutex_lock(&p->lock);
        p->running[j->lane]--;
        list_add(&p->done, j);
        tell(p);
        /* The lane has room again: somebody may have waited for that. */
        pthread_cond_signal(&p->work);
    }
    pthread_mutex_unlock(&p->lock);
    return NULL;
}

int pool_open(struct pool **out, struct err *e)
{
    struct pool *p = calloc(1, sizeof *p);

    *out = NULL;
    if (!p)
        return err_set(e, -ENOMEM, "no memory for the worker threads");
    for (enum lane l = 0; l < LANE_COUNT; l++)
        p->wait[l].last = &p->wait[l].first;
    p->done.last = &p->done.first;
    pthread_mutex_init(&p->lock, NULL);
    pthread_cond_init(&p->work, NULL);
    p->fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    if (p->fd < 0) {
        int rc = err_sys(e, "could not make an event descriptor");

        pool_free(&p);
        return rc;
    }
    for (; p->threads < POOL_THREADS; p->threads++) {
        struct seat *seat = &p->seat[p->threads];
        int failed;

        *seat = (struct seat){ .pool = p, .number = (unsigned)p->threads };
        failed = pthread_create(&seat->thread, NULL, worker, seat);
        if (failed) {
            pool_close(p);
            pool_free(&p);
            return err_set(e, -failed, "could not start a worker thread: %s", strerror(failed));
        }
    }
    *out = p;
    return 0;
}

void pool_close(struct pool *p)
{
    struct job *j;

    pthread_mutex_lock(&p->lock);
    p->closing = true;
    pthread_cond_broadcast(&p->work);
    pthread_mutex_unlock(&p->lock);
    for (size_t i = 0; i < p->threads; i++)
        pthread_join(p->seat[i].thread, NULL);
    p->threads = 0;
    for (enum lane l = 0; l < LANE_COUNT; l++)
        while ((j = list_take(&p->wait[l])) != NULL)
            list_add(&p->done, j);
}

void pool_free(struct pool **p)
{
    if (!*p)
        return;
    if ((*p)->fd >= 0)
        close((*p)->fd);
    pthread_cond_destroy(&(*p)->work);
    pthread_mutex_destroy(&(*p)->lock);
    free(*p);
    *p = NULL;
}

int pool_fd(const struct pool *p)
{
    return p->fd;
}

int pool_submit(struct pool *p, struct job *j, enum lane lane)
{
    int rc = 0;

    j->lane = lane;
    pthread_mutex_lock(&p->lock);
    if (p->closing || p->waiting[lane] >= bounds[lane].waiting) {
        rc = -EAGAIN;
    } else {
        list_add(&p->wait[lane], j);
        p->waiting[lane]++;
        pthread_cond_signal(&p->work);
    }
    pthread_mutex_unlock(&p->lock);
    return rc;
}

struct job *pool_done(struct pool *p)
{
    struct job *j;
    uint64_t told;

    if (read(p->fd, &told, sizeof told) < 0)
        told = 0;
    pthread_mutex_lock(&p->lock);
    j = list_take(&p->done);
    /* More are left: keep the descriptor readable. */
    if (p->done.first)
        tell(p);
    pthread_mutex_unlock(&p->lock);
    return j;
}
