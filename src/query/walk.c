/* walk.c - the tree as others need it: its steps, the times it can hold of, the text that means it. */
#include "query/internal.h"
#include "base/lookalike.h"

#include <arpa/inet.h>
#include <math.h>

/* --- steps --- */

static enum query_kind kind_of(enum query_op op)
{
    static const enum query_kind kinds[] = {
        [OP_ALL] = QUERY_ALL, [OP_WORD] = QUERY_WORD, [OP_PHRASE] = QUERY_PHRASE, [OP_GLOB] = QUERY_GLOB, [OP_EQUAL] = QUERY_EQUAL, [OP_LIKE] = QUERY_LIKE,
        [OP_PRESENT] = QUERY_PRESENT, [OP_SET] = QUERY_SET, [OP_ADDRESSES] = QUERY_ADDRESSES, [OP_RANGE] = QUERY_NUMBERS, [OP_TIMES] = QUERY_TIMES,
        [OP_REGEX] = QUERY_REGEX, [OP_AND] = QUERY_AND, [OP_OR] = QUERY_OR, [OP_NOT] = QUERY_NOT,
    };

    return kinds[op];
}

/* twin_letter - may another letter stand for this one where look-alikes are folded? */
static bool twin_letter(char c) { return c && strchr("abcehijkmopstxy36", c) != NULL; }

/* needle_of - the longest run of letters of the text that are the same bytes in every value that matches, but for the case of ASCII. */
static struct str needle_of(const struct query_leaf *n)
{
    bool pattern = n->op == OP_GLOB || n->op == OP_LIKE;
    struct str best = { NULL, 0 };
    size_t from = 0;

    if (n->op != OP_WORD && n->op != OP_PHRASE && n->op != OP_EQUAL && !pattern)
        return best;
    for (size_t i = 0; i <= n->text.n; i++) {
        char c = i < n->text.n ? n->text.p[i] : 0;

        if (i < n->text.n && (unsigned char)c < 0x80 && !(pattern && (c == '*' || c == '?')) && !(n->twins && twin_letter(c)))
            continue;
        if (i - from > best.n)
            best = str_of(n->text.p + from, i - from);
        from = i + 1;
    }
    return best;
}

size_t query_steps(const struct query *q) { return q->steps; }

struct query_step query_step(const struct query *q, size_t i)
{
    const struct query_leaf *n = &q->node[q->step[i]];
    struct query_step s = { .kind = kind_of(n->op) };

    if (s.kind >= QUERY_AND)
        return s;
    s.leaf = n;
    s.field = n->name;
    s.text = n->text;
    s.twins = n->twins;
    s.set = n->op == OP_SET ? n->set->value : NULL;
    s.set_count = n->op == OP_SET ? n->set->count : 0;
    s.low = n->low;
    s.high = n->high;
    s.least = n->least;
    s.most = n->most;
    s.from = n->from;
    s.to = n->to;
    s.needle = needle_of(n);
    return s;
}

/* --- times --- */

struct span {
    time_ns from, to;
};

void query_range(const struct query *q, time_ns *from, time_ns *to)
{
    struct span stack[QUERY_NODES_MAX], all = { INT64_MIN, INT64_MAX }, *a;
    size_t depth = 0;

    for (size_t i = 0; i < q->steps; i++) {
        const struct query_leaf *n = &q->node[q->step[i]];

        a = depth > 1 ? &stack[depth - 2] : &stack[0];
        switch (n->op) {
        case OP_AND:
            depth--;
            a->from = a->from > stack[depth].from ? a->from : stack[depth].from;
            a->to = a->to < stack[depth].to ? a->to : stack[depth].to;
            break;
        case OP_OR:
            depth--;
            a->from = a->from < stack[depth].from ? a->from : stack[depth].from;
            a->to = a->to > stack[depth].to ? a->to : stack[depth].to;
            break;
        case OP_NOT:
            stack[depth - 1] = all;
            break;
        default:
            stack[depth++] = n->op == OP_TIMES && str_eq(n->name, STR("@timestamp")) ? (struct span){ n->from, n->to } : all;
        }
    }
    if (depth == 0)
        return;
    *from = stack[0].from > *from ? stack[0].from : *from;
    *to = stack[0].to < *to ? stack[0].to : *to;
    /* Times that exclude each other: an empty range, and none that ends before it begins. */
    if (*to < *from)
        *to = *from;
}

/* --- as a text --- */

static void put_quoted(struct buf *b, struct str s)
{
    buf_byte(b, '"');
    for (size_t i = 0; i < s.n; i++) {
        if (s.p[i] == '"' || s.p[i] == '\\')
            buf_byte(b, '\\');
        buf_byte(b, s.p[i]);
    }
    buf_byte(b, '"');
}

static void put_pattern(struct buf *b, struct str s)
{
    buf_byte(b, '/');
    for (size_t i = 0; i < s.n; i++) {
        if (s.p[i] == '/')
            buf_byte(b, '\\');
        buf_byte(b, s.p[i]);
        if (s.p[i] == '\\' && i + 1 < s.n)
            buf_byte(b, s.p[++i]);
    }
    buf_byte(b, '/');
}

static void put_set(struct buf *b, const struct query_set *set)
{
    buf_byte(b, '(');
    for (size_t i = 0; i < set->count; i++) {
        buf_str(b, i ? STR(" OR ") : STR(""));
        put_quoted(b, set->value[i]);
    }
    buf_byte(b, ')');
}

