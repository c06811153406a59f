/* test_pipelines.c - pipelines: values of placeholders (M13), maps of names (F3, F6), the zone of clocks (M16). */
#include "sigma/test_rows.h"

#define RULE(source, item) "title: t\nid: r\nlogsource: " source "\ndetection:\n  s: {" item "}\n  condition: s\n"
#define EXPAND(item) RULE("{product: linux}", item)
#define VARS "name: v\nvars:\n  Admins: ['adm*', root]\n  hosts: [web1, web2]\n  one: 5\n  none: []\ntransformations:\n  - type: value_placeholders\n"
#define MAP(mapping, source) "transformations:\n  - type: field_name_mapping\n    mapping: {" mapping "}\n    rule_conditions: [{type: logsource, " source "}]\n"
#define MAP_ALL(mapping) "transformations:\n  - type: field_name_mapping\n    mapping: {" mapping "}\n"

static const struct files_row rows[] = {
    { "M13 each value of the placeholder", { VARS, EXPAND("a|expand: '%Admins%'") }, "a=ROOT", 1, NULL },
    { "M13 none of its values", { VARS, EXPAND("a|expand: '%Admins%'") }, "a=user", 0, NULL },
    { "M13 values are in the notation of rules: wildcards work", { VARS, EXPAND("a|expand: '%Admins%'") }, "a=admin7", 1, NULL },
    { "M13 the pipeline may come after the rule", { EXPAND("a|expand: '%hosts%'"), VARS }, "a=web2", 1, NULL },
    { "M13 text around it", { VARS, EXPAND("a|expand: '\\\\%hosts%\\c$'") }, "a=\\web1\\c$", 1, NULL },
    { "M13 several make every combination", { VARS, EXPAND("a|expand: '%hosts%/%Admins%'") }, "a=web2/root", 1, NULL },
    { "M13 several: both must be of the lists", { VARS, EXPAND("a|expand: '%hosts%/%Admins%'") }, "a=web3/root", 0, NULL },
    { "M13 with contains, on either side", { VARS, EXPAND("a|contains|expand: '%hosts%'") }, "a=x web1 y", 1, NULL },
    { "M13 in front of endswith", { VARS, EXPAND("a|expand|endswith: '-%hosts%'") }, "a=x-web1", 1, NULL },
    { "M13 an escaped percent sign", { VARS, EXPAND("a|expand: '\\%hosts%'") }, "a=%hosts%", 1, NULL },
    { "M13 percent signs without a name", { VARS, EXPAND("a|expand: '100% of %'") }, "a=100% of %", 1, NULL },
    { "M13 without the modifier a percent sign is a percent sign", { VARS, EXPAND("a: '%hosts%'") }, "a=web1", 0, NULL },
    { "M13 a single value", { VARS, EXPAND("a|expand: '%one%'") }, "a=5", 1, NULL },
    { "M13 of a regular expression", { VARS, EXPAND("a|re|expand: '^%hosts%\\d$'") }, "a=web17", 1, NULL },
    { "M13 of a network", { "vars: {net: [10.0.0.0/8, 192.168.0.0/16]}\n", EXPAND("a|cidr|expand: '%net%'") }, "a=192.168.3.4", 1, NULL },
    { "M13 all: each value of the rule, any of the placeholder", { VARS, EXPAND("a|contains|all|expand: ['%hosts%', x]") }, "a=web1 x", 1, NULL },
    { "M13 the last file that names it counts", { VARS, "vars: {hosts: [db]}\n", EXPAND("a|expand: '%hosts%'") }, "a=web1", 0, NULL },
    { "M13 by priority first", { "priority: 2\nvars: {hosts: [db]}\n", "priority: 1\nvars: {hosts: [web1]}\n", EXPAND("a|expand: '%hosts%'") }, "a=db", 1, NULL },

    { "F3 a mapping for all rules", { MAP_ALL("Image: process.exe"), RULE("{product: linux}", "Image: x") }, "process.exe=x", 1, NULL },
    { "F3 the own name comes first", { MAP_ALL("Image: process.exe"), RULE("{product: linux}", "Image: x") }, "process.exe=x\nImage=y", 0, NULL },
    { "F3 the first of several names that is there counts", { MAP_ALL("Image: [p, q]"), RULE("{product: linux}", "Image: x") }, "q=x\np=y", 0, NULL },
    { "F3 the next if the first is not there", { MAP_ALL("Image: [p, q]"), RULE("{product: linux}", "Image: x") }, "q=x", 1, NULL },
    { "F3 a mapping of a log source", { MAP("name: file.path", "product: linux"), RULE("{product: linux, service: sshd}", "name: x") },
      "parser=sshd\nfile.path=x", 1, NULL },
    { "F3 a mapping of another log source", { MAP("name: file.path2", "product: windows"), RULE("{product: linux}", "name: x") }, "file.path2=x", 0, NULL },
    { "F3 one name means two things in two log sources", { MAP("name: p", "service: sshd") "---\n" MAP("name: q", "service: sudo"),
      RULE("{service: sshd}", "name: x"), "title: u\nid: u\nlogsource: {service: sudo}\ndetection: {s: {name: x}, condition: s}\n" }, "parser=sshd\np=x\nq=x", 1, NULL },
    { "F3 fields that are compared are mapped too", { MAP("n: p, m: q", "product: linux"), RULE("{product: linux}", "n|fieldref: m") }, "p=x\nq=x", 1, NULL },
    { "F3 a later mapping takes the place of an earlier one", { MAP_ALL("Image: p"), MAP_ALL("Image: q"), RULE("{product: linux}", "Image: x") }, "p=x", 0, NULL },
    { "F3 fields of a filter are mapped by its log source", { MAP("name: p", "product: linux"), RULE("{product: linux}", "name: x"), "title: f\nlogsource: {product: linux}\n"
      "filter: {rules: any, s: {name: x}, condition: not s}\n" }, "p=x", 0, NULL },
    { "F3 a correlation's groups are mapped for each rule that it reads", { MAP("who: user.name", "product: linux"), RULE("{product: linux}", "a: x"),
      "title: c\nid: c\ncorrelation: {type: event_count, rules: r, group-by: who, timespan: 1m, condition: {gte: 1}}\n" }, "a=x\nuser.name=ann", 1, NULL },
    { "F3 so are the values that it counts", { MAP("who: user.name", "product: linux"), RULE("{product: linux}", "a: x"),
      "title: c\nid: c\ncorrelation: {type: value_count, rules: r, timespan: 1m, condition: {field: who, gte: 1}}\n" }, "a=x\nuser.name=ann", 1, NULL },
    { "F3 not for rules of another log source", { MAP("who: user.name", "product: windows"), RULE("{product: linux}", "a: x"),
      "title: c\nid: c\ncorrelation: {type: event_count, rules: r, group-by: who, timespan: 1m, condition: {gte: 1}}\n" }, "a=x\nuser.name=ann", 0, NULL },
    { "F3 several log sources", { "transformations:\n  - type: field_name_mapping\n    mapping: {n: p}\n    rule_cond_op: or\n    rule_conditions: [{type: logsource, "
      "service: sudo}, {type: logsource, service: sshd}]\n", RULE("{service: sshd}", "n: x") }, "parser=sshd\np=x", 1, NULL },

    { "F6 a taxonomy that a pipeline maps", { "taxonomy: other\n" MAP_ALL("n: p"), "taxonomy: other\n" RULE("{}", "n: x") }, "p=x", 1, NULL },
    { "F6 its names are not those of Sigma's rules", { "taxonomy: other\n" MAP_ALL("n: p"), RULE("{}", "n: x") }, "p=x", 0, NULL },

    { "M16 the clock of a site", { "time_zone: '+05:00'\nvars: {}\n", EXPAND("a|hour: 0") }, "a=2026-03-20T19:30:00Z", 1, NULL },
    { "M16 the clock of a site is not that of Greenwich", { "time_zone: '+05:00'\nvars: {}\n", EXPAND("a|hour: 19") }, "a=2026-03-20T19:30:00Z", 0, NULL },
};

