/* test_pipes.c - what pipes make of events: tables against the rows expected, figures against ones counted by hand, merged runs against one, refusals, limits. */
#include "pipes/internal.h"
#include "base/catalog.h"
#include "base/test.h"

#include <math.h>

/* Saturday, 28 November 2026, 00:00 in Astana. */
#define DAY (INT64_C(1795806000) * NS_PER_SECOND)

static void add(struct event_batch *b, int minute, const char *user, const char *ip, const char *bytes)
{
    struct event *ev = event_batch_add(b);

    ev->original = STR("a line");
    ev->time = DAY + minute * NS_PER_MINUTE;
    ev->class = CLASS_OS_UNIX;
    if (user)
        assert_int_equal(event_add(ev, &b->arena, STR("user.name"), str_c(user)), 0);
    if (ip)
        assert_int_equal(event_add(ev, &b->arena, STR("source.ip"), str_c(ip)), 0);
    if (bytes)
        assert_int_equal(event_add(ev, &b->arena, STR("bytes"), str_c(bytes)), 0);
}

static void fill(struct event_batch *b)
{
    event_batch_init(b, 0);
    add(b, 1, "root", "10.0.0.1", "100");
    add(b, 2, "root", "10.0.0.2", "9");
    add(b, 3, "guest", "10.0.0.1", "abc");
    add(b, 12, "root", "10.0.0.1", NULL);
    add(b, 13, NULL, "10.0.0.3", "2.5");
    add(b, 31, "Әлия", NULL, "-1");
    /* Two users in one event. */
    assert_int_equal(event_add(&b->items[5], &b->arena, STR("user.name"), STR("root")), 0);
}

struct table {
    struct buf text;
};

static int put_row(void *arg, const struct pipes_cell *cells, size_t count)
{
    struct table *t = arg;

    for (size_t i = 0; i < count; i++) {
        buf_str(&t->text, i ? STR(" ") : STR(""));
        if (cells[i].type == PIPES_NONE)
            buf_byte(&t->text, '-');
        pipes_cell_text(&cells[i], &t->text);
    }
    buf_byte(&t->text, '\n');
    return 0;
}

static int run_over(const char *text, const struct event_batch *b, struct buf *out, struct err *e)
{
    struct table t;
    struct pipes *p;
    struct pipes_run *r;
    int rc = pipes_parse(str_c(text), 0, DAY, &p, NULL, e);

    buf_init(&t.text, 0);
    if (rc < 0)
        return rc;
    assert_int_equal(pipes_run_new(p, 0, put_row, &t, &r, e), 0);
    for (size_t i = 0; i < b->count && rc == 0; i++)
        rc = pipes_push(r, &b->items[i], e);
    if (rc >= 0)
        rc = pipes_end(r, e);
    *out = t.text;
    pipes_run_free(&r);
    pipes_free(&p);
    return rc;
}

