/* room.h - what the files of the registry share and no other room needs.
 *
 * Owns      nothing.
 * Promises  1. The readers of foreign texts are pure and take any bytes.
 *           2. value_whole gives equal values for what says the same, so that a version is made by a difference alone.
 * Threads   as struct desk; the readers: any. */
#ifndef SAQSHY_DESK_REGISTRY_ROOM_H
#define SAQSHY_DESK_REGISTRY_ROOM_H

#include "desk/internal.h"
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
/* exclusion_check - nobody alone takes an object out of monitoring: -EINVAL "exclusion_by_request" if value excludes it otherwise than it is excluded
 * now, unless a second person has approved (c->approved) or the system itself writes. */
MUST_USE int exclusion_check(struct call *c, struct str id, const char *prefix, const json_t *value);
MUST_USE int contract_valid(struct call *c, struct str id, const char *day, bool *yes);

/* --- access.c --- */
/* Conditions for SQL, the scope bound as ?1 and ?2 (scope.h). g: alias of org; r: of record. */
#define ORG_REACHED                                                                                                                              \
    "(?1 = 0 OR g.id = ?2 OR g.id IN (SELECT org_id FROM object WHERE id IN " OBJECTS_OF("?2") " UNION SELECT possessor_id FROM object WHERE id IN " \
    OBJECTS_OF("?2") " AND possessor_id IS NOT NULL UNION SELECT ocib_id FROM object WHERE id IN " OBJECTS_OF("?2") " AND ocib_id IS NOT NULL))"
#define PERSON_REACHED                                                                                                                           \
    "(?1 = 0 OR ?2 = (SELECT n.org_id FROM person n WHERE n.id = r.id) OR EXISTS (SELECT 1 FROM contact k LEFT JOIN object o"                     \
    " ON o.id = k.object_id WHERE k.person_id = r.id AND (k.org_id = ?2 OR ?2 IN (o.org_id, o.possessor_id, o.ocib_id))))"
#define CONTRACT_REACHED                                                                                                                         \
    "(?1 = 0 OR ?2 IN (json_extract(r.json, '$.knb_id'), json_extract(r.json, '$.sts_id')))"
MUST_USE int record_seen(struct call *c, enum record_kind k, struct str id);

/* --- lists.c --- */
/* The regime in SQL, for filters; ?9 is today. The same table as regime_of: a test compares them. */
#define REGIME_SQL                                                                                                                                \
    "CASE WHEN o.is_ego = 0 THEN iif(o.is_cii, 'C', 'N3') WHEN o.excluded THEN 'N2' WHEN o.commissioned_on IS NULL OR o.commissioned_on > ?9 OR"   \
    " coalesce(o.terminated_on <= ?9, 0) THEN 'N1' ELSE iif(o.is_cii, 'B', 'A') END"
extern const char registry_objects_sql[], registry_objects_found_sql[], registry_records_sql[], registry_children_sql[];

/* --- reads.c --- */
/* registry_words - words of a person as a query of FTS5: each a prefix, all of them wanted; {NULL,0} if there is none. */
struct str registry_words(struct call *c, struct str q);
MUST_USE int record_answer(struct call *c, enum record_kind k, struct str id, time_ns as_of, json_t **out);
/* personal_read - the row of the audit trail that says whose data were read. In its own transaction. */
MUST_USE int personal_read(struct call *c, const char *target);

/* --- lifecycle.c --- */
json_t *moves_json(struct str state);                                    /* states that rows of 7.7 lead to from here */
MUST_USE int states_json(struct call *c, struct str id, json_t **out);   /* every step so far */

/* --- registry.c: cases of hosts that belonged to nobody, and names in the search of cases --- */
MUST_USE int cases_adopt(struct call *c, const char *object_id);

#endif
