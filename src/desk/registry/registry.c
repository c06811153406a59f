/* registry.c - the registry as the first API showed it: an organisation with one kind, an object with hosts and contacts. These are adapters over the
 * records; what they do not know of a record they leave as it is. And run/objects.tsv, by which ingest knows the objects. */
#include "desk/registry/room.h"
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

/* known_only - the properties of in that are fields of the kind. */
static json_t *known_only(enum record_kind k, const json_t *base, const json_t *in)
{
    size_t count;
    const struct body_field *fields = record_fields(k, &count);
    json_t *out = base ? json_deep_copy(base) : json_object();

    for (size_t i = 0; i < count; i++) {
        json_t *v = json_object_get(in, fields[i].name);

        if (v)
            json_object_set(out, fields[i].name, v);
    }
    return out;
}

static const char *origin_of(const struct call *c) { return !c->v ? "system" : role_of_owner(c->v->role) ? "owner" : "centre"; }

static int put(struct call *c, enum record_kind k, struct str id, struct str parent, json_t *value, char out_id[ID_MAX + 1])
{
    struct record_write w = { .kind = k, .id = id, .parent = parent, .value = value, .origin = origin_of(c) };
    int rc = record_put(c, &w, out_id);

    json_decref(value);
    return rc < 0 ? rc : 0;
}

/* --- organisations --- */

/* kinds_set - a kind it has already stays among the others; a new one is the only one. */
static void kinds_set(json_t *value, struct str kind)
{
    json_t *kinds = json_object_get(value, "kinds"), *one;
    size_t i;

    json_array_foreach(kinds, i, one)
        if (str_eq(kind, str_c(json_string_value(one))))
            return;
    json_object_set_new(value, "kinds", json_pack("[o]", json_str(kind)));
}

int org_insert(struct call *c, struct str id, const json_t *in, char out_id[ID_MAX + 1])
{
    json_t *value = known_only(RECORD_ORGANISATION, NULL, in);

    if (json_get_str(in, "kind").n)
        kinds_set(value, json_get_str(in, "kind"));
    return put(c, RECORD_ORGANISATION, id, (struct str){ NULL, 0 }, value, out_id);
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
    sqlite3_stmt *st = db_query(d, c.e, "SELECT g.id, g.name, g.kind, g.bin, g.email FROM org g WHERE " ORG_REACHED " ORDER BY g.name, g.id", "iz",
                                scope_of(v).bounded, scope_of(v).org);
    rc = st ? 0 : -EIO;
    while (st && (rc = db_step(d, st, c.e)) > 0)
        json_array_append_new(items, org_json(st));
    r->json = json_pack("{s:o, s:n}", "items", items, "next");
    desk_call_free(&c);
    return refuse_rc(r, rc);
}

static int org_write(struct call *c, struct str id, const json_t *body, bool create)
{
    char key[ID_MAX + 1];
    struct record old;
    int rc;

    if (create) {
        rc = org_insert(c, (struct str){ NULL, 0 }, body, key);
        return rc < 0 ? rc : org_read(c, key);
    }
    rc = record_read(c, RECORD_ORGANISATION, id, 0, &old);
    if (rc < 0)
        return rc;
    json_t *value = known_only(RECORD_ORGANISATION, old.value, body);
    kinds_set(value, json_get_str(body, "kind"));
    record_done(&old);
    rc = put(c, RECORD_ORGANISATION, id, (struct str){ NULL, 0 }, value, key);
    return rc < 0 ? rc : org_read(c, key);
}

/* --- cases of an object --- */

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

/* cases_adopt - open cases of a host that belonged to nobody go to its object, so that they can be notified. */
int cases_adopt(struct call *c, const char *id)
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

/* --- objects --- */

/* channel_set - the first channel of a kind becomes value; the others stay. */
static void channel_set(json_t *channels, const char *kind, struct str value)
{
    json_t *one;
    size_t i;

    json_array_foreach(channels, i, one)
        if (str_eq(json_get_str(one, "kind"), str_c(kind))) {
            if (value.n)
                json_object_set_new(one, "value", json_str(value));
            else
                json_array_remove(channels, i);
            return;
        }
    if (value.n)
        json_array_append_new(channels, json_pack("{s:s, s:o}", "kind", kind, "value", json_str(value)));
}

