/* hunt_store.c - "saqshy hunt --store": the rules over what a data directory holds, while saqshyd runs or not. */
#include <unistd.h>

#include "bin/bin.h"
#include "bin/hunt_store.h"
#include "detect/retro.h"

#define TELL_EVERY_NS NS_PER_SECOND

struct told {
    bool    json, progress;
    time_ns at;
};

static int sink(void *arg, const struct event *ev, const struct sigma_match *m, size_t count, struct buf *out)
{
    const struct told *t = arg;

    return hunt_print(t->json, "store", ev->seq, ev, m, count, out);
}

static int flush(void *arg, struct str text)
{
    (void)arg;
    return fwrite(text.p, 1, text.n, stdout) == text.n ? 0 : -EIO;
}

static void progress(void *arg, uint64_t events, uint64_t all)
{
    struct told *t = arg;
    time_ns now = clock_steady();

    if (!t->progress || now - t->at < TELL_EVERY_NS || !all)
        return;
    t->at = now;
    fprintf(stderr, "\r\033[K%3.0f %%  %llu events", (double)events * 100 / (double)all, (unsigned long long)events);
}

int hunt_store(const struct sigma *s, const struct hunt_store_options *o, struct err *e)
{
    struct told t = { .json = o->json, .progress = !isatty(STDOUT_FILENO) && isatty(STDERR_FILENO) };
    const struct retro_listener to = { &t, sink, flush, progress };
    const struct retro_options r = { .data = o->data, .rules = s, .from = o->from, .to = o->to, .object_only = o->objects, .object_filter = o->objects.n > 0,
                                     .workers = o->workers };
    struct retro_stats stats;
    int rc = access(o->data, R_OK) < 0 ? err_sys(e, "could not read the data directory \"%s\"", o->data) : retro_run(&r, &to, &stats, e);

    if (t.at)
        fputs("\r\033[K", stderr);
    if (rc < 0)
        return rc;
    if (stats.store.damaged_parts)
        fprintf(stderr, "saqshy hunt: %llu damaged parts were left out; \"saqshy verify\" names them\n", (unsigned long long)stats.store.damaged_parts);
    if (!o->json)
        fprintf(stderr, "%llu events, %llu matches; %llu blocks of the store read, %llu left closed\n", (unsigned long long)stats.events,
                (unsigned long long)stats.matches, (unsigned long long)stats.store.blocks, (unsigned long long)stats.store.blocks_skipped);
    return stats.matches ? EXIT_YES : EXIT_NO;
}
