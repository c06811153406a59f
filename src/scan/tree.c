/* tree.c - what is kept of a report while it goes by: the open elements, and of their insides what some path asks for. */
#include "scan/internal.h"

#include <limits.h>

#define LEVEL_TEXT (256u * KIB)

int tree_init(struct tree *t, size_t limit)
{
    memset(t, 0, sizeof *t);
    pile_init(&t->pile, limit);
    for (size_t i = 0; i < COUNT(t->level); i++) {
        buf_init(&t->level[i].text, SCAN_RECORD_MAX);
        buf_init(&t->level[i].all, SCAN_RECORD_MAX);
    }
    return 0;
}

void tree_free(struct tree *t)
{
    pile_end(&t->pile);
    free(t->had);
    t->had = NULL;
    for (size_t i = 0; i < COUNT(t->level); i++) {
        buf_free(&t->level[i].text);
        buf_free(&t->level[i].all);
    }
}

static int too_large(struct err *e)
{
    return err_set(e, -E2BIG, "a record of the report is larger than %u MiB", SCAN_RECORD_MAX / MIB);
}

/* activate - the place is walked from this level on, unless it is already. */
static int activate(struct tree *t, struct level *l, uint32_t node, int32_t anchor, struct err *e)
{
    if (anchor >= 0 && t->had[node] == t->level[anchor].instance)
        return 0;
    for (size_t i = l->begin; i < l->end; i++)
        if (t->active[i].node == node && t->active[i].anchor == anchor)
            return 0;
    if (l->end == ACTIVE_MAX)
        return err_set(e, -E2BIG, "the paths of the description fit in too many ways at once (limit %u)", ACTIVE_MAX);
    t->active[l->end++] = (struct active){ node, anchor };
    if (anchor >= 0 && t->trie->nodes[node].want) {
        l->want |= t->trie->nodes[node].want;
        if (anchor < l->hold)
            l->hold = anchor;
    }
    return 0;
}

/* close_over - what stands at the same level without a step: twins of anchors, and "**", which may be no level at all. */
static int close_over(struct tree *t, struct level *l, struct err *e)
{
    int rc = 0;

    for (size_t i = l->begin; i < l->end && rc == 0; i++) {
        struct active a = t->active[i];
        const struct tnode *n = &t->trie->nodes[a.node];

        if (n->anchored)
            rc = activate(t, l, n->anchored, t->depth, e);
        for (uint32_t c = n->child; c && rc == 0; c = t->trie->nodes[c].next)
            if (t->trie->nodes[c].kind == STEP_DEEP)
                rc = activate(t, l, c, a.anchor, e);
    }
    return rc;
}

static void level_reset(struct tree *t, struct level *l, size_t begin)
{
    l->node = l->before = NULL;
    l->mark = pile_mark(&t->pile);
    l->begin = l->end = begin;
    l->want = 0;
    l->hold = INT32_MAX;
    l->run_name = l->run = 0;
    l->instance = ++t->instances ? t->instances : ++t->instances;   /* 0 is no level */
    buf_reset(&l->text);
    buf_reset(&l->all);
}

static struct node *node_make(struct tree *t, struct level *l, struct str name, uint32_t id, uint32_t index, uint64_t line)
{
    struct node *n = pile_alloc(&t->pile, sizeof *n), *parent = t->depth > 0 ? t->level[t->depth - 1].node : NULL;

    if (!n)
        return NULL;
    memset(n, 0, sizeof *n);
    n->id = id;
    n->index = index;
    n->line = line;
    n->name = id ? t->names->text[id] : pile_copy(&t->pile, name);
    n->parent = parent;
    if (parent) {
        l->before = parent->last;
        if (parent->last)
            parent->last->next = n;
        else
            parent->first = n;
        parent->last = n;
    }
    l->node = n;
    return t->pile.failed ? NULL : n;
}

int tree_begin(struct tree *t, const struct names *names, const struct trie *trie, struct err *e)
{
    struct level *l = &t->level[0];
    int rc;

    pile_rewind(&t->pile, (struct pile_mark){ 0 });
    t->pile.failed = false;
    t->names = names;
    t->trie = trie;
    t->depth = t->skip = t->deep = 0;
    t->gathered = 0;
    free(t->had);
    t->had = calloc(trie->count, sizeof *t->had);
    t->instances = 0;
    if (!t->had)
        return err_set(e, -ENOMEM, "no memory to read a report");
    level_reset(t, l, 0);
    if (!node_make(t, l, STR(""), 0, 0, 1))
        return too_large(e);
    rc = activate(t, l, 0, -1, e);
    if (rc == 0)
        rc = close_over(t, l, e);
    if (l->want & WANT_ALL)
        t->deep++;
    return rc;
}

/* step_into - the active places of the level above, one step on. */
static int step_into(struct tree *t, const struct level *above, struct level *l, uint32_t id, bool attribute, struct err *e)
{
    int rc = 0;

    for (size_t i = above->begin; i < above->end && rc == 0; i++) {
        struct active a = t->active[i];
        const struct tnode *n = &t->trie->nodes[a.node];

        if (n->loops && !attribute)
            rc = activate(t, l, a.node, a.anchor, e);
        for (uint32_t c = n->child; c && rc == 0; c = t->trie->nodes[c].next) {
            const struct tnode *k = &t->trie->nodes[c];

            if ((k->kind == STEP_NAME && k->name == id && id) || (k->kind == STEP_ANY && !attribute))
                rc = activate(t, l, c, a.anchor, e);
        }
    }
    return rc;
}

