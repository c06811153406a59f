/* xlsx_write.c - a workbook by libxlsxwriter, in its mode of constant memory: each finished row goes to a temporary file.
 *
 * The library writes to a named file; it stands in the caller's folder for the length of the call and is removed with it. */
#include "table/internal.h"
#include "base/file.h"

#include <xlsxwriter.h>

#define WIDTH_MOST 80

struct xlsx_out {
    lxw_workbook  *book;
    lxw_worksheet *sheet;
    lxw_format    *bold, *wrap, *date, *datetime;
    unsigned       sheets;
    char           path[4096], folder[4000];
};

int xlsx_out_new(const struct table_writer_setup *s, struct xlsx_out **out, struct err *e)
{
    struct xlsx_out *x = calloc(1, sizeof *x);
    lxw_doc_properties properties = { .title = (char *)(uintptr_t)(s->title ? s->title : ""), .created = (time_t)(s->created / NS_PER_SECOND) };
    lxw_workbook_options options = { .constant_memory = LXW_TRUE };
    AUTO_CLOSE int fd = -1;

    *out = x;
    if (!x)
        return err_set(e, -ENOMEM, "out of memory");
    if (!s->folder || strlen(s->folder) >= sizeof x->folder)
        return err_set(e, -EINVAL, "a workbook needs a folder for its temporary files");
    snprintf(x->folder, sizeof x->folder, "%s", s->folder);
    snprintf(x->path, sizeof x->path, "%s/.table-XXXXXX", x->folder);
    fd = mkstemp(x->path);
    if (fd < 0) {
        int rc = err_sys(e, "could not make a temporary file in %s", x->folder);
        x->path[0] = '\0';
        return rc;
    }
    options.tmpdir = x->folder;
    x->book = workbook_new_opt(x->path, &options);
    if (!x->book)
        return err_set(e, -ENOMEM, "out of memory");
    /* A moment of zero would mean "now" to the library. */
    if (properties.created <= 0)
        properties.created = 1;
    workbook_set_properties(x->book, &properties);
    x->bold = workbook_add_format(x->book);
    x->wrap = workbook_add_format(x->book);
    x->date = workbook_add_format(x->book);
    x->datetime = workbook_add_format(x->book);
    if (!x->bold || !x->wrap || !x->date || !x->datetime)
        return err_set(e, -ENOMEM, "out of memory");
    format_set_bold(x->bold);
    format_set_text_wrap(x->bold);
    format_set_text_wrap(x->wrap);
    format_set_align(x->wrap, LXW_ALIGN_VERTICAL_TOP);
    format_set_align(x->date, LXW_ALIGN_VERTICAL_TOP);
    format_set_align(x->datetime, LXW_ALIGN_VERTICAL_TOP);
    format_set_num_format(x->date, "dd\\.mm\\.yyyy");
    format_set_num_format(x->datetime, "dd\\.mm\\.yyyy\\ hh:mm:ss");
    return 0;
}

void xlsx_out_free(struct xlsx_out **out)
{
    struct xlsx_out *x = *out;

    if (!x)
        return;
    if (x->book)
        workbook_close(x->book); /* the one way to let go of its memory; the file is removed next */
    if (x->path[0])
        unlink(x->path);
    free(x);
    *out = NULL;
}

static int library(lxw_error rc, struct err *e)
{
    return rc == LXW_NO_ERROR ? 0 : err_set(e, rc == LXW_ERROR_MEMORY_MALLOC_FAILED ? -ENOMEM : -EINVAL, "workbook: %s", lxw_strerror(rc));
}

int xlsx_out_sheet(struct xlsx_out *x, const char *name, struct err *e)
{
    char clean[TABLE_SHEET_NAME_MAX];
    size_t n = 0, letters = 0;

    if (++x->sheets > TABLE_SHEETS_MAX)
        return err_set(e, -E2BIG, "more than %u sheets", TABLE_SHEETS_MAX);
    for (const char *p = name; *p && n + 1 < sizeof clean; p++) {
        letters += ((unsigned char)*p & 0xc0) != 0x80;
        if (letters > 31)
            break;
        clean[n] = strchr("[]:*?/\\", *p) || (*p == '\'' && n == 0) ? '-' : *p;
        n++;
    }
    if (n && clean[n - 1] == '\'')
        clean[n - 1] = '-';
    clean[n] = '\0';
    x->sheet = workbook_add_worksheet(x->book, n ? clean : NULL);
    return x->sheet ? 0 : err_set(e, -EINVAL, "two sheets cannot have the name \"%s\"", clean);
}

