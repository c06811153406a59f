/* test_writing.c - a plan of many lines is written in pieces: others act in between, nobody sees or edits half of it, and a kill in the middle of laying
 * out, agreeing or copying is made good. The kills are real: a child process that ends itself between two pieces. */
#include "desk/schedule/room.h"
#include "desk/testing.h"

#include <signal.h>
#include <sys/wait.h>

#define OBJECTS 150
#define LINES   (OBJECTS * 17)   /* 8 + 2 + 4 + 2, and one of documents */

static void run(struct desk *d, const char *sql, int64_t n)
{
    struct err e = { 0 };
    int rc = db_exec(d, &e, sql, strchr(sql, '?') ? "i" : "", n);

    if (rc < 0)
        fail_msg("%s: %s", sql, e.text);
}

static int64_t number_of(struct desk *d, const char *sql)
{
    struct err e = { 0 };
    int64_t n = -1;

    must(db_int(d, &e, -1, &n, sql, ""), &e);
    return n;
}

/* Objects in operation with all works, and a team without a bound. */
static void many_make(struct world *w)
{
    run(w->desk, "UPDATE object SET active = 0", 0);
    run(w->desk, "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?1) INSERT INTO object(id, name, org_id, criticality, contour, active, created_at,"
                 " updated_at, sort, state, is_ego, commissioned_on) SELECT printf('b%06d', i), printf('Object %06d', i), 'registry-centre', 'high', 'internal', 1, 1, 1,"
                 " printf('object %06d', i), 'listed', 1, '2024-01-01' FROM n", OBJECTS);
    run(w->desk, "INSERT INTO record(kind, id, object_id, sort, version, json, created_at, updated_at, updated_by) SELECT 'object', id, id, sort, 1, json_object('name', name,"
                 " 'org_id', org_id, 'active', json('true'), 'is_ego', json('true'), 'commissioned_on', commissioned_on, 'work_types', json('[\"protection\",\"secure_operation\"]')),"
                 " 1, 1, '' FROM object WHERE id LIKE 'b%'", 0);
    run(w->desk, "INSERT INTO team(name, at_once, days_week, modes, active, updated_at) VALUES ('Team', 0, 0, 'pentest_auto update_config source_code pentest_manual document', 1, 1)", 0);
}

static int open_plan(struct world *w)
{
    struct desk_reply r = { 0 };
    json_t *body = json_pack("{s:i, s:i}", "year", 2027, "documents", 1);
    int rc = desk_schedule_open(w->desk, &w->analyst, body, T0, &r);

    json_decref(body);
    desk_reply_free(&r);
    return rc;
}

static int doing(struct desk *d, const struct viewer *v, const char *act, json_t *body, struct desk_reply *r)
{
    int rc = desk_schedule_act(d, v, STR("1"), str_c(act), body, T0, r);

    json_decref(body);
    return rc;
}

static void did(struct world *w, const struct viewer *v, const char *act, json_t *body)
{
    struct desk_reply r = { 0 };

    if (doing(w->desk, v, act, body, &r) < 0)
        fail_msg("%s: %s", act, r.err.text);
    desk_reply_free(&r);
}

static json_t *agreement(struct world *w)
{
    sqlite3_stmt *st = db_query(w->desk, NULL, "SELECT number, sha256 FROM plan_version ORDER BY number DESC LIMIT 1", "");

    assert_int_equal(db_step(w->desk, st, NULL), 1);
    json_t *body = json_pack("{s:s, s:s, s:I, s:o}", "letter_number", "1", "letter_date", "2026-03-20", "version", (json_int_t)sqlite3_column_int64(st, 0), "sha256", db_json(st, 1));
    db_done(st);
    return body;
}

/* --- between two pieces --- */

struct witness {
    struct desk        *other;     /* its own connection, as another person's */
    const struct world *w;
    int                 seen, acted, hidden, refused;
};

