/* test_replay.c - one desk that hears steps: when they count, what they may not say, and that whatever comes late leaves the past as it was told. */
#include "desk/cases/acts.h"
#include "desk/link/room.h"
#include "desk/notices/notices.h"
#include "desk/reports/internal.h"
#include "desk/testing.h"

#define OWNER_NODE "registry.example"
#define LATE       (T0 + 3 * NS_PER_DAY)

/* linked - the desk of the centre, to which the node of an owner speaks. */
static int linked(void **state)
{
    struct world *w;

    world_open(state);
    w = *state;
    assert_true(db_exec(w->desk, NULL, "INSERT INTO link_self(one, org_id, node) VALUES (1, 'sts', 'centre.example')", "") >= 0);
    assert_true(db_exec(w->desk, NULL, "INSERT INTO link_peer(node, org_id, title, active, added_at, out_hash, in_hash) VALUES ('" OWNER_NODE "',"
                                       " 'registry-centre', 'Registry', 1, 1, 'x', 'x')", "") >= 0);
    return 0;
}

static int64_t count_of(struct world *w, const char *sql)
{
    int64_t n = -1;

    assert_int_equal(db_int(w->desk, NULL, 0, &n, sql, ""), 0);
    return n;
}

static json_t *about_of(struct world *w, int64_t id)
{
    json_t *k = case_get(w, &w->analyst, id, T0);
    char theirs[32];

    snprintf(theirs, sizeof theirs, "THEIRS-%lld", (long long)id);
    json_t *about = json_pack("{s:s, s:n, s:n, s:O, s:n}", "case", theirs, "object", "origin", "your_case", json_object_get(k, "number"), "your_object");

    json_decref(k);
    return about;
}

/* heard_pdf - SHA-256 of the document that comes with the next step; empty: none. */
static char heard_pdf[65];

static int with_pdf(struct call *c, void *arg, int64_t case_id, int64_t *record, struct str *pdf)
{
    (void)c, (void)arg, (void)case_id, (void)record;
    *pdf = str_c(heard_pdf);
    return 0;
}

/* hear - a step of the owner's node: said to have been done at "said", sent then, here at "now". about and body are taken. */
static struct replayed hear(struct world *w, json_t *about, const char *act, json_t *body, json_t *opening, time_ns said, time_ns sent, time_ns now)
{
    struct desk_reply r = { 0 };
    struct replayed done;
    struct peer p;
    struct call c;
    char at[TIME_TEXT_MAX];
    json_t *payload = json_pack("{s:o, s:{s:s, s:s, s:o, s:s, s:o, s:s}}", "about", about, "step", "act", act, "at", time_format_utc(said, at), "body", body,
                                "by", "Somebody", "opening", opening ? opening : json_null(), "role", strcmp(act, "notify_knb") ? "owner_officer" : "centre_lead");

    assert_non_null(payload);
    desk_call_init(&c, w->desk, NULL, now, &r);
    must(db_begin(w->desk, c.e), c.e);
    assert_int_equal(peer_load(&c, STR(OWNER_NODE), &p), 1);
    int rc = step_replay(&c, &p, payload, sent, *heard_pdf ? with_pdf : NULL, NULL, &done);
    must(rc, c.e);
    assert_int_equal(db_end(w->desk, done.applied ? 0 : -ECANCELED, c.e), done.applied ? 0 : -ECANCELED);
    desk_call_free(&c);
    desk_reply_free(&r);
    json_decref(payload);
    return done;
}

/* applied - as hear, and it must have been repeated. */
static void applied(struct world *w, int64_t id, const char *act, json_t *body, time_ns said, time_ns now)
{
    struct replayed done = hear(w, about_of(w, id), act, body, NULL, said, now, now);

    if (!done.applied)
        fail_msg("%s: %s %s", act, done.code, done.reason);
}

static void refused(struct world *w, int64_t id, const char *act, json_t *body, time_ns said, time_ns sent, const char *code)
{
    struct replayed done = hear(w, about_of(w, id), act, body, NULL, said, sent, LATE);

    assert_false(done.applied);
    assert_string_equal(done.code, code);
}

