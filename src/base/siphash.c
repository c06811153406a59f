/* siphash.c - see siphash.h. */
#include "base/siphash.h"

#include <endian.h>

struct state { uint64_t v0, v1, v2, v3; };

static inline uint64_t rotate(uint64_t v, int bits) { return v << bits | v >> (64 - bits); }

static inline void rounds(struct state *s, int n)
{
    for (; n; n--) {
        s->v0 += s->v1;
        s->v2 += s->v3;
        s->v1 = rotate(s->v1, 13) ^ s->v0;
        s->v3 = rotate(s->v3, 16) ^ s->v2;
        s->v0 = rotate(s->v0, 32);
        s->v2 += s->v1;
        s->v0 += s->v3;
        s->v1 = rotate(s->v1, 17) ^ s->v2;
        s->v3 = rotate(s->v3, 21) ^ s->v0;
        s->v2 = rotate(s->v2, 32);
    }
}

static inline void take(struct state *s, uint64_t word)
{
    s->v3 ^= word;
    rounds(s, 1);
    s->v0 ^= word;
}

struct siphash siphash(const uint64_t key[2], struct str s)
{
    struct state st = { key[0] ^ UINT64_C(0x736f6d6570736575), key[1] ^ UINT64_C(0x646f72616e646f6d) ^ 0xEE,
                        key[0] ^ UINT64_C(0x6c7967656e657261), key[1] ^ UINT64_C(0x7465646279746573) };
    uint64_t word, last = 0;
    struct siphash out;
    size_t i = 0, left;
    uint32_t low, high;

    for (; s.n - i >= 8; i += 8) {
        memcpy(&word, s.p + i, 8);
        take(&st, le64toh(word));
    }
    left = s.n - i;
    if (left >= 4) {   /* two pieces that overlap, rather than byte by byte */
        memcpy(&low, s.p + i, 4);
        memcpy(&high, s.p + s.n - 4, 4);
        last = le32toh(low) | (uint64_t)le32toh(high) << 8 * (left - 4);
    } else if (left) {
        const unsigned char *p = (const unsigned char *)s.p + i;

        last = p[0] | (uint64_t)p[left / 2] << 8 * (left / 2) | (uint64_t)p[left - 1] << 8 * (left - 1);
    }
    take(&st, last | (uint64_t)s.n << 56);
    st.v2 ^= 0xEE;
    rounds(&st, 3);
    out.low = st.v0 ^ st.v1 ^ st.v2 ^ st.v3;
    st.v1 ^= 0xDD;
    rounds(&st, 3);
    out.high = st.v0 ^ st.v1 ^ st.v2 ^ st.v3;
    return out;
}
