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
#include "event/decode.h"

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
    uint32_t count = field_count_get(r);

    if (count == 0)
        return;
    ev->fields = arena_array(a, count, sizeof *ev->fields);
    if (!ev->fields) {
        rd_fail(r, "memory for the fields");
        return;
    }
    ev->field_cap = count;
    for (uint32_t i = 0; i < count && rd_ok(r); i++) {
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
    uint8_t flags;

    ev->time = (time_ns)((uint64_t)before + (uint64_t)codec_zag(rd_varint(r)));
    ev->received = (time_ns)((uint64_t)ev->time + (uint64_t)codec_zag(rd_varint(r)));
    ev->offset_min = zone_get(r);
    flags = flags_get(r);
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

/* What all events of a payload need. */
struct decoder {
    struct reader    *r;
    struct arena     *arena;
    const struct str *names;
    size_t            name_count;
};

static void get_whole(void *arg, struct event *ev, const struct event *before)
{
    struct decoder *k = arg;

    get_event(k->r, ev, before ? before->time : 0);
    get_fields(k->r, ev, k->names, k->name_count, k->arena);
}

void decode1(struct reader *r, uint64_t first_seq, struct event_batch *batch)
{
    struct decoder k = { .r = r, .arena = &batch->arena };
    size_t count = event_count_get(r);

    k.names = get_names(r, &k.name_count, k.arena);
    events_get(r, count, first_seq, batch, get_whole, &k);
}
