/* test_language.c - sets, ranges, times, look-alikes, letters of Kazakh and Russian, the face of the tree; random trees printed and read again; the compiled
 * predicate against an evaluator that has no short cuts. */
#include "query/internal.h"
#include "base/catalog.h"
#include "base/test.h"

/* Saturday, 28 November 2026, 15:30:00 in Astana. */
#define NOW (INT64_C(1795861800) * NS_PER_SECOND)

static int parse_now(const char *text, struct query **q, struct query_fault *f)
{
    return query_parse_with(str_c(text), &(struct query_options){ .now = NOW, .fault = f }, q, NULL);
}

static void fill(struct event_batch *b)
{
    struct event *ev = event_batch_add(b);

    ev->original = STR("Nov 28 15:29:00 srv-1 app: user=root login Сервер-Астана роwershell size=17 |CEF:0|x|");
    ev->parser = STR("app");
    ev->time = NOW - 60 * NS_PER_SECOND;
    ev->received = NOW - 30 * NS_PER_SECOND;
    assert_int_equal(event_add(ev, &b->arena, STR("source.ip"), STR("10.0.0.7")), 0);
    assert_int_equal(event_add(ev, &b->arena, STR("user.name"), STR("root")), 0);
    assert_int_equal(event_add(ev, &b->arena, STR("user.name"), STR("Әлия")), 0);
    assert_int_equal(event_add(ev, &b->arena, STR("http.response.bytes"), STR("17")), 0);
    assert_int_equal(event_add(ev, &b->arena, STR("process.name"), STR("роwershell.exe")), 0);   /* "ро" is Cyrillic */
    assert_int_equal(event_add(ev, &b->arena, STR("event.created"), STR("2026-11-28T10:29:00Z")), 0);
    assert_int_equal(event_add(ev, &b->arena, STR("source.v6"), STR("2001:db8::17")), 0);
    assert_int_equal(event_add(ev, &b->arena, STR("from"), STR("ivan@example.kz")), 0);
    assert_int_equal(event_add(ev, &b->arena, STR("odd.number"), STR("0x11")), 0);
}

static const struct {
    const char *text;
    bool        want;
} rows[] = {
    { "user.name:(root OR admin)", true }, { "user.name:(admin, ROOT)", true }, { "user.name:(admin OR guest)", false }, { "user.name:(\"x y\" OR root)", true },
    { "user.name:(admin OR ro*)", true }, { "user.name:(r?ot)", true }, { "user.name:(әлия)", true }, { "NOT user.name:(root)", false }, { "-user.name:(a OR b)", true },
    { "source.ip:(10.1.0.0/16 OR 10.0.0.0/29)", true }, { "source.ip:(1.1.1.1, 10.0.0.8..10.0.0.9)", false }, { "user.name:(/^ro/ OR x)", true },
    { "user.name:(x OR ~rооt)", true }, { "user.name:(root) login", true }, { "(user.name:(x OR root))", true },
    { "user.id:\"\"", true }, { "user.name:\"\"", false }, { "NOT user.id:\"\"", false }, { "user.name:*", true },
    { "http.response.bytes:5..", true }, { "http.response.bytes:..5", false }, { "http.response.bytes:17..*", true }, { "http.response.bytes:*..17", true },
    { "http.response.bytes:>1e1", true }, { "http.response.bytes:-5..16.5", false }, { "odd.number:17", false }, { "odd.number:0..20", false },
    { "source.ip:10.0.0.1..10.0.0.9", true }, { "source.ip:10.0.0.8..10.0.0.9", false }, { "source.ip:>10.0.0.6", true }, { "source.ip:>10.0.0.7", false },
    { "source.ip:>=10.0.0.7", true }, { "source.ip:<10.0.0.7", false }, { "source.ip:<=10.0.0.7", true }, { "source.ip:10.0.0.7..", true }, { "source.v6:>10.0.0.1", false },
    { "source.ip:<2001:db8::", true }, { "source.v6:2001:db8::1..2001:db8::ff", true }, { "source.ip:>255.255.255.255", false },
    { "time:today", true }, { "time:yesterday", false }, { "time:2026-11-28", true }, { "time:2026-11", true }, { "time:2026-11-27", false },
    { "time:2026-11-28T15:29", true }, { "time:2026-11-28T10:29Z", true }, { "time:\"x\"", false }, { "time:>=now-2m", true }, { "time:>=now-30s", false },
    { "time:-1h..now", true }, { "time:now-30s..", false }, { "time:<now", true }, { "time:today+15h..today+16h", true }, { "time:>2026-11-27", true },
    { "time:>2026-11-28", false }, { "time:<=2026-11-28", true }, { "time:<2026-11-28", false }, { "@timestamp:>=now-1h30m", true }, { "@timestamp:*", true },
    { "@timestamp:2026-11-28T15:29:00+05:00..2026-11-28T15:29:00+05:00", true }, { "event.received:>=now-45s", true }, { "event.received:<now-45s", false },
    { "from:yesterday to:today", false }, { "from:today to:now", true }, { "from:now-1m", true }, { "to:now-1m", false }, { "from:\"ivan@example.kz\"", true },
    { "from:*", true }, { "from:/ivan/", true }, { "time:*", false }, { "time:(yesterday OR today)", true },
    { "event.created:>=2026-11-28T15:29", true }, { "event.created:>2026-11-28T15:29", false }, { "event.created:now-2m..now", true }, { "event.created:..2026-11-28", true },
    { "user.name:>now-1h", false },
    { "powershell", false }, { "~powershell", true }, { "~POWERSHELL", true }, { "~\"powershell size\"", true }, { "~power*", true }, { "~роwershell", true },
    { "process.name:powershell.exe", false }, { "process.name:~powershell.exe", true }, { "process.name:~power*", true }, { "process.name:~\"powershell.exe\"", true },
    { "~Cepвep", true }, { "~астана", true }, { "~acтaнa", true }, { "~/.ssh", false }, { "user.name:~r00t", false },
    { "user=root", true }, { "CEF:0|x", false }, { "0|x", true },
};

