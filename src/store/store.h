/* store.h - events at rest: day partitions of immutable columnar parts, searched newest first.
 *
 * Owns      a folder: MANIFEST and its copy (which parts there are, up to which event of the journal they reach), CHAIN (every part that ever
 *           came or went), DROPPED (what went for its age, when and by which rule), YYYYMMDD/pNNNNNNNN.part. One writer (the index role, or import) holds LOCK; searchers only read.
 * Promises  1. Exactly once: the manifest names next_seq; all events before it are in parts, none after it. It is replaced atomically after
 *              the parts are on disk, so a crash leaves the state before or after.
 *           2. Parts never change; every file carries checksums, each part a link of the hash chain (store_verify).
 *           3. A search sees sealed parts and, when a journal is given, its tail from next_seq on: an event is found as soon as it is committed.
 *           4. Retention removes whole days, and of a day in which some events have a longer term the others; a day is removed from the manifest before its files. The day is that of receipt: a sender with a
 *              wrong clock neither scatters parts nor makes evidence old. What a legal hold selects does not go, whatever its term, from the moment the
 *              hold is set (store_policy); every removal is a line of DROPPED, on disk before anything goes.
 *           5. A damaged block is skipped, and its part named and counted in the answer; it never spoils the others. A writer that finds one
 *              leaves its part alone, as evidence.
 *           6. Memory: a writer holds memory_bytes of waiting events (64 MiB) and twice a block of them while it seals or merges; a search holds one
 *              block, the directories of the parts it opened and at most 256 MiB of events that wait for their turn (-E2BIG past that).
 * Threads   writer: owner. A search: owner; many searches at once, each with its own struct.
 * Units     time_ns, days are UTC days.
 * Source    engine research; docs/formats.md has the layout. A second backend (ClickHouse) will stand behind the same face. */
#ifndef SAQSHY_STORE_STORE_H
#define SAQSHY_STORE_STORE_H

#include "event/event.h"
#include "query/query.h"

struct store;

struct store_options {
    size_t  block_events;      /* 0: the default; a block is sealed when so many events wait */
    time_ns seal_after_ns;     /* 0: the default; or when the oldest waits so long */
    size_t  memory_bytes;      /* 0: the default; or when they take so much memory */
};

/* --- writing (one process) --- */

MUST_USE int store_open(const char *folder, const struct store_options *o, struct store **out, struct err *e);
void store_close(struct store **s);
/* store_next_seq - the first journal event that is not in sealed parts nor waiting in memory: where the writer goes on reading. */
uint64_t store_next_seq(const struct store *s);
/* store_add - take events in order of seq (those before store_next_seq are ignored); their texts are copied. May seal (and then fsync). */
MUST_USE int store_add(struct store *s, const struct event *events, size_t count, time_ns now, struct err *e);
/* store_tick - seal if the oldest waiting event is old enough; merge small parts of a day when worth it. */
MUST_USE int store_tick(struct store *s, time_ns now, struct err *e);
/* store_rest - no merges as long as rest is true: they need room for a second copy. */
void store_rest(struct store *s, bool rest);
/* store_seal - everything taken is in sealed parts when this returns 0. */
MUST_USE int store_seal(struct store *s, struct err *e);
/* store_sealed_seq - one past the last event in sealed parts: the journal may be cut before it. */
uint64_t store_sealed_seq(const struct store *s);
/* How long events are kept. */
struct store_term {
    const struct query *filter;
    int64_t             days;
};
/* What is held, for a court or a case: nothing that one of these selects goes, whatever its term. */
struct store_hold {
    const struct query *filter;            /* borrowed */
    time_ns             from, to;          /* half open; an event is held if its own time lies within, or that of its receipt */
};
struct store_policy {
    int64_t                  days;         /* all events */
    const struct store_term *longer;       /* those that one of these selects, for its longer term; borrowed */
    size_t                   longer_count;
    int64_t                  fast_days;    /* older parts go into the archive, if there is one */
    const struct store_hold *hold;         /* borrowed */
    size_t                   hold_count;
    uint64_t                 hold_mark;    /* of this set of holds: another set has another one. What an ended hold alone kept is found by its change */
    /* Called around what makes a removal true, and for nothing longer; may be NULL. 0: the holds are still those above, and no other comes before hold_leave. Below
     * zero: they changed, or cannot be read; then nothing is removed and store_expire returns it. */
    int                    (*hold_enter)(void *arg, struct err *e);
    void                   (*hold_leave)(void *arg);
    void                    *hold_arg;
};
/* store_expire - one step of what is due by policy on now's day: whole days that no event outlives go (RETAIN_DAYS_AT_ONCE at a time), and one part of a day in which
 * some events have a longer term or are held is written anew without the others. A part that cannot be read is left alone until its longest term is over, and
 * as long as it may hold what is held. *out is added to. Returns 1 if something was done, 0 if nothing is due. */
