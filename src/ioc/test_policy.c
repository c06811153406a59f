/* test_policy.c - content/ioc/indicators.yaml: what is shipped is read, what is wrong tells its line. */
#include <unistd.h>

#include "base/file.h"
#include "base/test.h"
#include "ioc/policy.h"

static void what_is_shipped_is_read(void **state)
{
    const char *source = getenv("SAQSHY_SOURCE");
    struct ioc_policy *p = NULL;
    char path[4096];
    struct err e = { 0 };

    (void)state;
    snprintf(path, sizeof path, "%s/content/ioc/indicators.yaml", source ? source : ".");
    if (ioc_policy_load(path, &p, &e) < 0)
        fail_msg("%s", e.text);
    assert_int_equal(ioc_policy_means(p, STR("source.ip")), IOC_IP);
    assert_int_equal(ioc_policy_means(p, STR("dns.question.name")), IOC_DOMAIN);
    assert_int_equal(ioc_policy_means(p, STR("host.ip")), IOC_TYPES);
    assert_int_equal(ioc_policy_means(p, STR("")), IOC_TYPES);
    assert_true(ioc_policy_silent(p, IOC_FILE) && !ioc_policy_silent(p, IOC_IP));
    assert_string_equal(ioc_policy_level(p, 90), "high");
    assert_string_equal(ioc_policy_level(p, 30), "medium");
    assert_string_equal(ioc_policy_level(p, 1), "low");
    assert_string_equal(ioc_policy_level(p, 0), "informational");
    assert_string_equal(ioc_policy_level(p, IOC_CONFIDENCE_NONE), "medium");
    ioc_policy_free(&p);
}

static void what_is_wrong_tells_its_line(void **state)
{
    static const char levels[] = "levels: {high: 70, medium: 30, low: 1}\n";
    static const struct { const char *name, *text, *want; } rows[] = {
        { "no type", "means:\n  port: [a]\n", ":3:3: \"port\" is no type" },
        { "no list", "means:\n  ip: source.ip\n", ":3:7: a list of fields" },
        { "twice", "means:\n  ip: [a]\n  url: [a]\n", ":4:9: the field \"a\" stands here already" },
        { "a stray key", "means: {}\ntitle: x\n", ":3:1:" },
        { "no type to be silent of", "means: {}\nsilent: [port]\n", ":3:10: the name of a type" },
        { "no means", "", ":1:1: \"means\" wants a map" },
    };
    char path[] = "/tmp/saqshy-ioc-policy-XXXXXX";
    int fd = mkstemp(path);

    (void)state;
    assert_true(fd >= 0);
    close(fd);
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct ioc_policy *p = NULL;
        char text[512];
        struct err e = { 0 };

        snprintf(text, sizeof text, "%s%s", levels, rows[i].text);
        assert_int_equal(file_write_quick(path, str_c(text), &e), 0);
        CHECK(rows[i].name, ioc_policy_load(path, &p, &e) == -EBADMSG && p == NULL);
        if (!strstr(e.text, rows[i].want))
            fail_msg("row \"%s\": %s", rows[i].name, e.text);
    }
    struct ioc_policy *p = NULL;
    struct err e = { 0 };

    assert_int_equal(file_write_quick(path, STR("levels: {high: 30, medium: 70, low: 1}\nmeans: {}\n"), &e), 0);
    assert_int_equal(ioc_policy_load(path, &p, &e), -EBADMSG);
    remove(path);
}

static void a_field_may_hold_several_values(void **state)
{
    static const struct { const char *name; enum ioc_type type; const char *value, *want; } rows[] = {
        { "as Sysmon writes hashes", IOC_HASH, "MD5=aa,SHA256=bb", "aa bb " }, { "one hash", IOC_HASH, "aa", "aa " }, { "a URL with commas", IOC_URL, "http://x/a,b=c", "http://x/a,b=c " },
        { "nothing", IOC_IP, "", "" },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct str rest = str_c(rows[i].value), one;
        AUTO_BUF struct buf got = { 0 };

        buf_init(&got, KIB);
        while (ioc_value_next(rows[i].type, &rest, &one))
            buf_printf(&got, "%.*s ", STR_ARG(one));
        CHECK(rows[i].name, str_eq(buf_view(&got), str_c(rows[i].want)));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(what_is_shipped_is_read), cmocka_unit_test(what_is_wrong_tells_its_line),
                                         cmocka_unit_test(a_field_may_hold_several_values) };

    return cmocka_run_group_tests_name("policy", tests, NULL, NULL);
}
