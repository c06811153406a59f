/* match.c - does an event match: leaves, and the program of operators. */
#define PCRE2_CODE_UNIT_WIDTH 8
#include "query/internal.h"

#include <pcre2.h>

#define REGEX_MATCH_LIMIT 100000  /* steps; an honest pattern on a log line takes some hundred */
#define REGEX_DEPTH_LIMIT 1000
#define REGEX_VALUE_MAX   (16u * KIB)  /* "\\w{1,60000}!" costs the square of a text's length, and PCRE2 counts none of it: 2.5 s for 64 KiB */

/* anywhere - f holds for the line or for a field value that is not a piece of the line. */
static bool anywhere(const struct query_leaf *n, const struct event *ev, bool (*f)(const struct query_leaf *, struct str))
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

static bool has_word(const struct query_leaf *n, struct str s)
{
    bool head = query_word_byte(n->text.p[0]), tail = query_word_byte(n->text.p[n->text.n - 1]);
    ptrdiff_t at = -1;
    size_t end;

    while ((at = fold_find(s, n->text, (size_t)(at + 1), n->twins, &end)) >= 0) {
        if ((!head || at == 0 || !query_word_byte(s.p[at - 1])) && (!tail || end == s.n || !query_word_byte(s.p[end])))
            return true;
    }
    return false;
}

static bool has_phrase(const struct query_leaf *n, struct str s)
{
    size_t end;

    return fold_find(s, n->text, 0, n->twins, &end) >= 0;
}

/* words_match - words inside a run such as user=root: one alone, or from its edge to the end of the run. The second is tried once: what
 * the stars did not find behind the first place where the head of the pattern stands is not behind a later one either. A pattern that
 * begins with a star was tried from there with the whole run. Else a run of a million words would cost the square of that. */
static bool words_match(struct str run, struct str pattern, bool twins)
{
    bool tried = pattern.p[0] == '*';
    ptrdiff_t star = str_chr(pattern, '*');

    for (size_t a = 0, b; a < run.n; a = b) {
        b = a + 1;
        if (!query_word_byte(run.p[a]))
            continue;
        while (b < run.n && query_word_byte(run.p[b]))
            b++;
        if (fold_like(str_of(run.p + a, b - a), pattern, twins))
            return true;
        if (tried || !fold_starts(str_cut(run, a), str_of(pattern.p, star < 0 ? pattern.n : (size_t)star), twins))
            continue;
        tried = true;
        if (fold_like(str_cut(run, a), pattern, twins))
            return true;
    }
    return false;
}

/* has_glob - "fail*", "*ed", "*ail*": the pieces between stars stand in order inside one run of text without blanks; ends without a star are
 * ends of words. */
static bool has_glob(const struct query_leaf *n, struct str s)
{
    struct str piece = longest_piece(n->text);
    size_t i = 0, end;

    /* Most texts hold not even the longest piece; and of *piece* that is all there is to know. */
    if (fold_find(s, piece, 0, n->twins, &end) < 0)
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
        if (fold_like(run, n->text, n->twins) || words_match(run, n->text, n->twins))
            return true;
    }
    return false;
}

static bool in_addresses(const struct query_leaf *n, struct str v)
{
    unsigned char a[16];

    return parse_address(v, a) && memcmp(a, n->low, 16) >= 0 && memcmp(a, n->high, 16) <= 0;
}

static bool in_range(const struct query_leaf *n, struct str v)
{
    double x;

    return query_number(v, &x) && x >= n->least && x <= n->most;
}

static bool in_times(const struct query_leaf *n, time_ns t) { return t >= n->from && (t < n->to || n->to == INT64_MAX); }

static bool at_times(const struct query_leaf *n, struct str v)
{
    time_ns t;

    return query_moment(v, &t) && in_times(n, t);
}

static bool regex_match(const struct query_leaf *n, struct str v)
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

bool query_leaf_match(const struct query_leaf *n, struct str v)
{
    switch (n->op) {
    case OP_ALL: return true;
    case OP_WORD: return has_word(n, v);
    case OP_PHRASE: return has_phrase(n, v);
    case OP_GLOB: return has_glob(n, v);
    case OP_EQUAL: return fold_equal(v, n->text, n->twins);
    case OP_LIKE: return fold_like(v, n->text, n->twins);
    case OP_PRESENT: return v.n > 0;
    case OP_SET: return set_has(n->set, v, n->twins);
    case OP_ADDRESSES: return in_addresses(n, v);
    case OP_RANGE: return in_range(n, v);
    case OP_TIMES: return at_times(n, v);
    case OP_REGEX: return regex_match(n, v);
    default: return false;
    }
}

bool leaf_match(const struct query_leaf *n, const struct event *ev)
{
    struct str v;
    uint32_t at = 0;

    switch (n->op) {
    case OP_ALL: return true;
    case OP_WORD: return anywhere(n, ev, has_word);
    case OP_PHRASE: return anywhere(n, ev, has_phrase);
    case OP_GLOB: return anywhere(n, ev, has_glob);
    case OP_TIMES:
        if (time_member(n->name))
            return in_times(n, str_eq(n->name, STR("@timestamp")) ? ev->time : ev->received);
        break;
    default: break;
    }
    while (event_values(ev, n->name, &at, &v))
        if (query_leaf_match(n, v))
            return true;
    return false;
}

bool query_match(const struct query *q, const struct event *ev)
{
    bool stack[QUERY_NODES_MAX];
    size_t depth = 0;

    for (size_t i = 0; i < q->count; i++) {
        const struct query_leaf *n = &q->node[i];

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
        const struct query_leaf *n = &q->node[i];

        switch (n->op) {
        case OP_WORD:
        case OP_PHRASE:
        case OP_GLOB: return true;
        case OP_EQUAL:
        case OP_LIKE:
        case OP_PRESENT:
        case OP_SET:
        case OP_ADDRESSES:
        case OP_RANGE:
        case OP_TIMES:
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
