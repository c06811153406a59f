/* kafka.h - how a broker of Kafka is reached: addresses, TLS, name and password, as librdkafka wants to be told.
 *
 * Owns      nothing: a struct kafka_access borrows its texts until kafka_conf_new returns.
 * Promises  1. What cannot work (no brokers, an unknown mechanism, a password file that cannot be read) is refused here, with the setting's name.
 *           2. The password is in no message and no log line.
 *           3. Events of the library (messages, errors, statistics, its log) come by its queue alone: no callback runs in a foreign thread.
 * Threads   any.
 * Units     milliseconds where librdkafka has them.
 * Source    librdkafka 2.0, CONFIGURATION.md; docs/inputs/kafka.md, docs/forwarding.md. */
#ifndef SAQSHY_KAFKA_KAFKA_H
#define SAQSHY_KAFKA_KAFKA_H

#include "base/base.h"

#include <librdkafka/rdkafka.h>

#define KAFKA_PASSWORD_MAX 1024
#define KAFKA_TOPIC_MAX    249          /* of a topic's name */

struct kafka_access {
    const char *brokers;                /* "kafka-1:9092, kafka-2:9092" */
    bool        tls;
    const char *certificate, *key, *authority;   /* files; NULL or empty: none, and the system's authorities */
    const char *sasl;                   /* "PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"; NULL or empty: none */
    const char *user, *password_file;
    const char *client;                 /* client.id */
};

/* kafka_access_check - what of it can be told without a look at any file. -EINVAL. */
MUST_USE int kafka_access_check(const struct kafka_access *a, struct err *e);
/* kafka_conf_new - the settings of a client, which the caller completes and gives to rd_kafka_new, or destroys. */
MUST_USE int kafka_conf_new(const struct kafka_access *a, rd_kafka_conf_t **out, struct err *e);
/* kafka_set - one more setting; -EINVAL with what the library says against it. */
MUST_USE int kafka_set(rd_kafka_conf_t *conf, const char *name, const char *value, struct err *e);

#endif
