/* test_correlate.c - correlations by the rows of the specification, K1 to K8: windows, groups, chains. What is kept, for how long and
 * through a restart is in test_windows.c. */
#include "sigma/test_rows.h"
#include "base/test.h"

#define BASE "title: b\nid: base\nlogsource: {}\ndetection: {s: {k: x}, condition: s}\n---\n" \
             "title: o\nid: other\nlogsource: {}\ndetection: {s: {k: o}, condition: s}\n---\n" \
             "title: p\nid: third\nlogsource: {}\ndetection: {s: {k: p}, condition: s}\n---\n"
#define CORRELATION(rest) BASE "title: c\nid: corr\nlevel: high\ncorrelation:\n" rest
#define COUNTED(condition) CORRELATION("  type: event_count\n  rules: base\n  group-by: g\n  timespan: 1m\n  condition: " condition "\n")
#define OF_V(type, condition) CORRELATION("  type: " type "\n  rules: base\n  group-by: g\n  timespan: 1m\n  condition: " condition "\n")
#define TEMPORAL(type, rules, rest) CORRELATION("  type: " type "\n  rules: " rules "\n  group-by: g\n  timespan: 1m\n" rest)
/* A window judged at its end waits a minute for late events. */
#define AFTER 121

/* A row of events: seconds, kind, group, value; and the numbers of the events, from 1, at which the correlation must fire. */
struct step { int t; const char *k, *g, *v, *w; };
static const struct {
    const char *id, *name, *rules;
    struct step steps[16];
    int fires[8];
    uint64_t count;            /* of the last finding */
} rows[] = {
    /* K1: the types */
    { "K1", "event_count: the third within the window", COUNTED("{gte: 3}"),
      { { 0, "x", "a", "" }, { 10, "x", "a", "" }, { 20, "x", "a", "" } }, { 3 }, 3 },
    { "K1", "event_count: several rules count together", CORRELATION("  type: event_count\n  rules: [base, other]\n  timespan: 1m\n  condition: {gt: 1}\n"),
      { { 0, "x", "a", "" }, { 1, "o", "a", "" } }, { 2 }, 2 },
    { "K1", "event_count: two rules that see the same event count it once", BASE "title: d\nid: double\nlogsource: {}\ndetection: {s: {k: x}, condition: s}\n---\n"
      "title: c\nid: corr\ncorrelation: {type: event_count, rules: [base, double], timespan: 1m, condition: {gte: 2}}\n",
      { { 0, "x", "a", "" } }, { 0 }, 0 },
    { "K1", "value_sum: enough", OF_V("value_sum", "{field: v, gte: 100.5}"), { { 0, "x", "a", "60" }, { 1, "x", "a", "40.5" } }, { 2 }, 2 },
    { "K1", "value_sum: too little", OF_V("value_sum", "{field: v, gt: 100.5}"), { { 0, "x", "a", "60" }, { 1, "x", "a", "40.5" } }, { 0 }, 0 },
    { "K1", "value_avg: above", OF_V("value_avg", "{field: v, gt: 10}"),
      { { 0, "x", "a", "1" }, { 1, "x", "a", "10" }, { 2, "x", "a", "20" } }, { 3 }, 3 },
    { "K1", "value_avg: not above", OF_V("value_avg", "{field: v, gt: 11}"),
      { { 0, "x", "a", "1" }, { 1, "x", "a", "12" }, { 2, "x", "a", "20" } }, { 0 }, 0 },
    { "K1", "value_percentile: the fourth of four", OF_V("value_percentile", "{field: v, percentile: 95, gte: 9}"),
      { { 0, "x", "a", "1" }, { 1, "x", "a", "2" }, { 2, "x", "a", "3" }, { 3, "x", "a", "9" } }, { 4 }, 4 },
    { "K1", "value_percentile: one of four is not a quarter more", OF_V("value_percentile", "{field: v, percentile: 50, gte: 9}"),
      { { 0, "x", "a", "1" }, { 1, "x", "a", "2" }, { 2, "x", "a", "3" }, { 3, "x", "a", "9" } }, { 0 }, 0 },
    { "K1", "value_median: the middle", OF_V("value_median", "{field: v, gte: 5}"),
      { { 0, "x", "a", "1" }, { 1, "x", "a", "7" }, { 2, "x", "a", "5" } }, { 3 }, 3 },
    { "K1", "value_median: below", OF_V("value_median", "{field: v, gt: 5}"),
      { { 0, "x", "a", "1" }, { 1, "x", "a", "7" }, { 2, "x", "a", "5" } }, { 0 }, 0 },
    { "K1", "a new value, learning over", CORRELATION("  type: saqshy_new_value\n  rules: base\n  group-by: g\n  timespan: 1h\n  condition: {field: v}\nsaqshy: {learn: 1m}\n"),
      { { 0, "x", "a", "1" }, { 30, "x", "a", "2" }, { 90, "x", "a", "1" }, { 91, "x", "a", "3" }, { 92, "x", "a", "3" } }, { 4 }, 4 },
    { "K1", "a value not seen for long is new again", CORRELATION("  type: saqshy_new_value\n  rules: base\n  timespan: 1m\n  condition: {field: v}\nsaqshy: {learn: 1s}\n"),
      { { 0, "x", "a", "1" }, { 30, "x", "a", "2" }, { 80, "x", "a", "2" }, { 85, "x", "a", "1" } }, { 2, 4 }, 4 },
    { "K1", "a new pair of known values", CORRELATION("  type: saqshy_new_value\n  rules: base\n  timespan: 1h\n  condition: {field: [v, w]}\nsaqshy: {learn: 3s}\n"),
      { { 0, "x", "a", "1", "1" }, { 1, "x", "a", "2", "2" }, { 9, "x", "a", "1", "1" }, { 10, "x", "a", "1", "2" } }, { 4 }, 4 },
    { "K1", "absence: silent for longer than the timespan", CORRELATION("  type: saqshy_absence\n  rules: base\n  group-by: g\n  timespan: 1m\n"),
      { { 0, "x", "a", "" }, { 50, "x", "a", "" }, { 60, "x", "b", "" }, { 110, "n", "", "" }, { 111, "n", "", "" }, { 119, "x", "b", "" } }, { 5 }, 2 },
    { "K1", "absence: told once, and again after it spoke", CORRELATION("  type: saqshy_absence\n  rules: base\n  timespan: 1m\n"),
      { { 0, "x", "a", "" }, { 61, "n", "", "" }, { 200, "n", "", "" }, { 201, "x", "a", "" }, { 262, "n", "", "" } }, { 2, 5 }, 1 },

    /* K2: the window slides over the time of events */
    { "K2", "the window slides", COUNTED("{gte: 3}"),
      { { 0, "x", "a", "" }, { 50, "x", "a", "" }, { 60, "x", "a", "" }, { 100, "x", "a", "" } }, { 3 }, 3 },
    { "K2", "too slow", COUNTED("{gte: 3}"), { { 0, "x", "a", "" }, { 50, "x", "a", "" }, { 100, "x", "a", "" } }, { 0 }, 0 },
    { "K2", "exactly one timespan still counts", COUNTED("{gte: 2}"), { { 0, "x", "a", "" }, { 60, "x", "a", "" } }, { 2 }, 2 },
    { "K2", "one second more does not", COUNTED("{gte: 2}"), { { 0, "x", "a", "" }, { 61, "x", "a", "" } }, { 0 }, 0 },
    { "K2", "late events find their place", COUNTED("{gte: 3}"), { { 100, "x", "a", "" }, { 50, "x", "a", "" }, { 90, "x", "a", "" } }, { 3 }, 3 },
    { "K2", "a week", CORRELATION("  type: event_count\n  rules: base\n  timespan: 1w\n  condition: {gte: 2}\n"),
      { { 0, "x", "a", "" }, { 600000, "x", "a", "" } }, { 2 }, 2 },
    { "K2", "a sum slides too", OF_V("value_sum", "{field: v, gte: 10}"),
      { { 0, "x", "a", "9" }, { 61, "x", "a", "2" }, { 62, "x", "a", "7" }, { 63, "x", "a", "1" } }, { 4 }, 3 },

    /* K3: conditions */
    { "K3", "lt", COUNTED("{lt: 3}"), { { 0, "x", "a", "" }, { 10, "x", "a", "" }, { AFTER, "n", "", "" } }, { 3 }, 2 },
    { "K3", "lt: too many", COUNTED("{lt: 2}"), { { 0, "x", "a", "" }, { 10, "x", "a", "" }, { AFTER, "n", "", "" } }, { 0 }, 0 },
    { "K3", "lte", COUNTED("{lte: 2}"), { { 0, "x", "a", "" }, { 10, "x", "a", "" }, { AFTER, "n", "", "" } }, { 3 }, 2 },
    { "K3", "eq", COUNTED("{eq: 2}"), { { 0, "x", "a", "" }, { 10, "x", "a", "" }, { AFTER, "n", "", "" } }, { 3 }, 2 },
    { "K3", "eq: one too many", COUNTED("{eq: 1}"), { { 0, "x", "a", "" }, { 10, "x", "a", "" }, { AFTER, "n", "", "" } }, { 0 }, 0 },
    { "K3", "neq", COUNTED("{neq: 1}"), { { 0, "x", "a", "" }, { 10, "x", "a", "" }, { AFTER, "n", "", "" } }, { 3 }, 2 },
    { "K3", "neq: it is", COUNTED("{neq: 2}"), { { 0, "x", "a", "" }, { 10, "x", "a", "" }, { AFTER, "n", "", "" } }, { 0 }, 0 },
    { "K3", "a range: within", COUNTED("{gt: 1, lte: 3}"), { { 0, "x", "a", "" }, { 1, "x", "a", "" }, { 2, "x", "a", "" }, { AFTER, "n", "", "" } }, { 4 }, 3 },
    { "K3", "a range: above", COUNTED("{gt: 1, lt: 3}"), { { 0, "x", "a", "" }, { 1, "x", "a", "" }, { 2, "x", "a", "" }, { AFTER, "n", "", "" } }, { 0 }, 0 },
    { "K3", "a range of values", OF_V("value_count", "{field: v, gte: 2, lte: 2}"),
      { { 0, "x", "a", "1" }, { 1, "x", "a", "2" }, { 2, "x", "a", "1" }, { AFTER, "n", "", "" } }, { 4 }, 3 },
    { "K3", "a range of an average, one bound below zero", OF_V("value_avg", "{field: v, gte: -2.5, lt: 0}"),
      { { 0, "x", "a", "-5" }, { 1, "x", "a", "0" }, { AFTER, "n", "", "" } }, { 3 }, 2 },
    { "K3", "a range of a percentile", OF_V("value_percentile", "{field: v, percentile: 75, gte: 3, lt: 4}"),
      { { 0, "x", "a", "1" }, { 1, "x", "a", "2" }, { 2, "x", "a", "3" }, { 3, "x", "a", "4" }, { AFTER, "n", "", "" } }, { 5 }, 4 },
    { "K3", "a median that is not below", OF_V("value_median", "{field: v, lt: 2}"),
      { { 0, "x", "a", "1" }, { 1, "x", "a", "2" }, { 2, "x", "a", "3" }, { AFTER, "n", "", "" } }, { 0 }, 0 },
    { "K3", "rules: both are there", TEMPORAL("temporal", "[base, other, third]", "  condition: base and (other or third)\n"),
      { { 0, "p", "a", "" }, { 1, "x", "a", "" } }, { 2 }, 2 },
    { "K3", "rules: the one that is needed is not", TEMPORAL("temporal", "[base, other, third]", "  condition: base and (other or third)\n"),
      { { 0, "p", "a", "" }, { 1, "o", "a", "" } }, { 0 }, 0 },
    { "K3", "rules: not, judged at the end", TEMPORAL("temporal", "[base, other]", "  condition: base and not other\n"),
      { { 0, "x", "a", "" }, { 1, "x", "b", "" }, { 30, "o", "b", "" }, { AFTER, "n", "", "" } }, { 4 }, 1 },
    { "K3", "rules: not, and it came", TEMPORAL("temporal", "[base, other]", "  condition: base and not other\n"),
      { { 1, "x", "b", "" }, { 30, "o", "b", "" }, { AFTER, "n", "", "" } }, { 0 }, 0 },
    { "K3", "rules: one of them", TEMPORAL("temporal", "[base, other]", "  condition: 1 of them\n"), { { 0, "o", "a", "" } }, { 1 }, 1 },
    { "K3", "rules: two of three", TEMPORAL("temporal", "[base, other, third]", "  condition: {gte: 2}\n"),
      { { 0, "p", "a", "" }, { 1, "p", "a", "" }, { 2, "o", "a", "" } }, { 3 }, 3 },
    { "K3", "rules: exactly one of two", TEMPORAL("temporal", "[base, other]", "  condition: {eq: 1}\n"),
      { { 0, "x", "a", "" }, { 1, "x", "b", "" }, { 2, "o", "b", "" }, { AFTER, "n", "", "" } }, { 4 }, 1 },
    { "K3", "rules in order: this or that at last", TEMPORAL("temporal_ordered", "[base, other, third]", "  condition: base and (other or third)\n"),
      { { 0, "p", "a", "" }, { 1, "x", "a", "" }, { 2, "p", "a", "" } }, { 3 }, 3 },
    { "K3", "rules in order: two of three, but backwards", TEMPORAL("temporal_ordered", "[base, other, third]", "  condition: {gte: 2}\n"),
      { { 0, "p", "a", "" }, { 1, "o", "a", "" }, { 2, "x", "a", "" } }, { 0 }, 0 },

    /* K4: when it fires, and what is used up */
    { "K4", "quiet for one window, the count goes on", COUNTED("{gte: 2}"),
      { { 0, "x", "a", "" }, { 1, "x", "a", "" }, { 2, "x", "a", "" }, { 30, "x", "a", "" }, { 60, "x", "a", "" },
        { 61, "x", "a", "" }, { 62, "x", "a", "" } }, { 2, 7 }, 7 },
    { "K4", "after a silent window the count starts anew", COUNTED("{gte: 2}"),
      { { 0, "x", "a", "" }, { 1, "x", "a", "" }, { 200, "x", "a", "" }, { 201, "x", "a", "" } }, { 2, 4 }, 2 },
    { "K4", "used events are used up", COUNTED("{gte: 2}"), { { 0, "x", "a", "" }, { 59, "x", "a", "" }, { 119, "x", "a", "" } }, { 2 }, 2 },
    { "K4", "judged while the group itself is silent", COUNTED("{lt: 5}"), { { 0, "x", "a", "" }, { 30, "x", "b", "" }, { AFTER, "n", "b", "" } }, { 3 }, 1 },
    { "K4", "not judged while late events may come", COUNTED("{lt: 5}"), { { 0, "x", "a", "" }, { AFTER - 1, "n", "", "" } }, { 0 }, 0 },
    { "K4", "its own next event ends a window at once", COUNTED("{lt: 5}"), { { 0, "x", "a", "" }, { 61, "x", "a", "" } }, { 2 }, 1 },
    { "K4", "no wait for late events", CORRELATION("  type: event_count\n  rules: base\n  timespan: 1m\n  condition: {lt: 5}\nsaqshy: {lateness: 1s}\n"),
      { { 0, "x", "a", "" }, { 61, "n", "", "" }, { 62, "n", "", "" } }, { 3 }, 1 },

    /* K5: groups */
    { "K5", "group values fold", COUNTED("{gte: 2}"), { { 0, "x", "\xd2\x9a", "" }, { 10, "x", "\xd2\x9b", "" } }, { 2 }, 2 },
    { "K5", "groups do not mix", COUNTED("{gte: 3}"), { { 0, "x", "a", "" }, { 10, "x", "b", "" }, { 20, "x", "a", "" } }, { 0 }, 0 },
    { "K5", "parts of a key do not mix", CORRELATION("  type: event_count\n  rules: base\n  group-by: [g, v]\n  timespan: 1m\n  condition: {gte: 2}\n"),
      { { 0, "x", "a|b", "c" }, { 10, "x", "a", "b|c" } }, { 0 }, 0 },
    { "K5", "an event without the group's field takes no part", COUNTED("{gte: 2}"), { { 0, "x", "", "" }, { 1, "x", "", "" } }, { 0 }, 0 },
    { "K5", "no group-by is one group", CORRELATION("  type: event_count\n  rules: base\n  timespan: 1m\n  condition: {gte: 2}\n"),
      { { 0, "x", "a", "" }, { 10, "x", "b", "" } }, { 2 }, 2 },
    { "K5", "an alias: each rule has its own field", CORRELATION("  type: temporal\n  rules: [base, other]\n  group-by: who\n  timespan: 1m\n  aliases: {who: {base: g, other: v}}\n"),
      { { 0, "x", "a", "b" }, { 10, "o", "b", "a" } }, { 2 }, 2 },
    { "K5", "an alias: other values", CORRELATION("  type: temporal\n  rules: [base, other]\n  group-by: who\n  timespan: 1m\n  aliases: {who: {base: g, other: v}}\n"),
      { { 0, "x", "a", "b" }, { 10, "o", "a", "b" } }, { 0 }, 0 },

    /* K6: several rules */
    { "K6", "temporal, any order", TEMPORAL("temporal", "[base, other]", ""), { { 0, "o", "a", "" }, { 10, "x", "b", "" }, { 20, "x", "a", "" } }, { 3 }, 2 },
    { "K6", "temporal, too far apart", TEMPORAL("temporal", "[base, other]", ""), { { 0, "o", "a", "" }, { 61, "x", "a", "" } }, { 0 }, 0 },
    { "K6", "temporal, different groups", TEMPORAL("temporal", "[base, other]", ""), { { 0, "o", "a", "" }, { 1, "x", "b", "" } }, { 0 }, 0 },
    { "K6", "temporal_ordered", TEMPORAL("temporal_ordered", "[base, other]", ""), { { 0, "o", "a", "" }, { 10, "x", "a", "" }, { 20, "o", "a", "" } }, { 3 }, 3 },
    { "K6", "temporal_ordered, the wrong order", TEMPORAL("temporal_ordered", "[base, other]", ""), { { 0, "o", "a", "" }, { 10, "x", "a", "" } }, { 0 }, 0 },
    { "K6", "temporal_ordered by the time of the event, not of its coming", TEMPORAL("temporal_ordered", "[base, other]", ""),
      { { 10, "x", "a", "" }, { 9, "o", "a", "" } }, { 0 }, 0 },
    { "K6", "one event is not two steps", TEMPORAL("temporal_ordered", "[base, base]", ""), { { 0, "x", "a", "" }, { 10, "x", "a", "" } }, { 2 }, 2 },

    /* K7: values */
    { "K7", "distinct values", OF_V("value_count", "{field: v, gte: 2}"), { { 0, "x", "a", "1" }, { 1, "x", "a", "1" }, { 2, "x", "a", "2" } }, { 3 }, 3 },
    { "K7", "distinct values fold", OF_V("value_count", "{field: v, gte: 2}"), { { 0, "x", "a", "Abc" }, { 1, "x", "a", "aBC" } }, { 0 }, 0 },
    { "K7", "distinct values, one too old", OF_V("value_count", "{field: v, gte: 2}"),
      { { 0, "x", "a", "1" }, { 61, "x", "a", "2" }, { 62, "x", "a", "2" } }, { 0 }, 0 },
    { "K7", "a value seen again is as young as its last time", OF_V("value_count", "{field: v, gte: 2}"),
      { { 0, "x", "a", "1" }, { 50, "x", "a", "1" }, { 100, "x", "a", "2" } }, { 3 }, 3 },
    { "K7", "an event without the value is not counted", OF_V("value_count", "{field: v, gte: 2}"), { { 0, "x", "a", "1" }, { 1, "x", "a", "" } }, { 0 }, 0 },
    { "K7", "pairs of values", OF_V("value_count", "{field: [v, w], gte: 3}"),
      { { 0, "x", "a", "1", "1" }, { 1, "x", "a", "1", "2" }, { 2, "x", "a", "1", "1" }, { 3, "x", "a", "2", "1" } }, { 4 }, 4 },
    { "K7", "a pair with one of them absent", OF_V("value_count", "{field: [v, w], gte: 2}"), { { 0, "x", "a", "1", "1" }, { 1, "x", "a", "1", "" } }, { 0 }, 0 },
    { "K7", "what is no number is not added", OF_V("value_sum", "{field: v, gte: 2}"), { { 0, "x", "a", "1" }, { 1, "x", "a", "0x10" }, { 2, "x", "a", "many" } }, { 0 }, 0 },

    /* K8: generate: see also silent_unless_generate */
    { "K8", "the rules it reads raise nothing themselves", COUNTED("{gte: 9}"), { { 0, "x", "a", "" }, { 1, "x", "a", "" } }, { 0 }, 0 },
    { "K8", "only the correlation does", COUNTED("{gte: 2}"), { { 0, "x", "a", "" }, { 1, "x", "a", "" } }, { 2 }, 2 },
};

