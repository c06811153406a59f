/* crowd.c - connections of an HTTP listener: how many there may be, and how long one may take to show its certificate.
 *
 * evhttp knows no limit, so anybody who reached the port without a certificate could take all descriptors of the role: 15,000 connections
 * cost 200 MB, and at the end of descriptors libevent tried and logged accept() without a pause. A connection is known by its SSL, which
 * OpenSSL tells us the end of; without TLS by its bufferevent, which we hold besides evhttp: when evhttp lets go of it, it has no callbacks any
 * more, and we let go too, within a second. Past the limit the listener rests until somebody leaves. */
#include "ingest/internal.h"
#include "ingest/tls.h"
#include "base/log.h"

#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>
#include <event2/listener.h>
#include <openssl/ssl.h>
#include <sys/socket.h>

#define HURRY_TLS_NS     (2 * NS_PER_SECOND)    /* when more than half of the places are taken */
#define HURRY_PLAIN_NS   (10 * NS_PER_SECOND)
#define TICKS_S          10                     /* in which a second's bytes are given out */

struct guest {
    struct crowd       *crowd;
    struct guest       *next, **link;
    SSL                *ssl;
    struct bufferevent *bev;    /* with TLS borrowed, as long as the SSL; without, a reference of ours */
    bool                plain;
    struct peer        *peer;   /* NULL: not looked at yet */
    time_ns             since;  /* steady */
    bool                proven; /* without TLS: it sent something */
};

/* A limit of bytes a second, as long as some bufferevent may keep it. */
struct pace {
    struct pace                *next;
    int64_t                     bytes_s;
    struct ev_token_bucket_cfg *cfg;
};

struct crowd {
    struct crowd          *next;         /* of the role's */
    struct listener       *owner;        /* NULL: closed */
    struct evconnlistener *listener;
    struct event          *tick;
    struct guest          *guests;
    struct pace           *paces;
    size_t                 count;
    int                    index;        /* of the guest in an SSL's data */
};

static bool is_full(const struct crowd *c)
{
    const struct ingest *in = c->owner->in;

    return (int64_t)c->count >= c->owner->conf.limits.connections || in->connections >= in->connections_max;
}

static struct guest *enter(struct crowd *c)
{
    struct guest *g = c->owner ? calloc(1, sizeof *g) : NULL;

    if (!g)
        return NULL;
    *g = (struct guest){ .crowd = c, .next = c->guests, .link = &c->guests, .since = clock_steady() };
    if (g->next)
        g->next->link = &g->next;
    c->guests = g;
    c->count++;
    c->owner->in->connections++;
    card_add(&c->owner->card->accepted, 1);
    card_set(&c->owner->card->connections, (int64_t)c->count);
    if (is_full(c) && c->listener)
        evconnlistener_disable(c->listener);
    return g;
}

static void leave(struct guest *g)
{
    struct crowd *c = g->crowd;

    *g->link = g->next;
    if (g->next)
        g->next->link = g->link;
    c->count--;
    if (c->owner) {
        peers_leave(c->owner->in->peers, &g->peer);
        card_set(&c->owner->card->connections, (int64_t)c->count);
        c->owner->in->connections--;
    }
    free(g);
}

/* on_end - an SSL is freed, and with it its connection is gone. */
static void on_end(void *ssl, void *guest, CRYPTO_EX_DATA *data, int index, long number, void *arg)
{
    (void)ssl;
    (void)data;
    (void)index;
    (void)number;
    (void)arg;
    if (guest)
        leave(guest);
}

static const struct ev_token_bucket_cfg *pace_of(struct crowd *c, int64_t bytes_s)
{
    static const struct timeval tick = { 0, 1000000 / TICKS_S };
    size_t rate = (size_t)(bytes_s < TICKS_S ? 1 : bytes_s / TICKS_S);
    struct pace *p = c->paces;

    while (p && p->bytes_s != bytes_s)
        p = p->next;
    if (p)
        return p->cfg;
    p = calloc(1, sizeof *p);
    if (!p)
        return NULL;
    p->bytes_s = bytes_s;
    p->cfg = ev_token_bucket_cfg_new(rate, (size_t)bytes_s, EV_RATE_LIMIT_MAX, EV_RATE_LIMIT_MAX, &tick);
    p->next = c->paces;
    c->paces = p;
    return p->cfg;
}

/* slow_down - libevent reads for us here, so it keeps the limit too, of each connection. */
static void slow_down(struct crowd *c, struct bufferevent *bev)
{
    int64_t bytes_s = c->owner->conf.limits.peer_bytes_s;
    const struct ev_token_bucket_cfg *cfg = bytes_s ? pace_of(c, bytes_s) : NULL;

    if (bytes_s && (!cfg || bufferevent_set_rate_limit(bev, (struct ev_token_bucket_cfg *)(uintptr_t)cfg) < 0))
        log_line(LOG_WARN, "could not limit a connection", "saqshy.listener", c->owner->conf.id, NULL);
}

bool crowd_join(struct crowd *c, SSL *ssl, struct bufferevent *bev)
{
    struct guest *g = enter(c);

    if (!g)
        return false;
    g->ssl = ssl;
    g->bev = bev;
    slow_down(c, bev);
    if (SSL_set_ex_data(ssl, c->index, g))
        return true;
    leave(g);
    return false;
}

static void on_input(struct evbuffer *input, const struct evbuffer_cb_info *info, void *arg)
{
    (void)input;
    ((struct guest *)arg)->proven |= info->n_added > 0;
}