/* told - a case that the owner was told of, on its node too. */
static int64_t told(struct world *w)
{
    int64_t id = case_new(w, "ssh_bruteforce", T0);

    act_do(w, &w->analyst, id, "notify", notify_body(w, id, T0), T0);
    assert_true(db_exec(w->desk, NULL, "INSERT INTO link_case(node, case_id, added_at) VALUES ('" OWNER_NODE "', ?, ?)", "ii", id, T0) >= 0);
    return id;
}

/* --- moments --- */

/* known - all that both summaries say of the quarter as of a moment, as one text. */
static char *known(struct world *w, time_ns as_of)
{
    struct desk_reply r = { 0 };
    AUTO_BUF struct buf out = { 0 };
    char moment[TIME_TEXT_MAX];
    struct period p;
    struct call c;

    buf_init(&out, MIB);
    desk_call_init(&c, w->desk, &w->analyst, LATE, &r);
    must(period_of(&c, STR("2026Q1"), str_c(time_format_utc(as_of, moment)), &p), c.e);
    for (int i = 0; i < 2; i++) {
        json_t *figs = NULL;

        must(figures_json(&c, i ? IN_18 : IN_17, &p, LANG_RU, &figs), c.e);
        char *text = json_dumps(figs, JSON_SORT_KEYS);
        buf_str(&out, str_c(text));
        free(text);
        json_decref(figs);
    }
    desk_call_free(&c);
    desk_reply_free(&r);
    return strndup(out.p, out.n);
}

#define VERSIONS(cond) "SELECT (SELECT count(*) FROM duty_version WHERE " cond ") + (SELECT count(*) FROM case_version WHERE " cond ")"

static void a_late_step_counts_then_and_is_known_from_when_it_came(void **state)
{
    struct world *w = *state;
    int64_t id = told(w);
    char *before = known(w, T0 + NS_PER_DAY), *after;
    int64_t versions = count_of(w, VERSIONS("1"));

    applied(w, id, "confirm_incident", incident_body(T0 + 10 * NS_PER_MINUTE, "high"), T0 + 20 * NS_PER_MINUTE, LATE);
    applied(w, id, "report_measures", measures_body(w, id, LATE, "high"), T0 + 30 * NS_PER_MINUTE, LATE);
    after = known(w, T0 + NS_PER_DAY);
    assert_string_equal(before, after);
    free(before);
    free(after);
    assert_int_equal(count_of(w, VERSIONS("at < 1774291800000000000")), versions);   /* LATE */
    assert_true(count_of(w, VERSIONS("1")) > versions);
    assert_int_equal(count_of(w, "SELECT count(*) FROM duty WHERE (ended_at > 1774032600000000000 AND ended_at < 1774291800000000000) OR (created_at >"
                                 " 1774032600000000000 AND created_at < 1774291800000000000)"), 0);
    assert_int_equal(count_of(w, "SELECT count(*) FROM duty_fact WHERE recorded_at > 1774032600000000000 AND recorded_at < 1774291800000000000"), 0);
    assert_int_equal(count_of(w, "SELECT count(*) FROM cases WHERE updated_at <> 1774291800000000000"), 0);
    /* It counts when it was done. */
    assert_int_equal(count_of(w, "SELECT count(*) FROM duty WHERE obligation = 'D-11' AND state = 'fulfilled' AND fulfilled_at = 1774034400000000000"), 1);
}