/* text_clean - what XML cannot carry as "_x000D_", and the underscore that would begin such an escape too; the library leaves texts of
 * this mode as they are. The caller frees. */
static char *text_clean(struct str s)
{
    char *z = malloc(s.n * 7 + 1);
    size_t n = 0;

    for (size_t i = 0; z && i < s.n; i++) {
        unsigned char c = (unsigned char)s.p[i];

        if ((c < 0x20 && c != '\t' && c != '\n') || (c == '_' && i + 6 < s.n && s.p[i + 1] == 'x' && s.p[i + 6] == '_'))
            n += (size_t)snprintf(z + n, 8, "_x%04X_", c ? c : ' ');
        else
            z[n++] = (char)c;
    }
    if (z)
        z[n] = '\0';
    return z;
}

static size_t letters_of(struct str s)
{
    size_t n = 0;

    for (size_t i = 0; i < s.n; i++)
        n += ((unsigned char)s.p[i] & 0xc0) != 0x80;
    return n;
}

static int put_text(struct xlsx_out *x, uint32_t row, uint32_t column, struct str text, lxw_format *format, struct err *e)
{
    AUTO_FREE char *z = NULL;

    if (!str_utf8_valid(text))
        return err_set(e, -EINVAL, "row %u, column %u: the text is not UTF-8", row + 1, column + 1);
    if (letters_of(text) > TABLE_CELL_LETTERS)
        return err_set(e, -E2BIG, "row %u, column %u: a cell holds %u letters", row + 1, column + 1, TABLE_CELL_LETTERS);
    z = text_clean(text);
    if (!z)
        return err_set(e, -ENOMEM, "out of memory");
    return library(worksheet_write_string(x->sheet, row, (lxw_col_t)column, z, format), e);
}

int xlsx_out_header(struct xlsx_out *x, const struct str *names, const unsigned *widths, size_t count, struct err *e)
{
    int rc = 0;

    for (size_t i = 0; rc == 0 && i < count; i++) {
        unsigned width = widths ? widths[i] : (unsigned)min_size(max_size(letters_of(names[i]) + 2, 10), 40);

        rc = library(worksheet_set_column(x->sheet, (lxw_col_t)i, (lxw_col_t)i, width > WIDTH_MOST ? WIDTH_MOST : width, NULL), e);
        if (rc == 0)
            rc = put_text(x, 0, (uint32_t)i, names[i], x->bold, e);
    }
    worksheet_freeze_panes(x->sheet, 1, 0);
    return rc;
}

int xlsx_out_text(struct xlsx_out *x, uint32_t row, uint32_t column, struct str text, struct err *e)
{
    return put_text(x, row, column, text, x->wrap, e);
}

int xlsx_out_number(struct xlsx_out *x, uint32_t row, uint32_t column, double n, struct err *e)
{
    return library(worksheet_write_number(x->sheet, row, (lxw_col_t)column, n, NULL), e);
}

int xlsx_out_date(struct xlsx_out *x, uint32_t row, uint32_t column, const struct civil *c, bool with_time, struct err *e)
{
    lxw_datetime t = { .year = c->year, .month = c->month, .day = c->day };

    if (with_time) {
        t.hour = c->hour;
        t.min = c->minute;
        t.sec = c->second;
    }
    return library(worksheet_write_datetime(x->sheet, row, (lxw_col_t)column, &t, with_time ? x->datetime : x->date), e);
}

int xlsx_out_finish(struct xlsx_out *x, struct buf *out, struct err *e)
{
    AUTO_BUF struct buf file = { 0 };
    lxw_error closed = workbook_close(x->book);
    int rc;

    buf_init(&file, TABLE_UNPACKED_MAX);
    x->book = NULL;
    x->sheet = NULL;
    rc = library(closed, e);
    if (rc == 0)
        rc = file_read(x->path, TABLE_UNPACKED_MAX, &file, e);
    if (rc < 0)
        return rc;
    buf_str(out, buf_view(&file));
    return buf_failed(out) ? err_set(e, -ENOMEM, "the workbook is larger than memory allows") : 0;
}
