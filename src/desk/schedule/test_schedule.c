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

static json_t *progress_of(struct world *w, const char *by, const char *key, time_ns now)
{
    struct desk_reply r = { 0 };
    json_t *one, *found = NULL;
    size_t i;

    must(desk_schedule_progress(w->desk, &w->analyst, STR("1"), str_c(by), 100, STR(""), now, &r), &r.err);
    json_array_foreach(json_object_get(r.json, "items"), i, one)
        if (strcmp(json_string_value(json_object_get(one, "key")), key) == 0)
            found = json_incref(one);
    desk_reply_free(&r);
    assert_non_null(found);
    return found;
}

static void sum_is(json_t *row, const char *name, int want) { CHECK(name, json_integer_value(json_object_get(row, name)) == want); }

/* On the last day of its line a work is in time, on the next it is late; a day after its line nobody has done it, its date has passed. */
static void test_progress(void **state)
{
    struct world *w = *state;
    struct plan_line got[8];
    struct desk_reply r;
    struct call c;
    size_t n = 0;
    int64_t ids[4];
    json_t *row;

    for (size_t i = 0; i < 4; i++)
        ids[i] = line_planned(w->desk, "state-register", "pentest_auto", "main", (int)i + 1, "2026-03-16", "2026-03-20", 0);
    call_begin(w, &c, &r);
    must(schedule_take(&c, false, got, COUNT(got), &n), c.e);
    assert_int_equal(n, 4);
    /* T0 is ten minutes before midnight of the last day. */
    must(schedule_line_state(&c, ids[0], STR("survey"), STR("1"), STR("completed"), T0), c.e);
    must(schedule_line_state(&c, ids[1], STR("survey"), STR("2"), STR("completed"), T0 + 10 * NS_PER_MINUTE), c.e);
    must(schedule_line_cancelled(&c, ids[2], STR("switched off")), c.e);
    call_end(&c, &r);
    row = progress_of(w, "mode", "pentest_auto", T0);
    sum_is(row, "planned", 4);
    sum_is(row, "in_time", 1);
    sum_is(row, "late", 1);
    sum_is(row, "cancelled", 1);
    sum_is(row, "overdue", 0);
    sum_is(row, "ahead", 1);
    sum_is(row, "done_percent", 50);
    json_decref(row);
    row = progress_of(w, "month", "2026-03", T0 + 10 * NS_PER_MINUTE);
    sum_is(row, "overdue", 1);
    sum_is(row, "ahead", 0);
    json_decref(row);
    row = progress_of(w, "object", "state-register", T0);
    sum_is(row, "in_time_percent", 25);
    json_decref(row);
}

/* --- a plan from its draft to KNB and back --- */

/* The table of 7.8, written from the requirements and not from machine.c: state, act, state after. A row that is not here is refused. */
static const struct {
    const char *from, *act, *role, *to;
} moves[] = {
    { "draft", "send", "lead", "sent_for_agreement" },              /* 2 */
    { "sent_for_agreement", "agree", "knb", "agreed" },              /* 3 */
    { "sent_for_agreement", "return", "knb", "returned" },           /* 4 */
    { "returned", "rework", "analyst", "draft" },                    /* 4 */
    { "agreed", "amend", "analyst", "amendment_draft" },             /* 6 */
    { "in_execution", "amend", "analyst", "amendment_draft" },       /* 6 */
    { "amendment_draft", "send", "lead", "sent_for_agreement" },     /* 6 */
    { "in_execution", "complete", "lead", "completed" },             /* 7 */
    /* ours: the answer of KNB on paper */
    { "sent_for_agreement", "record_agreement", "lead", "agreed" },
    { "sent_for_agreement", "record_return", "lead", "returned" },
};
static const char *const all_states[] = { "draft", "sent_for_agreement", "returned", "agreed", "in_execution", "amendment_draft", "completed" };
static const char *const all_acts[] = { "send", "agree", "return", "rework", "amend", "complete", "record_agreement", "record_return" };

static bool allowed_by(const char *state, const char *act)
{
    for (size_t i = 0; i < COUNT(moves); i++)
        if (strcmp(moves[i].from, state) == 0 && strcmp(moves[i].act, act) == 0)
            return true;
    return false;
}

