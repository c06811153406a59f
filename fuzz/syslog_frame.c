/* syslog_frame.c - a stream in one piece and the same stream cut in two give the same messages; no byte of a line is lost. */
#include "ingest/internal.h"

struct sum {
    uint64_t hash, count, bytes;
};

static void take(void *arg, struct str line, bool truncated)
{
    struct sum *s = arg;

    assert(line.n > 0);
    s->hash = s->hash * 1000003 + str_hash(line) + truncated;
    s->bytes += line.n;
    s->count++;
}

static struct sum run(struct str bytes, size_t cut, size_t limit)
{
    struct framer f;
    struct sum s = { 0 };

    framer_init(&f);
    f.limit_bytes = limit;
    framer_feed(&f, str_of(bytes.p, cut), take, &s);
    framer_feed(&f, str_cut(bytes, cut), take, &s);
    framer_end(&f, take, &s);
    assert(f.held.n == 0 && f.state == FRAME_START);
    framer_free(&f);
    return s;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct str bytes;
    struct sum whole, parts;
    size_t limit, cut;

    if (size < 3)
        return 0;
    limit = 1 + data[0] % 64u;
    cut = data[1];
    bytes = str_of((const char *)data + 2, size - 2);
    whole = run(bytes, bytes.n, limit);
    parts = run(bytes, min_size(cut, bytes.n), limit);
    assert(whole.hash == parts.hash && whole.count == parts.count && whole.bytes == parts.bytes && whole.bytes <= bytes.n);
    return 0;
}
