/* verdict.c - see verdict.h.
 *
 * A *question* is a leaf of some rule (or of a filter): does a value of this field match one of these patterns? Equal questions are one.
 * It is *decided* beforehand if the values it asks are few or short by nature: all its patterns compare the whole value with a word or a number. The decided
 * questions of one field lie side by side in a word of the row, so that one look at a value gives all of them: a *slot*. Questions of
 * free text are open: the row says whether they still matter. */
#include <xxhash.h>

#include "sigma/verdict.h"
#include "sigma/engine.h"

#define OPEN         UINT16_MAX
#define VALUE_BYTES  39       /* longer values are not remembered */

/* A value that was asked, and which questions of its slot are true of it. */
struct asked {
    uint64_t bits;
    uint8_t  n;               /* 0: free */
    char     text[VALUE_BYTES];
};
static_assert(VERDICT_SLOTS * 64 < OPEN, "each decided question has a number");

struct question {
    const struct leaf *leaf;
    uint64_t bit;
    bool     odd;             /* some pattern is no plain word and no plain number: it is asked by itself */
    struct question *next;    /* of its slot */
};

/* A word or a number that questions of a slot name, and which of them are true of a value that is it. */
struct named_word {
    struct str text;          /* folded; of a number its eight bytes */
    bool       number;
    uint64_t   bits;          /* 0: free */
};

struct slot_of {              /* decided questions of one field */
    uint32_t field, word;
    uint64_t mask, absent;    /* its bits of the word, and which of them are true where the field is not there */
    uint64_t any;             /* of any value */
    bool     numbers, odd;    /* some question names a number;  is odd */
    struct question *first;
    struct named_word *names; /* open addressing */
    uint32_t name_mask;
    struct asked *asked;      /* VERDICT_VALUES */
};

/* Which slots the events of one shape have: the place of each one's first value. */
struct kind {
    uint64_t shape;           /* its serial; 0: free */
    uint32_t count;
    struct { uint16_t slot, value; } at[VERDICT_SLOTS];
};

struct row {
    uint64_t cell;            /* its serial; 0: free */
    uint64_t sure;            /* what the rules say that match whatever else is in the event */
    uint64_t words[];         /* the answers, then a bit for each rule that the row leaves open */
};

struct verdicts {
    const struct sigma *set;
    const uint64_t     *bits;
    struct arena        arena;
    struct view         view;
    struct cells       *cells;
    struct slot_of      slots[VERDICT_SLOTS];
    uint32_t            slot_count, words, rule_words;
    uint64_t           *absent, *now;          /* rows of no field, and of the event at hand */
    uint16_t          **of_rule, **of_filter;  /* by rule or filter, then by leaf: the number of its question's bit, or OPEN */
    struct kind        *kinds;
    unsigned char      *rows;
    size_t              stride;
    uint8_t            *reach;
};

/* --- questions --- */

/* decided - every pattern compares the whole value, so that what a field holds is soon seen again. */
static bool decided(const struct leaf *leaf)
{
    for (uint32_t i = 0; i < leaf->count; i++)
        switch (leaf->patterns[i].kind) {
        case PAT_ANY: case PAT_EQ: case PAT_NUMBER: case PAT_LT: case PAT_LTE: case PAT_GT: case PAT_GTE:
        case PAT_NULL: case PAT_EXISTS: case PAT_ABSENT: break;
        default: return false;
        }
    return leaf->field != FIELD_KEYWORD;
}

static bool same_question(const struct leaf *a, const struct leaf *b)
{
    if (a->count != b->count)
        return false;
    for (uint32_t i = 0; i < a->count; i++) {
        const struct pattern *x = &a->patterns[i], *y = &b->patterns[i];
        bool number = x->kind == PAT_NUMBER || (x->kind >= PAT_LT && x->kind <= PAT_GTE);

        if (x->kind != y->kind || x->cased != y->cased || !str_eq(x->text, y->text) || (number && memcmp(&x->number, &y->number, sizeof x->number) != 0))
            return false;
    }
    return true;
}

