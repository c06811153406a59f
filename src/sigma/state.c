/* state.c - the memory of correlations as bytes, so that a restart goes on where it was.
 *
 *     "SQCS" version(1)
 *     our clock, number of sources, then for each: hash of its name (le64), newest, taken
 *     number of correlations, then for each:
 *       rule id, definition (le64), bytes of the rest (le64): evicted, stamps given, number of groups, then for each, in no order:
 *         key, stamp, total, first_seq, source, first (before our clock), edge (before first), by kind
 *           that end by our clock:  seen (before our clock), last_seq, tally: n, value (le64)
 *           others:                 fired (before the edge), seen (whole seconds before our clock), of sums, averages and percentiles the tally (le64)
 *         number of items, or values, or steps that follow; for each
 *           moment (before the edge), of items n, of items and values source, of all but the items of a count a value (le64)
 *
 * Numbers are varints, moments are zigzag; those "before" something are the difference, or (fired, steps) 0 for never and else one more than it.
 * Version 2 had groups and values in order, and whole moments; version 1 knew no clocks of sources: both are read. The file
 * around it (src/detect) has a checksum; this reader trusts nothing all the same. */
#include "sigma/items.h"

#include <endian.h>

#define STATE_VERSION 3
#define KEY_BYTES_MAX (SIGMA_GROUP_TEXT_MAX + 80)

static uint64_t zigzag(int64_t v) { return (uint64_t)v << 1 ^ (uint64_t)(v >> 63); }
static int64_t unzigzag(uint64_t v) { return (int64_t)(v >> 1) ^ -(int64_t)(v & 1); }
static void put_moment(struct buf *b, time_ns t) { buf_varint(b, zigzag(t)); }

/* rd_moment - a time that correlate.c can have written. */
static time_ns rd_moment(struct reader *r, bool or_never)
{
    time_ns t = unzigzag(rd_varint(r));

    if (!(or_never && t == NEVER) && (t > MOMENT_MAX || t < -MOMENT_MAX))
        rd_fail(r, "a moment");
    return t;
}

/* rd_before - a moment told by how long it lies before another. */
static time_ns rd_before(struct reader *r, time_ns than, uint64_t zigzagged)
{
    time_ns t;

    if (__builtin_sub_overflow(than, unzigzag(zigzagged), &t) || t > MOMENT_MAX || t < -MOMENT_MAX) {
        rd_fail(r, "a moment");
        return 0;
    }
    return t;
}

static time_ns rd_or_never(struct reader *r, time_ns than)
{
    uint64_t v = rd_varint(r);

    return v == 0 ? NEVER : rd_before(r, than, v - 1);
}

static uint32_t rd_u32(struct reader *r)
{
    uint64_t v = rd_varint(r);

    if (v > UINT32_MAX)
        rd_fail(r, "a smaller number");
    return (uint32_t)v;
}

/* --- saving --- */

#define HEAD_MOST 128u   /* bytes of a group beside its key and what it holds */
#define ITEM_MOST 32u

/* A pen writes where there is room for all that comes: a state is millions of short numbers, and the loop waits while they are written. */
struct pen { char *p; };

static inline void pen_varint(struct pen *w, uint64_t v)
{
    for (; v >= 0x80; v >>= 7)
        *w->p++ = (char)(v | 0x80);
    *w->p++ = (char)v;
}

static inline void pen_le64(struct pen *w, uint64_t v)
{
    v = htole64(v);
    memcpy(w->p, &v, sizeof v);
    w->p += sizeof v;
}

static inline void pen_before(struct pen *w, time_ns than, time_ns t) { pen_varint(w, zigzag(than - t)); }
static inline void pen_or_never(struct pen *w, time_ns than, time_ns t) { pen_varint(w, t == NEVER ? 0 : 1 + zigzag(than - t)); }

static bool is_sum(const struct groups *g) { return !g->lay.ends && !keeps_values(g) && !g->lay.steps; }
static bool has_tally(const struct groups *g) { return !g->lay.ends && g->lay.area_at > sizeof(struct group); }

