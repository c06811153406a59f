/* explain.c - see explain.h. Every part's truth is worked out once, kids before parents; then the tree is listed in the order of reading.
 *
 * Whether the rule matches is not read off the tree but asked of the engine's own rule_holds, so that the answer stays right whatever this file
 * makes of the leaves; a test holds both against each other. */
#include "sigma/explain.h"

#include "sigma/internal.h"

struct teller {
    const struct sigma *s;
    struct view         view;
    struct arena       *a;
    struct explain     *x;
    struct explain_part *parts;
    uint32_t            count, cap;
    bool               *truth;      /* by part of the program at hand */
    struct frame { uint32_t part, depth; } *stack;
    uint32_t            stack_cap;
};

const char *explain_kind_name(enum explain_kind k)
{
    static const char *const names[] = { "and", "or", "not", "leaf" };

    return names[k];
}

/* --- what a leaf asks --- */

static const char *comparison_of(const struct pattern *p)
{
    switch (p->kind) {
    case PAT_ANY: return "is there and not null";
    case PAT_EQ: return "equals";
    case PAT_STARTS: return "starts with";
    case PAT_ENDS: return "ends with";
    case PAT_CONTAINS: return "contains";
    case PAT_GLOB: return "is like";
    case PAT_NUMBER: return "is the number";
    case PAT_RE: return "matches";
    case PAT_CIDR: return "is in the network";
    case PAT_LT: return "is less than";
    case PAT_LTE: return "is at most";
    case PAT_GT: return "is more than";
    case PAT_GTE: return "is at least";
    case PAT_NULL: return "is absent or null";
    case PAT_EXISTS: return "is there";
    case PAT_ABSENT: return "is not there";
    case PAT_PART: return "as a moment has";
    case PAT_REF: return "equals the field";
    case PAT_REF_STARTS: return "starts with the field";
    case PAT_REF_ENDS: return "ends with the field";
    case PAT_REF_CONTAINS: return "contains the field";
    }
    return "";
}

static struct str glob_text(struct arena *a, const struct pattern *p)
{
    char *z = arena_alloc(a, (size_t)p->token_count * 2 + 1);
    size_t n = 0;

    if (!z)
        return STR("");
    for (uint32_t i = 0; i < p->token_count; i++) {
        uint16_t t = p->tokens[i];

        if (t <= 255 && (t == '*' || t == '?'))
            z[n++] = '\\';
        z[n++] = t == TOK_STAR ? '*' : t == TOK_ONE ? '?' : t == TOK_DASH ? '-' : (char)t;
    }
    return str_of(z, n);
}

static struct str network_text(struct arena *a, const struct pattern *p)
{
    const uint8_t *n = p->net;
    struct str s = STR("");

    if (p->prefix >= 96)
        return arena_printf(a, "%u.%u.%u.%u/%u", n[12], n[13], n[14], n[15], p->prefix - 96u);
    for (unsigned i = 0; i < 16 && s.p; i += 2)
        s = arena_printf(a, "%.*s%s%x", STR_ARG(s), i ? ":" : "", (unsigned)(n[i] << 8 | n[i + 1]));
    return arena_printf(a, "%.*s/%u", STR_ARG(s), p->prefix);
}

static struct str part_text(struct arena *a, const struct pattern *p)
{
    static const char *const names[] = { "minute", "hour", "day", "week", "month", "year" };
    struct pattern number = { .kind = p->compare };

    return arena_printf(a, "%s: %s %.15g", names[p->part], comparison_of(&number), p->number);
}

/* wanted_text - what the rule wrote, as it is compared. mixed: the patterns of the leaf are of several kinds, so each says its own. */
static struct str wanted_text(const struct teller *t, const struct pattern *p, bool mixed)
{
    switch (p->kind) {
    case PAT_STARTS: return mixed ? arena_printf(t->a, "%.*s*", STR_ARG(p->text)) : p->text;
    case PAT_ENDS: return mixed ? arena_printf(t->a, "*%.*s", STR_ARG(p->text)) : p->text;
    case PAT_CONTAINS: return mixed ? arena_printf(t->a, "*%.*s*", STR_ARG(p->text)) : p->text;
    case PAT_EQ: return p->text;
    case PAT_NUMBER: return p->text.n ? p->text : arena_printf(t->a, "%.15g", p->number);
    case PAT_LT: case PAT_LTE: case PAT_GT: case PAT_GTE:
        return mixed ? arena_printf(t->a, "%s %.15g", comparison_of(p), p->number) : arena_printf(t->a, "%.15g", p->number);
    case PAT_GLOB: return glob_text(t->a, p);
    case PAT_RE: return p->re->source;
    case PAT_CIDR: return network_text(t->a, p);
    case PAT_PART: return part_text(t->a, p);
    case PAT_REF: case PAT_REF_STARTS: case PAT_REF_ENDS: case PAT_REF_CONTAINS: return t->s->fields[p->ref_field];
    case PAT_ANY: case PAT_NULL: case PAT_EXISTS: case PAT_ABSENT: break;
    }
    return mixed ? str_c(comparison_of(p)) : STR("");
}

