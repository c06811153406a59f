/* test_csv.c - text tables as exporters really write them, and the places of what is wrong. */
#include "table/testing.h"

static const struct {
    const char *name, *in;
    size_t      n;      /* 0: strlen */
    struct table_options o;
    const char *want;
} rows[] = {
    { "plain commas", "a,b\r\n1,2\r\n", 0, { 0 }, "1|A:a|B:b\n2|A:1|B:2\n" },
    { "semicolons win over commas inside", "name;note\nx;1,5\ny;2,5\n", 0, { 0 }, "1|A:name|B:note\n2|A:x|B:1,5\n3|A:y|B:2,5\n" },
    { "tabs", "a\tb\n1\t2\n", 0, { 0 }, "1|A:a|B:b\n2|A:1|B:2\n" },
    { "one column", "a\nb\n", 0, { 0 }, "1|A:a\n2|A:b\n" },
    { "sep= names the delimiter", "sep=|\r\na|b;c\r\n", 0, { 0 }, "1|A:a|B:b;c\n" },
    { "empty cells and lines are left out", "a;;c\n\n;;\nd;;\n", 0, { 0 }, "1|A:a|C:c\n4|A:d\n" },
    { "quotes, newlines inside, doubled quotes", "a;\"x\ny \"\"z\"\"\";c\nd;e\n", 0, { 0 }, "1|A:a|B:x\ny \"z\"|C:c\n2|A:d|B:e\n" },
    { "a quote inside an unquoted field is a letter", "12\" disk;b\n", 0, { .delimiter = ';' }, "1|A:12\" disk|B:b\n" },
    { "no newline at the end", "a;b", 0, { 0 }, "1|A:a|B:b\n" },
    { "CR alone ends a record", "a;b\rc;d\r", 0, { 0 }, "1|A:a|B:b\n2|A:c|B:d\n" },
    { "UTF-8 with its mark", "\xef\xbb\xbfқала;b\n", 0, { 0 }, "1|A:қала|B:b\n" },
    { "UTF-16 with its mark", "\xff\xfe" "a\0;\0\x9b\x04\n\0", 10, { 0 }, "1|A:a|B:қ\n" },
    { "UTF-16 the other way round", "\xfe\xff\0a\0;\x04\x9b\0\n", 10, { 0 }, "1|A:a|B:қ\n" },
    { "UTF-16 without a mark", "a\0;\0b\0\n\0", 8, { 0 }, "1|A:a|B:b\n" },
    { "CP1251 is guessed", "\xc0\xf1\xf2\xe0\xed\xe0;\xb9 1\n", 0, { 0 }, "1|A:Астана|B:№ 1\n" },
    { "KZ-1048 when it is named", "\x8d\xe0\xeb\xe0\n", 0, { .encoding = TABLE_KZ1048 }, "1|A:Қала\n" },
    { "the apostrophe before a formula is ours", "'=1+1;'+7 701;'text;''=x\n", 0, { 0 }, "1|A:=1+1|B:+7 701|C:'text|D:'=x\n" },
    { "an open quote", "a;b\nc;\"x\ny\n", 0, { 0 }, "1|A:a|B:b\n! line 2, column 3: this quote is never closed\n" },
    { "text after a closing quote", "a;\"жол\"z;c\n", 0, { 0 }, "! line 1, column 8: text after the closing quote of a field\n" },
    { "NUL", "a;b\0c\n", 6, { .encoding = TABLE_UTF8 }, "! line 1, column 4: a NUL byte in a text table\n" },
    { "half a letter of UTF-16", "\xff\xfe" "a\0b", 5, { 0 }, "! UTF-16 text ends in the middle of a letter\n" },
    { "a mark that lies", "\xef\xbb\xbf\xc0\xf1\n", 0, { 0 }, "! the text is not UTF-8 although it says so: save it anew as UTF-8\n" },
    { "the old binary form", "\xd0\xcf\x11\xe0\xa1\xb1", 0, { 0 },
      "! this is a workbook of the old binary form (.xls) or one with a password: save it as .xlsx\n" },
    { "nothing", "", 0, { 0 }, "! the file is empty\n" },
};

static void records_as_exporters_write_them(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        char *got = printed(str_of(rows[i].in, rows[i].n ? rows[i].n : strlen(rows[i].in)), &rows[i].o);

        if (strcmp(got, rows[i].want) != 0)
            fail_msg("row \"%s\": got\n%swanted\n%s", rows[i].name, got, rows[i].want);
        free(got);
    }
}

static void a_table_cut_anywhere_is_read_or_refused(void **state)
{
    struct str in = STR("\xef\xbb\xbf" "name;\"a\r\nb\"\"\";'=x\r\nқ;1;2\r\n");

    (void)state;
    for (size_t n = 1; n <= in.n; n++)
        free(printed(str_of(in.p, n), NULL));
}

static int count_row(void *arg, const struct table_row *row, struct err *e)
{
    (void)row;
    (void)e;
    ++*(size_t *)arg;
    return 0;
}

static void what_passes_a_limit_is_named(void **state)
{
    AUTO_BUF struct buf b = { 0 };
    struct err e;
    size_t n = 0;

    (void)state;
    buf_init(&b, 0);
    for (unsigned i = 0; i < TABLE_CELL_MAX + 1; i++)
        buf_byte(&b, 'x');
    assert_int_equal(table_read(buf_view(&b), NULL, count_row, &n, &e), -E2BIG);
    assert_string_equal(e.text, "line 1, column 1: a field of more than 128 KiB");
    buf_reset(&b);
    for (unsigned i = 0; i < TABLE_COLUMNS_MAX; i++)
        buf_byte(&b, ';');
    assert_int_equal(table_read(buf_view(&b), NULL, count_row, &n, &e), -E2BIG);
    assert_string_equal(e.text, "line 1, column 16385: more than 16384 fields in a record");
    buf_reset(&b);
    for (unsigned i = 0; i <= TABLE_ROWS_MAX; i++)
        buf_str(&b, STR("x\n"));
    assert_int_equal(table_read(buf_view(&b), NULL, count_row, &n, &e), -E2BIG);
    assert_int_equal(n, TABLE_ROWS_MAX);
    assert_int_equal(e.line, TABLE_ROWS_MAX + 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(records_as_exporters_write_them),
        cmocka_unit_test(a_table_cut_anywhere_is_read_or_refused),
        cmocka_unit_test(what_passes_a_limit_is_named),
    };

    return cmocka_run_group_tests_name("csv", tests, NULL, NULL);
}
