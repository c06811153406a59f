/* hunt.h - detection over files without a server: event logs of Windows (EVTX), JSON of any shape, and raw log lines.
 *
 *     file ──► cut: a chunk, some values, some lines ──► worker: events, matches, their text ──► told in the order of the files
 *
 * Owns      struct hunt owns its parser, its workers and their memory, and its correlations, which run on over all files in their order.
 * Promises  1. What a file is, its first bytes say: an event log of Windows, JSON values (one a line, or written over many lines, or
 *              one array), else lines for src/parse; gzip and zstd around any of them are undone. Other containers are refused by name.
 *           2. Nested JSON is flattened to dotted names; an event that is broken is told and passed over.
 *           3. Memory is bounded: HUNT_VALUE_MAX for one JSON value, EVENT_ORIGINAL_MAX for a line, a few pieces a worker.
 *           4. What is told, and its order, does not depend on how many work. Rules with correlations see the events one by one, in order;
 *              then only reading and parsing is shared.
 * Threads   owner. A sink is called by workers, several at once: it may only write to the out it is given. flush and say are called by
 *           the owner, from within hunt_file and hunt_end.
 * Units     record counts from 1: the JSON value, or the line; of an event log it is the record's own number (EventRecordID). */
#ifndef SAQSHY_DETECT_HUNT_H
#define SAQSHY_DETECT_HUNT_H

#include "sigma/sigma.h"

#define HUNT_VALUE_MAX   (16u * MIB)
#define HUNT_DEPTH_MAX   64
#define HUNT_WORKERS_MAX 64

struct hunt;
/* rules: loaded by the caller, borrowed. content may be NULL (built-in parsers). workers 0: the owner works himself. */
MUST_USE int hunt_new(const struct sigma *rules, const char *content, unsigned workers, struct hunt **out, struct err *e);
void hunt_free(struct hunt **h);

/* Who is told. */
struct hunt_listener {
    void *arg;
    /* The matches of one event, to be written to out. Below 0 ends it with that. */
    int (*sink)(void *arg, const char *file, uint64_t record, const struct event *ev, const struct sigma_match *m, size_t count, struct buf *out);
    /* What sinks wrote, in order. Below 0 ends it with that. */
    int (*flush)(void *arg, struct str text);
    void (*say)(void *arg, const char *file, uint64_t record, const char *what);
    /* Not NULL: every event is given to it instead, and no rule looks at it. Below 0 ends it with that. */
    int (*each)(void *arg, const char *file, uint64_t record, const struct event *ev, struct buf *out);
};
void hunt_tell(struct hunt *h, const struct hunt_listener *to);

struct hunt_stats { uint64_t events, matches, broken; };
/* hunt_file - all events of a file through the rules. path is borrowed until hunt_end, and only after it all is told. -EIO and kin: the
 * file cannot be read. */
MUST_USE int hunt_file(struct hunt *h, const char *path, struct err *e);
/* hunt_end - what is still being worked on is told. */
MUST_USE int hunt_end(struct hunt *h, struct hunt_stats *stats, struct err *e);

/* hunt_json_event - one JSON value as an event of batch; text is borrowed. -EBADMSG: not an object, or not JSON. */
MUST_USE int hunt_json_event(struct str text, struct event_batch *batch, struct err *e);
/* hunt_match_json - the line of `saqshy hunt --json`: file, record, time, rule, match, event (design, section 6). */
void hunt_match_json(const char *file, uint64_t record, const struct event *ev, const struct sigma_match *m, struct buf *out);

/* --- the samples that rules carry --- */

struct sample_result { uint64_t rules, samples, passed; };
typedef void sample_failed(void *arg, const struct sigma_rule *r, struct str line, bool wanted);
/* samples_run - for every rule its samples on fresh memory: of a plain rule each "match" line must raise it; of a correlation the
 * row of "match" lines must raise it at least once; "nomatch" lines never. */
MUST_USE int samples_run(const struct sigma *s, const char *content, sample_failed *failed, void *arg, struct sample_result *out,
                         struct err *e);

#endif
