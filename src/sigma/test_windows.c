/* test_windows.c - what correlations keep in mind: clocks that disagree, bounds of memory, large thresholds, and the saved state. */
#include "sigma/internal.h"
#include "base/test.h"

#define RULES(type, rest) "title: b\nid: base\nlogsource: {}\ndetection: {s: {k: x}, condition: s}\n---\n" \
                          "title: c\nid: corr\ncorrelation:\n  type: " type "\n  rules: base\n  timespan: 1m\n" rest
#define START (1000000 * NS_PER_SECOND)

struct fixture {
    struct sigma *s;
    struct sigma_run *run;
    struct event_batch b;
    uint64_t seq;
};

static void begin(struct fixture *f, const char *rules)
{
    struct sigma_source src = { STR("c.yml"), str_c(rules) };
    struct err e;

    *f = (struct fixture){ .seq = 0 };
    event_batch_init(&f->b, 0);
    assert_int_equal(sigma_compile(&src, 1, &f->s, &e), 0);
    if (sigma_refusal_count(f->s))
        fail_msg("%.*s", STR_ARG(sigma_refusal_at(f->s, 0)->reason));
    assert_int_equal(sigma_run_new(f->s, false, &f->run, &e), 0);
}

static void end(struct fixture *f)
{
    sigma_run_free(&f->run);
    sigma_free(&f->s);
    event_batch_free(&f->b);
}

/* An event: whose clock says what, when it came by ours, group and value. */
struct seen { const char *source; double at, came; const char *g, *v; };

/* feed - the number of matches; *m (may be NULL) the first. */
static int feed(struct fixture *f, struct seen s, struct sigma_match *m)
{
    const struct sigma_match *matches;
    struct event *ev;
    struct err e;
    int n;

    event_batch_reset(&f->b);
    ev = event_batch_add(&f->b);
    ev->seq = ++f->seq;
    ev->time = START + (time_ns)(s.at * 1e9);
    ev->received = START + (time_ns)(s.came * 1e9);
    ev->source = str_c(s.source);
    assert_int_equal(event_add(ev, &f->b.arena, STR("k"), s.g ? STR("x") : STR("n")), 0);
    assert_int_equal(event_add(ev, &f->b.arena, STR("g"), str_c(s.g)), 0);
    assert_int_equal(event_add(ev, &f->b.arena, STR("v"), str_c(s.v)), 0);
    n = sigma_run_event(f->run, ev, false, &matches, &e);
    if (n < 0)
        fail_msg("%s", e.text);
    if (n && m)
        *m = matches[0];
    return n;
}

static void reload(struct fixture *f)
{
    AUTO_BUF struct buf b;
    struct err e;

    buf_init(&b, 0);
    sigma_run_save(f->run, &b);
    sigma_run_free(&f->run);
    assert_int_equal(sigma_run_new(f->s, false, &f->run, &e), 0);
    assert_int_equal(sigma_run_load(f->run, buf_view(&b), &e), 0);
}

/* --- clocks --- */

/* One clock is five hours ahead, as when somebody sets the time zone wrong; it is heard between all others. */
static void a_clock_that_is_ahead_hides_nothing(void **state)
{
    static const char *const types[] = {
        RULES("event_count", "  group-by: g\n  condition: {gte: 4}\n"), RULES("value_count", "  group-by: g\n  condition: {field: v, gte: 4}\n"),
        RULES("value_sum", "  group-by: g\n  condition: {field: v, gte: 10}\n"),   /* 1 + 2 + 3 + 4 */
    };

    (void)state;
    for (size_t i = 0; i < COUNT(types); i++) {
        struct fixture f;

        begin(&f, types[i]);
        for (int k = 1; k <= 3; k++) {
            char v[8];

            snprintf(v, sizeof v, "%d", k);
            assert_int_equal(feed(&f, (struct seen){ "right", k, k, "a", v }, NULL), 0);
            assert_int_equal(feed(&f, (struct seen){ "ahead", 18000 + 70 * k, k, "a", "9" }, NULL), 0);
            if (k == 2)
                reload(&f);
        }
        CHECK(types[i], feed(&f, (struct seen){ "right", 4, 4, "a", "4" }, NULL) == 1);
        end(&f);
    }
}

