/* internal.h - the compiled form of a query, and what its files share.
 *
 * A query is a program in postfix order. A leaf pushes whether it matches; AND, OR and NOT work on the stack. Behind the left side of AND
 * and OR stands a SKIP: if that side decides already, the right side is jumped over. */
#ifndef SAQSHY_QUERY_INTERNAL_H
#define SAQSHY_QUERY_INTERNAL_H

#include "query/query.h"

#define QUERY_TOKEN_MAX 128

enum query_op {
    OP_ALL,       /* always true */
    OP_WORD,      /* text anywhere, whole words at both ends */
    OP_PHRASE,    /* text anywhere */
    OP_GLOB,      /* a word with '*': whole words where no '*' stands */
    OP_EQUAL,     /* field has this value */
    OP_LIKE,      /* field matches the pattern with '*' and '?' */
    OP_PRESENT,   /* field has a value */
    OP_NETWORK,   /* field is an address in the network */
    OP_RANGE,     /* field is a number between least and most */
    OP_REGEX,     /* field matches the pattern */
    OP_SKIP_FALSE, OP_SKIP_TRUE, OP_AND, OP_OR, OP_NOT,
};

struct query_node {
    enum query_op op;
    uint32_t      target;     /* of a SKIP: the instruction behind the operator */
    struct str    name;       /* of a field */
    struct str    text;       /* folded */
    double        least, most;
    unsigned char address[16]; /* of a network, IPv4 mapped into IPv6 */
    int           bits;
    void         *regex;      /* pcre2_code, owned */
};

struct query {
    struct arena      arena;
    struct query_node node[QUERY_NODES_MAX];
    size_t            count;
    uint64_t         *needs;
    size_t            need_count, regex_count;
};

/* --- fold.c --- */

/* fold_char - the lower-case form of the letter at p into out (1 to 4 bytes); its length, never past n. ASCII and Cyrillic letters change; the
 * length never does. */
size_t fold_char(const char *p, size_t n, char out[4]);
struct str fold_copy(struct arena *a, struct str s);
/* fold_equal - s, folded, is text (folded already). */
bool fold_equal(struct str s, struct str text);
/* fold_find - where text (folded) stands in s at or behind from, or -1. */
ptrdiff_t fold_find(struct str s, struct str text, size_t from);
/* fold_like - s, folded, matches the whole pattern (folded) with '*' and '?'. Linear in practice, bounded by |s| * |pattern|. */
bool fold_like(struct str s, struct str pattern);
/* word_byte - part of a word: ASCII letters and digits, '_', and every byte of a letter beyond ASCII. */
static inline bool word_byte(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || (unsigned char)c >= 0x80;
}

/* --- lex.c --- */

enum token_kind { TOKEN_END, TOKEN_OPEN, TOKEN_CLOSE, TOKEN_AND, TOKEN_OR, TOKEN_NOT, TOKEN_LEAF };
struct token {
    enum token_kind kind;
    struct str      name;     /* empty: no field */
    struct str      text;     /* without quotes, escapes undone */
    bool            quoted, regex;
    size_t          at;
};
struct lexer {
    struct str    text;
    size_t        at;
    struct arena *arena;
};
int lex_next(struct lexer *l, struct token *t, struct err *e);
/* query_error - -EINVAL with the letter in e->column and the byte in e->at. */
int query_error(struct err *e, struct str text, size_t at, const char *expected);

/* --- leaf.c --- */

/* leaf_compile - a TOKEN_LEAF as one node. */
int leaf_compile(struct query *q, const struct lexer *l, const struct token *t, struct query_node *out, struct err *e);
/* leaf_tokens - the words that every match of this leaf must contain, told as hashes. */
void leaf_tokens(const struct query_node *n, query_token_fn *say, void *arg);

/* --- match.c --- */

bool leaf_match(const struct query_node *n, const struct event *ev);
bool parse_address(struct str s, unsigned char out[16]);

#endif