static int person_put(struct call *c, struct str id, const json_t *in, struct str org, char out_id[ID_MAX + 1])
{
    struct record old = { 0 };
    json_t *value, *channels;
    int rc = id.n ? record_read(c, RECORD_PERSON, id, 0, &old) : 0;

    if (rc < 0)
        return rc;
    value = old.value ? json_deep_copy(old.value) : json_pack("{s:o, s:b, s:o}", "org_id", json_str(org), "active", 1, "channels", json_array());
    record_done(&old);
    json_object_set(value, "name", json_object_get(in, "name"));
    json_object_set(value, "language", json_object_get(in, "language"));
    channels = json_object_get(value, "channels");
    channel_set(channels, "email", json_get_str(in, "email"));
    channel_set(channels, "phone", json_get_str(in, "phone"));
    if (json_object_get(in, "hours"))
        json_object_set(value, "hours", json_object_get(in, "hours"));
    return put(c, RECORD_PERSON, id, (struct str){ NULL, 0 }, value, out_id);
}

/* contacts_replace - those of the same name stay the same people; who is not named any more is no contact any more. */
static int contacts_replace(struct call *c, const char *id, const json_t *contacts, const json_t *object)
{
    struct str parent = arena_printf(&c->a, "object/%s", id);
    json_t *list, *one, *in;
    size_t i, k;
    int rc = record_children(c, RECORD_CONTACT, parent, 0, &list);

    json_array_foreach((json_t *)(uintptr_t)contacts, i, in) {
        struct str contact = { NULL, 0 }, person = { NULL, 0 }, kind = json_get_str(in, "kind");
        struct str org = json_get_str(object, str_eq(kind, STR("ocib")) ? "ocib_id" : "org_id");
        char person_id[ID_MAX + 1], contact_id[ID_MAX + 1];

        json_array_foreach(list, k, one) {
            struct record p = { 0 };

            if (rc < 0 || contact.n)
                break;
            rc = record_read(c, RECORD_PERSON, json_get_str(json_object_get(one, "value"), "person_id"), 0, &p);
            if (rc == 0 && str_eq(json_get_str(p.value, "name"), json_get_str(in, "name"))) {
                contact = arena_copy(&c->a, json_get_str(one, "id"));
                person = p.id;
                json_array_remove(list, k);
            }
            record_done(&p);
        }
        if (rc == 0)
            rc = person_put(c, person, in, org, person_id);
        if (rc == 0)
            rc = put(c, RECORD_CONTACT, contact, parent, json_pack("{s:s, s:o, s:i}", "person_id", person_id, "role", json_str(kind), "order", (int)i),
                     contact_id);
        if (rc < 0)
            break;
    }
    json_array_foreach(list, k, one)
        if (rc == 0)
            rc = record_remove(c, RECORD_CONTACT, json_get_str(one, "id"), 0, STR(""), origin_of(c));
    json_decref(list);
    return rc;
}

