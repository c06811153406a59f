/* trie.c - all paths of a description in one tree of steps, walked beside the report: what no path can reach is passed over.
 *
 * A path has a head, the way from the root to the node whose closing asks for it (its anchor), and a tail that is kept until then.
 * Heads share one tree, and each place of it where something is anchored has a twin from which the tails go on. */
#include "scan/internal.h"

#define TRIE_MAX 20000u

int trie_init(struct trie *t)
{
    memset(t, 0, sizeof *t);
    t->cap = t->consumer_cap = 32;
    t->nodes = calloc(t->cap, sizeof *t->nodes);
    t->consumers = calloc(t->consumer_cap, sizeof *t->consumers);
    t->count = t->consumer_count = 1;
    return t->nodes && t->consumers ? 0 : -ENOMEM;
}

void trie_free(struct trie *t)
{
    free(t->nodes);
    free(t->consumers);
    memset(t, 0, sizeof *t);
}

/* node_new - the index of a new place, or 0 when there is no room. */
static uint32_t node_new(struct trie *t, enum step_kind kind, uint32_t name)
{
    if (t->count == t->cap) {
        struct tnode *more = t->cap < TRIE_MAX ? realloc(t->nodes, t->cap * 2 * sizeof *more) : NULL;

        if (!more) {
            t->failed = true;
            return 0;
        }
        t->nodes = more;
        t->cap *= 2;
    }
    t->nodes[t->count] = (struct tnode){ .kind = kind, .name = name, .loops = kind == STEP_DEEP };
    return (uint32_t)t->count++;
}

static uint32_t twin(struct trie *t, uint32_t of)
{
    if (!t->nodes[of].anchored) {
        uint32_t n = node_new(t, STEP_ANY, 0);

        t->nodes[of].anchored = n;
    }
    return t->nodes[of].anchored;
}

static uint32_t child(struct trie *t, uint32_t of, const struct step *s)
{
    uint32_t n;

    for (n = t->nodes[of].child; n; n = t->nodes[n].next)
        if (t->nodes[n].kind == s->kind && t->nodes[n].filters == s->filters && (s->kind != STEP_NAME || t->nodes[n].name == s->name))
            return n;
    n = node_new(t, s->kind, s->name);
    if (n) {
        t->nodes[n].filters = s->filters;
        t->nodes[n].next = t->nodes[of].child;
        t->nodes[of].child = n;
    }
    return n;
}

/* place - the node of a whole way, whose tail begins behind anchor steps. */
static uint32_t place(struct trie *t, const struct step *way, size_t n, size_t anchor)
{
    uint32_t at = 0;

    for (size_t i = 0; i <= n && !t->failed; i++) {
        if (i == anchor)
            at = twin(t, at);
        if (i < n)
            at = child(t, at, &way[i]);
    }
    return t->failed ? 0 : at;
}

void trie_consume(struct trie *t, const struct step *base, size_t n, enum consumer_kind kind, uint32_t index)
{
    uint32_t at = place(t, base, n, n), *link;

    if (t->failed)
        return;
    if (t->consumer_count == t->consumer_cap) {
        struct consumer *more = realloc(t->consumers, t->consumer_cap * 2 * sizeof *more);

        if (!more) {
            t->failed = true;
            return;
        }
        t->consumers = more;
        t->consumer_cap *= 2;
    }
    t->consumers[t->consumer_count] = (struct consumer){ .kind = kind, .index = index };
    link = &t->nodes[at].consumers;
    while (*link)
        link = &t->consumers[*link].next;
    *link = (uint32_t)t->consumer_count++;
}

static void want_at(struct trie *t, const struct step *way, size_t n, size_t anchor, unsigned want)
{
    uint32_t at = place(t, way, n, anchor);

    if (t->failed)
        return;
    t->nodes[at].want |= want & ~WANT_FIRST;
    if (!(want & WANT_FIRST))
        t->nodes[at].every = true;
}

unsigned path_want(const struct path *p)
{
    return p->give == GIVE_ALL_TEXT ? WANT_ALL : p->give == GIVE_TEXT ? WANT_TEXT : WANT_NODE;
}

/* set_first - of a path of which the first is enough, the outermost filter says when it was seen. */
static void set_first(struct trie *t, const struct step *way, size_t n, size_t anchor)
{
    for (size_t i = anchor; i < n; i++)
        if (way[i].filters) {
            uint32_t at = place(t, way, i + 1, anchor);

            if (!t->failed)
                t->nodes[at].first = true;
            return;
        }
}

void trie_want(struct trie *t, const struct step *base, size_t n, size_t anchor, const struct path *p, unsigned want)
{
    struct step way[STEPS_MAX * 4];
    size_t count = 0;
    bool filtered = false;

    for (; count < n && count < COUNT(way); count++)
        way[count] = base[count];
    for (size_t i = 0; i < p->count && count < COUNT(way); i++) {
        if (p->steps[i].kind == STEP_UP) {
            if (count > n)
                want_at(t, way, count, anchor, WANT_NODE);
            if (count > 0 && way[count - 1].kind != STEP_DEEP)
                count--;
            anchor = min_size(anchor, count);
            n = min_size(n, count);
        } else {
            way[count++] = p->steps[i];
        }
        for (const struct filter *f = p->steps[i].filters; f; f = f->next)
            for (const struct path *q = f->path; q; q = q->next)
                trie_want(t, way, count, anchor, q, path_want(q));
        filtered = filtered || p->steps[i].filters;
    }
    if (filtered && (want & WANT_FIRST))
        set_first(t, way, count, anchor);
    want_at(t, way, count, anchor, filtered ? want & ~WANT_FIRST : want);
}
