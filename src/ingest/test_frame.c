/* test_frame.c - RFC 6587 framing: tables of streams, each also cut after every byte. */
#include "ingest/internal.h"
#include "base/test.h"

struct got {
    char   text[2048];      /* messages, "|" after each, "~" before it if truncated */
    size_t n, count;
};

static void take(void *arg, struct str line, bool truncated)
{
    struct got *g = arg;

    assert_true(g->n + line.n + 3 < sizeof g->text);
    if (truncated)
        g->text[g->n++] = '~';
    memcpy(g->text + g->n, line.p, line.n);
    g->n += line.n;
    g->text[g->n++] = '|';
    g->count++;
}

static const struct {
    const char *name, *in;
    size_t      limit;      /* 0: the ordinary one */
    const char *want;       /* after the end of the stream */
} rows[] = {
    { "lines", "<1>a\n<2>b\n", 0, "<1>a|<2>b|" },
    { "a line without an end", "<1>a\n<2>b", 0, "<1>a|<2>b|" },
    { "carriage returns and NUL ends (RFC 6587 3.4.2)", "<1>a\r\n<2>b", 0, "<1>a|<2>b|" },
    { "empty lines are nothing", "\n\n\r\n<1>a\n\n", 0, "<1>a|" },
    { "counted", "4 <1>a4 <2>b", 0, "<1>a|<2>b|" },
    { "counted with a newline inside", "6 <1>a\nb4 <2>b", 0, "<1>a\nb|<2>b|" },
    { "counted with the newline counted", "5 <1>a\n5 <2>b\n", 0, "<1>a|<2>b|" },
    { "counted with a newline not counted", "4 <1>a\n4 <2>b\n", 0, "<1>a|<2>b|" },
    { "both in one stream", "4 <1>a<2>b\n4 <3>c", 0, "<1>a|<2>b|<3>c|" },
    { "a count that the stream does not keep", "40 <1>a", 0, "~<1>a|" },
    { "a line that begins with a number", "2026 was\n12 <1>abcdefghi", 0, "2026 was|<1>abcdefghi|" },
    { "a number alone", "2026\n", 0, "2026|" },
    { "a number and a blank alone", "2026 ", 0, "2026 |" },
    { "leading zeros are no count", "04 <1>a\n", 0, "04 <1>a|" },
    { "a count of ten digits is none", "1234567890 <1>a\n", 0, "1234567890 <1>a|" },
    { "a line in pieces", "<1>abcdefgh\n<2>b\n", 5, "~<1>ab|~cdefg|~h|<2>b|" },
    { "a line of just the limit", "<1>ab\n<2>b\n", 5, "<1>ab|<2>b|" },
    { "a counted message in pieces", "9 <1>abcdef4 <2>b", 5, "~<1>ab|~cdef|<2>b|" },
    { "a huge count", "999999999 <1>abcdef", 5, "~<1>ab|~cdef|" },
};

static void feed(const char *name, const char *in, size_t n, size_t step, size_t limit, const char *want)
{
    struct framer f;
    struct got g = { 0 };

    framer_init(&f);
    if (limit)
        f.limit_bytes = limit;
    for (size_t at = 0; at < n; at += step) {
        size_t part = min_size(step, n - at);
        char *copy = malloc(part);   /* just so many bytes: the sanitizer guards the end */

        memcpy(copy, in + at, part);
        framer_feed(&f, str_of(copy, part), take, &g);
        free(copy);
    }
    framer_end(&f, take, &g);
    assert_int_equal(f.state, FRAME_START);
    assert_int_equal(f.held.n, 0);
    g.text[g.n] = 0;
    if (strcmp(g.text, want) != 0)
        fail_msg("row \"%s\" in steps of %zu: got %s", name, step, g.text);
    framer_free(&f);
}

static void messages_are_found_however_the_stream_is_cut(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++)
        for (size_t step = 1; step <= strlen(rows[i].in); step++)
            feed(rows[i].name, rows[i].in, strlen(rows[i].in), step, rows[i].limit, rows[i].want);
}

