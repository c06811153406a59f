/* walk.c - every event that a search selects, however many overlap in time: what a search may not hold at once it is asked for in pages, each behind the last
 * event of the one before. Pages cost reading the same blocks again, so they begin only where they are needed. */
#include "store/internal.h"

#define PAGE_EVENTS 50000u
#define SMALLER     4u

struct walking {
    store_hit *hit;
    void      *arg;
    time_ns    time;     /* of the last one */
    uint64_t   seq;
    size_t     count;    /* of this page */
    int        verdict;
};

static int take(void *arg, const struct event *ev)
{
    struct walking *w = arg;

    w->time = ev->time;
    w->seq = ev->seq;
    w->count++;
    w->verdict = w->hit(w->arg, ev);
    return w->verdict;
}

static void add(struct store_stats *sum, const struct store_stats *one)
{
    sum->parts += one->parts;
    sum->blocks += one->blocks;
    sum->blocks_skipped += one->blocks_skipped;
    sum->events_scanned += one->events_scanned;
    sum->bytes_read += one->bytes_read;
    sum->elapsed_ns += one->elapsed_ns;
    if (one->damaged_parts <= sum->damaged_parts)
        return;
    sum->damaged_parts = one->damaged_parts;    /* of a page that met them all, not their sum: pages overlap */
    memcpy(sum->damaged, one->damaged, sizeof sum->damaged);
}

int store_find_all(const struct store_search *s, store_hit *hit, void *arg, struct store_stats *stats, struct err *e)
{
    struct store_search page = *s;
    struct walking w = { .hit = hit, .arg = arg };

    assert(!s->oldest_first && !s->limit);
    memset(stats, 0, sizeof *stats);
    for (;;) {
        struct store_stats one;
        int rc;

        w.count = 0;
        rc = store_find(&page, take, &w, &one, e);
        add(stats, &one);
        stats->matched += w.count;
        if (w.count) {
            page.before_time = w.time;
            page.before_seq = w.seq;
        }
        if (rc == -E2BIG && page.limit != 1) {
            page.limit = page.limit == 0 ? PAGE_EVENTS : page.limit < SMALLER ? 1 : page.limit / SMALLER;
            continue;
        }
        if (rc < 0 || w.verdict || page.limit == 0 || w.count < page.limit)
            return rc;
    }
}
