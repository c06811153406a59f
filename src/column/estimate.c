/* estimate.c - what a compressor will make of some bytes: see internal.h.
 *
 * A sample that is worth it is compressed in earnest, at the lowest level, and only counted. A short one would cost more than it tells, and its frame will be compressed
 * together with others anyway: it is charged what an adaptive code would take that learns its bytes as they come (each of the 256 is given a thirty-second of an
 * occurrence to begin with). The first of a kind is dear, the tenth is cheap: 24 random bytes are not believed to be compressible because each occurs once. */
#include "column/internal.h"

#include <zstd.h>

/* log2_256 - 256 times the logarithm of v, to a straight line between powers of two. */
static uint32_t log2_256(uint32_t v)
{
    uint32_t top = 31 - (uint32_t)__builtin_clz(v);

    return top * 256 + (top <= 8 ? (v << (8 - top)) - 256 : (v >> (top - 8)) - 256);
}

int estimate_new(struct estimate *est)
{
    est->cap = ZSTD_compressBound(ESTIMATE_BYTES);
    est->bytes = malloc(ESTIMATE_BYTES);
    est->out = malloc(est->cap);
    est->zstd = ZSTD_createCCtx();
    for (uint32_t i = 0; i < ESTIMATE_SHORT; i++) {
        est->all[i + 1] = est->all[i] + (int32_t)log2_256(i + 8);
        est->same[i + 1] = est->same[i] + (int32_t)log2_256(32 * i + 1) - 5 * 256;
    }
    return est->bytes && est->out && est->zstd ? 0 : -ENOMEM;
}

void estimate_free(struct estimate *est)
{
    free(est->bytes);
    free(est->out);
    ZSTD_freeCCtx(est->zstd);
}

static size_t learned(const struct estimate *est, size_t n)
{
    uint16_t seen[256] = { 0 };
    int32_t bits = est->all[n];

    for (size_t i = 0; i < n; i++)
        seen[(unsigned char)est->bytes[i]]++;
    for (size_t i = 0; i < 256; i++)
        bits -= est->same[seen[i]];
    return min_size(n, (size_t)(bits > 0 ? bits : 0) / 256 / 8 + 1);
}

size_t estimate_bytes(struct estimate *est, size_t n)
{
    size_t packed;

    assert(n <= ESTIMATE_BYTES);
    if (n == 0)
        return 0;
    if (n <= ESTIMATE_SHORT)
        return learned(est, n);
    packed = ZSTD_compressCCtx(est->zstd, est->out, est->cap, est->bytes, n, 1);
    return ZSTD_isError(packed) ? n : min_size(n, packed);
}
