/* api_desk.c - cases, documents, inbox, registry, rules, audit, edition: what the desk answers, with parameters read. */
#include "portal/internal.h"

int api_clocks(struct call *c)
{
    struct desk_reply r = { 0 };
    struct str before;
    int limit, rc = call_page(c, &limit, &before);

    return rc < 0 ? rc : call_desk(c, desk_clocks(c->desk, &c->viewer, limit, before, c->now, &r), 200, &r);
}

int api_cases(struct call *c)
{
    struct desk_cases_query q = { .open = -1 };
    struct desk_reply r = { 0 };
    bool open = false;
    int rc = call_page(c, &q.limit, &q.before);

    q.state = params_get(&c->params, "state");
    q.object = params_get(&c->params, "object");
    q.q = params_get(&c->params, "q");
    q.machine = params_get(&c->params, "machine");
    q.kind = params_get(&c->params, "kind");
    q.level = params_get(&c->params, "level");
    q.type = params_get(&c->params, "type");
    q.org = params_get(&c->params, "org");
    q.indicator = params_get(&c->params, "indicator");
    if (rc == 0)
        rc = params_bool(&c->params, "overdue", &q.overdue, &c->err);
    if (rc == 0)
        rc = params_bool(&c->params, "mine", &q.mine, &c->err);
    if (rc == 0)
        rc = params_bool(&c->params, "open", &open, &c->err);
    if (rc == 0 && params_get(&c->params, "open").n)
        q.open = open;
    if (rc == 0 && q.q.n > 4 * 200)
        rc = err_set(&c->err, -EINVAL, "q");
    return rc < 0 ? rc : call_desk(c, desk_cases(c->desk, &c->viewer, &q, c->now, &r), 200, &r);
}

int api_case(struct call *c)
{
    struct desk_reply r = { 0 };

    return call_desk(c, desk_case(c->desk, &c->viewer, c->match.arg[0], c->now, &r), 200, &r);
}

int api_case_action(struct call *c)
{
    struct desk_reply r = { 0 };
    int rc = desk_act(c->desk, &c->viewer, c->match.arg[0], c->match.arg[1], c->body, c->now, &r);

    if (rc == 0)
        call_acted(c);
    return call_desk(c, rc, 200, &r);
}

static bool is_sha256(struct str s)
{
    for (size_t i = 0; i < s.n; i++)
        if (!((s.p[i] >= '0' && s.p[i] <= '9') || (s.p[i] >= 'a' && s.p[i] <= 'f')))
            return false;
    return s.n == 64;
}

int api_document(struct call *c)
{
    struct str format = params_get(&c->params, "format"), sha = c->match.arg[0];
    bool json = str_eq(format, STR("json"));
    struct desk_reply r = { 0 };
    int rc;

    if (!is_sha256(sha))
        return -ENOENT;
    if (format.n && !json && !str_eq(format, STR("pdf")))
        return err_set(&c->err, -EINVAL, "format");
    rc = desk_document(c->desk, &c->viewer, sha, json, c->now, &c->reply.body, &r);
    if (rc < 0)
        return call_desk(c, rc, 200, &r);
    desk_reply_free(&r);
    c->reply.status = 200;
    c->reply.type = json ? "application/json" : "application/pdf";
    snprintf(c->reply.disposition, sizeof c->reply.disposition, "inline; filename=\"%.16s.%s\"", sha.p, json ? "json" : "pdf");
    return 0;
}

int api_inbox(struct call *c)
{
    struct desk_reply r = { 0 };
    struct str before;
    int limit, rc = call_page(c, &limit, &before);

    return rc < 0 ? rc : call_desk(c, desk_inbox(c->desk, &c->viewer, limit, before, &r), 200, &r);
}

int api_inbox_read(struct call *c)
{
    struct desk_reply r = { 0 };

    return call_desk(c, desk_inbox_read(c->desk, &c->viewer, c->match.arg[0], c->now, &r), 200, &r);
}

int api_organisations(struct call *c)
{
    struct desk_reply r = { 0 };

    return call_desk(c, desk_organisations(c->desk, &c->viewer, &r), 200, &r);
}

int api_organisation_create(struct call *c)
{
    struct desk_reply r = { 0 };

    return call_desk(c, desk_organisation_create(c->desk, &c->viewer, c->body, c->now, &r), 201, &r);
}

int api_organisation_update(struct call *c)
{
    struct desk_reply r = { 0 };

    return call_desk(c, desk_organisation_update(c->desk, &c->viewer, c->match.arg[0], c->body, c->now, &r), 200, &r);
}

int api_users(struct call *c)
{
    struct desk_reply r = { 0 };

    return call_desk(c, desk_users(c->desk, &c->viewer, c->now, &r), 200, &r);
}

int api_user_create(struct call *c)
{
    struct desk_reply r = { 0 };

    return call_desk(c, desk_user_create(c->desk, &c->viewer, c->body, c->now, &r), 201, &r);
}

int api_user_update(struct call *c)
{
    struct desk_reply r = { 0 };
    int rc = desk_user_update(c->desk, &c->viewer, c->match.arg[0], c->body, c->now, &r);

    /* Perhaps barred, or of another role: streams that were opened before know nothing of it. */
    if (rc == 0 && !str_i64(c->match.arg[0], &c->ended_user))
        c->ended_user = 0;
    return call_desk(c, rc, 200, &r);
}

int api_rules(struct call *c)
{
    struct desk_reply r = { 0 };

    return call_desk(c, desk_rules(c->desk, &c->viewer, &r), 200, &r);
}

int api_rule_policy(struct call *c)
{
    struct desk_reply r = { 0 };

    return call_desk(c, desk_rule_policy(c->desk, &c->viewer, c->match.arg[0], c->body, c->now, &r), 200, &r);
}

int api_audit(struct call *c)
{
    struct str before, q = params_get(&c->params, "q");
    struct desk_reply r = { 0 };
    int limit, rc = call_page(c, &limit, &before);

    if (rc == 0 && q.n > 4 * 200)
        rc = err_set(&c->err, -EINVAL, "q");
    return rc < 0 ? rc : call_desk(c, desk_audit(c->desk, &c->viewer, q, limit, before, &r), 200, &r);
}

int api_edition(struct call *c)
{
    struct desk_reply r = { 0 };

    return call_desk(c, desk_edition(c->desk, params_get(&c->params, "id"), &r), 200, &r);
}

int api_due(struct call *c)
{
    struct str from = params_get(&c->params, "from");
    struct desk_reply r = { 0 };

    if (from.n == 0 || from.n > 64)
        return err_set(&c->err, -EINVAL, "from");
    return call_desk(c, desk_due(c->desk, c->lang, c->match.arg[0], from, &r), 200, &r);
}
