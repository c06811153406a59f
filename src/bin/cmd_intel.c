/* cmd_intel.c - saqshy intel: indicators of compromise that others publish, kept by source below DATA/intel.
 *
 *      DATA/intel/sources/NAME   what a source said last, a set of its own
 *      DATA/intel/warnings/      warning lists of MISP, as they came
 *      DATA/intel/set            all sources in one, marked by the warning lists: what is asked */
#include "bin/bin.h"
#include "bin/event_print.h"
#include "bin/plain.h"
#include "base/file.h"
#include "ioc/ioc.h"

#include <dirent.h>
#include <getopt.h>
#include <jansson.h>

#define FOUND_MAX    32
#define WARNING_MAX  (64u * MIB)
#define PATH_ROOM    4400

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

static const char *path_of(const struct intel *x, const char *what, const char *name)
{
    static char path[PATH_ROOM];

    snprintf(path, sizeof path, "%.4000s/intel%s%s%s%.255s", x->data, *what ? "/" : "", what, *name ? "/" : "", name);
    return path;
}

static bool name_ok(const char *s)
{
    size_t n = strlen(s);

    return n > 0 && n <= IOC_SOURCE_MAX && *s != '.' && strspn(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_") == n;
}

static int keep(void *arg, const struct ioc *i, struct err *e) { return ioc_build_add(arg, i, e); }

/* take_set - all of a set into the building. */
static int take_set(const char *path, struct ioc_build *b, struct err *e)
{
    struct ioc_set *s = NULL;
    int rc = ioc_open(path, &s, e);

    if (rc == 0)
        rc = ioc_each(s, keep, b, e);
    ioc_close(&s);
    return rc;
}

typedef int each_fn(const struct intel *x, const char *name, void *arg, struct err *e);

/* each_in - the files of a folder; one that is not there has none. */
static int each_in(const struct intel *x, const char *folder, each_fn *fn, void *arg, struct err *e)
{
    DIR *d = opendir(path_of(x, folder, ""));
    const struct dirent *f;
    int rc = 0;

    while (d && rc == 0 && (f = readdir(d)) != NULL)
        if (*f->d_name != '.' && !str_ends(str_c(f->d_name), STR(".tmp")))
            rc = fn(x, f->d_name, arg, e);
    if (d)
        closedir(d);
    return rc;
}

static int source_in(const struct intel *x, const char *name, void *arg, struct err *e) { return take_set(path_of(x, "sources", name), arg, e); }

/* put_text - what others wrote must not drive the terminal. */
static void put_text(FILE *to, const char *before, struct str s)
{
    AUTO_BUF struct buf b;

    buf_init(&b, 4 * IOC_VALUE_MAX);
    plain_put(&b, s, IOC_VALUE_MAX);
    fprintf(to, "%s%.*s", before, STR_ARG(buf_view(&b)));
}

/* warnings_in - a list that cannot be read marks nothing, which is told: without it more is found, not less. */
static int warnings_in(const struct intel *x, const char *name, void *arg, struct err *e)
{
    AUTO_BUF struct buf b;
    const char *path = path_of(x, "warnings", name);
    int rc;

    buf_init(&b, WARNING_MAX + MIB);
    rc = plain_read(path, WARNING_MAX, &b, e);
    if (rc == 0)
        rc = ioc_build_warnings(arg, buf_view(&b), e);
    if (rc < 0 && rc != -ENOMEM) {
        put_text(stderr, "saqshy intel: the warning list \"", str_c(path));
        put_text(stderr, "\" is left out: ", str_c(e->text));
        fputc('\n', stderr);
    }
    return rc == -ENOMEM ? rc : 0;
}

/* rebuild - the set of all sources. */
static int rebuild(const struct intel *x, size_t *count, struct err *e)
{
    struct ioc_build *b = NULL;
    int rc = ioc_build_new(&b, e);

    if (rc == 0)
        rc = each_in(x, "warnings", warnings_in, b, e);
    if (rc == 0)
        rc = each_in(x, "sources", source_in, b, e);
    if (rc == 0)
        rc = ioc_build_write(b, path_of(x, "set", ""), count, e);
    ioc_build_free(&b);
    return rc;
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

static int import_file(const struct intel *x, const char *path, struct ioc_build *b, struct err *e)
{
    AUTO_BUF struct buf text;
    struct ioc_told told;
    struct err why;
    int rc;

    buf_init(&text, IOC_FILE_MAX + MIB);
    rc = plain_read(path, IOC_FILE_MAX, &text, e);
    if (rc < 0)
        return rc;
    rc = ioc_read(buf_view(&text), &x->usual, keep, b, &told, &why);
    if (rc < 0)
        return err_set(e, rc, "%s: %s", path, why.text);
    /* Words that are no list must not take the place of one. */
    if (told.format == IOC_LIST && told.taken == 0 && told.skipped[IOC_SKIP_VALUE] + told.skipped[IOC_SKIP_TYPE])
        return err_set(e, -EBADMSG, "%s: no line of it is an indicator; the source keeps what it had", path);
    tell_file(x, path, &told);
    return 0;
}

static int import(struct intel *x, int count, char **files, struct err *e)
{
    struct ioc_build *b = NULL;
    size_t own = 0, all = 0;
    char path[PATH_ROOM];
    int rc = file_mkdirs(path_of(x, "sources", ""), 0750, e);

    if (rc == 0)
        rc = file_mkdirs(path_of(x, "warnings", ""), 0750, e);
    if (rc == 0)
        rc = ioc_build_new(&b, e);
    snprintf(path, sizeof path, "%s", path_of(x, "sources", x->source));
    if (rc == 0 && x->add && file_exists(path))
        rc = take_set(path, b, e);
    x->usual.source = str_c(x->source);
    for (int i = 0; rc == 0 && i < count; i++)
        rc = import_file(x, files[i], b, e);
    if (rc == 0)
        rc = ioc_build_write(b, path, &own, e);
    ioc_build_free(&b);
    if (rc == 0)
        rc = rebuild(x, &all, e);
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

/* check_one - by its look, and as what only a person can know: what a browser calls itself, a file. */
static size_t check_one(const struct intel *x, const struct ioc_set *s, const char *value)
{
    struct ioc found[FOUND_MAX];
    enum ioc_type look = ioc_guess(str_c(value)), types[] = { look, IOC_AGENT, IOC_FILE, IOC_OTHER };
    size_t n = 0;

    for (size_t t = 0; t < COUNT(types); t++) {
        size_t some = types[t] < IOC_TYPES ? ioc_find(s, types[t], str_c(value), clock_now(), found, FOUND_MAX) : 0;

        for (size_t i = 0; i < some; i++)
            tell_found(x, value, &found[i]);
        n += some;
    }
    return n;
}

static int check(const struct intel *x, int count, char **values, struct err *e)
{
    struct ioc_set *s = NULL;
    char line[IOC_VALUE_MAX + 2];
    size_t found = 0;
    int rc = ioc_open(path_of(x, "set", ""), &s, e);

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

static int list_one(const struct intel *x, const char *name, void *arg, struct err *e)
{
    struct ioc_set *s = NULL;
    int rc = ioc_open(path_of(x, "sources", name), &s, e);

    (void)arg;
    if (rc == 0 && x->json)
        printf("{\"source\":\"%s\",\"indicators\":%zu}\n", name, ioc_count(s));
    else if (rc == 0)
        printf("%-40s %zu\n", name, ioc_count(s));
    ioc_close(&s);
    return rc;
}

static int remove_source(const struct intel *x, struct err *e)
{
    const char *path = path_of(x, "sources", x->source);
    size_t count;

    if (unlink(path) < 0)
        return err_sys(e, "could not remove \"%s\"", path);
    return rebuild(x, &count, e);
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
    case 's': x->source = optarg; return name_ok(optarg);
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
    return count ? err_set(e, -EINVAL, "list takes no \"%s\"", *words) : each_in(x, "sources", list_one, NULL, e);
}

static int remove_words(struct intel *x, int count, char **words, struct err *e)
{
    if (!x->source)
        return err_set(e, -EINVAL, "remove: --source NAME is missing");
    return count ? err_set(e, -EINVAL, "remove takes no \"%s\"", *words) : remove_source(x, e);
}

static int rebuild_words(struct intel *x, int count, char **words, struct err *e)
{
    size_t n;

    return count ? err_set(e, -EINVAL, "rebuild takes no \"%s\"", *words) : rebuild(x, &n, e);
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
