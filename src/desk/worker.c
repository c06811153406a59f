/* worker.c - four threads: for findings and time, for letters, for webhooks, for results of surveys; each with its own connection, so that none waits for another's peer.
 *
 * All look once a second, or when poked. An error is told once until it changes, and tried again: nothing here is lost by waiting. */
#include "desk/internal.h"
#include "desk/collection/collection.h"
#include "desk/notices/api.h"
#include "desk/schedule/schedule.h"
#include "desk/vulnerabilities/vulnerabilities.h"
#include "base/log.h"

#include <pthread.h>
#include <signal.h>

struct lane {
    struct desk_worker *w;
    struct desk *desk;
    const char  *name;
    int        (*turn)(struct desk *d, time_ns now, struct err *e);
    pthread_t    thread;
    bool         started;
    char         told[ERR_TEXT_MAX];
};

struct desk_worker {
    pthread_mutex_t lock;
    pthread_cond_t  poked;
    uint64_t        pokes;
    bool            stop;
    struct lane     lane[4];
};

/* clerk_turn - time goes on even if findings cannot be read: clocks are marked all the same. */
static int clerk_turn(struct desk *d, time_ns now, struct err *e)
{
    struct err tick_err = { 0 };
    int taken = desk_take_findings(d, now, e), made = desk_tick(d, now, NULL, &tick_err);

    if (taken >= 0 && made < 0)
        return err_set(e, made, "%s", tick_err.text);
    return taken < 0 ? taken : taken + made;
}

static void lane_wait(struct lane *l, uint64_t *seen)
{
    struct desk_worker *w = l->w;
    struct timespec until;

    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += 1;
    pthread_mutex_lock(&w->lock);
    while (!w->stop && w->pokes == *seen)
        if (pthread_cond_timedwait(&w->poked, &w->lock, &until) == ETIMEDOUT)
            break;
    *seen = w->pokes;
    pthread_mutex_unlock(&w->lock);
}

static bool lane_stopped(struct lane *l)
{
    pthread_mutex_lock(&l->w->lock);
    bool stop = l->w->stop;
    pthread_mutex_unlock(&l->w->lock);
    return stop;
}

static void *lane_run(void *arg)
{
    struct lane *l = arg;
    uint64_t seen = 0;

    while (!lane_stopped(l)) {
        struct err e = { 0 };
        int rc = l->turn(l->desk, clock_now(), &e);

        if (rc < 0 && strcmp(l->told, e.text) != 0)
            log_line(LOG_ERROR, "could not finish a turn of the desk, trying again", "saqshy.lane", l->name, "error.message", e.text, NULL);
        snprintf(l->told, sizeof l->told, "%s", rc < 0 ? e.text : "");
        if (rc <= 0)
            lane_wait(l, &seen);
    }
    return NULL;
}

/* hook_turn - with answers still awaited, the next turn begins at once: it waits for them itself. */
static int hook_turn(struct desk *d, time_ns now, struct err *e)
{
    int ended = desk_webhook_turn(d, now, e);

    return ended < 0 ? ended : ended + webhooks_on_the_way(d);
}

/* results_turn - files of results, and the rare schedule whose writing was broken off. */
static int results_turn(struct desk *d, time_ns now, struct err *e)
{
    struct err plan_err = { 0 };
    int read = vulns_turn(d, now, e), written = schedule_turn(d, now, &plan_err);

    if (read >= 0 && written < 0)
        return err_set(e, written, "%s", plan_err.text);
    return read;
}

int desk_worker_start(const struct desk_setup *setup, struct desk_worker **out, struct err *e)
{
    struct desk_worker *w = calloc(1, sizeof *w);
    pthread_condattr_t attr;
    sigset_t all, before;
    struct err told = { 0 };
    int rc = 0;

    *out = NULL;
    if (!w)
        return err_set(e, -ENOMEM, "no memory for the desk's worker");
    pthread_mutex_init(&w->lock, NULL);
    pthread_condattr_init(&attr);
    pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    pthread_cond_init(&w->poked, &attr);
    pthread_condattr_destroy(&attr);
    w->lane[0] = (struct lane){ .w = w, .name = "clerk", .turn = clerk_turn };
    w->lane[1] = (struct lane){ .w = w, .name = "mail", .turn = desk_mail_turn };
    w->lane[2] = (struct lane){ .w = w, .name = "webhook", .turn = hook_turn };
    w->lane[3] = (struct lane){ .w = w, .name = "results", .turn = results_turn };
    /* Signals belong to the thread of the event loop. */
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    for (size_t i = 0; rc == 0 && i < COUNT(w->lane); i++) {
        rc = desk_open(setup, &w->lane[i].desk, e);
        /* What a crash between a change of the registry and its export left undone. */
        if (rc == 0 && i == 0 && objects_export(w->lane[i].desk, &told) < 0)
            log_line(LOG_ERROR, "could not tell ingest the objects, going on", "error.message", told.text, NULL);
        if (rc == 0 && i == 0 && desk_source_profiles_export(w->lane[i].desk, &told) < 0)
            log_line(LOG_ERROR, "could not tell ingest the profiles of sources, going on", "error.message", told.text, NULL);
        if (rc == 0 && pthread_create(&w->lane[i].thread, NULL, lane_run, &w->lane[i]) != 0)
            rc = err_set(e, -EAGAIN, "could not start a thread of the desk");
        w->lane[i].started = rc == 0;
    }
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    *out = w;
    if (rc < 0)
        desk_worker_stop(out);
    return rc;
}

void desk_worker_poke(struct desk_worker *w)
{
    pthread_mutex_lock(&w->lock);
    w->pokes++;
    pthread_cond_broadcast(&w->poked);
    pthread_mutex_unlock(&w->lock);
}

void desk_worker_stop(struct desk_worker **w)
{
    if (!*w)
        return;
    pthread_mutex_lock(&(*w)->lock);
    (*w)->stop = true;
    pthread_cond_broadcast(&(*w)->poked);
    pthread_mutex_unlock(&(*w)->lock);
    for (size_t i = 0; i < COUNT((*w)->lane); i++) {
        if ((*w)->lane[i].started)
            pthread_join((*w)->lane[i].thread, NULL);
        desk_close(&(*w)->lane[i].desk);
    }
    pthread_cond_destroy(&(*w)->poked);
    pthread_mutex_destroy(&(*w)->lock);
    free(*w);
    *w = NULL;
}
