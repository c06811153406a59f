/* test_registry.c - organisations, objects, people: who sees and changes what; what ingest is told. */
#include "desk/testing.h"

static int call_json(int rc, struct desk_reply *r, json_t **out)
{
    *out = json_incref(r->json);
    desk_reply_free(r);
    return rc;
}

static size_t items(json_t *j) { return json_array_size(json_object_get(j, "items")); }

static void each_sees_their_own(void **state)
{
    struct world *w = *state;
    int64_t id = case_new(w, "rule-own", T0);
    json_t *j;

    act_do(w, &w->analyst, id, "notify", notify_body(w, id, T0), T0);
    const struct { const char *name; const struct viewer *v; size_t objects, orgs, cases, clocks; int inbox, users, rules, audit; } rows[] = {
        { "administrator", &w->admin, 3, 7, 1, 2, -EACCES, 0, 0, 0 },
        { "analyst", &w->analyst, 3, 7, 1, 2, 0, -EACCES, 0, -EACCES },
        { "owner of the object", &w->registry, 1, 1, 1, 2, 0, -EACCES, -EACCES, -EACCES },
        { "owner of another", &w->city, 1, 1, 0, 0, 0, -EACCES, -EACCES, -EACCES },
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        const struct viewer *v = rows[i].v;
        struct desk_cases_query q = { .open = -1 };
        struct desk_reply r = { 0 };

        CHECK(rows[i].name, call_json(desk_objects(w->desk, v, 0, STR(""), &r), &r, &j) == 0 && items(j) == rows[i].objects);
        json_decref(j);
        r = (struct desk_reply){ 0 };
        CHECK(rows[i].name, call_json(desk_organisations(w->desk, v, &r), &r, &j) == 0 && items(j) == rows[i].orgs);
        json_decref(j);
        r = (struct desk_reply){ 0 };
        CHECK(rows[i].name, call_json(desk_cases(w->desk, v, &q, T0, &r), &r, &j) == 0 && items(j) == rows[i].cases);
        json_decref(j);
        r = (struct desk_reply){ 0 };
        CHECK(rows[i].name, call_json(desk_clocks(w->desk, v, 0, STR(""), T0, &r), &r, &j) == 0 && items(j) == rows[i].clocks);
        json_decref(j);
        r = (struct desk_reply){ 0 };
        CHECK(rows[i].name, call_json(desk_inbox(w->desk, v, 0, STR(""), &r), &r, &j) == rows[i].inbox);
        json_decref(j);
        r = (struct desk_reply){ 0 };
        CHECK(rows[i].name, call_json(desk_users(w->desk, v, T0, &r), &r, &j) == rows[i].users);
        json_decref(j);
        r = (struct desk_reply){ 0 };
        CHECK(rows[i].name, call_json(desk_rules(w->desk, v, &r), &r, &j) == rows[i].rules);
        json_decref(j);
        r = (struct desk_reply){ 0 };
        CHECK(rows[i].name, call_json(desk_audit(w->desk, v, STR(""), 0, STR(""), &r), &r, &j) == rows[i].audit);
        json_decref(j);
    }
}

