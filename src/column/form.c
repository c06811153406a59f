/* form.c - texts that are numbers written in one way: see internal.h.
 *
 * A form reads a text only if it would write the number back as just this text: no leading zero where the form has none, no digit in the other case. So reading is the
 * proof that nothing is lost. */
#include "column/internal.h"

#define NO_DIGIT 0xffu

/* What a byte is worth as a digit of each alphabet. */
static const unsigned char worth[DIGITS_KINDS][256] = {
#define DECIMAL_DIGITS ['0'] = 1, ['1'] = 2, ['2'] = 3, ['3'] = 4, ['4'] = 5, ['5'] = 6, ['6'] = 7, ['7'] = 8, ['8'] = 9, ['9'] = 10
    [DIGITS_DECIMAL] = { DECIMAL_DIGITS },
    [DIGITS_LOWER] = { DECIMAL_DIGITS, ['a'] = 11, ['b'] = 12, ['c'] = 13, ['d'] = 14, ['e'] = 15, ['f'] = 16 },
    [DIGITS_UPPER] = { DECIMAL_DIGITS, ['A'] = 11, ['B'] = 12, ['C'] = 13, ['D'] = 14, ['E'] = 15, ['F'] = 16 },
};
static const char digits_of[DIGITS_KINDS][17] = {
    [DIGITS_DECIMAL] = "0123456789", [DIGITS_LOWER] = "0123456789abcdef", [DIGITS_UPPER] = "0123456789ABCDEF",
};

/* digit - the worth of c, or NO_DIGIT. */
static unsigned digit(enum digits kind, char c) { return (worth[kind][(unsigned char)c] - 1u) & 0xff; }
static bool is_decimal(char c) { return c >= '0' && c <= '9'; }

/* --- reading a text --- */

/* unwrap - what stands between prefix and suffix. */
static bool unwrap(const struct form *f, struct str *v)
{
    if (v->n < f->prefix.n + f->suffix.n)
        return false;
    if (f->prefix.n && memcmp(v->p, f->prefix.p, f->prefix.n) != 0)
        return false;
    if (f->suffix.n && memcmp(v->p + v->n - f->suffix.n, f->suffix.p, f->suffix.n) != 0)
        return false;
    *v = str_of(v->p + f->prefix.n, v->n - f->prefix.n - f->suffix.n);
    return true;
}

static bool read_decimal(const struct form *f, struct str v, uint64_t *out)
{
    size_t whole;
    uint64_t n = 0;

    if (!unwrap(f, &v) || v.n == 0)
        return false;
    whole = v.n;
    if (f->point) {
        if (v.n < f->point + 2u || v.p[v.n - f->point - 1] != '.')
            return false;
        whole = v.n - f->point - 1;
    }
    if (v.n > 20 || (v.p[0] == '0' && whole > 1))
        return false;
    for (size_t i = 0; i < v.n; i++) {
        unsigned d = (unsigned char)v.p[i] - '0';

        if (i == whole && f->point)
            continue;
        if (d > 9)
            return false;
        if (i < 19)
            n = n * 10 + d;
        else if (__builtin_mul_overflow(n, UINT64_C(10), &n) || __builtin_add_overflow(n, (uint64_t)d, &n))
            return false;
    }
    *out = n;
    return true;
}

static bool read_hex(const struct form *f, struct str v, uint64_t *out)
{
    uint64_t n = 0;

    if (!unwrap(f, &v) || v.n == 0 || v.n > 16 || (v.p[0] == '0' && v.n > 1))
        return false;
    for (size_t i = 0; i < v.n; i++) {
        unsigned d = digit(f->digits, v.p[i]);

        if (d == NO_DIGIT)
            return false;
        n = n << 4 | d;
    }
    *out = n;
    return true;
}

static bool read_address(const struct form *f, struct str v, uint64_t *out)
{
    size_t at = 0;
    uint64_t n = 0;

    if (!unwrap(f, &v))
        return false;
    for (int part = 0; part < 4; part++) {
        size_t from = at;
        unsigned octet = 0;

        while (at < v.n && at - from < 3 && is_decimal(v.p[at]))
            octet = octet * 10 + (unsigned)(v.p[at++] - '0');
        if (at == from || octet > 255 || (v.p[from] == '0' && at - from > 1))
            return false;
        n = n << 8 | octet;
        if (part < 3 && (at == v.n || v.p[at++] != '.'))
            return false;
    }
    *out = n;
    return at == v.n;
}

