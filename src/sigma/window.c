/* window.c - an event in its group: what is remembered of it, and whether the correlation fires.
 *
 * A window slides over the time of events, as their sources tell it: it ends at the newest event, and reaches back one timespan. An event
 * that came late belongs to the windows that it lies in: the one that ends at the newest event of the group, and the one that ends at the
 * newest of its own source, whose clock may be behind. What lies before the window of the source it came from goes.
 *
 * Sums, averages and counts are added up as events come and go. A percentile needs no values at all: whether it is above a bound
 * follows from how many values are. Past SIGMA_EXACT_MAX events those of one 64th of the timespan become one item.
 *
 * lt, lte, eq, neq, ranges and "not" are judged when the window, which starts with the group's first event, is over. */
#include "sigma/groups.h"

#include <math.h>

#define PARTS 64   /* of a timespan: what becomes one item */

/* own_end - the newest moment of the source: where its own window ends. */
static time_ns own_end(const struct clocks *clocks, const struct arrival *a)
{
    time_ns newest = clocks->at[a->source].newest;

    return newest > a->t ? newest : a->t;
}

/* --- sums --- */

static struct item item_of(const struct correlation *c, const struct arrival *a)
{
    struct item it = { .t = a->t, .n = 1, .source = a->source };

    if (c->kind == CORR_SUM || c->kind == CORR_AVG) {
        it.sum = a->number;
    } else if (c->kind == CORR_PERCENTILE) {
        it.rank.low = !range_low(&c->range, a->number);
        it.rank.high = range_high(&c->range, a->number);
    }
    return it;
}

static void tally_add(const struct correlation *c, struct tally *s, const struct item *it)
{
    s->n += it->n;
    if (c->kind == CORR_PERCENTILE) {
        s->rank.low += it->rank.low;
        s->rank.high += it->rank.high;
    } else if (c->kind == CORR_SUM || c->kind == CORR_AVG) {
        s->sum += it->sum;
    }
}

static void tally_take(const struct correlation *c, struct tally *s, const struct item *it)
{
    s->n -= it->n;
    if (c->kind == CORR_PERCENTILE) {
        s->rank.low -= it->rank.low;
        s->rank.high -= it->rank.high;
    } else if (c->kind == CORR_SUM || c->kind == CORR_AVG) {
        s->sum = s->n ? s->sum - it->sum : 0;
    }
}

/* percentile_holds - the percentile is the value at the rank-th place, counted from the smallest. */
static bool percentile_holds(const struct correlation *c, const struct tally *s)
{
    uint64_t rank = (s->n * c->percentile + 99) / 100;

    return (s->rank.low < rank && s->rank.high >= rank) != c->range.negate;
}

static bool tally_holds(const struct correlation *c, const struct tally *s)
{
    if (s->n == 0 && c->kind != CORR_EVENT_COUNT)
        return false;
    switch (c->kind) {
    case CORR_SUM: return range_holds(&c->range, s->sum);
    case CORR_AVG: return range_holds(&c->range, s->sum / (double)s->n);
    case CORR_PERCENTILE: return percentile_holds(c, s);
    default: return range_holds(&c->range, (double)s->n);
    }
}

/* tally_value - what a finding tells; a percentile is never computed. */
static double tally_value(const struct correlation *c, const struct tally *s)
{
    return c->kind == CORR_SUM ? s->sum : c->kind == CORR_AVG ? s->sum / (double)s->n : (double)NAN;
}

/* --- items in a window --- */

static uint32_t place_of(const struct group *gr, time_ns t)
{
    const struct item *items = group_items(gr);
    uint32_t at = gr->item_n;

    while (at && items[at - 1].t > t)
        at--;
    return at;
}

static void drop_oldest(struct groups *g, struct group *gr)
{
    tally_take(g->c, &gr->tally, group_items(gr));
    group_drop_items(gr, 0, 1);
}

