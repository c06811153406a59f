/* kafka.c - the listener kind kafka: a consumer of topics, driven by the loop through librdkafka's queue.
 *
 * Messages of a partition gather in its open pile while another of its piles is on its way to the journal; there is one on its way at a time, so
 * that an offset is never passed before those under it are on disk. After the commit the offset is given to librdkafka, which tells the broker each
 * second and when the partition leaves us. A pile that was refused (no space) stays here and is tried again: nothing is sought back.
 *
 *      librdkafka's queue ─► open pile ─► (one at a time) hub ─► journal ─► offset stored ─► broker
 *
 * When the journal does not follow, the queue is not read; when that lasts, partitions are paused, so that the group may still be served. A partition
 * that is taken from us is given up when its pile came back. */
#include "ingest/internal.h"
#include "ingest/kafka.h"
#include "base/log.h"
#include "kafka/kafka.h"

#include <event2/event.h>
#include <jansson.h>
#include <sys/eventfd.h>

#define HELD_MAX       (16u * MIB)    /* of all partitions: then no more is read */
#define ROUND_MAX      4096           /* messages, then other listeners have their turn */
#define PARTS_MAX      4096
#define TOPICS_MAX     64
#define RETRY_TICKS    2              /* seconds until a refused pile is tried again */
#define BLOCKED_TICKS  2              /* seconds until partitions are paused */
#define TOLD_NS        (5 * NS_PER_MINUTE)   /* the same trouble is told no more often */
#define CLOSE_NS       (3 * NS_PER_SECOND)   /* a group that is not told of our end in this time finds out */
#define STATS_MAX      (8u * MIB)

struct consumer;
/* A partition that is ours for now. */
struct part {
    struct part     *next;
    struct consumer *k;
    struct ticket   *ticket;
    char             topic[KAFKA_TOPIC_MAX + 1];
    int32_t          number;
    struct buf       open;             /* messages, without a head */
    size_t           open_count, flight_count;
    int64_t          open_next, flight_next;   /* offset behind the last */
    bool             flying;           /* a pile is on its way */
    struct buf       again;            /* messages that were refused, to be tried again */
    size_t           single;           /* of again: so many bytes are tried alone, one message after the other */
    int              wait_ticks;
    bool             dead;             /* what was refused could not be kept: nothing may be passed until the partition comes anew */
};

struct consumer {
    struct listener   base;
    rd_kafka_t       *rk;
    rd_kafka_queue_t *queue;
    struct event     *readable;
    int               fd;
    struct part      *parts, *last;
    size_t            part_count, held;   /* bytes of open and again */
    size_t            flights;
    bool              paused, parts_paused, revoked, stopping, closing, by_key;
    int               blocked_ticks;
    time_ns           closing_since, told;
    int64_t           brokers_up, lag, errors;
    bool              was_up, down;
    char              error[ERR_TEXT_MAX], told_text[ERR_TEXT_MAX];
};

static struct consumer *consumer_of(struct listener *l) { return (struct consumer *)(void *)l; }
static const struct consumer *look(const struct listener *l) { return (const struct consumer *)(const void *)l; }

/* trouble - on the card at once, in the log once, and again when it lasts. */
static void trouble(struct consumer *k, const char *what, const char *why)
{
    time_ns now = clock_steady();

    snprintf(k->error, sizeof k->error, "%s", why);
    if (strcmp(k->error, k->told_text) == 0 && now - k->told < TOLD_NS)
        return;
    snprintf(k->told_text, sizeof k->told_text, "%s", k->error);
    k->told = now;
    log_line(LOG_WARN, what, "saqshy.listener", k->base.conf.id, "error.message", why, NULL);
}

/* wake - the queue is looked at in the next turn of the loop. */
static void wake(struct consumer *k)
{
    uint64_t one = 1;

    if (write(k->fd, &one, sizeof one) < 0)
        return;    /* it has been told often enough */
}

/* --- partitions --- */

