/* test_keep.c - terms against their floor, the forecast as arithmetic, the reserve and its way back. Time is a number. */
#include "base/file.h"
#include "base/metrics.h"
#include "base/test.h"
#include "keep/keep.h"

#include <unistd.h>

#define TODAY (INT64_C(20000) * NS_PER_DAY + 12 * NS_PER_HOUR)
#define G     (INT64_C(1) << 30)

static void test_look_ahead(void **state)
{
    static const struct {
        const char *name;
        int32_t     from, to;          /* days of the store, each of 1 GiB and 1000 events */
        struct keep_terms terms;
        struct keep_room  room;
        int64_t pace, full, need, have;
        int     measured;
        bool    archive_first;
    } rows[] = {
        { "what is not events takes room too", 19990, 19999, { 1096, 62, 1096 }, { 10 * G, 20 * G, false, 0, G }, G, 6, 1096 * G, 20 * G, 7, false },
        { "nothing stored: no pace, not in sight", 1, 0, { 1096, 62, 1096 }, { 10 * G, 20 * G, false, 0 }, 0, -1, 0, 10 * G, 0, false },
        { "ten days of room at a gibibyte a day", 19990, 19999, { 1096, 62, 1096 }, { 10 * G, 20 * G, false, 0 }, G, 11, 1096 * G, 20 * G, 7, false },
        { "the term gives back as much as comes", 19989, 19999, { 10, 2, 10 }, { 2 * G, 20 * G, false, 0 }, G, -1, 10 * G, 13 * G, 7, false },
        { "one day short of the term's balance", 19995, 19999, { 10, 2, 10 }, { 4 * G, 20 * G, false, 0 }, G, 5, 10 * G, 9 * G, 5, false },
        { "a longer term gives nothing back in time", 19989, 19999, { 10, 2, 1096 }, { 2 * G, 20 * G, false, 0 }, G, 3, 10 * G, 13 * G, 7, false },
        { "the archive takes what leaves fast reach", 19990, 19999, { 1096, 10, 1096 }, { 2 * G, 20 * G, true, 2000 * G }, G, -1, 1096 * G, 2012 * G, 7, false },
        { "the archive is full first", 19990, 19999, { 1096, 9, 1096 }, { 2 * G, 20 * G, true, 5 * G }, G, 6, 1096 * G, 17 * G, 7, true },
        { "the reserve is touched already", 19990, 19999, { 1096, 62, 1096 }, { -1, 20 * G, false, 0 }, G, 0, 1096 * G, 10 * G, 7, false },
        { "the first day alone: half of it gave a gibibyte", 20000, 20000, { 1096, 62, 1096 }, { 10 * G, 20 * G, false, 0 }, 2 * G, 6, 2192 * G, 11 * G, 0, false },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct store_day list[32];
        struct keep_outlook o;
        size_t count = 0;

        for (int32_t d = rows[i].from; d <= rows[i].to; d++)
            list[count++] = (struct store_day){ .day = d, .parts = 1, .events = 1000, .bytes = (uint64_t)G };
        keep_look_ahead(list, count, TODAY, &rows[i].terms, &rows[i].room, &o);
        if (o.full_in_days != rows[i].full || o.have_bytes != rows[i].have)
            print_message("%s: full %lld, have %lld GiB\n", rows[i].name, (long long)o.full_in_days, (long long)(o.have_bytes / G));
        CHECK(rows[i].name, o.bytes_day == rows[i].pace && o.full_in_days == rows[i].full && o.measured_days == rows[i].measured);
        CHECK(rows[i].name, o.archive_first == rows[i].archive_first && o.need_bytes == rows[i].need && o.have_bytes == rows[i].have);
    }
}

static void test_reserve(void **state)
{
    static const struct { const char *in; bool sound; int64_t of_20g, of_200g; } rows[] = {
        { "", true, G, 2 * G },             /* 5 %, at most 2 GiB */
        { "5%", true, G, 10 * G },
        { "2GiB", true, 2 * G, 2 * G },
        { " 500 MiB ", true, INT64_C(500) << 20, INT64_C(500) << 20 },
        { "1000000", true, 1000000, 1000000 },
        { "0", false, 0, 0 },
        { "51%", false, 0, 0 },
        { "0%", false, 0, 0 },
        { "-1", false, 0, 0 },
        { "2GB", false, 0, 0 },
        { "9223372036854775807TiB", false, 0, 0 },
        { "much", false, 0, 0 },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct reserve r;

        CHECK(rows[i].in, reserve_parse(str_c(rows[i].in), &r) == rows[i].sound);
        if (rows[i].sound)
            CHECK(rows[i].in, reserve_of(&r, 20 * G) / 100 == rows[i].of_20g / 100 && reserve_of(&r, 200 * G) / 100 == rows[i].of_200g / 100);
    }
}

