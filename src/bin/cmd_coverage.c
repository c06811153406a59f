/* cmd_coverage.c - saqshy coverage: what arrives of what Annex 4 wants, as the role detect counts it and publishes it in DATA/detect/coverage.json. */
#include "bin/bin.h"
#include "bin/event_print.h"
#include "base/file.h"
#include "desk/collection/coverage.h"

#include <getopt.h>
#include <jansson.h>

#define FILE_BYTES_MAX (256u * MIB)

static const char usage[] =
    "usage: saqshy coverage --data DIR [--object ID] [--class CLASS] [--gaps] [--sources | --rules] [--json | --csv] [--lang kk|ru|en]\n\n"
    "Shows what arrives at the saqshyd on DIR, held against Annex 4 of the Rules: for each object and class of its sources each type of event that\n"
    "the chapter wants, whether it arrives, is late or never came, how many, when last, and which fields it lacks.\n"
    "  --object ID    this object alone (\"-\": sources that are assigned to none)\n"
    "  --class CLASS  os-unix, os-windows, db, net, fw, app or sec alone\n"
    "  --gaps         what is late or never came alone\n"
    "  --sources      source by source instead\n"
    "  --rules        rules that no event ever reached instead, by the log source they wait for\n"
    "  --json         an object a line\n"
    "  --csv          a table, a line for each type: evidence for the annual check\n"
    "Exit 0: all that is wanted arrives, 1: something is late or never came, or nothing has been published there.\n";

struct arguments {
    const char *data, *object, *class;
    bool        gaps, sources, rules, json, csv;
    enum lang   lang;
};

static const char *text(const json_t *o, const char *key)
{
    const char *s = json_string_value(json_object_get(o, key));

    return s ? s : "";
}

static long long number(const json_t *o, const char *key) { return (long long)json_integer_value(json_object_get(o, key)); }

static json_t *load(const char *data, const char *name)
{
    AUTO_BUF struct buf b;
    char path[4200];

    buf_init(&b, FILE_BYTES_MAX + 1);
    snprintf(path, sizeof path, "%.4000s/detect/%s", data, name);
    return file_read(path, FILE_BYTES_MAX, &b, NULL) < 0 ? NULL : json_loadb(b.n ? b.p : "", b.n, 0, NULL);
}

static void put_json(const json_t *o)
{
    AUTO_FREE char *line = json_dumps(o, JSON_COMPACT);

    printf("%s\n", line ? line : "null");
}

static void put_names(struct buf *b, const char *head, const json_t *list)
{
    const json_t *f;
    size_t i;

    json_array_foreach(list, i, f)
        buf_printf(b, "%s%s", i ? ", " : head, json_string_value(f));
}

static void put_row(struct buf *b, const char *name, const json_t *o, const char *words)
{
    const char *last = text(o, "last_at");

    buf_printf(b, "    %-8s %-9s %12lld %10.4g/h  %-20s  ", name, text(o, "state"), number(o, "events"), json_number_value(json_object_get(o, "rate_h")), *last ? last : "-");
    plain_put(b, str_c(words), 110);
    put_names(b, "; lacks ", json_object_get(o, "lacks"));
    buf_byte(b, '\n');
}

static bool is_gap(const json_t *o) { return strcmp(text(o, "state"), "arriving") != 0; }

/* put_part - an object and class. Returns how many wanted types are late or never came. */
static long long put_part(struct buf *b, const json_t *p, const struct arguments *a)
{
    const json_t *object = json_object_get(p, "object"), *t;
    size_t i;

    plain_put(b, str_c(json_is_object(object) ? text(object, "id") : "-"), 60);
    if (!*text(p, "class")) {
        buf_str(b, STR("  nothing came of it\n"));
        return 1;
    }
    buf_printf(b, "  %s  %lld sources (%lld silent)  %lld events; %lld types arriving, %lld late, %lld never came\n", text(p, "class"), number(p, "sources"), number(p, "silent"),
               number(p, "events"), number(p, "arriving"), number(p, "late"), number(p, "never"));
    json_array_foreach(json_object_get(p, "types"), i, t)
        if (!a->gaps || is_gap(t))
            put_row(b, text(t, "type"), t, text(t, "title"));
    return number(p, "late") + number(p, "never");
}

static long long put_source(struct buf *b, const json_t *s, const struct arguments *a)
{
    const json_t *t;
    size_t i;

    plain_put(b, str_c(text(s, "source")), 100);
    buf_printf(b, "  %s  %s  %lld events  last %s  %.4g/h", *text(s, "class") ? text(s, "class") : "-", is_gap(s) ? "silent" : "arriving", number(s, "events"), text(s, "last_at"),
               json_number_value(json_object_get(s, "rate_h")));
    put_names(b, "; lacks ", json_object_get(s, "lacks"));
    buf_byte(b, '\n');
    json_array_foreach(json_object_get(s, "types"), i, t)
        if (!a->gaps || is_gap(t))
            put_row(b, text(t, "type"), t, "");
    return is_gap(s);
}

static long long put_waiting(struct buf *b, const json_t *w, const struct arguments *a)
{
    const char *const names[] = { "product", "category", "service" };
    const json_t *r;
    size_t i;

    (void)a;
    buf_printf(b, "%5lld  ", number(w, "count"));
    for (size_t k = 0; k < COUNT(names); k++)
        if (*text(w, names[k])) {
            buf_printf(b, "%s ", names[k]);
            plain_put(b, str_c(text(w, names[k])), 60);
            buf_str(b, STR("  "));
        }
    buf_byte(b, '\n');
    json_array_foreach(json_object_get(w, "rules"), i, r) {
        buf_printf(b, "           %-13s ", text(r, "level"));
        plain_put(b, str_c(text(r, "title")), 100);
        buf_byte(b, '\n');
    }
    return 1;
}

