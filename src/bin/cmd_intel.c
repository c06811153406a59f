/* cmd_intel.c - saqshy intel: indicators of compromise that others publish, kept by source below DATA/intel (ioc/shelf.h). */
#include "bin/bin.h"
#include "bin/event_print.h"
#include "bin/plain.h"
#include "ioc/shelf.h"

#include <getopt.h>
#include <jansson.h>

#define FOUND_MAX    32

static const char usage[] =
    "usage: saqshy intel import --source NAME [--add] [--type TYPE] [--tlp TLP] [--confidence 0-100] [--days N] [--json] [--data DIR] FILE…\n"
    "       saqshy intel check [--json] [--data DIR] VALUE…       (\"-\": a value a line on standard input)\n"
    "       saqshy intel list [--json] [--data DIR]\n"
    "       saqshy intel remove --source NAME [--data DIR]\n"
    "       saqshy intel rebuild [--data DIR]                      after warning lists in DIR/intel/warnings changed\n\n"
    "Indicators of compromise from STIX 2, MISP and lists (a value a line, CSV with a heading; gzip and zstd are unpacked). An import replaces what the source said before; with\n"
    "--add it comes beside it. What is said of type, TLP, confidence and term in a file counts before the options. Nothing is fetched: files are given.\n"
    "Addresses are found by networks too, names by the names above them, URLs and mail addresses by their hosts; what is on a warning list is marked.\n"
    "DIR: SAQSHY_DATA, else ./data. check: exit 0 where something was found, 1 where nothing was. Otherwise 0, or 2 where it could not be done.\n";

struct intel {
    const char *data, *source;
    struct ioc  usual;
    bool        add, json;
};

/* put_text - what others wrote must not drive the terminal. */
static void put_text(FILE *to, const char *before, struct str s)
{
    AUTO_BUF struct buf b;

    buf_init(&b, 4 * IOC_VALUE_MAX);
    plain_put(&b, s, IOC_VALUE_MAX);
    fprintf(to, "%s%.*s", before, STR_ARG(buf_view(&b)));
}

/* left_out - a warning list that cannot be read marks nothing, which is told: without it more is found, not less. */
static void left_out(void *arg, const char *path, const char *why)
{
    (void)arg;
    put_text(stderr, "saqshy intel: the warning list \"", str_c(path));
    put_text(stderr, "\" is left out: ", str_c(why));
    fputc('\n', stderr);
}

/* --- import --- */

/* json_text - JSON holds UTF-8 only; a list may be written otherwise, and a note is cut. */
static json_t *json_text(struct str s)
{
    AUTO_BUF struct buf b;

    buf_init(&b, 4 * IOC_VALUE_MAX);
    if (str_utf8_valid(s))
        return json_stringn(s.n ? s.p : "", s.n);
    plain_put(&b, s, IOC_VALUE_MAX);
    return json_stringn(b.n ? b.p : "", b.n);
}

static void tell_file(const struct intel *x, const char *path, const struct ioc_told *t)
{
    if (x->json) {
        json_t *skipped = json_object(), *o = json_pack("{s:o, s:s, s:I}", "file", json_text(str_c(path)), "format", ioc_format_name(t->format), "taken", (json_int_t)t->taken);

        for (enum ioc_skip s = 0; s < IOC_SKIPS; s++)
            json_object_set_new(skipped, ioc_skip_name(s), json_integer((json_int_t)t->skipped[s]));
        json_object_set_new(o, "skipped", skipped);
        json_dumpf(o, stdout, JSON_COMPACT);
        puts("");
        json_decref(o);
        return;
    }
    put_text(stdout, "", str_c(path));
    printf(": %s, %llu indicators\n", ioc_format_name(t->format), (unsigned long long)t->taken);
    for (enum ioc_skip s = 0; s < IOC_SKIPS; s++)
        if (t->skipped[s]) {
            printf("  left out, %s: %llu, the first is", ioc_skip_name(s), (unsigned long long)t->skipped[s]);
            put_text(stdout, " ", str_c(t->example[s]));
            putchar('\n');
        }
}

static int import_file(const struct intel *x, const char *path, struct ioc_taking *t, struct err *e)
{
    AUTO_BUF struct buf text;
    struct ioc_told told;
    struct err why;
    int rc;

    buf_init(&text, IOC_FILE_MAX + MIB);
    rc = plain_read(path, IOC_FILE_MAX, &text, e);
    if (rc < 0)
        return rc;
    rc = ioc_taking_file(t, buf_view(&text), &x->usual, &told, &why);
    if (rc < 0)
        return err_set(e, rc, "%s: %s", path, why.text);
    tell_file(x, path, &told);
    return 0;
}

