/* leaf.c - one condition: what kind it is, told by its shape. */
#define PCRE2_CODE_UNIT_WIDTH 8
#include "query/internal.h"

#include <arpa/inet.h>
#include <math.h>
#include <pcre2.h>

static const struct str none = { NULL, 0 };

/* --- addresses --- */

static const unsigned char four_low[16] = { [10] = 0xff, [11] = 0xff };
static const unsigned char four_high[16] = { [10] = 0xff, 0xff, 0xff, 0xff, 0xff, 0xff };
static const unsigned char six_low[16];
static const unsigned char six_high[16] = { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff };

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

static bool parse_network(struct str s, struct query_leaf *out)
{
    ptrdiff_t slash = str_chr(s, '/');
    uint64_t bits;

    if (slash < 0 || !str_u64(str_cut(s, (size_t)slash + 1), &bits) || bits > 128 || !parse_address(str_of(s.p, (size_t)slash), out->low))
        return false;
    bool four = str_chr(str_of(s.p, (size_t)slash), ':') < 0;
    if (four && bits > 32)
        return false;
    bits += four ? 96 : 0;
    for (size_t i = 0; i < 16; i++) {
        unsigned own = bits >= i * 8 + 8 ? 0xff : bits <= i * 8 ? 0 : 0xff00u >> (bits - i * 8) & 0xff;

        out->low[i] &= (unsigned char)own;
        out->high[i] = (unsigned char)(out->low[i] | (~own & 0xff));
    }
    out->op = OP_ADDRESSES;
    return true;
}

/* step_address - the next address (by 1) or the one before (by -1). False at the end of all addresses. */
static bool step_address(unsigned char a[16], int by)
{
    for (int i = 15; i >= 0; i--) {
        a[i] = (unsigned char)(a[i] + by);
        if (a[i] != (by > 0 ? 0 : 0xff))
            return true;
    }
    return false;
}

/* --- ranges: "a..b", "a..", "..b", ">a", ">=a", "<a", "<=a" --- */

struct range {
    struct str from, to;       /* empty: open */
    bool       after, before;  /* the bound itself is not part of it */
};

static bool range_of(struct str s, struct range *r)
{
    ptrdiff_t dots = str_find(s, STR(".."));

    *r = (struct range){ none, none, false, false };
    if (dots >= 0 && s.n > 2) {
        r->from = str_of(s.p, (size_t)dots);
        r->to = str_cut(s, (size_t)dots + 2);
        r->from = str_eq(r->from, STR("*")) ? none : r->from;
        r->to = str_eq(r->to, STR("*")) ? none : r->to;
        return r->from.n + r->to.n > 0;
    }
    if (s.n < 2 || (s.p[0] != '<' && s.p[0] != '>'))
        return false;
    bool equal = s.p[1] == '=';
    if (s.p[0] == '>') {
        r->from = str_cut(s, equal ? 2 : 1);
        r->after = !equal;
    } else {
        r->to = str_cut(s, equal ? 2 : 1);
        r->before = !equal;
    }
    return r->from.n + r->to.n > 0;
}

/* query_number - a decimal number, the whole of s: sign, digits, fraction, exponent; neither "0x10" nor "nan". */
bool query_number(struct str s, double *out)
{
    char text[64], *end;
    unsigned dots = 0;

    if (s.n == 0 || s.n >= sizeof text)
        return false;
    for (size_t i = 0; i < s.n; i++, dots += s.p[i - 1] == '.')
        if (dots > 1 || !((s.p[i] >= '0' && s.p[i] <= '9') || s.p[i] == '.' || (i > 0 && (s.p[i] == 'e' || s.p[i] == 'E' || s.p[i] == '+')) || s.p[i] == '-'))
            return false;
    if (s.p[0] == '.')
        return false;
    memcpy(text, s.p, s.n);
    text[s.n] = 0;
    *out = strtod(text, &end);
    return *end == 0 && isfinite(*out);
}

static bool number_range(const struct range *r, struct query_leaf *out)
{
    double from = -INFINITY, to = INFINITY;

    if ((r->from.n && !query_number(r->from, &from)) || (r->to.n && !query_number(r->to, &to)))
        return false;
    out->op = OP_RANGE;
    out->least = r->after ? nextafter(from, INFINITY) : from;
    out->most = r->before ? nextafter(to, -INFINITY) : to;
    return true;
}

