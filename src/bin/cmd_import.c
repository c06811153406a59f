/* cmd_import.c - saqshy import: log files into a data directory without a daemon.
 *
 * Lines go the usual way (records of one audit event as one, feed.h): parsed, appended to the journal (committed in groups), taken from there into the store; at the end all is in sealed
 * parts and the journal is cut. Only this process may write: a running saqshyd holds the journal's lock, and then import says so. Memory is bounded by
 * one group of lines and the store's own bound. What stands before a damage of a compressed file is stored, and the damage told. */
#include "bin/bin.h"
#include "bin/plain.h"
#include "bin/store_up.h"
#include "base/file.h"
#include "parse/evtx.h"
#include "parse/feed.h"
#include "parse/parse.h"

#include <getopt.h>

#define GROUP_LINES  5000
#define GROUP_BYTES  (4u * MIB)
#define READ_BYTES   (256u * KIB)

static const char usage[] =
    "usage: saqshy import [--format auto|syslog|json] [--object ID] [--data DIR] FILE…\n\n"
    "Stores the lines of log files (- is standard input; gzip and zstd are unpacked) and the records of event logs of Windows (EVTX, as XML) in DIR\n"
    "(default: SAQSHY_DATA, else ./data; made if absent). Formats are known by their content; --format is accepted for scripts. Returns when every line is in sealed parts and the journal is cut.\n"
    "Exit 0: all lines are stored, unparsed ones too; 2: could not be done (a saqshyd that runs on DIR takes lines by syslog instead), or a file could not be\n"
    "read to its end: what stands before that, and the other files, are stored.\n";

struct import {
    const char         *data, *object;
    struct store_up     up;
    struct parser      *parser;
    struct feed        *feed;
    struct parse_memory *memory;
    struct evtx        *evtx;     /* made when the first event log is met */
    const char         *path;
    struct event_batch  batch;
    size_t              group_bytes;
    uint64_t            lines, failed;
    size_t              unread;   /* files */
    bool                progress;
};

static int open_all(struct import *m, const struct node *node, struct err *e)
{
    struct parse_options parsers = { .zone_min = 0 };
    char own[4200], ours[4200];
    int rc;

    snprintf(own, sizeof own, "%s/parsers", m->data);
    snprintf(ours, sizeof ours, "%s/parsers", node->content);
    parsers.folders[0] = own;
    parsers.folders[1] = *node->content ? ours : NULL;
    rc = file_mkdirs(m->data, 0750, e);
    if (rc == 0)
        rc = parse_open(&parsers, &m->parser, e);
    if (rc == 0)
        rc = feed_new(&m->feed, e);
    if (rc == 0)
        rc = parse_memory_new(&m->memory, e);
    return rc == 0 ? store_up_open(&m->up, m->data, 0, "send it the lines by syslog", e) : rc;
}

static void close_all(struct import *m)
{
    store_up_close(&m->up);
    parse_free(&m->parser);
    feed_free(&m->feed);
    parse_memory_free(&m->memory);
    evtx_free(&m->evtx);
    event_batch_free(&m->batch);
}

static int flush(struct import *m, struct err *e)
{
    int rc = 0;

    if (m->batch.count) {
        rc = journal_append(m->up.journal, m->batch.items, m->batch.count, (struct journal_origin){ 0 }, NULL, e);
        if (rc == 0)
            rc = journal_commit(m->up.journal, e);
        if (rc == 0)
            rc = store_up_drain(&m->up, e);
        event_batch_reset(&m->batch);
        m->group_bytes = 0;
    }
    if (rc == 0 && m->progress)
        fprintf(stderr, "\r%llu lines", (unsigned long long)m->lines);
    return rc;
}

static int take_text(void *arg, const struct feed_text *t, struct err *e)
{
    struct import *m = arg;
    struct parse_hints h = { .received = clock_now(), .zone_min = EVENT_OFFSET_NONE, .future_tolerance = 300 * NS_PER_SECOND,
                             .source = str_c(m->path), .path = str_c(m->path), .truncated = t->cut, .split = t->split,
                             .encoding = t->encoding, .memory = m->memory };
    struct str copy = arena_copy(&m->batch.arena, t->text);
    struct event *ev = copy.p ? event_batch_add(&m->batch) : NULL;

    if (!ev)
        return err_set(e, -ENOMEM, "no memory for a group of lines");
    parse_line(m->parser, copy, &h, &m->batch.arena, ev);
    if (m->object)
        ev->object = str_c(m->object);
    m->lines += t->lines;
    m->failed += ev->parse == EVENT_PARSE_FAILED;
    m->group_bytes += copy.n;
    return m->batch.count >= GROUP_LINES || m->group_bytes >= GROUP_BYTES ? flush(m, e) : 0;
}

/* unreadable - a file that could not be opened, or read to its end. The others are read all the same. */
static void unreadable(struct import *m, const struct err *e)
{
    fprintf(stderr, "%ssaqshy import: %s\n", m->progress ? "\n" : "", e->text);
    m->unread++;
}

/* some - the next bytes behind those of b; 0 at the end. What cannot be read is told, and is an end too. */
static int some(struct import *m, struct plain *file, struct buf *b, struct err *e)
{
    char *to = buf_room(b, READ_BYTES);
    ssize_t n;

    if (!to)
        return err_set(e, -ENOMEM, "no memory to read \"%s\"", m->path);
    n = plain_some(file, to, READ_BYTES, e);
    if (n < 0)
        unreadable(m, e);
    b->n += n > 0 ? (size_t)n : 0;
    return n > 0;
}

