/* columns_read.c - the directory of a block of columns, its frames when they are asked for, and its events put together again. */
#include "store/columns_open.h"

#include <xxhash.h>

/* --- memory --- */

struct columns *columns_new(void)
{
    struct columns *c = calloc(1, sizeof *c);

    if (!c)
        return NULL;
    arena_init(&c->arena, 256u * MIB);
    arena_init(&c->raw, RAW_MAX + 64u * MIB);   /* what an arena spends besides */
    arena_init(&c->work, WORK_MAX);
    buf_init(&c->directory, DIRECTORY_MAX + 1);
    event_batch_init(&c->rest_events, RAW_MAX);
    c->zstd = ZSTD_createDCtx();
    if (!c->zstd)
        columns_free(&c);
    return c;
}

void columns_free(struct columns **cp)
{
    struct columns *c = *cp;

    if (!c)
        return;
    for (size_t i = 0; i < c->column_cap; i++)
        column_free(&c->column[i]);
    free(c->column);
    free(c->asking);
    arena_free(&c->arena);
    arena_free(&c->raw);
    arena_free(&c->work);
    buf_free(&c->directory);
    event_batch_free(&c->rest_events);
    ZSTD_freeDCtx(c->zstd);
    free(c);
    *cp = NULL;
}

/* --- the directory --- */

/* grown - room for one more in an array of the arena. */
static bool grown(struct arena *a, void **list, size_t count, size_t *cap, size_t size)
{
    size_t more = *cap ? *cap * 2 : 64;
    void *to;

    if (count < *cap)
        return true;
    to = arena_array(a, more, size);
    if (!to)
        return false;
    if (count)
        memcpy(to, *list, count * size);
    *list = to;
    *cap = more;
    return true;
}

static uint32_t get_name(struct columns *c, struct reader *r)
{
    uint64_t at = rd_varint(r);
    void *list = c->name;

    if (at > c->names || at >= CODEC_NAMES_MAX) {
        rd_fail(r, "the number of a name");
        return 0;
    }
    if (at < c->names)
        return (uint32_t)at;
    if (!grown(&c->arena, &list, c->names, &c->name_cap, sizeof *c->name)) {
        rd_fail(r, "memory for names");
        return 0;
    }
    c->name = list;
    c->name[c->names++] = rd_varstr(r, EVENT_NAME_MAX, "a name within the limit");
    return (uint32_t)at;
}

/* get_place - frames stand in the order of the directory, those of their own and pools counted apart; pools are behind, which is settled when their number is known. */
static struct frame_place get_place(struct columns *c, struct reader *r)
{
    uint64_t v = rd_varint(r), n = v >> 2;
    struct frame_place p = { 0, 0, (uint32_t)n };

    if (n == 0 && v == 0)
        return p;
    if (n == 0 || n > RAW_MAX || (v & 3) == 3) {
        rd_fail(r, "the length of a frame");
        return (struct frame_place){ 0, 0, 0 };
    }
    if (v & 1) {
        p.frame = c->counting.own++;
        return p;
    }
    if (v & 2) {
        c->counting.pools++;
        c->counting.at = 0;
    }
    if (!c->counting.pools || c->counting.at + n > UINT32_MAX) {
        rd_fail(r, "a pool for a frame");
        return p;
    }
    p.frame = UINT32_MAX - c->counting.pools;       /* counted from the end until then */
    p.at = c->counting.at;
    c->counting.at += (uint32_t)n;
    return p;
}

static void get_span(struct group *g, struct reader *r, struct payload_column *k)
{
    uint64_t from = rd_varint(r), count;

    if (from == 0) {
        k->from = k->to = (uint16_t)g->texts++;
        return;
    }
    count = rd_varint(r);
    if (from > g->pieces || count == 0 || count > g->pieces - (from - 1)) {
        rd_fail(r, "pieces of the line");
        return;
    }
    k->from = (uint16_t)(from - 1);
    k->to = (uint16_t)(from - 1 + count);
}

