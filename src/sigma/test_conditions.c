/* test_conditions.c - C1 to C6 of docs/detection.md: conditions, and files of several documents. */
#include "sigma/test_rows.h"

#define ST "s: {a: 1}\n  t: {b: 1}\n  "
#define STU ST "u: {c: 1}\n  "

static const struct row rows[] = {
    { "C1 and binds closer than or", STU "condition: s or t and u", "a=1", true },
    { "C1 and binds closer than or, the other way round", STU "condition: s and t or u", "a=1", false },
    { "C1 not binds closer than and", ST "condition: not s and t", "b=1", true },
    { "C1 not binds closer than or", ST "condition: not s or t", "a=1\nb=1", true },
    { "C1 parentheses first", STU "condition: (s or t) and u", "a=1", false },
    { "C1 not of parentheses", ST "condition: not (s and t)", "a=1", true },
    { "C1 not of parentheses, both", ST "condition: not (s and t)", "a=1\nb=1", false },
    { "C1 twice not", "s: {a: 1}\n  condition: not not s", "a=1", true },
    { "C1 not 1 of is not (this or that)", "s: {a: 1}\n  f_1: {b: 1}\n  f_2: {c: 1}\n  condition: s and not 1 of f_*", "a=1\nc=1", false },
    { "C1 not 1 of, none", "s: {a: 1}\n  f_1: {b: 1}\n  f_2: {c: 1}\n  condition: s and not 1 of f_*", "a=1", true },
    { "C1 not all of, one", "s: {a: 1}\n  f_1: {b: 1}\n  f_2: {c: 1}\n  condition: s and not all of f_*", "a=1\nc=1", true },

    { "C2 1 of pattern", "s1: {a: 1}\n  s2: {b: 1}\n  condition: 1 of s*", "b=1", true },
    { "C2 1 of pattern, none", "s1: {a: 1}\n  s2: {b: 1}\n  condition: 1 of s*", "c=1", false },
    { "C2 any of pattern", "s1: {a: 1}\n  s2: {b: 1}\n  condition: any of s*", "b=1", true },
    { "C2 all of pattern", "s1: {a: 1}\n  s2: {b: 1}\n  condition: all of s*", "a=1\nb=1", true },
    { "C2 all of pattern, one", "s1: {a: 1}\n  s2: {b: 1}\n  condition: all of s*", "b=1", false },
    { "C2 a star in the middle and in front", "x_s_1: {a: 1}\n  t: {b: 1}\n  condition: 1 of *_s_*", "a=1", true },
    { "C2 a star in front leaves others out", "x_s_1: {a: 1}\n  t: {b: 1}\n  condition: 1 of *_s_*", "b=1", false },
    { "C2 1 of them", "s1: {a: 1}\n  t2: {b: 1}\n  condition: 1 of them", "b=1", true },
    { "C2 all of them", "s1: {a: 1}\n  t2: {b: 1}\n  condition: all of them", "b=1", false },
    { "C2 them leaves out names with _ in front", "s1: {a: 1}\n  _t: {b: 1}\n  condition: 1 of them", "b=1", false },
    { "C2 all of them does not want names with _ in front", "s1: {a: 1}\n  _t: {b: 1}\n  condition: all of them", "a=1", true },

    { "C3 a name with a dash", "s-1: {a: 1}\n  condition: s-1", "a=1", true },
    { "C3 a pattern with a dash", "s-1: {a: 1}\n  t: {b: 1}\n  condition: 1 of s-*", "a=1", true },
    { "C3 a name with a dash is not its first half", "s-1: {a: 1}\n  s: {b: 1}\n  condition: s-1", "b=1", false },
    { "C3 a name that begins like a word of the language", "android: {a: 1}\n  notes: {b: 1}\n  condition: android and not notes", "a=1", true },
    { "C3 words in capitals", ST "condition: s AND NOT t", "a=1", true },
    { "C3 names heed case", "s: {a: 1}\n  S: {b: 1}\n  condition: S", "a=1", false },

    { "C4 a list of conditions is OR", ST "condition: [s, t]", "b=1", true },
    { "C4 a list of conditions, none", ST "condition: [s and t, t and not s]", "a=1", false },
};

#define BAD(condition) "title: t\nlogsource: {}\ndetection:\n  s: {a: x}\n  condition: " condition "\n"

