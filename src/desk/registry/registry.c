/* registry.c - organisations, monitored objects, their hosts and contacts; and run/objects.tsv, by which ingest knows them. */
#include "desk/internal.h"
#include "base/file.h"

static const struct body_field org_fields[] = {
    { "name", BODY_STRING, true, false, 1, 500, NULL },
    { "kind", BODY_ENUM, true, false, 0, 0, org_kind_values },
    { "bin", BODY_STRING, false, true, 0, 12, NULL },
    { "email", BODY_EMAIL, false, true, 0, 254, NULL },
};
static const struct body_field object_fields[] = {
    { "name", BODY_STRING, true, false, 1, 500, NULL },
    { "org_id", BODY_STRING, true, false, 1, ID_MAX, NULL },
    { "criticality", BODY_ENUM, true, true, 0, 0, criticality_values },
    { "contour", BODY_ENUM, true, true, 0, 0, contour_values },
    { "hosts", BODY_HOSTS, true, false, 0, 1000, NULL },
    { "contacts", BODY_CONTACTS, true, false, 0, 100, NULL },
    { "active", BODY_BOOL, true, false, 0, 0, NULL },
};

static int new_id(struct call *c, struct str wanted, const char *kind, char out[ID_MAX + 1])
{
    int64_t n = 0;
    int rc = 0;

    if (wanted.n)
        snprintf(out, ID_MAX + 1, "%.*s", (int)min_size(wanted.n, ID_MAX), wanted.p);
    else {
        rc = counter_next(c->d, kind, &n, c->e);
        snprintf(out, ID_MAX + 1, "%s-%lld", kind, (long long)n);
    }
    return rc;
}

/* --- organisations --- */

int org_insert(struct call *c, struct str id, const json_t *in, char out_id[ID_MAX + 1])
{
    char target[ID_MAX + 20];
    int rc = new_id(c, id, "org", out_id);

    if (rc == 0)
        rc = db_exec(c->d, c->e, "INSERT INTO org(id, name, kind, bin, email, created_at, updated_at) VALUES (?1,?2,?3,?4,?5,?6,?6)", "ztttti",
                     out_id, json_get_str(in, "name"), json_get_str(in, "kind"), json_get_str(in, "bin"), json_get_str(in, "email"), c->now);
    snprintf(target, sizeof target, "organisation/%s", out_id);
    return rc < 0 ? rc : audit_add(c, "organisation.create", target, json_get_str(in, "name"), "ok");
}

static json_t *org_json(sqlite3_stmt *st)
{
    return json_pack("{s:o, s:o, s:o, s:o, s:o}", "id", db_json(st, 0), "name", db_json(st, 1), "kind", db_json(st, 2), "bin", db_json(st, 3),
                     "email", db_json(st, 4));
}

static int org_read(struct call *c, const char *id)
{
    sqlite3_stmt *st = db_query(c->d, c->e, "SELECT id, name, kind, bin, email FROM org WHERE id = ?", "z", id);
    int rc = st ? db_step(c->d, st, c->e) : -EIO;

    if (rc > 0) {
        c->r->json = org_json(st);
        db_done(st);
    }
    return rc < 0 ? rc : rc == 0 ? refuse(c, -ENOENT, "not_found", NULL, "no such organisation") : 0;
}

int desk_organisations(struct desk *d, const struct viewer *v, struct desk_reply *r)
{
    struct call c;
    int rc;
    json_t *items = json_array();

    desk_call_init(&c, d, v, 0, r);
    sqlite3_stmt *st = db_query(d, c.e, "SELECT id, name, kind, bin, email FROM org WHERE ?1 = 0 OR id = ?2 ORDER BY name, id", "iz",
                                scope_of(v).bounded, v->org_id);
    rc = st ? 0 : -EIO;
    while (st && (rc = db_step(d, st, c.e)) > 0)
        json_array_append_new(items, org_json(st));
    r->json = json_pack("{s:o, s:n}", "items", items, "next");
    desk_call_free(&c);
    return refuse_rc(r, rc);
}

