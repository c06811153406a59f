/* test_calendar.c - the calendar of Kazakhstan, refusals with their places, and the zone. */
#include "duty/test_world.h"

static struct calendar *real_calendar(void)
{
    char path[4096];
    struct calendar *c;
    struct err e;

    if (calendar_load(test_source("content/calendars/kz.yaml", path), &c, &e) < 0)
        fail_msg("%s", e.text);
    return c;
}

static int64_t day_of(const char *text)
{
    int y, m, d;

    assert_int_equal(sscanf(text, "%d-%d-%d", &y, &m, &d), 3);
    return civil_days(y, m, d);
}

/* From context section 5; 246 of 2025 agrees with pobipb.kz. */
static void working_days_of_each_year(void **state)
{
    static const struct {
        const char *name;
        int32_t     year;
        int         worked;
    } rows[] = { { "2025", 2025, 246 }, { "2026", 2026, 247 }, { "2027", 2027, 247 } };
    struct calendar *c = real_calendar();

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct calendar_day d;
        int worked = 0;

        for (int64_t day = civil_days(rows[i].year, 1, 1); day < civil_days(rows[i].year + 1, 1, 1); day++) {
            CHECK(rows[i].name, calendar_day(c, day, &d, NULL) == 0);
            worked += calendar_worked(&d);
        }
        CHECK(rows[i].name, worked == rows[i].worked);
    }
    calendar_free(&c);
}

static void single_days(void **state)
{
    static const struct {
        const char        *name, *date;
        enum calendar_kind kind;
        bool               estimated;
    } rows[] = {
        { "Friday off by order 436", "2025-01-03", CALENDAR_OFF, false },
        { "Sunday worked by order 436", "2025-01-05", CALENDAR_WORK, false },
        { "30 August is a holiday in 2025", "2025-08-30", CALENDAR_HOLIDAY, false },
        { "and its Monday is off", "2025-09-01", CALENDAR_OFF, false },
        { "31 August 2026 is worked", "2026-08-31", CALENDAR_WORK, false },
        { "30 August 2026 is a plain Sunday", "2026-08-30", CALENDAR_WEEKEND, false },
        { "15 March 2026 is a plain Sunday", "2026-03-15", CALENDAR_WEEKEND, false },
        { "16 March 2026 is worked", "2026-03-16", CALENDAR_WORK, false },
        { "15 March is a holiday from 2027", "2027-03-15", CALENDAR_HOLIDAY, true },
        { "Nauryz on a Monday", "2026-03-23", CALENDAR_HOLIDAY, false },
        { "moved day after Nauryz", "2026-03-24", CALENDAR_OFF, false },
        { "second moved day", "2026-03-25", CALENDAR_OFF, false },
        { "and then work", "2026-03-26", CALENDAR_WORK, false },
        { "2027 has one moved day of Nauryz", "2027-03-25", CALENDAR_WORK, true },
        { "Kurban ait 2026", "2026-05-27", CALENDAR_HOLIDAY, false },
        { "Kurban ait 2027, an estimate, not moved", "2027-05-16", CALENDAR_HOLIDAY, true },
        { "17 May 2027 stays worked", "2027-05-17", CALENDAR_WORK, true },
        { "Christmas is not moved", "2026-01-07", CALENDAR_HOLIDAY, false },
    };
    struct calendar *c = real_calendar();

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct calendar_day d;

        CHECK(rows[i].name, calendar_day(c, day_of(rows[i].date), &d, NULL) == 0);
        CHECK(rows[i].name, d.kind == rows[i].kind);
        CHECK(rows[i].name, d.estimated == rows[i].estimated);
        CHECK(rows[i].name, d.source.n > 0);
    }
    calendar_free(&c);
}

static void a_missing_year_is_said(void **state)
{
    struct calendar *c = real_calendar();
    struct calendar_day d;
    struct err e;

    (void)state;
    assert_int_equal(calendar_day(c, day_of("2024-12-31"), &d, &e), -ENODATA);
    assert_int_equal(calendar_day(c, day_of("2028-01-01"), &d, &e), -ENODATA);
    assert_non_null(strstr(e.text, "2028"));
    calendar_free(&c);
}

#define HEAD "id: x\nversion: '1'\nzone: Asia/Almaty\nweekend: [saturday, sunday]\n"
#define NAMES "names:\n  a: {kk: 'a', ru: 'b', en: 'c'}\n"
#define YEAR "years:\n  - year: 2026\n    status: confirmed\n    source: 's'\n    days:\n"

