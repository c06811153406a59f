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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(c1_to_c5_conditions),
    };

    return cmocka_run_group_tests_name("sigma conditions", tests, NULL, NULL);
}
