/* test_tick.c - what is told while nothing comes: updates, ends and silences by the clock, each once, wherever detection is killed. */
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/file.h"
#include "base/test.h"
#include "detect/coverage.h"
#include "detect/test_place.h"

#define HOUR 3600

static const char policy_text[] =
    "group: {window: 1h, update: 2m, by: [host.name, user]}\nstorm: {groups: 100}\nraise_from: low\nlevels: []\n"
    "risk:\n  half_life: 1h\n  points: {informational: 1, low: 3, medium: 10, high: 30, critical: 60}\n  host: 500\n  user: 500\n"
    "  ignore_users: [system]\n  level: high\n  title: {kk: k, ru: r, en: e}\n"
    "silence:\n  ignore: [printer]\n  source:\n    level: medium\n    title: {kk: kk, ru: ru, en: en}\n    measures: {kk: [a], ru: [b], en: [c]}\n"
    "  type:\n    level: low\n    title: {kk: kk, ru: ru, en: en}\n    measures: {kk: [a], ru: [b], en: [c]}\n";

static time_ns at(int seconds) { return (T0 + seconds) * NS_PER_SECOND; }

static struct detect *open_it(const struct place *p)
{
    const char *paths[] = { p->rules };
    struct detect_config c = { .journal = p->journal, .findings = p->findings, .state_file = p->state, .rules = paths, .rule_count = 1, .checkpoint_ms = 1,
                               .policy = p->policy, .coverage = true };
    struct detect *d = NULL;
    struct err e;

    if (detect_open(&c, NULL, NULL, &d, &e) < 0)
        fail_msg("%s", e.text);
    return d;
}

static void to_end(struct detect *d)
{
    struct err e;
    int n;

    while ((n = detect_step(d, 0, &e)) != 0)
        if (n < 0)
            fail_msg("%s", e.text);
}

/* clock_at - the journal is silent until that second; 1: something was told. */
static int clock_at(struct detect *d, int since, int seconds)
{
    struct err e;
    int rc = detect_clock(d, at(since), at(seconds), &e);

    if (rc < 0)
        fail_msg("%s", e.text);
    return rc;
}

/* furnish - events of a source that sends each minute for three hours, and matches of one user, the last at the end. */
static void furnish(struct place *p)
{
    struct journal *j = NULL;
    struct event_batch b;
    struct err e;

    place_make(p);
    snprintf(p->policy, sizeof p->policy, "%s/policy.yaml", p->root);
    assert_int_equal(file_write_atomic(p->policy, str_c(policy_text), 0644, &e), 0);
    write_rule(p, "r.yml", "title: one\nid: one\nlevel: high\nlogsource: {}\ndetection: {s: {kind: fail}, condition: s}\n");
    event_batch_init(&b, 0);
    assert_int_equal(journal_open(p->journal, MIB, &j, &e), 0);
    for (int i = 0; i <= 180; i++) {
        struct event *ev = event_batch_add(&b);

        ev->time = ev->received = at(i * 60);
        ev->class = CLASS_OS_UNIX;
        ev->original = STR("line");
        ev->object = STR("obj-1");
        ev->source = STR("web1");
        assert_int_equal(event_add(ev, &b.arena, STR("kind"), i >= 179 ? STR("fail") : STR("fine")), 0);
        assert_int_equal(event_add(ev, &b.arena, STR("user.name"), STR("ann")), 0);
    }
    assert_int_equal(journal_append(j, b.items, b.count, (struct journal_origin){ { NULL, 0 }, 0 }, NULL, &e), 0);
    assert_int_equal(journal_commit(j, &e), 0);
    journal_close(&j);
    event_batch_free(&b);
}

#define LAST (180 * 60)   /* the second of the last event */

static size_t silences(const struct place *p)
{
    json_t *all = findings_of(p, "saqshy-silence-source");
    size_t n = json_array_size(all);

    json_decref(all);
    return n;
}

/* hits - of all findings of the rule. */
static unsigned long long hits(const struct place *p)
{
    json_t *all = findings_of(p, "one");
    unsigned long long sum = 0;

    for (size_t i = 0; i < json_array_size(all); i++)
        sum += told_number(all, i, "saqshy.hits");
    json_decref(all);
    return sum;
}

static void what_is_due_is_told_by_the_clock_once(void **state)
{
    struct place p;
    struct detect *d;

    (void)state;
    furnish(&p);
    d = open_it(&p);
    assert_int_equal(clock_at(d, 0, LAST + 3600), 0);   /* not while there may be events */
    to_end(d);
    assert_int_equal(hits(&p), 1);
    assert_int_equal(clock_at(d, 0, LAST + 50), 0);
    assert_int_equal(clock_at(d, 0, LAST + 130), 1);    /* the update: one more match */
    assert_int_equal(hits(&p), 2);
    assert_int_equal(silences(&p), 0);
    assert_int_equal(clock_at(d, 0, LAST + 800), 0);
    assert_int_equal(clock_at(d, 0, LAST + 901), 1);    /* a quarter of an hour, nobody is silent sooner */
    assert_int_equal(silences(&p), 1);
    assert_int_equal(clock_at(d, 0, LAST + 2 * HOUR), 0);
    detect_close(&d);
    d = open_it(&p);
    to_end(d);
    assert_int_equal(clock_at(d, 0, LAST + 3 * HOUR), 0);
    detect_close(&d);
    assert_int_equal(silences(&p), 1);
    assert_int_equal(hits(&p), 2);
    place_remove(&p);
}

