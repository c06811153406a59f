/* test_annex4.c - events written as records of Annex 4, and lint that must accept them. */
#include "base/test.h"
#include "parse/annex4.h"
#include "parse/lint.h"
#include "parse/parse.h"
#include "parse/test_parser.h"

struct fixture {
    struct parser *p;
    struct event_batch b;
};

static int setup(void **state)
{
    struct fixture *f = calloc(1, sizeof *f);

    f->p = parser_of_content();
    event_batch_init(&f->b, 0);
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;

    event_batch_free(&f->b);
    parse_free(&f->p);
    free(f);
    return 0;
}

static struct event *parsed(struct fixture *f, struct str line)
{
    struct parse_hints h = { .received = INT64_C(1774008000) * NS_PER_SECOND, .zone_min = 300, .peer = STR("192.0.2.1"), .source = STR("srv1") };
    struct event *ev;

    event_batch_reset(&f->b);
    ev = event_batch_add(&f->b);
    parse_line(f->p, line, &h, &f->b.arena, ev);
    ev->seq = 7;
    return ev;
}

static void complain(void *arg, const struct lint_remark *m)
{
    fail_msg("%s: %zu:%zu %s %s", (const char *)arg, m->line, m->column, m->code, m->row);
}

static void record(struct fixture *f, struct str line, enum event_class class, struct buf *out)
{
    struct event *ev = parsed(f, line);

    annex4_record(ev, class, 300, &f->b.arena, out);
}

static const struct { const char *name, *line; enum event_class class; const char *want; } rows[] = {
    { "a login", "<38>Mar 19 08:05:09 srv sshd[812]: Failed password for root from 203.0.113.8 port 4711 ssh2", CLASS_OS_UNIX,
      "19:03:2026 08:05:09;srv;Failed password for root from 203.0.113.8 port 4711 ssh2;OS-04,OS-11;2026-03-19T03:05:09Z;srv1;7\n" },
    { "its zone is the source's", "2026-03-19T13:05:09+03:00 srv app[1]: a; \"b\"", CLASS_OS_UNIX,
      "19:03:2026 13:05:09;srv;\"a; \"\"b\"\"\";-;2026-03-19T10:05:09Z;srv1;7\n" },
    { "nothing is made up", "link lost", CLASS_NET, "20:03:2026 17:00:00;-;-;192.0.2.1;-;-;link lost;-;2026-03-20T12:00:00Z;srv1;7\n" },
    { "bytes that are no text", "a\x01" "b\xFF" "c", CLASS_OS_UNIX, "20:03:2026 17:00:00;-;a\\x{01}b\xEF\xBF\xBD" "c;-;2026-03-20T12:00:00Z;srv1;7\n" },
    { "letters that look alike", "W\xD1\x96ndows \xD0\x9A\xD0\xB0x", CLASS_OS_UNIX, "20:03:2026 17:00:00;-;W\\u{456}ndows \\u{41A}\\u{430}x;-;2026-03-20T12:00:00Z;srv1;7\n" },
    { "what reads like an escape", "\\u{456} C:\\users", CLASS_OS_UNIX, "20:03:2026 17:00:00;-;\\x{5C}u{456} C:\\users;-;2026-03-20T12:00:00Z;srv1;7\n" },
    { "a request has its length", "{\"@timestamp\":\"2026-03-19T08:05:09Z\",\"message\":\"GET\",\"source.ip\":\"192.0.2.9\",\"user.name\":\"ann\",\"event.duration\":\"2000000000\",\"service.name\":\"portal\"}",
      CLASS_APP, "19:03:2026 08:05:09;portal;ann;192.0.2.9;19:03:2026 08:05:07;19:03:2026 08:05:09;GET;-;2026-03-19T08:05:09Z;srv1;7\n" },
};

static void written(void **state)
{
    struct fixture *f = *state;

    for (size_t i = 0; i < COUNT(rows); i++) {
        AUTO_BUF struct buf b;

        buf_init(&b, 0);
        record(f, str_c(rows[i].line), rows[i].class, &b);
        if (!str_eq(buf_view(&b), str_c(rows[i].want)))
            fail_msg("row \"%s\": got \"%.*s\"", rows[i].name, STR_ARG(buf_view(&b)));
        lint_text(buf_view(&b), rows[i].class, complain, (void *)(uintptr_t)rows[i].name);
    }
}

