/* search_table.c - see search_table.h. */
#include "bin/search_table.h"
#include "bin/event_print.h"
#include "table/table.h"

#define WIDTH_MAX 60

struct search_table {
    enum search_form     form;
    size_t               columns, rows;
    struct str           name[PIPES_COLUMNS_MAX];
    struct buf           text, line;      /* cells one behind the other; of JSON one row */
    size_t              *end, cells, cap; /* where each cell ends in text */
    size_t               width[PIPES_COLUMNS_MAX];
    struct table_writer *csv;
};

static size_t letters(struct str s)
{
    size_t n = 0;

    for (size_t i = 0; i < s.n; i++)
        n += ((unsigned char)s.p[i] & 0xC0) != 0x80;
    return n;
}

int search_table_new(enum search_form form, const struct pipes_column *columns, size_t count, struct search_table **out, struct err *e)
{
    struct search_table *t = calloc(1, sizeof *t);
    int rc = 0;

    *out = t;
    if (!t)
        return err_set(e, -ENOMEM, "no memory for a table");
    t->form = form;
    t->columns = count;
    buf_init(&t->text, 256 * MIB);
    buf_init(&t->line, 64 * MIB);
    for (size_t i = 0; i < count; i++)
        t->name[i] = columns[i].name;
    if (form == SEARCH_CSV) {
        rc = table_writer_new(&(struct table_writer_setup){ .format = TABLE_CSV, .delimiter = ',' }, &t->csv, e);
        if (rc == 0)
            table_header(t->csv, t->name, NULL, count);
    }
    return rc;
}

static void json_begin(struct search_table *t, size_t i)
{
    buf_byte(&t->line, i ? ',' : '{');
    buf_json(&t->line, t->name[i]);
    buf_byte(&t->line, ':');
}

static int json_end(struct search_table *t)
{
    buf_str(&t->line, STR("}\n"));
    if (!buf_failed(&t->line))
        fwrite(t->line.p, 1, t->line.n, stdout);
    return buf_failed(&t->line) ? -ENOMEM : ferror(stdout) ? 1 : 0;
}

/* put_cell - a text of a table that is printed at the end; of CSV its cell. */
static int put_cell(struct search_table *t, size_t i, struct str s)
{
    size_t from = t->text.n;

    if (t->form == SEARCH_CSV) {
        table_put(t->csv, s);
        return 0;
    }
    if (t->cells == t->cap) {
        size_t cap = t->cap ? t->cap * 2 : 1024, *more = realloc(t->end, cap * sizeof *more);

        if (!more)
            return -ENOMEM;
        t->end = more;
        t->cap = cap;
    }
    plain_put(&t->text, s, SIZE_MAX);
    if (buf_failed(&t->text))
        return -ENOMEM;
    t->end[t->cells++] = t->text.n;
    t->width[i] = max_size(t->width[i], letters(str_of(t->text.p + from, t->text.n - from)));
    return 0;
}

int search_table_row(void *arg, const struct pipes_cell *cells, size_t count)
{
    struct search_table *t = arg;
    int rc = 0;

    assert(count == t->columns);
    t->rows++;
    buf_reset(&t->line);
    for (size_t i = 0; i < count && rc == 0; i++) {
        if (t->form == SEARCH_JSON) {
            json_begin(t, i);
            pipes_cell_json(&cells[i], &t->line);
            continue;
        }
        buf_reset(&t->line);
        pipes_cell_text(&cells[i], &t->line);
        rc = buf_failed(&t->line) ? -ENOMEM : put_cell(t, i, buf_view(&t->line));
    }
    if (t->form == SEARCH_CSV)
        table_end_row(t->csv);
    return rc == 0 && t->form == SEARCH_JSON ? json_end(t) : rc;
}

static void put_scalar(const json_t *v, struct buf *out)
{
    struct pipes_cell c = { .type = PIPES_NUMBER, .number = json_number_value(v) };

    if (json_is_string(v))
        buf_put(out, json_string_value(v), json_string_length(v));
    else if (json_is_number(v))
        pipes_cell_text(&c, out);
}

