/* test_read.c - files of indicators: patterns of STIX, attributes of MISP, lists; what is no indicator is counted by reason. With real files of ../shared/data/intel. */
#include "base/file.h"
#include "base/test.h"
#include "ioc/ioc.h"

#define LIST_BYTES (4u * MIB)

/* What was read, a line each: "type value", sorted by whoever compares. */
struct taken {
    struct buf text;
    struct ioc last;
    size_t     count, fail_at;
};

static int take(void *arg, const struct ioc *i, struct err *e)
{
    struct taken *t = arg;

    if (t->fail_at && t->count + 1 == t->fail_at)
        return err_set(e, -ENOSPC, "enough");
    t->count++;
    t->last = *i;
    buf_printf(&t->text, "%s %.*s\n", ioc_type_name(i->type), STR_ARG(i->value));
    return 0;
}

static const struct ioc usual = { .type = IOC_TYPES, .confidence = IOC_CONFIDENCE_NONE, .source = STR_INIT("test"), .tlp = IOC_TLP_GREEN };

static int reads(struct str text, struct taken *t, struct ioc_told *told, struct err *e)
{
    buf_reset(&t->text);
    t->count = 0;
    return ioc_read(text, &usual, take, t, told, e);
}

/* row_reads - a row: the file is read as this format and gives just these lines. */
static void row_reads(const char *name, struct str file, enum ioc_format format, const char *want, struct taken *t, struct ioc_told *told)
{
    struct err e;

    CHECK(name, reads(file, t, told, &e) == 0 && told->format == format);
    if (!str_eq(buf_view(&t->text), str_c(want)))
        fail_msg("row \"%s\": %.*s", name, STR_ARG(buf_view(&t->text)));
}

static void patterns_give_what_they_say_is_equal(void **state)
{
    static const struct { const char *name, *pattern, *want; unsigned pattern_skips, type_skips; } rows[] = {
        { "one", "[ipv4-addr:value = '203.0.113.7']", "ip 203.0.113.7\n", 0, 0 },
        { "OR", "[domain-name:value = 'Evil.example' OR url:value = 'http://evil.example/a']", "domain evil.example\nurl http://evil.example/a\n", 0, 0 },
        { "AND and qualifiers", "[file:hashes.'SHA-256' = 'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa' AND file:name = 'x.exe'] REPEATS 5 TIMES WITHIN 1800 SECONDS",
          "hash aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\nfile x.exe\n", 0, 0 },
        { "IN", "[ipv4-addr:value IN ('203.0.113.7', '203.0.113.8')]", "ip 203.0.113.7\nip 203.0.113.8\n", 0, 0 },
        { "a network", "[ipv4-addr:value ISSUBSET '198.51.100.0/24']", "network 198.51.100.0/24\n", 0, 0 },
        { "not equal", "[ipv4-addr:value != '203.0.113.7']", "", 1, 0 },
        { "NOT before", "[NOT ipv4-addr:value = '203.0.113.7']", "", 1, 0 },
        { "NOT behind", "[ipv4-addr:value NOT = '203.0.113.7' OR ipv4-addr:value = '203.0.113.8']", "ip 203.0.113.8\n", 1, 0 },
        { "LIKE", "[url:value LIKE 'http://%.example']", "", 1, 0 },
        { "a reference, a name behind it", "[network-traffic:dst_ref.value = 'evil.example' AND network-traffic:dst_port = 443]", "domain evil.example\n", 1, 0 },
        { "a list of references", "[email-message:to_refs[*].value = 'bad@evil.example']", "email bad@evil.example\n", 0, 0 },
        { "escapes, marks in a text", "[file:name = 'it\\'s [a] \\\\ file = b']", "file it's [a] \\ file = b\n", 0, 0 },
        { "an object that is none of ours", "[windows-registry-key:key = 'HKLM\\\\x']", "", 0, 1 },
        { "two observations", "([ipv4-addr:value = '203.0.113.7'] FOLLOWEDBY [ipv4-addr:value = '203.0.113.8'])", "ip 203.0.113.7\nip 203.0.113.8\n", 0, 0 },
        { "no end of a text", "[file:name = 'x", "", 1, 0 },
        { "nothing", "", "", 0, 0 },
    };
    struct taken t = { 0 };
    struct ioc_told told;

    (void)state;
    buf_init(&t.text, LIST_BYTES);
    for (size_t i = 0; i < COUNT(rows); i++) {
        AUTO_BUF struct buf b = { 0 };

        buf_init(&b, 64 * KIB);
        buf_str(&b, STR("{\"type\":\"bundle\",\"objects\":[{\"type\":\"indicator\",\"id\":\"indicator--1\",\"pattern_type\":\"stix\",\"pattern\":"));
        buf_json(&b, str_c(rows[i].pattern));
        buf_str(&b, STR("}]}"));
        row_reads(rows[i].name, buf_view(&b), IOC_STIX, rows[i].want, &t, &told);
        CHECK(rows[i].name, told.skipped[IOC_SKIP_PATTERN] == rows[i].pattern_skips && told.skipped[IOC_SKIP_TYPE] == rows[i].type_skips);
    }
    buf_free(&t.text);
}

