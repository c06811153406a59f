/* kafka.c - to a topic of Kafka: an idempotent producer, acknowledged by all replicas that are in sync.
 *
 * Every message has a place in a ring, in the order of the journal. Reports of delivery come in any order between partitions; the head of the ring goes on over
 * what is delivered, and with it the place in the journal. A report of failure ends the connection: the library's own attempts have been made by then, and
 * the journal gives the events again. So the broker may get the events of one window twice, and never lacks one.
 *
 *      head              tail
 *       | x . x x . . .   |      ring[place % cap]: x delivered, with the number to acknowledge once all before it are */
#include "forward/internal.h"
#include "base/log.h"
#include "kafka/kafka.h"

#define QUEUE_KBYTES   "65536"
#define SLICE_MS       200
#define FULL_TRIES     3000          /* of SLICE_MS / 20: then something is wrong */
#define BODY_MAX       (16u * MIB)   /* of one message, before the library judges it */
#define PORTS_TEXT_MAX 256

struct place {
    uint64_t next_seq, seq;
    uint32_t bytes;
    bool     delivered, refused;
};

struct producer {
    rd_kafka_t       *rk;
    rd_kafka_queue_t *queue;
    struct place     *ring;
    size_t            cap;
    uint64_t          head, tail;
    struct buf        body;
    bool              original;
    const char       *key;           /* "source", "object", "none" */
    bool              failed;
    char              error[ERR_TEXT_MAX / 2];
};

static const char *const names[] = { "topic", "format", "key", "compression", "ports", "max_message_bytes", "sasl", "user", "password_file", NULL };

static const char *option(const struct upstream_conf *c, const char *name, const char *otherwise)
{
    const char *s = upstream_option(c, name);

    return s && *s ? s : otherwise;
}

static struct kafka_access access_of(const struct upstream_conf *c)
{
    return (struct kafka_access){ .brokers = c->address, .tls = c->tls, .certificate = c->certificate, .key = c->key, .authority = c->authority,
                                  .sasl = option(c, "sasl", ""), .user = option(c, "user", ""), .password_file = option(c, "password_file", ""),
                                  .client = "saqshy-forward" };
}

static bool one_of(const char *s, const char *const *words)
{
    while (*words && strcmp(s, *words) != 0)
        words++;
    return *words != NULL;
}

static int check(const struct upstream_conf *c, const char *file, struct err *e)
{
    static const char *const formats[] = { "json", "original", NULL }, *const keys[] = { "source", "object", "none", NULL };
    static const char *const compressions[] = { "zstd", "lz4", "gzip", "snappy", "none", NULL };
    struct kafka_access a = access_of(c);
    struct str rest = str_c(c->address), one;
    char host[UPSTREAM_HOST_MAX + 1], broker[UPSTREAM_HOST_MAX + 16];
    struct err why;
    uint16_t port;
    uint64_t n;
    int rc = upstream_only(c, file, names, e);

    if (rc < 0)
        return rc;
    if (!*option(c, "topic", "") || strlen(option(c, "topic", "")) > KAFKA_TOPIC_MAX)
        return upstream_bad(c, file, "topic", e, "\"topic\" is needed: the name of one topic");
    if (!one_of(option(c, "format", "json"), formats))
        return upstream_bad(c, file, "format", e, "\"format\" must be json or original");
    if (!one_of(option(c, "key", "source"), keys))
        return upstream_bad(c, file, "key", e, "\"key\" must be source, object or none");
    if (!one_of(option(c, "compression", "zstd"), compressions))
        return upstream_bad(c, file, "compression", e, "\"compression\" must be zstd, lz4, gzip, snappy or none");
    if (!str_u64(str_c(option(c, "max_message_bytes", "1000000")), &n) || n < 1000 || n > 100000000)
        return upstream_bad(c, file, "max_message_bytes", e, "\"max_message_bytes\" must be a whole number from 1000 to 100000000");
    while (str_split(&rest, ',', &one)) {
        snprintf(broker, sizeof broker, "%.*s", STR_ARG(str_trim(one)));
        if (!upstream_host(broker, host, &port))
            return upstream_bad(c, file, NULL, e, "\"address\" must be brokers with their ports, as kafka-1.example.kz:9092, kafka-2.example.kz:9092");
    }
    rest = str_c(option(c, "ports", ""));
    while (str_split(&rest, ' ', &one))
        if (one.n && (!str_u64(one, &n) || n < 1 || n > 65535))
            return upstream_bad(c, file, "ports", e, "\"ports\" must be ports with blanks between them");
    return kafka_access_check(&a, &why) < 0 ? upstream_bad(c, file, "sasl", e, "%s", why.text) : 0;
}

