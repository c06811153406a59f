/* annex1.c - the data of an object in the form of Annex 1: the twelve items by their identifiers, and what the form still lacks. */
#include "desk/registry/room.h"

static json_t *copied(const json_t *v, const char *key)
{
    json_t *x = json_object_get(v, key);

    return x ? json_incref(x) : json_null();
}

/* party_json - an organisation as a form shows it. */
static int party_json(struct call *c, struct str id, time_ns as_of, json_t **out)
{
    struct record r;
    int rc;

    *out = json_null();
    if (!id.n)
        return 0;
    rc = record_read(c, RECORD_ORGANISATION, id, as_of, &r);
    if (rc == -ENOENT)      /* registered after that moment */
        rc = record_read(c, RECORD_ORGANISATION, id, 0, &r);
    if (rc == 0) {
        *out = json_pack("{s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "id", json_str(id), "name", copied(r.value, "name"), "name_ru",
                         copied(r.value, "name_ru"), "bin", copied(r.value, "bin"), "address", copied(r.value, "address"), "phone",
                         copied(r.value, "phone"), "email", copied(r.value, "email"));
        record_done(&r);
    }
    return rc;
}

static json_t *connection_json(const json_t *v, const char *connected, const char *width, const char *unit)
{
    return json_pack("{s:o, s:o, s:o}", "connected", copied(v, connected), "bandwidth", copied(v, width), "unit", copied(v, unit));
}

/* is_contacts - item 11, with names and channels. */
static int is_contacts(struct call *c, struct str parent, time_ns as_of, json_t *out)
{
    json_t *list, *one;
    size_t i;
    int rc = record_children(c, RECORD_CONTACT, parent, as_of, &list);

    if (rc < 0)
        return rc;
    json_array_foreach(list, i, one) {
        json_t *v = json_object_get(one, "value");
        struct record p;

        rc = record_read(c, RECORD_PERSON, json_get_str(v, "person_id"), as_of, &p);
        if (rc == -ENOENT)
            continue;
        if (rc < 0)
            break;
        if (p.value)
            json_array_append_new(out, json_pack("{s:o, s:o, s:o, s:o, s:o}", "contact_kind", copied(v, "role"), "name", copied(p.value, "name"),
                                                 "position", copied(p.value, "position"), "channels", copied(p.value, "channels"), "language",
                                                 copied(p.value, "language")));
        record_done(&p);
        rc = 0;
    }
    json_decref(list);
    return rc == -ENOENT ? 0 : rc;
}

static int assets(struct call *c, struct str parent, time_ns as_of, json_t *out)
{
    json_t *list, *one;
    size_t i;
    int rc = record_children(c, RECORD_COMPONENT, parent, as_of, &list);

    json_array_foreach(list, i, one)
        json_array_append_new(out, json_incref(json_object_get(one, "value")));
    json_decref(list);
    return rc < 0 ? rc : 0;
}

static int annex1_fill(struct call *c, const struct record *r, time_ns as_of, json_t *out)
{
    struct str parent = arena_printf(&c->a, "object/%.*s", STR_ARG(r->id));
    struct subject about = { .kind = "object", .id = r->id, .object_id = r->id };
    json_t *owner = NULL, *possessor = NULL, *files = NULL, *contacts = json_array(), *list = json_array();
    const json_t *v = r->value;
    int rc = party_json(c, json_get_str(v, "org_id"), as_of, &owner);

    if (rc == 0)
        rc = party_json(c, json_get_str(v, "possessor_id"), as_of, &possessor);
    if (rc == 0)
        rc = attachments_json(c, &about, as_of, &files);
    if (rc == 0)
        rc = is_contacts(c, parent, as_of, contacts);
    if (rc == 0)
        rc = assets(c, parent, as_of, list);
    json_object_set_new(out, "official_name", copied(v, "name"));
    json_object_set_new(out, "official_name_ru", copied(v, "name_ru"));
    json_object_set_new(out, "owner", owner ? owner : json_null());
    json_object_set_new(out, "possessor", possessor ? possessor : json_null());
    json_object_set_new(out, "actual_location", json_pack("{s:o, s:o, s:o}", "street", copied(v, "street"), "city", copied(v, "city"), "region",
                                                          copied(v, "region")));
    json_object_set_new(out, "support_organization", copied(v, "support"));
    json_object_set_new(out, "object_criticality", copied(v, "criticality"));
    json_object_set_new(out, "class_code", copied(v, "class_code"));
    json_object_set_new(out, "utesb_connection", connection_json(v, "utesb_connected", "utesb_bandwidth", "utesb_unit"));
    json_object_set_new(out, "internet_connection", connection_json(v, "internet_connected", "internet_bandwidth", "internet_unit"));
    json_t *diagrams = json_array(), *one;
    size_t i;
    json_array_foreach(files, i, one)
        if (str_ends(json_get_str(one, "kind"), STR("_diagram")))
            json_array_append(diagrams, one);
    json_decref(files);
    json_object_set_new(out, "architecture_diagrams", diagrams);
    json_object_set_new(out, "lcs", json_pack("{s:o, s:o, s:o}", "present", copied(v, "lcs_present"), "name", copied(v, "lcs_name"), "contour",
                                              copied(v, "lcs_contour")));
    json_object_set_new(out, "is_contacts", contacts);
    json_object_set_new(out, "assets", list);
    return rc;
}