static void save_items(const struct groups *g, const struct group *gr, struct pen *w)
{
    struct row r = group_row(g, gr);

    pen_varint(w, r.n);
    for (uint32_t i = 0; i < r.n; i++) {
        struct item it = row_at(&r, i);

        pen_before(w, gr->edge, it.t);
        pen_varint(w, it.n);
        pen_varint(w, it.source);
        if (g->c->kind != CORR_EVENT_COUNT)
            pen_le64(w, it.v);
    }
}

struct saving { struct pen *w; time_ns edge; };

static void save_value(void *arg, const struct item *it)
{
    const struct saving *s = arg;

    pen_before(s->w, s->edge, it->t);
    pen_varint(s->w, it->source);
    pen_le64(s->w, it->v);
}

static void save_values(const struct groups *g, const struct group *gr, struct pen *w)
{
    struct saving s = { w, gr->edge };

    pen_varint(w, values_count(g, gr));
    values_each(g, gr, save_value, &s);
}

static void save_steps(struct groups *g, struct group *gr, struct pen *w)
{
    const void *steps = group_has_steps(g, gr) ? group_steps(g, gr) : NULL;
    const time_ns *last = steps;
    const struct step *ordered = steps;

    pen_varint(w, steps ? g->lay.steps : 0);
    for (uint32_t i = 0; steps && i < g->lay.steps; i++) {
        pen_or_never(w, gr->edge, g->c->kind == CORR_TEMPORAL ? last[i] : ordered[i].t);
        if (g->c->kind == CORR_TEMPORAL_ORDERED)
            pen_le64(w, ordered[i].seq);
    }
}

static void save_by_kind(struct groups *g, struct group *gr, time_ns now, struct pen *w)
{
    uint64_t tally;

    if (g->lay.ends) {
        pen_before(w, now, gr->seen);
        pen_varint(w, group_ending(gr)->last_seq);
        pen_varint(w, group_ending(gr)->tally.n);
        pen_le64(w, group_ending(gr)->tally.bits);
    } else {
        pen_or_never(w, gr->edge, gr->fired);
        pen_varint(w, (uint64_t)(groups_second(now) - group_seen(g, gr, now) / NS_PER_SECOND));
    }
    if (has_tally(g)) {
        memcpy(&tally, gr + 1, sizeof tally);
        pen_le64(w, tally);
    }
    if (keeps_values(g))
        save_values(g, gr, w);
    else if (g->lay.steps)
        save_steps(g, gr, w);
    else if (is_sum(g))
        save_items(g, gr, w);
}

static void save_group(struct groups *g, struct group *gr, time_ns now, struct buf *b)
{
    const struct cold *k = group_cold(g, gr);
    struct str key = cold_key(k);
    size_t held = keeps_values(g) ? values_count(g, gr) : g->lay.steps ? g->lay.steps : gr->item_n;
    struct pen w = { buf_room(b, HEAD_MOST + key.n + held * ITEM_MOST) };

    if (!w.p)
        return;
    pen_varint(&w, key.n);
    if (key.n)
        memcpy(w.p, key.p, key.n);
    w.p += key.n;
    pen_varint(&w, gr->stamp);
    pen_varint(&w, gr->total);
    pen_varint(&w, k->first_seq);
    pen_varint(&w, gr->source);
    pen_before(&w, now, k->first);
    pen_before(&w, k->first, gr->edge);
    save_by_kind(g, gr, now, &w);
    b->n = (size_t)(w.p - b->p);
}

static void save_clocks(const struct tracker *t, struct buf *b)
{
    const struct clocks *k = &t->clocks;

    buf_str(b, STR("SQCS"));
    buf_byte(b, STATE_VERSION);
    put_moment(b, t->now);
    buf_varint(b, k->count);
    for (uint32_t i = 0; i < k->count; i++) {
        buf_le64(b, k->at[i].name);
        put_moment(b, k->at[i].newest);
        put_moment(b, k->at[i].taken);
    }
    buf_varint(b, t->set->correlation_count);
}