struct store_expired {
    uint64_t days, parts, events, bytes, unreadable;
};
MUST_USE int store_expire(struct store *s, const struct store_policy *p, time_ns now, struct store_expired *out, struct err *e);

/* --- the log of what went --- */

/* One removal: whole days, or what went out of one part. */
enum store_rule { RULE_TERM, RULE_THINNED, RULE_FOLDED };   /* FOLDED: the sum of older lines, so that the log stays within DROPPED_BYTES_MAX */
struct store_dropped {
    time_ns         at;
    int32_t         day, last_day;         /* of receipt */
    enum store_rule rule;
    int64_t         term;                  /* days that were over */
    uint64_t        parts, events, bytes;  /* what went */
    uint64_t        kept, held;            /* events of a thinned part that stayed, and those of them that a hold alone kept */
    uint64_t        holds;                 /* that were in force */
    uint64_t        first_link, last_link; /* of the chain that prove it */
};
const char *store_rule_name(enum store_rule r);   /* "term", "thinned", "folded" */
typedef int store_dropped_row(void *arg, const struct store_dropped *d);
/* store_dropped_each - oldest first; lines of removals that a crash kept from happening are passed over, damaged ones too and counted. A non-zero answer of each ends it
 * and is returned. 0 where nothing ever went. Any process. */
MUST_USE int store_dropped_each(const char *folder, store_dropped_row *each, void *arg, uint64_t *damaged, struct err *e);

/* --- the archive: a folder, usually on another disk, for parts that are out of fast reach --- */

/* store_archive_set - from now on FOLDER (made if absent) is the archive. One that belongs to another store is refused, and so is a new one as long as
 * parts lie in the old one and were not brought along with it (-EBUSY). */
MUST_USE int store_archive_set(struct store *s, const char *folder, struct err *e);
/* store_archive_move - one part that is older than fast_days is copied, its copy read again and compared by SHA-256, then named by the manifest, then its
 * first file removed. Returns 1 if one was moved, 0 if none is due, -ENOTCONN where the archive is not there now (a disk that is not mounted). */
MUST_USE int store_archive_move(struct store *s, const struct store_policy *p, time_ns now, uint64_t *bytes, struct err *e);

/* What there is, by day: for forecasts and lists. */
struct store_day {
    int32_t  day;              /* days since 1970 */
    uint64_t parts, events, bytes, archived_parts, archived_bytes;
};
struct store_sum {
    uint64_t parts, events, bytes, archived_parts, archived_bytes;
    int32_t  oldest, newest, fast_oldest, archive_newest;   /* days; INT32_MIN where there are none */
    bool     archive;          /* there is one; archive_there: and it can be reached */
    bool     archive_there;
};
/* store_days - one entry a day in order, owned by the caller; any process. */
MUST_USE int store_days(const char *folder, struct store_day **list, size_t *count, struct store_sum *sum, struct err *e);

/* Where the bytes go, from the directories of the parts alone. */
#define USAGE_KINDS_MAX 64
struct store_usage_kind {
    char     name[48];         /* "keys", "columns" or, in blocks of version 1, "payload", "filter", "directory" (with head and foot), "unknown" (the part cannot be read) */
    uint64_t bytes, raw;       /* raw: before compression; 0: the parts do not say */
};
struct store_usage {
    struct store_day       *day;                   /* owned */
    size_t                  days;
    struct store_usage_kind kind[USAGE_KINDS_MAX]; /* their bytes add up to all */
    size_t                  kinds;
    uint64_t                parts, blocks, events, bytes, unknown_parts;
};
/* store_usage_read - opens every part, reads no block. Any process. */
MUST_USE int store_usage_read(const char *folder, struct store_usage *out, struct err *e);
void store_usage_free(struct store_usage *u);

/* --- searching (any process) --- */

struct store_search {
    const char         *store_folder;
    const char         *journal_folder;  /* NULL: sealed parts alone */
    const struct query *query;
    time_ns             from, to;        /* half open [from, to); INT64_MIN and INT64_MAX: no bound */
    size_t              limit;           /* 0: all */
    time_ns             before_time;     /* page: only events earlier than (before_time, before_seq); before_seq 0: from the start */
    uint64_t            before_seq;
    bool                oldest_first;
    struct str          object_only;     /* authorisation: a space-separated list of object ids, or empty: all */
    bool                object_filter;   /* true: only events of object_only (an empty list then selects none) */
    const volatile int *stop;            /* may be NULL; set to non-zero from outside to give up: -ECANCELED */
    size_t              memory_bytes;    /* of events that wait for their turn; 0: 256 MiB */
    time_ns             deadline_steady; /* 0: none; past it (clock_steady) the search gives up: -ETIMEDOUT with what was found so far */
};

struct store_stats {
    uint64_t parts, blocks, blocks_skipped, events_scanned, bytes_read, damaged_parts, matched;
    int64_t  elapsed_ns;
    char     damaged[64];   /* the first damaged part, "20261124/p00000017.part" */
};

