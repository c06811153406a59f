/* set.c - sets of values: ten thousand addresses cost one hash of a value, not ten thousand comparisons. */
#include "query/internal.h"

#define FOLD_MAX 1024   /* bytes of a value that is folded on the stack; longer members are compared one by one */

int set_add(struct arena *a, struct query_set *s, struct str value, bool twins)
{
    struct str folded = fold_copy(a, value, twins);

    if (!folded.p)
        return -ENOMEM;
    /* Room grows by doubling: values are counted before the text ends. */
    if ((s->count & (s->count - 1)) == 0) {
        struct str *more = arena_array(a, s->count ? s->count * 2 : 1, sizeof *more);

        if (!more)
            return -ENOMEM;
        if (s->count)
            memcpy(more, s->value, s->count * sizeof *more);
        s->value = more;
    }
    s->value[s->count++] = folded;
    s->longest = max_size(s->longest, folded.n);
    return 0;
}

int set_end(struct arena *a, struct query_set *s)
{
    s->slots = 4;
    while (s->slots < s->count * 2)
        s->slots *= 2;
    s->slot = arena_zero(a, s->slots * sizeof *s->slot);
    if (!s->slot)
        return -ENOMEM;
    for (size_t i = 0; i < s->count; i++) {
        size_t k = (size_t)str_hash(s->value[i]) & (s->slots - 1);

        while (s->slot[k] && !str_eq(s->value[s->slot[k] - 1], s->value[i]))
            k = (k + 1) & (s->slots - 1);
        s->slot[k] = (uint32_t)(i + 1);
    }
    return 0;
}

bool set_has(const struct query_set *s, struct str v, bool twins)
{
    char folded[FOLD_MAX];
    struct str key;
    size_t n = 0;

    /* With twins a value becomes shorter, at most by half. */
    if (v.n > (twins ? s->longest * 2 : s->longest))
        return false;
    if (v.n > sizeof folded) {
        for (size_t i = 0; i < s->count; i++)
            if (fold_equal(v, s->value[i], twins))
                return true;
        return false;
    }
    n = fold_into(folded, v, twins);
    key = str_of(folded, n);
    for (size_t k = (size_t)str_hash(key) & (s->slots - 1); s->slot[k]; k = (k + 1) & (s->slots - 1))
        if (str_eq(s->value[s->slot[k] - 1], key))
            return true;
    return false;
}