int contact_responsible_set(struct call *c, struct str object_id, const json_t *person, struct str reason)
{
    struct record_write w = { .kind = RECORD_CONTACT, .parent = arena_printf(&c->a, "object/%.*s", STR_ARG(object_id)), .reason = reason,
                              .origin = origin_of(c) };
    struct record object = { 0 }, old = { 0 };
    struct str same = { NULL, 0 };
    char person_id[ID_MAX + 1];
    sqlite3_stmt *st = db_query(c->d, c->e,
                                "SELECT k.id, k.person_id, p.name FROM contact k JOIN person p ON p.id = k.person_id WHERE k.object_id = ?1 AND k.role ="
                                " 'responsible_person' ORDER BY k.position, k.id LIMIT 1",
                                "t", object_id);
    int rc = st ? db_step(c->d, st, c->e) : -EIO;

    if (rc > 0) {
        w.id = db_copy(st, 0, &c->a);
        if (str_eq(db_str(st, 2), json_get_str(person, "name")))
            same = db_copy(st, 1, &c->a);
        db_done(st);
    }
    if (rc >= 0)
        rc = record_read(c, RECORD_OBJECT, object_id, 0, &object);
    if (rc == 0)
        rc = person_put(c, same, person, json_get_str(object.value, json_get_str(object.value, "possessor_id").n ? "possessor_id" : "org_id"), person_id);
    if (rc == 0 && w.id.n)
        rc = record_read(c, RECORD_CONTACT, w.id, 0, &old);
    if (rc == 0) {
        json_t *value = old.value ? json_deep_copy(old.value) : json_pack("{s:s, s:i}", "role", "responsible_person", "order", 0);

        json_object_set_new(value, "person_id", json_string(person_id));
        w.value = value;
        rc = record_put(c, &w, NULL);
        json_decref(value);
    }
    record_done(&object);
    record_done(&old);
    return rc < 0 ? rc : 0;
}

int object_insert(struct call *c, struct str id, const json_t *in, char out_id[ID_MAX + 1])
{
    json_t *value = known_only(RECORD_OBJECT, NULL, in);

    if (!json_object_get(value, "is_ego"))
        json_object_set_new(value, "is_ego", json_true());
    int rc = put(c, RECORD_OBJECT, id, (struct str){ NULL, 0 }, value, out_id);
    return rc < 0 ? rc : contacts_replace(c, out_id, json_object_get(in, "contacts"), in);
}

static int hosts_of(struct call *c, const char *id, json_t *hosts)
{
    sqlite3_stmt *st = db_query(c->d, c->e, "SELECT host FROM object_host WHERE object_id = ? ORDER BY position", "z", id);
    int rc = st ? 0 : -EIO;

    while (st && (rc = db_step(c->d, st, c->e)) > 0)
        json_array_append_new(hosts, db_json(st, 0));
    return rc;
}

static int contacts_of(struct call *c, const char *id, json_t *contacts)
{
    sqlite3_stmt *st = db_query(c->d, c->e, "SELECT kind, name, email, phone, language FROM object_contact WHERE object_id = ? ORDER BY position", "z",
                                id);
    int rc = st ? 0 : -EIO;

    while (st && (rc = db_step(c->d, st, c->e)) > 0)
        json_array_append_new(contacts, json_pack("{s:o, s:o, s:o, s:o, s:o}", "kind", db_json(st, 0), "name", db_json(st, 1), "email",
                                                  db_json(st, 2), "phone", db_json(st, 3), "language", db_json(st, 4)));
    return rc;
}