static void an_indicator_of_stix_keeps_what_is_said_of_it(void **state)
{
    static const char text[] =
        "{\"type\":\"bundle\",\"objects\":[{\"type\":\"indicator\",\"id\":\"indicator--7\",\"name\":\"C2\",\"confidence\":80,\"valid_from\":\"2026-11-01T00:00:00Z\","
        "\"valid_until\":\"2026-12-01T00:00:00Z\",\"object_marking_refs\":[\"marking-definition--939a9414-2ddd-4d32-a0cd-375ea402b003\"],\"pattern\":\"[ipv4-addr:value = '203.0.113.7']\"},"
        "{\"type\":\"indicator\",\"revoked\":true,\"pattern\":\"[ipv4-addr:value = '203.0.113.8']\"},"
        "{\"type\":\"indicator\",\"indicator_types\":[\"benign\"],\"pattern\":\"[ipv4-addr:value = '203.0.113.9']\"},"
        "{\"type\":\"indicator\",\"labels\":[\"benign\"],\"pattern\":\"[ipv4-addr:value = '203.0.113.9']\"},"
        "{\"type\":\"indicator\",\"pattern_type\":\"yara\",\"pattern\":\"rule x {}\"},{\"type\":\"malware\",\"name\":\"x\"}]}";
    struct taken t = { 0 };
    struct ioc_told told;
    struct err e;
    time_ns until;
    int offset;

    (void)state;
    buf_init(&t.text, LIST_BYTES);
    assert_int_equal(time_parse_rfc3339(STR("2026-12-01T00:00:00Z"), &until, &offset, &e), 0);
    assert_int_equal(reads(str_c(text), &t, &told, &e), 0);
    assert_int_equal(told.taken, 1);
    assert_int_equal(told.skipped[IOC_SKIP_REVOKED], 1);
    assert_int_equal(told.skipped[IOC_SKIP_NOT_FOR_DETECTION], 2);
    assert_int_equal(told.skipped[IOC_SKIP_PATTERN], 1);
    assert_string_equal(told.example[IOC_SKIP_PATTERN], "yara");
    assert_int_equal(t.last.confidence, 80);
    assert_int_equal(t.last.tlp, IOC_TLP_AMBER_STRICT);
    assert_true(t.last.until == until);
    buf_free(&t.text);
}

