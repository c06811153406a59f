/* test_rules.c - rules as a whole: what is refused and where, what a match tells, hostile rules. */
#include "sigma/test_rows.h"

static const struct refused_row refused[] = {
    { "no condition", "title: t\nlogsource: {}\ndetection:\n  s: {a: x}\n", SIGMA_BROKEN, 4, 3, "\"condition\" is missing" },
    { "no title", "logsource: {}\n", SIGMA_BROKEN, 1, 1, "\"title\" is missing" },
    { "a bad level", "title: t\nlevel: huge\n", SIGMA_BROKEN, 2, 8, "\"level\" must be" },
    { "not a map", "- a\n- b\n", SIGMA_BROKEN, 1, 1, "a rule is a map" },
    { "not YAML", "title: [\n", SIGMA_BROKEN, 2, 1, "" },
    { "a correlation of a rule that is not there", "title: t\nid: c\ncorrelation:\n  type: event_count\n  rules: [q]\n"
      "  timespan: 5m\n  condition: {gte: 5}\n", SIGMA_BROKEN, 5, 10, "rule \"q\" is not among" },
    { "a correlation of an unknown type", "title: t\ncorrelation:\n  type: evnt\n  rules: [q]\n", SIGMA_BROKEN, 3, 9,
      "\"type\" must be" },
    { "a bad timespan", "title: t\ncorrelation:\n  type: event_count\n  rules: [q]\n  timespan: 5 minutes\n", SIGMA_BROKEN, 5, 13,
      "a span of time" },
    { "no bound", "title: t\ncorrelation:\n  type: event_count\n  rules: [q]\n  timespan: 5m\n  condition: {}\n", SIGMA_BROKEN, 6, 14,
      "is missing" },
    { "an unknown key of ours", "title: t\nsaqshy: {tittle_kk: x}\n", SIGMA_BROKEN, 2, 9, "tittle_kk" },
};

static void a_refusal_names_its_place_and_stops_no_other(void **state)
{
    (void)state;
    refusals_hold(refused, COUNT(refused));
}

static void a_match_tells_where(void **state)
{
    static const char text[] = "title: t\nlogsource: {}\ndetection:\n  s: {a|contains: 'СӘЛ'}\n  k: [sudo]\n  condition: s and k\n";
    struct one_set o = one_set(text);
    const struct sigma_match *m;
    struct err e;

    (void)state;
    event_from(&o.b, "a=\xe2\x84\xaa Сәлем\noriginal=x SUDO y");   /* the Kelvin sign shrinks from 3 bytes to 1 when folded */
    assert_int_equal(sigma_run_event(o.run, o.b.items, false, &m, &e), 1);
    assert_int_equal(m->hit_count, 2);
    assert_true(str_eq(m->hits[0].field, STR("a")) && str_eq(m->hits[0].value, STR("Сәл")));
    assert_int_equal(m->hits[0].at, 4);
    assert_true(str_eq(m->hits[1].field, STR("keywords")) && str_eq(m->hits[1].value, STR("SUDO")));
    one_set_free(&o);
}

static void a_rule_is_found_as_people_name_it(void **state)
{
    static const char text[] = "title: One\nid: i1\nname: n1\nsaqshy: {title_ru: 'Один'}\nlogsource: {}\ndetection: {s: {a: x}, condition: s}\n"
                               "---\ntitle: Two\nid: i2\nlogsource: {}\ndetection: {s: {a: x}, condition: s}\n"
                               "---\ntitle: Two\nid: One\nlogsource: {}\ndetection: {s: {a: x}, condition: s}\n";
    static const struct { const char *said, *id; } rows[] = {
        { "i1", "i1" }, { "n1", "i1" }, { "Один", "i1" }, { "i2", "i2" }, { "One", "One" /* an id counts before a title */ }, { "Two", NULL /* which? */ }, { "", NULL }, { "Thr", NULL },
    };
    struct one_set o = one_set(text);

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        const struct sigma_rule *r = sigma_rule_named(o.s, str_c(rows[i].said));

        CHECK(rows[i].said, rows[i].id ? r && str_eq(r->id, str_c(rows[i].id)) : !r);
    }
    one_set_free(&o);
}

