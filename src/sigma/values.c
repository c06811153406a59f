/* values.c - the different values of one group, each with the time it was seen last; see groups.h.
 *
 * A list from the one not seen for longest to the newest says what leaves the window. A few are looked at one by one; more have an
 * index by hash. */
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
    if (s->index)
        return s->index[find_slot(s, hash)];
    for (uint32_t i = 0; i < s->used; i++)   /* in the order of memory, not of the list */
        if (s->at[i].hash == hash && s->at[i].t != NEVER)
            return i;
    return NIL;
}

/* grow - places for twice as many (or the first four), and the index once they are not few. NULL without memory; then all is as before. */
static struct values *grow(struct groups *g, struct group *gr)
{
    struct values *s = gr->values;
    uint32_t had = s ? s->cap : 0, cap = had ? had * 2 : 4, index_n = cap > FEW ? cap * 2 : 0;
    uint32_t *index = index_n ? malloc(index_n * sizeof *index) : NULL;
    struct values *grown = index || !index_n ? realloc(s, sizeof *s + cap * sizeof s->at[0]) : NULL;

    if (!grown) {
        free(index);
        return NULL;
    }
    if (!s)
        *grown = (struct values){ .oldest = NIL, .newest = NIL, .free_head = NIL };
    groups_account(g, (s ? 0 : sizeof *s) + (cap - had) * sizeof s->at[0] + (index_n - grown->index_n) * sizeof *index, 0);
    free(grown->index);
    gr->values = s = grown;
    s->cap = cap;
    s->index = index;
    s->index_n = index_n;
    if (!index)
        return s;
    memset(index, 0xFF, index_n * sizeof *index);
    for (uint32_t i = s->oldest; i != NIL; i = s->at[i].newer)
        index[find_slot(s, s->at[i].hash)] = i;
    return s;
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
    s->at[i].t = NEVER;
    s->at[i].newer = s->free_head;
    s->free_head = i;
    s->count--;
}

/* take_place - for one more value; NIL without memory. */
static uint32_t take_place(struct groups *g, struct group *gr)
{
    struct values *s = gr->values;
    uint32_t i;

    if (s && s->count == SIGMA_VALUES_MAX)
        values_drop_oldest(gr);
    if ((!s || (s->free_head == NIL && s->used == s->cap)) && !(s = grow(g, gr)))
        return NIL;
    i = s->free_head;
    if (i != NIL)
        s->free_head = s->at[i].newer;
    else
        i = s->used++;
    s->count++;
    return i;
}

bool values_note(struct groups *g, struct group *gr, struct value v, bool *known)
{
    uint32_t i = gr->values ? find(gr->values, v.hash) : NIL;

    if (known)
        *known = i != NIL;
    if (i != NIL) {
        if (gr->values->at[i].t >= v.t)
            return true;
        unlink_value(gr->values, i);
    } else {
        i = take_place(g, gr);
        if (i == NIL)
            return false;
        if (gr->values->index)
            gr->values->index[find_slot(gr->values, v.hash)] = i;
    }
    gr->values->at[i] = v;
    link_value(gr->values, i);
    return true;
}

void values_free(struct groups *g, struct group *gr)
{
    struct values *s = gr->values;

    if (!s)
        return;
    groups_account(g, 0, sizeof *s + s->cap * sizeof s->at[0] + s->index_n * sizeof *s->index);
    free(s->index);
    free(s);
    gr->values = NULL;
}
