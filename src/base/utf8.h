/* utf8.h - a letter as bytes. What is read from bytes is str_utf8_valid's (str.h); who must know letters decodes for himself.
 *
 * Owns      nothing.
 * Promises  utf8_put writes one to four bytes, whatever it is given up to U+10FFFF: halves of pairs and NUL are the caller's to refuse.
 * Threads   any.
 * Units     code points, bytes.
 * Source    RFC 3629. */
#ifndef SAQSHY_BASE_UTF8_H
#define SAQSHY_BASE_UTF8_H

#include <stddef.h>
#include <stdint.h>

/* utf8_put - the letter at out, which has room for four bytes; how many it took. */
static inline size_t utf8_put(char *out, uint32_t c)
{
    if (c < 0x80) {
        out[0] = (char)c;
        return 1;
    }
    if (c < 0x800) {
        out[0] = (char)(0xC0 | c >> 6);
        out[1] = (char)(0x80 | (c & 63));
        return 2;
    }
    if (c < 0x10000) {
        out[0] = (char)(0xE0 | c >> 12);
        out[1] = (char)(0x80 | (c >> 6 & 63));
        out[2] = (char)(0x80 | (c & 63));
        return 3;
    }
    out[0] = (char)(0xF0 | c >> 18);
    out[1] = (char)(0x80 | (c >> 12 & 63));
    out[2] = (char)(0x80 | (c >> 6 & 63));
    out[3] = (char)(0x80 | (c & 63));
    return 4;
}

#endif
