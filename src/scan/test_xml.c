/* test_xml.c - XML and tables as trees; document types that are harmless, and entities that are refused. */
#include "scan/testing.h"

static const struct {
    const char *name, *in;
    size_t      n;         /* 0: to the NUL */
    int         rc;
    const char *want;      /* the tree, or a part of the story */
} rows[] = {
    { "elements and attributes", "<a x='1'><b>t</b><b/></a>", 0, 0, "{a{@x(1) b(t) b}}" },
    { "own text alone", "<a>x<b>y</b>z</a>", 0, 0, "{a(xz){b(y)}}" },
    { "prefixes are dropped", "<p:a xmlns:p='u' p:x='1'><p:b/></p:a>", 0, 0, "{a{@x(1) b}}" },
    { "CDATA", "<a><![CDATA[<b>&]]></a>", 0, 0, "{a(<b>&)}" },
    { "letters by number", "<a>&#x49;&#66;&lt;</a>", 0, 0, "{a(IB<)}" },
    { "a document type of elements, as Burp writes it", "<!DOCTYPE a [\n<!ELEMENT a (b*)>\n<!ATTLIST a x CDATA \"\">\n]>\n<a><b>1</b></a>", 0, 0, "{a{b(1)}}" },
    { "an outer document type is not fetched", "<!DOCTYPE a SYSTEM 'file:///etc/passwd'><a>x&nbsp;y</a>", 0, 0, "{a(x&nbsp;y)}" },
    { "windows-1251", "<?xml version='1.0' encoding='windows-1251'?><a>\xCF\xEE\xF0\xF2</a>", 0, 0, "{a(\xD0\x9F\xD0\xBE\xD1\x80\xD1\x82)}" },
    { "UTF-16", "\xFF\xFE<\0a\0>\0A\x04<\0/\0a\0>\0", 18, 0, "{a(\xD1\x81)}" },
    { "an entity is refused", "<!DOCTYPE a [<!ENTITY e 'x'>]><a>&e;</a>", 0, -EBADMSG, "entity" },
    { "an outer entity is refused", "<!DOCTYPE a [<!ENTITY e SYSTEM 'file:///etc/passwd'>]><a>&e;</a>", 0, -EBADMSG, "entity" },
    { "a parameter entity is refused", "<!DOCTYPE a [<!ENTITY % e 'x'>]><a/>", 0, -EBADMSG, "entity" },
    { "laughs in an attribute are refused", "<!DOCTYPE a [<!ENTITY l 'ha'><!ENTITY m '&l;&l;&l;'>]><a x='&m;'/>", 0, -EBADMSG, "entity" },
    { "cut", "<a><b>", 0, -EBADMSG, "ends before" },
    { "crossed", "<a><b></a></b>", 0, -EBADMSG, "mismatched" },
    { "two roots", "<a/><b/>", 0, -EBADMSG, "junk" },
    { "not UTF-8", "<a>\xC3(</a>", 0, -EBADMSG, "not well-formed" },
    { "an entity that nobody declares", "<a>&x;</a>", 0, -EBADMSG, "undefined" },
    { "an encoding that nobody knows", "<?xml version='1.0' encoding='klingon'?><a/>", 0, -EBADMSG, "encoding" },
};

static void test_rows(void **state)
{
    AUTO_BUF struct buf out;

    (void)state;
    buf_init(&out, 0);
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct err e = { 0 };
        int rc = tree_of(read_xml, rows[i].n ? str_of(rows[i].in, rows[i].n) : str_c(rows[i].in), false, &out, &e);

        if (rc != rows[i].rc || (rc == 0 && !str_eq(buf_view(&out), str_c(rows[i].want))) || (rc < 0 && (!strstr(e.text, rows[i].want) || e.line < 1)))
            fail_msg("row \"%s\": %d, %.*s%s", rows[i].name, rc, STR_ARG(buf_view(&out)), e.text);
    }
}

static void test_cut_after_every_byte(void **state)
{
    static const char whole[] = "<?xml version='1.0'?><!DOCTYPE a [<!ELEMENT a ANY>]><a x='1'>t<b y='2'/><![CDATA[c]]></a>";
    AUTO_BUF struct buf out;

    (void)state;
    buf_init(&out, 0);
    for (size_t n = 0; n < sizeof whole - 1; n++) {
        struct err e = { 0 };

        assert_int_equal(tree_of(read_xml, str_of(whole, n), false, &out, &e), -EBADMSG);
        assert_true(e.line == 1);
    }
}

