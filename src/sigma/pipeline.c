/* pipeline.c - pipelines: what a site says about its names, in the form of Sigma's processing pipelines.
 *
 *     name: Windows
 *     vars: { Administrators: ['adm*', root] }            values of %Administrators% for the modifier expand
 *     time_zone: '+05:00'                                 ours: in which minute … year read the clock
 *     transformations:
 *       - type: field_name_mapping
 *         mapping: { Image: [process.executable, NewProcessName] }
 *         rule_conditions: [ { type: logsource, product: windows, category: process_creation } ]
 *
 * A field keeps its own name first; of the names of its mapping the first that an event has counts. A mapping with conditions, or of
 * another taxonomy, makes a field of its own for the rules it is for; of several mappings of one name the last counts, by priority and
 * then in order. A pipeline with anything that is not understood is refused whole. */
#include "sigma/internal.h"

#define PIPELINES_MAX 256
#define SOURCES_MAX   32
#define VARIABLES_MAX 4096

struct pipe {
    struct yaml        *y;      /* owned by the first document of its file */
    const struct ynode *doc;
    struct str          file;
    int64_t             priority;
    uint32_t            order;
};
struct pipes { struct pipe p[PIPELINES_MAX]; uint32_t n; struct yaml *owned[PIPELINES_MAX]; uint32_t owned_n; };

bool pipeline_is(const struct ynode *doc)
{
    return doc->kind == YNODE_MAP && (yaml_get(doc, "transformations") || yaml_get(doc, "vars")) && !yaml_get(doc, "detection") &&
           !yaml_get(doc, "correlation") && !yaml_get(doc, "filter");
}

bool pipeline_may_be(struct str text)
{
    return str_find(text, STR("transformations")) >= 0 || str_find(text, STR("vars")) >= 0;
}

/* --- one document --- */

static int take_variable(struct draft *d, const struct ynode *key)
{
    struct sigma *s = d->set;
    struct variable *grown;
    struct variable v = { .name = arena_copy(&s->arena, key->text) };
    int rc = draft_texts(d, key->value, &v.values);

    if (rc < 0)
        return rc;
    if (s->variable_count == VARIABLES_MAX)
        return draft_broken(d, key, "more than %d variables", VARIABLES_MAX);
    grown = realloc(s->variables, (s->variable_count + 1) * sizeof *grown);
    if (!grown || !v.name.p)
        return err_set(d->e, -ENOMEM, "no memory for a pipeline");
    s->variables = grown;
    s->variables[s->variable_count++] = v;
    return 0;
}

static int take_zone(struct draft *d, const struct ynode *zone)
{
    struct str s = zone->text;
    uint64_t hours, minutes;

    if (zone->kind != YNODE_SCALAR || s.n != 6 || (s.p[0] != '+' && s.p[0] != '-') || s.p[3] != ':' || !str_u64(str_of(s.p + 1, 2), &hours) ||
        !str_u64(str_of(s.p + 4, 2), &minutes) || hours > 14 || minutes > 59)
        return draft_broken(d, zone, "\"time_zone\" is an offset like '+05:00'");
    d->set->zone_min = (int)(hours * 60 + minutes) * (s.p[0] == '-' ? -1 : 1);
    return 0;
}

/* take_sources - the log sources for whose rules a transformation is. */
static int take_sources(struct draft *d, const struct ynode *step, struct mapping *m)
{
    const struct ynode *conditions = yaml_get(step, "rule_conditions");
    struct logsource sources[SOURCES_MAX];

    if (!conditions)
        return 0;
    if (conditions->kind != YNODE_SEQ || conditions->count > SOURCES_MAX)
        return draft_broken(d, conditions, "\"rule_conditions\" must be a list of at most %d log sources", SOURCES_MAX);
    for (const struct ynode *c = conditions->first; c; c = c->next) {
        if (c->kind != YNODE_MAP || !str_eq(yaml_text(c, "type"), STR("logsource")))
            return draft_unsupported(d, c, "the only condition of a pipeline that is known is \"type: logsource\"");
        sources[m->source_count++] = (struct logsource){ arena_copy(&d->set->arena, yaml_text(c, "product")),
            arena_copy(&d->set->arena, yaml_text(c, "category")), arena_copy(&d->set->arena, yaml_text(c, "service")) };
    }
    if (m->source_count > 1 && !str_eq(yaml_text(step, "rule_cond_op"), STR("or")))
        return draft_unsupported(d, conditions, "several log sources want \"rule_cond_op: or\": a rule has one");
    m->sources = arena_array(&d->set->arena, m->source_count, sizeof *sources);
    if (m->source_count && !m->sources)
        return err_set(d->e, -ENOMEM, "no memory for a pipeline");
    if (m->source_count)
        memcpy(m->sources, sources, m->source_count * sizeof *sources);
    return 0;
}

