/* decode.c - the events of a payload; the layout is in codec.h. Nothing it is given is believed. */
#include "event/decode.h"

struct decoder {
    struct reader *r;
    struct arena  *arena;
    struct table   names, shapes;   /* of struct str, struct shape */
};

/* Pieces of the line that a column is: from this cut to that one. from == to: it is a text of its own. */
struct span {
    uint16_t from, to;
};

/* A text that stands in the payload. */
struct place {
    uint32_t at, n;
};

/* A line of names that nobody has twice is a shape of its own: it takes less memory here than its fields do. */
struct shape {
    const uint32_t    *names;    /* of its fields */
    const struct span *spans;    /* of its columns */
    struct place      *last;     /* of its texts: the pieces, then the columns that are no piece */
    struct common      common;
    uint32_t           fields, pieces, texts;
};

/* get_span - which pieces a column is, of a line that has so many. */
static struct span get_span(struct decoder *k, uint32_t pieces)
{
    uint64_t from = rd_varint(k->r), count;

    if (from == 0)
        return (struct span){ 0, 0 };
    count = rd_varint(k->r);
    if (from > pieces || count == 0 || count > pieces - (from - 1))
        rd_fail(k->r, "pieces of the line");
    return rd_ok(k->r) ? (struct span){ (uint16_t)(from - 1), (uint16_t)(from - 1 + count) } : (struct span){ 0, 0 };
}

static void get_columns_of(struct decoder *k, struct shape *s)
{
    uint32_t *names = arena_array(k->arena, s->fields + 1, sizeof *names);
    struct span *spans = arena_array(k->arena, s->fields + CODEC_COLUMNS, sizeof *spans);

    if (!names || !spans) {
        rd_fail(k->r, "memory for a shape");
        return;
    }
    s->names = names;
    s->spans = spans;
    s->texts = s->pieces;
    for (uint32_t i = 0; i < s->fields + CODEC_COLUMNS && rd_ok(k->r); i++) {
        if (i >= CODEC_COLUMNS)
            names[i - CODEC_COLUMNS] = name_at(k->r, k->arena, &k->names);
        spans[i] = get_span(k, s->pieces);
        s->texts += spans[i].from == spans[i].to;
    }
    if (!rd_ok(k->r))
        return;
    s->last = arena_zero(k->arena, (s->texts + 1) * sizeof *s->last);
    if (!s->last)
        rd_fail(k->r, "memory for a shape");
}

static void get_shape(struct decoder *k, struct shape *s)
{
    uint64_t pieces;

    s->common.flags = flags_get(k->r);
    s->common.marks = (uint32_t)rd_varint(k->r);
    s->common.offset_min = zone_get(k->r);
    pieces = rd_varint(k->r);
    if (pieces > CODEC_PIECES_MAX)
        rd_fail(k->r, "a number of pieces within the limit");
    s->fields = field_count_get(k->r);
    if (!rd_ok(k->r))
        return;
    s->pieces = (uint32_t)pieces;
    get_columns_of(k, s);
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

/* get_texts - the texts of an event that are not those of the last event of its shape: a bit for each of all, how long each is, their bytes. */
static void get_texts(struct decoder *k, const struct shape *s)
{
    struct str map = rd_take(k->r, (s->texts + 7) / 8, "a bit for each text");
    struct place *change[CODEC_TEXTS_MAX];
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
static void get_line(struct decoder *k, struct event *ev, const struct shape *s, uint32_t *cut)
{
    const struct place *piece = s->last, *end = piece + s->pieces;
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

/* get_value - of a column: pieces of the line, or the next text of its own. */
static inline struct str get_value(const char *payload, const char *line, const uint32_t *cut, const struct span *span, const struct place **own)
{
    const struct place *text;

    if (span->from < span->to)
        return str_of(line + cut[span->from], cut[span->to] - cut[span->from]);
    text = (*own)++;
    return str_of(payload + text->at, text->n);
}

static void get_columns(struct decoder *k, struct event *ev, const struct shape *s)
{
    const char *payload = (const char *)k->r->p, *line;
    const struct place *own = s->last + s->pieces;
    const struct span *span = s->spans;
    uint32_t cut[CODEC_PIECES_MAX + 1];
    struct event_field *f;

    get_texts(k, s);
    if (rd_ok(k->r))
        get_line(k, ev, s, cut);
    f = rd_ok(k->r) ? arena_array(k->arena, s->fields, sizeof *f) : NULL;
    if (!f) {
        rd_fail(k->r, "memory for the fields");
        return;
    }
    const struct str *names = k->names.items;

    line = ev->original.p;
    ev->time_text = get_value(payload, line, cut, span++, &own);
    ev->source = get_value(payload, line, cut, span++, &own);
    ev->object = get_value(payload, line, cut, span++, &own);
    ev->parser = get_value(payload, line, cut, span++, &own);
    ev->fields = f;
    ev->field_count = ev->field_cap = s->fields;
    for (uint32_t i = 0; i < s->fields; i++, f++, span++) {
        f->name = names[s->names[i]];
        f->value = get_value(payload, line, cut, span, &own);
    }
}

static void get_event(void *arg, struct event *ev, const struct event *before)
{
    struct decoder *k = arg;
    const struct shape *s = shape_of(k);

    if (!s)
        return;
    common_put(k->r, &s->common, before, ev);
    get_columns(k, ev, s);
}

static void decode3(struct reader *r, uint64_t first_seq, struct event_batch *batch)
{
    struct decoder k = { .r = r, .arena = &batch->arena };

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
