/* lookalike.c - see lookalike.h. */
#include "parse/lookalike.h"

/* Letters of Russian and Kazakh that look like Latin ones: А В Е Ѕ З І Ј К М Н О Р С Т У Х а е о р с у х ѕ і ј һ Һ Ү, and З and б like digits. */
static const uint16_t twins[] = { 0x405, 0x406, 0x408, 0x410, 0x412, 0x415, 0x417, 0x41A, 0x41C, 0x41D, 0x41E, 0x420, 0x421, 0x422, 0x423,
                                  0x425, 0x430, 0x431, 0x435, 0x437, 0x43E, 0x440, 0x441, 0x443, 0x445, 0x455, 0x456, 0x458, 0x4AE, 0x4BA,
                                  0x4BB };

/* letter - the code of the two-byte sequence at s, 0 where there is none. Cyrillic lies in those. */
static uint16_t letter(struct str s, size_t i)
{
    unsigned char a = (unsigned char)s.p[i];

    if (a < 0xC2 || a > 0xDF || i + 1 >= s.n || ((unsigned char)s.p[i + 1] & 0xC0) != 0x80)
        return 0;
    return (uint16_t)((a & 0x1F) << 6 | ((unsigned char)s.p[i + 1] & 0x3F));
}

static bool twin(uint16_t c)
{
    for (size_t i = 0; i < COUNT(twins); i++)
        if (twins[i] == c)
            return true;
    return false;
}

static bool latin(char c) { return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z'); }

ptrdiff_t lookalike_any(struct str s)
{
    for (size_t i = 0; i < s.n; i++)
        if (twin(letter(s, i)))
            return (ptrdiff_t)i;
    return -1;
}

ptrdiff_t lookalike_mixed(struct str s)
{
    ptrdiff_t first = -1;
    bool has_latin = false, own = false; /* own: a letter that only Cyrillic has */

    if (str_ascii(s))
        return -1;
    for (size_t i = 0; i <= s.n; i++) {
        uint16_t c = i < s.n ? letter(s, i) : 0;

        if (i < s.n && latin(s.p[i])) {
            has_latin = true;
        } else if (c >= 0x400 && c < 0x530) {
            if (!twin(c) || c == 0x431 || c == 0x437 || c == 0x417)
                own = true; /* б and з look like digits, not like Latin letters */
            else if (first < 0)
                first = (ptrdiff_t)i;
            i++;
        } else {
            if (has_latin && !own && first >= 0)
                return first;
            has_latin = own = false;
            first = -1;
            i += c != 0;
        }
    }
    return -1;
}