static const struct refused_row refused[] = {
    { "M13 a placeholder that nobody knows", EXPAND("a|expand: '%x%'"), SIGMA_UNSUPPORTED, 5, 18, "no values are known for placeholder \"%x%\"" },
    { "M13 one of several is not known", "vars: {x: [1]}\n---\n" EXPAND("a|expand: '%x%%y%'"), SIGMA_UNSUPPORTED, 7, 18, "placeholder \"%y%\"" },
    { "M13 a list without values", "vars: {x: []}\n---\n" EXPAND("a|expand: '%x%'"), SIGMA_UNSUPPORTED, 7, 18, "placeholder \"%x%\"" },
    { "F3 a transformation that is not known", "transformations:\n  - type: drop_detection_item\n", SIGMA_UNSUPPORTED, 2, 5, "\"drop_detection_item\" is not known" },
    { "F3 a condition that is not known", "transformations:\n  - type: field_name_mapping\n    mapping: {a: b}\n    rule_conditions: [{type: tag}]\n",
      SIGMA_UNSUPPORTED, 4, 23, "\"type: logsource\"" },
    { "F3 a key that is not known", "transformations:\n  - type: field_name_mapping\n    mapping: {a: b}\n    field_name_conditions: []\n", SIGMA_UNSUPPORTED, 4, 5,
      "\"field_name_conditions\"" },
    { "F3 a mapping that is none", "transformations:\n  - type: field_name_mapping\n    mapping: [a]\n", SIGMA_BROKEN, 3, 14, "must be a map" },
    { "F3 a priority", "priority: high\nvars: {}\n", SIGMA_BROKEN, 1, 11, "whole number" },
    { "M16 a zone that is none", "time_zone: Asia/Almaty\nvars: {}\n", SIGMA_BROKEN, 1, 12, "an offset like" },
};

