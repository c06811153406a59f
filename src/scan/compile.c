/* compile.c - expressions and conditions of a description. One table says which keys make which expression. */
#include "scan/internal.h"

static int no_memory(struct compile *c) { return err_set(c->e, -ENOMEM, "no memory for a description"); }

int compile_re(struct compile *c, const struct ynode *n, struct str pattern, struct re **out)
{
    struct err why = { 0 };
    struct re **more = realloc(c->f->res, (c->f->re_count + 1) * sizeof *more);
    int rc;

    if (!more)
        return no_memory(c);
    c->f->res = more;
    rc = re_new(pattern, out, &why);
    if (rc < 0)
        return yaml_err(c->y, n, c->e, "%s", why.text);
    c->f->res[c->f->re_count++] = *out;
    return 0;
}

static struct expr *expr_new(struct compile *c, enum expr_kind kind)
{
    struct expr *x = arena_zero(&c->f->arena, sizeof *x);

    if (x)
        x->kind = kind;
    return x;
}

static int scalar_of(struct compile *c, const struct ynode *map, const char *key, struct str *out)
{
    const struct ynode *n = yaml_get(map, key);

    if (!n || n->kind != YNODE_SCALAR)
        return yaml_err(c->y, n ? n : map, c->e, "\"%s\" must be a text", key);
    *out = arena_copy(&c->f->arena, n->text);
    return 0;
}

static int list_of(struct compile *c, const struct ynode *n, struct expr *x)
{
    int rc = 0;

    if (n->kind != YNODE_SEQ || n->count == 0)
        return yaml_err(c->y, n, c->e, "a list of expressions is expected here");
    x->list = arena_zero(&c->f->arena, n->count * sizeof *x->list);
    if (!x->list)
        return no_memory(c);
    for (const struct ynode *i = n->first; i && rc == 0; i = i->next)
        rc = compile_expr(c, i, &x->list[x->count++]);
    return rc;
}

/* pairs_of - a map of texts; with numbers its keys are lower ends of bands. */
static int pairs_of(struct compile *c, const struct ynode *n, bool numbers, struct expr *x)
{
    if (!n || n->kind != YNODE_MAP || n->count == 0)
        return yaml_err(c->y, n, c->e, "a map is expected here");
    x->pairs = arena_zero(&c->f->arena, n->count * sizeof *x->pairs);
    if (!x->pairs)
        return no_memory(c);
    for (const struct ynode *k = n->first; k; k = k->next) {
        struct pair *p = &x->pairs[x->pair_count++];
        char *end = NULL;

        if (k->value->kind != YNODE_SCALAR)
            return yaml_err(c->y, k->value, c->e, "a text is expected here");
        p->key = arena_copy(&c->f->arena, k->text);
        p->value = arena_copy(&c->f->arena, k->value->text);
        if (arena_failed(&c->f->arena))
            return no_memory(c);
        if (numbers) {
            p->number = strtod(p->key.p, &end);
            if (end == p->key.p || *end)
                return yaml_err(c->y, k, c->e, "the lower end of a band must be a number");
        }
    }
    return 0;
}

/* template - "Open port: {@portid}/{@protocol}": literals and paths in turn; "{{" is a brace. */
static int template(struct compile *c, const struct ynode *n, struct expr *x)
{
    struct str rest = n->text;
    size_t most = 1;

    for (size_t i = 0; i < rest.n; i++)
        most += rest.p[i] == '{' ? 2 : 0;
    x->list = arena_zero(&c->f->arena, most * sizeof *x->list);
    x->literals = arena_zero(&c->f->arena, most * sizeof *x->literals);
    if (!x->list || !x->literals)
        return no_memory(c);
    while (rest.n) {
        ptrdiff_t open = str_chr(rest, '{'), close;
        size_t head = open < 0 ? rest.n : (size_t)open;
        struct expr *part;
        int rc;

        if (open >= 0 && head + 1 < rest.n && rest.p[head + 1] == '{')
            head++;
        if (head)
            x->literals[x->count++] = arena_copy(&c->f->arena, str_of(rest.p, head));
        if (open >= 0 && head > (size_t)open) {
            rest = str_cut(rest, head + 1);
            continue;
        }
        rest = str_cut(rest, head);
        if (!rest.n)
            break;
        close = str_chr(rest, '}');
        if (close < 0)
            return yaml_err(c->y, n, c->e, "\"{\" has no \"}\"");
        part = expr_new(c, EXPR_PATH);
        if (!part)
            return no_memory(c);
        rc = compile_paths(c, arena_copy(&c->f->arena, str_of(rest.p + 1, (size_t)close - 1)), n, &part->path);
        if (rc < 0)
            return rc;
        x->list[x->count++] = part;
        rest = str_cut(rest, (size_t)close + 1);
    }
    return 0;
}

