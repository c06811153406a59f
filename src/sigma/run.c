/* run.c - one event through all rules: view, log sources, candidates, conditions, correlations. */
#include "sigma/engine.h"
#include "sigma/frequency.h"

#include <math.h>

struct sigma_run {
    const struct sigma   *set;
    bool                  loose;
    struct view           view;
    struct tracker        tracker;
    struct sigma_counters counters;
    struct cells         *cells;
    const struct cell    *cell;           /* of the event at hand */
    uint32_t             *seen;           /* by rule: generation in which it was evaluated */
    uint32_t             *matched;        /* by rule: generation in which it matched */
    struct sigma_match   *matches;
    uint32_t              match_count, match_cap;
    struct fired          fired;
    struct plain         *plain;          /* made when first asked for */
    struct sigma_cost    *costs;          /* by rule; events: those of earlier runs */
    bool                  counting;
    bool                  unexplained;
    uint64_t              counted;        /* events */
    uint32_t              sample_in, sample_seed;   /* evaluations until the next one that is timed */
    uint64_t              check_every;
    uint64_t              met_before;     /* cells made by sigma_run_meet */
    struct sigma_frequency *frequency;
    uint64_t              measure_every;
    uint32_t              measure_part;
};

int sigma_run_new(const struct sigma *s, bool loose, struct sigma_run **out, struct err *e)
{
    struct sigma_run *r = calloc(1, sizeof *r);
    int rc;

    *out = NULL;
    if (!r)
        return err_set(e, -ENOMEM, "no memory for detection");
    r->set = s;
    r->loose = loose;
    r->counting = true;
    r->sample_in = r->sample_seed = 1;
    r->seen = calloc(s->rule_count + 1, sizeof *r->seen);
    r->matched = calloc(s->rule_count + 1, sizeof *r->matched);
    r->costs = calloc(s->rule_count + 1, sizeof *r->costs);
    rc = view_init(&r->view, s, e);
    if (rc == 0)
        rc = tracker_init(&r->tracker, s, loose, &r->counters, e);
    if (rc == 0)
        rc = cells_new(s, loose, &r->cells, e);
    if (rc == 0 && (!r->seen || !r->matched || !r->costs))
        rc = err_set(e, -ENOMEM, "no memory for detection");
    if (rc < 0)
        sigma_run_free(&r);
    *out = r;
    return rc;
}

void sigma_run_free(struct sigma_run **rp)
{
    struct sigma_run *r = *rp;

    if (!r)
        return;
    if (r->tracker.of)
        tracker_free(&r->tracker);
    view_free(&r->view);
    plain_free(&r->plain);
    cells_free(&r->cells);
    free(r->seen);
    free(r->matched);
    free(r->costs);
    free(r->matches);
    free(r);
    *rp = NULL;
}

static int add_match(struct sigma_run *r, const struct sigma_match *m)
{
    if (r->match_count == r->match_cap) {
        uint32_t cap = r->match_cap ? r->match_cap * 2 : 16;
        struct sigma_match *grown = realloc(r->matches, cap * sizeof *grown);

        if (!grown)
            return -ENOMEM;
        r->matches = grown;
        r->match_cap = cap;
    }
    r->matches[r->match_count++] = *m;
    r->counters.matches++;
    return 0;
}

static void explain(struct sigma_run *r, uint32_t rule, struct sigma_match *m)
{
    struct sigma_hit *hits;

    if (r->unexplained || r->set->rules[rule].correlation)
        return;
    m->conditions = rule_conditions(&r->set->rules[rule], &r->view);
    hits = arena_array(&r->view.scratch, SIGMA_HITS_MAX, sizeof *hits);
    if (hits) {
        m->hit_count = program_explain(&r->set->rules[rule].program, &r->view, hits, SIGMA_HITS_MAX);
        m->hits = hits;
    }
}

/* --- what a rule costs --- */

#define SAMPLE_MEAN 64   /* one evaluation of about so many is timed */

/* sampled - this evaluation is to be timed; the gaps differ, so that no rule hides between the samples. */
static inline bool sampled(struct sigma_run *r)
{
    if (--r->sample_in)
        return false;
    r->sample_seed = r->sample_seed * 1664525u + 1013904223u;
    r->sample_in = SAMPLE_MEAN / 2 + (r->sample_seed >> 16) % (SAMPLE_MEAN + 1);
    return r->counting;
}

