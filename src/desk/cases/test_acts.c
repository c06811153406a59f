/* test_acts.c - a case from detection to closing: clocks, lines, refusals. Instants are given; nothing sleeps. */
#include "desk/testing.h"

#define M NS_PER_MINUTE
#define H NS_PER_HOUR

static void a_finding_opens_a_case_and_thirty_minutes_run(void **state)
{
    struct world *w = *state;
    int64_t id = case_new(w, "rule-open", T0);
    json_t *c = case_get(w, &w->analyst, id, T0 + 10 * M), *k = clock_of(c, "D-05"), *a7 = json_object_get(c, "annex7");

    assert_string_equal(state_of(c), "detected");
    assert_true(clock_time(c, "D-05", "from") == T0 && clock_time(c, "D-05", "due") == T0 + 30 * M);
    assert_int_equal(json_integer_value(json_object_get(k, "remaining_s")), 20 * 60);
    assert_string_equal(json_string_value(json_object_get(k, "paragraph")), "10(1)");
    assert_true(json_array_size(json_object_get(k, "arithmetic")) >= 2);
    /* Annex 7 is filled from the log and the registry. */
    assert_true(str_eq(json_get_str(a7, "registered_on"), STR("2026-03-20")));
    assert_true(str_eq(json_get_str(a7, "source_ip"), STR("203.0.113.77")));
    assert_true(str_eq(json_get_str(a7, "target_ip"), STR("192.0.2.5")));
    assert_true(str_eq(json_get_str(a7, "device_name"), STR("registry-web-1")));
    assert_true(str_eq(json_get_str(a7, "registration_kind"), STR("first")));
    assert_int_equal(json_integer_value(json_object_get(a7, "ipt_hit_count")), 12);
    assert_true(json_get_str(a7, "object").n && json_get_str(a7, "owner_or_possessor").n && json_get_str(a7, "event_name").n);
    assert_true(json_is_null(json_object_get(a7, "server_response_code")));
    assert_true(json_get_str(c, "recommendations").n > 20);
    assert_true(json_is_null(json_object_get(c, "annex2")));
    json_decref(c);
}

static void at_the_due_instant_it_is_in_time(void **state)
{
    struct world *w = *state;
    int64_t id = case_new(w, "rule-edge", T0);
    time_ns due = T0 + 30 * M;
    json_t *c;
    struct err e;

    must(desk_tick(w->desk, due, NULL, &e), &e);
    c = case_get(w, &w->analyst, id, due);
    assert_string_equal(clock_state(c, "D-05"), "running");
    assert_int_equal(lines_of(c, "clock_overdue", "D-05"), 0);
    json_decref(c);
    c = case_get(w, &w->analyst, id, due + 1);
    assert_string_equal(clock_state(c, "D-05"), "overdue");
    assert_int_equal(json_integer_value(json_object_get(clock_of(c, "D-05"), "remaining_s")), -1);
    json_decref(c);
    must(desk_tick(w->desk, due + 1, NULL, &e), &e);
    must(desk_tick(w->desk, due + 2, NULL, &e), &e);
    c = case_get(w, &w->analyst, id, due + 2);
    assert_int_equal(lines_of(c, "clock_overdue", "D-05"), 1);
    json_decref(c);
    act_do(w, &w->analyst, id, "notify", notify_body(w, id, due + 3), due + 3);
    c = case_get(w, &w->analyst, id, due + 3);
    assert_string_equal(clock_state(c, "D-05"), "fulfilled");   /* late, and its fulfilled_at says so */
    assert_true(clock_time(c, "D-05", "fulfilled_at") == due + 3);
    json_decref(c);
}

static int64_t notified(struct world *w, const char *rule, time_ns at)
{
    int64_t id = case_new(w, rule, at);

    act_do(w, &w->analyst, id, "analyse", json_pack("{s:s}", "note", "looks real"), at + 5 * M);
    act_do(w, &w->analyst, id, "notify", notify_body(w, id, at + 10 * M), at + 10 * M);
    return id;
}

