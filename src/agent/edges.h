/* edges.h - where a batch of lines may end, so that the records of one audit event travel together and are joined where they arrive.
 *
 * Owns      nothing.
 * Promises  1. edges_open is false after a line if no audit event is known that will go on: between any other lines it is always false.
 *           2. An event that is not ended counts as ended once a record is EDGES_WAIT newer, or when EDGES_MAX others are open.
 * Threads   owner.
 * Units     EDGES_WAIT in nanoseconds. */
#ifndef SAQSHY_AGENT_EDGES_H
#define SAQSHY_AGENT_EDGES_H

#include "base/base.h"

#define EDGES_MAX  64
#define EDGES_WAIT (2 * NS_PER_SECOND)

struct edges {
    struct { uint64_t id; int64_t stamp_ms; } open[EDGES_MAX];
    size_t count;
};
void edges_line(struct edges *e, struct str line);
static inline bool edges_open(const struct edges *e) { return e->count > 0; }

#endif