static bool address_range(const struct range *r, struct query_leaf *out)
{
    bool four = str_chr(r->from.n ? r->from : r->to, ':') < 0;

    memcpy(out->low, four ? four_low : six_low, 16);
    memcpy(out->high, four ? four_high : six_high, 16);
    if ((r->from.n && !parse_address(r->from, out->low)) || (r->to.n && !parse_address(r->to, out->high)))
        return false;
    out->op = OP_ADDRESSES;
    /* Behind the last one there is none: a range that holds nothing. */
    if ((r->after && !step_address(out->low, 1)) || (r->before && !step_address(out->high, -1))) {
        memcpy(out->low, six_high, 16);
        memcpy(out->high, six_low, 16);
    }
    return true;
}

static bool time_range(const struct range *r, time_ns now, struct query_leaf *out)
{
    time_ns from, to;

    out->from = INT64_MIN;
    out->to = INT64_MAX;
    if (r->from.n) {
        if (!query_when(r->from, now, &from, &to))
            return false;
        out->from = !r->after ? from : to > from ? to : from + 1;
    }
    if (r->to.n) {
        if (!query_when(r->to, now, &from, &to))
            return false;
        out->to = r->before ? from : to > from ? to : from + 1;
    }
    out->op = OP_TIMES;
    return true;
}

/* ordered - a range that was written the wrong way round selects nothing, and nobody means that. */
static int ordered(const struct lexer *l, const struct token *t, const struct range *r, const struct query_leaf *n)
{
    bool fine = n->op == OP_RANGE ? n->least <= n->most : n->op == OP_ADDRESSES ? memcmp(n->low, n->high, 16) <= 0 : n->from < n->to;
    char instead[80];

    if (fine || !r->from.n || !r->to.n)
        return 0;
    snprintf(instead, sizeof instead, "%.*s..%.*s", STR_ARG(r->to), STR_ARG(r->from));
    return tell(&l->tell, t->value_at, FAULT_backwards, none, str_c(instead));
}

/* --- times of the event itself --- */

/* TIME_FORMS - what a refusal offers. */
#define TIME_FORMS "2026-11-28, 2026-11-28T10:30, now-15m, today, yesterday"

/* no_time - why a text is no time here. */
static int no_time(const struct lexer *l, const struct token *t)
{
    struct range r;
    struct str part = range_of(t->text, &r) ? (r.from.n ? r.from : r.to) : t->text;
    time_ns from, to;

    if (l->now == QUERY_NO_NOW && (query_when(part, 0, &from, &to) || (r.to.n && query_when(r.to, 0, &from, &to))))
        return tell(&l->tell, t->value_at, FAULT_relative, t->text, none);
    return tell(&l->tell, t->value_at, FAULT_no_time, t->text, STR(TIME_FORMS));
}

/* compile_time - "time:" and its kin. from: is the moment at which what is named begins, to: is before it begins. */
static int compile_time(const struct lexer *l, const struct token *t, struct query_leaf *out)
{
    bool begin = str_eq(t->name, STR("from")), end = str_eq(t->name, STR("to"));
    struct range r;
    time_ns from, to;

    out->name = str_eq(t->name, STR("event.received")) ? t->name : STR("@timestamp");
    out->op = OP_TIMES;
    out->from = INT64_MIN;
    out->to = INT64_MAX;
    if (begin || end) {
        if (!query_when(t->text, l->now, &from, &to))
            return no_time(l, t);
        *(begin ? &out->from : &out->to) = from;
        return 0;
    }
    if (query_when(t->text, l->now, &from, &to)) {
        out->from = from;
        out->to = to;
        if (to > from)
            return 0;
        char instead[80];
        snprintf(instead, sizeof instead, "%.*s:>=%.*s", STR_ARG(t->name), STR_ARG(t->text));
        return tell(&l->tell, t->value_at, FAULT_a_moment, t->text, str_c(instead));
    }
    if (!range_of(t->text, &r) || !time_range(&r, l->now, out))
        return no_time(l, t);
    return ordered(l, t, &r, out);
}

bool time_member(struct str name) { return str_eq(name, STR("@timestamp")) || str_eq(name, STR("event.received")); }

