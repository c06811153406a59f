/* test_exception.c - exceptions: in force, expired, of some objects alone, taken as they stand; and the preview of what one would have removed. */
#include "base/file.h"
#include "detect/exception.h"
#include "detect/test_place.h"

static const char one_rule[] = "title: one\nid: one\nlevel: high\nlogsource: {}\ndetection: {s: {kind: fail}, condition: s}\n";

static void an_exception_excepts_until_it_expires_and_for_its_objects(void **state)
{
    static const struct row rows[] = {
        { 0, "a", "fail", "obj-1" }, { 1, "a", "fail", "obj-2" }, { 2, "b", "fail", "obj-1" }, { 100, "a", "fail", "obj-1" },
    };
    struct exception x = { .rule = STR("one"), .author = STR("Aidana"), .reason = STR("a scanner of ours"), .expires = (T0 + 50) * NS_PER_SECOND, .object = STR("obj-1") };
    AUTO_BUF struct buf text_of, told;
    char folder[128], path[4096], id[EXCEPTION_ID_MAX];
    struct place p;
    struct err e;

    (void)state;
    buf_init(&text_of, 0);
    buf_init(&told, 0);
    place_make(&p);
    write_rule(&p, "r.yml", one_rule);
    const char *paths[] = { p.rules };
    struct sigma *set = NULL;
    assert_int_equal(sigma_load(paths, 1, &set, &e), 0);
    x.where[x.where_count++] = (struct exception_where){ STR("user"), STR("a") };
    assert_int_equal(exception_text(set, &x, &text_of, id, &e), 0);
    snprintf(folder, sizeof folder, "%s/exceptions", p.rules);
    assert_int_equal(exception_write(folder, id, buf_view(&text_of), path, &e), 0);
    assert_int_equal(exception_write(folder, id, buf_view(&text_of), path, &e), -EEXIST);
    sigma_free(&set);
    put_rows(&p, rows, COUNT(rows));
    run_to_end(&p);
    json_t *f = findings_of(&p, "one");
    assert_int_equal(json_array_size(f), 3);   /* not the first: another object; another user; when it had expired */
    assert_string_equal(told_text(f, 0, "event.original"), "line 1");
    assert_string_equal(told_text(f, 1, "event.original"), "line 2");
    assert_string_equal(told_text(f, 2, "event.original"), "line 100");
    json_decref(f);
    assert_int_equal(sigma_load(paths, 1, &set, &e), 0);
    assert_int_equal(sigma_exception_count(set), 1);
    assert_true(sigma_expires_next(set, T0 * NS_PER_SECOND) == x.expires);
    assert_true(sigma_expires_next(set, x.expires) == 0);
    exceptions_json(set, x.expires, &told);
    assert_true(str_find(buf_view(&told), STR("\"state\":\"expired\",\"objects\":[\"obj-1\"],\"rules\":[\"one\"]")) > 0);
    assert_true(str_find(buf_view(&told), STR("\"author\":\"Aidana\",\"reason\":\"a scanner of ours\"")) > 0);
    sigma_free(&set);
    place_remove(&p);
}

static void what_is_excepted_is_taken_as_it_stands(void **state)
{
    static const struct { const char *name, *field, *value, *user; bool excepted; } cases[] = {
        { "a backslash and a star are themselves", "user", "DOM\\adm*", "DOM\\adm*", true },
        { "a star is no wildcard", "user", "adm*", "admin", false },
        { "a question mark is no wildcard", "user", "a?", "ab", false },
        { "quotes", "user", "O'Neil \"x\" #1: {y}", "O'Neil \"x\" #1: {y}", true },
        { "Kazakh letters, in any case", "user", "Қайрат", "қайрат", true },
        { "a modifier", "user|startswith", "svc_", "svc_backup", true },
        { "a regular expression is one", "user|re", "^svc_.*\\d$", "svc_7", true },
        { "two backslashes at the end", "user", "a\\\\", "a\\\\", true },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        const struct row row = { 0, cases[i].user, "fail", NULL };
        struct exception x = { .rule = STR("one"), .author = STR("A"), .reason = STR("r"), .expires = (T0 + 50) * NS_PER_SECOND, .where_count = 1 };
        AUTO_BUF struct buf file;
        char folder[128], path[4096], id[EXCEPTION_ID_MAX];
        struct sigma *set = NULL;
        struct place p;
        struct err e;

        buf_init(&file, 0);
        place_make(&p);
        write_rule(&p, "r.yml", one_rule);
        const char *paths[] = { p.rules };
        assert_int_equal(sigma_load(paths, 1, &set, &e), 0);
        x.where[0] = (struct exception_where){ str_c(cases[i].field), str_c(cases[i].value) };
        if (exception_text(set, &x, &file, id, &e) < 0)
            fail_msg("%s: %s", cases[i].name, e.text);
        sigma_free(&set);
        snprintf(folder, sizeof folder, "%s/exceptions", p.rules);
        assert_int_equal(exception_write(folder, id, buf_view(&file), path, &e), 0);
        put_rows(&p, &row, 1);
        run_to_end(&p);
        json_t *f = findings_of(&p, "one");
        CHECK(cases[i].name, (json_array_size(f) == 0) == cases[i].excepted);
        json_decref(f);
        place_remove(&p);
    }
}

