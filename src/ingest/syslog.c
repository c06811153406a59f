/* syslog.c - syslog over a stream: RFC 6587 framing over plain TCP, RFC 5425 over TLS. */
#include "ingest/internal.h"
#include "ingest/stream.h"

#define PARTIAL_MAX_NS  (30 * NS_PER_SECOND)  /* an unfinished line waits no longer for its end */

struct syslog {
    struct stream_conn *conn;
    struct framer       framer;
};

static void on_message(void *arg, struct str line, bool truncated)
{
    struct syslog *s = arg;
    struct wire_line l = { .text = line, .truncated = truncated, .received = stream_received(s->conn) };

    (void)ingest_line(stream_ingest(s->conn), stream_sender(s->conn), &l);
}

static int begin(struct stream_conn *c)
{
    struct syslog *s = stream_state(c);

    s->conn = c;
    framer_init(&s->framer);
    s->framer.limit_bytes = (size_t)stream_listener(c)->conf.limits.record_bytes;
    return 0;
}

/* pass - through the framer, with the sum of what is held kept up to date. Messages without a byte are counted and refused. */
static void pass(struct stream_conn *c, struct str bytes, bool end)
{
    struct syslog *s = stream_state(c);
    struct card *card = stream_listener(c)->card;
    uint64_t empty = s->framer.empty;
    size_t held = s->framer.held.n;

    framer_feed(&s->framer, bytes, on_message, s);
    if (end)
        framer_end(&s->framer, on_message, s);
    stream_held(c, held, s->framer.held.n, &s->framer.limit_bytes);
    if (s->framer.empty != empty) {
        card_add(&card->read, (int64_t)(s->framer.empty - empty));
        ingest_refuse(stream_ingest(c), card, REFUSED_EMPTY, (int64_t)(s->framer.empty - empty));
    }
}

static void feed(struct stream_conn *c, struct str bytes) { pass(c, bytes, false); }

static void flush(struct stream_conn *c) { pass(c, str_of(NULL, 0), true); }

static void silent(struct stream_conn *c, time_ns since)
{
    const struct syslog *s = stream_state(c);

    if (s->framer.state == FRAME_LINE && s->framer.held.n && since > PARTIAL_MAX_NS)
        flush(c);
}

static void over(struct stream_conn *c)
{
    struct syslog *s = stream_state(c);

    pass(c, str_of(NULL, 0), true);
    framer_free(&s->framer);
}

static const struct stream_protocol protocol = { "syslog", sizeof(struct syslog), begin, feed, silent, flush, over };

static int open_tcp(struct ingest *in, const struct listen_conf *c, struct listener **out, struct err *e)
{
    return stream_open(in, &syslog_tcp_kind, &protocol, c, out, e);
}

static int open_tls(struct ingest *in, const struct listen_conf *c, struct listener **out, struct err *e)
{
    return stream_open(in, &syslog_tls_kind, &protocol, c, out, e);
}

const struct listener_kind syslog_tcp_kind = { .number = LISTEN_syslog_tcp, .open = open_tcp, STREAM_MEMBERS };
const struct listener_kind syslog_tls_kind = { .number = LISTEN_syslog_tls, .open = open_tls, STREAM_MEMBERS };
