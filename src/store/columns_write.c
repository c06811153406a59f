/* columns_write.c - the events of a block into columns.
 *
 * The event codec says the shape of each event, and where each text of it stands (event/shaped.h). Events of one shape are a group; a piece of its lines that is free text
 * is cut further by what was learned, which parts the group into several. Then each text of a group is a column. */
#include "store/frames.h"
#include "query/query.h"

#include <xxhash.h>
#include <zstd.h>

#define LEARN_ROWS     64u      /* of a shape, before its free text is looked at */
#define FREE_BYTES     24u      /* a piece of so many bytes, and */
#define FREE_WORDS     3u       /* so many words on average, is free text */
#define FREE_SAMPLE    16u
#define ADDRESS_DOTS   3u
#define PRINT_SAMPLE   8u       /* rows that say whether two columns may be the same */
#define SAME_TRIES     4u       /* columns that seemed to be the same and were not, before a text is a column of its own: else a sender chooses the square of its fields */

/* A group as it is being written. */
struct draft {
    const struct payload_shape *shape;
    const uint32_t *row;         /* places in the order */
    uint32_t        rows;
    uint32_t        learned;     /* the piece that is cut further; UINT32_MAX: none */
    uint32_t        cuts;        /* into so many */
    const uint32_t *source;      /* of each row: which text of the learner's it is */
};

struct drafted {
    const struct payload_shape *shape;
    uint32_t learned, cuts;
};

/* What is known of a text of the group, for tokens that reach over the border of two pieces. */
struct edge {
    bool begins, ends, empty;    /* some value begins, ends with a byte of a word; is empty */
    bool begins_part, ends_part; /* begins, ends with a number that can be part of an address: "7.", ".192" */
    bool begins_dot, ends_dot;   /* the same with a dot before it, behind it: ".7", "192." */
    unsigned char dots;          /* the most of one value; ADDRESS_DOTS stands for more */
};

struct columns_writer {
    struct event_encoder  *encoder;
    struct column_encoder *column;
    struct learner        *learner;
    struct column_out      out;
    struct learn_out       learned;
    struct buf             rows, directory, rest;
    struct frames          frames;
    uint32_t              *name;          /* number in the directory + 1, of each name of the payload */
    size_t                 name_cap, names;
    const struct shaped   *shaped;        /* what is being written: its rows, in this order */
    const uint32_t        *order;
    size_t                 count;
    struct arena           arena;         /* of events that are told whole, or rare */
    struct columns        *reader;        /* reads again what was written */
    struct drafted        *drafted;       /* of each group, for the proof */
    time_ns               *all_time;
    uint32_t              *row, *begin, *code, *part;   /* rows by shape; where each shape's begin; group of each event; rows of a part of a shape */
    size_t                 begin_cap;
    struct str            *value, *free_text;
    uint32_t              *print;         /* of each text of the group */
    struct edge           *edge;
    time_ns               *time;
    uint32_t               groups;
    columns_tell          *tell;
    void                  *arg;
    struct edge           *telling;
};

#define TEXTS_MAX (CODEC_TEXTS_MAX + LEARN_PIECES_MAX)

/* --- memory --- */

static bool make(struct columns_writer *w)
{
    w->encoder = event_encoder_new();
    w->column = column_encoder_new();
    w->learner = learner_new();
    w->row = calloc(EVENT_BATCH_MAX, sizeof *w->row);
    w->part = calloc(EVENT_BATCH_MAX, sizeof *w->part);
    w->code = calloc(EVENT_BATCH_MAX, sizeof *w->code);
    w->value = calloc(EVENT_BATCH_MAX, sizeof *w->value);
    w->free_text = calloc(EVENT_BATCH_MAX, sizeof *w->free_text);
    w->time = calloc(EVENT_BATCH_MAX, sizeof *w->time);
    w->print = calloc(TEXTS_MAX, sizeof *w->print);
    w->edge = calloc(TEXTS_MAX, sizeof *w->edge);
    w->drafted = calloc(GROUPS_MAX, sizeof *w->drafted);
    w->all_time = calloc(EVENT_BATCH_MAX, sizeof *w->all_time);
    w->reader = columns_new();
    return w->drafted && w->all_time && w->reader && w->encoder && w->column && w->learner && frames_init(&w->frames) && w->row && w->part && w->code && w->value && w->free_text && w->time && w->print && w->edge;
}

