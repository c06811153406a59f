/* test_schedule.c - lines are taken once, what came of them, and the machine of 7.8 by a table of its own. */
#include "desk/schedule/room.h"
#include "desk/schedule/testing.h"
#include "desk/testing.h"

static void call_begin(struct world *w, struct call *c, struct desk_reply *r)
{
    *r = (struct desk_reply){ 0 };
    desk_call_init(c, w->desk, NULL, T0, r);
    must(db_begin(w->desk, c->e), c->e);
}

static void call_end(struct call *c, struct desk_reply *r)
{
    must(db_end(c->d, 0, c->e), c->e);
    desk_call_free(c);
    desk_reply_free(r);
}

/* By day, each once, documents apart; the state that the survey tells begins the execution. */
static void test_take(void **state)
{
    struct world *w = *state;
    struct plan_line got[4];
    struct desk_reply r;
    struct call c;
    size_t n = 0;
    int64_t main_line = line_planned(w->desk, "state-register", "pentest_auto", "main", 1, "2026-04-06", "2026-04-08", 0), begun = 0;
    int64_t control = line_planned(w->desk, "state-register", "pentest_auto", "control", 1, "2026-06-01", "2026-06-03", main_line);
    int64_t document = line_planned(w->desk, "state-register", "document", "", 1, "2026-03-30", "2026-04-03", 0);

    assert_true(main_line > 0 && control > 0 && document > 0);
    call_begin(w, &c, &r);
    must(schedule_take(&c, false, got, 1, &n), c.e);
    assert_int_equal(n, 1);
    assert_int_equal(got[0].id, main_line);
    assert_true(str_eq(got[0].from_on, STR("2026-04-06")) && str_eq(got[0].kind, STR("main")) && got[0].pair_id == 0);
    must(schedule_take(&c, false, got, 4, &n), c.e);
    assert_int_equal(n, 1);
    assert_int_equal(got[0].pair_id, main_line);
    must(schedule_take(&c, false, got, 4, &n), c.e);
    assert_int_equal(n, 0);
    must(schedule_take(&c, true, got, 4, &n), c.e);
    assert_int_equal(n, 1);
    assert_int_equal(got[0].id, document);
    must(schedule_line_state(&c, main_line, STR("survey"), STR("1"), STR("in_progress"), 0), c.e);
    must(schedule_line_cancelled(&c, control, STR("the object was switched off")), c.e);
    assert_int_equal(schedule_line_state(&c, control, STR("survey"), STR("2"), STR("in_progress"), 0), -ENOENT);
    call_end(&c, &r);
    assert_int_equal(db_int(w->desk, NULL, 0, &begun, "SELECT count(*) FROM plan WHERE state = 'in_execution' AND begun = 1", ""), 0);
    assert_int_equal(begun, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_take, world_open, world_close),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
