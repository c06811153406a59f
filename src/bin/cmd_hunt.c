/* cmd_hunt.c - "saqshy hunt --rules DIR [--json] FILE…": rules over files, without a server; "saqshy hunt --store": over what is stored. */
#include <getopt.h>
#include <unistd.h>

#include "bin/bin.h"
#include "bin/event_print.h"
#include "bin/hunt_store.h"
#include "detect/hunt.h"

static const char usage[] =
    "usage: saqshy hunt --rules DIR [--rules DIR…] [--json] FILE…\n"
    "       saqshy hunt --store [--data DIR] [--rules DIR…] [--from T] [--to T] [--object ID…] [--json]\n\n"
    "Runs Sigma rules over log files, on all processors. What a file is, its content says: an event log of Windows (EVTX), JSON values\n"
    "(one a line, many lines each, or one array; also Windows events as JSON), else log lines; gzip and zstd are unpacked. Matches are told in\n"
    "the order of the files, and correlations run over all of them in that order. --json: one object a match.\n"
    "With --store the events are those that DIR holds (default: SAQSHY_DATA, else ./data), in the order in which they came; without --rules the rules are\n"
    "those of the detection of DIR. The file is then \"store\", the record the event's number.\n"
    "  --from, --to  2026-03-20T23:50:00+05:00, 2026-03-20, now-15m: the time of events; from is part of the range, to is not\n"
    "  --object ID   only events of this object of the registry; may be repeated\n"
    "Exit 0 if something matched, 1 if nothing did, 2 if rules or a file could not be read.\n";

#define PATH_SHOWN 4200   /* bytes of a path, or of a message with one */

struct output { bool json; };

static int flush(void *arg, struct str text)
{
    (void)arg;
    return fwrite(text.p, 1, text.n, stdout) == text.n ? 0 : -EIO;
}

int hunt_print(bool json, const char *file, uint64_t record, const struct event *ev, const struct sigma_match *m, size_t count, struct buf *out)
{
    for (size_t i = 0; i < count; i++) {
        if (json) {
            hunt_match_json(file, record, ev, &m[i], out);
            buf_byte(out, '\n');
            continue;
        }
        plain_put(out, str_c(file), PATH_SHOWN);
        buf_printf(out, ":%llu  ", (unsigned long long)record);
        buf_time(out, ev->time);
        buf_printf(out, "  %s  ", sigma_level_name(m[i].rule->level));
        plain_put(out, m[i].rule->title, 200);
        if (m[i].rule->correlation) {
            buf_printf(out, "  (%llu events) ", (unsigned long long)m[i].count);
            plain_put(out, m[i].group, 200);
        }
        for (size_t k = 0; k < m[i].hit_count; k++) {
            buf_str(out, STR("\n    "));
            plain_put(out, m[i].hits[k].field, 100);
            buf_str(out, STR(": "));
            plain_put(out, m[i].hits[k].value, 300);
        }
        buf_byte(out, '\n');
    }
    return 0;
}

static int sink(void *arg, const char *file, uint64_t record, const struct event *ev, const struct sigma_match *m, size_t count, struct buf *out)
{
    const struct output *o = arg;

    return hunt_print(o->json, file, record, ev, m, count, out);
}

/* tell - a message; names of files are a stranger's as much as what stands in them. */
static void tell(const char *what)
{
    AUTO_BUF struct buf b;

    buf_init(&b, 64 * KIB);
    plain_put(&b, str_c(what), PATH_SHOWN);
    fprintf(stderr, "saqshy hunt: %.*s\n", STR_ARG(buf_view(&b)));
}

static void complain(void *arg, const char *file, uint64_t record, const char *what)
{
    AUTO_BUF struct buf b;

    (void)arg;
    buf_init(&b, 64 * KIB);
    buf_str(&b, STR("saqshy hunt: "));
    plain_put(&b, str_c(file), PATH_SHOWN);
    buf_printf(&b, ", record %llu, skipping: ", (unsigned long long)record);
    plain_put(&b, str_c(what), PATH_SHOWN);
    fprintf(stderr, "%.*s\n", STR_ARG(buf_view(&b)));
}

static void tell_refusals(const struct sigma *s)
{
    size_t broken = 0, unsupported = 0;

    for (size_t i = 0; i < sigma_refusal_count(s); i++) {
        const struct sigma_refusal *r = sigma_refusal_at(s, i);

        broken += r->verdict == SIGMA_BROKEN;
        unsupported += r->verdict == SIGMA_UNSUPPORTED;
    }
    if (broken || unsupported)
        fprintf(stderr, "saqshy hunt: %zu rules loaded, %zu not supported and %zu broken are left out (saqshy rules check tells which)\n",
                sigma_rule_count(s), unsupported, broken);
}

