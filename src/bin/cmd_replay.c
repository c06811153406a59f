/* cmd_replay.c - saqshy replay: a range of time again, oldest first, each event once: printed, through today's rules, or through today's parsers.
 *
 * The store and the journal's tail are read like a search reads them. Where more events overlap in time than a search may hold, the range is halved and the
 * reading goes on behind the last event. Nothing is written. */
#include "bin/event_print.h"
#include "bin/replay.h"
#include "forward/forward.h"
#include "query/query.h"
#include "store/store.h"

#include <getopt.h>

#define TELL_EVERY_NS    NS_PER_SECOND

static const char usage[] =
    "usage: saqshy replay --from T [--to T] [--data DIR] [QUERY] [--json]\n"
    "       saqshy replay --from T [--to T] [--data DIR] [QUERY] --detect [--rules DIR…] [--json]\n"
    "       saqshy replay --from T [--to T] [--data DIR] [QUERY] --reparse [--parsers DIR] [--json]\n"
    "       saqshy replay --from T [--to T] [--data DIR] [QUERY] --upstream NAME [--config FILE]\n\n"
    "Reads the events of a range of time again, oldest first: as a flat JSON object a line on standard output, or\n"
    "  --detect      through the rules of today (of DIR, else those beside the program and in DATA/rules): what matches is printed, no case is opened\n"
    "  --reparse     through the parsers of today (of DIR, else DATA/parsers, and those beside the program): how many events differ from what is\n"
    "                stored, by the parser then and now, with examples\n"
    "  --upstream    to an upstream of the configuration (FILE, else DIR/saqshyd.yaml) once more, as far as they pass its filter: what it has already it\n"
    "                gets again. Returns when everything is acknowledged\n"
    "  --from, --to  2026-03-20T23:50:00+05:00, 2026-03-20, now-15m; from is part of the range, to (default: now) is not\n"
    "  QUERY         only events that match; see docs/search.md\n"
    "  --data DIR    data directory (default: SAQSHY_DATA, else ./data)\n"
    "  --quiet       no progress on standard error\n\n"
    "Exit 0: something was replayed (with --detect: something matched; with --reparse: nothing differs; with --upstream: all\n"
    "was acknowledged), 1: not so, 2: usage, or it could not be done.\n";

struct options {
    const char *data, *query, *parsers, *upstream, *config, *rules[RULE_FOLDERS_MAX];
    size_t      rule_count;
    time_ns     from, to;
    bool        json, detect, reparse, quiet;
};

struct replay {
    const struct options *o;
    struct reparse       *reparse;
    struct redetect      *redetect;
    struct resend        *resend;
    time_ns               last_time, told;
    uint64_t              last_seq, events, damaged;
    bool                  any, progress;
    int                   rc;          /* of an event; ends the reading */
    struct err            e;
};

/* progress - how far, by the time of the events. */
static void progress(struct replay *r, bool end)
{
    time_ns now = clock_steady();
    double share = r->o->to > r->o->from ? (double)(r->last_time - r->o->from) / (double)(r->o->to - r->o->from) : 1;
    char at[TIME_TEXT_MAX];

    if (r->o->quiet || (!end && (!r->progress || now - r->told < TELL_EVERY_NS)))
        return;
    r->told = now;
    if (end)
        fprintf(stderr, "%s%llu events\n", r->progress ? "\r\033[K" : "", (unsigned long long)r->events);
    else
        fprintf(stderr, "\r%3.0f %%  %s  %llu events", share < 0 ? 0 : share > 1 ? 100 : share * 100,
                time_format_utc(r->last_time / NS_PER_SECOND * NS_PER_SECOND, at), (unsigned long long)r->events);
}

static int take(void *arg, const struct event *ev)
{
    struct replay *r = arg;

    /* After a range was halved the reading begins at the time of the last event. */
    if (r->any && (ev->time < r->last_time || (ev->time == r->last_time && ev->seq <= r->last_seq)))
        return 0;
    r->any = true;
    r->last_time = ev->time;
    r->last_seq = ev->seq;
    r->events++;
    if (r->redetect)
        r->rc = redetect_event(r->redetect, ev, r->o->json, &r->e);
    else if (r->resend)
        r->rc = resend_event(r->resend, ev, &r->e);
    else if (r->reparse)
        r->rc = reparse_event(r->reparse, ev, &r->e);
    else
        event_print(ev, true, stdout);
    if (r->rc == 0 && ferror(stdout))
        r->rc = err_set(&r->e, -EIO, "could not write to standard output");
    progress(r, false);
    return r->rc < 0;
}

