/* test_requests.c - the table of kinds holds together; the last instant of a term; the scope of every act; the rules that propose logs. */
#include "desk/requests/kind.h"
#include "base/file.h"
#include "desk/requests/onboarding.h"
#include "desk/testing.h"

static bool state_known(const struct req_kind *k, struct str name)
{
    for (size_t i = 0; i < REQ_STATES_MAX && k->states[i].name; i++)
        if (str_eq(name, str_c(k->states[i].name)))
            return true;
    return false;
}

/* Every state that an act leads from or to is one of its kind, no name stands twice, and every state but the first can be reached or is set by code. */
static void test_table(void **state)
{
    (void)state;
    for (size_t i = 0; i < req_kind_count; i++) {
        const struct req_kind *k = &req_kinds[i];

        CHECK(k->name, req_kind_find(str_c(k->name)) == k);
        CHECK(k->name, k->open != 0 && k->states[0].name && k->paragraph && k->rows);
        for (const struct req_act *a = k->acts; a->name; a++) {
            struct str from = str_c(a->from), one;

            CHECK(a->name, a->roles != 0);
            while (str_split(&from, ' ', &one))
                CHECK(a->name, state_known(k, one));
            CHECK(a->name, !a->to || state_known(k, str_c(a->to)));
            for (const struct req_act *b = k->acts; b < a; b++)
                CHECK(a->name, strcmp(a->name, b->name) != 0);
        }
        for (size_t s = 0; s < REQ_STATES_MAX && k->states[s].name; s++)
            CHECK(k->states[s].name, !k->states[s].ended || k->states[s].waits == WAITS_NOBODY);
    }
}

/* What the table promises to tell is there to be told, in three languages. */
static void test_texts(void **state)
{
    struct world *w = *state;
    char key[96];

    for (size_t i = 0; i < req_kind_count; i++)
        for (enum lang l = 0; l < LANG_COUNT; l++) {
            const struct req_kind *k = &req_kinds[i];

            if (!k->owner_told && !k->centre_told)
                continue;
            snprintf(key, sizeof key, "request.notice.%s.title", k->name);
            CHECK(key, !str_eq(catalog_text(w->catalog, l, key), str_c(key)));
            snprintf(key, sizeof key, "request.notice.%s.text", k->name);
            CHECK(key, !str_eq(catalog_text(w->catalog, l, key), str_c(key)));
        }
}

static json_t *opened(struct world *w, const struct viewer *v, const char *kind, json_t *values, time_ns now)
{
    struct desk_reply r = { 0 };
    json_t *body = json_pack("{s:s, s:[s], s:o}", "kind", kind, "object_ids", "state-register", "values", values), *id;
    int rc = desk_request_open(w->desk, v, body, now, &r);

    json_decref(body);
    if (rc < 0)
        fail_msg("%s: %d %s field \"%s\"", kind, rc, r.err.text, r.field);
    id = json_incref(json_object_get(json_array_get(json_object_get(r.json, "items"), 0), "id"));
    desk_reply_free(&r);
    rc = desk_request(w->desk, v, str_c(json_string_value(id)), now, &r);
    json_decref(id);
    must(rc, &r.err);
    return r.json;
}

/* acted - what the act returns; the request as it is then is in *out (owned; NULL if refused). body is taken. */
static int acted(struct world *w, const struct viewer *v, const json_t *request, const char *name, json_t *body, time_ns now, json_t **out)
{
    struct desk_reply r = { 0 };
    int rc = desk_request_act(w->desk, v, json_get_str(request, "id"), str_c(name), body, now, &r);

    json_decref(body);
    *out = json_incref(r.json);
    desk_reply_free(&r);
    return rc;
}

static void files_put(struct world *w, const json_t *request)
{
    static const char *const roles[] = { "formats", "format_description" };

    for (size_t i = 0; i < COUNT(roles); i++)
        assert_int_equal(db_exec(w->desk, NULL,
                                 "INSERT INTO request_file(request_id, role, name, type, size_bytes, sha256, added_at) VALUES (?,?,'f.txt','text/plain',1,?,?)",
                                 "izzi", parse_id(json_get_str(request, "id")), roles[i],
                                 "2c26b46b68ffc68ff99b453c1d30413413422d706483bfa0f98a5e886266e7ae", T0),
                         1);
}

/* A notice at the last instant of the fifth business day before is in time; a nanosecond later it is late, taken and said (D-07). */
static void test_last_instant(void **state)
{
    struct world *w = *state;
    const time_ns change = T0 + 40 * NS_PER_DAY;

    for (int late = 0; late < 2; late++) {
        json_t *values = json_pack("{s:b, s:o, s:s, s:s}", "planned", 1, "change_at", json_time(change), "log_class", "db", "text", "a new format");
        json_t *r = opened(w, &w->registry, "logging_change", values, T0), *then = NULL;
        time_ns due = clock_time(r, "D-07", "due");

        assert_true(due < change - 5 * NS_PER_DAY);
        files_put(w, r);
        assert_int_equal(acted(w, &w->registry, r, "notify", json_object(), due + late, &then), 0);
        assert_string_equal(clock_state(then, "D-07"), "fulfilled");
        assert_int_equal(json_is_true(json_object_get(json_object_get(then, "values"), "notice_late")), late);
        assert_int_equal(lines_of(then, "late_notice", "D-07"), late);
        json_decref(r);
        json_decref(then);
    }
}

