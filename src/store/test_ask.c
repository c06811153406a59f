/* test_ask.c - what a search and a histogram say of blocks of columns is what query_match says event by event, whatever is asked of whatever events. */
#include "store/testing.h"

#define EVENTS  1600u
#define BLOCK   512u
#define QUERIES 700u
#define PARTS   8u
#define BUCKETS 7u
#define START   (INT64_C(1795514400) * NS_PER_SECOND)

struct world {
    struct event_batch b;
    char               folder[64];
    unsigned           seed;
    struct buf         text;      /* of a query */
};

static unsigned any(struct world *w, unsigned n) { return (unsigned)rand_r(&w->seed) % n; }
static const char *one_of(struct world *w, const char *const *list, unsigned n) { return list[any(w, n)]; }

/* --- events: few words, so that what is asked is found; values that are pieces, runs of pieces, overlap, cut words and letters, repeat, are empty --- */

static const char *const words[] = { "root", "Айгүл", "o'neil", "fail", "Failed", "ab", "ааb", "10.0.0.7", "x-y", "7", "07", "user=root", "ӘЖ", "3.5", "2026-11-24" };

static struct str line_of_words(struct world *w)
{
    AUTO_BUF struct buf line;

    buf_init(&line, 0);
    for (unsigned i = any(w, 9); i > 0; i--) {
        buf_str(&line, str_c(one_of(w, words, COUNT(words))));
        buf_str(&line, str_c(one_of(w, (const char *const[]){ " ", " ", "", ":", "\t", "=", "." }, 7)));
    }
    return arena_copy(&w->b.arena, buf_view(&line));
}

static void add(struct world *w, struct event *ev, const char *name, struct str value) { assert_int_equal(event_add(ev, &w->b.arena, str_c(name), value), 0); }

/* cut - some piece of the line, at any bytes. */
static struct str cut(struct world *w, struct str line)
{
    size_t from = any(w, (unsigned)line.n + 1), n = any(w, (unsigned)(line.n - from) + 1);

    return str_of(line.p + from, n);
}

static void fill(struct world *w, struct event *ev, unsigned kind)
{
    struct arena *a = &w->b.arena;
    unsigned r = any(w, 100000);

    if (kind == 0) {
        struct str ip = arena_printf(a, "10.0.%u.%u", r % 3, r % 250);

        ev->original = arena_printf(a, "app[%u]: user=%s from %.*s:%u did 0x%x", r % 50, one_of(w, words, COUNT(words)), STR_ARG(ip), r % 900, r % 40);
        ev->time_text = str_of(ev->original.p, 3);
        add(w, ev, "source.ip", str_of(ev->original.p + str_find(ev->original, ip), ip.n));
        add(w, ev, "related", ip);
        add(w, ev, "message", str_cut(ev->original, 9));
        add(w, ev, "overlap", str_of(ev->original.p + 4, 12));
        add(w, ev, "process.pid", arena_printf(a, "%u", r % 50));
    } else if (kind == 1) {
        ev->original = arena_printf(a, "connection %u closed after %u.%02u seconds by worker%u (code %u) as %s", r, r % 100, r % 90, r % 9, r % 4, one_of(w, words, COUNT(words)));
    } else if (kind == 2) {
        ev->original = arena_printf(a, "x%uab y%u %s", r % 99, r % 2, one_of(w, words, COUNT(words)));
        add(w, ev, "id", str_of(ev->original.p + 1, 2));
        add(w, ev, "all", str_of(ev->original.p, 3));
    } else {
        ev->original = line_of_words(w);
        for (unsigned i = kind == 3 ? 2 : any(w, 6); i > 0; i--)
            add(w, ev, one_of(w, (const char *const[]){ "tag", "id", "message", "user.name" }, kind == 3 ? 1 : 4), any(w, 3) ? cut(w, ev->original) : str_c(one_of(w, words, COUNT(words))));
        if (kind == 4)
            add(w, ev, "empty", str_of("", 0));
    }
}

static void make_events(struct world *w)
{
    for (unsigned i = 0; i < EVENTS; i++) {
        struct event *ev = event_batch_add(&w->b);
        unsigned kind = any(w, 6);

        ev->seq = 10 + i + i / 100;    /* with gaps */
        ev->time = START + (time_ns)any(w, 60) * NS_PER_SECOND;
        ev->received = START + (time_ns)i * 1000 + (i > EVENTS * 2 / 3 ? NS_PER_DAY : 0);
        ev->class = (enum event_class)(kind % CLASS_COUNT);
        ev->parse = (enum event_parse)(kind % EVENT_PARSE_COUNT);
        ev->marks = kind == 5 ? MARK_NOT_UTF8 : 0;
        ev->source = kind % 2 ? STR("10.0.0.5") : arena_printf(&w->b.arena, "10.0.0.%u", any(w, 4));
        ev->object = kind % 3 ? STR("obj-1") : any(w, 2) ? STR("obj-2") : str_of(NULL, 0);
        ev->parser = kind % 2 ? STR("app") : str_of(NULL, 0);
        fill(w, ev, kind);
    }
}

