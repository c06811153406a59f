/* metrics.h - counters and gauges of one process, in Prometheus text.
 *
 * Owns      struct metrics owns its cells; names and labels are literals or live as long as it.
 * Promises  1. At most METRICS_MAX cells, so the text is bounded.
 *           2. Cells are atomic: any thread may add.
 * Threads   registering: owner; adding: any.
 * Source    Prometheus text format 0.0.4. */
#ifndef SAQSHY_BASE_METRICS_H
#define SAQSHY_BASE_METRICS_H

#include "base/base.h"

#define METRICS_MAX 640

struct metric {
    const char *name;    /* "saqshy_ingest_events_total" */
    const char *labels;  /* "listener=\"syslog_tcp\"" or NULL */
    const char *help;
    bool        gauge;
    int64_t     value;  /* only through the functions below */
};

struct metrics {
    struct metric cell[METRICS_MAX];
    size_t        count;
};

/* metrics_cell - register; returns the cell, which stays valid as long as m. Never NULL: past the limit all
 * further names share the last cell. */
struct metric *metrics_cell(struct metrics *m, const char *name, const char *labels, bool gauge, const char *help);
static inline void metric_add(struct metric *c, int64_t n) { __atomic_fetch_add(&c->value, n, __ATOMIC_RELAXED); }
static inline void metric_set(struct metric *c, int64_t n) { __atomic_store_n(&c->value, n, __ATOMIC_RELAXED); }
static inline int64_t metric_get(const struct metric *c) { return __atomic_load_n(&c->value, __ATOMIC_RELAXED); }
/* metrics_text - append all cells as text. */
void metrics_text(const struct metrics *m, struct buf *b);
/* metrics_publish - write the text to PATH atomically (without fsync: it is not evidence). */
MUST_USE int metrics_publish(const struct metrics *m, const char *path, struct err *e);

#endif
