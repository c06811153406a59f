/* test_tables.c - the worker's tables: objects, sources, and our own log across rotation. */
#include "ingest/worker.h"
#include "ingest/conformance.h"
#include "base/file.h"
#include "base/test.h"

#include <sys/stat.h>

static char folder[64];

static const char *at(const char *name)
{
    static char path[2][256];
    static int turn;

    turn = !turn;
    snprintf(path[turn], sizeof path[turn], "%s/%s", folder, name);
    return path[turn];
}

static int setup(void **state)
{
    (void)state;
    snprintf(folder, sizeof folder, "/tmp/saqshy-tables-XXXXXX");
    return mkdtemp(folder) ? 0 : -1;
}

static int teardown(void **state)
{
    static const char *const names[] = { "objects.tsv", "sources.json", "annex4.json", "own.jsonl", "own.jsonl.1", "" };

    (void)state;
    for (size_t i = 0; i < COUNT(names); i++)
        remove(at(names[i]));
    return 0;
}

static void write_file(const char *name, const char *text)
{
    struct err e;

    assert_int_equal(file_write_atomic(at(name), str_c(text), 0600, &e), 0);
}

static void hosts_and_addresses_find_their_object(void **state)
{
    struct objects *o = NULL;
    struct err e;

    (void)state;
    assert_int_equal(objects_new(at("objects.tsv"), &o, &e), 0);
    assert_int_equal(objects_find(o, STR("srv-1")).n, 0);
    write_file("objects.tsv", "SRV-1\t7\n192.0.2.9\t8\nbroken\n\tx\n\nsrv-2\t 9 \n");
    objects_reload(o);
    assert_true(str_eq(objects_find(o, STR("srv-1")), STR("7")));
    assert_true(str_eq(objects_find(o, STR("Srv-1")), STR("7")));
    assert_true(str_eq(objects_find(o, STR("192.0.2.9")), STR("8")));
    assert_true(str_eq(objects_find(o, STR("srv-2")), STR("9")));
    assert_int_equal(objects_find(o, STR("srv")).n, 0);
    assert_int_equal(objects_find(o, STR("")).n, 0);
    write_file("objects.tsv", "srv-1\t70\n");
    objects_reload(o);
    assert_true(str_eq(objects_find(o, STR("srv-1")), STR("70")));
    assert_int_equal(objects_find(o, STR("srv-2")).n, 0);
    objects_free(&o);
}

static struct source_seen by_syslog(const void *arg, size_t event)
{
    (void)arg;
    (void)event;
    return (struct source_seen){ .listener = STR("syslog_tcp"), .peer = STR("192.0.2.9") };
}

static void count(struct sources *s, const char *id, enum event_parse parse, time_ns when)
{
    struct event ev = { .source = str_c(id), .parse = parse, .received = when, .original = STR("12345"), .parser = STR("sshd"),
                        .class = CLASS_OS_UNIX, .object = STR("7") };

    sources_count(s, &ev, 1, by_syslog, NULL);
}

/* sources_none - a table that remembers nothing. */
static struct sources *sources_none(void)
{
    struct sources *s = NULL;
    struct err e;

    remove(at("sources.json"));
    assert_int_equal(sources_new(at("sources.json"), &s, &e), 0);
    return s;
}

/* says - what the table publishes has this text in it. */
static bool says(struct sources *s, const char *text)
{
    AUTO_BUF struct buf b = { 0 };
    struct err e;

    buf_init(&b, MIB);
    sources_publish(s, true);
    assert_int_equal(file_read(at("sources.json"), MIB, &b, &e), 0);
    return str_find(buf_view(&b), str_c(text)) >= 0;
}

