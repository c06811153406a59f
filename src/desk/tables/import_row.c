/* import_row.c - what one row of a table would do: a value of a record, the differences to what is there, an error for each cell that is wrong. */
#include "desk/tables/import_run.h"
#include "desk/registry/room.h"

struct row_work {
    struct call       *c;        /* of this row alone */
    const struct import_run *run;
    const struct table_row  *row;
    json_t  *given, *errors;
    struct str id, parent, found;
    bool     known;              /* there is such a record */
};

static const struct column *column_of(const struct import_run *run, const char *field)
{
    for (size_t i = 0; i < run->column_count; i++)
        if (strcmp(run->columns[i].target.name, field) == 0)
            return &run->columns[i];
    return NULL;
}

/* fault - a code, the cell and what stood in it; the words come with reading, in the reader's language. */
static void fault(struct row_work *w, const struct column *col, const char *field, const char *code, struct str value, const char *detail)
{
    char name[8] = "";

    if (json_array_size(w->errors) >= IMPORT_ERRORS_MAX)
        return;
    json_array_append_new(w->errors, json_pack("{s:s, s:s, s:s, s:o, s:s}", "column", col ? table_column_name(col->number, name) : "", "field", field, "code",
                                               code, "value", json_str(str_of(value.p ? value.p : "", min_size(value.n, 200))), "detail", detail));
}

static int read_reference(struct row_work *w, const struct column *col, struct str text, json_t **out)
{
    struct str id;
    int rc = reference_find(w->c, col->target.name, text, &id);

    if (rc == 0)
        *out = json_str(id);
    else if (rc > 0)
        fault(w, col, col->target.name, rc == 1 ? "unknown_reference" : "ambiguous", text, "");
    return rc < 0 ? rc : 0;
}

