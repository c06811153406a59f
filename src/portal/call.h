/* call.h - one request on its way: read by the loop, answered by a worker, sent by the loop.
 *
 * Owns      struct call owns the bytes of the request, what was decoded from them, and the answer.
 * Promises  1. The order of checks is fixed: path, method, session, role, origin and CSRF token, parameters, body, handler.
 *           2. Whatever a handler returns becomes an answer of the API: JSON with a stable code and a text of the catalogue.
 *           3. A handler never sees the connection: it may be gone.
 * Threads   handed over whole: the loop, then one worker, then the loop.
 * Source    docs/openapi.yaml, schema Error. */
#ifndef SAQSHY_PORTAL_CALL_H
#define SAQSHY_PORTAL_CALL_H

#include "base/catalog.h"
#include "desk/desk.h"
#include "portal/handlers.h"
#include "portal/params.h"
#include "portal/pool.h"

#define BODY_DEPTH_MAX 16   /* the deepest schema of the API has five */

struct portal;
struct conn;
struct stream;

struct reply {
    int            status;
    const char    *type;          /* of the body; NULL: there is none */
    struct buf     body;          /* owned */
    struct str     view;          /* or borrowed until the process ends (files of the portal) */
    int            file;          /* or a file of file_bytes, owned; 0: none */
    int64_t        file_bytes;
    const char    *cache;         /* Cache-Control; NULL: no-store */
    const char    *encoding;
    char           etag[24];
    char           cookie[192];
    char           disposition[320];
    unsigned       allowed;       /* with 405: bits of methods */
    int64_t        retry_after_s; /* with 429 and 503; 0: none */
    struct stream *stream;        /* owned: the answer goes on as server-sent events */
};

struct call {
    struct job          job;      /* first: the pool knows calls by it */
    struct portal      *portal;   /* borrowed */
    struct conn        *conn;     /* loop only; NULL when the connection is gone */
    struct desk        *desk;     /* of the worker; while a handler runs */
    struct buf          head, content;
    struct http_request http;
    char                address[64];
    bool                loopback;
    struct arena        arena;
    struct route_match  match;
    struct params       params;
    json_t             *body;
    struct viewer       viewer;
    bool                signed_in;
    enum lang           lang;
    json_t             *session;  /* schema Session of the viewer; owned */
    struct reply        reply;
    int64_t             ended_session, ended_user; /* set by handlers: streams of these end; 0: none */
    struct err          err;
    int64_t             started;  /* clock_steady */
    time_ns             now;
};

MUST_USE int call_begin(struct portal *p, struct str head, struct call **out, struct err *e);
void call_end(struct call **c);

/* call_run - the checks and the handler; c->reply is complete afterwards. Never fails. */
void call_run(struct call *c);

/* --- answers --- */

/* call_json - answer with status and j (taken). */
int call_json(struct call *c, int status, json_t *j);
/* call_refuse - answer with an error of the API. field may be NULL, at 0: unknown. Returns 0: it has been answered. */
int call_refuse(struct call *c, int status, const char *code, const char *field, size_t at, int64_t retry_after_s);
/* call_refuse_query - 400 bad_query: where a search stops making sense, and what is wrong there in the language asked for. Returns 0. */
struct query_fault;
int call_refuse_query(struct call *c, const char *field, const struct query_fault *f);
/* call_fail - the same from what a module returned; for 500 the story goes to the log, not to the stranger. */
int call_fail(struct call *c, int rc);
/* call_desk - answer with what the desk said; status is that of success. r is freed. */
int call_desk(struct call *c, int rc, int status, struct desk_reply *r);

/* call_file - answer with a file as an attachment: never shown by the browser itself, whatever it is. fd is taken. */
int call_file(struct call *c, int fd, int64_t bytes, const char *type, const char *name);
/* call_attachment - the same with what the desk said of the file: r->json has size_bytes, type and name. rc is the desk's; r is freed. */
int call_attachment(struct call *c, int rc, int fd, struct desk_reply *r);

/* call_session - find who asks, and in which language. Returns 0; 1 when there is nobody and that has been answered. */
MUST_USE int call_session(struct call *c);
/* call_page - the parameters limit and before of a list. -EINVAL with the name of the wrong one. call_page_within: where a cursor is longer than
 * CURSOR_MAX bytes. */
#define CURSOR_MAX 128
MUST_USE int call_page(struct call *c, int *limit, struct str *before);
MUST_USE int call_page_within(struct call *c, size_t cursor_most, int *limit, struct str *before);
/* call_acted - after an act: letters may wait. */
void call_acted(struct call *c);

/* json_body_read - a JSON object within the limits above. -EBADMSG. */
MUST_USE int json_body_read(struct str text, json_t **out, struct err *e);
/* call_origin_ok - the Origin and Sec-Fetch-Site headers, where a browser sent them, name this site. */
bool call_origin_ok(const struct http_request *r);

#endif
