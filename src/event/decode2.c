/* decode2.c - payloads of codec version 2, written until November 2026: read for as long as there are such frames and parts.
 *
 *   version           1 byte, 2
 *   count             number of events, a varint of three bytes whatever it is
 *   count times:
 *     shape           index of a shape; one that is not there yet (index = shapes so far) is described here:
 *                       class | parse << 4 (1 byte), marks, zone in minutes + 1 zig-zag (0: none), number of fields,
 *                       for each: index of its name; a name that is not there yet (index = names so far): length, bytes
 *     time            difference from the event before (the first: from 0), nanoseconds
 *     received        difference from the event before
 *     original        length and bytes
 *     time_text       a text, below
 *     same            a bit a column, lowest first: the column's value is that of the last event of this shape
 *     values          a text for each column whose bit is not set
 *
 *   columns are source, object, parser, and the fields. Before the first event of a shape all columns are empty.
 *   text: v = length << 1. If v is odd the bytes stand in original, at the offset that follows as its distance (zig-zag) from the
 *         end of the reference before it in this event (the first: from 0); else they follow. */
#include "event/codec.h"

#define COLUMNS 3   /* source, object, parser stand before the fields */

/* Growing arrays, of the batch's arena: what is left behind by growing is less than what is in use. */
struct decoder {
    struct reader  *r;
    struct arena   *arena;
    struct str     *names;
    size_t          name_count, names_cap;
    struct shape   *shapes;
    size_t          shape_count, shapes_cap;
    size_t          reference;
};

struct shape {
    const struct str *names;   /* of its fields */
    struct str       *last;    /* of its columns */
    uint32_t          marks, fields;
    int32_t           offset_min;
    uint8_t           flags;
};

/* larger - an array of twice the room, with what stood in the old one. */
static void *larger(struct decoder *k, const void *old, size_t count, size_t *cap, size_t size)
{
    size_t more = *cap ? *cap * 2 : 64;
    void *p = arena_array(k->arena, more, size);

    if (!p) {
        rd_fail(k->r, "memory for names and shapes");
        return NULL;
    }
    if (count)
        memcpy(p, old, count * size);
    *cap = more;
    return p;
}

/* get_name - the name with this index; the next one that is not there yet is read. */
static struct str get_name(struct decoder *k)
{
    uint64_t at = rd_varint(k->r);

    if (at > k->name_count || at >= CODEC_NAMES_MAX)
        rd_fail(k->r, "the index of a name");
    if (!rd_ok(k->r))
        return (struct str){ NULL, 0 };
    if (at < k->name_count)
        return k->names[at];
    if (k->name_count == k->names_cap) {
        struct str *names = larger(k, k->names, k->name_count, &k->names_cap, sizeof *names);

        if (!names)
            return (struct str){ NULL, 0 };
        k->names = names;
    }
    k->names[at] = rd_varstr(k->r, EVENT_NAME_MAX, "a name within the limit");
    k->name_count++;
    return k->names[at];
}

static void get_shape(struct decoder *k, struct shape *s)
{
    uint64_t zone, fields;
    struct str *names;

    s->flags = rd_u8(k->r);
    if ((s->flags & 15) >= CLASS_COUNT || s->flags >> 4 >= EVENT_PARSE_COUNT)
        rd_fail(k->r, "a known class and parse state");
    s->marks = (uint32_t)rd_varint(k->r);
    zone = rd_varint(k->r);
    s->offset_min = zone ? (int32_t)codec_zag(zone - 1) : EVENT_OFFSET_NONE;
    fields = rd_varint(k->r);
    if (fields > EVENT_FIELDS_MAX || fields > rd_left(k->r))
        rd_fail(k->r, "a number of fields within the limit");
    if (!rd_ok(k->r))
        return;
    s->fields = (uint32_t)fields;
    names = arena_array(k->arena, s->fields + 1, sizeof *names);
    s->last = arena_array(k->arena, s->fields + COLUMNS, sizeof *s->last);
    s->names = names;
    if (!names || !s->last) {
        rd_fail(k->r, "memory for a shape");
        return;
    }
    memset(s->last, 0, (s->fields + COLUMNS) * sizeof *s->last);
    for (uint32_t i = 0; i < s->fields && rd_ok(k->r); i++)
        names[i] = get_name(k);
}

