/* stream.c - see stream.h. */
#include "ingest/stream.h"
#include "ingest/internal.h"
#include "ingest/tls.h"
#include "base/log.h"

#include <event2/event.h>
#include <event2/listener.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <sys/socket.h>

#define READ_BYTES        (256u * KIB)
#define READ_AHEAD        (64 * KIB)      /* of records, in one call of the kernel instead of two each; held while one is unfinished */
#define READS_MAX         4               /* then other connections have their turn */
#define HELD_TOTAL_MAX    (64u * MIB)     /* of unfinished messages; past it they are cut short */
#define HELD_SHORT        (8u * KIB)
#define HURRY_TLS_NS      (2 * NS_PER_SECOND)
#define HURRY_PLAIN_NS    (10 * NS_PER_SECOND)
#define THROTTLE_LOOK_MS  50
#define TOLD_AGAIN_NS     NS_PER_MINUTE

struct stream_conn {
    struct stream      *stream;
    struct stream_conn *next, **link;
    struct event       *readable, *writable;
    SSL                *ssl;             /* NULL: plain */
    struct peer        *peer;
    struct sender       sender;
    struct buf          out;
    time_ns             since, last;     /* steady */
    time_ns             received;        /* UTC */
    int                 fd;
    bool                shaken;          /* the handshake is over, or there is none */
    bool                begun;           /* the protocol has been told */
    bool                proven;          /* showed a certificate, or a byte */
    bool                throttled, finishing, broken;
    bool                waiting;         /* the protocol wants no more bytes now */
    char                address[PEER_TEXT_MAX], name[AGENT_TEXT_MAX];
    max_align_t         state[];
};

struct stream {
    struct listener               base;
    const struct stream_protocol *protocol;
    struct evconnlistener        *socket;
    struct tls                   *tls;
    struct event                 *throttle;
    struct stream_conn           *conns;
    size_t                        count, throttled, held_bytes;
    bool                          paused, resting;
    time_ns                       told, stopped_at;   /* steady */
    char                          bytes[READ_BYTES];
};

static void on_readable(evutil_socket_t fd, short what, void *arg);
static void on_writable(evutil_socket_t fd, short what, void *arg);

static struct stream *stream_of(struct listener *l) { return (struct stream *)(void *)l; }

/* --- what protocols ask --- */

void *stream_state(struct stream_conn *c) { return c->state; }
const void *stream_look(const struct stream_conn *c) { return c->state; }
struct ingest *stream_ingest(const struct stream_conn *c) { return c->stream->base.in; }
const struct listener *stream_listener(const struct stream_conn *c) { return &c->stream->base; }
const struct sender *stream_sender(const struct stream_conn *c) { return &c->sender; }
time_ns stream_received(const struct stream_conn *c) { return c->received; }

void stream_finish(struct stream_conn *c)
{
    c->finishing = true;
    event_active(c->readable, EV_READ, 1);   /* whoever called us is still using the connection */
}

bool stream_send(struct stream_conn *c, struct str bytes)
{
    if (c->out.n + bytes.n <= STREAM_OUT_MAX)
        buf_str(&c->out, bytes);
    else
        c->broken = true;
    if (!c->writable)
        c->writable = event_new(c->stream->base.in->base, c->fd, EV_WRITE, on_writable, c);
    if (c->broken || buf_failed(&c->out) || !c->writable || event_add(c->writable, NULL) < 0) {
        c->broken = true;
        event_active(c->readable, EV_READ, 1);
    }
    return !c->broken;
}

size_t stream_room(const struct stream_conn *c) { return c->broken ? 0 : STREAM_OUT_MAX - c->out.n; }

/* unread - is it not read although its listener is? */
static bool unread(const struct stream_conn *c) { return c->throttled || c->waiting; }

static void read_again(struct stream_conn *c)
{
    if (unread(c) || c->stream->paused || c->finishing)
        return;
    event_add(c->readable, NULL);
    if (c->ssl && SSL_has_pending(c->ssl))
        event_active(c->readable, EV_READ, 1);   /* what OpenSSL has read already makes no descriptor readable */
}

void stream_wait(struct stream_conn *c, bool wait)
{
    if (c->waiting == wait)
        return;
    c->waiting = wait;
    if (wait)
        event_del(c->readable);
    else
        read_again(c);
}

void stream_held(struct stream_conn *c, size_t before, size_t after, size_t *limit_bytes)
{
    struct stream *s = c->stream;
    size_t most = (size_t)s->base.conf.limits.record_bytes;

    s->held_bytes = s->held_bytes - before + after;
    *limit_bytes = s->held_bytes > HELD_TOTAL_MAX ? min_size(HELD_SHORT, most) : most;
}

