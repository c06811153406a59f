/* clock.c - see clock.h. Day arithmetic counts from 1 March of a 400-year era, where leap days end a year
 * and need no table. */
#include "base/base.h"

#include <time.h>
#ifdef SAQSHY_TEST_CLOCK
#include <fcntl.h>
#include <unistd.h>
#endif

static time_ns test_offset(void)
{
#ifdef SAQSHY_TEST_CLOCK
    const char *path = getenv("SAQSHY_TEST_CLOCK");
    unsigned char x[8];
    uint64_t v = 0;
    int fd = path ? open(path, O_RDONLY | O_CLOEXEC) : -1;

    if (fd < 0)
        return 0;
    if (pread(fd, x, sizeof x, 0) == (ssize_t)sizeof x)
        for (int i = 7; i >= 0; i--)
            v = v << 8 | x[i];
    close(fd);
    return (time_ns)v;
#else
    return 0;
#endif
}

time_ns clock_now(void)
{
    struct timespec t;

    clock_gettime(CLOCK_REALTIME, &t);
    return (time_ns)t.tv_sec * NS_PER_SECOND + t.tv_nsec + test_offset();
}

time_ns clock_steady(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (time_ns)t.tv_sec * NS_PER_SECOND + t.tv_nsec;
}

static bool leap(int32_t y)
{
    return y % 4 == 0 && (y % 100 != 0 || y % 400 == 0);
}

/* month_days - of a month from 1 to 12. */
static inline int32_t month_days(int32_t year, int32_t month)
{
    static const int8_t days[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };

    return month == 2 && leap(year) ? 29 : days[month - 1];
}

int32_t civil_month_days(int32_t year, int32_t month) { return month < 1 || month > 12 ? 0 : month_days(year, month); }

bool civil_valid(const struct civil *c)
{
    return c->year >= 1 && c->year <= 9999 && c->month >= 1 && c->month <= 12 && c->day >= 1 &&
           c->day <= month_days(c->year, c->month) && c->hour >= 0 && c->hour <= 23 &&
           c->minute >= 0 && c->minute <= 59 && c->second >= 0 && c->second <= 59;
}

#define ERAS_BEFORE 100u /* of 400 years: with them every year that we count is above zero, and divisions need no sign */

int64_t civil_days(int32_t year, int32_t month, int32_t day)
{
    uint32_t y = (uint32_t)(year - (month <= 2)) + ERAS_BEFORE * 400, mp = (uint32_t)(month > 2 ? month - 3 : month + 9);
    int64_t doy = (int64_t)((153 * mp + 2) / 5) + day - 1;

    return (int64_t)(y * 365 + y / 4 - y / 100 + y / 400) + doy - 719468 - (int64_t)ERAS_BEFORE * 146097;
}

struct civil civil_from_days(int64_t days)
{
    int64_t z = days + 719468, era = (z >= 0 ? z : z - 146096) / 146097, doe = z - era * 146097;
    int64_t yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
    int64_t doy = doe - (365 * yoe + yoe / 4 - yoe / 100), mp = (5 * doy + 2) / 153;
    struct civil c = { 0 };

    c.day = (int32_t)(doy - (153 * mp + 2) / 5 + 1);
    c.month = (int32_t)(mp < 10 ? mp + 3 : mp - 9);
    c.year = (int32_t)(yoe + era * 400 + (c.month <= 2));
    return c;
}

int civil_weekday(int64_t days)
{
    return (int)((days % 7 + 11) % 7);
}

time_ns civil_to_ns(const struct civil *c, int offset_min)
{
    int64_t s = civil_days(c->year, c->month, c->day) * 86400 + c->hour * 3600 + c->minute * 60 + c->second;

    return (s - (int64_t)offset_min * 60) * NS_PER_SECOND;
}

struct civil civil_of_ns(time_ns t, int offset_min)
{
    int64_t s = t / NS_PER_SECOND - (t % NS_PER_SECOND < 0) + (int64_t)offset_min * 60;
    int64_t days = s / 86400 - (s % 86400 < 0), rest = s - days * 86400;
    struct civil c = civil_from_days(days);

    c.hour = (int32_t)(rest / 3600);
    c.minute = (int32_t)(rest / 60 % 60);
    c.second = (int32_t)(rest % 60);
    return c;
}

