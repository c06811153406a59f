/* yaml.h - YAML files as trees of positioned nodes.
 *
 * Owns      struct yaml owns all its nodes and their texts; nodes are borrowed until yaml_free.
 * Promises  1. Bounded: YAML_BYTES_MAX, YAML_DEPTH_MAX, YAML_NODES_MAX; anchors and aliases are refused
 *              (they can make a small file huge), and so are duplicate keys.
 *           2. Built in a loop over parser events: no recursion over the file.
 *           3. Every node knows its line and column, so whoever judges a value can say where it stands.
 * Threads   owner; read-only after loading, then any.
 * Units     line and column count from 1.
 * Source    YAML 1.2 by libfyaml. */
#ifndef SAQSHY_BASE_YAML_H
#define SAQSHY_BASE_YAML_H

#include "base/base.h"

#define YAML_BYTES_MAX (4u * MIB)
#define YAML_DEPTH_MAX 64
#define YAML_NODES_MAX 400000

enum ynode_kind { YNODE_SCALAR, YNODE_MAP, YNODE_SEQ };

struct ynode {
    enum ynode_kind kind;
    bool            plain;   /* a scalar without quotes: null, true and numbers may be meant */
    int             line, column;
    struct str      text;    /* scalar, or the key's text in a map entry */
    struct ynode   *first;   /* map: keys (each with ->value); sequence: items */
    struct ynode   *next;
    struct ynode   *value;   /* of a map key */
    size_t          count;   /* entries or items */
};

struct yaml {
    struct arena   arena;
    char          *name;     /* for messages */
    struct ynode  *docs[1024];
    size_t         doc_count;
};

/* yaml_load_file, yaml_load - parse; *out is NULL on failure. The message has file, line and column. */
MUST_USE int yaml_load_file(const char *path, struct yaml **out, struct err *e);
MUST_USE int yaml_load(struct str text, const char *name, struct yaml **out, struct err *e);
void yaml_free(struct yaml **y);

/* yaml_get - the value under key in a map, or NULL. */
const struct ynode *yaml_get(const struct ynode *map, const char *key);
/* yaml_text - a scalar's text under key; {NULL,0} if absent or not a scalar. */
struct str yaml_text(const struct ynode *map, const char *key);
/* yaml_int, yaml_bool - typed scalars. 0 and *out on success, 1 if absent (*out untouched), or -EBADMSG. */
MUST_USE int yaml_int(const struct yaml *y, const struct ynode *map, const char *key, int64_t *out, struct err *e);
MUST_USE int yaml_bool(const struct yaml *y, const struct ynode *map, const char *key, bool *out, struct err *e);
/* yaml_null - an absent node or a plain "", "~", "null", "Null" or "NULL". */
bool yaml_null(const struct ynode *n);
/* yaml_only - every key of map is in the NULL-ended list of names; else -EBADMSG naming the stray key. */
MUST_USE int yaml_only(const struct yaml *y, const struct ynode *map, const char *const *names, struct err *e);
/* yaml_err - an error at a node: "FILE:LINE:COLUMN: text". Returns -EBADMSG. */
int yaml_err(const struct yaml *y, const struct ynode *at, struct err *e, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));

#endif
