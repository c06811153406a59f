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
    k->names[t->count] = arena_copy(&k->arena, name);
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

/* more - an array of cap items. *failed: it is as it was. */
static void *more(void *items, size_t cap, size_t size, bool *failed)
{
    void *p = realloc(items, cap * size);

    *failed = *failed || !p;
    return p ? p : items;
}

/* shape_room - one more shape, of so many columns and texts. */
static bool shape_room(struct event_encoder *k, size_t columns, size_t texts)
{
    struct columns *c = &k->columns;
    struct texts *t = &k->texts;
    bool failed = false;

    if (k->shape_count == k->shapes_cap) {
        size_t cap = max_size(k->shapes_cap * 2, 64);

        k->shapes = more(k->shapes, cap, sizeof *k->shapes, &failed);
        k->shapes_cap = failed ? k->shapes_cap : cap;
    }
    if (c->count + columns > c->cap) {
        size_t cap = max_size(c->cap * 2, 4096);

        c->name = more(c->name, cap, sizeof *c->name, &failed);
        c->span = more(c->span, cap, sizeof *c->span, &failed);
        c->seen = more(c->seen, cap, sizeof *c->seen, &failed);
        c->agree = more(c->agree, cap, sizeof *c->agree, &failed);
        c->cap = failed ? c->cap : cap;
    }
    if (t->count + texts > t->cap) {
        size_t cap = max_size(t->cap * 2, 4096);

        t->last = more(t->last, cap, sizeof *t->last, &failed);
        t->seen = more(t->seen, cap, sizeof *t->seen, &failed);
        t->whence = more(t->whence, cap, sizeof *t->whence, &failed);
        t->cap = failed ? t->cap : cap;
    }
    return !failed;
}

/* is_inside - whether a value, not empty, is a part of the line by its place in memory; *at is then its offset. */
static inline bool is_inside(struct str line, struct str v, size_t *at)
{
    *at = (size_t)((uintptr_t)v.p - (uintptr_t)line.p);
    return *at < line.n && v.n - 1 < line.n - *at;
}

/* value_at - the value of an event that whence says. */
static inline const struct str *value_at(const void *const base[2], uint32_t whence)
{
    return (const struct str *)(const void *)((const char *)base[whence & WHENCE_FIELDS] + whence / 4);
}

/* whence_of - the beginning of a column, which is a member that stands before the fields, or one of these. */
static uint32_t whence_of(unsigned column)
{
    static const uint32_t head[CODEC_COLUMNS] = { offsetof(struct event, time_text), offsetof(struct event, source), offsetof(struct event, object),
                                                  offsetof(struct event, parser) };

    return column < CODEC_COLUMNS ? head[column] * 4
                                  : (uint32_t)((column - CODEC_COLUMNS) * sizeof(struct event_field) + offsetof(struct event_field, value)) * 4 | WHENCE_FIELDS;
}

static struct str column_value(const struct event *ev, unsigned column)
{
    const void *const base[2] = { ev, ev->fields };

    return *value_at(base, whence_of(column));
}

static inline bool one_place(struct str a, struct str b) { return a.p == b.p && a.n == b.n; }

/* name_moved - of the fields from this one on the first whose name does not lie where it lay in the last event; their number, if there is none. */
static inline uint32_t name_moved(const struct event_field *f, const struct str *seen, uint32_t from, uint32_t fields)
{
    uint32_t i = from;

    while (i < fields && (((uintptr_t)f[i].name.p ^ (uintptr_t)seen[i].p) | (f[i].name.n ^ seen[i].n)) == 0)
        i++;
    return i;
}

/* has_names - whether the fields of the event, as many as the shape has, are its fields. A name that lies where it lay in the last event is the same. */
static inline bool has_names(struct event_encoder *k, const struct shape *s, const struct event *ev)
{
    struct str *seen = k->columns.seen + s->column + CODEC_COLUMNS;
    const uint32_t *name = k->columns.name + s->column + CODEC_COLUMNS;
    bool known = s->portion == k->portion;

    for (uint32_t i = known ? name_moved(ev->fields, seen, 0, s->fields) : 0; i < s->fields;
         i = known ? name_moved(ev->fields, seen, i + 1, s->fields) : i + 1) {
        if (name_of(k, ev->fields[i].name) != name[i])
            return false;
        seen[i] = ev->fields[i].name;
    }
    return true;
}

/* short_same - whether two texts of n bytes, at most SLACK, are; SLACK bytes can be read of both. */
static inline bool short_same(const char *a, const char *b, uint64_t n)
{
    static const unsigned char masks[2 * SLACK] = { 255, 255, 255, 255, 255, 255, 255, 255 };
    uint64_t x, y, mask;

    memcpy(&x, a, SLACK);
    memcpy(&y, b, SLACK);
    memcpy(&mask, masks + SLACK - n, SLACK);
    return ((x ^ y) & mask) == 0;
}

/* cut_pieces - cut the line where the columns of the event begin and end that do so in the shape, and list the pieces that are not those of the last
 * event. False if there is no such piece. Whether one has changed is not to be foretold: what a short one comes to is reckoned without a branch. */