static void a_node_does_not_choose_its_moment_freely(void **state)
{
    struct world *w = *state;
    int64_t id = told(w);

    /* Its node was told a day later: before that it has done nothing. */
    assert_true(db_exec(w->desk, NULL, "UPDATE link_case SET added_at = ?", "i", T0 + NS_PER_DAY) >= 0);
    refused(w, id, "acknowledge", json_object(), T0 + 2 * NS_PER_DAY, T0 + NS_PER_DAY, "bad_payload");   /* done after it was sent */
    applied(w, id, "acknowledge", json_object(), T0 - 300 * NS_PER_DAY, LATE);
    assert_int_equal(count_of(w, "SELECT count(*) FROM cases WHERE acknowledged_at = 1774119000000000000"), 1);       /* T0 + a day */
    assert_int_equal(count_of(w, "SELECT count(*) FROM timeline WHERE key = 'case.text.step_late'"), 1);
    /* Nor before what it did last. */
    applied(w, id, "confirm_incident", incident_body(T0 + 25 * NS_PER_HOUR, "high"), LATE - 5 * NS_PER_MINUTE, LATE);
    applied(w, id, "report_measures", measures_body(w, id, LATE, "high"), T0 + 26 * NS_PER_HOUR, LATE);
    assert_int_equal(count_of(w, "SELECT count(*) FROM cases WHERE measures_at = 1774291500000000000"), 1);           /* LATE - 5 min */
    assert_int_equal(count_of(w, "SELECT count(*) FROM timeline WHERE key = 'case.text.step_late'"), 1);
}

/* --- labels --- */

static void label(struct world *w, int64_t id, const char *tlp)
{
    json_t *body = json_pack("{s:s, s:s}", "tlp", tlp, "reason", "r");
    char lead[24];

    snprintf(lead, sizeof lead, "%lld", (long long)w->lead.user_id);
    if (strcmp(tlp, "red") == 0)
        json_object_set_new(body, "persons", json_pack("[s]", lead));
    act_do(w, &w->analyst, id, "set_tlp", body, T0);
}

static void collect(struct world *w)
{
    struct err e;

    must(link_collect(w->desk, T0, &e), &e);
}

static void write_to_owner(struct world *w, int64_t id)
{
    struct desk_reply r = { 0 };
    struct str to = STR("registry-centre");
    struct call c;
    struct kase k;
    int64_t record;
    char text[24];

    desk_call_init(&c, w->desk, &w->analyst, T0, &r);
    must(db_begin(w->desk, c.e), c.e);
    must(case_load(&c, id, &k), c.e);
    struct subject about = case_about(&k, text);
    struct notice_new n = { .kind = "information_request", .paragraph = "15", .about = &about, .title = STR("Жазбаша"), .text = STR("x"), .orgs = &to,
                            .org_count = 1, .tlp = "amber" };
    must(db_end(w->desk, notice_issue(&c, &n, &record), c.e), c.e);
    desk_call_free(&c);
    desk_reply_free(&r);
}

static void a_notice_of_a_case_goes_by_the_label_of_now_and_once(void **state)
{
    struct world *w = *state;
    int64_t id = told(w);

    collect(w);
    int64_t before = count_of(w, "SELECT count(*) FROM link_out");
    write_to_owner(w, id);
    act_do(w, &w->analyst, id, "recommend", json_pack("{s:s}", "recommendations", "Block it"), T0);
    label(w, id, "red");
    for (int i = 0; i < 4; i++)
        collect(w);
    assert_int_equal(count_of(w, "SELECT count(*) FROM link_out"), before);
    assert_true(count_of(w, "SELECT count(*) FROM link_held") > 0);
    assert_int_equal(count_of(w, "SELECT count(*) FROM notice_receipt e JOIN notice_record r ON r.id = e.record_id WHERE r.title = 'Жазбаша' AND e.kind = 'refused'"
                                 " AND e.note = 'tlp_forbids'"), 1);
    label(w, id, "amber");
    for (int i = 0; i < 4; i++)
        collect(w);
    assert_int_equal(count_of(w, "SELECT count(*) FROM link_out WHERE step_act = 'recommend' AND ref = 'record'"), 1);
    assert_int_equal(count_of(w, "SELECT count(*) FROM link_out WHERE ref = 'record'") - count_of(w, "SELECT count(DISTINCT ref_id) FROM link_out WHERE ref = 'record'"), 0);
}

