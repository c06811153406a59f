/* crowd.c - connections of an HTTP listener: how many there may be, and how long one may take to show its certificate.
 *
 * evhttp knows no limit, so anybody who reached the port without a certificate could take all descriptors of the role: 15,000 connections
 * cost 200 MB, and at the end of descriptors libevent tried and logged accept() without a pause. A connection is known by its SSL, which
 * OpenSSL tells us the end of; past the limit the listener rests until somebody leaves. */
#include "ingest/internal.h"
#include "base/log.h"

#include <event2/event.h>
#include <event2/listener.h>
#include <openssl/ssl.h>
#include <sys/socket.h>

#define HURRY_NS         (2 * NS_PER_SECOND)    /* when more than half of the places are taken */

struct guest {
    struct crowd *crowd;
    struct guest *next, **link;
    SSL          *ssl;
    struct peer  *peer;         /* NULL: not looked at yet */
    time_ns       since;        /* steady */
};

struct crowd {
    struct crowd          *next;         /* of the role's */
    struct listener       *owner;        /* NULL: closed */
    struct evconnlistener *listener;
    struct event          *tick;
    struct guest          *guests;
    size_t                 count;
    int                    index;        /* of the guest in an SSL's data */
};

/* on_end - an SSL is freed, and with it its connection is gone. */
static void on_end(void *ssl, void *guest, CRYPTO_EX_DATA *data, int index, long number, void *arg)
{
    struct guest *g = guest;

    (void)ssl;
    (void)data;
    (void)index;
    (void)number;
    (void)arg;
    if (!g)
        return;
    *g->link = g->next;
    if (g->next)
        g->next->link = g->link;
    g->crowd->count--;
    if (g->crowd->owner) {
        peers_leave(g->crowd->owner->in->peers, &g->peer);
        card_set(&g->crowd->owner->card->connections, (int64_t)g->crowd->count);
    }
    free(g);
}

static bool is_full(const struct crowd *c) { return (int64_t)c->count >= c->owner->conf.limits.connections; }

bool crowd_join(struct crowd *c, SSL *ssl)
{
    struct guest *g = calloc(1, sizeof *g);

    if (!g)
        return false;
    *g = (struct guest){ .crowd = c, .next = c->guests, .link = &c->guests, .ssl = ssl, .since = clock_steady() };
    if (g->next)
        g->next->link = &g->next;
    c->guests = g;
    c->count++;
    if (!SSL_set_ex_data(ssl, c->index, g)) {
        on_end(ssl, g, NULL, c->index, 0, NULL);
        return false;
    }
    card_add(&c->owner->card->accepted, 1);
    card_set(&c->owner->card->connections, (int64_t)c->count);
    if (is_full(c) && c->listener)
        evconnlistener_disable(c->listener);
    return true;
}

/* join_peer - who it is can be asked once libevent has given the SSL its descriptor. False: it has too many connections. */
static bool join_peer(struct guest *g)
{
    struct sockaddr_storage ss;
    socklen_t n = sizeof ss;
    char address[PEER_TEXT_MAX];

    if (g->peer || getpeername(SSL_get_fd(g->ssl), (struct sockaddr *)&ss, &n) < 0)
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
    shutdown(SSL_get_fd(g->ssl), SHUT_RDWR);
}

/* on_tick - whoever has not shown a certificate in time is sent away; then there may be room again. */
static void on_tick(evutil_socket_t fd, short what, void *arg)
{
    struct crowd *c = arg;
    const struct listen_limits *m = &c->owner->conf.limits;
    time_ns now = clock_steady(), limit = (int64_t)c->count > m->connections / 2 ? HURRY_NS : m->handshake_s * NS_PER_SECOND;

    (void)fd;
    (void)what;
    for (struct guest *g = c->guests; g; g = g->next) {
        if (!join_peer(g))
            send_away(g, AWAY_PEER_LIMIT);
        else if (now - g->since > limit && !SSL_is_init_finished(g->ssl))
            send_away(g, AWAY_HANDSHAKE);
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
    for (struct guest *g = c->guests; g; g = g->next)
        peers_leave(c->owner->in->peers, &g->peer);
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
        free(c);
    }
}
