/* duty.h - when an obligation under the Rules falls due, and why.
 *
 * Owns      struct duty_world owns its edition, calendar and zone; everything else borrows.
 * Promises  1. Pure: the same arguments give the same answer. "Now" is an argument, or not asked.
 *           2. Minutes and hours run through nights and weekends from the moment itself. Days count from the day
 *              after the start and end at 23:59:59 local time. An act at the due moment is in time.
 *           3. Business days come from the calendar alone. A year it lacks is -ENODATA.
 *           4. nominal is the last day as counted; due is where it moved if that day is not worked and the
 *              obligation's roll is on; else both are equal.
 *           5. A month ends on the same day number, or on the last day of a shorter month.
 *           6. A case is counted by the edition and calendar it is given: keep their ids with the case.
 *           7. The arithmetic is kept as steps; each can be told in Kazakh, Russian and English.
 * Threads   any: editions, calendars and zones do not change once loaded.
 * Units     moments are time_ns, nanoseconds since 1970 UTC.
 * Source    requirements section 5.1 (D-01 … D-31), 5.2 (F-01 … F-06), 5.4 (how terms are counted). */
#ifndef SAQSHY_DUTY_DUTY_H
#define SAQSHY_DUTY_DUTY_H

#include "duty/calendar.h"
#include "duty/edition.h"

#define DUTY_STEPS_MAX 12

struct duty_world {
    struct edition  *edition;
    struct calendar *calendar;
    struct zone     *zone;
};

/* duty_world_load - the edition, content/calendars/kz.yaml and the zone. content is ".../content". */
MUST_USE int duty_world_load(const char *content, const char *edition, const char *zone, struct duty_world *out,
                             struct err *e);
void duty_world_free(struct duty_world *w);

/* The start of a term: a moment, or a whole local day. */
struct duty_start {
    time_ns at;   /* of a whole day: its first moment in the zone */
    bool    date; /* only the day is known */
};

/* duty_start_parse - "2026-03-19", "2026-03-20T23:50+05:00", seconds and offset optional (without an offset: local
 * time of the zone). -EBADMSG otherwise. */
MUST_USE int duty_start_parse(struct str s, const struct zone *zone, struct duty_start *out, struct err *e);

enum duty_step_kind {
    DUTY_STEP_START,       /* moment */
    DUTY_STEP_MIDNIGHT,    /* only a date was given: counted from 00:00 */
    DUTY_STEP_PLUS,        /* amount minutes or hours later */
    DUTY_STEP_NOT_COUNTED, /* the day of the start is not counted */
    DUTY_STEP_COUNTED,     /* the business days counted, day … last */
    DUTY_STEP_SKIPPED,     /* holidays and moved days on the way, day … last */
    DUTY_STEP_WORKED,      /* worked weekend days on the way */
    DUTY_STEP_CALENDAR,    /* amount calendar days: last day */
    DUTY_STEP_MONTHS,      /* amount months: last day */
    DUTY_STEP_CLAMPED,     /* the month is shorter: its last day */
    DUTY_STEP_MOVED,       /* day is not worked: moves to last */
    DUTY_STEP_NOT_MOVED,   /* day is not worked, and this term does not move */
    DUTY_STEP_QUARTER,     /* the quarter ends on last; the Rules name no day */
    DUTY_STEP_ENDS,        /* ends at the end of that day */
    DUTY_STEP_ESTIMATED,   /* days of the year last are estimates */
    DUTY_STEP_READING      /* the term is our reading of the Rules */
};

struct duty_step {
    enum duty_step_kind kind;
    int64_t             day, last; /* days since 1970, local */
    time_ns             at;
    int32_t             amount;
};

struct duty_result {
    const struct obligation *obligation;
    struct duty_start start;
    time_ns           due, nominal;
    bool              moved;     /* due differs from nominal */
    bool              estimated; /* a day on the way is an estimate of the calendar */
    struct duty_step  steps[DUTY_STEPS_MAX];
    size_t            step_count;
};

/* duty_due - the last moment at which the obligation is still kept. *out is written only on success.
 * -ENODATA if the calendar lacks a year on the way; -ENOTSUP for a frequency (F-xx); -ERANGE if the sum leaves the
 * years 1900 to 2200. */
MUST_USE int duty_due(const struct duty_world *w, const struct obligation *o, struct duty_start start,
                      struct duty_result *out, struct err *e);

/* duty_step_text - one step as a sentence, in the arena. */
struct str duty_step_text(const struct duty_world *w, const struct duty_result *r, size_t step, const struct catalog *c,
                          enum lang lang, struct arena *a);
/* duty_date_text - "07.04.2026"; duty_time_text - "07.04.2026 23:59" or with ":59" if seconds are wanted. */
struct str duty_date_text(int64_t day, struct arena *a);
struct str duty_time_text(const struct duty_world *w, time_ns t, bool seconds, struct arena *a);
/* duty_rfc3339 - whole seconds with the offset of the zone: "2026-04-07T23:59:59+05:00". Returns out. */
const char *duty_rfc3339(const struct duty_world *w, time_ns t, char out[TIME_TEXT_MAX]);
/* duty_json - the answer of "saqshy deadline --json" and of GET /obligations/{id}/due, without a newline:
 * {id,from,due,nominal,unit,paragraph,arithmetic[],amount,estimated,calendar,edition}. */
void duty_json(const struct duty_world *w, const struct duty_result *r, const struct catalog *c, enum lang lang,
               struct buf *out);

#endif
