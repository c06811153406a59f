/* crowd.c - connections of the OTLP listener: how many there may be, and how long one may take to show its certificate.
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

#define CROWD_MAX        2048
#define HANDSHAKE_NS     (10 * NS_PER_SECOND)
#define HURRY_NS         (2 * NS_PER_SECOND)    /* when more than half of the places are taken */

struct guest {
    struct crowd *crowd;
    struct guest *next, **link;
    SSL          *ssl;
    time_ns       since;        /* steady */
};

struct crowd {
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
    free(g);
}

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
    if (c->count >= CROWD_MAX && c->listener)
        evconnlistener_disable(c->listener);
    return true;
}

/* on_tick - whoever has not shown a certificate in time is sent away; then there may be room again. */
static void on_tick(evutil_socket_t fd, short what, void *arg)
{
    struct crowd *c = arg;
    time_ns now = clock_steady(), limit = c->count > CROWD_MAX / 2 ? HURRY_NS : HANDSHAKE_NS;

    (void)fd;
    (void)what;
    for (struct guest *g = c->guests; g; g = g->next)
        if (now - g->since > limit && !SSL_is_init_finished(g->ssl))
            shutdown(SSL_get_fd(g->ssl), SHUT_RDWR);   /* libevent then meets the end, and closes it */
    if (c->count < CROWD_MAX && c->listener)
        evconnlistener_enable(c->listener);
}

/* on_accept_error - out of descriptors: the next tick enables it again. arg is evhttp's. */
static void on_accept_error(struct evconnlistener *l, void *arg)
{
    (void)arg;
    log_line(LOG_WARN, "could not accept an OTLP connection, pausing", "error.message", strerror(errno), NULL);
    evconnlistener_disable(l);
}

int crowd_open(struct event_base *base, struct crowd **out, struct err *e)
{
    static const struct timeval second = { 1, 0 };
    struct crowd *c = calloc(1, sizeof *c);

    if (c) {
        c->index = SSL_get_ex_new_index(0, NULL, NULL, NULL, on_end);
        c->tick = event_new(base, -1, EV_PERSIST, on_tick, c);
    }
    if (!c || c->index < 0 || !c->tick || event_add(c->tick, &second) < 0) {
        crowd_close(c);
        crowd_free(&c);
        return err_set(e, -ENOMEM, "no memory for the OTLP listener");
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
    if (!c)
        return;
    c->listener = NULL;
    if (c->tick)
        event_free(c->tick);
    c->tick = NULL;
}

void crowd_free(struct crowd **c)
{
    free(*c);
    *c = NULL;
}