/* Which key, when it stands in the map, says what the expression is; the others are those it may have besides. */
static const struct kind {
    const char    *key;
    enum expr_kind kind;
    const char    *with[5];
} kinds[] = {
    { "map", EXPR_MAP, { "from", "map", "else" } },
    { "match", EXPR_MATCH, { "from", "match", "give" } },
    { "split", EXPR_SPLIT, { "from", "split" } },
    { "text", EXPR_TEXT, { "text" } },
    { "first", EXPR_FIRST, { "first" } },
    { "all", EXPR_ALL, { "all" } },
    { "join", EXPR_JOIN, { "join", "with" } },
    { "bands", EXPR_BANDS, { "number", "bands", "else" } },
    { "time", EXPR_TIME, { "time", "as" } },
    { "plain", EXPR_PLAIN, { "plain" } },
    { "url", EXPR_URL, { "url", "give" } },
    { "base64", EXPR_BASE64, { "base64" } },
    { "lower", EXPR_LOWER, { "lower" } },
    { "when", EXPR_WHEN, { "when", "give", "else" } },
    { "lookup", EXPR_LOOKUP, { "lookup", "key", "give" } },
    { "each", EXPR_EACH, { "each", "give" } },
    { "fill", EXPR_FILL, { "fill", "with" } },
};

static int url_expr(struct compile *c, const struct ynode *n, struct expr *x)
{
    static const char *const parts[] = { "host", "port", "path", "scheme" };
    int rc = compile_expr(c, yaml_get(n, "url"), &x->from);

    if (rc == 0)
        rc = scalar_of(c, n, "give", &x->give);
    for (size_t i = 0; rc == 0 && i < COUNT(parts); i++)
        if (str_eq(x->give, str_c(parts[i])))
            return 0;
    return rc < 0 ? rc : yaml_err(c->y, yaml_get(n, "give"), c->e, "of a URL host, port, path and scheme can be given");
}

/* lookup_expr - "$table[key]/give" with a key that is reckoned. */
static int lookup_expr(struct compile *c, const struct ynode *n, struct expr *x)
{
    struct str table = yaml_text(n, "lookup"), give = yaml_get(n, "give") ? yaml_text(n, "give") : STR(".");
    struct path *p;
    uint32_t index = 0;
    int rc;

    while (index < c->f->table_count && !str_eq(c->f->tables[index].name, table))
        index++;
    if (c->in_table || index == c->f->table_count)
        return yaml_err(c->y, yaml_get(n, "lookup"), c->e, "tables: has no such name here");
    rc = compile_expr(c, yaml_get(n, "key"), &x->from);
    if (rc == 0)
        rc = compile_paths(c, arena_copy(&c->f->arena, give), yaml_get(n, "give") ? yaml_get(n, "give") : n, &x->path);
    for (p = x->path; rc == 0 && p; p = p->next) {
        if (p->from != FROM_HERE)
            return yaml_err(c->y, yaml_get(n, "give"), c->e, "\"give\" is a path into the entry");
        p->from = FROM_TABLE;
        p->index = index;
    }
    return rc;
}

static int each_expr(struct compile *c, const struct ynode *n, struct expr *x)
{
    const struct ynode *each = yaml_get(n, "each");
    int rc;

    if (each->kind != YNODE_SCALAR)
        return yaml_err(c->y, each, c->e, "\"each\" is a path");
    rc = compile_paths(c, arena_copy(&c->f->arena, each->text), each, &x->path);
    for (const struct path *p = x->path; rc == 0 && p; p = p->next)
        if (p->from != FROM_HERE || p->give != GIVE_TEXT)
            return yaml_err(c->y, each, c->e, "\"each\" is a path from the node at hand");
    if (rc == 0 && c->in_each)
        return yaml_err(c->y, each, c->e, "\"each\" inside of \"each\"");
    c->in_each = true;
    if (rc == 0)
        rc = compile_expr(c, yaml_get(n, "give"), &x->from);
    c->in_each = false;
    return rc;
}

static int fill_expr(struct compile *c, const struct ynode *n, struct expr *x)
{
    int rc = compile_expr(c, yaml_get(n, "fill"), &x->from);

    return rc < 0 ? rc : compile_expr(c, yaml_get(n, "with"), &x->otherwise);
}

