/* cmd_rules_explain.c - "saqshy rules explain RULE FILE": why a rule matches what stands in a file, or why it does not.
 *
 * Files are read as hunt reads them, and all records go through one rule. The words are for the author of the rule: the tree of the condition, a
 * plus before what holds and a minus before what does not, and beside each leaf what stands in the event. */
#include <getopt.h>

#include "base/file.h"
#include "bin/bin.h"
#include "bin/event_print.h"
#include "detect/hunt.h"
#include "detect/why.h"

#define VALUE_SHOWN  200
#define WANTED_SHOWN 8

static const char usage[] =
    "usage: saqshy rules explain RULE FILE [--line N] [--rules DIR…] [--data DIR] [--json]\n\n"
    "Tells for each record of FILE whether RULE matches it and why: which text stood in which field and where, also in the original line; or what\n"
    "the field holds instead. RULE is an id or a name, or a file of rules (then each of them is explained). Rules are those of the\n"
    "configuration, or below --rules. FILE is read as by \"saqshy hunt\": EVTX, JSON, log lines. A correlation is told by the rules it reads.\n"
    "--line   only the record of this number (a line, a JSON value, of an event log the record's own number)\n"
    "--json   one object a record and rule: {\"file\",\"record\",\"event\":{…},\"explain\":{…}}\n"
    "Exit 0 if RULE matches some record, 1 if none, 2 if something could not be read.\n";

struct explaining {
    const struct sigma *s;
    const struct sigma_rule *rules[256];
    size_t    count;
    uint64_t  line;       /* 0: all */
    bool      json;
    uint64_t  records, matched;
    struct err err;
};

/* --- as text --- */

static void put_wanted(const struct explain_part *p, struct buf *b)
{
    uint32_t shown = p->wanted_count < WANTED_SHOWN ? p->wanted_count : WANTED_SHOWN;

    for (uint32_t i = 0; i < shown; i++) {
        buf_str(b, i ? STR(" | \"") : STR(" \""));
        plain_put(b, p->wanted[i], VALUE_SHOWN);
        buf_byte(b, '"');
    }
    if (p->tests > shown && shown)
        buf_printf(b, " | and %u more", p->tests - shown);
}

static void put_found(const struct explain_part *p, struct buf *b)
{
    if (!p->present) {
        buf_str(b, p->holds ? STR("   (the event has no such field)") : STR("   (but the event has no such field)"));
        return;
    }
    if (p->event_field.n == 0 && !p->holds)
        return;
    buf_str(b, p->holds ? STR("   in ") : STR("   but "));
    plain_put(b, p->event_field.n ? p->event_field : STR("the line"), VALUE_SHOWN);
    buf_str(b, STR(" = \""));
    plain_put(b, p->value, VALUE_SHOWN);
    buf_byte(b, '"');
    if (!p->holds)
        return;
    buf_printf(b, ", bytes %zu to %zu", p->at, p->at + p->n);
    if (p->in_line >= 0)
        buf_printf(b, ", of the line from %td", p->in_line);
}

static void put_part(const struct explain_part *p, struct buf *b)
{
    buf_printf(b, "    %*s%s ", (int)(p->depth < 40 ? p->depth : 40) * 2, "", p->holds ? "+" : "-");
    if (p->name.n) {
        plain_put(b, p->name, VALUE_SHOWN);
        buf_str(b, STR(": "));
    }
    if (p->kind == EXPLAIN_LEAF) {
        plain_put(b, p->field, VALUE_SHOWN);
        buf_byte(b, ' ');
        buf_str(b, p->comparison);
        put_wanted(p, b);
        put_found(p, b);
    } else {
        buf_str(b, p->kind == EXPLAIN_AND ? STR("all of") : p->kind == EXPLAIN_OR ? STR("one of") : STR("not"));
    }
    buf_byte(b, '\n');
}

static void put_source(const struct explain *x, struct buf *b)
{
    const struct str wanted[] = { x->product, x->category, x->service }, given[] = { x->event_product, x->event_channel, x->event_id, str_c(x->event_class) };
    static const char *const wanted_names[] = { "product", "category", "service" }, *const given_names[] = { "product", "channel", "event id", "class" };

    buf_str(b, STR("    - log source: the rule asks for"));
    for (size_t i = 0; i < COUNT(wanted); i++)
        if (wanted[i].n) {
            buf_printf(b, " %s ", wanted_names[i]);
            plain_put(b, wanted[i], VALUE_SHOWN);
        }
    buf_str(b, STR(";   but the event is of"));
    for (size_t i = 0; i < COUNT(given); i++)
        if (given[i].n) {
            buf_printf(b, " %s ", given_names[i]);
            plain_put(b, given[i], VALUE_SHOWN);
        }
    buf_byte(b, '\n');
}