static void sources_are_counted_kept_and_bounded(void **state)
{
    AUTO_BUF struct buf b = { 0 };
    struct sources *s = NULL;
    struct err e;
    char id[32];

    (void)state;
    buf_init(&b, 64u * MIB);
    assert_int_equal(sources_new(at("sources.json"), &s, &e), 0);
    count(s, "srv \"1\"", EVENT_PARSE_OK, NS_PER_DAY);
    count(s, "srv \"1\"", EVENT_PARSE_FAILED, 2 * NS_PER_DAY);
    count(s, "srv \"2\"", EVENT_PARSE_OK, 2 * NS_PER_DAY);
    sources_publish(s, true);
    sources_free(&s);
    assert_int_equal(sources_new(at("sources.json"), &s, &e), 0);      /* counts live on, what was found of Annex 4 until the next line */
    count(s, "srv \"2\"", EVENT_PARSE_OK, 3 * NS_PER_DAY);
    sources_publish(s, true);
    assert_int_equal(file_read(at("annex4.json"), MIB, &b, &e), 0);
    assert_true(str_find(buf_view(&b), STR("{\"source\":\"srv \\\"1\\\"\",\"host\":\"\",\"object\":\"7\",\"listener\":\"syslog_tcp\",\"class\":\"os-unix\",\"chapter\":1,")) >= 0);
    assert_true(str_find(buf_view(&b), STR("\"seen\":2,\"judged\":2")) >= 0 && str_find(buf_view(&b), STR("\"seen\":1,\"judged\":1")) >= 0);
    count(s, "srv \"1\"", EVENT_PARSE_OK, 3 * NS_PER_DAY);
    sources_publish(s, true);
    assert_int_equal(file_read(at("sources.json"), MIB, &b, &e), 0);
    assert_true(str_find(buf_view(&b), STR("{\"id\":\"srv \\\"1\\\"\",\"host\":\"\",\"object\":\"7\",\"class\":\"os-unix\",\"listener\":\"syslog_tcp\","
                                           "\"first_seen\":\"1970-01-02T00:00:00Z\",\"last_seen\":\"1970-01-04T00:00:00Z\",\"events\":3,"
                                           "\"unparsed\":1,\"bytes\":15,\"truncated\":0,\"rate_min\":0,\"silence_s\":86400,\"peer\":\"192.0.2.9\",\"parsers\":{\"sshd\":3}}")) >= 0);
    for (int i = 0; i < SOURCES_MAX + 10; i++) {
        snprintf(id, sizeof id, "s%d", i);
        count(s, id, EVENT_PARSE_OK, NS_PER_DAY);
    }
    sources_publish(s, true);
    assert_int_equal(file_read(at("sources.json"), 32u * MIB, &b, &e), 0);
    assert_true(str_find(buf_view(&b), STR("\"srv ")) < 0);            /* the one silent for longest is gone */
    assert_true(str_find(buf_view(&b), STR("\"s9\"")) < 0);
    assert_true(str_find(buf_view(&b), STR("\"s10\"")) >= 0);
    assert_int_equal(file_read(at("annex4.json"), 64u * MIB, &b, &e), 0);   /* each of them is held against Annex 4 */
    assert_true(str_find(buf_view(&b), STR("{\"source\":\"s10\",")) >= 0 && str_find(buf_view(&b), STR("{\"source\":\"s20009\",")) >= 0);
    assert_true(str_find(buf_view(&b), STR("\"row\":\"R-A4-DT1\"")) >= 0);
    sources_free(&s);
    write_file("sources.json", "[{\"id\":7},null,{\"id\":\"x\",\"events\":-4,\"parsers\":[1]},");
    assert_int_equal(sources_new(at("sources.json"), &s, &e), 0);      /* damaged: begun anew */
    sources_free(&s);
    write_file("sources.json", "[{\"id\":7},null,{\"id\":\"x\",\"events\":-4,\"parsers\":[1]}]");
    assert_int_equal(sources_new(at("sources.json"), &s, &e), 0);
    sources_free(&s);
}

static struct source_seen by_number(const void *arg, size_t event)
{
    const struct str *hosts = arg;

    return (struct source_seen){ .host = hosts[event] };
}

