/* syslog.c - syslog over TCP and TLS (RFC 6587, RFC 5425): messages with their length before them, or, if so wished, a line each.
 *
 * The protocol has no acknowledgement. What moves the place is that the other side's kernel acknowledged the bytes (SIOCOUTQ): a cut network
 * or a receiver that is away loses nothing; a receiver that falls with bytes in its kernel which it had not read does lose those. Where that matters,
 * RELP or OTLP is the better kind. */
#include "forward/internal.h"

#include <poll.h>

#define OUT_BYTES   (256u * KIB)    /* written at once when so much is held */
#define LINE_BYTES  (4u * MIB)      /* a line and its fields, with room to spare */
#define MARKS_MAX   256u
#define LOOK_MS     5               /* how often the kernel is asked what was acknowledged */

/* A portion on its way: done when so many bytes of the connection are delivered. */
struct mark {
    uint64_t position, next_seq, events, bytes;
};
struct syslog {
    struct line_form form;
    struct wire     *conn;
    struct buf       out, line;
    size_t           at;            /* of out, written so far */
    struct mark      held;          /* in out: its position is not known yet */
    struct mark      marks[MARKS_MAX];
    size_t           first, count;
    time_ns          moved_at;      /* when something was delivered last, or nothing was due */
    uint64_t         delivered;
};

static int check(const struct upstream_conf *c, const char *file, struct err *e)
{
    struct line_form form;

    return line_form_take(c, file, &form, e);
}

static int open_syslog(struct upstream *u, struct err *e)
{
    struct syslog *s = calloc(1, sizeof *s);
    int rc = s ? line_form_take(u->conf, NULL, &s->form, e) : err_set(e, -ENOMEM, "no memory for an upstream");

    if (rc < 0) {
        free(s);
        return rc;
    }
    buf_init(&s->line, LINE_BYTES);
    buf_init(&s->out, 2 * LINE_BYTES);
    u->state = s;
    return 0;
}

static int connect_syslog(struct upstream *u, struct err *e)
{
    struct syslog *s = u->state;

    s->moved_at = clock_steady();
    s->delivered = 0;
    return wire_open(u, &s->conn, e);
}

static void disconnect_syslog(struct upstream *u)
{
    struct syslog *s = u->state;

    if (!s)
        return;
    wire_close(&s->conn);
    buf_free(&s->out);
    buf_free(&s->line);
    buf_init(&s->line, LINE_BYTES);
    buf_init(&s->out, 2 * LINE_BYTES);
    s->at = s->first = s->count = 0;
    s->held = (struct mark){ 0 };
}

static void close_syslog(struct upstream *u)
{
    disconnect_syslog(u);
    free(u->state);
    u->state = NULL;
}

/* look - take marks that are delivered; read and forget what the other side says, which is nothing, until it closes. */
static int look(struct upstream *u, struct err *e)
{
    struct syslog *s = u->state;
    uint64_t delivered = wire_delivered(s->conn);
    char nothing[512];
    ssize_t n;

    if (delivered != s->delivered || (s->count == 0 && s->out.n == 0))
        s->moved_at = clock_steady();
    s->delivered = delivered;
    for (; s->count && s->marks[s->first].position <= delivered; s->count--) {
        const struct mark *m = &s->marks[s->first];

        upstream_acked(u, m->next_seq, m->events, m->bytes);
        s->first = (s->first + 1) % MARKS_MAX;
    }
    while ((n = wire_read(s->conn, nothing, sizeof nothing, e)) > 0)
        ;
    if (n < 0)
        return (int)n;
    if (clock_steady() - s->moved_at > u->conf->limits.timeout_s * NS_PER_SECOND)
        return err_set(e, -ETIMEDOUT, "\"%s\" takes nothing, %lld s long", u->conf->address, (long long)u->conf->limits.timeout_s);
    return 0;
}

/* flush - write what is held; its mark gets its position. */
static int flush(struct upstream *u, struct err *e)
{
    struct syslog *s = u->state;
    int rc = 0;

    while (rc == 0 && s->at < s->out.n) {
        ssize_t n = wire_write(s->conn, s->out.p + s->at, s->out.n - s->at, e);

        if (n < 0)
            return (int)n;
        s->at += (size_t)n;
        if (n == 0) {
            rc = wire_wait(s->conn, true, 1000);
            rc = rc == -EINTR ? err_set(e, -EINTR, "stopping") : look(u, e);
        }
    }
    if (rc == 0 && s->held.events) {
        s->held.position = wire_written(s->conn);
        s->marks[(s->first + s->count++) % MARKS_MAX] = s->held;
        s->held = (struct mark){ 0 };
    }
    if (rc == 0) {
        buf_reset(&s->out);
        s->at = 0;
    }
    return rc;
}

static bool wants_syslog(const struct upstream *u, struct str field)
{
    const struct syslog *s = u->state;

    return line_wants(&s->form, field);
}

static int send_syslog(struct upstream *u, const struct event *events, size_t count, uint64_t next_seq, struct err *e)
{
    struct syslog *s = u->state;

    for (size_t i = 0; i < count; i++) {
        struct str line = line_of(&s->form, &events[i], &s->line);

        if (!s->form.one_line) {
            buf_decimal(&s->out, line.n);
            buf_byte(&s->out, ' ');
        }
        buf_str(&s->out, line);
        if (s->form.one_line)
            buf_byte(&s->out, '\n');
        s->held.bytes += line.n;
        if (s->out.n >= OUT_BYTES * 4 && i + 1 < count) {   /* long lines: not all of a portion at once */
            int rc = flush(u, e);

            if (rc < 0)
                return rc;
        }
    }
    if (buf_failed(&s->out) || buf_failed(&s->line))
        return err_set(e, -ENOMEM, "no memory for messages");
    s->held.events += count;
    s->held.next_seq = next_seq;
    if (s->out.n < OUT_BYTES)
        return 0;
    return flush(u, e) < 0 ? -EIO : s->count == MARKS_MAX - 1;
}

static int settle_syslog(struct upstream *u, int wait_ms, struct err *e)
{
    struct syslog *s = u->state;
    time_ns end = clock_steady() + wait_ms * NS_PER_MS;
    int rc = flush(u, e);

    while (rc == 0) {
        rc = look(u, e);
        if (rc < 0 || s->count == 0 || clock_steady() >= end)
            break;
        rc = upstream_wait(u, -1, 0, LOOK_MS) == -EINTR ? err_set(e, -EINTR, "stopping") : 0;
    }
    return rc < 0 ? rc : s->count > 0;
}

#define SYSLOG_MEMBERS                                                                                                          \
    .check = check, .open = open_syslog, .connect = connect_syslog, .wants = wants_syslog, .send = send_syslog,                 \
    .settle = settle_syslog, .disconnect = disconnect_syslog, .close = close_syslog

const struct upstream_kind syslog_tcp_upstream = { .type = UPSTREAM_syslog_tcp, SYSLOG_MEMBERS };
const struct upstream_kind syslog_tls_upstream = { .type = UPSTREAM_syslog_tls, SYSLOG_MEMBERS };
