/* set.c - the rules of all files become a set: what leads from one to another. What a file becomes is made in units.c. */
#include "sigma/classify.h"
#include "sigma/engine.h"

bool u32list_add(struct u32list *l, uint32_t v)
{
    if (l->n == l->cap) {
        uint32_t cap = l->cap ? l->cap * 2 : 8;
        uint32_t *grown = realloc(l->p, cap * sizeof *grown);

        if (!grown)
            return false;
        l->p = grown;
        l->cap = cap;
    }
    l->p[l->n++] = v;
    return true;
}

void sigma_free(struct sigma **sp)
{
    struct sigma *s = *sp;

    if (!s)
        return;
    for (uint32_t i = 0; i < s->rule_count; i++)
        free(s->rules[i].filters.p);
    tables_free(&s->tables);
    free(s->rules);
    free(s->correlations);
    free(s->logsources);
    free(s->refusals);
    free(s->remarks);
    free(s->filters);
    free(s->mappings);
    free(s->variables);
    free(s->mapping_map.slots);
    free(s->fields);
    free(s->field_map.slots);
    free(s->id_map.slots);
    free(s->alias_map.slots);
    free(s->aliases);
    texts_end(s);
    arena_free(&s->arena);
    arena_free(&s->scratch);
    for (uint32_t i = 0; i < s->crop_count; i++)
        crop_unref(&s->crops[i]);
    free(s->crops);
    free(s);
    *sp = NULL;
}

/* --- linking --- */

static uint32_t find_rule(const struct sigma *s, struct str id)
{
    return strmap_get(&s->id_map, id);
}

/* part_id - rules that one file makes of one global document may share its id: the second becomes ID.2, and so on. */
static bool part_id(struct sigma *s, struct sigma_rule *r)
{
    struct str id = r->id;

    for (unsigned part = 2; find_rule(s, r->id) != UINT32_MAX; part++) {
        r->id = arena_printf(&s->arena, "%.*s.%u", STR_ARG(id), part);
        if (!r->id.p)
            return false;
    }
    return true;
}

static int tell_replaced(struct sigma *s, struct compiled *old, const struct compiled *new)
{
    char why[ERR_TEXT_MAX];

    old->dead = true;
    snprintf(why, sizeof why, "replaced by %.*s:%d, which has the same id and was modified later", STR_ARG(new->rule.file), new->rule.line);
    return sigma_remark(s, old->rule.file, old->rule.id, old->rule.line, 1, why);
}

/* same_id - of two rules with one id the one that was modified later stays; where none was, the second is refused. */
static int same_id(struct sigma *s, struct compiled *first, struct compiled *second)
{
    char why[ERR_TEXT_MAX];

    if (first->modified != second->modified)
        return first->modified > second->modified ? tell_replaced(s, second, first) : tell_replaced(s, first, second);
    snprintf(why, sizeof why, "id \"%.*s\" stands also in %.*s:%d", STR_ARG(second->rule.id), STR_ARG(first->rule.file), first->rule.line);
    second->dead = true;
    return sigma_refuse(s, SIGMA_BROKEN, second->rule.file, second->rule.id, second->rule.line, 1, why);
}

static bool living(const struct sigma *s, struct str id)
{
    uint32_t i = find_rule(s, id);

    return i != UINT32_MAX && !s->rules[i].dead;
}

/* index_ids - id and name of each living rule. */
static int index_ids(struct sigma *s)
{
    for (uint32_t i = 0; i < s->rule_count; i++) {
        struct compiled *c = &s->rules[i];
        uint32_t other = find_rule(s, c->rule.id);

        if (c->dead)
            continue;
        if (other != UINT32_MAX && c->merged && s->rules[other].merged && str_eq(s->rules[other].rule.file, c->rule.file)) {
            if (!part_id(s, &c->rule))
                return -ENOMEM;
        } else if (other != UINT32_MAX && str_eq(s->rules[other].rule.id, c->rule.id) && same_id(s, &s->rules[other], c) < 0) {
            return -ENOMEM;
        }
        if (c->dead)
            continue;
        if (!strmap_put(&s->id_map, c->rule.id, i))
            return -ENOMEM;
        if (c->rule.name.n && !living(s, c->rule.name) && !strmap_put(&s->id_map, c->rule.name, i))
            return -ENOMEM;
    }
    return 0;
}

/* depth_of - 1 + the deepest correlation it reads; 0 while that is unknown; -1 if a rule it reads is not there. */
static int depth_of(const struct sigma *s, const struct correlation *c, struct str *missing)
{
    int depth = 1;

    for (uint32_t i = 0; i < c->ref_count; i++) {
        uint32_t r = find_rule(s, c->names[i]);

        if (r == UINT32_MAX || s->rules[r].dead) {
            *missing = c->names[i];
            return -1;
        }
        if (!s->rules[r].correlation)
            continue;
        if (s->rules[r].correlation->depth == 0)
            return 0;
        if ((int)s->rules[r].correlation->depth >= depth)
            depth = (int)s->rules[r].correlation->depth + 1;
    }
    return depth;
}

