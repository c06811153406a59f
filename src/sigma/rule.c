/* rule.c - one YAML document becomes a rule of the set, or a refusal. */
#include "sigma/internal.h"

static const char *const level_names[SIGMA_LEVEL_COUNT] = { "informational", "low", "medium", "high", "critical" };

const char *sigma_level_name(enum sigma_level l)
{
    return l < SIGMA_LEVEL_COUNT ? level_names[l] : "medium";
}

int sigma_refuse(struct sigma *s, enum sigma_verdict v, struct str file, struct str id, int line, int column,
                 const char *reason)
{
    if (s->refusal_count == s->refusal_cap) {
        uint32_t cap = s->refusal_cap ? s->refusal_cap * 2 : 16;
        struct sigma_refusal *grown = realloc(s->refusals, cap * sizeof *grown);

        if (!grown)
            return -ENOMEM;
        s->refusals = grown;
        s->refusal_cap = cap;
    }
    s->refusals[s->refusal_count++] = (struct sigma_refusal){
        v, arena_copy(&s->arena, file), arena_copy(&s->arena, id), line, column, arena_copy(&s->arena, str_c(reason)),
    };
    return 0;
}

int sigma_remark(struct sigma *s, struct str file, struct str id, int line, int column, const char *text)
{
    if (s->remark_count == s->remark_cap) {
        uint32_t cap = s->remark_cap ? s->remark_cap * 2 : 16;
        struct sigma_remark *grown = realloc(s->remarks, cap * sizeof *grown);

        if (!grown)
            return -ENOMEM;
        s->remarks = grown;
        s->remark_cap = cap;
    }
    s->remarks[s->remark_count++] = (struct sigma_remark){
        arena_copy(&s->arena, file), arena_copy(&s->arena, id), line, column, arena_copy(&s->arena, str_c(text)),
    };
    return 0;
}

int draft_texts(struct draft *d, const struct ynode *n, struct sigma_texts *out)
{
    size_t count = !n ? 0 : n->kind == YNODE_SEQ ? n->count : 1;
    struct str *items;
    size_t i = 0;

    if (count == 0)
        return 0;
    items = arena_array(&d->set->arena, count, sizeof *items);
    if (!items)
        return err_set(d->e, -ENOMEM, "no memory for a rule");
    for (const struct ynode *v = n->kind == YNODE_SEQ ? n->first : n; v; v = n->kind == YNODE_SEQ ? v->next : NULL) {
        if (v->kind != YNODE_SCALAR)
            return draft_broken(d, v, "a text is expected here");
        items[i] = text_keep(d->set, v->text);
        if (!items[i++].p)
            return err_set(d->e, -ENOMEM, "no memory for a rule");
    }
    *out = (struct sigma_texts){ items, i };
    return 0;
}

static int take_level(struct draft *d, const struct ynode *doc, struct sigma_rule *r)
{
    const struct ynode *n = yaml_get(doc, "level");

    r->level = SIGMA_MEDIUM;
    if (!n)
        return 0;
    for (int i = 0; i < SIGMA_LEVEL_COUNT; i++)
        if (n->kind == YNODE_SCALAR && str_eq(n->text, str_c(level_names[i]))) {
            r->level = (enum sigma_level)i;
            return 0;
        }
    return draft_broken(d, n, "\"level\" must be informational, low, medium, high or critical");
}

static int take_custom(struct draft *d, const struct ynode *custom, bool filter, struct sigma_rule *r)
{
    static const char *const of_rules[] = { "title_kk", "title_ru", "recommendations", "samples", "learn", "lateness", "per_object", "incident_type", "group_by", NULL };
    static const char *const of_filters[] = { "author", "reason", "expires", "scope", NULL };
    const struct ynode *rec = yaml_get(custom, "recommendations"), *samples = yaml_get(custom, "samples");
    int rc = 0;

    if (!custom)
        return 0;
    if (yaml_only(d->y, custom, filter ? of_filters : of_rules, d->e) < 0) {
        char text[ERR_TEXT_MAX];

        snprintf(text, sizeof text, "%s", d->e->text);
        return draft_broken(d, custom, "%s", text);
    }
    r->title_kk = text_keep(d->set, yaml_text(custom, "title_kk"));
    r->title_ru = text_keep(d->set, yaml_text(custom, "title_ru"));
    const struct { const struct ynode *from; const char *key; struct sigma_texts *to; } lists[] = {
        { rec, "kk", &r->measures_kk }, { rec, "ru", &r->measures_ru }, { rec, "en", &r->measures_en },
        { samples, "match", &r->match }, { samples, "nomatch", &r->nomatch }, { custom, "group_by", &r->group_by },
    };
    for (size_t i = 0; i < COUNT(lists) && rc == 0; i++)
        rc = draft_texts(d, yaml_get(lists[i].from, lists[i].key), lists[i].to);
    if (rc == 0 && r->group_by.count > SIGMA_GROUP_BY_MAX)
        rc = draft_broken(d, yaml_get(custom, "group_by"), "\"group_by\" names more than %d fields", SIGMA_GROUP_BY_MAX);
    return rc;
}

