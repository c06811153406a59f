/* lookalike.c - see lookalike.h. */
#include "base/lookalike.h"

/* Letters of Russian and Kazakh that look like Latin ones, and З and б, which look like digits. Of a pair of cases one may look like a Latin letter alone:
 * В is a B, в is none. */
static const struct {
    uint16_t code;
    char     latin;
} twins[] = {
    { 0x405, 'S' }, { 0x406, 'I' }, { 0x408, 'J' }, { 0x410, 'A' }, { 0x412, 'B' }, { 0x415, 'E' }, { 0x417, '3' }, { 0x41A, 'K' },
    { 0x41C, 'M' }, { 0x41D, 'H' }, { 0x41E, 'O' }, { 0x420, 'P' }, { 0x421, 'C' }, { 0x422, 'T' }, { 0x423, 'Y' }, { 0x425, 'X' },
    { 0x430, 'a' }, { 0x431, '6' }, { 0x435, 'e' }, { 0x437, '3' }, { 0x43E, 'o' }, { 0x440, 'p' }, { 0x441, 'c' }, { 0x443, 'y' },
    { 0x445, 'x' }, { 0x455, 's' }, { 0x456, 'i' }, { 0x458, 'j' }, { 0x4AE, 'Y' }, { 0x4BA, 'h' }, { 0x4BB, 'h' },
};

/* letter - the code of the two-byte sequence at s, 0 where there is none. Cyrillic lies in those. */
static uint16_t letter(struct str s, size_t i)
{
    unsigned char a = (unsigned char)s.p[i];

    if (a < 0xC2 || a > 0xDF || i + 1 >= s.n || ((unsigned char)s.p[i + 1] & 0xC0) != 0x80)
        return 0;
    return (uint16_t)((a & 0x1F) << 6 | ((unsigned char)s.p[i + 1] & 0x3F));
}

/* twin_of - what a letter looks like; 0: nothing. */
static char twin_of(unsigned c)
{
    for (size_t i = 0; i < COUNT(twins); i++)
        if (twins[i].code == c)
            return twins[i].latin;
    return 0;
}

static bool twin(uint16_t c) { return twin_of(c) != 0; }

char lookalike_latin(unsigned small)
{
    char own = twin_of(small);
    unsigned capital = small >= 0x430 && small <= 0x44F ? small - 0x20 : small >= 0x450 && small <= 0x45F ? small - 0x50 : small - 1;

    if (!own && small >= 0x430)
        own = twin_of(capital);
    return own >= 'A' && own <= 'Z' ? (char)(own | 0x20) : own;
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
