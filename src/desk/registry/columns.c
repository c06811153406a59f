/* columns.c - what a record says, as columns: for scope, for other rooms, for what ingest is told. And what must be there for it to be true: the
 * organisations, people and contracts that it names. */
#include "desk/registry/room.h"

static int refuse_at(struct call *c, const struct stored *s, const char *field, const char *why)
{
    char path[DESK_FIELD_MAX];

    snprintf(path, sizeof path, "%.40s%.80s", s->prefix, field);
    return refuse(c, -EINVAL, "bad_request", path, "\"%s\": %s", path, why);
}

/* org_known - the organisation that a field names is there, and of a kind (NULL: of any). */
static int org_known(struct call *c, const struct stored *s, const char *field, const char *kind)
{
    struct str id = json_get_str(s->value, field);
    int64_t n = 0;
    int rc;

    if (!id.n)
        return 0;
    rc = db_int(c->d, c->e, 0, &n,
                "SELECT count(*) FROM org o WHERE o.id = ?1 AND (?2 IS NULL OR EXISTS (SELECT 1 FROM org_kind k WHERE k.org_id = o.id AND k.kind = ?2))",
                "tz", id, kind);
    return rc < 0 ? rc : n ? 0 : refuse_at(c, s, field, kind ? "no organisation of the kind that is needed" : "no such organisation");
}

static int record_known(struct call *c, const struct stored *s, const char *field, enum record_kind k)
{
    struct str id = json_get_str(s->value, field);
    int64_t n = 0;
    int rc;

    if (!id.n)
        return 0;
    rc = db_int(c->d, c->e, 0, &n, "SELECT count(*) FROM record WHERE kind = ?1 AND id = ?2 AND removed = 0", "zt", record_kind_name(k), id);
    return rc < 0 ? rc : n ? 0 : refuse_at(c, s, field, "there is no such record");
}

/* --- organisations --- */

static int org_write(struct call *c, const struct stored *s)
{
    json_t *kinds = json_object_get(s->value, "kinds"), *kind;
    struct str name = json_get_str(s->value, "name");
    size_t i;
    int rc = db_exec(c->d, c->e,
                     "INSERT INTO org(id, name, kind, bin, email, active, sort, created_at, updated_at) VALUES (?1,?2,?3,?4,?5,?6,?7,?8,?8)"
                     " ON CONFLICT(id) DO UPDATE SET name = ?2, kind = ?3, bin = ?4, email = ?5, active = ?6, sort = ?7, updated_at = ?8",
                     "ztzttiti", s->id, name, json_string_value(json_array_get(kinds, 0)), json_get_str(s->value, "bin"),
                     json_get_str(s->value, "email"), (int64_t)json_is_true(json_object_get(s->value, "active")), fold_text(name, &c->a), c->now);

    if (rc >= 0)
        rc = db_exec(c->d, c->e, "DELETE FROM org_kind WHERE org_id = ?", "z", s->id);
    json_array_foreach(kinds, i, kind)
        if (rc >= 0)
            rc = db_exec(c->d, c->e, "INSERT INTO org_kind(org_id, kind) VALUES (?,?)", "zz", s->id, json_string_value(kind));
    return rc;
}

/* --- objects --- */

static int hosts_write(struct call *c, const struct stored *s)
{
    json_t *h;
    size_t i;
    int rc = db_exec(c->d, c->e, "DELETE FROM object_host WHERE object_id = ?", "z", s->id);

    json_array_foreach(json_object_get(s->value, "hosts"), i, h) {
        char field[DESK_FIELD_MAX];

        if (rc < 0)
            break;
        snprintf(field, sizeof field, "hosts.%zu", i);
        if (strpbrk(json_string_value(h), " \t"))
            return refuse_at(c, s, field, "a host has no blanks");
        rc = db_exec(c->d, c->e, "INSERT INTO object_host(host, object_id, position) VALUES (?,?,?)", "tzi",
                     str_of(json_string_value(h), json_string_length(h)), s->id, (int64_t)i);
        snprintf(field, sizeof field, "%.40shosts.%zu", s->prefix, i);
        if (rc == -EEXIST)
            return refuse(c, -EEXIST, "conflict", field, "host \"%s\" already belongs to an object", json_string_value(h));
    }
    return rc < 0 ? rc : 0;
}