static int refuse_link(struct sigma *s, struct compiled *c, const char *why)
{
    c->dead = true;
    return sigma_refuse(s, SIGMA_BROKEN, c->rule.file, c->rule.id, c->correlation->line, c->correlation->column, why);
}

/* link_round - give depths where they are known now; *changed says whether another round may help. */
static int link_round(struct sigma *s, bool *changed)
{
    *changed = false;
    for (uint32_t i = 0; i < s->rule_count; i++) {
        struct compiled *c = &s->rules[i];
        struct str missing = { NULL, 0 };
        char why[ERR_TEXT_MAX];
        int depth;

        if (c->dead || !c->correlation || c->correlation->depth)
            continue;
        depth = depth_of(s, c->correlation, &missing);
        if (depth == 0)
            continue;
        *changed = true;
        if (depth > 0) {
            c->correlation->depth = (uint32_t)depth;
            continue;
        }
        snprintf(why, sizeof why, "rule \"%.*s\" is not among the loaded rules", STR_ARG(missing));
        if (refuse_link(s, c, why) < 0)
            return -ENOMEM;
    }
    return 0;
}

static int link_depths(struct sigma *s)
{
    bool changed = true;

    while (changed)
        if (link_round(s, &changed) < 0)
            return -ENOMEM;
    for (uint32_t i = 0; i < s->rule_count; i++)
        if (!s->rules[i].dead && s->rules[i].correlation && s->rules[i].correlation->depth == 0 &&
            refuse_link(s, &s->rules[i], "these correlations read each other in a circle") < 0)
            return -ENOMEM;
    return 0;
}

/* compact - remove the dead, number the living, index them anew. */
static int compact(struct sigma *s)
{
    uint32_t n = 0;

    for (uint32_t i = 0; i < s->rule_count; i++)
        if (!s->rules[i].dead)
            s->rules[n++] = s->rules[i];
    s->rule_count = n;
    free(s->id_map.slots);
    s->id_map = (struct strmap){ 0 };
    for (uint32_t i = 0; i < n; i++)
        s->rules[i].rule.index = i;
    return index_ids(s);
}

/* map_fields - the fields of a correlation as the pipelines have them for each rule that it reads; whose values are counted, only if
 * that is the same for all of them. */
static void map_fields(struct sigma *s, struct correlation *c)
{
    for (uint32_t r = 0; r < c->ref_count; r++)
        for (uint32_t g = 0; g < c->group_count; g++)
            c->alias[r][g] = field_for_rule(s, c->alias[r][g], &s->rules[c->refs[r]]);
    for (uint32_t f = 0; f < c->field_count; f++) {
        uint32_t mapped = field_for_rule(s, c->field[f], &s->rules[c->refs[0]]), r = 1;

        while (r < c->ref_count && field_for_rule(s, c->field[f], &s->rules[c->refs[r]]) == mapped)
            r++;
        if (r == c->ref_count)
            c->field[f] = mapped;
    }
}

static int collect_correlations(struct sigma *s)
{
    uint32_t deepest = 0;

    for (uint32_t i = 0; i < s->rule_count; i++)
        if (s->rules[i].correlation && s->rules[i].correlation->depth > deepest)
            deepest = s->rules[i].correlation->depth;
    s->correlations = calloc(s->rule_count ? s->rule_count : 1, sizeof *s->correlations);
    if (!s->correlations)
        return -ENOMEM;
    for (uint32_t depth = 1; depth <= deepest; depth++)
        for (uint32_t i = 0; i < s->rule_count; i++) {
            struct correlation *c = s->rules[i].correlation;

            if (!c || c->depth != depth)
                continue;
            c->rule = i;
            for (uint32_t r = 0; r < c->ref_count; r++) {
                c->refs[r] = find_rule(s, c->names[r]);
                if (s->rules[c->refs[r]].correlation)
                    s->rules[c->refs[r]].correlation->read = true;
                if (!c->generate)
                    s->rules[c->refs[r]].rule.silent = !s->rules[c->refs[r]].correlation;
            }
            map_fields(s, c);
            if (c->timespan > s->window_max)
                s->window_max = c->timespan;
            s->correlations[s->correlation_count++] = c;
        }
    return 0;
}

/* keep_types_silent - a rule that only says what type an event is of (classify.h) raises nothing. */
static void keep_types_silent(struct sigma *s)
{
    for (uint32_t i = 0; i < s->rule_count; i++)
        for (size_t k = 0; k < s->rules[i].rule.tags.count && !s->rules[i].correlation; k++)
            s->rules[i].rule.silent |= str_starts(s->rules[i].rule.tags.items[k], STR(CLASSIFY_TAG));
}

