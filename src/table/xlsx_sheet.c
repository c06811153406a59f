/* xlsx_sheet.c - the cells of one sheet, row after row. */
#include "table/internal.h"

#include <math.h>

enum cell_kind { CELL_NUMBER, CELL_SHARED, CELL_TEXT, CELL_BOOL, CELL_ERROR, CELL_ISO_DATE };

struct sheet {
    struct str sheet;
    struct shared_strings strings;
    struct styles         styles;
    struct row_builder    b;
    table_row_fn *fn;
    void         *arg;
    uint32_t      row, column;      /* of the cell being read */
    bool          in_row, in_cell, collect, date1904;
    int           phonetic;
    enum cell_kind kind;
    uint32_t      style;
    size_t        start;            /* of the cell's text in b.bytes */
    uint64_t      texts;            /* bytes of all rows so far, against TABLE_TEXTS_MAX */
};

static int cell_fail(const struct sheet *s, int rc, struct err *e, const char *what)
{
    char column[8];

    err_set(e, rc, "%.*s!%s%u: %s", STR_ARG(s->sheet), s->column ? table_column_name(s->column, column) : "", s->row, what);
    if (e) {
        e->line = (int)s->row;
        e->column = (int)s->column;
    }
    return rc;
}

bool cell_place(const char *ref, uint32_t *column, uint32_t *row)
{
    uint32_t c = 0, r = 0;
    const char *p = ref;

    for (; *p >= 'A' && *p <= 'Z' && c <= TABLE_COLUMNS_MAX; p++)
        c = c * 26 + (uint32_t)(*p - 'A') + 1;
    if (c == 0 || c > TABLE_COLUMNS_MAX || *p < '1' || *p > '9')
        return false;
    for (; *p >= '0' && *p <= '9' && r <= TABLE_ROWS_MAX; p++)
        r = r * 10 + (uint32_t)(*p - '0');
    *column = c;
    *row = r;
    return *p == '\0' && r <= TABLE_ROWS_MAX;
}

void number_text(double n, struct buf *out)
{
    char text[64];

    if (n == floor(n) && fabs(n) < 1e15)
        snprintf(text, sizeof text, "%.0f", n == 0 ? 0.0 : n);
    else
        for (int digits = 15; digits <= 17; digits++) {
            snprintf(text, sizeof text, "%.*g", digits, n);
            if (strtod(text, NULL) == n)
                break;
        }
    buf_str(out, str_c(text));
}

static int row_open(struct sheet *s, const char **attrs, struct err *e)
{
    const char *r = xml_attr(attrs, "r");
    uint64_t n = (uint64_t)s->row + 1;

    if (s->in_cell || s->in_row)
        return cell_fail(s, -EBADMSG, e, s->in_cell ? "a row inside of a cell" : "a row inside of a row");
    s->column = 0;
    if (r && !str_u64(str_c(r), &n))
        return cell_fail(s, -EBADMSG, e, "the row after this one has no number");
    if (n > TABLE_ROWS_MAX)
        return cell_fail(s, -E2BIG, e, "the row after this one passes 1048576");
    if (n <= s->row)
        return cell_fail(s, -EBADMSG, e, "the row after this one does not ascend");
    s->row = (uint32_t)n;
    s->in_row = true;
    return 0;
}

static int cell_open(struct sheet *s, const char **attrs, struct err *e)
{
    static const struct { const char *t; enum cell_kind kind; } kinds[] = {
        { "n", CELL_NUMBER }, { "s", CELL_SHARED }, { "str", CELL_TEXT }, { "inlineStr", CELL_TEXT },
        { "b", CELL_BOOL },   { "e", CELL_ERROR },  { "d", CELL_ISO_DATE },
    };
    const char *r = xml_attr(attrs, "r"), *t = xml_attr(attrs, "t"), *style = xml_attr(attrs, "s");
    uint32_t column = s->column + 1, row = s->row;
    uint64_t n = 0;

    if (!s->in_row || s->in_cell)
        return cell_fail(s, -EBADMSG, e, s->in_cell ? "a cell inside of a cell" : "a cell outside of a row");
    if (r && !cell_place(r, &column, &row))
        return cell_fail(s, -EBADMSG, e, "the cell after this one has a place that no spreadsheet has");
    if (row != s->row || column <= s->column || column > TABLE_COLUMNS_MAX)
        return cell_fail(s, -EBADMSG, e, "the cell after this one does not stand in its row, in order");
    s->column = column;
    s->in_cell = true;
    s->start = s->b.bytes.n;
    s->kind = CELL_NUMBER;
    s->style = style && str_u64(str_c(style), &n) && n < s->styles.count ? (uint32_t)n : UINT32_MAX;
    for (size_t i = 0; t && i < COUNT(kinds); i++)
        if (strcmp(kinds[i].t, t) == 0)
            s->kind = kinds[i].kind;
    return 0;
}

