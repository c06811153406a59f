/* test_json.c - JSON as trees, and what is refused, at its place. */
#include "scan/testing.h"

static const struct {
    const char *name, *in;
    bool        items;
    int         rc;
    int         line, column;
    const char *want;      /* the tree, or a part of the story */
} rows[] = {
    { "members are children", "{\"a\":1,\"b\":\"x\"}", false, 0, 0, 0, "{a(1) b(x)}" },
    { "objects inside", "{\"a\":{\"b\":{\"c\":true}}}", false, 0, 0, 0, "{a{b{c(true)}}}" },
    { "items are equal children", "{\"a\":[1,2,{\"b\":3}]}", false, 0, 0, 0, "{a(1) a(2) a{b(3)}}" },
    { "an array in an array", "{\"a\":[[1,2],[3]]}", false, 0, 0, 0, "{a{item(1) item(2)} a{item(3)}}" },
    { "null and empty arrays are absent", "{\"a\":null,\"b\":[],\"c\":{},\"d\":[null]}", false, 0, 0, 0, "{c}" },
    { "NaN is absent", "{\"a\":NaN,\"b\":-Infinity,\"c\":0}", false, 0, 0, 0, "{c(0)}" },
    { "a root array", "[{\"a\":1},2]", false, 0, 0, 0, "{item{a(1)} item(2)}" },
    { "a root object as an item", "{\"a\":1}", true, 0, 0, 0, "{item{a(1)}}" },
    { "a line each", "{\"a\":1}\n{\"a\":2}\n\n", true, 0, 0, 0, "{item{a(1)} item{a(2)}}" },
    { "documents without a gap", "{\"a\":1}{\"a\":2}", true, 0, 0, 0, "{item{a(1)} item{a(2)}}" },
    { "records of RFC 7464", "\x1e{\"a\":1}\n\x1e{\"a\":2}\n", true, 0, 0, 0, "{item{a(1)} item{a(2)}}" },
    { "a byte order mark", "\xEF\xBB\xBF{\"a\":1}", false, 0, 0, 0, "{a(1)}" },
    { "escapes", "{\"a\":\"q\\\"\\\\\\/\\u0041\\u00e9\\u20ac\\ud83d\\ude00\"}", false, 0, 0, 0, "{a(q\"\\/A\xC3\xA9\xE2\x82\xAC\xF0\x9F\x98\x80)}" },
    { "half of a pair", "{\"a\":\"x\\ud83dy\"}", false, 0, 0, 0, "{a(x\xEF\xBF\xBDy)}" },
    { "a bare line break in a text", "{\"a\":\"x\ny\",\n\"b\":2}", false, 0, 0, 0, "{a(x\ny) b(2)}" },
    { "an escaped key", "{\"a\\u0062\":1}", false, 0, 0, 0, "{ab(1)}" },
    { "numbers as they stand", "{\"a\":-0.50e+3}", false, 0, 0, 0, "{a(-0.50e+3)}" },
    { "the same key twice", "{\"a\":1,\"a\":2}", false, 0, 0, 0, "{a(1) a(2)}" },
    { "nothing", "", false, -EBADMSG, 1, 1, "empty" },
    { "blanks", " \n ", false, -EBADMSG, 2, 2, "empty" },
    { "a scalar", "17", false, -EBADMSG, 1, 1, "begins with" },
    { "cut in an object", "{\"a\":1,\n \"b\"", false, -EBADMSG, 2, 5, "ends before" },
    { "cut in a text", "{\"a\":\"xy", false, -EBADMSG, 1, 9, "ends before" },
    { "cut in a word", "{\"a\":tru", false, -EBADMSG, 1, 9, "neither a number" },
    { "a comma too many", "{\"a\":1,}", false, -EBADMSG, 1, 8, "key in quotes" },
    { "a comma too few", "{\"a\":1 \"b\":2}", false, -EBADMSG, 1, 8, "\",\" or \"}\"" },
    { "no colon", "{\"a\" 1}", false, -EBADMSG, 1, 6, "\":\"" },
    { "a wrong bracket", "{\"a\":[1}", false, -EBADMSG, 1, 8, "\",\" or \"]\"" },
    { "a leading plus", "{\"a\":+1}", false, -EBADMSG, 1, 8, "neither a number" },
    { "two points", "{\"a\":1.2.3}", false, -EBADMSG, 1, 11, "neither a number" },
    { "an escape that is none", "{\"a\":\"\\x\"}", false, -EBADMSG, 1, 9, "escape" },
    { "not UTF-8", "{\"a\":\"\xC3(\"}", false, -EBADMSG, 1, 10, "not UTF-8" },
    { "garbage behind", "{\"a\":1}\nx", false, -EBADMSG, 2, 1, "begins with" },
};

