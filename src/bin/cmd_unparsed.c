/* cmd_unparsed.c - saqshy unparsed: lines of the store that nobody understood, or not wholly, grouped by their shape, the largest group first; and
 * with --draft a parser's file made of the lines of one group. */
#include "bin/bin.h"
#include "bin/event_print.h"
#include "parse/parse.h"
#include "parse/shapes.h"
#include "store/store.h"

#include <getopt.h>

#define SHOWN_DEFAULT 30

static const char usage[] =
    "usage: saqshy unparsed [--data DIR] [--from T] [--to T] [--source ID] [--query Q] [--kind failed|header|partial] [--limit N] [--json]\n"
    "       saqshy unparsed … --draft N [--id ID]\n\n"
    "Lines that no parser understood (failed), of which only the header of syslog was read (header), or of which something was left out (partial),\n"
    "grouped by their shape, the largest group first: what a parser for them is worth.\n"
    "  --kind K     these alone; may stand several times (default: all three)\n"
    "  --query Q    and only what this search selects (docs/search.md)\n"
    "  --limit N    so many groups (default 30)\n"
    "  --draft N    a parser's file made of the examples of the N-th group; look at the names it gave, then put it into DATA/parsers\n"
    "Exit 0: there are some, 1: none, 2: usage, or the search could not be done.\n";

struct arguments {
    const char *data, *source, *query, *id;
    time_ns     from, to;
    unsigned    kinds;
    uint64_t    limit, draft;
    bool        json;
};

struct gathering {
    struct shapes *shapes;
    bool           failed;
};

static int gather(void *arg, const struct event *ev)
{
    struct gathering *g = arg;

    g->failed = shapes_add(g->shapes, ev) < 0;
    return g->failed;
}

/* query_of - the kinds, the source and the query asked for. */
static int query_of(const struct arguments *a, struct query **out, struct err *e)
{
    AUTO_BUF struct buf also;
    AUTO_BUF struct buf text;

    buf_init(&also, 0);
    buf_init(&text, 0);
    if (a->query && *a->query)
        buf_printf(&also, "(%s)", a->query);
    if (a->source) {
        buf_str(&also, also.n ? STR(" AND saqshy.source:") : STR("saqshy.source:"));
        buf_json(&also, str_c(a->source));
    }
    shape_query(a->kinds, buf_view(&also), &text);
    return query_parse_with(buf_view(&text), &(struct query_options){ .now = clock_now() }, out, e);
}

static int find(const struct arguments *a, struct gathering *g, struct err *e)
{
    struct store_search s = { .from = a->from, .to = a->to };
    struct store_stats stats = { 0 };
    struct query *q = NULL;
    char store[4200], journal[4200];
    int rc = query_of(a, &q, e);

    if (rc < 0)
        return rc;
    snprintf(store, sizeof store, "%s/store", a->data);
    snprintf(journal, sizeof journal, "%s/journal", a->data);
    s.store_folder = store;
    s.journal_folder = journal;
    s.query = q;
    rc = access(a->data, R_OK) < 0 ? err_sys(e, "could not read the data directory \"%s\"", a->data) : store_find_all(&s, gather, g, &stats, e);
    query_free(&q);
    if (rc == 0 && g->failed)
        rc = err_set(e, -ENOMEM, "no memory for shapes of lines");
    if (rc == 0 && stats.damaged_parts)
        fprintf(stderr, "saqshy: %llu damaged parts were left out; \"saqshy verify\" names them\n", (unsigned long long)stats.damaged_parts);
    return rc;
}

static void put_json(struct buf *b, const struct shape_view *v)
{
    buf_str(b, STR("{\"shape\":"));
    buf_json(b, v->text);
    buf_printf(b, ",\"kind\":\"%s\",\"program\":", shape_kind_name(v->kind));
    if (v->program.n)
        buf_json(b, v->program);
    else
        buf_str(b, STR("null"));
    buf_printf(b, ",\"count\":%llu,\"over\":%llu,\"first\":\"", (unsigned long long)v->count, (unsigned long long)v->over);
    buf_time(b, v->first);
    buf_str(b, STR("\",\"last\":\""));
    buf_time(b, v->last);
    buf_str(b, STR("\",\"sources\":["));
    for (size_t i = 0; i < v->source_count; i++) {
        buf_str(b, i ? STR(",{\"id\":") : STR("{\"id\":"));
        buf_json(b, v->sources[i].id);
        buf_printf(b, ",\"count\":%llu}", (unsigned long long)v->sources[i].count);
    }
    buf_printf(b, "],\"more_sources\":%s,\"examples\":[", v->more_sources ? "true" : "false");
    for (size_t i = 0; i < v->example_count; i++) {
        if (i)
            buf_byte(b, ',');
        buf_json(b, v->examples[i]);
    }
    buf_str(b, STR("]}\n"));
}

static void put_plain(struct buf *b, size_t n, const struct shape_view *v)
{
    buf_printf(b, "%4zu %10llu  %-7s  ", n + 1, (unsigned long long)v->count, shape_kind_name(v->kind));
    plain_column(b, v->program.n ? v->program : STR("-"), 16);
    buf_printf(b, "%3zu%s  ", v->source_count, v->more_sources ? "+" : " ");
    plain_put(b, v->text, 200);
    buf_byte(b, '\n');
}