int set_link(struct sigma *s, struct err *e)
{
    int rc = index_ids(s);

    if (rc == 0)
        rc = link_depths(s);
    if (rc == 0)
        rc = compact(s);
    if (rc == 0)
        rc = collect_correlations(s);
    if (rc == 0)
        rc = filters_link(s);
    if (rc == 0)
        rc = aliases_build(s, e);
    if (rc == 0)
        rc = tables_build(s, e);
    keep_types_silent(s);
    return rc < 0 || arena_failed(&s->arena) ? err_set(e, -ENOMEM, "no memory for the rules") : 0;
}

struct sigma *set_new(void)
{
    struct sigma *s = calloc(1, sizeof *s);

    if (!s)
        return NULL;
    arena_init(&s->arena, SET_BYTES_MAX);
    arena_init(&s->scratch, SET_BYTES_MAX);
    s->names = &s->arena;
    s->fields = calloc(SIGMA_FIELDS_MAX, sizeof *s->fields);
    if (!s->fields) {
        sigma_free(&s);
        return NULL;
    }
    s->f_event_id = field_intern(s, STR("EventID"));
    s->f_channel = field_intern(s, STR("Channel"));
    s->f_event_type = field_intern(s, STR("EventType"));
    s->f_provider = field_intern(s, STR("Provider_Name"));
    return s;
}

struct str text_keep(struct sigma *s, struct str text)
{
    const struct slot *found = strmap_find(&s->texts, text);
    struct str kept;

    if (found)
        return found->key;
    kept = arena_copy(&s->arena, text);
    if (kept.p)
        (void)!strmap_put(&s->texts, kept, 0);   /* without memory it is not shared, and as good */
    return kept;
}

void texts_end(struct sigma *s)
{
    free(s->texts.slots);
    s->texts = (struct strmap){ 0 };
}

size_t sigma_rule_count(const struct sigma *s) { return s->rule_count; }
const struct sigma_rule *sigma_rule_at(const struct sigma *s, size_t i) { return &s->rules[i].rule; }
size_t sigma_refusal_count(const struct sigma *s) { return s->refusal_count; }
const struct sigma_refusal *sigma_refusal_at(const struct sigma *s, size_t i) { return &s->refusals[i]; }
size_t sigma_remark_count(const struct sigma *s) { return s->remark_count; }
const struct sigma_remark *sigma_remark_at(const struct sigma *s, size_t i) { return &s->remarks[i]; }
time_ns sigma_window_max(const struct sigma *s) { return s->window_max; }

const struct sigma_rule *sigma_rule_find(const struct sigma *s, struct str id)
{
    uint32_t i = find_rule(s, id);

    return i == UINT32_MAX ? NULL : &s->rules[i].rule;
}

const struct sigma_rule *sigma_rule_named(const struct sigma *s, struct str text)
{
    const struct sigma_rule *found = sigma_rule_find(s, text);

    if (found || !text.n)
        return found;
    for (uint32_t i = 0; i < s->rule_count; i++) {
        const struct sigma_rule *r = &s->rules[i].rule;

        if (!str_eq(r->title, text) && !str_eq(r->title_kk, text) && !str_eq(r->title_ru, text))
            continue;
        if (found)
            return NULL;
        found = r;
    }
    return found;
}

bool sigma_rule_filter(const struct sigma *s, uint32_t rule, uint32_t i, struct str *id)
{
    const struct u32list *l = &s->rules[rule].filters;

    if (i >= l->n)
        return false;
    *id = s->filters[l->p[i]].id;
    return true;
}

size_t sigma_bytes(const struct sigma *s)
{
    const struct tables *t = s->tables;
    size_t n = sizeof *s + s->arena.used_bytes + s->shared_bytes + s->rule_cap * sizeof *s->rules + s->filter_cap * sizeof *s->filters +
               s->logsource_cap * sizeof *s->logsources + s->alias_cap * sizeof *s->aliases + s->mapping_cap * sizeof *s->mappings +
               SIGMA_FIELDS_MAX * sizeof *s->fields;

    for (uint32_t i = 0; i < s->rule_count; i++)
        n += s->rules[i].filters.cap * sizeof(uint32_t);
    n += (s->field_map.cap + s->id_map.cap + s->alias_map.cap + s->mapping_map.cap) * sizeof(struct slot);
    n += sizeof *t + t->arena.used_bytes + t->atom_cap * sizeof *t->atoms + t->vocabulary.cap * sizeof(struct slot);
    n += t->of_rules.cap * sizeof(uint32_t) + (t->atom_count + 2) * sizeof *t->post_at + (t->of_rules.n + 1) * sizeof *t->posts;
    return n + (t->slots ? (t->slot_mask + 1) * sizeof *t->slots : 0);
}
