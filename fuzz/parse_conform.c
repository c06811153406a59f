/* parse_conform.c - any line: it is judged, and the record that is written of it is one that lint accepts. */
#include "parse/conform.h"
#include "parse/lint.h"
#include "parse/parse.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void refuse(void *arg, const struct lint_remark *m)
{
    (void)arg;
    fprintf(stderr, "%zu:%zu %s %s\n", m->line, m->column, m->code, m->row);
    abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct parser *parser;
    struct parse_hints h = { .received = INT64_C(1774008000) * NS_PER_SECOND };
    struct event_batch b;
    struct event *ev;
    struct conform c;
    struct buf record;
    enum event_class class;

    if (size == 0 || (!parser && parse_new(NULL, 0, &parser, NULL) < 0))
        return 0;
    class = (enum event_class)(1 + data[0] % (CLASS_COUNT - 1));
    event_batch_init(&b, 0);
    buf_init(&record, 0);
    ev = event_batch_add(&b);
    parse_line(parser, str_of((const char *)data + 1, size - 1), &h, &b.arena, ev);
    conform_event(ev, class, &b.arena, &c);
    if (c.failed & ~c.checked)
        abort();
    annex4_record(ev, class, 300, &b.arena, &record);
    lint_text(buf_view(&record), class, refuse, NULL);
    buf_free(&record);
    event_batch_free(&b);
    return 0;
}
