/* cell.c - which rules an event of one origin meets, worked out once for all events of that origin.
 *
 * An origin is what logsource.c asks for: class, parser, program, categories, channel, number of the event. Each of its texts is
 * replaced by the number of a word, or by 0 when no rule and no table of ours knows it: so origins that nothing tells apart are one,
 * and names that strangers make up are all the same. Of the rules whose log source applies, those are left out that cannot match an
 * event of this number: its number is put into their conditions, and where no way to true is left the rule is not of the cell. */
#include <xxhash.h>

#include "sigma/engine.h"

#define WORD_MAX 96   /* longer texts are no word */
#define NUMBER_WORDS_MAX 65000u   /* words beyond which no number of an event becomes one */

enum number_state { NUMBER_ABSENT, NUMBER_ODD, NUMBER_PLAIN };   /* odd: several, not written as a plain number, or a number that no word tells from others */

struct key {
    uint8_t  product, class, unknown, has_program, number, starts;
    uint16_t event_id, event_type, channel, parser, program, dataset, module, vendor, observed;
    uint16_t category[ORIGIN_VALUES_MAX];
};
static_assert(sizeof(struct key) == 36, "no holes: keys are compared as bytes");

struct kept { struct key key; struct cell cell; uint64_t events; };

/* What an event of some shape said of its origin, and the cell that it got: mostly the next one of the shape says the same. */
#define SAID_BYTES 200
#define SAID_MAX   256
struct said {
    uint64_t shape;             /* its serial; 0: free */
    uint32_t kept;              /* the cell's place */
    uint8_t  class, parse;
    char     text[SAID_BYTES];  /* each text behind its length */
};

struct cells {
    const struct sigma *set;
    bool         loose;
    struct arena arena;
    struct kept *kept;          /* open addressing */
    bool        *used;
    uint32_t     count;
    uint64_t     made;
    bool        *applies;       /* by log source, while a cell is made */
    uint8_t     *reach;         /* by instruction, while a rule is tried */
    uint64_t    *past;          /* by rule: events of cells that were forgotten, and without a cell */
    bool         count_events;
    struct said *said;          /* by shape */
};
#define PLACES (2 * CELLS_MAX)

/* --- words --- */

static bool lower_word(struct str s, char *z)
{
    if (s.n == 0 || s.n > WORD_MAX)
        return false;
    for (size_t i = 0; i < s.n; i++)
        z[i] = (char)(s.p[i] >= 'A' && s.p[i] <= 'Z' ? s.p[i] | 0x20 : s.p[i]);
    return true;
}

static uint16_t word(const struct tables *t, struct str s)
{
    char z[WORD_MAX];
    uint32_t n = lower_word(s, z) ? strmap_get(&t->vocabulary, str_of(z, s.n)) : UINT32_MAX;

    return n == UINT32_MAX ? 0 : (uint16_t)n;
}

static int learn(struct tables *t, struct str s)
{
    char z[WORD_MAX];
    struct str kept;

    if (!lower_word(s, z) || strmap_get(&t->vocabulary, str_of(z, s.n)) != UINT32_MAX)
        return 0;
    kept = arena_copy(&t->arena, str_of(z, s.n));
    if (!kept.p || t->vocabulary.count >= UINT16_MAX || !strmap_put(&t->vocabulary, kept, t->vocabulary.count + 1))
        return -ENOMEM;
    return 0;
}

/* learn_numbers - the event numbers that a leaf names, as events write them. Past the room for words the numbers of events that are no word decide nothing. */
static int learn_numbers(struct tables *t, const struct leaf *leaf)
{
    int rc = 0;

    for (uint32_t i = 0; i < leaf->count && rc == 0; i++) {
        const struct pattern *p = &leaf->patterns[i];

        if (t->vocabulary.count >= NUMBER_WORDS_MAX)
            t->numbers_unknown = true;
        else if (p->kind == PAT_NUMBER && p->number >= 0 && p->number < 1e9)
            rc = learn(t, arena_printf(&t->arena, "%u", (unsigned)p->number));
        else if (p->kind == PAT_EQ)
            rc = learn(t, p->text);
    }
    return rc;
}