static void the_notice_fulfils_the_thirty_minutes_and_starts_the_owners_clocks(void **state)
{
    struct world *w = *state;
    int64_t id = notified(w, "rule-notice", T0);
    json_t *c = case_get(w, &w->registry, id, T0 + 11 * M);

    assert_string_equal(state_of(c), "notified");
    assert_string_equal(clock_state(c, "D-05"), "fulfilled");
    assert_true(clock_time(c, "D-10", "from") == T0 + 10 * M && clock_time(c, "D-10", "due") == T0 + 10 * M + 72 * H);
    assert_true(clock_time(c, "D-11", "from") == T0 + 10 * M && clock_time(c, "D-11", "due") == T0 + 10 * M + 72 * H);
    assert_int_equal(json_array_size(json_object_get(c, "documents")), 1);
    assert_int_equal(json_array_size(json_object_get(c, "notices")), 3);   /* two responsible persons, one inbox */
    assert_true(offers(c, "confirm_event") && offers(c, "confirm_incident") && offers(c, "reject") && offers(c, "acknowledge"));
    assert_false(offers(c, "accept_elimination"));
    assert_int_equal(lines_of(c, "analyse", NULL), 0);   /* the centre's own notes stay with the centre */
    assert_true(str_eq(json_get_str(c, "recommendations"), STR("Block 203.0.113.77")));
    json_decref(c);
}

static void a_missing_source_address_never_blocks_the_notice(void **state)
{
    struct world *w = *state;
    int64_t id = case_new(w, "rule-noip", T0);
    json_t *body = notify_body(w, id, T0), *a7 = json_object_get(body, "annex7");
    struct desk_reply r;
    static const char *const may_lack[] = { "source_ip", "target_ip", "file_path_or_request", "server_response_code", "ipt_hit_count",
                                            "source_organization", "nature", "note" };

    for (size_t i = 0; i < COUNT(may_lack); i++)
        json_object_set_new(a7, may_lack[i], json_null());
    json_t *lacking = json_deep_copy(body);
    json_object_set_new(json_object_get(lacking, "annex7"), "device_name", json_null());
    assert_int_equal(act_try(w, &w->analyst, id, "notify", lacking, T0, &r), -EINVAL);
    assert_string_equal(r.field, "annex7.device_name");
    desk_reply_free(&r);
    act_do(w, &w->analyst, id, "notify", body, T0);
}

static void an_address_is_an_address(void **state)
{
    struct world *w = *state;
    int64_t id = case_new(w, "rule-address", T0);
    json_t *body = notify_body(w, id, T0), *wrong = json_deep_copy(body);
    struct desk_reply r;

    json_object_set_new(json_object_get(wrong, "annex7"), "source_ip", json_string("unknown"));
    assert_int_equal(act_try(w, &w->analyst, id, "notify", wrong, T0, &r), -EINVAL);
    assert_string_equal(r.field, "annex7.source_ip");
    desk_reply_free(&r);
    wrong = json_deep_copy(body);
    json_object_set_new(json_object_get(wrong, "annex7"), "target_ip", json_string("192.0.2.300"));
    assert_int_equal(act_try(w, &w->analyst, id, "notify", wrong, T0, &r), -EINVAL);
    assert_string_equal(r.field, "annex7.target_ip");
    desk_reply_free(&r);
    json_object_set_new(json_object_get(body, "annex7"), "source_ip", json_string("203.0.113.7, 2001:db8::5"));
    act_do(w, &w->analyst, id, "notify", body, T0);
    /* Annex 2 holds indicators that can be compared with those of other cases. */
    act_do(w, &w->registry, id, "confirm_incident", incident_body(T0 + 2 * H, "high"), T0 + 3 * H);
    body = measures_body(w, id, T0 + 5 * H, "high");
    json_object_set_new(json_object_get(body, "annex2"), "iocs", json_pack("[{s:s, s:s}, {s:s, s:s}]", "type", "domain", "value", "evil[.]example",
                                                                          "type", "ip", "value", "zzz"));
    assert_int_equal(act_try(w, &w->registry, id, "report_measures", body, T0 + 5 * H, &r), -EINVAL);
    assert_string_equal(r.field, "annex2.iocs.1.value");
    desk_reply_free(&r);
}

