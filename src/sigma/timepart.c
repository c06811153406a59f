/* timepart.c - the minute, hour, day, week, month or year of a moment that an event names (modifiers minute … year).
 *
 * Moments are RFC 3339, the same without a zone (then UTC, as Windows and Sysmon write it), or a count since 1970: of seconds in up
 * to 11 digits, of milliseconds in 13, microseconds in 16, nanoseconds in 19. Weeks are those of ISO 8601, so a year may have 53. */
#include "sigma/internal.h"

static const struct { int32_t least, most; } ranges[] = {
    [PART_MINUTE] = { 0, 59 }, [PART_HOUR] = { 0, 23 }, [PART_DAY] = { 1, 31 }, [PART_WEEK] = { 1, 53 }, [PART_MONTH] = { 1, 12 },
    [PART_YEAR] = { 1, 9999 },
};

bool part_possible(enum time_part part, double number)
{
    return number == (double)(int32_t)number && number >= ranges[part].least && number <= ranges[part].most;
}

static bool count_moment(struct str s, time_ns *t)
{
    time_ns unit = s.n <= 11 ? NS_PER_SECOND : s.n == 13 ? NS_PER_MS : s.n == 16 ? 1000 : s.n == 19 ? 1 : 0;
    uint64_t n;

    return unit && str_u64(s, &n) && n <= INT64_MAX && !__builtin_mul_overflow((time_ns)n, unit, t);
}

static bool moment(struct str s, time_ns *t)
{
    char zoned[64];

    if (count_moment(s, t) || time_parse_rfc3339(s, t, NULL, NULL) == 0)
        return true;
    if (s.n == 0 || s.n >= sizeof zoned)
        return false;
    memcpy(zoned, s.p, s.n);
    zoned[s.n] = 'Z';
    return time_parse_rfc3339(str_of(zoned, s.n + 1), t, NULL, NULL) == 0;
}

/* iso_week - the week whose Thursday the day's week has; it counts in the year of that Thursday. */
static int32_t iso_week(const struct civil *c)
{
    int64_t day = civil_days(c->year, c->month, c->day);
    int64_t thursday = day - (civil_weekday(day) + 6) % 7 + 3;
    struct civil year = civil_from_days(thursday);

    return (int32_t)((thursday - civil_days(year.year, 1, 1)) / 7) + 1;
}

bool part_of(enum time_part part, struct str s, int zone_min, double *out)
{
    struct civil c;
    time_ns t;

    if (!moment(s, &t))
        return false;
    c = civil_of_ns(t, zone_min);
    switch (part) {
    case PART_MINUTE: *out = c.minute; break;
    case PART_HOUR: *out = c.hour; break;
    case PART_DAY: *out = c.day; break;
    case PART_WEEK: *out = iso_week(&c); break;
    case PART_MONTH: *out = c.month; break;
    case PART_YEAR: *out = c.year; break;
    }
    return true;
}
