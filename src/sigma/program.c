/* program.c - nodes become a row of instructions "look at a leaf, then go there or there", and its evaluation.
 *
 * The tree is written out from its last part to its first, so that the two places a part jumps to are known when it is
 * written. A selection that stands in the condition twice is written twice; SIGMA_NODES_MAX bounds the whole. */
#include "sigma/engine.h"

struct frame {
    uint32_t node, yes, no;
    uint32_t left;      /* kids still to be written */
    uint32_t entry;     /* of what was written last */
};

struct writer {
    struct draft   *d;
    struct program *out;
    struct frame   *stack;
    uint32_t        depth, cap;
    uint32_t        entry;   /* of the part finished last */
};

static int push(struct writer *w, uint32_t node, uint32_t yes, uint32_t no)
{
    const struct node *n = &w->d->nodes[node];

    if (w->depth == w->cap) {
        uint32_t cap = w->cap ? w->cap * 2 : 64;
        struct frame *grown = cap <= 4 * SIGMA_NODES_MAX ? realloc(w->stack, cap * sizeof *grown) : NULL;

        if (!grown)
            return err_set(w->d->e, -ENOMEM, "no memory for a rule");
        w->stack = grown;
        w->cap = cap;
    }
    w->stack[w->depth++] = (struct frame){ node, yes, no, n->kind == NODE_LEAF ? 1 : n->kid_count, UINT32_MAX };
    return 0;
}

static int write_leaf(struct writer *w, const struct frame *f)
{
    struct program *p = w->out;

    if (p->count == SIGMA_NODES_MAX)
        return draft_broken(w->d, NULL, "the condition, written out, has more than %d parts", SIGMA_NODES_MAX);
    p->code[p->count] = (struct instr){ w->d->nodes[f->node].leaf, f->yes, f->no };
    w->entry = p->count++;
    return 0;
}

/* step - one more kid of the part on top, or its end. */
static int step(struct writer *w)
{
    struct frame *f = &w->stack[w->depth - 1];
    const struct node *n = &w->d->nodes[f->node];
    bool last = f->left == n->kid_count;
    uint32_t kid, yes, no;

    if (n->kind == NODE_LEAF) {
        struct frame leaf = *f;

        w->depth--;
        return write_leaf(w, &leaf);
    }
    if (f->left < n->kid_count)
        f->entry = w->entry;   /* of the kid that follows the next one */
    if (f->left == 0) {
        w->depth--;
        return 0;
    }
    kid = w->d->kids[n->kids + --f->left];
    if (n->kind == NODE_NOT) {
        yes = f->no;
        no = f->yes;
    } else if (n->kind == NODE_AND) {
        yes = last ? f->yes : f->entry;
        no = f->no;
    } else {
        yes = f->yes;
        no = last ? f->no : f->entry;
    }
    return push(w, kid, yes, no);
}

/* keep_parts - the nodes, as witness.c reads them. */
static int keep_parts(const struct draft *d, struct program *out)
{
    struct arena *a = &d->set->arena;

    out->names = arena_array(a, d->name_count + 1, sizeof *out->names);
    for (uint32_t i = 0; out->names && i < d->name_count; i++)
        out->names[out->name_count++] = (struct named){ text_keep(d->set, d->names[i].name), d->names[i].node };
    if (!out->names)
        return err_set(d->e, -ENOMEM, "no memory for a rule");

    out->part_count = d->node_count;
    out->parts = arena_array(a, d->node_count, sizeof *out->parts);
    out->kids = arena_array(a, d->kid_count + 1, sizeof *out->kids);
    if (!out->parts || !out->kids)
        return err_set(d->e, -ENOMEM, "no memory for a rule");
    for (uint32_t i = 0; i < d->node_count; i++) {
        const struct node *n = &d->nodes[i];

        out->parts[i] = (struct part){ n->kind, n->kind == NODE_LEAF ? n->leaf : n->kids, n->kid_count };
    }
    if (d->kid_count)
        memcpy(out->kids, d->kids, d->kid_count * sizeof *out->kids);
    return 0;
}

