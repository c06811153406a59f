/* forms.h - structured formats as names and values: what a format says, before anybody says what it means.
 *
 * Owns      nothing: names and values are views into the text, or lie in the arena (where escapes were undone).
 * Promises  1. A form never fails on what it is given: it takes pairs as far as the text is of the form, and says with
 *              damaged that something was not.
 *           2. Pairs stand in the order of the text; a name may stand several times. At most FORM_FIELDS_MAX of them; what
 *              is beyond is left out, and damaged.
 *           3. No recursion; time is linear in the text.
 *           4. Whether a text is of a form is asked by looks: a glance at its beginning, without memory.
 * Threads   forms are constant: any. A struct parse_memory belongs to one thread.
 * Units     bytes.
 * Source    CEF (ArcSight, version 0 and 1), LEEF 1.0 and 2.0, RFC 4180, W3C Extended Log File Format, the Windows event
 *           schema, Snare for Windows; the names each form gives are in docs/parsers.md. */
#ifndef SAQSHY_PARSE_FORMS_H
#define SAQSHY_PARSE_FORMS_H

#include "parse/parse.h"

#define FORM_FIELDS_MAX 384 /* less than an event holds, which has fields of its own besides */
#define FORM_COLUMNS_MAX 256

struct parse_memory; /* parse.h: bounded state that a receiver keeps between its batches */

struct form_pairs {
    struct arena *arena;
    struct event_field *items; /* in the arena */
    uint32_t count, cap;
    bool damaged;
};

/* Columns that only records of one kind have. */
struct form_columns {
    struct str kind;
    const struct str *names;
    size_t count;
};

/* What a data parser may say besides. All zero: what the format itself says. */
struct form_how {
    char delimiter;            /* csv, kv, leef: between fields; 0: ',', found, of the header */
    char assign;               /* kv: between name and value; 0: '=' */
    bool header;               /* csv: a line of column names may stand in the stream, remembered per source */
    const struct str *columns; /* csv, w3c: their names, where no header was seen */
    size_t column_count;
    bool doubled;                /* kv: a quote in a quoted value is doubled, a backslash means itself */
    struct str by;               /* csv: the column whose value says which of "further" follow */
    const struct form_columns *further;
    size_t further_count;
    bool once;                   /* kv, cef: a name that stands twice is no longer to be trusted … */
    const struct str *repeats;   /* … but of these */
    size_t repeat_count;
    struct parse_memory *memory; /* may be NULL: then nothing is remembered */
    struct str source;           /* under which columns are remembered */
};

struct form_kind {
    const char *name; /* "cef" */
    bool (*looks)(struct str text);
    /* read - false: the text is not of this form, out is empty. */
    bool (*read)(struct str text, const struct form_how *how, struct form_pairs *out);
};

/* The forms: json, kv, cef, leef, csv, w3c, winxml, snare, elements, counted.
 * form_kind_of - by name, or NULL. */
const struct form_kind *form_kind_of(struct str name);
/* form_kind_read - the pairs of text. how may be NULL. */
bool form_kind_read(const struct form_kind *f, struct str text, const struct form_how *how, struct arena *a, struct form_pairs *out);
/* pairs_get - the first value of a name, or {NULL,0}. */
struct str pairs_get(const struct form_pairs *f, struct str name);

/* winxml_next - the next <Event …>…</Event> of a list of them; false: there is no whole one, and *rest is what stands there. */
bool winxml_next(struct str *rest, struct str *event);
/* xml_decoded - a text of XML with its entities undone: a view where there is none, else in the arena of f, which is damaged if one is unknown. */
struct str xml_decoded(struct form_pairs *f, struct str text);

/* --- for the readers of forms --- */
void pairs_add(struct form_pairs *f, struct str name, struct str value);
/* pairs_once - values of a name that stands several times get the name "twice.NAME", all of them: who can write into one value of
 * a line could have added the others. damaged then. Names under how->repeats are the product's own. */
void pairs_once(struct form_pairs *f, const struct form_how *how);

/* --- what is remembered of a source between its lines: the names of columns that its header gave --- */

#define MEMORY_SOURCES_MAX 4096          /* beyond: the one silent for longest is forgotten */
#define MEMORY_COLUMNS_BYTES (8u * KIB)  /* a longer header is not kept */

/* memory_columns - the header line last seen of this source and form; {NULL,0}: none. Valid until the next memory_keep. */
struct str memory_columns(struct parse_memory *m, struct str source, const char *form);
void memory_keep(struct parse_memory *m, struct str source, const char *form, struct str header);

#endif
