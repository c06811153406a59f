/* test_found.c - what surveys find in the quarterly summaries: violations of technical documentation and vulnerabilities, as of any moment. */
#include "desk/reports/internal.h"
#include "desk/testing.h"

#define Q1_DAY(n) (T0 + (n) * NS_PER_DAY)

static void sql(struct world *w, const char *text, int64_t a, int64_t b)
{
    struct err e;
    sqlite3_stmt *st = db_query(w->desk, &e, text, "ii", a, b);

    assert_non_null(st);
    must(db_step(w->desk, st, &e), &e);
    db_done(st);
}

/* world_found - a document survey that ended on day 2 found three violations; of one the owner reported on day 5, one was fixed on day 6, and the
 * requirement of the third did not apply any more on that day. */
static void world_found(struct world *w)
{
    static const char *const rows[] = {
        "INSERT INTO td_requirement(id, code, document, position, sha256, json, taken_at) VALUES (1, 'P-01', 'is_policy', 1, printf('%064d', ?2), '{}', ?1)",
        "INSERT INTO td_survey(id, number, object_id, state, waits, ended, inner, planned_from, reason, opened_at, updated_at, completed_at)"
        " VALUES (1, 'TD-1', 'state-register', 'results_sent', 'owner', 0, 0, '2026-03-20', 'asked for', ?1 - ?2, ?1, ?1)",
        "INSERT INTO td_violation(id, number, object_id, document, code, requirement_id, state, open, found_survey, survey_id, description, recommendation,"
        " found_at, updated_at) VALUES (1, 'TDV-1', 'state-register', 'is_policy', 'P-01', 1, 'fixed', 0, 1, 1, 'not approved', 'approve it', ?1, ?1 + ?2),"
        " (2, 'TDV-2', 'state-register', 'backup_journal', 'B-01', 1, 'measure_reported', 1, 1, 1, 'not kept', 'keep it', ?1, ?1 + ?2),"
        " (3, 'TDV-3', 'state-register', 'cable_journal', 'C-01', 1, 'not_applicable', 0, 1, 1, 'not kept', 'keep it', ?1, ?1 + ?2)",
        "INSERT INTO td_step(violation_id, survey_id, state, at) VALUES (1, 1, 'found', ?1 + ?2), (2, 1, 'found', ?1 + ?2), (3, 1, 'found', ?1 + ?2)",
    };

    for (size_t i = 0; i < COUNT(rows); i++)
        sql(w, rows[i], Q1_DAY(2), NS_PER_HOUR);
    sql(w, "INSERT INTO td_step(violation_id, survey_id, state, at) VALUES (2, 1, 'measure_reported', ?1 + 0 * ?2)", Q1_DAY(5), 0);
    sql(w, "INSERT INTO td_step(violation_id, survey_id, state, at) VALUES (1, 1, 'fixed', ?1 + 0 * ?2), (3, 1, 'not_applicable', ?1)", Q1_DAY(6), 0);
}

/* figure_is - total of a figure, and of one part of it (NULL: not asked), as of a moment. */
static void figure_is(struct world *w, unsigned in, time_ns as_of, const char *id, int64_t total, const char *part, int64_t of_part)
{
    struct desk_reply r = { 0 };
    struct period p;
    struct call c;
    json_t *list, *f, *one;
    size_t i, k;
    bool seen = false;

    desk_call_init(&c, w->desk, &w->analyst, Q1_DAY(100), &r);
    must(period_of(&c, STR("2026Q1"), STR(""), &p), c.e);
    p.as_of = as_of;
    must(figures_json(&c, in, &p, LANG_EN, &list), c.e);
    json_array_foreach(list, i, f) {
        if (strcmp(json_string_value(json_object_get(f, "id")), id) != 0)
            continue;
        seen = true;
        CHECK(id, json_integer_value(json_object_get(f, "total")) == total);
        json_array_foreach(json_object_get(f, "parts"), k, one)
            if (part && strcmp(json_string_value(json_object_get(one, "value")), part) == 0) {
                CHECK(part, json_integer_value(json_object_get(one, "count")) == of_part);
                CHECK(part, strchr(json_string_value(json_object_get(one, "label")), '_') == NULL);   /* in words, not by its identifier */
                part = NULL;
            }
    }
    CHECK(id, seen && (!part || of_part == 0));
    json_decref(list);
    desk_call_free(&c);
    desk_reply_free(&r);
}

static void changes_on_hosts_are_counted_by_kind(void **state)
{
    struct world *w = *state;

    sql(w, "INSERT INTO integrity_change(object_id, kind, key, against, what, state, found_at, last_at) VALUES ('state-register', 'files', '/a', 'passport',"
           " 'changed', 'open', ?1, ?2), ('state-register', 'packages', 'nginx', 'before', 'changed', 'recorded', ?1, ?2)", Q1_DAY(2), Q1_DAY(2));
    sql(w, "INSERT INTO integrity_change(object_id, kind, key, against, what, state, found_at, last_at, decided_at) VALUES ('state-register', 'files', '/b',"
           " 'passport', 'missing', 'withdrawn', ?1, ?2, ?2)", Q1_DAY(2), Q1_DAY(5));
    figure_is(w, IN_17, Q1_DAY(50), "changes.integrity", 2, "files", 1);
    figure_is(w, IN_18, Q1_DAY(50), "changes.integrity", 2, "packages", 1);
    figure_is(w, IN_17, Q1_DAY(3), "changes.integrity", 3, "files", 2);   /* as it was known before the file came back */
}