int vocabulary_build(const struct sigma *s, struct tables *t)
{
    struct str w;
    int rc = 0;

    for (uint32_t i = 0; rc == 0 && logsource_word(i, &w); i++)
        rc = learn(t, w);
    for (uint32_t i = 0; i < s->logsource_count && rc == 0; i++) {
        rc = learn(t, s->logsources[i].product);
        if (rc == 0)
            rc = learn(t, s->logsources[i].category);
        if (rc == 0)
            rc = learn(t, s->logsources[i].service);
    }
    for (uint32_t r = 0; r < s->rule_count; r++)
        for (uint32_t l = 0; l < s->rules[r].program.leaf_count && rc == 0; l++)
            if (s->rules[r].program.leaves[l].field == s->f_event_id)
                rc = learn_numbers(t, &s->rules[r].program.leaves[l]);
    return rc;
}

/* --- the key --- */

static struct str first_of(const struct view *v, enum origin_name o)
{
    return v->shape->origin_count[o] ? v->ev->fields[v->shape->origin[o][0]].value : (struct str){ NULL, 0 };
}

static enum number_state number_state(struct view *v, const struct sigma *set)
{
    uint32_t i = view_first(v, set->f_event_id);
    struct str s;

    if (i == UINT32_MAX)
        return NUMBER_ABSENT;
    s = view_value(v, i)->raw;
    if (view_next(v, i) != UINT32_MAX || s.n == 0 || s.n > 9 || (s.n > 1 && *s.p == '0'))
        return NUMBER_ODD;
    for (size_t k = 0; k < s.n; k++)
        if (s.p[k] < '0' || s.p[k] > '9')
            return NUMBER_ODD;
    return set->tables->numbers_unknown && word(set->tables, s) == 0 ? NUMBER_ODD : NUMBER_PLAIN;
}

/* key_unix - what only events that are not of Windows are asked. */
static void key_unix(const struct tables *t, const struct view *v, struct key *k)
{
    const struct shape *sh = v->shape;
    uint32_t n = 0;

    k->parser = word(t, v->ev->parser);
    k->program = word(t, first_of(v, ON_PROGRAM));
    k->has_program = first_of(v, ON_PROGRAM).n != 0;
    k->dataset = word(t, first_of(v, ON_DATASET));
    k->module = word(t, first_of(v, ON_MODULE));
    k->vendor = word(t, first_of(v, ON_VENDOR));
    k->observed = word(t, first_of(v, ON_PRODUCT));
    for (uint32_t i = 0; i < sh->origin_count[ON_TYPE]; i++)
        k->starts |= str_ieq(v->ev->fields[sh->origin[ON_TYPE][i]].value, STR("start"));
    for (uint32_t i = 0; i < sh->origin_count[ON_CATEGORY]; i++) {
        uint16_t w = word(t, v->ev->fields[sh->origin[ON_CATEGORY][i]].value);

        if (w)
            k->category[n++] = w;
    }
}

static void key_of(const struct cells *c, struct view *v, const struct origin *o, struct key *k)
{
    const struct tables *t = c->set->tables;
    bool windows = str_eq(o->product, STR("windows"));

    *k = (struct key){ .product = windows ? 2 : o->product.n != 0, .class = (uint8_t)v->ev->class, .number = (uint8_t)number_state(v, c->set) };
    k->unknown = c->loose && origin_unknown(o);
    k->event_id = word(t, o->event_id);
    if (windows) {
        k->channel = word(t, o->channel);
        k->event_type = word(t, o->event_type);
        if (o->event_type.n && k->event_type == 0)
            k->event_type = UINT16_MAX;   /* one that nobody knows is not none */
    } else {
        key_unix(t, v, k);
    }
}

/* --- making --- */

/* decided - the leaf asks for the event's number, and so plainly that all events of the cell answer alike. */
static bool decided(const struct sigma *s, const struct leaf *leaf)
{
    if (leaf->field != s->f_event_id)
        return false;
    for (uint32_t i = 0; i < leaf->count; i++)
        switch (leaf->patterns[i].kind) {
        case PAT_EQ: case PAT_NUMBER: case PAT_ANY: case PAT_EXISTS: case PAT_NULL: case PAT_ABSENT: break;
        default: return false;
        }
    return true;
}

/* possible - some way through the program leads to true when the number is put in. Its jumps go down, so one pass is enough. */
static bool possible(struct cells *c, const struct program *p, struct view *v)
{
    bool found = false;

    memset(c->reach, 0, p->count);
    c->reach[p->entry] = 1;
    for (uint32_t i = p->entry + 1; i-- > 0 && !found;) {
        const struct instr *in = &p->code[i];
        bool known, yes;

        if (!c->reach[i])
            continue;
        known = decided(c->set, &p->leaves[in->leaf]);
        yes = known && leaf_true(&p->leaves[in->leaf], v);
        if (!known || yes)
            found |= in->yes == GOTO_TRUE;
        if (!known || !yes)
            found |= in->no == GOTO_TRUE;
        if ((!known || yes) && in->yes < GOTO_FALSE)
            c->reach[in->yes] = 1;
        if ((!known || !yes) && in->no < GOTO_FALSE)
            c->reach[in->no] = 1;
    }
    return found;
}

