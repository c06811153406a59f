/* patterns_load.c - a product's file becomes struct product; see patterns.h and docs/parsers.md. */
#include "parse/feed.h"
#include "base/yaml.h"
#include "parse/patterns.h"

#define PRODUCT_BYTES_MAX (16u * MIB)
#define ID_MAX            32

static int wrong(struct making *m, const struct ynode *at, const char *what)
{
    return yaml_err(m->yaml, at, m->e, "%s", what);
}

static bool id_valid(struct str s)
{
    for (size_t i = 0; i < s.n; i++)
        if (!is_digit(s.p[i]) && !(s.p[i] >= 'a' && s.p[i] <= 'z') && s.p[i] != '-')
            return false;
    return s.n > 0 && s.n <= ID_MAX && *s.p != '-';
}

/* names - id, title, class, prefix. */
static int names(struct making *m, const struct ynode *map)
{
    struct product *p = m->product;
    struct str class = yaml_text(map, "class"), prefix = yaml_text(map, "prefix");
    char *name;

    if (!id_valid(yaml_text(map, "id")))
        return wrong(m, yaml_get(map, "id") ? yaml_get(map, "id") : map, "\"id\" wants small letters, digits and '-', 32 at most");
    p->id = arena_copy(m->arena, yaml_text(map, "id"));
    p->title = arena_copy(m->arena, yaml_text(map, "title"));
    if (p->title.n == 0)
        return wrong(m, map, "\"title\" is missing");
    p->class = event_class_parse(class);
    if (class.n && p->class == CLASS_NONE)
        return wrong(m, yaml_get(map, "class"), "\"class\" is os-unix, os-windows, db, net, fw, app or sec");
    p->prefix = arena_copy(m->arena, prefix.n ? prefix : p->id);
    name = (char *)p->prefix.p; /* our copy */
    for (size_t i = 0; name && i < p->prefix.n; i++)
        if (name[i] == '-' && !prefix.n)
            name[i] = '_';
    return arena_failed(m->arena) ? err_set(m->e, -ENOMEM, "no memory for a parser") : 0;
}

static int contains(struct making *m)
{
    struct product *p = m->product;
    struct literal_pairs *pairs = arena_array(m->arena, p->contain_count + 1, sizeof *pairs);

    if (!pairs)
        return err_set(m->e, -ENOMEM, "no memory for a parser");
    for (size_t i = 0; i < p->contain_count; i++)
        literal_pairs_of(p->contains[i], &pairs[i]);
    p->contain_pairs = pairs;
    return 0;
}

static int match(struct making *m, const struct ynode *map)
{
    static const char *const keys[] = { "programs", "paths", "structured_data", "starts", "contains", "alone", "last", NULL };
    struct product *p = m->product;
    int rc;

    if (!map || map->kind != YNODE_MAP)
        return wrong(m, map ? map : m->yaml->docs[0], "\"match\" is missing: how are texts of this product recognised?");
    rc = yaml_only(m->yaml, map, keys, m->e);
    if (rc == 0)
        rc = making_texts(m, map, "programs", &p->programs, &p->program_count);
    if (rc == 0)
        rc = making_texts(m, map, "paths", &p->paths, &p->path_count);
    if (rc == 0)
        rc = making_texts(m, map, "structured_data", &p->structured, &p->structured_count);
    if (rc == 0)
        rc = making_texts(m, map, "starts", &p->starts, &p->start_count);
    if (rc == 0)
        rc = making_texts(m, map, "contains", &p->contains, &p->contain_count);
    if (rc == 0)
        rc = contains(m);
    if (rc == 0)
        rc = yaml_bool(m->yaml, map, "alone", &p->alone, m->e);
    if (rc >= 0)
        rc = yaml_bool(m->yaml, map, "last", &p->last, m->e);
    if (rc >= 0 && p->alone && p->form != FORM_TEXT && p->start_count + p->contain_count == 0)
        return wrong(m, map, "a form is recognised alone only with \"starts\" or \"contains\"");
    return rc < 0 ? rc : 0;
}

/* one_byte - a separator: one byte, or nothing. */
static int one_byte(struct making *m, const struct ynode *map, const char *key, char *out)
{
    struct str s = yaml_text(map, key);

    if (str_eq(s, STR("tab")))
        s = STR("\t");
    if (s.n > 1)
        return yaml_err(m->yaml, yaml_get(map, key), m->e, "\"%s\" is one byte, or \"tab\"", key);
    *out = s.n ? *s.p : '\0';
    return 0;
}

