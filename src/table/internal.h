/* internal.h - what the files of table share: the row being gathered, encodings, the parts of a workbook.
 *
 * Owns      a struct row_builder owns the bytes of one row.
 * Promises  1. A cell's text is complete when row_end is called: growth of the bytes moves no finished cell (offsets, not pointers).
 * Threads   owner.
 * Source    see table.h. */
#ifndef SAQSHY_TABLE_INTERNAL_H
#define SAQSHY_TABLE_INTERNAL_H

#include "table/table.h"

/* --- row.c --- */
struct row_builder {
    struct buf         bytes;     /* texts of the row, one after another */
    struct table_cell *cells;     /* text.p holds an offset until row_send */
    size_t            *starts;
    size_t             count, cap;
};
void row_init(struct row_builder *b);
void row_free(struct row_builder *b);
/* row_cell - the text from offset start to the end of b->bytes is the cell of this column; an empty one is left out. */
MUST_USE int row_cell(struct row_builder *b, uint32_t column, enum table_type type, size_t start);
/* row_send - give the row to fn if it holds anything, and begin the next. */
MUST_USE int row_send(struct row_builder *b, struct str sheet, uint32_t number, uint32_t line, table_row_fn *fn, void *arg, struct err *e);
/* text_guarded - would a spreadsheet take this text for a formula, or is it one that was guarded before? */
bool text_guarded(struct str s);

/* --- encoding.c --- */
/* encoding_to_utf8 - *out is a view of bytes (already UTF-8, mark taken off) or of b. */
MUST_USE int encoding_to_utf8(struct str bytes, enum table_encoding encoding, struct buf *b, struct str *out, struct err *e);

/* --- csv_read.c --- */
MUST_USE int csv_read(struct str bytes, const struct table_options *o, table_row_fn *fn, void *arg, struct err *e);

/* --- xlsx_package.c: the archive, its relations and the list of sheets --- */
struct zip;
struct sheet_ref {
    struct str name, relation, part;
};
struct package {
    struct zip      *zip;        /* NULL: the parts are in raw, as tests and fuzzers bring them */
    struct { struct str name, xml; } raw[4];
    struct arena     a;          /* names and paths */
    uint64_t         unpacked;   /* so far, against TABLE_UNPACKED_MAX */
    struct sheet_ref *sheets;
    size_t           sheet_count;
    struct str       workbook, shared, styles;   /* parts; empty if there is none */
    bool             date1904;
};
MUST_USE int package_open(struct str bytes, struct package *p, struct err *e);
void package_close(struct package *p);

/* xml_walk - parse a part, giving elements without their prefixes. A handler that returns below zero ends the walk. */
struct xml_handler {
    int (*open)(void *arg, const char *name, const char **attrs, struct err *e);   /* NULL: not interested */
    int (*close)(void *arg, const char *name, struct err *e);
    int (*text)(void *arg, const char *s, size_t n, struct err *e);
};
MUST_USE int xml_walk(struct package *p, struct str part, const struct xml_handler *h, void *arg, struct err *e);
/* xml_attr - the value of an attribute whatever its prefix, or NULL. */
const char *xml_attr(const char **attrs, const char *name);

/* --- xlsx_strings.c --- */
struct shared_strings {
    struct buf bytes;
    uint32_t  *ends;     /* end offset of each */
    size_t     count, cap;
};
MUST_USE int shared_load(struct package *p, struct shared_strings *s, struct err *e);
void shared_free(struct shared_strings *s);
struct str shared_at(const struct shared_strings *s, size_t i);
/* text_unescape - "_x000D_" of workbooks becomes the letter, in place from offset start of b. */
void text_unescape(struct buf *b, size_t start);

/* --- xlsx_styles.c --- */
enum date_kind { NOT_A_DATE, A_DATE, A_DATETIME, A_TIME };
struct styles {
    unsigned char *kinds;   /* enum date_kind of each cell format */
    size_t         count, cap;
};
MUST_USE int styles_load(struct package *p, struct styles *s, struct err *e);
void styles_free(struct styles *s);
/* date_kind_of - what a format code shows: "dd.mm.yyyy" a date, "[Red]0.00" none. */
enum date_kind date_kind_of(struct str code);
/* date_text - the day number of a spreadsheet as text; false if it is no day (before 1900, after 9999, the 29 February 1900 that never was). */
bool date_text(double serial, enum date_kind kind, bool date1904, struct buf *out, enum table_type *type);

/* --- xlsx_sheet.c --- */
/* package_read - the rows of a sheet of an open package. */
MUST_USE int package_read(struct package *p, const struct table_options *o, table_row_fn *fn, void *arg, struct err *e);
MUST_USE int xlsx_read(struct str bytes, const struct table_options *o, table_row_fn *fn, void *arg, struct err *e);
/* number_text - the shortest decimal that reads back as n. */
void number_text(double n, struct buf *out);
/* cell_place - "C7" to column and row; false if it is none or passes the limits. */
bool cell_place(const char *ref, uint32_t *column, uint32_t *row);

/* --- xlsx_write.c, csv_write.c: the two kinds behind struct table_writer --- */
struct xlsx_out;
MUST_USE int  xlsx_out_new(const struct table_writer_setup *s, struct xlsx_out **out, struct err *e);
MUST_USE int  xlsx_out_sheet(struct xlsx_out *x, const char *name, struct err *e);
MUST_USE int  xlsx_out_header(struct xlsx_out *x, const struct str *names, const unsigned *widths, size_t count, struct err *e);
MUST_USE int  xlsx_out_text(struct xlsx_out *x, uint32_t row, uint32_t column, struct str text, struct err *e);
MUST_USE int  xlsx_out_number(struct xlsx_out *x, uint32_t row, uint32_t column, double n, struct err *e);
MUST_USE int  xlsx_out_date(struct xlsx_out *x, uint32_t row, uint32_t column, const struct civil *c, bool with_time, struct err *e);
MUST_USE int  xlsx_out_finish(struct xlsx_out *x, struct buf *out, struct err *e);
void xlsx_out_free(struct xlsx_out **x);
void csv_out_text(struct buf *b, struct str text, char delimiter);

#endif
