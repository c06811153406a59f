/* pdf_table.c - the sheet: paragraphs and framed rows that flow over pages, line by line. */
#include "forms/internal.h"

#include <cairo-pdf.h>
#include <math.h>

#define FONT     "DejaVu Sans"
#define PAD      4.0 /* between frame and text */
#define FOOT_UP  52.0 /* the foot's line above the edge */
#define MARK_SIZE 12.0 /* TLP 2.0: 12 points or more */
#define FOOT_SIZE 7.5
#define HANG     1.2 /* of the letter size */
#define KEEP     0.35 /* rows lower than this share of a page are not split */

/* fontconfig keeps its first configuration for the life of the process, once, and the leak checker of test builds cannot
 * see who holds it. Weak: a program may bring its own list. */
__attribute__((weak)) const char *__lsan_default_suppressions(void);
__attribute__((weak)) const char *__lsan_default_suppressions(void)
{
    return "leak:libfontconfig\n";
}

static PangoLayout *layout_new(struct sheet *s, struct str text, double width, struct sheet_style style)
{
    PangoLayout *l = pango_layout_new(s->context);
    PangoFontDescription *font = pango_font_description_new();

    pango_font_description_set_family_static(font, FONT);
    pango_font_description_set_size(font, (int)lround(style.size * PANGO_SCALE));
    pango_font_description_set_weight(font, style.bold ? PANGO_WEIGHT_BOLD : PANGO_WEIGHT_NORMAL);
    pango_font_description_set_style(font, style.italic ? PANGO_STYLE_OBLIQUE : PANGO_STYLE_NORMAL);
    pango_layout_set_font_description(l, font);
    pango_font_description_free(font);
    pango_layout_set_auto_dir(l, FALSE);
    pango_layout_set_width(l, (int)lround(width * PANGO_SCALE));
    pango_layout_set_wrap(l, PANGO_WRAP_WORD_CHAR);
    if (style.hang)
        pango_layout_set_indent(l, -(int)lround(style.size * HANG * PANGO_SCALE));
    /* Text, never markup: what a log says stays what it is. */
    pango_layout_set_text(l, text.n ? text.p : "", (int)text.n);
    return l;
}

double sheet_word(struct sheet *s, struct str text, struct sheet_style style)
{
    PangoLayout *l = layout_new(s, text, 0, style);
    PangoRectangle logical;

    pango_layout_set_wrap(l, PANGO_WRAP_WORD);   /* no room at all: each word stands alone */
    pango_layout_get_extents(l, NULL, &logical);
    g_object_unref(l);
    return (double)logical.width / PANGO_SCALE + 2 * PAD + 0.5;
}

double sheet_line(struct sheet *s, struct str text, struct sheet_style style)
{
    PangoLayout *l = layout_new(s, text, 0, style);
    PangoRectangle logical;

    pango_layout_set_width(l, -1);
    pango_layout_get_extents(l, NULL, &logical);
    g_object_unref(l);
    return (double)logical.width / PANGO_SCALE + 2 * PAD + 0.5;
}

static double line_height(GSList *line)
{
    PangoRectangle logical;

    pango_layout_line_get_extents(line->data, NULL, &logical);
    return (double)logical.height / PANGO_SCALE;
}

static void draw_line(struct sheet *s, GSList *line, double x, double y, double width, enum sheet_align align)
{
    const PangoLayoutLine *l = line->data;
    PangoRectangle logical;
    double slack;

    pango_layout_line_get_extents(line->data, NULL, &logical);
    if (!l->is_paragraph_start) /* lines are drawn one by one, so the indent is ours to add */
        x -= (double)pango_layout_get_indent(l->layout) / PANGO_SCALE;
    slack = width - (double)logical.width / PANGO_SCALE;
    if (align == ALIGN_CENTRE)
        x += slack / 2;
    else if (align == ALIGN_RIGHT)
        x += slack;
    cairo_move_to(s->cr, x, y - (double)logical.y / PANGO_SCALE);
    pango_cairo_show_layout_line(s->cr, line->data);
}

static void one_line(struct sheet *s, struct str text, double x, double y, double width, enum sheet_align align)
{
    PangoLayout *l = layout_new(s, text, width, (struct sheet_style){ .size = FOOT_SIZE });

    draw_line(s, pango_layout_get_lines_readonly(l), x, y, width, align);
    g_object_unref(l);
}

