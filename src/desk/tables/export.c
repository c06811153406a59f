/* export.c - the registry as a table: every field of every record of a kind, so that it can be read back without a change. */
#include "desk/tables/import.h"

struct out_work {
    struct call         *c;
    struct table_writer *w;
    enum record_kind     kind;
    struct target        targets[IMPORT_COLUMNS_MAX];
    size_t               count;
    int64_t              rows;
};

static void row_put(struct out_work *o, sqlite3_stmt *st)
{
    struct str text = db_str(st, 2);
    json_t *value = json_loadb(text.p, text.n, 0, NULL);
    AUTO_BUF struct buf cell = { 0 };

    buf_init(&cell, TABLE_CELL_MAX);
    for (size_t i = 0; i < o->count; i++) {
        if (!o->targets[i].field) {
            table_put(o->w, db_str(st, strcmp(o->targets[i].name, "id") == 0 ? 0 : 1));
            continue;
        }
        buf_reset(&cell);
        json_to_cell(o->c, o->targets[i].field, json_object_get(value, o->targets[i].name), &cell);
        table_put(o->w, buf_view(&cell));
    }
    table_end_row(o->w);
    json_decref(value);
    o->rows++;
}

/* A bounded viewer reaches what stands at their objects; the other kinds are for those who read everything. */
static sqlite3_stmt *records(struct call *c, enum record_kind k)
{
    struct scope s = scope_of(c->v);

    return db_query(c->d, c->e,
                    "SELECT r.id, r.parent, r.json FROM record r LEFT JOIN object o ON o.id = r.object_id WHERE r.kind = ?3 AND r.removed = 0 AND " SCOPE_OBJECT
                    " ORDER BY r.sort, r.id", "izz", s.bounded, s.org, record_kind_name(k));
}

static int export_run(struct out_work *o)
{
    struct call *c = o->c;
    struct str names[IMPORT_COLUMNS_MAX];
    sqlite3_stmt *st = records(c, o->kind);
    int rc = st ? 0 : -EIO;

    o->count = targets_of(o->kind, o->targets);
    for (size_t i = 0; i < o->count; i++)
        names[i] = target_label(c, o->kind, o->targets[i].name, c->v->lang);
    table_sheet(o->w, record_kind_name(o->kind));
    table_header(o->w, names, NULL, o->count);
    while (st && rc >= 0 && (rc = db_step(c->d, st, c->e)) > 0)
        row_put(o, st);
    return rc;
}

static int export_noted(struct call *c, const struct out_work *o, struct str format)
{
    bool people = o->kind == RECORD_PERSON || o->kind == RECORD_CONTACT;
    struct str detail = arena_printf(&c->a, "%.*s, %lld rows", STR_ARG(format), (long long)o->rows);
    int rc = db_begin(c->d, c->e);

    if (rc < 0)
        return rc;
    rc = audit_add(c, "registry.export", record_kind_name(o->kind), detail, "ok");
    if (rc == 0 && people)
        rc = audit_add(c, "personal.read", record_kind_name(o->kind), detail, "ok");
    return db_end(c->d, rc, c->e);
}

int desk_registry_export(struct desk *d, const struct viewer *v, struct str kind, struct str format, time_ns now, struct buf *out, struct desk_reply *r)
{
    bool xlsx = str_eq(format, STR("xlsx")), csv = str_eq(format, STR("csv"));
    char folder[4096];
    struct table_writer_setup s = { .format = xlsx ? TABLE_XLSX : TABLE_CSV, .created = now, .folder = node_path(d->setup.node, "run", folder) };
    struct out_work o = { .kind = record_kind_parse(kind) };
    struct call c;
    int rc = 0;

    desk_call_init(&c, d, v, now, r);
    o.c = &c;
    if (o.kind == RECORD_KIND_COUNT)
        rc = refuse(&c, -EINVAL, "bad_request", "kind", "no such kind of record");
    else if (!xlsx && !csv)
        rc = refuse(&c, -EINVAL, "bad_request", "format", "xlsx or csv");
    else if (scope_of(v).bounded && o.kind != RECORD_OBJECT && o.kind != RECORD_COMPONENT)
        rc = refuse(&c, -EACCES, "forbidden", "kind", "who sees a part of the registry takes out objects and components");
    if (rc == 0)
        rc = table_writer_new(&s, &o.w, c.e);
    if (rc == 0)
        rc = export_run(&o);
    if (rc == 0)
        rc = table_writer_finish(o.w, out, c.e);
    if (rc == 0)
        rc = export_noted(&c, &o, format);
    table_writer_free(&o.w);
    if (rc == -EACCES)
        audit_refusal(&c, "registry.export", record_kind_name(o.kind));
    desk_call_free(&c);
    return refuse_rc(r, rc);
}

int desk_import_fields(struct desk *d, const struct viewer *v, struct str kind, struct desk_reply *r)
{
    struct target targets[IMPORT_COLUMNS_MAX];
    enum record_kind k = record_kind_parse(kind);
    json_t *items;
    struct call c;
    int rc = 0;

    desk_call_init(&c, d, v, 0, r);
    if (k == RECORD_KIND_COUNT)
        rc = refuse(&c, -EINVAL, "bad_request", "kind", "no such kind of record");
    else {
        size_t count = targets_of(k, targets);

        items = json_array();
        for (size_t i = 0; i < count; i++)
            json_array_append_new(items, json_pack("{s:s, s:o, s:b}", "name", targets[i].name, "label", json_str(target_label(&c, k, targets[i].name, v->lang)),
                                                   "required", (int)(targets[i].field && targets[i].field->required)));
        r->json = json_pack("{s:o, s:n}", "items", items, "next");
    }
    desk_call_free(&c);
    return refuse_rc(r, rc);
}
