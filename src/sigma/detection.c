/* detection.c - the selections of a rule become named nodes.
 *
 * A selection is a map (AND of its items), a list of maps (OR), a list of texts (keywords, OR), a list of such lists, or one
 * text. An item is "field|modifiers: value or list of values". */
#include "sigma/engine.h"
#include "sigma/modifier.h"

struct patterns {
    struct pattern *p;
    uint32_t n, cap;
};

static int add_pattern(struct draft *d, struct patterns *list, const struct pattern *p)
{
    if (list->n == list->cap) {
        uint32_t cap = list->cap ? list->cap * 2 : 4;
        struct pattern *grown = arena_array(&d->set->scratch, cap, sizeof *grown);

        if (!grown)
            return err_set(d->e, -ENOMEM, "no memory for patterns");
        if (list->n)
            memcpy(grown, list->p, list->n * sizeof *grown);
        list->p = grown;
        list->cap = cap;
    }
    list->p[list->n++] = *p;
    return 0;
}

static bool plain_number(const struct ynode *v, double *number)
{
    return v->plain && v->text.n <= 15 && number_parse(v->text, number);
}

static int add_text(struct draft *d, const struct ynode *v, const struct chain *c, bool keyword, struct patterns *out)
{
    struct tokens one;
    struct alternatives alt = { &one, 1 };
    int rc = tokens_of(&d->set->scratch, v->text, &one, d->e);

    if (rc == 0)
        rc = chain_apply(d, v, c, &alt);
    for (uint32_t i = 0; rc == 0 && i < alt.count; i++) {
        struct pattern p;

        if (keyword)
            rc = tokens_wrap(&d->set->scratch, &alt.t[i], true, true, d->e);
        if (rc == 0)
            rc = pattern_of_tokens(d->set, &alt.t[i], c->cased, &p, d->e);
        if (rc == 0)
            rc = add_pattern(d, out, &p);
    }
    return rc == -E2BIG ? draft_broken(d, v, "%s", d->e->text) : rc;
}

static int add_regex(struct draft *d, const struct ynode *v, const struct chain *c, struct patterns *out)
{
    struct pattern p = { .kind = PAT_RE };
    struct str literal;
    struct err why;
    int rc = regex_new(v->text, c->re_flags, &p.re, &why);

    if (rc == -EBADMSG)
        return draft_broken(d, v, "%s", why.text);
    if (rc < 0)
        return err_set(d->e, rc, "no memory for a regular expression");
    literal = regex_literal(&d->set->scratch, v->text);
    if (literal.p)
        p.text = text_keep(d->set, literal);
    p.re->source = arena_copy(&d->set->arena, v->text);
    p.re->next = d->set->regexes;
    d->set->regexes = p.re;
    return add_pattern(d, out, &p);
}

static int add_reference(struct draft *d, const struct ynode *v, const struct chain *c, struct patterns *out)
{
    struct pattern p = { .kind = PAT_REF, .cased = c->cased };

    if (str_chr(v->text, '*') >= 0 || str_chr(v->text, '?') >= 0 || v->text.n == 0)
        return draft_broken(d, v, "the name of a field is expected here");
    if (c->count == 1)
        p.kind = c->text[0] == MOD_STARTS ? PAT_REF_STARTS : c->text[0] == MOD_ENDS ? PAT_REF_ENDS : PAT_REF_CONTAINS;
    p.ref_field = field_of(d, v->text);
    if (p.ref_field == UINT32_MAX)
        return draft_broken(d, v, "more than %d field names in all rules", SIGMA_FIELDS_MAX);
    return add_pattern(d, out, &p);
}

static enum pattern_kind comparison(enum modifier m)
{
    return m == MOD_LT ? PAT_LT : m == MOD_LTE ? PAT_LTE : m == MOD_GT ? PAT_GT : m == MOD_GTE ? PAT_GTE : PAT_NUMBER;
}