static void get_text(struct columns *c, struct group *g, uint32_t index, struct reader *r)
{
    struct group_text *t = &g->text[index];
    uint64_t same = rd_varint(r);

    if (same > index) {
        rd_fail(r, "a text before this one");
        return;
    }
    if (same) {
        *t = g->text[same - 1];
        t->same = t->same ? t->same : (uint16_t)same;
        return;
    }
    *t = (struct group_text){ .same = 0 };
    t->head = rd_varstr(r, HEAD_MAX, "the head of a column");
    for (unsigned f = 0; f < COLUMN_FRAMES && rd_ok(r); f++)
        t->place[f] = get_place(c, r);
}

static void get_group(struct columns *c, struct group *g, struct reader *r)
{
    uint64_t pieces;

    g->common.flags = flags_get(r);
    g->common.marks = (uint32_t)rd_varint(r);
    g->common.offset_min = zone_get(r);
    pieces = rd_varint(r);
    g->fields = field_count_get(r);
    if (pieces > PIECES_MAX)
        rd_fail(r, "a number of pieces within the limit");
    if (!rd_ok(r))
        return;
    g->pieces = g->texts = (uint32_t)pieces;
    g->columns = arena_array(&c->arena, g->fields + CODEC_COLUMNS, sizeof *g->columns);
    for (uint32_t i = 0; g->columns && i < g->fields + CODEC_COLUMNS && rd_ok(r); i++) {
        g->columns[i].name = i < CODEC_COLUMNS ? 0 : get_name(c, r);
        get_span(g, r, &g->columns[i]);
    }
    g->text = rd_ok(r) ? arena_array(&c->arena, g->texts + 1, sizeof *g->text) : NULL;
    g->row = rd_ok(r) ? arena_array(&c->arena, g->rows, sizeof *g->row) : NULL;
    if (rd_ok(r) && (!g->columns || !g->text || !g->row))
        rd_fail(r, "memory for a group");
    c->values += (uint64_t)g->rows * g->texts;
    if (c->values > SHAPED_TEXTS_MAX)
        rd_fail(r, "a number of values within the limit");
    for (uint32_t t = 0; t < g->texts && rd_ok(r); t++)
        get_text(c, g, t, r);
    g->joined = rd_varint(r) != 0;
}

static void get_groups(struct columns *c, struct reader *r)
{
    uint64_t left = c->count, rows;

    while (rd_ok(r) && (rows = rd_varint(r)) != 0) {
        void *list = c->group;

        if (rows > left || c->groups == GROUPS_MAX) {
            rd_fail(r, "a number of rows within the block's");
            return;
        }
        if (!grown(&c->arena, &list, c->groups, &c->group_cap, sizeof *c->group)) {
            rd_fail(r, "memory for groups");
            return;
        }
        left -= rows;
        c->group = list;
        c->group[c->groups] = (struct group){ .rows = (uint32_t)rows };
        get_group(c, &c->group[c->groups++], r);
    }
    c->rests = (uint32_t)left;
}

/* get_frames - of one kind; at: where the first of them begins in the payload. */
static size_t get_frames(struct columns *c, struct reader *r, uint64_t want, size_t at)
{
    uint64_t count = rd_varint(r);

    if (count != want)
        rd_fail(r, "as many frames as are named");
    for (uint64_t i = 0; i < count && rd_ok(r); i++) {
        struct frame *f = &c->frame[c->frames];
        uint64_t raw = rd_varint(r), packed = raw & 1 ? raw >> 1 : rd_varint(r);

        f->sum = rd_le64(r);
        c->raw_bytes += raw >> 1 > RAW_MAX ? RAW_MAX : raw >> 1;
        if (raw >> 1 == 0 || raw >> 1 > RAW_MAX || c->raw_bytes > RAW_MAX || packed == 0 || packed > c->payload.n - at) {
            rd_fail(r, "a frame within the block");
            return at;
        }
        *f = (struct frame){ c->payload.p + at, NULL, (uint32_t)packed, (uint32_t)(raw >> 1), f->sum };
        at += packed;
        c->frames++;
    }
    return at;
}

/* settle - the places in pools by their number now that it is known. */
static void settle(const struct columns *c, struct frame_place *p, struct reader *r)
{
    if (p->n && p->frame > UINT32_MAX / 2)
        p->frame = (uint32_t)c->own + (UINT32_MAX - p->frame) - 1;
    if (p->n && (p->frame >= c->frames || p->at > c->frame[p->frame].raw_n || p->n > c->frame[p->frame].raw_n - p->at))
        rd_fail(r, "places within their frames");
}

