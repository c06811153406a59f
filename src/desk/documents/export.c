/* export.c - the register, the check-list of a survey and violations as tables that spreadsheets read. They are made of the pages that people see. */
#include "desk/documents/room.h"
#include "table/table.h"

#define EXPORT_ROWS_MAX 20000

/* A column: the heading's text and where its value stands, "newest.number". */
struct column {
    const char *heading, *path;
};
static const struct column register_columns[] = {
    { "document.column.row", "row" }, { "document.column.title", "title" }, { "document.column.version", "newest.version" },
    { "document.column.number", "newest.number" }, { "document.column.dated_on", "newest.dated_on" }, { "document.column.edition", "newest.edition" },
    { "document.column.approved_by", "newest.approved_by" }, { "document.column.approved_on", "newest.approved_on" }, { "document.column.signed", "newest.signed" },
    { "document.column.sealed", "newest.sealed" }, { "document.column.certified", "newest.certified" }, { "document.column.valid_until", "newest.valid_until" },
    { "document.column.review_on", "newest.review_on" }, { "document.column.added_at", "newest.added_at" },
};
static const struct column checklist_columns[] = {
    { "document.column.document", "document" }, { "document.column.requirement", "requirement" }, { "document.column.text", "text" },
    { "document.column.verdict", "verdict" }, { "document.column.reason", "reason" }, { "document.column.quote", "quote" }, { "document.column.page", "page" },
    { "document.column.note", "note" }, { "document.column.description", "description" }, { "document.column.recommendation", "recommendation" },
    { "document.column.last", "last.verdict" }, { "document.column.judged_by", "judged_by" }, { "document.column.judged_at", "judged_at" },
};
static const struct column violation_columns[] = {
    { "document.column.violation", "number" }, { "document.column.object", "object.name" }, { "document.column.document", "document" },
    { "document.column.text", "text" }, { "document.column.state", "state" }, { "document.column.description", "description" },
    { "document.column.recommendation", "recommendation" }, { "document.column.found_at", "found_at" }, { "document.column.sent_at", "sent_at" },
    { "document.column.measure", "measure" }, { "document.column.done_on", "done_on" }, { "document.column.settled_at", "settled_at" },
    { "document.column.ended_why", "ended_why" },
};

struct sheet {
    struct call         *c;
    struct table_writer *w;
    const struct column *columns;
    size_t               count, rows;
};

/* named - values that have a name in the reader's language: documents, verdicts, states. */
static struct str named(struct call *c, const char *path, struct str value)
{
    const struct enumeration *docs = NULL;
    const struct enum_value *d;
    char key[96];

    if (strcmp(path, "document") == 0 && td_documents(c, c->now, &docs) == 0 && (d = enumeration_value(docs, value)) != NULL)
        return d->name.text[c->v->lang];
    if (strcmp(path, "verdict") != 0 && strcmp(path, "last.verdict") != 0 && strcmp(path, "state") != 0)
        return value;
    snprintf(key, sizeof key, "document.%s.%.*s", strcmp(path, "state") == 0 ? "violation" : "verdict", STR_ARG(value));
    return catalog_text(c->d->setup.catalog, c->v->lang, arena_copy(&c->a, str_c(key)).p);
}

static struct str cell_of(struct call *c, const json_t *row, const char *path)
{
    struct str rest = str_c(path), part;
    const json_t *at = row;

    while (at && str_split(&rest, '.', &part))
        at = json_object_getn(at, part.p, part.n);
    if (json_is_object(at))
        return said_in(c, at, c->v->lang);
    if (json_is_boolean(at))
        return catalog_text(c->d->setup.catalog, c->v->lang, json_is_true(at) ? "document.yes" : "document.no");
    if (json_is_integer(at))
        return arena_printf(&c->a, "%lld", (long long)json_integer_value(at));
    return json_is_string(at) && json_string_length(at) ? named(c, path, str_of(json_string_value(at), json_string_length(at))) : STR("");
}

