/* cmd_rules.c - "saqshy rules check DIR", "saqshy rules test DIR": do rules load, and do their samples hold. */
#include <getopt.h>

#include "bin/bin.h"
#include "detect/hunt.h"
#include "parse/parse.h"

static const char usage[] =
    "usage: saqshy rules check DIR [--json]\n"
    "       saqshy rules test DIR [--json]\n"
    "       saqshy rules except RULE … | exceptions     what a site excepts from rules: saqshy rules except --help\n"
    "       saqshy rules explain RULE FILE [--line N] [--rules DIR…] [--data DIR] [--json]\n"
    "       saqshy rules cost [--data DIR] [--top N] [--never-fed] [--json]\n"
    "       saqshy rules preview FILE… [--days D] [--data DIR] [--seconds S] [--json]     what they would have found\n\n"
    "check  loads and compiles all rules below DIR; tells which are not supported (and why), which are broken (and where), and what is\n"
    "       odd in those that load\n"
    "test   runs the sample lines that the rules carry (saqshy.samples) through the parsers and the rules, and those that the parsers carry\n"
    "       (of DIR/parsers, where there is one, and our own) through all parsers together\n"
    "explain, cost: see \"saqshy rules explain --help\", \"saqshy rules cost --help\"\n"
    "Exit 0 if nothing is broken and all samples hold, 1 if not, 2 if DIR cannot be read.\n";

static void put_refusals(const struct sigma *s, enum sigma_verdict v, struct buf *b)
{
    bool first = true;

    for (size_t i = 0; i < sigma_refusal_count(s); i++) {
        const struct sigma_refusal *r = sigma_refusal_at(s, i);

        if (r->verdict != v)
            continue;
        buf_str(b, first ? STR("{\"file\":") : STR(",{\"file\":"));
        buf_json(b, r->file);
        buf_printf(b, ",\"line\":%d,\"column\":%d,\"id\":", r->line, r->column);
        buf_json(b, r->id);
        buf_str(b, STR(",\"reason\":"));
        buf_json(b, r->reason);
        buf_byte(b, '}');
        first = false;
    }
}

static void put_remarks(const struct sigma *s, struct buf *b)
{
    for (size_t i = 0; i < sigma_remark_count(s); i++) {
        const struct sigma_remark *r = sigma_remark_at(s, i);

        buf_str(b, i ? STR(",{\"file\":") : STR("{\"file\":"));
        buf_json(b, r->file);
        buf_printf(b, ",\"line\":%d,\"column\":%d,\"id\":", r->line, r->column);
        buf_json(b, r->id);
        buf_str(b, STR(",\"text\":"));
        buf_json(b, r->text);
        buf_byte(b, '}');
    }
}

static size_t count_of(const struct sigma *s, enum sigma_verdict v)
{
    size_t n = 0;

    for (size_t i = 0; i < sigma_refusal_count(s); i++)
        n += sigma_refusal_at(s, i)->verdict == v;
    return n;
}

static int check(const struct sigma *s, bool json)
{
    size_t broken = count_of(s, SIGMA_BROKEN);
    AUTO_BUF struct buf b;

    buf_init(&b, 0);
    if (json) {
        buf_printf(&b, "{\"loaded\":%zu,\"unsupported\":[", sigma_rule_count(s));
        put_refusals(s, SIGMA_UNSUPPORTED, &b);
        buf_str(&b, STR("],\"broken\":["));
        put_refusals(s, SIGMA_BROKEN, &b);
        buf_str(&b, STR("],\"remarks\":["));
        put_remarks(s, &b);
        buf_str(&b, STR("]}\n"));
    } else {
        for (size_t i = 0; i < sigma_refusal_count(s); i++) {
            const struct sigma_refusal *r = sigma_refusal_at(s, i);

            buf_printf(&b, "%.*s:%d:%d: %s: %.*s\n", STR_ARG(r->file), r->line, r->column,
                       r->verdict == SIGMA_BROKEN ? "broken" : "not supported", STR_ARG(r->reason));
        }
        for (size_t i = 0; i < sigma_remark_count(s); i++) {
            const struct sigma_remark *r = sigma_remark_at(s, i);

            buf_printf(&b, "%.*s:%d:%d: remark: %.*s\n", STR_ARG(r->file), r->line, r->column, STR_ARG(r->text));
        }
        buf_printf(&b, "%zu loaded, %zu not supported, %zu broken\n", sigma_rule_count(s), count_of(s, SIGMA_UNSUPPORTED), broken);
    }
    fwrite(b.p, 1, b.n, stdout);
    return broken ? EXIT_NO : EXIT_YES;
}

struct failures { struct buf b; bool json; size_t count; };

static void failed(void *arg, const struct sigma_rule *r, struct str line, bool wanted)
{
    struct failures *f = arg;

    f->count++;
    if (!f->json) {
        buf_printf(&f->b, "%.*s:%d: \"%.*s\" %s: %.*s\n", STR_ARG(r->file), r->line, STR_ARG(r->title),
                   wanted ? "does not match" : "matches, and must not", STR_ARG(line));
        return;
    }
    buf_str(&f->b, f->count > 1 ? STR(",{\"file\":") : STR("{\"file\":"));
    buf_json(&f->b, r->file);
    buf_printf(&f->b, ",\"line\":%d,\"id\":", r->line);
    buf_json(&f->b, r->id);
    buf_printf(&f->b, ",\"expected\":\"%s\",\"sample\":", wanted ? "match" : "nomatch");
    buf_json(&f->b, line);
    buf_byte(&f->b, '}');
}

