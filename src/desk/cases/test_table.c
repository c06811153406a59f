/* test_table.c - every state with every action for every viewer, against a table written from requirements 7.1, not from acts.c. */
#include "desk/testing.h"

#define H NS_PER_HOUR
#define NOW (T0 + 100 * H)

/* c: the centre's analyst may, o: the owner's officer may, b: both; by state in the order of enum case_state:
 *   detected, primary_analysis, dismissed_by_sts, notified, event_confirmed, event_analysed,
 *   incident_confirmed, measures_reported, eliminated, escalated_knb, rejected, closed
 * The guards hold for every row: an object, an unfiled Annex 2, a declared elimination, level undefined, D-06 late (but for close,
 * where no clock runs). */
static const struct { const char *action, *may; } table[] = {
    { "analyse",            "c..........." },   /* row 3 */
    { "dismiss",            "cc.........." },   /* row 4 */
    { "notify",             "cc.........." },   /* row 5 */
    { "acknowledge",        "...oooooooo." },   /* the receipt; no row, no change of state */
    { "confirm_event",      "...o........" },   /* row 8 */
    { "confirm_incident",   "...oo......." },   /* rows 9, 11 */
    { "reject",             "...o........" },   /* row 10 */
    { "event_analysis",     "....o......." },   /* row 12 */
    { "report_measures",    "......o.oo.." },   /* row 13; also owed when elimination or escalation came first */
    { "eliminate",          "......oo.o.." },   /* rows 14, 16 */
    { "accept_elimination", "......cc.c.." },   /* rows 14, 16 */
    { "notify_knb",         "......cc...." },   /* row 15 */
    { "review_level",       "cccbbbbbbbb." },   /* row 17; before the notice the owner does not see the case */
    { "comment",            "cccbbbbbbbbb" },   /* adds a line alone */
    { "close",              "..c..c..c.c." },   /* row 18 */
};

static json_t *body_for(struct world *w, const char *action, int64_t id)
{
    static const struct { const char *action, *json; } fixed[] = {
        { "dismiss", "{\"reason\":\"r\"}" }, { "reject", "{\"reason\":\"r\"}" }, { "event_analysis", "{\"text\":\"t\"}" },
        { "comment", "{\"text\":\"t\"}" },   { "review_level", "{\"level\":\"low\",\"reason\":\"r\"}" },
    };

    for (size_t i = 0; i < COUNT(fixed); i++)
        if (strcmp(fixed[i].action, action) == 0)
            return json_loads(fixed[i].json, 0, NULL);
    if (strcmp(action, "notify") == 0)
        return notify_body(w, id, NOW);
    if (strcmp(action, "confirm_incident") == 0)
        return incident_body(T0 + 1 * H, "low");
    if (strcmp(action, "eliminate") == 0)
        return eliminate_body(T0 + 99 * H);
    return NULL;
}

static void must_exec(struct world *w, int rc) { (void)w; assert_true(rc >= 0); }

static void put_state(struct world *w, int64_t id, enum case_state s, const char *action)
{
    bool told = s > CASE_DISMISSED, late = strcmp(action, "close") != 0;

    must_exec(w, db_exec(w->desk, NULL,
                         "UPDATE cases SET state = ?2, notified_at = ?3, annex2 = NULL, acknowledged_at = NULL, declared_at = ?4, level = 'undefined',"
                         " confirmed_at = ?5, escalated_at = NULL, eliminated_at = NULL WHERE id = ?1",
                         "izmmm", id, case_state_name(s), told ? T0 + NS_PER_MINUTE : (time_ns)0, T0 + 50 * H, T0 + 1 * H));
    must_exec(w, db_exec(w->desk, NULL, "UPDATE duty SET state = CASE WHEN ?2 AND obligation = 'D-06' THEN 'running' ELSE 'cancelled' END WHERE case_id = ?1",
                         "ii", id, (int64_t)late));
    must_exec(w, db_exec(w->desk, NULL, "UPDATE approval SET state = 'withdrawn' WHERE state = 'waiting'", ""));
}

static void every_state_action_and_viewer(void **state)
{
    struct world *w = *state;
    int64_t id = case_new(w, "rule-table", T0);
    const struct viewer *viewers[] = { &w->admin, &w->analyst, &w->registry, &w->city };

    act_do(w, &w->analyst, id, "notify", notify_body(w, id, T0), T0 + NS_PER_MINUTE);
    act_do(w, &w->registry, id, "confirm_incident", incident_body(T0 + 1 * H, "undefined"), T0 + 1 * H);
    json_t *measures = measures_body(w, id, NOW, "low");
    for (size_t a = 0; a < COUNT(table); a++)
        for (enum case_state s = 0; s < CASE_STATE_COUNT; s++)
            for (size_t v = 0; v < COUNT(viewers); v++) {
                char name[400], may = table[a].may[s];
                bool told = s > CASE_DISMISSED, centre = viewers[v] == &w->analyst, owner = viewers[v] == &w->registry;
                bool role = centre ? strpbrk(table[a].may, "cb") != NULL : owner ? strpbrk(table[a].may, "ob") != NULL : false;
                bool now = may == 'b' || (centre && may == 'c') || (owner && may == 'o');
                int want = viewers[v] == &w->city || (owner && !told) ? -ENOENT : !role ? -EACCES : !now ? -EPROTO : 0;
                struct desk_reply r;

                put_state(w, id, s, table[a].action);
                json_t *c = viewers[v] == &w->city || (owner && !told) ? NULL : case_get(w, viewers[v], id, NOW);
                bool offered = c && offers(c, table[a].action);
                json_decref(c);
                json_t *body = strcmp(table[a].action, "report_measures") == 0 ? json_incref(measures) : body_for(w, table[a].action, id);
                int rc = act_try(w, viewers[v], id, table[a].action, body, NOW, &r);
                snprintf(name, sizeof name, "%s in %s by %s: %d, wanted %d (%.60s)", table[a].action, case_state_name(s), viewers[v]->login, rc, want,
                         r.err.text);
                CHECK(name, rc == want);
                CHECK(name, offered == (want == 0));
                CHECK(name, (rc == 0) == (r.code == NULL));
                desk_reply_free(&r);
            }
    json_decref(measures);
}

