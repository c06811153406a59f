/* test_filters.c - K9 and K10 of docs/detection.md: filters narrow rules from outside. */
#include "sigma/test_rows.h"

#define RULE "title: t\nid: r\nname: rule_r\nlogsource: {product: linux, service: sshd}\ndetection: {s: {a: x}, condition: s}\n"
#define OTHER "title: o\nid: o\nlogsource: {product: linux}\ndetection: {s: {a: x}, condition: s}\n"
#define FILTER(logsource, rules, condition) \
    "title: f\nid: f\nlogsource: " logsource "\nfilter:\n  rules: " rules "\n  s: {b: y}\n  condition: " condition "\n"
#define CORRELATION "title: c\nid: c\ncorrelation: {type: event_count, rules: r, timespan: 1m, condition: {gte: 1}}\n"

static const struct files_row rows[] = {
    { "K9 the rule and not the filter", { RULE, FILTER("{product: linux}", "[r]", "not s") }, "parser=sshd\na=x", 1, NULL },
    { "K9 what the filter selects is left out", { RULE, FILTER("{product: linux}", "[r]", "not s") }, "parser=sshd\na=x\nb=y", 0, NULL },
    { "K9 a filter makes no match of its own", { RULE, FILTER("{product: linux}", "[r]", "not s") }, "parser=sshd\nb=z", 0, NULL },
    { "K9 by name, before the rule in order", { FILTER("{product: linux}", "rule_r", "not s"), RULE }, "parser=sshd\na=x\nb=y", 0, NULL },
    { "K9 by id and by name: once is enough", { RULE, FILTER("{product: linux}", "[r, rule_r]", "not s") }, "parser=sshd\na=x\nb=y", 0, NULL },
    { "K9 any: every rule of its log source", { RULE, OTHER, FILTER("{product: linux}", "any", "not s") }, "parser=sshd\na=x\nb=y", 0, NULL },
    { "K9 an empty list is any", { RULE, OTHER, FILTER("{product: linux}", "[]", "not s") }, "parser=sshd\na=x\nb=y", 0, NULL },
    { "K9 any: the others stay", { RULE, OTHER, FILTER("{product: linux, service: sshd}", "any", "not s") }, "parser=sshd\na=x\nb=y", 1, NULL },
    { "K9 a named rule of another log source stays, and that is told", { RULE, OTHER, FILTER("{product: linux, service: sshd}", "[o]", "not s") },
      "parser=sshd\na=x\nb=y", 2, "has another log source" },
    { "K9 a rule that is not there is told", { RULE, FILTER("{product: linux}", "[r, q]", "not s") }, "parser=sshd\na=x", 1, "rule \"q\" is not among" },
    { "K9 any, and there is none: told", { RULE, FILTER("{product: windows}", "any", "not s") }, "parser=sshd\na=x\nb=y", 1, "no loaded rule has the log source" },
    { "K9 the selections of both have names of their own", { RULE, "title: f\nid: f\nlogsource: {product: linux}\nfilter:\n  rules: r\n"
      "  t1: {b: y}\n  t2: {c: y}\n  condition: not 1 of them\n" }, "parser=sshd\na=x", 1, NULL },
    { "K9 1 of them in a filter sees its own only", { RULE, "title: f\nid: f\nlogsource: {product: linux}\nfilter:\n  rules: r\n"
      "  t1: {b: y}\n  t2: {c: y}\n  condition: not 1 of them\n" }, "parser=sshd\na=x\nc=y", 0, NULL },
    { "K9 two filters: both must hold", { RULE, FILTER("{product: linux}", "[r]", "not s"), "title: g\nid: g\nlogsource: {product: linux}\n"
      "filter: {rules: any, s: {c: y}, condition: not s}\n" }, "parser=sshd\na=x\nc=y", 0, NULL },
    { "K9 a correlation counts what the filter left", { RULE "---\n" CORRELATION, FILTER("{product: linux}", "[r]", "not s") }, "parser=sshd\na=x\nb=y", 0, NULL },
    { "K9 a correlation is not filtered itself, and that is told", { RULE "---\n" CORRELATION, FILTER("{product: linux}", "[c]", "not s") },
      "parser=sshd\na=x\nb=y", 1, "is a correlation, which is not filtered" },
    { "K10 as it is written: without not it keeps what it selects", { RULE, FILTER("{product: linux}", "[r]", "s") }, "parser=sshd\na=x\nb=y", 1,
      "keeps what it selects" },
    { "K10 as it is written: without not it drops the rest", { RULE, FILTER("{product: linux}", "[r]", "s") }, "parser=sshd\na=x", 0, "keeps what it selects" },
    { "K10 neq is a negation too", { RULE, "title: f\nid: f\nlogsource: {product: linux}\nfilter: {rules: r, s: {b|neq: y}, condition: s}\n" },
      "parser=sshd\na=x\nb=z", 1, NULL },
};

