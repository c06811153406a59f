/* bounds.c - when a correlation fires: numbers (gt, gte, lt, lte, eq, neq), the fields whose values are looked at, or for the temporal
 * kinds a condition over the names of the rules ("a and not b").
 *
 * A condition over rules is written out as alternatives, "these were seen, and those were not": the nodes that condition.c makes are
 * numbered so that parts come before the whole, and one pass from the first to the last suffices. */
#include "sigma/internal.h"

#include <math.h>

static bool is_count(const struct correlation *c)
{
    return c->kind == CORR_EVENT_COUNT || c->kind == CORR_VALUE_COUNT || c->kind == CORR_TEMPORAL || c->kind == CORR_TEMPORAL_ORDERED;
}
static bool is_measure(const struct correlation *c)
{
    return c->kind == CORR_SUM || c->kind == CORR_AVG || c->kind == CORR_PERCENTILE;
}
static bool is_temporal(const struct correlation *c) { return c->kind == CORR_TEMPORAL || c->kind == CORR_TEMPORAL_ORDERED; }

uint64_t correlation_least(const struct correlation *c)
{
    return isinf(c->range.low) || !is_count(c) ? 0 : (uint64_t)c->range.low + c->range.low_open;
}
uint64_t correlation_most(const struct correlation *c)
{
    return isinf(c->range.high) || !is_count(c) ? UINT64_MAX : (uint64_t)c->range.high - c->range.high_open;
}

/* --- numbers --- */

static int take_number(struct draft *d, const struct ynode *key, const struct correlation *c, double *out)
{
    uint64_t whole, max = c->kind == CORR_EVENT_COUNT ? SIGMA_COUNT_MAX : is_temporal(c) ? SIGMA_REFS_MAX : SIGMA_VALUES_MAX;

    if (!key->value || key->value->kind != YNODE_SCALAR)
        return draft_broken(d, key, "a number is expected here");
    if (is_measure(c))
        return number_parse(key->value->text, out) && isfinite(*out) ? 0 : draft_broken(d, key, "a number is expected here");
    if (!str_u64(key->value->text, &whole))
        return draft_broken(d, key, "a whole number is expected here");
    if (whole > max)
        return draft_unsupported(d, key->value, "thresholds above %llu are not counted", (unsigned long long)max);
    *out = (double)whole;
    return 0;
}

/* take_bound - one of the six comparisons. Two make a range: one from below, one from above. */
static int take_bound(struct draft *d, const struct ynode *key, struct correlation *c)
{
    static const struct { const char *name; bool low, high, open, negate; } rows[] = {
        { "gt", true, false, true, false }, { "gte", true, false, false, false }, { "lt", false, true, true, false },
        { "lte", false, true, false, false }, { "eq", true, true, false, false }, { "neq", true, true, false, true },
    };
    struct range *r = &c->range;
    double v = 0;
    size_t i = 0;
    int rc;

    while (i < COUNT(rows) && !str_eq(key->text, str_c(rows[i].name)))
        i++;
    if (i == COUNT(rows))
        return draft_broken(d, key, "\"%.*s\" has no place in this condition", STR_ARG(key->text));
    rc = take_number(d, key, c, &v);
    if (rc < 0)
        return rc;
    if ((rows[i].low && !isinf(r->low)) || (rows[i].high && !isinf(r->high)))
        return draft_broken(d, key, "a range has one bound from below and one from above");
    if (rows[i].low) {
        r->low = v;
        r->low_open = rows[i].open;
    }
    if (rows[i].high) {
        r->high = v;
        r->high_open = rows[i].open;
        c->at_end = true;
    }
    r->negate = rows[i].negate;
    if (is_count(c) && r->high_open && r->high == 0)
        return draft_broken(d, key->value, "nothing is less than 0");
    if (r->low > r->high || (r->low == r->high && (r->low_open || r->high_open)) ||
        (is_count(c) && correlation_least(c) > correlation_most(c)))
        return draft_broken(d, key, "no number lies between these bounds");
    return 0;
}

static int take_percentile(struct draft *d, const struct ynode *key, struct correlation *c)
{
    uint64_t v;

    if (c->kind != CORR_PERCENTILE || c->percentile == 50)
        return draft_broken(d, key, "\"percentile\" has no place in this condition");
    if (!key->value || key->value->kind != YNODE_SCALAR || !str_u64(key->value->text, &v) || v < 1 || v > 99)
        return draft_broken(d, key, "a percentile is a whole number from 1 to 99");
    c->percentile = (uint32_t)v;
    return 0;
}

