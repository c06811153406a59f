/* store_columns.c - enemy of the reader of columns.
 *
 * Two bytes: how many events; four: bytes of the directory; then the directory as it is before compression, and the frames. Head and checksum are put around them,
 * those of frames are not compared, so that what stands behind the checksums is reached. Even rows are asked for alone, too. */
#include "store/internal.h"

#include <xxhash.h>
#include <zstd.h>

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
    }
    columns_free(&c);
    buf_free(&b);
    return 0;
}
