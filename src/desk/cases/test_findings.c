/* test_findings.c - findings become cases exactly once, grouped; policy; reminders after an outage. */
#include "desk/testing.h"

#define M NS_PER_MINUTE
#define H NS_PER_HOUR

static int64_t count(struct world *w, const char *sql)
{
    int64_t n = -1;

    assert_int_equal(db_int(w->desk, NULL, 0, &n, sql, ""), 0);
    return n;
}

static void take(struct world *w, time_ns now)
{
    struct err e;

    must(desk_take_findings(w->desk, now, &e), &e);
}

static void findings_of_one_rule_and_object_join(void **state)
{
    struct world *w = *state;
    int64_t id = case_new(w, "rule-a", T0);

    finding_write(w, "rule-a", "state-register", "registry-web-1", T0 + 1 * M);
    finding_write(w, "rule-a", "state-register", "registry-db-1", T0 + 2 * M);    /* the same object */
    finding_write(w, "rule-b", "state-register", "registry-web-1", T0 + 3 * M);   /* another rule */
    finding_write(w, "rule-a", "city-portal", "city-web-1", T0 + 4 * M);          /* another object */
    take(w, T0 + 5 * M);
    assert_int_equal(count(w, "SELECT count(*) FROM cases"), 3);
    json_t *c = case_get(w, &w->analyst, id, T0 + 5 * M);
    assert_int_equal(json_integer_value(json_object_get(c, "count")), 3);
    assert_int_equal(json_array_size(json_object_get(c, "findings")), 3);
    assert_true(clock_time(c, "D-05", "from") == T0);   /* the first finding counts */
    assert_int_equal(lines_of(c, "finding", NULL), 2);
    json_decref(c);
}

static void after_the_grouping_time_a_new_case_is_linked_as_repeated(void **state)
{
    struct world *w = *state;
    int64_t first = case_new(w, "rule-a", T0), second;
    json_t *c;

    finding_write(w, "rule-a", "state-register", "registry-web-1", T0 + 25 * H);
    take(w, T0 + 25 * H);
    second = newest_case(w);
    assert_true(second != first);
    c = case_get(w, &w->analyst, second, T0 + 25 * H);
    assert_true(str_eq(json_get_str(json_object_get(c, "annex7"), "registration_kind"), STR("repeated")));
    assert_true(clock_time(c, "D-05", "from") == T0 + 25 * H);
    assert_true(str_find(json_get_str(json_array_get(json_object_get(c, "timeline"), 0), "text"), STR("2026-000001")) > 0);
    json_decref(c);
}

/* label_of - of the case that an indicator published under this label opens. */
static void label_of(struct world *w, const char *rule, const char *published, const char *want, int want_lines, time_ns at)
{
    json_t *c;

    finding_of_indicator(w, rule, "state-register", "registry-web-1", published, at);
    take(w, at);
    c = case_get(w, &w->analyst, newest_case(w), at);
    CHECK(rule, str_eq(json_get_str(c, "tlp"), str_c(want)) && lines_of(c, "set_tlp", NULL) == want_lines);
    json_decref(c);
}

static void a_narrow_indicator_makes_the_case_narrow(void **state)
{
    struct world *w = *state;

    label_of(w, "ioc-ip-0", "clear", "amber", 0, T0);
    label_of(w, "ioc-ip-1", "amber", "amber", 0, T0 + 1 * M);
    label_of(w, "ioc-ip-2", "amber+strict", "amber+strict", 1, T0 + 2 * M);
    label_of(w, "ioc-ip-3", "red", "amber+strict", 1, T0 + 3 * M);     /* who is on duty sees it */
    label_of(w, "ioc-ip-4", "violet", "amber", 0, T0 + 4 * M);
    label_of(w, "ioc-ip-5", "", "amber", 0, T0 + 5 * M);
}

/* exported - the indicators of a case as v gets them; the caller owns them. NULL: refused with code. */
static json_t *exported(struct world *w, const struct viewer *v, int64_t id, bool misp, const char *code)
{
    AUTO_BUF struct buf b = { 0 };
    struct desk_reply r = { 0 };
    char text[24];
    json_t *j = NULL;

    buf_init(&b, MIB);
    snprintf(text, sizeof text, "%lld", (long long)id);
    if (desk_case_indicators(w->desk, v, str_c(text), misp, T0 + 1 * H, &b, &r) == 0)
        j = json_loadb(b.p, b.n, 0, NULL);
    else
        CHECK(code, b.n == 0 && code && strcmp(r.code, code) == 0);
    desk_reply_free(&r);
    return j;
}

