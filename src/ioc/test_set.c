/* test_set.c - a set: what is found in it and how, terms, warning lists, files that are torn. */
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/test.h"
#include "ioc/ioc.h"

#define NOW (NS_PER_SECOND * 1000)

static char folder[64];

static const char *at(const char *name)
{
    static char path[128];

    snprintf(path, sizeof path, "%s/%s", folder, name);
    return path;
}

static int make_folder(void **state)
{
    (void)state;
    snprintf(folder, sizeof folder, "/tmp/saqshy-ioc-XXXXXX");
    return mkdtemp(folder) ? 0 : -1;
}

static int remove_folder(void **state)
{
    (void)state;
    remove(at("set"));
    remove(at("torn"));
    return rmdir(folder);
}

static const struct { enum ioc_type type; const char *value, *source; time_ns until; } content[] = {
    { IOC_IP, "203.0.113.7", "a", 0 },           { IOC_IP, "203.0.113.7", "b", 0 },          { IOC_IP, "203.0.113.8", "a", NOW },     { IOC_IP, "203.0.113.9", "a", NOW + 1 },
    { IOC_NETWORK, "198.51.100.0/24", "a", 0 },  { IOC_NETWORK, "198.51.0.0/16", "a", 0 },   { IOC_NETWORK, "2001:db8::/32", "a", 0 }, { IOC_DOMAIN, "evil.example", "a", 0 },
    { IOC_DOMAIN, "deep.evil.example", "a", 0 }, { IOC_URL, "http://bad.example/x", "a", 0 }, { IOC_HASH, "d41d8cd98f00b204e9800998ecf8427e", "a", 0 },
    { IOC_EMAIL, "spam@mail.example", "a", 0 },  { IOC_AGENT, "EvilBot/1.0", "a", 0 },       { IOC_IP, "8.8.8.8", "a", 0 },           { IOC_DOMAIN, "cdn.good.example", "a", 0 },
    { IOC_FILE, "C:\\x.exe", "a", 0 },           { IOC_URL, "https://root.example", "a", 0 },
    { IOC_IP, "203.0.113.7", "a", 0 },
};

static const char google[] = "{\"name\":\"public resolvers\",\"type\":\"cidr\",\"list\":[\"8.8.8.0/24\"],\"matching_attributes\":[\"ip-src\",\"ip-dst\"]}";
static const char known[] = "{\"name\":\"known names\",\"type\":\"hostname\",\"list\":[\".good.example\"],\"matching_attributes\":[\"domain\",\"hostname\",\"url\"]}";

static void write_set(void)
{
    struct ioc_build *b = NULL;
    size_t count = 0;
    struct err e;

    assert_int_equal(ioc_build_new(&b, &e), 0);
    assert_int_equal(ioc_build_warnings(b, str_c(google), &e), 0);
    assert_int_equal(ioc_build_warnings(b, str_c(known), &e), 0);
    assert_int_equal(ioc_build_warnings(b, STR("{\"name\":\"x\",\"type\":\"regex\",\"list\":[]}"), &e), -ENOTSUP);
    assert_int_equal(ioc_build_warnings(b, STR("{\"list\":[]}"), &e), -EBADMSG);
    for (size_t i = 0; i < COUNT(content); i++)
        assert_int_equal(ioc_build_add(b, &(struct ioc){ .type = content[i].type, .value = str_c(content[i].value), .source = str_c(content[i].source), .until = content[i].until,
                                                         .confidence = (uint8_t)i, .tlp = IOC_TLP_AMBER, .id = STR("id"), .note = STR("a note") }, &e), 0);
    assert_int_equal(ioc_build_write(b, at("set"), &count, &e), 0);
    assert_int_equal(count, COUNT(content) - 1);
    ioc_build_free(&b);
}