static void texts_select_events(void **state)
{
    struct event_batch b;

    (void)state;
    event_batch_init(&b, 0);
    fill(&b);
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct query_fault f = { 0 };
        struct query *q;

        if (parse_now(rows[i].text, &q, &f) < 0)
            fail_msg("row \"%s\": %s at %d", rows[i].text, f.code, f.letter);
        CHECK(rows[i].text, query_match(q, &b.items[0]) == rows[i].want);
        query_free(&q);
    }
    event_batch_free(&b);
}

/* Every letter of the two alphabets that has a case, Ә Ғ Қ Ң Ө Ұ Ү Һ І and Ё among them. */
static void letters_have_no_case(void **state)
{
    static const struct {
        const char *capital, *small;
    } pairs[] = { { "АБВГДЕЁЖЗИЙКЛМНОПРСТУФХЦЧШЩЪЫЬЭЮЯ", "абвгдеёжзийклмнопрстуфхцчшщъыьэюя" }, { "ӘҒҚҢӨҰҮҺІ", "әғқңөұүһі" },
                { "ABCDEFGHIJKLMNOPQRSTUVWXYZ", "abcdefghijklmnopqrstuvwxyz" } };

    (void)state;
    for (size_t i = 0; i < COUNT(pairs); i++) {
        struct event ev = { .original = str_c(pairs[i].capital) };
        struct query *q;

        for (int k = 0; k < 2; k++) {
            assert_int_equal(query_parse(str_c(k ? pairs[i].capital : pairs[i].small), &q, NULL), 0);
            ev.original = str_c(k ? pairs[i].small : pairs[i].capital);
            CHECK(pairs[i].small, query_match(q, &ev));
            query_free(&q);
        }
    }
}

