/* link.c - see link.h.
 *
 *     HANDSHAKE ─► HEAD ─► BODY ─► WORK ─► SEND ─► LINGER (so that the answer arrives) ─► closed */
#include "portal/link.h"
#include "base/log.h"
#include "desk/link/link.h"
#include "pki/pki.h"
#include "portal/internal.h"

#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/bufferevent_ssl.h>
#include <event2/event.h>
#include <event2/listener.h>
#include <arpa/inet.h>
#include <netinet/in.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <sys/stat.h>
#include <unistd.h>

#define BODIES_MAX    (2 * LINK_BODY_MAX)
#define LINK_BODY_NS  (120 * NS_PER_SECOND)
#define LINK_WORK_NS  (300 * NS_PER_SECOND)
#define LINK_SEND_NS  (120 * NS_PER_SECOND)
#define READ_AHEAD    (HTTP_HEAD_MAX + 4u * KIB)
#define TRUST_MAX     (4u * MIB)

enum link_state { LINK_HANDSHAKE, LINK_HEAD, LINK_BODY, LINK_WORK, LINK_SEND, LINK_LINGER };
static const int64_t phase_ns[] = { HANDSHAKE_NS, HEAD_NS, LINK_BODY_NS, LINK_WORK_NS, LINK_SEND_NS, LINGER_NS };

struct link_conn {
    struct job            job;       /* first: the pool knows it by this */
    struct link_listener *listener;
    struct link_conn     *next, *prev;
    struct bufferevent   *bev;       /* NULL: gone while a worker had it */
    enum link_state       state;
    int64_t               since;
    char                  address[64], fingerprint[65];
    size_t                want;      /* bytes of the body, reserved */
    struct buf            body, answer;
    int                   status;
};

struct trust_job {
    struct job            job;
    struct link_listener *listener;
    struct buf            pems;
    bool                  busy, known;
};

struct link_listener {
    struct portal         *portal;
    struct evconnlistener *socket;
    struct ssl_ctx_st     *tls;      /* NULL: nobody gets in */
    struct link_conn      *conns;
    size_t                 count, bodies;
    struct trust_job       trust;
    struct buf             trusted;
    struct timespec        cert_time;
    int64_t                looked;
    char                   told[ERR_TEXT_MAX];
    int                    port;
};

static void enter(struct link_conn *c, enum link_state s)
{
    c->state = s;
    c->since = clock_steady();
}

static void unlist(struct link_conn *c)
{
    struct link_listener *l = c->listener;

    if (c->prev)
        c->prev->next = c->next;
    else
        l->conns = c->next;
    if (c->next)
        c->next->prev = c->prev;
    l->count--;
    l->bodies -= c->want;
    c->want = 0;
}

static void conn_free(struct link_conn *c)
{
    buf_free(&c->body);
    buf_free(&c->answer);
    free(c);
}

/* close_conn - a worker that has it finds it gone when it is done. */
static void close_conn(struct link_conn *c)
{
    unlist(c);
    bufferevent_free(c->bev);
    c->bev = NULL;
    if (c->state != LINK_WORK)
        conn_free(c);
}

/* --- answering --- */

static void free_bytes(const void *data, size_t n, void *arg)
{
    (void)n;
    (void)arg;
    free((void *)(uintptr_t)data);
}

static void send_answer(struct link_conn *c)
{
    struct evbuffer *out = bufferevent_get_output(c->bev);

    enter(c, LINK_SEND);
    evbuffer_add_printf(out, "HTTP/1.1 %d %s\r\nContent-Type: %s\r\nContent-Length: %zu\r\nCache-Control: no-store\r\nConnection: close\r\n\r\n", c->status,
                        http_status_text(c->status), c->status == 200 ? "application/vnd.saqshy.bundle" : "application/problem+json", c->answer.n);
    if (c->answer.n) {
        evbuffer_add_reference(out, c->answer.p, c->answer.n, free_bytes, NULL);
        buf_init(&c->answer, 0); /* its bytes belong to the output now */
    }
}

static void refuse(struct link_conn *c, int status, const char *code)
{
    c->status = status;
    buf_reset(&c->answer);
    buf_printf(&c->answer, "{\"code\":\"%s\",\"detail\":\"%s\",\"status\":%d}\n", code, http_status_text(status), status);
    send_answer(c);
}

static void work_run(struct job *j, unsigned worker)
{
    struct link_conn *c = (struct link_conn *)(void *)j;

    c->status = link_exchange(c->listener->portal->desk[worker], c->fingerprint, buf_view(&c->body), clock_now(), &c->answer);
    buf_free(&c->body);
}

static void work_done(struct job *j)
{
    struct link_conn *c = (struct link_conn *)(void *)j;

    if (c->bev)
        send_answer(c);
    else
        conn_free(c);
}

/* --- reading --- */

static void dispatch(struct link_conn *c)
{
    c->job.run = work_run;
    c->job.done = work_done;
    enter(c, LINK_WORK);
    if (pool_submit(c->listener->portal->pool, &c->job, LANE_LINK) == 0)
        return;
    metric_add(c->listener->portal->m.busy, 1);
    refuse(c, 503, "unavailable");
}

