/* test_due.c - every time limit of the Rules, by hand and by thousands of seeded cases. */
#include "duty/test_world.h"

/* Counted by hand on the calendar of context section 5. nominal NULL: equal to due. */
struct row {
    const char *name, *id, *from, *due, *nominal;
};
static const struct row rows[] = {
    { "D-01 ten business days over the holidays of May", "D-01", "2026-04-30", "2026-05-19T23:59:59+05:00", NULL },
    { "D-02 ten business days, no holiday on the way", "D-02", "2026-06-10", "2026-06-24T23:59:59+05:00", NULL },
    { "D-03 ten business days from a moment count from its local day", "D-03", "2026-06-10T21:30:00Z",
      "2026-06-25T23:59:59+05:00", NULL },
    { "D-04 48 hours over a weekend", "D-04", "2026-06-13T10:00+05:00", "2026-06-15T10:00:00+05:00", NULL },
    { "D-05 30 minutes over midnight into Nauryz", "D-05", "2026-03-20T23:50+05:00", "2026-03-21T00:20:00+05:00", NULL },
    { "D-05 a moment in UTC is told in local time", "D-05", "2026-03-20T18:50:00Z", "2026-03-21T00:20:00+05:00", NULL },
    { "D-05 a date alone counts from midnight", "D-05", "2026-03-20", "2026-03-20T00:30:00+05:00", NULL },
    { "D-05 the hour that ran twice in 2024", "D-05", "2024-02-29T23:45:00+06:00", "2024-02-29T23:15:00+05:00", NULL },
    { "D-06 72 hours from confirmation, over the weekend", "D-06", "2026-03-20T17:05:09+05:00",
      "2026-03-23T17:05:09+05:00", NULL },
    { "D-07 five business days before a Monday", "D-07", "2026-06-15", "2026-06-08T23:59:59+05:00", NULL },
    { "D-07 five business days before, back over Nauryz", "D-07", "2026-03-27", "2026-03-17T23:59:59+05:00", NULL },
    { "D-08 15 minutes from confirmation", "D-08", "2026-12-31T23:50:00+05:00", "2027-01-01T00:05:00+05:00", NULL },
    { "D-09 72 hours from confirmation", "D-09", "2026-02-27T12:00:00+05:00", "2026-03-02T12:00:00+05:00", NULL },
    { "D-10 72 hours from the notification", "D-10", "2026-03-21T00:20:00+05:00", "2026-03-24T00:20:00+05:00", NULL },
    { "D-11 72 hours from the notification, not from confirmation", "D-11", "2026-03-21T00:20:00+05:00",
      "2026-03-24T00:20:00+05:00", NULL },
    { "D-12 ten business days over Nauryz", "D-12", "2026-03-19", "2026-04-07T23:59:59+05:00", NULL },
    { "D-12 a start on a day off counts from the next working day", "D-12", "2026-03-21", "2026-04-08T23:59:59+05:00",
      NULL },
    { "D-12 into the next year, an estimate", "D-12", "2026-12-24", "2027-01-12T23:59:59+05:00", NULL },
    { "D-12 a start before the first year of the calendar", "D-12", "2024-12-31", "2025-01-17T23:59:59+05:00", NULL },
    { "D-12 the worked Sunday of January 2025 counts", "D-12", "2025-01-01", "2025-01-17T23:59:59+05:00", NULL },
    { "D-13 twenty calendar days that end on a Sunday move to Monday", "D-13", "2026-06-08",
      "2026-06-29T23:59:59+05:00", "2026-06-28T23:59:59+05:00" },
    { "D-13 twenty calendar days that end in Nauryz move past it", "D-13", "2026-03-01", "2026-03-26T23:59:59+05:00",
      "2026-03-21T23:59:59+05:00" },
    { "D-13 twenty calendar days that end on a working day stay", "D-13", "2026-06-05", "2026-06-25T23:59:59+05:00",
      NULL },
    { "D-14 24 hours from detection", "D-14", "2026-05-08T18:00:00+05:00", "2026-05-09T18:00:00+05:00", NULL },
    { "D-15 six months from the first detection, clamped to a Sunday, moved to Monday", "D-15", "2026-08-31", "2027-03-01T23:59:59+05:00",
      "2027-02-28T23:59:59+05:00" },
    { "D-15 six months that end on a Sunday, by the calendar of 2026", "D-15", "2026-02-16", "2026-08-17T23:59:59+05:00", "2026-08-16T23:59:59+05:00" },
    { "D-16 ten business days", "D-16", "2026-10-15", "2026-10-30T23:59:59+05:00", NULL },
    { "D-17 ten business days over the day that is no holiday any more", "D-17", "2026-08-24",
      "2026-09-07T23:59:59+05:00", NULL },
    { "D-17 and the year before, when it was one", "D-17", "2025-08-25", "2025-09-09T23:59:59+05:00", NULL },
    { "D-18 one month, same day number", "D-18", "2026-04-15", "2026-05-15T23:59:59+05:00", NULL },
    { "D-18 one month, clamped to the end of February, a Sunday, moves to Monday", "D-18", "2027-01-31", "2027-03-01T23:59:59+05:00",
      "2027-02-28T23:59:59+05:00" },
    { "D-18 one month that ends in Nauryz moves past it", "D-18", "2026-02-21", "2026-03-26T23:59:59+05:00",
      "2026-03-21T23:59:59+05:00" },
    { "D-19 F-05 the internal day after the quarter of the date", "D-19", "2026-08-10", "2026-10-14T23:59:59+05:00", NULL },
    { "D-20 F-06 the internal day after the last quarter", "D-20", "2026-12-31", "2027-02-02T23:59:59+05:00", NULL },
    { "D-21 ninety calendar days, not a quarter", "D-21", "2026-04-01", "2026-06-30T23:59:59+05:00", NULL },
    { "D-22 ninety calendar days, moved off a Sunday", "D-22", "2026-05-04", "2026-08-03T23:59:59+05:00",
      "2026-08-02T23:59:59+05:00" },
    { "D-23 15 minutes from confirmation", "D-23", "2026-05-01T09:00:00+05:00", "2026-05-01T09:15:00+05:00", NULL },
    { "D-24 15 minutes from confirmation", "D-24", "2026-05-01T09:00:00+05:00", "2026-05-01T09:15:00+05:00", NULL },
    { "D-25 72 hours from confirmation", "D-25", "2026-05-01T09:00:00+05:00", "2026-05-04T09:00:00+05:00", NULL },
    { "D-26 thirty calendar days", "D-26", "2026-04-10", "2026-05-12T23:59:59+05:00", "2026-05-10T23:59:59+05:00" },
    { "D-27 15 minutes from confirmation", "D-27", "2026-05-01T09:00:00+05:00", "2026-05-01T09:15:00+05:00", NULL },
    { "D-28 15 minutes from confirmation", "D-28", "2026-05-01T09:00:00+05:00", "2026-05-01T09:15:00+05:00", NULL },
    { "D-29 72 hours from confirmation", "D-29", "2026-05-01T09:00:00+05:00", "2026-05-04T09:00:00+05:00", NULL },
    { "D-30 72 hours from confirmation", "D-30", "2026-05-01T09:00:00+05:00", "2026-05-04T09:00:00+05:00", NULL },
    { "D-31 48 hours from confirmation", "D-31", "2026-05-01T09:00:00+05:00", "2026-05-03T09:00:00+05:00", NULL },
};

