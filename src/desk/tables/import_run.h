/* import_run.h - one table on its way into the registry, as its files share it.
 *
 * Owns      its texts live in the arena of the call that loaded it.
 * Promises  1. Rows are judged with memory that is given back with their piece: it does not grow with the table.
 *           2. Rows are judged without a transaction and written some at a time, under the number of their dry run. What was written by one that
 *              did not end is seen by nobody.
 * Threads   as struct desk. */
#ifndef SAQSHY_DESK_TABLES_IMPORT_RUN_H
#define SAQSHY_DESK_TABLES_IMPORT_RUN_H

#include "desk/tables/import.h"

struct column {
    uint32_t      number;   /* in the table, from 1 */
    struct target target;
};
struct import_run {
    int64_t          id, checked, author_id;
    int64_t          attempt; /* the dry run in work */
    enum record_kind kind;
    struct str       sha256, file_name, sheet, sheets, headings, state, columns_json, empty;
    int64_t          heading_row;
    struct column    columns[IMPORT_COLUMNS_MAX];
    size_t           column_count;
    bool             clear;   /* an empty cell empties the field */
};

/* Rows that were judged and are not yet written. */
#define IMPORT_PIECE_ROWS  128
#define IMPORT_PIECE_BYTES (512u * KIB)
struct judged {
    int64_t     row, version;
    const char *action;                             /* a literal */
    struct str  target, id, parent, name, value, diff;
    json_t     *errors;                             /* owned */
};
struct import_piece {
    struct arena  a;
    struct judged rows[IMPORT_PIECE_ROWS];
    size_t        count, bytes;
};
void piece_init(struct import_piece *p);
void piece_free(struct import_piece *p);
bool import_piece_full(const struct import_piece *p);
/* piece_write - its rows in one transaction; then it is empty. */
MUST_USE int piece_write(struct call *c, const struct import_run *run, struct import_piece *p);

/* import_row_check - judge one row and add what it would do to the piece, which must not be full. No transaction. */
MUST_USE int import_row_check(struct desk *d, const struct viewer *v, time_ns now, const struct import_run *run, const struct table_row *row,
                              struct import_piece *p, struct err *e);
/* import_rows_forget - take away what the dry runs first to last of a run showed, some rows a transaction. */
MUST_USE int import_rows_forget(struct call *c, int64_t run, int64_t first, int64_t last);

#endif