static int take_texts(struct draft *d, const struct ynode *doc, struct sigma_rule *r)
{
    struct arena *a = &d->set->arena;
    int rc;

    r->title = arena_copy(a, yaml_text(doc, "title"));
    r->id = arena_copy(a, yaml_text(doc, "id"));
    r->name = text_keep(d->set, yaml_text(doc, "name"));
    r->status = text_keep(d->set, yaml_text(doc, "status"));
    r->description = arena_copy(a, yaml_text(doc, "description"));
    r->author = text_keep(d->set, yaml_text(doc, "author"));
    r->line = doc->line;
    d->id = r->id;
    if (r->title.n == 0)
        return draft_broken(d, doc, "\"title\" is missing");
    if (r->id.n == 0 && r->name.n)
        r->id = r->name;
    if (r->id.n == 0)
        r->id = arena_printf(a, "%.*s:%d", STR_ARG(r->file), doc->line);
    rc = take_level(d, doc, r);
    if (rc == 0)
        rc = draft_texts(d, yaml_get(doc, "tags"), &r->tags);
    return rc < 0 ? rc : take_custom(d, yaml_get(doc, "saqshy"), yaml_get(doc, "filter") != NULL, r);
}

static int take_logsource(struct draft *d, const struct ynode *n, uint32_t *out)
{
    struct sigma *s = d->set;
    struct logsource l;

    if (!n || n->kind != YNODE_MAP)
        return draft_broken(d, n, "\"logsource\" must be a map of product, category or service");
    l = (struct logsource){ yaml_text(n, "product"), yaml_text(n, "category"), yaml_text(n, "service") };
    for (uint32_t i = 0; i < s->logsource_count; i++)
        if (str_ieq(s->logsources[i].product, l.product) && str_ieq(s->logsources[i].category, l.category) &&
            str_ieq(s->logsources[i].service, l.service)) {
            *out = i;
            return 0;
        }
    if (s->logsource_count == s->logsource_cap) {
        uint32_t cap = s->logsource_cap ? s->logsource_cap * 2 : 64;
        struct logsource *grown = realloc(s->logsources, cap * sizeof *grown);

        if (!grown)
            return err_set(d->e, -ENOMEM, "no memory for a rule");
        s->logsources = grown;
        s->logsource_cap = cap;
    }
    *out = s->logsource_count;
    s->logsources[s->logsource_count++] =
        (struct logsource){ arena_copy(s->names, l.product), arena_copy(s->names, l.category), arena_copy(s->names, l.service) };
    return 0;
}

/* take_taxonomy - whose names of fields the rule speaks: Sigma's own. */
static int take_taxonomy(struct draft *d, const struct ynode *doc, struct compiled *c)
{
    const struct ynode *n = yaml_get(doc, "taxonomy");

    if (!n || (n->kind == YNODE_SCALAR && (n->text.n == 0 || str_eq(n->text, STR("sigma")))))
        return 0;
    if (n->kind != YNODE_SCALAR || !taxonomy_known(d->set, n->text))
        return draft_unsupported(d, n, "no pipeline maps the names of taxonomy \"%.*s\"", STR_ARG(n->text));
    c->taxonomy = text_keep(d->set, n->text);
    d->taxonomy = c->taxonomy;
    return 0;
}

/* take_conditions - each of a list of conditions once more by itself, to tell which of them held. */
static int take_conditions(struct draft *d, struct compiled *c)
{
    int rc = 0;

    if (d->conditions.n < 2)
        return 0;
    c->condition_count = d->conditions.n < 64 ? d->conditions.n : 64;
    c->conditions = arena_array(&d->set->arena, c->condition_count, sizeof *c->conditions);
    if (!c->conditions)
        return err_set(d->e, -ENOMEM, "no memory for a rule");
    for (uint32_t i = 0; i < c->condition_count && rc == 0; i++)
        rc = program_compile(d, d->conditions.p[i], &c->conditions[i]);
    return rc;
}

uint64_t rule_conditions(const struct compiled *c, struct view *v)
{
    uint64_t bits = 0;

    for (uint32_t i = 0; i < c->condition_count; i++)
        if (program_run(&c->conditions[i], v))
            bits |= UINT64_C(1) << i;
    return bits;
}

