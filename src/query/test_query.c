/* test_query.c - which texts match which events, what a store may skip, and how wrong texts are refused. */
#include "query/internal.h"
#include "base/test.h"

static const char line[] = "Nov 24 10:00:00 srv-1 sshd[7]: Failed password for root from 203.0.113.9 port 40022 ssh2";

static void fill(struct event_batch *b)
{
    struct event *ev = event_batch_add(b);

    ev->original = str_of(line, sizeof line - 1);
    ev->parser = STR("sshd");
    ev->class = CLASS_OS_UNIX;
    ev->marks = MARK_FUTURE;
    assert_int_equal(event_add(ev, &b->arena, STR("source.ip"), str_of(line + str_find(ev->original, STR("203.")), 11)), 0);
    assert_int_equal(event_add(ev, &b->arena, STR("source.port"), STR("40022")), 0);
    assert_int_equal(event_add(ev, &b->arena, STR("user.name"), STR("root")), 0);
    assert_int_equal(event_add(ev, &b->arena, STR("saqshy.types"), STR("OS-04")), 0);
    assert_int_equal(event_add(ev, &b->arena, STR("saqshy.types"), STR("UX-01")), 0);
    assert_int_equal(event_add(ev, &b->arena, STR("message"), STR("ҚАЗАҚСТАН Ұлттық Орталық – Ёлка")), 0);
    assert_int_equal(event_add(ev, &b->arena, STR("source.v6"), STR("2001:db8::17")), 0);
}

static const struct {
    const char *text;
    bool        want;
} rows[] = {
    { "", true }, { "*", true }, { "failed", true }, { "FAILED", true }, { "fail", false }, { "fail*", true }, { "*ailed", true }, { "*ail*", true },
    { "failed password", true }, { "password failed", true }, { "\"Failed password\"", true }, { "\"password Failed\"", false }, { "\"led pass\"", true },
    { "failed AND nothing", false }, { "failed OR nothing", true }, { "nothing OR failed", true }, { "NOT nothing", true }, { "-nothing", true }, { "-failed", false },
    { "failed -root", false }, { "failed -guest", true }, { "NOT (failed AND root)", false }, { "NOT failed OR root", true },
    { "nothing failed OR root", true }, { "nothing (failed OR root)", false }, { "a OR b OR root", true }, { "a AND b OR root AND failed", true },
    { "203.0.113.9", true }, { "203.0.113", true }, { "203.0.11", false }, { "sshd[7]", true }, { "srv-1", true }, { "srv", true },
    { "user.name:root", true }, { "user.name:ROOT", true }, { "user.name:roo", false }, { "user.name:roo*", true }, { "user.name:r?ot", true }, { "user.name:\"roo*\"", false },
    { "user.name:*", true }, { "user.id:*", false }, { "NOT user.id:*", true },
    { "source.ip:203.0.113.0/24", true }, { "source.ip:203.0.112.0/24", false }, { "source.ip:203.0.113.8/31", true }, { "source.ip:0.0.0.0/0", true },
    { "source.v6:2001:db8::/32", true }, { "source.v6:2001:db9::/32", false }, { "source.ip:2001:db8::/32", false },
    { "source.port:>40000", true }, { "source.port:>40022", false }, { "source.port:>=40022", true }, { "source.port:<=40022", true }, { "source.port:<40022", false },
    { "source.port:40000..50000", true }, { "source.port:1..2", false }, { "source.port:40022", true },
    { "user.name:/^r.*t$/", true }, { "user.name:/^t/", false }, { "event.original:/port \\d+ ssh2$/", true },
    { "saqshy.types:UX-01", true }, { "saqshy.types:OS-04", true }, { "saqshy.types:OS-05", false }, { "saqshy.class:os-unix", true },
    { "saqshy.parser:sshd", true }, { "saqshy.marks:future", true }, { "saqshy.marks:binary", false },
    { "қазақстан", true }, { "ұлттық", true }, { "ОРТАЛЫҚ", true }, { "ёлка", true }, { "message:*ҰЛТТЫҚ*", true }, { "\"қазақстан ұлттық\"", true },
    { "f*0022", false }, { "f*d", true }, { "s*d[*]:", true }, { "s*7", false }, { "d*7", true }, { "b*7", false }, { "2*::?7", true },
    { "10:00:00", true }, { "failed and password", false }, { "\"a \\\" b\"", false },
};