static void test_machine(void **state)
{
    (void)state;
    assert_int_equal(plan_state_count, COUNT(all_states));
    for (size_t i = 0; i < COUNT(all_states); i++) {
        struct plan_row p = { .state = plan_state_find(str_c(all_states[i])) };

        assert_non_null(p.state);
        for (size_t a = 0; a < plan_act_count; a++) {
            bool known = false;

            for (size_t k = 0; k < COUNT(all_acts); k++)
                known = known || strcmp(all_acts[k], plan_acts[a].name) == 0;
            if (known)
                CHECK(plan_acts[a].name, plan_offered(&p, &plan_acts[a]) == allowed_by(all_states[i], plan_acts[a].name));
            else /* what changes the lines */
                CHECK(plan_acts[a].name, plan_offered(&p, &plan_acts[a]) == (strcmp(all_states[i], "draft") == 0 || strcmp(all_states[i], "amendment_draft") == 0));
        }
    }
}

struct people {
    struct viewer knb, surveyor;
};

static void people_make(struct world *w, struct people *p)
{
    static const struct { const char *login, *role, *org; } rows[] = { { "knb1", "knb", "knb" }, { "surveyor1", "surveyor", NULL } };

    for (size_t i = 0; i < COUNT(rows); i++)
        assert_int_equal(db_exec(w->desk, NULL,
                                 "INSERT INTO user(login, name, role, org_id, language, active, password, created_at) SELECT ?1, ?1, ?2, ?3, 'en', 1, password, 1 FROM user"
                                 " WHERE login = 'lead'",
                                 "zzz", rows[i].login, rows[i].role, rows[i].org),
                         1);
    viewer_make(w, "knb1", &p->knb);
    viewer_make(w, "surveyor1", &p->surveyor);
}

/* Every object in operation is in the list, as after its letters. */
static void listed(struct world *w) { assert_true(db_exec(w->desk, NULL, "UPDATE object SET state = 'listed'", "") > 0); }

static json_t *doing(struct world *w, const struct viewer *v, const char *id, const char *act, json_t *body, time_ns now, int want)
{
    struct desk_reply r = { 0 };
    int rc = desk_schedule_act(w->desk, v, str_c(id), str_c(act), body, now, &r);
    json_t *got;

    json_decref(body);
    if (rc != want)
        fail_msg("%s: %d instead of %d: %s field \"%s\"", act, rc, want, r.err.text, r.field);
    got = json_incref(r.json);
    desk_reply_free(&r);
    return got;
}

static void did(struct world *w, const struct viewer *v, const char *id, const char *act, json_t *body, time_ns now, const char *state)
{
    json_t *p = doing(w, v, id, act, body, now, 0);

    CHECK(act, strcmp(state_of(p), state) == 0);
    json_decref(p);
}

static void team_make(struct world *w, const struct viewer *member, int at_once)
{
    char user[24];
    struct desk_reply r = { 0 };

    snprintf(user, sizeof user, "%lld", (long long)member->user_id);
    json_t *body = json_pack("{s:s, s:i, s:i, s:[s,s,s,s,s], s:b, s:[s], s:[]}", "name", "Team 1", "at_once", at_once, "days_week", 0, "modes", "pentest_auto", "update_config",
                             "source_code", "pentest_manual", "document", "active", 1, "member_ids", user, "absences");
    must(desk_schedule_team_put(w->desk, &w->lead, STR(""), body, T0, &r), &r.err);
    json_decref(body);
    desk_reply_free(&r);
}

static char *plan_open(struct world *w, int year, time_ns now)
{
    struct desk_reply r = { 0 };
    json_t *body = json_pack("{s:i, s:i}", "year", year, "documents", 1);
    char *id;

    must(desk_schedule_open(w->desk, &w->analyst, body, now, &r), &r.err);
    json_decref(body);
    id = strdup(json_string_value(json_object_get(r.json, "id")));
    desk_reply_free(&r);
    return id;
}

static json_t *lines_get(struct world *w, const struct viewer *v, const char *id, struct schedule_query q, time_ns now)
{
    struct desk_reply r = { 0 };

    must(desk_schedule_lines(w->desk, v, str_c(id), &q, now, &r), &r.err);
    return r.json;
}

static size_t lines_count(struct world *w, const struct viewer *v, const char *id, struct schedule_query q)
{
    json_t *j = lines_get(w, v, id, q, T0);
    size_t n = json_array_size(json_object_get(j, "items"));

    json_decref(j);
    return n;
}

#define NEXT_YEAR (T0 + 290 * NS_PER_DAY)   /* 4 January 2027 */

