/* test_feed.c - a file's bytes become the texts of events, whatever pieces they come in. */
#include "base/test.h"
#include "parse/feed.h"

static const struct {
    const char *name;
    struct str in;
    const char *want; /* texts parted by '|'; UTF-16 as UTF-8; "*" behind a cut one */
} rows[] = {
    { "lines, blank ones left out, the last without its end", STR_INIT("a\r\n\n b\nc"), "a\r| b|c" },
    { "records of one audit event are one text, other lines do not wait for it",
      STR_INIT("type=SYSCALL msg=audit(1.500:7): a\nx\ntype=PATH msg=audit(1.500:7): b\ntype=USER_AUTH msg=audit(1.500:8): c\n"
               "type=EOE msg=audit(1.500:7): \ny"),
      "x|type=USER_AUTH msg=audit(1.500:8): c|type=SYSCALL msg=audit(1.500:7): a\ntype=PATH msg=audit(1.500:7): b\n"
      "type=EOE msg=audit(1.500:7): |y" },
    { "an audit event whose end is not there comes at the end", STR_INIT("type=SYSCALL msg=audit(1.500:7): a\nx\n"),
      "x|type=SYSCALL msg=audit(1.500:7): a" },
    { "Windows events in XML that span lines", STR_INIT("<?xml version='1.0'?>\n<Events>\n<Event xmlns='e'>\n <System/>\n</Event>\n<Event><System/></Event>\n</Events>\n"),
      "<Event xmlns='e'>\n <System/>\n</Event>|<Event><System/></Event>" },
    { "UTF-16", STR_INIT("\xFF\xFE" "a\0b\0\r\0\n\0" "c\0\n\0"), "ab\r|c" },
    { "an XML event that never ends", STR_INIT("<Event>\n<System>"), "<Event>\n<System>" },
};

static const struct str starts[] = { STR_INIT("####-##-## "), STR_INIT("[@@@") };
static const struct {
    const char *name;
    struct str in;
    const char *want;
} records[] = {
    { "lines that begin otherwise go on the record before them; those before the first record are alone",
      STR_INIT("head\n2026-03-19 a\n\tat b\n\nCaused by: c\n2026-03-19 d\n[Mon e\n  f"),
      "head|2026-03-19 a\n\tat b\nCaused by: c|2026-03-19 d|[Mon e\n  f" },
    { "audit records and XML in such a file are lines as any other", STR_INIT("2026-03-19 a\n<Event>\ntype=SYSCALL msg=audit(1.5:7): a\n[Mon b"),
      "2026-03-19 a\n<Event>\ntype=SYSCALL msg=audit(1.5:7): a|[Mon b" },
    { "UTF-16", STR_INIT("\xFF\xFE" "2\0" "0\0" "2\0" "6\0" "-\0" "0\0" "3\0" "-\0" "1\0" "9\0" " \0" "a\0\r\0\n\0" "b\0\n\0" "[\0M\0o\0n\0\n\0"),
      "2026-03-19 a\r\nb|[Mon" },
};

struct got {
    struct buf out;
    struct arena arena;
    uint32_t lines;
};

static int take_text(void *arg, const struct feed_text *t, struct err *e)
{
    struct got *g = arg;
    struct str s = t->encoding ? encoding_decode(t->encoding, t->text, &g->arena) : t->text;

    (void)e;
    if (g->out.n)
        buf_byte(&g->out, '|');
    buf_str(&g->out, s);
    if (t->cut)
        buf_byte(&g->out, '*');
    g->lines += t->lines;
    return 0;
}

static void test_rows(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++)
        for (size_t step = 1; step <= 64; step = step == 1 ? 2 : step * 2) {
            struct got g = { .lines = 0 };
            struct feed *f;

            buf_init(&g.out, 0);
            arena_init(&g.arena, 0);
            assert_int_equal(feed_new(&f, NULL), 0);
            /* the first bytes tell the encoding: they come together */
            for (size_t at = 0, n; at < rows[i].in.n; at += n) {
                n = at == 0 ? min_size(16, rows[i].in.n) : min_size(step, rows[i].in.n - at);
                assert_int_equal(feed_bytes(f, str_of(rows[i].in.p + at, n), take_text, &g, NULL), 0);
            }
            assert_int_equal(feed_end(f, take_text, &g, NULL), 0);
            if (!str_eq(buf_view(&g.out), str_c(rows[i].want)))
                fail_msg("row \"%s\": %.*s", rows[i].name, STR_ARG(buf_view(&g.out)));
            feed_free(&f);
            buf_free(&g.out);
            arena_free(&g.arena);
        }
}