/* cases_touch_search - names stand in what listCases searches; a new name is found at once. */
static int cases_touch_search(struct call *c, const char *object_id)
{
    int64_t ids[512];
    size_t n = 0;
    sqlite3_stmt *st = db_query(c->d, c->e, "SELECT id FROM cases WHERE object_id = ? ORDER BY id DESC LIMIT 512", "z", object_id);
    int rc = st ? 0 : -EIO;

    while (st && (rc = db_step(c->d, st, c->e)) > 0 && n < COUNT(ids))
        ids[n++] = sqlite3_column_int64(st, 0);
    for (size_t i = 0; rc >= 0 && i < n; i++)
        rc = case_search_update(c, ids[i]);
    return rc < 0 ? rc : 0;
}

static int org_write(struct call *c, struct str id, const json_t *body, bool create)
{
    char new[ID_MAX + 1], target[ID_MAX + 20];
    int rc;

    if (create) {
        rc = org_insert(c, (struct str){ NULL, 0 }, body, new);
        return rc < 0 ? rc : org_read(c, new);
    }
    snprintf(new, sizeof new, "%.*s", (int)min_size(id.n, ID_MAX), id.p);
    rc = db_exec(c->d, c->e, "UPDATE org SET name = ?2, kind = ?3, bin = ?4, email = ?5, updated_at = ?6 WHERE id = ?1", "ztttti", new,
                 json_get_str(body, "name"), json_get_str(body, "kind"), json_get_str(body, "bin"), json_get_str(body, "email"), c->now);
    if (rc < 0)
        return rc;
    snprintf(target, sizeof target, "organisation/%s", new);
    rc = rc == 0 ? refuse(c, -ENOENT, "not_found", NULL, "no such organisation")
                 : audit_add(c, "organisation.update", target, json_get_str(body, "name"), "ok");
    return rc < 0 ? rc : org_read(c, new);
}

/* --- objects --- */

static int hosts_write(struct call *c, const char *id, const json_t *hosts)
{
    json_t *h;
    size_t i;
    int rc = db_exec(c->d, c->e, "DELETE FROM object_host WHERE object_id = ?", "z", id);

    json_array_foreach((json_t *)(uintptr_t)hosts, i, h) {
        char field[32];

        if (rc < 0)
            break;
        snprintf(field, sizeof field, "hosts.%zu", i);
        if (strpbrk(json_string_value(h), " \t"))
            return refuse(c, -EINVAL, "bad_request", field, "a host has no blanks");
        rc = db_exec(c->d, c->e, "INSERT INTO object_host(host, object_id, position) VALUES (?,?,?)", "tzi",
                     str_of(json_string_value(h), json_string_length(h)), id, (int64_t)i);
        if (rc == -EEXIST)
            return refuse(c, -EEXIST, "conflict", field, "host \"%s\" already belongs to an object", json_string_value(h));
    }
    return rc < 0 ? rc : 0;
}

static int contacts_write(struct call *c, const char *id, const json_t *contacts)
{
    json_t *p;
    size_t i;
    int rc = db_exec(c->d, c->e, "DELETE FROM object_contact WHERE object_id = ?", "z", id);

    json_array_foreach((json_t *)(uintptr_t)contacts, i, p) {
        if (rc < 0)
            break;
        rc = db_exec(c->d, c->e, "INSERT INTO object_contact(object_id, position, kind, name, email, phone, language) VALUES (?,?,?,?,?,?,?)",
                     "zittttt", id, (int64_t)i, json_get_str(p, "kind"), json_get_str(p, "name"), json_get_str(p, "email"),
                     json_get_str(p, "phone"), json_get_str(p, "language"));
    }
    return rc < 0 ? rc : 0;
}

