/* groups.c - rows that share their keys: the table of groups, and what is counted of each. */
#include "pipes/internal.h"

#include <float.h>
#include <math.h>

#define COMBINATIONS_MAX 4096   /* groups that one event may be in, by fields of several values; pipe_groups says so */
#define LOOK_GROUPS      64     /* of one event between two looks at the clock */

/* --- the table --- */

static bool more_slots(struct groups *g)
{
    size_t slots = g->slots ? g->slots * 2 : 64;
    uint32_t *slot = calloc(slots, sizeof *slot);

    if (!slot)
        return false;
    for (size_t i = 0; i < g->count; i++) {
        size_t k = (size_t)g->list[i]->hash & (slots - 1);

        while (slot[k])
            k = (k + 1) & (slots - 1);
        slot[k] = (uint32_t)(i + 1);
    }
    free(g->slot);
    g->slot = slot;
    g->slots = slots;
    return true;
}

static struct group *group_new(struct groups *g, struct str key, uint64_t hash, size_t aggs)
{
    struct group *one;

    if (g->count == g->cap) {
        size_t cap = g->cap ? g->cap * 2 : 64;
        struct group **list = realloc(g->list, cap * sizeof(struct group *));

        if (!list)
            return NULL;
        g->list = list;
        g->cap = cap;
    }
    one = calloc(1, sizeof *one + aggs * sizeof one->agg[0] + key.n);
    if (!one)
        return NULL;
    one->hash = hash;
    one->key = (char *)&one->agg[aggs];
    one->key_bytes = key.n;
    memcpy(one->key, key.n ? key.p : "", key.n);
    return g->list[g->count++] = one;
}

struct group *pipes_group(struct groups *g, struct str key, size_t aggs, bool *fresh)
{
    uint64_t hash = str_hash(key);
    struct group *one;
    size_t k;

    *fresh = false;
    if (g->count * 2 >= g->slots && !more_slots(g))
        return NULL;
    for (k = (size_t)hash & (g->slots - 1); g->slot[k]; k = (k + 1) & (g->slots - 1)) {
        one = g->list[g->slot[k] - 1];
        if (one->hash == hash && str_eq(str_of(one->key, one->key_bytes), key))
            return one;
    }
    one = group_new(g, key, hash, aggs);
    if (!one)
        return NULL;
    g->slot[k] = (uint32_t)g->count;
    *fresh = true;
    return one;
}

static void agg_free(const struct agg_plan *plan, struct agg *a)
{
    if (plan->kind == AGG_UNIQ)
        uniq_free(&a->u.uniq);
    else if (plan->kind == AGG_QUANTILE)
        sketch_free(&a->u.sketch);
    else if (plan->kind == AGG_MIN || plan->kind == AGG_MAX)
        free(a->u.best);
}

void pipes_groups_free(struct groups *g, const struct stage *s)
{
    for (size_t i = 0; i < g->count; i++) {
        for (size_t k = 0; k < s->aggs; k++)
            agg_free(&s->agg[k], &g->list[i]->agg[k]);
        free(g->list[i]);
    }
    free(g->list);
    free(g->slot);
    *g = (struct groups){ .count = 0 };
}

/* --- what is counted --- */

static void sum_part(struct agg *a, long double x)
{
    long double t = a->u.sum.part + x;

    /* What addition loses is carried on (Neumaier). */
    a->u.sum.carry += fabsl(a->u.sum.part) >= fabsl(x) ? (a->u.sum.part - t) + x : (x - t) + a->u.sum.part;
    a->u.sum.part = t;
}

static void sum_add(struct agg *a, double x, uint64_t times)
{
    if (x == trunc(x) && fabs(x) < 9e15)
        a->u.sum.whole += (__int128)(int64_t)x * times;
    else
        sum_part(a, (long double)x * (long double)times);
    a->n += times;
}

static long double sum_of(const struct agg *a) { return (long double)a->u.sum.whole + (a->u.sum.part + a->u.sum.carry); }

/* within - x as far as figures go; what lies beyond stands at their end and says that it is not exact. */
static double within(long double x, bool *rough)
{
    if (fabsl(x) <= (long double)DBL_MAX)
        return (double)x;
    *rough = true;
    return x < 0 ? -DBL_MAX : DBL_MAX;
}

/* best_take - keep the cell if it is less (or greater) than what is kept, which goes. Returns the bytes that it takes. */
static ssize_t best_take(struct pipes_run *r, struct agg *a, const struct pipes_cell *c, bool greatest)
{
    struct pipes_cell *copy;
    size_t bytes;

    if (a->u.best) {
        int order = cell_compare(c, a->u.best);

        if (greatest ? order <= 0 : order >= 0)
            return 0;
    }
    copy = cells_copy(c, 1, &bytes);
    if (!copy)
        return -ENOMEM;
    free(a->u.best);
    r->used -= a->n;
    a->u.best = copy;
    a->n = bytes;
    return (ssize_t)bytes;
}

/* number_in - values that are none are passed over, and counted. */
static bool number_in(struct pipes_run *r, const struct pipes_cell *c, double *x)
{
    if (cell_number(c, x))
        return true;
    r->passed_over++;
    return false;
}