static void nul_bytes_are_kept_inside_and_dropped_at_the_ends(void **state)
{
    static const char in[] = "<1>a\0b\0\n\0<2>c\n";

    (void)state;
    for (size_t step = 1; step < sizeof in; step++) {
        struct framer f;
        struct got g = { 0 };

        framer_init(&f);
        for (size_t at = 0; at + 1 < sizeof in; at += step)
            framer_feed(&f, str_of(in + at, min_size(step, sizeof in - 1 - at)), take, &g);
        assert_int_equal(g.count, 2);
        assert_memory_equal(g.text, "<1>a\0b|<2>c|", 12);
        framer_free(&f);
    }
}

static void hub_keeps_order_and_weight(void **state)
{
    struct hub h;
    struct err e;
    bool stop;
    struct pile *list;

    (void)state;
    assert_int_equal(hub_init(&h, &e), 0);
    assert_null(hub_take(&h, 0, &stop));
    assert_false(stop);
    for (int i = 0; i < 3; i++) {
        const struct sender one = { .card = 1, .peer = STR("192.0.2.1") }, other = { .card = 1, .peer = STR("192.0.2.1"), .name = STR("fw-1") };
        struct pile *p = pile_new();

        assert_int_equal(pile_add(p, &one, STR("<1>a"), false, i), 0);
        assert_int_equal(pile_add(p, &one, STR("<1>b"), true, i), 0);
        assert_int_equal(pile_add(p, &other, STR("<1>c"), true, i), 0);
        assert_int_equal(p->lines[0].sender, p->lines[1].sender);   /* texts of one sender stand once */
        assert_int_equal(p->sender_count, 2);
        hub_put(&h, p);
    }
    assert_true(hub_weight(&h) > 0);
    list = hub_take(&h, 0, &stop);
    for (int i = 0; i < 3; i++) {
        struct pile *p = list;

        assert_non_null(p);
        assert_int_equal(p->lines[0].received, i);
        list = p->next;
        p->next = NULL;
        hub_return(&h, p);
        assert_ptr_equal(hub_collect(&h), p);
        pile_free(&p);
    }
    assert_null(list);
    assert_int_equal(hub_weight(&h), 0);
    hub_stop(&h);
    assert_null(hub_take(&h, 0, &stop));
    assert_true(stop);
    hub_free(&h);
}

/* A connection that waits for its lines, as RELP does. */
struct waiter {
    uint64_t numbers[8];
    size_t   count;
};

static void told(void *owner, uint64_t number, const struct pile *p)
{
    struct waiter *w = owner;

    assert_int_equal(p->status, 200);
    w->numbers[w->count++] = number;
}

static void a_ticket_tells_its_owner_and_outlives_it(void **state)
{
    struct waiter here = { 0 }, gone = { 0 };
    struct ticket *a = ticket_new(&here, told), *b = ticket_new(&gone, told);
    struct pile *p = pile_new();

    (void)state;
    assert_int_equal(pile_wait(p, a, 1), 0);
    assert_int_equal(pile_wait(p, a, 2), 0);
    assert_int_equal(pile_wait(p, b, 7), 0);
    assert_int_equal(pile_wait(p, a, 3), 0);
    p->status = 200;
    ticket_orphan(&b);         /* its connection ended while the pile was on its way */
    assert_null(b);
    pile_tell(p);
    assert_int_equal(here.count, 2);
    assert_int_equal(here.numbers[0], 2);
    assert_int_equal(here.numbers[1], 3);
    assert_int_equal(gone.count, 0);
    pile_free(&p);
    ticket_orphan(&a);
}

static void a_rate_is_that_of_the_last_minute(void **state)
{
    struct rate r = { 0 };
    time_ns t = 1000 * NS_PER_MINUTE;

    (void)state;
    rate_add(&r, 60, t);
    assert_int_equal(rate_get(&r, t + 59 * NS_PER_SECOND), 60);
    assert_int_equal(rate_get(&r, t + 90 * NS_PER_SECOND), 30);
    rate_add(&r, 10, t + 90 * NS_PER_SECOND);
    assert_int_equal(rate_get(&r, t + 90 * NS_PER_SECOND), 40);
    assert_int_equal(rate_get(&r, t + 5 * NS_PER_MINUTE), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(messages_are_found_however_the_stream_is_cut),
        cmocka_unit_test(nul_bytes_are_kept_inside_and_dropped_at_the_ends),
        cmocka_unit_test(hub_keeps_order_and_weight), cmocka_unit_test(a_ticket_tells_its_owner_and_outlives_it),
        cmocka_unit_test(a_rate_is_that_of_the_last_minute),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
