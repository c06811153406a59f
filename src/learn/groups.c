/* groups.c - which shapes become one group.
 *
 * Shapes that are kin - the same separators - could always be one group, in which every token whose faces differ is a slot. They are divided by
 * the faces of one token as long as that pays: in the parts other tokens stay the same that went with this one ("Accepted password for",
 * "Failed publickey for"), and a group more has its price, for its template and its columns are stored. */
#include "learn/internal.h"

#define KINDS_MAX  16u       /* a token with more different faces is a slot */
#define TRIED_MAX  8u        /* tokens by which a division is weighed */
#define VARIED_MAX 32u       /* differing tokens that are looked at while it is */
#define DEPTH_MAX  12u
#define STACK_MAX  (DEPTH_MAX * (KINDS_MAX + 1))

/* What is won and paid, in sixteenths of a byte. Measured with bench_learn. */
#define WON_ROW    16u       /* a row of a token that stays the same now */
#define WON_MARKS  4u        /* and of one that can be taken word by word now */
#define PAID_GROUP 640u      /* a group more */
#define PAID_SLOT  160u      /* each of its columns */
#define PAID_WHOLE 128u      /* a row that stays whole */

#define LOOSE_ONE_IN 8u      /* tokens: where more are words of the program and differ, texts are of many kinds, not of one */

/* Shapes from order[from] to order[to - 1]. */
struct node {
    uint32_t from, to, depth;
    uint64_t free[FREE_WORDS];
};

/* The faces of one token in a node. */
struct kinds {
    uint32_t token, n;       /* n: KINDS_MAX + 1 if there are more */
    uint32_t face[KINDS_MAX + 1], rows[KINDS_MAX + 1];
};

struct division {
    struct learner *l;
    struct node stack[STACK_MAX];
    uint32_t depth, tokens;  /* tokens: that all shapes of the node have and that are looked at */
    bool     tail;           /* some have more */
    struct kinds varied[LEARN_TOKENS_MAX];
    uint32_t varied_n;
};

static const uint32_t *faces_of(const struct learner *l, uint32_t at) { return l->faces + l->shapes[l->order[at]].faces; }

static uint32_t kind_of(const struct kinds *k, uint32_t face)
{
    for (uint32_t i = 0; i < k->n && i < KINDS_MAX; i++)
        if (k->face[i] == face)
            return i;
    return KINDS_MAX;
}

static uint32_t rows_of(const struct learner *l, const struct node *node)
{
    uint32_t rows = 0;

    for (uint32_t i = node->from; i < node->to; i++)
        rows += l->shapes[l->order[i]].rows;
    return rows;
}

static void kinds_count(const struct learner *l, const struct node *node, struct kinds *k)
{
    k->n = 0;
    for (uint32_t i = node->from; i < node->to && k->n <= KINDS_MAX; i++) {
        uint32_t face = faces_of(l, i)[k->token], at = 0;

        while (at < k->n && k->face[at] != face)
            at++;
        if (at == k->n) {
            k->face[at] = face;
            k->rows[at] = 0;
            k->n++;
        }
        k->rows[at] += l->shapes[l->order[i]].rows;
    }
}

/* varied_find - the tokens that differ in the node and are not free. */
static void varied_find(struct division *d, struct node *node)
{
    const struct learner *l = d->l;
    const uint32_t *first = faces_of(l, node->from);

    d->varied_n = 0;
    for (uint32_t t = 0; t < d->tokens; t++) {
        bool differs = false;
        struct kinds *k = &d->varied[d->varied_n];

        for (uint32_t i = node->from + 1; i < node->to && !differs; i++)
            differs = faces_of(l, i)[t] != first[t];
        if (!differs || bit(node->free, t))
            continue;
        k->token = t;
        kinds_count(l, node, k);
        d->varied_n++;
    }
}

