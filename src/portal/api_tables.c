/* api_tables.c - the room "tables" over HTTP: passports and changes of objects, tables into the registry and out of it. */
#include "desk/tables/tables.h"
#include "portal/internal.h"

/* take_page - a cursor of these lists holds the name of a thing. */
static int take_page(struct call *c, int *limit, struct str *before) { return call_page_within(c, 2048, limit, before); }

int api_passports(struct call *c)
{
    struct desk_reply r = { 0 };
    struct str before;
    int limit, rc = take_page(c, &limit, &before);

    return rc < 0 ? rc : call_desk(c, desk_passports(c->desk, &c->viewer, c->match.arg[0], limit, before, &r), 200, &r);
}

int api_passport(struct call *c)
{
    struct desk_reply r = { 0 };

    return call_desk(c, desk_passport(c->desk, &c->viewer, c->match.arg[0], c->match.arg[1], c->now, &r), 200, &r);
}

int api_passport_create(struct call *c)
{
    struct desk_reply r = { 0 };

    return call_desk(c, desk_passport_create(c->desk, &c->viewer, c->match.arg[0], c->body, c->now, &r), 201, &r);
}

int api_passport_file(struct call *c)
{
    struct desk_reply r = { 0 };
    int fd = -1, rc = desk_passport_file(c->desk, &c->viewer, c->match.arg[0], c->match.arg[1], c->now, &fd, &r);

    return call_attachment(c, rc, fd, &r);
}

int api_observed(struct call *c)
{
    struct desk_reply r = { 0 };
    struct str before;
    int limit, rc = take_page(c, &limit, &before);

    return rc < 0 ? rc : call_desk(c, desk_observed(c->desk, &c->viewer, c->match.arg[0], limit, before, &r), 200, &r);
}

int api_changes(struct call *c)
{
    struct desk_changes_query q = { .object = params_get(&c->params, "object"), .state = params_get(&c->params, "state") };
    struct desk_reply r = { 0 };
    int rc = take_page(c, &q.limit, &q.before);

    return rc < 0 ? rc : call_desk(c, desk_changes(c->desk, &c->viewer, &q, &r), 200, &r);
}

int api_changes_decide(struct call *c)
{
    struct desk_reply r = { 0 };
    int rc = desk_changes_decide(c->desk, &c->viewer, c->body, c->now, &r);

    if (rc == 0)
        call_acted(c);
    return call_desk(c, rc, 200, &r);
}

/* --- tables in and out --- */

int api_import_read(struct call *c)
{
    struct desk_reply r = { 0 };

    return call_desk(c, desk_import_read(c->desk, &c->viewer, c->body, c->now, &r), 201, &r);
}

int api_import(struct call *c)
{
    struct desk_reply r = { 0 };

    return call_desk(c, desk_import(c->desk, &c->viewer, c->match.arg[0], c->now, &r), 200, &r);
}

int api_import_check(struct call *c)
{
    struct desk_reply r = { 0 };

    return call_desk(c, desk_import_check(c->desk, &c->viewer, c->match.arg[0], c->body, c->now, &r), 200, &r);
}

int api_import_rows(struct call *c)
{
    struct desk_reply r = { 0 };
    struct str before;
    int limit, rc = take_page(c, &limit, &before);

    return rc < 0 ? rc : call_desk(c, desk_import_rows(c->desk, &c->viewer, c->match.arg[0], params_get(&c->params, "action"), limit, before, c->now, &r), 200, &r);
}

int api_import_apply(struct call *c)
{
    struct desk_reply r = { 0 };

    return call_desk(c, desk_import_apply(c->desk, &c->viewer, c->match.arg[0], c->body, c->now, &r), 200, &r);
}

int api_import_mappings(struct call *c)
{
    struct desk_reply r = { 0 };

    return call_desk(c, desk_import_mappings(c->desk, &c->viewer, params_get(&c->params, "kind"), &r), 200, &r);
}

int api_import_fields(struct call *c)
{
    struct desk_reply r = { 0 };

    return call_desk(c, desk_import_fields(c->desk, &c->viewer, params_get(&c->params, "kind"), &r), 200, &r);
}

int api_registry_export(struct call *c)
{
    struct str kind = params_get(&c->params, "kind"), format = params_get(&c->params, "format");
    struct desk_reply r = { 0 };
    bool csv = str_eq(format, STR("csv"));
    int rc = desk_registry_export(c->desk, &c->viewer, kind, format.n ? format : STR("xlsx"), c->now, &c->reply.body, &r);

    if (rc < 0)
        return call_desk(c, rc, 200, &r);
    desk_reply_free(&r);
    c->reply.status = 200;
    c->reply.type = csv ? "text/csv; charset=utf-8" : "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet";
    snprintf(c->reply.disposition, sizeof c->reply.disposition, "attachment; filename=\"%.*s.%s\"", (int)min_size(kind.n, 20), kind.p ? kind.p : "",
             csv ? "csv" : "xlsx");
    return 0;
}
