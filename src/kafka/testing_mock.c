/* testing_mock.c - a cluster of librdkafka's mock brokers for whole-system tests, told what to do by lines on standard input.
 *
 *     topic NAME PARTITIONS        make a topic
 *     many NAME COUNT TEXT         COUNT messages "TEXT 0", "TEXT 1", ... over all partitions, in turn; the key is "host-a"
 *     hex NAME PARTITION HEX       one message of these bytes ("-": none at all, "=": an empty one), without a key
 *     down | up                    no broker answers any more, or again
 *     read NAME                    every message there is, "PARTITION OFFSET KEY-IN-HEX VALUE-IN-HEX" a line
 *
 * Each answers "ok" (or "wrong" and why) on a line of its own; the first line is "brokers ADDRESS,ADDRESS". */
#include "kafka/kafka.h"

#include <librdkafka/rdkafka_mock.h>

#define BROKERS    3
#define LINE_MAX_N (16u * MIB)
#define NAMES      64

struct mock {
    rd_kafka_t              *producer;
    rd_kafka_mock_cluster_t *cluster;
    const char              *brokers;
    struct {
        char name[64];
        int  partitions;
    } topic[NAMES];
    size_t topics;
    long   failed;
};

static void say(const char *text)
{
    printf("%s\n", text);
    fflush(stdout);
}

static int partitions_of(const struct mock *m, const char *name)
{
    for (size_t i = 0; i < m->topics; i++)
        if (strcmp(m->topic[i].name, name) == 0)
            return m->topic[i].partitions;
    return 1;
}

static void on_delivery(rd_kafka_t *rk, const rd_kafka_message_t *msg, void *arg)
{
    struct mock *m = arg;

    (void)rk;
    m->failed += msg->err != 0;
}

static bool put(struct mock *m, const char *name, int partition, const void *value, size_t n, const char *key)
{
    for (;;) {
        rd_kafka_resp_err_t why = rd_kafka_producev(m->producer, RD_KAFKA_V_TOPIC(name), RD_KAFKA_V_PARTITION(partition), RD_KAFKA_V_VALUE((void *)(uintptr_t)value, n),
                                                    RD_KAFKA_V_KEY((void *)(uintptr_t)key, key ? strlen(key) : 0), RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY), RD_KAFKA_V_END);

        if (why != RD_KAFKA_RESP_ERR__QUEUE_FULL)
            return why == 0;
        rd_kafka_poll(m->producer, 100);
    }
}

static bool settle(struct mock *m)
{
    long before = m->failed;

    m->failed = 0;
    return rd_kafka_flush(m->producer, 60000) == 0 && m->failed == 0 && before == 0;
}

static bool many(struct mock *m, const char *name, long count, const char *text)
{
    int partitions = partitions_of(m, name);
    char value[4096];
    bool fine = true;

    for (long i = 0; fine && i < count; i++) {
        int n = snprintf(value, sizeof value, "%s %ld", text, i);

        fine = put(m, name, (int)(i % partitions), value, (size_t)n, "host-a");
    }
    return settle(m) && fine;
}

static bool hex(struct mock *m, const char *name, int partition, const char *digits)
{
    size_t n = strlen(digits) / 2;
    AUTO_FREE unsigned char *bytes = malloc(n + 1);

    if (strcmp(digits, "-") == 0)
        return put(m, name, partition, NULL, 0, NULL) && settle(m);
    if (strcmp(digits, "=") == 0)
        return put(m, name, partition, "", 0, NULL) && settle(m);
    for (size_t i = 0; bytes && i < n; i++) {
        const char two[3] = { digits[2 * i], digits[2 * i + 1], 0 };

        bytes[i] = (unsigned char)strtoul(two, NULL, 16);
    }
    return bytes && put(m, name, partition, bytes, n, NULL) && settle(m);
}

static void put_hex(const void *p, size_t n)
{
    if (n == 0)
        putchar('-');
    for (size_t i = 0; i < n; i++)
        printf("%02x", ((const unsigned char *)p)[i]);
}

