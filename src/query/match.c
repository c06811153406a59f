/* match.c - does an event match: leaves, and the program of operators. */
#define PCRE2_CODE_UNIT_WIDTH 8
#include "query/internal.h"

#include <pcre2.h>

#define REGEX_MATCH_LIMIT 100000  /* steps; an honest pattern on a log line takes some hundred */
#define REGEX_DEPTH_LIMIT 1000
#define REGEX_VALUE_MAX   (16u * KIB)  /* "\\w{1,60000}!" costs the square of a text's length, and PCRE2 counts none of it: 2.5 s for 64 KiB */

/* anywhere - f holds for the line or for a field value that is not a piece of the line. */
static bool anywhere(const struct query_node *n, const struct event *ev, bool (*f)(const struct query_node *, struct str))
{
    uintptr_t from = (uintptr_t)ev->original.p, to = from + ev->original.n;

    if (f(n, ev->original))
        return true;
    for (uint32_t i = 0; i < ev->field_count; i++) {
        uintptr_t p = (uintptr_t)ev->fields[i].value.p;

        /* A piece of the line was searched with it, but its ends may be those of words that the line goes on after. */
        if ((p >= from && p < to && n->op == OP_PHRASE) || !ev->fields[i].value.n)
            continue;
        if (f(n, ev->fields[i].value))
            return true;
    }
    return false;
}

static bool has_word(const struct query_node *n, struct str s)
{
    bool head = word_byte(n->text.p[0]), tail = word_byte(n->text.p[n->text.n - 1]);
    ptrdiff_t at = -1;

    while ((at = fold_find(s, n->text, (size_t)(at + 1))) >= 0) {
        size_t end = (size_t)at + n->text.n;

        if ((!head || at == 0 || !word_byte(s.p[at - 1])) && (!tail || end == s.n || !word_byte(s.p[end])))
            return true;
    }
    return false;
}

static bool has_phrase(const struct query_node *n, struct str s)
{
    return fold_find(s, n->text, 0) >= 0;
}

/* longest_piece - of a pattern, between its '*' and '?'. Each piece stands in every text that matches. */
static struct str longest_piece(struct str pattern)
{
    struct str best = { NULL, 0 };
    size_t from = 0;

    for (size_t i = 0; i <= pattern.n; i++) {
        if (i < pattern.n && pattern.p[i] != '*' && pattern.p[i] != '?')
            continue;
        if (i - from > best.n)
            best = str_of(pattern.p + from, i - from);
        from = i + 1;
    }
    return best;
}

/* glob_starts - the part of a pattern before its first star stands at the head of s. */
static bool glob_starts(struct str s, struct str pattern)
{
    ptrdiff_t star = str_chr(pattern, '*');
    struct str head = str_of(pattern.p, star < 0 ? pattern.n : (size_t)star);
    size_t i = 0, p = 0;

    while (p < head.n && i < s.n) {
        char c[4];
        size_t n = fold_char(s.p + i, s.n - i, c);

        if (head.p[p] == '?')
            p++;
        else if (head.n - p < n || memcmp(head.p + p, c, n) != 0)
            return false;
        else
            p += n;
        i += n;
    }
    return p == head.n;
}

/* words_match - words inside a run such as user=root: one alone, or from its edge to the end of the run. The second is tried once: what
 * the stars did not find behind the first place where the head of the pattern stands is not behind a later one either. A pattern that
 * begins with a star was tried from there with the whole run. Else a run of a million words would cost the square of that. */
static bool words_match(struct str run, struct str pattern)
{
    bool tried = pattern.p[0] == '*';

    for (size_t a = 0, b; a < run.n; a = b) {
        b = a + 1;
        if (!word_byte(run.p[a]))
            continue;
        while (b < run.n && word_byte(run.p[b]))
            b++;
        if (fold_like(str_of(run.p + a, b - a), pattern))
            return true;
        if (tried || !glob_starts(str_cut(run, a), pattern))
            continue;
        tried = true;
        if (fold_like(str_cut(run, a), pattern))
            return true;
    }
    return false;
}

/* has_glob - "fail*", "*ed", "*ail*": the pieces between stars stand in order inside one run of text without blanks; ends without a star are
 * ends of words. */
static bool has_glob(const struct query_node *n, struct str s)
{
    struct str piece = longest_piece(n->text);
    size_t i = 0;

    /* Most texts hold not even the longest piece; and of *piece* that is all there is to know. */
    if (fold_find(s, piece, 0) < 0)
        return false;
    if (piece.n && piece.n + 2 == n->text.n && n->text.p[0] == '*' && n->text.p[n->text.n - 1] == '*')
        return true;

    while (i < s.n) {
        size_t from;

        while (i < s.n && (s.p[i] == ' ' || s.p[i] == '\t'))
            i++;
        from = i;
        while (i < s.n && s.p[i] != ' ' && s.p[i] != '\t')
            i++;
        struct str run = str_of(s.p + from, i - from);
        if (fold_like(run, n->text) || words_match(run, n->text))
            return true;
    }
    return false;
}