/* walk - [from, to) in windows as large as memory allows. */
static int walk(struct replay *r, const struct query *q, struct err *e)
{
    char store[4200], journal[4200];
    time_ns at = r->o->from, width = r->o->to - r->o->from;

    snprintf(store, sizeof store, "%s/store", r->o->data);
    snprintf(journal, sizeof journal, "%s/journal", r->o->data);
    while (at < r->o->to) {
        time_ns end = width < r->o->to - at ? at + width : r->o->to;
        struct store_search s = { .store_folder = store, .journal_folder = journal, .query = q, .from = at, .to = end, .oldest_first = true };
        struct store_stats stats = { 0 };
        int rc = store_find(&s, take, r, &stats, e);

        if (rc == -E2BIG && width > NS_PER_MS) {
            width /= 2;
            at = r->any && r->last_time > at ? r->last_time : at;
            continue;
        }
        if (rc < 0)
            return rc;
        r->damaged = stats.damaged_parts > r->damaged ? stats.damaged_parts : r->damaged;
        if (r->rc < 0)
            return err_set(e, r->rc, "%s", r->e.text);
        at = end;
        width = width > INT64_MAX / 2 ? width : width * 2;
    }
    return 0;
}

static const struct option long_options[] = {
    { "from", required_argument, NULL, 'f' }, { "to", required_argument, NULL, 't' }, { "data", required_argument, NULL, 'd' },
    { "detect", no_argument, NULL, 'D' }, { "rules", required_argument, NULL, 'r' }, { "reparse", no_argument, NULL, 'R' },
    { "parsers", required_argument, NULL, 'p' }, { "upstream", required_argument, NULL, 'u' }, { "config", required_argument, NULL, 'c' }, { "json", no_argument, NULL, 'j' }, { "quiet", no_argument, NULL, 'q' },
    { "help", no_argument, NULL, 'h' }, { NULL, 0, NULL, 0 },
};

static int judge(const struct options *o, int left, struct err *e)
{
    if (o->from == INT64_MIN)
        return err_set(e, -EINVAL, "--from is missing; \"saqshy replay --help\" tells the usage");
    if (o->to <= o->from)
        return err_set(e, -EINVAL, "--to must be later than --from");
    if (o->detect + o->reparse + (o->upstream != NULL) > 1)
        return err_set(e, -EINVAL, "--detect, --reparse and --upstream exclude each other");
    if (o->config && !o->upstream)
        return err_set(e, -EINVAL, "--config goes with --upstream");
    if ((o->rule_count && !o->detect) || (o->parsers && !o->reparse))
        return err_set(e, -EINVAL, "--rules goes with --detect, --parsers with --reparse");
    if (left > 1)
        return err_set(e, -EINVAL, "one QUERY is expected: put it in quotes");
    return access(o->data, R_OK) < 0 ? err_sys(e, "could not read the data directory \"%s\"", o->data) : 0;
}

static int take_options(int argc, char **argv, struct options *o, struct err *e)
{
    time_ns now = clock_now();
    int c, rc = 0;

    o->to = now;
    while (rc == 0 && (c = getopt_long(argc, argv, "h", long_options, NULL)) != -1) {
        switch (c) {
        case 'f': rc = time_argument(optarg, now, &o->from, e); break;
        case 't': rc = time_argument(optarg, now, &o->to, e); break;
        case 'd': o->data = optarg; break;
        case 'D': o->detect = true; break;
        case 'R': o->reparse = true; break;
        case 'p': o->parsers = optarg; break;
        case 'u': o->upstream = optarg; break;
        case 'c': o->config = optarg; break;
        case 'j': o->json = true; break;
        case 'q': o->quiet = true; break;
        case 'r':
            if (o->rule_count == RULE_FOLDERS_MAX)
                return err_set(e, -E2BIG, "at most %d folders of rules", RULE_FOLDERS_MAX);
            o->rules[o->rule_count++] = optarg;
            break;
        case 'h': fputs(usage, stdout); exit(EXIT_YES);
        default: return err_set(e, -EINVAL, "\"saqshy replay --help\" tells the usage");
        }
    }
    if (rc < 0)
        return rc;
    o->query = optind < argc ? argv[optind] : "";
    return judge(o, argc - optind, e);
}

