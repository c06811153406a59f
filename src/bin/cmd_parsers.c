/* cmd_parsers.c - "saqshy parsers": which parsers as data are loaded, whether their samples hold, and a draft of a new one.
 *
 * Needs no daemon: the files are those beside the program, and with --data those of a data directory before them. */
#include <getopt.h>
#include <unistd.h>

#include "base/file.h"
#include "bin/bin.h"
#include "parse/parse.h"

#define DRAFT_BYTES_MAX (8u * MIB)

static const char usage[] =
    "usage: saqshy parsers [--data DIR] [--json]\n"
    "       saqshy parsers test [DIR] [--json]\n"
    "       saqshy parsers draft FILE [--id ID]\n\n"
    "Without a word: the parsers as data, and of a refused file the place and the reason.\n"
    "test   loads the files of DIR before our own, and runs all samples against all parsers together\n"
    "draft  makes a parser's file from lines of one shape (\"-\" is standard input); look at the names it gave before you use it\n"
    "Exit 0 if all are loaded and hold, 1 if not, 2 if something cannot be read.\n";

struct asked {
    const char *own; /* a folder before ours */
    const char *data, *id;
    bool json;
};

static int open_parsers(const struct asked *a, struct parser **out, struct err *e)
{
    struct parse_options o = { .zone_min = 0 };
    struct node *node = NULL;
    char exe[4096], ours[4200], own[4096];
    size_t n = 0;
    const char *named = a->own ? a->own : a->data;
    int rc = node_exe_folder(exe, e);

    if (rc == 0 && named && access(named, R_OK | X_OK) < 0)
        rc = err_sys(e, "could not open \"%s\"", named);
    if (rc == 0)
        rc = node_default(a->data, exe, &node, e);
    if (rc < 0)
        return rc;
    if (a->own)
        o.folders[n++] = a->own;
    else if (a->data)
        o.folders[n++] = node_path(node, "parsers", own);
    snprintf(ours, sizeof ours, "%s/parsers", node->content);
    if (!a->own || strcmp(a->own, ours) != 0)
        o.folders[n] = ours;
    node_free(&node);
    return parse_open(&o, out, e);
}

static void put_product(const struct parse_product *p, bool json, struct buf *b)
{
    if (!json) {
        buf_printf(b, "%-9s %-20.*s %-10s %3zu patterns %3zu samples  %.*s\n", p->loaded ? p->why ? "old" : "loaded" : "refused",
                   STR_ARG(p->id), event_class_name(p->class), p->patterns, p->samples, STR_ARG(p->title));
        if (p->why)
            buf_printf(b, "          %s\n", p->why);
        return;
    }
    buf_str(b, STR("{\"id\":"));
    buf_json(b, p->id);
    buf_str(b, STR(",\"title\":"));
    buf_json(b, p->title);
    buf_printf(b, ",\"class\":\"%s\",\"file\":", event_class_name(p->class));
    buf_json(b, str_c(p->file));
    buf_printf(b, ",\"patterns\":%zu,\"samples\":%zu,\"loaded\":%s,\"reason\":", p->patterns, p->samples, p->loaded ? "true" : "false");
    if (p->why)
        buf_json(b, str_c(p->why));
    else
        buf_str(b, STR("null"));
    buf_str(b, STR("}\n"));
}

static int list(const struct parser *p, bool json)
{
    struct parse_product product;
    size_t n = 0, refused = 0;
    AUTO_BUF struct buf b;

    buf_init(&b, 0);
    for (; parse_product(p, n, &product); n++) {
        put_product(&product, json, &b);
        refused += product.why != NULL && !product.loaded;
    }
    if (!json)
        buf_printf(&b, "%zu loaded, %zu refused\n", n - refused, refused);
    fwrite(b.p, 1, b.n, stdout);
    return refused ? EXIT_NO : EXIT_YES;
}