/* cases_adopt - open cases of a host that belonged to nobody go to its object, so that they can be notified. */
static int cases_adopt(struct call *c, const char *id)
{
    int64_t ids[256];
    size_t n = 0;
    sqlite3_stmt *st = db_query(c->d, c->e,
                                "SELECT c.id FROM cases c JOIN object_host h ON h.host = c.host WHERE h.object_id = ?1 AND c.object_id IS NULL"
                                " AND c.state IN ('detected','primary_analysis') ORDER BY c.id LIMIT 256",
                                "z", id);
    int rc = st ? 0 : -EIO;

    while (st && (rc = db_step(c->d, st, c->e)) > 0 && n < COUNT(ids))
        ids[n++] = sqlite3_column_int64(st, 0);
    if (rc > 0)
        db_done(st);
    for (size_t i = 0; rc >= 0 && i < n; i++) {
        rc = db_exec(c->d, c->e, "UPDATE cases SET object_id = ?2, updated_at = ?3 WHERE id = ?1", "izi", ids[i], id, c->now);
        if (rc >= 0)
            rc = timeline_add(c, ids[i], &(struct line){ .kind = "comment", .key = "case.text.adopted", .internal = true });
        change_case(c->d, ids[i]);
    }
    return rc < 0 ? rc : cases_touch_search(c, id);
}

static int object_parts(struct call *c, const char *id, const json_t *in)
{
    int rc = hosts_write(c, id, json_object_get(in, "hosts"));

    if (rc == 0)
        rc = contacts_write(c, id, json_object_get(in, "contacts"));
    if (rc == 0)
        rc = cases_adopt(c, id);
    if (rc == 0)
        change_add(c->d, "source", str_c(id));
    return rc;
}

static int org_known(struct call *c, struct str id)
{
    int64_t n = 0;
    int rc = db_int(c->d, c->e, 0, &n, "SELECT count(*) FROM org WHERE id = ?", "t", id);

    return rc < 0 ? rc : n ? 0 : refuse(c, -EINVAL, "bad_request", "org_id", "no such organisation");
}

int object_insert(struct call *c, struct str id, const json_t *in, char out_id[ID_MAX + 1])
{
    char target[ID_MAX + 20];
    int rc = org_known(c, json_get_str(in, "org_id"));

    if (rc == 0)
        rc = new_id(c, id, "object", out_id);
    if (rc == 0)
        rc = db_exec(c->d, c->e,
                     "INSERT INTO object(id, name, org_id, criticality, contour, active, created_at, updated_at) VALUES (?1,?2,?3,?4,?5,?6,?7,?7)",
                     "zttttii", out_id, json_get_str(in, "name"), json_get_str(in, "org_id"), json_get_str(in, "criticality"),
                     json_get_str(in, "contour"), (int64_t)json_is_true(json_object_get(in, "active")), c->now);
    if (rc >= 0)
        rc = object_parts(c, out_id, in);
    snprintf(target, sizeof target, "object/%s", out_id);
    return rc < 0 ? rc : audit_add(c, "object.create", target, json_get_str(in, "name"), "ok");
}

static int list_column(struct call *c, const char *id, json_t *hosts, json_t *contacts)
{
    sqlite3_stmt *st = db_query(c->d, c->e, "SELECT host FROM object_host WHERE object_id = ? ORDER BY position", "z", id);
    int rc = st ? 0 : -EIO;

    while (st && (rc = db_step(c->d, st, c->e)) > 0)
        json_array_append_new(hosts, db_json(st, 0));
    if (rc < 0)
        return rc;
    st = db_query(c->d, c->e, "SELECT kind, name, email, phone, language FROM object_contact WHERE object_id = ? ORDER BY position", "z", id);
    rc = st ? 0 : -EIO;
    while (st && (rc = db_step(c->d, st, c->e)) > 0)
        json_array_append_new(contacts, json_pack("{s:o, s:o, s:o, s:o, s:o}", "kind", db_json(st, 0), "name", db_json(st, 1), "email",
                                                  db_json(st, 2), "phone", db_json(st, 3), "language", db_json(st, 4)));
    return rc;
}