static bool true_if_absent(const struct leaf *leaf)
{
    for (uint32_t i = 0; i < leaf->count; i++)
        if (leaf->patterns[i].kind == PAT_NULL || leaf->patterns[i].kind == PAT_ABSENT)
            return true;
    return false;
}

/* slot_add - one more slot of a field. Slots get their place in the row when all questions are known. */
static struct slot_of *slot_add(struct verdicts *k, uint32_t field)
{
    struct slot_of *t = &k->slots[k->slot_count];

    *t = (struct slot_of){ .field = field, .asked = arena_zero(&k->arena, VERDICT_VALUES * sizeof *t->asked) };
    if (!t->asked)
        return NULL;
    k->slot_count++;
    return t;
}

static uint32_t questions(const struct slot_of *t)
{
    uint32_t n = 0;

    for (const struct question *q = t->first; q; q = q->next)
        n++;
    return n;
}

/* ask_in_slot - the question of a leaf, made if new. 0: it stays open. */
static int ask_in_slot(struct verdicts *k, const struct leaf *leaf)
{
    struct slot_of *room = NULL;
    struct question *q;

    for (uint32_t i = 0; i < k->slot_count; i++) {
        struct slot_of *t = &k->slots[i];

        if (t->field != leaf->field)
            continue;
        for (q = t->first; q; q = q->next)
            if (same_question(q->leaf, leaf))
                return 0;
        room = questions(t) < 64 ? t : room;
    }
    if (!room && k->slot_count == VERDICT_SLOTS)
        return 0;
    if (!room && !(room = slot_add(k, leaf->field)))
        return -ENOMEM;
    q = arena_zero(&k->arena, sizeof *q);
    if (!q)
        return -ENOMEM;
    *q = (struct question){ .leaf = leaf, .next = room->first };
    room->first = q;
    return 0;
}

static int ask_all(struct verdicts *k, const struct program *p)
{
    int rc = 0;

    for (uint32_t i = 0; i < p->leaf_count && rc == 0; i++)
        if (decided(&p->leaves[i]))
            rc = ask_in_slot(k, &p->leaves[i]);
    return rc;
}

/* place_slots - each into a word that has room for all of its questions. */
static void place_slots(struct verdicts *k)
{
    uint32_t used = 64;

    k->words = 0;
    for (uint32_t i = 0; i < k->slot_count; i++) {
        struct slot_of *t = &k->slots[i];
        uint32_t n = questions(t);

        if (used + n > 64) {
            k->words++;
            used = 0;
        }
        t->word = k->words - 1;
        for (struct question *q = t->first; q; q = q->next, used++) {
            q->bit = UINT64_C(1) << used;
            t->mask |= q->bit;
            t->absent |= true_if_absent(q->leaf) ? q->bit : 0;
        }
    }
}

/* --- what a slot's questions name --- */

/* number_text - a number as the eight bytes by which it is found; -0 is 0. */
static struct str number_text(double *number)
{
    *number = *number == 0 ? 0 : *number;
    return str_of((const char *)number, sizeof *number);
}

static bool plain_number(const struct pattern *p)
{
    double written;

    return p->kind == PAT_NUMBER && number_parse(p->text, &written) && number_compare(PAT_NUMBER, written, p->number);
}

static struct named_word *name_at(const struct slot_of *t, struct str text, bool number)
{
    uint64_t at = (str_hash(text) + number) & t->name_mask;

    while (t->names[at].bits && (t->names[at].number != number || !str_eq(t->names[at].text, text)))
        at = (at + 1) & t->name_mask;
    return &t->names[at];
}

