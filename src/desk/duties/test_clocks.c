/* test_clocks.c - what runs, by page, as the portal's first page asks for it. */
#include "desk/duties/duties.h"
#include "desk/testing.h"

/* The clocks too: the pages together are the whole, in its order, and a strange cursor is named. */
static void the_clocks_come_by_page(void **state)
{
    static const char *const ids[] = { "D-05", "D-06", "D-11", "D-16", "D-22" };
    struct world *w = *state;
    struct desk_reply whole = { 0 }, r = { 0 };
    char cursor[80] = "";
    json_t *all = json_array();
    size_t pages = 0;

    struct subject s = { .kind = "object", .id = STR("state-register"), .object_id = STR("state-register"), .org_id = str_c(w->registry.org_id) };
    struct call c;

    desk_call_init(&c, w->desk, &w->analyst, T0, &r);
    must(db_begin(w->desk, c.e), c.e);
    for (size_t i = 0; i < COUNT(ids); i++)
        must(duties_begin(&c, &s, ids[i], (struct duty_start){ .at = T0 }, NULL), c.e);
    must(db_end(w->desk, 0, c.e), c.e);
    desk_call_free(&c);
    must(desk_clocks(w->desk, &w->analyst, 0, STR(""), T0, &whole), &whole.err);
    assert_true(json_is_null(json_object_get(whole.json, "next")));
    do {
        must(desk_clocks(w->desk, &w->analyst, 2, str_c(cursor), T0, &r), &r.err);
        json_array_extend(all, json_object_get(r.json, "items"));
        const char *next = json_string_value(json_object_get(r.json, "next"));
        snprintf(cursor, sizeof cursor, "%s", next ? next : "");
        desk_reply_free(&r);
        r = (struct desk_reply){ 0 };
    } while (cursor[0] && ++pages < 10);
    assert_int_equal(pages, 2);
    assert_true(json_equal(all, json_object_get(whole.json, "items")));
    assert_int_equal(desk_clocks(w->desk, &w->analyst, 2, STR("x.y"), T0, &r), -EINVAL);
    assert_string_equal(r.field, "before");
    desk_reply_free(&r);
    desk_reply_free(&whole);
    json_decref(all);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        { .name = "the clocks come by page, none lost", .test_func = the_clocks_come_by_page, .setup_func = world_open, .teardown_func = world_close },
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
