/* api_reports.c - the quarterly summaries over HTTP. */
#include "desk/reports/reports.h"
#include "portal/internal.h"

int api_reports(struct call *c)
{
    struct desk_reply r = { 0 };
    struct str before;
    int limit, rc = call_page(c, &limit, &before);

    return rc < 0 ? rc : call_desk(c, desk_reports(c->desk, &c->viewer, params_get(&c->params, "paragraph"), limit, before, c->now, &r), 200, &r);
}

int api_report(struct call *c)
{
    struct desk_reply r = { 0 };

    return call_desk(c, desk_report(c->desk, &c->viewer, c->match.arg[0], params_get(&c->params, "as_of"), c->now, &r), 200, &r);
}

int api_report_action(struct call *c)
{
    struct desk_reply r = { 0 };
    int rc = desk_report_act(c->desk, &c->viewer, c->match.arg[0], c->match.arg[1], c->body, c->now, &r);

    if (rc == 0)
        call_acted(c);
    return call_desk(c, rc, 200, &r);
}

int api_report_file(struct call *c)
{
    static const struct { const char *format, *type; } types[] = {
        { "pdf", "application/pdf" },
        { "xlsx", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet" },
        { "json", "application/json" },
    };
    struct str format = params_get(&c->params, "format");
    struct desk_reply r = { 0 };
    int rc = desk_report_file(c->desk, &c->viewer, c->match.arg[0], format.n ? format : STR("pdf"),
                              params_get(&c->params, "as_of"), c->now, &c->reply.body, &r);

    if (rc < 0)
        return call_desk(c, rc, 200, &r);
    desk_reply_free(&r);
    c->reply.status = 200;
    c->reply.type = types[0].type;
    for (size_t i = 0; i < COUNT(types); i++)
        if (str_eq(format, str_c(types[i].format)))
            c->reply.type = types[i].type;
    snprintf(c->reply.disposition, sizeof c->reply.disposition, "attachment; filename=\"report-%.*s.%.*s\"", (int)min_size(c->match.arg[0].n, 20),
             c->match.arg[0].p, format.n ? (int)format.n : 3, format.n ? format.p : "pdf");
    return 0;
}

int api_figures(struct call *c)
{
    struct desk_figures_query q = { params_get(&c->params, "paragraph"), params_get(&c->params, "quarter"), params_get(&c->params, "as_of") };
    struct desk_reply r = { 0 };

    return call_desk(c, desk_figures(c->desk, &c->viewer, &q, c->now, &r), 200, &r);
}

int api_figure_rows(struct call *c)
{
    struct desk_rows_query q = { .figure = c->match.arg[0], .paragraph = params_get(&c->params, "paragraph"), .quarter = params_get(&c->params, "quarter"),
                                 .as_of = params_get(&c->params, "as_of"), .part = params_get(&c->params, "part") };
    struct desk_reply r = { 0 };
    int rc = call_page(c, &q.limit, &q.before);

    /* "part=" asks for those without a value; its absence for all. */
    q.one_part = q.part.p != NULL;
    return rc < 0 ? rc : call_desk(c, desk_figure_rows(c->desk, &c->viewer, &q, c->now, &r), 200, &r);
}