/* seen - what a person answers to: the version that lies there and its digest. more is taken. */
static json_t *seen(struct world *w, json_t *more)
{
    sqlite3_stmt *st = db_query(w->desk, NULL, "SELECT number, sha256 FROM plan_version ORDER BY number DESC LIMIT 1", "");

    assert_int_equal(db_step(w->desk, st, NULL), 1);
    json_object_set_new(more, "version", json_integer(sqlite3_column_int64(st, 0)));
    json_object_set_new(more, "sha256", db_json(st, 1));
    db_done(st);
    return more;
}

/* One plan from its first line to the end of its year; each step below goes on where the one before stopped. */
struct year {
    struct world    *w;
    struct people    p;
    char            *id;
    struct plan_line got[64];   /* what surveys took */
};

static void freed(struct desk_reply *r)
{
    desk_reply_free(r);
    *r = (struct desk_reply){ 0 };
}

static void number_is(struct world *w, const char *sql, int64_t want)
{
    int64_t n = -1;

    assert_int_equal(db_int(w->desk, NULL, -1, &n, sql, ""), 0);
    CHECK(sql, n == want);
}

/* Nothing is sent before the counts are those of the Rules. */
static void year_is_laid_out(struct year *y)
{
    struct schedule_query draft = { .draft = 1, .limit = 1000 };
    struct world *w = y->w;

    json_decref(doing(w, &w->lead, y->id, "send", json_object(), T0, -EPROTO));
    json_decref(doing(w, &w->analyst, y->id, "send", json_object(), T0, -EACCES));
    did(w, &w->analyst, y->id, "generate", json_pack("{s:s}", "scope", "all"), T0, "draft");
    draft.object = STR("state-register");
    assert_int_equal(lines_count(w, &w->analyst, y->id, draft), 17);   /* 8 + 2 + 4 + 2, and one of documents */
    draft.mode = STR("pentest_auto");
    assert_int_equal(lines_count(w, &w->analyst, y->id, draft), 8);
    draft.kind = STR("control");
    assert_int_equal(lines_count(w, &w->analyst, y->id, draft), 4);
}

/* KNB sees what was sent, nobody else of outside does; a version that was sent is frozen. */
static void year_is_agreed(struct year *y)
{
    struct world *w = y->w;
    struct desk_reply r = { 0 };

    assert_int_equal(desk_schedule_plan(w->desk, &y->p.knb, str_c(y->id), T0, &r), -ENOENT);
    freed(&r);
    did(w, &w->lead, y->id, "send", json_pack("{s:s}", "note", "For 2027"), T0, "sent_for_agreement");
    assert_int_equal(lines_count(w, &y->p.knb, y->id, (struct schedule_query){ .draft = -1, .limit = 1000 }), 17);
    assert_int_equal(desk_schedule_plan(w->desk, &w->registry, str_c(y->id), T0, &r), -ENOENT);
    freed(&r);
    json_t *first = seen(w, json_object()), *mixed = NULL;
    did(w, &y->p.knb, y->id, "return", seen(w, json_pack("{s:s}", "remarks", "Not in July.")), T0, "returned");
    did(w, &w->analyst, y->id, "rework", json_object(), T0, "draft");
    did(w, &w->lead, y->id, "send", json_object(), T0, "sent_for_agreement");
    /* Whoever still has the first version before them agrees to nothing, nor does one whose digest is another. */
    json_decref(doing(w, &y->p.knb, y->id, "agree", json_object(), T0, -EINVAL));
    json_decref(doing(w, &y->p.knb, y->id, "agree", json_incref(first), T0, -EEXIST));
    mixed = seen(w, json_object());
    json_object_set(mixed, "sha256", json_object_get(first, "sha256"));
    json_decref(doing(w, &y->p.knb, y->id, "agree", mixed, T0, -EEXIST));
    json_decref(first);
    did(w, &y->p.knb, y->id, "agree", seen(w, json_object()), T0, "agreed");
    assert_true(db_exec(w->desk, NULL, "UPDATE plan_version SET size_bytes = 2", "") < 0);
    assert_true(db_exec(w->desk, NULL, "DELETE FROM plan_version", "") < 0);
    assert_true(db_exec(w->desk, NULL, "UPDATE plan_version SET decision = 'agreed' WHERE number = 1", "") < 0);
    number_is(w, "SELECT count(*) FROM audit a JOIN plan_version v ON v.number = 2 WHERE a.action = 'schedule.agree' AND a.outcome = 'ok' AND a.detail LIKE '%version 2, sha256 ' || v.sha256", 1);
    number_is(w, "SELECT count(*) FROM notice_record n JOIN plan_version v ON v.number = 2 WHERE n.kind = 'works_schedule_answer' AND n.text LIKE '%SHA-256 ' || v.sha256", 1);
    number_is(w, "SELECT count(*) FROM plan_version WHERE number IN (1,2) AND notice_id > 0 AND decision IS NOT NULL", 2);
}

