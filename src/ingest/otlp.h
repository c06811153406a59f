/* otlp.h - the bytes of an OTLP logs request as records.
 *
 * Owns      nothing: records are views into the body, or texts in the arena given.
 * Promises  1. Reads any bytes: what is no request is -EBADMSG with the offset, and nothing is read past the end.
 *           2. Bounded: OTLP_RECORDS_MAX records, ATTRS_MAX attributes of each kept, OTLP_DEPTH_MAX levels of a structured
 *              body; no recursion, no allocation per field.
 *           3. Unknown fields are skipped, as protobuf asks of a reader.
 * Threads   any.
 * Units     time_ns as sent.
 * Source    opentelemetry-proto 1.x: collector/logs/v1, logs/v1, common/v1, resource/v1 (field numbers in otlp.c); the JSON mapping of
 *           protobuf, and OTLP's own rules of it (trace ids, enums as numbers). */
#ifndef SAQSHY_INGEST_OTLP_H
#define SAQSHY_INGEST_OTLP_H

#include "ingest/attrs.h"

#define OTLP_RECORDS_MAX 65536   /* EVENT_BATCH_MAX: a request is one frame of the journal */
#define OTLP_DEPTH_MAX   16

struct otlp_record {
    struct str        body;
    time_ns           time, observed;   /* 0: not said */
    struct str        severity;
    struct attrs attrs;
};
/* otlp_take - one record; below zero stops the decoding and comes back from it. */
typedef int otlp_take(void *arg, const struct attrs *resource, const struct otlp_record *record, struct err *e);

/* otlp_decode - every record of an ExportLogsServiceRequest, in order. *count (may be NULL) of them. -EBADMSG, -E2BIG past
 * OTLP_RECORDS_MAX; some records may have been taken before the fault is met. */
MUST_USE int otlp_decode(struct str body, struct arena *a, otlp_take *take, void *arg, size_t *count, struct err *e);
/* otlp_json_decode - the same of the JSON form: names as lowerCamelCase or as in the .proto files, 64-bit numbers as texts or numbers, bytes in base64;
 * unknown members are skipped. The same request gives the same records in both forms. */
MUST_USE int otlp_json_decode(struct str body, struct arena *a, otlp_take *take, void *arg, size_t *count, struct err *e);
/* otlp_json_status - append a Status in JSON. */
void otlp_json_status(struct buf *out, int code, struct str message);
/* otlp_status - append a google.rpc.Status that says message: the body of every refusal. */
void otlp_status(struct buf *out, int code, struct str message);

#endif
