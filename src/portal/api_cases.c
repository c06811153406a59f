/* api_cases.c - cases that a person opens, whom a label may name, what is recommended first. */
#include "portal/internal.h"

int api_case_create(struct call *c)
{
    struct desk_reply r = { 0 };
    int rc = desk_case_create(c->desk, &c->viewer, c->body, c->now, &r);

    if (rc == 0)
        call_acted(c);
    return call_desk(c, rc, 201, &r);
}

int api_case_people(struct call *c)
{
    struct desk_reply r = { 0 };

    return call_desk(c, desk_case_people(c->desk, &c->viewer, c->match.arg[0], c->now, &r), 200, &r);
}

int api_case_indicators(struct call *c)
{
    struct str format = params_get(&c->params, "format");
    bool misp = str_eq(format, STR("misp"));
    struct desk_reply r = { 0 };
    int rc;

    if (format.n && !misp && !str_eq(format, STR("stix")))
        return err_set(&c->err, -EINVAL, "format");
    rc = desk_case_indicators(c->desk, &c->viewer, c->match.arg[0], misp, c->now, &c->reply.body, &r);
    if (rc < 0)
        return call_desk(c, rc, 200, &r);
    desk_reply_free(&r);
    c->reply.status = 200;
    c->reply.type = misp ? "application/json" : "application/stix+json;version=2.1";
    snprintf(c->reply.disposition, sizeof c->reply.disposition, "attachment; filename=\"case-%.20s-%s.json\"", c->match.arg[0].p, misp ? "misp" : "stix");
    return 0;
}

int api_recommendations(struct call *c)
{
    struct desk_reply r = { 0 };

    return call_desk(c, desk_recommendations(c->desk, &c->viewer, &r), 200, &r);
}

int api_case_preview(struct call *c)
{
    struct desk_reply r = { 0 };
    int rc = desk_case_preview(c->desk, &c->viewer, c->match.arg[0], c->match.arg[1], c->body, c->now, &c->reply.body, &r);

    if (rc < 0)
        return call_desk(c, rc, 200, &r);
    desk_reply_free(&r);
    c->reply.status = 200;
    c->reply.type = "application/pdf";
    snprintf(c->reply.disposition, sizeof c->reply.disposition, "inline; filename=\"draft.pdf\"");
    return 0;
}