static void m13_and_f3_pipelines(void **state)
{
    (void)state;
    files_hold(rows, COUNT(rows));
    refusals_hold(refused, COUNT(refused));
}

/* Of a refused pipeline nothing is taken: its variables before the mistake are not known either. */
static void a_refused_pipeline_leaves_nothing_behind(void **state)
{
    struct sigma_source src[] = { { STR("p.yml"), STR("vars: {x: [1]}\ntransformations: [{type: q}]\n") }, { STR("r.yml"), STR(EXPAND("a|expand: '%x%'")) } };
    struct sigma *s = NULL;
    struct err e;

    (void)state;
    assert_int_equal(sigma_compile(src, 2, &s, &e), 0);
    assert_int_equal(sigma_rule_count(s), 0);
    assert_int_equal(sigma_refusal_count(s), 2);
    assert_true(str_eq(sigma_refusal_at(s, 0)->file, STR("p.yml")));
    assert_true(str_find(sigma_refusal_at(s, 1)->reason, STR("placeholder")) >= 0);
    sigma_free(&s);
}

static void too_many_values_are_refused(void **state)
{
    static const char text[] = "vars: {x: [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11]}\n---\n" EXPAND("a|expand: '%x%%x%%x%%x%'");
    struct sigma *s = NULL;
    struct err e;

    (void)state;
    assert_int_equal(sigma_compile(&(struct sigma_source){ STR("r.yml"), str_c(text) }, 1, &s, &e), 0);
    assert_int_equal(sigma_refusal_count(s), 1);
    assert_true(str_find(sigma_refusal_at(s, 0)->reason, STR("more than 10000 values")) >= 0);
    sigma_free(&s);
}

static void m13_has_both(void **state)
{
    struct points p = { 0 };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++)
        points_take(&p, 'M', rows[i].name, rows[i].matches > 0);
    points_have_both(&p, 'M', 13, 13);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(m13_and_f3_pipelines),
        cmocka_unit_test(a_refused_pipeline_leaves_nothing_behind),
        cmocka_unit_test(too_many_values_are_refused),
        cmocka_unit_test(m13_has_both),
    };

    return cmocka_run_group_tests_name("sigma pipelines", tests, NULL, NULL);
}
