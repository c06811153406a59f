/* witness.c - for each rule the atoms of which one must hold, and which rules each atom leads to.
 *
 * The choice is by cost, the expected number of firings an event: an atom that fires often brings its rules up in vain. As long as
 * nothing was measured (frequency.h), what the rules themselves write tells it: words that stand in many rules ("powershell", ".exe") are those
 * that stand in many events. */
#include "sigma/engine.h"
#include "sigma/frequency.h"

#define COST_ALWAYS   1e9f    /* no witness */
#define COST_NUMBERED 2.0f    /* the event's number: cells decide it; where they cannot, the rule is looked at always */
#define COST_PRESENT  1.0f    /* a field that is there */
#define COST_NUMBER   0.3f
#define COST_BEYOND   0.1f    /* a letter past ASCII */
#define COST_NEAR     0.03f   /* a short text: found by chance, and each place must be looked at for it */
#define COST_RARE     0.0002f /* a text that no other rule writes */

struct chooser {
    const struct sigma *s;
    struct tables *t;
    float         *costs;       /* by part of the rule at hand */
    uint32_t      *stack;
    uint32_t       cap;
    struct strmap  seen;        /* number of an atom by its field, kind and text */
    struct arena   keys;        /* of seen */
    struct arena   scratch;     /* texts of atoms that are only looked at: of one rule */
    bool           poor;        /* there was no memory for one of them */
};

/* scratch_end - what of one rule was looked at; a text there was no memory for would change the choice. */
static void scratch_end(struct chooser *c)
{
    c->poor = c->poor || arena_failed(&c->scratch);
    arena_reset(&c->scratch);
}

/* --- how common is a text --- */

static void count_text(struct tables *t, struct str s)
{
    for (size_t i = 0; i + 4 <= s.n; i++)
        t->common[gram_hash(load4(s.p + i)) >> COMMON_SHIFT]++;
}

/* assumed - the part of the values in which an atom stands, as long as nobody looked. */
static float assumed(const struct tables *t, const struct atom *a)
{
    uint32_t least = 2000;

    if (a->kind == ATOM_NUMBER)
        return COST_NUMBER;
    if (a->kind == ATOM_BEYOND)
        return COST_BEYOND;
    if (a->text.n < 4)
        return (unsigned char)*a->text.p >= 0x80 ? 0 : a->text.n == 3 ? 0.1f : 0.3f;
    for (size_t i = 0; i + 4 <= a->text.n; i++) {
        uint32_t n = t->common[gram_hash(load4(a->text.p + i)) >> COMMON_SHIFT];

        least = n < least ? n : least;
    }
    return (float)least / 10000.0f;
}

static float text_cost(const struct sigma *s, const struct tables *t, const struct atom *a)
{
    float often;

    if (a->kind == ATOM_PRESENT)
        return COST_PRESENT;
    often = assumed(t, a);
    if (s->frequency)
        often = frequency_of(s->frequency, a->name, often);
    return often + (a->kind == ATOM_CONTAINS && a->text.n >= 4 && atom_near(a) ? COST_NEAR : COST_RARE);
}

static void look_over(struct chooser *c)
{
    const struct sigma *s = c->s;

    for (uint32_t r = 0; r < s->rule_count; r++) {
        const struct program *p = &s->rules[r].program;

        for (uint32_t l = 0; l < p->leaf_count; l++)
            for (uint32_t i = 0; i < p->leaves[l].count; i++) {
                struct atom a;

                if (!leaf_atom(&c->scratch, s, &p->leaves[l], i, &a))
                    continue;
                if (a.kind != ATOM_NUMBER)
                    count_text(c->t, a.text);
            }
        scratch_end(c);
    }
}

/* --- choosing --- */

/* all_beyond - every pattern of the leaf needs a byte past ASCII, as those of rules against look-alike letters do. */
static bool all_beyond(const struct leaf *leaf)
{
    for (uint32_t i = 0; i < leaf->count; i++)
        if (!pattern_beyond(&leaf->patterns[i]))
            return false;
    return true;
}