static void part_free(struct part *p)
{
    p->k->held -= p->open.n + p->again.n;
    ticket_orphan(&p->ticket);
    buf_free(&p->open);
    buf_free(&p->again);
    free(p);
}

static void drop_parts(struct consumer *k)
{
    for (struct part *p; (p = k->parts) != NULL;) {
        k->parts = p->next;
        part_free(p);
    }
    k->last = NULL;
    k->part_count = 0;
}

static void submit(struct part *p, struct str messages, size_t count, int64_t next);

/* message_size - of the first message of a row. */
static size_t message_size(struct str row, struct kafka_message *m)
{
    struct reader r = rd_str(row);

    kafka_read_message(&r, m);
    return rd_ok(&r) ? rd_offset(&r) : row.n;
}

/* go_on - send what is next: what was refused before, then what gathered. */
static void go_on(struct part *p)
{
    struct consumer *k = p->k;

    if (p->flying || p->dead || k->stopping || p->wait_ticks > 0)
        return;
    if (p->again.n && p->single) {
        struct kafka_message m;
        size_t n = message_size(buf_view(&p->again), &m);

        submit(p, str_of(p->again.p, n), 1, m.offset + 1);
    } else if (p->again.n) {
        submit(p, buf_view(&p->again), p->flight_count, p->flight_next);
    } else if (p->open.n) {
        submit(p, buf_view(&p->open), p->open_count, p->open_next);
    }
}

/* keep - what came back refused stays; true if it does. */
static bool keep(struct part *p, const struct pile *pile)
{
    struct reader r = rd_str(buf_view(&pile->bytes));
    struct kafka_head h;

    if (p->again.n)
        return true;    /* it is a copy of that */
    kafka_read_head(&r, &h);
    buf_str(&p->again, rd_rest(&r));
    if (buf_failed(&p->again)) {
        p->dead = true;
        trouble(p->k, "cannot keep messages that could not be stored, the partition waits for its next assignment", "no memory");
        return false;
    }
    p->k->held += p->again.n;
    return true;
}

/* passed - the first n bytes of again are dealt with. */
static void passed(struct part *p, size_t n)
{
    buf_drop(&p->again, n);
    p->k->held -= n;
    p->single = p->single > n ? p->single - n : 0;
}

static void store_offset(struct part *p, int64_t next)
{
    rd_kafka_topic_partition_list_t *one = rd_kafka_topic_partition_list_new(1);
    rd_kafka_resp_err_t why;

    rd_kafka_topic_partition_list_add(one, p->topic, p->number)->offset = next;
    why = rd_kafka_offsets_store(p->k->rk, one);
    rd_kafka_topic_partition_list_destroy(one);
    if (why)    /* not ours any more: whoever has it reads on from what was told before, and the journal knows what it has */
        p->k->errors++;
}

/* too_large - a pile of several is tried message by message; one that is refused alone is told and passed, or all behind it would wait. */
static void too_large(struct part *p, const struct pile *pile)
{
    char offset[24];

    if (p->flight_count > 1) {
        if (keep(p, pile))
            p->single = p->again.n;
        return;
    }
    if (pile->records == 0) {    /* refused before anybody counted it */
        card_add(&p->k->base.card->read, 1);
        ingest_refuse(p->k->base.in, p->k->base.card, REFUSED_TOO_LARGE, 1);
    }
    log_line(LOG_ERROR, "cannot store a message, passing it", "saqshy.listener", p->k->base.conf.id, "kafka.topic", p->topic, "kafka.offset",
             log_num(p->flight_next - 1, offset), "error.message", pile->reason, NULL);
    store_offset(p, p->flight_next);
    if (p->again.n) {
        struct kafka_message m;

        passed(p, message_size(buf_view(&p->again), &m));
    }
}

