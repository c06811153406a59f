/* fold.c - letters without case, words, patterns with stars. */
#include "query/internal.h"
#include "base/lookalike.h"

/* fold_cyrillic - U+0400..U+052F: the two rows of the basic alphabet, then pairs of a capital and a small letter. */
static unsigned fold_cyrillic(unsigned c)
{
    if (c >= 0x0410 && c <= 0x042F)
        return c + 0x20;
    if (c >= 0x0400 && c <= 0x040F)
        return c + 0x50;
    if (c == 0x04C0)
        return 0x04CF;
    if (c >= 0x04C1 && c <= 0x04CE)
        return c & 1 ? c + 1 : c;
    if ((c >= 0x0460 && c <= 0x0481) || (c >= 0x048A && c <= 0x04BF) || (c >= 0x04D0 && c <= 0x052F))
        return c & 1 ? c : c + 1;
    return c;
}

size_t fold_char(const char *p, size_t n, char out[4])
{
    unsigned char a = (unsigned char)p[0];

    if (a < 0x80) {
        out[0] = a >= 'A' && a <= 'Z' ? (char)(a | 0x20) : (char)a;
        return 1;
    }
    if (n >= 2 && a >= 0xD0 && a <= 0xD4 && ((unsigned char)p[1] & 0xC0) == 0x80) {
        unsigned c = fold_cyrillic((unsigned)(a & 0x1F) << 6 | ((unsigned char)p[1] & 0x3F));

        out[0] = (char)(0xC0 | c >> 6);
        out[1] = (char)(0x80 | (c & 0x3F));
        return 2;
    }
    out[0] = (char)a;
    return 1;
}

/* fold_next - the letter at p as it is compared, into out; with twins a Cyrillic letter may become a Latin one, so a shorter one. Its length; *step: that
 * of the letter at p. */
static inline size_t fold_next(const char *p, size_t n, bool twins, char out[4], size_t *step)
{
    /* Nearly all letters of logs are ASCII; none of those is anyone's twin here. */
    if ((unsigned char)p[0] < 0x80) {
        out[0] = p[0] >= 'A' && p[0] <= 'Z' ? (char)(p[0] | 0x20) : p[0];
        *step = 1;
        return 1;
    }
    size_t len = *step = fold_char(p, n, out);

    if (twins && len == 2) {
        char latin = lookalike_latin(((unsigned)out[0] & 0x1F) << 6 | ((unsigned)out[1] & 0x3F));

        if (latin) {
            out[0] = latin;
            return 1;
        }
    }
    return len;
}

size_t fold_into(char *p, struct str s, bool twins)
{
    size_t n = 0, step;

    for (size_t i = 0; i < s.n; i += step) {
        char c[4];
        size_t len = fold_next(s.p + i, s.n - i, twins, c, &step);

        memcpy(p + n, c, len);
        n += len;
    }
    return n;
}

struct str fold_copy(struct arena *a, struct str s, bool twins)
{
    char *p = arena_alloc(a, s.n + 1);
    size_t n;

    if (!p)
        return (struct str){ NULL, 0 };
    n = fold_into(p, s, twins);
    p[n] = 0;
    return str_of(p, n);
}

/* fold_head - how many bytes of s, folded, are text; 0 if s does not begin so. */
static size_t fold_head(struct str s, struct str text, bool twins)
{
    size_t i = 0, t = 0, step;

    while (t < text.n) {
        char c[4];
        size_t len;

        if (i == s.n)
            return 0;
        len = fold_next(s.p + i, s.n - i, twins, c, &step);
        if (text.n - t < len || memcmp(c, text.p + t, len) != 0)
            return 0;
        t += len;
        i += step;
    }
    return i;
}

