/* store_part.c - enemy of the reader of parts, their directories and filters.
 *
 * An odd first byte: the rest is the whole file. Else: the rest is an entry of the directory (80 bytes, version 1), then the bytes of its block; head,
 * directory, foot and checksums are put around them, so that the decoders behind the checksums are reached. */
#include "store/internal.h"

#include <sys/stat.h>
#include <unistd.h>
#include <xxhash.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void head(struct buf *b)
{
    buf_str(b, STR("SQPART01"));
    buf_le32(b, 20000);
    buf_le32(b, 0);
    buf_le64(b, 1);
    buf_le64(b, XXH3_64bits(b->p, b->n));
}

/* frame - a file of one block around the bytes; the number of events it claims. */
static uint32_t frame(struct buf *b, const uint8_t *entry, const uint8_t *block, size_t size)
{
    struct reader r = rd_from(entry, BLOCK_ENTRY_1);
    uint32_t keys, payload, events;
    uint64_t directory;
    size_t from;

    rd_skip(&r, 8);
    keys = rd_le32(&r);
    rd_skip(&r, 4);
    payload = rd_le32(&r);
    rd_skip(&r, 8);
    events = rd_le32(&r);
    head(b);
    buf_put(b, block, size);
    directory = b->n;
    from = b->n;
    buf_le64(b, PART_HEAD);
    buf_put(b, entry + 8, BLOCK_ENTRY_1 - 24);
    buf_le64(b, keys <= size ? XXH3_64bits(block, keys) : 0);
    buf_le64(b, keys <= size && payload <= size - keys ? XXH3_64bits(block + keys, payload) : 0);
    uint64_t sum = XXH3_64bits(b->p + from, b->n - from);
    from = b->n;
    buf_str(b, STR("SQPEND01"));
    buf_le32(b, 1);
    buf_le32(b, 0);
    buf_le64(b, directory);
    buf_le64(b, sum);
    buf_le64(b, events);
    buf_le64(b, XXH3_64bits(b->p + from, b->n - from));
    return events;
}

static void read_all(const char *folder, const struct part_info *info)
{
    static const uint64_t tokens[] = { 0, 1, UINT64_MAX };
    struct block_view v;
    struct part p;

    if (part_open(folder, info, &p, NULL) < 0)
        return;
    block_view_init(&v);
    for (uint32_t i = 0; i < p.count && i < 8; i++) {
        uint64_t bytes = 0;
        bool damaged = false;

        /* Sizes before compression are believed up to 256 MiB; the fuzzer need not reserve them each time. */
        if (p.block[i].keys_raw > MIB || p.block[i].payload_raw > MIB)
            continue;
        (void)part_block_may(&p, i, tokens, COUNT(tokens), &bytes, &damaged);
        (void)!part_block_events(&p, i, &v, NULL);
    }
    block_view_free(&v);
    part_close(&p);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char folder[64] = "/dev/shm/saqshy-fuzz-XXXXXX", path[PATH_BYTES];
    struct part_info info = { .day = 20000, .number = 1, .events = 1 };
    struct buf b;
    FILE *f;

    if (size == 0 || (!(data[0] & 1) && size < 1 + BLOCK_ENTRY_1) || !mkdtemp(folder))
        return 0;
    buf_init(&b, 0);
    if (data[0] & 1) {
        buf_put(&b, data + 1, size - 1);
        if (size - 1 >= PART_FOOT) {
            struct reader r = rd_from(data + size - PART_FOOT + 32, 8);

            info.events = rd_le64(&r);
        }
    } else {
        info.events = frame(&b, data + 1, data + 1 + BLOCK_ENTRY_1, size - 1 - BLOCK_ENTRY_1);
    }
    info.bytes = b.n;
    day_path(folder, info.day, path);
    if (mkdir(path, 0700) < 0)
        abort();
    part_path(folder, info.day, info.number, path);
    f = fopen(path, "w");
    if (!f || fwrite(b.p, 1, b.n, f) != b.n)
        abort();
    fclose(f);
    read_all(folder, &info);
    unlink(path);
    day_path(folder, info.day, path);
    rmdir(path);
    rmdir(folder);
    buf_free(&b);
    return 0;
}
