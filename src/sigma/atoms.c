/* atoms.c - which atoms stand in a value: a few loads for its ends, one pass over its bytes.
 *
 * Whole values are found by their hash, beginnings and ends by their outer 8 bytes (or all, if they are shorter), texts within by 4
 * bytes of them: those that the rules write most rarely, of which a bit table knows whether any atom has them. A text of 6 bytes and
 * more stands in the table with three such grams in a row, so that only each third place of a value need be looked at: one
 * multiplication and one bit for three bytes, whatever the number of rules. Only where the bit is set the table of atoms is asked, and
 * there the whole text is compared. All atoms lie in one table with open addressing. */
#include <xxhash.h>

#include "sigma/engine.h"

enum key_class { KEY_EQ = 1, KEY_STARTS, KEY_ENDS = KEY_STARTS + 9, KEY_FAR = KEY_ENDS + 9, KEY_FOUR = KEY_FAR + 8, KEY_THREE, KEY_NUMBER };

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

/* --- building --- */

#define FAR_STEP 3

static_assert(FAR_MIN >= FAR_STEP + 3, "a text so long has, wherever it stands, four bytes at a place that divides by FAR_STEP");

enum length_class { OF_THREE, OF_FOUR, OF_FAR, OF_COUNT };

static enum length_class class_of(const struct atom *a) { return a->text.n == 3 ? OF_THREE : a->text.n < FAR_MIN ? OF_FOUR : OF_FAR; }

bool atom_near(const struct atom *a) { return a->kind == ATOM_CONTAINS && class_of(a) != OF_FAR; }
bool atom_far(const struct atom *a) { return a->kind == ATOM_CONTAINS && class_of(a) == OF_FAR; }

static uint32_t common(const struct tables *t, const char *p) { return t->common[gram_hash(load4(p)) >> COMMON_SHIFT]; }

/* rarest - where in a text the so many grams in a row stand that the rules write most rarely. */
static uint32_t rarest(const struct tables *t, struct str s, uint32_t row)
{
    uint64_t least = UINT64_MAX;
    uint32_t at = 0;

    for (uint32_t i = 0; i + row + 3 <= s.n; i++) {
        uint64_t n = 0;

        for (uint32_t k = 0; k < row; k++)
            n += common(t, s.p + i + k);
        if (n < least) {
            least = n;
            at = i;
        }
    }
    return at;
}

static int bits_make(struct arena *a, uint32_t grams, struct bits *out)
{
    uint32_t bits = 10;

    while (bits < GRAM_BITS_MAX && (1u << bits) < grams * 32)
        bits++;
    out->shift = 32 - bits;
    out->set = grams ? arena_zero(a, (size_t)1 << (bits - 3)) : NULL;
    return grams && !out->set ? -ENOMEM : 0;
}

static void bits_put(struct bits *b, uint32_t gram)
{
    uint32_t h = gram_hash(gram) >> b->shift;

    b->set[h / 32] |= 1u << h % 32;
}

static inline bool bits_have(const struct bits *b, uint32_t gram)
{
    uint32_t h = gram_hash(gram) >> b->shift;

    return b->set[h / 32] >> h % 32 & 1;
}

static void put_slot(struct tables *t, uint32_t atom, uint64_t key)
{
    uint32_t at = (uint32_t)key & t->slot_mask;

    while (t->slots[at].atom != UINT32_MAX)
        at = (at + 1) & t->slot_mask;
    t->slots[at] = (struct slot_atom){ (uint32_t)(key >> 32), atom };
}

