/* scan.c - small readers of text that every sub-parser uses; see internal.h. */
#include "parse/internal.h"

struct str take_word(struct str *s)
{
    size_t n = until(*s, ' ', '\t', ' ', '\t');
    struct str word = str_of(s->p, n);

    *s = str_cut(*s, n);
    skip_blanks(s);
    return word;
}

struct str take_until(struct str *s, struct str sep)
{
    ptrdiff_t at = str_find(*s, sep);
    struct str head = *s;

    if (at < 0) {
        *s = str_cut(*s, s->n);
        return head;
    }
    head.n = (size_t)at;
    *s = str_cut(*s, (size_t)at + sep.n);
    return head;
}

bool split_at(struct str s, struct str sep, struct str *before, struct str *after)
{
    ptrdiff_t at = str_find(s, sep);

    if (at < 0)
        return false;
    *before = str_left(s, (size_t)at);
    *after = str_cut(s, (size_t)at + sep.n);
    return true;
}

/* last_at - where sep stands last in s; -1: nowhere. From the end, 16 places at a time are looked at for its first byte and its last one. */
static ptrdiff_t last_at(struct str s, struct str sep)
{
    size_t i = sep.n && sep.n <= s.n ? s.n - sep.n + 1 : 0; /* places not looked at */

#ifdef __SSE2__
    while (i >= 16) {
        const char *heads = s.p + (i -= 16), *tails = heads + sep.n - 1;
        __m128i first = _mm_cmpeq_epi8(_mm_loadu_si128((const void *)heads), _mm_set1_epi8(sep.p[0]));
        __m128i last = _mm_cmpeq_epi8(_mm_loadu_si128((const void *)tails), _mm_set1_epi8(sep.p[sep.n - 1]));

        for (unsigned hits = (unsigned)_mm_movemask_epi8(_mm_and_si128(first, last)); hits;) {
            unsigned at = 31 - (unsigned)__builtin_clz(hits);

            if (memcmp(heads + at, sep.p, sep.n) == 0)
                return (ptrdiff_t)(i + at);
            hits &= ~(1u << at);
        }
    }
#endif
    while (i-- > 0)
        if (s.p[i] == sep.p[0] && s.p[i + sep.n - 1] == sep.p[sep.n - 1] && memcmp(s.p + i, sep.p, sep.n) == 0)
            return (ptrdiff_t)i;
    return -1;
}

bool split_last(struct str s, struct str sep, struct str *before, struct str *after)
{
    ptrdiff_t at = last_at(s, sep);

    if (at < 0)
        return false;
    *before = str_left(s, (size_t)at);
    *after = str_cut(s, (size_t)at + sep.n);
    return true;
}

struct str word_of(struct str s, size_t most)
{
    ptrdiff_t nul;

    s = str_left(s, most);
    nul = str_chr(s, '\0');
    return nul < 0 ? s : str_left(s, (size_t)nul);
}

struct str unquote(struct str s)
{
    if (s.n >= 2 && (s.p[0] == '"' || s.p[0] == '\'') && s.p[s.n - 1] == s.p[0])
        return str_of(s.p + 1, s.n - 2);
    return s;
}

bool has(struct str s, struct str part) { return str_find(s, part) >= 0; }

int hex_value(char c)
{
    if (is_digit(c))
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    return -1;
}

/* is_ipv4_slowly - four numbers of one to three digits, up to 255. */
static bool is_ipv4_slowly(struct str s)
{
    const char *p = s.p, *end = p + s.n;

    for (int dots = 0;; dots++) {
        const char *three = p + 3 < end ? p + 3 : end, *from = p;
        int v = 0;

        for (; p < three && is_digit(*p); p++)
            v = v * 10 + (*p - '0');
        if (p == from || v > 255)
            return false;
        if (dots == 3)
            return p == end;
        if (p == end || *p++ != '.')
            return false;
    }
}

#ifdef __SSE2__
/* number_fits - one to three digits, which are there, up to 255. */
static inline bool number_fits(const char *p, unsigned n)
{
    return n - 1 < 2 || (n == 3 && (p[0] < '2' || (p[0] == '2' && (p[1] < '5' || (p[1] == '5' && p[2] < '6')))));
}