struct columns_writer *columns_writer_new(void)
{
    struct columns_writer *w = calloc(1, sizeof *w);
    struct buf *const bufs[] = { &w->rows, &w->directory, &w->rest, &w->out.head, &w->out.frame[0], &w->out.frame[1] };

    if (!w)
        return NULL;
    for (size_t i = 0; i < COUNT(bufs); i++)
        buf_init(bufs[i], 256u * MIB);
    arena_init(&w->arena, 256u * MIB);
    if (!make(w))
        columns_writer_free(&w);
    return w;
}

void columns_writer_free(struct columns_writer **wp)
{
    struct columns_writer *w = *wp;

    if (!w)
        return;
    struct buf *const bufs[] = { &w->rows, &w->directory, &w->rest, &w->out.head, &w->out.frame[0], &w->out.frame[1] };
    void *const memory[] = { w->row, w->part, w->code, w->value, w->free_text, w->time, w->print, w->edge, w->begin, w->name, w->drafted, w->all_time };

    event_encoder_free(&w->encoder);
    column_encoder_free(&w->column);
    learner_free(&w->learner);
    frames_free(&w->frames);
    arena_free(&w->arena);
    columns_free(&w->reader);
    for (size_t i = 0; i < COUNT(bufs); i++)
        buf_free(bufs[i]);
    for (size_t i = 0; i < COUNT(memory); i++)
        free(memory[i]);
    free(w);
    *wp = NULL;
}

/* --- the texts of a group --- */

/* text_of - the text of this number in a row: of a group whose free piece is cut further, its numbers are shifted behind that. */
static struct str text_of(const struct columns_writer *w, const struct draft *d, uint32_t row, uint32_t text)
{
    const struct shaped *s = w->shaped;
    const struct payload_place *place = s->place + s->first[w->order[d->row[row]]];

    if (text < d->learned || d->learned == UINT32_MAX)
        return shaped_text(s, place[text]);
    if (text >= d->learned + d->cuts)
        return shaped_text(s, place[text - d->cuts + 1]);
    const uint32_t *cut = w->learned.cut + w->learned.first[d->source[row]], piece = text - d->learned;
    struct str whole = shaped_text(s, place[d->learned]);
    uint32_t from = piece ? cut[piece - 1] : 0, to = piece + 1 < d->cuts ? cut[piece] : (uint32_t)whole.n;

    return str_of(whole.p + from, to - from);
}

static bool digit(char c) { return c >= '0' && c <= '9'; }

/* part_before, part_behind - the text begins, ends with one to three digits, and no more of that word stands in it. */
static bool part_before(struct str s)
{
    size_t n = 0;

    while (n < s.n && n < 4 && digit(s.p[n]))
        n++;
    return n > 0 && n < 4 && (n == s.n || !query_word_byte(s.p[n]));
}

static bool part_behind(struct str s)
{
    size_t n = 0;

    while (n < s.n && n < 4 && digit(s.p[s.n - 1 - n]))
        n++;
    return n > 0 && n < 4 && (n == s.n || !query_word_byte(s.p[s.n - 1 - n]));
}

/* tell_value - to whoever makes the index; how it begins and ends is remembered. */
static void tell_value(void *arg, enum column_kind kind, struct str value)
{
    struct columns_writer *w = arg;

    (void)kind;
    if (value.n == 0)
        return;
    w->telling->begins |= query_word_byte(value.p[0]);
    w->telling->ends |= query_word_byte(value.p[value.n - 1]);
    w->telling->begins_part |= part_before(value);
    w->telling->ends_part |= part_behind(value);
    w->telling->begins_dot |= value.p[0] == '.' && (value.n == 1 || part_before(str_cut(value, 1)));
    w->telling->ends_dot |= value.p[value.n - 1] == '.' && (value.n == 1 || part_behind(str_of(value.p, value.n - 1)));
    for (size_t i = 0, n = 0; i < value.n && w->telling->dots < ADDRESS_DOTS; i++) {
        n += value.p[i] == '.';
        w->telling->dots = n > w->telling->dots ? (unsigned char)n : w->telling->dots;
    }
    w->tell(w->arg, value);
}

