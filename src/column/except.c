/* except.c - the few rows of a column that are not in its form: see internal.h.
 *
 * They stand in frame 0: for each row varint of the rows since the one before (the first: since row 0), then lengths, then bytes. The head has their number, and their
 * bounds if there are any. */
#include "column/internal.h"

void except_put(const struct except *x, const struct str *values, struct column_out *out)
{
    struct bounds b;
    size_t bytes = 0;

    buf_varint(&out->head, x->count);
    if (x->count == 0)
        return;
    bounds_start(&b);
    for (size_t i = 0; i < x->count; i++) {
        bounds_length(&b, values[x->row[i]].n);
        bytes += values[x->row[i]].n;
        buf_varint(&out->frame[0], x->row[i] - (i ? x->row[i - 1] : 0));
    }
    lengths_put(values, x->row, x->count, &b, &out->frame[0]);
    texts_put(values, x->row, x->count, &b, &out->frame[0]);
    bounds_put(&b, bytes, &out->head);
}

void except_open(struct column *c, struct reader *head)
{
    uint64_t count = rd_varint(head);

    if (count > EXCEPT_MAX || count > c->count)
        rd_fail(head, "a number of exceptions");
    if (count == 0 || !rd_ok(head))
        return;
    bounds_read(&c->except_bounds, head);
    c->excepts = (size_t)count;
    c->bounds.set[0] |= c->except_bounds.set[0];
    c->bounds.set[1] |= c->except_bounds.set[1];
    c->bounds.shortest = min_size(c->bounds.shortest, c->except_bounds.shortest);
    c->bounds.longest = max_size(c->bounds.longest, c->except_bounds.longest);
}

/* read_excepts - their rows and texts. */
static int read_excepts(struct column *c, struct err *e)
{
    struct reader r;
    struct str bytes;
    uint64_t row = 0;
    int rc = 0;

    if (c->excepts == 0 || c->excepts_ready)
        return 0;
    if (!c->except_row)
        rc = column_memory((void **)&c->except_row, EXCEPT_MAX, sizeof *c->except_row, e);
    if (rc == 0)
        rc = column_memory((void **)&c->ends, COLUMN_ROWS_MAX, sizeof *c->ends, e);
    if (rc == 0)
        rc = column_table_room(c, c->excepts, e);
    if (rc == 0)
        rc = column_frame(c, 0, &bytes, e);
    if (rc < 0)
        return rc;
    r = rd_str(bytes);
    for (size_t i = 0; i < c->excepts; i++) {
        uint64_t more = rd_varint(&r);

        if ((i && more == 0) || more >= c->count - row)
            rd_fail(&r, "the row of an exception");
        row += rd_ok(&r) ? more : 0;
        c->except_row[i] = (uint32_t)row;
    }
    bytes = rd_rest(&r);
    if (!rd_ok(&r) || !lengths_read(&bytes, c->excepts, &c->except_bounds, c->ends, SIZE_MAX))
        return column_torn(c, e, "its exceptions are not what its head says");
    for (size_t i = 0, from = 0; i < c->excepts; from = c->ends[i++])
        c->table[i] = str_of(bytes.p + from, c->ends[i] - from);
    c->excepts_ready = true;
    return 0;
}

int except_values(struct column *c, const uint64_t *rows, struct str *out, struct err *e)
{
    int rc = read_excepts(c, e);

    for (size_t i = 0; rc == 0 && i < c->excepts; i++)
        if (!rows || bit_test(rows, c->except_row[i]))
            out[c->except_row[i]] = c->table[i];
    return rc;
}

int except_ask(struct column *c, const struct column_question *q, uint64_t *rows, struct err *e)
{
    uint64_t yes[COLUMN_WORDS(EXCEPT_MAX)] = { 0 };
    bool closed = c->excepts == 0 || bounds_refuse(&c->except_bounds, q);
    int rc = closed && c->excepts == 0 ? 0 : read_excepts(c, e);

    /* Their answers are taken before the form's own answer goes over their rows, and put back behind it. */
    for (size_t i = 0; rc == 0 && i < c->excepts; i++)
        if (bit_test(rows, c->except_row[i]) && !closed && q->yes(q->arg, c->table[i]))
            bit_set(yes, i);
    if (rc == 0)
        rc = c->ask_form(c, q, rows, e);
    for (size_t i = 0; rc == 0 && i < c->excepts; i++) {
        bit_clear(rows, c->except_row[i]);
        if (bit_test(yes, i))
            bit_set(rows, c->except_row[i]);
    }
    return rc;
}
