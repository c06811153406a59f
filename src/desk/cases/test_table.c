/* test_table.c - every machine with every state, action and role, against a table written from requirements 7.1-7.3, not from machine.c. */
#include "desk/cases/acts.h"
#include "desk/testing.h"

#define H NS_PER_HOUR
#define NOW (T0 + 100 * H)

/* States, by a letter each, in the order of enum case_state: */
static const char letters[] = "dpxneaimzkrcstOUf";
/*   d detected, p primary_analysis, x dismissed_by_sts, n notified, e event_confirmed, a event_analysed, i incident_confirmed,
 *   m measures_reported, z eliminated, k escalated_knb, r rejected, c closed, s self_detected, t sts_notified, O detected_by_ocib,
 *   U detected_by_unit, f confirmed
 * Roles: c the centre's analyst and lead, o the owner's officer and administrator, i the OCIB's analyst, r the CII responsible person, k KNB.
 * Machines: S 7.1, B 7.2, O and U 7.3 by its OCIB or its unit, N 7.3 by the unit where nobody provides the services of an OCIB.
 * The guards hold for every row: an object, an unfiled Annex 2, declared eliminations, level undefined, D-06 late (but for close, where no clock
 * runs), nobody told of what the notice tells, and so on: see put_state. */
#define OPEN_STATES "dpxneaimzkrstOUf"
static const struct { const char *machines, *action, *states, *roles; } table[] = {
    { "S", "analyse", "d", "c" },                    /* 7.1 row 3 */
    { "S", "dismiss", "dp", "c" },                   /* 4 */
    { "S", "notify", "dp", "c" },                    /* 5 */
    { "S", "acknowledge", "neaimzkr", "oi" },        /* the receipt; no row, no change of state */
    { "SB", "recommend", "neaimzkrt", "c" },         /* 6 */
    { "SB", "decide_visit", OPEN_STATES, "ck" },     /* 7 */
    { "SB", "send_employee", OPEN_STATES, "c" },     /* 7, 7.10 */
    { "SB", "visit_return", OPEN_STATES "c", "c" },  /* 7.10 */
    { "S", "confirm_event", "n", "oi" },             /* 8 */
    { "S", "confirm_incident", "ne", "oi" },         /* 9, 11 */
    { "S", "reject", "n", "oi" },                    /* 10 */
    { "S", "dispute_rejection", "r", "c" },          /* */
    { "S", "event_analysis", "e", "oi" },            /* 12 */
    { "S", "report_measures", "ikz", "oi" },         /* 13; also owed when elimination or escalation came first */
    { "SB", "eliminate", "itmk", "oi" },             /* 14, 16 */
    { "SB", "accept_elimination", "itmk", "c" },     /* 14, 16 */
    { "SB", "return_elimination", "itmk", "c" },
    { "SB", "notify_knb", "itm", "c" },              /* 15 */
    { "SB", "close", "axzr", "c" },                  /* 18 */
    { "B", "confirm_incident", "s", "oi" },          /* 7.2 row 2 */
    { "B", "reject", "s", "oi" },                    /* 3 */
    { "B", "notify_incident", "sikz", "oi" },        /* 4; with the confirmation in one act from s; late, but owed, from k and z */
    { "B", "report_measures", "tkz", "oi" },         /* 5 */
    { "O", "confirm_incident", "O", "i" },           /* 7.3 row 3 */
    { "O", "notify_incident", "Of", "i" },           /* 4 */
    { "UN", "confirm_incident", "U", "or" },         /* 5 */
    { "UN", "notify_incident", "Uf", "r" },          /* 6 */
    { "OU", "report_measures", "n", "i" },           /* 7 */
    { "N", "report_measures", "n", "or" },           /* 7, Q-29 */
    { "U", "report_measures", "", "or" },            /* the unit reports where there is no OCIB alone: the act is known to it, but never offered */
    { "OUN", "close", "m", "c" },                    /* 9 */
    { "SBOUN", "review_level", OPEN_STATES, "coir" },/* 17, 7.3 row 8 */
    { "SBOUN", "update", OPEN_STATES, "coir" },
    { "SBOUN", "decide_recurrence", OPEN_STATES, "coir" },   /* 19 */
    { "SBOUN", "consult_request", OPEN_STATES, "oir" },      /* 7.10 */
    { "SBOUN", "consult_give", OPEN_STATES "c", "c" },
    { "SBOUN", "take", OPEN_STATES, "coir" },
    { "SBOUN", "set_tlp", OPEN_STATES "c", "coir" },
    { "SBOUN", "external_number", OPEN_STATES, "coir" },
    { "SBOUN", "add_indicator", OPEN_STATES, "coir" },
    { "SBOUN", "remove_indicator", OPEN_STATES, "coir" },
    { "SBOUN", "save_draft", OPEN_STATES, "coir" },
    { "SBOUN", "merge", OPEN_STATES, "c" },
    { "SBOUN", "split", OPEN_STATES "c", "c" },
    { "SBOUN", "comment", OPEN_STATES "c", "coir" },
};

