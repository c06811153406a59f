/* duty.h - when an obligation under the Rules falls due, and why.
 *
 * Owns      struct duty_world owns its editions, calendar, targets and zone; everything else borrows.
 * Promises  1. Pure: the same arguments give the same answer. "Now" is an argument, or not asked.
 *           2. Minutes and hours run through nights and weekends from the moment itself. Days count from the day
 *              after the start and end at 23:59:59 local time. An act at the due moment is in time.
 *           3. Business days come from the calendar alone. A year it lacks is -ENODATA.
 *           4. nominal is the last day as counted; due is where it moved if that day is not worked and the
 *              obligation's roll is on; else both are equal. Months roll as calendar days do.
 *           5. A month ends on the same day number, or on the last day of a shorter month.
 *           6. A case is counted by the edition and calendar it is given: keep their ids with the case. Several editions are
 *              loaded; an obligation knows its own, and what is counted by it says so.
 *           7. The arithmetic is kept as steps; each can be told in Kazakh, Russian and English.
 *           8. What the Rules give no day (D-19, D-20, N-xx) has none here either, or an internal day of policy; basis says which.
 * Threads   any: editions, calendars and zones do not change once loaded.
 * Units     moments are time_ns, nanoseconds since 1970 UTC.
 * Source    requirements section 5.1 (D-01 … D-31), 5.2 (F-01 … F-06), 5.4 (how terms are counted). */
#ifndef SAQSHY_DUTY_DUTY_H
#define SAQSHY_DUTY_DUTY_H

#include "duty/calendar.h"
#include "duty/edition.h"

#define DUTY_STEPS_MAX    16
#define DUTY_EDITIONS_MAX 32
#define DUTY_TARGETS_MAX  64

/* An internal day of content/policy/targets.yaml, for an obligation without a lawful one. */
struct duty_target {
    struct str     obligation;
    int32_t        amount;
    enum duty_unit unit;
};
struct duty_targets;

struct duty_world {
    struct edition      *edition;    /* the configured one: for what begins now, unless a later one is in force */
    struct edition      *editions[DUTY_EDITIONS_MAX]; /* all of content/editions, that one too, by id */
    size_t               edition_count;
    struct calendar     *calendar;
    struct duty_targets *targets;
    struct zone         *zone;
};

/* duty_world_load - every edition, content/calendars/kz.yaml, content/policy/targets.yaml and the zone. content is ".../content". */
MUST_USE int duty_world_load(const char *content, const char *edition, const char *zone, struct duty_world *out,
                             struct err *e);
void duty_world_free(struct duty_world *w);
/* duty_local_day - days since 1970 of a moment, by the wall's calendar of the zone. */
int64_t duty_local_day(const struct duty_world *w, time_ns t);
/* duty_edition - by id; NULL if content/editions has no such folder. */
const struct edition *duty_edition(const struct duty_world *w, struct str id);
/* duty_edition_at - the edition for what begins at t: the one latest in force by then of those whose effective_from is known and
 * later than the configured one's; else the configured one. */
const struct edition *duty_edition_at(const struct duty_world *w, time_ns t);
/* duty_target_of - the internal day set for an obligation, or NULL. */
const struct duty_target *duty_target_of(const struct duty_world *w, const struct obligation *o);

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
    DUTY_STEP_READING,     /* the term is our reading of the Rules */
    DUTY_STEP_NO_TERM,     /* the Rules set no time limit */
    DUTY_STEP_TARGET,      /* from here on an internal day of policy is counted */
    DUTY_STEP_YEARLY,      /* amount a year: main and control */
    DUTY_STEP_YEARLY_PLAIN,/* amount a year */
    DUTY_STEP_QUARTERS,    /* the quarters of the year that are still to come, with their last days */
    DUTY_STEP_SHARE        /* monitored since day: the share of the year and what is proposed for it */
};

struct duty_step {
    enum duty_step_kind kind;
    int64_t             day, last; /* days since 1970, local */
    time_ns             at;
    int32_t             amount;
    enum duty_unit      unit;
};

/* On what a due moment rests. */
enum duty_basis {
    DUTY_LAW,       /* the Rules */
    DUTY_TARGET,    /* an internal day of policy: nothing is late by law */
    DUTY_OPEN,      /* neither: no due moment */
    DUTY_FREQUENCY  /* a count a year: no due moment (duty_plan) */
};

struct duty_result {
    const struct obligation *obligation;
    enum duty_basis   basis;
    struct duty_start start;
    time_ns           due, nominal; /* 0 without a due moment */
    int32_t           year, main, control; /* of duty_plan: proposed for the rest of that year */
    bool              moved;     /* due differs from nominal */
    bool              estimated; /* a day on the way is an estimate of the calendar */
    struct duty_step  steps[DUTY_STEPS_MAX];
    size_t            step_count;
};

/* duty_due - the last moment at which the obligation is still kept. *out is written only on success; look at basis before due.
 * -ENODATA if the calendar lacks a year on the way; -ENOTSUP for a frequency (F-xx); -ERANGE if the sum leaves the
 * years 1900 to 2200. */
MUST_USE int duty_due(const struct duty_world *w, const struct obligation *o, struct duty_start start,
                      struct duty_result *out, struct err *e);
/* duty_late - is an act at that moment too late? At the due moment itself it is in time. */
static inline bool duty_late(time_ns due, time_ns at) { return at > due; }
/* duty_plan - how often in a calendar year, for an object monitored since a local day (the first of January or before: the whole
 * year). A later day gives the share of the year, each half rounded to the nearest, as a proposal. -ENOTSUP if o is no
 * frequency; -ERANGE for a day after the year. */
MUST_USE int duty_plan(const struct duty_world *w, const struct obligation *o, int32_t year, int64_t since,
                       struct duty_result *out, struct err *e);
const char *duty_basis_name(enum duty_basis b); /* "law" "target" "open" "frequency" */

/* duty_step_text - one step as a sentence, in the arena. */
struct str duty_step_text(const struct duty_world *w, const struct duty_result *r, size_t step, const struct catalog *c,
                          enum lang lang, struct arena *a);
/* duty_date_text - "07.04.2026"; duty_time_text - "07.04.2026 23:59" or with ":59" if seconds are wanted. */
struct str duty_date_text(int64_t day, struct arena *a);
struct str duty_time_text(const struct duty_world *w, time_ns t, bool seconds, struct arena *a);
/* duty_rfc3339 - whole seconds with the offset of the zone: "2026-04-07T23:59:59+05:00". Returns out. */
const char *duty_rfc3339(const struct duty_world *w, time_ns t, char out[TIME_TEXT_MAX]);
/* duty_json - the answer of "saqshy deadline --json" and of GET /obligations/{id}/due, without a newline:
 * {id,from,due,nominal,unit,paragraph,arithmetic[],amount,basis,estimated,calendar,edition}; due and nominal are null without
 * a due moment; of a frequency also year, main, control. */
void duty_json(const struct duty_world *w, const struct duty_result *r, const struct catalog *c, enum lang lang,
               struct buf *out);

#endif
