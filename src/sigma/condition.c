/* condition.c - "selection and not 1 of filter_*" becomes nodes.
 *
 *     condition = or ; or = and { "or" and } ; and = not { "and" not } ; not = { "not" } operand
 *     operand   = "(" or ")" | NAME | ("1" | "any" | "all") "of" ("them" | PATTERN)
 * Two stacks (Dijkstra's shunting yard) instead of recursion; both are bounded. */
#include "sigma/internal.h"

#define STACK_MAX 1024

enum op { OP_OPEN, OP_OR, OP_AND, OP_NOT };   /* in the order of their strength */

struct yard {
    struct draft *d;
    const struct ynode *text_node;
    struct str  text;
    size_t      at, token_at;
    enum op     ops[STACK_MAX];
    uint32_t    nodes[STACK_MAX];
    uint32_t    op_count, node_count;
    bool        told;    /* of a word in capitals */
};

/* broken - with the column of the token, as far as one line goes. */
static int broken(struct yard *y, const char *what, struct str token)
{
    struct ynode at = *y->text_node;

    if (str_chr(y->text, '\n') < 0)
        at.column += (int)y->token_at;   /* a quoted text is placed behind its quote */
    return draft_broken(y->d, &at, "condition: %s%s%.*s%s", what, token.n ? " \"" : "", STR_ARG(token), token.n ? "\"" : "");
}

static bool blank(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }

/* next_token - a parenthesis, a bar or a word; empty at the end. */
static struct str next_token(struct yard *y)
{
    size_t start;

    while (y->at < y->text.n && blank(y->text.p[y->at]))
        y->at++;
    start = y->token_at = y->at;
    if (y->at == y->text.n)
        return (struct str){ NULL, 0 };
    if (strchr("()|", y->text.p[y->at]) && y->text.p[y->at])
        y->at++;
    else
        while (y->at < y->text.n && !blank(y->text.p[y->at]) && !strchr("()|", y->text.p[y->at]))
            y->at++;
    if (y->at == start)
        y->at++;   /* a NUL byte: strchr finds the end of its list */
    return str_of(y->text.p + start, y->at - start);
}

/* word_is - a word of the language, in any case; one that is not written small is told once. */
static bool word_is(struct yard *y, struct str token, const char *word)
{
    if (!str_ieq(token, str_c(word)))
        return false;
    if (!y->told && !str_eq(token, str_c(word)))
        draft_remark(y->d, y->text_node, "\"%.*s\" in a condition is written small: %s", STR_ARG(token), word);
    y->told = y->told || !str_eq(token, str_c(word));
    return true;
}

static int push_node(struct yard *y, int64_t n)
{
    if (n < 0)
        return (int)n;
    if (y->node_count == STACK_MAX)
        return draft_broken(y->d, y->text_node, "condition: nested too deep");
    y->nodes[y->node_count++] = (uint32_t)n;
    return 0;
}

static int push_op(struct yard *y, enum op op)
{
    if (y->op_count == STACK_MAX)
        return draft_broken(y->d, y->text_node, "condition: nested too deep");
    y->ops[y->op_count++] = op;
    return 0;
}

static int reduce(struct yard *y)
{
    enum op op = y->ops[--y->op_count];
    uint32_t want = op == OP_NOT ? 1 : 2;

    assert(y->node_count >= want);   /* operands and operators alternate: condition_one sees to it */
    y->node_count -= want;
    return push_node(y, draft_node(y->d, op == OP_NOT ? NODE_NOT : op == OP_AND ? NODE_AND : NODE_OR,
                                   y->nodes + y->node_count, want, y->text_node));
}

static int reduce_down_to(struct yard *y, enum op least)
{
    while (y->op_count && y->ops[y->op_count - 1] >= least && y->ops[y->op_count - 1] != OP_OPEN) {
        int rc = reduce(y);

        if (rc < 0)
            return rc;
    }
    return 0;
}

/* name_matches - a selection's name against a pattern with stars. */
static bool name_matches(struct str name, struct str pattern)
{
    size_t n = 0, p = 0, star_n = 0, star_p = SIZE_MAX;

    while (n < name.n) {
        if (p < pattern.n && pattern.p[p] == '*') {
            star_p = ++p;
            star_n = n;
        } else if (p < pattern.n && pattern.p[p] == name.p[n]) {
            p++;
            n++;
        } else if (star_p != SIZE_MAX) {
            p = star_p;
            n = ++star_n;
        } else {
            return false;
        }
    }
    while (p < pattern.n && pattern.p[p] == '*')
        p++;
    return p == pattern.n;
}

static int push_quantity(struct yard *y, bool all, struct str which)
{
    AUTO_FREE uint32_t *kids = calloc(y->d->name_count ? y->d->name_count : 1, sizeof *kids);
    bool them = word_is(y, which, "them");
    uint32_t count = 0;

    if (!kids)
        return err_set(y->d->e, -ENOMEM, "no memory for a rule");
    for (uint32_t i = 0; i < y->d->name_count; i++) {
        struct str name = y->d->names[i].name;

        if (them ? !str_starts(name, STR("_")) : name_matches(name, which))
            kids[count++] = y->d->names[i].node;
    }
    if (count == 0)
        return broken(y, "no selection is named like", which);
    return push_node(y, count == 1 ? (int64_t)kids[0]
                                   : draft_node(y->d, all ? NODE_AND : NODE_OR, kids, count, y->text_node));
}

