/* test_correlate.c - windows, groups, chains, and the state that survives a restart. */
#include "sigma/sigma.h"
#include "base/test.h"

#define BASE "title: b\nid: base\nlogsource: {}\ndetection: {s: {k: x}, condition: s}\n---\n" \
             "title: o\nid: other\nlogsource: {}\ndetection: {s: {k: o}, condition: s}\n---\n"
#define CORRELATION(rest) BASE "title: c\nid: corr\nlevel: high\ncorrelation:\n" rest

/* A row of events: seconds, kind, group, value; and the seconds at which the correlation must fire. */
struct step { int t; const char *k, *g, *v; };
static const struct {
    const char *name, *rules;
    struct step steps[16];
    int fires[8];              /* numbers of steps, from 1 */
    uint64_t count;            /* of the last finding */
} rows[] = {
    { "the fifth within the window", CORRELATION("  type: event_count\n  rules: base\n  group-by: g\n  timespan: 1m\n  condition: {gte: 3}\n"),
      { { 0, "x", "a", "" }, { 10, "x", "a", "" }, { 20, "x", "a", "" } }, { 3 }, 3 },
    { "groups do not mix", CORRELATION("  type: event_count\n  rules: base\n  group-by: g\n  timespan: 1m\n  condition: {gte: 3}\n"),
      { { 0, "x", "a", "" }, { 10, "x", "b", "" }, { 20, "x", "a", "" } }, { 0 }, 0 },
    { "group values fold", CORRELATION("  type: event_count\n  rules: base\n  group-by: g\n  timespan: 1m\n  condition: {gte: 2}\n"),
      { { 0, "x", "A", "" }, { 10, "x", "a", "" } }, { 2 }, 2 },
    { "too slow", CORRELATION("  type: event_count\n  rules: base\n  group-by: g\n  timespan: 1m\n  condition: {gte: 3}\n"),
      { { 0, "x", "a", "" }, { 50, "x", "a", "" }, { 100, "x", "a", "" } }, { 0 }, 0 },
    { "the window slides", CORRELATION("  type: event_count\n  rules: base\n  group-by: g\n  timespan: 1m\n  condition: {gte: 3}\n"),
      { { 0, "x", "a", "" }, { 50, "x", "a", "" }, { 60, "x", "a", "" }, { 100, "x", "a", "" } }, { 3 }, 3 },
    { "exactly one timespan still counts", CORRELATION("  type: event_count\n  rules: base\n  timespan: 1m\n  condition: {gte: 2}\n"),
      { { 0, "x", "a", "" }, { 60, "x", "b", "" } }, { 2 }, 2 },
    { "quiet for one window, the count goes on", CORRELATION("  type: event_count\n  rules: base\n  timespan: 1m\n  condition: {gte: 2}\n"),
      { { 0, "x", "a", "" }, { 1, "x", "a", "" }, { 2, "x", "a", "" }, { 30, "x", "a", "" }, { 60, "x", "a", "" },
        { 61, "x", "a", "" }, { 62, "x", "a", "" } }, { 2, 7 }, 7 },
    { "after a silent window the count starts anew", CORRELATION("  type: event_count\n  rules: base\n  timespan: 1m\n  condition: {gte: 2}\n"),
      { { 0, "x", "a", "" }, { 1, "x", "a", "" }, { 200, "x", "a", "" }, { 201, "x", "a", "" } }, { 2, 4 }, 2 },
    { "late events find their place", CORRELATION("  type: event_count\n  rules: base\n  timespan: 1m\n  condition: {gte: 3}\n"),
      { { 100, "x", "a", "" }, { 50, "x", "a", "" }, { 90, "x", "a", "" } }, { 3 }, 3 },
    { "an event without the group's field takes no part", CORRELATION("  type: event_count\n  rules: base\n  group-by: g\n  timespan: 1m\n  condition: {gte: 2}\n"),
      { { 0, "x", "", "" }, { 1, "x", "", "" } }, { 0 }, 0 },
    { "several rules count together", CORRELATION("  type: event_count\n  rules: [base, other]\n  timespan: 1m\n  condition: {gt: 1}\n"),
      { { 0, "x", "a", "" }, { 1, "o", "a", "" } }, { 2 }, 2 },
    { "distinct values", CORRELATION("  type: value_count\n  rules: base\n  group-by: g\n  timespan: 1m\n  condition: {field: v, gte: 2}\n"),
      { { 0, "x", "a", "1" }, { 1, "x", "a", "1" }, { 2, "x", "a", "2" } }, { 3 }, 3 },
    { "distinct values, one too old", CORRELATION("  type: value_count\n  rules: base\n  timespan: 1m\n  condition: {field: v, gte: 2}\n"),
      { { 0, "x", "a", "1" }, { 61, "x", "a", "2" }, { 62, "x", "a", "2" } }, { 0 }, 0 },
    { "a value seen again is as young as its last time", CORRELATION("  type: value_count\n  rules: base\n  timespan: 1m\n  condition: {field: v, gte: 2}\n"),
      { { 0, "x", "a", "1" }, { 50, "x", "a", "1" }, { 100, "x", "a", "2" } }, { 3 }, 3 },
    { "temporal, any order", CORRELATION("  type: temporal\n  rules: [base, other]\n  group-by: g\n  timespan: 1m\n"),
      { { 0, "o", "a", "" }, { 10, "x", "b", "" }, { 20, "x", "a", "" } }, { 3 }, 2 },
    { "temporal, too far apart", CORRELATION("  type: temporal\n  rules: [base, other]\n  timespan: 1m\n"),
      { { 0, "o", "a", "" }, { 61, "x", "a", "" } }, { 0 }, 0 },
    { "temporal_ordered", CORRELATION("  type: temporal_ordered\n  rules: [base, other]\n  timespan: 1m\n"),
      { { 0, "o", "a", "" }, { 10, "x", "a", "" }, { 20, "o", "a", "" } }, { 3 }, 3 },
    { "temporal_ordered, the wrong order", CORRELATION("  type: temporal_ordered\n  rules: [base, other]\n  timespan: 1m\n"),
      { { 0, "o", "a", "" }, { 10, "x", "a", "" } }, { 0 }, 0 },
    { "one event is not two steps", CORRELATION("  type: temporal_ordered\n  rules: [base, base]\n  timespan: 1m\n"),
      { { 0, "x", "a", "" }, { 10, "x", "a", "" } }, { 2 }, 2 },
    { "fewer than: judged when the window is over", CORRELATION("  type: event_count\n  rules: base\n  group-by: g\n  timespan: 1m\n  condition: {lt: 3}\n"),
      { { 0, "x", "a", "" }, { 10, "x", "a", "" }, { 61, "n", "", "" } }, { 3 }, 2 },
    { "equal: one too many", CORRELATION("  type: event_count\n  rules: base\n  timespan: 1m\n  condition: {eq: 1}\n"),
      { { 0, "x", "a", "" }, { 10, "x", "a", "" }, { 61, "n", "", "" } }, { 0 }, 0 },
    { "a new value, learning over", CORRELATION("  type: saqshy_new_value\n  rules: base\n  group-by: g\n  timespan: 1h\n  condition: {field: v}\nsaqshy: {learn: 1m}\n"),
      { { 0, "x", "a", "1" }, { 30, "x", "a", "2" }, { 90, "x", "a", "1" }, { 91, "x", "a", "3" }, { 92, "x", "a", "3" } }, { 4 }, 4 },
    { "a value not seen for long is new again", CORRELATION("  type: saqshy_new_value\n  rules: base\n  timespan: 1m\n  condition: {field: v}\nsaqshy: {learn: 1s}\n"),
      { { 0, "x", "a", "1" }, { 30, "x", "a", "2" }, { 80, "x", "a", "2" }, { 85, "x", "a", "1" } }, { 2, 4 }, 4 },
};

