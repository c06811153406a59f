/* api_schedule.c - the room "schedule" over HTTP: plans, their lines, calendar and progress; teams and closed days. */
#include "desk/schedule/schedule.h"
#include "portal/internal.h"

#define TEXT_MOST 128   /* bytes of a filter: ids are shorter */

/* query_read - the filters that lines and calendar share. */
static int query_read(struct call *c, struct schedule_query *q)
{
    static const char *const names[] = { "object", "org", "mode", "kind", "state", "month", "on" };
    struct str *const texts[] = { &q->object, &q->org, &q->mode, &q->kind, &q->state, &q->month, &q->on };
    struct str set = params_get(&c->params, "set");
    int rc = params_int(&c->params, "team", 0, INT64_MAX, &q->team, &c->err);

    for (size_t i = 0; rc == 0 && i < COUNT(names); i++) {
        *texts[i] = params_get(&c->params, names[i]);
        if (texts[i]->n > TEXT_MOST)
            rc = err_set(&c->err, -EINVAL, "%s", names[i]);
    }
    q->draft = str_eq(set, STR("draft")) ? 1 : str_eq(set, STR("agreed")) ? 0 : -1;
    if (rc == 0 && set.n && q->draft < 0)
        rc = err_set(&c->err, -EINVAL, "set");
    return rc;
}

int api_schedule_plans(struct call *c)
{
    struct desk_reply r = { 0 };

    return call_desk(c, desk_schedule_plans(c->desk, &c->viewer, c->now, &r), 200, &r);
}

int api_schedule_open(struct call *c)
{
    struct desk_reply r = { 0 };

    return call_desk(c, desk_schedule_open(c->desk, &c->viewer, c->body, c->now, &r), 201, &r);
}

int api_schedule_plan(struct call *c)
{
    struct desk_reply r = { 0 };

    return call_desk(c, desk_schedule_plan(c->desk, &c->viewer, c->match.arg[0], c->now, &r), 200, &r);
}

int api_schedule_action(struct call *c)
{
    struct desk_reply r = { 0 };
    int rc = desk_schedule_act(c->desk, &c->viewer, c->match.arg[0], c->match.arg[1], c->body, c->now, &r);

    if (rc == 0)
        call_acted(c);
    return call_desk(c, rc, 200, &r);
}

int api_schedule_lines(struct call *c)
{
    struct schedule_query q = { 0 };
    struct desk_reply r = { 0 };
    int rc = query_read(c, &q);

    if (rc == 0)
        rc = call_page(c, &q.limit, &q.before);
    return rc < 0 ? rc : call_desk(c, desk_schedule_lines(c->desk, &c->viewer, c->match.arg[0], &q, c->now, &r), 200, &r);
}

int api_schedule_line_add(struct call *c)
{
    struct desk_reply r = { 0 };

    return call_desk(c, desk_schedule_line_add(c->desk, &c->viewer, c->match.arg[0], c->body, c->now, &r), 201, &r);
}

int api_schedule_line_change(struct call *c)
{
    struct desk_reply r = { 0 };

    return call_desk(c, desk_schedule_line_change(c->desk, &c->viewer, c->match.arg[0], c->match.arg[1], c->body, c->now, &r), 200, &r);
}

int api_schedule_line_drop(struct call *c)
{
    struct desk_reply r = { 0 };

    return call_desk(c, desk_schedule_line_drop(c->desk, &c->viewer, c->match.arg[0], c->match.arg[1], c->body, c->now, &r), 204, &r);
}

int api_schedule_calendar(struct call *c)
{
    struct schedule_query q = { 0 };
    struct desk_reply r = { 0 };
    int rc = query_read(c, &q);

    return rc < 0 ? rc : call_desk(c, desk_schedule_calendar(c->desk, &c->viewer, c->match.arg[0], &q, c->now, &r), 200, &r);
}

int api_schedule_progress(struct call *c)
{
    struct str by = params_get(&c->params, "by"), before;
    struct desk_reply r = { 0 };
    int limit = 0, rc = call_page(c, &limit, &before);

    return rc < 0 ? rc : call_desk(c, desk_schedule_progress(c->desk, &c->viewer, c->match.arg[0], by.n ? by : STR("mode"), limit, before, c->now, &r), 200, &r);
}

