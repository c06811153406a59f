/* api_unparsed.c - what nobody understood, grouped by shape, and a parser made of lines of one shape (docs/parsers.md).
 *
 * The store is searched as for a page of events, within what the viewer may read; the groups live for the answer alone. */
#include "portal/internal.h"
#include "portal/json_text.h"
#include "parse/parse.h"
#include "parse/shapes.h"
#include "query/query.h"
#include "store/store.h"

#define LINES_MAX  200000   /* looked at for one answer */
#define MEMORY     (64u * MIB) /* of lines that wait for their turn */
#define DRAFT_ID_MAX 32
#define DRAFT_LINES_MAX 200

struct gathering {
    struct shapes *shapes;
    bool           more, failed;
};

static int gather(void *arg, const struct event *ev)
{
    struct gathering *g = arg;

    if (shapes_lines(g->shapes) >= LINES_MAX) {
        g->more = true;
        return 1;
    }
    g->failed = shapes_add(g->shapes, ev) < 0;
    return g->failed;
}

static json_t *shape_json(const struct shape_view *v)
{
    json_t *examples = json_array(), *sources = json_array();

    for (size_t i = 0; i < v->example_count; i++)
        json_array_append_new(examples, json_foreign(v->examples[i]));
    for (size_t i = 0; i < v->source_count; i++)
        json_array_append_new(sources, json_pack("{s:o,s:I}", "id", json_foreign(v->sources[i].id), "count", (json_int_t)v->sources[i].count));
    return json_pack("{s:o,s:s,s:o,s:I,s:I,s:o,s:o,s:o,s:b,s:o}", "shape", json_foreign(v->text), "kind", shape_kind_name(v->kind), "program",
                     v->program.n ? json_foreign(v->program) : json_null(), "count", (json_int_t)v->count, "over", (json_int_t)v->over, "first",
                     json_moment(v->first), "last", json_moment(v->last), "sources", sources, "more_sources", v->more_sources, "examples", examples);
}

/* take_kinds - bits of the parameter kind. */
static int take_kinds(struct call *c, unsigned *kinds)
{
    struct str kind = params_get(&c->params, "kind");

    *kinds = kind.n ? 0 : (1u << SHAPE_KINDS) - 1;
    for (unsigned k = 0; k < SHAPE_KINDS; k++)
        if (str_eq(kind, str_c(shape_kind_name((enum shape_kind)k))))
            *kinds = 1u << k;
    return *kinds ? 0 : err_set(&c->err, -EINVAL, "kind");
}

/* take_query - the search of those kinds and the parameter q. 1: refused and answered. */
static int take_query(struct call *c, unsigned kinds, struct query **out)
{
    struct str q = params_get(&c->params, "q");
    struct query *alone = NULL;
    struct query_fault fault = { .code = "not_utf8", .letter = 1 };
    struct query_options o = { .now = c->now, .fault = &fault };
    struct err e = { 0 };
    AUTO_BUF struct buf text;
    int rc = q.n > 4096 ? err_set(&c->err, -EINVAL, "q") : query_parse_with(q, &o, &alone, &e);

    buf_init(&text, 0);
    query_free(&alone);
    if (rc == 0) {
        shape_query(kinds, q, &text);
        rc = query_parse_with(buf_view(&text), &o, out, &e);
    }
    if (rc < 0 && q.n <= 4096 && rc != -ENOMEM)
        return call_refuse_query(c, "q", &fault) + 1;
    return rc;
}

static int answer(struct call *c, struct gathering *g, bool complete, size_t limit)
{
    json_t *items = json_array();
    struct shape_view v;
    size_t n = 0;

    shapes_sort(g->shapes);
    for (; shapes_view(g->shapes, n, &v); n++)
        if (n < limit)
            json_array_append_new(items, shape_json(&v));
    return call_json(c, 200, json_pack("{s:I,s:I,s:b,s:o,s:n}", "lines", (json_int_t)shapes_lines(g->shapes), "shapes", (json_int_t)n, "complete", complete,
                                       "items", items, "next"));
}