static void take_wanted(struct teller *t, const struct leaf *leaf, struct explain_part *out)
{
    uint32_t n = leaf->count < EXPLAIN_TESTS_MAX ? leaf->count : EXPLAIN_TESTS_MAX;
    struct str *wanted = arena_array(t->a, n + 1, sizeof *wanted);
    bool mixed = false;

    for (uint32_t i = 1; i < leaf->count; i++)
        mixed = mixed || leaf->patterns[i].kind != leaf->patterns[0].kind;
    out->comparison = mixed ? STR("is one of") : leaf->count ? str_c(comparison_of(&leaf->patterns[0])) : STR("");
    out->cased = leaf->count && leaf->patterns[0].cased;
    out->tests = leaf->count;
    for (uint32_t i = 0; wanted && i < n; i++) {
        wanted[out->wanted_count] = wanted_text(t, &leaf->patterns[i], mixed);
        out->wanted_count += wanted[out->wanted_count].n || leaf->patterns[i].kind == PAT_EQ;
    }
    out->wanted = wanted;
}

/* --- what the event has there --- */

/* name_of - under which name the event has a value. */
static struct str name_of(const struct view *v, uint32_t value)
{
    uint32_t own = v->shape->field_count, source = value < own || value == own ? value : v->shape->source[value];

    return source < own ? v->ev->fields[source].name : STR("");
}

/* in_line - where in the original a value stands: it is a piece of it, or the same bytes stand somewhere in it. */
static ptrdiff_t in_line(const struct event *ev, struct str value)
{
    uintptr_t from = (uintptr_t)ev->original.p, at = (uintptr_t)value.p;

    if (value.n == 0 || ev->original.n == 0)
        return -1;
    if (at >= from && at + value.n <= from + ev->original.n)
        return (ptrdiff_t)(at - from);
    return str_find(ev->original, value);
}

static void take_hit(struct teller *t, const struct leaf *leaf, uint32_t pattern, uint32_t value, struct place pl, struct explain_part *out)
{
    struct str raw = view_value(&t->view, value)->raw;
    ptrdiff_t at;

    out->holds = out->present = true;
    out->event_field = name_of(&t->view, value);
    out->value = raw.p ? arena_copy(t->a, raw) : STR("");
    out->text = wanted_text(t, &leaf->patterns[pattern], false);
    out->at = pl.at;
    out->n = pl.n;
    at = raw.p ? in_line(t->view.ev, raw) : -1;
    out->in_line = at < 0 ? -1 : at + (ptrdiff_t)pl.at;
}

/* take_miss - what stands in the field instead: its first value. */
static void take_miss(struct teller *t, const struct leaf *leaf, struct explain_part *out)
{
    uint32_t first = leaf->field == FIELD_KEYWORD ? UINT32_MAX : view_first(&t->view, leaf->field);
    struct str raw;

    out->in_line = -1;
    out->present = first != UINT32_MAX || leaf->field == FIELD_KEYWORD;
    if (first == UINT32_MAX)
        return;
    raw = view_value(&t->view, first)->raw;
    out->event_field = name_of(&t->view, first);
    if (raw.p)
        out->value = arena_copy(t->a, str_of(raw.p, min_size(raw.n, EXPLAIN_VALUE_MAX)));
}

