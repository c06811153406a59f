/* retro.h - the same rules over events of then: what would have been found, how often, and where.
 *
 *     store ──► pieces in the order of arrival ──► workers: events, matches, their text ──► told in that order ──► the journal's tail
 *
 * Owns      struct retro_preview_result owns its rows.
 * Promises  1. The same compiled rules see the same events in the order in which they came (of seq), so they match what the live detection matched; correlations
 *              too, if the range holds all that they counted. What a rule does when nothing comes (absence) needs an event behind it, as live.
 *           2. Memory is bounded: two pieces of the store a worker.
 *           3. What is told, and its order, does not depend on how many work. With correlations the rules see the events one by one; reading alone is shared.
 *           4. Blocks of the store in which no rule can match (by its texts) stay closed, when the rules are few.
 *           5. Nothing is written.
 * Threads   owner. A sink is called by workers, several at once; flush, progress and say by the owner.
 * Units     from and to bound the time of the events, half open; seq is the event's number in the journal. */
#ifndef SAQSHY_DETECT_RETRO_H
#define SAQSHY_DETECT_RETRO_H

#include "sigma/sigma.h"
#include "store/store.h"

#define RETRO_WORKERS_MAX  64
#define RETRO_DAYS_MAX     400
#define RETRO_OBJECTS_MAX  4096    /* objects counted for one rule; further ones are summed up */
#define RETRO_SAMPLES_MAX  5
#define RETRO_RULES_MAX    1000    /* rules of one preview */

struct retro_options {
    const char         *data;            /* the data directory: store and journal below it */
    const struct sigma *rules;           /* borrowed */
    time_ns             from, to;
    struct str          object_only;     /* as those of store_search */
    bool                object_filter;
    unsigned            workers;         /* 0: the owner works himself */
    const volatile int *stop;            /* may be NULL */
    time_ns             deadline_steady; /* 0: none */
};

struct retro_stats {
    struct store_stats store;            /* parts and blocks read and skipped, damage */
    uint64_t events, matches;
    uint64_t all;                        /* events in the pieces, for progress: an upper bound */
};

struct retro_listener {
    void *arg;
    /* The matches of one event. Below 0 ends it with that. */
    int (*sink)(void *arg, const struct event *ev, const struct sigma_match *m, size_t count, struct buf *out);
    int (*flush)(void *arg, struct str text);
    void (*progress)(void *arg, uint64_t events, uint64_t all);   /* may be NULL */
};

/* retro_run - all events of the range through the rules. *stats is filled also when it is given up: -ECANCELED, -ETIMEDOUT. */
MUST_USE int retro_run(const struct retro_options *o, const struct retro_listener *to, struct retro_stats *stats, struct err *e);

/* --- "would have fired N times in the last D days" --- */

struct retro_sample {
    uint64_t seq;
    time_ns  time;
    char     object[65];
    char    *line;                       /* of the event, cut at 1 KiB; of a correlation its group */
};
struct retro_object {
    char     id[65];                     /* empty: events of no object */
    uint64_t count;
};
struct retro_rule {
    char        *id, *title;
    bool         silent;                 /* a correlation reads it; it is not told */
    enum sigma_level level;
    uint64_t     count;
    uint64_t    *days;                   /* day_count cells: [0] is that of from, of UTC */
    struct retro_object *objects;        /* those with most hits first */
    size_t       object_count, object_cap;
    uint64_t     other_objects;          /* hits of objects that found no place */
    struct retro_sample samples[RETRO_SAMPLES_MAX];   /* the first */
    size_t       sample_count;
};
struct retro_preview_result {
    struct retro_rule *rules;            /* in the order of the set; of silent ones only their title */
    size_t             rule_count;
    time_ns            from, to;
    int32_t            first_day;        /* days since 1970 */
    size_t             day_count;
    struct retro_stats stats;
    bool               complete;         /* false: stopped or out of time after stats.events of about stats.all */
};

/* retro_preview - the rules of o->rules over its range, counted. Those of informational level are counted too. Stopped or out of time it answers 0 and complete is
 * false. *out is to be freed in any case. */
MUST_USE int retro_preview(const struct retro_options *o, void (*progress)(void *arg, uint64_t events, uint64_t all), void *arg, struct retro_preview_result *out,
                           struct err *e);
void retro_preview_free(struct retro_preview_result *r);
/* retro_preview_json - {"from","to","complete","events","all","rules":[{"id","title","level","count","days":[{"day","count"}],"objects":[{"id","count"}],"other_objects",
 * "samples":[{"seq","time","object","line"}]}]}; rules that are silent are left out. */
void retro_preview_json(const struct retro_preview_result *r, struct buf *out);

#endif
