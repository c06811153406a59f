/* attrs.h - names with values, as far as one record of a request has them.
 *
 * Owns      nothing: texts are views into the body, or lie in the arena of whoever reads it.
 * Promises  1. Bounded: ATTRS_MAX kept, the rest counted.
 * Threads   owner. */
#ifndef SAQSHY_INGEST_ATTRS_H
#define SAQSHY_INGEST_ATTRS_H

#include "base/base.h"

#define ATTRS_MAX 64

struct attr {
    struct str name, value;      /* a value that is no text is written as one: 7, true, {"a":1} */
};
struct attrs {
    struct attr items[ATTRS_MAX];
    size_t      count, dropped;
};

/* attrs_get - the value of a name, {NULL,0} if absent. */
static inline struct str attrs_get(const struct attrs *all, struct str name)
{
    for (size_t i = 0; i < all->count; i++)
        if (str_eq(all->items[i].name, name))
            return all->items[i].value;
    return str_of(NULL, 0);
}

/* attrs_add - false if there was no room. */
static inline bool attrs_add(struct attrs *all, struct str name, struct str value)
{
    if (all->count == ATTRS_MAX) {
        all->dropped++;
        return false;
    }
    all->items[all->count++] = (struct attr){ name, value };
    return true;
}

#endif