/* name_pattern - false without memory. */
static bool name_pattern(struct verdicts *k, struct slot_of *t, struct question *q, const struct pattern *p)
{
    bool number = plain_number(p);
    double value = number ? p->number : 0;
    struct str text = number ? number_text(&value) : p->text;
    struct named_word *w;

    switch (p->kind) {
    case PAT_ANY: case PAT_EXISTS:
        t->any |= q->bit;
        return true;
    case PAT_NULL: case PAT_ABSENT:
        return true;
    case PAT_EQ: case PAT_NUMBER:
        if (number || (p->kind == PAT_EQ && !p->cased))
            break;
        /* fall through */
    default:
        q->odd = t->odd = true;
        return true;
    }
    w = name_at(t, text, number);
    if (!w->bits)
        *w = (struct named_word){ .text = number ? arena_copy(&k->arena, text) : text, .number = number };
    w->bits |= q->bit;
    t->numbers |= number;
    return w->text.p || !w->text.n;
}

static bool name_all(struct verdicts *k, struct slot_of *t)
{
    uint32_t count = 1, size = 8;
    bool ok = true;

    for (const struct question *q = t->first; q; q = q->next)
        count += q->leaf->count;
    while (size < count * 2)
        size *= 2;
    t->names = arena_zero(&k->arena, size * sizeof *t->names);
    t->name_mask = size - 1;
    ok = t->names != NULL;
    for (struct question *q = t->first; q; q = q->next)
        for (uint32_t i = 0; i < q->leaf->count && ok; i++)
            ok = name_pattern(k, t, q, &q->leaf->patterns[i]);
    return ok;
}

/* number_of - the place in the row of a leaf's answer. */
static uint16_t number_of(const struct verdicts *k, const struct leaf *leaf)
{
    for (uint32_t i = 0; decided(leaf) && i < k->slot_count; i++)
        for (const struct question *q = k->slots[i].field == leaf->field ? k->slots[i].first : NULL; q; q = q->next)
            if (same_question(q->leaf, leaf))
                return (uint16_t)(k->slots[i].word * 64 + (uint32_t)__builtin_ctzll(q->bit));
    return OPEN;
}

static uint16_t *numbers_of(struct verdicts *k, const struct program *p)
{
    uint16_t *n = arena_array(&k->arena, p->leaf_count + 1, sizeof *n);

    for (uint32_t i = 0; n && i < p->leaf_count; i++)
        n[i] = number_of(k, &p->leaves[i]);
    return n;
}

static int learn_questions(struct verdicts *k, struct err *e)
{
    const struct sigma *s = k->set;
    bool ok = true;

    for (uint32_t i = 0; i < s->rule_count && ok; i++)
        ok = ask_all(k, &s->rules[i].program) == 0;
    for (uint32_t i = 0; i < s->filter_count && ok; i++)
        ok = ask_all(k, &s->filters[i].program) == 0;
    place_slots(k);
    for (uint32_t i = 0; i < k->slot_count && ok; i++)
        ok = name_all(k, &k->slots[i]);
    k->of_rule = arena_array(&k->arena, s->rule_count + 1, sizeof *k->of_rule);
    k->of_filter = arena_array(&k->arena, s->filter_count + 1, sizeof *k->of_filter);
    k->absent = arena_zero(&k->arena, (k->words + 1) * sizeof *k->absent);
    k->now = arena_zero(&k->arena, (k->words + 1) * sizeof *k->now);
    ok = ok && k->of_rule && k->of_filter && k->absent && k->now;
    for (uint32_t i = 0; ok && i < s->rule_count; i++)
        ok = (k->of_rule[i] = numbers_of(k, &s->rules[i].program)) != NULL;
    for (uint32_t i = 0; ok && i < s->filter_count; i++)
        ok = (k->of_filter[i] = numbers_of(k, &s->filters[i].program)) != NULL;
    for (uint32_t i = 0; ok && i < k->slot_count; i++)
        k->absent[k->slots[i].word] |= k->slots[i].absent;
    return ok ? 0 : err_set(e, -ENOMEM, "no memory for the rules");
}