/* names_time - does the field mean the event's own time? Quoted, "from" and "to" and "time" are fields as others. */
static bool names_time(const struct token *t)
{
    if (time_member(t->name))
        return true;
    return !t->quoted && !t->regex && !str_eq(t->text, STR("*")) && (str_eq(t->name, STR("time")) || str_eq(t->name, STR("from")) || str_eq(t->name, STR("to")));
}

/* --- patterns, values --- */

static int compile_regex(struct query *q, const struct lexer *l, const struct token *t, struct query_leaf *out)
{
    PCRE2_SIZE at;
    int code;
    pcre2_code *re;

    if (q->regex_count == QUERY_REGEX_MAX)
        return tell(&l->tell, t->at, FAULT_many_patterns, none, none);
    re = pcre2_compile((PCRE2_SPTR)(t->text.n ? t->text.p : ""), t->text.n, PCRE2_CASELESS | PCRE2_UTF | PCRE2_MATCH_INVALID_UTF | PCRE2_NEVER_BACKSLASH_C, &code, &at, NULL);
    if (!re) {
        PCRE2_UCHAR why[128];

        pcre2_get_error_message(code, why, sizeof why);
        return tell(&l->tell, t->at, FAULT_bad_pattern, str_c((const char *)why), none);
    }
    q->regex_count++;
    /* Without JIT (no memory, or a machine it does not know) the interpreter does the same, slower. */
    if (pcre2_jit_compile(re, PCRE2_JIT_COMPLETE) != 0)
        code = 0;
    out->regex = re;
    out->op = OP_REGEX;
    out->text = t->text;
    return 0;
}

static int compile_field(const struct lexer *l, const struct token *t, struct query_leaf *out, bool *missing)
{
    bool star = str_chr(t->text, '*') >= 0 || str_chr(t->text, '?') >= 0;
    struct range r;

    if (!t->quoted && str_eq(t->text, STR("*"))) {
        out->op = OP_PRESENT;
        return 0;
    }
    if (t->quoted && t->text.n == 0) {
        out->op = OP_PRESENT;
        *missing = true;
        return 0;
    }
    if (!t->quoted && !t->twins) {
        if (parse_network(t->text, out))
            return 0;
        if (range_of(t->text, &r) && (number_range(&r, out) || address_range(&r, out) || time_range(&r, l->now, out)))
            return ordered(l, t, &r, out);
    }
    out->op = star && !t->quoted ? OP_LIKE : OP_EQUAL;
    return 0;
}

/* edge_bar - a '|' at an edge, as in "(a|)": anywhere else pipes would begin there, so what is printed could not be read again. */
static bool edge_bar(const struct token *t)
{
    return (t->name.n && t->name.p[0] == '|') || (!t->quoted && t->text.n && (t->text.p[0] == '|' || t->text.p[t->text.n - 1] == '|'));
}

int leaf_compile(struct query *q, const struct lexer *l, const struct token *t, struct query_leaf *out, bool *missing)
{
    *missing = false;
    *out = (struct query_leaf){ .name = t->name, .twins = t->twins, .at = t->at };
    if (time_member(t->name) && !t->quoted && str_eq(t->text, STR("*"))) {
        out->op = OP_ALL;      /* every event has one */
        return 0;
    }
    if (names_time(t) && !t->regex)
        return compile_time(l, t, out);
    if (t->regex)
        return compile_regex(q, l, t, out);
    if (t->text.n == 0 && !t->name.n)
        return tell(&l->tell, t->at, FAULT_no_word, none, none);
    if (edge_bar(t))
        return tell(&l->tell, t->at, FAULT_bar, t->text, none);
    out->text = fold_copy(&q->arena, t->text, t->twins);
    if (!out->text.p)
        return tell_memory(&l->tell);
    if (t->name.n)
        return compile_field(l, t, out, missing);
    if (t->quoted)
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
    while (head && s.n && query_word_byte(s.p[0]))
        s = str_cut(s, 1);
    while (tail && s.n && query_word_byte(s.p[s.n - 1]))
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

void leaf_tokens(const struct query_leaf *n, query_token_fn *say, void *arg)
{
    /* Members of an event (saqshy.source and others) are not among the words of a store's index; look-alikes stand there as they were written. */
    if (n->twins || str_starts(n->name, STR("saqshy.")))
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
