/* test_conform.c - what sources send, held against Annex 4. */
#include "base/test.h"
#include "parse/conform.h"
#include "parse/parse.h"
#include "parse/test_parser.h"

struct fixture {
    struct parser *p;
    struct event_batch b;
    struct conform_tally t;
    time_ns now;
};

static int setup(void **state)
{
    struct fixture *f = calloc(1, sizeof *f);

    f->p = parser_of_content();
    event_batch_init(&f->b, 0);
    f->now = INT64_C(1774008000) * NS_PER_SECOND;
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;

    event_batch_free(&f->b);
    conform_tally_free(&f->t);
    parse_free(&f->p);
    free(f);
    return 0;
}

static const struct event *parsed(struct fixture *f, const char *line)
{
    struct parse_hints h = { .received = f->now, .peer = STR("192.0.2.1"), .source = STR("srv1") };
    struct event *ev;

    event_batch_reset(&f->b);
    ev = event_batch_add(&f->b);
    parse_line(f->p, str_c(line), &h, &f->b.arena, ev);
    ev->received = f->now;
    return ev;
}

static const struct {
    const char *name;
    enum event_class class;
    const char *line, *want; /* the form, and "code row column" pieces */
} rows[] = {
    { "as it should be", CLASS_OS_UNIX, "23:04:2025 09:05:00;srv1;user root logged in", "annex4" },
    { "\"-\" is no value", CLASS_NET, "23:04:2025 09:05:00;sw1;-;10.0.0.1;10.0.0.2;10.0.0.3;up", "annex4 missing_field R-A4.17-03 25" },
    { "a quote that does not close", CLASS_OS_UNIX, "23:04:2025 09:05:00;srv1;\"x", "annex4 bad_quote R-A4.6-01 26" },
    { "syslog", CLASS_OS_UNIX, "<38>Mar 19 08:05:09 srv sshd[812]: Failed password for root from 203.0.113.8 port 4711 ssh2",
      "rfc3164 no_delimiter R-A4.6-01 1 date_format R-A4-DT1 5" },
    { "syslog without host and time", CLASS_OS_UNIX, "what happened",
      "other no_delimiter R-A4.6-01 1 date_format R-A4-DT1 1 time_format R-A4-DT2 1 missing_field R-A4.2-01 14 missing_field R-A4.2-02 14" },
    { "RFC 5424, Windows-1251", CLASS_APP, "<165>1 2026-03-19T08:05:09.003Z h app 77 ID47 - \xE2\xF5\xEE\xE4 ann",
      "rfc5424 not_utf8 R-A4.26-01 1 no_delimiter R-A4.25-01 1 date_format R-A4-DT1 8 missing_field R-A4.23-03 57 missing_field R-A4.23-04 57 "
      "missing_field R-A4.23-05 57 missing_field R-A4.23-06 57" },
    { "JSON", CLASS_SEC,
      "{\"@timestamp\":\"2026-03-19T08:05:09Z\",\"service.name\":\"av\",\"user.name\":\"ann\",\"source.ip\":\"192.0.2.9\",\"message\":\"stopped\",\"event.start\":\"2026-03-19T08:05:09Z\",\"event.end\":\"2026-03-19T08:05:09Z\"}",
      "json date_format R-A4-DT1 16" },
    { "commas of a sentence make no CSV", CLASS_APP,
      "2026/03/19 08:05:14 [error] 8#8: *7 user \"bob\" was not found in \"/etc/pw\", client: 203.0.113.7, server: s, request: \"GET / HTTP/1.1\", host: \"s\"",
      "other no_delimiter R-A4.25-01 1 date_format R-A4-DT1 1 missing_field R-A4.23-05 144 missing_field R-A4.23-06 144" },
    { "CSV", CLASS_DB,
      "2026-03-19 08:05:12.612 UTC,\"eve\",\"shop\",55,\"192.0.2.7:16790\",5ff2.4fec,1,\"startup\",2026-03-19 08:05:12 UTC,3/15,0,FATAL,28000,\"role \"\"eve\"\" does not exist\",,,,,,,,,\"\"",
      "csv date_format R-A4-DT1 1" },
    { "letters that look alike", CLASS_OS_UNIX, "<38>Mar 19 08:05:09 srv app[1]: W\xD1\x96ndows",
      "rfc3164 no_delimiter R-A4.6-01 1 date_format R-A4-DT1 5 look_alike R-A4.7-01 34" },
    { "a control byte", CLASS_OS_UNIX, "<38>Mar 19 08:05:09 srv app[1]: a\x01", "rfc3164 not_text R-A4.5-01 34 no_delimiter R-A4.6-01 1 date_format R-A4-DT1 5" },
};

static void judged(void **state)
{
    struct fixture *f = *state;

    for (size_t i = 0; i < COUNT(rows); i++) {
        AUTO_BUF struct buf b;
        struct conform c;

        buf_init(&b, 0);
        conform_event(parsed(f, rows[i].line), rows[i].class, &f->b.arena, &c);
        buf_str(&b, str_c(conform_form_name(c.form)));
        for (size_t k = 0; k < CONFORM_CHECKS; k++)
            if (c.failed & 1u << k)
                buf_printf(&b, " %s %s %zu", c.mark[k].code, c.mark[k].row, c.mark[k].column);
        if (!str_eq(buf_view(&b), str_c(rows[i].want)))
            fail_msg("row \"%s\": got \"%.*s\"", rows[i].name, STR_ARG(buf_view(&b)));
        assert_int_equal(c.failed & ~c.checked, 0);
    }
}

