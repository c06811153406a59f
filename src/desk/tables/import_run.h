/* import_run.h - one table on its way into the registry, as its files share it.
 *
 * Owns      its texts live in the arena of the call that loaded it.
 * Promises  1. A row is judged with memory of its own, given back before the next: memory does not grow with the table.
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
    enum record_kind kind;
    struct str       sha256, file_name, sheet, sheets, headings, state, columns_json, empty;
    int64_t          heading_row;
    struct column    columns[IMPORT_COLUMNS_MAX];
    size_t           column_count;
    bool             clear;   /* an empty cell empties the field */
};

/* import_row_check - judge one row and keep what it would do. */
MUST_USE int import_row_check(struct desk *d, const struct viewer *v, time_ns now, const struct import_run *run, const struct table_row *row, struct err *e);

#endif
