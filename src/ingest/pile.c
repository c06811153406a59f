/* pile.c - lines on their way to the worker, and the hub that carries them there and back. */
#include "ingest/internal.h"

#include <sys/eventfd.h>
#include <time.h>

struct pile *pile_new(void)
{
    struct pile *p = calloc(1, sizeof *p);

    if (p)
        buf_init(&p->bytes, PILE_BYTES_MAX + LINE_MAX_BYTES + PEER_TEXT_MAX + BODY_WIRE_MAX);
    return p;
}

void pile_free(struct pile **p)
{
    if (!*p)
        return;
    buf_free(&(*p)->bytes);
    free((*p)->lines);
    free(*p);
    *p = NULL;
}

/* put_peer - lines of one peer share its text. */
static void put_peer(struct pile *p, struct pile_line *l, struct str peer)
{
    struct pile_line *before = p->count ? &p->lines[p->count - 1] : NULL;

    if (before && str_eq(str_of(p->bytes.p + before->peer_at, before->peer_n), peer)) {
        l->peer_at = before->peer_at;
        l->peer_n = before->peer_n;
        return;
    }
    l->peer_at = (uint32_t)p->bytes.n;
    l->peer_n = (uint32_t)peer.n;
    buf_str(&p->bytes, peer);
}

int pile_add(struct pile *p, enum from from, struct str peer, struct str line, bool truncated, time_ns received)
{
    struct pile_line *l;

    if (p->count == p->cap) {
        size_t cap = p->cap ? p->cap * 2 : 64;
        struct pile_line *more = realloc(p->lines, cap * sizeof *more);

        if (!more)
            return -ENOMEM;
        p->lines = more;
        p->cap = cap;
    }
    l = &p->lines[p->count];
    *l = (struct pile_line){ .from = (uint8_t)from, .truncated = truncated, .received = received };
    put_peer(p, l, peer);
    l->at = (uint32_t)p->bytes.n;
    l->n = (uint32_t)line.n;
    buf_str(&p->bytes, line);
    if (buf_failed(&p->bytes))
        return -ENOMEM;
    p->count++;
    return 0;
}

int hub_init(struct hub *h, struct err *e)
{
    pthread_condattr_t attr;

    *h = (struct hub){ .done_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK) };
    if (h->done_fd < 0)
        return err_sys(e, "could not make an eventfd");
    h->tail = &h->head;
    h->done_tail = &h->done;
    pthread_mutex_init(&h->lock, NULL);
    pthread_condattr_init(&attr);
    pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    pthread_cond_init(&h->wake, &attr);
    pthread_condattr_destroy(&attr);
    return 0;
}

void hub_free(struct hub *h)
{
    struct pile *p;

    while ((p = h->head) != NULL) {
        h->head = p->next;
        pile_free(&p);
    }
    while ((p = h->done) != NULL) {
        h->done = p->next;
        pile_free(&p);
    }
    if (h->done_fd >= 0)
        close(h->done_fd);
    pthread_mutex_destroy(&h->lock);
    pthread_cond_destroy(&h->wake);
}

void hub_put(struct hub *h, struct pile *p)
{
    p->next = NULL;
    p->weight = p->bytes.n + p->count * sizeof *p->lines + sizeof *p;
    pthread_mutex_lock(&h->lock);
    *h->tail = p;
    h->tail = &p->next;
    h->weight += p->weight;
    pthread_cond_signal(&h->wake);
    pthread_mutex_unlock(&h->lock);
}

struct pile *hub_take(struct hub *h, int wait_ms, bool *stop)
{
    struct pile *first, *last;
    struct timespec until;
    size_t weight = 0;

    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_nsec += wait_ms * NS_PER_MS;
    until.tv_sec += until.tv_nsec / NS_PER_SECOND;
    until.tv_nsec %= NS_PER_SECOND;
    pthread_mutex_lock(&h->lock);
    while (!h->head && !h->stop)
        if (pthread_cond_timedwait(&h->wake, &h->lock, &until) == ETIMEDOUT)
            break;
    first = last = h->head;
    for (; last; last = last->next) {
        weight += last->weight;
        if (!last->next || weight >= GROUP_BYTES_MAX)
            break;
    }
    if (last) {
        h->head = last->next;
        if (!h->head)
            h->tail = &h->head;
        last->next = NULL;
    }
    *stop = h->stop && !h->head;
    pthread_mutex_unlock(&h->lock);
    return first;
}

void hub_return(struct hub *h, struct pile *list)
{
    uint64_t one = 1;

    if (!list)
        return;
    pthread_mutex_lock(&h->lock);
    *h->done_tail = list;
    for (struct pile *p = list; p; p = p->next) {
        h->weight -= p->weight;
        h->done_tail = &p->next;
    }
    pthread_mutex_unlock(&h->lock);
    if (write(h->done_fd, &one, sizeof one) < 0)
        return; /* the counter is full: the loop has been told often enough */
}

struct pile *hub_collect(struct hub *h)
{
    struct pile *list;
    uint64_t n;

    if (read(h->done_fd, &n, sizeof n) < 0)
        n = 0;
    pthread_mutex_lock(&h->lock);
    list = h->done;
    h->done = NULL;
    h->done_tail = &h->done;
    pthread_mutex_unlock(&h->lock);
    return list;
}

size_t hub_weight(struct hub *h)
{
    size_t n;

    pthread_mutex_lock(&h->lock);
    n = h->weight;
    pthread_mutex_unlock(&h->lock);
    return n;
}

void hub_stop(struct hub *h)
{
    pthread_mutex_lock(&h->lock);
    h->stop = true;
    pthread_cond_signal(&h->wake);
    pthread_mutex_unlock(&h->lock);
}

bool hub_stopping(struct hub *h)
{
    bool stop;

    pthread_mutex_lock(&h->lock);
    stop = h->stop;
    pthread_mutex_unlock(&h->lock);
    return stop;
}

void hub_disk(struct hub *h, bool full)
{
    pthread_mutex_lock(&h->lock);
    h->full_disk = full;
    pthread_mutex_unlock(&h->lock);
}

bool hub_disk_full(struct hub *h)
{
    bool full;

    pthread_mutex_lock(&h->lock);
    full = h->full_disk;
    pthread_mutex_unlock(&h->lock);
    return full;
}
