/* values.c - the different values of one group, each with the time it was seen last; see groups.h.
 *
 * A few are items in the order of time, looked at one by one. Many are a set with an index by hash, and a list from the one not seen for
 * longest to the newest, which says what leaves the window. */
#include "sigma/items.h"

#define FEW 16u

static struct values *set_of(const struct groups *g, const struct group *gr) { return gr->form == FORM_SET ? group_block(g, gr) : NULL; }

static uint32_t find_slot(const struct values *s, uint64_t hash)
{
    uint32_t mask = s->index_n - 1, at = (uint32_t)hash & mask;

    while (s->index[at] != NIL && s->at[s->index[at]].hash != hash)
        at = (at + 1) & mask;
    return at;
}

static size_t set_bytes(uint32_t cap, uint32_t index_n)
{
    return sizeof(struct values) + cap * sizeof(struct value) + index_n * sizeof(uint32_t);
}

/* grow - places for twice as many. NULL without memory; then all is as before. */
static struct values *grow(struct groups *g, struct group *gr)
{
    struct values *s = set_of(g, gr), *grown;
    uint32_t had = s ? s->cap : 0, cap = had ? had * 2 : 2 * FEW, index_n = cap * 2;
    uint32_t *index = malloc(index_n * sizeof *index);

    grown = index ? realloc(s, sizeof *s + cap * sizeof s->at[0]) : NULL;
    if (!grown) {
        free(index);
        return NULL;
    }
    if (!s)
        *grown = (struct values){ .oldest = NIL, .newest = NIL, .free_head = NIL };
    groups_account(g, set_bytes(cap, index_n), s ? set_bytes(had, grown->index_n) : 0);
    free(grown->index);
    grown->cap = cap;
    grown->index = index;
    grown->index_n = index_n;
    memset(index, 0xFF, index_n * sizeof *index);
    for (uint32_t i = grown->oldest; i != NIL; i = grown->at[i].newer)
        index[find_slot(grown, grown->at[i].hash)] = i;
    if (s)
        group_block_set(g, gr, grown);
    return grown;
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

static void set_drop_oldest(struct values *s)
{
    uint32_t i = s->oldest, mask = s->index_n - 1, at = find_slot(s, s->at[i].hash);

    unlink_value(s, i);
    for (uint32_t next = (at + 1) & mask; s->index[next] != NIL; next = (next + 1) & mask)   /* those behind that could stand here move up */
        if (((next - (uint32_t)s->at[s->index[next]].hash) & mask) >= ((next - at) & mask)) {
            s->index[at] = s->index[next];
            at = next;
        }
    s->index[at] = NIL;
    s->at[i].newer = s->free_head;
    s->free_head = i;
    s->count--;
}

/* set_put - a value that is not there; there is a place for it. */
static void set_put(struct values *s, const struct item *it)
{
    uint32_t i = s->free_head;

    if (i != NIL)
        s->free_head = s->at[i].newer;
    else
        i = s->used++;
    s->count++;
    s->at[i] = (struct value){ .hash = it->v, .t = it->t, .source = it->source };
    s->index[find_slot(s, it->v)] = i;
    link_value(s, i);
}

static bool set_note(struct groups *g, struct group *gr, const struct item *it, bool *known)
{
    struct values *s = set_of(g, gr);
    uint32_t i = s->index[find_slot(s, it->v)];

    *known = i != NIL;
    if (i != NIL) {
        if (s->at[i].t >= it->t)
            return true;
        unlink_value(s, i);
        s->at[i].t = it->t;
        s->at[i].source = it->source;
        link_value(s, i);
        return true;
    }
    if (s->count == SIGMA_VALUES_MAX)
        set_drop_oldest(s);
    if (s->free_head == NIL && s->used == s->cap && !(s = grow(g, gr)))
        return false;
    set_put(s, it);
    return true;
}

/* become_set - the items of a group that has many. */
static bool become_set(struct groups *g, struct group *gr)
{
    struct row r = group_row(g, gr);
    struct values *s = grow(g, gr);

    if (!s)
        return false;
    for (uint32_t i = 0; i < r.n; i++) {
        struct item it = row_at(&r, i);

        set_put(s, &it);
    }
    group_drop_items(g, gr, 0, r.n);
    gr->form = FORM_SET;
    group_block_set(g, gr, s);
    return true;
}

bool values_note(struct groups *g, struct group *gr, const struct item *it, bool *known)
{
    bool unused;
    struct row r;
    uint32_t i = 0;

    known = known ? known : &unused;
    if (gr->form == FORM_SET)
        return set_note(g, gr, it, known);
    r = group_row(g, gr);
    while (i < r.n && row_value(&r, i) != it->v)
        i++;
    *known = i < r.n;
    if (i == r.n && r.n == FEW)
        return become_set(g, gr) && set_note(g, gr, it, &unused);
    if (i < r.n) {
        if (row_time(&r, i) >= it->t)
            return true;
        group_drop_items(g, gr, i, 1);
        r = group_row(g, gr);
    }
    for (i = r.n; i && row_time(&r, i - 1) > it->t;)
        i--;
    return group_item(g, gr, &r, i, it);
}

uint32_t values_count(const struct groups *g, const struct group *gr)
{
    return gr->form == FORM_SET ? set_of(g, gr)->count : gr->item_n;
}

void values_drop_oldest(struct groups *g, struct group *gr)
{
    if (gr->form == FORM_SET)
        set_drop_oldest(set_of(g, gr));
    else
        group_drop_items(g, gr, 0, 1);
}

struct values_ends values_ends(const struct groups *g, const struct group *gr)
{
    const struct values *s = set_of(g, gr);
    struct row r;

    if (s)
        return s->count ? (struct values_ends){ s->count, s->at[s->oldest].source, s->at[s->oldest].t, s->at[s->newest].t }
                        : (struct values_ends){ .count = 0 };
    r = group_row(g, gr);
    return r.n ? (struct values_ends){ r.n, row_source(&r, 0), row_time(&r, 0), row_time(&r, r.n - 1) } : (struct values_ends){ .count = 0 };
}

uint32_t values_between(const struct groups *g, const struct group *gr, time_ns from, time_ns to)
{
    const struct values *s = set_of(g, gr);
    uint32_t n = 0;
    struct row r;

    if (s) {
        for (uint32_t i = s->newest; i != NIL && s->at[i].t >= from; i = s->at[i].older)
            n += s->at[i].t <= to;
        return n;
    }
    r = group_row(g, gr);
    for (uint32_t i = r.n; i-- > 0 && row_time(&r, i) >= from;)
        n += row_time(&r, i) <= to;
    return n;
}

void values_each(const struct groups *g, const struct group *gr, values_fn *fn, void *arg)
{
    const struct values *s = set_of(g, gr);
    struct row r;

    if (s) {
        for (uint32_t i = s->oldest; i != NIL; i = s->at[i].newer)
            fn(arg, &(struct item){ .t = s->at[i].t, .v = s->at[i].hash, .n = 1, .source = s->at[i].source });
        return;
    }
    r = group_row(g, gr);
    for (uint32_t i = 0; i < r.n; i++) {
        struct item it = row_at(&r, i);

        fn(arg, &it);
    }
}

void values_free(struct groups *g, struct group *gr)
{
    struct values *s = set_of(g, gr);

    groups_account(g, 0, set_bytes(s->cap, s->index_n));
    free(s->index);
    free(s);
    gr->form = FORM_NARROW;
}
