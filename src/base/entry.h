/* entry.h - what entries of the lists of a configuration share (listeners, sources, upstreams): texts, limits and options, walked by tables.
 *
 * Owns      nothing: the texts of an entry are its own, malloc'ed; a table is static data of whoever reads the list.
 * Promises  1. An unknown word, a wrong kind or a number out of range is an error with file, line, column, and what is known.
 *           2. After entry_fill no text is NULL.
 * Threads   any.
 * Units     as the tables say. */
#ifndef SAQSHY_BASE_ENTRY_H
#define SAQSHY_BASE_ENTRY_H

#include "base/yaml.h"

#define ENTRY_OPTIONS_MAX 32

/* A text of an entry: its word, where its pointer stands, and whether it is a file that may be relative. */
struct entry_text {
    const char *name;
    size_t      at;
    bool        path;
};
/* A whole number of an entry's limits: all limits are int64_t. */
struct entry_limit {
    const char *name;
    size_t      at;
    int64_t     least, most, number;   /* number: what counts if nothing is said */
};
/* A text that only the kind of the entry knows, and where it stands in the file. */
struct entry_option {
    char *name, *value;
    int   line, column;
};

/* entry_set - *to becomes a copy of s. -ENOMEM. */
MUST_USE int entry_set(char **to, struct str s);
/* entry_take_text - the scalar under the key k; a relative path is meant from base (NULL: it is no path). */
MUST_USE int entry_take_text(const struct yaml *y, const struct ynode *k, const char *base, char **to, struct err *e);
/* entry_take - the text of this key if the table has it: 1 taken, 0 not of this table. */
MUST_USE int entry_take(void *entry, const struct entry_text *texts, size_t count, const struct yaml *y, const struct ynode *k, const char *base,
                        struct err *e);
/* entry_fill - texts that nobody gave are empty ones. */
MUST_USE int entry_fill(void *entry, const struct entry_text *texts, size_t count);
/* entry_copy_texts - those of from anew into to, whose pointers are overwritten. On -ENOMEM those that are missing are NULL. */
MUST_USE int entry_copy_texts(const void *from, void *to, const struct entry_text *texts, size_t count);
bool entry_same_texts(const void *a, const void *b, const struct entry_text *texts, size_t count);
void entry_free_texts(void *entry, const struct entry_text *texts, size_t count);

void entry_default_limits(void *limits, const struct entry_limit *table, size_t count);
MUST_USE int entry_take_limits(void *limits, const struct entry_limit *table, size_t count, const struct yaml *y, const struct ynode *map, struct err *e);

/* entry_take_options - what names the entry in an error: "a listener". */
MUST_USE int entry_take_options(struct entry_option options[ENTRY_OPTIONS_MAX], size_t *count, const char *what, const struct yaml *y,
                                const struct ynode *map, struct err *e);
/* entry_copy_options - *to_count counts what is there even after -ENOMEM. */
MUST_USE int entry_copy_options(const struct entry_option *from, size_t count, struct entry_option *to, size_t *to_count);
bool entry_same_options(const struct entry_option *a, size_t a_count, const struct entry_option *b, size_t b_count);
/* entry_option_find - NULL if it was not given. */
const struct entry_option *entry_option_find(const struct entry_option *options, size_t count, const char *name);
void entry_free_options(struct entry_option *options, size_t *count);

#endif