static void what_belongs_to_others_is_not_there(void **state)
{
    struct world *w = *state;
    int64_t id = case_new(w, "rule-foreign", T0);
    struct desk_reply r = { 0 };
    char text[24], sha[65];
    AUTO_BUF struct buf b = { 0 };
    json_t *c, *ids;

    act_do(w, &w->analyst, id, "notify", notify_body(w, id, T0), T0);
    snprintf(text, sizeof text, "%lld", (long long)id);
    c = case_get(w, &w->registry, id, T0);
    snprintf(sha, sizeof sha, "%s", json_string_value(json_object_get(json_array_get(json_object_get(c, "documents"), 0), "sha256")));
    json_decref(c);
    assert_int_equal(desk_case(w->desk, &w->city, str_c(text), T0, &r), -ENOENT);
    assert_string_equal(r.code, "not_found");
    desk_reply_free(&r);
    r = (struct desk_reply){ 0 };
    assert_int_equal(desk_object(w->desk, &w->city, STR("state-register"), T0, &r), -ENOENT);
    desk_reply_free(&r);
    buf_init(&b, DESK_DOCUMENT_MAX);
    r = (struct desk_reply){ 0 };
    assert_int_equal(desk_document(w->desk, &w->city, str_c(sha), false, T0, &b, &r), -ENOENT);
    desk_reply_free(&r);
    r = (struct desk_reply){ 0 };
    must(desk_document(w->desk, &w->registry, str_c(sha), false, T0, &b, &r), &r.err);
    assert_true(str_starts(buf_view(&b), STR("%PDF-")));
    desk_reply_free(&r);
    r = (struct desk_reply){ 0 };
    must(desk_document(w->desk, &w->registry, str_c(sha), true, T0, &b, &r), &r.err);
    assert_true(str_find(buf_view(&b), STR("203.0.113.77")) >= 0);
    desk_reply_free(&r);
    static const char *const strange[] = { "", "..", "../../../../etc/passwd", "0000000000000000000000000000000000000000000000000000000000000000" };
    for (size_t i = 0; i < COUNT(strange); i++) {
        r = (struct desk_reply){ 0 };
        CHECK(strange[i], desk_document(w->desk, &w->analyst, str_c(strange[i]), false, T0, &b, &r) == -ENOENT);
        desk_reply_free(&r);
    }
    /* The inbox item of one is not there for the other. */
    r = (struct desk_reply){ 0 };
    must(desk_inbox(w->desk, &w->registry, 0, STR(""), &r), &r.err);
    assert_int_equal(items(r.json), 1);
    snprintf(text, sizeof text, "%s", json_string_value(json_object_get(json_array_get(json_object_get(r.json, "items"), 0), "id")));
    desk_reply_free(&r);
    r = (struct desk_reply){ 0 };
    assert_int_equal(desk_inbox_read(w->desk, &w->city, str_c(text), T0, &r), -ENOENT);
    desk_reply_free(&r);
    for (int i = 0; i < 2; i++) {
        r = (struct desk_reply){ 0 };
        must(desk_inbox_read(w->desk, &w->registry, str_c(text), T0 + NS_PER_MINUTE * (i + 1), &r), &r.err);
        assert_true(str_eq(json_get_str(r.json, "read_at"), STR("2026-03-20T18:51:00Z")));   /* the first opening is the receipt */
        desk_reply_free(&r);
    }
    c = case_get(w, &w->analyst, id, T0);
    assert_int_equal(lines_of(c, "notice_read", NULL), 1);
    json_decref(c);
    must(desk_visible_objects(w->desk, &w->city, &ids, &r.err), &r.err);
    assert_int_equal(json_array_size(ids), 1);
    json_decref(ids);
    must(desk_visible_objects(w->desk, &w->analyst, &ids, &r.err), &r.err);
    assert_true(json_is_null(ids));
}

static void changes_are_told_to_those_who_may_know(void **state)
{
    struct world *w = *state;
    int64_t id = case_new(w, "rule-told", T0);
    const struct viewer *viewers[] = { &w->admin, &w->analyst, &w->registry, &w->city };
    static const struct { const char *name, *type, *id; bool before[4], after[4]; } rows[] = {
        { "the case", "case", "1", { true, true, false, false }, { true, true, true, false } },
        { "its clock", "clock", "1", { true, true, false, false }, { true, true, true, false } },
        { "the owner's notice", "inbox", "3", { false, false, false, false }, { false, false, true, false } },
        { "an object", "source", "state-register", { true, true, true, false }, { true, true, true, false } },
        { "differences of an object", "change", "state-register", { true, true, true, false }, { true, true, true, false } },
        { "a survey of documents that is not there", "doc", "1", { false, false, false, false }, { false, false, false, false } },
        { "a schedule that is not there", "plan", "1", { false, false, false, false }, { false, false, false, false } },
        { "no such thing", "weather", "1", { false, false, false, false }, { false, false, false, false } },
    };
    struct desk_counts n;
    struct err e;

    for (int told = 0; told < 2; told++) {
        for (size_t i = 0; i < COUNT(rows); i++)
            for (size_t v = 0; v < COUNT(viewers); v++) {
                bool yes = false;

                CHECK(rows[i].name, desk_knows(w->desk, viewers[v], str_c(rows[i].type), str_c(rows[i].id), &yes, &e) == 0);
                CHECK(rows[i].name, yes == (told ? rows[i].after[v] : rows[i].before[v]));
            }
        if (!told)
            act_do(w, &w->analyst, id, "notify", notify_body(w, id, T0), T0);
    }
    must(desk_count(w->desk, T0 + 73 * NS_PER_HOUR, &n, &e), &e);
    assert_true(n.open_cases == 1 && n.running_clocks == 2 && n.overdue_clocks == 2 && n.letters_queued == 2 && n.findings_taken == 1);
}

static json_t *object_body(const char *name, const char *host)
{
    return json_pack("{s:s, s:s, s:s, s:n, s:[s], s:[{s:s, s:s, s:s, s:n, s:s}], s:b}", "name", name, "org_id", "city-services", "criticality", "low",
                     "contour", "hosts", host, "contacts", "kind", "ocib", "name", "A", "email", "a@city.example", "phone", "language", "kk", "active",
                     1);
}