static bool read_pattern(const struct form *f, struct str v, uint64_t *out)
{
    uint64_t n = 0, base = f->digits == DIGITS_DECIMAL ? 10 : 16;

    if (v.n != f->pattern.n)
        return false;
    for (size_t i = 0; i < v.n; i++) {
        unsigned d = digit(f->digits, v.p[i]);

        if (f->pattern.p[i]) {
            if (v.p[i] != f->pattern.p[i])
                return false;
            continue;
        }
        if (d == NO_DIGIT)
            return false;
        n = n * base + d;
    }
    *out = n;
    return true;
}

bool form_read(const struct form *f, struct str v, uint64_t *out)
{
    switch (f->kind) {
    case COLUMN_DECIMAL: return read_decimal(f, v, out);
    case COLUMN_HEX: return read_hex(f, v, out);
    case COLUMN_ADDRESS: return read_address(f, v, out);
    default: return read_pattern(f, v, out);
    }
}

bool form_read_long(const struct form *f, struct str v, unsigned char *to, size_t stride)
{
    size_t nibbles = f->count % 2;     /* an odd number of digits begins with half a byte */
    unsigned half = 0;

    if (v.n != f->pattern.n)
        return false;
    for (size_t i = 0; i < v.n; i++) {
        unsigned d = digit(f->digits, v.p[i]);

        if (f->pattern.p[i]) {
            if (v.p[i] != f->pattern.p[i])
                return false;
            continue;
        }
        if (d == NO_DIGIT)
            return false;
        if (nibbles++ % 2)
            to[(nibbles / 2 - 1) * stride] = (unsigned char)(half << 4 | d);
        half = d;
    }
    return true;
}

/* --- writing it back --- */

static char *put_text(char *to, struct str s)
{
    if (s.n)
        memcpy(to, s.p, s.n);
    return to + s.n;
}

/* put_number - v in decimal digits, at least so many. */
static char *put_number(char *to, uint64_t v, unsigned least)
{
    char room[DECIMAL_MAX];
    unsigned n = 0;

    do
        room[DECIMAL_MAX - ++n] = (char)('0' + v % 10);
    while ((v /= 10) != 0);
    while (n < least)
        room[DECIMAL_MAX - ++n] = '0';
    memcpy(to, room + DECIMAL_MAX - n, n);
    return to + n;
}

static char *put_decimal(const struct form *f, uint64_t v, char *to)
{
    to = put_number(to, v, f->point ? f->point + 1u : 1u);
    if (f->point) {
        memmove(to - f->point + 1, to - f->point, f->point);
        to[-(ptrdiff_t)f->point] = '.';
        to++;
    }
    return to;
}

static char *put_octet(char *to, unsigned v)
{
    if (v >= 100)
        *to++ = (char)('0' + v / 100);
    if (v >= 10)
        *to++ = (char)('0' + v / 10 % 10);
    *to++ = (char)('0' + v % 10);
    return to;
}

static char *put_address(uint64_t v, char *to)
{
    for (int shift = 24; shift >= 0; shift -= 8) {
        to = put_octet(to, v >> shift & 255);
        *to++ = '.';
    }
    return to - 1;
}

static char *put_hex(const struct form *f, uint64_t v, char *to)
{
    int top = v ? (63 - __builtin_clzll(v)) / 4 : 0;

    for (int at = top; at >= 0; at--)
        *to++ = digits_of[f->digits][v >> 4 * at & 15];
    return to;
}

static char *put_pattern(const struct form *f, uint64_t v, char *to)
{
    memcpy(to, f->pattern.p, f->pattern.n);
    for (size_t i = f->pattern.n; i-- > 0;) {
        if (f->pattern.p[i])
            continue;
        to[i] = f->digits == DIGITS_DECIMAL ? (char)('0' + v % 10) : digits_of[f->digits][v & 15];
        v = f->digits == DIGITS_DECIMAL ? v / 10 : v >> 4;
    }
    return to + f->pattern.n;
}

size_t form_write(const struct form *f, uint64_t v, char *to)
{
    char *at = to;

    if (f->kind == COLUMN_PATTERN)
        return (size_t)(put_pattern(f, v, to) - to);
    at = put_text(at, f->prefix);
    at = f->kind == COLUMN_DECIMAL ? put_decimal(f, v, at) : f->kind == COLUMN_HEX ? put_hex(f, v, at) : put_address(v, at);
    return (size_t)(put_text(at, f->suffix) - to);
}

