/* test_groups.c - the memory of one correlation: items packed and whole, who is oldest, what a group takes. */
#include "sigma/items.h"
#include "base/test.h"

#include <math.h>

#define BASE "title: b\nid: b\nlogsource: {}\ndetection: {s: {g: '*'}, condition: s}\n---\n" \
             "title: d\nid: d\nlogsource: {}\ndetection: {s: {g: nothing}, condition: s}\n---\n"
#define KIND(text) BASE "title: c\nid: c\ncorrelation: {group-by: g, " text "}\n"
#define START (1000000 * NS_PER_SECOND)

struct fixture {
    struct sigma *s;
    struct groups *g;
    uint64_t bytes, random;
};

static void begin(struct fixture *f, const char *rules)
{
    struct sigma_source src = { STR("c.yml"), str_c(rules) };
    struct err e;

    *f = (struct fixture){ .random = 1 };
    assert_int_equal(sigma_compile(&src, 1, &f->s, &e), 0);
    if (sigma_refusal_count(f->s))
        fail_msg("%.*s", STR_ARG(sigma_refusal_at(f->s, 0)->reason));
    f->g = groups_new(f->s->correlations[0], &f->bytes);
    assert_non_null(f->g);
}

/* end - what was accounted has gone with the groups. */
static void end(struct fixture *f)
{
    for (uint32_t i; (i = groups_oldest(f->g, INT64_MAX, START)) != NIL;)
        groups_remove(f->g, i);
    assert_int_equal(f->bytes, 0);
    assert_int_equal(f->g->count, 0);
    groups_free(&f->g);
    sigma_free(&f->s);
}

static uint32_t less(struct fixture *f, uint32_t n)
{
    f->random = f->random * UINT64_C(6364136223846793005) + 1442695040888963407;
    return (uint32_t)((f->random >> 32) * n >> 32);
}

static uint32_t add(struct fixture *f, struct str key, time_ns now)
{
    struct siphash hash;
    uint32_t i;

    assert_int_equal(groups_find(f->g, key, &hash), NIL);
    i = groups_add(f->g, key, hash);
    assert_true(i != NIL);
    groups_touch(f->g, group_at(f->g, i), now);
    return i;
}

static struct str name(char z[16], uint32_t n) { return str_of(z, (size_t)snprintf(z, 16, "g%u", n)); }

/* --- items --- */

/* A moment of any kind: in the tick or not, near or far, ahead of the edge too. */
static time_ns any_moment(struct fixture *f, time_ns edge)
{
    switch (less(f, 40)) {
    case 0: return edge - less(f, 1000000000);                       /* not in a tick */
    case 1: return edge - (time_ns)less(f, 1000000) * NS_PER_SECOND; /* days ago */
    case 2: return edge - TIMESPAN_MAX;
    case 3: return edge + NS_PER_HOUR;
    default: return (edge / NS_PER_MS - less(f, 600000)) * NS_PER_MS;
    }
}

static struct item any_item(struct fixture *f, time_ns edge)
{
    struct item it = { .t = any_moment(f, edge), .n = less(f, 60) ? 1 : 2 + less(f, 9), .source = less(f, 30) ? 7 : less(f, SIGMA_SOURCES_MAX) };

    if (f->g->lay.flag_bits) {
        it.rank.low = less(f, 2) * it.n;
        it.rank.high = less(f, 2) * it.n;
    } else if (f->g->lay.narrow == 4) {
        it.sum = less(f, 20) ? less(f, 1000) : less(f, 1000) / 7.0;
    } else if (f->g->lay.payload) {
        it.v = (uint64_t)less(f, UINT32_MAX) << 32 | less(f, UINT32_MAX);
    }
    return it;
}

/* same - bit by bit, whatever the kind keeps. */
static bool same(const struct item *a, const struct item *b) { return a->t == b->t && a->v == b->v && a->n == b->n && a->source == b->source; }

static void compare(const struct fixture *f, const struct group *gr, const struct item *want, uint32_t n)
{
    struct row r = group_row(f->g, gr);
    uint64_t events = 0;

    assert_int_equal(r.n, n);
    for (uint32_t i = 0; i < n; i++) {
        struct item got = row_at(&r, i);

        assert_true(same(&got, &want[i]) && row_time(&r, i) == want[i].t && row_source(&r, i) == want[i].source);
        events += want[i].n;
    }
    assert_int_equal(group_events(f->g, gr), events);
}