static void violations_are_counted_by_document(void **state)
{
    static const unsigned in[] = { IN_17, IN_18 };
    struct world *w = *state;

    world_found(w);
    for (size_t i = 0; i < COUNT(in); i++) {
        figure_is(w, in[i], Q1_DAY(50), "violations.surveys", 1, NULL, 0);
        figure_is(w, in[i], Q1_DAY(50), "violations.found", 3, "is_policy", 1);
        figure_is(w, in[i], Q1_DAY(50), "violations.fixed", 1, "is_policy", 1);
        figure_is(w, in[i], Q1_DAY(50), "violations.not_applicable", 1, "cable_journal", 1);
        figure_is(w, in[i], Q1_DAY(50), "violations.open", 1, "backup_journal", 1);
        figure_is(w, in[i], Q1_DAY(50), "violations.persisting", 0, NULL, 0);
        figure_is(w, in[i], Q1_DAY(50), "measures.violations", 1, NULL, 0);
    }
    /* As it was known before: nothing yet, then three that are open. */
    figure_is(w, IN_17, Q1_DAY(2), "violations.found", 0, NULL, 0);
    figure_is(w, IN_17, Q1_DAY(3), "violations.open", 3, "is_policy", 1);
    figure_is(w, IN_17, Q1_DAY(3), "violations.fixed", 0, NULL, 0);
    figure_is(w, IN_17, Q1_DAY(3), "measures.violations", 0, NULL, 0);
}

/* vulnerability - one that was first seen on day 1 with a severity (scan.h: 1 is informational). */
static void vulnerability(struct world *w, int64_t id, int64_t severity)
{
    sql(w,
        "INSERT INTO vuln(id, object_id, key, live, state, open, since, sent, own, rank, severity, vector, kev, cves, host, port, protocol, component, path,"
        " contour, first_detected_at, last_seen_at) VALUES (?1, 'state-register', 'k' || ?1, 1, 'sent_to_owner', 1, 1, 1, 0, 0, ?2, '', 0, '', '', -1, '', '',"
        " '', '', 1, 1)", id, severity);
}

static void version(struct world *w, int64_t id, int from, int until, const char *state, bool open)
{
    struct err e;

    must(db_exec(w->desk, &e, "INSERT INTO vuln_version SELECT id, ?2, ?3, 1, ?4, ?5, severity, id = 2, ?6, iif(?4 = 'fixed', ?2, NULL) FROM vuln WHERE id = ?1",
                 "iiizii", id, Q1_DAY(from), until ? Q1_DAY(until) : INT64_MAX, state, (int64_t)open, Q1_DAY(1)), &e);
}

static void vulnerabilities_are_counted_as_they_stood(void **state)
{
    static const unsigned in[] = { IN_17, IN_18 };
    struct world *w = *state;

    vulnerability(w, 1, 5);   /* critical: found, fixed on day 8 */
    vulnerability(w, 2, 4);   /* high and known to be exploited: stays */
    vulnerability(w, 3, 1);   /* an open port: no vulnerability */
    version(w, 1, 2, 8, "sent_to_owner", true);
    version(w, 1, 8, 0, "fixed", false);
    version(w, 2, 2, 0, "sent_to_owner", true);
    version(w, 3, 2, 0, "found_by_survey", true);
    sql(w, "INSERT INTO vuln_survey(id, object_id, number, mode, control, main_id, completed_at, measures_at, cancelled, scope_given) VALUES (1,"
           " 'state-register', 'S-1', 'pentest_auto', 0, 0, ?1, ?2, 0, 0)", Q1_DAY(3), Q1_DAY(7));
    sql(w, "INSERT INTO vuln_act(vuln_id, kind, at, recorded_at, category, json) VALUES (2, 'claim', ?1, ?2, 'zero_day', '{}')", Q1_DAY(6), Q1_DAY(6));
    for (size_t i = 0; i < COUNT(in); i++) {
        figure_is(w, in[i], Q1_DAY(50), "vulnerabilities.surveys", 1, "pentest_auto", 1);
        figure_is(w, in[i], Q1_DAY(50), "vulnerabilities.found", 2, "critical", 1);
        figure_is(w, in[i], Q1_DAY(50), "vulnerabilities.fixed", 1, "critical", 1);
        figure_is(w, in[i], Q1_DAY(50), "vulnerabilities.open", 1, "high", 1);
        figure_is(w, in[i], Q1_DAY(50), "vulnerabilities.exploited", 1, NULL, 0);
        figure_is(w, in[i], Q1_DAY(50), "measures.surveys", 1, "pentest_auto", 1);
        figure_is(w, in[i], Q1_DAY(50), "measures.claims", 1, "zero_day", 1);
    }
    figure_is(w, IN_17, Q1_DAY(1), "vulnerabilities.found", 0, NULL, 0);
    figure_is(w, IN_17, Q1_DAY(5), "vulnerabilities.open", 2, "critical", 1);
    figure_is(w, IN_17, Q1_DAY(5), "vulnerabilities.fixed", 0, NULL, 0);
    figure_is(w, IN_17, Q1_DAY(5), "measures.claims", 0, NULL, 0);
}

int main(void)
{
#define T(f, name) { name, f, world_open, world_close, NULL }
    const struct CMUnitTest tests[] = {
        T(vulnerabilities_are_counted_as_they_stood,
          "R-17-04 R-18-03 vulnerabilities are counted by severity as they stood then: found, fixed, open and exploited at the end; surveys, measures, claims"),
        T(changes_on_hosts_are_counted_by_kind, "R-17-05 R-18-04 changes on hosts that agents found are counted by kind"),
        T(violations_are_counted_by_document, "R-17-06 R-18-05 violations of TD are counted by document: found, found again, fixed, open at the end"),
    };

    return cmocka_run_group_tests_name("reports_found", tests, NULL, NULL);
}
