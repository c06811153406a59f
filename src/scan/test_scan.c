/* test_scan.c - whole reports by small descriptions: what is found, what was covered, what is refused; and what is kept in memory. */
#include "scan/testing.h"
#include "table/table.h"

#define HEAD "id: t\ntitle: T\ntool: T\nfile: "

static const char probe[] = HEAD "xml\ndetect:\n  - root: probe\nreport: {started: probe/@when, version: probe/v}\nrecords:\n  - at: probe/host/hit\n    finding:\n"
    "      check: \"@plugin\"\n      title: name\n      severity: {from: \"@level\", map: {1: low, 3: high}}\n      cve: ref\n      cwe: ref\n      port: at\n      host: ../@name\n"
    "covers:\n  - {at: probe/host, ran: all, host: \"@name\", port: ports}\n  - {at: probe/host/ran, ran: passed, check: {from: ., split: ','}, host: ../@name}\n";

static const struct {
    const char *name, *yaml, *report, *want;
} rows[] = {
    { "records, covers and their order", probe,
      "<probe when='2030-01-02T03:04:05Z'><host name='h1'><ports>22,80-90</ports><hit plugin='7' level='3'><name>N</name><ref>CVE-2030-1111 CWE-79</ref><at>443/tcp</at></hit>"
      "<ran>8,9</ran></host><host name='192.0.2.1'><hit plugin='8' level='1'/></host></probe>",
      "[high|7|N|h1|443|CVE-2030-1111|cwe 79]<2|8|h1|-1--1><2|9|h1|-1--1><0||h1|22-22><0||h1|80-90>[low|8||192.0.2.1|-1]" },
    { "each: one finding for each node found", HEAD "json\ndetect: [{keys: [r]}]\nrecords:\n  - at: r\n    each: v | w\n    when: [{value: s, not: [none]}]\n    finding: {title: t, host: ../h}\n",
      "{\"r\":[{\"h\":\"a\",\"v\":[{\"t\":1},{\"t\":2,\"s\":\"none\"}],\"w\":{\"t\":3}},{\"h\":\"b\"}]}", "[unknown||1|a|-1][unknown||3|a|-1]" },
    { "a table that stands behind", HEAD "json\ndetect: [{keys: [r]}]\ntables:\n  k: {at: rules, key: id}\nrecords:\n  - at: r\n    finding: {title: \"$k[rule]/name\"}\n",
      "{\"r\":[{\"rule\":\"b\"},{\"rule\":\"c\"}],\"rules\":[{\"id\":\"a\",\"name\":\"A\"},{\"id\":\"b\",\"name\":\"B\"}]}", "[unknown||B||-1][unknown||||-1]" },
    { "a line each, of one line too", HEAD "json\ndetect: [{item_keys: [id, host]}]\nrecords:\n  - at: item\n    finding: {check: id, host: host}\n",
      "{\"id\":\"x\",\"host\":\"h\"}\n", "[unknown|x||h|-1]" },
    { "several places in at", HEAD "json\ndetect: [{keys: [a]}, {item_keys: [a]}]\nrecords:\n  - at: [a/b, item/a/b]\n    finding: {title: .}\n",
      "[{\"a\":{\"b\":[1,2]}},{\"a\":{\"b\":3}}]", "[unknown||1||-1][unknown||2||-1][unknown||3||-1]" },
    { "records in records", HEAD "xml\ndetect: [{root: a}]\nrecords:\n  - at: \"**/r\"\n    finding: {title: t}\n", "<a><r><t>1</t><r><t>2</t></r></r></a>", "[unknown||2||-1][unknown||1||-1]" },
    { "headings of a text", HEAD "text\ndetect: [{line: '^Target:'}]\nlines:\n  - {name: target, level: 1, match: '^Target: (?<host>\\S+)'}\n  - {name: hit, match: '^\\[(?<sev>\\w+)\\] (?<what>.*)'}\n"
      "records:\n  - at: target/hit\n    finding: {title: what, severity: sev, host: ../host}\n",
      "noise\nTarget: h1\n\x1b[31m[high]\x1b[0m one\r\n[low] two\nTarget: h2\n[info] three\n", "[high||one|h1|-1][low||two|h1|-1][info||three|h2|-1]" },
    { "words of severity", HEAD "csv\ndetect: [{columns: [s]}]\nrecords:\n  - at: row\n    finding: {severity: s, title: s}\n", "s,x\nCritical,\nimportant,\nModerate,\nminor,\nnone,\nfoo,\n",
      "[critical||Critical||-1][high||important||-1][medium||Moderate||-1][low||minor||-1][info||none||-1][unknown||foo||-1]" },
    { "a title is one line", HEAD "json\ndetect: [{keys: [a]}]\nrecords:\n  - at: .\n    finding: {title: a}\n", "{\"a\":\"x \\n\\t y\"}", "[unknown||x y||-1]" },
    { "headings alone, without an end of line", HEAD "csv\ndetect: [{columns: [s, x]}]\nrecords:\n  - at: row\n    finding: {title: s}\n", "s,x", "" },
    { "a record of the whole", HEAD "json\ndetect: [{keys: [a]}]\nrecords:\n  - at: .\n    finding: {title: a, host: b}\n", "{\"a\":1,\"b\":\"h\"}", "[unknown||1|h|-1]" },
};