static void put(struct event_batch *b, const struct step *s, uint64_t seq)
{
    struct event *ev;

    event_batch_reset(b);
    ev = event_batch_add(b);
    ev->seq = seq;
    ev->time = ev->received = 1000000 * NS_PER_SECOND + s->t * NS_PER_SECOND;
    assert_int_equal(event_add(ev, &b->arena, STR("k"), str_c(s->k)), 0);
    assert_int_equal(event_add(ev, &b->arena, STR("g"), str_c(s->g)), 0);
    assert_int_equal(event_add(ev, &b->arena, STR("v"), str_c(s->v)), 0);
}

/* restart - the state saved, everything forgotten, the state loaded: nothing must change. */
static void restart(const struct sigma *s, struct sigma_run **run)
{
    AUTO_BUF struct buf b;
    struct err e;

    buf_init(&b, 0);
    sigma_run_save(*run, &b);
    sigma_run_free(run);
    assert_int_equal(sigma_run_new(s, false, run, &e), 0);
    assert_int_equal(sigma_run_load(*run, buf_view(&b), &e), 0);
}

static void play(size_t row, bool restarts)
{
    struct sigma_source src = { STR("c.yml"), str_c(rows[row].rules) };
    struct sigma_run *run = NULL;
    struct event_batch b;
    struct sigma *s = NULL;
    struct err e;
    size_t fired = 0;
    uint64_t count = 0;

    event_batch_init(&b, 0);
    assert_int_equal(sigma_compile(&src, 1, &s, &e), 0);
    if (sigma_refusal_count(s))
        fail_msg("row \"%s\": %.*s", rows[row].name, STR_ARG(sigma_refusal_at(s, 0)->reason));
    assert_int_equal(sigma_run_new(s, false, &run, &e), 0);
    for (int i = 0; i < 16 && rows[row].steps[i].k; i++) {
        const struct sigma_match *m;
        int n;

        put(&b, &rows[row].steps[i], (uint64_t)i + 1);
        n = sigma_run_event(run, b.items, false, &m, &e);
        CHECK(rows[row].name, n == (rows[row].fires[fired] == i + 1));
        if (n) {
            fired++;
            count = m->count;
            CHECK(rows[row].name, str_eq(m->rule->id, STR("corr")));
        }
        if (restarts)
            restart(s, &run);
    }
    CHECK(rows[row].name, rows[row].fires[fired] == 0 && count == rows[row].count);
    sigma_run_free(&run);
    sigma_free(&s);
    event_batch_free(&b);
}

