/* test_forward.c - the parts of forward that need no network: events as messages of syslog, the answers of RELP and HTTP, where an upstream stands. */
#include "base/file.h"
#include "base/test.h"
#include "forward/internal.h"
#include "forward/otlp_answer.h"
#include "forward/relp_answer.h"
#include "journal/journal.h"

#include <sys/stat.h>

/* 2026-11-27T05:00:00.123456789Z */
#define MOMENT INT64_C(1795755600123456789)

struct pair {
    const char *name, *value;
};

static const struct {
    const char      *name;
    struct line_form form;
    const char      *original, *source;
    time_ns          time;
    struct pair      fields[5];
    const char      *want;
} rows[] = {
    { "a message of RFC 3164 stays", { LINE_ORIGINAL, false, 1 }, "<38>Nov 27 10:00:00 h app: x", "h", MOMENT, { { 0 } }, "<38>Nov 27 10:00:00 h app: x" },
    { "a message of RFC 5424 stays", { LINE_ORIGINAL, false, 1 }, "<191>1 - - - - - - x\n", "h", MOMENT, { { 0 } }, "<191>1 - - - - - - x\n" },
    { "a line of a file gets a header of what is known", { LINE_ORIGINAL, false, 1 }, "Accepted password", "h", MOMENT,
      { { "host.name", "srv-1" }, { "process.name", "sshd" }, { "process.pid", "7" }, { "log.syslog.facility.code", "10" }, { "log.syslog.severity.code", "6" } },
      "<86>1 2026-11-27T05:00:00.123456Z srv-1 sshd 7 - - Accepted password" },
    { "what is not known is left out", { LINE_ORIGINAL, false, 1 }, "x", "h", 0, { { 0 } }, "<13>1 - - - - - - x" },
    { "a number that is no priority begins no message", { LINE_ORIGINAL, false, 1 }, "<192>x", "h", 0, { { 0 } }, "<13>1 - - - - - - <192>x" },
    { "nor does one without an end", { LINE_ORIGINAL, false, 1 }, "<1234>x", "h", 0, { { 0 } }, "<13>1 - - - - - - <1234>x" },
    { "nor none", { LINE_ORIGINAL, false, 1 }, "<>x", "h", 0, { { 0 } }, "<13>1 - - - - - - <>x" },
    { "blanks and letters beyond ASCII cannot stand in the header", { LINE_ORIGINAL, false, 1 }, "x", "h", 0, { { "host.name", "a b\xd0\xb0" } },
      "<13>1 - a_b__ - - - - x" },
    { "a severity that is none is a notice", { LINE_ORIGINAL, false, 1 }, "x", "h", 0, { { "log.syslog.severity.code", "8" } }, "<13>1 - - - - - - x" },
    { "line feeds become spaces where lines are frames", { LINE_ORIGINAL, true, 1 }, "<13>a\nb\r\n", "h", 0, { { 0 } }, "<13>a b  " },
    { "structured: what is known, the fields, and the line", { LINE_STRUCTURED, false, 32473 }, "<13>x", "srv-1/app", 0,
      { { "user.name", "a]b\"c\\d" }, { "a name with blanks", "x" }, { "a.name.that.is.longer.than.thirty-two", "x" }, { "empty", "" }, { "line", "1\n2" } },
      "<13>1 - - - - - [saqshy@32473 source=\"srv-1/app\" class=\"app\" parse=\"ok\"][fields@32473 user.name=\"a\\]b\\\"c\\\\d\" line=\"1 2\"] <13>x" },
    { "structured without fields", { LINE_STRUCTURED, false, 7 }, "x", "", 0, { { 0 } }, "<13>1 - - - - - [saqshy@7 class=\"app\" parse=\"ok\"] x" },
};

