/* test_shapes.c - lines that nobody understood, by their shape. */
#include "base/test.h"
#include "parse/parse.h"
#include "parse/shapes.h"

struct bench {
    struct shapes *s;
    struct event_batch b;
    time_ns at;
};

static struct bench begin(void)
{
    struct bench t = { .at = NS_PER_SECOND };

    assert_int_equal(shapes_new(&t.s, NULL), 0);
    event_batch_init(&t.b, 0);
    return t;
}

static void end(struct bench *t)
{
    event_batch_free(&t->b);
    shapes_free(&t->s);
    assert_null(t->s);
}

static void add_of(struct bench *t, const char *line, const char *program, const char *source, enum event_parse how, const char *parser)
{
    struct event *ev;

    event_batch_reset(&t->b);
    ev = event_batch_add(&t->b);
    ev->original = str_c(line);
    ev->source = str_c(source);
    ev->parse = how;
    ev->parser = str_c(parser);
    ev->time = t->at += NS_PER_SECOND;
    assert_int_equal(event_add(ev, &t->b.arena, STR("message"), str_c(line)), 0);
    assert_int_equal(event_add(ev, &t->b.arena, STR("process.name"), str_c(program)), 0);
    assert_int_equal(shapes_add(t->s, ev), 0);
}

static void add(struct bench *t, const char *line) { add_of(t, line, "", "srv1", EVENT_PARSE_FAILED, "raw"); }

static struct shape_view view(struct bench *t, size_t n)
{
    struct shape_view v;

    shapes_sort(t->s);
    assert_true(shapes_view(t->s, n, &v));
    return v;
}

static void group(void **state)
{
    static const struct { const char *a, *b, *shape; } rows[] = {
        { "user ann made 2 slices", "user bob made 12 slices", "user * made * slices" },
        { "from 192.0.2.7 port 22", "from 2001:db8::7 port 1022", NULL }, /* the marks of the second address part it */
        { "door \"main gate\" open", "door \"x\" open", "door * open" },
        { "link up", "link down", NULL },
        { "key=a1 state=on", "key=b2 state=on", "key=* state=on" },
        { "the same", "the same", "the same" },
        { "begin one two three four", "other one two three four", NULL }, /* another first word */
        { "жүйеге кірді ann, уақыты 5", "жүйеге кірді bob, уақыты 6", "жүйеге кірді *, уақыты *" },
        { "", "", "" },
        { "only \"one quote", "only \"one quote", "only \"one quote" },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct bench t = begin();
        struct shape_view v;

        add(&t, rows[i].a);
        add(&t, rows[i].b);
        v = view(&t, 0);
        CHECK(rows[i].a, v.count == (rows[i].shape ? 2u : 1u));
        if (rows[i].shape)
            CHECK(rows[i].a, str_eq(v.text, str_c(rows[i].shape)));
        CHECK(rows[i].a, shapes_view(t.s, 1, &v) == !rows[i].shape);
        CHECK(rows[i].a, shapes_lines(t.s) == 2);
        end(&t);
    }
}

static void order(void **state)
{
    struct bench t = begin();
    struct shape_view v;

    (void)state;
    add(&t, "rare thing 1");
    for (int i = 0; i < 3; i++)
        add_of(&t, "often seen 7", "toasterd", i ? "srv2" : "srv1", EVENT_PARSE_OK, "syslog");
    add_of(&t, "often seen 7", "kettled", "srv1", EVENT_PARSE_OK, "syslog");
    add_of(&t, "often seen 7", "toasterd", "srv1", EVENT_PARSE_PARTIAL, "x");
    add_of(&t, "understood", "toasterd", "srv1", EVENT_PARSE_OK, "sshd");
    v = view(&t, 0);
    assert_int_equal(v.count, 3);
    assert_int_equal(v.kind, SHAPE_HEADER);
    assert_true(str_eq(v.program, STR("toasterd")));
    assert_int_equal(v.source_count, 2);
    assert_true(str_eq(v.sources[1].id, STR("srv2")) && v.sources[1].count == 2);
    assert_int_equal(v.example_count, 1);
    assert_int_equal(v.first, 3 * NS_PER_SECOND);
    assert_int_equal(v.last, 5 * NS_PER_SECOND);
    assert_int_equal(shapes_lines(t.s), 6);
    assert_true(shapes_view(t.s, 3, &v));
    assert_false(shapes_view(t.s, 4, &v));
    end(&t);
}