/* What stands before the groups of a correlation. */
struct heading { uint64_t evicted; uint32_t stamp, count; };

/* save_heading - returns where the bytes of the rest are to be told. */
static size_t save_heading(const struct tracker *t, uint32_t correlation, struct heading h, struct buf *b)
{
    const struct correlation *c = t->of[correlation]->c;
    size_t at;

    buf_varstr(b, t->set->rules[c->rule].rule.id);
    buf_le64(b, c->definition);
    at = b->n;
    buf_le64(b, 0);
    buf_varint(b, h.evicted);
    buf_varint(b, h.stamp);
    buf_varint(b, h.count);
    return at;
}

static void save_length(struct buf *b, size_t at)
{
    for (int i = 0; !buf_failed(b) && i < 8; i++)
        b->p[at + (size_t)i] = (char)((b->n - at - 8) >> (8 * i));
}

static struct heading heading_of(const struct groups *g) { return (struct heading){ g->evicted, g->stamp, g->count }; }

void tracker_save(const struct tracker *t, struct buf *b)
{
    save_clocks(t, b);
    for (uint32_t k = 0; k < t->set->correlation_count; k++) {
        struct groups *g = t->of[k];
        size_t at = save_heading(t, k, heading_of(g), b);

        for (uint32_t i = 0; i < g->used; i++)
            if (group_at(g, i)->stamp)
                save_group(g, group_at(g, i), t->now, b);
        save_length(b, at);
    }
}

/* --- saving in slices --- */

/* What a correlation was when the saving began, of which the groups from "at" to "end" are not all written yet. Those that an event changes, or that go, are written
 * before, apart: groups stand in no order, so they come behind the others. */
struct keeping {
    struct heading was;
    time_ns        now;
    uint32_t       at, end;
    bool           begun;
    size_t         length_at;
    struct buf     early;
    uint8_t        done[];     /* a bit for each: written early, or no group then */
};

#define KEPT_LEAST 16u   /* bytes that a place counts at least: to look at it costs too */

void group_write_early(struct groups *g, uint32_t i)
{
    struct keeping *k = g->keeping;

    if (i < k->at || i >= k->end || (k->done[i / 8] >> (i % 8) & 1))
        return;
    k->done[i / 8] |= (uint8_t)(1u << (i % 8));
    if (group_at(g, i)->stamp)
        save_group(g, group_at(g, i), k->now, &k->early);
}

void groups_keep_all(struct groups *g)
{
    for (uint32_t i = g->keeping ? g->keeping->at : 0; g->keeping && i < g->keeping->end; i++)
        group_write_early(g, i);
}

void groups_keep_drop(struct groups *g)
{
    if (g->keeping)
        buf_free(&g->keeping->early);
    free(g->keeping);
    g->keeping = NULL;
}

void tracker_save_drop(struct tracker *t)
{
    for (uint32_t k = 0; k < t->set->correlation_count; k++)
        groups_keep_drop(t->of[k]);
}

bool tracker_save_begin(struct tracker *t, struct buf *b)
{
    tracker_save_drop(t);
    for (uint32_t k = 0; k < t->set->correlation_count; k++) {
        struct groups *g = t->of[k];

        g->keeping = calloc(1, sizeof *g->keeping + g->used / 8 + 1);
        if (!g->keeping) {
            tracker_save_drop(t);
            return false;
        }
        g->keeping->was = heading_of(g);
        g->keeping->now = t->now;
        g->keeping->end = g->used;
        buf_init(&g->keeping->early, b->limit_bytes);
    }
    t->saving = 0;
    save_clocks(t, b);
    return true;
}

/* save_some - of one correlation; true: it is whole. */
static bool save_some(struct groups *g, struct buf *b, size_t *bytes)
{
    struct keeping *k = g->keeping;

    for (; k->at < k->end && *bytes; k->at++) {
        size_t before = b->n, cost;

        if (!(k->done[k->at / 8] >> (k->at % 8) & 1) && group_at(g, k->at)->stamp)
            save_group(g, group_at(g, k->at), k->now, b);
        cost = b->n - before + KEPT_LEAST;
        *bytes -= cost < *bytes ? cost : *bytes;
    }
    return k->at == k->end;
}

