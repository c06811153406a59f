/* test_setback.c - rows that cannot be written: marked, passed, tried again; trouble of the disk marks nothing. */
#include "desk/duties/setback.h"
#include "desk/testing.h"

#define M NS_PER_MINUTE
#define H NS_PER_HOUR

static int64_t count(struct world *w, const char *sql)
{
    int64_t n = -1;

    assert_int_equal(db_int(w->desk, NULL, -1, &n, sql, ""), 0);
    return n;
}

static void sql(struct world *w, const char *text)
{
    char *why = NULL;

    if (sqlite3_exec(w->desk->db, text, NULL, NULL, &why) != SQLITE_OK)
        fail_msg("%s: %s", text, why);
}

static void tick(struct world *w, time_ns now)
{
    struct err e;

    must(desk_tick(w->desk, now, NULL, &e), &e);
}

static void take(struct world *w, time_ns now)
{
    struct err e;

    must(desk_take_findings(w->desk, now, &e), &e);
}

static struct desk_counts counts(struct world *w, time_ns now)
{
    struct desk_counts n;
    struct err e;

    must(desk_count(w->desk, now, &n, &e), &e);
    return n;
}

/* Two cases, the first of which the tables refuse to write about. */
static void two_cases(struct world *w)
{
    finding_write(w, "rule-bad", "state-register", "registry-web-1", T0);
    finding_write(w, "rule-good", "city-portal", "city-web-1", T0 + 1 * M);
    take(w, T0 + 1 * M);
    tick(w, T0 + 1 * M);
    assert_int_equal(count(w, "SELECT count(*) FROM duty WHERE obligation = 'D-05'"), 2);
}

static void a_reminder_that_cannot_be_written_is_passed(void **state)
{
    struct world *w = *state;

    two_cases(w);
    sql(w, "CREATE TRIGGER bad BEFORE UPDATE OF sent_at ON reminder WHEN OLD.duty_id = 1 AND OLD.kind = 'before' BEGIN SELECT RAISE(ABORT, 'bad row'); END");
    tick(w, T0 + 20 * M);
    assert_int_equal(count(w, "SELECT count(*) FROM reminder WHERE duty_id = 2 AND kind = 'before' AND sent_at IS NOT NULL"), 1);
    assert_int_equal(count(w, "SELECT count(*) FROM reminder WHERE duty_id = 1 AND kind = 'before' AND sent_at IS NOT NULL"), 0);
    assert_int_equal(count(w, "SELECT count(*) FROM setback WHERE kind = 'reminder' AND tries = 1 AND story LIKE '%bad row%'"), 1);
    assert_int_equal(counts(w, T0 + 20 * M).rows_waiting, 1);
    tick(w, T0 + 20 * M + 30 * NS_PER_SECOND);   /* the pause is not over: nothing is tried */
    assert_int_equal(count(w, "SELECT max(tries) FROM setback"), 1);
    tick(w, T0 + 21 * M);
    assert_int_equal(count(w, "SELECT max(tries) FROM setback"), 2);
    tick(w, T0 + 22 * M);                        /* and it grows */
    assert_int_equal(count(w, "SELECT max(tries) FROM setback"), 2);
    sql(w, "DROP TRIGGER bad");
    tick(w, T0 + 23 * M);
    assert_int_equal(count(w, "SELECT count(*) FROM reminder WHERE duty_id = 1 AND kind = 'before' AND sent_at IS NOT NULL"), 1);
    assert_int_equal(count(w, "SELECT count(*) FROM setback"), 0);
    tick(w, T0 + 23 * M + 30 * NS_PER_SECOND);
    json_t *c = case_get(w, &w->analyst, 1, T0 + 24 * M);
    assert_int_equal(lines_of(c, "reminder", "D-05"), 1);   /* once */
    json_decref(c);
}

static void an_overdue_mark_that_cannot_be_written_is_passed(void **state)
{
    struct world *w = *state;

    two_cases(w);
    sql(w, "CREATE TRIGGER bad BEFORE UPDATE OF overdue_marked_at ON duty WHEN OLD.id = 1 BEGIN SELECT RAISE(ABORT, 'bad row'); END");
    tick(w, T0 + 2 * H);
    assert_int_equal(count(w, "SELECT count(*) FROM duty WHERE id = 2 AND overdue_marked_at IS NOT NULL"), 1);
    assert_int_equal(count(w, "SELECT count(*) FROM setback WHERE kind = 'overdue' AND id = 1"), 1);
    sql(w, "DROP TRIGGER bad");
    tick(w, T0 + 2 * H + 1 * M);
    assert_int_equal(count(w, "SELECT count(*) FROM duty WHERE overdue_marked_at IS NOT NULL"), 2);
    assert_int_equal(count(w, "SELECT count(*) FROM setback"), 0);
}