static const struct {
    const char *text, *want;
} rows[] = {
    { "stats count()", "7\n" },
    { "stats count() by user.name", "guest 1\nroot 4\nӘлия 1\n- 2\n" },
    { "stats count(bytes), sum(bytes), min(bytes), max(bytes), avg(bytes)", "5 110.5 -1 abc 27.625\n" },
    { "stats count() as n, uniq(source.ip) as ips by user.name | sort -n, user.name | head 2", "root 4 2\n- 2 1\n" },
    { "stats uniq(user.name), quantile(0.5, bytes), quantile(1, bytes), quantile(0, bytes)", "3 2.5 100 -1\n" },
    { "stats count() by bucket(10m)", "2026-11-28T00:00:00+05:00 3\n2026-11-28T00:10:00+05:00 2\n2026-11-28T00:30:00+05:00 1\n2026-11-29T00:00:00+05:00 1\n" },
    { "stats count() by bucket(1d), saqshy.class", "2026-11-28T00:00:00+05:00 os-unix 6\n2026-11-29T00:00:00+05:00 os-unix 1\n" },
    { "stats count() by bucket(1w)", "2026-11-23T00:00:00+05:00 7\n" },
    { "stats min(@timestamp) as first, max(time) as last", "2026-11-28T00:01:00+05:00 2026-11-29T00:00:00+05:00\n" },
    { "where time:<2026-11-29 | timechart 10m count()",
      "2026-11-28T00:00:00+05:00 3\n2026-11-28T00:10:00+05:00 2\n2026-11-28T00:20:00+05:00 0\n2026-11-28T00:30:00+05:00 1\n" },
    { "timechart 1d sum(bytes) as s by source.ip | where source.ip:*", "2026-11-28T00:00:00+05:00 10.0.0.1 100\n2026-11-28T00:00:00+05:00 10.0.0.2 9\n2026-11-28T00:00:00+05:00 10.0.0.3 2.5\n" },
    { "top 1 user.name", "root 4\n" }, { "top 9 user.name", "root 4\nguest 1\nӘлия 1\n" }, { "rare 1 source.ip", "10.0.0.2 1\n" },
    { "top 1 user.name by source.ip", "10.0.0.1 root 2\n10.0.0.2 root 1\n- root 1\n" },
    { "fields user.name, bytes | head 2", "root 100\nroot 9\n" }, { "fields user.name | tail 2", "Әлия, root\n-\n" },
    { "sort -bytes | fields bytes", "abc\n100\n9\n2.5\n-1\n-\n-\n" }, { "sort bytes | fields bytes | head 3", "-1\n2.5\n9\n" },
    { "sort -bytes | head 2 | fields bytes", "abc\n100\n" },
    { "dedup source.ip | fields source.ip", "10.0.0.1\n10.0.0.2\n10.0.0.3\n-\n" }, { "dedup user.name, source.ip | stats count()", "6\n" },
    { "where user.name:root AND bytes:>10 | fields bytes", "100\n" }, { "where user.name:(guest OR әлия) | stats count()", "2\n" }, { "where NOT bytes:* | stats count()", "2\n" },
    { "where line | stats count()", "7\n" }, { "where nothing | stats count()", "0\n" }, { "where nothing | stats count() by user.name", "" },
    { "stats count() as n by user.name | where n:>=2", "root 4\n- 2\n" }, { "stats count() by user.name | where guest OR count:4", "guest 1\nroot 4\n" },
    { "stats count() by user.name | stats max(count), count()", "4 4\n" }, { "stats sum(user.name)", "-\n" },
    { "sort bytes, user.name | fields user.name | tail 3", "guest\nroot\n-\n" },
    { "head 1", "2026-11-28T00:01:00+05:00 - a line\n" }, { "where bytes:100", "2026-11-28T00:01:00+05:00 - 100 a line\n" },
    { "stats count() as \"how many\" by \"user.name\" | sort \"how many\" | head 1", "guest 1\n" },
    { "stats count() by time | head 1", "2026-11-28T00:01:00+05:00 1\n" },
};

static void pipes_make_tables(void **state)
{
    struct event_batch b;

    (void)state;
    fill(&b);
    add(&b, 24 * 60, NULL, NULL, NULL);
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct buf out;
        struct err e = { 0 };
        int rc = run_over(rows[i].text, &b, &out, &e);

        if (rc < 0)
            fail_msg("row \"%s\": %s", rows[i].text, e.text);
        if (!str_eq(buf_view(&out), str_c(rows[i].want)))
            fail_msg("row \"%s\":\n%.*s", rows[i].text, STR_ARG(buf_view(&out)));
        buf_free(&out);
    }
    event_batch_free(&b);
}