bool tracker_save_some(struct tracker *t, struct buf *b, size_t bytes)
{
    for (; t->saving < t->set->correlation_count; t->saving++) {
        struct groups *g = t->of[t->saving];
        struct keeping *k = g->keeping;

        if (!k->begun)
            k->length_at = save_heading(t, t->saving, k->was, b);
        k->begun = true;
        if (!save_some(g, b, &bytes))
            return false;
        buf_str(b, buf_view(&k->early));
        b->failed = b->failed || buf_failed(&k->early);
        save_length(b, k->length_at);
        groups_keep_drop(g);
    }
    return true;
}

/* --- loading --- */

struct loading {
    struct tracker *t;
    struct reader   r;
    uint8_t         version;
    bool            no_memory;
};

static uint32_t rd_source(struct loading *l)
{
    uint32_t source = rd_u32(&l->r);

    if (source >= l->t->clocks.count)
        rd_fail(&l->r, "a source that is listed");
    return rd_ok(&l->r) ? source : 0;
}

static void load_clocks(struct loading *l)
{
    struct clocks *k = &l->t->clocks;
    uint32_t count;

    l->t->now = rd_moment(&l->r, true);
    count = rd_u32(&l->r);
    if (count == 0 || count > SIGMA_SOURCES_MAX)
        rd_fail(&l->r, "fewer sources");
    for (uint32_t i = 0; i < count && rd_ok(&l->r); i++) {
        uint64_t name = rd_le64(&l->r);
        uint32_t at = i && rd_ok(&l->r) ? clocks_find(k, name) : 0;

        if (at != i)
            rd_fail(&l->r, "each source once");
        k->at[at].newest = rd_moment(&l->r, true);
        k->at[at].taken = rd_moment(&l->r, k->at[at].newest == NEVER);
    }
}

/* --- loading: groups as they are now --- */

static void load_items(struct loading *l, struct groups *g, struct group *gr, uint64_t count)
{
    struct row r = group_row(g, gr);
    time_ns before = NEVER;

    if (count > SIGMA_EXACT_MAX)
        rd_fail(&l->r, "fewer items in a group");
    for (uint64_t k = 0; k < count && rd_ok(&l->r); k++) {
        struct item it = { .t = rd_before(&l->r, gr->edge, rd_varint(&l->r)) };

        it.n = rd_u32(&l->r);
        it.source = rd_source(l);
        it.v = g->c->kind != CORR_EVENT_COUNT ? rd_le64(&l->r) : 0;
        if (it.t < before)
            rd_fail(&l->r, "items in the order of time");
        before = it.t;
        if (rd_ok(&l->r))
            l->no_memory |= !group_item(g, gr, &r, r.n, &it);
    }
}

static void load_values(struct loading *l, struct groups *g, struct group *gr, uint64_t count)
{
    if (count > SIGMA_VALUES_MAX)
        rd_fail(&l->r, "fewer values in a group");
    for (uint64_t k = 0; k < count && rd_ok(&l->r); k++) {
        struct item it = { .t = rd_before(&l->r, gr->edge, rd_varint(&l->r)), .n = 1 };

        it.source = rd_source(l);
        it.v = rd_le64(&l->r);
        if (rd_ok(&l->r))
            l->no_memory |= !values_note(g, gr, &it, NULL);
    }
}

static void load_steps(struct loading *l, struct groups *g, struct group *gr, uint64_t count)
{
    struct step *ordered;
    time_ns *last;

    if (count != 0 && count != g->lay.steps)
        rd_fail(&l->r, "as many steps as the correlation has");
    if (!rd_ok(&l->r) || count == 0)
        return;
    last = group_steps(g, gr);
    ordered = (void *)last;
    l->no_memory |= !last;
    for (uint32_t i = 0; i < g->lay.steps && rd_ok(&l->r) && last; i++) {
        time_ns t = rd_or_never(&l->r, gr->edge);

        if (g->c->kind == CORR_TEMPORAL)
            last[i] = t;
        else
            ordered[i] = (struct step){ t, rd_le64(&l->r) };
    }
}

