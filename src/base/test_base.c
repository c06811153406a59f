/* test_base.c - the ground floor: views, arenas, buffers, readers, time, configuration. */
#include "base/base.h"
#include "base/catalog.h"
#include "base/file.h"
#include "base/node.h"
#include "base/siphash.h"
#include "base/test.h"

static void str_finds_and_splits(void **state)
{
    struct str rest = STR("a,,b"), one;

    (void)state;
    assert_int_equal(str_find(STR("sshd[1]: Failed"), STR("Failed")), 9);
    assert_int_equal(str_find(STR("ab"), STR("abc")), -1);
    assert_int_equal(str_ifind(STR("FAILED password"), STR("Password")), 7);
    assert_true(str_split(&rest, ',', &one) && str_eq(one, STR("a")));
    assert_true(str_split(&rest, ',', &one) && one.n == 0);
    assert_true(str_split(&rest, ',', &one) && str_eq(one, STR("b")));
    assert_false(str_split(&rest, ',', &one));
}

/* found_plainly - what str_find says, by trying each place. */
static ptrdiff_t found_plainly(struct str s, struct str needle)
{
    for (size_t i = 0; i + needle.n <= s.n; i++)
        if (memcmp(s.p + i, needle.p, needle.n) == 0)
            return (ptrdiff_t)i;
    return -1;
}

/* Texts of each length up to 70 in blocks of their own, so that a byte too far is seen; of few letters, so that there is much to find. */
static void str_find_finds_what_trying_each_place_finds(void **state)
{
    static const char needles[] = "abcaabcabbbcacbabacabcbaacbbcaabcbacbacbaabc";
    uint32_t r = 1;

    (void)state;
    for (size_t n = 1; n <= 70; n++)
        for (int tries = 0; tries < 200; tries++) {
            char *text = malloc(n);
            struct str s = str_of(text, n), needle = str_of(needles + tries % 9, 1 + (size_t)(tries / 9) % 34);

            assert_non_null(text);
            for (size_t i = 0; i < n; i++)
                text[i] = "abc\0"[(r = r * 1103515245u + 12345u) >> 16 & (tries % 5 ? 1 : 3)];
            if (tries % 3 == 0 && needle.n < n)
                memcpy(text + (r >> 8) % (n - needle.n), needle.p, needle.n);
            assert_int_equal(str_find(s, needle), found_plainly(s, needle));
            free(text);
        }
}

static void utf8_is_judged_strictly(void **state)
{
    static const struct {
        const char *name;
        struct str  in;
        bool        want;
    } rows[] = {
        { "Kazakh letters", STR_INIT("Сақшы ҚӘҢ"), true },
        { "overlong slash", STR_INIT("\xc0\xaf"), false },
        { "surrogate", STR_INIT("\xed\xa0\x80"), false },
        { "past the last code point", STR_INIT("\xf4\x90\x80\x80"), false },
        { "cut in the middle", STR_INIT("\xd2"), false },
        { "a NUL is a letter", STR_INIT("a\0b"), true },
        { "behind much ASCII", STR_INIT("sshd[812]: Failed password for Айгүл\xff"), false },
        { "much ASCII behind", STR_INIT("Айгүл: Failed password for"), true },
        { "the last byte", STR_INIT("Failed password\x80"), false },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++)
        CHECK(rows[i].name, str_utf8_valid(rows[i].in) == rows[i].want);
}

static void numbers_never_wrap(void **state)
{
    uint64_t u;
    int64_t s;

    (void)state;
    assert_true(str_u64(STR("18446744073709551615"), &u) && u == UINT64_MAX);
    assert_false(str_u64(STR("18446744073709551616"), &u));
    assert_false(str_u64(STR(""), &u));
    assert_true(str_i64(STR("-42"), &s) && s == -42);
    assert_false(str_i64(STR("-"), &s));
}

static void arena_joins_texts(void **state)
{
    struct arena a;

    (void)state;
    arena_init(&a, 64);
    assert_true(str_eq(ARENA_JOIN(&a, STR("winlog.event_data."), str_of(NULL, 0), STR("User")), STR("winlog.event_data.User")));
    assert_int_equal(ARENA_JOIN(&a, str_of(NULL, 0)).n, 0);
    assert_null(ARENA_JOIN(&a, STR("a text that is longer than what the arena has left"), STR(" of its bytes")).p);
    assert_true(arena_failed(&a));
    arena_free(&a);
}

static void arena_keeps_its_limit(void **state)
{
    struct arena a;

    (void)state;
    arena_init(&a, 1000);
    assert_non_null(arena_alloc(&a, 900));
    assert_null(arena_alloc(&a, 200));
    assert_true(arena_failed(&a));
    arena_reset(&a);
    assert_non_null(arena_alloc(&a, 900));
    assert_null(arena_array(&a, SIZE_MAX / 2, 4));
    arena_free(&a);
}

static void buf_escapes_json(void **state)
{
    AUTO_BUF struct buf b;

    (void)state;
    buf_init(&b, 0);
    buf_json(&b, STR("a\"\\\n\x01қ\xff."));
    assert_true(str_eq(buf_view(&b), STR("\"a\\\"\\\\\\n\\u0001қ\xef\xbf\xbd.\"")));
}

