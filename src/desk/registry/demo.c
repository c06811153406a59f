/* demo.c - the registry of the demonstration: content/demo/demo.yaml as records, read by the same tables of fields as every other. */
#include "desk/registry/room.h"
#include "base/yaml.h"

/* demo_host - "@host" stands for the name of this machine, so that its own logs belong to an object at once. */
static json_t *demo_host(struct str s)
{
    char name[256];

    if (!str_eq(s, STR("@host")))
        return json_str(s);
    if (gethostname(name, sizeof name - 1) < 0)
        snprintf(name, sizeof name, "localhost");
    name[sizeof name - 1] = 0;
    return json_string(name);
}

static json_t *value_of(const struct ynode *n, const struct body_field *fields, size_t count);

/* field_of - one value by its type. The tables bound the depth: no table names itself. */
static json_t *field_of(const struct ynode *n, const struct body_field *f)
{
    json_t *list;
    char number[32];

    switch (f->type) {
    case BODY_BOOL:
        return json_boolean(str_eq(n->text, STR("true")));
    case BODY_COUNT:
        return json_integer((json_int_t)parse_id(n->text));
    case BODY_NUMBER:
        snprintf(number, sizeof number, "%.*s", (int)min_size(n->text.n, sizeof number - 1), n->text.n ? n->text.p : "");
        return json_real(strtod(number, NULL));
    case BODY_PART:
        return value_of(n, f->of, f->of_count);
    case BODY_HOSTS:
    case BODY_ENUMS:
    case BODY_STRINGS:
    case BODY_ITEMS:
        list = json_array();
        for (const struct ynode *i = n->first; i; i = i->next)
            json_array_append_new(list, f->type == BODY_ITEMS ? value_of(i, f->of, f->of_count) : demo_host(i->text));
        return list;
    default:
        return n->text.n ? json_str(n->text) : json_null();
    }
}

static json_t *value_of(const struct ynode *n, const struct body_field *fields, size_t count)
{
    json_t *out = json_object();

    for (size_t i = 0; i < count; i++) {
        const struct ynode *v = yaml_get(n, fields[i].name);

        if (v)
            json_object_set_new(out, fields[i].name, field_of(v, &fields[i]));
    }
    return out;
}

static json_t *record_of(const struct ynode *n, enum record_kind k)
{
    size_t count;
    const struct body_field *fields = record_fields(k, &count);

    return value_of(n, fields, count);
}

static int put(struct call *c, enum record_kind k, const struct ynode *n, struct str parent)
{
    json_t *value = record_of(n, k);
    struct record_write w = { .kind = k, .id = yaml_text(n, "id"), .parent = parent, .value = value, .origin = "system" };
    int rc = record_put(c, &w, NULL);

    json_decref(value);
    return rc < 0 ? rc : 0;
}

static int each(struct call *c, enum record_kind k, const struct ynode *list, struct str parent)
{
    int rc = 0;

    for (const struct ynode *n = list ? list->first : NULL; rc == 0 && n; n = n->next)
        rc = put(c, k, n, parent);
    return rc;
}

static json_t *texts_of(const struct ynode *n, const char *const *names)
{
    json_t *out = json_object();

    for (; *names; names++) {
        struct str s = yaml_text(n, *names);

        json_object_set_new(out, *names, s.n ? json_str(s) : json_null());
    }
    return out;
}

static int object_of(struct call *c, const struct ynode *n)
{
    static const char *const contact[] = { "kind", "name", "email", "phone", "language", NULL };
    const struct ynode *list = yaml_get(n, "contacts");
    json_t *in = record_of(n, RECORD_OBJECT), *contacts = json_array();
    char id[ID_MAX + 1];
    int rc;

    for (const struct ynode *p = list ? list->first : NULL; p; p = p->next) {
        json_t *one = texts_of(p, contact);
        size_t count;
        const struct body_field *fields = record_fields(RECORD_PERSON, &count);

        for (size_t i = 0; i < count; i++)
            if (strcmp(fields[i].name, "hours") == 0 && yaml_get(p, "hours"))
                json_object_set_new(one, "hours", field_of(yaml_get(p, "hours"), &fields[i]));
        json_array_append_new(contacts, one);
    }
    json_object_set_new(in, "contacts", contacts);
    json_object_set_new(in, "active", json_true());
    rc = object_insert(c, yaml_text(n, "id"), in, id);
    json_decref(in);
    return rc < 0 ? rc : each(c, RECORD_COMPONENT, yaml_get(n, "components"), arena_printf(&c->a, "object/%s", id));
}

int registry_demo(struct call *c, const struct ynode *root)
{
    const struct ynode *objects = yaml_get(root, "objects");
    struct str none = { NULL, 0 };
    int rc = each(c, RECORD_ORGANISATION, yaml_get(root, "organisations"), none);

    if (rc == 0)
        rc = each(c, RECORD_CONTRACT, yaml_get(root, "contracts"), none);
    for (const struct ynode *n = objects ? objects->first : NULL; rc == 0 && n; n = n->next)
        rc = object_of(c, n);
    return rc;
}