static void sources_of_one_portion_keep_the_texts_of_their_last_event(void **state)
{
    static const struct str hosts[] = { STR_INIT("a-1"), STR_INIT("b-1"), STR_INIT("a-2"), STR_INIT("c-1"), STR_INIT("b-2") };
    struct event ev[COUNT(hosts)] = { 0 };
    struct sources *s = sources_none();

    (void)state;
    for (size_t i = 0; i < COUNT(hosts); i++)
        ev[i] = (struct event){ .source = str_of(hosts[i].p, 1), .received = NS_PER_DAY, .parser = i == 3 ? STR(EVENT_PARSER_FACTS) : STR("sshd"),
                                .class = i == 4 ? CLASS_NONE : CLASS_FW };
    sources_count(s, ev, COUNT(ev), by_number, hosts);
    assert_true(says(s, "{\"id\":\"a\",\"host\":\"a-2\",\"object\":\"\",\"class\":\"fw\","));
    assert_true(says(s, "{\"id\":\"b\",\"host\":\"b-2\",\"object\":\"\",\"class\":\"fw\","));   /* one without a class changes it not */
    assert_true(says(s, "\"events\":2,") && !says(s, "\"c-1\""));                              /* facts are no log */
    sources_free(&s);
    remove(at("sources.json"));
}

static void by_parser(struct sources *s, const char *id, struct str parser)
{
    struct event ev[2] = { { .source = str_c(id), .received = NS_PER_DAY, .parser = parser }, { .source = str_c(id), .received = NS_PER_DAY, .parser = parser } };

    sources_count(s, ev, 2, by_syslog, NULL);
}

static void parsers_are_counted_by_their_names_wherever_these_lie(void **state)
{
    char place[16] = "one", other[16] = "two";
    struct sources *s = sources_none();
    char name[16];

    (void)state;
    by_parser(s, "a", str_of(place, 3));
    by_parser(s, "a", str_of(other, 3));
    memcpy(place, "two", 3);                                       /* what lay at a place is something else for the next events */
    by_parser(s, "a", str_of(place, 3));
    by_parser(s, "a", str_of(place, 2));
    by_parser(s, "a", str_of(place, 0));
    by_parser(s, "a", str_of(NULL, 0));
    assert_true(says(s, "\"parsers\":{\"one\":2,\"two\":4,\"tw\":2}"));
    for (int i = 0; i < 5000; i++) {                               /* names without end, by whoever may say which parser it was: those that are known count on */
        snprintf(name, sizeof name, "p%d", i);
        by_parser(s, i < 2500 ? "b" : "c", str_c(name));
    }
    by_parser(s, "a", str_of(other, 3));
    by_parser(s, "d", STR("p4000"));
    by_parser(s, "d", STR("p4999"));
    assert_true(says(s, "\"parsers\":{\"one\":2,\"two\":6,\"tw\":2}"));
    assert_true(says(s, "\"p31\":2}") && says(s, "\"p2531\":2}"));   /* a source has as many as SOURCE_PARSERS_MAX */
    assert_true(says(s, "\"parsers\":{\"p4000\":2}}"));
    sources_free(&s);
    remove(at("sources.json"));
}

/* of_object - a line of a host name that two organisations use. */
static void of_object(struct sources *s, const char *object, const char *line, time_ns when)
{
    struct event ev = { .source = STR("fw1"), .received = when, .original = str_c(line), .class = CLASS_OS_UNIX, .object = str_c(object) };

    sources_count(s, &ev, 1, by_syslog, NULL);
}

static size_t rows_with(struct str text, const char *one, const char *other)
{
    struct str line;
    size_t n = 0;

    while (str_split(&text, '\n', &line))
        n += str_find(line, str_c(one)) >= 0 && (!other || str_find(line, str_c(other)) >= 0);
    return n;
}

