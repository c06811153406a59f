/* otlp_json.c - any bytes as an OTLP request in JSON: views stay inside, counts stay bounded. */
#include "ingest/otlp.h"

struct sum {
    size_t   count;
    uint64_t bytes;
};

static int take(void *arg, const struct attrs *resource, const struct otlp_record *rec, struct err *e)
{
    struct sum *s = arg;

    (void)e;
    s->count++;
    s->bytes += str_hash(rec->body) + str_hash(rec->severity);
    for (size_t i = 0; i < rec->attrs.count; i++)
        s->bytes += str_hash(rec->attrs.items[i].name) + str_hash(rec->attrs.items[i].value);
    assert(resource->count <= ATTRS_MAX);
    return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena a;
    struct sum s = { 0 };
    struct err e;
    size_t count = 0;
    int rc;

    arena_init(&a, 16u * MIB);
    rc = otlp_json_decode(str_of((const char *)data, size), &a, take, &s, &count, &e);
    assert(rc == 0 || rc == -EBADMSG || rc == -E2BIG);
    assert(count == s.count && count <= OTLP_RECORDS_MAX);
    arena_free(&a);
    return 0;
}
