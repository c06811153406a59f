/* test_xlsx.c - workbooks made part by part: what cells can hold, and what a hostile archive may not do. */
#include "table/testing.h"

#define SHEET(cells) { "xl/worksheets/sheet1.xml", "<worksheet><sheetData>" cells "</sheetData></worksheet>", 0 }

static const struct {
    const char *name;
    struct part sheet;
    const char *want;
} rows[] = {
    { "shared strings: plain, of runs, escaped",
      SHEET("<row r='1'><c r='A1' t='s'><v>0</v></c><c r='B1' t='s'><v>1</v></c><c r='C1' t='s'><v>2</v></c></row>"),
      "1|A:Астана|B:A b|C:x\ny _x000A_\n" },
    { "inline strings, formulas by their value",
      SHEET("<row r='1'><c r='A1' t='inlineStr'><is><t>in</t></is></c><c r='B1' t='str'><f>1+1</f><v>two</v></c></row>"), "1|A:in|B:two\n" },
    { "numbers as a person would write them",
      SHEET("<row r='1'><c r='A1'><v>12</v></c><c r='B1'><v>0.10000000000000001</v></c><c r='C1'><v>1.5E3</v></c><c r='D1'><v>990440001234</v></c>"
            "<c r='E1'><v>-0</v></c></row>"),
      "1|A:number 12|B:number 0.1|C:number 1500|D:number 990440001234|E:number 0\n" },
    { "truth and errors", SHEET("<row r='1'><c r='A1' t='b'><v>1</v></c><c r='B1' t='b'><v>0</v></c><c r='C1' t='e'><v>#N/A</v></c></row>"),
      "1|A:bool true|B:bool false|C:error #N/A\n" },
    { "dates by built-in, custom and no format",
      SHEET("<row r='1'><c r='A1' s='1'><v>46101</v></c><c r='B1' s='2'><v>46101.604166666664</v></c><c r='C1' s='3'><v>46101</v></c>"
            "<c r='D1' s='4'><v>46101</v></c><c r='E1' s='5'><v>0.5</v></c><c r='F1' s='0'><v>46101</v></c></row>"),
      "1|A:date 2026-03-20|B:datetime 2026-03-20T14:30:00|C:date 2026-03-20|D:number 46101|E:time 12:00:00|F:number 46101\n" },
    { "the edges of the calendar",
      SHEET("<row r='1'><c r='A1' s='1'><v>1</v></c><c r='B1' s='1'><v>59</v></c><c r='C1' s='1'><v>60</v></c><c r='D1' s='1'><v>61</v></c>"
            "<c r='E1' s='1'><v>2958465</v></c><c r='F1' s='1'><v>2958466</v></c><c r='G1' s='1'><v>-1</v></c></row>"),
      "1|A:date 1900-01-01|B:date 1900-02-28|C:number 60|D:date 1900-03-01|E:date 9999-12-31|F:number 2958466|G:number -1\n" },
    { "dates as text of ISO 8601", SHEET("<row r='1'><c r='A1' t='d'><v>2026-03-20</v></c><c r='B1' t='d'><v>2026-03-20T10:00:00</v></c></row>"),
      "1|A:date 2026-03-20|B:datetime 2026-03-20T10:00:00\n" },
    { "sparse rows keep their numbers", SHEET("<row r='3'><c r='B3'><v>1</v></c><c r='XFD3'><v>2</v></c></row><row r='1048576'><c r='A1048576'><v>3</v></c></row>"),
      "3|B:number 1|XFD:number 2\n1048576|A:number 3\n" },
    { "places may be left out", SHEET("<row><c><v>1</v></c><c><v>2</v></c></row><row><c/><c><v>3</v></c></row>"),
      "1|A:number 1|B:number 2\n2|B:number 3\n" },
    { "elements with prefixes",
      { "xl/worksheets/sheet1.xml", "<x:worksheet xmlns:x='u'><x:sheetData><x:row r='1'><x:c r='A1'><x:v>1</x:v></x:c></x:row></x:sheetData></x:worksheet>", 0 },
      "1|A:number 1\n" },
    { "a column that no spreadsheet has", SHEET("<row r='7'><c r='B7'><v>1</v></c><c r='XFE7'><v>1</v></c></row>"),
      "! Sheet1!B7: the cell after this one has a place that no spreadsheet has\n" },
    { "a column of many letters", SHEET("<row r='1'><c r='AAAAAAAAAAAAAAAAAAAA1'><v>1</v></c></row>"),
      "! Sheet1!1: the cell after this one has a place that no spreadsheet has\n" },
    { "a row past the end", SHEET("<row r='1048577'><c><v>1</v></c></row>"), "! Sheet1!0: the row after this one passes 1048576\n" },
    { "rows that go back", SHEET("<row r='2'/><row r='2'/>"), "! Sheet1!2: the row after this one does not ascend\n" },
    { "cells that go back", SHEET("<row r='1'><c r='C1'><v>1</v></c><c r='B1'><v>1</v></c></row>"),
      "! Sheet1!C1: the cell after this one does not stand in its row, in order\n" },
    { "a cell of another row", SHEET("<row r='1'><c r='C7'><v>1</v></c></row>"),
      "! Sheet1!1: the cell after this one does not stand in its row, in order\n" },
    { "a cell inside of a cell", SHEET("<row r='1'><c r='A1'><v>abc</v><c r='B1' t='e'><row r='2'/></c></c></row>"),
      "! Sheet1!A1: a cell inside of a cell\n" },
    { "a row inside of a row", SHEET("<row r='1'><c r='A1'><v>1</v></c><row r='2'><c r='A2'><v>2</v></c></row></row>"),
      "! Sheet1!A1: a row inside of a row\n" },
    { "a cell after its row", SHEET("<row r='1'><c r='A1'><v>1</v></c></row><c r='B1'><v>2</v></c>"),
      "1|A:number 1\n! Sheet1!A1: a cell outside of a row\n" },
    { "what only says that it is a date", SHEET("<row r='1'><c t='d'><v>tomorrow T</v></c><c t='d'><v>2026-02-30</v></c><c t='d'><v>2026-03-20T25:00:00</v></c>"
                                              "<c t='d'><v> 2026-03-20T14:30:00.250Z</v></c><c t='d'><v>2026-03-20Z</v></c></row>"),
      "1|A:tomorrow T|B:2026-02-30|C:2026-03-20T25:00:00|D:datetime 2026-03-20T14:30:00|E:2026-03-20Z\n" },
    { "a row inside of a cell", SHEET("<row r='1'><c r='A1'><v>abc</v><row r='2'/></c></row>"), "! Sheet1!A1: a row inside of a cell\n" },
    { "a shared string that is not there", SHEET("<row r='7'><c r='C7' t='s'><v>3</v></c></row>"),
      "! Sheet1!C7: names a shared string that is not there\n" },
    { "no number", SHEET("<row r='7'><c r='C7'><v>seven</v></c></row>"), "! Sheet1!C7: not a number\n" },
    { "infinity", SHEET("<row r='7'><c r='C7'><v>1e999</v></c></row>"), "! Sheet1!C7: not a number\n" },
    { "an entity bomb", { "xl/worksheets/sheet1.xml", "<!DOCTYPE x [<!ENTITY a 'aaaa'><!ENTITY b '&a;&a;'>]><worksheet>&b;</worksheet>", 0 },
      "! a document type declaration has no place in a workbook\n" },
    { "an entity of nobody", { "xl/worksheets/sheet1.xml", "<worksheet>&b;</worksheet>", 0 },
      "! xl/worksheets/sheet1.xml: line 1, column 12: undefined entity\n" },
    { "XML cut in the middle", { "xl/worksheets/sheet1.xml", "<worksheet><sheetData><row r='1'><c r='A1'><v>1</v>", 0 },
      "! xl/worksheets/sheet1.xml: line 1, column 52: no element found\n" },
    { "elements without end", { "xl/worksheets/sheet1.xml", "<a>", 100000 }, "! elements nested deeper than 64\n" },
};

