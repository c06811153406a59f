/* decode.c - the events of a payload; the layout is in codec.h. Nothing it is given is believed. */
#include "event/codec.h"

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
    s->last = arena_array(k->arena, s->fields + CODEC_COLUMNS, sizeof *s->last);
    s->names = names;
    if (!names || !s->last) {
        rd_fail(k->r, "memory for a shape");
        return;
    }
    memset(s->last, 0, (s->fields + CODEC_COLUMNS) * sizeof *s->last);
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
    struct str *head[CODEC_COLUMNS] = { &ev->source, &ev->object, &ev->parser };
    uint32_t columns = s->fields + CODEC_COLUMNS;
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
        if (i < CODEC_COLUMNS)
            *head[i] = s->last[i];
        else
            ev->fields[i - CODEC_COLUMNS] = (struct event_field){ s->names[i - CODEC_COLUMNS], s->last[i] };
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

static void decode2(struct reader *r, uint64_t first_seq, struct event_batch *batch)
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

int event_decode(struct str payload, uint64_t first_seq, struct event_batch *batch, struct err *e)
{
    struct reader r = rd_str(payload);
    size_t had = batch->count;
    uint8_t version = rd_u8(&r);

    if (version == CODEC_VERSION)
        decode2(&r, first_seq, batch);
    else if (version == 1)
        decode1(&r, first_seq, batch);
    else
        rd_fail(&r, "version 1 or 2");
    if (rd_ok(&r) && rd_left(&r))
        rd_fail(&r, "the end of the payload");
    if (rd_ok(&r))
        return 0;
    batch->count = had;
    return rd_err(&r, e, "payload");
}
