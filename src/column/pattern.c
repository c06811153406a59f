/* pattern.c - texts of one length in which only digits differ: see internal.h.
 *
 * A text is read eight characters at a time, wherever its digits are: what is fixed is compared, what is a digit becomes half a byte, and the half bytes are moved
 * together, by steps that were worked out once for the pattern (one, two and four places; Hacker's Delight, "compress"). */
#include "column/internal.h"

/* prepare_eight - what to do with the characters from at on, of which those before from were read already. */
static void prepare_eight(const struct form *f, struct form_eight *e, size_t at, size_t from, size_t n)
{
    uint32_t down = 0;

    *e = (struct form_eight){ .at = (uint8_t)at };
    /* From the last character up: it is the lowest. Each digit goes down over those that are none. */
    for (size_t i = 0; i < n; i++) {
        size_t place = n - 1 - i, where = i;
        unsigned char c = (unsigned char)f->pattern.p[at + place];

        if (at + place < from || c) {
            e->is_fixed |= (uint64_t)(at + place < from ? 0 : 0xff) << 8 * i;
            e->fixed |= (uint64_t)(at + place < from ? 0 : c) << 8 * i;
            down++;
            continue;
        }
        e->is_digit |= UINT64_C(0xff) << 8 * i;
        e->digits++;
        for (uint32_t step = 0; step < 3; step++)
            if (down >> step & 1) {
                e->move[step] |= 0xfu << 4 * where;
                where -= (size_t)1 << step;
            }
    }
}

bool pattern_prepare(struct form *f)
{
    size_t n = f->pattern.n;

    f->runs = f->count = f->eights = 0;
    memset(f->text, 0, sizeof f->text);
    if (n > FORM_PATTERN_MAX)
        return false;
    for (size_t i = 0; i < n; i++) {
        f->text[i] = f->pattern.p[i];
        if (f->pattern.p[i])
            continue;
        if (i == 0 || f->pattern.p[i - 1]) {
            if (f->runs == FORM_RUNS_MAX)
                return false;
            f->run[f->runs++] = (struct form_run){ (uint8_t)i, 0 };
        }
        f->run[f->runs - 1].n++;
        f->count++;
    }
    for (size_t from = 0; from < n; from += 8) {
        size_t at = from + 8 <= n ? from : n >= 8 ? n - 8 : 0;

        prepare_eight(f, &f->eight[f->eights++], at, from, min_size(8, n));
    }
    return f->runs > 0;
}

/* take_eight - the digits among eight characters as half bytes; false: the text is not of this pattern. */
static bool take_eight(const struct form_eight *e, enum digits kind, struct str v, uint32_t *out)
{
    uint64_t word = v.n >= 8 ? digits_load_word(v.p + e->at) : digits_word(v, 0, v.n);
    uint64_t digits = (word & e->is_digit) | (DIGITS_EACH('0') & ~e->is_digit);
    uint32_t halves;

    if ((word ^ e->fixed) & e->is_fixed || !digits_nibbles(digits, kind, &halves))
        return false;
    for (uint32_t step = 0; step < 3; step++) {
        uint32_t go = halves & e->move[step];

        halves = (halves ^ go) | go >> (4u << step);
    }
    *out = halves;
    return true;
}

bool pattern_read(const struct form *f, struct str v, uint64_t *out)
{
    static const uint32_t powers[] = { 1, 10, 100, 1000, 10000, 100000, 1000000, 10000000, 100000000 };
    uint64_t n = 0;

    if (v.n != f->pattern.n)
        return false;
    for (size_t i = 0; i < f->eights; i++) {
        const struct form_eight *e = &f->eight[i];
        uint32_t halves;

        if (!take_eight(e, f->digits, v, &halves))
            return false;
        n = f->digits == DIGITS_DECIMAL ? n * powers[e->digits] + digits_of_nibbles(halves) : n << 4 * e->digits | halves;
    }
    *out = n;
    return true;
}

bool pattern_read_long(const struct form *f, struct str v, unsigned char *to)
{
    uint64_t held = 0;
    size_t halves = f->count % 2;     /* an odd number of digits begins with half a byte */

    if (v.n != f->pattern.n)
        return false;
    for (size_t i = 0; i < f->eights; i++) {
        const struct form_eight *e = &f->eight[i];
        uint32_t some;

        if (!take_eight(e, f->digits, v, &some))
            return false;
        held = held << 4 * e->digits | some;
        for (halves += e->digits; halves >= 2; halves -= 2, to += LONG_STRIDE)
            *to = (unsigned char)(held >> 4 * (halves - 2));
    }
    return true;
}

/* spread - the digits into their places. Each stretch is copied by eights, a little too far: what comes behind is written later. The text has eight bytes of room behind
 * it, and so has the pattern. */
static void spread(const struct form *f, const char *digits, char *to)
{
    size_t at = 0;

    for (size_t i = 0; i < f->runs; i++) {
        for (; at < f->run[i].at; at += 8)
            memcpy(to + at, f->text + at, 8);
        at = f->run[i].at;
        for (size_t done = 0; done < f->run[i].n; done += 8)
            memcpy(to + at + done, digits + done, 8);
        digits += f->run[i].n;
        at += f->run[i].n;
    }
    for (; at < f->pattern.n; at += 8)
        memcpy(to + at, f->text + at, 8);
}

void pattern_write(const struct form *f, uint64_t v, char *to)
{
    char digits[24 + 8];

    if (f->digits == DIGITS_DECIMAL) {
        digits_put_decimal(digits, (uint32_t)(v / 100000000 / 100000000 % 100000000));
        digits_put_decimal(digits + 8, (uint32_t)(v / 100000000 % 100000000));
        digits_put_decimal(digits + 16, (uint32_t)(v % 100000000));
    } else {
        digits_put_nibbles(digits + 8, (uint32_t)(v >> 32), f->digits);
        digits_put_nibbles(digits + 16, (uint32_t)v, f->digits);
    }
    spread(f, digits + 24 - f->count, to);
}

size_t pattern_write_long(const struct form *f, const unsigned char *from, char *to)
{
    char digits[FORM_PATTERN_MAX + 16];
    size_t bytes = (f->count + 1) / 2;

    for (size_t i = 0; i < bytes; i += 4) {
        uint32_t four = 0;

        for (size_t j = i; j < i + 4; j++, from += LONG_STRIDE)
            four = four << 8 | (j < bytes ? *from : 0u);
        digits_put_nibbles(digits + 2 * i, four, f->digits);
    }
    spread(f, digits + f->count % 2, to);
    return f->pattern.n;
}
