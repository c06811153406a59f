/* test_retro.c - what is found in stored events is what was found live, whoever reads and however the store is cut; blocks that may stay closed; previews. */
#include <unistd.h>

#include "detect/retro.h"
#include "detect/test_place.h"

static const char plain_rules[] =
    "title: Failed\nid: 00000000-0000-4000-8000-000000000001\nlogsource: {}\ndetection:\n  a: { kind: fail, user: u3 }\n  condition: a\nlevel: low\n"
    "---\ntitle: Words\nid: 00000000-0000-4000-8000-000000000002\nlogsource: {}\ndetection:\n  a: ['line 1700000077']\n  condition: a\nlevel: high\n"
    "---\ntitle: Number\nid: 00000000-0000-4000-8000-000000000003\nlogsource: {}\ndetection:\n  a: { n|gte: 60 }\n  b: { kind: ok }\n  condition: a and not b\nlevel: low\n";
static const char correlated[] =
    "title: Base\nname: base\nid: 00000000-0000-4000-8000-000000000004\nlogsource: {}\ndetection:\n  a: { kind: fail }\n  condition: a\n"
    "---\ntitle: Many\nid: 00000000-0000-4000-8000-000000000005\ncorrelation: { type: event_count, rules: [base], group-by: [user], timespan: 20s, condition: { gte: 3 } }\nlevel: high\n"
    "---\ntitle: Values\nid: 00000000-0000-4000-8000-000000000006\ncorrelation: { type: value_count, rules: [base], timespan: 15s, condition: { field: user, gte: 4 } }\nlevel: low\n";
static const char rare[] = "title: Rare\nid: 00000000-0000-4000-8000-000000000007\nlogsource: {}\ndetection:\n  a: { event.original|endswith: [' 1000500', ' 1000501', ' 1000502', ' 1000503'] }\n  condition: a\nlevel: low\n";

static int tell_hit(void *arg, const struct event *ev, const struct sigma_match *m, size_t count, struct buf *out)
{
    (void)arg;
    for (size_t i = 0; i < count; i++)
        buf_printf(out, "%.*s %llu %llu %.*s\n", STR_ARG(m[i].rule->id), (unsigned long long)ev->seq, (unsigned long long)m[i].count, STR_ARG(ev->object));
    return 0;
}

static int keep_text(void *arg, struct str text)
{
    buf_str(arg, text);
    return 0;
}

static int run_retro(const struct place *p, struct retro_options o, struct buf *out, struct retro_stats *stats)
{
    const struct retro_listener to = { .arg = out, .sink = tell_hit, .flush = keep_text };
    const char *paths[] = { p->rules };
    struct sigma *s = NULL;
    struct err e;
    int rc;

    assert_int_equal(sigma_load(paths, 1, &s, &e), 0);
    assert_int_equal(sigma_refusal_count(s), 0);
    o.data = p->root;
    o.rules = s;
    if (o.from == 0 && o.to == 0) {
        o.from = INT64_MIN;
        o.to = INT64_MAX;
    }
    buf_reset(out);
    rc = retro_run(&o, &to, stats, &e);
    sigma_free(&s);
    return rc;
}

/* live - the findings of detection, in the words of tell_hit. */
static void live(const struct place *p, struct buf *out)
{
    struct journal_reader *r = NULL;
    struct event_batch b;
    struct err e;
    int n;

    buf_reset(out);
    event_batch_init(&b, 0);
    assert_int_equal(journal_reader_open(p->findings, 0, &r, &e), 0);
    while ((n = journal_reader_next(r, &b, NULL, &e)) > 0)
        for (int i = 0; i < n; i++) {
            const struct event *f = &b.items[i];

            buf_printf(out, "%.*s %.*s %.*s %.*s\n", STR_ARG(event_get(f, STR("rule.id"))), STR_ARG(event_get(f, STR("saqshy.last_seq"))),
                       STR_ARG(event_get(f, STR("saqshy.count"))), STR_ARG(f->object));
        }
    journal_reader_close(&r);
    event_batch_free(&b);
}