static void the_registry_is_changed_by_administrators(void **state)
{
    struct world *w = *state;
    struct viewer *others[] = { &w->analyst, &w->registry };
    struct desk_reply r = { 0 };
    AUTO_BUF struct buf b = { 0 };
    char path[4096], id[65];
    struct err e;
    json_t *body = object_body("Third system", "third-1");

    for (size_t i = 0; i < COUNT(others); i++) {
        assert_int_equal(desk_object_create(w->desk, others[i], body, T0, &r), -EACCES);
        desk_reply_free(&r);
        r = (struct desk_reply){ 0 };
        assert_int_equal(desk_organisation_create(w->desk, others[i], body, T0, &r), -EACCES);
        desk_reply_free(&r);
        r = (struct desk_reply){ 0 };
        assert_int_equal(desk_user_create(w->desk, others[i], body, T0, &r), -EACCES);
        desk_reply_free(&r);
        r = (struct desk_reply){ 0 };
    }
    must(desk_object_create(w->desk, &w->admin, body, T0, &r), &r.err);
    json_decref(body);
    snprintf(id, sizeof id, "%s", json_string_value(json_object_get(r.json, "id")));
    desk_reply_free(&r);
    buf_init(&b, MIB);
    must(file_read(node_path(w->node, "run/objects.tsv", path), MIB, &b, &e), &e);
    assert_true(str_find(buf_view(&b), STR("third-1\tobject-1\n")) >= 0);
    /* A host belongs to one object, whatever its letter case; the refused change leaves nothing behind. */
    body = object_body("Fourth system", "REGISTRY-WEB-1");
    r = (struct desk_reply){ 0 };
    assert_int_equal(desk_object_create(w->desk, &w->admin, body, T0, &r), -EEXIST);
    assert_string_equal(r.field, "hosts.0");
    desk_reply_free(&r);
    r = (struct desk_reply){ 0 };
    assert_int_equal(desk_object_update(w->desk, &w->admin, str_c(id), body, T0, &r), -EEXIST);
    desk_reply_free(&r);
    json_decref(body);
    r = (struct desk_reply){ 0 };
    must(desk_object(w->desk, &w->admin, str_c(id), T0, &r), &r.err);
    assert_true(str_eq(json_get_str(r.json, "name"), STR("Third system")));
    desk_reply_free(&r);
}

static void the_last_administrator_stays(void **state)
{
    struct world *w = *state;
    struct desk_reply r = { 0 };
    char id[24];
    static const struct { const char *name, *json; int rc; const char *code; } rows[] = {
        { "not switched off", "{\"name\":\"A\",\"role\":\"administrator\",\"language\":\"ru\",\"active\":false}", -EEXIST, "conflict" },
        { "not made an analyst", "{\"name\":\"A\",\"role\":\"centre_analyst\",\"language\":\"ru\",\"active\":true}", -EEXIST, "conflict" },
        { "an officer needs an organisation", "{\"name\":\"A\",\"role\":\"owner_officer\",\"language\":\"ru\",\"active\":true}", -EINVAL, "bad_request" },
        { "a weak password", "{\"name\":\"A\",\"role\":\"administrator\",\"language\":\"ru\",\"active\":true,\"password\":\"x\"}", -EINVAL,
          "weak_password" },
        { "a new name", "{\"name\":\"B\",\"role\":\"administrator\",\"language\":\"kk\",\"active\":true}", 0, NULL },
    };

    snprintf(id, sizeof id, "%lld", (long long)w->admin.user_id);
    for (size_t i = 0; i < COUNT(rows); i++) {
        json_t *body = json_loads(rows[i].json, 0, NULL);

        r = (struct desk_reply){ 0 };
        CHECK(rows[i].name, desk_user_update(w->desk, &w->admin, str_c(id), body, T0, &r) == rows[i].rc);
        CHECK(rows[i].name, (!r.code && !rows[i].code) || (r.code && strcmp(r.code, rows[i].code) == 0));
        desk_reply_free(&r);
        json_decref(body);
    }
}

static void cases_are_found_whatever_the_letter_case(void **state)
{
    struct world *w = *state;
    static const struct { const char *q; size_t found; } rows[] = {
        { "МЕМЛЕКЕТТІК тізілім", 1 }, { "мемлекеттік ТІЗІЛІМ", 1 }, { "SSH", 1 }, { "2026-000001", 1 }, { "қала", 0 }, { "%", 0 }, { "", 1 },
    };
    struct desk_reply r = { 0 };

    case_new(w, "rule-search", T0);
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct desk_cases_query q = { .open = -1, .q = str_c(rows[i].q) };

        r = (struct desk_reply){ 0 };
        CHECK(rows[i].q, desk_cases(w->desk, &w->analyst, &q, T0, &r) == 0 && items(r.json) == rows[i].found);
        desk_reply_free(&r);
    }
}

