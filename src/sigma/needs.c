/* needs.c - the texts of a set's witnesses (witness.c) for those who keep events: where none of them can be, no rule matches. */
#include "sigma/engine.h"

/* of_time - the field is filled from the event's time, which is no text that anybody keeps an index of. */
static bool of_time(const struct sigma *s, uint32_t field)
{
    for (uint32_t a = strmap_get(&s->alias_map, STR("@timestamp")); a != UINT32_MAX; a = s->aliases[a].next)
        if (s->aliases[a].field == field)
            return true;
    return false;
}

static int need_of(const struct sigma *s, const struct atom *a, struct sigma_need *out)
{
    bool text = a->kind == ATOM_EQ || a->kind == ATOM_STARTS || a->kind == ATOM_ENDS || a->kind == ATOM_CONTAINS;

    if (!text || !a->text.n || of_time(s, a->field))
        return 0;
    *out = (struct sigma_need){ a->text, a->kind == ATOM_EQ || a->kind == ATOM_STARTS, a->kind == ATOM_EQ || a->kind == ATOM_ENDS };
    return 1;
}

int sigma_needs(const struct sigma *s, sigma_need_fn *fn, void *arg)
{
    const struct tables *t = s->tables;
    int rc = 0;

    for (uint32_t r = 0; r < s->rule_count; r++)
        if (s->rules[r].correlation || t->witness[r].always || !t->witness[r].count)
            return 0;
    for (uint32_t i = 0; i < t->of_rules.n && rc == 0; i++) {
        struct sigma_need n;

        if (!need_of(s, &t->atoms[t->of_rules.p[i]], &n))
            return 0;
        rc = fn(arg, &n);
    }
    return rc ? rc : 1;
}
