/* codec.c - many events as bytes.
 *
 * Payload, all numbers LEB128 varints, signed ones zig-zag:
 *
 *   version           1 byte, 1
 *   count             number of events
 *   names             number of field names, then each as length and bytes
 *   count times:
 *     time            difference from the event before (the first: from 0), nanoseconds
 *     lag             received - time
 *     zone            offset in minutes + 1, zig-zag; 0: none
 *     flags           1 byte: class | parse << 4;  then marks
 *     original        length and bytes
 *     time_text source object parser       texts as below
 *     fields          number, then for each: index of the name, text
 *
 *   text: v = length << 1. If v is odd the bytes stand in original at the offset that follows; else they follow.
 *
 * References into original make a frame of parsed lines hardly larger than the lines themselves. */
#include "event/event.h"

#define CODEC_VERSION   1
/* More than the fields of any batch or block of ours can have: 64 MiB of events at 35 bytes a field. A lower limit would be a way to stop
 * the index and to have batches refused, for anybody who may write a line of name=value into a log. */
#define CODEC_NAMES_MAX (1u << 22)

static uint64_t zig(int64_t v) { return (uint64_t)v << 1 ^ (uint64_t)(v >> 63); }
static int64_t zag(uint64_t v) { return (int64_t)(v >> 1) ^ -(int64_t)(v & 1); }

/* The table of names while encoding: open addressing on the hash. */
struct names {
    struct str *list;
    uint32_t   *slot;      /* index + 1 */
    size_t      count, cap; /* cap is a power of two, twice the room of list */
};

static bool names_grow(struct names *n)
{
    size_t cap = n->cap ? n->cap * 2 : 256;
    uint32_t *slot = calloc(cap, sizeof *slot);
    struct str *list = slot ? realloc(n->list, cap / 2 * sizeof *list) : NULL;

    if (!list) {
        free(slot);
        return false;
    }
    for (size_t i = 0; i < n->count; i++) {
        size_t at = str_hash(list[i]) & (cap - 1);

        while (slot[at])
            at = (at + 1) & (cap - 1);
        slot[at] = (uint32_t)i + 1;
    }
    free(n->slot);
    n->slot = slot;
    n->list = list;
    n->cap = cap;
    return true;
}

/* names_index - the index of a name, added if new; -1 without memory or past the limit. */
static int64_t names_index(struct names *n, struct str name)
{
    if (n->count * 2 >= n->cap && (n->count >= CODEC_NAMES_MAX || !names_grow(n)))
        return -1;
    size_t at = str_hash(name) & (n->cap - 1);
    while (n->slot[at]) {
        if (str_eq(n->list[n->slot[at] - 1], name))
            return n->slot[at] - 1;
        at = (at + 1) & (n->cap - 1);
    }
    n->list[n->count++] = name;
    n->slot[at] = (uint32_t)n->count;
    return (int64_t)n->count - 1;
}

static void put_text(struct buf *out, struct str original, struct str s)
{
    uintptr_t from = (uintptr_t)original.p, p = (uintptr_t)s.p;

    if (s.n && original.n && p >= from && p - from <= original.n && s.n <= original.n - (p - from)) {
        buf_varint(out, (uint64_t)s.n << 1 | 1);
        buf_varint(out, p - from);
        return;
    }
    buf_varint(out, (uint64_t)s.n << 1);
    buf_str(out, s);
}

static void put_event(struct buf *out, const struct event *ev, time_ns before, const uint32_t *name_index)
{
    buf_varint(out, zig((int64_t)((uint64_t)ev->time - (uint64_t)before)));
    buf_varint(out, zig((int64_t)((uint64_t)ev->received - (uint64_t)ev->time)));
    buf_varint(out, ev->offset_min == EVENT_OFFSET_NONE ? 0 : zig((int64_t)ev->offset_min) + 1);
    buf_byte(out, (char)((unsigned)ev->class | (unsigned)ev->parse << 4));
    buf_varint(out, ev->marks);
    buf_varstr(out, ev->original);
    put_text(out, ev->original, ev->time_text);
    put_text(out, ev->original, ev->source);
    put_text(out, ev->original, ev->object);
    put_text(out, ev->original, ev->parser);
    buf_varint(out, ev->field_count);
    for (uint32_t i = 0; i < ev->field_count; i++) {
        buf_varint(out, name_index[i]);
        put_text(out, ev->original, ev->fields[i].value);
    }
}

/* collect_names - fill the table and, for every field of every event, its index in the table. */
static int collect_names(const struct event *events, size_t count, struct names *n, uint32_t **index)
{
    size_t total = 0, k = 0;

    for (size_t i = 0; i < count; i++)
        total += events[i].field_count;
    *index = malloc((total + 1) * sizeof **index);
    if (!*index || !names_grow(n))
        return -ENOMEM;
    for (size_t i = 0; i < count; i++)
        for (uint32_t f = 0; f < events[i].field_count; f++) {
            int64_t at = names_index(n, events[i].fields[f].name);

            if (at < 0)
                return -E2BIG;
            (*index)[k++] = (uint32_t)at;
        }
    return 0;
}