static void test_rows(void **state)
{
    AUTO_BUF struct buf out;

    (void)state;
    buf_init(&out, 0);
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct err e = { 0 };
        int rc = tree_of(read_json, str_c(rows[i].in), rows[i].items, &out, &e);

        if (rc != rows[i].rc || (rc == 0 && !str_eq(buf_view(&out), str_c(rows[i].want))) || (rc < 0 && !strstr(e.text, rows[i].want)) ||
            (rc < 0 && (e.line != rows[i].line || e.column != rows[i].column)))
            fail_msg("row \"%s\": %d, %.*s%s", rows[i].name, rc, STR_ARG(buf_view(&out)), e.text);
    }
}

static void test_depth_is_bounded_and_nothing_recurses(void **state)
{
    AUTO_BUF struct buf in, out;
    struct err e = { 0 };

    (void)state;
    buf_init(&in, 0);
    buf_init(&out, 0);
    for (int i = 0; i < 200000; i++)
        buf_str(&in, STR("["));
    assert_int_equal(tree_of(read_json, buf_view(&in), false, &out, &e), -E2BIG);
    assert_non_null(strstr(e.text, "levels"));
}

/* Cut after every byte: refused with a place, or a whole document was there. */
static void test_cut_after_every_byte(void **state)
{
    static const char whole[] = "{\"a\":[1,{\"b\":\"x\\u00e9\\n\"},[2.5e1,null]],\"c\":{\"d\":true}}";
    AUTO_BUF struct buf out;

    (void)state;
    buf_init(&out, 0);
    for (size_t n = 0; n < sizeof whole - 1; n++) {
        struct err e = { 0 };

        assert_int_equal(tree_of(read_json, str_of(whole, n), false, &out, &e), -EBADMSG);
        assert_true(e.line == 1 && e.column >= 1);
    }
}

/* Whatever stands at the seam of two pieces that are read, the tree is the same. */
static void test_the_seam_of_two_pieces(void **state)
{
    static const char doc[] = "{\"key\":\"te\\u00e9xt\",\"n\":-12.5,\"l\":[true,null,{\"k\\n\":\"\xD2\x9B\"}]}";
    AUTO_BUF struct buf in, whole, out;
    struct err e = { 0 };

    (void)state;
    buf_init(&in, MIB);
    buf_init(&whole, 0);
    buf_init(&out, 0);
    assert_int_equal(tree_of(read_json, str_c(doc), false, &whole, &e), 0);
    for (size_t k = 0; k <= sizeof doc; k++) {
        buf_reset(&in);
        for (size_t i = 0; i < SOURCE_PIECE - k; i++)
            buf_byte(&in, ' ');
        buf_str(&in, str_c(doc));
        assert_int_equal(tree_of(read_json, buf_view(&in), false, &out, &e), 0);
        assert_true(str_eq(buf_view(&whole), buf_view(&out)));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rows), cmocka_unit_test(test_depth_is_bounded_and_nothing_recurses), cmocka_unit_test(test_cut_after_every_byte),
        cmocka_unit_test(test_the_seam_of_two_pieces),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
