/* jread.h - JSON of a stranger read token by token: no tree, no recursion, nothing allocated but strings that had escapes.
 *
 * Owns      nothing: texts are views into the input, or lie in the arena.
 * Promises  1. Reads any bytes: what is no JSON is J_BAD from then on, and nothing is read past the end.
 *           2. At most JREAD_DEPTH_MAX open containers.
 *           3. Several values may follow each other, with blanks or without (as Splunk's senders write them); J_END is the end of all.
 *           4. Bytes of strings are given as they came, if they are UTF-8 or not; a lone half of a surrogate pair becomes U+FFFD.
 * Threads   owner.
 * Units     bytes.
 * Source    RFC 8259. */
#ifndef SAQSHY_INGEST_JREAD_H
#define SAQSHY_INGEST_JREAD_H

#include "base/base.h"

#define JREAD_DEPTH_MAX 96   /* OTLP has four levels of JSON for one of its own, and OTLP_DEPTH_MAX of those */

enum jtoken { J_BAD, J_END, J_OBJECT, J_OBJECT_END, J_ARRAY, J_ARRAY_END, J_KEY, J_STRING, J_NUMBER, J_TRUE, J_FALSE, J_NULL };
enum jdue { JDUE_VALUE, JDUE_FIRST, JDUE_NEXT };   /* a value; the first member or the end; a comma or the end */

/* A copy of it is a place to come back to. */
struct jread {
    const char   *start, *p, *end;
    struct arena *arena;
    bool          array[JREAD_DEPTH_MAX];
    int           depth;
    enum jdue     due;
    bool          keyed;          /* the value that is due belongs to a key */
    bool          skim;           /* texts are not wanted: their escapes stay */
    const char   *bad;            /* what is wrong, once something is */
};

struct jread jread_of(struct str s, struct arena *a);
/* jread_next - text is that of a key, a string or a number. */
enum jtoken jread_next(struct jread *r, struct str *text);
/* jread_skip - the rest of the value that t began (nothing for a plain one). False if it is damaged. */
bool jread_skip(struct jread *r, enum jtoken t);
/* jread_value - a whole value of any kind, as its bytes in the input. The token that began it, and text as of jread_next. */
enum jtoken jread_value(struct jread *r, struct str *raw, struct str *text);
/* jread_base64 - the bytes of a text in base64, of either alphabet, padded or not. False if it is none. */
bool jread_base64(struct jread *r, struct str s, struct str *out);
/* jread_err - -EBADMSG with the offset and what was wrong. */
MUST_USE int jread_err(const struct jread *r, struct err *e, const char *what);

#endif