int program_compile(struct draft *d, uint32_t root, struct program *out)
{
    struct writer w = { .d = d, .out = out };
    AUTO_FREE struct instr *code = calloc(SIGMA_NODES_MAX, sizeof *code);
    struct arena *a = &d->set->arena;
    int rc;

    if (!code)
        return err_set(d->e, -ENOMEM, "no memory for a rule");
    *out = (struct program){ .code = code, .root = root };
    rc = push(&w, root, GOTO_TRUE, GOTO_FALSE);
    while (rc == 0 && w.depth)
        rc = step(&w);
    free(w.stack);
    if (rc < 0)
        return rc;
    out->entry = w.entry;
    out->code = arena_array(a, out->count, sizeof *code);
    out->leaves = arena_array(a, d->leaf_count, sizeof *out->leaves);
    out->leaf_count = d->leaf_count;
    if (!out->code || !out->leaves)
        return err_set(d->e, -ENOMEM, "no memory for a rule");
    memcpy(out->code, code, out->count * sizeof *code);
    memcpy(out->leaves, d->leaves, d->leaf_count * sizeof *out->leaves);
    return keep_parts(d, out);
}

/* --- evaluation --- */

static bool number_holds(const struct pattern *p, struct str s)
{
    double v;

    if (p->kind == PAT_NUMBER && str_eq(s, p->text))
        return true;
    return number_parse(s, &v) && number_compare(p->kind, v, p->number);
}

static bool part_holds(const struct pattern *p, struct str s)
{
    double v;

    return part_of(p->part, s, p->zone_min, &v) && number_compare(p->compare, v, p->number);
}

static bool cidr_holds(const struct pattern *p, struct str s)
{
    uint8_t addr[16];
    unsigned whole = p->prefix / 8, bits = p->prefix % 8;

    if (p->prefix < 96 && str_chr(s, ':') < 0)   /* as ::ffff:a.b.c.d it would lie in ::/0, which is of version 6 */
        return false;
    if (!address_parse(s, addr) || memcmp(addr, p->net, whole) != 0)
        return false;
    return bits == 0 || ((addr[whole] ^ p->net[whole]) & (0xFF00u >> bits & 0xFF)) == 0;
}

static bool find_text(enum pattern_kind kind, struct str s, struct str want, struct place *pl)
{
    ptrdiff_t at;

    *pl = (struct place){ 0, want.n };
    switch (kind) {
    case PAT_STARTS: return str_starts(s, want);
    case PAT_ENDS:
        pl->at = s.n - min_size(s.n, want.n);
        return str_ends(s, want);
    case PAT_CONTAINS:
        at = str_find(s, want);
        pl->at = at < 0 ? 0 : (size_t)at;
        return at >= 0;
    default: return str_eq(s, want);
    }
}

static bool reference_holds(const struct pattern *p, struct view *v, uint32_t value, struct place *pl)
{
    static const enum pattern_kind as[] = { PAT_EQ, PAT_STARTS, PAT_ENDS, PAT_CONTAINS };
    struct str s = p->cased ? view_value(v, value)->raw : view_folded(v, value);

    for (uint32_t o = view_first(v, p->ref_field); o != UINT32_MAX; o = view_next(v, o)) {
        struct str other = p->cased ? view_value(v, o)->raw : view_folded(v, o);

        if (v->values[o].raw.p && find_text(as[p->kind - PAT_REF], s, other, pl))
            return true;
    }
    return false;
}

static bool glob_holds(const struct pattern *p, struct view *v, struct str s)
{
    uint32_t steps = GLOB_STEPS_MAX;
    bool hit = glob_match(p->tokens, p->token_count, s, &steps);

    v->regex_limit += steps == 0;
    return hit;
}

