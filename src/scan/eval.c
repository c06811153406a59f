/* eval.c - expressions of a description over the nodes of a report. Recursion follows the description alone (EXPR_DEPTH_MAX, STEPS_MAX);
 * the report's own depth is walked in loops. The first failure sticks and is told once. */
#include "scan/internal.h"

#define URL_MAX (8u * KIB)

int eval_fail(struct eval *v, int rc, const char *what)
{
    if (v->rc == 0) {
        v->rc = rc;
        err_set(v->e, rc, "%s", what);
    }
    return v->rc;
}

void values_add(struct eval *v, struct values *out, struct str s)
{
    if (s.n == 0 || v->rc < 0)
        return;
    if (out->n == out->cap) {
        size_t cap = out->cap ? out->cap * 2 : 4;
        struct str *more = out->n < VALUES_MAX ? pile_alloc(&v->pile, cap * sizeof *more) : NULL;

        if (!more) {
            eval_fail(v, -E2BIG, "an expression gives more texts than it may (1,000,000, or 16 MiB)");
            return;
        }
        if (out->n)
            memcpy(more, out->v, out->n * sizeof *more);
        out->v = more;
        out->cap = cap;
    }
    out->v[out->n++] = s;
}

static struct str kept(struct eval *v, struct str s)
{
    struct str k = pile_copy(&v->pile, s);

    if (s.n && !k.n)
        eval_fail(v, -E2BIG, "the texts of a finding are larger than 16 MiB");
    return k;
}

/* --- paths --- */

struct walk {
    struct eval       *v;
    const struct path *p;
    node_fn           *fn;
    void              *arg;
    bool               done;
};

static void walk_on(struct walk *w, size_t i, struct node *n);

static bool named(const struct walk *w, const struct step *s, const struct node *n)
{
    if (s->kind == STEP_ANY)
        return n->name.n == 0 || n->name.p[0] != '@';
    return n->id ? n->id == s->name : str_eq(n->name, w->v->f->names.text[s->name]);
}

struct compare { struct str value; bool found, any; enum path_give give; struct eval *v; };

static struct str given(struct eval *v, const struct node *n, enum path_give give)
{
    char text[16];

    switch (give) {
    case GIVE_ALL_TEXT: return n->all;
    case GIVE_NAME: return n->name;
    case GIVE_INDEX: snprintf(text, sizeof text, "%u", n->index); return kept(v, str_c(text));
    default: return n->text;
    }
}

static bool compare_node(void *arg, struct node *n)
{
    struct compare *c = arg;

    c->any = true;
    if (c->value.p || c->value.n)
        c->found = c->found || str_eq(given(c->v, n, c->give), c->value);
    return !c->found;
}

static bool filter_holds(struct walk *w, const struct filter *f, struct node *n)
{
    struct compare c = { .value = f->value, .v = w->v };

    if (f->kind == FILTER_IS || f->kind == FILTER_NOT)
        c.value = f->value.n ? f->value : STR("");
    for (const struct path *p = f->path; p && !c.found; p = p->next) {
        c.give = p->give;
        eval_nodes(w->v, p, n, compare_node, &c);
    }
    switch (f->kind) {
    case FILTER_HAS: return c.any;
    case FILTER_LACKS: return !c.any;
    case FILTER_IS: return c.found;
    default: return !c.found;
    }
}

bool eval_filters(struct eval *v, const struct filter *f, struct node *n)
{
    struct walk w = { .v = v };

    for (; f; f = f->next)
        if (f->kind != FILTER_NTH && f->kind != FILTER_LAST && !filter_holds(&w, f, n))
            return false;
    return true;
}

#define FILTERS_MAX 8

/* last_of - the last child that the step names, if one of its filters asks for it. */
static const struct node *last_of(const struct walk *w, const struct step *s, const struct node *n)
{
    const struct node *last = NULL;
    const struct filter *f = s->filters;

    while (f && f->kind != FILTER_LAST)
        f = f->next;
    for (const struct node *k = f ? n->first : NULL; k; k = k->next)
        if (named(w, s, k))
            last = k;
    return last;
}

/* passes - all filters of a step in their order; seen counts, for each, the candidates that came so far. */
static bool passes(struct walk *w, const struct step *s, struct node *n, const struct node *last, uint32_t seen[FILTERS_MAX])
{
    size_t i = 0;

    for (const struct filter *f = s->filters; f && i < FILTERS_MAX; f = f->next, i++) {
        if (f->kind == FILTER_NTH) {
            if (++seen[i] != f->nth)
                return false;
        } else if (f->kind == FILTER_LAST) {
            if (n != last)
                return false;
        } else if (!filter_holds(w, f, n)) {
            return false;
        }
    }
    return true;
}

