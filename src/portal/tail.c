/* tail.c - see tail.h.
 *
 * Two locks: the list of subscriptions, and one a subscription for its text. Neither is held while queries are matched, so that nobody waits
 * for a dear one: the list grows at its head alone, and a released subscription is only marked; the thread takes it off and frees it. */
#include "portal/tail.h"
#include "journal/journal.h"
#include "query/query.h"

#include <pthread.h>
#include <sys/eventfd.h>

#define WAIT_MS     500

struct tail_sub {
    struct tail_sub *next;
    struct query    *query;
    char            *objects;
    bool             filter, released;  /* released: atomic */
    uint64_t         from_seq;
    int64_t          second;            /* of the count below; thread only */
    unsigned         count;
    pthread_mutex_t  lock;              /* of the text */
    struct buf       text;
    uint64_t         dropped;
};

struct tail {
    char                  *folder;
    pthread_mutex_t        lock;
    pthread_cond_t         wake;
    struct tail_sub       *subs;
    bool                   closing;
    struct journal_reader *reader;      /* thread only */
    struct event_batch     batch;
    pthread_t              thread;
    int                    fd;
};

bool list_has(struct str list, struct str id)
{
    struct str one;

    while (str_split(&list, ' ', &one))
        if (one.n && str_eq(one, id))
            return true;
    return false;
}

static void sub_free(struct tail_sub *s)
{
    query_free(&s->query);
    free(s->objects);
    buf_free(&s->text);
    pthread_mutex_destroy(&s->lock);
    free(s);
}

static bool sub_released(const struct tail_sub *s)
{
    return __atomic_load_n(&s->released, __ATOMIC_ACQUIRE);
}

/* sub_wants - matches, and may be seen. */
static bool sub_wants(const struct tail_sub *s, const struct event *ev)
{
    return ev->seq >= s->from_seq && (!s->filter || list_has(str_c(s->objects), ev->object)) && query_match(s->query, ev);
}

/* sub_give - one event to one subscriber. */
static void sub_give(struct tail_sub *s, const struct event *ev, int64_t second)
{
    if (s->second != second) {
        s->second = second;
        s->count = 0;
    }
    pthread_mutex_lock(&s->lock);
    if (s->count >= TAIL_PER_SECOND || s->text.n > TAIL_PENDING_MAX) {
        s->dropped++;
    } else {
        s->count++;
        buf_printf(&s->text, "id: %llu\ndata: ", (unsigned long long)ev->seq);
        event_json(ev, &s->text);
        buf_str(&s->text, STR("\n\n"));
    }
    pthread_mutex_unlock(&s->lock);
}

/* give_batch - to first and those behind it, without the list's lock. Who came after first wants later events than these. */
static void give_batch(struct tail *t, struct tail_sub *first)
{
    int64_t second = clock_steady() / NS_PER_SECOND;
    uint64_t one = 1;
    bool given = false;

    for (size_t i = 0; i < t->batch.count; i++)
        for (struct tail_sub *s = first; s; s = s->next)
            if (!sub_released(s) && sub_wants(s, &t->batch.items[i])) {
                sub_give(s, &t->batch.items[i], second);
                given = true;
            }
    if (given && write(t->fd, &one, sizeof one) < 0)
        return; /* the counter is full: the loop has been told */
}

/* drop_released - the list's lock is held. */
static void drop_released(struct tail *t, bool all)
{
    struct tail_sub **at = &t->subs, *s;

    while ((s = *at) != NULL) {
        if (!all && !sub_released(s)) {
            at = &s->next;
            continue;
        }
        *at = s->next;
        sub_free(s);
    }
}

/* first_wanted - the earliest event that somebody waits for; the list's lock is held. */
static uint64_t first_wanted(const struct tail *t)
{
    uint64_t seq = UINT64_MAX;

    for (const struct tail_sub *s = t->subs; s; s = s->next)
        seq = s->from_seq < seq ? s->from_seq : seq;
    return seq;
}

/* read_on - one turn of the reader, without the lock. Returns what journal_reader_next said. */
static int read_on(struct tail *t, uint64_t from_seq)
{
    struct err e;
    int rc = 0;

    if (!t->reader)
        rc = journal_reader_open(t->folder, from_seq, &t->reader, &e);
    if (rc == 0)
        rc = journal_reader_next(t->reader, &t->batch, NULL, &e);
    if (rc == 0)
        journal_reader_wait(t->reader, WAIT_MS);
    return rc;
}