static struct test_world world;

static int open_world(void **state)
{
    void *p = NULL;
    int rc = test_world_open(&p);

    (void)state;
    if (rc == 0)
        world = *(struct test_world *)p;
    return rc;
}

static int close_world(void **state)
{
    void *p = &world;

    (void)state;
    return test_world_close(&p);
}

static const struct obligation *duty(const char *id)
{
    const struct obligation *o = edition_obligation(world.w.edition, str_c(id));

    CHECK(id, o != NULL);
    return o;
}

static void one_row(void **state)
{
    const struct row *row = *state;
    struct duty_start start;
    struct duty_result r;
    struct err e = { 0 };
    char text[TIME_TEXT_MAX];
    int rc;

    CHECK(row->name, duty_start_parse(str_c(row->from), world.w.zone, &start, &e) == 0);
    rc = duty_due(&world.w, duty(row->id), start, &r, &e);
    if (rc < 0)
        fail_msg("row \"%s\": %s", row->name, e.text);
    assert_string_equal(duty_rfc3339(&world.w, r.due, text), row->due);
    assert_string_equal(duty_rfc3339(&world.w, r.nominal, text), row->nominal ? row->nominal : row->due);
    CHECK(row->name, r.moved == (row->nominal != NULL));
}

static void starts_are_read(void **state)
{
    static const struct {
        const char *in;
        bool        ok, date;
        const char *utc;
    } in[] = {
        { "2026-03-19", true, true, "2026-03-18T19:00:00Z" },
        { " 2026-03-19\n", true, true, "2026-03-18T19:00:00Z" },
        { "2026-03-20T23:50+05:00", true, false, "2026-03-20T18:50:00Z" },
        { "2026-03-20T23:50:30+0500", true, false, "2026-03-20T18:50:30Z" },
        { "2026-03-20T23:50", true, false, "2026-03-20T18:50:00Z" },
        { "2024-01-10T12:00", true, false, "2024-01-10T06:00:00Z" }, /* UTC+6 then */
        { "2026-03-20 23:50:01.5", true, false, "2026-03-20T18:50:01.500Z" },
        { "2026-02-29", false, false, NULL },
        { "19.03.2026", false, false, NULL },
        { "", false, false, NULL },
        { "now", false, false, NULL },
        { "0001-01-01", false, false, NULL },
        { "9999-12-31", false, false, NULL }, /* nanoseconds do not reach so far */
        { "1899-12-30T00:00:00Z", false, false, NULL },
        { "2026-03-19T25:00+05:00", false, false, NULL },
        { "2026-03-19T10:00+05:00 and more and more and more and more and more", false, false, NULL },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(in); i++) {
        struct duty_start s = { 0 };
        char text[TIME_TEXT_MAX];
        struct err e;

        CHECK(in[i].in, (duty_start_parse(str_c(in[i].in), world.w.zone, &s, &e) == 0) == in[i].ok);
        if (!in[i].ok)
            continue;
        CHECK(in[i].in, s.date == in[i].date);
        assert_string_equal(time_format_utc(s.at, text), in[i].utc);
    }
}