/* below - the node behind n in the order of the report, inside of top; NULL at the end. */
static struct node *below(const struct node *top, struct node *n)
{
    if (n->first)
        return n->first;
    while (n != top && !n->next)
        n = n->parent;
    return n == top ? NULL : n->next;
}

/* visit - false when enough was found, or when the record has taken too many steps. */
static bool visit(struct walk *w)
{
    if (w->done)
        return false;
    if (++w->v->visits > VISITS_MAX)
        eval_fail(w->v, -E2BIG, "a record of the report takes too many steps to read");
    return w->v->rc == 0;
}

static void walk_step(struct walk *w, size_t i, struct node *n)
{
    const struct step *s = &w->p->steps[i];
    uint32_t seen[FILTERS_MAX] = { 0 };

    if (s->kind == STEP_UP) {
        if (n->parent)
            walk_on(w, i + 1, n->parent);
    } else if (s->kind == STEP_DEEP) {
        for (struct node *k = n; k && visit(w); k = below(n, k))
            if (k == n || k->name.n == 0 || k->name.p[0] != '@')
                walk_on(w, i + 1, k);
    } else {
        const struct node *last = last_of(w, s, n);

        for (struct node *k = n->first; k && visit(w); k = k->next)
            if (named(w, s, k) && (!s->filters || passes(w, s, k, last, seen)))
                walk_on(w, i + 1, k);
    }
}

static void walk_on(struct walk *w, size_t i, struct node *n)
{
    if (w->done || w->v->rc < 0)
        return;
    if (i < w->p->count)
        walk_step(w, i, n);
    else
        w->done = !w->fn(w->arg, n);
}

struct gather { struct eval *v; struct values *out; enum path_give give; };

static bool gather_node(void *arg, struct node *n)
{
    struct gather *g = arg;

    values_add(g->v, g->out, given(g->v, n, g->give));
    return g->v->rc == 0 && (g->out->most == 0 || g->out->n < g->out->most);
}

static void path_values(struct eval *v, const struct path *p, struct node *n, struct values *out);

void eval_nodes(struct eval *v, const struct path *p, struct node *n, node_fn *fn, void *arg)
{
    struct walk w = { .v = v, .p = p, .fn = fn, .arg = arg };
    struct values keys = { 0 };

    switch (p->from) {
    case FROM_HERE: walk_on(&w, 0, n); break;
    case FROM_ROOT: walk_on(&w, 0, v->root); break;
    case FROM_TABLE:
        for (const struct path *k = p->key; k && keys.n == 0; k = k->next)
            path_values(v, k, n, &keys);
        for (size_t i = 0; i < keys.n && v->lookups; i++)
            for (struct entry *entry = lookup_find(&v->lookups[p->index], keys.v[i]); entry && !w.done; entry = entry->chain)
                walk_on(&w, 0, entry->node);
        break;
    case FROM_SCALAR:
    case FROM_LITERAL: break;
    }
}

static void path_values(struct eval *v, const struct path *p, struct node *n, struct values *out)
{
    struct gather g = { v, out, p->give };

    if (p->from == FROM_LITERAL)
        values_add(v, out, p->literal);
    else if (p->from == FROM_SCALAR)
        for (size_t i = 0; v->scalars && i < v->scalars[p->index].n; i++)
            values_add(v, out, v->scalars[p->index].v[i]);
    else
        eval_nodes(v, p, n, gather_node, &g);
}

/* --- expressions --- */

static void eval_lookup(struct eval *v, const struct expr *x, struct node *n, struct values *out)
{
    size_t before = out->n;
    struct values keys = { 0 };

    eval_expr(v, x->from, n, &keys);
    for (const struct path *p = x->path; p && out->n == before; p = p->next) {
        struct gather g = { v, out, p->give };
        struct walk w = { .v = v, .p = p, .fn = gather_node, .arg = &g };

        for (size_t i = 0; i < keys.n && v->lookups; i++)
            for (struct entry *entry = lookup_find(&v->lookups[p->index], keys.v[i]); entry && !w.done; entry = entry->chain)
                walk_on(&w, 0, entry->node);
    }
}

struct each { struct eval *v; const struct expr *give; struct values *out; };