/* --- connections --- */

static bool full(const struct stream *s)
{
    return (int64_t)s->count >= s->base.conf.limits.connections || s->base.in->connections >= s->base.in->connections_max;
}

static void rest_or_wake(struct stream *s)
{
    bool rest = full(s);

    if (!s->socket || rest == s->resting)
        return;
    s->resting = rest;
    if (rest)
        evconnlistener_disable(s->socket);
    else
        evconnlistener_enable(s->socket);
}

static void count_connections(struct stream *s, int change)
{
    s->count = change > 0 ? s->count + 1 : s->count - 1;
    s->base.in->connections = change > 0 ? s->base.in->connections + 1 : s->base.in->connections - 1;
    card_set(&s->base.card->connections, (int64_t)s->count);
    rest_or_wake(s);
}

static void conn_close(struct stream_conn *c)
{
    struct stream *s = c->stream;

    c->received = clock_now();
    if (c->begun)
        s->protocol->over(c);
    *c->link = c->next;
    if (c->next)
        c->next->link = c->link;
    s->throttled -= c->throttled;
    event_free(c->readable);
    if (c->writable)
        event_free(c->writable);
    if (c->ssl) {
        if (c->shaken && !c->broken)
            SSL_shutdown(c->ssl);
        SSL_free(c->ssl);
        ERR_clear_error();
    }
    peers_leave(s->base.in->peers, &c->peer);
    buf_free(&c->out);
    close(c->fd);
    free(c);
    count_connections(s, -1);
}

/* tell - once a minute, why connections are closed. */
static void tell(struct stream_conn *c, const char *reason)
{
    struct stream *s = c->stream;
    time_ns now = clock_steady();

    if (c->peer)
        peer_away(c->peer);
    if (now - s->told <= TOLD_AGAIN_NS)
        return;
    s->told = now;
    log_line(LOG_WARN, "closed a connection; more of the next minute are counted only", "saqshy.listener", s->base.conf.id, "source.address",
             c->address, "event.reason", reason, NULL);
}

static void turn_away(struct stream_conn *c, enum away why)
{
    static const char *const reasons[AWAY_COUNT] = { "too many of this address", "no handshake", "no certificate that counts", "silence",
                                                     "not the protocol" };

    card_add(&c->stream->base.card->away[why], 1);
    tell(c, reasons[why]);
    conn_close(c);
}

void stream_wrong(struct stream_conn *c, const char *why)
{
    card_add(&c->stream->base.card->away[AWAY_PROTOCOL], 1);
    tell(c, why);
}

/* want_write - a TLS step waits until bytes can leave. */
static void want_write(struct stream_conn *c)
{
    if (!c->writable)
        c->writable = event_new(c->stream->base.in->base, c->fd, EV_WRITE, on_writable, c);
    if (!c->writable || event_add(c->writable, NULL) < 0)
        c->broken = true;
}

/* shake - one step of the handshake. 1 done, 0 not yet, below zero the connection is gone. */
static int shake(struct stream_conn *c)
{
    int rc = SSL_accept(c->ssl), why;
    struct err e;

    if (rc == 1) {
        c->shaken = c->proven = true;
        if (tls_client(c->stream->tls, c->ssl, c->name, &e) < 0) {
            turn_away(c, AWAY_CERTIFICATE);
            return -EACCES;
        }
        c->sender.name = str_c(c->name);
        c->sender.alone = c->sender.name.n && c->stream->base.conf.client == LISTEN_CLIENT_REQUIRED;
        return 1;
    }
    why = SSL_get_error(c->ssl, rc);
    if (why == SSL_ERROR_WANT_WRITE)
        want_write(c);
    if (why == SSL_ERROR_WANT_READ || (why == SSL_ERROR_WANT_WRITE && !c->broken))
        return 0;
    why = ERR_GET_REASON(ERR_peek_error());
    ERR_clear_error();
    c->broken = true;
    turn_away(c, why == SSL_R_PEER_DID_NOT_RETURN_A_CERTIFICATE || why == SSL_R_CERTIFICATE_VERIFY_FAILED ? AWAY_CERTIFICATE : AWAY_HANDSHAKE);
    return -EACCES;
}

