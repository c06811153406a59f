/* import.c - tables into the registry: read, dry run, and what the dry run showed written in one transaction. */
#include "desk/tables/import_run.h"
#include "desk/blob.h"
#include "base/log.h"

#include <sys/mman.h>
#include <sys/stat.h>

#define HEADING_LETTERS 200
#define SEARCH_PIECE    100   /* records of one transaction of the search */
#define SAMPLES         3

static const char *const empty_values[] = { "keep", "clear", NULL };

/* --- the file --- */

struct file_view {
    struct str bytes;
    void      *map;
};

static void file_close(struct file_view *f)
{
    if (f->map)
        munmap(f->map, f->bytes.n);
    f->map = NULL;
}

static int file_open(struct call *c, const char *sha256, struct file_view *f)
{
    struct blob blob;
    struct stat st;
    AUTO_CLOSE int fd = -1;
    int rc = blob_open(c, sha256, &fd, &blob);

    *f = (struct file_view){ .bytes = STR("") };
    if (rc < 0)
        return rc;
    if (fstat(fd, &st) < 0)
        return err_sys(c->e, "could not look at an uploaded table");
    if (st.st_size == 0 || st.st_size > (off_t)TABLE_BYTES_MAX)
        return refuse(c, -EINVAL, "bad_request", "upload_id", "a table has from 1 byte to %u MiB", TABLE_BYTES_MAX / MIB);
    f->map = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
    if (f->map == MAP_FAILED) {
        f->map = NULL;
        return err_sys(c->e, "could not map an uploaded table");
    }
    f->bytes = str_of(f->map, (size_t)st.st_size);
    return 0;
}

/* --- reading the headings --- */

struct heading_work {
    struct call   *c;
    enum record_kind kind;
    struct target  targets[IMPORT_COLUMNS_MAX];
    size_t         target_count;
    bool           taken[IMPORT_COLUMNS_MAX];
    json_t        *headings;
    int64_t        row;
    int            samples;
};

static int heading_row(void *arg, const struct table_row *row, struct err *e)
{
    struct heading_work *w = arg;

    for (size_t i = 0; w->row == 0 && i < row->count; i++) {
        struct str text = str_trim(row->cells[i].text);
        const struct target *t = target_guess(w->c, w->kind, w->targets, w->target_count, text);
        size_t at = t ? (size_t)(t - w->targets) : 0;
        char column[8];

        if (json_array_size(w->headings) == IMPORT_COLUMNS_MAX)
            return err_set(e, -E2BIG, "a table of more than %d columns", IMPORT_COLUMNS_MAX);
        if (t && w->taken[at])
            t = NULL;
        else if (t)
            w->taken[at] = true;
        json_array_append_new(w->headings, json_pack("{s:s, s:I, s:o, s:o, s:[]}", "column", table_column_name(row->cells[i].column, column), "number",
                                                     (json_int_t)row->cells[i].column, "heading", json_str(str_of(text.p, min_size(text.n, HEADING_LETTERS * 4))),
                                                     "field", t ? json_string(t->name) : json_null(), "samples"));
    }
    if (w->row == 0) {
        w->row = row->number;
        return 0;
    }
    json_t *h;
    size_t i;
    json_array_foreach(w->headings, i, h) {
        const struct table_cell *cell = table_cell_find(row, (uint32_t)json_integer_value(json_object_get(h, "number")));

        if (cell && json_array_size(json_object_get(h, "samples")) < SAMPLES)
            json_array_append_new(json_object_get(h, "samples"), json_str(str_of(cell->text.p, min_size(cell->text.n, 200))));
    }
    return ++w->samples == SAMPLES ? -ECANCELED : 0; /* enough was seen */
}

static int table_refused(struct call *c, int rc)
{
    return rc == -EBADMSG || rc == -E2BIG || rc == -EINVAL ? refuse(c, -EINVAL, "bad_request", "upload_id", "%s", arena_copy(&c->a, str_c(c->e->text)).p) : rc;
}

static int sheets_json(struct call *c, struct str bytes, json_t *out)
{
    struct str *names;
    size_t count;
    int rc = table_sheets(bytes, &c->a, &names, &count, c->e);

    for (size_t i = 0; rc == 0 && i < count; i++)
        json_array_append_new(out, json_str(names[i]));
    return rc;
}

