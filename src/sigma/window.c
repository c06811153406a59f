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
#include "sigma/items.h"

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

/* group_tally - of the living items: what they stand for is known from them, the rest is kept in the tail. */
static struct tally group_tally(const struct groups *g, const struct group *gr)
{
    struct tally s = { .n = group_events(g, gr) };

    if (g->lay.area_at > sizeof *gr)
        memcpy(&s.bits, gr + 1, sizeof s.bits);
    return s;
}

static void group_tally_set(const struct groups *g, struct group *gr, const struct tally *s)
{
    if (g->lay.area_at > sizeof *gr)
        memcpy(gr + 1, &s->bits, sizeof s->bits);
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

static uint32_t place_of(const struct row *r, time_ns t)
{
    uint32_t at = r->n;

    while (at && row_time(r, at - 1) > t)
        at--;
    return at;
}

/* drop_items - with what they add up to. */
static void drop_items(struct groups *g, struct group *gr, uint32_t from, uint32_t n)
{
    struct tally s = group_tally(g, gr);
    struct row r = group_row(g, gr);

    for (uint32_t i = from; i < from + n; i++) {
        struct item it = row_at(&r, i);

        tally_take(g->c, &s, &it);
    }
    group_drop_items(g, gr, from, n);
    group_tally_set(g, gr, &s);
}

/* squeeze - items of the same part of the timespan become one, at the time of the newest. */
static int squeeze(struct groups *g, struct group *gr)
{
    struct item *items = group_widen(g, gr);
    time_ns part = g->c->timespan / PARTS;
    uint32_t n = 0;

    if (!items)
        return -ENOMEM;
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
        } else if (g->c->kind != CORR_EVENT_COUNT) {
            to->sum += items[i].sum;
        }
    }
    gr->item_n = (n + 1) & 0x3FFF;
    if (gr->item_n > SIGMA_EXACT_MAX / 2)   /* many sources with clocks of their own */
        drop_items(g, gr, 0, gr->item_n - SIGMA_EXACT_MAX / 2);
    return 0;
}

static struct tally tally_between(const struct groups *g, const struct row *r, time_ns from, time_ns to)
{
    struct tally s = { .n = 0 };

    for (uint32_t i = r->n; i-- > 0 && row_time(r, i) >= from;)
        if (row_time(r, i) <= to) {
            struct item it = row_at(r, i);

            tally_add(g->c, &s, &it);
        }
    return s;
}

/* use_up - the events that made it fire are consumed. */
static void use_up(struct groups *g, struct group *gr, time_ns from, time_ns to)
{
    struct row r = group_row(g, gr);
    uint32_t first = 0, behind = r.n;

    while (first < r.n && row_time(&r, first) < from)
        first++;
    while (behind > first && row_time(&r, behind - 1) > to)
        behind--;
    drop_items(g, gr, first, behind - first);
}

static bool window_fires(struct groups *g, struct group *gr, const struct row *r, time_ns end, const struct arrival *a)
{
    time_ns from = end - g->c->timespan;
    bool whole, fires;
    struct tally s;

    if (a->t < from)
        return false;
    whole = r->n && row_time(r, 0) >= from && row_time(r, r->n - 1) <= end;
    s = whole ? group_tally(g, gr) : tally_between(g, r, from, end);
    fires = tally_holds(g->c, &s);
    if (fires) {
        g->value = tally_value(g->c, &s);
        use_up(g, gr, from, end);
    }
    return fires;
}

/* stale - how many items, from the oldest on, lie before the window of the source they came from. */
static uint32_t stale(const struct groups *g, const struct row *r, const struct clocks *clocks, time_ns now)
{
    uint32_t n = 0;

    while (n < r->n && row_time(r, n) < clocks_present(clocks, row_source(r, n), now) - g->c->timespan)
        n++;
    return n;
}

static int sum_up(struct groups *g, struct group *gr, struct row *r, const struct clocks *clocks, const struct arrival *a)
{
    struct item it = item_of(g->c, a);
    uint32_t old = stale(g, r, clocks, a->now);
    time_ns newest, own;
    struct tally s;

    if (old) {
        drop_items(g, gr, 0, old);
        *r = group_row(g, gr);
    }
    if (!group_item(g, gr, r, place_of(r, a->t), &it))
        return -ENOMEM;
    s = group_tally(g, gr);
    tally_add(g->c, &s, &it);
    group_tally_set(g, gr, &s);
    if (r->n > SIGMA_EXACT_MAX) {
        if (squeeze(g, gr) < 0)
            return -ENOMEM;
        *r = group_row(g, gr);
    }
    newest = row_time(r, r->n - 1);
    own = own_end(clocks, a);
    return window_fires(g, gr, r, newest, a) || (own != newest && window_fires(g, gr, r, own, a));
}