int verdicts_new(const struct sigma *s, const uint64_t *bits, struct verdicts **out, struct err *e)
{
    struct verdicts *k = calloc(1, sizeof *k);
    int rc;

    *out = NULL;
    if (!k)
        return err_set(e, -ENOMEM, "no memory for the rules");
    k->set = s;
    k->bits = bits;
    arena_init(&k->arena, 0);
    k->reach = calloc(SIGMA_NODES_MAX + 1, 1);
    k->kinds = calloc(VERDICT_KINDS, sizeof *k->kinds);
    k->rule_words = s->rule_count / 64 + 1;
    rc = view_init(&k->view, s, e);
    if (rc == 0)
        rc = cells_new(s, false, &k->cells, e);
    if (rc == 0)
        rc = learn_questions(k, e);
    k->stride = sizeof(struct row) + (k->words + k->rule_words) * sizeof(uint64_t);
    k->rows = rc == 0 ? calloc(VERDICT_ROWS, k->stride) : NULL;
    if (rc == 0 && (!k->reach || !k->kinds || !k->rows))
        rc = err_set(e, -ENOMEM, "no memory for the rules");
    if (rc == 0)
        cells_count(k->cells, false);
    else
        verdicts_free(&k);
    *out = k;
    return rc;
}

void verdicts_free(struct verdicts **kp)
{
    struct verdicts *k = *kp;

    if (!k)
        return;
    view_free(&k->view);
    cells_free(&k->cells);
    free(k->reach);
    free(k->kinds);
    free(k->rows);
    arena_free(&k->arena);
    free(k);
    *kp = NULL;
}

/* --- the row of an event --- */

/* ask_each - the questions by themselves; those that are odd, or all. */
static uint64_t ask_each(struct verdicts *k, const struct slot_of *t, uint32_t value, bool all)
{
    struct place pl;
    uint64_t bits = 0;

    for (const struct question *q = t->first; q; q = q->next)
        for (uint32_t i = 0; (all || q->odd) && i < q->leaf->count && !(bits & q->bit); i++)
            bits |= pattern_holds(&q->leaf->patterns[i], &k->view, value, &pl) ? q->bit : 0;
    return bits;
}

static uint64_t ask_value(struct verdicts *k, const struct slot_of *t, uint32_t value)
{
    struct str raw = view_value(&k->view, value)->raw;
    uint64_t bits = t->any;
    double number;

    if (!raw.p)   /* JSON's null */
        return ask_each(k, t, value, true);
    bits |= name_at(t, view_folded(&k->view, value), false)->bits;
    if (t->numbers && number_parse(raw, &number))
        bits |= name_at(t, number_text(&number), true)->bits;
    return t->odd ? bits | ask_each(k, t, value, false) : bits;
}

/* place_of - by its first and last eight bytes and its length, which tell most short texts apart. */
static inline uint32_t place_of(struct str s)
{
    uint64_t a = 0, b = 0;

    if (s.n >= 8) {
        memcpy(&a, s.p, 8);
        memcpy(&b, s.p + s.n - 8, 8);
    } else if (s.n >= 4) {
        a = load4(s.p);
        b = load4(s.p + s.n - 4);
    } else {
        for (size_t i = 0; i < s.n; i++)
            a = a << 8 | (unsigned char)s.p[i];
    }
    a = (a ^ s.n) * UINT64_C(0x9E3779B97F4A7C15) + b;
    return (uint32_t)(((a ^ a >> 29) * UINT64_C(0xFF51AFD7ED558CCD)) >> 58);
}
static_assert(VERDICT_VALUES == 1 << (64 - 58), "the upper bits of the hash");

static inline bool is_asked(const struct asked *was, struct str s) { return was->n == s.n && same_bytes(was->text, s.p, s.n); }