static bool each_node(void *arg, struct node *n)
{
    struct each *a = arg;

    eval_expr(a->v, a->give, n, a->out);
    return a->v->rc == 0;
}

static void eval_each(struct eval *v, const struct expr *x, struct node *n, struct values *out)
{
    struct each a = { v, x->from, out };
    size_t before = out->n;

    for (const struct path *p = x->path; p && out->n == before; p = p->next)
        eval_nodes(v, p, n, each_node, &a);
}

/* eval_fill - "{0}" and so on in a text, by the values behind "with". */
static void eval_fill(struct eval *v, const struct expr *x, struct node *n, struct values *out)
{
    struct values in = { 0 }, with = { 0 };
    AUTO_BUF struct buf b;

    buf_init(&b, SCAN_RECORD_MAX);
    eval_expr(v, x->from, n, &in);
    if (in.n)
        eval_expr(v, x->otherwise, n, &with);
    for (size_t i = 0; in.n && i < in.v[0].n; i++) {
        const char *p = in.v[0].p + i;
        size_t left = in.v[0].n - i;

        if (left >= 3 && p[0] == '{' && p[1] >= '0' && p[1] <= '9' && p[2] == '}' && (size_t)(p[1] - '0') < with.n) {
            buf_str(&b, with.v[p[1] - '0']);
            i += 2;
        } else {
            buf_byte(&b, p[0]);
        }
    }
    values_add(v, out, kept(v, buf_view(&b)));
}

static void eval_map(struct eval *v, const struct expr *x, struct node *n, struct values *out)
{
    struct values in = { 0 };

    eval_expr(v, x->from, n, &in);
    for (size_t i = 0; i < in.n; i++) {
        size_t k = 0;

        while (k < x->pair_count && !str_ieq(x->pairs[k].key, in.v[i]))
            k++;
        if (k < x->pair_count)
            values_add(v, out, x->pairs[k].value);
        else if (x->otherwise)
            eval_expr(v, x->otherwise, n, out);
        else
            values_add(v, out, in.v[i]);
    }
    if (in.n == 0 && x->otherwise)
        eval_expr(v, x->otherwise, n, out);
}

/* give_groups - "$1 and $2" with the groups of a match. */
static struct str give_groups(struct eval *v, struct str form, struct str groups[RE_GROUPS])
{
    AUTO_BUF struct buf b;
    struct str s;

    buf_init(&b, SCAN_RECORD_MAX);
    for (size_t i = 0; i < form.n; i++) {
        if (form.p[i] == '$' && i + 1 < form.n && form.p[i + 1] >= '0' && form.p[i + 1] <= '9')
            buf_str(&b, groups[form.p[++i] - '0']);
        else
            buf_byte(&b, form.p[i]);
    }
    s = kept(v, buf_view(&b));
    return s;
}

static void eval_match(struct eval *v, const struct expr *x, struct node *n, struct values *out)
{
    struct values in = { 0 };
    struct str groups[RE_GROUPS];

    eval_expr(v, x->from, n, &in);
    for (size_t i = 0; i < in.n && v->rc == 0; i++)
        for (size_t from = 0; from <= in.v[i].n && v->rc == 0;) {
            int rc = re_find(x->re, v->work, in.v[i], from, groups);

            if (rc < 0)
                eval_fail(v, rc, "a pattern of the description takes too long on a text of the report");
            if (rc <= 0)
                break;
            values_add(v, out, x->give.n ? give_groups(v, x->give, groups) : groups[re_groups(x->re) > 1 ? 1 : 0]);
            from = (size_t)(groups[0].p - in.v[i].p) + groups[0].n + (groups[0].n == 0);
        }
}

static void eval_split(struct eval *v, const struct expr *x, struct node *n, struct values *out)
{
    struct values in = { 0 };

    eval_expr(v, x->from, n, &in);
    for (size_t i = 0; i < in.n; i++) {
        struct str rest = in.v[i];

        while (rest.n && x->with.n) {
            ptrdiff_t at = str_find(rest, x->with);

            values_add(v, out, str_trim(at < 0 ? rest : str_of(rest.p, (size_t)at)));
            rest = at < 0 ? str_of(NULL, 0) : str_cut(rest, (size_t)at + x->with.n);
        }
    }
}