static void cells_and_refusals(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct part parts[] = { RELS_ROOT, RELS_BOOK, BOOK, STRINGS, STYLES, rows[i].sheet, { NULL, NULL, 0 } };
        struct buf b;
        char *got;

        archive_make(parts, &b);
        got = printed(buf_view(&b), NULL);
        if (strcmp(got, rows[i].want) != 0)
            fail_msg("row \"%s\": got\n%swanted\n%s", rows[i].name, got, rows[i].want);
        free(got);
        buf_free(&b);
    }
}

static void expect(const struct part *parts, const struct table_options *o, const char *want)
{
    struct buf b;
    char *got;

    archive_make(parts, &b);
    got = printed(buf_view(&b), o);
    assert_string_equal(got, want);
    free(got);
    buf_free(&b);
}

static void missing_parts_are_named(void **state)
{
    const struct part no_rels[] = { BOOK, { NULL, NULL, 0 } };
    const struct part no_sheet[] = { RELS_ROOT, RELS_BOOK, BOOK, STRINGS, STYLES, { NULL, NULL, 0 } };
    const struct part no_strings[] = { RELS_ROOT, RELS_BOOK, BOOK, STYLES, SHEET(""), { NULL, NULL, 0 } };
    const struct part a_document[] = { { "_rels/.rels", "<Relationships/>", 0 }, { NULL, NULL, 0 } };
    const struct part outside[] = {
        { "_rels/.rels", "<Relationships><Relationship Id='a' Type='/officeDocument' Target='file:///etc/passwd' TargetMode='External'/></Relationships>", 0 },
        { NULL, NULL, 0 }
    };

    (void)state;
    expect(no_rels, NULL, "! the workbook has no part \"_rels/.rels\"\n");
    expect(no_sheet, NULL, "! the workbook has no part \"xl/worksheets/sheet1.xml\"\n");
    expect(no_strings, NULL, "! the workbook has no part \"xl/sharedStrings.xml\"\n");
    expect(a_document, NULL, "! this archive is no workbook: it names no main part\n");
    expect(outside, NULL, "! this archive is no workbook: it names no main part\n");
}