static void test_limits(void **state)
{
    AUTO_BUF struct buf in, out;
    struct err e = { 0 };

    (void)state;
    buf_init(&in, 64 * MIB);
    buf_init(&out, 0);
    for (int i = 0; i < 1000; i++)
        buf_str(&in, STR("<a>"));
    assert_int_equal(tree_of(read_xml, buf_view(&in), false, &out, &e), -E2BIG);
    assert_non_null(strstr(e.text, "levels"));

    /* One tag that never ends does not fill the memory: the library waits for its end, we do not. */
    buf_reset(&in);
    buf_str(&in, STR("<a x='"));
    for (size_t i = 0; i < 20 * MIB; i++)
        buf_byte(&in, 'x');
    assert_int_equal(tree_of(read_xml, buf_view(&in), false, &out, &e), -E2BIG);
    assert_non_null(strstr(e.text, "tag"));

    buf_reset(&in);
    buf_str(&in, STR("<!DOCTYPE a ["));
    for (size_t i = 0; i < 200000; i++)
        buf_printf(&in, "<!ELEMENT e%zu ANY>", i);
    assert_int_equal(tree_of(read_xml, buf_view(&in), false, &out, &e), -E2BIG);
    assert_non_null(strstr(e.text, "document type"));
}

/* --- tables --- */

static const struct {
    const char *name, *in;
    size_t      n;
    const char *want;
    int         rc;
} tables[] = {
    { "headings name the cells", "A,B\n1,2\n3,4\n", 0, "[unknown|1|2||-1][unknown|3|4||-1]", 0 },
    { "no line break at the end", "A,B\n1,2", 0, "[unknown|1|2||-1]", 0 },
    { "quotes, doubled quotes, line breaks", "A,B\r\n\"x,\"\"y\"\"\",\"l1\nl2\"\r\n", 0, "[unknown|x,\"y\"|l1 l2||-1]", 0 },
    { "a semicolon", "A;B\n1;2,5\n", 0, "[unknown|1|2,5||-1]", 0 },
    { "a tab", "A\tB\n1\t2\n", 0, "[unknown|1|2||-1]", 0 },
    { "a word to the spreadsheet", "sep=;\nA;B\n1;2\n", 0, "[unknown|1|2||-1]", 0 },
    { "a byte order mark", "\xEF\xBB\xBF" "A,B\n1,2\n", 0, "[unknown|1|2||-1]", 0 },
    { "a title before the heading", "Report of x\n\nA,B\n1,2\n", 0, "[unknown|1|2||-1]", 0 },
    { "empty rows and empty cells", "A,B\n,\n\n1,\n", 0, "[unknown|1|||-1]", 0 },
    { "empty cells more than headings", "A,B\n1,2,,\n", 0, "[unknown|1|2||-1]", 0 },
    { "an old encoding", "A,B\n1,\xCF\xEE\xF0\xF2\n", 0, "[unknown|1|\xD0\x9F\xD0\xBE\xD1\x80\xD1\x82||-1]", 0 },
    { "a quote that never closes", "A,B\n1,\"2\n3,4\n", 0, "2:", -EBADMSG },
    { "text behind a quote", "A,B\n1,\"2\"x\n", 0, "behind a closing quote", -EBADMSG },
    { "more cells than headings", "A,B\n1,2,3\n", 0, "more cells", -EBADMSG },
};

static void test_tables(void **state)
{
    static const char yaml[] = "id: t\ntitle: T\ntool: T\nfile: csv\ndetect: [{columns: [A, B]}]\nrecords:\n  - at: row\n    finding: {check: A, title: B}\n";
    AUTO_BUF struct buf out;

    (void)state;
    buf_init(&out, 0);
    for (size_t i = 0; i < COUNT(tables); i++) {
        struct err e = { 0 };
        struct scan_report r;
        int rc = findings_of(yaml, str_c(tables[i].in), "t", &out, &r, &e);

        if (rc != tables[i].rc || (rc == 0 && !str_eq(buf_view(&out), str_c(tables[i].want))) || (rc < 0 && !strstr(e.text, tables[i].want)))
            fail_msg("row \"%s\": %d, %.*s%s", tables[i].name, rc, STR_ARG(buf_view(&out)), e.text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_rows), cmocka_unit_test(test_cut_after_every_byte), cmocka_unit_test(test_limits), cmocka_unit_test(test_tables) };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