/* squeeze - items of the same part of the timespan become one, at the time of the newest. */
static void squeeze(struct groups *g, struct group *gr)
{
    struct item *items = group_items(gr);
    time_ns part = g->c->timespan / PARTS;
    uint32_t n = 0;

    for (uint32_t i = 1; i < gr->item_n; i++) {
        struct item *to = &items[n];

        if (items[i].t / part != to->t / part || to->n > UINT32_MAX - items[i].n) {
            items[++n] = items[i];
            continue;
        }
        to->t = items[i].t;
        to->source = items[i].source;
        to->n += items[i].n;
        if (g->c->kind == CORR_PERCENTILE) {
            to->rank.low += items[i].rank.low;
            to->rank.high += items[i].rank.high;
        } else {
            to->sum += items[i].sum;
        }
    }
    gr->item_n = n + 1;
    while (gr->item_n > SIGMA_EXACT_MAX / 2)   /* many sources with clocks of their own */
        drop_oldest(g, gr);
}

static struct tally tally_between(const struct groups *g, const struct group *gr, time_ns from, time_ns to)
{
    const struct item *items = group_items(gr);
    struct tally s = { .n = 0 };

    for (uint32_t i = gr->item_n; i-- > 0 && items[i].t >= from;)
        if (items[i].t <= to)
            tally_add(g->c, &s, &items[i]);
    return s;
}

/* use_up - the events that made it fire are consumed. */
static void use_up(struct groups *g, struct group *gr, time_ns from, time_ns to)
{
    struct item *items = group_items(gr);
    uint32_t n = 0;

    for (uint32_t i = 0; i < gr->item_n; i++)
        if (items[i].t >= from && items[i].t <= to)
            tally_take(g->c, &gr->tally, &items[i]);
        else
            items[n++] = items[i];
    group_drop_items(gr, n, gr->item_n - n);
}

static bool window_fires(struct groups *g, struct group *gr, time_ns end, const struct arrival *a)
{
    const struct item *items = group_items(gr);
    time_ns from = end - g->c->timespan;
    bool whole = gr->item_n && items[0].t >= from && items[gr->item_n - 1].t <= end, fires;
    struct tally s;

    if (a->t < from)
        return false;
    s = whole ? gr->tally : tally_between(g, gr, from, end);
    fires = tally_holds(g->c, &s);
    if (fires) {
        gr->value = tally_value(g->c, &s);
        use_up(g, gr, from, end);
    }
    return fires;
}

static int sum_up(struct groups *g, struct group *gr, const struct clocks *clocks, const struct arrival *a)
{
    struct item it = item_of(g->c, a);
    time_ns newest, own;

    while (gr->item_n && group_items(gr)->t < clocks_present(clocks, group_items(gr)->source, a->now) - g->c->timespan)
        drop_oldest(g, gr);
    if (!group_item(g, gr, place_of(gr, a->t), it))
        return -ENOMEM;
    tally_add(g->c, &gr->tally, &it);
    if (gr->item_n > SIGMA_EXACT_MAX)
        squeeze(g, gr);
    newest = group_items(gr)[gr->item_n - 1].t;
    own = own_end(clocks, a);
    return window_fires(g, gr, newest, a) || (own != newest && window_fires(g, gr, own, a));
}

/* --- values --- */

static void drop_stale_values(struct groups *g, struct group *gr, const struct clocks *clocks, time_ns now)
{
    const struct values *s = gr->values;

    while (s && s->count && s->at[s->oldest].t < clocks_present(clocks, s->at[s->oldest].source, now) - g->c->timespan)
        values_drop_oldest(gr);
}

static uint32_t values_between(const struct values *s, time_ns from, time_ns to)
{
    uint32_t n = 0;

    for (uint32_t i = s->newest; i != NIL && s->at[i].t >= from; i = s->at[i].older)
        n += s->at[i].t <= to;
    return n;
}

static bool values_fire(const struct groups *g, const struct group *gr, time_ns end, const struct arrival *a)
{
    const struct values *s = gr->values;
    time_ns from = end - g->c->timespan;
    bool whole = s->at[s->oldest].t >= from && s->at[s->newest].t <= end;

    return a->t >= from && range_holds(&g->c->range, whole ? s->count : values_between(s, from, end));
}

