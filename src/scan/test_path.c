/* test_path.c - paths, expressions and conditions over one report; mistakes in a description, at their place. */
#include "scan/testing.h"

static const char report[] =
    "<scan when='2030-01-02T03:04:05Z'><policy><name>full</name></policy>\n"
    "<host name='h1' up='yes'><tag k='ip'>10.0.0.1</tag><tag k='os'>Linux</tag>\n"
    "<item n='7' sev='3'><title>First &lt;b&gt;x&lt;/b&gt;</title><ref>CVE-2030-1111</ref><ref>see cve-2030-22222 too</ref><cwe>CWE-79: x</cwe><cwe>20</cwe>\n"
    "<score>7.5</score><d>one <i>two</i> three</d><pair><k>a</k><v>1</v></pair><pair><k>b</k><v>2</v></pair><u>https://web.example.kz:8443/p/a?q=1</u>\n"
    "<at>443/tcp</at><b64>aGVsbG8=</b64><msg>{0} of {1}</msg></item></host></scan>";

/* Each row: an expression as YAML and what it gives, values parted by ";". */
static const struct { const char *name, *expr, *want; } rows[] = {
    { "a child", "title", "First <b>x</b>" },
    { "an attribute", "\"@n\"", "7" },
    { "all of a name", "ref", "CVE-2030-1111;see cve-2030-22222 too" },
    { "the parent", "../@name", "h1" },
    { "the parent's child by a filter", "\"../tag[@k='ip']\"", "10.0.0.1" },
    { "a filter that is not", "\"../tag[@k!='ip']\"", "Linux" },
    { "a place", "\"ref[2]\"", "see cve-2030-22222 too" },
    { "the last", "\"ref[last()]\"", "see cve-2030-22222 too" },
    { "a filter by a child", "\"pair[k='b']/v\"", "2" },
    { "a filter by presence", "\"../*[@sev]/title\"", "First <b>x</b>" },
    { "a filter by absence", "\"../tag[!@z]/@k\"", "ip;os" },
    { "any level", "\"**/v\"", "1;2" },
    { "one level of any name", "\"*/v\"", "1;2" },
    { "from the root", "/scan/policy/name", "full" },
    { "two up", "../../@when", "2030-01-02T03:04:05Z" },
    { "names", "\"pair[1]/*/name()\"", "k;v" },
    { "the place among siblings", "\"pair/index()\"", "0;1" },
    { "all text in order", "d/text()", "one two three" },
    { "own text", "d", "one  three" },
    { "all text is none of attributes", "../tag/text()", "10.0.0.1;Linux" },
    { "an alternative", "nothing | no/more | title", "First <b>x</b>" },
    { "a literal", "nothing | 'it''s'", "it's" },
    { "a context", "$policy", "full" },
    { "a table by an attribute", "\"$hosts[../@name]/tag[@k='os']\"", "Linux" },
    { "a reckoned child of a table", "\"$hosts[../@name]/label\"", "h1!" },
    { "a lookup with a reckoned key", "{lookup: hosts, key: {text: \"h{'1'}\"}, give: \"tag[1]\"}", "10.0.0.1" },
    { "a map", "{from: \"@sev\", map: {\"3\": high}, else: low}", "high" },
    { "a map without else leaves words", "{from: \"@sev\", map: {\"4\": high}}", "3" },
    { "else without a value", "{from: nothing, map: {\"4\": high}, else: none}", "none" },
    { "a match", "{from: ref, match: \"(?i)cve-(\\\\d+)\", give: \"year $1\"}", "year 2030" },
    { "a match without give", "{from: at, match: \"^(\\\\d+)/\"}", "443" },
    { "a split", "{from: d/text(), split: \" \"}", "one;two;three" },
    { "a template", "{text: \"{@n}: {title} {{ok}\"}", "7: First <b>x</b> {ok}" },
    { "a template of nothing", "{text: \"x {nothing}\"}", "" },
    { "the first", "{first: [nothing, \"@n\", title]}", "7" },
    { "all", "{all: [\"@n\", ref]}", "7;CVE-2030-1111;see cve-2030-22222 too" },
    { "a join", "{join: [\"@n\", \"@sev\"], with: \", \"}", "7, 3" },
    { "bands", "{number: score, bands: {0: info, 4: medium, 7: high, 9: critical}}", "high" },
    { "a number that begins with its point", "{number: \"'.00042'\", bands: {0: small, 1: large}}", "small" },
    { "bands without a number", "{number: title, bands: {0: info}, else: none}", "none" },
    { "a time", "{time: ../../@when}", "2030-01-02T03:04:05Z" },
    { "plain", "{plain: title}", "First x" },
    { "a host of a URL", "{url: u, give: host}", "web.example.kz" },
    { "a port of a URL", "{url: u, give: port}", "8443" },
    { "a path of a URL", "{url: u, give: path}", "/p/a?q=1" },
    { "base64", "{base64: b64}", "hello" },
    { "small letters", "{lower: title}", "first <b>x</b>" },
    { "each", "{each: pair, give: {text: \"{k}={v}\"}}", "a=1;b=2" },
    { "fill", "{fill: msg, with: {all: [\"@n\", \"@sev\"]}}", "7 of 3" },
    { "when", "{when: [{value: \"@sev\", above: 2}, {value: score, below: 8}], give: \"'yes'\", else: \"'no'\"}", "yes" },
    { "when not", "{when: [{value: \"@sev\", is: [1, 2]}], give: \"'yes'\", else: \"'no'\"}", "no" },
    { "when a pattern", "{when: [{value: title, match: \"^First\"}], give: \"'yes'\"}", "yes" },
    { "when something is there", "{when: [{value: pair, present: true}, {value: nothing, present: false}], give: \"'yes'\"}", "yes" },
    { "when one of many", "{when: [{value: ref, is: [\"cve-2030-1111\"]}], give: \"'yes'\"}", "yes" },
};

