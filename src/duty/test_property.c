/* test_property.c - the engine against a second, naive one: thousands of random terms on random calendars and random zones.
 *
 * The naive engine shares nothing with the real one: days are walked one by one over an array of its own, months are counted with its own
 * table of lengths, zones are two offsets and a moment. Only the text of the calendar and the bytes of the zone go to both. */
#include "duty/internal.h"
#include "base/test.h"

#define FIRST_YEAR 2023
#define YEARS      3
#define SPAN       (YEARS * 366)
#define CALENDARS  40
#define CASES      250

static uint64_t next(uint64_t *seed)
{
    *seed ^= *seed << 13;
    *seed ^= *seed >> 7;
    *seed ^= *seed << 17;
    return *seed;
}

static int below(uint64_t *seed, int n)
{
    return (int)(next(seed) % (uint64_t)n);
}

/* --- the naive side: days since 1 January of FIRST_YEAR --- */

static bool leap(int y) { return (y % 4 == 0 && y % 100 != 0) || y % 400 == 0; }

static int month_length(int y, int m)
{
    static const int lengths[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };

    return m == 2 && leap(y) ? 29 : lengths[m - 1];
}

struct date {
    int y, m, d;
};

/* naive_date - by walking the months from the first day on. */
static struct date naive_date(int day)
{
    struct date at = { FIRST_YEAR, 1, 1 };

    for (; day < 0; day += leap(at.y) ? 366 : 365)
        at.y--;
    while (day >= month_length(at.y, at.m)) {
        day -= month_length(at.y, at.m);
        if (++at.m > 12) {
            at.m = 1;
            at.y++;
        }
    }
    at.d = 1 + day;
    return at;
}

static int naive_day(struct date at)
{
    int day = 0;

    for (int y = FIRST_YEAR; y < at.y; y++)
        day += leap(y) ? 366 : 365;
    for (int y = at.y; y < FIRST_YEAR; y++)
        day -= leap(y) ? 366 : 365;
    for (int m = 1; m < at.m; m++)
        day += month_length(at.y, m);
    return day + at.d - 1;
}

struct naive {
    bool works[SPAN];
    int  days;       /* known: 0 … days - 1 */
    int  before_min, after_min; /* offsets */
    time_ns change;  /* from this moment on after_min */
};

static int64_t epoch_of(int day) { return day + 19358; } /* 1 January 2023 is day 19358 of 1970 */

static int offset_at(const struct naive *n, time_ns t) { return t < n->change ? n->before_min : n->after_min; }

static int local_day_of(const struct naive *n, time_ns t)
{
    int64_t s = t / NS_PER_SECOND + offset_at(n, t) * 60;

    return (int)((s >= 0 ? s / 86400 : -((-s + 86399) / 86400)) - epoch_of(0));
}

/* end_of - 23:59:59 of a local day, its last occurrence: tried with both offsets. */
static time_ns end_of(const struct naive *n, int day)
{
    time_ns wall = (epoch_of(day) * 86400 + 86399) * NS_PER_SECOND;
    time_ns a = wall - n->before_min * NS_PER_MINUTE, b = wall - n->after_min * NS_PER_MINUTE;
    bool a_ok = a < n->change, b_ok = b >= n->change;

    if (a_ok && b_ok)
        return a > b ? a : b;
    return b_ok ? b : a; /* a time that a gap swallowed is read with the offset before it */
}

enum verdict { KNOWN, NO_CALENDAR };

/* Where the calendar lacks a year, *last is the first day of it that was asked for. */
static enum verdict naive_business(const struct naive *n, int from, int amount, int *last)
{
    int way = amount < 0 ? -1 : 1, day = from;

    for (int left = amount * way; left > 0;) {
        day += way;
        if (day < 0 || day >= n->days) {
            *last = day;
            return NO_CALENDAR;
        }
        left -= n->works[day];
    }
    *last = day;
    return KNOWN;
}

static enum verdict naive_roll(const struct naive *n, int nominal, int *last)
{
    for (*last = nominal; *last >= 0 && *last < n->days; ++*last)
        if (n->works[*last])
            return KNOWN;
    return NO_CALENDAR;
}