static int run_read(struct call *c, int64_t id, struct import_run *run, json_t **json);

static int import_read(struct call *c, const json_t *body)
{
    struct heading_work w = { .c = c, .kind = record_kind_parse(json_get_str(body, "kind")), .headings = json_array() };
    struct table_options o = { .sheet = json_get_str(body, "sheet") };
    json_t *sheets = json_array();
    struct import_run *run = arena_alloc(&c->a, sizeof *run);
    struct file_view f = { .map = NULL };
    struct blob blob;
    int rc = blob_take(c, json_get_str(body, "upload_id"), "upload_id", &blob);

    w.target_count = targets_of(w.kind, w.targets);
    if (rc == 0)
        rc = run ? file_open(c, blob.sha256, &f) : -ENOMEM;
    if (rc == 0)
        rc = table_refused(c, sheets_json(c, f.bytes, sheets));
    if (rc == 0) {
        rc = table_read(f.bytes, &o, heading_row, &w, c->e);
        rc = rc == -ECANCELED ? 0 : table_refused(c, rc);
    }
    if (rc == 0 && w.row == 0)
        rc = refuse(c, -EINVAL, "bad_request", "upload_id", "the table is empty");
    file_close(&f);
    AUTO_FREE char *heads = json_dumps(w.headings, JSON_COMPACT), *names = json_dumps(sheets, JSON_COMPACT);
    struct str first = json_array_size(sheets) ? str_c(json_string_value(json_array_get(sheets, 0))) : STR("");
    if (rc == 0)
        rc = db_exec(c->d, c->e,
                     "INSERT INTO import_run(kind, sha256, file_name, sheet, sheets, headings, heading_row, state, created_at, author_id)"
                     " VALUES (?,?,?,?,?,?,?,'read',?,?)",
                     "zzztzziii", record_kind_name(w.kind), blob.sha256, blob.name, o.sheet.n ? o.sheet : first, names, heads, w.row, c->now, c->v->user_id);
    json_decref(w.headings);
    json_decref(sheets);
    return rc < 0 ? rc : run_read(c, sqlite3_last_insert_rowid(c->d->db), run, &c->r->json);
}

int desk_import_read(struct desk *d, const struct viewer *v, const json_t *body, time_ns now, struct desk_reply *r)
{
    static const char *const kind_values[] = { "organisation", "person", "object", "component", "contact", "contract", NULL };
    static const struct body_field fields[] = {
        { "upload_id", BODY_STRING, true, false, 1, 64, NULL },
        { "kind", BODY_ENUM, true, false, 0, 0, kind_values },
        { "sheet", BODY_STRING, false, true, 0, 100, NULL },
    };
    struct call c;
    int rc;

    desk_call_init(&c, d, v, now, r);
    rc = body_check(body, fields, COUNT(fields), r->field, c.e);
    if (rc == 0)
        rc = db_begin(d, c.e);
    if (rc == 0)
        rc = db_end(d, import_read(&c, body), c.e);
    desk_call_free(&c);
    return refuse_rc(r, rc);
}

/* --- a run --- */

static int counts_json(struct call *c, int64_t id, int64_t checked, json_t **out)
{
    sqlite3_stmt *st = db_query(c->d, c->e, "SELECT action, count(*) FROM import_row WHERE run_id = ? AND attempt = ? GROUP BY action", "ii", id, checked);
    int rc = st ? 0 : -EIO;

    *out = json_pack("{s:i, s:i, s:i, s:i}", "create", 0, "change", 0, "same", 0, "error", 0);
    while (st && (rc = db_step(c->d, st, c->e)) > 0) {
        struct str action = db_str(st, 0);
        json_object_setn_new(*out, action.p, action.n, json_integer(sqlite3_column_int64(st, 1)));
    }
    return rc;
}

static json_t *loaded(struct str text) { return text.n ? json_loadb(text.p, text.n, 0, NULL) : NULL; }