static ssize_t agg_value(struct pipes_run *r, const struct agg_plan *plan, struct agg *a, const struct pipes_cell *c, uint64_t times)
{
    double x;

    switch (plan->kind) {
    case AGG_COUNT: a->n += times; return 0;
    case AGG_SUM:
    case AGG_AVG:
        if (number_in(r, c, &x))
            sum_add(a, x, times);
        return 0;
    case AGG_MIN:
    case AGG_MAX: return best_take(r, a, c, plan->kind == AGG_MAX);
    case AGG_UNIQ:
        buf_reset(&r->key);
        cell_pack(c, &r->key);
        return buf_failed(&r->key) ? -ENOMEM : uniq_add(&a->u.uniq, str_hash(buf_view(&r->key)));
    case AGG_QUANTILE: return number_in(r, c, &x) ? sketch_add(&a->u.sketch, x, times) : 0;
    }
    return 0;
}

static int count_row(struct pipes_run *r, const struct stage *s, struct group *g, const struct pipes_cell *cells, uint64_t times)
{
    for (size_t k = 0; k < s->aggs; k++) {
        const struct agg_plan *plan = &s->agg[k];
        const struct pipes_cell *c = plan->column < 0 ? NULL : &cells[plan->column];

        if (!c)
            g->agg[k].n += times;
        for (size_t v = 0; c && v < cell_values(c); v++) {
            struct pipes_cell one = cell_value(c, v);
            int rc = run_grow(r, s, agg_value(r, plan, &g->agg[k], &one, times));

            if (rc < 0)
                return rc;
        }
    }
    return 0;
}

/* bucket - the beginning of the span in which t lies: from midnight in Astana on, weeks from Monday (1970 began on a Thursday). */
static time_ns bucket(time_ns t, int64_t span)
{
    __int128 shift = QUERY_ZONE_MIN * NS_PER_MINUTE + (span % (7 * NS_PER_DAY) == 0 ? 3 * NS_PER_DAY : 0), rest = (t + shift) % span, begin;

    begin = t - (rest < 0 ? rest + span : rest);
    return begin < INT64_MIN ? INT64_MIN : (time_ns)begin;
}

/* key_cell - the i-th key of a row, its v-th value. */
static struct pipes_cell key_cell(const struct stage *s, size_t i, const struct pipes_cell *cells, size_t v)
{
    struct pipes_cell c = cell_value(&cells[s->column[i]], v);
    time_ns t;

    if (!s->span[i])
        return c;
    if (c.type == PIPES_TIME)
        return cell_of_time(bucket(c.time, s->span[i]));
    return c.type == PIPES_TEXT && query_moment(c.text, &t) ? cell_of_time(bucket(t, s->span[i])) : (struct pipes_cell){ .type = PIPES_NONE };
}

static int one_group(struct pipes_run *r, size_t i, const struct pipes_cell *cells, const size_t *value, uint64_t times)
{
    const struct stage *s = &r->p->stage[i];
    struct group *g;
    bool fresh;

    buf_reset(&r->key);
    for (size_t k = 0; k < s->columns; k++) {
        struct pipes_cell c = key_cell(s, k, cells, value[k]);

        if (s->skip[k] && c.type == PIPES_NONE)
            return 0;
        cell_pack(&c, &r->key);
    }
    if (buf_failed(&r->key))
        return err_set(r->e, -ENOMEM, "no memory for groups");
    g = pipes_group(&r->state[i].groups, buf_view(&r->key), s->aggs, &fresh);
    if (!g)
        return err_set(r->e, -ENOMEM, "no memory for groups");
    int rc = fresh ? run_grow(r, s, (ssize_t)(sizeof *g + s->aggs * sizeof g->agg[0] + g->key_bytes + 4 * sizeof(void *))) : 0;
    return rc < 0 ? rc : count_row(r, s, g, cells, times);
}

int stats_row(struct pipes_run *r, size_t i, const struct pipes_cell *cells, uint64_t times)
{
    const struct stage *s = &r->p->stage[i];
    size_t value[PIPES_COLUMNS_MAX] = { 0 }, combinations = 0, k;
    int rc;

    /* Each value of a field is a group of its own: all ways to choose one of each, counted like digits. */
    do {
        if (combinations++ == COMBINATIONS_MAX)
            return pipes_too_much(r, s, LIMIT_GROUPS);
        rc = combinations % LOOK_GROUPS == 0 ? run_late(r) : 0;
        rc = rc < 0 ? rc : one_group(r, i, cells, value, times);
        for (k = 0; k < s->columns; k++) {
            if (++value[k] < cell_values(&cells[s->column[k]]))
                break;
            value[k] = 0;
        }
    } while (rc == 0 && k < s->columns);
    return rc;
}

/* --- out --- */

static struct pipes_cell agg_cell(const struct agg_plan *plan, struct agg *a, bool *rough)
{
    struct pipes_cell none = { .type = PIPES_NONE };
    double x;

