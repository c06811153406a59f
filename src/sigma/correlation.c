/* correlation.c - the "correlation" map of a rule. References are resolved by set.c, when all files are known. */
#include "sigma/internal.h"

static const struct { const char *name; enum correlation_kind kind; const char *unsupported; } kinds[] = {
    { "event_count", CORR_EVENT_COUNT, NULL },
    { "value_count", CORR_VALUE_COUNT, NULL },
    { "temporal", CORR_TEMPORAL, NULL },
    { "temporal_ordered", CORR_TEMPORAL_ORDERED, NULL },
    { "saqshy_new_value", CORR_NEW_VALUE, NULL },
    { "value_sum", 0, "sums are not computed yet" },
    { "value_avg", 0, "averages are not computed yet" },
    { "value_percentile", 0, "percentiles are not computed yet" },
    { "value_median", 0, "medians are not computed yet" },
};

static int timespan(struct draft *d, const struct ynode *n, time_ns *out)
{
    static const struct { char unit; time_ns ns; } units[] = {
        { 's', NS_PER_SECOND }, { 'm', NS_PER_MINUTE }, { 'h', NS_PER_HOUR }, { 'd', NS_PER_DAY }, { 'w', 7 * NS_PER_DAY },
        { 'M', 30 * NS_PER_DAY }, { 'y', 365 * NS_PER_DAY },
    };
    uint64_t count;

    for (size_t i = 0; n && n->kind == YNODE_SCALAR && n->text.n > 1 && i < COUNT(units); i++)
        if (n->text.p[n->text.n - 1] == units[i].unit && str_u64(str_of(n->text.p, n->text.n - 1), &count) && count > 0 &&
            count <= 10000) {
            if (__builtin_mul_overflow((time_ns)count, units[i].ns, out) || *out > TIMESPAN_MAX)
                return draft_broken(d, n, "a span of time is at most ten years");
            return 0;
        }
    return draft_broken(d, n, "a span of time is a number and one of s, m, h, d, w, M, y: \"5m\"");
}

static int take_field(struct draft *d, const struct ynode *n, uint32_t *out)
{
    struct str name;

    if (n->kind != YNODE_SCALAR || n->text.n == 0)
        return draft_broken(d, n, "the name of a field is expected here");
    name = arena_copy(&d->set->arena, n->text);
    *out = name.p ? field_intern(d->set, name) : UINT32_MAX;
    return *out == UINT32_MAX ? draft_broken(d, n, "more than %d field names in all rules", SIGMA_FIELDS_MAX) : 0;
}

static int take_rules(struct draft *d, const struct ynode *map, struct correlation *c)
{
    const struct ynode *rules = yaml_get(map, "rules"), *n;

    if (!rules)
        return draft_broken(d, map, "\"rules\" is missing: the ids or names of the rules to correlate");
    c->line = rules->line;
    c->column = rules->column;
    n = rules->kind == YNODE_SEQ ? rules->first : rules;
    for (; n; n = rules->kind == YNODE_SEQ ? n->next : NULL) {
        if (n->kind != YNODE_SCALAR || n->text.n == 0)
            return draft_broken(d, n, "the id or name of a rule is expected here");
        if (c->ref_count == SIGMA_REFS_MAX)
            return draft_broken(d, n, "more than %d rules", SIGMA_REFS_MAX);
        c->names[c->ref_count] = arena_copy(&d->set->arena, n->text);
        if (!c->names[c->ref_count++].p)
            return err_set(d->e, -ENOMEM, "no memory for a rule");
    }
    return c->ref_count ? 0 : draft_broken(d, rules, "\"rules\" is empty");
}

/* take_alias - for a group-by name that is an alias: the field of each rule. */
static int take_alias(struct draft *d, const struct ynode *fields, struct correlation *c, uint32_t g)
{
    if (fields->kind != YNODE_MAP)
        return draft_broken(d, fields, "an alias is a map of rule and field");
    for (const struct ynode *k = fields->first; k; k = k->next) {
        uint32_t ref = 0;

        while (ref < c->ref_count && !str_eq(c->names[ref], k->text))
            ref++;
        if (ref == c->ref_count)
            return draft_broken(d, k, "rule \"%.*s\" is not one of this correlation's", STR_ARG(k->text));
        if (!k->value)
            return draft_broken(d, k, "the name of a field is expected here");
        int rc = take_field(d, k->value, &c->alias[ref][g]);
        if (rc < 0)
            return rc;
    }
    return 0;
}

static int take_groups(struct draft *d, const struct ynode *map, struct correlation *c)
{
    const struct ynode *by = yaml_get(map, "group-by"), *aliases = yaml_get(map, "aliases"), *n;

    if (!by)
        return 0;
    n = by->kind == YNODE_SEQ ? by->first : by;
    for (; n; n = by->kind == YNODE_SEQ ? n->next : NULL) {
        uint32_t g = c->group_count;
        const struct ynode *alias;
        int rc;

        if (g == SIGMA_GROUP_BY_MAX)
            return draft_broken(d, n, "more than %d fields in group-by", SIGMA_GROUP_BY_MAX);
        rc = take_field(d, n, &c->group_by[g]);
        if (rc < 0)
            return rc;
        for (uint32_t r = 0; r < c->ref_count; r++)
            c->alias[r][g] = c->group_by[g];
        alias = aliases ? yaml_get(aliases, n->text.p) : NULL;
        rc = alias ? take_alias(d, alias, c, g) : 0;
        if (rc < 0)
            return rc;
        c->group_count++;
    }
    return 0;
}