/* Computed by another program: openssl mac -macopt hexkey:000102…0f -macopt size:16 -macopt c-rounds:1 -macopt d-rounds:3 SIPHASH. */
static void siphash_is_that_of_others(void **state)
{
    static const struct { size_t n; uint64_t low, high; } rows[] = {
        { 0, UINT64_C(0xbea58827b2bc7ee7), UINT64_C(0x013030dd6adb62fd) },
        { 1, UINT64_C(0xa8edd36004376ffc), UINT64_C(0x63f02f2bcc73055e) },
        { 2, UINT64_C(0x9b836905097f7875), UINT64_C(0x95ea6a8c54c95b85) },
        { 3, UINT64_C(0x9ff7dc1efaccc56b), UINT64_C(0x43d7eb1277182348) },
        { 4, UINT64_C(0x5a282bac714e780c), UINT64_C(0x252cbf8fe7928e9f) },
        { 5, UINT64_C(0x0c625b3489db28f3), UINT64_C(0x3e849526a4295279) },
        { 7, UINT64_C(0xc3e0aaf223b98410), UINT64_C(0x77ab4808c82e2fa6) },
        { 8, UINT64_C(0xb4dae3d5e1fe12aa), UINT64_C(0x99c7f935ab164f72) },
        { 9, UINT64_C(0x9439f32c04b8dd81), UINT64_C(0x427c1394000e72f4) },
        { 11, UINT64_C(0xdb914455f39a3b72), UINT64_C(0x4e0c6efc3d63d6b1) },
        { 15, UINT64_C(0x6c52bdb205557ec1), UINT64_C(0x09017e1eeccd2129) },
        { 16, UINT64_C(0xeb8e511557d9a8d0), UINT64_C(0x93179e3df8b013b5) },
        { 17, UINT64_C(0x8d66bb3ff9264123), UINT64_C(0xecf7bdfee8125197) },
        { 23, UINT64_C(0xb9ea5c40847b121d), UINT64_C(0x59c5e69b5a77d89f) },
    };
    static const uint64_t key[2] = { UINT64_C(0x0706050403020100), UINT64_C(0x0f0e0d0c0b0a0908) };
    char text[24];

    (void)state;
    for (size_t i = 0; i < sizeof text; i++)
        text[i] = (char)i;
    for (size_t i = 0; i < COUNT(rows); i++) {
        char *copy = malloc(rows[i].n + 1);   /* the sanitizer guards its end */
        struct siphash got;

        memcpy(copy, text, rows[i].n);
        copy = realloc(copy, rows[i].n ? rows[i].n : 1);
        got = siphash(key, str_of(copy, rows[i].n));
        assert_true(got.low == rows[i].low && got.high == rows[i].high);
        free(copy);
    }
}

static void varints_round_trip(void **state)
{
    static const uint64_t values[] = { 0, 1, 127, 128, 300, UINT32_MAX, UINT64_MAX };
    AUTO_BUF struct buf b;

    (void)state;
    buf_init(&b, 0);
    for (size_t i = 0; i < COUNT(values); i++)
        buf_varint(&b, values[i]);
    struct reader r = rd_str(buf_view(&b));
    for (size_t i = 0; i < COUNT(values); i++)
        assert_true(rd_varint(&r) == values[i]);
    assert_true(rd_ok(&r) && rd_left(&r) == 0);
    rd_varint(&r);
    assert_false(rd_ok(&r));
}

static void times_parse_and_print(void **state)
{
    static const struct {
        const char *name, *in;
        int         rc;
        const char *want;
    } rows[] = {
        { "with offset", "2026-03-20T23:50:00+05:00", 0, "2026-03-20T18:50:00Z" },
        { "no seconds", "2026-03-20T23:50+05:00", 0, "2026-03-20T18:50:00Z" },
        { "fraction", "2026-01-01 00:00:00.25Z", 0, "2026-01-01T00:00:00.250Z" },
        { "leap day", "2028-02-29T00:00:00Z", 0, "2028-02-29T00:00:00Z" },
        { "before 1970", "1969-12-31T23:59:59.5Z", 0, "1969-12-31T23:59:59.500Z" },
        { "no such day", "2025-02-29T00:00:00Z", -EBADMSG, "" },
        { "no zone", "2025-02-28T00:00:00", -EBADMSG, "" },
        { "a tail", "2025-02-28T00:00:00Zx", -EBADMSG, "" },
    };
    char text[TIME_TEXT_MAX];

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        time_ns t = 0;
        int rc = time_parse_rfc3339(str_c(rows[i].in), &t, NULL, NULL);

        CHECK(rows[i].name, rc == rows[i].rc);
        if (rc == 0)
            CHECK(rows[i].name, strcmp(time_format_utc(t, text), rows[i].want) == 0);
    }
    for (int64_t d = -800000; d < 2000000; d += 37) {
        struct civil c = civil_from_days(d);

        assert_true(civil_days(c.year, c.month, c.day) == d);
    }
    assert_int_equal(civil_weekday(civil_days(2026, 11, 24)), 2);
}

