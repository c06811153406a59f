/* room.h - what the files of the room "integrity" share.
 *
 *      arrive.c ──► apply.c ──► compare.c (passport's checksums) ──► changes
 *                        └────► passport_observe (packages)
 *
 * Owns      struct integrity_policy: what content/policy/integrity.yaml and content/agent/settings.yaml say.
 * Promises  1. Functions that write do so inside the caller's transaction.
 * Threads   as struct desk. */
#ifndef SAQSHY_DESK_INTEGRITY_ROOM_H
#define SAQSHY_DESK_INTEGRITY_ROOM_H

#include "agent/settings.h"
#include "desk/integrity/integrity.h"
#include "desk/internal.h"

#define LEAVE_OUT_MAX 200

struct integrity_policy {
    struct yaml     *file;
    struct settings *settings;
    bool             opens_case, files_wait, settings_wait;
    int64_t          after_min;
    struct str       leave_out[LEAVE_OUT_MAX];
    size_t           leave_out_count;
};

/* A snapshot, or the differences to one. */
struct snapshot {
    int64_t    host_id, scan, base;       /* base 0: whole */
    struct str host, object_id;           /* object_id {NULL,0}: the registry does not know the host */
    const char *kind;                     /* a literal */
    int64_t    total, over, parts;
    time_ns    received;
    json_t    *items;                     /* {key: value}, owned */
    json_t    *gone;                      /* [key], owned; of differences alone */
    char      *roots;                     /* JSON, owned */
};

/* --- values.c --- */
const char *fact_kind(struct str s);      /* the literal; NULL: none */
/* part_of - the n-th part of a value; {NULL,0} if there is none. */
struct str value_part(struct str value, int n);
/* value_same - do they say the same? The time of a file does not count. */
bool value_same_fact(const char *kind, struct str a, struct str b);
/* value_json - as the API shows it; null for {NULL,0}. */
json_t *fact_value_json(const char *kind, struct str value);
bool value_unreadable(const char *kind, struct str value);

/* --- arrive.c --- */
MUST_USE int arrived_take(struct call *c, int *taken);
/* facts_part_read - one part as it came: the head into *s, items and gone added. -EBADMSG. The pure part, for the fuzzer too. */
MUST_USE int facts_part_read(struct str payload, struct snapshot *s, int64_t *part, bool *last, struct err *e);
void snapshot_free(struct snapshot *s);

/* --- apply.c --- */
MUST_USE int snapshot_apply(struct call *c, struct snapshot *s);

/* --- compare.c --- */
/* compare_object - the passport's checksums beside the files of the object's hosts. */
MUST_USE int compare_object(struct call *c, struct str object_id);
/* compare_host - the same after a list of one host came: the rows of the others stay as they are. */
MUST_USE int compare_host(struct call *c, struct str object_id, int64_t host_id);
/* compare_next - the same for an object whose passport has changed. 1: there was one. */
MUST_USE int compare_next(struct call *c);

/* --- record.c: differences as rows --- */
struct fact_difference {
    struct str  object_id, key;
    int64_t     host_id;      /* 0: of no host */
    const char *kind, *against, *what;
    struct str  before, after;
    bool        waits;
};
MUST_USE int difference_record(struct call *c, const struct fact_difference *f);
MUST_USE int difference_withdraw(struct call *c, struct str object_id, int64_t host_id, const char *kind, struct str key, const char *against);
/* cases_due - differences whose time to be explained is over become cases. */
MUST_USE int cases_due(struct call *c);

/* --- facts.c --- */
/* facts_json_of - packages and settings of a host in the format "saqshy-facts". */
MUST_USE int facts_json_of(struct call *c, struct str object, int64_t id, struct str host, time_ns taken, json_t **out);

/* --- time.c --- */
/* fact_clock_json - of one host; null if its agent never said anything of it. fact_time_json - of the hosts of an object together. */
MUST_USE int fact_clock_json(struct call *c, const char *host, json_t **out);
MUST_USE int fact_time_json(struct call *c, struct str object, json_t **out);

/* --- changes.c --- */
const char *const *integrity_statements(size_t *count);

#endif