static void indicators_are_taken_out_by_whoever_sees_the_case(void **state)
{
    struct world *w = *state;
    int64_t id = case_new(w, "rule-a", T0), before = count(w, "SELECT count(*) FROM audit WHERE action = 'export'");
    assert_int_equal(count(w, "SELECT count(*) FROM indicator WHERE own = 0"), 2);
    assert_int_equal(db_exec(w->desk, NULL, "UPDATE indicator SET own = 1 WHERE value = '192.0.2.5'", "") < 0, 0);
    json_t *stix = exported(w, &w->analyst, id, false, NULL), *misp = exported(w, &w->analyst, id, true, NULL), *event = json_object_get(misp, "Event");

    assert_non_null(stix);
    assert_string_equal(json_string_value(json_object_get(stix, "type")), "bundle");
    assert_string_equal(json_string_value(json_object_get(json_array_get(json_object_get(event, "Tag"), 0), "name")), "tlp:amber");
    assert_int_equal(json_array_size(json_object_get(event, "Attribute")), 1);       /* not the address of one's own */
    assert_string_equal(json_string_value(json_object_get(json_array_get(json_object_get(event, "Attribute"), 0), "value")), "203.0.113.77");
    assert_int_equal(count(w, "SELECT count(*) FROM audit WHERE action = 'export'"), before + 2);
    assert_null(exported(w, &w->analyst, id + 1000, false, "not_found"));
    assert_null(exported(w, &w->city, id, false, "not_found"));
    json_decref(stix);
    json_decref(misp);
}

static void a_closed_case_takes_no_findings(void **state)
{
    struct world *w = *state;
    int64_t first = case_new(w, "rule-a", T0);

    dismiss_do(w, first, "a drill", T0 + 1 * M);
    act_do(w, &w->analyst, first, "close", NULL, T0 + 1 * M);
    assert_true(case_new(w, "rule-a", T0 + 2 * M) != first);
}

static int kill_now(void *arg)
{
    int *left = arg;

    return --*left == 0;
}

static void a_kill_between_any_two_steps_takes_each_finding_once(void **state)
{
    struct world *w = *state;
    struct err e;

    for (int i = 0; i < 20; i++)
        finding_write(w, i % 3 ? "rule-a" : "rule-b", "state-register", "registry-web-1", T0 + i * M);
    int killed = 0;
    for (int round = 0; round < 60; round++) {
        /* SQLite is interrupted at its n-th step: what a kill leaves is a rollback. */
        int left = 1 + round * 3;

        desk_reopen(w);
        sqlite3_progress_handler(w->desk->db, 40, kill_now, &left);
        killed += desk_take_findings(w->desk, T0 + 1 * H, &e) < 0;
        sqlite3_progress_handler(w->desk->db, 0, NULL, NULL);
    }
    assert_true(killed > 20);
    desk_reopen(w);
    take(w, T0 + 1 * H);
    take(w, T0 + 1 * H);
    assert_int_equal(count(w, "SELECT count(*) FROM finding"), 20);
    assert_int_equal(count(w, "SELECT count(*) FROM cases"), 2);
    assert_int_equal(count(w, "SELECT sum(count) FROM cases"), 20);
    assert_int_equal(count(w, "SELECT count(*) FROM duty"), 2);
}

static void a_source_without_an_object_is_for_the_centre_until_it_is_registered(void **state)
{
    struct world *w = *state;
    json_t *c, *body;
    struct desk_reply r = { 0 };
    int64_t id;

    finding_write(w, "rule-x", "", "new-host-1", T0);
    take(w, T0);
    id = newest_case(w);
    c = case_get(w, &w->analyst, id, T0);
    assert_true(json_is_null(json_object_get(c, "object")));
    assert_false(offers(c, "notify"));
    assert_string_equal(clock_state(c, "D-05"), "running");
    json_decref(c);
    body = json_pack("{s:s, s:s, s:n, s:n, s:[s], s:[], s:b}", "name", "New system", "org_id", "city-services", "criticality", "contour", "hosts",
                     "NEW-HOST-1", "contacts", "active", 1);
    must(desk_object_create(w->desk, &w->admin, body, T0 + 1 * M, &r), &r.err);
    json_decref(body);
    desk_reply_free(&r);
    c = case_get(w, &w->analyst, id, T0 + 2 * M);
    assert_true(str_eq(json_get_str(json_object_get(c, "object"), "name"), STR("New system")));
    assert_true(offers(c, "notify"));
    json_decref(c);
}

