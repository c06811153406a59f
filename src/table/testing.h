/* testing.h - for the tests of table: workbooks made of parts written out in the test, and rows as one readable line.
 *
 * Owns      what it returns belongs to the test.
 * Threads   owner. */
#ifndef SAQSHY_TABLE_TESTING_H
#define SAQSHY_TABLE_TESTING_H

#include "table/internal.h"
#include "base/test.h"

#include <zip.h>

struct part {
    const char *name, *text;
    size_t      repeat;   /* the text this many times instead of once; 0: once */
};

#define RELS_ROOT                                                                                                                   \
    { "_rels/.rels", "<Relationships><Relationship Id='rId1' Type='http://x/officeDocument' Target='xl/workbook.xml'/></Relationships>", 0 }
#define RELS_BOOK                                                                                                                   \
    { "xl/_rels/workbook.xml.rels",                                                                                                 \
      "<Relationships><Relationship Id='rId1' Type='http://x/worksheet' Target='worksheets/sheet1.xml'/>"                            \
      "<Relationship Id='rId2' Type='http://x/sharedStrings' Target='sharedStrings.xml'/>"                                          \
      "<Relationship Id='rId3' Type='http://x/styles' Target='/xl/styles.xml'/></Relationships>", 0 }
#define BOOK { "xl/workbook.xml", "<workbook><sheets><sheet name='Sheet1' sheetId='1' r:id='rId1'/></sheets></workbook>", 0 }
#define STRINGS                                                                                                                     \
    { "xl/sharedStrings.xml", "<sst><si><t>Астана</t></si><si><r><t>A</t></r><r><t xml:space='preserve'> b</t></r><rPh><t>no</t></rPh></si>" \
      "<si><t>x_x000A_y _x005F_x000A_</t></si></sst>", 0 }
#define STYLES                                                                                                                      \
    { "xl/styles.xml", "<styleSheet><numFmts><numFmt numFmtId='164' formatCode='dd\\.mm\\.yyyy'/><numFmt numFmtId='165' formatCode='0.00&quot;d&quot;'/>" \
      "</numFmts><cellStyleXfs><xf numFmtId='14'/></cellStyleXfs><cellXfs><xf numFmtId='0'/><xf numFmtId='14'/><xf numFmtId='22'/>"   \
      "<xf numFmtId='164'/><xf numFmtId='165'/><xf numFmtId='20'/></cellXfs></styleSheet>", 0 }

/* archive_make - a zip of the parts, ended by a NULL name. */
static inline void archive_make(const struct part *parts, struct buf *out)
{
    zip_error_t ze;
    zip_error_init(&ze);
    zip_source_t *mem = zip_source_buffer_create(NULL, 0, 0, &ze);
    zip_t *z = zip_open_from_source(mem, ZIP_CREATE | ZIP_TRUNCATE, &ze);

    assert_non_null(z);
    zip_source_keep(mem);
    for (; parts->name; parts++) {
        size_t n = strlen(parts->text), times = parts->repeat ? parts->repeat : 1;
        char *p = malloc(n * times + 1);
        for (size_t i = 0; i < times; i++)
            memcpy(p + i * n, parts->text, n);
        assert_true(zip_file_add(z, parts->name, zip_source_buffer(z, p, n * times, 1), ZIP_FL_ENC_UTF_8) >= 0);
    }
    assert_int_equal(zip_close(z), 0);
    buf_init(out, 64 * MIB);
    assert_int_equal(zip_source_open(mem), 0);
    for (;;) {
        char *room = buf_room(out, 65536);
        zip_int64_t n = zip_source_read(mem, room, 65536);
        assert_true(n >= 0);
        if (n == 0)
            break;
        out->n += (size_t)n;
    }
    zip_source_close(mem);
    zip_source_free(mem);
    zip_error_fini(&ze);
}

/* row_print - a table_row_fn: "1|A:text 'x'|C:number '7'\n" into a struct buf. */
static inline int row_print(void *arg, const struct table_row *row, struct err *e)
{
    static const char *const types[] = { "", "number ", "bool ", "date ", "datetime ", "time ", "error " };
    struct buf *out = arg;
    char column[8];

    (void)e;
    buf_printf(out, "%u", row->number);
    for (size_t i = 0; i < row->count; i++) {
        buf_printf(out, "|%s:%s", table_column_name(row->cells[i].column, column), types[row->cells[i].type]);
        buf_str(out, row->cells[i].text);
    }
    buf_byte(out, '\n');
    return 0;
}

/* printed - all rows as text; the error's text after "! " if it fails. The caller frees. */
static inline char *printed(struct str bytes, const struct table_options *o)
{
    AUTO_BUF struct buf b = { 0 };
    struct err e = { 0 };

    buf_init(&b, 16 * MIB);
    /* From a heap block of just that size: the sanitizer guards its end. */
    char *exact = malloc(bytes.n ? bytes.n : 1);
    if (bytes.n)
        memcpy(exact, bytes.p, bytes.n);
    if (table_read(str_of(exact, bytes.n), o, row_print, &b, &e) < 0)
        buf_printf(&b, "! %s\n", e.text);
    free(exact);
    buf_byte(&b, '\0');
    char *out = b.p;
    b.p = NULL;
    b.n = b.cap = 0;
    return out;
}

#endif
