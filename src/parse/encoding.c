/* encoding.c - see encoding.h.
 *
 * Cyrillic is told by its letters: each candidate is tried, common small letters count for it, capitals in the middle of a word
 * and signs that are no letters against it. Windows-1251 and KOI8-R have small and capital letters swapped, CP866 has its small
 * letters elsewhere, so a word of five letters tells. */
#include "parse/encoding.h"
#include "base/utf8.h"

#define REPLACEMENT 0xFFFDu
#define LETTERS_LEAST 3 /* fewer letters beyond ASCII tell nothing */

/* What bytes 0x80 to 0xFF are. */
static const uint16_t cp1251[128] = {
    0x0402, 0x0403, 0x201A, 0x0453, 0x201E, 0x2026, 0x2020, 0x2021, 0x20AC, 0x2030, 0x0409, 0x2039, 0x040A, 0x040C, 0x040B, 0x040F,
    0x0452, 0x2018, 0x2019, 0x201C, 0x201D, 0x2022, 0x2013, 0x2014, 0xFFFD, 0x2122, 0x0459, 0x203A, 0x045A, 0x045C, 0x045B, 0x045F,
    0x00A0, 0x040E, 0x045E, 0x0408, 0x00A4, 0x0490, 0x00A6, 0x00A7, 0x0401, 0x00A9, 0x0404, 0x00AB, 0x00AC, 0x00AD, 0x00AE, 0x0407,
    0x00B0, 0x00B1, 0x0406, 0x0456, 0x0491, 0x00B5, 0x00B6, 0x00B7, 0x0451, 0x2116, 0x0454, 0x00BB, 0x0458, 0x0405, 0x0455, 0x0457,
    0x0410, 0x0411, 0x0412, 0x0413, 0x0414, 0x0415, 0x0416, 0x0417, 0x0418, 0x0419, 0x041A, 0x041B, 0x041C, 0x041D, 0x041E, 0x041F,
    0x0420, 0x0421, 0x0422, 0x0423, 0x0424, 0x0425, 0x0426, 0x0427, 0x0428, 0x0429, 0x042A, 0x042B, 0x042C, 0x042D, 0x042E, 0x042F,
    0x0430, 0x0431, 0x0432, 0x0433, 0x0434, 0x0435, 0x0436, 0x0437, 0x0438, 0x0439, 0x043A, 0x043B, 0x043C, 0x043D, 0x043E, 0x043F,
    0x0440, 0x0441, 0x0442, 0x0443, 0x0444, 0x0445, 0x0446, 0x0447, 0x0448, 0x0449, 0x044A, 0x044B, 0x044C, 0x044D, 0x044E, 0x044F,
};
static const uint16_t kz1048[128] = {
    0x0402, 0x0403, 0x201A, 0x0453, 0x201E, 0x2026, 0x2020, 0x2021, 0x20AC, 0x2030, 0x0409, 0x2039, 0x040A, 0x049A, 0x04BA, 0x040F,
    0x0452, 0x2018, 0x2019, 0x201C, 0x201D, 0x2022, 0x2013, 0x2014, 0xFFFD, 0x2122, 0x0459, 0x203A, 0x045A, 0x049B, 0x04BB, 0x045F,
    0x00A0, 0x04B0, 0x04B1, 0x04D8, 0x00A4, 0x04E8, 0x00A6, 0x00A7, 0x0401, 0x00A9, 0x0492, 0x00AB, 0x00AC, 0x00AD, 0x00AE, 0x04AE,
    0x00B0, 0x00B1, 0x0406, 0x0456, 0x04E9, 0x00B5, 0x00B6, 0x00B7, 0x0451, 0x2116, 0x0493, 0x00BB, 0x04D9, 0x04A2, 0x04A3, 0x04AF,
    0x0410, 0x0411, 0x0412, 0x0413, 0x0414, 0x0415, 0x0416, 0x0417, 0x0418, 0x0419, 0x041A, 0x041B, 0x041C, 0x041D, 0x041E, 0x041F,
    0x0420, 0x0421, 0x0422, 0x0423, 0x0424, 0x0425, 0x0426, 0x0427, 0x0428, 0x0429, 0x042A, 0x042B, 0x042C, 0x042D, 0x042E, 0x042F,
    0x0430, 0x0431, 0x0432, 0x0433, 0x0434, 0x0435, 0x0436, 0x0437, 0x0438, 0x0439, 0x043A, 0x043B, 0x043C, 0x043D, 0x043E, 0x043F,
    0x0440, 0x0441, 0x0442, 0x0443, 0x0444, 0x0445, 0x0446, 0x0447, 0x0448, 0x0449, 0x044A, 0x044B, 0x044C, 0x044D, 0x044E, 0x044F,
};
static const uint16_t koi8_r[128] = {
    0x2500, 0x2502, 0x250C, 0x2510, 0x2514, 0x2518, 0x251C, 0x2524, 0x252C, 0x2534, 0x253C, 0x2580, 0x2584, 0x2588, 0x258C, 0x2590,
    0x2591, 0x2592, 0x2593, 0x2320, 0x25A0, 0x2219, 0x221A, 0x2248, 0x2264, 0x2265, 0x00A0, 0x2321, 0x00B0, 0x00B2, 0x00B7, 0x00F7,
    0x2550, 0x2551, 0x2552, 0x0451, 0x2553, 0x2554, 0x2555, 0x2556, 0x2557, 0x2558, 0x2559, 0x255A, 0x255B, 0x255C, 0x255D, 0x255E,
    0x255F, 0x2560, 0x2561, 0x0401, 0x2562, 0x2563, 0x2564, 0x2565, 0x2566, 0x2567, 0x2568, 0x2569, 0x256A, 0x256B, 0x256C, 0x00A9,
    0x044E, 0x0430, 0x0431, 0x0446, 0x0434, 0x0435, 0x0444, 0x0433, 0x0445, 0x0438, 0x0439, 0x043A, 0x043B, 0x043C, 0x043D, 0x043E,
    0x043F, 0x044F, 0x0440, 0x0441, 0x0442, 0x0443, 0x0436, 0x0432, 0x044C, 0x044B, 0x0437, 0x0448, 0x044D, 0x0449, 0x0447, 0x044A,
    0x042E, 0x0410, 0x0411, 0x0426, 0x0414, 0x0415, 0x0424, 0x0413, 0x0425, 0x0418, 0x0419, 0x041A, 0x041B, 0x041C, 0x041D, 0x041E,
    0x041F, 0x042F, 0x0420, 0x0421, 0x0422, 0x0423, 0x0416, 0x0412, 0x042C, 0x042B, 0x0417, 0x0428, 0x042D, 0x0429, 0x0427, 0x042A,
};
static const uint16_t cp866[128] = {
    0x0410, 0x0411, 0x0412, 0x0413, 0x0414, 0x0415, 0x0416, 0x0417, 0x0418, 0x0419, 0x041A, 0x041B, 0x041C, 0x041D, 0x041E, 0x041F,
    0x0420, 0x0421, 0x0422, 0x0423, 0x0424, 0x0425, 0x0426, 0x0427, 0x0428, 0x0429, 0x042A, 0x042B, 0x042C, 0x042D, 0x042E, 0x042F,
    0x0430, 0x0431, 0x0432, 0x0433, 0x0434, 0x0435, 0x0436, 0x0437, 0x0438, 0x0439, 0x043A, 0x043B, 0x043C, 0x043D, 0x043E, 0x043F,
    0x2591, 0x2592, 0x2593, 0x2502, 0x2524, 0x2561, 0x2562, 0x2556, 0x2555, 0x2563, 0x2551, 0x2557, 0x255D, 0x255C, 0x255B, 0x2510,
    0x2514, 0x2534, 0x252C, 0x251C, 0x2500, 0x253C, 0x255E, 0x255F, 0x255A, 0x2554, 0x2569, 0x2566, 0x2560, 0x2550, 0x256C, 0x2567,
    0x2568, 0x2564, 0x2565, 0x2559, 0x2558, 0x2552, 0x2553, 0x256B, 0x256A, 0x2518, 0x250C, 0x2588, 0x2584, 0x258C, 0x2590, 0x2580,
    0x0440, 0x0441, 0x0442, 0x0443, 0x0444, 0x0445, 0x0446, 0x0447, 0x0448, 0x0449, 0x044A, 0x044B, 0x044C, 0x044D, 0x044E, 0x044F,
    0x0401, 0x0451, 0x0404, 0x0454, 0x0407, 0x0457, 0x040E, 0x045E, 0x00B0, 0x2219, 0x00B7, 0x221A, 0x2116, 0x00A4, 0x25A0, 0x00A0,
};
static const uint16_t cp1252[128] = {
    0x20AC, 0xFFFD, 0x201A, 0x0192, 0x201E, 0x2026, 0x2020, 0x2021, 0x02C6, 0x2030, 0x0160, 0x2039, 0x0152, 0xFFFD, 0x017D, 0xFFFD,
    0xFFFD, 0x2018, 0x2019, 0x201C, 0x201D, 0x2022, 0x2013, 0x2014, 0x02DC, 0x2122, 0x0161, 0x203A, 0x0153, 0xFFFD, 0x017E, 0x0178,
    0x00A0, 0x00A1, 0x00A2, 0x00A3, 0x00A4, 0x00A5, 0x00A6, 0x00A7, 0x00A8, 0x00A9, 0x00AA, 0x00AB, 0x00AC, 0x00AD, 0x00AE, 0x00AF,
    0x00B0, 0x00B1, 0x00B2, 0x00B3, 0x00B4, 0x00B5, 0x00B6, 0x00B7, 0x00B8, 0x00B9, 0x00BA, 0x00BB, 0x00BC, 0x00BD, 0x00BE, 0x00BF,
    0x00C0, 0x00C1, 0x00C2, 0x00C3, 0x00C4, 0x00C5, 0x00C6, 0x00C7, 0x00C8, 0x00C9, 0x00CA, 0x00CB, 0x00CC, 0x00CD, 0x00CE, 0x00CF,
    0x00D0, 0x00D1, 0x00D2, 0x00D3, 0x00D4, 0x00D5, 0x00D6, 0x00D7, 0x00D8, 0x00D9, 0x00DA, 0x00DB, 0x00DC, 0x00DD, 0x00DE, 0x00DF,
    0x00E0, 0x00E1, 0x00E2, 0x00E3, 0x00E4, 0x00E5, 0x00E6, 0x00E7, 0x00E8, 0x00E9, 0x00EA, 0x00EB, 0x00EC, 0x00ED, 0x00EE, 0x00EF,
    0x00F0, 0x00F1, 0x00F2, 0x00F3, 0x00F4, 0x00F5, 0x00F6, 0x00F7, 0x00F8, 0x00F9, 0x00FA, 0x00FB, 0x00FC, 0x00FD, 0x00FE, 0x00FF,
};

