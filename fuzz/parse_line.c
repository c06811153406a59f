/* parse_line.c - enemy of the whole way of a line. Its bytes must come back as they were; twice the same line, twice
 * the same event. */
#include "parse_work.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct str line = str_of((const char *)data, size);
    struct bench b;
    struct event *ev, *again;

    bench_open(&b, line);
    if (size && data[0] == 1) { /* as journald gives it: a program's name in one line, its message in the next */
        ptrdiff_t end = str_chr(line, '\n');

        if (end > 1) {
            b.hints.unit = str_of(line.p + 1, (size_t)end - 1);
            line = str_cut(line, (size_t)end + 1);
        }
    }
    if (!event_batch_add(&b.batch))
        abort();
    ev = &b.batch.items[0];
    again = &b.batch.items[1];
    b.work.ev = ev;
    parse_line(b.parser, line, &b.hints, &b.batch.arena, ev);
    parse_line(b.parser, line, &b.hints, &b.batch.arena, again);
    if (!str_eq(ev->original, line) || ev->field_count != again->field_count || ev->time != again->time)
        abort();
    bench_close(&b);
    return 0;
}