static int sheet_open(void *arg, const char *name, const char **attrs, struct err *e)
{
    struct sheet *s = arg;

    if (strcmp(name, "row") == 0)
        return row_open(s, attrs, e);
    if (strcmp(name, "c") == 0)
        return cell_open(s, attrs, e);
    if (strcmp(name, "rPh") == 0)
        s->phonetic++;
    else if (s->in_cell && s->phonetic == 0 && (strcmp(name, "v") == 0 || strcmp(name, "t") == 0))
        s->collect = true;
    return 0;
}

static int sheet_text(void *arg, const char *p, size_t n, struct err *e)
{
    struct sheet *s = arg;

    if (!s->collect)
        return 0;
    buf_put(&s->b.bytes, p, n);
    if (s->b.bytes.n - s->start > TABLE_CELL_MAX)
        return cell_fail(s, -E2BIG, e, "more than 128 KiB in a cell");
    return buf_failed(&s->b.bytes) ? cell_fail(s, -E2BIG, e, "more than 4 MiB in a row") : 0;
}

static struct str cell_text(const struct sheet *s) { return str_of(s->b.bytes.p + s->start, s->b.bytes.n - s->start); }

static int cell_number(struct sheet *s, enum table_type *type, struct err *e)
{
    struct str raw = str_trim(cell_text(s));
    char text[64];
    double n;

    if (raw.n == 0) {
        s->b.bytes.n = s->start;
        return 0;
    }
    if (raw.n >= sizeof text)
        return cell_fail(s, -EBADMSG, e, "a number of more than 63 digits");
    for (size_t i = 0; i < raw.n; i++)
        if (!memchr("0123456789+-.eE", raw.p[i], 15))
            return cell_fail(s, -EBADMSG, e, "not a number");
    snprintf(text, sizeof text, "%.*s", (int)raw.n, raw.p);
    char *end;
    n = strtod(text, &end);
    if (*end || !isfinite(n))
        return cell_fail(s, -EBADMSG, e, "not a number");
    s->b.bytes.n = s->start;
    *type = TABLE_NUMBER;
    if (s->style == UINT32_MAX || !date_text(n, s->styles.kinds[s->style], s->date1904, &s->b.bytes, type))
        number_text(n, &s->b.bytes);
    return 0;
}

static int cell_shared(struct sheet *s, struct err *e)
{
    struct str raw = str_trim(cell_text(s)), text;
    uint64_t i = 0;

    if (!str_u64(raw, &i) || i >= s->strings.count)
        return cell_fail(s, -EBADMSG, e, "names a shared string that is not there");
    text = shared_at(&s->strings, (size_t)i);
    s->b.bytes.n = s->start;
    buf_str(&s->b.bytes, text);
    return 0;
}

static uint32_t digits(struct str s, size_t at, size_t n)
{
    uint32_t v = 0;

    for (size_t i = at; i < at + n; i++)
        v = i < s.n && s.p[i] >= '0' && s.p[i] <= '9' ? v * 10 + (uint32_t)(s.p[i] - '0') : 1000000;
    return v;
}

/* cell_iso - "2026-03-20" or "2026-03-20T14:30:00", with or without parts of a second and Z. What only says that it is a date is a text. */
static enum table_type cell_iso(struct sheet *s)
{
    struct str t = str_trim(cell_text(s)), tail = str_cut(t, min_size(t.n, 19));
    struct civil c = { .year = (int32_t)digits(t, 0, 4), .month = (int32_t)digits(t, 5, 2), .day = (int32_t)digits(t, 8, 2) };
    bool timed = t.n >= 19 && t.p[10] == 'T' && t.p[13] == ':' && t.p[16] == ':', date = t.n >= 10 && t.p[4] == '-' && t.p[7] == '-';