static void test_reports(void **state)
{
    AUTO_BUF struct buf out;

    (void)state;
    buf_init(&out, 0);
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct err e = { 0 };
        struct scan_report r;
        int rc = findings_of(rows[i].yaml, str_c(rows[i].report), "auto", &out, &r, &e);

        if (rc < 0 || !str_eq(buf_view(&out), str_c(rows[i].want)))
            fail_msg("row \"%s\": %d, %.*s %s", rows[i].name, rc, STR_ARG(buf_view(&out)), e.text);
    }
}

static void test_the_head_of_a_report(void **state)
{
    AUTO_BUF struct buf out;
    struct err e = { 0 };
    struct scan_report r;

    (void)state;
    buf_init(&out, 0);
    assert_int_equal(findings_of(probe, STR("<probe when='2030-01-02T03:04:05Z'><host/><v>9.1</v></probe>"), "auto", &out, &r, &e), 0);
    assert_string_equal(r.format, "t");
    assert_string_equal(r.tool, "T");
    assert_string_equal(r.version, "9.1");
    assert_true(r.started_at == INT64_C(1893553445) * NS_PER_SECOND);
    assert_int_equal(r.findings, 0);
}

static const struct { const char *name, *report; int rc; const char *story; } refused[] = {
    { "another root", "<other/>", -ENOTSUP, "XML whose root is \"other\"" },
    { "JSON of others", "{\"x\":1,\"y\":2}", -ENOTSUP, "keys x, y" },
    { "text of others", "hello\n", -ENOTSUP, "hello" },
    { "JSON that ends before it can be known", "{\"x\":[1", -EBADMSG, "report:1:8: " },
    { "broken behind its first record", "<probe><host name='a'><hit plugin='1'/></host><host", -EBADMSG, "report:1:" },
    { "nothing", "", -EBADMSG, "empty" },
};

static void test_what_is_refused(void **state)
{
    AUTO_BUF struct buf out;

    (void)state;
    buf_init(&out, 0);
    for (size_t i = 0; i < COUNT(refused); i++) {
        struct err e = { 0 };
        struct scan_report r;

        CHECK(refused[i].name, findings_of(probe, str_c(refused[i].report), "auto", &out, &r, &e) == refused[i].rc);
        if (!strstr(e.text, refused[i].story))
            fail_msg("row \"%s\": %s", refused[i].name, e.text);
    }
    assert_int_equal(findings_of(probe, STR("<probe/>"), "nobody", &out, &(struct scan_report){ 0 }, NULL), -EINVAL);
}

