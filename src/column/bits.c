/* bits.c - bitmaps of rows: see internal.h. */
#include "column/internal.h"

size_t bits_count(const uint64_t *rows, size_t count)
{
    size_t n = 0;

    for (size_t w = 0; w < COLUMN_WORDS(count); w++)
        n += (size_t)__builtin_popcountll(rows[w]);
    return n;
}

void bits_all(uint64_t *rows, size_t count)
{
    for (size_t w = 0; w < COLUMN_WORDS(count); w++)
        rows[w] = ~UINT64_C(0);
    if (count % 64)
        rows[count / 64] = (UINT64_C(1) << count % 64) - 1;
}

void bits_none(uint64_t *rows, size_t count)
{
    memset(rows, 0, COLUMN_WORDS(count) * sizeof *rows);
}

uint64_t bits_of_bytes(const unsigned char bytes[64])
{
    uint64_t bits = 0;

    /* Eight bytes of 0 or 1 become eight bits by one multiplication: each byte's bit is carried to the top byte, each to a place of its own. */
    for (size_t i = 0; i < 8; i++) {
        const unsigned char *b = bytes + 8 * i;
        uint64_t eight = (uint64_t)b[0] | (uint64_t)b[1] << 8 | (uint64_t)b[2] << 16 | (uint64_t)b[3] << 24 | (uint64_t)b[4] << 32 | (uint64_t)b[5] << 40 |
                         (uint64_t)b[6] << 48 | (uint64_t)b[7] << 56;

        bits |= (eight * UINT64_C(0x0102040810204080) >> 56) << (8 * i);
    }
    return bits;
}
