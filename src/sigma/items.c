/* items.c - what a group remembers of its events, packed; see items.h. */
#include "sigma/items.h"

#define MALLOC_BYTES 8u
#define AREA_MAX     128u       /* of items in a record */

static size_t block_bytes(uint32_t cap, uint32_t entry) { return sizeof(struct block) + (size_t)cap * entry + MALLOC_BYTES; }

static uint32_t block_entry(const struct groups *g, const struct group *gr)
{
    return g->lay.steps ? g->lay.step : g->lay.entry[gr->form];
}

void group_block_free(struct groups *g, struct group *gr)
{
    struct block *b = group_block(g, gr);

    groups_account(g, 0, block_bytes(b->cap, block_entry(g, gr)));
    free(b);
    group_block_set(g, gr, NULL);
    gr->spilled = 0;
}

/* form_for - the narrowest in which the item is exactly itself, and no narrower than the row's. */
static uint32_t form_for(const struct row *r, const struct item *it)
{
    uint64_t back = (uint64_t)(r->edge - it->t);   /* an item behind the edge lies far before it */
    time_ns t = in_ticks(r->tick, it->t);

    if (r->form == FORM_WIDE || it->n != 1 || (r->flag_bits && (it->rank.low > 1 || it->rank.high > 1)) ||
        back > UINT64_MAX >> (WORD_SOURCE + r->flag_bits))
        return FORM_WIDE;
    return r->form == FORM_NARROW && it->source == r->source && t * r->tick == it->t && r->edge_ticks - t <= UINT32_MAX >> r->flag_bits &&
                   (!r->number || (double)(float)it->sum == it->sum) ? FORM_NARROW : FORM_WORD;
}

/* put - one item, which fits, in the form. */
static void put(const struct groups *g, uint32_t form, char *p, const struct item *it)
{
    uint32_t marks = g->lay.flag_bits ? it->rank.low | it->rank.high << 1 : 0, narrow;
    float number = (float)it->sum;
    uint64_t word;

    if (form == FORM_WIDE) {
        memcpy(p, it, sizeof *it);
    } else if (form == FORM_NARROW) {
        narrow = (uint32_t)in_ticks(g->lay.tick, it->t) << g->lay.flag_bits | marks;
        memcpy(p, &narrow, sizeof narrow);
        memcpy(p + 4, g->lay.narrow == 4 ? (const void *)&number : &it->v, g->lay.narrow);
    } else {
        word = (uint64_t)it->t << (WORD_SOURCE + g->lay.flag_bits) | (uint64_t)it->source << g->lay.flag_bits | marks;
        memcpy(p, &word, sizeof word);
        memcpy(p + 8, &it->v, g->lay.payload);
    }
}

static struct block *block_new(struct groups *g, uint32_t cap, uint32_t entry)
{
    struct block *b = malloc(sizeof *b + (size_t)cap * entry);

    if (!b)
        return NULL;
    b->events = 0;
    b->cap = cap;
    b->unused = 0;
    groups_account(g, block_bytes(cap, entry), 0);
    return b;
}

/* reform - all items of the group in a wider form, in the record if they fit there. */
static bool reform(struct groups *g, struct group *gr, uint32_t form)
{
    struct row from = group_row(g, gr);
    uint32_t entry = g->lay.entry[form];
    bool within = !gr->spilled && from.n * entry <= g->lay.area_n && form != FORM_WIDE;
    struct block *b = within ? NULL : block_new(g, from.n + from.n / 2 + 4, entry);
    char copy[AREA_MAX], *to = b ? b->at : group_area(g, gr);

    if (!within && !b)
        return false;
    if (within) {
        memcpy(copy, group_area(g, gr), g->lay.area_n);
        from.p = copy + (from.p - group_area(g, gr));
    }
    for (uint32_t i = 0; i < from.n; i++) {
        struct item it = row_at(&from, i);

        put(g, form, to + (size_t)i * entry, &it);
        if (b)
            b->events += it.n;
    }
    if (gr->spilled)
        group_block_free(g, gr);
    if (b)
        group_block_set(g, gr, b);
    gr->spilled = b != NULL;
    gr->form = form & 3;
    gr->head = 0;
    return true;
}

static uint32_t room(const struct groups *g, const struct group *gr)
{
    return gr->spilled ? ((const struct block *)group_block(g, gr))->cap : g->lay.entry_cap[gr->form];
}

static bool has_room(const struct groups *g, const struct group *gr) { return (uint32_t)gr->head + gr->item_n < room(g, gr); }

/* make_room - a place behind the last item. Those that went leave room before the first: from an eighth on it is used. */
static bool make_room(struct groups *g, struct group *gr)
{
    struct block *b = gr->spilled ? group_block(g, gr) : NULL, *grown;
    uint32_t entry = g->lay.entry[gr->form], cap = room(g, gr);
    char *p = b ? b->at : group_area(g, gr);

    if (has_room(g, gr))
        return true;
    if (gr->head > (b ? cap / 8 : 0u)) {
        memmove(p, p + (size_t)gr->head * entry, (size_t)gr->item_n * entry);
        gr->head = 0;
        return true;
    }
    grown = block_new(g, b ? cap * 2 : cap + cap / 2, entry);
    if (!grown)
        return false;
    memcpy(grown->at, p + (size_t)gr->head * entry, (size_t)gr->item_n * entry);
    grown->events = b ? b->events : 0;
    if (b)
        group_block_free(g, gr);
    group_block_set(g, gr, grown);
    gr->spilled = 1;
    gr->head = 0;
    return true;
}

