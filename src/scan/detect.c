/* detect.c - what a report is, by its content: its beginning is read as XML, JSON, table or text, and the descriptions are asked. */
#include "scan/internal.h"

#define SNIFF_TREE (8u * MIB)
#define SEEN_MAX   12
#define SEEN_BYTES 100u      /* of what is shown, so that the sentence fits whole into an err */

struct sniff {
    struct source source;
    struct tree   tree;
    struct trie   trie;
    struct names  names;
    struct arena  arena;
    const char   *name;
    enum file_kind kind;
};

static int nobody(void *arg, enum consumer_kind kind, uint32_t index, struct node *n, struct err *e)
{
    (void)arg, (void)kind, (void)index, (void)n, (void)e;
    return 0;
}

/* read_kind - the beginning, or all, of the report into the tree. What breaks later does not hinder knowing it. */
static int read_kind(struct sniff *s, enum file_kind kind, uint64_t limit, struct err *e)
{
    struct readers_arg r = { .source = &s->source, .tree = &s->tree, .name = s->name, .part = limit > 0 && s->source.size > limit };
    int rc = tree_begin(&s->tree, &s->names, &s->trie, e);

    if (rc < 0)
        return rc;
    s->kind = kind;
    s->source.offset = 0;
    s->source.limit = limit;
    switch (kind) {
    case FILE_XML: return read_xml(&r, e);
    case FILE_JSON: return read_json(&r, e);
    case FILE_CSV: return read_rows(&r, e);
    default: return read_lines(&r, e);
    }
}

static bool line_fits(struct eval *v, const struct re *re, struct node *root)
{
    struct str groups[RE_GROUPS];

    for (struct node *n = root->first; n; n = n->next)
        if (re_find(re, v->work, n->text, 0, groups) > 0)
            return true;
    return false;
}

static bool columns_fit(const struct detect *d, struct node *root)
{
    for (struct node *row = root->first; row; row = row->next) {
        size_t have = 0;

        for (size_t i = 0; i < d->column_count; i++)
            for (struct node *c = row->first; c; c = c->next)
                if (str_eq(c->text, d->columns[i])) {
                    have++;
                    break;
                }
        if (have == d->column_count)
            return true;
    }
    return false;
}

static bool have_node(void *arg, struct node *n)
{
    (void)n;
    *(bool *)arg = true;
    return false;
}

static bool keys_fit(struct eval *v, const struct path *keys, struct node *n)
{
    for (const struct path *k = keys; k; k = k->next) {
        bool have = false;

        eval_nodes(v, k, n, have_node, &have);
        if (!have)
            return false;
    }
    return true;
}

static bool fits(struct eval *v, const struct format *f, const struct detect *d, struct node *root, bool *items)
{
    struct node *at = root;

    v->f = f;
    *items = d->item_keys != NULL;
    if (d->root.n && (!root->first || !str_eq(root->first->name, d->root)))
        return false;
    if (d->keys && !keys_fit(v, d->keys, root))
        return false;
    if (d->item_keys) {
        if (root->first && str_eq(root->first->name, STR("item")))
            at = root->first;
        if (!keys_fit(v, d->item_keys, at))
            return false;
    }
    if (d->column_count && !columns_fit(d, root))
        return false;
    if (d->line && !line_fits(v, d->line, root))
        return false;
    return eval_conds(v, d->when, at) && v->rc == 0;
}

/* ask - the description that fits best: the one with most words about it. */
static void ask(struct sniff *s, const struct scan_formats *all, const char *only, enum file_kind kind, struct known *out)
{
    struct err e = { 0 };
    struct eval v = { .e = &e, .root = s->tree.level[0].node };
    unsigned best = out->d ? out->d->weight : 0;

    v.work = re_work_new();
    pile_init(&v.pile, SCAN_RECORD_MAX);
    for (size_t i = 0; v.work && i < all->count; i++) {
        const struct format *f = all->format[i];

        if (f->file != kind || (only && strcmp(f->id, only) != 0))
            continue;
        for (size_t k = 0; k < f->detect_count; k++) {
            bool items = false;

            v.rc = 0;
            pile_rewind(&v.pile, (struct pile_mark){ 0 });
            if (f->detect[k].weight > best && fits(&v, f, &f->detect[k], v.root, &items)) {
                *out = (struct known){ f, &f->detect[k], items };
                best = f->detect[k].weight;
            }
        }
    }
    pile_end(&v.pile);
    re_work_free(v.work);
}

static enum file_kind kind_of(const char *p, size_t n, bool *table)
{
    size_t i = n >= 3 && memcmp(p, "\xEF\xBB\xBF", 3) == 0 ? 3 : 0;

    *table = n >= 4 && (memcmp(p, "PK\3\4", 4) == 0 || memcmp(p, "\xD0\xCF\x11\xE0", 4) == 0);
    if (n >= 4 && (memcmp(p, "\xFF\xFE<\0", 4) == 0 || memcmp(p, "\xFE\xFF\0<", 4) == 0))
        return FILE_XML;
    while (i < n && (p[i] == ' ' || p[i] == '\t' || p[i] == '\r' || p[i] == '\n'))
        i++;
    if (i < n && p[i] == '<')
        return FILE_XML;
    return i < n && (p[i] == '{' || p[i] == '[') ? FILE_JSON : FILE_TEXT;
}

/* shown - a text of the report in a message: its beginning, without what could move a terminal. */
static void shown(struct buf *b, struct str s, size_t most)
{
    for (size_t i = 0; i < s.n && i < most; i++)
        buf_byte(b, (unsigned char)s.p[i] < 0x20 || s.p[i] == 0x7f ? ' ' : s.p[i]);
}