/* --- values --- */

/* drop_stale_values - what lies before the window of the source it came from; what is left. */
static struct values_ends drop_stale_values(struct groups *g, struct group *gr, const struct clocks *clocks, time_ns now)
{
    struct values_ends ends = values_ends(g, gr);

    while (ends.count && ends.oldest < clocks_present(clocks, ends.source, now) - g->c->timespan) {
        values_drop_oldest(g, gr);
        ends = values_ends(g, gr);
    }
    return ends;
}

static bool values_fire(const struct groups *g, const struct group *gr, const struct values_ends *ends, time_ns end, const struct arrival *a)
{
    time_ns from = end - g->c->timespan;
    bool whole = ends->oldest >= from && ends->newest <= end;

    return a->t >= from && range_holds(&g->c->range, whole ? ends->count : values_between(g, gr, from, end));
}

static bool note(struct groups *g, struct group *gr, const struct arrival *a, bool *known)
{
    return values_note(g, gr, &(struct item){ .v = a->value, .t = a->t, .n = 1, .source = a->source }, known);
}

static int count_values(struct groups *g, struct group *gr, const struct clocks *clocks, const struct arrival *a)
{
    time_ns own = own_end(clocks, a);
    struct values_ends ends;
    bool fires;

    if (!note(g, gr, a, NULL))
        return -ENOMEM;
    ends = drop_stale_values(g, gr, clocks, a->now);
    if (ends.count == 0)   /* it came later than a timespan */
        return 0;
    fires = values_fire(g, gr, &ends, ends.newest, a) || (own != ends.newest && values_fire(g, gr, &ends, own, a));
    if (fires)
        groups_empty(g, gr);
    return fires;
}

/* new_value - a value that the group did not show within the timespan. While the group is younger than "learn" it only learns. */
static int new_value(struct groups *g, struct group *gr, const struct clocks *clocks, const struct arrival *a)
{
    bool known;

    drop_stale_values(g, gr, clocks, a->now);
    if (!note(g, gr, a, &known))
        return -ENOMEM;
    return !known && a->t - group_cold(g, gr)->first >= g->c->learn;
}

/* --- rules one after another --- */

/* all_seen - the last moment of each rule. Some alternative must lie within one timespan. */
static int all_seen(struct groups *g, struct group *gr, const struct arrival *a)
{
    time_ns *last = group_steps(g, gr);

    if (!last)
        return -ENOMEM;
    last[a->ref] = a->t > last[a->ref] ? a->t : last[a->ref];
    for (uint32_t k = 0; k < g->c->alternative_count; k++) {
        uint32_t want = g->c->alternatives[k].want;
        time_ns least = INT64_MAX, most = INT64_MIN;

        if (!(want >> a->ref & 1))
            continue;
        for (; want && last[__builtin_ctz(want)] != NEVER; want &= want - 1) {
            time_ns t = last[__builtin_ctz(want)];

            least = t < least ? t : least;
            most = t > most ? t : most;
        }
        if (!want && most - least <= g->c->timespan)
            return 1;
    }
    return 0;
}

/* step - steps[i] holds the latest start of a chain up to its i-th rule, and the seq of the event that came last there. */
static bool step(struct step *steps, uint32_t i, const struct arrival *a, time_ns timespan)
{
    struct step start = { a->t, a->seq };

    if (i > 0) {
        const struct step *before = &steps[i - 1];

        if (before->t == NEVER || (before->seq == a->seq && !a->ended) || a->t < before->t || a->t - before->t > timespan)
            return false;
        start.t = before->t;
    }
    if (steps[i].t <= start.t)
        steps[i] = start;
    return true;
}