static void correlations_fire_when_they_should(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++)
        play(i, false);
}

static void a_restart_after_every_event_changes_nothing(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++)
        play(i, true);
}

static const char chain[] = BASE "title: many\nid: many\ncorrelation:\n  type: event_count\n  rules: base\n  group-by: g\n"
    "  timespan: 1m\n  condition: {gte: 2}\n---\ntitle: then\nid: then\ncorrelation:\n  type: temporal_ordered\n"
    "  rules: [many, other]\n  group-by: g\n  timespan: 5m\n";

static void a_correlation_over_a_correlation(void **state)
{
    static const struct step steps[] = { { 0, "x", "a", "" }, { 1, "o", "a", "" }, { 2, "x", "a", "" }, { 3, "o", "a", "" } };
    static const char *const want[] = { NULL, NULL, "many", "then" };
    struct sigma_source src = { STR("c.yml"), str_c(chain) };
    struct sigma_run *run = NULL;
    struct event_batch b;
    struct sigma *s = NULL;
    struct err e;

    (void)state;
    event_batch_init(&b, 0);
    assert_int_equal(sigma_compile(&src, 1, &s, &e), 0);
    assert_int_equal(sigma_rule_count(s), 4);
    assert_int_equal(sigma_run_new(s, false, &run, &e), 0);
    for (size_t i = 0; i < COUNT(steps); i++) {
        const struct sigma_match *m;

        put(&b, &steps[i], i + 1);
        assert_int_equal(sigma_run_event(run, b.items, false, &m, &e), want[i] ? 1 : 0);
        if (want[i])
            assert_true(str_eq(m->rule->id, str_c(want[i])) && str_eq(m->group, STR("a")));
    }
    sigma_run_free(&run);
    sigma_free(&s);
    event_batch_free(&b);
}