static int count_values(struct groups *g, struct group *gr, const struct clocks *clocks, const struct arrival *a)
{
    time_ns newest, own = own_end(clocks, a);
    bool fires;

    if (!values_note(g, gr, (struct value){ .hash = a->value, .t = a->t, .source = a->source }, NULL))
        return -ENOMEM;
    drop_stale_values(g, gr, clocks, a->now);
    if (values_count(gr) == 0)   /* it came later than a timespan */
        return 0;
    newest = gr->values->at[gr->values->newest].t;
    fires = values_fire(g, gr, newest, a) || (own != newest && values_fire(g, gr, own, a));
    if (fires)
        groups_empty(g, gr);
    return fires;
}

/* new_value - a value that the group did not show within the timespan. While the group is younger than "learn" it only learns. */
static int new_value(struct groups *g, struct group *gr, const struct clocks *clocks, const struct arrival *a)
{
    bool known;

    drop_stale_values(g, gr, clocks, a->now);
    if (!values_note(g, gr, (struct value){ .hash = a->value, .t = a->t, .source = a->source }, &known))
        return -ENOMEM;
    return !known && a->t - gr->first >= g->c->learn;
}

/* --- rules one after another --- */

static bool fill(struct groups *g, struct group *gr, uint32_t n, struct item with)
{
    while (gr->item_n < n)
        if (!group_item(g, gr, gr->item_n, with))
            return false;
    return true;
}

/* all_seen - items[ref] holds the last time of each rule; n is 1 once seen. Some alternative must lie within one timespan. */
static int all_seen(struct groups *g, struct group *gr, const struct arrival *a)
{
    struct item *items;

    if (!fill(g, gr, g->c->ref_count, (struct item){ .t = 0 }))
        return -ENOMEM;
    items = group_items(gr);
    if (!items[a->ref].n || items[a->ref].t < a->t)
        items[a->ref] = (struct item){ .t = a->t, .n = 1, .source = a->source };
    for (uint32_t k = 0; k < g->c->alternative_count; k++) {
        uint32_t want = g->c->alternatives[k].want;
        time_ns least = INT64_MAX, most = INT64_MIN;

        if (!(want >> a->ref & 1))
            continue;
        for (; want && items[__builtin_ctz(want)].n; want &= want - 1) {
            time_ns t = items[__builtin_ctz(want)].t;

            least = t < least ? t : least;
            most = t > most ? t : most;
        }
        if (!want && most - least <= g->c->timespan)
            return 1;
    }
    return 0;
}

/* step - items[i] holds the latest start of a chain up to its i-th rule, and the seq of the event that came last there. */
static bool step(struct item *items, uint32_t i, const struct arrival *a, time_ns timespan)
{
    struct item start = { .t = a->t, .v = a->seq };

    if (i > 0) {
        const struct item *before = &items[i - 1];

        if (before->t == NEVER || (before->v == a->seq && !a->ended) || a->t < before->t || a->t - before->t > timespan)
            return false;
        start.t = before->t;
    }
    if (items[i].t <= start.t)
        items[i] = start;
    return true;
}

/* in_order - one chain for each alternative, one behind the other in the row of items. */
static int in_order(struct groups *g, struct group *gr, const struct arrival *a)
{
    uint32_t at = 0;
    bool fires = false;

    for (uint32_t k = 0; k < g->c->alternative_count; k++) {
        uint32_t want = g->c->alternatives[k].want, length = (uint32_t)__builtin_popcount(want);
        uint32_t place = (uint32_t)__builtin_popcount(want & ((1u << a->ref) - 1));

        if (!fill(g, gr, at + length, (struct item){ .t = NEVER }))
            return -ENOMEM;
        if (want >> a->ref & 1 && step(group_items(gr) + at, place, a, g->c->timespan))
            fires = fires || place == length - 1;
        at += length;
    }
    return fires;
}

