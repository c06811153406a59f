/* testing.h - what the tests of the store share: a folder that goes away, events with a number in them, and what a search finds. */
#ifndef SAQSHY_STORE_TESTING_H
#define SAQSHY_STORE_TESTING_H

#include <dirent.h>
#include <ftw.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/test.h"
#include "store/internal.h"

static inline int remove_one(const char *path, const struct stat *st, int kind, struct FTW *f)
{
    (void)st;
    (void)kind;
    (void)f;
    return remove(path);
}

static inline void folder_make(char out[64])
{
    /* In memory where there is such a folder: the tests sync thousands of times, and a killed process loses nothing of it. */
    snprintf(out, 64, "%s/saqshy-store-XXXXXX", access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
    assert_non_null(mkdtemp(out));
}

static inline void folder_remove(const char *folder) { nftw(folder, remove_one, 16, FTW_DEPTH | FTW_PHYS); }

#define DAY_A (INT64_C(20000) * NS_PER_DAY)   /* 2024-10-04 */

/* put_event - the event of this number: "event N even|odd", received at_ns, its own time that plus shift. */
static inline void put_event(struct event_batch *b, uint64_t number, time_ns received, time_ns shift)
{
    struct event *ev = event_batch_add(b);

    assert_non_null(ev);
    ev->seq = number;
    ev->received = received;
    ev->time = received + shift;
    ev->original = arena_printf(&b->arena, "event n%llu %s", (unsigned long long)number, number % 2 ? "odd" : "even");
    ev->object = number % 3 ? STR("obj-1") : STR("obj-2");
    assert_int_equal(event_add(ev, &b->arena, STR("user.name"), arena_printf(&b->arena, "user%llu", (unsigned long long)(number % 10))), 0);
    assert_int_equal(event_add(ev, &b->arena, STR("host.name"), STR("Host-A")), 0);
}

/* put_events - numbers from..to, a second between each, all into the store. */
static inline int put_events(struct store *s, uint64_t from, uint64_t to, time_ns start)
{
    struct event_batch b;
    struct err e;
    int rc;

    event_batch_init(&b, 0);
    for (uint64_t n = from; n <= to; n++)
        put_event(&b, n, start + (time_ns)n * NS_PER_SECOND, 0);
    rc = store_add(s, b.items, b.count, start, &e);
    event_batch_free(&b);
    return rc;
}

static inline struct store *open_store(const char *folder, size_t block_events)
{
    struct store_options o = { .block_events = block_events };
    struct store *s;
    struct err e;

    if (store_open(folder, &o, &s, &e) < 0)
        fail_msg("store_open: %s", e.text);
    return s;
}

struct hits {
    uint64_t seq[20000];
    size_t   count, stop_at;
    time_ns  last_time;
    bool     mixed;          /* out of order, or a text that is not of this event */
};

static inline int take_hit(void *arg, const struct event *ev)
{
    struct hits *h = arg;
    char want[64];

    snprintf(want, sizeof want, "event n%llu %s", (unsigned long long)ev->seq, ev->seq % 2 ? "odd" : "even");
    h->mixed = h->mixed || !str_eq(ev->original, str_c(want)) || !str_eq(event_get(ev, STR("host.name")), STR("Host-A"));
    assert_true(h->count < COUNT(h->seq));
    h->seq[h->count++] = ev->seq;
    h->last_time = ev->time;
    return h->stop_at && h->count == h->stop_at;
}

/* find - a search with the bounds of s (from and to of 0 mean none) for a text. */
static inline int find(struct store_search s, const char *text, struct hits *h, struct store_stats *stats)
{
    struct query *q;
    struct err e;
    int rc;

    memset(h, 0, offsetof(struct hits, stop_at));
    h->count = 0;
    h->mixed = false;
    assert_int_equal(query_parse(str_c(text), &q, &e), 0);
    s.query = q;
    if (s.from == 0 && s.to == 0) {
        s.from = INT64_MIN;
        s.to = INT64_MAX;
    }
    rc = store_find(&s, take_hit, h, stats, &e);
    query_free(&q);
    return rc;
}

#endif
