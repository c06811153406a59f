/* http.c - see http.h. The server of libevent, with a crowd of its own and TLS contexts that may be changed.
 *
 * The loop takes a request's bytes, never its time: unpacking, decoding and storing are the worker's. A request whose client has
 * gone keeps living without a connection (libevent's rule for requests that a server still holds); its answer is thrown away. */
#include "ingest/http.h"
#include "ingest/tls.h"
#include "base/log.h"

#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/bufferevent_ssl.h>
#include <event2/event.h>
#include <event2/http.h>
#include <event2/http_struct.h>
#include <event2/keyvalq_struct.h>
#include <event2/listener.h>
#include <openssl/ssl.h>
#include <sys/socket.h>

#define RETRY_AFTER_S  "2"
#define IDLE_S         75

struct http {
    struct listener            base;
    const struct http_service *service;
    struct evhttp             *server;
    struct evhttp_bound_socket *bound;
    struct tls                *tls;
    struct crowd              *crowd;
    struct asked              *asked;      /* requests that wait for the worker */
};

static struct http *http_of(struct listener *l) { return (struct http *)(void *)l; }

static struct bufferevent *make_plain(struct http *h, struct event_base *base)
{
    struct bufferevent *bev = bufferevent_socket_new(base, -1, BEV_OPT_CLOSE_ON_FREE);

    if (bev && !crowd_join_plain(h->crowd, bev)) {
        bufferevent_free(bev);
        bev = NULL;
    }
    return bev;
}

static struct bufferevent *make_connection(struct event_base *base, void *arg)
{
    struct http *h = arg;
    struct bufferevent *bev;
    SSL *ssl;

    if (!h->tls)
        return make_plain(h, base);
    ssl = SSL_new(tls_context(h->tls));
    bev = ssl ? bufferevent_openssl_socket_new(base, -1, ssl, BUFFEREVENT_SSL_ACCEPTING, BEV_OPT_CLOSE_ON_FREE | BEV_OPT_DEFER_CALLBACKS) : NULL;
    if (ssl && !bev)
        SSL_free(ssl);
    if (bev && !crowd_join(h->crowd, ssl, bev)) {
        bufferevent_free(bev);
        bev = NULL;
    }
    /* evhttp falls back to plain text if it gets no bufferevent: then better one that can only fail. */
    return bev ? bev : bufferevent_socket_new(base, -1, BEV_OPT_CLOSE_ON_FREE);
}

const char *http_header(const struct http_ask *a, const char *name)
{
    return evhttp_find_header(evhttp_request_get_input_headers(a->request), name);
}

void http_answer_header(struct http_answer *a, const char *name, const char *value)
{
    evhttp_add_header(evhttp_request_get_output_headers(a->request), name, value);
}

/* send - the answer a, in whatever form it has by now. */
static void send_answer(struct http *h, struct http_answer *a)
{
    struct evkeyvalq *headers = evhttp_request_get_output_headers(a->request);
    struct evbuffer *body = evbuffer_new();

    if (body && a->body->n)
        evbuffer_add(body, a->body->p, a->body->n);
    if (a->type)
        evhttp_add_header(headers, "Content-Type", a->type);
    if (a->status == 503 || a->status == 429)
        evhttp_add_header(headers, "Retry-After", RETRY_AFTER_S);
    counters_answer(&h->base.in->counters, a->status);
    evhttp_send_reply(a->request, a->status, a->status == 200 ? "OK" : a->reason, body);
    if (body)
        evbuffer_free(body);
}

static void refuse(struct http *h, struct evhttp_request *req, int status, const char *reason)
{
    AUTO_BUF struct buf b = { 0 };
    struct http_answer a = { .status = status, .reason = reason, .body = &b, .request = req };

    buf_init(&b, ANSWER_BYTES_MAX);
    h->service->form(&a, NULL);
    send_answer(h, &a);
}

/* What waits for a pile: a request is always alive, its connection need not be. */
struct asked {
    struct asked          *next, **link;
    struct http           *http;
    struct evhttp_request *request;
    struct ticket         *ticket;
};

static void asked_free(struct asked *a)
{
    if (!a)
        return;
    if (a->link) {
        *a->link = a->next;
        if (a->next)
            a->next->link = a->link;
    }
    ticket_orphan(&a->ticket);
    free(a);
}

static void on_stored(void *owner, uint64_t number, const struct pile *p)
{
    struct asked *a = owner;
    AUTO_BUF struct buf b = { 0 };
    struct http_answer answer = { .status = p->status, .reason = p->reason, .body = &b, .request = a->request };

    (void)number;
    buf_init(&b, ANSWER_BYTES_MAX);
    buf_str(&b, buf_view(&p->answer));
    a->http->service->form(&answer, p);
    send_answer(a->http, &answer);
    asked_free(a);
}

/* coding_of - -1 for an encoding we do not know. */
static int coding_of(const char *name)
{
    if (!name || !*name || strcasecmp(name, "identity") == 0)
        return PACKING_NONE;
    if (strcasecmp(name, "gzip") == 0)
        return PACKING_GZIP;
    return strcasecmp(name, "zstd") == 0 ? PACKING_ZSTD : -1;
}

