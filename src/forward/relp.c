/* relp.c - the client's side of RELP, with and without TLS: many lines on their way, and the place moves with each answer.
 *
 *      ring:   head (oldest without an answer) …… tail (sent next)     at most window_events; ring[place & mask] has the seq behind which the
 *              cursor may stand once everything before is answered. Answers may come in any order: an entry is marked, the head moves over marked ones.
 *
 * After a broken connection everything without an answer is sent again: the other side may have stored it and not said so, so RELP delivers at least once. */
#include "forward/internal.h"
#include "forward/relp_answer.h"

#include <poll.h>

#define TXNR_MAX    999999999u
#define OUT_BYTES   (256u * KIB)  /* of lines, in one call of the kernel */
#define READ_BYTES  (32u * KIB)
#define LINE_BYTES  (4u * MIB)    /* a line and its fields, with room to spare */
#define FRAME_BYTES (2 * DECIMAL_MAX + sizeof " syslog  \n")   /* of a frame, beside its line */

struct sent {
    uint64_t next_seq;
    uint32_t bytes;
    bool     answered;
};
enum until { WRITTEN, ROOM, ALL };

struct relp {
    struct line_form     form;
    struct wire         *conn;
    struct answer_reader reader;
    struct buf           out, line;
    size_t               at;               /* of out, written so far */
    struct sent         *ring;
    size_t               mask;             /* of the ring, whose size is a power of two */
    uint64_t             head, tail;       /* places */
    uint32_t             txnr, head_txnr;  /* those of tail and head */
    bool                 opened, closing;
    time_ns              moved_at;         /* when something was written or answered */
};

static int check(const struct upstream_conf *c, const char *file, struct err *e)
{
    struct line_form form;

    return line_form_take(c, file, &form, e);
}

static uint32_t after(uint32_t txnr) { return txnr == TXNR_MAX ? 1 : txnr + 1; }

static int open_relp(struct upstream *u, struct err *e)
{
    struct relp *s = calloc(1, sizeof *s);
    int rc = s ? line_form_take(u->conf, NULL, &s->form, e) : err_set(e, -ENOMEM, "no memory for an upstream");

    if (rc < 0) {
        free(s);
        return rc;
    }
    for (s->mask = 1; s->mask < (size_t)u->conf->limits.window_events; s->mask = s->mask * 2 + 1)
        ;
    buf_init(&s->out, 2 * LINE_BYTES);
    buf_init(&s->line, LINE_BYTES);
    u->state = s;
    return 0;
}

static void disconnect_relp(struct upstream *u)
{
    struct relp *s = u->state;

    if (!s)
        return;
    wire_close(&s->conn);
    buf_free(&s->out);
    buf_free(&s->line);
    buf_init(&s->out, 2 * LINE_BYTES);
    buf_init(&s->line, LINE_BYTES);
    free(s->ring);
    s->ring = NULL;
    s->at = s->head = s->tail = 0;
    s->opened = s->closing = false;
}

static void close_relp(struct upstream *u)
{
    disconnect_relp(u);
    free(u->state);
    u->state = NULL;
}

/* pop - the place moves over whatever is answered. */
static void pop(struct upstream *u)
{
    struct relp *s = u->state;
    uint64_t next = 0, events = 0, bytes = 0;

    for (; s->head < s->tail && s->ring[s->head & s->mask].answered; s->head++, events++) {
        next = s->ring[s->head & s->mask].next_seq;
        bytes += s->ring[s->head & s->mask].bytes;
        s->head_txnr = after(s->head_txnr);
    }
    if (events)
        upstream_acked(u, next, events, bytes);
}

/* take_answer - 1: a line was answered. */
static int take_answer(struct upstream *u, const struct relp_answer *a, struct err *e)
{
    struct relp *s = u->state;
    int code = answer_code(a->text);
    size_t at;

    if (a->txnr == 0)
        return str_eq(a->command, STR("serverclose")) ? err_set(e, -ECONNRESET, "\"%s\" closed the session", u->conf->address) : 0;
    if (!str_eq(a->command, STR("rsp")))
        return err_set(e, -EBADMSG, "\"%s\" sent \"%.*s\" where an answer is due", u->conf->address, STR_ARG(a->command));
    if (code != 200)
        return err_set(e, -EIO, "\"%s\" refuses %s: %.*s", u->conf->address, s->opened ? "a line" : "the session", STR_ARG(a->text));
    if (!s->opened) {
        s->opened = true;
        return 0;
    }
    at = a->txnr >= s->head_txnr ? a->txnr - s->head_txnr : a->txnr + TXNR_MAX - s->head_txnr;
    if (at >= s->tail - s->head)
        return err_set(e, -EBADMSG, "\"%s\" answers a line that was not sent", u->conf->address);
    s->ring[(s->head + at) & s->mask].answered = true;
    return 1;
}

static int read_answers(struct upstream *u, struct err *e)
{
    struct relp *s = u->state;
    char bytes[READ_BYTES];
    ssize_t n;

    do {
        struct str rest;
        struct relp_answer a;
        bool moved = false;
        int rc;

        n = wire_read(s->conn, bytes, sizeof bytes, e);
        if (n <= 0)
            return (int)n;
        rest = str_of(bytes, (size_t)n);
        while ((rc = answer_take(&s->reader, &rest, &a, e)) == 1) {
            rc = take_answer(u, &a, e);
            if (rc < 0)
                break;
            moved = moved || rc == 1;
        }
        if (moved)
            s->moved_at = clock_steady();
        pop(u);
        if (rc < 0)
            return rc;
    } while (n == (ssize_t)sizeof bytes);
    return 0;
}

