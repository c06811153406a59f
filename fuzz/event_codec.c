/* event_codec.c - enemy of event/codec: any bytes as the payload of a frame. What decodes must encode again. */
#include "event/event.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct event_batch b;
    struct buf out;

    event_batch_init(&b, 0);
    buf_init(&out, 0);
    if (event_decode(str_of((const char *)data, size), 1, &b, NULL) == 0) {
        if (event_encode(b.items, b.count, &out, NULL) < 0)
            abort();
        for (size_t i = 0; i < b.count && i < 16; i++)
            event_json(&b.items[i], &out);
    }
    buf_free(&out);
    event_batch_free(&b);
    return 0;
}
