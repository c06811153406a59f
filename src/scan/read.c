/* read.c - a whole report: what it is, a first pass for what its records refer to, a second for the records themselves. */
#include "scan/internal.h"

struct reading {
    const struct format     *f;
    const struct scan_sink  *sink;
    struct scan_report      *out;
    struct tree              tree;
    struct source            source;
    struct eval              eval;
    struct making            making;
    struct pile              tables;     /* entries of all lookups, and the scalars of the context */
    struct readers_arg       args;
    bool                     second;
    struct err              *e;
};

/* table_entry - what is kept of one entry: a copy of its node, with the children that the description reckons. */
static int table_entry(struct reading *r, const struct table *t, struct node *n, struct err *e)
{
    struct values keys = { 0 };
    struct node *copy;

    pile_rewind(&r->eval.pile, (struct pile_mark){ 0 });
    r->eval.visits = 0;
    if (!eval_conds(&r->eval, t->when, n))
        return r->eval.rc;
    eval_expr(&r->eval, t->key, n, &keys);
    if (r->eval.rc < 0 || keys.n == 0)
        return r->eval.rc;
    copy = node_copy(&r->tables, n);
    for (size_t i = 0; copy && i < t->give_count; i++) {
        struct values given = { 0 };

        eval_expr(&r->eval, t->give_values[i], n, &given);
        for (size_t k = 0; k < given.n; k++) {
            struct node child = { .id = names_find(&r->f->names, t->gives[i].key, NULL), .text = given.v[k] }, *c;

            child.name = r->f->names.text[child.id];
            c = node_copy(&r->tables, &child);
            if (!c)
                break;
            c->parent = copy;
            if (copy->last)
                copy->last->next = c;
            else
                copy->first = c;
            copy->last = c;
        }
    }
    for (size_t i = 0; copy && i < keys.n; i++) {
        int rc = lookup_add(&r->eval.lookups[t - r->f->tables], &r->tables, keys.v[i], copy);

        if (rc == -EMLINK)
            return err_set(e, -E2BIG, "more than %u entries of a table of the report have the same key", SAME_KEY_MAX);
        if (rc < 0)
            copy = NULL;
    }
    return copy && !r->tables.failed ? r->eval.rc : err_set(e, -E2BIG, "the tables of the report are larger than %u MiB", SCAN_TABLE_MAX / MIB);
}

static int consume(void *arg, enum consumer_kind kind, uint32_t index, struct node *n, struct err *e)
{
    struct reading *r = arg;

    r->eval.root = r->tree.level[0].node;
    switch (kind) {
    case CONSUME_RECORD: return finding_make(&r->making, &r->f->records[index], n, r->sink, r->out, e);
    case CONSUME_COVER: return cover_make(&r->making, &r->f->covers[index], n, r->sink, r->out, e);
    default: return table_entry(r, &r->f->tables[index], n, e);
    }
}

static bool holds(void *arg, const struct filter *filters, struct node *n)
{
    struct reading *r = arg;

    return eval_filters(&r->eval, filters, n);
}

static int pass(struct reading *r, struct err *e)
{
    int rc = tree_begin(&r->tree, &r->f->names, r->second ? &r->f->second : &r->f->first, e);

    r->source.offset = 0;
    if (rc < 0)
        return rc;
    switch (r->f->file) {
    case FILE_XML: rc = read_xml(&r->args, e); break;
    case FILE_JSON: rc = read_json(&r->args, e); break;
    case FILE_CSV: rc = read_rows(&r->args, e); break;
    case FILE_TEXT: rc = read_lines(&r->args, e); break;
    }
    r->eval.root = r->tree.level[0].node;
    return rc < 0 ? rc : tree_end(&r->tree, e);
}

/* keep_context - the scalars, and the tool's name, out of the first pass. */
static int keep_context(struct reading *r, struct err *e)
{
    struct node *root = r->tree.level[0].node;

    for (size_t i = 0; i < r->f->scalar_count; i++) {
        struct values found = { 0 }, *keep = &r->eval.scalars[i];

        pile_rewind(&r->eval.pile, (struct pile_mark){ 0 });
        eval_expr(&r->eval, r->f->scalars[i].value, root, &found);
        keep->v = pile_alloc(&r->tables, (found.n + 1) * sizeof *keep->v);
        for (size_t k = 0; keep->v && k < found.n; k++)
            keep->v[keep->n++] = pile_copy(&r->tables, found.v[k]);
    }
    return r->tables.failed ? err_set(e, -E2BIG, "the context of the report is larger than %u MiB", SCAN_TABLE_MAX / MIB) : r->eval.rc;
}