static void test_a_touched_reserve_is_left_only_when_an_eighth_more_is_free(void **state)
{
    static const struct { const char *name; int64_t free; enum space_state was, want; } rows[] = {
        { "plenty", 300, SPACE_OK, SPACE_OK },
        { "less than twice", 199, SPACE_OK, SPACE_LOW },
        { "just the reserve", 100, SPACE_LOW, SPACE_LOW },
        { "a byte less", 99, SPACE_LOW, SPACE_TOUCHED },
        { "touched stays touched at the border", 111, SPACE_TOUCHED, SPACE_TOUCHED },
        { "an eighth more", 112, SPACE_TOUCHED, SPACE_LOW },
        { "room again", 200, SPACE_TOUCHED, SPACE_OK },
        { "nothing at all", 0, SPACE_OK, SPACE_TOUCHED },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++)
        CHECK(rows[i].name, space_judge(rows[i].free, 100, rows[i].was) == rows[i].want);
}

/* checked - what keep_check says of a configuration with these lines. */
static int checked(const char *lines, struct err *e)
{
    char file[] = "/tmp/saqshy-keep-XXXXXX", content[4096];
    const char *root = getenv("SAQSHY_SOURCE");
    struct node *n = NULL;
    int fd = mkstemp(file), rc;
    FILE *f = fdopen(fd, "w");

    assert_non_null(f);
    snprintf(content, sizeof content, "%s/content", root ? root : ".");
    fprintf(f, "content: %s\n%s\n", content, lines);
    fclose(f);
    rc = node_load(file, "/", &n, e);
    if (rc == 0)
        rc = keep_check(n, e);
    node_free(&n);
    unlink(file);
    return rc;
}

static void test_a_term_below_the_least_one_needs_a_reason_a_name_and_a_day(void **state)
{
    static const struct { const char *name, *lines, *story; } rows[] = {
        { "the defaults", "", NULL },
        { "longer than the law", "retention: {days: 2000}", NULL },
        { "shorter without a word", "retention: {days: 30}", "A shorter term needs" },
        { "the older name of the setting", "store: {retention_days: 30}", "A shorter term needs" },
        { "a reason alone", "retention: {days: 30, reason: stand}", "A shorter term needs" },
        { "a decision", "retention: {days: 30, reason: a test stand, decided_by: A. Head, decided_on: 2026-03-01}", NULL },
        { "no such day", "retention: {days: 30, reason: r, decided_by: h, decided_on: 2026-02-30}", "must be a day" },
        { "fast reach too short", "retention: {fast_days: 10, archive: /mnt/x}", "A shorter term needs" },
        { "fast reach without an archive is the whole term", "retention: {fast_days: 10}", NULL },
        { "an archive that would stay empty", "retention: {fast_days: 1096, archive: /mnt/x}", "the archive would stay empty" },
        { "a longer term", "retention:\n  longer:\n    - {name: security, class: sec, days: 1826}", NULL },
        { "a longer term that is not", "retention:\n  longer:\n    - {name: security, class: sec, days: 1000}", "must be longer" },
        { "a filter that is none", "retention:\n  longer:\n    - {name: security, filter: '(a', days: 2000}", "the filter of \"security\"" },
        { "without a filter", "retention:\n  longer:\n    - {name: security, days: 2000}", "needs one of" },
        { "a class and a filter", "retention:\n  longer:\n    - {name: s, class: sec, filter: a, days: 2000}", "needs one of" },
        { "a class that there is not", "retention:\n  longer:\n    - {name: s, class: security, days: 2000}", "unknown class \"security\"" },
        { "the same as a filter", "retention:\n  longer:\n    - {name: s, filter: 'saqshy.class:security', days: 2000}", "unknown class" },
        { "a profile", "ingest:\n  sources:\n    - {name: bank, address: 10.1.0.0/16, host: 'db*'}\nretention:\n  longer:\n    - {name: s, profile: bank, days: 2000}", NULL },
        { "a profile that there is not", "retention:\n  longer:\n    - {name: s, profile: bank, days: 2000}", "there is no source \"bank\"" },
        { "a profile by which events cannot be known again", "ingest:\n  sources:\n    - {name: bank, listener: syslog_tcp}\nretention:\n  longer:\n    - {name: s, profile: bank, days: 2000}", "has neither" },
        { "an unknown key", "retention:\n  longer:\n    - {name: s, filter: a, days: 2000, until: never}", "until" },
        { "a reserve that is none", "retention: {reserve: 99%}", "must be a share" },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct err e = { 0 };
        int rc = checked(rows[i].lines, &e);

        if ((rc < 0) != (rows[i].story != NULL))
            print_message("%s: %s\n", rows[i].name, e.text);
        CHECK(rows[i].name, (rc < 0) == (rows[i].story != NULL) && (!rows[i].story || strstr(e.text, rows[i].story)));
    }
}

