/* retro.c - the range of the store in pieces, then the journal's tail; see retro.h.
 *
 * When a part of the store is gone because it was merged meanwhile, the store is opened anew behind the piece that was told last. Correlations begin earlier than
 * asked, by their longest timespan, and what they find before the range is not told: so a window that reaches into it holds what it held live. */
#include "detect/retro_internal.h"

#define REOPEN_MAX 1000

static bool correlates(const struct sigma *s)
{
    for (size_t i = 0; i < sigma_rule_count(s); i++)
        if (sigma_rule_at(s, i)->correlation)
            return true;
    return false;
}

struct retro {
    struct pool           pool;
    struct store_scan_options scan;
    struct retro_stats   *stats;
    uint64_t              before;       /* events of the rounds before, for progress */
    struct buf            out;          /* of the tail */
    struct err           *e;
};

static void add_stats(struct retro_stats *sum, const struct retro_stats *one)
{
    sum->events += one->events;
    sum->matches += one->matches;
    sum->store.blocks += one->store.blocks;
    sum->store.blocks_skipped += one->store.blocks_skipped;
    sum->store.events_scanned += one->store.events_scanned;
    sum->store.bytes_read += one->store.bytes_read;
    sum->store.matched += one->store.matched;
    if (one->store.damaged_parts && !sum->store.damaged_parts)
        memcpy(sum->store.damaged, one->store.damaged, sizeof sum->store.damaged);
    sum->store.damaged_parts += one->store.damaged_parts;
}

static int flush(struct retro *r, struct buf *out, struct err *e)
{
    int rc = buf_failed(out) ? err_set(e, -ENOMEM, "no memory for the matches") : 0;

    if (rc == 0 && out->n && r->pool.to->flush && r->pool.to->flush(r->pool.to->arg, buf_view(out)) < 0)
        rc = err_set(e, -EIO, "could not write the matches");
    buf_reset(out);
    return rc;
}

static void progress(const struct retro *r, uint64_t seen)
{
    if (r->pool.to->progress)
        r->pool.to->progress(r->pool.to->arg, r->before + seen, r->stats->all);
}

/* tell_piece - with correlations it is matched only now. */
static int tell_piece(struct retro *r, struct slot *s, struct err *e)
{
    int rc = s->rc;

    if (rc < 0 && rc != -ESTALE)
        *e = s->err;
    for (size_t i = 0; r->pool.ordered && rc == 0 && i < s->count; i++)
        rc = retro_match(&r->pool, r->pool.run, s->events[i], &s->out, &s->stats, e);
    add_stats(r->stats, &s->stats);
    return rc == 0 ? flush(r, &s->out, e) : rc;
}

static int take_tail(void *arg, const struct event *ev)
{
    struct retro *r = arg;
    int rc = retro_match(&r->pool, r->pool.run, ev, &r->out, r->stats, r->e);

    r->scan.from_seq = ev->seq + 1;
    return rc < 0 || r->out.n < 64 * KIB ? rc : flush(r, &r->out, r->e);
}

/* round - what one opening of the store shows. -ESTALE: go on from scan.from_seq. */
static int one_round(struct retro *r, struct err *e)
{
    struct store_scan *scan = NULL;
    size_t pieces;
    int rc = store_scan_open(&r->scan, &scan, e);

    if (rc < 0)
        return rc;
    pieces = store_scan_pieces(scan);
    r->stats->all = r->before + store_scan_events(scan, pieces);
    retro_pool_round(&r->pool, scan);
    for (size_t i = 0; i < pieces && rc == 0; i++) {
        rc = tell_piece(r, retro_pool_next(&r->pool), e);
        if (rc == 0) {
            r->scan.from_seq = store_scan_first(scan, i + 1) > r->scan.from_seq ? store_scan_first(scan, i + 1) : r->scan.from_seq;
            progress(r, store_scan_events(scan, i + 1));
        } else if (rc == -ESTALE) {
            r->before += store_scan_events(scan, i);
        }
    }
    retro_pool_end(&r->pool);
    if (rc == 0) {
        r->e = e;
        rc = store_scan_tail(scan, take_tail, r, &r->stats->store, e);
        if (rc == 0 || rc == -ESTALE)
            r->before += store_scan_events(scan, pieces);
    }
    store_scan_close(&scan);
    if (rc == 0 || rc == -ESTALE || rc == -ETIMEDOUT || rc == -ECANCELED) {
        int told = flush(r, &r->out, e);

        rc = told < 0 ? told : rc;
    }
    return rc;
}

int retro_run(const struct retro_options *o, const struct retro_listener *to, struct retro_stats *stats, struct err *e)
{
    struct retro *r = calloc(1, sizeof *r);
    struct wants *wants = calloc(1, sizeof *wants);
    char store[4200], journal[4200];
    time_ns began = clock_steady();
    int rc = -ESTALE;

    *stats = (struct retro_stats){ 0 };
    if (!r || !wants) {
        free(r);
        free(wants);
        return err_set(e, -ENOMEM, "no memory to hunt");
    }
    snprintf(store, sizeof store, "%s/store", o->data);
    snprintf(journal, sizeof journal, "%s/journal", o->data);
    *r = (struct retro){ .stats = stats, .pool = { .o = o, .to = to, .from = o->from, .ordered = correlates(o->rules) },
                         .scan = { .store_folder = store, .journal_folder = journal, .from = o->from, .to = o->to, .object_only = o->object_only,
                                   .object_filter = o->object_filter, .stop = o->stop, .deadline_steady = o->deadline_steady } };
    buf_init(&r->out, 256u * MIB);
    if (r->pool.ordered && o->from != INT64_MIN)
        r->scan.from = o->from > INT64_MIN + sigma_window_max(o->rules) ? o->from - sigma_window_max(o->rules) : INT64_MIN;
    if (!r->pool.ordered && wants_of_rules(wants, o->rules))
        r->scan.wants = &wants->store;
    int started = retro_pool_start(&r->pool, e);
    for (int i = 0; i < REOPEN_MAX && started == 0 && rc == -ESTALE; i++)
        rc = one_round(r, e);
    retro_pool_stop(&r->pool);
    buf_free(&r->out);
    free(r);
    free(wants);
    stats->store.elapsed_ns = clock_steady() - began;
    if (started < 0)
        return started;
    return rc == -ESTALE ? err_set(e, -EBUSY, "the store changes faster than it can be read") : rc;
}