/* heads - the header is no record; half of one is. */
static void headed(void **state)
{
    struct fixture *f = *state;
    size_t told = 0;

    for (int class = CLASS_NONE + 1; class < CLASS_COUNT; class++) {
        AUTO_BUF struct buf b;

        buf_init(&b, 0);
        annex4_header((enum event_class)class, &b);
        assert_int_equal(str_find(buf_view(&b), STR("event_datetime;")), 0);
        record(f, STR("Mar 19 08:05:09 srv sshd[812]: x"), (enum event_class)class, &b);
        told += lint_text(buf_view(&b), (enum event_class)class, complain, (void *)(uintptr_t)event_class_name((enum event_class)class));
    }
    assert_int_equal(told, 0);
}

static void count(void *arg, const struct lint_remark *m)
{
    assert_non_null(m->row);
    ++*(size_t *)arg;
}

static void strictly(void **state)
{
    static const char text[] = "event_datetime;device_name;account_id;host_ip;source_ip;destination_ip;event_description\n"
                               "23:04:2025 09:05:00;sw1;-;10.0.0.1;-;-;link up\n";
    static const char half[] = "event_datetime;device_name\n23:04:2025 09:05:00;sw1;ann;10.0.0.1;10.0.0.2;10.0.0.3;link up\n";
    size_t lenient = 0, strict = 0, headless = 0;

    (void)state;
    lint_text(str_c(text), CLASS_NET, count, &lenient);
    lint_with(str_c(text), CLASS_NET, &(struct lint_options){ .strict = true }, count, &strict);
    lint_text(str_c(half), CLASS_NET, count, &headless);
    assert_int_equal(lenient, 0);
    assert_int_equal(strict, 3);
    assert_true(headless > 0);
}

/* any_bytes - whatever stands in a line: lint accepts the record. */
static void any_bytes(void **state)
{
    static const char *const pieces[] = { "\"", ";", "\n", "\xD0\x90", "A", "\xD0\xB0" "b", "\\x{", "\\", "0", "-", "\x7F", "\xFF", "\xD1", " ", "\t", "23:04:2025 09:05:00", "|", "," };
    struct fixture *f = *state;
    uint32_t seed = 12345;

    for (int round = 0; round < 3000; round++) {
        AUTO_BUF struct buf line;
        AUTO_BUF struct buf out;
        struct event *ev;

        buf_init(&line, 0);
        buf_init(&out, 0);
        for (int i = 0; i < 12; i++) {
            seed = seed * 1664525 + 1013904223;
            buf_str(&line, str_c(pieces[(seed >> 16) % COUNT(pieces)]));
        }
        event_batch_reset(&f->b);
        ev = event_batch_add(&f->b);
        ev->original = ev->source = buf_view(&line);
        assert_int_equal(event_add(ev, &f->b.arena, STR("message"), buf_view(&line)), 0);
        assert_int_equal(event_add(ev, &f->b.arena, STR("user.name"), buf_view(&line)), 0);
        assert_int_equal(event_add(ev, &f->b.arena, STR("source.ip"), buf_view(&line)), 0);
        annex4_record(ev, (enum event_class)(1 + round % (CLASS_COUNT - 1)), 0, &f->b.arena, &out);
        lint_text(buf_view(&out), (enum event_class)(1 + round % (CLASS_COUNT - 1)), complain, line.p);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        { .name = "an event becomes a record of its chapter, and lint accepts it", .test_func = written },
        { .name = "a file of each class has the names of its chapter's fields above its records", .test_func = headed },
        { .name = "\"-\" is accepted as none, and told where it is looked at strictly; half a header is a record", .test_func = strictly },
        { .name = "R-A4.6-01 R-A4.5-01 R-A4.7-01 whatever bytes an event holds, its record is text with delimiter and quotes", .test_func = any_bytes },
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