/* draw_mark - the label of TLP 2.0 in its colour on black, flush right at y. */
static void draw_mark(struct sheet *s, double y)
{
    static const struct {
        const char *tlp, *text;
        double      r, g, b;
    } marks[] = {
        { "clear", "TLP:CLEAR", 1, 1, 1 },
        { "green", "TLP:GREEN", 0.2, 1, 0 },
        { "amber", "TLP:AMBER", 1, 0.753, 0 },
        { "amber+strict", "TLP:AMBER+STRICT", 1, 0.753, 0 },
        { "red", "TLP:RED", 1, 0.169, 0.169 },
    };

    for (size_t i = 0; i < COUNT(marks); i++) {
        PangoLayout *l;
        PangoRectangle r;
        double w, h;

        if (!str_eq(s->d->tlp, str_c(marks[i].tlp)))
            continue;
        l = layout_new(s, str_c(marks[i].text), 200, (struct sheet_style){ .size = MARK_SIZE, .bold = true });
        pango_layout_get_extents(l, NULL, &r);
        w = (double)r.width / PANGO_SCALE;
        h = (double)r.height / PANGO_SCALE;
        cairo_rectangle(s->cr, sheet_right(s) - w - 8, y - 1, w + 8, h + 2);
        cairo_fill(s->cr);
        cairo_set_source_rgb(s->cr, marks[i].r, marks[i].g, marks[i].b);
        draw_line(s, pango_layout_get_lines_readonly(l), sheet_right(s) - w - 4, y, w, ALIGN_LEFT);
        cairo_set_source_rgb(s->cr, 0, 0, 0);
        g_object_unref(l);
    }
}

/* draw_top - number and mark of a notice, above the text of each page. */
static void draw_top(struct sheet *s)
{
    struct str number = forms_safe_text(str_of(s->d->notice_number.p, min_size(s->d->notice_number.n, 64)), NULL, s->arena);

    if (number.n)
        one_line(s, number, SHEET_LEFT, 24, 200, ALIGN_LEFT);
    if (s->d->draft)   /* in words that a reader of the text finds too */
        one_line(s, catalog_text(s->d->catalog, s->lang, "forms.draft"), SHEET_LEFT, 24, sheet_right(s) - SHEET_LEFT, ALIGN_CENTRE);
    draw_mark(s, 22);
}

/* draw_foot - notice or case, edition, moment of making, page. */
static void draw_foot(struct sheet *s)
{
    const struct form_document *d = s->d;
    struct arena *a = s->arena;
    struct str number = forms_safe_text(str_of(d->case_number.p, min_size(d->case_number.n, 64)), NULL, a);
    struct str notice = forms_safe_text(str_of(d->notice_number.p, min_size(d->notice_number.n, 64)), NULL, a), left, right;
    double width = sheet_right(s) - SHEET_LEFT, foot = s->height - FOOT_UP;

    left = arena_printf(
        a, "%.*s  ·  %.*s",
        STR_ARG(notice.n ? catalog_format(d->catalog, s->lang, a, "forms.footer.notice", "number", notice.p, NULL)
                         : catalog_format(d->catalog, s->lang, a, "forms.footer.case", "case", number.n ? number.p : "–", NULL)),
        STR_ARG(catalog_format(d->catalog, s->lang, a, "forms.footer.edition", "edition",
                               arena_copy(a, d->world->edition->id).p, NULL)));
    right = catalog_format(d->catalog, s->lang, a, "forms.page", "page", arena_printf(a, "%d", s->page).p, "pages",
                           arena_printf(a, "%d", s->pages).p, NULL);
    cairo_set_line_width(s->cr, 0.4);
    cairo_move_to(s->cr, SHEET_LEFT, foot);
    cairo_line_to(s->cr, sheet_right(s), foot);
    cairo_stroke(s->cr);
    one_line(s, left, SHEET_LEFT, foot + 4, width * 0.75, ALIGN_LEFT);
    one_line(s, right, SHEET_LEFT + width * 0.75, foot + 4, width * 0.25, ALIGN_RIGHT);
    one_line(s,
             catalog_format(d->catalog, s->lang, a, "forms.footer.produced", "at",
                            duty_time_text(d->world, d->produced_at, true, a).p, NULL),
             SHEET_LEFT, foot + 15, width, ALIGN_LEFT);
    draw_mark(s, foot + 16);
}