/* won - by dividing the node by the kinds k, less what is paid. */
static int64_t won(const struct division *d, const struct node *node, const struct kinds *k)
{
    const struct learner *l = d->l;
    uint32_t seen[KINDS_MAX + 1][VARIED_MAX], n = d->varied_n < VARIED_MAX ? d->varied_n : VARIED_MAX, slots = 0, parts = 0, rest = 0;
    bool any[KINDS_MAX + 1] = { false }, differs[KINDS_MAX + 1][VARIED_MAX] = { { false } };
    int64_t sum = 0;

    for (uint32_t i = node->from; i < node->to; i++) {
        const uint32_t *faces = faces_of(l, i);
        uint32_t part = kind_of(k, faces[k->token]);

        for (uint32_t v = 0; v < n; v++) {
            uint32_t face = faces[d->varied[v].token];

            if (!any[part])
                seen[part][v] = face;
            else if (seen[part][v] != face)
                differs[part][v] = true;
        }
        any[part] = true;
    }
    for (uint32_t t = 0; t < d->tokens; t++)
        slots += face_marks(faces_of(l, node->from)[t]) || bit(node->free, t);
    for (uint32_t i = 0; i < k->n; i++) {
        if (k->rows[i] < LEARN_ROWS_MIN) {
            rest += k->rows[i];
            continue;
        }
        parts++;
        for (uint32_t v = 0; v < n; v++)
            if (d->varied[v].token != k->token && !differs[i][v])
                sum += (int64_t)k->rows[i] * (seen[i][v] != FACE_FREE && !face_marks(seen[i][v]) ? WON_ROW : WON_MARKS);
    }
    if (rest && rest < LEARN_ROWS_MIN)
        sum -= (int64_t)rest * PAID_WHOLE;
    else if (rest)
        parts++;
    return parts < 1 ? -1 : sum - (int64_t)(parts - 1) * (PAID_GROUP + slots * PAID_SLOT);
}

static void push(struct division *d, const struct node *node) { d->stack[d->depth++] = *node; }

/* divide - the node by the kinds k: parts with rows enough, and one of what is left, in which the token is free. */
static void divide(struct division *d, const struct node *node, const struct kinds *k)
{
    struct learner *l = d->l;
    uint32_t n = node->to - node->from, at = node->from;
    struct node part = *node;

    memcpy(l->spare, l->order + node->from, n * sizeof *l->spare);
    part.depth++;
    for (uint32_t kind = 0; kind <= k->n; kind++) {
        if (kind < k->n && k->rows[kind] < LEARN_ROWS_MIN)
            continue;
        part.from = at;
        for (uint32_t i = 0; i < n; i++) {
            uint32_t own = kind_of(k, l->faces[l->shapes[l->spare[i]].faces + k->token]);

            if (own == kind || (kind == k->n && k->rows[own] < LEARN_ROWS_MIN))
                l->order[at++] = l->spare[i];
        }
        part.to = at;
        if (kind == k->n)
            bit_set(part.free, k->token);
        if (part.to > part.from)
            push(d, &part);
    }
}

/* group_new - NULL without memory. */
static struct group *group_new(struct learner *l)
{
    if (l->group_n == l->group_cap) {
        uint32_t cap = l->group_cap ? 2 * l->group_cap : 64;
        struct group *grown = realloc(l->groups, cap * sizeof *grown);

        if (!grown)
            return NULL;
        l->groups = grown;
        l->group_cap = cap;
    }
    l->groups[l->group_n] = (struct group){ .rows = 0 };
    return &l->groups[l->group_n++];
}

static int group_add(struct learner *l, const struct node *node, uint32_t rows, const struct division *d)
{
    struct group *g = group_new(l);

    if (!g)
        return -ENOMEM;
    *g = (struct group){ .rows = rows, .shape = l->order[node->from], .tokens = d->tokens, .tail = d->tail, .first_row = NONE };
    memcpy(g->free, node->free, sizeof g->free);
    for (uint32_t v = 0; v < d->varied_n; v++)
        bit_set(g->free, d->varied[v].token);
    for (uint32_t i = node->from; i < node->to; i++)
        l->shapes[l->order[i]].group = l->group_n - 1;
    return 0;
}

/* loose - too many tokens stand for something and differ all the same: better whole than such a template. */
static bool loose(const struct division *d)
{
    uint32_t n = 0;

    for (uint32_t v = 0; v < d->varied_n; v++)
        n += d->varied[v].face[0] != FACE_FREE && !face_marks(d->varied[v].face[0]);
    return n > (d->tail ? 0 : 1) && n * LOOSE_ONE_IN > d->tokens;   /* one may: in short texts it is the name that they are about */
}