static bool read_all(struct mock *m, const char *name)
{
    int left = partitions_of(m, name);
    rd_kafka_topic_partition_list_t *all = rd_kafka_topic_partition_list_new(left);
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    rd_kafka_t *rk;
    char why[256];

    for (int i = 0; i < left; i++)
        rd_kafka_topic_partition_list_add(all, name, i)->offset = RD_KAFKA_OFFSET_BEGINNING;
    rd_kafka_conf_set(conf, "bootstrap.servers", m->brokers, why, sizeof why);
    rd_kafka_conf_set(conf, "group.id", "reader", why, sizeof why);
    rd_kafka_conf_set(conf, "enable.partition.eof", "true", why, sizeof why);
    rk = rd_kafka_new(RD_KAFKA_CONSUMER, conf, why, sizeof why);
    rd_kafka_assign(rk, all);
    for (int waits = 0; left > 0 && waits < 60;) {
        rd_kafka_message_t *msg = rd_kafka_consumer_poll(rk, 1000);

        waits += !msg;
        left -= msg && msg->err == RD_KAFKA_RESP_ERR__PARTITION_EOF;
        if (msg && !msg->err) {
            printf("%d %lld ", (int)msg->partition, (long long)msg->offset);
            put_hex(msg->key, msg->key_len);
            putchar(' ');
            put_hex(msg->payload, msg->len);
            putchar('\n');
        }
        if (msg)
            rd_kafka_message_destroy(msg);
    }
    rd_kafka_topic_partition_list_destroy(all);
    rd_kafka_consumer_close(rk);
    rd_kafka_destroy(rk);
    return left == 0;
}

static bool obey(struct mock *m, char *line)
{
    static char text[LINE_MAX_N];
    char name[64] = "";
    long number = 0;

    if (sscanf(line, "topic %63s %ld", name, &number) == 2 && m->topics < NAMES) {
        snprintf(m->topic[m->topics].name, sizeof name, "%s", name);
        m->topic[m->topics++].partitions = (int)number;
        return rd_kafka_mock_topic_create(m->cluster, name, (int)number, BROKERS) == 0;
    }
    if (sscanf(line, "many %63s %ld %4095[^\n]", name, &number, text) == 3)
        return many(m, name, number, text);
    if (sscanf(line, "hex %63s %ld %16777215s", name, &number, text) == 3)
        return hex(m, name, (int)number, text);
    if (sscanf(line, "read %63s", name) == 1)
        return read_all(m, name);
    for (int i = 1; i <= BROKERS; i++) {
        if (strcmp(line, "down\n") == 0 && rd_kafka_mock_broker_set_down(m->cluster, i) != 0)
            return false;
        if (strcmp(line, "up\n") == 0 && rd_kafka_mock_broker_set_up(m->cluster, i) != 0)
            return false;
    }
    return strcmp(line, "down\n") == 0 || strcmp(line, "up\n") == 0;
}

int main(void)
{
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    static struct mock m;
    static char line[LINE_MAX_N + 256];
    char why[256], count[16];

    snprintf(count, sizeof count, "%d", BROKERS);
    rd_kafka_conf_set(conf, "test.mock.num.brokers", count, why, sizeof why);
    rd_kafka_conf_set(conf, "linger.ms", "5", why, sizeof why);
    rd_kafka_conf_set(conf, "message.max.bytes", "16000000", why, sizeof why);
    rd_kafka_conf_set(conf, "partitioner", "consistent", why, sizeof why);
    rd_kafka_conf_set_dr_msg_cb(conf, on_delivery);
    rd_kafka_conf_set_opaque(conf, &m);
    m.producer = rd_kafka_new(RD_KAFKA_PRODUCER, conf, why, sizeof why);
    if (!m.producer) {
        say(why);
        return 1;
    }
    m.cluster = rd_kafka_handle_mock_cluster(m.producer);
    m.brokers = rd_kafka_mock_cluster_bootstraps(m.cluster);
    printf("brokers %s\n", m.brokers);
    fflush(stdout);
    while (fgets(line, sizeof line, stdin))
        say(obey(&m, line) ? "ok" : "wrong");
    rd_kafka_destroy(m.producer);
    return 0;
}
