/* cmd_sources.c - saqshy sources: what arrives by which listener and from whom, as the role ingest publishes it in DATA/run. */
#include "bin/bin.h"
#include "base/file.h"

#include <getopt.h>
#include <jansson.h>

#define FILE_MAX      (64u * MIB)
#define RATE_OLD_NS   (2 * NS_PER_MINUTE)   /* a rate of before is none */

static const char usage[] = "usage: saqshy sources --data DIR [--json] [--listeners | --sources]\n\n"
                            "Shows the listeners of the saqshyd on DIR and the sources of its events: how many, how many in the last minute, the last\n"
                            "one, what was refused, not understood, dropped by the kernel, and missing by the numbers that senders give; machines of Windows\n"
                            "with their heartbeats, and how far watched folders are read.\n"
                            "Exit 0: shown, 1: nothing has been published there.\n";

struct arguments {
    const char *data;
    bool        json, listeners, sources;
};

static json_t *load(const char *data, const char *name)
{
    AUTO_BUF struct buf b = { 0 };
    char path[4096];

    buf_init(&b, FILE_MAX + 1);
    snprintf(path, sizeof path, "%.4000s/run/%s", data, name);
    return file_read(path, FILE_MAX, &b, NULL) < 0 ? NULL : json_loadb(b.n ? b.p : "", b.n, 0, NULL);
}

static const char *text(const json_t *o, const char *key)
{
    const char *s = json_string_value(json_object_get(o, key));

    return s && *s ? s : "-";
}

static long long number(const json_t *o, const char *key) { return (long long)json_integer_value(json_object_get(o, key)); }

static long long sum(const json_t *o)
{
    long long n = 0;
    const char *key;
    json_t *v;

    json_object_foreach((json_t *)(uintptr_t)o, key, v)
        n += (long long)json_integer_value(v);
    return n;
}

/* printable - names come from senders: control bytes would move the cursor of whoever looks. */
static const char *printable(const char *s, char out[64])
{
    size_t n = 0;

    for (; *s && n < 60; s++)
        out[n++] = (unsigned char)*s < 32 || *s == 127 ? '?' : *s;
    out[n] = 0;
    return out;
}

static long long rate(const json_t *source, time_ns now)
{
    time_ns last;

    if (time_parse_rfc3339(str_c(text(source, "last_seen")), &last, NULL, NULL) < 0 || now - last > RATE_OLD_NS)
        return 0;
    return number(source, "rate_min");
}

static void show_listeners(const json_t *all)
{
    const json_t *l;
    size_t i;

    printf("%-20s %-12s %-24s %6s %12s %9s %9s %9s %8s %7s  %s\n", "LISTENER", "KIND", "ADDRESS", "CONN", "EVENTS", "A MINUTE", "REFUSED",
           "UNPARSED", "DROPPED", "AWAY", "LAST EVENT");
    json_array_foreach(all, i, l)
        printf("%-20s %-12s %-24s %6lld %12lld %9lld %9lld %9lld %8lld %7lld  %s\n", text(l, "id"), text(l, "kind"), text(l, "address"),
               number(l, "connections"), number(l, "events"), number(l, "rate_min"), sum(json_object_get(l, "refused")), number(l, "unparsed"),
               number(l, "kernel_drops"), sum(json_object_get(l, "turned_away")), text(l, "last_event"));
}

/* show_machines - what some kinds of listeners know besides: machines of Windows, how far each is with each of its subscriptions; watched folders. */
static void show_machines(const json_t *all)
{
    const json_t *l, *m;
    bool headed = false;
    size_t i, k;

    json_array_foreach(all, i, l)
        json_array_foreach(json_object_get(l, "machines"), k, m) {
            char machine[64], subscription[64], peer[64];

            if (!headed)
                printf("\n%-40s %-24s %-20s %12s %-30s  %s\n", "MACHINE", "SUBSCRIPTION", "ADDRESS", "EVENTS", "HEARTBEAT", "LAST EVENT");
            headed = true;
            printf("%-40s %-24s %-20s %12lld %-30s  %s", printable(text(m, "machine"), machine), printable(text(m, "subscription"), subscription),
                   printable(text(m, "address"), peer), number(m, "events"), text(m, "heartbeat"), text(m, "last_event"));
            if (number(m, "foreign"))
                printf("  [of other computers: %lld]", number(m, "foreign"));
            if (number(m, "repeated"))
                printf("  [repeated: %lld]", number(m, "repeated"));
            if (json_is_true(json_object_get(m, "silent")))
                fputs("  [silent]", stdout);
            if (json_object_get(m, "ended"))
                printf("  [ended: %lld]", number(m, "fault"));
            putchar('\n');
        }
    json_array_foreach(all, i, l)
        if (json_object_get(l, "behind_bytes"))
            printf("\nfolder %s: %lld files, %lld of them not read to their end, %lld bytes behind, %lld damaged\n", text(l, "id"), number(l, "files"),
                   number(l, "reading"), number(l, "behind_bytes"), number(l, "damaged"));
    json_array_foreach(all, i, l)
        if (*text(l, "subscriptions_error") && strcmp(text(l, "subscriptions_error"), "-") != 0)
            printf("\nlistener %s keeps its former subscriptions: %s\n", text(l, "id"), text(l, "subscriptions_error"));
}

