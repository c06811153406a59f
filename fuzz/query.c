/* query.c - enemy of query: any text as a search, tried on an event of any bytes. The first 64 bytes are the line, the rest is the text. What it selects, its
 * printed form selects too, and so does a reader of the tree that knows nothing but its face. */
#include "query/query.h"

#define NOW (INT64_C(1795861800) * NS_PER_SECOND)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void count_hints(void *arg, const struct query_fault *hint)
{
    size_t *n = arg;

    *n += hint->code != NULL;
}

static bool leaf_holds(const struct query_step *s, const struct event *ev)
{
    uint32_t at = 0;
    struct str v;

    if (s->kind == QUERY_TIMES && (str_eq(s->field, STR("@timestamp")) || str_eq(s->field, STR("event.received"))))
        return s->from <= 0 && s->to > 0;
    if (!s->field.n) {
        bool yes = query_leaf_match(s->leaf, ev->original);

        for (uint32_t i = 0; i < ev->field_count; i++)
            yes = yes || query_leaf_match(s->leaf, ev->fields[i].value);
        return yes;
    }
    while (event_values(ev, s->field, &at, &v))
        if (query_leaf_match(s->leaf, v))
            return true;
    return s->kind == QUERY_ALL;
}

static bool holds(const struct query *q, const struct event *ev)
{
    bool stack[QUERY_NODES_MAX];
    size_t depth = 0;

    for (size_t i = 0; i < query_steps(q); i++) {
        struct query_step s = query_step(q, i);

        if (s.kind < QUERY_AND)
            stack[depth++] = leaf_holds(&s, ev);
        else if (s.kind == QUERY_NOT)
            stack[depth - 1] = !stack[depth - 1];
        else {
            depth--;
            stack[depth - 1] = s.kind == QUERY_AND ? stack[depth - 1] && stack[depth] : stack[depth - 1] || stack[depth];
        }
    }
    return depth == 0 || stack[0];
}

static void ask(struct str text, const struct event *ev)
{
    struct buf printed;
    struct query *q, *p;
    size_t n = 0, pipes;
    time_ns from = INT64_MIN, to = INT64_MAX;

    if (query_parse_with(text, &(struct query_options){ .now = NOW, .pipes = &pipes }, &q, NULL) < 0)
        return;
    bool yes = query_match(q, ev);

    query_needs(q, &n);
    query_hints(q, count_hints, &n);
    query_range(q, &from, &to);
    if (yes && (ev->time < from || ev->time >= to))
        abort();
    if (holds(q, ev) != yes)
        abort();
    buf_init(&printed, 0);
    query_print(q, &printed);
    /* Printed it may be longer than a text may be: times and escapes take more room. */
    if (!buf_failed(&printed) && printed.n <= QUERY_VALUE_MAX) {
        if (query_parse(buf_view(&printed), &p, NULL) < 0 || query_match(p, ev) != yes)
            abort();
        query_free(&p);
    }
    buf_free(&printed);
    query_free(&q);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    size_t cut = size < 64 ? size : 64;
    struct event_batch b;

    event_batch_init(&b, 0);
    struct event *ev = event_batch_add(&b);
    ev->original = str_of((const char *)data, cut);
    if (event_add(ev, &b.arena, STR("user.name"), str_of((const char *)data, cut / 2)) < 0)
        abort();
    ask(str_of((const char *)data + cut, size - cut), ev);
    event_batch_free(&b);
    return 0;
}
