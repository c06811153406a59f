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
    OP_SET,       /* field has one of these values */
    OP_ADDRESSES, /* field is an address between low and high */
    OP_RANGE,     /* field is a number between least and most */
    OP_TIMES,     /* field is a moment in [from, to) */
    OP_REGEX,     /* field matches the pattern */
    OP_SKIP_FALSE, OP_SKIP_TRUE, OP_AND, OP_OR, OP_NOT,
};

/* A set of folded values: slot holds indices from 1, found by hash. */
struct query_set {
    struct str *value;
    size_t      count, longest;
    uint32_t   *slot;
    size_t      slots;        /* a power of two */
};

struct query_leaf {
    enum query_op op;
    uint32_t      target;     /* of a SKIP: the instruction behind the operator */
    size_t        at;         /* byte of the text where it stands */
    struct str    name;       /* of a field */
    struct str    text;       /* folded */
    bool          twins;      /* look-alikes folded, in text too */
    struct query_set *set;
    double        least, most;
    time_ns       from, to;
    unsigned char low[16], high[16]; /* addresses, IPv4 mapped into IPv6 */
    void         *regex;      /* pcre2_code, owned */
};

struct query {
    struct arena      arena;
    struct query_leaf node[QUERY_NODES_MAX];
    size_t            count;
    uint64_t         *needs;
    size_t            need_count, regex_count;
    uint16_t          step[QUERY_NODES_MAX];  /* the program without SKIPs */
    size_t            steps;
};

/* --- fold.c --- */

/* fold_char - the lower-case form of the letter at p into out (1 to 4 bytes); its length, never past n. ASCII and Cyrillic letters change; the
 * length never does. */
size_t fold_char(const char *p, size_t n, char out[4]);
/* fold_into - s folded, at to, which has room for as many bytes as s; how many they are. */
size_t fold_into(char *to, struct str s, bool twins);
struct str fold_copy(struct arena *a, struct str s, bool twins);
/* fold_equal - s, folded, is text (folded already, with twins too if twins). */
bool fold_equal(struct str s, struct str text, bool twins);
/* fold_find - where text (folded) stands in s at or behind from, or -1; *end is behind it. */
ptrdiff_t fold_find(struct str s, struct str text, size_t from, bool twins, size_t *end);
/* fold_starts - s begins with the pattern (folded), '?' is any letter. */
bool fold_starts(struct str s, struct str pattern, bool twins);
/* fold_like - s, folded, matches the whole pattern (folded) with '*' and '?'. Linear in practice, bounded by |s| * |pattern|. */
bool fold_like(struct str s, struct str pattern, bool twins);
/* longest_piece - of a pattern, between its '*' and '?'. Each piece stands in every text that matches. */
struct str longest_piece(struct str pattern);

/* --- fault.c --- */

enum fault {
#define FAULT(id, text) FAULT_##id,
#include "query/fault.def"
#undef FAULT
};

/* Where a text is refused: both forms of the story. */
struct teller {
    struct str          text;
    struct err         *e;
    struct query_fault *fault;  /* may be NULL */
};
/* tell - -EINVAL with the letter of the byte at; word and instead may be empty. */
int tell(const struct teller *t, size_t at, enum fault f, struct str word, struct str instead);
int tell_memory(const struct teller *t);

/* --- lex.c --- */

enum token_kind { TOKEN_END, TOKEN_OPEN, TOKEN_CLOSE, TOKEN_AND, TOKEN_OR, TOKEN_NOT, TOKEN_PIPE, TOKEN_SET, TOKEN_LEAF };
struct token {
    enum token_kind kind;
    struct str      name;     /* empty: no field */
    struct str      text;     /* without quotes, escapes undone */
    bool            quoted, regex, twins;
    size_t          at, value_at;
};
struct lexer {
    struct teller tell;       /* its text is what is read */
    size_t        at;
    struct arena *arena;
    time_ns       now;
};
int lex_next(struct lexer *l, struct token *t);
/* lex_member - the next value of a set whose '(' was taken, or TOKEN_CLOSE; commas and OR between them are taken. */
int lex_member(struct lexer *l, struct token *t, bool first);

/* --- when.c, leaf.c, set.c --- */

/* leaf_compile - a TOKEN_LEAF as one node. *missing: what is meant is that it does not hold (name:""). */
int leaf_compile(struct query *q, const struct lexer *l, const struct token *t, struct query_leaf *out, bool *missing);
/* leaf_tokens - the words that every match of this leaf must contain, told as hashes. */
void leaf_tokens(const struct query_leaf *n, query_token_fn *say, void *arg);
bool parse_address(struct str s, unsigned char out[16]);

/* set_add, set_end - values as they come, then the table of hashes. set_has: v, folded, is one of them. */
int set_add(struct arena *a, struct query_set *s, struct str value, bool twins);
int set_end(struct arena *a, struct query_set *s);
bool set_has(const struct query_set *s, struct str v, bool twins);

/* --- match.c --- */

bool leaf_match(const struct query_leaf *n, const struct event *ev);
/* time_member - the name of a moment that every event has: "@timestamp", "event.received". */
bool time_member(struct str name);

#endif