static void policy_sends_the_notice_without_a_human(void **state)
{
    struct world *w = *state;
    struct err e;
    int64_t id, n = 0;

    assert_true(db_exec(w->desk, NULL, "INSERT INTO rule_policy VALUES ('rule-auto', 1, 0)", "") == 1);
    id = case_new(w, "rule-auto", T0);
    must(desk_tick(w->desk, T0 + 1 * M, NULL, &e), &e);
    json_t *c = case_get(w, &w->analyst, id, T0 + 1 * M);
    assert_string_equal(state_of(c), "notified");
    assert_string_equal(clock_state(c, "D-05"), "fulfilled");
    assert_int_equal(lines_of(c, "auto_notify", NULL), 1);
    json_decref(c);
    assert_int_equal(db_int(w->desk, NULL, 0, &n, "SELECT count(*) FROM audit WHERE action = 'case.notify' AND login = ''", ""), 0);
    assert_int_equal(n, 1);
}

static void an_outage_delays_reminders_and_drops_none(void **state)
{
    struct world *w = *state;
    int64_t id = case_new(w, "rule-remind", T0);
    time_ns next = 0;
    struct err e;

    must(desk_tick(w->desk, T0 + 14 * M, &next, &e), &e);
    assert_true(next == T0 + 15 * M);   /* half of the thirty minutes */
    assert_int_equal(count(w, "SELECT count(*) FROM reminder WHERE sent_at IS NOT NULL"), 0);
    desk_reopen(w);
    must(desk_tick(w->desk, T0 + 20 * H, &next, &e), &e);
    desk_reopen(w);
    must(desk_tick(w->desk, T0 + 21 * H, &next, &e), &e);
    assert_true(next > T0 + 21 * H);   /* nothing that was due is left */
    json_t *c = case_get(w, &w->analyst, id, T0 + 21 * H);
    assert_int_equal(lines_of(c, "reminder", "D-05"), 2);
    assert_int_equal(lines_of(c, "clock_overdue", "D-05"), 1);
    json_decref(c);
    assert_int_equal(count(w, "SELECT count(*) FROM reminder WHERE kind = 'before' AND outcome = 'sent'"), 2);
}

/* frame - the events are one frame of the journal of findings; the batch is freed. */
static void frame(struct world *w, struct event_batch *b)
{
    struct journal_origin origin = { STR_INIT("detect"), 1 };
    struct journal *j;
    char path[4096];
    struct err e;

    must(journal_open(node_path(w->node, "findings", path), 0, &j, &e), &e);
    must(journal_append(j, b->items, b->count, origin, NULL, &e), &e);
    must(journal_commit(j, &e), &e);
    journal_close(&j);
    event_batch_free(b);
}

static void hostile_findings_are_kept_and_shown(void **state)
{
    struct world *w = *state;
    struct event_batch b;
    static char big[200000];

    memset(big, 'A', sizeof big);
    event_batch_init(&b, 0);
    for (int i = 0; i < 3; i++) {
        struct event *ev = event_batch_add(&b);

        ev->time = ev->received = T0;
        ev->object = STR("no-such-object'; DROP TABLE cases");
        ev->original = i == 0 ? str_of(big, sizeof big) : STR("\xff\xfe broken \x01 \xd0");
        if (i < 2) {
            event_add(ev, &b.arena, STR("rule.id"), STR("r'\"\xff{title}"));
            event_add(ev, &b.arena, STR("rule.name"), STR("{number} <b>\x1b[31m"));
            event_add(ev, &b.arena, STR("rule.level"), STR("apocalyptic"));
            event_add(ev, &b.arena, STR("host.name"), str_of(big, 5000));
        }
    }
    frame(w, &b);
    take(w, T0);
    assert_int_equal(count(w, "SELECT count(*) FROM cases"), 1);
    assert_int_equal(count(w, "SELECT count(*) FROM audit WHERE action = 'finding.skip'"), 1);
    assert_int_equal(count(w, "SELECT count(*) FROM setback WHERE kind = 'finding' AND story = 'a finding without rule.id'"), 1);
    json_t *c = case_get(w, &w->analyst, newest_case(w), T0);
    assert_int_equal(json_array_size(json_object_get(c, "findings")), 2);
    json_decref(c);
}

