/* sheet.c - a filled form as a table: number, label and value of each item in Kazakh and Russian, as the paper has them; in a workbook the items that are
 * tables themselves (the hardware and software of Annex 1) have a sheet each, a column for each cell. */
#include "desk/notices/room.h"
#include "table/table.h"

static const enum lang langs[] = { LANG_KK, LANG_RU };

static struct str say(const struct form_document *d, enum lang lang, const char *key) { return catalog_text(d->catalog, lang, key); }

static void item_rows(struct table_writer *w, const struct form_document *d, const struct form_field *f, size_t count, struct arena *a)
{
    for (size_t i = 0; i < count; i++) {
        table_put(w, f[i].number);
        for (size_t l = 0; l < COUNT(langs); l++) {
            table_put(w, f[i].label.text[langs[l]]);
            table_put(w, f[i].type == FIELD_GROUP ? STR("") : forms_value_text(d, &f[i], langs[l], a));
        }
        table_end_row(w);
    }
}

/* said - a line of what stands above the table of a letter. */
static void said(struct table_writer *w, const struct form_document *d, const char *key, struct str value)
{
    if (!value.n)
        return;
    table_put(w, STR(""));
    for (size_t l = 0; l < COUNT(langs); l++) {
        table_put(w, say(d, langs[l], key));
        table_put(w, value);
    }
    table_end_row(w);
}

static void first_sheet(struct table_writer *w, const struct form_document *d, struct arena *a)
{
    static const char *const keys[] = { "forms.number", "forms.field", "forms.value", "forms.field", "forms.value" };
    static const unsigned widths[] = { 8, 40, 60, 40, 60 };
    struct str head[COUNT(keys)];

    for (size_t i = 0; i < COUNT(keys); i++)
        head[i] = say(d, i < 3 ? LANG_KK : LANG_RU, keys[i]);
    table_sheet(w, "1");
    table_header(w, head, widths, COUNT(keys));
    table_put(w, STR(""));
    for (size_t l = 0; l < COUNT(langs); l++) {
        table_put(w, d->form->title.text[langs[l]]);
        table_put(w, d->form->heading.text[langs[l]]);
    }
    table_end_row(w);
    said(w, d, "forms.numbered", arena_printf(a, "%.*s, %.*s", STR_ARG(d->notice_number), STR_ARG(duty_time_text(d->world, d->produced_at, true, a))));
    said(w, d, "forms.sender", d->sender);
    for (size_t i = 0; i < d->addressee_count; i++)
        said(w, d, "forms.addressees", d->addressees[i]);
    said(w, d, "forms.paragraph", d->paragraph);
    item_rows(w, d, d->form->fields, d->form->field_count, a);
    item_rows(w, d, d->form->extras, d->form->extra_count, a);
}

/* grid_sheet - the rows of an item that is a table. */
static void grid_sheet(struct table_writer *w, const struct form_document *d, const struct form_field *f, const struct form_value *v, struct arena *a)
{
    struct str head[EDITION_CELLS_MAX];
    unsigned widths[EDITION_CELLS_MAX];

    table_sheet(w, arena_copy(a, f->number).p);
    for (size_t k = 0; k < f->cell_count; k++) {
        head[k] = arena_printf(a, "%.*s / %.*s", STR_ARG(f->cells[k].label.text[LANG_KK]), STR_ARG(f->cells[k].label.text[LANG_RU]));
        widths[k] = 30;
    }
    table_header(w, head, widths, f->cell_count);
    for (size_t i = 0; i < v->count; i++) {
        for (size_t k = 0; k < f->cell_count; k++) {
            struct str raw = v->list[i * f->cell_count + k], kk = forms_cell_text(d, &f->cells[k], raw, LANG_KK, a);
            struct str ru = forms_cell_text(d, &f->cells[k], raw, LANG_RU, a);

            table_put(w, str_eq(kk, ru) ? kk : arena_printf(a, "%.*s / %.*s", STR_ARG(kk), STR_ARG(ru)));
        }
        table_end_row(w);
    }
}

int notice_sheet(struct call *c, const struct form_document *d, bool csv, struct buf *out)
{
    char folder[4096], title[64];
    struct table_writer_setup s = { .format = csv ? TABLE_CSV : TABLE_XLSX, .created = d->produced_at, .folder = node_path(c->d->setup.node, "run", folder),
                                    .title = title };
    struct table_writer *w;
    int rc;

    snprintf(title, sizeof title, "%.*s", STR_ARG(d->notice_number));
    rc = table_writer_new(&s, &w, c->e);
    if (rc < 0)
        return rc;
    first_sheet(w, d, &c->a);
    for (size_t i = 0; !csv && i < d->form->field_count; i++) {
        const struct form_field *f = &d->form->fields[i];
        const struct form_value *v = form_value_find(d->values, f->id);

        if (f->type == FIELD_TABLE && v && v->kind == FORM_CELLS && v->count)
            grid_sheet(w, d, f, v, &c->a);
    }
    rc = table_writer_finish(w, out, c->e);
    table_writer_free(&w);
    return rc;
}