static void attributes_of_misp_count_if_they_are_for_detection(void **state)
{
    static const char text[] =
        "{\"Event\":{\"info\":\"campaign\",\"Tag\":[{\"name\":\"tlp:amber\"}],\"Attribute\":["
        "{\"type\":\"ip-dst|port\",\"to_ids\":true,\"uuid\":\"u1\",\"value\":\"203.0.113.7|443\"},{\"type\":\"domain|ip\",\"to_ids\":\"1\",\"value\":\"evil.example|203.0.113.8\"},"
        "{\"type\":\"md5\",\"to_ids\":false,\"value\":\"d41d8cd98f00b204e9800998ecf8427e\"},{\"type\":\"ip-src\",\"to_ids\":true,\"deleted\":true,\"value\":\"203.0.113.9\"},"
        "{\"type\":\"ip-src\",\"to_ids\":true,\"value\":\"198.51.100.0/24\"},{\"type\":\"yara\",\"to_ids\":true,\"value\":\"rule x {}\"},{\"type\":\"domain\",\"to_ids\":true,\"value\":\"no domain\"}],"
        "\"Object\":[{\"name\":\"file\",\"Attribute\":[{\"type\":\"filename|md5\",\"to_ids\":true,\"value\":\"a.exe|D41D8CD98F00B204E9800998ECF8427E\"}]}]}}";
    struct taken t = { 0 };
    struct ioc_told told;
    struct err e;

    (void)state;
    buf_init(&t.text, LIST_BYTES);
    assert_int_equal(reads(str_c(text), &t, &told, &e), 0);
    assert_int_equal(told.format, IOC_MISP);
    buf_byte(&t.text, 0);
    assert_string_equal(t.text.p, "ip 203.0.113.7\ndomain evil.example\nip 203.0.113.8\nnetwork 198.51.100.0/24\nfile a.exe\nhash d41d8cd98f00b204e9800998ecf8427e\n");
    assert_int_equal(told.skipped[IOC_SKIP_NOT_FOR_DETECTION], 2);
    assert_int_equal(told.skipped[IOC_SKIP_TYPE], 1);
    assert_int_equal(told.skipped[IOC_SKIP_VALUE], 1);
    assert_int_equal(t.last.tlp, IOC_TLP_AMBER);
    buf_free(&t.text);
}

static void lists_are_read_with_and_without_headings(void **state)
{
    static const struct { const char *name, *text, *want; unsigned skipped; } rows[] = {
        { "a value a line", "# feed\n203.0.113.7\r\nevil[.]example\n\n; end\nno value at all\n", "ip 203.0.113.7\ndomain evil.example\n", 1 },
        { "a URL with commas", "http://evil.example/a,b;c\n", "url http://evil.example/a,b;c\n", 0 },
        { "a heading", "type,value,confidence,tlp\nip,203.0.113.7,90,red\nsha256_hash,AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA,,\nmutex,x,,\n",
          "ip 203.0.113.7\nhash aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\n", 1 },
        { "semicolons and quotes", "value;type;note\n\"Mozilla; \"\"x\"\"\";user_agent;a\n203.0.113.0/24;ip;b", "user_agent Mozilla; \"x\"\nnetwork 203.0.113.0/24\n", 0 },
        { "tabs, no heading", "203.0.113.7\t2026-11-01\tscanner\n203.0.113.8\t2026-11-02\tscanner\n", "ip 203.0.113.7\nip 203.0.113.8\n", 0 },
        { "commas, no heading", "203.0.113.7,scanner\n203.0.113.8,scanner\n", "ip 203.0.113.7\nip 203.0.113.8\n", 0 },
        { "a short row", "note;value\nx\n", "", 0 },
        { "an empty cell before the value", "note;value\n;203.0.113.7\n", "ip 203.0.113.7\n", 0 },
        { "a heading, the value first", "value,confidence\nhttp://evil.example/a,90\nbad@evil.example,90\n", "url http://evil.example/a\nemail bad@evil.example\n", 0 },
        { "a heading of one column", "value\nhttp://evil.example/a,b\n", "url http://evil.example/a,b\n", 0 },
        { "all names below one", "*.evil.example\n.bad.example\n", "domain evil.example\ndomain bad.example\n", 0 },
        { "addresses of one's own, and half the world", "10.1.2.3\n0.0.0.0/0\n192.168.0.0/16\n::/0\nfd00::/8\n127.0.0.1\n203.0.113.7\n203.0.0.0/8\n2001:d00::/24\n",
          "ip 203.0.113.7\nnetwork 203.0.0.0/8\nnetwork 2001:d00::/24\n", 6 },
        { "nothing", "", "", 0 },
    };
    struct taken t = { 0 };
    struct ioc_told told;

    (void)state;
    buf_init(&t.text, LIST_BYTES);
    for (size_t i = 0; i < COUNT(rows); i++) {
        row_reads(rows[i].name, str_c(rows[i].text), IOC_LIST, rows[i].want, &t, &told);
        CHECK(rows[i].name, told.skipped[IOC_SKIP_TYPE] + told.skipped[IOC_SKIP_VALUE] + told.skipped[IOC_SKIP_WIDE] == rows[i].skipped);
    }
    buf_free(&t.text);
}