static int hunt_all(struct hunt *h, char **files, int count, bool json)
{
    struct output o = { .json = json };
    struct hunt_stats stats = { 0 };
    struct err e = { 0 };
    bool unread = false;

    hunt_tell(h, &(struct hunt_listener){ .arg = &o, .sink = sink, .flush = flush, .say = complain });
    for (int i = 0; i <= count; i++) {
        e = (struct err){ 0 };
        if ((i < count ? hunt_file(h, files[i], &e) : hunt_end(h, &stats, &e)) < 0) {
            tell(e.text[0] ? e.text : "could not write the matches");
            unread = true;
        }
    }
    if (!json)
        fprintf(stderr, "%llu events, %llu matches\n", (unsigned long long)stats.events, (unsigned long long)stats.matches);
    return unread ? EXIT_USAGE : stats.matches ? EXIT_YES : EXIT_NO;
}

unsigned hunt_processors(void)
{
    long n = sysconf(_SC_NPROCESSORS_ONLN);

    return n > 1 ? (unsigned)n : 0;
}

struct options {
    const char *rules[RULE_FOLDERS_MAX];
    size_t      rule_count;
    bool        json, store, bounded;
    struct hunt_store_options of_store;
    struct buf  objects;
};

static int run(const struct options *o, char **files, int count)
{
    struct node *node = NULL;
    struct sigma *s = NULL;
    struct hunt *h = NULL;
    char exe[4096];
    struct err e = { 0 };
    struct rule_paths where;
    int rc = node_exe_folder(exe, &e);

    if (rc == 0)
        rc = node_default(NULL, exe, &node, &e);
    if (rc == 0) {
        rule_paths(&where, node->content, o->store ? o->of_store.data : NULL, o->rules, o->rule_count);
        rc = sigma_load(where.paths, where.count, &s, &e);
    }
    if (rc == 0 && !o->store)
        rc = hunt_new(s, node->content, hunt_processors(), &h, &e);
    if (rc == 0) {
        tell_refusals(s);
        rc = o->store ? hunt_store(s, &o->of_store, &e) : hunt_all(h, files, count, o->json);
    }
    if (rc < 0) {
        tell(e.text);
        rc = EXIT_USAGE;
    }
    hunt_free(&h);
    sigma_free(&s);
    node_free(&node);
    return rc;
}

static const struct option long_options[] = {
    { "rules", required_argument, NULL, 'r' }, { "json", no_argument, NULL, 'j' }, { "store", no_argument, NULL, 's' }, { "data", required_argument, NULL, 'd' },
    { "from", required_argument, NULL, 'f' }, { "to", required_argument, NULL, 't' }, { "object", required_argument, NULL, 'o' },
    { "help", no_argument, NULL, 'h' }, { 0 },
};

/* take_options - 0, 1: help was asked for, below 0: *e tells, or the usage does. */
static int take_options(int argc, char **argv, struct options *o, struct err *e)
{
    time_ns now = clock_now();
    int c, rc = 0;

    while (rc == 0 && (c = getopt_long(argc, argv, "h", long_options, NULL)) != -1) {
        o->bounded = o->bounded || (c > 0 && strchr("dfto", c));
        switch (c) {
        case 'r':
            if (o->rule_count == RULE_FOLDERS_MAX)
                return err_set(e, -EINVAL, "--rules is taken %d times at most", RULE_FOLDERS_MAX);
            o->rules[o->rule_count++] = optarg;
            break;
        case 'j': o->json = o->of_store.json = true; break;
        case 's': o->store = true; break;
        case 'd': o->of_store.data = optarg; break;
        case 'f': rc = time_argument(optarg, now, &o->of_store.from, e); break;
        case 't': rc = time_argument(optarg, now, &o->of_store.to, e); break;
        case 'o':
            if (!*optarg || strchr(optarg, ' '))
                return err_set(e, -EINVAL, "--object needs the id of an object, not \"%s\"", optarg);
            buf_printf(&o->objects, "%s%s", o->objects.n ? " " : "", optarg);
            break;
        case 'h': return 1;
        default: return -EINVAL;
        }
    }
    if (rc == 0 && (o->store ? optind != argc : o->rule_count == 0 || optind == argc))
        return -EINVAL;
    if (rc == 0 && o->bounded && !o->store)
        return err_set(e, -EINVAL, "--data, --from, --to and --object go with --store");
    if (rc == 0 && o->of_store.from >= o->of_store.to)
        return err_set(e, -EINVAL, "--to must be later than --from");
    return rc;
}

int cmd_hunt(int argc, char **argv)
{
    const char *data = getenv("SAQSHY_DATA");
    struct options o = { .of_store = { .data = data ? data : "data", .from = INT64_MIN, .to = INT64_MAX, .workers = hunt_processors() } };
    struct err e = { 0 };
    int rc;

    buf_init(&o.objects, 64 * KIB);
    rc = take_options(argc, argv, &o, &e);
    o.of_store.objects = buf_view(&o.objects);
    if (rc == 0) {
        rc = run(&o, argv + optind, argc - optind);
    } else if (rc < 0 && e.text[0]) {
        tell(e.text);
        rc = EXIT_USAGE;
    } else {
        fputs(usage, rc == 1 ? stdout : stderr);
        rc = rc == 1 ? EXIT_YES : EXIT_USAGE;
    }
    buf_free(&o.objects);
    return rc;
}
