/* access.c - who may see and change what of the registry. The centre and the administrator change everything; an owner's people change the contacts and
 * the data of Annex 1 of their own; everybody else reads what their scope reaches. What it does not reach is not there. */
#include "desk/registry/room.h"

static int seen(struct call *c, int rc, int64_t n, const char *what)
{
    return rc < 0 ? rc : n ? 0 : refuse(c, -ENOENT, "not_found", NULL, "no such %s", what);
}

int object_seen(struct call *c, struct str id)
{
    struct scope s = scope_of(c->v);
    int64_t n = 0;
    int rc = db_int(c->d, c->e, 0, &n, "SELECT count(*) FROM object o WHERE " SCOPE_OBJECT " AND o.id = ?3", "izt", s.bounded, s.org, id);

    return seen(c, rc, n, "object");
}

/* One's own, and those that stand with one at an object: whose object it is, who possesses it, whose operational centre serves it. */
int org_seen(struct call *c, struct str id)
{
    struct scope s = scope_of(c->v);
    int64_t n = 0;
    int rc = db_int(c->d, c->e, 0, &n, "SELECT count(*) FROM org g WHERE g.id = ?3 AND " ORG_REACHED, "izt", s.bounded, s.org, id);

    return seen(c, rc, n, "organisation");
}

static int person_seen(struct call *c, struct str id)
{
    struct scope s = scope_of(c->v);
    int64_t n = 0;
    int rc = db_int(c->d, c->e, 0, &n, "SELECT count(*) FROM record r WHERE r.kind = 'person' AND r.id = ?3 AND " PERSON_REACHED, "izt", s.bounded,
                    s.org, id);

    return seen(c, rc, n, "person");
}

static int contract_seen(struct call *c, struct str id)
{
    struct scope s = scope_of(c->v);
    int64_t n = 0;
    int rc = db_int(c->d, c->e, 0, &n, "SELECT count(*) FROM record r WHERE r.kind = 'contract' AND r.id = ?3 AND " CONTRACT_REACHED, "izt", s.bounded,
                    s.org, id);

    return seen(c, rc, n, "contract");
}

static int parent_seen(struct call *c, struct str parent)
{
    struct str kind, id;

    if (!parent_split(parent, &kind, &id))
        return seen(c, 0, 0, "record");
    return str_eq(kind, STR("object")) ? object_seen(c, id) : str_eq(kind, STR("organisation")) ? org_seen(c, id) : seen(c, 0, 0, "record");
}

int record_seen(struct call *c, enum record_kind k, struct str id)
{
    struct record r;
    int rc;

    switch (k) {
    case RECORD_ORGANISATION:
        return org_seen(c, id);
    case RECORD_OBJECT:
        return object_seen(c, id);
    case RECORD_PERSON:
        return person_seen(c, id);
    case RECORD_CONTRACT:
        return contract_seen(c, id);
    default:
        rc = record_read(c, k, id, 0, &r);
        if (rc == 0) {
            record_done(&r);
            rc = parent_seen(c, r.parent);
        }
        return rc;
    }
}

/* owns - is the parent the viewer's own: their organisation, or an object that it owns or possesses? 1, 0 or an error. */
static int owns(struct call *c, struct str parent)
{
    struct str kind, id;
    int64_t n = 0;
    int rc = 0;

    if (!parent_split(parent, &kind, &id))
        return 0;
    if (str_eq(kind, STR("organisation")))
        return str_eq(id, str_c(c->v->org_id));
    rc = db_int(c->d, c->e, 0, &n, "SELECT count(*) FROM object WHERE id = ?1 AND ?2 IN (org_id, possessor_id)", "tz", id, c->v->org_id);
    return rc < 0 ? rc : n != 0;
}

static int person_owned(struct call *c, struct str id)
{
    struct record r;
    int rc = record_read(c, RECORD_PERSON, id, 0, &r);

    if (rc == 0) {
        rc = str_eq(json_get_str(r.value, "org_id"), str_c(c->v->org_id));
        record_done(&r);
    }
    return rc;
}

static int may_own(struct call *c, enum record_kind k, struct str id, struct str parent)
{
    struct record r;
    int rc;

    switch (k) {
    case RECORD_ORGANISATION:
        return id.n && str_eq(id, str_c(c->v->org_id));
    case RECORD_OBJECT:
        return id.n ? owns(c, arena_printf(&c->a, "object/%.*s", STR_ARG(id))) : 0;
    case RECORD_PERSON:
        return id.n ? person_owned(c, id) : 1;
    case RECORD_COMPONENT:
    case RECORD_CONTACT:
        if (!id.n)
            return owns(c, parent);
        rc = record_read(c, k, id, 0, &r);
        if (rc == 0) {
            record_done(&r);
            rc = owns(c, r.parent);
        }
        return rc;
    default:
        return 0;
    }
}

int registry_may_write(struct call *c, enum record_kind k, struct str id, struct str parent, bool *whole)
{
    int rc = 0;

    *whole = !c->v || c->v->role == DESK_ADMINISTRATOR || role_of_centre(c->v->role);
    if (id.n)
        rc = record_seen(c, k, id);
    else if (parent.n)
        rc = parent_seen(c, parent);
    if (rc < 0 || *whole)
        return rc;
    rc = c->v->role == DESK_OWNER_ADMINISTRATOR || c->v->role == DESK_OWNER_OFFICER ? may_own(c, k, id, parent) : 0;
    return rc < 0 ? rc : rc ? 0 : refuse(c, -EACCES, "forbidden", NULL, "the registry is changed by the centre, and by owners in what is theirs");
}

int object_capacity(struct call *c, struct str object)
{
    enum desk_role role = c->v ? c->v->role : DESK_ROLE_COUNT;
    int64_t n = 0;
    int rc;

    if (!c->v || !role_of_owner(role))
        return 0;
    rc = db_int(c->d, c->e, 0, &n, "SELECT count(*) FROM object WHERE id = ?1 AND CASE WHEN ?3 = 1 THEN ?2 = coalesce(ocib_id, org_id) ELSE ?2 IN (org_id, possessor_id) END",
                "tzi", object, c->v->org_id, (int64_t)(role == DESK_OCIB_ANALYST));
    return rc < 0 ? rc : n ? 0 : refuse(c, -EACCES, "forbidden", NULL, "this organisation stands to the object in another capacity");
}