static void settle_all(struct columns *c, struct reader *r)
{
    for (size_t g = 0; g < c->groups; g++)
        for (uint32_t t = 0; t < c->group[g].texts; t++)
            for (unsigned f = 0; f < COLUMN_FRAMES; f++)
                settle(c, &c->group[g].text[t].place[f], r);
    settle(c, &c->rest, r);
    settle(c, &c->codes, r);
    settle(c, &c->moments, r);
}

static void get_directory(struct columns *c, struct reader *r, size_t at)
{
    size_t most;

    get_groups(c, r);
    c->rest = get_place(c, r);
    c->codes = get_place(c, r);
    c->moments = get_place(c, r);
    c->own = c->counting.own;
    most = (size_t)c->counting.own + c->counting.pools;
    if (!rd_ok(r))
        return;
    c->frame = arena_array(&c->arena, most + 1, sizeof *c->frame);
    if (!c->frame) {
        rd_fail(r, "memory for frames");
        return;
    }
    at = get_frames(c, r, c->counting.own, at);
    at = rd_ok(r) ? get_frames(c, r, c->counting.pools, at) : at;
    if (rd_ok(r) && (rd_left(r) || at != c->payload.n))
        rd_fail(r, "the end of the directory, and of the frames");
    if (rd_ok(r))
        settle_all(c, r);
}

static int unpack_directory(struct columns *c, size_t *at, struct err *e)
{
    struct reader r = rd_str(c->payload);
    uint32_t packed = rd_le32(&r), raw = rd_le32(&r);
    uint64_t sum = rd_le64(&r);
    char *to;
    size_t n;

    buf_reset(&c->directory);
    if (!rd_ok(&r) || packed > rd_left(&r) || raw == 0 || raw > DIRECTORY_MAX || XXH3_64bits(c->payload.p + COLUMNS_HEAD, packed) != sum)
        return err_set(e, -EBADMSG, "block: wrong checksum of its directory");
    to = buf_room(&c->directory, raw);
    if (!to)
        return err_set(e, -ENOMEM, "no memory to read a block");
    n = ZSTD_decompressDCtx(c->zstd, to, raw, c->payload.p + COLUMNS_HEAD, packed);
    if (ZSTD_isError(n) || n != raw)
        return err_set(e, -EBADMSG, "block: its directory cannot be decompressed");
    c->directory.n = raw;
    *at = COLUMNS_HEAD + packed;
    return 0;
}

/* --- frames --- */

static int frame_open(struct columns *c, uint32_t index, struct err *e)
{
    struct frame *f = &c->frame[index];
    size_t n = f->packed_n;

    if (f->raw)
        return 0;
    if (!c->unchecked && XXH3_64bits(f->packed, f->packed_n) != f->sum)
        return err_set(e, -EBADMSG, "block: wrong checksum of frame %u", index + 1);
    if (f->packed_n == f->raw_n) {
        f->raw = (char *)(uintptr_t)f->packed;      /* only ever read */
        return 0;
    }
    f->raw = arena_alloc(&c->raw, f->raw_n);
    if (!f->raw)
        return err_set(e, -ENOMEM, "no memory to read a block");
    n = ZSTD_decompressDCtx(c->zstd, f->raw, f->raw_n, f->packed, f->packed_n);
    if (!ZSTD_isError(n) && n == f->raw_n)
        return 0;
    f->raw = NULL;
    return err_set(e, -EBADMSG, "block: frame %u cannot be decompressed", index + 1);
}

static int place_bytes(struct columns *c, const struct frame_place *p, struct str *bytes, struct err *e)
{
    int rc;

    *bytes = str_of("", 0);
    if (p->n == 0)
        return 0;
    rc = frame_open(c, p->frame, e);
    if (rc == 0)
        *bytes = str_of(c->frame[p->frame].raw + p->at, p->n);
    return rc;
}

static int give_frame(void *arg, unsigned which, struct str *bytes, struct err *e)
{
    struct asking *a = arg;

    return place_bytes(a->c, &a->t->place[which], bytes, e);
}

/* --- which event is in which group --- */

