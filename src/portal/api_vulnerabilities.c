/* api_vulnerabilities.c - the room "vulnerabilities" over HTTP: lists, one, acts, rules of keys, comparison of surveys, lists of known exploited ones. */
#include "desk/surveys/surveys.h"
#include "desk/vulnerabilities/api.h"
#include "portal/internal.h"

#define TEXT_MOST 1024   /* bytes of a filter */

static int query_read(struct call *c, struct vulns_query *q)
{
    static const char *const names[] = { "object", "org", "state", "severity", "cve", "host", "survey", "q" };
    struct str *const texts[] = { &q->object, &q->org, &q->state, &q->severity, &q->cve, &q->host, &q->survey, &q->q };
    static const char *const flags[] = { "kev", "overdue", "closed", "info" };
    bool *const yes[] = { &q->kev, &q->overdue, &q->closed, &q->info };
    int rc = 0;

    for (size_t i = 0; rc == 0 && i < COUNT(names); i++) {
        *texts[i] = params_get(&c->params, names[i]);
        if (texts[i]->n > TEXT_MOST)
            rc = err_set(&c->err, -EINVAL, "%s", names[i]);
    }
    for (size_t i = 0; rc == 0 && i < COUNT(flags); i++)
        rc = params_bool(&c->params, flags[i], yes[i], &c->err);
    return rc;
}

int api_vulns(struct call *c)
{
    struct vulns_query q = { 0 };
    struct desk_reply r = { 0 };
    int rc = query_read(c, &q);

    if (rc == 0)
        rc = call_page(c, &q.limit, &q.before);
    return rc < 0 ? rc : call_desk(c, desk_vulns(c->desk, &c->viewer, &q, c->now, &r), 200, &r);
}

int api_vuln_own(struct call *c)
{
    struct desk_reply r = { 0 };
    int rc = desk_vuln_own(c->desk, &c->viewer, c->body, c->now, &r);

    if (rc == 0)
        call_acted(c);
    return call_desk(c, rc, 201, &r);
}

int api_vulns_export(struct call *c)
{
    struct str format = params_get(&c->params, "format");
    struct vulns_query q = { 0 };
    struct desk_reply r = { 0 };
    bool csv = str_eq(format, STR("csv"));
    int rc = query_read(c, &q);

    if (rc < 0)
        return rc;
    rc = desk_vulns_export(c->desk, &c->viewer, &q, format.n ? format : STR("xlsx"), c->now, &c->reply.body, &r);
    if (rc < 0)
        return call_desk(c, rc, 200, &r);
    desk_reply_free(&r);
    c->reply.status = 200;
    c->reply.type = csv ? "text/csv; charset=utf-8" : "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet";
    snprintf(c->reply.disposition, sizeof c->reply.disposition, "attachment; filename=\"vulnerabilities.%s\"", csv ? "csv" : "xlsx");
    return 0;
}

int api_vuln(struct call *c)
{
    struct desk_reply r = { 0 };

    return call_desk(c, desk_vuln(c->desk, &c->viewer, c->match.arg[0], c->now, &r), 200, &r);
}

int api_vuln_action(struct call *c)
{
    struct desk_reply r = { 0 };
    int rc = desk_vuln_act(c->desk, &c->viewer, c->match.arg[0], c->match.arg[1], c->body, c->now, &r);

    if (rc == 0)
        call_acted(c);
    return call_desk(c, rc, 200, &r);
}

int api_vuln_merge(struct call *c)
{
    struct desk_reply r = { 0 };

    return call_desk(c, desk_vuln_merge(c->desk, &c->viewer, c->match.arg[0], c->body, c->now, &r), 201, &r);
}

int api_vuln_split(struct call *c)
{
    struct desk_reply r = { 0 };

    return call_desk(c, desk_vuln_split(c->desk, &c->viewer, c->match.arg[0], c->body, c->now, &r), 201, &r);
}

int api_vulns_summary(struct call *c)
{
    struct desk_reply r = { 0 };

    return call_desk(c, desk_vulns_summary(c->desk, &c->viewer, c->match.arg[0], c->now, &r), 200, &r);
}

int api_vuln_compare(struct call *c)
{
    struct str verdict = params_get(&c->params, "verdict"), before = { NULL, 0 };
    struct desk_reply r = { 0 };
    int limit = 0, rc = call_page(c, &limit, &before);

    return rc < 0 ? rc : call_desk(c, desk_vuln_compare(c->desk, &c->viewer, c->match.arg[0], verdict, limit, before, c->now, &r), 200, &r);
}

int api_vuln_outside(struct call *c)
{
    struct desk_reply r = { 0 };

    return call_desk(c, desk_vuln_outside(c->desk, &c->viewer, c->match.arg[0], c->now, &r), 200, &r);
}

int api_vuln_take_in(struct call *c)
{
    struct desk_reply r = { 0 };

    return call_desk(c, desk_survey_take_in(c->desk, &c->viewer, c->match.arg[0], c->body, c->now, &r), 204, &r);
}

int api_vuln_covers(struct call *c)
{
    struct str host = params_get(&c->params, "host"), before = { NULL, 0 };
    struct desk_reply r = { 0 };
    int limit = 0, rc = call_page(c, &limit, &before);

    if (rc == 0 && host.n > TEXT_MOST)
        rc = err_set(&c->err, -EINVAL, "host");
    return rc < 0 ? rc : call_desk(c, desk_vuln_covers(c->desk, &c->viewer, c->match.arg[0], host, limit, before, c->now, &r), 200, &r);
}

int api_vuln_cover_declare(struct call *c)
{
    struct desk_reply r = { 0 };

    return call_desk(c, desk_survey_cover_declare(c->desk, &c->viewer, c->match.arg[0], c->body, c->now, &r), 201, &r);
}

int api_vuln_rules(struct call *c)
{
    struct str object = params_get(&c->params, "object"), before = { NULL, 0 };
    struct desk_reply r = { 0 };
    bool ended = false;
    int limit = 0, rc = call_page(c, &limit, &before);

    if (rc == 0)
        rc = params_bool(&c->params, "ended", &ended, &c->err);
    return rc < 0 ? rc : call_desk(c, desk_vuln_rules(c->desk, &c->viewer, object, ended, limit, before, c->now, &r), 200, &r);
}

int api_vuln_rule_host(struct call *c)
{
    struct desk_reply r = { 0 };

    return call_desk(c, desk_vuln_rule_host(c->desk, &c->viewer, c->body, c->now, &r), 201, &r);
}

int api_vuln_rule_check(struct call *c)
{
    struct desk_reply r = { 0 };

    return call_desk(c, desk_vuln_rule_check(c->desk, &c->viewer, c->body, c->now, &r), 201, &r);
}

int api_vuln_rule_end(struct call *c)
{
    struct desk_reply r = { 0 };

    return call_desk(c, desk_vuln_rule_end(c->desk, &c->viewer, c->match.arg[0], c->body, c->now, &r), 204, &r);
}

int api_intel(struct call *c)
{
    struct desk_reply r = { 0 };

    return call_desk(c, desk_intel(c->desk, &c->viewer, c->now, &r), 200, &r);
}

int api_intel_load(struct call *c)
{
    struct desk_reply r = { 0 };

    return call_desk(c, desk_intel_load(c->desk, &c->viewer, c->body, c->now, &r), 201, &r);
}
