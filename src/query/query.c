/* query.c - from tokens to a program: operators wait on a stack until their right side is complete. */
#define PCRE2_CODE_UNIT_WIDTH 8
#include "query/internal.h"

#include <pcre2.h>

struct waiting {
    enum token_kind kind;
    size_t          skip;  /* the SKIP to be told where its operator ends */
    size_t          at;
};

struct compiler {
    struct query  *q;
    struct lexer   lex;
    struct waiting stack[QUERY_NODES_MAX];
    size_t         depth, parens;
};

static const struct str none = { NULL, 0 };

static int strength(enum token_kind k)
{
    return k == TOKEN_NOT ? 3 : k == TOKEN_AND ? 2 : k == TOKEN_OR ? 1 : 0;
}

static int emit(struct compiler *c, struct query_leaf n, size_t at)
{
    if (c->q->count == QUERY_NODES_MAX)
        return tell(&c->lex.tell, at, FAULT_too_many_parts, none, none);
    c->q->node[c->q->count++] = n;
    return 0;
}

/* finish - the operators that bind at least as strong as least are complete. */
static int finish(struct compiler *c, int least)
{
    while (c->depth && strength(c->stack[c->depth - 1].kind) >= least) {
        struct waiting w = c->stack[--c->depth];
        enum query_op op = w.kind == TOKEN_AND ? OP_AND : w.kind == TOKEN_OR ? OP_OR : OP_NOT;
        int rc = emit(c, (struct query_leaf){ .op = op }, w.at);

        if (rc < 0)
            return rc;
        if (op != OP_NOT)
            c->q->node[w.skip].target = (uint32_t)c->q->count;
    }
    return 0;
}

static int wait_for(struct compiler *c, struct waiting w)
{
    if (c->depth == COUNT(c->stack))
        return tell(&c->lex.tell, w.at, FAULT_too_many_parts, none, none);
    c->stack[c->depth++] = w;
    return 0;
}

/* infix - AND or OR behind a complete left side. */
static int infix(struct compiler *c, enum token_kind kind, size_t at)
{
    int rc = finish(c, strength(kind));

    if (rc < 0)
        return rc;
    rc = emit(c, (struct query_leaf){ .op = kind == TOKEN_AND ? OP_SKIP_FALSE : OP_SKIP_TRUE }, at);
    return rc < 0 ? rc : wait_for(c, (struct waiting){ kind, c->q->count - 1, at });
}

static int close_paren(struct compiler *c, size_t at)
{
    int rc = finish(c, 1);

    if (rc < 0)
        return rc;
    if (!c->depth)
        return tell(&c->lex.tell, at, FAULT_extra_close, none, none);
    c->depth--;
    c->parens--;
    return 0;
}

/* one - a condition as one node, with NOT behind it where that is meant. */
static int one(struct compiler *c, const struct token *t)
{
    struct query_leaf n;
    bool missing;
    int rc = leaf_compile(c->q, &c->lex, t, &n, &missing);

    if (rc == 0)
        rc = emit(c, n, t->at);
    if (rc < 0) {
        pcre2_code_free(n.regex);
        return rc;
    }
    return missing ? emit(c, (struct query_leaf){ .op = OP_NOT }, t->at) : 0;
}

/* either - OR of what was emitted from a SKIP on; skip is that. */
static int either(struct compiler *c, size_t skip, size_t at)
{
    int rc = emit(c, (struct query_leaf){ .op = OP_OR }, at);

    if (rc == 0)
        c->q->node[skip].target = (uint32_t)c->q->count;
    return rc;
}

/* plain - a value that is compared as it is: it goes into the table. */
static bool plain(struct compiler *c, const struct token *t, int *rc)
{
    struct query_leaf n;
    bool missing;

    if (t->regex || t->twins)
        return false;
    /* Asked as a condition of its own first: what it is, is said in one place. */
    *rc = leaf_compile(c->q, &c->lex, t, &n, &missing);
    return *rc == 0 && n.op == OP_EQUAL;
}

