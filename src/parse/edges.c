/* edges.c - see edges.h. */
#include "parse/edges.h"
#include "parse/join.h"

static void drop(struct edges *e, size_t i)
{
    e->count--;
    memmove(&e->open[i], &e->open[i + 1], (e->count - i) * sizeof e->open[0]);
}

void edges_line(struct edges *e, struct str line, uint64_t source)
{
    struct join_seen seen = join_look(line);
    size_t i = 0;

    if (seen.kind == JOIN_NONE)
        return;
    seen.id ^= source * UINT64_C(0x9E3779B97F4A7C15);
    while (i < e->count && e->open[i].id != seen.id)
        i++;
    if (seen.last) {
        if (i < e->count)
            drop(e, i);
    } else if (i == e->count) {
        if (e->count == EDGES_MAX)
            drop(e, 0);
        e->open[e->count].id = seen.id;
        e->open[e->count++].stamp_ms = seen.stamp_ms;
    }
    for (i = e->count; i > 0; i--)
        if (seen.stamp_ms - e->open[i - 1].stamp_ms > EDGES_WAIT / NS_PER_MS)
            drop(e, i - 1);
}