/* eval_text - a template gives nothing unless one of its paths does. */
static void eval_text(struct eval *v, const struct expr *x, struct node *n, struct values *out)
{
    AUTO_BUF struct buf b;
    bool any = false, asked = false;

    buf_init(&b, SCAN_RECORD_MAX);
    for (size_t i = 0; i < x->count; i++) {
        struct str s = x->literals[i];

        if (x->list[i]) {
            s = eval_one(v, x->list[i], n);
            asked = true;
            any = any || s.n > 0;
        }
        buf_str(&b, s);
    }
    if (any || !asked)
        values_add(v, out, kept(v, str_trim(buf_view(&b))));
}

static void eval_join(struct eval *v, const struct expr *x, struct node *n, struct values *out)
{
    struct values in = { 0 };
    AUTO_BUF struct buf b;

    buf_init(&b, SCAN_RECORD_MAX);
    for (size_t i = 0; i < x->count; i++)
        eval_expr(v, x->list[i], n, &in);
    for (size_t i = 0; i < in.n; i++) {
        if (i)
            buf_str(&b, x->with);
        buf_str(&b, in.v[i]);
    }
    values_add(v, out, kept(v, buf_view(&b)));
}

/* number_in - the first number of a text. */
bool number_in(struct str s, double *out)
{
    char text[64];
    size_t i = 0, n = 0, before;
    char *end;

    while (i < s.n && (s.p[i] < '0' || s.p[i] > '9'))
        i++;
    if (i == s.n)
        return false;
    before = i > 0 && s.p[i - 1] == '.' ? i - 1 : i;   /* ".00042" */
    if (before > 0 && s.p[before - 1] == '-')
        text[n++] = '-';
    if (before < i && (before == 0 || s.p[before - 1] == '-' || s.p[before - 1] == ' '))
        text[n++] = '.';
    while (i < s.n && n < sizeof text - 1 && ((s.p[i] >= '0' && s.p[i] <= '9') || s.p[i] == '.' || s.p[i] == ','))
        text[n++] = s.p[i] == ',' ? '.' : s.p[i], i++;
    if (i + 1 < s.n && n < 40 && (s.p[i] == 'e' || s.p[i] == 'E') && (s.p[i + 1] == '-' || (s.p[i + 1] >= '0' && s.p[i + 1] <= '9')))
        for (text[n++] = 'e', i++; i < s.n && n < sizeof text - 1 && (s.p[i] == '-' || (s.p[i] >= '0' && s.p[i] <= '9')); i++)
            text[n++] = s.p[i];
    text[n] = '\0';
    *out = strtod(text, &end);
    return end != text;
}

static void eval_bands(struct eval *v, const struct expr *x, struct node *n, struct values *out)
{
    const struct pair *best = NULL;
    double number;

    if (!number_in(eval_one(v, x->from, n), &number)) {
        if (x->otherwise)
            eval_expr(v, x->otherwise, n, out);
        return;
    }
    for (size_t i = 0; i < x->pair_count; i++)
        if (x->pairs[i].number <= number && (!best || x->pairs[i].number >= best->number))
            best = &x->pairs[i];
    if (best)
        values_add(v, out, best->value);
}

static void eval_time(struct eval *v, const struct expr *x, struct node *n, struct values *out)
{
    struct values in = { 0 };

    eval_expr(v, x->from, n, &in);
    for (size_t i = 0; i < in.n; i++) {
        char text[TIME_TEXT_MAX];
        time_ns t;

        if (x->give.n ? time_by_form(in.v[i], x->give, &t) : time_auto(in.v[i], &t))
            values_add(v, out, kept(v, str_c(time_format_utc(t, text))));
    }
}

/* base64_words - what is decoded, if it is text. */
static void base64_words(struct buf *b, struct str s)
{
    if (!base64_text(b, s) || !str_utf8_valid(buf_view(b)))
        buf_reset(b);
}

static void eval_rewrite(struct eval *v, const struct expr *x, struct node *n, struct values *out)
{
    struct values in = { 0 };
    AUTO_BUF struct buf b;

    buf_init(&b, SCAN_RECORD_MAX);
    eval_expr(v, x->from, n, &in);
    for (size_t i = 0; i < in.n; i++) {
        struct str part = { NULL, 0 };

        buf_reset(&b);
        if (x->kind == EXPR_PLAIN)
            markup_plain(&b, in.v[i]);
        else if (x->kind == EXPR_BASE64)
            base64_words(&b, in.v[i]);
        else if (x->kind == EXPR_URL && in.v[i].n <= URL_MAX && url_part(in.v[i], x->give, &part))
            buf_str(&b, part);
        else if (x->kind == EXPR_LOWER)
            for (size_t k = 0; k < in.v[i].n; k++)
                buf_byte(&b, in.v[i].p[k] >= 'A' && in.v[i].p[k] <= 'Z' ? (char)(in.v[i].p[k] + 32) : in.v[i].p[k]);
        values_add(v, out, kept(v, str_trim(buf_view(&b))));
    }
}

