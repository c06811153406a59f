/* query.h - the search language: a text becomes a tree, a tree is a predicate over events.
 *
 * Owns      struct query owns its tree, compiled patterns and texts, until query_free.
 * Promises  1. The same text selects the same events everywhere: store, journal tail, live tail, saved filters.
 *           2. Bounded: QUERY_TEXT_MAX bytes, QUERY_NODES_MAX nodes, QUERY_DEPTH_MAX parentheses, QUERY_SET_MAX values in a set; parsing and evaluation
 *              use explicit stacks. QUERY_REGEX_MAX regular expressions, each with match and depth limits (PCRE2): one that exceeds them does not match. They
 *              see the first 16 KiB of a value. A set costs one hash of a value, every other condition at most |line| * |text|.
 *           3. A refused text says at which letter (err.column, from 1; err.at is the byte), what was expected there, and what to write instead
 *              where that is known; struct query_fault says the same as a code of the catalogue, for three languages.
 *           4. A leaf looks at one value at a time (query_leaf_match): whoever keeps values in columns, or asks another data base, runs the same tree.
 * Threads   a compiled query is read-only: any thread may evaluate it.
 * Units     times without a zone are those of Astana (UTC+5); time_ns inside.
 * Source    our own grammar, docs/search.md. In short:
 *             word  word*  *part*         the line or a field's value has the word (ASCII and Cyrillic letters without case, whole tokens)
 *             "a phrase"                  the line has exactly these letters, case folded
 *             ~word  ~"phrase"  name:~v   the same where Cyrillic letters count as the Latin ones that they look like
 *             name:value  name:"a b"  name:val*  name:/regex/     name:* is there, name:"" is not
 *             name:(a OR b OR c*)         one of them
 *             name:10.0.0.0/8  name:10.0.0.1..10.0.0.9  name:>5  name:5..9  name:5..  name:>=2026-11-28  name:now-1h..
 *             time:today  time:>=now-15m  from:yesterday to:today
 *             a b · a AND b · a OR b · NOT a · -a · ( … )      AND binds closer than OR
 *             … | pipe | pipe             where a search may have pipes (src/pipes) */
#ifndef SAQSHY_QUERY_QUERY_H
#define SAQSHY_QUERY_QUERY_H

#include "event/event.h"

#define QUERY_TEXT_MAX  (256u * KIB)   /* a set of ten thousand addresses */
#define QUERY_VALUE_MAX (16u * KIB)    /* one word, phrase or value: conditions cost |line| * |text| */
#define QUERY_NODES_MAX 1024
#define QUERY_DEPTH_MAX 64
#define QUERY_SET_MAX   10000
#define QUERY_REGEX_MAX 8              /* the dearest condition: with more, one event could hold a search for minutes */
#define QUERY_ZONE_MIN  300            /* Astana: Kazakhstan is one zone, UTC+5, since 1 March 2024 */
#define QUERY_NO_NOW    INT64_MIN

struct query;

/* What is wrong with a text, or odd about it. */
struct query_fault {
    const char *code;         /* key of the catalogue behind "error.query."; its text may hold {word} and {instead} */
    size_t      at;           /* byte */
    int         letter;       /* from 1 */
    char        word[64];     /* what stands there, cut, as UTF-8; may be empty */
    char        instead[96];  /* what to write; may be empty */
};

struct query_options {
    time_ns             now;    /* of "now-15m" and "today"; QUERY_NO_NOW: they are refused, since the filter stands for longer than that */
    size_t             *pipes;  /* not NULL: a '|' ends the filter; where the pipes begin, behind it, or SIZE_MAX. NULL: it is refused */
    struct query_fault *fault;  /* may be NULL; written when the text is refused (-EINVAL) */
    size_t              start;  /* the filter begins at this byte; places are those of the whole text */
};

/* query_parse - compile a text that is a filter for long: no pipes, no times relative to now. An empty one selects everything. */
MUST_USE int query_parse(struct str text, struct query **out, struct err *e);
MUST_USE int query_parse_with(struct str text, const struct query_options *o, struct query **out, struct err *e);
void query_free(struct query **q);
bool query_match(const struct query *q, const struct event *ev);
/* query_everything - selects every event, whatever is in it: a store then need not look into them. */
bool query_everything(const struct query *q);

/* query_looks_at - may the answer depend on this field? Words look at all of them. */
bool query_looks_at(const struct query *q, struct str field);

/* query_range - narrow [*from, *to) to the times that an event which matches can have. */
void query_range(const struct query *q, time_ns *from, time_ns *to);

/* query_needs - what a store may use to skip whole blocks: hashes of tokens (as query_tokens gives them) of which every matching event's line
 * and field values must contain all. *count is their number, list is borrowed from the query. Zero means nothing can be skipped. */