int api_schedule_object(struct call *c)
{
    struct desk_reply r = { 0 };

    return call_desk(c, desk_schedule_object(c->desk, &c->viewer, c->match.arg[0], c->match.arg[1], c->now, &r), 200, &r);
}

int api_schedule_unplaced(struct call *c)
{
    struct desk_reply r = { 0 };
    struct str before;
    int limit = 0, rc = call_page(c, &limit, &before);

    return rc < 0 ? rc : call_desk(c, desk_schedule_unplaced(c->desk, &c->viewer, c->match.arg[0], limit, before, c->now, &r), 200, &r);
}

int api_schedule_mismatches(struct call *c)
{
    struct desk_reply r = { 0 };
    struct str before;
    int limit = 0, rc = call_page(c, &limit, &before);

    return rc < 0 ? rc : call_desk(c, desk_schedule_mismatches(c->desk, &c->viewer, c->match.arg[0], limit, c->now, &r), 200, &r);
}

int api_schedule_changes(struct call *c)
{
    struct desk_reply r = { 0 };
    struct str before;
    int64_t version = 0;
    int limit = 0, rc = call_page(c, &limit, &before);

    if (rc == 0)
        rc = params_int(&c->params, "version", 0, INT32_MAX, &version, &c->err);
    return rc < 0 ? rc : call_desk(c, desk_schedule_changes(c->desk, &c->viewer, c->match.arg[0], version, limit, before, c->now, &r), 200, &r);
}

int api_schedule_export(struct call *c)
{
    static const struct { const char *format, *type; } types[] = {
        { "xlsx", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet" },
        { "csv", "text/csv; charset=utf-8" },
        { "pdf", "application/pdf" },
    };
    struct str format = params_get(&c->params, "format");
    struct desk_reply r = { 0 };
    int rc = desk_schedule_export(c->desk, &c->viewer, c->match.arg[0], format.n ? format : STR("xlsx"), c->now, &c->reply.body, &r);

    if (rc < 0)
        return call_desk(c, rc, 200, &r);
    desk_reply_free(&r);
    c->reply.status = 200;
    for (size_t i = 0; i < COUNT(types); i++)
        if (str_eq(format.n ? format : STR("xlsx"), str_c(types[i].format))) {
            c->reply.type = types[i].type;
            snprintf(c->reply.disposition, sizeof c->reply.disposition, "attachment; filename=\"schedule.%s\"", types[i].format);
        }
    return 0;
}

int api_schedule_teams(struct call *c)
{
    struct desk_reply r = { 0 };

    return call_desk(c, desk_schedule_teams(c->desk, &c->viewer, &r), 200, &r);
}

int api_schedule_team_add(struct call *c)
{
    struct desk_reply r = { 0 };

    return call_desk(c, desk_schedule_team_put(c->desk, &c->viewer, STR(""), c->body, c->now, &r), 201, &r);
}

int api_schedule_team_change(struct call *c)
{
    struct desk_reply r = { 0 };

    return call_desk(c, desk_schedule_team_put(c->desk, &c->viewer, c->match.arg[0], c->body, c->now, &r), 200, &r);
}

int api_schedule_blackouts(struct call *c)
{
    struct str object = params_get(&c->params, "object"), before;
    struct desk_reply r = { 0 };
    int limit = 0, rc = call_page(c, &limit, &before);

    if (rc == 0 && object.n > TEXT_MOST)
        rc = err_set(&c->err, -EINVAL, "object");
    return rc < 0 ? rc : call_desk(c, desk_schedule_blackouts(c->desk, &c->viewer, object, limit, before, &r), 200, &r);
}

int api_schedule_blackout_add(struct call *c)
{
    struct desk_reply r = { 0 };

    return call_desk(c, desk_schedule_blackout_add(c->desk, &c->viewer, c->body, c->now, &r), 201, &r);
}

int api_schedule_blackout_drop(struct call *c)
{
    struct desk_reply r = { 0 };

    return call_desk(c, desk_schedule_blackout_drop(c->desk, &c->viewer, c->match.arg[0], c->now, &r), 204, &r);
}