static inline bool cut_pieces(const struct event_encoder *k, const struct shape *s, const struct event *ev, struct fit *fit)
{
    const void *const base[2] = { ev, ev->fields };
    const uint32_t *whence = k->texts.whence + s->text;
    const struct place *last = k->texts.last + s->text;
    const char *line = ev->original.p ? ev->original.p : "", *out = k->out->p;
    uint64_t at = 0, safe = ev->original.n >= SLACK ? ev->original.n - SLACK : 0;
    struct change *to = fit->change;

    fit->cut[0] = 0;
    for (uint32_t i = 0; i < s->pieces; i++) {
        const struct str *v = value_at(base, whence[i]);
        uint64_t end = (uint64_t)((uintptr_t)v->p - (uintptr_t)ev->original.p) + (v->n & -(uint64_t)(whence[i] / WHENCE_END % 2)), n = end - at, changed;

        if (end < at || end > ev->original.n)
            return false;
        changed = n != last[i].n;
        if (n <= SLACK && at < safe)
            changed |= !short_same(line + at, out + last[i].at, n);
        else if (!changed)
            changed = !text_same(line + at, out + last[i].at, n);
        *to = (struct change){ line + at, (uint32_t)n, i };
        to += changed;
        fit->cut[i + 1] = (uint32_t)end;
        at = end;
    }
    fit->count = (unsigned)(to - fit->change);
    return true;
}

/* do_agree - whether the columns that placed none of their cuts, or one, stand between them as in the shape. */
static inline bool do_agree(const struct event_encoder *k, const struct shape *s, const struct event *ev, const struct fit *fit)
{
    const void *const base[2] = { ev, ev->fields };

    for (unsigned i = 0; i < s->agrees; i++) {
        struct agree a = k->columns.agree[s->column + i];
        const struct str *v = value_at(base, a.whence);
        uint64_t at = (uint64_t)((uintptr_t)v->p - (uintptr_t)ev->original.p);

        if (fit->cut[a.from] != at || fit->cut[a.to] != at + v->n)
            return false;
    }
    return true;
}

/* see_others - list the columns that are no part of the line, nor what they were in the last event. */
static inline bool see_others(const struct event_encoder *k, const struct shape *s, const struct event *ev, struct fit *fit)
{
    const void *const base[2] = { ev, ev->fields };
    const uint32_t *whence = k->texts.whence + s->text;
    const struct place *last = k->texts.last + s->text;
    struct str *seen = k->texts.seen + s->text;
    bool known = s->portion == k->portion;
    size_t at;

    for (unsigned i = s->pieces; i < s->texts; i++) {
        struct str v = *value_at(base, whence[i]);

        if (known && one_place(v, seen[i]))
            continue;
        if (is_inside(ev->original, v, &at))
            return false;
        seen[i] = v;
        if (v.n == last[i].n && text_same(v.p, k->out->p + last[i].at, v.n))
            continue;
        fit->change[fit->count++] = (struct change){ v.p, (uint32_t)v.n, i };
    }
    return true;
}

/* fits - whether the event has the fields of this shape, and all its columns stand in its line as they do in the shape. */
static bool fits(struct event_encoder *k, struct shape *s, const struct event *ev, struct fit *fit)
{
    bool yes;

    if (!has_names(k, s, ev) || !cut_pieces(k, s, ev, fit) || !do_agree(k, s, ev, fit))
        return false;
    yes = see_others(k, s, ev, fit);
    s->portion = yes ? k->portion : 0;   /* if not, what was seen may be that of two events */
    return yes;
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

/* place_columns - where the columns of a new shape stand, and which of them says where a cut is: the first that has it. */
static void place_columns(struct event_encoder *k, struct shape *s, const struct event *ev, const uint32_t *cut)
{
    struct span *span = k->columns.span + s->column;
    struct agree *agree = k->columns.agree + s->column;
    uint32_t *whence = k->texts.whence + s->text;
    bool placed[CODEC_PIECES_MAX + 1] = { true };
    size_t at;

    placed[s->pieces] = true;
    whence[s->pieces - 1u] = offsetof(struct event, original) * 4 | WHENCE_END;
    for (unsigned c = 0; c < s->fields + CODEC_COLUMNS; c++) {
        struct str v = column_value(ev, c);

        if (!is_inside(ev->original, v, &at)) {
            whence[s->texts] = whence_of(c);
            span[c] = (struct span){ .from = s->texts++ };
            continue;
        }
        span[c] = (struct span){ cut_at(cut, s->pieces + 1u, at), cut_at(cut, s->pieces + 1u, at + v.n) };
        if (placed[span[c].from] || placed[span[c].to])
            agree[s->agrees++] = (struct agree){ whence_of(c), span[c].from, span[c].to };
        if (!placed[span[c].from])
            whence[span[c].from - 1u] = whence_of(c);
        if (!placed[span[c].to])
            whence[span[c].to - 1u] = whence_of(c) | WHENCE_END;
        placed[span[c].from] = placed[span[c].to] = true;
    }
}

/* cut_line - the cuts of a new shape: wherever a value begins or ends in the line of its first event. */
static void cut_line(struct event_encoder *k, struct shape *s, const struct event *ev, uint32_t *cut)
{
    unsigned columns = s->fields + CODEC_COLUMNS;
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
    place_columns(k, s, ev, cut);
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
    const uint32_t *names = k->columns.name + s->column;
    const struct span *span = k->columns.span + s->column;
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
           memcmp(k->columns.name + a->column + CODEC_COLUMNS, names, a->fields * sizeof *names) == 0;
}

static struct shape *shape_new(struct event_encoder *k, struct shape s, const uint32_t *names, const struct event *ev, struct fit *fit)
{
    unsigned columns = s.fields + CODEC_COLUMNS;

    if (!shape_room(k, columns, CODEC_PIECES_MAX + columns))
        return NULL;
    s.column = (uint32_t)k->columns.count;
    s.text = (uint32_t)k->texts.count;
    memcpy(k->columns.name + s.column + CODEC_COLUMNS, names, s.fields * sizeof *names);
    cut_line(k, &s, ev, fit->cut);
    memset(k->texts.last + s.text, 0, s.texts * sizeof *k->texts.last);
    k->columns.count += columns;
    k->texts.count += s.texts;
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
    if (s)
        *like = (uint32_t)(s - k->shapes) + 1;
    return s;
}