static void rights(const struct upstream_conf *c, const struct upstream_rights *r)
{
    struct str rest = str_c(c->address), one;
    char host[UPSTREAM_HOST_MAX + 1], broker[UPSTREAM_HOST_MAX + 16];
    uint16_t port;
    uint64_t n;

    while (str_split(&rest, ',', &one)) {
        snprintf(broker, sizeof broker, "%.*s", STR_ARG(str_trim(one)));
        if (upstream_host(broker, host, &port))
            r->connect(r->arg, port);
    }
    rest = str_c(option(c, "ports", ""));
    while (str_split(&rest, ' ', &one))
        if (str_u64(one, &n))
            r->connect(r->arg, (uint16_t)n);
    if (*option(c, "password_file", ""))
        r->read(r->arg, option(c, "password_file", ""));
}

static int open_kafka(struct upstream *u, struct err *e)
{
    struct producer *p = calloc(1, sizeof *p);

    if (p)
        p->cap = (size_t)u->conf->limits.window_events + UPSTREAM_PORTION;
    if (p)
        p->ring = calloc(p->cap, sizeof *p->ring);
    if (!p || !p->ring) {
        free(p);
        return err_set(e, -ENOMEM, "no memory for an upstream");
    }
    buf_init(&p->body, BODY_MAX);
    p->original = strcmp(option(u->conf, "format", "json"), "original") == 0;
    p->key = option(u->conf, "key", "source");
    u->state = p;
    return 0;
}

static void disconnect_kafka(struct upstream *u)
{
    struct producer *p = u->state;

    if (!p)
        return;
    if (p->rk)
        rd_kafka_purge(p->rk, RD_KAFKA_PURGE_F_QUEUE | RD_KAFKA_PURGE_F_INFLIGHT | RD_KAFKA_PURGE_F_NON_BLOCKING);
    if (p->queue)
        rd_kafka_queue_destroy(p->queue);
    if (p->rk)
        rd_kafka_destroy(p->rk);
    p->queue = NULL;
    p->rk = NULL;
    p->head = p->tail = 0;
    p->failed = false;
    p->error[0] = 0;
}

static void close_kafka(struct upstream *u)
{
    struct producer *p = u->state;

    disconnect_kafka(u);
    free(p->ring);
    buf_free(&p->body);
    free(p);
    u->state = NULL;
}

/* --- what the library says --- */

static void on_report(struct upstream *u, struct producer *p, const rd_kafka_message_t *m)
{
    struct place *at = &p->ring[(size_t)(uintptr_t)m->_private % p->cap];
    struct event unknown = { .seq = at->seq };

    if (m->err == RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE || m->err == RD_KAFKA_RESP_ERR_INVALID_MSG_SIZE) {
        upstream_refuse(u, &unknown, "it is larger than the broker takes");
        at->refused = true;
    } else if (m->err) {
        p->failed = true;
        if (!p->error[0])
            snprintf(p->error, sizeof p->error, "%s", rd_kafka_err2str(m->err));
        return;
    }
    at->delivered = true;
}

static void on_event(struct upstream *u, struct producer *p, rd_kafka_event_t *ev)
{
    const rd_kafka_message_t *m;

    switch (rd_kafka_event_type(ev)) {
    case RD_KAFKA_EVENT_DR:
        while ((m = rd_kafka_event_message_next(ev)) != NULL)
            on_report(u, p, m);
        break;
    case RD_KAFKA_EVENT_ERROR:
        if (rd_kafka_event_error(ev) == RD_KAFKA_RESP_ERR__FATAL)
            p->failed = true;
        snprintf(p->error, sizeof p->error, "%s", rd_kafka_event_error_string(ev));
        break;
    default: break;
    }
    rd_kafka_event_destroy(ev);
}