bool group_item(struct groups *g, struct group *gr, struct row *r, uint32_t at, const struct item *it)
{
    uint32_t form;
    char *p;

    if (r->n == 0)
        r->source = gr->item_source = (uint16_t)it->source;
    form = form_for(r, it);
    if (form != r->form || !has_room(g, gr)) {
        if ((form != r->form && !reform(g, gr, form)) || !make_room(g, gr))
            return false;
        *r = group_row(g, gr);
    }
    p = (char *)(uintptr_t)r->p + (size_t)at * r->entry;
    if (at < r->n)
        memmove(p + r->entry, p, (size_t)(r->n - at) * r->entry);
    put(g, form, p, it);
    gr->item_n++;
    r->n++;
    if (form == FORM_WIDE)
        ((struct block *)group_block(g, gr))->events += it->n;
    return true;
}

void group_drop_items(struct groups *g, struct group *gr, uint32_t from, uint32_t n)
{
    struct row r = group_row(g, gr);

    if (n == 0)
        return;
    if (n == r.n) {
        if (gr->spilled)
            group_block_free(g, gr);
        gr->head = gr->item_n = 0;
        gr->form = FORM_NARROW;
        return;
    }
    for (uint32_t i = from; r.form == FORM_WIDE && i < from + n; i++)
        ((struct block *)group_block(g, gr))->events -= row_at(&r, i).n;
    if (from == 0)
        gr->head += n;
    else
        memmove((char *)(uintptr_t)r.p + (size_t)from * r.entry, r.p + (size_t)(from + n) * r.entry, (size_t)(r.n - from - n) * r.entry);
    gr->item_n -= n;
}

struct item *group_widen(struct groups *g, struct group *gr)
{
    if (gr->form != FORM_WIDE && !reform(g, gr, FORM_WIDE))
        return NULL;
    return (struct item *)(void *)group_row(g, gr).p;
}

bool group_move(struct groups *g, struct group *gr, struct row *r, time_ns edge)
{
    time_ns to = items_reference(g, edge), oldest;

    if (r->n && r->form <= FORM_WORD) {
        oldest = row_time(r, 0);
        if ((uint64_t)(to - oldest) > UINT64_MAX >> (WORD_SOURCE + r->flag_bits)) {
            if (!reform(g, gr, FORM_WIDE))
                return false;
        } else if (r->form == FORM_NARROW && in_ticks(r->tick, to) - in_ticks(r->tick, oldest) > UINT32_MAX >> r->flag_bits) {
            if (!reform(g, gr, FORM_WORD))
                return false;
        }
    }
    gr->edge = edge;
    *r = group_row(g, gr);
    return true;
}

struct item row_at(const struct row *r, uint32_t i)
{
    const char *p = r->p + (size_t)i * r->entry;
    struct item it = { .n = 1, .source = r->source };
    uint32_t narrow;
    uint64_t word;
    float number;

    if (r->form == FORM_WIDE) {
        memcpy(&it, p, sizeof it);
        return it;
    }
    if (r->form == FORM_NARROW) {
        memcpy(&narrow, p, sizeof narrow);
        it.t = narrow_time(r, narrow);
        word = narrow;
    } else {
        memcpy(&word, p, sizeof word);
        it.t = word_time(r, word);
        it.source = word >> r->flag_bits & UINT16_MAX;
    }
    if (r->flag_bits) {
        it.rank.low = word & 1;
        it.rank.high = word >> 1 & 1;
    } else if (r->form == FORM_NARROW && r->number) {
        memcpy(&number, p + 4, sizeof number);
        it.sum = (double)number;
    } else if (r->entry > 8) {
        it.v = row_value(r, i);
    }
    return it;
}

/* --- steps --- */

static void steps_clear(const struct groups *g, void *steps)
{
    time_ns *plain = steps;
    struct step *ordered = steps;

    for (uint32_t i = 0; i < g->lay.steps; i++)
        if (g->lay.step == sizeof *plain)
            plain[i] = NEVER;
        else
            ordered[i] = (struct step){ .t = NEVER };
}

static bool steps_within(const struct groups *g) { return g->lay.steps * g->lay.step <= g->lay.area_n; }

bool group_has_steps(const struct groups *g, const struct group *gr) { return steps_within(g) || gr->spilled; }

void *group_steps(struct groups *g, struct group *gr)
{
    struct block *b;

    if (steps_within(g))
        return group_area(g, gr);
    if (gr->spilled)
        return ((struct block *)group_block(g, gr))->at;
    b = block_new(g, g->lay.steps, g->lay.step);
    if (!b)
        return NULL;
    group_block_set(g, gr, b);
    gr->spilled = 1;
    steps_clear(g, b->at);
    return b->at;
}

void group_steps_clear(const struct groups *g, struct group *gr)
{
    if (g->lay.steps && steps_within(g))
        steps_clear(g, group_area(g, gr));
    else if (gr->spilled && g->lay.steps)
        steps_clear(g, ((struct block *)group_block(g, gr))->at);
}