static int list(const struct arguments *a, const struct shapes *s)
{
    struct shape_view v;
    size_t n = 0;

    if (!a->json && shapes_lines(s))
        printf("%4s %10s  %-7s  %-16s  %-4s  %s\n", "N", "LINES", "KIND", "PROGRAM", "FROM", "SHAPE");
    for (; n < a->limit && shapes_view(s, n, &v); n++) {
        AUTO_BUF struct buf b;

        buf_init(&b, 0);
        if (a->json)
            put_json(&b, &v);
        else
            put_plain(&b, n, &v);
        fwrite(b.p, 1, b.n, stdout);
    }
    return n ? EXIT_YES : EXIT_NO;
}

/* draft - the examples of the N-th group as a parser's file; how much it reads goes to standard error. */
static int draft(const struct arguments *a, const struct shapes *s, struct err *e)
{
    AUTO_BUF struct buf lines;
    AUTO_BUF struct buf out;
    struct shape_view v;
    size_t count = 0, reads = 0;
    int rc;

    buf_init(&lines, 0);
    buf_init(&out, 0);
    if (!shapes_view(s, a->draft - 1, &v))
        return err_set(e, -EINVAL, "there is no group %llu", (unsigned long long)a->draft);
    for (size_t i = 0; i < v.example_count; i++) {
        buf_str(&lines, v.examples[i]);
        buf_byte(&lines, '\n');
    }
    rc = parse_draft(buf_view(&lines), str_c(a->id ? a->id : "draft"), &out, e);
    if (rc == 0)
        rc = parse_draft_reads(buf_view(&out), buf_view(&lines), &count, &reads, e);
    if (rc < 0)
        return rc;
    fwrite(out.p, 1, out.n, stdout);
    fprintf(stderr, "saqshy unparsed: the draft reads %zu of %zu examples; the group has %llu lines\n", reads, count, (unsigned long long)v.count);
    return EXIT_YES;
}

static bool kind_named(const char *name, unsigned *kinds)
{
    for (unsigned k = 0; k < SHAPE_KINDS; k++)
        if (strcmp(name, shape_kind_name((enum shape_kind)k)) == 0) {
            *kinds |= 1u << k;
            return true;
        }
    return false;
}

static const struct option options[] = {
    { "data", required_argument, NULL, 'd' },  { "from", required_argument, NULL, 'f' },  { "to", required_argument, NULL, 't' },
    { "source", required_argument, NULL, 's' }, { "query", required_argument, NULL, 'q' }, { "kind", required_argument, NULL, 'k' },
    { "limit", required_argument, NULL, 'n' }, { "draft", required_argument, NULL, 'D' },  { "id", required_argument, NULL, 'i' },
    { "json", no_argument, NULL, 'j' },        { "help", no_argument, NULL, 'h' },         { NULL, 0, NULL, 0 },
};

static int take_options(int argc, char **argv, struct arguments *a, struct err *e)
{
    time_ns now = clock_now();
    int c, rc = 0;

    while (rc == 0 && (c = getopt_long(argc, argv, "h", options, NULL)) != -1) {
        switch (c) {
        case 'd': a->data = optarg; break;
        case 'f': rc = time_argument(optarg, now, &a->from, e); break;
        case 't': rc = time_argument(optarg, now, &a->to, e); break;
        case 's': a->source = optarg; break;
        case 'q': a->query = optarg; break;
        case 'i': a->id = optarg; break;
        case 'j': a->json = true; break;
        case 'k': rc = kind_named(optarg, &a->kinds) ? 0 : err_set(e, -EINVAL, "--kind is failed, header or partial, not \"%s\"", optarg); break;
        case 'n':
        case 'D':
            rc = str_u64(str_c(optarg), c == 'n' ? &a->limit : &a->draft) && (c == 'n' ? a->limit : a->draft) > 0
                     ? 0 : err_set(e, -EINVAL, "a number from 1 is wanted, not \"%s\"", optarg);
            break;
        case 'h': fputs(usage, stdout); exit(EXIT_YES);
        default: return err_set(e, -EINVAL, "\"saqshy unparsed --help\" tells the usage");
        }
    }
    if (rc == 0 && a->id)
        rc = parse_draft_id(str_c(a->id), e);   /* before the whole store is read */
    if (rc == 0 && optind != argc)
        return err_set(e, -EINVAL, "too many words; \"saqshy unparsed --help\" tells the usage");
    a->kinds = a->kinds ? a->kinds : (1u << SHAPE_KINDS) - 1;
    return rc;
}

int cmd_unparsed(int argc, char **argv)
{
    const char *data = getenv("SAQSHY_DATA");
    struct arguments a = { .data = data ? data : "data", .from = INT64_MIN, .to = INT64_MAX, .limit = SHOWN_DEFAULT };
    struct gathering g = { 0 };
    struct err e = { 0 };
    int rc = take_options(argc, argv, &a, &e);

    if (rc == 0)
        rc = shapes_new(&g.shapes, &e);
    if (rc == 0)
        rc = find(&a, &g, &e);
    if (rc == 0) {
        shapes_sort(g.shapes);
        rc = a.draft ? draft(&a, g.shapes, &e) : list(&a, g.shapes);
    }
    shapes_free(&g.shapes);
    if (rc < 0)
        fprintf(stderr, "saqshy unparsed: %s\n", e.text);
    return rc < 0 ? EXIT_USAGE : rc;
}
