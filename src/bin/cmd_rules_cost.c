/* cmd_rules_cost.c - "saqshy rules cost": what each rule costs a running saqshyd, and which were never fed, from DATA/detect/rules.json. */
#include <getopt.h>

#include <jansson.h>

#include "base/file.h"
#include "bin/bin.h"
#include "bin/event_print.h"
#include "detect/publish.h"

#define TOP_DEFAULT 20
#define TITLE_SHOWN 80

static const char usage[] =
    "usage: saqshy rules cost [--data DIR] [--top N] [--never-fed] [--json]\n\n"
    "Shows the rules that cost the saqshyd on DIR most (--top, 20): their share of the time of all rules, nanoseconds for each event of any kind and\n"
    "for each evaluation, events that came to them, how often their condition was computed, and how often it was true. An exclamation mark: over the\n"
    "budget. --never-fed: instead the rules to whose log source no event came yet. --json: the same rows as one object.\n"
    "DIR: SAQSHY_DATA, else ./data. Exit 0, 1 if there is none, 2 if DIR has no such figures.\n";

static json_int_t count_of(const json_t *o, const char *key) { return json_integer_value(json_object_get(o, key)); }

static int by_cost(const void *a, const void *b)
{
    json_int_t x = count_of(*(const json_t *const *)a, "ns"), y = count_of(*(const json_t *const *)b, "ns");

    return x != y ? (x > y ? -1 : 1) : 0;
}

static struct str text_of(const json_t *o, const char *key)
{
    const char *s = json_string_value(json_object_get(o, key));

    return s ? str_c(s) : STR("");
}

static void put_row(struct buf *b, const json_t *r, json_int_t events, json_int_t all, bool never)
{
    json_int_t ns = count_of(r, "ns"), looked = count_of(r, "looked");

    if (!never)
        buf_printf(b, "%5.1f %%  %8.1f  %8lld  %10lld  %10lld  %8lld  %s ", all ? 100.0 * (double)ns / (double)all : 0.0, events ? (double)ns / (double)events : 0.0,
                   (long long)(looked ? ns / looked : 0), (long long)count_of(r, "events"), (long long)looked, (long long)count_of(r, "matched"),
                   json_is_true(json_object_get(r, "costly")) ? "!" : " ");
    plain_put(b, text_of(r, "title"), TITLE_SHOWN);
    if (never) {
        const json_t *l = json_object_get(r, "logsource");

        buf_str(b, STR("  ("));
        plain_put(b, text_of(l, "product"), TITLE_SHOWN);
        buf_byte(b, '/');
        plain_put(b, text_of(l, "category"), TITLE_SHOWN);
        buf_byte(b, '/');
        plain_put(b, text_of(l, "service"), TITLE_SHOWN);
        buf_byte(b, ')');
    }
    buf_byte(b, '\n');
}

/* pick - the rows to be told, in order; owned by the caller. */
static const json_t **pick(const json_t *list, bool never, size_t *count, json_int_t *all)
{
    const json_t **rows = calloc(json_array_size(list) + 1, sizeof *rows);
    const json_t *r;
    size_t i;

    *count = 0;
    *all = 0;
    json_array_foreach(list, i, r) {
        *all += count_of(r, "ns");
        if (rows && (never ? !json_is_true(json_object_get(r, "fed")) : count_of(r, "ns") > 0))
            rows[(*count)++] = r;
    }
    if (rows && *count && !never)
        qsort(rows, *count, sizeof *rows, by_cost);
    return rows;
}

static int show(const json_t *all, size_t top, bool never, bool json)
{
    const json_t *list = json_object_get(all, "rules");
    json_int_t ns, events = count_of(all, "events");
    size_t count;
    AUTO_FREE const json_t **rows = pick(list, never, &count, &ns);
    AUTO_BUF struct buf b;
    json_t *out = json_array();

    buf_init(&b, PUBLISH_BYTES_MAX);
    if (!json && !never)
        buf_str(&b, STR("  share  ns/event  ns/look      events      looked   matched    rule\n"));
    for (size_t i = 0; rows && i < count && i < top; i++) {
        if (json)
            json_array_append(out, (json_t *)(uintptr_t)rows[i]);
        else
            put_row(&b, rows[i], events, ns, never);
    }
    if (json) {
        json_t *told = json_pack("{s:O,s:I,s:I,s:I,s:o}", "at", json_object_get(all, "at"), "events", events, "ns", ns, "count", (json_int_t)count, "rules", out);
        char *text = json_dumps(told, JSON_COMPACT);

        if (text)
            puts(text);
        free(text);
        json_decref(told);
    } else {
        buf_printf(&b, "%zu of %zu rules %s; %.1f ns of rules an event, %lld events\n", count, json_array_size(list), never ? "were never fed" : "cost something",
                   events ? (double)ns / (double)events : 0.0, (long long)events);
        fwrite(b.p, 1, b.n, stdout);
        json_decref(out);
    }
    return count ? EXIT_YES : EXIT_NO;
}

static int cost(const char *data, size_t top, bool never, bool json, struct err *e)
{
    AUTO_BUF struct buf b;
    char path[4200];
    json_t *all;
    int rc;

    buf_init(&b, PUBLISH_BYTES_MAX + MIB);
    snprintf(path, sizeof path, "%.4000s/detect/rules.json", data);
    rc = file_read(path, PUBLISH_BYTES_MAX, &b, e);
    if (rc == -ENOENT)
        return err_set(e, rc, "there is no \"%s\": no saqshyd has run its detection there yet; name its data directory with --data", path);
    if (rc < 0)
        return rc;
    all = json_loadb(b.p, b.n, 0, NULL);
    rc = json_is_array(json_object_get(all, "rules")) ? show(all, top, never, json) : err_set(e, -EBADMSG, "\"%s\" is damaged", path);
    json_decref(all);
    return rc;
}

int cmd_rules_cost(int argc, char **argv)
{
    static const struct option options[] = { { "json", no_argument, NULL, 'j' }, { "top", required_argument, NULL, 't' }, { "data", required_argument, NULL, 'd' },
                                             { "never-fed", no_argument, NULL, 'n' }, { "help", no_argument, NULL, 'h' }, { 0 } };
    const char *data = getenv("SAQSHY_DATA");
    bool json = false, never = false;
    uint64_t top = 0;
    struct err e;
    int c, rc;

    while ((c = getopt_long(argc, argv, "h", options, NULL)) != -1) {
        if (c == 'j') {
            json = true;
        } else if (c == 'd') {
            data = optarg;
        } else if (c == 'n') {
            never = true;
        } else if (c != 't' || !str_u64(str_c(optarg), &top) || top == 0) {
            fputs(usage, c == 'h' ? stdout : stderr);
            return c == 'h' ? EXIT_YES : EXIT_USAGE;
        }
    }
    if (optind != argc)
        return wrong_usage("rules cost", "no further words are expected");
    rc = cost(data ? data : "data", top ? (size_t)top : never ? SIZE_MAX : TOP_DEFAULT, never, json, &e);
    if (rc < 0)
        fprintf(stderr, "saqshy rules cost: %s\n", e.text);
    return rc < 0 ? EXIT_USAGE : rc;
}