static void a_clock_that_is_behind_is_not_forgotten(void **state)
{
    struct fixture f;

    (void)state;
    begin(&f, RULES("event_count", "  group-by: g\n  condition: {gte: 3}\n"));
    for (int k = 1; k <= 30; k++) {
        char g[8];

        snprintf(g, sizeof g, "g%d", k);
        assert_int_equal(feed(&f, (struct seen){ "right", k, k, g, "" }, NULL), 0);
        assert_int_equal(feed(&f, (struct seen){ "behind", k / 15 - 90000, k, "slow", "" }, NULL), k == 3 ? 1 : 0);
    }
    end(&f);
}

static void no_source_ends_the_window_of_another(void **state)
{
    struct fixture f;
    struct sigma_match m;

    (void)state;
    begin(&f, RULES("event_count", "  group-by: g\n  condition: {lt: 3}\n"));
    assert_int_equal(feed(&f, (struct seen){ "right", 0, 0, "a", "" }, NULL), 0);
    assert_int_equal(feed(&f, (struct seen){ "ahead", 18000, 1, "b", "" }, NULL), 0);   /* another group */
    assert_int_equal(feed(&f, (struct seen){ "ahead", 18001, 2, "a", "" }, NULL), 0);   /* the same */
    assert_int_equal(feed(&f, (struct seen){ "right", 30, 30, "a", "" }, NULL), 0);     /* three: not fewer */
    assert_int_equal(feed(&f, (struct seen){ "right", 130, 130, NULL, "" }, &m), 1);
    assert_true(str_eq(m.group, STR("b")) && m.window_end && m.count == 1);
    end(&f);
}

static void late_events_are_counted(void **state)
{
    struct fixture f;

    (void)state;
    begin(&f, RULES("event_count", "  condition: {gte: 9}\n"));
    (void)feed(&f, (struct seen){ "one", 100, 100, "a", "" }, NULL);
    (void)feed(&f, (struct seen){ "one", 40, 101, "a", "" }, NULL);    /* in time */
    (void)feed(&f, (struct seen){ "two", 0, 102, "a", "" }, NULL);     /* its own clock is slow */
    assert_int_equal(sigma_run_counters(f.run)->late, 0);
    (void)feed(&f, (struct seen){ "one", 39, 103, "a", "" }, NULL);
    assert_int_equal(sigma_run_counters(f.run)->late, 1);
    end(&f);
}

/* An agent was offline: two hours of events come at once, then the rest. Windows lie where the events lie. */
static void what_was_kept_offline_is_counted_where_it_happened(void **state)
{
    struct fixture f;

    (void)state;
    begin(&f, RULES("event_count", "  group-by: g\n  condition: {gte: 3}\n"));
    for (int k = 0; k < 50; k++)
        assert_int_equal(feed(&f, (struct seen){ "agent", k * 40, 7200 + k / 10, "a", "" }, NULL), 0);
    assert_int_equal(feed(&f, (struct seen){ "agent", 49 * 40 + 10, 9000, "a", "" }, NULL), 1);   /* the rest, half an hour later */
    end(&f);
}

/* --- what a finding tells --- */