/* The owner of another object, and whoever the table does not name, change nothing and learn nothing. */
static void test_scope(void **state)
{
    struct world *w = *state;
    json_t *r = opened(w, &w->analyst, "information", json_pack("{s:s}", "text", "To form the list."), T0), *then = NULL;
    struct viewer auditor = w->analyst;

    auditor.role = DESK_AUDITOR;
    assert_int_equal(acted(w, &w->city, r, "receive", json_object(), T0, &then), -ENOENT);
    assert_int_equal(acted(w, &w->analyst, r, "receive", json_object(), T0, &then), -EACCES);
    assert_int_equal(acted(w, &auditor, r, "withdraw", json_pack("{s:s}", "reason", "x"), T0, &then), -EACCES);
    assert_int_equal(acted(w, &w->registry, r, "no_such_act", json_object(), T0, &then), -ENOENT);
    assert_int_equal(acted(w, &w->registry, r, "receive", json_pack("{s:i}", "stray", 1), T0, &then), -EINVAL);
    assert_int_equal(acted(w, &w->registry, r, "receive", json_object(), T0, &then), 0);
    assert_string_equal(state_of(then), "received");
    json_decref(then);
    assert_int_equal(acted(w, &w->registry, r, "receive", json_object(), T0, &then), -EPROTO);
    assert_null(then);
    json_decref(r);
}

/* Whoever may not compare does not make the desk read the store either: here it cannot be read. */
static void test_the_store_is_searched_for_those_alone_who_may_compare(void **state)
{
    struct world *w = *state;
    json_t *values = json_pack("{s:b, s:o, s:s, s:s, s:s}", "planned", 0, "change_at", json_time(T0), "log_class", "db", "text", "a new format", "reason", "a fault");
    json_t *r = opened(w, &w->registry, "logging_change", values, T0), *then = NULL;
    struct viewer auditor = w->analyst;
    char path[4096];
    struct err e;

    auditor.role = DESK_AUDITOR;
    must(file_mkdirs(node_path(w->node, "store", path), 0750, &e), &e);
    must(file_write_atomic(node_path(w->node, "store/MANIFEST", path), STR("rubbish"), 0640, &e), &e);
    assert_int_equal(acted(w, &auditor, r, "compare_source", json_pack("{s:s}", "source_id", "db-1"), T0 + 1, &then), -EACCES);
    assert_int_equal(acted(w, &w->city, r, "compare_source", json_pack("{s:s}", "source_id", "db-1"), T0 + 1, &then), -ENOENT);
    assert_int_equal(acted(w, &w->registry, r, "compare_source", json_pack("{s:s}", "source_id", "db-1"), T0 + 1, &then), -EBADMSG);
    assert_int_equal(remove(path), 0);
    assert_int_equal(remove(node_path(w->node, "store", path)), 0);
    json_decref(r);
}

/* A refused act leaves nothing behind: the values, the state and the timeline are those of before. */
static void test_nothing_half_saved(void **state)
{
    struct world *w = *state;
    json_t *r = opened(w, &w->registry, "commissioning", json_pack("{s:s}", "commissioned_on", "2026-03-19"), T0), *then = NULL;
    struct desk_reply again = { 0 };
    json_t *body = json_pack("{s:s, s:s, s:s}", "letter_number", "1", "letter_date", "2026-03-20", "letter_received_on", "2026-03-19");

    assert_int_equal(acted(w, &w->analyst, r, "record_paper", body, T0, &then), -EINVAL);
    must(desk_request(w->desk, &w->registry, json_get_str(r, "id"), T0, &again), &again.err);
    assert_true(json_equal(json_object_get(r, "values"), json_object_get(again.json, "values")));
    assert_int_equal(json_array_size(json_object_get(r, "timeline")), json_array_size(json_object_get(again.json, "timeline")));
    desk_reply_free(&again);
    json_decref(r);
}

static const struct {
    const char *text, *rule;   /* the first rule that knows it; NULL: none does */
    bool        protection;
} known[] = {
    { "debian gnu/linux 12", "unix", false },
    { "altlinux", "unix", false },
    { "alt server 10", "unix", false },
    { "saltstack", NULL, false },
    { "ос альт 10", "unix", false },
    { "альтернатива", NULL, false },
    { "windows server 2022", "windows", false },
    { "postgresql 16", "postgresql", false },
    { "oracle database 19c", "databases", false },
    { "маршрутизатор", "network", false },
    { "nginx", "web-servers", false },
    { "сапфир", NULL, false },
    { "сапфир", "protection", true },
    { "", NULL, false },
};

static void test_log_rules(void **state)
{
    struct log_rules rules;
    char path[4096];
    struct err e;

    (void)state;
    must(log_rules_load(source_path("content", path), &rules, &e), &e);
    assert_true(rules.count > 5 && rules.silent_minutes > 0);
    for (size_t i = 0; i < COUNT(known); i++) {
        struct str got = { NULL, 0 };

        for (size_t r = 0; r < rules.count && !got.p; r++)
            if (!rules.rules[r].otherwise && log_rule_matches(&rules.rules[r], str_c(known[i].text), known[i].protection).p)
                got = rules.rules[r].id;
        CHECK(known[i].text, known[i].rule ? str_eq(got, str_c(known[i].rule)) : !got.p);
    }
    log_rules_free(&rules);
    assert_int_equal(log_rules_load("/nowhere", &rules, &e), -ENOENT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_table),
        cmocka_unit_test_setup_teardown(test_texts, world_open, world_close),
        { "D-07 R-12-07 the last instant is in time, a nanosecond later is late", test_last_instant, world_open, world_close, NULL },
        cmocka_unit_test_setup_teardown(test_scope, world_open, world_close),
        cmocka_unit_test_setup_teardown(test_the_store_is_searched_for_those_alone_who_may_compare, world_open, world_close),
        cmocka_unit_test_setup_teardown(test_nothing_half_saved, world_open, world_close),
        { "R-10.1-01 rules know components by whole words", test_log_rules, NULL, NULL, NULL },
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