/* Packed items against a plain array: what comes and goes, and an edge that moves. */
static void items_are_what_they_were(void **state)
{
    static const char *const kinds[] = {
        KIND("rules: b, type: event_count, timespan: 10m, condition: {gte: 5}"), KIND("rules: b, type: event_count, timespan: 30d, condition: {gte: 90}"),
        KIND("rules: b, type: value_sum, timespan: 10m, condition: {field: v, gte: 5}"),
        KIND("rules: b, type: value_percentile, timespan: 10m, condition: {field: v, percentile: 95, gte: 5}"),
        KIND("rules: b, type: value_count, timespan: 1y, condition: {field: v, gte: 90}"),
        KIND("rules: b, type: value_count, timespan: 10m, condition: {field: v, lt: 3}"),
    };
    static struct item want[512];

    (void)state;
    for (size_t k = 0; k < COUNT(kinds); k++) {
        uint32_t n = 0, forms = 0, i;
        struct fixture f;
        struct group *gr;
        struct row r;

        begin(&f, kinds[k]);
        i = add(&f, STR("a"), START);
        gr = group_at(f.g, i);
        gr->edge = START;
        for (int round = 0; round < 20000; round++) {
            r = group_row(f.g, gr);
            forms |= 1u << gr->form;
            if (n < COUNT(want) && less(&f, 100) < (round / 1000 % 2 ? 40 : 55)) {
                struct item it = any_item(&f, gr->edge);
                uint32_t at = n;

                while (at && want[at - 1].t > it.t)
                    at--;
                assert_true(group_item(f.g, gr, &r, at, &it));
                memmove(want + at + 1, want + at, (n - at) * sizeof *want);
                want[at] = it;
                n++;
            } else if (less(&f, 3)) {
                uint32_t from = less(&f, 2) ? 0 : less(&f, n + 1), drop = less(&f, n - from + 1);

                drop = less(&f, 10) ? min_size(drop, 2) & UINT32_MAX : drop;
                group_drop_items(f.g, gr, from, drop);
                memmove(want + from, want + from + drop, (n - from - drop) * sizeof *want);
                n -= drop;
            } else if (!f.g->lay.ends) {
                time_ns edge = gr->edge + (less(&f, 20) ? (time_ns)less(&f, 60000) * NS_PER_MS : (time_ns)less(&f, 100000) * NS_PER_SECOND);

                assert_true(group_move(f.g, gr, &r, n && want[n - 1].t > edge ? want[n - 1].t : edge));
            }
            compare(&f, gr, want, n);
        }
        assert_int_equal(forms, 1u << FORM_NARROW | 1u << FORM_WORD | 1u << FORM_WIDE);
        end(&f);
    }
}

static void gather(void *arg, const struct item *it)
{
    struct item **to = arg;

    *(*to)++ = *it;
}

/* Values, few and many, against a plain array. */
static void values_are_what_they_were(void **state)
{
    static struct item want[64], got[64];
    uint32_t n = 0, sets = 0;
    struct fixture f;
    struct group *gr;

    (void)state;
    begin(&f, KIND("rules: b, type: value_count, timespan: 10m, condition: {field: v, gte: 30}"));
    gr = group_at(f.g, add(&f, STR("a"), START));
    gr->edge = START + NS_PER_DAY;
    for (int round = 0; round < 20000; round++) {
        uint32_t values = round / 2000 % 2 ? 12 : 60, at = 0;
        struct item it = { .t = START + (time_ns)less(&f, 100) * NS_PER_SECOND, .v = less(&f, values) * UINT64_C(0x9E3779B97F4A7C15), .n = 1 }, *to = got;
        struct values_ends ends;
        bool known;

        if (n && less(&f, 3) == 0) {
            values_drop_oldest(f.g, gr);
            memmove(want, want + 1, --n * sizeof *want);
        } else {
            while (at < n && want[at].v != it.v)
                at++;
            assert_true(values_note(f.g, gr, &it, &known));
            assert_int_equal(known, at < n);
            if (at == n || want[at].t < it.t) {
                memmove(want + at, want + at + 1, at < n ? (n - at - 1) * sizeof *want : 0);
                n -= at < n;
                for (at = n; at && want[at - 1].t > it.t;)
                    at--;
                memmove(want + at + 1, want + at, (n - at) * sizeof *want);
                want[at] = it;
                n++;
            }
        }
        values_each(f.g, gr, gather, &to);
        assert_int_equal(to - got, n);
        for (uint32_t i = 0; i < n; i++)
            assert_true(same(&got[i], &want[i]));
        ends = values_ends(f.g, gr);
        assert_true(ends.count == n && (!n || (ends.oldest == want[0].t && ends.newest == want[n - 1].t)));
        sets += gr->form == FORM_SET;
        if (less(&f, 500) == 0) {
            groups_empty(f.g, gr);
            n = 0;
        }
    }
    assert_in_range(sets, 1, 19999);
    end(&f);
}

/* --- who is oldest --- */