static float leaf_cost(struct chooser *c, const struct leaf *leaf)
{
    float cost = 0;

    if (leaf->field == c->s->f_event_id)
        return COST_NUMBERED;
    for (uint32_t i = 0; i < leaf->count; i++) {
        struct atom a;

        if (!leaf_atom(&c->scratch, c->s, leaf, i, &a) || (a.kind == ATOM_PRESENT && leaf->field == FIELD_KEYWORD))
            return COST_ALWAYS;
        cost += text_cost(c->s, c->t, &a);
    }
    if (cost > COST_BEYOND && all_beyond(leaf))
        return COST_BEYOND;
    return cost > COST_PRESENT && leaf->field != FIELD_KEYWORD ? COST_PRESENT : cost;
}

static float part_cost(struct chooser *c, const struct program *p, uint32_t i)
{
    const struct part *part = &p->parts[i];
    float cost = part->kind == NODE_AND ? COST_ALWAYS : 0;

    if (part->kind == NODE_LEAF)
        return leaf_cost(c, &p->leaves[part->first]);
    if (part->kind == NODE_NOT)
        return COST_ALWAYS;
    for (uint32_t k = 0; k < part->count; k++) {
        float kid = c->costs[p->kids[part->first + k]];

        cost = part->kind == NODE_OR ? cost + kid : kid < cost ? kid : cost;
    }
    return cost < COST_ALWAYS ? cost : COST_ALWAYS;
}

/* intern - the number of an atom; one that no rule had before keeps a copy of its text, unless that is the rule's own. */
static uint32_t intern(struct chooser *c, struct atom *a, bool own)
{
    const uint32_t head[] = { a->field, a->kind };
    struct str key = ARENA_JOIN(&c->scratch, str_of((const char *)head, sizeof head), a->text);
    struct tables *t = c->t;
    uint32_t at;

    if (!key.p)
        return UINT32_MAX;
    at = strmap_get(&c->seen, key);
    if (at != UINT32_MAX)
        return at;
    key = arena_copy(&c->keys, key);
    if (!own)
        a->text = arena_copy(&t->arena, a->text);
    if (!key.p || (!own && !a->text.p))
        return UINT32_MAX;
    if (t->atom_count == t->atom_cap) {
        uint32_t cap = t->atom_cap ? t->atom_cap * 2 : 1024;
        struct atom *grown = realloc(t->atoms, cap * sizeof *grown);

        if (!grown)
            return UINT32_MAX;
        t->atoms = grown;
        t->atom_cap = cap;
    }
    if (!strmap_put(&c->seen, key, t->atom_count))
        return UINT32_MAX;
    t->atoms[t->atom_count] = *a;
    return t->atom_count++;
}

/* take_leaf - the atoms of a leaf, or one in their place where they would fire oftener: a byte past ASCII, or the field itself. */
static int take_leaf(struct chooser *c, const struct leaf *leaf, struct witness *w)
{
    float cost = leaf_cost(c, leaf);
    struct atom whole = { .field = leaf->field == FIELD_KEYWORD ? c->s->field_count : leaf->field, .kind = ATOM_PRESENT };
    bool by_field = leaf->field != FIELD_KEYWORD && cost >= COST_PRESENT, one = by_field || (cost >= COST_BEYOND && all_beyond(leaf));

    if (leaf->field == c->s->f_event_id) {
        w->always = true;
        return 0;
    }
    if (one && !by_field) {
        whole.kind = ATOM_BEYOND;
        whole.text = STR("");
    }
    for (uint32_t i = 0; i < (one ? 1 : leaf->count); i++) {
        struct atom a = whole;
        uint32_t at;

        if (!one && !leaf_atom(&c->scratch, c->s, leaf, i, &a))
            return 0;   /* cannot be: such a leaf costs COST_ALWAYS */
        at = intern(c, &a, a.text.n == 0 || a.text.p == leaf->patterns[i].text.p);
        if (at == UINT32_MAX || !u32list_add(&c->t->of_rules, at))
            return -ENOMEM;
    }
    return 0;
}

