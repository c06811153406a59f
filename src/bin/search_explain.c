/* search_explain.c - the plan of a search and what it cost, in words. */
#include "bin/search_explain.h"
#include "bin/event_print.h"

static const char *const kinds[] = {
    [QUERY_ALL] = "every event", [QUERY_WORD] = "word", [QUERY_PHRASE] = "phrase", [QUERY_GLOB] = "words like", [QUERY_EQUAL] = "equals", [QUERY_LIKE] = "is like",
    [QUERY_PRESENT] = "is there", [QUERY_SET] = "is one of", [QUERY_ADDRESSES] = "address in a range", [QUERY_NUMBERS] = "number in a range", [QUERY_TIMES] = "time in a range",
    [QUERY_REGEX] = "matches", [QUERY_AND] = "AND", [QUERY_OR] = "OR", [QUERY_NOT] = "NOT",
};

static void put_step(const struct query_step *s, size_t depth, struct buf *b)
{
    buf_printf(b, "  %*s", (int)min_size(depth, 40) * 2, "");
    plain_put(b, s->field, 256);
    buf_printf(b, "%s%s%s", s->field.n ? " " : "", kinds[s->kind], s->twins ? " (look-alike letters too)" : "");
    if (s->kind == QUERY_SET)
        buf_printf(b, " %zu values, by hash", s->set_count);
    if (s->text.n) {
        buf_str(b, STR(" \""));
        plain_put(b, s->text, 120);
        buf_byte(b, '"');
    }
    if (s->needle.n && !str_eq(s->needle, s->text)) {
        buf_str(b, STR(", needs \""));
        plain_put(b, s->needle, 60);
        buf_byte(b, '"');
    }
    buf_byte(b, '\n');
}

/* put_tree - operators above what they join: the size of each step's tree says where its sides begin. */
static void put_tree(const struct query *q, struct buf *b)
{
    static_assert(QUERY_NODES_MAX <= UINT16_MAX, "steps are counted in 16 bits");
    uint16_t size[QUERY_NODES_MAX], stack[QUERY_NODES_MAX], depth[QUERY_NODES_MAX];
    size_t steps = query_steps(q), waiting = 0;

    for (size_t i = 0; i < steps; i++) {
        enum query_kind k = query_step(q, i).kind;
        size_t right = k >= QUERY_AND ? size[i - 1] : 0u, left = k == QUERY_AND || k == QUERY_OR ? size[i - 1 - right] : 0u;

        size[i] = (uint16_t)(1 + left + right);
    }
    if (steps) {
        stack[waiting] = (uint16_t)(steps - 1);
        depth[waiting++] = 0;
    }
    while (waiting) {
        size_t i = stack[--waiting], d = depth[waiting];
        struct query_step s = query_step(q, i);

        put_step(&s, d, b);
        if (s.kind < QUERY_AND)
            continue;
        stack[waiting] = (uint16_t)(i - 1);
        depth[waiting++] = (uint16_t)(d + 1);
        if (s.kind != QUERY_NOT) {
            stack[waiting] = (uint16_t)(i - 1 - size[i - 1]);
            depth[waiting++] = (uint16_t)(d + 1);
        }
    }
}

static void put_bound(struct buf *b, time_ns t, const char *open)
{
    char text[TIME_TEXT_MAX];

    buf_str(b, t == INT64_MIN || t == INT64_MAX ? str_c(open) : str_c(time_format_offset(t, QUERY_ZONE_MIN, text)));
}

static void put_hint(void *arg, const struct query_fault *hint)
{
    struct buf *b = arg;

    buf_printf(b, "hint: \"%s\": perhaps \"%s\" is meant\n", hint->word, hint->instead);
}

void search_explain(const struct query *q, const struct pipes *p, const struct store_search *s, const struct store_stats *st, size_t rows, FILE *to)
{
    AUTO_BUF struct buf b;
    size_t needs;

    buf_init(&b, 16 * MIB);
    buf_str(&b, STR("filter: "));
    query_print(q, &b);
    buf_byte(&b, '\n');
    put_tree(q, &b);
    query_hints(q, put_hint, &b);
    buf_str(&b, STR("time: "));
    put_bound(&b, s->from, "the beginning");
    buf_str(&b, STR(" to "));
    put_bound(&b, s->to, "the end");
    (void)query_needs(q, &needs);
    buf_printf(&b, "\nblocks are skipped where one of %zu words is missing%s\n", needs, needs ? "" : ": none is needed, all blocks in the range of time are read");
    if (p) {
        buf_printf(&b, "pipes%s:\n", pipes_mergeable(p) ? " (several threads could share the events)" : "");
        pipes_print(p, &b);
    }
    buf_printf(&b, "looked at: %llu parts, %llu blocks (%llu skipped), %llu bytes, %llu events; %llu matched, %zu rows; %.3f ms\n", (unsigned long long)st->parts,
               (unsigned long long)st->blocks, (unsigned long long)st->blocks_skipped, (unsigned long long)st->bytes_read, (unsigned long long)st->events_scanned,
               (unsigned long long)st->matched, rows, (double)st->elapsed_ns / 1e6);
    if (!buf_failed(&b))
        fwrite(b.p, 1, b.n, to);
}
