/* testing.h - what the tests of the journal share: a folder that goes away, events with a number in them. */
#ifndef SAQSHY_JOURNAL_TESTING_H
#define SAQSHY_JOURNAL_TESTING_H

#include "journal/internal.h"
#include "base/test.h"

#include <dirent.h>
#include <sys/stat.h>

static inline void folder_make(char out[64])
{
    snprintf(out, 64, "/tmp/saqshy-journal-XXXXXX");
    assert_non_null(mkdtemp(out));
}

static inline void folder_remove(const char *folder)
{
    static const char *const inner[] = { "/cursors", "" };

    for (size_t i = 0; i < COUNT(inner); i++) {
        char dir[128], path[512];
        struct dirent *f;

        snprintf(dir, sizeof dir, "%s%s", folder, inner[i]);
        DIR *d = opendir(dir);
        while (d && (f = readdir(d)) != NULL) {
            snprintf(path, sizeof path, "%.120s/%.255s", dir, f->d_name);
            unlink(path);
        }
        if (d)
            closedir(d);
        rmdir(dir);
    }
}

/* put - append count events whose lines are "event N", N from number on. */
static inline int put(struct journal *j, uint64_t number, size_t count, struct journal_origin origin)
{
    struct event_batch b;
    int rc;

    event_batch_init(&b, 0);
    for (size_t i = 0; i < count; i++) {
        struct event *ev = event_batch_add(&b);

        ev->original = arena_printf(&b.arena, "event %llu", (unsigned long long)(number + i));
        ev->received = ev->time = (time_ns)(number + i);
    }
    rc = journal_append(j, b.items, b.count, origin, NULL, NULL);
    event_batch_free(&b);
    return rc;
}

static inline uint64_t number_of(const struct event *ev)
{
    uint64_t n = 0;

    assert_true(str_starts(ev->original, STR("event ")));
    assert_true(str_u64(str_cut(ev->original, 6), &n));
    return n;
}

static inline struct journal *open_journal(const char *folder, uint64_t segment_bytes)
{
    struct journal *j;
    struct err e;

    if (journal_open(folder, segment_bytes, &j, &e) < 0)
        fail_msg("journal_open: %s", e.text);
    return j;
}

#endif
