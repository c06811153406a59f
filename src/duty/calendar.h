/* calendar.h - which days are worked, and what the clock on the wall shows.
 *
 * Owns      struct calendar and struct zone own what they loaded, until their free.
 * Promises  1. A year the file lacks is -ENODATA naming the year; Monday to Friday is never guessed.
 *           2. Each day off and each working weekend has a source; what is an estimate says so.
 *           3. A zone is read from the tz database by name, bounded, and the process-wide TZ is not touched.
 *              A zone that changes its clocks by a rule for ever (daylight saving) is refused, not guessed.
 *           4. A local time that occurs twice is read as its later moment by zone_last, its earlier by zone_first;
 *              one that never occurs is read with the offset before the gap.
 * Threads   any, once loaded.
 * Units     days since 1970-01-01; time_ns; offsets in minutes east.
 * Source    law 267 of 13.12.2001 on holidays, labour code art. 84, 85; RFC 8536 (TZif). */
#ifndef SAQSHY_DUTY_CALENDAR_H
#define SAQSHY_DUTY_CALENDAR_H

#include "duty/edition.h"

#define CALENDAR_YEARS_MAX 64
#define CALENDAR_DAYS_MAX  128   /* entries of one year */
#define ZONE_BYTES_MAX     (64u * KIB)
#define ZONE_CHANGES_MAX   2000
#define ZONE_FOLDER        "/usr/share/zoneinfo"

enum calendar_kind {
    CALENDAR_WORK,    /* an ordinary working day, or a weekend day that is worked */
    CALENDAR_WEEKEND, /* an ordinary day of rest */
    CALENDAR_HOLIDAY,
    CALENDAR_OFF      /* a day off moved here */
};

struct calendar_day {
    int64_t             day;
    enum calendar_kind  kind;
    bool                estimated;
    const struct label *name;  /* of the holiday; NULL for ordinary days */
    struct str          source;
};

struct calendar_year {
    int32_t                    year;
    bool                       estimated;
    struct str                 source;
    const struct calendar_day *days; /* sorted */
    size_t                     count;
};

struct calendar {
    struct arena  arena;
    struct yaml  *file;
    struct str    id, version, zone;
    bool          rest[7]; /* by weekday, 0 Sunday */
    struct calendar_year years[CALENDAR_YEARS_MAX]; /* ascending, without gaps */
    size_t        year_count;
};

MUST_USE int calendar_load(const char *path, struct calendar **out, struct err *e);
/* calendar_read - the same from text; name is for messages. */
MUST_USE int calendar_read(struct str text, const char *name, struct calendar **out, struct err *e);
void calendar_free(struct calendar **c);
/* calendar_day - what kind of day. -ENODATA if the calendar lacks its year; the place of the error (e->at) is then that year. */
MUST_USE int calendar_day(const struct calendar *c, int64_t day, struct calendar_day *out, struct err *e);
static inline bool calendar_worked(const struct calendar_day *d) { return d->kind == CALENDAR_WORK; }

struct zone;
MUST_USE int zone_load(const char *folder, const char *name, struct zone **out, struct err *e);
MUST_USE int zone_read(struct str tzif, const char *name, struct zone **out, struct err *e);
void zone_free(struct zone **z);
/* zone_offset_min - minutes east of UTC at t. */
int zone_offset_min(const struct zone *z, time_ns t);
time_ns zone_first(const struct zone *z, const struct civil *local);
time_ns zone_last(const struct zone *z, const struct civil *local);

#endif
