/* testing_dump.c - for tests: every committed event of a journal as JSON, one a line, with the origin of its frame. */
#include "event/event.h"
#include "journal/journal.h"

int main(int argc, char **argv)
{
    struct journal_reader *r = NULL;
    struct event_batch batch;
    struct journal_origin origin;
    struct err e = { 0 };
    AUTO_BUF struct buf b = { 0 };
    int n;

    if (argc != 2 || journal_reader_open(argv[1], 0, &r, &e) < 0) {
        fprintf(stderr, "usage: journal-dump FOLDER %s\n", e.text);
        return 2;
    }
    event_batch_init(&batch, 256u * MIB);
    buf_init(&b, 64u * MIB);
    while ((n = journal_reader_next(r, &batch, &origin, &e)) > 0) {
        for (size_t i = 0; i < batch.count; i++) {
            buf_printf(&b, "{\"origin\":\"%.*s\",\"number\":\"%llu\",\"event\":", STR_ARG(origin.id),
                       (unsigned long long)origin.seq);
            event_json(&batch.items[i], &b);
            buf_str(&b, STR("}\n"));
        }
        fwrite(b.p, 1, b.n, stdout);
        buf_reset(&b);
    }
    if (n < 0)
        fprintf(stderr, "%s\n", e.text);
    event_batch_free(&batch);
    journal_reader_close(&r);
    return n < 0;
}
