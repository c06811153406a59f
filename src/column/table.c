/* table.c - few different texts, and the number of its text for each row: see internal.h. */
#include "column/internal.h"

static size_t code_bytes(size_t different) { return different <= 1 ? 0 : different <= 256 ? 1 : 2; }

size_t table_codes_cost(const struct different *d, struct estimate *est, size_t count)
{
    size_t width = code_bytes(d->count), rows = min_size(count, estimate_room(count) / 2), from = (count - rows) / 2;

    for (size_t byte = 0; byte < width; byte++)
        for (size_t i = 0; i < rows; i++)
            est->bytes[byte * rows + i] = (char)(d->code[from + i] >> (8 * byte));
    return estimate_bytes(est, rows * width) * count / max_size(rows, 1);
}

size_t table_texts_cost(const struct different *d, struct estimate *est, const struct str *values, size_t count)
{
    size_t room = estimate_room(count), texts = 0, bytes = 0;

    for (; texts < d->count && bytes + values[d->first[texts]].n + 1 <= room; texts++) {
        struct str v = values[d->first[texts]];

        if (v.n)
            memcpy(est->bytes + bytes, v.p, v.n);
        bytes += v.n;
        est->bytes[bytes++] = (char)v.n;
    }
    return texts ? estimate_bytes(est, bytes) * d->count / texts : d->bytes;
}

static void put_codes(const struct different *d, size_t count, struct column_out *out)
{
    char *to = buf_room(&out->frame[1], count * code_bytes(d->count));

    out->kind = COLUMN_TABLE;
    if (!to)
        return;
    for (size_t byte = 0; byte < code_bytes(d->count); byte++)
        for (size_t i = 0; i < count; i++)
            *to++ = (char)(d->code[i] >> (8 * byte));
    out->frame[1].n += count * code_bytes(d->count);
}

void column_table_put(const struct different *d, const struct str *values, size_t count, struct column_out *out)
{
    struct bounds b;

    bounds_start(&b);
    for (size_t i = 0; i < d->count; i++)
        bounds_length(&b, values[d->first[i]].n);
    lengths_put(values, d->first, d->count, &b, &out->frame[0]);
    texts_put(values, d->first, d->count, &b, &out->frame[0]);
    buf_byte(&out->head, COLUMN_TABLE);
    buf_varint(&out->head, d->count);
    buf_byte(&out->head, COLUMN_STRINGS);
    bounds_put(&b, d->bytes, &out->head);
    put_codes(d, count, out);
}

void column_table_put_numbers(const struct different *d, const struct form *f, const struct pack *p, const uint64_t *each, size_t count, struct column_out *out)
{
    buf_byte(&out->head, COLUMN_TABLE);
    buf_varint(&out->head, d->count);
    buf_byte(&out->head, (char)f->kind);
    form_put(f, &out->head);
    pack_put(p, each, d->count, &out->head, &out->frame[0], &out->dense[0]);
    put_codes(d, count, out);
}

static void table_open(struct column *c, struct reader *head)
{
    uint64_t different = rd_varint(head);
    uint8_t texts = rd_u8(head);

    if (different == 0 || different > c->count)
        rd_fail(head, "a number of different values");
    if (texts == COLUMN_STRINGS)
        bounds_read(&c->bounds, head);
    else if (texts >= COLUMN_DECIMAL && texts <= COLUMN_PATTERN) {
        form_open(&c->form, (enum column_kind)texts, head);
        pack_read(&c->pack, head);
    } else
        rd_fail(head, "a kind of different values");
    if (!rd_ok(head))
        return;
    if (texts != COLUMN_STRINGS)
        form_bounds(&c->form, c->pack.least, c->pack.most, &c->bounds);
    c->texts_are_numbers = texts != COLUMN_STRINGS;
    c->different = (size_t)different;
}

static int read_texts(struct column *c, struct str bytes, struct err *e)
{
    int rc = column_memory((void **)&c->ends, COLUMN_ROWS_MAX, sizeof *c->ends, e);

    if (rc < 0)
        return rc;
    if (!lengths_read(&bytes, c->different, &c->bounds, c->ends, SIZE_MAX))
        return column_torn(c, e, "the lengths of its texts are not those of its table");
    for (size_t i = 0, from = 0; i < c->different; from = c->ends[i++])
        c->table[i] = str_of(bytes.p + from, c->ends[i] - from);
    return 0;
}

/* write_texts - the texts of a table of numbers. */
static int write_texts(struct column *c, struct str bytes, struct err *e)
{
    char *to = NULL;
    int rc = column_memory((void **)&c->numbers, COLUMN_ROWS_MAX, sizeof *c->numbers, e);

    if (rc == 0)
        rc = column_text_room(c, c->different * form_longest(&c->form) + FORM_SLACK, &to, e);
    if (rc < 0)
        return rc;
    if (bytes.n != pack_bytes(&c->pack, c->different))
        return column_torn(c, e, "its numbers are not those of its table");
    pack_all(&c->pack, (const unsigned char *)bytes.p, c->different, c->numbers);
    for (size_t i = 0; i < c->different; i++) {
        c->table[i] = str_of(to, form_write(&c->form, c->numbers[i] + c->pack.least, to));
        to += c->table[i].n;
    }
    return 0;
}

