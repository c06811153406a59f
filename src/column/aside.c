/* aside.c - the texts of up to 64 rows, written only to be asked: see internal.h. */
#include "column/internal.h"

uint64_t aside_ask(const struct aside *a, const struct column_question *q, const struct needle *n)
{
    struct str all = str_of(a->text, a->count ? a->end[a->count - 1] : 0);
    uint64_t yes = 0;
    size_t found = q->needle.n ? needle_find(n, all, 0) : 0;

    /* All are searched at once; only those in which the needle begins are asked. */
    for (size_t i = 0, from = 0; i < a->count && found != SIZE_MAX; from = a->end[i++]) {
        if (found >= a->end[i] && q->needle.n)
            continue;
        if (q->yes(q->arg, str_of(a->text + from, a->end[i] - from)))
            yes |= UINT64_C(1) << a->row[i];
        if (q->needle.n && i + 1 < a->count)
            found = needle_find(n, all, a->end[i]);
    }
    return yes;
}