static void take_leaf(struct teller *t, const struct leaf *leaf, struct explain_part *out)
{
    struct view *v = &t->view;
    bool keyword = leaf->field == FIELD_KEYWORD;
    uint32_t first = keyword ? 0 : view_first(v, leaf->field);

    out->kind = EXPLAIN_LEAF;
    out->in_line = -1;
    out->field = keyword ? STR("keywords") : t->s->fields[leaf->field];
    take_wanted(t, leaf, out);
    if (first == UINT32_MAX) {
        for (uint32_t k = 0; k < leaf->count; k++)
            out->holds = out->holds || leaf->patterns[k].kind == PAT_NULL || leaf->patterns[k].kind == PAT_ABSENT;
        return;
    }
    for (uint32_t i = first; keyword ? i < view_words(v) : i != UINT32_MAX; i = keyword ? i + 1 : view_next(v, i))
        for (uint32_t k = 0; k < leaf->count; k++) {
            struct place pl;

            if (pattern_holds(&leaf->patterns[k], v, i, &pl)) {
                take_hit(t, leaf, k, i, pl, out);
                return;
            }
        }
    take_miss(t, leaf, out);
}

/* --- the tree --- */

static void work_out(struct teller *t, const struct program *p)
{
    for (uint32_t i = 0; i < p->part_count; i++) {
        const struct part *part = &p->parts[i];
        bool holds = part->kind == NODE_AND;

        if (part->kind == NODE_LEAF) {
            t->truth[i] = leaf_true(&p->leaves[part->first], &t->view);
            continue;
        }
        for (uint32_t k = 0; k < part->count; k++) {
            bool kid = t->truth[p->kids[part->first + k]];

            holds = part->kind == NODE_AND ? holds && kid : part->kind == NODE_OR ? holds || kid : !kid;
        }
        t->truth[i] = holds;
    }
}

static struct explain_part *part_new(struct teller *t)
{
    if (t->count == t->cap) {
        uint32_t cap = t->cap ? t->cap * 2 : 64;
        struct explain_part *grown = t->count < EXPLAIN_PARTS_MAX ? arena_array(t->a, cap, sizeof *grown) : NULL;

        if (!grown)
            return NULL;
        if (t->count)
            memcpy(grown, t->parts, t->count * sizeof *grown);
        t->parts = grown;
        t->cap = cap;
    }
    t->parts[t->count] = (struct explain_part){ .in_line = -1 };
    return &t->parts[t->count++];
}

static bool push(struct teller *t, uint32_t *depth, uint32_t part, uint32_t level)
{
    if (*depth == t->stack_cap) {
        uint32_t cap = t->stack_cap ? t->stack_cap * 2 : 64;
        struct frame *grown = *depth <= 2 * EXPLAIN_PARTS_MAX ? realloc(t->stack, cap * sizeof *grown) : NULL;

        if (!grown)
            return false;
        t->stack = grown;
        t->stack_cap = cap;
    }
    t->stack[(*depth)++] = (struct frame){ part, level };
    return true;
}

static struct str name_in(const struct program *p, uint32_t part)
{
    for (uint32_t i = 0; i < p->name_count; i++)
        if (p->names[i].node == part)
            return p->names[i].name;
    return STR("");
}

static const enum explain_kind kinds[] = { [NODE_LEAF] = EXPLAIN_LEAF, [NODE_AND] = EXPLAIN_AND, [NODE_OR] = EXPLAIN_OR, [NODE_NOT] = EXPLAIN_NOT };

/* list - the program's tree added to the parts. */
static int list(struct teller *t, const struct program *p)
{
    uint32_t depth = 0;

    t->truth = arena_zero(t->a, p->part_count + 1);
    if (!t->truth)
        return -ENOMEM;
    work_out(t, p);
    if (!push(t, &depth, p->root, 0))
        return -ENOMEM;
    while (depth) {
        struct frame f = t->stack[--depth];
        const struct part *part = &p->parts[f.part];
        struct explain_part *out = part_new(t);

        if (!out)
            return t->count >= EXPLAIN_PARTS_MAX ? -E2BIG : -ENOMEM;
        if (part->kind == NODE_LEAF)
            take_leaf(t, &p->leaves[part->first], out);
        out->kind = kinds[part->kind];
        out->depth = f.depth;
        out->name = name_in(p, f.part);
        out->holds = t->truth[f.part];
        for (uint32_t k = part->kind == NODE_LEAF ? 0 : part->count; k-- > 0;)
            if (!push(t, &depth, p->kids[part->first + k], f.depth + 1))
                return -ENOMEM;
    }
    return 0;
}

/* --- the rule --- */

