/* encode_shape.c - the names and shapes of a payload: finding the shape that an event fits, describing one that is new.
 *
 * An event fits a shape if it has its fields and if its values stand in its line as the shape says. Both are told by places in memory, not by
 * texts: a value that is a part of the line lies in it, and most names and many values are literals, which lie where they lay in the event before. */
#include "event/encode.h"

#define TRIES 8   /* shapes of the same fields that are tried, the youngest first: lines that are cut ever anew cost no more than that */

/* grow - the table has room for one more; hashes gives what stands in it anew. */
static bool grow(struct table *t, uint64_t (*hash)(const struct event_encoder *, size_t), const struct event_encoder *k)
{
    size_t cap = t->cap ? t->cap * 2 : 256;
    uint32_t *slot;

    if (t->count * 2 < t->cap)
        return true;
    slot = calloc(cap, sizeof *slot);
    if (!slot)
        return false;
    for (size_t i = 0; i < t->cap; i++) {
        size_t at;

        if (!t->slot[i])
            continue;
        at = hash(k, t->slot[i] - 1) & (cap - 1);
        while (slot[at])
            at = (at + 1) & (cap - 1);
        slot[at] = t->slot[i];
    }
    free(t->slot);
    t->slot = slot;
    t->cap = cap;
    return true;
}

static uint64_t name_hash(const struct event_encoder *k, size_t i) { return str_hash(k->names[i]); }
static uint64_t shape_hash(const struct event_encoder *k, size_t i) { return k->shapes[i].hash; }

/* name_index - the index of a name, added if new; -1 without memory or past the limit. */
static int64_t name_index(struct event_encoder *k, struct str name)
{
    struct table *t = &k->name_table;
    size_t at;

    if (t->count >= CODEC_NAMES_MAX || !grow(t, name_hash, k))
        return -1;
    at = str_hash(name) & (t->cap - 1);
    while (t->slot[at]) {
        if (str_eq(k->names[t->slot[at] - 1], name))
            return t->slot[at] - 1;
        at = (at + 1) & (t->cap - 1);
    }
    if (t->count == k->names_cap) {
        size_t cap = max_size(k->names_cap * 2, 128);
        struct str *names = realloc(k->names, cap * sizeof *names);

        if (!names)
            return -1;
        k->names = names;
        k->names_cap = cap;
    }
    k->names[t->count] = arena_copy(&k->texts, name);
    if (name.n && !k->names[t->count].p)
        return -1;
    t->slot[at] = (uint32_t)++t->count;
    return (int64_t)t->count - 1;
}

/* name_of - name_index through the cache. A place in memory keeps its text while a portion is encoded. */
static int64_t name_of(struct event_encoder *k, struct str name)
{
    struct name_seen *seen = &k->cache[((uintptr_t)name.p * UINT64_C(0x9E3779B97F4A7C15) >> 40) & (NAME_CACHE - 1)];

    if (seen->p != name.p || seen->n != name.n) {
        int64_t at = name_index(k, name);

        if (at < 0)
            return at;
        *seen = (struct name_seen){ name.p, name.n, (uint32_t)at };
    }
    return seen->index;
}


/* shape_room - one more shape, of so many columns and texts. */
static bool shape_room(struct event_encoder *k, size_t columns, size_t texts)
{
    if (k->shape_count == k->shapes_cap) {
        size_t cap = max_size(k->shapes_cap * 2, 64);
        struct shape *shapes = realloc(k->shapes, cap * sizeof *shapes);

        if (!shapes)
            return false;
        k->shapes = shapes;
        k->shapes_cap = cap;
    }
    if (k->columns + columns > k->columns_cap) {
        size_t cap = max_size(k->columns_cap * 2, 4096);
        uint32_t *names = realloc(k->column_names, cap * sizeof *names);
        struct span *spans = realloc(k->spans, cap * sizeof *spans);

        k->column_names = names ? names : k->column_names;
        k->spans = spans ? spans : k->spans;
        if (!names || !spans)
            return false;
        k->columns_cap = cap;
    }
    if (k->text_count + texts > k->texts_cap) {
        size_t cap = max_size(k->texts_cap * 2, 4096);
        struct place *last = realloc(k->last, cap * sizeof *last);

        if (!last)
            return false;
        k->last = last;
        k->texts_cap = cap;
    }
    return true;
}