static const struct {
    const char *name, *also;
    const uint16_t *table;
} known[ENCODING_COUNT] = {
    [ENCODING_DETECT] = { "", "auto", NULL },
    [ENCODING_UTF8] = { "utf-8", "utf8", NULL },
    [ENCODING_UTF16LE] = { "utf-16le", "utf-16", NULL },
    [ENCODING_UTF16BE] = { "utf-16be", "utf16be", NULL },
    [ENCODING_CP1251] = { "windows-1251", "cp1251", cp1251 },
    [ENCODING_KZ1048] = { "kz-1048", "kz1048", kz1048 },
    [ENCODING_KOI8R] = { "koi8-r", "koi8r", koi8_r },
    [ENCODING_CP866] = { "cp866", "ibm866", cp866 },
    [ENCODING_CP1252] = { "windows-1252", "cp1252", cp1252 },
    [ENCODING_UNKNOWN] = { "unknown", "unknown", NULL },
};

const char *encoding_name(enum encoding e) { return known[e].name; }

enum encoding encoding_named(struct str name)
{
    for (int e = 0; e < ENCODING_COUNT; e++)
        if (str_ieq(name, str_c(known[e].name)) || str_ieq(name, str_c(known[e].also)))
            return (enum encoding)e;
    return ENCODING_COUNT;
}