/* run_read - one's own kind of run: whoever may import may see it. json (may be NULL): schema Import. */
static int run_read(struct call *c, int64_t id, struct import_run *run, json_t **json)
{
    sqlite3_stmt *st = db_query(c->d, c->e,
                                "SELECT r.kind, r.sha256, r.file_name, r.sheet, r.sheets, r.headings, r.heading_row, r.state, r.checked, r.columns, r.empty,"
                                " r.author_id, r.created_at, r.applied_at, u.name FROM import_run r JOIN user u ON u.id = r.author_id WHERE r.id = ?", "i", id);
    int rc = st ? db_step(c->d, st, c->e) : -EIO;
    json_t *created, *applied, *author, *counts = NULL;

    if (rc <= 0)
        return rc < 0 ? rc : refuse(c, -ENOENT, "not_found", NULL, "no such import");
    *run = (struct import_run){ .id = id, .checked = sqlite3_column_int64(st, 8), .author_id = sqlite3_column_int64(st, 11),
                                .kind = record_kind_parse(db_str(st, 0)), .sha256 = db_copy(st, 1, &c->a), .file_name = db_copy(st, 2, &c->a),
                                .sheet = db_copy(st, 3, &c->a), .sheets = db_copy(st, 4, &c->a), .headings = db_copy(st, 5, &c->a),
                                .state = db_copy(st, 7, &c->a), .columns_json = db_copy(st, 9, &c->a), .empty = db_copy(st, 10, &c->a),
                                .heading_row = sqlite3_column_int64(st, 6) };
    created = db_json_time(st, 12);
    applied = db_json_time(st, 13);
    author = json_pack("{s:o, s:o}", "id", db_json_id(st, 11), "name", db_json(st, 14));
    db_done(st);
    rc = counts_json(c, id, run->checked, &counts);
    if (json) {
        json_t *columns = loaded(run->columns_json);

        *json = json_pack("{s:o, s:s, s:o, s:o, s:o, s:o, s:o, s:I, s:o, s:o, s:o, s:o, s:o, s:o}", "id", json_id(id), "kind", record_kind_name(run->kind),
                          "file_name", json_str(run->file_name), "sheet", json_str(run->sheet), "sheets", loaded(run->sheets), "headings",
                          loaded(run->headings), "state", json_str(run->state), "checked", (json_int_t)run->checked, "columns",
                          columns ? columns : json_null(), "empty", json_str(run->empty), "counts", counts, "author", author, "created_at", created,
                          "applied_at", applied);
    } else {
        json_decref(created);
        json_decref(applied);
        json_decref(author);
        json_decref(counts);
    }
    return rc < 0 ? rc : 0;
}

int desk_import(struct desk *d, const struct viewer *v, struct str id, time_ns now, struct desk_reply *r)
{
    struct call c;
    int rc;

    desk_call_init(&c, d, v, now, r);
    struct import_run *run = arena_alloc(&c.a, sizeof *run);
    rc = run ? run_read(&c, parse_id(id), run, &r->json) : -ENOMEM;
    desk_call_free(&c);
    return refuse_rc(r, rc);
}

/* --- the dry run --- */

static const json_t *heading_find(const json_t *headings, struct str heading)
{
    json_t *h;
    size_t i;

    json_array_foreach((json_t *)(uintptr_t)headings, i, h)
        if (str_eq(json_get_str(h, "heading"), heading))
            return h;
    return NULL;
}

/* columns_read - [{heading, field}] of the body against the headings of the table and the fields of the kind. */
static int columns_read(struct call *c, struct import_run *run, const json_t *columns)
{
    json_t *headings = loaded(run->headings), *one;
    struct target targets[IMPORT_COLUMNS_MAX];
    size_t count = targets_of(run->kind, targets), i;
    int rc = 0;

    json_array_foreach((json_t *)(uintptr_t)columns, i, one) {
        const json_t *h = heading_find(headings, json_get_str(one, "heading"));
        struct str field = json_get_str(one, "field");
        const struct target *t = NULL;
        char place[DESK_FIELD_MAX];

        snprintf(place, sizeof place, "columns.%zu.field", i);
        for (size_t k = 0; k < count; k++)
            if (str_eq(field, str_c(targets[k].name)))
                t = &targets[k];
        for (size_t k = 0; t && k < run->column_count; k++)
            if (strcmp(run->columns[k].target.name, t->name) == 0)
                rc = refuse(c, -EINVAL, "bad_request", place, "two columns for \"%s\"", t->name);
        if (rc == 0 && field.n && !t)
            rc = refuse(c, -EINVAL, "bad_request", place, "a %s has no field \"%.*s\"", record_kind_name(run->kind), STR_ARG(field));
        if (rc < 0)
            break;
        /* A kept mapping may know headings that this table lacks: they say nothing here. */
        if (t && h && run->column_count < IMPORT_COLUMNS_MAX)
            run->columns[run->column_count++] = (struct column){ (uint32_t)json_integer_value(json_object_get(h, "number")), *t };
    }
    if (rc == 0 && run->column_count == 0)
        rc = refuse(c, -EINVAL, "bad_request", "columns", "no column of the table is mapped");
    json_decref(headings);
    return rc;
}

