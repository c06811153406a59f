/* parts.c - a record of the registry as it travels: an object, a component or a contact of it, the data of the organisation itself. One form for all:
 * which record it is there, the fields that mean something here, or that it is gone.
 *
 * Properties that name records of one desk (…_id) do not travel. A contact carries its person in fields that begin with person_: whoever takes it over
 * gets the same person with new data if the name is the same, else another one. */
#include "desk/link/parts.h"
#include "desk/link/room.h"

static const char *const person_fields[] = { "name", "position", "language", "channels", "hours" };
#define PERSON STR("person_")

enum record_kind part_kind(const json_t *part)
{
    enum record_kind k = record_kind_parse(json_get_str(part, "kind"));

    return k == RECORD_OBJECT || k == RECORD_COMPONENT || k == RECORD_CONTACT || k == RECORD_ORGANISATION ? k : RECORD_KIND_COUNT;
}

/* What an organisation is decides what its people may do: that is never told by its own node. */
static bool travels(enum record_kind k, const char *field)
{
    struct str f = str_c(field);

    if (k == RECORD_ORGANISATION && (str_eq(f, STR("kinds")) || str_eq(f, STR("active"))))
        return false;
    return !str_ends(f, STR("_id")) && !str_ends(f, STR("_ids"));
}

/* decimal_out - a number with a fraction has no canonical form: it travels as its text. decimal_in - and back. */
static json_t *decimal_out(json_t *v)
{
    char text[40];

    if (!json_is_real(v))
        return json_incref(v);
    snprintf(text, sizeof text, "%.15g", json_real_value(v));
    return json_pack("{s:s}", "decimal", text);
}

static json_t *decimal_in(json_t *v)
{
    const char *text = json_object_size(v) == 1 ? json_string_value(json_object_get(v, "decimal")) : NULL;
    char *end = NULL;
    double d = text ? strtod(text, &end) : 0;

    return text && *text && !*end && strlen(text) < 40 && d >= 0 && d < 1e15 ? json_real(d) : json_incref(v);
}

/* --- going out --- */

static int person_out(struct call *c, struct str id, json_t *out, int64_t *version)
{
    struct record person;
    int rc = record_read(c, RECORD_PERSON, id, 0, &person);

    if (rc < 0)
        return rc;
    for (size_t i = 0; i < COUNT(person_fields); i++) {
        json_t *v = json_object_get(person.value, person_fields[i]);

        if (v && !json_is_null(v))
            json_object_set(out, arena_printf(&c->a, "person_%s", person_fields[i]).p, v);
    }
    *version = person.version;
    record_done(&person);
    return 0;
}

/* fields_out - of a value that stands here; person (may be NULL) gets the version of a contact's person. */
static int fields_out(struct call *c, enum record_kind k, const json_t *value, json_t **out, int64_t *person)
{
    int64_t ignored;
    const char *key;
    json_t *v;

    *out = json_object();
    json_object_foreach((json_t *)(uintptr_t)value, key, v)
        if (travels(k, key) && !json_is_null(v))
            json_object_set_new(*out, key, decimal_out(v));
    return k == RECORD_CONTACT ? person_out(c, json_get_str(value, "person_id"), *out, person ? person : &ignored) : 0;
}

int part_told(struct call *c, struct str node, enum record_kind k, struct str id, int64_t version)
{
    int rc = db_exec(c->d, c->e, "INSERT INTO link_told(node, kind, id, version) VALUES (?1,?2,?3,?4) ON CONFLICT DO UPDATE SET version = max(version, ?4)", "tzti",
                     node, record_kind_name(k), id, version);

    return rc < 0 ? rc : 0;
}

