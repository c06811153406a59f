/* decode1.c - payloads of codec version 1, which the first releases wrote: read for as long as there are such frames and parts.
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
 *   text: v = length << 1. If v is odd the bytes stand in original at the offset that follows; else they follow. */
#include "event/codec.h"

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

    ev->time = (time_ns)((uint64_t)before + (uint64_t)codec_zag(rd_varint(r)));
    ev->received = (time_ns)((uint64_t)ev->time + (uint64_t)codec_zag(rd_varint(r)));
    zone = rd_varint(r);
    ev->offset_min = zone ? (int32_t)codec_zag(zone - 1) : EVENT_OFFSET_NONE;
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

void decode1(struct reader *r, uint64_t first_seq, struct event_batch *batch)
{
    uint64_t count = rd_varint(r);
    size_t name_count;
    const struct str *names;
    time_ns before = 0;

    if (count > EVENT_BATCH_MAX || count > rd_left(r))
        rd_fail(r, "a number of events within the limit");
    names = get_names(r, &name_count, &batch->arena);
    for (uint64_t i = 0; i < count && rd_ok(r); i++) {
        struct event *ev = event_batch_add(batch);

        if (!ev) {
            rd_fail(r, "room in the batch");
            break;
        }
        ev->seq = first_seq + i;
        get_event(r, ev, before);
        before = ev->time;
        get_fields(r, ev, names, name_count, &batch->arena);
    }
}
