/* cmd_search.c - saqshy search: events that match, newest first, from a data directory or from a running centre. */
#include "bin/bin.h"
#include "bin/event_print.h"
#include "bin/remote.h"
#include "bin/search_explain.h"
#include "bin/search_table.h"
#include "store/store.h"

#include <getopt.h>

#define LIMIT_DEFAULT 100
#define SERVER_PAGE   500

static const char usage[] =
    "usage: saqshy search QUERY [--from T] [--to T] [--limit N] [--oldest] [--json | --csv] [--explain] [--data DIR | --server URL [--cacert FILE]]\n\n"
    "  QUERY        words, \"phrases\", field:value, time:>=now-15m, AND OR NOT, parentheses; then, perhaps,\n"
    "               pipes: '... | stats count() by user.name | sort -count | head 10'; see docs/search.md\n"
    "  --from, --to 2026-03-20T23:50:00+05:00, 2026-03-20 (in Astana), today, now-15m; from is part of the range, to is not\n"
    "  --limit N    at most N events (default 100, 0: all); of pipes at most N rows (default: all)\n"
    "  --oldest     oldest first\n"
    "  --json       one flat JSON object a line\n"
    "  --csv        of pipes: comma-separated values\n"
    "  --explain    how the search was done and what was looked at, instead of what was found\n"
    "  --data DIR   data directory (default: SAQSHY_DATA, else ./data)\n"
    "  --server URL a running centre; SAQSHY_USER and SAQSHY_PASSWORD say who asks\n\n"
    "Exit 0: something was found, 1: nothing, 2: usage, or the search could not be done.\n";

struct options {
    const char         *text, *data, *server, *cacert;
    struct store_search s;
    enum search_form    form;
    bool                limited, explain;
    struct query       *query;
    struct pipes       *pipes;      /* NULL: none */
};

struct shown {
    const struct options *o;
    size_t                count;
    struct pipes_run     *run;
    struct search_table  *table;
    struct err           *e;
    int                   rc;       /* of what was pushed: a search that hit ends says nothing of why */
};

static int show(void *arg, const struct event *ev)
{
    struct shown *s = arg;

    s->count++;
    if (!s->o->explain)
        event_print(ev, s->o->form == SEARCH_JSON, stdout);
    return ferror(stdout) ? 1 : 0;
}

/* --- with pipes --- */

static int push(void *arg, const struct event *ev)
{
    struct shown *s = arg;

    return s->rc = pipes_push(s->run, ev, s->e);
}

static int show_row(void *arg, const struct pipes_cell *cells, size_t count)
{
    struct shown *s = arg;
    int rc = 0;

    if (s->o->limited && s->o->s.limit && s->count == s->o->s.limit)
        return 1;
    s->count++;
    if (!s->o->explain)
        rc = search_table_row(s->table, cells, count);
    return rc < 0 ? err_set(s->e, rc, "no memory for so many rows: add \"| head 1000\", or write them as --json") : rc;
}

/* pipe_events - all events that match into the pipes, and their rows out. */
static int pipe_events(struct options *o, struct shown *s, struct store_stats *stats, struct err *e)
{
    struct store_search all = o->s;
    size_t columns, rows;
    const struct pipes_column *column;
    int rc = pipes_run_new(o->pipes, 0, show_row, s, &s->run, e);

    if (rc < 0)
        return rc;
    all.limit = 0;
    column = pipes_columns(s->run, &columns);
    rc = search_table_new(o->form, column, columns, &s->table, e);
    if (rc == 0)
        rc = all.oldest_first ? store_find(&all, push, s, stats, e) : store_find_all(&all, push, s, stats, e);
    if (rc == 0 && s->rc < 0)
        rc = s->rc;
    if (rc == 0)
        rc = pipes_end(s->run, e);
    if (rc >= 0 && !o->explain)
        rc = search_table_end(s->table, column, &rows, e);
    if (rc >= 0 && pipes_passed_over(s->run))
        fprintf(stderr, "saqshy: %llu values are no numbers and were passed over\n", (unsigned long long)pipes_passed_over(s->run));
    return rc < 0 ? rc : 0;
}

static void tell_hint(void *arg, const struct query_fault *hint)
{
    (void)arg;
    fprintf(stderr, "saqshy: nothing found; is \"%s\" meant instead of \"%s\"?\n", hint->instead, hint->word);
}