static void wrong_texts_say_what_to_write(void **state)
{
    static const struct {
        const char *text, *code;
        int         letter;
        const char *word, *instead;
    } wrong[] = {
        { "time:yestreday", "no_time", 6, "yestreday", NULL }, { "time:now-15m", "a_moment", 6, "now-15m", "time:>=now-15m" }, { "from:alice", "no_time", 6, "alice", NULL },
        { "time:2026-02-30", "no_time", 6, "2026-02-30", NULL }, { "time:5..9", "no_time", 6, "5..9", NULL }, { "a | head 5", "pipe", 3, "", "" }, { "(a|)", "bar", 2, "a|", "" }, { "b OR -|a", "bar", 7, "|a", "" },
        { "port:9..5", "backwards", 6, "", "5..9" }, { "ip:10.0.0.9..10.0.0.1", "backwards", 4, "", "10.0.0.1..10.0.0.9" },
        { "time:2026-11-28..2026-11-27", "backwards", 6, "", "2026-11-27..2026-11-28" },
        { "u:(a b)", "set_or", 6, "b", "" }, { "u:(a OR", "open_paren", 1, "", "" }, { "u:(", "open_paren", 1, "", "" }, { "u:()", "set_empty", 4, "", "" }, { "u:(a OR )", "no_operand", 9, "", "" },
        { "u:(NOT a)", "set_operator", 4, "NOT", NULL }, { "u:(a, , b)", "no_operand", 7, "", "" }, { "(a", "open_paren", 1, "", "" }, { "қаз )", "extra_close", 5, "", "" },
        { "a:", "no_value", 3, "", "" }, { "\"a", "open_quote", 1, "", "" }, { "a:/b", "open_pattern", 3, "", "" }, { "a:/(/", "bad_pattern", 1, NULL, "" },
        { "a AND", "no_operand", 6, "", "" }, { "\"\"", "no_word", 1, "", "" },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(wrong); i++) {
        struct query_fault f = { 0 };
        struct query *q;

        CHECK(wrong[i].text, parse_now(wrong[i].text, &q, &f) == -EINVAL && q == NULL);
        if (strcmp(f.code, wrong[i].code) != 0 || f.letter != wrong[i].letter)
            fail_msg("row \"%s\": %s at letter %d", wrong[i].text, f.code, f.letter);
        CHECK(wrong[i].text, !wrong[i].word || strcmp(f.word, wrong[i].word) == 0);
        if (wrong[i].instead)
            assert_string_equal(f.instead, wrong[i].instead);
    }
}

static void a_filter_that_stands_is_not_relative(void **state)
{
    static const char *const relative[] = { "time:>=now-15m", "from:today", "time:yesterday", "event.received:-1h..now", "time:2026-11-28..now" };
    struct query *q;
    struct err e;

    (void)state;
    for (size_t i = 0; i < COUNT(relative); i++) {
        CHECK(relative[i], query_parse(str_c(relative[i]), &q, &e) == -EINVAL);
        CHECK(relative[i], strstr(e.text, "relative to now") != NULL);
    }
    assert_int_equal(query_parse(STR("time:>=2026-11-28"), &q, &e), 0);
    query_free(&q);
}

static void the_filter_ends_at_its_pipe(void **state)
{
    static const struct {
        const char *text;
        size_t      rest;
    } texts[] = { { "a | head 5", 3 }, { "a| head 5", 2 }, { "a |head 5", 3 }, { "| stats count()", 1 }, { "a|b", SIZE_MAX }, { "\"a | b\" | head", 9 }, { "(a)|head", 4 }, { "", SIZE_MAX }, { "a |", 3 },
                  { "u:(a OR b) | head", 12 } };

    (void)state;
    for (size_t i = 0; i < COUNT(texts); i++) {
        size_t rest = 99;
        struct query *q;

        if (query_parse_with(str_c(texts[i].text), &(struct query_options){ .now = NOW, .pipes = &rest }, &q, NULL) < 0)
            fail_msg("row \"%s\" is refused", texts[i].text);
        if (rest != texts[i].rest)
            fail_msg("row \"%s\": ends at %zu", texts[i].text, rest);
        query_free(&q);
    }
}