/* go_on - the head of the ring over what is delivered. */
static void go_on(struct upstream *u, struct producer *p)
{
    uint64_t events = 0, bytes = 0, next = 0;

    while (p->head < p->tail && p->ring[p->head % p->cap].delivered) {
        const struct place *at = &p->ring[p->head++ % p->cap];

        events += !at->refused;
        bytes += at->refused ? 0 : at->bytes;
        next = at->next_seq;
    }
    if (next)
        upstream_acked(u, next, events, bytes);
}

static int serve(struct upstream *u, int wait_ms, struct err *e)
{
    struct producer *p = u->state;
    rd_kafka_event_t *ev = rd_kafka_queue_poll(p->queue, wait_ms);

    for (; ev; ev = rd_kafka_queue_poll(p->queue, 0))
        on_event(u, p, ev);
    go_on(u, p);
    return p->failed ? err_set(e, -EIO, "\"%s\": %s", u->conf->address, p->error) : 0;
}

/* --- the life of a connection --- */

static int make_producer(struct upstream *u, struct err *e)
{
    struct producer *p = u->state;
    const struct kafka_access a = access_of(u->conf);
    char timeout[24], window[24], why[ERR_TEXT_MAX / 2] = "";
    const char *const pairs[][2] = {
        { "enable.idempotence", "true" },
        { "acks", "all" },
        { "message.timeout.ms", timeout },
        { "queue.buffering.max.messages", window },
        { "queue.buffering.max.kbytes", QUEUE_KBYTES },
        { "linger.ms", "20" },
        { "compression.codec", option(u->conf, "compression", "zstd") },
        { "message.max.bytes", option(u->conf, "max_message_bytes", "1000000") },
    };
    rd_kafka_conf_t *conf = NULL;
    int rc = kafka_conf_new(&a, &conf, e);

    snprintf(timeout, sizeof timeout, "%lld", (long long)u->conf->limits.timeout_s * 1000);
    snprintf(window, sizeof window, "%zu", p->cap);
    for (size_t i = 0; rc == 0 && i < COUNT(pairs); i++)
        rc = kafka_set(conf, pairs[i][0], pairs[i][1], e);
    if (rc == 0) {
        rd_kafka_conf_set_events(conf, RD_KAFKA_EVENT_DR | RD_KAFKA_EVENT_ERROR | RD_KAFKA_EVENT_LOG);
        p->rk = rd_kafka_new(RD_KAFKA_PRODUCER, conf, why, sizeof why);
        if (!p->rk)
            rc = err_set(e, -EINVAL, "cannot make a producer of Kafka: %s", why);
    }
    if (rc < 0 && conf)
        rd_kafka_conf_destroy(conf);
    return rc;
}

/* ask - whether the topic is there: the first answer of a broker. */
static int ask(struct upstream *u, struct err *e)
{
    struct producer *p = u->state;
    const char *name = option(u->conf, "topic", "");
    rd_kafka_topic_t *topic = rd_kafka_topic_new(p->rk, name, NULL);
    const struct rd_kafka_metadata *md = NULL;
    rd_kafka_resp_err_t why = topic ? RD_KAFKA_RESP_ERR__TRANSPORT : RD_KAFKA_RESP_ERR__INVALID_ARG;
    time_ns end = clock_steady() + u->conf->limits.timeout_s * NS_PER_SECOND;
    int rc = 0;

    while (topic && rc == 0 && why && clock_steady() < end) {
        why = rd_kafka_metadata(p->rk, 0, topic, &md, SLICE_MS * 5);
        if (why == 0 && md->topic_cnt == 1 && md->topics[0].err) {
            why = md->topics[0].err;
            if (why == RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART || why == RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED)
                end = 0;
        }
        if (md)
            rd_kafka_metadata_destroy(md);
        md = NULL;
        rc = serve(u, 0, e);
        if (rc == 0 && upstream_stopping(u))
            rc = err_set(e, -EINTR, "stopping");
    }
    if (topic)
        rd_kafka_topic_destroy(topic);
    if (rc < 0 || !why)
        return rc;
    return err_set(e, -EIO, "topic \"%s\" at \"%s\": %s%s%s", name, u->conf->address, rd_kafka_err2str(why), p->error[0] ? ": " : "", p->error);
}

