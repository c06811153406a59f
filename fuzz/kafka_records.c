/* kafka_records.c - a pile of messages of Kafka as the loop wrote it: read by the worker, it ends where it ends, and what is read writes itself again. */
#include "ingest/kafka.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct reader r = rd_from(data, size);
    AUTO_BUF struct buf again = { 0 };
    struct kafka_head h = { .partition = 0 };
    struct kafka_message m = { .offset = 0 };

    buf_init(&again, 64 * MIB);
    kafka_read_head(&r, &h);
    if (!rd_ok(&r))
        return 0;
    kafka_put_head(&again, &h);
    while (rd_left(&r) > 0 && rd_ok(&r)) {
        kafka_read_message(&r, &m);
        if (rd_ok(&r))
            kafka_put_message(&again, &m);
    }
    return buf_failed(&again) ? 1 : 0;
}