/* is_ipv4_of - the same where s has 8 to 15 bytes: all are looked at once for digits and dots, then where the dots are. */
static bool is_ipv4_of(struct str s)
{
    uint64_t head, tail;
    unsigned dots, digits, at[3];
    __m128i x;

    memcpy(&head, s.p, sizeof head);
    memcpy(&tail, s.p + s.n - sizeof tail, sizeof tail);
    x = _mm_set_epi64x((int64_t)(tail >> 1 >> (8 * (16 - s.n) - 1)), (int64_t)head); /* zeros behind its end */
    dots = (unsigned)_mm_movemask_epi8(_mm_cmpeq_epi8(x, _mm_set1_epi8('.')));
    x = _mm_sub_epi8(x, _mm_set1_epi8('0'));
    digits = (unsigned)_mm_movemask_epi8(_mm_cmpeq_epi8(_mm_min_epu8(x, _mm_set1_epi8(9)), x));
    if ((dots | digits) != (1u << s.n) - 1)
        return false;
    for (int i = 0; i < 3; i++, dots &= dots - 1) {
        if (dots == 0)
            return false;
        at[i] = (unsigned)__builtin_ctz(dots);
    }
    return dots == 0 && number_fits(s.p, at[0]) && number_fits(s.p + at[0] + 1, at[1] - at[0] - 1) && number_fits(s.p + at[1] + 1, at[2] - at[1] - 1) &&
           number_fits(s.p + at[2] + 1, (unsigned)s.n - at[2] - 1);
}
#endif

static bool is_ipv4(struct str s)
{
#ifdef __SSE2__
    if (s.n >= 8 && s.n <= 15)
        return is_ipv4_of(s);
#endif
    return is_ipv4_slowly(s);
}

/* is_ipv6 - groups of up to four hex digits, one "::" at most, perhaps a dotted tail and a %zone. */
static bool is_ipv6(struct str s)
{
    int groups = 0, digits = 0;
    bool gap = false;
    size_t i = 0, start = 0;

    if (s.n < 2 || s.n > 64 || (s.p[0] == ':' && s.p[1] != ':'))
        return false;
    for (; i < s.n && s.p[i] != '%'; i++) {
        if (s.p[i] == ':') {
            if (i + 1 < s.n && s.p[i + 1] == ':') {
                if (gap)
                    return false;
                gap = true;
            } else if (i + 1 == s.n && !(i > 0 && s.p[i - 1] == ':')) {
                return false;
            }
            groups += digits > 0;
            digits = 0;
            start = i + 1;
        } else if (s.p[i] == '.') {
            return groups <= 6 && (gap || groups == 6) && is_ipv4(str_cut(s, start));
        } else if (hex_value(s.p[i]) < 0 || ++digits > 4) {
            return false;
        }
    }
    groups += digits > 0;
    return gap ? groups < 8 : groups == 8;
}

bool begins_as_ip(struct str s)
{
    size_t from = s.n && *s.p == '[', n = from;

    while (n < s.n && n <= from + 4 && is_hex(s.p[n]))
        n++;
    return n < s.n && (s.p[n] == '.' || s.p[n] == ':');
}

struct str ip_of(struct str s)
{
    if (s.n > 6 && is_digit(s.p[0]) && is_ipv4(s))
        return s;
    if (!begins_as_ip(s))
        return (struct str){ NULL, 0 };
    if (s.n > 2 && s.p[0] == '[' && s.p[s.n - 1] == ']')
        s = str_of(s.p + 1, s.n - 2);
    if (s.n < 2 || s.n > 64)
        return (struct str){ NULL, 0 };
    if (is_digit(s.p[0]) && is_ipv4(s))
        return s;
    if (str_starts(s, STR("::ffff:")) && is_ipv4(str_cut(s, 7)))
        return str_cut(s, 7);
    return is_ipv6(s) ? s : (struct str){ NULL, 0 };
}

/* --- recognising --- */

static bool starts_so(struct str shape, struct str text)
{
    if (text.n < shape.n)
        return false;
    for (size_t i = 0; i < shape.n; i++) {
        char c = text.p[i];

        if (shape.p[i] == '#' ? !is_digit(c) : shape.p[i] == '@' ? !is_alpha(c) : shape.p[i] != '?' && shape.p[i] != c)
            return false;
    }
    return true;
}

bool starts_as(const struct str *starts, size_t count, struct str text)
{
    bool ok = count == 0;

    for (size_t i = 0; i < count && !ok; i++)
        ok = starts_so(starts[i], text);
    return ok;
}
