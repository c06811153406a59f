/* pdf.c - the document: for each language heading, title, the table of the annex, its printed tables and notes, and
 * the sections of our own. Drawn twice: first to count the pages, then for good. */
#include "forms/internal.h"

#define BODY 10.0

static const struct sheet_column whole = { SHEET_LEFT, SHEET_RIGHT - SHEET_LEFT };
static const struct sheet_column columns[] = {
    { SHEET_LEFT, 36 },
    { SHEET_LEFT + 36, 190 },
    { SHEET_LEFT + 226, SHEET_RIGHT - SHEET_LEFT - 226 },
};

static struct str text_of(struct sheet *s, const char *key)
{
    return catalog_text(s->d->catalog, s->lang, key);
}

static void draw_head(struct sheet *s)
{
    const struct form *f = s->d->form;
    double half = (SHEET_RIGHT - SHEET_LEFT) * 0.46;
    struct sheet_column right = { SHEET_RIGHT - half, half };

    if (f->heading.text[s->lang].n)
        sheet_text(s, right, f->heading.text[s->lang], (struct sheet_style){ .size = 8.5, .align = ALIGN_CENTRE });
    if (f->mark.text[s->lang].n) {
        sheet_space(s, 6, 40);
        sheet_text(s, right, f->mark.text[s->lang], (struct sheet_style){ .size = 9.5, .align = ALIGN_RIGHT });
    }
    sheet_space(s, 14, 60);
    sheet_text(s, whole, f->title.text[s->lang], (struct sheet_style){ .size = 12, .bold = true, .align = ALIGN_CENTRE });
    if (!f->prescribed) {
        sheet_space(s, 4, 40);
        sheet_text(s, whole, text_of(s, "forms.not_prescribed"),
                   (struct sheet_style){ .size = 8.5, .italic = true, .align = ALIGN_CENTRE });
    }
    sheet_space(s, 12, 80);
    for (size_t i = 0; i < FORM_PARTIES; i++)
        if (form_party_text(s, i, s->lang).n)
            sheet_text(s, whole, form_party_text(s, i, s->lang), (struct sheet_style){ .size = BODY });
    sheet_space(s, f->prescribed ? 0 : 8, 80);
}

struct str form_party_text(struct sheet *s, size_t which, enum lang lang)
{
    static const char *const keys[FORM_PARTIES] = { "forms.numbered", "forms.sender", "forms.addressees", "forms.paragraph" };
    const struct form_document *d = s->d;
    AUTO_BUF struct buf b;

    buf_init(&b, 0);
    if (d->form->prescribed)
        return (struct str){ NULL, 0 };
    if (which == 0 && d->notice_number.n)
        buf_printf(&b, "%.*s, %.*s", STR_ARG(forms_safe_text(d->notice_number, NULL, s->arena)),
                   STR_ARG(duty_time_text(d->world, d->produced_at, true, s->arena)));
    if (which == 1)
        buf_str(&b, forms_safe_text(d->sender, NULL, s->arena));
    if (which == 3)
        buf_str(&b, forms_safe_text(d->paragraph, NULL, s->arena));
    for (size_t i = 0; which == 2 && i < d->addressee_count; i++) {
        buf_str(&b, i ? STR("; ") : STR(""));
        buf_str(&b, forms_safe_text(d->addressees[i], NULL, s->arena));
    }
    if (b.n == 0)
        return (struct str){ NULL, 0 };
    return arena_printf(s->arena, "%.*s: %.*s", STR_ARG(catalog_text(d->catalog, lang, keys[which])), STR_ARG(buf_view(&b)));
}

static bool chosen(const struct form_value *v, struct str id)
{
    if (!v)
        return false;
    for (size_t i = 0; v->kind == FORM_LIST && i < v->count; i++)
        if (str_eq(v->list[i], id))
            return true;
    return v->kind == FORM_TEXT && str_eq(v->text, id);
}

/* options_text - every value that the form offers, the chosen ones crossed; a form of our own says what was chosen. */
static struct str options_text(struct sheet *s, const struct form_field *f, enum lang lang)
{
    const struct form_value *v = form_value_find(s->d->values, f->id);
    bool all = s->d->form->prescribed;
    AUTO_BUF struct buf b;

    buf_init(&b, 0);
    for (size_t i = 0; i < f->values->count; i++) {
        const struct enum_value *one = &f->values->values[i];

        if (!all && !chosen(v, one->id))
            continue;
        if (b.n)
            buf_byte(&b, '\n');
        buf_str(&b, !all ? f->type == FIELD_ENUMS ? STR("– ") : STR("") : chosen(v, one->id) ? STR("☒ ") : STR("☐ "));
        buf_str(&b, one->name.text[lang]);
    }
    return arena_copy(s->arena, buf_view(&b));
}

