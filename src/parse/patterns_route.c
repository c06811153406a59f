/* patterns_route.c - the way of a line to a product: by profile, path, program, or by its literals alone; see patterns.h. */
#include "parse/patterns.h"

void patterns_count_limit(const struct parser *p) { __atomic_fetch_add(&p->data->limits, 1, __ATOMIC_RELAXED); }

bool glob_holds(struct str glob, struct str text)
{
    size_t g = 0, t = 0, star = SIZE_MAX, from = 0;

    while (t < text.n) {
        if (g < glob.n && glob.p[g] == '*') {
            star = g++;
            from = t;
        } else if (g < glob.n && glob.p[g] == text.p[t]) {
            g++;
            t++;
        } else if (star != SIZE_MAX) {
            g = star + 1;
            t = ++from;
        } else {
            return false;
        }
    }
    while (g < glob.n && glob.p[g] == '*')
        g++;
    return g == glob.n;
}

static const struct product *product_of(const struct patterns *d, struct str id)
{
    for (size_t i = 0; i < d->product_count; i++)
        if (str_eq(d->products[i]->id, id))
            return d->products[i];
    return NULL;
}

/* claim - the text is this product's, though it could not be read. */
static void claim(struct work *w, const struct product *p)
{
    w->ev->parser = p->id;
    w->ev->class = p->class;
    w->trouble = true;
    parse_explain(w, "%.*s: named, and partial: the text is of this product", STR_ARG(p->id));
}

bool patterns_named(struct work *w, struct str text)
{
    const struct product *p = w->parser->data ? product_of(w->parser->data, w->hints->parser) : NULL;

    parse_explain(w, "profile names \"%.*s\"%s", STR_ARG(w->hints->parser), p ? "" : ": no product of that name");
    return p && product_run(w, p, text);
}

/* by_path - the products on whose path the line's is, found out once a line. */
static uint32_t by_path(struct work *w)
{
    const struct patterns *d = w->parser->data;
    uint64_t hits[PATHS_MAX / 64];

    if (w->paths_known)
        return w->path_count;
    w->paths_known = true;
    if (d->path_count == 0)
        return 0;
    filter_scan(d->path_filter, w->hints->path, hits);
    for (size_t i = 0; i < (d->path_count + 63) / 64; i++)
        for (uint64_t left = hits[i]; left && w->path_count < COUNT(w->by_path); left &= left - 1) {
            size_t at = i * 64 + (size_t)__builtin_ctzll(left);

            if (glob_holds(d->path_globs[at], w->hints->path))
                w->by_path[w->path_count++] = d->path_products[at];
        }
    return w->path_count;
}

bool patterns_path(struct work *w, struct str text)
{
    uint32_t count = w->parser->data ? by_path(w) : 0;

    for (uint32_t i = 0; i < count; i++)
        if (product_run(w, w->by_path[i], text))
            return true;
    return false;
}

void parse_records(const struct parser *p, struct str path, struct str product, const struct str **starts, size_t *count)
{
    const struct patterns *d = p->data;
    const struct product *found = d && product.n ? product_of(d, product) : NULL;

    *starts = NULL;
    *count = 0;
    for (size_t i = 0; d && !found && path.n && i < d->path_count; i++)
        if (d->path_products[i]->record_count && glob_holds(d->path_globs[i], path))
            found = d->path_products[i];
    if (found) {
        *starts = found->records;
        *count = found->record_count;
    }
}

bool patterns_claim(struct work *w)
{
    const struct patterns *d = w->parser->data;
    const struct product *p = d && w->hints->parser.n ? product_of(d, w->hints->parser) : NULL;

    if (!p && d && w->hints->path.n && by_path(w) > 0)
        p = w->by_path[0];
    if (p)
        claim(w, p);
    return p != NULL;
}

bool patterns_structured(struct work *w)
{
    const struct patterns *d = w->parser->data;

    for (size_t i = 0; i < d->structured_count; i++)
        if (glob_holds(d->structured_globs[i], w->structured) && product_run(w, d->structured_products[i], w->msg))
            return true;
    return false;
}

/* may_contain - by its pairs: one of the words that a text of the product has. */
static bool may_contain(const struct product *p, const uint8_t *seen)
{
    bool may = p->contain_count == 0;

    for (size_t i = 0; i < p->contain_count && !may; i++)
        may = pairs_hold(seen, &p->contain_pairs[i]);
    return may;
}