static int get_codes(struct columns *c, struct err *e)
{
    struct str bytes;
    struct reader r;
    AUTO_FREE uint32_t *have = calloc(c->groups + 1, sizeof *have);
    int rc = place_bytes(c, &c->codes, &bytes, e);

    c->rest_row = arena_array(&c->arena, c->rests + 1u, sizeof *c->rest_row);
    if (rc < 0)
        return rc;
    if (!have || !c->rest_row)
        return err_set(e, -ENOMEM, "no memory to read a block");
    r = rd_str(bytes);
    for (size_t i = 0; i < c->count && rd_ok(&r); i++) {
        uint64_t g = rd_varint(&r);
        uint32_t most = g > c->groups ? 0 : g ? c->group[g - 1].rows : c->rests;

        if (g > c->groups || have[g] == most)
            rd_fail(&r, "a group with room for the event");
        else if (g)
            c->group[g - 1].row[have[g]++] = (uint32_t)i;
        else
            c->rest_row[have[g]++] = (uint32_t)i;
    }
    if (rd_ok(&r) && rd_left(&r))
        rd_fail(&r, "the end of the groups of events");
    return rd_ok(&r) ? 0 : rd_err(&r, e, "block");
}

static int get_moments(struct columns *c, struct err *e)
{
    struct str bytes;
    struct reader r;
    uint64_t before = 0;
    int rc = place_bytes(c, &c->moments, &bytes, e);
    uint8_t from_time;

    c->received = arena_array(&c->arena, c->count, sizeof *c->received);
    if (rc < 0)
        return rc;
    if (!c->received)
        return err_set(e, -ENOMEM, "no memory to read a block");
    r = rd_str(bytes);
    from_time = rd_u8(&r);
    for (size_t i = 0; i < c->count && rd_ok(&r); i++)
        c->received[i] = (time_ns)(before = (from_time ? (uint64_t)c->time[i] : before) + (uint64_t)codec_zag(rd_varint(&r)));
    if (rd_ok(&r) && (rd_left(&r) || from_time > 1))
        rd_fail(&r, "the end of the moments of receipt");
    return rd_ok(&r) ? 0 : rd_err(&r, e, "block");
}

/* keep_columns - what a block of wide events took is not kept for narrow ones. */
static void keep_columns(struct columns *c)
{
    while (c->column_cap > COLUMNS_KEPT)
        column_free(&c->column[--c->column_cap]);
}

int columns_open(struct columns *c, struct str payload, const time_ns *time, size_t count, struct err *e)
{
    struct reader r;
    size_t at = 0;
    int rc;

    arena_reset(&c->arena);
    arena_reset(&c->raw);
    c->payload = payload;
    c->time = time;
    c->count = count;
    c->name = NULL;
    c->group = NULL;
    c->frame = NULL;
    c->names = c->name_cap = c->groups = c->group_cap = c->frames = c->own = 0;
    c->values = c->raw_bytes = 0;
    c->rest_read = false;
    keep_columns(c);
    c->counting = (struct frame_count){ 0, 0, 0 };
    rc = unpack_directory(c, &at, e);
    if (rc < 0)
        return rc;
    r = rd_str(buf_view(&c->directory));
    get_directory(c, &r, at);
    rc = rd_ok(&r) ? get_codes(c, e) : rd_err(&r, e, "block: directory");
    return rc == 0 ? get_moments(c, e) : rc;
}

void columns_unchecked(struct columns *c) { c->unchecked = true; }
size_t columns_groups(const struct columns *c) { return c->groups; }
const struct group *columns_group(const struct columns *c, size_t i) { return &c->group[i]; }

/* --- texts --- */

bool columns_room(struct columns *c, size_t count)
{
    struct column **list;
    struct asking *asking;

    if (count <= c->column_cap)
        return true;
    list = realloc(c->column, count * sizeof *list);
    c->column = list ? list : c->column;
    asking = realloc(c->asking, count * sizeof *asking);
    c->asking = asking ? asking : c->asking;
    if (!list || !asking)
        return false;
    for (; c->column_cap < count; c->column_cap++) {
        c->column[c->column_cap] = column_new();
        if (!c->column[c->column_cap])
            return false;
    }
    return true;
}

