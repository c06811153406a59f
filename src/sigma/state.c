/* state.c - the memory of correlations as bytes, so that a restart goes on where it was.
 *
 *     "SQCS" version(1)  number of correlations, then for each:
 *       rule id, definition (le64), watermark (zigzag), number of groups, then for each, oldest first:
 *         key, total, first_seq, last_seq, first, last, quiet_until (zigzag), number of items, items: time (zigzag), value (le64)
 * Numbers are varints. The file around it (src/detect) has a checksum; this reader trusts nothing all the same. */
#include "sigma/groups.h"

#define STATE_VERSION 1

static uint64_t zigzag(int64_t v) { return (uint64_t)v << 1 ^ (uint64_t)(v >> 63); }
static int64_t unzigzag(uint64_t v) { return (int64_t)(v >> 1) ^ -(int64_t)(v & 1); }

/* rd_moment - a time that correlate.c can have written. */
static time_ns rd_moment(struct reader *r, bool or_none)
{
    time_ns t = unzigzag(rd_varint(r));

    if (!(or_none && t == INT64_MIN) && (t > MOMENT_MAX + TIMESPAN_MAX || t < -MOMENT_MAX))
        rd_fail(r, "a moment");
    return t;
}

static void save_groups(const struct groups *g, struct str id, struct buf *b)
{
    buf_varstr(b, id);
    buf_le64(b, g->c->definition);
    buf_varint(b, zigzag(g->watermark));
    buf_varint(b, g->count);
    for (uint32_t i = g->oldest; i != NIL; i = g->at[i].next) {
        const struct group *gr = &g->at[i];

        buf_varstr(b, str_of(gr->key, gr->key_n));
        buf_varint(b, gr->total);
        buf_varint(b, gr->first_seq);
        buf_varint(b, gr->last_seq);
        buf_varint(b, zigzag(gr->first));
        buf_varint(b, zigzag(gr->last));
        buf_varint(b, zigzag(gr->quiet_until));
        buf_varint(b, gr->item_n);
        for (uint32_t k = 0; k < gr->item_n; k++) {
            buf_varint(b, zigzag(gr->items[k].t));
            buf_le64(b, gr->items[k].v);
        }
    }
}

void tracker_save(const struct tracker *t, struct buf *b)
{
    buf_str(b, STR("SQCS"));
    buf_byte(b, STATE_VERSION);
    buf_varint(b, t->set->correlation_count);
    for (uint32_t i = 0; i < t->set->correlation_count; i++)
        save_groups(t->of[i], t->set->rules[t->of[i]->c->rule].rule.id, b);
}

/* load_items - g is NULL when the correlation is not in this set: read and left out. */
static bool load_items(struct reader *r, struct groups *g, uint32_t i, uint64_t count)
{
    for (uint64_t k = 0; k < count && rd_ok(r); k++) {
        struct item it = { .t = rd_moment(r, !g || g->c->kind == CORR_TEMPORAL_ORDERED) };

        it.v = rd_le64(r);
        if (g && rd_ok(r) && !group_item(g, &g->at[i], g->at[i].item_n, it))
            return false;
    }
    return true;
}

static bool load_group(struct reader *r, struct groups *g)
{
    struct str key = rd_varstr(r, SIGMA_GROUP_TEXT_MAX + 80, "group key");
    struct group in = { .total = rd_varint(r) };
    uint64_t items, ignored = 0;
    uint32_t i = 0;

    in.first_seq = rd_varint(r);
    in.last_seq = rd_varint(r);
    in.first = rd_moment(r, false);
    in.last = rd_moment(r, false);
    in.quiet_until = rd_moment(r, true);
    items = rd_varint(r);
    if (items > SIGMA_RING_MAX + 1u)
        rd_fail(r, "fewer items in a group");
    if (g && rd_ok(r) && groups_find(g, key) != NIL)
        rd_fail(r, "each group once");
    if (g && rd_ok(r)) {
        struct group *gr;

        i = groups_add(g, key, &ignored);
        if (i == NIL)
            return false;
        gr = &g->at[i];
        gr->total = in.total;
        gr->first_seq = in.first_seq;
        gr->last_seq = in.last_seq;
        gr->first = in.first;
        gr->last = in.last;
        gr->quiet_until = in.quiet_until;
    }
    return load_items(r, g, i, items);
}

static struct groups *wanted(struct tracker *t, struct str id, uint64_t definition)
{
    for (uint32_t i = 0; i < t->set->correlation_count; i++)
        if (t->of[i]->c->definition == definition && t->of[i]->count == 0 &&
            str_eq(t->set->rules[t->of[i]->c->rule].rule.id, id))
            return t->of[i];
    return NULL;
}

static bool load_all(struct tracker *t, struct reader *r)
{
    uint64_t correlations;

    if (!str_eq(rd_take(r, 4, "the mark SQCS"), STR("SQCS")) || rd_u8(r) != STATE_VERSION)
        rd_fail(r, "a saved state of this version");
    correlations = rd_varint(r);
    for (uint64_t i = 0; i < correlations && rd_ok(r); i++) {
        struct str id = rd_varstr(r, 4096, "rule id");
        uint64_t definition = rd_le64(r);
        time_ns watermark = rd_moment(r, true);
        uint64_t count = rd_varint(r);
        struct groups *g = rd_ok(r) ? wanted(t, id, definition) : NULL;

        if (count > SIGMA_GROUPS_MAX)
            rd_fail(r, "fewer groups");
        for (uint64_t k = 0; k < count && rd_ok(r); k++)
            if (!load_group(r, g))
                return false;
        if (g)
            g->watermark = watermark;   /* after the groups: while it is unset nothing is forgotten */
    }
    return true;
}

int tracker_load(struct tracker *t, struct str saved, struct err *e)
{
    struct reader r = rd_str(saved);
    bool memory = load_all(t, &r);

    if (memory && rd_ok(&r))
        return 0;
    for (uint32_t i = 0; i < t->set->correlation_count; i++) {
        struct groups *fresh = groups_new(t->set->correlations[i]);

        if (!fresh)
            return err_set(e, -ENOMEM, "no memory for correlations");
        groups_free(&t->of[i]);
        t->of[i] = fresh;
    }
    return memory ? rd_err(&r, e, "state of correlations") : err_set(e, -ENOMEM, "no memory for correlations");
}
