/* event.h - the record that everything here is about: one line of a log, and what we understood of it.
 *
 * Owns      an event borrows all its texts: from the bytes it was parsed from, or from the arena of its batch. A
 *           batch owns its arena and its rows.
 * Promises  1. event.original always holds the bytes as they came; parsing only adds fields.
 *           2. Field names follow the Elastic Common Schema where it has one. A name may stand several times: the
 *              field then has several values, in their order.
 *           3. Bounded: EVENT_FIELDS_MAX fields, EVENT_ORIGINAL_MAX bytes (a longer line is cut and marked).
 *           4. The codec gives back exactly what it took; what it is given from disk it does not trust.
 * Threads   owner; an event that nobody changes, any.
 * Units     time and received are time_ns; seq counts events of one journal from 1, 0 means "not yet in a journal".
 * Source    design, section 3; Annex 4 of the Rules for classes and event types. */
#ifndef SAQSHY_EVENT_EVENT_H
#define SAQSHY_EVENT_EVENT_H

#include "base/base.h"

#define EVENT_ORIGINAL_MAX (1u * MIB)   /* design of the listeners: longer is split before it comes here */
#define EVENT_FIELDS_MAX   400          /* the widest known source, Windows 4688 with Sysmon, has about 90 */
#define EVENT_NAME_MAX     256
#define EVENT_BATCH_MAX    65536        /* events in one batch, so in one frame */
#define EVENT_OFFSET_NONE  INT32_MIN    /* the source wrote no zone */
#define EVENT_PARSER_FACTS "facts"      /* parser of what an agent reports of its host's state: only ingest gives this name (docs/integrity.md) */

/* The classes of log sources of Annex 4. */
enum event_class {
    CLASS_NONE, CLASS_OS_UNIX, CLASS_OS_WINDOWS, CLASS_DB, CLASS_NET, CLASS_FW, CLASS_APP, CLASS_SEC, CLASS_COUNT
};
enum event_parse { EVENT_PARSE_OK, EVENT_PARSE_PARTIAL, EVENT_PARSE_FAILED, EVENT_PARSE_COUNT };

enum event_mark {
    MARK_TRUNCATED = 1u << 0,   /* the line was longer than EVENT_ORIGINAL_MAX */
    MARK_BINARY    = 1u << 1,   /* it holds NUL or other control bytes */
    MARK_NOT_UTF8  = 1u << 2,
    MARK_FUTURE    = 1u << 3,   /* its own time is later than we received it, by more than the tolerance */
    MARK_NO_TIME   = 1u << 4,   /* it says no time: time is the moment of receipt */
    MARK_COUNT     = 5,
};

struct event_field {
    struct str name, value;
};

struct event {
    uint64_t         seq;
    time_ns          time;       /* when it happened, as the source says, in UTC */
    time_ns          received;   /* when we took it */
    int32_t          offset_min; /* zone that the source wrote, or EVENT_OFFSET_NONE */
    enum event_class class;
    enum event_parse parse;
    uint32_t         marks;      /* of enum event_mark */
    uint32_t         field_count, field_cap;
    struct event_field *fields;
    struct str       original;
    struct str       time_text;  /* the time as the source wrote it */
    struct str       source;     /* "agent-7/var/log/auth.log", "203.0.113.5" */
    struct str       object;     /* id of the registry's object, empty: unassigned */
    struct str       parser;     /* "sshd" */
};

/* event_wanted - does whoever reads events look at fields of this name? Asked once for all events of one kind. */
typedef bool event_wanted(const void *arg, struct str name);

struct event_batch {
    struct arena  arena;
    struct event *items;         /* malloc'ed, owned */
    size_t        count, cap;
    event_wanted *wanted;        /* event_decode may leave out fields that are not; NULL: all of them are. Stays over a reset */
    const void   *wanted_arg;
};

/* --- building --- */