static int naive_months(int from, int amount)
{
    struct date at = naive_date(from);

    for (int i = 0; i < amount; i++)
        if (++at.m > 12) {
            at.m = 1;
            at.y++;
        }
    if (at.d > month_length(at.y, at.m))
        at.d = month_length(at.y, at.m);
    return naive_day(at);
}

/* --- a random calendar, as text for the engine and as an array for the naive one --- */

static void calendar_text(struct buf *b, struct naive *n, uint64_t *seed)
{
    buf_str(b, STR("id: t\nversion: '7'\nzone: Asia/Almaty\nweekend: [saturday, sunday]\nnames:\n  a: {kk: 'a', ru: 'b', en: 'c'}\nyears:\n"));
    n->days = 0;
    for (int y = FIRST_YEAR; y < FIRST_YEAR + YEARS; y++) {
        int length = leap(y) ? 366 : 365, put = 0;

        buf_printf(b, "  - year: %d\n    status: confirmed\n    source: s\n    days:\n", y);
        for (int i = 0; i < length; i++, n->days++) {
            struct date at = naive_date(n->days);
            bool rest = (n->days + 6) % 7 == 5 || (n->days + 6) % 7 == 6; /* 1 January 2023 was a Sunday */
            int what = below(seed, 100);
            const char *kind = what < 4 ? "holiday" : what < 8 ? "off" : what < 14 ? "work" : NULL;

            n->works[n->days] = !rest;
            if (!kind || put == CALENDAR_DAYS_MAX || (rest ? what >= 4 && what < 8 : what >= 8))
                continue;
            n->works[n->days] = what >= 8;
            buf_printf(b, "      - {date: %04d-%02d-%02d, kind: %s, name: a, source: s}\n", at.y, at.m, at.d, kind);
            put++;
        }
        assert_true(put > 0);
    }
}

/* zone_bytes - a TZif file of version 0 with one change. */
static void put_be32(struct buf *b, uint32_t v)
{
    for (int i = 3; i >= 0; i--)
        buf_byte(b, (char)(v >> (8 * i)));
}

static void zone_bytes(struct buf *b, const struct naive *n)
{
    buf_put(b, "TZif\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0", 20);
    put_be32(b, 0);
    put_be32(b, 0);
    put_be32(b, 0);
    put_be32(b, 1);
    put_be32(b, 2);
    put_be32(b, 2);
    put_be32(b, (uint32_t)(n->change / NS_PER_SECOND));
    buf_byte(b, 1);
    put_be32(b, (uint32_t)(n->before_min * 60));
    buf_put(b, "\0\0", 2);
    put_be32(b, (uint32_t)(n->after_min * 60));
    buf_put(b, "\0\0", 2);
    buf_put(b, "A\0", 2);
}

/* One random world; closed by its owner. */
struct pair {
    struct duty_world w;
    struct edition    edition; /* only for its id */
    struct naive      n;
};

static void pair_open(struct pair *p, uint64_t *seed, bool almaty)
{
    AUTO_BUF struct buf text;
    AUTO_BUF struct buf tz;
    struct err e;

    *p = (struct pair){ 0 };
    buf_init(&text, MIB);
    buf_init(&tz, KIB);
    calendar_text(&text, &p->n, seed);
    if (calendar_read(buf_view(&text), "t.yaml", &p->w.calendar, &e) < 0)
        fail_msg("%s", e.text);
    /* Kazakhstan until 1 March 2024 00:00 at UTC+6, then at UTC+5; or any change of at most three hours on any day. */
    p->n.before_min = almaty ? 360 : (below(seed, 96) - 48) * 15;
    p->n.after_min = almaty ? 300 : p->n.before_min + (below(seed, 25) - 12) * 15;
    p->n.change = almaty ? 1709229600 * NS_PER_SECOND : (epoch_of(below(seed, 1000)) * 86400 + below(seed, 96) * 900) * NS_PER_SECOND;
    if (almaty) {
        assert_int_equal(zone_load(ZONE_FOLDER, "Asia/Almaty", &p->w.zone, &e), 0);
    } else {
        zone_bytes(&tz, &p->n);
        assert_int_equal(zone_read(buf_view(&tz), "t", &p->w.zone, &e), 0);
    }
    p->edition.id = STR("t");
    p->w.edition = &p->edition;
}