static const struct refused_row refused[] = {
    { "C1 an open parenthesis", BAD("(s"), SIGMA_BROKEN, 5, 16, "not closed" },
    { "C1 too many closed", BAD("s)"), SIGMA_BROKEN, 5, 15, "not opened" },
    { "C1 an operator at the end", BAD("s and"), SIGMA_BROKEN, 5, 19, "expected at the end" },
    { "C1 two names in a row", BAD("s s"), SIGMA_BROKEN, 5, 16, "\"and\", \"or\"" },
    { "C1 an unknown selection", BAD("s and q"), SIGMA_BROKEN, 5, 20, "there is no selection \"q\"" },
    { "C2 2 of", BAD("2 of s*"), SIGMA_BROKEN, 5, 16, "only \"1 of\"" },
    { "C2 nothing named so", BAD("1 of q*"), SIGMA_BROKEN, 5, 19, "no selection is named like" },
    { "C2 1 of nothing", BAD("1 of"), SIGMA_BROKEN, 5, 18, "\"them\" or a name" },
    { "C4 an empty list", BAD("[]"), SIGMA_BROKEN, 5, 14, "an empty list of conditions" },
    { "C5 count", BAD("s | count() > 5"), SIGMA_UNSUPPORTED, 5, 14, "correlation rule" },
    { "C5 near", BAD("s | near t"), SIGMA_UNSUPPORTED, 5, 14, "correlation rule" },
    { "C5 timeframe", "title: t\nlogsource: {}\ndetection:\n  s: {a: x}\n  timeframe: 5m\n  condition: s\n", SIGMA_UNSUPPORTED, 5, 3,
      "correlation rule" },
};

static void c1_to_c5_conditions(void **state)
{
    (void)state;
    rows_hold(rows, COUNT(rows));
    refusals_hold(refused, COUNT(refused));
}

#define RULE(id, value) "title: t\nid: " id "\nlogsource: {}\ndetection: {s: {a: " value "}, condition: s}\n"
#define DATED(value, date) "title: t\nid: i\n" date "\nlogsource: {}\ndetection: {s: {a: " value "}, condition: s}\n"
#define CONDITION(text) { "title: t\nlogsource: {}\ndetection:\n  s: {a: x}\n  t: {b: x}\n  condition: " text "\n" }
#define GLOBAL "action: global\ntitle: t\nid: g\nlogsource: {}\ndetection: {s: {a: x}, condition: s and t}\n---\n"

static const struct files_row files[] = {
    { "C3 small words are not told", CONDITION("s and not t"), "a=x", 1, NULL },
    { "C3 words in capitals are told", CONDITION("s AND NOT t"), "a=x", 1, "\"AND\" in a condition is written small" },
    { "C3 All of Them is told", CONDITION("All of Them"), "a=x", 0, "is written small: all" },

    { "C6 several documents in one file", { RULE("1", "x") "---\n" RULE("2", "x") "---\n" RULE("3", "y") }, "a=x", 2, NULL },
    { "C6 global is laid over what follows", { GLOBAL "detection: {t: {b: 1}}\n---\ndetection: {t: {b: 2}}\n" }, "a=x\nb=2", 1, NULL },
    { "C6 global: the other rule", { GLOBAL "detection: {t: {b: 1}}\n---\ndetection: {t: {b: 2}}\n" }, "a=x\nb=1", 1, NULL },
    { "C6 global: each still wants its own", { GLOBAL "detection: {t: {b: 1}}\n---\ndetection: {t: {b: 2}}\n" }, "a=x", 0, NULL },
    { "C6 global takes the place of what a document says", { "action: global\ntitle: t\nlogsource: {product: linux}\n---\nid: 1\nlogsource: {product: windows}\n"
      "detection: {s: {a: x}, condition: s}\n" }, "a=x", 1, NULL },
    { "C6 global alone is no rule", { "action: global\ntitle: t\n---\n" RULE("1", "x") }, "a=x", 1, NULL },
    { "C6 reset ends it", { "action: global\ndetection: {s: {a: y}}\n---\naction: reset\n---\n" RULE("1", "x") }, "a=x", 1, NULL },
    { "C6 without reset it goes on", { "action: global\ndetection: {s: {a: y}}\n---\n" RULE("1", "x") }, "a=x", 0, NULL },
    { "C6 repeat: the one before, and what is said anew", { RULE("1", "x") "---\naction: repeat\nid: 2\ndetection: {s: {b: x}}\n" }, "a=x\nb=x", 2, NULL },
    { "C6 repeat leaves the one before as it is", { RULE("1", "x") "---\naction: repeat\nid: 2\ndetection: {s: {b: x}}\n" }, "a=x", 1, NULL },
    { "C6 repeat of a repeat", { RULE("1", "x") "---\naction: repeat\nid: 2\ndetection: {s: {b: x}}\n---\naction: repeat\nid: 3\n"
      "detection: {s: {b: z}}\n" }, "a=x\nb=z", 2, NULL },
    { "C6 of one id the one modified later counts", { DATED("x", "modified: 2026-02-01"), DATED("y", "modified: 2026-03-01") }, "a=y", 1,
      "replaced by 1.yml:1" },
    { "C6 of one id the one modified earlier does not", { DATED("x", "modified: 2026-02-01"), DATED("y", "modified: 2026-03-01") }, "a=x", 0,
      "modified later" },
    { "C6 in whatever order they come", { DATED("x", "modified: 2026/03/01"), DATED("y", "date: 2026-02-01") }, "a=x", 1, "replaced by 0.yml:1" },
    { "C6 a date counts where nothing was modified", { DATED("x", "date: 2026-02-01"), DATED("y", "status: test") }, "a=x", 1, "replaced by 0.yml:1" },
};