/* gather - the values of a text into w->value; whether all are one. */
static bool gather(struct columns_writer *w, const struct draft *d, uint32_t text)
{
    struct edge *edge = &w->edge[text];
    struct str first = text_of(w, d, 0, text);
    bool one = true;

    *edge = (struct edge){ .empty = false };
    for (uint32_t i = 0; i < d->rows; i++) {
        struct str v = text_of(w, d, i, text);

        w->value[i] = v;
        edge->empty |= v.n == 0;
        one = one && v.n == first.n && (v.p == first.p || memcmp(v.p, first.p, v.n) == 0);
    }
    return one;
}

/* print_of - equal columns have equal prints. */
static uint32_t print_of(const struct columns_writer *w, uint32_t rows)
{
    uint32_t h = 1;

    for (uint32_t i = 0; i < PRINT_SAMPLE; i++) {
        struct str v = w->value[(uint64_t)i * rows / PRINT_SAMPLE];

        h = h * 31 + (uint32_t)XXH3_64bits(v.p ? v.p : "", v.n);
    }
    return h ? h : 1;
}

/* same_as - the text before this one that it equals in every row; UINT32_MAX: none. */
static uint32_t same_as(const struct columns_writer *w, const struct draft *d, uint32_t text)
{
    for (uint32_t t = 0, tries = 0; t < text && tries < SAME_TRIES; t++) {
        uint32_t i = 0;

        if (w->print[t] != w->print[text])
            continue;
        while (i < d->rows && str_eq(text_of(w, d, i, t), w->value[i]))
            i++;
        if (i == d->rows)
            return t;
        tries++;
    }
    return UINT32_MAX;
}

static int put_text(struct columns_writer *w, const struct draft *d, uint32_t text, struct err *e)
{
    bool one = gather(w, d, text);
    uint32_t same;
    int rc;

    w->print[text] = one ? 0 : print_of(w, d->rows);     /* 0: what is one value costs nothing anyway */
    same = one ? UINT32_MAX : same_as(w, d, text);
    if (same != UINT32_MAX) {
        w->edge[text] = w->edge[same];
        buf_varint(&w->directory, same + 1);
        return 0;
    }
    buf_varint(&w->directory, 0);
    buf_reset(&w->out.head);
    for (unsigned f = 0; f < COLUMN_FRAMES; f++)
        buf_reset(&w->out.frame[f]);
    memset(w->out.dense, 0, sizeof w->out.dense);
    w->telling = &w->edge[text];
    rc = column_encode(w->column, w->value, d->rows, w->time, &w->out, e);
    if (rc < 0)
        return rc;
    buf_varstr(&w->directory, buf_view(&w->out.head));
    for (unsigned f = 0; f < COLUMN_FRAMES; f++)
        frames_put(&w->frames, &w->directory, buf_view(&w->out.frame[f]), w->out.dense[f]);
    return 0;
}

/* --- tokens --- */

/* joined_address - an address may reach over the border of two pieces: some are linked as one would be, and have its dots together. */
static bool joined_address(const struct columns_writer *w, uint32_t pieces)
{
    bool ends = false, ends_dot = false, linked = false;
    unsigned dots = 0;

    for (uint32_t i = 0; i < pieces; i++) {
        const struct edge *k = &w->edge[i];
        bool link = (ends && k->begins_dot) || (ends_dot && k->begins_part);

        dots = link || k->empty ? dots + k->dots : k->dots;
        linked = link || (linked && k->empty);
        if (linked && dots >= ADDRESS_DOTS)
            return true;
        ends = k->ends_part || (ends && k->empty);
        ends_dot = k->ends_dot || (ends_dot && k->empty);
    }
    return false;
}

/* joined - a word may reach over the border of two pieces: then what is told piece by piece does not have it. */
static bool joined(const struct columns_writer *w, uint32_t pieces)
{
    bool word = false;      /* what stands before may end with a byte of a word */

    for (uint32_t i = 0; i < pieces; i++) {
        if (word && w->edge[i].begins)
            return true;
        word = w->edge[i].ends || (word && w->edge[i].empty);
    }
    return false;
}

