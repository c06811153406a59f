/* wants.c - from all paths of a description to what the tree must keep in each of the two passes. */
#include "scan/internal.h"

struct adding {
    struct format     *f;
    struct trie       *t;
    const struct step *base;
    size_t             n, anchor;
    unsigned           besides;
};

/* join_steps - base and the steps of a path as one way; ".." takes steps off, and with them the anchor goes up, which is given back. */
static size_t join_steps(struct step *way, size_t most, const struct step *base, size_t *n, size_t anchor, const struct path *p)
{
    size_t count = min_size(*n, most);

    if (count)
        memcpy(way, base, count * sizeof *way);
    for (size_t i = 0; i < p->count && count < most; i++) {
        if (p->steps[i].kind != STEP_UP)
            way[count++] = p->steps[i];
        else if (count > 0 && way[count - 1].kind != STEP_DEEP)
            count--;
    }
    *n = count;
    return min_size(anchor, count);
}

static void add_path(void *arg, const struct path *under, const struct path *p)
{
    struct adding *a = arg, deeper = *a;
    struct step way[STEPS_MAX * 3];

    switch (p->from) {
    case FROM_HERE:
        if (under) {
            deeper.base = way;
            deeper.anchor = join_steps(way, COUNT(way), a->base, &deeper.n, a->anchor, under);
        }
        trie_want(a->t, deeper.base, deeper.n, deeper.anchor, p, path_want(p) | a->besides);
        break;
    case FROM_ROOT:
        trie_want(a->t, NULL, 0, 0, p, path_want(p) | a->besides);
        break;
    case FROM_TABLE:
        for (const struct path *k = p->key; k; k = k->next)
            add_path(arg, under, k);   /* a key has no lookup of its own deeper than PATH_NEST_MAX */
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

/* first_is_enough - a field of one text, straight from a path: however many nodes the path fits, the first text is kept alone. A cover's check takes all. */
static bool first_is_enough(const struct field *f, const struct expr *x)
{
    return x->kind == EXPR_PATH && strcmp(f->name, "check") != 0 && f->type != FIELD_LIST && f->type != FIELD_CVE && f->type != FIELD_CWE &&
           f->type != FIELD_VECTOR && f->type != FIELD_PORTS;
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
            for (size_t k = 0; k < r->count; k++) {
                a.besides = !each && first_is_enough(r->settings[k].field, r->settings[k].value) ? WANT_FIRST : 0;
                expr_each_path(r->settings[k].value, NULL, add_path, &a);
            }
            for (const struct cond *w = r->when; w; w = w->next) {
                a.besides = !each && w->kind == COND_PRESENT && w->value->kind == EXPR_PATH ? WANT_FIRST : 0;
                expr_each_path(w->value, NULL, add_path, &a);
            }
            each = each ? each->next : NULL;
        } while (each);
    }
}

static void add_table(struct format *f, const struct table *t, uint32_t index)
{
    for (size_t i = 0; i < t->at_count; i++) {
        struct adding a = { .f = f, .t = &f->first, .base = t->at[i].steps, .n = t->at[i].count, .anchor = t->at[i].count };

        trie_consume(&f->first, t->at[i].steps, t->at[i].count, CONSUME_TABLE, index);
        expr_each_path(t->key, NULL, add_path, &a);
        conds_each_path(t->when, NULL, add_path, &a);
        for (size_t k = 0; k < t->give_count; k++)
            expr_each_path(t->give_values[k], NULL, add_path, &a);
    }
}

static void note_path(void *arg, const struct path *under, const struct path *p)
{
    (void)under;
    if (p->from == FROM_HERE || p->from == FROM_ROOT)
        *(bool *)arg = true;
}

int format_tries(struct format *f, struct err *e)
{
    struct adding first = { .f = f, .t = &f->first, .besides = WANT_FIRST }, second = { .f = f, .t = &f->second, .besides = WANT_FIRST };

    f->two_passes = f->table_count > 0 || f->scalar_count > 0;
    expr_each_path(f->tool, NULL, note_path, &f->two_passes);
    expr_each_path(f->tool, NULL, add_path, &first);
    for (size_t i = 0; i < f->scalar_count; i++)
        expr_each_path(f->scalars[i].value, NULL, add_path, &first);
    for (size_t i = 0; i < f->table_count; i++)
        add_table(f, &f->tables[i], (uint32_t)i);
    expr_each_path(f->version, NULL, add_path, &second);
    expr_each_path(f->started, NULL, add_path, &second);
    expr_each_path(f->ended, NULL, add_path, &second);
    for (size_t i = 0; i < f->record_count; i++)
        add_record(f, &f->records[i], CONSUME_RECORD, (uint32_t)i);
    for (size_t i = 0; i < f->cover_count; i++)
        add_record(f, &f->covers[i], CONSUME_COVER, (uint32_t)i);
    return f->first.failed || f->second.failed ? err_set(e, -E2BIG, "%s: the description has too many paths", f->id) : 0;
}