static int end_reading(void *arg, const struct scan_finding *f, struct err *e)
{
    (void)f;
    return ++*(int *)arg == 2 ? err_set(e, -EDQUOT, "enough") : 0;
}

static void test_a_sink_ends_the_reading(void **state)
{
    int calls = 0;
    struct scan_sink sink = { .finding = end_reading, .arg = &calls };
    struct format *one = NULL;
    struct scan_formats all = { .format = &one, .count = 1 };
    struct scan_report r;
    struct err e = { 0 };
    AUTO_CLOSE int fd = memory_file(STR("<probe><host><hit/><hit/><hit/></host></probe>"));

    (void)state;
    assert_int_equal(format_parse(str_c(probe), "t.yaml", NULL, &one, &e), 0);
    assert_int_equal(scan_read(&all, fd, "report", "auto", NULL, &sink, &r, &e), -EDQUOT);
    assert_int_equal(calls, 2);
    format_free(&one);
}

struct seen { size_t longest, findings; uint64_t cut; };

static int measure(void *arg, const struct scan_finding *f, struct err *e)
{
    struct seen *s = arg;

    (void)e;
    s->findings++;
    if (f->description.n > s->longest)
        s->longest = f->description.n;
    assert_true(str_utf8_valid(f->description));
    return 0;
}

static void test_a_long_text_is_cut_between_letters(void **state)
{
    static const char yaml[] = HEAD "json\ndetect: [{keys: [r]}]\nrecords:\n  - at: r\n    finding: {description: d}\n";
    struct seen s = { 0 };
    struct scan_sink sink = { .finding = measure, .arg = &s };
    struct format *one = NULL;
    struct scan_formats all = { .format = &one, .count = 1 };
    struct scan_report r;
    struct err e = { 0 };
    AUTO_BUF struct buf b;

    (void)state;
    buf_init(&b, MIB);
    buf_str(&b, STR("{\"r\":[{\"d\":\"x"));
    for (size_t i = 0; i < SCAN_TEXT_MAX; i++)
        buf_str(&b, STR("\xD2\x9B"));
    buf_str(&b, STR("\"}]}"));
    assert_int_equal(format_parse(str_c(yaml), "t.yaml", NULL, &one, &e), 0);
    {
        AUTO_CLOSE int fd = memory_file(buf_view(&b));

        assert_int_equal(scan_read(&all, fd, "report", "auto", NULL, &sink, &r, &e), 0);
    }
    assert_true(s.longest <= SCAN_TEXT_MAX && s.longest > SCAN_TEXT_MAX - 4);
    assert_int_equal(r.cut, 1);
    format_free(&one);
}

/* What is kept for the head of the report, and beside the records, does not add up: 40 MB go through 16 MiB. */
static void test_many_records_do_not_add_up(void **state)
{
    static const char yaml[] = HEAD "xml\ndetect: [{root: a}]\nreport: {version: \"a/h/r[@k='v']/big\", started: a/h/t}\nrecords:\n  - at: a/h/r\n    finding: {title: ../@n, description: big}\n"
                               "covers:\n  - {at: a/h, ran: all, host: \"@n\"}\n";
    struct seen s = { 0 };
    struct scan_sink sink = { .finding = measure, .arg = &s };
    struct format *one = NULL;
    struct scan_formats all = { .format = &one, .count = 1 };
    struct scan_report r;
    struct err e = { 0 };
    AUTO_BUF struct buf b;

    (void)state;
    buf_init(&b, 64 * MIB);
    buf_str(&b, STR("<a>"));
    for (int host = 0; host < 20; host++) {
        buf_printf(&b, "<h n='%d'><t>2030-01-02</t>", host);
        for (int i = 0; i < 500; i++) {
            buf_printf(&b, "<r k='%s'><big>", host == 3 && i == 7 ? "v" : "w");
            for (int k = 0; k < 100; k++)
                buf_str(&b, STR("forty letters that are all the same ones "));
            buf_str(&b, STR("</big></r>"));
        }
        buf_str(&b, STR("</h>"));
    }
    buf_str(&b, STR("</a>"));
    assert_true(b.n > 40000000);
    assert_int_equal(format_parse(str_c(yaml), "t.yaml", NULL, &one, &e), 0);
    {
        AUTO_CLOSE int fd = memory_file(buf_view(&b));
        int rc = scan_read(&all, fd, "report", "auto", NULL, &sink, &r, &e);

        if (rc < 0)
            fail_msg("%s", e.text);
    }
    assert_int_equal(s.findings, 10000);
    assert_int_equal(r.covers, 0);   /* nobody asked for them */
    assert_int_equal(strncmp(r.version, "forty letters", 13), 0);
    format_free(&one);
}

