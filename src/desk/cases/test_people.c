/* test_people.c - what DATA/policy says of people: who is told when a case opens, without whose word nothing goes out, what goes out by itself. */
#include "base/file.h"
#include "desk/testing.h"

static void site(struct world *w, const char *name, const char *text)
{
    char path[4096], folder[4096];
    struct err e;

    must(file_mkdirs(node_path(w->node, "policy", folder), 0750, &e), &e);
    snprintf(path, sizeof path, "%.3000s/%s", folder, name);
    must(file_write_atomic(path, str_c(text), 0640, &e), &e);
}

static int64_t count(struct world *w, const char *sql)
{
    int64_t n = -1;

    assert_int_equal(db_int(w->desk, NULL, 0, &n, sql, ""), 0);
    return n;
}

static bool offered(struct world *w, const struct viewer *v, int64_t id, const char *name)
{
    json_t *c = case_get(w, v, id, T0);
    bool yes = offers(c, name);

    json_decref(c);
    return yes;
}

static void who_is_told_when_a_case_opens(void **state)
{
    struct world *w = *state;
    static const char letters[] = "SELECT count(*) FROM notice WHERE channel = 'email' AND kind = 'reminder'";
    static const char inboxes[] = "SELECT count(*) FROM notice WHERE channel = 'inbox' AND kind = 'reminder'";
    int64_t before = count(w, letters);

    assert_true(db_exec(w->desk, NULL, "UPDATE user SET email = 'lead@centre.example' WHERE login = 'lead'", "") == 1);
    site(w, "detection.yaml", "people:\n  tell:\n    - {from: critical, roles: [centre_lead]}\n    - {rule: rule-told, objects: [city-portal], roles: [centre_lead]}\n"
                              "    - {rule: rule-told, from: high, roles: [centre_lead, surveyor], channels: [email, inbox]}\n");
    desk_reopen(w);
    case_new(w, "rule-else", T0);   /* high, and not named */
    assert_int_equal(count(w, letters), before);
    case_new(w, "rule-told", T0);
    assert_int_equal(count(w, letters), before + 1);
    assert_int_equal(count(w, inboxes), 1);
    assert_int_equal(count(w, "SELECT count(*) FROM notice WHERE addressee = 'lead@centre.example' AND subject_line LIKE '%2026-000002%' AND internal = 1"), 1);
    case_new(w, "rule-told", T0 + NS_PER_MINUTE);   /* joins it: told once */
    assert_int_equal(count(w, letters), before + 1);
}

static void without_the_leads_word_nothing_goes_out(void **state)
{
    struct world *w = *state;
    struct desk_reply r;
    int64_t id, other;

    site(w, "detection.yaml", "people:\n  confirm: [{rule: rule-grave, objects: [state-register], by: centre_lead}]\n");
    site(w, "auto_notify.yaml", "auto_notify: [rule-grave]\n");
    desk_reopen(w);
    id = case_new(w, "rule-grave", T0);
    other = case_new(w, "rule-else", T0);
    assert_int_equal(count(w, "SELECT count(*) FROM cases WHERE auto_pending = 1"), 0);   /* a word that is needed is not given by a program */
    assert_false(offered(w, &w->analyst, id, "notify"));
    assert_false(offered(w, &w->analyst, id, "dismiss"));
    assert_true(offered(w, &w->analyst, id, "analyse"));
    assert_true(offered(w, &w->lead, id, "notify"));
    assert_true(offered(w, &w->analyst, other, "notify"));
    assert_int_equal(act_try(w, &w->analyst, id, "dismiss", json_pack("{s:s}", "reason", "a drill"), T0, &r), -EACCES);
    assert_string_equal(r.code, "lead_confirms");
    desk_reply_free(&r);
    assert_true(act_try(w, &w->lead, id, "dismiss", json_pack("{s:s}", "reason", "a drill"), T0, &r) >= 0);
    desk_reply_free(&r);
}

static void what_goes_out_by_itself_is_said_by_rule_and_object(void **state)
{
    struct world *w = *state;

    site(w, "auto_notify.yaml", "auto_notify: [rule-always, {rule: rule-here, objects: [state-register]}, {rule: rule-there, objects: [city-portal]}]\n");
    desk_reopen(w);
    case_new(w, "rule-always", T0);
    case_new(w, "rule-here", T0);
    case_new(w, "rule-there", T0);
    assert_int_equal(count(w, "SELECT count(*) FROM cases WHERE auto_pending = 1"), 2);
    assert_int_equal(count(w, "SELECT count(*) FROM cases WHERE auto_pending = 1 AND rule_id = 'rule-there'"), 0);
}