static void a_sum_and_an_average_are_told(void **state)
{
    struct sigma_match m = { .value = 0 };
    struct fixture f;

    (void)state;
    begin(&f, RULES("value_sum", "  condition: {field: v, gte: 100}\n"));
    assert_int_equal(feed(&f, (struct seen){ "s", 0, 0, "a", "60" }, NULL), 0);
    assert_int_equal(feed(&f, (struct seen){ "s", 1, 1, "a", "40.5" }, &m), 1);
    assert_true(m.value == 100.5);
    end(&f);
    begin(&f, RULES("value_avg", "  condition: {field: v, lt: 100}\n"));
    assert_int_equal(feed(&f, (struct seen){ "s", 0, 0, "a", "3" }, NULL), 0);
    assert_int_equal(feed(&f, (struct seen){ "s", 1, 1, "a", "4" }, NULL), 0);
    reload(&f);
    assert_int_equal(feed(&f, (struct seen){ "s", 200, 200, NULL, "" }, &m), 1);
    assert_true(m.value == 3.5);
    end(&f);
    begin(&f, RULES("event_count", "  condition: {gte: 1}\n"));
    assert_int_equal(feed(&f, (struct seen){ "s", 0, 0, "a", "3" }, &m), 1);
    assert_true(m.value != m.value);   /* a count has none */
    end(&f);
}

/* --- large windows --- */

/* Beyond SIGMA_EXACT_MAX events a 64th of the timespan is one: what is counted is right within a 64th of the window. */
static void many_events_are_counted_within_a_sixty_fourth(void **state)
{
    struct fixture f;
    int fired = 0, n;

    (void)state;
    begin(&f, RULES("event_count", "  condition: {gte: 20000}\n"));
    for (n = 0; n < 21000 && !fired; n++) {
        fired = feed(&f, (struct seen){ "s", n / 400.0, n / 400.0, "a", "" }, NULL);   /* 24,000 a minute */
        if (n % 7919 == 0)
            reload(&f);
    }
    assert_int_equal(n, 20000);
    (void)fired;
    end(&f);
    begin(&f, RULES("event_count", "  condition: {gte: 25000}\n"));
    for (n = 0; n < 60000; n++)
        assert_int_equal(feed(&f, (struct seen){ "s", n / 400.0, n / 400.0, "a", "" }, NULL), 0);
    assert_true(sigma_run_counters(f.run)->bytes < 512 * KIB);
    end(&f);
}

static void many_values_are_counted_exactly(void **state)
{
    struct fixture f;
    int fired = 0, n;

    (void)state;
    begin(&f, RULES("value_count", "  condition: {field: v, gte: 20000}\n"));
    for (n = 0; n < 40000 && !fired; n++) {
        char v[16];

        snprintf(v, sizeof v, "%d", n / 2);
        fired = feed(&f, (struct seen){ "s", n / 1000.0, n / 1000.0, "a", v }, NULL);
        if (n % 9973 == 0)
            reload(&f);
    }
    assert_int_equal(n, 2 * 20000 - 1);
    end(&f);
}

/* --- bounds --- */

static void memory_is_bounded_and_what_went_is_counted(void **state)
{
    struct sigma_load load;
    struct fixture f;

    (void)state;
    begin(&f, RULES("event_count", "  group-by: g\n  condition: {gte: 3}\n"));
    for (int i = 0; i < SIGMA_GROUPS_MAX + 100; i++) {
        char g[16];

        snprintf(g, sizeof g, "g%d", i);
        assert_int_equal(feed(&f, (struct seen){ "s", 0, 0, g, "" }, NULL), 0);
    }
    assert_int_equal(sigma_run_counters(f.run)->groups, SIGMA_GROUPS_MAX);
    assert_int_equal(sigma_run_counters(f.run)->evicted, 100);
    reload(&f);
    assert_true(sigma_run_load_at(f.run, 0, &load) && load.evicted == 100 && load.groups == SIGMA_GROUPS_MAX);
    assert_true(str_eq(load.rule->id, STR("corr")) && load.bytes > 0 && load.bytes <= SIGMA_STATE_BYTES_MAX);
    assert_false(sigma_run_load_at(f.run, 1, &load));
    end(&f);
}