static int object_known(struct call *c, const struct stored *s)
{
    int rc = org_known(c, s, "org_id", NULL);

    if (rc == 0)
        rc = org_known(c, s, "possessor_id", NULL);
    if (rc == 0)
        rc = org_known(c, s, "ocib_id", "ocib");
    if (rc == 0)
        rc = record_known(c, s, "contract_id", RECORD_CONTRACT);
    return rc;
}

static int64_t flag(const struct stored *s, const char *key) { return json_is_true(json_object_get(s->value, key)); }

static int object_write(struct call *c, const struct stored *s)
{
    struct str name = json_get_str(s->value, "name");
    struct object_facts facts = facts_of(s->value, "9999-12-31");
    int rc = object_known(c, s);

    if (rc == 0)
        rc = db_exec(c->d, c->e,
                     "INSERT INTO object(id, name, org_id, possessor_id, ocib_id, criticality, contour, active, is_ego, is_cii, excluded,"
                     " commissioned_on, terminated_on, sort, created_at, updated_at) VALUES (?1,?2,?3,?4,?5,?6,?7,?8,?9,?10,?11,?12,?13,?14,?15,?15)"
                     " ON CONFLICT(id) DO UPDATE SET name = ?2, org_id = ?3, possessor_id = ?4, ocib_id = ?5, criticality = ?6, contour = ?7,"
                     " active = ?8, is_ego = ?9, is_cii = ?10, excluded = ?11, commissioned_on = ?12, terminated_on = ?13, sort = ?14,"
                     " updated_at = ?15",
                     "zttttttiiiittti", s->id, name, json_get_str(s->value, "org_id"), json_get_str(s->value, "possessor_id"),
                     json_get_str(s->value, "ocib_id"), json_get_str(s->value, "criticality"), json_get_str(s->value, "contour"), flag(s, "active"),
                     flag(s, "is_ego"), flag(s, "is_cii"), (int64_t)(exclusion_of(&facts) != EXCLUSION_NONE),
                     json_get_str(s->value, "commissioned_on"), json_get_str(s->value, "terminated_on"), fold_text(name, &c->a), c->now);
    if (rc >= 0 && s->fresh)
        rc = db_exec(c->d, c->e, "INSERT INTO object_state(object_id, state, at, recorded_at, author_id, reason) VALUES (?1,'known',?2,?2,?3,'')", "zim",
                     s->id, c->now, c->v ? c->v->user_id : 0);
    if (rc >= 0)
        rc = hosts_write(c, s);
    if (rc == 0)
        rc = cases_adopt(c, s->id);
    if (rc == 0)
        change_add(c->d, "source", str_c(s->id));
    return rc;
}

/* --- what belongs to an object or an organisation --- */

static int room_left(struct call *c, const struct stored *s, const char *kind, int64_t most)
{
    int64_t n = 0;
    int rc = s->fresh ? db_int(c->d, c->e, 0, &n, "SELECT count(*) FROM record WHERE parent = ?1 AND kind = ?2 AND removed = 0", "zz", s->parent, kind)
                      : 0;

    return rc < 0 ? rc : n < most ? 0 : refuse(c, -EINVAL, "bad_request", NULL, "more than %lld of these", (long long)most);
}

static int parent_known(struct call *c, const struct stored *s, bool organisations)
{
    struct str kind, id;
    int64_t n = 0;
    int rc = 0;

    if (!parent_split(str_c(s->parent), &kind, &id) || !(str_eq(kind, STR("object")) || (organisations && str_eq(kind, STR("organisation")))))
        return refuse(c, -ENOENT, "not_found", NULL, "nothing that this could belong to");
    rc = db_int(c->d, c->e, 0, &n, "SELECT count(*) FROM record WHERE kind = ?1 AND id = ?2", "tt", kind, id);
    return rc < 0 ? rc : n ? 0 : refuse(c, -ENOENT, "not_found", NULL, "nothing that this could belong to");
}

