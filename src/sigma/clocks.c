/* clocks.c - what time it is for each source.
 *
 * Hosts disagree about the time, and what an agent kept while it was offline comes hours later. So a window is never moved by the
 * time of another source: what is too old is asked of the clock of the source that sent it. A source that is silent goes on at
 * the pace of our own clock. Sources are known by the hash of their name; the table is an open addressing one that only grows. */
#include "sigma/internal.h"

#define INDEX_MIN 64u

static bool grow_index(struct clocks *c)
{
    uint32_t n = c->index_n ? c->index_n * 2 : INDEX_MIN;
    uint32_t *index = malloc(n * sizeof *index);

    if (!index)
        return false;
    memset(index, 0xFF, n * sizeof *index);
    for (uint32_t i = 1; i < c->count; i++) {
        uint32_t at = (uint32_t)c->at[i].name & (n - 1);

        while (index[at] != NIL)
            at = (at + 1) & (n - 1);
        index[at] = i;
    }
    free(c->index);
    c->index = index;
    c->index_n = n;
    return true;
}

bool clocks_init(struct clocks *c)
{
    *c = (struct clocks){ .at = malloc(INDEX_MIN * sizeof *c->at), .cap = INDEX_MIN, .count = 1 };
    if (!c->at || !grow_index(c)) {
        clocks_free(c);
        return false;
    }
    c->at[0] = (struct source_clock){ 0, NEVER, NEVER };
    return true;
}

void clocks_free(struct clocks *c)
{
    free(c->at);
    free(c->index);
    *c = (struct clocks){ 0 };
}

/* add - a place for one more; false without memory, then the source shares the first clock. */
static bool add(struct clocks *c, uint64_t name)
{
    if (c->count == SIGMA_SOURCES_MAX)
        return false;
    if (c->count == c->cap) {
        struct source_clock *grown = realloc(c->at, 2 * (size_t)c->cap * sizeof *grown);

        if (!grown)
            return false;
        c->at = grown;
        c->cap *= 2;
    }
    if (2 * c->count >= c->index_n && !grow_index(c))
        return false;
    c->at[c->count++] = (struct source_clock){ name, NEVER, NEVER };
    return true;
}

uint32_t clocks_find(struct clocks *c, uint64_t name)
{
    uint32_t at = (uint32_t)name & (c->index_n - 1);

    for (; c->index[at] != NIL; at = (at + 1) & (c->index_n - 1))
        if (c->at[c->index[at]].name == name)
            return c->index[at];
    if (!add(c, name))
        return 0;
    at = (uint32_t)name & (c->index_n - 1);   /* the index may have grown */
    while (c->index[at] != NIL)
        at = (at + 1) & (c->index_n - 1);
    return c->index[at] = c->count - 1;
}

bool clocks_note(struct clocks *c, uint32_t source, time_ns moment, time_ns now)
{
    struct source_clock *k = &c->at[source];

    if (moment >= k->newest) {
        k->newest = moment;
        k->taken = now;
        return false;
    }
    return moment < k->newest - SIGMA_LATENESS;
}

time_ns clocks_present(const struct clocks *c, uint32_t source, time_ns now)
{
    const struct source_clock *k = &c->at[source];
    time_ns passed;

    if (k->newest == NEVER)
        return now;
    passed = now > k->taken ? now - k->taken : 0;
    return moment_within(k->newest + (passed > TIMESPAN_MAX ? TIMESPAN_MAX : passed));
}