static void sample_failed_of_parser(void *arg, const char *story)
{
    struct failures *f = arg;

    f->count++;
    if (f->json) {
        buf_str(&f->b, f->count > 1 ? STR(",{\"file\":") : STR("{\"file\":"));
        buf_json(&f->b, str_c(story));
        buf_str(&f->b, STR(",\"expected\":\"parser\"}"));
    } else {
        buf_printf(&f->b, "%s\n", story);
    }
}

/* parsers_of - the samples of parsers; files that are refused are told as failures. */
static int64_t parsers_of(const char *folder, const char *content, struct failures *f, struct err *e)
{
    struct parse_product product;
    struct parser *p = NULL;
    char own[4200], ours[4200];
    struct parse_options o = { .folders = { own, ours } };
    int64_t samples;
    int rc;

    snprintf(own, sizeof own, "%s/parsers", folder);
    snprintf(ours, sizeof ours, "%s/parsers", content);
    rc = parse_open(&o, &p, e);
    if (rc < 0)
        return rc;
    for (size_t i = 0; parse_product(p, i, &product); i++)
        if (product.why && !product.loaded)
            sample_failed_of_parser(f, product.why);
    samples = parse_samples(p, sample_failed_of_parser, f, e);
    parse_free(&p);
    return samples;
}

static int test(const struct sigma *s, const char *folder, const char *content, bool json, struct err *e)
{
    struct failures f = { .json = json };
    struct sample_result r;
    int64_t lines = 0;
    int rc;

    buf_init(&f.b, 0);
    rc = samples_run(s, content, failed, &f, &r, e);
    if (rc == 0) {
        lines = parsers_of(folder, content, &f, e);
        rc = lines < 0 ? (int)lines : 0;
    }
    if (rc == 0 && json)
        printf("{\"rules\":%llu,\"samples\":%llu,\"passed\":%llu,\"parser_samples\":%lld,\"failed\":[%.*s]}\n", (unsigned long long)r.rules,
               (unsigned long long)r.samples, (unsigned long long)r.passed, (long long)lines, (int)f.b.n, f.b.n ? f.b.p : "");
    else if (rc == 0)
        printf("%.*s%llu rules with samples, %llu of %llu lines as they should be; %lld lines of parsers\n", (int)f.b.n, f.b.n ? f.b.p : "",
               (unsigned long long)r.rules, (unsigned long long)r.passed, (unsigned long long)r.samples, (long long)lines);
    buf_free(&f.b);
    if (rc < 0)
        return rc;
    return f.count || count_of(s, SIGMA_BROKEN) ? EXIT_NO : EXIT_YES;
}

int cmd_rules(int argc, char **argv)
{
    static const struct option options[] = { { "json", no_argument, NULL, 'j' }, { "help", no_argument, NULL, 'h' }, { 0 } };
    struct rule_paths where;
    struct node *node = NULL;
    struct sigma *s = NULL;
    bool json = false;
    char exe[4096];
    struct err e = { 0 };
    int c, rc;

    if (argc > 1 && (strcmp(argv[1], "except") == 0 || strcmp(argv[1], "exceptions") == 0))
        return cmd_rules_except(argc - 1, argv + 1);
    if (argc > 1 && strcmp(argv[1], "explain") == 0)
        return cmd_rules_explain(argc - 1, argv + 1);
    if (argc > 1 && strcmp(argv[1], "cost") == 0)
        return cmd_rules_cost(argc - 1, argv + 1);
    if (argc > 1 && strcmp(argv[1], "preview") == 0)
        return cmd_rules_preview(argc - 1, argv + 1);
    while ((c = getopt_long(argc, argv, "h", options, NULL)) != -1) {
        if (c != 'j') {
            fputs(usage, c == 'h' ? stdout : stderr);
            return c == 'h' ? EXIT_YES : EXIT_USAGE;
        }
        json = true;
    }
    if (argc - optind != 2 || (strcmp(argv[optind], "check") != 0 && strcmp(argv[optind], "test") != 0)) {
        fputs(usage, stderr);
        return EXIT_USAGE;
    }
    const char *folder = argv[optind + 1];
    rc = node_exe_folder(exe, &e);
    if (rc == 0)
        rc = node_default(NULL, exe, &node, &e);
    if (rc == 0) {
        rule_paths(&where, node->content, NULL, &folder, 1);
        rc = sigma_load(where.paths, where.count, &s, &e);
    }
    if (rc == 0)
        rc = strcmp(argv[optind], "check") == 0 ? check(s, json) : test(s, folder, node->content, json, &e);
    if (rc < 0)
        fprintf(stderr, "saqshy rules: %s\n", e.text);
    sigma_free(&s);
    node_free(&node);
    return rc < 0 ? EXIT_USAGE : rc;
}
