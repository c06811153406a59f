/* parse_join.c - enemy of joining: lines of the input are added, some flushes between. Every line must come out once, whole and in the text
 * of one event; the event is then parsed. */
#include "parse/join.h"
#include "parse_work.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct sums {
    uint64_t hash;
    size_t lines;
};

static void take_out(struct join *j, struct sums *out)
{
    struct joined ev;

    while (join_next(j, &ev)) {
        struct str rest = ev.text, line;
        size_t lines = 0;
        struct bench b;

        for (; str_split(&rest, '\n', &line); lines++)
            out->hash += str_hash(line);
        if (lines != ev.records)
            abort();
        out->lines += lines;
        bench_open(&b, ev.text);
        parse_line(b.parser, ev.text, &b.hints, &b.batch.arena, b.work.ev);
        bench_close(&b);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct str rest = str_of((const char *)data, size), line;
    struct sums in = { 0, 0 }, out = { 0, 0 };
    struct join *j;

    if (join_new(&j, NULL) < 0)
        return 0;
    while (str_split(&rest, '\n', &line)) {
        if (str_eq(line, STR("!")))
            join_flush(j);
        else if (str_eq(line, STR("?")))
            join_expire(j, INT64_MAX);
        (void)join_kind(line);
        if (line.n == 0)
            continue;
        if (join_add(j, line.n % 3 ? STR("a") : STR("b"), line, in.lines, 0, NULL) < 0)
            abort();
        in.hash += str_hash(line);
        in.lines++;
        take_out(j, &out);
    }
    join_flush(j);
    take_out(j, &out);
    if (in.lines != out.lines || in.hash != out.hash || join_bytes(j))
        abort();
    join_free(&j);
    return 0;
}
