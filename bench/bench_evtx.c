/* bench_evtx.c - how many records a second of processor time come out of event logs of Windows.
 *
 *     bench_evtx [--seconds N] FILE…
 *
 * The files are held in memory and read again and again. Told are three things: records as text and pairs (the reader alone),
 * records as events (with ECS names and what they mean), and the same XML through the reader of XML. */
#include <time.h>

#include "base/file.h"
#include "parse/evtx.h"
#include "parse/parse.h"

#define FILES_MAX 1024

enum way { READ, EVENTS, AS_XML, WAYS };

struct bench {
    struct buf          files[FILES_MAX];
    size_t              count;
    struct evtx        *x;
    struct parser      *parser;
    struct event_batch  batch;
    uint64_t            records, unreadable, text_bytes, fields;
};

static time_ns cpu_now(void)
{
    struct timespec t;

    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (time_ns)t.tv_sec * NS_PER_SECOND + t.tv_nsec;
}

static void one_record(struct bench *b, enum way way, const struct evtx_record *r)
{
    static const struct parse_hints hints = { .received = INT64_C(1774000000) * NS_PER_SECOND, .zone_min = EVENT_OFFSET_NONE };
    struct event *ev;

    b->records++;
    b->text_bytes += r->xml.n;
    b->fields += r->pairs.count;
    if (way == READ)
        return;
    event_batch_reset(&b->batch);
    ev = event_batch_add(&b->batch);
    if (way == EVENTS)
        parse_evtx(b->parser, r, &hints, &b->batch.arena, ev);
    else
        parse_line(b->parser, r->xml, &hints, &b->batch.arena, ev);
}

static uint64_t one_round(struct bench *b, enum way way)
{
    struct evtx_record r;
    uint64_t bytes = 0;
    struct err e;
    int rc;

    for (size_t i = 0; i < b->count; i++) {
        struct str rest = str_cut(buf_view(&b->files[i]), evtx_start(buf_view(&b->files[i])));

        bytes += rest.n;
        for (; rest.n; rest = str_cut(rest, EVTX_CHUNK_BYTES)) {
            evtx_chunk(b->x, rest);
            while ((rc = evtx_next(b->x, &r, &e)) != 0) {
                if (rc == 1)
                    one_record(b, way, &r);
                else
                    b->unreadable++;
            }
        }
    }
    return bytes;
}

static void measure(struct bench *b, enum way way, const char *name, time_ns least)
{
    time_ns start = cpu_now(), spent;
    uint64_t bytes = 0;

    b->records = b->unreadable = b->text_bytes = b->fields = 0;
    do
        bytes += one_round(b, way);
    while ((spent = cpu_now() - start) < least);
    printf("%-22s %9.0f records/s  %6.3f us  %7.1f MB/s of chunks  %5.1f fields, %6.0f bytes of XML a record, %llu unreadable\n", name,
           (double)b->records * 1e9 / (double)spent, (double)spent / 1e3 / (double)b->records, (double)bytes * 1e3 / (double)spent,
           (double)b->fields / (double)b->records, (double)b->text_bytes / (double)b->records, (unsigned long long)b->unreadable);
}

static int prepare(struct bench *b, char **paths, int count, struct err *e)
{
    int rc = evtx_new(&b->x, e);

    event_batch_init(&b->batch, 0);
    if (rc == 0)
        rc = parse_new(NULL, 0, &b->parser, e);
    for (int i = 0; rc == 0 && i < count && b->count < FILES_MAX; i++) {
        buf_init(&b->files[b->count], 1u << 30);
        rc = file_read(paths[i], 1u << 30, &b->files[b->count++], e);
    }
    return rc;
}

int main(int argc, char **argv)
{
    static const char *const names[WAYS] = { "text and pairs", "events", "the same XML, parsed" };
    struct bench b = { 0 };
    time_ns least = 2 * NS_PER_SECOND;
    struct err e;
    int first = 1, rc;

    if (argc > 2 && strcmp(argv[1], "--seconds") == 0) {
        least = strtol(argv[2], NULL, 10) * NS_PER_SECOND;
        first = 3;
    }
    rc = prepare(&b, argv + first, argc - first, &e);
    if (rc < 0 || b.count == 0) {
        fprintf(stderr, "bench_evtx: %s\n", rc < 0 ? e.text : "name at least one EVTX file");
        return 2;
    }
    for (enum way way = READ; way < WAYS; way++)
        measure(&b, way, names[way], least);
    for (size_t i = 0; i < b.count; i++)
        buf_free(&b.files[i]);
    evtx_free(&b.x);
    parse_free(&b.parser);
    event_batch_free(&b.batch);
    return 0;
}