static int add_mapping(struct draft *d, const struct mapping *m)
{
    struct sigma *s = d->set;

    if (s->mapping_count == s->mapping_cap) {
        uint32_t cap = s->mapping_cap ? s->mapping_cap * 2 : 128;
        struct mapping *grown = realloc(s->mappings, cap * sizeof *grown);

        if (!grown)
            return err_set(d->e, -ENOMEM, "no memory for a pipeline");
        s->mappings = grown;
        s->mapping_cap = cap;
    }
    s->mappings[s->mapping_count++] = *m;
    return 0;
}

static int take_mapping(struct draft *d, const struct ynode *step, struct str taxonomy)
{
    const struct ynode *map = yaml_get(step, "mapping");
    struct mapping m = { .taxonomy = taxonomy, .number = UINT32_MAX };
    int rc = take_sources(d, step, &m);

    if (rc == 0 && (!map || map->kind != YNODE_MAP))
        return draft_broken(d, map ? map : step, "\"mapping\" must be a map of names of fields");
    for (const struct ynode *k = rc == 0 ? map->first : NULL; k && rc == 0; k = k->next) {
        m.field = arena_copy(&d->set->arena, k->text);
        rc = draft_texts(d, k->value, &m.names);
        if (rc == 0 && m.names.count == 0)
            return draft_broken(d, k, "the name of a field is expected here");
        if (rc == 0)
            rc = add_mapping(d, &m);
    }
    return rc;
}

static int take_transformation(struct draft *d, const struct ynode *step, struct str taxonomy)
{
    static const char *const keys[] = { "id", "type", "mapping", "rule_conditions", "rule_cond_op", NULL };
    struct str type = yaml_text(step, "type");

    if (step->kind != YNODE_MAP)
        return draft_broken(d, step, "a transformation is a map");
    if (str_eq(type, STR("value_placeholders")))
        return 0;   /* variables are always put in */
    if (!str_eq(type, STR("field_name_mapping")))
        return draft_unsupported(d, step, "transformation \"%.*s\" is not known, only field_name_mapping and value_placeholders", STR_ARG(type));
    for (const struct ynode *k = step->first; k; k = k->next) {
        size_t i = 0;

        while (keys[i] && !str_eq(k->text, str_c(keys[i])))
            i++;
        if (!keys[i])
            return draft_unsupported(d, k, "\"%.*s\" in a transformation is not known", STR_ARG(k->text));
    }
    return take_mapping(d, step, taxonomy);
}

static int take_pipeline(struct draft *d, const struct ynode *doc)
{
    const struct ynode *vars = yaml_get(doc, "vars"), *steps = yaml_get(doc, "transformations"), *zone = yaml_get(doc, "time_zone");
    struct str taxonomy = arena_copy(&d->set->arena, yaml_text(doc, "taxonomy"));
    struct err why = { 0 };
    int64_t priority;
    int rc = zone ? take_zone(d, zone) : 0;

    if (yaml_int(d->y, doc, "priority", &priority, &why) < 0)
        return draft_broken(d, yaml_get(doc, "priority"), "\"priority\" is a whole number");
    if (str_eq(taxonomy, STR("sigma")))
        taxonomy.n = 0;
    if (rc == 0 && vars && vars->kind != YNODE_MAP)
        return draft_broken(d, vars, "\"vars\" must be a map of names and values");
    if (rc == 0 && steps && steps->kind != YNODE_SEQ)
        return draft_broken(d, steps, "\"transformations\" must be a list");
    for (const struct ynode *k = vars ? vars->first : NULL; k && rc == 0; k = k->next)
        rc = take_variable(d, k);
    for (const struct ynode *t = steps ? steps->first : NULL; t && rc == 0; t = t->next)
        rc = take_transformation(d, t, taxonomy);
    return rc;
}

/* pipeline_compile - all of the document, or a refusal and nothing of it. */
static int pipeline_compile(struct sigma *s, const struct pipe *p, struct err *e)
{
    uint32_t variables = s->variable_count, mappings = s->mapping_count;
    struct err why = { 0 };
    struct draft d = { .set = s, .y = p->y, .e = &why, .file = p->file, .id = yaml_text(p->doc, "name") };
    int zone = s->zone_min, rc = take_pipeline(&d, p->doc);

    if (rc == 0)
        return 0;
    s->variable_count = variables;
    s->mapping_count = mappings;
    s->zone_min = zone;
    return draft_refuse(&d, rc, p->doc, e);
}

/* --- all of them --- */

static int by_priority(const void *a, const void *b)
{
    const struct pipe *x = a, *y = b;

    if (x->priority != y->priority)
        return x->priority < y->priority ? -1 : 1;
    return x->order < y->order ? -1 : 1;
}

