/* kafka_records.c - a pile of messages as records: which of them the journal has already, and what each one is. See kafka.h. */
#include "ingest/kafka.h"
#include "ingest/bulk.h"
#include "ingest/worker.h"

#define TOPIC_SHOWN   60u
#define CLUSTER_MAX   256u
#define TOPIC_MAX     256u
#define NUMBER_ROOM   24

void kafka_put_head(struct buf *b, const struct kafka_head *h)
{
    buf_le32(b, (uint32_t)h->partition);
    buf_le64(b, (uint64_t)h->end);
    buf_varstr(b, h->topic);
    buf_varstr(b, h->cluster);
}

void kafka_put_message(struct buf *b, const struct kafka_message *m)
{
    buf_le64(b, (uint64_t)m->offset);
    buf_le64(b, (uint64_t)m->time_ms);
    buf_byte(b, m->cut ? 1 : 0);
    buf_varstr(b, m->key);
    buf_varstr(b, m->value);
}

void kafka_read_head(struct reader *r, struct kafka_head *out)
{
    out->partition = (int32_t)rd_le32(r);
    out->end = (int64_t)rd_le64(r);
    out->topic = rd_varstr(r, TOPIC_MAX, "topic");
    out->cluster = rd_varstr(r, CLUSTER_MAX, "cluster");
}

void kafka_read_message(struct reader *r, struct kafka_message *out)
{
    out->offset = (int64_t)rd_le64(r);
    out->time_ms = (int64_t)rd_le64(r);
    out->cut = rd_u8(r) == 1;
    out->key = rd_varstr(r, KAFKA_KEY_MAX, "key");
    out->value = rd_varstr(r, KAFKA_VALUE_MAX, "value");
}

/* origin_id - "kafka/TOPIC/PARTITION/HASH OF CLUSTER AND TOPIC/GENERATION". */
static void origin_id(const struct kafka_head *h, unsigned generation, char out[AGENT_TEXT_MAX])
{
    snprintf(out, AGENT_TEXT_MAX, "kafka/%.*s/%d/%016llx%016llx/%u", (int)min_size(h->topic.n, TOPIC_SHOWN), h->topic.p, (int)h->partition,
             (unsigned long long)str_hash(h->cluster), (unsigned long long)str_hash(h->topic), generation);
}

/* find_origin - that of the partition as it is now; *last is what the journal has of it. */
static int find_origin(struct taking *t, const struct kafka_head *h, char out[AGENT_TEXT_MAX], uint64_t *last, struct err *e)
{
    unsigned g = 1;

    origin_id(h, g, out);
    *last = taking_origin(t, str_c(out));
    for (; g < KAFKA_GENERATIONS_MAX; g++) {
        bool fits = h->end < 0 || *last <= (uint64_t)h->end;
        uint64_t next;

        origin_id(h, g + 1, out);
        next = taking_origin(t, str_c(out));
        if (next == 0 && fits)
            break;
        *last = next;
    }
    origin_id(h, g, out);
    return g < KAFKA_GENERATIONS_MAX ? 0 : err_set(e, -E2BIG, "a topic was made anew too often");
}

/* usable - text that may be a field. */
static bool usable(struct str s)
{
    for (size_t i = 0; i < s.n; i++)
        if ((unsigned char)s.p[i] < ' ' || s.p[i] == 0x7f)
            return false;
    return s.n > 0 && str_utf8_valid(s);
}

/* host_like - a key that may be the name of a host: what producers of logs put there. */
static bool host_like(struct str s)
{
    for (size_t i = 0; i < s.n; i++) {
        char c = s.p[i];

        if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' || c == '-' || c == '_'))
            return false;
    }
    return s.n > 0 && s.n <= 253;
}

static int take_message(struct taking *t, const struct kafka_head *h, const struct kafka_message *m, bool keys, struct err *e)
{
    struct arena *a = taking_arena(t);
    struct str value = m->value, trimmed;
    struct attrs fields = { .count = 0 };
    struct record r = { .zone_min = EVENT_OFFSET_NONE, .truncated = m->cut, .fields = &fields,
                        .time = m->time_ms > 0 && m->time_ms < INT64_MAX / NS_PER_MS ? m->time_ms * NS_PER_MS : 0 };

    while (value.n && (value.p[value.n - 1] == '\n' || value.p[value.n - 1] == '\r' || value.p[value.n - 1] == 0))
        value.n--;
    if (value.n == 0)
        value = m->value;      /* line ends alone are kept as well */
    attrs_add(&fields, STR("kafka.topic"), h->topic);
    attrs_add(&fields, STR("kafka.partition"), arena_printf(a, "%d", (int)h->partition));
    attrs_add(&fields, STR("kafka.offset"), arena_printf(a, "%lld", (long long)m->offset));
    if (usable(m->key))
        attrs_add(&fields, STR("kafka.key"), m->key);
    if (keys && host_like(m->key))
        r.host = m->key;
    trimmed = str_trim(value);
    if (trimmed.n && *trimmed.p == '{')
        return bulk_document_as(t, trimmed, &r, e);
    r.text = value;
    return take_record(t, &r, e);
}

static int decode(struct taking *t, struct str body, struct err *e)
{
    struct pile *p = taking_pile(t);
    struct reader r = rd_str(body);
    struct kafka_head h;
    uint64_t last = 0;
    int rc;

    kafka_read_head(&r, &h);
    if (!rd_ok(&r))
        return rd_err(&r, e, "pile of messages");
    rc = find_origin(t, &h, p->origin, &last, e);
    p->numbered = true;
    p->repeats = 0;
    while (rc == 0 && rd_left(&r) > 0) {
        struct kafka_message m;

        kafka_read_message(&r, &m);
        if (!rd_ok(&r))
            return rd_err(&r, e, "message");
        p->number = (uint64_t)m.offset + 1;
        if (m.value.n == 0)
            continue;
        if (p->number <= last)
            p->repeats++;
        else
            rc = take_message(t, &h, &m, strcmp(p->query, "key") == 0, e);
    }
    return rc;
}

const struct body_decoder kafka_decoder = { "kafka", decode };