static void take_body(struct link_conn *c)
{
    struct evbuffer *in = bufferevent_get_input(c->bev);
    size_t n = evbuffer_get_length(in), take = min_size(n, c->want - c->body.n);
    char *to = buf_room(&c->body, take);

    if (!to) {
        refuse(c, 503, "unavailable");
        return;
    }
    evbuffer_remove(in, to, take);
    c->body.n += take;
    if (c->body.n == c->want)
        dispatch(c);
}

static void head_read(struct link_conn *c, struct str head)
{
    struct link_listener *l = c->listener;
    struct http_request r;
    struct err e;
    int rc = http_head_upto(head, LINK_BODY_MAX, &r, &e);

    if (rc == -E2BIG)
        refuse(c, 413, "too_large");
    else if (rc < 0)
        refuse(c, 400, "bad_request");
    else if (!str_eq(r.path, STR("/link/v1/envelopes")))
        refuse(c, 404, "not_found");
    else if (r.method != HTTP_POST)
        refuse(c, 405, "method_not_allowed");
    else if (r.content_length == 0)
        refuse(c, 400, "bad_request");
    else if (r.content_length > BODIES_MAX - l->bodies)
        refuse(c, 503, "unavailable");
    else {
        c->want = (size_t)r.content_length;
        l->bodies += c->want;
        enter(c, LINK_BODY);
        if (r.expect_continue && evbuffer_get_length(bufferevent_get_input(c->bev)) == 0)
            evbuffer_add(bufferevent_get_output(c->bev), "HTTP/1.1 100 Continue\r\n\r\n", 25);
        take_body(c);
    }
}

static void take_head(struct link_conn *c)
{
    struct evbuffer *in = bufferevent_get_input(c->bev);
    struct evbuffer_ptr end = evbuffer_search(in, "\r\n\r\n", 4, NULL);
    AUTO_BUF struct buf head;
    size_t n;
    char *to;

    buf_init(&head, HTTP_HEAD_MAX);
    n = end.pos < 0 ? evbuffer_get_length(in) : (size_t)end.pos + 4;
    if (n > HTTP_HEAD_MAX) {
        refuse(c, 431, "too_large");
        return;
    }
    if (end.pos < 0)
        return;
    to = buf_room(&head, n);
    if (!to) {
        close_conn(c);
        return;
    }
    evbuffer_remove(in, to, n);
    head.n = n;
    head_read(c, buf_view(&head));
}

static void on_read(struct bufferevent *bev, void *arg)
{
    struct link_conn *c = arg;
    struct evbuffer *in = bufferevent_get_input(bev);

    if (c->state == LINK_HEAD)
        take_head(c);
    else if (c->state == LINK_BODY)
        take_body(c);
    else
        evbuffer_drain(in, evbuffer_get_length(in));
}

static void on_write(struct bufferevent *bev, void *arg)
{
    struct link_conn *c = arg;

    if (c->state != LINK_SEND || evbuffer_get_length(bufferevent_get_output(bev)) > 0)
        return;
    /* Closing with bytes unread would reset the connection and could take the answer with it. */
    enter(c, LINK_LINGER);
    SSL_shutdown(bufferevent_openssl_get_ssl(bev));
    ERR_clear_error();
    shutdown(bufferevent_getfd(bev), SHUT_WR);
}

static void on_event(struct bufferevent *bev, short what, void *arg)
{
    struct link_conn *c = arg;
    struct err e;

    if ((what & BEV_EVENT_CONNECTED) && pki_peer_fingerprint(bufferevent_openssl_get_ssl(bev), c->fingerprint, &e) == 0)
        enter(c, LINK_HEAD);
    else
        close_conn(c);
}

/* --- accepting --- */

static bool room_for(const struct link_listener *l, const char *address)
{
    size_t same = 0;

    for (const struct link_conn *c = l->conns; c; c = c->next)
        same += strcmp(c->address, address) == 0;
    return l->count < LINK_CONNS_MAX && same < LINK_CONNS_PER_ADDRESS;
}

static void name_address(const struct sockaddr *from, char out[64])
{
    const void *at = from->sa_family == AF_INET6 ? (const void *)&((const struct sockaddr_in6 *)(const void *)from)->sin6_addr
                                                 : (const void *)&((const struct sockaddr_in *)(const void *)from)->sin_addr;

    if (!inet_ntop(from->sa_family, at, out, 64))
        out[0] = 0;
}