/* shape_of - the shape of the next event; NULL after a failure. */
static struct shape *shape_of(struct decoder *k)
{
    uint64_t at = rd_varint(k->r);

    if (at > k->shape_count)
        rd_fail(k->r, "the index of a shape");
    if (!rd_ok(k->r))
        return NULL;
    if (at < k->shape_count)
        return &k->shapes[at];
    if (k->shape_count == k->shapes_cap) {
        struct shape *shapes = larger(k, k->shapes, k->shape_count, &k->shapes_cap, sizeof *shapes);

        if (!shapes)
            return NULL;
        k->shapes = shapes;
    }
    k->shapes[at] = (struct shape){ 0 };
    get_shape(k, &k->shapes[at]);
    k->shape_count++;
    return rd_ok(k->r) ? &k->shapes[at] : NULL;
}

static struct str get_text(struct decoder *k, struct str original)
{
    uint64_t v = rd_varint(k->r), n = v >> 1, at;

    if (!(v & 1))
        return rd_take(k->r, n > SIZE_MAX / 2 ? SIZE_MAX / 2 : (size_t)n, "the bytes of a text");
    at = (uint64_t)k->reference + (uint64_t)codec_zag(rd_varint(k->r));
    if (at > original.n || n > original.n - at) {
        rd_fail(k->r, "a reference inside the line");
        return (struct str){ NULL, 0 };
    }
    k->reference = (size_t)(at + n);
    return str_of(original.p + at, (size_t)n);
}

static void get_columns(struct decoder *k, struct event *ev, const struct shape *s)
{
    struct str *head[COLUMNS] = { &ev->source, &ev->object, &ev->parser };
    uint32_t columns = s->fields + COLUMNS;
    struct str map = rd_take(k->r, (columns + 7) / 8, "a bit for each column");

    if (!rd_ok(k->r))
        return;
    if (s->fields) {
        ev->fields = arena_array(k->arena, s->fields, sizeof *ev->fields);
        if (!ev->fields) {
            rd_fail(k->r, "memory for the fields");
            return;
        }
    }
    ev->field_cap = s->fields;
    for (uint32_t i = 0; i < columns; i++) {
        if (!((unsigned char)map.p[i / 8] >> i % 8 & 1))
            s->last[i] = get_text(k, ev->original);
        if (i < COLUMNS)
            *head[i] = s->last[i];
        else
            ev->fields[i - COLUMNS] = (struct event_field){ s->names[i - COLUMNS], s->last[i] };
    }
    if (rd_ok(k->r))
        ev->field_count = s->fields;
}

static void get_event(struct decoder *k, struct event *ev, const struct event *before)
{
    const struct shape *s = shape_of(k);

    if (!s)
        return;
    k->reference = 0;
    ev->time = (time_ns)((uint64_t)(before ? before->time : 0) + (uint64_t)codec_zag(rd_varint(k->r)));
    ev->received = (time_ns)((uint64_t)(before ? before->received : 0) + (uint64_t)codec_zag(rd_varint(k->r)));
    ev->offset_min = s->offset_min;
    ev->class = (enum event_class)(s->flags & 15);
    ev->parse = (enum event_parse)(s->flags >> 4);
    ev->marks = s->marks;
    ev->original = rd_varstr(k->r, EVENT_ORIGINAL_MAX, "a line within the limit");
    ev->time_text = get_text(k, ev->original);
    get_columns(k, ev, s);
}

void decode2(struct reader *r, uint64_t first_seq, struct event_batch *batch)
{
    struct decoder k = { .r = r, .arena = &batch->arena };
    uint64_t count = rd_varint(r);

    if (count > EVENT_BATCH_MAX || count > rd_left(r))
        rd_fail(r, "a number of events within the limit");
    for (uint64_t i = 0; i < count && rd_ok(r); i++) {
        struct event *ev = event_batch_add(batch);

        if (!ev) {
            rd_fail(r, "room in the batch");
            break;
        }
        ev->seq = first_seq + i;
        get_event(&k, ev, i ? ev - 1 : NULL);
    }
}