/* Nothing came for an hour until somebody listened: the node was off, not its sources. */
static void nobody_is_silent_while_nobody_listens(void **state)
{
    struct place p;
    struct detect *d;

    (void)state;
    furnish(&p);
    d = open_it(&p);
    to_end(d);
    detect_close(&d);
    d = open_it(&p);
    to_end(d);
    (void)clock_at(d, LAST + 5 * HOUR, LAST + 5 * HOUR + 60);
    assert_int_equal(silences(&p), 0);
    (void)clock_at(d, LAST + 5 * HOUR, LAST + 5 * HOUR + 880);
    assert_int_equal(silences(&p), 0);
    assert_int_equal(clock_at(d, LAST + 5 * HOUR, LAST + 5 * HOUR + 901), 1);
    assert_int_equal(silences(&p), 1);
    detect_close(&d);
    place_remove(&p);
}

static void copy(const char *from, const char *to)
{
    AUTO_BUF struct buf b;
    struct err e;

    buf_init(&b, 0);
    assert_int_equal(file_read(from, 64 * MIB, &b, &e), 0);
    assert_int_equal(file_write_atomic(to, buf_view(&b), 0640, &e), 0);
}

/* come_again - two more matches: the first is told with the update that it brings about, the second waits for the next one. */
static void come_again(const struct place *p, int seconds)
{
    const struct row rows[] = { { seconds, "ann", "fail", "obj-1" }, { seconds + 10, "ann", "fail", "obj-1" } };

    put_rows(p, rows, COUNT(rows));
}

static void a_tick_that_the_state_does_not_know_is_repeated_and_not_told_twice(void **state)
{
    char before[160];
    struct place p;
    struct detect *d;

    (void)state;
    furnish(&p);
    snprintf(before, sizeof before, "%s/before", p.root);
    d = open_it(&p);
    to_end(d);
    assert_int_equal(clock_at(d, 0, LAST + 130), 1);
    copy(p.state, before);                              /* as the state is when the next tick is on disk and it is killed before it is saved */
    assert_int_equal(clock_at(d, 0, LAST + 901), 1);
    detect_close(&d);
    copy(before, p.state);
    d = open_it(&p);
    come_again(&p, LAST + 1000);
    to_end(d);
    assert_int_equal(hits(&p), 3);
    assert_int_equal(clock_at(d, 0, LAST + 2000), 1);    /* the update of the match that came */
    assert_int_equal(silences(&p), 1);
    assert_int_equal(hits(&p), 4);
    detect_close(&d);
    place_remove(&p);
}

static void a_lost_state_tells_nothing_again(void **state)
{
    struct place p;
    struct detect *d;

    (void)state;
    furnish(&p);
    d = open_it(&p);
    to_end(d);
    assert_int_equal(clock_at(d, 0, LAST + 130), 1);
    assert_int_equal(clock_at(d, 0, LAST + 901), 1);
    detect_close(&d);
    for (int events = 0; events < 2; events++) {
        unlink(p.state);
        if (events)
            come_again(&p, LAST + 1000);
        d = open_it(&p);
        to_end(d);
        assert_int_equal(clock_at(d, 0, LAST + 1090), 0);
        assert_int_equal(clock_at(d, 0, LAST + 1200), events);   /* only what is new */
        detect_close(&d);
        assert_int_equal(silences(&p), 1);
        assert_int_equal(hits(&p), events ? 4 : 2);
    }
    place_remove(&p);
}

/* live - one life: all events, then minutes of silence; ended by a timer wherever it stands. */
static void live(const struct place *p, unsigned microseconds)
{
    int status = 0;
    pid_t child = fork();

    assert_true(child >= 0);
    if (child == 0) {
        struct detect *d;

        setenv("CMOCKA_TEST_ABORT", "1", 1);   /* a check that fails there ends it */
        ualarm(microseconds, 0);
        d = open_it(p);
        to_end(d);
        for (int s = 60; s < 2 * HOUR; s += 60)
            (void)clock_at(d, 0, LAST + s);
        _exit(0);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status) ? WEXITSTATUS(status) == 0 : WTERMSIG(status) == SIGALRM);
}

static void killed_anywhere_each_is_told_once(void **state)
{
    struct place p;

    (void)state;
    furnish(&p);
    for (unsigned us = 500; us < 400000; us += us / 6)
        live(&p, us);
    live(&p, 900000);
    live(&p, 900000);
    assert_int_equal(silences(&p), 1);
    assert_int_equal(hits(&p), 2);
    place_remove(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_due_is_told_by_the_clock_once),
        cmocka_unit_test(nobody_is_silent_while_nobody_listens),
        cmocka_unit_test(a_tick_that_the_state_does_not_know_is_repeated_and_not_told_twice),
        cmocka_unit_test(a_lost_state_tells_nothing_again),
        cmocka_unit_test(killed_anywhere_each_is_told_once),
    };

    return cmocka_run_group_tests_name("the clock", tests, NULL, NULL);
}