static void what_is_no_such_file_is_refused_and_a_failure_ends_the_reading(void **state)
{
    struct taken t = { .fail_at = 2 };
    struct ioc_told told;
    struct err e;

    (void)state;
    buf_init(&t.text, LIST_BYTES);
    assert_int_equal(reads(STR("{\"type\":"), &t, &told, &e), -EBADMSG);
    assert_non_null(strstr(e.text, "line 1, column"));
    assert_int_equal(reads(STR("{\"a\":1}"), &t, &told, &e), -EBADMSG);
    assert_int_equal(reads(STR("[1,2]"), &t, &told, &e), -EBADMSG);
    assert_int_equal(reads(STR("203.0.113.7\n203.0.113.8\n203.0.113.9\n"), &t, &told, &e), -ENOSPC);
    assert_int_equal(t.count, 1);
    assert_string_equal(e.text, "enough");
    buf_free(&t.text);
}

/* --- real files --- */

static bool shared_file(const char *name, struct buf *b)
{
    const char *source = getenv("SAQSHY_SOURCE");
    char path[4096];
    struct err e;

    snprintf(path, sizeof path, "%s/../shared/data/intel/%s", source ? source : ".", name);
    return file_read(path, 64 * MIB, b, &e) == 0;
}

static int by_text(const void *a, const void *b) { return str_cmp(*(const struct str *)a, *(const struct str *)b); }

/* sorted - the lines, each once, in order: two files of one content may say it twice, or in another order. */
static void sorted(struct buf *b)
{
    static struct str lines[20000];
    AUTO_BUF struct buf out = { 0 };
    struct str rest = buf_view(b), line;
    size_t n = 0;

    buf_init(&out, LIST_BYTES);
    while (n < COUNT(lines) && str_split(&rest, '\n', &line))
        if (line.n)
            lines[n++] = line;
    qsort(lines, n, sizeof *lines, by_text);
    for (size_t i = 0; i < n; i++)
        if (i == 0 || !str_eq(lines[i], lines[i - 1])) {
            buf_str(&out, lines[i]);
            buf_byte(&out, '\n');
        }
    buf_reset(b);
    buf_str(b, buf_view(&out));
}

/* lacks - how many lines of one are not in the other, printed. */
static size_t lacks(struct str one, struct str other, const char *name)
{
    struct str line;
    size_t n = 0;

    while (str_split(&one, '\n', &line))
        if (line.n && str_find(other, line) < 0) {
            print_message("only in %s: %.*s\n", name, STR_ARG(line));
            n++;
        }
    return n;
}