/* --- what it is --- */

/* utf16 - a mark, or at every second place the bytes that Latin letters, signs and Cyrillic have there: 0 and 4. */
static enum encoding utf16(struct str s)
{
    size_t even = 0, odd = 0, zeros = 0, n = s.n & ~(size_t)1;

    if (s.n >= 2 && (unsigned char)s.p[0] == 0xFF && (unsigned char)s.p[1] == 0xFE)
        return ENCODING_UTF16LE;
    if (s.n >= 2 && (unsigned char)s.p[0] == 0xFE && (unsigned char)s.p[1] == 0xFF)
        return ENCODING_UTF16BE;
    if (n < 8)
        return ENCODING_DETECT;
    n = n < 4096 ? n : 4096;
    for (size_t i = 0; i < n; i += 2) {
        even += s.p[i] == 0 || s.p[i] == 4;
        odd += s.p[i + 1] == 0 || s.p[i + 1] == 4;
        zeros += s.p[i] == 0 || s.p[i + 1] == 0;
    }
    if (zeros == 0)
        return ENCODING_DETECT;
    if (odd * 10 >= n / 2 * 8 && even * 10 < n / 2)
        return ENCODING_UTF16LE;
    return even * 10 >= n / 2 * 8 && odd * 10 < n / 2 ? ENCODING_UTF16BE : ENCODING_DETECT;
}