static void on_stored(void *owner, uint64_t number, const struct pile *pile)
{
    struct part *p = owner;
    struct kafka_message m;

    (void)number;
    p->flying = false;
    p->k->flights--;
    if (pile->status == 200) {
        store_offset(p, p->flight_next);
        if (p->again.n)
            passed(p, p->single ? message_size(buf_view(&p->again), &m) : p->again.n);
    } else if (pile->status == 400 || pile->status == 413) {
        too_large(p, pile);
    } else if (keep(p, pile)) {
        p->wait_ticks = RETRY_TICKS;
    }
    go_on(p);
    wake(p->k);
}

static void submit(struct part *p, struct str messages, size_t count, int64_t next)
{
    struct consumer *k = p->k;
    struct pile *pile = pile_new();
    char *cluster = rd_kafka_clusterid(k->rk, 0);
    struct kafka_head h = { .partition = p->number, .topic = str_c(p->topic), .cluster = str_c(cluster) };
    int64_t low = -1, high = -1;

    if (pile) {
        if (rd_kafka_get_watermark_offsets(k->rk, p->topic, p->number, &low, &high) != 0 || high < 0)
            high = -1;
        h.end = high >= 0 && high < next ? next : high;
        kafka_put_head(&pile->bytes, &h);
        buf_str(&pile->bytes, messages);
        pile->decoder = &kafka_decoder;
        pile->card = k->base.card->number;
        pile->received = clock_now();
        pile->record_bytes = (size_t)k->base.conf.limits.record_bytes;
        pile->relay = true;
        snprintf(pile->peer, sizeof pile->peer, "kafka/%.*s", (int)sizeof pile->peer - 8, p->topic);
        snprintf(pile->query, sizeof pile->query, "%s", k->by_key ? "key" : "");
    }
    if (cluster)
        rd_kafka_mem_free(k->rk, cluster);
    if (!pile || buf_failed(&pile->bytes)) {    /* it stays where it is */
        pile_free(&pile);
        p->wait_ticks = RETRY_TICKS;
        return;
    }
    p->flight_count = count;
    p->flight_next = next;
    if (messages.p == p->open.p) {
        k->held -= p->open.n;
        buf_free(&p->open);
        buf_init(&p->open, KAFKA_PILE_BYTES + KAFKA_VALUE_MAX + MIB);
        p->open_count = 0;
    }
    p->flying = true;
    k->flights++;
    ingest_request(k->base.in, pile, p->ticket);
}

static struct part *find_part(struct consumer *k, const char *topic, int32_t number)
{
    if (k->last && k->last->number == number && strcmp(k->last->topic, topic) == 0)
        return k->last;
    for (k->last = k->parts; k->last; k->last = k->last->next)
        if (k->last->number == number && strcmp(k->last->topic, topic) == 0)
            break;
    return k->last;
}

static void add_part(struct consumer *k, const char *topic, int32_t number)
{
    struct part *p = calloc(1, sizeof *p);

    if (p)
        p->ticket = ticket_new(p, on_stored);
    if (!p || !p->ticket) {
        free(p);
        trouble(k, "cannot take a partition", "no memory");
        return;
    }
    p->k = k;
    p->number = number;
    snprintf(p->topic, sizeof p->topic, "%s", topic);
    buf_init(&p->open, KAFKA_PILE_BYTES + KAFKA_VALUE_MAX + MIB);
    buf_init(&p->again, KAFKA_PILE_BYTES + KAFKA_VALUE_MAX + MIB);
    p->next = k->parts;
    k->parts = p;
    k->part_count++;
}

/* --- what the queue says --- */

/* give_up - a partition that was taken from us goes when no pile of it is on its way; what gathered is read again by whoever has it then. */
static void give_up(struct consumer *k)
{
    if (!k->revoked || k->flights)
        return;
    k->revoked = false;
    drop_parts(k);
    rd_kafka_assign(k->rk, NULL);
}

static void on_rebalance(struct consumer *k, rd_kafka_event_t *ev)
{
    rd_kafka_topic_partition_list_t *list = rd_kafka_event_topic_partition_list(ev);

    if (rd_kafka_event_error(ev) != RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS) {
        k->revoked = true;
        give_up(k);
        return;
    }
    drop_parts(k);
    for (int i = 0; i < list->cnt && i < PARTS_MAX; i++)
        add_part(k, list->elems[i].topic, list->elems[i].partition);
    k->parts_paused = false;
    rd_kafka_assign(k->rk, list);
}

