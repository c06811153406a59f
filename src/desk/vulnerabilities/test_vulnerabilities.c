/* test_vulnerabilities.c - identity, coverage and comparison, the set of imports and not their order, Annex 5 and Annex 6 with their terms, who sees what. */
#include "desk/blob.h"
#include "desk/vulnerabilities/testing.h"

#define DAY NS_PER_DAY
#define F(...) { __VA_ARGS__ }   /* without port and score: report_feed says so */
#define LIST(...) (const struct str[]){ __VA_ARGS__ }
#define S(text) STR_INIT(text)

/* --- the machine of 7.4 --- */

struct life_row {
    const char       *name;
    struct life_event events[8];
    enum vuln_state   want;
    const char       *verdict;   /* of the last control survey; NULL: none */
};
#define E(k, t, ...) { .kind = LIFE_##k, .at = t, .id = t, __VA_ARGS__ }
static const struct life_row life_rows[] = {
    { "row 1: found by a survey", { E(SEEN, 10) }, VULN_FOUND_BY_SURVEY, NULL },
    { "row 2: found by the owner", { E(OWNER_FOUND, 10) }, VULN_FOUND_BY_OWNER, NULL },
    { "row 3: results are given", { E(SEEN, 10), E(SENT, 20) }, VULN_SENT, NULL },
    { "row 4: Annex 5 is received", { E(OWNER_FOUND, 10), E(OWNER_REPORTED, 11) }, VULN_REPORTED, NULL },
    { "row 6: measures are reported", { E(SEEN, 10), E(SENT, 20), E(MEASURES, 30) }, VULN_MEASURES, NULL },
    { "row 7: a claim", { E(SEEN, 10), E(SENT, 20), E(CLAIM, 30, .claim = VULN_CLAIM_ZERO_DAY) }, VULN_CLAIM_ZERO_DAY, NULL },
    { "row 8: a claim is returned", { E(SEEN, 10), E(SENT, 20), E(CLAIM, 30, .claim = VULN_CLAIM_NECESSITY), E(CLAIM_RETURNED, 40) }, VULN_CLAIM_RETURNED, NULL },
    { "row 9: the control survey takes place", { E(SEEN, 10), E(SENT, 20), E(MEASURES, 30), E(CONTROL_BEGUN, 40, .related = true) }, VULN_UNDER_CONTROL, NULL },
    { "row 10: covered and not found", { E(SEEN, 10), E(SENT, 20), E(MEASURES, 30), E(CONTROL_BEGUN, 40, .related = true),
      E(CONTROL_ENDED, 50, .related = true, .cover = COVER_PROVED) }, VULN_FIXED, "fixed" },
    { "not covered goes back to where it was", { E(SEEN, 10), E(SENT, 20), E(MEASURES, 30), E(CONTROL_BEGUN, 40, .related = true),
      E(CONTROL_ENDED, 50, .related = true, .cover = COVER_NOT) }, VULN_MEASURES, "not_covered" },
    { "row 11: found again", { E(SEEN, 10), E(SENT, 20), E(MEASURES, 30), E(CONTROL_ENDED, 50, .related = true, .seen = true) }, VULN_PERSISTING, "not_fixed" },
    { "row 11: new results are given", { E(SEEN, 10), E(SENT, 20), E(MEASURES, 30), E(CONTROL_ENDED, 50, .related = true, .seen = true), E(SENT, 60) }, VULN_SENT,
      "not_fixed" },
    { "row 12: found again, a valid claim stands", { E(SEEN, 10), E(SENT, 20), E(CLAIM, 30, .claim = VULN_CLAIM_NECESSITY), E(CONTROL_BEGUN, 40, .related = true),
      E(CONTROL_ENDED, 50, .related = true, .seen = true) }, VULN_CLAIM_NECESSITY, "claimed" },
    { "row 13: the term of a claim has passed", { E(SEEN, 10), E(SENT, 20), E(CLAIM, 30, .claim = VULN_CLAIM_NECESSITY), E(CLAIM_EXPIRED, 40) }, VULN_CLAIM_EXPIRED, NULL },
    { "a zero-day claim has no term", { E(SEEN, 10), E(SENT, 20), E(CLAIM, 30, .claim = VULN_CLAIM_ZERO_DAY), E(CLAIM_EXPIRED, 40) }, VULN_CLAIM_ZERO_DAY, NULL },
    { "row 15: a fixed one is seen again", { E(SEEN, 10), E(CONTROL_ENDED, 20, .related = true, .cover = COVER_PROVED), E(SEEN, 30) }, VULN_REAPPEARED, "fixed" },
    { "row 15: by a control survey", { E(SEEN, 10), E(CONTROL_ENDED, 20, .related = true, .cover = COVER_PROVED),
      E(CONTROL_ENDED, 30, .related = true, .seen = true) }, VULN_REAPPEARED, "reopened" },
    { "row 16: a fixed one is closed", { E(SEEN, 10), E(CONTROL_ENDED, 20, .related = true, .cover = COVER_PROVED), E(CLOSED, 30) }, VULN_CLOSED, "fixed" },
    { "row 16: an accepted false positive is closed", { E(SEEN, 10), E(SENT, 20), E(CLAIM, 30, .claim = VULN_CLAIM_FALSE), E(CLAIM_ACCEPTED, 40) }, VULN_CLOSED, NULL },
    { "an accepted false positive that is seen again stays closed", { E(SEEN, 10), E(SENT, 20), E(CLAIM, 30, .claim = VULN_CLAIM_FALSE), E(CLAIM_ACCEPTED, 40),
      E(CONTROL_ENDED, 50, .related = true, .seen = true) }, VULN_CLOSED, "claimed" },
    { "a closed one that is seen again reappears", { E(SEEN, 10), E(CONTROL_ENDED, 20, .related = true, .cover = COVER_PROVED), E(CLOSED, 30), E(SEEN, 40) },
      VULN_REAPPEARED, "fixed" },
    { "nothing closes what is not fixed", { E(SEEN, 10), E(SENT, 20), E(CLOSED, 30) }, VULN_SENT, NULL },
    { "a survey that does not check it says nothing", { E(SEEN, 10), E(SENT, 20), E(CONTROL_ENDED, 30, .cover = COVER_PROVED) }, VULN_SENT, NULL },
    { "a withdrawn claim leaves what was before", { E(SEEN, 10), E(SENT, 20), E(MEASURES, 25), E(CLAIM, 30, .claim = VULN_CLAIM_FALSE), E(CLAIM_WITHDRAWN, 40) },
      VULN_MEASURES, NULL },
    { "events may come in any order", { E(MEASURES, 30), E(SENT, 20), E(SEEN, 10) }, VULN_MEASURES, NULL },
};