static int search_data(struct options *o, struct err *e)
{
    char store[4096], journal[4096];
    struct shown s = { .o = o, .e = e };
    struct store_stats stats = { 0 };
    int rc;

    snprintf(store, sizeof store, "%s/store", o->data);
    snprintf(journal, sizeof journal, "%s/journal", o->data);
    o->s.store_folder = store;
    o->s.journal_folder = journal;
    o->s.query = o->query;
    query_range(o->query, &o->s.from, &o->s.to);
    if (access(o->data, R_OK) < 0)
        rc = err_sys(e, "could not read the data directory \"%s\"", o->data);
    else
        rc = o->pipes ? pipe_events(o, &s, &stats, e) : store_find(&o->s, show, &s, &stats, e);
    if (rc >= 0 && o->explain)
        search_explain(o->query, o->pipes, &o->s, &stats, s.count, stdout);
    else if (rc >= 0 && s.count == 0)
        query_hints(o->query, tell_hint, NULL);
    search_table_free(&s.table);
    pipes_run_free(&s.run);
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

/* rows_of_server - the table of a centre's answer. */
static int rows_of_server(const struct options *o, const json_t *answer, struct err *e)
{
    struct pipes_column columns[PIPES_COLUMNS_MAX] = { { .name = { NULL, 0 } } };
    const json_t *list = json_object_get(answer, "columns"), *one;
    struct search_table *t = NULL;
    size_t i, count = json_array_size(list), rows;
    int rc;

    if (count == 0 || count > COUNT(columns))
        return err_set(e, -EPROTO, "the server answered with no table");
    json_array_foreach(list, i, one)
        columns[i] = (struct pipes_column){ .name = str_c(json_string_value(json_object_get(one, "name"))), .approximate = json_is_true(json_object_get(one, "approximate")) };
    rc = search_table_new(o->form, columns, count, &t, e);
    json_array_foreach(json_object_get(answer, "rows"), i, one)
        if (rc == 0 && !(o->limited && o->s.limit && i >= o->s.limit))
            rc = search_table_json(t, one) < 0 ? err_set(e, -ENOMEM, "no memory for so many rows") : 0;
    if (rc == 0)
        rc = search_table_end(t, columns, &rows, e);
    if (rc == 0 && json_is_true(json_object_get(answer, "more")))
        fprintf(stderr, "saqshy: there are more rows than the server gives: add \"| head 1000\"\n");
    search_table_free(&t);
    return rc < 0 ? rc : rows ? EXIT_YES : EXIT_NO;
}

static int table_server(const struct options *o, struct remote *r, const char *from, const char *to, struct err *e)
{
    json_t *answer = NULL;
    int rc = remote_get(r, &answer, e, "/events/table", "q", o->text, "from", from, "to", to, NULL);

    if (rc == 0)
        rc = rows_of_server(o, answer, e);
    json_decref(answer);
    return rc;
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
    if (o->pipes) {
        rc = table_server(o, r, from, to, e);
        remote_close(&r);
        return rc;
    }
    do {
        size_t page = o->s.limit ? min_size(o->s.limit - count, SERVER_PAGE) : SERVER_PAGE, i;
        json_t *answer, *event;

        snprintf(limit, sizeof limit, "%zu", page);
        rc = remote_get(r, &answer, e, "/events", "q", o->text, "from", from, "to", to, "limit", limit, "before", before, NULL);
        free(before);
        before = NULL;
        if (rc < 0)
            break;
        json_array_foreach(json_object_get(answer, "items"), i, event) {
            print_remote(event, o->form == SEARCH_JSON);
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
    { "oldest", no_argument, NULL, 'o' }, { "json", no_argument, NULL, 'j' }, { "csv", no_argument, NULL, 'v' }, { "explain", no_argument, NULL, 'e' }, { "data", required_argument, NULL, 'd' },
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
            o->limited = true;
            break;
        case 'o': o->s.oldest_first = true; break;
        case 'j': o->form = SEARCH_JSON; break;
        case 'v': o->form = SEARCH_CSV; break;
        case 'e': o->explain = true; break;
        case 'd': o->data = optarg; break;
        case 's': o->server = optarg; break;
        case 'c': o->cacert = optarg; break;
        case 'h': fputs(usage, stdout); exit(EXIT_YES);
        default: return err_set(e, -EINVAL, "\"saqshy search --help\" tells the usage");
        }
    }
    if (rc == 0 && optind + 1 != argc)
        return err_set(e, -EINVAL, "one QUERY is expected: put it in quotes; \"saqshy search --help\" tells the usage");
    o->text = rc == 0 ? argv[optind] : NULL;
    if (rc == 0 && o->explain && o->server)
        rc = err_set(e, -EINVAL, "--explain is for a data directory: a centre does not tell what it looked at");
    return rc;
}

/* take_query - the filter, and the pipes if there are some. Of a centre they are checked here too, where the letter can be shown. */
static int take_query(struct options *o, struct err *e)
{
    time_ns now = clock_now();
    size_t pipes;
    int rc = query_parse_with(str_c(o->text), &(struct query_options){ .now = now, .pipes = &pipes }, &o->query, e);

    if (rc == 0 && pipes != SIZE_MAX)
        rc = pipes_parse(str_c(o->text), pipes, now, &o->pipes, NULL, e);
    if (rc == 0 && !o->pipes && o->form == SEARCH_CSV)
        rc = err_set(e, -EINVAL, "--csv needs columns: add \"| fields @timestamp, user.name\"");
    return rc;
}

int cmd_search(int argc, char **argv)
{
    const char *data = getenv("SAQSHY_DATA");
    struct options o = { .data = data ? data : "data", .s = { .from = INT64_MIN, .to = INT64_MAX, .limit = LIMIT_DEFAULT } };
    struct err e;
    int rc = take_options(argc, argv, &o, &e);

    if (rc == 0)
        rc = take_query(&o, &e);
    if (rc == 0)
        rc = o.server ? search_server(&o, &e) : search_data(&o, &e);
    pipes_free(&o.pipes);
    query_free(&o.query);
    if (rc < 0) {
        fprintf(stderr, "saqshy: %s\n", e.text);
        return EXIT_USAGE;
    }
    return rc;
}