/* read_table - the different values, of frame 0. */
static int read_table(struct column *c, struct err *e)
{
    struct str bytes = { NULL, 0 };
    int rc;

    if (c->ready)
        return 0;
    rc = column_table_room(c, c->different, e);
    if (rc == 0 && !(c->texts_are_numbers && c->pack.width == 0))
        rc = column_frame(c, 0, &bytes, e);
    if (rc == 0)
        rc = c->texts_are_numbers ? write_texts(c, bytes, e) : read_texts(c, bytes, e);
    c->ready = rc == 0;
    return rc;
}

/* read_codes - frame 1: low bytes, then high bytes (NULL where there are none). */
static int read_codes(struct column *c, const unsigned char **low, const unsigned char **high, struct err *e)
{
    size_t width = code_bytes(c->different);
    struct str bytes = { NULL, 0 };
    int rc = width ? column_frame(c, 1, &bytes, e) : 0;

    if (rc < 0)
        return rc;
    if (width && bytes.n != c->count * width)
        return column_torn(c, e, "its codes are not those of its rows");
    *low = width > 0 ? (const unsigned char *)bytes.p : NULL;
    *high = width > 1 ? (const unsigned char *)bytes.p + c->count : NULL;
    return 0;
}

static size_t code_of(const unsigned char *low, const unsigned char *high, size_t row)
{
    return (low ? low[row] : 0u) | (size_t)(high ? high[row] : 0u) << 8;
}

static int table_values(struct column *c, const uint64_t *rows, struct str *out, struct err *e)
{
    const unsigned char *low, *high;
    size_t greatest = 0;
    int rc = read_table(c, e);

    if (rc == 0)
        rc = read_codes(c, &low, &high, e);
    if (rc < 0)
        return rc;
    for (size_t i = 0; i < c->count; i++) {
        size_t code;

        if (rows && !bit_test(rows, i))
            continue;
        code = code_of(low, high, i);
        greatest = max_size(greatest, code);
        out[i] = c->table[code < c->different ? code : 0];
    }
    return greatest < c->different ? 0 : column_torn(c, e, "a code is not in its table");
}

/* ask_each - what yes says of each different value, into said; how many it takes. */
static size_t ask_each(struct column *c, const struct column_question *q)
{
    size_t taken = 0;

    for (size_t i = 0; i < c->different; i++) {
        c->said[i] = q->yes(q->arg, c->table[i]);
        taken += c->said[i];
    }
    /* A code that is in no table is no match. */
    memset(c->said + c->different, 0, (c->different <= 256 ? 256 : COLUMN_ROWS_MAX) - c->different);
    return taken;
}

/* ask_codes - rows whose code was said yes to. */
static void ask_codes(const struct column *c, const unsigned char *low, const unsigned char *high, uint64_t *rows)
{
    for (size_t w = 0; w < COLUMN_WORDS(c->count); w++) {
        size_t n = min_size(64, c->count - w * 64);
        unsigned char yes[64] = { 0 };

        if (!rows[w])
            continue;
        for (size_t i = 0; i < n; i++)
            yes[i] = c->said[code_of(low, high, w * 64 + i)];
        rows[w] &= bits_of_bytes(yes);
    }
}

/* ask_rows - the same where there are fewer rows than different values: only theirs are asked, each once. */
static void ask_rows(struct column *c, const struct column_question *q, const unsigned char *low, const unsigned char *high, uint64_t *rows)
{
    enum { UNKNOWN, NO, YES };

    memset(c->said, UNKNOWN, c->different);
    for (size_t w = 0; w < COLUMN_WORDS(c->count); w++)
        for (uint64_t left = rows[w]; left; left &= left - 1) {
            size_t row = w * 64 + (size_t)__builtin_ctzll(left), code = code_of(low, high, row);

            if (code < c->different && c->said[code] == UNKNOWN)
                c->said[code] = q->yes(q->arg, c->table[code]) ? YES : NO;
            if (code >= c->different || c->said[code] == NO)
                bit_clear(rows, row);
        }
}

static int table_ask(struct column *c, const struct column_question *q, uint64_t *rows, struct err *e)
{
    const unsigned char *low, *high;
    bool few = bits_count(rows, c->count) < c->different / 2;
    size_t taken = 0;
    int rc = read_table(c, e);

    if (rc == 0)
        rc = column_memory((void **)&c->said, COLUMN_ROWS_MAX, sizeof *c->said, e);
    if (rc < 0)
        return rc;
    if (!few) {
        taken = ask_each(c, q);
        if (taken == 0)
            bits_none(rows, c->count);
        if (taken == 0 || taken == c->different)
            return 0;
    }
    rc = read_codes(c, &low, &high, e);
    if (rc < 0)
        return rc;
    if (few)
        ask_rows(c, q, low, high, rows);
    else
        ask_codes(c, low, high, rows);
    return 0;
}

const struct column_ops table_ops = { "table", table_open, table_values, table_ask };