/* A record with 200,000 entries, of which its fields want the first: it stays small. */
static void test_a_record_of_many_entries(void **state)
{
    static const char yaml[] = HEAD "json\ndetect: [{keys: [r]}]\nrecords:\n  - at: r\n    when: [{value: e/t, present: true}]\n    finding: {title: e/t, host: e/h | h}\n";
    AUTO_BUF struct buf b, out;
    struct err e = { 0 };
    struct scan_report r;

    (void)state;
    buf_init(&b, 64 * MIB);
    buf_init(&out, 0);
    buf_str(&b, STR("{\"r\":[{\"h\":\"x\",\"e\":["));
    for (int i = 0; i < 200000; i++)
        buf_printf(&b, "%s{\"k\":%d,\"t\":\"entry %d\"}", i ? "," : "", i, i);
    buf_str(&b, STR("]},{\"e\":{\"t\":\"alone\"}}]}"));
    if (findings_of(yaml, buf_view(&b), "auto", &out, &r, &e) < 0)
        fail_msg("%s", e.text);
    assert_true(str_eq(buf_view(&out), STR("[unknown||entry 0|x|-1][unknown||alone||-1]")));
}

static void test_a_record_that_is_too_large(void **state)
{
    static const char yaml[] = HEAD "json\ndetect: [{keys: [r]}]\nrecords:\n  - at: r\n    finding: {tags: d}\n";
    AUTO_BUF struct buf b, out;
    struct err e = { 0 };
    struct scan_report r;

    (void)state;
    buf_init(&b, 64 * MIB);
    buf_init(&out, 0);
    buf_str(&b, STR("{\"r\":[{\"d\":["));
    for (int i = 0; i < 300000; i++)
        buf_printf(&b, "%s\"%d\"", i ? "," : "", i);
    buf_str(&b, STR("]}]}"));
    assert_int_equal(findings_of(yaml, buf_view(&b), "auto", &out, &r, &e), -E2BIG);
    assert_non_null(strstr(e.text, "larger than 16 MiB"));
}

static void test_a_saved_mapping(void **state)
{
    static const struct scan_column columns[] = { { STR_INIT("Что нашли"), STR_INIT("title") }, { STR_INIT("Узел"), STR_INIT("host") },
                                                  { STR_INIT("Порт"), STR_INIT("port") }, { STR_INIT("Опасность"), STR_INIT("severity") } };
    struct scan_mapping m = { .tool = STR("By hand"), .columns = columns, .count = COUNT(columns) };
    struct scan_sink sink = { .finding = test_finding };
    struct scan_formats none = { 0 };
    struct scan_report r;
    struct err e = { 0 };
    AUTO_BUF struct buf out;
    AUTO_CLOSE int fd = memory_file(STR("Отчёт\n\nУзел;Порт;Что нашли;Опасность;Прочее\nh1;443;Старый TLS;high;x\n"));
    AUTO_CLOSE int other = memory_file(STR("Узел;Порт\nh1;443\n"));

    (void)state;
    buf_init(&out, 0);
    sink.arg = &out;
    assert_int_equal(scan_read(&none, fd, "table", "auto", &m, &sink, &r, &e), 0);
    assert_true(str_eq(buf_view(&out), STR("[high||Старый TLS|h1|443]")));
    assert_string_equal(r.tool, "By hand");
    assert_string_equal(r.format, "mapping");
    assert_int_equal(scan_read(&none, other, "table", "auto", &m, &sink, &r, &e), -EBADMSG);
    assert_non_null(strstr(e.text, "headings"));
    m.columns = &(const struct scan_column){ STR_INIT("Узел"), STR_INIT("foo") };
    m.count = 1;
    assert_int_equal(scan_read(&none, other, "table", "auto", &m, &sink, &r, &e), -EINVAL);
}

