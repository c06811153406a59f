/* hec.c - any bytes as events of HEC, and as a query: reading ends, texts stay inside. */
#include "ingest/hec.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena a;
    struct str body = str_of((const char *)data, size), source;
    struct jread r;
    struct hec_event h;
    struct err e;
    uint64_t sum = 0;
    size_t count = 0;
    int rc;

    arena_init(&a, 16u * MIB);
    r = jread_of(body, &a);
    while ((rc = hec_event_read(&r, &h, &e)) > 0) {
        assert(h.text.n > 0 && ++count <= size);
        sum += str_hash(h.text) + str_hash(h.host) + str_hash(h.source) + str_hash(h.fields);
    }
    assert(rc == 0 || rc == -EBADMSG);
    source = hec_param(body, "source", &a);
    assert(source.n <= size);
    sum += str_hash(source) + (uint64_t)hec_time(body);
    arena_free(&a);
    assert(sum || count == 0 || size);
    return 0;
}
