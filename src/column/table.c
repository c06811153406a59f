/* table.c - few different texts, and the number of its text for each row: see internal.h. */
#include "column/internal.h"

static size_t code_bytes(size_t different) { return different <= 1 ? 0 : different <= 256 ? 1 : 2; }

size_t table_cost(const struct different *d, struct estimate *est, const struct str *values, size_t count)
{
    size_t texts = 0, bytes = 0, rows = min_size(count, ESTIMATE_BYTES / 2), from = (count - rows) / 2, cost;

    for (; texts < d->count && bytes + values[d->first[texts]].n + 1 <= ESTIMATE_BYTES; texts++) {
        struct str v = values[d->first[texts]];

        if (v.n)
            memcpy(est->bytes + bytes, v.p, v.n);
        bytes += v.n;
        est->bytes[bytes++] = (char)v.n;
    }
    cost = texts ? estimate_bytes(est, bytes) * d->count / texts : d->bytes;
    for (size_t byte = 0; byte < code_bytes(d->count); byte++)
        for (size_t i = 0; i < rows; i++)
            est->bytes[byte * rows + i] = (char)(d->code[from + i] >> (8 * byte));
    return cost + estimate_bytes(est, rows * code_bytes(d->count)) * count / rows;
}

void table_put(const struct different *d, const struct str *values, size_t count, struct column_out *out)
{
    struct bounds b;
    char *to;

    bounds_start(&b);
    for (size_t i = 0; i < d->count; i++)
        bounds_length(&b, values[d->first[i]].n);
    lengths_put(values, d->first, d->count, &b, &out->frame[0]);
    texts_put(values, d->first, d->count, &b, &out->frame[0]);
    out->kind = COLUMN_TABLE;
    buf_byte(&out->head, COLUMN_TABLE);
    buf_varint(&out->head, d->count);
    bounds_put(&b, d->bytes, &out->head);

    to = buf_room(&out->frame[1], count * code_bytes(d->count));
    if (!to)
        return;
    for (size_t byte = 0; byte < code_bytes(d->count); byte++)
        for (size_t i = 0; i < count; i++)
            *to++ = (char)(d->code[i] >> (8 * byte));
    out->frame[1].n += count * code_bytes(d->count);
}

static void table_open(struct column *c, struct reader *head)
{
    uint64_t different = rd_varint(head);

    bounds_read(&c->bounds, head);
    if (different == 0 || different > c->count)
        rd_fail(head, "a number of different values");
    c->different = (size_t)different;
}

/* read_table - the texts of frame 0. */
static int read_table(struct column *c, struct err *e)
{
    struct str bytes;
    int rc;

    if (c->ready)
        return 0;
    rc = column_table_room(c, c->different, e);
    if (rc == 0)
        rc = column_memory((void **)&c->ends, COLUMN_ROWS_MAX, sizeof *c->ends, e);
    if (rc < 0)
        return rc;
    rc = column_frame(c, 0, &bytes, e);
    if (rc < 0)
        return rc;
    if (!lengths_read(&bytes, c->different, &c->bounds, c->ends, SIZE_MAX))
        return column_torn(c, e, "the lengths of its texts are not those of its table");
    for (size_t i = 0, from = 0; i < c->different; from = c->ends[i++])
        c->table[i] = str_of(bytes.p + from, c->ends[i] - from);
    c->ready = true;
    return 0;
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
    return taken;
}

static int table_ask(struct column *c, const struct column_question *q, uint64_t *rows, struct err *e)
{
    const unsigned char *low, *high;
    size_t taken;
    int rc = read_table(c, e);

    if (rc == 0)
        rc = column_memory((void **)&c->said, COLUMN_ROWS_MAX, sizeof *c->said, e);
    if (rc < 0)
        return rc;
    taken = ask_each(c, q);
    if (taken == 0)
        bits_none(rows, c->count);
    if (taken == 0 || taken == c->different)
        return 0;
    memset(c->said + c->different, 0, COLUMN_ROWS_MAX - c->different);   /* a code that is in no table is no match */
    rc = read_codes(c, &low, &high, e);
    for (size_t w = 0; rc == 0 && w < COLUMN_WORDS(c->count); w++) {
        size_t n = min_size(64, c->count - w * 64);
        unsigned char yes[64] = { 0 };

        if (!rows[w])
            continue;
        for (size_t i = 0; i < n; i++)
            yes[i] = c->said[code_of(low, high, w * 64 + i)];
        rows[w] &= bits_of_bytes(yes);
    }
    return rc;
}

const struct column_ops table_ops = { "table", table_open, table_values, table_ask };