    switch (plan->kind) {
    case AGG_COUNT: return cell_of_number((double)a->n);
    case AGG_SUM: return a->n ? cell_of_number(within(sum_of(a), rough)) : none;
    case AGG_AVG: return a->n ? cell_of_number(within(sum_of(a) / (long double)a->n, rough)) : none;
    case AGG_MIN:
    case AGG_MAX: return a->u.best ? *a->u.best : none;
    case AGG_UNIQ: *rough = *rough || uniq_rough(&a->u.uniq); return cell_of_number(uniq_count(&a->u.uniq));
    case AGG_QUANTILE: *rough = *rough || sketch_rough(&a->u.sketch); return sketch_at(&a->u.sketch, plan->q, &x) ? cell_of_number(x) : none;
    }
    return none;
}

/* unpack_keys - the packed key of a group as cells. */
static void unpack_keys(const struct group *g, size_t columns, struct pipes_cell *out)
{
    struct str key = str_of(g->key, g->key_bytes);

    for (size_t k = 0; k < columns; k++)
        out[k] = cell_unpack(&key);
}

static int compare_groups(const void *x, const void *y, void *arg)
{
    const struct stage *s = arg;
    struct pipes_cell a[PIPES_COLUMNS_MAX], b[PIPES_COLUMNS_MAX];
    int order = 0;

    unpack_keys(*(struct group *const *)x, s->columns, a);
    unpack_keys(*(struct group *const *)y, s->columns, b);
    for (size_t k = 0; k < s->columns && order == 0; k++)
        order = cell_compare(&a[k], &b[k]);
    return order;
}

/* mark - the column of an approximate figure, if its name is one of the last row's. */
static void mark(struct pipes_run *r, struct str name)
{
    for (size_t i = 0; i < r->columns; i++)
        if (str_eq(r->column[i].name, name))
            r->column[i].approximate = true;
}

int stats_send(struct pipes_run *r, size_t i)
{
    const struct stage *s = &r->p->stage[i];
    struct groups *g = &r->state[i].groups;
    struct pipes_cell *cells = r->state[i].cells;
    bool rough[AGGS_MAX] = { false }, fresh;
    int rc = 0;

    /* Without keys there is one group, of nothing too: count() of no events is 0. */
    if (s->columns == 0 && g->count == 0 && !pipes_group(g, (struct str){ NULL, 0 }, s->aggs, &fresh))
        return err_set(r->e, -ENOMEM, "no memory for groups");
    if (g->count > 1)
        qsort_r(g->list, g->count, sizeof(struct group *), compare_groups, (void *)(uintptr_t)s);
    for (size_t n = 0; n < g->count && rc == 0; n++) {
        unpack_keys(g->list[n], s->columns, cells);
        for (size_t k = 0; k < s->aggs; k++)
            cells[s->columns + k] = agg_cell(&s->agg[k], &g->list[n]->agg[k], &rough[k]);
        rc = pipes_send(r, i + 1, cells, s->outs, 1);
    }
    for (size_t k = 0; k < s->aggs; k++)
        if (rough[k])
            mark(r, s->out[s->columns + k].name);
    return rc < 0 ? rc : 0;
}

/* --- two runs as one --- */

static int agg_merge(struct pipes_run *r, const struct stage *s, const struct agg_plan *plan, struct agg *a, struct agg *b)
{
    switch (plan->kind) {
    case AGG_COUNT: a->n += b->n; return 0;
    case AGG_SUM:
    case AGG_AVG:
        a->n += b->n;
        a->u.sum.whole += b->u.sum.whole;
        sum_part(a, b->u.sum.part);
        a->u.sum.carry += b->u.sum.carry;
        return 0;
    case AGG_MIN:
    case AGG_MAX: return b->u.best ? run_grow(r, s, best_take(r, a, b->u.best, plan->kind == AGG_MAX)) : 0;
    case AGG_UNIQ: return run_grow(r, s, uniq_merge(&a->u.uniq, &b->u.uniq));
    case AGG_QUANTILE: return run_grow(r, s, sketch_merge(&a->u.sketch, &b->u.sketch));
    }
    return 0;
}

int stats_merge(struct pipes_run *into, struct pipes_run *from, size_t i)
{
    const struct stage *s = &into->p->stage[i];
    struct groups *g = &from->state[i].groups;
    int rc = 0;

    for (size_t n = 0; n < g->count && rc == 0; n++) {
        bool fresh;
        struct group *one = pipes_group(&into->state[i].groups, str_of(g->list[n]->key, g->list[n]->key_bytes), s->aggs, &fresh);

        if (!one)
            return err_set(into->e, -ENOMEM, "no memory for groups");
        if (fresh)
            rc = run_grow(into, s, (ssize_t)(sizeof *one + s->aggs * sizeof one->agg[0] + one->key_bytes + 4 * sizeof(void *)));
        for (size_t k = 0; k < s->aggs && rc == 0; k++)
            rc = agg_merge(into, s, &s->agg[k], &one->agg[k], &g->list[n]->agg[k]);
    }
    pipes_groups_free(g, s);
    return rc;
}
