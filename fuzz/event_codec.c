/* event_codec.c - enemy of event/codec: any bytes as the payload of a frame. What decodes must encode again, and decode to the same. */
#include "event/event.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool same(const struct event *a, const struct event *b)
{
    bool ok = a->seq == b->seq && a->time == b->time && a->received == b->received && a->offset_min == b->offset_min && a->class == b->class &&
              a->parse == b->parse && a->marks == b->marks && a->field_count == b->field_count && str_eq(a->original, b->original) &&
              str_eq(a->time_text, b->time_text) && str_eq(a->source, b->source) && str_eq(a->object, b->object) && str_eq(a->parser, b->parser);

    for (uint32_t i = 0; ok && i < a->field_count; i++)
        ok = str_eq(a->fields[i].name, b->fields[i].name) && str_eq(a->fields[i].value, b->fields[i].value);
    return ok;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct event_batch b, again;
    struct buf out;

    event_batch_init(&b, 0);
    event_batch_init(&again, 256 * MIB);
    buf_init(&out, 0);
    if (event_decode(str_of((const char *)data, size), 1, &b, NULL) == 0) {
        if (event_encode(b.items, b.count, &out, NULL) < 0 || event_decode(buf_view(&out), 1, &again, NULL) < 0 || again.count != b.count)
            abort();
        for (size_t i = 0; i < b.count; i++)
            if (!same(&b.items[i], &again.items[i]))
                abort();
        buf_reset(&out);
        for (size_t i = 0; i < b.count && i < 16; i++)
            event_json(&b.items[i], &out);
    }
    buf_free(&out);
    event_batch_free(&b);
    event_batch_free(&again);
    return 0;
}
