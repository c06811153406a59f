/* encode.c - many events as bytes; the layout is in codec.h.
 *
 * One pass, and no call per byte: for each event the room it can need at most is asked for once, then bytes are set down in it. Events
 * may come in portions while they are still in the processor's cache: nothing is kept that points into them, the values that the next
 * event is compared with stand in the payload itself. */
#include "event/codec.h"

#define NAME_CACHE  512u    /* a power of two */
#define LIKES       64u     /* a power of two */
#define COUNT_BYTES 3u      /* the number of events, a varint of this width: it is known at the end */
#define VARINT_MAX  10u
#define EVENT_FIXED (8 * VARINT_MAX + 1 + (EVENT_FIELDS_MAX + CODEC_COLUMNS + 7) / 8)   /* all of an event but texts and columns */
#define COLUMN_MAX  (2 * VARINT_MAX)                                                    /* a reference, or the length of a text */

/* A name that was seen at this place in memory: nearly all are literals, so the text is hashed once a portion. */
struct name_seen {
    const char *p;
    size_t      n;
    uint32_t    index;
};

/* The table of names: open addressing on the hash; the same of shapes. */
struct table {
    uint32_t *slot;        /* index + 1 */
    size_t    count, cap;  /* cap is a power of two, at least twice count */
};

/* A text that stands in the payload. */
struct place {
    uint32_t at, n;
};

struct shape {
    uint64_t hash;
    uint32_t marks, column, fields;   /* its first column; number of fields */
    int32_t  offset_min;
    uint8_t  flags;
    uint32_t portion;                 /* that last is of */
    const struct event *last;         /* the last of this shape: its values are those that the next one's are compared with */
};

/* An event of this portion and its shape: most are like one just before, down to the places in memory of their names. */
struct like {
    const struct event *ev;
    uint32_t            shape;
};

struct event_encoder {
    struct name_seen cache[NAME_CACHE];
    struct like      likes[LIKES];
    struct table     name_table, shape_table;
    struct arena     texts;          /* of names */
    struct str      *names;
    struct shape    *shapes;
    size_t           names_cap, shapes_cap;
    uint32_t        *column_names;   /* by column; the three that are no fields have none */
    struct place    *column_last;
    size_t           columns, columns_cap;
    struct buf      *out;
    unsigned char   *w;              /* where the next byte goes; NULL after a failure */
    uint32_t         portion;        /* counts them; 0: none yet */
    size_t           start, count;   /* where the payload begins in out; events in it */
    time_ns          time, received; /* of the event before */
    size_t           original;       /* where the line of this event stands in out */
    size_t           reference;      /* the end of the last reference of this event */
};

static unsigned char *varint(unsigned char *w, uint64_t v)
{
    while (v >= 0x80) {
        *w++ = (unsigned char)(v | 0x80);
        v >>= 7;
    }
    *w++ = (unsigned char)v;
    return w;
}