/* show - each of the list in its form. */
static int show(const json_t *list, long long (*put)(struct buf *, const json_t *, const struct arguments *), const struct arguments *a)
{
    const json_t *o;
    long long gaps = 0;
    size_t i;

    json_array_foreach(list, i, o) {
        AUTO_BUF struct buf b;

        buf_init(&b, 0);
        gaps += put(&b, o, a);
        if (a->json)
            put_json(o);
        else
            fwrite(b.p, 1, b.n, stdout);
    }
    return gaps ? EXIT_NO : EXIT_YES;
}

static int show_table(const json_t *parts, const struct catalog *words, const struct arguments *a, struct err *e)
{
    AUTO_BUF struct buf b;
    const json_t *p;
    long long gaps = 0;
    size_t i;
    int rc;

    buf_init(&b, 0);
    rc = coverage_table(parts, words, a->lang, clock_now(), &b, e);
    if (rc == 0)
        rc = file_write_all(1, buf_view(&b), e);
    json_array_foreach(parts, i, p)
        gaps += number(p, "late") + number(p, "never");
    return rc < 0 ? rc : gaps ? EXIT_NO : EXIT_YES;
}

static int nothing(const struct arguments *a, const char *name)
{
    fprintf(stderr, "saqshy coverage: nothing has been published as \"%s/detect/%s\": no role detect has run there\n", a->data, name);
    return EXIT_NO;
}

static int show_rules(const struct arguments *a)
{
    json_t *rules = load(a->data, "rules.json"), *waiting = coverage_waiting(rules, a->lang);
    int rc = rules ? show(waiting, put_waiting, a) : nothing(a, "rules.json");

    json_decref(waiting);
    json_decref(rules);
    return rc;
}

static int show_coverage(const struct arguments *a, const struct edition *edition, const struct catalog *words, struct err *e)
{
    json_t *all = load(a->data, "coverage.json"), *list;
    struct coverage_view v = { .all = all, .object = str_c(a->object), .class = str_c(a->class), .edition = edition, .lang = a->lang };
    int rc;

    if (!all)
        return nothing(a, "coverage.json");
    list = a->sources ? coverage_sources(&v) : coverage_parts(&v);
    if (a->csv)
        rc = show_table(list, words, a, e);
    else
        rc = show(list, a->sources ? put_source : put_part, a);
    if (json_array_size(list) == 0)
        fprintf(stderr, "saqshy coverage: no such source has been counted\n");
    rc = rc == EXIT_YES && json_array_size(list) == 0 ? EXIT_NO : rc;
    json_decref(list);
    json_decref(all);
    return rc;
}

static int run(const struct arguments *a, struct err *e)
{
    struct node *node = NULL;
    struct catalog *words = NULL;
    struct edition *edition = NULL;
    char exe[4096], path[4300];
    int rc = node_exe_folder(exe, e);

    if (rc == 0)
        rc = node_default(a->data, exe, &node, e);
    if (rc == 0) {
        snprintf(path, sizeof path, "%.4000s/i18n", node->content);
        rc = catalog_load(path, &words, e);
    }
    if (rc == 0) {
        snprintf(path, sizeof path, "%.4000s/editions/%.200s", node->content, node->edition);
        rc = edition_load(path, &edition, e);
    }
    if (rc == 0)
        rc = a->rules ? show_rules(a) : show_coverage(a, edition, words, e);
    edition_free(&edition);
    catalog_free(&words);
    node_free(&node);
    return rc;
}

int cmd_coverage(int argc, char **argv)
{
    static const struct option options[] = { { "data", required_argument, NULL, 'd' },  { "json", no_argument, NULL, 'j' },    { "object", required_argument, NULL, 'o' },
                                             { "class", required_argument, NULL, 'c' }, { "gaps", no_argument, NULL, 'g' },    { "sources", no_argument, NULL, 's' },
                                             { "rules", no_argument, NULL, 'r' },       { "csv", no_argument, NULL, 'v' },     { "lang", required_argument, NULL, 'l' },
                                             { "help", no_argument, NULL, 'h' },        { NULL, 0, NULL, 0 } };
    struct arguments a = { .data = getenv("SAQSHY_DATA"), .lang = lang_of_environment() };
    struct err e = { 0 };
    int c, rc;

    while ((c = getopt_long(argc, argv, "h", options, NULL)) != -1) {
        switch (c) {
        case 'd': a.data = optarg; break;
        case 'j': a.json = true; break;
        case 'v': a.csv = true; break;
        case 'o': a.object = optarg; break;
        case 'c': a.class = optarg; break;
        case 'g': a.gaps = true; break;
        case 's': a.sources = true; break;
        case 'r': a.rules = true; break;
        case 'l': a.lang = lang_parse(str_c(optarg), LANG_EN); break;
        default:
            fputs(usage, c == 'h' ? stdout : stderr);
            return c == 'h' ? EXIT_YES : EXIT_USAGE;
        }
    }
    if (!a.data || optind != argc)
        return wrong_usage("coverage", a.data ? "too many words" : "--data says whose events");
    if ((a.sources && a.rules) || (a.json && a.csv) || (a.csv && (a.sources || a.rules)))
        return wrong_usage("coverage", "of --sources and --rules, of --json and --csv one; --csv is of types alone");
    rc = run(&a, &e);
    if (rc < 0)
        fprintf(stderr, "saqshy coverage: %s\n", e.text);
    return rc < 0 ? EXIT_USAGE : rc;
}
