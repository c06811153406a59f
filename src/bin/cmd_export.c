/* cmd_export.c - saqshy export: events of a data directory into files; with --annex4 the text files of Annex 4, which saqshy lint accepts. */
#include "bin/bin.h"
#include "bin/event_print.h"
#include "bin/export.h"
#include "store/store.h"

#include <getopt.h>

#define ROTATE_MIB_DEFAULT 64
#define PROGRESS_EVERY     100000
#define SHORTEST_NS        NS_PER_SECOND   /* a search that cannot hold so short a time is given up */
#define ZONE_DEFAULT       300   /* Kazakhstan's time, since 1 March 2024 */

static const char usage[] =
    "usage: saqshy export [QUERY] --out FOLDER [--annex4 | --original] [--from T] [--to T] [--source ID] [--data DIR] [--by source|class]\n"
    "                     [--rotate-mib N] [--rotate day|none] [--compress zstd|gzip|none] [--zone +05:00] [--unclassified CLASS|skip] [--quiet]\n\n"
    "Writes the events that match, oldest first, into files of FOLDER: a folder for each class, a file for each source, day and 64 MiB.\n"
    "  --annex4         text files as Annex 4 of the Rules wants them: the chapter's fields in their order, ';' and quotes, UTF-8; \"saqshy lint\"\n"
    "                   accepts them. Without it: the flat JSON objects of \"saqshy search --json\", one a line\n"
    "  --original       the lines as they came\n"
    "  --by class       all sources of a class in one file\n"
    "  --zone +05:00    of days, and of times whose source wrote no zone (default +05:00)\n"
    "  --unclassified   the class whose chapter serves for events without one (default app), or skip\n"
    "Files appear whole under their names; one that is there is never written over. Exit 0: written, 1: nothing matched, 2: it could not be done.\n";

struct arguments {
    const char           *query, *source, *data;
    time_ns               from, to;
    bool                  quiet;
    struct export_options o;
};

struct writing {
    struct export *x;
    struct err    *e;
    int            rc;
    bool           quiet, any;
    time_ns        last_time;    /* of the last one written; what comes before it is known */
    uint64_t       last_seq;
};

static int one_event(void *arg, const struct event *ev)
{
    struct writing *w = arg;
    struct export_counts c;

    if (w->any && (ev->time < w->last_time || (ev->time == w->last_time && ev->seq <= w->last_seq)))
        return 0;
    w->any = true;
    w->last_time = ev->time;
    w->last_seq = ev->seq;
    w->rc = export_add(w->x, ev, w->e);
    c = export_counts(w->x);
    if (!w->quiet && c.events && c.events % PROGRESS_EVERY == 0) {
        char when[TIME_TEXT_MAX];

        fprintf(stderr, "saqshy export: %llu events, %llu files, %llu MiB, at %s\n", (unsigned long long)c.events, (unsigned long long)c.files,
                (unsigned long long)(c.bytes / MIB), time_format_utc(ev->time, when));
    }
    return w->rc < 0;
}

static int query_of(const struct arguments *a, struct query **out, struct err *e)
{
    AUTO_BUF struct buf text;

    buf_init(&text, 0);
    if (a->query && *a->query)
        buf_printf(&text, "(%s)", a->query);
    if (a->source) {
        buf_str(&text, text.n ? STR(" AND saqshy.source:") : STR("saqshy.source:"));
        buf_json(&text, str_c(a->source));
    }
    return query_parse_with(buf_view(&text), &(struct query_options){ .now = clock_now() }, out, e);
}

static int time_of(void *arg, const struct event *ev)
{
    *(time_ns *)arg = ev->time;
    return 1;
}

/* edge - the moment of the first or last event that is selected. False: there is none, or rc is below zero. */
static bool edge(struct store_search s, bool newest, time_ns *at, int *rc, struct err *e)
{
    struct store_stats stats = { 0 };

    *at = INT64_MIN;
    s.oldest_first = !newest;
    s.limit = 1;
    *rc = store_find(&s, time_of, at, &stats, e);
    return *rc == 0 && *at != INT64_MIN;
}