static void lines_of_one_object_are_no_samples_of_another(void **state)
{
    AUTO_BUF struct buf b = { 0 };
    struct sources *s = NULL;
    struct err e;

    (void)state;
    buf_init(&b, MIB);
    remove(at("sources.json"));
    remove(at("annex4.json"));
    assert_int_equal(sources_new(at("sources.json"), &s, &e), 0);
    of_object(s, "", "before anybody said whose it is", NS_PER_DAY);
    for (int i = 0; i < 50; i++) {
        of_object(s, "7", "secret of the bank", NS_PER_DAY);
        of_object(s, "8", "secret of the ministry", NS_PER_DAY);
    }
    sources_publish(s, true);
    assert_int_equal(file_read(at("annex4.json"), MIB, &b, &e), 0);
    assert_int_equal(rows_with(buf_view(&b), "\"object\":\"7\"", NULL), 1);
    assert_int_equal(rows_with(buf_view(&b), "\"object\":\"8\"", NULL), 1);
    assert_int_equal(rows_with(buf_view(&b), "\"object\":\"\"", NULL), 0);      /* what was nobody's is that of the first who has it */
    assert_int_equal(rows_with(buf_view(&b), "\"object\":\"8\"", "of the ministry"), 1);
    assert_int_equal(rows_with(buf_view(&b), "\"object\":\"7\"", "of the ministry") + rows_with(buf_view(&b), "\"object\":\"8\"", "of the bank"), 0);
    sources_free(&s);
    assert_int_equal(sources_new(at("sources.json"), &s, &e), 0);      /* after a restart the one that it has now */
    of_object(s, "9", "secret of the third", NS_PER_DAY);
    for (int i = 0; i < 1000; i++) {
        char object[16];

        snprintf(object, sizeof object, "o%d", i);
        of_object(s, object, "x", NS_PER_DAY);
    }
    sources_publish(s, true);
    assert_int_equal(file_read(at("annex4.json"), MIB, &b, &e), 0);
    assert_int_equal(rows_with(buf_view(&b), "\"object\":\"7\"", NULL), 0);
    assert_int_equal(rows_with(buf_view(&b), "\"object\":\"8\"", "of the ministry"), 1);
    assert_int_equal(rows_with(buf_view(&b), "\"object\":\"9\"", "of the third"), 1);
    assert_true(rows_with(buf_view(&b), "{\"source\":\"fw1\"", NULL) <= CONFORMANCE_TALLIES);
    sources_free(&s);
    remove(at("sources.json"));
    remove(at("annex4.json"));
}

/* An outage is the longest silence for a while, then it is forgotten: else nobody would hear of the next one. */
static void the_longest_silence_is_that_of_this_week_and_the_last(void **state)
{
    static const struct {
        const char *name, *want;
        time_ns     day, hour;
    } rows[] = {
        { "the first event", "\"silence_s\":0,", 0, 0 },         { "an hour later", "\"silence_s\":3600,", 0, 1 },
        { "three days of outage", "\"silence_s\":259200,", 3, 1 }, { "another hour", "\"silence_s\":259200,", 3, 2 },
        { "next week, kept", "\"silence_s\":432000,", 8, 2 },     { "the same week", "\"silence_s\":432000,", 8, 3 },
        { "a week on", "\"silence_s\":518400,", 14, 3 },          { "two weeks on", "\"silence_s\":604800,", 21, 3 },
    };
    struct sources *s = sources_none();

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        count(s, "srv", EVENT_PARSE_OK, rows[i].day * NS_PER_DAY + rows[i].hour * NS_PER_HOUR + NS_PER_SECOND);
        CHECK(rows[i].name, says(s, rows[i].want));
    }
    for (int day = 22; day < 40; day++)
        count(s, "srv", EVENT_PARSE_OK, day * NS_PER_DAY + 4 * NS_PER_HOUR);
    assert_true(says(s, "\"silence_s\":86400,"));
    sources_free(&s);
    remove(at("sources.json"));
}

/* numbered - a line of a device that counts its lines. */
static void numbered(struct sources *s, const char *number)
{
    struct event_field f = { STR("event.sequence"), str_c(number) };
    struct event ev = { .source = STR("sw-1"), .received = NS_PER_DAY, .original = STR("1"), .fields = &f, .field_count = 1 };

    sources_count(s, &ev, 1, by_syslog, NULL);
}