static void test_a_profile_selects_what_its_entry_says_of_senders(void **state)
{
    static const struct { const char *name, *entry, *address, *host; bool kept; } rows[] = {
        { "by address", "address: 10.0.0.7", "10.0.0.7", "x", true },
        { "another address", "address: 10.0.0.7", "10.0.0.8", "x", false },
        { "by network", "address: 10.1.0.0/16", "10.1.200.3", "x", true },
        { "outside of it", "address: 10.1.0.0/16", "10.2.0.1", "x", false },
        { "by network of version 6", "address: '2001:db8::/32'", "2001:db8::17", "x", true },
        { "outside of that", "address: '2001:db8::/32'", "2001:db9::17", "x", false },
        { "by host", "host: DB-1", "10.0.0.7", "db-1", true },
        { "by the beginning of a host", "host: 'db*'", "10.0.0.7", "db-17", true },
        { "by the end of a host", "host: '*.bank.kz'", "10.0.0.7", "db-17.bank.kz", true },
        { "another end", "host: '*.bank.kz'", "10.0.0.7", "db-17.bank.ru", false },
        { "both, and one of them does not match", "address: 10.0.0.7, host: 'db*'", "10.0.0.7", "web-1", false },
        { "both", "address: 10.0.0.7, host: 'db*'", "10.0.0.7", "db-1", true },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        static struct metrics metrics;
        char file[] = "/tmp/saqshy-keep-XXXXXX", content[4096];
        const char *root = getenv("SAQSHY_SOURCE");
        int fd = mkstemp(file);
        FILE *f = fdopen(fd, "w");
        struct event_batch b;
        struct node *n = NULL;
        struct keep *k = NULL;
        struct err e;

        assert_non_null(f);
        snprintf(content, sizeof content, "%s/content", root ? root : ".");
        fprintf(f, "content: %s\ningest:\n  sources:\n    - {name: bank, %s}\nretention:\n  longer:\n    - {name: s, profile: bank, days: 2000}\n", content, rows[i].entry);
        fclose(f);
        if (node_load(file, "/", &n, &e) < 0 || keep_check(n, &e) < 0 || keep_open(n, &metrics, &k, &e) < 0)
            fail_msg("%s: %s", rows[i].name, e.text);
        event_batch_init(&b, 0);
        struct event *ev = event_batch_add(&b);
        assert_int_equal(event_add(ev, &b.arena, STR("log.source.address"), str_c(rows[i].address)), 0);
        assert_int_equal(event_add(ev, &b.arena, STR("host.name"), str_c(rows[i].host)), 0);
        CHECK(rows[i].name, query_match(keep_policy(k)->longer[0].filter, ev) == rows[i].kept);
        event_batch_free(&b);
        keep_close(&k);
        node_free(&n);
        unlink(file);
    }
}

/* --- the picture --- */

static void write_text(const char *folder, const char *name, struct str text)
{
    char path[256];
    struct err e;

    snprintf(path, sizeof path, "%s/%s", folder, name);
    if (file_write_atomic(path, text, 0640, &e) < 0)
        fail_msg("%s", e.text);
}

/* A node with a term of 30 days for a reason, and a history that is too long and has rubbish in it; its keeper at work. */
struct stand {
    char           folder[32];
    struct metrics metrics;
    struct node   *n;
    struct keep   *k;
};

