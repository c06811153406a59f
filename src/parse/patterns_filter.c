/* patterns_filter.c - which of many literals stand in a text, in one pass over it: Aho and Corasick (1975) as a full
 * table; see patterns.h.
 *
 * Bytes are folded to the few classes that the literals use (letters of both cases are one), states that end a literal
 * get the highest numbers, so a step is two loads and a comparison. The table is small: 500 literals of 12 bytes are some
 * 6,000 states of 64 classes, and all but the rows near the root stay cold. */
#include "parse/patterns.h"

#define FILTER_STATES_MAX 65000
#define NO_STATE          UINT16_MAX

struct filter {
    uint8_t class_of[256];
    unsigned shift;         /* of a row in next */
    uint16_t first_hit;     /* states from here on end a literal */
    size_t states, literals, bytes;
    const uint16_t *next;   /* state << shift | class */
    const uint32_t *hit_at; /* of state - first_hit: its literals are hits[hit_at[s]] … hits[hit_at[s + 1] - 1] */
    const uint16_t *hits;
    const uint16_t *always; /* literals without bytes */
    size_t always_count;
};

struct building {
    struct arena scratch;
    uint16_t *next, *fail, *order, *number;
    int32_t *own;    /* first literal that ends in a state, -1: none */
    int32_t *chain;  /* of a literal: the next that ends in the same state */
    size_t states, classes, cap;
    unsigned shift;
};

static unsigned char fold(char c) { return (unsigned char)(c >= 'A' && c <= 'Z' ? c + 32 : c); }

/* classes - a number from 1 for each byte that literals use. */
static void classes(struct filter *f, struct building *b, const struct str *literals, size_t count)
{
    b->classes = 1;
    b->cap = 1;
    for (size_t i = 0; i < count; i++) {
        b->cap += literals[i].n;
        for (size_t j = 0; j < literals[i].n; j++) {
            unsigned char c = fold(literals[i].p[j]);

            if (f->class_of[c] == 0)
                f->class_of[c] = (uint8_t)b->classes++;
        }
    }
    for (int c = 'A'; c <= 'Z'; c++)
        f->class_of[c] = f->class_of[c + 32];
    for (b->shift = 1; ((size_t)1 << b->shift) < b->classes; b->shift++)
        ;
}

static void plant(const struct filter *f, struct building *b, struct str literal, size_t id)
{
    size_t state = 0;

    for (size_t j = 0; j < literal.n; j++) {
        uint16_t *to = &b->next[state << b->shift | f->class_of[(unsigned char)literal.p[j]]];

        if (*to == NO_STATE)
            *to = (uint16_t)b->states++;
        state = *to;
    }
    b->chain[id] = b->own[state];
    b->own[state] = (int32_t)id;
}

/* link - breadth first: what to go on with where the tree ends; b->order is then that order. */
static void link_states(struct building *b)
{
    size_t head = 0, tail = 0;

    for (size_t c = 0; c < b->classes; c++) {
        uint16_t *to = &b->next[c];

        if (*to == NO_STATE || *to == 0) {
            *to = 0;
        } else {
            b->fail[*to] = 0;
            b->order[tail++] = *to;
        }
    }
    while (head < tail) {
        uint16_t s = b->order[head++];

        for (size_t c = 0; c < b->classes; c++) {
            uint16_t *to = &b->next[(size_t)s << b->shift | c], back = b->next[(size_t)b->fail[s] << b->shift | c];

            if (*to == NO_STATE) {
                *to = back;
            } else {
                b->fail[*to] = back;
                b->order[tail++] = *to;
            }
        }
    }
}

/* ends - how many literals end in s, by itself or by what it falls back to; into hits if there is room for them. */
static size_t ends(const struct building *b, uint16_t s, uint16_t *hits)
{
    size_t n = 0;

    for (; s != 0; s = b->fail[s])
        for (int32_t id = b->own[s]; id >= 0; id = b->chain[id], n++)
            if (hits)
                hits[n] = (uint16_t)id;
    return n;
}