/* is_inside - whether a value, not empty, is a part of the line by its place in memory; *at is then its offset. */
static inline bool is_inside(struct str line, struct str v, size_t *at)
{
    *at = (size_t)((uintptr_t)v.p - (uintptr_t)line.p);
    return *at < line.n && v.n - 1 < line.n - *at;
}

/* Stand for the last event of a shape where there is none in this portion: nothing lies where their texts do. */
#define NOWHERE { NULL, SIZE_MAX }
static const struct event no_event = { .time_text = NOWHERE, .source = NOWHERE, .object = NOWHERE, .parser = NOWHERE };
static const struct event_field no_fields[EVENT_FIELDS_MAX] = { [0 ... EVENT_FIELDS_MAX - 1] = { NOWHERE, NOWHERE } };

static inline bool one_place(struct str a, struct str b) { return a.p == b.p && a.n == b.n; }

/* fits_column - whether a value stands in the line as the shape says; its cuts are placed, or agree. A value that is no part of the line is in
 * doubt, unless it lies where that of the last event lies. */
static inline bool fits_column(struct str line, struct str v, struct str last, const struct span *span, struct fit *fit)
{
    size_t at;

    if (!span->to) {
        if (one_place(v, last))
            return true;
        fit->doubt[fit->doubts++] = (struct doubt){ span->from, v };
        return !is_inside(line, v, &at);
    }
    if (!is_inside(line, v, &at))
        return false;
    if (span->places_from)
        fit->cut[span->from] = (uint32_t)at;
    if (span->places_to)
        fit->cut[span->to] = (uint32_t)(at + v.n);
    return fit->cut[span->from] == at && fit->cut[span->to] == at + v.n;
}

/* fits - whether the event has the fields of this shape, and all its columns stand in its line as they do in the shape. */
static bool fits(struct event_encoder *k, const struct shape *s, const struct event *ev, struct fit *fit)
{
    const struct event *last = s->portion == k->portion ? s->last : &no_event;
    const struct event_field *f = ev->fields, *l = s->portion == k->portion ? last->fields : no_fields;
    const uint32_t *name = k->column_names + s->column + CODEC_COLUMNS;
    const struct span *span = k->spans + s->column;
    struct str line = ev->original;

    fit->doubts = 0;
    fit->cut[0] = 0;
    fit->cut[s->pieces] = (uint32_t)line.n;
    if (!fits_column(line, ev->time_text, last->time_text, span, fit) || !fits_column(line, ev->source, last->source, span + 1, fit) ||
        !fits_column(line, ev->object, last->object, span + 2, fit) || !fits_column(line, ev->parser, last->parser, span + 3, fit))
        return false;
    span += CODEC_COLUMNS;
    for (uint32_t left = s->fields; left; left--, f++, l++, name++, span++) {
        if (!one_place(f->name, l->name) && name_of(k, f->name) != *name)
            return false;
        if (!fits_column(line, f->value, l->value, span, fit))
            return false;
    }
    for (unsigned i = 0; i < s->pieces; i++)
        if (fit->cut[i] > fit->cut[i + 1])
            return false;
    return true;
}

/* column_value - as fits walks them. */
static struct str column_value(const struct event *ev, unsigned column)
{
    const struct str head[CODEC_COLUMNS] = { ev->time_text, ev->source, ev->object, ev->parser };

    return column < CODEC_COLUMNS ? head[column] : ev->fields[column - CODEC_COLUMNS].value;
}

static int by_value(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

    return (x > y) - (x < y);
}

/* cut_at - the number of the cut at this place, which is one. */
static uint16_t cut_at(const uint32_t *cut, size_t count, size_t at)
{
    uint32_t key = (uint32_t)at;

    return (uint16_t)((const uint32_t *)bsearch(&key, cut, count, sizeof key, by_value) - cut);
}

