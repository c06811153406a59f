/* strings.c - lengths, and the bytes one behind the other: see internal.h. */
#include "column/internal.h"

/* width_of - bytes that hold v. */
static size_t width_of(size_t v) { return v == 0 ? 0 : v < 0x100 ? 1 : v < 0x10000 ? 2 : 3; }

void lengths_put(const struct str *values, const uint32_t *which, size_t count, const struct bounds *b, struct buf *out)
{
    size_t width = width_of(b->longest - b->shortest);
    char *to = buf_room(out, count * width);

    if (!to)
        return;
    for (size_t byte = 0; byte < width; byte++)
        for (size_t i = 0; i < count; i++)
            *to++ = (char)((values[which ? which[i] : i].n - b->shortest) >> (8 * byte));
    out->n += count * width;
}

bool lengths_read(struct str *bytes, size_t count, const struct bounds *b, uint32_t *ends, size_t total)
{
    size_t width = width_of(b->longest - b->shortest), end = 0;
    const unsigned char *p = (const unsigned char *)bytes->p;

    if (bytes->n < count * width)
        return false;
    for (size_t i = 0; i < count; i++) {
        size_t more = 0;

        for (size_t byte = 0; byte < width; byte++)
            more |= (size_t)p[byte * count + i] << (8 * byte);
        end += b->shortest + more;
        if (end > COLUMN_BYTES_MAX)
            return false;
        ends[i] = (uint32_t)end;
    }
    *bytes = str_cut(*bytes, count * width);
    return end == (total == SIZE_MAX ? bytes->n : total);
}

void texts_put(const struct str *values, const uint32_t *which, size_t count, struct bounds *b, struct buf *out)
{
    size_t bytes = 0;
    char *to;

    for (size_t i = 0; i < count; i++)
        bytes += values[which ? which[i] : i].n;
    to = buf_room(out, bytes);
    for (size_t i = 0; to && i < count; i++) {
        struct str v = values[which ? which[i] : i];

        texts_ahead(values, which ? 0 : count, i);
        if (v.n)
            memcpy(to, v.p, v.n);
        to += v.n;
    }
    if (!to)
        return;
    bounds_bytes(b, str_of(to - bytes, bytes));
    out->n += bytes;
}

void strings_put(const struct str *values, size_t count, struct column_out *out)
{
    struct bounds b;
    size_t before = out->frame[1].n;

    bounds_start(&b);
    for (size_t i = 0; i < count; i++)
        bounds_length(&b, values[i].n);
    lengths_put(values, NULL, count, &b, &out->frame[0]);
    texts_put(values, NULL, count, &b, &out->frame[1]);
    out->kind = COLUMN_STRINGS;
    buf_byte(&out->head, COLUMN_STRINGS);
    bounds_put(&b, out->frame[1].n - before, &out->head);
}

static void strings_open(struct column *c, struct reader *head)
{
    bounds_read(&c->bounds, head);
}

/* read_strings - the lengths of frame 0 and the bytes of frame 1, which hold what the lengths say. */
static int read_strings(struct column *c, struct str *bytes, struct err *e)
{
    struct str lengths = { NULL, 0 };
    int rc = column_memory((void **)&c->ends, COLUMN_ROWS_MAX, sizeof *c->ends, e);

    if (rc == 0 && c->bounds.longest > c->bounds.shortest)
        rc = column_frame(c, 0, &lengths, e);
    if (rc == 0)
        rc = column_frame(c, 1, bytes, e);
    if (rc < 0 || c->ready)
        return rc;
    if (!lengths_read(&lengths, c->count, &c->bounds, c->ends, bytes->n) || lengths.n)
        return column_torn(c, e, "its lengths are not those of its bytes");
    c->ready = true;
    return 0;
}

static struct str string_at(const struct column *c, struct str bytes, size_t row)
{
    size_t from = row ? c->ends[row - 1] : 0;

    return str_of(bytes.p + from, c->ends[row] - from);
}

static int strings_values(struct column *c, const uint64_t *rows, struct str *out, struct err *e)
{
    struct str bytes;
    int rc = read_strings(c, &bytes, e);

    for (size_t i = 0; rc == 0 && i < c->count; i++)
        if (!rows || bit_test(rows, i))
            out[i] = string_at(c, bytes, i);
    return rc;
}

static void ask_rows(const struct column *c, const struct column_question *q, struct str bytes, uint64_t *rows)
{
    for (size_t w = 0; w < COLUMN_WORDS(c->count); w++)
        for (uint64_t left = rows[w]; left; left &= left - 1) {
            size_t row = w * 64 + (size_t)__builtin_ctzll(left);

            if (!q->yes(q->arg, string_at(c, bytes, row)))
                bit_clear(rows, row);
        }
}

/* row_of - the row in which the byte at stands, from a row on that begins no later: by doubling steps, then by halves. */
static size_t row_of(const struct column *c, size_t row, size_t at)
{
    size_t step = 1, end;

    while (row + step < c->count && c->ends[row + step - 1] <= at)
        row += step, step *= 2;
    for (end = min_size(row + step, c->count - 1); row < end;) {
        size_t middle = (row + end) / 2;

        if (c->ends[middle] <= at)
            row = middle + 1;
        else
            end = middle;
    }
    return row;
}

/* ask_found - only rows in which the needle stands are asked: it is looked for in all of the bytes at once. */
static void ask_found(const struct column *c, const struct column_question *q, struct str bytes, uint64_t *rows)
{
    struct needle n = question_needle(q->needle, q->fold);
    uint64_t word = 0;
    size_t row = 0, in = 0, at;

    for (size_t from = 0; (at = needle_find(&n, bytes, from)) != SIZE_MAX;) {
        row = row_of(c, row, at);
        for (; in < row / 64; word = 0)
            rows[in++] &= word;
        if (at + q->needle.n > c->ends[row]) {      /* it goes over the end of a value */
            from = at + 1;
            continue;
        }
        if (bit_test(rows, row) && q->yes(q->arg, string_at(c, bytes, row)))
            word |= UINT64_C(1) << row % 64;
        from = c->ends[row];
    }
    for (; in < COLUMN_WORDS(c->count); word = 0)
        rows[in++] &= word;
}

static int strings_ask(struct column *c, const struct column_question *q, uint64_t *rows, struct err *e)
{
    struct str bytes;
    int rc = read_strings(c, &bytes, e);

    if (rc < 0)
        return rc;
    /* Few rows are asked one by one: that touches less than a search through all. */
    if (q->needle.n && bits_count(rows, c->count) * 16 > c->count)
        ask_found(c, q, bytes, rows);
    else
        ask_rows(c, q, bytes, rows);
    return 0;
}

const struct column_ops strings_ops = { "strings", strings_open, strings_values, strings_ask };
