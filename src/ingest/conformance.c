/* conformance.c - see conformance.h. The judging is parse/conform.h's. */
#include "ingest/conformance.h"
#include "parse/conform.h"

#define OBJECT_BYTES 128    /* of an id */

struct annexed {
    struct annexed      *next;
    struct str           object;   /* malloc'ed: lines of one are shown to nobody who reaches another */
    char                *before;   /* of an earlier process, malloc'ed; gone with the first event */
    struct conform_tally tally;    /* last: what is asked of every event stands at its beginning */
};

/* one_of - of this class and object. What was nobody's becomes that of the first object which is known. */
static struct annexed *one_of(struct annexes *all, enum event_class class, struct str object)
{
    struct annexed **list = &all->first, *n, *nobodys = NULL;
    char *copy;
    size_t count = 0;

    object.n = min_size(object.n, OBJECT_BYTES);
    for (; *list; list = &(*list)->next, count++) {
        if ((*list)->tally.class != class)
            continue;
        if (str_eq((*list)->object, object))
            return *list;
        if (!(*list)->object.n)
            nobodys = *list;
    }
    if (!nobodys && count >= CONFORMANCE_TALLIES)
        return NULL;
    copy = malloc(object.n + 1);
    n = !copy ? NULL : nobodys ? nobodys : calloc(1, sizeof *n);
    if (!n) {
        free(copy);
        return NULL;
    }
    if (object.n)
        memcpy(copy, object.p, object.n);
    free((char *)(uintptr_t)n->object.p);
    n->object = str_of(copy, object.n);
    if (n == nobodys)
        return n;
    n->tally.class = class;
    *list = n;
    return n;
}

static struct conform_tally *tally_of(struct annexes *all, enum event_class class, struct str object)
{
    struct annexed *n = all->of_class[class];

    if (!n || !str_eq(n->object, str_of(object.p, min_size(object.n, OBJECT_BYTES))))
        all->of_class[class] = n = one_of(all, class, object);
    if (n && n->before) {
        free(n->before);
        n->before = NULL;
    }
    return n ? &n->tally : NULL;
}

void conformance_restore(struct annexes *all, enum event_class class, struct str object, struct str text)
{
    struct annexed *n = one_of(all, class, object);

    if (n && !n->before && n->tally.seen == 0)
        n->before = strndup(text.p, text.n);
}

void conformance_ahead(const struct annexes *all, enum event_class class)
{
    __builtin_prefetch(all->of_class[class]);
    __builtin_prefetch((const char *)all->of_class[class] + 64);
}

void conformance_see(struct annexes *all, const struct event *ev, struct arena *scratch)
{
    struct conform_tally *t = tally_of(all, ev->class, ev->object);
    struct conform c;

    if (!t)
        return;
    t->last = ev->received;
    t->since = t->since ? t->since : ev->received;
    if (!conform_due(t, ev->received) || ev->class == CLASS_NONE)
        return;
    arena_reset(scratch);
    conform_event(ev, ev->class, scratch, &c);
    conform_add(t, ev, &c);
}

void conformance_free(const struct annexes *all)
{
    for (struct annexed *n = all->first, *next; n; n = next) {
        next = n->next;
        conform_tally_free(&n->tally);
        free((char *)(uintptr_t)n->object.p);
        free(n->before);
        free(n);
    }
}

static void put_one(struct buf *b, const struct conformance_of *of, const struct annexed *one, bool brief)
{
    buf_str(b, STR("{\"source\":"));
    buf_json(b, of->source);
    buf_str(b, STR(",\"host\":"));
    buf_json(b, of->host);
    buf_str(b, STR(",\"object\":"));
    buf_json(b, one->object);
    buf_str(b, STR(",\"listener\":"));
    buf_json(b, of->listener);
    buf_byte(b, ',');
    conform_json(&one->tally, brief, b);
    buf_byte(b, '}');
}

void conformance_put(struct buf *b, const struct conformance_of *of, const struct annexes *all, size_t *count)
{
    for (const struct annexed *list = all->first; list; list = list->next) {
        buf_str(b, *count == 0 ? STR("\n") : STR(",\n"));
        if (list->before)
            buf_str(b, str_c(list->before));
        else
            put_one(b, of, list, *count >= CONFORMANCE_WHOLE);
        ++*count;
    }
}