/* further - columns that depend on the value of one of those before. */
static int further(struct making *m, const struct ynode *options, struct form_options *o)
{
    const struct ynode *map = yaml_get(options, "further");
    struct form_columns *list;
    bool known = false;
    int rc = 0;

    o->by = arena_copy(m->arena, yaml_text(options, "by"));
    for (size_t i = 0; i < o->column_count; i++)
        known |= str_eq(o->columns[i], o->by);
    if (!map)
        return o->by.n ? wrong(m, options, "\"by\" wants \"further\"") : 0;
    if (map->kind != YNODE_MAP || !known)
        return wrong(m, map, "\"further\" wants a map of lists, and \"by\" the name of one of the columns");
    list = arena_zero(m->arena, (map->count + 1) * sizeof *list);
    if (!list)
        return err_set(m->e, -ENOMEM, "no memory for a parser");
    o->further = list;
    for (const struct ynode *k = map->first; k && rc == 0; k = k->next) {
        struct form_columns *c = &list[o->further_count++];

        c->kind = arena_copy(m->arena, k->text);
        rc = making_texts(m, map, c->kind.p, &c->names, &c->count);
    }
    return rc;
}

/* listings - "pairs": lists of objects that are names and values. */
static int listings(struct making *m, const struct ynode *options, struct form_options *o)
{
    const struct ynode *map = yaml_get(options, "pairs");
    struct form_listing *list;
    int rc = 0;

    if (!map)
        return 0;
    list = map->kind == YNODE_MAP ? arena_zero(m->arena, (map->count + 1) * sizeof *list) : NULL;
    if (!list)
        return wrong(m, map, "\"pairs\" wants a map of lists, each with the keys of name and value");
    o->listings = list;
    for (const struct ynode *k = map->first; k && rc == 0; k = k->next) {
        struct form_listing *l = &list[o->listing_count++];
        const struct str *names;
        size_t count = 0;

        l->list = arena_copy(m->arena, k->text);
        rc = making_texts(m, map, l->list.p, &names, &count);
        if (rc == 0 && count != 2)
            rc = wrong(m, k, "a list of pairs wants two keys: of the name and of the value");
        if (rc == 0) {
            l->key = names[0];
            l->value = names[1];
        }
    }
    return rc;
}

static int form(struct making *m, const struct ynode *map, enum form *form, struct form_options *o)
{
    static const char *const keys[] = { "separator", "assign", "quote", "once", "doubled", "repeats", "columns", "by", "further", "pairs", NULL };
    const struct ynode *options = yaml_get(map, "options");
    struct str name = yaml_text(map, "form");
    int rc;

    *form = name.n ? form_named(name) : FORM_TEXT;
    if (*form == FORM_COUNT)
        return wrong(m, yaml_get(map, "form"), "\"form\" is text, kv, csv, json, cef, leef, w3c, xml, elements, counted or sd");
    if (!options)
        return 0;
    if (options->kind != YNODE_MAP)
        return wrong(m, options, "\"options\" wants a map");
    rc = yaml_only(m->yaml, options, keys, m->e);
    if (rc == 0)
        rc = one_byte(m, options, "separator", &o->separator);
    if (rc == 0)
        rc = one_byte(m, options, "assign", &o->assign);
    if (rc == 0)
        rc = one_byte(m, options, "quote", &o->quote);
    if (rc == 0)
        rc = yaml_bool(m->yaml, options, "once", &o->once, m->e);
    if (rc >= 0)
        rc = yaml_bool(m->yaml, options, "doubled", &o->doubled, m->e);
    if (rc >= 0)
        rc = making_texts(m, options, "repeats", &o->repeats, &o->repeat_count);
    if (rc == 0)
        rc = making_texts(m, options, "columns", &o->columns, &o->column_count);
    if (rc == 0)
        rc = further(m, options, o);
    return rc == 0 ? listings(m, options, o) : rc;
}

/* --- patterns --- */

/* in_heads - the literal stands wherever the pattern begins as it must. */
static bool in_heads(const struct pattern *p)
{
    for (size_t i = 0; i < p->head_count; i++)
        if (!has(p->heads[i], p->literal))
            return false;
    return p->head_count > 0 || p->literal.n == 0;
}

