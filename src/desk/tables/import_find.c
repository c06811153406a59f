/* import_find.c - which field a heading means, which record a cell or a row means. */
#include "desk/tables/import.h"

size_t targets_of(enum record_kind k, struct target *out)
{
    size_t count, n = 0;
    const struct body_field *f = record_fields(k, &count);

    out[n++] = (struct target){ "id", NULL };
    if (k == RECORD_COMPONENT || k == RECORD_CONTACT)
        out[n++] = (struct target){ "parent", NULL };
    for (size_t i = 0; i < count && n < IMPORT_COLUMNS_MAX; i++)
        out[n++] = (struct target){ f[i].name, &f[i] };
    return n;
}

struct str target_label(struct call *c, enum record_kind k, const char *name, enum lang lang)
{
    char key[128];

    snprintf(key, sizeof key, "table.field.%s.%s", record_kind_name(k), name);
    struct str s = catalog_text(c->d->setup.catalog, lang, key);
    return s.p == key ? str_c(name) : s;
}

const struct target *target_guess(struct call *c, enum record_kind k, const struct target *all, size_t count, struct str heading)
{
    struct str folded = fold_text(str_trim(heading), &c->a);

    for (size_t i = 0; i < count; i++) {
        if (str_eq(folded, str_c(all[i].name)))
            return &all[i];
        for (int lang = 0; lang < LANG_COUNT; lang++)
            if (str_eq(folded, fold_text(target_label(c, k, all[i].name, (enum lang)lang), &c->a)))
                return &all[i];
    }
    return NULL;
}

/* one_id - the id in the only row of a query: 0, none 1, several 2. */
static int one_id(struct call *c, sqlite3_stmt *st, struct str *id)
{
    int rc = st ? db_step(c->d, st, c->e) : -EIO;

    if (rc <= 0)
        return rc < 0 ? rc : 1;
    *id = db_copy(st, 0, &c->a);
    rc = db_step(c->d, st, c->e);
    if (rc > 0)
        db_done(st);
    return rc < 0 ? rc : rc > 0 ? 2 : 0;
}

static int by_id(struct call *c, const char *kind, struct str text, struct str *id)
{
    return one_id(c, db_query(c->d, c->e, "SELECT id FROM record WHERE kind = ?1 AND id = ?2 AND removed = 0", "zt", kind, text), id);
}

static int by_name(struct call *c, const char *kind, struct str text, struct str *id)
{
    return one_id(c, db_query(c->d, c->e, "SELECT id FROM record WHERE kind = ?1 AND sort = ?2 AND removed = 0 LIMIT 2", "zt", kind,
                              fold_text(text, &c->a)), id);
}

static int org_find(struct call *c, struct str text, struct str *id)
{
    int rc = by_id(c, "organisation", text, id);

    if (rc == 1 && text.n == 12)
        rc = one_id(c, db_query(c->d, c->e, "SELECT id FROM org WHERE bin = ? LIMIT 2", "t", text), id);
    return rc == 1 ? by_name(c, "organisation", text, id) : rc;
}

int reference_find(struct call *c, const char *field, struct str text, struct str *id)
{
    static const char *const orgs[] = { "org_id", "possessor_id", "ocib_id", "knb_id", "sts_id" };
    int rc;

    for (size_t i = 0; i < COUNT(orgs); i++)
        if (strcmp(field, orgs[i]) == 0)
            return org_find(c, text, id);
    if (strcmp(field, "person_id") != 0 && strcmp(field, "contract_id") != 0)
        return -ENOTSUP;
    rc = by_id(c, *field == 'p' ? "person" : "contract", text, id);
    return rc == 1 ? by_name(c, *field == 'p' ? "person" : "contract", text, id) : rc;
}

int parent_find(struct call *c, struct str text, struct str *parent)
{
    struct str id;
    bool org = str_starts(text, STR("organisation/"));
    int rc;

    if (org || str_starts(text, STR("object/")))
        text = str_cut(text, org ? 13 : 7);
    rc = by_id(c, org ? "organisation" : "object", text, &id);
    if (rc == 1)
        rc = by_name(c, org ? "organisation" : "object", text, &id);
    if (rc == 0)
        *parent = arena_printf(&c->a, "%s/%.*s", org ? "organisation" : "object", STR_ARG(id));
    return rc;
}

int record_find(struct call *c, enum record_kind k, struct str id, struct str parent, const json_t *value, struct str *found)
{
    const char *kind = record_kind_name(k);
    struct str name = fold_text(json_get_str(value, k == RECORD_CONTRACT ? "number" : "name"), &c->a), bin = json_get_str(value, "bin");
    int rc;

    if (id.n)
        return by_id(c, kind, id, found);
    switch (k) {
    case RECORD_ORGANISATION:
        rc = bin.n ? one_id(c, db_query(c->d, c->e, "SELECT id FROM org WHERE bin = ? LIMIT 2", "t", bin), found) : 1;
        if (rc == 2 && name.n) /* a unit has the number of the whole: its name tells which */
            return one_id(c, db_query(c->d, c->e, "SELECT o.id FROM org o JOIN record r ON r.kind = ?1 AND r.id = o.id WHERE o.bin = ?2 AND r.sort = ?3 LIMIT 2",
                                      "ztt", kind, bin, name), found) == 0 ? 0 : 2;
        return rc == 1 ? by_name(c, kind, name, found) : rc;
    case RECORD_COMPONENT:
        return one_id(c, db_query(c->d, c->e, "SELECT id FROM record WHERE kind = ?1 AND parent = ?2 AND sort = ?3 AND removed = 0 LIMIT 2", "ztt", kind,
                                  parent, name), found);
    case RECORD_CONTACT:
        return one_id(c, db_query(c->d, c->e,
                                  "SELECT id FROM record WHERE kind = 'contact' AND parent = ?1 AND json ->> '$.person_id' = ?2 AND json ->> '$.role' = ?3"
                                  " AND removed = 0 LIMIT 2", "ttt", parent, json_get_str(value, "person_id"), json_get_str(value, "role")), found);
    case RECORD_OBJECT:
    case RECORD_PERSON:
        return one_id(c, db_query(c->d, c->e,
                                  "SELECT id FROM record WHERE kind = ?1 AND sort = ?2 AND json ->> '$.org_id' IS ?3 AND removed = 0 LIMIT 2", "ztt", kind,
                                  name, json_get_str(value, "org_id")), found);
    default:
        return by_name(c, kind, name, found);
    }
}