void columns_tell_event(const struct event *ev, columns_tell *tell, void *arg)
{
    tell(arg, ev->original);
    for (uint32_t f = 0; f < ev->field_count; f++)
        tell(arg, ev->fields[f].value);
    tell(arg, ev->source);
    tell(arg, ev->object);
    tell(arg, ev->parser);
    tell(arg, str_c(event_class_name(ev->class)));
    tell(arg, str_c(event_parse_name(ev->parse)));
}

static int tell_whole(struct columns_writer *w, const struct draft *d, struct err *e)
{
    struct event ev;

    for (uint32_t i = 0; i < d->rows; i++) {
        arena_reset(&w->arena);
        if (shaped_event(w->shaped, w->order[d->row[i]], &w->arena, &ev) < 0)
            return err_set(e, -ENOMEM, "no memory for a block");
        columns_tell_event(&ev, w->tell, w->arg);
    }
    return 0;
}

static void tell_common(struct columns_writer *w, const struct common *c)
{
    w->tell(w->arg, str_c(event_class_name((enum event_class)(c->flags & 15))));
    w->tell(w->arg, str_c(event_parse_name((enum event_parse)(c->flags >> 4))));
}

/* --- groups --- */

static void put_name(struct columns_writer *w, uint32_t name)
{
    if (!w->name[name]) {
        w->name[name] = (uint32_t)++w->names;
        buf_varint(&w->directory, w->names - 1);
        buf_varstr(&w->directory, shaped_name(w->shaped, name));
    } else {
        buf_varint(&w->directory, w->name[name] - 1);
    }
}

/* put_shape - what the events of the group have in common, and where their columns stand. */
static void put_shape(struct columns_writer *w, const struct draft *d)
{
    const struct payload_shape *s = d->shape;
    uint32_t more = d->learned == UINT32_MAX ? 0 : d->cuts - 1;
    struct buf *b = &w->directory;

    buf_byte(b, (char)s->common.flags);
    buf_varint(b, s->common.marks);
    buf_varint(b, s->common.offset_min == EVENT_OFFSET_NONE ? 0 : codec_zig((int64_t)s->common.offset_min) + 1);
    buf_varint(b, s->pieces + more);
    buf_varint(b, s->fields);
    for (uint32_t c = 0; c < s->fields + CODEC_COLUMNS; c++) {
        uint32_t from = s->columns[c].from, to = s->columns[c].to;

        if (c >= CODEC_COLUMNS)
            put_name(w, s->columns[c].name);
        if (from == to) {
            buf_varint(b, 0);
            continue;
        }
        from += more && from > d->learned ? more : 0;
        to += more && to > d->learned ? more : 0;
        buf_varint(b, from + 1);
        buf_varint(b, to - from);
    }
}

static int put_group(struct columns_writer *w, const struct draft *d, struct err *e)
{
    uint32_t more = d->learned == UINT32_MAX ? 0 : d->cuts - 1;
    int rc = 0;

    buf_varint(&w->directory, d->rows);
    put_shape(w, d);
    w->drafted[w->groups++] = (struct drafted){ d->shape, d->learned, d->cuts };
    for (uint32_t i = 0; i < d->rows; i++) {
        w->code[d->row[i]] = w->groups;
        w->time[i] = w->all_time[d->row[i]];
    }
    for (uint32_t t = 0; rc == 0 && t < d->shape->texts + more; t++)
        rc = put_text(w, d, t, e);
    tell_common(w, &d->shape->common);
    buf_varint(&w->directory, joined(w, d->shape->pieces + more));
    if (rc == 0 && (joined(w, d->shape->pieces + more) || joined_address(w, d->shape->pieces + more)))
        rc = tell_whole(w, d, e);
    return rc;
}

/* --- free text --- */

static uint32_t words_of(struct str s)
{
    uint32_t n = 0;

    for (size_t i = 0; i < s.n && i < 512; i++)
        n += !query_word_byte(s.p[i]);
    return n + 1;
}