static void test_records(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(records); i++) {
        struct got g = { .lines = 0 };
        struct feed *f;

        buf_init(&g.out, 0);
        arena_init(&g.arena, 0);
        assert_int_equal(feed_new(&f, NULL), 0);
        feed_records(f, starts, COUNT(starts));
        for (size_t at = 0, n; at < records[i].in.n; at += n) {
            n = at == 0 ? min_size(16, records[i].in.n) : 1;
            assert_int_equal(feed_bytes(f, str_of(records[i].in.p + at, n), take_text, &g, NULL), 0);
        }
        assert_int_equal(feed_end(f, take_text, &g, NULL), 0);
        if (!str_eq(buf_view(&g.out), str_c(records[i].want)))
            fail_msg("row \"%s\": %.*s", records[i].name, STR_ARG(buf_view(&g.out)));
        feed_free(&f);
        buf_free(&g.out);
        arena_free(&g.arena);
    }
}

/* test_record_bounds - a record has a limit of lines; feed_flush ends what is open, and what comes then is a line again. */
static void test_record_bounds(void **state)
{
    struct got g = { .lines = 0 };
    struct feed *f;
    size_t texts = 0;

    (void)state;
    buf_init(&g.out, 0);
    arena_init(&g.arena, 0);
    assert_int_equal(feed_new(&f, NULL), 0);
    feed_records(f, starts, COUNT(starts));
    assert_int_equal(feed_bytes(f, STR("[Mon a\n"), take_text, &g, NULL), 0);
    for (size_t i = 0; i < RECORD_LINES_MAX + 9; i++)
        assert_int_equal(feed_bytes(f, STR("x\n"), take_text, &g, NULL), 0);
    assert_int_equal(feed_flush(f, take_text, &g, NULL), 0);
    assert_int_equal(g.lines, RECORD_LINES_MAX + 10);
    for (size_t i = 0; i < g.out.n; i++)
        texts += g.out.p[i] == '|';
    assert_int_equal(texts, 10); /* a record of RECORD_LINES_MAX lines, and ten alone */
    buf_reset(&g.out);
    assert_int_equal(feed_bytes(f, STR("[Tue a\nb\n"), take_text, &g, NULL), 0);
    assert_int_equal(g.out.n, 0);
    assert_int_equal(feed_flush(f, take_text, &g, NULL), 0);
    assert_int_equal(feed_bytes(f, STR("c\n"), take_text, &g, NULL), 0);
    assert_true(str_eq(buf_view(&g.out), STR("[Tue a\nb|c")));
    feed_free(&f);
    buf_free(&g.out);
    arena_free(&g.arena);
}

static void test_long(void **state)
{
    struct got g = { .lines = 0 };
    size_t n = 2 * EVENT_ORIGINAL_MAX + 100;
    char *line = malloc(n);
    struct feed *f;

    (void)state;
    assert_non_null(line);
    memset(line, 'x', n);
    buf_init(&g.out, 0);
    arena_init(&g.arena, 0);
    assert_int_equal(feed_new(&f, NULL), 0);
    assert_int_equal(feed_bytes(f, str_of(line, n), take_text, &g, NULL), 0);
    assert_int_equal(feed_bytes(f, STR("\nb\n"), take_text, &g, NULL), 0);
    assert_int_equal(feed_end(f, take_text, &g, NULL), 0);
    assert_int_equal(g.lines, 4);
    assert_int_equal(g.out.n, n + 3 + 3 + 1); /* three stars, three bars, "b" */
    feed_free(&f);
    buf_free(&g.out);
    arena_free(&g.arena);
    free(line);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        { .name = "lines, audit events, XML events and UTF-16, in pieces of any size", .test_func = test_rows },
        { .name = "records of several lines, of any encoding, in pieces of any size", .test_func = test_records },
        { .name = "a record of several lines is bounded, and ends where nothing comes any more", .test_func = test_record_bounds },
        { .name = "a line longer than an event may be comes in pieces, each told", .test_func = test_long },
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