/* objects_select - those a viewer may see; id empty: all of them. */
static int objects_select(struct call *c, struct str id, json_t *items)
{
    sqlite3_stmt *st = db_query(c->d, c->e,
                                "SELECT o.id, o.name, o.org_id, g.name, o.criticality, o.contour, o.active,"
                                " (SELECT count(*) FROM cases k WHERE k.object_id = o.id AND k.state <> 'closed'"
                                "  AND (?1 = 0 OR k.notified_at IS NOT NULL))"
                                " FROM object o JOIN org g ON g.id = o.org_id WHERE (?1 = 0 OR o.org_id = ?2) AND (?3 = '' OR o.id = ?3)"
                                " ORDER BY o.name, o.id",
                                "izt", scope_of(c->v).bounded, c->v->org_id, id.p ? id : STR(""));
    int rc = st ? 0 : -EIO;

    while (st && (rc = db_step(c->d, st, c->e)) > 0) {
        json_t *hosts = json_array(), *contacts = json_array();
        char key[ID_MAX + 1];

        snprintf(key, sizeof key, "%.*s", STR_ARG(db_str(st, 0)));
        json_array_append_new(items, json_pack("{s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:b, s:I, s:n}", "id", db_json(st, 0), "name", db_json(st, 1),
                                               "org", json_ref(db_str(st, 2), db_str(st, 3)), "criticality", db_json(st, 4), "contour",
                                               db_json(st, 5), "hosts", hosts, "contacts", contacts, "active", sqlite3_column_int(st, 6),
                                               "open_cases", (json_int_t)sqlite3_column_int64(st, 7), "last_event_at"));
        int inner = list_column(c, key, hosts, contacts);
        if (inner < 0) {
            db_done(st);
            return inner;
        }
    }
    return rc;
}

static int object_read(struct call *c, struct str id)
{
    json_t *items = json_array();
    int rc = id.n ? objects_select(c, id, items) : 0;

    if (rc == 0 && json_array_size(items) == 0)
        rc = refuse(c, -ENOENT, "not_found", NULL, "no such object");
    if (rc == 0)
        c->r->json = json_incref(json_array_get(items, 0));
    json_decref(items);
    return rc;
}

int desk_objects(struct desk *d, const struct viewer *v, struct desk_reply *r)
{
    struct call c;
    json_t *items = json_array();
    int rc;

    desk_call_init(&c, d, v, 0, r);
    rc = objects_select(&c, STR(""), items);
    r->json = json_pack("{s:o, s:n}", "items", items, "next");
    desk_call_free(&c);
    return refuse_rc(r, rc);
}

int desk_object(struct desk *d, const struct viewer *v, struct str id, struct desk_reply *r)
{
    struct call c;
    int rc;

    desk_call_init(&c, d, v, 0, r);
    rc = object_read(&c, id);
    desk_call_free(&c);
    return refuse_rc(r, rc);
}

int desk_visible_objects(struct desk *d, const struct viewer *v, json_t **ids, struct err *e)
{
    int rc = 0;

    if (!scope_of(v).bounded) {
        *ids = json_null();
        return 0;
    }
    *ids = json_array();
    sqlite3_stmt *st = db_query(d, e, "SELECT id FROM object WHERE org_id = ? ORDER BY id", "z", v->org_id);
    if (!st)
        rc = -EIO;
    while (st && (rc = db_step(d, st, e)) > 0)
        json_array_append_new(*ids, db_json(st, 0));
    if (rc < 0) {
        json_decref(*ids);
        *ids = NULL;
    }
    return rc;
}

