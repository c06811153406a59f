/* leaf.c - one condition: what kind it is, told by its shape. */
#define PCRE2_CODE_UNIT_WIDTH 8
#include "query/internal.h"

#include <arpa/inet.h>
#include <math.h>
#include <pcre2.h>

bool parse_address(struct str s, unsigned char out[16])
{
    char text[INET6_ADDRSTRLEN];

    if (s.n == 0 || s.n >= sizeof text)
        return false;
    memcpy(text, s.p, s.n);
    text[s.n] = 0;
    if (inet_pton(AF_INET6, text, out) == 1)
        return true;
    memset(out, 0, 10);
    out[10] = out[11] = 0xff;
    return inet_pton(AF_INET, text, out + 12) == 1;
}

static bool parse_network(struct str s, unsigned char address[16], int *bits)
{
    ptrdiff_t slash = str_chr(s, '/');
    uint64_t n;

    if (slash < 0 || !str_u64(str_cut(s, (size_t)slash + 1), &n) || n > 128 || !parse_address(str_of(s.p, (size_t)slash), address))
        return false;
    bool four = str_chr(str_of(s.p, (size_t)slash), ':') < 0;
    if (four && n > 32)
        return false;
    *bits = (int)(four ? n + 96 : n);
    return true;
}

/* parse_number - a decimal number, the whole of s. */
static bool parse_number(struct str s, double *out)
{
    char text[64], *end;

    if (s.n == 0 || s.n >= sizeof text || !((s.p[0] >= '0' && s.p[0] <= '9') || s.p[0] == '-'))
        return false;
    memcpy(text, s.p, s.n);
    text[s.n] = 0;
    *out = strtod(text, &end);
    return *end == 0 && isfinite(*out);
}

static bool parse_range(struct str s, double *least, double *most)
{
    ptrdiff_t dots = str_find(s, STR(".."));

    if (dots > 0)
        return parse_number(str_of(s.p, (size_t)dots), least) && parse_number(str_cut(s, (size_t)dots + 2), most);
    if (s.n < 2 || (s.p[0] != '<' && s.p[0] != '>'))
        return false;
    bool equal = s.p[1] == '=', above = s.p[0] == '>';
    double v;
    if (!parse_number(str_cut(s, equal ? 2 : 1), &v))
        return false;
    *least = above ? (equal ? v : nextafter(v, INFINITY)) : -INFINITY;
    *most = above ? INFINITY : (equal ? v : nextafter(v, -INFINITY));
    return true;
}

static int compile_regex(struct query *q, const struct lexer *l, const struct token *t, struct query_node *out, struct err *e)
{
    char said[200];
    PCRE2_SIZE at;
    int code;
    pcre2_code *re;

    if (q->regex_count == QUERY_REGEX_MAX)
        return query_error(e, l->text, t->at, "a search may hold 8 regular expressions");
    q->regex_count++;
    re = pcre2_compile((PCRE2_SPTR)t->text.p, t->text.n, PCRE2_CASELESS | PCRE2_UTF | PCRE2_MATCH_INVALID_UTF | PCRE2_NEVER_BACKSLASH_C,
                                   &code, &at, NULL);

    if (!re) {
        PCRE2_UCHAR why[128];

        pcre2_get_error_message(code, why, sizeof why);
        snprintf(said, sizeof said, "a regular expression is expected: %s", (const char *)why);
        return query_error(e, l->text, t->at, said);
    }
    /* Without JIT (no memory, or a machine it does not know) the interpreter does the same, slower. */
    if (pcre2_jit_compile(re, PCRE2_JIT_COMPLETE) != 0)
        code = 0;
    out->regex = re;
    out->op = OP_REGEX;
    return 0;
}

static void compile_field(const struct token *t, struct query_node *out)
{
    bool star = str_chr(t->text, '*') >= 0 || str_chr(t->text, '?') >= 0;

    if (!t->quoted && str_eq(t->text, STR("*")))
        out->op = OP_PRESENT;
    else if (!t->quoted && parse_network(t->text, out->address, &out->bits))
        out->op = OP_NETWORK;
    else if (!t->quoted && parse_range(t->text, &out->least, &out->most))
        out->op = OP_RANGE;
    else
        out->op = star && !t->quoted ? OP_LIKE : OP_EQUAL;
}

int leaf_compile(struct query *q, const struct lexer *l, const struct token *t, struct query_node *out, struct err *e)
{
    *out = (struct query_node){ .name = t->name };
    if (t->regex)
        return compile_regex(q, l, t, out, e);
    if (t->text.n == 0 && !t->name.n)
        return query_error(e, l->text, t->at, "a word is expected between the quotes");
    out->text = fold_copy(&q->arena, t->text);
    if (!out->text.p)
        return err_set(e, -ENOMEM, "no memory for the search");
    if (t->name.n)
        compile_field(t, out);
    else if (t->quoted)
        out->op = OP_PHRASE;
    else if (str_eq(t->text, STR("*")))
        out->op = OP_ALL;
    else
        out->op = str_chr(t->text, '*') >= 0 ? OP_GLOB : OP_WORD;
    return 0;
}

/* inner - s without the words at its ends, which may be only parts of longer words. */
static struct str inner(struct str s, bool head, bool tail)
{
    while (head && s.n && word_byte(s.p[0]))
        s = str_cut(s, 1);
    while (tail && s.n && word_byte(s.p[s.n - 1]))
        s.n--;
    return s;
}

/* pattern_tokens - the words of the pieces between stars; where a star or '?' stands, the word beside it is open. */
static void pattern_tokens(struct str text, query_token_fn *say, void *arg)
{
    size_t from = 0;

    for (size_t i = 0; i <= text.n; i++) {
        if (i < text.n && text.p[i] != '*' && text.p[i] != '?')
            continue;
        query_tokens(inner(str_of(text.p + from, i - from), from > 0, i < text.n), say, arg);
        from = i + 1;
    }
}

void leaf_tokens(const struct query_node *n, query_token_fn *say, void *arg)
{
    /* Members of an event (saqshy.source and others) are not among the words of a store's index. */
    if (str_starts(n->name, STR("saqshy.")))
        return;
    switch (n->op) {
    case OP_WORD:
    case OP_EQUAL:
        query_tokens(n->text, say, arg);
        return;
    case OP_PHRASE:
        query_tokens(inner(n->text, true, true), say, arg);
        return;
    case OP_GLOB:
    case OP_LIKE:
        pattern_tokens(n->text, say, arg);
        return;
    default:
        return;
    }
}