static int read_cell(struct row_work *w, const struct column *col, const struct table_cell *cell)
{
    const char *name = col->target.name, *code = NULL;
    struct str text = str_trim(cell->text);
    json_t *v = NULL;
    int rc = 0;

    if (strcmp(name, "id") == 0) {
        w->id = arena_copy(&w->c->a, text);
        if (text.n > ID_MAX || strspn(w->id.p, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.") != text.n)
            fault(w, col, name, "bad_id", text, "");
        return 0;
    }
    if (strcmp(name, "parent") == 0) {
        rc = parent_find(w->c, text, &w->parent);
        if (rc > 0)
            fault(w, col, name, rc == 1 ? "unknown_reference" : "ambiguous", text, "");
        return rc < 0 ? rc : 0;
    }
    rc = read_reference(w, col, text, &v);
    if (rc == -ENOTSUP && cell_to_json(w->c, col->target.field, cell, &v, &code) < 0)
        fault(w, col, name, code, text, "");
    if (v)
        json_object_set_new(w->given, name, v);
    return rc == -ENOTSUP ? 0 : rc;
}

static int read_cells(struct row_work *w)
{
    int rc = 0;

    for (size_t i = 0; rc == 0 && i < w->run->column_count; i++) {
        const struct column *col = &w->run->columns[i];
        const struct table_cell *cell = table_cell_find(w->row, col->number);

        if (cell && str_trim(cell->text).n)
            rc = read_cell(w, col, cell);
        else if (w->run->clear && col->target.field)
            json_object_set_new(w->given, col->target.name, json_null());
    }
    return rc;
}

/* target_of - two rows of a table with the same one are about the same record. */
static struct str target_of(struct row_work *w, const json_t *value)
{
    struct arena *a = &w->c->a;
    struct str name = fold_text(json_get_str(value, w->run->kind == RECORD_CONTRACT ? "number" : "name"), a), bin = json_get_str(value, "bin");

    if (w->known || w->id.n)
        return arena_printf(a, "id %.*s", STR_ARG(w->known ? w->found : w->id));
    if (w->run->kind == RECORD_ORGANISATION && bin.n)
        return arena_printf(a, "bin %.*s", STR_ARG(bin));
    if (w->run->kind == RECORD_CONTACT)
        return arena_printf(a, "contact %.*s %.*s %.*s", STR_ARG(w->parent), STR_ARG(json_get_str(value, "person_id")), STR_ARG(json_get_str(value, "role")));
    return arena_printf(a, "name %.*s/%.*s/%.*s", STR_ARG(w->parent), STR_ARG(json_get_str(value, "org_id")), STR_ARG(name));
}

/* row_add - what the row would do, into the piece. */
static void row_add(struct row_work *w, const struct record *old, const json_t *value, const json_t *diff, struct import_piece *p)
{
    const char *action = json_array_size(w->errors) ? "error" : !w->known ? "create" : json_array_size(diff) ? "change" : "same";
    bool write = strcmp(action, "create") == 0 || strcmp(action, "change") == 0, wrong = strcmp(action, "error") == 0;
    AUTO_FREE char *text = write ? json_dumps(value, JSON_COMPACT) : NULL, *diffs = wrong ? NULL : json_dumps(diff, JSON_COMPACT);
    struct str name = json_get_str(value, w->run->kind == RECORD_CONTRACT ? "number" : w->run->kind == RECORD_CONTACT ? "person_id" : "name");
    struct str id = w->known ? w->found : w->id, none = { NULL, 0 };

    p->rows[p->count++] = (struct judged){ .row = (int64_t)w->row->number, .version = w->known ? old->version : 0, .action = action,
                                           .target = wrong ? none : arena_copy(&p->a, target_of(w, value)), .id = id.n ? arena_copy(&p->a, id) : none,
                                           .parent = w->parent.p ? arena_copy(&p->a, w->parent) : none, .name = arena_copy(&p->a, name.p ? name : STR("")),
                                           .value = text ? arena_copy(&p->a, str_c(text)) : none,
                                           .diff = arena_copy(&p->a, diffs ? str_c(diffs) : STR("[]")), .errors = json_incref(w->errors) };
    p->bytes += (text ? strlen(text) : 0) + (diffs ? strlen(diffs) : 0);
}

/* row_insert - a second row about the same record becomes an error. */
static int row_insert(struct call *c, const struct import_run *run, struct judged *j)
{
    struct row_work w = { .run = run, .errors = j->errors };
    int rc = -EEXIST;

    for (int turn = 0; turn < 2 && rc == -EEXIST; turn++) {
        AUTO_FREE char *errors = json_dumps(j->errors, JSON_COMPACT);

        rc = db_exec(c->d, c->e,
                     "INSERT INTO import_row(run_id, attempt, row, action, target, record_id, version, parent, name, value, diff, errors)"
                     " VALUES (?,?,?,?,?,?,?,?,?,?,?,?)",
                     "iiizttitttt" "z", run->id, run->attempt, j->row, j->action, j->target, j->id, j->version, j->parent, j->name, j->value, j->diff, errors);
        if (rc != -EEXIST || turn)
            break;
        fault(&w, column_of(run, "id"), "id", "twice", j->name, "");
        j->action = "error";
        j->target = j->value = (struct str){ NULL, 0 };
        j->diff = STR("[]");
    }
    return rc < 0 ? rc : 0;
}

/* --- pieces --- */

void piece_init(struct import_piece *p)
{
    p->count = p->bytes = 0;
    arena_init(&p->a, 0);
}

static void piece_empty(struct import_piece *p)
{
    for (size_t i = 0; i < p->count; i++)
        json_decref(p->rows[i].errors);
    p->count = p->bytes = 0;
    arena_reset(&p->a);
}

void piece_free(struct import_piece *p)
{
    piece_empty(p);
    arena_free(&p->a);
}

bool import_piece_full(const struct import_piece *p) { return p->count == IMPORT_PIECE_ROWS || p->bytes >= IMPORT_PIECE_BYTES; }

int piece_write(struct call *c, const struct import_run *run, struct import_piece *p)
{
    int rc = arena_failed(&p->a) ? err_set(c->e, -ENOMEM, "no memory for rows of a table") : db_begin(c->d, c->e);

    if (rc < 0)
        return rc;
    for (size_t i = 0; rc >= 0 && i < p->count; i++)
        rc = row_insert(c, run, &p->rows[i]);
    rc = db_end(c->d, rc, c->e);
    piece_empty(p);
    return rc;
}

static int forget_some(struct call *c, int64_t run, int64_t first, int64_t last)
{
    return db_exec(c->d, c->e,
                   "DELETE FROM import_row WHERE run_id = ?1 AND (attempt, row) IN (SELECT attempt, row FROM import_row WHERE run_id = ?1 AND"
                   " attempt BETWEEN ?2 AND ?3 ORDER BY attempt, row LIMIT 500)", "iii", run, first, last);
}

int import_rows_forget(struct call *c, int64_t run, int64_t first, int64_t last)
{
    int rc = 1;

    while (rc > 0) {
        rc = db_begin(c->d, c->e);
        if (rc == 0)
            rc = db_end(c->d, forget_some(c, run, first, last), c->e);
    }
    return rc;
}

/* value_of - what the record would be: what it is, with the cells of the row put in. */
static json_t *value_of(const struct row_work *w, const struct record *old)
{
    json_t *out = old->value && !old->removed ? json_deep_copy(old->value) : json_object(), *v;
    const char *key;

    json_object_foreach(w->given, key, v) {
        if (json_is_null(v))
            json_object_del(out, key);
        else
            json_object_set(out, key, v);
    }
    if (w->run->kind == RECORD_PERSON && !json_object_get(out, "channels"))
        json_object_set_new(out, "channels", json_array());
    if (w->run->kind == RECORD_PERSON && !json_object_get(out, "language"))
        json_object_set_new(out, "language", json_string("kk"));
    return out;
}

static int value_judge(struct row_work *w, const json_t *value)
{
    struct record_write put = { .kind = w->run->kind, .id = w->known ? w->found : w->id, .parent = w->parent, .value = value, .reason = STR("import"),
                                .origin = "import" };
    char field[DESK_FIELD_MAX];
    int rc = record_check(w->c, &put);

    if (rc != -EINVAL)
        return rc;
    snprintf(field, sizeof field, "%s", w->c->r->field);
    field[strcspn(field, ".")] = '\0';
    const json_t *v = json_object_get(value, field);
    bool lacks = !v || json_is_null(v), two = w->c->r->code && strcmp(w->c->r->code, "exclusion_by_request") == 0;
    AUTO_FREE char *shown = v && !json_is_string(v) ? json_dumps(v, JSON_COMPACT | JSON_ENCODE_ANY) : NULL;

    fault(w, column_of(w->run, field), field, two ? w->c->r->code : lacks ? "required" : "invalid", shown ? str_c(shown) : json_get_str(value, field), w->c->e->text);
    return 0;
}

/* key_of - the cell by which a row without an id says what it is about. */
static const char *key_of(const struct row_work *w)
{
    switch (w->run->kind) {
    case RECORD_ORGANISATION:
        return json_get_str(w->given, "bin").n ? "bin" : "name";
    case RECORD_CONTACT:
        return "person_id";
    case RECORD_CONTRACT:
        return "number";
    default:
        return "name";
    }
}

int import_row_check(struct desk *d, const struct viewer *v, time_ns now, const struct import_run *run, const struct table_row *row,
                     struct import_piece *p, struct err *e)
{
    struct desk_reply r = { 0 };
    struct record old = { 0 };
    struct call c;
    struct row_work w = { &c, run, row, json_object(), json_array(), .known = false };
    json_t *value = NULL, *before = NULL, *after = NULL, *diff = NULL;
    int rc;

    desk_call_init(&c, d, v, now, &r);
    rc = read_cells(&w);
    if (rc == 0)
        rc = record_find(&c, run->kind, w.id, w.parent, w.given, &w.found);
    if (rc == 2) {
        const char *key = key_of(&w);

        fault(&w, column_of(run, key), key, "ambiguous", json_get_str(w.given, key), "");
    }
    w.known = rc == 0;
    if (rc == 0)
        rc = record_read(&c, run->kind, w.found, 0, &old);
    if (rc >= 0) {
        value = value_of(&w, &old);
        w.parent = w.known ? old.parent : w.parent;
        rc = json_array_size(w.errors) ? 0 : value_judge(&w, value);
    }
    if (rc == 0) {
        before = w.known ? value_whole(run->kind, old.value) : NULL;
        after = value_whole(run->kind, value);
        diff = json_array_size(w.errors) ? json_array() : record_diff(before, after);
        row_add(&w, &old, value, diff, p);
    }
    if (rc < 0)
        err_set(e, rc, "%s", r.err.text);
    json_decref(value);
    json_decref(before);
    json_decref(after);
    json_decref(diff);
    json_decref(w.given);
    json_decref(w.errors);
    record_done(&old);
    desk_call_free(&c);
    desk_reply_free(&r);
    return rc < 0 ? rc : 0;
}
