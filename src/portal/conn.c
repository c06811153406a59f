/* conn.c - one connection: TLS, head, body, work, answer, and again; or a stream until it ends.
 *
 *     HANDSHAKE ─► HEAD ─► BODY ─► WORK ─► SEND ─┬─► HEAD
 *                    └──────────────►┘           ├─► STREAM
 *     a refusal that leaves bytes unread:  SEND ─┴─► LINGER (read and forget, so that the answer arrives) ─► closed
 *
 * One request at a time: what a client sends ahead waits in the input buffer, bounded by its watermark. */
#include "portal/internal.h"

#include <arpa/inet.h>
#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/bufferevent_ssl.h>
#include <event2/event.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <unistd.h>

#define READ_AHEAD (HTTP_HEAD_MAX + 4u * KIB)

static void enter(struct conn *c, enum conn_state s)
{
    c->state = s;
    c->since = clock_steady();
    c->head_since = 0;
}

static void unreserve(struct conn *c)
{
    c->portal->body_bytes -= c->body_reserved;
    c->body_reserved = 0;
}

void conn_close(struct conn *c)
{
    struct portal *p = c->portal;

    if (c->prev)
        c->prev->next = c->next;
    else
        p->conns = c->next;
    if (c->next)
        c->next->prev = c->prev;
    p->conn_count--;
    metric_set(p->m.connections, (int64_t)p->conn_count);
    unreserve(c);
    if (c->stream)
        stream_end(c);
    if (c->call && c->state == CONN_WORK)
        c->call->conn = NULL; /* the worker has it; conn_answered will forget it */
    else
        call_end(&c->call);
    bufferevent_free(c->bev);
    free(c);
}

static void count_reply(struct portal *p, const struct call *call, int status)
{
    metric_add(p->m.requests[status >= 100 && status < 600 ? status / 100 : 0], 1);
    if (call)
        metric_add(p->m.micros, (clock_steady() - call->started) / 1000);
}

static void free_body(const void *data, size_t n, void *arg)
{
    (void)n;
    (void)arg;
    free((void *)(uintptr_t)data);
}

/* send_reply - head and body into the output; owned bodies are handed over, not copied. */
static void send_reply(struct conn *c, struct reply *r, bool without_body)
{
    struct evbuffer *out = bufferevent_get_output(c->bev);
    AUTO_BUF struct buf head;

    buf_init(&head, 16 * KIB);
    reply_head(r, !c->close_after, &head);
    enter(c, CONN_SEND);
    evbuffer_add(out, head.p, head.n);
    if (without_body || !r->type || r->stream)
        return;
    if (r->file > 0) {
        /* Sent piece by piece: the file is mapped, not read. */
        if (evbuffer_add_file(out, r->file, 0, r->file_bytes) < 0)
            close(r->file);
        r->file = 0;
    } else if (r->view.n) {
        evbuffer_add_reference(out, r->view.p, r->view.n, NULL, NULL);
    } else if (r->body.n) {
        evbuffer_add_reference(out, r->body.p, r->body.n, free_body, NULL);
        buf_init(&r->body, 0); /* its bytes belong to the output now */
    }
}

static void answer(struct conn *c)
{
    struct call *call = c->call;
    struct stream *s = call->reply.stream;

    c->call = NULL;
    unreserve(c);
    if (s && (call->http.method == HTTP_HEAD || !stream_admit(c->portal, s))) {
        stream_free(&call->reply.stream);
        s = NULL;
        c->close_after = true;
        if (call->http.method != HTTP_HEAD)
            call_refuse(call, 429, "too_many_requests", NULL, 0, 5);
    }
    count_reply(c->portal, call, call->reply.status);
    send_reply(c, &call->reply, call->http.method == HTTP_HEAD);
    call->reply.stream = NULL;
    call_end(&call);
    if (s)
        stream_begin(c, s);
}

void conn_answered(struct call *call)
{
    struct conn *c = call->conn;

    if (call->ended_session || call->ended_user)
        stream_end_of(call->portal, call->ended_session, call->ended_user);
    if (!c) {
        call_end(&call);
        return;
    }
    answer(c);
}