static void sheets_are_chosen_by_name(void **state)
{
    const struct part parts[] = {
        RELS_ROOT,
        { "xl/_rels/workbook.xml.rels",
          "<Relationships><Relationship Id='a' Type='/worksheet' Target='../xl/one.xml'/><Relationship Id='b' Type='/worksheet' Target='/xl/two.xml'/>"
          "<Relationship Id='c' Type='/chartsheet' Target='c.xml'/><Relationship Id='d' Type='/worksheet' Target='four.xml'/></Relationships>", 0 },
        { "xl/workbook.xml",
          "<workbook><workbookPr date1904='1'/><sheets><sheet name='Hidden' state='hidden' r:id='d'/><sheet name='One' r:id='a'/>"
          "<sheet name='Chart' r:id='c'/><sheet name='Екі' r:id='b'/></sheets></workbook>", 0 },
        { "xl/one.xml", "<worksheet><row><c><v>1</v></c></row></worksheet>", 0 },
        { "xl/two.xml", "<worksheet><row><c><v>2</v></c></row></worksheet>", 0 },
        { NULL, NULL, 0 }
    };
    AUTO_ARENA struct arena a;
    struct str *names;
    struct buf b;
    struct err e;
    size_t n;

    (void)state;
    arena_init(&a, 0);
    expect(parts, NULL, "1|A:number 1\n");
    expect(parts, &(struct table_options){ .sheet = STR("Екі") }, "1|A:number 2\n");
    expect(parts, &(struct table_options){ .sheet = STR("Three") }, "! the workbook has no sheet \"Three\"\n");
    archive_make(parts, &b);
    assert_int_equal(table_sheets(buf_view(&b), &a, &names, &n, &e), 0);
    assert_int_equal(n, 2);
    assert_true(str_eq(names[0], STR("One")) && str_eq(names[1], STR("Екі")));
    buf_free(&b);
}

static void bombs_are_refused(void **state)
{
    const struct part blanks[] = { RELS_ROOT, RELS_BOOK, BOOK, STRINGS, STYLES, { "xl/worksheets/sheet1.xml", "<a>     </a>", 0 },
                                   { NULL, NULL, 0 } };
    struct part token[] = { RELS_ROOT, RELS_BOOK, BOOK, STRINGS, STYLES, { "xl/worksheets/sheet1.xml", "<?a aaaaaaaaaaaaaaaa", 400000 }, { NULL, NULL, 0 } };
    struct part text[] = { RELS_ROOT, RELS_BOOK, BOOK, { "xl/sharedStrings.xml", "", 0 }, STYLES, SHEET(""), { NULL, NULL, 0 } };
    char *long_string = malloc(200 * KIB + 1);

    (void)state;
    expect(blanks, NULL, "");
    expect(token, NULL, "! xl/worksheets/sheet1.xml: one piece of XML is longer than 4 MiB\n");
    memset(long_string, 'a', 200 * KIB);
    memcpy(long_string, "<sst><si><t>", 12);
    long_string[200 * KIB] = '\0';
    text[3].text = long_string;
    expect(text, NULL, "! shared string 0: more than 128 KiB\n");
    free(long_string);
}

static int row_seen(void *arg, const struct table_row *row, struct err *e)
{
    (void)e;
    *(size_t *)arg += row->count;
    return 0;
}

