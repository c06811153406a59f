/* keep.h - how long events are kept and whether there will be room for them: terms, forecast, reserve, and the picture of all that.
 *
 * Owns      struct keep owns its compiled filters and its history; in DATA/run retention.json, in DATA/store GROWTH and EXPIRED.
 * Promises  1. A term below that of content/policy/retention.yaml is refused unless the configuration says why, who decided it and when; where it is shown,
 *              the reason stands beside it.
 *           2. keep_outlook is pure: days, pace and room in, an answer out. It never counts on room that only a broken term would give.
 *           3. The history is bounded: GROWTH_DAYS_MAX days, one line each.
 *           4. Nothing here removes anything: the index asks the store to (store_expire), once an hour at most, also over its restarts (keep_expiry_wait), and with
 *              the holds of that moment (keep_holds).
 * Threads   owner.
 * Units     bytes, days (UTC), time_ns.
 * Source    docs/retention.md; Q-47. */
#ifndef SAQSHY_KEEP_KEEP_H
#define SAQSHY_KEEP_KEEP_H

#include "base/catalog.h"
#include "base/node.h"
#include "keep/hold.h"
#include "store/store.h"

#include <jansson.h>

#define GROWTH_DAYS_MAX  400
#define OUTLOOK_DAYS     3660     /* so far the forecast looks */
#define PACE_DAYS        7        /* of so many whole days the pace is the mean */
#define KEEP_PICTURE     "run/retention.json"
#define KEEP_PICTURE_MAX (1u * MIB)

/* --- terms --- */

/* The least terms, as content/policy/retention.yaml has them. */
struct keep_floor {
    int64_t days, fast_days;
    char    basis[LANG_COUNT][1024];
};
MUST_USE int keep_floor_load(const char *content, struct keep_floor *out, struct err *e);
/* keep_check - what the configuration says of terms and base cannot judge: filters, terms that are too short without a reason. -EINVAL with the reason. */
MUST_USE int keep_check(const struct node *n, struct err *e);
/* keep_shorter - are the terms below the floor? */
bool keep_shorter(const struct node *n, const struct keep_floor *f);

/* --- forecast --- */

struct keep_room {
    int64_t free;          /* above the reserve */
    int64_t total;
    bool    archive;       /* there is an archive on a file system of its own */
    int64_t archive_free;  /* above its reserve */
    int64_t other_day;     /* what else than events takes a day: documents, a journal that waits for a reader */
};
struct keep_terms {
    int64_t days, fast_days, longest;   /* longest: of all terms; a day gives its room back only then */
};
struct keep_outlook {
    int64_t bytes_day, events_day;  /* the pace */
    int64_t other_day;              /* what else takes room */
    int     measured_days;          /* whole days it was measured over; 0: today alone */
    int64_t full_in_days;           /* -1: not within OUTLOOK_DAYS */
    bool    archive_first;          /* it is the archive that is full then */
    int64_t need_bytes;             /* all of the term at this pace */
    int64_t have_bytes;             /* what is stored and what is free above the reserve */
};
/* keep_look_ahead - list: days of the store in order. now counts the day that runs. */
void keep_look_ahead(const struct store_day *list, size_t count, time_ns now, const struct keep_terms *t, const struct keep_room *room,
                     struct keep_outlook *out);

/* --- the index's side --- */

struct keep;
struct metrics;
MUST_USE int keep_open(const struct node *n, struct metrics *m, struct keep **out, struct err *e);
void keep_close(struct keep **k);
const struct store_policy *keep_policy(const struct keep *k);
/* keep_holds - the legal holds of DATA/holds as they are now become part of the policy. Below zero: one cannot be read, or the folder; then nothing may be removed, and the
 * picture says so until they can be. Before each step of removal. */
MUST_USE int keep_holds(struct keep *k, time_ns now, struct err *e);
/* keep_watch - look at the file systems. True when something changed for the worse or the better: then *told is a line for the log. */
enum keep_change { KEEP_SAME, KEEP_LOW, KEEP_TOUCHED, KEEP_ROOM };
enum keep_change keep_watch(struct keep *k, time_ns now, char told[512]);
/* keep_store_waits - the store takes nothing more for now: half of the reserve of its file system is used. keep_touched: some reserve is. */
bool keep_store_waits(const struct keep *k);
bool keep_touched(const struct keep *k);
/* What has been done since the start, and what went wrong the last time. */
struct keep_done {
    struct store_expired expired;
    uint64_t             moved_parts, moved_bytes;
    time_ns              expired_at, moved_at;
    char                 archive_error[ERR_TEXT_MAX], expire_error[ERR_TEXT_MAX];
};
struct keep_done *keep_done(struct keep *k);
/* keep_expiry_wait - how long until events may go for their age again: an hour from the last time, which is on disk, so that a role that starts again and again
 * does not begin the hour anew; 0: now. A last time that is still to come is of a clock that ran ahead, and counts for nothing.
 * keep_expiry_note - now is the last time. */
time_ns keep_expiry_wait(const struct keep *k, time_ns now);
MUST_USE int keep_expiry_note(const struct keep *k, time_ns now, struct err *e);
/* keep_publish - DATA/run/retention.json, DATA/store/GROWTH, metrics. */
MUST_USE int keep_publish(struct keep *k, time_ns now, struct err *e);

/* --- whoever shows it --- */

/* keep_picture - DATA/run/retention.json, -ENOENT where there is none. */
MUST_USE int keep_picture(const char *data, json_t **out, struct err *e);
/* keep_state - the state of the reserves in a picture; SPACE_OK where it says nothing. */
enum space_state keep_state(const json_t *picture);

#endif
