/* planner.c - see planner.h. A mode at a time, an object at a time, a pair at a time, never taken back: each search looks at sets of days, six words
 * of 64 bits, so that 2,000 objects take a fraction of a second.
 *
 * For each team and mode there is a set of the days on which it can begin one more work. It is mended around the days of each placed work; `any` is
 * the union over teams. The days that an object allows are such a set too. A place is the day nearest to the wished one in their intersection. */
#include "desk/schedule/planner.h"

struct team_load {
    int16_t        on[PLAN_DAYS];      /* works on the day */
    int32_t        week[PLAN_WEEKS];   /* team-days */
    int64_t        total;              /* team-days of the year */
    struct day_set can[PLAN_MODES];
};

/* One object and mode in hand. */
struct search {
    int            object;
    enum plan_mode mode;
    struct day_set free;               /* days on which the object allows a work to begin */
    int            since, until, first;   /* first: nothing new begins before it */
};

int planner_end(const struct planner_year *y, int takes, int from)
{
    int left = takes;

    if (from < 0 || from >= y->days || !y->worked[from])
        return -1;
    for (int d = from; d < y->days; d++)
        if (y->worked[d] && --left == 0)
            return d;
    return -1;
}

/* --- sets --- */

static struct day_set set_range(int from, int to)
{
    struct day_set s = { { 0 } };

    for (int w = 0; w < PLAN_WORDS; w++) {
        int lo = from - w * 64, hi = to - w * 64;

        if (hi < 0 || lo > 63)
            continue;
        s.w[w] = (lo <= 0 ? ~UINT64_C(0) : ~UINT64_C(0) << lo) & (hi >= 63 ? ~UINT64_C(0) : (UINT64_C(1) << (hi + 1)) - 1);
    }
    return s;
}

static struct day_set set_and(const struct day_set *a, const struct day_set *b)
{
    struct day_set s;

    for (int w = 0; w < PLAN_WORDS; w++)
        s.w[w] = a->w[w] & b->w[w];
    return s;
}

static bool set_empty(const struct day_set *a) { return !(a->w[0] | a->w[1] | a->w[2] | a->w[3] | a->w[4] | a->w[5]); }
static void set_drop(struct day_set *s, int day) { s->w[day / 64] &= ~(UINT64_C(1) << (day % 64)); }

static int set_from(const struct day_set *s, int day)   /* the first one at day or later; below zero: none */
{
    for (int w = day < 0 ? 0 : day / 64; w < PLAN_WORDS; w++) {
        uint64_t x = s->w[w];

        if (day > w * 64)
            x &= ~UINT64_C(0) << (day - w * 64);
        if (x)
            return w * 64 + __builtin_ctzll(x);
    }
    return -1;
}

static int set_until(const struct day_set *s, int day)   /* the last one at day or earlier */
{
    if (day >= PLAN_DAYS)
        day = PLAN_DAYS - 1;
    for (int w = day < 0 ? -1 : day / 64; w >= 0; w--) {
        uint64_t x = s->w[w];

        if (day < w * 64 + 63)
            x &= (UINT64_C(1) << (day - w * 64 + 1)) - 1;
        if (x)
            return w * 64 + 63 - __builtin_clzll(x);
    }
    return -1;
}

/* set_near - the nearest to day; of two equally near ones the earlier. */
static int set_near(const struct day_set *s, int day)
{
    int after = set_from(s, day), before = set_until(s, day);

    return before < 0 ? after : after < 0 ? before : day - before <= after - day ? before : after;
}

/* --- teams --- */

static bool team_can_begin(const struct planner *p, size_t team, enum plan_mode m, int from)
{
    const struct planner_team *t = &p->teams[team];
    const struct team_load *l = &p->load[team];
    int to = p->ends[m][from], week = -1, need = 0;

    if (to < 0)
        return false;
    for (int d = from; d <= to; d++) {
        if (!p->year->worked[d])
            continue;
        if (t->at_once[d] >= 0 && l->on[d] >= t->at_once[d])
            return false;
        if (planner_week(p->year, d) != week) {
            week = planner_week(p->year, d);
            need = 0;
        }
        need++;
        if (t->days_week && l->week[week] + need > t->days_week)
            return false;
    }
    return true;
}