static void pair_close(struct pair *p)
{
    calendar_free(&p->w.calendar);
    zone_free(&p->w.zone);
}

static const struct duty_from from_day = { .id = STR_INIT("x_on"), .day = true };

/* random_start - seconds within the calendar or a little outside it. */
static struct duty_start random_start(const struct pair *p, uint64_t *seed)
{
    int64_t s = epoch_of(-20) * 86400 + (int64_t)(next(seed) % (uint64_t)((p->n.days + 40) * 86400ll));

    return (struct duty_start){ .at = s * NS_PER_SECOND + below(seed, 1000) * NS_PER_MS };
}

/* compare - the engine says what the naive one says, or that the calendar lacks the year. */
static void compare(const struct pair *p, const struct obligation *o, struct duty_start s, enum verdict v, int nominal, int last)
{
    struct duty_result r;
    struct err e = { 0 };
    int rc = duty_due(&p->w, o, s, &r, &e);

    if (v == NO_CALENDAR) {
        char year[24];

        snprintf(year, sizeof year, "no year %d ", naive_date(last).y);
        assert_int_equal(rc, -ENODATA);
        if (!strstr(e.text, year))
            fail_msg("\"%s\" does not name the missing year: \"%s\"", e.text, year);
        return;
    }
    if (rc < 0)
        fail_msg("%d %s: %s", o->amount, duty_unit_name(o->unit), e.text);
    assert_int_equal(r.nominal, end_of(&p->n, nominal));
    assert_int_equal(r.due, end_of(&p->n, last));
    assert_int_equal(r.moved, nominal != last);
    assert_true(r.basis == DUTY_LAW);
}

/* Business days, forwards and backwards, over holidays, moved days and worked weekends, on either side of a change of offset. */
static void business(void **state)
{
    uint64_t seed = 0x5a95171;
    int missing = 0, back = 0;

    for (int c = 0; c < CALENDARS; c++) {
        struct pair p;

        pair_open(&p, &seed, *state != NULL);
        for (int i = 0; i < CASES; i++) {
            struct obligation o = { .id = STR("B"), .from = &from_day, .unit = DUTY_BUSINESS_DAYS, .amount = below(&seed, 61) - 30 };
            struct duty_start s = random_start(&p, &seed);
            int from = local_day_of(&p.n, s.at), last = from;

            o.amount += o.amount == 0;
            enum verdict v = naive_business(&p.n, from, o.amount, &last);
            compare(&p, &o, s, v, last, last);
            missing += v == NO_CALENDAR;
            back += o.amount < 0 && v == KNOWN;
        }
        pair_close(&p);
    }
    assert_true(missing > 100 && back > 2000); /* the test meets what it is for */
}

/* Calendar days and months, with and without the move off a day of rest. */
static void days_and_months(void **state)
{
    uint64_t seed = 0xca1e7da;
    int moved = 0, clamped = 0;

    for (int c = 0; c < CALENDARS; c++) {
        struct pair p;

        pair_open(&p, &seed, *state != NULL);
        for (int i = 0; i < CASES; i++) {
            bool months = below(&seed, 2), roll = below(&seed, 4) > 0;
            struct obligation o = { .id = STR("C"), .from = &from_day, .unit = months ? DUTY_MONTHS : DUTY_CALENDAR_DAYS, .roll = roll };
            struct duty_start s = random_start(&p, &seed);
            int from = local_day_of(&p.n, s.at), nominal, last;

            o.amount = 1 + below(&seed, months ? 14 : 120);
            nominal = months ? naive_months(from, o.amount) : from + o.amount;
            last = nominal;
            enum verdict v = roll ? naive_roll(&p.n, nominal, &last) : KNOWN;
            compare(&p, &o, s, v, nominal, last);
            moved += v == KNOWN && last != nominal;
            clamped += months && naive_date(nominal).d != naive_date(from).d;
        }
        pair_close(&p);
    }
    assert_true(moved > 500 && clamped > 50);
}

/* Minutes and hours run by the world's clock: a change of the wall's does not stretch or shorten them. An act at the due instant is in
 * time, one nanosecond later it is late. */
