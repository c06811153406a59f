/* test_keeping.c - what the index says of room and terms reaches the administrators, once for each change. */
#include "desk/testing.h"

static int64_t number(struct world *w, const char *sql)
{
    int64_t n = -1;
    struct err e;

    must(db_int(w->desk, &e, 0, &n, sql, ""), &e);
    return n;
}

static void picture(struct world *w, const char *state, const char *terms)
{
    AUTO_BUF struct buf b;
    char path[4096];
    struct err e;

    buf_init(&b, 0);
    must(file_mkdirs(node_path(w->node, "run", path), 0750, &e), &e);
    buf_printf(&b, "{\"terms\":%s,\"space\":{\"state\":\"%s\",\"places\":[{\"name\":\"data\",\"free\":1048576,\"total\":104857600,\"state\":\"%s\"}]}}", terms, state,
               state);
    must(file_write_quick(node_path(w->node, "run/retention.json", path), buf_view(&b), &e), &e);
}

static void tick(struct world *w, time_ns now)
{
    struct err e;

    must(desk_tick(w->desk, now, NULL, &e), &e);
}

static const char usual[] = "{\"days\":1096,\"fast_days\":62,\"longer\":[],\"shorter\":false}";

static void test_a_touched_reserve_is_told_to_the_administrators_once_and_its_end_too(void **state)
{
    struct world *w = *state;
    struct err e;

    must(db_exec(w->desk, &e, "UPDATE user SET email = 'admin@centre.example', language = 'en' WHERE role = 'administrator'", ""), &e);
    tick(w, T0);
    assert_int_equal(number(w, "SELECT count(*) FROM notice WHERE kind = 'storage'"), 0);
    picture(w, "touched", usual);
    for (int i = 0; i < 3; i++)
        tick(w, T0 + i * NS_PER_MINUTE);
    assert_int_equal(number(w, "SELECT count(*) FROM notice WHERE kind = 'storage' AND channel = 'email' AND addressee = 'admin@centre.example'"
                               " AND subject_line LIKE '%is full%' AND body LIKE '%data: 1 / 100 MiB%'"), 1);
    assert_int_equal(number(w, "SELECT count(*) FROM audit WHERE action = 'storage.touched'"), 1);
    desk_reopen(w);
    tick(w, T0 + 5 * NS_PER_MINUTE);
    assert_int_equal(number(w, "SELECT count(*) FROM notice WHERE kind = 'storage'"), 1);
    picture(w, "ok", usual);
    tick(w, T0 + 6 * NS_PER_MINUTE);
    tick(w, T0 + 7 * NS_PER_MINUTE);
    assert_int_equal(number(w, "SELECT count(*) FROM notice WHERE kind = 'storage' AND subject_line LIKE '%room again%'"), 1);
    assert_int_equal(number(w, "SELECT count(*) FROM notice WHERE kind = 'storage'"), 2);
}

static void test_a_broken_picture_tells_nothing(void **state)
{
    struct world *w = *state;
    char path[4096];
    struct err e;
    int64_t before = number(w, "SELECT count(*) FROM audit");

    must(file_write_quick(node_path(w->node, "run/retention.json", path), STR("{\"space\":"), &e), &e);
    tick(w, T0 + 8 * NS_PER_MINUTE);
    assert_int_equal(number(w, "SELECT count(*) FROM audit"), before);
}

static void test_shorter_terms_are_a_row_of_the_trail_with_their_reason(void **state)
{
    struct world *w = *state;

    picture(w, "ok", "{\"days\":30,\"fast_days\":30,\"longer\":[],\"shorter\":true,\"reason\":\"a test stand\",\"decided_by\":\"A. Head\",\"decided_on\":\"2026-03-01\"}");
    tick(w, T0 + 9 * NS_PER_MINUTE);
    tick(w, T0 + 10 * NS_PER_MINUTE);
    assert_int_equal(number(w, "SELECT count(*) FROM audit WHERE action = 'storage.terms_shorter' AND detail LIKE '%days 30%a test stand%A. Head%2026-03-01%'"), 1);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_touched_reserve_is_told_to_the_administrators_once_and_its_end_too),
        cmocka_unit_test(test_a_broken_picture_tells_nothing),
        cmocka_unit_test(test_shorter_terms_are_a_row_of_the_trail_with_their_reason),
    };

    return cmocka_run_group_tests(tests, world_open, world_close);
}
