/* way.c - one object on its way into monitoring: loaded, what it consists of, who is told. */
#include "desk/requests/kind.h"
#include "desk/requests/way.h"

int way_load(struct call *c, struct str object, struct way *out)
{
    struct scope s = scope_of(c->v);
    sqlite3_stmt *st = db_query(c->d, c->e,
                                "SELECT o.id, o.name, o.org_id, g.name, o.contour, o.possessor_id, EXISTS (SELECT 1 FROM collector k WHERE k.object_id = o.id)"
                                " FROM object o JOIN org g ON g.id = o.org_id WHERE o.id = ?3 AND " SCOPE_OBJECT,
                                "izt", s.bounded, s.org, object);
    int rc = st ? db_step(c->d, st, c->e) : -EIO;

    *out = (struct way){ 0 };
    if (rc <= 0)
        return rc < 0 ? rc : refuse(c, -ENOENT, "not_found", NULL, "no such object");
    *out = (struct way){ .object = db_copy(st, 0, &c->a), .name = db_copy(st, 1, &c->a), .org = db_copy(st, 2, &c->a), .org_name = db_copy(st, 3, &c->a),
                         .contour = db_copy(st, 4, &c->a), .possessor = db_copy(st, 5, &c->a), .has_collector = sqlite3_column_int(st, 6) };
    db_done(st);
    return 0;
}

static void thing_add(json_t *list, struct str name, struct str host, struct str words, bool protection, bool server)
{
    json_array_append_new(list, json_pack("{s:o, s:o, s:o, s:b, s:b}", "name", json_str(name), "host", host.n ? json_str(host) : json_null(), "words",
                                          json_str(words), "protection", protection, "server", server));
}

/* passport_things - software and hardware of the newest passport (paragraph 7). */
static int passport_things(struct call *c, struct str object, json_t *list)
{
    sqlite3_stmt *st = db_query(c->d, c->e,
                                "SELECT i.json FROM passport_item i WHERE i.passport_id = (SELECT max(id) FROM passport WHERE object_id = ?) AND i.kind IN"
                                " ('hardware','software') ORDER BY i.position",
                                "t", object);
    int rc = st ? 0 : -EIO;

    while (st && (rc = db_step(c->d, st, c->e)) > 0) {
        struct str text = db_str(st, 0), name, version, purpose;
        json_t *item = json_loadb(text.n ? text.p : "{}", text.n ? text.n : 2, 0, NULL);

        name = json_get_str(item, "name");
        version = json_get_str(item, "version");
        purpose = json_get_str(item, "purpose");
        thing_add(list, arena_copy(&c->a, name), arena_copy(&c->a, json_get_str(item, "host")),
                  arena_printf(&c->a, "%.*s %.*s %.*s", STR_ARG(name), STR_ARG(version), STR_ARG(purpose)),
                  json_is_true(json_object_get(item, "protection")), str_eq(json_get_str(item, "kind"), STR("hardware")));
        json_decref(item);
    }
    return rc;
}

/* component_things - item 12 of Annex 1: every address of a component may be the host of its logs; its first name or address is. */
static int component_things(struct call *c, struct str object, json_t *list)
{
    json_t *all = NULL, *one;
    size_t i;
    int rc = registry_components(c, object, &all);

    json_array_foreach(all, i, one) {
        const json_t *v = json_object_get(one, "value");
        const char *domain = json_string_value(json_array_get(json_object_get(v, "domain_names"), 0));
        const char *address = json_string_value(json_array_get(json_object_get(v, "ip_addresses"), 0));
        struct str name = json_get_str(v, "name"), class = json_get_str(v, "asset_class");

        thing_add(list, arena_copy(&c->a, name), arena_copy(&c->a, str_c(domain ? domain : address ? address : "")),
                  arena_printf(&c->a, "%.*s %.*s %.*s %.*s", STR_ARG(name), STR_ARG(json_get_str(v, "version")), STR_ARG(json_get_str(v, "purpose")),
                               STR_ARG(json_get_str(v, "vendor"))),
                  str_eq(class, STR("ipt")), str_eq(class, STR("hardware")));
    }
    json_decref(all);
    return rc;
}

/* host_things - registered hosts that nothing else speaks of. */
static int host_things(struct call *c, struct str object, json_t *list)
{
    sqlite3_stmt *st = db_query(c->d, c->e, "SELECT host FROM object_host WHERE object_id = ? ORDER BY position", "t", object);
    int rc = st ? 0 : -EIO;

    while (st && (rc = db_step(c->d, st, c->e)) > 0) {
        struct str host = db_copy(st, 0, &c->a);
        json_t *t;
        bool told = false;
        size_t i;

        json_array_foreach(list, i, t)
            told = told || str_ieq(json_get_str(t, "host"), host) || str_ieq(json_get_str(t, "name"), host);
        if (!told)
            thing_add(list, host, host, host, false, true);
    }
    return rc;
}

int way_things(struct call *c, struct str object, json_t **out)
{
    int rc;

    *out = json_array();
    rc = component_things(c, object, *out);
    if (rc == 0)
        rc = passport_things(c, object, *out);
    return rc < 0 ? rc : host_things(c, object, *out);
}

int way_tell(struct call *c, const struct way *w, bool owner, const char *key)
{
    struct req q = { .kind = req_kind_find(STR("access")), .object_id = w->object, .object_name = w->name, .org_id = w->org, .possessor_id = w->possessor };
    struct subject about = { .kind = "object", .id = w->object, .object_id = w->object, .org_id = w->org };

    return req_tell_about(c, &q, &about, "onboarding", owner ? "10(1)" : "12", owner, key);
}
