/* parse_forms.c - enemy of the structured forms. The first byte picks the form, the second its delimiter; a header that the text brings is
 * remembered, saved and loaded again. Every pair must be of allowed size; the whole line as an event must be able to be written. */
#include "parse/forms.h"
#include "parse_work.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const names[] = { "json", "kv", "cef", "leef", "csv", "w3c", "snare", "winxml", "elements", "counted" };
    static const char delimiters[] = { 0, ',', ';', '|', '\t', '^', ' ', '=' };
    struct str text = str_of((const char *)data + 2, size < 2 ? 0 : size - 2), line;
    const struct form_kind *form;
    struct parse_memory *memory;
    static const struct str columns[] = { STR_INIT("a"), STR_INIT("b"), STR_INIT("-") };
    static const struct form_columns further[] = { { STR_INIT("x"), columns, 2 }, { STR_INIT("y"), columns, 0 } };
    struct form_how how = { .header = true, .source = STR("s") };
    AUTO_BUF struct buf saved = { 0 };
    struct form_pairs pairs;
    struct arena a;
    struct bench b;

    if (size < 2 || parse_memory_new(&memory, NULL) < 0)
        return 0;
    form = form_kind_of(str_c(names[data[0] % COUNT(names)]));
    how.delimiter = delimiters[data[1] % COUNT(delimiters)];
    how.assign = data[1] & 64 ? ':' : 0;
    how.once = data[1] & 32;
    if (data[1] & 16) {
        how.header = false;
        how.columns = columns;
        how.column_count = COUNT(columns);
        how.by = columns[0];
        how.further = further;
        how.further_count = COUNT(further);
    }
    how.memory = data[1] & 128 ? NULL : memory;
    arena_init(&a, 0);
    for (struct str rest = text; str_split(&rest, '\n', &line);) {
        (void)form->looks(line);
        if (!form_kind_read(form, line, &how, &a, &pairs))
            continue;
        if (pairs.count > FORM_FIELDS_MAX)
            abort();
        for (uint32_t i = 0; i < pairs.count; i++)
            if (pairs.items[i].name.n == 0 || pairs.items[i].name.n > EVENT_NAME_MAX)
                abort();
    }
    buf_init(&saved, 0);
    parse_memory_save(memory, &saved);
    parse_memory_load(memory, buf_view(&saved));
    parse_memory_load(memory, text);
    bench_open(&b, text);
    b.hints.memory = memory;
    parse_line(b.parser, text, &b.hints, &b.batch.arena, b.work.ev);
    bench_close(&b);
    parse_memory_free(&memory);
    arena_free(&a);
    return 0;
}
