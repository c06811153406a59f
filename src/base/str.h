/* str.h - text as a borrowed range of bytes, passed by value.
 *
 * Owns      nothing: a str is a view; whoever made the bytes keeps them alive.
 * Promises  1. Any byte may stand in a str, NUL too; nothing reads past n.
 *           2. p may be NULL only when n is 0.
 * Threads   any.
 * Units     n counts bytes, not letters.
 * Source    conventions, section 5. */
#ifndef SAQSHY_BASE_STR_H
#define SAQSHY_BASE_STR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct str {
    const char *p;
    size_t      n;
};

/* STR - a literal as a str: STR("sshd"). */
#define STR(literal)  ((struct str){ "" literal, sizeof(literal) - 1 })
/* STR_INIT - the same where a constant initialiser is needed. */
#define STR_INIT(literal)  { "" literal, sizeof(literal) - 1 }
/* The two arguments of printf's "%.*s". */
#define STR_ARG(s)  (int)((s).n > 4096 ? 4096 : (s).n), (s).n ? (s).p : ""

static inline struct str str_of(const char *p, size_t n) { return (struct str){ p, n }; }
static inline struct str str_c(const char *z) { return (struct str){ z, z ? strlen(z) : 0 }; }
static inline bool str_empty(struct str s) { return s.n == 0; }

static inline bool str_eq(struct str a, struct str b)
{
    return a.n == b.n && (a.n == 0 || memcmp(a.p, b.p, a.n) == 0);
}

static inline bool str_starts(struct str s, struct str head)
{
    return s.n >= head.n && (head.n == 0 || memcmp(s.p, head.p, head.n) == 0);
}

static inline bool str_ends(struct str s, struct str tail)
{
    return s.n >= tail.n && (tail.n == 0 || memcmp(s.p + s.n - tail.n, tail.p, tail.n) == 0);
}

/* str_cut - s without its first n bytes (all of them if n is larger). */
static inline struct str str_cut(struct str s, size_t n)
{
    if (n > s.n)
        n = s.n;
    return (struct str){ s.n ? s.p + n : s.p, s.n - n };
}

/* str_cmp - byte order, shorter first when one is the head of the other. */
int str_cmp(struct str a, struct str b);
/* str_ieq - equality with ASCII letters folded. */
bool str_ieq(struct str a, struct str b);
/* str_find - offset of needle in s, or -1. An empty needle is found at 0. */
ptrdiff_t str_find(struct str s, struct str needle);
/* str_ifind - the same with ASCII letters folded. */
ptrdiff_t str_ifind(struct str s, struct str needle);
/* str_chr - offset of the first byte c in s, or -1. */
ptrdiff_t str_chr(struct str s, char c);
/* str_trim - s without ASCII blanks (space, tab, CR, LF) at both ends. */
struct str str_trim(struct str s);
/* str_split - take the text before the next sep off *rest. False when *rest is used up. A last
 * empty piece after a trailing sep is returned; *rest is then {NULL, 0}. */
bool str_split(struct str *rest, char sep, struct str *piece);
/* str_u64 - the whole of s as decimal digits. False if empty, not digits, or too large. */
bool str_u64(struct str s, uint64_t *out);
/* str_i64 - the same with an optional leading '-'. */
bool str_i64(struct str s, int64_t *out);
/* str_ascii - no byte beyond 0x7f. */
bool str_ascii(struct str s);
/* str_utf8_valid - well-formed UTF-8 (no overlong forms, surrogates, or values past U+10FFFF). */
bool str_utf8_valid(struct str s);
/* str_hash - 64-bit XXH3, stable across machines, seed 0. */
uint64_t str_hash(struct str s);

#endif
