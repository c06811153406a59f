/* clock.h - moments, civil dates and their text forms.
 *
 * Owns      nothing.
 * Promises  1. Only clock_now asks the time; everything else is a pure function of its arguments.
 *           2. Civil dates are proleptic Gregorian, years 1 to 9999.
 *           3. A test build (-Dtest_clock=true) adds an offset that a test can move; a release build
 *              has no such door: the code is not compiled in.
 * Threads   any.
 * Units     time_ns: nanoseconds since 1970 UTC. Offsets from UTC in minutes, east positive.
 * Source    RFC 3339 for text. */
#ifndef SAQSHY_BASE_CLOCK_H
#define SAQSHY_BASE_CLOCK_H

#include "base/buf.h"

typedef int64_t time_ns;

#define NS_PER_MS     INT64_C(1000000)
#define NS_PER_SECOND INT64_C(1000000000)
#define NS_PER_MINUTE (60 * NS_PER_SECOND)
#define NS_PER_HOUR   (60 * NS_PER_MINUTE)
#define NS_PER_DAY    (24 * NS_PER_HOUR)

struct civil {
    int32_t year, month, day, hour, minute, second;
};

/* clock_now - this moment. In a test build moved by the file that SAQSHY_TEST_CLOCK names
 * (8 bytes, little-endian nanoseconds, re-read at each call). */
time_ns clock_now(void);
/* clock_steady - nanoseconds since some fixed point, never moved: for time-outs and rates. */
time_ns clock_steady(void);

/* civil_valid - a date and time that exist (second 60 does not). */
bool civil_valid(const struct civil *c);
/* civil_days - days since 1970-01-01 of a date. */
int64_t civil_days(int32_t year, int32_t month, int32_t day);
/* civil_from_days - the date of a day number; the time of day is zero. */
struct civil civil_from_days(int64_t days);
/* civil_weekday - 0 Sunday to 6 Saturday. */
int civil_weekday(int64_t days);
int32_t civil_month_days(int32_t year, int32_t month);
/* civil_to_ns - the moment of a civil time read in a zone of offset_min. */
time_ns civil_to_ns(const struct civil *c, int offset_min);
struct civil civil_of_ns(time_ns t, int offset_min);

/* time_parse_rfc3339 - read "2026-03-20T23:50[:00[.123456789]](Z|+05:00|+0500)", ' ' or 't' for 'T' allowed.
 * The whole of s. *offset_min may be NULL. -EBADMSG otherwise; e->at is the place. */
struct err;
int time_parse_rfc3339(struct str s, time_ns *out, int *offset_min, struct err *e)
    __attribute__((warn_unused_result));
/* TIME_TEXT_MAX - room for any text that the functions below write, NUL included. */
#define TIME_TEXT_MAX 48
/* time_format_utc - "2026-03-20T18:50:00.123456789Z"; the fraction is 0, 3, 6 or 9 digits, whichever is the
 * shortest that is exact. Returns out. */
const char *time_format_utc(time_ns t, char out[TIME_TEXT_MAX]);
/* time_format_offset - whole seconds with offset: "2026-03-20T23:50:00+05:00". */
const char *time_format_offset(time_ns t, int offset_min, char out[TIME_TEXT_MAX]);
void buf_time(struct buf *b, time_ns t);

#endif