int annex1_json(struct call *c, struct str object_id, time_ns as_of, json_t **out)
{
    struct record r;
    int rc = record_read(c, RECORD_OBJECT, object_id, as_of, &r);

    *out = NULL;
    if (rc < 0)
        return rc;
    *out = json_object();
    rc = annex1_fill(c, &r, as_of, *out);
    record_done(&r);
    if (rc < 0) {
        json_decref(*out);
        *out = NULL;
    }
    return rc;
}

static void lacks(json_t *out, int item, const char *field)
{
    json_array_append_new(out, json_pack("{s:i, s:s}", "item", item, "field", field));
}

static bool empty(const json_t *v, const char *key)
{
    const json_t *x = json_object_get(v, key);

    return !x || json_is_null(x) || (json_is_string(x) && json_string_length(x) == 0) || (json_is_array(x) && json_array_size(x) == 0);
}

static void diagrams_lack(const json_t *list, json_t *out)
{
    static const char *const kinds[] = { "logical_diagram", "physical_diagram" };
    json_t *one;
    size_t i;

    for (size_t k = 0; k < COUNT(kinds); k++) {
        const json_t *found = NULL;

        json_array_foreach((json_t *)(uintptr_t)list, i, one)
            if (str_eq(json_get_str(one, "kind"), str_c(kinds[k])))
                found = one;
        if (!found)
            lacks(out, 9, kinds[k]);
        else if (empty(found, "approved_by") || empty(found, "approved_on") || !json_is_true(json_object_get(found, "signed")))
            lacks(out, 9, k ? "physical_diagram.approved_by" : "logical_diagram.approved_by");
    }
}

int annex1_missing(struct call *c, struct str object_id, time_ns as_of, json_t **out)
{
    static const struct { int item; const char *part, *field, *path; } needed[] = {
        { 1, NULL, "official_name", "name" },           { 2, NULL, "owner", "org_id" },
        { 4, "actual_location", "street", "street" },   { 4, "actual_location", "city", "city" },
        { 4, "actual_location", "region", "region" },   { 5, NULL, "support_organization", "support" },
        { 6, NULL, "object_criticality", "criticality" }, { 7, "utesb_connection", "connected", "utesb_connected" },
        { 8, "internet_connection", "connected", "internet_connected" }, { 10, "lcs", "present", "lcs_present" },
        { 11, NULL, "is_contacts", "is_contacts" },     { 12, NULL, "assets", "assets" },
    };
    static const struct { int item; const char *part, *when, *field, *path; } then[] = {
        { 7, "utesb_connection", "connected", "bandwidth", "utesb_bandwidth" },
        { 8, "internet_connection", "connected", "bandwidth", "internet_bandwidth" },
        { 10, "lcs", "present", "name", "lcs_name" },
        { 10, "lcs", "present", "contour", "lcs_contour" },
    };
    json_t *a;
    int rc = annex1_json(c, object_id, as_of, &a);

    *out = NULL;
    if (rc < 0)
        return rc;
    *out = json_array();
    for (size_t i = 0; i < COUNT(needed); i++)
        if (empty(needed[i].part ? json_object_get(a, needed[i].part) : a, needed[i].field))
            lacks(*out, needed[i].item, needed[i].path);
    for (size_t i = 0; i < COUNT(then); i++) {
        const json_t *part = json_object_get(a, then[i].part);

        if (json_is_true(json_object_get(part, then[i].when)) && empty(part, then[i].field))
            lacks(*out, then[i].item, then[i].path);
    }
    diagrams_lack(json_object_get(a, "architecture_diagrams"), *out);
    json_decref(a);
    return 0;
}