static int give_tags(void *arg, const struct scan_finding *f, struct err *e)
{
    struct buf *b = arg;

    (void)e;
    for (size_t i = 0; i < f->tag_count; i++) {
        if (i)
            buf_byte(b, ';');
        buf_str(b, f->tags[i]);
    }
    return 0;
}

static void test_expressions(void **state)
{
    AUTO_BUF struct buf yaml, out;

    (void)state;
    buf_init(&yaml, 0);
    buf_init(&out, 0);
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct scan_sink sink = { .finding = give_tags, .arg = &out };
        struct format *one = NULL;
        struct scan_formats all = { .format = &one, .count = 1 };
        struct scan_report r;
        struct err e = { 0 };
        AUTO_CLOSE int fd = memory_file(str_c(report));
        int rc;

        buf_reset(&yaml);
        buf_reset(&out);
        buf_printf(&yaml, "id: t\ntitle: T\ntool: T\nfile: xml\ndetect: [{root: scan}]\ncontext: {policy: scan/policy/name}\n"
                          "tables:\n  hosts: {at: scan/host, key: \"@name\", give: {label: {text: \"{@name}!\"}}}\n"
                          "records:\n  - at: scan/host/item\n    finding:\n      tags: %s\n", rows[i].expr);
        rc = format_parse(buf_view(&yaml), "t.yaml", NULL, &one, &e);
        if (rc == 0)
            rc = scan_read(&all, fd, "report", "auto", NULL, &sink, &r, &e);
        if (rc < 0 || !str_eq(buf_view(&out), str_c(rows[i].want)))
            fail_msg("row \"%s\": %d, %.*s %s", rows[i].name, rc, STR_ARG(buf_view(&out)), e.text);
        format_free(&one);
    }
}

/* A mistake of a description: what stands in the place of an expression, and the story with its place. */
static const struct { const char *name, *yaml, *story; } mistakes[] = {
    { "a filter that does not end", "\"a[b\"", "t.yaml:8:15: path \"a[b\", letter 4: \"]\"" },
    { "a quote that does not end", "\"'x\"", "does not end" },
    { "a step that is nothing", "a//b", "letter 3: a name is expected" },
    { "a function that is none", "a/foo()", "no such function" },
    { "a table that is none", "\"$x[a]/b\"", "tables: has no such name" },
    { "a scalar that is none", "$x", "context: has no such name" },
    { "keys that are no expression", "{foo: a}", "no expression has these keys" },
    { "a key too many", "{plain: a, give: b}", "unknown key \"give\"" },
    { "a pattern that is none", "{from: a, match: \"(\"}", "pattern, character" },
    { "a band that is no number", "{number: a, bands: {x: low}}", "must be a number" },
    { "a list in the place of an expression", "[a, b]", "an expression is expected" },
    { "a brace without its other", "{text: \"{a\"}", "has no \"}\"" },
    { "a part of a URL that is none", "{url: a, give: foo}", "host, port, path and scheme" },
    { "two tests in one", "{when: [{value: a, is: x, present: true}], give: b}", "one test" },
    { "a condition without a test", "{when: [{value: a}], give: b}", "a condition needs" },
    { "a filter that leaves the report", "\"a[$x='1']\"", "context: has no such name" },
};

static void test_mistakes_have_their_place(void **state)
{
    AUTO_BUF struct buf yaml;

    (void)state;
    buf_init(&yaml, 0);
    for (size_t i = 0; i < COUNT(mistakes); i++) {
        struct format *f = NULL;
        struct err e = { 0 };

        buf_reset(&yaml);
        buf_printf(&yaml, "id: t\ntitle: T\ntool: T\nfile: xml\nrecords:\n  - at: a\n    finding:\n      title: %s\n", mistakes[i].yaml);
        CHECK(mistakes[i].name, format_parse(buf_view(&yaml), "t.yaml", NULL, &f, &e) == -EBADMSG);
        if (!strstr(e.text, mistakes[i].story) || e.line != 8)
            fail_msg("row \"%s\": line %d, %s", mistakes[i].name, e.line, e.text);
        assert_null(f);
    }
}

