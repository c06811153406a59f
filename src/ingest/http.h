/* http.h - listeners over HTTP: one server, and the routes of each kind.
 *
 * Owns      a server owns its socket, its connections and its TLS context.
 * Promises  1. A body is taken by the loop and decoded, stored and answered through the worker: 200 comes after the commit.
 *           2. While the role is busy, stopping, or without space, a request with a body is answered 503 with Retry-After.
 *           3. What a route refuses is answered in the form of its kind, at once; nothing of it is kept.
 *           4. Bounded: HTTP_HEADERS_MAX of headers, BODY_WIRE_MAX of body; connections and handshakes as stream.h (crowd.c).
 *           5. The request of a client that has gone is stored all the same; its answer is thrown away.
 * Threads   loop only.
 * Units     bytes. */
#ifndef SAQSHY_INGEST_HTTP_H
#define SAQSHY_INGEST_HTTP_H

#include "ingest/internal.h"
#include "ingest/record.h"

#define HTTP_HEADERS_MAX (16 * KIB)

enum http_method { HTTP_GET = 1, HTTP_POST = 2, HTTP_HEAD = 4, HTTP_PUT = 8, HTTP_OPTIONS = 16 };

/* A request as routes see it. */
struct http_ask {
    const struct listener *listener;
    enum http_method       method;
    struct str             path, query;      /* query without '?' ; empty if there is none */
    const char            *peer;
    const char            *client;           /* name of the verified client certificate, "" without one */
    struct evhttp_request *request;          /* for http_header alone */
};
/* http_header - NULL if it is not there. */
const char *http_header(const struct http_ask *a, const char *name);

/* An answer that is built: status, body, type, and headers. */
struct http_answer {
    int         status;
    const char *reason;          /* of a refusal: a sentence */
    const char *type;            /* Content-Type */
    struct buf *body;
    struct evhttp_request *request;
};
void http_answer_header(struct http_answer *a, const char *name, const char *value);

struct http_route {
    unsigned    methods;
    const char *path;            /* whole; or its beginning, if it ends in '*' */
    /* admit - look at the headers, fill p (coding is filled already; agent if there is a certificate). 0 to take the body, or the status of a
     * refusal with its reason in *e. NULL: taken. */
    int (*admit)(const struct http_ask *a, struct pile *p, struct err *e);
    const struct body_decoder *decoder;
    /* at_once - answered by the loop without the worker. Instead of a decoder. */
    void (*at_once)(const struct http_ask *a, struct http_answer *out);
    const char *coding;          /* a Content-Encoding that the decoder undoes itself; NULL: none */
};

struct http_service {
    const char              *title;          /* in messages: "OTLP" */
    const struct http_route *routes;
    size_t                   count;
    /* form - the body, type and further headers of an answer; p is NULL when the loop refuses. A body that the decoder wrote is there already. */
    void (*form)(struct http_answer *a, const struct pile *p);
};

MUST_USE int http_open(struct ingest *in, const struct listener_kind *kind, const struct http_service *s, const struct listen_conf *c,
                       struct listener **out, struct err *e);
/* The other members of a kind over HTTP. */
int      http_change(struct listener *l, const struct listen_conf *c, struct err *e);
void     http_tick(struct listener *l);
void     http_stop_accepting(struct listener *l);
bool     http_busy(const struct listener *l);
void     http_close(struct listener *l);
uint16_t http_port(const struct listener *l);
#define HTTP_MEMBERS                                                                                                           \
    .change = http_change, .tick = http_tick, .stop_accepting = http_stop_accepting, .busy = http_busy, .close = http_close, .port = http_port

#endif
