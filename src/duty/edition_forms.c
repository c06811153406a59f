/* edition_forms.c - forms.yaml: the annex forms and our own. */
#include "duty/internal.h"

static const char *const type_names[FIELD_TYPE_COUNT + 1] = {
    [FIELD_GROUP] = "group", [FIELD_TEXT] = "text",   [FIELD_DATE] = "date", [FIELD_INSTANT] = "instant",
    [FIELD_ENUM] = "enum",   [FIELD_ENUMS] = "enums", [FIELD_LIST] = "list", [FIELD_IOCS] = "iocs",
    [FIELD_IP] = "ip",
    [FIELD_NUMBER] = "number", [FIELD_BOOL] = "bool", [FIELD_PARTS] = "parts", [FIELD_TABLE] = "table",
};
static const char *const presence_names[FIELD_PRESENCE_COUNT + 1] = {
    [FIELD_REQUIRED] = "required",
    [FIELD_REQUIRED_OR_NO_DATA] = "required_or_no_data",
    [FIELD_IF_IN_LOG] = "if_in_log",
    [FIELD_OPTIONAL] = "optional",
};

const char *field_type_name(enum field_type t)
{
    return t < FIELD_TYPE_COUNT ? type_names[t] : "?";
}

const char *field_presence_name(enum field_presence p)
{
    return p < FIELD_PRESENCE_COUNT ? presence_names[p] : "?";
}

static bool has_cells(const struct form_field *f)
{
    return f->type == FIELD_PARTS || f->type == FIELD_TABLE;
}

static void read_cells(const struct edition *ed, struct loader *l, const struct ynode *n, struct form_field *f);

static void read_field(const struct edition *ed, struct loader *l, const struct ynode *n, struct form_field *f)
{
    static const char *const keys[] = { "id",     "row",   "number", "type", "presence", "values",
                                        "parts",  "cells", "label",  "hint", NULL };
    struct str values;

    ld_keys(l, n, keys);
    f->id = ld_id(l, n, "id", LD_REQUIRED);
    f->row = ld_id(l, n, "row", LD_OPTIONAL);
    f->number = ld_id(l, n, "number", LD_OPTIONAL);
    f->type = (enum field_type)ld_word(l, n, "type", type_names);
    f->presence = (enum field_presence)ld_word(l, n, "presence", presence_names);
    f->parts = ld_ids(l, n, "parts", LD_OPTIONAL, &f->part_count);
    f->label = ld_label(l, n, "label", LD_REQUIRED);
    if (l->rc == 0 && yaml_get(n, "hint"))
        f->hint = ld_label(l, n, "hint", LD_REQUIRED);
    values = ld_id(l, n, "values", LD_OPTIONAL);
    read_cells(ed, l, n, f);
    if (l->rc < 0)
        return;
    if ((f->type == FIELD_ENUM || f->type == FIELD_ENUMS || f->type == FIELD_IOCS) != (values.n > 0))
        ld_fail(l, n, "\"values\" belongs to fields of type enum, enums and iocs, and only to them");
    else if (values.n && !(f->values = edition_enumeration(ed, values)))
        ld_fail(l, yaml_get(n, "values"), "no enumeration \"%.*s\" in enumerations.yaml", STR_ARG(values));
}

/* read_cells - the simple fields of a compound one. A cell has no cells of its own, so this goes one level down and no further. */
static void read_cells(const struct edition *ed, struct loader *l, const struct ynode *n, struct form_field *f)
{
    const struct ynode *list = ld_list(l, n, "cells", LD_OPTIONAL);
    struct form_field *cells = ld_array(l, list, sizeof *cells, &f->cell_count);
    size_t i = 0;

    if (l->rc == 0 && has_cells(f) != (f->cell_count > 0))
        ld_fail(l, n, "\"cells\" belongs to fields of type parts and table, and only to them");
    if (l->rc == 0 && f->cell_count > EDITION_CELLS_MAX)
        ld_fail(l, n, "at most %d cells", EDITION_CELLS_MAX);
    f->cells = cells;
    for (const struct ynode *c = cells ? list->first : NULL; c && l->rc == 0; c = c->next, i++) {
        if (yaml_get(c, "cells")) {
            ld_fail(l, c, "a cell has no cells");
            return;
        }
        read_field(ed, l, c, &cells[i]);
        if (l->rc == 0 && (cells[i].type == FIELD_GROUP || cells[i].type == FIELD_ENUMS || cells[i].type == FIELD_IOCS || has_cells(&cells[i])))
            ld_fail(l, c, "a cell is a simple field");
    }
}

static const struct form_field *read_fields(const struct edition *ed, struct loader *l, const struct ynode *list,
                                            size_t *count)
{
    struct form_field *f = ld_array(l, list, sizeof *f, count);
    size_t i = 0;

    for (const struct ynode *n = f ? list->first : NULL; n && l->rc == 0; n = n->next, i++)
        read_field(ed, l, n, &f[i]);
    return f;
}

static void unique_fields(struct loader *l, const struct ynode *n, const struct form *f)
{
    for (size_t i = 0; i < f->field_count + f->extra_count && l->rc == 0; i++) {
        const struct form_field *a = i < f->field_count ? &f->fields[i] : &f->extras[i - f->field_count];

        if (form_field_find(f, a->id) != a)
            ld_fail(l, n, "field \"%.*s\" stands twice", STR_ARG(a->id));
    }
}