static void put(struct event_batch *b, const struct step *s, uint64_t seq)
{
    const struct { const char *name, *value; } fields[] = { { "k", s->k }, { "g", s->g }, { "v", s->v }, { "w", s->w } };
    struct event *ev;

    event_batch_reset(b);
    ev = event_batch_add(b);
    ev->seq = seq;
    ev->time = ev->received = 1000000 * NS_PER_SECOND + s->t * NS_PER_SECOND;
    for (size_t i = 0; i < COUNT(fields); i++)
        assert_int_equal(event_add(ev, &b->arena, str_c(fields[i].name), str_c(fields[i].value)), 0);
}

static void compile(const char *name, const char *rules, struct sigma **s)
{
    struct sigma_source src = { STR("c.yml"), str_c(rules) };
    struct err e;

    assert_int_equal(sigma_compile(&src, 1, s, &e), 0);
    if (sigma_refusal_count(*s))
        fail_msg("row \"%s\": %.*s", name, STR_ARG(sigma_refusal_at(*s, 0)->reason));
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
    struct sigma_run *run = NULL;
    struct event_batch b;
    struct sigma *s = NULL;
    struct err e;
    size_t fired = 0;
    uint64_t count = 0;

    event_batch_init(&b, 0);
    compile(rows[row].name, rows[row].rules, &s);
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

static int one(size_t row, struct sigma_run *run, struct event_batch *b, int i)
{
    const struct sigma_match *m;
    struct err e;

    put(b, &rows[row].steps[i], (uint64_t)i + 1);
    return sigma_run_event(run, b->items, false, &m, &e);
}

/* play_sliced - saved in the smallest slices between the events from "at" on, the state is nevertheless that before them: whoever loads it is told of them what was told. */
static void play_sliced(size_t row, int at)
{
    AUTO_BUF struct buf whole, sliced;
    struct sigma_run *run = NULL;
    struct event_batch b;
    struct sigma *s = NULL;
    struct err e;
    int told[16] = { 0 }, i;
    bool over = false;

    event_batch_init(&b, 0);
    buf_init(&whole, 0);
    buf_init(&sliced, 0);
    compile(rows[row].name, rows[row].rules, &s);
    assert_int_equal(sigma_run_new(s, false, &run, &e), 0);
    for (i = 0; i < at; i++)
        assert_true(one(row, run, &b, i) >= 0);
    sigma_run_save(run, &whole);
    assert_true(sigma_run_save_begin(run, &sliced));
    for (; i < 16 && rows[row].steps[i].k; i++) {
        told[i] = one(row, run, &b, i);
        over = over || sigma_run_save_some(run, &sliced, 1);
    }
    while (!over)
        over = sigma_run_save_some(run, &sliced, 1);
    CHECK(rows[row].name, !buf_failed(&sliced) && sliced.n == whole.n);
    sigma_run_free(&run);
    assert_int_equal(sigma_run_new(s, false, &run, &e), 0);
    CHECK(rows[row].name, sigma_run_load(run, buf_view(&sliced), &e) == 0);
    for (i = at; i < 16 && rows[row].steps[i].k; i++)
        CHECK(rows[row].name, one(row, run, &b, i) == told[i]);
    sigma_run_free(&run);
    sigma_free(&s);
    event_batch_free(&b);
}

/* play_all - rows of one id that fire, or ("K1-") that must not; each also with a restart after every event, and saved in slices from each on. */
static void play_all(void **state)
{
    const char *which = *state;
    size_t played = 0;

    for (size_t i = 0; i < COUNT(rows); i++)
        if (strncmp(rows[i].id, which, 2) == 0 && (rows[i].fires[0] == 0) == (which[2] == '-')) {
            play(i, false);
            play(i, true);
            for (int at = 0; at < 16 && rows[i].steps[at].k; at++)
                play_sliced(i, at);
            played++;
        }
    assert_true(played > 0);
}

/* What is refused: broken with the place and the reason, or unsupported. */
static const struct { const char *name, *rules, *reason; enum sigma_verdict verdict; } refused[] = {
    { "an unknown type", CORRELATION("  type: value_max\n  rules: base\n  timespan: 1m\n  condition: {gte: 1}\n"), "\"type\" must be", SIGMA_BROKEN },
    { "a rule that is not there", CORRELATION("  type: temporal\n  rules: [base, nobody]\n  timespan: 1m\n"), "\"nobody\" is not among", SIGMA_BROKEN },
    { "no timespan", CORRELATION("  type: temporal\n  rules: [base, other]\n"), "\"timespan\" is missing", SIGMA_BROKEN },
    { "a timespan without a unit", CORRELATION("  type: temporal\n  rules: [base, other]\n  timespan: 10\n"), "a span of time is", SIGMA_BROKEN },
    { "a sum without a field", OF_V("value_sum", "{gte: 1}"), "\"field\" is missing", SIGMA_BROKEN },
    { "a sum of two fields", OF_V("value_sum", "{field: [v, w], gte: 1}"), "more than 1 of these", SIGMA_BROKEN },
    { "a percentile without one", OF_V("value_percentile", "{field: v, gte: 1}"), "\"percentile\" is missing", SIGMA_BROKEN },
    { "a percentile of 100", OF_V("value_percentile", "{field: v, percentile: 100, gte: 1}"), "from 1 to 99", SIGMA_BROKEN },
    { "a percentile of a sum", OF_V("value_sum", "{field: v, percentile: 9, gte: 1}"), "has no place", SIGMA_BROKEN },
    { "a bound that is no number", OF_V("value_avg", "{field: v, gte: many}"), "a number is expected", SIGMA_BROKEN },
    { "half an event", COUNTED("{gte: 1.5}"), "a whole number is expected", SIGMA_BROKEN },
    { "two lower bounds", COUNTED("{gt: 1, gte: 5}"), "one bound from below", SIGMA_BROKEN },
    { "nothing between the bounds", COUNTED("{gt: 5, lt: 6}"), "no number lies between", SIGMA_BROKEN },
    { "no bound", COUNTED("{}"), "is missing", SIGMA_BROKEN },
    { "a condition over a rule that it does not read", TEMPORAL("temporal", "[base, other]", "  condition: base and third\n"), "there is no selection \"third\"", SIGMA_BROKEN },
    { "a condition that cannot be true", TEMPORAL("temporal", "[base, other]", "  condition: base and not base\n"), "cannot be true", SIGMA_BROKEN },
    { "a condition over rules for a count", CORRELATION("  type: event_count\n  rules: [base, other]\n  timespan: 1m\n  condition: base\n"), "must be a map", SIGMA_BROKEN },
    { "more rules than there are", TEMPORAL("temporal", "[base, other]", "  condition: {gte: 3}\n"), "only 2 rules", SIGMA_BROKEN },
    { "an absence with a condition", CORRELATION("  type: saqshy_absence\n  rules: base\n  timespan: 1m\n  condition: {lt: 1}\n"), "has no condition", SIGMA_BROKEN },
    { "an order that ends with not", TEMPORAL("temporal_ordered", "[base, other]", "  condition: base and not other\n"), "judged as events come", SIGMA_UNSUPPORTED },
    { "too large a threshold", OF_V("value_count", "{field: v, gte: 70000}"), "above 65536", SIGMA_UNSUPPORTED },
};

static void what_cannot_be_judged_is_refused(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(refused); i++) {
        struct sigma_source src = { STR("c.yml"), str_c(refused[i].rules) };
        struct sigma *s = NULL;
        struct err e;

        assert_int_equal(sigma_compile(&src, 1, &s, &e), 0);
        CHECK(refused[i].name, sigma_refusal_count(s) == 1);
        CHECK(refused[i].name, sigma_refusal_at(s, 0)->verdict == refused[i].verdict && sigma_refusal_at(s, 0)->line > 10);
        if (str_find(sigma_refusal_at(s, 0)->reason, str_c(refused[i].reason)) < 0)
            fail_msg("row \"%s\": %.*s", refused[i].name, STR_ARG(sigma_refusal_at(s, 0)->reason));
        sigma_free(&s);
    }
}

