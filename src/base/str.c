/* str.c - see str.h. */
#include "base/base.h"
#ifdef __SSE2__
#include <emmintrin.h>
#endif

#include <xxhash.h>

static inline unsigned char lower(unsigned char c)
{
    return c >= 'A' && c <= 'Z' ? (unsigned char)(c | 0x20) : c;
}

int str_cmp(struct str a, struct str b)
{
    size_t n = min_size(a.n, b.n);
    int c = n ? memcmp(a.p, b.p, n) : 0;

    if (c)
        return c;
    return a.n < b.n ? -1 : a.n > b.n;
}

bool str_ieq(struct str a, struct str b)
{
    if (a.n != b.n)
        return false;
    for (size_t i = 0; i < a.n; i++)
        if (lower((unsigned char)a.p[i]) != lower((unsigned char)b.p[i]))
            return false;
    return true;
}

#ifdef __SSE2__
#define SHORT_NEEDLE 32 /* longer ones go to memmem, which is linear whatever the text */

/* both - a bit for each of 16 places (of 8 in a short text) where the needle's first byte stands, and its last one in its distance. */
static inline unsigned both(const char *heads, __m128i first, const char *tails, __m128i last, bool eight)
{
    __m128i a = eight ? _mm_loadl_epi64((const void *)heads) : _mm_loadu_si128((const void *)heads);
    __m128i b = eight ? _mm_loadl_epi64((const void *)tails) : _mm_loadu_si128((const void *)tails);

    return (unsigned)_mm_movemask_epi8(_mm_and_si128(_mm_cmpeq_epi8(a, first), _mm_cmpeq_epi8(b, last))) & (eight ? 0xff : 0xffff);
}

/* find_short - many places at a time are looked at for the first and the last byte of the needle; where both stand, the rest is compared.
 * Texts are lines and needles our own words: about four times as fast as memmem there. 2 <= needle.n <= s.n. */
static ptrdiff_t find_short(struct str s, struct str needle)
{
    const __m128i first = _mm_set1_epi8(needle.p[0]), last = _mm_set1_epi8(needle.p[needle.n - 1]);
    size_t places = s.n - needle.n + 1, step = places < 16 ? 8 : 16, i = 0;

    /* The last step looks at places that were looked at before, rather than at each byte of a rest. */
    for (; places >= 8 && i < places; i += step) {
        i = i + step <= places ? i : places - step;
        for (unsigned hits = both(s.p + i, first, s.p + i + needle.n - 1, last, step == 8); hits; hits &= hits - 1) {
            size_t at = i + (size_t)__builtin_ctz(hits);

            if (memcmp(s.p + at, needle.p, needle.n) == 0)
                return (ptrdiff_t)at;
        }
    }
    for (; i < places; i++)
        if (s.p[i] == needle.p[0] && memcmp(s.p + i, needle.p, needle.n) == 0)
            return (ptrdiff_t)i;
    return -1;
}
#endif

ptrdiff_t str_find(struct str s, struct str needle)
{
    const char *hit;

    if (needle.n == 0)
        return 0;
    if (s.n < needle.n)
        return -1;
    if (needle.n == 1)
        return str_chr(s, *needle.p);
#ifdef __SSE2__
    if (needle.n <= SHORT_NEEDLE)
        return find_short(s, needle);
#endif
    hit = memmem(s.p, s.n, needle.p, needle.n);
    return hit ? hit - s.p : -1;
}

ptrdiff_t str_ifind(struct str s, struct str needle)
{
    if (needle.n == 0)
        return 0;
    if (s.n < needle.n)
        return -1;
    unsigned char first = lower((unsigned char)needle.p[0]);
    for (size_t i = 0; i + needle.n <= s.n; i++) {
        if (lower((unsigned char)s.p[i]) != first)
            continue;
        if (str_ieq(str_of(s.p + i, needle.n), needle))
            return (ptrdiff_t)i;
    }
    return -1;
}