bool columns_pick(struct columns *c, const struct group *g, const uint64_t *rows, struct pick *p)
{
    *p = (struct pick){ .count = 0 };
    for (uint32_t i = 0; i < g->rows; i++)
        p->count += columns_has(rows, g->row[i]);
    if (p->count == 0)
        return true;
    p->time = arena_array(&c->work, g->rows, sizeof *p->time);
    if (rows && p->count < g->rows)
        p->bits = arena_zero(&c->work, (g->rows + 63u) / 64 * sizeof *p->bits);
    if (!p->time || (rows && p->count < g->rows && !p->bits))
        return false;
    for (uint32_t i = 0; i < g->rows; i++) {
        p->time[i] = c->time[g->row[i]];
        if (p->bits && columns_has(rows, g->row[i]))
            p->bits[i / 64] |= UINT64_C(1) << i % 64;
    }
    return true;
}

int columns_text(struct columns *c, const struct group *g, uint32_t index, const time_ns *time, struct err *e)
{
    const struct group_text *t = &g->text[index];
    struct reader head = rd_str(t->head);
    int rc;

    c->asking[index] = (struct asking){ c, t };
    rc = column_open(c->column[index], &head, g->rows, time, give_frame, &c->asking[index], e);
    return rc == 0 && rd_left(&head) ? err_set(e, -EBADMSG, "block: the head of a column is too long") : rc;
}

/* read_text - the values of a text in the rows that were picked. */
static int read_text(struct columns *c, const struct group *g, uint32_t index, const struct pick *p, struct text_values *out, struct err *e)
{
    const struct group_text *t = &g->text[index];
    struct str *values;
    int rc;

    if (t->same) {
        out[index] = out[t->same - 1];
        if (!out[index].step)
            out[index].v = &out[index].one;
        return 0;
    }
    rc = columns_text(c, g, index, p->time, e);
    if (rc < 0)
        return rc;
    if (column_constant(c->column[index], &out[index].one) == 1) {
        out[index].v = &out[index].one;
        out[index].step = 0;
        return 0;
    }
    values = arena_array(&c->work, g->rows, sizeof *values);
    if (!values)
        return err_set(e, -ENOMEM, "no memory to read a block");
    out[index].v = values;
    out[index].step = 1;
    return column_values(c->column[index], p->bits, values, e);
}

/* --- proof --- */

/* same_shape - the group's fields and where they stand are those of the shape. */
static bool same_shape(const struct columns *c, const struct group *g, const struct shaped *s, const struct payload_shape *shape, uint32_t learned, uint32_t more)
{
    if (g->fields != shape->fields || g->pieces != shape->pieces + more || g->texts != shape->texts + more || g->common.flags != shape->common.flags ||
        g->common.marks != shape->common.marks || g->common.offset_min != shape->common.offset_min)
        return false;
    for (uint32_t i = 0; i < g->fields + CODEC_COLUMNS; i++) {
        const struct payload_column *a = &g->columns[i], *b = &shape->columns[i];
        bool piece = b->from != b->to;
        uint32_t from = b->from + (piece && more && b->from > learned ? more : 0) + (piece ? 0 : more), to = b->to + (piece && more && b->to > learned ? more : 0) + (piece ? 0 : more);

        if (a->from != from || a->to != to || (i >= CODEC_COLUMNS && !str_eq(c->name[a->name], shaped_name(s, b->name))))
            return false;
    }
    return true;
}

static bool same_row(const struct group *g, const struct text_values *v, uint32_t row, const struct shaped *s, const struct payload_place *place, uint32_t learned, uint32_t cuts)
{
    for (uint32_t t = 0, of = 0; t < g->texts; of++) {
        struct str whole = shaped_text(s, place[of]);
        uint32_t n = of == learned ? cuts : 1;

        for (; n > 0; n--, t++) {
            struct str piece = v[t].v[(size_t)v[t].step * row];

            if (piece.n > whole.n || (piece.p != whole.p && piece.n && memcmp(piece.p, whole.p, piece.n) != 0))
                return false;
            whole = str_cut(whole, piece.n);
        }
        if (whole.n)
            return false;
    }
    return true;
}