/* Against a plain list of touches: whoever is asked for is the one untouched for longest, also when the numbers of touches run out. */
static void the_oldest_is_the_one_untouched_for_longest(void **state)
{
    enum { KEYS = 300 };
    static uint32_t number[KEYS];
    static uint64_t touched[KEYS];   /* 0: not there */
    uint64_t touch = 0;
    struct fixture f;
    char z[16];

    (void)state;
    begin(&f, KIND("rules: b, type: event_count, timespan: 10m, condition: {gte: 5}"));
    for (int round = 0; round < 100000; round++) {
        time_ns now = START + round * NS_PER_MS;
        uint32_t k = less(&f, KEYS), oldest;

        if (round % 20000 == 10000)
            f.g->stamp = UINT32_MAX - 100;
        if (less(&f, 4)) {
            if (touched[k])
                groups_touch(f.g, group_at(f.g, number[k]), now);
            else
                number[k] = add(&f, name(z, k), now);
            touched[k] = ++touch;
            continue;
        }
        oldest = groups_oldest(f.g, INT64_MAX, now);
        k = KEYS;
        for (uint32_t i = 0; i < KEYS; i++)
            if (touched[i] && (k == KEYS || touched[i] < touched[k]))
                k = i;
        assert_int_equal(oldest, k == KEYS ? NIL : number[k]);
        if (oldest != NIL && less(&f, 2)) {
            groups_remove(f.g, oldest);
            touched[k] = 0;
        }
    }
    assert_in_range(f.g->stamp, 1, 100000);   /* they were numbered anew */
    end(&f);
}

static void none_is_older_than_it_is(void **state)
{
    struct fixture f;
    time_ns now = START;
    uint32_t a, b;

    (void)state;
    begin(&f, KIND("rules: b, type: saqshy_absence, timespan: 10m"));
    assert_int_equal(groups_oldest(f.g, now, now), NIL);
    a = add(&f, STR("a"), now);
    b = add(&f, STR("b"), now + 5);
    assert_int_equal(groups_oldest(f.g, now, now + 9), NIL);
    assert_int_equal(groups_oldest(f.g, now + 1, now + 9), a);
    groups_touch(f.g, group_at(f.g, a), now + 9);
    assert_int_equal(groups_oldest(f.g, now + 5, now + 9), NIL);
    assert_int_equal(groups_oldest(f.g, now + 6, now + 9), b);
    end(&f);
}

/* --- keys --- */

/* Ten thousand keys, short and long, come and go: each is found while it is there, by its own text. */
static void every_key_is_found(void **state)
{
    enum { KEYS = 10000 };
    static uint32_t number[KEYS];
    struct siphash hash;
    struct fixture f;
    char z[64];

    (void)state;
    begin(&f, KIND("rules: b, type: event_count, timespan: 10m, condition: {gte: 5}"));
    memset(number, 0xFF, sizeof number);
    for (int round = 0; round < 60000; round++) {
        uint32_t k = less(&f, KEYS);
        struct str key = str_of(z, (size_t)snprintf(z, sizeof z, k % 3 ? "%u" : "a-long-name-of-a-host.example.kz|%u", k));
        uint32_t i = groups_find(f.g, key, &hash);

        assert_int_equal(i, number[k]);
        if (i == NIL) {
            number[k] = add(&f, key, START);
            continue;
        }
        assert_true(str_eq(cold_key(group_cold(f.g, group_at(f.g, i))), key));
        groups_remove(f.g, i);
        number[k] = NIL;
    }
    end(&f);
}

/* --- what a group takes --- */

/* With a key of an address of version 4, and all that is accounted: at most 128 bytes where the kind need not know each value. */
static void a_group_takes_little(void **state)
{
    static const struct { const char *name, *rules; uint64_t most; } rows[] = {
        { "event_count", KIND("rules: b, type: event_count, timespan: 10m, condition: {gte: 10}"), 128 },
        { "event_count of thousands", KIND("rules: b, type: event_count, timespan: 10m, condition: {gte: 5000}"), 128 },
        { "event_count, judged at the end", KIND("rules: b, type: event_count, timespan: 10m, condition: {lt: 10}"), 128 },
        { "value_sum, judged at the end", KIND("rules: b, type: value_sum, timespan: 10m, condition: {field: v, lt: 10}"), 128 },
        { "absence", KIND("rules: b, type: saqshy_absence, timespan: 10m"), 128 },
        { "temporal", KIND("rules: [b, d], type: temporal, timespan: 10m"), 128 },
        { "temporal_ordered", KIND("rules: [b, d], type: temporal_ordered, timespan: 10m"), 128 },
        { "value_count of four", KIND("rules: b, type: value_count, timespan: 10m, condition: {field: v, gte: 4}"), 144 },
        { "value_sum", KIND("rules: b, type: value_sum, timespan: 10m, condition: {field: v, gte: 10}"), 176 },
        { "value_percentile", KIND("rules: b, type: value_percentile, timespan: 10m, condition: {field: v, percentile: 95, gte: 10}"), 144 },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct fixture f;

        begin(&f, rows[i].rules);
        add(&f, STR("192.168.100.200"), START);
        CHECK(rows[i].name, f.bytes <= rows[i].most);
        end(&f);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(items_are_what_they_were),
        cmocka_unit_test(values_are_what_they_were),
        cmocka_unit_test(the_oldest_is_the_one_untouched_for_longest),
        cmocka_unit_test(none_is_older_than_it_is),
        cmocka_unit_test(every_key_is_found),
        cmocka_unit_test(a_group_takes_little),
    };

    return cmocka_run_group_tests_name("sigma groups", tests, NULL, NULL);
}
