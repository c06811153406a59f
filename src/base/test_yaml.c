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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_tree_keeps_places),
        cmocka_unit_test(hostile_files_are_refused),
    };

    return cmocka_run_group_tests_name("yaml", tests, NULL, NULL);
}