/* sequence - length of the UTF-8 sequence at s, 0: none. */
static size_t sequence(const char *p, size_t left)
{
    for (size_t n = 2; n <= 4 && n <= left; n++)
        if (str_utf8_valid(str_of(p, n)))
            return n;
    return 0;
}

/* damaged_utf8 - more whole sequences beyond ASCII than bytes that belong to none. */
static bool damaged_utf8(struct str s)
{
    size_t whole = 0, stray = 0;

    for (size_t i = 0; i < s.n;) {
        size_t n = (unsigned char)s.p[i] < 0x80 ? 1 : sequence(s.p + i, s.n - i);

        whole += n > 1;
        stray += n == 0;
        i += n ? n : 1;
    }
    return whole > stray;
}

static bool small(uint16_t c) { return (c >= 0x430 && c <= 0x44F) || c == 0x451; }
static bool capital(uint16_t c) { return (c >= 0x410 && c <= 0x42F) || c == 0x401; }

/* kazakh - the letters that Kazakh has besides the Russian ones; bit 0 of the code tells small ones, save for І, Ә … */
static bool kazakh(uint16_t c)
{
    static const uint16_t letters[] = { 0x492, 0x493, 0x49A, 0x49B, 0x4A2, 0x4A3, 0x4AE, 0x4AF, 0x4B0, 0x4B1,
                                        0x4BA, 0x4BB, 0x4D8, 0x4D9, 0x4E8, 0x4E9, 0x406, 0x456 };

    for (size_t i = 0; i < COUNT(letters); i++)
        if (letters[i] == c)
            return true;
    return false;
}

/* score - how much the bytes read as a language; letters counts those beyond ASCII. */
static int score(struct str s, const uint16_t *table, int *letters)
{
    static const uint16_t common[] = { 0x43E, 0x435, 0x430, 0x438, 0x43D, 0x442, 0x441, 0x440, 0x432, 0x43B };
    bool after_small = false;
    int sum = 0;

    *letters = 0;
    for (size_t i = 0; i < s.n && i < 4096; i++) {
        unsigned char b = (unsigned char)s.p[i];
        uint16_t c = b < 0x80 ? b : table[b - 0x80];

        if (b < 0x80) {
            after_small = false;
            continue;
        }
        if (small(c)) {
            sum += 2;
            for (size_t k = 0; k < COUNT(common); k++)
                sum += common[k] == c;
        } else if (capital(c)) {
            sum += after_small ? -3 : 1;
        } else if (kazakh(c)) {
            sum += 2;
        } else {
            sum -= c == 0xFFFD || c < 0xA0 ? 6 : c >= 0x2500 && c < 0x25A0 ? 3 : 2;
        }
        *letters += small(c) || capital(c) || kazakh(c);
        after_small = small(c);
    }
    return sum;
}

enum encoding encoding_of(struct str s)
{
    static const enum encoding tried[] = { ENCODING_CP1251, ENCODING_KOI8R, ENCODING_CP866, ENCODING_KZ1048 };
    enum encoding best = utf16(s);
    int top = 0, letters;

    if (best != ENCODING_DETECT)
        return best;
    if (str_utf8_valid(s) || damaged_utf8(s))
        return ENCODING_UTF8;
    best = ENCODING_UNKNOWN;
    for (size_t i = 0; i < COUNT(tried); i++) {
        int sum = score(s, known[tried[i]].table, &letters);

        if (letters >= LETTERS_LEAST && sum > top) {
            top = sum;
            best = tried[i];
        }
    }
    return best;
}

