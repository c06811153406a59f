/* table_sheet.c - enemy of table: the XML of a sheet itself, of its shared strings and its styles, without an archive around them.
 *
 * The parts are divided by NUL, which XML cannot hold: sheet, strings, styles. The first byte: bit 0, days count from 1904. What is absent is
 * taken from here. table_xlsx.c has the archive and the relations. */
#include "table/internal.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct str part_take(struct str *rest, const char *absent)
{
    const char *end = rest->n ? memchr(rest->p, 0, rest->n) : NULL;
    struct str part = str_of(rest->p, end ? (size_t)(end - rest->p) : rest->n);

    *rest = end ? str_cut(*rest, part.n + 1) : (struct str){ NULL, 0 };
    return part.n ? part : str_c(absent);
}

static bool shaped(struct str s, const char *form)
{
    if (s.n != strlen(form))
        return false;
    for (size_t i = 0; i < s.n; i++)
        if (form[i] == '0' ? s.p[i] < '0' || s.p[i] > '9' : s.p[i] != form[i])
            return false;
    return true;
}

static void check_cell(const struct table_cell *c)
{
    assert(c->text.n > 0 && c->text.n <= TABLE_CELL_MAX && str_utf8_valid(c->text));
    if (c->type == TABLE_DATE)
        assert(shaped(c->text, "0000-00-00"));
    else if (c->type == TABLE_DATETIME)
        assert(shaped(c->text, "0000-00-00T00:00:00"));
    else if (c->type == TABLE_TIME)
        assert(shaped(c->text, "00:00:00"));
    else if (c->type == TABLE_BOOL)
        assert(str_eq(c->text, STR("true")) || str_eq(c->text, STR("false")));
    else if (c->type == TABLE_NUMBER)
        assert(c->text.n < 64 && strspn(c->text.p, "0123456789+-.e") >= c->text.n);
}

static int check_row(void *arg, const struct table_row *row, struct err *e)
{
    uint32_t *number = arg, column = 0;
    size_t bytes = 0;

    (void)e;
    assert(row->number > *number && row->count > 0 && row->count <= TABLE_COLUMNS_MAX && row->number <= TABLE_ROWS_MAX);
    *number = row->number;
    for (size_t i = 0; i < row->count; i++) {
        assert(row->cells[i].column > column && row->cells[i].column <= TABLE_COLUMNS_MAX);
        column = row->cells[i].column;
        check_cell(&row->cells[i]);
        bytes += row->cells[i].text.n;
    }
    assert(bytes <= TABLE_ROW_MAX);
    return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char sheet[] = "<worksheet><row><c t='s'><v>0</v></c><c s='1'><v>46101</v></c></row></worksheet>";
    struct sheet_ref ref = { .name = STR("S"), .part = STR("s") };
    struct package p = { .sheets = &ref, .sheet_count = 1, .shared = STR("t"), .styles = STR("f") };
    struct str rest = str_of((const char *)data + 1, size ? size - 1 : 0);
    struct table_options o = { .delimiter = 0 };
    uint32_t number = 0;
    struct err e = { 0 };

    if (size < 2)
        return 0;
    p.date1904 = data[0] & 1;
    p.raw[0].name = STR("s");
    p.raw[0].xml = part_take(&rest, sheet);
    p.raw[1].name = STR("t");
    p.raw[1].xml = part_take(&rest, "<sst><si><t>one</t></si><si><t>two</t></si></sst>");
    p.raw[2].name = STR("f");
    p.raw[2].xml = part_take(&rest, "<styleSheet><cellXfs><xf numFmtId='0'/><xf numFmtId='14'/><xf numFmtId='22'/><xf numFmtId='20'/></cellXfs></styleSheet>");
    if (package_read(&p, &o, check_row, &number, &e) < 0)
        assert(e.text[0]);
    return 0;
}