static int add_part(struct draft *d, const struct ynode *v, const struct chain *c, struct patterns *out)
{
    struct pattern p = { .kind = PAT_PART, .part = (enum time_part)(c->first - MOD_MINUTE), .compare = comparison(c->compare),
                         .zone_min = d->set->zone_min };

    if (!number_parse(v->text, &p.number) || !part_possible(p.part, p.number))
        return draft_broken(d, v, "a whole number that a clock or calendar can show is expected here");
    return add_pattern(d, out, &p);
}

/* add_read - a value that is not a text: its first modifier says how it is read. */
static int add_read(struct draft *d, const struct ynode *v, const struct chain *c, struct patterns *out)
{
    struct pattern p = { 0 };
    struct err why;

    switch (c->first) {
    case MOD_RE:
        return add_regex(d, v, c, out);
    case MOD_REF:
        return add_reference(d, v, c, out);
    case MOD_CIDR:
        if (pattern_cidr(v->text, &p, &why) < 0)
            return draft_broken(d, v, "%s", why.text);
        return add_pattern(d, out, &p);
    case MOD_EXISTS:
        if (!v->plain || (!str_ieq(v->text, STR("true")) && !str_ieq(v->text, STR("false"))))
            return draft_broken(d, v, "\"exists\" takes true or false");
        p.kind = str_ieq(v->text, STR("true")) ? PAT_EXISTS : PAT_ABSENT;
        return add_pattern(d, out, &p);
    case MOD_MINUTE: case MOD_HOUR: case MOD_DAY: case MOD_WEEK: case MOD_MONTH: case MOD_YEAR:
        return add_part(d, v, c, out);
    default:
        p.kind = comparison(c->first);
        if (!number_parse(v->text, &p.number))
            return draft_broken(d, v, "a number is expected here");
        return add_pattern(d, out, &p);
    }
}

static int add_plain(struct draft *d, const struct ynode *v, const struct chain *c, bool keyword, struct patterns *out)
{
    struct pattern p = { 0 };

    if (c->first != MOD_NONE)
        return add_read(d, v, c, out);
    if (!keyword && c->count == 0 && plain_number(v, &p.number)) {
        p.kind = PAT_NUMBER;
        p.text = text_keep(d->set, v->text);
        return p.text.p ? add_pattern(d, out, &p) : err_set(d->e, -ENOMEM, "no memory for patterns");
    }
    return add_text(d, v, c, keyword, out);
}

static int add_value(struct draft *d, const struct ynode *v, const struct chain *c, bool keyword, struct patterns *out)
{
    struct sigma_texts texts = { NULL, 0 };
    struct ynode one;
    int rc;

    if (v->kind != YNODE_SCALAR)
        return draft_broken(d, v, "a text, a number or a list of them is expected here");
    if (yaml_null(v))
        return draft_broken(d, v, "null is not part of a list, takes no modifier and needs a field");
    if (!c->expand)
        return add_plain(d, v, c, keyword, out);
    rc = expand_value(d, v, &texts);
    for (size_t i = 0; i < texts.count && rc == 0; i++) {
        one = *v;
        one.text = texts.items[i];
        rc = add_plain(d, &one, c, keyword, out);
    }
    return rc;
}

/* one_leaf - patterns [from, n) of list as a leaf, which keeps a copy of them. */
static int64_t one_leaf(struct draft *d, uint32_t field, const struct patterns *list, uint32_t from, const struct ynode *at)
{
    uint32_t n = list->n - from;
    struct leaf leaf = { field, n, arena_array(&d->set->arena, n ? n : 1, sizeof *list->p) };

    if (!leaf.patterns)
        return err_set(d->e, -ENOMEM, "no memory for patterns");
    if (n)
        memcpy(leaf.patterns, list->p + from, n * sizeof *list->p);
    return draft_leaf(d, &leaf, at);
}

