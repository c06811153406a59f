/* parse_shapes.c - any lines: they become rows whose counts are those of the lines. */
#include "parse/shapes.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct str rest = str_of((const char *)data, size), line;
    struct event_batch b;
    struct shapes *s;
    struct shape_view v;
    uint64_t sum = 0;

    if (shapes_new(&s, NULL) < 0)
        return 0;
    event_batch_init(&b, 0);
    while (rest.n && str_split(&rest, '\n', &line)) {
        struct event *ev;

        event_batch_reset(&b);
        ev = event_batch_add(&b);
        ev->original = line;
        ev->parse = EVENT_PARSE_FAILED;
        if (shapes_add(s, ev) < 0)
            break;
    }
    shapes_sort(s);
    for (size_t i = 0; shapes_view(s, i, &v); i++)
        sum += v.count - v.over;
    assert(sum <= shapes_lines(s));
    event_batch_free(&b);
    shapes_free(&s);
    return 0;
}
