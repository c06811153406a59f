/* draft.c - the growing lists of a rule that is being compiled, and its refusal. */
#include "sigma/internal.h"

#include <stdarg.h>

static PRINTF(4, 0) int refuse(struct draft *d, const struct ynode *at, bool unsupported, const char *fmt, va_list ap)
{
    char text[ERR_TEXT_MAX];

    vsnprintf(text, sizeof text, fmt, ap);
    d->unsupported = unsupported;
    d->line = at ? at->line : 0;
    d->column = at ? at->column : 0;
    return err_set(d->e, unsupported ? -ENOTSUP : -EBADMSG, "%s", text);
}

int draft_broken(struct draft *d, const struct ynode *at, const char *fmt, ...)
{
    va_list ap;
    int rc;

    va_start(ap, fmt);
    rc = refuse(d, at, false, fmt, ap);
    va_end(ap);
    return rc;
}

int draft_unsupported(struct draft *d, const struct ynode *at, const char *fmt, ...)
{
    va_list ap;
    int rc;

    va_start(ap, fmt);
    rc = refuse(d, at, true, fmt, ap);
    va_end(ap);
    return rc;
}

void draft_remark(struct draft *d, const struct ynode *at, const char *fmt, ...)
{
    char text[ERR_TEXT_MAX];
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    (void)!sigma_remark(d->set, d->file, d->id, at ? at->line : 0, at ? at->column : 0, text);   /* without memory the rule is still right */
}

static bool grow(void **p, uint32_t *cap, uint32_t need, size_t size)
{
    uint32_t next = *cap ? *cap : 32;
    void *grown;

    while (next < need)
        next *= 2;
    if (next == *cap)
        return true;
    grown = realloc(*p, next * size);
    if (!grown)
        return false;
    *p = grown;
    *cap = next;
    return true;
}

void draft_free(struct draft *d)
{
    free(d->nodes);
    free(d->kids);
    free(d->leaves);
    free(d->names);
    free(d->conditions.p);
    arena_reset(&d->set->scratch);
}

/* leaf_cost - what a look at the leaf costs, in units of one comparison of short texts. */
static uint64_t leaf_cost(const struct leaf *leaf)
{
    uint64_t cost = 1;

    for (uint32_t i = 0; i < leaf->count; i++)
        switch (leaf->patterns[i].kind) {
        case PAT_CONTAINS: case PAT_REF_CONTAINS: cost += 8; break;
        case PAT_GLOB: cost += 20; break;
        case PAT_RE: case PAT_PART: cost += 50; break;
        case PAT_CIDR: cost += 8; break;
        default: cost += 1; break;
        }
    return leaf->field == FIELD_KEYWORD ? cost * 20 : cost;
}

/* cheap_first - the kids of an AND or OR by cost, so that most evaluations end early. Equal ones stay as the rule has them. */
static void cheap_first(const struct draft *d, uint32_t *kids, uint32_t count)
{
    if (count > 256)   /* sorting by insertion; such a list is a list of alternatives of one kind */
        return;
    for (uint32_t i = 1; i < count; i++) {
        uint32_t kid = kids[i], at = i;

        while (at && d->nodes[kids[at - 1]].cost > d->nodes[kid].cost) {
            kids[at] = kids[at - 1];
            at--;
        }
        kids[at] = kid;
    }
}

static int64_t add(struct draft *d, const struct node *n, const struct ynode *at)
{
    if (d->node_count >= SIGMA_NODES_MAX)
        return draft_broken(d, at, "the rule has more than %d parts", SIGMA_NODES_MAX);
    if (!grow((void **)&d->nodes, &d->node_cap, d->node_count + 1, sizeof *d->nodes))
        return err_set(d->e, -ENOMEM, "no memory for a rule");
    d->nodes[d->node_count] = *n;
    return d->node_count++;
}

int64_t draft_node(struct draft *d, enum node_kind kind, const uint32_t *kids, uint32_t count, const struct ynode *at)
{
    struct node n = { .kind = kind, .kids = d->kid_count, .kid_count = count };

    if (d->kid_count + count > 4 * SIGMA_NODES_MAX)
        return draft_broken(d, at, "the rule has more than %d parts", 4 * SIGMA_NODES_MAX);
    if (!grow((void **)&d->kids, &d->kid_cap, d->kid_count + count, sizeof *d->kids))
        return err_set(d->e, -ENOMEM, "no memory for a rule");
    memcpy(d->kids + d->kid_count, kids, count * sizeof *kids);
    cheap_first(d, d->kids + d->kid_count, count);
    d->kid_count += count;
    for (uint32_t i = 0; i < count; i++)
        n.cost += d->nodes[kids[i]].cost;
    return add(d, &n, at);
}

int64_t draft_leaf(struct draft *d, const struct leaf *leaf, const struct ynode *at)
{
    struct node n = { .kind = NODE_LEAF, .leaf = d->leaf_count, .cost = leaf_cost(leaf) };

    if (!grow((void **)&d->leaves, &d->leaf_cap, d->leaf_count + 1, sizeof *d->leaves))
        return err_set(d->e, -ENOMEM, "no memory for a rule");
    d->leaves[d->leaf_count] = *leaf;
    d->leaf_count++;
    return add(d, &n, at);
}