/* Now owners see theirs, the team its own, and surveys take them. */
static void year_is_taken(struct year *y)
{
    struct schedule_query agreed = { .limit = 1000 };
    struct world *w = y->w;
    struct desk_reply r = { 0 };
    struct call c;
    size_t n = 0;

    assert_int_equal(lines_count(w, &w->registry, y->id, agreed), 17);
    assert_int_equal(lines_count(w, &w->city, y->id, agreed), 0);
    assert_int_equal(lines_count(w, &y->p.surveyor, y->id, agreed), 17);
    call_begin(w, &c, &r);
    must(schedule_take(&c, false, y->got, COUNT(y->got), &n), c.e);
    assert_int_equal(n, 16);
    for (size_t i = 1; i < n; i++)
        assert_true(str_cmp(y->got[i - 1].from_on, y->got[i].from_on) <= 0);
    for (size_t i = 0; i < n; i++)
        must(schedule_line_state(&c, y->got[i].id, STR("survey"), STR("1"), STR("planned"), 0), c.e);
    must(schedule_line_state(&c, y->got[0].id, STR("survey"), STR("1"), STR("in_progress"), 0), c.e);
    call_end(&c, &r);
    must(desk_tick(w->desk, T0, NULL, &r.err), &r.err);
    number_is(w, "SELECT count(*) FROM plan WHERE state = 'in_execution'", 1);
}

/* manual_control_moves - the control line of the manual mode goes to December. Returns its id. */
static int64_t manual_control_moves(struct year *y)
{
    json_t *all = lines_get(y->w, &y->w->analyst, y->id, (struct schedule_query){ .draft = 1, .limit = 1000 }, T0), *later = NULL, *one;
    json_t *body = json_pack("{s:s}", "from_on", "2027-12-20");
    struct desk_reply r = { 0 };
    size_t i;

    json_array_foreach(json_object_get(all, "items"), i, one)
        if (strcmp(json_string_value(json_object_get(one, "mode")), "pentest_manual") == 0 && strcmp(json_string_value(json_object_get(one, "kind")), "control") == 0)
            later = one;
    assert_non_null(later);
    must(desk_schedule_line_change(y->w->desk, &y->w->analyst, str_c(y->id), json_get_str(later, "id"), body, T0, &r), &r.err);
    int64_t id = id_of(later, "id");
    desk_reply_free(&r);
    json_decref(body);
    json_decref(all);
    return id;
}

/* An amendment: one line moved, one dropped; the line that has begun is not touched, and what is in execution stays until it is agreed. */
static void year_is_amended(struct year *y)
{
    struct world *w = y->w;
    struct desk_reply r = { 0 };
    struct plan_line dropped;
    struct call c;
    char line[24];

    did(w, &w->analyst, y->id, "amend", json_pack("{s:s}", "reason", "The owner asked."), T0, "amendment_draft");
    int64_t moved = manual_control_moves(y);
    snprintf(line, sizeof line, "%lld", (long long)y->got[0].id);
    assert_int_equal(desk_schedule_line_drop(w->desk, &w->analyst, str_c(y->id), str_c(line), NULL, T0, &r), -EINVAL);
    freed(&r);
    snprintf(line, sizeof line, "%lld", (long long)y->got[15].id == moved ? (long long)y->got[14].id : (long long)y->got[15].id);
    must(desk_schedule_line_drop(w->desk, &w->analyst, str_c(y->id), str_c(line), NULL, T0, &r), &r.err);
    freed(&r);
    json_decref(doing(w, &w->lead, y->id, "send", json_object(), T0, -EPROTO));
    number_is(w, "SELECT count(*) FROM plan_line WHERE draft = 0", 17);
    call_begin(w, &c, &r);
    must(schedule_line(&c, parse_id(str_c(line)), &dropped), c.e);
    json_t *body = json_pack("{s:s, s:s, s:s}", "object_id", "state-register", "mode", dropped.mode.p, "reason", "One less: agreed with the owner.");
    call_end(&c, &r);
    did(w, &w->analyst, y->id, "set_reason", body, T0, "amendment_draft");
    did(w, &w->lead, y->id, "send", json_object(), T0, "sent_for_agreement");
    must(desk_schedule_changes(w->desk, &y->p.knb, str_c(y->id), 3, 0, STR(""), T0, &r), &r.err);
    assert_int_equal(json_array_size(json_object_get(r.json, "items")), 2);
    freed(&r);
    did(w, &y->p.knb, y->id, "agree", seen(w, json_object()), T0, "in_execution");
}