const uint64_t *query_needs(const struct query *q, size_t *count);
/* query_word_byte - part of a token: ASCII letters and digits, '_', and every byte of a letter beyond ASCII. */
static inline bool query_word_byte(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || (unsigned char)c >= 0x80;
}
/* query_tokens - call say for every token of a text: runs of letters (ASCII and UTF-8 above 0x7f), digits and '_', ASCII and Cyrillic letters lower-cased; longer than 128
 * bytes are left out; and each IPv4 address as a whole. Its two lowest bits say whether a store's index has it: query_index_tokens says those alone, by the same
 * function. Words of two letters and numbers of five digits are everywhere: they are not in it. */
#define QUERY_COMMON_LETTERS 3u
#define QUERY_COMMON_DIGITS  6u
#define QUERY_TOKEN_FLAGS    3u
#define QUERY_TOKEN_COMMON   1u     /* not in an index */
#define QUERY_TOKEN_ADDRESS  2u     /* an address as a whole: not in indexes of blocks of rows */
typedef void query_token_fn(void *arg, uint64_t hash);
void query_index_tokens(struct str text, query_token_fn *say, void *arg);
void query_tokens(struct str text, query_token_fn *say, void *arg);

/* --- the tree, for whoever runs it otherwise than event by event --- */

enum query_kind {
    QUERY_ALL,        /* every event */
    /* of the line, and of every field's value: the event matches if one of these texts does (members such as saqshy.source are not among them) */
    QUERY_WORD, QUERY_PHRASE, QUERY_GLOB,
    /* of one field: the event matches if one of its values does; an event without the field does not */
    QUERY_EQUAL, QUERY_LIKE, QUERY_PRESENT, QUERY_SET, QUERY_ADDRESSES, QUERY_NUMBERS, QUERY_TIMES, QUERY_REGEX,
    /* operators on what stands before them */
    QUERY_AND, QUERY_OR, QUERY_NOT,
};

struct query_leaf;
struct query_step {
    enum query_kind          kind;
    const struct query_leaf *leaf;      /* NULL for operators */
    struct str               field;     /* empty for the first four kinds. "@timestamp" and "event.received" stand only in QUERY_TIMES: from, to say it all */
    struct str               text;      /* WORD, PHRASE, GLOB, EQUAL, LIKE: what is looked for, case folded; of a REGEX its pattern */
    bool                     twins;     /* look-alike letters are folded, in text too */
    const struct str        *set;       /* SET: the values, case folded */
    size_t                   set_count;
    const unsigned char     *low, *high; /* ADDRESSES: both included, 16 bytes, IPv4 mapped into IPv6 */
    double                   least, most; /* NUMBERS: both included; infinite where open */
    time_ns                  from, to;  /* TIMES: half open; INT64_MIN, INT64_MAX where open */
    struct str               needle;    /* bytes that every value that matches holds; ASCII letters (small here) may be in either case. May be empty */
};

/* query_steps, query_step - the tree in postfix order: leaves push an answer, AND and OR take two, NOT one. Without steps everything is selected. */
size_t query_steps(const struct query *q);
struct query_step query_step(const struct query *q, size_t i);
/* query_leaf_match - does the leaf hold for one value of its field (or for one line)? Of QUERY_ALL always. Any thread. */
bool query_leaf_match(const struct query_leaf *leaf, struct str value);

/* query_print - the tree as a text that query_parse reads as the same tree; times are absolute. */
void query_print(const struct query *q, struct buf *out);

/* --- times, for whoever else reads them from people --- */

/* query_when - a time as people write it: [*from, *to) is the day, minute or second named; of a moment *to is *from. now-15m, -2h, today, yesterday,
 * today+9h, 2026-11, 2026-11-28, 2026-11-28T10:30[:00[.5]], with or without a zone, ' ' or 'T' between. False if it is none, or now is QUERY_NO_NOW and it needs it. */
bool query_when(struct str text, time_ns now, time_ns *from, time_ns *to);
/* query_moment - a field's value as a moment: the absolute forms of query_when. */
bool query_moment(struct str value, time_ns *out);

/* query_number - a field's value as a decimal number, the whole of it. */
bool query_number(struct str value, double *out);

/* query_refuse - refuse a text at a byte, for whoever reads what stands behind a filter: the sentence may hold {word} and {instead}; code as in struct
 * query_fault. fault and e may be NULL. Returns -EINVAL. */
int query_refuse(struct str text, size_t at, const char *code, const char *sentence, struct str word, struct str instead, struct query_fault *fault, struct err *e);

/* --- slips --- */

/* query_nearest - the known name of a field that is at most two letters away from name (transpositions count as one), or {NULL, 0}: also if it is known itself. */
struct str query_nearest(struct str name);
/* query_hints - what of a text that was understood is probably a slip: a field that nobody knows beside one that is known, "name=value". */
typedef void query_hint_fn(void *arg, const struct query_fault *hint);
void query_hints(const struct query *q, query_hint_fn *say, void *arg);

#endif