static void any_make(struct planner *p)
{
    memset(p->any, 0, sizeof p->any);
    for (size_t t = 0; t < p->team_count; t++)
        for (int m = 0; m < PLAN_MODES; m++)
            for (int w = 0; w < PLAN_WORDS; w++)
                p->any[m].w[w] |= p->load[t].can[m].w[w];
}

/* team_mend - the days on which a team can begin, around a span that changed: a work takes PLAN_WORK_DAYS business days at most, and a week is bounded
 * as a whole. A day leaves `any` with the last team that could. */
static void team_mend(struct planner *p, size_t team, int from, int to, bool whole)
{
    for (int m = 0; m < PLAN_MODES; m++) {
        if (!(p->teams[team].modes & 1u << m))
            continue;
        int lo = whole ? 0 : from - p->year->takes[m] * 3 - 21, hi = whole ? p->year->days - 1 : to + 6;

        for (int d = lo < 0 ? 0 : lo; d <= hi && d < p->year->days; d++) {
            bool was = day_in(&p->load[team].can[m], d), can = whole || was ? team_can_begin(p, team, (enum plan_mode)m, d) : false;

            if (can)
                day_add(&p->load[team].can[m], d);
            else if (was) {
                bool other = false;

                set_drop(&p->load[team].can[m], d);
                for (size_t t = 0; t < p->team_count && !other; t++)
                    other = day_in(&p->load[t].can[m], d);
                if (!other)
                    set_drop(&p->any[m], d);
            }
        }
    }
}

static void load_add(struct planner *p, int team, int from, int to)
{
    if (team < 0)
        return;
    for (int d = from; d <= to; d++)
        if (p->year->worked[d]) {
            p->load[team].on[d]++;
            p->load[team].week[planner_week(p->year, d)]++;
            p->load[team].total++;
        }
}

/* team_pick - who begins on that day: the one wished, else the least loaded for its size; below zero: nobody. */
static int team_pick(const struct planner *p, enum plan_mode m, int day, int wished)
{
    int best = -1;

    if (wished >= 0 && day_in(&p->load[wished].can[m], day))
        return wished;
    for (size_t t = 0; t < p->team_count; t++) {
        if (!day_in(&p->load[t].can[m], day))
            continue;
        int64_t size = p->teams[t].at_once[day] > 0 ? p->teams[t].at_once[day] : p->teams[t].days_week ? p->teams[t].days_week : 1000;
        int64_t than = best < 0 ? 0 : p->teams[best].at_once[day] > 0 ? p->teams[best].at_once[day] : p->teams[best].days_week ? p->teams[best].days_week : 1000;

        if (best < 0 || p->load[t].total * than < p->load[best].total * size)
            best = (int)t;
    }
    return best;
}

/* --- results --- */

static void place(struct planner *p, const struct search *s, int day, int team, bool control, int ordinal)
{
    int to = p->ends[s->mode][day];

    if (p->work_count == p->work_most) {
        size_t most = p->work_most ? p->work_most * 2 : 1024;
        struct planner_work *more = realloc(p->works, most * sizeof *more);

        if (!more) {
            p->failed = true;
            return;
        }
        p->works = more;
        p->work_most = most;
    }
    p->works[p->work_count++] = (struct planner_work){ .object = s->object, .from = (int16_t)day, .to = (int16_t)to, .team = (int16_t)team,
                                                       .mode = (uint8_t)s->mode, .control = control, .ordinal = (uint8_t)ordinal };
    load_add(p, team, day, to);
    team_mend(p, (size_t)team, day, to, false);
}