static void the_moment_of_detection_is_not_negotiable(void **state)
{
    struct world *w = *state;
    int64_t id = case_new(w, "rule-moment", T0);
    json_t *body = notify_body(w, id, T0);
    struct desk_reply r;

    json_object_set_new(json_object_get(body, "annex7"), "detected_at", json_time(T0 + 5 * M));
    assert_int_equal(act_try(w, &w->analyst, id, "notify", body, T0 + 6 * M, &r), -EINVAL);
    assert_string_equal(r.field, "annex7.detected_at");
    desk_reply_free(&r);
}

static void an_event_is_analysed_and_closed(void **state)
{
    struct world *w = *state;
    int64_t id = notified(w, "rule-event", T0);
    json_t *c;

    act_do(w, &w->registry, id, "confirm_event", NULL, T0 + 1 * H);
    c = case_get(w, &w->registry, id, T0 + 1 * H);
    assert_string_equal(clock_state(c, "D-10"), "running");
    assert_string_equal(clock_state(c, "D-11"), "cancelled");
    json_decref(c);
    act_do(w, &w->registry, id, "event_analysis", json_pack("{s:s}", "text", "a scanner of our own"), T0 + 2 * H);
    act_do(w, &w->analyst, id, "close", NULL, T0 + 3 * H);
    c = case_get(w, &w->analyst, id, T0 + 3 * H);
    assert_string_equal(state_of(c), "closed");
    assert_string_equal(clock_state(c, "D-10"), "fulfilled");
    assert_true(clock_time(c, "D-10", "fulfilled_at") == T0 + 2 * H);
    json_decref(c);
}

static void an_event_that_becomes_an_incident_keeps_the_moment_of_the_notice(void **state)
{
    struct world *w = *state;
    int64_t id = notified(w, "rule-grows", T0);
    json_t *c;

    act_do(w, &w->registry, id, "confirm_event", NULL, T0 + 1 * H);
    act_do(w, &w->registry, id, "confirm_incident", incident_body(T0 + 20 * H, "high"), T0 + 20 * H);
    c = case_get(w, &w->registry, id, T0 + 20 * H);
    assert_string_equal(clock_state(c, "D-10"), "cancelled");
    assert_string_equal(clock_state(c, "D-11"), "running");
    assert_true(clock_time(c, "D-11", "from") == T0 + 10 * M);
    assert_true(clock_time(c, "D-06", "due") == T0 + 92 * H);
    assert_string_equal(clock_state(c, "D-31"), "none");
    json_decref(c);
}

static void an_undefined_level_is_reviewed_within_forty_eight_hours(void **state)
{
    struct world *w = *state;
    int64_t id = notified(w, "rule-level", T0);
    json_t *c;

    act_do(w, &w->registry, id, "confirm_incident", incident_body(T0 + 1 * H, "undefined"), T0 + 1 * H);
    c = case_get(w, &w->registry, id, T0 + 2 * H);
    assert_true(clock_time(c, "D-31", "due") == T0 + 49 * H);
    assert_true(offers(c, "review_level"));
    json_decref(c);
    act_do(w, &w->registry, id, "review_level", json_pack("{s:s, s:s}", "level", "undefined", "reason", "the effect is still not known"), T0 + 3 * H);
    c = case_get(w, &w->registry, id, T0 + 3 * H);
    assert_string_equal(clock_state(c, "D-31"), "fulfilled");
    assert_true(offers(c, "review_level"));
    json_decref(c);
    act_do(w, &w->analyst, id, "review_level", json_pack("{s:s, s:s}", "level", "low", "reason", "no effect"), T0 + 4 * H);
    c = case_get(w, &w->registry, id, T0 + 4 * H);
    assert_false(offers(c, "review_level"));
    json_decref(c);
}

