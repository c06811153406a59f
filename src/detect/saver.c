/* saver.c - see saver.h. A snapshot goes round: FREE (the owner's), GIVEN (the thread's), OVER (the owner's again, to be told). */
#include "detect/saver.h"

#include <pthread.h>
#include <signal.h>

enum phase { FREE, GIVEN, OVER };

struct saver {
    const char     *path, *journal;
    struct snapshot state;
    pthread_t       thread;
    bool            started;
    pthread_mutex_t lock;
    pthread_cond_t  moved;      /* phase, or stop */
    /* behind the lock: */
    enum phase      phase;
    bool            stop;
    int             rc;
    struct err      err;
};

/* write_state - the file first: a cursor past it would let the journal be cut away from under a restart. */
static int write_state(const struct saver *s, struct err *e)
{
    struct str parts[STATE_PARTS];
    int rc;

    for (int i = 0; i < STATE_PARTS; i++)
        parts[i] = buf_view(&s->state.part[i]);
    rc = state_file_write(s->path, s->state.seq, parts, e);
    if (rc == 0 && s->state.seq)
        rc = journal_cursor_set(s->journal, DETECT_CURSOR, s->state.seq, e);
    return rc;
}

static void *thread_main(void *arg)
{
    struct saver *s = arg;

    pthread_mutex_lock(&s->lock);
    for (;;) {
        struct err e = { 0 };
        int rc;

        while (s->phase != GIVEN && !s->stop)
            pthread_cond_wait(&s->moved, &s->lock);
        if (s->phase != GIVEN)
            break;
        pthread_mutex_unlock(&s->lock);
        rc = write_state(s, &e);
        pthread_mutex_lock(&s->lock);
        s->rc = rc;
        s->err = e;
        s->phase = OVER;
        pthread_cond_broadcast(&s->moved);
    }
    pthread_mutex_unlock(&s->lock);
    return NULL;
}

int saver_open(const char *path, const char *journal, struct saver **out, struct err *e)
{
    struct saver *s = calloc(1, sizeof *s);

    *out = s;
    if (!s)
        return err_set(e, -ENOMEM, "no memory to save the state of detection");
    s->path = path;
    s->journal = journal;
    for (int i = 0; i < STATE_PARTS; i++)
        buf_init(&s->state.part[i], DETECT_STATE_MAX);
    pthread_mutex_init(&s->lock, NULL);
    pthread_cond_init(&s->moved, NULL);
    return 0;
}

void saver_close(struct saver **sp)
{
    struct saver *s = *sp;

    if (!s)
        return;
    if (s->started) {
        pthread_mutex_lock(&s->lock);
        s->stop = true;
        pthread_cond_broadcast(&s->moved);
        pthread_mutex_unlock(&s->lock);
        pthread_join(s->thread, NULL);
    }
    for (int i = 0; i < STATE_PARTS; i++)
        buf_free(&s->state.part[i]);
    pthread_mutex_destroy(&s->lock);
    pthread_cond_destroy(&s->moved);
    free(s);
    *sp = NULL;
}

int saver_start(struct saver *s, struct err *e)
{
    sigset_t all, before;
    int rc;

    if (s->started)
        return 0;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);   /* signals are the loop's */
    rc = pthread_create(&s->thread, NULL, thread_main, s);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (rc)
        return err_set(e, -rc, "could not begin to save the state of detection beside the loop");
    s->started = true;
    return 0;
}

bool saver_busy(struct saver *s)
{
    bool busy;

    pthread_mutex_lock(&s->lock);
    busy = s->phase != FREE;
    pthread_mutex_unlock(&s->lock);
    return busy;
}

struct snapshot *saver_begin(struct saver *s)
{
    if (saver_busy(s))
        return NULL;
    for (int i = 0; i < STATE_PARTS; i++)
        buf_reset(&s->state.part[i]);
    return &s->state;
}

int saver_write(struct saver *s, struct err *e)
{
    assert(!saver_busy(s));
    return write_state(s, e);
}

void saver_give(struct saver *s)
{
    assert(!saver_busy(s));
    if (!s->started) {
        s->rc = write_state(s, &s->err);
        s->phase = OVER;
        return;
    }
    pthread_mutex_lock(&s->lock);
    s->phase = GIVEN;
    pthread_cond_broadcast(&s->moved);
    pthread_mutex_unlock(&s->lock);
}

bool saver_done(struct saver *s, bool wait, struct saved *out)
{
    bool over;

    pthread_mutex_lock(&s->lock);
    while (wait && s->phase == GIVEN)
        pthread_cond_wait(&s->moved, &s->lock);
    over = s->phase == OVER;
    if (over) {
        *out = (struct saved){ s->state.seq, s->state.begun, s->rc, s->err };
        s->phase = FREE;
    }
    pthread_mutex_unlock(&s->lock);
    return over;
}