/* client - who asks, by certificate, and their address. */
static int client(struct http *h, struct evhttp_request *req, char name[AGENT_TEXT_MAX], const char **peer, struct err *e)
{
    struct evhttp_connection *c = evhttp_request_get_connection(req);
    struct bufferevent *bev = c ? evhttp_connection_get_bufferevent(c) : NULL;
    SSL *ssl = bev && h->tls ? bufferevent_openssl_get_ssl(bev) : NULL;
    char *address = NULL;
    uint16_t port;
    int rc = 0;

    name[0] = 0;
    if (h->tls)
        rc = ssl ? tls_client(h->tls, ssl, name, e) : err_set(e, -EACCES, "there is no secure connection");
    if (c)
        evhttp_connection_get_peer(c, &address, &port);
    *peer = address ? address : "";
    return rc < 0 ? rc : 0;
}

static enum http_method method_of(struct evhttp_request *req)
{
    switch (evhttp_request_get_command(req)) {
    case EVHTTP_REQ_GET: return HTTP_GET;
    case EVHTTP_REQ_POST: return HTTP_POST;
    case EVHTTP_REQ_HEAD: return HTTP_HEAD;
    case EVHTTP_REQ_PUT: return HTTP_PUT;
    case EVHTTP_REQ_OPTIONS: return HTTP_OPTIONS;
    default: return 0;
    }
}

/* find_route - *status is that of a refusal where there is none: 404, or 405 for another method. */
static const struct http_route *find_route(const struct http *h, const struct http_ask *a, int *status)
{
    *status = 404;
    for (size_t i = 0; i < h->service->count; i++) {
        const struct http_route *r = &h->service->routes[i];
        struct str path = str_c(r->path);
        bool tail = str_ends(path, STR("*"));

        if (tail ? !str_starts(a->path, str_of(path.p, path.n - 1)) : !str_eq(a->path, path))
            continue;
        if (r->methods & a->method)
            return r;
        *status = 405;
    }
    return NULL;
}

static void answer_at_once(struct http *h, const struct http_route *r, const struct http_ask *a)
{
    AUTO_BUF struct buf b = { 0 };
    struct http_answer answer = { .status = 200, .reason = "", .body = &b, .request = a->request };

    buf_init(&b, ANSWER_BYTES_MAX);
    r->at_once(a, &answer);
    send_answer(h, &answer);
}

/* fill - everything the worker must know; 0, or the status of a refusal. */
static int fill(const struct http_route *r, const struct http_ask *a, struct pile *p, struct err *e)
{
    int coding = coding_of(http_header(a, "Content-Encoding")), status;

    p->decoder = r->decoder;
    p->card = a->listener->card->number;
    p->record_bytes = (size_t)a->listener->conf.limits.record_bytes;
    snprintf(p->agent_text, sizeof p->agent_text, "%s", a->client);
    p->agent = str_c(p->agent_text);
    p->alone = p->agent.n && a->listener->conf.client == LISTEN_CLIENT_REQUIRED;
    snprintf(p->peer, sizeof p->peer, "%s", a->peer);
    snprintf(p->query, sizeof p->query, "%.*s%s%.*s", STR_ARG(a->path), a->query.n ? "?" : "", STR_ARG(a->query));
    status = r->admit ? r->admit(a, p, e) : 0;
    if (coding < 0 && r->coding && strcasecmp(http_header(a, "Content-Encoding"), r->coding) == 0)
        coding = PACKING_NONE;
    if (status == 0 && coding < 0) {
        err_set(e, -EINVAL, "Content-Encoding must be gzip, zstd or identity");
        return 415;
    }
    p->coding = (enum packing)coding;
    return status;
}

static void take(struct http *h, const struct http_route *r, const struct http_ask *ask)
{
    struct evbuffer *body = evhttp_request_get_input_buffer(ask->request);
    const char *busy = ingest_busy(h->base.in);
    size_t n = evbuffer_get_length(body);
    struct asked *a = busy ? NULL : calloc(1, sizeof *a);
    struct pile *p = busy ? NULL : pile_new();
    struct err e = { 0 };
    char *to = p && n ? buf_room(&p->bytes, n) : NULL;
    int status = 503;

    if (a)
        *a = (struct asked){ .http = h, .request = ask->request, .ticket = ticket_new(a, on_stored) };
    if (busy || !p || !a || !a->ticket || (n && !to))
        err_set(&e, -EAGAIN, "%s", busy ? busy : "no memory, come again");
    else
        status = fill(r, ask, p, &e);
    if (status) {
        pile_free(&p);
        asked_free(a);
        refuse(h, ask->request, status, e.text);
        return;
    }
    if (n)
        p->bytes.n = (size_t)max_size(0, (size_t)evbuffer_remove(body, to, n));
    p->received = clock_now();
    a->next = h->asked;
    a->link = &h->asked;
    if (a->next)
        a->next->link = &a->next;
    h->asked = a;
    ingest_request(h->base.in, p, a->ticket);
}