/* --- queries --- */

static void put_quoted(struct buf *t, struct str s)
{
    buf_byte(t, '"');
    for (size_t i = 0; i < s.n; i++) {
        if (s.p[i] == '"' || s.p[i] == '\\')
            buf_byte(t, '\\');
        buf_byte(t, s.p[i]);
    }
    buf_byte(t, '"');
}

/* some_text - what stands in an event, or something like it. */
static struct str some_text(struct world *w, const struct event *ev)
{
    if (any(w, 3) == 0)
        return str_c(one_of(w, words, COUNT(words)));
    return cut(w, ev->field_count && any(w, 2) ? ev->fields[any(w, ev->field_count)].value : ev->original);
}

static void put_words(struct world *w, const struct event *ev)
{
    struct str s = some_text(w, ev);

    buf_str(&w->text, any(w, 5) ? STR("") : STR("~"));
    switch (any(w, 4)) {
    case 0: put_quoted(&w->text, s.n ? s : STR("a")); return;
    case 1: buf_str(&w->text, str_c(one_of(w, words, COUNT(words)))); return;
    case 2:
        buf_str(&w->text, any(w, 2) ? STR("*") : STR("a*"));
        buf_str(&w->text, str_of(s.p, min_size(s.n, 4)));
        buf_str(&w->text, any(w, 2) ? STR("*") : STR("?b*"));
        return;
    default: buf_str(&w->text, str_of(s.p, min_size(s.n, 5))); return;
    }
}

static void put_field(struct world *w, const struct event *ev)
{
    static const char *const names[] = { "saqshy.source", "saqshy.object", "saqshy.parser", "saqshy.class", "saqshy.parse", "saqshy.marks", "event.original", "source.ip", "related",
                                         "message", "overlap", "process.pid", "id", "all", "tag", "user.name", "empty", "nobody" };
    static const char *const values[] = { ">5", "3..9", "<=7", "..", "10.0.0.0/23", "10.0.0.1..10.0.1.9", "*", "\"\"", "not_utf8", "(root OR \"Айгүл\" OR 7*)", "/^[0-9]+$/", "/r.*t/", "/а/",
                                          "other", "parsed", "raw", ">=2026-11-01", "obj-*", "10.0.0.?" };
    struct str name = str_c(one_of(w, names, COUNT(names))), v = { NULL, 0 };
    uint32_t at = 0;

    buf_str(&w->text, name);
    buf_byte(&w->text, ':');
    if (any(w, 2)) {
        buf_str(&w->text, str_c(one_of(w, values, COUNT(values))));
        return;
    }
    buf_str(&w->text, any(w, 5) ? STR("") : STR("~"));
    (void)event_values(ev, name, &at, &v);
    if (any(w, 2))
        put_quoted(&w->text, v);
    else
        buf_printf(&w->text, "%s%.*s*", any(w, 2) ? "*" : "", (int)min_size(v.n, 4), v.n ? v.p : "");
}

static void put_leaf(struct world *w)
{
    const struct event *ev = &w->b.items[any(w, EVENTS)];

    switch (any(w, 6)) {
    case 0: buf_printf(&w->text, "time:>=2026-11-24T%02u:00:%02u", 18 + any(w, 2), any(w, 60)); return;
    case 1:
    case 2: put_words(w, ev); return;
    default: put_field(w, ev); return;
    }
}

static void put_tree(struct world *w, unsigned depth)
{
    if (depth == 0 || any(w, 3) == 0) {
        put_leaf(w);
        return;
    }
    buf_str(&w->text, any(w, 3) ? STR("(") : STR("NOT ("));
    put_tree(w, depth - 1);
    if (any(w, 4)) {
        buf_str(&w->text, any(w, 2) ? STR(" AND ") : STR(" OR "));
        put_tree(w, depth - 1);
    }
    buf_byte(&w->text, ')');
}

/* --- answers --- */

struct answers {
    uint64_t seq[EVENTS];
    size_t   count;
    const struct event *items;
};

static int take(void *arg, const struct event *ev)
{
    struct answers *a = arg;

    assert_true(a->count < EVENTS);
    a->seq[a->count++] = ev->seq;
    return 0;
}

static bool oldest;

static int in_order(const void *x, const void *y)
{
    const struct event *a = *(const struct event *const *)x, *b = *(const struct event *const *)y;
    int way = a->time != b->time ? (a->time < b->time ? -1 : 1) : a->seq < b->seq ? -1 : 1;

    return oldest ? way : -way;
}

