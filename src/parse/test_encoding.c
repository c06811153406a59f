/* test_encoding.c - lines that are no UTF-8: told, read, and kept as they came. The texts are ours. */
#include "base/test.h"
#include "parse/encoding.h"
#include "parse/test_lines.h"

/* "Mar 19 08:05:09 srv1 app[7]: " and a sentence of Russian or Kazakh in each encoding. */
static const struct {
    const char *encoding;
    struct str line;
    const char *message;
} rows[] = {
    { "windows-1251", STR_INIT("Mar 19 08:05:09 srv1 app[7]: \xCE\xF2\xEA\xE0\xE7\xE0\xED\xEE \xE2 \xE4\xEE\xF1\xF2\xF3\xEF\xE5 \xEF\xEE\xEB\xFC\xE7\xEE\xE2\xE0\xF2\xE5\xEB\xFE \xC8\xE2\xE0\xED\xEE\xE2"),
      "\xD0\x9E\xD1\x82\xD0\xBA\xD0\xB0\xD0\xB7\xD0\xB0\xD0\xBD\xD0\xBE \xD0\xB2 \xD0\xB4\xD0\xBE\xD1\x81\xD1\x82\xD1\x83\xD0\xBF\xD0\xB5 \xD0\xBF\xD0\xBE\xD0\xBB\xD1\x8C\xD0\xB7\xD0\xBE\xD0\xB2\xD0\xB0\xD1\x82\xD0\xB5\xD0\xBB\xD1\x8E \xD0\x98\xD0\xB2\xD0\xB0\xD0\xBD\xD0\xBE\xD0\xB2" },
    { "koi8-r", STR_INIT("Mar 19 08:05:09 srv1 app[7]: \xEF\xD4\xCB\xC1\xDA\xC1\xCE\xCF \xD7 \xC4\xCF\xD3\xD4\xD5\xD0\xC5 \xD0\xCF\xCC\xD8\xDA\xCF\xD7\xC1\xD4\xC5\xCC\xC0 \xE9\xD7\xC1\xCE\xCF\xD7"),
      "\xD0\x9E\xD1\x82\xD0\xBA\xD0\xB0\xD0\xB7\xD0\xB0\xD0\xBD\xD0\xBE \xD0\xB2 \xD0\xB4\xD0\xBE\xD1\x81\xD1\x82\xD1\x83\xD0\xBF\xD0\xB5 \xD0\xBF\xD0\xBE\xD0\xBB\xD1\x8C\xD0\xB7\xD0\xBE\xD0\xB2\xD0\xB0\xD1\x82\xD0\xB5\xD0\xBB\xD1\x8E \xD0\x98\xD0\xB2\xD0\xB0\xD0\xBD\xD0\xBE\xD0\xB2" },
    { "cp866", STR_INIT("Mar 19 08:05:09 srv1 app[7]: \x8E\xE2\xAA\xA0\xA7\xA0\xAD\xAE \xA2 \xA4\xAE\xE1\xE2\xE3\xAF\xA5 \xAF\xAE\xAB\xEC\xA7\xAE\xA2\xA0\xE2\xA5\xAB\xEE \x88\xA2\xA0\xAD\xAE\xA2"),
      "\xD0\x9E\xD1\x82\xD0\xBA\xD0\xB0\xD0\xB7\xD0\xB0\xD0\xBD\xD0\xBE \xD0\xB2 \xD0\xB4\xD0\xBE\xD1\x81\xD1\x82\xD1\x83\xD0\xBF\xD0\xB5 \xD0\xBF\xD0\xBE\xD0\xBB\xD1\x8C\xD0\xB7\xD0\xBE\xD0\xB2\xD0\xB0\xD1\x82\xD0\xB5\xD0\xBB\xD1\x8E \xD0\x98\xD0\xB2\xD0\xB0\xD0\xBD\xD0\xBE\xD0\xB2" },
    { "kz-1048", STR_INIT("Mar 19 08:05:09 srv1 app[7]: \x8D\xEE\xEB\xE4\xE0\xED\xF3\xF8\xFB \xE6\xBF\xE9\xE5\xE3\xE5 \xEA\xB3\xF0\xE4\xB3: \xA3\xEB\xE8\xFF \xAA\xE0\xE1\xE8\xF2\x9D\xFB\xE7\xFB"),
      "\xD2\x9A\xD0\xBE\xD0\xBB\xD0\xB4\xD0\xB0\xD0\xBD\xD1\x83\xD1\x88\xD1\x8B \xD0\xB6\xD2\xAF\xD0\xB9\xD0\xB5\xD0\xB3\xD0\xB5 \xD0\xBA\xD1\x96\xD1\x80\xD0\xB4\xD1\x96: \xD3\x98\xD0\xBB\xD0\xB8\xD1\x8F \xD2\x92\xD0\xB0\xD0\xB1\xD0\xB8\xD1\x82\xD2\x9B\xD1\x8B\xD0\xB7\xD1\x8B" },
    { "utf-16le", STR_INIT("M\x00""a\x00r\x00 \x00""1\x00""9\x00 \x00""0\x00""8\x00:\x00""0\x00""5\x00:\x00""0\x00""9\x00 \x00s\x00r\x00v\x00""1\x00 \x00""a\x00p\x00p\x00[\x00""7\x00]\x00:\x00 \x00\x9A\x04>\x04;\x04""4\x04""0\x04=\x04""C\x04H\x04K\x04 \x00""6\x04\xAF\x04""9\x04""5\x04""3\x04""5\x04 \x00:\x04V\x04@\x04""4\x04V\x04:\x00 \x00\xD8\x04;\x04""8\x04O\x04 \x00\x92\x04""0\x04""1\x04""8\x04""B\x04\x9B\x04K\x04""7\x04K\x04"),
      "\xD2\x9A\xD0\xBE\xD0\xBB\xD0\xB4\xD0\xB0\xD0\xBD\xD1\x83\xD1\x88\xD1\x8B \xD0\xB6\xD2\xAF\xD0\xB9\xD0\xB5\xD0\xB3\xD0\xB5 \xD0\xBA\xD1\x96\xD1\x80\xD0\xB4\xD1\x96: \xD3\x98\xD0\xBB\xD0\xB8\xD1\x8F \xD2\x92\xD0\xB0\xD0\xB1\xD0\xB8\xD1\x82\xD2\x9B\xD1\x8B\xD0\xB7\xD1\x8B" },
    { "utf-16be", STR_INIT("\x00M\x00""a\x00r\x00 \x00""1\x00""9\x00 \x00""0\x00""8\x00:\x00""0\x00""5\x00:\x00""0\x00""9\x00 \x00s\x00r\x00v\x00""1\x00 \x00""a\x00p\x00p\x00[\x00""7\x00]\x00:\x00 \x04\x9A\x04>\x04;\x04""4\x04""0\x04=\x04""C\x04H\x04K\x00 \x04""6\x04\xAF\x04""9\x04""5\x04""3\x04""5\x00 \x04:\x04V\x04@\x04""4\x04V\x00:\x00 \x04\xD8\x04;\x04""8\x04O\x00 \x04\x92\x04""0\x04""1\x04""8\x04""B\x04\x9B\x04K\x04""7\x04K"),
      "\xD2\x9A\xD0\xBE\xD0\xBB\xD0\xB4\xD0\xB0\xD0\xBD\xD1\x83\xD1\x88\xD1\x8B \xD0\xB6\xD2\xAF\xD0\xB9\xD0\xB5\xD0\xB3\xD0\xB5 \xD0\xBA\xD1\x96\xD1\x80\xD0\xB4\xD1\x96: \xD3\x98\xD0\xBB\xD0\xB8\xD1\x8F \xD2\x92\xD0\xB0\xD0\xB1\xD0\xB8\xD1\x82\xD2\x9B\xD1\x8B\xD0\xB7\xD1\x8B" },
    { "utf-16le", STR_INIT("\xFF\xFEM\x00""a\x00r\x00 \x00""1\x00""9\x00 \x00""0\x00""8\x00:\x00""0\x00""5\x00:\x00""0\x00""9\x00 \x00s\x00r\x00v\x00""1\x00 \x00""a\x00p\x00p\x00[\x00""7\x00]\x00:\x00 \x00\x1E\x04""B\x04:\x04""0\x04""7\x04""0\x04=\x04>\x04 \x00""2\x04 \x00""4\x04>\x04""A\x04""B\x04""C\x04?\x04""5\x04 \x00?\x04>\x04;\x04L\x04""7\x04>\x04""2\x04""0\x04""B\x04""5\x04;\x04N\x04 \x00\x18\x04""2\x04""0\x04=\x04>\x04""2\x04"),
      "\xD0\x9E\xD1\x82\xD0\xBA\xD0\xB0\xD0\xB7\xD0\xB0\xD0\xBD\xD0\xBE \xD0\xB2 \xD0\xB4\xD0\xBE\xD1\x81\xD1\x82\xD1\x83\xD0\xBF\xD0\xB5 \xD0\xBF\xD0\xBE\xD0\xBB\xD1\x8C\xD0\xB7\xD0\xBE\xD0\xB2\xD0\xB0\xD1\x82\xD0\xB5\xD0\xBB\xD1\x8E \xD0\x98\xD0\xB2\xD0\xB0\xD0\xBD\xD0\xBE\xD0\xB2" },
};

