/* internal.h - what the files of the room "tables" share.
 *
 * Owns      see tables.h.
 * Promises  1. The key of an item is the same for the same thing however it is written: letters without case, no blanks at the ends.
 * Threads   as struct desk.
 * Source    requirements R-7-03 to R-7-06. */
#ifndef SAQSHY_DESK_TABLES_INTERNAL_H
#define SAQSHY_DESK_TABLES_INTERNAL_H

#include "desk/internal.h"
#include "desk/tables/tables.h"

/* --- passport_items.c --- */
/* item_check - is it an item of a known kind with the fields of that kind? -EINVAL; field gets the path behind prefix. */
MUST_USE int item_check(const json_t *item, bool partial, const char *prefix, char field[DESK_FIELD_MAX], struct err *e);
/* item_key - what makes it the same thing in the next version: "software:web-1/nginx". In the arena. */
struct str item_key(struct arena *a, const json_t *item);
/* item_same - does what was seen agree with what is written? Only the fields that were seen count if partial. */
bool item_same(const json_t *written, const json_t *seen, bool partial);
/* items_load - the items of a passport as an object by key. */
MUST_USE int items_load(struct call *c, int64_t passport_id, json_t **out);
/* passport_newest - id and version of the newest; 0 if there is none. */
MUST_USE int passport_newest(struct call *c, struct str object_id, int64_t *id, int64_t *version);
/* object_reached - -ENOENT if the viewer may not see the object. org (may be NULL) is its owner, in the arena. */
MUST_USE int object_reached(struct call *c, struct str object_id, struct str *org);

/* --- changes.c --- */
struct difference {
    struct str    object_id, key, found_by;
    const char   *what;
    const json_t *before, *after;   /* borrowed; NULL: none */
};
/* change_found - a row for a difference that waits for a decision; 0 if the same one waits already, else 1. */
MUST_USE int change_found(struct call *c, const struct difference *f);
/* change_recorded - a row for a difference between two versions. */
MUST_USE int change_recorded(struct call *c, const struct difference *f, int64_t version);
/* change_withdraw - what waited about this key agrees again. */
MUST_USE int change_withdraw(struct call *c, struct str object_id, struct str key);

#endif