static void what_an_event_says_is_found_however_it_is_written(void **state)
{
    static const struct { const char *name; enum ioc_type type; const char *value; size_t count; const char *first; } rows[] = {
        { "an address of two sources", IOC_IP, "203.0.113.7", 2, "203.0.113.7" },
        { "an address in IPv6 clothes", IOC_IP, "::ffff:203.0.113.7", 2, "203.0.113.7" },
        { "one whose term is over", IOC_IP, "203.0.113.8", 0, "" },
        { "one whose term is not over", IOC_IP, "203.0.113.9", 1, "203.0.113.9" },
        { "the nearest network first", IOC_IP, "198.51.100.9", 2, "198.51.100.0/24" },
        { "the wider one", IOC_IP, "198.51.7.9", 1, "198.51.0.0/16" },
        { "a network of IPv6", IOC_IP, "2001:db8:1::1", 1, "2001:db8::/32" },
        { "no address", IOC_IP, "host", 0, "" },
        { "a name", IOC_DOMAIN, "Evil.Example.", 1, "evil.example" },
        { "a name below it", IOC_DOMAIN, "www.deep.evil.example", 2, "deep.evil.example" },
        { "a name that only ends so", IOC_DOMAIN, "notevil.example", 0, "" },
        { "a URL", IOC_URL, "HTTP://Bad.example/x", 1, "http://bad.example/x" },
        { "another path", IOC_URL, "http://bad.example/y", 0, "" },
        { "a URL of a host that is there", IOC_URL, "https://u@www.evil.example:8443/x", 1, "evil.example" },
        { "a URL of an address", IOC_URL, "http://203.0.113.9/x", 1, "203.0.113.9" },
        { "a URL of a host that is written in full", IOC_URL, "http://www.evil.example./x", 1, "evil.example" },
        { "a URL with the port that it has anyway", IOC_URL, "http://bad.example:80/x", 1, "http://bad.example/x" },
        { "a URL without a path, as a browser writes it", IOC_URL, "https://root.example/", 1, "https://root.example" },
        { "another port", IOC_URL, "http://bad.example:443/x", 0, "" },
        { "a hash", IOC_HASH, "D41D8CD98F00B204E9800998ECF8427E", 1, "d41d8cd98f00b204e9800998ecf8427e" },
        { "a mailbox", IOC_EMAIL, "Spam@mail.example", 1, "spam@mail.example" },
        { "a mailbox of a name that is there", IOC_EMAIL, "x@evil.example", 1, "evil.example" },
        { "a mailbox behind a name in quotes", IOC_EMAIL, "\"a@b\"@evil.example", 1, "evil.example" },
        { "what a browser calls itself", IOC_AGENT, "EvilBot/1.0", 1, "EvilBot/1.0" },
        { "a file", IOC_FILE, "C:\\x.exe", 1, "C:\\x.exe" },
        { "the same text of another type", IOC_FILE, "evil.example", 0, "" },
    };
    struct ioc_set *s = NULL;
    struct ioc found[8];
    struct err e;

    (void)state;
    write_set();
    assert_int_equal(ioc_open(at("set"), &s, &e), 0);
    assert_int_equal(ioc_count(s), COUNT(content) - 1);
    for (size_t i = 0; i < COUNT(rows); i++) {
        size_t n = ioc_find(s, rows[i].type, str_c(rows[i].value), NOW, found, COUNT(found));

        CHECK(rows[i].name, n == rows[i].count && (n == 0 || str_eq(found[0].value, str_c(rows[i].first))));
        CHECK(rows[i].name, n == 0 || (str_eq(found[0].note, STR("a note")) && found[0].tlp == IOC_TLP_AMBER && found[0].warning.n == 0));
    }
    assert_int_equal(ioc_find(s, IOC_IP, STR("203.0.113.7"), NOW, found, 1), 1);
    assert_int_equal(ioc_find(s, IOC_IP, STR("8.8.8.8"), NOW, found, 8), 1);
    assert_true(str_eq(found[0].warning, STR("public resolvers")));
    assert_int_equal(ioc_find(s, IOC_DOMAIN, STR("cdn.good.example"), NOW, found, 8), 1);
    assert_true(str_eq(found[0].warning, STR("known names")));
    ioc_close(&s);
}

/* set_of - a set of a few, with a warning list or NULL. */
static struct ioc_set *set_of(const struct ioc *items, size_t n, const char *warnings, size_t want)
{
    struct ioc_build *b = NULL;
    struct ioc_set *s = NULL;
    size_t count = 0;
    struct err e;