/* What an amendment changed is told once. */
static void year_is_told(struct year *y)
{
    struct plan_moved moved[8];
    struct desk_reply r = { 0 };
    struct call c;
    size_t n = 0;

    call_begin(y->w, &c, &r);
    must(schedule_moved(&c, false, moved, COUNT(moved), &n), c.e);
    assert_int_equal(n, 2);
    assert_true(moved[0].cancelled != moved[1].cancelled);
    assert_true(str_eq(moved[0].reason, STR("The owner asked.")));
    must(schedule_moved(&c, false, moved, COUNT(moved), &n), c.e);
    assert_int_equal(n, 0);
    call_end(&c, &r);
}

static void test_plan(void **state)
{
    struct year y = { .w = *state };

    people_make(y.w, &y.p);
    listed(y.w);
    team_make(y.w, &y.p.surveyor, 3);
    y.id = plan_open(y.w, 2027, T0);
    year_is_laid_out(&y);
    year_is_agreed(&y);
    year_is_taken(&y);
    year_is_amended(&y);
    year_is_told(&y);
    json_decref(doing(y.w, &y.w->lead, y.id, "complete", json_object(), T0, -EPROTO));
    did(y.w, &y.w->lead, y.id, "complete", json_object(), NEXT_YEAR + 365 * NS_PER_DAY, "completed");
    free(y.id);
}

#define JULY (T0 + 470 * NS_PER_DAY)   /* 3 July 2027 */

static size_t of_mode(struct world *w, const char *id, const char *object, const char *mode)
{
    return lines_count(w, &w->analyst, id, (struct schedule_query){ .draft = 1, .object = str_c(object), .mode = str_c(mode), .limit = 1000 });
}

/* An object that enters in July gets half of it, rounded, in pairs, with the reason; one that ends loses what is not done, and nothing else moves. */
static void test_share(void **state)
{
    struct world *w = *state;
    struct desk_reply r = { 0 };
    struct people p;
    int64_t late = 0;
    json_t *one;

    people_make(w, &p);
    listed(w);
    team_make(w, &p.surveyor, 3);
    char *id = plan_open(w, 2027, T0);
    did(w, &w->analyst, id, "generate", json_pack("{s:s}", "scope", "all"), T0, "draft");
    did(w, &w->lead, id, "send", json_object(), T0, "sent_for_agreement");
    did(w, &p.knb, id, "agree", seen(w, json_object()), T0, "agreed");
    assert_int_equal(db_exec(w->desk, NULL, "UPDATE record SET json = json_set(json, '$.work_types', json('[\"protection\"]')) WHERE kind = 'object' AND id = 'city-portal'", ""), 1);
    assert_int_equal(db_exec(w->desk, NULL, "UPDATE record SET json = json_set(json, '$.terminated_on', '2027-09-01') WHERE kind = 'object' AND id = 'state-register'", ""), 1);
    did(w, &w->analyst, id, "amend", json_pack("{s:s}", "reason", "A new object, and one ends."), JULY, "amendment_draft");
    did(w, &w->analyst, id, "generate", json_pack("{s:s}", "scope", "missing"), JULY, "amendment_draft");
    assert_int_equal(of_mode(w, id, "city-portal", "pentest_auto"), 4);
    assert_int_equal(of_mode(w, id, "city-portal", "update_config"), 0);
    assert_int_equal(of_mode(w, id, "city-portal", "source_code"), 2);
    assert_int_equal(of_mode(w, id, "city-portal", "pentest_manual"), 0);
    assert_int_equal(db_int(w->desk, NULL, 0, &late, "SELECT count(*) FROM plan_line WHERE draft = 1 AND object_id = 'state-register' AND from_on >= '2027-09-01'", ""), 0);
    assert_int_equal(late, 0);
    assert_int_equal(db_int(w->desk, NULL, 0, &late, "SELECT count(*) FROM plan_line d JOIN plan_line a ON a.id = d.id AND a.draft = 0 WHERE d.draft = 1 AND a.from_on <>"
                                                     " d.from_on", ""), 0);
    assert_int_equal(late, 0);
    assert_int_equal(db_int(w->desk, NULL, 0, &late, "SELECT count(*) FROM plan_line WHERE draft = 1 AND object_id = 'city-portal' AND from_on < '2027-07-13'", ""), 0);
    assert_int_equal(late, 0);
    must(desk_schedule_object(w->desk, &w->analyst, str_c(id), STR("city-portal"), JULY, &r), &r.err);
    one = json_array_get(json_object_get(r.json, "reasons"), 0);
    assert_string_equal(json_string_value(json_object_get(one, "code")), "entered");
    desk_reply_free(&r);
    /* Asked once more nothing moves, and the reason is not another one. */
    did(w, &w->analyst, id, "generate", json_pack("{s:s}", "scope", "missing"), JULY + NS_PER_DAY, "amendment_draft");
    assert_int_equal(of_mode(w, id, "city-portal", "pentest_auto"), 4);
    r = (struct desk_reply){ 0 };
    must(desk_schedule_object(w->desk, &w->analyst, str_c(id), STR("city-portal"), JULY, &r), &r.err);
    one = json_array_get(json_object_get(r.json, "reasons"), 0);
    assert_string_equal(json_string_value(json_object_get(one, "code")), "entered");
    one = json_array_get(json_object_get(r.json, "owed"), PLAN_PENTEST_AUTO);
    assert_int_equal(json_integer_value(json_object_get(one, "full")), 4);
    assert_int_equal(json_integer_value(json_object_get(one, "main")), 2);
    assert_true(json_array_size(json_object_get(one, "arithmetic")) >= 2);
    desk_reply_free(&r);
    /* The reasons are there: it can be sent. */
    did(w, &w->lead, id, "send", json_object(), JULY, "sent_for_agreement");
    free(id);
}