static void stand_make(struct stand *s)
{
    static const char *const folders[] = { "run", "store" };
    char content[4096], path[256];
    const char *root = getenv("SAQSHY_SOURCE");
    AUTO_BUF struct buf b = { 0 }, lines = { 0 };
    struct err e;

    buf_init(&b, 0);
    buf_init(&lines, 0);
    memset(s, 0, sizeof *s);
    snprintf(s->folder, sizeof s->folder, "/tmp/saqshy-keep-XXXXXX");
    assert_non_null(mkdtemp(s->folder));
    snprintf(content, sizeof content, "%s/content", root ? root : ".");
    for (size_t i = 0; i < COUNT(folders); i++) {
        snprintf(path, sizeof path, "%s/%s", s->folder, folders[i]);
        assert_int_equal(file_mkdirs(path, 0750, &e), 0);
    }
    for (int d = 0; d < 900; d++) {
        struct civil c = civil_from_days(20000 + d);

        buf_printf(&lines, d % 100 ? "%04d-%02d-%02d 1000 10 5000\n" : "rubbish\n", c.year, c.month, c.day);
    }
    write_text(s->folder, "store/GROWTH", buf_view(&lines));
    buf_printf(&b, "data: .\ncontent: %s\nretention:\n  days: 30\n  reason: a \"stand\"\n  decided_by: A. Head\n  decided_on: 2026-03-01\n"
                   "  longer:\n    - {name: security, class: sec, days: 60}\n", content);
    write_text(s->folder, "saqshyd.yaml", buf_view(&b));
    snprintf(path, sizeof path, "%s/saqshyd.yaml", s->folder);
    if (node_load(path, "/", &s->n, &e) < 0 || keep_check(s->n, &e) < 0 || keep_open(s->n, &s->metrics, &s->k, &e) < 0)
        fail_msg("%s", e.text);
}

/* stand_remove - there is nothing in its folder but what belongs there. published: a picture too. */
static void stand_remove(struct stand *s, bool published)
{
    static const char *const names[] = { "run/retention.json", "store/GROWTH", "saqshyd.yaml", "run", "store" };
    char path[256];

    keep_close(&s->k);
    node_free(&s->n);
    for (size_t i = published ? 0 : 1; i < COUNT(names); i++) {
        snprintf(path, sizeof path, "%s/%s", s->folder, names[i]);
        assert_int_equal(remove(path), 0);
    }
    assert_int_equal(remove(s->folder), 0);
}

static void publish(struct stand *s, int64_t day)
{
    struct err e;

    if (keep_publish(s->k, day * NS_PER_DAY, &e) < 0)
        fail_msg("%s", e.text);
}

static void test_the_picture_tells_all(void **state)
{
    static struct stand s;
    char told[512];
    json_t *all = NULL;
    struct err e;

    (void)state;
    stand_make(&s);
    (void)keep_watch(s.k, 21000 * NS_PER_DAY, told);
    publish(&s, 21000);
    assert_int_equal(keep_picture(s.folder, &all, &e), 0);
    const json_t *terms = json_object_get(all, "terms");
    assert_int_equal(json_integer_value(json_object_get(terms, "days")), 30);
    assert_int_equal(json_integer_value(json_object_get(terms, "least_days")), 1096);
    assert_true(json_is_true(json_object_get(terms, "shorter")));
    assert_string_equal(json_string_value(json_object_get(terms, "reason")), "a \"stand\"");
    assert_int_equal(json_array_size(json_object_get(terms, "longer")), 1);
    assert_true(json_array_size(json_object_get(json_object_get(all, "space"), "places")) >= 1);
    assert_true(json_is_null(json_object_get(json_object_get(all, "outlook"), "full_in_days")));
    json_decref(all);
    stand_remove(&s, true);
}

static void test_the_history_is_bounded_and_no_day_to_come_stays_in_it(void **state)
{
    static struct stand s;
    char path[256], told[512];
    AUTO_BUF struct buf b = { 0 };
    size_t rows = 0;
    struct err e;

    (void)state;
    buf_init(&b, 0);
    stand_make(&s);
    (void)keep_watch(s.k, 21000 * NS_PER_DAY, told);
    publish(&s, 21000);
    snprintf(path, sizeof path, "%s/store/GROWTH", s.folder);
    assert_int_equal(file_read(path, MIB, &b, &e), 0);
    for (size_t i = 0; i < b.n; i++)
        rows += b.p[i] == '\n';
    assert_int_equal(rows, GROWTH_DAYS_MAX);
    assert_true(str_find(buf_view(&b), STR("2027-07-01 0 0 ")) > 0);    /* day 21000, the newest */
    /* A clock that ran ahead and was set right: what it wrote of days that are still to come is no reason to write nothing until then. */
    publish(&s, 20950);
    buf_reset(&b);
    assert_int_equal(file_read(path, MIB, &b, &e), 0);
    assert_true(str_find(buf_view(&b), STR("2027-07-01 ")) < 0 && str_find(buf_view(&b), STR("2027-05-12 0 0 ")) > 0);
    stand_remove(&s, true);
}

