/* envelope.c - an envelope of events from a stick: its manifest, which must write itself again to the same bytes, and the blocks behind it. A signature keeps a fuzzer
 * out of the blocks; here they are walked without it. */
#include "envelope/envelope.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct str in = str_of((const char *)data, size);
    ptrdiff_t end = str_chr(in, '\n');
    struct str line = end < 0 ? in : str_of(in.p, (size_t)end);
    struct envelope v = { .body = end < 0 ? in : str_cut(in, (size_t)end + 1) };
    struct envelope_block b;
    struct event_batch batch;
    AUTO_BUF struct buf again = { 0 }, plain = { 0 };
    size_t at = 0;

    buf_init(&again, 64 * KIB);
    buf_init(&plain, MIB);
    event_batch_init(&batch, MIB);
    if (envelope_manifest_read(line, &v.m, NULL) == 0) {
        envelope_manifest_write(&v.m, &again);
        if (!str_eq(buf_view(&again), line))
            abort();
    }
    while (envelope_next(&v, &at, &b)) {
        if (at > v.body.n)
            abort();
        if (b.plain_bytes < MIB / 2 && envelope_unpack(&b, &plain, NULL) == 0 && event_decode(buf_view(&plain), 1, &batch, NULL) < 0)
            event_batch_reset(&batch);
    }
    event_batch_free(&batch);
    return 0;
}
