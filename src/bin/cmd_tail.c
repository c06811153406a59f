/* cmd_tail.c - saqshy tail: events as they are committed to the journal of a data directory. */
#include "bin/bin.h"
#include "bin/event_print.h"
#include "journal/journal.h"
#include "query/query.h"

#include <signal.h>

static const char usage[] = "usage: saqshy tail QUERY [--json] [--data DIR]\n\n"
                            "Shows new events that match, until Ctrl-C. An empty QUERY (\"\") shows all.\n"
                            "  --data DIR   data directory (default: SAQSHY_DATA, else ./data)\n";

static int follow(const struct query *q, const char *data, bool json, struct err *e)
{
    struct journal_reader *r;
    struct event_batch b;
    char folder[4096];
    int rc;

    snprintf(folder, sizeof folder, "%s/journal", data);
    if (access(folder, R_OK) < 0)
        return err_sys(e, "could not read \"%s\"", folder);
    rc = journal_reader_open(folder, journal_committed_seq(folder), &r, e);
    if (rc < 0)
        return rc;
    event_batch_init(&b, JOURNAL_BATCH_BYTES);
    while (!ferror(stdout)) {
        rc = journal_reader_next(r, &b, NULL, e);
        if (rc == 0)
            journal_reader_wait(r, 1000);
        else if (rc < 0)
            fprintf(stderr, "saqshy: %s\n", e->text);
        for (int i = 0; i < rc; i++)
            if (query_match(q, &b.items[i]))
                event_print(&b.items[i], json, stdout);
        if (rc > 0)
            fflush(stdout);
    }
    event_batch_free(&b);
    journal_reader_close(&r);
    return 0;
}

int cmd_tail(int argc, char **argv)
{
    const char *data = getenv("SAQSHY_DATA");
    struct query *q = NULL;
    bool json = false;
    struct err e;
    int c, rc;

    if (!data)
        data = "data";
    c = data_and_json(argc, argv, usage, &data, &json);
    if (c >= 0)
        return c;
    if (optind + 1 != argc) {
        fputs(usage, stderr);
        return EXIT_USAGE;
    }
    rc = query_parse_with(str_c(argv[optind]), &(struct query_options){ .now = clock_now() }, &q, &e);
    if (rc == 0)
        rc = follow(q, data, json, &e);
    query_free(&q);
    if (rc < 0)
        fprintf(stderr, "saqshy: %s\n", e.text);
    return rc < 0 ? EXIT_USAGE : EXIT_YES;
}
