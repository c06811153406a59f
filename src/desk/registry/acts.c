/* acts.c - what people change in the registry through the API: the right, the body, one transaction, the answer. */
#include "desk/registry/room.h"

/* body_read - {version, reason, value} of an act on a record of this kind. */
static int body_read(struct call *c, enum record_kind k, const json_t *body, bool change)
{
    struct body_field fields[] = {
        { "version", BODY_COUNT, change, false, 0, 0, NULL },
        { "reason", BODY_STRING, change, false, change, REGISTRY_REASON_MAX, NULL },
        { "value", BODY_PART, true, false, 0, 0, NULL, NULL, 0 },
    };
    int rc;

    fields[2].of = record_fields(k, &fields[2].of_count);
    rc = body_check(body, fields, COUNT(fields), c->r->field, c->e);
    if (rc < 0)
        c->r->code = "bad_request";
    return rc;
}

/* own_merge - what an owner's people sent, laid over what stands: they change their fields, the others must be as they are. */
static int own_merge(struct call *c, enum record_kind k, struct str id, const json_t *value, json_t **out)
{
    struct record old;
    const char *key;
    json_t *v;
    int rc = record_read(c, k, id, 0, &old);

    if (rc < 0)
        return rc;
    *out = value_whole(k, old.value);
    record_done(&old);
    json_object_foreach((json_t *)(uintptr_t)value, key, v) {
        json_t *one = json_pack("{s:O}", key, v), *whole = value_whole(k, one);
        char field[DESK_FIELD_MAX];

        snprintf(field, sizeof field, "value.%.80s", key);
        if (record_owner_field(k, key))
            json_object_set(*out, key, json_object_get(whole, key));
        else if (!json_equal(json_object_get(*out, key), json_object_get(whole, key)))
            rc = refuse(c, -EACCES, "forbidden", field, "\"%s\" is changed by the centre", key);
        json_decref(one);
        json_decref(whole);
        if (rc < 0)
            break;
    }
    return rc;
}

/* own_person - an owner's people register people of their own organisation, and give out nobody's account. */
static int own_person(struct call *c, json_t *value)
{
    struct str org = json_get_str(value, "org_id");

    if (json_is_string(json_object_get(value, "user_id")))
        return refuse(c, -EACCES, "forbidden", "value.user_id", "the centre says which account is whose");
    if (!org.n)
        json_object_set_new(value, "org_id", json_string(c->v->org_id));
    else if (!str_eq(org, str_c(c->v->org_id)))
        return refuse(c, -EACCES, "forbidden", "value.org_id", "a person of another organisation");
    return 0;
}

/* own_contact - and make contacts of people that they can see. */
static int own_contact(struct call *c, const json_t *value)
{
    int rc = record_seen(c, RECORD_PERSON, json_get_str(value, "person_id"));

    return rc == -ENOENT ? refuse(c, -EINVAL, "bad_request", "value.person_id", "there is no such person") : rc;
}

static int prepare(struct call *c, enum record_kind k, struct str id, const json_t *body, bool whole, json_t **value)
{
    const json_t *given = json_object_get(body, "value");

    if (whole || k == RECORD_PERSON || k == RECORD_COMPONENT || k == RECORD_CONTACT)
        *value = json_deep_copy(given);
    else
        return own_merge(c, k, id, given, value);
    if (!whole && k == RECORD_PERSON)
        return own_person(c, *value);
    return !whole && k == RECORD_CONTACT ? own_contact(c, *value) : 0;
}

static int written(struct call *c, enum record_kind k, struct str id, struct str parent, const json_t *body, bool whole)
{
    struct record_write w = { .kind = k, .id = id, .parent = parent, .reason = json_get_str(body, "reason"), .origin = whole ? "centre" : "owner",
                              .field = "value." };
    char made[ID_MAX + 1] = "";
    json_t *value = NULL;
    int rc = prepare(c, k, id, body, whole, &value);

    w.version = json_integer_value(json_object_get(body, "version"));
    w.value = value;
    if (rc == 0)
        rc = record_put(c, &w, made);
    json_decref(value);
    return rc < 0 ? rc : record_answer(c, k, str_c(made), 0, &c->r->json);
}

static void refused(struct call *c, int rc, enum record_kind k, struct str id)
{
    struct str target = arena_printf(&c->a, "%s/%.*s", record_kind_name(k), STR_ARG(id));

    if (rc == -EACCES)
        audit_refusal(c, "registry.change", target.p);
}

static int write_act(struct desk *d, const struct viewer *v, enum record_kind k, struct str id, struct str parent, const json_t *body, time_ns now,
                     struct desk_reply *r)
{
    struct call c;
    bool whole = false;
    int rc;

    desk_call_init(&c, d, v, now, r);
    rc = registry_may_write(&c, k, id, parent, &whole);
    if (rc == 0)
        rc = body_read(&c, k, body, id.n > 0);
    if (rc == 0)
        rc = db_begin(d, c.e);
    if (rc == 0)
        rc = db_end(d, written(&c, k, id, parent, body, whole), c.e);
    refused(&c, rc, k, id);
    if (rc >= 0 && k == RECORD_OBJECT)
        rc = objects_export(d, c.e) < 0 ? err_wrap(c.e, -EIO, "the change is kept, but ingest could not be told") : 0;
    desk_call_free(&c);
    return refuse_rc(r, rc < 0 ? rc : 0);
}