/* collect - the pipelines of one file; what is wrong with the file is told when its rules are read. */
static int collect(struct pipes *all, const struct sigma_source *src, struct err *e)
{
    struct err ignored = { 0 };
    struct yaml *y = NULL;
    int rc = yaml_load(src->text, src->path.p, &y, &ignored);

    if (rc < 0)
        return rc == -ENOMEM ? err_set(e, rc, "no memory for the rules") : 0;
    if (all->owned_n == PIPELINES_MAX) {
        yaml_free(&y);
        return err_set(e, -E2BIG, "more than %d files of pipelines", PIPELINES_MAX);
    }
    all->owned[all->owned_n++] = y;
    for (size_t i = 0; i < y->doc_count; i++) {
        struct pipe p = { y, y->docs[i], src->path, 0, all->n };

        if (!pipeline_is(y->docs[i]))
            continue;
        if (all->n == PIPELINES_MAX)
            return err_set(e, -E2BIG, "more than %d pipelines", PIPELINES_MAX);
        (void)!yaml_int(y, y->docs[i], "priority", &p.priority, &ignored);   /* take_pipeline tells of it */
        all->p[all->n++] = p;
    }
    return 0;
}

/* index_mappings - by name of the field, the newest first. */
static int index_mappings(struct sigma *s)
{
    for (uint32_t i = 0; i < s->mapping_count; i++) {
        s->mappings[i].next = strmap_get(&s->mapping_map, s->mappings[i].field);
        if (!strmap_put(&s->mapping_map, s->mappings[i].field, i))
            return -ENOMEM;
    }
    return 0;
}

int pipelines_load(struct sigma *s, const struct sigma_source *sources, size_t count, struct err *e)
{
    AUTO_FREE struct pipes *all = calloc(1, sizeof *all);
    int rc = 0;

    if (!all)
        return err_set(e, -ENOMEM, "no memory for the rules");
    for (size_t i = 0; i < count && rc == 0; i++)
        if (pipeline_may_be(sources[i].text))
            rc = collect(all, &sources[i], e);
    if (rc == 0 && all->n)
        qsort(all->p, all->n, sizeof *all->p, by_priority);
    for (uint32_t i = 0; i < all->n && rc == 0; i++)
        rc = pipeline_compile(s, &all->p[i], e);
    if (rc == 0 && index_mappings(s) < 0)
        rc = err_set(e, -ENOMEM, "no memory for the rules");
    for (uint32_t i = 0; i < all->owned_n; i++)
        yaml_free(&all->owned[i]);
    return rc;
}

/* --- what rules ask --- */

const struct sigma_texts *variable_find(const struct sigma *s, struct str name)
{
    for (uint32_t i = s->variable_count; i-- > 0;)
        if (str_eq(s->variables[i].name, name))
            return &s->variables[i].values;
    return NULL;
}

bool taxonomy_known(const struct sigma *s, struct str taxonomy)
{
    for (uint32_t i = 0; i < s->mapping_count; i++)
        if (str_eq(s->mappings[i].taxonomy, taxonomy))
            return true;
    return false;
}

bool mapping_is_for_all(const struct mapping *m) { return m->source_count == 0 && m->taxonomy.n == 0; }

static bool is_for(const struct mapping *m, struct str taxonomy, const struct logsource *rule)
{
    bool hit = m->source_count == 0;

    if (!str_eq(m->taxonomy, taxonomy))
        return false;
    for (uint32_t i = 0; i < m->source_count && !hit; i++)
        hit = rule && logsource_within(&m->sources[i], rule);
    return hit;
}

/* mapping_for - the newest mapping of the name that is for such a rule; UINT32_MAX without one. */
static uint32_t mapping_for(const struct sigma *s, struct str name, struct str taxonomy, const struct logsource *rule)
{
    uint32_t m = strmap_get(&s->mapping_map, name);

    while (m != UINT32_MAX && !is_for(&s->mappings[m], taxonomy, rule))
        m = s->mappings[m].next;
    return m != UINT32_MAX && mapping_is_for_all(&s->mappings[m]) ? UINT32_MAX : m;
}

uint32_t field_of(struct draft *d, struct str name)
{
    struct sigma *s = d->set;
    uint32_t m = mapping_for(s, name, d->taxonomy, d->logsource);
    struct str kept;

    if (m != UINT32_MAX && s->mappings[m].number != UINT32_MAX)
        return s->mappings[m].number;
    if (m == UINT32_MAX)
        return field_intern(s, name);
    kept = arena_copy(s->names, name);
    return kept.p ? (s->mappings[m].number = field_new(s, kept)) : UINT32_MAX;
}

uint32_t field_for_rule(struct sigma *s, uint32_t field, const struct compiled *rule)
{
    uint32_t m = rule->correlation ? UINT32_MAX : mapping_for(s, s->fields[field], rule->taxonomy, &s->logsources[rule->logsource]);

    if (m == UINT32_MAX)
        return field;
    if (s->mappings[m].number == UINT32_MAX)
        s->mappings[m].number = field_new(s, s->fields[field]);
    return s->mappings[m].number == UINT32_MAX ? field : s->mappings[m].number;
}