size_t form_write_long(const struct form *f, const unsigned char *from, size_t stride, char *to)
{
    size_t nibbles = f->count % 2;

    memcpy(to, f->pattern.p, f->pattern.n);
    for (size_t i = 0; i < f->pattern.n; i++)
        if (!f->pattern.p[i]) {
            unsigned byte = from[nibbles / 2 * stride], d = nibbles % 2 ? byte & 15 : byte >> 4;

            nibbles++;
            to[i] = digits_of[DIGITS_LOWER][d];
            if (f->digits == DIGITS_UPPER)
                to[i] = digits_of[DIGITS_UPPER][d];
        }
    return f->pattern.n;
}

size_t form_longest(const struct form *f)
{
    return f->kind == COLUMN_PATTERN || f->kind == COLUMN_LONG ? f->pattern.n : f->prefix.n + FORM_NUMBER_MAX + f->suffix.n;
}

/* --- what the texts of a form have in common --- */

bool form_digits_alone(const struct form *f)
{
    if (f->digits != DIGITS_DECIMAL || f->kind == COLUMN_ADDRESS || f->kind == COLUMN_HEX)
        return false;
    return f->kind == COLUMN_DECIMAL ? f->point == 0 && f->prefix.n + f->suffix.n == 0 : f->count == f->pattern.n;
}

bool form_more_than_digits(const struct form *f)
{
    if (f->kind == COLUMN_PATTERN || f->kind == COLUMN_LONG)
        return f->count < f->pattern.n;      /* what is no digit in a pattern is no digit at all */
    return f->kind == COLUMN_ADDRESS || f->point || f->prefix.n + f->suffix.n;   /* a prefix ends, a suffix begins with what is none */
}

void form_bounds(const struct form *f, uint64_t least, uint64_t most, struct bounds *b)
{
    char text[FORM_TEXT_MAX];

    bounds_start(b);
    bounds_add(b, str_c(digits_of[f->digits]));
    bounds_add(b, f->prefix);
    bounds_add(b, f->suffix);
    if (f->point || f->kind == COLUMN_ADDRESS)
        bounds_add(b, STR("."));
    for (size_t i = 0; i < f->pattern.n; i++)
        if (f->pattern.p[i])
            bounds_add(b, str_of(f->pattern.p + i, 1));
    if (f->kind == COLUMN_LONG) {
        b->shortest = b->longest = f->pattern.n;
        return;
    }
    b->shortest = form_write(f, least, text);
    b->longest = form_write(f, most, text);
    if (f->kind == COLUMN_ADDRESS) {     /* the only form in which a greater number may be a shorter text */
        b->shortest = f->prefix.n + f->suffix.n + strlen("0.0.0.0");
        b->longest = f->prefix.n + f->suffix.n + strlen("255.255.255.255");
    }
}

/* --- in a head: digits, point; then prefix and suffix, or the pattern with a 0 for each digit --- */

void form_put(const struct form *f, struct buf *head)
{
    buf_byte(head, (char)f->digits);
    if (f->kind == COLUMN_PATTERN || f->kind == COLUMN_LONG) {
        buf_varstr(head, f->pattern);
        return;
    }
    buf_byte(head, (char)f->point);
    buf_varstr(head, f->prefix);
    buf_varstr(head, f->suffix);
}

void form_open(struct form *f, enum column_kind kind, struct reader *head)
{
    *f = (struct form){ .kind = kind, .digits = rd_u8(head) };
    if (f->digits >= DIGITS_KINDS) {
        f->digits = DIGITS_DECIMAL;
        rd_fail(head, "an alphabet of digits");
    }
    if (kind == COLUMN_PATTERN || kind == COLUMN_LONG) {
        f->pattern = rd_varstr(head, FORM_PATTERN_MAX, "a pattern of at most 160 bytes");
        for (size_t i = 0; i < f->pattern.n; i++)
            f->count += !f->pattern.p[i];
        if (f->count == 0 || (kind == COLUMN_PATTERN && f->count > form_digits_max(f->digits)))
            rd_fail(head, "digits in a pattern");
        return;
    }
    f->point = rd_u8(head);
    if (f->point > 18 || (f->point && kind != COLUMN_DECIMAL))
        rd_fail(head, "digits behind the point");
    f->prefix = rd_varstr(head, FORM_AFFIX_MAX, "a prefix of at most 32 bytes");
    f->suffix = rd_varstr(head, FORM_AFFIX_MAX, "a suffix of at most 32 bytes");
}