/* equal_case - texts of one length, without look-alikes: what every event of a search is asked. */
static bool equal_case(struct str s, struct str text)
{
    char c[4];
    size_t n;

    for (size_t i = 0; i < s.n; i += n) {
        char a = s.p[i];

        if ((unsigned char)a < 0x80) {
            n = 1;
            if ((a >= 'A' && a <= 'Z' ? (char)(a | 0x20) : a) != text.p[i])
                return false;
            continue;
        }
        n = fold_char(s.p + i, s.n - i, c);
        if (memcmp(c, text.p + i, n) != 0)
            return false;
    }
    return true;
}

bool fold_equal(struct str s, struct str text, bool twins)
{
    if (!twins)
        return s.n == text.n && equal_case(s, text);
    return text.n == 0 ? s.n == 0 : fold_head(s, text, twins) == s.n && s.n > 0;
}

bool fold_starts(struct str s, struct str pattern, bool twins)
{
    size_t i = 0, p = 0, step;

    while (p < pattern.n && i < s.n) {
        char c[4];
        size_t len = fold_next(s.p + i, s.n - i, twins, c, &step);

        if (pattern.p[p] == '?')
            p++;
        else if (pattern.n - p < len || memcmp(pattern.p + p, c, len) != 0)
            return false;
        else
            p += len;
        i += step;
    }
    return p == pattern.n;
}

/* next_of - where c stands in s at or behind from, or s.n. */
static size_t next_of(struct str s, size_t from, char c)
{
    const char *at = from < s.n ? memchr(s.p + from, c, s.n - from) : NULL;

    return at ? (size_t)(at - s.p) : s.n;
}

/* find_each - the way without short cuts: tried at every letter. */
static ptrdiff_t find_each(struct str s, struct str text, size_t from, bool twins, size_t *end)
{
    for (size_t i = from, n; i < s.n; i++)
        if ((n = fold_head(str_cut(s, i), text, twins)) > 0) {
            *end = i + n;
            return (ptrdiff_t)i;
        }
    return -1;
}

ptrdiff_t fold_find(struct str s, struct str text, size_t from, bool twins, size_t *end)
{
    char low, high;
    size_t next_low, next_high;

    *end = from;
    if (text.n == 0)
        return from <= s.n ? (ptrdiff_t)from : -1;
    if (twins)
        return find_each(s, text, from, true, end);
    if (s.n < text.n || from > s.n - text.n)
        return -1;
    /* The first byte may differ by case: ASCII in one bit; of Cyrillic the first byte may change, so any lead byte is a candidate. */
    low = text.p[0];
    high = low >= 'a' && low <= 'z' ? (char)(low & ~0x20) : low;
    if ((unsigned char)low >= 0xD0 && (unsigned char)low <= 0xD4) {
        for (size_t i = from; i <= s.n - text.n; i++)
            if ((unsigned char)s.p[i] >= 0xD0 && (unsigned char)s.p[i] <= 0xD4 && fold_equal(str_of(s.p + i, text.n), text, false)) {
                *end = i + text.n;
                return (ptrdiff_t)i;
            }
        return -1;
    }
    next_low = next_of(s, from, low);
    next_high = high == low ? s.n : next_of(s, from, high);
    for (;;) {
        size_t i = min_size(next_low, next_high);

        if (i > s.n - text.n)
            return -1;
        if (fold_equal(str_of(s.p + i, text.n), text, false)) {
            *end = i + text.n;
            return (ptrdiff_t)i;
        }
        if (i == next_low)
            next_low = next_of(s, i + 1, low);
        else
            next_high = next_of(s, i + 1, high);
    }
}

bool fold_like(struct str s, struct str pattern, bool twins)
{
    size_t i = 0, p = 0, star = SIZE_MAX, back = 0, step;

    while (i < s.n) {
        char c[4];
        size_t n = fold_next(s.p + i, s.n - i, twins, c, &step);

        if (p < pattern.n && pattern.p[p] == '*') {
            star = p++;
            back = i;
        } else if (p < pattern.n && pattern.p[p] == '?') {
            p++;
            i += step;
        } else if (p < pattern.n && pattern.n - p >= n && memcmp(pattern.p + p, c, n) == 0) {
            p += n;
            i += step;
        } else if (star != SIZE_MAX) {
            p = star + 1;
            i = ++back;
        } else {
            return false;
        }
    }
    while (p < pattern.n && pattern.p[p] == '*')
        p++;
    return p == pattern.n;
}