static void *tail_thread(void *arg)
{
    struct tail *t = arg;
    bool sleepy = false;

    for (;;) {
        pthread_mutex_lock(&t->lock);
        drop_released(t, false);
        while (!t->subs && !t->closing) {
            journal_reader_close(&t->reader);
            pthread_cond_wait(&t->wake, &t->lock);
        }
        if (sleepy && !t->closing) {
            struct timespec until;

            clock_gettime(CLOCK_REALTIME, &until);
            until.tv_sec++;
            pthread_cond_timedwait(&t->wake, &t->lock, &until);
        }
        if (t->closing) {
            pthread_mutex_unlock(&t->lock);
            return NULL;
        }
        uint64_t from_seq = first_wanted(t);

        pthread_mutex_unlock(&t->lock);
        int rc = read_on(t, from_seq);

        /* A damaged frame is behind the reader now; any other failure may pass: look again in a second. */
        sleepy = rc < 0 && rc != -EBADMSG;
        if (sleepy)
            journal_reader_close(&t->reader);
        if (rc > 0) {
            struct tail_sub *first;

            pthread_mutex_lock(&t->lock);
            first = t->subs;
            pthread_mutex_unlock(&t->lock);
            give_batch(t, first);
        }
    }
}

int tail_open(const char *journal_folder, struct tail **out, struct err *e)
{
    struct tail *t = calloc(1, sizeof *t);
    int failed;

    *out = NULL;
    if (!t || !(t->folder = strdup(journal_folder))) {
        free(t);
        return err_set(e, -ENOMEM, "no memory for the live tail");
    }
    pthread_mutex_init(&t->lock, NULL);
    pthread_cond_init(&t->wake, NULL);
    event_batch_init(&t->batch, JOURNAL_BATCH_BYTES);
    t->fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    failed = t->fd < 0 ? errno : pthread_create(&t->thread, NULL, tail_thread, t);
    if (failed) {
        if (t->fd >= 0)
            close(t->fd);
        event_batch_free(&t->batch);
        free(t->folder);
        free(t);
        return err_set(e, -failed, "could not start the live tail: %s", strerror(failed));
    }
    *out = t;
    return 0;
}

void tail_close(struct tail **out)
{
    struct tail *t = *out;

    if (!t)
        return;
    pthread_mutex_lock(&t->lock);
    t->closing = true;
    pthread_cond_broadcast(&t->wake);
    pthread_mutex_unlock(&t->lock);
    pthread_join(t->thread, NULL);
    drop_released(t, true);
    journal_reader_close(&t->reader);
    event_batch_free(&t->batch);
    pthread_cond_destroy(&t->wake);
    pthread_mutex_destroy(&t->lock);
    close(t->fd);
    free(t->folder);
    free(t);
    *out = NULL;
}

int tail_fd(const struct tail *t)
{
    return t->fd;
}

int tail_subscribe(struct tail *t, struct query *q, struct str objects, bool filter, struct tail_sub **out, struct err *e)
{
    struct tail_sub *s = calloc(1, sizeof *s);

    *out = NULL;
    if (s)
        s->objects = strndup(objects.n ? objects.p : "", objects.n);
    if (!s || !s->objects) {
        free(s);
        query_free(&q);
        return err_set(e, -ENOMEM, "no memory to watch events");
    }
    s->query = q;
    s->filter = filter;
    s->from_seq = journal_committed_seq(t->folder);
    buf_init(&s->text, TAIL_PENDING_MAX + 16 * MIB);
    pthread_mutex_init(&s->lock, NULL);
    pthread_mutex_lock(&t->lock);
    s->next = t->subs;
    t->subs = s;
    pthread_cond_signal(&t->wake);
    pthread_mutex_unlock(&t->lock);
    *out = s;
    return 0;
}

void tail_take(struct tail_sub *s, struct buf *out, uint64_t *dropped)
{
    pthread_mutex_lock(&s->lock);
    buf_str(out, buf_view(&s->text));
    *dropped = s->dropped;
    s->dropped = 0;
    buf_reset(&s->text);
    pthread_mutex_unlock(&s->lock);
}

void tail_release(struct tail_sub **s)
{
    if (!*s)
        return;
    __atomic_store_n(&(*s)->released, true, __ATOMIC_RELEASE);
    *s = NULL;
}