/* in_order - one chain for each alternative, one behind the other in the row of steps. */
static int in_order(struct groups *g, struct group *gr, const struct arrival *a)
{
    struct step *steps = group_steps(g, gr);
    bool fires = false;

    if (!steps)
        return -ENOMEM;
    for (uint32_t k = 0; k < g->c->alternative_count; k++) {
        uint32_t want = g->c->alternatives[k].want, length = (uint32_t)__builtin_popcount(want);
        uint32_t place = (uint32_t)__builtin_popcount(want & ((1u << a->ref) - 1));

        if (want >> a->ref & 1 && step(steps, place, a, g->c->timespan))
            fires = fires || place == length - 1;
        steps += length;
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
static int judge(struct groups *g, struct group *gr, struct row *r, const struct clocks *clocks, const struct arrival *a)
{
    int rc;

    switch (g->c->kind) {
    case CORR_VALUE_COUNT: return count_values(g, gr, clocks, a);
    case CORR_NEW_VALUE: return new_value(g, gr, clocks, a);
    case CORR_TEMPORAL: rc = all_seen(g, gr, a); break;
    case CORR_TEMPORAL_ORDERED: rc = in_order(g, gr, a); break;
    default: return sum_up(g, gr, r, clocks, a);
    }
    if (rc == 1)
        group_steps_clear(g, gr);
    return rc;
}

/* put_in - for kinds judged at the end: only what the judgement needs. */
static int put_in(struct groups *g, struct group *gr, const struct arrival *a)
{
    struct item it = item_of(g->c, a);

    if (g->c->kind == CORR_VALUE_COUNT)
        return note(g, gr, a, NULL) ? 0 : -ENOMEM;
    if (g->c->kind == CORR_TEMPORAL)
        group_ending(gr)->tally.mask |= 1u << a->ref;
    else
        tally_add(g->c, &group_ending(gr)->tally, &it);
    return 0;
}

bool window_over(const struct groups *g, const struct group *gr, const struct arrival *a)
{
    if (!g->c->at_end || gr->total == 0)
        return false;
    return a->source == gr->source ? a->t > gr->edge && a->t - gr->edge > g->c->timespan : a->now - gr->seen > g->c->timespan;
}

bool window_holds(struct groups *g, struct group *gr)
{
    const struct tally *s = &group_ending(gr)->tally;

    g->value = tally_value(g->c, s);
    switch (g->c->kind) {
    case CORR_VALUE_COUNT: return range_holds(&g->c->range, values_count(g, gr));
    case CORR_TEMPORAL: return mask_holds(g->c, s->mask);
    default: return tally_holds(g->c, s);
    }
}

/* muted - the group fired less than a timespan ago. */
static bool muted(const struct groups *g, const struct group *gr, time_ns t)
{
    return g->c->kind != CORR_NEW_VALUE && gr->fired != NEVER && t < gr->fired + g->c->timespan && t > gr->fired - g->c->timespan;
}

/* open_window - with its first event. */
static void open_window(const struct groups *g, struct group *gr, const struct arrival *a)
{
    struct cold *k = group_cold(g, gr);

    gr->total = 0;
    gr->source = a->source & UINT16_MAX;
    k->first_seq = a->seq;
    k->first = a->t;
}

/* arrives - the event is counted, and the group touched; r is its row. 1 if it was there before: two rules brought the same event. */
static int arrives(struct groups *g, struct group *gr, struct row *r, const struct arrival *a)
{
    bool lasting = g->c->kind == CORR_NEW_VALUE || g->lay.ends, opens = gr->total == 0, again;

    if (g->lay.ends)
        again = a->seq && group_ending(gr)->last_seq == a->seq;
    else
        again = groups_again(g, gr, a->seq);
    again = again && !opens && !a->ended;
    if (opens || (!lasting && a->t > gr->edge && a->t - gr->edge > g->c->timespan))
        open_window(g, gr, a);
    if ((opens || (a->t > gr->edge && !g->c->at_end)) && !group_move(g, gr, r, a->t))
        return -ENOMEM;
    if (!g->c->at_end || opens)
        groups_touch(g, gr, a->now);
    if (g->lay.ends)
        group_ending(gr)->last_seq = a->seq;
    if (!again && gr->total < TOTAL_MAX)
        gr->total++;
    return again;
}

int window_take(struct groups *g, struct group *gr, const struct clocks *clocks, const struct arrival *a)
{
    struct row r = group_row(g, gr);
    int rc = arrives(g, gr, &r, a);

    g->value = (double)NAN;
    if (rc < 0 || (rc == 1 && g->c->kind != CORR_TEMPORAL && g->c->kind != CORR_TEMPORAL_ORDERED))
        return rc < 0 ? rc : 0;
    if (g->c->at_end)
        return put_in(g, gr, a);
    if (g->c->kind == CORR_ABSENCE || muted(g, gr, a->t))
        return 0;
    rc = judge(g, gr, &r, clocks, a);
    if (rc == 1)
        gr->fired = a->t;
    return rc;
}