static void what_cannot_be_excepted_is_said(void **state)
{
    static const char rules[] = "title: one\nid: one\nlogsource: {}\ndetection: {s: {kind: fail}, condition: s}\n---\n"
                                "title: c\nid: c\ncorrelation: {type: event_count, rules: one, timespan: 1m, condition: {gte: 2}}\n";
    const struct { const char *name; struct exception x; int rc; const char *told; } rows[] = {
        { "no such rule", { .rule = STR("two"), .author = STR("A"), .reason = STR("r"), .expires = 1, .where_count = 1 }, -ENOENT, "no rule \"two\"" },
        { "a correlation", { .rule = STR("c"), .author = STR("A"), .reason = STR("r"), .expires = 1, .where_count = 1 }, -EINVAL, "is a correlation" },
        { "no reason", { .rule = STR("one"), .author = STR("A"), .expires = 1, .where_count = 1 }, -EINVAL, "the reason is missing" },
        { "no author", { .rule = STR("one"), .reason = STR("r"), .expires = 1, .where_count = 1 }, -EINVAL, "the author is missing" },
        { "no expiry", { .rule = STR("one"), .author = STR("A"), .reason = STR("r"), .where_count = 1 }, -EINVAL, "expires is missing" },
        { "nothing", { .rule = STR("one"), .author = STR("A"), .reason = STR("r"), .expires = 1 }, -EINVAL, "is missing: from 1" },
        { "two lines", { .rule = STR("one"), .author = STR("A"), .reason = STR("r\nid: x"), .expires = 1, .where_count = 1 }, -EINVAL, "one line" },
    };
    const struct sigma_source src = { STR("r.yml"), str_c(rules) };
    struct sigma *set = NULL;
    struct err e;

    (void)state;
    assert_int_equal(sigma_compile(&src, 1, &set, &e), 0);
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct exception x = rows[i].x;
        AUTO_BUF struct buf out;
        char id[EXCEPTION_ID_MAX];

        buf_init(&out, 0);
        x.where[0] = (struct exception_where){ STR("user"), STR("a") };
        CHECK(rows[i].name, exception_text(set, &x, &out, id, &e) == rows[i].rc);
        CHECK(rows[i].name, strstr(e.text, rows[i].told) != NULL);
    }
    struct exception bad = { .rule = STR("one"), .author = STR("A"), .reason = STR("r"), .expires = 1, .where_count = 1 };
    AUTO_BUF struct buf out;
    char id[EXCEPTION_ID_MAX];
    buf_init(&out, 0);
    bad.where[0] = (struct exception_where){ STR("user|contians"), STR("a") };
    assert_int_equal(exception_text(set, &bad, &out, id, &e), -EINVAL);
    assert_non_null(strstr(e.text, "no modifier \"contians\""));
    static const char *const all_of_it[] = { "user|contains", "user|startswith", "user|endswith", "user|contains|all", "user|re", "user|re|i" };
    for (size_t i = 0; i < COUNT(all_of_it); i++) {   /* an empty part is in every value: all would be excepted */
        bad.where[0] = (struct exception_where){ str_c(all_of_it[i]), STR("") };
        CHECK(all_of_it[i], exception_text(set, &bad, &out, id, &e) == -EINVAL && strstr(e.text, "stands in every value"));
    }
    bad.where[0] = (struct exception_where){ STR("user"), STR("") };
    buf_reset(&out);
    assert_int_equal(exception_text(set, &bad, &out, id, &e), 0);
    sigma_free(&set);
}

struct removed { unsigned count; uint64_t seq; };
static int hear(void *arg, const struct event *f)
{
    struct removed *r = arg;

    r->count++;
    r->seq = f->seq;
    return 0;
}

