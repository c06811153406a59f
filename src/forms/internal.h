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

#include <pango/pangocairo.h>

#define SHEET_WIDTH   595.276 /* A4 */
#define SHEET_HEIGHT  841.890
#define SHEET_LEFT    56.7    /* 20 mm */
#define SHEET_RIGHT   (SHEET_WIDTH - 42.5)
#define SHEET_TOP     48.0
#define SHEET_BOTTOM  (SHEET_HEIGHT - 62.0)
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
    bool                shade;
};

struct sheet {
    const struct form_document *d;
    enum lang                   lang;
    struct arena               *arena;
    cairo_surface_t            *surface;
    cairo_t                    *cr;
    PangoFontMap               *fonts;
    PangoContext               *context;
    double                      y;
    int                         page, pages; /* pages: of all; 0 while they are being counted */
    const struct sheet_cell    *header;      /* repeated on a new page while set */
    size_t                      header_count;
    int                         rc;
};

/* sheet_open - a PDF that grows in out (NULL: only counted). */
MUST_USE int sheet_open(struct sheet *s, const struct form_document *d, struct arena *a, struct buf *out, int pages,
                        struct err *e);
/* sheet_close - finish the file and free all. Returns the first failure. */
MUST_USE int sheet_close(struct sheet *s, struct err *e);
void sheet_new_page(struct sheet *s);
/* sheet_text - a paragraph between x and x + width, over pages if need be. */
void sheet_text(struct sheet *s, struct sheet_column at, struct str text, struct sheet_style style);
/* sheet_space - so much room, or a new page if less than keep is left. */
void sheet_space(struct sheet *s, double height, double keep);
/* sheet_row - cells side by side in a frame. */
void sheet_row(struct sheet *s, const struct sheet_cell *cells, size_t count);

/* form_value_write - one value as JSON, null if v is NULL. */
void form_value_write(const struct duty_world *w, const struct form_field *f, const struct form_value *v,
                      struct buf *out);

#endif