static int mapping_keep(struct call *c, const struct import_run *run, struct str name, const char *columns)
{
    int rc = db_exec(c->d, c->e,
                     "INSERT INTO import_mapping(kind, name, columns, empty, updated_at, author_id) VALUES (?1,?2,?3,?4,?5,?6)"
                     " ON CONFLICT (kind, name) DO UPDATE SET columns = ?3, empty = ?4, updated_at = ?5, author_id = ?6",
                     "ztztii", record_kind_name(run->kind), name, columns, run->empty, c->now, c->v->user_id);

    return rc < 0 ? rc : 0;
}

struct check_work {
    struct call *c;
    const struct import_run *run;
    struct import_piece *piece;
    int64_t rows;
};

static int check_row(void *arg, const struct table_row *row, struct err *e)
{
    struct check_work *w = arg;
    int rc = 0;

    if (row->number <= w->run->heading_row)
        return 0;
    if (++w->rows > IMPORT_ROWS_MAX)
        return err_set(e, -E2BIG, "more than %d rows at once", IMPORT_ROWS_MAX);
    rc = import_row_check(w->c->d, w->c->v, w->c->now, w->run, row, w->piece, e);
    if (rc == 0 && import_piece_full(w->piece)) {
        rc = piece_write(w->c, w->run, w->piece);
        if (rc < 0 && e != w->c->e)
            err_set(e, rc, "%s", w->c->e->text);
    }
    return rc;
}

/* check_rows - every row judged and kept under the number of this dry run. */
static int check_rows(struct call *c, struct import_run *run, int64_t *rows)
{
    struct import_piece *piece = malloc(sizeof *piece);
    struct check_work w = { c, run, piece, 0 };
    struct file_view f = { .map = NULL };
    char sha[65];
    int rc = piece ? 0 : err_set(c->e, -ENOMEM, "no memory for a table");

    if (rc < 0)
        return rc;
    piece_init(piece);
    snprintf(sha, sizeof sha, "%.*s", STR_ARG(run->sha256));
    rc = file_open(c, sha, &f);
    if (rc == 0)
        rc = table_refused(c, table_read(f.bytes, &(struct table_options){ .sheet = run->sheet }, check_row, &w, c->e));
    if (rc == 0 && piece->count)
        rc = piece_write(c, run, piece);
    file_close(&f);
    piece_free(piece);
    free(piece);
    *rows = w.rows;
    return rc < 0 ? rc : 0;
}

static int check_begin(struct call *c, struct import_run *run)
{
    int rc = db_exec(c->d, c->e, "UPDATE import_run SET attempts = attempts + 1 WHERE id = ? AND state <> 'applied'", "i", run->id);

    if (rc == 0)
        return refuse(c, -EPROTO, "wrong_state", NULL, "this table has been written already");
    return rc < 0 ? rc : db_int(c->d, c->e, 0, &run->attempt, "SELECT attempts FROM import_run WHERE id = ?", "i", run->id);
}

/* check_end - this dry run becomes the one that is shown: unless the table was written, another one ended first, or its rows were forgotten. */
static int check_end(struct call *c, const struct import_run *run, const char *columns, struct str mapping, int64_t rows)
{
    int64_t kept = 0;
    int rc = db_int(c->d, c->e, 0, &kept, "SELECT count(*) FROM import_row WHERE run_id = ? AND attempt = ?", "ii", run->id, run->attempt);

    if (rc == 0 && kept == rows)
        rc = db_exec(c->d, c->e,
                     "UPDATE import_run SET state = 'checked', checked = ?4, columns = ?2, empty = ?3 WHERE id = ?1 AND state <> 'applied' AND checked < ?4",
                     "izti", run->id, columns, run->empty, run->attempt);
    if (rc == 0)
        return refuse(c, -EEXIST, "conflict", NULL, "somebody else has looked at or written this table meanwhile");
    if (rc > 0 && mapping.n)
        rc = mapping_keep(c, run, mapping, columns);
    return rc < 0 ? rc : audit_add(c, "registry.import.check", arena_printf(&c->a, "import/%lld", (long long)run->id).p, run->file_name, "ok");
}