static bool regex_holds(const struct pattern *p, struct view *v, struct str s, struct place *pl)
{
    int rc = regex_match(p->re, v->re, s, &pl->at, &pl->n);

    v->regex_limit += rc < 0;
    return rc == 1;
}

/* begins_otherwise - seen by the first byte, before anything is folded: a text that folds to one of ASCII may begin with a byte that is not. */
static inline bool begins_otherwise(const struct pattern *p, struct str raw)
{
    unsigned char c = raw.n && p->text.n ? (unsigned char)raw.p[0] : 0x80;

    return c < 0x80 && (char)(c >= 'A' && c <= 'Z' ? c | 0x20 : c) != p->text.p[0];
}

/* value_holds - one value of the event against one pattern. */
static bool value_holds(const struct pattern *p, struct view *v, uint32_t value, struct place *pl)
{
    struct str raw = view_value(v, value)->raw;

    *pl = (struct place){ 0, raw.n };
    if (!raw.p)
        return p->kind == PAT_NULL || p->kind == PAT_EXISTS;
    switch (p->kind) {
    case PAT_ANY: case PAT_EXISTS: return true;
    case PAT_EQ: case PAT_STARTS:
        if (!p->cased && begins_otherwise(p, raw))
            return false;
        return find_text(p->kind, p->cased ? raw : view_folded(v, value), p->text, pl);
    case PAT_ENDS: case PAT_CONTAINS:
        return find_text(p->kind, p->cased ? raw : view_folded(v, value), p->text, pl);
    case PAT_GLOB: return glob_holds(p, v, p->cased ? raw : view_folded(v, value));
    case PAT_RE: return regex_holds(p, v, raw, pl);
    case PAT_CIDR: return cidr_holds(p, raw);
    case PAT_NUMBER: case PAT_LT: case PAT_LTE: case PAT_GT: case PAT_GTE: return number_holds(p, raw);
    case PAT_PART: return part_holds(p, raw);
    case PAT_REF: case PAT_REF_STARTS: case PAT_REF_ENDS: case PAT_REF_CONTAINS: return reference_holds(p, v, value, pl);
    case PAT_NULL: case PAT_ABSENT: return false;
    }
    return false;
}

/* reads_folded - the place is one of the folded value. */
static bool reads_folded(const struct pattern *p) { return !p->cased && (p->kind == PAT_STARTS || p->kind == PAT_ENDS || p->kind == PAT_CONTAINS || p->kind >= PAT_REF); }

struct leaf_hit { uint32_t value; struct place place; bool folded; };

#define LOOKS_MIN 3   /* searches in one value from which on its grams pay */

/* denied - the value cannot hold the pattern, by the set of its grams alone. */
static inline bool denied(const struct pattern *p, struct view *v, uint32_t value)
{
    struct vvalue *val = view_value(v, value);

    if (!val->grams) {
        if (val->looks < LOOKS_MIN) {
            val->looks++;
            return false;
        }
        grams_make(v, value);
        if (!val->grams)
            return false;
    }
    if (p->needs_byte && !(val->bytes[p->need_byte / 32] >> p->need_byte % 32 & 1))
        return true;
    for (uint32_t i = 0; i < p->needs; i++) {
        uint32_t h = p->need[i] >> val->gram_shift;

        if (!(val->grams[h / 32] >> h % 32 & 1))
            return true;
    }
    return false;
}

/* leaf_holds - hit->value is UINT32_MAX when the leaf is true because its field is absent. */
static inline bool leaf_holds(const struct leaf *leaf, struct view *v, bool quick, struct leaf_hit *hit)
{
    bool keyword = leaf->field == FIELD_KEYWORD;
    uint32_t first = keyword ? 0 : view_first(v, leaf->field);

    hit->value = UINT32_MAX;
    if (!keyword && first == UINT32_MAX) {
        for (uint32_t i = 0; i < leaf->count; i++)
            if (leaf->patterns[i].kind == PAT_NULL || leaf->patterns[i].kind == PAT_ABSENT)
                return true;
        return false;
    }
    for (uint32_t i = first; keyword ? i < view_words(v) : i != UINT32_MAX; i = keyword ? i + 1 : view_next(v, i))
        for (uint32_t k = 0; k < leaf->count; k++) {
            const struct pattern *p = &leaf->patterns[k];

            if ((!quick || p->needs + p->needs_byte == 0 || !denied(p, v, i)) && value_holds(p, v, i, &hit->place)) {
                hit->value = i;
                hit->folded = reads_folded(p);
                return true;
            }
        }
    return false;
}