static void errors_cannot_carry_control_bytes(void **state)
{
    struct err e;

    (void)state;
    assert_int_equal(err_set(&e, -EBADMSG, "no \"%s\"", "a\nb\x1b[0m"), -EBADMSG);
    assert_string_equal(e.text, "no \"a?b?[0m\"");
    assert_int_equal(err_wrap(&e, -EBADMSG, "loading"), -EBADMSG);
    assert_string_equal(e.text, "loading: no \"a?b?[0m\"");
}

/* with_config - load a configuration of this text; *line is where it was refused. */
static int with_config(const char *text, struct node **n, struct err *e)
{
    char path[] = "/tmp/saqshy-test-node-XXXXXX";
    int fd = mkstemp(path), rc;

    assert_true(fd >= 0);
    assert_int_equal(file_write_all(fd, str_c(text), NULL), 0);
    close(fd);
    rc = node_load(path, "/nowhere", n, e);
    unlink(path);
    return rc;
}

static void configuration_is_refused_with_its_place(void **state)
{
    static const struct {
        const char *name, *in;
        int         line;
    } rows[] = {
        { "unknown setting", "node: centre\nportl: x\n", 2 },
        { "unknown in a section", "ingest:\n  syslog_upd: x\n", 2 },
        { "not a number", "store:\n  retention_days: many\n", 2 },
        { "out of range", "store:\n  retention_days: 0\n", 2 },
        { "twice", "node: centre\nnode: centre\n", 2 },
        { "an alias", "node: &a centre\n", 1 },
        { "not YAML", "node: [centre\n", 2 },
        { "an upstream of no kind", "roles: [forward]\nforward:\n  upstreams:\n    - name: a\n", 4 },
        { "an upstream of an unknown kind", "roles: [forward]\nforward:\n  upstreams:\n    - name: a\n      kind: pigeon\n", 5 },
        { "an upstream whose name is no file's", "roles: [forward]\nforward:\n  upstreams:\n    - name: A/b\n      kind: relp\n      address: h:1\n", 4 },
        { "an upstream without a port", "roles: [forward]\nforward:\n  upstreams:\n    - name: a\n      kind: relp\n      address: host\n", 6 },
        { "an upstream with TLS that nobody vouches for", "roles: [forward]\nforward:\n  upstreams:\n    - name: a\n      kind: relp_tls\n      address: h:1\n", 4 },
        { "TLS where the kind has none", "roles: [forward]\nforward:\n  upstreams:\n    - name: a\n      kind: relp\n      address: h:1\n      tls: {authority: a}\n", 7 },
        { "two upstreams of one name", "roles: [forward]\nforward:\n  upstreams:\n    - {name: a, kind: relp, address: \"h:1\"}\n    - {name: a, kind: relp, address: \"h:2\"}\n", 5 },
        { "a window without end", "roles: [forward]\nforward:\n  upstreams:\n    - {name: a, kind: relp, address: \"h:1\", limits: {window_events: 0}}\n", 4 },
    };
    struct node *n;
    struct err e;

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        memset(&e, 0, sizeof e);
        CHECK(rows[i].name, with_config(rows[i].in, &n, &e) < 0 && n == NULL);
        CHECK(rows[i].name, e.line == rows[i].line);
    }
    assert_int_equal(with_config("roles: [ingest, index]\nportal: {listen: \"127.0.0.1:1\"}\n", &n, &e), 0);
    assert_true(node_has_role(n, ROLE_INDEX) && !node_has_role(n, ROLE_DESK));
    assert_string_equal(n->portal, "127.0.0.1:1");
    node_free(&n);
    /* Upstreams that nobody would send to are a mistake that is told. */
    assert_int_equal(with_config("roles: [ingest]\nforward:\n  upstreams:\n    - {name: a, kind: relp, address: \"[::1]:2514\"}\n", &n, &e), -EINVAL);
    assert_int_equal(with_config("roles: [forward]\nforward:\n  upstreams:\n    - {name: a, kind: relp, address: \"[::1]:2514\", filter: \"a b\"}\n", &n, &e), 0);
    assert_int_equal(n->upstreams.count, 1);
    assert_true(n->upstreams.items[0].enabled && n->upstreams.items[0].limits.window_events == 10000 && n->upstreams.items[0].filter_line == 4);
    node_free(&n);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(str_finds_and_splits),
        cmocka_unit_test(str_find_finds_what_trying_each_place_finds),
        cmocka_unit_test(utf8_is_judged_strictly),
        cmocka_unit_test(numbers_never_wrap),
        cmocka_unit_test(arena_joins_texts),
        cmocka_unit_test(arena_keeps_its_limit),
        cmocka_unit_test(buf_escapes_json),
        cmocka_unit_test(siphash_is_that_of_others),
        cmocka_unit_test(varints_round_trip),
        cmocka_unit_test(times_parse_and_print),
        cmocka_unit_test(errors_cannot_carry_control_bytes),
        cmocka_unit_test(configuration_is_refused_with_its_place),
    };

    return cmocka_run_group_tests_name("base", tests, NULL, NULL);
}