/* forget_quietly - what nobody sees any more; what is left of it goes with the run. */
static void forget_quietly(struct call *c, const struct import_run *run, int64_t first, int64_t last)
{
    struct err kept = *c->e;

    if (import_rows_forget(c, run->id, first, last) < 0)
        log_line(LOG_WARN, "could not forget an old dry run, going on", "error.message", c->e->text, NULL);
    *c->e = kept;
}

/* import_check - three steps: a number of its own, the rows without a lock (save some at a time), and the end. A kill between leaves the dry run
 * before. */
static int import_check(struct call *c, struct str id, const json_t *body)
{
    struct import_run *run = arena_alloc(&c->a, sizeof *run);
    AUTO_FREE char *columns = json_dumps(json_object_get(body, "columns"), JSON_COMPACT);
    int64_t rows = 0;
    int rc = run && columns ? run_read(c, parse_id(id), run, NULL) : -ENOMEM;

    if (rc == 0)
        rc = columns_read(c, run, json_object_get(body, "columns"));
    if (rc < 0)
        return rc;
    run->empty = json_get_str(body, "empty").n ? json_get_str(body, "empty") : STR("keep");
    run->clear = str_eq(run->empty, STR("clear"));
    rc = db_begin(c->d, c->e);
    if (rc == 0)
        rc = db_end(c->d, check_begin(c, run), c->e);
    if (rc < 0)
        return rc;
    rc = check_rows(c, run, &rows);
    if (rc == 0)
        rc = db_begin(c->d, c->e);
    if (rc == 0)
        rc = db_end(c->d, check_end(c, run, columns, json_get_str(body, "mapping"), rows), c->e);
    forget_quietly(c, run, rc < 0 ? run->attempt : 0, rc < 0 ? run->attempt : run->attempt - 1);
    return rc < 0 ? rc : run_read(c, run->id, run, &c->r->json);
}

int desk_import_check(struct desk *d, const struct viewer *v, struct str id, const json_t *body, time_ns now, struct desk_reply *r)
{
    static const struct body_field column_fields[] = { { "heading", BODY_STRING, true, false, 1, HEADING_LETTERS * 4, NULL },
                                                       { "field", BODY_STRING, true, true, 0, 64, NULL } };
    static const struct body_field fields[] = {
        { "columns", BODY_ITEMS, true, false, 1, IMPORT_COLUMNS_MAX, NULL, column_fields, COUNT(column_fields) },
        { "empty", BODY_ENUM, false, false, 0, 0, empty_values },
        { "mapping", BODY_STRING, false, true, 0, 100, NULL },
    };
    struct call c;
    int rc;

    desk_call_init(&c, d, v, now, r);
    rc = body_check(body, fields, COUNT(fields), r->field, c.e);
    if (rc == 0)
        rc = import_check(&c, id, body);
    desk_call_free(&c);
    return refuse_rc(r, rc);
}

/* --- what it showed --- */

/* errors_worded - each error gets its words in the reader's language. */
static json_t *errors_worded(struct call *c, enum record_kind k, struct str text)
{
    json_t *errors = loaded(text), *one;
    size_t i;

    json_array_foreach(errors, i, one) {
        struct str code = json_get_str(one, "code"), field = json_get_str(one, "field");
        char key[96], name[64];

        snprintf(key, sizeof key, "table.error.%.*s", STR_ARG(code));
        snprintf(name, sizeof name, "%.*s", STR_ARG(field));
        json_t *args = json_pack("{s:o, s:o}", "field", json_str(target_label(c, k, name, c->v->lang)), "value", json_incref(json_object_get(one, "value")));
        json_object_set_new(one, "text", json_str(text_fill(&c->a, catalog_text(c->d->setup.catalog, c->v->lang, key), args)));
        json_decref(args);
    }
    return errors ? errors : json_array();
}