static void take_contains(struct tables *t, uint32_t i)
{
    struct atom *a = &t->atoms[i];
    struct sieve *f = &t->sieves[a->field];
    enum length_class class = class_of(a);
    uint32_t row = class == OF_FAR ? FAR_STEP : 1;

    if (class == OF_THREE) {
        bits_put(&f->three, (uint32_t)edge(a->text.p, 3));
        put_slot(t, i, mix(a->field, KEY_THREE, edge(a->text.p, 3)));
        return;
    }
    a->gram_at = rarest(t, a->text, row);
    for (uint32_t k = 0; k < row; k++) {
        uint32_t gram = load4(a->text.p + a->gram_at + k);

        bits_put(class == OF_FAR ? &f->far : &f->four, gram);
        put_slot(t, i, mix(a->field, class == OF_FAR ? KEY_FAR + k : KEY_FOUR, gram));
    }
}

static void take_atom(struct tables *t, uint32_t i)
{
    const struct atom *a = &t->atoms[i];
    struct sieve *f = &t->sieves[a->field];
    uint32_t k = edge_length(a->text);

    f->any = f->any || a->kind != ATOM_PRESENT;
    switch (a->kind) {
    case ATOM_EQ:
        f->eq_lengths |= UINT64_C(1) << a->text.n % 64;
        put_slot(t, i, mix(a->field, KEY_EQ, XXH3_64bits(a->text.p, a->text.n)));
        break;
    case ATOM_STARTS:
        f->starts |= 1u << k;
        put_slot(t, i, mix(a->field, KEY_STARTS + k, edge(a->text.p, k)));
        break;
    case ATOM_ENDS:
        f->ends |= 1u << k;
        put_slot(t, i, mix(a->field, KEY_ENDS + k, edge(a->text.p + a->text.n - k, k)));
        break;
    case ATOM_NUMBER:
        f->numbers = true;
        put_slot(t, i, mix(a->field, KEY_NUMBER, edge(a->text.p, 8)));
        break;
    case ATOM_BEYOND: f->beyond = i; break;
    case ATOM_CONTAINS: take_contains(t, i); break;
    case ATOM_PRESENT: break;
    }
}

/* make_bits - for each field bit tables large enough for its atoms. */
static int make_bits(const struct sigma *s, struct tables *t)
{
    uint32_t (*counts)[OF_COUNT] = calloc(s->field_count + 1, sizeof *counts);
    int rc = counts ? 0 : -ENOMEM;

    for (uint32_t i = 0; i < t->atom_count && rc == 0; i++)
        if (t->atoms[i].kind == ATOM_CONTAINS)
            counts[t->atoms[i].field][class_of(&t->atoms[i])]++;
    for (uint32_t f = 0; f <= s->field_count && rc == 0; f++) {
        rc = bits_make(&t->arena, counts[f][OF_FAR] * FAR_STEP, &t->sieves[f].far);
        if (rc == 0)
            rc = bits_make(&t->arena, counts[f][OF_FOUR], &t->sieves[f].four);
        if (rc == 0)
            rc = bits_make(&t->arena, counts[f][OF_THREE], &t->sieves[f].three);
        t->sieves[f].beyond = UINT32_MAX;
    }
    free(counts);
    return rc;
}

