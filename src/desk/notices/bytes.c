/* bytes.c - what a notice is made of, given out: its PDF, its frozen bytes, its files, the journal as a table. */
#include "desk/notices/api.h"
#include "desk/notices/room.h"
#include "base/file.h"
#include "desk/blob.h"
#include "table/table.h"

/* sent_pdf - as it went out; the bytes must be those of its hash. */
static int sent_pdf(struct call *c, const char *sha256, struct buf *out)
{
    char tail[100], path[4096], sum[65];
    int rc;

    snprintf(tail, sizeof tail, "documents/%.64s.pdf", sha256);
    rc = file_read(node_path(c->d->setup.node, tail, path), DESK_DOCUMENT_MAX, out, c->e);
    if (rc < 0)
        return err_wrap(c->e, -EIO, "the document of a notice is not on disk");
    secret_sha256_hex(buf_view(out), sum);
    return strcmp(sum, sha256) == 0 ? 0 : err_set(c->e, -EIO, "the document on disk is not the one that was sent: \"%s\"", path);
}

struct drawn {
    struct str number, form, values, tlp, edition, sender, paragraph, to[NOTICE_ADDRESSEES_MAX];
    size_t     to_count;
    time_ns    made_at;
};

/* parties_of - in the order in which they were named, from the frozen bytes. */
static int parties_of(struct call *c, int64_t id, struct drawn *n)
{
    sqlite3_stmt *st = db_query(c->d, c->e, "SELECT json_extract(a.value, '$.name') FROM notice_record r,"
                                            " json_each(r.canonical, '$.addressees') a WHERE r.id = ? ORDER BY a.key LIMIT 64", "i", id);
    int rc = st ? 0 : -EIO;

    n->to_count = 0;
    while (st && (rc = db_step(c->d, st, c->e)) > 0)
        n->to[n->to_count++] = db_copy(st, 0, &c->a);
    return rc;
}

static int draw_anew(struct call *c, const struct drawn *n, enum notice_bytes what, struct buf *out)
{
    bool both = what != NOTICE_PDF_KK, table = what == NOTICE_XLSX || what == NOTICE_CSV;
    struct duty_world w;
    int rc = world_of(c, n->edition, &w);
    const struct form *f = rc == 0 ? edition_form(w.edition, n->form) : NULL;
    struct form_values *vs = arena_alloc(&c->a, sizeof *vs);
    struct form_document doc = { .world = &w, .catalog = c->d->setup.catalog, .form = f, .values = vs, .notice_number = n->number,
                                 .sender = n->sender, .paragraph = n->paragraph, .addressees = n->to, .addressee_count = n->to_count,
                                 .tlp = n->tlp, .produced_at = n->made_at, .langs = { LANG_KK, LANG_RU }, .lang_count = both ? 2 : 1,
                                 .side_by_side = both };

    rc = f && vs ? forms_values_read(&w, f, n->values, &c->a, vs, c->e) : -ENOTSUP;
    if (rc < 0)
        return err_wrap(c->e, -EIO, "drawing a notice anew");
    return table ? notice_sheet(c, &doc, what == NOTICE_CSV, out) : forms_render_pdf(&doc, out, c->e);
}

static int bytes(struct call *c, int64_t id, enum notice_bytes what, struct buf *out, char name[64])
{
    struct drawn n;
    sqlite3_stmt *st;
    int rc = notice_seen(c, id);

    if (rc < 0)
        return rc;
    st = db_query(c->d, c->e, "SELECT number, form, form_values, tlp, made_at, pdf_sha256, canonical, edition, sender_name, paragraph"
                             " FROM notice_record WHERE id = ?", "i", id);
    rc = st ? db_step(c->d, st, c->e) : -EIO;
    if (rc <= 0)
        return rc < 0 ? rc : -ENOENT;
    n = (struct drawn){ .number = db_copy(st, 0, &c->a), .form = db_copy(st, 1, &c->a), .values = db_copy(st, 2, &c->a), .tlp = db_copy(st, 3, &c->a),
                        .made_at = sqlite3_column_int64(st, 4), .edition = db_copy(st, 7, &c->a), .sender = db_copy(st, 8, &c->a),
                        .paragraph = db_copy(st, 9, &c->a) };
    struct str pdf = db_copy(st, 5, &c->a);
    if (what == NOTICE_CANONICAL)
        buf_str(out, db_str(st, 6));
    db_done(st);
    snprintf(name, 64, "%.*s", STR_ARG(n.number));
    rc = audit_read(c, "document.read", "notice", n.number);
    if (rc < 0) {
        buf_reset(out);
        return rc;
    }
    if (what == NOTICE_CANONICAL)
        return 0;
    if (what == NOTICE_SENT_PDF)
        return sent_pdf(c, pdf.p, out);
    rc = parties_of(c, id, &n);
    return rc < 0 ? rc : draw_anew(c, &n, what, out);
}

int desk_notice_bytes(struct desk *d, const struct viewer *v, struct str id, enum notice_bytes what, time_ns now, struct buf *out, char name[64],
                      struct desk_reply *r)
{
    struct call c;
    int rc;

    desk_call_init(&c, d, v, now, r);
    rc = bytes(&c, parse_id(id), what, out, name);
    desk_call_free(&c);
    return refuse_rc(r, rc);
}

