/* test_explain.c - why a rule matches and why it does not: the tree, its truth, and where in the event and in the line each text stood. */
#include <jansson.h>

#include "sigma/explain.h"
#include "sigma/test_rows.h"

#define RULE "title: t\nid: r\nlogsource: {product: linux}\ndetection:\n" \
    "  tool: {Image|endswith: ['/nc', '/Ncat']}\n  args: {CommandLine|contains|all: [' -e ', 'sh']}\n  calm: {User: root}\n  condition: (tool or args) and not calm\n"

struct told { struct one_set o; struct arena a; struct explain x; };

static void explain(struct told *t, const char *rules, const char *id, const char *event)
{
    struct err e;

    t->o = one_set(rules);
    arena_init(&t->a, 0);
    event_from(&t->o.b, event);
    assert_int_equal(sigma_explain(t->o.s, false, &t->o.b.items[t->o.b.count - 1], sigma_rule_find(t->o.s, str_c(id)), &t->a, &t->x, &e), 0);
}

static void told_free(struct told *t)
{
    arena_free(&t->a);
    one_set_free(&t->o);
}

static const struct explain_part *leaf_of(const struct explain *x, const char *field, const char *wanted)
{
    for (uint32_t i = 0; i < x->part_count; i++)
        if (x->parts[i].kind == EXPLAIN_LEAF && str_eq(x->parts[i].field, str_c(field)) &&
            (!wanted || (x->parts[i].wanted_count && str_eq(x->parts[i].wanted[0], str_c(wanted)))))
            return &x->parts[i];
    fail_msg("no leaf %s %s", field, wanted ? wanted : "");
    return NULL;
}

static const struct explain_part *named(const struct explain *x, const char *name)
{
    for (uint32_t i = 0; i < x->part_count; i++)
        if (str_eq(x->parts[i].name, str_c(name)))
            return &x->parts[i];
    fail_msg("no selection %s", name);
    return NULL;
}

static void a_match_says_which_text_stood_where(void **state)
{
    struct told t;
    const struct explain_part *p;

    (void)state;
    explain(&t, RULE, "r", "class=os-unix\noriginal=run /usr/bin/NCAT now\nImage=/usr/bin/NCAT\nCommandLine=ncat -l\nUser=guest");
    assert_true(t.x.matches && t.x.applies);
    assert_string_equal(explain_why(&t.x), "matches");
    p = named(&t.x, "tool");
    assert_true(p->holds && p->kind == EXPLAIN_LEAF);
    assert_true(str_eq(p->text, STR("/ncat")) && str_eq(p->value, STR("/usr/bin/NCAT")) && str_eq(p->event_field, STR("Image")));
    assert_int_equal(p->at, 8);
    assert_int_equal(p->n, 5);
    assert_int_equal(p->in_line, 4 + 8);
    assert_int_equal(p->tests, 2);
    p = named(&t.x, "args");
    assert_true(!p->holds && p->kind == EXPLAIN_AND);
    p = leaf_of(&t.x, "CommandLine", " -e ");
    assert_true(!p->holds && p->present && str_eq(p->value, STR("ncat -l")));
    p = named(&t.x, "calm");
    assert_false(p->holds);                      /* and so the "not" above it is true */
    assert_true(t.x.parts[0].holds && t.x.parts[0].kind == EXPLAIN_AND && t.x.parts[0].depth == 0);
    told_free(&t);
}

static void a_miss_says_why_not(void **state)
{
    struct told t;

    (void)state;
    explain(&t, RULE, "r", "class=os-unix\nImage=/bin/ls\nUser=guest");
    assert_string_equal(explain_why(&t.x), "condition");
    assert_true(str_eq(named(&t.x, "tool")->value, STR("/bin/ls")));
    assert_false(leaf_of(&t.x, "CommandLine", "sh")->present);
    told_free(&t);

    explain(&t, RULE, "r", "class=os-windows\nImage=/usr/bin/nc\nUser=guest");
    assert_string_equal(explain_why(&t.x), "logsource");
    assert_true(t.x.parts[0].holds && !t.x.matches && str_eq(t.x.product, STR("linux")) && str_eq(t.x.event_product, STR("windows")));
    told_free(&t);

    explain(&t, RULE "---\ntitle: f\nid: f\nlogsource: {product: linux}\nfilter: {rules: r, mine: {Host: a}, condition: not mine}\n", "r",
            "class=os-unix\nImage=/usr/bin/nc\nUser=guest\nHost=a");
    assert_string_equal(explain_why(&t.x), "filtered");
    assert_int_equal(t.x.filter_count, 1);
    assert_true(!t.x.filters[0].holds && t.x.filters[0].counts && t.x.filters[0].count == 2 && named(&t.x, "mine")->holds);
    told_free(&t);
}