/* cut_line - the cuts of a new shape: wherever a value begins or ends in the line of its first event. */
static void cut_line(struct event_encoder *k, struct shape *s, const struct event *ev, uint32_t *cut)
{
    unsigned columns = s->fields + CODEC_COLUMNS;
    struct span *span = k->spans + s->column;
    bool placed[CODEC_PIECES_MAX + 1] = { true };
    size_t count = 0, kept = 1, at;

    cut[count++] = 0;
    for (unsigned c = 0; c < columns; c++) {
        struct str v = column_value(ev, c);

        if (is_inside(ev->original, v, &at)) {
            cut[count++] = (uint32_t)at;
            cut[count++] = (uint32_t)(at + v.n);
        }
    }
    cut[count++] = (uint32_t)ev->original.n;
    qsort(cut, count, sizeof *cut, by_value);
    for (size_t i = 1; i < count; i++)
        if (cut[i] != cut[kept - 1])
            cut[kept++] = cut[i];
    if (kept == 1)
        kept++;   /* an empty line is an empty piece, as others of this shape need not be empty */
    s->texts = s->pieces = (uint16_t)(kept - 1);
    placed[s->pieces] = true;
    for (unsigned c = 0; c < columns; c++) {
        struct str v = column_value(ev, c);

        if (!is_inside(ev->original, v, &at)) {
            span[c] = (struct span){ .from = s->texts++ };
            continue;
        }
        span[c].from = cut_at(cut, kept, at);
        span[c].to = cut_at(cut, kept, at + v.n);
        span[c].places_from = !placed[span[c].from];
        span[c].places_to = !placed[span[c].to];
        placed[span[c].from] = placed[span[c].to] = true;
    }
}

/* described_max - bytes of the description of so many columns, without the texts of names. */
static size_t described_max(uint32_t columns)
{
    return 1 + (4 + 4 * (size_t)columns) * VARINT_MAX;
}

/* put_name - a name of a new shape, with room for the columns from it on; one that no shape before had is spelled out. *known: so many were. */
static bool put_name(struct event_encoder *k, uint32_t name, uint32_t columns, size_t *known)
{
    k->w = varint(k->w, name);
    if (name < *known)
        return true;
    *known = name + 1u;
    room(k, k->names[name].n + described_max(columns));
    if (!k->w)
        return false;
    k->w = varint(k->w, k->names[name].n);
    memcpy(k->w, k->names[name].p, k->names[name].n);
    k->w += k->names[name].n;
    return true;
}

/* describe - a shape that is new is set down. known: so many names were there before its event. */
static bool describe(struct event_encoder *k, const struct shape *s, size_t known)
{
    const uint32_t *names = k->column_names + s->column;
    const struct span *span = k->spans + s->column;
    uint32_t columns = s->fields + CODEC_COLUMNS;

    room(k, described_max(columns));
    if (!k->w)
        return false;
    *k->w++ = s->flags;
    k->w = varint(k->w, s->marks);
    k->w = varint(k->w, s->offset_min == EVENT_OFFSET_NONE ? 0 : codec_zig((int64_t)s->offset_min) + 1);
    k->w = varint(k->w, s->pieces);
    k->w = varint(k->w, s->fields);
    for (uint32_t c = 0; c < columns; c++) {
        if (c >= CODEC_COLUMNS && !put_name(k, names[c], columns - c, &known))
            return false;
        k->w = varint(k->w, span[c].to ? span[c].from + 1u : 0);
        if (span[c].to)
            k->w = varint(k->w, (unsigned)(span[c].to - span[c].from));
    }
    return true;
}

static bool same_shape(const struct event_encoder *k, const struct shape *a, const struct shape *b, const uint32_t *names)
{
    return a->hash == b->hash && a->flags == b->flags && a->marks == b->marks && a->offset_min == b->offset_min && a->fields == b->fields &&
           memcmp(k->column_names + a->column + CODEC_COLUMNS, names, a->fields * sizeof *names) == 0;
}

static struct shape *shape_new(struct event_encoder *k, struct shape s, const uint32_t *names, const struct event *ev, struct fit *fit)
{
    unsigned columns = s.fields + CODEC_COLUMNS;

    if (!shape_room(k, columns, CODEC_PIECES_MAX + columns))
        return NULL;
    s.column = (uint32_t)k->columns;
    s.text = (uint32_t)k->text_count;
    memcpy(k->column_names + s.column + CODEC_COLUMNS, names, s.fields * sizeof *names);
    cut_line(k, &s, ev, fit->cut);
    memset(k->last + s.text, 0, s.texts * sizeof *k->last);
    k->columns += columns;
    k->text_count += s.texts;
    k->shapes[k->shape_count] = s;
    return &k->shapes[k->shape_count++];
}

