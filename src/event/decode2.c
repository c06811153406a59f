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
#include "event/decode.h"

#define COLUMNS 3   /* source, object, parser stand before the fields */

struct decoder {
    struct reader *r;
    struct arena  *arena;
    struct table   names, shapes;   /* of struct str, struct shape */
    size_t         reference;
};

struct shape {
    const struct str *names;   /* of its fields */
    struct str       *last;    /* of its columns */
    struct common     common;
    uint32_t          fields;
};

static void get_shape(struct decoder *k, struct shape *s)
{
    struct str *names;

    s->common.flags = flags_get(k->r);
    s->common.marks = (uint32_t)rd_varint(k->r);
    s->common.offset_min = zone_get(k->r);
    s->fields = field_count_get(k->r);
    if (!rd_ok(k->r))
        return;
    names = arena_array(k->arena, s->fields + 1, sizeof *names);
    s->last = arena_zero(k->arena, (s->fields + COLUMNS) * sizeof *s->last);
    s->names = names;
    if (!names || !s->last) {
        rd_fail(k->r, "memory for a shape");
        return;
    }
    for (uint32_t i = 0; i < s->fields && rd_ok(k->r); i++) {
        uint32_t at = name_at(k->r, k->arena, &k->names);

        if (rd_ok(k->r))
            names[i] = ((const struct str *)k->names.items)[at];
    }
}

/* shape_of - the shape of the next event; NULL after a failure. */
static struct shape *shape_of(struct decoder *k)
{
    bool fresh;
    struct shape *s = table_at(k->r, k->arena, &k->shapes, sizeof *s, SIZE_MAX, "the index of a shape", &fresh);

    if (s && fresh)
        get_shape(k, s);
    return rd_ok(k->r) ? s : NULL;
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

static void get_event(void *arg, struct event *ev, const struct event *before)
{
    struct decoder *k = arg;
    const struct shape *s = shape_of(k);

    if (!s)
        return;
    k->reference = 0;
    common_put(k->r, &s->common, before, ev);
    ev->original = rd_varstr(k->r, EVENT_ORIGINAL_MAX, "a line within the limit");
    ev->time_text = get_text(k, ev->original);
    get_columns(k, ev, s);
}

void decode2(struct reader *r, uint64_t first_seq, struct event_batch *batch)
{
    struct decoder k = { .r = r, .arena = &batch->arena };

    events_get(r, event_count_get(r), first_seq, batch, get_event, &k);
}