static void broken_files_tell_their_place(void **state)
{
    static const struct {
        const char *name, *text, *want;
    } rows[] = {
        { "empty", "", "the file is empty" },
        { "a stray key", HEAD NAMES "year: 1\n", "x.yaml:7:" },
        { "no such weekday", "id: x\nversion: '1'\nzone: A\nweekend: [saturday, sundai]\n" NAMES YEAR "      []\n",
          "x.yaml:4:21" },
        { "no such name", HEAD NAMES YEAR "      - {date: 2026-01-01, kind: holiday, name: b, source: s}\n", "x.yaml:12:" },
        { "not a date", HEAD NAMES YEAR "      - {date: 2026-02-30, kind: holiday, name: a, source: s}\n",
          "must be a date" },
        { "another year", HEAD NAMES YEAR "      - {date: 2027-01-01, kind: holiday, name: a, source: s}\n",
          "a date of the year 2026" },
        { "no source", HEAD NAMES YEAR "      - {date: 2026-01-01, kind: holiday, name: a}\n", "\"source\" is missing" },
        { "work on a working day", HEAD NAMES YEAR "      - {date: 2026-01-05, kind: work, name: a, source: s}\n",
          "worked anyway" },
        { "off on a Sunday", HEAD NAMES YEAR "      - {date: 2026-01-04, kind: off, name: a, source: s}\n",
          "day of rest anyway" },
        { "unsorted", HEAD NAMES YEAR "      - {date: 2026-01-02, kind: holiday, name: a, source: s}\n"
                                      "      - {date: 2026-01-01, kind: holiday, name: a, source: s}\n", "ascend" },
        { "a gap of years", HEAD NAMES YEAR "      []\n  - year: 2028\n    status: confirmed\n    source: s\n    days: []\n",
          "2027 is expected" },
        { "a word for a status", HEAD NAMES "years:\n  - {year: 2026, status: sure, source: s, days: []}\n",
          "confirmed, estimated" },
        { "a missing language", HEAD "names:\n  a: {kk: a, ru: b}\n" YEAR "      []\n", "\"en\" is missing" },
        { "names as a list", HEAD "names: [a]\n" YEAR "      []\n", "must be a map" },
        { "years as a text", HEAD NAMES "years: none\n", "must be a list" },
        { "an item that is no map", HEAD NAMES "years: [2026]\n", "a map of keys" },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct calendar *c;
        struct err e = { 0 };

        CHECK(rows[i].name, calendar_read(str_c(rows[i].text), "x.yaml", &c, &e) == -EBADMSG && !c);
        if (!strstr(e.text, rows[i].want))
            fail_msg("row \"%s\": \"%s\" does not say \"%s\"", rows[i].name, e.text, rows[i].want);
    }
}

static void the_zone_is_read(void **state)
{
    struct civil twice = { 2024, 2, 29, 23, 30, 0 }, plain = { 2026, 3, 20, 23, 50, 0 };
    struct zone *z;
    struct err e;

    (void)state;
    assert_int_equal(zone_load(ZONE_FOLDER, "Asia/Almaty", &z, &e), 0);
    assert_int_equal(zone_offset_min(z, civil_to_ns(&plain, 300)), 300);
    assert_int_equal(zone_offset_min(z, civil_to_ns(&twice, 360)), 360); /* UTC+6 until 01.03.2024 */
    assert_true(zone_first(z, &plain) == civil_to_ns(&plain, 300));
    assert_true(zone_last(z, &plain) == zone_first(z, &plain));
    assert_true(zone_first(z, &twice) == civil_to_ns(&twice, 360)); /* this half hour ran twice */
    assert_true(zone_last(z, &twice) == civil_to_ns(&twice, 300));
    zone_free(&z);
}

static void zones_that_are_none(void **state)
{
    static const char *const names[] = { "", "../etc/passwd", "/etc/localtime", "Asia/Nowhere", "Europe/Berlin", "tzdata.zi" };

    (void)state;
    for (size_t i = 0; i < COUNT(names); i++) {
        struct zone *z;
        struct err e;

        CHECK(names[i], zone_load(ZONE_FOLDER, names[i], &z, &e) < 0 && !z && e.text[0]);
    }
}

/* Promise: nothing past the end. Every cut of a real file is refused, whole from a block of just its size. */
static void a_cut_zone_is_refused(void **state)
{
    AUTO_FCLOSE FILE *f = fopen(ZONE_FOLDER "/Asia/Almaty", "rb");
    static char file[8192];
    size_t n = f ? fread(file, 1, sizeof file, f) : 0;

    (void)state;
    assert_true(n > 100);
    for (size_t cut = 0; cut < n; cut++) {
        char *copy = malloc(cut + 1);
        struct zone *z;

        assert_non_null(copy);
        memcpy(copy, file, cut);
        assert_true(zone_read(str_of(copy, cut), "cut", &z, NULL) < 0 && !z);
        free(copy);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(working_days_of_each_year),
        cmocka_unit_test(single_days),
        cmocka_unit_test(a_missing_year_is_said),
        cmocka_unit_test(broken_files_tell_their_place),
        cmocka_unit_test(the_zone_is_read),
        cmocka_unit_test(zones_that_are_none),
        cmocka_unit_test(a_cut_zone_is_refused),
    };

    return cmocka_run_group_tests_name("calendar", tests, NULL, NULL);
}