int columns_same(struct columns *c, size_t index, const struct shaped *s, const uint32_t *order, const struct payload_shape *shape, uint32_t learned, uint32_t cuts, struct err *e)
{
    const struct group *g = &c->group[index];
    struct text_values *v;
    struct pick p;
    int rc = 0;

    arena_reset(&c->work);
    if (!columns_pick(c, g, NULL, &p) || !columns_room(c, g->texts) || !(v = arena_array(&c->work, g->texts + 1u, sizeof *v)))
        return err_set(e, -ENOMEM, "no memory to prove a block");
    if (!same_shape(c, g, s, shape, learned, learned == UINT32_MAX ? 0 : cuts - 1))
        return err_set(e, -EBADMSG, "block: group %zu is not of its shape", index + 1);
    for (uint32_t t = 0; rc == 0 && t < g->texts; t++)
        rc = read_text(c, g, t, &p, v, e);
    for (uint32_t i = 0; rc == 0 && i < g->rows; i++) {
        uint32_t row = order[g->row[i]];

        if (shaped_shape(s, s->shape[row]) != shape || c->received[g->row[i]] != s->received[row] || !same_row(g, v, i, s, s->place + s->first[row], learned, cuts))
            rc = err_set(e, -EBADMSG, "block: event %u would not come back", g->row[i] + 1);
    }
    return rc;
}

/* --- events --- */

/* value_of - of a column in a row. What is no part of the line is copied: it lies in a column's memory, which the next group will use. */
static struct str value_of(const struct text_values *v, const struct payload_column *k, const char *line, const uint32_t *cut, uint32_t row, struct arena *a)
{
    struct str s;
    char *to;

    if (k->from < k->to)
        return str_of(line + cut[k->from], cut[k->to] - cut[k->from]);
    s = v[k->from].v[(size_t)v[k->from].step * row];
    if (!v[k->from].step || s.n == 0)
        return s;
    to = arena_alloc(a, s.n);
    if (to)
        codec_copy(to, s.p, s.n);
    return str_of(to, s.n);
}

/* put_line - the pieces one behind the other; cut[0…pieces] says where. */
static int put_line(const struct group *g, const struct text_values *v, uint32_t row, struct arena *a, struct event *ev, uint32_t *cut, struct err *e)
{
    size_t n = 0;
    char *to;

    for (uint32_t i = 0; i < g->pieces; i++) {
        cut[i] = (uint32_t)n;
        n += v[i].v[(size_t)v[i].step * row].n;
        if (n > EVENT_ORIGINAL_MAX)
            return err_set(e, -EBADMSG, "block: a line of more than %u bytes", EVENT_ORIGINAL_MAX);
    }
    cut[g->pieces] = (uint32_t)n;
    to = arena_alloc(a, n + 1);
    if (!to)
        return err_set(e, -ENOMEM, "no memory for the events of a block");
    ev->original = str_of(to, n);
    for (uint32_t i = 0; i < g->pieces; i++) {
        struct str s = v[i].v[(size_t)v[i].step * row];

        codec_copy(to + cut[i], s.p, s.n);
    }
    return 0;
}

static int put_event(struct columns *c, const struct group *g, const struct text_values *v, uint32_t row, struct event_batch *batch, struct event *ev, struct err *e)
{
    uint32_t cut[PIECES_MAX + 1], event = g->row[row];
    const struct payload_column *k = g->columns;
    const char *line;
    int rc = put_line(g, v, row, &batch->arena, ev, cut, e);

    if (rc < 0)
        return rc;
    ev->fields = arena_array(&batch->arena, g->fields, sizeof *ev->fields);
    if (!ev->fields)
        return err_set(e, -ENOMEM, "no memory for the events of a block");
    line = ev->original.p;
    ev->time = c->time[event];
    ev->received = c->received[event];
    ev->offset_min = g->common.offset_min;
    ev->class = (enum event_class)(g->common.flags & 15);
    ev->parse = (enum event_parse)(g->common.flags >> 4);
    ev->marks = g->common.marks;
    ev->time_text = value_of(v, k++, line, cut, row, &batch->arena);
    ev->source = value_of(v, k++, line, cut, row, &batch->arena);
    ev->object = value_of(v, k++, line, cut, row, &batch->arena);
    ev->parser = value_of(v, k++, line, cut, row, &batch->arena);
    for (uint32_t f = 0; f < g->fields; f++, k++) {
        struct str name = c->name[k->name];

        if (batch->wanted && !batch->wanted(batch->wanted_arg, name))
            continue;
        ev->fields[ev->field_count++] = (struct event_field){ name, value_of(v, k, line, cut, row, &batch->arena) };
    }
    ev->field_cap = ev->field_count;
    return arena_failed(&batch->arena) ? err_set(e, -ENOMEM, "no memory for the events of a block") : 0;
}

