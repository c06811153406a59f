/* tables.h - the room of what comes in lists: passports of objects, what is observed beside them, tables in and out of the registry.
 *
 * Owns      the tables passport, passport_item, observed, object_change, import_mapping, import_run, import_row.
 * Promises  1. A passport (paragraph 7) is a numbered version of an object's initial data; a version never changes, the next one is added.
 *           2. Each version says whence it came: the architecture portal, the tests of conformity with which of the four kinds was tested, the
 *              owner, or the acceptance of what was observed.
 *           3. What is observed is laid beside the newest version. Each difference is one row of object_change until somebody accepts it
 *              (a new version) or questions it (the owner is asked); a difference that goes away by itself is withdrawn, never deleted.
 *           4. Differences between two versions are rows too, already recorded: they are the changes of objects of paragraphs 17 and 18.
 *           5. An import writes what its dry run showed and nothing else, in one transaction; if the registry has moved since, nothing.
 * Threads   as struct desk.
 * Source    Rules 7, 17, 18; requirements R-7-01 to R-7-06, Q-25. */
#ifndef SAQSHY_DESK_TABLES_H
#define SAQSHY_DESK_TABLES_H

#include "desk/desk.h"

#define PASSPORT_ITEMS_MAX   20000
#define OBSERVED_ITEMS_MAX   20000
#define OBSERVE_EVERY_NS     (10 * NS_PER_MINUTE)   /* how often the sources that ingest knows are laid beside the passports */
#define CHANGES_DECIDED_MAX  500                    /* of one act */

/* --- the API: passports --- */
MUST_USE int desk_passports(struct desk *d, const struct viewer *v, struct str object, int limit, struct str before, struct desk_reply *r);
MUST_USE int desk_passport(struct desk *d, const struct viewer *v, struct str object, struct str version, time_ns now, struct desk_reply *r);
MUST_USE int desk_passport_create(struct desk *d, const struct viewer *v, struct str object, const json_t *body, time_ns now, struct desk_reply *r);
/* desk_passport_file - a descriptor of a diagram's or a structure's file, owned by the caller; r->json {name, type, size_bytes}. */
MUST_USE int desk_passport_file(struct desk *d, const struct viewer *v, struct str object, struct str sha256, time_ns now, int *fd, struct desk_reply *r);
/* desk_observed - what logs and agents show of an object, each with what the newest passport says of it. */
MUST_USE int desk_observed(struct desk *d, const struct viewer *v, struct str object, int limit, struct str before, struct desk_reply *r);

struct desk_changes_query {
    struct str object, state;   /* empty: all */
    int        limit;
    struct str before;
};
MUST_USE int desk_changes(struct desk *d, const struct viewer *v, const struct desk_changes_query *q, struct desk_reply *r);
/* desk_changes_decide - body {decision: accept|question, ids, note}: all of them or none. */
MUST_USE int desk_changes_decide(struct desk *d, const struct viewer *v, const json_t *body, time_ns now, struct desk_reply *r);

/* --- the API: tables into the registry and out of it --- */

#define IMPORT_ROWS_MAX 100000
#define IMPORT_KEPT_NS  (30 * NS_PER_DAY)   /* what a dry run showed is forgotten then */

/* desk_import_read - body {upload_id, kind, sheet}: a finished upload; its headings and which fields they mean. */
MUST_USE int desk_import_read(struct desk *d, const struct viewer *v, const json_t *body, time_ns now, struct desk_reply *r);
MUST_USE int desk_import(struct desk *d, const struct viewer *v, struct str id, time_ns now, struct desk_reply *r);
/* desk_import_check - the dry run. body {columns: [{heading, field}], empty: keep|clear, mapping: name to keep it under}. */
MUST_USE int desk_import_check(struct desk *d, const struct viewer *v, struct str id, const json_t *body, time_ns now, struct desk_reply *r);
MUST_USE int desk_import_rows(struct desk *d, const struct viewer *v, struct str id, struct str action, int limit, struct str before, time_ns now,
                              struct desk_reply *r);
/* desk_import_apply - body {checked, leave_errors}: checked names the dry run that was looked at. -EEXIST "conflict" if the registry moved. */
MUST_USE int desk_import_apply(struct desk *d, const struct viewer *v, struct str id, const json_t *body, time_ns now, struct desk_reply *r);
MUST_USE int desk_import_mappings(struct desk *d, const struct viewer *v, struct str kind, struct desk_reply *r);
/* desk_import_fields - what a column of a kind can be, with words and whether it must be there. */
MUST_USE int desk_import_fields(struct desk *d, const struct viewer *v, struct str kind, struct desk_reply *r);
/* desk_registry_export - every field of every record of a kind that the viewer reaches, as a table that can be read back. */
MUST_USE int desk_registry_export(struct desk *d, const struct viewer *v, struct str kind, struct str format, time_ns now, struct buf *out,
                                  struct desk_reply *r);

/* --- for the rooms --- */

struct call;
struct observation {
    struct str    object_id, source;   /* who saw it: "logs", "agent:web-1", "scan:17" */
    const json_t *items;               /* an array of passport items, borrowed; fields that were not seen are left out */
    struct str    host;                /* not empty: items hold all software of this host, so what is missing is gone */
};
/* passport_observe - lay what was seen beside the newest passport, in a transaction; collectors call it. Without a passport it is only kept.
 * Returns how many differences are new. -ENOENT if there is no such object, -EINVAL for an item of no known kind. */
MUST_USE int passport_observe(struct call *c, const struct observation *o);
/* passport_write - the next version, in a transaction; items are checked. Differences to the version before are recorded as changes. */
struct passport_new {
    struct str    object_id, source, tested_kind, reference, received_on, note;
    const json_t *items;
};
MUST_USE int passport_write(struct call *c, const struct passport_new *p, int64_t *version);

/* tables_tick - what the desk can see by itself today: the hosts whose events arrive. At most once in OBSERVE_EVERY_NS. */
MUST_USE int tables_tick(struct desk *d, time_ns now, struct err *e);

#endif
