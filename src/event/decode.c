/* decode.c - the events of a payload; the layout is in codec.h. Nothing it is given is believed. */
#include "event/payload.h"

/* get_span - which pieces of its line a column is; or it is the next text of the shape. */
static void get_span(struct payload_reader *k, struct payload_shape *s, struct payload_column *c)
{
    uint64_t from = rd_varint(k->r), count;

    if (from == 0) {
        c->from = c->to = (uint16_t)s->texts++;
        return;
    }
    count = rd_varint(k->r);
    if (from > s->pieces || count == 0 || count > s->pieces - (from - 1)) {
        rd_fail(k->r, "pieces of the line");
        return;
    }
    c->from = (uint16_t)(from - 1);
    c->to = (uint16_t)(from - 1 + count);
}

static bool wanted(const struct payload_reader *k, uint32_t name)
{
    return !k->batch || !k->batch->wanted || k->batch->wanted(k->batch->wanted_arg, ((const struct str *)k->names.items)[name]);
}

static void get_columns_of(struct payload_reader *k, struct payload_shape *s, uint32_t fields)
{
    struct payload_column *c = arena_array(k->arena, fields + CODEC_COLUMNS, sizeof *c);

    if (!c) {
        rd_fail(k->r, "memory for a shape");
        return;
    }
    s->columns = c;
    s->texts = s->pieces;
    for (uint32_t i = 0; i < fields + CODEC_COLUMNS && rd_ok(k->r); i++) {
        c->name = i < CODEC_COLUMNS ? 0 : name_at(k->r, k->arena, &k->names);
        get_span(k, s, c);
        if (rd_ok(k->r) && (i < CODEC_COLUMNS || wanted(k, c->name)))
            c++;
    }
    if (!rd_ok(k->r))
        return;
    s->fields = (uint32_t)(c - s->columns) - CODEC_COLUMNS;
    s->last = arena_zero(k->arena, (s->texts + 1) * sizeof *s->last);
    if (!s->last)
        rd_fail(k->r, "memory for a shape");
}

static void get_shape(struct payload_reader *k, struct payload_shape *s)
{
    uint64_t pieces;
    uint32_t fields;

    s->common.flags = flags_get(k->r);
    s->common.marks = (uint32_t)rd_varint(k->r);
    s->common.offset_min = zone_get(k->r);
    pieces = rd_varint(k->r);
    if (pieces > CODEC_PIECES_MAX)
        rd_fail(k->r, "a number of pieces within the limit");
    fields = field_count_get(k->r);
    if (!rd_ok(k->r))
        return;
    s->pieces = (uint32_t)pieces;
    get_columns_of(k, s, fields);
}

struct payload_shape *payload_shape(struct payload_reader *k)
{
    bool fresh;
    struct payload_shape *s = table_at(k->r, k->arena, &k->shapes, sizeof *s, SIZE_MAX, "the index of a shape", &fresh);

    if (s && fresh)
        get_shape(k, s);
    return rd_ok(k->r) ? s : NULL;
}

void payload_texts(struct payload_reader *k, const struct payload_shape *s)
{
    struct str map = rd_take(k->r, (s->texts + 7) / 8, "a bit for each text");
    struct payload_place *change[CODEC_TEXTS_MAX];
    unsigned count = 0;
    uint64_t n;

    for (size_t i = 0; i < map.n; i++)
        for (unsigned bits = (unsigned char)map.p[i]; bits; bits &= bits - 1)
            change[count++] = s->last + 8 * i + (unsigned)__builtin_ctz(bits);
    if (count && change[count - 1] >= s->last + s->texts)
        rd_fail(k->r, "bits of texts that there are");
    for (unsigned i = 0; i < count && rd_ok(k->r); i++) {
        n = rd_varint(k->r);
        if (n > rd_left(k->r))
            rd_fail(k->r, "texts that are there");
        change[i]->n = (uint32_t)n;
    }
    for (unsigned i = 0; i < count && rd_ok(k->r); i++) {
        change[i]->at = (uint32_t)rd_offset(k->r);
        rd_skip(k->r, change[i]->n);
    }
}

