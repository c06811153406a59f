/* advice.c - content/policy/recommendations.yaml and cases.yaml: first recommendations by type of incident, and when a case may be a repetition. */
#include "desk/cases/cases.h"
#include "base/yaml.h"

#define RECURRENCE_DAYS_MAX 3650

static int advice_read(struct case_policy *p, const struct yaml *y, struct err *e)
{
    const struct ynode *all = yaml_get(y->docs[0], "recommendations");
    static const char *const langs[] = { "kk", "ru", "en", NULL };

    if (!all || all->kind != YNODE_MAP)
        return yaml_err(y, y->docs[0], e, "\"recommendations\" must be a map by type of incident");
    for (const struct ynode *n = all->first; n; n = n->next) {
        size_t at = 0;

        while (type_values[at] && !str_eq(n->text, str_c(type_values[at])))
            at++;
        if (!type_values[at])
            return yaml_err(y, n, e, "not a type of incident of Annex 2");
        if (n->value->kind != YNODE_MAP || yaml_only(y, n->value, langs, e) < 0)
            return yaml_err(y, n, e, "kk, ru and en are expected");
        for (enum lang l = 0; l < LANG_COUNT; l++) {
            p->advice[at].text[l] = str_trim(yaml_text(n->value, lang_name(l)));
            if (!p->advice[at].text[l].n)
                return yaml_err(y, n, e, "a text in each of kk, ru and en is expected");
        }
    }
    return 0;
}

int case_policy_load(const char *content, struct case_policy *p, struct err *e)
{
    static const char *const known[] = { "recurrence_days", NULL };
    struct yaml *y = NULL;
    char path[4096];
    int rc;

    *p = (struct case_policy){ .recurrence_days = 30 };
    snprintf(path, sizeof path, "%s/policy/recommendations.yaml", content);
    rc = yaml_load_file(path, &p->advice_file, e);
    if (rc == 0)
        rc = advice_read(p, p->advice_file, e);
    snprintf(path, sizeof path, "%s/policy/cases.yaml", content);
    if (rc == 0)
        rc = yaml_load_file(path, &y, e);
    if (rc == 0)
        rc = yaml_only(y, y->docs[0], known, e);
    if (rc == 0)
        rc = yaml_int(y, y->docs[0], "recurrence_days", &p->recurrence_days, e);
    if (rc >= 0 && (p->recurrence_days < 1 || p->recurrence_days > RECURRENCE_DAYS_MAX))
        rc = err_set(e, -EINVAL, "%s: recurrence_days must be from 1 to %d", path, RECURRENCE_DAYS_MAX);
    yaml_free(&y);
    return rc < 0 ? rc : 0;
}

void case_policy_free(struct case_policy *p) { yaml_free(&p->advice_file); }

static const struct label *template_of(const struct desk *d, struct str type)
{
    for (size_t i = 0; type_values[i]; i++)
        if (str_eq(type, str_c(type_values[i])))
            return &d->cases.advice[i];
    return NULL;
}

struct str template_both(const struct desk *d, struct str type, struct arena *a)
{
    const struct label *l = template_of(d, type);

    if (!l || !l->text[LANG_KK].n)
        return STR("");
    return arena_printf(a, "%.*s\n\n%.*s", STR_ARG(l->text[LANG_KK]), STR_ARG(l->text[LANG_RU]));
}

int desk_recommendations(struct desk *d, const struct viewer *v, struct desk_reply *r)
{
    json_t *items = json_array();

    (void)v;
    for (size_t i = 0; type_values[i]; i++) {
        const struct label *l = &d->cases.advice[i];

        json_array_append_new(items, json_pack("{s:s, s:{s:o, s:o, s:o}}", "incident_type", type_values[i], "text", "kk", json_str(l->text[LANG_KK]), "ru",
                                               json_str(l->text[LANG_RU]), "en", json_str(l->text[LANG_EN])));
    }
    r->json = json_pack("{s:o, s:n}", "items", items, "next");
    return 0;
}

int case_recurrence(struct call *c, struct str rule_id, struct str name, struct str object, struct str host, time_ns at, int64_t *id)
{
    time_ns from = at - c->d->cases.recurrence_days * NS_PER_DAY;

    /* Same object and same event: the rule if one raised it, else what a person called it. */
    return rule_id.n ? db_int(c->d, c->e, 0, id,
                              "SELECT max(id) FROM cases WHERE rule_id = ?1 AND object_id IS ?2 AND (?2 IS NOT NULL OR host IS ?3) AND last_seen_at >= ?4",
                              "ttti", rule_id, object, host, from)
                     : db_int(c->d, c->e, 0, id, "SELECT max(id) FROM cases WHERE object_id = ?1 AND rule_name = ?2 AND last_seen_at >= ?3", "tti", object,
                              name, from);
}
