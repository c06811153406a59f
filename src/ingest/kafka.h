/* kafka.h - messages of a broker of Kafka on their way to the journal: how a pile of them is written, and read by the worker.
 *
 *     pile      u32 partition, u64 end of the partition as last seen, text topic, text cluster, then messages
 *     message   u64 offset, u64 time in milliseconds, u8 1: cut, text key, text value           texts: varint length, bytes
 *
 * Owns      nothing.
 * Promises  1. Exactly once: a pile is one frame of the journal, its number is the offset behind its last message, its origin the partition. What the
 *              journal has by these numbers is left out, counted as repeated.
 *           2. A partition that ends before what the journal has of it was made anew: it gets another origin, so that nothing of it passes for a repetition.
 *           3. Every message becomes an event, whatever it says; an empty one is counted by the loop.
 * Threads   as record.h says.
 * Units     bytes, offsets of Kafka.
 * Source    docs/inputs/kafka.md. */
#ifndef SAQSHY_INGEST_KAFKA_H
#define SAQSHY_INGEST_KAFKA_H

#include "ingest/record.h"

#define KAFKA_VALUE_MAX       (7u * MIB)     /* of a message; what is longer is cut and marked */
#define KAFKA_KEY_MAX         1024u
#define KAFKA_PILE_BYTES      (1u * MIB)     /* a pile is full */
#define KAFKA_PILE_MESSAGES   8192
#define KAFKA_GENERATIONS_MAX 1000           /* times that one topic was made anew */

/* One message. */
struct kafka_message {
    int64_t    offset, time_ms;              /* 0: not said */
    bool       cut;
    struct str key, value;
};
struct kafka_head {
    int32_t    partition;
    int64_t    end;                          /* below 0: not known */
    struct str topic, cluster;
};
void kafka_put_head(struct buf *b, const struct kafka_head *h);
void kafka_put_message(struct buf *b, const struct kafka_message *m);
/* kafka_read_head, kafka_read_message - the failure sticks in r. */
void kafka_read_head(struct reader *r, struct kafka_head *out);
void kafka_read_message(struct reader *r, struct kafka_message *out);

extern const struct body_decoder kafka_decoder;

#endif
