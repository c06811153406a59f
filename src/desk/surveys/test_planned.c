/* test_planned.c - lines of the agreed schedule become surveys, once; an amendment moves or calls off what has not begun; a line that the tables refuse
 * holds up nothing behind it. */
#include "desk/schedule/testing.h"
#include "desk/surveys/room.h"
#include "desk/testing.h"

#define OBJECT "state-register"

static int64_t number_of(struct world *w, const char *sql)
{
    int64_t n = -1;
    struct err e;

    must(db_int(w->desk, &e, -1, &n, sql, ""), &e);
    return n;
}
static void ticked(struct world *w, time_ns now)
{
    struct err e;

    must(desk_tick(w->desk, now, NULL, &e), &e);
}

/* amended - what an agreed amendment says of a line: other days, or that it is off. */
static void amended(struct world *w, int64_t line, const char *from_on, const char *to_on, bool cancelled)
{
    struct err e;

    must(db_exec(w->desk, &e,
                 "INSERT INTO plan_change(line_id, plan_id, object_id, mode, kind, ordinal, from_on, to_on, cancelled, reason, documents) SELECT id, plan_id,"
                 " object_id, mode, kind, ordinal, ?2, ?3, ?4, 'the owner asked', 0 FROM plan_line WHERE id = ?1",
                 "izzi", line, from_on, to_on, (int64_t)cancelled), &e);
}

static void a_line_becomes_one_survey_and_follows_amendments(void **state)
{
    struct world *w = *state;
    int64_t first = line_planned(w->desk, OBJECT, "pentest_auto", "main", 1, "2026-04-20", "2026-04-24", 0);
    int64_t control = line_planned(w->desk, OBJECT, "pentest_auto", "control", 1, "2026-06-01", "2026-06-05", first);

    assert_true(first > 0 && control > 0);
    for (int i = 0; i < 3; i++)
        ticked(w, T0);
    assert_int_equal(number_of(w, "SELECT count(*) FROM survey WHERE state = 'planned'"), 2);
    assert_int_equal(number_of(w, "SELECT count(*) FROM survey c JOIN survey m ON m.id = c.main_id WHERE c.kind = 'control' AND m.kind = 'main'"), 1);
    amended(w, first, "2026-05-04", "2026-05-08", false);
    amended(w, control, "2026-06-01", "2026-06-05", true);
    ticked(w, T0 + NS_PER_HOUR);
    assert_int_equal(number_of(w, "SELECT count(*) FROM survey WHERE state = 'planned' AND from_on = '2026-05-04' AND to_on = '2026-05-08'"), 1);
    assert_int_equal(number_of(w, "SELECT count(*) FROM survey WHERE state = 'cancelled' AND kind = 'control'"), 1);
    assert_int_equal(number_of(w, "SELECT count(*) FROM plan_change"), 0);
}

static void a_line_that_is_refused_holds_up_no_neighbour(void **state)
{
    struct world *w = *state;
    int64_t bad = line_planned(w->desk, OBJECT, "pentest_auto", "main", 1, "2026-04-13", "2026-04-17", 0);
    char sql[200];

    assert_true(line_planned(w->desk, "city-portal", "pentest_auto", "main", 1, "2026-04-20", "2026-04-24", 0) > bad);
    snprintf(sql, sizeof sql, "CREATE TRIGGER refusing BEFORE INSERT ON survey WHEN NEW.line_id = %lld BEGIN SELECT RAISE(ABORT, 'no'); END", (long long)bad);
    assert_true(db_exec(w->desk, NULL, sql, "") >= 0);
    ticked(w, T0);
    assert_int_equal(number_of(w, "SELECT count(*) FROM survey"), 1);
    assert_int_equal(number_of(w, "SELECT count(*) FROM setback"), 1);
    assert_true(db_exec(w->desk, NULL, "DROP TRIGGER refusing", "") >= 0);
    ticked(w, T0 + NS_PER_HOUR);
    assert_int_equal(number_of(w, "SELECT count(*) FROM survey"), 2);
    assert_int_equal(number_of(w, "SELECT count(*) FROM setback"), 0);
}

int main(void)
{
#define T(f, name) { name, f, world_open, world_close, NULL }
    const struct CMUnitTest tests[] = {
        T(a_line_becomes_one_survey_and_follows_amendments, "R-10.2-01 7.5 rows 1 and 9 a line of the agreed schedule becomes one survey, and follows amendments"),
        T(a_line_that_is_refused_holds_up_no_neighbour, "a line that the tables refuse holds up no neighbour"),
    };

    return cmocka_run_group_tests_name("surveys_planned", tests, NULL, NULL);
}
