/* cmd_conformance.c - saqshy conformance: how far what each source sends keeps to Annex 4, as the role ingest finds it all the time and publishes
 * it in DATA/run/annex4.json. */
#include "bin/bin.h"
#include "bin/event_print.h"
#include "base/file.h"

#include <getopt.h>
#include <jansson.h>

#define FILE_BYTES_MAX (64u * MIB)

static const char usage[] =
    "usage: saqshy conformance --data DIR [--source ID] [--below N] [--findings] [--json] [--lang kk|ru|en]\n\n"
    "Shows how far what each source sends to the saqshyd on DIR keeps to Annex 4: the score of all checks, of the form of its lines and of the fields\n"
    "that the chapter of its class wants, in percent; the worst first. With --findings (or --source) also what falls short: row, how often, line and\n"
    "column, a sample.\n"
    "  --source ID   this source alone\n"
    "  --below N     those whose score is less\n"
    "  --json        an object a line\n"
    "Exit 0: all that were shown have 100, 1: some fall short, or nothing has been published there.\n";

struct arguments {
    const char *data, *source;
    int64_t     below;
    bool        json, findings;
    enum lang   lang;
};

static const char *text(const json_t *o, const char *key)
{
    const char *s = json_string_value(json_object_get(o, key));

    return s ? s : "";
}

static long long number(const json_t *o, const char *key) { return (long long)json_integer_value(json_object_get(o, key)); }

static int64_t score_of(const json_t *s)
{
    const json_t *j = json_object_get(s, "score");

    return json_is_integer(j) ? json_integer_value(j) : -1;
}

static int by_score(const void *a, const void *b)
{
    const json_t *x = *(json_t *const *)a, *y = *(json_t *const *)b;
    int64_t sx = score_of(x), sy = score_of(y);
    int names = strcmp(text(x, "source"), text(y, "source"));

    return sx != sy ? (sx < sy ? -1 : 1) : names ? names : strcmp(text(x, "class"), text(y, "class"));
}

static json_t *load(const char *data)
{
    AUTO_BUF struct buf b;
    char path[4200];

    buf_init(&b, FILE_BYTES_MAX + 1);
    snprintf(path, sizeof path, "%.4000s/run/annex4.json", data);
    return file_read(path, FILE_BYTES_MAX, &b, NULL) < 0 ? NULL : json_loadb(b.n ? b.p : "", b.n, 0, NULL);
}

static void put_percent(struct buf *b, const json_t *s, const char *key)
{
    const json_t *j = json_object_get(s, key);

    if (json_is_integer(j))
        buf_printf(b, "%6lld ", (long long)json_integer_value(j));
    else
        buf_printf(b, "%6s ", "-");
}

static void put_finding(struct buf *b, const json_t *f, const struct catalog *words, enum lang lang)
{
    AUTO_ARENA struct arena a;
    char key[96];
    struct str field, message;

    arena_init(&a, 0);
    snprintf(key, sizeof key, "annex4.field.%.60s", text(f, "field"));
    field = *text(f, "field") ? catalog_text(words, lang, key) : STR("");
    snprintf(key, sizeof key, "annex4.code.%.60s", text(f, "code"));
    message = catalog_format(words, lang, &a, key, "field", field.p, NULL);
    buf_printf(b, "    %-11s %lld/%lld  %lld:%lld  %.*s", text(f, "row"), number(f, "failed"), number(f, "checked"), number(f, "line"), number(f, "column"),
               STR_ARG(message));
    if (*text(f, "sample")) {
        buf_str(b, STR("\n        "));
        plain_put(b, str_c(text(f, "sample")), 200);
    }
    buf_byte(b, '\n');
}

static void put_source(struct buf *b, const json_t *s, const struct arguments *a, const struct catalog *words)
{
    const json_t *change = json_object_get(s, "change"), *f;
    size_t i;

    put_percent(b, s, "score");
    put_percent(b, s, "form_score");
    put_percent(b, s, "field_score");
    buf_str(b, STR(" "));
    plain_column(b, str_c(*text(s, "class") ? text(s, "class") : "-"), 11);
    plain_column(b, str_c(text(s, "format")), 9);
    buf_printf(b, "%9lld %12lld  ", number(s, "judged"), number(s, "seen"));
    plain_put(b, str_c(text(s, "source")), 100);
    if (json_is_object(change))
        buf_printf(b, "  [%s -> %s, %s]", text(change, "before"), text(change, "after"), text(change, "at"));
    buf_byte(b, '\n');
    if (!a->findings && !a->source)
        return;
    json_array_foreach(json_object_get(s, "findings"), i, f)
        put_finding(b, f, words, a->lang);
}

