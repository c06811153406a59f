/* compile_path.c - the text of a path, "a/b[@x='v']/c | 'none'", as steps. Written by whoever writes a description, so every mistake
 * has its place; nesting is bounded all the same. */
#include "scan/internal.h"

#define PATH_NEST_MAX 6

struct text {
    struct compile     *c;
    const struct ynode *at;
    struct str          s;
    size_t              pos;
    int                 nest;
};

static int alternatives(struct text *t, char until, struct path **out);

static int wrong(struct text *t, const char *what)
{
    return yaml_err(t->c->y, t->at, t->c->e, "path \"%.*s\", letter %zu: %s", STR_ARG(t->s), t->pos + 1, what);
}

static char peek(const struct text *t) { return t->pos < t->s.n ? t->s.p[t->pos] : '\0'; }

static void blanks(struct text *t)
{
    while (peek(t) == ' ' || peek(t) == '\t' || peek(t) == '\n')
        t->pos++;
}

static bool take(struct text *t, char c)
{
    if (t->pos >= t->s.n || t->s.p[t->pos] != c)
        return false;
    t->pos++;
    return true;
}

/* quoted - a text between two of mark; a doubled one stands for itself. */
static int quoted(struct text *t, char mark, struct str *out)
{
    char *p = arena_alloc(&t->c->f->arena, t->s.n + 1);
    size_t n = 0;

    if (!p)
        return err_set(t->c->e, -ENOMEM, "no memory for a description");
    for (t->pos++;; t->pos++) {
        if (t->pos >= t->s.n)
            return wrong(t, "a quoted text does not end");
        if (t->s.p[t->pos] == mark) {
            if (t->pos + 1 >= t->s.n || t->s.p[t->pos + 1] != mark)
                break;
            t->pos++;
        }
        p[n++] = t->s.p[t->pos];
    }
    t->pos++;
    *out = str_of(p, n);
    return 0;
}

static bool name_letter(char c)
{
    return c != '\0' && !strchr("/|[]='\"`()!{} \t\n", c);
}

/* name - a bare or a backquoted one, an "@" before it kept. */
static int name(struct text *t, struct str *out)
{
    size_t start = t->pos;
    bool attribute = peek(t) == '@';
    struct str q;

    if (attribute && t->pos + 1 < t->s.n && t->s.p[t->pos + 1] == '`')
        t->pos++;
    if (peek(t) == '`') {
        int rc = quoted(t, '`', &q);

        if (rc == 0)
            *out = attribute ? arena_printf(&t->c->f->arena, "@%.*s", STR_ARG(q)) : q;
        return rc;
    }
    while (name_letter(peek(t)))
        t->pos++;
    *out = str_of(t->s.p + start, t->pos - start);
    return out->n ? 0 : wrong(t, "a name is expected here");
}

static int filter_words(struct text *t, struct filter *f)
{
    int rc;

    blanks(t);
    if (peek(t) >= '0' && peek(t) <= '9') {
        for (f->kind = FILTER_NTH; peek(t) >= '0' && peek(t) <= '9' && f->nth < 100000; t->pos++)
            f->nth = f->nth * 10 + (uint32_t)(peek(t) - '0');
        return f->nth ? 0 : wrong(t, "places count from 1");
    }
    if (str_starts(str_cut(t->s, t->pos), STR("last()"))) {
        t->pos += 6;
        f->kind = FILTER_LAST;
        return 0;
    }
    f->kind = take(t, '!') ? FILTER_LACKS : FILTER_HAS;
    rc = alternatives(t, ']', &f->path);
    if (rc < 0)
        return rc;
    for (const struct path *p = f->path; p; p = p->next)
        if (p->from != FROM_HERE)
            return wrong(t, "a filter looks at what stands below or, by \"..\", above its step");
    blanks(t);
    if (f->kind == FILTER_HAS && (peek(t) == '=' || peek(t) == '!')) {
        f->kind = take(t, '!') ? FILTER_NOT : FILTER_IS;
        if (!take(t, '='))
            return wrong(t, "\"=\" or \"!=\" is expected here");
        blanks(t);
        if (peek(t) != '\'' && peek(t) != '"')
            return wrong(t, "a quoted text is expected here");
        rc = quoted(t, peek(t), &f->value);
    }
    return rc;
}

static int filters(struct text *t, struct step *s)
{
    struct filter **tail = &s->filters;

    while (take(t, '[')) {
        struct filter *f = arena_zero(&t->c->f->arena, sizeof *f);
        int rc;

        if (!f)
            return err_set(t->c->e, -ENOMEM, "no memory for a description");
        if (++t->nest > PATH_NEST_MAX)
            return wrong(t, "filters inside of filters inside of filters");
        rc = filter_words(t, f);
        t->nest--;
        if (rc < 0)
            return rc;
        blanks(t);
        if (!take(t, ']'))
            return wrong(t, "\"]\" is expected here");
        *tail = f;
        tail = &f->next;
    }
    return 0;
}