    assert_int_equal(ioc_build_new(&b, &e), 0);
    if (warnings)
        assert_int_equal(ioc_build_warnings(b, str_c(warnings), &e), 0);
    for (size_t i = 0; i < n; i++)
        assert_int_equal(ioc_build_add(b, &items[i], &e), 0);
    assert_int_equal(ioc_build_write(b, at("set"), &count, &e), 0);
    assert_int_equal(count, want);
    ioc_build_free(&b);
    assert_int_equal(ioc_open(at("set"), &s, &e), 0);
    return s;
}

/* What a feed of reserved networks says of IPv6 ("::/8") must not be found in each address of IPv4, which is written below ::ffff:0:0 here. */
static void networks_of_ipv6_hold_no_ipv4(void **state)
{
    static const struct ioc items[] = {
        { .type = IOC_NETWORK, .value = STR_INIT("::/8"), .source = STR_INIT("a") },
        { .type = IOC_NETWORK, .value = STR_INIT("203.0.112.0/23"), .source = STR_INIT("a") },
    };
    struct ioc_set *s = set_of(items, COUNT(items), "{\"name\":\"reserved\",\"type\":\"cidr\",\"list\":[\"::/8\"]}", 2);
    struct ioc found[4];

    (void)state;
    assert_int_equal(ioc_find(s, IOC_IP, STR("198.51.100.1"), NOW, found, 4), 0);
    assert_int_equal(ioc_find(s, IOC_IP, STR("203.0.113.7"), NOW, found, 4), 1);
    assert_int_equal(found[0].warning.n, 0);
    assert_int_equal(ioc_find(s, IOC_IP, STR("::2"), NOW, found, 4), 1);
    assert_true(str_eq(found[0].warning, STR("reserved")));
    ioc_close(&s);
}

/* The later of two that are equal counts: a feed that comes again renews terms. */
static void what_comes_again_replaces_what_was(void **state)
{
    struct ioc items[3], found[4];

    (void)state;
    for (uint8_t i = 0; i < COUNT(items); i++)
        items[i] = (struct ioc){ .type = IOC_DOMAIN, .value = STR("evil.example"), .source = STR("a"), .confidence = i };
    struct ioc_set *s = set_of(items, COUNT(items), NULL, 1);

    assert_int_equal(ioc_find(s, IOC_DOMAIN, STR("evil.example"), NOW, found, 4), 1);
    assert_int_equal(found[0].confidence, 2);
    ioc_close(&s);
}

static void an_empty_set_is_a_set(void **state)
{
    struct ioc_set *s = set_of(NULL, 0, NULL, 0);
    struct ioc found[4];
    struct err e;

    (void)state;
    assert_int_equal(ioc_find(s, IOC_IP, STR("203.0.113.7"), NOW, found, 4), 0);
    ioc_close(&s);
    assert_int_equal(ioc_open(at("none"), &s, &e), -ENOENT);
}

/* Each byte that is flipped, and each length, is told: a set that lies would let an attacker through. */
static void a_torn_set_is_refused(void **state)
{
    AUTO_BUF struct buf file = { 0 };
    struct ioc_set *s = NULL;
    struct err e;

    (void)state;
    buf_init(&file, MIB);
    write_set();
    assert_int_equal(file_read(at("set"), MIB / 2, &file, &e), 0);
    for (size_t i = 0; i < file.n; i += 1 + i / 300) {
        file.p[i] ^= 0x41;
        assert_int_equal(file_write_quick(at("torn"), buf_view(&file), &e), 0);
        assert_int_equal(ioc_open(at("torn"), &s, &e), -EBADMSG);
        file.p[i] ^= 0x41;
    }
    for (size_t n = 0; n < file.n; n += 97) {
        assert_int_equal(file_write_quick(at("torn"), str_of(file.p, n), &e), 0);
        assert_int_equal(ioc_open(at("torn"), &s, &e), -EBADMSG);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_an_event_says_is_found_however_it_is_written), cmocka_unit_test(what_comes_again_replaces_what_was),
        cmocka_unit_test(networks_of_ipv6_hold_no_ipv4), cmocka_unit_test(an_empty_set_is_a_set), cmocka_unit_test(a_torn_set_is_refused),
    };

    return cmocka_run_group_tests_name("set", tests, make_folder, remove_folder);
}
