/* histogram.c - counts of matches over time. Order does not matter here; where the query looks into no event, the times of the keys are enough. */
#include "store/internal.h"

struct counting {
    const struct store_search *s;
    struct store_stats *stats;
    const uint64_t     *tokens;
    size_t              token_count, buckets, work;
    uint64_t           *counts;
    bool                times_only;
    struct manifest     m;
    struct block_view   view;
};

static void count_time(struct counting *c, time_ns t)
{
    uint64_t width = (uint64_t)c->s->to - (uint64_t)c->s->from, at = (uint64_t)t - (uint64_t)c->s->from;

    if (t < c->s->from || t >= c->s->to)
        return;
    c->counts[(size_t)((unsigned __int128)at * c->buckets / width)]++;
    c->stats->matched++;
}

static int count_event(void *arg, const struct event *ev)
{
    struct counting *c = arg;
    int rc = search_looked(c->s, ev->original.n, &c->work);

    if (rc < 0)
        return rc;
    c->stats->events_scanned++;
    if (search_admits(c->s, ev))
        count_time(c, ev->time);
    return 0;
}

static int count_events(struct counting *c)
{
    int rc = 0;

    for (size_t i = 0; rc == 0 && i < c->view.batch.count; i++)
        rc = count_event(c, &c->view.batch.items[i]);
    return rc;
}

static int look(void *arg, size_t bytes)
{
    struct counting *c = arg;

    return search_looked(c->s, bytes, &c->work);
}

/* ask_block - of a block of columns: those that surely match are counted by their times, those that may are put together. Whose event it is, only the event says. */
static int ask_block(struct counting *c, const struct block_entry *b, struct err *e)
{
    uint32_t words = (b->events + 63) / 64;
    AUTO_FREE uint64_t *may = calloc(2 * (size_t)words, sizeof *may);
    uint64_t *sure = may + words;
    int rc;

    if (!may)
        return -ENOMEM;
    for (uint32_t i = 0; i < b->events; i++)
        may[i / 64] |= (uint64_t)(c->view.time[i] >= c->s->from && c->view.time[i] < c->s->to) << i % 64;
    rc = c->s->query ? columns_find(c->view.columns, c->s->query, look, c, may, sure, e) : 0;
    for (uint32_t i = 0; rc == 0 && !c->s->object_filter && i < b->events; i++)
        if (sure[i / 64] >> i % 64 & 1) {
            c->stats->events_scanned++;
            count_time(c, c->view.time[i]);
            may[i / 64] &= ~(UINT64_C(1) << i % 64);
        }
    if (rc == 0)
        rc = block_take(b, may, &c->view, e);
    return rc < 0 ? rc : count_events(c);
}

static int count_block(struct counting *c, const struct part *p, uint32_t index, struct err *e)
{
    const struct block_entry *b = &p->block[index];
    bool damaged = false;
    int rc;

    if (b->max_time < c->s->from || b->min_time >= c->s->to)
        return 0;
    if (!part_block_may(p, index, c->tokens, c->token_count, &c->stats->bytes_read, &damaged)) {
        c->stats->blocks_skipped++;
        return 0;
    }
    c->stats->blocks++;
    c->stats->bytes_read += b->keys_bytes + (c->times_only ? 0 : b->payload_bytes);
    if (!c->times_only) {
        rc = part_block_open(p, index, &c->view, e);
        if (rc == 0 && c->view.columned)
            rc = ask_block(c, b, e);
        return rc < 0 || c->view.columned ? rc : count_events(c);
    }
    rc = part_block_keys(p, index, &c->view, e);
    for (uint32_t i = 0; rc == 0 && i < b->events; i++) {
        c->stats->events_scanned++;
        count_time(c, c->view.time[i]);
    }
    return rc;
}

static int count_part(struct counting *c, const struct part_info *info, struct err *e)
{
    struct part p;
    bool counted = false;
    int rc;

    if (info->max_time < c->s->from || info->min_time >= c->s->to)
        return 0;
    rc = part_open(c->s->store_folder, info, &p, e);
    if (rc == -ENOENT && manifest_moved(c->s->store_folder, &c->m))
        return -ESTALE;
    if (rc == -ENOENT || rc == -EBADMSG) {
        c->stats->damaged_parts++;
        return 0;
    }
    c->stats->parts++;
    for (uint32_t i = 0; rc == 0 && i < p.count; i++) {
        rc = search_halted(c->s, NULL);
        if (rc == 0)
            rc = count_block(c, &p, i, e);
        if (rc == -EBADMSG) {       /* this block alone */
            c->stats->damaged_parts += !counted;
            counted = true;
            rc = 0;
        }
    }
    part_close(&p);
    return rc;
}

static int count_once(struct counting *c, struct err *e)
{
    int rc = search_snapshot(c->s->store_folder, &c->m, e);

    memset(c->counts, 0, c->buckets * sizeof *c->counts);
    memset(c->stats, 0, sizeof *c->stats);
    if (rc == 0 && c->s->journal_folder)
        rc = tail_each(c->s->store_folder, c->s->journal_folder, &c->m, count_event, c, &c->stats->damaged_parts, e);
    /* The archive last: where the time is up before, what is in fast reach was counted. */
    for (enum part_place place = PLACE_FAST; place <= PLACE_ARCHIVE; place++)
        for (size_t i = 0; rc == 0 && i < c->m.count; i++)
            if (c->m.part[i].place == place)
                rc = count_part(c, &c->m.part[i], e);
    manifest_free(&c->m);
    return rc;
}

int store_histogram(const struct store_search *s, size_t buckets, uint64_t *counts, struct store_stats *stats, struct err *e)
{
    struct store_stats unused;
    struct counting c = { .s = s, .stats = stats ? stats : &unused, .buckets = buckets };
    time_ns began = clock_steady();
    int rc = -ESTALE;

    if (buckets == 0 || s->from >= s->to || s->from == INT64_MIN || s->to == INT64_MAX)
        return err_set(e, -EINVAL, "a histogram needs buckets and a range with both its ends");
    c.counts = calloc(buckets, sizeof *c.counts);
    if (!c.counts)
        return err_set(e, -ENOMEM, "no memory for the histogram");
    if (s->query)
        c.tokens = query_needs(s->query, &c.token_count);
    c.times_only = !s->object_filter && (!s->query || query_everything(s->query));
    manifest_init(&c.m);
    block_view_init(&c.view);
    for (int i = 0; i < SEARCH_ATTEMPTS && rc == -ESTALE; i++)
        rc = count_once(&c, e);
    for (size_t i = 0; i < buckets; i++)
        counts[i] += c.counts[i];
    if (rc == -ETIMEDOUT || rc == -ECANCELED)
        (void)err_set(e, rc, "the histogram was given up: narrow the range of time");
    else if (rc == -ESTALE)
        rc = err_set(e, -EBUSY, "the store changes faster than it can be searched");
    c.stats->elapsed_ns = clock_steady() - began;
    block_view_free(&c.view);
    free(c.counts);
    return rc;
}