/* load_by_kind - what stands behind the edge; *seen is when the group was touched, or opened. */
static void load_by_kind(struct loading *l, struct groups *g, struct group *gr, time_ns *seen)
{
    time_ns now = l->t->now, fired;
    uint64_t tally;

    if (g->lay.ends) {
        *seen = rd_before(&l->r, now, rd_varint(&l->r));
        group_ending(gr)->last_seq = rd_varint(&l->r);
        group_ending(gr)->tally.n = rd_varint(&l->r);
        group_ending(gr)->tally.bits = rd_le64(&l->r);
    } else {
        fired = rd_or_never(&l->r, gr->edge);
        gr->fired = fired;
        *seen = (groups_second(now) - rd_u32(&l->r)) * NS_PER_SECOND;
    }
    if (has_tally(g)) {
        tally = rd_le64(&l->r);
        memcpy(gr + 1, &tally, sizeof tally);
    }
    if (keeps_values(g))
        load_values(l, g, gr, rd_varint(&l->r));
    else if (g->lay.steps)
        load_steps(l, g, gr, rd_varint(&l->r));
    else if (is_sum(g))
        load_items(l, g, gr, rd_varint(&l->r));
}

/* add_group - NULL if the key is there already, or without memory. */
static struct group *add_group(struct loading *l, struct groups *g, struct str key)
{
    struct siphash hash;
    uint32_t i;

    if (!rd_ok(&l->r))
        return NULL;
    if (groups_find(g, key, &hash) != NIL) {
        rd_fail(&l->r, "each group once");
        return NULL;
    }
    i = groups_add(g, key, hash);
    l->no_memory |= i == NIL;
    return i == NIL ? NULL : group_at(g, i);
}

static void load_group(struct loading *l, struct groups *g)
{
    struct group *gr = add_group(l, g, rd_varstr(&l->r, KEY_BYTES_MAX, "group key"));
    struct cold *k = gr ? group_cold(g, gr) : NULL;
    uint32_t stamp;
    uint64_t total;
    time_ns seen = 0;

    if (!gr)
        return;
    stamp = rd_u32(&l->r);
    total = rd_varint(&l->r);
    if (stamp == 0 || stamp > g->stamp || total == 0 || total > TOTAL_MAX)
        rd_fail(&l->r, "a stamp and a number of events");
    gr->total = total & TOTAL_MAX;
    k->first_seq = rd_varint(&l->r);
    gr->source = rd_source(l) & UINT16_MAX;
    k->first = rd_before(&l->r, l->t->now, rd_varint(&l->r));
    gr->edge = rd_before(&l->r, k->first, rd_varint(&l->r));
    load_by_kind(l, g, gr, &seen);
    groups_seen_set(g, gr, stamp ? stamp : 1, seen);
}

static void load_groups(struct loading *l, struct groups *g)
{
    uint64_t count;

    g->evicted = rd_varint(&l->r);
    g->stamp = rd_u32(&l->r);
    count = rd_varint(&l->r);
    if (count > SIGMA_GROUPS_MAX)
        rd_fail(&l->r, "fewer groups");
    for (uint64_t k = 0; k < count && rd_ok(&l->r) && !l->no_memory; k++)
        load_group(l, g);
}

/* --- loading: groups of versions 1 and 2 --- */

struct former {
    uint64_t total, first_seq, last_seq;
    time_ns  first, last, fired, seen;
    uint32_t source;
    struct tally tally;
};

static struct item former_item(struct loading *l, const struct groups *g)
{
    struct item it = { .t = rd_moment(&l->r, !g || g->c->kind == CORR_TEMPORAL_ORDERED) };

