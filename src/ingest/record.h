/* record.h - what a body decoder gives: one record of a request, whatever its format was.
 *
 * Owns      nothing: texts are views into the body, or lie in the arena of taking_arena.
 * Promises  1. take_record never refuses a record for what it says: it is parsed, named, marked and counted like a line.
 *           2. A decoder that returns below zero stores nothing of its request: -EBADMSG is answered 400, -E2BIG 413, anything else 503.
 * Threads   the worker.
 * Units     time_ns as sent, minutes east of UTC. */
#ifndef SAQSHY_INGEST_RECORD_H
#define SAQSHY_INGEST_RECORD_H

#include "ingest/attrs.h"
#include "ingest/listener.h"

struct taking;
struct form_pairs;

/* One record. All but text may be empty. */
struct record {
    struct str          text;        /* the original; longer than record_bytes of the listener it becomes several events, each marked */
    time_ns             time;        /* counts if the text names none; 0: not said */
    struct str          severity, host, path, unit, pid;
    struct str          parser;      /* the parser to take, by name; empty: found by the text */
    int32_t             zone_min;    /* EVENT_OFFSET_NONE: that of the profile or the node */
    bool                truncated;   /* the sender cut it */
    const struct attrs *fields;      /* become fields under their own names, where the parser found none; may be NULL */
    const struct form_pairs *pairs;  /* likewise, in the arena; may be NULL */
    struct str          document;    /* not empty: text is what a document says, and this, the document, is the original; it is parsed itself
                                        if no parser knows the text */
};
MUST_USE int take_record(struct taking *t, const struct record *r, struct err *e);
/* take_fact - a part of what an agent reports of its host's state, for the host that its certificate names. */
MUST_USE int take_fact(struct taking *t, struct str kind, struct str text, time_ns time, struct err *e);
/* take_events - a payload of the event codec from another Saqshy: its events as they are, with saqshy.relay added. Those that went in a circle are refused. */
MUST_USE int take_events(struct taking *t, struct str payload, struct err *e);
/* taking_arena - until the request is stored. */
struct arena *taking_arena(struct taking *t);
/* taking_pile - the request: its agent, its query, and answer, where a decoder may write the body of the answer. */
struct pile *taking_pile(struct taking *t);
int32_t taking_zone(const struct taking *t);
struct ingest *taking_ingest(struct taking *t);
/* taking_origin - the last number that the journal has of an origin, 0 if none. */
uint64_t taking_origin(const struct taking *t, struct str id);

struct body_decoder {
    const char *name;
    int (*decode)(struct taking *t, struct str body, struct err *e);
    /* committed - the piles of the list (those of this decoder among them) are on disk, and nobody is answered yet: what is to be kept of them
     * is kept now. It may change the status of a pile. May be NULL; called once or more for a list. */
    void (*committed)(struct ingest *in, struct pile *list);
};
extern const struct body_decoder otlp_decoder, otlp_json_decoder;

#endif