/* ask_anew - the value takes the first of its two places, and what was there the second. */
static uint64_t ask_anew(struct verdicts *k, const struct slot_of *t, uint32_t value, struct str s, struct asked *first, struct asked *second)
{
    uint64_t bits = ask_value(k, t, value);

    if (k->view.failed)   /* the values of an event too large are compared unfolded: no answer for another one */
        return bits;
    *second = *first;
    first->bits = bits;
    first->n = (uint8_t)s.n;
    memcpy(first->text, s.p, s.n);
    return bits;
}

/* bits_of - which questions of the slot are true of the value, from what was asked before if it is there. */
static inline uint64_t bits_of(struct verdicts *k, const struct slot_of *t, uint32_t value)
{
    struct str s = value < k->view.ev->field_count ? k->view.ev->fields[value].value : view_value(&k->view, value)->raw;
    uint32_t at;

    if (s.n == 0 || s.n > VALUE_BYTES)
        return ask_value(k, t, value);
    at = place_of(s);
    if (is_asked(&t->asked[at], s))
        return t->asked[at].bits;
    if (is_asked(&t->asked[at ^ 1], s))
        return t->asked[at ^ 1].bits;
    return ask_anew(k, t, value, s, &t->asked[at], &t->asked[at ^ 1]);
}

static const struct kind *kind_of(struct verdicts *k)
{
    const struct shape *sh = k->view.shape;
    struct kind *kind = &k->kinds[sh->serial % VERDICT_KINDS];

    if (kind->shape == sh->serial)
        return kind;
    kind->shape = sh->serial;
    kind->count = 0;
    for (uint32_t i = 0; i < k->slot_count; i++) {
        uint16_t first = sh->first[k->slots[i].field];

        if (first == VALUE_NONE)
            continue;
        kind->at[kind->count].slot = (uint16_t)i;
        kind->at[kind->count++].value = first;
    }
    return kind;
}

static void row_of(struct verdicts *k)
{
    const struct kind *kind = kind_of(k);

    memcpy(k->now, k->absent, k->words * sizeof *k->now);
    for (uint32_t i = 0; i < kind->count; i++) {
        const struct slot_of *t = &k->slots[kind->at[i].slot];
        uint64_t bits = 0;

        for (uint32_t v = kind->at[i].value; v != UINT32_MAX; v = view_next(&k->view, v))
            bits |= bits_of(k, t, v);
        k->now[t->word] = (k->now[t->word] & ~t->mask) | bits;
    }
}

/* --- what a row decides --- */

static inline bool answer(const struct verdicts *k, uint16_t number) { return bit_get(k->now, number); }

/* ways - whether the condition can be true, and whether it can be false, with the decided questions answered. Its jumps go down. */
static void ways(struct verdicts *k, const struct program *p, const uint16_t *number, bool *yes, bool *no)
{
    *yes = *no = false;
    memset(k->reach, 0, p->count);
    k->reach[p->entry] = 1;
    for (uint32_t i = p->entry + 1; i-- > 0;) {
        const struct instr *in = &p->code[i];
        uint16_t n = number[in->leaf];
        const uint32_t to[] = { n == OPEN || answer(k, n) ? in->yes : in->no, n == OPEN ? in->no : UINT32_MAX - 2 };

        for (uint32_t w = 0; k->reach[i] && w < (n == OPEN ? 2u : 1u); w++)
            if (to[w] < GOTO_FALSE)
                k->reach[to[w]] = 1;
            else
                *(to[w] == GOTO_TRUE ? yes : no) = true;
    }
}

/* decide - what the row of the event at hand settles of the rules of its cell. */
static void decide(struct verdicts *k, const struct cell *cell, struct row *r)
{
    uint64_t *open = r->words + k->words;

    *r = (struct row){ .cell = cell->serial };
    memcpy(r->words, k->now, k->words * sizeof *r->words);
    memset(open, 0, k->rule_words * sizeof *open);
    for (uint32_t w = 0; w < k->rule_words; w++)
        for (uint64_t left = cell->rules[w]; left; left &= left - 1) {
            uint32_t rule = w * 64 + (uint32_t)__builtin_ctzll(left);
            const struct compiled *c = &k->set->rules[rule];
            bool yes, no;

            ways(k, &c->program, k->of_rule[rule], &yes, &no);
            if (yes && (no || c->filters.n))   /* whether a filter counts, time and object say */
                bit_set(open, rule);
            else if (yes)
                r->sure |= k->bits[rule];
        }
}

