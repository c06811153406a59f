/* table.c - which format the bytes are in, and the writer that hides which one goes out. */
#include "table/internal.h"

int table_format_of(struct str bytes, enum table_format *out, struct err *e)
{
    if (bytes.n == 0)
        return err_set(e, -EBADMSG, "the file is empty");
    if (bytes.n > TABLE_BYTES_MAX)
        return err_set(e, -E2BIG, "the file is larger than %u bytes", TABLE_BYTES_MAX);
    if (str_starts(bytes, STR("\xd0\xcf\x11\xe0")))
        return err_set(e, -EBADMSG, "this is a workbook of the old binary form (.xls) or one with a password: save it as .xlsx");
    *out = str_starts(bytes, STR("PK\x03\x04")) || str_starts(bytes, STR("PK\x05\x06")) ? TABLE_XLSX : TABLE_CSV;
    return 0;
}

int table_read(struct str bytes, const struct table_options *o, table_row_fn *fn, void *arg, struct err *e)
{
    static const struct table_options plain = { 0 };
    enum table_format format;
    int rc = table_format_of(bytes, &format, e);

    if (rc < 0)
        return rc;
    return format == TABLE_XLSX ? xlsx_read(bytes, o ? o : &plain, fn, arg, e) : csv_read(bytes, o ? o : &plain, fn, arg, e);
}

int table_sheets(struct str bytes, struct arena *a, struct str **names, size_t *count, struct err *e)
{
    enum table_format format;
    struct package p;
    int rc = table_format_of(bytes, &format, e);

    *names = NULL;
    *count = 0;
    if (rc < 0 || format == TABLE_CSV)
        return rc;
    rc = package_open(bytes, &p, e);
    if (rc == 0) {
        *names = arena_array(a, p.sheet_count ? p.sheet_count : 1, sizeof **names);
        for (size_t i = 0; *names && i < p.sheet_count; i++)
            (*names)[(*count)++] = arena_copy(a, p.sheets[i].name);
        if (arena_failed(a))
            rc = err_set(e, -ENOMEM, "out of memory");
    }
    package_close(&p);
    return rc;
}

/* --- writing --- */

struct table_writer {
    enum table_format format;
    char              delimiter;
    uint32_t          row, column;   /* of the next cell, from 0 */
    struct buf        csv;
    struct xlsx_out  *xlsx;
    bool              begun;         /* a sheet is open */
    int               rc;            /* the first failure */
    struct err        e;
};

int table_writer_new(const struct table_writer_setup *s, struct table_writer **out, struct err *e)
{
    struct table_writer *w = calloc(1, sizeof *w);
    int rc = 0;

    if (!w)
        return err_set(e, -ENOMEM, "out of memory");
    w->format = s->format;
    w->delimiter = s->delimiter ? s->delimiter : ';';
    buf_init(&w->csv, TABLE_UNPACKED_MAX);
    if (s->format == TABLE_XLSX)
        rc = xlsx_out_new(s, &w->xlsx, e);
    else
        buf_str(&w->csv, STR("\xef\xbb\xbf")); /* without it spreadsheets take UTF-8 for CP1251 */
    if (rc < 0)
        table_writer_free(&w);
    *out = w;
    return rc;
}

void table_writer_free(struct table_writer **w)
{
    if (!*w)
        return;
    buf_free(&(*w)->csv);
    xlsx_out_free(&(*w)->xlsx);
    free(*w);
    *w = NULL;
}

static void keep(struct table_writer *w, int rc)
{
    if (rc < 0 && w->rc == 0)
        w->rc = rc;
}

void table_sheet(struct table_writer *w, const char *name)
{
    if (w->rc < 0)
        return;
    if (w->format == TABLE_CSV && w->begun)
        keep(w, err_set(&w->e, -EINVAL, "CSV holds one table only"));
    else if (w->format == TABLE_XLSX)
        keep(w, xlsx_out_sheet(w->xlsx, name, &w->e));
    w->begun = true;
    w->row = w->column = 0;
}

