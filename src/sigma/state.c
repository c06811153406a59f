/* state.c - the memory of correlations as bytes, so that a restart goes on where it was.
 *
 *     "SQCS" version(1)
 *     our clock, number of sources, then for each: hash of its name (le64), newest, taken
 *     number of correlations, then for each:
 *       rule id, definition (le64), evicted, number of groups, then for each, oldest first:
 *         key, total, first_seq, last_seq, first, last, fired, seen, source, tally: n, value (le64),
 *         number of items, items: time, value (le64), n, source      (or of values: time, hash, 1, source)
 *
 * Numbers are varints, moments are zigzag. Version 1 knew no clocks of sources: it is read, its groups belong to the first clock. The file
 * around it (src/detect) has a checksum; this reader trusts nothing all the same. */
#include "sigma/groups.h"

#define STATE_VERSION 2
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

static uint32_t rd_u32(struct reader *r)
{
    uint64_t v = rd_varint(r);

    if (v > UINT32_MAX)
        rd_fail(r, "a smaller number");
    return (uint32_t)v;
}

/* --- saving --- */

static void save_item(struct buf *b, time_ns t, uint64_t v, uint32_t n, uint32_t source)
{
    put_moment(b, t);
    buf_le64(b, v);
    buf_varint(b, n);
    buf_varint(b, source);
}

static void save_items(const struct groups *g, const struct group *gr, struct buf *b)
{
    const struct values *s = keeps_values(g) ? gr->values : NULL;

    buf_varint(b, keeps_values(g) ? values_count(gr) : gr->item_n);
    for (uint32_t i = s ? s->oldest : NIL; i != NIL; i = s->at[i].newer)
        save_item(b, s->at[i].t, s->at[i].hash, 1, s->at[i].source);
    for (uint32_t i = 0; !keeps_values(g) && i < gr->item_n; i++)
        save_item(b, group_items(gr)[i].t, group_items(gr)[i].v, group_items(gr)[i].n, group_items(gr)[i].source);
}

static void save_groups(const struct groups *g, struct str id, struct buf *b)
{
    buf_varstr(b, id);
    buf_le64(b, g->c->definition);
    buf_varint(b, g->evicted);
    buf_varint(b, g->count);
    for (uint32_t i = g->oldest; i != NIL; i = g->links[i].next) {
        const struct group *gr = &g->at[i];
        uint64_t value;

        memcpy(&value, &gr->tally.sum, sizeof value);
        buf_varstr(b, str_of(gr->key, gr->key_n));
        buf_varint(b, gr->total);
        buf_varint(b, gr->first_seq);
        buf_varint(b, gr->last_seq);
        put_moment(b, gr->first);
        put_moment(b, gr->last);
        put_moment(b, gr->fired);
        put_moment(b, gr->seen);
        buf_varint(b, gr->source);
        buf_varint(b, gr->tally.n);
        buf_le64(b, value);
        save_items(g, gr, b);
    }
}

void tracker_save(const struct tracker *t, struct buf *b)
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
    for (uint32_t i = 0; i < t->set->correlation_count; i++)
        save_groups(t->of[i], t->set->rules[t->of[i]->c->rule].rule.id, b);
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

static struct item rd_item(struct loading *l, const struct groups *g)
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

/* load_items - g is NULL when the correlation is not in this set: read and left out. */
static void load_items(struct loading *l, struct groups *g, uint32_t i, uint64_t count)
{
    bool sums = g && !keeps_values(g) && g->c->kind != CORR_TEMPORAL && g->c->kind != CORR_TEMPORAL_ORDERED && !g->c->at_end;

    for (uint64_t k = 0; k < count && rd_ok(&l->r); k++) {
        struct item it = rd_item(l, g);
        struct group *gr = g ? &g->at[i] : NULL;

        if (!g || !rd_ok(&l->r))
            continue;
        if (sums && gr->item_n && it.t < group_items(gr)[gr->item_n - 1].t)
            rd_fail(&l->r, "items in the order of time");
        if (sums && l->version == 1)
            gr->tally.n++;
        l->no_memory |= !(keeps_values(g) ? values_note(g, gr, (struct value){ .hash = it.v, .t = it.t, .source = it.source }, NULL)
                                          : group_item(g, gr, gr->item_n, it));
    }
}

static struct group rd_group(struct loading *l, const struct groups *g)
{
    struct group in = { .total = rd_varint(&l->r) };
    time_ns quiet;
    uint64_t value;

    in.first_seq = rd_varint(&l->r);
    in.last_seq = rd_varint(&l->r);
    in.first = rd_moment(&l->r, false);
    in.last = rd_moment(&l->r, false);
    if (l->version == 1) {
        quiet = unzigzag(rd_varint(&l->r));
        if (quiet != NEVER && (quiet > MOMENT_MAX + TIMESPAN_MAX || quiet < -MOMENT_MAX))
            rd_fail(&l->r, "a moment");
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

static void load_group(struct loading *l, struct groups *g)
{
    struct str key = rd_varstr(&l->r, KEY_BYTES_MAX, "group key");
    struct group in = rd_group(l, g), *gr;
    uint64_t items = rd_varint(&l->r);
    uint32_t i = 0;

    if (items > (g && keeps_values(g) ? SIGMA_VALUES_MAX : g ? SIGMA_EXACT_MAX : UINT32_MAX))
        rd_fail(&l->r, "fewer items in a group");
    if (g && rd_ok(&l->r) && groups_find(g, key, str_hash(key)) != NIL)
        rd_fail(&l->r, "each group once");
    if (g && rd_ok(&l->r)) {
        i = groups_add(g, key, str_hash(key));
        if (i == NIL) {
            l->no_memory = true;
            return;
        }
        gr = &g->at[i];
        gr->total = in.total;
        gr->first_seq = in.first_seq;
        gr->last_seq = in.last_seq;
        gr->first = in.first;
        gr->last = in.last;
        gr->fired = in.fired;
        gr->seen = in.seen;
        gr->source = in.source;
        gr->tally = in.tally;
    }
    load_items(l, g, i, items);
}

static struct groups *wanted(struct tracker *t, struct str id, uint64_t definition)
{
    for (uint32_t i = 0; i < t->set->correlation_count; i++)
        if (t->of[i]->c->definition == definition && t->of[i]->count == 0 &&
            str_eq(t->set->rules[t->of[i]->c->rule].rule.id, id))
            return t->of[i];
    return NULL;
}

static void load_correlation(struct loading *l)
{
    struct str id = rd_varstr(&l->r, 4096, "rule id");
    uint64_t definition = rd_le64(&l->r), count, evicted = 0;
    time_ns watermark;
    struct groups *g;

    if (l->version == 1) {   /* each correlation had a clock of its own */
        watermark = rd_moment(&l->r, true);
        l->t->now = rd_ok(&l->r) && watermark > l->t->now ? watermark : l->t->now;
    } else {
        evicted = rd_varint(&l->r);
    }
    count = rd_varint(&l->r);
    if (count > SIGMA_GROUPS_MAX)
        rd_fail(&l->r, "fewer groups");
    g = rd_ok(&l->r) ? wanted(l->t, id, definition) : NULL;
    if (g)
        g->evicted = evicted;
    for (uint64_t k = 0; k < count && rd_ok(&l->r) && !l->no_memory; k++)
        load_group(l, g);
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
        rd_fail(&l.r, "a saved state of version 1 or 2");
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