static void groups_of_which_nothing_can_come_are_forgotten_uncounted(void **state)
{
    struct fixture f;

    (void)state;
    begin(&f, RULES("event_count", "  group-by: g\n  condition: {gte: 3}\n"));
    for (int i = 0; i < 1000; i++) {
        char g[16];

        snprintf(g, sizeof g, "g%d", i);
        assert_int_equal(feed(&f, (struct seen){ "s", 10 * i, 10 * i, g, "" }, NULL), 0);
    }
    assert_in_range(sigma_run_counters(f.run)->groups, 300, 400);   /* an hour and a minute of them */
    assert_int_equal(sigma_run_counters(f.run)->evicted, 0);
    end(&f);
}

/* --- the saved state --- */

/* sum - of all bytes: the same groups in another order have the same. */
static uint64_t sum(const struct buf *b)
{
    uint64_t n = 0;

    for (size_t i = 0; i < b->n; i++)
        n += (unsigned char)b->p[i];
    return n;
}

/* Groups change, come and go while the state is put together slice by slice: what is saved is the moment of the beginning. */
static void a_state_saved_in_slices_is_of_one_moment(void **state)
{
    static const char *const types[] = {
        RULES("event_count", "  group-by: g\n  condition: {gte: 9}\n"), RULES("value_count", "  group-by: g\n  condition: {field: v, gte: 99}\n"),
        RULES("value_avg", "  group-by: g\n  condition: {field: v, gt: 9}\n"), RULES("event_count", "  group-by: g\n  condition: {lt: 3}\n"),
        RULES("saqshy_absence", "  group-by: g\n"),
    };

    (void)state;
    for (size_t t = 0; t < COUNT(types); t++) {
        AUTO_BUF struct buf whole, sliced;
        uint32_t random = 1;
        struct fixture f;
        int slices = 0;
        struct err e;

        buf_init(&whole, 0);
        buf_init(&sliced, 0);
        begin(&f, types[t]);
        for (int i = 0; i < 9000; i++) {
            char g[40], v[8];
            double now = i < 1000 ? i / 100.0 : i < 6000 ? 8000 + i / 200.0 : i * 10.0;   /* twice they end, or are forgotten: then places are free */
            unsigned keys = i < 1000 ? 700 : i < 5000 ? 100 : 3000;

            random = random * 1664525 + 1013904223;
            snprintf(g, sizeof g, "%s%u", random >> 9 & 1 ? "a-key-of-more-than-fifteen-bytes-" : "g", (random >> 16) % keys);
            snprintf(v, sizeof v, "%u", random >> 28);
            assert_true(feed(&f, (struct seen){ random >> 10 & 1 ? "s" : "t", now, now, g, v }, NULL) >= 0);
            if (i == 5000) {
                sigma_run_save(f.run, &whole);
                assert_true(sigma_run_save_begin(f.run, &sliced));
            }
            if (i >= 5000 && i % 10 == 0)
                slices += !sigma_run_save_some(f.run, &sliced, 40);
        }
        while (!sigma_run_save_some(f.run, &sliced, 40))
            slices++;
        CHECK(types[t], slices > 100);
        CHECK(types[t], sliced.n == whole.n && sum(&sliced) == sum(&whole));
        CHECK(types[t], sigma_run_load(f.run, buf_view(&sliced), &e) == 0);
        end(&f);
    }
}

/* A saved state cut after every byte, and with every byte changed, is refused or taken, never more. */
static void a_damaged_state_does_no_harm(void **state)
{
    static const char *const types[] = {
        RULES("value_count", "  group-by: g\n  condition: {field: v, gte: 9}\n"), RULES("value_avg", "  group-by: g\n  condition: {field: v, gt: 9}\n"),
        RULES("value_percentile", "  group-by: g\n  condition: {field: v, percentile: 90, lt: 9}\n"), RULES("saqshy_absence", "  group-by: g\n"),
    };

    (void)state;
    for (size_t t = 0; t < COUNT(types); t++) {
        AUTO_BUF struct buf saved;
        struct fixture f;
        struct err e;

        buf_init(&saved, 0);
        begin(&f, types[t]);
        for (int i = 0; i < 20; i++)
            assert_int_equal(feed(&f, (struct seen){ i % 2 ? "s" : "t", i, i, i % 3 ? "a" : "b", "1" }, NULL), 0);
        sigma_run_save(f.run, &saved);
        for (size_t i = 0; i < saved.n; i++) {
            char *copy = malloc(i ? i : 1);

            memcpy(copy, saved.p, i);
            assert_int_equal(sigma_run_load(f.run, str_of(copy, i), &e), -EBADMSG);
            free(copy);
            saved.p[i] = (char)(saved.p[i] ^ 0xFF);
            assert_true(sigma_run_load(f.run, buf_view(&saved), &e) <= 0);
            (void)feed(&f, (struct seen){ "s", 30, 30, "a", "2" }, NULL);
            saved.p[i] = (char)(saved.p[i] ^ 0xFF);
        }
        end(&f);
    }
}