int sieves_build(const struct sigma *s, struct tables *t)
{
    uint32_t cap = 64;
    int rc;

    while (cap < t->atom_count * FAR_STEP * 2)
        cap *= 2;
    t->slot_mask = cap - 1;
    t->slots = malloc(cap * sizeof *t->slots);
    t->sieves = arena_zero(&t->arena, (s->field_count + 1) * sizeof *t->sieves);
    if (!t->slots || !t->sieves)
        return -ENOMEM;
    memset(t->slots, 0xFF, cap * sizeof *t->slots);
    rc = make_bits(s, t);
    for (uint32_t i = 0; i < t->atom_count && rc == 0; i++)
        take_atom(t, i);
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

/* stands - the atom stands in the value; at is where its gram_at would be. */
static bool stands(const struct scan *k, const struct atom *a, ptrdiff_t at)
{
    switch (a->kind) {
    case ATOM_EQ: return str_eq(k->s, a->text);
    case ATOM_STARTS: return str_starts(k->s, a->text);
    case ATOM_ENDS: return str_ends(k->s, a->text);
    case ATOM_NUMBER: return true;
    default:
        at -= (ptrdiff_t)a->gram_at;
        return at >= 0 && k->s.n - (size_t)at >= a->text.n && memcmp(k->s.p + at, a->text.p, a->text.n) == 0;
    }
}

static int ask(const struct scan *k, uint32_t class, uint64_t bytes, ptrdiff_t at)
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

static int scan_four(const struct scan *k, const struct bits *b)
{
    const struct bits have = *b;
    const char *p = k->s.p;
    size_t end = k->s.n < 4 ? 0 : k->s.n - 3;
    int rc = 0;

    for (size_t i = 0; i < end; i++)
        if (bits_have(&have, load4(p + i))) {
            rc = ask(k, KEY_FOUR, load4(p + i), (ptrdiff_t)i);
            if (rc < 0)
                return rc;
        }
    return rc;
}

/* scan_far - each third place is enough: of the three grams in a row of an atom one stands there. */
static int scan_far(const struct scan *k, const struct bits *b)
{
    const struct bits have = *b;
    const char *p = k->s.p;
    size_t end = k->s.n < 4 ? 0 : k->s.n - 3;
    int rc = 0;

    for (size_t i = 0; i < end; i += FAR_STEP) {
        if (!bits_have(&have, load4(p + i)))
            continue;
        for (uint32_t row = 0; row < FAR_STEP && rc >= 0; row++)
            rc = ask(k, KEY_FAR + row, load4(p + i), (ptrdiff_t)i - (ptrdiff_t)row);
        if (rc < 0)
            return rc;
    }
    return rc;
}

static int scan_three(const struct scan *k, const struct bits *b)
{
    int rc = 0;

    for (size_t i = 0; i + 3 <= k->s.n && rc >= 0; i++) {
        uint32_t gram = (uint32_t)edge(k->s.p + i, 3);

        if (bits_have(b, gram))
            rc = ask(k, KEY_THREE, gram, (ptrdiff_t)i);
    }
    return rc;
}

static bool beyond(struct str s)
{
    unsigned char all = 0;

    for (size_t i = 0; i < s.n; i++)
        all |= (unsigned char)s.p[i];
    return all & 0x80;
}

bool atom_stands(const struct atom *a, struct str folded, struct str raw)
{
    double number;

    switch (a->kind) {
    case ATOM_EQ: return str_eq(folded, a->text);
    case ATOM_STARTS: return str_starts(folded, a->text);
    case ATOM_ENDS: return str_ends(folded, a->text);
    case ATOM_CONTAINS: return str_find(folded, a->text) >= 0;
    case ATOM_BEYOND: return beyond(folded);
    case ATOM_NUMBER: return number_parse(raw, &number) && memcmp(&(double){ number == 0 ? 0 : number }, a->text.p, sizeof number) == 0;
    default: return true;
    }
}

int atoms_scan(const struct tables *t, uint32_t field, bool near, struct str folded, struct str raw, atom_found *found, void *arg)
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
    if (rc >= 0 && f->far.set)
        rc = scan_far(&k, &f->far);
    if (rc >= 0 && near && f->four.set)
        rc = scan_four(&k, &f->four);
    if (rc >= 0 && near && f->three.set)
        rc = scan_three(&k, &f->three);
    if (rc >= 0 && f->beyond != UINT32_MAX && beyond(folded))
        rc = found(arg, f->beyond);
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
    for (size_t i = 0; i < s.n; i++)
        val->bytes[(unsigned char)s.p[i] / 32] |= 1u << (unsigned char)s.p[i] % 32;
    for (size_t i = 0; i + 4 <= s.n; i++) {
        uint32_t h = gram_hash(load4(s.p + i)) >> val->gram_shift;

        set[h / 32] |= 1u << h % 32;
    }
    val->grams = set;
}