static char role_letter(enum desk_role r)
{
    return r == DESK_CENTRE_ANALYST || r == DESK_CENTRE_LEAD ? 'c' : r == DESK_OWNER_OFFICER || r == DESK_OWNER_ADMINISTRATOR ? 'o'
           : r == DESK_OCIB_ANALYST ? 'i' : r == DESK_CII_RESPONSIBLE ? 'r' : r == DESK_KNB ? 'k' : '-';
}

/* spec - may the role do it in the state? *known: has the machine such an act for the role in any state? */
static bool spec(char machine, const char *action, char state, char role, bool *known)
{
    bool may = false;

    *known = false;
    for (size_t i = 0; i < COUNT(table); i++)
        if (strcmp(table[i].action, action) == 0 && strchr(table[i].machines, machine) && strchr(table[i].roles, role)) {
            *known = true;
            may = may || strchr(table[i].states, state) != NULL;
        }
    /* 7.1 row 7 for KNB: on a case that it was told of and that is open; the fixture tells it of each. */
    return may;
}

struct fixture {
    struct world *w;
    int64_t       id, other;
    json_t       *annex7, *annex2;
};

static json_t *body_for(struct fixture *f, const char *action, const struct viewer *v)
{
    static const struct { const char *action, *json; } fixed[] = {
        { "dismiss", "{\"reason\":\"r\"}" }, { "reject", "{\"reason\":\"r\"}" }, { "event_analysis", "{\"text\":\"t\"}" },
        { "comment", "{\"text\":\"t\"}" }, { "review_level", "{\"level\":\"low\",\"reason\":\"r\"}" }, { "update", "{\"text\":\"t\"}" },
        { "dispute_rejection", "{\"reason\":\"r\"}" }, { "return_elimination", "{\"reason\":\"r\"}" }, { "decide_visit", "{\"reason\":\"r\"}" },
        { "send_employee", "{\"employee\":\"e\"}" }, { "visit_return", "{\"report\":\"r\"}" }, { "recommend", "{\"recommendations\":\"r\"}" },
        { "decide_recurrence", "{\"recurrence\":\"new\"}" }, { "consult_request", "{\"text\":\"t\"}" }, { "consult_give", "{\"text\":\"t\"}" },
        { "set_tlp", "{\"tlp\":\"amber\",\"reason\":\"r\"}" }, { "external_number", "{\"number\":\"7\"}" }, { "split", "{\"reason\":\"r\"}" },
        { "add_indicator", "{\"type\":\"ip\",\"value\":\"198.51.100.1\"}" },
        { "remove_indicator", "{\"type\":\"ip\",\"value\":\"198.51.100.2\",\"reason\":\"r\"}" },
    };

    for (size_t i = 0; i < COUNT(fixed); i++)
        if (strcmp(fixed[i].action, action) == 0)
            return json_loads(fixed[i].json, 0, NULL);
    if (strcmp(action, "notify") == 0)
        return json_pack("{s:O, s:s, s:s}", "annex7", f->annex7, "recommendations", "r", "detection_kind", "event");
    if (strcmp(action, "report_measures") == 0)
        return json_pack("{s:O}", "annex2", f->annex2);
    if (strcmp(action, "save_draft") == 0)
        return role_of_centre(v->role) ? json_pack("{s:s, s:O}", "form", "annex7", "annex7", f->annex7)
                                       : json_pack("{s:s, s:O}", "form", "annex2", "annex2", f->annex2);
    if (strcmp(action, "confirm_incident") == 0)
        return incident_body(T0 + 1 * H, "undefined");
    if (strcmp(action, "notify_incident") == 0)
        return json_pack("{s:s, s:s, s:o}", "what", "w", "contact", "c", "confirmed_at", json_time(T0 + 1 * H));
    if (strcmp(action, "eliminate") == 0)
        return eliminate_body(T0 + 99 * H);
    if (strcmp(action, "merge") == 0)
        return json_pack("{s:o, s:s}", "into", json_id(f->other), "reason", "r");
    return NULL;
}

