/* relp.c - syslog by RELP: each line is answered once it is in the journal, and not before.
 *
 * A connection keeps a ring of the transactions that wait for their answer, in the order they came. A line is given on with its place in
 * the ring; when the pile it travelled in is committed, everything up to that place may be answered, in one write for all of it. What must
 * not be lost is never refused by an answer (senders take any answer for the end of a line): the connection is closed instead, and the
 * sender repeats what was not answered.
 *
 *      head                settled              tail
 *       | answered next ... | not yet committed  |        ring[place & (cap - 1)]: kind and transaction number */
#include "ingest/internal.h"
#include "ingest/relp.h"
#include "ingest/stream.h"

#define VERSION_MAX    1u           /* 0 is what librelp speaks, 1 what is written */
#define WAITING_MAX    (1u << 17)   /* transactions of a connection without an answer; past it nothing is read */
#define RING_MIN       64u
#define RING_KEEP      4096u
#define SEND_BYTES     (16u * KIB)
#define ANSWER_MAX     160u         /* bytes of one answer in the ring */
#define KIND_SHIFT     30           /* a transaction number has less bits: */
static_assert(999999999u < 1u << KIND_SHIFT, "kind and number share a word");

enum kind { KIND_LINE, KIND_NOTHING, KIND_UNKNOWN, KIND_WRONG };

struct relp {
    struct stream_conn *conn;
    struct ticket      *ticket;
    struct relp_reader  reader;
    uint32_t           *ring;
    size_t              cap;                   /* a power of two */
    uint64_t            head, tail, settled;   /* places; settled: lines before it are on disk */
    bool                open;                  /* the offers were taken */
    bool                ending;                /* nothing more is taken; closed after the last answer */
    bool                over;                  /* closed, or about to be: no answer any more */
    const char         *wrong;                 /* text of KIND_WRONG */
};

static void finish(struct relp *s)
{
    s->over = true;
    stream_finish(s->conn);
}

/* bye - the last words of the server. */
static void bye(struct relp *s)
{
    if (!s->over && stream_room(s->conn) >= ANSWER_MAX)
        (void)stream_send(s->conn, STR("0 serverclose 0\n"));
    finish(s);
}

/* put_answer - "TXNR rsp LENGTH TEXT\n". Nearly all are the same few bytes, a hundred thousand a second. */
static size_t put_answer(char out[ANSWER_MAX], uint32_t txnr, const char *text)
{
    char *end;

    if (text)
        return (size_t)snprintf(out, ANSWER_MAX, "%u rsp %zu %s\n", txnr, strlen(text), text);
    end = decimal_put(out, txnr);
    memcpy(end, " rsp 6 200 OK\n", 14);
    return (size_t)(end - out) + 14;
}

static void shrink(struct relp *s)
{
    if (s->head != s->tail || s->cap <= RING_KEEP)
        return;
    free(s->ring);
    s->ring = NULL;
    s->cap = 0;
}

/* answer - whatever may be, as far as there is room; then read on, or not. */
static void answer(struct relp *s)
{
    char text[SEND_BYTES];
    bool ready = true;

    while (ready && !s->over) {
        size_t room = min_size(sizeof text, stream_room(s->conn)), n = 0;

        while ((ready = s->head < s->tail && (s->head < s->settled || s->ring[s->head & (s->cap - 1)] >> KIND_SHIFT != KIND_LINE)) &&
               n + ANSWER_MAX <= room) {
            uint32_t one = s->ring[s->head++ & (s->cap - 1)];
            uint32_t kind = one >> KIND_SHIFT;

            n += put_answer(text + n, one & ((1u << KIND_SHIFT) - 1),
                            kind == KIND_UNKNOWN ? "500 unknown command" : kind == KIND_WRONG ? s->wrong : NULL);
        }
        if (n == 0)
            break;
        if (!stream_send(s->conn, str_of(text, n)))
            s->over = true;
    }
    if (s->over)
        return;
    if (s->ending && s->head == s->tail) {
        bye(s);
        return;
    }
    stream_wait(s->conn, ready || s->ending || s->tail - s->head > WAITING_MAX);
    shrink(s);
}

/* on_stored - a pile with lines of ours, the last of them number - 1, came back. */
static void on_stored(void *owner, uint64_t number, const struct pile *p)
{
    struct relp *s = owner;

    if (s->over)
        return;
    if (p->status != 200) {   /* not stored: only a repetition helps */
        finish(s);
        return;
    }
    if (number > s->settled)
        s->settled = number;
    answer(s);
}

static bool push(struct relp *s, uint32_t txnr, enum kind kind)
{
    if (s->tail - s->head == s->cap) {
        size_t cap = s->cap ? s->cap * 2 : RING_MIN;
        uint32_t *more = malloc(cap * sizeof *more);

        if (!more) {
            finish(s);
            return false;
        }
        for (uint64_t i = s->head; i < s->tail; i++)
            more[i & (cap - 1)] = s->ring[i & (s->cap - 1)];
        free(s->ring);
        s->ring = more;
        s->cap = cap;
    }
    s->ring[s->tail++ & (s->cap - 1)] = (uint32_t)kind << KIND_SHIFT | txnr;
    return true;
}

/* refuse - the other side does not speak RELP: what it sent before is still answered, then it is closed. */
static void refuse(struct relp *s, uint32_t txnr, const char *why)
{
    stream_wrong(s->conn, why);
    s->ending = true;
    s->wrong = why;
    if (txnr)
        push(s, txnr, KIND_WRONG);
}