static void note_match(struct sigma_run *r, uint32_t rule)
{
    r->costs[rule].matched += r->counting;
    if (r->counting)
        r->costs[rule].last_match = r->view.ev->received;
}

/* holds - the rule's condition, with its cost. */
static bool holds(struct sigma_run *r, uint32_t rule)
{
    struct sigma_cost *c = &r->costs[rule];
    uint64_t stopped = r->view.regex_limit;
    bool timed = sampled(r), yes;
    time_ns start = timed ? clock_steady() : 0;

    yes = rule_holds(r->set, &r->set->rules[rule], true, &r->view);
    if (timed)
        c->ns += (uint64_t)(clock_steady() - start) * SAMPLE_MEAN;
    c->looked += r->counting;
    c->limited += r->counting ? r->view.regex_limit - stopped : 0;
    return yes;
}

static int try_rule(struct sigma_run *r, uint32_t rule)
{
    const struct compiled *c = &r->set->rules[rule];
    const struct event *ev = r->view.ev;
    struct sigma_match m = { .rule = &c->rule, .count = 1, .first_seq = ev->seq, .last_seq = ev->seq, .value = (double)NAN };

    if (r->seen[rule] == r->view.generation)
        return 0;
    r->seen[rule] = r->view.generation;
    r->counters.evaluated++;
    if (!holds(r, rule))
        return 0;
    r->matched[rule] = r->view.generation;
    note_match(r, rule);
    explain(r, rule, &m);
    return add_match(r, &m);
}

/* try_atom - an atom stands in the event: the rules of the cell that it leads to. */
static int try_atom(void *arg, uint32_t atom)
{
    struct sigma_run *r = arg;
    const struct tables *t = r->set->tables;
    int rc = 0;

    for (uint32_t i = t->post_at[atom]; i < t->post_at[atom + 1] && rc == 0; i++)
        if (bit_get(r->cell->rules, t->posts[i]))
            rc = try_rule(r, t->posts[i]);
    return rc;
}

static int scan_value(struct sigma_run *r, uint32_t field, uint32_t value)
{
    struct str folded = view_folded(&r->view, value);

    return atoms_scan(r->set->tables, field, bit_get(r->cell->near, field), folded, view_value(&r->view, value)->raw, try_atom, r);
}

static bool within_letter(char c) { return ((unsigned char)c & 0xC0) == 0x80; }

/* in_line - the value is a piece of the original line, cut at letters: what stands in it, folded, stands in the line. */
static bool in_line(struct str line, struct str value)
{
    uintptr_t from = (uintptr_t)line.p, at = (uintptr_t)value.p, end = from + line.n;

    return value.n && at >= from && at + value.n <= end && !within_letter(*value.p) && (at + value.n == end || !within_letter(value.p[value.n]));
}

/* scan_words - all values and the original line for keywords; of a parsed event most values are pieces of the line. */
static int scan_words(struct sigma_run *r)
{
    const struct event *ev = r->view.ev;
    uint32_t words = r->set->field_count;
    int rc = 0;

    if (!bit_get(r->cell->fields, words))
        return 0;
    for (uint32_t i = 0; i < ev->field_count && rc == 0; i++) {
        struct str value = ev->fields[i].value;

        if ((r->cell->short_words || value.n + value.n / 2 >= FAR_MIN) && !in_line(ev->original, value))   /* folding may make it half as long again */
            rc = scan_value(r, words, i);
    }
    return rc == 0 ? scan_value(r, words, ev->field_count) : rc;
}

/* try_all - every rule whose log source applies: for events whose origin is too odd for a cell. */
static int try_all(struct sigma_run *r)
{
    struct origin o;
    int rc = 0;

    origin_of(&r->view, r->set, r->view.ev, &o);
    for (uint32_t i = 0; i < r->set->rule_count && rc == 0; i++)
        if (!r->set->rules[i].correlation && logsource_applies(&r->set->logsources[r->set->rules[i].logsource], &o, r->loose)) {
            cells_odd(r->cells, i);
            rc = try_rule(r, i);
        }
    return rc;
}