static void sql(struct world *w, const char *text) { assert_int_equal(sqlite3_exec(w->desk->db, text, NULL, NULL, NULL), SQLITE_OK); }

static void put_state(struct fixture *f, char machine, enum case_state s, const char *action)
{
    struct world *w = f->w;
    enum machine m = machine == 'S' ? MACHINE_STS : machine == 'B' ? MACHINE_SELF : machine == 'O' ? MACHINE_OCIB : MACHINE_UNIT;
    bool sts = m == MACHINE_STS, told = !sts || s > CASE_DISMISSED, notice = strcmp(action, "notify_incident") == 0;
    bool unconfirmed = s == CASE_SELF_DETECTED || s == CASE_DETECTED_BY_OCIB || s == CASE_DETECTED_BY_UNIT;

    assert_true(db_exec(w->desk, NULL,
                        "UPDATE cases SET state = ?2, machine = ?3, detector = ?4, notified_at = ?5, sts_notified_at = ?6, second_notified_at = ?6, annex2 = NULL,"
                        " acknowledged_at = NULL, causes_at = ?7, consequences_at = ?7, causes_accepted_at = NULL, consequences_accepted_at = NULL,"
                        " level = 'undefined', confirmed_at = ?8, escalated_at = ?9, eliminated_at = NULL, closed_at = ?10, merged_into = ?11, tlp = 'amber'"
                        " WHERE id = ?1",
                        "izzzmmmmmmm", f->id, case_state_name(s), machine_name(m), machine_detector(m), sts && told ? T0 + NS_PER_MINUTE : (time_ns)0,
                        notice || (sts && !told) ? (time_ns)0 : T0 + 2 * NS_PER_MINUTE, T0 + 50 * H, notice && unconfirmed ? (time_ns)0 : T0 + 1 * H,
                        T0 + 90 * H, s == CASE_CLOSED ? T0 + 91 * H : (time_ns)0, strcmp(action, "split") == 0 ? (time_ns)f->other : (time_ns)0) == 1);
    /* For update and its kin somebody has been told; an untold case of the centre is notified for them here. */
    if (strcmp(action, "update") == 0)
        assert_true(db_exec(w->desk, NULL, "UPDATE cases SET second_notified_at = ?2 WHERE id = ?1", "im", f->id, T0 + 2 * NS_PER_MINUTE) == 1);
    assert_true(db_exec(w->desk, NULL, "UPDATE cases SET machine = ?2, detector = ?3 WHERE id = ?1", "izz", f->other, machine_name(m), machine_detector(m)) == 1);
    assert_true(db_exec(w->desk, NULL, "UPDATE object SET ocib_id = ?2 WHERE id = ?1", "zz", "state-register", machine == 'N' ? NULL : "ocib-1") == 1);
    assert_true(db_exec(w->desk, NULL, "UPDATE duty SET state = CASE WHEN ?2 AND obligation = 'D-06' AND case_id = ?1 THEN 'running' ELSE 'cancelled' END", "ii",
                        f->id, (int64_t)(strcmp(action, "close") != 0)) > 0);
    sql(w, "DELETE FROM case_visit; DELETE FROM consultation; DELETE FROM case_person; DELETE FROM indicator; DELETE FROM case_merge;");
    assert_true(db_exec(w->desk, NULL, "INSERT INTO case_merge(source_id, target_id, at, reason, before) VALUES (?,?,?,'r','{}')", "iii", f->id, f->other, T0) == 1);
    assert_true(db_exec(w->desk, NULL, "INSERT INTO indicator(case_id, type, norm, value, own, origin, at) VALUES (?,'ip','198.51.100.2','198.51.100.2',0,'event',0)",
                        "i", f->id) == 1);
    if (strcmp(action, "send_employee") == 0 || strcmp(action, "visit_return") == 0)
        assert_true(db_exec(w->desk, NULL, "INSERT INTO case_visit(case_id, state, decided_by, decided_at, reason) VALUES (?1,?2,'sts',0,'r')", "iz", f->id,
                            *action == 's' ? "need_determined" : "sent") == 1);
    if (strcmp(action, "consult_give") == 0)
        assert_true(db_exec(w->desk, NULL, "INSERT INTO consultation(case_id, state, requested_at, question) VALUES (?,'requested',0,'q')", "i", f->id) == 1);
    sql(w, "UPDATE approval SET state = 'withdrawn' WHERE state = 'waiting'");
}

