/* fold.c - Unicode simple case folding (CaseFolding.txt, statuses C and S), see internal.h. */
#include "sigma/internal.h"
#include "base/utf8.h"

#ifdef __SSE2__
#include <emmintrin.h>
#endif

struct fold_range { uint32_t first, last; int32_t step, delta; };
static const struct fold_range ranges[] = {
#include "sigma/fold.def"
};

static uint32_t fold_point(uint32_t cp)
{
    size_t lo = 0, hi = COUNT(ranges);

    while (lo < hi) {
        size_t mid = (lo + hi) / 2;

        if (cp > ranges[mid].last)
            lo = mid + 1;
        else
            hi = mid;
    }
    if (lo == COUNT(ranges) || cp < ranges[lo].first || (cp - ranges[lo].first) % (uint32_t)ranges[lo].step)
        return cp;
    return (uint32_t)((int32_t)cp + ranges[lo].delta);
}

size_t utf8_width(const char *p, size_t n)
{
    unsigned char c = (unsigned char)p[0];
    size_t want = c < 0xC2 ? 1 : c < 0xE0 ? 2 : c < 0xF0 ? 3 : c < 0xF5 ? 4 : 1;

    if (want > n)
        return 1;
    for (size_t i = 1; i < want; i++)
        if (((unsigned char)p[i] & 0xC0) != 0x80)
            return 1;
    return want;
}

static uint32_t decode(const char *p, size_t width)
{
    const unsigned char *u = (const unsigned char *)p;

    switch (width) {
    case 2: return (uint32_t)(u[0] & 0x1F) << 6 | (u[1] & 0x3F);
    case 3: return (uint32_t)(u[0] & 0x0F) << 12 | (uint32_t)(u[1] & 0x3F) << 6 | (u[2] & 0x3F);
    case 4: return (uint32_t)(u[0] & 0x07) << 18 | (uint32_t)(u[1] & 0x3F) << 12 | (uint32_t)(u[2] & 0x3F) << 6 | (u[3] & 0x3F);
    default: return u[0];
    }
}

#define ONES UINT64_C(0x0101010101010101)

/* lower8, lower16 - capital ASCII letters of the bytes at from made small at to; true if all bytes are ASCII, else what is written means
 * nothing. */
static inline bool lower8(char *to, const char *from)
{
    uint64_t v;

    memcpy(&v, from, sizeof v);
    bool ascii = !(v & ONES * 0x80);
    v |= ((v + ONES * (0x80 - 'A')) & ~(v + ONES * (0x80 - 'Z' - 1)) & ONES * 0x80) >> 2;
    memcpy(to, &v, sizeof v);
    return ascii;
}

static inline bool lower16(char *to, const char *from)
{
#ifdef __SSE2__
    __m128i v = _mm_loadu_si128((const __m128i *)(const void *)from);
    __m128i capital = _mm_and_si128(_mm_cmpgt_epi8(v, _mm_set1_epi8('A' - 1)), _mm_cmpgt_epi8(_mm_set1_epi8('Z' + 1), v));

    _mm_storeu_si128((__m128i *)(void *)to, _mm_or_si128(v, _mm_and_si128(capital, _mm_set1_epi8(0x20))));
    return _mm_movemask_epi8(v) == 0;
#else
    return lower8(to, from) & lower8(to + 8, from + 8);
#endif
}

static inline char lower1(char c) { return (char)(c >= 'A' && c <= 'Z' ? c | 0x20 : c); }

/* fold_ascii - true if s is ASCII; then out has it folded. What is left of the steps of 16 or 8 bytes is done by one more that begins
 * among what was done before. */
static bool fold_ascii(char *out, struct str s)
{
    bool ascii = true;
    size_t i = 0;

    for (; i + 16 <= s.n && ascii; i += 16)
        ascii = lower16(out + i, s.p + i);
    if (!ascii || i == s.n)
        return ascii;
    if (s.n >= 16)
        return lower16(out + s.n - 16, s.p + s.n - 16);
    if (s.n >= 8) {
        bool head = lower8(out, s.p), tail = lower8(out + s.n - 8, s.p + s.n - 8);

        return head && tail;
    }
    for (; i < s.n; i++) {
        ascii = ascii && (unsigned char)s.p[i] < 0x80;
        out[i] = lower1(s.p[i]);
    }
    return ascii;
}

struct str sigma_fold(struct arena *a, struct str s)
{
    size_t n = 0, i = 0;
    char *out;

    if (s.n == 0)
        return s;
    /* A folded code point is at most half again as long as it was (U+2C62 and kin grow from 2 to 3 bytes). */
    out = arena_alloc(a, s.n + s.n / 2 + 4);
    if (!out)
        return (struct str){ NULL, 0 };
    if (fold_ascii(out, s))
        return str_of(out, s.n);
    while (i < s.n) {
        size_t w;

        if (i + 8 <= s.n && lower8(out + n, s.p + i)) {
            n += 8;
            i += 8;
            continue;
        }
        w = utf8_width(s.p + i, s.n - i);
        if (w == 1)
            out[n++] = lower1(s.p[i]);
        else
            n += utf8_put(out + n, fold_point(decode(s.p + i, w)));
        i += w;
    }
    return str_of(out, n);
}