/* refuse - the loop's own refusals; after them the connection ends, because what follows cannot be trusted or is unread. */
static void refuse(struct conn *c, int status, const char *code)
{
    struct err e;

    if (!c->call && call_begin(c->portal, STR(""), &c->call, &e) < 0) {
        conn_close(c);
        return;
    }
    c->close_after = true;
    c->call->lang = lang_parse(c->call->http.header[HTTP_ACCEPT_LANGUAGE], LANG_KK);
    call_refuse(c->call, status, code, NULL, 0, status == 503 ? 1 : 0);
    answer(c);
}

static void run_job(struct job *j, unsigned worker)
{
    struct call *call = (struct call *)(void *)j;

    call->desk = call->portal->desk[worker];
    call_run(call);
    call->desk = NULL;
}

static void job_done(struct job *j)
{
    conn_answered((struct call *)(void *)j);
}

/* dispatch - the request is whole. */
static void dispatch(struct conn *c)
{
    struct call *call = c->call;

    snprintf(call->address, sizeof call->address, "%s", c->address);
    call->loopback = c->loopback;
    call->conn = c;
    call->job.run = run_job;
    call->job.done = job_done;
    enter(c, CONN_WORK);
    if (pool_submit(c->portal->pool, &call->job, call->match.route->lane) == 0)
        return;
    metric_add(c->portal->m.busy, 1);
    enter(c, CONN_SEND);
    refuse(c, 503, "unavailable");
}

/* turn_away - a refusal after which the connection goes on, if nothing is left unread. */
static void turn_away(struct conn *c, int status, const char *code)
{
    c->close_after = c->close_after || c->call->http.content_length > 0;
    c->call->lang = lang_parse(c->call->http.header[HTTP_ACCEPT_LANGUAGE], LANG_KK);
    call_refuse(c->call, status, code, NULL, 0, 0);
    answer(c);
}

/* outside_api - what is no path of the table: a file of the portal, or nothing. */
static void outside_api(struct conn *c)
{
    struct call *call = c->call;
    const struct file_entry *f = NULL;
    bool api = str_starts(call->http.path, STR("/api/")) || str_starts(call->http.path, STR("/i18n/"));
    bool get = call->http.method == HTTP_GET || call->http.method == HTTP_HEAD;

    if (call->match.allowed) {
        call->reply.allowed = call->match.allowed;
        turn_away(c, 405, "method_not_allowed");
        return;
    }
    if (!api)
        f = files_find(c->portal->files, str_eq(call->http.path, STR("/")) ? STR("/index.html") : call->http.path);
    if (!f) {
        turn_away(c, 404, "not_found");
    } else if (!get) {
        call->reply.allowed = 1u << HTTP_GET | 1u << HTTP_HEAD;
        turn_away(c, 405, "method_not_allowed");
    } else {
        c->close_after = c->close_after || call->http.content_length > 0;
        reply_file(call, f);
        answer(c);
    }
}

static bool take_body(struct conn *c);

static void begin_body(struct conn *c)
{
    size_t n = (size_t)c->call->http.content_length;

    if (n > BODIES_BYTES_MAX - c->portal->body_bytes) {
        metric_add(c->portal->m.busy, 1);
        refuse(c, 503, "unavailable");
        return;
    }
    c->body_reserved = n;
    c->portal->body_bytes += n;
    enter(c, CONN_BODY);
    bufferevent_setwatermark(c->bev, EV_READ, 0, max_size(n, READ_AHEAD));
    /* It may have come together with the head. */
    if (!take_body(c) && c->call->http.expect_continue && evbuffer_get_length(bufferevent_get_input(c->bev)) == 0)
        evbuffer_add(bufferevent_get_output(c->bev), "HTTP/1.1 100 Continue\r\n\r\n", 25);
}

