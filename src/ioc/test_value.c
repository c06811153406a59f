/* test_value.c - indicators as text: one way of writing, what is no indicator of its type, addresses of one's own, networks, hosts. */
#include "base/test.h"
#include "ioc/ioc.h"

static const struct { const char *name, *type, *in, *want; } indicators[] = {
    { "an address", "ip", "203.0.113.7", "203.0.113.7" },
    { "blanks around it", "ip", " 203.0.113.7\t", "203.0.113.7" },
    { "IPv6 is written one way", "ip", "2001:DB8:0:0::1", "2001:db8::1" },
    { "an IPv4 address in IPv6 clothes", "ip", "::ffff:203.0.113.7", "203.0.113.7" },
    { "a defanged address", "ip", "203[.]0[.]113[.]7", "203.0.113.7" },
    { "no address", "ip", "203.0.113", NULL },
    { "a domain", "domain", "Evil.Example.", "evil.example" },
    { "a defanged domain", "domain", "evil[.]example", "evil.example" },
    { "no domain has a path", "domain", "evil.example/x", NULL },
    { "a name without a dot", "domain", "localhost", NULL },
    { "a URL: scheme and host are small, the path is not touched", "url", "HTTP://Evil.Example/Path?Q=1", "http://evil.example/Path?Q=1" },
    { "a defanged URL", "url", "hxxps://evil[.]example/a", "https://evil.example/a" },
    { "no URL", "url", "evil.example", NULL },
    { "a URL without a host", "url", "http:///x", NULL },
    { "MD5", "hash", "D41D8CD98F00B204E9800998ECF8427E", "d41d8cd98f00b204e9800998ecf8427e" },
    { "a hash of an odd length", "hash", "d41d8cd98f", NULL },
    { "a mailbox", "email", "Bad@Evil.Example", "bad@evil.example" },
    { "no mailbox", "email", "@x", NULL },
    { "a path keeps its letters", "file", "C:\\Temp\\X.exe", "C:\\Temp\\X.exe" },
    { "nothing", "other", "  ", NULL },
};

static void an_indicator_is_written_one_way(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(indicators); i++) {
        size_t n = strlen(indicators[i].in);
        char *exact = malloc(n ? n : 1);   /* of just that size: the sanitizer guards its end */
        AUTO_BUF struct buf b = { 0 };

        memcpy(exact, indicators[i].in, n);
        buf_init(&b, 8 * KIB);
        bool ok = ioc_normal(ioc_type_parse(str_c(indicators[i].type)), str_of(exact, n), &b);
        CHECK(indicators[i].name, ok == (indicators[i].want != NULL));
        CHECK(indicators[i].name, !ok || str_eq(buf_view(&b), str_c(indicators[i].want)));
        free(exact);
    }
}

static void an_own_address_is_told_from_a_foreign_one(void **state)
{
    static const struct { const char *ip; bool own; } rows[] = {
        { "10.1.2.3", true }, { "172.16.0.1", true }, { "172.32.0.1", false }, { "192.168.1.1", true }, { "127.0.0.1", true }, { "169.254.1.1", true },
        { "100.64.0.1", true }, { "224.0.0.1", true }, { "203.0.113.7", false }, { "::1", true }, { "fe80::1", true }, { "fd00::1", true },
        { "2001:db8::1", false }, { "::ffff:10.0.0.1", true }, { "evil.example", false },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++)
        CHECK(rows[i].ip, ioc_private(str_c(rows[i].ip)) == rows[i].own);
}

static void networks_and_hosts_are_read(void **state)
{
    static const struct { const char *in, *want; } networks[] = {
        { "192.0.2.0/24", "192.0.2.0/24" }, { "2001:DB8:0::/32", "2001:db8::/32" }, { "192.0.2.1/24", NULL }, { "192.0.2.0/33", NULL }, { "192.0.2.0", NULL },
        { "0.0.0.0/0", "0.0.0.0/0" }, { "::/0", "::/0" }, { "192.0.2.7/32", "192.0.2.7/32" }, { "/24", NULL }, { "192.0.2.0/", NULL }, { "192.0.2.0/-1", NULL },
    };
    static const struct { const char *url, *host; } hosts[] = {
        { "http://evil.example/a", "evil.example" }, { "https://user:pw@evil.example:8443/a?b#c", "evil.example" }, { "http://[2001:db8::1]:80/", "2001:db8::1" },
        { "ftp://192.0.2.7", "192.0.2.7" }, { "no url", "" }, { "http://[2001:db8::1", "" }, { "http://a?x@y", "a" },
    };
    static const struct { const char *in; enum ioc_type type; } looks[] = {
        { "192.0.2.7", IOC_IP }, { "192.0.2.0/24", IOC_NETWORK }, { "hxxp://evil[.]example/x", IOC_URL }, { "D41D8CD98F00B204E9800998ECF8427E", IOC_HASH },
        { "bad@evil.example", IOC_EMAIL }, { "evil.example", IOC_DOMAIN }, { "Mozilla/5.0 (X11)", IOC_TYPES }, { "", IOC_TYPES },
    };
    AUTO_BUF struct buf b = { 0 };

    (void)state;
    buf_init(&b, 8 * KIB);
    for (size_t i = 0; i < COUNT(networks); i++) {
        buf_reset(&b);
        bool ok = ioc_normal(IOC_NETWORK, str_c(networks[i].in), &b);
        CHECK(networks[i].in, ok == (networks[i].want != NULL) && (!ok || str_eq(buf_view(&b), str_c(networks[i].want))));
    }
    for (size_t i = 0; i < COUNT(hosts); i++)
        CHECK(hosts[i].url, str_eq(ioc_url_host(str_c(hosts[i].url)), str_c(hosts[i].host)));
    for (size_t i = 0; i < COUNT(looks); i++)
        CHECK(looks[i].in, ioc_guess(str_c(looks[i].in)) == looks[i].type);
    for (enum ioc_type t = 0; t < IOC_TYPES; t++)
        assert_int_equal(ioc_type_parse(str_c(ioc_type_name(t))), t);
    assert_int_equal(ioc_type_parse(STR("port")), IOC_TYPES);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        { .name = "R-A2-09 an indicator is written one way, however it came", .test_func = an_indicator_is_written_one_way },
        { .name = "R-A2-09 an address of one's own is told from a foreign one", .test_func = an_own_address_is_told_from_a_foreign_one },
        cmocka_unit_test(networks_and_hosts_are_read),
    };

    return cmocka_run_group_tests_name("value", tests, NULL, NULL);
}
