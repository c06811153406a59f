/* regime.c - under which chapter of the Rules an object stands, and why: paragraph 4, paragraph 6, paragraph 25; the table of requirements 3.3. */
#include "desk/registry/room.h"

const char *regime_name(enum regime r)
{
    static const char *const names[] = { "A", "B", "C", "N1", "N2", "N3" };

    return r < REGIME_COUNT ? names[r] : "?";
}

static bool is_true(const json_t *v, const char *key) { return json_is_true(json_object_get(v, key)); }

struct object_facts facts_of(const json_t *v, const char *day)
{
    struct str from = json_get_str(v, "commissioned_on"), to = json_get_str(v, "terminated_on"), exclusion = json_get_str(v, "exclusion");
    struct object_facts f = {
        .ego = is_true(v, "is_ego"),
        .cii = is_true(v, "is_cii"),
        .national_bank = is_true(v, "national_bank"),
        .integrated = is_true(v, "national_bank_integrated"),
        .operating = from.n && str_cmp(from, str_c(day)) <= 0 && !(to.n && str_cmp(to, str_c(day)) <= 0),
    };

    if (str_eq(exclusion, STR("state_secret_resource")))
        f.exclusion = EXCLUSION_STATE_SECRET_RESOURCE;
    else if (str_eq(exclusion, STR("state_secret_protected_system")))
        f.exclusion = EXCLUSION_STATE_SECRET_SYSTEM;
    return f;
}

enum exclusion exclusion_of(const struct object_facts *f)
{
    if (f->exclusion != EXCLUSION_NONE)
        return f->exclusion;
    return f->national_bank && !f->integrated ? EXCLUSION_NATIONAL_BANK : EXCLUSION_NONE;
}

enum regime regime_of(const struct object_facts *f)
{
    if (!f->ego)
        return f->cii ? REGIME_C : REGIME_N3;
    if (exclusion_of(f) != EXCLUSION_NONE)
        return REGIME_N2;
    if (!f->operating)
        return REGIME_N1;
    return f->cii ? REGIME_B : REGIME_A;
}

unsigned works_of(const json_t *v)
{
    unsigned works = 0;
    json_t *item;
    size_t i;

    json_array_foreach(json_object_get(v, "work_types"), i, item) {
        const char *name = json_string_value(item);

        works |= strcmp(name, "incident_response") == 0 ? WT_RESPONSE : strcmp(name, "protection") == 0 ? WT_PROTECTION : WT_OPERATION;
    }
    return works;
}

const char *variant_of(unsigned works)
{
    int n = __builtin_popcount(works);

    return n == 0 ? NULL : n == 1 ? "V-1" : n == 3 ? "V-3" : "V-2";
}

int exclusion_check(struct call *c, struct str id, const char *prefix, const json_t *value)
{
    struct object_facts f = facts_of(value, "");
    enum exclusion now = exclusion_of(&f), was = EXCLUSION_NONE;
    struct record old = { 0 };
    char field[DESK_FIELD_MAX];
    int rc = 0;

    if (now == EXCLUSION_NONE || !c->v || c->approved)
        return 0;
    if (id.n)
        rc = record_read(c, RECORD_OBJECT, id, 0, &old);
    if (rc == -ENOENT) {        /* a new one whose id was chosen */
        c->r->code = NULL;
        rc = 0;
    }
    if (old.value) {
        f = facts_of(old.value, "");
        was = exclusion_of(&f);
    }
    record_done(&old);
    if (rc < 0 || was == now)
        return rc;
    snprintf(field, sizeof field, "%s%s", prefix, json_get_str(value, "exclusion").n ? "exclusion" : "national_bank");
    return refuse(c, -EINVAL, "exclusion_by_request", field,
                  "an object is excluded by two persons: one opens a request of kind \"exclusion\" (POST /requests), another approves it");
}

/* --- the reasons --- */

/* said - one step of the reasoning, with its paragraph, in three languages. */
static void said(struct call *c, json_t *out, const char *code, const char *paragraph)
{
    json_t *texts = json_object();
    char key[64];

    snprintf(key, sizeof key, "registry.why.%s", code);
    for (enum lang l = 0; l < LANG_COUNT; l++)
        json_object_set_new(texts, lang_name(l), json_str(catalog_text(c->d->setup.catalog, l, key)));
    json_array_append_new(out, json_pack("{s:s, s:s, s:o}", "code", code, "paragraph", paragraph, "text", texts));
}

json_t *why_json(struct call *c, const json_t *value, const char *day, bool contract)
{
    static const char *const exclusions[] = { "", "exc_1", "exc_2", "exc_3" };
    struct object_facts f = facts_of(value, day);
    enum exclusion x = exclusion_of(&f);
    enum regime r = regime_of(&f);
    char code[24];
    json_t *out = json_array();

    said(c, out, f.ego ? "ego" : "not_ego", "2(16)");
    if (f.ego && x == EXCLUSION_NONE)
        said(c, out, f.operating ? "operating" : json_get_str(value, "terminated_on").n ? "terminated" : "not_operating", "4");
    if (f.national_bank)
        said(c, out, f.integrated ? "bank_integrated" : "bank", "4");
    if (f.ego && x != EXCLUSION_NONE)
        said(c, out, exclusions[x], "4");
    said(c, out, f.cii ? "cii" : "not_cii", r == REGIME_C || (r == REGIME_B) ? "25" : "2(13)");
    if (r == REGIME_B)
        said(c, out, contract ? "contract" : "no_contract", "6");
    snprintf(code, sizeof code, "regime_%s", regime_name(r));
    said(c, out, code, r == REGIME_C ? "19" : r == REGIME_N3 ? "25" : "4");
    return out;
}

json_t *warnings_json(struct call *c, const json_t *value, const char *day, bool contract)
{
    struct object_facts f = facts_of(value, day);
    enum regime r = regime_of(&f);
    struct str contour = json_get_str(value, "contour"), lcs = json_get_str(value, "lcs_contour");
    json_t *out = json_array();

    if (r == REGIME_B && !contract)
        said(c, out, "warn_contract", "6");
    if (r == REGIME_N2 && f.cii)
        said(c, out, "warn_excluded_cii", "4, 25");
    if (r == REGIME_C && f.national_bank)
        said(c, out, "warn_bank_cii", "25");
    if (contour.n && lcs.n && !str_eq(contour, lcs))
        said(c, out, "warn_contour", "12");
    if (regime_monitored(r) && !works_of(value))
        said(c, out, "warn_no_work", "5");
    return out;
}

int contract_valid(struct call *c, struct str id, const char *day, bool *yes)
{
    struct record r;
    int rc;

    *yes = false;
    if (!id.n)
        return 0;
    rc = record_read(c, RECORD_CONTRACT, id, 0, &r);
    if (rc == -ENOENT) {
        c->r->code = NULL;
        return 0;
    }
    if (rc == 0) {
        struct str from = json_get_str(r.value, "valid_from"), to = json_get_str(r.value, "valid_to");

        *yes = str_cmp(from, str_c(day)) <= 0 && (!to.n || str_cmp(str_c(day), to) <= 0);
        record_done(&r);
    }
    return rc;
}