static void circles_are_refused(void **state)
{
    static const char text[] = "title: a\nid: a\ncorrelation: {type: temporal, rules: [b], timespan: 1m}\n---\n"
                               "title: b\nid: b\ncorrelation: {type: temporal, rules: [a], timespan: 1m}\n";
    struct sigma_source src = { STR("c.yml"), str_c(text) };
    struct sigma *s = NULL;
    struct err e;

    (void)state;
    assert_int_equal(sigma_compile(&src, 1, &s, &e), 0);
    assert_int_equal(sigma_rule_count(s), 0);
    assert_int_equal(sigma_refusal_count(s), 2);
    sigma_free(&s);
}

static void memory_is_bounded_and_what_went_is_counted(void **state)
{
    struct sigma_source src = { STR("c.yml"), str_c(rows[0].rules) };
    struct sigma_run *run = NULL;
    struct event_batch b;
    struct sigma *s = NULL;
    struct err e;

    (void)state;
    event_batch_init(&b, 0);
    assert_int_equal(sigma_compile(&src, 1, &s, &e), 0);
    assert_int_equal(sigma_run_new(s, false, &run, &e), 0);
    for (int i = 0; i < SIGMA_GROUPS_MAX + 100; i++) {
        const struct sigma_match *m;
        char g[16];

        snprintf(g, sizeof g, "g%d", i);
        put(&b, &(struct step){ 0, "x", g, "" }, (uint64_t)i + 1);
        assert_int_equal(sigma_run_event(run, b.items, false, &m, &e), 0);
    }
    assert_int_equal(sigma_run_counters(run)->groups, SIGMA_GROUPS_MAX);
    assert_int_equal(sigma_run_counters(run)->evicted, 100);
    sigma_run_free(&run);
    sigma_free(&s);
    event_batch_free(&b);
}

/* A saved state cut after every byte, and with every byte changed, is refused or taken, never more. */
static void a_damaged_state_does_no_harm(void **state)
{
    struct sigma_source src = { STR("c.yml"), str_c(rows[11].rules) };
    struct sigma_run *run = NULL;
    AUTO_BUF struct buf saved;
    struct event_batch b;
    struct sigma *s = NULL;
    struct err e;

    (void)state;
    event_batch_init(&b, 0);
    buf_init(&saved, 0);
    assert_int_equal(sigma_compile(&src, 1, &s, &e), 0);
    assert_int_equal(sigma_run_new(s, false, &run, &e), 0);
    for (int i = 0; i < 20; i++) {
        const struct sigma_match *m;
        char g[8];

        snprintf(g, sizeof g, "%d", i % 3);
        put(&b, &(struct step){ i, "x", g, i % 2 ? "1" : "1" }, (uint64_t)i + 1);
        assert_true(sigma_run_event(run, b.items, false, &m, &e) >= 0);
    }
    sigma_run_save(run, &saved);
    for (size_t i = 0; i < saved.n; i++) {
        char *copy = malloc(i ? i : 1);

        memcpy(copy, saved.p, i);
        assert_int_equal(sigma_run_load(run, str_of(copy, i), &e), -EBADMSG);
        free(copy);
        saved.p[i] = (char)(saved.p[i] ^ 0xFF);
        assert_true(sigma_run_load(run, buf_view(&saved), &e) <= 0);
        saved.p[i] = (char)(saved.p[i] ^ 0xFF);
    }
    sigma_run_free(&run);
    sigma_free(&s);
    event_batch_free(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(correlations_fire_when_they_should),
        cmocka_unit_test(a_restart_after_every_event_changes_nothing),
        cmocka_unit_test(a_correlation_over_a_correlation),
        cmocka_unit_test(circles_are_refused),
        cmocka_unit_test(memory_is_bounded_and_what_went_is_counted),
        cmocka_unit_test(a_damaged_state_does_no_harm),
    };

    return cmocka_run_group_tests_name("sigma correlations", tests, NULL, NULL);
}