static void hostile_rules_end(void **state)
{
    AUTO_BUF struct buf text;
    struct sigma *s = NULL;
    struct err e;

    (void)state;
    buf_init(&text, 0);
    buf_str(&text, STR("title: t\nlogsource: {}\ndetection:\n  s: {a: x}\n  condition: "));
    for (int i = 0; i < 2000; i++)
        buf_str(&text, STR("("));
    struct sigma_source src = { STR("deep.yml"), buf_view(&text) };
    assert_int_equal(sigma_compile(&src, 1, &s, &e), 0);
    assert_int_equal(sigma_refusal_count(s), 1);
    sigma_free(&s);
    /* A selection of many parts named very often: writing it out has a limit. */
    buf_reset(&text);
    buf_str(&text, STR("title: t\nlogsource: {}\ndetection:\n  s: {a|contains|all: ["));
    for (int i = 0; i < 500; i++)
        buf_printf(&text, "x%d,", i);
    buf_str(&text, STR("y]}\n  condition: s"));
    for (int i = 0; i < 500; i++)
        buf_str(&text, STR(" or not s"));
    src = (struct sigma_source){ STR("wide.yml"), buf_view(&text) };
    assert_int_equal(sigma_compile(&src, 1, &s, &e), 0);
    assert_int_equal(sigma_refusal_count(s), 1);
    assert_true(str_find(sigma_refusal_at(s, 0)->reason, STR("written out")) >= 0);
    sigma_free(&s);
}

/* More event numbers than the tables have words for: the set loads, and those past the words are found all the same. */
static void rules_may_name_any_number_of_event_numbers(void **state)
{
    enum { RULES = 7, EACH = 10000 };
    struct buf texts[RULES] = { 0 };
    struct sigma_source sources[RULES];
    struct event_batch events;
    struct sigma *s = NULL;
    struct sigma_run *run = NULL;
    struct err e;

    (void)state;
    for (int r = 0; r < RULES; r++) {
        buf_init(&texts[r], MIB);
        buf_printf(&texts[r], "title: t\nid: r%d\nlogsource: {product: windows}\ndetection:\n  s:\n    EventID:\n", r);
        for (int i = 0; i < EACH; i++)
            buf_printf(&texts[r], "      - %d\n", 100000 + r * EACH + i);
        buf_str(&texts[r], STR("  condition: s\n"));
        sources[r] = (struct sigma_source){ .path = STR("r.yml"), .text = buf_view(&texts[r]) };
    }
    assert_int_equal(sigma_compile(sources, RULES, &s, &e), 0);
    assert_int_equal(sigma_run_new(s, false, &run, &e), 0);
    for (int i = 0; i < RULES * EACH + 1; i += 3500) {   /* 20 numbers of rules, and one that is none */
        const struct sigma_match *m;
        char text[96];

        snprintf(text, sizeof text, "class=os-windows\nEventID=%d", 100000 + i);
        event_batch_init(&events, 0);
        event_from(&events, text);
        assert_int_equal(sigma_run_event(run, events.items, false, &m, &e), i < RULES * EACH);
        event_batch_free(&events);
    }
    sigma_run_free(&run);
    sigma_free(&s);
    for (int r = 0; r < RULES; r++)
        buf_free(&texts[r]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rules_may_name_any_number_of_event_numbers),
        cmocka_unit_test(a_refusal_names_its_place_and_stops_no_other),
        cmocka_unit_test(a_match_tells_where),
        cmocka_unit_test(a_rule_is_found_as_people_name_it),
        cmocka_unit_test(hostile_rules_end),
    };

    return cmocka_run_group_tests_name("sigma rules", tests, NULL, NULL);
}