bool leaf_true(const struct leaf *leaf, struct view *v)
{
    struct leaf_hit hit;

    return leaf_holds(leaf, v, false, &hit);
}

bool leaf_quick(const struct leaf *leaf, struct view *v)
{
    struct leaf_hit hit;

    return leaf_holds(leaf, v, true, &hit);
}

bool program_run(const struct program *p, struct view *v)
{
    uint32_t at = p->entry;
    struct leaf_hit hit;

    while (at < GOTO_FALSE)
        at = leaf_holds(&p->leaves[p->code[at].leaf], v, false, &hit) ? p->code[at].yes : p->code[at].no;
    return at == GOTO_TRUE;
}

bool program_match(const struct program *p, struct view *v)
{
    uint32_t at = p->entry;
    struct leaf_hit hit;

    while (at < GOTO_FALSE)
        at = leaf_holds(&p->leaves[p->code[at].leaf], v, true, &hit) ? p->code[at].yes : p->code[at].no;
    return at == GOTO_TRUE;
}

/* original_place - the place in the value as it came: folding may have changed lengths before it, so both are counted. */
static struct place original_place(struct view *v, uint32_t value, struct place in)
{
    struct str raw = v->values[value].raw, folded = v->values[value].has_folded ? v->values[value].folded : raw;
    size_t r = 0, f = 0;
    struct place out = { 0, 0 };

    if (folded.n == raw.n)
        return in;
    while (r < raw.n && f < folded.n && f < in.at + in.n) {
        if (f <= in.at)
            out.at = r;
        r += utf8_width(raw.p + r, raw.n - r);
        f += utf8_width(folded.p + f, folded.n - f);
    }
    out.n = r > out.at ? r - out.at : 0;
    return out;
}

/* within - whatever the place was counted in, it lies in the value. */
static struct place within(const struct view *v, uint32_t value, struct place pl)
{
    size_t n = v->values[value].raw.n;

    return pl.at > n ? (struct place){ 0, n } : (struct place){ pl.at, min_size(pl.n, n - pl.at) };
}

bool pattern_holds(const struct pattern *p, struct view *v, uint32_t value, struct place *pl)
{
    bool holds = value_holds(p, v, value, pl);

    if (holds && v->values[value].raw.p)
        *pl = within(v, value, reads_folded(p) ? original_place(v, value, *pl) : *pl);
    return holds;
}

size_t program_explain(const struct program *p, struct view *v, struct sigma_hit *hits, size_t max)
{
    uint32_t at = p->entry;
    size_t n = 0;

    while (at < GOTO_FALSE) {
        const struct instr *i = &p->code[at];
        const struct leaf *leaf = &p->leaves[i->leaf];
        struct leaf_hit hit;
        bool yes = leaf_holds(leaf, v, true, &hit);

        at = yes ? i->yes : i->no;
        if (!yes || hit.value == UINT32_MAX || n == max || at == GOTO_FALSE || !v->values[hit.value].raw.p)
            continue;
        struct place pl = within(v, hit.value, hit.folded ? original_place(v, hit.value, hit.place) : hit.place);
        hits[n++] = (struct sigma_hit){
            leaf->field == FIELD_KEYWORD ? STR("keywords") : v->set->fields[leaf->field],
            str_of(v->values[hit.value].raw.p + pl.at, pl.n), pl.at,
        };
    }
    return n;
}