/* number_states - the quiet ones first; returns how many those are, and in *total the sum of ends. */
static size_t number_states(struct building *b, size_t *total)
{
    size_t quiet = 1, loud, at;

    *total = 0;
    for (size_t s = 1; s < b->states; s++)
        quiet += ends(b, (uint16_t)s, NULL) == 0;
    loud = quiet;
    at = 1;
    b->number[0] = 0;
    for (size_t s = 1; s < b->states; s++) {
        size_t n = ends(b, (uint16_t)s, NULL);

        *total += n;
        b->number[s] = (uint16_t)(n ? loud++ : at++);
    }
    return quiet;
}

/* emit - the numbered table and the lists of hits, in the arena. */
static int emit(struct filter *f, struct building *b, struct arena *a)
{
    size_t total, quiet = number_states(b, &total), row = (size_t)1 << b->shift;
    uint16_t *next = arena_array(a, b->states * row, sizeof *next), *hits = arena_array(a, total + 1, sizeof *hits);
    uint32_t *hit_at = arena_zero(a, (b->states - quiet + 2) * sizeof *hit_at), at = 0;
    uint16_t *loud = arena_array(&b->scratch, b->states + 1, sizeof *loud);

    if (!next || !hits || !hit_at || !loud)
        return -ENOMEM;
    for (size_t s = 0; s < b->states; s++) {
        for (size_t c = 0; c < row; c++)
            next[(size_t)b->number[s] << b->shift | c] = c < b->classes ? b->number[b->next[s << b->shift | c]] : 0;
        if (b->number[s] >= quiet)
            loud[b->number[s] - quiet] = (uint16_t)s;
    }
    for (size_t i = 0; i < b->states - quiet; i++) {
        hit_at[i] = at;
        at += (uint32_t)ends(b, loud[i], hits + at);
        hit_at[i + 1] = at;
    }
    f->next = next;
    f->hits = hits;
    f->hit_at = hit_at;
    f->first_hit = (uint16_t)quiet;
    f->states = b->states;
    f->shift = b->shift;
    f->bytes = b->states * row * sizeof *next + total * sizeof *hits + (b->states - quiet) * sizeof *hit_at;
    return 0;
}

static int build(struct filter *f, struct building *b, struct arena *a, const struct str *literals, size_t count)
{
    uint16_t *always = arena_array(a, count + 1, sizeof *always);
    size_t row;

    classes(f, b, literals, count);
    row = (size_t)1 << b->shift;
    if (b->cap > FILTER_STATES_MAX)
        return -E2BIG;
    b->next = arena_array(&b->scratch, b->cap * row, sizeof *b->next);
    b->fail = arena_zero(&b->scratch, b->cap * sizeof *b->fail);
    b->order = arena_array(&b->scratch, b->cap, sizeof *b->order);
    b->number = arena_array(&b->scratch, b->cap, sizeof *b->number);
    b->own = arena_array(&b->scratch, b->cap, sizeof *b->own);
    b->chain = arena_array(&b->scratch, count + 1, sizeof *b->chain);
    if (!always || !b->next || !b->fail || !b->order || !b->number || !b->own || !b->chain)
        return -ENOMEM;
    memset(b->next, 0xff, b->cap * row * sizeof *b->next);
    for (size_t s = 0; s < b->cap; s++)
        b->own[s] = -1;
    b->states = 1;
    for (size_t i = 0; i < count; i++)
        if (literals[i].n)
            plant(f, b, literals[i], i);
        else
            always[f->always_count++] = (uint16_t)i;
    f->always = always;
    f->literals = count;
    link_states(b);
    return emit(f, b, a);
}

int filter_new(struct arena *a, const struct str *literals, size_t count, const struct filter **out, struct err *e)
{
    struct filter *f = arena_zero(a, sizeof *f);
    struct building b = { .states = 0 };
    int rc;

    arena_init(&b.scratch, 256 * MIB);
    rc = f ? build(f, &b, a, literals, count) : -ENOMEM;
    arena_free(&b.scratch);
    if (rc < 0)
        return err_set(e, rc, "the literals of %zu patterns are too much for one filter", count);
    *out = f;
    return 0;
}