static void same(const char *rules)
{
    static const struct { unsigned workers; size_t block; } rows[] = { { 0, 16 }, { 1, 16 }, { 3, 7 }, { 2, 4096 } };
    AUTO_BUF struct buf want, got;
    uint32_t random = 7;

    buf_init(&want, 0);
    buf_init(&got, 0);
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct retro_options o = { .workers = rows[i].workers };
        struct retro_stats stats;
        struct place p;

        place_make(&p);
        write_rule(&p, "r.yml", rules);
        fill(&p, 0, 300, &random);
        run_to_end(&p);
        live(&p, &want);
        assert_true(want.n > 200);
        index_to(&p, 700, rows[i].block);
        assert_int_equal(run_retro(&p, o, &got, &stats), 0);
        assert_true(stats.store.blocks > 0);
        assert_int_equal(got.n, want.n);
        assert_memory_equal(got.p, want.p, want.n);
        place_remove(&p);
    }
}

static void test_plain_rules_find_in_stored_events_what_they_found_live(void **state) { (void)state; same(plain_rules); }
static void test_correlations_find_in_stored_events_what_they_found_live(void **state) { (void)state; same(correlated); }

/* put - events of kind "fail" of one user, at these seconds; or, with lines, events whose command they are. */
static void put(const struct place *p, const unsigned *seconds, const char *const *lines, size_t count)
{
    struct journal *j = NULL;
    struct event_batch b;
    struct err e;

    event_batch_init(&b, 0);
    for (size_t i = 0; i < count; i++) {
        struct event *ev = event_batch_add(&b);

        ev->time = ev->received = (1700000000 + (time_ns)(seconds ? seconds[i] : 0)) * NS_PER_SECOND;
        assert_int_equal(event_add(ev, &b.arena, STR("kind"), STR("fail")), 0);
        assert_int_equal(event_add(ev, &b.arena, STR("user"), STR("u1")), 0);
        assert_int_equal(event_add(ev, &b.arena, STR("cmd"), str_c(lines ? lines[i] : "none")), 0);
    }
    assert_int_equal(journal_open(p->journal, MIB, &j, &e), 0);
    assert_int_equal(journal_append(j, b.items, b.count, (struct journal_origin){ { NULL, 0 }, 0 }, NULL, &e), 0);
    assert_int_equal(journal_commit(j, &e), 0);
    journal_close(&j);
    event_batch_free(&b);
}

static void test_a_window_that_reaches_into_the_range_holds_what_was_before_it(void **state)
{
    static const unsigned seconds[] = { 100, 105, 110 };
    struct retro_options o = { .from = INT64_C(1700000107) * NS_PER_SECOND, .to = INT64_MAX };
    AUTO_BUF struct buf got;
    struct retro_stats stats;
    struct place p;

    (void)state;
    buf_init(&got, 0);
    place_make(&p);
    write_rule(&p, "r.yml", correlated);
    put(&p, seconds, NULL, COUNT(seconds));
    index_to(&p, 3, 16);
    assert_int_equal(run_retro(&p, o, &got, &stats), 0);
    assert_int_equal(stats.matches, 1);
    assert_int_equal(stats.events, 1);
    assert_true(str_starts(buf_view(&got), STR("00000000-0000-4000-8000-000000000005 3 3 ")));
    o.from += 4 * NS_PER_SECOND;      /* what happened before the range is not told */
    assert_int_equal(run_retro(&p, o, &got, &stats), 0);
    assert_int_equal(stats.matches, 0);
    place_remove(&p);
}

static void test_blocks_without_the_texts_of_a_rule_stay_closed_and_hide_nothing(void **state)
{
    AUTO_BUF struct buf want, got;
    struct retro_stats stats;
    uint32_t random = 11;
    struct place p;

    (void)state;
    buf_init(&want, 0);
    buf_init(&got, 0);
    place_make(&p);
    write_rule(&p, "r.yml", rare);
    fill(&p, 0, 300, &random);
    run_to_end(&p);
    live(&p, &want);
    index_to(&p, UINT64_MAX, 16);
    assert_int_equal(run_retro(&p, (struct retro_options){ .workers = 2 }, &got, &stats), 0);
    assert_true(want.n > 0);
    assert_int_equal(got.n, want.n);
    assert_memory_equal(got.p, want.p, want.n);
    assert_true(stats.store.blocks_skipped > 40 && stats.store.blocks < 10);
    place_remove(&p);
}