static void of_a_correlation_its_rules_are_told_and_the_field_that_is_missing(void **state)
{
    static const char rules[] = RULE "---\ntitle: o\nid: o\nlogsource: {}\ndetection: {s: {never: x}, condition: s}\n---\n"
        "title: c\nid: c\ncorrelation: {type: event_count, rules: [r, o], group-by: [Host], timespan: 1m, condition: {gte: 2}}\n";
    struct told t;

    (void)state;
    explain(&t, rules, "c", "class=os-unix\nImage=/usr/bin/nc\nUser=guest\nHost=a");
    assert_string_equal(explain_why(&t.x), "correlation");
    assert_true(t.x.ref_count == 2 && t.x.refs[0].holds && !t.x.refs[1].holds && !t.x.refs[0].missing.n);
    told_free(&t);
    explain(&t, rules, "c", "class=os-unix\nImage=/usr/bin/nc\nUser=guest");
    assert_string_equal(explain_why(&t.x), "no_group");
    assert_true(str_eq(t.x.refs[0].missing, STR("Host")));
    told_free(&t);
    explain(&t, rules, "c", "class=os-unix\nImage=/bin/ls\nHost=a");
    assert_string_equal(explain_why(&t.x), "not_read");
    told_free(&t);
}

/* Every kind of comparison: what the leaf says, whether it holds, where. */
static const struct { const char *name, *detection, *event, *comparison, *wanted; bool holds; size_t at, n; } leaves[] = {
    { "equals", "{f: AbC}", "f=abc", "equals", "abc", true, 0, 3 },
    { "starts with", "{f|startswith: ab}", "f=ABC", "starts with", "ab", true, 0, 2 },
    { "ends with", "{f: '*bc'}", "f=abc", "ends with", "bc", true, 1, 2 },
    { "contains, Cyrillic", "{f|contains: 'ҚАЗАҚ'}", "f=бір қазақ", "contains", "қазақ", true, 7, 10 },
    { "folding shortens what stands before", "{f|contains: 'b'}", "f=\xE1\xBA\x9E" "b", "contains", "b", true, 3, 1 },
    { "cased, behind a letter that folds to another length", "{f|contains|cased: B}", "f=\xE1\xBA\x9E" "B", "contains", "B", true, 3, 1 },
    { "is like", "{f: 'a*c?e'}", "f=abcde", "is like", "a*c?e", true, 0, 5 },
    { "matches", "{f|re: 'b+'}", "f=abbc", "matches", "b+", true, 1, 2 },
    { "is in the network", "{f|cidr: 10.0.0.0/8}", "f=10.1.2.3", "is in the network", "10.0.0.0/8", true, 0, 8 },
    { "is in the network, not", "{f|cidr: 10.0.0.0/8}", "f=11.1.2.3", "is in the network", "10.0.0.0/8", false, 0, 0 },
    { "is at least", "{f|gte: 5}", "f=7", "is at least", "5", true, 0, 1 },
    { "is the number", "{f: 5}", "f=5.0", "is the number", "5", true, 0, 3 },
    { "is absent or null", "{f: null}", "g=1", "is absent or null", NULL, true, 0, 0 },
    { "is absent or null, not", "{f: null}", "f=1", "is absent or null", NULL, false, 0, 0 },
    { "is not there", "{f|exists: false}", "g=1", "is not there", NULL, true, 0, 0 },
    { "equals the field", "{f|fieldref: g}", "f=x\ng=X", "equals the field", "g", true, 0, 1 },
    { "a part of a moment", "{f|hour|gte: 20}", "f=2026-03-19T21:00:00Z", "as a moment has", "hour: is at least 20", true, 0, 20 },
    { "several kinds: with stars", "{f: ['a*', b]}", "f=b", "is one of", "a*", true, 0, 1 },
};