/* expression - "text" or "regex", compiled, with its groups and literal. */
static int expression(struct making *m, const struct ynode *n, struct pattern *p)
{
    const struct ynode *text = yaml_get(n, "text"), *regex = yaml_get(n, "regex"), *at = text ? text : regex;
    struct pattern_text t = { .template = text != NULL };
    struct field *groups;
    struct str stated = yaml_text(n, "literal"), *heads;
    struct err why = { 0 };
    int rc;

    if (!at || (text && regex) || at->kind != YNODE_SCALAR)
        return wrong(m, n, "a pattern has either \"text\" or \"regex\"");
    t.source = at->text;
    rc = pattern_compile(&t, m->arena, p, &why);
    if (rc < 0)
        return yaml_err(m->yaml, at, m->e, "%s (at character %zu of the pattern)", why.text, why.at + 1);
    p->literal = arena_copy(m->arena, yaml_get(n, "literal") ? stated : t.literal);
    if (p->literal.n < 2 && p->of.n == 0 && (p->alone || p->literal.n == 1 || !yaml_get(n, "literal")))
        return wrong(m, at, "no literal of two characters must stand in a text that matches: name one under \"literal\"");
    literal_pairs_of(p->literal, &p->pairs);
    p->folds = t.folds;
    heads = arena_array(m->arena, t.head_count + 1, sizeof *heads);
    if (!heads)
        return err_set(m->e, -ENOMEM, "no memory for a parser");
    memcpy(heads, t.heads, t.head_count * sizeof *heads);
    p->heads = heads;
    p->head_count = t.head_count;
    if (!t.folds && !in_heads(p))
        needle_of(p->literal, &p->needle);
    groups = arena_zero(m->arena, (t.groups + 1) * sizeof *groups);
    if (!groups)
        return err_set(m->e, -ENOMEM, "no memory for a parser");
    for (size_t i = 1; i <= t.groups && rc == 0; i++)
        rc = making_group(m, at, t.names[i], &groups[i]);
    p->groups = groups;
    p->group_count = t.groups;
    return rc;
}

static int pattern(struct making *m, const struct ynode *n, struct pattern *p)
{
    static const char *const keys[] = { "name", "text", "regex", "of", "starts", "literal", "alone", "last", "set", "types", "cases", "time", NULL };
    int rc;

    p->alone = m->product->alone;
    p->line = n->line;
    if (n->kind != YNODE_MAP)
        return wrong(m, n, "a pattern wants a map");
    rc = yaml_only(m->yaml, n, keys, m->e);
    if (rc == 0)
        rc = yaml_bool(m->yaml, n, "alone", &p->alone, m->e);
    if (rc >= 0)
        rc = yaml_bool(m->yaml, n, "last", &p->last, m->e);
    if (rc < 0)
        return rc;
    p->name = arena_copy(m->arena, yaml_text(n, "name"));
    if (p->name.n == 0)
        return wrong(m, n, "a pattern wants a \"name\"");
    p->of = arena_copy(m->arena, yaml_text(n, "of"));
    if (p->of.n == 0 && m->product->form != FORM_TEXT)
        return wrong(m, n, "with a \"form\" a pattern wants \"of\": the field that it reads");
    p->alone = p->alone && p->of.n == 0;
    rc = making_texts(m, n, "starts", &p->starts, &p->start_count);
    if (rc == 0)
        rc = expression(m, n, p);
    return rc == 0 ? making_layer(m, n, &p->layer) : rc;
}

static int patterns(struct making *m, const struct ynode *list)
{
    struct product *p = m->product;
    int rc = 0;

    if (!list && p->form != FORM_TEXT)
        return 0;
    if (!list || list->kind != YNODE_SEQ || list->count == 0 || list->count > PATTERNS_MAX)
        return wrong(m, list ? list : m->yaml->docs[0], "\"patterns\" wants a list of 1 to 256");
    p->patterns = arena_zero(m->arena, list->count * sizeof *p->patterns);
    if (!p->patterns)
        return err_set(m->e, -ENOMEM, "no memory for a parser");
    for (const struct ynode *n = list->first; n && rc == 0; n = n->next)
        rc = pattern(m, n, &p->patterns[p->pattern_count++]);
    return rc == 0 ? making_groups(m) : rc;
}

static int inside(struct making *m, const struct ynode *list)
{
    static const char *const keys[] = { "of", "program", "parser", "form", "options", NULL };
    struct inside *items;
    int rc = 0;

    if (!list)
        return 0;
    items = list->kind == YNODE_SEQ && list->count <= INSIDE_MAX ? arena_zero(m->arena, (list->count + 1) * sizeof *items) : NULL;
    if (!items)
        return wrong(m, list, "\"inside\" wants a list of at most 32");
    m->product->inside = items;
    for (const struct ynode *n = list->first; n && rc == 0; n = n->next) {
        struct inside *i = &items[m->product->inside_count++];
        struct str of = yaml_text(n, "of");

        if (n->kind != YNODE_MAP)
            return wrong(m, n, "a text inside wants a map");
        rc = yaml_only(m->yaml, n, keys, m->e);
        if (rc == 0)
            rc = form(m, n, &i->form, &i->options);
        i->program = arena_copy(m->arena, yaml_text(n, "program"));
        i->parser = arena_copy(m->arena, yaml_text(n, "parser"));
        if (rc == 0 && (of.n == 0 || (i->program.n > 0) + (i->parser.n > 0) + (i->form != FORM_TEXT) != 1))
            rc = wrong(m, n, "a text inside wants \"of\" and one of \"program\", \"parser\" and \"form\"");
        if (rc == 0)
            rc = making_number(m, n, of, &i->of);
    }
    return rc;
}