/* want - what query_match says, in order. */
static void want(const struct world *w, const struct store_search *s, struct answers *out)
{
    const struct event *list[EVENTS];
    size_t n = 0;

    for (size_t i = 0; i < w->b.count; i++) {
        const struct event *ev = &w->b.items[i];
        bool page = !s->before_seq || ev->time < s->before_time || (ev->time == s->before_time && ev->seq < s->before_seq);

        if (ev->time >= s->from && (ev->time < s->to || s->to == INT64_MAX) && page && (!s->object_filter || str_eq(ev->object, s->object_only)) && query_match(s->query, ev))
            list[n++] = ev;
    }
    oldest = s->oldest_first;
    qsort(list, n, sizeof *list, in_order);
    out->count = s->limit ? min_size(n, s->limit) : n;
    for (size_t i = 0; i < out->count; i++)
        out->seq[i] = list[i]->seq;
}

static void compare(struct world *w, const struct store_search *s)
{
    struct answers right, got = { .count = 0 };
    struct store_stats stats;
    struct err e = { 0 };

    want(w, s, &right);
    if (store_find(s, take, &got, &stats, &e) < 0)
        fail_msg("%.*s: %s", (int)w->text.n, w->text.p, e.text);
    assert_int_equal(stats.damaged_parts, 0);
    if (got.count != right.count || memcmp(got.seq, right.seq, got.count * sizeof *got.seq) != 0)
        fail_msg("%.*s: %zu events, not %zu", (int)w->text.n, w->text.p, got.count, right.count);
}

static void compare_counts(struct world *w, struct store_search s)
{
    uint64_t got[BUCKETS] = { 0 }, right[BUCKETS] = { 0 };
    struct err e = { 0 };

    s.limit = 0;
    s.before_seq = 0;
    s.from = START + NS_PER_SECOND;
    s.to = START + 50 * NS_PER_SECOND;
    for (size_t i = 0; i < w->b.count; i++) {
        const struct event *ev = &w->b.items[i];

        if (ev->time >= s.from && ev->time < s.to && (!s.object_filter || str_eq(ev->object, s.object_only)) && query_match(s.query, ev))
            right[(uint64_t)(ev->time - s.from) * BUCKETS / (uint64_t)(s.to - s.from)]++;
    }
    if (store_histogram(&s, BUCKETS, got, NULL, &e) < 0)
        fail_msg("%.*s: %s", (int)w->text.n, w->text.p, e.text);
    for (size_t i = 0; i < BUCKETS; i++)
        if (got[i] != right[i])
            fail_msg("%.*s: %llu events in bucket %zu, not %llu", (int)w->text.n, w->text.p, (unsigned long long)got[i], i, (unsigned long long)right[i]);
}

/* ask - the same question whole, in a page, from either end. */
static void ask(struct world *w, const struct query *q)
{
    const struct event *ev = &w->b.items[any(w, EVENTS)];
    struct store_search s = { .store_folder = w->folder, .query = q, .from = INT64_MIN, .to = INT64_MAX };

    compare(w, &s);
    s.oldest_first = any(w, 2);
    s.limit = 1 + any(w, 40);
    compare(w, &s);
    s.from = START + (time_ns)any(w, 30) * NS_PER_SECOND;
    s.to = s.from + (time_ns)any(w, 30) * NS_PER_SECOND;
    s.before_time = ev->time;
    s.before_seq = ev->seq;
    s.oldest_first = false;
    s.object_filter = any(w, 2);
    s.object_only = STR("obj-2");
    compare(w, &s);
    compare_counts(w, s);
}

/* put_parts - a part for every so many events; the times of all lie among each other's. */
static void put_parts(struct world *w, struct store *s)
{
    struct err e;

    for (size_t at = 0, n; at < w->b.count; at += n) {
        n = min_size(w->b.count - at, EVENTS / PARTS);
        assert_int_equal(store_add(s, w->b.items + at, n, START, &e), 0);
        assert_int_equal(store_seal(s, &e), 0);
    }
}

static void ask_much(struct world *w)
{
    unsigned understood = 0;

    for (unsigned i = 0; i < QUERIES; i++) {
        struct query *q;
        struct err e;

        buf_reset(&w->text);
        put_tree(w, i % 4);
        if (query_parse(buf_view(&w->text), &q, &e) < 0)
            continue;
        understood++;
        ask(w, q);
        query_free(&q);
    }
    assert_true(understood > QUERIES / 2);
}

/* In parts as they are sealed, and again when they were merged into one. */
static void test_answers_are_those_of_the_predicate(void **state)
{
    struct world w = { .seed = 1 };
    struct store *s;
    struct err e;

    (void)state;
    event_batch_init(&w.b, 0);
    buf_init(&w.text, 0);
    folder_make(w.folder);
    make_events(&w);
    s = open_store(w.folder, BLOCK);
    put_parts(&w, s);
    assert_int_equal(s->manifest.count, PARTS + 1);     /* one of them is of two days */
    ask_much(&w);
    while (store_merge(s, START + 9 * NS_PER_DAY, &e) == 1)
        continue;
    assert_int_equal(s->manifest.count, 2);
    ask_much(&w);
    store_close(&s);
    event_batch_free(&w.b);
    buf_free(&w.text);
    folder_remove(w.folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_answers_are_those_of_the_predicate),
    };

    return cmocka_run_group_tests_name("store ask", tests, NULL, NULL);
}
