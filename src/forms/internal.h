/* internal.h - for the family of forms: the sheet on which a document is drawn.
 *
 * Owns      struct sheet owns its cairo and Pango objects between sheet_open and sheet_close.
 * Promises  1. What does not fit goes on the next page, line by line; a table's header stands on each page.
 *           2. A failure of cairo or Pango sticks in rc; drawing goes on harmlessly and is judged once.
 * Threads   owner.
 * Units     points, 1/72 inch; y grows downwards. */
#ifndef SAQSHY_FORMS_INTERNAL_H
#define SAQSHY_FORMS_INTERNAL_H

#include "forms/forms.h"

#include <jansson.h>
#include <pango/pangocairo.h>

#define SHEET_WIDTH   595.276 /* A4 */
#define SHEET_HEIGHT  841.890
#define SHEET_LEFT    56.7    /* 20 mm */
#define SHEET_MARGIN  42.5    /* right of the text */
#define SHEET_RIGHT   (SHEET_WIDTH - SHEET_MARGIN) /* of a portrait page */
#define SHEET_TOP     48.0
#define SHEET_FOOT    62.0
#define SHEET_COLUMNS 8

enum sheet_align { ALIGN_LEFT, ALIGN_CENTRE, ALIGN_RIGHT };

struct sheet_style {
    double           size; /* points */
    bool             bold, italic, hang; /* hang: lines after the first are indented, as under a box */
    enum sheet_align align;
};

struct sheet_column {
    double x, width;
};

/* One cell of a row that is about to be drawn. */
struct sheet_cell {
    struct sheet_column column;
    struct str          text;
    struct sheet_style  style;
    bool                shade, plain; /* plain: without a frame */
};

struct sheet {
    const struct form_document *d;
    enum lang                   lang;
    struct arena               *arena;
    cairo_surface_t            *surface;
    cairo_t                    *cr;
    PangoFontMap               *fonts;
    PangoContext               *context;
    double                      width, height; /* of a page: portrait, or landscape */
    double                      y;
    int                         page, pages; /* pages: of all; 0 while they are being counted */
    const struct sheet_cell    *header;      /* repeated on a new page while set */
    size_t                      header_count;
    int                         rc;
};

static inline double sheet_right(const struct sheet *s) { return s->width - SHEET_MARGIN; }
static inline double sheet_bottom(const struct sheet *s) { return s->height - SHEET_FOOT; }

/* --- pdf.c, shared with pdf_pair.c --- */
/* form_field_text - what stands in a field's cell in a language: all values of an enumeration with boxes, a hint, or the value. */
struct str form_field_text(struct sheet *s, const struct form_field *f, enum lang lang, double size, struct sheet_style *style);
/* form_party_text - "Алушы: …" of a form that is not prescribed: which 0 number and date, 1 sender, 2 addressees, 3 paragraph; empty if there is nothing to say. */
#define FORM_PARTIES 4
struct str form_party_text(struct sheet *s, size_t which, enum lang lang);
/* draw_grid - the rows of a field that is a table, under a header of its own; langs: one or two, printed "қазақша / по-русски". */
void draw_grid(struct sheet *s, const struct form_field *f, const struct form_value *v, const enum lang *langs, size_t count, double size);
/* --- pdf_pair.c --- */
/* draw_pair - the whole document in two columns. */
void draw_pair(struct sheet *s);

/* sheet_open - a PDF that grows in out (NULL: only counted). */
MUST_USE int sheet_open(struct sheet *s, const struct form_document *d, struct arena *a, struct buf *out, int pages,
                        struct err *e);
/* sheet_close - finish the file and free all. Returns the first failure. */
MUST_USE int sheet_close(struct sheet *s, struct err *e);
void sheet_new_page(struct sheet *s);
/* sheet_text - a paragraph between x and x + width, over pages if need be. */
void sheet_text(struct sheet *s, struct sheet_column at, struct str text, struct sheet_style style);
/* sheet_word - how wide a cell must be so that no word of the text is cut. */
double sheet_word(struct sheet *s, struct str text, struct sheet_style style);
/* sheet_line - how wide the text would be on one line. */
double sheet_line(struct sheet *s, struct str text, struct sheet_style style);
/* sheet_space - so much room, or a new page if less than keep is left. */
void sheet_space(struct sheet *s, double height, double keep);
/* sheet_row - cells side by side in a frame. */
void sheet_row(struct sheet *s, const struct sheet_cell *cells, size_t count);

/* What reading one field works with. */
struct reading {
    const struct duty_world *w;
    const struct form_field *f;
    struct arena            *a;
    struct err              *e;
};
/* --- cells.c --- */
MUST_USE int form_cells_read(const struct reading *r, const json_t *j, struct form_value *v);
bool form_cells_answered(const struct form_field *f, const struct form_value *v);
struct str form_cell_text(const struct form_document *d, const struct form_field *cell, struct str s, enum lang lang, struct arena *a);
struct str form_cells_text(const struct form_document *d, const struct form_field *f, const struct form_value *v, enum lang lang, struct arena *a);
/* form_text_value - a simple field's text as printed. */
struct str form_text_value(const struct form_document *d, const struct form_field *f, struct str s, enum lang lang, struct arena *a);

/* form_value_write - one value as JSON, null if v is NULL. */
void form_value_write(const struct duty_world *w, const struct form_field *f, const struct form_value *v,
                      struct buf *out);

#endif
