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
    struct err    *e;
};

static int strength(enum token_kind k)
{
    return k == TOKEN_NOT ? 3 : k == TOKEN_AND ? 2 : k == TOKEN_OR ? 1 : 0;
}

static int emit(struct compiler *c, struct query_node n, size_t at)
{
    if (c->q->count == QUERY_NODES_MAX)
        return query_error(c->e, c->lex.text, at, "the search is too long here");
    c->q->node[c->q->count++] = n;
    return 0;
}

/* finish - the operators that bind at least as strong as least are complete. */
static int finish(struct compiler *c, int least)
{
    while (c->depth && strength(c->stack[c->depth - 1].kind) >= least) {
        struct waiting w = c->stack[--c->depth];
        enum query_op op = w.kind == TOKEN_AND ? OP_AND : w.kind == TOKEN_OR ? OP_OR : OP_NOT;
        int rc = emit(c, (struct query_node){ .op = op }, w.at);

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
        return query_error(c->e, c->lex.text, w.at, "the search is too long here");
    c->stack[c->depth++] = w;
    return 0;
}

/* infix - AND or OR behind a complete left side. */
static int infix(struct compiler *c, enum token_kind kind, size_t at)
{
    int rc = finish(c, strength(kind));

    if (rc < 0)
        return rc;
    rc = emit(c, (struct query_node){ .op = kind == TOKEN_AND ? OP_SKIP_FALSE : OP_SKIP_TRUE }, at);
    return rc < 0 ? rc : wait_for(c, (struct waiting){ kind, c->q->count - 1, at });
}

static int close_paren(struct compiler *c, size_t at)
{
    int rc = finish(c, 1);

    if (rc < 0)
        return rc;
    if (!c->depth)
        return query_error(c->e, c->lex.text, at, "this ')' has no '('");
    c->depth--;
    c->parens--;
    return 0;
}

/* operand - what stands where a left or right side is expected. *complete: a side is finished now. */
static int operand(struct compiler *c, const struct token *t, bool *complete)
{
    struct query_node n;
    int rc;

    switch (t->kind) {
    case TOKEN_NOT:
        return wait_for(c, (struct waiting){ TOKEN_NOT, 0, t->at });
    case TOKEN_OPEN:
        if (++c->parens > QUERY_DEPTH_MAX)
            return query_error(c->e, c->lex.text, t->at, "too many parentheses inside each other");
        return wait_for(c, (struct waiting){ TOKEN_OPEN, 0, t->at });
    case TOKEN_LEAF:
        rc = leaf_compile(c->q, &c->lex, t, &n, c->e);
        if (rc == 0)
            rc = emit(c, n, t->at);
        if (rc < 0)
            pcre2_code_free(n.regex);
        *complete = true;
        return rc;
    default:
        return query_error(c->e, c->lex.text, t->at, "a word, a field or '(' is expected");
    }
}

static int compile(struct compiler *c)
{
    bool complete = false;
    struct token t;
    int rc;

    for (;;) {
        rc = lex_next(&c->lex, &t, c->e);
        if (rc < 0)
            return rc;
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
    rc = finish(c, 1);
    if (rc == 0 && c->depth)
        return query_error(c->e, c->lex.text, c->stack[c->depth - 1].at, "this '(' has no ')'");
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
        struct leaf_list none = { -1, -1 }, *left;

        switch (q->node[i].op) {
        case OP_SKIP_FALSE:
        case OP_SKIP_TRUE:
            break;
        case OP_NOT:
            stack[depth - 1] = none;
            break;
        case OP_OR:
            depth--;
            stack[depth - 1] = none;
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

int query_parse(struct str text, struct query **out, struct err *e)
{
    struct query *q = calloc(1, sizeof *q);
    struct compiler *c = calloc(1, sizeof *c);
    int rc;

    *out = NULL;
    if (!q || !c) {
        rc = err_set(e, -ENOMEM, "no memory for the search");
    } else {
        arena_init(&q->arena, 16u * MIB);
        c->q = q;
        c->e = e;
        /* Copied: names of fields are views into it, and the query outlives the caller's text. */
        c->lex = (struct lexer){ .text = arena_copy(&q->arena, str_of(text.p, min_size(text.n, QUERY_TEXT_MAX))), .arena = &q->arena };
        if (arena_failed(&q->arena))
            rc = err_set(e, -ENOMEM, "no memory for the search");
        else if (text.n > QUERY_TEXT_MAX)
            rc = query_error(e, text, QUERY_TEXT_MAX, "the search is longer than 16384 bytes");
        else if (!str_utf8_valid(text))
            rc = query_error(e, text, 0, "the search is not UTF-8");
        else
            rc = compile(c);
        if (rc == 0)
            rc = find_needs(q, e);
    }
    free(c);
    if (rc < 0) {
        query_free(&q);
        return rc;
    }
    *out = q;
    return 0;
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