static void wrong_pipes_name_the_letter(void **state)
{
    static const struct {
        const char *text, *code;
        int         letter;
    } wrong[] = {
        { "", "pipe_expected", 1 }, { "stat count()", "pipe_unknown", 1 }, { "head", "pipe_number", 5 }, { "head 0", "pipe_number", 6 }, { "head 5 6", "pipe_end", 8 },
        { "head 5 |", "pipe_expected", 9 }, { "sort", "pipe_field", 5 }, { "fields a,", "pipe_field", 10 }, { "stats", "pipe_no_function", 6 }, { "stats cnt()", "pipe_function", 7 },
        { "stats count", "pipe_open", 12 }, { "stats count(", "pipe_field", 13 }, { "stats sum(a", "pipe_close", 12 }, { "stats quantile(2, a)", "pipe_quantile", 16 },
        { "stats count() by bucket(5x)", "pipe_span", 25 }, { "stats count(), count()", "pipe_twice", 16 }, { "stats count() as", "pipe_name", 17 },
        { "stats count() by a | sort b", "pipe_no_column", 27 }, { "fields a | fields b", "pipe_no_column", 19 }, { "where (a", "open_paren", 7 }, { "where time:yesterdya", "no_time", 12 },
        { "timechart count()", "pipe_span", 11 }, { "top user.name", "pipe_number", 5 }, { "fields a, a", "pipe_twice", 1 }, { "stats count() by a, a", "pipe_twice", 1 },
        { "where a:/1/ a:/2/ a:/3/ a:/4/ a:/5/ | where a:/6/ a:/7/ a:/8/ a:/9/", "pipe_patterns", 39 },
        { "fields \"a", "pipe_field", 8 }, { "қ", "pipe_unknown", 1 },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(wrong); i++) {
        struct query_fault f = { .code = "none" };
        struct pipes *p;
        struct err e;

        CHECK(wrong[i].text, pipes_parse(str_c(wrong[i].text), 0, DAY, &p, &f, &e) == -EINVAL && !p);
        if (strcmp(f.code, wrong[i].code) != 0 || f.letter != wrong[i].letter)
            fail_msg("row \"%s\": %s at letter %d", wrong[i].text, f.code, f.letter);
    }
}

/* Places are those of the whole search, filter and all. */
static void a_refusal_counts_from_the_filter(void **state)
{
    struct query_fault f;
    struct pipes *p;

    (void)state;
    assert_int_equal(pipes_parse(STR("қаз | head x"), 8, DAY, &p, &f, NULL), -EINVAL);
    assert_int_equal(f.letter, 12);
    assert_int_equal(pipes_parse(STR("a | where b:"), 3, DAY, &p, &f, NULL), -EINVAL);
    assert_int_equal(f.letter, 13);
}

/* --- many events --- */

static uint64_t next(uint64_t *s)
{
    *s ^= *s << 13;
    *s ^= *s >> 7;
    *s ^= *s << 17;
    return *s;
}

static int take_numbers(void *arg, const struct pipes_cell *cells, size_t count)
{
    double *out = arg;

    for (size_t i = 0; i < count; i++)
        out[i] = cells[i].number;
    return 0;
}

static void great_counts_are_near_and_say_so(void **state)
{
    static const size_t many[] = { 100, 4000, 5000, 200000 };

    (void)state;
    for (size_t m = 0; m < COUNT(many); m++) {
        struct pipes *p;
        struct pipes_run *r;
        double got[3];
        size_t columns;

        assert_int_equal(pipes_parse(STR("stats uniq(x), quantile(0.5, x), quantile(0.99, x)"), 0, DAY, &p, NULL, NULL), 0);
        assert_int_equal(pipes_run_new(p, 0, take_numbers, got, &r, NULL), 0);
        for (size_t i = 0; i < many[m]; i++) {
            /* Every number once, in an order that is none: 7919 shares no divisor with them. */
            struct pipes_cell c = cell_of_number((double)(i * 7919 % many[m] + 1));

            assert_int_equal(pipes_push_cells(r, &c, 1, NULL), 0);
        }
        assert_int_equal(pipes_end(r, NULL), 0);
        const struct pipes_column *c = pipes_columns(r, &columns);
        assert_int_equal(columns, 3);
        assert_int_equal(c[0].approximate, many[m] > PIPES_UNIQ_EXACT);
        assert_int_equal(c[1].approximate, many[m] > PIPES_QUANTILE_EXACT);
        assert_true(fabs(got[0] - (double)many[m]) <= (c[0].approximate ? 0.0081 * 4 * (double)many[m] : 0));
        assert_true(fabs(got[1] - ceil(0.5 * (double)many[m])) <= (c[1].approximate ? 0.0101 * got[1] : 0));
        assert_true(fabs(got[2] - ceil(0.99 * (double)many[m])) <= (c[1].approximate ? 0.0101 * got[2] : 0));
        pipes_run_free(&r);
        pipes_free(&p);
    }
}

