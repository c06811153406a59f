/* http.c - OTLP over HTTPS: POST /v1/logs from agents with a certificate of our authority.
 *
 * The loop takes a request's bytes, never its time: unpacking, decoding and storing are the worker's. A request whose client has
 * gone keeps living without a connection (libevent's rule for requests that a server still holds); its answer is thrown away. */
#include "ingest/internal.h"
#include "ingest/otlp.h"
#include "pki/pki.h"
#include "base/log.h"

#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/bufferevent_ssl.h>
#include <event2/event.h>
#include <event2/http.h>
#include <event2/http_struct.h>
#include <event2/keyvalq_struct.h>
#include <openssl/ssl.h>
#include <sys/socket.h>

#define HEADERS_MAX    (16 * KIB)
#define IDLE_S         75
#define RETRY_AFTER_S  "2"

struct http {
    struct ingest  *in;
    struct evhttp  *server;
    struct evhttp_bound_socket *bound;
    SSL_CTX        *tls;
};

static struct bufferevent *make_connection(struct event_base *base, void *arg)
{
    struct http *h = arg;
    SSL *ssl = SSL_new(h->tls);

    if (ssl && !crowd_join(h->in->crowd, ssl)) {
        SSL_free(ssl);
        ssl = NULL;
    }
    /* evhttp falls back to plain text if it gets no bufferevent: then better one that can only fail. */
    return ssl ? bufferevent_openssl_socket_new(base, -1, ssl, BUFFEREVENT_SSL_ACCEPTING,
                                                BEV_OPT_CLOSE_ON_FREE | BEV_OPT_DEFER_CALLBACKS)
               : bufferevent_socket_new(base, -1, BEV_OPT_CLOSE_ON_FREE);
}

/* reply - the answer in OTLP's form: an empty response, or a Status with the reason. */
static void reply(struct http *h, struct evhttp_request *req, int status, const char *reason)
{
    struct evkeyvalq *headers = evhttp_request_get_output_headers(req);
    struct evbuffer *body = evbuffer_new();
    AUTO_BUF struct buf b = { 0 };

    buf_init(&b, 64 * KIB);
    if (status != 200)
        otlp_status(&b, status == 503 || status == 429 ? 14 : 3, str_c(reason));
    if (body && b.n)
        evbuffer_add(body, b.p, b.n);
    evhttp_add_header(headers, "Content-Type", "application/x-protobuf");
    if (status == 503 || status == 429)
        evhttp_add_header(headers, "Retry-After", RETRY_AFTER_S);
    counters_answer(&h->in->counters, status);
    evhttp_send_reply(req, status, status == 200 ? "OK" : reason, body);
    if (body)
        evbuffer_free(body);
}

void http_answer(struct ingest *in, struct pile *p)
{
    struct evhttp_request *req = p->http;
    char number[24];

    in->requests--;
    if (!req)
        return;
    if (p->numbered && p->status == 200) {
        snprintf(number, sizeof number, "%llu", (unsigned long long)p->last_number);
        evhttp_add_header(evhttp_request_get_output_headers(req), p->repeated ? "Saqshy-Repeated" : "Saqshy-Stored", number);
    }
    reply(in->http, req, p->status, p->reason);
}

/* coding_of - -1 for an encoding we do not know. */
static int coding_of(const char *name)
{
    if (!name || !*name || strcasecmp(name, "identity") == 0)
        return CODING_NONE;
    if (strcasecmp(name, "gzip") == 0)
        return CODING_GZIP;
    return strcasecmp(name, "zstd") == 0 ? CODING_ZSTD : -1;
}

/* client - who asks, by certificate; their address. */
static int client(struct evhttp_request *req, struct pile *p, struct err *e)
{
    struct evhttp_connection *c = evhttp_request_get_connection(req);
    struct bufferevent *bev = c ? evhttp_connection_get_bufferevent(c) : NULL;
    SSL *ssl = bev ? bufferevent_openssl_get_ssl(bev) : NULL;
    char name[PKI_NAME_MAX + 1], *address = NULL;
    uint16_t port;
    int rc = ssl ? pki_peer_name(ssl, name, e) : err_set(e, -EACCES, "there is no secure connection");

    if (rc < 0)
        return rc;
    snprintf(p->agent_text, sizeof p->agent_text, "%s", name);
    p->agent = str_c(p->agent_text);
    evhttp_connection_get_peer(c, &address, &port);
    snprintf(p->peer, sizeof p->peer, "%s", address ? address : "");
    return 0;
}