static uint8_t flags_of(const struct event *ev)
{
    return (uint8_t)((unsigned)ev->class | (unsigned)ev->parse << 4);
}

/* fields_of - a shape's fields and what else all its events share. */
static bool fields_of(struct event_encoder *k, const struct event *ev, struct shape *s, uint32_t *names)
{
    *s = (struct shape){ .marks = ev->marks, .fields = ev->field_count, .offset_min = ev->offset_min,
                         .flags = flags_of(ev) };
    s->hash = (uint64_t)s->flags << 56 ^ (uint64_t)s->marks << 40 ^ (uint32_t)s->offset_min;
    for (uint32_t i = 0; i < s->fields; i++) {
        int64_t n = name_of(k, ev->fields[i].name);

        if (n < 0)
            return false;
        names[i] = (uint32_t)n;
        s->hash = (s->hash ^ (uint64_t)n) * UINT64_C(0x9E3779B97F4A7C15);
        s->hash ^= s->hash >> 29;
    }
    return true;
}

/* find_cut - of the shapes with these fields, from index + 1 on, the one that is cut as this event is: its index + 1, or 0. */
static uint32_t find_cut(struct event_encoder *k, uint32_t from, const struct event *ev, struct fit *fit)
{
    for (unsigned tries = 0; from && tries < TRIES; tries++) {
        if (fits(k, &k->shapes[from - 1], ev, fit))
            return from;
        from = k->shapes[from - 1].next;
    }
    return 0;
}

/* shape_find - the shape of an event by its fields, with its index and, where it is new, its description set down. known is the number of names
 * that were there before this event. */
static struct shape *shape_find(struct event_encoder *k, const struct event *ev, size_t known, struct fit *fit)
{
    struct table *t = &k->shape_table;
    uint32_t names[EVENT_FIELDS_MAX], old;
    struct shape s, *made;
    size_t at;

    if (ev->field_count > EVENT_FIELDS_MAX || !fields_of(k, ev, &s, names) || !grow(t, shape_hash, k))
        return NULL;
    at = s.hash & (t->cap - 1);
    while (t->slot[at] && !same_shape(k, &k->shapes[t->slot[at] - 1], &s, names))
        at = (at + 1) & (t->cap - 1);
    old = find_cut(k, t->slot[at], ev, fit);
    if (old) {
        k->w = varint(k->w, old - 1);
        return &k->shapes[old - 1];
    }
    k->w = varint(k->w, k->shape_count);
    s.next = t->slot[at];
    t->count += !t->slot[at];
    made = shape_new(k, s, names, ev, fit);
    if (!made || !describe(k, made, known))
        return NULL;
    t->slot[at] = (uint32_t)k->shape_count;
    return fits(k, made, ev, fit) ? made : NULL;
}

/* like_of - where the shape of events stands whose names lie where those of this one lie. */
static uint32_t *like_of(struct event_encoder *k, const struct event *ev)
{
    uintptr_t hash = (uintptr_t)ev->parser.p + ev->field_count * 131u + ev->marks + (unsigned)ev->offset_min;

    for (uint32_t i = ev->field_count; i > 0; i /= 2)
        hash = hash * 31u + (uintptr_t)ev->fields[i - 1].name.p;
    return &k->likes[(hash * UINT64_C(0x9E3779B97F4A7C15) >> 40) & (LIKES - 1)];
}

/* shape_of - most events are like one just before, down to the places in memory of their names and of many values. */
struct shape *shape_of(struct event_encoder *k, const struct event *ev, struct fit *fit)
{
    size_t known = k->name_table.count;
    uint32_t *like = like_of(k, ev);
    struct shape *s = *like ? &k->shapes[*like - 1] : NULL;

    if (s && s->fields == ev->field_count && s->marks == ev->marks && s->flags == flags_of(ev) && s->offset_min == ev->offset_min &&
        fits(k, s, ev, fit))
        k->w = varint(k->w, *like - 1);
    else
        s = shape_find(k, ev, known, fit);
    if (s) {
        *like = (uint32_t)(s - k->shapes) + 1;
        s->last = ev;
        s->portion = k->portion;
    }
    return s;
}