static void life(void **state)
{
    static struct life l;

    (void)state;
    for (size_t i = 0; i < COUNT(life_rows); i++) {
        struct life_event events[8];
        size_t n = 0;

        while (n < 8 && life_rows[i].events[n].at)
            n++;
        memcpy(events, life_rows[i].events, sizeof events);
        life_of(events, n, &l);
        CHECK(life_rows[i].name, l.state == life_rows[i].want);
        CHECK(life_rows[i].name, (l.verdict_count > 0) == (life_rows[i].verdict != NULL));
        if (life_rows[i].verdict)
            CHECK(life_rows[i].name, strcmp(l.verdicts[l.verdict_count - 1].verdict, life_rows[i].verdict) == 0);
    }
}

/* --- identity --- */

static const struct str log4j[] = { S("CVE-2021-44228") };
static const struct scan_finding by_nessus[] = {
    F(.tool = S("Nessus"), .check = S("155999"), .title = S("Apache Log4j < 2.15.0 Remote Code Execution"), .severity = SCAN_CRITICAL, .cvss = 10, .cve = log4j, .cve_count = 1,
      .host = S("registry-web-1"), .ip = S("192.0.2.5"), .port = 443, .protocol = S("tcp"), .occurrences = 1),
};
static const struct scan_finding by_openvas[] = {
    F(.tool = S("OpenVAS"), .check = S("1.3.6.1.4.1.25623.1.0.117843"), .title = S("Log4j RCE"), .severity = SCAN_HIGH, .cve = log4j, .cve_count = 1, .ip = S("192.0.2.5"),
      .port = 443, .protocol = S("TCP"), .occurrences = 1),
};
static const struct scan_finding by_nmap[] = {
    F(.tool = S("Nmap"), .check = S("vulners"), .title = S("CVE-2021-44228"), .severity = SCAN_UNKNOWN, .cve = log4j, .cve_count = 1, .ip = S("192.0.2.5"), .port = 443,
      .protocol = S("tcp"), .occurrences = 1),
};
static const struct report three[] = {
    { "nessus.xml", "Nessus", by_nessus, 1, NULL, 0, T0 - 3 * DAY },
    { "openvas.xml", "OpenVAS", by_openvas, 1, NULL, 0, T0 - 2 * DAY },
    { "nmap.xml", "Nmap", by_nmap, 1, NULL, 0, T0 - 4 * DAY },
};
static const struct vuln_survey main_survey = { .id = 1, .object_id = S(OBJECT), .number = S("S-1"), .mode = S("pentest_auto"), .begun_at = T0 - 5 * DAY, .completed_at = T0 };

static void one_from_three_tools(void **state)
{
    struct world *w = *state;
    char text[256];

    survey_put(w, &main_survey, T0);
    for (size_t i = 0; i < COUNT(three); i++)
        report_feed(w, 1, &three[i], T0 + (time_ns)i);
    settle(w, T0 + DAY);
    assert_int_equal(number_of(w, "SELECT count(*) FROM vuln WHERE live = 1"), 1);
    assert_int_equal(number_of(w, "SELECT count(*) FROM vuln_sighting"), 3);
    text_of(w, text, sizeof text, "SELECT key FROM vuln");
    assert_string_equal(text, "192.0.2.5:443/tcp | - | - | CVE-2021-44228");
    /* The worst severity, the longest title, the earliest moment. */
    text_of(w, text, sizeof text, "SELECT x.title FROM vuln v JOIN vuln_text x ON x.id = v.text_id");
    assert_string_equal(text, "Apache Log4j < 2.15.0 Remote Code Execution");
    assert_int_equal(number_of(w, "SELECT severity FROM vuln"), SEV_CRITICAL);
    assert_true(number_of(w, "SELECT first_detected_at FROM vuln") == T0 - 4 * DAY);
}

