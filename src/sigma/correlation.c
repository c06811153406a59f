/* correlation.c - the "correlation" map of a rule; its condition is in bounds.c. References are resolved by set.c, when all files are known. */
#include "sigma/internal.h"

#include <math.h>

static const struct { const char *name; enum correlation_kind kind; } kinds[] = {
    { "event_count", CORR_EVENT_COUNT }, { "value_count", CORR_VALUE_COUNT },
    { "temporal", CORR_TEMPORAL }, { "temporal_ordered", CORR_TEMPORAL_ORDERED },
    { "value_sum", CORR_SUM }, { "value_avg", CORR_AVG },
    { "value_percentile", CORR_PERCENTILE }, { "value_median", CORR_PERCENTILE },
    { "saqshy_new_value", CORR_NEW_VALUE }, { "saqshy_absence", CORR_ABSENCE },
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

int correlation_field(struct draft *d, const struct ynode *n, uint32_t *out)
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
        int rc = correlation_field(d, k->value, &c->alias[ref][g]);
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
        rc = correlation_field(d, n, &c->group_by[g]);
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

/* define - what the kept state depends on. The first line is as it was before there were sums and alternatives, so that what was
 * learned then stays. */
static uint64_t define(const struct draft *d, const struct correlation *c)
{
    const struct range *r = &c->range;
    AUTO_BUF struct buf b;

    buf_init(&b, MIB);
    buf_printf(&b, "%d %lld %lld %llu %llu %d %d %d", c->kind, (long long)c->timespan, (long long)c->learn,
               (unsigned long long)correlation_least(c), (unsigned long long)correlation_most(c), c->at_end, r->negate, c->per_object);
    for (uint32_t i = 0; i < c->ref_count; i++) {
        buf_varstr(&b, c->names[i]);
        for (uint32_t g = 0; g < c->group_count; g++)
            buf_varstr(&b, d->set->fields[c->alias[i][g]]);
    }
    for (uint32_t i = 0; i < c->field_count; i++)
        buf_varstr(&b, d->set->fields[c->field[i]]);
    if (c->kind >= CORR_SUM)
        buf_printf(&b, " %a %a %d %d %u", r->low, r->high, r->low_open, r->high_open, c->percentile);
    if (c->lateness != SIGMA_LATENESS)
        buf_printf(&b, " late %lld", (long long)c->lateness);
    for (uint32_t i = 0; i < c->alternative_count; i++)
        if (c->alternative_count > 1 || c->alternatives[i].without || (uint32_t)__builtin_popcount(c->alternatives[i].want) < c->ref_count)
            buf_printf(&b, " %x/%x", c->alternatives[i].want, c->alternatives[i].without);
    return str_hash(buf_view(&b));
}

static int take_kind(struct draft *d, const struct ynode *map, struct correlation *c)
{
    struct str type = yaml_text(map, "type");
    size_t k = 0;

    while (k < COUNT(kinds) && !str_eq(type, str_c(kinds[k].name)))
        k++;
    if (k == COUNT(kinds))
        return draft_broken(d, yaml_get(map, "type") ? yaml_get(map, "type") : map,
                            "\"type\" must be event_count, value_count, value_sum, value_avg, value_percentile, value_median, temporal, "
                            "temporal_ordered, saqshy_new_value or saqshy_absence");
    c->kind = kinds[k].kind;
    if (str_eq(type, STR("value_median")))
        c->percentile = 50;
    return 0;
}

static int take_spans(struct draft *d, const struct ynode *map, const struct ynode *custom, struct correlation *c)
{
    const struct { const struct ynode *n; time_ns *to; } spans[] = {
        { yaml_get(map, "timespan"), &c->timespan }, { yaml_get(custom, "learn"), &c->learn }, { yaml_get(custom, "lateness"), &c->lateness },
    };

    if (!spans[0].n)
        return draft_broken(d, map, "\"timespan\" is missing");
    for (size_t i = 0; i < COUNT(spans); i++) {
        int rc = spans[i].n ? timespan(d, spans[i].n, spans[i].to) : 0;

        if (rc < 0)
            return rc;
    }
    return 0;
}

int correlation_parse(struct draft *d, const struct ynode *map, const struct ynode *custom, struct correlation **out)
{
    struct correlation *c = arena_zero(&d->set->arena, sizeof *c);
    int rc;

    if (!c)
        return err_set(d->e, -ENOMEM, "no memory for a rule");
    if (map->kind != YNODE_MAP)
        return draft_broken(d, map, "\"correlation\" must be a map");
    c->range = (struct range){ .low = -INFINITY, .high = INFINITY };
    c->lateness = SIGMA_LATENESS;
    c->generate = str_eq(yaml_text(map, "generate"), STR("true"));
    c->per_object = str_eq(yaml_text(custom, "per_object"), STR("true"));
    rc = take_kind(d, map, c);
    if (rc == 0)
        rc = take_rules(d, map, c);
    if (rc == 0)
        rc = take_groups(d, map, c);
    if (rc == 0)
        rc = take_spans(d, map, custom, c);
    if (rc == 0)
        rc = correlation_condition(d, map, c);
    if (rc < 0)
        return rc;
    c->definition = define(d, c);
    *out = c;
    return 0;
}