#define BAD(filter) "title: f\nid: f\nlogsource: {product: linux}\nfilter: " filter "\n"

static const struct refused_row refused[] = {
    { "K9 no rules", BAD("{s: {b: y}, condition: not s}"), SIGMA_BROKEN, 4, 9, "\"rules\" is missing" },
    { "K9 no condition", BAD("{rules: any, s: {b: y}}"), SIGMA_BROKEN, 4, 9, "one condition" },
    { "K9 several conditions", BAD("{rules: any, s: {b: y}, condition: [s, not s]}"), SIGMA_BROKEN, 4, 44, "one condition" },
    { "K9 no log source", "title: f\nid: f\nfilter: {rules: any, s: {b: y}, condition: not s}\n", SIGMA_BROKEN, 1, 1, "\"logsource\" must be" },
    { "K9 a condition over a selection of the rule", BAD("{rules: any, s: {b: y}, condition: not selection}"), SIGMA_BROKEN, 4, 48, "there is no selection" },
    { "an exception that expires some day", BAD("{rules: any, s: {b: y}, condition: not s}") "saqshy: {expires: soon}\n", SIGMA_BROKEN, 5, 19, "\"expires\" must be a day" },
    { "an exception of no day", BAD("{rules: any, s: {b: y}, condition: not s}") "saqshy: {expires: 2026-02-30}\n", SIGMA_BROKEN, 5, 19, "\"expires\" must be a day" },
    { "a scope that is a word", BAD("{rules: any, s: {b: y}, condition: not s}") "saqshy: {scope: all}\n", SIGMA_BROKEN, 5, 17, "\"scope\" must be a map" },
    { "a scope of no object", BAD("{rules: any, s: {b: y}, condition: not s}") "saqshy: {scope: {objects: []}}\n", SIGMA_BROKEN, 5, 17, "names no object" },
    { "a scope whose object is empty", BAD("{rules: any, s: {b: y}, condition: not s}") "saqshy: {scope: {objects: }}\n", SIGMA_BROKEN, 5, 17, "names no object" },
    { "an exception for longer than moments reach", BAD("{rules: any, s: {b: y}, condition: not s}") "saqshy: {expires: 2262-04-11}\n", SIGMA_BROKEN, 5, 19, "\"expires\" must be a day" },
    { "a filter has no recommendations", BAD("{rules: any, s: {b: y}, condition: not s}") "saqshy: {recommendations: {}}\n", SIGMA_BROKEN, 5, 9, "recommendations" },
    { "a rule does not expire", "title: r\nid: r\nlogsource: {}\ndetection: {s: {a: x}, condition: s}\nsaqshy: {expires: 2026-12-31}\n", SIGMA_BROKEN, 5, 9, "expires" },
    { "a group of nine fields", "title: r\nid: r\nlogsource: {}\ndetection: {s: {a: x}, condition: s}\nsaqshy: {group_by: [a, b, c, d, e, f, g, h, i]}\n", SIGMA_BROKEN, 5, 20,
      "more than 8 fields" },
    { "K9 not a map", BAD("x"), SIGMA_BROKEN, 4, 9, "must be a map" },
};

static void k9_and_k10_filters(void **state)
{
    (void)state;
    files_hold(rows, COUNT(rows));
    refusals_hold(refused, COUNT(refused));
}

static void k9_and_k10_have_both(void **state)
{
    struct points p = { 0 };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++)
        points_take(&p, 'K', rows[i].name, rows[i].matches > 0);
    points_have_both(&p, 'K', 9, 10);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(k9_and_k10_filters),
        cmocka_unit_test(k9_and_k10_have_both),
    };

    return cmocka_run_group_tests_name("sigma filters", tests, NULL, NULL);
}