static void events_become_messages(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct event ev = { .time = rows[i].time, .class = CLASS_APP, .original = str_c(rows[i].original), .source = str_c(rows[i].source) };
        AUTO_ARENA struct arena a = { 0 };
        AUTO_BUF struct buf b = { 0 };
        struct str line;

        arena_init(&a, 0);
        buf_init(&b, 0);
        for (size_t k = 0; k < COUNT(rows[i].fields) && rows[i].fields[k].name; k++)
            assert_int_equal(event_add(&ev, &a, str_c(rows[i].fields[k].name), str_c(rows[i].fields[k].value)), 0);
        line = line_of(&rows[i].form, &ev, &b);
        if (!str_eq(line, str_c(rows[i].want)))
            print_message("%s: %.*s\n", rows[i].name, STR_ARG(line));
        CHECK(rows[i].name, str_eq(line, str_c(rows[i].want)));
    }
}

static const struct {
    const char *name, *in;
    size_t      answers;     /* before the end or the failure */
    uint32_t    txnr;        /* of the last */
    const char *command, *text;
    int         code;
    bool        wrong;
} answers[] = {
    { "one", "2 rsp 6 200 OK\n", 1, 2, "rsp", "200 OK", 200, false },
    { "several", "2 rsp 6 200 OK\n3 rsp 6 200 OK\n999999999 rsp 9 500 error\n", 3, 999999999, "rsp", "500 error", 500, false },
    { "a hint without data", "0 serverclose 0\n", 1, 0, "serverclose", "", 0, false },
    { "data of length 0 with a blank", "0 serverclose 0 \n", 1, 0, "serverclose", "", 0, false },
    { "line feeds inside", "1 rsp 21 200 OK\nrelp_version=0\n", 1, 1, "rsp", "200 OK\nrelp_version=0", 200, false },
    { "half of one", "2 rsp 6 200 OK\n3 rs", 1, 2, "rsp", "200 OK", 200, false },
    { "a code alone", "2 rsp 3 200\n", 1, 2, "rsp", "200", 200, false },
    { "no code", "2 rsp 4 2000\n", 1, 2, "rsp", "2000", 0, false },
    { "no number", "rsp 6 200 OK\n", 0, 0, NULL, NULL, 0, true },
    { "a number of ten digits", "1234567890 rsp 6 200 OK\n", 0, 0, NULL, NULL, 0, true },
    { "no command", "2  6 200 OK\n", 0, 0, NULL, NULL, 0, true },
    { "a length that is none", "2 rsp x\n", 0, 0, NULL, NULL, 0, true },
    { "a length past every answer", "2 rsp 999999999 x", 0, 0, NULL, NULL, 0, true },
    { "no end", "2 rsp 6 200 OKx", 0, 0, NULL, NULL, 0, true },
    { "HTTP", "HTTP/1.1 400 Bad Request\r\n", 0, 0, NULL, NULL, 0, true },
    { "wrong stays wrong", "x\n2 rsp 6 200 OK\n", 0, 0, NULL, NULL, 0, true },
};

/* read_all - the bytes in pieces of size piece: how many answers; *wrong; the last one's parts are compared. */
static size_t read_all(size_t row, size_t piece, bool *wrong)
{
    struct answer_reader r = { 0 };
    struct str in = str_c(answers[row].in);
    size_t n = 0;

    *wrong = false;
    for (size_t at = 0; at < in.n; at += piece) {
        struct str part = str_of(in.p + at, min_size(piece, in.n - at));
        struct relp_answer a;
        struct err e;
        int rc;

        while ((rc = answer_take(&r, &part, &a, &e)) == 1) {
            if (++n < answers[row].answers)
                continue;
            CHECK(answers[row].name, a.txnr == answers[row].txnr && str_eq(a.command, str_c(answers[row].command)) && str_eq(a.text, str_c(answers[row].text)));
            CHECK(answers[row].name, answer_code(a.text) == answers[row].code);
        }
        *wrong = *wrong || rc < 0;
    }
    return n;
}

static void answers_are_read_however_they_are_cut(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(answers); i++)
        for (size_t piece = 1; piece <= strlen(answers[i].in); piece++) {
            bool wrong;

            CHECK(answers[i].name, read_all(i, piece, &wrong) == answers[i].answers);
            CHECK(answers[i].name, wrong == answers[i].wrong);
        }
}