/* read_fraction - ".123456789" as nanoseconds; digits past the ninth are dropped. */
static int64_t read_fraction(struct reader *r)
{
    int64_t ns = 0, scale = 100000000;

    if (rd_peek(r) != '.' && rd_peek(r) != ',')
        return 0;
    rd_skip(r, 1);
    if (rd_peek(r) < '0' || rd_peek(r) > '9')
        rd_fail(r, "digits of the fraction");
    while (rd_peek(r) >= '0' && rd_peek(r) <= '9') {
        ns += (rd_u8(r) - '0') * scale;
        scale /= 10;
    }
    return ns;
}

static int read_offset(struct reader *r)
{
    int sign, hours, minutes;

    if (rd_peek(r) == 'Z' || rd_peek(r) == 'z') {
        rd_skip(r, 1);
        return 0;
    }
    sign = rd_peek(r) == '-' ? -1 : 1;
    if (rd_peek(r) != '+' && rd_peek(r) != '-')
        rd_fail(r, "'Z' or an offset such as +05:00");
    rd_skip(r, 1);
    hours = rd_digits(r, 2, "hours of the offset");
    if (rd_peek(r) == ':')
        rd_skip(r, 1);
    minutes = rd_digits(r, 2, "minutes of the offset");
    if (hours > 23 || minutes > 59)
        rd_fail(r, "an offset below 24:00");
    return sign * (hours * 60 + minutes);
}

int time_parse_rfc3339(struct str s, time_ns *out, int *offset_min, struct err *e)
{
    struct reader r = rd_from(s.p, s.n);
    struct civil c = { 0 };
    int64_t fraction;
    int offset;

    c.year = rd_digits(&r, 4, "year");
    rd_byte(&r, '-');
    c.month = rd_digits(&r, 2, "month");
    rd_byte(&r, '-');
    c.day = rd_digits(&r, 2, "day");
    if (rd_peek(&r) != 'T' && rd_peek(&r) != 't' && rd_peek(&r) != ' ')
        rd_fail(&r, "'T' between date and time");
    rd_skip(&r, 1);
    c.hour = rd_digits(&r, 2, "hour");
    rd_byte(&r, ':');
    c.minute = rd_digits(&r, 2, "minute");
    if (rd_peek(&r) == ':') {
        rd_skip(&r, 1);
        c.second = rd_digits(&r, 2, "second");
    }
    fraction = read_fraction(&r);
    offset = read_offset(&r);
    if (rd_ok(&r) && rd_left(&r))
        rd_fail(&r, "the end of the time");
    if (!rd_ok(&r))
        return rd_err(&r, e, "time");
    if (!civil_valid(&c))
        return err_at(e, -EBADMSG, 0, "time: no such date or time");
    if (c.year < 1678 || c.year > 2261)     /* what 64 bits of nanoseconds can hold */
        return err_at(e, -EBADMSG, 0, "time: outside the years 1678 to 2261");
    *out = civil_to_ns(&c, offset) + fraction;
    if (offset_min)
        *offset_min = offset;
    return 0;
}

const char *time_format_utc(time_ns t, char out[TIME_TEXT_MAX])
{
    struct civil c = civil_of_ns(t, 0);
    int64_t ns = t % NS_PER_SECOND;
    int n = snprintf(out, TIME_TEXT_MAX, "%04d-%02d-%02dT%02d:%02d:%02d", c.year, c.month, c.day, c.hour,
                     c.minute, c.second);

    if (n < 0 || n > 32)
        n = 0;
    if (ns < 0)
        ns += NS_PER_SECOND;
    size_t left = TIME_TEXT_MAX - (size_t)n;
    if (ns == 0)
        snprintf(out + n, left, "Z");
    else if (ns % 1000000 == 0)
        snprintf(out + n, left, ".%03dZ", (int)(ns / 1000000));
    else if (ns % 1000 == 0)
        snprintf(out + n, left, ".%06dZ", (int)(ns / 1000));
    else
        snprintf(out + n, left, ".%09dZ", (int)ns);
    return out;
}

const char *time_format_offset(time_ns t, int offset_min, char out[TIME_TEXT_MAX])
{
    struct civil c = civil_of_ns(t, offset_min);
    int a = offset_min < 0 ? -offset_min : offset_min;

    snprintf(out, TIME_TEXT_MAX, "%04d-%02d-%02dT%02d:%02d:%02d%c%02d:%02d", c.year % 10000, c.month % 100,
             c.day % 100, c.hour % 100, c.minute % 100, c.second % 100, offset_min < 0 ? '-' : '+', a / 60 % 100, a % 60);
    return out;
}

void buf_time(struct buf *b, time_ns t)
{
    char text[TIME_TEXT_MAX];

    buf_str(b, str_c(time_format_utc(t, text)));
}