/* get_line - the pieces are put together; cut[0…pieces] says where. */
static void get_line(struct payload_reader *k, struct event *ev, const struct payload_shape *s, uint32_t *cut)
{
    const struct payload_place *piece = s->last, *end = piece + s->pieces;
    const char *payload = (const char *)k->r->p;
    size_t n = 0;
    char *line;

    for (; piece < end && n <= EVENT_ORIGINAL_MAX; n += piece++->n)
        *cut++ = (uint32_t)n;
    *cut = (uint32_t)n;
    line = n <= EVENT_ORIGINAL_MAX ? arena_alloc(k->arena, n) : NULL;
    if (!line) {
        rd_fail(k->r, "a line within the limit, and memory for it");
        return;
    }
    ev->original = str_of(line, n);
    for (piece = s->last; piece < end; line += piece++->n)
        codec_copy(line, payload + piece->at, piece->n);
}

/* Where the values of an event are. */
struct values {
    const char         *payload, *line;
    const struct payload_place *last;
    uint32_t            cut[CODEC_PIECES_MAX + 1];
};

static inline struct str get_value(const struct values *v, const struct payload_column *c)
{
    if (c->from < c->to)
        return str_of(v->line + v->cut[c->from], v->cut[c->to] - v->cut[c->from]);
    return str_of(v->payload + v->last[c->from].at, v->last[c->from].n);
}

static void get_columns(struct payload_reader *k, struct event *ev, const struct payload_shape *s)
{
    const struct payload_column *c = s->columns;
    struct event_field *f;
    struct values v;

    payload_texts(k, s);
    if (rd_ok(k->r))
        get_line(k, ev, s, v.cut);
    f = rd_ok(k->r) ? arena_array(k->arena, s->fields, sizeof *f) : NULL;
    if (!f) {
        rd_fail(k->r, "memory for the fields");
        return;
    }
    const struct str *names = k->names.items;

    v.payload = (const char *)k->r->p;
    v.line = ev->original.p;
    v.last = s->last;
    ev->time_text = get_value(&v, c++);
    ev->source = get_value(&v, c++);
    ev->object = get_value(&v, c++);
    ev->parser = get_value(&v, c++);
    ev->fields = f;
    ev->field_count = ev->field_cap = s->fields;
    for (uint32_t i = 0; i < s->fields; i++, f++, c++) {
        f->name = names[c->name];
        f->value = get_value(&v, c);
    }
}

static void get_event(void *arg, struct event *ev, const struct event *before)
{
    struct payload_reader *k = arg;
    const struct payload_shape *s = payload_shape(k);

    if (!s)
        return;
    common_put(k->r, &s->common, before, ev);
    get_columns(k, ev, s);
}

static void decode3(struct reader *r, uint64_t first_seq, struct event_batch *batch)
{
    struct payload_reader k = { .r = r, .arena = &batch->arena, .batch = batch };

    if (r->n > UINT32_MAX)
        rd_fail(r, "a payload of less than 4 GiB");
    events_get(r, event_count_get(r), first_seq, batch, get_event, &k);
}

int event_decode(struct str payload, uint64_t first_seq, struct event_batch *batch, struct err *e)
{
    struct reader r = rd_str(payload);
    size_t had = batch->count;
    uint8_t version = rd_u8(&r);

    if (version == CODEC_VERSION)
        decode3(&r, first_seq, batch);
    else if (version == 2)
        decode2(&r, first_seq, batch);
    else if (version == 1)
        decode1(&r, first_seq, batch);
    else
        rd_fail(&r, "version 1 to 3");
    if (rd_ok(&r) && rd_left(&r))
        rd_fail(&r, "the end of the payload");
    if (rd_ok(&r))
        return 0;
    batch->count = had;
    return rd_err(&r, e, "payload");
}