static void silent_unless_generate(void **state)
{
    static const char *const want[] = { "base", "base corr" };
    struct one_set o = one_set(CORRELATION("  type: event_count\n  rules: base\n  timespan: 1m\n  generate: true\n  condition: {gte: 2}\n"));
    const struct sigma_match *m;
    struct err e;

    (void)state;
    for (size_t i = 0; i < COUNT(want); i++) {
        char got[32] = "";
        int n;

        put(&o.b, &(struct step){ (int)i, "x", "a", "" }, i + 1);
        n = sigma_run_event(o.run, o.b.items, false, &m, &e);
        for (int k = 0; k < n; k++)
            snprintf(got + strlen(got), sizeof got - strlen(got), "%s%.*s", k ? " " : "", STR_ARG(m[k].rule->id));
        assert_string_equal(got, want[i]);
    }
    one_set_free(&o);
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
    assert_int_equal(sigma_rule_count(s), 5);
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

/* What a window's end brings belongs to the window's group, whatever event ended it. */
static void a_correlation_over_windows_that_ended(void **state)
{
    static const char rules[] = BASE
        "title: f\nid: few\ncorrelation: {type: event_count, rules: base, group-by: [v, g], timespan: 1m, condition: {lt: 2}}\n---\n"
        "title: q\nid: quiet\ncorrelation: {type: saqshy_absence, rules: base, group-by: g, timespan: 10m}\n---\n"
        "title: t\nid: then\ncorrelation: {type: temporal_ordered, rules: [few, other], group-by: g, timespan: 5m}\n---\n"
        "title: d\nid: dark\ncorrelation: {type: event_count, rules: quiet, timespan: 5m, condition: {gte: 2}}\n---\n"
        "title: e\nid: end\ncorrelation: {type: event_count, rules: dark, timespan: 5m, condition: {gte: 1}}\n";
    static const struct { struct step step; const char *want; } steps[] = {
        { { 0, "x", "a|b", "1" }, "" }, { { 1, "x", "b", "1" }, "" }, { { AFTER + 1, "o", "c", "1" }, "few(1|a\\|b) few(1|b) " },
        { { 130, "o", "c", "1" }, "" }, { { 131, "o", "b", "1" }, "then(b) " }, { { 700, "n", "c", "1" }, "quiet(a\\|b) quiet(b) dark() end() " },
    };
    struct sigma_run *run = NULL;
    struct event_batch b;
    struct sigma *s = NULL;
    struct err e;

    (void)state;
    event_batch_init(&b, 0);
    compile("ended", rules, &s);
    assert_int_equal(sigma_run_new(s, false, &run, &e), 0);
    for (size_t i = 0; i < COUNT(steps); i++) {
        const struct sigma_match *m;
        char got[256] = "";
        int n;

        put(&b, &steps[i].step, i + 1);
        n = sigma_run_event(run, b.items, false, &m, &e);
        for (int k = 0; k < n; k++)
            snprintf(got + strlen(got), sizeof got - strlen(got), "%.*s(%.*s) ", STR_ARG(m[k].rule->id), STR_ARG(m[k].group));
        assert_string_equal(got, steps[i].want);
        restart(s, &run);
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

#define ROWS(id, words) \
    { .name = id " " words ": fires", .test_func = play_all, .initial_state = id "+" }, \
    { .name = id " " words ": stays silent", .test_func = play_all, .initial_state = id "-" }

int main(void)
{
    const struct CMUnitTest tests[] = {
        ROWS("K1", "types of correlations"),
        { .name = "K1 a correlation over a correlation", .test_func = a_correlation_over_a_correlation },
        { .name = "K1 K6 a correlation over windows that ended", .test_func = a_correlation_over_windows_that_ended },
        { .name = "K1 circles are refused", .test_func = circles_are_refused },
        ROWS("K2", "the window slides over event time"),
        ROWS("K3", "bounds, ranges, conditions over rules"),
        { .name = "K3 what cannot be judged is refused", .test_func = what_cannot_be_judged_is_refused },
        ROWS("K4", "when it fires and what is used up"),
        ROWS("K5", "groups and aliases"),
        ROWS("K6", "several rules, in order or not"),
        ROWS("K7", "distinct values and numbers"),
        ROWS("K8", "the rules it reads are silent"),
        { .name = "K8 generate: true raises both", .test_func = silent_unless_generate },
    };

    return cmocka_run_group_tests_name("sigma correlations", tests, NULL, NULL);
}
