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

/* --- exceptions --- */

static const char rule_text[] = "title: Tool of an attacker\nid: 7b0a0000-0000-4000-8000-000000000001\nlevel: high\nlogsource: { product: linux }\n"
                                "detection:\n  selection: { message|contains: attack-tool }\n  condition: selection\n";

static void put_rule(struct world *w, char path[4096])
{
    char folder[4096];
    struct err e;

    must(file_mkdirs(node_path(w->node, "rules", folder), 0750, &e), &e);
    must(file_write_atomic(node_path(w->node, "rules/tool.yml", path), str_c(rule_text), 0640, &e), &e);
}

static json_t *exception(const char *field, const char *value, time_ns until)
{
    char text[TIME_TEXT_MAX];

    return json_pack("{s:s,s:[{s:s,s:s}],s:s,s:s,s:n}", "rule", "7b0a0000-0000-4000-8000-000000000001", "where", "field", field, "value", value, "reason",
                     "the nightly test of our own team", "expires_at", time_format_utc(until, text), "object_id");
}

static int create(struct world *w, const struct viewer *v, const struct desk_rule_paths *where, json_t *body, struct desk_reply *r)
{
    *r = (struct desk_reply){ 0 };
    int rc = desk_exception_create(w->desk, v, where, body, T0, r);

    json_decref(body);
    return rc;
}

static void an_exception_is_a_file_with_author_reason_and_end(void **state)
{
    struct world *w = *state;
    char rule[4096], path[4096], tail[200], id[80];
    struct desk_rule_paths where = { { rule }, 1 };
    AUTO_BUF struct buf b;
    struct desk_reply r;
    struct err e;

    put_rule(w, rule);
    must(create(w, &w->lead, &where, exception("host.name", "lab'1: *\\x", T0 + 30 * NS_PER_DAY), &r), &r.err);
    snprintf(id, sizeof id, "%s", json_string_value(json_object_get(r.json, "id")));
    desk_reply_free(&r);
    snprintf(tail, sizeof tail, "rules/exceptions/%s.yml", id);
    buf_init(&b, MIB);
    must(file_read(node_path(w->node, tail, path), MIB, &b, &e), &e);
    assert_true(str_find(buf_view(&b), str_c(w->lead.login)) > 0 && str_find(buf_view(&b), STR("the nightly test of our own team")) > 0);
    assert_int_equal(audits(w, "exception.create", "ok"), 1);
    /* The same again is there already; what a filter cannot be is refused with the reason. */
    assert_int_equal(create(w, &w->lead, &where, exception("host.name", "lab'1: *\\x", T0 + 30 * NS_PER_DAY), &r), -EEXIST);
    desk_reply_free(&r);
    assert_int_equal(create(w, &w->lead, &where, exception("host.name|nonsense", "x", T0 + 30 * NS_PER_DAY), &r), -EINVAL);
    assert_string_equal(r.code, "exception_refused");
    desk_reply_free(&r);
    assert_int_equal(audits(w, "exception.create", "ok"), 1);
    must(desk_exception_remove(w->desk, &w->analyst, str_c(id), T0, &r), &r.err);
    desk_reply_free(&r);
    assert_false(file_exists(path));
    assert_int_equal(audits(w, "exception.remove", "ok"), 1);
    assert_int_equal(desk_exception_remove(w->desk, &w->lead, STR("../tool"), T0, &r), -ENOENT);
    desk_reply_free(&r);
    assert_true(file_exists(rule));
}

static void who_may_except_and_for_how_long(void **state)
{
    struct world *w = *state;
    char rule[4096];
    struct desk_rule_paths where = { { rule }, 1 };
    const struct { const char *name; const struct viewer *v; time_ns term; int rc; } rows[] = {
        { "an analyst for a week", &w->analyst, 7 * NS_PER_DAY, 0 },        { "an analyst for longer", &w->analyst, 8 * NS_PER_DAY, -EINVAL },
        { "a lead for a year", &w->lead, 365 * NS_PER_DAY, 0 },             { "a lead for longer", &w->lead, 400 * NS_PER_DAY, -EINVAL },
        { "into the past", &w->admin, -NS_PER_DAY, -EINVAL },               { "an owner", &w->registry, NS_PER_DAY, -EACCES },
    };

    put_rule(w, rule);
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct desk_reply r;
        char host[16];

        snprintf(host, sizeof host, "host-%zu", i);
        CHECK(rows[i].name, create(w, rows[i].v, &where, exception("host.name", host, T0 + rows[i].term), &r) == rows[i].rc);
        desk_reply_free(&r);
    }
    assert_int_equal(audits(w, "exception.create", "ok"), 2);
    assert_int_equal(audits(w, "exception.create", "refused"), 1);
}

