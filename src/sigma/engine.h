/* engine.h - how an event finds the few rules that may match it.
 *
 * Owns      struct tables belongs to the set and does not change; struct cells belongs to one worker and is a bounded cache.
 * Promises  1. Every step here only leaves out what cannot match: a rule that the plain evaluator (plain.c) finds is always
 *              a candidate. Tables over-approximate, the rule's own program decides; test_same.c holds both against each other.
 *           2. The order of work is the event's: names once (shape.c), origin once (cell.c), each value once (atoms.c),
 *              then the programs of the candidates.
 *           3. Whatever a stranger can vary has a bound: CELLS_MAX, GRAM_BITS_MAX.
 * Threads   tables: any. The rest: owner.
 * Units     costs are expected firings an event.
 *
 *   names of the event --shape--> values by field
 *   class, channel, number … --cell--> rules that may be shown this event, fields worth a look
 *   value --sieve---> atoms that stand in it --postings--> candidates --program--> matches
 *
 * A *witness* of a rule is a set of atoms of which at least one must hold for the rule to match: of an AND the cheapest child's,
 * of an OR all children's together, of a NOT none. A rule without a witness is looked at for every event of its cells. */
#ifndef SAQSHY_SIGMA_ENGINE_H
#define SAQSHY_SIGMA_ENGINE_H

#include "sigma/internal.h"

#define CELLS_MAX     1024
#define GRAM_BITS_MAX 17      /* of a bit table: 16 KiB */

/* --- literal.c: what texts a pattern needs --- */

enum atom_kind {
    ATOM_EQ, ATOM_STARTS, ATOM_ENDS,
    ATOM_CONTAINS,    /* 3 bytes and more */
    ATOM_NUMBER,
    ATOM_BEYOND,      /* some byte past ASCII: for shorter texts that have one */
    ATOM_PRESENT,     /* the field is there */
};

/* One text (or number) in one field. */
struct atom {
    uint32_t field;              /* keywords: the set's field_count */
    enum atom_kind kind;
    struct str text;             /* folded; of a number its eight bytes */
    uint32_t gram_at;            /* CONTAINS: where in text the bytes stand that are looked for first */
    uint64_t name;               /* hash of the field's name, kind and text: as what it is measured (frequency.h) */
};

/* pattern_atom - an atom that holds whenever the pattern does. False: there is none, the pattern can hold without its field. */
bool pattern_beyond(const struct pattern *p);   /* it holds only for values with a byte past ASCII */
bool pattern_atom(struct arena *a, const struct sigma *s, uint32_t field, const struct pattern *p, struct atom *out);
/* program_name - of each leaf the names of its atoms, in a, and in each pattern what a look into a value's sets of grams and bytes can deny; scratch holds
 * nothing that stays. */
MUST_USE int program_name(struct arena *a, struct arena *scratch, const struct sigma *s, struct program *p);
/* leaf_atom - the atom of its i-th pattern, with its name. False: there is none. */
bool leaf_atom(struct arena *a, const struct sigma *s, const struct leaf *leaf, uint32_t i, struct atom *out);
/* atom_stands - in a value: folded, and as it came. */
bool atom_stands(const struct atom *a, struct str folded, struct str raw);
/* regex_literal - the longest text, folded, that stands in all that a regular expression matches; empty if none is seen easily. */
struct str regex_literal(struct arena *a, struct str pattern);

/* --- witness.c: what must hold for a rule --- */

struct witness {
    uint32_t first, count;       /* in the tables' list of atoms of rules */
    bool     always;             /* nothing must hold, or the event's number alone: looked at for each event of its cells */
    bool     numbered;           /* it looks at the event's number: cells try to decide it beforehand */
};

struct slot_atom { uint32_t tag, atom; };   /* atom UINT32_MAX: free */

struct bits { uint32_t *set; uint32_t shift; };   /* by the upper bits of gram_hash; set NULL: none */

struct sieve {                  /* of one field */
    uint64_t  eq_lengths;        /* bit n % 64: some EQ atom has n bytes */
    uint32_t  starts, ends;      /* bit k: some atom of that kind has min(8, its length) = k */
    struct bits far, four, three; /* of texts of FAR_MIN bytes and more; of 4 and 5; of 3 */
    uint32_t  beyond;            /* the ATOM_BEYOND of the field, or UINT32_MAX */
    bool      numbers, any;
};