/* read_some - up to READ_BYTES into s->bytes: more than 0, 0 nothing now, below zero the end. *filled: there may be more at once. */
static ssize_t read_some(struct stream_conn *c, bool *filled)
{
    struct stream *s = c->stream;
    size_t n = 0, one;

    *filled = false;
    if (!c->ssl) {
        ssize_t got = recv(c->fd, s->bytes, sizeof s->bytes, 0);

        *filled = got == (ssize_t)sizeof s->bytes;
        return got > 0 ? got : got < 0 && (errno == EAGAIN || errno == EINTR) ? 0 : -1;
    }
    while (n < sizeof s->bytes) {
        int rc = SSL_read_ex(c->ssl, s->bytes + n, sizeof s->bytes - n, &one), why;

        if (rc == 1) {
            n += one;
            continue;
        }
        why = SSL_get_error(c->ssl, rc);
        if (why == SSL_ERROR_WANT_WRITE)
            want_write(c);
        else if (why != SSL_ERROR_WANT_READ)
            c->finishing = true;
        ERR_clear_error();
        return n ? (ssize_t)n : c->finishing || c->broken ? -1 : 0;
    }
    *filled = true;
    return (ssize_t)n;
}

/* begin - the protocol learns of the connection. False: it is gone. */
static bool begin(struct stream_conn *c)
{
    if (!c->begun && c->stream->protocol->begin(c) < 0) {
        conn_close(c);
        return false;
    }
    c->begun = true;
    return true;
}

static void on_readable(evutil_socket_t fd, short what, void *arg)
{
    struct stream_conn *c = arg;
    struct stream *s = c->stream;
    bool more = true;

    (void)fd;
    (void)what;
    if (c->broken || (c->finishing && c->out.n == 0)) {
        conn_close(c);
        return;
    }
    if (c->finishing)
        event_del(c->readable);   /* on_writable closes it */
    if (c->finishing || (!c->shaken && shake(c) <= 0) || !begin(c))
        return;
    for (int i = 0; i < READS_MAX && more && !s->paused && !unread(c); i++) {
        ssize_t n = read_some(c, &more);
        bool end;

        if (n > 0) {
            c->proven = true;
            c->received = clock_now();
            c->last = clock_steady();
            s->protocol->feed(c, str_of(s->bytes, (size_t)n));
            if (!peer_take(c->peer, (size_t)n, s->base.conf.limits.peer_bytes_s, c->last)) {
                c->throttled = true;
                s->throttled++;
                card_add(&s->base.card->slowed, 1);
                event_del(c->readable);
            }
        }
        end = n < 0 || c->finishing;   /* the other side's end, or the protocol's */
        if (c->broken || (end && c->out.n == 0)) {
            conn_close(c);
            return;
        }
        if (end) {
            c->finishing = true;
            event_del(c->readable);
        }
        if (n == 0 || end)
            return;
    }
    if (more && !s->paused && !unread(c) && c->ssl)
        event_active(c->readable, EV_READ, 1);   /* what OpenSSL has read already makes no descriptor readable */
}

static void on_writable(evutil_socket_t fd, short what, void *arg)
{
    struct stream_conn *c = arg;

    (void)what;
    if (!c->shaken || c->out.n == 0) {
        on_readable(fd, EV_READ, c);
        return;
    }
    while (c->out.n && !c->broken) {
        size_t sent = 0;
        int rc, why;

        if (!c->ssl) {
            ssize_t n = send(fd, c->out.p, c->out.n, MSG_NOSIGNAL);

            if (n < 0 && (errno == EAGAIN || errno == EINTR))
                break;
            c->broken = n < 0;
            buf_drop(&c->out, n > 0 ? (size_t)n : 0);
            continue;
        }
        rc = SSL_write_ex(c->ssl, c->out.p, c->out.n, &sent);
        why = rc == 1 ? 0 : SSL_get_error(c->ssl, rc);
        buf_drop(&c->out, rc == 1 ? sent : 0);
        ERR_clear_error();
        if (why == SSL_ERROR_WANT_WRITE || why == SSL_ERROR_WANT_READ)
            break;
        c->broken = why != 0;
    }
    if (c->out.n && !c->broken) {
        event_add(c->writable, NULL);
        return;
    }
    buf_free(&c->out);
    buf_init(&c->out, STREAM_OUT_MAX);
    if (c->broken || c->finishing)
        conn_close(c);
    else if (c->stream->protocol->drained)
        c->stream->protocol->drained(c);
}