/* null_node - the field is absent or null: the value null, or an empty list. */
static int64_t null_node(struct draft *d, const struct ynode *at, const struct ynode *value, const struct chain *c, uint32_t field)
{
    struct patterns list = { 0 };
    int rc;

    if (field == FIELD_KEYWORD || c->first != MOD_NONE || c->count)
        return draft_broken(d, value, "%s takes no modifier and needs a field", value->kind == YNODE_SEQ ? "an empty list stands for null, which" : "null");
    rc = add_pattern(d, &list, &(struct pattern){ .kind = PAT_NULL });
    return rc < 0 ? rc : one_leaf(d, field, &list, 0, at);
}

/* all_node - each value of the list as a leaf of its own, joined by AND. What one value is expanded to stays OR. */
static int64_t all_node(struct draft *d, const struct ynode *at, const struct ynode *values, const struct chain *c, uint32_t field)
{
    AUTO_FREE uint32_t *kids = calloc(values->kind == YNODE_SEQ ? values->count : 1, sizeof *kids);
    uint32_t kid_count = 0;

    if (!kids)
        return err_set(d->e, -ENOMEM, "no memory for a rule");
    if (values->kind != YNODE_SEQ || values->count == 1)
        draft_remark(d, at, "\"all\" over a single value changes nothing");
    for (const struct ynode *v = values->kind == YNODE_SEQ ? values->first : values; v; v = values->kind == YNODE_SEQ ? v->next : NULL) {
        struct patterns list = { 0 };
        int rc = add_value(d, v, c, field == FIELD_KEYWORD, &list);
        int64_t n = rc < 0 ? rc : one_leaf(d, field, &list, 0, v);

        if (n < 0)
            return n;
        kids[kid_count++] = (uint32_t)n;
    }
    return draft_node(d, NODE_AND, kids, kid_count, at);
}

/* values_node - the values of one item, joined by OR, or by AND with "all". */
static int64_t values_node(struct draft *d, const struct ynode *at, const struct ynode *values, const struct chain *c,
                           uint32_t field)
{
    const struct ynode *v = values->kind == YNODE_SEQ ? values->first : values;
    struct patterns list = { 0 };

    if (values->kind == YNODE_SEQ ? values->count == 0 : yaml_null(values))
        return null_node(d, at, values, c, field);
    if (c->all)
        return all_node(d, at, values, c, field);
    for (; v; v = values->kind == YNODE_SEQ ? v->next : NULL) {
        int rc = add_value(d, v, c, field == FIELD_KEYWORD, &list);

        if (rc < 0)
            return rc;
    }
    return one_leaf(d, field, &list, 0, at);
}

static int64_t item_node(struct draft *d, const struct ynode *key)
{
    ptrdiff_t bar = str_chr(key->text, '|');
    struct str name = bar < 0 ? key->text : str_of(key->text.p, (size_t)bar);
    uint32_t field = FIELD_KEYWORD;
    struct chain c = { 0 };
    int64_t n;

    if (bar >= 0) {
        int rc = chain_parse(d, key, str_cut(key->text, (size_t)bar + 1), &c);

        if (rc < 0)
            return rc;
    }
    if (!key->value)
        return draft_broken(d, key, "a value is expected here");
    if (name.n) {
        field = field_of(d, name);
        if (field == UINT32_MAX)
            return draft_broken(d, key, "more than %d field names in all rules", SIGMA_FIELDS_MAX);
    } else if (c.first != MOD_NONE && c.first != MOD_RE) {
        return draft_broken(d, key, "this modifier needs a field");
    }
    n = values_node(d, key, key->value, &c, field);
    if (n >= 0 && c.neq) {
        uint32_t kid = (uint32_t)n;

        n = draft_node(d, NODE_NOT, &kid, 1, key);
    }
    return n;
}

