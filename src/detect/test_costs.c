/* test_costs.c - what rules cost and what they were fed with, as rules.json tells it, over changes of rules, restarts and replays. */
#include <jansson.h>
#include <unistd.h>

#include "base/file.h"
#include "detect/inside.h"
#include "detect/publish.h"
#include "detect/test_place.h"

static struct detect *open_pictured(const struct place *p, const char *path, struct err *e)
{
    const char *paths[] = { p->rules };
    struct detect_config c = { .journal = p->journal, .findings = p->findings, .state_file = p->state, .rules = paths, .rule_count = 1,
                               .checkpoint_ms = 60000, .picture = path };
    struct detect *d = NULL;

    if (detect_open(&c, NULL, NULL, &d, e) < 0)
        fail_msg("%s", e->text);
    return d;
}

static json_t *picture(const char *path)
{
    AUTO_BUF struct buf b;
    struct err e;
    json_t *j;

    buf_init(&b, 0);
    assert_int_equal(file_read(path, PUBLISH_BYTES_MAX, &b, &e), 0);
    j = json_loadb(b.p, b.n, 0, NULL);
    assert_non_null(j);
    return j;
}

static const json_t *rule_in(const json_t *all, const char *id)
{
    const json_t *r;
    size_t i;

    json_array_foreach(json_object_get(all, "rules"), i, r)
        if (strcmp(json_string_value(json_object_get(r, "id")), id) == 0)
            return r;
    fail_msg("no rule %s", id);
    return NULL;
}

static long long number(const json_t *o, const char *key) { return json_integer_value(json_object_get(o, key)); }

static void what_a_rule_cost_goes_on_over_changes_restarts_and_replays(void **state)
{
    static const char rules[] = PLAIN("one", "fail") PLAIN("never", "nothing") "title: other\nid: other\nlogsource: {product: windows}\ndetection: {s: {kind: fail}, condition: s}\n---\n"
        "title: c\nid: c\ncorrelation: {type: event_count, rules: one, group-by: user, timespan: 20s, condition: {gte: 3}}\n";
    struct place p;
    char path[160];
    uint32_t random = 21;
    struct err e;
    json_t *first, *second;

    (void)state;
    place_make(&p);
    snprintf(path, sizeof path, "%s/rules.json", p.root);
    write_rule(&p, "r.yml", rules);
    write_rule(&p, "bad.yml", "title: b\nid: b\nlogsource: {}\ndetection: {s: {a|nonsense: b}, condition: s}\n");
    fill(&p, 0, 200, &random);
    struct detect *d = open_pictured(&p, path, &e);
    while (detect_step(d, 0, &e) > 0)
        ;
    assert_int_equal(detect_publish(d, true, NULL, NULL, &e), 0);
    detect_close(&d);             /* as if killed: the state is older than the picture */
    first = picture(path);
    assert_int_equal(number(first, "events"), number(first, "seq") - 1);
    assert_true(number(rule_in(first, "one"), "matched") > 50 && json_is_string(json_object_get(rule_in(first, "one"), "last_match")));
    assert_int_equal(number(rule_in(first, "one"), "events"), number(first, "events"));
    assert_true(json_is_true(json_object_get(rule_in(first, "never"), "fed")) && number(rule_in(first, "never"), "matched") == 0);
    assert_false(json_is_true(json_object_get(rule_in(first, "other"), "fed")));
    assert_true(json_is_true(json_object_get(rule_in(first, "one"), "silent")) && json_is_true(json_object_get(rule_in(first, "c"), "correlation")));
    assert_int_equal(number(rule_in(first, "c"), "events"), number(rule_in(first, "one"), "matched"));
    assert_string_equal(json_string_value(json_object_get(json_array_get(json_object_get(first, "refused"), 0), "verdict")), "broken");
    assert_true(number(json_object_get(first, "set"), "compiled_bytes") > 1000);

    fill(&p, 1000, 10, &random);
    d = open_pictured(&p, path, &e);
    for (int i = 0; detect_step(d, 0, &e) > 0; i++)
        if (i == 3)
            assert_int_equal(detect_reload(d, true, NULL, NULL, &e), 1);
    assert_int_equal(detect_publish(d, true, NULL, NULL, &e), 0);
    detect_close(&d);
    second = picture(path);
    assert_int_equal(number(second, "events"), number(second, "seq") - 1);
    assert_int_equal(number(rule_in(second, "one"), "events"), number(second, "events"));
    assert_int_equal(number(rule_in(second, "c"), "events"), number(rule_in(second, "one"), "matched"));
    json_decref(first);
    json_decref(second);

    assert_int_equal(file_write_atomic(path, STR("{\"rules\":[{\"id\":\"one\",\"matched\":7"), 0600, &e), 0);   /* torn: counted from nothing */
    d = open_pictured(&p, path, &e);
    assert_int_equal(detect_publish(d, true, NULL, NULL, &e), 0);
    detect_close(&d);
    first = picture(path);
    assert_int_equal(number(rule_in(first, "one"), "matched"), 0);
    json_decref(first);
    place_remove(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_a_rule_cost_goes_on_over_changes_restarts_and_replays),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
