/* cmd_search.c - saqshy search: events that match, newest first, from a data directory or from a running centre. */
#include "bin/bin.h"
#include "bin/event_print.h"
#include "bin/remote.h"
#include "store/store.h"

#include <getopt.h>

#define LIMIT_DEFAULT 100
#define SERVER_PAGE   500

static const char usage[] =
    "usage: saqshy search QUERY [--from T] [--to T] [--limit N] [--oldest] [--json] [--data DIR | --server URL [--cacert FILE]]\n\n"
    "  QUERY        words, \"phrases\", field:value, AND OR NOT, parentheses; see docs/search.md\n"
    "  --from, --to 2026-03-20T23:50:00+05:00, 2026-03-20, now-15m; from is part of the range, to is not\n"
    "  --limit N    at most N events (default 100, 0: all)\n"
    "  --oldest     oldest first\n"
    "  --json       one flat JSON object a line\n"
    "  --data DIR   data directory (default: SAQSHY_DATA, else ./data)\n"
    "  --server URL a running centre; SAQSHY_USER and SAQSHY_PASSWORD say who asks\n\n"
    "Exit 0: something was found, 1: nothing, 2: usage, or the search could not be done.\n";

struct options {
    const char         *query, *data, *server, *cacert;
    struct store_search s;
    bool                json;
};

struct shown {
    bool   json;
    size_t count;
};

static int show(void *arg, const struct event *ev)
{
    struct shown *s = arg;

    s->count++;
    event_print(ev, s->json, stdout);
    return ferror(stdout) ? 1 : 0;
}

static int search_data(struct options *o, struct err *e)
{
    char store[4096], journal[4096];
    struct shown s = { .json = o->json };
    struct store_stats stats = { 0 };
    struct query *q;
    int rc = query_parse(str_c(o->query), &q, e);

    if (rc < 0)
        return rc;
    snprintf(store, sizeof store, "%s/store", o->data);
    snprintf(journal, sizeof journal, "%s/journal", o->data);
    o->s.store_folder = store;
    o->s.journal_folder = journal;
    o->s.query = q;
    rc = access(o->data, R_OK) < 0 ? err_sys(e, "could not read the data directory \"%s\"", o->data) : store_find(&o->s, show, &s, &stats, e);
    query_free(&q);
    if (rc < 0)
        return rc;
    if (stats.damaged_parts)
        fprintf(stderr, "saqshy: %llu damaged parts were left out; \"saqshy verify\" names them\n", (unsigned long long)stats.damaged_parts);
    return s.count ? EXIT_YES : EXIT_NO;
}

static void print_remote(const json_t *event, bool json)
{
    if (json) {
        json_dumpf(event, stdout, JSON_COMPACT | JSON_ENSURE_ASCII * 0);
        putchar('\n');
        return;
    }
    const char *line = json_string_value(json_object_get(event, "event.original")), *host = json_string_value(json_object_get(event, "host.name"));
    const char *when = json_string_value(json_object_get(event, "@timestamp"));
    AUTO_BUF struct buf b;

    buf_init(&b, 0);
    plain_put(&b, str_c(when ? when : ""), 64);
    buf_str(&b, STR("  "));
    plain_column(&b, str_c(host ? host : ""), 16);
    plain_put(&b, str_c(line ? line : ""), SIZE_MAX);
    buf_byte(&b, '\n');
    if (!buf_failed(&b))
        fwrite(b.p, 1, b.n, stdout);
}

static int search_server(const struct options *o, struct err *e)
{
    char from[TIME_TEXT_MAX] = "", to[TIME_TEXT_MAX] = "", limit[24], *before = NULL;
    struct remote *r;
    size_t count = 0;
    int rc = remote_open(o->server, o->cacert, &r, e);

    if (rc < 0)
        return rc;
    if (o->s.from != INT64_MIN)
        time_format_utc(o->s.from, from);
    if (o->s.to != INT64_MAX)
        time_format_utc(o->s.to, to);
    do {
        size_t page = o->s.limit ? min_size(o->s.limit - count, SERVER_PAGE) : SERVER_PAGE, i;
        json_t *answer, *event;

        snprintf(limit, sizeof limit, "%zu", page);
        rc = remote_get(r, &answer, e, "/events", "q", o->query, "from", from, "to", to, "limit", limit, "before", before, NULL);
        free(before);
        before = NULL;
        if (rc < 0)
            break;
        json_array_foreach(json_object_get(answer, "items"), i, event) {
            print_remote(event, o->json);
            count++;
        }
        const char *next = json_string_value(json_object_get(answer, "next"));
        before = next ? strdup(next) : NULL;
        json_decref(answer);
    } while (before && (!o->s.limit || count < o->s.limit));
    free(before);
    remote_close(&r);
    return rc < 0 ? rc : count ? EXIT_YES : EXIT_NO;
}

static const struct option long_options[] = {
    { "from", required_argument, NULL, 'f' }, { "to", required_argument, NULL, 't' }, { "limit", required_argument, NULL, 'n' },
    { "oldest", no_argument, NULL, 'o' }, { "json", no_argument, NULL, 'j' }, { "data", required_argument, NULL, 'd' },
    { "server", required_argument, NULL, 's' }, { "cacert", required_argument, NULL, 'c' }, { "help", no_argument, NULL, 'h' }, { NULL, 0, NULL, 0 },
};

static int take_options(int argc, char **argv, struct options *o, struct err *e)
{
    time_ns now = clock_now();
    uint64_t limit;
    int c, rc = 0;

    while (rc == 0 && (c = getopt_long(argc, argv, "h", long_options, NULL)) != -1) {
        switch (c) {
        case 'f': rc = time_argument(optarg, now, &o->s.from, e); break;
        case 't': rc = time_argument(optarg, now, &o->s.to, e); break;
        case 'n':
            rc = str_u64(str_c(optarg), &limit) && limit <= SIZE_MAX ? 0 : err_set(e, -EINVAL, "--limit needs a number, not \"%s\"", optarg);
            o->s.limit = rc == 0 ? (size_t)limit : 0;
            break;
        case 'o': o->s.oldest_first = true; break;
        case 'j': o->json = true; break;
        case 'd': o->data = optarg; break;
        case 's': o->server = optarg; break;
        case 'c': o->cacert = optarg; break;
        case 'h': fputs(usage, stdout); exit(EXIT_YES);
        default: return err_set(e, -EINVAL, "\"saqshy search --help\" tells the usage");
        }
    }
    if (rc == 0 && optind + 1 != argc)
        return err_set(e, -EINVAL, "one QUERY is expected: put it in quotes; \"saqshy search --help\" tells the usage");
    o->query = rc == 0 ? argv[optind] : NULL;
    return rc;
}

int cmd_search(int argc, char **argv)
{
    const char *data = getenv("SAQSHY_DATA");
    struct options o = { .data = data ? data : "data", .s = { .from = INT64_MIN, .to = INT64_MAX, .limit = LIMIT_DEFAULT } };
    struct err e;
    int rc = take_options(argc, argv, &o, &e);

    if (rc == 0)
        rc = o.server ? search_server(&o, &e) : search_data(&o, &e);
    if (rc < 0) {
        fprintf(stderr, "saqshy: %s\n", e.text);
        return EXIT_USAGE;
    }
    return rc;
}