static void unplaced(struct planner *p, const struct search *s, bool control, int ordinal, enum planner_why why, int from, int to)
{
    if (p->unplaced_count == p->unplaced_most) {
        size_t most = p->unplaced_most ? p->unplaced_most * 2 : 256;
        struct planner_unplaced *more = realloc(p->unplaced, most * sizeof *more);

        if (!more) {
            p->failed = true;
            return;
        }
        p->unplaced = more;
        p->unplaced_most = most;
    }
    p->unplaced[p->unplaced_count++] = (struct planner_unplaced){ s->object, (uint8_t)s->mode, control, (uint8_t)ordinal, (uint8_t)why, (int16_t)from, (int16_t)to };
}

/* why_not - the reason that a person can do something about: nobody can do the mode, the days are closed, there are none, or nobody is free. */
static enum planner_why why_not(const struct planner *p, const struct search *s, int from, int to)
{
    struct day_set range = set_range(from, to), all = set_and(&s->free, &range);
    bool somebody = false, possible = false;

    for (size_t t = 0; t < p->team_count; t++)
        somebody = somebody || p->teams[t].modes & 1u << s->mode;
    if (!somebody)
        return WHY_NO_TEAM;
    if (!set_empty(&all))
        return WHY_CAPACITY;
    for (int d = from < 0 ? 0 : from; d <= to && d < p->year->days; d++)
        possible = possible || (p->ends[s->mode][d] >= 0 && p->ends[s->mode][d] <= s->until);
    return possible ? WHY_BLACKOUT : WHY_NO_DAYS;
}

/* --- pairs --- */

/* pair_in - a main work within [lo, hi] nearest to wish and a control one not after last, nearest to its earliest day. */
static bool pair_in(struct planner *p, const struct search *s, int ordinal, int lo, int hi, int last, int wish)
{
    struct day_set range = set_range(lo, hi), open = set_and(&s->free, &p->any[s->mode]), mains = set_and(&open, &range);

    for (int day = set_near(&mains, wish); day >= 0; day = set_near(&mains, wish)) {
        int after = p->year->earliest[s->mode][p->ends[s->mode][day]], back = set_from(&open, after), team;

        if (after < PLAN_DAYS && back >= 0 && back <= last) {
            team = team_pick(p, s->mode, day, -1);
            place(p, s, day, team, false, ordinal);
            place(p, s, back, team_pick(p, s->mode, back, team), true, ordinal);
            return true;
        }
        set_drop(&mains, day);
    }
    return false;
}

static bool one_in(struct planner *p, const struct search *s, bool control, int ordinal, int lo, int hi, int wish)
{
    struct day_set range = set_range(lo, hi), open = set_and(&s->free, &p->any[s->mode]);
    int day;

    open = set_and(&open, &range);
    day = set_near(&open, wish);
    if (day < 0)
        return false;
    place(p, s, day, team_pick(p, s->mode, day, -1), control, ordinal);
    return true;
}

/* share_of - where in its part of the year an object begins: neighbours far from each other (multiples of the golden ratio). */
static int share_of(int object, int salt, int room)
{
    uint32_t x = (uint32_t)(object + 1) * UINT32_C(2654435769) + (uint32_t)salt * UINT32_C(1640531527);

    return room <= 0 ? 0 : (int)((uint64_t)x * (uint64_t)(room + 1) >> 32);
}

/* given_find - a line that is there already. */
static const struct planner_work *given_find(const struct planner_object *o, enum plan_mode m, int ordinal, bool control)
{
    for (int i = 0; i < o->given_count; i++)
        if (o->given[i].mode == m && o->given[i].ordinal == ordinal && (bool)o->given[i].control == control)
            return &o->given[i];
    return NULL;
}

/* last_begin - the last day on which a work of this ordinal may begin so that it ends before what is given behind it. */
static int last_begin(const struct planner *p, const struct search *s, int ordinal)
{
    const struct planner_object *o = &p->objects[s->object];
    int end = s->until, day;

    for (int i = 0; i < o->given_count; i++)
        if (o->given[i].mode == s->mode && o->given[i].ordinal > ordinal && o->given[i].from - 1 < end)
            end = o->given[i].from - 1;
    for (day = end; day >= 0 && (p->ends[s->mode][day] < 0 || p->ends[s->mode][day] > end); day--)
        ;
    return day;
}