static bool mask_holds(const struct correlation *c, uint32_t seen)
{
    for (uint32_t k = 0; k < c->alternative_count; k++)
        if ((seen & c->alternatives[k].want) == c->alternatives[k].want && !(seen & c->alternatives[k].without))
            return true;
    return c->alternative_count == 0 && range_holds(&c->range, __builtin_popcount(seen));
}

/* --- the windows --- */

/* judge - the kinds that fire on the event that crosses. */
static int judge(struct groups *g, struct group *gr, const struct clocks *clocks, const struct arrival *a)
{
    int rc;

    switch (g->c->kind) {
    case CORR_VALUE_COUNT: return count_values(g, gr, clocks, a);
    case CORR_NEW_VALUE: return new_value(g, gr, clocks, a);
    case CORR_TEMPORAL: rc = all_seen(g, gr, a); break;
    case CORR_TEMPORAL_ORDERED: rc = in_order(g, gr, a); break;
    case CORR_ABSENCE: return 0;
    default: return sum_up(g, gr, clocks, a);
    }
    if (rc == 1)
        group_drop_items(gr, 0, gr->item_n);
    return rc;
}

/* put_in - for kinds judged at the end: only what the judgement needs. */
static int put_in(struct groups *g, struct group *gr, const struct arrival *a)
{
    struct item it = item_of(g->c, a);

    if (g->c->kind == CORR_VALUE_COUNT)
        return values_note(g, gr, (struct value){ .hash = a->value, .t = a->t, .source = a->source }, NULL) ? 0 : -ENOMEM;
    if (g->c->kind == CORR_TEMPORAL)
        gr->tally.mask |= 1u << a->ref;
    else
        tally_add(g->c, &gr->tally, &it);
    return 0;
}

bool window_over(const struct groups *g, const struct group *gr, const struct arrival *a)
{
    if (!g->c->at_end || gr->total == 0)
        return false;
    return a->source == gr->source ? a->t > gr->first && a->t - gr->first > g->c->timespan : a->now - gr->seen > g->c->timespan;
}

bool window_holds(const struct groups *g, struct group *gr)
{
    gr->value = tally_value(g->c, &gr->tally);
    switch (g->c->kind) {
    case CORR_VALUE_COUNT: return range_holds(&g->c->range, values_count(gr));
    case CORR_TEMPORAL: return mask_holds(g->c, gr->tally.mask);
    default: return tally_holds(g->c, &gr->tally);
    }
}

/* muted - the group fired less than a timespan ago. */
static bool muted(const struct groups *g, const struct group *gr, time_ns t)
{
    return g->c->kind != CORR_NEW_VALUE && gr->fired != NEVER && t < gr->fired + g->c->timespan && t > gr->fired - g->c->timespan;
}

int window_take(struct groups *g, struct group *gr, const struct clocks *clocks, const struct arrival *a)
{
    bool lasting = g->c->kind == CORR_NEW_VALUE || g->c->kind == CORR_ABSENCE || g->c->at_end;
    bool again = gr->total && a->seq && gr->last_seq == a->seq && !a->ended;   /* two rules brought the same event */
    int rc;

    if (gr->total == 0 || (!lasting && a->t > gr->last && a->t - gr->last > g->c->timespan)) {
        gr->total = 0;
        gr->first_seq = a->seq;
        gr->first = gr->last = a->t;
        gr->source = a->source;
        gr->seen = a->now;
    }
    gr->total += !again;
    gr->last_seq = a->seq;
    gr->last = a->t > gr->last ? a->t : gr->last;
    if (!g->c->at_end)
        gr->seen = a->now;
    if (again && g->c->kind != CORR_TEMPORAL && g->c->kind != CORR_TEMPORAL_ORDERED)
        return 0;
    if (g->c->at_end)
        return put_in(g, gr, a);
    if (muted(g, gr, a->t))
        return 0;
    rc = judge(g, gr, clocks, a);
    if (rc == 1)
        gr->fired = a->t;
    return rc;
}
