/* values.c - the different values of one group, each with the time it was seen last; see groups.h.
 *
 * A list from the one not seen for longest to the newest says what leaves the window. A few are looked for along that list; more
 * have an index by hash. */
#include "sigma/groups.h"

#define FEW 16u

static uint32_t find_slot(const struct values *s, uint64_t hash)
{
    uint32_t mask = s->index_n - 1, at = (uint32_t)hash & mask;

    while (s->index[at] != NIL && s->at[s->index[at]].hash != hash)
        at = (at + 1) & mask;
    return at;
}

static uint32_t find(const struct values *s, uint64_t hash)
{
    uint32_t i = s->newest;

    if (s->index)
        return s->index[find_slot(s, hash)];
    while (i != NIL && s->at[i].hash != hash)
        i = s->at[i].older;
    return i;
}

/* grow - places for twice as many, and the index once they are not few. */
static bool grow(struct groups *g, struct values *s)
{
    uint32_t cap = s->cap ? s->cap * 2 : 4, index_n = cap > FEW ? cap * 2 : 0;
    struct value *at = realloc(s->at, cap * sizeof *at);
    uint32_t *index = NULL;

    if (!at)
        return false;
    s->at = at;
    if (index_n && !(index = malloc(index_n * sizeof *index)))
        return false;
    groups_account(g, (cap - s->cap) * sizeof *at + (index_n - s->index_n) * sizeof *index, 0);
    free(s->index);
    s->cap = cap;
    s->index = index;
    s->index_n = index_n;
    if (!index)
        return true;
    memset(index, 0xFF, index_n * sizeof *index);
    for (uint32_t i = s->oldest; i != NIL; i = s->at[i].newer)
        index[find_slot(s, s->at[i].hash)] = i;
    return true;
}

static void unlink_value(struct values *s, uint32_t i)
{
    const struct value *v = &s->at[i];

    if (v->older != NIL)
        s->at[v->older].newer = v->newer;
    else
        s->oldest = v->newer;
    if (v->newer != NIL)
        s->at[v->newer].older = v->older;
    else
        s->newest = v->older;
}

/* link_value - by its time: nearly always it is the newest. */
static void link_value(struct values *s, uint32_t i)
{
    uint32_t older = s->newest, newer = NIL;

    while (older != NIL && s->at[older].t > s->at[i].t) {
        newer = older;
        older = s->at[older].older;
    }
    s->at[i].older = older;
    s->at[i].newer = newer;
    if (older != NIL)
        s->at[older].newer = i;
    else
        s->oldest = i;
    if (newer != NIL)
        s->at[newer].older = i;
    else
        s->newest = i;
}

void values_drop_oldest(struct group *gr)
{
    struct values *s = gr->values;
    uint32_t i = s->oldest, mask = s->index_n - 1;

    unlink_value(s, i);
    if (s->index) {   /* those behind that could stand here move up */
        uint32_t at = find_slot(s, s->at[i].hash);

        for (uint32_t next = (at + 1) & mask; s->index[next] != NIL; next = (next + 1) & mask)
            if (((next - (uint32_t)s->at[s->index[next]].hash) & mask) >= ((next - at) & mask)) {
                s->index[at] = s->index[next];
                at = next;
            }
        s->index[at] = NIL;
    }
    s->at[i].newer = s->free_head;
    s->free_head = i;
    s->count--;
}

static struct values *values_of(struct groups *g, struct group *gr)
{
    if (!gr->values && (gr->values = calloc(1, sizeof *gr->values))) {
        gr->values->oldest = gr->values->newest = gr->values->free_head = NIL;
        groups_account(g, sizeof *gr->values, 0);
    }
    return gr->values;
}

bool values_note(struct groups *g, struct group *gr, struct value v, bool *known)
{
    struct values *s = values_of(g, gr);
    uint32_t i = s ? find(s, v.hash) : NIL;

    if (known)
        *known = i != NIL;
    if (!s)
        return false;
    if (i != NIL) {
        if (s->at[i].t >= v.t)
            return true;
        unlink_value(s, i);
    } else {
        if (s->count == SIGMA_VALUES_MAX)
            values_drop_oldest(gr);
        if (s->free_head == NIL && s->used == s->cap && !grow(g, s))
            return false;
        i = s->free_head;
        if (i != NIL)
            s->free_head = s->at[i].newer;
        else
            i = s->used++;
        if (s->index)
            s->index[find_slot(s, v.hash)] = i;
        s->count++;
    }
    s->at[i] = v;
    link_value(s, i);
    return true;
}

void values_free(struct groups *g, struct group *gr)
{
    struct values *s = gr->values;

    if (!s)
        return;
    groups_account(g, 0, sizeof *s + s->cap * sizeof *s->at + s->index_n * sizeof *s->index);
    free(s->at);
    free(s->index);
    free(s);
    gr->values = NULL;
}
