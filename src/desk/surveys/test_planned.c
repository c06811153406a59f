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
    struct schedule_query all = { .limit = 10 };
    struct desk_reply r = { 0 };
    must(desk_schedule_lines(w->desk, &w->analyst, STR("1"), &all, T0, &r), &r.err);
    for (size_t i = 0; i < 2; i++) {   /* and the page says which one waits, since when */
        const json_t *one = json_array_get(json_object_get(r.json, "items"), i);

        assert_int_equal(json_is_null(json_object_get(one, "held_since")), parse_id(json_get_str(one, "id")) != bad);
    }
    desk_reply_free(&r);
    assert_true(db_exec(w->desk, NULL, "DROP TRIGGER refusing", "") >= 0);
    ticked(w, T0 + NS_PER_HOUR);
    assert_int_equal(number_of(w, "SELECT count(*) FROM survey"), 2);
    assert_int_equal(number_of(w, "SELECT count(*) FROM setback"), 0);
}

/* --- whose survey it is --- */

#define WORDS (2 * ERR_TEXT_MAX)   /* code and story of a refusal */

struct persons {
    struct viewer one, two, reader;
    int64_t       team_one, team_two;
};

static int64_t team_of(struct world *w, const char *name, const char *login)
{
    int64_t id = 0;
    struct err e;

    must(db_int(w->desk, &e, 0, &id, "INSERT INTO team(name, at_once, days_week, modes, active, updated_at) VALUES (?, 1, 0, 'pentest_auto', 1, 1) RETURNING id", "z", name), &e);
    must(db_exec(w->desk, &e, "INSERT INTO team_member(team_id, user_id) SELECT ?1, id FROM user WHERE login = ?2", "iz", id, login), &e);
    return id;
}

static void persons_make(struct world *w, struct persons *p)
{
    static const struct { const char *login, *role; } rows[] = { { "s-one", "surveyor" }, { "s-two", "surveyor" }, { "s-reader", "auditor" } };
    struct err e;

    for (size_t i = 0; i < COUNT(rows); i++)
        must(db_exec(w->desk, &e, "INSERT INTO user(login, name, role, org_id, language, active, password, created_at) SELECT ?1, 'Person ' || ?1, ?2, NULL, 'en', 1, password, 1"
                                  " FROM user WHERE login = 'lead'", "zz", rows[i].login, rows[i].role), &e);
    viewer_make(w, "s-one", &p->one);
    viewer_make(w, "s-two", &p->two);
    viewer_make(w, "s-reader", &p->reader);
    p->team_one = team_of(w, "Team Alatau", "s-one");
    p->team_two = team_of(w, "Team Ertis", "s-two");
}

static int acted(struct world *w, const struct viewer *v, int64_t survey, const char *act, json_t *body, char words[WORDS])
{
    struct desk_reply r = { 0 };
    char id[24];

    snprintf(id, sizeof id, "%lld", (long long)survey);
    int rc = desk_survey_act(w->desk, v, str_c(id), str_c(act), body, T0, &r);
    json_decref(body);
    snprintf(words, WORDS, "%s: %s", r.code ? r.code : "", r.err.text);
    desk_reply_free(&r);
    return rc;
}

static size_t offered_to(struct world *w, const struct viewer *v, int64_t survey)
{
    struct desk_reply r = { 0 };
    char id[24];

    snprintf(id, sizeof id, "%lld", (long long)survey);
    must(desk_survey(w->desk, v, str_c(id), T0, &r), &r.err);   /* reading stays as it is */
    size_t n = json_array_size(json_object_get(r.json, "actions"));
    desk_reply_free(&r);
    return n;
}

static void a_survey_is_worked_on_by_its_own_team(void **state)
{
    struct world *w = *state;
    struct persons p;
    char words[WORDS], id[24];
    struct desk_reply r = { 0 };
    struct err e;
    int64_t survey = 0, refused = 0;

    persons_make(w, &p);
    int64_t line = line_planned(w->desk, OBJECT, "pentest_auto", "main", 1, "2026-04-20", "2026-04-24", 0);
    must(db_exec(w->desk, &e, "UPDATE plan_line SET team_id = ?2 WHERE id = ?1", "ii", line, p.team_one), &e);
    ticked(w, T0);
    survey = number_of(w, "SELECT max(id) FROM survey");
    for (size_t i = 0; i < sv_act_count; i++)   /* every act of the centre's people asks for the team */
        CHECK(sv_acts[i].name, sv_acts[i].team == ((sv_acts[i].roles & (1u << DESK_SURVEYOR)) != 0));
    assert_int_equal(acted(w, &p.two, survey, "notify", json_object(), words), -EACCES);
    assert_non_null(strstr(words, "not_of_team"));
    assert_non_null(strstr(words, "Team Alatau"));
    assert_int_equal(acted(w, &w->analyst, survey, "block", json_pack("{s:[s], s:s}", "conditions", "R-11-06", "reason", "x"), words), -EACCES);
    refused = number_of(w, "SELECT count(*) FROM audit WHERE action = 'survey.notify' AND outcome = 'refused'");
    assert_int_equal(refused, 1);
    snprintf(id, sizeof id, "%lld", (long long)survey);
    /* Nor does another team say where its tools looked: that closes what was found. */
    json_t *cover = json_pack("{s:s, s:s, s:s}", "tool", "Nessus", "check", "1", "reason", "x"), *taken = json_pack("{s:s, s:s}", "host", "192.0.2.9", "reason", "x");
    assert_int_equal(desk_survey_cover_declare(w->desk, &p.two, str_c(id), cover, T0, &r), -EACCES);
    assert_string_equal(r.code, "not_of_team");
    desk_reply_free(&r);
    assert_int_equal(desk_survey_take_in(w->desk, &w->analyst, str_c(id), taken, T0, &r), -EACCES);
    desk_reply_free(&r);
    json_decref(cover);
    json_decref(taken);
    json_t *file = json_pack("{s:s, s:s}", "upload_id", "none", "role", "note");
    assert_int_equal(desk_survey_attach(w->desk, &p.two, str_c(id), file, T0, &r), -EACCES);
    desk_reply_free(&r);
    r = (struct desk_reply){ 0 };
    json_decref(file);
    file = json_pack("{s:s}", "upload_id", "none");
    assert_int_equal(desk_survey_result_add(w->desk, &p.two, str_c(id), file, T0, &r), -EACCES);
    desk_reply_free(&r);
    json_decref(file);
    assert_int_equal(offered_to(w, &p.two, survey), 0);
    assert_int_equal(offered_to(w, &p.reader, survey), 0);
    assert_true(offered_to(w, &p.one, survey) > 3);
    assert_true(offered_to(w, &w->lead, survey) > 3);
    assert_int_equal(acted(w, &p.one, survey, "notify", json_object(), words), 0);
    /* A lead acts for all, and may name somebody of another team, who then does too. */
    snprintf(id, sizeof id, "%lld", (long long)p.two.user_id);
    assert_int_equal(acted(w, &w->lead, survey, "assign", json_pack("{s:[s]}", "people", id), words), 0);
    assert_int_equal(acted(w, &p.two, survey, "scope_take", json_object(), words), 0);
    assert_int_equal(acted(w, &p.one, survey, "scope_take", json_object(), words), 0);
}

