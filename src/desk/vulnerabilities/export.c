/* export.c - the list of vulnerabilities as a table, by the same filters and in the same order as on the page. */
#include "desk/vulnerabilities/api.h"
#include "desk/vulnerabilities/room.h"
#include "table/table.h"

static const char *const columns[] = {
    "number", "severity", "kev", "cvss", "epss", "cve", "title", "object", "org", "host", "port", "component", "path", "state", "first_detected_at", "due_at",
};

static void text_put(struct table_writer *w, const json_t *row, const char *key)
{
    struct str s = json_get_str(row, key);

    table_put(w, s.p ? s : STR(""));
}

static void number_put(struct table_writer *w, const json_t *n)
{
    if (json_is_number(n))
        table_put_number(w, json_number_value(n));
    else
        table_put(w, STR(""));
}

/* said - a word of the catalogue: "vulnerability.severity.high". */
static struct str said(struct call *c, const char *what, struct str value)
{
    return catalog_text(c->d->setup.catalog, c->v->lang, arena_printf(&c->a, "vulnerability.%s.%.*s", what, STR_ARG(value)).p);
}

static void row_put(struct call *c, struct table_writer *w, const json_t *row)
{
    text_put(w, row, "number");
    table_put(w, said(c, "severity", json_get_str(row, "severity")));
    table_put(w, json_is_true(json_object_get(row, "kev")) ? catalog_text(c->d->setup.catalog, c->v->lang, "forms.yes") : STR(""));
    number_put(w, json_object_get(row, "cvss"));
    number_put(w, json_object_get(row, "epss"));
    text_put(w, row, "cves");
    text_put(w, row, "title");
    text_put(w, json_object_get(row, "object"), "name");
    text_put(w, json_object_get(row, "org"), "name");
    text_put(w, row, "host");
    number_put(w, json_object_get(row, "port"));
    text_put(w, row, "component");
    text_put(w, row, "path");
    table_put(w, said(c, "state", json_get_str(row, "state")));
    text_put(w, row, "first_detected_at");
    text_put(w, row, "due_at");
    table_end_row(w);
}

static int rows_put(struct call *c, struct table_writer *w, const struct vulns_query *asked, int64_t *rows)
{
    struct vulns_query q = *asked;
    char cursor[64] = "";
    int rc = 0;

    q.limit = DESK_LIMIT_MAX;
    do {
        struct desk_reply page = { 0 };
        json_t *row;
        size_t i;

        q.before = str_c(cursor);
        rc = desk_vulns(c->d, c->v, &q, c->now, &page);
        if (rc < 0) {
            c->r->code = page.code;
            snprintf(c->r->field, sizeof c->r->field, "%s", page.field);
            err_set(c->e, rc, "%s", page.err.text);
        }
        json_array_foreach(json_object_get(page.json, "items"), i, row)
            row_put(c, w, row);
        *rows += (int64_t)json_array_size(json_object_get(page.json, "items"));
        snprintf(cursor, sizeof cursor, "%.*s", STR_ARG(json_get_str(page.json, "next")));
        desk_reply_free(&page);
    } while (rc == 0 && cursor[0] && *rows < VULN_EXPORT_MAX);
    return rc;
}

int desk_vulns_export(struct desk *d, const struct viewer *v, const struct vulns_query *q, struct str format, time_ns now, struct buf *out,
                      struct desk_reply *r)
{
    bool xlsx = str_eq(format, STR("xlsx"));
    char folder[4096];
    struct table_writer_setup s = { .format = xlsx ? TABLE_XLSX : TABLE_CSV, .created = now, .folder = node_path(d->setup.node, "run", folder) };
    struct str names[COUNT(columns)];
    struct table_writer *w = NULL;
    int64_t rows = 0;
    struct call c;
    int rc;

    desk_call_init(&c, d, v, now, r);
    rc = xlsx || str_eq(format, STR("csv")) ? table_writer_new(&s, &w, c.e) : vuln_wrong(&c, "format", "xlsx or csv");
    for (size_t i = 0; i < COUNT(columns); i++)
        names[i] = catalog_text(d->setup.catalog, v->lang, arena_printf(&c.a, "vulnerability.column.%s", columns[i]).p);
    if (rc == 0) {
        table_sheet(w, "vulnerabilities");
        table_header(w, names, NULL, COUNT(columns));
        rc = rows_put(&c, w, q, &rows);
    }
    if (rc == 0)
        rc = table_writer_finish(w, out, c.e);
    if (rc == 0)
        rc = audit_read(&c, "vulnerability.export", "vulnerabilities", arena_printf(&c.a, "%.*s, %lld rows", STR_ARG(format), (long long)rows));
    table_writer_free(&w);
    desk_call_free(&c);
    return refuse_rc(r, rc);
}