static void lines_that_a_sender_numbered_and_we_never_saw_are_counted(void **state)
{
    static const struct {
        const char *number, *gaps;
    } rows[] = {
        { "100", "\"gaps\":0" },      { "101", "\"gaps\":0" },      { "105", "\"gaps\":3" }, { "103", "\"gaps\":2" },  /* late, not lost */
        { "106", "\"gaps\":2" },      { "1", "\"gaps\":2" },        /* the device began again */
        { "2", "\"gaps\":2" },        { "900000000", "\"gaps\":2" }, { "900000002", "\"gaps\":3" }, { "x", "\"gaps\":3" },
    };
    struct sources *s = sources_none();

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        numbered(s, rows[i].number);
        CHECK(rows[i].number, says(s, rows[i].gaps));
    }
    sources_free(&s);
    remove(at("sources.json"));
}

/* A journal's memory of origins, as far as the own log needs it. */
struct memory {
    struct ownlog_part parts[16];
    size_t             count, lines;
};

static uint64_t seen(void *arg, struct str id)
{
    struct memory *m = arg;

    for (size_t i = 0; i < m->count; i++)
        if (str_eq(str_c(m->parts[i].id), id))
            return m->parts[i].end;
    return 0;
}

/* follow - take all there is; with lose, die before remembering the last part. */
static void follow(struct memory *m, struct ownlog *o)
{
    for (;;) {
        struct pile *p = pile_new();
        struct ownlog_part part;
        size_t i = 0;

        if (ownlog_next(o, p, &part, seen, m) <= 0) {
            pile_free(&p);
            return;
        }
        m->lines += p->count;
        while (i < m->count && strcmp(m->parts[i].id, part.id) != 0)
            i++;
        assert_true(i < COUNT(m->parts));
        assert_true(i == m->count || part.end > m->parts[i].end);
        m->parts[i] = part;
        m->count = max_size(m->count, i + 1);
        ownlog_taken(o, &part);
        pile_free(&p);
    }
}

static void append(const char *name, const char *text)
{
    FILE *f = fopen(at(name), "a");

    assert_non_null(f);
    fputs(text, f);
    fclose(f);
}

static void our_own_log_is_followed_across_rotation_and_restart(void **state)
{
    struct memory m = { 0 };
    struct ownlog *o = NULL;
    struct err e;

    (void)state;
    assert_int_equal(ownlog_new(at("own.jsonl"), &o, &e), 0);
    follow(&m, o);
    assert_int_equal(m.lines, 0);
    append("own.jsonl", "{\"a\":1}\n{\"a\":2}\n{\"a\"");     /* the last one is not whole yet */
    follow(&m, o);
    assert_int_equal(m.lines, 2);
    append("own.jsonl", ":3}\n");
    assert_int_equal(rename(at("own.jsonl"), at("own.jsonl.1")), 0);
    append("own.jsonl", "{\"b\":1}\n");
    follow(&m, o);
    assert_int_equal(m.lines, 4);
    ownlog_free(&o);
    append("own.jsonl", "{\"b\":2}\n");
    assert_int_equal(rename(at("own.jsonl"), at("own.jsonl.1")), 0);
    append("own.jsonl", "{\"c\":1}\n");
    assert_int_equal(ownlog_new(at("own.jsonl"), &o, &e), 0);
    follow(&m, o);
    assert_int_equal(m.lines, 6);
    assert_int_equal(ownlog_lag(o), 0);
    write_file("own.jsonl", "");                               /* begun anew */
    append("own.jsonl", "{\"d\":1}\n");
    follow(&m, o);
    assert_int_equal(m.lines, 7);
    ownlog_free(&o);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(hosts_and_addresses_find_their_object),
        cmocka_unit_test(the_longest_silence_is_that_of_this_week_and_the_last),
        cmocka_unit_test(sources_are_counted_kept_and_bounded),
        cmocka_unit_test(sources_of_one_portion_keep_the_texts_of_their_last_event),
        cmocka_unit_test(parsers_are_counted_by_their_names_wherever_these_lie),
        cmocka_unit_test(lines_of_one_object_are_no_samples_of_another),
        cmocka_unit_test(lines_that_a_sender_numbered_and_we_never_saw_are_counted),
        cmocka_unit_test(our_own_log_is_followed_across_rotation_and_restart),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