static int connect_kafka(struct upstream *u, struct err *e)
{
    struct producer *p = u->state;
    int rc = make_producer(u, e);

    if (rc < 0)
        return rc;
    p->queue = rd_kafka_queue_get_main(p->rk);
    rd_kafka_set_log_queue(p->rk, p->queue);
    return ask(u, e);
}

static struct str key_of(const struct producer *p, const struct event *ev)
{
    if (strcmp(p->key, "none") == 0)
        return str_of(NULL, 0);
    return strcmp(p->key, "object") == 0 ? ev->object : ev->source;
}

static int send_one(struct upstream *u, const struct event *ev, uint64_t next_seq, struct err *e)
{
    struct producer *p = u->state;
    struct str key = key_of(p, ev), value = ev->original;
    rd_kafka_resp_err_t why = RD_KAFKA_RESP_ERR__QUEUE_FULL;
    int rc = 0;

    if (!p->original) {
        buf_reset(&p->body);
        event_json(ev, &p->body);
        value = buf_view(&p->body);
        if (buf_failed(&p->body)) {
            buf_free(&p->body);
            buf_init(&p->body, BODY_MAX);
            why = RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE;
        }
    }
    p->ring[p->tail % p->cap] = (struct place){ .next_seq = next_seq, .seq = ev->seq, .bytes = (uint32_t)value.n };
    for (int tries = 0; rc == 0 && why == RD_KAFKA_RESP_ERR__QUEUE_FULL && tries < FULL_TRIES; tries++) {
        why = rd_kafka_producev(p->rk, RD_KAFKA_V_TOPIC(option(u->conf, "topic", "")), RD_KAFKA_V_PARTITION(RD_KAFKA_PARTITION_UA),
                                RD_KAFKA_V_KEY((void *)(uintptr_t)key.p, key.n), RD_KAFKA_V_VALUE((void *)(uintptr_t)(value.n ? value.p : ""), value.n),
                                RD_KAFKA_V_TIMESTAMP(ev->time / NS_PER_MS), RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY),
                                RD_KAFKA_V_OPAQUE((void *)(uintptr_t)p->tail), RD_KAFKA_V_END);
        if (why == RD_KAFKA_RESP_ERR__QUEUE_FULL)
            rc = serve(u, SLICE_MS / 20, e);
        if (upstream_wait(u, -1, 0, 0) == -EINTR)
            return err_set(e, -EINTR, "stopping");
    }
    if (rc < 0)
        return rc;
    if (why && why != RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE)
        return err_set(e, -EIO, "\"%s\": %s", u->conf->address, rd_kafka_err2str(why));
    if (why) {
        upstream_refuse(u, ev, "it is larger than max_message_bytes");
        p->ring[p->tail % p->cap].delivered = p->ring[p->tail % p->cap].refused = true;
    }
    p->tail++;
    return 0;
}

static int send_kafka(struct upstream *u, const struct event *events, size_t count, uint64_t next_seq, struct err *e)
{
    struct producer *p = u->state;
    int rc = 0;

    for (size_t i = 0; rc == 0 && i < count; i++)
        rc = send_one(u, &events[i], i + 1 < count ? events[i].seq + 1 : next_seq, e);
    if (rc == 0)
        rc = serve(u, 0, e);
    return rc < 0 ? rc : p->tail - p->head >= (uint64_t)u->conf->limits.window_events;
}

static int settle_kafka(struct upstream *u, int wait_ms, struct err *e)
{
    struct producer *p = u->state;
    time_ns end = clock_steady() + wait_ms * NS_PER_MS;
    int rc = serve(u, 0, e);

    while (rc == 0 && p->head < p->tail && clock_steady() < end && upstream_wait(u, -1, 0, 0) != -EINTR)
        rc = serve(u, SLICE_MS / 20, e);
    return rc < 0 ? rc : p->head < p->tail;
}

const struct upstream_kind kafka_upstream = {
    .type = UPSTREAM_kafka, .check = check, .rights = rights, .open = open_kafka, .connect = connect_kafka, .send = send_kafka, .settle = settle_kafka,
    .disconnect = disconnect_kafka, .close = close_kafka,
};