struct str form_field_text(struct sheet *s, const struct form_field *f, enum lang lang, double size, struct sheet_style *style)
{
    struct str text;

    *style = (struct sheet_style){ .size = size };
    if (f->type == FIELD_ENUM || f->type == FIELD_ENUMS) {
        style->hang = s->d->form->prescribed || f->type == FIELD_ENUMS;
        text = options_text(s, f, lang);
        if (text.n)
            return text;
    }
    text = forms_value_text(s->d, f, lang, s->arena);
    if (text.n)
        return text;
    if (f->hint.text[lang].n) {
        *style = (struct sheet_style){ .size = size - 1, .italic = true };
        return f->hint.text[lang];
    }
    return catalog_text(s->d->catalog, lang, "forms.empty");
}

/* in_langs - a text in one language, or in two where they differ. */
static struct str in_langs(struct sheet *s, struct str one, struct str two, bool both)
{
    if (!both || str_eq(one, two) || !two.n)
        return one;
    return arena_printf(s->arena, "%.*s / %.*s", STR_ARG(one), STR_ARG(two));
}

/* grid_text - a cell as printed, in one language or two. */
static struct str grid_text(struct sheet *s, const struct form_field *f, const struct form_value *v, size_t row, size_t k, const enum lang *langs, bool both)
{
    struct str raw = v->list[row * f->cell_count + k], one = form_cell_text(s->d, &f->cells[k], raw, langs[0], s->arena);

    if (!raw.n)
        return catalog_text(s->d->catalog, langs[0], "forms.empty");
    return in_langs(s, one, both ? form_cell_text(s->d, &f->cells[k], raw, langs[1], s->arena) : one, both);
}

#define GRID_MEASURED 60   /* rows whose words are looked at */
#define GRID_WIDEST   0.3  /* of the page: a longer word (a hash) is cut all the same */

struct grid_need {
    double word, line;   /* the longest word; the longest text, on one line */
};

static void grid_measure(struct sheet *s, struct str text, struct sheet_style style, double widest, struct grid_need *n)
{
    double word = sheet_word(s, text, style), line = sheet_line(s, text, style);

    n->word = word > n->word ? word : n->word;
    n->word = n->word > widest ? widest : n->word;
    n->line = line > n->line ? line : n->line;
}

/* grid_share - what is left over the longest words goes to those who have more to say, by what usually stands in them; nobody gets more than one line takes
 * ("No." does not take a third of the page), unless all have what they need. */
static void grid_share(const struct grid_need *need, const double *weight, size_t count, double rest, double *width)
{
    bool full[SHEET_COLUMNS] = { false };

    for (size_t turn = 0; turn <= count && rest > 0.01; turn++) {
        double sum = 0, given = 0;

        for (size_t k = 0; k < count; k++)
            sum += full[k] ? 0 : weight[k];
        if (sum <= 0)
            break;
        for (size_t k = 0; k < count; k++) {
            double more = full[k] ? 0 : rest * weight[k] / sum, room = need[k].line - width[k];

            full[k] = full[k] || more >= room;
            more = more > room && room > 0 ? room : room > 0 ? more : 0;
            width[k] += more;
            given += more;
        }
        rest -= given;
    }
    for (size_t k = 0; k < count && rest > 0.01; k++)
        width[k] += rest / (double)count;
}

/* grid_columns - each column is at least as wide as its longest word. */
static void grid_columns(struct sheet *s, const struct form_field *f, const struct form_value *v, const struct sheet_cell *head, const enum lang *langs,
                         bool both, double size, struct sheet_column *out)
{
    static const double weights[FIELD_TYPE_COUNT] = { [FIELD_TEXT] = 1.5, [FIELD_LIST] = 1.5, [FIELD_ENUM] = 1.1, [FIELD_DATE] = 1, [FIELD_INSTANT] = 1.2,
                                                      [FIELD_BOOL] = 0.9, [FIELD_NUMBER] = 0.8, [FIELD_IP] = 1.2 };
    struct grid_need need[SHEET_COLUMNS] = { 0 };
    double all = 0, weight[SHEET_COLUMNS], wide[SHEET_COLUMNS], x = SHEET_LEFT, width = sheet_right(s) - SHEET_LEFT;

    for (size_t k = 0; k < f->cell_count; k++) {
        grid_measure(s, head[k].text, head[k].style, width * GRID_WIDEST, &need[k]);
        for (size_t i = 0; i < v->count && i < GRID_MEASURED; i++)
            grid_measure(s, grid_text(s, f, v, i, k, langs, both), (struct sheet_style){ .size = size }, width * GRID_WIDEST, &need[k]);
        wide[k] = need[k].word;
        weight[k] = weights[f->cells[k].type];
        all += need[k].word;
    }
    if (all < width)
        grid_share(need, weight, f->cell_count, width - all, wide);
    for (size_t k = 0; k < f->cell_count; k++) {
        out[k] = (struct sheet_column){ x, all < width ? wide[k] : width * need[k].word / all };
        x += out[k].width;
    }
}