/* connections - that the source's address has at its listener; -1: not among those that are shown. */
static long long connections(const json_t *source, const json_t *peers)
{
    const json_t *p;
    size_t i;

    json_array_foreach(peers, i, p)
        if (strcmp(text(p, "address"), text(source, "peer")) == 0 && strcmp(text(p, "listener"), text(source, "listener")) == 0)
            return number(p, "connections");
    return -1;
}

/* show_remarks - what is odd about a source's clock and encoding, behind its row. */
static void show_remarks(const json_t *source)
{
    static const struct { const char *kind, *words; } kinds[] = {
        { "zone", "clock off by a zone" }, { "old_zone", "zone data from before 2024-03-01" }, { "off", "clock is wrong" },
        { "late", "lines come late" },
    };
    const json_t *skew = json_object_get(source, "skew");
    char encoding[64];

    for (size_t i = 0; i < COUNT(kinds); i++)
        if (strcmp(text(skew, "kind"), kinds[i].kind) == 0)
            printf("  [%s: %+lld s]", kinds[i].words, -number(skew, "median_s"));
    if (number(source, "not_utf8"))
        printf("  [not UTF-8: %lld lines, %s]", number(source, "not_utf8"), printable(text(source, "encoding"), encoding));
    putchar('\n');
}

static void show_sources(const json_t *all, const json_t *peers)
{
    time_ns now = clock_now();
    const json_t *s;
    size_t i;

    printf("%-40s %-16s %-20s %6s %12s %9s %9s %7s %-10s  %s\n", "SOURCE", "LISTENER", "ADDRESS", "CONN", "EVENTS", "A MINUTE", "UNPARSED", "MISSING",
           "OBJECT", "LAST EVENT");
    json_array_foreach(all, i, s) {
        char id[64], peer[64], object[64], conn[24] = "-";
        long long n = connections(s, peers);

        if (n >= 0)
            snprintf(conn, sizeof conn, "%lld", n);
        printf("%-40s %-16s %-20s %6s %12lld %9lld %9lld %7lld %-10s  %s", printable(text(s, "id"), id), text(s, "listener"),
               printable(text(s, "peer"), peer), conn, number(s, "events"), rate(s, now), number(s, "unparsed"), number(s, "gaps"),
               printable(text(s, "object"), object), text(s, "last_seen"));
        show_remarks(s);
    }
}

static int show(const struct arguments *a)
{
    json_t *ingest = load(a->data, "ingest.json"), *sources = load(a->data, "sources.json");
    const json_t *listeners = json_object_get(ingest, "listeners");
    int rc = ingest || sources ? EXIT_YES : EXIT_NO;

    if (rc == EXIT_NO)
        fprintf(stderr, "saqshy: nothing has been published in \"%s/run\": no role ingest has run there\n", a->data);
    if (rc == EXIT_YES && a->json) {
        json_t *out = json_object();

        if (!a->sources)
            json_object_set(out, "listeners", listeners ? (json_t *)(uintptr_t)listeners : json_null());
        if (!a->sources && json_object_get(ingest, "peers"))
            json_object_set(out, "peers", json_object_get(ingest, "peers"));
        if (!a->listeners)
            json_object_set(out, "sources", sources ? sources : json_null());
        json_dumpf(out, stdout, JSON_INDENT(1));
        putchar('\n');
        json_decref(out);
    } else if (rc == EXIT_YES) {
        if (!a->sources) {
            show_listeners(listeners);
            show_machines(listeners);
        }
        if (!a->sources && !a->listeners)
            putchar('\n');
        if (!a->listeners)
            show_sources(sources, json_object_get(ingest, "peers"));
    }
    json_decref(ingest);
    json_decref(sources);
    return rc;
}

int cmd_sources(int argc, char **argv)
{
    static const struct option options[] = { { "data", required_argument, NULL, 'd' }, { "json", no_argument, NULL, 'j' },
                                             { "listeners", no_argument, NULL, 'l' }, { "sources", no_argument, NULL, 's' },
                                             { "help", no_argument, NULL, 'h' },      { NULL, 0, NULL, 0 } };
    struct arguments a = { 0 };
    int c;

    while ((c = getopt_long(argc, argv, "h", options, NULL)) != -1) {
        switch (c) {
        case 'd': a.data = optarg; break;
        case 'j': a.json = true; break;
        case 'l': a.listeners = true; break;
        case 's': a.sources = true; break;
        default:
            fputs(usage, c == 'h' ? stdout : stderr);
            return c == 'h' ? EXIT_YES : EXIT_USAGE;
        }
    }
    if (!a.data || optind != argc || (a.listeners && a.sources)) {
        fputs(usage, stderr);
        return EXIT_USAGE;
    }
    return show(&a);
}