static void put_json(struct buf *b, const json_t *s)
{
    char *line = json_dumps(s, JSON_COMPACT);

    buf_str(b, str_c(line));
    buf_byte(b, '\n');
    free(line);
}

/* show - the rows that were asked for. */
static int show(const struct arguments *a, const json_t *items, const struct catalog *words)
{
    size_t n = json_array_size(items), shown = 0;
    json_t **rows = calloc(n + 1, sizeof *rows);
    int rc = EXIT_YES;

    if (!rows)
        return EXIT_USAGE;
    for (size_t i = 0; i < n; i++)
        rows[i] = json_array_get(items, i);
    qsort(rows, n, sizeof *rows, by_score);
    if (!a->json)
        printf("%6s %6s %6s  %-11s  %-9s  %9s %12s  %s\n", "SCORE", "FORM", "FIELDS", "CLASS", "FORMAT", "JUDGED", "LINES", "SOURCE");
    for (size_t i = 0; i < n; i++) {
        AUTO_BUF struct buf b;

        if ((a->source && strcmp(text(rows[i], "source"), a->source) != 0) || score_of(rows[i]) >= a->below)
            continue;
        buf_init(&b, 0);
        if (a->json)
            put_json(&b, rows[i]);
        else
            put_source(&b, rows[i], a, words);
        fwrite(b.p, 1, b.n, stdout);
        shown++;
        if (score_of(rows[i]) < 100)
            rc = EXIT_NO;
    }
    free(rows);
    if (a->source && !shown) {
        fprintf(stderr, "saqshy conformance: no source \"%s\" was heard since the collector was started\n", a->source);
        return EXIT_NO;
    }
    return rc;
}

static int run(const struct arguments *a, struct err *e)
{
    struct node *node = NULL;
    struct catalog *words = NULL;
    char exe[4096], path[4200];
    json_t *all = load(a->data);
    int rc = node_exe_folder(exe, e);

    if (rc == 0)
        rc = node_default(a->data, exe, &node, e);
    if (rc == 0) {
        snprintf(path, sizeof path, "%s/i18n", node->content);
        rc = catalog_load(path, &words, e);
    }
    if (rc == 0 && !all) {
        fprintf(stderr, "saqshy conformance: nothing has been published in \"%s/run\": no role ingest has run there\n", a->data);
        rc = EXIT_NO;
    } else if (rc == 0) {
        rc = show(a, json_object_get(all, "items"), words);
    }
    json_decref(all);
    catalog_free(&words);
    node_free(&node);
    return rc;
}

int cmd_conformance(int argc, char **argv)
{
    static const struct option options[] = { { "data", required_argument, NULL, 'd' },  { "json", no_argument, NULL, 'j' },
                                             { "source", required_argument, NULL, 's' }, { "below", required_argument, NULL, 'b' },
                                             { "findings", no_argument, NULL, 'f' },     { "lang", required_argument, NULL, 'l' },
                                             { "help", no_argument, NULL, 'h' },         { NULL, 0, NULL, 0 } };
    struct arguments a = { .data = getenv("SAQSHY_DATA"), .below = INT64_MAX, .lang = lang_of_environment() };
    struct err e = { 0 };
    int c, rc;

    while ((c = getopt_long(argc, argv, "h", options, NULL)) != -1) {
        switch (c) {
        case 'd': a.data = optarg; break;
        case 'j': a.json = true; break;
        case 's': a.source = optarg; break;
        case 'f': a.findings = true; break;
        case 'l': a.lang = lang_parse(str_c(optarg), LANG_EN); break;
        case 'b':
            if (!str_i64(str_c(optarg), &a.below))
                return wrong_usage("conformance", "--below wants a number");
            break;
        default:
            fputs(usage, c == 'h' ? stdout : stderr);
            return c == 'h' ? EXIT_YES : EXIT_USAGE;
        }
    }
    if (!a.data || optind != argc)
        return wrong_usage("conformance", a.data ? "too many words" : "--data says whose sources");
    rc = run(&a, &e);
    if (rc < 0)
        fprintf(stderr, "saqshy conformance: %s\n", e.text);
    return rc < 0 ? EXIT_USAGE : rc;
}