static int import(struct intel *x, int count, char **files, struct err *e)
{
    struct ioc_taking *t = NULL;
    size_t own = 0, all = 0;
    int rc = ioc_taking_begin(x->data, str_c(x->source), x->add, &t, e);

    for (int i = 0; rc == 0 && i < count; i++)
        rc = import_file(x, files[i], t, e);
    if (rc == 0)
        rc = ioc_taking_end(&t, left_out, NULL, &own, &all, e);
    ioc_taking_drop(&t);
    if (rc == 0 && !x->json)
        printf("%s: %zu indicators; the set has %zu\n", x->source, own, all);
    return rc;
}

/* --- asking --- */

static void tell_found(const struct intel *x, const char *value, const struct ioc *i)
{
    AUTO_BUF struct buf until;

    buf_init(&until, 64);
    if (i->until)
        buf_time(&until, i->until);
    if (x->json) {
        const struct { const char *name; struct str text; } rows[] = {
            { "asked", str_c(value) }, { "type", str_c(ioc_type_name(i->type)) }, { "value", i->value }, { "source", i->source }, { "tlp", str_c(ioc_tlp_name(i->tlp)) },
            { "id", i->id }, { "note", i->note }, { "warning", i->warning },
        };
        json_t *o = json_object();

        for (size_t k = 0; k < COUNT(rows); k++)
            json_object_set_new(o, rows[k].name, json_text(rows[k].text));
        json_object_set_new(o, "confidence", i->confidence == IOC_CONFIDENCE_NONE ? json_null() : json_integer(i->confidence));
        json_object_set_new(o, "valid_until", i->until ? json_stringn(until.p, until.n) : json_null());
        json_dumpf(o, stdout, JSON_COMPACT);
        puts("");
        json_decref(o);
        return;
    }
    put_text(stdout, "", str_c(value));
    printf(": %s", ioc_type_name(i->type));
    put_text(stdout, " ", i->value);
    put_text(stdout, " of ", i->source);
    if (i->tlp)
        printf(", TLP:%s", ioc_tlp_name(i->tlp));
    if (i->confidence != IOC_CONFIDENCE_NONE)
        printf(", %u %%", i->confidence);
    if (until.n)
        printf(", until %.*s", STR_ARG(buf_view(&until)));
    if (i->note.n)
        put_text(stdout, ", ", i->note);
    if (i->warning.n)
        put_text(stdout, "; on the warning list ", i->warning);
    putchar('\n');
}

static size_t check_one(const struct intel *x, const struct ioc_set *s, const char *value)
{
    struct ioc found[FOUND_MAX];
    size_t n = ioc_check(s, str_c(value), clock_now(), found, FOUND_MAX);

    for (size_t i = 0; i < n; i++)
        tell_found(x, value, &found[i]);
    return n;
}

static int check(const struct intel *x, int count, char **values, struct err *e)
{
    struct ioc_set *s = NULL;
    char line[IOC_VALUE_MAX + 2];
    size_t found = 0;
    int rc = ioc_shelf_open(x->data, &s, e);

    for (int i = 0; rc == 0 && i < count; i++) {
        if (strcmp(values[i], "-") != 0) {
            found += check_one(x, s, values[i]);
            continue;
        }
        while (fgets(line, sizeof line, stdin)) {
            line[strcspn(line, "\r\n")] = 0;
            if (*line)
                found += check_one(x, s, line);
        }
    }
    ioc_close(&s);
    return rc < 0 ? rc : found > 0;
}

static int list_one(void *arg, const struct ioc_source *s, int rc, struct err *e)
{
    const struct intel *x = arg;

    (void)e;
    if (rc == 0 && x->json)
        printf("{\"source\":\"%s\",\"indicators\":%zu}\n", s->name, s->count);
    else if (rc == 0)
        printf("%-40s %zu\n", s->name, s->count);
    return rc;
}

/* --- the command line --- */

/* takes - what an option takes, for whom wrote something else. */
static const char *takes(int c)
{
    switch (c) {
    case 's': return "--source takes up to 64 letters, digits, \".\", \"-\" and \"_\", and does not begin with \".\"";
    case 't': return "--type takes ip, network, domain, url, hash, email, user_agent, file or other";
    case 'l': return "--tlp takes clear, green, amber, amber+strict or red";
    case 'c': return "--confidence takes a number from 0 to 100";
    default: return "--days takes a number from 1 to 36500";
    }
}