static bool in_network(const struct query_node *n, struct str v)
{
    unsigned char a[16];
    int whole = n->bits / 8, rest = n->bits % 8;

    if (!parse_address(v, a) || memcmp(a, n->address, (size_t)whole) != 0)
        return false;
    return rest == 0 || ((a[whole] ^ n->address[whole]) >> (8 - rest)) == 0;
}

static bool in_range(const struct query_node *n, struct str v)
{
    char text[64], *end;
    double x;

    if (v.n == 0 || v.n >= sizeof text)
        return false;
    memcpy(text, v.p, v.n);
    text[v.n] = 0;
    x = strtod(text, &end);
    return end != text && *end == 0 && x >= n->least && x <= n->most;
}

static bool regex_match(const struct query_node *n, struct str v)
{
    pcre2_match_data *data = pcre2_match_data_create(1, NULL);
    pcre2_match_context *context = pcre2_match_context_create(NULL);
    int rc = -1;

    if (data && context) {
        pcre2_set_match_limit(context, REGEX_MATCH_LIMIT);
        pcre2_set_depth_limit(context, REGEX_DEPTH_LIMIT);
        /* What was cut off does not end there: '$' must not say so. */
        rc = pcre2_match(n->regex, (PCRE2_SPTR)(v.n ? v.p : ""), min_size(v.n, REGEX_VALUE_MAX), 0, v.n > REGEX_VALUE_MAX ? PCRE2_NOTEOL : 0,
                         data, context);
    }
    pcre2_match_data_free(data);
    pcre2_match_context_free(context);
    return rc >= 0;
}

static bool value_match(const struct query_node *n, struct str v)
{
    switch (n->op) {
    case OP_EQUAL: return fold_equal(v, n->text);
    case OP_LIKE: return fold_like(v, n->text);
    case OP_PRESENT: return v.n > 0;
    case OP_NETWORK: return in_network(n, v);
    case OP_RANGE: return in_range(n, v);
    case OP_REGEX: return regex_match(n, v);
    default: return false;
    }
}

bool leaf_match(const struct query_node *n, const struct event *ev)
{
    struct str v;
    uint32_t at = 0;

    switch (n->op) {
    case OP_ALL: return true;
    case OP_WORD: return anywhere(n, ev, has_word);
    case OP_PHRASE: return anywhere(n, ev, has_phrase);
    case OP_GLOB: return anywhere(n, ev, has_glob);
    default: break;
    }
    while (event_values(ev, n->name, &at, &v))
        if (value_match(n, v))
            return true;
    return false;
}

bool query_match(const struct query *q, const struct event *ev)
{
    bool stack[QUERY_NODES_MAX];
    size_t depth = 0;

    for (size_t i = 0; i < q->count; i++) {
        const struct query_node *n = &q->node[i];

        switch (n->op) {
        case OP_SKIP_FALSE:
        case OP_SKIP_TRUE:
            assert(depth >= 1 && n->target > i);
            if (stack[depth - 1] == (n->op == OP_SKIP_TRUE))
                i = n->target - 1;
            break;
        case OP_AND:
            assert(depth >= 2);
            depth--;
            stack[depth - 1] = stack[depth - 1] && stack[depth];
            break;
        case OP_OR:
            assert(depth >= 2);
            depth--;
            stack[depth - 1] = stack[depth - 1] || stack[depth];
            break;
        case OP_NOT:
            assert(depth >= 1);
            stack[depth - 1] = !stack[depth - 1];
            break;
        default:
            stack[depth++] = leaf_match(n, ev);
        }
    }
    return depth == 0 || stack[depth - 1];
}

bool query_looks_at(const struct query *q, struct str field)
{
    for (size_t i = 0; i < q->count; i++) {
        const struct query_node *n = &q->node[i];

        switch (n->op) {
        case OP_WORD:
        case OP_PHRASE:
        case OP_GLOB: return true;
        case OP_EQUAL:
        case OP_LIKE:
        case OP_PRESENT:
        case OP_NETWORK:
        case OP_RANGE:
        case OP_REGEX:
            if (str_eq(n->name, field))
                return true;
            break;
        default: break;
        }
    }
    return false;
}

bool query_everything(const struct query *q)
{
    return q->count == 0 || (q->count == 1 && q->node[0].op == OP_ALL);
}