static void measures_elimination_acceptance_closing(void **state)
{
    struct world *w = *state;
    int64_t id = notified(w, "rule-whole", T0);
    struct desk_reply r;
    json_t *c;

    act_do(w, &w->registry, id, "acknowledge", NULL, T0 + 1 * H);
    act_do(w, &w->registry, id, "confirm_incident", incident_body(T0 + 2 * H, "undefined"), T0 + 2 * H);
    act_do(w, &w->registry, id, "report_measures", measures_body(w, id, T0 + 5 * H, "medium"), T0 + 5 * H);
    c = case_get(w, &w->registry, id, T0 + 5 * H);
    assert_string_equal(state_of(c), "measures_reported");
    assert_string_equal(clock_state(c, "D-11"), "fulfilled");
    assert_string_equal(clock_state(c, "D-31"), "fulfilled");   /* the report settles the level */
    assert_string_equal(clock_state(c, "D-06"), "running");     /* measures taken are not elimination */
    json_decref(c);
    assert_int_equal(act_try(w, &w->analyst, id, "accept_elimination", NULL, T0 + 6 * H, &r), -EPROTO);
    desk_reply_free(&r);
    assert_int_equal(act_try(w, &w->registry, id, "eliminate", eliminate_body(T0 + 90 * H), T0 + 7 * H, &r), -EINVAL);
    assert_string_equal(r.field, "causes_at");
    desk_reply_free(&r);
    act_do(w, &w->registry, id, "eliminate", eliminate_body(T0 + 70 * H), T0 + 71 * H);
    /* Accepted after the 72 hours, declared within them: the clock stops where the owner declared. */
    act_do(w, &w->analyst, id, "accept_elimination", NULL, T0 + 80 * H);
    c = case_get(w, &w->analyst, id, T0 + 80 * H);
    assert_string_equal(state_of(c), "eliminated");
    assert_true(clock_time(c, "D-06", "fulfilled_at") == T0 + 70 * H);
    json_decref(c);
    act_do(w, &w->analyst, id, "close", NULL, T0 + 81 * H);
}

static void after_seventy_two_hours_the_knb_notice_is_raised(void **state)
{
    struct world *w = *state;
    int64_t id = notified(w, "rule-knb", T0);
    time_ns due = T0 + 1 * H + 72 * H;
    struct desk_reply r;
    struct err e;
    json_t *c;

    act_do(w, &w->registry, id, "confirm_incident", incident_body(T0 + 1 * H, "high"), T0 + 1 * H);
    assert_int_equal(act_try(w, &w->analyst, id, "notify_knb", NULL, due, &r), -EPROTO);
    desk_reply_free(&r);
    must(desk_tick(w->desk, due + 100 * H, NULL, &e), &e);   /* an outage of four days: delayed, not dropped */
    must(desk_inbox(w->desk, &w->analyst, 0, STR(""), &r), &r.err);
    assert_true(str_eq(json_get_str(json_array_get(json_object_get(r.json, "items"), 0), "kind"), STR("knb_notice")));
    desk_reply_free(&r);
    c = case_get(w, &w->analyst, id, due + 100 * H);
    assert_int_equal(lines_of(c, "clock_overdue", "D-06"), 1);
    assert_int_equal(lines_of(c, "reminder", "D-06"), 3);
    assert_true(offers(c, "notify_knb"));
    json_decref(c);
    act_do(w, &w->analyst, id, "notify_knb", json_pack("{s:s}", "note", "not eliminated"), due + 101 * H);
    c = case_get(w, &w->registry, id, due + 101 * H);
    assert_string_equal(state_of(c), "escalated_knb");
    assert_int_equal(json_array_size(json_object_get(c, "documents")), 1);   /* the letter to the KNB is not the owner's */
    json_decref(c);
    act_do(w, &w->registry, id, "report_measures", measures_body(w, id, due + 102 * H, "high"), due + 102 * H);
    act_do(w, &w->registry, id, "eliminate", eliminate_body(due + 102 * H), due + 103 * H);
    act_do(w, &w->analyst, id, "accept_elimination", NULL, due + 104 * H);
    act_do(w, &w->analyst, id, "close", NULL, due + 105 * H);
}