static void on_request(struct evhttp_request *req, void *arg)
{
    struct http *h = arg;
    const struct evhttp_uri *uri = evhttp_request_get_evhttp_uri(req);
    const char *path = uri ? evhttp_uri_get_path(uri) : NULL, *query = uri ? evhttp_uri_get_query(uri) : NULL;
    char name[AGENT_TEXT_MAX];
    struct http_ask a = { .listener = &h->base, .method = method_of(req), .path = str_c(path), .query = str_c(query), .client = name, .request = req };
    const struct http_route *r;
    struct err e;
    int status;

    r = find_route(h, &a, &status);
    if (!r)
        refuse(h, req, status, status == 405 ? "this path takes another method" : "there is no such path here");
    else if (client(h, req, name, &a.peer, &e) < 0)
        refuse(h, req, 403, e.text);
    else if (r->at_once)
        answer_at_once(h, r, &a);
    else
        take(h, r, &a);
}

uint16_t http_port(const struct listener *l)
{
    const struct http *h = (const struct http *)(const void *)l;

    return h->bound ? listener_port(evhttp_bound_socket_get_fd(h->bound)) : 0;
}

/* bind_socket - listen at address instead of where we did. */
static int bind_socket(struct http *h, const char *address, struct err *e)
{
    struct evconnlistener *socket;
    struct evhttp_bound_socket *bound;
    int rc = listener_socket(h->base.in, h->service->title, address, NULL, NULL, &socket, e);

    if (rc < 0)
        return rc;
    bound = evhttp_bind_listener(h->server, socket);
    if (!bound) {
        evconnlistener_free(socket);
        return err_set(e, -ENOMEM, "no memory for the %s listener", h->service->title);
    }
    if (h->bound)
        evhttp_del_accept_socket(h->server, h->bound);
    h->bound = bound;
    if (h->crowd)
        crowd_watch(h->crowd, evhttp_bound_socket_get_listener(bound));
    return 0;
}

static int make_server(struct http *h, const struct listen_conf *c, struct err *e)
{
    int rc = crowd_open(&h->base, &h->crowd, e);

    if (rc == 0 && c->tls)
        rc = tls_open(h->base.in->options->data, c, &h->tls, e);
    if (rc < 0)
        return err_wrap(e, rc, "%s listener", h->service->title);
    h->server = evhttp_new(h->base.in->base);
    if (!h->server)
        return err_set(e, -ENOMEM, "no memory for the %s listener", h->service->title);
    evhttp_set_bevcb(h->server, make_connection, h);
    evhttp_set_max_headers_size(h->server, HTTP_HEADERS_MAX);
    evhttp_set_max_body_size(h->server, BODY_WIRE_MAX);
    evhttp_set_timeout(h->server, (int)min_size((size_t)c->limits.idle_s, IDLE_S));
    evhttp_set_allowed_methods(h->server, EVHTTP_REQ_POST | EVHTTP_REQ_GET | EVHTTP_REQ_HEAD | EVHTTP_REQ_PUT | EVHTTP_REQ_OPTIONS);
    evhttp_set_gencb(h->server, on_request, h);
    return bind_socket(h, c->address, e);
}

int http_open(struct ingest *in, const struct listener_kind *kind, const struct http_service *s, const struct listen_conf *c,
              struct listener **out, struct err *e)
{
    struct listener *l;
    int rc = listener_new(in, kind, c, sizeof(struct http), &l, e);

    if (rc < 0)
        return rc;
    http_of(l)->service = s;
    rc = make_server(http_of(l), c, e);
    if (rc < 0) {
        http_close(l);
        return rc;
    }
    *out = l;
    return 0;
}

int http_change(struct listener *l, const struct listen_conf *c, struct err *e)
{
    struct http *h = http_of(l);
    struct tls *tls = NULL;
    int rc;

    if (c->tls != l->conf.tls)
        return 1;
    rc = c->tls ? tls_open(l->in->options->data, c, &tls, e) : 0;
    if (rc == 0 && strcmp(c->address, l->conf.address) != 0)
        rc = bind_socket(h, c->address, e);
    if (rc == 0)
        rc = listener_keep(l, c, e);
    if (rc < 0) {
        tls_free(&tls);
        return rc;
    }
    tls_free(&h->tls);
    h->tls = tls;
    if (tls)
        crowd_revoke(h->crowd, tls);   /* the list may have changed with it */
    return 0;
}

void http_tick(struct listener *l)
{
    struct http *h = http_of(l);

    if (h->tls && tls_look(h->tls))
        crowd_revoke(h->crowd, h->tls);
}

void http_stop_accepting(struct listener *l)
{
    struct http *h = http_of(l);

    if (!h->bound)
        return;
    crowd_close(h->crowd);
    evhttp_del_accept_socket(h->server, h->bound);
    h->bound = NULL;
}

bool http_busy(const struct listener *l) { return ((const struct http *)(const void *)l)->asked != NULL; }

void http_close(struct listener *l)
{
    struct http *h = http_of(l);

    crowd_close(h->crowd);
    while (h->asked)
        asked_free(h->asked);
    if (h->server)
        evhttp_free(h->server);
    tls_free(&h->tls);
    listener_done(l);
}