static void take_rule(const struct sigma *s, struct cell *cell, uint32_t rule)
{
    const struct tables *t = s->tables;
    const struct witness *w = &t->witness[rule];

    bit_set(cell->rules, rule);
    cell->rule_count++;
    if (w->always)
        cell->direct[cell->direct_count++] = (struct direct){ UINT32_MAX, rule };
    for (uint32_t i = 0; i < w->count; i++) {
        const struct atom *a = &t->atoms[t->of_rules.p[w->first + i]];

        if (a->kind == ATOM_PRESENT)
            cell->direct[cell->direct_count++] = (struct direct){ a->field, rule };
        else
            bit_set(cell->fields, a->field);
        cell->short_words = cell->short_words || (a->field == s->field_count && !atom_far(a));
        if (atom_near(a))
            bit_set(cell->near, a->field);
    }
}

static bool make(struct cells *c, struct view *v, const struct origin *o, struct cell *cell)
{
    const struct sigma *s = c->set;
    struct direct *kept;

    *cell = (struct cell){ .rules = arena_zero(&c->arena, (s->rule_count / 64 + 1) * sizeof(uint64_t)),
                           .fields = arena_zero(&c->arena, (s->field_count / 64 + 1) * sizeof(uint64_t)),
                           .near = arena_zero(&c->arena, (s->field_count / 64 + 1) * sizeof(uint64_t)) };
    cell->direct = calloc(s->rule_count + s->tables->of_rules.n + 1, sizeof *cell->direct);
    if (!cell->rules || !cell->fields || !cell->near || !cell->direct) {
        free(cell->direct);
        return false;
    }
    for (uint32_t i = 0; i < s->logsource_count; i++)
        c->applies[i] = logsource_applies(&s->logsources[i], o, c->loose);
    for (uint32_t r = 0; r < s->rule_count; r++) {
        const struct compiled *rule = &s->rules[r];

        if (rule->correlation || !c->applies[rule->logsource])
            continue;
        if (s->tables->witness[r].numbered && number_state(v, s) != NUMBER_ODD && !possible(c, &rule->program, v))
            continue;
        take_rule(s, cell, r);
    }
    kept = arena_array(&c->arena, cell->direct_count + 1, sizeof *kept);
    if (kept)
        memcpy(kept, cell->direct, cell->direct_count * sizeof *kept);
    free(cell->direct);
    cell->direct = kept;
    return kept != NULL;
}

/* --- finding --- */

int cells_new(const struct sigma *s, bool loose, struct cells **out, struct err *e)
{
    struct cells *c = calloc(1, sizeof *c);

    *out = NULL;
    if (!c)
        return err_set(e, -ENOMEM, "no memory for detection");
    c->set = s;
    c->loose = loose;
    arena_init(&c->arena, 64u * MIB);
    c->kept = calloc(PLACES, sizeof *c->kept);
    c->used = calloc(PLACES, sizeof *c->used);
    c->applies = calloc(s->logsource_count + 1, sizeof *c->applies);
    c->reach = calloc(SIGMA_NODES_MAX + 1, 1);
    c->past = calloc(s->rule_count + 1, sizeof *c->past);
    c->count_events = true;
    c->said = calloc(SAID_MAX, sizeof *c->said);
    if (!c->said || !c->kept || !c->used || !c->applies || !c->reach || !c->past) {
        cells_free(&c);
        return err_set(e, -ENOMEM, "no memory for detection");
    }
    *out = c;
    return 0;
}

void cells_free(struct cells **cp)
{
    struct cells *c = *cp;

    if (!c)
        return;
    free(c->kept);
    free(c->used);
    free(c->applies);
    free(c->reach);
    free(c->past);
    free(c->said);
    arena_free(&c->arena);
    free(c);
    *cp = NULL;
}

/* --- who was fed --- */

static void add_events(const struct cells *c, uint64_t *by_rule, size_t stride)
{
    for (uint32_t k = 0; k < PLACES; k++) {
        if (!c->used[k] || !c->kept[k].events)
            continue;
        for (uint32_t w = 0; w <= c->set->rule_count / 64; w++)
            for (uint64_t bits = c->kept[k].cell.rules[w]; bits; bits &= bits - 1)
                by_rule[(w * 64 + (uint32_t)__builtin_ctzll(bits)) * stride] += c->kept[k].events;
    }
}