/* pushed_out - nothing is left behind the works of this object that came before: they stand so late because the teams are full. Told as that, of the whole
 * time of the object. */
static bool pushed_out(const struct search *s, int *from, int last)
{
    if (*from <= last || *from <= s->first)
        return false;
    *from = s->first;
    return true;
}

static void pair_missing(struct planner *p, const struct search *s, int ordinal, int lo, int hi)
{
    if (pushed_out(s, &lo, hi)) {
        unplaced(p, s, false, ordinal, WHY_CAPACITY, lo, s->until);
        unplaced(p, s, true, ordinal, WHY_CAPACITY, lo, s->until);
        return;
    }
    struct day_set range = set_range(lo, hi), open = set_and(&s->free, &p->any[s->mode]), mains = set_and(&open, &range);
    enum planner_why why = why_not(p, s, lo, hi);

    if (!set_empty(&mains)) {
        int first = set_from(&mains, 0), after = p->year->earliest[s->mode][p->ends[s->mode][first]];
        struct day_set rest = set_range(after, hi), free = set_and(&s->free, &rest);

        why = after > hi || set_empty(&free) ? WHY_DISTANCE : WHY_CAPACITY;
    }
    unplaced(p, s, false, ordinal, why, lo, hi);
    unplaced(p, s, true, ordinal, why, lo, hi);
}

/* pair - the main and control work of an ordinal, or the one of them that is not there. *from is the first day it may have, moved behind it. */
static void pair(struct planner *p, const struct search *s, int ordinal, int parts, int *from)
{
    const struct planner_object *o = &p->objects[s->object];
    const struct planner_work *first = given_find(o, s->mode, ordinal, false), *back = given_find(o, s->mode, ordinal, true);
    int room = s->until - s->since + 1, lo = s->since + room * (ordinal - 1) / parts, hi = s->since + room * ordinal / parts - 1;
    int last = last_begin(p, s, ordinal), wish, at;
    size_t before = p->work_count;

    lo = lo < *from ? *from : lo;
    hi = hi > last ? last : hi;
    if (first && !back) {
        at = p->year->earliest[s->mode][first->to];
        if (at >= PLAN_DAYS || !one_in(p, s, true, ordinal, at, last, at))
            unplaced(p, s, true, ordinal, at > last ? WHY_DISTANCE : why_not(p, s, at, last), at > last ? last : at, last);
    } else if (!first && back) {
        at = back->from - 1;
        while (at >= *from && (p->ends[s->mode][at] < 0 || p->year->earliest[s->mode][p->ends[s->mode][at]] > back->from))
            at--;
        if (at < *from || !one_in(p, s, false, ordinal, *from, at, at))
            unplaced(p, s, false, ordinal, at < *from ? WHY_DISTANCE : why_not(p, s, *from, at), *from, at < *from ? *from : at);
    } else if (!first) {
        /* What the pair takes is told by the first day of its part; the rest is room to begin later. */
        int need = planner_end(p->year, p->year->takes[s->mode], set_from(&s->free, lo) < 0 ? lo : set_from(&s->free, lo));

        at = need >= 0 && need < PLAN_DAYS ? p->year->earliest[s->mode][need] : PLAN_NEVER;
        wish = lo + share_of(s->object, (int)s->mode, hi - (at == PLAN_NEVER ? hi : at) - p->year->takes[s->mode]);
        if (!pair_in(p, s, ordinal, lo, hi, hi, wish) && !pair_in(p, s, ordinal, lo, last, last, wish) && !pair_in(p, s, ordinal, *from, last, last, wish))
            pair_missing(p, s, ordinal, *from, last);
    }
    if (first && first->to >= *from)
        *from = first->to + 1;
    if (back && back->to >= *from)
        *from = back->to + 1;
    for (size_t i = before; i < p->work_count; i++)
        if (p->works[i].to >= *from)
            *from = p->works[i].to + 1;
}

