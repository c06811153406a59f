/* bench_lines.c - lines of a file, parsed, into a store: what each step costs, how many bytes an event takes, and what searches of it take.
 *
 * usage: bench_lines [--parsers DIR] [--block EVENTS] [--repeat N] [--json] [--tsv OUT] FOLDER FILE [SEARCH…]   FOLDER must not be there yet; it is left for looking at
 *        bench_lines [--repeat N] [--json] FOLDER - [SEARCH…]                                                   FOLDER is a store
 * A search is [--last N | --count N] QUERY; QUERY may have pipes. --last: the newest N alone. --count: how many match in each of N equal parts of the two days from
 * 20 November 2026 on, which are those of the generator's events. Without either, as text, all and the last 50 are asked for.
 * --tsv: the events once more as bench/store.mjs gives them to other stores. One thread; CPU time is that of the process. */
#include "base/file.h"
#include "parse/parse.h"
#include "pipes/pipes.h"
#include "store/store.h"

#include <sys/resource.h>
#include <time.h>

#define BATCH      1000u
#define REPEAT_MAX 100u
#define SPAN_FROM  (INT64_C(1795132800) * NS_PER_SECOND)   /* 2026-11-20T00:00:00Z */
#define SPAN_TO    (SPAN_FROM + INT64_C(48) * 3600 * NS_PER_SECOND)

struct args {
    struct parse_options parse;
    struct store_options store;
    size_t               repeat;
    bool                 json;
    FILE                *tsv;
};

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

/* --- searches --- */

struct search {
    const char *text;
    size_t      last, buckets;   /* 0: not asked for */
};

/* What a search found: rows, and the sum of what stands in their last column, which is a count where there are pipes. */
struct answer {
    uint64_t           rows, sum;
    struct pipes_run  *run;
    struct err         e;
    int                rc;
    struct store_stats stats;
};

static int take_event(void *arg, const struct event *ev)
{
    struct answer *a = arg;

    if (a->run)
        return a->rc = pipes_push(a->run, ev, &a->e);
    a->rows++;
    return 0;
}

static int take_row(void *arg, const struct pipes_cell *cells, size_t count)
{
    struct answer *a = arg;

    a->rows++;
    if (cells[count - 1].type == PIPES_NUMBER)
        a->sum += (uint64_t)cells[count - 1].number;
    return 0;
}

static void count_in(const struct store_search *s, size_t buckets, struct answer *a)
{
    struct store_search part = *s;
    uint64_t *counts = calloc(buckets, sizeof *counts);

    if (!counts)
        abort();
    part.from = SPAN_FROM;
    part.to = SPAN_TO;
    if (store_histogram(&part, buckets, counts, &a->stats, &a->e) < 0)
        die(&a->e);
    for (size_t i = 0; i < buckets; i++) {
        a->rows += counts[i] > 0;
        a->sum += counts[i];
    }
    free(counts);
}

/* ask_once - from the text to the answer, as a user has it: parsed, planned, looked up. */
static void ask_once(const char *folder, const struct search *ask, struct answer *a)
{
    struct store_search s = { .store_folder = folder, .from = INT64_MIN, .to = INT64_MAX, .limit = ask->last };
    struct pipes *pipes = NULL;
    struct query *q;
    size_t at;

    *a = (struct answer){ .rows = 0 };
    if (query_parse_with(str_c(ask->text), &(struct query_options){ .now = SPAN_TO, .pipes = &at }, &q, &a->e) < 0)
        die(&a->e);
    if (at != SIZE_MAX && (pipes_parse(str_c(ask->text), at, SPAN_TO, &pipes, NULL, &a->e) < 0 || pipes_run_new(pipes, 0, take_row, a, &a->run, &a->e) < 0))
        die(&a->e);
    s.query = q;
    query_range(q, &s.from, &s.to);
    if (ask->buckets)
        count_in(&s, ask->buckets, a);
    else if ((pipes ? store_find_all(&s, take_event, a, &a->stats, &a->e) : store_find(&s, take_event, a, &a->stats, &a->e)) < 0 || a->rc < 0)
        die(&a->e);
    if (pipes && pipes_end(a->run, &a->e) < 0)
        die(&a->e);
    pipes_run_free(&a->run);
    pipes_free(&pipes);
    query_free(&q);
}