static void texts_select_events(void **state)
{
    struct event_batch b;

    (void)state;
    event_batch_init(&b, 0);
    fill(&b);
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct query *q;
        struct err e;

        if (query_parse(str_c(rows[i].text), &q, &e) < 0)
            fail_msg("row \"%s\": %s", rows[i].text, e.text);
        CHECK(rows[i].text, query_match(q, &b.items[0]) == rows[i].want);
        query_free(&q);
    }
    event_batch_free(&b);
}

static void fields_that_a_query_does_not_look_at_change_nothing(void **state)
{
    struct event_batch b;
    struct query *q;

    (void)state;
    event_batch_init(&b, 0);
    fill(&b);
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct event_field few[16];
        struct event ev = b.items[0];

        assert_int_equal(query_parse(str_c(rows[i].text), &q, NULL), 0);
        ev.fields = few;
        ev.field_count = 0;
        for (uint32_t k = 0; k < b.items[0].field_count; k++)
            if (query_looks_at(q, b.items[0].fields[k].name))
                few[ev.field_count++] = b.items[0].fields[k];
        CHECK(rows[i].text, query_match(q, &ev) == rows[i].want);
        query_free(&q);
    }
    assert_int_equal(query_parse(STR("-saqshy.source:saqshyd user.name:r*"), &q, NULL), 0);
    assert_true(query_looks_at(q, STR("user.name")) && !query_looks_at(q, STR("source.ip")));
    query_free(&q);
    event_batch_free(&b);
}

struct tokens {
    uint64_t hash[256];
    size_t   count;
};

static void keep(void *arg, uint64_t hash)
{
    struct tokens *t = arg;

    if (t->count < COUNT(t->hash))
        t->hash[t->count++] = hash;
}

static bool has_all(const struct tokens *t, const struct query *q)
{
    size_t n;
    const uint64_t *needs = query_needs(q, &n);

    for (size_t i = 0; i < n; i++) {
        bool found = false;

        for (size_t k = 0; k < t->count; k++)
            found = found || t->hash[k] == needs[i];
        if (!found)
            return false;
    }
    return true;
}

static void what_matches_is_never_skipped(void **state)
{
    struct event_batch b;
    struct tokens t = { .count = 0 };
    size_t n;

    (void)state;
    event_batch_init(&b, 0);
    fill(&b);
    query_tokens(b.items[0].original, keep, &t);
    for (uint32_t i = 0; i < b.items[0].field_count; i++)
        query_tokens(b.items[0].fields[i].value, keep, &t);
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct query *q;

        assert_int_equal(query_parse(str_c(rows[i].text), &q, NULL), 0);
        if (query_match(q, &b.items[0]))
            CHECK(rows[i].text, has_all(&t, q));
        query_free(&q);
    }
    struct query *q;
    assert_int_equal(query_parse(STR("rareword failed -x (a OR b)"), &q, NULL), 0);
    assert_non_null(query_needs(q, &n));
    assert_int_equal(n, 2);
    assert_false(has_all(&t, q));
    query_free(&q);
    event_batch_free(&b);
}

static void wrong_texts_name_the_letter(void **state)
{
    static const struct {
        const char *text;
        int         letter;
    } wrong[] = {
        { "(a", 1 }, { "a)", 2 }, { "a AND", 6 }, { "AND a", 1 }, { "a OR OR b", 6 }, { "\"abc", 1 }, { "user:", 6 }, { "user:/abc", 6 }, { "user:/(/", 1 },
        { "қаз (", 6 }, { "NOT", 4 }, { "()", 2 }, { "a ()", 4 }, { "\"\"", 1 },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(wrong); i++) {
        struct query *q;
        struct err e = { 0 };

        CHECK(wrong[i].text, query_parse(str_c(wrong[i].text), &q, &e) == -EINVAL && q == NULL);
        if (e.column != wrong[i].letter)
            fail_msg("row \"%s\": letter %d, not %d (%s)", wrong[i].text, e.column, wrong[i].letter, e.text);
    }
}