void cells_events(const struct cells *c, struct sigma_cost *cost)
{
    static_assert(sizeof *cost % sizeof(uint64_t) == 0, "events of one rule lie a whole number of words from those of the next");
    for (uint32_t r = 0; r < c->set->rule_count; r++)
        cost[r].events += c->past[r];
    if (c->set->rule_count)
        add_events(c, &cost->events, sizeof *cost / sizeof(uint64_t));
}

void cells_odd(struct cells *c, uint32_t rule) { c->past[rule] += c->count_events; }
void cells_count(struct cells *c, bool on) { c->count_events = on; }
uint64_t cells_made(const struct cells *c) { return c->made; }

static void forget(struct cells *c)
{
    add_events(c, c->past, 1);
    memset(c->used, 0, PLACES * sizeof *c->used);
    memset(c->said, 0, SAID_MAX * sizeof *c->said);
    c->count = 0;
    arena_reset(&c->arena);
}

/* said_text - the i-th text that key_of looks at; false past the last. How many they are is a matter of the shape. */
static inline bool said_text(const struct cells *c, struct view *v, uint32_t i, struct str *out)
{
    const uint32_t fields[] = { c->set->f_event_id, c->set->f_channel, c->set->f_event_type };
    const struct shape *sh = v->shape;
    uint32_t first;

    if (i == 0) {
        *out = v->ev->parser;
        return true;
    }
    if (--i < COUNT(fields)) {
        first = view_first(v, fields[i]);
        *out = first == UINT32_MAX ? (struct str){ NULL, 0 } : first < v->ev->field_count ? v->ev->fields[first].value : view_value(v, first)->raw;
        return true;
    }
    i -= COUNT(fields);
    if (i >= sh->origins)
        return false;
    *out = v->ev->fields[sh->origin_places[i]].value;
    return true;
}

static bool said_again(const struct cells *c, struct view *v, const struct said *was)
{
    const char *p = was->text;
    struct str s;

    if (was->shape != v->shape->serial || was->class != v->ev->class || was->parse != v->ev->parse)
        return false;
    for (uint32_t i = 0; said_text(c, v, i, &s); i++) {
        if ((unsigned char)*p != s.n || !same_bytes(p + 1, s.p, s.n))
            return false;
        p += 1 + s.n;
    }
    return true;
}

static void say(const struct cells *c, struct view *v, uint32_t kept, struct said *to)
{
    struct str s;
    size_t n = 0;

    to->shape = 0;
    for (uint32_t i = 0; said_text(c, v, i, &s); i++) {
        if (s.n > UINT8_MAX || n + 1 + s.n > SAID_BYTES)
            return;
        to->text[n++] = (char)s.n;
        if (s.n)
            memcpy(to->text + n, s.p, s.n);
        n += s.n;
    }
    to->shape = v->shape->serial;
    to->kept = kept;
    to->class = (uint8_t)v->ev->class;
    to->parse = (uint8_t)v->ev->parse;
}

const struct cell *cells_find(struct cells *c, struct view *v)
{
    struct said *was;
    struct origin o;
    struct key key;
    uint64_t at;

    if (v->shape->many)
        return NULL;
    was = &c->said[v->shape->serial % SAID_MAX];
    if (said_again(c, v, was)) {
        c->kept[was->kept].events += c->count_events;
        return &c->kept[was->kept].cell;
    }
    origin_of(v, c->set, v->ev, &o);
    key_of(c, v, &o, &key);
    for (at = XXH3_64bits(&key, sizeof key) % PLACES; c->used[at]; at = (at + 1) % PLACES)
        if (memcmp(&c->kept[at].key, &key, sizeof key) == 0) {
            c->kept[at].events += c->count_events;
            say(c, v, (uint32_t)at, was);
            return &c->kept[at].cell;
        }
    if (c->count == CELLS_MAX) {
        forget(c);
        at = XXH3_64bits(&key, sizeof key) % PLACES;
    }
    if (!make(c, v, &o, &c->kept[at].cell)) {
        forget(c);
        return NULL;
    }
    c->kept[at].key = key;
    c->kept[at].cell.serial = ++c->made;
    c->kept[at].events = c->count_events;
    c->used[at] = true;
    c->count++;
    say(c, v, (uint32_t)at, was);
    return &c->kept[at].cell;
}