struct key_row {
    const char         *name;
    struct scan_finding a, b;
    bool                same;
};
static const struct str cve_1[] = { S("CVE-2023-0286") };
static const struct key_row key_rows[] = {
    { "a package without its version", F(.tool = S("Trivy"), .check = S("CVE-2023-0286"), .cve = cve_1, .cve_count = 1, .component = S("OpenSSL"), .version = S("3.0.1"), .path = S("app")),
      F(.tool = S("Grype"), .check = S("CVE-2023-0286"), .cve = cve_1, .cve_count = 1, .component = S("openssl"), .version = S("3.0.7"), .path = S("app")), true },
    { "another package", F(.tool = S("Trivy"), .check = S("x"), .cve = cve_1, .cve_count = 1, .component = S("openssl")),
      F(.tool = S("Trivy"), .check = S("x"), .cve = cve_1, .cve_count = 1, .component = S("libssl")), false },
    { "another port", F(.tool = S("Nessus"), .check = S("1"), .ip = S("192.0.2.5"), .port = 443), F(.tool = S("Nessus"), .check = S("1"), .ip = S("192.0.2.5"), .port = 8443), false },
    { "another spelling of an address", F(.tool = S("Nessus"), .check = S("1"), .ip = S("2001:DB8:1:0::6"), .port = 22),
      F(.tool = S("Nessus"), .check = S("1"), .ip = S("2001:db8:1::6"), .port = 22), true },
    { "a name in other letters and with a dot", F(.tool = S("ZAP"), .check = S("1"), .host = S("Register.Example."), .port = 443, .path = S("/")),
      F(.tool = S("ZAP"), .check = S("1"), .host = S("register.example"), .port = 443, .path = S("/")), true },
    { "checks of two tools that a table makes equal", F(.tool = S("Nessus"), .check = S("10079"), .ip = S("192.0.2.5"), .port = 21),
      F(.tool = S("Nmap"), .check = S("ftp-anon"), .ip = S("192.0.2.5"), .port = 21), true },
    { "checks of two tools that nobody makes equal", F(.tool = S("Nessus"), .check = S("10080"), .ip = S("192.0.2.5"), .port = 21),
      F(.tool = S("Nmap"), .check = S("ftp-syst"), .ip = S("192.0.2.5"), .port = 21), false },
    { "a web address gives host, port and path", F(.tool = S("ZAP"), .check = S("40012"), .url = S("https://register.example/login?next=/a"), .parameter = S("user")),
      F(.tool = S("ZAP"), .check = S("40012"), .host = S("register.example"), .port = 443, .path = S("/login"), .parameter = S("user")), true },
    { "another parameter", F(.tool = S("ZAP"), .check = S("40012"), .url = S("https://register.example/login"), .parameter = S("user")),
      F(.tool = S("ZAP"), .check = S("40012"), .url = S("https://register.example/login"), .parameter = S("password")), false },
    { "a line that moved", F(.tool = S("Semgrep"), .check = S("sqli"), .path = S("src/a.py"), .line = 12), F(.tool = S("Semgrep"), .check = S("sqli"), .path = S("src/a.py"), .line = 19),
      true },
    { "no check: the title without its letters' case", F(.tool = S("x"), .title = S("Weak  Password"), .ip = S("192.0.2.5")),
      F(.tool = S("y"), .title = S("weak password"), .ip = S("192.0.2.5")), true },
};

static void keys(void **state)
{
    struct world *w = *state;

    survey_put(w, &main_survey, T0);
    for (size_t i = 0; i < COUNT(key_rows); i++) {
        struct vuln_survey y = main_survey;
        struct scan_finding both[] = { key_rows[i].a, key_rows[i].b };
        char name[32];

        snprintf(name, sizeof name, "row %zu", i);
        both[0].severity = both[1].severity = SCAN_HIGH;
        y.id = 100 + (int64_t)i;
        y.scope = LIST(S("192.0.2.0/24"), S("2001:db8::/32"), S("register.example"));
        y.scope_count = 3;
        survey_put(w, &y, T0);
        int64_t before = number_of(w, "SELECT count(*) FROM vuln WHERE live = 1");
        must(db_exec(w->desk, NULL, "UPDATE vuln SET live = 0", "") < 0 ? -1 : 0, NULL);
        report_feed(w, y.id, &(struct report){ name, "x", both, 2, NULL, 0, T0 }, T0);
        settle(w, T0);
        (void)before;
        CHECK(key_rows[i].name, number_of(w, "SELECT count(*) FROM vuln WHERE live = 1") == (key_rows[i].same ? 1 : 2));
    }
}

/* A finding with several CVEs is a vulnerability for each: other tools name them one by one. */
static void several_cves(void **state)
{
    struct world *w = *state;
    const struct scan_finding f[] = {
        F(.tool = S("Nessus"), .check = S("1"), .title = S("two"), .severity = SCAN_HIGH, .ip = S("192.0.2.5"), .port = 443, .cve = LIST(S("CVE-2022-0001"), S("cve-2022-0002"), S("CVE-2022-0001")),
          .cve_count = 3),
    };

    survey_put(w, &main_survey, T0);
    report_feed(w, 1, &(struct report){ "a", "Nessus", f, 1, NULL, 0, T0 }, T0);
    settle(w, T0);
    assert_int_equal(number_of(w, "SELECT count(*) FROM vuln WHERE live = 1"), 2);
    assert_int_equal(number_of(w, "SELECT max(occurrences) FROM vuln_sighting"), 1);
    assert_int_equal(number_of(w, "SELECT findings FROM vuln_result"), 1);
}

/* --- the scope --- */

