/* form.c - texts that are numbers written in one way: see internal.h.
 *
 * A form reads a text only if it would write the number back as just this text: no leading zero where the form has none, no digit in the other case. So reading is the
 * proof that nothing is lost. */
#include "column/internal.h"

#include <endian.h>

static const char digits_of[DIGITS_KINDS][17] = {
    [DIGITS_DECIMAL] = "0123456789", [DIGITS_LOWER] = "0123456789abcdef", [DIGITS_UPPER] = "0123456789ABCDEF",
};

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
    static const uint64_t powers[] = { 1, 10, 100, 1000, 10000, 100000, 1000000, 10000000, 100000000, 1000000000, 10000000000, 100000000000, 1000000000000,
                                       10000000000000, 100000000000000, 1000000000000000, 10000000000000000, 100000000000000000, 1000000000000000000 };
    size_t whole;
    uint64_t fraction;

    if (!unwrap(f, &v) || v.n == 0 || v.n > 20)
        return false;
    if (!f->point)
        return (v.p[0] != '0' || v.n == 1) && digits_number(v, 0, v.n, out);
    if (v.n < f->point + 2u || v.p[v.n - f->point - 1] != '.')
        return false;
    whole = v.n - f->point - 1;
    if ((v.p[0] == '0' && whole > 1) || !digits_number(v, 0, whole, out) || !digits_number(v, whole + 1, f->point, &fraction))
        return false;
    *out = *out * powers[f->point] + fraction;     /* at most 19 digits: it fits */
    return true;
}

static bool read_hex(const struct form *f, struct str v, uint64_t *out)
{
    uint32_t high = 0, low = 0;

    if (!unwrap(f, &v) || v.n == 0 || v.n > 16 || (v.p[0] == '0' && v.n > 1))
        return false;
    if (v.n > 8 && !digits_nibbles(digits_word(v, 0, v.n - 8), f->digits, &high))
        return false;
    if (!digits_nibbles(digits_word(v, v.n > 8 ? v.n - 8 : 0, min_size(v.n, 8)), f->digits, &low))
        return false;
    *out = (uint64_t)high << 32 | low;
    return true;
}

/* octet - the number before the next point of a row of bytes, the first lowest; *ok is cleared if it is none. Without a branch: lengths of octets are as if random. */
static uint32_t octet(unsigned __int128 *bytes, bool *ok)
{
    static const uint32_t least[] = { 256, 0, 10, 100, 256 };
    uint32_t four = (uint32_t)*bytes, points = four ^ 0x2e2e2e2eu, found = (points - 0x01010101u) & ~points & 0x80808080u;
    uint32_t n = found ? (uint32_t)__builtin_ctz(found) / 8 : 4, digits = ((four ^ 0x303030u) << 8 * (3 - (n & 3)) & 0xffffffu);
    uint32_t v = (digits & 255) * 100 + (digits >> 8 & 255) * 10 + (digits >> 16);

    *ok &= !((digits | (digits + 0x767676u)) & 0x808080u) && v >= least[n] && v < 256;
    *bytes >>= 8 * (n + 1);
    return v;
}

static bool read_address(const struct form *f, struct str v, uint64_t *out)
{
    unsigned __int128 bytes = 0;
    uint64_t low, high;
    bool ok = true;

    if (!unwrap(f, &v) || v.n < 7 || v.n > 15)
        return false;
    if (v.n == 7)
        low = high = be64toh(digits_word(v, 0, 7) << 8);
    else {
        memcpy(&low, v.p, 8);
        memcpy(&high, v.p + v.n - 8, 8);
        low = le64toh(low);
        high = le64toh(high);
    }
    bytes = low | (v.n > 8 ? (unsigned __int128)high << 8 * (v.n - 8) : 0) | (unsigned __int128)'.' << 8 * v.n;
    *out = 0;
    for (int part = 0; part < 4; part++)
        *out = *out << 8 | octet(&bytes, &ok);
    return ok && bytes == 0;
}

bool form_take(const struct form *f, struct str v, uint64_t *out)
{
    switch (f->kind) {
    case COLUMN_DECIMAL: return read_decimal(f, v, out);
    case COLUMN_HEX: return read_hex(f, v, out);
    case COLUMN_ADDRESS: return read_address(f, v, out);
    default: return pattern_read(f, v, out);
    }
}

/* --- writing it back --- */

static char *put_text(char *to, struct str s)
{
    if (s.n)
        memcpy(to, s.p, s.n);
    return to + s.n;
}

/* put_decimal - the point goes between the digits, of which there is one before it at least. */
static char *put_decimal(const struct form *f, uint64_t v, char *to)
{
    char digits[FORM_NUMBER_MAX + 8];
    size_t n;

    if (!f->point)
        return digits_put_number(to, v);
    memset(digits, '0', FORM_NUMBER_MAX);
    n = (size_t)(digits_put_number(digits, v) - digits);
    while (n <= f->point) {
        memmove(digits + 1, digits, n++);
        digits[0] = '0';
    }
    memcpy(to, digits, n - f->point);
    to[n - f->point] = '.';
    memcpy(to + n - f->point + 1, digits + n - f->point, f->point);
    return to + n + 1;
}

static char *put_address(uint64_t v, char *to)
{
    for (int shift = 24; shift >= 0; shift -= 8) {
        uint32_t octet = v >> shift & 255, short_by = (octet < 100) + (octet < 10);
        uint32_t text = htole32(((octet / 100 | octet / 10 % 10 << 8 | octet % 10 << 16 | (uint32_t)'.' << 24) + 0x303030u) >> 8 * short_by);

        memcpy(to, &text, sizeof text);
        to += 4 - short_by;
    }
    return to - 1;
}

static char *put_hex(const struct form *f, uint64_t v, char *to)
{
    char digits[16];
    size_t n = v ? (size_t)(67 - __builtin_clzll(v)) / 4 : 1;

    digits_put_nibbles(digits, (uint32_t)(v >> 32), f->digits);
    digits_put_nibbles(digits + 8, (uint32_t)v, f->digits);
    memcpy(to, digits + 16 - n, n);
    return to + n;
}

size_t form_write(const struct form *f, uint64_t v, char *to)
{
    char *at = to;

    if (f->kind == COLUMN_PATTERN) {
        pattern_write(f, v, to);
        return f->pattern.n;
    }
    at = put_text(at, f->prefix);
    at = f->kind == COLUMN_DECIMAL ? put_decimal(f, v, at) : f->kind == COLUMN_HEX ? put_hex(f, v, at) : put_address(v, at);
    return (size_t)(put_text(at, f->suffix) - to);
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
        if (!pattern_prepare(f) || (kind == COLUMN_PATTERN && f->count > form_digits_max(f->digits)))
            rd_fail(head, "digits in a pattern");
        return;
    }
    f->point = rd_u8(head);
    if (f->point > 18 || (f->point && kind != COLUMN_DECIMAL))
        rd_fail(head, "digits behind the point");
    f->prefix = rd_varstr(head, FORM_AFFIX_MAX, "a prefix of at most 32 bytes");
    f->suffix = rd_varstr(head, FORM_AFFIX_MAX, "a suffix of at most 32 bytes");
}
