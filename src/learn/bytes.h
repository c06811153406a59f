/* bytes.h - for the files of learn: what a byte is, where a word ends, short pieces compared and hashed. */
#ifndef SAQSHY_LEARN_BYTES_H
#define SAQSHY_LEARN_BYTES_H

#include "base/base.h"

#ifdef __SSE2__
#include <emmintrin.h>
#endif

/* What a byte is. Softly: it ends no path. A byte of a word is none of the first three. */
enum { SEPARATES = 1, SOFTLY = 2, MARK = 4, DIGIT = 8, SLASH = 16, QUOTE = 32 };
extern const uint8_t learn_class[256];
static inline bool word_byte(char c) { return !(learn_class[(unsigned char)c] & (SEPARATES | SOFTLY | MARK)); }

/* word_end - behind the bytes of words from at on. *digit, if asked for, becomes true if there is one among them. */
static inline uint32_t word_end(const char *p, uint32_t at, uint32_t end, bool *digit)
{
    uint8_t seen = 0;
#ifdef __SSE2__
    for (; end - at >= 16; at += 16) {
        __m128i x = _mm_loadu_si128((const __m128i *)(const void *)(p + at)), low = _mm_or_si128(x, _mm_set1_epi8(0x20));
        __m128i digits = _mm_cmplt_epi8(_mm_add_epi8(x, _mm_set1_epi8((char)(0x80 - '0'))), _mm_set1_epi8((char)(0x80 + 10)));
        __m128i letters = _mm_cmplt_epi8(_mm_add_epi8(low, _mm_set1_epi8((char)(0x80 - 'a'))), _mm_set1_epi8((char)(0x80 + 26)));
        __m128i others = _mm_or_si128(_mm_cmpeq_epi8(x, _mm_set1_epi8('_')), _mm_cmplt_epi8(x, _mm_setzero_si128()));
        uint32_t words = (uint32_t)_mm_movemask_epi8(_mm_or_si128(_mm_or_si128(digits, letters), others)), first = ~words & (words + 1);

        if (digit)
            *digit |= ((uint32_t)_mm_movemask_epi8(digits) & (first - 1)) != 0;
        if (words != 0xffff)
            return at + (uint32_t)__builtin_ctz(first);
    }
#endif
    for (; at < end && word_byte(p[at]); at++)
        seen |= learn_class[(unsigned char)p[at]];
    if (digit)
        *digit |= (seen & DIGIT) != 0;
    return at;
}

/* token_end - of the token that is in no quotes and begins at at. */
static inline uint32_t token_end(const char *p, uint32_t at, uint32_t end)
{
    uint8_t stop = SEPARATES | SOFTLY;

    for (uint8_t c; at < end && !((c = learn_class[(unsigned char)p[at]]) & stop); at++)
        stop = c & SLASH ? SEPARATES : stop;
    return at;
}

/* word_next - the word that begins at or behind *from: *from becomes its begin, the result is its end. At end there is none: both are end. */
static inline uint32_t word_next(const char *p, uint32_t *from, uint32_t end)
{
    uint32_t at = *from;

    while (at < end && !word_byte(p[at]))
        at++;
    *from = at;
    return word_end(p, at, end, NULL);
}

static inline uint64_t mix(uint64_t a, uint64_t b)
{
    __uint128_t m = (__uint128_t)(a ^ 0x9E3779B97F4A7C15u) * (b ^ 0xD1B54A32D192ED03u);

    return (uint64_t)m ^ (uint64_t)(m >> 64);
}

/* bytes_same - memcmp for what is mostly short. */
static inline bool bytes_same(const char *a, const char *b, size_t n)
{
    uint64_t x[4];
    uint32_t y[4];

    if (n > 16)
        return memcmp(a, b, n) == 0;
    if (n >= 8) {
        memcpy(&x[0], a, 8);
        memcpy(&x[1], b, 8);
        memcpy(&x[2], a + n - 8, 8);
        memcpy(&x[3], b + n - 8, 8);
        return ((x[0] ^ x[1]) | (x[2] ^ x[3])) == 0;
    }
    if (n >= 4) {
        memcpy(&y[0], a, 4);
        memcpy(&y[1], b, 4);
        memcpy(&y[2], a + n - 4, 4);
        memcpy(&y[3], b + n - 4, 4);
        return ((y[0] ^ y[1]) | (y[2] ^ y[3])) == 0;
    }
    return n == 0 || (a[0] == b[0] && a[n / 2] == b[n / 2] && a[n - 1] == b[n - 1]);
}

/* bytes_hash - quick for what is short. */
static inline uint64_t bytes_hash(const char *p, size_t n)
{
    uint64_t h = n, a = 0, b = 0;

    for (; n > 16; p += 8, n -= 8) {
        memcpy(&a, p, 8);
        h = mix(h, a);
    }
    if (n >= 8) {
        memcpy(&a, p, 8);
        memcpy(&b, p + n - 8, 8);
    } else if (n >= 4) {
        uint32_t head, tail;

        memcpy(&head, p, 4);
        memcpy(&tail, p + n - 4, 4);
        a = head;
        b = tail;
    } else if (n) {
        a = (uint64_t)(unsigned char)p[0] << 16 | (uint64_t)(unsigned char)p[n / 2] << 8 | (unsigned char)p[n - 1];
    }
    return mix(mix(h, a), b);
}

static inline bool bit(const uint64_t *bits, uint32_t i) { return bits[i / 64] >> (i % 64) & 1; }
static inline void bit_set(uint64_t *bits, uint32_t i) { bits[i / 64] |= UINT64_C(1) << (i % 64); }

#endif