static void what_cannot_be_computed_says_why(void **state)
{
    struct duty_start s = { .at = 0, .date = true };
    struct duty_result r;
    struct err e;

    (void)state;
    assert_int_equal(duty_due(&world.w, duty("D-12"), s, &r, &e), -ENODATA);
    assert_non_null(strstr(e.text, "1970"));
    assert_int_equal(duty_start_parse(STR("2027-12-28"), world.w.zone, &s, &e), 0);
    assert_int_equal(duty_due(&world.w, duty("D-12"), s, &r, &e), -ENODATA);
    assert_non_null(strstr(e.text, "2028"));
    assert_int_equal(duty_start_parse(STR("2027-12-15"), world.w.zone, &s, &e), 0);
    assert_int_equal(duty_due(&world.w, duty("D-13"), s, &r, &e), -ENODATA);
    assert_int_equal(duty_due(&world.w, duty("F-01"), s, &r, &e), -ENOTSUP);
    assert_int_equal(duty_due(&world.w, duty("D-05"), (struct duty_start){ .at = INT64_MAX }, &r, &e), -ERANGE);
    assert_int_equal(duty_due(&world.w, duty("D-05"), (struct duty_start){ .at = INT64_MIN }, &r, &e), -ERANGE);
}

static uint64_t next(uint64_t *seed)
{
    *seed ^= *seed << 13;
    *seed ^= *seed >> 7;
    *seed ^= *seed << 17;
    return *seed;
}

static int64_t day_of(time_ns t)
{
    struct civil c = civil_of_ns(t, zone_offset_min(world.w.zone, t));

    return civil_days(c.year, c.month, c.day);
}

static bool worked(int64_t day)
{
    struct calendar_day d;

    assert_int_equal(calendar_day(world.w.calendar, day, &d, NULL), 0);
    return calendar_worked(&d);
}

