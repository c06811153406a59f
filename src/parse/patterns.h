/* patterns.h - products described by a file: what the loader makes of content/parsers/NAME.yaml and the run works with.
 *
 *   patterns_load.c    the file, key by key        patterns_fields.c  names, values, constants, cases
 *   patterns_regex.c   one pattern: groups, literal, limits           patterns_filter.c  many literals in one pass
 *   patterns_run.c     a text against a product    patterns_time.c    times by a form
 *   patterns_set.c     folders, reload, dispatch   patterns_samples.c the lines that a file carries
 *   patterns_draft.c   a file out of lines
 *
 * Owns      struct product owns its arena and compiled patterns; it is shared (refs) by the sets that hold it.
 * Promises  1. A loaded product is read-only: any number of threads may run it.
 *           2. Everything a file can make large has a limit below; a text that takes more steps than PATTERN_STEPS is
 *              counted and partial.
 *           3. Nothing here recurses over a text or a file.
 * Threads   loading: owner; running: any.
 * Source    docs/parsers.md, "Parsers as data", is the description of the file. */
#ifndef SAQSHY_PARSE_PATTERNS_H
#define SAQSHY_PARSE_PATTERNS_H

#include "parse/internal.h"

#define PRODUCTS_MAX       512
#define PATTERNS_MAX       256 /* of one product */
#define PATTERN_GROUPS_MAX 64  /* of one pattern */
#define PATTERN_BYTES_MAX  4096
#define PATTERN_STEPS      100000u
#define PATTERN_HEAP_KIB   256u
#define CAPTURES_MAX       400 /* fields of one text before they are mapped */
#define INSIDE_DEPTH_MAX   3
#define MATCHED_MAX        8   /* patterns that may have matched one text, by "of" */
#define SETS_MAX           48  /* constants in force at once */

/* --- forms: a structured text as fields by name --- */

enum form { FORM_TEXT, FORM_KV, FORM_CSV, FORM_JSON, FORM_CEF, FORM_LEEF, FORM_W3C, FORM_XML, FORM_COUNT };

struct form_options {
    char separator, assign, quote; /* 0: as the form has it */
    const struct str *columns;
    size_t column_count;
};

/* What a form gives, in the order of the text. Names and values are views into the text or lie in the arena. */
struct form_fields {
    struct event_field *items;
    uint32_t count, cap;
};

/* form_read - take s apart. False: it is not of that form (nothing was added). w->trouble where something was left out. */
bool form_read(struct work *w, enum form form, const struct form_options *o, struct str s, struct form_fields *out);
/* form_add - one more field; past CAPTURES_MAX it is left out and w->trouble set. */
void form_add(struct work *w, struct form_fields *f, struct str name, struct str value);
enum form form_named(struct str name); /* FORM_COUNT if there is none */

#endif