/* open_upstream - of the configuration by its name. */
static int open_upstream(struct replay *r, const char *exe, struct err *e)
{
    struct node *n = NULL;
    char file[4200];
    int rc;

    snprintf(file, sizeof file, "%s", r->o->config ? r->o->config : "");
    if (!r->o->config)
        snprintf(file, sizeof file, "%s/saqshyd.yaml", r->o->data);
    rc = node_load(file, exe, &n, e);
    if (rc == 0)
        rc = forward_check(&n->upstreams, file, e);
    for (size_t i = 0; rc == 0 && i < n->upstreams.count; i++)
        if (strcmp(n->upstreams.items[i].name, r->o->upstream) == 0)
            rc = resend_open(&n->upstreams.items[i], r->o->data, &r->resend, e);
    if (rc == 0 && !r->resend)
        rc = err_set(e, -EINVAL, "%s: there is no upstream \"%s\"", file, r->o->upstream);
    node_free(&n);
    return rc;
}

/* prepare - the rules or the parsers of today, or the upstream. */
static int prepare(struct replay *r, struct err *e)
{
    struct node *node = NULL;
    char exe[4096];
    int rc = r->o->detect || r->o->reparse || r->o->upstream ? node_exe_folder(exe, e) : 1;

    if (rc == 1)
        return 0;
    if (rc == 0 && r->o->upstream)
        return open_upstream(r, exe, e);
    if (rc == 0)
        rc = node_default(r->o->data, exe, &node, e);
    if (rc == 0 && r->o->detect)
        rc = redetect_new(r->o->data, node->content, r->o->rules, r->o->rule_count, &r->redetect, e);
    else if (rc == 0)
        rc = reparse_new(r->o->data, node->content, r->o->parsers, &r->reparse, e);
    node_free(&node);
    return rc;
}

/* tell_sent - and after a failure, from where to go on. */
static void tell_sent(const struct replay *r, int rc)
{
    char at[TIME_TEXT_MAX];

    fprintf(stderr, "%s%llu events were acknowledged, %llu refused\n", r->progress ? "\r\033[K" : "", (unsigned long long)resend_sent(r->resend),
            (unsigned long long)resend_refused(r->resend));
    if (rc < 0 && r->any)
        fprintf(stderr, "the last one handed over was of %s\n", time_format_utc(r->last_time, at));
}

static int verdict(struct replay *r)
{
    if (r->resend)
        return resend_refused(r->resend) || !r->events ? EXIT_NO : EXIT_YES;
    if (r->reparse)
        return reparse_show(r->reparse, r->o->json) ? EXIT_NO : EXIT_YES;
    if (r->redetect)
        return redetect_matches(r->redetect) ? EXIT_YES : EXIT_NO;
    return r->events ? EXIT_YES : EXIT_NO;
}

int cmd_replay(int argc, char **argv)
{
    const char *data = getenv("SAQSHY_DATA");
    struct options o = { .data = data ? data : "data", .from = INT64_MIN };
    struct replay r = { .o = &o, .progress = isatty(STDERR_FILENO) == 1 };
    struct query *q = NULL;
    struct err e;
    int rc = take_options(argc, argv, &o, &e), code = EXIT_USAGE;

    if (rc == 0)
        rc = query_parse_with(str_c(o.query), &(struct query_options){ .now = clock_now() }, &q, &e);
    if (rc == 0)
        rc = prepare(&r, &e);
    if (rc == 0)
        rc = walk(&r, q, &e);
    if (rc == 0 && r.resend)
        rc = resend_end(r.resend, &e);
    if (r.resend)
        tell_sent(&r, rc);
    if (rc == 0) {
        progress(&r, true);
        if (r.damaged)
            fprintf(stderr, "saqshy: %llu damaged parts were left out; \"saqshy verify\" names them\n", (unsigned long long)r.damaged);
        code = verdict(&r);
    } else {
        fprintf(stderr, "saqshy: %s\n", e.text);
    }
    query_free(&q);
    reparse_free(&r.reparse);
    redetect_free(&r.redetect);
    resend_close(&r.resend);
    return code;
}
