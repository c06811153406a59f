/* hold.h - legal holds: what retention may not remove, whatever its term.
 *
 * Owns      DATA/holds: one file per hold, "ID.hold". A hold that was released stays there, with who released it and why: the folder is the journal of holds.
 * Promises  1. A hold is whole on disk before hold_set returns 0, and from that moment retention removes nothing that it selects: whoever removes holds the lock of
 *              the folder while a removal becomes true (hold_guard), whoever sets or releases a hold holds it too.
 *           2. A file that cannot be read (damaged, of a newer version, a filter that this version does not understand) is counted and named, and as long as it is there
 *              nothing is removed at all.
 *           3. Bounded: HOLDS_MAX files of HOLD_BYTES_MAX; past them a new one is refused, and more of them count as one that cannot be read.
 * Threads   any; each call with its own structs. The folder is shared by processes.
 * Units     time_ns.
 * Source    issue 7 point 6; docs/retention.md, docs/formats.md. */
#ifndef SAQSHY_KEEP_HOLD_H
#define SAQSHY_KEEP_HOLD_H

#include "store/store.h"

#include <jansson.h>

#define HOLDS_MAX      1024u
#define HOLD_BYTES_MAX (32u * KIB)
#define HOLD_ID_MAX    32
#define HOLD_FOLDER    "holds"

enum hold_kind { HOLD_OBJECT, HOLD_CASE, HOLD_QUERY };

struct hold {
    char           id[HOLD_ID_MAX];      /* made by hold_set */
    enum hold_kind kind;
    char           subject[256];         /* the object's id, the case's number; empty for a search */
    char           filter[16384];        /* a search of 4,000 letters, of up to four bytes each; of an object or a case what it came to when the hold was set */
    time_ns        from, to;             /* of events, half open; INT64_MIN and INT64_MAX: no bound */
    char           reason[4096], set_by[256];   /* why, in 1,000 letters */
    time_ns        set_at, until;        /* until 0: open, until somebody releases it */
    char           released_by[256], release_reason[4096];
    time_ns        released_at;          /* 0: it was not */
};
struct holds {
    struct hold *item;                   /* owned; in order of set_at */
    size_t       count, unreadable;
    char         fault[ERR_TEXT_MAX];    /* of the first that cannot be read */
};

const char *hold_kind_name(enum hold_kind k);            /* "object", "case", "query" */
bool hold_kind_parse(struct str s, enum hold_kind *out);
/* hold_active - in force at that moment. */
bool hold_active(const struct hold *h, time_ns now);
/* hold_json - as API, portal and command show it. */
json_t *hold_json(const struct hold *h, time_ns now);

/* hold_decode - what a file says. -EBADMSG with the reason. */
MUST_USE int hold_decode(struct str bytes, struct hold *out, struct err *e);
/* hold_of_object, hold_of_case - what the hold of an object selects: its events; of a case: those of its object, from a day before it was detected unless the hold says from
 * when. -EINVAL for an id that is none. */
MUST_USE int hold_of_object(struct hold *h, struct str object, struct err *e);
MUST_USE int hold_of_case(struct hold *h, struct str object, time_ns detected, struct err *e);
/* holds_read - all of them. -ENOENT: there is no folder. What cannot be read is no error of the call: it is counted in out->unreadable. */
MUST_USE int holds_read(const char *folder, struct holds *out, struct err *e);
void holds_free(struct holds *h);
/* hold_set - all but id and the members of a release are given. -EINVAL: something is missing, too long, or the filter is none; -EEXIST: the very same hold is there. */
MUST_USE int hold_set(const char *folder, struct hold *h, struct err *e);
/* hold_release - the normal terms hold again. -ENOENT: no such hold; -EALREADY: it is not in force any more. *out (may be NULL) is the hold as it is now. */
MUST_USE int hold_release(const char *folder, struct str id, struct str by, struct str reason, time_ns now, struct hold *out, struct err *e);

/* hold_lock - the descriptor that holds the lock of the folder, closing it gives it back; below zero: -EBUSY after some seconds. */
MUST_USE int hold_lock(const char *folder, bool alone, struct err *e);

#endif