/* put_group - the events of a group that are asked for, each at its place: place[i] is that of the block's event i in the batch. */
static int put_group(struct columns *c, const struct group *g, const uint64_t *rows, const uint32_t *place, struct event_batch *batch, size_t had, struct err *e)
{
    struct text_values *v;
    struct pick p;
    int rc = 0;

    if (!columns_pick(c, g, rows, &p) || !columns_room(c, g->texts))
        return err_set(e, -ENOMEM, "no memory to read a block");
    if (p.count == 0)
        return 0;
    v = arena_array(&c->work, g->texts + 1u, sizeof *v);
    if (!v)
        return err_set(e, -ENOMEM, "no memory to read a block");
    for (uint32_t t = 0; rc == 0 && t < g->texts; t++)
        rc = read_text(c, g, t, &p, v, e);
    for (uint32_t i = 0; rc == 0 && i < g->rows; i++)
        if (columns_has(rows, g->row[i]))
            rc = put_event(c, g, v, i, batch, &batch->items[had + (place ? place[g->row[i]] : g->row[i])], e);
    return rc;
}

/* read_rest - the events of rare shapes; once for all rows that are asked for one after the other. */
static int read_rest(struct columns *c, const struct event_batch *batch, struct err *e)
{
    struct event_batch *rest = &c->rest_events;
    struct str bytes;
    int rc;

    if (c->rest_read && rest->wanted == batch->wanted && rest->wanted_arg == batch->wanted_arg)
        return 0;
    rc = place_bytes(c, &c->rest, &bytes, e);
    event_batch_reset(rest);
    rest->wanted = batch->wanted;
    rest->wanted_arg = batch->wanted_arg;
    if (rc == 0)
        rc = event_decode(bytes, 0, rest, e);
    if (rc == 0 && rest->count != c->rests)
        rc = err_set(e, -EBADMSG, "block: %zu events of rare shapes, not %u", rest->count, c->rests);
    c->rest_read = rc == 0;
    return rc;
}

/* put_rest - the events of rare shapes that are asked for. */
static int put_rest(struct columns *c, const uint64_t *rows, const uint32_t *place, struct event_batch *batch, size_t had, struct err *e)
{
    uint32_t any = 0;
    int rc;

    for (uint32_t i = 0; i < c->rests; i++)
        any += columns_has(rows, c->rest_row[i]);
    if (!any)
        return 0;
    rc = read_rest(c, batch, e);
    for (uint32_t i = 0; rc == 0 && i < c->rests; i++) {
        uint32_t row = c->rest_row[i];

        if (!columns_has(rows, row))
            continue;
        if (c->rest_events.items[i].time != c->time[row] || c->rest_events.items[i].received != c->received[row])
            rc = err_set(e, -EBADMSG, "block: keys and events differ in time");
        batch->items[had + (place ? place[row] : row)] = c->rest_events.items[i];
        batch->items[had + (place ? place[row] : row)].seq = 0;
    }
    return rc;
}

int columns_events(struct columns *c, const uint64_t *rows, struct event_batch *batch, struct err *e)
{
    size_t had = batch->count, count = 0;
    uint32_t *place = NULL;
    int rc = 0;

    arena_reset(&c->work);
    if (rows) {
        place = arena_array(&c->work, c->count, sizeof *place);
        if (!place)
            return err_set(e, -ENOMEM, "no memory to read a block");
    }
    for (size_t i = 0; i < c->count; i++)
        if (columns_has(rows, (uint32_t)i)) {
            if (place)
                place[i] = (uint32_t)count;
            count++;
            if (!event_batch_add(batch))
                rc = err_set(e, -ENOMEM, "no memory for the events of a block");
        }
    for (size_t g = 0; rc == 0 && g < c->groups; g++)
        rc = put_group(c, &c->group[g], rows, place, batch, had, e);
    if (rc == 0)
        rc = put_rest(c, rows, place, batch, had, e);
    if (rc < 0)
        batch->count = had;
    /* More than the arena takes no writer puts into a block: it lies. */
    return rc == -ENOMEM && arena_failed(&batch->arena) ? err_set(e, -EBADMSG, "block: its events take more memory than a block may") : rc;
}
