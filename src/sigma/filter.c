/* filter.c - filters: documents that narrow other rules from outside, so that an update of a rule does not touch what a site excepts.
 *
 * A rule with filters is true when its own condition is and the condition of each filter is, as it is written (most say "not
 * selection"). A filter keeps its own selections, names and program: nothing of it is mixed into the rule, and "1 of" in it sees only
 * its own. It takes part where each dimension that its log source names is the rule's; correlations are not filtered.
 *
 * An exception is a filter that says who made it, why, and until when ("saqshy"). One that has expired, and one of other objects, says
 * nothing of an event: the moment is the event's receipt, so a replay judges as it was judged. */
#include "sigma/internal.h"

#define LINKS_MAX 2000000u   /* of filters that say "any" to rules */

/* negates - there is a NOT in what the condition says. Kids have smaller numbers than their parents. */
static bool negates(const struct draft *d, uint32_t root)
{
    AUTO_FREE bool *part = calloc((size_t)root + 1, sizeof *part);
    bool found = false;

    if (!part)
        return true;
    part[root] = true;
    for (uint32_t n = root + 1; n-- > 0 && !found;) {
        if (!part[n])
            continue;
        found = d->nodes[n].kind == NODE_NOT;
        for (uint32_t k = 0; k < d->nodes[n].kid_count; k++)
            part[d->kids[d->nodes[n].kids + k]] = true;
    }
    return found;
}

static int take_rules(struct draft *d, const struct ynode *map, struct filter *f)
{
    const struct ynode *rules = yaml_get(map, "rules");
    int rc;

    if (!rules)
        return draft_broken(d, map, "\"rules\" is missing: any, or the ids or names of the rules to filter");
    rc = draft_texts(d, rules, &f->rules);
    f->any = f->rules.count == 0 || (rules->kind == YNODE_SCALAR && (str_ieq(rules->text, STR("any")) || str_ieq(rules->text, STR("all"))));
    return rc;
}

static bool filters_grow(struct sigma *s)
{
    uint32_t cap = s->filter_cap ? s->filter_cap * 2 : 16;
    struct filter *grown;

    if (s->filter_count < s->filter_cap)
        return true;
    grown = realloc(s->filters, cap * sizeof *grown);
    if (!grown)
        return false;
    s->filters = grown;
    s->filter_cap = cap;
    return true;
}

/* below_exceptions - a file in, or below, a folder of this name: there each filter says who, why and until when. */
static bool below_exceptions(struct str file) { return str_find(file, STR("/exceptions/")) >= 0; }

/* take_expiry - a date counts to its end, in UTC; or a moment. */
static int take_expiry(struct draft *d, const struct ynode *n, struct filter *f)
{
    struct str text;
    time_ns t;

    if (!n)
        return 0;
    text = n->kind == YNODE_SCALAR ? n->text : STR("");
    if (text.n == 10)
        text = arena_printf(&d->set->arena, "%.*sT00:00:00Z", STR_ARG(text));
    if (text.n < 11 || time_parse_rfc3339(text, &t, NULL, NULL) < 0 || t > INT64_MAX - NS_PER_DAY)
        return draft_broken(d, n, "\"expires\" must be a day, 2026-12-31, or a moment, 2026-12-31T18:00:00+05:00");
    f->expires = n->text.n == 10 ? t + NS_PER_DAY : t;
    return 0;
}

static int take_scope(struct draft *d, const struct ynode *n, struct filter *f)
{
    static const char *const keys[] = { "objects", NULL };
    struct err why;

    if (!n)
        return 0;
    if (n->kind != YNODE_MAP || yaml_only(d->y, n, keys, &why) < 0 || !yaml_get(n, "objects"))
        return draft_broken(d, n, "\"scope\" must be a map of \"objects\": a list of ids");
    int rc = draft_texts(d, yaml_get(n, "objects"), &f->objects);
    bool empty = f->objects.count == 0;

    for (size_t i = 0; i < f->objects.count; i++)
        empty = empty || f->objects.items[i].n == 0;
    /* Whoever wrote a scope did not mean everywhere, and events without an object are nobody's. */
    return rc == 0 && empty ? draft_broken(d, n, "\"objects\" names no object: a list of ids is expected; for all objects leave out \"scope\"") : rc;
}

static int take_exception(struct draft *d, const struct ynode *map, const struct ynode *custom, struct filter *f)
{
    struct arena *a = &d->set->arena;
    int rc = 0;

    if (custom) {
        f->author = arena_copy(a, yaml_text(custom, "author"));
        f->reason = arena_copy(a, yaml_text(custom, "reason"));
        rc = take_expiry(d, yaml_get(custom, "expires"), f);
        if (rc == 0)
            rc = take_scope(d, yaml_get(custom, "scope"), f);
    }
    if (rc == 0 && below_exceptions(f->file) && (!f->author.n || !f->reason.n || !f->expires))
        return draft_broken(d, custom ? custom : map, "an exception says \"saqshy: {author, reason, expires}\": %s is missing",
                            !f->author.n ? "author" : !f->reason.n ? "reason" : "expires");
    return rc;
}

