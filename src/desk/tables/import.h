/* import.h - what the files of import and export share: cells as values, columns as fields, rows as records.
 *
 * Owns      nothing.
 * Promises  1. What json_to_cell writes cell_to_json reads as the same value: a table that was written out comes back without a change.
 *           2. A cell that cannot be read has a code; its words are table.error.CODE of the catalogue, in three languages.
 * Threads   as struct desk.
 * Source    requirements 6.1; features 8. */
#ifndef SAQSHY_DESK_TABLES_IMPORT_H
#define SAQSHY_DESK_TABLES_IMPORT_H

#include "desk/registry/registry.h"
#include "desk/tables/internal.h"
#include "table/table.h"

#define IMPORT_COLUMNS_MAX 256
#define IMPORT_ERRORS_MAX  16      /* kept of one row */

/* A field that a column can be: one of the record, or "id", or "parent" ("object/ID") of a component or contact. */
struct target {
    const char              *name;
    const struct body_field *field;   /* NULL: id or parent */
};
/* targets_of - of a kind, in the order of export; at most IMPORT_COLUMNS_MAX. */
size_t targets_of(enum record_kind k, struct target *out);
/* target_label - the words over its column. */
struct str target_label(struct call *c, enum record_kind k, const char *name, enum lang lang);
/* target_guess - the field that a heading names: by its identifier or its words in any language; NULL: none. */
const struct target *target_guess(struct call *c, enum record_kind k, const struct target *all, size_t count, struct str heading);

/* --- import_cell.c --- */
/* cell_to_json - -EINVAL with *code (a literal) if the cell does not read as the field. */
MUST_USE int cell_to_json(struct call *c, const struct body_field *f, const struct table_cell *cell, json_t **out, const char **code);
void json_to_cell(struct call *c, const struct body_field *f, const json_t *v, struct buf *out);

/* --- import_find.c --- */
/* reference_find - the id of the record that a cell of this field names (id, BIN, name, number); 0 found, 1 none, 2 several. A field that is no
 * reference: -ENOTSUP. */
MUST_USE int reference_find(struct call *c, const char *field, struct str text, struct str *id);
/* parent_find - "object/ID" of an object's id or name, "organisation/ID" as it stands. The same answers. */
MUST_USE int parent_find(struct call *c, struct str text, struct str *parent);
/* record_find - the record that a row is about: by id if it has one, else by what names it. 0 found, 1 none (a new one), 2 several. */
MUST_USE int record_find(struct call *c, enum record_kind k, struct str id, struct str parent, const json_t *value, struct str *found);

#endif
