/* policy.c - see policy.h. */
#include "base/yaml.h"
#include "ioc/policy.h"

#define SLOTS 2048u   /* a power of two, at least four times IOC_FIELDS_MAX */

static const char *const levels[] = { "high", "medium", "low" };

struct ioc_policy {
    struct arena texts;
    struct { struct str name; enum ioc_type type; } slots[SLOTS];
    size_t       fields;
    bool         silent[IOC_TYPES];
    int64_t      least[COUNT(levels)];
};

static size_t slot_of(const struct ioc_policy *p, struct str name)
{
    size_t at = str_hash(name) & (SLOTS - 1);

    while (p->slots[at].name.n && !str_eq(p->slots[at].name, name))
        at = (at + 1) & (SLOTS - 1);
    return at;
}

static int read_fields(struct ioc_policy *p, const struct yaml *y, const struct ynode *key, struct err *e)
{
    enum ioc_type type = ioc_type_parse(key->text);

    if (type == IOC_TYPES)
        return yaml_err(y, key, e, "\"%.*s\" is no type of indicator", STR_ARG(key->text));
    if (key->value->kind != YNODE_SEQ)
        return yaml_err(y, key->value, e, "a list of fields is expected");
    for (const struct ynode *n = key->value->first; n; n = n->next) {
        size_t at;

        if (n->kind != YNODE_SCALAR || n->text.n == 0)
            return yaml_err(y, n, e, "the name of a field is expected");
        at = slot_of(p, n->text);
        if (p->slots[at].name.n)
            return yaml_err(y, n, e, "the field \"%.*s\" stands here already", STR_ARG(n->text));
        if (++p->fields > IOC_FIELDS_MAX)
            return yaml_err(y, n, e, "there are more than %d fields", IOC_FIELDS_MAX);
        p->slots[at].name = arena_copy(&p->texts, n->text);
        p->slots[at].type = type;
    }
    return 0;
}

static int read_silent(struct ioc_policy *p, const struct yaml *y, const struct ynode *list, struct err *e)
{
    if (list && list->kind != YNODE_SEQ)
        return yaml_err(y, list, e, "a list of types is expected");
    for (const struct ynode *n = list ? list->first : NULL; n; n = n->next) {
        enum ioc_type type = n->kind == YNODE_SCALAR ? ioc_type_parse(n->text) : IOC_TYPES;

        if (type == IOC_TYPES)
            return yaml_err(y, n, e, "the name of a type of indicator is expected");
        p->silent[type] = true;
    }
    return 0;
}

static int read_levels(struct ioc_policy *p, const struct yaml *y, const struct ynode *map, struct err *e)
{
    for (size_t i = 0; i < COUNT(levels); i++) {
        int rc = map && map->kind == YNODE_MAP ? yaml_int(y, map, levels[i], &p->least[i], e) : 1;

        if (rc == 1)
            return yaml_err(y, map ? map : y->docs[0], e, "\"levels\" wants a percentage for each of high, medium, low");
        if (rc < 0)
            return rc;
        if (p->least[i] < 0 || p->least[i] > 100 || (i && p->least[i] > p->least[i - 1]))
            return yaml_err(y, map, e, "percentages from 0 to 100 are expected, each no larger than the one before it");
    }
    return 0;
}

static int read_all(struct ioc_policy *p, const struct yaml *y, struct err *e)
{
    static const char *const known[] = { "silent", "levels", "means", NULL };
    const struct ynode *root = y->doc_count == 1 ? y->docs[0] : NULL, *means;
    int rc;

    if (!root || root->kind != YNODE_MAP)
        return err_line(e, -EBADMSG, y->name, 1, 1, "one map with \"levels\" and \"means\" is expected");
    rc = yaml_only(y, root, known, e);
    if (rc == 0)
        rc = read_silent(p, y, yaml_get(root, "silent"), e);
    if (rc == 0)
        rc = read_levels(p, y, yaml_get(root, "levels"), e);
    means = yaml_get(root, "means");
    if (rc == 0 && (!means || means->kind != YNODE_MAP))
        rc = yaml_err(y, means ? means : root, e, "\"means\" wants a map of types and their fields");
    for (const struct ynode *k = rc == 0 ? means->first : NULL; k && rc == 0; k = k->next)
        rc = read_fields(p, y, k, e);
    return rc == 0 && arena_failed(&p->texts) ? err_set(e, -ENOMEM, "no memory for the fields of indicators") : rc;
}

int ioc_policy_load(const char *path, struct ioc_policy **out, struct err *e)
{
    struct ioc_policy *p = calloc(1, sizeof *p);
    struct yaml *y = NULL;
    int rc = p ? yaml_load_file(path, &y, e) : err_set(e, -ENOMEM, "no memory for the fields of indicators");

    if (p)
        arena_init(&p->texts, MIB);
    if (rc == 0)
        rc = read_all(p, y, e);
    yaml_free(&y);
    if (rc < 0)
        ioc_policy_free(&p);
    *out = p;
    return rc;
}

void ioc_policy_free(struct ioc_policy **p)
{
    if (*p)
        arena_free(&(*p)->texts);
    free(*p);
    *p = NULL;
}

enum ioc_type ioc_policy_means(const struct ioc_policy *p, struct str field)
{
    size_t at = slot_of(p, field);

    return p->slots[at].name.n ? p->slots[at].type : IOC_TYPES;
}

bool ioc_policy_silent(const struct ioc_policy *p, enum ioc_type type) { return p->silent[type]; }

bool ioc_value_next(enum ioc_type type, struct str *rest, struct str *one)
{
    if (type == IOC_HASH) {
        bool more = str_split(rest, ',', one);

        *one = more ? str_cut(*one, (size_t)(str_chr(*one, '=') + 1)) : *one;
        return more;
    }
    *one = *rest;
    *rest = str_of(NULL, 0);
    return one->n > 0;
}

const char *ioc_policy_level(const struct ioc_policy *p, uint8_t confidence)
{
    if (confidence == IOC_CONFIDENCE_NONE)
        return "medium";
    for (size_t i = 0; i < COUNT(levels); i++)
        if (confidence >= p->least[i])
            return levels[i];
    return "informational";
}
