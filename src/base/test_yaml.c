/* test_yaml.c - trees, places and refusals of YAML. */
#include "base/yaml.h"
#include "base/test.h"

static void a_tree_keeps_places(void **state)
{
    struct yaml *y;
    struct err e;
    bool flag = false;
    int64_t n = 0;

    (void)state;
    assert_int_equal(yaml_load(STR("id: D-05\nlist:\n  - a\n  - 'b'\non: true\nn: 7\n---\nid: two\n"), "x.yaml", &y, &e), 0);
    assert_int_equal(y->doc_count, 2);
    assert_true(str_eq(yaml_text(y->docs[0], "id"), STR("D-05")));
    const struct ynode *list = yaml_get(y->docs[0], "list");
    assert_int_equal(list->count, 2);
    assert_int_equal(list->first->next->line, 4);
    assert_false(list->first->next->plain);
    assert_int_equal(yaml_bool(y, y->docs[0], "on", &flag, &e), 0);
    assert_true(flag);
    assert_int_equal(yaml_int(y, y->docs[0], "n", &n, &e), 0);
    assert_int_equal(yaml_int(y, y->docs[0], "absent", &n, &e), 1);
    assert_int_equal(yaml_int(y, y->docs[0], "id", &n, &e), -EBADMSG);
    assert_non_null(strstr(e.text, "x.yaml:1:5"));
    yaml_free(&y);
}

static void hostile_files_are_refused(void **state)
{
    static char deep[4096];
    struct yaml *y;
    struct err e;

    (void)state;
    memset(deep, '[', sizeof deep - 1);
    assert_true(yaml_load(str_c(deep), "deep", &y, &e) < 0 && y == NULL);
    assert_true(yaml_load(STR("a: &x [1]\nb: *x\n"), "alias", &y, &e) < 0);
    assert_true(yaml_load(STR("a: \xff\n"), "latin", &y, &e) < 0);
    assert_true(yaml_load(STR("? [a, b]\n: c\n"), "key", &y, &e) < 0);
    assert_true(yaml_load(STR("a: 1\n\tb: 2\n"), "tab", &y, &e) < 0);
}

/* libfyaml 0.7.12 loses the end of a text in which two doubled quotes touch: a rule would look for something else, silently. */
static void quotes_within_quotes_are_kept(void **state)
{
    static const struct { const char *name, *file, *want; } rows[] = {
        { "one", "a: 'it''s'\n", "it's" },
        { "two that touch", "a: 'x '''' y'\n", "x '' y" },
        { "three", "a: 'x '''''' y'\n", "x ''' y" },
        { "nothing else", "a: ''''''\n", "''" },
        { "one alone", "a: ''''\n", "'" },
        { "nothing", "a: ''\n", "" },
        { "at the ends", "a: '''x'''\n", "'x'" },
        { "in a list", "a: ['1 = ''''', b]\n", "1 = ''" },
        { "over lines", "a: 'one ''''  \n   two\n\n\n  \t three''s'\n", "one '' two\n\nthree's" },
        { "lines that end in CR LF", "a: 'one''s\r\n  two\r\n\r\n  three'\r\n", "one's two\nthree" },
        { "with letters of two bytes before", "# \xd2\x9b\xd1\x8b\na: '\xd2\x9b '''' \xd1\x8b'\n", "\xd2\x9b '' \xd1\x8b" },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct yaml *y = NULL;
        struct err e;

        CHECK(rows[i].name, yaml_load(str_c(rows[i].file), "q.yaml", &y, &e) == 0);
        const struct ynode *v = yaml_get(y->docs[0], "a");
        CHECK(rows[i].name, v && str_eq(v->kind == YNODE_SEQ ? v->first->text : v->text, str_c(rows[i].want)));
        yaml_free(&y);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_tree_keeps_places),
        cmocka_unit_test(hostile_files_are_refused),
        cmocka_unit_test(quotes_within_quotes_are_kept),
    };

    return cmocka_run_group_tests_name("yaml", tests, NULL, NULL);
}