void draw_grid(struct sheet *s, const struct form_field *f, const struct form_value *v, const enum lang *langs, size_t count, double size)
{
    struct sheet_cell head[SHEET_COLUMNS], cells[SHEET_COLUMNS];
    struct sheet_column at[SHEET_COLUMNS];
    const struct sheet_cell *header = s->header;
    size_t header_count = s->header_count;
    bool both = count > 1;

    for (size_t k = 0; k < f->cell_count; k++)
        head[k] = (struct sheet_cell){ .text = in_langs(s, f->cells[k].label.text[langs[0]], f->cells[k].label.text[langs[both]], both),
                                       .style = { .size = size - 2, .bold = true, .align = ALIGN_CENTRE }, .shade = true };
    grid_columns(s, f, v, head, langs, both, size - 1.5, at);
    for (size_t k = 0; k < f->cell_count; k++)
        head[k].column = at[k];
    sheet_row(s, head, f->cell_count);
    s->header = head;
    s->header_count = f->cell_count;
    for (size_t i = 0; i < v->count && s->rc == 0; i++) {
        for (size_t k = 0; k < f->cell_count; k++)
            cells[k] = (struct sheet_cell){ .column = at[k], .text = grid_text(s, f, v, i, k, langs, both), .style = { .size = size - 1.5 } };
        sheet_row(s, cells, f->cell_count);
    }
    s->header = header;
    s->header_count = header_count;
}

static void draw_group(struct sheet *s, const struct form_field *f)
{
    struct sheet_column wide = { columns[1].x, columns[1].width + columns[2].width };
    const struct sheet_cell cells[] = {
        { columns[0], f->number, { .size = BODY, .bold = true }, true, false },
        { wide, f->label.text[s->lang], { .size = BODY, .bold = true }, true, false },
    };

    sheet_space(s, 0, 60); /* a heading stays with its first part */
    sheet_row(s, cells, COUNT(cells));
}

/* draw_table_field - number and label over the whole width, the rows under it. */
static void draw_table_field(struct sheet *s, const struct form_field *f, const struct form_value *v)
{
    struct sheet_column wide = { columns[1].x, columns[1].width + columns[2].width };
    const struct sheet_cell cells[] = {
        { columns[0], f->number, { .size = BODY }, false, false },
        { wide, f->label.text[s->lang], { .size = BODY }, false, false },
    };

    sheet_space(s, 0, 90); /* the label stays with the first row */
    sheet_row(s, cells, COUNT(cells));
    draw_grid(s, f, v, &s->lang, 1, BODY);
}

static void draw_field(struct sheet *s, const struct form_field *f)
{
    const struct form_value *v = form_value_find(s->d->values, f->id);
    struct sheet_cell cells[3] = { { .column = columns[0] }, { .column = columns[1] }, { .column = columns[2] } };

    if (f->type == FIELD_GROUP) {
        draw_group(s, f);
        return;
    }
    if (f->type == FIELD_TABLE && v && v->kind == FORM_CELLS) {
        draw_table_field(s, f, v);
        return;
    }
    cells[0].text = f->number;
    cells[1].text = f->label.text[s->lang];
    cells[0].style = cells[1].style = (struct sheet_style){ .size = BODY };
    cells[2].text = form_field_text(s, f, s->lang, BODY, &cells[2].style);
    sheet_row(s, cells, COUNT(cells));
}

static void draw_fields(struct sheet *s)
{
    const struct sheet_style bold = { .size = BODY, .bold = true, .align = ALIGN_CENTRE };
    const struct sheet_cell header[] = {
        { columns[0], text_of(s, "forms.number"), bold, true, false },
        { columns[1], text_of(s, "forms.field"), bold, true, false },
        { columns[2], text_of(s, "forms.value"), bold, true, false },
    };

    sheet_row(s, header, COUNT(header));
    s->header = header;
    s->header_count = COUNT(header);
    for (size_t i = 0; i < s->d->form->field_count; i++)
        draw_field(s, &s->d->form->fields[i]);
    s->header = NULL;
}