size_t filter_bytes(const struct filter *f) { return f->bytes; }

void filter_scan(const struct filter *f, struct str text, uint64_t *hits)
{
    size_t state = 0;

    memset(hits, 0, (f->literals + 63) / 64 * sizeof *hits);
    for (size_t i = 0; i < f->always_count; i++)
        hits[f->always[i] / 64] |= UINT64_C(1) << f->always[i] % 64;
    for (size_t i = 0; i < text.n; i++) {
        state = f->next[state << f->shift | f->class_of[(unsigned char)text.p[i]]];
        if (state >= f->first_hit) {
            size_t s = state - f->first_hit;

            for (uint32_t h = f->hit_at[s]; h < f->hit_at[s + 1]; h++)
                hits[f->hits[h] / 64] |= UINT64_C(1) << f->hits[h] % 64;
        }
    }
}

/* --- one literal --- */

#define FALSE_HITS_MAX 16 /* of the rare byte, until the whole literal is looked for instead */

/* rarity - of a byte in the texts of logs, roughly. */
static int rarity(char c)
{
    if (c == ' ' || is_digit(c))
        return 0;
    if (is_alpha(c))
        return c >= 'a' ? (strchr("jkqvwxyz", c) ? 2 : 1) : 3;
    return strchr("-./:=,_", c) && c ? 4 : 5;
}

void needle_of(struct str text, struct needle *out)
{
    *out = (struct needle){ .text = text };
    for (size_t i = 1; i < text.n; i++)
        if (rarity(text.p[i]) > rarity(text.p[out->rare]))
            out->rare = i;
}

bool needle_in(const struct needle *n, struct str text)
{
    const char rare = n->text.p[n->rare];
    const char *at, *end;

    if (text.n < n->text.n)
        return false;
    at = text.p + n->rare;
    end = text.p + text.n - n->text.n + n->rare + 1; /* behind the last place of the rare byte */
    for (int i = 0; i < FALSE_HITS_MAX; i++) {
        at = memchr(at, rare, (size_t)(end - at));
        if (!at)
            return false;
        if (same_bytes(at - n->rare, n->text.p, n->text.n))
            return true;
        at++;
    }
    return has(str_of(at - n->rare, (size_t)(end - at) + n->text.n - 1), n->text);
}

/* --- pairs of bytes --- */

static unsigned pair_at(char a, char b) { return (((unsigned)(unsigned char)a | 32u) * 61u + ((unsigned)(unsigned char)b | 32u)) & (PAIRS_SIZE - 1); }

void literal_pairs_of(struct str literal, struct literal_pairs *out)
{
    size_t pairs = literal.n < 2 ? 0 : literal.n - 1;

    out->count = (uint16_t)min_size(pairs, PAIRS_OF_LITERAL);
    for (size_t i = 0; i < out->count; i++) {
        size_t at = pairs <= PAIRS_OF_LITERAL ? i : i * (pairs - 1) / (PAIRS_OF_LITERAL - 1); /* spread over it, first and last */

        out->at[i] = (uint16_t)pair_at(literal.p[at], literal.p[at + 1]);
    }
}

const uint8_t *text_pairs(struct work *w, struct str text)
{
    unsigned last = 0;
    uint8_t *seen;

    if (!w->pairs && (w->pairs = arena_zero(w->arena, sizeof *w->pairs)) == NULL)
        return NULL;
    if (w->pairs->text.p == text.p && w->pairs->text.n == text.n)
        return w->pairs->seen;
    seen = w->pairs->seen; /* bytes may be anything's: what does not change is kept from being read again */
    memset(seen, 0, PAIRS_SIZE);
    for (size_t i = 0; i < text.n; i++) {
        unsigned next = (unsigned char)text.p[i] | 32u;

        if (i)
            seen[(last + next) & (PAIRS_SIZE - 1)] = 1;
        last = next * 61u;
    }
    w->pairs->text = text;
    return seen;
}