static void test_detected(void **state)
{
    struct parse_hints h = lines_hints();
    struct parser *p;

    (void)state;
    assert_int_equal(parse_new(NULL, 0, &p, NULL), 0);
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct event_batch b;
        struct event *ev;

        event_batch_init(&b, 0);
        ev = event_batch_add(&b);
        parse_line(p, rows[i].line, &h, &b.arena, ev);
        if (!str_eq(event_get(ev, STR("saqshy.encoding")), str_c(rows[i].encoding)) ||
            !str_eq(event_get(ev, STR("message")), str_c(rows[i].message)))
            fail_msg("%s: %.*s: %.*s", rows[i].encoding, STR_ARG(event_get(ev, STR("saqshy.encoding"))),
                     STR_ARG(event_get(ev, STR("message"))));
        CHECK(rows[i].encoding, str_eq(ev->original, rows[i].line) && ev->original.p == rows[i].line.p);
        CHECK(rows[i].encoding, (ev->marks & MARK_NOT_UTF8) && !(ev->marks & MARK_BINARY));
        CHECK(rows[i].encoding, str_eq(event_get(ev, STR("host.name")), STR("srv1")) && str_eq(event_get(ev, STR("process.pid")), STR("7")));
        for (uint32_t k = 0; k < ev->field_count; k++)
            CHECK(rows[i].encoding, str_utf8_valid(ev->fields[k].value));
        event_batch_free(&b);
    }
    parse_free(&p);
}

