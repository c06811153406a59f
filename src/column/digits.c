/* digits.c - eight digits at a time: see internal.h.
 *
 * A word holds eight characters, the first in its top byte, so that it reads like the text. Whatever was taken for a digit is written back and compared: what is no
 * digit of the alphabet comes out as another character. */
#include "column/internal.h"

#include <endian.h>

#define EACH(byte) (UINT64_C(0x0101010101010101) * (byte))

static uint64_t load_word(const char *p)
{
    uint64_t v;

    memcpy(&v, p, sizeof v);
    return be64toh(v);
}

static uint32_t load_half(const char *p)
{
    uint32_t v;

    memcpy(&v, p, sizeof v);
    return be32toh(v);
}

/* characters - of eight values of a digit: '0' and on, from ten on the letters. */
static uint64_t characters(uint64_t values, enum digits kind)
{
    uint64_t letters = (values + EACH(6)) >> 4 & EACH(1);

    return values + EACH('0') + letters * (kind == DIGITS_UPPER ? 'A' - '0' - 10 : 'a' - '0' - 10);
}

/* values_of - the values of eight characters; false if one is no digit of the alphabet. */
static bool values_of(uint64_t word, enum digits kind, uint64_t *out)
{
    uint64_t values = ((word & EACH(15)) + 9 * (word >> 6 & EACH(1))) & EACH(15);

    *out = values;
    if (kind == DIGITS_DECIMAL && (values + EACH(6)) & EACH(16))
        return false;
    return characters(values, kind) == word;
}

uint64_t digits_word(struct str v, size_t at, size_t n)
{
    uint64_t word = 0;

    /* A word that lies within the text is loaded whole, and what does not belong to it becomes zeros in front. */
    if (at + n >= 8)
        word = load_word(v.p + at + n - 8);
    else if (at + 8 <= v.n)
        word = load_word(v.p + at) >> 8 * (8 - n);
    else if (n >= 4)     /* two loads that overlap where they say the same */
        word = (uint64_t)load_half(v.p + at) << 8 * (n - 4) | load_half(v.p + at + n - 4);
    else
        for (size_t i = 0; i < n; i++)
            word = word << 8 | (unsigned char)v.p[at + i];
    if (n == 8)
        return word;
    return (word & ((UINT64_C(1) << 8 * n) - 1)) | EACH('0') << 8 * n;
}

bool digits_nibbles(uint64_t word, enum digits kind, uint32_t *out)
{
    uint64_t v;

    if (!values_of(word, kind, &v))
        return false;
    v = (v | v >> 4) & UINT64_C(0x00ff00ff00ff00ff);
    v = (v | v >> 8) & UINT64_C(0x0000ffff0000ffff);
    *out = (uint32_t)(v | v >> 16);
    return true;
}

bool digits_decimal(uint64_t word, uint32_t *out)
{
    uint64_t v = word ^ EACH('0');

    if ((v | (v + EACH(6))) & EACH(0xf0))
        return false;
    v = (v >> 8 & UINT64_C(0x00ff00ff00ff00ff)) * 10 + (v & UINT64_C(0x00ff00ff00ff00ff));
    v = (v >> 16 & UINT64_C(0x0000ffff0000ffff)) * 100 + (v & UINT64_C(0x0000ffff0000ffff));
    *out = (uint32_t)((v >> 32) * 10000 + (v & UINT64_C(0xffffffff)));
    return true;
}

bool digits_number(struct str v, size_t at, size_t n, uint64_t *out)
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

static void store_word(char *to, uint64_t word)
{
    word = htobe64(word);
    memcpy(to, &word, sizeof word);
}

void digits_put_nibbles(char *to, uint32_t v, enum digits kind)
{
    uint64_t w = v;

    w = (w | w << 16) & UINT64_C(0x0000ffff0000ffff);
    w = (w | w << 8) & UINT64_C(0x00ff00ff00ff00ff);
    w = (w | w << 4) & EACH(15);
    store_word(to, characters(w, kind));
}

/* decimal_word - eight decimal digits of v < 100,000,000: halves, quarters, digits, each by a multiplication that divides all of them at once. */
static uint64_t decimal_word(uint32_t v)
{
    uint64_t halves = (uint64_t)(v / 10000) << 32 | v % 10000;
    uint64_t hundreds = (halves * 10486 >> 20) & UINT64_C(0x0000007f0000007f), quarters = hundreds << 16 | (halves - hundreds * 100);
    uint64_t tens = (quarters * 103 >> 10) & UINT64_C(0x000f000f000f000f);

    return (tens << 8 | (quarters - tens * 10)) + EACH('0');
}

void digits_put_decimal(char *to, uint32_t v)
{
    store_word(to, decimal_word(v));
}

char *digits_put_number(char *to, uint64_t v)
{
    uint64_t word;
    unsigned zeros;

    if (v >= 100000000) {
        to = v / 100000000 >= 100000000 ? decimal_put(to, v / 100000000) : digits_put_number(to, v / 100000000);
        digits_put_decimal(to, (uint32_t)(v % 100000000));
        return to + 8;
    }
    word = decimal_word((uint32_t)v);
    zeros = (unsigned)__builtin_clzll((word ^ EACH('0')) | 1) / 8;
    store_word(to, word << 8 * zeros);
    return to + 8 - zeros;
}
