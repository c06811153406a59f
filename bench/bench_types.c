/* bench_types.c - bench_types [--repeat N] [--answers] CONTENT FILE…: what the event types of Annex 4 cost an event of real lines.
 *
 * CONTENT is a folder with parsers, pipelines and rules; the lines of each FILE are parsed, written as a frame of the journal has them and read back, as the
 * roles index and detect get them (batches of 1,000). Told: nanoseconds an event, processor time of the thread, the best of several passes over each batch. The lines
 * are taken N times (1); --answers prints the codes of each line instead, to compare two builds by. */
#include <time.h>

#include "base/file.h"
#include "parse/parse.h"
#include "sigma/classify.h"

#define PASSES   7
#define LINE_MAX_BYTES 65536

struct bench {
    struct parser      *parser;
    struct classify    *types;
    struct event_batch *batches;
    uint32_t           *own;        /* fields that each event of a batch has of itself, one batch after the other */
    size_t              batch_count, events;
    uint64_t            repeat;
    bool                answers;
};

static double cpu_seconds(void)
{
    struct timespec t;

    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* as_read - the events of a batch, as whoever reads the journal has them. */
static void as_read(struct bench *b, struct event_batch *parsed)
{
    static struct buf frames[65536];   /* kept: events borrow from them */
    struct event_batch *to;
    struct buf *frame = &frames[b->batch_count];
    struct err e;

    if (!parsed->count || b->batch_count == COUNT(frames))
        return;
    b->batches = realloc(b->batches, (b->batch_count + 1) * sizeof *b->batches);
    b->own = realloc(b->own, (b->events + parsed->count) * sizeof *b->own);
    if (!b->batches || !b->own)
        abort();
    buf_init(frame, 0);
    to = &b->batches[b->batch_count++];
    event_batch_init(to, 512 * MIB);
    if (event_encode(parsed->items, parsed->count, frame, &e) < 0 || event_decode(buf_view(frame), 1, to, &e) < 0)
        abort();
    for (size_t i = 0; i < to->count; i++)
        b->own[b->events++] = to->items[i].field_count;
    event_batch_reset(parsed);
}

static int load_file(struct bench *b, const char *path)
{
    struct parse_hints h = { .received = INT64_C(1795780800) * NS_PER_SECOND, .zone_min = EVENT_OFFSET_NONE, .source = STR("bench"), .path = str_c(path) };
    AUTO_BUF struct buf file;
    struct event_batch parsed;
    struct err e;

    buf_init(&file, 0);
    if (file_read(path, 256 * MIB, &file, &e) < 0) {
        fprintf(stderr, "bench_types: %s\n", e.text);
        return 1;
    }
    event_batch_init(&parsed, 256 * MIB);
    for (uint64_t n = 0; n < b->repeat; n++) {
        struct str rest = buf_view(&file), line;

        while (str_split(&rest, '\n', &line)) {
            struct event *ev = line.n && line.n <= LINE_MAX_BYTES ? event_batch_add(&parsed) : NULL;

            if (!ev)
                continue;
            parse_line(b->parser, line, &h, &parsed.arena, ev);
            if (parsed.count == 1000)
                as_read(b, &parsed);
        }
    }
    as_read(b, &parsed);
    event_batch_free(&parsed);
    return 0;
}

static void print_answers(const struct bench *b)
{
    for (size_t k = 0; k < b->batch_count; k++)
        for (size_t i = 0; i < b->batches[k].count; i++) {
            const struct event *ev = &b->batches[k].items[i];
            uint64_t all = classify_said(ev);

            for (; all; all &= all - 1)
                printf("%.*s ", STR_ARG(event_types[__builtin_ctzll(all)]));
            printf("| %.*s\n", (int)min_size(ev->original.n, 80), ev->original.p);
        }
}

/* cost - of each batch while it is in the cache, as it is when it was just read: the best of several passes. */
static double cost(struct bench *b)
{
    const uint32_t *own = b->own;
    double all = 0;
    struct err e;

    for (size_t k = 0; k < b->batch_count; k++) {
        struct event_batch *batch = &b->batches[k];
        double best = 1e9;

        for (int n = 0; n < PASSES; n++) {
            double start = cpu_seconds(), took;

            if (classify_batch(b->types, batch, &e) < 0)
                abort();
            took = cpu_seconds() - start;
            best = took < best ? took : best;
            for (size_t i = 0; i < batch->count && !b->answers; i++)   /* the events as they came */
                batch->items[i].field_count = own[i];
        }
        own += batch->count;
        all += best;
    }
    return all;
}

int main(int argc, char **argv)
{
    struct bench b = { .repeat = 1 };
    char parsers[4096], rules[4096], pipelines[4096];
    const char *const folders[] = { pipelines, rules };
    double took;
    struct err e;
    int i = 1;

    for (; i < argc && strncmp(argv[i], "--", 2) == 0; i++)
        if (strcmp(argv[i], "--answers") == 0)
            b.answers = true;
        else if (i + 1 == argc || !str_u64(str_c(argv[++i]), &b.repeat))
            return 2;
    if (argc - i < 2) {
        fprintf(stderr, "usage: bench_types [--repeat N] [--answers] CONTENT FILE…\n");
        return 2;
    }
    snprintf(parsers, sizeof parsers, "%s/parsers", argv[i]);
    snprintf(rules, sizeof rules, "%s/rules", argv[i]);
    snprintf(pipelines, sizeof pipelines, "%s/pipelines", argv[i++]);
    if (parse_open(&(struct parse_options){ .folders = { parsers } }, &b.parser, &e) < 0 || classify_open(folders, 2, &b.types, &e) < 0) {
        fprintf(stderr, "bench_types: %s\n", e.text);
        return 1;
    }
    for (; i < argc; i++)
        if (load_file(&b, argv[i]) != 0)
            return 1;
    if (!b.events)
        return 1;
    took = cost(&b);
    if (b.answers)
        print_answers(&b);
    else
        printf("%zu events: %.0f ns an event\n", b.events, took / (double)b.events * 1e9);
    return 0;
}