static void real_files_give_their_indicators(void **state)
{
    static const struct { const char *file; enum ioc_format format; size_t least; } rows[] = {
        { "stix/oasis-examples/threat-reports/apt1.json", IOC_STIX, 10 },
        { "misp/misp-stixtest/misp_indicators_test.json", IOC_MISP, 30 },
        { "misp/misp-stixtest/stix2_indicators_test.json", IOC_STIX, 20 },
        { "misp/pymisp/reportlab_testfiles/long_event.json", IOC_MISP, 200 },
        { "misp/pymisp/reportlab_testfiles/HTML_event.json", IOC_MISP, 4 },
        { "misp-stix/test_event1_stix21.json", IOC_STIX, 1 },
        { "misp/pymisp/reportlab_testfiles/japanese_test.json", IOC_MISP, 0 },
    };
    AUTO_BUF struct buf file = { 0 };
    struct taken t = { 0 };
    struct ioc_told told;
    struct err e;

    (void)state;
    buf_init(&file, 65 * MIB);
    buf_init(&t.text, LIST_BYTES);
    if (!shared_file("manifest.tsv", &file)) {
        print_message("[  SKIPPED ] ../shared/data/intel is not here\n");
        skip();
    }
    for (size_t i = 0; i < COUNT(rows); i++) {
        buf_reset(&file);
        CHECK(rows[i].file, shared_file(rows[i].file, &file));
        CHECK(rows[i].file, reads(buf_view(&file), &t, &told, &e) == 0 && told.format == rows[i].format);
        print_message("%s: %llu taken, not for detection %llu, revoked %llu, type %llu (%s), value %llu (%s), pattern %llu (%s)\n", rows[i].file,
                      (unsigned long long)told.taken, (unsigned long long)told.skipped[0], (unsigned long long)told.skipped[1], (unsigned long long)told.skipped[2], told.example[2],
                      (unsigned long long)told.skipped[3], told.example[3], (unsigned long long)told.skipped[4], told.example[4]);
        CHECK(rows[i].file, t.count >= rows[i].least);
    }
    buf_free(&t.text);
}

static void both_files_of_a_pair_give_the_same(void **state)
{
    /* Of the last one its own converter left a name server and the product of a program out, and wrote two values that are not for detection. */
    static const struct { const char *file[2]; size_t differ; } pairs[] = {
        { { "misp-stix/test_event1_stix20.json", "misp-stix/test_event1_stix21.json" }, 0 },
        { { "misp-stix/test_objects_collection_stix20.json", "misp-stix/test_objects_collection_stix21.json" }, 0 },
        { { "misp/misp-stixtest/misp_indicators_test.json", "misp/misp-stixtest/stix2_indicators_test.json" }, 4 },
    };
    AUTO_BUF struct buf file = { 0 }, first = { 0 };
    struct taken t = { 0 };
    struct ioc_told told;
    struct err e;

    (void)state;
    buf_init(&file, 65 * MIB);
    buf_init(&first, LIST_BYTES);
    buf_init(&t.text, LIST_BYTES);
    if (!shared_file("manifest.tsv", &file)) {
        print_message("[  SKIPPED ] ../shared/data/intel is not here\n");
        skip();
    }
    for (size_t i = 0; i < COUNT(pairs); i++) {
        for (int k = 0; k < 2; k++) {
            buf_reset(&file);
            CHECK(pairs[i].file[k], shared_file(pairs[i].file[k], &file));
            CHECK(pairs[i].file[k], reads(buf_view(&file), &t, &told, &e) == 0 && t.count > 0);
            sorted(&t.text);
            if (k == 0) {
                buf_reset(&first);
                buf_str(&first, buf_view(&t.text));
            }
        }
        CHECK(pairs[i].file[0], lacks(buf_view(&first), buf_view(&t.text), pairs[i].file[0]) + lacks(buf_view(&t.text), buf_view(&first), pairs[i].file[1]) == pairs[i].differ);
    }
    buf_free(&t.text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(patterns_give_what_they_say_is_equal),    cmocka_unit_test(an_indicator_of_stix_keeps_what_is_said_of_it),
        cmocka_unit_test(attributes_of_misp_count_if_they_are_for_detection), cmocka_unit_test(lists_are_read_with_and_without_headings),
        cmocka_unit_test(what_is_no_such_file_is_refused_and_a_failure_ends_the_reading), cmocka_unit_test(real_files_give_their_indicators),
        cmocka_unit_test(both_files_of_a_pair_give_the_same),
    };

    return cmocka_run_group_tests_name("read", tests, NULL, NULL);
}