/* event_batch_init - empty; arena_limit_bytes bounds the texts (0: 64 MiB). */
void event_batch_init(struct event_batch *b, size_t arena_limit_bytes);
void event_batch_reset(struct event_batch *b);
void event_batch_free(struct event_batch *b);
/* event_batch_add - a cleared event at the end; NULL past EVENT_BATCH_MAX or without memory. Earlier pointers
 * into items may become invalid. */
struct event *event_batch_add(struct event_batch *b);
/* libevent has functions of these two names, and its own libraries call them through the dynamic linker: ours get other
 * names there, or a program with both would hand libevent's timers to us. (A file cannot include both headers.) */
int event_add(struct event *ev, struct arena *a, struct str name, struct str value) __asm__("saqshy_event_add");
int event_set(struct event *ev, struct arena *a, struct str name, struct str value) __asm__("saqshy_event_set");

/* event_add - one more field; name and value are borrowed. Past EVENT_FIELDS_MAX nothing is added and the answer
 * is -E2BIG: the caller marks the event partial. An empty value adds nothing. */
int event_add(struct event *ev, struct arena *a, struct str name, struct str value);
/* event_set - replace the first value of name, or add. */
int event_set(struct event *ev, struct arena *a, struct str name, struct str value);

/* --- reading --- */

/* event_get - the first value of a field, {NULL,0} if absent. Knows the members too (event.original, saqshy.source,
 * saqshy.object, saqshy.parser, saqshy.class, saqshy.parse); not @timestamp and marks, which are not texts. */
struct str event_get(const struct event *ev, struct str name);
/* event_values - the values of a field in order: start with *at = 0, until false. Members come as one value;
 * saqshy.marks has one value a mark. */
bool event_values(const struct event *ev, struct str name, uint32_t *at, struct str *value);

const char *event_class_name(enum event_class c);          /* "os-unix"; "" for CLASS_NONE */
enum event_class event_class_parse(struct str s);           /* CLASS_NONE if unknown */
const char *event_parse_name(enum event_parse p);           /* "ok", "partial", "failed" */
const char *event_mark_name(enum event_mark m);             /* "truncated" … */

/* event_json - the flat object of design.md section 6, one line, no newline: "@timestamp", "event.received" (RFC 3339), then the members
 * that are not empty, then fields in order, those with several values as arrays. */
void event_json(const struct event *ev, struct buf *out);

/* --- the codec: many events as bytes, see docs/formats.md --- */

/* An encoder takes the events of a payload in portions, each while it is still in the processor's cache, and keeps no pointer into them.
 * One thread; kept from payload to payload. */
struct event_encoder;
struct event_encoder *event_encoder_new(void);   /* NULL without memory */
void event_encoder_free(struct event_encoder **k);
/* event_encoder_begin - a payload begins at the end of out, which is the encoder's until end. */
void event_encoder_begin(struct event_encoder *k, struct buf *out);
/* event_encoder_add - -E2BIG past EVENT_BATCH_MAX or the limit of out, also where the lines alone have more bytes than that (a payload has what
 * they share once, whoever reads it has them whole); then this payload is lost, begin another. */
MUST_USE int event_encoder_add(struct event_encoder *k, const struct event *events, size_t count, struct err *e);
/* event_encoder_bytes - of the payload so far. */
size_t event_encoder_bytes(const struct event_encoder *k);
/* event_encoder_end - the payload is whole; count (may be NULL) of events. */
MUST_USE int event_encoder_end(struct event_encoder *k, size_t *count, struct err *e);
/* event_encode - append the payload of count events to out. seq is not part of it (a frame gives the first). */
MUST_USE int event_encode(const struct event *events, size_t count, struct buf *out, struct err *e);
/* event_decode - add the events of a payload to batch; lines and what lies in them stand in its arena, other texts borrow from payload; seq counts up
 * from first_seq. -EBADMSG if it is not a payload, or its lines and fields are more than the arena takes; then the events of batch are as before. batch->wanted
 * chooses fields. */
MUST_USE int event_decode(struct str payload, uint64_t first_seq, struct event_batch *batch, struct err *e);

#endif
