/* test_scan.c - the small readers of text look at many bytes at once: at each length, and with the odd byte at each place, they say what a look at one
 * byte after the other says. Texts are malloc'ed to their length, so that a look past an end is seen by the sanitizer. */
#include "parse/internal.h"
#include "parse/test_lines.h"

#define LENGTHS 70 /* past two of the longest steps */

/* text_of - n times fill; odd at that place, if it lies within. */
static struct str text_of(size_t n, char fill, size_t at, char odd)
{
    char *p = malloc(n ? n : 1);

    assert_non_null(p);
    memset(p, fill, n);
    if (at < n)
        p[at] = odd;
    return str_of(p, n);
}

static void free_text(struct str s) { free((char *)(uintptr_t)s.p); }

static void test_one_odd_byte(void **state)
{
    (void)state;
    for (size_t n = 0; n < LENGTHS; n++)
        for (size_t at = 0; at <= n; at++) {
            struct str s = text_of(n, '7', at, ' '), t = text_of(n, '7', SIZE_MAX, 0), before, after, word, rest = s;

            assert_int_equal(all_digits(s), n > 0 && at == n);
            assert_int_equal(same_bytes(s.p, t.p, n), at == n);
            assert_int_equal(until(s, ' ', '\t', '=', '='), at);
            word = take_word(&rest);
            assert_true(word.n == at && rest.n == n - at - (at < n));
            assert_int_equal(split_last(s, STR(" "), &before, &after), at < n);
            assert_true(at == n || (before.n == at && after.n == n - at - 1));
            free_text(s);
            free_text(t);
        }
    for (int c = 0; c < 256; c++) {
        struct str s = text_of(9, '7', 4, (char)c);

        assert_int_equal(all_digits(s), is_digit((char)c));
        free_text(s);
    }
}

static void test_last(void **state)
{
    struct str before, after;

    (void)state;
    assert_true(split_last(STR("user from x from 192.0.2.1 port 4711 ssh2 fro from, and no from at the end"), STR(" from "), &before, &after));
    assert_true(str_eq(after, STR("at the end")));
    assert_true(split_last(STR(" from "), STR(" from "), &before, &after));
    assert_true(before.n == 0 && after.n == 0);
    assert_false(split_last(STR("from"), STR(" from "), &before, &after));
    assert_false(split_last(STR("a b"), STR(""), &before, &after));
}

static const struct {
    const char *text;
    bool address;
} addresses[] = {
    { "1.2.3.4", true },          { "10.0.0.1", true },       { "255.255.255.255", true }, { "192.168.100.200", true }, { "001.002.003.004", true },
    { "256.1.1.1", false },       { "1.1.1.256", false },     { "1.1.1.260", false },      { "199.299.1.1", false },    { "1.2.3", false },
    { "1.2.3.4.5", false },       { "1.2.3.4.", false },      { ".1.2.3.4", false },       { "1..2.3.44", false },      { "1234.1.1.1", false },
    { "1.1.1.1234", false },      { "12345678", false },      { "10.0.0.1:80", false },    { "10.0.0.1a", false },      { "192.168.100.2000", false },
    { "[192.0.2.1]", true },      { "::ffff:10.0.0.1", true }, { "2001:db8::7", true },    { "2001:db8:::7", false },   { "", false },
};

static void test_addresses(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(addresses); i++) {
        struct str s = text_of(strlen(addresses[i].text), 0, SIZE_MAX, 0);

        memcpy((char *)(uintptr_t)s.p, addresses[i].text, s.n);
        CHECK(addresses[i].text, (ip_of(s).n > 0) == addresses[i].address);
        free_text(s);
    }
}

/* host_of - what a line has as the host, where that word stands for one. */
static struct str host_of(const struct parser *p, struct event_batch *b, struct str host)
{
    struct parse_hints h = { .received = INT64_C(1774008000) * NS_PER_SECOND, .zone_min = EVENT_OFFSET_NONE };
    struct event *ev;

    event_batch_reset(b);
    ev = event_batch_add(b);
    assert_non_null(ev);
    parse_line(p, ARENA_JOIN(&b->arena, STR("Mar 19 08:05:09 "), host, STR(" sshd[812]: Server listening on 0.0.0.0 port 22.")), &h, &b->arena, ev);
    return event_get(ev, STR("host.name"));
}

static void test_hosts(void **state)
{
    struct event_batch b;
    struct parser *p;

    (void)state;
    event_batch_init(&b, 0);
    assert_int_equal(parse_new(NULL, 0, &p, NULL), 0);
    for (size_t n = 1; n < LENGTHS; n++)
        for (size_t at = 0; at <= n; at++) {
            struct str s = text_of(n, 'h', at, '!');

            assert_int_equal(str_eq(host_of(p, &b, s), s), at == n);
            free_text(s);
        }
    for (char c = '!'; c < 0x7f; c++) {
        struct str s = text_of(20, 'h', 7, c);
        bool fits = (c >= '-' && c <= ':') || (c >= '@' && c <= 'Z') || c == '_' || (c >= 'a' && c <= 'z');

        assert_int_equal(str_eq(host_of(p, &b, s), s), fits);
        free_text(s);
    }
    assert_true(str_eq(host_of(p, &b, STR("srv-қала-1.branch.gov.kz")), STR("srv-қала-1.branch.gov.kz")));
    parse_free(&p);
    event_batch_free(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_one_odd_byte),
        cmocka_unit_test(test_last),
        cmocka_unit_test(test_addresses),
        cmocka_unit_test(test_hosts),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