static const struct label *read_labels(struct loader *l, const struct ynode *list, size_t *count)
{
    struct label *t = ld_array(l, list, sizeof *t, count);
    size_t i = 0;

    for (const struct ynode *n = t ? list->first : NULL; n && l->rc == 0; n = n->next, i++)
        t[i] = ld_label_of(l, n);
    return t;
}

/* read_table - a printed table: rows of as many cells as there are columns. */
static void read_table(struct loader *l, const struct ynode *n, struct form_table *t)
{
    static const char *const keys[] = { "title", "columns", "rows", NULL }, *const row_keys[] = { "row", "cells", NULL };
    const struct ynode *rows;
    struct label *cells;
    size_t i = 0;

    ld_keys(l, n, keys);
    t->title = ld_label(l, n, "title", LD_REQUIRED);
    t->columns = read_labels(l, ld_list(l, n, "columns", LD_REQUIRED), &t->column_count);
    rows = ld_list(l, n, "rows", LD_REQUIRED);
    if (l->rc == 0 && (t->column_count < 1 || t->column_count > 8))
        ld_fail(l, n, "a table has 1 to 8 columns");
    if (l->rc < 0)
        return;
    cells = arena_zero(l->arena, rows->count * t->column_count * sizeof *cells + 1);
    for (const struct ynode *r = cells ? rows->first : NULL; r && l->rc == 0; r = r->next, i++) {
        const struct label *row;
        size_t count = 0;

        ld_keys(l, r, row_keys);
        (void)ld_id(l, r, "row", LD_OPTIONAL);
        row = read_labels(l, ld_list(l, r, "cells", LD_REQUIRED), &count);
        if (l->rc == 0 && count != t->column_count)
            ld_fail(l, r, "%zu cells are expected, one a column", t->column_count);
        if (l->rc == 0)
            memcpy(cells + i * t->column_count, row, count * sizeof *cells);
    }
    t->cells = cells;
    t->row_count = cells ? rows->count : 0;
}

static void read_tables(struct loader *l, const struct ynode *list, struct form *f)
{
    struct form_table *t = ld_array(l, list, sizeof *t, &f->table_count);
    size_t i = 0;

    f->tables = t;
    for (const struct ynode *n = t ? list->first : NULL; n && l->rc == 0; n = n->next, i++)
        read_table(l, n, &t[i]);
}

static void read_notes(struct loader *l, const struct ynode *list, struct form *f)
{
    static const char *const keys[] = { "row", "text", NULL };
    struct label *t = ld_array(l, list, sizeof *t, &f->note_count);
    size_t i = 0;

    f->notes = t;
    for (const struct ynode *n = t ? list->first : NULL; n && l->rc == 0; n = n->next, i++) {
        ld_keys(l, n, keys);
        (void)ld_id(l, n, "row", LD_OPTIONAL);
        t[i] = ld_label(l, n, "text", LD_REQUIRED);
    }
}

static void read_form(const struct edition *ed, struct loader *l, const struct ynode *n, struct form *f)
{
    static const char *const keys[] = { "id",     "identifier", "prescribed", "annex",  "heading", "mark",
                                        "title",  "fields",     "extras",     "tables", "notes",   NULL };

    ld_keys(l, n, keys);
    f->id = ld_id(l, n, "id", LD_REQUIRED);
    f->identifier = ld_id(l, n, "identifier", LD_REQUIRED);
    f->prescribed = ld_bool(l, n, "prescribed", false);
    f->annex = (int32_t)ld_int(l, n, "annex", f->prescribed, f->prescribed ? 1 : 0, 99);
    f->heading = ld_label(l, n, "heading", f->prescribed);
    f->mark = ld_label(l, n, "mark", f->prescribed);
    f->title = ld_label(l, n, "title", LD_REQUIRED);
    f->fields = read_fields(ed, l, ld_list(l, n, "fields", LD_REQUIRED), &f->field_count);
    f->extras = read_fields(ed, l, ld_list(l, n, "extras", LD_OPTIONAL), &f->extra_count);
    read_tables(l, ld_list(l, n, "tables", LD_OPTIONAL), f);
    read_notes(l, ld_list(l, n, "notes", LD_OPTIONAL), f);
    unique_fields(l, n, f);
}

int edition_read_forms(struct edition *ed, struct loader *l)
{
    static const char *const keys[] = { "forms", NULL };
    const struct ynode *root = ld_root(l, keys);
    const struct ynode *list = root ? ld_list(l, root, "forms", LD_REQUIRED) : NULL;
    struct form *f = ld_array(l, list, sizeof *f, &ed->form_count);
    size_t i = 0;

    ed->forms = f;
    for (const struct ynode *n = f ? list->first : NULL; n && l->rc == 0; n = n->next, i++) {
        read_form(ed, l, n, &f[i]);
        if (l->rc == 0 && edition_form(ed, f[i].id) != &f[i])
            ld_fail(l, n, "form \"%.*s\" stands twice", STR_ARG(f[i].id));
    }
    return l->rc;
}