static int take_tls(struct stream_conn *c)
{
    struct stream *s = c->stream;

    if (!s->tls) {
        c->shaken = true;
        return 0;
    }
    c->ssl = SSL_new(tls_context(s->tls));
    if (!c->ssl || !SSL_set_fd(c->ssl, c->fd))
        return -ENOMEM;
    SSL_set_mode(c->ssl, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
    SSL_set_read_ahead(c->ssl, 1);
    SSL_set_default_read_buffer_len(c->ssl, READ_AHEAD);
    SSL_set_accept_state(c->ssl);
    return 0;
}

static void on_accept(struct evconnlistener *l, evutil_socket_t fd, struct sockaddr *sa, int socklen, void *arg)
{
    struct stream *s = arg;
    struct stream_conn *c = calloc(1, sizeof *c + s->protocol->size);

    (void)l;
    (void)socklen;
    if (c)
        c->readable = event_new(s->base.in->base, fd, EV_READ | EV_PERSIST, on_readable, c);
    if (!c || !c->readable) {
        free(c);
        close(fd);
        return;
    }
    c->stream = s;
    c->fd = fd;
    c->since = c->last = clock_steady();
    c->received = clock_now();
    buf_init(&c->out, STREAM_OUT_MAX);
    if (sa->sa_family != AF_UNIX && setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &(int){ 1 }, sizeof(int)) < 0)
        c->broken = true;   /* an answer must not wait for the acknowledgement of the one before; the connection is gone already */
    listener_address_text(sa, c->address, NULL);
    c->sender = (struct sender){ .card = s->base.card->number, .peer = str_c(c->address) };
    c->next = s->conns;
    c->link = &s->conns;
    if (c->next)
        c->next->link = &c->next;
    s->conns = c;
    count_connections(s, 1);
    card_add(&s->base.card->accepted, 1);
    c->peer = peers_join(s->base.in->peers, c->address, &s->base);
    if (!c->peer)
        turn_away(c, AWAY_PEER_LIMIT);
    else if (take_tls(c) < 0)
        conn_close(c);
    else if (!s->paused)
        event_add(c->readable, NULL);
}

/* on_accept_error - out of descriptors: trying again at once would only burn a processor. The tick enables it again. */
static void on_accept_error(struct evconnlistener *l, void *arg)
{
    struct stream *s = arg;

    log_line(LOG_WARN, "could not accept a connection, pausing", "saqshy.listener", s->base.conf.id, "error.message", strerror(errno), NULL);
    evconnlistener_disable(l);
    s->resting = true;
}

/* --- the listener --- */

void stream_pause(struct listener *l, bool paused)
{
    struct stream *s = stream_of(l);

    if (s->paused == paused)
        return;
    s->paused = paused;
    for (struct stream_conn *c = s->conns; c; c = c->next) {
        if (paused && !unread(c))
            event_del(c->readable);
        else if (!paused)
            read_again(c);
    }
}

/* on_throttle - addresses whose bucket is above zero again are read again. */
static void on_throttle(evutil_socket_t fd, short what, void *arg)
{
    struct stream *s = arg;
    time_ns now = s->throttled ? clock_steady() : 0;

    (void)fd;
    (void)what;
    for (struct stream_conn *c = s->throttled ? s->conns : NULL; c; c = c->next) {
        if (!c->throttled || !peer_ready(c->peer, s->base.conf.limits.peer_bytes_s, now))
            continue;
        c->throttled = false;
        s->throttled--;
        read_again(c);
    }
}

/* away_with_revoked - connections whose certificate is revoked meanwhile. */
static void away_with_revoked(struct stream *s)
{
    struct stream_conn *next;

    for (struct stream_conn *c = s->conns; c; c = next) {
        next = c->next;
        if (c->shaken && tls_revoked(s->tls, c->ssl))
            turn_away(c, AWAY_CERTIFICATE);
    }
}

void stream_tick(struct listener *l)
{
    struct stream *s = stream_of(l);
    const struct listen_limits *m = &s->base.conf.limits;
    bool crowded = (int64_t)s->count > m->connections / 2;
    time_ns now = clock_steady(), hurry = s->tls ? HURRY_TLS_NS : HURRY_PLAIN_NS;
    struct stream_conn *next;

    if (s->tls && tls_look(s->tls))
        away_with_revoked(s);
    rest_or_wake(s);
    if (s->paused)
        return;
    for (struct stream_conn *c = s->conns; c; c = next) {
        next = c->next;
        if (!c->shaken && now - c->since > m->handshake_s * NS_PER_SECOND)
            turn_away(c, AWAY_HANDSHAKE);
        else if (crowded && !c->proven && now - c->since > hurry)
            turn_away(c, s->tls ? AWAY_HANDSHAKE : AWAY_IDLE);
        else if (!c->throttled && now - c->last > m->idle_s * NS_PER_SECOND)
            turn_away(c, AWAY_IDLE);
        else if (c->begun && !c->throttled && s->protocol->silent)
            s->protocol->silent(c, now - c->last);
    }
}

