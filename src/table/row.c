/* row.c - one row being gathered, and what both formats share about texts. */
#include "table/internal.h"

void row_init(struct row_builder *b)
{
    *b = (struct row_builder){ 0 };
    buf_init(&b->bytes, TABLE_ROW_MAX);
}

void row_free(struct row_builder *b)
{
    buf_free(&b->bytes);
    free(b->cells);
    free(b->starts);
    b->cells = NULL;
    b->starts = NULL;
}

static bool row_grow(struct row_builder *b)
{
    size_t cap = b->cap ? b->cap * 2 : 64;
    struct table_cell *cells = realloc(b->cells, cap * sizeof *cells);
    size_t *starts;

    if (!cells)
        return false;
    b->cells = cells;
    starts = realloc(b->starts, cap * sizeof *starts);
    if (!starts)
        return false;
    b->starts = starts;
    b->cap = cap;
    return true;
}

int row_cell(struct row_builder *b, uint32_t column, enum table_type type, size_t start)
{
    if (b->bytes.n == start)
        return 0;
    if (b->count == b->cap && !row_grow(b))
        return -ENOMEM;
    b->cells[b->count] = (struct table_cell){ .column = column, .type = type, .text = { NULL, b->bytes.n - start } };
    b->starts[b->count++] = start;
    return 0;
}

int row_send(struct row_builder *b, struct str sheet, uint32_t number, uint32_t line, table_row_fn *fn, void *arg, struct err *e)
{
    struct table_row row = { .sheet = sheet, .number = number, .line = line, .cells = b->cells, .count = b->count };
    int rc = 0;

    for (size_t i = 0; i < b->count; i++)
        b->cells[i].text.p = b->bytes.p + b->starts[i];
    if (b->count)
        rc = fn(arg, &row, e);
    b->count = 0;
    buf_reset(&b->bytes);
    return rc;
}

bool text_guarded(struct str s)
{
    size_t i = 0;

    while (i < s.n && s.p[i] == '\'')
        i++;
    return i < s.n && memchr("=+-@\t\r", s.p[i], 6) != NULL;
}

const struct table_cell *table_cell_find(const struct table_row *row, uint32_t column)
{
    for (size_t i = 0; i < row->count; i++)
        if (row->cells[i].column == column)
            return &row->cells[i];
    return NULL;
}

const char *table_column_name(uint32_t column, char out[8])
{
    char back[8];
    size_t n = 0, i = 0;

    for (; column > 0 && n < 7; column = (column - 1) / 26)
        back[n++] = (char)('A' + (column - 1) % 26);
    while (n > 0)
        out[i++] = back[--n];
    out[i] = '\0';
    return out;
}