/* free_piece - the piece of the line that has the most free text, or UINT32_MAX. */
static uint32_t free_piece(const struct columns_writer *w, const struct draft *d)
{
    uint32_t best = UINT32_MAX;
    size_t most = 0;

    for (uint32_t t = 0; t < d->shape->pieces; t++) {
        size_t bytes = 0, words = 0, changes = 0;
        struct str before = { NULL, 0 };

        if (d->shape->columns[0].from <= t && t < d->shape->columns[0].to)
            continue;       /* the event's time, which a column tells whole */
        for (uint32_t i = 0; i < FREE_SAMPLE; i++) {
            struct str v = text_of(w, d, (uint32_t)((uint64_t)i * d->rows / FREE_SAMPLE), t);

            bytes += v.n;
            words += words_of(v);
            changes += i && !str_eq(v, before);
            before = v;
        }
        if (changes && bytes >= FREE_BYTES * FREE_SAMPLE && words >= FREE_WORDS * FREE_SAMPLE && bytes > most) {
            most = bytes;
            best = t;
        }
    }
    return best;
}

/* origin_of - says to the learner which texts are alike: the fields of the shape and the piece. */
static uint64_t origin_of(const struct columns_writer *w, const struct draft *d, uint32_t piece)
{
    uint64_t h = ((uint64_t)d->shape->common.flags << 32) + piece;

    for (uint32_t c = 0; c < d->shape->fields + CODEC_COLUMNS; c++) {
        const struct payload_column *k = &d->shape->columns[c];

        h = h * UINT64_C(0x9E3779B97F4A7C15) + ((uint64_t)k->from << 16 | k->to);
        if (c >= CODEC_COLUMNS)
            h ^= str_hash(shaped_name(w->shaped, k->name));
    }
    return h;
}

/* part_rows - the rows of d that are in this group of the learner's, and which of its texts they are. */
static uint32_t part_rows(struct columns_writer *w, const struct draft *d, uint32_t group, uint32_t *source)
{
    uint32_t n = 0;

    for (uint32_t i = 0; i < d->rows; i++)
        if (w->learned.group[i] == group) {
            w->part[n] = d->row[i];
            source[n++] = i;
        }
    return n;
}

/* put_parts - a group for each that the learner found; the others stay one. */
static int put_parts(struct columns_writer *w, const struct draft *d, uint32_t piece, struct err *e)
{
    AUTO_FREE uint32_t *source = calloc(d->rows, sizeof *source);
    int rc = 0;

    if (!source)
        return err_set(e, -ENOMEM, "no memory for a block");
    for (uint32_t i = 0; i < d->rows; i++)
        w->free_text[i] = text_of(w, d, i, piece);
    rc = learn_cut(w->learner, origin_of(w, d, piece), w->free_text, d->rows, &w->learned, e);
    for (uint32_t g = 0; rc == 0 && g <= w->learned.groups; g++) {
        struct draft part = { d->shape, w->part, part_rows(w, d, g, source), UINT32_MAX, 0, NULL };

        if (part.rows < GROUP_ROWS_MIN)
            continue;
        if (g) {
            part.learned = piece;
            part.cuts = w->learned.first[source[0] + 1] - w->learned.first[source[0]] + 1;
            part.source = source;
        }
        rc = put_group(w, &part, e);
    }
    return rc;
}

/* --- the block --- */

/* by_shape - the events of each shape one behind the other. */
static bool by_shape(struct columns_writer *w)
{
    const struct shaped *s = w->shaped;
    size_t shapes = shaped_shapes(s), at = 0;

    if (w->begin_cap < shapes + 2) {
        uint32_t *list = realloc(w->begin, (shapes + 2) * sizeof *list);

        if (!list)
            return false;
        w->begin = list;
        w->begin_cap = shapes + 2;
    }
    memset(w->begin, 0, (shapes + 2) * sizeof *w->begin);
    for (size_t i = 0; i < w->count; i++)
        w->begin[s->shape[w->order[i]] + 2]++;
    for (size_t i = 2; i < shapes + 2; i++)
        at = w->begin[i] += (uint32_t)at;
    for (size_t i = 0; i < w->count; i++)
        w->row[w->begin[s->shape[w->order[i]] + 1]++] = (uint32_t)i;
    return true;
}