static void times_narrow_what_is_read(void **state)
{
    static const struct {
        const char *text;
        int64_t     from_s, to_s;   /* from now; 0: open */
    } asks[] = {
        { "a time:>=now-1h", -3600, 0 }, { "time:now-2h..now-1h b", -7200, -3599 }, { "time:>=now-1h OR b", 0, 0 }, { "time:>=now-1h OR time:>=now-2h", -7200, 0 },
        { "NOT time:>=now-1h", 0, 0 }, { "from:now-1h to:now-1m", -3600, -60 }, { "event.received:>=now-1h", 0, 0 },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(asks); i++) {
        time_ns from = INT64_MIN, to = INT64_MAX;
        struct query *q;

        assert_int_equal(parse_now(asks[i].text, &q, NULL), 0);
        query_range(q, &from, &to);
        CHECK(asks[i].text, from == (asks[i].from_s ? NOW + asks[i].from_s * NS_PER_SECOND : INT64_MIN));
        /* The end of a moment is itself, one nanosecond wide. */
        CHECK(asks[i].text, asks[i].to_s == -3599 ? to == NOW - NS_PER_HOUR + 1 : to == (asks[i].to_s ? NOW + asks[i].to_s * NS_PER_SECOND : INT64_MAX));
        query_free(&q);
    }
}

static void a_set_may_have_ten_thousand_values(void **state)
{
    AUTO_BUF struct buf b;
    struct query *q;
    struct event_batch batch;

    (void)state;
    buf_init(&b, 0);
    buf_str(&b, STR("source.ip:("));
    for (int i = 0; i < QUERY_SET_MAX - 1; i++)
        buf_printf(&b, "10.9.%d.%d, ", i / 250, i % 250);
    buf_str(&b, STR("10.0.0.7)"));
    event_batch_init(&batch, 0);
    fill(&batch);
    assert_int_equal(query_parse(buf_view(&b), &q, NULL), 0);
    assert_int_equal(query_steps(q), 1);
    assert_int_equal(query_step(q, 0).set_count, QUERY_SET_MAX);
    assert_true(query_match(q, &batch.items[0]));
    query_free(&q);
    b.n--;
    buf_str(&b, STR(", x)"));
    struct query_fault f;
    assert_int_equal(query_parse_with(buf_view(&b), &(struct query_options){ .now = NOW, .fault = &f }, &q, NULL), -EINVAL);
    assert_string_equal(f.code, "set_long");
    event_batch_free(&batch);
}

/* --- slips --- */

struct heard {
    struct query_fault hint;
    size_t             count;
};

static void hear(void *arg, const struct query_fault *f)
{
    struct heard *h = arg;

    h->hint = *f;
    h->count++;
}

static void slips_are_told_and_never_refused(void **state)
{
    static const struct {
        const char *text, *code, *instead;   /* NULL: nothing */
    } slips[] = {
        { "sorce.ip:10.0.0.1", "hint_field", "source.ip" }, { "user.nmae:root", "hint_field", "user.name" }, { "user:root", "hint_field", "user.name" },
        { "source.ip=10.0.0.1", "hint_equals", "source.ip:10.0.0.1" }, { "source.ip:10.0.0.1", NULL, NULL }, { "my.own.thing:5", NULL, NULL }, { "rhost=10.0.0.1", NULL, NULL },
        { "a", NULL, NULL }, { "time:today", NULL, NULL }, { "host:(a OR b*)", "hint_field", "host.name" },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(slips); i++) {
        struct heard h = { .count = 0 };
        struct query *q;

        assert_int_equal(parse_now(slips[i].text, &q, NULL), 0);
        query_hints(q, hear, &h);
        CHECK(slips[i].text, (h.count > 0) == (slips[i].code != NULL));
        CHECK(slips[i].text, !slips[i].code || (strcmp(h.hint.code, slips[i].code) == 0 && strcmp(h.hint.instead, slips[i].instead) == 0));
        query_free(&q);
    }
}

/* --- the face of the tree: an evaluator that knows nothing but it --- */

static bool step_holds(const struct query_step *s, const struct event *ev)
{
    uint32_t at = 0;
    struct str v;

    if (s->kind == QUERY_ALL)
        return true;
    if (s->kind == QUERY_TIMES && (str_eq(s->field, STR("@timestamp")) || str_eq(s->field, STR("event.received")))) {
        time_ns t = str_eq(s->field, STR("@timestamp")) ? ev->time : ev->received;

        return t >= s->from && t < s->to;
    }
    if (!s->field.n) {
        if (query_leaf_match(s->leaf, ev->original))
            return true;
        for (uint32_t i = 0; i < ev->field_count; i++)
            if (query_leaf_match(s->leaf, ev->fields[i].value))
                return true;
        return false;
    }
    while (event_values(ev, s->field, &at, &v))
        if (query_leaf_match(s->leaf, v))
            return true;
    return false;
}