/* Events dealt out to several runs and merged say what one run says, bit for bit where sums are of whole numbers. */
static void merged_runs_say_the_same(void **state)
{
    static const char *const texts[] = {
        "stats count(), sum(bytes), avg(bytes), min(bytes), max(bytes), uniq(user), quantile(0.9, bytes) by ip", "top 5 user", "rare 3 ip by user", "sort -bytes, user | head 20",
        "where bytes:>500 | stats uniq(bytes), count()", "timechart 1h count()", "fields user, bytes | sort bytes", "stats uniq(user), quantile(0.5, bytes)",
    };
    struct event_batch b;
    uint64_t dice = 88172645463325252u;

    (void)state;
    event_batch_init(&b, 0);
    for (int i = 0; i < 20000; i++) {
        char text[32];
        struct event *ev = event_batch_add(&b);

        ev->time = DAY + (int64_t)(next(&dice) % 100000) * NS_PER_SECOND;
        snprintf(text, sizeof text, "u%llu", (unsigned long long)(next(&dice) % 9000));
        assert_int_equal(event_add(ev, &b.arena, STR("user"), arena_copy(&b.arena, str_c(text))), 0);
        snprintf(text, sizeof text, "10.0.0.%llu", (unsigned long long)(next(&dice) % 20));
        assert_int_equal(event_add(ev, &b.arena, STR("ip"), arena_copy(&b.arena, str_c(text))), 0);
        snprintf(text, sizeof text, "%llu", (unsigned long long)(next(&dice) % 1000));
        assert_int_equal(event_add(ev, &b.arena, STR("bytes"), arena_copy(&b.arena, str_c(text))), 0);
    }
    for (size_t i = 0; i < COUNT(texts); i++) {
        struct pipes_run *run[4];
        struct pipes *p;
        struct table t;
        struct buf one;

        assert_int_equal(run_over(texts[i], &b, &one, NULL), 0);
        buf_init(&t.text, 0);
        assert_int_equal(pipes_parse(str_c(texts[i]), 0, DAY, &p, NULL, NULL), 0);
        CHECK(texts[i], pipes_mergeable(p));
        for (int k = 0; k < 4; k++)
            assert_int_equal(pipes_run_new(p, 0, put_row, &t, &run[k], NULL), 0);
        for (size_t k = 0; k < b.count; k++)
            assert_int_equal(pipes_push(run[next(&dice) % 4], &b.items[k], NULL), 0);
        for (int k = 3; k > 0; k--)
            assert_int_equal(pipes_merge(run[0], run[k], NULL), 0);
        assert_int_equal(pipes_end(run[0], NULL), 0);
        CHECK(texts[i], str_eq(buf_view(&one), buf_view(&t.text)));
        for (int k = 0; k < 4; k++)
            pipes_run_free(&run[k]);
        pipes_free(&p);
        buf_free(&one);
        buf_free(&t.text);
    }
    struct pipes *p;
    assert_int_equal(pipes_parse(STR("head 5"), 0, DAY, &p, NULL, NULL), 0);
    assert_false(pipes_mergeable(p));
    pipes_free(&p);
    event_batch_free(&b);
}