static void outside_is_kept_apart(void **state)
{
    struct world *w = *state;
    const struct scan_finding f[] = {
        F(.tool = S("Nessus"), .check = S("1"), .severity = SCAN_HIGH, .ip = S("192.0.2.5"), .port = 443, .title = S("ours")),
        F(.tool = S("Nessus"), .check = S("1"), .severity = SCAN_HIGH, .ip = S("198.51.100.9"), .port = 443, .title = S("a neighbour's")),
        F(.tool = S("Nessus"), .check = S("2"), .severity = SCAN_HIGH, .ip = S("203.0.113.4"), .host = S("registry-db-1"), .port = 22, .title = S("known by name")),
    };
    struct desk_reply r;
    struct call c;

    survey_put(w, &main_survey, T0);
    report_feed(w, 1, &(struct report){ "a", "Nessus", f, 3, NULL, 0, T0 }, T0);
    settle(w, T0);
    assert_int_equal(number_of(w, "SELECT count(*) FROM vuln WHERE live = 1"), 2);
    assert_int_equal(number_of(w, "SELECT outside FROM vuln_result"), 1);
    r = (struct desk_reply){ 0 };
    must(desk_vuln_outside(w->desk, &w->analyst, STR("1"), T0, &r), &r.err);
    assert_int_equal(json_array_size(json_object_get(r.json, "items")), 1);
    assert_true(str_eq(json_get_str(json_array_get(json_object_get(r.json, "items"), 0), "host"), STR("198.51.100.9")));
    desk_reply_free(&r);
    /* Taking it in wants a reason, and moves the findings. */
    call_open(w, &c, &w->analyst, T0, &r);
    assert_int_equal(call_end_rc(w, &c, vulns_scope_take(&c, 1, STR("198.51.100.9"), STR(" "))), -EINVAL);
    call_open(w, &c, &w->analyst, T0, &r);
    call_ok(w, &c, vulns_scope_take(&c, 1, STR("198.51.100.9"), STR("the balancer was moved there")));
    settle(w, T0);
    assert_int_equal(number_of(w, "SELECT count(*) FROM vuln WHERE live = 1"), 3);
    assert_int_equal(number_of(w, "SELECT outside FROM vuln_result"), 0);
}

/* --- the comparison --- */

static const struct scan_finding found[] = {
    F(.tool = S("Nessus"), .check = S("1"), .title = S("gone"), .severity = SCAN_HIGH, .ip = S("192.0.2.5"), .port = 443),
    F(.tool = S("Nessus"), .check = S("2"), .title = S("stays"), .severity = SCAN_HIGH, .ip = S("192.0.2.5"), .port = 443),
    F(.tool = S("Nessus"), .check = S("3"), .title = S("on a host that is not looked at"), .severity = SCAN_HIGH, .ip = S("192.0.2.6"), .port = 443),
    F(.tool = S("Nmap"), .check = S("x"), .title = S("on a port that is not looked at"), .severity = SCAN_HIGH, .ip = S("192.0.2.5"), .port = 8443),
    F(.tool = S("OpenVAS"), .check = S("4"), .title = S("by a tool that is absent"), .severity = SCAN_HIGH, .ip = S("192.0.2.5"), .port = 443),
    F(.tool = S("Trivy"), .check = S("5"), .title = S("by a check that did not run"), .severity = SCAN_HIGH, .ip = S("192.0.2.5"), .port = 443),
    F(.tool = S("ZAP"), .check = S("6"), .title = S("on a path that is not looked at"), .severity = SCAN_HIGH, .host = S("registry-web-1"), .port = 443, .path = S("/admin/users")),
    F(.tool = S("Nessus"), .check = S("10079"), .title = S("by an equivalent check"), .severity = SCAN_HIGH, .ip = S("192.0.2.7"), .port = 21),
    F(.tool = S("OpenSCAP"), .check = S("rule_a"), .title = S("a check that says it passed"), .severity = SCAN_MEDIUM, .host = S("registry-db-1")),
    F(.tool = S("Nexpose"), .check = S("9"), .title = S("by a tool that does not say what it looked for"), .severity = SCAN_HIGH, .ip = S("192.0.2.5"), .port = 443),
};
static const struct scan_finding found_again[] = {
    F(.tool = S("Nessus"), .check = S("2"), .title = S("stays"), .severity = SCAN_HIGH, .ip = S("192.0.2.5"), .port = 443),
    F(.tool = S("Nessus"), .check = S("77"), .title = S("fresh"), .severity = SCAN_LOW, .ip = S("192.0.2.5"), .port = 443),
};
static const struct scan_cover looked[] = {
    { SCAN_RAN_ALL, S("Nessus"), { NULL, 0 }, { NULL, 0 }, S("192.0.2.5"), { NULL, 0 }, { NULL, 0 }, -1, -1 },
    { SCAN_RAN_CHECK, S("Nessus"), S("1"), { NULL, 0 }, { NULL, 0 }, { NULL, 0 }, { NULL, 0 }, -1, -1 },
    { SCAN_RAN_CHECK, S("Nessus"), S("2"), { NULL, 0 }, { NULL, 0 }, { NULL, 0 }, { NULL, 0 }, -1, -1 },
    { SCAN_RAN_ALL, S("Nexpose"), { NULL, 0 }, { NULL, 0 }, S("192.0.2.5"), { NULL, 0 }, { NULL, 0 }, -1, -1 },
    { SCAN_RAN_ALL, S("Nmap"), { NULL, 0 }, { NULL, 0 }, S("192.0.2.5"), { NULL, 0 }, S("tcp"), 1, 1024 },
    { SCAN_RAN_ALL, S("Nmap"), { NULL, 0 }, { NULL, 0 }, S("192.0.2.7"), { NULL, 0 }, S("tcp"), 1, 1024 },
    { SCAN_RAN_CHECK, S("Nmap"), S("ftp-anon"), { NULL, 0 }, { NULL, 0 }, { NULL, 0 }, { NULL, 0 }, -1, -1 },
    { SCAN_RAN_CHECK, S("Nmap"), S("x"), { NULL, 0 }, { NULL, 0 }, { NULL, 0 }, { NULL, 0 }, -1, -1 },
    { SCAN_RAN_ALL, S("Trivy"), { NULL, 0 }, { NULL, 0 }, S("192.0.2.5"), { NULL, 0 }, { NULL, 0 }, -1, -1 },
    { SCAN_RAN_CHECK, S("Trivy"), S("another"), { NULL, 0 }, { NULL, 0 }, { NULL, 0 }, { NULL, 0 }, -1, -1 },
    { SCAN_RAN_ALL, S("ZAP"), { NULL, 0 }, S("registry-web-1"), { NULL, 0 }, S("/public"), { NULL, 0 }, 443, 443 },
    { SCAN_RAN_PASSED, S("OpenSCAP"), S("rule_a"), S("registry-db-1"), { NULL, 0 }, { NULL, 0 }, { NULL, 0 }, -1, -1 },
};
static const struct { const char *title, *verdict, *reason; } compared[] = {
    { "gone", "fixed", "" },
    { "stays", "not_fixed", "" },
    { "on a host that is not looked at", "not_covered", "host_not_seen" },
    { "on a port that is not looked at", "not_covered", "port_not_seen" },
    { "by a tool that is absent", "not_covered", "tool_absent" },
    { "by a check that did not run", "not_covered", "check_not_run" },
    { "on a path that is not looked at", "not_covered", "path_not_seen" },
    { "by an equivalent check", "fixed", "" },
    { "a check that says it passed", "fixed", "" },
    { "by a tool that does not say what it looked for", "not_covered", "checks_not_named" },
    { "fresh", "new", "" },
};
static const struct vuln_survey control_survey = { .id = 2, .object_id = S(OBJECT), .number = S("S-2"), .mode = S("pentest_auto"), .control = true, .main_id = 1,
                                                   .begun_at = T0 + 30 * DAY, .completed_at = T0 + 32 * DAY };