/* A check that was not made has not failed: of a line that is no text the fields are not looked at, whatever was found before. */
static void what_failed_was_checked(void **state)
{
    static const char *const lines[] = { "23:04:2025 09:05:00;sw1", "23:04:2025 09:05:00;sw1\n;an;10.0.0.1;x;na\xff\xff@9; u\"", "23:04:2025 09:05:00;sw1;-;;;\xff;\"",
                                         "\xff;\x01", "23:04:2025 09:05:00;sw1\n;ann;10.0.0.10.0.0.1;10.0.0usernamenk\xff\xff\xffnk@9:05:00; up\"" };
    struct fixture *f = *state;

    for (size_t i = 0; i < COUNT(lines); i++)
        for (int class = 1; class < CLASS_COUNT; class++) {
            struct conform c;

            conform_event(parsed(f, lines[i]), (enum event_class)class, &f->b.arena, &c);
            CHECK(lines[i], (c.failed & ~c.checked) == 0);
        }
}

static void feed(struct fixture *f, const char *line, enum event_class class, int times)
{
    f->t.class = class;
    for (int i = 0; i < times; i++) {
        const struct event *ev = parsed(f, line);
        struct conform c;

        if (!conform_due(&f->t, f->now))
            continue;
        conform_event(ev, class, &f->b.arena, &c);
        conform_add(&f->t, ev, &c);
    }
}

static const char good[] = "23:04:2025 09:05:00;srv1;user root logged in";
static const char plain[] = "<38>Mar 19 08:05:09 srv sshd[812]: Failed password for root from 203.0.113.8 port 4711 ssh2";

static void sampled(void **state)
{
    struct fixture *f = *state;
    uint32_t before;

    feed(f, good, CLASS_OS_UNIX, 5100);
    assert_int_equal(f->t.seen, 5100);
    assert_int_equal(f->t.window[0].judged, CONFORM_FIRST + 5);
    before = f->t.window[0].judged;
    f->now += 2 * NS_PER_MINUTE;
    feed(f, good, CLASS_OS_UNIX, 3);
    assert_int_equal(f->t.window[0].judged, before + 1);
}

static void scored(void **state)
{
    struct fixture *f = *state;
    struct conform_scores s;
    AUTO_BUF struct buf b;

    s = conform_scores(&f->t);
    assert_int_equal(s.all, -1);
    feed(f, good, CLASS_OS_UNIX, 10);
    s = conform_scores(&f->t);
    assert_true(s.all == 100 && s.form == 100 && s.fields == 100);
    feed(f, plain, CLASS_OS_UNIX, 10);
    s = conform_scores(&f->t);
    assert_true(s.all < 100 && s.form < 100 && s.fields == 100); /* its fields are all there */
    assert_int_equal(f->t.form, CONFORM_ANNEX4);
    assert_int_equal(f->t.window[0].failed[CONFORM_FORMAT], 10);
    buf_init(&b, 0);
    conform_json(&f->t, false, &b);
    assert_true(str_find(buf_view(&b), STR("\"row\":\"R-A4.8-01\",\"code\":\"mixed_format\",\"field\":null,\"checked\":20,\"failed\":10,\"line\":11,\"column\":1")) >= 0);
    assert_true(str_find(buf_view(&b), STR("\"sample\":\"<38>Mar 19")) >= 0);
}

static void changed(void **state)
{
    struct fixture *f = *state;

    feed(f, plain, CLASS_OS_UNIX, 50);
    assert_false(f->t.changed);
    f->now += NS_PER_HOUR;
    feed(f, good, CLASS_OS_UNIX, CONFORM_RECENT);
    assert_true(f->t.changed);
    assert_int_equal(f->t.changed_at, f->now);
    assert_int_equal(f->t.form_before, CONFORM_RFC3164);
    assert_int_equal(f->t.form, CONFORM_ANNEX4);
    assert_in_range(f->t.score_before, 1, 99);
    feed(f, good, CLASS_OS_UNIX, 20);
    assert_int_equal(conform_scores(&f->t).all, 100);
}

/* window - the counts are those of the last lines, and what is cured is told no more. */
static void window(void **state)
{
    struct fixture *f = *state;
    AUTO_BUF struct buf b;

    feed(f, "23:04:2025 09:05:00;;x", CLASS_OS_UNIX, 1);
    for (int i = 0; i < 3 * CONFORM_WINDOW; i++) {
        f->now += CONFORM_AT_LEAST_NS;
        feed(f, good, CLASS_OS_UNIX, 1);
    }
    assert_in_range(f->t.window[0].judged + f->t.window[1].judged, CONFORM_WINDOW, 2 * CONFORM_WINDOW);
    assert_int_equal(conform_scores(&f->t).all, 100);
    buf_init(&b, 0);
    conform_json(&f->t, false, &b);
    assert_true(str_find(buf_view(&b), STR("\"findings\":[]")) >= 0);
}

#define TEST(what, name) { what, name, setup, teardown, NULL }

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST("R-12-02 a line of any form is held against the chapter of its class, with row and column", judged),
        TEST("the first hundred lines are judged, then one of a thousand, and one a minute", sampled),
        TEST("the score is the share of checks that hold; a finding has its row, line, column and sample", scored),
        TEST("R-12-07 a changed format is noticed, and the score before it kept", changed),
        TEST("what is cured leaves the counts", window),
        TEST("what failed was checked, whatever the line holds", what_failed_was_checked),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
