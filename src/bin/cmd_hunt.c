/* cmd_hunt.c - "saqshy hunt --rules DIR [--json] FILE…": rules over files, without a server. */
#include <getopt.h>
#include <unistd.h>

#include "bin/bin.h"
#include "bin/event_print.h"
#include "detect/hunt.h"

static const char usage[] =
    "usage: saqshy hunt --rules DIR [--rules DIR…] [--json] FILE…\n\n"
    "Runs Sigma rules over log files, on all processors. What a file is, its content says: an event log of Windows (EVTX), JSON values\n"
    "(one a line, many lines each, or one array; also Windows events as JSON), else log lines; gzip and zstd are unpacked. Matches are told in\n"
    "the order of the files, and correlations run over all of them in that order. --json: one object a match.\n"
    "Exit 0 if something matched, 1 if nothing did, 2 if rules or a file could not be read.\n";

#define PATH_SHOWN 4200   /* bytes of a path, or of a message with one */

struct output { bool json; };

static int flush(void *arg, struct str text)
{
    (void)arg;
    return fwrite(text.p, 1, text.n, stdout) == text.n ? 0 : -EIO;
}

static int sink(void *arg, const char *file, uint64_t record, const struct event *ev, const struct sigma_match *m, size_t count, struct buf *out)
{
    const struct output *o = arg;

    for (size_t i = 0; i < count; i++) {
        if (o->json) {
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

/* processors - that this process may use; with one the owner does all. */
static unsigned processors(void)
{
    long n = sysconf(_SC_NPROCESSORS_ONLN);

    return n > 1 ? (unsigned)n : 0;
}

static int run(const char *const *rules, size_t rule_count, char **files, int count, bool json)
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
        rule_paths(&where, node->content, NULL, rules, rule_count);
        rc = sigma_load(where.paths, where.count, &s, &e);
    }
    if (rc == 0)
        rc = hunt_new(s, node->content, processors(), &h, &e);
    if (rc == 0) {
        tell_refusals(s);
        rc = hunt_all(h, files, count, json);
    } else {
        tell(e.text);
        rc = EXIT_USAGE;
    }
    hunt_free(&h);
    sigma_free(&s);
    node_free(&node);
    return rc;
}

int cmd_hunt(int argc, char **argv)
{
    static const struct option options[] = { { "rules", required_argument, NULL, 'r' }, { "json", no_argument, NULL, 'j' },
                                             { "help", no_argument, NULL, 'h' }, { 0 } };
    const char *rules[RULE_FOLDERS_MAX];
    size_t rule_count = 0;
    bool json = false;
    int c;

    while ((c = getopt_long(argc, argv, "h", options, NULL)) != -1) {
        if (c == 'r' && rule_count < RULE_FOLDERS_MAX) {
            rules[rule_count++] = optarg;
        } else if (c == 'j') {
            json = true;
        } else {
            fputs(usage, c == 'h' ? stdout : stderr);
            return c == 'h' ? EXIT_YES : EXIT_USAGE;
        }
    }
    if (rule_count == 0 || optind == argc) {
        fputs(usage, stderr);
        return EXIT_USAGE;
    }
    return run(rules, rule_count, argv + optind, argc - optind, json);
}
