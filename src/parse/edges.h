/* edges.h - where a batch of lines may end, so that the records of one audit event stay together: for the agent, which cuts requests, and
 * for the listeners, which gather lines. And where a record of several lines ends.
 *
 * Owns      nothing.
 * Promises  1. edges_open is false after a line if no audit event is known that will go on: between any other lines it is always false.
 *           2. An event that is not ended counts as ended once a record is EDGES_WAIT newer, or when EDGES_MAX others are open.
 * Threads   owner.
 * Units     EDGES_WAIT in nanoseconds. */
#ifndef SAQSHY_PARSE_EDGES_H
#define SAQSHY_PARSE_EDGES_H

#include "parse/encoding.h"

#define EDGES_MAX  64
#define EDGES_WAIT (2 * NS_PER_SECOND)

struct edges {
    struct { uint64_t id; int64_t stamp_ms; } open[EDGES_MAX];
    size_t count;
};
/* edges_line - source tells apart senders whose lines stand in one batch; 0 where there is one. */
void edges_line(struct edges *e, struct str line, uint64_t source);
/* --- records of several lines: stack traces, statements --- */

#define RECORD_STARTS_MAX 16   /* ways in which a record may begin */
#define RECORD_LINES_MAX  2000 /* of one record: a file that changes its form must not become one text */

/* record_begins - the line begins in one of these ways ("starts" in docs/parsers.md); of UTF-16 its letters of ASCII are looked at. */
bool record_begins(const struct str *starts, size_t count, enum encoding e, struct str line);
/* record_next - the next record of *rest without its end, which is taken too: a line, and those behind it that begin otherwise. A line before
 * the first that begins so is one by itself. False: no whole one is there; the next one's beginning ends it. */
bool record_next(const struct str *starts, size_t count, enum encoding e, struct str *rest, struct str *record);

static inline bool edges_open(const struct edges *e) { return e->count > 0; }

#endif