static void on_accept(struct evconnlistener *socket, evutil_socket_t fd, struct sockaddr *from, int n, void *arg)
{
    struct link_listener *l = arg;
    struct link_conn *c = calloc(1, sizeof *c);
    SSL *ssl = NULL;

    (void)socket;
    (void)n;
    if (c)
        name_address(from, c->address);
    if (c && l->tls && room_for(l, c->address))
        ssl = SSL_new(l->tls);
    if (ssl)
        c->bev = bufferevent_openssl_socket_new(l->portal->base, fd, ssl, BUFFEREVENT_SSL_ACCEPTING, BEV_OPT_CLOSE_ON_FREE | BEV_OPT_DEFER_CALLBACKS);
    if (!c || !c->bev) {
        metric_add(l->portal->m.refused_connections, 1);
        if (ssl)
            SSL_free(ssl);
        close(fd);
        free(c);
        return;
    }
    c->listener = l;
    buf_init(&c->body, LINK_BODY_MAX);
    buf_init(&c->answer, LINK_BODY_MAX);
    bufferevent_openssl_set_allow_dirty_shutdown(c->bev, 1);
    bufferevent_setcb(c->bev, on_read, on_write, on_event, c);
    bufferevent_setwatermark(c->bev, EV_READ, 0, READ_AHEAD);
    enter(c, LINK_HANDSHAKE);
    c->next = l->conns;
    if (c->next)
        c->next->prev = c;
    l->conns = c;
    l->count++;
    bufferevent_enable(c->bev, EV_READ | EV_WRITE);
}

static void on_accept_error(struct evconnlistener *socket, void *arg)
{
    (void)arg;
    log_line(LOG_WARN, "could not accept a connection of a node, pausing", "error.message", strerror(errno), NULL);
    evconnlistener_disable(socket); /* the next tick enables it */
}

/* --- whom to let in --- */

static void trust_run(struct job *j, unsigned worker)
{
    struct trust_job *t = (struct trust_job *)(void *)j;
    struct err e;

    buf_reset(&t->pems);
    t->known = link_trusted(t->listener->portal->desk[worker], &t->pems, &e) == 0;
}

/* trust_done - a new context if the list or our own certificate has changed. */
static void trust_done(struct job *j)
{
    struct trust_job *t = (struct trust_job *)(void *)j;
    struct link_listener *l = t->listener;
    struct ssl_ctx_st *fresh = NULL;
    char path[4096];
    struct stat st;
    struct err e = { 0 };

    t->busy = false;
    if (!t->known)
        return;
    node_path(l->portal->setup.node, "link/node.pem", path);
    if (stat(path, &st) < 0)
        st.st_mtim = (struct timespec){ 0 };
    if (l->tls && str_eq(buf_view(&t->pems), buf_view(&l->trusted)) && memcmp(&st.st_mtim, &l->cert_time, sizeof st.st_mtim) == 0)
        return;
    if (pki_node_server(node_path(l->portal->setup.node, "link", path), buf_view(&t->pems), &fresh, &e) < 0 && strcmp(l->told, e.text) != 0)
        log_line(LOG_WARN, "other nodes cannot connect: run \"saqshy link init\"", "error.message", e.text, NULL);
    snprintf(l->told, sizeof l->told, "%s", e.text);
    if (!fresh && l->tls)
        return; /* half-written files: the old context serves until the next look */
    pki_context_free(&l->tls);
    l->tls = fresh;
    l->cert_time = st.st_mtim;
    buf_reset(&l->trusted);
    buf_str(&l->trusted, buf_view(&t->pems));
}

void link_listener_tick(struct link_listener *l, int64_t now)
{
    struct link_conn *next;

    if (!l)
        return;
    evconnlistener_enable(l->socket);
    for (struct link_conn *c = l->conns; c; c = next) {
        next = c->next;
        if (now - c->since > phase_ns[c->state])
            close_conn(c);
    }
    if (l->trust.busy || (l->looked && now - l->looked < LINK_TRUST_NS))
        return;
    l->looked = now;
    l->trust.job = (struct job){ .run = trust_run, .done = trust_done };
    l->trust.busy = pool_submit(l->portal->pool, &l->trust.job, LANE_LINK) == 0;
}

/* --- opening --- */

int link_listener_open(struct portal *p, struct link_listener **out, struct err *e)
{
    struct link_listener *l;
    const char *at = p->setup.node->link_listen;

    *out = NULL;
    if (!*at)
        return 0;
    l = calloc(1, sizeof *l);
    if (!l)
        return err_set(e, -ENOMEM, "no memory for the listener of nodes");
    l->portal = p;
    l->trust.listener = l;
    buf_init(&l->trust.pems, TRUST_MAX);
    buf_init(&l->trusted, TRUST_MAX);
    *out = l;
    return portal_listen(p, "link.listen", at, on_accept, on_accept_error, l, &l->socket, &l->port, e);
}

int link_listener_port(const struct link_listener *l)
{
    return l ? l->port : 0;
}

void link_listener_stop(struct link_listener *l)
{
    if (!l)
        return;
    if (l->socket)
        evconnlistener_free(l->socket);
    l->socket = NULL;
    while (l->conns)
        close_conn(l->conns);
}

void link_listener_free(struct link_listener **out)
{
    struct link_listener *l = *out;

    if (!l)
        return;
    link_listener_stop(l);
    pki_context_free(&l->tls);
    buf_free(&l->trust.pems);
    buf_free(&l->trusted);
    free(l);
    *out = NULL;
}