/* A store that counts by itself says "so many events like this". */
static void alike_events_may_be_counted_at_once(void **state)
{
    struct pipes *p;
    struct pipes_run *r;
    struct table t;
    size_t fields;

    (void)state;
    buf_init(&t.text, 0);
    assert_int_equal(pipes_parse(STR("stats count(), sum(n), quantile(0.5, n) by u"), 0, DAY, &p, NULL, NULL), 0);
    assert_true(str_eq(pipes_fields(p, &fields)[0], STR("n")) && fields == 2);
    assert_int_equal(pipes_run_new(p, 0, put_row, &t, &r, NULL), 0);
    struct pipes_cell a[] = { cell_of_text(STR("5")), cell_of_text(STR("x")) }, b[] = { cell_of_text(STR("7")), cell_of_text(STR("x")) };
    assert_int_equal(pipes_push_cells(r, a, 1000000, NULL), 0);
    assert_int_equal(pipes_push_cells(r, b, 999999, NULL), 0);
    assert_int_equal(pipes_end(r, NULL), 0);
    assert_string_equal(t.text.n ? (buf_byte(&t.text, 0), t.text.p) : "", "x 1999999 11999993 5\n");
    buf_free(&t.text);
    pipes_run_free(&r);
    pipes_free(&p);
}

static void what_would_be_too_much_is_refused(void **state)
{
    static const char *const texts[] = { "stats count() by x", "sort x", "dedup x", "stats uniq(x) by x", "tail 1000000", "stats quantile(0.5, x) by x" };

    (void)state;
    for (size_t i = 0; i < COUNT(texts); i++) {
        struct pipes *p;
        struct pipes_run *r;
        struct table t;
        struct err e = { 0 };
        int rc = 0;

        buf_init(&t.text, 0);
        assert_int_equal(pipes_parse(str_c(texts[i]), 0, DAY, &p, NULL, NULL), 0);
        assert_int_equal(pipes_run_new(p, MIB, put_row, &t, &r, NULL), 0);
        for (int k = 0; k < 100000 && rc == 0; k++) {
            struct event ev = { .original = STR("a line"), .time = DAY };
            struct event_field field;
            char text[16];

            snprintf(text, sizeof text, "%d", k);
            field = (struct event_field){ STR("x"), str_c(text) };
            ev.fields = &field;
            ev.field_count = 1;
            rc = pipes_push(r, &ev, &e);
        }
        CHECK(texts[i], rc == -E2BIG && strstr(e.text, "would need more") != NULL);
        buf_free(&t.text);
        pipes_run_free(&r);
        pipes_free(&p);
    }
}

static void a_head_ends_the_search(void **state)
{
    struct event ev = { .original = STR("x"), .time = DAY };
    struct pipes *p;
    struct pipes_run *r;
    struct table t;

    (void)state;
    buf_init(&t.text, 0);
    assert_int_equal(pipes_parse(STR("where x | head 2"), 0, DAY, &p, NULL, NULL), 0);
    assert_int_equal(pipes_run_new(p, 0, put_row, &t, &r, NULL), 0);
    assert_int_equal(pipes_push(r, &ev, NULL), 0);
    assert_int_equal(pipes_push(r, &ev, NULL), 1);
    assert_int_equal(pipes_end(r, NULL), 0);
    buf_free(&t.text);
    pipes_run_free(&r);
    pipes_free(&p);
}

static void an_event_in_too_many_groups_is_refused(void **state)
{
    struct event_batch b;
    struct buf out;
    struct err e;

    (void)state;
    event_batch_init(&b, 0);
    struct event *ev = event_batch_add(&b);
    for (int i = 0; i < 100; i++) {
        assert_int_equal(event_add(ev, &b.arena, STR("a"), arena_printf(&b.arena, "%d", i)), 0);
        assert_int_equal(event_add(ev, &b.arena, STR("b"), arena_printf(&b.arena, "%d", i)), 0);
    }
    assert_int_equal(run_over("stats count() by a, b", &b, &out, &e), -E2BIG);
    assert_non_null(strstr(e.text, "more than 4096 groups"));
    buf_free(&out);
    event_batch_free(&b);
}

