/* digits.h - eight digits at a time.
 *
 * A word holds eight characters, the first in its top byte, so that it reads like the text. Whatever was taken for a digit is written back and compared: what is no
 * digit of the alphabet comes out as another character. */
#ifndef SAQSHY_COLUMN_DIGITS_H
#define SAQSHY_COLUMN_DIGITS_H

#include <endian.h>

#include "base/base.h"

enum digits { DIGITS_DECIMAL, DIGITS_LOWER, DIGITS_UPPER, DIGITS_KINDS };

#define DIGITS_EACH(byte) (UINT64_C(0x0101010101010101) * (byte))

static inline uint64_t digits_load_word(const char *p)
{
    uint64_t v;

    memcpy(&v, p, sizeof v);
    return be64toh(v);
}

static inline uint32_t digits_load_half(const char *p)
{
    uint32_t v;

    memcpy(&v, p, sizeof v);
    return be32toh(v);
}

/* digits_characters - of eight values of a digit: '0' and on, from ten on the letters. */
static inline uint64_t digits_characters(uint64_t values, enum digits kind)
{
    uint64_t letters = (values + DIGITS_EACH(6)) >> 4 & DIGITS_EACH(1);

    return values + DIGITS_EACH('0') + letters * (kind == DIGITS_UPPER ? 'A' - '0' - 10 : 'a' - '0' - 10);
}

/* digits_values_of - the values of eight characters; false if one is no digit of the alphabet. */
static inline bool digits_values_of(uint64_t word, enum digits kind, uint64_t *out)
{
    uint64_t values = ((word & DIGITS_EACH(15)) + 9 * (word >> 6 & DIGITS_EACH(1))) & DIGITS_EACH(15);

    *out = values;
    if (kind == DIGITS_DECIMAL && (values + DIGITS_EACH(6)) & DIGITS_EACH(16))
        return false;
    return digits_characters(values, kind) == word;
}

/* digits_word - n (1 to 8) characters of v from at on, which it has, with zeros in front. */
static inline uint64_t digits_word(struct str v, size_t at, size_t n)
{
    uint64_t word = 0;

    /* A word that lies within the text is loaded whole, and what does not belong to it becomes zeros in front. */
    if (at + n >= 8)
        word = digits_load_word(v.p + at + n - 8);
    else if (at + 8 <= v.n)
        word = digits_load_word(v.p + at) >> 8 * (8 - n);
    else if (n >= 4)     /* two loads that overlap where they say the same */
        word = (uint64_t)digits_load_half(v.p + at) << 8 * (n - 4) | digits_load_half(v.p + at + n - 4);
    else
        for (size_t i = 0; i < n; i++)
            word = word << 8 | (unsigned char)v.p[at + i];
    if (n == 8)
        return word;
    return (word & ((UINT64_C(1) << 8 * n) - 1)) | DIGITS_EACH('0') << 8 * n;
}

/* digits_nibbles, digits_decimal - the digits of a word as half bytes, as a number; false if one is none. */
static inline bool digits_nibbles(uint64_t word, enum digits kind, uint32_t *out)
{
    uint64_t v;

    if (!digits_values_of(word, kind, &v))
        return false;
    v = (v | v >> 4) & UINT64_C(0x00ff00ff00ff00ff);
    v = (v | v >> 8) & UINT64_C(0x0000ffff0000ffff);
    *out = (uint32_t)(v | v >> 16);
    return true;
}

static inline bool digits_decimal(uint64_t word, uint32_t *out)
{
    uint64_t v = word ^ DIGITS_EACH('0');

    if ((v | (v + DIGITS_EACH(6))) & DIGITS_EACH(0xf0))
        return false;
    v = (v >> 8 & UINT64_C(0x00ff00ff00ff00ff)) * 10 + (v & UINT64_C(0x00ff00ff00ff00ff));
    v = (v >> 16 & UINT64_C(0x0000ffff0000ffff)) * 100 + (v & UINT64_C(0x0000ffff0000ffff));
    *out = (uint32_t)((v >> 32) * 10000 + (v & UINT64_C(0xffffffff)));
    return true;
}

/* digits_of_nibbles - the number of eight decimal digits as half bytes. */
static inline uint32_t digits_of_nibbles(uint32_t v)
{
    v = (v >> 4 & 0x0f0f0f0fu) * 10 + (v & 0x0f0f0f0fu);
    v = (v >> 8 & 0x00ff00ffu) * 100 + (v & 0x00ff00ffu);
    return (v >> 16) * 10000 + (v & 0xffffu);
}

/* digits_number - the number of n digits; false if it has more than 64 bits, too. */
static inline bool digits_number(struct str v, size_t at, size_t n, uint64_t *out)
{
    uint64_t number = 0;
    size_t some = (n + 7) % 8 + 1;
    uint32_t eight;

    for (size_t end = at + n; at < end; at += some, some = 8) {
        if (!digits_decimal(digits_word(v, at, some), &eight))
            return false;
        if (__builtin_mul_overflow(number, UINT64_C(100000000), &number) || __builtin_add_overflow(number, (uint64_t)eight, &number))
            return false;
    }
    *out = number;
    return n > 0;
}

static inline void digits_store_word(char *to, uint64_t word)
{
    word = htobe64(word);
    memcpy(to, &word, sizeof word);
}

/* digits_put_nibbles, digits_put_decimal - eight characters; v below 100,000,000 for the second. */
static inline void digits_put_nibbles(char *to, uint32_t v, enum digits kind)
{
    uint64_t w = v;

    w = (w | w << 16) & UINT64_C(0x0000ffff0000ffff);
    w = (w | w << 8) & UINT64_C(0x00ff00ff00ff00ff);
    w = (w | w << 4) & DIGITS_EACH(15);
    digits_store_word(to, digits_characters(w, kind));
}

/* digits_decimal_word - eight decimal digits of v < 100,000,000: halves, quarters, digits, each by a multiplication that divides all of them at once. */
static inline uint64_t digits_decimal_word(uint32_t v)
{
    uint64_t halves = (uint64_t)(v / 10000) << 32 | v % 10000;
    uint64_t hundreds = (halves * 10486 >> 20) & UINT64_C(0x0000007f0000007f), quarters = hundreds << 16 | (halves - hundreds * 100);
    uint64_t tens = (quarters * 103 >> 10) & UINT64_C(0x000f000f000f000f);

    return (tens << 8 | (quarters - tens * 10)) + DIGITS_EACH('0');
}

static inline void digits_put_decimal(char *to, uint32_t v)
{
    digits_store_word(to, digits_decimal_word(v));
}

/* digits_put_number - v without leading zeros; writes up to eight bytes behind. Its end. */
static inline char *digits_put_number(char *to, uint64_t v)
{
    uint64_t word;
    unsigned zeros;

    if (v >= 100000000) {
        to = decimal_put(to, v / 100000000);
        digits_put_decimal(to, (uint32_t)(v % 100000000));
        return to + 8;
    }
    word = digits_decimal_word((uint32_t)v);
    zeros = (unsigned)__builtin_clzll((word ^ DIGITS_EACH('0')) | 1) / 8;
    digits_store_word(to, word << 8 * zeros);
    return to + 8 - zeros;
}

#endif