static void a_mark_goes_with_the_duty_that_ended(void **state)
{
    struct world *w = *state;

    two_cases(w);
    sql(w, "CREATE TRIGGER bad BEFORE UPDATE OF overdue_marked_at ON duty WHEN OLD.id = 1 BEGIN SELECT RAISE(ABORT, 'bad row'); END");
    tick(w, T0 + 2 * H);
    assert_int_equal(counts(w, T0 + 2 * H).rows_waiting, 1);
    sql(w, "UPDATE duty SET state = 'cancelled' WHERE id = 1");
    tick(w, T0 + 3 * H);
    assert_int_equal(counts(w, T0 + 3 * H).rows_waiting, 0);
}

static void a_row_that_cannot_be_recounted_stops_no_reminder(void **state)
{
    struct world *w = *state;

    two_cases(w);
    sql(w, "UPDATE meta SET value = 'another calendar' WHERE key = 'duty.counted';"
           "CREATE TRIGGER bad BEFORE UPDATE OF due_at ON duty WHEN OLD.id = 1 BEGIN SELECT RAISE(ABORT, 'bad row'); END");
    tick(w, T0 + 20 * M);
    assert_int_equal(count(w, "SELECT count(*) FROM setback WHERE kind = 'recount' AND id = 1"), 1);
    assert_int_equal(count(w, "SELECT count(*) FROM meta WHERE key = 'duty.counted' AND value <> 'another calendar'"), 1);
    assert_int_equal(count(w, "SELECT count(*) FROM reminder WHERE sent_at IS NOT NULL"), 2);
    sql(w, "DROP TRIGGER bad");
    tick(w, T0 + 22 * M);
    assert_int_equal(count(w, "SELECT count(*) FROM setback"), 0);
}

static void a_finding_that_cannot_become_a_case_is_kept(void **state)
{
    struct world *w = *state;

    sql(w, "CREATE TRIGGER bad BEFORE INSERT ON cases WHEN NEW.rule_id = 'rule-bad' BEGIN SELECT RAISE(ABORT, 'bad row'); END");
    finding_write(w, "rule-good", "state-register", "registry-web-1", T0);
    finding_write(w, "rule-bad", "state-register", "registry-web-1", T0 + 1 * M);
    finding_write(w, "rule-good-2", "state-register", "registry-web-1", T0 + 2 * M);
    take(w, T0 + 2 * M);
    assert_int_equal(count(w, "SELECT count(*) FROM cases"), 2);
    assert_int_equal(count(w, "SELECT value FROM meta WHERE key = 'findings_next'"), 4);
    assert_int_equal(count(w, "SELECT count(*) FROM setback WHERE kind = 'finding' AND id = 2 AND length(payload) > 0"), 1);
    assert_int_equal(count(w, "SELECT count(*) FROM audit WHERE action = 'finding.skip'"), 1);
    assert_int_equal(counts(w, T0 + 2 * M).findings_waiting, 1);
    desk_reopen(w);
    for (int i = 1; i < 40; i++)   /* for ever: kept, counted, and not said in the trail each time */
        take(w, T0 + i * H);
    assert_int_equal(counts(w, T0 + 40 * H).findings_waiting, 1);
    assert_int_equal(count(w, "SELECT count(*) FROM audit WHERE action = 'finding.skip'"), 1);
    sql(w, "DROP TRIGGER bad");
    take(w, T0 + 60 * H);
    take(w, T0 + 61 * H);
    assert_int_equal(counts(w, T0 + 61 * H).findings_waiting, 0);
    assert_int_equal(count(w, "SELECT count(*) FROM cases WHERE rule_id = 'rule-bad'"), 1);
    assert_int_equal(count(w, "SELECT count(*) FROM finding"), 3);
    json_t *c = case_get(w, &w->analyst, newest_case(w), T0 + 61 * H);
    assert_true(clock_time(c, "D-05", "from") == T0 + 1 * M);   /* the clock counts from the detection, not from the cure */
    json_decref(c);
}

/* --- trouble of the disk: the n-th step of the machine of SQLite fails as a full disk or a kill does --- */

static int stop_now(void *arg)
{
    int *left = arg;

    return --*left == 0;
}

static void trouble_of_the_whole_desk_marks_nothing(void **state)
{
    struct world *w = *state;
    struct err e;

    two_cases(w);
    finding_write(w, "rule-3", "city-portal", "city-web-1", T0 + 2 * M);
    for (int steps = 1; steps < 400; steps += 7) {
        int left = steps;

        sqlite3_progress_handler(w->desk->db, 50, stop_now, &left);
        (void)!desk_take_findings(w->desk, T0 + 2 * H, &e);
        (void)!desk_tick(w->desk, T0 + 2 * H, NULL, &e);
        sqlite3_progress_handler(w->desk->db, 0, NULL, NULL);
        assert_int_equal(count(w, "SELECT count(*) FROM setback"), 0);
        assert_true(sqlite3_get_autocommit(w->desk->db));
    }
    take(w, T0 + 2 * H);
    tick(w, T0 + 2 * H);
    assert_int_equal(count(w, "SELECT count(*) FROM finding"), 3);
    assert_int_equal(count(w, "SELECT count(*) FROM cases"), 3);
    assert_int_equal(count(w, "SELECT count(*) FROM duty WHERE overdue_marked_at IS NOT NULL"), 3);
}