static void surveys_two(struct world *w)
{
    survey_put(w, &main_survey, T0);
    report_feed(w, 1, &(struct report){ "main", "mixed", found, COUNT(found), NULL, 0, T0 }, T0);
    survey_put(w, &control_survey, T0 + 30 * DAY);
    report_feed(w, 2, &(struct report){ "control", "mixed", found_again, COUNT(found_again), looked, COUNT(looked), T0 + 31 * DAY }, T0 + 33 * DAY);
    settle(w, T0 + 33 * DAY);
}

static void verdict_is(struct world *w, int64_t survey, const char *title, const char *verdict, const char *reason)
{
    sqlite3_stmt *st = db_query(w->desk, NULL,
                                "SELECT d.verdict, d.reason, d.proof FROM vuln_verdict d JOIN vuln v ON v.id = d.vuln_id JOIN vuln_text x ON x.id = v.text_id WHERE x.title = ?2"
                                " AND d.survey_id = ?1", "iz", survey, title);

    CHECK(title, db_step(w->desk, st, NULL) == 1);
    CHECK(title, str_eq(db_str(st, 0), str_c(verdict)));
    CHECK(title, str_eq(db_str(st, 1), str_c(reason)));
    CHECK(title, (sqlite3_column_type(st, 2) != SQLITE_NULL) == (strcmp(verdict, "fixed") == 0));
    db_done(st);
}

static void honest_comparison(void **state)
{
    struct world *w = *state;
    struct desk_reply r = { 0 };

    surveys_two(w);
    for (size_t i = 0; i < COUNT(compared); i++)
        verdict_is(w, 2, compared[i].title, compared[i].verdict, compared[i].reason);
    must(desk_vuln_compare(w->desk, &w->analyst, STR("2"), STR("fixed"), 0, (struct str){ NULL, 0 }, T0 + 40 * DAY, &r), &r.err);
    assert_true(json_is_true(json_object_get(r.json, "ready")));
    assert_int_equal(json_integer_value(json_object_get(json_object_get(r.json, "counts"), "fixed")), 3);
    assert_int_equal(json_integer_value(json_object_get(json_object_get(r.json, "counts"), "not_covered")), 6);
    json_t *one;
    size_t i;
    assert_int_equal(json_array_size(json_object_get(r.json, "items")), 3);
    json_array_foreach(json_object_get(r.json, "items"), i, one)
        assert_true(json_is_object(json_object_get(one, "proof")));
    desk_reply_free(&r);
    /* No fixed one without a row that proves it. */
    assert_int_equal(number_of(w, "SELECT count(*) FROM vuln WHERE state = 'fixed' AND id NOT IN (SELECT vuln_id FROM vuln_verdict WHERE proof IS NOT NULL)"), 0);
}

static void declared_coverage(void **state)
{
    struct world *w = *state;
    struct desk_reply r;
    struct call c;
    int64_t id = 0;

    surveys_two(w);
    call_open(w, &c, &w->analyst, T0 + 33 * DAY, &r);
    assert_int_equal(call_end_rc(w, &c, vulns_cover_declare(&c, 2, &(struct vuln_declared){ .tool = STR("OpenVAS"), .check = STR("4"), .host = STR("192.0.2.5"),
                                                                                           .reason = STR(""), .port = -1, .port_to = -1 }, &id)), -EINVAL);
    call_open(w, &c, &w->analyst, T0 + 33 * DAY, &r);
    call_ok(w, &c, vulns_cover_declare(&c, 2, &(struct vuln_declared){ .tool = STR("OpenVAS"), .check = STR("4"), .host = STR("192.0.2.5"),
                                                                       .reason = STR("run by hand, record 17"), .port = 443, .port_to = 443 }, &id));
    settle(w, T0 + 33 * DAY);
    verdict_is(w, 2, "by a tool that is absent", "fixed", "");
    verdict_is(w, 2, "on a host that is not looked at", "not_covered", "host_not_seen");
    assert_true(number_of(w, "SELECT proof FROM vuln_verdict d JOIN vuln v ON v.id = d.vuln_id JOIN vuln_text x ON x.id = v.text_id WHERE x.title = 'by a tool that is absent'") == id);
}