/* room - at least need bytes from w on. */
static void room(struct event_encoder *k, size_t need)
{
    if (!k->w)
        return;
    k->out->n = (size_t)(k->w - (unsigned char *)k->out->p);
    k->w = (unsigned char *)buf_room(k->out, need);
}

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
    for (size_t i = 0; i < t->count; i++) {
        size_t at = hash(k, i) & (cap - 1);

        while (slot[at])
            at = (at + 1) & (cap - 1);
        slot[at] = (uint32_t)i + 1;
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

static bool columns_room(struct event_encoder *k, size_t more)
{
    size_t cap = max_size(k->columns_cap * 2, 4096);
    uint32_t *names;
    struct place *last;

    if (k->columns + more <= k->columns_cap)
        return true;
    names = realloc(k->column_names, cap * sizeof *names);
    if (names)
        k->column_names = names;
    last = names ? realloc(k->column_last, cap * sizeof *last) : NULL;
    if (!last)
        return false;
    k->column_last = last;
    k->columns_cap = cap;
    return true;
}

/* describe - a shape that is new: its columns begin empty, and its description is set down. known is the number of names before it. */
static bool describe(struct event_encoder *k, const struct shape *s, const uint32_t *names, size_t known)
{
    room(k, 1 + (3 + (size_t)s->fields) * VARINT_MAX);
    if (!k->w)
        return false;
    *k->w++ = s->flags;
    k->w = varint(k->w, s->marks);
    k->w = varint(k->w, s->offset_min == EVENT_OFFSET_NONE ? 0 : codec_zig((int64_t)s->offset_min) + 1);
    k->w = varint(k->w, s->fields);
    for (uint32_t i = 0; i < s->fields; i++) {
        k->w = varint(k->w, names[i]);
        if (names[i] < known)
            continue;
        struct str name = k->names[known++];
        room(k, name.n + (1 + (size_t)(s->fields - i)) * VARINT_MAX);
        if (!k->w)
            return false;
        k->w = varint(k->w, name.n);
        memcpy(k->w, name.p, name.n);
        k->w += name.n;
    }
    return true;
}

static bool same_shape(const struct event_encoder *k, const struct shape *a, const struct shape *b, const uint32_t *names)
{
    return a->hash == b->hash && a->flags == b->flags && a->marks == b->marks && a->offset_min == b->offset_min && a->fields == b->fields &&
           memcmp(k->column_names + a->column + CODEC_COLUMNS, names, a->fields * sizeof *names) == 0;
}

static struct shape *shape_new(struct event_encoder *k, const struct shape *s, const uint32_t *names)
{
    struct table *t = &k->shape_table;
    struct shape *shapes = k->shapes;

    if (t->count == k->shapes_cap) {
        size_t cap = max_size(k->shapes_cap * 2, 64);

        shapes = realloc(shapes, cap * sizeof *shapes);
        if (!shapes)
            return NULL;
        k->shapes = shapes;
        k->shapes_cap = cap;
    }
    if (!columns_room(k, s->fields + CODEC_COLUMNS))
        return NULL;
    shapes[t->count] = *s;
    shapes[t->count].column = (uint32_t)k->columns;
    memset(k->column_last + k->columns, 0, (s->fields + CODEC_COLUMNS) * sizeof *k->column_last);
    memcpy(k->column_names + k->columns + CODEC_COLUMNS, names, s->fields * sizeof *names);
    k->columns += s->fields + CODEC_COLUMNS;
    return &shapes[t->count++];
}

/* shape_find - the shape of an event that is like none of this portion, with its index and, where it is new, its description set down. */
static struct shape *shape_find(struct event_encoder *k, const struct event *ev)
{
    struct shape s = { .marks = ev->marks, .fields = ev->field_count, .offset_min = ev->offset_min,
                       .flags = (uint8_t)((unsigned)ev->class | (unsigned)ev->parse << 4) };
    struct table *t = &k->shape_table;
    uint32_t names[EVENT_FIELDS_MAX];
    size_t known = k->name_table.count, at;
    struct shape *made;

    s.hash = (uint64_t)s.flags << 56 ^ (uint64_t)s.marks << 40 ^ (uint32_t)s.offset_min;
    for (uint32_t i = 0; i < s.fields; i++) {
        int64_t n = name_of(k, ev->fields[i].name);

        if (n < 0)
            return NULL;
        names[i] = (uint32_t)n;
        s.hash = (s.hash ^ (uint64_t)n) * UINT64_C(0x9E3779B97F4A7C15);
        s.hash ^= s.hash >> 29;
    }
    if (!grow(t, shape_hash, k))
        return NULL;
    for (at = s.hash & (t->cap - 1); t->slot[at]; at = (at + 1) & (t->cap - 1))
        if (same_shape(k, &k->shapes[t->slot[at] - 1], &s, names)) {
            k->w = varint(k->w, t->slot[at] - 1);
            return &k->shapes[t->slot[at] - 1];
        }
    k->w = varint(k->w, t->count);
    made = shape_new(k, &s, names);
    if (!made || !describe(k, made, names, known))
        return NULL;
    t->slot[at] = (uint32_t)t->count;
    return made;
}

static struct like *like_of(struct event_encoder *k, const struct event *ev)
{
    uint32_t n = ev->field_count;
    uintptr_t hash = (uintptr_t)ev->parser.p + n * 131u + ev->marks;

    if (n)
        hash = (hash * 31u + (uintptr_t)ev->fields[n - 1].name.p) * 31u + (uintptr_t)ev->fields[n / 2].name.p;
    return &k->likes[(hash * UINT64_C(0x9E3779B97F4A7C15)) >> 58];
}

/* alike - of one shape for certain: even their names are the same places in memory. */
static bool alike(const struct event *a, const struct event *b)
{
    if (a->field_count != b->field_count || a->marks != b->marks || a->class != b->class || a->parse != b->parse || a->offset_min != b->offset_min)
        return false;
    for (uint32_t i = 0; i < a->field_count; i++)
        if (a->fields[i].name.p != b->fields[i].name.p || a->fields[i].name.n != b->fields[i].name.n)
            return false;
    return true;
}

/* shape_of - as shape_find, of an event that is like another in no time. */
static struct shape *shape_of(struct event_encoder *k, const struct event *ev)
{
    struct like *like = like_of(k, ev);
    struct shape *s;

    if (like->ev && alike(like->ev, ev)) {
        k->w = varint(k->w, like->shape);
        return &k->shapes[like->shape];
    }
    s = shape_find(k, ev);
    if (s)
        *like = (struct like){ ev, (uint32_t)(s - k->shapes) };
    return s;
}

static bool same(const struct event_encoder *k, struct str a, struct place b)
{
    const char *p = k->out->p + b.at;

    return a.n == b.n && (a.n == 0 || (a.p[a.n - 1] == p[b.n - 1] && memcmp(a.p, p, a.n) == 0));
}

/* A run over the columns of one event, with what the loop needs at hand. */
struct run {
    const char    *line;       /* of the event, as it came; line_at is where it stands in the payload */
    size_t         line_n, reference;
    uint32_t       line_at;
    unsigned char *w;
};

/* put_value - a reference into the line where the value is a piece of it, else its bytes. */
static inline void put_value(struct event_encoder *k, struct run *r, struct str v, struct place *last, size_t rest)
{
    size_t at = (size_t)((uintptr_t)v.p - (uintptr_t)r->line);

    last->n = (uint32_t)v.n;
    if (v.n && at < r->line_n && v.n <= r->line_n - at) {
        r->w = varint(r->w, (uint64_t)v.n << 1 | 1);
        r->w = varint(r->w, codec_zig((int64_t)at - (int64_t)r->reference));
        r->reference = at + v.n;
        last->at = r->line_at + (uint32_t)at;
        return;
    }
    k->w = r->w;
    room(k, VARINT_MAX + v.n + rest);
    r->w = k->w;
    if (!r->w)
        return;
    r->w = varint(r->w, (uint64_t)v.n << 1);
    last->at = (uint32_t)(r->w - (unsigned char *)k->out->p);
    if (v.n)
        memcpy(r->w, v.p, v.n);
    r->w += v.n;
}

static void put_time(struct event_encoder *k, const struct event *ev, size_t rest)
{
    struct run r = { ev->original.p, ev->original.n, 0, (uint32_t)k->original, k->w };
    struct place nowhere;

    put_value(k, &r, ev->time_text, &nowhere, rest);
    k->w = r.w;
    k->reference = r.reference;
}

/* put_columns - a value at the place in memory of the last one of this portion is that value: nearly all literals are told so. */
static void put_columns(struct event_encoder *k, const struct event *ev, const struct shape *s)
{
    const struct event_field head[CODEC_COLUMNS] = { { .value = ev->source }, { .value = ev->object }, { .value = ev->parser } };
    const struct event_field *f = head, *b = NULL, *fields = s->portion == k->portion ? s->last->fields : NULL;
    struct run r = { ev->original.p, ev->original.n, k->reference, (uint32_t)k->original, k->w };
    uint32_t columns = s->fields + CODEC_COLUMNS;
    struct place *last = k->column_last + s->column;
    size_t map_at = (size_t)(k->w - (unsigned char *)k->out->p);
    unsigned bit = 1, bits = 0;

    r.w += (columns + 7) / 8;
    for (uint32_t i = 0; i < columns && r.w; i++, f++, last++) {
        if (i == CODEC_COLUMNS) {
            f = ev->fields;
            b = fields;
        }
        if ((b && b->value.p == f->value.p && b->value.n == f->value.n) || same(k, f->value, *last))
            bits |= bit;
        else
            put_value(k, &r, f->value, last, (size_t)(columns - i) * COLUMN_MAX);
        b += b != NULL;
        bit <<= 1;
        if (bit == 0x100 || i + 1 == columns) {
            k->out->p[map_at++] = (char)bits;
            bit = 1;
            bits = 0;
        }
    }
    k->w = r.w;
}

static bool put_event(struct event_encoder *k, const struct event *ev)
{
    size_t columns = ev->field_count + (size_t)CODEC_COLUMNS;
    struct shape *s;

    room(k, VARINT_MAX);
    s = k->w ? shape_of(k, ev) : NULL;
    if (!s)
        return false;
    room(k, EVENT_FIXED + ev->original.n + columns * COLUMN_MAX);
    if (!k->w)
        return false;
    k->w = varint(k->w, codec_zig((int64_t)((uint64_t)ev->time - (uint64_t)k->time)));
    k->w = varint(k->w, codec_zig((int64_t)((uint64_t)ev->received - (uint64_t)k->received)));
    k->time = ev->time;
    k->received = ev->received;
    k->w = varint(k->w, ev->original.n);
    k->original = (size_t)(k->w - (unsigned char *)k->out->p);
    if (ev->original.n)
        memcpy(k->w, ev->original.p, ev->original.n);
    k->w += ev->original.n;
    put_time(k, ev, EVENT_FIXED + columns * COLUMN_MAX);
    if (k->w)
        put_columns(k, ev, s);
    s->last = ev;
    s->portion = k->portion;
    return k->w != NULL;
}

/* --- the face --- */

struct event_encoder *event_encoder_new(void)
{
    struct event_encoder *k = calloc(1, sizeof *k);

    if (k)
        arena_init(&k->texts, 0);
    return k;
}

void event_encoder_free(struct event_encoder **encoder)
{
    struct event_encoder *k = *encoder;

    if (!k)
        return;
    free(k->name_table.slot);
    free(k->shape_table.slot);
    free(k->names);
    free(k->shapes);
    free(k->column_names);
    free(k->column_last);
    arena_free(&k->texts);
    free(k);
    *encoder = NULL;
}

static void forget(struct table *t)
{
    if (t->slot)
        memset(t->slot, 0, t->cap * sizeof *t->slot);
    t->count = 0;
}

void event_encoder_begin(struct event_encoder *k, struct buf *out)
{
    forget(&k->name_table);
    forget(&k->shape_table);
    arena_reset(&k->texts);
    k->columns = k->count = 0;
    k->time = k->received = 0;
    k->out = out;
    k->start = out->n;
    k->w = (unsigned char *)buf_room(out, 1 + COUNT_BYTES);
    if (k->w)
        k->w += 1 + COUNT_BYTES;
}

int event_encoder_add(struct event_encoder *k, const struct event *events, size_t count, struct err *e)
{
    memset(k->cache, 0, sizeof k->cache);
    memset(k->likes, 0, sizeof k->likes);
    k->portion++;
    for (size_t i = 0; i < count && k->w; i++)
        if (k->count == EVENT_BATCH_MAX || !put_event(k, &events[i]))
            k->w = NULL;
        else
            k->count++;
    return k->w ? 0 : err_set(e, -E2BIG, "a batch of more than %zu events does not fit a payload", k->count);
}

int event_encoder_end(struct event_encoder *k, size_t *count, struct err *e)
{
    unsigned char *head;

    room(k, 0);   /* out->n is behind the last byte now */
    if (!k->w)
        return err_set(e, -E2BIG, "a batch of more than %zu events does not fit a payload", k->count);
    head = (unsigned char *)k->out->p + k->start;
    *head++ = CODEC_VERSION;
    for (unsigned i = 0; i < COUNT_BYTES; i++)
        *head++ = (unsigned char)((k->count >> 7 * i & 0x7f) | (i + 1 < COUNT_BYTES ? 0x80u : 0));
    if (count)
        *count = k->count;
    k->w = NULL;
    return 0;
}

int event_encode(const struct event *events, size_t count, struct buf *out, struct err *e)
{
    struct event_encoder *k = event_encoder_new();
    int rc = k ? 0 : err_set(e, -ENOMEM, "no memory to encode events");

    if (rc == 0) {
        event_encoder_begin(k, out);
        rc = event_encoder_add(k, events, count, e);
    }
    if (rc == 0)
        rc = event_encoder_end(k, NULL, e);
    event_encoder_free(&k);
    return rc;
}