static void a_full_disk_delays_the_turn_and_marks_nothing(void **state)
{
    struct world *w = *state;
    struct err e;
    char limit[80];

    two_cases(w);
    finding_write(w, "rule-3", "city-portal", "city-web-1", T0 + 2 * M);
    snprintf(limit, sizeof limit, "PRAGMA max_page_count = %lld", (long long)count(w, "SELECT * FROM pragma_page_count()"));
    sql(w, limit);
    while (desk_take_findings(w->desk, T0 + 3 * M, &e) >= 0 && count(w, "SELECT count(*) FROM finding") < 200)
        finding_write(w, "rule-3", "city-portal", "city-web-1", T0 + 3 * M);
    assert_int_equal(desk_take_findings(w->desk, T0 + 3 * M, &e), -ENOSPC);
    assert_int_equal(count(w, "SELECT count(*) FROM setback"), 0);
    sql(w, "PRAGMA max_page_count = 1000000");
    take(w, T0 + 4 * M);
    assert_int_equal(count(w, "SELECT count(*) FROM finding"), count(w, "SELECT value - 1 FROM meta WHERE key = 'findings_next'"));
    assert_int_equal(count(w, "SELECT count(*) FROM setback"), 0);
}

static void a_kill_between_the_mark_and_the_cursor_takes_the_finding_once(void **state)
{
    struct world *w = *state;

    sql(w, "CREATE TRIGGER bad BEFORE INSERT ON cases WHEN NEW.rule_id = 'rule-bad' BEGIN SELECT RAISE(ABORT, 'bad row'); END");
    finding_write(w, "rule-bad", "state-register", "registry-web-1", T0);
    take(w, T0);
    sql(w, "DROP TRIGGER bad; UPDATE meta SET value = 1 WHERE key = 'findings_next'");   /* the cursor was not yet moved */
    desk_reopen(w);
    take(w, T0 + 10);
    take(w, T0 + 1 * H);
    assert_int_equal(count(w, "SELECT count(*) FROM finding"), 1);
    assert_int_equal(count(w, "SELECT sum(count) FROM cases"), 1);
    assert_int_equal(counts(w, T0 + 1 * H).findings_waiting, 0);
}

static void a_clock_that_ran_ahead_does_not_stretch_the_pause(void **state)
{
    struct world *w = *state;

    sql(w, "CREATE TRIGGER bad BEFORE INSERT ON cases WHEN NEW.rule_id = 'rule-bad' BEGIN SELECT RAISE(ABORT, 'bad row'); END");
    finding_write(w, "rule-bad", "state-register", "registry-web-1", T0);
    take(w, T0 + 9000 * H);   /* the machine believes it is next year */
    assert_int_equal(counts(w, T0).findings_waiting, 1);
    sql(w, "DROP TRIGGER bad");
    take(w, T0 + 1 * M);
    assert_int_equal(counts(w, T0).findings_waiting, 0);
    assert_int_equal(count(w, "SELECT count(*) FROM finding"), 1);
}

#define T(f, n) { .name = n, .test_func = f, .setup_func = world_open, .teardown_func = world_close }

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(a_reminder_that_cannot_be_written_is_passed, "a reminder that cannot be written is passed, tried again with a growing pause, and goes out once"),
        T(an_overdue_mark_that_cannot_be_written_is_passed, "an overdue mark that cannot be written holds up no other"),
        T(a_mark_goes_with_the_duty_that_ended, "what waits for a duty that has ended is forgotten"),
        T(a_row_that_cannot_be_recounted_stops_no_reminder, "a term that cannot be counted anew stops neither the others nor the reminders"),
        T(a_finding_that_cannot_become_a_case_is_kept, "a finding that cannot become a case is kept, counted and passed; its clock counts from its detection"),
        T(trouble_of_the_whole_desk_marks_nothing, "a disk that fails at any step delays the turn and marks nothing"),
        T(a_full_disk_delays_the_turn_and_marks_nothing, "a full disk delays the findings and marks none"),
        T(a_kill_between_the_mark_and_the_cursor_takes_the_finding_once, "a kill between the mark and the cursor takes the finding once"),
        T(a_clock_that_ran_ahead_does_not_stretch_the_pause, "a clock that ran ahead and came back does not stretch a pause"),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