static const char *words_of(const char *why)
{
    static const struct { const char *code, *words; } rows[] = {
        { "matches", "matches" }, { "logsource", "does not match: the event is of another log source" },
        { "condition", "does not match: its condition is not true" }, { "filtered", "is excepted by a filter" },
        { "correlation", "would count this event" }, { "not_read", "does not count this event: none of its rules matches it" },
        { "no_group", "does not count this event: it lacks a field of group-by" },
    };

    for (size_t i = 0; i < COUNT(rows); i++)
        if (strcmp(rows[i].code, why) == 0)
            return rows[i].words;
    return why;
}

static void put_human(const struct explain *x, const char *file, uint64_t record, struct buf *b)
{
    plain_put(b, str_c(file), 4200);
    buf_printf(b, ":%llu  \"", (unsigned long long)record);
    plain_put(b, x->rule->title, VALUE_SHOWN);
    buf_printf(b, "\" %s\n", words_of(explain_why(x)));
    if (!x->applies)
        put_source(x, b);
    for (uint32_t i = 0; i < x->condition_count; i++)
        put_part(&x->parts[i], b);
    for (uint32_t i = 0; i < x->filter_count; i++) {
        const struct explain_filter *f = &x->filters[i];

        buf_printf(b, "    %s filter \"", f->holds ? "+" : "-");
        plain_put(b, f->title, VALUE_SHOWN);
        buf_str(b, f->counts ? STR("\"\n") : STR("\": has expired, or is for other objects\n"));
        for (uint32_t k = f->first; k < f->first + f->count; k++)
            put_part(&x->parts[k], b);
    }
    for (uint32_t i = 0; i < x->ref_count; i++) {
        buf_printf(b, "    %s rule \"", x->refs[i].holds ? "+" : "-");
        plain_put(b, x->refs[i].rule->title, VALUE_SHOWN);
        buf_str(b, x->refs[i].missing.n ? STR("\", and the event has no ") : STR("\"\n"));
        if (x->refs[i].missing.n) {
            plain_put(b, x->refs[i].missing, VALUE_SHOWN);
            buf_byte(b, '\n');
        }
    }
    if (x->stopped)
        buf_str(b, STR("    a pattern was stopped at its limit of steps: it counted as no match\n"));
}

/* --- each record --- */

static int explain_one(struct explaining *x, const struct sigma_rule *r, const char *file, uint64_t record, const struct event *ev, struct buf *out)
{
    AUTO_ARENA struct arena a;
    struct explain why;
    int rc;

    arena_init(&a, 0);
    rc = sigma_explain(x->s, true, ev, r, &a, &why, &x->err);
    if (rc < 0)
        return rc;
    x->matched += why.matches;
    if (!x->json) {
        put_human(&why, file, record, out);
        return 0;
    }
    buf_str(out, STR("{\"file\":"));
    buf_json(out, str_c(file));
    buf_printf(out, ",\"record\":%llu,\"event\":", (unsigned long long)record);
    event_json(ev, out);
    buf_str(out, STR(",\"explain\":"));
    explain_json(&why, out);
    buf_str(out, STR("}\n"));
    return 0;
}

static int each(void *arg, const char *file, uint64_t record, const struct event *ev, struct buf *out)
{
    struct explaining *x = arg;
    int rc = 0;

    if (x->line && record != x->line)
        return 0;
    x->records++;
    for (size_t i = 0; i < x->count && rc == 0; i++)
        rc = explain_one(x, x->rules[i], file, record, ev, out);
    return rc;
}

static int flush(void *arg, struct str text)
{
    (void)arg;
    return fwrite(text.p, 1, text.n, stdout) == text.n ? 0 : -EIO;
}

static void complain(void *arg, const char *file, uint64_t record, const char *what)
{
    AUTO_BUF struct buf b;

    (void)arg;
    (void)file;
    buf_init(&b, 64 * KIB);
    plain_put(&b, str_c(what), 4200);
    fprintf(stderr, "saqshy rules explain: record %llu: %.*s\n", (unsigned long long)record, STR_ARG(buf_view(&b)));
}

/* --- the rule --- */