    if (timed) {
        c.hour = (int32_t)digits(t, 11, 2);
        c.minute = (int32_t)digits(t, 14, 2);
        c.second = (int32_t)digits(t, 17, 2);
        for (size_t i = 0; i < tail.n; i++)
            timed = timed && (memchr("0123456789", tail.p[i], 10) || (i == 0 && tail.p[i] == '.') || (i == tail.n - 1 && tail.p[i] == 'Z'));
    }
    if (!date || !(timed || t.n == 10) || c.year > 9999 || c.year < 1 || !civil_valid(&c))
        return TABLE_TEXT;
    s->b.bytes.n = s->start;
    buf_printf(&s->b.bytes, "%04d-%02d-%02d", (int)c.year, (int)c.month, (int)c.day);
    if (timed)
        buf_printf(&s->b.bytes, "T%02d:%02d:%02d", (int)c.hour, (int)c.minute, (int)c.second);
    return timed ? TABLE_DATETIME : TABLE_DATE;
}

static int cell_close(struct sheet *s, struct err *e)
{
    enum table_type type = TABLE_TEXT;
    struct str text = cell_text(s);
    int rc = 0;

    s->in_cell = s->collect = false;
    if (text.n == 0)
        return 0;
    switch (s->kind) {
    case CELL_NUMBER:
        rc = cell_number(s, &type, e);
        break;
    case CELL_SHARED:
        rc = cell_shared(s, e);
        break;
    case CELL_TEXT:
        text_unescape(&s->b.bytes, s->start);
        break;
    case CELL_BOOL:
        type = TABLE_BOOL;
        bool yes = str_eq(text, STR("1")) || str_eq(text, STR("true"));
        s->b.bytes.n = s->start;
        buf_str(&s->b.bytes, yes ? STR("true") : STR("false"));
        break;
    case CELL_ERROR:
        type = TABLE_ERROR;
        break;
    case CELL_ISO_DATE:
        type = cell_iso(s);
        break;
    }
    if (rc == 0 && buf_failed(&s->b.bytes))
        rc = cell_fail(s, -E2BIG, e, "more than 4 MiB in a row");
    if (rc == 0 && row_cell(&s->b, s->column, type, s->start) < 0)
        rc = err_set(e, -ENOMEM, "out of memory");
    return rc;
}

static int row_end(struct sheet *s, struct err *e)
{
    s->texts += s->b.bytes.n;
    s->in_row = false;
    if (s->texts > TABLE_TEXTS_MAX)
        return cell_fail(s, -E2BIG, e, "more than 512 MiB of text in the cells up to here");
    return row_send(&s->b, s->sheet, s->row, s->row, s->fn, s->arg, e);
}

static int sheet_close(void *arg, const char *name, struct err *e)
{
    struct sheet *s = arg;

    if (strcmp(name, "v") == 0 || strcmp(name, "t") == 0)
        s->collect = false;
    else if (strcmp(name, "rPh") == 0)
        s->phonetic--;
    else if (strcmp(name, "c") == 0 && s->in_cell)
        return cell_close(s, e);
    else if (strcmp(name, "row") == 0 && s->in_row)
        return row_end(s, e);
    return 0;
}

int package_read(struct package *p, const struct table_options *o, table_row_fn *fn, void *arg, struct err *e)
{
    static const struct xml_handler handler = { .open = sheet_open, .close = sheet_close, .text = sheet_text };
    struct sheet s = { .fn = fn, .arg = arg };
    size_t i = 0;
    int rc = 0;

    row_init(&s.b);
    while (o->sheet.n && i < p->sheet_count && !str_eq(p->sheets[i].name, o->sheet))
        i++;
    if (i == p->sheet_count)
        rc = err_set(e, -EINVAL, "the workbook has no sheet \"%.*s\"", STR_ARG(o->sheet));
    if (rc == 0)
        rc = shared_load(p, &s.strings, e);
    if (rc == 0)
        rc = styles_load(p, &s.styles, e);
    if (rc == 0) {
        s.sheet = p->sheets[i].name;
        s.date1904 = p->date1904;
        rc = xml_walk(p, p->sheets[i].part, &handler, &s, e);
    }
    row_free(&s.b);
    shared_free(&s.strings);
    styles_free(&s.styles);
    return rc < 0 ? rc : 0;
}

int xlsx_read(struct str bytes, const struct table_options *o, table_row_fn *fn, void *arg, struct err *e)
{
    struct package p;
    int rc = package_open(bytes, &p, e);

    if (rc == 0)
        rc = package_read(&p, o, fn, arg, e);
    package_close(&p);
    return rc;
}