static bool holds(const struct query *q, const struct event *ev)
{
    bool stack[QUERY_NODES_MAX];
    size_t depth = 0;

    for (size_t i = 0; i < query_steps(q); i++) {
        struct query_step s = query_step(q, i);

        if (s.kind == QUERY_NOT)
            stack[depth - 1] = !stack[depth - 1];
        else if (s.kind == QUERY_AND || s.kind == QUERY_OR) {
            depth--;
            stack[depth - 1] = s.kind == QUERY_AND ? stack[depth - 1] & stack[depth] : stack[depth - 1] | stack[depth];
        } else
            stack[depth++] = step_holds(&s, ev);
    }
    return depth == 0 || stack[0];
}

/* has_needle - the needle stands in the value, ASCII in either case. */
static bool has_needle(struct str v, struct str needle) { return needle.n == 0 || str_ifind(v, needle) >= 0; }

static void the_tree_can_be_run_by_others(void **state)
{
    struct event_batch b;

    (void)state;
    event_batch_init(&b, 0);
    fill(&b);
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct query *q;

        assert_int_equal(parse_now(rows[i].text, &q, NULL), 0);
        CHECK(rows[i].text, holds(q, &b.items[0]) == rows[i].want);
        for (size_t k = 0; k < query_steps(q); k++) {
            struct query_step s = query_step(q, k);

            for (uint32_t v = 0; s.leaf && v < b.items[0].field_count; v++)
                CHECK(rows[i].text, !query_leaf_match(s.leaf, b.items[0].fields[v].value) || has_needle(b.items[0].fields[v].value, s.needle));
        }
        query_free(&q);
    }
    event_batch_free(&b);
}

/* --- random trees --- */

struct dice {
    uint64_t s;
};

static unsigned roll(struct dice *d, unsigned n)
{
    d->s ^= d->s << 13;
    d->s ^= d->s >> 7;
    d->s ^= d->s << 17;
    return (unsigned)(d->s >> 11) % n;
}

/* random_text - operators and rows of the table above, in parentheses here and there. */
static void random_text(struct dice *d, struct buf *b)
{
    unsigned parts = 1 + roll(d, 6), open = 0;

    for (unsigned i = 0; i < parts; i++) {
        const char *leaf = rows[roll(d, COUNT(rows))].text;

        if (i)
            buf_str(b, roll(d, 3) == 0 ? STR(" ") : roll(d, 2) ? STR(" OR ") : STR(" AND "));
        if (roll(d, 4) == 0)
            buf_str(b, STR("NOT "));
        if (roll(d, 3) == 0) {
            buf_byte(b, '(');
            open++;
        }
        buf_str(b, str_c(leaf));
        if (open && roll(d, 2)) {
            buf_byte(b, ')');
            open--;
        }
    }
    while (open--)
        buf_byte(b, ')');
}

static void random_events(struct dice *d, struct event_batch *b)
{
    static const char *const names[] = { "source.ip", "user.name", "http.response.bytes", "process.name", "event.created", "from" };
    static const char *const values[] = { "10.0.0.7", "root", "ӘЛИЯ", "17", "5", "роwershell.exe", "2026-11-28T10:29:00Z", "ivan", "2001:db8::17", "x", "10.0.0.9" };

    for (int i = 0; i < 20; i++) {
        struct event *ev = event_batch_add(b);

        ev->original = roll(d, 2) ? STR("user=root login СЕРВЕР size=17") : STR("роwershell size guest");
        ev->time = NOW - roll(d, 200000) * NS_PER_SECOND;
        ev->received = ev->time + roll(d, 100) * NS_PER_SECOND;
        for (unsigned k = roll(d, 6); k > 0; k--)
            assert_int_equal(event_add(ev, &b->arena, str_c(names[roll(d, COUNT(names))]), str_c(values[roll(d, COUNT(values))])), 0);
    }
}