/* take_headers - everything the worker must know; 0, or the status of a refusal. */
static int take_headers(struct evhttp_request *req, struct pile *p, struct err *e)
{
    struct evkeyvalq *in = evhttp_request_get_input_headers(req);
    const char *type = evhttp_find_header(in, "Content-Type");
    const char *number = evhttp_find_header(in, "Saqshy-Batch");
    int coding = coding_of(evhttp_find_header(in, "Content-Encoding"));

    if (client(req, p, e) < 0)
        return 403;
    if (!type || strncasecmp(type, "application/x-protobuf", 22) != 0) {
        err_set(e, -EINVAL, "Content-Type must be application/x-protobuf");
        return 415;
    }
    if (coding < 0) {
        err_set(e, -EINVAL, "Content-Encoding must be gzip, zstd or identity");
        return 415;
    }
    p->coding = (enum coding)coding;
    p->numbered = number != NULL;
    if (number && (!str_u64(str_c(number), &p->number) || p->number == 0)) {
        err_set(e, -EINVAL, "Saqshy-Batch must be a number above 0");
        return 400;
    }
    return 0;
}

static void on_logs(struct evhttp_request *req, void *arg)
{
    struct http *h = arg;
    struct ingest *in = h->in;
    struct evbuffer *body = evhttp_request_get_input_buffer(req);
    size_t n = evbuffer_get_length(body);
    struct err e = { 0 };
    struct pile *p;
    char *to;
    int status;

    if (evhttp_request_get_command(req) != EVHTTP_REQ_POST) {
        reply(h, req, 405, "POST is expected");
        return;
    }
    if (in->stopping || hub_weight(&in->hub) > QUEUE_BYTES_MAX || hub_disk_full(&in->hub)) {
        reply(h, req, 503, in->stopping ? "stopping" : "busy, come again");
        return;
    }
    p = pile_new();
    to = p && n ? buf_room(&p->bytes, n) : NULL;
    if (!p || (n && !to)) {
        pile_free(&p);
        reply(h, req, 503, "no memory, come again");
        return;
    }
    status = take_headers(req, p, &e);
    if (status) {
        pile_free(&p);
        reply(h, req, status, e.text);
        return;
    }
    if (n)
        p->bytes.n = (size_t)max_size(0, (size_t)evbuffer_remove(body, to, n));
    p->request = true;
    p->http = req;
    p->received = clock_now();
    in->requests++;
    hub_put(&in->hub, p);
}

static void on_other(struct evhttp_request *req, void *arg)
{
    reply(arg, req, 404, "there is only /v1/logs here");
}

uint16_t http_port(const struct http *h)
{
    struct sockaddr_storage ss;
    socklen_t n = sizeof ss;
    char text[PEER_TEXT_MAX];
    uint16_t port = 0;

    if (h && getsockname(evhttp_bound_socket_get_fd(h->bound), (struct sockaddr *)&ss, &n) == 0)
        ingest_address_text((struct sockaddr *)&ss, text, &port);
    return port;
}

int http_open(struct ingest *in, const char *address, struct http **out, struct err *e)
{
    char folder[4096], host[PEER_TEXT_MAX];
    struct sockaddr_storage ss;
    uint16_t port;
    int n, rc = ingest_address(address, &ss, &n, e);
    struct http *h = rc < 0 ? NULL : calloc(1, sizeof *h);

    if (!h)
        return rc < 0 ? rc : err_set(e, -ENOMEM, "no memory for the OTLP listener");
    h->in = in;
    rc = crowd_open(in->base, &in->crowd, e);
    if (rc < 0) {
        http_close(&h);
        return rc;
    }
    ingest_address_text((struct sockaddr *)&ss, host, &port);
    snprintf(folder, sizeof folder, "%s/pki", in->options->data);
    rc = pki_server_context(folder, true, &h->tls, e);
    if (rc < 0) {
        http_close(&h);
        return err_wrap(e, rc, "OTLP listener");
    }
    h->server = evhttp_new(in->base);
    if (!h->server) {
        http_close(&h);
        return err_set(e, -ENOMEM, "no memory for the OTLP listener");
    }
    evhttp_set_bevcb(h->server, make_connection, h);
    evhttp_set_max_headers_size(h->server, HEADERS_MAX);
    evhttp_set_max_body_size(h->server, BODY_WIRE_MAX);
    evhttp_set_timeout(h->server, IDLE_S);
    evhttp_set_allowed_methods(h->server, EVHTTP_REQ_POST | EVHTTP_REQ_GET);
    evhttp_set_cb(h->server, "/v1/logs", on_logs, h);
    evhttp_set_gencb(h->server, on_other, h);
    h->bound = evhttp_bind_socket_with_handle(h->server, host, port);
    if (!h->bound) {
        rc = err_sys(e, "could not listen for OTLP on %s", address);
        http_close(&h);
        return rc < 0 ? rc : -EIO;
    }
    crowd_watch(in->crowd, evhttp_bound_socket_get_listener(h->bound));
    *out = h;
    return 0;
}

void http_stop_accepting(struct http *h)
{
    if (!h || !h->bound)
        return;
    crowd_close(h->in->crowd);
    evhttp_del_accept_socket(h->server, h->bound);
    h->bound = NULL;
}

void http_close(struct http **h)
{
    if (!*h)
        return;
    crowd_close((*h)->in->crowd);
    if ((*h)->server)
        evhttp_free((*h)->server);
    pki_context_free(&(*h)->tls);
    free(*h);
    *h = NULL;
}