static void under_red_the_owner_acts_in_the_portal_and_its_node_is_still_heard(void **state)
{
    struct world *w = *state;
    int64_t id = told(w);
    struct desk_reply r;

    assert_int_equal(act_try(w, &w->registry, id, "acknowledge", json_object(), T0, &r), -EPROTO);
    assert_string_equal(r.code, "elsewhere");
    desk_reply_free(&r);
    label(w, id, "red");
    /* Named by the centre, the officer acts here. */
    assert_true(db_exec(w->desk, NULL, "INSERT INTO case_person(case_id, user_id) VALUES (?, ?)", "ii", id, w->registry.user_id) >= 0);
    act_do(w, &w->registry, id, "acknowledge", json_object(), T0);
    applied(w, id, "confirm_incident", incident_body(T0, "high"), T0 + NS_PER_MINUTE, T0 + 2 * NS_PER_MINUTE);
    /* A red case of which the node was never told stays unknown to it. */
    id = case_new(w, "port_scan", T0);
    act_do(w, &w->analyst, id, "notify", notify_body(w, id, T0), T0);
    label(w, id, "red");
    refused(w, id, "confirm_incident", incident_body(T0, "high"), T0, T0, "unknown_case");
}

/* --- what a node may name --- */

static int64_t find(struct world *w, int64_t id)
{
    struct desk_reply r = { 0 };
    json_t *about = about_of(w, id);
    int64_t found = 0;
    struct peer p;
    struct call c;

    desk_call_init(&c, w->desk, NULL, T0, &r);
    assert_int_equal(peer_load(&c, STR(OWNER_NODE), &p), 1);
    must(case_find(&c, &p, about, &found), c.e);
    desk_call_free(&c);
    desk_reply_free(&r);
    json_decref(about);
    return found;
}

static void naming_a_case_makes_nobody_known_to_it(void **state)
{
    struct world *w = *state;
    int64_t id = case_new(w, "ssh_bruteforce", T0), own = case_new(w, "port_scan", T0);

    act_do(w, &w->analyst, id, "notify", notify_body(w, id, T0), T0);
    assert_true(db_exec(w->desk, NULL, "DELETE FROM link_case", "") >= 0);
    /* The organisation sees its own case in the portal, but nothing has told its node of it. */
    assert_true(db_exec(w->desk, NULL, "UPDATE cases SET machine = 'self', state = 'self_detected' WHERE id = ?", "i", own) >= 0);
    assert_int_equal(find(w, own), own);
    assert_int_equal(count_of(w, "SELECT count(*) FROM link_case"), 0);
    assert_int_equal(find(w, id), id);
    assert_int_equal(count_of(w, "SELECT count(*) FROM link_case WHERE their_number IS NOT NULL"), 1);
}

static void people_cases_and_red_of_another_node_are_not_taken(void **state)
{
    struct world *w = *state;
    int64_t id = told(w);

    refused(w, id, "set_tlp", json_pack("{s:s, s:s, s:[s]}", "tlp", "amber", "reason", "r", "persons", "1"), T0, T0, "bad_payload");
    refused(w, id, "set_tlp", json_pack("{s:s, s:s}", "tlp", "red", "reason", "r"), T0, T0, "tlp_forbids");
    refused(w, id, "decide_recurrence", json_pack("{s:s, s:s}", "recurrence", "repeated", "previous", "1"), T0, T0, "bad_payload");
    assert_int_equal(count_of(w, "SELECT count(*) FROM case_person"), 0);
    applied(w, id, "set_tlp", json_pack("{s:s, s:s}", "tlp", "amber+strict", "reason", "r"), T0, T0);
}