/* step - one step into p; a function ends the path and is told by 1. */
static int step(struct text *t, struct path *p)
{
    static const struct { const char *word; enum path_give give; } functions[] = {
        { "name", GIVE_NAME }, { "text", GIVE_ALL_TEXT }, { "index", GIVE_INDEX },
    };
    struct step *s = &p->steps[p->count];
    struct str word;
    bool bare = peek(t) != '`';
    int rc = name(t, &word);

    if (rc < 0)
        return rc;
    if (bare && peek(t) == '(') {
        for (size_t i = 0; i < COUNT(functions); i++)
            if (str_eq(word, str_c(functions[i].word)) && str_starts(str_cut(t->s, t->pos), STR("()"))) {
                p->give = functions[i].give;
                t->pos += 2;
                return 1;
            }
        return wrong(t, "no such function; there are name(), text() and index()");
    }
    if (bare && str_eq(word, STR(".")))
        return 0;
    if (p->count == STEPS_MAX)
        return wrong(t, "too many steps");
    *s = (struct step){ .kind = STEP_NAME };
    if (bare && str_eq(word, STR("..")))
        s->kind = STEP_UP;
    else if (bare && str_eq(word, STR("*")))
        s->kind = STEP_ANY;
    else if (bare && str_eq(word, STR("**")))
        s->kind = STEP_DEEP;
    else if (!(s->name = names_add(&t->c->f->names, &t->c->f->arena, word)))
        return wrong(t, "the description has too many names");
    p->count++;
    return filters(t, s);
}

static int steps(struct text *t, struct path *p)
{
    int rc = 0;

    p->steps = arena_zero(&t->c->f->arena, (STEPS_MAX + 1) * sizeof *p->steps);
    if (!p->steps)
        return err_set(t->c->e, -ENOMEM, "no memory for a description");
    do {
        rc = step(t, p);
    } while (rc == 0 && take(t, '/'));
    return rc < 0 ? rc : 0;
}

/* dollar - "$table[key]/steps" or "$scalar". */
static int dollar(struct text *t, struct path *p)
{
    const struct format *f = t->c->f;
    struct str word;
    int rc;

    t->pos++;
    rc = name(t, &word);
    if (rc < 0)
        return rc;
    if (t->c->in_table)
        return wrong(t, "tables and context are read before \"$\" means anything");
    if (peek(t) != '[') {
        for (p->index = 0; p->index < f->scalar_count && !str_eq(f->scalars[p->index].name, word); p->index++)
            ;
        p->from = FROM_SCALAR;
        return p->index < f->scalar_count ? 0 : wrong(t, "context: has no such name");
    }
    for (p->index = 0; p->index < f->table_count && !str_eq(f->tables[p->index].name, word); p->index++)
        ;
    if (p->index == f->table_count)
        return wrong(t, "tables: has no such name");
    p->from = FROM_TABLE;
    t->pos++;
    if (++t->nest > PATH_NEST_MAX)
        return wrong(t, "lookups inside of lookups");
    rc = alternatives(t, ']', &p->key);
    t->nest--;
    if (rc < 0)
        return rc;
    if (!take(t, ']'))
        return wrong(t, "\"]\" is expected here");
    return take(t, '/') ? steps(t, p) : 0;
}

static int alternative(struct text *t, struct path *p)
{
    if (peek(t) == '\'' || peek(t) == '"') {
        p->from = FROM_LITERAL;
        return quoted(t, peek(t), &p->literal);
    }
    if (peek(t) == '$')
        return dollar(t, p);
    if (take(t, '/')) {
        p->from = FROM_ROOT;
        if (!name_letter(peek(t)) && peek(t) != '`')
            return 0;
    }
    return steps(t, p);
}

static int alternatives(struct text *t, char until, struct path **out)
{
    struct path **tail = out;

    *out = NULL;
    do {
        struct path *p = arena_zero(&t->c->f->arena, sizeof *p);
        int rc;

        if (!p)
            return err_set(t->c->e, -ENOMEM, "no memory for a description");
        blanks(t);
        rc = alternative(t, p);
        if (rc < 0)
            return rc;
        blanks(t);
        *tail = p;
        tail = &p->next;
    } while (take(t, '|'));
    if (until == '\0' && t->pos < t->s.n)
        return wrong(t, "the path should end here");
    return 0;
}

int compile_paths(struct compile *c, struct str text, const struct ynode *at, struct path **out)
{
    struct text t = { .c = c, .at = at, .s = text };

    return alternatives(&t, '\0', out);
}

static int base_one(struct compile *c, const struct ynode *n, struct base *out)
{
    struct path *p;
    int rc;

    if (n->kind != YNODE_SCALAR)
        return yaml_err(c->y, n, c->e, "a path is expected here");
    rc = compile_paths(c, n->text, n, &p);
    if (rc < 0)
        return rc;
    if (p->next || (p->from != FROM_HERE && p->from != FROM_ROOT) || p->give != GIVE_TEXT)
        return yaml_err(c->y, n, c->e, "\"at\" takes plain paths from the root, several as a list");
    for (size_t i = 0; i < p->count; i++)
        if (p->steps[i].filters || p->steps[i].kind == STEP_UP)
            return yaml_err(c->y, n, c->e, "\"at\" takes no filter and no \"..\": say it in \"when\"");
    *out = (struct base){ p->steps, p->count };
    return 0;
}

int compile_base(struct compile *c, const struct ynode *n, struct base **out, size_t *count)
{
    const struct ynode *first = n && n->kind == YNODE_SEQ ? n->first : n;
    int rc = 0;

    *count = n && n->kind == YNODE_SEQ ? n->count : 1;
    if (!first || n->kind == YNODE_MAP)
        return yaml_err(c->y, n, c->e, "\"at\" must name where it stands");
    *out = arena_zero(&c->f->arena, *count * sizeof **out);
    if (!*out)
        return err_set(c->e, -ENOMEM, "no memory for a description");
    for (size_t i = 0; i < *count && rc == 0; i++, first = first->next)
        rc = base_one(c, first, &(*out)[i]);
    return rc;
}