/* What speaks against a line is told with its rule; a soft one is accepted with a reason, a hard one never. */
static void test_conflicts(void **state)
{
    static const struct {
        const char *name, *from_on, *rule;
        bool        hard;
    } rows[] = {
        { "a Sunday", "2027-06-13", "non_business", false },
        { "closed for all", "2027-07-12", "blackout", false },
        { "another year", "2028-01-10", "year", true },
        { "before its main one", "2027-01-04", "order", true },
    };
    struct world *w = *state;
    struct desk_reply r = { 0 };
    struct people p;
    json_t *line = NULL, *all, *one, *body;
    size_t i;

    people_make(w, &p);
    listed(w);
    team_make(w, &p.surveyor, 1);
    body = json_pack("{s:s, s:s, s:s}", "from_on", "2027-07-01", "to_on", "2027-07-31", "reason", "Entrance campaign");
    must(desk_schedule_blackout_add(w->desk, &w->analyst, body, T0, &r), &r.err);
    json_decref(body);
    desk_reply_free(&r);
    char *id = plan_open(w, 2027, T0);
    did(w, &w->analyst, id, "generate", json_pack("{s:s}", "scope", "all"), T0, "draft");
    all = lines_get(w, &w->analyst, id, (struct schedule_query){ .draft = 1, .limit = 1000 }, T0);
    json_array_foreach(json_object_get(all, "items"), i, one)
        if (strcmp(json_string_value(json_object_get(one, "mode")), "source_code") == 0 && strcmp(json_string_value(json_object_get(one, "kind")), "control") == 0)
            line = line ? line : one;
    assert_non_null(line);
    for (i = 0; i < COUNT(rows); i++) {
        size_t k;
        bool told = false;

        for (int accept = 0; accept < 2; accept++) {
            r = (struct desk_reply){ 0 };
            body = accept ? json_pack("{s:s, s:b, s:s}", "from_on", rows[i].from_on, "accept", 1, "reason", "The owner has no other days.")
                          : json_pack("{s:s}", "from_on", rows[i].from_on);
            int rc = desk_schedule_line_change(w->desk, &w->analyst, str_c(id), json_get_str(line, "id"), body, T0, &r);
            json_decref(body);
            CHECK(rows[i].name, rc == (rows[i].hard ? -EINVAL : accept ? 0 : -EEXIST));
            if (!accept)
                json_array_foreach(r.problems, k, one)
                    told = told || strcmp(json_string_value(json_object_get(one, "code")), rows[i].rule) == 0;
            desk_reply_free(&r);
        }
        CHECK(rows[i].name, told);
    }
    json_decref(all);
    free(id);
}