/* name_put - as much of a name as fits, cut between letters. */
static void name_put(char *out, size_t size, struct str s)
{
    size_t n = min_size(s.n, size - 1);

    while (n > 0 && n < s.n && ((unsigned char)s.p[n] & 0xC0) == 0x80)
        n--;
    snprintf(out, size, "%.*s", (int)n, s.n ? s.p : "");
}

static void name_tool(struct reading *r)
{
    struct str tool = eval_one(&r->eval, r->f->tool, r->tree.level[0].node);

    name_put(r->out->tool, sizeof r->out->tool, tool);
    r->making.tool = str_c(r->out->tool);
}

static void name_report(struct reading *r)
{
    struct node *root = r->tree.level[0].node;

    name_put(r->out->version, sizeof r->out->version, eval_one(&r->eval, r->f->version, root));
    (void)time_auto(eval_one(&r->eval, r->f->started, root), &r->out->started_at);
    (void)time_auto(eval_one(&r->eval, r->f->ended, root), &r->out->ended_at);
}

static int prepare(struct reading *r, int fd, struct err *e)
{
    int rc = source_open(&r->source, fd, e);

    if (rc < 0)
        return rc;
    pile_init(&r->tables, SCAN_TABLE_MAX);
    pile_init(&r->eval.pile, SCAN_RECORD_MAX);
    r->eval.f = r->f;
    r->eval.e = e;
    r->eval.work = re_work_new();
    r->eval.lookups = calloc(r->f->table_count + 1, sizeof *r->eval.lookups);
    r->eval.scalars = calloc(r->f->scalar_count + 1, sizeof *r->eval.scalars);
    if (tree_init(&r->tree, SCAN_RECORD_MAX) < 0 || !r->eval.work || !r->eval.lookups || !r->eval.scalars)
        return err_set(e, -ENOMEM, "no memory to read a report");
    r->tree.consume = consume;
    r->tree.holds = holds;
    r->tree.arg = r;
    r->making.v = &r->eval;
    r->making.f = r->f;
    r->source.progress = r->sink->progress;
    r->source.arg = r->sink->arg;
    r->source.total = r->source.size * (r->f->two_passes ? 2 : 1);
    return 0;
}

static void finish(struct reading *r)
{
    source_close(&r->source);
    tree_free(&r->tree);
    pile_end(&r->tables);
    pile_end(&r->eval.pile);
    re_work_free(r->eval.work);
    for (size_t i = 0; r->eval.lookups && i < r->f->table_count; i++)
        free(r->eval.lookups[i].slot);
    free(r->eval.lookups);
    free(r->eval.scalars);
}

static int passes(struct reading *r, struct err *e)
{
    int rc = 0;

    if (r->f->two_passes) {
        rc = pass(r, e);
        if (rc == 0)
            rc = keep_context(r, e);
        r->source.before = r->source.size;
    } else {
        rc = tree_begin(&r->tree, &r->f->names, &r->f->first, e);
    }
    if (rc < 0)
        return rc;
    pile_rewind(&r->eval.pile, (struct pile_mark){ 0 });
    name_tool(r);
    r->second = true;
    rc = pass(r, e);
    if (rc < 0)
        return rc;
    pile_rewind(&r->eval.pile, (struct pile_mark){ 0 });
    name_report(r);
    r->out->cut = r->making.cut;
    return r->eval.rc;
}

int scan_read(const struct scan_formats *f, int fd, const char *name, const char *format, const struct scan_mapping *mapping, const struct scan_sink *sink,
              struct scan_report *out, struct err *e)
{
    struct known known = { 0 };
    struct format *made = NULL;
    struct reading *r;
    struct err none;
    int rc;

    memset(out, 0, sizeof *out);
    e = e ? e : &none;
    memset(e, 0, sizeof *e);
    if (mapping)
        rc = format_of_mapping(mapping, &made, e);
    else
        rc = detect_format(f, format && strcmp(format, "auto") != 0 ? format : NULL, fd, name, &known, e);
    if (rc < 0)
        return rc;
    r = calloc(1, sizeof *r);
    if (!r) {
        format_free(&made);
        return err_set(e, -ENOMEM, "no memory to read \"%s\"", name);
    }
    r->f = made ? made : known.f;
    r->sink = sink;
    r->out = out;
    snprintf(out->format, sizeof out->format, "%s", r->f->id);
    r->args = (struct readers_arg){ .source = &r->source, .tree = &r->tree, .name = name, .f = r->f, .items = known.items, .detect = known.d, .mapping = mapping };
    rc = prepare(r, fd, e);
    r->args.work = r->eval.work;
    if (rc == 0)
        rc = passes(r, e);
    if (rc < 0 && !e->line && !str_starts(str_c(e->text), str_c(name)))
        err_wrap(e, rc, "%s", name);
    finish(r);
    free(r);
    format_free(&made);
    return rc;
}