static void draw_table_row(struct sheet *s, const struct form_table *t, const struct label *row, bool bold)
{
    struct sheet_cell cells[SHEET_COLUMNS];
    double width = whole.width / (double)t->column_count, narrow = t->column_count == 3 ? 0.62 : 1.0, x = SHEET_LEFT;

    for (size_t i = 0; i < t->column_count; i++) {
        /* Three columns: a narrow name, then the two that carry the text. */
        double w = t->column_count != 3 ? width : i == 0 ? width * narrow : width * (3 - narrow) / 2;

        cells[i] = (struct sheet_cell){ { x, w },
                                        row[i].text[s->lang],
                                        { .size = BODY - 1, .bold = bold, .align = bold ? ALIGN_CENTRE : ALIGN_LEFT },
                                        bold,
                                        false };
        x += w;
    }
    sheet_row(s, cells, t->column_count);
}

static void draw_tables(struct sheet *s)
{
    const struct form *f = s->d->form;

    for (size_t i = 0; i < f->table_count; i++) {
        const struct form_table *t = &f->tables[i];

        sheet_space(s, 18, 120);
        sheet_text(s, whole, t->title.text[s->lang],
                   (struct sheet_style){ .size = BODY + 0.5, .bold = true, .align = ALIGN_CENTRE });
        sheet_space(s, 6, 60);
        draw_table_row(s, t, t->columns, true);
        for (size_t r = 0; r < t->row_count; r++)
            draw_table_row(s, t, t->cells + r * t->column_count, false);
    }
    for (size_t i = 0; i < f->note_count; i++) {
        sheet_space(s, i ? 3 : 10, 30);
        sheet_text(s, whole, f->notes[i].text[s->lang], (struct sheet_style){ .size = BODY - 1.5 });
    }
}

/* draw_extras - sections after the form, on a page of their own: they are not of the annex. */
static void draw_extras(struct sheet *s)
{
    const struct form *f = s->d->form;
    bool any = false;

    for (size_t i = 0; i < f->extra_count; i++) {
        const struct form_field *x = &f->extras[i];
        struct str text = forms_value_text(s->d, x, s->lang, s->arena);

        if (text.n == 0)
            continue;
        if (!any)
            sheet_new_page(s);
        any = true;
        sheet_space(s, 8, 60);
        sheet_text(s, whole, x->label.text[s->lang], (struct sheet_style){ .size = BODY + 1, .bold = true });
        sheet_space(s, 5, 30);
        sheet_text(s, whole, text, (struct sheet_style){ .size = BODY + 0.5 });
    }
}

static int draw(const struct form_document *d, struct arena *a, struct buf *out, int *pages, struct err *e)
{
    struct sheet s;
    int rc = sheet_open(&s, d, a, out, *pages, e), closed;

    if (rc == 0 && d->side_by_side)
        draw_pair(&s);
    for (size_t i = 0; rc == 0 && !d->side_by_side && i < d->lang_count; i++) {
        sheet_new_page(&s); /* its foot still belongs to the language before */
        s.lang = d->langs[i];
        pango_context_set_language(s.context, pango_language_from_string(lang_name(s.lang)));
        draw_head(&s);
        draw_fields(&s);
        draw_tables(&s);
        draw_extras(&s);
    }
    *pages = s.page;
    closed = sheet_close(&s, rc == 0 ? e : NULL);
    return rc < 0 ? rc : closed;
}

int forms_render_pdf(const struct form_document *d, struct buf *out, struct err *e)
{
    AUTO_ARENA struct arena a;
    size_t start = out->n;
    int pages = 0, rc;

    arena_init(&a, 0);
    if (d->lang_count < 1 || d->lang_count > LANG_COUNT)
        return err_set(e, -EINVAL, "a document has 1 to %d languages", LANG_COUNT);
    if (d->side_by_side && d->lang_count < 2)
        return err_set(e, -EINVAL, "two languages are needed for two columns");
    rc = draw(d, &a, NULL, &pages, e);
    if (rc == 0)
        rc = draw(d, &a, out, &pages, e);
    if (rc == 0 && (buf_failed(out) || arena_failed(&a)))
        rc = err_set(e, -ENOMEM, "no memory for the document");
    if (rc < 0)
        out->n = start;
    return rc;
}