static int try_candidates(struct sigma_run *r)
{
    const struct shape *sh = r->view.shape;
    int rc = 0;

    r->cell = cells_find(r->cells, &r->view);
    if (!r->cell)
        return try_all(r);
    for (uint32_t i = 0; i < sh->present_count && rc == 0; i++)
        if (bit_get(r->cell->fields, sh->present[i]))
            for (uint32_t value = sh->first[sh->present[i]]; value != UINT32_MAX && rc == 0; value = view_next(&r->view, value))
                rc = scan_value(r, sh->present[i], value);
    if (rc == 0)
        rc = scan_words(r);
    for (uint32_t i = 0; i < r->cell->direct_count && rc == 0; i++) {
        const struct direct *d = &r->cell->direct[i];

        if (d->field == UINT32_MAX || view_first(&r->view, d->field) != UINT32_MAX)
            rc = try_rule(r, d->rule);
    }
    return rc;
}

static int correlation_fired(struct sigma_run *r, const struct correlation *c, uint32_t cause)
{
    struct sigma_match m = {
        .rule = &r->set->rules[c->rule].rule, .count = r->fired.count, .first_seq = r->fired.first_seq,
        .last_seq = r->fired.last_seq, .value = r->fired.value, .window_end = r->fired.window_end,
        .group = arena_copy(&r->view.scratch, str_of(r->fired.group, r->fired.group_n)),
    };

    if (!m.window_end) {   /* else the event at hand is not of it: see tracker_feed_ended */
        r->matched[c->rule] = r->view.generation;
        explain(r, cause, &m);
    }
    note_match(r, c->rule);
    return add_match(r, &m) < 0 ? -ENOMEM : 0;
}

/* feed_counted - an event into a correlation, with its cost. */
static int feed_counted(struct sigma_run *r, uint32_t correlation, uint32_t k, struct err *e)
{
    struct sigma_cost *c = &r->costs[r->set->correlations[correlation]->rule];
    bool timed = sampled(r);
    time_ns start = timed ? clock_steady() : 0;
    int rc = tracker_feed(&r->tracker, correlation, k, &r->view, &r->fired, e);

    if (timed)
        c->ns += (uint64_t)(clock_steady() - start) * SAMPLE_MEAN;
    c->looked += r->counting;
    c->events += r->counting;
    return rc;
}

/* feed - what rule k of a correlation brought: the event at hand, and windows that ended with it. */
static int feed(struct sigma_run *r, uint32_t correlation, uint32_t k, struct err *e)
{
    const struct correlation *c = r->set->correlations[correlation];
    struct tracker *t = &r->tracker;
    int rc = 0;

    if (r->matched[c->refs[k]] == r->view.generation)
        rc = feed_counted(r, correlation, k, e);
    if (rc == 1)
        rc = correlation_fired(r, c, c->refs[k]);
    for (uint32_t n = 0; n < t->ended_count && rc >= 0; n++) {
        if (r->set->correlations[t->ended[n].correlation]->rule != c->refs[k])
            continue;
        rc = tracker_feed_ended(t, correlation, k, n, r->view.ev->seq, &r->fired, e);
        if (rc == 1)
            rc = correlation_fired(r, c, c->refs[k]);
    }
    return rc;
}

/* correlate - in order of depth, so that a correlation over correlations sees what fired for this event. The last of its rules
 * comes first: then one event cannot be two steps of a chain. */
static int correlate(struct sigma_run *r, bool any, struct err *e)
{
    const struct sigma *s = r->set;
    struct tracker *t = &r->tracker;

    tracker_event(t, r->view.ev);
    for (uint32_t i = 0; i < s->correlation_count; i++) {
        const struct correlation *c = s->correlations[i];
        int rc;

        while ((rc = tracker_tick(t, i, &r->fired, e)) == 1 && (rc = correlation_fired(r, c, 0)) == 0)
            ;
        for (uint32_t k = c->ref_count; (any || t->ended_count) && rc >= 0 && k-- > 0;)
            rc = feed(r, i, k, e);
        if (rc < 0)
            return rc == -ENOMEM ? err_set(e, rc, "no memory for matches") : rc;
    }
    return 0;
}