/* set - "(a OR b OR c*)" behind a name: one table of all plain values, OR'ed with a condition for each other one. */
static int set(struct compiler *c, struct token *t)
{
    struct query_set *values = arena_zero(&c->q->arena, sizeof *values);
    size_t members = 0, at = t->at, place;
    int rc = values ? 0 : tell_memory(&c->lex.tell);

    /* The table's node stands first, whether or not there will be plain values. */
    place = c->q->count;
    if (rc == 0)
        rc = emit(c, (struct query_leaf){ .op = OP_SET, .name = t->name, .at = at, .set = values }, at);
    while (rc == 0 && (rc = lex_member(&c->lex, t, members == 0)) == 0 && t->kind == TOKEN_LEAF) {
        if (members++ == QUERY_SET_MAX)
            return tell(&c->lex.tell, t->value_at, FAULT_set_long, none, none);
        if (plain(c, t, &rc)) {
            rc = set_add(&c->q->arena, values, t->text, false) < 0 ? tell_memory(&c->lex.tell) : 0;
        } else if (rc == 0) {
            rc = emit(c, (struct query_leaf){ .op = OP_SKIP_TRUE }, t->value_at);
            size_t skip = c->q->count - 1;
            if (rc == 0)
                rc = one(c, t);
            if (rc == 0)
                rc = either(c, skip, t->value_at);
        }
    }
    if (rc == 0 && values->count == 1) {
        c->q->node[place].op = OP_EQUAL;
        c->q->node[place].text = values->value[0];
    }
    return rc == 0 && set_end(&c->q->arena, values) < 0 ? tell_memory(&c->lex.tell) : rc;
}

/* operand - what stands where a left or right side is expected. *complete: a side is finished now. */
static int operand(struct compiler *c, struct token *t, bool *complete)
{
    switch (t->kind) {
    case TOKEN_NOT:
        return wait_for(c, (struct waiting){ TOKEN_NOT, 0, t->at });
    case TOKEN_OPEN:
        if (++c->parens > QUERY_DEPTH_MAX)
            return tell(&c->lex.tell, t->at, FAULT_too_deep, none, none);
        return wait_for(c, (struct waiting){ TOKEN_OPEN, 0, t->at });
    case TOKEN_LEAF:
        *complete = true;
        return one(c, t);
    case TOKEN_SET:
        if (c->parens + 1 > QUERY_DEPTH_MAX)
            return tell(&c->lex.tell, t->at, FAULT_too_deep, none, none);
        *complete = true;
        return set(c, t);
    default:
        return tell(&c->lex.tell, t->at, FAULT_no_operand, none, none);
    }
}

/* compile - the whole filter; *end: where it ends, at the text's end or behind a '|'. */
static int compile(struct compiler *c, bool pipes, size_t *end)
{
    bool complete = false, piped;
    struct token t;
    int rc;

    for (;;) {
        rc = lex_next(&c->lex, &t);
        if (rc < 0)
            return rc;
        if (t.kind == TOKEN_PIPE && !pipes)
            return tell(&c->lex.tell, t.at, FAULT_pipe, none, none);
        piped = t.kind == TOKEN_PIPE;
        if (piped)
            t.kind = TOKEN_END;
        if (t.kind == TOKEN_END && (complete || c->q->count == 0) && !(c->depth && !complete))
            break;
        if (!complete)
            rc = operand(c, &t, &complete);
        else if (t.kind == TOKEN_CLOSE)
            rc = close_paren(c, t.at);
        else if (t.kind == TOKEN_AND || t.kind == TOKEN_OR) {
            rc = infix(c, t.kind, t.at);
            complete = false;
        } else {
            /* Two sides beside each other: AND is meant. */
            rc = infix(c, TOKEN_AND, t.at);
            complete = false;
            if (rc == 0)
                rc = operand(c, &t, &complete);
        }
        if (rc < 0)
            return rc;
    }
    *end = piped ? c->lex.at : SIZE_MAX;
    rc = finish(c, 1);
    if (rc == 0 && c->depth)
        return tell(&c->lex.tell, c->stack[c->depth - 1].at, FAULT_open_paren, none, none);
    return rc;
}

/* A set of leaves whose words all must be there, as a list through next. */
struct leaf_list {
    int head, tail;
};