static int import_lines(struct import *m, struct plain *file, struct buf *b, struct err *e)
{
    const struct str *starts;
    size_t count;
    int rc = b->n > 0;

    parse_records(m->parser, str_c(m->path), (struct str){ NULL, 0 }, &starts, &count);
    feed_records(m->feed, starts, count);
    while (rc > 0) {
        rc = feed_bytes(m->feed, buf_view(b), take_text, m, e);
        buf_reset(b);
        if (rc >= 0)
            rc = some(m, file, b, e);
    }
    return rc < 0 ? rc : feed_end(m->feed, take_text, m, e);
}

/* --- event logs of Windows: each record is a line, its XML --- */

static int import_chunk(struct import *m, struct str bytes, struct err *e)
{
    struct evtx_record r;
    int rc;

    (void)evtx_chunk(m->evtx, bytes);
    while ((rc = evtx_next(m->evtx, &r, e)) != 0) {
        if (rc == -EBADMSG) {
            fprintf(stderr, "%ssaqshy import: %s, record %llu, skipping: %s\n", m->progress ? "\n" : "", m->path, (unsigned long long)r.id, e->text);
            continue;
        }
        if (rc > 0)
            rc = take_text(m, &(struct feed_text){ .text = r.xml, .lines = 1 }, e);
        if (rc < 0)
            return rc;
    }
    return 0;
}

static int import_log(struct import *m, struct plain *file, struct buf *b, struct err *e)
{
    size_t skip = evtx_start(buf_view(b));
    int rc = m->evtx ? 0 : evtx_new(&m->evtx, e), more = 1;

    while (rc == 0 && more > 0) {
        while (b->n < skip + EVTX_CHUNK_BYTES && (more = some(m, file, b, e)) > 0)
            ;
        if (more < 0)
            return more;
        buf_drop(b, min_size(skip, b->n));
        skip = 0;
        while (rc == 0 && (b->n >= EVTX_CHUNK_BYTES || (more == 0 && b->n))) {
            rc = import_chunk(m, str_of(b->p, min_size(b->n, EVTX_CHUNK_BYTES)), e);
            buf_drop(b, min_size(b->n, EVTX_CHUNK_BYTES));
        }
    }
    return rc;
}

static int import_file(struct import *m, const char *path, struct err *e)
{
    struct plain *file = NULL;
    AUTO_BUF struct buf b;
    int rc;

    m->path = strcmp(path, "-") == 0 ? "stdin" : path;
    buf_init(&b, 4 * READ_BYTES);
    if (plain_open(path, &file, e) < 0) {
        unreadable(m, e);
        return 0;
    }
    rc = some(m, file, &b, e);
    if (rc >= 0)
        rc = evtx_looks(buf_view(&b)) ? import_log(m, file, &b, e) : import_lines(m, file, &b, e);
    plain_close(&file);
    return rc;
}

static int run_import(struct import *m, int count, char **paths, struct err *e)
{
    char exe[4096];
    struct node *node;
    int rc = node_exe_folder(exe, e);

    if (rc == 0)
        rc = node_default(m->data, exe, &node, e);
    if (rc < 0)
        return rc;
    event_batch_init(&m->batch, 0);
    rc = open_all(m, node, e);
    if (rc == 0)
        rc = store_up_drain(&m->up, e); /* what an interrupted run left behind */
    for (int i = 0; rc == 0 && i < count; i++)
        rc = import_file(m, paths[i], e);
    if (rc == 0)
        rc = flush(m, e);
    if (rc == 0)
        rc = store_up_finish(&m->up, e);
    close_all(m);
    node_free(&node);
    return rc;
}

int cmd_import(int argc, char **argv)
{
    static const struct option options[] = { { "data", required_argument, NULL, 'd' }, { "format", required_argument, NULL, 'f' },
                                             { "object", required_argument, NULL, 'o' }, { "json", no_argument, NULL, 'j' },
                                             { "help", no_argument, NULL, 'h' }, { NULL, 0, NULL, 0 } };
    const char *data = getenv("SAQSHY_DATA");
    struct import m = { .data = data ? data : "data", .progress = isatty(2) };
    bool json = false;
    struct err e;
    int c, rc;

    while ((c = getopt_long(argc, argv, "h", options, NULL)) != -1) {
        if (c == 'd')
            m.data = optarg;
        else if (c == 'o')
            m.object = optarg;
        else if (c == 'j')
            json = true;
        else if (c != 'f' || (strcmp(optarg, "auto") != 0 && strcmp(optarg, "syslog") != 0 && strcmp(optarg, "json") != 0)) {
            fputs(usage, c == 'h' ? stdout : stderr);
            return c == 'h' ? EXIT_YES : EXIT_USAGE;
        }
    }
    if (optind == argc) {
        fputs(usage, stderr);
        return EXIT_USAGE;
    }
    rc = run_import(&m, argc - optind, argv + optind, &e);
    if (m.progress)
        fputc('\n', stderr);
    if (rc < 0) {
        fprintf(stderr, "saqshy: %s\n", e.text);
        return EXIT_USAGE;
    }
    if (json)
        printf("{\"lines\":%llu,\"unparsed\":%llu}\n", (unsigned long long)m.lines, (unsigned long long)m.failed);
    else
        printf("%llu lines stored, %llu of them unparsed\n", (unsigned long long)m.lines, (unsigned long long)m.failed);
    return m.unread ? EXIT_USAGE : EXIT_YES;
}