/* head_read - a whole head stands in c->call->head. */
static void head_read(struct conn *c)
{
    struct call *call = c->call;
    struct err e;
    int rc = http_head(buf_view(&call->head), &call->http, &e);

    if (rc == -E2BIG && call->http.content_length > HTTP_BODY_MAX)
        refuse(c, 413, "too_large");
    else if (rc == -E2BIG)
        refuse(c, 431, "too_large");
    else if (rc == -ENOTSUP)
        refuse(c, 501, "bad_request");
    else if (rc < 0)
        refuse(c, 400, "bad_request");
    if (rc < 0)
        return;
    c->close_after = !call->http.keep_alive;
    route_find(call->http.method, call->http.path, &call->arena, &call->match);
    if (!call->match.route) {
        outside_api(c);
        return;
    }
    /* Nobody without at least something like a session makes us read a body. */
    if (!(call->match.route->roles & ROUTE_ANYBODY) && !http_cookie(call->http.header[HTTP_COOKIE], STR(SESSION_COOKIE)).n) {
        turn_away(c, 401, "unauthenticated");
        return;
    }
    if (call->http.content_length > 0)
        begin_body(c);
    else
        dispatch(c);
}

/* take_head - false when there is no whole head yet. */
static bool take_head(struct conn *c)
{
    struct evbuffer *in = bufferevent_get_input(c->bev);
    size_t have = evbuffer_get_length(in), n;
    struct evbuffer_ptr end = evbuffer_search(in, "\r\n\r\n", 4, NULL);
    struct err e;
    char *to;

    if (have && !c->head_since)
        c->head_since = clock_steady();
    n = end.pos < 0 ? have : (size_t)end.pos + 4;
    if (n > HTTP_HEAD_MAX) {
        refuse(c, 431, "too_large");
        return true;
    }
    if (end.pos < 0)
        return false;
    if (call_begin(c->portal, STR(""), &c->call, &e) < 0 || !(to = buf_room(&c->call->head, n))) {
        conn_close(c);
        return false;
    }
    evbuffer_remove(in, to, n);
    c->call->head.n = n;
    head_read(c);
    return true;
}

static bool take_body(struct conn *c)
{
    struct evbuffer *in = bufferevent_get_input(c->bev);
    size_t n = (size_t)c->call->http.content_length;
    char *to;

    if (evbuffer_get_length(in) < n)
        return false;
    to = buf_room(&c->call->content, n);
    if (!to) {
        refuse(c, 503, "unavailable");
        return true;
    }
    evbuffer_remove(in, to, n);
    c->call->content.n = n;
    bufferevent_setwatermark(c->bev, EV_READ, 0, READ_AHEAD);
    dispatch(c);
    return true;
}

static void on_read(struct bufferevent *bev, void *arg)
{
    struct conn *c = arg;
    struct evbuffer *in = bufferevent_get_input(bev);

    switch (c->state) {
    case CONN_HEAD:
        take_head(c);
        break;
    case CONN_BODY:
        take_body(c);
        break;
    case CONN_LINGER:
    case CONN_STREAM:
        evbuffer_drain(in, evbuffer_get_length(in));
        break;
    case CONN_HANDSHAKE:
    case CONN_WORK:
    case CONN_SEND:
        break; /* sent ahead: its turn comes */
    }
}

/* begin_linger - say that nothing more comes, then read and forget for a moment: closing with bytes unread would reset the
 * connection and could take the answer with it. */
static void begin_linger(struct conn *c)
{
    struct evbuffer *in = bufferevent_get_input(c->bev);

    enter(c, CONN_LINGER);
    SSL_shutdown(bufferevent_openssl_get_ssl(c->bev));
    ERR_clear_error();
    shutdown(bufferevent_getfd(c->bev), SHUT_WR);
    bufferevent_setwatermark(c->bev, EV_READ, 0, READ_AHEAD);
    evbuffer_drain(in, evbuffer_get_length(in));
}