static bool names_room(struct columns_writer *w)
{
    size_t names = w->shaped->k.names.count;

    if (w->name_cap < names) {
        free(w->name);
        w->name = calloc(names, sizeof *w->name);
        w->name_cap = w->name ? names : 0;
    }
    if (w->name_cap < names)
        return false;
    if (names)
        memset(w->name, 0, names * sizeof *w->name);
    w->names = 0;
    return true;
}

/* put_rest - events of rare shapes as they are, in a payload. */
static int put_rest(struct columns_writer *w, struct err *e)
{
    int rc = 0;
    uint32_t rows = 0;

    buf_reset(&w->rest);
    event_encoder_begin(w->encoder, &w->rest);
    for (size_t i = 0; rc == 0 && i < w->count; i++) {
        struct event ev;

        if (w->code[i])
            continue;
        arena_reset(&w->arena);
        if (shaped_event(w->shaped, w->order[i], &w->arena, &ev) < 0)
            return err_set(e, -ENOMEM, "no memory for a block");
        rc = event_encoder_add(w->encoder, &ev, 1, e);
        columns_tell_event(&ev, w->tell, w->arg);
        rows++;
    }
    if (rc == 0)
        rc = event_encoder_end(w->encoder, NULL, e);
    if (rc < 0)
        return rc;
    frames_put(&w->frames, &w->directory, rows ? buf_view(&w->rest) : str_of(NULL, 0), false);
    return 0;
}

/* put_received - when each was received, less what before says: the one before it, or its own time. */
static void put_received(struct columns_writer *w, struct buf *b, bool from_time)
{
    time_ns before = 0;

    buf_byte(b, (char)from_time);
    for (size_t i = 0; i < w->count; i++) {
        time_ns received = w->shaped->received[w->order[i]];

        buf_varint(b, codec_zig((int64_t)((uint64_t)received - (uint64_t)(from_time ? w->all_time[i] : before))));
        before = received;
    }
}

/* put_rows - of each event its group; and when it was received, in the way that takes less. */
static void put_rows(struct columns_writer *w)
{
    struct buf *const ways[2] = { &w->rest, &w->rows };
    size_t n[2];

    buf_reset(&w->rows);
    for (size_t i = 0; i < w->count; i++)
        buf_varint(&w->rows, w->code[i]);
    frames_put(&w->frames, &w->directory, buf_view(&w->rows), false);
    for (unsigned i = 0; i < 2; i++) {
        buf_reset(ways[i]);
        put_received(w, ways[i], i == 1);
        n[i] = frames_packed(&w->frames, buf_view(ways[i]));
    }
    frames_put(&w->frames, &w->directory, buf_view(ways[n[1] < n[0]]), false);
}

/* put_all - head, directory and frames. */
static int put_all(struct columns_writer *w, struct buf *out, struct err *e)
{
    size_t bound = ZSTD_compressBound(w->directory.n), n;
    AUTO_FREE char *packed = malloc(bound);

    if (!packed || frames_failed(&w->frames) || buf_failed(&w->directory) || w->directory.n > DIRECTORY_MAX)
        return err_set(e, -ENOMEM, "no memory for a block");
    n = ZSTD_compressCCtx(w->frames.zstd, packed, bound, w->directory.p, w->directory.n, COLUMNS_ZSTD_LEVEL);
    if (ZSTD_isError(n))
        return err_set(e, -ENOMEM, "could not compress a block: %s", ZSTD_getErrorName(n));
    buf_le32(out, (uint32_t)n);
    buf_le32(out, (uint32_t)w->directory.n);
    buf_le64(out, XXH3_64bits(packed, n));
    buf_put(out, packed, n);
    frames_bytes(&w->frames, out);
    return buf_failed(out) ? err_set(e, -ENOMEM, "no memory for a block") : 0;
}

static bool begin(struct columns_writer *w, const struct shaped *s, const uint32_t *order, size_t count)
{
    w->shaped = s;
    w->order = order;
    w->count = count;
    w->groups = 0;
    frames_reset(&w->frames);
    buf_reset(&w->directory);
    memset(w->code, 0, count * sizeof *w->code);
    for (size_t i = 0; i < count; i++)
        w->all_time[i] = s->time[order[i]];
    column_encoder_tell(w->column, tell_value, w);
    return by_shape(w) && names_room(w);
}

