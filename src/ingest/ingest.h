/* ingest.h - what arrives by wire becomes events in the journal, and only then is acknowledged.
 *
 * Owns      the listeners, the one writer of DATA/journal, and in DATA/run: ingest.json (where it listens), sources.json
 *           (what came from whom), metrics-ingest.prom.
 * Promises  1. Acknowledged means on disk: an OTLP request is answered 200 after journal_commit, never before.
 *           2. A numbered batch (header Saqshy-Batch) is stored once, however often it is sent.
 *           3. Nothing that arrives stops a listener. What cannot be stored is refused with a reason and counted:
 *              read = stored + refused + waiting, at any moment when nothing is in motion.
 *           4. Bounded: QUEUE_BYTES_MAX of lines wait at most; then UDP is not read and OTLP is answered 503. TCP, files and topics, which can
 *              wait, are not read from QUEUE_PATIENT_MAX on.
 *           5. A line that no parser understands is stored all the same; a line over EVENT_ORIGINAL_MAX is stored in pieces,
 *              each marked.
 *           6. Our own log (DATA/log/saqshyd.jsonl) is followed into the journal, each line once, across rotation and kill -9.
 * Threads   one event loop that never blocks on disk, and one worker that parses, appends and commits.
 * Units     bytes; time_ns.
 * Source    RFC 5424, 3164, 5426, 6587 (framing); OTLP 1.x over HTTP; R-10.1-04, R-12-05. docs/collection.md. */
#ifndef SAQSHY_INGEST_INGEST_H
#define SAQSHY_INGEST_INGEST_H

#include "base/base.h"
#include "base/listen.h"

struct ingest_options {
    const char *data;               /* the data directory */
    const char *content;            /* parsers; may be NULL */
    const struct listen_table *listen;   /* listeners and source profiles; listeners without files of their own take DATA/pki */
    int32_t     zone_min;           /* of lines that name no zone and come from no agent */
    int64_t     future_tolerance_s;
    int64_t     segment_bytes;
    const char *reserve;            /* room that is left alone, as base/retention.h reads it; NULL: the default */
    /* reload - at SIGHUP: listen, zone_min and future_tolerance_s anew in *fresh, valid until the next call. Below zero: the old ones stay in
     * force. NULL: there is nothing to read again. */
    int       (*reload)(void *arg, struct ingest_options *fresh, struct err *e);
    void       *arg;
};

/* ingest_run - serve until SIGTERM or SIGINT, then store what was read and return 0. Failures before the first byte is
 * served come back as errors; later ones are logged and outlived. */
MUST_USE int ingest_run(const struct ingest_options *o, struct err *e);

#endif