static void test_a_letter_that_rules_fold_and_the_index_does_not_opens_the_block(void **state)
{
    static const char *const lines[] = { "task kill", "task \xE2\x84\xAAill", "ta\xC5\xBFk kill", "TASK KILL", "tasked", "another" };
    struct retro_stats stats;
    AUTO_BUF struct buf got;
    struct place p;

    (void)state;
    buf_init(&got, 0);
    place_make(&p);
    write_rule(&p, "r.yml", "title: T\nid: 00000000-0000-4000-8000-000000000008\nlogsource: {}\ndetection:\n  a: { cmd: 'task kill' }\n  condition: a\nlevel: low\n");
    put(&p, NULL, lines, COUNT(lines));
    index_to(&p, UINT64_MAX, 1);
    assert_int_equal(run_retro(&p, (struct retro_options){ .workers = 0 }, &got, &stats), 0);
    assert_int_equal(stats.matches, 4);
    assert_int_equal(stats.store.blocks_skipped, 2);
    place_remove(&p);
}

static void test_a_preview_counts_by_day_and_object_and_keeps_the_first_lines(void **state)
{
    struct retro_preview_result r;
    AUTO_BUF struct buf want;
    uint32_t random = 3;
    uint64_t days = 0, objects = 0, lines = 0;
    struct sigma *s = NULL;
    struct place p;
    struct err e;

    (void)state;
    buf_init(&want, 0);
    place_make(&p);
    write_rule(&p, "r.yml", plain_rules);
    fill(&p, 0, 200, &random);
    run_to_end(&p);
    index_to(&p, 500, 16);
    const char *paths[] = { p.rules };
    assert_int_equal(sigma_load(paths, 1, &s, &e), 0);
    struct retro_options o = { .data = p.root, .rules = s, .workers = 3, .from = INT64_C(1699900000) * NS_PER_SECOND, .to = INT64_C(1700100000) * NS_PER_SECOND };
    assert_int_equal(retro_preview(&o, NULL, NULL, &r, &e), 0);
    assert_true(r.complete);
    assert_int_equal(r.rule_count, 3);
    live(&p, &want);
    for (size_t i = 0; i < want.n; i++)
        lines += want.p[i] == '\n';
    assert_int_equal(r.rules[0].count + r.rules[1].count + r.rules[2].count, lines);
    for (size_t i = 0; i < r.day_count; i++)
        days += r.rules[0].days[i];
    for (size_t i = 0; i < r.rules[0].object_count; i++)
        objects += r.rules[0].objects[i].count;
    assert_int_equal(days, r.rules[0].count);
    assert_int_equal(objects, r.rules[0].count);
    assert_int_equal(r.rules[0].object_count, 2);
    assert_int_equal(r.rules[0].sample_count, RETRO_SAMPLES_MAX);
    for (size_t i = 1; i < r.rules[0].sample_count; i++)
        assert_true(r.rules[0].samples[i - 1].seq < r.rules[0].samples[i].seq);
    retro_preview_free(&r);
    /* Stopped before it began: told, and nothing claimed. */
    const volatile int stop = 1;
    o.stop = &stop;
    assert_int_equal(retro_preview(&o, NULL, NULL, &r, &e), 0);
    assert_false(r.complete);
    assert_int_equal(r.rules[0].count, 0);
    retro_preview_free(&r);
    o.stop = NULL;
    o.to = o.from;
    assert_int_equal(retro_preview(&o, NULL, NULL, &r, &e), -EINVAL);
    retro_preview_free(&r);
    sigma_free(&s);
    place_remove(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_plain_rules_find_in_stored_events_what_they_found_live),
        cmocka_unit_test(test_correlations_find_in_stored_events_what_they_found_live),
        cmocka_unit_test(test_a_window_that_reaches_into_the_range_holds_what_was_before_it),
        cmocka_unit_test(test_blocks_without_the_texts_of_a_rule_stay_closed_and_hide_nothing),
        cmocka_unit_test(test_a_letter_that_rules_fold_and_the_index_does_not_opens_the_block),
        cmocka_unit_test(test_a_preview_counts_by_day_and_object_and_keeps_the_first_lines),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