/* take_parts - the chosen atoms, from the root down: of an AND its cheapest child, of an OR all. */
static int take_parts(struct chooser *c, const struct program *p, struct witness *w)
{
    uint32_t depth = 0;
    int rc = 0;

    c->stack[depth++] = p->root;
    while (depth && rc == 0) {
        const struct part *part = &p->parts[c->stack[--depth]];
        const uint32_t *kids = p->kids + part->first;
        uint32_t best = 0;

        if (part->kind == NODE_LEAF) {
            rc = take_leaf(c, &p->leaves[part->first], w);
            continue;
        }
        for (uint32_t k = 1; k < part->count; k++)
            best = c->costs[kids[k]] < c->costs[kids[best]] ? k : best;
        for (uint32_t k = 0; k < part->count; k++)
            if (part->kind == NODE_OR || k == best) {
                if (depth == c->cap) {
                    w->always = true;
                    return 0;
                }
                c->stack[depth++] = kids[k];
            }
    }
    return rc;
}

static int choose(struct chooser *c, const struct program *p, struct witness *w)
{
    int rc = 0;

    w->first = c->t->of_rules.n;
    for (uint32_t l = 0; l < p->leaf_count; l++)
        w->numbered = w->numbered || p->leaves[l].field == c->s->f_event_id;
    for (uint32_t i = 0; i < p->part_count; i++)
        c->costs[i] = part_cost(c, p, i);
    if (c->costs[p->root] >= COST_ALWAYS)
        w->always = true;
    else
        rc = take_parts(c, p, w);
    if (w->always)
        c->t->of_rules.n = w->first;   /* looked at in any case: nothing need lead to it */
    w->count = c->t->of_rules.n - w->first;
    return rc;
}

/* post - the other way round: from each atom to its rules. */
static int post(const struct sigma *s, struct tables *t)
{
    t->post_at = calloc(t->atom_count + 2, sizeof *t->post_at);
    t->posts = calloc(t->of_rules.n + 1, sizeof *t->posts);
    if (!t->post_at || !t->posts)
        return -ENOMEM;
    for (uint32_t i = 0; i < t->of_rules.n; i++)
        t->post_at[t->of_rules.p[i] + 2]++;
    for (uint32_t i = 0; i < t->atom_count; i++)
        t->post_at[i + 2] += t->post_at[i + 1];
    for (uint32_t r = 0; r < s->rule_count; r++)
        for (uint32_t i = 0; i < t->witness[r].count; i++)
            t->posts[t->post_at[t->of_rules.p[t->witness[r].first + i] + 1]++] = r;
    return 0;
}

int witnesses_build(const struct sigma *s, struct tables *t)
{
    struct chooser c = { .s = s, .t = t, .cap = 4 * SIGMA_NODES_MAX };
    int rc = 0;

    arena_init(&c.keys, TABLES_ARENA_BYTES);
    arena_init(&c.scratch, TABLES_ARENA_BYTES);
    t->common = calloc(1u << (32 - COMMON_SHIFT), sizeof *t->common);
    t->witness = arena_zero(&t->arena, (s->rule_count + 1) * sizeof *t->witness);
    c.costs = calloc(SIGMA_NODES_MAX + 1, sizeof *c.costs);
    c.stack = calloc(c.cap, sizeof *c.stack);
    if (!t->common || !t->witness || !c.costs || !c.stack)
        rc = -ENOMEM;
    if (rc == 0)
        look_over(&c);
    for (uint32_t r = 0; r < s->rule_count && rc == 0; r++)
        if (!s->rules[r].correlation) {
            rc = choose(&c, &s->rules[r].program, &t->witness[r]);
            scratch_end(&c);
        }
    if (rc == 0 && c.poor)
        rc = -ENOMEM;
    if (rc == 0)
        rc = post(s, t);
    arena_free(&c.keys);
    arena_free(&c.scratch);
    free(c.seen.slots);
    free(c.costs);
    free(c.stack);
    return rc;
}
