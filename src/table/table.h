/* table.h - tables that people keep in spreadsheets: rows of cells read from CSV and XLSX, and written to them.
 *
 * Owns      a struct table_writer owns its rows and its file in the given folder until table_writer_free; reading owns nothing
 *           after the call: cells are views that end with the callback.
 * Promises  1. Reading streams: one row is in memory at a time, beside the shared strings of a workbook; every size that a stranger
 *              can choose has a named limit below, and passing it is -E2BIG with the limit's name in words.
 *           2. A refusal names the place: "line 7, column 12: ..." of CSV, "Sheet1!C7: ..." of XLSX; e->line and e->column are
 *              the row and the column (letters of the line in CSV), counted from 1.
 *           3. Rows come in ascending order, cells of a row too; empty cells are left out, so sparse rows stay small.
 *           4. No part of a workbook reaches outside itself: no document type, no entity, no external part, no formula is evaluated.
 *           5. What is written and read back gives the same text. A CSV text that a spreadsheet would take for a formula is written
 *              behind an apostrophe, which reading takes away again.
 *           6. The same cells and the same moment give the same bytes of XLSX.
 * Threads   any; a writer belongs to one thread at a time.
 * Units     rows and columns count from 1; sizes are bytes; dates are civil, without a zone, as spreadsheets have them.
 * Source    RFC 4180; ECMA-376 (SpreadsheetML 18.3, number formats 18.8.30). */
#ifndef SAQSHY_TABLE_TABLE_H
#define SAQSHY_TABLE_TABLE_H

#include "base/base.h"

#define TABLE_BYTES_MAX      (64u * MIB)   /* of a file as it came */
#define TABLE_UNPACKED_MAX   (512u * MIB)  /* all parts of a workbook that are read, unpacked */
#define TABLE_PARTS_MAX      4096u         /* entries of a workbook's archive */
#define TABLE_SHEETS_MAX     256u
#define TABLE_SHARED_MAX     (64u * MIB)   /* all shared strings */
#define TABLE_SHARED_COUNT   2000000u
#define TABLE_STYLES_MAX     65536u        /* cell formats; spreadsheets allow 65,490 */
#define TABLE_ROWS_MAX       1048576u      /* what a spreadsheet can show */
#define TABLE_COLUMNS_MAX    16384u        /* XFD */
#define TABLE_CELL_MAX       (128u * KIB)  /* of one text: 32,767 letters of at most four bytes */
#define TABLE_CELL_LETTERS   32767u
#define TABLE_ROW_MAX        (4u * MIB)    /* all texts of one row */
#define TABLE_TEXTS_MAX      (512u * MIB)  /* all texts of a sheet: a shared string can stand in every cell */
#define TABLE_XML_DEPTH_MAX  64
#define TABLE_SHEET_NAME_MAX 128           /* 31 letters of up to four bytes, and NUL */

enum table_format { TABLE_CSV, TABLE_XLSX };

enum table_type {
    TABLE_TEXT,
    TABLE_NUMBER,    /* text is the shortest decimal: "12", "0.5" */
    TABLE_BOOL,      /* "true", "false" */
    TABLE_DATE,      /* "2026-03-20" */
    TABLE_DATETIME,  /* "2026-03-20T14:30:00" */
    TABLE_TIME,      /* "14:30:00" */
    TABLE_ERROR      /* "#N/A": what a formula gave */
};

struct table_cell {
    uint32_t        column;
    enum table_type type;
    struct str      text;    /* UTF-8; borrowed until the callback returns */
};

struct table_row {
    struct str               sheet;   /* empty for CSV */
    uint32_t                 number;  /* of XLSX the row; of CSV the record: a quoted newline does not count */
    uint32_t                 line;    /* of CSV the line where it begins; of XLSX the row */
    const struct table_cell *cells;
    size_t                   count;
};

enum table_encoding { TABLE_ENCODING_AUTO, TABLE_UTF8, TABLE_UTF16LE, TABLE_UTF16BE, TABLE_CP1251, TABLE_KZ1048 };

struct table_options {
    char                delimiter;   /* of CSV; 0: found from the first records among ; , tab and | */
    enum table_encoding encoding;    /* of CSV; auto: byte order mark, else UTF-8 if it is that, else CP1251 */
    struct str          sheet;       /* of XLSX; empty: the first */
};

/* table_row_fn - one row. Below zero ends the reading with that answer. */
typedef int table_row_fn(void *arg, const struct table_row *row, struct err *e);

/* table_format_of - what the bytes are, by their beginning. -EBADMSG for the old binary .xls and for an empty file. */
MUST_USE int table_format_of(struct str bytes, enum table_format *out, struct err *e);
/* table_read - every row that is not empty, in order. bytes is borrowed for the call; o may be NULL. */
MUST_USE int table_read(struct str bytes, const struct table_options *o, table_row_fn *fn, void *arg, struct err *e);
/* table_sheets - names of the sheets of a workbook in order, in the arena; none for CSV. */
MUST_USE int table_sheets(struct str bytes, struct arena *a, struct str **names, size_t *count, struct err *e);
/* table_cell_find - the cell of a column, or NULL. */
const struct table_cell *table_cell_find(const struct table_row *row, uint32_t column);
/* table_column_name - "A" to "XFD". */
const char *table_column_name(uint32_t column, char out[8]);

/* --- writing --- */

struct table_writer;
struct table_writer_setup {
    enum table_format format;
    char              delimiter;   /* of CSV; 0: ';', which spreadsheets in Kazakh and Russian expect */
    time_ns           created;     /* stands in a workbook's properties */
    const char       *folder;      /* where a workbook may keep its temporary files; needed for XLSX */
    const char       *title;       /* of the workbook's properties; may be NULL */
};
/* table_writer_new - a failure in any call below sticks and is told by table_writer_finish. */
MUST_USE int table_writer_new(const struct table_writer_setup *s, struct table_writer **out, struct err *e);
/* table_sheet - begin a sheet; CSV has one only. Names are made valid: cut at 31 letters, []:*?/\ become '-'. */
void table_sheet(struct table_writer *w, const char *name);
/* table_header - a row in bold that stays in sight. widths in letters, may be NULL; of CSV a plain row. */
void table_header(struct table_writer *w, const struct str *names, const unsigned *widths, size_t count);
/* table_put - the next cell of the row: text, or a number or date that spreadsheets reckon with. An empty text is an empty cell. */
void table_put(struct table_writer *w, struct str text);
void table_put_number(struct table_writer *w, double n);
/* table_put_date - with_time: the time of day is shown too. A date that does not exist is written as an empty cell. */
void table_put_date(struct table_writer *w, const struct civil *c, bool with_time);
void table_end_row(struct table_writer *w);
/* table_writer_finish - the bytes of the file, added to out. */
MUST_USE int table_writer_finish(struct table_writer *w, struct buf *out, struct err *e);
void table_writer_free(struct table_writer **w);

#endif