static void watch(void *arg, const char *type, const char *id)
{
    struct witness *k = arg;
    struct desk_reply r = { 0 };
    struct schedule_query draft = { .draft = 1, .limit = 10 };

    if (strcmp(type, "plan") != 0 || strcmp(id, "1") != 0 || number_of(k->other, "SELECT writing = 'generate' FROM plan") != 1)
        return;
    k->seen++;
    json_t *body = json_pack("{s:s, s:s, s:s}", "from_on", "2027-07-01", "to_on", "2027-07-02", "reason", "an act of another person");
    k->acted += desk_schedule_blackout_add(k->other, &k->w->analyst, body, T0, &r) == 0;
    json_decref(body);
    desk_reply_free(&r);
    r = (struct desk_reply){ 0 };
    k->hidden += desk_schedule_lines(k->other, &k->w->analyst, STR("1"), &draft, T0, &r) == -EEXIST;
    desk_reply_free(&r);
    r = (struct desk_reply){ 0 };
    body = json_pack("{s:s, s:s, s:s, s:s}", "object_id", "b000001", "mode", "document", "kind", "", "from_on", "2027-08-02");
    k->refused += desk_schedule_line_add(k->other, &k->w->analyst, STR("1"), body, T0, &r) == -EEXIST && r.code && strcmp(r.code, "being_written") == 0;
    json_decref(body);
    desk_reply_free(&r);
    r = (struct desk_reply){ 0 };
    k->refused += doing(k->other, &k->w->lead, "send", json_object(), &r) == -EEXIST;
    desk_reply_free(&r);
}

static void others_act_between_the_pieces(void **state)
{
    struct world *w = *state;
    struct witness k = { .w = w };
    struct desk_setup plain = setup_of(w), watched = plain;
    struct desk *d = NULL;
    struct desk_reply r = { 0 };
    struct err e;

    many_make(w);
    must(open_plan(w), &e);
    must(desk_open(&plain, &k.other, &e), &e);
    watched.changed = watch;
    watched.changed_arg = &k;
    must(desk_open(&watched, &d, &e), &e);
    must(doing(d, &w->analyst, "generate", json_pack("{s:s}", "scope", "all"), &r), &r.err);
    assert_true(json_is_null(json_object_get(r.json, "writing")));
    assert_int_equal(json_integer_value(json_object_get(json_object_get(r.json, "counts"), "draft_lines")), LINES);
    desk_reply_free(&r);
    assert_true(k.seen >= 3);   /* the act, and two pieces */
    assert_int_equal(k.acted, k.seen);
    assert_int_equal(k.hidden, k.seen);
    assert_int_equal(k.refused, 2 * k.seen);
    assert_int_equal(number_of(k.other, "SELECT count(*) FROM blackout"), k.seen);
    desk_close(&d);
    desk_close(&k.other);
}

/* --- killed --- */

struct killer { int left; };

static void strike(void *arg, const char *type, const char *id)
{
    struct killer *k = arg;

    (void)id;
    if (strcmp(type, "plan") == 0 && k->left-- == 0)
        kill(getpid(), SIGKILL);
}

/* killed - another process does the act and is killed after so many commits of the plan. */
static void killed(struct world *w, const struct viewer *v, const char *act, json_t *body, int after)
{
    int status = 0;

    desk_close(&w->desk);
    pid_t child = fork();
    if (child == 0) {
        struct killer k = { after };
        struct desk_setup s = setup_of(w);
        struct desk *d = NULL;
        struct desk_reply r = { 0 };
        struct err e;

        s.changed = strike;
        s.changed_arg = &k;
        if (desk_open(&s, &d, &e) == 0)
            (void)doing(d, v, act, body, &r);
        _exit(1);
    }
    json_decref(body);
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
    struct desk_setup s = setup_of(w);
    struct err e;
    must(desk_open(&s, &w->desk, &e), &e);
}

/* half - it is half written, refuses to be edited, and is whole after one turn of the thread of results. */
static void half(struct world *w, const char *what)
{
    struct desk_reply r = { 0 };
    char sql[80];
    struct err e;

    snprintf(sql, sizeof sql, "SELECT count(*) FROM plan WHERE writing = '%s' AND writing_done > 0", what);
    assert_int_equal(number_of(w->desk, sql), 1);
    must(desk_schedule_plan(w->desk, &w->lead, STR("1"), T0, &r), &r.err);
    assert_string_equal(json_string_value(json_object_get(json_object_get(r.json, "writing"), "what")), what);
    assert_int_equal(json_array_size(json_object_get(r.json, "actions")), 0);
    desk_reply_free(&r);
    must(schedule_turn(w->desk, T0, &e), &e);
    assert_int_equal(number_of(w->desk, "SELECT count(*) FROM plan WHERE writing = ''"), 1);
    assert_int_equal(number_of(w->desk, "SELECT count(*) FROM audit WHERE action = 'schedule.resume'") > 0, 1);
    must(schedule_turn(w->desk, T0, &e), &e);
}