static void a_preview_changes_nothing(void **state)
{
    struct world *w = *state;
    char rule[4096], folder[4096];
    struct desk_rule_paths where = { { rule }, 1 };
    struct desk_reply r = { 0 };
    json_t *body = exception("host.name", "lab-1", T0 + 30 * NS_PER_DAY);

    put_rule(w, rule);
    must(desk_exception_preview(w->desk, &w->analyst, &where, body, T0, &r), &r.err);
    assert_true(json_is_false(json_object_get(r.json, "may")));
    assert_non_null(strstr(json_string_value(json_object_get(r.json, "text")), "lab-1"));
    assert_int_equal(json_integer_value(json_object_get(r.json, "removed")), 0);
    assert_true(json_is_true(json_object_get(r.json, "complete")) && json_is_false(json_object_get(r.json, "wide")));
    desk_reply_free(&r);
    json_t *wide = exception("host.name|re", ".*", T0 + NS_PER_DAY);
    must(desk_exception_preview(w->desk, &w->analyst, &where, wide, T0, &r), &r.err);
    assert_true(json_is_true(json_object_get(r.json, "wide")));
    json_decref(wide);
    desk_reply_free(&r);
    assert_int_equal(desk_exception_preview(w->desk, &w->registry, &where, body, T0, &r), -EACCES);
    desk_reply_free(&r);
    json_decref(body);
    assert_false(file_exists(node_path(w->node, "rules/exceptions", folder)));
}

/* previewed - what a preview says of an exception of this host; the caller owns it. */
static json_t *previewed(struct world *w, const struct desk_rule_paths *where, const char *host)
{
    json_t *body = exception("host.name", host, T0 + NS_PER_DAY);
    struct desk_reply r = { 0 };

    must(desk_exception_preview(w->desk, &w->analyst, where, body, T0, &r), &r.err);
    json_decref(body);
    return r.json;
}

static void a_preview_names_confirmed_cases(void **state)
{
    static const struct { const char *state; int confirmed; } rows[] = { { "notified", 0 }, { "event_confirmed", 1 }, { "event_analysed", 1 } };
    struct world *w = *state;
    char rule[4096];
    struct desk_rule_paths where = { { rule }, 1 };

    put_rule(w, rule);
    case_new(w, "7b0a0000-0000-4000-8000-000000000001", T0 - NS_PER_MINUTE);
    for (size_t i = 0; i < COUNT(rows); i++) {
        assert_true(db_exec(w->desk, NULL, "UPDATE cases SET state = ?", "z", rows[i].state) >= 0);
        json_t *j = previewed(w, &where, "registry-web-1");

        CHECK(rows[i].state, json_integer_value(json_object_get(j, "removed")) == 1 && json_integer_value(json_object_get(j, "cases")) == 1);
        CHECK(rows[i].state, json_integer_value(json_object_get(j, "confirmed")) == rows[i].confirmed);
        json_decref(j);
    }
    assert_true(db_exec(w->desk, NULL, "UPDATE cases SET state = 'closed', confirmed_at = 1", "") >= 0);
    json_t *j = previewed(w, &where, "registry-web-1");
    assert_int_equal(json_integer_value(json_object_get(j, "confirmed")), 1);
    json_decref(j);
    j = previewed(w, &where, "another-host");
    assert_int_equal(json_integer_value(json_object_get(j, "removed")), 0);
    json_decref(j);
}

#define T(fn, name) { name, fn, world_open, world_close, NULL }

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(a_file_becomes_a_source_and_is_told, "R-A2-09 a file of indicators becomes a source, is judged whole first, and is a line of the audit trail"),
        T(who_may_not_is_refused_and_written_down, "an owner brings no indicators, an analyst removes no source; both are written down"),
        T(an_exception_is_a_file_with_author_reason_and_end, "an exception is a file with author, reason and end, a line of the audit trail, and undone by removing it"),
        T(who_may_except_and_for_how_long, "an analyst excepts for a week, a lead for a year, an owner not at all"),
        T(a_preview_names_confirmed_cases, "a preview of an exception names the confirmed cases it would have hidden, events and incidents"),
        T(a_preview_changes_nothing, "a preview of an exception changes nothing and says who may make it"),
        T(the_cases_of_a_rule_are_counted, "what became of the findings of a rule is counted"),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