static int rows_page(struct call *c, const struct import_run *run, struct str action, int limit, struct str before)
{
    json_t *items = json_array();
    int64_t last = before.n ? parse_id(before) : 0;
    bool more = false;
    sqlite3_stmt *st = db_query(c->d, c->e,
                                "SELECT row, action, record_id, name, diff, errors, parent FROM import_row WHERE run_id = ?1 AND (?2 = '' OR action = ?2)"
                                " AND row > ?3 AND attempt = ?5 ORDER BY row LIMIT ?4", "itiii", run->id, action.p ? action : STR(""), last,
                                (int64_t)limit + 1, run->checked);
    int rc = st ? 0 : -EIO;

    while (st && (rc = db_step(c->d, st, c->e)) > 0) {
        if (json_array_size(items) == (size_t)limit) {
            more = true;
            db_done(st);
            break;
        }
        last = sqlite3_column_int64(st, 0);
        json_array_append_new(items, json_pack("{s:I, s:o, s:o, s:o, s:o, s:o, s:o}", "row", (json_int_t)last, "action", db_json(st, 1), "id", db_json(st, 2),
                                               "parent", db_json(st, 6), "name", db_json(st, 3), "changes", loaded(db_str(st, 4)), "errors",
                                               errors_worded(c, run->kind, db_copy(st, 5, &c->a))));
    }
    c->r->json = json_pack("{s:o, s:o}", "items", items, "next", more ? json_id(last) : json_null());
    return rc < 0 ? rc : 0;
}

int desk_import_rows(struct desk *d, const struct viewer *v, struct str id, struct str action, int limit, struct str before, time_ns now,
                     struct desk_reply *r)
{
    struct call c;
    int rc;

    desk_call_init(&c, d, v, now, r);
    struct import_run *run = arena_alloc(&c.a, sizeof *run);
    rc = run ? run_read(&c, parse_id(id), run, NULL) : -ENOMEM;
    if (rc == 0)
        rc = rows_page(&c, run, action, page_limit(limit), before);
    desk_call_free(&c);
    return refuse_rc(r, rc);
}

int desk_import_mappings(struct desk *d, const struct viewer *v, struct str kind, struct desk_reply *r)
{
    json_t *items = json_array();
    struct call c;
    int rc;

    desk_call_init(&c, d, v, 0, r);
    sqlite3_stmt *st = db_query(d, c.e, "SELECT kind, name, columns, empty, updated_at FROM import_mapping WHERE ?1 = '' OR kind = ?1 ORDER BY kind, name", "t",
                                kind.p ? kind : STR(""));
    rc = st ? 0 : -EIO;
    while (st && (rc = db_step(d, st, c.e)) > 0)
        json_array_append_new(items, json_pack("{s:o, s:o, s:o, s:o, s:o}", "kind", db_json(st, 0), "name", db_json(st, 1), "columns", loaded(db_str(st, 2)),
                                               "empty", db_json(st, 3), "updated_at", db_json_time(st, 4)));
    r->json = json_pack("{s:o, s:n}", "items", items, "next");
    desk_call_free(&c);
    return refuse_rc(r, rc);
}

/* --- writing --- */

/* apply_row - one row as the dry run showed it, with memory of its own; the story of a refusal goes to c. */
static int apply_row(struct call *c, const struct import_run *run, sqlite3_stmt *st)
{
    struct desk_reply r = { 0 };
    struct call one;
    json_t *value = loaded(db_str(st, 5));
    bool create = str_eq(db_str(st, 1), STR("create"));
    struct str found;
    char field[32];
    int rc = 0;

    desk_call_init(&one, c->d, c->v, c->now, &r);
    struct record_write w = { .kind = run->kind, .id = db_copy(st, 2, &one.a), .parent = db_copy(st, 4, &one.a), .version = sqlite3_column_int64(st, 3),
                              .value = value, .origin = "import", .search_later = true, .reason = arena_printf(&one.a, "import %lld: %.*s", (long long)run->id, STR_ARG(run->file_name)) };
    snprintf(field, sizeof field, "rows.%lld", (long long)sqlite3_column_int64(st, 0));
    w.reason.n = min_size(w.reason.n, REGISTRY_REASON_MAX);
    if (create) {
        rc = record_find(&one, run->kind, w.id, w.parent, value, &found);
        rc = rc == 1 ? 0 : rc < 0 ? rc : -EEXIST;
    }
    if (rc == 0)
        rc = record_put(&one, &w, NULL);
    if (rc == -EEXIST)
        rc = refuse(c, -EEXIST, "conflict", field, "row %lld: the registry has changed since the dry run%s%s", (long long)sqlite3_column_int64(st, 0),
                    *r.err.text ? ": " : "", r.err.text);
    else if (rc < 0) {
        refuse(c, rc, r.code ? r.code : "internal", field, "row %lld, %s: %s", (long long)sqlite3_column_int64(st, 0), r.field, r.err.text);
        if (!r.code)
            c->r->code = NULL;
    }
    json_decref(value);
    desk_call_free(&one);
    desk_reply_free(&r);
    return rc;
}