static void a_kill_in_the_middle_is_made_good(void **state)
{
    struct world *w = *state;
    struct desk_reply r = { 0 };
    int64_t some;

    many_make(w);
    assert_int_equal(open_plan(w), 0);
    killed(w, &w->analyst, "generate", json_pack("{s:s}", "scope", "all"), 1);
    some = number_of(w->desk, "SELECT count(*) FROM plan_line");
    assert_true(some > 0 && some < LINES);
    half(w, "generate");
    assert_int_equal(number_of(w->desk, "SELECT count(*) FROM plan_line WHERE draft = 1"), LINES);
    must(desk_schedule_mismatches(w->desk, &w->lead, STR("1"), 10, T0, &r), &r.err);
    assert_int_equal(json_integer_value(json_object_get(r.json, "total")), 0);
    desk_reply_free(&r);
    did(w, &w->lead, "send", json_object());

    killed(w, &w->lead, "record_agreement", agreement(w), 1);
    some = number_of(w->desk, "SELECT count(*) FROM plan_line WHERE draft = 0");
    assert_true(some > 0 && some < LINES);
    assert_int_equal(number_of(w->desk, "SELECT count(*) FROM plan_wait"), some);
    half(w, "agree");
    assert_int_equal(number_of(w->desk, "SELECT count(*) FROM plan_line WHERE draft = 0"), LINES);
    assert_int_equal(number_of(w->desk, "SELECT count(*) FROM plan_line WHERE draft = 1"), 0);
    assert_int_equal(number_of(w->desk, "SELECT count(*) FROM plan_wait"), LINES);
    assert_int_equal(number_of(w->desk, "SELECT count(*) FROM plan_object WHERE draft = 0"), OBJECTS);

    killed(w, &w->analyst, "amend", json_pack("{s:s}", "reason", "new objects"), 1);
    some = number_of(w->desk, "SELECT count(*) FROM plan_line WHERE draft = 1");
    assert_true(some > 0 && some < LINES);
    assert_int_equal(number_of(w->desk, "SELECT count(*) FROM plan_line WHERE draft = 0"), LINES);
    half(w, "amend");
    assert_int_equal(number_of(w->desk, "SELECT count(*) FROM plan_line a JOIN plan_line d ON d.id = a.id AND d.draft = 1 AND d.from_on = a.from_on WHERE a.draft = 0"), LINES);
    assert_int_equal(number_of(w->desk, "SELECT count(*) FROM plan_object WHERE draft = 1"), OBJECTS);
}

/* What the tables refuse is marked and does not come back each second. */
static void a_row_that_is_refused_waits(void **state)
{
    struct world *w = *state;
    struct err e;

    many_make(w);
    assert_int_equal(open_plan(w), 0);
    run(w->desk, "CREATE TRIGGER refusing BEFORE INSERT ON plan_object WHEN NEW.object_id = 'b000100' BEGIN SELECT RAISE(ABORT, 'no'); END", 0);
    did(w, &w->analyst, "generate", json_pack("{s:s}", "scope", "all"));   /* taken, not whole */
    assert_int_equal(number_of(w->desk, "SELECT writing = 'generate' FROM plan"), 1);
    must(schedule_turn(w->desk, T0, &e), &e);
    assert_int_equal(number_of(w->desk, "SELECT count(*) FROM setback WHERE kind = 'plan' AND tries = 1"), 1);
    must(schedule_turn(w->desk, T0 + NS_PER_SECOND, &e), &e);
    assert_int_equal(number_of(w->desk, "SELECT count(*) FROM setback WHERE kind = 'plan' AND tries = 1"), 1);
    run(w->desk, "DROP TRIGGER refusing", 0);
    must(schedule_turn(w->desk, T0 + NS_PER_HOUR, &e), &e);
    assert_int_equal(number_of(w->desk, "SELECT count(*) FROM setback"), 0);
    assert_int_equal(number_of(w->desk, "SELECT count(*) FROM plan_line WHERE draft = 1"), LINES);
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, world_open, world_close)
    const struct CMUnitTest tests[] = { T(others_act_between_the_pieces), T(a_kill_in_the_middle_is_made_good), T(a_row_that_is_refused_waits) };

    return cmocka_run_group_tests_name("schedule_writing", tests, NULL, NULL);
}
