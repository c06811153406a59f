/* query.h - the search language: a text becomes a tree, a tree is a predicate over events.
 *
 * Owns      struct query owns its tree, compiled patterns and texts, until query_free.
 * Promises  1. The same text selects the same events everywhere: store, journal tail, live tail, saved filters.
 *           2. Bounded: QUERY_TEXT_MAX bytes, QUERY_NODES_MAX nodes, QUERY_DEPTH_MAX parentheses; parsing and evaluation use explicit
 *              stacks. QUERY_REGEX_MAX regular expressions, each with match and depth limits (PCRE2): one that exceeds them does not match. They
 *              see the first 16 KiB of a value. Every other condition costs at most |line| * |text|.
 *           3. A refused text says at which letter (err.column, from 1; err.at is the byte) and what was expected there.
 * Threads   a compiled query is read-only: any thread may evaluate it.
 * Units     times in the text are RFC 3339 or relative ("now-15m").
 * Source    our own grammar, docs/search.md:
 *             word                    the line or a field value contains the word (ASCII and Cyrillic letters fold case, whole tokens;
 *                                     word* is a prefix, *part* a substring)
 *             "a phrase"              the line contains exactly these bytes, case folded
 *             name:value name:"a b"   a field has this value; name:val* wildcards; name:* is present; name:10.0.0.0/8 for addresses;
 *             name:>5 name:>=5 name:5..9   numbers;  name:/regex/  PCRE2
 *             a b · a AND b · a OR b · NOT a · -a · ( … )      AND binds closer than OR
 */
#ifndef SAQSHY_QUERY_QUERY_H
#define SAQSHY_QUERY_QUERY_H

#include "event/event.h"

#define QUERY_TEXT_MAX  16384
#define QUERY_NODES_MAX 1024
#define QUERY_DEPTH_MAX 64
#define QUERY_REGEX_MAX 8      /* the dearest condition: with more, one event could hold a search for minutes */

struct query;

/* query_parse - compile a text; an empty one selects everything. */
MUST_USE int query_parse(struct str text, struct query **out, struct err *e);
void query_free(struct query **q);
bool query_match(const struct query *q, const struct event *ev);
/* query_everything - selects every event, whatever is in it: a store then need not look into them. */
bool query_everything(const struct query *q);

/* query_looks_at - may the answer depend on this field? Words look at all of them. */
bool query_looks_at(const struct query *q, struct str field);

/* query_needs - what a store may use to skip whole blocks: hashes of tokens (as query_tokens gives them) of which every matching event's line
 * and field values must contain all. *count is their number, list is borrowed from the query. Zero means nothing can be skipped. */
const uint64_t *query_needs(const struct query *q, size_t *count);
/* query_tokens - call say for every token of a text: runs of letters (ASCII and UTF-8 above 0x7f), digits and '_' , ASCII and Cyrillic letters lower-cased;
 * longer than 128 bytes are left out. The same function makes the tokens of a store's index. */
typedef void query_token_fn(void *arg, uint64_t hash);
void query_tokens(struct str text, query_token_fn *say, void *arg);

#endif