static int take_detection(struct draft *d, const struct ynode *doc, struct compiled *c)
{
    const struct ynode *detection = yaml_get(doc, "detection"), *condition = yaml_get(detection, "condition");
    uint32_t root = 0;
    int rc;

    if (detection->kind != YNODE_MAP)
        return draft_broken(d, detection, "\"detection\" must be a map of selections and a condition");
    if (!condition)
        return draft_broken(d, detection, "\"condition\" is missing in \"detection\"");
    rc = take_taxonomy(d, doc, c);
    if (rc == 0)
        rc = take_logsource(d, yaml_get(doc, "logsource"), &c->logsource);
    if (rc == 0)
        d->logsource = &d->set->logsources[c->logsource];
    if (rc == 0)
        rc = detection_compile(d, detection, NULL);
    if (rc == 0)
        rc = condition_compile(d, condition, &root);
    if (rc == 0)
        rc = program_compile(d, root, &c->program);
    return rc < 0 ? rc : take_conditions(d, c);
}

/* date_of - "2026-11-28" or "2026/11/28" as a number that grows with the date; 0 for anything else. */
static uint32_t date_of(struct str s)
{
    uint32_t n = 0;

    if (s.n != 10)
        return 0;
    for (size_t i = 0; i < s.n; i++) {
        if (i == 4 || i == 7)
            continue;
        if (s.p[i] < '0' || s.p[i] > '9')
            return 0;
        n = n * 10 + (uint32_t)(s.p[i] - '0');
    }
    return n;
}

/* take_filter - 1: the document was a filter and is no rule. */
static int take_filter(struct draft *d, const struct ynode *doc, struct compiled *c)
{
    int rc = take_taxonomy(d, doc, c);

    if (rc == 0)
        rc = take_logsource(d, yaml_get(doc, "logsource"), &c->logsource);
    if (rc == 0)
        d->logsource = &d->set->logsources[c->logsource];
    if (rc == 0)
        rc = filter_compile(d, yaml_get(doc, "filter"), yaml_get(doc, "saqshy"), &c->rule, c->logsource);
    return rc < 0 ? rc : 1;
}

/* compile - 0: a rule; 1: a filter or a pipeline, which are in the set already. */
static int compile(struct draft *d, const struct ynode *doc, struct compiled *c)
{
    int rc;

    if (pipeline_is(doc))
        return 1;
    if (doc->kind != YNODE_MAP)
        return draft_broken(d, doc, "a rule is a map: title, logsource, detection");
    if (yaml_get(doc, "action"))
        return draft_broken(d, yaml_get(doc, "action"), "\"action\" must be global, reset, or repeat behind another document");
    rc = take_texts(d, doc, &c->rule);
    if (rc < 0)
        return rc;
    c->modified = date_of(yaml_text(doc, yaml_get(doc, "modified") ? "modified" : "date"));
    if (yaml_get(doc, "filter"))
        return take_filter(d, doc, c);
    if (str_eq(c->rule.status, STR("unsupported")))
        return draft_unsupported(d, yaml_get(doc, "status"), "its author calls it unsupported");
    if (yaml_get(doc, "correlation")) {
        c->rule.correlation = true;
        return correlation_parse(d, yaml_get(doc, "correlation"), yaml_get(doc, "saqshy"), &c->correlation);
    }
    if (!yaml_get(doc, "detection"))
        return draft_broken(d, doc, "\"detection\" or \"correlation\" is missing");
    return take_detection(d, doc, c);
}

static bool add_rule(struct sigma *s, const struct compiled *c)
{
    if (s->rule_count == s->rule_cap) {
        uint32_t cap = s->rule_cap ? s->rule_cap * 2 : 64;
        struct compiled *grown = realloc(s->rules, cap * sizeof *grown);

        if (!grown)
            return false;
        s->rules = grown;
        s->rule_cap = cap;
    }
    s->rules[s->rule_count++] = *c;
    return true;
}

int draft_refuse(struct draft *d, int rc, const struct ynode *doc, struct err *e)
{
    if (rc == -EBADMSG || rc == -ENOTSUP || rc == -E2BIG)
        rc = sigma_refuse(d->set, rc == -ENOTSUP ? SIGMA_UNSUPPORTED : SIGMA_BROKEN, d->file, d->id, d->line ? d->line : doc->line,
                          d->column ? d->column : doc->column, d->e->text);
    return rc < 0 ? err_set(e, -ENOMEM, "no memory for the rules") : 0;
}

int rule_compile(struct sigma *s, struct yaml *y, const struct ynode *doc, bool merged, struct str file, struct err *e)
{
    struct err why = { 0 };
    struct draft d = { .set = s, .y = y, .e = &why, .file = file };
    struct compiled c = { .rule = { .file = file }, .merged = merged };
    int rc = compile(&d, doc, &c);

    draft_free(&d);
    if (rc < 0)
        return draft_refuse(&d, rc, doc, e);
    if (rc == 0 && !add_rule(s, &c))
        return err_set(e, -ENOMEM, "no memory for the rules");
    return 0;
}