int event_encode(const struct event *events, size_t count, struct buf *out, struct err *e)
{
    struct names n = { 0 };
    AUTO_FREE uint32_t *index = NULL;
    size_t k = 0;
    time_ns before = 0;
    int rc = count > EVENT_BATCH_MAX ? -E2BIG : collect_names(events, count, &n, &index);

    if (rc == 0) {
        buf_byte(out, CODEC_VERSION);
        buf_varint(out, count);
        buf_varint(out, n.count);
        for (size_t i = 0; i < n.count; i++)
            buf_varstr(out, n.list[i]);
        for (size_t i = 0; i < count; i++) {
            put_event(out, &events[i], before, index + k);
            before = events[i].time;
            k += events[i].field_count;
        }
        if (buf_failed(out))
            rc = -E2BIG;
    }
    free(n.list);
    free(n.slot);
    return rc < 0 ? err_set(e, rc, "a batch of %zu events does not fit a payload", count) : 0;
}

static struct str get_text(struct reader *r, struct str original)
{
    uint64_t v = rd_varint(r), n = v >> 1, at;

    if (!(v & 1))
        return rd_take(r, n > SIZE_MAX / 2 ? SIZE_MAX / 2 : (size_t)n, "the bytes of a text");
    at = rd_varint(r);
    if (at > original.n || n > original.n - at) {
        rd_fail(r, "a reference inside the line");
        return (struct str){ NULL, 0 };
    }
    return str_of(original.p + at, (size_t)n);
}

static void get_fields(struct reader *r, struct event *ev, const struct str *names, size_t name_count, struct arena *a)
{
    uint64_t count = rd_varint(r);

    if (count > EVENT_FIELDS_MAX || count > rd_left(r)) {
        rd_fail(r, "a number of fields within the limit");
        return;
    }
    if (count == 0)
        return;
    ev->fields = arena_array(a, (size_t)count, sizeof *ev->fields);
    if (!ev->fields) {
        rd_fail(r, "memory for the fields");
        return;
    }
    ev->field_cap = (uint32_t)count;
    for (uint64_t i = 0; i < count && rd_ok(r); i++) {
        uint64_t at = rd_varint(r);
        struct str v = get_text(r, ev->original);

        if (at >= name_count) {
            rd_fail(r, "the index of a name");
            return;
        }
        ev->fields[ev->field_count++] = (struct event_field){ names[at], v };
    }
}

static void get_event(struct reader *r, struct event *ev, time_ns before)
{
    uint64_t zone;
    uint8_t flags;

    ev->time = (time_ns)((uint64_t)before + (uint64_t)zag(rd_varint(r)));
    ev->received = (time_ns)((uint64_t)ev->time + (uint64_t)zag(rd_varint(r)));
    zone = rd_varint(r);
    ev->offset_min = zone ? (int32_t)zag(zone - 1) : EVENT_OFFSET_NONE;
    flags = rd_u8(r);
    if ((flags & 15) >= CLASS_COUNT || flags >> 4 >= EVENT_PARSE_COUNT)
        rd_fail(r, "a known class and parse state");
    ev->class = (enum event_class)(flags & 15);
    ev->parse = (enum event_parse)(flags >> 4);
    ev->marks = (uint32_t)rd_varint(r);
    ev->original = rd_varstr(r, EVENT_ORIGINAL_MAX, "a line within the limit");
    ev->time_text = get_text(r, ev->original);
    ev->source = get_text(r, ev->original);
    ev->object = get_text(r, ev->original);
    ev->parser = get_text(r, ev->original);
}

static const struct str *get_names(struct reader *r, size_t *count, struct arena *a)
{
    uint64_t n = rd_varint(r);
    struct str *names;

    *count = 0;
    if (n > CODEC_NAMES_MAX || n > rd_left(r)) {
        rd_fail(r, "a number of names within the limit");
        return NULL;
    }
    names = arena_array(a, (size_t)n + 1, sizeof *names);
    if (!names) {
        rd_fail(r, "memory for the names");
        return NULL;
    }
    for (uint64_t i = 0; i < n && rd_ok(r); i++)
        names[i] = rd_varstr(r, EVENT_NAME_MAX, "a name within the limit");
    *count = (size_t)n;
    return names;
}

int event_decode(struct str payload, uint64_t first_seq, struct event_batch *batch, struct err *e)
{
    struct reader r = rd_str(payload);
    size_t had = batch->count, name_count;
    const struct str *names;
    uint64_t count;
    time_ns before = 0;

    if (rd_u8(&r) != CODEC_VERSION)
        rd_fail(&r, "version 1");
    count = rd_varint(&r);
    if (count > EVENT_BATCH_MAX || count > rd_left(&r))
        rd_fail(&r, "a number of events within the limit");
    names = get_names(&r, &name_count, &batch->arena);
    for (uint64_t i = 0; i < count && rd_ok(&r); i++) {
        struct event *ev = event_batch_add(batch);

        if (!ev) {
            rd_fail(&r, "room in the batch");
            break;
        }
        ev->seq = first_seq + i;
        get_event(&r, ev, before);
        before = ev->time;
        get_fields(&r, ev, names, name_count, &batch->arena);
    }
    if (rd_ok(&r) && rd_left(&r))
        rd_fail(&r, "the end of the payload");
    if (rd_ok(&r))
        return 0;
    batch->count = had;
    return rd_err(&r, e, "payload");
}