/* A control survey whose main one was dropped gets the next main one as its pair: that one is held against its day like any other. */
static void test_pair_again(void **state)
{
    struct world *w = *state;
    struct desk_reply r = { 0 };
    struct people p;
    const char *object = NULL;
    json_t *all, *one, *body, *line = NULL;
    size_t i;

    people_make(w, &p);
    listed(w);
    team_make(w, &p.surveyor, 3);
    char *id = plan_open(w, 2027, T0);
    did(w, &w->analyst, id, "generate", json_pack("{s:s}", "scope", "all"), T0, "draft");
    all = lines_get(w, &w->analyst, id, (struct schedule_query){ .draft = 1, .mode = STR("update_config"), .limit = 1000 }, T0);
    json_array_foreach(json_object_get(all, "items"), i, one)
        if (!line && strcmp(json_string_value(json_object_get(one, "kind")), "main") == 0)
            line = one;
    assert_non_null(line);
    object = json_string_value(json_object_get(json_object_get(line, "object"), "id"));
    must(desk_schedule_line_drop(w->desk, &w->analyst, str_c(id), json_get_str(line, "id"), NULL, T0, &r), &r.err);
    desk_reply_free(&r);
    r = (struct desk_reply){ 0 };
    body = json_pack("{s:s, s:s, s:s, s:s, s:O, s:b, s:s}", "object_id", object, "mode", "update_config", "kind", "main", "from_on", "2027-12-20", "team_id",
                     json_object_get(json_object_get(line, "team"), "id"), "accept", 1, "reason", "late");
    assert_int_equal(desk_schedule_line_add(w->desk, &w->analyst, str_c(id), body, T0, &r), -EINVAL);
    json_decref(body);
    json_array_foreach(r.problems, i, one)
        assert_string_equal(json_string_value(json_object_get(one, "code")), "order");
    assert_int_equal(json_array_size(r.problems), 1);
    desk_reply_free(&r);
    json_decref(all);
    free(id);
}

/* What was called off is not moved: that would look like a work that takes place. It may be dropped, and another one added. */
static void test_called_off(void **state)
{
    struct world *w = *state;
    struct desk_reply r = { 0 };
    struct call c;
    char line[24];
    int64_t id = line_planned(w->desk, "state-register", "pentest_auto", "main", 1, "2026-09-07", "2026-09-09", 0);

    team_make(w, &w->analyst, 3);
    call_begin(w, &c, &r);
    struct plan_line got;
    size_t n = 0;
    must(schedule_take(&c, false, &got, 1, &n), c.e);
    must(schedule_line_cancelled(&c, id, STR("the owner asked")), c.e);
    call_end(&c, &r);
    did(w, &w->analyst, "1", "amend", json_pack("{s:s}", "reason", "again"), T0, "amendment_draft");
    snprintf(line, sizeof line, "%lld", (long long)id);
    json_t *body = json_pack("{s:s, s:b, s:s}", "from_on", "2026-10-05", "accept", 1, "reason", "again");
    r = (struct desk_reply){ 0 };
    assert_int_equal(desk_schedule_line_change(w->desk, &w->analyst, STR("1"), str_c(line), body, T0, &r), -EINVAL);
    assert_string_equal(json_string_value(json_object_get(json_array_get(r.problems, 0), "code")), "called_off");
    json_decref(body);
    freed(&r);
    must(desk_schedule_line_drop(w->desk, &w->analyst, STR("1"), str_c(line), NULL, T0, &r), &r.err);
    freed(&r);
}