static int object_write(struct call *c, struct str id, const json_t *body, bool create)
{
    char key[ID_MAX + 1], target[ID_MAX + 20];
    int rc;

    if (create) {
        rc = object_insert(c, (struct str){ NULL, 0 }, body, key);
        return rc < 0 ? rc : object_read(c, str_c(key));
    }
    snprintf(key, sizeof key, "%.*s", (int)min_size(id.n, ID_MAX), id.p);
    rc = org_known(c, json_get_str(body, "org_id"));
    if (rc == 0)
        rc = db_exec(c->d, c->e,
                     "UPDATE object SET name = ?2, org_id = ?3, criticality = ?4, contour = ?5, active = ?6, updated_at = ?7 WHERE id = ?1",
                     "zttttii", key, json_get_str(body, "name"), json_get_str(body, "org_id"), json_get_str(body, "criticality"),
                     json_get_str(body, "contour"), (int64_t)json_is_true(json_object_get(body, "active")), c->now);
    if (rc == 0)
        return refuse(c, -ENOENT, "not_found", NULL, "no such object");
    if (rc > 0)
        rc = object_parts(c, key, body);
    snprintf(target, sizeof target, "object/%s", key);
    if (rc == 0)
        rc = audit_add(c, "object.update", target, json_get_str(body, "name"), "ok");
    return rc < 0 ? rc : object_read(c, str_c(key));
}

/* registry_act - what the four writers share: role, body, transaction, export. */
static int registry_act(struct desk *d, const struct viewer *v, struct str id, const json_t *body, time_ns now, struct desk_reply *r,
                        bool object, bool create)
{
    struct call c;
    int rc;

    desk_call_init(&c, d, v, now, r);
    if (v->role != DESK_ADMINISTRATOR) {
        rc = refuse(&c, -EACCES, "forbidden", NULL, "the registry is changed by administrators");
        audit_refusal(&c, object ? "object.update" : "organisation.update", "registry");
    } else {
        rc = object ? body_check(body, object_fields, COUNT(object_fields), r->field, c.e)
                    : body_check(body, org_fields, COUNT(org_fields), r->field, c.e);
    }
    if (rc == 0)
        rc = db_begin(d, c.e);
    if (rc == 0)
        rc = db_end(d, object ? object_write(&c, id, body, create) : org_write(&c, id, body, create), c.e);
    if (rc == 0 && object)
        rc = objects_export(d, c.e) < 0 ? err_wrap(c.e, -EIO, "the change is kept, but ingest could not be told") : 0;
    desk_call_free(&c);
    return refuse_rc(r, rc);
}

int desk_object_create(struct desk *d, const struct viewer *v, const json_t *body, time_ns now, struct desk_reply *r)
{
    return registry_act(d, v, STR(""), body, now, r, true, true);
}

int desk_object_update(struct desk *d, const struct viewer *v, struct str id, const json_t *body, time_ns now, struct desk_reply *r)
{
    return registry_act(d, v, id, body, now, r, true, false);
}

int desk_organisation_create(struct desk *d, const struct viewer *v, const json_t *body, time_ns now, struct desk_reply *r)
{
    return registry_act(d, v, STR(""), body, now, r, false, true);
}

int desk_organisation_update(struct desk *d, const struct viewer *v, struct str id, const json_t *body, time_ns now, struct desk_reply *r)
{
    return registry_act(d, v, id, body, now, r, false, false);
}

int objects_export(struct desk *d, struct err *e)
{
    AUTO_BUF struct buf b = { 0 };
    char path[4096];
    int rc;

    buf_init(&b, 64 * MIB);
    sqlite3_stmt *st = db_query(d, e,
                                "SELECT h.host, h.object_id FROM object_host h JOIN object o ON o.id = h.object_id WHERE o.active = 1"
                                " ORDER BY h.host",
                                "");
    rc = st ? 0 : -EIO;
    while (st && (rc = db_step(d, st, e)) > 0) {
        buf_str(&b, db_str(st, 0));
        buf_byte(&b, '\t');
        buf_str(&b, db_str(st, 1));
        buf_byte(&b, '\n');
    }
    if (rc < 0)
        return rc;
    rc = file_mkdirs(node_path(d->setup.node, "run", path), 0750, e);
    return rc < 0 ? rc : file_write_atomic(node_path(d->setup.node, "run/objects.tsv", path), buf_view(&b), 0640, e);
}

int desk_objects_export(struct desk *d, struct err *e) { return objects_export(d, e); }