/* unknown - what an unknown report shows, for whoever must find out what it is. */
static int unknown(struct sniff *s, struct err *e)
{
    const struct node *root = s->tree.level[0].node;
    const struct node *at = s->kind == FILE_JSON && root->first && str_eq(root->first->name, STR("item")) ? root->first : root;
    AUTO_BUF struct buf b;

    buf_init(&b, 4 * KIB);
    if (s->kind == FILE_XML)
        buf_str(&b, STR("XML whose root is \"")), shown(&b, root->first ? root->first->name : STR(""), 80), buf_byte(&b, '"');
    else if (s->kind == FILE_JSON) {
        size_t count = 0;

        buf_printf(&b, "JSON with the keys");
        for (const struct node *n = at->first; n && count < SEEN_MAX; n = n->next, count++)
            buf_str(&b, count ? STR(", ") : STR(" ")), shown(&b, n->name, 40);
    } else {
        buf_str(&b, STR("a text or table that begins \"")), shown(&b, root->first ? root->first->text : STR(""), 80), buf_byte(&b, '"');
    }
    return err_set(e, -ENOTSUP, "%s: no description knows this report: %.*s; \"saqshy scan --formats\" lists what is known, --format names one, "
                   "and a table can be read by a mapping", s->name, (int)min_size(b.n, SEEN_BYTES), b.p ? b.p : "");
}

static int try_kinds(struct sniff *s, const struct scan_formats *all, const char *only, struct known *out, struct err *e)
{
    struct err why = { 0 }, json = { 0 };
    bool table = false;
    long got = source_read(&s->source, s->source.buf, s->source.piece, e);
    enum file_kind kind;
    int rc;

    if (got < 0)
        return (int)got;
    if (got == 0)
        return err_line(e, -EBADMSG, s->name, 1, 1, "the report is empty");
    kind = kind_of(s->source.buf, (size_t)got, &table);
    if (kind == FILE_XML || kind == FILE_JSON) {
        rc = read_kind(s, kind, SNIFF_BYTES, &why);
        ask(s, all, only, kind, out);
        if (!out->f && rc == 0 && kind == FILE_JSON && s->source.size > SNIFF_BYTES) {
            rc = read_kind(s, kind, 0, &why);
            ask(s, all, only, kind, out);
        }
        if (out->f)
            return 0;
        if ((rc == -EBADMSG || rc == -E2BIG) && kind == FILE_XML) {
            *e = why;
            return rc;
        }
        json = why;   /* a text may begin like JSON; if it is nothing else either, this is what was wrong */
        if (rc == 0)
            return unknown(s, e);
    }
    rc = read_kind(s, FILE_CSV, SNIFF_BYTES, &why);
    ask(s, all, only, FILE_CSV, out);
    if (table && rc < 0) {
        *e = why;
        return rc;
    }
    if (!table && !out->f) {
        rc = read_kind(s, FILE_TEXT, SNIFF_BYTES, &why);
        ask(s, all, only, FILE_TEXT, out);
    }
    if (!out->f && json.rc == -EBADMSG) {
        *e = json;
        return json.rc;
    }
    return out->f ? 0 : unknown(s, e);
}

static int prepare(struct sniff *s, int fd, struct err *e)
{
    struct step deep = { .kind = STEP_DEEP };
    struct path every = { .from = FROM_ROOT, .steps = &deep, .count = 1 };

    arena_init(&s->arena, 2 * MIB);
    if (trie_init(&s->trie) < 0 || tree_init(&s->tree, SNIFF_TREE) < 0 || names_init(&s->names, &s->arena) < 0)
        return err_set(e, -ENOMEM, "no memory to read \"%s\"", s->name);
    trie_want(&s->trie, NULL, 0, 0, &every, WANT_NODE | WANT_TEXT);
    s->tree.hollow = true;
    s->tree.consume = nobody;
    return source_open(&s->source, fd, e);
}

/* named_only - a report of a named format that its own detection does not fit is read all the same: the person knows better. */
static int named(const struct scan_formats *all, const char *id, struct known *out, struct err *e)
{
    for (size_t i = 0; i < all->count; i++)
        if (strcmp(all->format[i]->id, id) == 0) {
            const struct format *f = all->format[i];

            *out = (struct known){ .f = f, .d = f->detect_count ? &f->detect[0] : NULL };
            out->items = f->detect_count && f->detect[0].item_keys;
            return 0;
        }
    return err_set(e, -EINVAL, "there is no format \"%s\"; \"saqshy scan --formats\" lists them", id);
}

int detect_format(const struct scan_formats *all, const char *only, int fd, const char *name, struct known *out, struct err *e)
{
    struct sniff *s = calloc(1, sizeof *s);
    struct known fallback = { 0 };
    int rc = only ? named(all, only, &fallback, e) : 0;

    memset(out, 0, sizeof *out);
    if (rc < 0 || !s) {
        free(s);
        return rc < 0 ? rc : err_set(e, -ENOMEM, "no memory to read \"%s\"", name);
    }
    s->name = name;
    rc = prepare(s, fd, e);
    if (rc == 0)
        rc = try_kinds(s, all, only, out, e);
    if (only && rc == -ENOTSUP) {
        *out = fallback;
        rc = 0;
    }
    if (rc == 0 && out->f->items >= 0)
        out->items = out->f->items;
    source_close(&s->source);
    tree_free(&s->tree);
    trie_free(&s->trie);
    arena_free(&s->arena);
    free(s);
    return rc;
}