static int by_rule(const void *a, const void *b)
{
    const struct sigma_match *x = a, *y = b;

    if (x->rule->index != y->rule->index)
        return x->rule->index < y->rule->index ? -1 : 1;
    return str_cmp(x->group, y->group);
}

static void drop_silent(struct sigma_run *r)
{
    uint32_t n = 0;

    for (uint32_t i = 0; i < r->match_count; i++)
        if (!r->matches[i].rule->silent)
            r->matches[n++] = r->matches[i];
    r->match_count = n;
}

/* check - the event once more by the plain evaluator, which must find the same: before correlations add to the matches. */
static int check(struct sigma_run *r, const struct event *ev, struct err *e)
{
    const uint32_t *rules;
    size_t count = 0;
    bool same;
    int rc = sigma_run_plain(r, ev, &rules, &count, e);

    if (rc < 0)
        return rc;
    same = count == r->match_count;
    for (size_t i = 0; i < count && same; i++)
        same = r->matched[rules[i]] == r->view.generation;
    r->counters.checked++;
    r->counters.differed += !same;
    return 0;
}

/* --- how often is it there --- */

static bool stands_in(struct sigma_run *r, const struct atom *a, uint32_t value)
{
    struct str folded = view_folded(&r->view, value), raw = view_value(&r->view, value)->raw;

    return raw.p && atom_stands(a, str_of(folded.p, min_size(folded.n, FREQUENCY_BYTES)), raw);
}

/* measure_leaf - each text that it looks for in a field that the event has; what was looked for in this event is not again. */
static void measure_leaf(struct sigma_run *r, const struct leaf *leaf)
{
    bool keyword = leaf->field == FIELD_KEYWORD;
    uint32_t first = keyword ? 0 : view_first(&r->view, leaf->field);

    for (uint32_t i = 0; i < leaf->count && first != UINT32_MAX; i++) {
        struct atom a;
        bool found = false;

        if (frequency_noted(r->frequency, leaf->names[i]) || !leaf_atom(&r->view.scratch, r->set, leaf, i, &a) || a.kind == ATOM_PRESENT)
            continue;
        for (uint32_t v = first; !found && (keyword ? v < view_words(&r->view) : v != UINT32_MAX); v = keyword ? v + 1 : view_next(&r->view, v))
            found = stands_in(r, &a, v);
        frequency_note(r->frequency, a.name, found);
    }
}

#define MEASURE_PARTS 16   /* of the rules one part is measured in an event, so that no event takes long */

/* measure - the rules that are shown this event, of which a few are candidates and all are measured, a part of them at a time. */
static void measure(struct sigma_run *r)
{
    const struct sigma *s = r->set;

    if (!r->cell)
        return;
    frequency_event(r->frequency);
    for (uint32_t w = r->measure_part++ % MEASURE_PARTS; w <= s->rule_count / 64; w += MEASURE_PARTS)
        for (uint64_t bits = r->cell->rules[w]; bits; bits &= bits - 1) {
            const struct program *p = &s->rules[w * 64 + (uint32_t)__builtin_ctzll(bits)].program;

            for (uint32_t l = 0; l < p->leaf_count; l++)
                measure_leaf(r, &p->leaves[l]);
        }
}

int sigma_run_event(struct sigma_run *r, const struct event *ev, bool also_silent, const struct sigma_match **matches,
                    struct err *e)
{
    int rc = view_take(&r->view, ev, false, e);

    r->match_count = 0;
    *matches = NULL;
    if (rc < 0)
        return rc;
    if (r->view.generation == 1) {   /* first, or after the numbers wrapped */
        memset(r->seen, 0, (r->set->rule_count + 1) * sizeof *r->seen);
        memset(r->matched, 0, (r->set->rule_count + 1) * sizeof *r->matched);
    }
    r->counters.events++;
    r->counted += r->counting;
    rc = try_candidates(r);
    if (rc == 0 && r->measure_every && r->counters.events % r->measure_every == 0)
        measure(r);
    if (rc == 0 && r->check_every && r->counters.events % r->check_every == 0)
        rc = check(r, ev, e);
    if (rc == 0)
        rc = correlate(r, r->match_count > 0, e);
    if (rc < 0)
        return rc == -ENOMEM ? err_set(e, rc, "no memory for matches") : rc;
    if (!also_silent)
        drop_silent(r);
    if (r->match_count > 1)
        qsort(r->matches, r->match_count, sizeof *r->matches, by_rule);
    *matches = r->matches;
    return (int)r->match_count;
}