static void one_long_string_in_every_cell_is_refused(void **state)
{
    struct part parts[] = { RELS_ROOT, RELS_BOOK, BOOK, { "xl/sharedStrings.xml", "", 0 }, STYLES, { "xl/worksheets/sheet1.xml", "", 0 }, { NULL, NULL, 0 } };
    AUTO_BUF struct buf sheet = { 0 };
    AUTO_BUF struct buf string = { 0 };
    AUTO_BUF struct buf b = { 0 };
    size_t cells = 0;
    struct err e;

    (void)state;
    buf_init(&sheet, 0);
    buf_init(&string, 0);
    buf_str(&string, STR("<sst><si><t>"));
    for (int i = 0; i < 100 * 1024; i++)
        buf_byte(&string, 'a');
    buf_str(&string, STR("</t></si></sst>"));
    buf_byte(&string, 0);
    buf_str(&sheet, STR("<worksheet>"));
    for (int row = 0; row < 200; row++) {
        buf_str(&sheet, STR("<row>"));
        for (int i = 0; i < 40; i++)
            buf_str(&sheet, STR("<c t='s'><v>0</v></c>"));
        buf_str(&sheet, STR("</row>"));
    }
    buf_str(&sheet, STR("</worksheet>"));
    buf_byte(&sheet, 0);
    parts[3].text = string.p;
    parts[5].text = sheet.p;
    archive_make(parts, &b);
    assert_int_equal(table_read(buf_view(&b), NULL, row_seen, &cells, &e), -E2BIG);
    assert_string_equal(e.text, "Sheet1!AN132: more than 512 MiB of text in the cells up to here");
    assert_int_equal(cells, 131 * 40);
}

static void a_workbook_that_unpacks_too_far_stops_at_the_limit(void **state)
{
    struct package p;
    const struct part parts[] = { RELS_ROOT, RELS_BOOK, BOOK, STRINGS, STYLES, SHEET("<row><c><v>1</v></c></row>"), { NULL, NULL, 0 } };
    static const struct xml_handler nothing = { 0 };
    struct buf b;
    struct err e;

    (void)state;
    archive_make(parts, &b);
    assert_int_equal(package_open(buf_view(&b), &p, &e), 0);
    p.unpacked = TABLE_UNPACKED_MAX - 10; /* as if so much had been read before */
    assert_int_equal(xml_walk(&p, STR("xl/worksheets/sheet1.xml"), &nothing, NULL, &e), -E2BIG);
    assert_string_equal(e.text, "xl/worksheets/sheet1.xml: the workbook unpacks to more than 512 MiB");
    package_close(&p);
    buf_free(&b);
}

static void an_archive_cut_or_flipped_anywhere_never_crashes(void **state)
{
    const struct part parts[] = { RELS_ROOT, RELS_BOOK, BOOK, STRINGS, STYLES, SHEET("<row><c t='s'><v>1</v></c></row>"), { NULL, NULL, 0 } };
    struct buf b;

    (void)state;
    archive_make(parts, &b);
    for (size_t n = 4; n < b.n; n += 3) {
        char *got = printed(str_of(b.p, n), NULL);
        assert_non_null(strchr(got, '!'));
        free(got);
    }
    for (size_t i = 0; i < b.n; i++) {
        b.p[i] = (char)(b.p[i] ^ 0x10);
        free(printed(buf_view(&b), NULL));
        b.p[i] = (char)(b.p[i] ^ 0x10);
    }
    buf_free(&b);
}

static void format_codes_tell_dates_from_numbers(void **state)
{
    static const struct { const char *code; enum date_kind kind; } codes[] = {
        { "General", NOT_A_DATE }, { "0.00", NOT_A_DATE }, { "0.00E+00", NOT_A_DATE }, { "#,##0 [$\u20b8-43F]", NOT_A_DATE }, { "[Red]0;[Blue]-0", NOT_A_DATE },
        { "\"day\" 0", NOT_A_DATE }, { "0\\d", NOT_A_DATE }, { "[h]:mm", NOT_A_DATE }, { "[mm]:ss", NOT_A_DATE }, { "@", NOT_A_DATE }, { "", NOT_A_DATE },
        { "dd.mm.yyyy", A_DATE }, { "[$-419]d mmmm yyyy;@", A_DATE }, { "mmm", A_DATE }, { "yyyy-mm-dd hh:mm:ss", A_DATETIME }, { "m/d/yy h:mm AM/PM", A_DATETIME },
        { "h:mm AM/PM", A_TIME }, { "hh:mm:ss.000", A_TIME }, { "0;dd", NOT_A_DATE }, { "\"open", NOT_A_DATE }, { "[", NOT_A_DATE }, { "\\", NOT_A_DATE },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(codes); i++)
        CHECK(codes[i].code, date_kind_of(str_c(codes[i].code)) == codes[i].kind);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(cells_and_refusals),
        cmocka_unit_test(missing_parts_are_named),
        cmocka_unit_test(sheets_are_chosen_by_name),
        cmocka_unit_test(bombs_are_refused), cmocka_unit_test(one_long_string_in_every_cell_is_refused),
        cmocka_unit_test(a_workbook_that_unpacks_too_far_stops_at_the_limit),
        cmocka_unit_test(an_archive_cut_or_flipped_anywhere_never_crashes),
        cmocka_unit_test(format_codes_tell_dates_from_numbers),
    };

    return cmocka_run_group_tests_name("xlsx", tests, NULL, NULL);
}
