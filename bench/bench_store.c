/* bench_store.c - the store: load, size, and questions of several kinds over made events, newest first.
 *
 * usage: bench_store [FOLDER [EVENTS]]      FOLDER must not be there yet; it is left for looking at */
#include "store/store.h"
#include "base/file.h"

#include <sys/resource.h>

#define BATCH 5000u

static double cpu_seconds(void)
{
    struct rusage u;

    getrusage(RUSAGE_SELF, &u);
    return (double)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) + (double)(u.ru_utime.tv_usec + u.ru_stime.tv_usec) / 1e6;
}

static long peak_mib(void)
{
    struct rusage u;

    getrusage(RUSAGE_SELF, &u);
    return u.ru_maxrss / 1024;
}

/* fill - four kinds of lines in turn; every request has an id of its own, which for event n is n * a constant. */
static size_t fill(struct event_batch *b, uint64_t first, size_t count, unsigned *seed)
{
    size_t raw = 0;

    event_batch_reset(b);
    for (uint64_t n = first; n < first + count; n++) {
        struct event *ev = event_batch_add(b);
        unsigned r = (unsigned)rand_r(seed), q = (unsigned)rand_r(seed);
        struct str ip = arena_printf(&b->arena, "%u.%u.%u.%u", 1 + r % 223, r / 223 % 256, q % 256, 1 + q / 256 % 254);

        if (n % 4 == 0)
            ev->original = arena_printf(&b->arena, "Nov 24 10:%02u:%02u srv-%u sshd[%u]: Failed password for user%u from %.*s port %u ssh2", r % 60,
                                        q % 60, r % 400, q % 60000, r % 2600, STR_ARG(ip), 1024 + q % 60000);
        else if (n % 4 == 1)
            ev->original = arena_printf(&b->arena, "Nov 24 10:%02u:%02u srv-%u kernel: [UFW BLOCK] IN=eth0 SRC=%.*s DST=10.0.0.%u PROTO=TCP SPT=%u DPT=%u",
                                        r % 60, q % 60, r % 400, STR_ARG(ip), r % 255, 1024 + q % 60000, 1 + r % 1023);
        else
            ev->original = arena_printf(&b->arena, "Nov 24 10:%02u:%02u srv-%u app[%u]: request id=%016llx path=/api/item/%u status=%u ms=%u", r % 60, q % 60,
                                        r % 400, q % 60000, (unsigned long long)(n * 0x9E3779B97F4A7C15u), r % 100000, r % 5 ? 200 : 500, q % 900);
        ev->seq = n;
        ev->time = ev->received = 1795514400 * NS_PER_SECOND + (time_ns)n * NS_PER_MS;
        ev->class = CLASS_OS_UNIX;
        ev->parser = STR("bench");
        raw += ev->original.n;
        (void)event_add(ev, &b->arena, STR("host.name"), arena_printf(&b->arena, "srv-%u", r % 400));
        (void)event_add(ev, &b->arena, STR("source.ip"), ip);
        (void)event_add(ev, &b->arena, STR("user.name"), arena_printf(&b->arena, "user%u", r % 2600));
    }
    return raw;
}

static void die(const struct err *e)
{
    fprintf(stderr, "bench_store: %s\n", e->text);
    exit(2);
}

static int count_hit(void *arg, const struct event *ev)
{
    (void)ev;
    ++*(size_t *)arg;
    return 0;
}

static void ask(const char *folder, const char *what, const char *text, size_t limit)
{
    struct store_search s = { .store_folder = folder, .from = INT64_MIN, .to = INT64_MAX, .limit = limit };
    struct store_stats stats;
    struct query *q;
    size_t hits = 0;
    struct err e;

    if (query_parse(str_c(text), &q, &e) < 0)
        die(&e);
    s.query = q;
    double cpu = cpu_seconds();
    if (store_find(&s, count_hit, &hits, &stats, &e) < 0)
        die(&e);
    cpu = cpu_seconds() - cpu;
    printf("%-34s %8zu hits %9.1f ms wall %9.1f ms CPU %6llu blocks opened %6llu skipped\n", what, hits, (double)stats.elapsed_ns / 1e6, cpu * 1e3,
           (unsigned long long)stats.blocks, (unsigned long long)stats.blocks_skipped);
    query_free(&q);
}

static void histogram(const char *folder, const char *what, const char *text, uint64_t events)
{
    struct store_search s = { .store_folder = folder, .from = 1795514400 * NS_PER_SECOND, .to = 1795514400 * NS_PER_SECOND + (time_ns)events * NS_PER_MS + 1 };
    uint64_t counts[60] = { 0 }, sum = 0;
    struct store_stats stats;
    struct query *q;
    struct err e;

    if (query_parse(str_c(text), &q, &e) < 0)
        die(&e);
    s.query = q;
    double cpu = cpu_seconds();
    if (store_histogram(&s, 60, counts, &stats, &e) < 0)
        die(&e);
    cpu = cpu_seconds() - cpu;
    for (size_t i = 0; i < 60; i++)
        sum += counts[i];
    printf("%-34s %8llu hits %9.1f ms wall %9.1f ms CPU\n", what, (unsigned long long)sum, (double)stats.elapsed_ns / 1e6, cpu * 1e3);
    query_free(&q);
}

int main(int argc, char **argv)
{
    const char *folder = argc > 1 ? argv[1] : "/tmp/saqshy-bench-store";
    uint64_t events = argc > 2 ? strtoull(argv[2], NULL, 10) : 1000000;
    struct store_report report;
    struct event_batch b;
    struct store *s;
    struct err e;
    unsigned seed = 1;
    double load = 0, raw = 0;
    char needle[64];

    event_batch_init(&b, 0);
    if (file_exists(folder)) {
        (void)err_set(&e, -EEXIST, "\"%s\" is there already", folder);
        die(&e);
    }
    if (store_open(folder, NULL, &s, &e) < 0)
        die(&e);
    for (uint64_t n = 1; n <= events; n += BATCH) {
        raw += (double)fill(&b, n, BATCH, &seed);
        double c = cpu_seconds();
        if (store_add(s, b.items, b.count, b.items[0].time, &e) < 0 || store_tick(s, b.items[0].time, &e) < 0)
            die(&e);
        load += cpu_seconds() - c;
    }
    double c = cpu_seconds();
    if (store_seal(s, &e) < 0)
        die(&e);
    load += cpu_seconds() - c;
    store_close(&s);
    event_batch_free(&b);
    events = (events + BATCH - 1) / BATCH * BATCH;
    if (store_verify(folder, &report, NULL, NULL, &e) != 0)
        die(&e);
    printf("%llu events, %.1f raw bytes each: %.1f bytes stored each, load %.2f CPU-s per million with merges, peak %ld MiB\n", (unsigned long long)events,
           raw / (double)events, (double)report.bytes / (double)events, load * 1e6 / (double)events, peak_mib());
    snprintf(needle, sizeof needle, "%016llx", (unsigned long long)((events / 2 / 4 * 4 + 2) * 0x9E3779B97F4A7C15u));
    ask(folder, "an id that is there once", needle, 0);
    ask(folder, "an id that is not there", "0123456789abcdef", 0);
    ask(folder, "a user, last 50", "user.name:user77", 50);
    ask(folder, "a phrase, last 50", "\"Failed password\"", 50);
    ask(folder, "a network, last 50", "source.ip:10.0.0.0/8", 50);
    ask(folder, "a substring that is not there", "*zzzz*", 0);
    histogram(folder, "counts of everything, 60 buckets", "", events);
    histogram(folder, "counts of a word, 60 buckets", "failed", events);
    return 0;
}
