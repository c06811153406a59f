/* reg.c - what requests write into the registry: states of objects, facts of the law, contacts. Always as versions of records, with the request as reason. */
#include "desk/requests/kind.h"
#include "desk/registry/registry.h"

static struct str reason_of(struct call *c, const struct req *q)
{
    return arena_printf(&c->a, "%.*s (%s)", STR_ARG(q->number), q->kind->name);
}

/* Where no row of 7.7 leads, the object stays where it stands: what people declare late or out of order is recorded all the same. */
int life_move(struct call *c, struct str object, struct str org, const char *state, time_ns at)
{
    struct err *told = c->e, hidden = { 0 };
    int rc;

    (void)org;
    c->e = &hidden;
    rc = object_move(c, object, state, at, STR(""));
    c->e = told;
    if (rc == -EPROTO) {
        c->r->code = NULL;
        c->r->field[0] = 0;
        return 0;
    }
    if (rc < 0)
        *told = hidden;
    return rc;
}

int registry_set(struct call *c, const struct req *q, json_t *changes)
{
    struct record r = { 0 };
    int rc = record_read(c, RECORD_OBJECT, q->object_id, 0, &r);
    json_t *value = rc == 0 ? json_deep_copy(r.value) : NULL;

    if (rc == 0) {
        json_object_update(value, changes);
        rc = record_put(c, &(struct record_write){ .kind = RECORD_OBJECT, .id = q->object_id, .value = value, .reason = reason_of(c, q),
                                                   .origin = c->v && role_of_owner(c->v->role) ? "owner" : "centre" }, NULL);
    }
    json_decref(value);
    json_decref(changes);
    record_done(&r);
    return rc < 0 ? rc : 0;
}

int annex1_snapshot(struct call *c, struct str object, json_t **out, json_t **missing, char sha256[65])
{
    int rc = annex1_json(c, object, 0, out);

    if (rc == 0)
        rc = annex1_missing(c, object, 0, missing);
    if (rc < 0)
        return rc;
    AUTO_FREE char *text = json_dumps(*out, JSON_COMPACT | JSON_SORT_KEYS);
    secret_sha256_hex(str_c(text ? text : ""), sha256);
    return 0;
}

/* person_value - the person that a request names, as the registry keeps people. */
static json_t *person_value(const struct req *q)
{
    struct str email = req_text(q, "person_email"), phone = req_text(q, "person_phone"), position = req_text(q, "person_position"),
               language = req_text(q, "person_language");
    json_t *channels = json_array();

    if (email.n)
        json_array_append_new(channels, json_pack("{s:s, s:o}", "kind", "email", "value", json_str(email)));
    if (phone.n)
        json_array_append_new(channels, json_pack("{s:s, s:o}", "kind", "phone", "value", json_str(phone)));
    return json_pack("{s:o, s:o, s:o, s:o, s:o, s:b}", "name", json_str(req_text(q, "person_name")), "position", position.n ? json_str(position) : json_null(),
                     "org_id", json_str(q->org_id), "language", language.n ? json_str(language) : json_string("kk"), "channels", channels, "active", 1);
}

/* contact_first - the object's first responsible person, or the contact whose check failed; {NULL,0} if there is none. */
static int contact_first(struct call *c, const struct req *q, struct str *id)
{
    struct str wanted = req_text(q, "contact_id");
    sqlite3_stmt *st = db_query(c->d, c->e,
                                "SELECT id FROM contact WHERE object_id = ?1 AND (?2 = '' OR id = ?2) AND role = 'responsible_person' ORDER BY position, id"
                                " LIMIT 1",
                                "tt", q->object_id, wanted.p ? wanted : STR(""));
    int rc = st ? db_step(c->d, st, c->e) : -EIO;

    *id = (struct str){ NULL, 0 };
    if (rc > 0) {
        *id = db_copy(st, 0, &c->a);
        db_done(st);
    }
    return rc < 0 ? rc : 0;
}

/* A new person takes the place of the one who stood there; the one before stays in the versions of the contact. */
int registry_contact(struct call *c, const struct req *q)
{
    struct str reason = reason_of(c, q), contact, parent = arena_printf(&c->a, "object/%.*s", STR_ARG(q->object_id));
    char person[ID_MAX + 1];
    json_t *value = person_value(q);
    struct record r = { 0 };
    int rc = record_put(c, &(struct record_write){ .kind = RECORD_PERSON, .value = value, .reason = reason, .origin = "owner" }, person);

    json_decref(value);
    if (rc >= 0)
        rc = contact_first(c, q, &contact);
    if (rc >= 0 && contact.n)
        rc = record_read(c, RECORD_CONTACT, contact, 0, &r);
    if (rc < 0)
        return rc;
    value = r.value ? json_deep_copy(r.value) : json_pack("{s:s, s:i}", "role", "responsible_person", "order", 0);
    json_object_set_new(value, "person_id", json_string(person));
    rc = record_put(c, &(struct record_write){ .kind = RECORD_CONTACT, .id = contact, .parent = parent, .value = value, .reason = reason, .origin = "owner" },
                    NULL);
    json_decref(value);
    record_done(&r);
    return rc < 0 ? rc : 0;
}

int registry_components(struct call *c, struct str object, json_t **out)
{
    return record_children(c, RECORD_COMPONENT, arena_printf(&c->a, "object/%.*s", STR_ARG(object)), 0, out);
}

int registry_is_ego(struct call *c, struct str object)
{
    struct object_view o;
    int rc = object_look(c, (struct scope){ 0, "" }, object, &o);

    return rc < 0 ? rc : o.regime != REGIME_C && o.regime != REGIME_N3;
}