static void reappears_with_its_first_day(void **state)
{
    struct world *w = *state;
    const struct scan_finding again[] = { F(.tool = S("Nessus"), .check = S("1"), .title = S("gone"), .severity = SCAN_HIGH, .ip = S("192.0.2.5"), .port = 443) };
    struct vuln_survey next = main_survey;
    char text[64];

    surveys_two(w);
    next.id = 3;
    next.number = STR("S-3");
    next.begun_at = T0 + 60 * DAY;
    next.completed_at = T0 + 61 * DAY;
    survey_put(w, &next, T0 + 60 * DAY);
    report_feed(w, 3, &(struct report){ "next", "Nessus", again, 1, NULL, 0, T0 + 60 * DAY }, T0 + 61 * DAY);
    settle(w, T0 + 61 * DAY);
    text_of(w, text, sizeof text, "SELECT v.state FROM vuln v JOIN vuln_text x ON x.id = v.text_id WHERE x.title = 'gone'");
    assert_string_equal(text, "reappeared");
    assert_true(number_of(w, "SELECT v.first_detected_at FROM vuln v JOIN vuln_text x ON x.id = v.text_id WHERE x.title = 'gone'") == T0);
}

/* --- the set of imports, and not their order --- */

#define FILES 6
static const struct scan_finding p1[] = {
    F(.tool = S("Nessus"), .check = S("1"), .title = S("same length A"), .description = S("one"), .severity = SCAN_HIGH, .cvss = 7.5, .cvss_v3 = S("CVSS:3.1/AV:N"), .ip = S("192.0.2.5"), .port = 443, .cve = cve_1, .cve_count = 1),
    F(.tool = S("Nessus"), .check = S("2"), .title = S("gone"), .severity = SCAN_LOW, .ip = S("192.0.2.5"), .port = 80),
    F(.tool = S("Nessus"), .check = S("9"), .title = S("outside"), .severity = SCAN_LOW, .ip = S("198.51.100.1"), .port = 80),
};
static const struct scan_finding p2[] = {
    F(.tool = S("OpenVAS"), .check = S("7"), .title = S("same length B"), .description = S("two"), .severity = SCAN_CRITICAL, .cvss = 7.5, .cvss_v3 = S("CVSS:3.1/AV:L"), .ip = S("192.0.2.5"), .port = 443, .cve = cve_1,
      .cve_count = 1, .epss = 0.5),
    F(.tool = S("OpenVAS"), .check = S("7"), .title = S("same length B"), .description = S("again"), .severity = SCAN_CRITICAL, .ip = S("192.0.2.5"), .port = 443, .cve = cve_1, .cve_count = 1),
};
static const struct scan_finding p3[] = { F(.tool = S("Nmap"), .check = S("ftp-anon"), .title = S("anon"), .severity = SCAN_MEDIUM, .ip = S("192.0.2.6"), .port = 21) };
static const struct scan_finding p4[] = { F(.tool = S("Nessus"), .check = S("10079"), .title = S("anon"), .description = S("else"), .severity = SCAN_MEDIUM, .ip = S("192.0.2.6"), .port = 21) };
static const struct scan_finding p5[] = { F(.tool = S("Nessus"), .check = S("1"), .title = S("same length A"), .severity = SCAN_HIGH, .ip = S("192.0.2.5"), .port = 443, .cve = cve_1, .cve_count = 1) };
static const struct { int64_t survey; struct report r; } files[FILES] = {
    { 1, { "p1", "Nessus", p1, 3, NULL, 0, T0 - 2 * DAY } }, { 1, { "p2", "OpenVAS", p2, 2, NULL, 0, T0 - 3 * DAY } },
    { 1, { "p3", "Nmap", p3, 1, NULL, 0, T0 - DAY } },       { 2, { "p4", "Nessus", p4, 1, looked, 1, T0 + 31 * DAY } },
    { 2, { "p5", "mixed", p5, 1, looked, 5, T0 + 31 * DAY } }, { 3, { "p1", "Nessus", p1, 3, NULL, 0, T0 + 70 * DAY } },
};
/* xorshift: the same orders in every run. */
static uint64_t next_random(uint64_t *s)
{
    *s ^= *s << 13;
    *s ^= *s >> 7;
    *s ^= *s << 17;
    return *s;
}

static void set_of_files(struct world *w, uint64_t seed, struct buf *out)
{
    struct vuln_survey later = main_survey;
    size_t order[FILES * 2];
    uint64_t random = seed * 0x9e3779b97f4a7c15u + 1;

    later.id = 3;
    later.number = STR("S-3");
    later.begun_at = T0 + 69 * DAY;
    later.completed_at = T0 + 71 * DAY;
    survey_put(w, &main_survey, T0);
    survey_put(w, &control_survey, T0);
    survey_put(w, &later, T0);
    /* Every file twice, in a random order; the room settles at random between them. */
    for (size_t i = 0; i < FILES * 2; i++)
        order[i] = i % FILES;
    for (size_t i = FILES * 2 - 1; seed && i > 0; i--) {
        size_t j = next_random(&random) % (i + 1), t = order[i];

        order[i] = order[j];
        order[j] = t;
    }
    for (size_t i = 0; i < FILES * 2; i++) {
        report_feed(w, files[order[i]].survey, &files[order[i]].r, T0 + 80 * DAY + (time_ns)i);
        if (seed && next_random(&random) % 2)
            settle(w, T0 + 80 * DAY);
    }
    settle(w, T0 + 80 * DAY);
    room_dump(w, out);
}