static int open_file(struct call *c, int64_t id, struct str sha256, int *fd)
{
    struct blob blob;
    sqlite3_stmt *st;
    int rc = notice_seen(c, id);

    if (rc < 0)
        return rc;
    st = db_query(c->d, c->e,
                  "SELECT sha256, name, type, size_bytes FROM notice_document WHERE record_id = ?1 AND sha256 = ?2 UNION ALL SELECT scan_sha256,"
                  " scan_name, scan_type, scan_size FROM notice_paper WHERE record_id = ?1 AND scan_sha256 = ?2 LIMIT 1",
                  "it", id, sha256);
    rc = st ? db_step(c->d, st, c->e) : -EIO;
    if (rc <= 0)
        return rc < 0 ? rc : refuse(c, -ENOENT, "not_found", NULL, "no such file of this notice");
    struct str hash = db_copy(st, 0, &c->a);
    c->r->json = json_pack("{s:o, s:o, s:I}", "name", db_json(st, 1), "type", db_json(st, 2), "size_bytes", (json_int_t)sqlite3_column_int64(st, 3));
    db_done(st);
    rc = audit_read(c, "document.read", arena_printf(&c->a, "notice/%lld", (long long)id).p, hash);
    return rc < 0 ? rc : blob_open(c, hash.p, fd, &blob);
}

int desk_notice_file(struct desk *d, const struct viewer *v, struct str id, struct str sha256, time_ns now, int *fd, struct desk_reply *r)
{
    struct call c;
    int rc;

    desk_call_init(&c, d, v, now, r);
    rc = open_file(&c, parse_id(id), sha256, fd);
    desk_call_free(&c);
    return refuse_rc(r, rc);
}

/* --- the journal as a table --- */

static const struct {
    const char *key, *field;
    unsigned    width;
} columns[] = {
    { "notice.journal.number", "number", 18 },   { "notice.journal.direction", "direction", 10 }, { "notice.journal.made", "made_at", 18 },
    { "notice.journal.paragraph", "paragraph", 8 }, { "notice.journal.title", "title", 60 },       { "notice.journal.sender", "sender", 40 },
    { "notice.journal.to", "addressees", 40 },   { "notice.journal.object", "object", 40 },       { "notice.journal.tlp", "tlp", 14 },
    { "notice.journal.version", "version", 8 },  { "notice.journal.sha256", "sha256", 66 },
};

static struct str cell(struct call *c, const json_t *item, const char *field)
{
    const json_t *v = json_object_get(item, field), *one;
    char key[40];
    size_t i;
    time_ns t;
    AUTO_BUF struct buf b;

    buf_init(&b, 64 * KIB);
    if (strcmp(field, "made_at") == 0 && time_parse_rfc3339(json_get_str(item, field), &t, NULL, NULL) == 0)
        return duty_time_text(c->d->setup.world, t, true, &c->a);
    if (strcmp(field, "direction") == 0) {
        snprintf(key, sizeof key, "notice.direction.%.3s", json_string_value(v));
        return catalog_text(c->d->setup.catalog, c->v->lang, key);
    }
    if (json_is_object(v))
        return json_get_str(v, "name");
    if (json_is_integer(v))
        return arena_printf(&c->a, "%lld", (long long)json_integer_value(v));
    json_array_foreach(v, i, one) {
        if (i)
            buf_str(&b, STR("; "));
        buf_str(&b, json_get_str(one, "name"));
    }
    return json_is_array(v) ? arena_copy(&c->a, buf_view(&b)) : json_get_str(item, field);
}

static int write_table(struct call *c, json_t *items, bool csv, struct buf *out)
{
    char folder[4096];
    struct table_writer_setup s = { .format = csv ? TABLE_CSV : TABLE_XLSX, .created = c->now, .folder = node_path(c->d->setup.node, "run", folder) };
    struct str names[COUNT(columns)];
    unsigned widths[COUNT(columns)];
    struct table_writer *w;
    json_t *item;
    size_t i;
    int rc = table_writer_new(&s, &w, c->e);

    if (rc < 0)
        return rc;
    for (size_t k = 0; k < COUNT(columns); k++) {
        names[k] = catalog_text(c->d->setup.catalog, c->v->lang, columns[k].key);
        widths[k] = columns[k].width;
    }
    table_sheet(w, "1");
    table_header(w, names, widths, COUNT(columns));
    json_array_foreach(items, i, item) {
        for (size_t k = 0; k < COUNT(columns); k++)
            table_put(w, cell(c, item, columns[k].field));
        table_end_row(w);
    }
    rc = table_writer_finish(w, out, c->e);
    table_writer_free(&w);
    return rc;
}

int desk_notices_table(struct desk *d, const struct viewer *v, const struct notices_query *q, bool csv, time_ns now, struct buf *out,
                       struct desk_reply *r)
{
    json_t *items = NULL;
    struct call c;
    int rc = desk_notices(d, v, q, now, r);

    if (rc < 0)
        return rc;
    desk_call_init(&c, d, v, now, r);
    items = json_incref(json_object_get(r->json, "items"));
    rc = write_table(&c, items, csv, out);
    json_decref(items);
    if (rc == 0)
        rc = db_begin(d, c.e);
    if (rc == 0)
        rc = db_end(d, audit_add(&c, "notice.export", "notice", STR("journal"), "ok"), c.e);
    desk_call_free(&c);
    return refuse_rc(r, rc);
}
