/* search_table.h - the rows that pipes make, for people and for programs.
 *
 * Owns      struct search_table owns the texts of the rows until it is freed.
 * Promises  1. As a table: columns aligned, as wide as their widest value (60 letters at most, the last one as it is); nothing of a log that could drive the
 *              terminal reaches it. Of a column with approximate figures the name is behind "~".
 *           2. JSON: one object a line; CSV: RFC 4180 as src/table writes it, with commas. Both name approximate columns on standard error.
 * Threads   owner. */
#ifndef SAQSHY_BIN_SEARCH_TABLE_H
#define SAQSHY_BIN_SEARCH_TABLE_H

#include "pipes/pipes.h"

#include <jansson.h>

enum search_form { SEARCH_TABLE, SEARCH_JSON, SEARCH_CSV };
struct search_table;

MUST_USE int search_table_new(enum search_form form, const struct pipes_column *columns, size_t count, struct search_table **out, struct err *e);
/* search_table_row - a pipes_row; arg is the table. */
int search_table_row(void *arg, const struct pipes_cell *cells, size_t count);
/* search_table_json - the same for a row of a centre's answer: an array of values. */
int search_table_json(struct search_table *t, const json_t *row);
/* search_table_end - print what waits. columns as they are now, some perhaps approximate. Returns how many rows there were. */
MUST_USE int search_table_end(struct search_table *t, const struct pipes_column *columns, size_t *rows, struct err *e);
void search_table_free(struct search_table **t);

#endif