/* random_start - a moment in 2025 to summer 2027, so that every term stays within the calendar. */
static struct duty_start random_start(uint64_t *seed)
{
    int64_t least = civil_days(2025, 1, 20) * 86400, span = (civil_days(2027, 6, 1) - civil_days(2025, 1, 20)) * 86400;

    return (struct duty_start){ .at = (least + (int64_t)(next(seed) % (uint64_t)span)) * NS_PER_SECOND };
}

static struct duty_result due(const char *id, struct duty_start s)
{
    struct duty_result r;
    struct err e = { 0 };

    if (duty_due(&world.w, duty(id), s, &r, &e) < 0)
        fail_msg("%s: %s", id, e.text);
    return r;
}

static int count_worked(int64_t after, int64_t last)
{
    int n = 0;

    for (int64_t d = after + 1; d <= last; d++)
        n += worked(d);
    return n;
}

static void business_days_hold_for_any_start(void **state)
{
    uint64_t seed = 0x5a9517;

    (void)state;
    for (int i = 0; i < 5000; i++) {
        struct duty_start s = random_start(&seed), whole;
        struct duty_result r = due("D-12", s), back = due("D-07", s);
        int64_t day = day_of(s.at), last = day_of(r.due), first = day_of(back.due);
        struct civil midnight = civil_from_days(day);

        assert_true(worked(last) && count_worked(day, last) == 10);
        assert_true(worked(first) && count_worked(first - 1, day - 1) == 5);
        assert_true(r.due == r.nominal && (r.due / NS_PER_SECOND + 1 + 5 * 3600) % 86400 == 0);
        whole = (struct duty_start){ .at = zone_first(world.w.zone, &midnight), .date = true };
        assert_true(due("D-12", whole).due == r.due); /* any moment of a day gives the same day */
        whole.at += 7 * NS_PER_DAY;
        assert_true(due("D-12", whole).due >= r.due); /* a later start never ends earlier */
    }
}

static void calendar_days_hold_for_any_start(void **state)
{
    uint64_t seed = 0xca1e;

    (void)state;
    for (int i = 0; i < 5000; i++) {
        struct duty_start s = random_start(&seed);
        struct duty_result r = due("D-13", s);
        int64_t nominal = day_of(r.nominal), last = day_of(r.due);

        assert_int_equal(nominal - day_of(s.at), 20);
        assert_true(worked(last) && count_worked(nominal - 1, last) == 1);
        assert_true(r.moved == !worked(nominal));
        assert_int_equal(day_of(due("D-21", s).nominal) - day_of(s.at), 90);
    }
}

static void months_hold_for_any_start(void **state)
{
    static const struct {
        const char *id;
        int         months;
    } terms[] = { { "D-15", 6 }, { "D-18", 1 } };
    uint64_t seed = 0x3091;

    (void)state;
    for (int i = 0; i < 5000; i++) {
        struct duty_start s = random_start(&seed);
        struct civil from = civil_from_days(day_of(s.at));

        for (size_t k = 0; k < COUNT(terms); k++) {
            struct civil to = civil_from_days(day_of(due(terms[k].id, s).nominal));

            assert_int_equal(to.year * 12 + to.month, from.year * 12 + from.month + terms[k].months);
            assert_true(to.day == from.day || (to.day < from.day && to.day == civil_month_days(to.year, to.month)));
        }
    }
}

static void minutes_and_hours_hold_for_any_start(void **state)
{
    uint64_t seed = 0xd05;

    (void)state;
    for (int i = 0; i < 5000; i++) {
        struct duty_start s = random_start(&seed);

        s.at += (time_ns)(next(&seed) % 1000000000u);
        assert_true(due("D-05", s).due == s.at + 30 * NS_PER_MINUTE);
        assert_true(due("D-08", s).due == s.at + 15 * NS_PER_MINUTE);
        assert_true(due("D-06", s).due == s.at + 72 * NS_PER_HOUR);
        assert_true(due("D-31", s).due == s.at + 48 * NS_PER_HOUR);
    }
}