static void take_message(struct consumer *k, const rd_kafka_message_t *msg)
{
    struct part *p = find_part(k, rd_kafka_topic_name(msg->rkt), msg->partition);
    struct kafka_message m = { .offset = msg->offset, .key = str_of(msg->key, min_size(msg->key_len, KAFKA_KEY_MAX)),
                               .value = str_of(msg->payload, min_size(msg->len, KAFKA_VALUE_MAX)), .cut = msg->len > KAFKA_VALUE_MAX };
    rd_kafka_timestamp_type_t type;
    int64_t ms = rd_kafka_message_timestamp(msg, &type);
    size_t before;

    if (!p || p->dead || k->stopping)
        return;
    m.time_ms = type == RD_KAFKA_TIMESTAMP_NOT_AVAILABLE ? 0 : ms;
    if (m.value.n == 0) {
        card_add(&k->base.card->read, 1);
        ingest_refuse(k->base.in, k->base.card, REFUSED_EMPTY, 1);
    }
    before = p->open.n;
    kafka_put_message(&p->open, &m);
    if (buf_failed(&p->open)) {
        p->dead = true;
        trouble(k, "cannot keep messages, the partition waits for its next assignment", "no memory");
        return;
    }
    k->held += p->open.n - before;
    p->open_count++;
    p->open_next = m.offset + 1;
    if (p->open.n >= KAFKA_PILE_BYTES || p->open_count >= KAFKA_PILE_MESSAGES)
        go_on(p);
}

/* blocked - no more is to be read: the journal, or one partition, does not follow. */
static bool blocked(const struct consumer *k)
{
    return k->paused || k->stopping || k->held >= HELD_MAX || hub_disk_full(&k->base.in->hub) ||
           (k->last && (k->last->open.n >= KAFKA_PILE_BYTES || k->last->open_count >= KAFKA_PILE_MESSAGES));
}

static void on_stats(struct consumer *k, const char *text)
{
    json_t *all = strlen(text) > STATS_MAX ? NULL : json_loads(text, 0, NULL), *broker, *topic, *part;
    const char *name, *number;
    int64_t lag = 0, up = 0;

    if (!all)
        return;
    json_object_foreach(json_object_get(all, "brokers"), name, broker) {
        const char *state = json_string_value(json_object_get(broker, "state"));

        up += state && strcmp(state, "UP") == 0 && json_integer_value(json_object_get(broker, "nodeid")) >= 0;
    }
    json_object_foreach(json_object_get(all, "topics"), name, topic)
        json_object_foreach(json_object_get(topic, "partitions"), number, part) {
            int64_t n = json_integer_value(json_object_get(part, "consumer_lag"));

            lag += n > 0 ? n : 0;
        }
    json_decref(all);
    k->lag = lag;
    k->brokers_up = up;
    card_set(&k->base.card->connections, up);
    if (up && k->down) {
        log_line(LOG_INFO, "a broker is reached again", "saqshy.listener", k->base.conf.id, NULL);
        k->told_text[0] = 0;
    }
    if (up) {
        k->was_up = true;
        k->down = false;
        k->error[0] = 0;
    }
}

static void on_error(struct consumer *k, rd_kafka_resp_err_t code, const char *text)
{
    k->errors++;
    if (code == RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN) {
        k->down = true;
        k->brokers_up = 0;
        card_set(&k->base.card->connections, 0);
        trouble(k, "could not reach any broker, trying again", text);
    } else {
        trouble(k, "trouble with a broker, going on", text);
    }
}

