/* api_registry.c - organisations, people, objects with their components, contacts and files: paths and parameters to the calls of the registry. */
#include "desk/registry/registry.h"
#include "portal/internal.h"

#define NONE ((struct str){ NULL, 0 })

static int take_query(struct call *c, struct registry_query *q)
{
    static const struct { const char *name; size_t at; } texts[] = {
        { "q", offsetof(struct registry_query, q) },         { "org", offsetof(struct registry_query, org) },
        { "kind", offsetof(struct registry_query, kind) },   { "regime", offsetof(struct registry_query, regime) },
        { "state", offsetof(struct registry_query, state) }, { "criticality", offsetof(struct registry_query, criticality) },
        { "before", offsetof(struct registry_query, before) },
    };
    int64_t limit = 100;
    int rc = params_int(&c->params, "limit", 1, DESK_LIMIT_MAX, &limit, &c->err);

    for (size_t i = 0; rc == 0 && i < COUNT(texts); i++) {
        struct str v = params_get(&c->params, texts[i].name);

        if (v.n > 4 * 200)
            rc = err_set(&c->err, -EINVAL, "%s", texts[i].name);
        memcpy((char *)q + texts[i].at, &v, sizeof v);
    }
    q->limit = (int)limit;
    return rc < 0 ? rc : params_time(&c->params, "at", &q->at, &c->err);
}

static int list(struct call *c, enum record_kind k, struct str parent)
{
    struct registry_query q = { 0 };
    struct desk_reply r = { 0 };
    int rc = take_query(c, &q);

    return rc < 0 ? rc : call_desk(c, desk_registry_list(c->desk, &c->viewer, k, parent, &q, c->now, &r), 200, &r);
}

static int read_one(struct call *c, enum record_kind k)
{
    struct registry_query q = { 0 };
    struct desk_reply r = { 0 };
    int rc = take_query(c, &q);

    return rc < 0 ? rc : call_desk(c, desk_registry_get(c->desk, &c->viewer, k, c->match.arg[0], q.at, c->now, &r), 200, &r);
}

static int create(struct call *c, enum record_kind k, struct str parent)
{
    struct desk_reply r = { 0 };

    return call_desk(c, desk_registry_create(c->desk, &c->viewer, k, parent, c->body, c->now, &r), 201, &r);
}

static int update(struct call *c, enum record_kind k)
{
    struct desk_reply r = { 0 };

    return call_desk(c, desk_registry_update(c->desk, &c->viewer, k, c->match.arg[0], c->body, c->now, &r), 200, &r);
}

static int take_away(struct call *c, enum record_kind k)
{
    struct desk_reply r = { 0 };

    return call_desk(c, desk_registry_remove(c->desk, &c->viewer, k, c->match.arg[0], c->body, c->now, &r), 204, &r);
}

/* parent_of - "object/ID": under what components and contacts stand. */
static struct str parent_of(struct call *c, const char *kind)
{
    return arena_printf(&c->arena, "%s/%.*s", kind, STR_ARG(c->match.arg[0]));
}

