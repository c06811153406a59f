/* bulk.c - any bytes as a body of Elasticsearch bulk: every action is told once, views stay inside. */
#include "ingest/bulk.h"

struct sum {
    size_t   count;
    uint64_t bytes;
};

static int take(void *arg, const struct bulk_action *a, struct str document, struct err *e)
{
    struct sum *s = arg;

    (void)e;
    assert(a->kind <= BULK_DELETE && (document.n || a->kind == BULK_DELETE));
    s->count++;
    s->bytes += str_hash(document) + str_hash(a->index) + str_hash(a->id);
    return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena a;
    struct sum s = { 0 };
    struct err e;
    int rc;

    arena_init(&a, 16u * MIB);
    rc = bulk_walk(str_of((const char *)data, size), &a, take, &s, &e);
    assert(rc == 0 || rc == -EBADMSG || rc == -E2BIG);
    assert(s.count <= BULK_ACTIONS_MAX);
    arena_free(&a);
    return 0;
}