/* to_knb - what a desk of KNB says to an opening: its code, "" if it is taken. A world of its own each time. */
static void to_knb(const char *level, time_ns confirmed, time_ns notified, const char *code)
{
    struct world *w;
    json_t *opening = json_pack("{s:s, s:s, s:o, s:s, s:s, s:o, s:o, s:s, s:b}", "machine", "sts", "detector", "centre", "detected_at", json_time(T0), "title", "T",
                                "tlp", "amber", "confirmed_at", json_time(confirmed), "notified_at", json_time(notified), "level", level, "measures", 0);
    json_t *about = json_pack("{s:s, s:s, s:s, s:n, s:n}", "case", "C-1", "object", "state-register", "origin", OWNER_NODE "/C-1", "your_case", "your_object");

    linked((void **)&w);
    assert_true(db_exec(w->desk, NULL, "UPDATE link_self SET org_id = (SELECT id FROM org WHERE kind = 'knb')", "") > 0);
    assert_true(db_exec(w->desk, NULL, "UPDATE link_peer SET org_id = 'sts'", "") > 0);
    struct replayed done = hear(w, about, "notify_knb", json_object(), opening, T0 + 20 * NS_PER_DAY, T0 + 20 * NS_PER_DAY, T0 + 20 * NS_PER_DAY);
    if (strcmp(done.applied ? "" : done.code, code) != 0)
        fail_msg("%s: \"%s\" %s", level, done.code ? done.code : "", done.reason);
    world_close((void **)&w);
}

static void knb_takes_over_only_what_can_be(void **state)
{
    (void)state;
    to_knb("high", T0 + NS_PER_HOUR, T0 + NS_PER_MINUTE, "");
    to_knb("enormous", T0 + NS_PER_HOUR, T0 + NS_PER_MINUTE, "bad_payload");
    to_knb("high", T0 + 40 * NS_PER_DAY, T0 + NS_PER_MINUTE, "bad_request");
    to_knb("high", T0 - NS_PER_DAY, T0 + NS_PER_MINUTE, "bad_request");
    to_knb("high", T0 + NS_PER_HOUR, T0 - NS_PER_DAY, "bad_request");
    to_knb("high", T0 + NS_PER_HOUR, T0 + 40 * NS_PER_DAY, "bad_request");
}

static void what_cannot_be_kept_here_is_refused_for_good(void **state)
{
    struct world *w = *state;
    int64_t id = told(w);
    size_t size = LINK_DOCUMENT_BYTES + 1;
    char *bytes = calloc(1, size), tail[100], path[4096];
    struct err e;

    applied(w, id, "confirm_incident", incident_body(T0, "high"), T0, T0);
    assert_non_null(bytes);
    secret_sha256_hex(str_of(bytes, size), heard_pdf);
    must(file_mkdirs(node_path(w->node, "documents", path), 0750, &e), &e);
    snprintf(tail, sizeof tail, "documents/%s.pdf", heard_pdf);
    must(file_write_atomic(node_path(w->node, tail, path), str_of(bytes, size), 0640, &e), &e);
    free(bytes);
    struct replayed done = hear(w, about_of(w, id), "report_measures", measures_body(w, id, T0, "high"), NULL, T0, T0, T0);   /* and not: later */
    heard_pdf[0] = 0;
    assert_false(done.applied);
    assert_int_equal(count_of(w, "SELECT count(*) FROM cases WHERE measures_at IS NOT NULL"), 0);
}

int main(void)
{
#define REPLAY_TEST(name) cmocka_unit_test_setup_teardown(name, linked, world_close)
    const struct CMUnitTest tests[] = {
        REPLAY_TEST(a_late_step_counts_then_and_is_known_from_when_it_came),
        REPLAY_TEST(a_node_does_not_choose_its_moment_freely),
        REPLAY_TEST(a_notice_of_a_case_goes_by_the_label_of_now_and_once),
        REPLAY_TEST(under_red_the_owner_acts_in_the_portal_and_its_node_is_still_heard),
        REPLAY_TEST(naming_a_case_makes_nobody_known_to_it),
        REPLAY_TEST(people_cases_and_red_of_another_node_are_not_taken),
        cmocka_unit_test(knb_takes_over_only_what_can_be),
        REPLAY_TEST(what_cannot_be_kept_here_is_refused_for_good),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
