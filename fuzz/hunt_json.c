/* hunt_json.c - enemy of the flattening of JSON events. */
#include "detect/hunt.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct event_batch b;
    struct buf out;
    struct err e;

    event_batch_init(&b, 16u * MIB);
    buf_init(&out, 0);
    if (hunt_json_event(str_of((const char *)data, size), &b, &e) == 0)
        event_json(b.items, &out);
    buf_free(&out);
    event_batch_free(&b);
    return 0;
}
