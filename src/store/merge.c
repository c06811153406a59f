/* merge.c - small parts of a day become one. Blocks that are large enough are copied as they are; the others are filled up anew, so an
 * event is written about log8(events of a day / events of a seal) times.
 *
 * Which parts: eight of one size class (each class eight times the one below); and of a day that is over, all but those that would have to be
 * copied whole for little. A part that cannot be read is left alone: it is evidence, and its sound blocks are still searched. */
#include "store/internal.h"

#define TIER_BASE 1024u

static bool unsound(const struct store *s, const struct part_info *p)
{
    for (size_t i = 0; i < s->unsound_count; i++)
        if (s->unsound[i].day == p->day && s->unsound[i].number == p->number)
            return true;
    return false;
}

static unsigned tier(const struct part_info *p)
{
    unsigned t = 0;

    for (uint64_t n = p->events / TIER_BASE; n; n /= 8)
        t++;
    return t;
}

struct choice {
    struct part_info part[MERGE_PARTS * 4];
    size_t           count;
    uint64_t         events;
};

static bool choose(struct choice *c, const struct part_info *p)
{
    if (c->count == COUNT(c->part) || c->events + p->events > PART_EVENTS_MAX)
        return false;
    c->part[c->count++] = *p;
    c->events += p->events;
    return true;
}

static int by_size(const void *x, const void *y)
{
    const struct part_info *a = x, *b = y;

    return a->events < b->events ? -1 : a->events > b->events;
}

/* closed_day - the smallest parts, as long as the next one is not much larger than those before it together. */
static void closed_day(struct part_info *list, size_t count, struct choice *c)
{
    c->count = 0;
    c->events = 0;
    qsort(list, count, sizeof *list, by_size);
    for (size_t i = 0; i < count; i++)
        if ((i > 0 && list[i].events / 4 > c->events) || !choose(c, &list[i]))
            break;
}

static void open_day(const struct part_info *list, size_t count, struct choice *c)
{
    for (unsigned t = 0; t < 16; t++) {
        c->count = 0;
        c->events = 0;
        for (size_t i = 0; i < count && c->count < MERGE_PARTS; i++)
            if (tier(&list[i]) == t && !choose(c, &list[i]))
                break;
        if (c->count == MERGE_PARTS)
            return;
    }
    c->count = 0;
}

/* find_choice - the parts of the first day that has something to merge. */
static int find_choice(const struct store *s, time_ns now, struct choice *c)
{
    const struct manifest *m = &s->manifest;
    AUTO_FREE struct part_info *list = calloc(m->count + 1, sizeof *list);

    c->count = 0;
    if (!list)
        return -ENOMEM;
    for (size_t at = 0, end; at < m->count; at = end) {
        size_t n = 0;

        for (end = at; end < m->count && m->part[end].day == m->part[at].day; end++)
            if (m->part[end].place == PLACE_FAST && m->part[end].events < PART_EVENTS_MAX / 2 && !unsound(s, &m->part[end]))
                list[n++] = m->part[end];
        if (n < 2)
            continue;
        if (m->part[at].day < day_of(now) - 1)      /* a day of grace for what comes late */
            closed_day(list, n, c);
        else
            open_day(list, n, c);
        if (c->count >= 2)
            return 1;
    }
    c->count = 0;
    return 0;
}

struct merging {
    struct store       *s;
    struct part_writer  w;
    struct waiting         pool;      /* events of small blocks, waiting to fill one */
    struct block_view   view;
    struct buf          bytes;
};

static int flush_pool(struct merging *g, struct err *e)
{
    struct block_entry entry;
    int rc;

    if (!g->pool.count)
        return 0;
    buf_reset(&g->bytes);
    rc = waiting_sort(&g->pool, e);
    if (rc == 0)
        rc = block_encode(g->s->blocks, &g->pool, 0, g->pool.count, &entry, &g->bytes, e);
    if (rc == 0)
        rc = part_put(&g->w, entry, buf_view(&g->bytes), e);
    waiting_reset(&g->pool);
    return rc;
}

static int pool_block(struct merging *g, const struct part *p, uint32_t index, struct err *e)
{
    int rc = part_block_events(p, index, &g->view, e);

    for (size_t i = 0; rc == 0 && i < g->view.batch.count;) {
        size_t taken;

        rc = waiting_add(&g->pool, g->view.batch.items + i, g->view.batch.count - i, &taken, e);
        i += taken;
        if (rc == 0 && i < g->view.batch.count)
            rc = flush_pool(g, e);
    }
    return rc;
}