/* has_room - one more line may be on its way. */
static bool has_room(const struct upstream *u)
{
    const struct relp *s = u->state;

    return s->tail - s->head < (uint64_t)u->conf->limits.window_events;
}

static bool reached(const struct upstream *u, enum until what)
{
    const struct relp *s = u->state;
    bool written = s->at == s->out.n;

    return what == WRITTEN ? written : what == ROOM ? has_room(u) : written && s->head == s->tail && s->opened;
}

/* pump - write and read until it is so: 0; 1 after wait_ms. */
static int pump(struct upstream *u, enum until what, int wait_ms, struct err *e)
{
    struct relp *s = u->state;
    time_ns end = clock_steady() + wait_ms * NS_PER_MS;

    for (;;) {
        ssize_t n = wire_write(s->conn, s->out.p + s->at, s->out.n - s->at, e);
        time_ns now = clock_steady();
        int rc = n < 0 ? (int)n : read_answers(u, e);

        if (rc < 0)
            return rc;
        if (n > 0 || (s->head == s->tail && s->opened))
            s->moved_at = now;
        s->at += (size_t)n;
        if (s->at == s->out.n) {
            buf_reset(&s->out);
            s->at = 0;
        }
        if (reached(u, what))
            return 0;
        if (now - s->moved_at > u->conf->limits.timeout_s * NS_PER_SECOND)
            return err_set(e, -ETIMEDOUT, "no answer from \"%s\", %lld s long", u->conf->address, (long long)u->conf->limits.timeout_s);
        if (now >= end)
            return 1;
        if (n > 0)
            continue;
        if (wire_wait(s->conn, s->at < s->out.n, (int)((end - now) / NS_PER_MS) + 1) == -EINTR)
            return err_set(e, -EINTR, "stopping");
    }
}

static int connect_relp(struct upstream *u, struct err *e)
{
    static const struct str offers = STR_INIT("relp_version=0\nrelp_software=saqshy,0.1,https://saqshy.kz\ncommands=syslog");
    struct relp *s = u->state;
    int rc = wire_open(u, &s->conn, e);

    if (rc < 0)
        return rc;
    s->ring = calloc(s->mask + 1, sizeof *s->ring);
    if (!s->ring)
        return err_set(e, -ENOMEM, "no memory for a window of %lld events", (long long)u->conf->limits.window_events);
    s->reader = (struct answer_reader){ 0 };
    s->txnr = s->head_txnr = 2;
    s->moved_at = clock_steady();
    buf_printf(&s->out, "1 open %zu %.*s\n", offers.n, STR_ARG(offers));
    do
        rc = pump(u, ALL, 1000, e);
    while (rc == 1);
    return rc;
}

/* put_frame - "TXNR syslog LENGTH LINE\n". */
static void put_frame(struct buf *out, uint32_t txnr, struct str line)
{
    char *to = buf_room(out, FRAME_BYTES + line.n);

    if (!to)
        return;
    to = decimal_put(to, txnr);
    memcpy(to, " syslog ", 8);
    to = decimal_put(to + 8, line.n);
    *to++ = ' ';
    if (line.n)
        memcpy(to, line.p, line.n);
    to[line.n] = '\n';
    out->n = (size_t)(to + line.n + 1 - out->p);
}

static bool wants_relp(const struct upstream *u, struct str field)
{
    const struct relp *s = u->state;

    return line_wants(&s->form, field);
}

static int send_relp(struct upstream *u, const struct event *events, size_t count, uint64_t next_seq, struct err *e)
{
    struct relp *s = u->state;
    int rc = 0;

    for (size_t i = 0; rc == 0 && i < count; i++) {
        uint64_t next = i + 1 < count ? events[i].seq + 1 : next_seq;
        struct str line;

        while (rc == 0 && !has_room(u))
            rc = pump(u, ROOM, 1000, e) < 0 ? -EIO : 0;
        if (rc < 0)
            return rc;
        line = line_of(&s->form, &events[i], &s->line);
        put_frame(&s->out, s->txnr, line);
        if (buf_failed(&s->line) || buf_failed(&s->out))
            return err_set(e, -ENOMEM, "no memory for lines");
        s->ring[s->tail++ & s->mask] = (struct sent){ next, (uint32_t)line.n, false };
        s->txnr = after(s->txnr);
        if (s->out.n - s->at >= OUT_BYTES)
            rc = pump(u, WRITTEN, 1000, e);
        while (rc == 1)
            rc = pump(u, WRITTEN, 1000, e);
    }
    return rc;
}

static int settle_relp(struct upstream *u, int wait_ms, struct err *e)
{
    struct relp *s = u->state;
    int rc = s->closing ? 0 : pump(u, ALL, wait_ms, e);

    if (rc == 0 && !s->closing && upstream_stopping(u)) {    /* the last word, so that the other side sees no broken session */
        s->closing = true;
        buf_printf(&s->out, "%u close 0\n", s->txnr);
        s->txnr = after(s->txnr);
        rc = pump(u, WRITTEN, 100, e) < 0 ? -EIO : 0;
    }
    return rc;
}

#define RELP_MEMBERS                                                                                                      \
    .check = check, .open = open_relp, .connect = connect_relp, .wants = wants_relp, .send = send_relp,                   \
    .settle = settle_relp, .disconnect = disconnect_relp, .close = close_relp

const struct upstream_kind relp_upstream = { .type = UPSTREAM_relp, RELP_MEMBERS };
const struct upstream_kind relp_tls_upstream = { .type = UPSTREAM_relp_tls, RELP_MEMBERS };