static void failed(void *arg, const char *story)
{
    struct buf *b = arg;

    buf_str(b, str_c(story));
    buf_byte(b, '\n');
}

/* test - refused files and samples that do not hold, a story each. */
static int test(const struct parser *p, bool json, struct err *e)
{
    struct parse_product product;
    struct str rest, line;
    size_t stories = 0;
    int64_t samples;
    AUTO_BUF struct buf b;

    buf_init(&b, 0);
    for (size_t i = 0; parse_product(p, i, &product); i++)
        if (product.why && !product.loaded)
            failed(&b, product.why);
    samples = parse_samples(p, failed, &b, e);
    if (samples < 0)
        return (int)samples;
    rest = buf_view(&b);
    if (json)
        printf("{\"samples\":%lld,\"failed\":[", (long long)samples);
    while (rest.n && str_split(&rest, '\n', &line) && line.n) {
        AUTO_BUF struct buf quoted;

        buf_init(&quoted, 0);
        buf_json(&quoted, line);
        printf(json ? "%s%.*s" : "%s%.*s\n", json && stories ? "," : "", json ? (int)quoted.n : (int)line.n, json ? quoted.p : line.p);
        stories++;
    }
    if (json)
        printf("]}\n");
    else
        printf("%lld samples, %zu not as they should be\n", (long long)samples, stories);
    return stories ? EXIT_NO : EXIT_YES;
}

static int draft(const char *path, const char *id, struct err *e)
{
    AUTO_BUF struct buf lines;
    AUTO_BUF struct buf out;
    int rc;

    buf_init(&lines, DRAFT_BYTES_MAX);
    buf_init(&out, 0);
    rc = id ? parse_draft_id(str_c(id), e) : 0;
    if (rc == 0)
        rc = file_read(strcmp(path, "-") == 0 ? "/dev/stdin" : path, DRAFT_BYTES_MAX, &lines, e);
    if (rc == 0)
        rc = parse_draft(buf_view(&lines), str_c(id ? id : "draft"), &out, e);
    if (rc == 0)
        fwrite(out.p, 1, out.n, stdout);
    return rc;
}

int cmd_parsers(int argc, char **argv)
{
    static const struct option options[] = { { "json", no_argument, NULL, 'j' },       { "data", required_argument, NULL, 'd' },
                                             { "id", required_argument, NULL, 'i' },   { "help", no_argument, NULL, 'h' },
                                             { 0 } };
    struct asked a = { 0 };
    struct parser *p = NULL;
    struct err e = { 0 };
    const char *word;
    int c, rc;

    while ((c = getopt_long(argc, argv, "h", options, NULL)) != -1) {
        if (c == 'j')
            a.json = true;
        else if (c == 'd')
            a.data = optarg;
        else if (c == 'i')
            a.id = optarg;
        else {
            fputs(usage, c == 'h' ? stdout : stderr);
            return c == 'h' ? EXIT_YES : EXIT_USAGE;
        }
    }
    word = optind < argc ? argv[optind] : "list";
    if (argc - optind > 2 || (strcmp(word, "list") != 0 && strcmp(word, "test") != 0 && strcmp(word, "draft") != 0) ||
        (strcmp(word, "draft") == 0 && argc - optind != 2))
        return wrong_usage("parsers", "there is no such word, or too many");
    if (strcmp(word, "test") == 0 && argc - optind == 2)
        a.own = argv[optind + 1];
    if (strcmp(word, "draft") == 0) {
        rc = draft(argv[optind + 1], a.id, &e);
    } else {
        rc = open_parsers(&a, &p, &e);
        if (rc == 0)
            rc = strcmp(word, "test") == 0 ? test(p, a.json, &e) : list(p, a.json);
    }
    if (p)
        parse_free(&p);
    if (rc < 0)
        fprintf(stderr, "saqshy parsers: %s\n", e.text);
    return rc < 0 ? EXIT_USAGE : rc;
}