/* take_rules - the rule of that id, name or title; or all of a file, which are those whose file it is. */
static int take_rules(struct explaining *x, const char *name, bool file, struct err *e)
{
    const struct sigma_rule *r = file ? NULL : sigma_rule_named(x->s, str_c(name));

    if (r)
        x->rules[x->count++] = r;
    for (size_t i = 0; file && i < sigma_rule_count(x->s) && x->count < COUNT(x->rules); i++)
        if (str_eq(sigma_rule_at(x->s, i)->file, str_c(name)))
            x->rules[x->count++] = sigma_rule_at(x->s, i);
    if (x->count)
        return 0;
    for (size_t i = 0; i < sigma_refusal_count(x->s); i++) {
        const struct sigma_refusal *why = sigma_refusal_at(x->s, i);

        if (file ? str_eq(why->file, str_c(name)) : str_eq(why->id, str_c(name)))
            return err_set(e, -EINVAL, "%.*s:%d:%d: %.*s", STR_ARG(why->file), why->line, why->column, STR_ARG(why->reason));
    }
    return err_set(e, -ENOENT, file ? "no rule is in \"%s\"" : "no rule has the id, the name or the title \"%s\"", name);
}

static int run(struct explaining *x, const struct node *node, const char *path, struct err *e)
{
    struct hunt_stats stats = { 0 };
    struct hunt *h = NULL;
    int rc = hunt_new(x->s, node->content, 0, &h, e);

    if (rc == 0) {
        hunt_tell(h, &(struct hunt_listener){ .arg = x, .flush = flush, .say = complain, .each = each });
        rc = hunt_file(h, path, e);
        if (rc == 0)
            rc = hunt_end(h, &stats, e);
        if (rc < 0 && x->err.text[0])
            *e = x->err;
    }
    hunt_free(&h);
    if (rc == 0 && x->line && !x->records)
        rc = err_set(e, -ENOENT, "\"%s\" has no record %llu", path, (unsigned long long)x->line);
    return rc < 0 ? rc : x->matched ? EXIT_YES : EXIT_NO;
}

static int explain(const char *name, const char *path, const char *const *rules, size_t rule_count, const char *data, struct explaining *x, struct err *e)
{
    bool file = file_exists(name);
    const char *paths[RULE_FOLDERS_MAX + 1];
    struct rule_paths where;
    struct node *node = NULL;
    struct sigma *s = NULL;
    char exe[4096];
    int rc = node_exe_folder(exe, e);

    for (size_t i = 0; i < rule_count; i++)
        paths[i] = rules[i];
    if (file)
        paths[rule_count++] = name;
    if (rc == 0)
        rc = node_default(data, exe, &node, e);
    if (rc == 0) {
        rule_paths(&where, node->content, data ? node->data : NULL, paths, rule_count);
        rc = sigma_load(where.paths, where.count, &s, e);
    }
    x->s = s;
    if (rc == 0)
        rc = take_rules(x, name, file, e);
    if (rc == 0)
        rc = run(x, node, path, e);
    sigma_free(&s);
    node_free(&node);
    return rc;
}

int cmd_rules_explain(int argc, char **argv)
{
    static const struct option options[] = { { "json", no_argument, NULL, 'j' }, { "line", required_argument, NULL, 'l' }, { "rules", required_argument, NULL, 'r' },
                                             { "data", required_argument, NULL, 'd' }, { "help", no_argument, NULL, 'h' }, { 0 } };
    const char *rules[RULE_FOLDERS_MAX], *data = NULL;
    struct explaining x = { .line = 0 };
    size_t rule_count = 0;
    struct err e = { 0 };
    int c, rc;

    while ((c = getopt_long(argc, argv, "h", options, NULL)) != -1) {
        if (c == 'j') {
            x.json = true;
        } else if (c == 'd') {
            data = optarg;
        } else if (c == 'r' && rule_count + 1 < RULE_FOLDERS_MAX) {
            rules[rule_count++] = optarg;
        } else if (c != 'l' || !str_u64(str_c(optarg), &x.line) || x.line == 0) {
            fputs(usage, c == 'h' ? stdout : stderr);
            return c == 'h' ? EXIT_YES : EXIT_USAGE;
        }
    }
    if (argc - optind != 2)
        return wrong_usage("rules explain", "a rule and a file are expected");
    rc = explain(argv[optind], argv[optind + 1], rules, rule_count, data, &x, &e);
    if (rc < 0)
        fprintf(stderr, "saqshy rules explain: %s\n", e.text);
    return rc < 0 ? EXIT_USAGE : rc;
}