static void on_write(struct bufferevent *bev, void *arg)
{
    struct conn *c = arg;

    if (c->state != CONN_SEND || evbuffer_get_length(bufferevent_get_output(bev)) > 0)
        return;
    if (c->close_after) {
        begin_linger(c);
        return;
    }
    enter(c, CONN_HEAD);
    if (evbuffer_get_length(bufferevent_get_input(bev)) > 0)
        take_head(c);
}

static void on_event(struct bufferevent *bev, short what, void *arg)
{
    struct conn *c = arg;

    (void)bev;
    if (what & BEV_EVENT_CONNECTED)
        enter(c, CONN_HEAD);
    else
        conn_close(c);
}

/* name_address - the peer as text; v4 in v6 is shown as v4. */
static void name_address(struct conn *c, const struct sockaddr *from)
{
    if (from->sa_family == AF_INET) {
        const struct sockaddr_in *in = (const void *)from;

        inet_ntop(AF_INET, &in->sin_addr, c->address, sizeof c->address);
        c->loopback = (ntohl(in->sin_addr.s_addr) >> 24) == 127;
    } else if (from->sa_family == AF_INET6) {
        const struct sockaddr_in6 *in6 = (const void *)from;

        inet_ntop(AF_INET6, &in6->sin6_addr, c->address, sizeof c->address);
        if (IN6_IS_ADDR_V4MAPPED(&in6->sin6_addr))
            memmove(c->address, c->address + 7, strlen(c->address + 7) + 1);
        c->loopback = IN6_IS_ADDR_LOOPBACK(&in6->sin6_addr) || strncmp(c->address, "127.", 4) == 0;
    }
}

static bool room_for(const struct portal *p, const char *address)
{
    size_t same = 0;

    for (const struct conn *c = p->conns; c; c = c->next)
        same += strcmp(c->address, address) == 0;
    return p->conn_count < CONNS_MAX && same < CONNS_PER_ADDRESS;
}

void conn_accept(struct portal *p, int fd, const struct sockaddr *from)
{
    struct conn *c = calloc(1, sizeof *c);
    SSL *ssl = NULL;
    int one = 1;

    if (c) {
        c->portal = p;
        name_address(c, from);
    }
    if (c && room_for(p, c->address))
        ssl = SSL_new(p->tls);
    if (ssl)
        c->bev = bufferevent_openssl_socket_new(p->base, fd, ssl, BUFFEREVENT_SSL_ACCEPTING,
                                                BEV_OPT_CLOSE_ON_FREE | BEV_OPT_DEFER_CALLBACKS);
    if (!c || !c->bev) {
        metric_add(p->m.refused_connections, 1);
        if (ssl)
            SSL_free(ssl);
        close(fd);
        free(c);
        return;
    }
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    bufferevent_openssl_set_allow_dirty_shutdown(c->bev, 1);
    bufferevent_setcb(c->bev, on_read, on_write, on_event, c);
    bufferevent_setwatermark(c->bev, EV_READ, 0, READ_AHEAD);
    c->id = ++p->next_conn;
    enter(c, CONN_HANDSHAKE);
    c->next = p->conns;
    if (c->next)
        c->next->prev = c;
    p->conns = c;
    p->conn_count++;
    metric_set(p->m.connections, (int64_t)p->conn_count);
    bufferevent_enable(c->bev, EV_READ | EV_WRITE);
}

/* Limits of the phases, in the order of enum conn_state. A stream's own end is in stream_beat. */
static const int64_t phase_ns[] = { HANDSHAKE_NS, IDLE_NS, BODY_NS, WORK_NS, SEND_NS, INT64_MAX, LINGER_NS };

void conn_sweep(struct portal *p, int64_t now)
{
    struct conn *next;

    for (struct conn *c = p->conns; c; c = next) {
        bool slow_head = c->state == CONN_HEAD && c->head_since && now - c->head_since > HEAD_NS;

        next = c->next;
        if (c->state == CONN_STREAM)
            stream_beat(c, now);
        else if (slow_head || now - c->since > phase_ns[c->state]) {
            if (c->state == CONN_HANDSHAKE)
                metric_add(p->m.requests[0], 1);
            conn_close(c);
        }
    }
}