enum encoding encoding_of_file(struct str head)
{
    enum encoding e = utf16(head);

    return e == ENCODING_DETECT ? ENCODING_UTF8 : e;
}

/* --- decoding --- */

static struct str wide(struct str s, bool big, struct arena *a)
{
    char *out = arena_alloc(a, s.n / 2 * 3 + 3);
    size_t n = 0, i = 0;

    if (!out)
        return (struct str){ NULL, 0 };
    for (; i + 1 < s.n; i += 2) {
        uint32_t c = big ? (uint32_t)(unsigned char)s.p[i] << 8 | (unsigned char)s.p[i + 1]
                         : (uint32_t)(unsigned char)s.p[i + 1] << 8 | (unsigned char)s.p[i];

        if (c == 0xFEFF && i == 0)
            continue;
        if (c >= 0xD800 && c < 0xDC00 && i + 3 < s.n) {
            uint32_t low = big ? (uint32_t)(unsigned char)s.p[i + 2] << 8 | (unsigned char)s.p[i + 3]
                               : (uint32_t)(unsigned char)s.p[i + 3] << 8 | (unsigned char)s.p[i + 2];

            if (low >= 0xDC00 && low < 0xE000) {
                n += utf8_put(out + n, 0x10000 + ((c - 0xD800) << 10) + (low - 0xDC00));
                i += 2;
                continue;
            }
        }
        n += utf8_put(out + n, c >= 0xD800 && c < 0xE000 ? REPLACEMENT : c);
    }
    if (i < s.n && s.p[i] != '\n' && s.p[i] != '\r' && s.p[i]) /* half a unit at the end: its zero byte may have been cut on the way */
        n += utf8_put(out + n, !big && (unsigned char)s.p[i] < 0x80 ? (unsigned char)s.p[i] : REPLACEMENT);
    return str_of(out, n);
}

/* mended - UTF-8 with U+FFFD where bytes are none. */
static struct str mended(struct str s, struct arena *a)
{
    char *out = arena_alloc(a, s.n * 3 + 1);
    size_t n = 0;

    if (!out)
        return (struct str){ NULL, 0 };
    for (size_t i = 0; i < s.n;) {
        size_t len = (unsigned char)s.p[i] < 0x80 ? 1 : sequence(s.p + i, s.n - i);

        if (len == 0) {
            n += utf8_put(out + n, REPLACEMENT);
            i++;
            continue;
        }
        memcpy(out + n, s.p + i, len);
        n += len;
        i += len;
    }
    return str_of(out, n);
}

struct str encoding_decode(enum encoding e, struct str s, struct arena *a)
{
    const uint16_t *table = known[e].table;
    size_t n = 0;
    char *out;

    if (e == ENCODING_UTF16LE || e == ENCODING_UTF16BE)
        return wide(s, e == ENCODING_UTF16BE, a);
    if (!table)
        return mended(s, a);
    if ((out = arena_alloc(a, s.n * 3 + 1)) == NULL)
        return (struct str){ NULL, 0 };
    for (size_t i = 0; i < s.n; i++) {
        unsigned char b = (unsigned char)s.p[i];

        n += utf8_put(out + n, b < 0x80 ? b : table[b - 0x80]);
    }
    return str_of(out, n);
}

bool encoding_line(enum encoding e, struct str *rest, struct str *line)
{
    ptrdiff_t at = -1;

    if (e != ENCODING_UTF16LE && e != ENCODING_UTF16BE) {
        at = str_chr(*rest, '\n');
        if (at < 0)
            return false;
        *line = str_of(rest->p, (size_t)at);
        *rest = str_cut(*rest, (size_t)at + 1);
        return true;
    }
    for (size_t i = 0; i + 1 < rest->n && at < 0; i += 2)
        if (rest->p[i + (e == ENCODING_UTF16BE)] == '\n' && rest->p[i + (e == ENCODING_UTF16LE)] == 0)
            at = (ptrdiff_t)i;
    if (at < 0)
        return false;
    *line = str_of(rest->p, (size_t)at);
    *rest = str_cut(*rest, (size_t)at + 2);
    return true;
}
