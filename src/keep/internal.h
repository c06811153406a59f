/* internal.h - what the files of keep share. */
#ifndef SAQSHY_KEEP_INTERNAL_H
#define SAQSHY_KEEP_INTERNAL_H

#include "base/metrics.h"
#include "keep/keep.h"

#define PLACES_MAX 8

/* A file system that we write. */
struct place {
    const char      *name;       /* the folder by which it was found first */
    char             path[4096];
    struct space     space;
    enum space_state was;
    time_ns          since;      /* of this state */
    bool             there;
    bool             archive;
};

struct growth_day {
    int32_t day;
    int64_t bytes, events, free;   /* of this day's parts; free in the store's file system when it was written last */
};

struct keep {
    const struct node  *node;
    struct keep_floor   floor;
    struct reserve      reserve;
    struct store_term   term[RETENTION_LONGER_MAX];
    struct query       *query[RETENTION_LONGER_MAX];
    struct store_policy policy;
    int64_t             longest;
    struct holds        holds;
    struct store_hold   hold[HOLDS_MAX];
    struct query       *hold_query[HOLDS_MAX];
    time_ns             holds_at;
    int                 hold_lock;
    char                hold_fault[ERR_TEXT_MAX];
    struct place        place[PLACES_MAX];
    size_t              places;
    struct growth_day   growth[GROWTH_DAYS_MAX];
    size_t              growth_count;
    time_ns             growth_at, opened;
    struct keep_done    done;
    struct metric      *m_state, *m_free, *m_reserve, *m_full_in, *m_pace, *m_need, *m_archived, *m_expired, *m_moved, *m_holds, *m_holds_unreadable, *m_bytes, *m_events, *m_parts;
};

/* terms.c */
MUST_USE int terms_open(struct keep *k, struct err *e);
void terms_close(struct keep *k);

/* holding.c */
void holds_close(struct keep *k);
json_t *holds_json(const struct keep *k);

/* watch.c */
void places_find(struct keep *k);
const struct place *place_of(const struct keep *k, const char *folder);
enum space_state places_state(const struct keep *k);

/* picture.c: the history */
void growth_load(struct keep *k);
/* growth_other - bytes a day that went besides those of events, mean of the last whole days; 0 or less where none did or it is not known. */
int64_t growth_other(const struct keep *k, time_ns now);
/* day_text - "2026-11-27". */
const char *day_text(int32_t day, char out[16]);

#endif