static void test_a_configuration_that_is_read_again_makes_no_cell_twice(void **state)
{
    static struct stand s;
    struct keep *again = NULL;
    size_t cells;
    struct err e;

    (void)state;
    stand_make(&s);
    cells = s.metrics.count;
    assert_true(cells > 0);
    if (keep_open(s.n, &s.metrics, &again, &e) < 0)
        fail_msg("%s", e.text);
    assert_int_equal(s.metrics.count, cells);
    keep_close(&again);
    stand_remove(&s, false);
}

static void test_a_picture_says_its_state_and_a_torn_one_is_refused(void **state)
{
    static struct stand s;
    json_t *all = NULL;
    struct err e;

    (void)state;
    stand_make(&s);
    write_text(s.folder, "run/retention.json", STR("{\"space\":{\"state\":\"touched\"}}"));
    assert_int_equal(keep_picture(s.folder, &all, &e), 0);
    assert_int_equal(keep_state(all), SPACE_TOUCHED);
    json_decref(all);
    write_text(s.folder, "run/retention.json", STR("{"));
    assert_int_equal(keep_picture(s.folder, &all, &e), -EBADMSG);
    stand_remove(&s, true);
}

static void test_an_hour_between_removals_counts_over_restarts_too(void **state)
{
    static const struct { const char *name; time_ns noted, now, wait; } rows[] = {     /* noted 0: nothing new */
        { "never", 0, TODAY, 0 },
        { "at once after it", TODAY, TODAY, NS_PER_HOUR },
        { "half an hour later", 0, TODAY + NS_PER_HOUR / 2, NS_PER_HOUR / 2 },
        { "an hour later", 0, TODAY + NS_PER_HOUR, 0 },
        { "a clock that was set right", TODAY + 400 * NS_PER_DAY, TODAY, 0 },
        { "and its hour", TODAY, TODAY + NS_PER_MINUTE, NS_PER_HOUR - NS_PER_MINUTE },
    };
    static struct metrics metrics;
    char folder[] = "/tmp/saqshy-keep-XXXXXX", config[256], path[256];
    const char *root = getenv("SAQSHY_SOURCE");
    AUTO_BUF struct buf b = { 0 };
    struct keep *k = NULL;
    struct node *n = NULL;
    struct err e;

    (void)state;
    buf_init(&b, 0);
    assert_non_null(mkdtemp(folder));
    snprintf(path, sizeof path, "%s/store", folder);
    assert_int_equal(file_mkdirs(path, 0750, &e), 0);
    buf_printf(&b, "data: .\ncontent: %s/content\n", root ? root : ".");
    write_text(folder, "saqshyd.yaml", buf_view(&b));
    snprintf(config, sizeof config, "%s/saqshyd.yaml", folder);
    if (node_load(config, "/", &n, &e) < 0)
        fail_msg("%s", e.text);
    for (size_t i = 0; i < COUNT(rows); i++) {      /* each time as after a restart */
        CHECK(rows[i].name, keep_open(n, &metrics, &k, &e) == 0);
        CHECK(rows[i].name, !rows[i].noted || keep_expiry_note(k, rows[i].noted, &e) == 0);
        CHECK(rows[i].name, keep_expiry_wait(k, rows[i].now) == rows[i].wait);
        keep_close(&k);
    }
    write_text(folder, "store/EXPIRED", STR("rubbish\n"));
    assert_int_equal(keep_open(n, &metrics, &k, &e), 0);
    assert_int_equal(keep_expiry_wait(k, TODAY), 0);
    keep_close(&k);
    node_free(&n);
    for (size_t i = 0; i < 3; i++) {
        static const char *const names[] = { "store/EXPIRED", "saqshyd.yaml", "store" };

        snprintf(path, sizeof path, "%s/%s", folder, names[i]);
        assert_int_equal(remove(path), 0);
    }
    assert_int_equal(remove(folder), 0);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_look_ahead),
        cmocka_unit_test(test_reserve),
        cmocka_unit_test(test_a_touched_reserve_is_left_only_when_an_eighth_more_is_free),
        cmocka_unit_test(test_a_term_below_the_least_one_needs_a_reason_a_name_and_a_day),
        cmocka_unit_test(test_a_profile_selects_what_its_entry_says_of_senders),
        cmocka_unit_test(test_an_hour_between_removals_counts_over_restarts_too),
        cmocka_unit_test(test_the_picture_tells_all),
        cmocka_unit_test(test_the_history_is_bounded_and_no_day_to_come_stays_in_it),
        cmocka_unit_test(test_a_configuration_that_is_read_again_makes_no_cell_twice),
        cmocka_unit_test(test_a_picture_says_its_state_and_a_torn_one_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