/* enough - of a report that is only being known, three of a kind show what there is. */
static bool enough(const struct node *parent, struct str name)
{
    size_t count = 0, all = 0;

    for (const struct node *k = parent->first; k && count < 3 && all < SNIFF_NODES; k = k->next, all++)
        count += str_eq(k->name, name);
    return all == SNIFF_NODES || (count == 3 && !str_eq(name, STR("line")) && !str_eq(name, STR("before")));
}

int tree_open(struct tree *t, struct str name, uint32_t id, int64_t index, uint64_t line, struct err *e)
{
    struct level *above = &t->level[t->depth], *l;
    bool attribute = !t->hollow && name.n > 0 && name.p[0] == '@';
    int rc;

    if (!id && !t->skip)
        id = names_find(t->names, name, NULL);
    if (t->depth + t->skip >= SCAN_DEPTH_MAX)
        return err_set(e, -E2BIG, "more than %d levels, one inside of the other", SCAN_DEPTH_MAX);
    if (t->skip) {
        t->skip++;
        return 0;
    }
    if (t->hollow && enough(above->node, name)) {
        t->skip = 1;
        return 0;
    }
    above->run = above->run_name == id ? above->run + 1 : 0;
    above->run_name = id;
    l = above + 1;
    level_reset(t, l, above->end);
    t->depth++;
    rc = step_into(t, above, l, id, attribute, e);
    if (rc == 0)
        rc = close_over(t, l, e);
    if (rc == 0 && l->begin == l->end) {
        t->depth--;
        t->skip = 1;
        return 0;
    }
    if (rc == 0 && !node_make(t, l, name, id, index < 0 ? above->run : (uint32_t)index, line))
        return too_large(e);
    if (l->want & WANT_ALL)
        t->deep++;
    return rc;
}

int tree_text(struct tree *t, struct str s, struct err *e)
{
    struct level *l = &t->level[t->depth];
    bool failed = false;

    if (t->skip == 0 && (l->want & WANT_TEXT)) {
        buf_str(&l->text, s);
        failed = buf_failed(&l->text);
    }
    for (int32_t i = t->depth; i >= 0 && t->deep > 0; i--)
        if (t->level[i].want & WANT_ALL) {
            buf_str(&t->level[i].all, s);
            t->gathered += s.n;
            failed = failed || buf_failed(&t->level[i].all) || t->gathered > 2 * SCAN_RECORD_MAX;
        }
    return failed ? too_large(e) : 0;
}

int tree_own_text(struct tree *t, struct str s, struct err *e)
{
    struct level *l = &t->level[t->depth];

    if (t->skip || !(l->want & WANT_TEXT))
        return 0;
    buf_str(&l->text, s);
    return buf_failed(&l->text) ? too_large(e) : 0;
}

static int tell(struct tree *t, struct level *l, struct err *e)
{
    int rc = 0;

    if (l->want & WANT_TEXT)
        l->node->text = pile_copy(&t->pile, str_trim(buf_view(&l->text)));
    if (l->want & WANT_ALL)
        l->node->all = pile_copy(&t->pile, str_trim(buf_view(&l->all)));
    if (t->pile.failed)
        return too_large(e);
    for (size_t i = l->begin; i < l->end && (l->node->text.n || l->node->all.n); i++) {
        const struct tnode *n = &t->trie->nodes[t->active[i].node];

        if (t->active[i].anchor >= 0 && n->want && !n->every)
            t->had[t->active[i].node] = t->level[t->active[i].anchor].instance;
    }
    for (size_t i = l->begin; i < l->end && rc == 0; i++)
        if (t->active[i].anchor == t->depth)
            for (uint32_t c = t->trie->nodes[t->active[i].node].consumers; c && rc == 0; c = t->trie->consumers[c].next)
                rc = t->consume(t->arg, t->trie->consumers[c].kind, t->trie->consumers[c].index, l->node, e);
    return rc;
}

/* give_back - a text that was large does not stay with its level: there are many of them. */
static void give_back(struct buf *b)
{
    if (b->cap > LEVEL_TEXT) {
        buf_free(b);
        buf_init(b, SCAN_RECORD_MAX);
    }
}

/* kept - whether somebody outside of this level still wants it: of those who do, one whose filters it passes is enough. */
static bool kept(struct tree *t, struct level *l)
{
    bool keep = false;

    if (l->hold >= t->depth)
        return false;
    for (size_t i = l->begin; i < l->end; i++) {
        const struct active *a = &t->active[i];
        const struct tnode *n = &t->trie->nodes[a->node];

        if (a->anchor < 0 || a->anchor >= t->depth)
            continue;
        if (n->filters && !t->holds(t->arg, n->filters, l->node))
            continue;
        keep = true;
        if (n->first)
            t->had[a->node] = t->level[a->anchor].instance;
    }
    return keep;
}

int tree_close(struct tree *t, struct err *e)
{
    struct level *l = &t->level[t->depth], *above = l - 1;
    int rc;

    if (t->skip) {
        t->skip--;
        return 0;
    }
    assert(t->depth > 0);
    rc = tell(t, l, e);
    if (l->want & WANT_ALL) {
        t->deep--;
        t->gathered -= min_size(t->gathered, l->all.n);
    }
    give_back(&l->text);
    give_back(&l->all);
    if (kept(t, l)) {
        above->hold = l->hold < above->hold ? l->hold : above->hold;
    } else {
        if (l->before)
            l->before->next = NULL;
        else
            above->node->first = NULL;
        above->node->last = l->before;
        pile_rewind(&t->pile, l->mark);
    }
    t->depth--;
    return rc;
}

int tree_end(struct tree *t, struct err *e)
{
    assert(t->depth == 0 && t->skip == 0);
    return tell(t, &t->level[0], e);
}
