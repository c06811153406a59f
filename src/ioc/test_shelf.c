/* test_shelf.c - the folder of indicators: imports, what they replace, names that would lead elsewhere, warning lists that cannot be read. */
#include <stdlib.h>
#include <unistd.h>

#include "base/file.h"
#include "base/test.h"
#include "ioc/shelf.h"

static char data[64];

static int make_folder(void **state)
{
    (void)state;
    snprintf(data, sizeof data, "/tmp/saqshy-shelf-XXXXXX");
    return mkdtemp(data) ? 0 : -1;
}

static int remove_folder(void **state)
{
    static const char *const names[] = { "intel/sources/a", "intel/sources/b", "intel/warnings/odd.json", "intel/sources", "intel/warnings", "intel/set", "intel/lock", "intel", "" };
    char path[200];

    (void)state;
    for (size_t i = 0; i < COUNT(names); i++) {
        snprintf(path, sizeof path, "%s/%s", data, names[i]);
        remove(path);
    }
    return file_exists(data) ? -1 : 0;
}

struct seen {
    int    left_out;
    size_t sources, indicators;
};

static void left_out(void *arg, const char *path, const char *why)
{
    struct seen *s = arg;

    assert_true(strstr(path, "odd.json") && *why);
    s->left_out++;
}

static int count_source(void *arg, const struct ioc_source *s, int rc, struct err *e)
{
    struct seen *seen = arg;

    (void)e;
    assert_int_equal(rc, 0);
    assert_true(s->bytes > 0 && s->changed > 0);
    seen->sources++;
    seen->indicators += s->count;
    return 0;
}

static int import(const char *source, bool add, const char *text, struct seen *seen, size_t *own, size_t *all)
{
    const struct ioc usual = { .type = IOC_TYPES, .confidence = IOC_CONFIDENCE_NONE };
    struct ioc_taking *t = NULL;
    struct ioc_told told;
    struct err e;
    int rc = ioc_taking_begin(data, str_c(source), add, &t, &e);

    if (rc == 0)
        rc = ioc_taking_file(t, str_c(text), &usual, &told, &e);
    if (rc == 0)
        rc = ioc_taking_end(&t, left_out, seen, own, all, &e);
    ioc_taking_drop(&t);
    return rc;
}

static size_t found(const char *value)
{
    struct ioc_set *s = NULL;
    struct ioc out[4];
    struct err e;
    size_t n;

    assert_int_equal(ioc_shelf_open(data, &s, &e), 0);
    n = ioc_check(s, str_c(value), clock_now(), out, COUNT(out));
    ioc_close(&s);
    return n;
}

static void test_imports(void **state)
{
    struct seen seen = { 0 };
    size_t own = 0, all = 0;
    struct err e;

    (void)state;
    assert_int_equal(ioc_shelf_sources(data, count_source, &seen, &e), 0);
    assert_int_equal(seen.sources, 0);
    assert_int_equal(import("a", false, "203.0.113.7\nevil.example\n", &seen, &own, &all), 0);
    assert_int_equal(own, 2);
    assert_int_equal(import("b", false, "203.0.113.7\n198.51.100.9\n", &seen, &own, &all), 0);
    assert_int_equal(all, 4);
    assert_int_equal(found("203.0.113.7"), 2);
    /* Beside what it said, and in its place. */
    assert_int_equal(import("a", true, "more.example\n", &seen, &own, &all), 0);
    assert_int_equal(own, 3);
    assert_int_equal(import("a", false, "only.example\n", &seen, &own, &all), 0);
    assert_int_equal(own, 1);
    assert_int_equal(found("evil.example"), 0);
    /* Words that are no list leave the source as it was. */
    assert_int_equal(import("a", false, "these are some words\nand some more\n", &seen, &own, &all), -EBADMSG);
    assert_int_equal(found("https://only.example/x"), 1);
    assert_int_equal(ioc_shelf_sources(data, count_source, &seen, &e), 0);
    assert_int_equal(seen.sources, 2);
    assert_int_equal(seen.indicators, 3);
    assert_int_equal(ioc_shelf_remove(data, STR("b"), left_out, &seen, &all, &e), 0);
    assert_int_equal(all, 1);
    assert_int_equal(ioc_shelf_remove(data, STR("b"), left_out, &seen, &all, &e), -ENOENT);
    assert_int_equal(seen.left_out, 0);
}

static void test_names(void **state)
{
    static const char *const bad[] = { "", ".", "..", ".hidden", "a/b", "../set", "a b", "feed.tmp", ".tmp", "kk\xd3\x99", "0123456789012345678901234567890123456789012345678901234567890123x" };
    size_t own, all;
    struct err e;

    (void)state;
    for (size_t i = 0; i < COUNT(bad); i++) {
        CHECK(bad[i], !ioc_source_valid(str_c(bad[i])));
        CHECK(bad[i], import(bad[i], false, "203.0.113.7\n", NULL, &own, &all) == -EINVAL);
        CHECK(bad[i], ioc_shelf_remove(data, str_c(bad[i]), NULL, NULL, &all, &e) == -ENOENT);
    }
    assert_true(ioc_source_valid(STR("kz-cert_2.feed")));
}

static void test_warning_list(void **state)
{
    struct seen seen = { 0 };
    char path[200];
    size_t all = 0;
    struct err e;

    (void)state;
    snprintf(path, sizeof path, "%s/intel/warnings/odd.json", data);
    assert_int_equal(file_write_atomic(path, STR("{ not a list"), 0640, &e), 0);
    assert_int_equal(ioc_shelf_rebuild(data, left_out, &seen, &all, &e), 0);
    assert_int_equal(seen.left_out, 1);
    assert_int_equal(all, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_imports),
        cmocka_unit_test(test_names),
        cmocka_unit_test(test_warning_list),
    };

    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