static void minutes_and_hours(void **state)
{
    uint64_t seed = 0xd05d06;
    int across = 0;

    for (int c = 0; c < CALENDARS; c++) {
        struct pair p;

        pair_open(&p, &seed, *state != NULL);
        for (int i = 0; i < CASES; i++) {
            bool minutes = below(&seed, 2);
            struct obligation o = { .id = STR("M"), .from = &from_day, .unit = minutes ? DUTY_MINUTES : DUTY_HOURS, .amount = 1 + below(&seed, 100) };
            time_ns length = o.amount * (minutes ? 60 : 3600) * NS_PER_SECOND;
            struct duty_start s = random_start(&p, &seed);
            struct duty_result r;

            if (below(&seed, 2)) /* half of them around the change */
                s.at = p.n.change - (time_ns)(next(&seed) % (uint64_t)length);
            assert_int_equal(duty_due(&p.w, &o, s, &r, NULL), 0);
            assert_true(r.due == s.at + length && r.nominal == r.due && !r.moved);
            assert_true(!duty_late(r.due, r.due) && duty_late(r.due, r.due + 1));
            across += s.at < p.n.change && r.due >= p.n.change;
        }
        pair_close(&p);
    }
    assert_true(across > 2000);
}

/* A start that is only a date: its local midnight, whichever offset that day begins with. */
static void whole_days(void **state)
{
    uint64_t seed = 0xda7e;

    for (int c = 0; c < CALENDARS; c++) {
        struct pair p;

        pair_open(&p, &seed, *state != NULL);
        for (int i = 0; i < CASES; i++) {
            struct obligation o = { .id = STR("W"), .from = &from_day, .unit = DUTY_BUSINESS_DAYS, .amount = 1 + below(&seed, 12) };
            int day = below(&seed, p.n.days), last = day;
            struct date at = naive_date(day);
            char text[16];
            struct duty_start s;

            snprintf(text, sizeof text, "%04d-%02d-%02d", at.y, at.m, at.d);
            assert_int_equal(duty_start_parse(str_c(text), p.w.zone, &s, NULL), 0);
            assert_true(s.date);
            /* Where a change swallows midnight the day begins before it; the engine reads it with the offset before the gap. */
            if (local_day_of(&p.n, s.at) != day)
                continue;
            assert_true(local_day_of(&p.n, s.at - 1) < day || p.n.after_min < p.n.before_min);
            enum verdict v = naive_business(&p.n, day, o.amount, &last);
            compare(&p, &o, s, v, last, last);
        }
        pair_close(&p);
    }
}

#define RANDOM NULL
#define ALMATY (void *)"almaty"

int main(void)
{
    const struct CMUnitTest tests[] = {
        { "D-01 D-02 D-03 D-07 D-12 D-16 D-17 business days both ways: 10000 random cases agree with a naive count", business, NULL, NULL, RANDOM },
        { "D-01 D-02 D-03 D-07 D-12 D-16 D-17 business days around the change of Kazakhstan's offset: 10000 random cases agree", business, NULL,
          NULL, ALMATY },
        { "D-13 D-15 D-18 D-21 D-22 D-26 calendar days and months, rolled: 10000 random cases agree with a naive count", days_and_months, NULL,
          NULL, RANDOM },
        { "D-13 D-15 D-18 D-21 D-22 D-26 calendar days and months around the change of Kazakhstan's offset: 10000 cases agree", days_and_months,
          NULL, NULL, ALMATY },
        { "D-05 D-06 D-08 D-14 D-31 minutes and hours over a changed offset: 10000 random cases, the due instant is in time", minutes_and_hours,
          NULL, NULL, RANDOM },
        { "D-05 D-06 D-08 D-14 D-31 minutes and hours over 1 March 2024: 10000 random cases, the due instant is in time", minutes_and_hours, NULL,
          NULL, ALMATY },
        { "a start that is only a date begins with its local day: 10000 random cases", whole_days, NULL, NULL, RANDOM },
        { "a start that is only a date, around the change of Kazakhstan's offset: 10000 random cases", whole_days, NULL, NULL, ALMATY },
    };

    return cmocka_run_group_tests_name("property", tests, NULL, NULL);
}
