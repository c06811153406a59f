/* api_surveys.c - the room "surveys" over HTTP: surveys for vulnerabilities, their scope, results, letters, measures, and runs of our own tools. */
#include "desk/surveys/surveys.h"
#include "portal/internal.h"

static int take_query(struct call *c, struct surveys_query *q)
{
    static const char *const sides[] = { "", "mine", "other", "ended", "all" };
    struct str overdue = params_get(&c->params, "overdue"), team = params_get(&c->params, "my_team");
    bool known = false;
    int64_t n = 100;
    int rc = params_int(&c->params, "limit", 1, DESK_LIMIT_MAX, &n, &c->err);

    *q = (struct surveys_query){ .object = params_get(&c->params, "object"), .mode = params_get(&c->params, "mode"), .kind = params_get(&c->params, "kind"),
                                 .state = params_get(&c->params, "state"), .side = params_get(&c->params, "side"), .main = params_get(&c->params, "main"),
                                 .overdue = str_eq(overdue, STR("true")), .my_team = str_eq(team, STR("true")), .limit = (int)n,
                                 .before = params_get(&c->params, "before") };
    for (size_t i = 0; i < COUNT(sides); i++)
        known = known || str_eq(q->side, str_c(sides[i]));
    if (rc == 0 && !known)
        rc = err_set(&c->err, -EINVAL, "side");
    if (rc == 0 && (q->before.n > 20 || q->object.n > 64 || q->mode.n > 32 || q->kind.n > 16 || q->state.n > 32 || q->main.n > 20))
        rc = err_set(&c->err, -EINVAL, "%s", q->before.n > 20 ? "before" : q->object.n > 64 ? "object" : q->mode.n > 32 ? "mode" : q->kind.n > 16 ? "kind" : q->state.n > 32 ? "state" : "main");
    return rc;
}

/* table_format - csv or (the default) xlsx. */
static int table_format(struct call *c, bool *csv)
{
    struct str format = params_get(&c->params, "format");

    *csv = str_eq(format, STR("csv"));
    return format.n && !*csv && !str_eq(format, STR("xlsx")) ? err_set(&c->err, -EINVAL, "format") : 0;
}

static int give_table(struct call *c, int rc, struct desk_reply *r, bool csv, const char *name)
{
    if (rc < 0)
        return call_desk(c, rc, 200, r);
    desk_reply_free(r);
    c->reply.status = 200;
    c->reply.type = csv ? "text/csv; charset=utf-8" : "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet";
    snprintf(c->reply.disposition, sizeof c->reply.disposition, "attachment; filename=\"%s.%s\"", name, csv ? "csv" : "xlsx");
    return 0;
}

int api_surveys(struct call *c)
{
    struct surveys_query q;
    struct desk_reply r = { 0 };
    int rc = take_query(c, &q);

    return rc < 0 ? rc : call_desk(c, desk_surveys(c->desk, &c->viewer, &q, c->now, &r), 200, &r);
}

int api_surveys_table(struct call *c)
{
    struct surveys_query q;
    struct desk_reply r = { 0 };
    bool csv;
    int rc = take_query(c, &q);

    if (rc == 0)
        rc = table_format(c, &csv);
    return rc < 0 ? rc : give_table(c, desk_surveys_table(c->desk, &c->viewer, &q, csv, c->now, &c->reply.body, &r), &r, csv, "surveys");
}

int api_survey_vulnerabilities(struct call *c)
{
    struct desk_reply r = { 0 };
    struct str before;
    int limit, rc = call_page(c, &limit, &before);

    return rc < 0 ? rc : call_desk(c, desk_survey_vulnerabilities(c->desk, &c->viewer, c->match.arg[0], limit, before, c->now, &r), 200, &r);
}

int api_survey_vulnerabilities_table(struct call *c)
{
    struct desk_reply r = { 0 };
    bool csv;
    int rc = table_format(c, &csv);

    return rc < 0 ? rc : give_table(c, desk_survey_vulnerabilities_table(c->desk, &c->viewer, c->match.arg[0], csv, c->now, &c->reply.body, &r), &r, csv, "survey");
}

int api_survey_comparison(struct call *c)
{
    struct str before, verdict = params_get(&c->params, "verdict");
    struct desk_reply r = { 0 };
    int limit, rc = call_page(c, &limit, &before);

    if (rc == 0 && verdict.n > 32)
        rc = err_set(&c->err, -EINVAL, "verdict");
    return rc < 0 ? rc : call_desk(c, desk_survey_comparison(c->desk, &c->viewer, c->match.arg[0], verdict, limit, before, c->now, &r), 200, &r);
}

int api_survey_file(struct call *c)
{
    struct desk_reply r = { 0 };
    int fd = -1, rc = desk_survey_file(c->desk, &c->viewer, c->match.arg[0], c->match.arg[1], c->now, &fd, &r);

    return call_attachment(c, rc, fd, &r);
}

int api_survey_result_file(struct call *c)
{
    struct desk_reply r = { 0 };
    int fd = -1, rc = desk_survey_result_file(c->desk, &c->viewer, c->match.arg[0], c->match.arg[1], c->now, &fd, &r);

    return call_attachment(c, rc, fd, &r);
}

#define ASK(name, call_of)                              \
    int name(struct call *c)                            \
    {                                                   \
        struct desk_reply r = { 0 };                    \
                                                        \
        return call_desk(c, call_of, 200, &r);          \
    }
#define ACT(name, call_of, status)                      \
    int name(struct call *c)                            \
    {                                                   \
        struct desk_reply r = { 0 };                    \
        int rc = call_of;                               \
                                                        \
        if (rc == 0)                                    \
            call_acted(c);                              \
        return call_desk(c, rc, status, &r);            \
    }

ASK(api_survey, desk_survey(c->desk, &c->viewer, c->match.arg[0], c->now, &r))
ASK(api_survey_tools, desk_survey_tools(c->desk, &c->viewer, &r))
ASK(api_survey_mappings, desk_survey_mappings(c->desk, &c->viewer, &r))
ASK(api_survey_headings, desk_survey_headings(c->desk, &c->viewer, c->body, c->now, &r))
ACT(api_survey_mapping_save, desk_survey_mapping_save(c->desk, &c->viewer, c->body, c->now, &r), 200)
ACT(api_survey_create, desk_survey_create(c->desk, &c->viewer, c->body, c->now, &r), 201)
ACT(api_survey_action, desk_survey_act(c->desk, &c->viewer, c->match.arg[0], c->match.arg[1], c->body, c->now, &r), 200)
ACT(api_survey_attach, desk_survey_attach(c->desk, &c->viewer, c->match.arg[0], c->body, c->now, &r), 201)
ACT(api_survey_result_add, desk_survey_result_add(c->desk, &c->viewer, c->match.arg[0], c->body, c->now, &r), 201)