/* Promise 7: each step has a text in each language, no key shows through, no placeholder is left. */
static void the_arithmetic_is_told_in_three_languages(void **state)
{
    uint64_t seed = 0x7e11;
    AUTO_ARENA struct arena a;

    (void)state;
    arena_init(&a, 64 * MIB);
    for (size_t i = 0; i < world.w.edition->obligation_count; i++) {
        const struct obligation *o = &world.w.edition->obligations[i];

        for (int n = 0; n < 20 && o->unit != DUTY_PER_YEAR; n++) {
            struct duty_start s = random_start(&seed);
            struct duty_result r;

            s.date = n % 2;
            assert_int_equal(duty_due(&world.w, o, s, &r, NULL), 0);
            for (enum lang l = 0; l < LANG_COUNT; l++)
                for (size_t k = 0; k < r.step_count; k++) {
                    struct str t = duty_step_text(&world.w, &r, k, world.c, l, &a);

                    assert_true(t.n > 0 && str_chr(t, '{') < 0 && str_find(t, STR("duty.")) < 0);
                }
        }
    }
}

static void json_has_the_agreed_shape(void **state)
{
    struct duty_start s;
    struct duty_result r;
    AUTO_BUF struct buf b;

    (void)state;
    buf_init(&b, 0);
    assert_int_equal(duty_start_parse(STR("2026-03-19"), world.w.zone, &s, NULL), 0);
    r = due("D-12", s);
    duty_json(&world.w, &r, world.c, LANG_EN, &b);
    buf_byte(&b, 0);
    assert_non_null(strstr(b.p, "{\"id\":\"D-12\",\"from\":\"2026-03-19\",\"due\":\"2026-04-07T23:59:59+05:00\","
                                "\"nominal\":\"2026-04-07T23:59:59+05:00\",\"unit\":\"business_days\",\"amount\":10,"
                                "\"paragraph\":\"10(2)\",\"arithmetic\":[\""));
    assert_non_null(strstr(b.p, "1) 20.03.2026; 2) 26.03.2026;"));
    assert_non_null(strstr(b.p, "10) 07.04.2026"));
    assert_non_null(strstr(b.p, "24.03.2026 moved day off (Nauryz)"));
    assert_non_null(strstr(b.p, "\"estimated\":false}"));
}

static void estimates_are_marked(void **state)
{
    struct duty_start s;

    (void)state;
    assert_int_equal(duty_start_parse(STR("2026-12-24"), world.w.zone, &s, NULL), 0);
    assert_true(due("D-12", s).estimated);
    assert_int_equal(duty_start_parse(STR("2026-12-01"), world.w.zone, &s, NULL), 0);
    assert_false(due("D-12", s).estimated);
}

int main(void)
{
    struct CMUnitTest tests[COUNT(rows) + 16];
    size_t n = 0;

    for (size_t i = 0; i < COUNT(rows); i++)
        tests[n++] = (struct CMUnitTest){ rows[i].name, one_row, NULL, NULL, (void *)(uintptr_t)&rows[i] };
    tests[n++] = (struct CMUnitTest)cmocka_unit_test(starts_are_read);
    tests[n++] = (struct CMUnitTest)cmocka_unit_test(what_cannot_be_computed_says_why);
    tests[n++] = (struct CMUnitTest){ "D-07 D-12 hold for 5000 seeded starts", business_days_hold_for_any_start, NULL, NULL, NULL };
    tests[n++] = (struct CMUnitTest){ "D-13 D-21 hold for 5000 seeded starts", calendar_days_hold_for_any_start, NULL, NULL, NULL };
    tests[n++] = (struct CMUnitTest){ "D-15 D-18 hold for 5000 seeded starts", months_hold_for_any_start, NULL, NULL, NULL };
    tests[n++] = (struct CMUnitTest){ "D-05 D-06 D-08 D-31 hold for 5000 seeded starts", minutes_and_hours_hold_for_any_start, NULL, NULL, NULL };
    tests[n++] = (struct CMUnitTest)cmocka_unit_test(the_arithmetic_is_told_in_three_languages);
    tests[n++] = (struct CMUnitTest)cmocka_unit_test(json_has_the_agreed_shape);
    tests[n++] = (struct CMUnitTest)cmocka_unit_test(estimates_are_marked);
    return _cmocka_run_group_tests("due", tests, n, open_world, close_world);
}