/* An object that leaves service under an agreed plan: what is behind that day goes, what runs stays, and whoever took the rest is told once that it is off. */
static void test_leaves(void **state)
{
    struct world *w = *state;
    struct desk_reply r = { 0 };
    struct people p;
    struct call c;
    struct plan_line got[64];
    struct plan_moved moved[64];
    size_t n = 0, off = 0, late = 0;

    people_make(w, &p);
    listed(w);
    team_make(w, &p.surveyor, 3);
    char *id = plan_open(w, 2027, T0);
    did(w, &w->analyst, id, "generate", json_pack("{s:s}", "scope", "all"), T0, "draft");
    did(w, &w->lead, id, "send", json_object(), T0, "sent_for_agreement");
    did(w, &p.knb, id, "agree", seen(w, json_object()), T0, "agreed");
    call_begin(w, &c, &r);
    must(schedule_take(&c, false, got, COUNT(got), &n), c.e);
    must(schedule_line_state(&c, got[n - 1].id, STR("survey"), STR("9"), STR("in_progress"), 0), c.e);   /* the last of the year, begun early */
    for (size_t i = 0; i + 1 < n; i++)
        late += str_cmp(got[i].from_on, STR("2027-09-01")) >= 0;
    call_end(&c, &r);
    assert_true(late > 0);
    assert_int_equal(db_exec(w->desk, NULL, "UPDATE record SET json = json_set(json, '$.terminated_on', '2027-09-01') WHERE kind = 'object' AND id = 'state-register'", ""), 1);
    did(w, &w->analyst, id, "amend", json_pack("{s:s}", "reason", "It ends."), JULY, "amendment_draft");
    did(w, &w->analyst, id, "generate", json_pack("{s:s}", "scope", "missing"), JULY, "amendment_draft");
    did(w, &w->lead, id, "send", json_object(), JULY, "sent_for_agreement");
    did(w, &p.knb, id, "agree", seen(w, json_object()), JULY, "in_execution");
    call_begin(w, &c, &r);
    must(schedule_moved(&c, false, moved, COUNT(moved), &n), c.e);
    for (size_t i = 0; i < n; i++)
        off += moved[i].cancelled && str_eq(moved[i].reason, STR("It ends."));
    assert_int_equal(off, n);
    call_end(&c, &r);
    number_is(w, "SELECT count(*) FROM plan_line WHERE draft = 0 AND from_on >= '2027-09-01'", 1);   /* what has begun */
    assert_int_equal(n >= late, 1);
    free(id);
}

/* Objects that may not become "scheduled" do not keep others from it, however many stand before them. */
static void test_many_refused(void **state)
{
    static const char *const sql[] = {
        "CREATE TEMP TABLE o AS SELECT * FROM object WHERE id = 'city-portal'",
        "CREATE TEMP TABLE q AS SELECT * FROM record WHERE kind = 'object' AND id = 'city-portal'",
        "UPDATE q SET json = json_set(json, '$.work_types', json('[]'))",
    };
    struct world *w = *state;
    int64_t n = 0;
    struct err e;

    assert_true(line_planned(w->desk, "state-register", "pentest_auto", "main", 1, "2026-04-06", "2026-04-08", 0) > 0);
    for (size_t i = 0; i < COUNT(sql); i++)
        must(db_exec(w->desk, &e, sql[i], ""), &e);
    for (int i = 0; i < 40; i++) {
        char name[16];

        snprintf(name, sizeof name, "a-%d", i);
        must(db_exec(w->desk, &e, "UPDATE o SET id = ?1", "z", name), &e);
        must(db_exec(w->desk, &e, "UPDATE q SET id = ?1, rid = (SELECT max(rid) + 1 FROM record)", "z", name), &e);
        must(db_exec(w->desk, &e, "INSERT INTO object SELECT * FROM o", ""), &e);
        must(db_exec(w->desk, &e, "INSERT INTO record SELECT * FROM q", ""), &e);
        assert_true(line_planned(w->desk, name, "pentest_auto", "main", 1, "2026-04-06", "2026-04-08", 0) > 0);
    }
    listed(w);
    must(desk_tick(w->desk, T0, NULL, &e), &e);
    must(db_int(w->desk, &e, 0, &n, "SELECT count(*) FROM object WHERE state = 'scheduled'", ""), &e);
    assert_int_equal(n, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_take, world_open, world_close),
        cmocka_unit_test_setup_teardown(test_progress, world_open, world_close),
        { "R-9-01 R-9-02 the machine of 7.8", test_machine, NULL, NULL, NULL },
        { "R-9-01 R-9-02 F-01 F-02 F-03 F-04 a plan is laid out, returned, agreed, amended and executed", test_plan, world_open, world_close, NULL },
        { "Q-15 an object that enters mid-year gets its share, one that ends loses what is not done", test_share, world_open, world_close, NULL },
        cmocka_unit_test_setup_teardown(test_conflicts, world_open, world_close),
        cmocka_unit_test_setup_teardown(test_pair_again, world_open, world_close),
        cmocka_unit_test_setup_teardown(test_called_off, world_open, world_close),
        { "Q-15 an object that leaves service under an agreed plan loses what lies behind, and whoever took it is told", test_leaves, world_open, world_close, NULL },
        cmocka_unit_test_setup_teardown(test_many_refused, world_open, world_close),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