static const struct {
    const char        *name, *line;
    struct otlp_answer want;
} headers[] = {
    { "stored", "Saqshy-Stored: 180\r\n", { true, false, 180, 0 } },
    { "repeated, in small letters", "saqshy-repeated:7", { true, true, 7, 0 } },
    { "no number", "Saqshy-Stored: many", { 0 } },
    { "a number past all", "Saqshy-Stored: 18446744073709551616", { 0 } },
    { "another header", "Saqshy-Stored-Not: 5", { 0 } },
    { "come again", "Retry-After: 5", { false, false, 0, 5 } },
    { "come again in a year", "Retry-After: 31536000", { false, false, 0, RETRY_AFTER_MAX_S } },
    { "nothing", "", { 0 } },
};

static void headers_are_judged_whole(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(headers); i++) {
        struct otlp_answer a = { 0 };

        otlp_answer_header(str_c(headers[i].line), &a);
        CHECK(headers[i].name, a.known == headers[i].want.known && a.repeated == headers[i].want.repeated && a.last == headers[i].want.last &&
                                   a.retry_after_s == headers[i].want.retry_after_s);
    }
}

static void options_are_refused_with_their_place(void **state)
{
    static const struct {
        const char        *name;
        enum upstream_type type;
        const char        *option, *value;
        bool               sound;
    } all[] = {
        { "a format", UPSTREAM_relp, "format", "structured", true },
        { "another format", UPSTREAM_relp, "format", "json", false },
        { "framing", UPSTREAM_syslog_tcp, "framing", "lines", true },
        { "framing where there is none", UPSTREAM_syslog_tls, "framing", "lines", false },
        { "an organisation", UPSTREAM_relp_tls, "enterprise", "4294967295", true },
        { "no organisation", UPSTREAM_relp_tls, "enterprise", "0", false },
        { "an option of nobody", UPSTREAM_otlp, "format", "original", false },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(all); i++) {
        struct upstream_conf c = { .name = (char *)(uintptr_t)"up", .type = all[i].type, .address = (char *)(uintptr_t)"h:1", .filter = (char *)(uintptr_t)"",
                                   .option_count = 1, .line = 3, .column = 5,
                                   .options = { { (char *)(uintptr_t)all[i].option, (char *)(uintptr_t)all[i].value, 7, 9 } } };
        const struct upstream_table t = { &c, 1 };
        struct err e = { 0 };

        CHECK(all[i].name, (forward_check(&t, "x.yaml", &e) == 0) == all[i].sound);
        CHECK(all[i].name, all[i].sound || (e.line == 7 && e.column == 9 && str_starts(str_c(e.text), STR("x.yaml:7:9: upstream \"up\": "))));
    }
}

static void hosts_have_ports(void **state)
{
    static const struct {
        const char *in, *host;
        uint16_t    port;
    } all[] = {
        { "centre.example.kz:4318", "centre.example.kz", 4318 }, { "[2001:db8::1]:65535", "2001:db8::1", 65535 }, { "10.0.0.1:1", "10.0.0.1", 1 },
        { "centre.example.kz", NULL, 0 }, { ":4318", NULL, 0 }, { "a:0", NULL, 0 }, { "a:65536", NULL, 0 }, { "2001:db8::1:4318", NULL, 0 },
        { "https://a:1", NULL, 0 }, { "a b:1", NULL, 0 }, { "u@a:1", NULL, 0 }, { "", NULL, 0 },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(all); i++) {
        char host[UPSTREAM_HOST_MAX + 1] = "";
        uint16_t port = 0;
        bool sound = upstream_host(all[i].in, host, &port);

        CHECK(all[i].in, sound == (all[i].host != NULL));
        CHECK(all[i].in, !sound || (strcmp(host, all[i].host) == 0 && port == all[i].port));
    }
}