static int by_size(const void *a, const void *b)
{
    time_ns x = *(const time_ns *)a, y = *(const time_ns *)b;

    return (x > y) - (x < y);
}

static void ask(const char *folder, const struct search *search, const struct args *o)
{
    time_ns took[REPEAT_MAX], passed[REPEAT_MAX];
    struct answer a;

    for (size_t i = 0; i < o->repeat; i++) {
        time_ns cpu = cpu_now(), clock = clock_steady();

        ask_once(folder, search, &a);
        took[i] = cpu_now() - cpu;
        passed[i] = clock_steady() - clock;
    }
    qsort(took, o->repeat, sizeof *took, by_size);
    qsort(passed, o->repeat, sizeof *passed, by_size);
    if (o->json)
        printf("{\"rows\": %llu, \"sum\": %llu, \"ms\": %.3f, \"wall\": %.3f, \"opened\": %llu, \"skipped\": %llu}\n", (unsigned long long)a.rows, (unsigned long long)a.sum,
               (double)took[o->repeat / 2] / 1e6, (double)passed[o->repeat / 2] / 1e6, (unsigned long long)a.stats.blocks, (unsigned long long)a.stats.blocks_skipped);
    else
        printf("%-44s %s %8llu hits %9.1f ms CPU %6llu blocks opened %6llu skipped\n", search->text, search->last ? "newest " : "all    ",
               (unsigned long long)(search->buckets ? a.sum : a.rows), (double)took[o->repeat / 2] / 1e6, (unsigned long long)a.stats.blocks,
               (unsigned long long)a.stats.blocks_skipped);
}

static void ask_all(const char *folder, char **argv, int count, const struct args *o)
{
    for (int i = 0; i < count; i++) {
        struct search s = { .text = argv[i] };
        bool bare = true;

        for (; i + 2 < count && strncmp(argv[i], "--", 2) == 0; i += 2, bare = false)
            *(strcmp(argv[i], "--last") == 0 ? &s.last : &s.buckets) = strtoull(argv[i + 1], NULL, 10);
        s.text = argv[i];
        ask(folder, &s, o);
        if (bare && !o->json && !strchr(s.text, '|')) {
            s.last = 50;
            ask(folder, &s, o);
        }
    }
}

/* --- loading --- */

static void put_cell(FILE *f, struct str s, char end)
{
    fwrite(s.p, 1, s.n, f);
    putc(end, f);
}

/* put_event - time in microseconds, host, program, code, user, source and destination address, what stands behind the header: columns as the generator's events.tsv has
 * them, but with the values that our parsers found, so that all stores are asked about the same fields. */
static void put_event(FILE *f, const struct event *ev)
{
    const char *text = memmem(ev->original.p, ev->original.n, ": ", 2);
    struct str code = event_get(ev, STR("event.code"));
    uint64_t number;

    fprintf(f, "%lld\t", (long long)(ev->time / 1000));
    put_cell(f, event_get(ev, STR("host.name")), '\t');
    put_cell(f, event_get(ev, STR("process.name")), '\t');
    put_cell(f, str_u64(code, &number) && number < 65536 ? code : STR("0"), '\t');
    put_cell(f, event_get(ev, STR("user.name")), '\t');
    put_cell(f, event_get(ev, STR("source.ip")), '\t');
    put_cell(f, event_get(ev, STR("destination.ip")), '\t');
    put_cell(f, text ? str_of(text + 2, ev->original.n - (size_t)(text + 2 - ev->original.p)) : ev->original, '\n');
}

struct load {
    FILE           *file;
    char           *line;
    size_t          cap;
    struct parser  *parser;
    struct store   *store;
    uint64_t        events, raw;
    time_ns         parsing, storing, now;
};