static void a_corrected_confirmation_counts_the_clock_anew_and_leaves_a_line(void **state)
{
    struct world *w = *state;
    int64_t id = notified(w, "rule-corrected", T0);
    json_t *body, *c;

    act_do(w, &w->registry, id, "confirm_incident", incident_body(T0 + 2 * H, "high"), T0 + 3 * H);
    body = measures_body(w, id, T0 + 5 * H, "high");
    json_object_set_new(json_object_get(body, "annex2"), "confirmed_at", json_time(T0 + 1 * H));
    act_do(w, &w->registry, id, "report_measures", body, T0 + 5 * H);
    c = case_get(w, &w->registry, id, T0 + 5 * H);
    assert_true(clock_time(c, "D-06", "from") == T0 + 1 * H && clock_time(c, "D-06", "due") == T0 + 73 * H);
    assert_int_equal(lines_of(c, "clock_started", "D-06"), 2);
    json_decref(c);
}

static void dismissed_and_rejected_cases_close(void **state)
{
    struct world *w = *state;
    int64_t a = case_new(w, "rule-dismiss", T0), b = notified(w, "rule-reject", T0);
    json_t *c;

    dismiss_do(w, a, "a test of ours", T0 + 1 * M);
    act_do(w, &w->analyst, a, "close", NULL, T0 + 2 * M);
    c = case_get(w, &w->analyst, a, T0 + 2 * M);
    assert_string_equal(clock_state(c, "D-05"), "cancelled");
    json_decref(c);
    act_do(w, &w->registry, b, "reject", json_pack("{s:s}", "reason", "neither"), T0 + 1 * H);
    c = case_get(w, &w->registry, b, T0 + 1 * H);
    assert_string_equal(clock_state(c, "D-10"), "cancelled");
    assert_string_equal(clock_state(c, "D-11"), "cancelled");
    json_decref(c);
    act_do(w, &w->analyst, b, "close", NULL, T0 + 2 * H);
}

#define T(f, n) { .name = n, .test_func = f, .setup_func = world_open, .teardown_func = world_close }

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(a_finding_opens_a_case_and_thirty_minutes_run, "D-05 R-10.1-06 R-10.1-08 R-A7-01 R-A7-03 R-A7-04 R-A7-05 R-A7-06 R-A7-07 R-A7-10 R-A7-12 R-A7-14 R-A7-15 a finding opens a case, thirty minutes run from detection, Annex 7 is filled in"),
        T(at_the_due_instant_it_is_in_time, "D-05 at the due instant it is in time, a nanosecond later it is overdue, and marked once"),
        T(the_notice_fulfils_the_thirty_minutes_and_starts_the_owners_clocks, "D-05 D-10 D-11 R-10.1-07 R-10.1-08 R-10.1-09 R-10.1-10 R-12-12 R-12-13 the notice with Annex 7 fulfils the thirty minutes and starts the owner's 72 hours"),
        T(a_missing_source_address_never_blocks_the_notice, "R-A7-04 R-A7-05 R-A7-08 R-A7-09 R-A7-10 R-A7-11 R-A7-13 R-A7-16 what the log lacks never blocks the notice"),
        T(an_address_is_an_address, "R-A7-04 R-A7-05 R-A2-09 what is no address or indicator is not sent; its field is named"),
        T(the_moment_of_detection_is_not_negotiable, "D-05 R-A7-03 the moment of detection cannot be moved on the form"),
        T(an_event_is_analysed_and_closed, "D-10 R-12-12 a confirmed event is analysed within 72 hours of the notice and closed"),
        T(an_event_that_becomes_an_incident_keeps_the_moment_of_the_notice, "D-11 D-06 R-12-13 an event that becomes an incident: 72 hours from the notice, KNB's from confirmation"),
        T(an_undefined_level_is_reviewed_within_forty_eight_hours, "D-31 R-A2-20 R-A2-47 an undefined level is reviewed within 48 hours of confirmation"),
        T(measures_elimination_acceptance_closing, "D-11 D-06 R-12-13 measures reported, elimination declared and accepted, the case closes"),
        T(after_seventy_two_hours_the_knb_notice_is_raised, "D-06 R-10.1-13 after 72 hours the KNB notice is raised, an outage delays and never drops it"),
        T(a_corrected_confirmation_counts_the_clock_anew_and_leaves_a_line, "D-06 R-A2-07 a corrected confirmation counts the clock anew and leaves a line"),
        T(dismissed_and_rejected_cases_close, "dismissed and rejected cases stop their clocks and close"),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