/* serve - one event of the queue. */
static void serve(struct consumer *k, rd_kafka_event_t *ev)
{
    const rd_kafka_message_t *msg;

    switch (rd_kafka_event_type(ev)) {
    case RD_KAFKA_EVENT_FETCH:
        while ((msg = rd_kafka_event_message_next(ev)) != NULL) {
            if (msg->err)
                on_error(k, msg->err, rd_kafka_message_errstr(msg));
            else
                take_message(k, msg);
        }
        break;
    case RD_KAFKA_EVENT_REBALANCE: on_rebalance(k, ev); break;
    case RD_KAFKA_EVENT_STATS: on_stats(k, rd_kafka_event_stats(ev)); break;
    case RD_KAFKA_EVENT_ERROR: on_error(k, rd_kafka_event_error(ev), rd_kafka_event_error_string(ev)); break;
    default: break;    /* the library's log: what matters comes as an error too */
    }
    rd_kafka_event_destroy(ev);
}

/* drain - what lies in the queue, as far as it may be read. While partitions are paused no messages come, and the group is served. */
static void drain(struct consumer *k)
{
    int n = 0;

    for (; n < ROUND_MAX && (k->parts_paused || k->stopping || !blocked(k)); n++) {
        rd_kafka_event_t *ev = rd_kafka_queue_poll(k->queue, 0);

        if (!ev)
            break;
        serve(k, ev);
    }
    for (struct part *p = k->parts; p; p = p->next)
        go_on(p);
    give_up(k);
    if (n == ROUND_MAX)
        wake(k);
}

static void on_readable(evutil_socket_t fd, short what, void *arg)
{
    uint64_t n;

    (void)what;
    if (read(fd, &n, sizeof n) < 0 && errno != EAGAIN)
        return;
    drain(arg);
}

/* --- the kind --- */

static void pause_parts(struct consumer *k, bool pause)
{
    rd_kafka_topic_partition_list_t *list = NULL;

    if (k->parts_paused == pause || rd_kafka_assignment(k->rk, &list) != 0)
        return;
    if (list->cnt)
        (void)(pause ? rd_kafka_pause_partitions(k->rk, list) : rd_kafka_resume_partitions(k->rk, list));
    rd_kafka_topic_partition_list_destroy(list);
    k->parts_paused = pause;
    if (pause)
        card_add(&k->base.card->slowed, 1);
}

static void tick(struct listener *l)
{
    struct consumer *k = consumer_of(l);
    bool any;

    for (struct part *p = k->parts; p; p = p->next) {
        p->wait_ticks -= p->wait_ticks > 0;
        go_on(p);
    }
    k->last = NULL;
    for (struct part *p = k->parts; p && !k->last; p = p->next)
        k->last = p->open.n >= KAFKA_PILE_BYTES ? p : NULL;
    any = blocked(k);
    k->blocked_ticks = any ? k->blocked_ticks + 1 : 0;
    if (!k->stopping)
        pause_parts(k, k->blocked_ticks >= BLOCKED_TICKS);
    drain(k);
}

static void pause_reading(struct listener *l, bool paused)
{
    consumer_of(l)->paused = paused;
    if (!paused)
        wake(consumer_of(l));
}

/* stop_accepting - the group is told; partitions are given up as their piles come back. */
static void stop_accepting(struct listener *l)
{
    struct consumer *k = consumer_of(l);

    k->stopping = true;
    k->closing_since = clock_steady();
}

/* begin_closing - once nothing is on its way. */
static void begin_closing(struct consumer *k)
{
    rd_kafka_error_t *no;

    if (k->closing || k->flights)
        return;
    k->closing = true;
    no = rd_kafka_consumer_close_queue(k->rk, k->queue);
    if (no)
        rd_kafka_error_destroy(no);
}

static bool busy(const struct listener *l)
{
    struct consumer *k = (struct consumer *)(uintptr_t)look(l);    /* to look is to go on with it: see_off asks each second */

    begin_closing(k);
    drain(k);
    return !rd_kafka_consumer_closed(k->rk) && clock_steady() - k->closing_since < CLOSE_NS;
}