/* draw_draft - pale, across the page, under everything else. */
static void draw_draft(struct sheet *s)
{
    PangoLayout *l = layout_new(s, catalog_text(s->d->catalog, s->lang, "forms.draft"), 600, (struct sheet_style){ .size = 110, .bold = true });
    PangoRectangle r;

    pango_layout_get_extents(l, NULL, &r);
    cairo_save(s->cr);
    cairo_translate(s->cr, s->width / 2, s->height / 2);
    cairo_rotate(s->cr, -0.7);
    cairo_set_source_rgb(s->cr, 0.88, 0.88, 0.88);
    draw_line(s, pango_layout_get_lines_readonly(l), -(double)r.width / PANGO_SCALE / 2, -(double)r.height / PANGO_SCALE / 2, 600, ALIGN_LEFT);
    cairo_restore(s->cr);
    g_object_unref(l);
}

void sheet_new_page(struct sheet *s)
{
    const struct sheet_cell *header = s->header;

    if (s->page) {
        draw_foot(s);
        cairo_show_page(s->cr);
    }
    if (s->page >= FORM_PAGES_MAX && s->rc == 0)
        s->rc = -E2BIG;
    s->page++;
    s->y = SHEET_TOP;
    if (s->d->draft)
        draw_draft(s);
    draw_top(s);
    if (header) {
        s->header = NULL; /* the header of a header would never end */
        sheet_row(s, header, s->header_count);
        s->header = header;
    }
}

void sheet_space(struct sheet *s, double height, double keep)
{
    if (s->rc < 0)
        return;
    s->y += height;
    if (s->y + keep > sheet_bottom(s))
        sheet_new_page(s);
}

void sheet_text(struct sheet *s, struct sheet_column at, struct str text, struct sheet_style style)
{
    PangoLayout *l;

    if (s->rc < 0)
        return;
    l = layout_new(s, text, at.width, style);
    for (GSList *line = pango_layout_get_lines_readonly(l); line && s->rc == 0; line = line->next) {
        double h = line_height(line);

        if (s->y + h > sheet_bottom(s))
            sheet_new_page(s);
        draw_line(s, line, at.x, s->y, at.width, style.align);
        s->y += h;
    }
    g_object_unref(l);
}

/* A row on its way over the pages. */
struct row {
    const struct sheet_cell *cells;
    size_t                   count;
    PangoLayout             *layout[SHEET_COLUMNS];
    GSList                  *next[SHEET_COLUMNS]; /* the first line not yet drawn */
};

static double rest_height(const struct row *r)
{
    double most = 0;

    for (size_t i = 0; i < r->count; i++) {
        double h = 0;

        for (GSList *line = r->next[i]; line && h < SHEET_HEIGHT; line = line->next)
            h += line_height(line);
        most = fmax(most, h);
    }
    return most;
}

/* chunk_height - what of the row fits into room; 0 if not a line does. */
static double chunk_height(const struct row *r, double room)
{
    double most = 0;

    for (size_t i = 0; i < r->count; i++) {
        double h = 0;

        for (GSList *line = r->next[i]; line && h + line_height(line) <= room; line = line->next)
            h += line_height(line);
        most = fmax(most, h);
    }
    return most;
}

static void draw_frame(struct sheet *s, const struct sheet_cell *c, double height)
{
    if (c->plain)
        return;
    if (c->shade) {
        cairo_set_source_rgb(s->cr, 0.92, 0.92, 0.92);
        cairo_rectangle(s->cr, c->column.x, s->y, c->column.width, height);
        cairo_fill(s->cr);
        cairo_set_source_rgb(s->cr, 0, 0, 0);
    }
    cairo_set_line_width(s->cr, 0.6);
    cairo_rectangle(s->cr, c->column.x, s->y, c->column.width, height);
    cairo_stroke(s->cr);
}

static void draw_chunk(struct sheet *s, struct row *r, double height)
{
    for (size_t i = 0; i < r->count; i++)
        draw_frame(s, &r->cells[i], height + 2 * PAD);
    for (size_t i = 0; i < r->count; i++) {
        const struct sheet_cell *c = &r->cells[i];
        double y = s->y + PAD, end = y + height + 0.01;

        while (r->next[i] && y + line_height(r->next[i]) <= end) {
            draw_line(s, r->next[i], c->column.x + PAD, y, c->column.width - 2 * PAD, c->style.align);
            y += line_height(r->next[i]);
            r->next[i] = r->next[i]->next;
        }
    }
    s->y += height + 2 * PAD;
}

