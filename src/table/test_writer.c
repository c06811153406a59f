/* test_writer.c - what is written reads back as it was, in both formats. */
#include "table/testing.h"

static const char *const texts[] = {
    "plain", "қазақша ұғым", "=1+1", "+7 701 000 00 00", "-5", "@SUM(A1)", "\ttab", "'=x", "''+", "'text", "a;b", "a,b", "a\"b\"", "two\nlines",
    "two\r\nlines", " blanks ", "_x000D_", "00123", "1e5", "true", "\x01", "<&>",
};

static void write_all(enum table_format format, time_ns created, struct buf *out)
{
    struct table_writer_setup s = { .format = format, .created = created, .folder = "/tmp", .title = "Тізілім" };
    struct str header[] = { STR("Атауы"), STR("Мәні") };
    struct table_writer *w;
    struct err e;

    assert_int_equal(table_writer_new(&s, &w, &e), 0);
    table_sheet(w, "Объекты [1]/2:*?\\ и ещё очень длинное имя листа");
    table_header(w, header, NULL, 2);
    for (size_t i = 0; i < COUNT(texts); i++) {
        table_put(w, str_c(texts[i]));
        table_put_number(w, (double)i - 1.5);
        table_end_row(w);
    }
    table_put_date(w, &(struct civil){ 2026, 3, 20, 14, 30, 0 }, false);
    table_put_date(w, &(struct civil){ 2026, 3, 20, 14, 30, 0 }, true);
    table_put_date(w, &(struct civil){ 1899, 12, 31, 0, 0, 0 }, false);
    table_put_date(w, &(struct civil){ 2026, 2, 30, 0, 0, 0 }, false);
    table_put(w, STR("last"));
    table_end_row(w);
    buf_init(out, 0);
    assert_int_equal(table_writer_finish(w, out, &e), 0);
    table_writer_free(&w);
    assert_null(w);
}

static int compare(void *arg, const struct table_row *row, struct err *e)
{
    size_t *n = arg, i = *n - 1;

    (void)e;
    if (*n == 0) {
        assert_true(str_eq(row->cells[0].text, STR("Атауы")));
    } else if (i < COUNT(texts)) {
        if (!str_eq(row->cells[0].text, str_c(texts[i])))
            fail_msg("wrote \"%s\", read \"%.*s\"", texts[i], (int)row->cells[0].text.n, row->cells[0].text.p);
        assert_int_equal(row->cells[0].type, TABLE_TEXT);
        if (i == 0)
            assert_true(str_eq(row->cells[1].text, STR("-1.5")));
    } else {
        assert_int_equal(row->count, 4);
        assert_true(str_eq(row->cells[0].text, STR("2026-03-20")));
        assert_true(str_eq(row->cells[1].text, STR("2026-03-20T14:30:00")));
        assert_true(str_eq(row->cells[2].text, STR("1899-12-31")));
        assert_int_equal(row->cells[3].column, 5);
    }
    ++*n;
    return 0;
}

static void what_is_written_reads_back(void **state)
{
    (void)state;
    for (int format = TABLE_CSV; format <= TABLE_XLSX; format++) {
        enum table_format seen;
        struct buf b;
        struct err e;
        size_t n = 0;

        write_all((enum table_format)format, 1000 * NS_PER_SECOND, &b);
        assert_int_equal(table_format_of(buf_view(&b), &seen, &e), 0);
        assert_int_equal(seen, format);
        if (table_read(buf_view(&b), NULL, compare, &n, &e) < 0)
            fail_msg("%s", e.text);
        assert_int_equal(n, COUNT(texts) + 2);
        buf_free(&b);
    }
}

static void no_csv_cell_of_text_begins_like_a_formula(void **state)
{
    struct buf b;

    (void)state;
    write_all(TABLE_CSV, 0, &b);
    buf_byte(&b, '\0');
    assert_non_null(strstr(b.p, "\r\n'=1+1;"));
    assert_non_null(strstr(b.p, "\r\n'+7 701"));
    assert_non_null(strstr(b.p, "\r\n'-5;"));
    assert_non_null(strstr(b.p, "\r\n'@SUM"));
    assert_non_null(strstr(b.p, "\r\n\"'\ttab\""));
    assert_null(strstr(b.p, "\r\n="));
    assert_null(strstr(b.p, ";="));
    buf_free(&b);
}

static void a_workbook_is_the_same_twice_and_freezes_its_header(void **state)
{
    struct buf one, two, other;
    zip_error_t ze;

    (void)state;
    write_all(TABLE_XLSX, 1000 * NS_PER_SECOND, &one);
    write_all(TABLE_XLSX, 1000 * NS_PER_SECOND, &two);
    write_all(TABLE_XLSX, 2000 * NS_PER_SECOND, &other);
    assert_true(str_eq(buf_view(&one), buf_view(&two)));
    assert_false(str_eq(buf_view(&one), buf_view(&other)));
    zip_error_init(&ze);
    zip_t *z = zip_open_from_source(zip_source_buffer_create(one.p, one.n, 0, &ze), ZIP_RDONLY, &ze);
    zip_file_t *f = zip_fopen(z, "xl/worksheets/sheet1.xml", 0);
    char text[4096] = "";
    assert_true(zip_fread(f, text, sizeof text - 1) > 0);
    assert_non_null(strstr(text, "state=\"frozen\""));
    zip_fclose(f);
    zip_discard(z);
    buf_free(&one);
    buf_free(&two);
    buf_free(&other);
}

static void the_first_failure_is_told_at_the_end(void **state)
{
    struct table_writer_setup s = { .format = TABLE_XLSX, .folder = "/tmp" };
    AUTO_BUF struct buf out = { 0 };
    struct table_writer *w;
    struct err e;

    (void)state;
    buf_init(&out, 0);
    assert_int_equal(table_writer_new(&s, &w, &e), 0);
    table_put(w, STR("\xff"));
    table_put(w, STR("fine"));
    table_end_row(w);
    assert_int_equal(table_writer_finish(w, &out, &e), -EINVAL);
    assert_string_equal(e.text, "row 1, column 1: the text is not UTF-8");
    table_writer_free(&w);
    s.folder = "/nonexistent";
    assert_int_equal(table_writer_new(&s, &w, &e), -ENOENT);
    assert_null(w);
    s.format = TABLE_CSV;
    assert_int_equal(table_writer_new(&s, &w, &e), 0);
    table_sheet(w, "a");
    table_sheet(w, "b");
    assert_int_equal(table_writer_finish(w, &out, &e), -EINVAL);
    table_writer_free(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_written_reads_back),
        cmocka_unit_test(no_csv_cell_of_text_begins_like_a_formula),
        cmocka_unit_test(a_workbook_is_the_same_twice_and_freezes_its_header),
        cmocka_unit_test(the_first_failure_is_told_at_the_end),
    };

    return cmocka_run_group_tests_name("table writer", tests, NULL, NULL);
}