/* test_said - a profile's word counts where letters alone cannot tell, and not against bytes that are UTF-8. */
static void test_said(void **state)
{
    struct parse_hints h = lines_hints();
    static const struct line_row short_row[] = { { "two letters", "Mar 19 08:05:09 srv1 app[7]: \xC4\xE0",
                                                   "syslog/ok\nmessage=\xD0\x94\xD0\xB0\nsaqshy.encoding=windows-1251" } };
    static const struct line_row utf8_row[] = { { "UTF-8 stays", "Mar 19 08:05:09 srv1 app[7]: \xD0\x94\xD0\xB0",
                                                  "syslog/ok\nmessage=\xD0\x94\xD0\xB0\n!saqshy.encoding" } };
    static const struct line_row unknown[] = { { "one letter of another language", "Mar 19 08:05:09 srv1 app[7]: caf\xE9",
                                                 "syslog/ok\nmessage=caf\xEF\xBF\xBD\nsaqshy.encoding=unknown" } };
    static const struct line_row cut[] = { { "UTF-8 that was cut in a letter", "Mar 19 08:05:09 srv1 app[7]: \xD0\x94\xD0\xB0\xD0",
                                             "syslog/ok\nmessage=\xD0\x94\xD0\xB0\xEF\xBF\xBD\nsaqshy.encoding=utf-8" } };

    (void)state;
    lines_check(unknown, 1, NULL);
    lines_check(cut, 1, NULL);
    h.encoding = ENCODING_CP1251;
    lines_check(short_row, 1, &h);
    lines_check(utf8_row, 1, &h);
}

static void test_names(void **state)
{
    (void)state;
    assert_int_equal(encoding_named(STR("CP1251")), ENCODING_CP1251);
    assert_int_equal(encoding_named(STR("Windows-1251")), ENCODING_CP1251);
    assert_int_equal(encoding_named(STR("UTF-16")), ENCODING_UTF16LE);
    assert_int_equal(encoding_named(STR("auto")), ENCODING_DETECT);
    assert_int_equal(encoding_named(STR("ebcdic")), ENCODING_COUNT);
}

static void test_lines(void **state)
{
    static const char wide[] = "\xFF\xFE" "a\0\n\0" "\x0A\x0A" "\n\0" "b\0";
    struct str rest = str_of(wide, sizeof wide - 1), line;

    (void)state;
    assert_int_equal(encoding_of_file(rest), ENCODING_UTF16LE);
    assert_int_equal(encoding_of_file(STR("plain text\n")), ENCODING_UTF8);
    assert_true(encoding_line(ENCODING_UTF16LE, &rest, &line));
    assert_int_equal(line.n, 4);
    assert_true(encoding_line(ENCODING_UTF16LE, &rest, &line)); /* U+0A0A is no end of a line */
    assert_int_equal(line.n, 2);
    assert_false(encoding_line(ENCODING_UTF16LE, &rest, &line));
    assert_int_equal(rest.n, 2);
}

/* test_pairs - letters beyond the first 65536, and halves of them. */
static void test_pairs(void **state)
{
    AUTO_ARENA struct arena a = { 0 };

    (void)state;
    arena_init(&a, 0);
    assert_true(str_eq(encoding_decode(ENCODING_UTF16LE, str_of("\x3D\xD8\x00\xDE", 4), &a), STR("\xF0\x9F\x98\x80")));
    assert_true(str_eq(encoding_decode(ENCODING_UTF16BE, str_of("\xD8\x3D\x00\x41", 4), &a), STR("\xEF\xBF\xBD" "A")));
    assert_true(str_eq(encoding_decode(ENCODING_UTF16LE, str_of("\x41\x00\x42", 3), &a), STR("AB")));
    assert_true(str_eq(encoding_decode(ENCODING_UTF16BE, str_of("\x00\x41\x42", 3), &a), STR("A\xEF\xBF\xBD")));
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        { .name = "UTF-16, Windows-1251, KZ-1048, KOI8-R and CP866 are told and read; the original keeps its bytes", .test_func = test_detected },
        { .name = "what is said of a source counts where letters cannot tell; UTF-8 stays UTF-8", .test_func = test_said },
        { .name = "names of encodings", .test_func = test_names },
        { .name = "lines of UTF-16 end where they end", .test_func = test_lines },
        { .name = "pairs of UTF-16, and halves", .test_func = test_pairs },
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