static void hostile_texts_have_limits(void **state)
{
    AUTO_BUF struct buf b;
    struct query *q;

    (void)state;
    buf_init(&b, 0);
    for (int i = 0; i < 5000; i++)
        buf_byte(&b, '(');
    assert_int_equal(query_parse(buf_view(&b), &q, NULL), -EINVAL);
    buf_reset(&b);
    for (int i = 0; i < 4000; i++)
        buf_str(&b, STR("a OR "));
    assert_int_equal(query_parse(buf_view(&b), &q, NULL), -EINVAL);
    buf_reset(&b);
    for (int i = 0; i < 500; i++)
        buf_str(&b, STR("NOT "));
    buf_str(&b, STR("a"));
    assert_int_equal(query_parse(buf_view(&b), &q, NULL), 0);
    query_free(&q);
    /* A pattern made to explode stops at its limit. */
    struct event_batch batch;
    event_batch_init(&batch, 0);
    struct event *ev = event_batch_add(&batch);
    ev->original = STR("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa!");
    assert_int_equal(query_parse(STR("event.original:/^(a+)+$/"), &q, NULL), 0);
    assert_false(query_match(q, ev));
    query_free(&q);
    event_batch_free(&batch);
}

/* Before, each word of such a line was tried up to its end: the square of its length, an hour for a megabyte. */
static void a_hostile_line_costs_its_length(void **state)
{
    static const char *const globs[] = { "*ail*", "*a*z", "a*z", "a-*-z", "*-*ed" };
    struct event ev = { 0 };
    AUTO_BUF struct buf b;

    (void)state;
    buf_init(&b, 0);
    for (int i = 0; i < 128 * 1024; i++)
        buf_str(&b, STR("a-"));
    ev.original = buf_view(&b);
    for (size_t i = 0; i < COUNT(globs); i++) {
        struct query *q;

        assert_int_equal(query_parse(str_c(globs[i]), &q, NULL), 0);
        CHECK(globs[i], !query_match(q, &ev));
        query_free(&q);
    }
}

static void regular_expressions_are_few_and_see_the_head(void **state)
{
    static const struct {
        const char *text;
        bool        want;
    } asks[] = { { "event.original:/^x/", true }, { "event.original:/y/", false }, { "event.original:/x$/", false } };
    struct event ev = { 0 };
    AUTO_BUF struct buf b, many;
    struct query *q;

    (void)state;
    buf_init(&b, 0);
    buf_init(&many, 0);
    for (int i = 0; i < 16 * 1024; i++)
        buf_byte(&b, 'x');
    buf_byte(&b, 'y');
    ev.original = buf_view(&b);
    for (size_t i = 0; i < COUNT(asks); i++) {
        assert_int_equal(query_parse(str_c(asks[i].text), &q, NULL), 0);
        CHECK(asks[i].text, query_match(q, &ev) == asks[i].want);
        query_free(&q);
    }
    for (int i = 0; i < QUERY_REGEX_MAX; i++)
        buf_str(&many, STR("a:/b/ "));
    assert_int_equal(query_parse(buf_view(&many), &q, NULL), 0);
    query_free(&q);
    buf_str(&many, STR("a:/b/"));
    assert_int_equal(query_parse(buf_view(&many), &q, NULL), -EINVAL);
}

static void a_query_outlives_its_text(void **state)
{
    char *text = strdup("user.name:root");
    struct event_batch b;
    struct query *q;

    (void)state;
    assert_non_null(text);
    event_batch_init(&b, 0);
    fill(&b);
    assert_int_equal(query_parse(str_c(text), &q, NULL), 0);
    memset(text, 'x', strlen(text));
    free(text);
    assert_true(query_match(q, &b.items[0]));
    assert_false(query_everything(q));
    query_free(&q);
    assert_int_equal(query_parse(STR(" * "), &q, NULL), 0);
    assert_true(query_everything(q));
    query_free(&q);
    event_batch_free(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(texts_select_events),
        cmocka_unit_test(fields_that_a_query_does_not_look_at_change_nothing),
        cmocka_unit_test(what_matches_is_never_skipped),
        cmocka_unit_test(wrong_texts_name_the_letter),
        cmocka_unit_test(hostile_texts_have_limits),
        cmocka_unit_test(a_hostile_line_costs_its_length),
        cmocka_unit_test(regular_expressions_are_few_and_see_the_head),
        cmocka_unit_test(a_query_outlives_its_text),
    };

    return cmocka_run_group_tests_name("query", tests, NULL, NULL);
}
