/* api_documents.c - the room "documents" over HTTP: the register of Annex 3, surveys with their check-lists, violations, the library. */
#include "desk/documents/documents.h"
#include "portal/internal.h"

/* page_asked - limit and before of a page. */
static int page_asked(struct call *c, int *limit, struct str *before)
{
    int64_t n = 100;
    int rc = params_int(&c->params, "limit", 1, DESK_LIMIT_MAX, &n, &c->err);

    *limit = (int)n;
    *before = params_get(&c->params, "before");
    return rc == 0 && before->n > 20 ? err_set(&c->err, -EINVAL, "before") : rc;
}

int api_td_register(struct call *c)
{
    struct desk_reply r = { 0 };

    return call_desk(c, desk_td_register(c->desk, &c->viewer, c->match.arg[0], c->now, &r), 200, &r);
}

int api_td_add(struct call *c)
{
    struct desk_reply r = { 0 };

    return call_desk(c, desk_td_add(c->desk, &c->viewer, c->match.arg[0], c->body, c->now, &r), 201, &r);
}

int api_td_versions(struct call *c)
{
    struct desk_reply r = { 0 };
    struct str before;
    int limit, rc = page_asked(c, &limit, &before);

    return rc < 0 ? rc
                  : call_desk(c, desk_td_versions(c->desk, &c->viewer, c->match.arg[0], c->match.arg[1], limit, before, c->now, &r), 200, &r);
}

int api_td_file(struct call *c)
{
    struct desk_reply r = { 0 };
    int fd = -1, rc = desk_td_file(c->desk, &c->viewer, c->match.arg[0], c->match.arg[1], c->now, &fd, &r);

    return call_attachment(c, rc, fd, &r);
}

int api_td_facts(struct call *c)
{
    struct desk_reply r = { 0 };

    return call_desk(c, desk_td_facts(c->desk, &c->viewer, c->match.arg[0], c->now, &r), 200, &r);
}

int api_td_surveys(struct call *c)
{
    static const char *const sides[] = { "", "mine", "other", "ended", "all" };
    struct td_surveys_query q = { .object = params_get(&c->params, "object"), .state = params_get(&c->params, "state"), .side = params_get(&c->params, "side") };
    struct desk_reply r = { 0 };
    bool known = false;
    int rc = page_asked(c, &q.limit, &q.before);

    for (size_t i = 0; i < COUNT(sides); i++)
        known = known || str_eq(q.side, str_c(sides[i]));
    if (rc == 0 && !known)
        rc = err_set(&c->err, -EINVAL, "side");
    return rc < 0 ? rc : call_desk(c, desk_td_surveys(c->desk, &c->viewer, &q, c->now, &r), 200, &r);
}

int api_td_plan(struct call *c)
{
    struct desk_reply r = { 0 };

    return call_desk(c, desk_td_plan(c->desk, &c->viewer, c->body, c->now, &r), 201, &r);
}

int api_td_survey(struct call *c)
{
    struct desk_reply r = { 0 };

    return call_desk(c, desk_td_survey(c->desk, &c->viewer, c->match.arg[0], c->now, &r), 200, &r);
}

int api_td_action(struct call *c)
{
    struct desk_reply r = { 0 };
    int rc = desk_td_act(c->desk, &c->viewer, c->match.arg[0], c->match.arg[1], c->body, c->now, &r);

    if (rc == 0)
        call_acted(c);
    return call_desk(c, rc, 200, &r);
}

int api_td_checklist(struct call *c)
{
    struct str before, document = params_get(&c->params, "document");
    struct desk_reply r = { 0 };
    int limit, rc = page_asked(c, &limit, &before);

    return rc < 0 ? rc : call_desk(c, desk_td_checklist(c->desk, &c->viewer, c->match.arg[0], document, limit, before, c->now, &r), 200, &r);
}

int api_td_compare(struct call *c)
{
    struct desk_reply r = { 0 };

    return call_desk(c, desk_td_compare(c->desk, &c->viewer, c->match.arg[0], &r), 200, &r);
}

int api_td_attach(struct call *c)
{
    struct desk_reply r = { 0 };

    return call_desk(c, desk_td_attach(c->desk, &c->viewer, c->match.arg[0], c->body, c->now, &r), 201, &r);
}

int api_td_evidence(struct call *c)
{
    struct desk_reply r = { 0 };
    int fd = -1, rc = desk_td_evidence(c->desk, &c->viewer, c->match.arg[0], c->match.arg[1], c->now, &fd, &r);

    return call_attachment(c, rc, fd, &r);
}

int api_td_violations(struct call *c)
{
    struct td_violations_query q = { .object = params_get(&c->params, "object"), .state = params_get(&c->params, "state"),
                                     .survey = params_get(&c->params, "survey"), .document = params_get(&c->params, "document"),
                                     .open = str_eq(params_get(&c->params, "open"), STR("true")) };
    struct desk_reply r = { 0 };
    int rc = page_asked(c, &q.limit, &q.before);

    return rc < 0 ? rc : call_desk(c, desk_td_violations(c->desk, &c->viewer, &q, c->now, &r), 200, &r);
}

int api_td_violation(struct call *c)
{
    struct desk_reply r = { 0 };

    return call_desk(c, desk_td_violation(c->desk, &c->viewer, c->match.arg[0], c->now, &r), 200, &r);
}

int api_td_library(struct call *c)
{
    struct desk_reply r = { 0 };

    return call_desk(c, desk_td_library(c->desk, &c->viewer, params_get(&c->params, "document"), c->now, &r), 200, &r);
}

int api_td_table(struct call *c)
{
    static const char *const names[] = { "register", "checklist", "violations" };
    struct str name = c->match.arg[0], of = params_get(&c->params, "of"), format = params_get(&c->params, "format");
    struct desk_reply r = { 0 };
    bool csv = str_eq(format, STR("csv")), known = false;

    for (size_t i = 0; i < COUNT(names); i++)
        known = known || str_eq(name, str_c(names[i]));
    int rc = known ? desk_td_table(c->desk, &c->viewer, name, of, format, c->now, &c->reply.body, &r) : -ENOENT;
    if (rc < 0)
        return call_desk(c, rc, 200, &r);
    desk_reply_free(&r);
    c->reply.status = 200;
    c->reply.type = csv ? "text/csv; charset=utf-8" : "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet";
    snprintf(c->reply.disposition, sizeof c->reply.disposition, "attachment; filename=\"documents-%.*s.%s\"", STR_ARG(name), csv ? "csv" : "xlsx");
    return 0;
}