static void close_consumer(struct listener *l)
{
    struct consumer *k = consumer_of(l);

    if (k->rk) {
        k->stopping = true;
        k->flights = 0;    /* the loop is over, or there are none */
        begin_closing(k);
        while (!rd_kafka_consumer_closed(k->rk) && clock_steady() - k->closing_since < CLOSE_NS) {
            rd_kafka_event_t *ev = rd_kafka_queue_poll(k->queue, 50);

            if (ev)
                serve(k, ev);
        }
    }
    drop_parts(k);
    if (k->readable)
        event_free(k->readable);
    if (k->queue) {
        rd_kafka_queue_io_event_enable(k->queue, -1, NULL, 0);
        rd_kafka_queue_destroy(k->queue);
    }
    if (k->rk)
        rd_kafka_destroy_flags(k->rk, RD_KAFKA_DESTROY_F_NO_CONSUMER_CLOSE);
    if (k->fd >= 0)
        close(k->fd);
    card_set(&l->card->connections, 0);
    listener_done(l);
}

static void report(const struct listener *l, struct buf *json)
{
    const struct consumer *k = look(l);

    buf_printf(json, ",\"state\":\"%s\",\"brokers\":%lld,\"partitions\":%zu,\"lag\":%lld,\"errors\":%lld,\"waits\":%s,\"error\":",
               k->down ? "down" : k->was_up || k->part_count ? "up" : "connecting", (long long)k->brokers_up, k->part_count, (long long)k->lag,
               (long long)k->errors, k->parts_paused ? "true" : "false");
    buf_json(json, str_c(k->error));
}

/* --- opening --- */

static const char *const options[] = { "brokers", "topics", "group", "from", "host", "sasl", "user", "password_file" };

static const char *option(const struct listen_conf *c, const char *name, const char *otherwise)
{
    const char *s = listen_option(c, name);

    return s && *s ? s : otherwise;
}

static struct kafka_access access_of(const struct listen_conf *c)
{
    return (struct kafka_access){ .brokers = option(c, "brokers", ""), .tls = c->tls, .certificate = c->certificate, .key = c->key,
                                  .authority = c->authority, .sasl = option(c, "sasl", ""), .user = option(c, "user", ""),
                                  .password_file = option(c, "password_file", ""), .client = "saqshy" };
}

static int check(const struct listen_conf *c, struct err *e)
{
    struct kafka_access a = access_of(c);
    const char *from = option(c, "from", "earliest"), *host = option(c, "host", "");

    for (size_t i = 0; i < c->option_count; i++) {
        bool known = false;

        for (size_t k = 0; !known && k < COUNT(options); k++)
            known = strcmp(c->options[i].name, options[k]) == 0;
        if (!known)
            return err_set(e, -EINVAL, "unknown option \"%s\": brokers, topics, group, from, host, sasl, user and password_file are known", c->options[i].name);
    }
    if (*c->address)
        return err_set(e, -EINVAL, "a listener of the kind kafka has no address, but the options \"brokers\" and \"topics\", and so stands in ingest.listeners");
    if (!*option(c, "topics", ""))
        return err_set(e, -EINVAL, "the option \"topics\" is needed, as logs, audit");
    if (strcmp(from, "earliest") != 0 && strcmp(from, "latest") != 0)
        return err_set(e, -EINVAL, "the option \"from\" must be earliest or latest");
    if (*host && strcmp(host, "key") != 0)
        return err_set(e, -EINVAL, "the option \"host\" must be key, or not be given");
    return kafka_access_check(&a, e);
}

