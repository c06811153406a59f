/* patterns_groups.c - which patterns of a product come into question for a text: those that read it, and of them those whose texts
 * begin as it does; see patterns.h. */
#include "base/yaml.h"
#include "parse/patterns.h"

/* --- how a text begins --- */

/* byte_fits - a byte against one of "starts". */
static bool byte_fits(char s, unsigned c) { return s == '?' || (s == '#' ? is_digit((char)c) : s == '@' ? is_alpha((char)c) : (unsigned char)s == c); }

/* byte_is - against one of a head: itself. */
static bool byte_is(char s, unsigned c) { return (unsigned char)s == c; }

/* open_so - leave what one of these ways allows. */
static void open_so(struct openings *o, const struct str *ways, size_t count, bool (*fits)(char s, unsigned c))
{
    struct openings own = { { 0 } };

    for (size_t i = 0; i < count; i++) {
        uint32_t next = ways[i].n > 1 ? 0 : UINT32_MAX;

        for (unsigned c = 0; c < 256 && ways[i].n > 1; c++)
            if (fits(ways[i].p[1], c))
                next |= 1u << ALONE_BUCKET(c);
        for (unsigned c = 0; c < 256; c++)
            if (ways[i].n == 0 || fits(ways[i].p[0], c))
                own.may[c] |= next;
    }
    for (unsigned c = 0; c < 256 && count; c++)
        o->may[c] &= own.may[c];
}

void openings_starts(struct openings *o, const struct str *starts, size_t count) { open_so(o, starts, count, byte_fits); }

void pattern_openings(const struct pattern *p, struct openings *o)
{
    memset(o, 0xff, sizeof *o);
    openings_starts(o, p->starts, p->start_count);
    open_so(o, p->heads, p->head_count, byte_is);
}

/* --- patterns that read the same text --- */

static int memory(struct making *m) { return err_set(m->e, -ENOMEM, "no memory for a parser"); }

static bool same_list(const struct pattern_list *l, const uint16_t *items, size_t count)
{
    return l->count == count && memcmp(l->items, items, count * sizeof *items) == 0;
}

/* list_add - one more of g's lists, unless there is one with just these. Returns its number. */
static int list_add(struct making *m, struct pattern_list *lists, size_t *made, const uint16_t *items, size_t count)
{
    struct pattern_list *l = &lists[*made];
    uint16_t *own;

    for (size_t at = 0; at < *made; at++)
        if (same_list(&lists[at], items, count))
            return (int)at;
    own = arena_array(m->arena, count + 1, sizeof *own);
    if (!own)
        return memory(m);
    memcpy(own, items, count * sizeof *items);
    *l = (struct pattern_list){ .items = own, .count = count };
    for (size_t i = 0; i < count; i++)
        l->searches += m->product->patterns[items[i]].needle.text.n > 0;
    return (int)(*made)++;
}

/* lists - all patterns that read g->of, then for each first byte those that may begin with it; o: the openings of the product's patterns. */
static int lists(struct making *m, const struct openings *o, struct group_of *g)
{
    const struct product *p = m->product;
    struct pattern_list list[COUNT(g->list_of) + 1], *own;
    uint16_t all[PATTERNS_MAX], some[PATTERNS_MAX];
    size_t count = 0, made = 0, n;
    int at;

    for (size_t i = 0; i < p->pattern_count; i++)
        if (str_eq(p->patterns[i].of, g->of))
            all[count++] = (uint16_t)i;
    at = list_add(m, list, &made, all, count);
    for (size_t c = 0; c < COUNT(g->list_of) && at >= 0; c++) {
        n = 0;
        for (size_t i = 0; i < count; i++)
            if (o[all[i]].may[c])
                some[n++] = all[i];
        at = list_add(m, list, &made, some, n);
        g->list_of[c] = (uint16_t)at;
    }
    if (at < 0)
        return at;
    own = arena_array(m->arena, made, sizeof *own);
    if (!own)
        return memory(m);
    memcpy(own, list, made * sizeof *own);
    g->lists = own;
    return 0;
}

/* filter - the literals of all that read g->of. */
static int filter(struct making *m, struct group_of *g)
{
    const struct pattern_list *all = &g->lists[0];
    struct str *literals = arena_array(m->arena, all->count, sizeof *literals);

    if (!literals)
        return memory(m);
    for (size_t i = 0; i < all->count; i++)
        literals[i] = m->product->patterns[all->items[i]].literal;
    return filter_new(m->arena, literals, all->count, &g->filter, m->e);
}

/* known - there is a group for that text. */
static bool known(const struct product *p, const struct group_of *list, struct str of)
{
    for (size_t i = 0; i < p->group_count; i++)
        if (str_eq(list[i].of, of))
            return true;
    return false;
}

int making_groups(struct making *m)
{
    struct product *p = m->product;
    struct group_of *list = arena_zero(m->arena, (p->pattern_count + 1) * sizeof *list);
    AUTO_ARENA struct arena scratch;
    struct openings *o;
    int rc = 0;

    arena_init(&scratch, 0);
    o = arena_array(&scratch, p->pattern_count + 1, sizeof *o);
    if (!list || !o)
        return memory(m);
    for (size_t i = 0; i < p->pattern_count; i++)
        pattern_openings(&p->patterns[i], &o[i]);
    for (size_t i = 0; i < 2 * p->pattern_count && rc == 0; i++) { /* those of the text itself, then the others */
        const struct pattern *from = &p->patterns[i % p->pattern_count];
        struct group_of *g = &list[p->group_count];

        if ((from->of.n > 0) != (i >= p->pattern_count) || known(p, list, from->of))
            continue;
        g->of = from->of;
        g->path = str_eq(g->of, STR("log.file.path"));
        if (g->of.n)
            rc = making_number(m, m->yaml->docs[0], g->of, &g->number);
        if (rc == 0)
            rc = lists(m, o, g);
        if (rc == 0)
            rc = filter(m, g);
        p->group_count++;
    }
    p->groups = list;
    return rc;
}