static int otherwise(struct compile *c, const struct ynode *n, struct expr *x)
{
    const struct ynode *other = yaml_get(n, "else");

    if (!other)
        return 0;
    if (x->kind == EXPR_WHEN)
        return compile_expr(c, other, &x->otherwise);
    if (other->kind != YNODE_SCALAR)
        return yaml_err(c->y, other, c->e, "\"else\" must be a text here");
    x->otherwise = expr_new(c, EXPR_PATH);
    if (!x->otherwise || !(x->otherwise->path = arena_zero(&c->f->arena, sizeof *x->otherwise->path)))
        return no_memory(c);
    x->otherwise->path->from = FROM_LITERAL;
    x->otherwise->path->literal = arena_copy(&c->f->arena, other->text);
    return 0;
}

static int expr_body(struct compile *c, const struct ynode *n, const struct kind *k, struct expr *x)
{
    const struct ynode *main = yaml_get(n, k->key), *from = yaml_get(n, k->kind == EXPR_BANDS ? "number" : "from");
    int rc = 0;

    if (k->kind == EXPR_MAP || k->kind == EXPR_MATCH || k->kind == EXPR_SPLIT || k->kind == EXPR_BANDS) {
        if (!from)
            return yaml_err(c->y, n, c->e, "\"%s\" is missing beside \"%s\"", k->kind == EXPR_BANDS ? "number" : "from", k->key);
        rc = compile_expr(c, from, &x->from);
    } else if (k->kind == EXPR_TIME || k->kind == EXPR_PLAIN || k->kind == EXPR_BASE64 || k->kind == EXPR_LOWER) {
        rc = compile_expr(c, main, &x->from);
    } else if (k->kind == EXPR_FIRST || k->kind == EXPR_ALL || k->kind == EXPR_JOIN) {
        rc = list_of(c, main, x);
    }
    if (rc < 0)
        return rc;
    switch (k->kind) {
    case EXPR_MAP: rc = pairs_of(c, main, false, x); break;
    case EXPR_BANDS: rc = pairs_of(c, main, true, x); break;
    case EXPR_SPLIT: rc = scalar_of(c, n, "split", &x->with); break;
    case EXPR_TEXT: rc = main->kind == YNODE_SCALAR ? template(c, main, x) : yaml_err(c->y, main, c->e, "\"text\" must be a text"); break;
    case EXPR_URL: rc = url_expr(c, n, x); break;
    case EXPR_LOOKUP: rc = lookup_expr(c, n, x); break;
    case EXPR_EACH: rc = each_expr(c, n, x); break;
    case EXPR_FILL: rc = fill_expr(c, n, x); break;
    case EXPR_JOIN: rc = yaml_get(n, "with") ? scalar_of(c, n, "with", &x->with) : 0; break;
    case EXPR_TIME: rc = yaml_get(n, "as") ? scalar_of(c, n, "as", &x->give) : 0; break;
    case EXPR_MATCH:
        rc = main->kind == YNODE_SCALAR ? compile_re(c, main, main->text, &x->re) : yaml_err(c->y, main, c->e, "\"match\" must be a text");
        if (rc == 0 && yaml_get(n, "give"))
            rc = scalar_of(c, n, "give", &x->give);
        break;
    case EXPR_WHEN:
        rc = compile_conds(c, main, &x->when);
        if (rc == 0)
            rc = yaml_get(n, "give") ? compile_expr(c, yaml_get(n, "give"), &x->from) : yaml_err(c->y, n, c->e, "\"give\" is missing beside \"when\"");
        break;
    default: break;
    }
    return rc < 0 ? rc : otherwise(c, n, x);
}

static int expr_map(struct compile *c, const struct ynode *n, struct expr **out)
{
    const struct kind *k = NULL;
    const char *names[6] = { NULL };
    int rc;

    for (size_t i = 0; i < COUNT(kinds) && !k; i++)
        if (yaml_get(n, kinds[i].key))
            k = &kinds[i];
    if (!k)
        return yaml_err(c->y, n, c->e, "no expression has these keys; docs/scanners.md lists them");
    for (size_t i = 0; i < COUNT(k->with) && k->with[i]; i++)
        names[i] = k->with[i];
    rc = yaml_only(c->y, n, names, c->e);
    if (rc < 0)
        return rc;
    *out = expr_new(c, k->kind);
    return *out ? expr_body(c, n, k, *out) : no_memory(c);
}