static void the_preview_says_what_would_have_gone(void **state)
{
    static const struct row rows[] = {
        { 0, "a", "fail", "obj-1" }, { 1, "a", "fail", "obj-1" }, { 2, "b", "fail", "obj-1" }, { 3, "a", "fail", "obj-2" }, { 100, "x", "ok", NULL },
    };
    struct exception x = { .rule = STR("one"), .where_count = 1, .where = { { STR_INIT("user"), STR_INIT("a") } } };
    char content[4096];
    struct exception_preview out;
    struct removed r = { 0 };
    struct place p;
    struct err e;

    (void)state;
    snprintf(content, sizeof content, "%s/content", getenv("SAQSHY_SOURCE"));
    place_make(&p);
    policy_write(&p, "1h", "1m", 60, "medium");
    write_rule(&p, "r.yml", one_rule);
    put_rows(&p, rows, COUNT(rows));
    run_to_end(&p);
    const char *paths[] = { p.rules };
    const struct exception_places where = { p.findings, content, paths, 1, 0 };
    assert_int_equal(exception_preview(&where, &x, hear, &r, &out, &e), 0);
    assert_int_equal(out.findings, 4);   /* a, b, a of obj-2, and the update of the first */
    assert_int_equal(out.hits, 4);
    assert_int_equal(out.removed, 3);
    assert_int_equal(out.removed_hits, 3);
    assert_int_equal(out.unknown, 0);
    assert_int_equal(r.count, 3);
    assert_true(out.complete && out.until >= out.since);
    const struct exception_places hurried = { p.findings, content, paths, 1, 1 };
    assert_int_equal(exception_preview(&hurried, &x, NULL, NULL, &out, &e), 0);   /* out of time: what was looked at so far, one at least */
    assert_true(!out.complete && out.until);
    assert_int_equal(out.findings, 1);
    x.object = STR("obj-2");
    assert_int_equal(exception_preview(&where, &x, NULL, NULL, &out, &e), 0);
    assert_int_equal(out.findings, 1);
    assert_int_equal(out.removed, 1);
    x.rule = STR("two");
    assert_int_equal(exception_preview(&where, &x, NULL, NULL, &out, &e), -ENOENT);
    place_remove(&p);
}

static void an_exception_as_wide_as_anything_is_told(void **state)
{
    static const struct { const char *field, *value, *also, *also_value; int wide; } rows[] = {
        { "user", "a", NULL, NULL, 0 },
        { "user|re", ".*", NULL, NULL, 1 },
        { "user|re", "^.+$", NULL, NULL, 1 },
        { "user|re|i", "", NULL, NULL, 1 },
        { "user|re", "[a-z0-9]*", NULL, NULL, 1 },
        { "user|re", "^[a-z]+$", NULL, NULL, 0 },
        { "user|re", "^svc_.*", NULL, NULL, 0 },
        { "source.ip|cidr", "0.0.0.0/0", NULL, NULL, 1 },
        { "source.ip|cidr", "10.0.0.0/8", NULL, NULL, 0 },
        { "bytes|gte", "-1000000", NULL, NULL, 1 },
        { "bytes|gte", "1", NULL, NULL, 0 },
        { "user|contains", "a", NULL, NULL, 0 },
        { "user", "*", NULL, NULL, 0 },                                   /* the letter itself */
        { "user|re", ".*", "host|re", ".*", 1 },
        { "user|re", ".*", "host", "srv1", 0 },                           /* both must hold */
        { "user|re", ".*", "user|re", "^a$", 1 },                         /* any of them */
        { "user|re", "^a$", "user|re", "^(?!a$).*", 1 },                  /* together all */
    };
    struct err e;

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct exception x = { .where_count = rows[i].also ? 2 : 1, .where = { { str_c(rows[i].field), str_c(rows[i].value) }, { str_c(rows[i].also), str_c(rows[i].also_value) } } };

        CHECK(rows[i].value, exception_wide(&x, &e) == rows[i].wide);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_exception_excepts_until_it_expires_and_for_its_objects),
        cmocka_unit_test(what_is_excepted_is_taken_as_it_stands),
        cmocka_unit_test(what_cannot_be_excepted_is_said),
        cmocka_unit_test(an_exception_as_wide_as_anything_is_told),
        cmocka_unit_test(the_preview_says_what_would_have_gone),
    };

    return cmocka_run_group_tests_name("exceptions", tests, NULL, NULL);
}