ptrdiff_t str_chr(struct str s, char c)
{
    const char *hit = s.n ? memchr(s.p, c, s.n) : NULL;

    return hit ? hit - s.p : -1;
}

static bool blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

struct str str_trim(struct str s)
{
    while (s.n && blank(s.p[0])) {
        s.p++;
        s.n--;
    }
    while (s.n && blank(s.p[s.n - 1]))
        s.n--;
    return s;
}

bool str_split(struct str *rest, char sep, struct str *piece)
{
    ptrdiff_t at;

    if (!rest->p)
        return false;
    at = str_chr(*rest, sep);
    if (at < 0) {
        *piece = *rest;
        *rest = (struct str){ NULL, 0 };
        return true;
    }
    *piece = str_of(rest->p, (size_t)at);
    *rest = str_cut(*rest, (size_t)at + 1);
    return true;
}

bool str_u64(struct str s, uint64_t *out)
{
    uint64_t v = 0;

    if (s.n == 0)
        return false;
    for (size_t i = 0; i < s.n; i++) {
        if (s.p[i] < '0' || s.p[i] > '9')
            return false;
        if (__builtin_mul_overflow(v, 10u, &v) ||
            __builtin_add_overflow(v, (uint64_t)(s.p[i] - '0'), &v))
            return false;
    }
    *out = v;
    return true;
}

bool str_i64(struct str s, int64_t *out)
{
    bool minus = s.n && s.p[0] == '-';
    uint64_t v;

    if (!str_u64(minus ? str_cut(s, 1) : s, &v) || v > (uint64_t)INT64_MAX)
        return false;
    *out = minus ? -(int64_t)v : (int64_t)v;
    return true;
}

#define HIGH_BITS UINT64_C(0x8080808080808080)

bool str_ascii(struct str s)
{
    uint64_t any = 0, eight;
    size_t i = 0;

    for (; i + sizeof eight <= s.n; i += sizeof eight) {
        memcpy(&eight, s.p + i, sizeof eight);
        any |= eight;
    }
    for (; i < s.n; i++)
        any |= (unsigned char)s.p[i];
    return (any & HIGH_BITS) == 0;
}

/* utf8_step - length of the well-formed sequence at p (1 to 4), or 0. RFC 3629 section 4. */
static size_t utf8_step(const unsigned char *p, size_t n)
{
    unsigned char lo = 0x80, hi = 0xBF;
    size_t want;

    if (p[0] < 0x80)
        return 1;
    if (p[0] >= 0xC2 && p[0] <= 0xDF)
        want = 2;
    else if (p[0] >= 0xE0 && p[0] <= 0xEF)
        want = 3;
    else if (p[0] >= 0xF0 && p[0] <= 0xF4)
        want = 4;
    else
        return 0;
    if (n < want)
        return 0;
    if (p[0] == 0xE0)
        lo = 0xA0;
    else if (p[0] == 0xED)
        hi = 0x9F;
    else if (p[0] == 0xF0)
        lo = 0x90;
    else if (p[0] == 0xF4)
        hi = 0x8F;
    if (p[1] < lo || p[1] > hi)
        return 0;
    for (size_t i = 2; i < want; i++)
        if (p[i] < 0x80 || p[i] > 0xBF)
            return 0;
    return want;
}

bool str_utf8_valid(struct str s)
{
    const unsigned char *p = (const unsigned char *)s.p;
    size_t i = 0;

    while (i < s.n) {
        uint64_t eight;
        size_t step;

        if (p[i] < 0x80 && s.n - i >= sizeof eight && (memcpy(&eight, p + i, sizeof eight), (eight & HIGH_BITS) == 0)) {
            i += sizeof eight; /* ASCII */
            continue;
        }
        step = utf8_step(p + i, s.n - i);

        if (step == 0)
            return false;
        i += step;
    }
    return true;
}

uint64_t str_hash(struct str s)
{
    return XXH3_64bits(s.n ? s.p : "", s.n);
}
