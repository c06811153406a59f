/* layout.h - the file of a set, byte for byte; numbers are little-endian.
 *
 *      head | bloom | slots | records | names | texts
 *
 * head      256 bytes (struct ioc_head); sum is XXH3 of everything behind itself.
 * bloom     blocks of 64 bytes: a value sets IOC_BLOOM_BITS bits of one block, so looking up what is not there costs one line of memory.
 * slots     open addressing on the hash of the key: (upper half of the hash) << 32 | record + 1; a power of two, at most half full.
 * records   struct ioc_record, in order of type and value.
 * names     of sources, then of warning lists: IOC_NAME_BYTES each, with zero bytes behind.
 * texts     value, id and note of each record, each with two bytes of length before it. */
#ifndef SAQSHY_IOC_LAYOUT_H
#define SAQSHY_IOC_LAYOUT_H

#include "ioc/ioc.h"

#define IOC_MAGIC      "SAQIOC1\n"
#define IOC_BLOOM_BITS 6
#define IOC_NAME_BYTES 128

struct ioc_head {
    char     magic[8];
    uint64_t sum, size;            /* size: of the whole file */
    uint32_t count, slots_log2, bloom_blocks, sources, warnings, spare;
    uint8_t  prefix[17];           /* a bit for each length of a network that is in the set */
    char     rest[256 - 8 - 16 - 24 - 17];
};

struct ioc_record {
    uint64_t text;                 /* from the beginning of texts */
    int64_t  from, until;
    uint16_t source, warning;      /* warning: from 1; 0: none */
    uint8_t  type, tlp, confidence, spare;
};

#define IOC_SUMMED 16   /* where what the sum is of begins */

_Static_assert(sizeof(struct ioc_head) == 256 && sizeof(struct ioc_record) == 32, "the layout is what layout.h says");
_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "the set is mapped as it lies in the file");

/* ioc_bloom_of - the bits of a hash within its block. */
static inline void ioc_bloom_of(uint64_t hash, uint64_t bits[8])
{
    for (int i = 0; i < IOC_BLOOM_BITS; i++) {
        unsigned n = (unsigned)(hash >> (9 * i)) & 511;

        bits[n / 64] |= UINT64_C(1) << (n % 64);
    }
}
static inline size_t ioc_bloom_block(uint64_t hash, uint32_t blocks) { return (size_t)(((hash >> 32) * blocks) >> 32); }

#endif