static void put_moment(struct buf *b, double seconds)
{
    int64_t t = START + (time_ns)(seconds * 1e9);

    buf_varint(b, (uint64_t)t << 1 ^ (uint64_t)(t >> 63));
}

/* A state as version 1 wrote it: one group of two values. */
static void a_state_of_version_1_goes_on(void **state)
{
    AUTO_BUF struct buf old;
    struct fixture f;
    struct err e;

    (void)state;
    buf_init(&old, 0);
    begin(&f, RULES("value_count", "  group-by: g\n  condition: {field: v, gte: 3}\n"));
    buf_str(&old, STR("SQCS\x01\x01"));
    buf_varstr(&old, STR("corr"));
    buf_le64(&old, f.s->correlations[0]->definition);
    put_moment(&old, 20);
    buf_byte(&old, 1);
    buf_varstr(&old, STR("a"));
    buf_str(&old, STR("\x02\x01\x02"));             /* total, first and last seq */
    put_moment(&old, 10);
    put_moment(&old, 20);
    buf_varint(&old, UINT64_MAX);                   /* quiet until: never */
    buf_byte(&old, 2);
    for (int i = 1; i <= 2; i++) {
        put_moment(&old, 10 * i);
        buf_le64(&old, str_hash(i == 1 ? STR("1") : STR("2")));
    }
    assert_int_equal(sigma_run_load(f.run, buf_view(&old), &e), 0);
    f.seq = 2;
    assert_int_equal(feed(&f, (struct seen){ "s", 30, 30, "a", "2" }, NULL), 0);
    assert_int_equal(feed(&f, (struct seen){ "s", 31, 31, "a", "3" }, NULL), 1);
    end(&f);
}