static void any_order_gives_the_same(void **state)
{
    AUTO_BUF struct buf first = { 0 }, other = { 0 };
    void *fresh;

    (void)state;
    buf_init(&first, MIB);
    buf_init(&other, MIB);
    for (uint64_t seed = 0; seed < 12; seed++) {
        assert_int_equal(world_open(&fresh), 0);
        buf_reset(&other);
        set_of_files(fresh, seed, seed ? &other : &first);
        assert_int_equal(world_close(&fresh), 0);
        if (seed && !str_eq(buf_view(&first), buf_view(&other)))
            fail_msg("order %llu:\n%.*s\n---\n%.*s", (unsigned long long)seed, STR_ARG(buf_view(&first)), STR_ARG(buf_view(&other)));
    }
    assert_true(first.n > 500);
}

static void withdrawn_leaves_nothing(void **state)
{
    struct world *w = *state;
    AUTO_BUF struct buf before = { 0 }, after = { 0 };
    struct desk_reply r;
    struct call c;

    buf_init(&before, MIB);
    buf_init(&after, MIB);
    survey_put(w, &main_survey, T0);
    report_feed(w, 1, &files[0].r, T0);
    settle(w, T0);
    dump_rows(w, "SELECT key, state, severity, first_detected_at, cves FROM vuln WHERE live = 1 ORDER BY 1", &before);
    report_feed(w, 1, &files[1].r, T0);
    report_feed(w, 1, &files[2].r, T0);
    settle(w, T0);
    for (int64_t id = 2; id <= 3; id++) {
        call_open(w, &c, &w->analyst, T0, &r);
        call_ok(w, &c, vulns_result_withdraw(&c, id, STR("of another object")));
    }
    settle(w, T0);
    dump_rows(w, "SELECT key, state, severity, first_detected_at, cves FROM vuln WHERE live = 1 ORDER BY 1", &after);
    assert_true(str_eq(buf_view(&before), buf_view(&after)));
}

/* --- rules that people make --- */

static int64_t vuln_titled(struct world *w, const char *title)
{
    int64_t id = 0;

    assert_int_equal(db_int(w->desk, NULL, 0, &id, "SELECT v.id FROM vuln v JOIN vuln_text x ON x.id = v.text_id WHERE x.title = ? AND v.live = 1", "z", title), 0);
    return id;
}

static struct str id_text(int64_t id, char out[24])
{
    snprintf(out, 24, "%lld", (long long)id);
    return str_c(out);
}

static void merge_and_back(void **state)
{
    struct world *w = *state;
    AUTO_BUF struct buf before = { 0 }, after = { 0 };
    char a[24], b[24];
    struct desk_reply r = { 0 };

    buf_init(&before, MIB);
    buf_init(&after, MIB);
    surveys_two(w);
    room_dump(w, &before);
    int64_t gone = vuln_titled(w, "gone"), stays = vuln_titled(w, "stays");
    json_t *body = json_pack("{s:s, s:s}", "into", id_text(stays, b).p, "reason", "two names of one fault");
    must(desk_vuln_merge(w->desk, &w->analyst, id_text(gone, a), body, T0 + 40 * DAY, &r), &r.err);
    json_decref(body);
    struct str rule = json_get_str(r.json, "id");
    assert_int_equal(number_of(w, "SELECT live FROM vuln WHERE merged_into IS NOT NULL"), 0);
    assert_int_equal(number_of(w, "SELECT count(*) FROM vuln WHERE merged_into IS NOT NULL"), 1);
    /* It holds for what comes later: the merged key leads there, and the control survey still finds it. */
    report_feed(w, 1, &(struct report){ "late", "Nessus", found, 1, NULL, 0, T0 }, T0 + 41 * DAY);
    settle(w, T0 + 41 * DAY);
    assert_int_equal(vuln_titled(w, "gone"), 0);
    body = json_pack("{s:s}", "reason", "it was not so");
    struct desk_reply end = { 0 };
    must(desk_vuln_rule_end(w->desk, &w->analyst, rule, body, T0 + 42 * DAY, &end), &end.err);
    json_decref(body);
    desk_reply_free(&end);
    desk_reply_free(&r);
    settle(w, T0 + 42 * DAY);
    assert_int_equal(vuln_titled(w, "gone"), gone);
    /* The late file withdrawn, everything is as it was; both rules and their reasons stay. */
    struct call c;
    call_open(w, &c, &w->analyst, T0, &r);
    call_ok(w, &c, vulns_result_withdraw(&c, 3, STR("done")));
    settle(w, T0 + 42 * DAY);
    must(db_exec(w->desk, NULL, "DELETE FROM vuln_result WHERE state = 'withdrawn'", "") < 0 ? -1 : 0, NULL);
    room_dump(w, &after);
    if (!str_eq(buf_view(&before), buf_view(&after)))
        fail_msg("%.*s\n---\n%.*s", STR_ARG(buf_view(&before)), STR_ARG(buf_view(&after)));
    assert_int_equal(number_of(w, "SELECT count(*) FROM vuln_rule WHERE ended_at IS NOT NULL AND reason <> '' AND end_reason <> ''"), 1);
}