/* A workbook by a mapping, from the sheet that it names. */
static void test_a_workbook_by_a_mapping(void **state)
{
    static const struct scan_column columns[] = { { STR_INIT("Имя"), STR_INIT("title") }, { STR_INIT("Порт"), STR_INIT("port") } };
    struct scan_mapping m = { .tool = STR("By hand"), .sheet = STR("Второй"), .columns = columns, .count = COUNT(columns) };
    struct table_writer_setup setup = { .format = TABLE_XLSX, .folder = "/tmp" };
    struct scan_formats none = { 0 };
    struct table_writer *w = NULL;
    struct scan_sink sink = { .finding = test_finding };
    struct scan_report r;
    struct err e = { 0 };
    AUTO_BUF struct buf book, out;

    (void)state;
    buf_init(&book, 0);
    buf_init(&out, 0);
    sink.arg = &out;
    assert_int_equal(table_writer_new(&setup, &w, &e), 0);
    table_sheet(w, "Первый");
    table_put(w, STR("не то"));
    table_end_row(w);
    table_sheet(w, "Второй");
    table_header(w, (struct str[]){ STR("Имя"), STR("Порт") }, NULL, 2);
    table_put(w, STR("Дыра"));
    table_put_number(w, 8443);
    table_end_row(w);
    assert_int_equal(table_writer_finish(w, &book, &e), 0);
    table_writer_free(&w);
    {
        AUTO_CLOSE int fd = memory_file(buf_view(&book));

        if (scan_read(&none, fd, "book.xlsx", "auto", &m, &sink, &r, &e) < 0)
            fail_msg("%s", e.text);
    }
    assert_true(str_eq(buf_view(&out), STR("[unknown||Дыра||8443]")));
}

/* The descriptions of the house load, each from its file. */
static void test_all_descriptions_load(void **state)
{
    const char *source = getenv("SAQSHY_SOURCE");
    struct scan_formats *all = NULL;
    struct err e = { 0 };
    char path[4096];

    (void)state;
    snprintf(path, sizeof path, "%s/content", source ? source : ".");
    if (scan_formats_load(path, &all, &e) < 0)
        fail_msg("%s", e.text);
    assert_true(scan_formats_count(all) >= 5);
    for (size_t i = 1; i < scan_formats_count(all); i++)
        assert_true(strcmp(scan_format_id(all, i - 1), scan_format_id(all, i)) < 0);
    scan_formats_free(&all);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_reports), cmocka_unit_test(test_the_head_of_a_report), cmocka_unit_test(test_what_is_refused), cmocka_unit_test(test_a_sink_ends_the_reading),
        cmocka_unit_test(test_a_long_text_is_cut_between_letters), cmocka_unit_test(test_many_records_do_not_add_up), cmocka_unit_test(test_a_record_of_many_entries), cmocka_unit_test(test_a_record_that_is_too_large),
        cmocka_unit_test(test_a_workbook_by_a_mapping),
        cmocka_unit_test(test_a_saved_mapping), cmocka_unit_test(test_all_descriptions_load),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