static int64_t map_node(struct draft *d, const struct ynode *map)
{
    AUTO_FREE uint32_t *kids = calloc(map->count ? map->count : 1, sizeof *kids);
    uint32_t count = 0;

    if (!kids)
        return err_set(d->e, -ENOMEM, "no memory for a rule");
    if (map->count == 0)
        return draft_broken(d, map, "an empty selection");
    for (const struct ynode *key = map->first; key; key = key->next) {
        int64_t n = item_node(d, key);

        if (n < 0)
            return n;
        kids[count++] = (uint32_t)n;
    }
    return count == 1 ? kids[0] : draft_node(d, NODE_AND, kids, count, map);
}

/* list_items - the maps of a list, and of the lists in it, as nodes; its texts as keywords. All are joined by OR, at any depth. */
static int list_items(struct draft *d, const struct ynode *list, struct u32list *kids, struct patterns *words)
{
    static const struct chain none = { 0 };
    const struct ynode *open[YAML_DEPTH_MAX] = { list };   /* lists and items that follow; base/yaml.c nests no deeper */
    uint32_t depth = 1;

    while (depth) {
        const struct ynode *v = open[--depth];
        int64_t n;

        if (v != list && v->next)
            open[depth++] = v->next;
        if (v->kind == YNODE_SEQ && v->count == 0)
            return draft_broken(d, v, "an empty selection");
        if (v->kind == YNODE_SEQ) {
            assert(depth < YAML_DEPTH_MAX);
            open[depth++] = v->first;
            continue;
        }
        n = v->kind == YNODE_SCALAR ? add_value(d, v, &none, true, words) : map_node(d, v);
        if (n < 0)
            return (int)n;
        if (v->kind == YNODE_MAP && !u32list_add(kids, (uint32_t)n))
            return err_set(d->e, -ENOMEM, "no memory for a rule");
    }
    return 0;
}

static int64_t list_node(struct draft *d, const struct ynode *list)
{
    struct patterns words = { 0 };
    struct u32list kids = { 0 };
    int64_t n = list_items(d, list, &kids, &words);

    if (n == 0 && words.n) {
        n = one_leaf(d, FIELD_KEYWORD, &words, 0, list);
        if (n >= 0 && !u32list_add(&kids, (uint32_t)n))
            n = err_set(d->e, -ENOMEM, "no memory for a rule");
    }
    if (n >= 0)
        n = kids.n == 1 ? kids.p[0] : draft_node(d, NODE_OR, kids.p, kids.n, list);
    free(kids.p);
    return n;
}

static int64_t selection_node(struct draft *d, const struct ynode *key)
{
    static const struct chain none = { 0 };

    if (!key->value || yaml_null(key->value))
        return draft_broken(d, key, "selection \"%.*s\" is empty", STR_ARG(key->text));
    if (key->value->kind == YNODE_MAP)
        return map_node(d, key->value);
    if (key->value->kind == YNODE_SEQ)
        return list_node(d, key->value);
    return values_node(d, key->value, key->value, &none, FIELD_KEYWORD);
}

int detection_compile(struct draft *d, const struct ynode *detection, const char *not_one)
{
    for (const struct ynode *key = detection->first; key; key = key->next) {
        int64_t n;

        if (str_eq(key->text, STR("condition")) || (not_one && str_eq(key->text, str_c(not_one))))
            continue;
        if (str_eq(key->text, STR("timeframe")))
            return draft_unsupported(d, key, "\"timeframe\" is obsolete, write a correlation rule");
        n = selection_node(d, key);
        if (n < 0)
            return (int)n;
        if (d->name_count == d->name_cap) {
            uint32_t cap = d->name_cap ? d->name_cap * 2 : 16;
            struct named *grown = realloc(d->names, cap * sizeof *grown);

            if (!grown)
                return err_set(d->e, -ENOMEM, "no memory for a rule");
            d->names = grown;
            d->name_cap = cap;
        }
        d->names[d->name_count++] = (struct named){ key->text, (uint32_t)n };
    }
    if (d->name_count == 0)
        return draft_broken(d, detection, "\"detection\" needs at least one selection beside its condition");
    return 0;
}