static const struct { const char *name, *file, *text, *told; } wrong[] = {
    { "nobody's role", "detection.yaml", "people: {tell: [{from: high, roles: [boss]}]}\n", "detection.yaml:1:38" },
    { "no roles", "detection.yaml", "people: {tell: [{from: high}]}\n", "\"roles\" must be a list" },
    { "for every case", "detection.yaml", "people: {tell: [{roles: [centre_lead]}]}\n", "\"rule\" or \"from\" is missing" },
    { "a level nobody knows", "detection.yaml", "people: {tell: [{from: grave, roles: [centre_lead]}]}\n", "\"from\" must be" },
    { "a pigeon", "detection.yaml", "people: {tell: [{from: high, roles: [centre_lead], channels: [pigeon]}]}\n", "email or inbox" },
    { "an owner confirms", "detection.yaml", "people: {confirm: [{from: high, by: owner_officer}]}\n", "\"by\" must be" },
    { "objects as a text", "detection.yaml", "people: {confirm: [{from: high, by: centre_lead, objects: x}]}\n", "\"objects\" must be" },
    { "a stray key", "detection.yaml", "people: {ask: []}\n", "ask" },
    { "an entry without objects", "auto_notify.yaml", "auto_notify: [{rule: a}]\n", "auto_notify.yaml:1:15" },
    { "a stray key of an entry", "auto_notify.yaml", "auto_notify: [{rule: a, objects: [x], at: night}]\n", "at" },
};

/* wrong_of - what is wrong in the site's file of this name. */
static const char *wrong_of(const struct policy *p, const char *file) { return p->site[strcmp(file, "auto_notify.yaml") == 0 ? POLICY_AUTO : POLICY_PEOPLE].wrong; }

static void wrong_policies_of_people_tell_their_place(void **state)
{
    struct world *w = *state;
    struct policy p;
    struct err e;

    for (size_t i = 0; i < COUNT(wrong); i++) {
        site(w, "detection.yaml", "raise_from: high\n");   /* says nothing of people: ours counts */
        site(w, "auto_notify.yaml", "auto_notify: []\n");
        site(w, wrong[i].file, wrong[i].text);
        CHECK(wrong[i].name, policy_load(w->node, &p, &e) == 0);   /* ours counts */
        CHECK(wrong[i].name, strstr(wrong_of(&p, wrong[i].file), wrong[i].told) != NULL);
        CHECK(wrong[i].name, p.tell_count + p.confirm_count == 0);
        policy_free(&p);
        desk_reopen(w);                                            /* nor does it stop the desk */
        CHECK(wrong[i].name, strstr(desk_policy_wrong(w->desk, strcmp(wrong[i].file, "auto_notify.yaml") != 0), wrong[i].told) != NULL);
    }
    site(w, "detection.yaml", "raise_from: high\n");
    site(w, "auto_notify.yaml", "auto_notify: []\n");
    must(policy_load(w->node, &p, &e), &e);
    assert_int_equal(p.tell_count + p.confirm_count, 0);
    policy_free(&p);
}

/* Whoever writes the file by hand errs now and then: the last good one goes on, and what is good again counts without a restart. */
static void the_last_good_policy_goes_on(void **state)
{
    struct world *w = *state;
    char path[4096];
    int64_t told;

    site(w, "detection.yaml", "people: {tell: [{from: high, roles: [centre_lead]}]}\n");
    desk_reopen(w);
    assert_string_equal(desk_policy_wrong(w->desk, POLICY_PEOPLE), "");
    assert_int_equal(w->desk->policy.tell_count, 1);
    site(w, "detection.yaml", "people: {tell: [{from: high, roles: [boss]}]}\n");
    told = (int64_t)strlen(desk_policy_wrong(w->desk, POLICY_PEOPLE));
    assert_true(told > 0 && w->desk->policy.tell_count == 1);
    site(w, "auto_notify.yaml", "auto_notify: [rule-always]\n");
    case_new(w, "rule-always", T0);                     /* no restart */
    assert_int_equal(count(w, "SELECT count(*) FROM cases WHERE auto_pending = 1"), 1);
    site(w, "detection.yaml", "people: {tell: [{from: high, roles: [centre_lead]}, {from: low, roles: [centre_analyst]}]}\n");
    assert_string_equal(desk_policy_wrong(w->desk, POLICY_PEOPLE), "");
    assert_int_equal(w->desk->policy.tell_count, 2);
    assert_int_equal(unlink(node_path(w->node, "policy/detection.yaml", path)), 0);
    assert_string_equal(desk_policy_wrong(w->desk, POLICY_PEOPLE), "");
    assert_int_equal(w->desk->policy.tell_count, 0);
}

#define T(f, n) { .name = n, .test_func = f, .setup_func = world_open, .teardown_func = world_close }

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(who_is_told_when_a_case_opens, "who is told when a case opens: by rule, level and object"),
        T(the_last_good_policy_goes_on, "a policy that becomes wrong is left out, the last good one goes on; what is good again counts without a restart"),
        T(without_the_leads_word_nothing_goes_out, "without the lead's word no notice goes out and no case is dismissed"),
        T(what_goes_out_by_itself_is_said_by_rule_and_object, "what goes out by itself is said by rule and object"),
        T(wrong_policies_of_people_tell_their_place, "a wrong policy of people tells its place"),
    };

    return cmocka_run_group_tests_name("people", tests, NULL, NULL);
}