/* A state as version 2 wrote it: two groups, the one untouched for longest first, the other quiet. */
static void a_state_of_version_2_goes_on(void **state)
{
    static const struct { const char *key; double first, last, fired; int items; } groups[] = { { "a", 10, 20, -1, 2 }, { "b", 5, 30, 25, 0 } };
    struct sigma_match m = { .count = 0 };
    AUTO_BUF struct buf old;
    struct fixture f;
    struct err e;

    (void)state;
    buf_init(&old, 0);
    begin(&f, RULES("value_sum", "  group-by: g\n  condition: {field: v, gte: 9}\n"));
    buf_str(&old, STR("SQCS\x02"));
    put_moment(&old, 30);
    buf_byte(&old, 2);
    buf_le64(&old, 0);                              /* no source of its own: never heard */
    buf_varint(&old, UINT64_MAX);
    buf_varint(&old, UINT64_MAX);
    buf_le64(&old, str_hash(STR("s")));
    put_moment(&old, 30);
    put_moment(&old, 30);
    buf_byte(&old, 1);
    buf_varstr(&old, STR("corr"));
    buf_le64(&old, f.s->correlations[0]->definition);
    buf_str(&old, STR("\x07\x02"));                 /* evicted, groups */
    for (size_t i = 0; i < COUNT(groups); i++) {
        double sum = groups[i].items ? 3 : 0, value;
        uint64_t bits;

        buf_varstr(&old, str_c(groups[i].key));
        buf_str(&old, STR("\x02\x01\x02"));         /* total, first and last seq */
        put_moment(&old, groups[i].first);
        put_moment(&old, groups[i].last);
        if (groups[i].fired < 0)
            buf_varint(&old, UINT64_MAX);
        else
            put_moment(&old, groups[i].fired);
        put_moment(&old, groups[i].last);
        buf_byte(&old, 1);
        buf_varint(&old, (uint64_t)groups[i].items);
        memcpy(&bits, &sum, sizeof bits);
        buf_le64(&old, bits);
        buf_varint(&old, (uint64_t)groups[i].items);
        for (int k = 1; k <= groups[i].items; k++) {
            put_moment(&old, 10 * k);
            value = k;
            memcpy(&bits, &value, sizeof bits);
            buf_le64(&old, bits);
            buf_str(&old, STR("\x01\x01"));          /* one event, of "s" */
        }
    }
    assert_int_equal(sigma_run_load(f.run, buf_view(&old), &e), 0);
    assert_int_equal(sigma_run_counters(f.run)->groups, 2);
    f.seq = 2;
    assert_int_equal(feed(&f, (struct seen){ "s", 31, 31, "b", "10" }, NULL), 0);    /* quiet until 85 */
    assert_int_equal(feed(&f, (struct seen){ "s", 32, 32, "a", "5.5" }, NULL), 0);   /* 1 + 2 + 5.5 */
    reload(&f);
    assert_int_equal(feed(&f, (struct seen){ "s", 33, 33, "a", "0.5" }, &m), 1);
    assert_true(m.value == 9 && m.count == 4 && m.first_seq == 1);
    end(&f);
}

/* What was learned under version 1 must find its rule again: this number is what version 1 computed for it. */
static void definitions_are_those_of_version_1(void **state)
{
    AUTO_BUF struct buf b;
    struct fixture f;

    (void)state;
    buf_init(&b, 0);
    begin(&f, RULES("event_count", "  group-by: g\n  condition: {gt: 4}\n"));
    buf_str(&b, STR("0 60000000000 0 5 18446744073709551615 0 0 0"));
    buf_varstr(&b, STR("base"));
    buf_varstr(&b, STR("g"));
    assert_int_equal(f.s->correlations[0]->definition, str_hash(buf_view(&b)));
    end(&f);
}

static void a_state_of_a_later_version_is_refused(void **state)
{
    struct fixture f;
    struct err e;

    (void)state;
    begin(&f, RULES("event_count", "  condition: {gt: 4}\n"));
    assert_int_equal(sigma_run_load(f.run, STR("SQCS\x04\x00\x00\x00"), &e), -EBADMSG);
    assert_non_null(strstr(e.text, "version 1, 2 or 3"));
    end(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_clock_that_is_ahead_hides_nothing),
        cmocka_unit_test(a_clock_that_is_behind_is_not_forgotten),
        cmocka_unit_test(no_source_ends_the_window_of_another),
        cmocka_unit_test(late_events_are_counted),
        cmocka_unit_test(what_was_kept_offline_is_counted_where_it_happened),
        cmocka_unit_test(a_sum_and_an_average_are_told),
        cmocka_unit_test(many_events_are_counted_within_a_sixty_fourth),
        cmocka_unit_test(many_values_are_counted_exactly),
        cmocka_unit_test(memory_is_bounded_and_what_went_is_counted),
        cmocka_unit_test(groups_of_which_nothing_can_come_are_forgotten_uncounted),
        cmocka_unit_test(a_damaged_state_does_no_harm),
        cmocka_unit_test(a_state_saved_in_slices_is_of_one_moment),
        cmocka_unit_test(a_state_of_version_1_goes_on),
        cmocka_unit_test(a_state_of_version_2_goes_on),
        cmocka_unit_test(definitions_are_those_of_version_1),
        cmocka_unit_test(a_state_of_a_later_version_is_refused),
    };

    return cmocka_run_group_tests_name("sigma windows", tests, NULL, NULL);
}
