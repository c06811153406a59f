/* learn.c - the road of a call: texts to tokens, shapes to groups, groups to slots, and at the end the cuts, each checked. */
#include "learn/internal.h"

struct learner *learner_new(void) { return calloc(1, sizeof(struct learner)); }

void learner_free(struct learner **lp)
{
    struct learner *l = *lp;

    if (!l)
        return;
    free(l->shape);
    free(l->token);
    free(l->member);
    free(l->group);
    free(l->first);
    free(l->tokens);
    free(l->cuts);
    free(l->faces);
    free(l->differing);
    free(l->live);
    free(l->steps);
    free(l->groups);
    free(l->rows);
    free(l);
    *lp = NULL;
}

/* rows_room - what is kept of each row. */
static bool rows_room(struct learner *l, uint32_t count)
{
    uint32_t **each[] = { &l->shape, &l->token, &l->member, &l->group, &l->first };

    if (l->cap > count)
        return true;
    for (size_t i = 0; i < COUNT(each); i++) {
        uint32_t *grown = realloc(*each[i], (count + 1) * sizeof **each[i]);

        if (!grown)
            return false;
        *each[i] = grown;
    }
    l->cap = count + 1;
    return true;
}

/* members_sort - the rows of each group one behind the other, in their order. */
static void members_sort(struct learner *l)
{
    uint32_t at = 0;

    for (uint32_t i = 1; i < l->group_n; i++) {
        l->groups[i].member = at;
        at += l->groups[i].rows;
        l->groups[i].rows = 0;
    }
    for (uint32_t row = 0; row < l->count; row++) {
        uint32_t g = l->shape[row] == NONE ? 0 : l->shapes[l->shape[row]].group;

        l->group[row] = g;
        if (g)
            l->member[l->groups[g].member + l->groups[g].rows++] = row;
    }
}

/* statics_note - what stands between the slots of the first row. */
static void statics_note(const struct learner *l, struct group *g)
{
    uint32_t row = g->first_row, at = 0;
    struct str text = l->texts[row];
    struct place place = { .token = NONE };

    for (uint32_t i = 0; i < g->slot_n; i++) {
        struct token t = slot_span(&g->slots[i], text, tokens_of(l, row), &place);

        g->statics[i] = str_of(text.p + at, t.from - at);
        at = t.to;
    }
    g->statics[g->slot_n] = str_cut(text, at);
}

/* row_cut - put the cuts of a row behind the others. False if what should be static is not: then the row is whole. */
static bool row_cut(struct learner *l, uint32_t row, const struct group *g)
{
    uint32_t at = 0, *cut = l->cuts + l->cut_n;
    struct str text = l->texts[row];
    const struct token *tokens = tokens_of(l, row);
    struct place place = { .token = NONE };

    for (uint32_t i = 0; i < g->slot_n; i++) {
        struct token t = slot_span(&g->slots[i], text, tokens, &place);

        if (t.from - at != g->statics[i].n || !bytes_same(text.p + at, g->statics[i].p, g->statics[i].n))
            return false;
        *cut++ = t.from;
        *cut++ = at = t.to;
    }
    if (text.n - at != g->statics[g->slot_n].n || !bytes_same(text.p + at, g->statics[g->slot_n].p, text.n - at))
        return false;
    l->cut_n += 2 * g->slot_n;
    return true;
}

/* rows_cut - of all rows. */
static int rows_cut(struct learner *l)
{
    l->cut_n = 0;
    if (!room(&l->cuts, 0, 2 * LEARN_SLOTS_MAX, &l->cut_cap, sizeof *l->cuts))   /* of no cuts too there is an address */
        return -ENOMEM;
    for (uint32_t row = 0; row < l->count; row++) {
        struct group *g = &l->groups[l->group[row]];

        l->first[row] = l->cut_n;
        if (!l->group[row])
            continue;
        if (!room(&l->cuts, l->cut_n, 2 * LEARN_SLOTS_MAX, &l->cut_cap, sizeof *l->cuts))
            return -ENOMEM;
        if (!row_cut(l, row, g)) {
            g->rows--;
            l->group[row] = 0;
        }
    }
    l->first[l->count] = l->cut_n;
    return 0;
}

/* groups_drop - those that lost too many rows. True if there is one. */
static bool groups_drop(struct learner *l)
{
    bool any = false;

    for (uint32_t row = 0; row < l->count; row++)
        if (l->group[row] && l->groups[l->group[row]].rows < LEARN_ROWS_MIN) {
            l->group[row] = 0;
            any = true;
        }
    return any;
}

/* groups_number - by their first rows. */
static int groups_number(struct learner *l, struct learn_out *out)
{
    uint32_t *rows = realloc(l->rows, l->group_n * sizeof *rows);

    if (!rows)
        return -ENOMEM;
    l->rows = rows;
    memset(rows, 0, l->group_n * sizeof *rows);
    out->groups = 0;
    for (uint32_t row = 0; row < l->count; row++) {
        struct group *g = &l->groups[l->group[row]];

        if (l->group[row] && !g->number)
            g->number = ++out->groups;
        l->group[row] = g->number;
        rows[g->number]++;
    }
    return 0;
}

int learn_cut(struct learner *l, uint64_t origin, const struct str *texts, size_t count, struct learn_out *out, struct err *e)
{
    int rc;

    if (count > LEARN_TEXTS_MAX)
        return err_set(e, -EINVAL, "learn: %zu texts, at most %u", count, LEARN_TEXTS_MAX);
    l->origin = origin;
    l->call++;
    l->texts = texts;
    l->count = (uint32_t)count;
    rc = rows_room(l, l->count) ? shapes_look(l) : -ENOMEM;
    if (rc == 0)
        rc = groups_make(l);
    if (rc == 0) {
        members_sort(l);
        rc = slots_find(l);
    }
    for (uint32_t i = 1; i < l->group_n && rc == 0; i++)
        statics_note(l, &l->groups[i]);
    do {
        rc = rc == 0 ? rows_cut(l) : rc;
    } while (rc == 0 && groups_drop(l));
    if (rc == 0)
        rc = groups_number(l, out);
    if (rc < 0)
        return err_set(e, rc, "learn: no memory for %zu texts", count);
    out->group = l->group;
    out->rows = l->rows;
    out->first = l->first;
    out->cut = l->cuts;
    return 0;
}
