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

static inline uint64_t load8(const char *p)
{
    uint64_t v;

    memcpy(&v, p, sizeof v);
    return v;
}

/* capitals - 0x20 in each of eight ASCII bytes that is a capital letter, else 0. */
static inline uint64_t capitals(uint64_t v)
{
    return ((v + ONES * (0x80 - 'A')) & ~(v + ONES * (0x80 - 'Z' - 1)) & ONES * 0x80) >> 2;
}
static inline unsigned char capital(unsigned char c) { return c >= 'A' && c <= 'Z' ? 0x20 : 0; }

#ifdef __SSE2__
/* capitals16 - the same for sixteen bytes; those past ASCII are below zero here, so never between the two. */
static inline __m128i capitals16(__m128i v)
{
    __m128i from = _mm_cmpgt_epi8(v, _mm_set1_epi8('A' - 1)), to = _mm_cmpgt_epi8(_mm_set1_epi8('Z' + 1), v);

    return _mm_and_si128(_mm_and_si128(from, to), _mm_set1_epi8(0x20));
}
#endif

/* changes - folding may change s: it has a capital letter, or a byte past ASCII, which is not worth a closer look. */
static bool changes(struct str s)
{
    uint64_t found = 0;
    size_t i = 0;

#ifdef __SSE2__
    __m128i any = _mm_setzero_si128();

    for (; i + 16 <= s.n; i += 16) {
        __m128i v = _mm_loadu_si128((const __m128i *)(const void *)(s.p + i));

        any = _mm_or_si128(any, _mm_or_si128(_mm_and_si128(v, _mm_set1_epi8((char)0x80)), capitals16(v)));
    }
    if (_mm_movemask_epi8(_mm_cmpeq_epi8(any, _mm_setzero_si128())) != 0xFFFF)
        return true;
#endif
    for (; i + 8 <= s.n; i += 8)
        found |= (load8(s.p + i) & ONES * 0x80) | capitals(load8(s.p + i) & ~(ONES * 0x80));
    for (; i < s.n; i++)
        found |= (unsigned char)s.p[i] >= 0x80 || capital((unsigned char)s.p[i]);
    return found != 0;
}

struct str sigma_fold(struct arena *a, struct str s)
{
    size_t n = 0, i = 0;
    char *out;

    if (!changes(s))
        return s;
    /* A folded code point is at most half again as long as it was (U+2C62 and kin grow from 2 to 3 bytes). */
    out = arena_alloc(a, s.n + s.n / 2 + 4);
    if (!out)
        return (struct str){ NULL, 0 };
#ifdef __SSE2__
    for (; i + 16 <= s.n; i += 16, n += 16) {
        __m128i v = _mm_loadu_si128((const __m128i *)(const void *)(s.p + i));

        if (_mm_movemask_epi8(v))
            break;
        _mm_storeu_si128((__m128i *)(void *)(out + n), _mm_or_si128(v, capitals16(v)));
    }
#endif
    while (i < s.n) {
        uint64_t v;
        size_t w;

        if (i + 8 <= s.n && !((v = load8(s.p + i)) & ONES * 0x80)) {
            v |= capitals(v);
            memcpy(out + n, &v, sizeof v);
            n += 8;
            i += 8;
            continue;
        }
        w = utf8_width(s.p + i, s.n - i);
        if (w == 1)
            out[n++] = (char)(s.p[i] | capital((unsigned char)s.p[i]));
        else
            n += utf8_put(out + n, fold_point(decode(s.p + i, w)));
        i += w;
    }
    return str_of(out, n);
}