static int take_bound(struct draft *d, const struct ynode *key, struct correlation *c)
{
    uint64_t v;

    if (!key->value || key->value->kind != YNODE_SCALAR || !str_u64(key->value->text, &v))
        return draft_broken(d, key, "a whole number is expected here");
    if (v > SIGMA_RING_MAX)
        return draft_unsupported(d, key->value, "thresholds above %d are not counted", SIGMA_RING_MAX);
    if (str_eq(key->text, STR("gt"))) {
        c->least = v + 1;
    } else if (str_eq(key->text, STR("gte"))) {
        c->least = v;
    } else {
        c->at_end = true;
        if (str_eq(key->text, STR("lt")) && v == 0)
            return draft_broken(d, key->value, "nothing is less than 0");
        c->most = str_eq(key->text, STR("lt")) ? v - 1 : v;
        if (str_eq(key->text, STR("eq")) || str_eq(key->text, STR("neq")))
            c->least = v;
        c->negate = str_eq(key->text, STR("neq"));
    }
    return 0;
}

static int take_condition(struct draft *d, const struct ynode *map, struct correlation *c)
{
    const struct ynode *cond = yaml_get(map, "condition");
    bool counts = c->kind == CORR_EVENT_COUNT || c->kind == CORR_VALUE_COUNT;
    bool field = false, bound = false;

    if (!cond && !counts && c->kind != CORR_NEW_VALUE)
        return 0;
    if (!cond || cond->kind != YNODE_MAP)
        return draft_broken(d, cond ? cond : map, "\"condition\" must be a map like {gte: 5}");
    for (const struct ynode *k = cond->first; k; k = k->next) {
        static const char *const bounds[] = { "gt", "gte", "lt", "lte", "eq", "neq" };
        size_t b = 0;
        int rc;

        while (b < COUNT(bounds) && !str_eq(k->text, str_c(bounds[b])))
            b++;
        if (b < COUNT(bounds) && counts) {
            rc = take_bound(d, k, c);
            bound = true;
        } else if (str_eq(k->text, STR("field")) && k->value && k->value->kind == YNODE_SEQ) {
            rc = draft_unsupported(d, k->value, "values of several fields are not counted together");
        } else if (str_eq(k->text, STR("field")) && k->value) {
            rc = take_field(d, k->value, &c->field);
            field = true;
        } else {
            rc = draft_broken(d, k, "\"%.*s\" has no place in this condition", STR_ARG(k->text));
        }
        if (rc < 0)
            return rc;
    }
    if (counts && !bound)
        return draft_broken(d, cond, "one of gt, gte, lt, lte, eq, neq is missing");
    if ((c->kind == CORR_VALUE_COUNT || c->kind == CORR_NEW_VALUE) && !field)
        return draft_broken(d, cond, "\"field\" is missing: whose values are counted");
    if (counts && !c->at_end && c->least == 0)
        c->least = 1;
    return 0;
}

/* define - what the kept state depends on. */
static uint64_t define(const struct draft *d, const struct correlation *c)
{
    AUTO_BUF struct buf b;

    buf_init(&b, MIB);
    buf_printf(&b, "%d %lld %lld %llu %llu %d %d %d", c->kind, (long long)c->timespan, (long long)c->learn,
               (unsigned long long)c->least, (unsigned long long)c->most, c->at_end, c->negate, c->per_object);
    for (uint32_t i = 0; i < c->ref_count; i++) {
        buf_varstr(&b, c->names[i]);
        for (uint32_t g = 0; g < c->group_count; g++)
            buf_varstr(&b, d->set->fields[c->alias[i][g]]);
    }
    if (c->kind == CORR_VALUE_COUNT || c->kind == CORR_NEW_VALUE)
        buf_varstr(&b, d->set->fields[c->field]);
    return str_hash(buf_view(&b));
}

int correlation_parse(struct draft *d, const struct ynode *map, const struct ynode *custom, struct correlation **out)
{
    struct correlation *c = arena_zero(&d->set->arena, sizeof *c);
    struct str type = yaml_text(map, "type");
    const struct ynode *learn = yaml_get(custom, "learn");
    size_t k = 0;
    int rc;

    if (!c)
        return err_set(d->e, -ENOMEM, "no memory for a rule");
    if (map->kind != YNODE_MAP)
        return draft_broken(d, map, "\"correlation\" must be a map");
    while (k < COUNT(kinds) && !str_eq(type, str_c(kinds[k].name)))
        k++;
    if (k == COUNT(kinds))
        return draft_broken(d, yaml_get(map, "type") ? yaml_get(map, "type") : map,
                            "\"type\" must be event_count, value_count, temporal, temporal_ordered or saqshy_new_value");
    if (kinds[k].unsupported)
        return draft_unsupported(d, yaml_get(map, "type"), "%s", kinds[k].unsupported);
    c->kind = kinds[k].kind;
    c->most = UINT64_MAX;
    c->generate = str_eq(yaml_text(map, "generate"), STR("true"));
    c->per_object = str_eq(yaml_text(custom, "per_object"), STR("true"));
    rc = take_rules(d, map, c);
    if (rc == 0)
        rc = take_groups(d, map, c);
    if (rc == 0 && !yaml_get(map, "timespan"))
        rc = draft_broken(d, map, "\"timespan\" is missing");
    if (rc == 0)
        rc = timespan(d, yaml_get(map, "timespan"), &c->timespan);
    if (rc == 0 && learn)
        rc = timespan(d, learn, &c->learn);
    if (rc == 0)
        rc = take_condition(d, map, c);
    if (rc < 0)
        return rc;
    c->definition = define(d, c);
    *out = c;
    return 0;
}
