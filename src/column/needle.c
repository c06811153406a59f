/* needle.c - a few bytes in many: see internal.h.
 *
 * Sixty-four places are tried at once: its first byte stands here and its last one stands where it would. A compiler makes that loads and compares of whole registers,
 * on any machine; what is left is compared in full. */
#include "column/internal.h"

static bool is_letter(unsigned char c) { return (c | 0x20) >= 'a' && (c | 0x20) <= 'z'; }

static void fold_of(unsigned char c, bool fold, unsigned char out[2])
{
    out[0] = fold && is_letter(c) ? 0x20 : 0;
    out[1] = c | out[0];
}

struct needle question_needle(struct str bytes, bool fold)
{
    struct needle n = { .bytes = bytes, .fold = fold };

    if (bytes.n) {
        fold_of((unsigned char)bytes.p[0], fold, n.first);
        fold_of((unsigned char)bytes.p[bytes.n - 1], fold, n.last);
    }
    return n;
}

static bool stands(const struct needle *n, const char *at)
{
    struct str there = str_of(at, n->bytes.n);

    return n->fold ? str_ieq(there, n->bytes) : str_eq(there, n->bytes);
}

/* places - of 64 places from at on, those that first and last byte allow. */
static uint64_t places(const struct needle *n, const unsigned char *at)
{
    const unsigned char *end = at + n->bytes.n - 1;
    unsigned char yes[64];

    for (size_t i = 0; i < 64; i++)
        yes[i] = ((at[i] | n->first[0]) == n->first[1]) & ((end[i] | n->last[0]) == n->last[1]);
    return bits_of_bytes(yes);
}

size_t needle_find(const struct needle *n, struct str text, size_t from)
{
    size_t end = text.n >= n->bytes.n && n->bytes.n ? text.n - n->bytes.n + 1 : 0;    /* where it can no longer begin */

    for (; from + 64 <= end; from += 64)
        for (uint64_t left = places(n, (const unsigned char *)text.p + from); left; left &= left - 1) {
            size_t at = from + (size_t)__builtin_ctzll(left);

            if (stands(n, text.p + at))
                return at;
        }
    for (; from < end; from++)
        if (stands(n, text.p + from))
            return from;
    return SIZE_MAX;
}