/* What detection counts into a finding that was told before comes as an update: the case counts what it brings, no more. */
static void an_update_of_an_episode_adds_what_it_counts(void **state)
{
    static const char *const hits[] = { "1", "41", "60", "7", "0", "many", "-3" };
    struct world *w = *state;
    struct event_batch b;

    event_batch_init(&b, 0);
    for (size_t i = 0; i < COUNT(hits); i++) {
        struct event *ev = event_batch_add(&b);

        ev->time = ev->received = T0 + (time_ns)i * M;
        ev->object = STR("state-register");
        assert_int_equal(event_add(ev, &b.arena, STR("rule.id"), STR("rule-a")), 0);
        assert_int_equal(event_add(ev, &b.arena, STR("saqshy.episode"), STR("e-1")), 0);
        assert_int_equal(event_add(ev, &b.arena, STR("saqshy.hits"), str_c(hits[i])), 0);
    }
    frame(w, &b);
    take(w, T0 + 1 * H);
    take(w, T0 + 1 * H);
    json_t *c = case_get(w, &w->analyst, newest_case(w), T0 + 1 * H);
    assert_int_equal(count(w, "SELECT count(*) FROM cases"), 1);
    assert_int_equal(json_integer_value(json_object_get(c, "count")), 112);   /* what is no number of matches counts as one */
    assert_int_equal(lines_of(c, "finding", NULL), 2);                        /* past 10, and past 100 */
    json_decref(c);
}

/* One line that many rules find is a frame in which the line stands once, but each of its events has it whole. */
static void a_long_line_that_many_rules_find_is_taken(void **state)
{
    enum { RULES = 70 };
    struct world *w = *state;
    struct event_batch b;
    char *line = malloc(EVENT_ORIGINAL_MAX);

    assert_non_null(line);
    memset(line, 'A', EVENT_ORIGINAL_MAX);
    event_batch_init(&b, 0);
    for (int i = 0; i < RULES; i++) {
        struct event *ev = event_batch_add(&b);

        ev->time = ev->received = T0;
        ev->original = str_of(line, EVENT_ORIGINAL_MAX);
        assert_int_equal(event_add(ev, &b.arena, STR("rule.id"), arena_printf(&b.arena, "rule-%d", i)), 0);
        assert_int_equal(event_add(ev, &b.arena, STR("rule.level"), STR("high")), 0);
    }
    frame(w, &b);
    free(line);
    take(w, T0);
    assert_int_equal(count(w, "SELECT count(*) FROM cases"), RULES);
    assert_int_equal(count(w, "SELECT count(*) FROM setback WHERE kind = 'finding'"), 0);
}

#define T(f, n) { .name = n, .test_func = f, .setup_func = world_open, .teardown_func = world_close }

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(findings_of_one_rule_and_object_join, "R-10.1-06 findings of one rule and object join one case, the first counts"),
        T(after_the_grouping_time_a_new_case_is_linked_as_repeated, "R-A7-12 after the grouping time a new case opens as repeated registration"),
        T(a_narrow_indicator_makes_the_case_narrow, "R-A2-09 the label of an indicator narrows the case that it opens, and locks out nobody on duty"),
        T(indicators_are_taken_out_by_whoever_sees_the_case, "R-A2-09 indicators of a case are taken out as STIX and MISP by whoever sees the case"),
        T(a_closed_case_takes_no_findings, "a closed case takes no findings"),
        T(a_kill_between_any_two_steps_takes_each_finding_once, "killed between any two steps, each finding is taken once"),
        T(a_source_without_an_object_is_for_the_centre_until_it_is_registered, "a source without an object is the centre's until it is registered"),
        T(policy_sends_the_notice_without_a_human, "D-05 R-10.1-08 policy sends the notice without a human"),
        T(an_outage_delays_reminders_and_drops_none, "D-05 an outage delays reminders and drops none"),
        T(hostile_findings_are_kept_and_shown, "hostile findings are kept and shown, one without a rule is passed, kept and said"),
        T(an_update_of_an_episode_adds_what_it_counts, "an update of an episode adds to its case what it counts"),
        T(a_long_line_that_many_rules_find_is_taken, "a line of the greatest length that many rules find gives a case each"),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