static int derive(struct making *m, const struct ynode *map)
{
    static const char *const known[] = { "network.bytes", "network.packets", "network.type" };
    const struct str *names;
    size_t count;
    int rc = making_texts(m, map, "derive", &names, &count);

    for (size_t i = 0; rc == 0 && i < count; i++) {
        size_t k = 0;

        while (k < COUNT(known) && !str_eq(names[i], str_c(known[k])))
            k++;
        if (k == COUNT(known))
            return wrong(m, yaml_get(map, "derive"), "\"derive\" knows network.bytes, network.packets and network.type");
        m->product->derive |= 1u << k;
    }
    return rc;
}

static int whole(struct making *m, const struct ynode *map)
{
    static const char *const keys[] = { "id",   "title",  "class", "prefix", "replaces", "match",    "form",   "options", "fields",
                                        "rest", "empty", "records", "time",  "set",    "types",    "cases", "patterns", "inside", "derive", "samples", NULL };
    struct product *p = m->product;
    struct str rest = yaml_text(map, "rest");
    int rc = yaml_only(m->yaml, map, keys, m->e);

    if (rc == 0)
        rc = names(m, map);
    if (rc == 0)
        rc = form(m, map, &p->form, &p->options);
    if (rc == 0)
        rc = match(m, yaml_get(map, "match"));
    if (rc == 0)
        rc = making_texts(m, map, "replaces", &p->replaces, &p->replace_count);
    if (rc == 0)
        rc = making_texts(m, map, "empty", &p->empty, &p->empty_count);
    for (size_t i = 0; i < p->empty_count; i++)
        p->empty_longest = p->empty[i].n > p->empty_longest ? p->empty[i].n : p->empty_longest;
    if (rc == 0)
        rc = making_texts(m, map, "records", &p->records, &p->record_count);
    if (rc == 0 && p->record_count > RECORD_STARTS_MAX)
        rc = wrong(m, yaml_get(map, "records"), "\"records\" wants at most 16 ways to begin");
    p->drop_rest = str_eq(rest, STR("drop"));
    if (rc == 0 && rest.n && !p->drop_rest && !str_eq(rest, STR("keep")))
        rc = wrong(m, yaml_get(map, "rest"), "\"rest\" is keep or drop");
    if (rc == 0)
        rc = making_fields(m, yaml_get(map, "fields"));
    if (rc == 0)
        rc = making_layer(m, map, &p->layer);
    if (rc == 0 && !p->layer.time)
        rc = making_time(m);
    if (rc == 0 && p->form == FORM_CEF)
        rc = making_number(m, map, STR("cef.name"), &p->message_of);
    if (rc == 0)
        rc = derive(m, map);
    if (rc == 0)
        rc = patterns(m, yaml_get(map, "patterns"));
    if (rc == 0)
        rc = inside(m, yaml_get(map, "inside"));
    if (rc == 0)
        rc = making_names(m);
    return rc == 0 ? making_samples(m, yaml_get(map, "samples")) : rc;
}

int product_load(struct str text, const char *name, struct product **out, struct err *e)
{
    struct making m = { .e = e };
    int rc;

    *out = NULL;
    m.product = calloc(1, sizeof *m.product);
    if (!m.product)
        return err_set(e, -ENOMEM, "no memory for a parser");
    m.product->refs = 1;
    m.product->file = strdup(name);
    arena_init(&m.product->arena, PRODUCT_BYTES_MAX);
    m.arena = &m.product->arena;
    m.product->lines = arena_zero(m.arena, sizeof *m.product->lines);
    m.product->limits = limits_new();
    rc = m.product->file && m.product->lines && m.product->limits ? yaml_load(text, name, &m.yaml, e) : err_set(e, -ENOMEM, "no memory for a parser");
    if (rc == 0 && (m.yaml->doc_count != 1 || m.yaml->docs[0]->kind != YNODE_MAP))
        rc = err_line(e, -EBADMSG, name, 1, 1, "a parser is one map of keys");
    if (rc == 0)
        rc = whole(&m, m.yaml->docs[0]);
    if (rc == 0 && arena_failed(m.arena))
        rc = err_line(e, -E2BIG, name, 1, 1, "the parser is too large");
    if (m.yaml)
        yaml_free(&m.yaml);
    if (rc < 0) {
        product_unref(&m.product);
        return rc;
    }
    *out = m.product;
    return 0;
}

void product_unref(struct product **p)
{
    struct product *own = *p;

    *p = NULL;
    if (!own || --own->refs > 0)
        return;
    for (size_t i = 0; i < own->pattern_count; i++)
        pattern_free(&own->patterns[i]);
    limits_free(own->limits);
    arena_free(&own->arena);
    free(own->file);
    free(own);
}
