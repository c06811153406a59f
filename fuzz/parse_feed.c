/* parse_feed.c - enemy of files: whatever pieces the bytes come in, the same texts come out. */
#include "parse/feed.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int sum(void *arg, const struct feed_text *t, struct err *e)
{
    uint64_t *hash = arg;

    (void)e;
    if (t->text.n > EVENT_ORIGINAL_MAX || t->lines == 0)
        abort();
    *hash = *hash * 31 + str_hash(t->text) + t->lines + (t->cut ? 7 : 0);
    return 0;
}

static uint64_t fed(struct str bytes, size_t step, bool records)
{
    static const struct str starts[] = { STR_INIT("####-##-## "), STR_INIT("[@@@ ?") };
    uint64_t hash = 0;
    struct feed *f;
    struct str part;

    if (feed_new(&f, NULL) < 0)
        abort();
    if (records)
        feed_records(f, starts, COUNT(starts));
    for (size_t head = min_size(bytes.n, 4096); bytes.n; head = step) { /* the first piece tells the encoding */
        part = str_of(bytes.p, min_size(head, bytes.n));
        bytes = str_cut(bytes, part.n);
        if (feed_bytes(f, part, sum, &hash, NULL) < 0)
            abort();
    }
    if (feed_end(f, sum, &hash, NULL) < 0)
        abort();
    feed_free(&f);
    return hash;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct str bytes = str_of((const char *)data, size);
    size_t head = size > 1 ? 1u + data[0] % 64u : 1;
    bool records = size > 1 && data[1] % 2;

    if (fed(bytes, size ? size : 1, records) != fed(bytes, head, records))
        abort();
    return 0;
}