/* many - more shapes than rows: what comes often is still there, its count not too low, and too high by no more than it says. */
static void many(void **state)
{
    struct bench t = begin();
    struct shape_view v;
    char line[64];

    (void)state;
    for (unsigned i = 0; i < 20 * SHAPES_MAX; i++) {
        char word[9] = { 0 };

        for (unsigned k = 0, n = i; k < 8; k++, n /= 26)
            word[k] = (char)('a' + n % 26);
        snprintf(line, sizeof line, "%s %s thing", word, word + 1);
        add(&t, line);
        if (i % 20 == 0)
            add(&t, "this comes again and again");
    }
    v = view(&t, 0);
    assert_true(str_eq(v.text, STR("this comes again and again")));
    assert_true(v.count >= SHAPES_MAX && v.count - v.over <= SHAPES_MAX);
    assert_true(shapes_view(t.s, SHAPES_MAX - 1, &v));
    assert_false(shapes_view(t.s, SHAPES_MAX, &v));
    end(&t);
}

static void queries(void **state)
{
    struct buf b;

    (void)state;
    buf_init(&b, 0);
    shape_query(1u << SHAPE_FAILED, (struct str){ NULL, 0 }, &b);
    assert_true(str_eq(buf_view(&b), STR("(saqshy.parse:failed)")));
    buf_reset(&b);
    shape_query(7, STR("saqshy.source:x"), &b);
    assert_true(str_eq(buf_view(&b), STR("(saqshy.parse:failed OR saqshy.parser:syslog OR saqshy.parse:partial) AND (saqshy.source:x)")));
    buf_free(&b);
}

/* reads - a draft made from a shape's examples reads the lines of the shape, and says of how many. */
static void reads(void **state)
{
    static const char lines[] = "Mar 19 08:05:09 k toasterd[7]: user ann made 2 slices\nMar 19 08:05:10 k toasterd[7]: user bob made 12 slices\n";
    static const char other[] = "Mar 19 08:05:10 k toasterd[7]: on fire\n";
    struct buf draft, all;
    size_t count, taken;

    (void)state;
    buf_init(&draft, 0);
    buf_init(&all, 0);
    assert_int_equal(parse_draft(str_c(lines), STR("toaster"), &draft, NULL), 0);
    buf_str(&all, str_c(lines));
    buf_str(&all, str_c(other));
    assert_int_equal(parse_draft_reads(buf_view(&draft), buf_view(&all), &count, &taken, NULL), 0);
    assert_int_equal(count, 3);
    assert_int_equal(taken, 2);
    /* Lines whose header names what is noted of an event. */
    static const char *const headers[] = {
        "<13>1 2026-03-19T08:05:09Z k toasterd 7 - [source ip=\"192.0.2.1\"] user ann made 2 slices\n",
        "<13>1 2026-03-19T08:05:09Z k toasterd 7 - [host name=\"n\"][user name=\"ann\"] user bob made 3 slices\n",
        "<13>Mar 19 08:05:09 192.0.2.7 toasterd[7]: user ann made 2 slices\n", "Mar 19 08:05:09 last message repeated 3 times\n",
        "<13>Mar 19 08:05:09 k Message forwarded from n: toasterd[7]: user ann made 2 slices\n", "%ASA-6-302013: user ann made 2 slices\n",
    };
    struct err e = { 0 };

    for (size_t i = 0; i < COUNT(headers); i++) {
        int rc = parse_draft(str_c(headers[i]), STR("toaster"), &draft, &e);

        CHECK(headers[i], rc == 0 || rc == -EINVAL || rc == -EBADMSG);
    }
    assert_int_equal(parse_draft(str_c(lines), STR("My Toaster"), &draft, &e), -EINVAL);
    assert_non_null(strstr(e.text, "\"My Toaster\" is no id"));
    assert_int_equal(parse_draft(str_c(lines), STR("a\nclass: sec"), &draft, NULL), -EINVAL);
    assert_int_equal(parse_draft_reads(STR("id: x\nfrob: true\n"), buf_view(&all), &count, &taken, NULL), -EBADMSG);
    buf_free(&draft);
    buf_free(&all);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        { .name = "lines of one shape are one row, others are not", .test_func = group },
        { .name = "the largest row comes first, with its sources, examples and moments; what was understood is no row", .test_func = order },
        { .name = "with more shapes than rows what comes often stays, and its count says how far it may be off", .test_func = many },
        { .name = "the search that finds what was not understood", .test_func = queries },
        { .name = "of a draft is told how many lines it reads", .test_func = reads },
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