static void rows_put(struct sheet *s, const json_t *items)
{
    json_t *row;
    size_t i;

    json_array_foreach((json_t *)(uintptr_t)items, i, row) {
        for (size_t k = 0; k < s->count; k++)
            table_put(s->w, cell_of(s->c, row, s->columns[k].path));
        table_end_row(s->w);
        s->rows++;
    }
}

/* page_of - one page of what is exported, as the API gives it. */
static int page_of(struct call *c, struct str what, struct str of, struct str before, struct desk_reply *r)
{
    struct td_violations_query q = { .object = of, .limit = DESK_LIMIT_MAX, .before = before };

    if (str_eq(what, STR("register")))
        return desk_td_register(c->d, c->v, of, c->now, r);
    if (str_eq(what, STR("checklist")))
        return desk_td_checklist(c->d, c->v, of, STR(""), DESK_LIMIT_MAX, before, c->now, r);
    return desk_td_violations(c->d, c->v, &q, c->now, r);
}

static int pages_put(struct sheet *s, struct str what, struct str of)
{
    struct str before = STR("");

    for (;;) {
        struct desk_reply r = { 0 };
        int rc = page_of(s->c, what, of, before, &r);

        if (rc == 0)
            rows_put(s, json_object_get(r.json, "items"));
        before = rc == 0 ? arena_copy(&s->c->a, json_get_str(r.json, "next")) : before;
        if (rc < 0)
            refuse(s->c, rc, r.code, r.field[0] ? r.field : NULL, "%s", r.err.text);
        desk_reply_free(&r);
        if (rc < 0 || !before.n || s->rows >= EXPORT_ROWS_MAX)
            return rc;
    }
}

static int sheet_write(struct sheet *s, struct str what, struct str of, struct buf *out)
{
    struct str heads[16];
    unsigned widths[16];

    for (size_t i = 0; i < s->count; i++) {
        heads[i] = catalog_text(s->c->d->setup.catalog, s->c->v->lang, s->columns[i].heading);
        widths[i] = strcmp(s->columns[i].path, "text") == 0 || strcmp(s->columns[i].path, "title") == 0 || strcmp(s->columns[i].path, "recommendation") == 0 ? 60 : 20;
    }
    table_sheet(s->w, arena_copy(&s->c->a, what).p);
    table_header(s->w, heads, widths, s->count);
    int rc = pages_put(s, what, of);
    return rc < 0 ? rc : table_writer_finish(s->w, out, s->c->e);
}

int desk_td_table(struct desk *d, const struct viewer *v, struct str what, struct str of, struct str format, time_ns now, struct buf *out, struct desk_reply *r)
{
    bool xlsx = !format.n || str_eq(format, STR("xlsx")), list = str_eq(what, STR("checklist")), docs = str_eq(what, STR("register"));
    char folder[4096];
    struct table_writer_setup setup = { .format = xlsx ? TABLE_XLSX : TABLE_CSV, .created = now, .folder = node_path(d->setup.node, "run", folder) };
    struct sheet s = { .columns = list ? checklist_columns : docs ? register_columns : violation_columns,
                       .count = list ? COUNT(checklist_columns) : docs ? COUNT(register_columns) : COUNT(violation_columns) };
    struct call c;
    int rc = 0;

    desk_call_init(&c, d, v, now, r);
    s.c = &c;
    if (!xlsx && !str_eq(format, STR("csv")))
        rc = refuse(&c, -EINVAL, "bad_request", "format", "xlsx or csv");
    if (rc == 0)
        rc = table_writer_new(&setup, &s.w, c.e);
    if (rc == 0)
        rc = sheet_write(&s, what, of, out);
    table_writer_free(&s.w);
    if (rc == 0)
        rc = audit_read(&c, "document.export", arena_printf(&c.a, "%.*s", STR_ARG(what)).p, arena_printf(&c.a, "%.*s, %zu rows", STR_ARG(of.p ? of : STR("")), s.rows));
    desk_call_free(&c);
    return refuse_rc(r, rc);
}