    it.v = rd_le64(&l->r);
    if (l->version > 1) {
        it.n = rd_u32(&l->r);
        it.source = rd_source(l);
        return it;
    }
    it.n = !g || g->c->kind != CORR_TEMPORAL || it.v == 1;   /* version 1 marked with v what was seen */
    if (g && (g->c->kind == CORR_TEMPORAL || g->c->kind == CORR_EVENT_COUNT))
        it.v = 0;
    return it;
}

/* former_items - g is NULL when the correlation is not in this set: read and left out. */
static void former_items(struct loading *l, struct groups *g, struct group *gr, uint64_t count)
{
    for (uint64_t k = 0; k < count && rd_ok(&l->r); k++) {
        struct item it = former_item(l, g);
        void *steps = NULL;
        struct row r;

        if (!g || !rd_ok(&l->r))
            continue;
        if (keeps_values(g)) {
            l->no_memory |= !values_note(g, gr, &it, NULL);
        } else if (g->lay.steps && k < g->lay.steps && (steps = group_steps(g, gr))) {
            if (g->c->kind == CORR_TEMPORAL)
                ((time_ns *)steps)[k] = it.n ? it.t : NEVER;
            else
                ((struct step *)steps)[k] = (struct step){ it.t, it.v };
        } else if (is_sum(g)) {
            r = group_row(g, gr);
            if (r.n && it.t < row_time(&r, r.n - 1))
                rd_fail(&l->r, "items in the order of time");
            if (rd_ok(&l->r))
                l->no_memory |= !group_item(g, gr, &r, r.n, &it);
        }
        l->no_memory |= g->lay.steps && k < g->lay.steps && !steps;
    }
}

static struct former rd_former(struct loading *l, const struct groups *g)
{
    struct former in = { .total = rd_varint(&l->r) };
    time_ns quiet;
    uint64_t value;

    in.first_seq = rd_varint(&l->r);
    in.last_seq = rd_varint(&l->r);
    in.first = rd_moment(&l->r, false);
    in.last = rd_moment(&l->r, false);
    if (l->version == 1) {
        quiet = unzigzag(rd_varint(&l->r));
        if (quiet != NEVER && (quiet > MOMENT_MAX + TIMESPAN_MAX || quiet < -MOMENT_MAX)) {
            rd_fail(&l->r, "a moment");
            quiet = NEVER;
        }
        in.fired = quiet == NEVER || !g ? NEVER : moment_within(quiet - g->c->timespan);
        in.seen = g && g->c->at_end ? in.first : in.last;
        in.tally.n = g && g->c->at_end ? in.total : 0;
        return in;
    }
    in.fired = rd_moment(&l->r, true);
    in.seen = rd_moment(&l->r, false);
    in.source = rd_source(l);
    in.tally.n = rd_varint(&l->r);
    value = rd_le64(&l->r);
    memcpy(&in.tally.sum, &value, sizeof value);
    return in;
}

static void former_put(struct groups *g, struct group *gr, const struct former *in)
{
    struct cold *k = group_cold(g, gr);
    uint64_t total = in->total == 0 ? 1 : in->total > TOTAL_MAX ? TOTAL_MAX : in->total;

    gr->total = total & TOTAL_MAX;
    gr->source = in->source & UINT16_MAX;
    gr->edge = g->c->at_end ? in->first : in->last;
    k->first_seq = in->first_seq;
    k->first = in->first;
    if (g->lay.ends)
        *group_ending(gr) = (struct ending){ in->last_seq, in->tally };
    else
        gr->fired = in->fired;
    if (has_tally(g))
        memcpy(gr + 1, &in->tally.bits, sizeof in->tally.bits);
    groups_touch(g, gr, in->seen);
}

static void load_former(struct loading *l, struct groups *g)
{
    struct str key = rd_varstr(&l->r, KEY_BYTES_MAX, "group key");
    struct former in = rd_former(l, g);
    uint64_t items = rd_varint(&l->r);
    struct group *gr = NULL;

    if (items > (g && keeps_values(g) ? SIGMA_VALUES_MAX : g ? SIGMA_EXACT_MAX : UINT32_MAX))
        rd_fail(&l->r, "fewer items in a group");
    if (g) {
        gr = add_group(l, g, key);
        if (!gr)
            return;
        former_put(g, gr, &in);
    }
    former_items(l, g, gr, items);
}

