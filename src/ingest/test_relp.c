/* test_relp.c - frames of RELP however they are cut, what is none, and what `open` offers. */
#include "base/test.h"
#include "ingest/relp.h"

struct seen {
    char   text[4096];
    size_t n;
};

/* note - "NUMBER COMMAND DATA" of each piece, '~' behind one of several, '+' behind one that is not the last. */
static bool note(void *arg, const struct relp_frame *f)
{
    struct seen *s = arg;

    s->n += (size_t)snprintf(s->text + s->n, sizeof s->text - s->n, "[%u %.*s %.*s%s%s]", f->txnr, STR_ARG(f->command), STR_ARG(f->data),
                             f->truncated ? "~" : "", f->last ? "" : "+");
    return true;
}

static const struct {
    const char *name, *in, *want, *wrong;
    size_t      limit;
} rows[] = {
    { "a line", "2 syslog 3 abc\n", "[2 syslog abc]", NULL, 100 },
    { "a line feed inside", "2 syslog 3 a\nc\n", "[2 syslog a\nc]", NULL, 100 },
    { "two", "2 syslog 1 a\n3 syslog 1 b\n", "[2 syslog a][3 syslog b]", NULL, 100 },
    { "no data", "9 close 0\n", "[9 close ]", NULL, 100 },
    { "no data, and a space", "9 close 0 \n", "[9 close ]", NULL, 100 },
    { "numbers begin anew", "999999999 syslog 1 a\n1 syslog 1 b\n", "[999999999 syslog a][1 syslog b]", NULL, 100 },
    { "just the limit is whole", "2 syslog 4 abcd\n", "[2 syslog abcd]", NULL, 4 },
    { "one more comes in pieces", "2 syslog 5 abcde\n3 syslog 1 f\n", "[2 syslog abcd~+][2 syslog e~][3 syslog f]", NULL, 4 },
    { "twice the limit", "2 syslog 8 abcdefgh\n", "[2 syslog abcd~+][2 syslog efgh~]", NULL, 4 },
    { "the limit is for lines alone", "1 open 6 offers\n", "[1 open offers]", NULL, 4 },
    { "a frame without its end waits", "2 syslog 3 abc", "", NULL, 100 },
    { "data goes on past its length", "2 syslog 3 abcd\n", "", "no line feed where the data ends", 100 },
    { "what came before counts", "2 syslog 1 a\nx", "[2 syslog a]", "no transaction number where a frame begins", 100 },
    { "ten digits", "1234567890 syslog 1 a\n", "", "no transaction number where a frame begins", 100 },
    { "no number", " syslog 1 a\n", "", "no transaction number where a frame begins", 100 },
    { "no command", "2  1 a\n", "", "no command behind the transaction number", 100 },
    { "a command of digits", "2 12 1 a\n", "", "no command behind the transaction number", 100 },
    { "a command of 33 letters", "2 abcdefghijklmnopqrstuvwxyzabcdefg 0\n", "", "no command behind the transaction number", 100 },
    { "no length", "2 syslog a\n", "", "no length of data behind the command", 100 },
    { "a length without data", "2 syslog 3\nabc\n", "", "no length of data behind the command", 100 },
    { "a length past all lines", "2 syslog 67108865 a", "", "the data is too long", 100 },
    { "too much for an offer", "1 open 16385 a", "", "the data is too long", 100 },
};

static void frames_are_found_however_the_stream_is_cut(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct str in = str_c(rows[i].in);

        for (size_t cut = 0; cut <= in.n; cut++) {
            struct relp_reader r;
            struct seen s = { 0 };
            /* From blocks of just their size, so that a byte too many is seen. */
            char *a = malloc(cut + 1), *b = malloc(in.n - cut + 1);

            assert_non_null(a);
            assert_non_null(b);
            memcpy(a, in.p, cut);
            memcpy(b, in.p + cut, in.n - cut);
            relp_init(&r, rows[i].limit);
            (void)relp_feed(&r, str_of(a, cut), note, &s);
            (void)relp_feed(&r, str_of(b, in.n - cut), note, &s);
            CHECK(rows[i].name, strcmp(s.text, rows[i].want) == 0);
            CHECK(rows[i].name, rows[i].wrong ? r.wrong && strcmp(r.wrong, rows[i].wrong) == 0 : !r.wrong);
            relp_free(&r);
            free(a);
            free(b);
        }
    }
}

static bool stop(void *arg, const struct relp_frame *f)
{
    (void)note(arg, f);
    return false;
}

static void whoever_takes_frames_may_stop(void **state)
{
    struct relp_reader r;
    struct seen s = { 0 };

    (void)state;
    relp_init(&r, 100);
    assert_false(relp_feed(&r, STR("2 close 0\n3 syslog 1 a\n"), stop, &s));
    assert_null(r.wrong);
    assert_string_equal(s.text, "[2 close ]");
    relp_free(&r);
}

static const struct {
    const char *name, *in;
    int         rc;
    uint32_t    version;
    bool        syslog;
} offers[] = {
    { "as librelp offers", "relp_version=0\nrelp_software=librelp,1.11.0,http://librelp.adiscon.com\ncommands=syslog", 0, 0, true },
    { "line feeds around", "\nrelp_version=1\n\ncommands=syslog\n", 0, 1, true },
    { "one of several", "commands=eventlog,syslog,more\nrelp_version=1", 0, 1, true },
    { "another command", "relp_version=1\ncommands=syslogs", 0, 1, false },
    { "no commands", "relp_version=1", 0, 1, false },
    { "no version", "commands=syslog", -EBADMSG, 0, true },
    { "nothing", "", -EBADMSG, 0, false },
    { "a version of letters", "relp_version=one\ncommands=syslog", -EBADMSG, 0, false },
    { "a version without end", "relp_version=1234567890\ncommands=syslog", -EBADMSG, 0, false },
};

static void offers_are_read(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(offers); i++) {
        uint32_t version = 0;
        bool syslog;
        struct err e;

        CHECK(offers[i].name, relp_offers(str_c(offers[i].in), &version, &syslog, &e) == offers[i].rc);
        CHECK(offers[i].name, version == offers[i].version && syslog == offers[i].syslog);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(frames_are_found_however_the_stream_is_cut),
        cmocka_unit_test(whoever_takes_frames_may_stop),
        cmocka_unit_test(offers_are_read),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