void sheet_row(struct sheet *s, const struct sheet_cell *cells, size_t count)
{
    struct row r = { .cells = cells, .count = count };
    double height, page = sheet_bottom(s) - SHEET_TOP;

    if (s->rc < 0)
        return;
    assert(count <= SHEET_COLUMNS);
    for (size_t i = 0; i < count; i++) {
        r.layout[i] = layout_new(s, cells[i].text, cells[i].column.width - 2 * PAD, cells[i].style);
        r.next[i] = pango_layout_get_lines_readonly(r.layout[i]);
    }
    height = rest_height(&r);
    if (height + 2 * PAD > sheet_bottom(s) - s->y && height < page * KEEP)
        sheet_new_page(s);
    while (s->rc == 0 && rest_height(&r) > 0) {
        double room = sheet_bottom(s) - s->y - 2 * PAD, chunk = chunk_height(&r, room);

        if (chunk > 0)
            draw_chunk(s, &r, chunk);
        if (rest_height(&r) > 0)
            sheet_new_page(s);
    }
    for (size_t i = 0; i < count; i++)
        g_object_unref(r.layout[i]);
}

static cairo_status_t write_out(void *to, const unsigned char *p, unsigned n)
{
    struct buf *out = to;

    if (!out)
        return CAIRO_STATUS_SUCCESS;
    buf_put(out, p, n);
    return buf_failed(out) ? CAIRO_STATUS_WRITE_ERROR : CAIRO_STATUS_SUCCESS;
}

static void describe(struct sheet *s)
{
    char at[TIME_TEXT_MAX];
    const struct form *f = s->d->form;

    cairo_pdf_surface_set_metadata(s->surface, CAIRO_PDF_METADATA_TITLE, arena_copy(s->arena, f->title.text[s->lang]).p);
    cairo_pdf_surface_set_metadata(s->surface, CAIRO_PDF_METADATA_CREATOR, "Saqshy");
    /* The moment that the caller names, so that the same document has the same bytes. */
    cairo_pdf_surface_set_metadata(s->surface, CAIRO_PDF_METADATA_CREATE_DATE,
                                   duty_rfc3339(s->d->world, s->d->produced_at, at));
}

int sheet_open(struct sheet *s, const struct form_document *d, struct arena *a, struct buf *out, int pages,
               struct err *e)
{
    cairo_font_options_t *options;

    *s = (struct sheet){ .d = d, .lang = d->langs[0], .arena = a, .pages = pages, .width = SHEET_WIDTH, .height = SHEET_HEIGHT };
    if (d->side_by_side) {
        s->width = SHEET_HEIGHT;
        s->height = SHEET_WIDTH;
    }
    s->surface = cairo_pdf_surface_create_for_stream(write_out, out, s->width, s->height);
    s->cr = cairo_create(s->surface);
    s->fonts = pango_cairo_font_map_new();
    if (!s->fonts || cairo_status(s->cr) != CAIRO_STATUS_SUCCESS)
        return err_set(e, -ENOMEM, "cannot start a PDF: %s", cairo_status_to_string(cairo_status(s->cr)));
    describe(s);
    pango_cairo_font_map_set_resolution(PANGO_CAIRO_FONT_MAP(s->fonts), 72);
    s->context = pango_font_map_create_context(s->fonts);
    pango_context_set_base_dir(s->context, PANGO_DIRECTION_LTR);
    options = cairo_font_options_create();
    cairo_font_options_set_hint_style(options, CAIRO_HINT_STYLE_NONE);
    cairo_font_options_set_hint_metrics(options, CAIRO_HINT_METRICS_OFF);
    cairo_font_options_set_antialias(options, CAIRO_ANTIALIAS_GRAY);
    pango_cairo_context_set_font_options(s->context, options);
    cairo_font_options_destroy(options);
    return 0;
}

int sheet_close(struct sheet *s, struct err *e)
{
    cairo_status_t status;

    if (s->cr && s->page && s->rc == 0)
        draw_foot(s);
    if (s->cr && s->page && s->rc == 0)
        cairo_show_page(s->cr);
    if (s->surface)
        cairo_surface_finish(s->surface);
    status = s->cr ? cairo_status(s->cr) : CAIRO_STATUS_NO_MEMORY;
    if (status == CAIRO_STATUS_SUCCESS && s->surface)
        status = cairo_surface_status(s->surface);
    g_clear_object(&s->context);
    g_clear_object(&s->fonts);
    if (s->cr)
        cairo_destroy(s->cr);
    if (s->surface)
        cairo_surface_destroy(s->surface);
    s->cr = NULL;
    s->surface = NULL;
    if (s->rc == -E2BIG)
        return err_set(e, s->rc, "the document needs more than %d pages", FORM_PAGES_MAX);
    if (status != CAIRO_STATUS_SUCCESS)
        return err_set(e, -EIO, "could not make the PDF: %s", cairo_status_to_string(status));
    return s->rc;
}
