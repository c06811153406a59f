/* encoding.c - the bytes of a text table as UTF-8.
 *
 * Spreadsheets save text in three ways that tell nothing about themselves: UTF-8 without a mark, UTF-16, and the code page of the
 * machine, which here is CP1251. Kazakhstan's own KZ-1048 puts the Kazakh letters where CP1251 has Serbian and Belarusian ones; the bytes
 * alone cannot tell the two apart, so it is taken only when the caller names it. */
#include "table/internal.h"

/* The upper half of Windows-1251, as the Unicode Consortium maps it. */
static const uint16_t cp1251[128] = {
    0x0402, 0x0403, 0x201A, 0x0453, 0x201E, 0x2026, 0x2020, 0x2021,
    0x20AC, 0x2030, 0x0409, 0x2039, 0x040A, 0x040C, 0x040B, 0x040F,
    0x0452, 0x2018, 0x2019, 0x201C, 0x201D, 0x2022, 0x2013, 0x2014,
    0xFFFD, 0x2122, 0x0459, 0x203A, 0x045A, 0x045C, 0x045B, 0x045F,
    0x00A0, 0x040E, 0x045E, 0x0408, 0x00A4, 0x0490, 0x00A6, 0x00A7,
    0x0401, 0x00A9, 0x0404, 0x00AB, 0x00AC, 0x00AD, 0x00AE, 0x0407,
    0x00B0, 0x00B1, 0x0406, 0x0456, 0x0491, 0x00B5, 0x00B6, 0x00B7,
    0x0451, 0x2116, 0x0454, 0x00BB, 0x0458, 0x0405, 0x0455, 0x0457,
    0x0410, 0x0411, 0x0412, 0x0413, 0x0414, 0x0415, 0x0416, 0x0417,
    0x0418, 0x0419, 0x041A, 0x041B, 0x041C, 0x041D, 0x041E, 0x041F,
    0x0420, 0x0421, 0x0422, 0x0423, 0x0424, 0x0425, 0x0426, 0x0427,
    0x0428, 0x0429, 0x042A, 0x042B, 0x042C, 0x042D, 0x042E, 0x042F,
    0x0430, 0x0431, 0x0432, 0x0433, 0x0434, 0x0435, 0x0436, 0x0437,
    0x0438, 0x0439, 0x043A, 0x043B, 0x043C, 0x043D, 0x043E, 0x043F,
    0x0440, 0x0441, 0x0442, 0x0443, 0x0444, 0x0445, 0x0446, 0x0447,
    0x0448, 0x0449, 0x044A, 0x044B, 0x044C, 0x044D, 0x044E, 0x044F,
};
/* Where KZ-1048 (STRK1048-2002) differs from it. */
static const struct {
    unsigned char byte;
    uint16_t      letter;
} kz1048[] = {
    { 0x8D, 0x049A }, { 0x8E, 0x04BA }, { 0x9D, 0x049B }, { 0x9E, 0x04BB }, { 0xA1, 0x04B0 }, { 0xA2, 0x04B1 }, {
    0xA3, 0x04D8 }, { 0xA5, 0x04E8 }, { 0xAA, 0x0492 }, { 0xAF, 0x04AE }, { 0xB4, 0x04E9 }, { 0xBA, 0x0493 }, {
    0xBC, 0x04D9 }, { 0xBD, 0x04A2 }, { 0xBE, 0x04A3 }, { 0xBF, 0x04AF },
};

/* letter_put - one code point; what is no letter becomes U+FFFD. */
static void letter_put(struct buf *b, uint32_t c)
{
    if (c > 0x10ffff || (c >= 0xd800 && c <= 0xdfff))
        c = 0xfffd;
    if (c < 0x80)
        buf_byte(b, (char)c);
    else {
        char out[4];
        size_t n = c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;

        for (size_t i = n - 1; i > 0; i--, c >>= 6)
            out[i] = (char)(0x80 | (c & 0x3f));
        out[0] = (char)(c | (n == 2 ? 0xc0 : n == 3 ? 0xe0 : 0xf0));
        buf_put(b, out, n);
    }
}

static void from_eight_bits(struct str s, bool kazakh, struct buf *b)
{
    uint16_t map[128];

    memcpy(map, cp1251, sizeof map);
    for (size_t i = 0; kazakh && i < COUNT(kz1048); i++)
        map[kz1048[i].byte - 0x80] = kz1048[i].letter;
    for (size_t i = 0; i < s.n && !buf_failed(b); i++) {
        unsigned char c = (unsigned char)s.p[i];
        letter_put(b, c < 0x80 ? c : map[c - 0x80]);
    }
}

static int from_utf16(struct str s, bool big, struct buf *b, struct err *e)
{
    if (s.n % 2)
        return err_at(e, -EBADMSG, s.n - 1, "UTF-16 text ends in the middle of a letter");
    for (size_t i = 0; i + 1 < s.n && !buf_failed(b); i += 2) {
        uint32_t hi = (unsigned char)s.p[i], lo = (unsigned char)s.p[i + 1], c = big ? hi << 8 | lo : lo << 8 | hi;

        if (c >= 0xd800 && c < 0xdc00 && i + 3 < s.n) {
            uint32_t h2 = (unsigned char)s.p[i + 2], l2 = (unsigned char)s.p[i + 3], d = big ? h2 << 8 | l2 : l2 << 8 | h2;

            if (d >= 0xdc00 && d < 0xe000) {
                c = 0x10000 + ((c - 0xd800) << 10) + (d - 0xdc00);
                i += 2;
            }
        }
        letter_put(b, c);
    }
    return 0;
}

/* guess - without a mark: text in UTF-16 has a zero byte in nearly every second place of its digits, blanks and delimiters. */
static enum table_encoding guess(struct str s)
{
    size_t even = 0, odd = 0, look = min_size(s.n, 4096) & ~(size_t)1;

    for (size_t i = 0; i < look; i += 2) {
        even += s.p[i] == 0;
        odd += s.p[i + 1] == 0;
    }
    if (odd > look / 16 && even == 0)
        return TABLE_UTF16LE;
    if (even > look / 16 && odd == 0)
        return TABLE_UTF16BE;
    return str_utf8_valid(s) ? TABLE_UTF8 : TABLE_CP1251;
}

int encoding_to_utf8(struct str s, enum table_encoding encoding, struct buf *b, struct str *out, struct err *e)
{
    int rc = 0;

    if (str_starts(s, STR("\xef\xbb\xbf"))) {
        s = str_cut(s, 3);
        encoding = TABLE_UTF8;
    } else if (str_starts(s, STR("\xff\xfe")) || str_starts(s, STR("\xfe\xff"))) {
        encoding = s.p[0] == '\xff' ? TABLE_UTF16LE : TABLE_UTF16BE;
        s = str_cut(s, 2);
    } else if (encoding == TABLE_ENCODING_AUTO)
        encoding = guess(s);
    if (encoding == TABLE_UTF8) {
        *out = s;
        return str_utf8_valid(s) ? 0 : err_set(e, -EBADMSG, "the text is not UTF-8 although it says so: save it anew as UTF-8");
    }
    if (encoding == TABLE_UTF16LE || encoding == TABLE_UTF16BE)
        rc = from_utf16(s, encoding == TABLE_UTF16BE, b, e);
    else
        from_eight_bits(s, encoding == TABLE_KZ1048, b);
    if (rc == 0 && buf_failed(b))
        rc = err_set(e, -ENOMEM, "out of memory");
    *out = buf_view(b);
    return rc;
}
