/* test_detection.c - indicators brought by people: who may, what is judged before anything is replaced, what the audit trail says. */
#include "desk/blob.h"
#include "desk/detection/detection.h"
#include "desk/testing.h"
#include "ioc/shelf.h"

static void upload(struct world *w, const struct viewer *v, struct str bytes, char id[65])
{
    json_t *b = json_pack("{s:s, s:I}", "name", "feed.txt", "size_bytes", (json_int_t)bytes.n);
    struct desk_reply r = { 0 };

    must(desk_upload_begin(w->desk, v, b, T0, &r), &r.err);
    json_decref(b);
    snprintf(id, 65, "%s", json_string_value(json_object_get(r.json, "id")));
    desk_reply_free(&r);
    must(desk_upload_piece(w->desk, v, str_c(id), 0, bytes, T0, &r), &r.err);
    desk_reply_free(&r);
}

static int import(struct world *w, const struct viewer *v, const char *source, const char *text, bool add, struct desk_reply *r)
{
    char id[65];
    json_t *b;
    int rc;

    upload(w, v, str_c(text), id);
    b = json_pack("{s:s,s:s,s:b,s:s,s:i,s:i}", "source", source, "upload_id", id, "add", add, "tlp", "amber", "confidence", 80, "days", 30);
    *r = (struct desk_reply){ 0 };
    rc = desk_indicators_import(w->desk, v, b, T0, r);
    json_decref(b);
    return rc;
}

static int64_t audits(struct world *w, const char *action, const char *outcome)
{
    int64_t n = -1;

    assert_int_equal(db_int(w->desk, NULL, 0, &n, "SELECT count(*) FROM audit WHERE action = ? AND outcome = ?", "zz", action, outcome), 0);
    return n;
}

static bool known(struct world *w, const char *value, struct ioc *out)
{
    struct ioc_set *s = NULL;
    struct err e;
    size_t n;

    must(ioc_shelf_open(w->node->data, &s, &e), &e);
    n = ioc_check(s, str_c(value), T0, out, 1);
    ioc_close(&s);
    return n > 0;
}

static void a_file_becomes_a_source_and_is_told(void **state)
{
    struct world *w = *state;
    struct desk_reply r;
    struct ioc found;

    must(import(w, &w->analyst, "kz-cert", "203.0.113.7\nevil.example\nnot an indicator\n10.0.0.1\n", false, &r), &r.err);
    assert_int_equal(json_integer_value(json_object_get(r.json, "taken")), 2);
    assert_int_equal(json_integer_value(json_object_get(r.json, "own")), 2);
    assert_int_equal(json_array_size(json_object_get(r.json, "skipped")), 2);
    desk_reply_free(&r);
    assert_true(known(w, "https://evil.example/x", &found));
    assert_int_equal(found.tlp, IOC_TLP_AMBER);
    assert_int_equal(found.confidence, 80);
    assert_true(found.until == T0 + 30 * NS_PER_DAY);
    assert_int_equal(audits(w, "indicators.import", "ok"), 1);
    /* A page of words takes the place of nothing, and is no import. */
    assert_int_equal(import(w, &w->analyst, "kz-cert", "<html>sign in first</html>\n", false, &r), -EINVAL);
    assert_string_equal(r.code, "indicators_unreadable");
    desk_reply_free(&r);
    assert_true(known(w, "203.0.113.7", &found));
    assert_int_equal(audits(w, "indicators.import", "ok"), 1);
}

static void who_may_not_is_refused_and_written_down(void **state)
{
    struct world *w = *state;
    struct desk_reply r = { 0 };
    json_t *facts = NULL;
    size_t all = 0;
    struct err e;
    int64_t before;

    assert_int_equal(import(w, &w->registry, "mine", "203.0.113.9\n", false, &r), -EACCES);
    desk_reply_free(&r);
    assert_int_equal(audits(w, "indicators.import", "refused"), 1);
    must(import(w, &w->admin, "kz-cert", "203.0.113.7\n", false, &r), &r.err);
    desk_reply_free(&r);
    before = audits(w, "indicators.remove", "ok");
    assert_int_equal(desk_indicators_remove(w->desk, &w->analyst, STR("kz-cert"), T0, &r), -EACCES);
    desk_reply_free(&r);
    assert_int_equal(desk_indicators_remove(w->desk, &w->lead, STR("../set"), T0, &r), -ENOENT);
    desk_reply_free(&r);
    must(desk_indicators_remove(w->desk, &w->lead, STR("kz-cert"), T0, &r), &r.err);
    desk_reply_free(&r);
    assert_int_equal(audits(w, "indicators.remove", "ok"), before + 1);
    must(ioc_shelf_rebuild(w->node->data, NULL, NULL, &all, &e), &e);
    assert_int_equal(all, 0);
    assert_int_equal(desk_rule_facts(w->desk, &w->registry, &facts, &e), -EACCES);
}

static void the_cases_of_a_rule_are_counted(void **state)
{
    struct world *w = *state;
    json_t *facts = NULL, *one;
    struct err e;

    case_new(w, "rule-counted", T0);
    must(desk_rule_facts(w->desk, &w->analyst, &facts, &e), &e);
    one = json_object_get(facts, "rule-counted");
    assert_int_equal(json_integer_value(json_object_get(one, "cases")), 1);
    assert_int_equal(json_integer_value(json_object_get(one, "open")), 1);
    assert_int_equal(json_integer_value(json_object_get(one, "dismissed")), 0);
    json_decref(facts);
}

#define T(fn, name) { name, fn, world_open, world_close, NULL }

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(a_file_becomes_a_source_and_is_told, "R-A2-09 a file of indicators becomes a source, is judged whole first, and is a line of the audit trail"),
        T(who_may_not_is_refused_and_written_down, "an owner brings no indicators, an analyst removes no source; both are written down"),
        T(the_cases_of_a_rule_are_counted, "what became of the findings of a rule is counted"),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