static int take_fields(struct draft *d, const struct ynode *key, struct correlation *c)
{
    const struct ynode *n = key->value && key->value->kind == YNODE_SEQ ? key->value->first : key->value;
    bool many = c->kind == CORR_VALUE_COUNT || c->kind == CORR_NEW_VALUE;

    if (is_temporal(c) || c->kind == CORR_EVENT_COUNT)
        return draft_broken(d, key, "\"field\" has no place in this condition");
    if (!n)
        return draft_broken(d, key, "the name of a field is expected here");
    for (; n; n = key->value->kind == YNODE_SEQ ? n->next : NULL) {
        int rc;

        if (c->field_count == (many ? SIGMA_GROUP_BY_MAX : 1))
            return draft_broken(d, n, "more than %d of these fields", many ? SIGMA_GROUP_BY_MAX : 1);
        rc = correlation_field(d, n, &c->field[c->field_count]);
        if (rc < 0)
            return rc;
        c->field_count++;
    }
    return 0;
}

static int take_numbers(struct draft *d, const struct ynode *cond, struct correlation *c)
{
    bool fields = c->kind == CORR_VALUE_COUNT || c->kind == CORR_NEW_VALUE || is_measure(c);
    int rc = 0;

    for (const struct ynode *k = cond->first; k && rc == 0; k = k->next)
        if (str_eq(k->text, STR("field")))
            rc = take_fields(d, k, c);
        else if (str_eq(k->text, STR("percentile")))
            rc = take_percentile(d, k, c);
        else if (c->kind == CORR_NEW_VALUE)
            rc = draft_broken(d, k, "\"%.*s\" has no place in this condition", STR_ARG(k->text));
        else
            rc = take_bound(d, k, c);
    if (rc < 0)
        return rc;
    if (c->kind != CORR_NEW_VALUE && isinf(c->range.low) && isinf(c->range.high))
        return draft_broken(d, cond, "one of gt, gte, lt, lte, eq, neq is missing");
    if (fields && c->field_count == 0)
        return draft_broken(d, cond, "\"field\" is missing: whose values are counted");
    if (c->kind == CORR_PERCENTILE && c->percentile == 0)
        return draft_broken(d, cond, "\"percentile\" is missing: a whole number from 1 to 99");
    if (is_count(c) && !c->at_end && correlation_least(c) == 0)
        c->range = (struct range){ .low = 1, .high = INFINITY };
    return 0;
}

/* --- rules --- */

struct alternatives {
    struct alternative at[WAYS_MAX];
    uint32_t n;
};

/* add_alternative - false if there are too many. One that cannot be true is left out. */
static bool add_alternative(struct alternatives *to, struct alternative a)
{
    if (a.want & a.without)
        return true;
    for (uint32_t i = 0; i < to->n; i++)
        if (to->at[i].want == a.want && to->at[i].without == a.without)
            return true;
    if (to->n == WAYS_MAX)
        return false;
    to->at[to->n++] = a;
    return true;
}

static bool join_or(struct alternatives *a, const struct alternatives *b)
{
    bool ok = true;

    for (uint32_t i = 0; i < b->n && ok; i++)
        ok = add_alternative(a, b->at[i]);
    return ok;
}

static bool join_and(struct alternatives *a, const struct alternatives *b)
{
    struct alternatives both = { .n = 0 };
    bool ok = true;

    for (uint32_t i = 0; i < a->n; i++)
        for (uint32_t k = 0; k < b->n && ok; k++)
            ok = add_alternative(&both, (struct alternative){ a->at[i].want | b->at[k].want, a->at[i].without | b->at[k].without });
    *a = both;
    return ok;
}

/* turn_round - NOT: of each alternative something must fail. */
static bool turn_round(struct alternatives *a)
{
    struct alternatives all = { .at = { { 0, 0 } }, .n = 1 };
    bool ok = true;

    for (uint32_t i = 0; i < a->n && ok; i++) {
        struct alternatives fails = { .n = 0 };

        for (uint32_t bit = 0; bit < SIGMA_REFS_MAX && ok; bit++) {
            if (a->at[i].want >> bit & 1)
                ok = add_alternative(&fails, (struct alternative){ .without = 1u << bit });
            if (ok && a->at[i].without >> bit & 1)
                ok = add_alternative(&fails, (struct alternative){ .want = 1u << bit });
        }
        ok = ok && join_and(&all, &fails);
    }
    *a = all;
    return ok;
}