/* --- ends of numbers, of times, of patience --- */

/* refusal - what a run over events says when it is too much; NULL where it goes through. */
static const char *refusal(const char *text, const struct event_batch *b, time_ns deadline, int *rc)
{
    static char code[64];
    struct pipes *p;
    struct pipes_run *r;
    struct table t;
    struct err e;

    buf_init(&t.text, 0);
    assert_int_equal(pipes_parse(str_c(text), 0, DAY, &p, NULL, &e), 0);
    assert_int_equal(pipes_run_new(p, MIB, put_row, &t, &r, &e), 0);
    pipes_run_until(r, deadline);
    *rc = 0;
    for (size_t i = 0; i < b->count && *rc == 0; i++)
        *rc = pipes_push(r, &b->items[i], &e);
    *rc = *rc < 0 ? *rc : pipes_end(r, &e);
    snprintf(code, sizeof code, "%s", pipes_fault(r) ? pipes_fault(r)->code : "");
    buf_free(&t.text);
    pipes_run_free(&r);
    pipes_free(&p);
    return *code ? code : NULL;
}

/* Events come newest first, so each is the first until now: what it replaces is given back. */
static void a_least_value_holds_one_value(void **state)
{
    struct event_batch b;
    int rc;

    (void)state;
    event_batch_init(&b, 0);
    for (int i = 0; i < 50000; i++) {
        struct event *ev = event_batch_add(&b);

        ev->time = DAY - i * NS_PER_SECOND;
        assert_int_equal(event_add(ev, &b.arena, STR("n"), arena_printf(&b.arena, "%d", i)), 0);
    }
    assert_null(refusal("stats min(time), max(n)", &b, 0, &rc));
    assert_int_equal(rc, 0);
    event_batch_free(&b);
}

static void sums_leave_no_range(void **state)
{
    static const struct {
        const char *first, *second, *want;
    } sums[] = {
        { "1.7e308", "1.7e308", "1.7976931348623157e+308 1.7e+308\n" }, { "-1.7e308", "-1.7e308", "-1.7976931348623157e+308 -1.7e+308\n" },
        { "1.7e308", "-1.7e308", "0 0\n" }, { "9223372036854775807", "9223372036854775807", "18446744073709552000 9223372036854775808\n" },
        { "5e-324", "5e-324", "9.88131291682493e-324 4.94065645841247e-324\n" },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(sums); i++) {
        struct event_batch b;
        struct buf out;
        struct err e;

        event_batch_init(&b, 0);
        add(&b, 1, NULL, NULL, sums[i].first);
        add(&b, 2, NULL, NULL, sums[i].second);
        assert_int_equal(run_over("stats sum(bytes), avg(bytes)", &b, &out, &e), 0);
        struct str sum = buf_view(&out), first;
        double got, want;
        struct str expected = str_c(sums[i].want), one;
        for (int k = 0; k < 2; k++) {
            assert_true(str_split(&sum, k ? '\n' : ' ', &first) && str_split(&expected, k ? '\n' : ' ', &one));
            CHECK(sums[i].first, query_number(first, &got) && query_number(one, &want) && got == want);
        }
        buf_free(&out);
        event_batch_free(&b);
    }
}

static void times_at_the_ends_are_counted_and_not_drawn(void **state)
{
    static const time_ns ends[] = { INT64_MIN, INT64_MIN + 1, -NS_PER_DAY, 0, INT64_MAX - 1, INT64_MAX };
    struct event_batch b;
    struct buf out;
    struct err e;
    int rc;

    (void)state;
    event_batch_init(&b, 0);
    for (size_t i = 0; i < COUNT(ends); i++)
        event_batch_add(&b)->time = ends[i];
    assert_int_equal(run_over("stats count() by bucket(1w) | stats sum(count)", &b, &out, &e), 0);
    assert_true(str_eq(buf_view(&out), STR("6\n")));
    buf_free(&out);
    assert_string_equal(refusal("timechart 30s count()", &b, 0, &rc), "pipe_spans");
    assert_int_equal(rc, -E2BIG);
    assert_null(refusal("timechart 1w count()", &b, 0, &rc));
    assert_int_equal(rc, 0);
    event_batch_free(&b);
}

