/* quantile.c - the value of a rank: all values where they are few, else DDSketch, whose bins are so wide that each value in one is within 1 % of its middle.
 *
 * Bins are fixed, so the answer does not depend on the order of values or on how runs are merged. Values nearer to zero than 1e-9 count as zero, those beyond 1e18
 * as 1e18. */
#include "pipes/internal.h"

#include <math.h>

#define ERROR   0.01
#define LEAST   1e-9
#define MOST    1e18
#define SIDE    3110u                 /* bins of one sign: ln(MOST / LEAST) / ln(GAMMA), rounded up */
#define BINS    (2 * SIDE + 1)        /* from the most negative by zero to the most positive */
static const double gamma_of = (1 + ERROR) / (1 - ERROR);

static uint32_t bin_of(double x)
{
    double size = fabs(x);
    uint32_t i;

    if (size < LEAST)
        return SIDE;
    size = size > MOST ? MOST : size;
    i = (uint32_t)ceil(log(size / LEAST) / log(gamma_of));
    i = i >= SIDE ? SIDE - 1 : i;
    return x < 0 ? SIDE - 1 - i : SIDE + 1 + i;
}

/* middle - of a bin: no value in it is further from it than ERROR of itself. */
static double middle(uint32_t bin)
{
    uint32_t i;

    if (bin == SIDE)
        return 0;
    i = bin < SIDE ? SIDE - 1 - bin : bin - SIDE - 1;
    return (bin < SIDE ? -1 : 1) * LEAST * 2 * pow(gamma_of, i) / (gamma_of + 1);
}

static ssize_t to_bins(struct sketch *s)
{
    s->bin = calloc(BINS, sizeof *s->bin);
    if (!s->bin)
        return -ENOMEM;
    for (uint32_t i = 0; i < s->count; i++)
        s->bin[bin_of(s->value[i])] += s->times[i];
    free(s->value);
    free(s->times);
    s->value = NULL;
    s->times = NULL;
    s->count = s->cap = 0;
    return (ssize_t)(BINS * sizeof *s->bin);
}

static ssize_t more_room(struct sketch *s)
{
    uint32_t cap = s->cap ? s->cap * 2 : 8;
    double *value = realloc(s->value, cap * sizeof *value);
    uint64_t *times;

    if (!value)
        return -ENOMEM;
    s->value = value;
    times = realloc(s->times, cap * sizeof *times);
    if (!times)
        return -ENOMEM;
    s->times = times;
    size_t grown = (cap - s->cap) * (sizeof *value + sizeof *times);
    s->cap = cap;
    return (ssize_t)grown;
}

ssize_t sketch_add(struct sketch *s, double x, uint64_t times)
{
    ssize_t grown = 0;

    s->total += times;
    if (s->bin) {
        s->bin[bin_of(x)] += times;
        return 0;
    }
    if (s->count == PIPES_QUANTILE_EXACT) {
        grown = to_bins(s);
        if (grown >= 0)
            s->bin[bin_of(x)] += times;
        return grown;
    }
    if (s->count == s->cap && (grown = more_room(s)) < 0)
        return grown;
    s->value[s->count] = x;
    s->times[s->count++] = times;
    return grown;
}

ssize_t sketch_merge(struct sketch *into, const struct sketch *from)
{
    ssize_t grown = 0, rc = 0;

    if (from->bin && !into->bin && (grown = to_bins(into)) < 0)
        return grown;
    if (from->bin) {
        for (uint32_t i = 0; i < BINS; i++)
            into->bin[i] += from->bin[i];
        into->total += from->total;
    }
    for (uint32_t i = 0; rc >= 0 && i < from->count; i++) {
        rc = sketch_add(into, from->value[i], from->times[i]);
        grown += rc > 0 ? rc : 0;
    }
    return rc < 0 ? rc : grown;
}

struct pair {
    double   value;
    uint64_t times;
};

static int compare_pairs(const void *x, const void *y)
{
    double a = ((const struct pair *)x)->value, b = ((const struct pair *)y)->value;

    return a < b ? -1 : a > b;
}

/* exact_at - the value of a rank, from 1. */
static double exact_at(const struct sketch *s, uint64_t rank)
{
    struct pair list[PIPES_QUANTILE_EXACT];
    uint64_t sum = 0;

    for (uint32_t i = 0; i < s->count; i++)
        list[i] = (struct pair){ s->value[i], s->times[i] };
    qsort(list, s->count, sizeof *list, compare_pairs);
    for (uint32_t i = 0; i < s->count; i++) {
        sum += list[i].times;
        if (sum >= rank)
            return list[i].value;
    }
    return list[s->count - 1].value;
}

bool sketch_at(struct sketch *s, double q, double *out)
{
    uint64_t rank = (uint64_t)ceil(q * (double)s->total), sum = 0;

    if (s->total == 0)
        return false;
    rank = rank ? rank : 1;
    if (!s->bin) {
        *out = exact_at(s, rank);
        return true;
    }
    for (uint32_t i = 0; i < BINS; i++) {
        sum += s->bin[i];
        if (sum >= rank) {
            *out = middle(i);
            return true;
        }
    }
    return false;
}

void sketch_free(struct sketch *s)
{
    free(s->value);
    free(s->times);
    free(s->bin);
    *s = (struct sketch){ .bin = NULL };
}