/* forms_alone - those that may begin with the first byte of text. */
static bool forms_alone(struct work *w, const struct patterns *d, struct str text)
{
    uint32_t from = d->form_at[(unsigned char)*text.p], to = d->form_at[(unsigned char)*text.p + 1];
    const uint8_t *seen = to - from > 2 ? text_pairs(w, text) : NULL;

    for (uint32_t i = from; i < to; i++) {
        const struct product *p = d->alone_forms[d->form_list[i]];

        if (may_contain(p, seen) && product_looks(p, text) && product_run(w, p, text))
            return true;
    }
    return false;
}

/* alone_left - those of the first byte's whose texts begin like this one, into list. */
static uint32_t alone_left(const struct patterns *d, struct str text, uint16_t *list)
{
    uint32_t bucket = (unsigned char)*text.p * ALONE_BUCKETS + ALONE_BUCKET(text.n > 1 ? (unsigned char)text.p[1] : 0), count = 0;
    uint32_t from = d->alone_at[bucket], to = d->alone_at[bucket + 1];
    const struct product *last = NULL;
    bool begins = false;

    for (uint32_t i = from; i < to; i++) {
        const struct alone *a = &d->alone[d->alone_list[i]];

        if (a->product != last) { /* its patterns stand together */
            last = a->product;
            begins = last->start_count == 0 || starts_as(last->starts, last->start_count, text);
        }
        if (begins && (a->pattern->start_count == 0 || starts_as(a->pattern->starts, a->pattern->start_count, text)))
            list[count++] = d->alone_list[i];
    }
    return count;
}

bool patterns_alone(struct work *w, struct str text)
{
    const struct patterns *d = w->parser->data;
    uint64_t hits[ALONE_MAX / 64];
    uint16_t list[ALONE_MAX];
    const uint8_t *seen;
    uint32_t count;
    bool many;

    if (!d || text.n == 0)
        return false;
    if (d->form_count && forms_alone(w, d, text))
        return true;
    if (d->alone_count == 0)
        return false;
    count = alone_left(d, text, list);
    many = count > PAIRS_TO;
    seen = count > PAIRS_FROM && !many ? text_pairs(w, text) : NULL;
    if (many)
        filter_scan(d->alone_filter, text, hits);
    for (uint32_t i = 0; i < count; i++) {
        const struct alone *a = &d->alone[list[i]];

        if (many ? !(hits[list[i] / 64] >> list[i] % 64 & 1) : !pairs_hold(seen, &a->pattern->pairs))
            continue;
        if (pattern_may(w, a->product, a->pattern, text) && product_try(w, a->product, a->pattern, text))
            return true;
    }
    if (w->hints->explain)
        parse_explain(w, "no pattern of any product recognises the text alone");
    return false;
}

const struct route *patterns_program(const struct parser *p, struct str name) { return p->data ? patterns_route(p->data, name) : NULL; }

const struct route *patterns_route(const struct patterns *d, struct str name)
{
    if (name.n == 0 || d->route_cap == 0)
        return NULL;
    for (size_t at = name_hash(name) & (d->route_cap - 1); d->routes[at].count; at = (at + 1) & (d->route_cap - 1))
        if (same_name(d->routes[at].name, name))
            return &d->routes[at];
    if (!(d->glob_first[(unsigned char)*name.p / 64] >> (unsigned char)*name.p % 64 & 1))
        return NULL;
    for (size_t i = 0; i < d->glob_count; i++)
        if ((*d->globs[i].name.p == *name.p || *d->globs[i].name.p == '*') && glob_holds(d->globs[i].name, name))
            return &d->globs[i];
    return NULL;
}

bool route_run(struct work *w, const struct route *r, bool may_claim)
{
    for (size_t i = 0; i < r->count && !(may_claim && w->routed); i++)
        if (product_run(w, r->products[i], w->msg))
            return true;
    if (may_claim)
        claim(w, r->products[0]);
    return may_claim;
}

bool patterns_inside(struct work *w, struct str program, struct str parser, struct str text)
{
    struct work outer = *w;
    const struct product *p = parser.n ? product_of(w->parser->data, parser) : NULL;
    bool ok;

    if (w->depth >= INSIDE_DEPTH_MAX) {
        parse_explain(w, "a text inside is not read: %d are nested already", INSIDE_DEPTH_MAX);
        return false;
    }
    w->depth++;
    w->msg = text;
    w->program = program;
    w->routed = false;
    w->ev->parser = (struct str){ NULL, 0 };
    if (p)
        ok = product_run(w, p, text);
    else
        program_message(w);
    ok = p ? ok : w->ev->parser.n && w->trouble == outer.trouble;
    w->depth = outer.depth;
    w->msg = outer.msg;
    w->program = outer.program;
    w->routed = outer.routed;
    w->trouble = outer.trouble;
    return ok;
}
