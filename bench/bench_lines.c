/* bench_lines.c - lines of a file, parsed, into a store: what each step costs, and how many bytes an event takes.
 *
 * usage: bench_lines [--parsers DIR] [--block EVENTS] FOLDER FILE [QUERY…]     FOLDER must not be there yet; it is left for looking at */
#include "base/file.h"
#include "parse/parse.h"
#include "store/store.h"

#include <sys/resource.h>
#include <time.h>

#define BATCH 1000u

static time_ns cpu_now(void)
{
    struct timespec t;

    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (time_ns)t.tv_sec * NS_PER_SECOND + t.tv_nsec;
}

static void die(const struct err *e)
{
    fprintf(stderr, "bench_lines: %s\n", e->text);
    exit(2);
}

static int count_hit(void *arg, const struct event *ev)
{
    (void)ev;
    ++*(size_t *)arg;
    return 0;
}

static void ask(const char *folder, const char *text)
{
    struct store_search s = { .store_folder = folder, .from = INT64_MIN, .to = INT64_MAX };
    struct store_stats stats;
    struct query *q;
    struct err e;

    if (query_parse(str_c(text), &q, &e) < 0)
        die(&e);
    s.query = q;
    for (int limit = 0; limit <= 50; limit += 50) {
        size_t hits = 0;
        time_ns cpu = cpu_now();

        s.limit = (size_t)limit;
        if (store_find(&s, count_hit, &hits, &stats, &e) < 0)
            die(&e);
        printf("%-44s %s %8zu hits %9.1f ms CPU %6llu blocks opened %6llu skipped\n", text, limit ? "last 50" : "all    ", hits, (double)(cpu_now() - cpu) / 1e6,
               (unsigned long long)stats.blocks, (unsigned long long)stats.blocks_skipped);
    }
    query_free(&q);
}

int main(int argc, char **argv)
{
    struct parse_options options = { .zone_min = 0 };
    struct store_options so = { .block_events = 0 };
    struct parse_hints h = { .received = INT64_C(1795132800) * NS_PER_SECOND, .zone_min = EVENT_OFFSET_NONE };
    struct store_report report;
    struct event_batch b;
    struct parser *p;
    struct store *s;
    struct err e;
    struct rusage u;
    time_ns parsing = 0, storing = 0, t, now = 0;
    uint64_t seq = 1, raw = 0;
    char *line = NULL;
    size_t cap = 0;
    ssize_t n = 0;
    int at = 1;

    for (; at + 1 < argc && strncmp(argv[at], "--", 2) == 0; at += 2)
        if (strcmp(argv[at], "--parsers") == 0)
            options.folders[0] = argv[at + 1];
        else
            so.block_events = strtoull(argv[at + 1], NULL, 10);
    if (at + 1 >= argc || file_exists(argv[at]))
        return 2;
    FILE *f = fopen(argv[at + 1], "re");
    if (!f || parse_open(&options, &p, &e) < 0 || store_open(argv[at], &so, &s, &e) < 0)
        return 1;
    event_batch_init(&b, 0);
    while (n >= 0) {
        struct str lines[BATCH];
        size_t count = 0;

        event_batch_reset(&b);
        while (count < BATCH && (n = getline(&line, &cap, f)) >= 0)
            lines[count++] = arena_copy(&b.arena, str_of(line, (size_t)n - (n && line[n - 1] == '\n')));
        t = cpu_now();
        for (size_t i = 0; i < count; i++) {
            struct event *ev = event_batch_add(&b);

            parse_line(p, lines[i], &h, &b.arena, ev);
            ev->source = STR("127.0.0.1");
            ev->received = ev->time + 1234567;
            ev->seq = seq++;
            raw += lines[i].n + 1;
        }
        parsing += cpu_now() - t;
        now += (time_ns)count * 10000;     /* as if 100,000 came a second */
        t = cpu_now();
        if (count && (store_add(s, b.items, b.count, now, &e) < 0 || store_tick(s, now, &e) < 0))
            die(&e);
        storing += cpu_now() - t;
    }
    t = cpu_now();
    if (store_seal(s, &e) < 0)
        die(&e);
    storing += cpu_now() - t;
    store_close(&s);
    getrusage(RUSAGE_SELF, &u);
    if (store_verify(argv[at], &report, NULL, NULL, &e) != 0)
        die(&e);
    printf("%llu events, %.1f raw bytes each: %.2f bytes stored each; parsed at %.2f, stored at %.2f CPU-s per million, peak %ld MiB\n", (unsigned long long)seq - 1,
           (double)raw / (double)(seq - 1), (double)report.bytes / (double)(seq - 1), (double)parsing / 1e3 / (double)(seq - 1), (double)storing / 1e3 / (double)(seq - 1),
           u.ru_maxrss / 1024);
    for (int i = at + 2; i < argc; i++)
        ask(argv[at], argv[i]);
    return 0;
}