static void single(struct planner *p, const struct search *s, int ordinal, int parts, int *from)
{
    const struct planner_object *o = &p->objects[s->object];
    const struct planner_work *there = given_find(o, s->mode, ordinal, false);
    int room = s->until - s->since + 1, lo = s->since + room * (ordinal - 1) / parts, hi = s->since + room * ordinal / parts - 1;
    int last = last_begin(p, s, ordinal), wish;

    if (there) {
        *from = there->to >= *from ? there->to + 1 : *from;
        return;
    }
    lo = lo < *from ? *from : lo;
    hi = hi > last ? last : hi;
    wish = lo + share_of(s->object, (int)s->mode, hi - lo);
    if (!one_in(p, s, false, ordinal, lo, hi, wish) && !one_in(p, s, false, ordinal, *from, last, wish)) {
        int first = *from;

        if (pushed_out(s, &first, last))
            unplaced(p, s, false, ordinal, WHY_CAPACITY, first, s->until);
        else
            unplaced(p, s, false, ordinal, why_not(p, s, *from, last), *from, last);
    } else
        *from = p->works[p->work_count - 1].to + 1;
}

/* --- the whole --- */

/* object_days - where a work of this mode may begin: none of its days closed, inside the object's time. */
static void object_days(const struct planner *p, struct search *s)
{
    const struct planner_object *o = &p->objects[s->object];
    int closed_at = PLAN_DAYS;   /* the nearest closed day at or after d */

    memset(&s->free, 0, sizeof s->free);
    for (int d = p->year->days - 1; d >= 0; d--) {
        if (o->closed && day_in(o->closed, d))
            closed_at = d;
        int to = p->ends[s->mode][d];

        if (to >= 0 && d >= s->since && d >= o->begin && to <= s->until && closed_at > to)
            day_add(&s->free, d);
    }
}

static void object_mode(struct planner *p, int object, enum plan_mode m)
{
    const struct planner_object *o = &p->objects[object];
    struct search s = { .object = object, .mode = m, .since = o->since, .until = o->until };
    int n = o->count[m], from = o->begin > o->since ? o->begin : o->since;

    if (n <= 0)
        return;
    s.first = from;
    object_days(p, &s);
    for (int i = 1; i <= n && i <= PLAN_COUNT_MAX; i++) {
        if (m == PLAN_DOCUMENT)
            single(p, &s, i, n, &from);
        else
            pair(p, &s, i, n, &from);
    }
}

int planner_run(struct planner *p)
{
    /* The modes with the least room first. */
    static const enum plan_mode order[] = { PLAN_PENTEST_AUTO, PLAN_SOURCE_CODE, PLAN_UPDATE_CONFIG, PLAN_PENTEST_MANUAL, PLAN_DOCUMENT };

    p->load = calloc(p->team_count + 1, sizeof *p->load);
    p->ends = calloc(PLAN_MODES, sizeof *p->ends);
    if (!p->load || !p->ends)
        return -ENOMEM;
    for (int m = 0; m < PLAN_MODES; m++)
        for (int d = 0; d < PLAN_DAYS; d++)
            p->ends[m][d] = planner_end(p->year, p->year->takes[m], d);
    for (size_t o = 0; o < p->object_count; o++)
        for (int i = 0; i < p->objects[o].given_count; i++)
            load_add(p, p->objects[o].given[i].team, p->objects[o].given[i].from, p->objects[o].given[i].to);
    for (size_t t = 0; t < p->team_count; t++)
        team_mend(p, t, 0, 0, true);
    any_make(p);
    for (size_t m = 0; m < COUNT(order) && !p->failed; m++)
        for (size_t o = 0; o < p->object_count && !p->failed; o++)
            object_mode(p, (int)o, order[m]);
    return p->failed ? -ENOMEM : 0;
}

void planner_free(struct planner *p)
{
    free(p->works);
    free(p->unplaced);
    free(p->load);
    free(p->ends);
    p->works = NULL;
    p->unplaced = NULL;
    p->load = NULL;
    p->ends = NULL;
}
