/* otlp.c - a batch as an OTLP logs request: records are written one behind the other, the messages around them at the end.
 * Field numbers are in ingest/otlp.c, which reads them. */
#include "agent/internal.h"

#include <zstd.h>

#define ZSTD_LEVEL   1
#define RECORDS_MAX  (BATCH_BYTES_MAX + LINE_MAX_BYTES + BATCH_LINES_MAX * (AGENT_PATH_MAX + 512))
#define TAG(number, wire) ((char)((number) << 3 | (wire)))

void batch_init(struct batch *b)
{
    *b = (struct batch){ 0 };
    buf_init(&b->records, RECORDS_MAX);
    buf_init(&b->body, RECORDS_MAX + 64 * KIB);
    buf_init(&b->packed, RECORDS_MAX + MIB);
}

void batch_free(struct batch *b)
{
    buf_free(&b->records);
    buf_free(&b->body);
    buf_free(&b->packed);
}

void batch_reset(struct batch *b)
{
    buf_reset(&b->records);
    buf_reset(&b->body);
    buf_reset(&b->packed);
    b->lines = b->bytes = 0;
}

static size_t varint_size(uint64_t v)
{
    size_t n = 1;

    for (; v > 127; v >>= 7)
        n++;
    return n;
}

static size_t field_size(size_t n) { return 1 + varint_size(n) + n; }

static void put_fixed64(struct buf *b, int number, uint64_t v)
{
    buf_byte(b, TAG(number, 1));
    buf_le64(b, v);
}

static void put_bytes(struct buf *b, int number, struct str s)
{
    buf_byte(b, TAG(number, 2));
    buf_varstr(b, s);
}

/* put_attr - a KeyValue under the field number, with a text. */
static void put_attr(struct buf *b, int number, struct str key, struct str value)
{
    size_t any = field_size(value.n);

    if (!value.n)
        return;
    buf_byte(b, TAG(number, 2));
    buf_varint(b, field_size(key.n) + field_size(any));
    put_bytes(b, 1, key);
    buf_byte(b, TAG(2, 2));
    buf_varint(b, any);
    put_bytes(b, 1, value);
}

static size_t attr_size(struct str key, struct str value)
{
    return value.n ? field_size(field_size(key.n) + field_size(field_size(value.n))) : 0;
}

void batch_add(struct batch *b, const struct record *r, time_ns now)
{
    static const struct str path = STR_INIT("log.file.path"), unit = STR_INIT("saqshy.unit"), pid = STR_INIT("saqshy.pid"),
                            cut = STR_INIT("saqshy.truncated"), facts = STR_INIT("saqshy.facts");
    struct str yes = r->truncated ? STR("true") : str_of(NULL, 0);
    size_t any = field_size(r->body.n);
    size_t n = (r->time ? 9 : 0) + field_size(any) + attr_size(path, r->path) + attr_size(unit, r->unit) +
               attr_size(pid, r->pid) + attr_size(cut, yes) + attr_size(facts, r->facts) + (r->time ? 0 : 9);
    struct buf *o = &b->records;

    buf_byte(o, TAG(2, 2));
    buf_varint(o, n);
    if (r->time)
        put_fixed64(o, 1, (uint64_t)r->time);
    buf_byte(o, TAG(5, 2));
    buf_varint(o, any);
    /* A string must be UTF-8; other bytes go as bytes, as they are. */
    put_bytes(o, str_utf8_valid(r->body) ? 1 : 7, r->body);
    put_attr(o, 6, path, r->path);
    put_attr(o, 6, unit, r->unit);
    put_attr(o, 6, pid, r->pid);
    put_attr(o, 6, cut, yes);
    put_attr(o, 6, facts, r->facts);
    if (!r->time)
        put_fixed64(o, 11, (uint64_t)now);
    b->lines++;
    b->bytes += r->body.n;
}

int batch_close(struct batch *b, struct str host, struct str agent, int32_t zone_min, struct err *e)
{
    struct buf *o = &b->body;
    AUTO_BUF struct buf resource = { 0 };
    char zone[24];
    size_t room, n;

    buf_init(&resource, 64 * KIB);
    snprintf(zone, sizeof zone, "%d", zone_min);
    put_attr(&resource, 1, STR("host.name"), host);
    put_attr(&resource, 1, STR("saqshy.agent.id"), agent);
    put_attr(&resource, 1, STR("saqshy.zone_min"), str_c(zone));
    buf_byte(o, TAG(1, 2));
    buf_varint(o, field_size(resource.n) + field_size(b->records.n));
    put_bytes(o, 1, buf_view(&resource));
    put_bytes(o, 2, buf_view(&b->records));
    if (buf_failed(o) || buf_failed(&b->records) || buf_failed(&resource))
        return err_set(e, -ENOMEM, "no memory for a batch");
    room = ZSTD_compressBound(o->n);
    if (!buf_room(&b->packed, room))
        return err_set(e, -ENOMEM, "no memory to compress a batch");
    n = ZSTD_compress(b->packed.p, room, o->p, o->n, ZSTD_LEVEL);
    if (ZSTD_isError(n))
        return err_set(e, -EIO, "could not compress a batch: %s", ZSTD_getErrorName(n));
    b->packed.n = n;
    return 0;
}