/* best_kinds - by which the node is divided; NULL: it stays one. */
static const struct kinds *best_kinds(const struct division *d, const struct node *node)
{
    const struct kinds *best = NULL;
    uint32_t tried = 0;
    int64_t most = 0;

    for (uint32_t v = 0; v < d->varied_n && tried < TRIED_MAX && node->depth < DEPTH_MAX - 1; v++) {
        int64_t sum;

        if (d->varied[v].n > KINDS_MAX)
            continue;
        tried++;
        sum = won(d, node, &d->varied[v]);
        if (sum > most) {
            most = sum;
            best = &d->varied[v];
        }
    }
    return best;
}

/* kin_divide - the shapes from order[from] to order[to - 1], which are kin, if only by their first tokens. */
static int kin_divide(struct division *d, uint32_t from, uint32_t to)
{
    int rc = 0;

    d->depth = 0;
    push(d, &(struct node){ .from = from, .to = to });
    while (d->depth && rc == 0) {
        struct node node = d->stack[--d->depth];
        uint32_t rows = rows_of(d->l, &node);
        const struct kinds *best;

        if (rows < LEARN_ROWS_MIN)
            continue;
        varied_find(d, &node);
        best = best_kinds(d, &node);
        if (best)
            divide(d, &node, best);
        else if (!loose(d))
            rc = group_add(d->l, &node, rows, d);
    }
    return rc;
}

/* What makes shapes kin: all their separators, or those of a head. */
struct order { const struct learner *l; uint32_t head; };   /* head: HEADS for all of them */

static uint64_t kin_by(const struct order *o, const struct shape *s) { return o->head < HEADS ? s->heads[o->head] : s->kin; }
static uint32_t tokens_by(const struct order *o, const struct shape *s) { return o->head < HEADS ? head_tokens(o->head) : s->tokens; }

static int by_kin(const void *a, const void *b, void *arg)
{
    const struct order *o = arg;
    uint32_t left = *(const uint32_t *)a, right = *(const uint32_t *)b;
    const struct shape *x = &o->l->shapes[left], *y = &o->l->shapes[right];

    if (kin_by(o, x) != kin_by(o, y))
        return kin_by(o, x) < kin_by(o, y) ? -1 : 1;
    if (tokens_by(o, x) != tokens_by(o, y))   /* somebody made the hash so */
        return tokens_by(o, x) < tokens_by(o, y) ? -1 : 1;
    return (left > right) - (left < right);
}

static bool kin(const struct order *o, const struct shape *a, const struct shape *b) { return kin_by(o, a) == kin_by(o, b) && tokens_by(o, a) == tokens_by(o, b); }

/* groups_by - of the shapes that have no group yet. */
static int groups_by(struct division *d, uint32_t head)
{
    struct learner *l = d->l;
    struct order o = { .l = l, .head = head };
    uint32_t n = 0;
    int rc = 0;

    for (uint32_t i = 0; i < l->shape_n; i++)
        if (!l->shapes[i].group && kin_by(&o, &l->shapes[i]))
            l->order[n++] = i;
    qsort_r(l->order, n, sizeof *l->order, by_kin, &o);
    d->tail = head < HEADS;
    for (uint32_t from = 0, to; from < n && rc == 0; from = to) {
        for (to = from + 1; to < n && kin(&o, &l->shapes[l->order[from]], &l->shapes[l->order[to]]); to++)
            ;
        d->tokens = tokens_by(&o, &l->shapes[l->order[from]]);
        rc = kin_divide(d, from, to);
    }
    return rc;
}

int groups_make(struct learner *l)
{
    struct division *d = malloc(sizeof *d);
    int rc;

    l->group_n = 0;
    rc = d && group_new(l) ? 0 : -ENOMEM;
    if (rc == 0) {
        d->l = l;
        rc = groups_by(d, HEADS);
    }
    for (uint32_t head = HEADS; head-- > 0 && rc == 0;)
        rc = groups_by(d, head);
    free(d);
    return rc;
}