struct str longest_piece(struct str pattern)
{
    struct str best = { NULL, 0 };
    size_t from = 0;

    for (size_t i = 0; i <= pattern.n; i++) {
        if (i < pattern.n && pattern.p[i] != '*' && pattern.p[i] != '?')
            continue;
        if (i - from > best.n)
            best = str_of(pattern.p + from, i - from);
        from = i + 1;
    }
    return best;
}

/* --- tokens --- */

#define ADDRESS_PARTS 4u

/* A run of numbers with a single dot between each: where the last four of them begin. */
struct dotted {
    size_t begin[ADDRESS_PARTS], end;   /* end: of the last one */
    size_t count;
};

/* token_read - the run of letters at *i, folded, into token; its length, or more than QUERY_TOKEN_MAX. *digits: it has nothing else. */
static size_t token_read(struct str text, size_t *i, char token[QUERY_TOKEN_MAX], bool *digits)
{
    size_t n = 0;
    bool only = true;

    while (*i < text.n && query_word_byte(text.p[*i])) {
        char c[4];
        size_t step = 1;

        c[0] = text.p[*i];
        if ((unsigned char)c[0] >= 0x80)
            step = fold_char(text.p + *i, text.n - *i, c);
        else if (c[0] >= 'A' && c[0] <= 'Z')
            c[0] = (char)(c[0] | 32);
        only = only && c[0] >= '0' && c[0] <= '9';
        if (n + step <= QUERY_TOKEN_MAX) {
            if (step == 1)
                token[n] = c[0];
            else
                memcpy(token + n, c, step);
            n += step;
        } else {
            n = QUERY_TOKEN_MAX + 1;    /* too long: it is not indexed, nor asked for */
        }
        *i += step;
    }
    *digits = only;
    return n;
}

/* dotted_add - one more number, from begin to end; whether the last four are an address. */
static bool dotted_add(struct dotted *d, struct str text, size_t begin, size_t end)
{
    bool goes_on = d->count && begin == d->end + 1 && text.p[d->end] == '.';

    d->count = goes_on ? d->count + 1 : 1;
    for (size_t k = 0; k + 1 < ADDRESS_PARTS; k++)
        d->begin[k] = d->begin[k + 1];
    d->begin[ADDRESS_PARTS - 1] = begin;
    d->end = end;
    return d->count >= ADDRESS_PARTS;
}

static void each_token(struct str text, bool all, query_token_fn *say, void *arg)
{
    struct dotted d = { .count = 0 };
    char token[QUERY_TOKEN_MAX];
    size_t i = 0;

    while (i < text.n) {
        size_t begin, n;
        bool digits, common;

        while (i < text.n && !query_word_byte(text.p[i]))
            i++;
        begin = i;
        n = token_read(text, &i, token, &digits);
        if (n == 0 || n > QUERY_TOKEN_MAX) {
            d.count = 0;
            continue;
        }
        common = n < QUERY_COMMON_LETTERS || (digits && n < QUERY_COMMON_DIGITS);
        if (all || !common)
            say(arg, (str_hash(str_of(token, n)) & ~(uint64_t)QUERY_TOKEN_FLAGS) | (common ? QUERY_TOKEN_COMMON : 0));
        if (!digits || n > 3)
            d.count = 0;
        else if (dotted_add(&d, text, begin, i))
            say(arg, (str_hash(str_of(text.p + d.begin[0], i - d.begin[0])) & ~(uint64_t)QUERY_TOKEN_FLAGS) | QUERY_TOKEN_ADDRESS);
    }
}

void query_tokens(struct str text, query_token_fn *say, void *arg) { each_token(text, true, say, arg); }
void query_index_tokens(struct str text, query_token_fn *say, void *arg) { each_token(text, false, say, arg); }