static int import_apply(struct call *c, struct str id, const json_t *body, struct import_run *run)
{
    int64_t checked = json_integer_value(json_object_get(body, "checked")), wrong = 0, n = 0;
    int rc = run_read(c, parse_id(id), run, NULL);

    if (rc == 0 && !str_eq(run->state, STR("checked")))
        rc = refuse(c, -EPROTO, "wrong_state", NULL, "a table is written once, after its dry run");
    if (rc == 0 && checked != run->checked)
        rc = refuse(c, -EEXIST, "conflict", "checked", "dry run %lld was looked at, %lld is the newest", (long long)checked, (long long)run->checked);
    if (rc == 0)
        rc = db_int(c->d, c->e, 0, &wrong, "SELECT count(*) FROM import_row WHERE run_id = ? AND attempt = ? AND action = 'error'", "ii", run->id, run->checked);
    if (rc == 0 && wrong && !json_is_true(json_object_get(body, "leave_errors")))
        rc = refuse(c, -EPROTO, "wrong_state", "leave_errors", "%lld rows are wrong", (long long)wrong);
    if (rc < 0)
        return rc;
    sqlite3_stmt *st = db_query(c->d, c->e,
                                "SELECT row, action, record_id, version, parent, value FROM import_row WHERE run_id = ?1 AND attempt = ?2 AND action IN"
                                " ('create','change') ORDER BY row", "ii", run->id, run->checked);
    rc = st ? 0 : -EIO;
    while (st && rc >= 0 && (rc = db_step(c->d, st, c->e)) > 0) {
        rc = apply_row(c, run, st);
        n++;
    }
    if (rc < 0 && st)
        db_done(st);
    if (rc >= 0)
        rc = db_exec(c->d, c->e, "UPDATE import_run SET state = 'applied', applied_at = ?2, applied_by = ?3 WHERE id = ?1", "iii", run->id, c->now,
                     c->v->user_id);
    if (rc >= 0)
        rc = audit_add(c, "registry.import", arena_printf(&c->a, "import/%lld", (long long)run->id).p,
                       arena_printf(&c->a, "%.*s: %lld records", STR_ARG(run->file_name), (long long)n), "ok");
    return rc < 0 ? rc : run_read(c, run->id, run, &c->r->json);
}

int desk_import_apply(struct desk *d, const struct viewer *v, struct str id, const json_t *body, time_ns now, struct desk_reply *r)
{
    static const struct body_field fields[] = { { "checked", BODY_COUNT, true, false, 0, 0, NULL }, { "leave_errors", BODY_BOOL, false, false, 0, 0, NULL } };
    struct call c;
    int rc;

    desk_call_init(&c, d, v, now, r);
    struct import_run *run = arena_alloc(&c.a, sizeof *run);
    rc = run ? body_check(body, fields, COUNT(fields), r->field, c.e) : -ENOMEM;
    if (rc == 0)
        rc = db_begin(d, c.e);
    if (rc == 0)
        rc = db_end(d, import_apply(&c, id, body, run), c.e);
    /* The search follows in pieces; a kill here leaves it to the next ticks. */
    for (int more = rc == 0 ? 1 : 0; more > 0;)
        more = records_search(&c, SEARCH_PIECE);
    if (rc == 0 && run->kind == RECORD_OBJECT)
        rc = objects_export(d, c.e) < 0 ? err_wrap(c.e, -EIO, "the change is kept, but ingest could not be told") : 0;
    desk_call_free(&c);
    return refuse_rc(r, rc);
}