static void take_open(struct relp *s, const struct relp_frame *f)
{
    uint32_t version = 0;
    char text[ANSWER_MAX], frame[ANSWER_MAX + 32];
    bool syslog;
    struct err e;
    int n;

    if (s->open)
        refuse(s, f->txnr, "500 the session is open already");
    else if (relp_offers(f->data, &version, &syslog, &e) < 0)
        refuse(s, f->txnr, "500 the offer needs relp_version, a number");
    else if (!syslog)
        refuse(s, f->txnr, "500 the command syslog is not offered");
    if (s->ending)
        return;
    s->open = true;
    n = snprintf(text, sizeof text, "200 OK\nrelp_version=%u\nrelp_software=saqshy\ncommands=syslog", version < VERSION_MAX ? version : VERSION_MAX);
    n = snprintf(frame, sizeof frame, "%u rsp %d %s\n", f->txnr, n, text);
    if (!stream_send(s->conn, str_of(frame, (size_t)n)))
        s->over = true;
}

/* take_line - or a piece of one. Pieces but the last wait with the line before them, since only a whole line may be answered. */
static void take_line(struct relp *s, const struct relp_frame *f)
{
    struct str line = f->data;
    struct wire_line l;
    bool empty;

    while (f->last && line.n && (line.p[line.n - 1] == '\n' || line.p[line.n - 1] == '\r' || line.p[line.n - 1] == 0))
        line.n--;
    empty = line.n == 0;
    if (f->last && !push(s, f->txnr, empty ? KIND_NOTHING : KIND_LINE))
        return;
    if (empty && f->truncated)   /* what is left of it was its line end */
        return;
    l = (struct wire_line){ .text = line, .truncated = f->truncated, .received = stream_received(s->conn), .ticket = s->ticket, .number = s->tail };
    if (!ingest_line(stream_ingest(s->conn), stream_sender(s->conn), &l) && !empty)
        finish(s);
}

static bool take(void *arg, const struct relp_frame *f)
{
    struct relp *s = arg;
    bool syslog = str_eq(f->command, STR("syslog"));

    if (s->over || s->ending)
        return false;
    if (f->txnr == 0 && !syslog)
        return true;   /* a hint */
    if (f->txnr == 0)
        refuse(s, 0, "a line without a transaction number");
    else if (str_eq(f->command, STR("open")))
        take_open(s, f);
    else if (!s->open)
        refuse(s, f->txnr, "500 the session is not open");
    else if (syslog)
        take_line(s, f);
    else if (str_eq(f->command, STR("close")))
        s->ending = push(s, f->txnr, KIND_NOTHING);
    else
        push(s, f->txnr, KIND_UNKNOWN);
    return !s->over && !s->ending;
}

static int begin(struct stream_conn *c)
{
    struct relp *s = stream_state(c);

    s->conn = c;
    relp_init(&s->reader, (size_t)stream_listener(c)->conf.limits.record_bytes);
    s->ticket = ticket_new(s, on_stored);
    return s->ticket ? 0 : -ENOMEM;
}

static void feed(struct stream_conn *c, struct str bytes)
{
    struct relp *s = stream_state(c);
    size_t held = s->reader.held.n;

    if (s->over || s->ending)
        return;
    if (!relp_feed(&s->reader, bytes, take, s) && s->reader.wrong)
        refuse(s, 0, s->reader.wrong);
    stream_held(c, held, s->reader.held.n, &s->reader.limit_bytes);
    answer(s);
}

/* flush - the listener goes: lines that wait are answered, an unfinished frame will be sent again. */
static void flush(struct stream_conn *c)
{
    struct relp *s = stream_state(c);

    s->ending = true;
    answer(s);
}

static void drained(struct stream_conn *c)
{
    struct relp *s = stream_state(c);

    if (!s->over)
        answer(s);
}

static bool due(const struct stream_conn *c)
{
    const struct relp *s = stream_look(c);

    return !s->over && s->head < s->tail;
}

static void over(struct stream_conn *c)
{
    struct relp *s = stream_state(c);
    size_t held = s->reader.held.n;
    int64_t unanswered = 0;

    for (uint64_t i = s->head; i < s->tail; i++)
        unanswered += s->ring[i & (s->cap - 1)] >> KIND_SHIFT == KIND_LINE;
    card_add(&stream_listener(c)->card->unanswered, unanswered);
    ticket_orphan(&s->ticket);
    free(s->ring);
    relp_free(&s->reader);
    stream_held(c, held, 0, &s->reader.limit_bytes);
}

static const struct stream_protocol protocol = { "RELP", sizeof(struct relp), begin, feed, NULL, flush, over, drained, due };

static int open_plain(struct ingest *in, const struct listen_conf *c, struct listener **out, struct err *e)
{
    return stream_open(in, &relp_kind, &protocol, c, out, e);
}

static int open_tls(struct ingest *in, const struct listen_conf *c, struct listener **out, struct err *e)
{
    return stream_open(in, &relp_tls_kind, &protocol, c, out, e);
}

static void report(const struct listener *l, struct buf *json)
{
    buf_printf(json, ",\"unanswered\":%lld", (long long)card_get(&l->card->unanswered));
}

const struct listener_kind relp_kind = { .number = LISTEN_relp, .open = open_plain, .report = report, STREAM_MEMBERS };
const struct listener_kind relp_tls_kind = { .number = LISTEN_relp_tls, .open = open_tls, .report = report, STREAM_MEMBERS };