int desk_registry_create(struct desk *d, const struct viewer *v, enum record_kind k, struct str parent, const json_t *body, time_ns now,
                         struct desk_reply *r)
{
    return write_act(d, v, k, (struct str){ NULL, 0 }, parent, body, now, r);
}

int desk_registry_update(struct desk *d, const struct viewer *v, enum record_kind k, struct str id, const json_t *body, time_ns now,
                         struct desk_reply *r)
{
    return write_act(d, v, k, id, (struct str){ NULL, 0 }, body, now, r);
}

static const struct body_field remove_fields[] = { { "version", BODY_COUNT, true, false, 0, 0, NULL },
                                                   { "reason", BODY_STRING, true, false, 1, REGISTRY_REASON_MAX, NULL } };
static const struct body_field move_fields[] = { { "to", BODY_STRING, true, false, 1, 32, NULL }, { "at", BODY_DATETIME, false, true, 0, 0, NULL },
                                                 { "reason", BODY_STRING, true, false, 1, REGISTRY_REASON_MAX, NULL } };
static const struct body_field check_fields[] = { { "ok", BODY_BOOL, true, false, 0, 0, NULL },
                                                  { "note", BODY_STRING, false, false, 0, REGISTRY_REASON_MAX, NULL } };

static int body_known(struct call *c, const json_t *body, const struct body_field *fields, size_t count)
{
    int rc = body_check(body, fields, count, c->r->field, c->e);

    if (rc < 0)
        c->r->code = "bad_request";
    return rc;
}

int desk_registry_remove(struct desk *d, const struct viewer *v, enum record_kind k, struct str id, const json_t *body, time_ns now,
                         struct desk_reply *r)
{
    struct call c;
    bool whole = false;
    int rc;

    desk_call_init(&c, d, v, now, r);
    rc = registry_may_write(&c, k, id, (struct str){ NULL, 0 }, &whole);
    if (rc == 0)
        rc = body_known(&c, body, remove_fields, COUNT(remove_fields));
    if (rc == 0)
        rc = db_begin(d, c.e);
    if (rc == 0)
        rc = db_end(d, record_remove(&c, k, id, json_integer_value(json_object_get(body, "version")), json_get_str(body, "reason"),
                                     whole ? "centre" : "owner"),
                    c.e);
    refused(&c, rc, k, id);
    desk_call_free(&c);
    return refuse_rc(r, rc);
}

static int moved(struct call *c, struct str id, const json_t *body)
{
    struct str to = json_get_str(body, "to"), at = json_get_str(body, "at");
    time_ns when = c->now;
    int rc = at.n ? time_parse_rfc3339(at, &when, NULL, c->e) : 0;

    if (rc == 0 && when > c->now)
        rc = refuse(c, -EINVAL, "bad_request", "at", "a moment that has not come yet");
    if (rc == 0)
        rc = object_move(c, id, arena_copy(&c->a, to).p, when, json_get_str(body, "reason"));
    return rc < 0 ? rc : record_answer(c, RECORD_OBJECT, id, 0, &c->r->json);
}

int desk_registry_move(struct desk *d, const struct viewer *v, struct str object_id, const json_t *body, time_ns now, struct desk_reply *r)
{
    struct call c;
    bool whole = false;
    int rc;

    desk_call_init(&c, d, v, now, r);
    rc = registry_may_write(&c, RECORD_OBJECT, object_id, (struct str){ NULL, 0 }, &whole);
    if (rc == 0 && !whole)
        rc = refuse(&c, -EACCES, "forbidden", NULL, "the state of an object is moved by the centre");
    if (rc == 0)
        rc = body_known(&c, body, move_fields, COUNT(move_fields));
    if (rc == 0)
        rc = db_begin(d, c.e);
    if (rc == 0)
        rc = db_end(d, moved(&c, object_id, body), c.e);
    refused(&c, rc, RECORD_OBJECT, object_id);
    desk_call_free(&c);
    return refuse_rc(r, rc);
}

static int checked(struct call *c, struct str id, const json_t *body)
{
    bool ok = json_is_true(json_object_get(body, "ok"));
    struct str note = json_get_str(body, "note"), target = arena_printf(&c->a, "contact/%.*s", STR_ARG(id));
    int rc = db_exec(c->d, c->e, "INSERT INTO contact_check(contact_id, at, author_id, ok, note) VALUES (?,?,?,?,?)", "timit", id, c->now,
                     c->v->user_id, (int64_t)ok, note.p ? note : STR(""));

    if (rc >= 0)
        rc = audit_add(c, "contact.check", target.p, ok ? STR("reached") : STR("not reached"), "ok");
    return rc < 0 ? rc : record_answer(c, RECORD_CONTACT, id, 0, &c->r->json);
}

int desk_contact_check(struct desk *d, const struct viewer *v, struct str contact_id, const json_t *body, time_ns now, struct desk_reply *r)
{
    struct call c;
    bool whole = false;
    int rc;

    desk_call_init(&c, d, v, now, r);
    rc = registry_may_write(&c, RECORD_CONTACT, contact_id, (struct str){ NULL, 0 }, &whole);
    if (rc == 0 && !whole)
        rc = refuse(&c, -EACCES, "forbidden", NULL, "contacts are checked by the centre");
    if (rc == 0)
        rc = body_known(&c, body, check_fields, COUNT(check_fields));
    if (rc == 0)
        rc = db_begin(d, c.e);
    if (rc == 0)
        rc = db_end(d, checked(&c, contact_id, body), c.e);
    refused(&c, rc, RECORD_CONTACT, contact_id);
    desk_call_free(&c);
    return refuse_rc(r, rc);
}