void stream_stop_accepting(struct listener *l)
{
    struct stream *s = stream_of(l);

    stream_pause(l, true);
    s->stopped_at = clock_steady();
    if (s->socket)
        evconnlistener_free(s->socket);
    s->socket = NULL;
    /* Those that wait for answers stay until close. */
    for (struct stream_conn *c = s->conns; c; c = c->next) {
        c->received = clock_now();
        if (c->begun && s->protocol->flush)
            s->protocol->flush(c);
    }
}

bool stream_busy(const struct listener *l)
{
    const struct stream *s = (const struct stream *)(const void *)l;

    if (clock_steady() - s->stopped_at > STREAM_BUSY_NS)
        return false;
    for (const struct stream_conn *c = s->conns; c; c = c->next)
        if (c->begun && !c->broken && s->protocol->due && (c->out.n || s->protocol->due(c)))
            return true;
    return false;
}

void stream_close(struct listener *l)
{
    struct stream *s = stream_of(l);

    if (s->socket)
        evconnlistener_free(s->socket);
    s->socket = NULL;
    while (s->conns)
        conn_close(s->conns);
    if (s->throttle)
        event_free(s->throttle);
    tls_free(&s->tls);
    listener_done(l);
}

uint16_t stream_port(const struct listener *l)
{
    const struct stream *s = (const struct stream *)(const void *)l;

    return s->socket ? listener_port(evconnlistener_get_fd(s->socket)) : 0;
}

static int bind_socket(struct stream *s, const char *address, struct err *e)
{
    struct evconnlistener *socket;
    int rc = listener_socket(s->base.in, s->protocol->title, address, on_accept, s, &socket, e);

    if (rc < 0)
        return rc;
    evconnlistener_set_error_cb(socket, on_accept_error);
    if (s->socket)
        evconnlistener_free(s->socket);
    s->socket = socket;
    s->resting = false;
    return 0;
}

int stream_open(struct ingest *in, const struct listener_kind *kind, const struct stream_protocol *p, const struct listen_conf *c,
                struct listener **out, struct err *e)
{
    static const struct timeval look = { 0, THROTTLE_LOOK_MS * 1000 };
    struct listener *l;
    struct stream *s;
    int rc = listener_new(in, kind, c, sizeof *s, &l, e);

    if (rc < 0)
        return rc;
    s = stream_of(l);
    s->protocol = p;
    s->told = -TOLD_AGAIN_NS;
    s->throttle = event_new(in->base, -1, EV_PERSIST, on_throttle, s);
    if (!s->throttle || (c->limits.peer_bytes_s && event_add(s->throttle, &look) < 0))
        rc = err_set(e, -ENOMEM, "no memory for a listener");
    if (rc == 0 && c->tls)
        rc = tls_open(in->options->data, c, &s->tls, e);
    if (rc == 0)
        rc = bind_socket(s, c->address, e);
    if (rc < 0) {
        stream_close(l);
        return rc;
    }
    *out = l;
    return 0;
}

int stream_change(struct listener *l, const struct listen_conf *c, struct err *e)
{
    static const struct timeval look = { 0, THROTTLE_LOOK_MS * 1000 };
    struct stream *s = stream_of(l);
    struct tls *tls = NULL;
    int rc;

    if (c->tls != l->conf.tls)
        return 1;
    rc = c->tls ? tls_open(l->in->options->data, c, &tls, e) : 0;
    if (rc == 0 && strcmp(c->address, l->conf.address) != 0)
        rc = bind_socket(s, c->address, e);
    if (rc == -EADDRINUSE && s->socket) {
        /* Another address of the same port: the old one must go first, and comes back if the new one cannot be had. */
        evconnlistener_free(s->socket);
        s->socket = NULL;
        rc = bind_socket(s, c->address, e);
        if (rc < 0 && bind_socket(s, l->conf.address, NULL) < 0)
            log_line(LOG_ERROR, "could not listen again where we did", "saqshy.listener", l->conf.id, NULL);
    }
    if (rc == 0)
        rc = listener_keep(l, c, e);
    if (rc < 0) {
        tls_free(&tls);
        return rc;
    }
    tls_free(&s->tls);
    s->tls = tls;
    if (tls)
        away_with_revoked(s);   /* the list may have changed with it */
    event_del(s->throttle);
    if (c->limits.peer_bytes_s || s->throttled)
        event_add(s->throttle, &look);
    rest_or_wake(s);
    return 0;
}