/* windows - all at once, and where more events would have to wait for their turn than a search may hold (store.h, promise 6), in shorter times: from the last one
 * that was written on. */
static int windows(struct store_search s, struct writing *w, struct store_stats *stats, struct err *e)
{
    time_ns at, last, size;
    int rc;

    if (!edge(s, false, &at, &rc, e) || !edge(s, true, &last, &rc, e))
        return rc;
    size = last > at && (uint64_t)last - (uint64_t)at < INT64_MAX ? last - at + 1 : INT64_MAX;
    while (at <= last && at < INT64_MAX) {
        struct store_stats one = { 0 };

        s.from = at;
        s.to = size > last - at ? last + (last < INT64_MAX) : at + size;
        rc = store_find(&s, one_event, w, &one, e);
        stats->damaged_parts = one.damaged_parts > stats->damaged_parts ? one.damaged_parts : stats->damaged_parts;
        if (rc == -E2BIG && size > SHORTEST_NS) {
            size /= 4;
            at = w->any && w->last_time > at ? w->last_time : at;
            continue;
        }
        if (rc < 0 || w->rc < 0)
            return rc;
        at = s.to;
        size = size > INT64_MAX / 2 ? INT64_MAX : size * 2;
    }
    return 0;
}

static int run(const struct arguments *a, struct err *e)
{
    struct store_search s = { .from = a->from, .to = a->to, .oldest_first = true };
    struct store_stats stats = { 0 };
    struct export_counts c = { 0 };
    struct writing w = { .e = e, .quiet = a->quiet };
    struct query *q = NULL;
    char store[4200], journal[4200];
    int rc = query_of(a, &q, e);

    snprintf(store, sizeof store, "%s/store", a->data);
    snprintf(journal, sizeof journal, "%s/journal", a->data);
    s.store_folder = store;
    s.journal_folder = journal;
    s.query = q;
    if (rc == 0 && access(a->data, R_OK) < 0)
        rc = err_sys(e, "could not read the data directory \"%s\"", a->data);
    if (rc == 0)
        rc = export_new(&a->o, &w.x, e);
    if (rc == 0)
        rc = windows(s, &w, &stats, e);
    rc = rc < 0 ? rc : w.rc;
    if (rc == 0)
        rc = export_end(w.x, e);
    if (rc == 0)
        c = export_counts(w.x);
    export_free(&w.x);
    query_free(&q);
    if (rc < 0)
        return rc;
    if (stats.damaged_parts)
        fprintf(stderr, "saqshy: %llu damaged parts were left out; \"saqshy verify\" names them\n", (unsigned long long)stats.damaged_parts);
    fprintf(stderr, "saqshy export: %llu events in %llu files, %llu bytes of text%s", (unsigned long long)c.events, (unsigned long long)c.files,
            (unsigned long long)c.bytes, c.left_out ? "" : "\n");
    if (c.left_out)
        fprintf(stderr, "; %llu events without a class were left out\n", (unsigned long long)c.left_out);
    return c.events ? EXIT_YES : EXIT_NO;
}

/* zone_argument - "+05:00". */
static int zone_argument(const char *text, int32_t *out, struct err *e)
{
    char moment[64];
    time_ns t;
    int offset;

    snprintf(moment, sizeof moment, "2026-01-01T00:00:00%.10s", text);
    if (time_parse_rfc3339(str_c(moment), &t, &offset, NULL) < 0)
        return err_set(e, -EINVAL, "--zone is an offset such as +05:00, not \"%s\"", text);
    *out = offset;
    return 0;
}

/* word_of - the place of a word among others. */
static int word_of(const char *option, const char *word, const char *const *words, size_t count, int *out, struct err *e)
{
    for (size_t i = 0; i < count; i++)
        if (strcmp(word, words[i]) == 0) {
            *out = (int)i;
            return 0;
        }
    return err_set(e, -EINVAL, "%s cannot be \"%s\"; \"saqshy export --help\" tells the usage", option, word);
}