int filter_compile(struct draft *d, const struct ynode *map, const struct ynode *custom, const struct sigma_rule *texts, uint32_t logsource)
{
    struct filter f = { .id = texts->id, .title = texts->title, .file = texts->file, .line = map->line, .column = map->column, .logsource = logsource };
    const struct ynode *condition = map->kind == YNODE_MAP ? yaml_get(map, "condition") : NULL;
    uint32_t root = 0;
    int rc;

    if (!condition || condition->kind != YNODE_SCALAR)
        return draft_broken(d, condition ? condition : map, "\"filter\" must be a map of rules, selections and one condition");
    rc = take_rules(d, map, &f);
    if (rc == 0)
        rc = take_exception(d, map, custom, &f);
    if (rc == 0)
        rc = detection_compile(d, map, "rules");
    if (rc == 0)
        rc = condition_compile(d, condition, &root);
    if (rc == 0)
        rc = program_compile(d, root, &f.program);
    if (rc < 0)
        return rc;
    if (!negates(d, root))
        draft_remark(d, condition, "this filter keeps what it selects and drops everything else: most filters say \"not\"");
    if (!filters_grow(d->set))
        return err_set(d->e, -ENOMEM, "no memory for a rule");
    d->set->filters[d->set->filter_count++] = f;
    return 0;
}

/* --- linking --- */

static bool source_is_within(const struct sigma *s, const struct filter *f, const struct compiled *c)
{
    return logsource_within(&s->logsources[f->logsource], &s->logsources[c->logsource]);
}

/* link_one - the filter to one of the rules that it names. */
static int link_one(struct sigma *s, uint32_t filter, struct str name)
{
    const struct filter *f = &s->filters[filter];
    uint32_t rule = strmap_get(&s->id_map, name);
    struct compiled *c = rule == UINT32_MAX ? NULL : &s->rules[rule];
    const char *why = !c ? "is not among the loaded rules" : c->correlation ? "is a correlation, which is not filtered"
                    : !source_is_within(s, f, c) ? "has another log source than this filter" : NULL;
    char text[ERR_TEXT_MAX];

    if (!why)
        return c->filters.n && c->filters.p[c->filters.n - 1] == filter ? 0 : u32list_add(&c->filters, filter) ? 0 : -ENOMEM;
    snprintf(text, sizeof text, "rule \"%.*s\" %s", STR_ARG(name), why);
    return sigma_remark(s, f->file, f->id, f->line, f->column, text);
}

static int link_any(struct sigma *s, uint32_t filter, size_t *links)
{
    const struct filter *f = &s->filters[filter];
    size_t before = *links;

    for (uint32_t i = 0; i < s->rule_count; i++)
        *links += !s->rules[i].correlation && source_is_within(s, f, &s->rules[i]);
    if (*links == before)
        return sigma_remark(s, f->file, f->id, f->line, f->column, "no loaded rule has the log source of this filter");
    if (*links > LINKS_MAX) {
        *links = before;
        return sigma_refuse(s, SIGMA_BROKEN, f->file, f->id, f->line, f->column, "the filters reach too many rules together");
    }
    for (uint32_t i = 0; i < s->rule_count; i++)
        if (!s->rules[i].correlation && source_is_within(s, f, &s->rules[i]) && !u32list_add(&s->rules[i].filters, filter))
            return -ENOMEM;
    return 0;
}

int filters_link(struct sigma *s)
{
    size_t links = 0;
    int rc = 0;

    for (uint32_t i = 0; i < s->filter_count && rc == 0; i++) {
        const struct sigma_texts rules = s->filters[i].rules;

        if (s->filters[i].any)
            rc = link_any(s, i, &links);
        for (size_t k = 0; k < rules.count && rc == 0 && !s->filters[i].any; k++)
            rc = link_one(s, i, rules.items[k]);
    }
    return rc;
}

bool rule_holds(const struct sigma *s, const struct compiled *c, bool quick, struct view *v)
{
    bool holds = quick ? program_match(&c->program, v) : program_run(&c->program, v);

    for (uint32_t i = 0; i < c->filters.n && holds; i++) {
        const struct filter *f = &s->filters[c->filters.p[i]];

        holds = !filter_counts(f, v->ev) || program_run(&f->program, v);
    }
    return holds;
}

bool filter_counts(const struct filter *f, const struct event *ev)
{
    if (f->expires && ev->received >= f->expires)
        return false;
    for (size_t i = 0; i < f->objects.count; i++)
        if (str_eq(f->objects.items[i], ev->object))
            return true;
    return f->objects.count == 0;
}

/* --- what is excepted --- */

void sigma_rule_source(const struct sigma *s, const struct sigma_rule *r, struct str *product, struct str *category, struct str *service)
{
    const struct logsource *l = &s->logsources[s->rules[r->index].logsource];

    *product = l->product;
    *category = l->category;
    *service = l->service;
}

size_t sigma_exception_count(const struct sigma *s) { return s->filter_count; }

struct sigma_exception sigma_exception_at(const struct sigma *s, size_t i)
{
    const struct filter *f = &s->filters[i];

    return (struct sigma_exception){
        .id = f->id, .title = f->title, .file = f->file, .line = f->line, .author = f->author, .reason = f->reason, .expires = f->expires,
        .objects = f->objects, .rules = f->any ? (struct sigma_texts){ NULL, 0 } : f->rules,
    };
}

time_ns sigma_expires_next(const struct sigma *s, time_ns at)
{
    time_ns next = 0;

    for (uint32_t i = 0; i < s->filter_count; i++)
        if (s->filters[i].expires > at && (next == 0 || s->filters[i].expires < next))
            next = s->filters[i].expires;
    return next;
}