void eval_expr(struct eval *v, const struct expr *x, struct node *n, struct values *out)
{
    size_t before = out->n;

    if (!x || v->rc < 0)
        return;
    switch (x->kind) {
    case EXPR_PATH:
        for (const struct path *p = x->path; p && out->n == before; p = p->next)
            path_values(v, p, n, out);
        break;
    case EXPR_FIRST:
        for (size_t i = 0; i < x->count && out->n == before; i++)
            eval_expr(v, x->list[i], n, out);
        break;
    case EXPR_ALL:
        for (size_t i = 0; i < x->count; i++)
            eval_expr(v, x->list[i], n, out);
        break;
    case EXPR_WHEN:
        eval_expr(v, eval_conds(v, x->when, n) ? x->from : x->otherwise, n, out);
        break;
    case EXPR_MAP: eval_map(v, x, n, out); break;
    case EXPR_MATCH: eval_match(v, x, n, out); break;
    case EXPR_SPLIT: eval_split(v, x, n, out); break;
    case EXPR_TEXT: eval_text(v, x, n, out); break;
    case EXPR_JOIN: eval_join(v, x, n, out); break;
    case EXPR_BANDS: eval_bands(v, x, n, out); break;
    case EXPR_TIME: eval_time(v, x, n, out); break;
    case EXPR_LOOKUP: eval_lookup(v, x, n, out); break;
    case EXPR_EACH: eval_each(v, x, n, out); break;
    case EXPR_FILL: eval_fill(v, x, n, out); break;
    case EXPR_PLAIN:
    case EXPR_URL:
    case EXPR_BASE64:
    case EXPR_LOWER: eval_rewrite(v, x, n, out); break;
    }
}

struct str eval_one(struct eval *v, const struct expr *x, struct node *n)
{
    struct values out = { .most = 1 };

    eval_expr(v, x, n, &out);
    return out.n ? out.v[0] : (struct str){ NULL, 0 };
}

static bool cond_words(const struct cond *w, const struct values *in)
{
    for (size_t i = 0; i < in->n; i++)
        for (size_t k = 0; k < w->count; k++)
            if (str_ieq(in->v[i], w->words[k]))
                return true;
    return false;
}

static bool cond_match(struct eval *v, const struct cond *w, const struct values *in)
{
    struct str groups[RE_GROUPS];

    for (size_t i = 0; i < in->n; i++) {
        int rc = re_find(w->re, v->work, in->v[i], 0, groups);

        if (rc < 0)
            eval_fail(v, rc, "a pattern of the description takes too long on a text of the report");
        if (rc != 0)
            return rc > 0;
    }
    return false;
}

struct presence { bool any; };

static bool presence_node(void *arg, struct node *n)
{
    (void)n;
    ((struct presence *)arg)->any = true;
    return false;
}

/* present - of a plain path its node is enough, with or without text; of other expressions a text. */
static bool present(struct eval *v, const struct expr *x, struct node *n)
{
    struct presence p = { false };
    struct values in = { 0 };

    for (const struct path *q = x->kind == EXPR_PATH ? x->path : NULL; q && !p.any; q = q->next)
        eval_nodes(v, q, n, presence_node, &p);
    if (p.any)
        return true;
    eval_expr(v, x, n, &in);
    return in.n > 0;
}

bool eval_conds(struct eval *v, const struct cond *w, struct node *n)
{
    for (; w && v->rc == 0; w = w->next) {
        struct values in = { 0 };
        double number = 0;
        bool holds = false;

        if (w->kind != COND_PRESENT)
            eval_expr(v, w->value, n, &in);
        switch (w->kind) {
        case COND_IS: holds = cond_words(w, &in); break;
        case COND_NOT: holds = !cond_words(w, &in); break;
        case COND_MATCH: holds = cond_match(v, w, &in); break;
        case COND_PRESENT: holds = present(v, w->value, n) == w->present; break;
        case COND_ABOVE: holds = in.n && number_in(in.v[0], &number) && number > w->number; break;
        case COND_BELOW: holds = in.n && number_in(in.v[0], &number) && number < w->number; break;
        }
        if (!holds)
            return false;
    }
    return v->rc == 0;
}
