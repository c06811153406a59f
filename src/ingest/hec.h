/* hec.h - the HTTP Event Collector of Splunk, as its senders speak to it.
 *
 * Owns      nothing.
 * Promises  1. Each event of a request becomes an event here, its text or object the original; one that is no event refuses the whole
 *              request with Splunk's code and the event's number, and nothing of it is stored.
 *           2. An answer 200 comes after the commit: an ack that is asked for later is always true.
 *           3. Bounded: HEC_EVENTS_MAX events or lines, HEC_ACKS_MAX acks of a question.
 * Threads   as http.h and record.h say.
 * Units     seconds with a fraction, as Splunk writes moments.
 * Source    Splunk Enterprise, "Format events for HTTP Event Collector", "HTTP Event Collector REST API endpoints", its table of codes. */
#ifndef SAQSHY_INGEST_HEC_H
#define SAQSHY_INGEST_HEC_H

#include "ingest/http.h"
#include "ingest/jread.h"

#define HEC_EVENTS_MAX 65536           /* EVENT_BATCH_MAX: a request is one frame of the journal */
#define HEC_ACKS_MAX   65536

extern const struct body_decoder hec_event_decoder, hec_raw_decoder, hec_ack_decoder;

/* An event with what stands around it. Texts are views, or in the arena. */
struct hec_event {
    struct str text;                                /* of the event: a text as it was meant, anything else as it was written */
    struct str host, source, sourcetype, index;
    struct str fields;                              /* an object as it was written, or empty */
    time_ns    time;                                /* 0: not said */
};
/* hec_event_read - the next event of a body. 1, or 0 at the end, or -EBADMSG: the reason begins with one of Splunk's texts. */
MUST_USE int hec_event_read(struct jread *r, struct hec_event *out, struct err *e);
/* hec_time - seconds, or (from 1973 on, as a number that cannot be seconds) milliseconds; 0 if it is neither. */
time_ns hec_time(struct str s);
/* hec_param - the value of a parameter behind '?', decoded in the arena. */
struct str hec_param(struct str query, const char *name, struct arena *a);

#endif