int api_registry_organisations(struct call *c) { return list(c, RECORD_ORGANISATION, NONE); }
int api_registry_organisation_create(struct call *c) { return create(c, RECORD_ORGANISATION, NONE); }
int api_registry_organisation(struct call *c) { return read_one(c, RECORD_ORGANISATION); }
int api_registry_organisation_update(struct call *c) { return update(c, RECORD_ORGANISATION); }
int api_registry_org_contacts(struct call *c) { return list(c, RECORD_CONTACT, parent_of(c, "organisation")); }
int api_registry_org_contact_create(struct call *c) { return create(c, RECORD_CONTACT, parent_of(c, "organisation")); }
int api_registry_people(struct call *c) { return list(c, RECORD_PERSON, NONE); }
int api_registry_person_create(struct call *c) { return create(c, RECORD_PERSON, NONE); }
int api_registry_person(struct call *c) { return read_one(c, RECORD_PERSON); }
int api_registry_person_update(struct call *c) { return update(c, RECORD_PERSON); }
int api_registry_objects(struct call *c) { return list(c, RECORD_OBJECT, NONE); }
int api_registry_object_create(struct call *c) { return create(c, RECORD_OBJECT, NONE); }
int api_registry_object(struct call *c) { return read_one(c, RECORD_OBJECT); }
int api_registry_object_update(struct call *c) { return update(c, RECORD_OBJECT); }
int api_registry_components(struct call *c) { return list(c, RECORD_COMPONENT, parent_of(c, "object")); }
int api_registry_component_create(struct call *c) { return create(c, RECORD_COMPONENT, parent_of(c, "object")); }
int api_registry_component_update(struct call *c) { return update(c, RECORD_COMPONENT); }
int api_registry_component_remove(struct call *c) { return take_away(c, RECORD_COMPONENT); }
int api_registry_contacts(struct call *c) { return list(c, RECORD_CONTACT, parent_of(c, "object")); }
int api_registry_contact_create(struct call *c) { return create(c, RECORD_CONTACT, parent_of(c, "object")); }
int api_registry_contact_update(struct call *c) { return update(c, RECORD_CONTACT); }
int api_registry_contact_remove(struct call *c) { return take_away(c, RECORD_CONTACT); }
int api_registry_contracts(struct call *c) { return list(c, RECORD_CONTRACT, NONE); }
int api_registry_contract_create(struct call *c) { return create(c, RECORD_CONTRACT, NONE); }
int api_registry_contract(struct call *c) { return read_one(c, RECORD_CONTRACT); }
int api_registry_contract_update(struct call *c) { return update(c, RECORD_CONTRACT); }

int api_registry_move(struct call *c)
{
    struct desk_reply r = { 0 };

    return call_desk(c, desk_registry_move(c->desk, &c->viewer, c->match.arg[0], c->body, c->now, &r), 200, &r);
}

int api_registry_annex1(struct call *c)
{
    struct registry_query q = { 0 };
    struct desk_reply r = { 0 };
    int rc = take_query(c, &q);

    return rc < 0 ? rc : call_desk(c, desk_registry_annex1(c->desk, &c->viewer, c->match.arg[0], q.at, c->now, &r), 200, &r);
}

int api_registry_reach(struct call *c)
{
    struct desk_reply r = { 0 };

    return call_desk(c, desk_registry_reach(c->desk, &c->viewer, c->match.arg[0], c->now, &r), 200, &r);
}

int api_registry_contact_check(struct call *c)
{
    struct desk_reply r = { 0 };

    return call_desk(c, desk_contact_check(c->desk, &c->viewer, c->match.arg[0], c->body, c->now, &r), 200, &r);
}

int api_registry_history(struct call *c)
{
    struct registry_query q = { 0 };
    struct desk_reply r = { 0 };
    int rc = take_query(c, &q);

    return rc < 0 ? rc
                  : call_desk(c, desk_registry_history(c->desk, &c->viewer, c->match.arg[0], c->match.arg[1], q.limit, q.before, c->now, &r), 200, &r);
}

int api_registry_files(struct call *c)
{
    struct desk_reply r = { 0 };

    return call_desk(c, desk_attachments(c->desk, &c->viewer, c->match.arg[0], c->match.arg[1], c->now, &r), 200, &r);
}

int api_registry_file_add(struct call *c)
{
    struct desk_reply r = { 0 };

    return call_desk(c, desk_attachment_add(c->desk, &c->viewer, c->match.arg[0], c->match.arg[1], c->body, c->now, &r), 201, &r);
}

int api_registry_attachment(struct call *c)
{
    struct desk_reply r = { 0 };
    int fd, rc = desk_attachment_open(c->desk, &c->viewer, c->match.arg[0], c->now, &fd, &r);

    if (rc < 0)
        return call_desk(c, rc, 200, &r);
    rc = call_file(c, fd, json_integer_value(json_object_get(r.json, "size_bytes")), "application/octet-stream",
                   json_string_value(json_object_get(r.json, "name")));
    desk_reply_free(&r);
    return rc;
}

int api_registry_attachment_remove(struct call *c)
{
    struct desk_reply r = { 0 };

    return call_desk(c, desk_attachment_remove(c->desk, &c->viewer, c->match.arg[0], c->body, c->now, &r), 204, &r);
}
