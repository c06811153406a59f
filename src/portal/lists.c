/* lists.c - see lists.h. */
#include "portal/lists.h"
#include "desk/collection/collection.h"

int list_search(struct call *c, struct str *folded)
{
    struct str q = params_get(&c->params, "q");

    if (q.n > LIST_SEARCH_MAX)
        return err_set(&c->err, -EINVAL, "q");
    *folded = desk_fold(str_trim(q), &c->arena);
    return 0;
}

bool list_holds(struct call *c, const char *text, struct str folded) { return str_find(desk_fold(str_c(text), &c->arena), folded) >= 0; }

int list_choice(struct call *c, const char *name, const char *const *words, size_t count, size_t *index)
{
    struct str asked = params_get(&c->params, name);

    if (asked.n == 0)
        return 0;
    for (size_t i = 0; i < count; i++)
        if (str_eq(asked, str_c(words[i]))) {
            *index = i;
            return 0;
        }
    return err_set(&c->err, -EINVAL, "%s", name);
}

int list_begin(struct call *c, const void *rows, size_t count, list_id *id, struct str cursor, size_t *at)
{
    struct str rest = cursor, first;
    uint64_t index;

    *at = 0;
    if (!cursor.n)
        return 0;
    if (!str_split(&rest, ' ', &first) || !str_u64(first, &index) || !rest.n)
        return err_set(&c->err, -EINVAL, "before");
    for (size_t i = 0; i < count; i++)
        if (str_eq(rest, str_c(id(rows, i)))) {
            *at = i + 1;
            return 0;
        }
    *at = index < count ? (size_t)index : count;
    return 0;
}

json_t *list_next(const void *rows, size_t count, list_id *id, size_t end) { return count > end ? json_sprintf("%zu %s", end, id(rows, end - 1)) : json_null(); }
