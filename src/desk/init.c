/* init.c - an empty desk gets its administrator and, if wanted, the demonstration of content/demo/demo.yaml. No password is fixed: each
 * account gets a random one, which is told once. */
#include "desk/internal.h"
#include "desk/registry/registry.h"
#include "base/yaml.h"

static json_t *scalar(struct str s) { return s.n ? json_str(s) : json_null(); }

static json_t *account_in(struct str login, struct str name, struct str role, struct str org, struct str language, struct str email,
                          const char *password)
{
    return json_pack("{s:o, s:o, s:o, s:o, s:o, s:o, s:s}", "login", json_str(login), "name", json_str(name), "role", json_str(role), "org_id",
                     scalar(org), "language", json_str(language), "email", scalar(email), "password", password);
}

static int account_add(struct call *c, json_t *in, json_t *accounts)
{
    int64_t id;
    int rc = user_insert(c, in, &id);

    if (rc == 0)
        json_array_append_new(accounts, json_pack("{s:O, s:O, s:O, s:O, s:O}", "login", json_object_get(in, "login"), "password",
                                                  json_object_get(in, "password"), "name", json_object_get(in, "name"), "role",
                                                  json_object_get(in, "role"), "org", json_object_get(in, "org_id")));
    json_decref(in);
    return rc;
}

static int demo_users(struct call *c, const struct ynode *list, json_t *accounts)
{
    char password[33];
    int rc = 0;

    for (const struct ynode *n = list ? list->first : NULL; rc == 0 && n; n = n->next) {
        rc = password_random(password, c->e);
        if (rc == 0)
            rc = account_add(c, account_in(yaml_text(n, "login"), yaml_text(n, "name"), yaml_text(n, "role"), yaml_text(n, "org"),
                                           yaml_text(n, "language"), yaml_text(n, "email"), password),
                             accounts);
    }
    return rc;
}

static int demo_fill(struct call *c, json_t *accounts)
{
    static const char *const known[] = { "organisations", "contracts", "objects", "users", NULL };
    struct yaml *y = NULL;
    char path[4096];
    int rc;

    snprintf(path, sizeof path, "%s/demo/demo.yaml", c->d->setup.node->content);
    rc = yaml_load_file(path, &y, c->e);
    if (rc == 0 && (y->doc_count != 1 || y->docs[0]->kind != YNODE_MAP))
        rc = err_line(c->e, -EBADMSG, path, 1, 1, "one map of organisations, objects and users is expected");
    if (rc == 0)
        rc = yaml_only(y, y->docs[0], known, c->e);
    if (rc == 0)
        rc = registry_demo(c, y->docs[0]);
    if (rc == 0)
        rc = demo_users(c, yaml_get(y->docs[0], "users"), accounts);
    yaml_free(&y);
    return rc < 0 ? err_wrap(c->e, rc, "demonstration") : 0;
}

static int fill(struct call *c, bool demo, json_t *accounts)
{
    struct str name = catalog_text(c->d->setup.catalog, LANG_RU, "case.administrator");
    int64_t administrators = 0;
    char password[33];
    int rc = db_int(c->d, c->e, 0, &administrators, "SELECT count(*) FROM user WHERE role = 'administrator'", "");

    if (rc < 0 || administrators)
        return rc;
    rc = password_random(password, c->e);
    if (rc == 0)
        rc = account_add(c, account_in(STR("admin"), name, STR("administrator"), (struct str){ NULL, 0 }, STR("ru"), (struct str){ NULL, 0 },
                                       password),
                         accounts);
    return rc == 0 && demo ? demo_fill(c, accounts) : rc;
}

int desk_init(struct desk *d, bool demo, time_ns now, json_t **accounts, struct err *e)
{
    struct desk_reply r = { 0 };
    struct call c;
    int rc;

    *accounts = json_array();
    desk_call_init(&c, d, NULL, now, &r);
    rc = db_begin(d, c.e);
    if (rc == 0)
        rc = db_end(d, fill(&c, demo, *accounts), c.e);
    if (rc == 0)
        rc = objects_export(d, c.e);
    if (rc < 0) {
        err_set(e, rc, "%s", r.err.text);
        json_decref(*accounts);
        *accounts = NULL;
    }
    desk_call_free(&c);
    desk_reply_free(&r);
    return rc;
}