static void cases_are_paged(void **state)
{
    struct world *w = *state;
    char rule[24], before[24] = "";
    int pages = 0, seen = 0;

    for (int i = 0; i < 7; i++) {
        snprintf(rule, sizeof rule, "rule-%d", i);
        case_new(w, rule, T0);
    }
    for (bool more = true; more; pages++) {
        struct desk_cases_query q = { .open = 1, .limit = 3, .before = str_c(before) };
        struct desk_reply r = { 0 };

        must(desk_cases(w->desk, &w->analyst, &q, T0, &r), &r.err);
        seen += (int)items(r.json);
        more = json_is_string(json_object_get(r.json, "next"));
        snprintf(before, sizeof before, "%s", more ? json_string_value(json_object_get(r.json, "next")) : "");
        desk_reply_free(&r);
    }
    assert_true(pages == 3 && seen == 7);
}

static void the_rules_tell_their_names_and_policy(void **state)
{
    struct world *w = *state;
    struct desk_reply r = { 0 };
    json_t *rule, *body = json_pack("{s:b}", "auto_notify", 1);
    char id[129];

    must(desk_rules(w->desk, &w->admin, &r), &r.err);
    assert_true(items(r.json) > 5);
    rule = json_array_get(json_object_get(r.json, "items"), 0);
    assert_true(json_get_str(rule, "title").n && json_is_false(json_object_get(rule, "auto_notify")));
    snprintf(id, sizeof id, "%s", json_string_value(json_object_get(rule, "id")));
    desk_reply_free(&r);
    r = (struct desk_reply){ 0 };
    assert_int_equal(desk_rule_policy(w->desk, &w->analyst, str_c(id), body, T0, &r), -EACCES);
    desk_reply_free(&r);
    r = (struct desk_reply){ 0 };
    must(desk_rule_policy(w->desk, &w->admin, str_c(id), body, T0, &r), &r.err);
    assert_true(json_is_true(json_object_get(r.json, "auto_notify")));
    desk_reply_free(&r);
    json_decref(body);
    struct arena a;
    arena_init(&a, 0);
    for (enum lang l = 0; l < LANG_COUNT; l++)
        assert_true(recommendations_of(w->desk, str_c(id), l, &a).n > 20);
    arena_free(&a);
}

static void the_edition_and_the_arithmetic(void **state)
{
    struct world *w = *state;
    struct desk_reply r = { 0 };

    must(desk_edition(w->desk, STR(""), &r), &r.err);
    assert_int_equal(json_array_size(json_object_get(r.json, "obligations")) >= 29, 1);
    assert_int_equal(json_array_size(json_object_get(r.json, "forms")), 2);
    assert_int_equal(json_array_size(json_object_get(json_object_get(r.json, "enums"), "incident_type")), 10);
    desk_reply_free(&r);
    r = (struct desk_reply){ 0 };
    assert_int_equal(desk_edition(w->desk, STR("kz-1999"), &r), -ENOENT);
    desk_reply_free(&r);
    r = (struct desk_reply){ 0 };
    must(desk_due(w->desk, LANG_KK, STR("D-05"), STR("2026-03-20T23:50+05:00"), &r), &r.err);
    assert_true(str_eq(json_get_str(r.json, "due"), STR("2026-03-21T00:20:00+05:00")));
    desk_reply_free(&r);
    static const struct { const char *id, *from; int rc; } rows[] = { { "D-99", "2026-03-20", -ENOENT }, { "F-01", "2026-03-20", 0 }, { "F-09", "2026-03-20", -ENOENT },
                                                                      { "D-12", "never", -EINVAL }, { "D-12", "2199-03-20", -EINVAL } };
    for (size_t i = 0; i < COUNT(rows); i++) {
        r = (struct desk_reply){ 0 };
        CHECK(rows[i].from, desk_due(w->desk, LANG_EN, str_c(rows[i].id), str_c(rows[i].from), &r) == rows[i].rc);
        desk_reply_free(&r);
    }
}

#define T(f, n) { .name = n, .test_func = f, .setup_func = world_open, .teardown_func = world_close }

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(each_sees_their_own, "each role sees what is theirs, and lists nothing else"),
        T(what_belongs_to_others_is_not_there, "what belongs to another organisation is not there: case, object, document, inbox"),
        T(changes_are_told_to_those_who_may_know, "changes are told to those who may know of them"),
        T(the_registry_is_changed_by_administrators, "the registry is changed by administrators, a host belongs to one object, ingest is told"),
        T(the_last_administrator_stays, "the last administrator stays"),
        T(cases_are_found_whatever_the_letter_case, "cases are found whatever the letter case, Kazakh letters too"),
        T(cases_are_paged, "cases are paged without gaps or doubles"),
        T(the_rules_tell_their_names_and_policy, "R-10.1-10 the rules tell their names, first recommendations and policy"),
        T(the_edition_and_the_arithmetic, "D-05 the edition and the arithmetic of a term as the portal asks for them"),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