/* push_operand - a name, or a quantity: "1 of filter_*". */
static int push_operand(struct yard *y, struct str token)
{
    size_t back = y->at, back_token = y->token_at;
    struct str of = next_token(y), which;

    if (word_is(y, of, "of")) {
        bool all = word_is(y, token, "all");

        if (!all && !str_eq(token, STR("1")) && !word_is(y, token, "any"))
            return broken(y, "only \"1 of\", \"any of\" and \"all of\" are known, not", token);
        which = next_token(y);
        if (which.n == 0 || str_chr(STR("()|"), which.p[0]) >= 0)
            return broken(y, "\"them\" or a name with * is expected behind \"of\"", which);
        return push_quantity(y, all, which);
    }
    y->at = back;
    y->token_at = back_token;
    for (uint32_t i = 0; i < y->d->name_count; i++)
        if (str_eq(y->d->names[i].name, token))
            return push_node(y, y->d->names[i].node);
    return broken(y, "there is no selection", token);
}

static int close_parenthesis(struct yard *y)
{
    int rc = reduce_down_to(y, OP_OR);

    if (rc < 0)
        return rc;
    if (y->op_count == 0)
        return broken(y, "a parenthesis is closed that was not opened", (struct str){ NULL, 0 });
    y->op_count--;
    return 0;
}

static int operator_token(struct yard *y, struct str token, bool *operand_next)
{
    enum op op = word_is(y, token, "and") ? OP_AND : word_is(y, token, "or") ? OP_OR : OP_OPEN;
    int rc;

    if (str_eq(token, STR(")")))
        return close_parenthesis(y);
    if (str_eq(token, STR("|")))
        return draft_unsupported(y->d, y->text_node, "aggregation in a condition is obsolete, write a correlation rule");
    if (op == OP_OPEN)
        return broken(y, "\"and\", \"or\" or \")\" is expected, not", token);
    rc = reduce_down_to(y, op);
    if (rc < 0)
        return rc;
    *operand_next = true;
    return push_op(y, op);
}

static int condition_one(struct yard *y, uint32_t *root)
{
    bool operand_next = true;
    struct str token;
    int rc = 0;

    while (rc == 0 && (token = next_token(y)).n) {
        if (!operand_next) {
            rc = operator_token(y, token, &operand_next);
        } else if (word_is(y, token, "not")) {
            rc = push_op(y, OP_NOT);
        } else if (str_eq(token, STR("("))) {
            rc = push_op(y, OP_OPEN);
        } else if (str_eq(token, STR(")")) || str_eq(token, STR("|")) || str_ieq(token, STR("and")) || str_ieq(token, STR("or"))) {
            rc = broken(y, "the name of a selection is expected, not", token);
        } else {
            rc = push_operand(y, token);
            operand_next = false;
        }
    }
    if (rc == 0 && operand_next)
        rc = broken(y, "the name of a selection is expected at the end", (struct str){ NULL, 0 });
    if (rc == 0)
        rc = reduce_down_to(y, OP_OR);
    if (rc == 0 && y->op_count)
        rc = broken(y, "a parenthesis is not closed", (struct str){ NULL, 0 });
    if (rc == 0)
        *root = y->nodes[0];
    return rc;
}

static int condition_text(struct draft *d, const struct ynode *n, uint32_t *root)
{
    AUTO_FREE struct yard *y = calloc(1, sizeof *y);

    if (!y)
        return err_set(d->e, -ENOMEM, "no memory for a rule");
    if (n->kind != YNODE_SCALAR || n->text.n == 0)
        return draft_broken(d, n, "a condition is a text like \"selection and not filter\"");
    if (n->text.n > SIGMA_CONDITION_MAX)
        return draft_broken(d, n, "a condition is longer than %d bytes", SIGMA_CONDITION_MAX);
    *y = (struct yard){ .d = d, .text_node = n, .text = n->text };
    return condition_one(y, root);
}

int condition_compile(struct draft *d, const struct ynode *condition, uint32_t *root)
{
    int64_t n;

    if (condition->kind != YNODE_SEQ)
        return condition_text(d, condition, root);
    if (condition->count == 0)
        return draft_broken(d, condition, "an empty list of conditions");
    for (const struct ynode *c = condition->first; c; c = c->next) {
        uint32_t one;
        int rc = condition_text(d, c, &one);

        if (rc < 0)
            return rc;
        if (!u32list_add(&d->conditions, one))
            return err_set(d->e, -ENOMEM, "no memory for a rule");
    }
    n = draft_node(d, NODE_OR, d->conditions.p, d->conditions.n, condition);
    *root = n < 0 ? 0 : (uint32_t)n;
    return n < 0 ? (int)n : 0;
}
