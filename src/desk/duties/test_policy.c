/* test_policy.c - content/policy/reminders.yaml: what is shipped covers every term, what is wrong tells its line. */
#include "desk/duties/room.h"
#include "desk/testing.h"

static void every_obligation_is_reminded_of(void **state)
{
    struct world *w = *state;
    const struct edition *ed = w->desk->setup.world->edition;

    for (size_t i = 0; i < ed->obligation_count; i++) {
        char id[8];

        snprintf(id, sizeof id, "%.*s", STR_ARG(ed->obligations[i].id));
        if (id[0] == 'D')
            CHECK(id, remind_rule_of(w->desk->duty_policy, str_c(id)) != NULL);
    }
}

static void wrong_policies_tell_their_line(void **state)
{
#define HEAD "chains:\n  - id: a\n    start: 80%\n    steps:\n      - {wait: 0m, to: ['contact:1']}\nreminders:\n"
    static const struct { const char *name, *text, *want; } rows[] = {
        { "nobody", HEAD "  - obligations: [D-06]\n    to: [everybody]\n", "reminders.yaml:8:10" },
        { "no role", HEAD "  - obligations: [D-06]\n    to: ['role:boss']\n", "\"role:boss\" is nobody" },
        { "no duty", HEAD "  - obligations: [D-66]\n    to: [centre]\n", "no edition has a duty \"D-66\"" },
        { "a frequency", HEAD "  - obligations: [F-01]\n    to: [centre]\n", "no edition has a duty \"F-01\"" },
        { "twice", HEAD "  - obligations: [D-06, D-06]\n    to: [centre]\n", "D-06 stands twice" },
        { "no such chain", HEAD "  - obligations: [D-06]\n    to: [centre]\n    chain: b\n", "reminders.yaml:9:12: no chain \"b\"" },
        { "a chain to others for the centre's duty", HEAD "  - obligations: [D-05]\n    to: [centre]\n    chain: a\n", "owed by the centre alone" },
        { "others reminded of the centre's duty", HEAD "  - obligations: [D-05]\n    to: [responsible]\n", "owed by the centre alone" },
        { "a hundred per cent", HEAD "  - obligations: [D-06]\n    before: [100%]\n    to: [centre]\n", "reminders.yaml:8:14" },
        { "weeks", HEAD "  - obligations: [D-06]\n    before: [2w]\n    to: [centre]\n", "a share such as 80%" },
        { "never ending", HEAD "  - obligations: [D-06]\n    after: {every: 1h}\n    to: [centre]\n", "\"most\" must be" },
        { "at once for ever", HEAD "  - obligations: [D-06]\n    after: {every: 0m, most: 3}\n    to: [centre]\n", "\"every\" must be" },
        { "a pigeon", HEAD "  - obligations: [D-06]\n    to: [centre]\n    channels: [pigeon]\n", "inbox or email is expected" },
        { "a slip of the pen", HEAD "  - obligations: [D-06]\n    too: [centre]\n", "too" },
        { "no steps", "chains:\n  - id: a\n    start: due\n    steps: []\n", "\"steps\" must be a list" },
        { "no start", "chains:\n  - id: a\n    steps:\n      - {wait: 0m, to: [centre]}\n", "\"start\" is missing" },
        { "a chain twice", "chains:\n  - {id: a, start: due, steps: [{wait: 0m, to: [centre]}]}\n  - {id: a, start: due, steps: [{wait: 0m, to: [centre]}]}\n",
          "stands twice" },
        { "a list of nothing", "- a\n", "one map with" },
    };
    struct world *w = *state;
    char folder[4096], path[4200];

    snprintf(folder, sizeof folder, "%.60s/policy-test", w->data);
    snprintf(path, sizeof path, "%.100s/policy", folder);
    assert_int_equal(file_mkdirs(path, 0700, NULL), 0);
    snprintf(path, sizeof path, "%.100s/policy/reminders.yaml", folder);
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct duty_policy *p = NULL;
        struct err e = { 0 };

        assert_int_equal(file_write_atomic(path, str_c(rows[i].text), 0600, NULL), 0);
        CHECK(rows[i].name, duty_policy_load(folder, &w->duty, &p, &e) == -EBADMSG && !p);
        if (!strstr(e.text, rows[i].want) || !strstr(e.text, "reminders.yaml:"))
            fail_msg("row \"%s\": \"%s\" does not say \"%s\"", rows[i].name, e.text, rows[i].want);
    }
}

#define T(f, n) { .name = n, .test_func = f, .setup_func = world_open, .teardown_func = world_close }

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(every_obligation_is_reminded_of, "every term of the Rules has its reminders in the policy"),
        T(wrong_policies_tell_their_line, "a wrong policy of reminders is refused with its line"),
    };

    return cmocka_run_group_tests_name("duty policy", tests, NULL, NULL);
}
