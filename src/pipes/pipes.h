/* pipes.h - what stands behind the filter of a search: "| stats count() by user.name | sort -count | head 10".
 *
 * Owns      struct pipes owns the plan; struct pipes_run its rows, groups and sketches.
 * Promises  1. Rows come out in an order that the events alone decide: sort as asked, else groups by their keys, else as events came. Runs of several
 *              threads that are merged give the same rows as one would have (sums of fractions may differ in the last digit).
 *           2. Bounded: a run holds limit_bytes; what needs more is refused (-E2BIG) with the pipe's name and what to do. Nothing is left out silently.
 *           3. Missing is not empty: sum, min, max, avg, uniq and quantile pass it over, count(f) does not count it, "by f" makes a group of it; it sorts
 *              last. top, rare and fields of several values: docs/search.md.
 *           4. uniq is exact up to PIPES_UNIQ_EXACT different values, then HyperLogLog (standard error 0.81 %); quantile up to PIPES_QUANTILE_EXACT values, then a
 *              sketch whose answer is within 1 % of the value. A column that holds such a figure says so (struct pipes_column.approximate).
 * Threads   struct pipes: any. A run: owner; runs of one plan in several threads, then pipes_merge by one of them.
 * Units     bucket spans in nanoseconds; days and weeks begin at midnight in Astana (QUERY_ZONE_MIN), weeks on Monday.
 * Source    our own grammar, docs/search.md; P. Flajolet and others, HyperLogLog, 2007, with O. Ertl's estimator, 2017; C. Masson and others, DDSketch, 2019. */
#ifndef SAQSHY_PIPES_PIPES_H
#define SAQSHY_PIPES_PIPES_H

#include "query/query.h"

#define PIPES_MAX            16      /* pipes in a search */
#define PIPES_COLUMNS_MAX    32      /* of a row */
#define PIPES_FIELDS_MAX     64      /* of events that a search may look at */
#define PIPES_UNIQ_EXACT     4096
#define PIPES_QUANTILE_EXACT 1024
#define PIPES_ROWS_MAX       1000000 /* of head, tail, top, rare */
#define PIPES_MEMORY         (256u * MIB)

enum pipes_type { PIPES_NONE, PIPES_NUMBER, PIPES_TIME, PIPES_TEXT };

/* One value. A text borrows; a field of several values gives them all, text is the first. */
struct pipes_cell {
    enum pipes_type   type;
    double            number;
    time_ns           time;
    struct str        text;
    const struct str *values;     /* count of them, where count is more than one */
    size_t            count;
};

struct pipes_column {
    struct str      name;
    enum pipes_type type;         /* PIPES_NONE: of what kind the values are */
    int64_t         span_ns;      /* of bucket(): how long each is; else 0 */
    bool            approximate;  /* after pipes_end */
};

struct pipes;
struct pipes_run;

/* pipes_parse - the pipes of a search from byte at of text on, which stands behind the first '|'. fault may be NULL. */
MUST_USE int pipes_parse(struct str text, size_t at, time_ns now, struct pipes **out, struct query_fault *fault, struct err *e);
void pipes_free(struct pipes **p);

/* pipes_fields - the fields of events that the pipes look at, in the order in which pipes_push_cells takes them. */
const struct str *pipes_fields(const struct pipes *p, size_t *count);
/* pipes_mergeable - the order of events does not matter: several runs may take parts of them. */
bool pipes_mergeable(const struct pipes *p);
/* pipes_charts - the rows are counts over time, made to be drawn: the first column is a bucket. */
bool pipes_charts(const struct pipes *p);
/* pipes_print - the plan in words, one line a pipe. */
void pipes_print(const struct pipes *p, struct buf *out);

/* pipes_row - a row of the answer; cells are those of pipes_columns, borrowed for the call. A non-zero answer ends the run. */
typedef int pipes_row(void *arg, const struct pipes_cell *cells, size_t count);

/* pipes_run_new - limit_bytes 0: PIPES_MEMORY. row is called as soon as a row is certain: by pipes_push where rows stream, else by pipes_end. */
MUST_USE int pipes_run_new(const struct pipes *p, size_t limit_bytes, pipes_row *row, void *arg, struct pipes_run **out, struct err *e);
void pipes_run_free(struct pipes_run **r);
/* pipes_run_until - past this moment (clock_steady) whatever pipes do for long says -ETIMEDOUT; 0: none. */
void pipes_run_until(struct pipes_run *r, time_ns deadline_steady);
/* pipes_push - one event. Returns 1 when no further event can change the answer (or row has ended it), -E2BIG past the limit. */
MUST_USE int pipes_push(struct pipes_run *r, const struct event *ev, struct err *e);
/* pipes_push_cells - the same for times events that are alike in all fields that the pipes look at: a store that counts by itself. */
MUST_USE int pipes_push_cells(struct pipes_run *r, const struct pipes_cell *cells, uint64_t times, struct err *e);
/* pipes_merge - what from has taken is into's too; from is empty afterwards. Only where pipes_mergeable. */
MUST_USE int pipes_merge(struct pipes_run *into, struct pipes_run *from, struct err *e);
/* pipes_end - the rows that were kept, in order. Returns what row said, if that was not zero. */
MUST_USE int pipes_end(struct pipes_run *r, struct err *e);
/* pipes_columns - borrowed from the run. pipes_passed_over: values that are no numbers, where numbers were asked for. */
const struct pipes_column *pipes_columns(const struct pipes_run *r, size_t *count);
uint64_t pipes_passed_over(const struct pipes_run *r);
/* pipes_fault - why a call said -E2BIG, or NULL: a pipe that needs more than limit_bytes, an event in too many groups, a chart of too many empty spans. */
const struct query_fault *pipes_fault(const struct pipes_run *r);

/* pipes_cell_text - the value as people and files have it: numbers in their shortest exact form, times in RFC 3339 with the zone of Astana, several values with
 * ", " between them. Appended. */
void pipes_cell_text(const struct pipes_cell *c, struct buf *out);
/* pipes_cell_json - the same as JSON: null, a number, a text, an array of texts. */
void pipes_cell_json(const struct pipes_cell *c, struct buf *out);

#endif
