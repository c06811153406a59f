/* internal.h - for the family of duty: reading YAML entries with a failure that sticks.
 *
 * Owns      nothing: a loader borrows the file and the arena.
 * Promises  1. After the first failure every read returns the empty value and changes nothing; rc and the
 *              message (file, line, column, expected form) are those of the first failure.
 * Threads   owner. */
#ifndef SAQSHY_DUTY_INTERNAL_H
#define SAQSHY_DUTY_INTERNAL_H

#include "base/yaml.h"
#include "duty/duty.h"

struct loader {
    const struct yaml *y;
    struct arena      *arena;
    struct err        *e;
    int                rc;
};

#define LD_OPTIONAL false
#define LD_REQUIRED true

/* ld_fail - remember a failure at a node. */
void ld_fail(struct loader *l, const struct ynode *at, const char *fmt, ...) __attribute__((format(printf, 3, 4)));
/* ld_root - the one document of the file, which must be a map with only these keys. NULL on failure. */
const struct ynode *ld_root(struct loader *l, const char *const *keys);
/* ld_keys - map is a map with only these keys. */
void ld_keys(struct loader *l, const struct ynode *map, const char *const *keys);
/* ld_list - the sequence under key, at most EDITION_ITEMS_MAX items; NULL if absent and optional. */
const struct ynode *ld_list(struct loader *l, const struct ynode *map, const char *key, bool required);
/* ld_array - zeroed room for each item of a list; *count is set. NULL and 0 for no list. */
void *ld_array(struct loader *l, const struct ynode *list, size_t size, size_t *count);
struct str ld_text(struct loader *l, const struct ynode *map, const char *key, bool required);
/* ld_id - a text of a-z, A-Z, 0-9, '_', '-', '.', ':' only, at most 64 bytes. */
struct str ld_id(struct loader *l, const struct ynode *map, const char *key, bool required);
/* ld_date - "2026-03-19", or empty where not required. */
struct str ld_date(struct loader *l, const struct ynode *map, const char *key, bool required, int64_t *day);
int64_t ld_int(struct loader *l, const struct ynode *map, const char *key, bool required, int64_t least, int64_t most);
bool ld_bool(struct loader *l, const struct ynode *map, const char *key, bool fallback);
/* ld_word - the index of the value in a NULL-ended list of words. */
int ld_word(struct loader *l, const struct ynode *map, const char *key, const char *const *words);
/* ld_label - the map {kk, ru, en} under key; ld_label_of - of a node. Each must be there and not empty. */
struct label ld_label(struct loader *l, const struct ynode *map, const char *key, bool required);
struct label ld_label_of(struct loader *l, const struct ynode *node);
/* ld_ids - a list of ids as an array of texts. */
const struct str *ld_ids(struct loader *l, const struct ynode *map, const char *key, bool required, size_t *count);
/* date_parse - "2026-03-19" as a day number. False if it is no such date. */
bool date_parse(struct str s, int64_t *day);

/* The internal days (target.c); the editions of w are loaded before. */
MUST_USE int duty_targets_load(const char *path, struct duty_world *w, struct err *e);
void duty_targets_free(struct duty_targets **t);

/* An edition from texts instead of files, in the order of edition_part_name: for the fuzzer. */
#define EDITION_PARTS 6
MUST_USE int edition_read(const struct str texts[EDITION_PARTS], struct edition **out, struct err *e);
const char *edition_part_name(size_t part);

/* The parts of edition_load, one a file. */
int edition_read_forms(struct edition *ed, struct loader *l);
int edition_read_obligations(struct edition *ed, struct loader *l);
int edition_read_event_types(struct edition *ed, struct loader *l);

#endif