static void a_survey_by_hand_is_of_its_maker(void **state)
{
    struct world *w = *state;
    struct persons p;
    char words[WORDS], id[24];
    struct desk_reply r = { 0 };
    json_t *body = json_pack("{s:s, s:s, s:s, s:s, s:s, s:s}", "object_id", OBJECT, "mode", "pentest_auto", "kind", "main", "from_on", "2026-03-20", "to_on", "2026-03-27",
                             "reason", "by order of KNB");

    persons_make(w, &p);
    must(desk_survey_create(w->desk, &p.one, body, T0, &r), &r.err);
    int64_t made = parse_id(json_get_str(r.json, "id"));
    desk_reply_free(&r);
    assert_int_equal(acted(w, &p.two, made, "scope_take", json_object(), words), -EACCES);
    assert_non_null(strstr(words, "Person s-one"));
    assert_int_equal(acted(w, &p.one, made, "scope_take", json_object(), words), 0);
    snprintf(id, sizeof id, "%lld", (long long)p.two.user_id);
    assert_int_equal(acted(w, &p.one, made, "assign", json_pack("{s:[s]}", "people", id), words), 0);
    assert_int_equal(acted(w, &p.one, made, "scope_take", json_object(), words), -EACCES);
    /* A lead's is nobody's yet: whoever does surveys may take it. */
    r = (struct desk_reply){ 0 };
    must(desk_survey_create(w->desk, &w->lead, body, T0, &r), &r.err);
    made = parse_id(json_get_str(r.json, "id"));
    desk_reply_free(&r);
    json_decref(body);
    assert_int_equal(acted(w, &p.two, made, "assign", json_pack("{s:[s]}", "people", id), words), 0);
    assert_int_equal(acted(w, &p.one, made, "scope_take", json_object(), words), -EACCES);
}

/* The main survey is late: its control one, whose day has come, waits for it and is not held up for ever when it is called off. */
static void a_control_survey_waits_for_its_main_one(void **state)
{
    static const char *const held[] = { "planned", "blocked", "in_progress" }, *const gone[] = { "completed", "results_sent", "measures_received", "cancelled" };
    struct world *w = *state;
    char words[WORDS];
    int64_t first = line_planned(w->desk, OBJECT, "pentest_auto", "main", 1, "2026-03-02", "2026-03-06", 0);

    assert_true(line_planned(w->desk, OBJECT, "pentest_auto", "control", 1, "2026-03-16", "2026-03-20", first) > 0);
    ticked(w, T0);
    ticked(w, T0);
    int64_t control = number_of(w, "SELECT id FROM survey WHERE kind = 'control'");
    for (size_t i = 0; i < COUNT(held); i++) {
        must(db_exec(w->desk, NULL, "UPDATE survey SET state = ? WHERE kind = 'main'", "z", held[i]), NULL);
        CHECK(held[i], acted(w, &w->lead, control, "start", json_object(), words) == -EPROTO && strstr(words, "main_not_completed"));
    }
    for (size_t i = 0; i < COUNT(gone); i++) {   /* blocked by paragraph 11, as any survey without its conditions */
        must(db_exec(w->desk, NULL, "UPDATE survey SET state = ? WHERE kind = 'main'", "z", gone[i]), NULL);
        CHECK(gone[i], acted(w, &w->lead, control, "start", json_object(), words) == 0);
    }
}

int main(void)
{
#define T(f, name) { name, f, world_open, world_close, NULL }
    const struct CMUnitTest tests[] = {
        T(a_line_becomes_one_survey_and_follows_amendments, "R-10.2-01 7.5 rows 1 and 9 a line of the agreed schedule becomes one survey, and follows amendments"),
        T(a_line_that_is_refused_holds_up_no_neighbour, "a line that the tables refuse holds up no neighbour"),
        T(a_survey_is_worked_on_by_its_own_team, "a survey is worked on by its own team, whoever it names, and the leads"),
        T(a_control_survey_waits_for_its_main_one, "a control survey waits for a main one that has slipped past its days"),
        T(a_survey_by_hand_is_of_its_maker, "a survey by hand is its maker's until others are named"),
    };

    return cmocka_run_group_tests_name("surveys_planned", tests, NULL, NULL);
}
