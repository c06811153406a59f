/* wants.c - from all paths of a description to what the tree must keep in each of the two passes. */
#include "scan/internal.h"

struct adding {
    struct format     *f;
    struct trie       *t;
    const struct step *base;
    size_t             n, anchor;
    unsigned           besides;
};

static void add_path(void *arg, const struct path *p)
{
    struct adding *a = arg;

    switch (p->from) {
    case FROM_HERE:
        trie_want(a->t, a->base, a->n, a->anchor, p, path_want(p) | a->besides);
        break;
    case FROM_ROOT:
        trie_want(a->t, NULL, 0, 0, p, path_want(p) | a->besides);
        break;
    case FROM_TABLE:
        for (const struct path *k = p->key; k; k = k->next)
            add_path(arg, k);   /* a key is a path without a lookup of its own deeper than PATH_NEST_MAX */
        for (size_t i = 0; i < a->f->tables[p->index].at_count; i++) {
            const struct base *at = &a->f->tables[p->index].at[i];

            trie_want(&a->f->first, at->steps, at->count, at->count, p, path_want(p));
        }
        break;
    case FROM_SCALAR:
    case FROM_LITERAL:
        break;
    }
}

static void add_record(struct format *f, const struct record *r, enum consumer_kind kind, uint32_t index)
{
    for (size_t i = 0; i < r->at_count; i++) {
        const struct base *at = &r->at[i];
        struct step way[STEPS_MAX * 2];
        const struct path *each = r->each;

        trie_consume(&f->second, at->steps, at->count, kind, index);
        do {
            struct adding a = { .f = f, .t = &f->second, .base = way, .n = at->count, .anchor = at->count };

            for (size_t k = 0; k < at->count; k++)
                way[k] = at->steps[k];
            if (each)
                trie_want(&f->second, at->steps, at->count, at->count, each, WANT_NODE);
            for (size_t k = 0; each && k < each->count && a.n < COUNT(way); k++)
                way[a.n++] = each->steps[k];
            for (size_t k = 0; k < r->count; k++)
                expr_each_path(r->settings[k].value, add_path, &a);
            conds_each_path(r->when, add_path, &a);
            each = each ? each->next : NULL;
        } while (each);
    }
}

static void add_table(struct format *f, const struct table *t, uint32_t index)
{
    for (size_t i = 0; i < t->at_count; i++) {
        struct adding a = { .f = f, .t = &f->first, .base = t->at[i].steps, .n = t->at[i].count, .anchor = t->at[i].count };

        trie_consume(&f->first, t->at[i].steps, t->at[i].count, CONSUME_TABLE, index);
        expr_each_path(t->key, add_path, &a);
        conds_each_path(t->when, add_path, &a);
        for (size_t k = 0; k < t->give_count; k++)
            expr_each_path(t->give_values[k], add_path, &a);
    }
}

static void note_path(void *arg, const struct path *p)
{
    if (p->from == FROM_HERE || p->from == FROM_ROOT)
        *(bool *)arg = true;
}

int format_tries(struct format *f, struct err *e)
{
    struct adding first = { .f = f, .t = &f->first, .besides = WANT_FIRST }, second = { .f = f, .t = &f->second, .besides = WANT_FIRST };

    f->two_passes = f->table_count > 0 || f->scalar_count > 0;
    expr_each_path(f->tool, note_path, &f->two_passes);
    expr_each_path(f->tool, add_path, &first);
    for (size_t i = 0; i < f->scalar_count; i++)
        expr_each_path(f->scalars[i].value, add_path, &first);
    for (size_t i = 0; i < f->table_count; i++)
        add_table(f, &f->tables[i], (uint32_t)i);
    expr_each_path(f->version, add_path, &second);
    expr_each_path(f->started, add_path, &second);
    expr_each_path(f->ended, add_path, &second);
    for (size_t i = 0; i < f->record_count; i++)
        add_record(f, &f->records[i], CONSUME_RECORD, (uint32_t)i);
    for (size_t i = 0; i < f->cover_count; i++)
        add_record(f, &f->covers[i], CONSUME_COVER, (uint32_t)i);
    return f->first.failed || f->second.failed ? err_set(e, -E2BIG, "%s: the description has too many paths", f->id) : 0;
}