static void take_origin(struct teller *t, const struct compiled *c, bool loose)
{
    const struct logsource *l = &t->s->logsources[c->logsource];
    struct origin o;

    origin_of(&t->view, t->s, t->view.ev, &o);
    t->x->applies = logsource_applies(l, &o, loose);
    t->x->product = l->product;
    t->x->category = l->category;
    t->x->service = l->service;
    t->x->event_product = o.product;
    t->x->event_channel = arena_copy(t->a, o.channel);
    t->x->event_id = arena_copy(t->a, o.event_id);
}

static int take_filters(struct teller *t, const struct compiled *c)
{
    struct explain_filter *to = arena_array(t->a, c->filters.n + 1, sizeof *to);
    int rc = to ? 0 : -ENOMEM;

    for (uint32_t i = 0; i < c->filters.n && rc == 0; i++) {
        const struct filter *f = &t->s->filters[c->filters.p[i]];
        bool counts = filter_counts(f, t->view.ev);

        to[i] = (struct explain_filter){ f->id, f->title, counts, !counts || program_run(&f->program, &t->view), t->count, 0 };
        rc = list(t, &f->program);
        to[i].count = t->count - to[i].first;
        t->x->filter_count++;
    }
    t->x->filters = to;
    return rc;
}

static int take_plain(struct teller *t, const struct compiled *c, bool loose)
{
    int rc = list(t, &c->program);

    t->x->condition_count = t->count;
    take_origin(t, c, loose);
    if (rc == 0)
        rc = take_filters(t, c);
    t->x->matches = t->x->applies && rule_holds(t->s, c, false, &t->view);
    t->x->parts = t->parts;
    t->x->part_count = t->count;
    return rc;
}

/* missing - the first field of group-by that the event lacks, for a rule that the correlation reads. */
static struct str missing(struct teller *t, const struct correlation *c, uint32_t ref)
{
    for (uint32_t g = 0; g < c->group_count; g++) {
        uint32_t value = view_first(&t->view, c->alias[ref][g]);

        if (value == UINT32_MAX || !view_value(&t->view, value)->raw.p)
            return t->s->fields[c->alias[ref][g]];
    }
    return STR("");
}

static int take_refs(struct teller *t, const struct correlation *c, bool loose)
{
    struct explain_ref *to = arena_array(t->a, c->ref_count + 1, sizeof *to);
    struct origin o;

    if (!to)
        return -ENOMEM;
    t->x->applies = true;
    origin_of(&t->view, t->s, t->view.ev, &o);
    for (uint32_t i = 0; i < c->ref_count; i++) {
        const struct compiled *r = &t->s->rules[c->refs[i]];

        to[i] = (struct explain_ref){ .rule = &r->rule, .missing = missing(t, c, i) };
        to[i].holds = !r->correlation && logsource_applies(&t->s->logsources[r->logsource], &o, loose) && rule_holds(t->s, r, false, &t->view);
        t->x->matches = t->x->matches || (to[i].holds && !to[i].missing.n);
        t->x->ref_count++;
    }
    t->x->refs = to;
    return 0;
}

int sigma_explain(const struct sigma *s, bool loose, const struct event *ev, const struct sigma_rule *rule, struct arena *a, struct explain *out,
                  struct err *e)
{
    const struct compiled *c = &s->rules[rule->index];
    struct teller t = { .s = s, .a = a, .x = out };
    int rc = view_init(&t.view, s, e);

    *out = (struct explain){ .rule = rule, .event_class = event_class_name(ev->class) };
    if (rc < 0)
        return rc;
    rc = view_take(&t.view, ev, true, e);
    if (rc == 0)
        rc = c->correlation ? take_refs(&t, c->correlation, loose) : take_plain(&t, c, loose);
    out->stopped = t.view.regex_limit > 0;
    if (rc == 0 && (arena_failed(a) || t.view.failed))
        rc = -ENOMEM;
    view_free(&t.view);
    free(t.stack);
    return rc == -E2BIG ? err_set(e, rc, "the condition, written out, has more than %d parts", EXPLAIN_PARTS_MAX)
         : rc < 0 ? err_set(e, rc, "no memory to explain a rule") : 0;
}

const char *explain_why(const struct explain *x)
{
    bool read = false;

    if (x->rule->correlation) {
        for (uint32_t i = 0; i < x->ref_count; i++)
            read = read || x->refs[i].holds;
        return x->matches ? "correlation" : read ? "no_group" : "not_read";
    }
    if (x->matches)
        return "matches";
    if (!x->applies)
        return "logsource";
    return x->condition_count && !x->parts[0].holds ? "condition" : "filtered";
}