/* A place that is new begins at the oldest event, or behind the newest one; it is found again; a numbering is of one journal. */
static void places_are_kept(void **state)
{
    struct upstream_conf c = { .name = (char *)(uintptr_t)"one" }, now = { .name = (char *)(uintptr_t)"two", .from_now = true };
    char folder[] = "/tmp/saqshy-forward-XXXXXX", journal[64], stream[UPSTREAM_STREAM_MAX], again[UPSTREAM_STREAM_MAX], path[128];
    struct upstream_table t = { &c, 1 };
    struct journal *j;
    struct err e;
    uint64_t seq;

    (void)state;
    assert_non_null(mkdtemp(folder));
    snprintf(journal, sizeof journal, "%s/journal", folder);
    snprintf(path, sizeof path, "%s/cursors", journal);
    assert_int_equal(file_mkdirs(path, 0750, &e), 0);
    assert_int_equal(journal_open(journal, MIB, &j, &e), 0);
    for (int i = 0; i < 5; i++) {
        struct event ev = { .original = STR("x"), .received = 1 };

        assert_int_equal(journal_append(j, &ev, 1, (struct journal_origin){ { NULL, 0 }, 0 }, NULL, &e), 0);
    }
    assert_int_equal(journal_commit(j, &e), 0);
    journal_close(&j);
    assert_int_equal(place_open(journal, &c, &seq, stream, &e), 0);
    assert_int_equal(seq, 1);
    assert_true(str_starts(str_c(stream), STR("one-")) && strlen(stream) == 20);
    assert_int_equal(place_open(journal, &now, &seq, again, &e), 0);
    assert_int_equal(seq, 6);
    assert_int_equal(journal_cursor_set(journal, "forward-one", 4, &e), 0);
    assert_int_equal(place_open(journal, &c, &seq, again, &e), 0);
    assert_int_equal(seq, 4);
    assert_string_equal(stream, again);
    assert_int_equal(place_renumber(journal, "one", again, &e), 0);
    assert_string_not_equal(stream, again);
    place_drop_others(journal, &t);
    snprintf(path, sizeof path, "%s/cursors/forward-two", journal);
    assert_false(file_exists(path));
    snprintf(path, sizeof path, "%s/cursors/.forward-two", journal);
    assert_true(file_exists(path));
    snprintf(path, sizeof path, "rm -r %s", folder);
    assert_int_equal(system(path), 0);
}

/* What is noted is there again; nothing noted is told from a note that was spoilt, and one that is too large is neither written nor read. */
static void notes_are_found_again(void **state)
{
    char folder[] = "/tmp/saqshy-forward-XXXXXX", path[NOTE_PATH], text[NOTE_TEXT], large[NOTE_TEXT + 1];
    struct upstream u = { .data = folder, .stream = "one-0123456789abcdef" };
    struct err e;

    (void)state;
    assert_non_null(mkdtemp(folder));
    note_path(&u, "chain", path);
    assert_true(str_ends(str_c(path), STR("/forward/one-0123456789abcdef.chain")));
    assert_int_equal(note_read(path, text, &e), 0);
    assert_string_equal(text, "");
    assert_int_equal(note_write(&u, "chain", &e, "%s %d\n", u.stream, 7), 0);
    assert_int_equal(note_read(path, text, &e), 23);
    assert_string_equal(text, "one-0123456789abcdef 7\n");
    memset(large, 'x', sizeof large - 1);
    large[sizeof large - 1] = 0;
    assert_int_equal(note_write(&u, "chain", &e, "%s", large), -E2BIG);
    assert_int_equal(note_read(path, text, &e), 23);
    assert_int_equal(file_write_atomic(path, str_c(large), 0640, &e), 0);
    assert_int_equal(note_read(path, text, &e), -E2BIG);
    assert_string_equal(text, "");
    assert_int_equal(file_write_atomic(path, str_of("\0\0", 2), 0640, &e), 0);
    assert_int_equal(note_read(path, text, &e), 2);     /* not "none": whoever reads it fails on what it says */
    assert_int_equal(remove(path), 0);
    *strrchr(path, '/') = 0;
    assert_int_equal(remove(path), 0);
    assert_int_equal(remove(folder), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(events_become_messages),  cmocka_unit_test(answers_are_read_however_they_are_cut),
        cmocka_unit_test(headers_are_judged_whole), cmocka_unit_test(options_are_refused_with_their_place),
        cmocka_unit_test(hosts_have_ports),        cmocka_unit_test(places_are_kept),
        cmocka_unit_test(notes_are_found_again),
    };

    return cmocka_run_group_tests_name("forward", tests, NULL, NULL);
}
