/* pdf_pair.c - the document in two columns: the first language left, the second right, each row of the form on one line. A4 landscape. */
#include "forms/internal.h"

#define BODY   8.5
#define NUMBER 28.0
#define LABEL  0.42 /* of a side: the label; the value has the rest */

static enum lang left(const struct sheet *s) { return s->d->langs[0]; }
static enum lang right(const struct sheet *s) { return s->d->langs[1]; }

static double side(const struct sheet *s) { return (sheet_right(s) - SHEET_LEFT - NUMBER) / 2; }

/* pair_text - two texts beside each other, without a frame. */
static void pair_text(struct sheet *s, struct str one, struct str two, struct sheet_style style)
{
    double half = (sheet_right(s) - SHEET_LEFT) / 2;
    const struct sheet_cell cells[] = {
        { { SHEET_LEFT, half }, one, style, false, true },
        { { SHEET_LEFT + half, half }, two, style, false, true },
    };

    if (one.n || two.n)
        sheet_row(s, cells, COUNT(cells));
}

static void label_pair(struct sheet *s, const struct label *l, struct sheet_style style)
{
    pair_text(s, l->text[left(s)], l->text[right(s)], style);
}

static void key_pair(struct sheet *s, const char *key, struct sheet_style style)
{
    pair_text(s, catalog_text(s->d->catalog, left(s), key), catalog_text(s->d->catalog, right(s), key), style);
}

static void head(struct sheet *s)
{
    const struct form *f = s->d->form;

    label_pair(s, &f->heading, (struct sheet_style){ .size = 7.5, .align = ALIGN_CENTRE });
    label_pair(s, &f->mark, (struct sheet_style){ .size = 8, .align = ALIGN_RIGHT });
    sheet_space(s, 4, 60);
    label_pair(s, &f->title, (struct sheet_style){ .size = 10.5, .bold = true, .align = ALIGN_CENTRE });
    if (!f->prescribed)
        key_pair(s, "forms.not_prescribed", (struct sheet_style){ .size = 7.5, .italic = true, .align = ALIGN_CENTRE });
    sheet_space(s, 4, 80);
    for (size_t i = 0; i < FORM_PARTIES; i++)
        pair_text(s, form_party_text(s, i, left(s)), form_party_text(s, i, right(s)), (struct sheet_style){ .size = BODY });
    sheet_space(s, f->prescribed ? 0 : 4, 80);
}

/* five - number, label and value left, label and value right. */
static void five(struct sheet *s, struct sheet_cell cells[5])
{
    double w = side(s), x = SHEET_LEFT;
    const double widths[5] = { NUMBER, w * LABEL, w * (1 - LABEL), w * LABEL, w * (1 - LABEL) };

    for (size_t i = 0; i < 5; i++) {
        cells[i].column = (struct sheet_column){ x, widths[i] };
        x += widths[i];
    }
}

static void wide(struct sheet *s, const struct form_field *f, bool bold)
{
    double w = side(s);
    const struct sheet_style style = { .size = BODY, .bold = bold };
    const struct sheet_cell cells[] = {
        { { SHEET_LEFT, NUMBER }, f->number, style, bold, false },
        { { SHEET_LEFT + NUMBER, w }, f->label.text[left(s)], style, bold, false },
        { { SHEET_LEFT + NUMBER + w, w }, f->label.text[right(s)], style, bold, false },
    };

    sheet_space(s, 0, 70); /* stays with what follows */
    sheet_row(s, cells, COUNT(cells));
}

static void field(struct sheet *s, const struct form_field *f)
{
    const struct form_value *v = form_value_find(s->d->values, f->id);
    struct sheet_cell cells[5] = { 0 };

    if (f->type == FIELD_GROUP) {
        wide(s, f, true);
        return;
    }
    if (f->type == FIELD_TABLE && v && v->kind == FORM_CELLS) {
        wide(s, f, false);
        draw_grid(s, f, v, s->d->langs, 2, BODY + 0.5);
        return;
    }
    five(s, cells);
    cells[0].text = f->number;
    cells[1].text = f->label.text[left(s)];
    cells[3].text = f->label.text[right(s)];
    cells[0].style = cells[1].style = cells[3].style = (struct sheet_style){ .size = BODY };
    cells[2].text = form_field_text(s, f, left(s), BODY, &cells[2].style);
    cells[4].text = form_field_text(s, f, right(s), BODY, &cells[4].style);
    sheet_row(s, cells, COUNT(cells));
}

static void fields(struct sheet *s)
{
    static const char *const keys[5] = { "forms.number", "forms.field", "forms.value", "forms.field", "forms.value" };
    struct sheet_cell header[5] = { 0 };

    five(s, header);
    for (size_t i = 0; i < 5; i++) {
        header[i].text = catalog_text(s->d->catalog, i < 3 ? left(s) : right(s), keys[i]);
        header[i].style = (struct sheet_style){ .size = BODY, .bold = true, .align = ALIGN_CENTRE };
        header[i].shade = true;
    }
    sheet_row(s, header, COUNT(header));
    s->header = header;
    s->header_count = COUNT(header);
    for (size_t i = 0; i < s->d->form->field_count; i++)
        field(s, &s->d->form->fields[i]);
    s->header = NULL;
}

static void table_row(struct sheet *s, const struct form_table *t, const struct label *row, bool bold)
{
    struct sheet_cell cells[SHEET_COLUMNS];
    size_t n = t->column_count;
    double half = (sheet_right(s) - SHEET_LEFT) / 2, w = half / (double)n;

    for (size_t i = 0; i < 2 * n; i++)
        cells[i] = (struct sheet_cell){ { SHEET_LEFT + (double)i * w, w },
                                        row[i % n].text[i < n ? left(s) : right(s)],
                                        { .size = BODY - 1, .bold = bold, .align = bold ? ALIGN_CENTRE : ALIGN_LEFT },
                                        bold,
                                        false };
    sheet_row(s, cells, 2 * n);
}

/* tables - a table of more columns than fit twice is left to the portrait form; none of the annexes has one. */
static void tables(struct sheet *s)
{
    const struct form *f = s->d->form;

    for (size_t i = 0; i < f->table_count; i++) {
        const struct form_table *t = &f->tables[i];

        if (2 * t->column_count > SHEET_COLUMNS)
            continue;
        sheet_space(s, 10, 120);
        label_pair(s, &t->title, (struct sheet_style){ .size = BODY + 0.5, .bold = true, .align = ALIGN_CENTRE });
        table_row(s, t, t->columns, true);
        for (size_t r = 0; r < t->row_count; r++)
            table_row(s, t, t->cells + r * t->column_count, false);
    }
    for (size_t i = 0; i < f->note_count; i++)
        label_pair(s, &f->notes[i], (struct sheet_style){ .size = BODY - 1 });
}

static void extras(struct sheet *s)
{
    const struct form *f = s->d->form;

    for (size_t i = 0; i < f->extra_count; i++) {
        struct str one = forms_value_text(s->d, &f->extras[i], left(s), s->arena);
        struct str two = forms_value_text(s->d, &f->extras[i], right(s), s->arena);

        if (!one.n)
            continue;
        sheet_space(s, 8, 60);
        label_pair(s, &f->extras[i].label, (struct sheet_style){ .size = BODY + 0.5, .bold = true });
        pair_text(s, one, two, (struct sheet_style){ .size = BODY });
    }
}

void draw_pair(struct sheet *s)
{
    sheet_new_page(s);
    head(s);
    fields(s);
    tables(s);
    extras(s);
}
