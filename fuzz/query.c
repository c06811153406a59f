/* query.c - enemy of query: any text as a search, tried on an event of any bytes. The first 64 bytes are the line, the rest is the text. */
#include "query/query.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    size_t cut = size < 64 ? size : 64, n;
    struct event_batch b;
    struct query *q;

    event_batch_init(&b, 0);
    struct event *ev = event_batch_add(&b);
    ev->original = str_of((const char *)data, cut);
    if (event_add(ev, &b.arena, STR("user.name"), str_of((const char *)data, cut / 2)) < 0)
        abort();
    if (query_parse(str_of((const char *)data + cut, size - cut), &q, NULL) == 0) {
        query_match(q, ev);
        query_needs(q, &n);
        query_free(&q);
    }
    event_batch_free(&b);
    return 0;
}