static int put_groups(struct columns_writer *w, struct err *e)
{
    int rc = 0;

    for (size_t i = 0; rc == 0 && i < shaped_shapes(w->shaped); i++) {
        struct draft d = { shaped_shape(w->shaped, i), w->row + w->begin[i], w->begin[i + 1] - w->begin[i], UINT32_MAX, 0, NULL };
        uint32_t piece;

        if (d.rows < GROUP_ROWS_MIN)
            continue;
        piece = d.rows >= LEARN_ROWS ? free_piece(w, &d) : UINT32_MAX;
        rc = piece == UINT32_MAX ? put_group(w, &d, e) : put_parts(w, &d, piece, e);
    }
    return rc;
}

/* same_event - b is what the row says. */
static bool same_event(const struct event *a, const struct event *b)
{
    if (a->time != b->time || a->received != b->received || a->offset_min != b->offset_min || a->class != b->class || a->parse != b->parse || a->marks != b->marks ||
        a->field_count != b->field_count || !str_eq(a->original, b->original) || !str_eq(a->time_text, b->time_text) || !str_eq(a->source, b->source) ||
        !str_eq(a->object, b->object) || !str_eq(a->parser, b->parser))
        return false;
    for (uint32_t i = 0; i < a->field_count; i++)
        if (!str_eq(a->fields[i].name, b->fields[i].name) || !str_eq(a->fields[i].value, b->fields[i].value))
            return false;
    return true;
}

/* prove_rest - the events of rare shapes come back. */
static int prove_rest(struct columns_writer *w, struct err *e)
{
    AUTO_FREE uint64_t *rows = calloc((w->count + 63) / 64, sizeof *rows);
    struct event_batch batch;
    size_t at = 0;
    int rc;

    if (!rows)
        return err_set(e, -ENOMEM, "no memory for a block");
    for (size_t i = 0; i < w->count; i++)
        rows[i / 64] |= (uint64_t)(w->code[i] == 0) << i % 64;
    event_batch_init(&batch, 256u * MIB);
    rc = columns_events(w->reader, rows, &batch, e);
    for (size_t i = 0; rc == 0 && i < w->count; i++) {
        struct event ev;

        if (w->code[i])
            continue;
        arena_reset(&w->arena);
        if (shaped_event(w->shaped, w->order[i], &w->arena, &ev) < 0)
            rc = err_set(e, -ENOMEM, "no memory for a block");
        else if (at == batch.count || !same_event(&ev, &batch.items[at++]))
            rc = err_set(e, -EBADMSG, "block: event %zu would not come back", i + 1);
    }
    event_batch_free(&batch);
    return rc;
}

/* prove - what was written gives back every event. */
static int prove(struct columns_writer *w, struct str columns, struct err *e)
{
    int rc = columns_open(w->reader, columns, w->all_time, w->count, e);

    if (rc == 0 && columns_groups(w->reader) != w->groups)
        rc = err_set(e, -EBADMSG, "block: %zu groups, not %u", columns_groups(w->reader), w->groups);
    for (size_t g = 0; rc == 0 && g < w->groups; g++)
        rc = columns_same(w->reader, g, w->shaped, w->order, w->drafted[g].shape, w->drafted[g].learned, w->drafted[g].cuts, e);
    return rc == 0 ? prove_rest(w, e) : rc;
}

int columns_encode(struct columns_writer *w, const struct shaped *s, const uint32_t *order, size_t count, columns_tell *tell, void *arg, struct buf *out, struct err *e)
{
    size_t at = out->n;
    int rc;

    assert(count > 0 && count <= EVENT_BATCH_MAX);
    w->tell = tell;
    w->arg = arg;
    rc = begin(w, s, order, count) ? put_groups(w, e) : err_set(e, -ENOMEM, "no memory for a block");
    buf_varint(&w->directory, 0);
    if (rc == 0)
        rc = put_rest(w, e);
    if (rc < 0)
        return rc;
    put_rows(w);
    frames_end(&w->frames, &w->directory);
    rc = put_all(w, out, e);
    return rc == 0 ? prove(w, str_cut(buf_view(out), at), e) : rc;
}
