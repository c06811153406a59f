/* skew.h - how far the clock of a source is from ours: the moment of receipt less the event's own time, the median of the last ones.
 *
 *   skew_s     spread    what it says
 *   within 5 min         ok
 *   n * 30 min steady    zone: the source writes times of another zone than we read them in (or its clock was set by another)
 *   -1 h       steady    old_zone, where times without a zone are read as UTC+5: zone data from before 2024-03-01, when Kazakhstan left UTC+6
 *   else       steady    off: its clock is wrong
 *   else       wide      late: lines come with a delay that changes: a backlog, or a queue on their way
 *
 * Owns      nothing: bounded state, part of a source.
 * Promises  1. Times are never changed for it, and nothing is dropped: it is told.
 *           2. One sample a second of a source at most, so a burst does not push out the others.
 * Threads   owner.
 * Units     seconds; minutes for zones. */
#ifndef SAQSHY_INGEST_SKEW_H
#define SAQSHY_INGEST_SKEW_H

#include "base/base.h"

#define SKEW_SAMPLES 31
#define SKEW_LEAST   5       /* fewer say nothing */
#define SKEW_OK_S    300     /* R-A4.7 and features.md: five minutes are flagged */
#define SKEW_STEADY_S 120    /* half of the samples lie within so much */
#define SKEW_ZONE_S  120     /* so near to a whole half hour */

enum skew_kind { SKEW_UNKNOWN, SKEW_OK, SKEW_ZONE, SKEW_OLD_ZONE, SKEW_OFF, SKEW_LATE };

struct skew {
    int32_t last_second;     /* of receipt, when the last sample was taken */
    uint8_t count, next;
    bool    bare;            /* the last sample's time named no zone */
    int32_t s[SKEW_SAMPLES];
};
struct skew_view {
    enum skew_kind kind;
    int32_t median_s, spread_s, zone_min;   /* zone_min: by how much the zone is off, SKEW_ZONE and SKEW_OLD_ZONE */
    uint8_t count;
};

/* skew_add - an event that says its time. bare: without a zone. */
void skew_add(struct skew *k, time_ns received, time_ns said, bool bare);
/* skew_look - zone_min: in which times without a zone are read. */
struct skew_view skew_look(const struct skew *k, int32_t zone_min);
const char *skew_name(enum skew_kind k);   /* "old_zone" */

#endif