struct tables {
    struct arena      arena;
    struct atom      *atoms;
    uint32_t          atom_count, atom_cap;
    struct witness   *witness;         /* by rule */
    struct u32list    of_rules;        /* atoms of all witnesses */
    uint32_t         *post_at, *posts; /* atom -> rules */
    struct sieve    *sieves;          /* by field; [field_count]: keywords */
    struct slot_atom *slots;
    uint32_t          slot_mask;
    struct strmap     vocabulary;      /* words that an event's origin may hold and that make a difference */
    bool              numbers_unknown; /* the rules name more event numbers than there is room for */
    uint32_t         *common;          /* by 16 bits of gram_hash: how often the rules write these 4 bytes; while they are made */
};
#define TABLES_ARENA_BYTES (256u * MIB)
#define COMMON_SHIFT 16

/* tables_build - witnesses and sieves of all rules; once the set is linked. */
MUST_USE int tables_build(struct sigma *s, struct err *e);
void tables_free(struct tables **t);
MUST_USE int witnesses_build(const struct sigma *s, struct tables *t);

/* --- atoms.c: which atoms stand in a value --- */

MUST_USE int sieves_build(const struct sigma *s, struct tables *t);
#define FAR_MIN 6
/* atom_near - it is a text so short that each place of a value must be looked at for it;  atom_far - a text of FAR_MIN bytes and more. */
bool atom_near(const struct atom *a);
bool atom_far(const struct atom *a);
typedef int atom_found(void *arg, uint32_t atom);
/* atoms_scan - every atom of the field that stands in the value, some perhaps twice; without near those of atom_near are left out. An
 * answer below 0 of found ends it. */
int atoms_scan(const struct tables *t, uint32_t field, bool near, struct str folded, struct str raw, atom_found *found, void *arg);

/* gram_hash - the one hash of 4 bytes: of bit tables and of the set of grams of a value. Its upper bits are the good ones. */
static inline uint32_t gram_hash(uint32_t gram) { return gram * 0x9E3779B1u; }
/* grams_make - the set of all 4 bytes in a row of a value's folded text, and of its bytes. Without memory there is none. */
void grams_make(struct view *v, uint32_t value);

/* --- cell.c: which rules an event of one origin meets --- */

struct direct { uint32_t field, rule; };   /* field UINT32_MAX: always, else: if it is there */
struct cell {
    uint64_t       serial;       /* from 1, of no other cell of these cells, also of none that was forgotten */
    uint64_t      *rules;        /* bit: the rule may match */
    uint64_t      *fields;       /* bit: some rule of the cell has an atom in this field */
    uint64_t      *near;         /* bit: one of those that are looked for at each place (atom_near) */
    struct direct *direct;       /* rules that no atom leads to */
    uint32_t       direct_count, rule_count;
    bool           short_words;  /* some keyword may stand in a value of less than FAR_MIN bytes */
};
struct cells;
MUST_USE int vocabulary_build(const struct sigma *s, struct tables *t);
MUST_USE int cells_new(const struct sigma *s, bool loose, struct cells **out, struct err *e);
void cells_free(struct cells **c);
/* cells_events - how many events each rule was shown, added to cost[].events;  cells_odd - one that a rule was shown without a cell. */
void cells_events(const struct cells *c, struct sigma_cost *cost);
void cells_odd(struct cells *c, uint32_t rule);
/* cells_count - whether the events that come are counted. */
void cells_count(struct cells *c, bool on);
/* cells_made - how many were worked out so far. */
uint64_t cells_made(const struct cells *c);
/* cells_find - the cell of the event that the view took. NULL: its origin is too odd to tell, and without memory; then the plain way is right. */
const struct cell *cells_find(struct cells *c, struct view *v);

static inline bool bit_get(const uint64_t *bits, uint32_t i) { return bits[i / 64] >> (i % 64) & 1; }
static inline void bit_set(uint64_t *bits, uint32_t i) { bits[i / 64] |= UINT64_C(1) << (i % 64); }

#endif