static void c3_and_c6_files(void **state)
{
    (void)state;
    files_hold(files, COUNT(files));
}

static const struct refused_row refused_files[] = {
    { "C6 an unknown action", "action: redo\ntitle: t\n", SIGMA_BROKEN, 1, 9, "global, reset, or repeat" },
    { "C6 a repeat of nothing", "action: repeat\ntitle: t\n", SIGMA_BROKEN, 1, 9, "behind another document" },
    { "C6 the same id twice, modified at the same time", RULE("b", "x") "---\n" RULE("b", "y"), SIGMA_BROKEN, 6, 1, "stands also in bad.yml:1" },
};

static void c6_refusals(void **state)
{
    struct sigma *s = NULL;
    struct err e;

    (void)state;
    refusals_hold(refused_files, 2);
    assert_int_equal(sigma_compile(&(struct sigma_source){ STR("bad.yml"), str_c(refused_files[2].text) }, 1, &s, &e), 0);
    assert_int_equal(sigma_rule_count(s), 1);
    assert_int_equal(sigma_refusal_count(s), 1);
    assert_true(str_find(sigma_refusal_at(s, 0)->reason, str_c(refused_files[2].reason)) >= 0);
    sigma_free(&s);
}

/* Rules that one global document makes share its id: each keeps one of its own. */
static void c6_rules_of_one_global_document_have_their_own_ids(void **state)
{
    static const char text[] = GLOBAL "detection: {t: {b: 1}}\n---\ndetection: {t: {b: 2}}\n---\ndetection: {t: {b: 3}}\n";
    struct sigma *s = NULL;
    struct err e;

    (void)state;
    assert_int_equal(sigma_compile(&(struct sigma_source){ STR("r.yml"), str_c(text) }, 1, &s, &e), 0);
    assert_int_equal(sigma_rule_count(s), 3);
    assert_true(sigma_rule_find(s, STR("g")) == sigma_rule_at(s, 0));
    assert_true(sigma_rule_find(s, STR("g.2")) == sigma_rule_at(s, 1));
    assert_true(sigma_rule_find(s, STR("g.3")) == sigma_rule_at(s, 2));
    assert_int_equal(sigma_rule_at(s, 2)->line, 11);
    sigma_free(&s);
}

/* A list of conditions is one rule and one match, which says which of them held. */
static void c4_a_match_says_which_conditions_held(void **state)
{
    static const struct { const char *event; int n; uint64_t conditions; } events[] = {
        { "a=1\nb=2", 1, 1 }, { "b=1", 1, 2 | 4 }, { "a=1\nb=1", 1, 1 | 2 }, { "c=1", 0, 0 },
    };
    static const char text[] = "title: t\nlogsource: {}\ndetection:\n  s: {a: 1}\n  t: {b: 1}\n  condition: [s, t, t and not s]\n";
    struct one_set o = one_set(text);
    const struct sigma_match *m;
    struct err e;

    (void)state;
    for (size_t i = 0; i < COUNT(events); i++) {
        event_from(&o.b, events[i].event);
        assert_int_equal(sigma_run_event(o.run, o.b.items, false, &m, &e), events[i].n);
        assert_int_equal(events[i].n ? m->conditions : 0, events[i].conditions);
    }
    one_set_free(&o);
}

static void c1_to_c6_have_both(void **state)
{
    struct points p = { 0 };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++)
        points_take(&p, 'C', rows[i].name, rows[i].match);
    for (size_t i = 0; i < COUNT(files); i++)
        points_take(&p, 'C', files[i].name, files[i].matches > 0);
    for (size_t i = 0; i < COUNT(refused); i++)
        points_take(&p, 'C', refused[i].name, false);
    points_take(&p, 'C', "C5 has no positive row: what it speaks of is refused", true);
    points_have_both(&p, 'C', 1, 6);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(c1_to_c5_conditions),
        cmocka_unit_test(c3_and_c6_files),
        cmocka_unit_test(c6_refusals),
        cmocka_unit_test(c6_rules_of_one_global_document_have_their_own_ids),
        cmocka_unit_test(c4_a_match_says_which_conditions_held),
        cmocka_unit_test(c1_to_c6_have_both),
    };

    return cmocka_run_group_tests_name("sigma conditions", tests, NULL, NULL);
}