/* store_hit - called for each event in order (newest first by (time, seq) unless oldest_first). The event is borrowed for the call.
 * A non-zero answer ends the search. */
typedef int store_hit(void *arg, const struct event *ev);
MUST_USE int store_find(const struct store_search *s, store_hit *hit, void *arg, struct store_stats *stats, struct err *e);

/* store_find_all - the same for all events, newest first, without a limit: where more overlap in time than memory_bytes may hold (-E2BIG of store_find), in pages. */
MUST_USE int store_find_all(const struct store_search *s, store_hit *hit, void *arg, struct store_stats *stats, struct err *e);

/* store_histogram - count matches in buckets equal parts of [from, to) (both must be bounded). counts has so many cells, added to. */
MUST_USE int store_histogram(const struct store_search *s, size_t buckets, uint64_t *counts, struct store_stats *stats, struct err *e);

/* --- reading all of it, in the order in which it came (any process) --- */

/* What a reader is looking for, so that blocks without it stay closed: sets of tokens (query_tokens), of which at least one must be in a block as a whole. A block
 * that is read may still have none of them. NULL: everything is read. */
struct store_wants {
    const uint64_t *tokens;      /* all sets, one behind the other */
    const uint32_t *ends;        /* where each of them ends in tokens */
    size_t          count;       /* of sets */
};

struct store_scan_options {
    const char         *store_folder;
    const char         *journal_folder;  /* NULL: sealed parts alone */
    time_ns             from, to;        /* of the events' time, half open; INT64_MIN and INT64_MAX: no bound */
    uint64_t            from_seq, to_seq; /* half open; 0: no bound */
    struct str          object_only;     /* as those of a search */
    bool                object_filter;
    const struct store_wants *wants;
    const volatile int *stop;            /* may be NULL */
    time_ns             deadline_steady; /* 0: none */
};

/* A scan is what the store held when it was opened, cut into pieces: each has events in order of seq, all before those of the next. Pieces are read by
 * several threads at once, each with a page of its own. Behind the last piece comes the journal's tail. */
struct store_scan;
struct store_page;

MUST_USE int store_scan_open(const struct store_scan_options *o, struct store_scan **out, struct err *e);
void store_scan_close(struct store_scan **s);
size_t store_scan_pieces(const struct store_scan *s);
/* store_scan_first - the first seq that the i-th piece may hold; of the count of pieces: where the tail begins. store_scan_events: how many events are in pieces before it. */
uint64_t store_scan_first(const struct store_scan *s, size_t i);
uint64_t store_scan_events(const struct store_scan *s, size_t i);

MUST_USE int store_page_new(struct store_page **out, struct err *e);
void store_page_free(struct store_page **p);
/* store_scan_read - the events of a piece; *events is borrowed from the page until its next use. Damage is passed over and counted in *stats, which is added to.
 * -ESTALE: the store has moved on, it must be opened anew from store_scan_first(i); -ECANCELED, -ETIMEDOUT. */
MUST_USE int store_scan_read(const struct store_scan *s, size_t i, struct store_page *p, const struct event *const **events, size_t *count,
                             struct store_stats *stats, struct err *e);
/* store_scan_tail - the events of the journal that are in no piece. A non-zero answer of hit ends it and is returned. -ESTALE: as above, from behind the last event that hit was given. */
MUST_USE int store_scan_tail(const struct store_scan *s, store_hit *hit, void *arg, struct store_stats *stats, struct err *e);

/* --- a copy elsewhere (any process, beside a writer) --- */

struct store_part_file {
    char     path[4096];       /* where it lies now, in fast reach or in the archive */
    char     name[64];         /* "20261124/p00000017.part": where it belongs in a copy */
    uint64_t bytes;
    char     sha256[65];       /* of the file; parts never change */
};
struct store_snapshot {
    struct buf              manifest, chain, dropped;   /* the files MANIFEST (with every part in fast reach), CHAIN and DROPPED of one moment */
    struct store_part_file *part;
    size_t                  count;
    uint64_t                next_seq;                   /* all events before it are in these parts, none from it on */
};
/* store_snapshot_take - owned by the caller. A part that is gone when it is opened was merged or its term was over: take another snapshot. */
MUST_USE int store_snapshot_take(const char *folder, struct store_snapshot *out, struct err *e);
void store_snapshot_free(struct store_snapshot *s);

/* --- evidence --- */

typedef void store_complaint(void *arg, const char *file, const char *reason);
struct store_report {
    uint64_t parts, events, bytes, damaged;
    char     chain_hex[65];
};
/* store_verify - every checksum and chain link; 0 if all is well, 1 if complaints were made. */
MUST_USE int store_verify(const char *folder, struct store_report *report, store_complaint *say, void *arg, struct err *e);

#endif