static int subscribe(struct consumer *k, struct err *e)
{
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(4);
    struct str rest = str_c(option(&k->base.conf, "topics", "")), one;
    char topic[KAFKA_TOPIC_MAX + 1];
    rd_kafka_resp_err_t why;
    int rc = 0;

    while (rc == 0 && str_split(&rest, ',', &one)) {
        one = str_trim(one);
        if (one.n == 0 || one.n > KAFKA_TOPIC_MAX || list->cnt == TOPICS_MAX)
            rc = err_set(e, -EINVAL, "the option \"topics\" holds a name that is no topic's, or more than %d", TOPICS_MAX);
        snprintf(topic, sizeof topic, "%.*s", STR_ARG(one));
        if (rc == 0)
            rd_kafka_topic_partition_list_add(list, topic, RD_KAFKA_PARTITION_UA);
    }
    why = rc == 0 ? rd_kafka_subscribe(k->rk, list) : 0;
    rd_kafka_topic_partition_list_destroy(list);
    return why ? err_set(e, -EINVAL, "cannot subscribe to topics: %s", rd_kafka_err2str(why)) : rc;
}

static int make_client(struct consumer *k, struct err *e)
{
    const struct listen_conf *c = &k->base.conf;
    const struct kafka_access a = access_of(c);
    const char *const pairs[][2] = {
        { "group.id", option(c, "group", "saqshy") },
        { "auto.offset.reset", option(c, "from", "earliest") },
        { "enable.auto.offset.store", "false" },
        { "enable.auto.commit", "true" },
        { "auto.commit.interval.ms", "1000" },
        { "session.timeout.ms", "10000" },
        { "statistics.interval.ms", "2000" },
        { "queued.max.messages.kbytes", "16384" },
        { "fetch.message.max.bytes", "1048576" },
        { "check.crcs", "true" },
    };
    rd_kafka_conf_t *conf = NULL;
    char why[ERR_TEXT_MAX / 2] = "";
    int rc = kafka_conf_new(&a, &conf, e);

    for (size_t i = 0; rc == 0 && i < COUNT(pairs); i++)
        rc = kafka_set(conf, pairs[i][0], pairs[i][1], e);
    if (rc == 0) {
        rd_kafka_conf_set_events(conf, RD_KAFKA_EVENT_FETCH | RD_KAFKA_EVENT_REBALANCE | RD_KAFKA_EVENT_ERROR | RD_KAFKA_EVENT_STATS | RD_KAFKA_EVENT_LOG);
        k->rk = rd_kafka_new(RD_KAFKA_CONSUMER, conf, why, sizeof why);
        if (!k->rk)
            rc = err_set(e, -EINVAL, "cannot make a consumer of Kafka: %s", why);
    }
    if (rc < 0 && conf)
        rd_kafka_conf_destroy(conf);
    return rc;
}

static int open_kafka(struct ingest *in, const struct listen_conf *c, struct listener **out, struct err *e)
{
    static const uint64_t one = 1;
    struct listener *l = NULL;
    struct consumer *k;
    int rc = check(c, e);

    if (rc == 0)
        rc = listener_new(in, &kafka_kind, c, sizeof *k, &l, e);
    if (rc < 0)
        return rc;
    k = consumer_of(l);
    k->by_key = strcmp(option(c, "host", ""), "key") == 0;
    k->fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    k->readable = k->fd < 0 ? NULL : event_new(in->base, k->fd, EV_READ | EV_PERSIST, on_readable, k);
    if (!k->readable || event_add(k->readable, NULL) < 0)
        rc = err_set(e, -ENOMEM, "no memory for a consumer");
    if (rc == 0)
        rc = make_client(k, e);
    if (rc == 0) {
        rd_kafka_poll_set_consumer(k->rk);
        k->queue = rd_kafka_queue_get_consumer(k->rk);
        rd_kafka_set_log_queue(k->rk, k->queue);
        rd_kafka_queue_io_event_enable(k->queue, k->fd, &one, sizeof one);
        rc = subscribe(k, e);
    }
    if (rc < 0) {
        close_consumer(l);
        return rc;
    }
    *out = l;
    return 0;
}

const struct listener_kind kafka_kind = {
    .number = LISTEN_kafka, .check = check, .open = open_kafka, .pause = pause_reading, .patient = true, .tick = tick, .stop_accepting = stop_accepting, .busy = busy,
    .close = close_consumer, .report = report,
};