static void split_and_back(void **state)
{
    struct world *w = *state;
    char a[24], k[24], x[24];
    struct desk_reply r = { 0 }, end = { 0 };

    survey_put(w, &main_survey, T0);
    report_feed(w, 1, &three[0], T0);
    report_feed(w, 1, &three[1], T0);
    settle(w, T0);
    int64_t id = number_of(w, "SELECT id FROM vuln WHERE live = 1"), key = number_of(w, "SELECT key_id FROM vuln_sighting LIMIT 1"),
            check = number_of(w, "SELECT id FROM vuln_check WHERE tool = 'OpenVAS'");
    json_t *body = json_pack("{s:s, s:s, s:s}", "key_id", id_text(key, k).p, "check_id", id_text(check, x).p, "reason", "it looks at the proxy, not at the server");
    must(desk_vuln_split(w->desk, &w->analyst, id_text(id, a), body, T0, &r), &r.err);
    json_decref(body);
    assert_int_equal(number_of(w, "SELECT count(*) FROM vuln WHERE live = 1"), 2);
    /* A later file of the same tool goes where the rule leads, and counting all anew changes nothing. */
    report_feed(w, 1, &(struct report){ "openvas again", "OpenVAS", by_openvas, 1, NULL, 0, T0 }, T0);
    must(db_exec(w->desk, NULL, "INSERT INTO vuln_pending VALUES ('" OBJECT "', 1, 0)", "") < 0 ? -1 : 0, NULL);
    settle(w, T0);
    assert_int_equal(number_of(w, "SELECT count(*) FROM vuln WHERE live = 1"), 2);
    body = json_pack("{s:s}", "reason", "it does look at the server");
    must(desk_vuln_rule_end(w->desk, &w->analyst, json_get_str(r.json, "id"), body, T0, &end), &end.err);
    json_decref(body);
    settle(w, T0);
    assert_int_equal(number_of(w, "SELECT count(*) FROM vuln WHERE live = 1"), 1);
    assert_int_equal(number_of(w, "SELECT count(*) FROM vuln_sighting s JOIN vuln_key k ON k.id = s.key_id JOIN vuln v ON v.id = k.vuln_id WHERE v.live = 1"), 3);
    desk_reply_free(&r);
    desk_reply_free(&end);
}

static void hosts_and_checks_made_the_same(void **state)
{
    struct world *w = *state;
    const struct scan_finding f[] = {
        F(.tool = S("Nessus"), .check = S("10080"), .title = S("a"), .severity = SCAN_HIGH, .ip = S("192.0.2.5"), .port = 21),
        F(.tool = S("Nmap"), .check = S("ftp-syst"), .title = S("b"), .severity = SCAN_HIGH, .host = S("register.example"), .port = 21),
    };
    struct desk_reply r = { 0 };
    json_t *body;

    survey_put(w, &main_survey, T0);
    report_feed(w, 1, &(struct report){ "a", "mixed", f, 2, NULL, 0, T0 }, T0);
    settle(w, T0);
    assert_int_equal(number_of(w, "SELECT count(*) FROM vuln WHERE live = 1"), 2);
    body = json_pack("{s:s, s:s, s:s, s:s}", "object_id", OBJECT, "was", "Register.example", "becomes", "192.0.2.5", "reason", "one machine");
    must(desk_vuln_rule_host(w->desk, &w->analyst, body, T0, &r), &r.err);
    json_decref(body);
    desk_reply_free(&r);
    const char *const checks[][2] = { { "Nessus", "10080" }, { "Nmap", "ftp-syst" } };
    for (size_t i = 0; i < 2; i++) {
        r = (struct desk_reply){ 0 };
        body = json_pack("{s:s, s:s, s:s, s:s}", "tool", checks[i][0], "check", checks[i][1], "weakness", "ftp-tells-system", "reason", "both ask SYST");
        must(desk_vuln_rule_check(w->desk, &w->analyst, body, T0, &r), &r.err);
        json_decref(body);
        desk_reply_free(&r);
    }
    settle(w, T0);
    assert_int_equal(number_of(w, "SELECT count(*) FROM vuln WHERE live = 1"), 1);
    char text[128];
    text_of(w, text, sizeof text, "SELECT key FROM vuln WHERE live = 1");
    assert_string_equal(text, "192.0.2.5:21/tcp | - | - | weakness:ftp-tells-system");
}

int main(void)
{
#define T(function, name) { name, function, world_open, world_close, NULL }
    const struct CMUnitTest tests[] = {
        { "7.4 R-13-03 every row of the machine, and what must not move", life, NULL, NULL, NULL },
        T(one_from_three_tools, "the same CVE at the same host and port from three tools is one vulnerability with three sightings"),
        T(keys, "what makes two findings one, and what does not"),
        T(several_cves, "a finding with two CVEs is two vulnerabilities, each once"),
        T(outside_is_kept_apart, "what was found outside the scope is kept apart, counted, and taken in with a reason alone"),
        T(honest_comparison, "fixed with its proof, not fixed, new, and not covered with the reason"),
        T(declared_coverage, "what a surveyor declares wants a reason, and counts for what it names alone"),
        T(reappears_with_its_first_day, "a vulnerability that reappears keeps the day of its first detection"),
        T(any_order_gives_the_same, "any order and repetition of imports gives the same room"),
        T(withdrawn_leaves_nothing, "a withdrawn file leaves nothing of what it brought"),
        T(merge_and_back, "a merge holds for later imports, and is undone without a trace but the rule"),
        T(split_and_back, "a split holds for later imports, and is undone"),
        T(hosts_and_checks_made_the_same, "a name that is an address, and checks that look for the same"),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