int api_unparsed(struct call *c)
{
    const struct node *n = c->portal->setup.node;
    struct gathering g = { 0 };
    struct query *query = NULL;
    char store[4096], journal[4096];
    struct store_search s = { .from = INT64_MIN, .to = INT64_MAX, .memory_bytes = MEMORY, .deadline_steady = clock_steady() + SEARCH_NS };
    struct store_stats stats = { 0 };
    int64_t limit = 100;
    unsigned kinds;
    int rc = params_int(&c->params, "limit", 1, SHAPES_MAX, &limit, &c->err);

    s.store_folder = node_path(n, "store", store);
    s.journal_folder = node_path(n, "journal", journal);
    if (rc == 0)
        rc = take_kinds(c, &kinds);
    if (rc == 0)
        rc = params_time(&c->params, "from", &s.from, &c->err);
    if (rc == 0)
        rc = params_time(&c->params, "to", &s.to, &c->err);
    if (rc == 0)
        rc = search_objects(c, &s.object_only, &s.object_filter);
    if (rc == 0)
        rc = take_query(c, kinds, &query);
    if (rc != 0)
        return rc < 0 ? rc : 0;
    s.query = query;
    rc = shapes_new(&g.shapes, &c->err);
    if (rc == 0)
        rc = store_find_all(&s, gather, &g, &stats, &c->err);
    if (rc == 0 && g.failed)
        rc = err_set(&c->err, -ENOMEM, "no memory for shapes of lines");
    if (rc == 0 || rc == -ETIMEDOUT)
        rc = answer(c, &g, rc == 0 && !g.more, (size_t)limit);
    query_free(&query);
    shapes_free(&g.shapes);
    return rc;
}

/* --- a draft --- */

static bool id_valid(const char *id)
{
    return id && *id && *id != '-' && strlen(id) <= DRAFT_ID_MAX && strspn(id, "abcdefghijklmnopqrstuvwxyz0123456789-") == strlen(id);
}

/* take_lines - the lines of the body, one below the other; *count of them. */
static int take_lines(struct call *c, struct buf *out, size_t *count)
{
    const json_t *lines = json_object_get(c->body, "lines"), *line;
    size_t i;

    *count = json_array_size(lines);
    if (*count == 0 || *count > DRAFT_LINES_MAX)
        return err_set(&c->err, -EINVAL, "lines");
    json_array_foreach(lines, i, line) {
        struct str s = str_of(json_string_value(line), json_string_length(line));

        if (!json_is_string(line) || s.n > SHAPE_EXAMPLE_BYTES || str_chr(s, '\n') >= 0)
            return err_set(&c->err, -EINVAL, "lines");
        buf_str(out, s);
        buf_byte(out, '\n');
    }
    return buf_failed(out) ? err_set(&c->err, -ENOMEM, "no memory for lines") : 0;
}

int api_parser_draft(struct call *c)
{
    const char *id = json_string_value(json_object_get(c->body, "id"));
    size_t given = 0, count = 0, reads = 0;
    AUTO_BUF struct buf lines;
    AUTO_BUF struct buf draft;
    struct err e = { 0 };
    int rc;

    buf_init(&lines, 0);
    buf_init(&draft, 0);
    if (!id_valid(id) || json_object_size(c->body) != 2)
        return err_set(&c->err, -EINVAL, "id");
    rc = take_lines(c, &lines, &given);
    if (rc < 0)
        return rc;
    rc = parse_draft(buf_view(&lines), str_c(id), &draft, &e);
    if (rc == 0)
        rc = parse_draft_reads(buf_view(&draft), buf_view(&lines), &count, &reads, &e);
    if (rc == -EBADMSG || rc == -EINVAL || rc == -E2BIG)
        return call_refuse(c, 400, "bad_request", "lines", 0, 0);
    if (rc < 0)
        return err_set(&c->err, rc, "%s", e.text);
    return call_json(c, 200, json_pack("{s:s,s:o,s:I,s:I}", "id", id, "file", json_foreign(buf_view(&draft)), "lines", (json_int_t)count, "reads", (json_int_t)reads));
}