/* offered - does the case tell this person of the act? */
static bool offered_to(struct world *w, const struct viewer *v, int64_t id, const char *action)
{
    struct desk_reply r = { 0 };
    struct call c;
    struct kase k;
    bool yes = false;

    desk_call_init(&c, w->desk, v, NOW, &r);
    if (case_load(&c, id, &k) == 0) {
        json_t *list = actions_json(&c, &k), *one = json_pack("{s:o}", "actions", list);

        yes = offers(one, action);
        json_decref(one);
    }
    desk_call_free(&c);
    desk_reply_free(&r);
    return yes;
}

/* draws - acts that make a document take a tenth of a second each: in each machine they are done once, and offered in every state and to every role
 * that may. */
static bool draws(const char *action)
{
    static const char *const slow[] = { "notify", "report_measures", "notify_incident", "update", "notify_knb" };

    for (size_t i = 0; i < COUNT(slow); i++)
        if (strcmp(slow[i], action) == 0)
            return true;
    return false;
}

/* try_and_undo - what the act returns; whatever it did is rolled back, so that the next cell finds the case as it was. */
static int try_and_undo(struct world *w, const struct viewer *v, int64_t id, const char *action, json_t *body, struct desk_reply *r)
{
    struct call c;
    struct err e;

    *r = (struct desk_reply){ 0 };
    desk_call_init(&c, w->desk, v, NOW, r);
    must(db_begin(w->desk, c.e), c.e);
    int rc = act_run(&c, id, str_c(action), body);
    assert_int_equal(db_end(w->desk, -ECANCELED, &e), -ECANCELED);
    desk_call_free(&c);
    json_decref(body);
    return rc;
}

static void cell(struct fixture *f, char machine, enum case_state s, const char *action, const struct viewer *v, bool *done)
{
    char role = role_letter(v->role), name[400];
    bool known, may = spec(machine, action, letters[s], role, &known), party = role == 'o' || role == 'i' || role == 'r';
    bool dark = machine == 'S' && s <= CASE_DISMISSED;   /* before the notice the owner does not see the case */
    bool unseen = (party && dark) || (machine == 'N' && role == 'i') || v->role == DESK_AUTHORISED_BODY;
    int want = unseen ? -ENOENT : !known ? -EACCES : may ? 0 : -EPROTO;
    struct desk_reply r;

    CHECK(action, offered_to(f->w, v, f->id, action) == (want == 0));
    if (want == 0 && *done && draws(action))
        return;
    /* What is not offered is refused: one cell in eight is tried, each action in each machine by several roles and in several states. */
    if (want != 0 && (s * 5 + v->role * 3 + (unsigned char)*action) % 8 != 0)
        return;
    int rc = try_and_undo(f->w, v, f->id, action, body_for(f, action, v), &r);
    snprintf(name, sizeof name, "machine %c: %s in %s by %s: %d, wanted %d (%.120s)", machine, action, case_state_name(s), desk_role_name(v->role), rc, want,
             r.err.text);
    CHECK(name, rc == want);
    CHECK(name, (rc == 0) == (r.code == NULL));
    desk_reply_free(&r);
    *done = *done || rc == 0;
}