/* place_ok - is there room for one more cell? */
static bool place_ok(struct table_writer *w)
{
    if (w->rc == 0 && !w->begun)
        table_sheet(w, "Sheet1");
    if (w->rc == 0 && (w->row >= TABLE_ROWS_MAX || w->column >= TABLE_COLUMNS_MAX))
        keep(w, err_set(&w->e, -E2BIG, "a spreadsheet holds %u rows of %u columns", TABLE_ROWS_MAX, TABLE_COLUMNS_MAX));
    return w->rc == 0;
}

void table_header(struct table_writer *w, const struct str *names, const unsigned *widths, size_t count)
{
    if (!place_ok(w))
        return;
    if (w->format == TABLE_XLSX)
        keep(w, xlsx_out_header(w->xlsx, names, widths, count, &w->e));
    for (size_t i = 0; w->format == TABLE_CSV && i < count; i++)
        table_put(w, names[i]);
    table_end_row(w);
}

static void csv_cell(struct table_writer *w, struct str text, bool guard)
{
    if (w->column > 0)
        buf_byte(&w->csv, w->delimiter);
    if (guard)
        csv_out_text(&w->csv, text, w->delimiter);
    else
        buf_str(&w->csv, text);
}

void table_put(struct table_writer *w, struct str text)
{
    if (!place_ok(w))
        return;
    if (w->format == TABLE_CSV)
        csv_cell(w, text, true);
    else if (text.n)
        keep(w, xlsx_out_text(w->xlsx, w->row, w->column, text, &w->e));
    w->column++;
}

void table_put_number(struct table_writer *w, double n)
{
    AUTO_BUF struct buf b = { 0 };

    buf_init(&b, 64);
    if (!place_ok(w))
        return;
    number_text(n, &b);
    if (w->format == TABLE_CSV)
        csv_cell(w, buf_view(&b), false);
    else
        keep(w, xlsx_out_number(w->xlsx, w->row, w->column, n, &w->e));
    w->column++;
}

void table_put_date(struct table_writer *w, const struct civil *c, bool with_time)
{
    char text[64] = "";

    if (!place_ok(w))
        return;
    if (civil_valid(c) && w->format == TABLE_XLSX && c->year >= 1900)
        keep(w, xlsx_out_date(w->xlsx, w->row, w->column, c, with_time, &w->e));
    else if (civil_valid(c)) {
        int n = snprintf(text, sizeof text, "%04d-%02d-%02d", (int)c->year, (int)c->month, (int)c->day);
        if (with_time)
            snprintf(text + n, sizeof text - (size_t)n, "T%02d:%02d:%02d", (int)c->hour, (int)c->minute, (int)c->second);
    }
    if (w->format == TABLE_CSV)
        csv_cell(w, str_c(text), false);
    else if (*text)
        keep(w, xlsx_out_text(w->xlsx, w->row, w->column, str_c(text), &w->e));
    w->column++;
}

void table_end_row(struct table_writer *w)
{
    if (!place_ok(w))
        return;
    if (w->format == TABLE_CSV)
        buf_str(&w->csv, STR("\r\n"));
    w->row++;
    w->column = 0;
}

int table_writer_finish(struct table_writer *w, struct buf *out, struct err *e)
{
    if (w->rc == 0 && !w->begun)
        table_sheet(w, "Sheet1");
    if (w->rc == 0 && w->format == TABLE_XLSX)
        keep(w, xlsx_out_finish(w->xlsx, out, &w->e));
    if (w->rc == 0 && w->format == TABLE_CSV) {
        buf_str(out, buf_view(&w->csv));
        if (buf_failed(&w->csv) || buf_failed(out))
            keep(w, err_set(&w->e, -ENOMEM, "the table is larger than memory allows"));
    }
    return w->rc < 0 ? err_set(e, w->rc, "%s", w->e.text) : 0;
}