/* copy_block - as it is, but not without looking: damage is not passed on under a fresh checksum. */
static int copy_block(struct merging *g, const struct part *p, uint32_t index, struct err *e)
{
    const struct block_entry *b = &p->block[index];
    int rc = part_read(p, b->offset, block_bytes(b), &g->view.packed, e);

    if (rc == 0 && !block_sound(b, buf_view(&g->view.packed)))
        rc = err_set(e, -EBADMSG, "block %u has a wrong checksum", index + 1);
    return rc < 0 ? rc : part_put(&g->w, *b, buf_view(&g->view.packed), e);
}

static int merge_part(struct merging *g, const struct part_info *info, struct err *e)
{
    struct part p;
    int rc = part_open(g->s->folder, info, &p, e);

    if (rc < 0)
        return rc == -ENOENT ? -EBADMSG : rc;
    for (uint32_t i = 0; rc == 0 && i < p.count; i++) {
        bool large = p.block[i].events >= g->s->options.block_events / 2;

        rc = large ? copy_block(g, &p, i, e) : pool_block(g, &p, i, e);
    }
    part_close(&p);
    return rc;
}

static int by_seq(const void *x, const void *y)
{
    const struct part_info *a = x, *b = y;

    return a->first_seq < b->first_seq ? -1 : a->first_seq > b->first_seq;
}

/* write_merged - the new part; *bad is the index of a part that could not be read. */
static int write_merged(struct store *s, const struct choice *c, struct part_info *out, size_t *bad, struct err *e)
{
    struct merging g = { .s = s };
    int rc = part_create(s->folder, PLACE_FAST, c->part[0].day, s->manifest.next_part, &g.w, e);

    *bad = SIZE_MAX;
    if (rc < 0)
        return rc;
    if (!waiting_init(&g.pool, s->options.block_events, s->options.memory_bytes))
        rc = err_set(e, -ENOMEM, "no memory to merge");
    block_view_init(&g.view);
    buf_init(&g.bytes, BLOCK_RAW_MAX);
    for (size_t i = 0; rc == 0 && i < c->count; i++) {
        rc = merge_part(&g, &c->part[i], e);
        if (rc == -EBADMSG)
            *bad = i;
    }
    if (rc == 0)
        rc = flush_pool(&g, e);
    if (rc == 0) {
        rc = part_finish(s->folder, &g.w, e);
        *out = g.w.info;
    } else {
        part_abort(&g.w);
    }
    waiting_free(&g.pool);
    block_view_free(&g.view);
    buf_free(&g.bytes);
    return rc;
}

int store_merge(struct store *s, time_ns now, struct err *e)
{
    struct choice c = { .count = 0 };
    struct manifest next;
    struct part_info merged;
    AUTO_BUF struct buf records;
    size_t bad;
    int rc;

    buf_init(&records, 0);
    if (s->broken)
        return 0;
    rc = find_choice(s, now, &c);
    if (rc <= 0)
        return rc < 0 ? err_set(e, rc, "no memory to merge") : 0;
    qsort(c.part, c.count, sizeof *c.part, by_seq);
    rc = write_merged(s, &c, &merged, &bad, e);
    if (rc == -EBADMSG && bad < c.count && s->unsound_count < COUNT(s->unsound)) {
        s->unsound[s->unsound_count++] = c.part[bad];
        return 1;       /* look again, without it */
    }
    if (rc < 0)
        return rc;
    if (manifest_copy(&s->manifest, &next) < 0)
        return err_set(e, -ENOMEM, "no memory to merge");
    next.next_part++;
    merged.thinned = UINT16_MAX;
    for (size_t i = 0; i < c.count; i++) {
        merged.thinned = c.part[i].thinned < merged.thinned ? c.part[i].thinned : merged.thinned;
        if (merged.held == 0 || merged.held == next.hold_round)   /* a round that has passed: what only ended holds kept is looked for */
            merged.held = c.part[i].held ? c.part[i].held : merged.held;
    }
    chain_put(&next, CHAIN_SEALED, &merged, 0, &records);
    for (size_t i = 0; i < c.count; i++) {
        chain_put(&next, CHAIN_MERGED, &c.part[i], merged.number, &records);
        manifest_remove(&next, c.part[i].day, c.part[i].number);
    }
    rc = manifest_add(&next, &merged);
    if (rc < 0) {
        manifest_free(&next);
        return err_set(e, rc, "the store has too many parts");
    }
    rc = store_commit(s, &next, &records, c.part, c.count, e);
    return rc < 0 ? rc : 1;
}