int compile_expr(struct compile *c, const struct ynode *n, struct expr **out)
{
    int rc;

    *out = NULL;
    if (!n || n->kind == YNODE_SEQ)
        return yaml_err(c->y, n, c->e, "an expression is expected here: a path, or a map of docs/scanners.md");
    if (c->depth >= EXPR_DEPTH_MAX)
        return yaml_err(c->y, n, c->e, "expressions stand more than %d deep in each other", EXPR_DEPTH_MAX);
    c->depth++;
    if (n->kind == YNODE_MAP) {
        rc = expr_map(c, n, out);
    } else {
        *out = expr_new(c, EXPR_PATH);
        rc = *out ? compile_paths(c, arena_copy(&c->f->arena, n->text), n, &(*out)->path) : no_memory(c);
    }
    c->depth--;
    return rc;
}

static int words_of(struct compile *c, const struct ynode *n, struct cond *w)
{
    const struct ynode *i = n->kind == YNODE_SEQ ? n->first : n;
    size_t count = n->kind == YNODE_SEQ ? n->count : 1;

    w->words = arena_zero(&c->f->arena, (count + 1) * sizeof *w->words);
    if (!w->words)
        return no_memory(c);
    for (; w->count < count; i = i->next) {
        if (i->kind != YNODE_SCALAR)
            return yaml_err(c->y, i, c->e, "a text is expected here");
        w->words[w->count++] = arena_copy(&c->f->arena, i->text);
    }
    return 0;
}

static int number_of(struct compile *c, const struct ynode *n, double *out)
{
    struct str s = n->kind == YNODE_SCALAR ? arena_copy(&c->f->arena, n->text) : STR("");
    char *end = NULL;

    *out = s.n ? strtod(s.p, &end) : 0;
    return s.n && end && *end == '\0' ? 0 : yaml_err(c->y, n, c->e, "a number is expected here");
}

static int cond_one(struct compile *c, const struct ynode *n, struct cond *w)
{
    static const char *const names[] = { "value", "is", "not", "match", "present", "above", "below", NULL };
    const struct ynode *test = NULL;
    int rc = yaml_only(c->y, n, names, c->e);

    if (rc < 0)
        return rc;
    rc = compile_expr(c, yaml_get(n, "value"), &w->value);
    if (rc < 0)
        return rc;
    for (size_t i = 1; names[i]; i++)
        if (yaml_get(n, names[i])) {
            if (test)
                return yaml_err(c->y, n, c->e, "one test a condition; all of the list must hold");
            test = yaml_get(n, names[i]);
            w->kind = (enum cond_kind)(i - 1);
        }
    if (!test)
        return yaml_err(c->y, n, c->e, "a condition needs is, not, match, present, above or below");
    switch (w->kind) {
    case COND_IS:
    case COND_NOT: return words_of(c, test, w);
    case COND_MATCH: return test->kind == YNODE_SCALAR ? compile_re(c, test, test->text, &w->re) : yaml_err(c->y, test, c->e, "\"match\" must be a text");
    case COND_PRESENT: return yaml_bool(c->y, n, "present", &w->present, c->e);
    default: return number_of(c, test, &w->number);
    }
}

int compile_conds(struct compile *c, const struct ynode *n, struct cond **out)
{
    struct cond **tail = out;

    *out = NULL;
    if (!n)
        return 0;
    if (n->kind != YNODE_SEQ)
        return yaml_err(c->y, n, c->e, "\"when\" is a list of conditions");
    for (const struct ynode *i = n->first; i; i = i->next) {
        struct cond *w = arena_zero(&c->f->arena, sizeof *w);
        int rc = w ? cond_one(c, i, w) : no_memory(c);

        if (rc < 0)
            return rc;
        *tail = w;
        tail = &w->next;
    }
    return 0;
}

/* A description's own depth bounds these two (EXPR_DEPTH_MAX). */
void conds_each_path(const struct cond *w, const struct path *under, path_fn *fn, void *arg)
{
    for (; w; w = w->next)
        expr_each_path(w->value, under, fn, arg);
}

void expr_each_path(const struct expr *x, const struct path *under, path_fn *fn, void *arg)
{
    if (!x)
        return;
    for (const struct path *p = x->path; p; p = p->next)
        fn(arg, under, p);
    if (x->kind == EXPR_EACH)
        for (const struct path *p = x->path; p; p = p->next)
            expr_each_path(x->from, p, fn, arg);
    else
        expr_each_path(x->from, under, fn, arg);
    expr_each_path(x->otherwise, under, fn, arg);
    for (size_t i = 0; i < x->count; i++)
        expr_each_path(x->list[i], under, fn, arg);
    conds_each_path(x->when, under, fn, arg);
}