static struct viewer person(struct world *w, enum desk_role role)
{
    struct viewer v = w->analyst;
    char letter = role_letter(role);

    v.role = role;
    snprintf(v.org_id, sizeof v.org_id, "%s", letter == 'o' || letter == 'r' ? "registry-centre" : letter == 'i' ? "ocib-1" : letter == 'k' ? "knb" : "sts");
    return v;
}

static void fixture_open(struct world *w, struct fixture *f)
{
    *f = (struct fixture){ .w = w };
    sql(w, "PRAGMA synchronous = OFF; INSERT INTO org(id, name, kind, created_at, updated_at) VALUES ('ocib-1', 'OCIB', 'ocib', 0, 0);");
    f->other = case_new(w, "rule-other", T0);
    f->id = case_new(w, "rule-table", T0);
    json_t *c = case_get(w, &w->analyst, f->id, T0);
    f->annex7 = json_deep_copy(json_object_get(c, "annex7"));
    json_decref(c);
    act_do(w, &w->analyst, f->id, "notify", notify_body(w, f->id, T0), T0 + NS_PER_MINUTE);
    act_do(w, &w->registry, f->id, "confirm_incident", incident_body(T0 + 1 * H, "undefined"), T0 + 1 * H);
    json_t *m = measures_body(w, f->id, NOW, "low");
    f->annex2 = json_incref(json_object_get(m, "annex2"));
    json_decref(m);
}

static void machine_table(struct world *w, char machine)
{
    struct fixture f;

    fixture_open(w, &f);
    for (size_t a = 0; a < transition_count; a++) {
        const char *action = transitions[a].name;
        bool again = false, done = false;

        for (size_t b = 0; b < a; b++)
            again = again || strcmp(transitions[b].name, action) == 0;
        for (enum case_state s = 0; !again && s < CASE_STATE_COUNT; s++) {
            put_state(&f, machine, s, action);
            for (enum desk_role r = 0; r < DESK_ROLE_COUNT; r++) {
                struct viewer v = person(w, r);

                cell(&f, machine, s, action, &v, &done);
            }
        }
    }
    json_decref(f.annex7);
    json_decref(f.annex2);
}

static void machine_sts(void **state) { machine_table(*state, 'S'); }
static void machine_self(void **state) { machine_table(*state, 'B'); }
static void machine_ocib(void **state) { machine_table(*state, 'O'); }
static void machine_unit(void **state) { machine_table(*state, 'U'); }
static void machine_alone(void **state) { machine_table(*state, 'N'); }

/* Every act of the table stands in the specification: nobody adds a step that was not thought of. */
static void no_act_beside_the_specification(void **state)
{
    (void)state;
    for (size_t i = 0; i < transition_count; i++) {
        bool found = false;

        for (size_t k = 0; k < COUNT(table); k++)
            found = found || strcmp(table[k].action, transitions[i].name) == 0;
        CHECK(transitions[i].name, found);
    }
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
    { "a moment that is none", "eliminate", "{\"causes_at\":\"soon\"}", "causes_at" },
    { "an unknown label", "set_tlp", "{\"tlp\":\"white\",\"reason\":\"r\"}", "tlp" },
    { "an unknown addressee", "notify_incident", "{\"what\":\"w\",\"contact\":\"c\",\"to\":[\"press\"]}", "to.0" },
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
        T(machine_sts, "7.1 every state, action and role of a case that the centre detected, as the catalogue says"),
        T(machine_self, "7.2 every state, action and role of a case that the owner's side detected, as the catalogue says"),
        T(machine_ocib, "7.3 R-22-01 every state, action and role of a case that an OCIB detected, as the catalogue says"),
        T(machine_unit, "7.3 every state, action and role of a case that the unit of a CII object detected, as the catalogue says"),
        T(machine_alone, "7.3 the same where nobody provides the services of an OCIB"),
        { .name = "no act stands beside the catalogue", .test_func = no_act_beside_the_specification },
        T(an_act_that_fails_changes_nothing, "an act that fails half-way changes nothing"),
        { .name = "R-A2-14 R-A2-38 bodies of actions are judged, with the place of what is wrong", .test_func = bodies_are_judged_with_the_place },
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
