/* room.h - what the files of the registry share and no other room needs.
 *
 * Owns      nothing.
 * Promises  1. The readers of foreign texts are pure and take any bytes.
 *           2. value_whole gives equal values for what says the same, so that a version is made by a difference alone.
 * Threads   as struct desk; the readers: any. */
#ifndef SAQSHY_DESK_REGISTRY_ROOM_H
#define SAQSHY_DESK_REGISTRY_ROOM_H

#include "desk/registry/registry.h"

/* --- fields.c --- */
bool bin_valid(struct str s);           /* twelve digits, the last one checks the others */
bool address_valid(struct str s);       /* IPv4, IPv6, or a network of either with its length */
bool domain_valid(struct str s);        /* labels of letters (of any script), digits, '-', '_'; "*." in front */
int  minute_of_day(struct str s);       /* "09:30"; "24:00" is the end of the day; -1: no time of day */
MUST_USE int value_check(struct call *c, enum record_kind k, const char *prefix, const json_t *v);
json_t *value_whole(enum record_kind k, const json_t *v);

/* --- columns.c: what other rooms ask for by SQL --- */
struct stored {
    enum record_kind kind;
    const char   *id, *parent, *prefix;
    const json_t *value;                /* whole; NULL: removed */
    bool          fresh;                /* not there before */
};
MUST_USE int columns_write(struct call *c, const struct stored *s);
/* parts_of - "object/obj-3" as kind and id. */
bool parent_split(struct str parent, struct str *kind, struct str *id);
struct str today_of(struct call *c);

/* --- regime.c --- */
json_t *why_json(struct call *c, const json_t *value, const char *day, bool contract);
json_t *warnings_json(struct call *c, const json_t *value, const char *day, bool contract);
MUST_USE int contract_valid(struct call *c, struct str id, const char *day, bool *yes);

/* --- registry.c: cases of hosts that belonged to nobody, and names in the search of cases --- */
MUST_USE int cases_adopt(struct call *c, const char *object_id);

#endif
