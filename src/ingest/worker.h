/* worker.h - the worker's side of ingest: tables and our own log. No file of the loop includes it, see internal.h. */
#ifndef SAQSHY_INGEST_WORKER_H
#define SAQSHY_INGEST_WORKER_H

#include "base/retention.h"
#include "event/event.h"
#include "ingest/internal.h"
#include "ingest/profiles.h"
#include "ingest/told.h"
#include "journal/journal.h"
#include "parse/parse.h"

static_assert(LINE_MAX_BYTES == EVENT_ORIGINAL_MAX, "a line is an event's original");
static_assert(AGENT_TEXT_MAX == JOURNAL_ORIGIN_ID_MAX, "an agent's name is an origin id");

struct sources;
struct objects;
struct ownlog;
struct parsers;

/* sources.c: worker only */
#define SOURCES_MAX      20000
#define SOURCE_PARSERS_MAX 32
MUST_USE int sources_new(const char *path, struct sources **out, struct err *e);
void sources_free(struct sources **s);
/* What the worker knows besides the event. */
struct source_seen {
    struct str host, listener, peer, profile;
    int32_t    zone_min;     /* in which its times without a zone are read */
};
/* sources_count - a portion of events. Each is counted; see is asked what is known of the last one of each source alone, texts seldom change. Facts are
 * passed over: they are no log, so no source that somebody might look for among the logs of the host. */
typedef struct source_seen sources_see(const void *arg, size_t event);
void sources_count(struct sources *s, const struct event *events, size_t count, sources_see *see, const void *arg);
/* sources_publish - rewrite the file if something changed and the last time is long enough ago (or now). */
void sources_publish(struct sources *s, bool now);

/* objects.c: worker only */
MUST_USE int objects_new(const char *path, struct objects **out, struct err *e);
void objects_free(struct objects **o);
/* objects_reload - read the file again if it changed. Views given before become invalid. */
void objects_reload(struct objects *o);
struct str objects_find(const struct objects *o, struct str host_or_address);

/* ownlog.c: worker only */
#define OWNLOG_ID_MAX 64
struct ownlog_part {
    char     id[OWNLOG_ID_MAX];   /* origin id of this file */
    uint64_t end;                 /* offset behind the lines, their origin number */
};
MUST_USE int ownlog_new(const char *path, struct ownlog **out, struct err *e);
void ownlog_free(struct ownlog **o);
/* ownlog_next - whole new lines of the file in p, where they end in part. Returns 1 if there are some. The offset moves only by
 * ownlog_taken. seen gives the last number the journal has of an origin. */
typedef uint64_t ownlog_seen(void *arg, struct str id);
MUST_USE int ownlog_next(struct ownlog *o, struct pile *p, struct ownlog_part *part, ownlog_seen *seen, void *arg);
void ownlog_taken(struct ownlog *o, const struct ownlog_part *part);
uint64_t ownlog_lag(const struct ownlog *o);

/* --- the worker itself, shared by worker.c (groups, commits) and take.c (lines and records become events) --- */

/* What a pile came to; added to the counters when its group is on disk. */
struct tally_row {
    int64_t read, stored, bytes, unparsed, truncated, refused[REFUSED_COUNT];
    time_ns last;
};
struct tally {
    struct tally_row row[CARDS_MAX];    /* by card */
    size_t           rows;              /* used */
};

/* An event of the batch: the first line of the pile that is in it, how many are, and the profile that it was read by. */
struct made {
    uint32_t              line, records;
    bool                  split;     /* the records of an audit event did not fit into one */
    const struct profile *profile;   /* NULL: none */
};

struct record;

struct worker {
    struct ingest     *in;
    pthread_t          thread;
    char               folder[4096], metrics_path[4096], picture_path[4096], memory_path[4096];
    struct journal    *journal;
    struct parsers    *parsers;
    struct parse_memory *memory;        /* what lines said of later ones */
    struct profiles   *profiles;
    struct told       *told;
    struct sources    *sources;
    struct objects    *objects;
    struct ownlog     *ownlog;
    struct event_batch batch;
    struct join       *join;            /* audit records of one event; empty between piles */
    struct made       *made;            /* whence the events of the batch are, owned */
    size_t             made_cap;
    const struct record **held;         /* records of a request that wait for others of their event, owned list */
    size_t             held_count, held_cap;
    struct buf         plain;
    struct tally       tally, sum;      /* of a pile, of a group */
    time_ns            published;
    struct reserve     reserve;         /* room that is left alone */
    enum space_state   space[2];        /* of the journal's file system and the data directory's */
    time_ns            space_at, full_told;
    size_t             space_taken;   /* bytes since space_at */
};

/* take_lines - n of the pile's lines as events of the batch; bare: without the fields that parsing found. -ENOMEM. */
MUST_USE int take_lines(struct worker *w, const struct pile *p, size_t from, size_t n, bool bare);
/* take_request - unpack, decode: the pile's records as events of the batch. */
MUST_USE int take_request(struct worker *w, struct pile *p, struct err *e);
/* take_rest - the audit events that the pile's lines left open: behind the last of take_lines. */
MUST_USE int take_rest(struct worker *w, const struct pile *p, bool bare);
/* take_lines_in - how many lines or records the batch was made of: more than events where audit records were joined. */
size_t take_lines_in(const struct worker *w);
/* take_tally - what the batch, made of p, comes to; sources: they are to know too. */
void take_tally(struct worker *w, struct tally *t, const struct pile *p, bool sources);
struct tally_row *tally_row(struct tally *t, uint16_t card);

#endif