bool crowd_join_plain(struct crowd *c, struct bufferevent *bev)
{
    struct guest *g = enter(c);

    if (!g)
        return false;
    if (!evbuffer_add_cb(bufferevent_get_input(bev), on_input, g)) {
        leave(g);
        return false;
    }
    g->bev = bev;
    g->plain = true;
    bufferevent_incref(bev);
    slow_down(c, bev);
    return true;
}

/* let_go - of a bufferevent that evhttp has let go of, or that we need no more. */
static void let_go(struct guest *g)
{
    struct bufferevent *bev = g->bev;

    evbuffer_remove_cb(bufferevent_get_input(bev), on_input, g);
    leave(g);
    bufferevent_decref(bev);
}

static bool is_gone(const struct guest *g)
{
    bufferevent_data_cb readable = NULL, writable = NULL;
    bufferevent_event_cb event = NULL;
    void *arg;

    if (!g->plain)
        return false;
    bufferevent_getcb(g->bev, &readable, &writable, &event, &arg);
    return !readable && !writable && !event;
}

static int fd_of(const struct guest *g) { return g->ssl ? SSL_get_fd(g->ssl) : (int)bufferevent_getfd(g->bev); }

/* join_peer - who it is can be asked once libevent has given it its descriptor. False: it has too many connections. */
static bool join_peer(struct guest *g)
{
    struct sockaddr_storage ss;
    socklen_t n = sizeof ss;
    char address[PEER_TEXT_MAX];

    if (g->peer || getpeername(fd_of(g), (struct sockaddr *)&ss, &n) < 0)
        return true;
    listener_address_text((struct sockaddr *)&ss, address, NULL);
    g->peer = peers_join(g->crowd->owner->in->peers, address, g->crowd->owner);
    return g->peer != NULL;
}

/* send_away - libevent then meets the end, and closes it. */
static void send_away(const struct guest *g, enum away why)
{
    card_add(&g->crowd->owner->card->away[why], 1);
    if (g->peer)
        peer_away(g->peer);
    shutdown(fd_of(g), SHUT_RDWR);
}

/* judge - whoever has not shown a certificate, or sent a byte when it is crowded, in time is sent away. */
static void judge(const struct guest *g, time_ns now)
{
    const struct listen_limits *m = &g->crowd->owner->conf.limits;
    bool crowded = (int64_t)g->crowd->count > m->connections / 2;
    time_ns limit = crowded ? HURRY_TLS_NS : m->handshake_s * NS_PER_SECOND;

    if (g->ssl && !SSL_is_init_finished(g->ssl) && now - g->since > limit)
        send_away(g, AWAY_HANDSHAKE);
    else if (g->plain && !g->proven && crowded && now - g->since > HURRY_PLAIN_NS)
        send_away(g, AWAY_IDLE);
}

void crowd_revoke(struct crowd *c, const struct tls *t)
{
    for (struct guest *g = c->guests; g; g = g->next)
        if (g->ssl && SSL_is_init_finished(g->ssl) && tls_revoked(t, g->ssl))
            send_away(g, AWAY_CERTIFICATE);
}

static void on_tick(evutil_socket_t fd, short what, void *arg)
{
    struct crowd *c = arg;
    time_ns now = clock_steady();

    (void)fd;
    (void)what;
    for (struct guest *g = c->guests, *next; g; g = next) {
        next = g->next;
        if (is_gone(g))
            let_go(g);
        else if (!join_peer(g))
            send_away(g, AWAY_PEER_LIMIT);
        else
            judge(g, now);
    }
    if (!is_full(c) && c->listener)
        evconnlistener_enable(c->listener);
}

/* on_accept_error - out of descriptors: the next tick enables it again. arg is evhttp's. */
static void on_accept_error(struct evconnlistener *l, void *arg)
{
    (void)arg;
    log_line(LOG_WARN, "could not accept a connection, pausing", "error.message", strerror(errno), NULL);
    evconnlistener_disable(l);
}

int crowd_open(struct listener *l, struct crowd **out, struct err *e)
{
    static const struct timeval second = { 1, 0 };
    struct crowd *c = calloc(1, sizeof *c);

    if (!c)
        return err_set(e, -ENOMEM, "no memory for a listener");
    c->owner = l;
    c->next = l->in->crowds;
    l->in->crowds = c;     /* freed at the end of the role, whatever follows */
    c->index = SSL_get_ex_new_index(0, NULL, NULL, NULL, on_end);
    c->tick = event_new(l->in->base, -1, EV_PERSIST, on_tick, c);
    if (c->index < 0 || !c->tick || event_add(c->tick, &second) < 0) {
        crowd_close(c);
        return err_set(e, -ENOMEM, "no memory for a listener");
    }
    *out = c;
    return 0;
}

void crowd_watch(struct crowd *c, struct evconnlistener *listener)
{
    c->listener = listener;
    evconnlistener_set_error_cb(listener, on_accept_error);
}

void crowd_close(struct crowd *c)
{
    if (!c || !c->owner)
        return;
    for (struct guest *g = c->guests, *next; g; g = next) {
        next = g->next;
        peers_leave(c->owner->in->peers, &g->peer);
        if (g->plain) {
            let_go(g);
            continue;
        }
        c->owner->in->connections--;
    }
    c->owner = NULL;
    c->listener = NULL;
    if (c->tick)
        event_free(c->tick);
    c->tick = NULL;
}

void crowds_free(struct ingest *in)
{
    struct crowd *c;

    while ((c = in->crowds) != NULL) {
        in->crowds = c->next;
        for (struct pace *p = c->paces, *next; p; p = next) {
            next = p->next;
            if (p->cfg)
                ev_token_bucket_cfg_free(p->cfg);
            free(p);
        }
        free(c);
    }
}