/* option - false: its value is none that it takes. */
static bool option(struct intel *x, int c)
{
    uint64_t n = 0;

    switch (c) {
    case 'd': x->data = optarg; return true;
    case 's': x->source = optarg; return ioc_source_valid(str_c(optarg));
    case 'a': x->add = true; return true;
    case 'j': x->json = true; return true;
    case 't': return (x->usual.type = ioc_type_parse(str_c(optarg))) < IOC_TYPES;
    case 'l': return (x->usual.tlp = ioc_tlp_parse(str_c(optarg))) < IOC_TLP_COUNT;
    case 'c':
        if (!str_u64(str_c(optarg), &n) || n > 100)
            return false;
        x->usual.confidence = (uint8_t)n;
        return true;
    case 'n':
        if (!str_u64(str_c(optarg), &n) || n == 0 || n > 36500)
            return false;
        x->usual.until = clock_now() + (time_ns)n * NS_PER_DAY;
        return true;
    default: return false;
    }
}

static int import_words(struct intel *x, int count, char **files, struct err *e)
{
    if (!x->source)
        return err_set(e, -EINVAL, "import: --source NAME is missing");
    return count ? import(x, count, files, e) : err_set(e, -EINVAL, "import: a file is missing");
}

static int check_words(struct intel *x, int count, char **values, struct err *e)
{
    return count ? check(x, count, values, e) : err_set(e, -EINVAL, "check: a value is missing (\"-\" reads them from standard input, one a line)");
}

static int list_words(struct intel *x, int count, char **words, struct err *e)
{
    return count ? err_set(e, -EINVAL, "list takes no \"%s\"", *words) : ioc_shelf_sources(x->data, list_one, x, e);
}

static int remove_words(struct intel *x, int count, char **words, struct err *e)
{
    size_t n;

    if (!x->source)
        return err_set(e, -EINVAL, "remove: --source NAME is missing");
    return count ? err_set(e, -EINVAL, "remove takes no \"%s\"", *words) : ioc_shelf_remove(x->data, str_c(x->source), left_out, NULL, &n, e);
}

static int rebuild_words(struct intel *x, int count, char **words, struct err *e)
{
    size_t n;

    return count ? err_set(e, -EINVAL, "rebuild takes no \"%s\"", *words) : ioc_shelf_rebuild(x->data, left_out, NULL, &n, e);
}

static int run(struct intel *x, int count, char **words, struct err *e)
{
    static const struct { const char *verb; int (*fn)(struct intel *x, int count, char **words, struct err *e); } verbs[] = {
        { "import", import_words }, { "check", check_words }, { "list", list_words }, { "remove", remove_words }, { "rebuild", rebuild_words },
    };

    for (size_t i = 0; i < COUNT(verbs); i++)
        if (strcmp(words[0], verbs[i].verb) == 0)
            return verbs[i].fn(x, count - 1, words + 1, e);
    return err_set(e, -EINVAL, "\"%s\" is not known: import, check, list, remove or rebuild is expected", words[0]);
}

int cmd_intel(int argc, char **argv)
{
    static const struct option options[] = {
        { "data", required_argument, NULL, 'd' },  { "source", required_argument, NULL, 's' },     { "add", no_argument, NULL, 'a' },       { "json", no_argument, NULL, 'j' },
        { "type", required_argument, NULL, 't' },  { "tlp", required_argument, NULL, 'l' },        { "confidence", required_argument, NULL, 'c' },
        { "days", required_argument, NULL, 'n' },  { "help", no_argument, NULL, 'h' },             { NULL, 0, NULL, 0 },
    };
    struct intel x = { .data = getenv("SAQSHY_DATA"), .usual = { .type = IOC_TYPES, .confidence = IOC_CONFIDENCE_NONE } };
    struct err e;
    int c, rc;

    if (!x.data)
        x.data = "data";
    while ((c = getopt_long(argc, argv, "h", options, NULL)) != -1) {
        if (c == 'h' || c == '?') {
            fputs(usage, c == 'h' ? stdout : stderr);
            return c == 'h' ? EXIT_YES : EXIT_USAGE;
        }
        if (!option(&x, c)) {
            err_set(&e, -EINVAL, "%s, not \"%s\"", takes(c), optarg);
            return wrong_usage("intel", e.text);
        }
    }
    if (optind >= argc)
        return wrong_usage("intel", "import, check, list, remove or rebuild is expected");
    rc = run(&x, argc - optind, argv + optind, &e);
    if (rc < 0) {
        put_text(stderr, "saqshy intel: ", str_c(e.text));   /* it may show a piece of the file */
        fputc('\n', stderr);
    }
    return rc < 0 ? EXIT_USAGE : strcmp(argv[optind], "check") == 0 && rc == 0 ? EXIT_NO : EXIT_YES;
}