static int mib_argument(const char *text, size_t *bytes, struct err *e)
{
    uint64_t n;

    if (!str_u64(str_c(text), &n) || n > SIZE_MAX / MIB)
        return err_set(e, -EINVAL, "--rotate-mib is a number, not \"%s\"", text);
    *bytes = (size_t)n * MIB;
    return 0;
}

static int class_argument(const char *text, enum event_class *out, struct err *e)
{
    *out = event_class_parse(str_c(text));
    return *out != CLASS_NONE || strcmp(text, "skip") == 0 ? 0 : err_set(e, -EINVAL, "--unclassified is a class or skip, not \"%s\"", text);
}

static const struct option options[] = {
    { "annex4", no_argument, NULL, 'a' },       { "original", no_argument, NULL, 'O' },        { "out", required_argument, NULL, 'o' },
    { "from", required_argument, NULL, 'f' },   { "to", required_argument, NULL, 't' },        { "source", required_argument, NULL, 's' },
    { "data", required_argument, NULL, 'd' },   { "by", required_argument, NULL, 'b' },        { "rotate-mib", required_argument, NULL, 'm' },
    { "rotate", required_argument, NULL, 'r' }, { "compress", required_argument, NULL, 'c' },  { "zone", required_argument, NULL, 'z' },
    { "quiet", no_argument, NULL, 'q' },        { "unclassified", required_argument, NULL, 'u' }, { "help", no_argument, NULL, 'h' },
    { NULL, 0, NULL, 0 },
};

static int take_option(int c, struct arguments *a, time_ns now, struct err *e)
{
    static const char *const by[] = { "source", "class" }, *const rotate[] = { "none", "day" }, *const codings[] = { "zstd", "gzip", "none" };
    int n = 0, rc = 0;

    switch (c) {
    case 'a': a->o.form = EXPORT_ANNEX4; break;
    case 'O': a->o.form = EXPORT_ORIGINAL; break;
    case 'o': a->o.folder = optarg; break;
    case 'f': return time_argument(optarg, now, &a->from, e);
    case 't': return time_argument(optarg, now, &a->to, e);
    case 's': a->source = optarg; break;
    case 'd': a->data = optarg; break;
    case 'm': return mib_argument(optarg, &a->o.rotate_bytes, e);
    case 'q': a->quiet = true; break;
    case 'z': return zone_argument(optarg, &a->o.zone_min, e);
    case 'u': return class_argument(optarg, &a->o.unclassified, e);
    case 'b':
        rc = word_of("--by", optarg, by, COUNT(by), &n, e);
        a->o.by_class = n == 1;
        break;
    case 'r':
        rc = word_of("--rotate", optarg, rotate, COUNT(rotate), &n, e);
        a->o.daily = n == 1;
        break;
    case 'c':
        rc = word_of("--compress", optarg, codings, COUNT(codings), &n, e);
        a->o.coding = (enum export_coding)n;
        break;
    case 'h': fputs(usage, stdout); exit(EXIT_YES);
    default: return err_set(e, -EINVAL, "\"saqshy export --help\" tells the usage");
    }
    return rc;
}

int cmd_export(int argc, char **argv)
{
    const char *data = getenv("SAQSHY_DATA");
    struct arguments a = { .data = data ? data : "data", .from = INT64_MIN, .to = INT64_MAX,
                           .o = { .form = EXPORT_JSON, .daily = true, .rotate_bytes = ROTATE_MIB_DEFAULT * MIB, .zone_min = ZONE_DEFAULT, .unclassified = CLASS_APP } };
    time_ns now = clock_now();
    struct err e = { 0 };
    int c, rc = 0;

    while (rc == 0 && (c = getopt_long(argc, argv, "h", options, NULL)) != -1)
        rc = take_option(c, &a, now, &e);
    if (rc == 0 && (!a.o.folder || argc - optind > 1))
        rc = err_set(&e, -EINVAL, "--out FOLDER and at most one QUERY are expected; \"saqshy export --help\" tells the usage");
    if (rc == 0) {
        a.query = optind < argc ? argv[optind] : NULL;
        rc = run(&a, &e);
    }
    if (rc < 0)
        fprintf(stderr, "saqshy export: %s\n", e.text);
    return rc < 0 ? EXIT_USAGE : rc;
}