/* load_batch - the next lines; false behind the last. */
static bool load_batch(struct load *l, struct event_batch *b, FILE *tsv)
{
    static const struct parse_hints hints = { .received = SPAN_FROM, .zone_min = EVENT_OFFSET_NONE };
    struct str lines[BATCH];
    size_t count = 0;
    ssize_t n = 0;
    struct err e;

    event_batch_reset(b);
    while (count < BATCH && (n = getline(&l->line, &l->cap, l->file)) >= 0) {
        lines[count++] = arena_copy(&b->arena, str_of(l->line, (size_t)n - (n && l->line[n - 1] == '\n')));
        l->raw += (uint64_t)n;
    }
    time_ns t = cpu_now();
    for (size_t i = 0; i < count; i++) {
        struct event *ev = event_batch_add(b);

        parse_line(l->parser, lines[i], &hints, &b->arena, ev);
        ev->source = STR("127.0.0.1");
        ev->received = ev->time + 1234567;
        ev->seq = ++l->events;
    }
    l->parsing += cpu_now() - t;
    for (size_t i = 0; tsv && i < count; i++)
        put_event(tsv, &b->items[i]);
    l->now += (time_ns)count * 10000;     /* as if 100,000 came a second */
    t = cpu_now();
    if (count && (store_add(l->store, b->items, b->count, l->now, &e) < 0 || store_tick(l->store, l->now, &e) < 0))
        die(&e);
    l->storing += cpu_now() - t;
    return n >= 0;
}

static void tell_load(const struct load *l, const char *folder, const struct args *o)
{
    double events = (double)(l->events ? l->events : 1);
    struct store_report report;
    struct rusage u;
    struct err e;

    getrusage(RUSAGE_SELF, &u);
    if (store_verify(folder, &report, NULL, NULL, &e) != 0)
        die(&e);
    printf(o->json ? "{\"events\": %llu, \"raw\": %.2f, \"bytes\": %.3f, \"parse\": %.3f, \"store\": %.3f, \"rss\": %ld}\n"
                   : "%llu events, %.1f raw bytes each: %.2f bytes stored each; parsed at %.2f, stored at %.2f CPU-s per million, peak %ld MiB\n",
           (unsigned long long)l->events, (double)l->raw / events, (double)report.bytes / events, (double)l->parsing / 1e3 / events, (double)l->storing / 1e3 / events,
           u.ru_maxrss / 1024);
}

static void load(const char *folder, const char *path, const struct args *o)
{
    struct load l = { .file = fopen(path, "re") };
    struct event_batch b;
    struct err e;

    if (!l.file)
        err_sys(&e, "could not read %s", path);
    if (!l.file || parse_open(&o->parse, &l.parser, &e) < 0 || store_open(folder, &o->store, &l.store, &e) < 0)
        die(&e);
    event_batch_init(&b, 0);
    while (load_batch(&l, &b, o->tsv))
        ;
    time_ns t = cpu_now();
    if (store_seal(l.store, &e) < 0)
        die(&e);
    l.storing += cpu_now() - t;
    store_close(&l.store);
    parse_free(&l.parser);
    event_batch_free(&b);
    free(l.line);
    fclose(l.file);
    tell_load(&l, folder, o);
}

int main(int argc, char **argv)
{
    struct args o = { .repeat = 1 };
    int at = 1;

    for (; at < argc && strncmp(argv[at], "--", 2) == 0; at++) {
        const char *value = at + 1 < argc ? argv[at + 1] : "";

        if (strcmp(argv[at], "--json") == 0) {
            o.json = true;
            continue;
        }
        if (strcmp(argv[at], "--parsers") == 0)
            o.parse.folders[0] = value;
        else if (strcmp(argv[at], "--block") == 0)
            o.store.block_events = strtoull(value, NULL, 10);
        else if (strcmp(argv[at], "--repeat") == 0)
            o.repeat = strtoull(value, NULL, 10);
        else if (strcmp(argv[at], "--tsv") != 0 || !(o.tsv = fopen(value, "we")))
            return 2;
        at++;
    }
    if (at + 1 >= argc || o.repeat < 1 || o.repeat > REPEAT_MAX || file_exists(argv[at]) != (strcmp(argv[at + 1], "-") == 0)) {
        fputs("usage: bench_lines [--parsers DIR] [--block EVENTS] [--repeat N] [--json] [--tsv OUT] FOLDER FILE|- [[--last N | --count N] QUERY…]\n", stderr);
        return 2;
    }
    if (strcmp(argv[at + 1], "-") != 0)
        load(argv[at], argv[at + 1], &o);
    if (o.tsv && fclose(o.tsv) != 0)
        return 1;
    ask_all(argv[at], argv + at + 2, argc - at - 2, &o);
    return 0;
}