static struct row *row_at(const struct verdicts *k, size_t i) { return (struct row *)(void *)(k->rows + i * k->stride); }

static bool same_row(const struct verdicts *k, const struct row *r, const struct cell *cell)
{
    return r->cell == cell->serial && memcmp(r->words, k->now, k->words * sizeof *k->now) == 0;
}

/* row_find - the row of the event at hand. Two places may have it; the one used longer ago is given up. */
static const struct row *row_find(struct verdicts *k, const struct cell *cell)
{
    size_t at = (XXH3_64bits(k->now, k->words * sizeof *k->now) + cell->serial * UINT64_C(0x9E3779B97F4A7C15)) % VERDICT_ROWS;
    struct row *r = row_at(k, at), *other = row_at(k, at ^ 1);

    if (same_row(k, r, cell))
        return r;
    if (same_row(k, other, cell))
        return other;
    memcpy(other, r, k->stride);
    decide(k, cell, r);
    return r;
}

/* --- what it leaves open --- */

static bool walk(struct verdicts *k, const struct program *p, const uint16_t *number)
{
    uint32_t at = p->entry;

    while (at < GOTO_FALSE) {
        const struct instr *in = &p->code[at];
        uint16_t n = number[in->leaf];

        at = (n == OPEN ? leaf_quick(&p->leaves[in->leaf], &k->view) : answer(k, n)) ? in->yes : in->no;
    }
    return at == GOTO_TRUE;
}

static bool holds(struct verdicts *k, uint32_t rule)
{
    const struct compiled *c = &k->set->rules[rule];
    bool yes = walk(k, &c->program, k->of_rule[rule]);

    for (uint32_t i = 0; i < c->filters.n && yes; i++) {
        const struct filter *f = &k->set->filters[c->filters.p[i]];

        yes = !filter_counts(f, k->view.ev) || walk(k, &f->program, k->of_filter[c->filters.p[i]]);
    }
    return yes;
}

/* all_asked - an event whose origin is too odd for a cell: every rule whose log source applies. */
static uint64_t all_asked(struct verdicts *k, uint64_t have)
{
    uint64_t found = 0;
    struct origin o;

    origin_of(&k->view, k->set, k->view.ev, &o);
    for (uint32_t i = 0; i < k->set->rule_count; i++) {
        const struct compiled *c = &k->set->rules[i];

        if (!c->correlation && (k->bits[i] & ~(found | have)) && logsource_applies(&k->set->logsources[c->logsource], &o, false) && holds(k, i))
            found |= k->bits[i];
    }
    return found;
}

void verdicts_batch(struct verdicts *k, bool on) { shapes_stay(k->view.shapes, on); }

int verdicts_event(struct verdicts *k, const struct event *ev, uint64_t have, uint64_t *out, struct err *e)
{
    const struct cell *cell;
    const struct row *r;
    uint64_t found;
    int rc = view_take(&k->view, ev, false, e);

    *out = 0;
    if (rc < 0)
        return rc;
    row_of(k);
    cell = cells_find(k->cells, &k->view);
    if (!cell) {
        *out = all_asked(k, have);
        return 0;
    }
    r = row_find(k, cell);
    found = r->sure;
    for (uint32_t w = 0; w < k->rule_words; w++)
        for (uint64_t left = r->words[k->words + w]; left; left &= left - 1) {
            uint32_t rule = w * 64 + (uint32_t)__builtin_ctzll(left);

            if ((k->bits[rule] & ~(found | have)) && holds(k, rule))
                found |= k->bits[rule];
        }
    *out = found;
    return 0;
}