static void load_formers(struct loading *l, struct groups *g, uint64_t evicted)
{
    uint64_t count = rd_varint(&l->r);

    if (count > SIGMA_GROUPS_MAX)
        rd_fail(&l->r, "fewer groups");
    if (g)
        g->evicted = evicted;
    for (uint64_t k = 0; k < count && rd_ok(&l->r) && !l->no_memory; k++)
        load_former(l, g);
}

/* --- loading --- */

static struct groups *wanted(struct tracker *t, struct str id, uint64_t definition)
{
    for (uint32_t i = 0; i < t->set->correlation_count; i++)
        if (t->of[i]->c->definition == definition && t->of[i]->count == 0 &&
            str_eq(t->set->rules[t->of[i]->c->rule].rule.id, id))
            return t->of[i];
    return NULL;
}

/* load_correlation_former - in versions 1 and 2 its length does not stand before it. */
static void load_correlation_former(struct loading *l, struct str id, uint64_t definition)
{
    uint64_t evicted = 0;
    time_ns watermark;

    if (l->version == 1) {   /* each correlation had a clock of its own */
        watermark = rd_moment(&l->r, true);
        l->t->now = rd_ok(&l->r) && watermark > l->t->now ? watermark : l->t->now;
    } else {
        evicted = rd_varint(&l->r);
    }
    load_formers(l, rd_ok(&l->r) ? wanted(l->t, id, definition) : NULL, evicted);
}

static void load_correlation(struct loading *l)
{
    struct str id = rd_varstr(&l->r, 4096, "rule id"), content;
    uint64_t definition = rd_le64(&l->r), n;
    struct reader behind;
    struct groups *g;

    if (l->version < 3) {
        load_correlation_former(l, id, definition);
        return;
    }
    n = rd_le64(&l->r);
    content = rd_take(&l->r, n > rd_left(&l->r) ? SIZE_MAX : (size_t)n, "the groups of a correlation");
    g = rd_ok(&l->r) ? wanted(l->t, id, definition) : NULL;
    if (!g)
        return;
    behind = l->r;
    l->r = rd_str(content);
    load_groups(l, g);
    if (rd_ok(&l->r) && !l->no_memory && rd_left(&l->r))
        rd_fail(&l->r, "the end of a correlation");
    if (rd_ok(&l->r))
        l->r = behind;
}

/* empty - as if nothing had been seen. */
static int empty(struct tracker *t, struct err *e)
{
    const struct sigma *set = t->set;
    struct sigma_counters *counters = t->counters;
    bool loose = t->loose;

    tracker_free(t);
    return tracker_init(t, set, loose, counters, e);
}

int tracker_load(struct tracker *t, struct str saved, struct err *e)
{
    struct loading l = { .t = t, .r = rd_str(saved) };
    uint64_t correlations;
    int rc = empty(t, e);

    if (rc < 0)
        return rc;
    if (!str_eq(rd_take(&l.r, 4, "the mark SQCS"), STR("SQCS")))
        rd_fail(&l.r, "the mark SQCS");
    l.version = rd_u8(&l.r);
    if (l.version < 1 || l.version > STATE_VERSION)
        rd_fail(&l.r, "a saved state of version 1, 2 or 3");
    if (l.version > 1)
        load_clocks(&l);
    correlations = rd_varint(&l.r);
    for (uint64_t i = 0; i < correlations && rd_ok(&l.r) && !l.no_memory; i++)
        load_correlation(&l);
    if (rd_ok(&l.r) && !l.no_memory)
        return 0;
    rc = empty(t, e);
    if (rc < 0)
        return rc;
    return l.no_memory ? err_set(e, -ENOMEM, "no memory for correlations") : rd_err(&l.r, e, "state of correlations");
}
