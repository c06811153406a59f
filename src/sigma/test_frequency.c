/* test_frequency.c - witnesses by what was measured: another one, fewer rules computed, the same found; and the measured numbers on disk. */
#include "sigma/engine.h"
#include "sigma/frequency.h"
#include "sigma/test_rows.h"

/* What the rules write says that "zebra" is rarer: six of them write "often". What the events hold says otherwise. */
static const char text[] =
    "title: a\nid: a\nlogsource: {}\ndetection: {s: {x|contains: zebra, y|contains: often}, condition: s}\n---\n"
    "title: b\nid: b\nlogsource: {}\ndetection: {s: {z|contains: often1, y|contains: word1}, condition: s}\n---\n"
    "title: c\nid: c\nlogsource: {}\ndetection: {s: {z|contains: often2, y|contains: word2}, condition: s}\n---\n"
    "title: d\nid: d\nlogsource: {}\ndetection: {s: {z|contains: often3, y|contains: word3}, condition: s}\n---\n"
    "title: e\nid: e\nlogsource: {}\ndetection: {s: {z|contains: often4, y|contains: word4}, condition: s}\n---\n"
    "title: k\nid: k\nlogsource: {}\ndetection: {k: [nowhere-at-all], n: {n: 7}, s: {x|endswith: bra}, condition: s and n and not k}\n";

static const char *const events[] = { "x=a zebra\ny=seldom", "x=zebra crossing\ny=nothing\nn=7", "x=zebra\ny=how often?", "x=the zebra\ny=never\nn=8" };

static struct sigma *compiled(const struct sigma_frequency *f)
{
    struct sigma_source src = { STR("r.yml"), str_c(text) };
    struct sigma_units *u = sigma_units_new();
    struct sigma *s;
    struct err e;

    sigma_units_measured(u, f);
    assert_int_equal(sigma_compile_again(u, &src, 1, &s, &e), 0);
    assert_int_equal(sigma_refusal_count(s), 0);
    sigma_units_free(&u);
    return s;
}

/* found - how often each event raises what, as one text; *computed: conditions of rules. */
static void found(const struct sigma *s, struct sigma_frequency *f, int rounds, struct buf *out, uint64_t *computed)
{
    const struct sigma_match *m;
    struct sigma_run *run;
    struct event_batch b;
    struct err e;

    event_batch_init(&b, 0);
    assert_int_equal(sigma_run_new(s, false, &run, &e), 0);
    sigma_run_check(run, 1);
    sigma_run_measure(run, f, 1);
    for (int i = 0; i < rounds * (int)COUNT(events); i++) {
        int n;

        event_from(&b, events[i % (int)COUNT(events)]);
        n = sigma_run_event(run, b.items, true, &m, &e);
        for (int k = 0; k < n && i < (int)COUNT(events); k++)
            buf_printf(out, "%d %.*s\n", i, STR_ARG(m[k].rule->id));
    }
    assert_int_equal(sigma_run_counters(run)->differed, 0);
    *computed = sigma_run_counters(run)->evaluated;
    sigma_run_free(&run);
    event_batch_free(&b);
}

static bool witness_is(const struct sigma *s, uint32_t rule, const char *want)
{
    const struct tables *t = s->tables;
    const struct witness *w = &t->witness[rule];

    return w->count == 1 && str_eq(t->atoms[t->of_rules.p[w->first]].text, str_c(want));
}

static void a_witness_that_is_often_there_gives_way_and_the_same_is_found(void **state)
{
    struct sigma_frequency *f = sigma_frequency_new();
    struct sigma *before = compiled(NULL), *unmeasured = compiled(f), *after;
    uint64_t computed, fewer;
    AUTO_BUF struct buf one, other;

    (void)state;
    buf_init(&one, 0);
    buf_init(&other, 0);
    assert_true(witness_is(before, 0, "zebra") && witness_is(unmeasured, 0, "zebra"));
    found(before, f, 4000, &one, &computed);
    assert_int_equal(sigma_frequency_events(f), 16000);
    after = compiled(f);
    assert_true(witness_is(after, 0, "often"));
    found(after, NULL, 4000, &other, &fewer);
    assert_true(one.n > 0 && str_eq(buf_view(&one), buf_view(&other)));
    assert_true(fewer < computed);
    sigma_free(&before);
    sigma_free(&unmeasured);
    sigma_free(&after);
    sigma_frequency_free(&f);
}

static void numbers_are_parts_and_fade(void **state)
{
    struct sigma_frequency *f = sigma_frequency_new();

    (void)state;
    assert_true(frequency_of(f, 5, 0.25f) == 0.25f);
    for (int i = 0; i < 20000; i++) {
        frequency_event(f);
        assert_false(frequency_noted(f, 5));
        frequency_note(f, 5, i % 4 == 0);
        frequency_note(f, 0, true);          /* a hash like any other */
        assert_true(frequency_noted(f, 5) && !frequency_noted(f, 6));
    }
    assert_true(frequency_of(f, 5, 0.9f) > 0.24f && frequency_of(f, 5, 0.9f) < 0.27f && frequency_of(f, 0, 0.1f) > 0.98f);
    for (uint32_t i = 0; i < 2 * FREQUENCY_EVENTS; i++) {
        frequency_event(f);
        frequency_note(f, 5, false);
    }
    assert_true(frequency_of(f, 5, 0.9f) < 0.02f && sigma_frequency_events(f) <= FREQUENCY_EVENTS);
    frequency_event(f);
    for (uint64_t i = 1; i < 3 * FREQUENCY_SLOTS; i++)   /* more than there is room for */
        frequency_note(f, i * 0x9E3779B97F4A7C15ull, true);
    sigma_frequency_free(&f);
}

static void what_is_saved_comes_back_and_what_is_cut_or_changed_is_refused(void **state)
{
    struct sigma_frequency *f = sigma_frequency_new();
    AUTO_BUF struct buf b, again;
    struct err e;

    (void)state;
    buf_init(&b, 0);
    buf_init(&again, 0);
    for (int i = 0; i < 1000; i++) {
        frequency_event(f);
        frequency_note(f, 77, i % 2);
        frequency_note(f, UINT64_C(0xFFFFFFFF00000001), true);
    }
    sigma_frequency_save(f, &b);
    assert_int_equal(b.n, 16 + 2 * 16 + 8);
    assert_int_equal(sigma_frequency_load(f, buf_view(&b), &e), 0);
    assert_true(sigma_frequency_events(f) == 1000 && frequency_of(f, 77, 0) > 0.4f);
    sigma_frequency_save(f, &again);
    assert_true(str_eq(buf_view(&b), buf_view(&again)));
    for (size_t cut = 0; cut < b.n; cut++) {
        assert_int_equal(sigma_frequency_load(f, str_of(b.p, cut), &e), -EBADMSG);
        assert_true(sigma_frequency_events(f) == 0 && frequency_of(f, 77, 0) == 0);
    }
    for (size_t i = 0; i < b.n; i++) {
        b.p[i] ^= 0x10;
        assert_int_equal(sigma_frequency_load(f, buf_view(&b), &e), -EBADMSG);
        b.p[i] ^= 0x10;
    }
    sigma_frequency_free(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_witness_that_is_often_there_gives_way_and_the_same_is_found),
        cmocka_unit_test(numbers_are_parts_and_fade),
        cmocka_unit_test(what_is_saved_comes_back_and_what_is_cut_or_changed_is_refused),
    };

    return cmocka_run_group_tests_name("sigma frequency", tests, NULL, NULL);
}