int part_out(struct call *c, struct str node, enum record_kind k, struct str id, json_t **out)
{
    struct record r = { 0 };
    json_t *fields = NULL;
    int64_t person = 0;
    int rc = record_read(c, k, id, 0, &r);

    *out = NULL;
    if (rc == 0)
        rc = r.removed ? 0 : fields_out(c, k, r.value, &fields, &person);
    if (rc == 0)
        rc = part_told(c, node, k, id, r.version);
    if (rc == 0 && person)
        rc = part_told(c, node, RECORD_PERSON, json_get_str(r.value, "person_id"), person);
    if (rc == 0 && k == RECORD_CONTACT)     /* people's data leave this desk */
        rc = audit_add(c, "personal.read", arena_printf(&c->a, "contact/%.*s", STR_ARG(id)).p, arena_printf(&c->a, "node/%.*s", STR_ARG(node)), "ok");
    if (rc == 0)
        *out = json_pack("{s:s, s:o, s:b, s:O}", "kind", record_kind_name(k), "id", json_str(id), "removed", r.removed, "changes", fields ? fields : json_null());
    if (rc == 0 && r.removed)
        json_object_set_new(*out, "changes", json_object());
    json_decref(fields);
    record_done(&r);
    return rc;
}

/* --- coming in --- */

bool parts_valid(const json_t *parts)
{
    json_t *one;
    size_t i;

    if (!json_is_array(parts) || json_array_size(parts) > LINK_PARTS_MAX)
        return false;
    json_array_foreach((json_t *)(uintptr_t)parts, i, one) {
        struct str id = json_get_str(one, "id");

        if (part_kind(one) == RECORD_KIND_COUNT || !id.n || id.n > ID_MAX || !json_is_boolean(json_object_get(one, "removed")) ||
            !json_is_object(json_object_get(one, "changes")))
            return false;
    }
    return true;
}

struct str part_parent(struct call *c, const struct part_place *at)
{
    if (at->object.n)
        return arena_printf(&c->a, "object/%.*s", STR_ARG(at->object));
    return at->of_object ? (struct str){ NULL, 0 } : arena_printf(&c->a, "organisation/%.*s", STR_ARG(at->org));
}

/* id_here - under which it would stand here: what was agreed before, else the same id. */
static int id_here(struct call *c, const struct part_place *at, enum record_kind k, struct str theirs, struct str *out)
{
    sqlite3_stmt *st;
    int rc;

    *out = k == RECORD_OBJECT ? at->object : k == RECORD_ORGANISATION ? at->org : theirs;
    if (k == RECORD_OBJECT || k == RECORD_ORGANISATION)
        return 0;
    st = db_query(c->d, c->e, "SELECT id FROM link_record WHERE node = ?1 AND kind = ?2 AND their_id = ?3", "tzt", at->node, record_kind_name(k), theirs);
    rc = st ? db_step(c->d, st, c->e) : -EIO;
    if (rc > 0) {
        *out = db_copy(st, 0, &c->a);
        db_done(st);
    }
    return rc < 0 ? rc : 0;
}

/* part_here - our record that a part is about; 0: there is none. Of a component or contact it must stand where the message says. */
static int part_here(struct call *c, const struct part_place *at, const json_t *part, struct record *out)
{
    enum record_kind k = part_kind(part);
    struct str id, parent = part_parent(c, at);
    int64_t there = 0;
    int rc = id_here(c, at, k, json_get_str(part, "id"), &id);

    *out = (struct record){ 0 };
    if (rc == 0 && id.n)
        rc = db_int(c->d, c->e, 0, &there, "SELECT count(*) FROM record WHERE kind = ?1 AND id = ?2 AND removed = 0 AND (kind IN ('object', 'organisation') OR parent = ?3)",
                    "ztt", record_kind_name(k), id, parent);
    if (rc < 0 || !there)
        return rc;
    rc = record_read(c, k, id, 0, out);
    return rc < 0 ? rc : 1;
}

static void one_difference(json_t *out, const json_t *part, struct str name, const char *field, json_t *from, json_t *to)
{
    json_array_append_new(out, json_pack("{s:O, s:O, s:o, s:s, s:O?, s:O}", "kind", json_object_get(part, "kind"), "id", json_object_get(part, "id"), "name",
                                         name.n ? json_str(name) : json_null(), "field", field, "from", from, "to", to));
}

