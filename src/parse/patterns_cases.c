/* patterns_cases.c - what a product says of its texts besides their values: constants, and under which conditions; see patterns.h.
 *
 * Names are compared by number or by bit first: few conditions ask for a name that the event has, few constants have one. */
#include "parse/patterns.h"

/* --- conditions --- */

/* is_word - most are told apart without a call. A value that was found is not empty. */
static inline bool is_word(struct str v, struct str word) { return v.n == word.n && *v.p == *word.p && memcmp(v.p, word.p, v.n) == 0; }

static bool part_holds(const struct condition_word *word, struct str v)
{
    if (word->place == WORD_HEAD)
        return str_starts(v, word->text);
    return word->place == WORD_TAIL ? str_ends(v, word->text) : has(v, word->text);
}

/* in_range - the whole part of a number. */
static bool in_range(const struct condition *c, struct str v)
{
    int64_t n;

    return (str_i64(v, &n) || str_i64(take_until(&v, STR(".")), &n)) && n >= c->from && n <= c->to;
}

static inline bool value_holds(const struct condition *c, struct str v)
{
    if (c->numeric)
        return in_range(c, v);
    for (size_t i = 0; i < c->count; i++) {
        const struct condition_word *word = &c->words[i];

        if (word->place == WORD_WHOLE ? is_word(v, word->text) : part_holds(word, v))
            return true;
    }
    return false;
}

/* event_holds - the text has no value of this name; one of the event's. */
static bool event_holds(const struct work *w, const struct condition *c)
{
    struct str v = { NULL, 0 };
    uint32_t at = 0;
    bool any = false;

    while (event_values(w->ev, c->name, &at, &v)) {
        any = true;
        if (value_holds(c, v))
            return true;
    }
    return !any && c->nothing;
}

/* condition_holds - of one of the values, where there are several: those of the text, or if it has none the event's. names: the bits of
 * the names that the event may have. */
static inline bool condition_holds(const struct work *w, const struct taken *t, const struct condition *c, uint64_t names)
{
    unsigned capture = t->latest[c->number];

    if (capture == 0)
        return names & c->bit ? event_holds(w, c) : c->nothing;
    for (; capture; capture = t->items[capture - 1].before)
        if (value_holds(c, t->items[capture - 1].value))
            return true;
    return false;
}

static inline bool each_holds(const struct work *w, const struct taken *t, const struct condition *all, size_t count, uint64_t names)
{
    for (size_t i = 0; i < count; i++)
        if (!condition_holds(w, t, &all[i], names))
            return false;
    return true;
}

bool all_hold(const struct work *w, const struct taken *t, const struct condition *all, size_t count)
{
    return each_holds(w, t, all, count, UINT64_MAX);
}

/* --- constants --- */

/* The constants in force: of those of one name the last. */
struct saying {
    const struct constant *now[SAID_MAX]; /* by number, where active has its bit */
    uint64_t active, strong;              /* strong: of a case, it replaces what was captured */
    uint8_t order[SAID_MAX];              /* in which their names came */
    size_t count;
};

static void say(struct saying *s, const struct layer *l, bool strong)
{
    for (size_t i = 0; i < l->set_count; i++) {
        const struct constant *c = &l->sets[i];
        uint64_t bit = UINT64_C(1) << c->number;

        if (!(s->active & bit))
            s->order[s->count++] = c->number;
        s->active |= bit;
        s->strong |= strong ? bit : 0;
        s->now[c->number] = c;
    }
}

static void say_cases(struct work *w, const struct taken *t, const struct layer *l, uint64_t names, struct saying *s)
{
    for (size_t i = 0; i < l->case_count; i++) {
        if (!each_holds(w, t, l->cases[i].all, l->cases[i].count, names))
            continue;
        w->types |= l->cases[i].then->types;
        say(s, l->cases[i].then, true);
    }
}

/* put_constant - captured: so many fields the event had before any constant, of the names with these bits. */
static void put_constant(struct work *w, const struct constant *c, bool strong, uint32_t captured, uint64_t names)
{
    uint32_t at = names & c->bit ? 0 : captured;
    size_t from = 0;

    while (at < captured && !same_name(w->ev->fields[at].name, c->name))
        at++;
    if (at < captured && (!strong || c->count == 0))
        return;
    if (at < captured)
        w->ev->fields[at].value = c->values[from++];
    for (; from < c->count; from++)
        work_add(w, c->name, c->values[from]);
}

void put_constants(struct work *w, const struct taken *t)
{
    const struct layer *own = &t->product->layer;
    uint32_t captured = w->ev->field_count;
    uint64_t names = w->names;
    struct saying s;

    s.active = s.strong = s.count = 0;
    say(&s, own, false);
    w->types |= own->types;
    for (size_t i = 0; i < t->matched_count; i++) {
        say(&s, &t->matched[i]->layer, false);
        w->types |= t->matched[i]->layer.types;
    }
    say_cases(w, t, own, names, &s);
    for (size_t i = 0; i < t->matched_count; i++)
        say_cases(w, t, &t->matched[i]->layer, names, &s);
    for (size_t i = 0; i < s.count; i++)
        put_constant(w, s.now[s.order[i]], s.strong >> s.order[i] & 1, captured, names);
}