/* write_out - the alternatives of every node, the parts of each before it. */
static bool write_out(const struct draft *d, struct alternatives *of)
{
    bool ok = true;

    for (uint32_t i = 0; i < d->node_count && ok; i++) {
        const struct node *n = &d->nodes[i];

        if (n->kind == NODE_LEAF) {
            ok = add_alternative(&of[i], (struct alternative){ .want = 1u << n->leaf });
            continue;
        }
        of[i] = of[d->kids[n->kids]];
        for (uint32_t k = 1; k < n->kid_count && ok; k++)
            ok = n->kind == NODE_AND ? join_and(&of[i], &of[d->kids[n->kids + k]]) : join_or(&of[i], &of[d->kids[n->kids + k]]);
        if (n->kind == NODE_NOT)
            ok = ok && turn_round(&of[i]);
    }
    return ok;
}

/* name_rules - the rules of the correlation as the selections of a condition: leaf i is reference i. */
static int name_rules(struct draft *d, const struct correlation *c, const struct ynode *at, struct named *names)
{
    d->names = names;
    for (uint32_t i = 0; i < c->ref_count; i++) {
        int64_t n = draft_leaf(d, &(struct leaf){ .field = FIELD_KEYWORD }, at);

        if (n < 0)
            return (int)n;
        names[d->name_count++] = (struct named){ c->names[i], (uint32_t)n };
    }
    return 0;
}

static int take_expression(struct draft *d, const struct ynode *cond, struct correlation *c)
{
    struct named names[SIGMA_REFS_MAX];
    AUTO_FREE struct alternatives *of = NULL;
    uint32_t root = 0;
    int rc = name_rules(d, c, cond, names);

    if (rc == 0)
        rc = condition_compile(d, cond, &root);
    d->names = NULL;      /* borrowed from here */
    d->name_count = 0;
    if (rc < 0)
        return rc;
    of = calloc(d->node_count, sizeof *of);
    if (!of)
        return err_set(d->e, -ENOMEM, "no memory for a rule");
    if (!write_out(d, of))
        return draft_unsupported(d, cond, "the condition can be true in more than %d ways", WAYS_MAX);
    if (of[root].n == 0)
        return draft_broken(d, cond, "this condition cannot be true");
    memcpy(c->alternatives, of[root].at, sizeof c->alternatives);
    c->alternative_count = of[root].n;
    return 0;
}

/* so_many_of - "gte: 2" over rules: every choice of so many. */
static bool so_many_of(struct correlation *c, uint32_t many)
{
    uint64_t end = UINT64_C(1) << c->ref_count;
    struct alternatives all = { .n = 0 };

    for (uint64_t want = (UINT64_C(1) << many) - 1; want < end;) {   /* the next number with as many bits */
        uint64_t low = want & -want, high = want + low;

        if (!add_alternative(&all, (struct alternative){ .want = (uint32_t)want }))
            return false;
        want = high | (((want ^ high) >> 2) / low);
    }
    memcpy(c->alternatives, all.at, sizeof c->alternatives);
    c->alternative_count = all.n;
    return true;
}

static int finish_temporal(struct draft *d, const struct ynode *cond, struct correlation *c)
{
    uint64_t least = correlation_least(c);

    for (uint32_t i = 0; i < c->alternative_count; i++)
        c->at_end = c->at_end || c->alternatives[i].without || c->alternatives[i].want == 0;
    if (c->at_end && c->kind == CORR_TEMPORAL_ORDERED)
        return draft_unsupported(d, cond, "an order is judged as events come, not with lt, lte, eq, neq or \"not\"");
    if (c->at_end || c->alternative_count)
        return 0;
    if (least > c->ref_count)
        return draft_broken(d, cond, "there are only %u rules", c->ref_count);
    if (!so_many_of(c, (uint32_t)least))
        return draft_unsupported(d, cond, "the condition can be true in more than %d ways", WAYS_MAX);
    return 0;
}

int correlation_condition(struct draft *d, const struct ynode *map, struct correlation *c)
{
    const struct ynode *cond = yaml_get(map, "condition");
    int rc = 0;

    if (c->kind == CORR_ABSENCE)
        return cond ? draft_broken(d, cond, "an absence has no condition: it is no event for one timespan") : 0;
    if (is_temporal(c) && !cond) {
        c->alternatives[c->alternative_count++].want = (uint32_t)((UINT64_C(1) << c->ref_count) - 1);
        return 0;
    }
    if (is_temporal(c) && cond->kind == YNODE_SCALAR)
        rc = take_expression(d, cond, c);
    else if (!cond || cond->kind != YNODE_MAP)
        return draft_broken(d, cond ? cond : map, "\"condition\" must be a map like {gte: 5}");
    else
        rc = take_numbers(d, cond, c);
    return rc == 0 && is_temporal(c) ? finish_temporal(d, cond, c) : rc;
}