/* put_value - a value of the API as one text; those of a field with several stand one behind the other. */
static void put_value(const json_t *v, struct buf *out)
{
    size_t i;
    const json_t *one;

    if (!json_is_array(v))
        put_scalar(v, out);
    json_array_foreach(v, i, one) {
        buf_str(out, i ? STR(", ") : STR(""));
        put_scalar(one, out);
    }
}

int search_table_json(struct search_table *t, const json_t *row)
{
    int rc = 0;

    t->rows++;
    buf_reset(&t->line);
    for (size_t i = 0; i < t->columns && rc == 0; i++) {
        const json_t *v = json_array_get(row, i);

        if (t->form == SEARCH_JSON) {
            char *text = json_dumps(v, JSON_COMPACT | JSON_ENCODE_ANY);

            json_begin(t, i);
            buf_str(&t->line, text ? str_c(text) : STR("null"));
            free(text);
            continue;
        }
        buf_reset(&t->line);
        put_value(v, &t->line);
        rc = buf_failed(&t->line) ? -ENOMEM : put_cell(t, i, buf_view(&t->line));
    }
    if (t->form == SEARCH_CSV)
        table_end_row(t->csv);
    return rc == 0 && t->form == SEARCH_JSON ? json_end(t) : rc;
}

static void put_padded(struct buf *b, struct str s, size_t width, bool last)
{
    size_t n = letters(s);

    buf_str(b, s);
    for (; !last && n < width; n++)
        buf_byte(b, ' ');
    buf_str(b, last ? STR("\n") : STR("  "));
}

static int print_table(struct search_table *t, const struct pipes_column *columns)
{
    struct buf *b = &t->line;
    size_t from = 0;

    buf_reset(b);
    for (size_t i = 0; i < t->columns; i++) {
        char name[300];

        snprintf(name, sizeof name, "%s%.*s", columns[i].approximate ? "~" : "", STR_ARG(t->name[i]));
        t->width[i] = min_size(max_size(t->width[i], letters(str_c(name))), WIDTH_MAX);
        put_padded(b, str_c(name), t->width[i], i + 1 == t->columns);
    }
    for (size_t k = 0; k < t->cells && !ferror(stdout); k++) {
        size_t i = k % t->columns;

        put_padded(b, str_of(t->text.p + from, t->end[k] - from), t->width[i], i + 1 == t->columns);
        from = t->end[k];
        if (i + 1 == t->columns || buf_failed(b)) {
            fwrite(b->p, 1, b->n, stdout);
            buf_reset(b);
        }
    }
    fwrite(b->p, 1, t->cells ? 0 : b->n, stdout);
    return buf_failed(b) ? -ENOMEM : 0;
}

int search_table_end(struct search_table *t, const struct pipes_column *columns, size_t *rows, struct err *e)
{
    int rc = 0;

    *rows = t->rows;
    if (t->form == SEARCH_CSV) {
        buf_reset(&t->line);
        rc = table_writer_finish(t->csv, &t->line, e);
        if (rc == 0)
            fwrite(t->line.p, 1, t->line.n, stdout);
    } else if (t->form == SEARCH_TABLE) {
        rc = print_table(t, columns);
    }
    for (size_t i = 0; i < t->columns && t->form != SEARCH_TABLE; i++)
        if (columns[i].approximate)
            fprintf(stderr, "saqshy: figures of \"%.*s\" are approximate\n", STR_ARG(t->name[i]));
    return rc == -ENOMEM ? err_set(e, rc, "no memory for so many rows: add \"| head 1000\", or write them as --json") : rc;
}

void search_table_free(struct search_table **tp)
{
    struct search_table *t = *tp;

    if (!t)
        return;
    table_writer_free(&t->csv);
    buf_free(&t->text);
    buf_free(&t->line);
    free(t->end);
    free(t);
    *tp = NULL;
}
