/* testing.h - for the tests and the fuzzer: whether learn_cut kept what its face promises.
 *
 * Owns      nothing.
 * Threads   any. */
#ifndef SAQSHY_LEARN_TESTING_H
#define SAQSHY_LEARN_TESTING_H

#include "learn/internal.h"

static inline bool testing_inside_word(struct str text, uint32_t at) { return at > 0 && at < text.n && word_byte(text.p[at - 1]) && word_byte(text.p[at]); }

/* testing_inside_address - of IPv4: letters, digits and dots around this place are four numbers of at most three digits. */
static inline bool testing_inside_address(struct str text, uint32_t at)
{
    uint32_t from = at, to = at, dots = 0, digits = 0;

    while (from > 0 && (word_byte(text.p[from - 1]) || text.p[from - 1] == '.'))
        from--;
    while (to < text.n && (word_byte(text.p[to]) || text.p[to] == '.'))
        to++;
    for (uint32_t i = from; i < to; i++) {
        if (text.p[i] == '.' && digits > 0 && digits <= 3) {
            dots++;
            digits = 0;
        } else if (text.p[i] >= '0' && text.p[i] <= '9') {
            digits++;
        } else {
            return false;
        }
    }
    return from < at && at < to && dots == 3 && digits > 0 && digits <= 3;
}

/* testing_same_statics - pieces 0, 2, 4 … of both rows have the same bytes. */
static inline bool testing_same_statics(const struct str *texts, const struct learn_out *out, uint32_t row, uint32_t like)
{
    const uint32_t *own = out->cut + out->first[row], *his = out->cut + out->first[like];
    uint32_t n = out->first[row + 1] - out->first[row];

    if (n != out->first[like + 1] - out->first[like])
        return false;
    for (uint32_t k = 0; k <= n; k += 2) {
        struct str a = k < n ? str_of(texts[row].p, own[k]) : texts[row], b = k < n ? str_of(texts[like].p, his[k]) : texts[like];

        if (!str_eq(str_cut(a, k ? own[k - 1] : 0), str_cut(b, k ? his[k - 1] : 0)))
            return false;
    }
    return true;
}

/* testing_broken - the promise that was not kept, or NULL. */
static inline const char *testing_broken(const struct str *texts, size_t count, const struct learn_out *out)
{
    uint32_t *first = calloc(out->groups + 1, sizeof *first), *rows = calloc(out->groups + 1, sizeof *rows), next = 1;   /* first: row + 1 */
    const char *broken = first && rows ? NULL : "memory";

    for (uint32_t i = 0; i < count && !broken; i++) {
        uint32_t g = out->group[i], n = out->first[i + 1] - out->first[i], at = 0;
        const uint32_t *cut = out->cut + out->first[i];

        if (g > out->groups) {
            broken = "groups are numbered from 1";
            break;
        }
        if (n + 1 > LEARN_PIECES_MAX || n % 2 || (!g && n))
            broken = "the number of pieces is odd, at most LEARN_PIECES_MAX, and 1 of a whole text";
        rows[g]++;
        for (uint32_t k = 0; k < n; at = cut[k++]) {
            if (cut[k] < at || cut[k] > texts[i].n)
                broken = "pieces one behind the other are the text";
            if (testing_inside_word(texts[i], cut[k]))
                broken = "a word is never cut";
            if (testing_inside_address(texts[i], cut[k]))
                broken = "nor is an address";
        }
        if (g && !first[g]) {
            first[g] = i + 1;
            if (g != next++)
                broken = "groups are numbered by their first rows";
        }
        if (g && !testing_same_statics(texts, out, i, first[g] - 1))
            broken = "statics are the same in all rows of a group";
    }
    for (uint32_t g = 0; g <= out->groups && !broken; g++)
        if (rows[g] != out->rows[g] || (g && rows[g] < LEARN_ROWS_MIN))
            broken = "a group has at least LEARN_ROWS_MIN rows";
    free(first);
    free(rows);
    return broken;
}

#endif