static void every_kind_of_comparison_is_told(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(leaves); i++) {
        char rule[512];
        struct told t;
        const struct explain_part *p;

        snprintf(rule, sizeof rule, "title: t\nid: r\nlogsource: {}\ndetection:\n  s: %s\n  condition: s\n", leaves[i].detection);
        explain(&t, rule, "r", leaves[i].event);
        p = leaf_of(&t.x, "f", NULL);
        CHECK(leaves[i].name, str_eq(p->comparison, str_c(leaves[i].comparison)));
        CHECK(leaves[i].name, p->holds == leaves[i].holds && t.x.matches == leaves[i].holds);
        CHECK(leaves[i].name, leaves[i].wanted ? p->wanted_count > 0 && str_eq(p->wanted[0], str_c(leaves[i].wanted)) : p->wanted_count == 0);
        CHECK(leaves[i].name, !p->holds || !p->present || (p->at == leaves[i].at && p->n == leaves[i].n));
        told_free(&t);
    }
}

static void the_json_is_whole_and_bounded(void **state)
{
    AUTO_BUF struct buf b;
    struct told t;
    json_t *j, *leaf;

    (void)state;
    buf_init(&b, 0);
    explain(&t, RULE, "r", "class=os-unix\noriginal=\"x\"\nImage=/usr/bin/nc\nUser=gu\"est");
    explain_json(&t.x, &b);
    j = json_loadb(b.p, b.n, 0, NULL);
    assert_non_null(j);
    assert_string_equal(json_string_value(json_object_get(j, "why")), "matches");
    assert_int_equal(json_array_size(json_object_get(j, "condition")), t.x.condition_count);
    for (size_t i = 0; i < t.x.condition_count; i++) {
        leaf = json_array_get(json_object_get(j, "condition"), i);
        if (json_is_string(json_object_get(leaf, "field")) && strcmp(json_string_value(json_object_get(leaf, "field")), "User") == 0)
            assert_string_equal(json_string_value(json_object_get(leaf, "value")), "gu\"est");
    }
    json_decref(j);
    told_free(&t);
}

static void a_condition_that_grows_when_it_is_written_out_has_an_end(void **state)
{
    AUTO_BUF struct buf b;
    struct one_set o;
    struct explain x;
    struct arena a;
    struct err e;

    (void)state;
    buf_init(&b, 0);
    buf_str(&b, STR("title: t\nid: r\nlogsource: {}\ndetection:\n  s: {f: ["));
    for (unsigned i = 0; i < 5000; i++)
        buf_printf(&b, "%s'*text%u*'", i ? "," : "", i);
    buf_str(&b, STR("]}\n  condition: s"));
    for (unsigned i = 0; i < 1000; i++)
        buf_str(&b, STR(" or s"));
    buf_str(&b, STR("\n"));
    buf_byte(&b, 0);
    o = one_set(b.p);
    arena_init(&a, 64u * MIB);
    event_from(&o.b, "f=nothing");
    assert_int_equal(sigma_explain(o.s, false, &o.b.items[o.b.count - 1], sigma_rule_at(o.s, 0), &a, &x, &e), 0);
    assert_true(x.part_count > 1000 && x.part_count < EXPLAIN_PARTS_MAX && !x.matches);
    assert_true(leaf_of(&x, "f", NULL)->tests == 5000 && leaf_of(&x, "f", NULL)->wanted_count == EXPLAIN_TESTS_MAX);
    arena_free(&a);
    one_set_free(&o);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_match_says_which_text_stood_where),
        cmocka_unit_test(a_miss_says_why_not),
        cmocka_unit_test(of_a_correlation_its_rules_are_told_and_the_field_that_is_missing),
        cmocka_unit_test(every_kind_of_comparison_is_told),
        cmocka_unit_test(the_json_is_whole_and_bounded),
        cmocka_unit_test(a_condition_that_grows_when_it_is_written_out_has_an_end),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