/* objects_select - those a viewer may see; id empty: all of them, and then without contacts, for those are data of persons. */
static int objects_select(struct call *c, struct str id, int limit, struct str before, json_t *items)
{
    sqlite3_stmt *st = db_query(c->d, c->e,
                                "SELECT o.id, o.name, o.org_id, g.name, o.criticality, o.contour, o.active,"
                                " " CASES_COUNTED("?6")
                                " FROM object o JOIN org g ON g.id = o.org_id WHERE " SCOPE_OBJECTS " AND (?3 = '' OR o.id = ?3)"
                                " AND (?4 = '' OR (o.sort, o.id) > (SELECT o.sort, o.id FROM object o WHERE o.id = ?4 AND " SCOPE_OBJECT ")) ORDER BY o.sort, o.id LIMIT ?5",
                                "izttii", scope_of(c->v).bounded, scope_of(c->v).org, id.p ? id : STR(""), before.p ? before : STR(""),
                                (int64_t)limit, viewer_id(c));
    int rc = st ? 0 : -EIO;

    while (st && (rc = db_step(c->d, st, c->e)) > 0) {
        json_t *hosts = json_array(), *contacts = json_array();
        char key[ID_MAX + 1];

        snprintf(key, sizeof key, "%.*s", STR_ARG(db_str(st, 0)));
        json_array_append_new(items, json_pack("{s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:b, s:I, s:n}", "id", db_json(st, 0), "name", db_json(st, 1),
                                               "org", json_ref(db_str(st, 2), db_str(st, 3)), "criticality", db_json(st, 4), "contour",
                                               db_json(st, 5), "hosts", hosts, "contacts", contacts, "active", sqlite3_column_int(st, 6),
                                               "open_cases", (json_int_t)sqlite3_column_int64(st, 7), "last_event_at"));
        int inner = hosts_of(c, key, hosts);
        if (inner >= 0 && id.n)
            inner = contacts_of(c, key, contacts);
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
    int rc = id.n ? objects_select(c, id, 1, STR(""), items) : 0;

    if (rc == 0 && json_array_size(items) == 0)
        rc = refuse(c, -ENOENT, "not_found", NULL, "no such object");
    if (rc == 0)
        c->r->json = json_incref(json_array_get(items, 0));
    json_decref(items);
    return rc;
}

int desk_objects(struct desk *d, const struct viewer *v, int limit, struct str before, struct desk_reply *r)
{
    struct call c;
    json_t *items = json_array(), *next = NULL;
    int rc, most = page_limit(limit);

    desk_call_init(&c, d, v, 0, r);
    rc = objects_select(&c, STR(""), most + 1, before, items);
    if (rc == 0 && json_array_size(items) > (size_t)most) {
        json_array_remove(items, (size_t)most);
        next = json_incref(json_object_get(json_array_get(items, (size_t)most - 1), "id"));
    }
    r->json = json_pack("{s:o, s:o}", "items", items, "next", next ? next : json_null());
    desk_call_free(&c);
    return refuse_rc(r, rc);
}

int desk_object(struct desk *d, const struct viewer *v, struct str id, time_ns now, struct desk_reply *r)
{
    struct call c;
    int rc;

    desk_call_init(&c, d, v, now, r);
    rc = object_read(&c, id);
    if (rc == 0 && json_array_size(json_object_get(r->json, "contacts")))
        rc = personal_read(&c, arena_printf(&c.a, "object/%.*s", STR_ARG(id)).p);
    if (rc < 0) {
        json_decref(r->json);
        r->json = NULL;
    }
    desk_call_free(&c);
    return refuse_rc(r, rc);
}

int desk_object_names(struct desk *d, const struct viewer *v, json_t **names, struct err *e)
{
    struct scope s = scope_of(v);
    sqlite3_stmt *st = db_query(d, e, "SELECT o.id, o.name FROM object o WHERE " SCOPE_OBJECTS, "iz", s.bounded, s.org);
    int rc = st ? 0 : -EIO;

    *names = json_object();
    while (st && (rc = db_step(d, st, e)) > 0)
        json_object_setn_new(*names, db_str(st, 0).p, db_str(st, 0).n, db_json(st, 1));
    if (rc < 0) {
        json_decref(*names);
        *names = NULL;
    }
    return rc;
}

int desk_visible_objects(struct desk *d, const struct viewer *v, json_t **ids, struct err *e)
{
    int rc = 0;

    if (!scope_of(v).bounded) {
        *ids = json_null();
        return 0;
    }
    *ids = json_array();
    sqlite3_stmt *st = db_query(d, e, "SELECT o.id FROM object o WHERE " SCOPE_OBJECTS " ORDER BY o.id", "iz", scope_of(v).bounded,
                                scope_of(v).org);
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
    char key[ID_MAX + 1];
    struct record old;
    int rc;

    if (create) {
        rc = object_insert(c, (struct str){ NULL, 0 }, body, key);
        return rc < 0 ? rc : object_read(c, str_c(key));
    }
    rc = record_read(c, RECORD_OBJECT, id, 0, &old);
    if (rc < 0)
        return rc;
    json_t *value = known_only(RECORD_OBJECT, old.value, body);
    record_done(&old);
    rc = put(c, RECORD_OBJECT, id, (struct str){ NULL, 0 }, value, key);
    if (rc == 0)
        rc = contacts_replace(c, key, json_object_get(body, "contacts"), body);
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