static void an_act_that_fails_changes_nothing(void **state)
{
    struct world *w = *state;
    int64_t id = case_new(w, "rule-atomic", T0), audit = 0, after = 0;
    struct desk_reply r;
    json_t *before, *now;

    before = case_get(w, &w->analyst, id, T0);
    assert_int_equal(db_int(w->desk, NULL, 0, &audit, "SELECT count(*) FROM audit WHERE outcome = 'ok'", ""), 0);
    /* The documents cannot be kept: a file stands where the folder should be. */
    char path[4096];
    folder_remove(node_path(w->node, "documents", path));
    int fd = open(path, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
    assert_true(fd >= 0);
    close(fd);
    assert_int_equal(act_try(w, &w->analyst, id, "notify", notify_body(w, id, T0), T0, &r), -EIO);
    assert_string_equal(r.code, "internal");
    desk_reply_free(&r);
    now = case_get(w, &w->analyst, id, T0);
    assert_true(json_equal(before, now));
    assert_int_equal(db_int(w->desk, NULL, 0, &after, "SELECT count(*) FROM audit WHERE outcome = 'ok'", ""), 0);
    assert_true(audit == after);
    json_decref(before);
    json_decref(now);
    /* Policy would send the notice too and cannot; the clock is marked overdue all the same. */
    struct err e;
    assert_true(db_exec(w->desk, NULL, "UPDATE cases SET auto_pending = 1", "") == 1);
    assert_int_equal(desk_tick(w->desk, T0 + 1 * H, NULL, &e), -EIO);
    now = case_get(w, &w->analyst, id, T0 + 1 * H);
    assert_int_equal(lines_of(now, "clock_overdue", "D-05"), 1);
    json_decref(now);
    unlink(path);
}

static const struct { const char *name, *action, *body, *field; } bodies[] = {
    { "an unknown property", "comment", "{\"text\":\"a\",\"x\":1}", "x" },
    { "a missing property", "comment", "{}", "text" },
    { "blanks are no reason", "dismiss", "{\"reason\":\"  \"}", "reason" },
    { "a number is no text", "dismiss", "{\"reason\":7}", "reason" },
    { "control bytes are no text", "dismiss", "{\"reason\":\"a\\u0007b\"}", "reason" },
    { "an unknown level", "confirm_incident", "{\"confirmed_at\":\"2026-03-20T19:00:00Z\",\"level\":\"huge\"}", "level" },
    { "not a moment", "confirm_incident", "{\"confirmed_at\":\"yesterday\",\"level\":\"low\"}", "confirmed_at" },
    { "a form that is no object", "notify", "{\"annex7\":[],\"recommendations\":\"r\",\"detection_kind\":\"event\"}", "annex7" },
    { "a date that does not exist", "notify", "{\"annex7\":{\"registered_on\":\"2026-02-30\"},\"recommendations\":\"r\",\"detection_kind\":\"event\"}",
      "annex7.registered_on" },
    { "a negative count", "notify", "{\"annex7\":{\"ipt_hit_count\":-1},\"recommendations\":\"r\",\"detection_kind\":\"event\"}",
      "annex7.ipt_hit_count" },
    { "none beside others", "report_measures", "{\"annex2\":{\"consequences\":[\"none\",\"integrity_breach\"]}}", "annex2.consequences" },
    { "a consequence twice", "report_measures", "{\"annex2\":{\"consequences\":[\"integrity_breach\",\"integrity_breach\"]}}", "annex2.consequences" },
    { "an unknown kind of indicator", "report_measures", "{\"annex2\":{\"iocs\":[{\"type\":\"ip\",\"value\":\"1\"},{\"type\":\"smell\",\"value\":\"1\"}]}}",
      "annex2.iocs.1.type" },
};

static void bodies_are_judged_with_the_place(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(bodies); i++) {
        char field[DESK_FIELD_MAX] = "";
        json_t *body = json_loads(bodies[i].body, 0, NULL);

        CHECK(bodies[i].name, body != NULL);
        CHECK(bodies[i].name, act_body_check(str_c(bodies[i].action), body, field, NULL) == -EINVAL);
        CHECK(bodies[i].name, strcmp(field, bodies[i].field) == 0);
        json_decref(body);
    }
}

#define T(f, n) { .name = n, .test_func = f, .setup_func = world_open, .teardown_func = world_close }

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(every_state_action_and_viewer, "every state, action and viewer of a case, as requirements 7.1 says"),
        T(an_act_that_fails_changes_nothing, "an act that fails half-way changes nothing"),
        { .name = "R-A2-14 R-A2-38 bodies of actions are judged, with the place of what is wrong", .test_func = bodies_are_judged_with_the_place },
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
