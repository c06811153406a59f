/* atoms.c - which atoms stand in a value: a few loads for its ends, one pass over its bytes.
 *
 * Whole values are found by their hash, beginnings and ends by their outer 8 bytes (or all, if they are shorter), texts within by 4
 * bytes of them: those that the rules write most rarely, of which a bit table knows whether any atom has them. So a byte of a value
 * costs one multiplication and one bit, whatever the number of rules; only where the bit is set the table of atoms is asked, and
 * there the whole text is compared. All of them lie in one table with open addressing. */
#include <xxhash.h>

#include "sigma/engine.h"

enum key_class { KEY_EQ = 1, KEY_STARTS, KEY_ENDS = KEY_STARTS + 9, KEY_FOUR = KEY_ENDS + 9, KEY_THREE, KEY_NUMBER };

static inline uint64_t mix(uint32_t field, uint32_t class, uint64_t key)
{
    key ^= ((uint64_t)field << 8 | class) * 0x9E3779B97F4A7C15ull;
    key *= 0xFF51AFD7ED558CCDull;
    return key ^ key >> 29;
}

/* edge - the first or last k bytes (1 to 8) as a number. */
static inline uint64_t edge(const char *p, uint32_t k)
{
    uint64_t v = 0;

    if (k == 8)
        memcpy(&v, p, 8);
    else
        for (uint32_t i = 0; i < k; i++)
            v |= (uint64_t)(unsigned char)p[i] << 8 * i;
    return v;
}

static uint32_t edge_length(struct str s) { return s.n < 8 ? (uint32_t)s.n : 8; }

static uint64_t atom_key(const struct atom *a)
{
    uint32_t k = edge_length(a->text);

    switch (a->kind) {
    case PAT_EQ: return mix(a->field, KEY_EQ, XXH3_64bits(a->text.p, a->text.n));
    case PAT_STARTS: return mix(a->field, KEY_STARTS + k, edge(a->text.p, k));
    case PAT_ENDS: return mix(a->field, KEY_ENDS + k, edge(a->text.p + a->text.n - k, k));
    case PAT_NUMBER: return mix(a->field, KEY_NUMBER, edge(a->text.p, 8));
    default:
        return a->text.n == 3 ? mix(a->field, KEY_THREE, edge(a->text.p, 3)) : mix(a->field, KEY_FOUR, load4(a->text.p + a->gram_at));
    }
}

/* --- building --- */

/* rarest - the 4 bytes of a text that the rules write most rarely. */
static uint32_t rarest(const struct tables *t, struct str s)
{
    uint32_t at = 0, least = UINT32_MAX;

    for (uint32_t i = 0; i + 4 <= s.n; i++) {
        uint32_t n = t->common[gram_hash(load4(s.p + i)) >> COMMON_SHIFT];

        if (n < least) {
            least = n;
            at = i;
        }
    }
    return at;
}

static uint32_t *bit_table(struct arena *a, uint32_t atoms, uint8_t *shift)
{
    uint32_t bits = 10;

    while (bits < GRAM_BITS_MAX && (1u << bits) < atoms * 32)
        bits++;
    *shift = (uint8_t)(32 - bits);
    return arena_zero(a, (size_t)1 << (bits - 3));
}

static int take_bits(struct tables *t, struct sieve *f, const struct atom *a, const uint32_t count[2])
{
    bool three = a->text.n == 3;
    uint32_t **bits = three ? &f->three : &f->four;
    uint8_t *shift = three ? &f->three_shift : &f->four_shift;
    uint32_t h;

    if (!*bits)
        *bits = bit_table(&t->arena, count[three], shift);
    if (!*bits)
        return -ENOMEM;
    h = gram_hash(three ? (uint32_t)edge(a->text.p, 3) : load4(a->text.p + a->gram_at)) >> *shift;
    (*bits)[h / 32] |= 1u << h % 32;
    return 0;
}

static int take_atom(struct tables *t, struct atom *a, const uint32_t count[2])
{
    struct sieve *f = &t->sieves[a->field];

    if (a->kind == PAT_EXISTS)
        return 0;
    f->any = true;
    switch (a->kind) {
    case PAT_EQ:
        f->eq_lengths |= UINT64_C(1) << a->text.n % 64;
        return 0;
    case PAT_STARTS:
        f->starts |= 1u << edge_length(a->text);
        return 0;
    case PAT_ENDS:
        f->ends |= 1u << edge_length(a->text);
        return 0;
    case PAT_NUMBER:
        f->numbers = true;
        return 0;
    default:
        a->gram_at = a->text.n == 3 ? 0 : rarest(t, a->text);
        return take_bits(t, f, a, count);
    }
}

static void put_slot(struct tables *t, uint32_t atom)
{
    uint64_t key = atom_key(&t->atoms[atom]);
    uint32_t at = (uint32_t)key & t->slot_mask;

    while (t->slots[at].atom != UINT32_MAX)
        at = (at + 1) & t->slot_mask;
    t->slots[at] = (struct slot_atom){ (uint32_t)(key >> 32), atom };
}

