/* worker.h - the worker's side of ingest: tables and our own log. No file of the loop includes it, see internal.h. */
#ifndef SAQSHY_INGEST_WORKER_H
#define SAQSHY_INGEST_WORKER_H

#include "event/event.h"
#include "ingest/internal.h"
#include "journal/journal.h"
#include "parse/parse.h"

static_assert(LINE_MAX_BYTES == EVENT_ORIGINAL_MAX, "a line is an event's original");
static_assert(AGENT_TEXT_MAX == JOURNAL_ORIGIN_ID_MAX, "an agent's name is an origin id");

struct sources;
struct objects;
struct ownlog;

/* sources.c: worker only */
#define SOURCES_MAX      20000
#define SOURCE_PARSERS_MAX 32
MUST_USE int sources_new(const char *path, struct sources **out, struct err *e);
void sources_free(struct sources **s);
void sources_count(struct sources *s, const struct event *ev, struct str host, enum from from);
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

#endif
