/* store_columns.c - enemy of the reader of columns.
 *
 * Two bytes: how many events; four: bytes of the directory; then the directory as it is before compression, and the frames. Head and checksum are put around them,
 * those of frames are not compared, so that what stands behind the checksums is reached. Even rows are asked for alone, too; then a question of each kind is asked. */
#include "store/internal.h"

#include <xxhash.h>
#include <zstd.h>

#define QUESTION "(root OR \"a b\" OR *a*) AND NOT user:x* OR id:>5 OR id:10.0.0.0/8 OR saqshy.source:* OR saqshy.class:app OR user:/a.c/ OR user:(a OR b) OR time:>=2026-01-01"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void read_events(struct columns *c, const uint64_t *rows)
{
    struct event_batch b;

    event_batch_init(&b, 16u * MIB);
    if (columns_events(c, rows, &b, NULL) == 0)
        for (size_t i = 0; i < b.count; i++) {
            volatile char last = b.items[i].original.n ? b.items[i].original.p[b.items[i].original.n - 1] : 0;

            (void)last;
        }
    event_batch_free(&b);
}

static int look(void *arg, size_t bytes)
{
    (void)arg;
    (void)bytes;
    return 0;
}

/* ask - a question with a leaf of each kind, then what may match; whatever surely does is among it. */
static void ask(struct columns *c, size_t count)
{
    static struct query *q;
    static uint64_t may[EVENT_BATCH_MAX / 64], sure[EVENT_BATCH_MAX / 64];

    if (!q && query_parse(STR(QUESTION), &q, NULL) < 0)
        abort();
    memset(may, 0, sizeof may);
    for (size_t i = 0; i < count; i++)
        may[i / 64] |= UINT64_C(1) << i % 64;
    if (columns_find(c, q, look, NULL, may, sure, NULL) < 0)
        return;
    for (size_t i = 0; i < (count + 63) / 64; i++)
        if (sure[i] & ~may[i])
            abort();
    read_events(c, may);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct reader r = rd_from(data, size);
    size_t count = rd_le16(&r), raw = rd_le32(&r);
    static time_ns time[EVENT_BATCH_MAX];
    static uint64_t even[EVENT_BATCH_MAX / 64];
    char packed[65536];
    struct columns *c;
    struct buf b;
    size_t n;

    if (!rd_ok(&r) || count == 0 || count > 4096 || raw > rd_left(&r) || raw > 32768)
        return 0;
    n = ZSTD_compress(packed, sizeof packed, data + 6, raw, 1);
    if (ZSTD_isError(n))
        return 0;
    buf_init(&b, 0);
    buf_le32(&b, (uint32_t)n);
    buf_le32(&b, (uint32_t)raw);
    buf_le64(&b, XXH3_64bits(packed, n));
    buf_put(&b, packed, n);
    buf_put(&b, data + 6 + raw, size - 6 - raw);
    for (size_t i = 0; i < count; i++)
        time[i] = (time_ns)i * NS_PER_SECOND;
    memset(even, 0x55, sizeof even);
    c = columns_new();
    if (!c)
        abort();
    columns_unchecked(c);
    if (columns_open(c, buf_view(&b), time, count, NULL) == 0) {
        read_events(c, NULL);
        read_events(c, even);
        ask(c, count);
    }
    columns_free(&c);
    buf_free(&b);
    return 0;
}
