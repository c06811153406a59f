/* pile.c - lines on their way to the worker, and the hub that carries them there and back. */
#include "ingest/internal.h"

#include <sys/eventfd.h>
#include <time.h>

struct pile *pile_new(void)
{
    struct pile *p = calloc(1, sizeof *p);

    if (p) {
        buf_init(&p->bytes, PILE_BYTES_MAX + LINE_MAX_BYTES + PEER_TEXT_MAX + BODY_WIRE_MAX);
        buf_init(&p->answer, ANSWER_BYTES_MAX);
    }
    return p;
}

/* let_go - what others hold of the pile, or it of them. */
static void let_go(struct pile *p)
{
    for (size_t i = 0; i < p->wait_count; i++)
        ticket_unref(p->waits[i].ticket);
    if (p->note_free)
        p->note_free(p->note);
}

void pile_empty(struct pile *p)
{
    struct pile fresh = { .bytes = p->bytes, .answer = p->answer, .lines = p->lines, .cap = p->cap, .senders = p->senders, .sender_cap = p->sender_cap,
                          .waits = p->waits, .wait_cap = p->wait_cap };

    let_go(p);
    *p = fresh;
    buf_reset(&p->bytes);
    buf_reset(&p->answer);
}

void pile_free(struct pile **p)
{
    if (!*p)
        return;
    let_go(*p);
    buf_free(&(*p)->bytes);
    buf_free(&(*p)->answer);
    free((*p)->lines);
    free((*p)->senders);
    free((*p)->waits);
    free(*p);
    *p = NULL;
}

static struct str text_at(const struct pile *p, uint32_t at, uint32_t n) { return str_of(p->bytes.p + at, n); }

/* put_sender - lines that follow each other from one sender share its texts. */
static int put_sender(struct pile *p, const struct sender *s)
{
    struct pile_sender *before = p->sender_count ? &p->senders[p->sender_count - 1] : NULL, *to;

    if (before && before->card == s->card && before->alone == s->alone && str_eq(text_at(p, before->peer_at, before->peer_n), s->peer) &&
        str_eq(text_at(p, before->name_at, before->name_n), s->name))
        return 0;
    if (p->sender_count == p->sender_cap) {
        size_t cap = p->sender_cap ? p->sender_cap * 2 : 8;
        struct pile_sender *more = realloc(p->senders, cap * sizeof *more);

        if (!more)
            return -ENOMEM;
        p->senders = more;
        p->sender_cap = cap;
    }
    to = &p->senders[p->sender_count];
    *to = (struct pile_sender){ .card = s->card, .alone = s->alone, .peer_at = (uint32_t)p->bytes.n, .peer_n = (uint32_t)s->peer.n };
    buf_str(&p->bytes, s->peer);
    to->name_at = (uint32_t)p->bytes.n;
    to->name_n = (uint32_t)s->name.n;
    buf_str(&p->bytes, s->name);
    if (buf_failed(&p->bytes))
        return -ENOMEM;
    p->sender_count++;
    return 0;
}

int pile_add(struct pile *p, const struct sender *s, struct str line, bool truncated, time_ns received)
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
    if (put_sender(p, s) < 0)
        return -ENOMEM;
    l = &p->lines[p->count];
    *l = (struct pile_line){ .at = (uint32_t)p->bytes.n, .n = (uint32_t)line.n, .sender = (uint32_t)p->sender_count - 1,
                             .truncated = truncated, .received = received };
    buf_str(&p->bytes, line);
    if (buf_failed(&p->bytes))
        return -ENOMEM;
    p->senders[l->sender].lines++;
    p->count++;
    return 0;
}

int pile_wait(struct pile *p, struct ticket *t, uint64_t number)
{
    struct pile_wait *more;

    /* Lines of one connection mostly follow each other; a ticket that waits twice in a pile is only told twice. */
    if (p->wait_count && p->waits[p->wait_count - 1].ticket == t) {
        p->waits[p->wait_count - 1].number = number;
        return 0;
    }
    if (p->wait_count == p->wait_cap) {
        size_t cap = p->wait_cap ? p->wait_cap * 2 : 4;

        more = realloc(p->waits, cap * sizeof *more);
        if (!more)
            return -ENOMEM;
        p->waits = more;
        p->wait_cap = cap;
    }
    p->waits[p->wait_count++] = (struct pile_wait){ t, number };
    t->refs++;
    return 0;
}

void pile_tell(struct pile *p)
{
    for (size_t i = 0; i < p->wait_count; i++) {
        struct pile_wait *w = &p->waits[i];

        if (w->ticket->owner)
            w->ticket->done(w->ticket->owner, w->number, p);
    }
}

struct ticket *ticket_new(void *owner, ticket_done *done)
{
    struct ticket *t = malloc(sizeof *t);

    if (t)
        *t = (struct ticket){ 1, owner, done };
    return t;
}

void ticket_unref(struct ticket *t)
{
    if (--t->refs == 0)
        free(t);
}

void ticket_orphan(struct ticket **t)
{
    if (!*t)
        return;
    (*t)->owner = NULL;
    ticket_unref(*t);
    *t = NULL;
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
    p->weight = p->bytes.n + p->count * sizeof *p->lines + p->sender_count * sizeof *p->senders + sizeof *p;
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