static void put_address(struct buf *b, const unsigned char a[16])
{
    static const unsigned char four[12] = { [10] = 0xff, [11] = 0xff };
    char text[INET6_ADDRSTRLEN];
    bool mapped = memcmp(a, four, 12) == 0;

    buf_str(b, str_c(inet_ntop(mapped ? AF_INET : AF_INET6, mapped ? a + 12 : a, text, sizeof text)));
}

static void put_addresses(struct buf *b, const struct query_leaf *n)
{
    if (memcmp(n->low, n->high, 16) > 0) {
        buf_str(b, STR(">255.255.255.255"));   /* what lies behind the last one */
        return;
    }
    put_address(b, n->low);
    buf_str(b, STR(".."));
    put_address(b, n->high);
}

static void put_numbers(struct buf *b, const struct query_leaf *n)
{
    /* Behind the last number there is none. */
    if (n->least > 0 && isinf(n->least)) {
        buf_printf(b, ">%.17g", nextafter(INFINITY, 0));
        return;
    }
    if (n->most < 0 && isinf(n->most)) {
        buf_printf(b, "<%.17g", nextafter(-INFINITY, 0));
        return;
    }
    if (!isinf(n->least))
        buf_printf(b, "%.17g", n->least);
    buf_str(b, STR(".."));
    if (!isinf(n->most))
        buf_printf(b, "%.17g", n->most);
}

/* put_moment - with nine digits behind the second, so that it names no more than itself. */
static void put_moment(struct buf *b, time_ns t)
{
    struct civil c = civil_of_ns(t, 0);
    time_ns rest = t % NS_PER_SECOND;

    buf_printf(b, "%04d-%02d-%02dT%02d:%02d:%02d.%09lldZ", c.year, c.month, c.day, c.hour, c.minute, c.second,
               (long long)(rest < 0 ? rest + NS_PER_SECOND : rest));
}

static void put_times(struct buf *b, const struct query_leaf *n)
{
    /* What no text can say is no bound: no event is as old, or as young. */
    bool from = n->from > civil_to_ns(&(struct civil){ 1700, 1, 1, 0, 0, 0 }, 0), to = n->to < civil_to_ns(&(struct civil){ 2250, 1, 1, 0, 0, 0 }, 0);

    if (!from && !to) {
        buf_byte(b, '*');
        return;
    }
    if (from)
        put_moment(b, n->from);
    buf_str(b, STR(".."));
    if (to)
        put_moment(b, n->to - 1);
}

static void put_leaf(struct buf *b, const struct query_leaf *n)
{
    if (n->name.n) {
        buf_str(b, n->name);
        buf_byte(b, ':');
    }
    if (n->twins)
        buf_byte(b, '~');
    switch (n->op) {
    case OP_ALL:
    case OP_PRESENT: buf_byte(b, '*'); return;
    case OP_PHRASE:
    case OP_EQUAL: put_quoted(b, n->text); return;
    case OP_SET: put_set(b, n->set); return;
    case OP_ADDRESSES: put_addresses(b, n); return;
    case OP_RANGE: put_numbers(b, n); return;
    case OP_TIMES: put_times(b, n); return;
    case OP_REGEX: put_pattern(b, n->text); return;
    default: buf_str(b, n->text); return;
    }
}

/* insert - text at a place inside what was written. */
static void insert(struct buf *b, size_t at, struct str text)
{
    if (!buf_room(b, text.n))
        return;
    memmove(b->p + at + text.n, b->p + at, b->n - at);
    memcpy(b->p + at, text.p, text.n);
    b->n += text.n;
}

struct piece {
    size_t        at;
    enum query_op op;     /* what binds it: OP_ALL for what needs no parentheses */
};

/* enclose - the piece that ends the text, or at a place before end, in parentheses. Returns how many bytes longer it is. */
static size_t enclose(struct buf *b, size_t at, size_t end)
{
    insert(b, end, STR(")"));
    insert(b, at, STR("("));
    return 2;
}

static void join(struct buf *b, struct piece *left, struct piece *right, enum query_op op)
{
    if (op == OP_AND && right->op == OP_OR)
        (void)enclose(b, right->at, b->n);
    if (op == OP_AND && left->op == OP_OR)
        right->at += enclose(b, left->at, right->at);
    insert(b, right->at, op == OP_AND ? STR(" AND ") : STR(" OR "));
    left->op = op;
}

void query_print(const struct query *q, struct buf *b)
{
    struct piece stack[QUERY_NODES_MAX];
    size_t depth = 0;

    if (q->steps == 0)
        buf_byte(b, '*');
    for (size_t i = 0; i < q->steps && !buf_failed(b); i++) {
        const struct query_leaf *n = &q->node[q->step[i]];

        switch (n->op) {
        case OP_AND:
        case OP_OR:
            depth--;
            join(b, &stack[depth - 1], &stack[depth], n->op);
            break;
        case OP_NOT:
            if (stack[depth - 1].op == OP_AND || stack[depth - 1].op == OP_OR)
                (void)enclose(b, stack[depth - 1].at, b->n);
            insert(b, stack[depth - 1].at, STR("NOT "));
            stack[depth - 1].op = OP_NOT;
            break;
        default:
            /* A set of nothing but patterns: its empty table selects nothing. */
            stack[depth++] = (struct piece){ b->n, n->op == OP_SET && n->set->count == 0 ? OP_NOT : OP_ALL };
            if (n->op == OP_SET && n->set->count == 0)
                buf_str(b, STR("NOT *"));
            else
                put_leaf(b, n);
        }
    }
}
