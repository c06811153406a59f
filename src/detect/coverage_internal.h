/* coverage_internal.h - what the files of the coverage table share: coverage.c counts, coverage_state.c saves, coverage_due.c tells of silence,
 * coverage_json.c writes the file. */
#ifndef SAQSHY_DETECT_COVERAGE_INTERNAL_H
#define SAQSHY_DETECT_COVERAGE_INTERNAL_H

#include "detect/ages.h"
#include "detect/coverage.h"

#define ROW_ITSELF 0xff              /* the type of a row's first cell, which counts all its events */
#define WEEK_S     (7 * 86400)
#define SILENT_LEAST_S 900           /* nothing is silent sooner */
#define HOLE_S     3600              /* nothing at all for so long: it was not the sources that were silent */

/* 48 bytes, of a source's events or those of one type of them. Seconds of receipt since 1970. */
struct cell {
    uint64_t events, last_seq;
    uint32_t first_s, last_s;
    uint32_t gap_s[2];               /* the longest silence of the week of last_s and of the one before */
    float    recent;                 /* events, halved every RECENT_S */
    uint32_t checked;                /* events whose fields were looked at */
    uint8_t  type;
    bool     told;                   /* its silence */
    uint8_t  seen, lacks;            /* fields of the chapter, bit 0 the moment */
};
static_assert(sizeof(struct cell) == 48, "a cell");

struct row {
    struct aged aged;                /* by the last event */
    struct cell *cells;              /* owned; the first is the row's own */
    uint32_t    object_n, source_n;
    uint8_t     class, count;
    uint8_t     at[EVENT_TYPES];  /* index in cells, 0: did not come */
    char        text[];              /* object, source */
};

struct coverage {
    struct ages rows;
    time_ns     since, clock, resumed;
    uint32_t    scanned_s, due_s;    /* when silences were looked for last; before due_s there is none */
    uint64_t    dropped;
    struct arena scratch;
};

static inline struct row *row_at(const struct aged *a) { return (struct row *)(void *)(uintptr_t)a; }   /* NULL stays NULL */
static inline struct str row_object(const struct row *r) { return str_of(r->text, r->object_n); }
static inline struct str row_source(const struct row *r) { return str_of(r->text + r->object_n, r->source_n); }

/* coverage_row - a new one, the newest, with its own cell. NULL without memory. */
struct row *coverage_row(struct coverage *c, struct str object, struct str source, enum event_class class);
/* coverage_cell - the cell of a type, made where it is missing. NULL without memory. */
struct cell *coverage_cell(struct row *r, int type);
void coverage_clear(struct coverage *c);

uint32_t cell_gap(const struct cell *c);
/* cell_silence - seconds since its last event, or since the last hole of everything. */
int64_t cell_silence(const struct coverage *c, const struct cell *cell, int64_t now_s);
/* cell_rate - events an hour, lately. */
double cell_rate(const struct cell *cell, int64_t now_s);
bool cell_late(const struct coverage *c, const struct cell *cell, int64_t now_s);
int64_t cell_late_after(const struct cell *cell);

#endif