static const struct { const char *name, *yaml, *story; int line; } wrong_files[] = {
    { "no file", "id: t\ntitle: T\ntool: T\n", "\"file\" is xml", 1 },
    { "no tool", "id: t\ntitle: T\nfile: xml\n", "needs id, title, tool", 1 },
    { "a key that is none", "id: t\ntitle: T\ntool: T\nfile: xml\nfoo: 1\n", "unknown key \"foo\"", 5 },
    { "another id", "id: u\ntitle: T\ntool: T\nfile: xml\n", "must be the name of the file", 1 },
    { "a field that is none", "id: t\ntitle: T\ntool: T\nfile: xml\nrecords:\n  - at: a\n    finding: {foo: b}\n", "no field \"foo\"", 7 },
    { "a filter in at", "id: t\ntitle: T\ntool: T\nfile: xml\nrecords:\n  - at: \"a[b]\"\n    finding: {title: b}\n", "takes no filter", 6 },
    { "no at", "id: t\ntitle: T\ntool: T\nfile: xml\nrecords:\n  - finding: {title: b}\n", "\"at\"", 0 },
    { "ran that is none", "id: t\ntitle: T\ntool: T\nfile: xml\ncovers:\n  - {at: a, ran: some}\n", "all, check or passed", 6 },
    { "a lookup in a table", "id: t\ntitle: T\ntool: T\nfile: xml\ntables:\n  x: {at: a, key: $y}\n", "before \"$\" means anything", 6 },
    { "detect of nothing", "id: t\ntitle: T\ntool: T\nfile: xml\ndetect:\n  - {}\n", "needs root", 6 },
    { "no YAML", "id: [\n", "", 0 },
};

static void test_wrong_files(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(wrong_files); i++) {
        struct format *f = NULL;
        struct err e = { 0 };

        CHECK(wrong_files[i].name, format_parse(str_c(wrong_files[i].yaml), "t.yaml", "t", &f, &e) == -EBADMSG);
        if (!strstr(e.text, wrong_files[i].story) || (wrong_files[i].line && e.line != wrong_files[i].line))
            fail_msg("row \"%s\": line %d, %s", wrong_files[i].name, e.line, e.text);
    }
}

static const struct { const char *in; const char *form; const char *want; } times[] = {
    { "2030-01-02T03:04:05Z", NULL, "2030-01-02T03:04:05Z" },
    { "2030-01-02T03:04:05.25+05:00", NULL, "2030-01-01T22:04:05.250Z" },
    { "2030-01-02 03:04:05", NULL, "2030-01-02T03:04:05Z" },
    { "2030-01-02 03:04:05.123456789 +0000 UTC", NULL, "2030-01-02T03:04:05.123456789Z" },
    { "2030/01/02", NULL, "2030-01-02T00:00:00Z" },
    { "Wed Jan  2 03:04:05 2030", NULL, "2030-01-02T03:04:05Z" },
    { "Wed, 02 Jan 2030 03:04:05 GMT", NULL, "2030-01-02T03:04:05Z" },
    { "02/Jan/2030:03:04:05 +0500", NULL, "2030-01-01T22:04:05Z" },
    { "Jan 2, 2030 3:04:05 PM", NULL, "2030-01-02T15:04:05Z" },
    { "1893553445", NULL, "2030-01-02T03:04:05Z" },
    { "1893553445000", NULL, "2030-01-02T03:04:05Z" },
    { "02.01.2030 03:04", "%d.%m.%Y %H:%M", "2030-01-02T03:04:00Z" },
    { "30-01-02", "%y-%m-%d", "2030-01-02T00:00:00Z" },
    { "2030-02-30", NULL, NULL },
    { "yesterday", NULL, NULL },
    { "17", NULL, NULL },
    { "", NULL, NULL },
};

static void test_times(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(times); i++) {
        char text[TIME_TEXT_MAX];
        time_ns t = 0;
        bool read = times[i].form ? time_by_form(str_c(times[i].in), str_c(times[i].form), &t) : time_auto(str_c(times[i].in), &t);

        CHECK(times[i].in, read == (times[i].want != NULL));
        if (read && strcmp(time_format_utc(t, text), times[i].want) != 0)
            fail_msg("%s: %s", times[i].in, text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_expressions), cmocka_unit_test(test_mistakes_have_their_place), cmocka_unit_test(test_wrong_files), cmocka_unit_test(test_times) };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
