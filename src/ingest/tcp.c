/* tcp.c - syslog over TCP: connections, their limits, and not reading as the only back-pressure there is. */
#include "ingest/internal.h"
#include "base/log.h"

#include <event2/event.h>
#include <event2/listener.h>
#include <netinet/in.h>
#include <sys/socket.h>

#define CONNECTIONS_MAX    2048
#define PEER_CONNECTIONS_MAX 64
#define READ_BYTES         (256u * KIB)
#define READS_MAX          4               /* then other connections have their turn */
#define HELD_TOTAL_MAX     (64u * MIB)     /* of unfinished messages; past it they are cut short */
#define HELD_SHORT         (8u * KIB)
#define PARTIAL_MAX_NS     (30 * NS_PER_SECOND)  /* an unfinished message waits no longer for its end */
#define IDLE_MAX_NS        NS_PER_HOUR

struct conn {
    struct tcp   *tcp;
    struct conn  *next, **link;
    int           fd;
    struct event *readable;
    struct framer framer;
    time_ns       last, now;      /* steady; of receipt */
    char          peer[PEER_TEXT_MAX];
};

struct tcp {
    struct ingest         *in;
    struct evconnlistener *listener;
    struct conn           *conns;
    size_t                 count, held_bytes;
    bool                   paused;
    char                   bytes[READ_BYTES];
};

static void on_message(void *arg, struct str line, bool truncated)
{
    struct conn *c = arg;

    ingest_line(c->tcp->in, FROM_TCP, str_c(c->peer), line, truncated, c->now);
}

/* feed - through the framer, with the sum of what is held kept up to date. */
static void feed(struct conn *c, struct str bytes, bool end)
{
    struct tcp *t = c->tcp;
    uint64_t empty = c->framer.empty;

    t->held_bytes -= c->framer.held.n;
    c->framer.limit_bytes = t->held_bytes > HELD_TOTAL_MAX ? HELD_SHORT : LINE_MAX_BYTES;
    framer_feed(&c->framer, bytes, on_message, c);
    if (end)
        framer_end(&c->framer, on_message, c);
    t->held_bytes += c->framer.held.n;
    metric_add(t->in->counters.read[FROM_TCP], (int64_t)(c->framer.empty - empty));
    metric_add(t->in->counters.refused[REFUSED_EMPTY], (int64_t)(c->framer.empty - empty));
}

static void conn_close(struct conn *c)
{
    struct tcp *t = c->tcp;

    c->now = clock_now();
    feed(c, str_of(NULL, 0), true);
    *c->link = c->next;
    if (c->next)
        c->next->link = c->link;
    t->count--;
    metric_set(t->in->counters.connections, (int64_t)t->count);
    event_free(c->readable);
    framer_free(&c->framer);
    close(c->fd);
    free(c);
}

static void on_readable(evutil_socket_t fd, short what, void *arg)
{
    struct conn *c = arg;
    struct tcp *t = c->tcp;

    (void)what;
    c->now = clock_now();
    c->last = clock_steady();
    for (int i = 0; i < READS_MAX && !t->paused; i++) {
        ssize_t n = recv(fd, t->bytes, sizeof t->bytes, 0);

        if (n < 0 && (errno == EAGAIN || errno == EINTR))
            return;
        if (n <= 0) {
            conn_close(c);
            return;
        }
        feed(c, str_of(t->bytes, (size_t)n), false);
        if ((size_t)n < sizeof t->bytes)
            return;
    }
}

static size_t peer_count(const struct tcp *t, const char *peer)
{
    size_t n = 0;

    for (const struct conn *c = t->conns; c; c = c->next)
        n += strcmp(c->peer, peer) == 0;
    return n;
}

static void on_accept(struct evconnlistener *l, evutil_socket_t fd, struct sockaddr *sa, int socklen, void *arg)
{
    struct tcp *t = arg;
    struct conn *c = calloc(1, sizeof *c);

    (void)l;
    (void)socklen;
    if (!c) {
        close(fd);
        return;
    }
    ingest_address_text(sa, c->peer, NULL);
    c->readable = event_new(t->in->base, fd, EV_READ | EV_PERSIST, on_readable, c);
    if (!c->readable || t->count >= CONNECTIONS_MAX || peer_count(t, c->peer) >= PEER_CONNECTIONS_MAX) {
        if (c->readable)
            event_free(c->readable);
        free(c);
        close(fd);
        return;
    }
    c->tcp = t;
    c->fd = fd;
    c->last = clock_steady();
    framer_init(&c->framer);
    c->next = t->conns;
    c->link = &t->conns;
    if (c->next)
        c->next->link = &c->next;
    t->conns = c;
    t->count++;
    metric_set(t->in->counters.connections, (int64_t)t->count);
    if (!t->paused)
        event_add(c->readable, NULL);
}

/* on_accept_error - out of descriptors: trying again at once would only burn a processor. tcp_tick enables it again. */
static void on_accept_error(struct evconnlistener *l, void *arg)
{
    (void)arg;
    log_line(LOG_WARN, "could not accept a syslog connection, pausing", "error.message", strerror(errno), NULL);
    evconnlistener_disable(l);
}

void tcp_pause(struct tcp *t, bool paused)
{
    if (!t || t->paused == paused)
        return;
    t->paused = paused;
    for (struct conn *c = t->conns; c; c = c->next) {
        if (paused)
            event_del(c->readable);
        else
            event_add(c->readable, NULL);
    }
}

void tcp_tick(struct tcp *t)
{
    time_ns now = clock_steady();
    struct conn *next;

    if (!t || t->paused)
        return;
    evconnlistener_enable(t->listener);
    for (struct conn *c = t->conns; c; c = next) {
        next = c->next;
        if (now - c->last > IDLE_MAX_NS)
            conn_close(c);
        else if (c->framer.state == FRAME_LINE && c->framer.held.n && now - c->last > PARTIAL_MAX_NS) {
            c->now = clock_now();
            feed(c, str_of(NULL, 0), true);
        }
    }
}

uint16_t tcp_port(const struct tcp *t)
{
    struct sockaddr_storage ss;
    socklen_t n = sizeof ss;
    char text[PEER_TEXT_MAX];
    uint16_t port = 0;

    if (t && getsockname(evconnlistener_get_fd(t->listener), (struct sockaddr *)&ss, &n) == 0)
        ingest_address_text((struct sockaddr *)&ss, text, &port);
    return port;
}

int tcp_open(struct ingest *in, const char *address, struct tcp **out, struct err *e)
{
    struct sockaddr_storage ss;
    int n, rc = ingest_address(address, &ss, &n, e);
    struct tcp *t;

    if (rc < 0)
        return rc;
    t = calloc(1, sizeof *t);
    if (!t)
        return err_set(e, -ENOMEM, "no memory for the TCP listener");
    t->in = in;
    t->listener = evconnlistener_new_bind(in->base, on_accept, t,
                                          LEV_OPT_CLOSE_ON_FREE | LEV_OPT_CLOSE_ON_EXEC | LEV_OPT_REUSEABLE, 512,
                                          (struct sockaddr *)&ss, n);
    if (!t->listener) {
        rc = err_sys(e, "could not listen for syslog on TCP %s", address);
        free(t);
        return rc < 0 ? rc : -EIO;
    }
    evconnlistener_set_error_cb(t->listener, on_accept_error);
    *out = t;
    return 0;
}

void tcp_close(struct tcp **t)
{
    if (!*t)
        return;
    evconnlistener_free((*t)->listener);
    while ((*t)->conns)
        conn_close((*t)->conns);
    free(*t);
    *t = NULL;
}
