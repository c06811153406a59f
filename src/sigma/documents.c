/* documents.c - the documents of one file, and what "action" makes of them (an older form of collections).
 *
 * "action: global" is laid over every document that follows, until "action: reset"; "action: repeat" is laid over the document before
 * it, and both together are the next rule. Laid over: maps are merged, anything else takes the place of what stood there. What
 * neither changes is shared between the results, so nothing here writes to a node that it did not make. */
#include "sigma/internal.h"

#define MERGE_LOOKUPS_MAX 4000000u   /* keys compared in one file */

struct merge {
    struct arena *a;
    uint64_t      lookups;   /* left */
};
struct pair {
    struct pair        *next;
    struct ynode       *key;    /* its value becomes over laid over base */
    const struct ynode *base, *over;
};

static const struct ynode *find(struct merge *m, const struct ynode *map, struct str name)
{
    for (const struct ynode *k = map->first; k && m->lookups; k = k->next, m->lookups--)
        if (str_eq(k->text, name))
            return k;
    return NULL;
}

static struct ynode *append(struct merge *m, struct ynode *map, struct ynode *last, const struct ynode *key)
{
    struct ynode *made = arena_alloc(m->a, sizeof *made);

    if (!made)
        return NULL;
    *made = *key;
    made->next = NULL;
    if (last)
        last->next = made;
    else
        map->first = made;
    map->count++;
    return made;
}

/* map_over - a new map of the keys of both; where both have a map below a key, the pair is left to do. */
static struct ynode *map_over(struct merge *m, const struct ynode *base, const struct ynode *over, struct pair **todo)
{
    struct ynode *map = arena_alloc(m->a, sizeof *map), *last = NULL;

    if (!map)
        return NULL;
    *map = *base;
    map->first = NULL;
    map->count = 0;
    for (const struct ynode *k = base->first; k; k = k->next) {
        const struct ynode *other = find(m, over, k->text);
        bool both = other && other->value && other->value->kind == YNODE_MAP && k->value && k->value->kind == YNODE_MAP;

        last = append(m, map, last, both || !other ? k : other);
        if (!last)
            return NULL;
        if (both) {
            struct pair *p = arena_alloc(m->a, sizeof *p);

            if (!p)
                return NULL;
            *p = (struct pair){ *todo, last, k->value, other->value };
            *todo = p;
        }
    }
    for (const struct ynode *k = over->first; k; k = k->next) {
        if (find(m, base, k->text))
            continue;
        last = append(m, map, last, k);
        if (!last)
            return NULL;
    }
    return map;
}

static void drop_action(struct ynode *map)
{
    for (struct ynode **k = &map->first; *k; k = &(*k)->next)
        if (str_eq((*k)->text, STR("action"))) {
            *k = (*k)->next;
            map->count--;
            return;
        }
}

/* laid_over - NULL without memory, or past MERGE_LOOKUPS_MAX. */
static const struct ynode *laid_over(struct merge *m, const struct ynode *base, const struct ynode *over, const struct ynode *place)
{
    struct pair *todo = NULL;
    struct ynode *map = map_over(m, base, over, &todo);

    while (map && todo) {
        struct pair p = *todo;

        todo = p.next;
        p.key->value = map_over(m, p.base, p.over, &todo);
        if (!p.key->value)
            return NULL;
    }
    if (!map || !m->lookups)
        return NULL;
    drop_action(map);
    map->line = place->line;
    map->column = place->column;
    return map;
}

static struct str action_of(const struct ynode *doc)
{
    return doc->kind == YNODE_MAP ? yaml_text(doc, "action") : (struct str){ NULL, 0 };
}

int documents_each(struct yaml *y, document_take *take, void *arg)
{
    struct merge m = { &y->arena, MERGE_LOOKUPS_MAX };
    const struct ynode *global = NULL, *before = NULL;
    int rc = 0;

    for (size_t i = 0; i < y->doc_count && rc == 0; i++) {
        const struct ynode *doc = y->docs[i], *made = doc;
        struct str action = action_of(doc);
        bool repeat = str_eq(action, STR("repeat")) && before;

        if (str_eq(action, STR("global"))) {
            global = before = doc;
            continue;
        }
        if (str_eq(action, STR("reset"))) {
            global = NULL;
            continue;
        }
        if (repeat)
            made = laid_over(&m, before, doc, doc);
        else if (global && action.n == 0 && doc->kind == YNODE_MAP)
            made = laid_over(&m, doc, global, doc);
        if (!made)
            return -E2BIG;
        if (action.n == 0 || repeat)
            before = made;
        rc = take(arg, made, made != doc);
    }
    return rc;
}
