/* test_approvals.c - the two-person rule, on the act that it was made for: dismissing a case before anybody was told. */
#include "desk/testing.h"

#define M NS_PER_MINUTE

static int64_t asked(struct world *w, const char *rule, const char *reason, time_ns now)
{
    int64_t id = case_new(w, rule, T0);

    act_do(w, &w->analyst, id, "dismiss", json_pack("{s:s}", "reason", reason), now);
    return id;
}

static void nothing_is_done_until_another_person_approves(void **state)
{
    struct world *w = *state;
    int64_t id = asked(w, "two-a", "a drill", T0 + M);
    json_t *c = case_get(w, &w->lead, id, T0 + M);
    struct desk_reply r;

    assert_string_equal(state_of(c), "detected");
    assert_string_equal(clock_state(c, "D-05"), "running");
    assert_int_equal(json_array_size(json_object_get(c, "approvals")), 1);
    json_decref(c);
    assert_int_equal(decide_try(w, &w->analyst, waiting(w), "approve", "", T0 + 2 * M, &r), -EACCES);
    assert_string_equal(r.code, "second_person");
    desk_reply_free(&r);
    assert_int_equal(decide_try(w, &w->lead, waiting(w), "withdraw", "", T0 + 2 * M, &r), -EACCES);
    desk_reply_free(&r);
    assert_int_equal(decide_try(w, &w->registry, waiting(w), "approve", "", T0 + 2 * M, &r), -ENOENT);   /* the owner hears nothing of it */
    assert_int_equal(desk_approvals(w->desk, &w->registry, STR(""), 0, STR(""), &r), 0);
    assert_int_equal(json_array_size(json_object_get(r.json, "items")), 0);
    desk_reply_free(&r);
    assert_int_equal(decide_try(w, &w->city, waiting(w), "approve", "", T0 + 2 * M, &r), -ENOENT);
    desk_reply_free(&r);
    assert_int_equal(decide_try(w, &w->lead, waiting(w), "approve", "seen", T0 + 3 * M, &r), 0);
    assert_string_equal(json_string_value(json_object_get(r.json, "state")), "approved");
    desk_reply_free(&r);
    c = case_get(w, &w->lead, id, T0 + 3 * M);
    assert_string_equal(state_of(c), "dismissed_by_sts");
    assert_string_equal(clock_state(c, "D-05"), "cancelled");
    assert_int_equal(lines_of(c, "approval_asked", NULL), 1);
    assert_int_equal(lines_of(c, "approval_given", NULL), 1);
    assert_int_equal(lines_of(c, "dismiss", NULL), 1);
    json_decref(c);
}

static void the_same_act_waits_once_and_a_refusal_says_why(void **state)
{
    struct world *w = *state;
    int64_t id = asked(w, "two-b", "noise", T0 + M), first = waiting(w);
    struct desk_reply r;

    assert_int_equal(act_try(w, &w->analyst, id, "dismiss", json_pack("{s:s}", "reason", "noise"), T0 + M, &r), -EEXIST);
    desk_reply_free(&r);
    assert_int_equal(decide_try(w, &w->lead, first, "refuse", "", T0 + 2 * M, &r), -EINVAL);
    assert_string_equal(r.field, "note");
    desk_reply_free(&r);
    assert_int_equal(decide_try(w, &w->lead, first, "refuse", "it is real", T0 + 2 * M, &r), 0);
    desk_reply_free(&r);
    assert_int_equal(decide_try(w, &w->lead, first, "approve", "", T0 + 3 * M, &r), -EPROTO);
    desk_reply_free(&r);
    assert_true(db_exec(w->desk, NULL, "UPDATE approval SET state = 'approved' WHERE id = ?", "i", first) < 0);
    assert_true(db_exec(w->desk, NULL, "DELETE FROM approval WHERE id = ?", "i", first) < 0);
    json_t *c = case_get(w, &w->lead, id, T0 + 3 * M);
    assert_string_equal(state_of(c), "detected");
    json_decref(c);
    /* Refused once, it may be asked again; and taken back. */
    act_do(w, &w->analyst, id, "dismiss", json_pack("{s:s}", "reason", "noise"), T0 + 4 * M);
    assert_int_equal(decide_try(w, &w->analyst, waiting(w), "withdraw", "", T0 + 4 * M, &r), 0);
    desk_reply_free(&r);
    assert_int_equal(waiting(w), 0);
}

static void an_act_that_is_no_longer_possible_changes_nothing(void **state)
{
    struct world *w = *state;
    int64_t id = asked(w, "two-c", "late", T0 + M), a = waiting(w), audit = 0, after = 0;
    struct desk_reply r;

    act_do(w, &w->lead, id, "notify", notify_body(w, id, T0 + 2 * M), T0 + 2 * M);
    assert_int_equal(db_int(w->desk, NULL, 0, &audit, "SELECT count(*) FROM audit WHERE outcome = 'ok'", ""), 0);
    assert_int_equal(decide_try(w, &w->lead, a, "approve", "", T0 + 3 * M, &r), -EPROTO);
    assert_string_equal(r.code, "wrong_state");
    desk_reply_free(&r);
    assert_int_equal(db_int(w->desk, NULL, 0, &after, "SELECT count(*) FROM audit WHERE outcome = 'ok'", ""), 0);
    assert_true(audit == after);
    assert_int_equal(waiting(w), a);
}

static void an_unknown_kind_is_refused_with_its_place(void **state)
{
    struct world *w = *state;
    char folder[128], path[160];
    unsigned bits;
    struct err e;

    snprintf(folder, sizeof folder, "%.60s/policy", w->data);
    assert_int_equal(mkdir(folder, 0700), 0);
    snprintf(path, sizeof path, "%s/two_person.yaml", folder);
    assert_int_equal(file_write_atomic(path, STR("two_person:\n  - case.dismiss\n  - case.dismis\n"), 0600, &e), 0);
    assert_int_equal(two_person_load(w->data, &bits, &e), -EBADMSG);
    assert_non_null(strstr(e.text, "two_person.yaml"));
    assert_non_null(strstr(e.text, "3"));
}

int main(void)
{
#define T(f, name) { name, f, NULL, NULL, NULL }
    const struct CMUnitTest tests[] = {
        T(nothing_is_done_until_another_person_approves, "a dismissal waits for another person, and the clock runs on"),
        T(the_same_act_waits_once_and_a_refusal_says_why, "the same act waits once; a refusal says why; what is decided is kept"),
        T(an_act_that_is_no_longer_possible_changes_nothing, "an approval of what is no longer possible changes nothing"),
        T(an_unknown_kind_is_refused_with_its_place, "a kind that nobody knows is refused with its line"),
    };

    return cmocka_run_group_tests(tests, world_open, world_close);
}