int part_differences(struct call *c, const struct part_place *at, const json_t *part, json_t *out)
{
    const json_t *changes = json_object_get(part, "changes");
    struct record here;
    json_t *was = NULL, *v, *no = json_false(), *yes = json_true();
    const char *key;
    int rc = part_here(c, at, part, &here), known = rc;

    if (rc > 0)
        rc = fields_out(c, part_kind(part), here.value, &was, NULL);
    struct str name = json_get_str(was, part_kind(part) == RECORD_CONTACT ? "person_name" : "name");
    name = arena_copy(&c->a, name.n ? name : json_get_str(changes, part_kind(part) == RECORD_CONTACT ? "person_name" : "name"));
    if (rc == 0 && json_is_true(json_object_get(part, "removed")) && known > 0)
        one_difference(out, part, name, "removed", no, yes);
    json_object_foreach((json_t *)(uintptr_t)changes, key, v)
        if (rc == 0 && !(json_object_get(was, key) && json_equal(json_object_get(was, key), v))) {
            json_t *from = json_object_get(was, key) ? decimal_in(json_object_get(was, key)) : NULL, *to = decimal_in(v);

            one_difference(out, part, name, key, from, to);
            json_decref(from);
            json_decref(to);
        }
    json_decref(was);
    record_done(&here);
    return rc < 0 ? rc : 0;
}

/* --- taking over --- */

/* merge - what is proposed laid over what stands here; an owner's people may take over only what is theirs to change. */
static int merge(struct call *c, enum record_kind k, json_t *value, const json_t *changes, bool whole)
{
    const char *key;
    json_t *v;

    json_object_foreach((json_t *)(uintptr_t)changes, key, v) {
        json_t *to = decimal_in(v);
        bool same = !travels(k, key) || (k == RECORD_CONTACT && str_starts(str_c(key), PERSON)) || json_equal(json_object_get(value, key), to);

        if (same || (!whole && !record_owner_field(k, key)))
            json_decref(to);
        if (same)
            continue;
        if (!whole && !record_owner_field(k, key))
            return refuse(c, -EACCES, "forbidden", NULL, "\"%s\" is changed by the centre", key);
        json_object_set_new(value, key, to);
    }
    return 0;
}

/* person_like - the person of their organisation with this name; {NULL,0}: a new one. */
static int person_like(struct call *c, const struct part_place *at, struct str name, struct str *id)
{
    sqlite3_stmt *st = db_query(c->d, c->e, "SELECT id FROM person WHERE org_id = ?1 AND name = ?2 AND active = 1 ORDER BY id LIMIT 1", "tt", at->org, name);
    int rc = st ? db_step(c->d, st, c->e) : -EIO;

    *id = (struct str){ NULL, 0 };
    if (rc > 0) {
        *id = db_copy(st, 0, &c->a);
        db_done(st);
    }
    return rc < 0 ? rc : 0;
}

static int person_write(struct call *c, const struct part_place *at, struct str id, const json_t *changes, struct str reason, char out[REGISTRY_ID_TEXT])
{
    struct record old = { 0 };
    bool whole;
    json_t *value = NULL;
    int rc = registry_may_write(c, RECORD_PERSON, id, (struct str){ NULL, 0 }, &whole);

    if (rc == 0 && id.n)
        rc = record_read(c, RECORD_PERSON, id, 0, &old);
    if (rc == 0)
        value = old.value ? json_deep_copy(old.value) : json_pack("{s:o, s:b}", "org_id", json_str(at->org), "active", 1);
    for (size_t i = 0; rc == 0 && i < COUNT(person_fields); i++) {
        json_t *v = json_object_get(changes, arena_printf(&c->a, "person_%s", person_fields[i]).p);

        if (v)
            json_object_set(value, person_fields[i], v);
    }
    if (rc == 0)
        rc = record_put(c, &(struct record_write){ .kind = RECORD_PERSON, .id = id, .version = old.version, .value = value, .reason = reason, .origin = "peer",
                                                   .field = "changes.person_" }, out);
    if (rc >= 0)
        rc = part_told(c, at->node, RECORD_PERSON, str_c(out), old.version + (rc > 0));
    json_decref(value);
    record_done(&old);
    return rc < 0 ? rc : 0;
}