/* What pipes do when the events are through has the same time as they. */
static void patience_ends_behind_a_stats_too(void **state)
{
    struct event_batch b;
    int rc;

    (void)state;
    fill(&b);
    assert_null(refusal("stats count() by user.name | where user.name:/(o+)+t/", &b, 1, &rc));
    assert_int_equal(rc, -ETIMEDOUT);
    assert_null(refusal("stats count() by user.name | where user.name:/(o+)+t/", &b, INT64_MAX, &rc));
    assert_int_equal(rc, 0);
    event_batch_free(&b);
}

/* Rows that are equal in what they are sorted by are told apart by all values of a field, not by the first alone: else merged runs differ. */
static void values_behind_the_first_count_too(void **state)
{
    struct str one[] = { STR("2"), STR("3") }, two[] = { STR("2"), STR("4") };
    struct pipes_cell a = cell_of_text(one[0]), b = cell_of_text(two[0]), alone = cell_of_text(one[0]);

    (void)state;
    a.values = one;
    b.values = two;
    a.count = b.count = 2;
    assert_true(cell_compare(&a, &b) < 0 && cell_compare(&b, &a) > 0 && cell_compare(&a, &a) == 0);
    assert_true(cell_compare(&alone, &a) < 0);
}

/* Every refusal has its sentence in the three languages, with the same places to fill. */
static void refusals_are_said_in_three_languages(void **state)
{
    static const struct {
        const char *code, *text;
    } faults[] = {
#define FAULT(id, text) { #id, text },
#include "pipes/fault.def"
#undef FAULT
    };
    const char *source = getenv("SAQSHY_SOURCE");
    struct catalog *c;
    struct err e;
    char path[4096], key[96];

    (void)state;
    snprintf(path, sizeof path, "%s/content/i18n", source ? source : ".");
    if (catalog_load(path, &c, &e) < 0)
        fail_msg("%s", e.text);
    for (size_t i = 0; i < COUNT(faults); i++)
        for (int lang = 0; lang < LANG_COUNT; lang++) {
            snprintf(key, sizeof key, "error.query.%s", faults[i].code);
            struct str text = catalog_text(c, (enum lang)lang, key);

            CHECK(faults[i].code, !str_eq(text, str_c(key)));
            CHECK(faults[i].code, (str_find(text, STR("{word}")) >= 0) == (strstr(faults[i].text, "{word}") != NULL));
            CHECK(faults[i].code, (str_find(text, STR("{instead}")) >= 0) == (strstr(faults[i].text, "{instead}") != NULL));
        }
    catalog_free(&c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(refusals_are_said_in_three_languages),
        cmocka_unit_test(pipes_make_tables),
        cmocka_unit_test(wrong_pipes_name_the_letter),
        cmocka_unit_test(a_refusal_counts_from_the_filter),
        cmocka_unit_test(great_counts_are_near_and_say_so),
        cmocka_unit_test(merged_runs_say_the_same),
        cmocka_unit_test(alike_events_may_be_counted_at_once),
        cmocka_unit_test(what_would_be_too_much_is_refused),
        cmocka_unit_test(a_head_ends_the_search),
        cmocka_unit_test(a_least_value_holds_one_value),
        cmocka_unit_test(sums_leave_no_range),
        cmocka_unit_test(times_at_the_ends_are_counted_and_not_drawn),
        cmocka_unit_test(patience_ends_behind_a_stats_too),
        cmocka_unit_test(values_behind_the_first_count_too),
        cmocka_unit_test(an_event_in_too_many_groups_is_refused),
    };

    return cmocka_run_group_tests_name("pipes", tests, NULL, NULL);
}