void sigma_run_meet(struct sigma_run *r, const struct event *ev)
{
    uint64_t made = cells_made(r->cells);

    cells_count(r->cells, false);
    if (view_take(&r->view, ev, false, NULL) == 0)
        (void)cells_find(r->cells, &r->view);   /* without memory it is met later */
    cells_count(r->cells, r->counting);
    r->met_before += cells_made(r->cells) - made;
}

uint64_t sigma_run_met(const struct sigma_run *r) { return cells_made(r->cells) - r->met_before; }

const struct sigma_counters *sigma_run_counters(struct sigma_run *r)
{
    struct sigma_load load;
    uint64_t groups = 0, bytes = 0;

    for (uint32_t i = 0; sigma_run_load_at(r, i, &load); i++) {
        groups += load.groups;
        bytes += load.bytes;
    }
    r->counters.groups = groups;
    r->counters.bytes = bytes;
    r->counters.regex_limit = r->view.regex_limit;
    return &r->counters;
}

void sigma_run_check(struct sigma_run *r, uint64_t every) { r->check_every = every; }

void sigma_run_measure(struct sigma_run *r, struct sigma_frequency *f, uint64_t every)
{
    r->frequency = f;
    r->measure_every = f ? every : 0;
}

struct sigma_cost sigma_run_cost(const struct sigma_run *r, uint32_t rule) { return r->costs[rule]; }

void sigma_run_costs(const struct sigma_run *r, struct sigma_cost *cost)
{
    if (r->set->rule_count)
        memcpy(cost, r->costs, r->set->rule_count * sizeof *cost);
    cells_events(r->cells, cost);
}

void sigma_run_cost_add(struct sigma_run *r, uint32_t rule, const struct sigma_cost *c)
{
    struct sigma_cost *to = &r->costs[rule];

    to->looked += c->looked;
    to->matched += c->matched;
    to->events += c->events;
    to->ns += c->ns;
    to->limited += c->limited;
    to->last_match = c->last_match > to->last_match ? c->last_match : to->last_match;
}

void sigma_run_count(struct sigma_run *r, bool on)
{
    r->counting = on;
    cells_count(r->cells, on);
}

void sigma_run_bare(struct sigma_run *r)
{
    sigma_run_count(r, false);
    r->unexplained = true;
}

uint64_t sigma_run_counted(const struct sigma_run *r) { return r->counted; }

int sigma_run_plain(struct sigma_run *r, const struct event *ev, const uint32_t **rules, size_t *count, struct err *e)
{
    int rc = r->plain ? 0 : plain_new(r->set, r->loose, &r->plain, e);

    *count = 0;
    return rc < 0 ? rc : plain_event(r->plain, ev, rules, count, e);
}

bool sigma_run_load_at(const struct sigma_run *r, uint32_t i, struct sigma_load *out)
{
    if (i >= r->set->correlation_count)
        return false;
    tracker_load_of(&r->tracker, i, out);
    return true;
}

void sigma_run_adopt(struct sigma_run *to, struct sigma_run *from) { tracker_adopt(&to->tracker, &from->tracker); }
void sigma_run_save(const struct sigma_run *r, struct buf *b) { tracker_save(&r->tracker, b); }
bool sigma_run_save_begin(struct sigma_run *r, struct buf *b) { return tracker_save_begin(&r->tracker, b); }
bool sigma_run_save_some(struct sigma_run *r, struct buf *b, size_t bytes) { return tracker_save_some(&r->tracker, b, bytes); }
void sigma_run_save_drop(struct sigma_run *r) { tracker_save_drop(&r->tracker); }
int sigma_run_load(struct sigma_run *r, struct str saved, struct err *e) { return tracker_load(&r->tracker, saved, e); }