/* contact_person - value gets the id of the person that the changes speak of: the one that stands there, if the name is the same. */
static int contact_person(struct call *c, const struct part_place *at, json_t *value, const json_t *changes, struct str reason)
{
    struct str name = json_get_str(changes, "person_name"), id = json_get_str(value, "person_id");
    char out[REGISTRY_ID_TEXT];
    struct record old;
    bool same = false;
    int rc = 0;

    if (!name.n)
        return 0;
    if (id.n) {
        rc = record_read(c, RECORD_PERSON, id, 0, &old);
        same = rc == 0 && str_eq(json_get_str(old.value, "name"), name);
        if (rc == 0)
            record_done(&old);
    }
    if (rc == 0 && !same)
        rc = person_like(c, at, name, &id);
    if (rc == 0)
        rc = person_write(c, at, id, changes, reason, out);
    if (rc == 0)
        json_object_set_new(value, "person_id", json_string(out));
    return rc;
}

static int part_put(struct call *c, const struct part_place *at, const json_t *part, struct record *here, struct str reason)
{
    enum record_kind k = part_kind(part);
    const json_t *changes = json_object_get(part, "changes");
    struct str parent = part_parent(c, at), theirs = json_get_str(part, "id");
    json_t *value = here->value ? json_deep_copy(here->value) : json_object();
    char id[REGISTRY_ID_TEXT] = "";
    bool whole = false;
    int rc = value ? registry_may_write(c, k, here->value ? here->id : (struct str){ NULL, 0 }, parent, &whole) : err_set(c->e, -ENOMEM, "no memory for a record");

    if (rc == 0 && k == RECORD_CONTACT)
        rc = contact_person(c, at, value, changes, reason);
    if (rc == 0)
        rc = merge(c, k, value, changes, whole);
    if (rc == 0)
        rc = record_put(c, &(struct record_write){ .kind = k, .id = here->value ? here->id : (struct str){ NULL, 0 }, .parent = parent, .version = here->version,
                                                   .value = value, .reason = reason, .origin = "peer", .field = "changes." }, id);
    json_decref(value);
    /* Both sides have it now: what changes later is told of by itself, this is not told back. */
    if (rc >= 0)
        rc = part_told(c, at->node, k, str_c(id), here->version + (rc > 0));
    if (rc >= 0 && !str_eq(theirs, str_c(id)))
        rc = db_exec(c->d, c->e, "INSERT OR REPLACE INTO link_record(node, kind, their_id, id) VALUES (?,?,?,?)", "tztz", at->node, record_kind_name(k), theirs, id);
    return rc < 0 ? rc : 0;
}

int part_accept(struct call *c, const struct part_place *at, const json_t *part, struct str reason)
{
    enum record_kind k = part_kind(part);
    struct record here;
    bool whole;
    int rc = part_here(c, at, part, &here), known = rc;

    if (rc < 0)
        return rc;
    if ((k == RECORD_OBJECT && !known) || (k != RECORD_ORGANISATION && at->of_object && !at->object.n))
        rc = refuse(c, -EINVAL, "bad_request", "object_id", "say which object of this desk is meant");
    else if (!json_is_true(json_object_get(part, "removed")))
        rc = part_put(c, at, part, &here, reason);
    else if (known) {
        rc = registry_may_write(c, k, here.id, (struct str){ NULL, 0 }, &whole);
        if (rc == 0)
            rc = record_remove(c, k, here.id, here.version, reason, "peer");
        if (rc == 0)
            rc = part_told(c, at->node, k, here.id, here.version + 1);
    }
    record_done(&here);
    return rc < 0 ? rc : 0;
}