static void keep_token(void *arg, uint64_t hash)
{
    struct query *q = arg;

    for (size_t i = 0; i < q->need_count; i++)
        if (q->needs[i] == hash)
            return;
    if (q->need_count < QUERY_NODES_MAX)
        q->needs[q->need_count++] = hash;
}

/* find_needs - run the program with sets instead of truth: AND joins them, OR and NOT make them empty. */
static int find_needs(struct query *q, struct err *e)
{
    struct leaf_list stack[QUERY_NODES_MAX];
    int next[QUERY_NODES_MAX];
    size_t depth = 0;

    q->needs = arena_array(&q->arena, QUERY_NODES_MAX, sizeof *q->needs);
    if (!q->needs)
        return err_set(e, -ENOMEM, "no memory for the search");
    for (size_t i = 0; i < q->count; i++) {
        struct leaf_list free_of = { -1, -1 }, *left;

        switch (q->node[i].op) {
        case OP_SKIP_FALSE:
        case OP_SKIP_TRUE:
            break;
        case OP_NOT:
            stack[depth - 1] = free_of;
            break;
        case OP_OR:
            depth--;
            stack[depth - 1] = free_of;
            break;
        case OP_AND:
            depth--;
            left = &stack[depth - 1];
            if (left->head < 0)
                *left = stack[depth];
            else if (stack[depth].head >= 0) {
                next[left->tail] = stack[depth].head;
                left->tail = stack[depth].tail;
            }
            break;
        default:
            next[i] = -1;
            stack[depth++] = (struct leaf_list){ (int)i, (int)i };
        }
    }
    for (int i = depth ? stack[0].head : -1; i >= 0; i = next[i])
        leaf_tokens(&q->node[i], keep_token, q);
    return 0;
}

/* begin - the text where it outlives the caller's: names of fields are views into it. */
static int begin(struct compiler *c, struct str text, const struct query_options *o, struct err *e)
{
    struct arena *a = &c->q->arena;

    c->lex = (struct lexer){ .tell = { text, e, o->fault }, .arena = a, .now = o->now, .at = min_size(o->start, text.n) };
    if (text.n > QUERY_TEXT_MAX)
        return tell(&c->lex.tell, QUERY_TEXT_MAX, FAULT_too_long, none, none);
    if (!str_utf8_valid(text))
        return tell(&c->lex.tell, 0, FAULT_not_utf8, none, none);
    c->lex.tell.text = arena_copy(a, text);
    return arena_failed(a) ? tell_memory(&c->lex.tell) : 0;
}

int query_parse_with(struct str text, const struct query_options *o, struct query **out, struct err *e)
{
    struct query *q = calloc(1, sizeof *q);
    struct compiler *c = calloc(1, sizeof *c);
    size_t end = 0;
    int rc;

    *out = NULL;
    if (!q || !c) {
        rc = err_set(e, -ENOMEM, "no memory for the search");
    } else {
        arena_init(&q->arena, 16u * MIB);
        c->q = q;
        rc = begin(c, text, o, e);
        if (rc == 0)
            rc = compile(c, o->pipes != NULL, &end);
        if (rc == 0)
            rc = find_needs(q, e);
    }
    free(c);
    if (rc < 0) {
        query_free(&q);
        return rc;
    }
    for (size_t i = 0; i < q->count; i++)
        if (q->node[i].op != OP_SKIP_FALSE && q->node[i].op != OP_SKIP_TRUE)
            q->step[q->steps++] = (uint16_t)i;
    if (o->pipes)
        *o->pipes = end;
    *out = q;
    return 0;
}

int query_parse(struct str text, struct query **out, struct err *e)
{
    return query_parse_with(text, &(struct query_options){ .now = QUERY_NO_NOW }, out, e);
}

void query_free(struct query **q)
{
    if (!*q)
        return;
    for (size_t i = 0; i < (*q)->count; i++)
        pcre2_code_free((*q)->node[i].regex);
    arena_free(&(*q)->arena);
    free(*q);
    *q = NULL;
}

const uint64_t *query_needs(const struct query *q, size_t *count)
{
    *count = q->need_count;
    return q->needs;
}