static int contact_write(struct call *c, const struct stored *s)
{
    struct str kind, id, none = { NULL, 0 };
    int rc;

    if (!s->value)
        return db_exec(c->d, c->e, "DELETE FROM contact WHERE id = ?", "z", s->id);
    rc = parent_known(c, s, true);
    if (rc == 0)
        rc = room_left(c, s, "contact", REGISTRY_CONTACTS_MAX);
    if (rc == 0)
        rc = record_known(c, s, "person_id", RECORD_PERSON);
    if (rc < 0 || !parent_split(str_c(s->parent), &kind, &id))
        return rc;
    bool object = str_eq(kind, STR("object"));
    return db_exec(c->d, c->e,
                   "INSERT INTO contact(id, object_id, org_id, person_id, role, position, valid_from, valid_to) VALUES (?1,?2,?3,?4,?5,?6,?7,?8)"
                   " ON CONFLICT(id) DO UPDATE SET person_id = ?4, role = ?5, position = ?6, valid_from = ?7, valid_to = ?8",
                   "ztttti" "tt", s->id, object ? id : none, object ? none : id, json_get_str(s->value, "person_id"), json_get_str(s->value, "role"),
                   (int64_t)json_integer_value(json_object_get(s->value, "order")), json_get_str(s->value, "valid_from"),
                   json_get_str(s->value, "valid_to"));
}

/* channel_of - the first way of one of two kinds. */
static struct str channel_of(const json_t *value, struct str kind, struct str or_kind)
{
    json_t *one;
    size_t i;

    json_array_foreach(json_object_get(value, "channels"), i, one)
        if (str_eq(json_get_str(one, "kind"), kind) || str_eq(json_get_str(one, "kind"), or_kind))
            return json_get_str(one, "value");
    return (struct str){ NULL, 0 };
}

static int person_write(struct call *c, const struct stored *s)
{
    struct str user = json_get_str(s->value, "user_id");
    int64_t n = 1;
    int rc = org_known(c, s, "org_id", NULL);

    if (rc == 0 && user.n)
        rc = db_int(c->d, c->e, 0, &n, "SELECT count(*) FROM user WHERE id = ?", "i", parse_id(user));
    if (rc == 0 && !n)
        rc = refuse_at(c, s, "user_id", "no such user");
    return rc < 0 ? rc
                  : db_exec(c->d, c->e,
                            "INSERT INTO person(id, org_id, name, email, phone, language, active) VALUES (?1,?2,?3,?4,?5,?6,?7) ON CONFLICT(id) DO"
                            " UPDATE SET org_id = ?2, name = ?3, email = ?4, phone = ?5, language = ?6, active = ?7",
                            "ztttt" "ti", s->id, json_get_str(s->value, "org_id"), json_get_str(s->value, "name"),
                            channel_of(s->value, STR("email"), STR("email")), channel_of(s->value, STR("phone"), STR("mobile")),
                            json_get_str(s->value, "language"), flag(s, "active"));
}

int columns_write(struct call *c, const struct stored *s)
{
    int rc;

    switch (s->kind) {
    case RECORD_ORGANISATION:
        return org_write(c, s);
    case RECORD_OBJECT:
        return object_write(c, s);
    case RECORD_PERSON:
        return person_write(c, s);
    case RECORD_CONTACT:
        return contact_write(c, s);
    case RECORD_COMPONENT:
        rc = s->value ? parent_known(c, s, false) : 0;
        return rc < 0 || !s->value ? rc : room_left(c, s, "component", REGISTRY_COMPONENTS_MAX);
    case RECORD_CONTRACT:
        rc = org_known(c, s, "knb_id", "knb");
        return rc < 0 ? rc : org_known(c, s, "sts_id", "sts");
    default:
        return err_set(c->e, -EINVAL, "no such kind of record");
    }
}