static void printed_trees_select_the_same(void **state)
{
    struct dice d = { 88172645463325252u };
    size_t selected = 0, asked = 0;

    (void)state;
    for (int round = 0; round < 1500; round++) {
        AUTO_BUF struct buf text, printed, again;
        struct event_batch b;
        struct query *q, *p;

        buf_init(&text, 0);
        buf_init(&printed, 0);
        buf_init(&again, 0);
        event_batch_init(&b, 0);
        random_events(&d, &b);
        random_text(&d, &text);
        buf_byte(&text, 0);
        text.n--;
        struct query_fault f;
        if (parse_now(text.p, &q, &f) < 0) {
            if (strcmp(f.code, "many_patterns") != 0)
                fail_msg("\"%s\": %s at %d", text.p, f.code, f.letter);
            event_batch_free(&b);
            continue;
        }
        query_print(q, &printed);
        if (query_parse(buf_view(&printed), &p, NULL) < 0)
            fail_msg("\"%s\" printed as \"%.*s\" is refused", text.p, STR_ARG(buf_view(&printed)));
        query_print(p, &again);
        if (!str_eq(buf_view(&printed), buf_view(&again)))
            fail_msg("\"%.*s\" printed again is \"%.*s\"", STR_ARG(buf_view(&printed)), STR_ARG(buf_view(&again)));
        for (size_t i = 0; i < b.count; i++) {
            bool yes = query_match(q, &b.items[i]);

            selected += yes;
            asked++;
            if (query_match(p, &b.items[i]) != yes || holds(q, &b.items[i]) != yes || holds(p, &b.items[i]) != yes)
                fail_msg("\"%s\" and \"%.*s\" do not say the same", text.p, STR_ARG(buf_view(&printed)));
        }
        query_free(&q);
        query_free(&p);
        event_batch_free(&b);
    }
    /* Both answers were asked for. */
    assert_true(selected > asked / 10 && selected < asked - asked / 10);
}

/* Every refusal has its sentence in the three languages, with the same places to fill. */
static void refusals_are_said_in_three_languages(void **state)
{
    static const struct {
        const char *code, *text;
    } faults[] = {
#define FAULT(id, text) { #id, text },
#include "query/fault.def"
#undef FAULT
    };
    const char *source = getenv("SAQSHY_SOURCE");
    struct catalog *c;
    struct err e;
    char path[4096], key[96];

    (void)state;
    snprintf(path, sizeof path, "%s/content/i18n", source ? source : ".");
    if (catalog_load(path, &c, &e) < 0)
        fail_msg("%s", e.text);
    for (size_t i = 0; i < COUNT(faults); i++)
        for (int lang = 0; lang < LANG_COUNT; lang++) {
            snprintf(key, sizeof key, "error.query.%s", faults[i].code);
            struct str text = catalog_text(c, (enum lang)lang, key);

            CHECK(faults[i].code, !str_eq(text, str_c(key)));
            CHECK(faults[i].code, (str_find(text, STR("{word}")) >= 0) == (strstr(faults[i].text, "{word}") != NULL));
            CHECK(faults[i].code, (str_find(text, STR("{instead}")) >= 0) == (strstr(faults[i].text, "{instead}") != NULL));
        }
    catalog_free(&c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(refusals_are_said_in_three_languages),
        cmocka_unit_test(texts_select_events),
        cmocka_unit_test(letters_have_no_case),
        cmocka_unit_test(wrong_texts_say_what_to_write),
        cmocka_unit_test(a_filter_that_stands_is_not_relative),
        cmocka_unit_test(the_filter_ends_at_its_pipe),
        cmocka_unit_test(times_narrow_what_is_read),
        cmocka_unit_test(a_set_may_have_ten_thousand_values),
        cmocka_unit_test(slips_are_told_and_never_refused),
        cmocka_unit_test(the_tree_can_be_run_by_others),
        cmocka_unit_test(printed_trees_select_the_same),
    };

    return cmocka_run_group_tests_name("query language", tests, NULL, NULL);
}