int sieves_build(const struct sigma *s, struct tables *t)
{
    uint32_t (*counts)[2] = calloc(s->field_count + 1, sizeof *counts);   /* CONTAINS atoms of a field: longer, of three bytes */
    uint32_t cap = 64;
    int rc = 0;

    while (cap < t->atom_count * 4)
        cap *= 2;
    t->slot_mask = cap - 1;
    t->slots = malloc(cap * sizeof *t->slots);
    t->sieves = arena_zero(&t->arena, (s->field_count + 1) * sizeof *t->sieves);
    if (!counts || !t->slots || !t->sieves) {
        free(counts);
        return -ENOMEM;
    }
    memset(t->slots, 0xFF, cap * sizeof *t->slots);
    for (uint32_t i = 0; i < t->atom_count; i++)
        if (t->atoms[i].kind == PAT_CONTAINS)
            counts[t->atoms[i].field][t->atoms[i].text.n == 3]++;
    for (uint32_t i = 0; i < t->atom_count && rc == 0; i++) {
        rc = take_atom(t, &t->atoms[i], counts[t->atoms[i].field]);
        if (rc == 0 && t->atoms[i].kind != PAT_EXISTS)
            put_slot(t, i);
    }
    free(counts);
    return rc;
}

/* --- looking --- */

struct scan {
    const struct tables *t;
    uint32_t    field;
    struct str  s;
    atom_found *found;
    void       *arg;
};

/* stands - the atom stands in the value; at is the place of the gram that led here. */
static bool stands(const struct scan *k, const struct atom *a, size_t at)
{
    switch (a->kind) {
    case PAT_EQ: return str_eq(k->s, a->text);
    case PAT_STARTS: return str_starts(k->s, a->text);
    case PAT_ENDS: return str_ends(k->s, a->text);
    case PAT_NUMBER: return true;
    default:
        return at >= a->gram_at && k->s.n - (at - a->gram_at) >= a->text.n && memcmp(k->s.p + at - a->gram_at, a->text.p, a->text.n) == 0;
    }
}

static int ask(const struct scan *k, uint32_t class, uint64_t bytes, size_t at)
{
    const struct tables *t = k->t;
    uint64_t key = mix(k->field, class, bytes);
    uint32_t slot = (uint32_t)key & t->slot_mask, tag = (uint32_t)(key >> 32);
    int rc = 0;

    for (; t->slots[slot].atom != UINT32_MAX && rc >= 0; slot = (slot + 1) & t->slot_mask) {
        const struct atom *a = &t->atoms[t->slots[slot].atom];

        if (t->slots[slot].tag == tag && a->field == k->field && stands(k, a, at))
            rc = k->found(k->arg, t->slots[slot].atom);
    }
    return rc;
}

static int scan_edges(const struct scan *k, uint32_t lengths, bool ends)
{
    int rc = 0;

    for (; lengths && rc >= 0; lengths &= lengths - 1) {
        uint32_t n = (uint32_t)__builtin_ctz(lengths);

        if (n <= k->s.n)
            rc = ask(k, (ends ? KEY_ENDS : KEY_STARTS) + n, edge(ends ? k->s.p + k->s.n - n : k->s.p, n), 0);
    }
    return rc;
}

static int scan_four(const struct scan *k, const uint32_t *bits, uint8_t shift)
{
    int rc = 0;

    for (size_t i = 0; i + 4 <= k->s.n && rc >= 0; i++) {
        uint32_t gram = load4(k->s.p + i), h = gram_hash(gram) >> shift;

        if (bits[h / 32] >> h % 32 & 1)
            rc = ask(k, KEY_FOUR, gram, i);
    }
    return rc;
}

static int scan_three(const struct scan *k, const uint32_t *bits, uint8_t shift)
{
    int rc = 0;

    for (size_t i = 0; i + 3 <= k->s.n && rc >= 0; i++) {
        uint32_t gram = (uint32_t)edge(k->s.p + i, 3), h = gram_hash(gram) >> shift;

        if (bits[h / 32] >> h % 32 & 1)
            rc = ask(k, KEY_THREE, gram, i);
    }
    return rc;
}

int atoms_scan(const struct tables *t, uint32_t field, struct str folded, struct str raw, atom_found *found, void *arg)
{
    const struct sieve *f = &t->sieves[field];
    struct scan k = { t, field, folded, found, arg };
    double number;
    int rc = 0;

    if (f->eq_lengths >> folded.n % 64 & 1)
        rc = ask(&k, KEY_EQ, XXH3_64bits(folded.p, folded.n), 0);
    if (rc >= 0 && f->starts)
        rc = scan_edges(&k, f->starts, false);
    if (rc >= 0 && f->ends)
        rc = scan_edges(&k, f->ends, true);
    if (rc >= 0 && f->four)
        rc = scan_four(&k, f->four, f->four_shift);
    if (rc >= 0 && f->three)
        rc = scan_three(&k, f->three, f->three_shift);
    if (rc >= 0 && f->numbers && number_parse(raw, &number)) {
        number = number == 0 ? 0 : number;
        rc = ask(&k, KEY_NUMBER, edge((const char *)&number, 8), 0);
    }
    return rc;
}

/* --- the set of grams of one value --- */

#define GRAMSET_BITS_MAX 18

void grams_make(struct view *v, uint32_t value)
{
    struct str s = view_folded(v, value);
    struct vvalue *val = view_value(v, value);
    uint32_t bits = 10;
    uint32_t *set;

    while (bits < GRAMSET_BITS_MAX && (size_t)1 << bits < s.n * 8)
        bits++;
    set = arena_zero(&v->scratch, (size_t)1 << (bits - 3));
    if (!set)
        return;
    val->gram_shift = (uint8_t)(32 - bits);
    for (size_t i = 0; i + 4 <= s.n; i++) {
        uint32_t h = gram_hash(load4(s.p + i)) >> val->gram_shift;

        set[h / 32] |= 1u << h % 32;
    }
    val->grams = set;
}
