/* test_passport.c - the initial data of paragraph 7 as versions, what is observed beside them, and what becomes of each difference. */
#include "desk/tables/internal.h"
#include "desk/testing.h"
#include "desk/blob.h"

#define OBJECT STR("state-register")

static json_t *items_parse(const char *text)
{
    json_t *j = json_loads(text, 0, NULL);

    assert_non_null(j);
    return j;
}

/* create - the reply's JSON; the code of a refusal is compared when one is expected. */
static json_t *create(struct world *w, const struct viewer *v, const char *body, const char *code, const char *field)
{
    json_t *b = items_parse(body);
    struct desk_reply r = { 0 };
    int rc = desk_passport_create(w->desk, v, OBJECT, b, T0, &r);

    json_decref(b);
    if (code) {
        assert_true(rc < 0);
        assert_string_equal(r.code, code);
        assert_string_equal(r.field, field);
        desk_reply_free(&r);
        return NULL;
    }
    must(rc, &r.err);
    return r.json;
}

static json_t *changes(struct world *w, const struct viewer *v, const char *state)
{
    struct desk_changes_query q = { .object = OBJECT, .state = str_c(state) };
    struct desk_reply r = { 0 };

    must(desk_changes(w->desk, v, &q, &r), &r.err);
    json_t *items = json_incref(json_object_get(r.json, "items"));
    desk_reply_free(&r);
    return items;
}

static const char *text_at(const json_t *items, size_t i, const char *key) { return json_string_value(json_object_get(json_array_get(items, i), key)); }

static int observe(struct world *w, const char *items, const char *host, time_ns now)
{
    json_t *j = items_parse(items);
    struct observation o = { .object_id = OBJECT, .source = STR("agent:registry-web-1"), .items = j, .host = str_c(host) };
    struct desk_reply r = { 0 };
    struct call c;
    int rc;

    desk_call_init(&c, w->desk, NULL, now, &r);
    must(db_begin(w->desk, c.e), c.e);
    rc = passport_observe(&c, &o);
    must(db_end(w->desk, rc < 0 ? rc : 0, c.e), c.e);
    desk_call_free(&c);
    json_decref(j);
    return rc;
}

#define SUM "ab12ab12ab12ab12ab12ab12ab12ab12ab12ab12ab12ab12ab12ab12ab12ab12"
#define FIRST                                                                                                                                    \
    "{\"source\":\"architecture_portal\",\"reference\":\"AP-17\",\"received_on\":\"2026-03-01\",\"items\":["                                     \
    "{\"kind\":\"hardware\",\"name\":\"Web server\",\"host\":\"registry-web-1\",\"address\":\"10.1.1.1\",\"purpose\":\"front end\"},"            \
    "{\"kind\":\"software\",\"name\":\"nginx\",\"host\":\"registry-web-1\",\"version\":\"1.22.1\"},"                                             \
    "{\"kind\":\"software\",\"name\":\"openssh\",\"host\":\"registry-web-1\",\"version\":\"9.2\"},"                                              \
    "{\"kind\":\"diagram\",\"name\":\"Telecommunication network\",\"description\":\"two contours\"},"                                            \
    "{\"kind\":\"checksum\",\"file\":\"/opt/register/bin/server\",\"algorithm\":\"sha256\","                      \
    "\"value\":\"" SUM "\",\"of\":\"program\"},"                                                                                            \
    "{\"kind\":\"database\",\"name\":\"register\",\"structure\":\"table person(id, name)\"}]}"

static void r_7_01_data_of_the_architecture_portal_make_the_first_version(void **state)
{
    struct world *w = *state;
    json_t *p = create(w, &w->analyst, FIRST, NULL, NULL);
    struct desk_reply r = { 0 };

    assert_int_equal(json_integer_value(json_object_get(p, "version")), 1);
    assert_string_equal(json_string_value(json_object_get(p, "source")), "architecture_portal");
    assert_string_equal(json_string_value(json_object_get(p, "reference")), "AP-17");
    json_decref(p);
    must(desk_passports(w->desk, &w->registry, OBJECT, 0, STR(""), &r), &r.err);
    assert_int_equal(json_array_size(json_object_get(r.json, "items")), 1);
    desk_reply_free(&r);
    assert_int_equal(desk_passports(w->desk, &w->city, OBJECT, 0, STR(""), &r), -ENOENT);
    desk_reply_free(&r);
    create(w, &w->registry, FIRST, "forbidden", "source");
    create(w, &w->city, FIRST, "not_found", "");
}

static void r_7_02_data_of_conformity_testing_say_which_of_four_kinds_was_tested(void **state)
{
    static const char *const kinds[] = { "service_software_product", "ict_platform", "internet_resource", "information_system" };
    struct world *w = *state;

    for (size_t i = 0; i < COUNT(kinds); i++) {
        char body[256];

        snprintf(body, sizeof body, "{\"source\":\"conformity_testing\",\"tested_kind\":\"%s\",\"items\":[]}", kinds[i]);
        json_t *p = create(w, &w->analyst, body, NULL, NULL);
        assert_string_equal(json_string_value(json_object_get(p, "tested_kind")), kinds[i]);
        assert_int_equal(json_integer_value(json_object_get(p, "version")), i + 1);
        json_decref(p);
    }
    create(w, &w->analyst, "{\"source\":\"conformity_testing\",\"items\":[]}", "bad_request", "tested_kind");
    create(w, &w->analyst, "{\"source\":\"conformity_testing\",\"tested_kind\":\"toaster\",\"items\":[]}", "bad_request", "tested_kind");
    create(w, &w->analyst, "{\"source\":\"owner\",\"tested_kind\":\"ict_platform\",\"items\":[]}", "bad_request", "tested_kind");
}

static void r_7_03_r_7_04_r_7_05_r_7_06_a_passport_lists_hardware_software_diagrams_checksums_and_databases(void **state)
{
    struct world *w = *state;
    json_t *p = create(w, &w->analyst, FIRST, NULL, NULL), *want = items_parse(FIRST);

    assert_true(json_equal(json_object_get(p, "items"), json_object_get(want, "items")));
    json_decref(p);
    json_decref(want);
    create(w, &w->analyst, "{\"source\":\"owner\",\"items\":[{\"kind\":\"poem\"}]}", "bad_request", "items.0.kind");
    create(w, &w->analyst, "{\"source\":\"owner\",\"items\":[{\"kind\":\"diagram\",\"name\":\"a\"},{\"kind\":\"software\"}]}", "bad_request", "items.1.name");
    create(w, &w->analyst, "{\"source\":\"owner\",\"items\":[{\"kind\":\"checksum\",\"file\":\"a\",\"algorithm\":\"crc\",\"value\":\"1\"}]}", "bad_request",
           "items.0.algorithm");
    create(w, &w->analyst, "{\"source\":\"owner\",\"items\":[{\"kind\":\"checksum\",\"file\":\"a\",\"algorithm\":\"md5\",\"value\":\"xyz\"}]}", "bad_request",
           "items.0.value");
    create(w, &w->analyst, "{\"source\":\"owner\",\"items\":[{\"kind\":\"checksum\",\"file\":\"a\",\"algorithm\":\"sha256\",\"value\":\"ab12\"}]}", "bad_request",
           "items.0.value");
    create(w, &w->analyst, "{\"source\":\"owner\",\"items\":[{\"kind\":\"hardware\",\"name\":\"a\",\"address\":\"999\"}]}", "bad_request", "items.0.address");
    create(w, &w->analyst, "{\"source\":\"owner\",\"received_on\":\"2099-01-01\",\"items\":[]}", "bad_request", "received_on");
    create(w, &w->analyst, "{\"source\":\"owner\",\"items\":[{\"kind\":\"database\",\"name\":\"A\"},{\"kind\":\"database\",\"name\":\"a \"}]}", "bad_request",
           "items.1");
    create(w, &w->analyst, "{\"source\":\"owner\"}", "bad_request", "items");
    create(w, &w->analyst, "{\"source\":\"owner\",\"items\":[],\"extra\":1}", "bad_request", "extra");
}

static void files_of_diagrams_are_kept_and_given_to_who_sees_the_object(void **state)
{
    struct world *w = *state;
    struct desk_reply r = { 0 };
    char upload[65], sha[65], text[512];
    int fd = -1;
    json_t *b = json_pack("{s:s, s:i}", "name", "net.svg", "size_bytes", 5), *p;

    must(desk_upload_begin(w->desk, &w->registry, b, T0, &r), &r.err);
    json_decref(b);
    snprintf(upload, sizeof upload, "%s", json_string_value(json_object_get(r.json, "id")));
    desk_reply_free(&r);
    must(desk_upload_piece(w->desk, &w->registry, str_c(upload), 0, STR("<svg>"), T0, &r), &r.err);
    desk_reply_free(&r);
    snprintf(text, sizeof text, "{\"source\":\"owner\",\"items\":[{\"kind\":\"diagram\",\"name\":\"Net\",\"upload_id\":\"%s\"}]}", upload);
    p = create(w, &w->registry, text, NULL, NULL);
    const json_t *item = json_array_get(json_object_get(p, "items"), 0);
    snprintf(sha, sizeof sha, "%s", json_string_value(json_object_get(item, "sha256")));
    assert_string_equal(json_string_value(json_object_get(item, "file_name")), "net.svg");
    assert_null(json_object_get(item, "upload_id"));
    json_decref(p);
    must(desk_passport_file(w->desk, &w->analyst, OBJECT, str_c(sha), T0, &fd, &r), &r.err);
    assert_int_equal(json_integer_value(json_object_get(r.json, "size_bytes")), 5);
    close(fd);
    desk_reply_free(&r);
    assert_int_equal(desk_passport_file(w->desk, &w->city, OBJECT, str_c(sha), T0, &fd, &r), -ENOENT);
    desk_reply_free(&r);
    /* The sum of somebody else's file opens nothing; one's own goes on into the next version. */
    snprintf(text, sizeof text, "{\"source\":\"owner\",\"items\":[{\"kind\":\"diagram\",\"name\":\"Net\",\"sha256\":\"%064d\"}]}", 1);
    create(w, &w->registry, text, "bad_request", "items.0.sha256");
    snprintf(text, sizeof text, "{\"source\":\"owner\",\"items\":[{\"kind\":\"diagram\",\"name\":\"Net\",\"sha256\":\"%s\"}]}", sha);
    json_decref(create(w, &w->registry, text, NULL, NULL));
}

static void r_17_05_a_next_version_records_what_changed_and_never_the_first(void **state)
{
    struct world *w = *state;
    json_t *items;

    json_decref(create(w, &w->analyst, FIRST, NULL, NULL));
    items = changes(w, &w->analyst, "");
    assert_int_equal(json_array_size(items), 0);
    json_decref(items);
    json_decref(create(w, &w->registry,
                       "{\"source\":\"owner\",\"items\":[{\"kind\":\"software\",\"name\":\"nginx\",\"host\":\"registry-web-1\",\"version\":\"1.26.0\"},"
                       "{\"kind\":\"database\",\"name\":\"register\",\"structure\":\"table person(id, name)\"},"
                       "{\"kind\":\"software\",\"name\":\"redis\",\"host\":\"registry-web-1\",\"version\":\"7\"}]}",
                       NULL, NULL));
    items = changes(w, &w->registry, "recorded");
    /* redis appeared, nginx changed; web server, openssh, diagram and checksum went. */
    assert_int_equal(json_array_size(items), 6);
    size_t appeared = 0, changed = 0, missing = 0;
    for (size_t i = 0; i < 6; i++) {
        appeared += strcmp(text_at(items, i, "what"), "appeared") == 0;
        changed += strcmp(text_at(items, i, "what"), "changed") == 0;
        missing += strcmp(text_at(items, i, "what"), "missing") == 0;
    }
    assert_true(appeared == 1 && changed == 1 && missing == 4);
    json_decref(items);
}

static int decide(struct world *w, const struct viewer *v, const char *decision, const json_t *items, struct desk_reply *r)
{
    json_t *ids = json_array(), *body;
    int rc;

    for (size_t i = 0; i < json_array_size(items); i++)
        json_array_append_new(ids, json_string(text_at(items, i, "id")));
    body = json_pack("{s:s, s:o, s:s}", "decision", decision, "ids", ids, "note", "seen");
    rc = desk_changes_decide(w->desk, v, body, T0 + NS_PER_HOUR, r);
    json_decref(body);
    return rc;
}

#define SEEN                                                                                                                                     \
    "[{\"kind\":\"hardware\",\"name\":\"registry-web-1\",\"host\":\"registry-web-1\"},"                                                          \
    "{\"kind\":\"software\",\"name\":\"nginx\",\"host\":\"registry-web-1\",\"version\":\"1.26.0\"},"                                             \
    "{\"kind\":\"software\",\"name\":\"xmrig\",\"host\":\"registry-web-1\",\"version\":\"6\"}]"

static void what_is_observed_differs_until_it_is_accepted(void **state)
{
    struct world *w = *state;
    struct desk_reply r = { 0 };
    json_t *items, *p;

    assert_int_equal(observe(w, SEEN, "", T0), 0);  /* nothing to compare with yet */
    json_decref(create(w, &w->analyst, FIRST, NULL, NULL));
    assert_int_equal(observe(w, SEEN, "", T0), 2);
    assert_int_equal(observe(w, SEEN, "", T0), 0);  /* the same rows still wait */
    assert_int_equal(observe(w, SEEN, "registry-web-1", T0), 1);  /* the whole list: openssh is gone */
    items = changes(w, &w->analyst, "open");
    assert_int_equal(json_array_size(items), 3);
    must(decide(w, &w->analyst, "accept", items, &r), &r.err);
    desk_reply_free(&r);
    assert_int_equal(decide(w, &w->analyst, "accept", items, &r), -EPROTO);
    desk_reply_free(&r);
    json_decref(items);
    must(desk_passport(w->desk, &w->analyst, OBJECT, STR("2"), T0, &r), &r.err);
    p = r.json;
    assert_string_equal(json_string_value(json_object_get(p, "source")), "observation");
    assert_int_equal(json_array_size(json_object_get(p, "items")), 6);
    desk_reply_free(&r);
    assert_int_equal(observe(w, SEEN, "registry-web-1", T0), 0);
    items = changes(w, &w->analyst, "recorded");
    assert_int_equal(json_array_size(items), 0);  /* they count once, as accepted */
    json_decref(items);
}

static void a_questioned_difference_asks_the_owner_and_one_that_goes_away_is_withdrawn(void **state)
{
    struct world *w = *state;
    struct desk_reply r = { 0 };
    json_t *items;
    int64_t asked = 0;

    json_decref(create(w, &w->analyst, FIRST, NULL, NULL));
    observe(w, SEEN, "", T0);
    items = changes(w, &w->analyst, "open");
    must(decide(w, &w->analyst, "question", items, &r), &r.err);
    desk_reply_free(&r);
    json_decref(items);
    assert_int_equal(db_int(w->desk, NULL, 0, &asked, "SELECT count(*) FROM notice n JOIN object o ON o.id = n.object_id AND o.org_id = n.org_id"
                            " WHERE n.kind = 'change_question' AND n.channel = 'inbox' AND n.subject_line LIKE '%xmrig%'", ""), 0);
    assert_int_equal(asked, 1);
    observe(w, "[{\"kind\":\"software\",\"name\":\"nginx\",\"host\":\"registry-web-1\",\"version\":\"1.22.1\"}]", "", T0);
    items = changes(w, &w->registry, "withdrawn");
    assert_int_equal(json_array_size(items), 1);
    json_decref(items);
    items = changes(w, &w->registry, "questioned");
    assert_int_equal(json_array_size(items), 1);
    json_decref(items);
}

static void hosts_whose_events_arrive_are_observed_by_the_desk_itself(void **state)
{
    struct world *w = *state;
    struct desk_reply r = { 0 };
    char path[4096];
    struct err e;
    json_t *items;

    json_decref(create(w, &w->analyst, FIRST, NULL, NULL));
    must(file_mkdirs(node_path(w->node, "run", path), 0755, &e), &e);
    must(file_write_atomic(node_path(w->node, "run/sources.json", path),
                           STR("[{\"id\":\"a\",\"host\":\"registry-web-1\",\"object\":\"state-register\"},{\"id\":\"b\",\"host\":\"rogue\","
                               "\"object\":\"state-register\"},{\"id\":\"c\",\"host\":\"x\",\"object\":\"gone\"}]"),
                           0644, &e), &e);
    must(tables_tick(w->desk, T0, &e), &e);
    must(tables_tick(w->desk, T0 + NS_PER_SECOND, &e), &e);
    items = changes(w, &w->analyst, "open");
    assert_int_equal(json_array_size(items), 1);
    assert_string_equal(text_at(items, 0, "what"), "appeared");
    json_decref(items);
    must(desk_observed(w->desk, &w->registry, OBJECT, 1, STR(""), &r), &r.err);
    assert_string_equal(text_at(json_object_get(r.json, "items"), 0, "verdict"), "same");
    assert_non_null(json_string_value(json_object_get(r.json, "next")));
    desk_reply_free(&r);
}

int main(void)
{
#define T(f, name) { name, f, world_open, world_close, NULL }
    const struct CMUnitTest tests[] = {
        T(r_7_01_data_of_the_architecture_portal_make_the_first_version, "R-7-01 data of the architecture portal make the first version of the passport"),
        T(r_7_02_data_of_conformity_testing_say_which_of_four_kinds_was_tested,
          "R-7-02 data of conformity testing say which of the four kinds was tested"),
        T(r_7_03_r_7_04_r_7_05_r_7_06_a_passport_lists_hardware_software_diagrams_checksums_and_databases,
          "R-7-03 R-7-04 R-7-05 R-7-06 a passport lists hardware and software, network diagrams, checksums and database structures"),
        T(files_of_diagrams_are_kept_and_given_to_who_sees_the_object, "R-7-04 R-7-06 files of diagrams are kept and given to who sees the object"),
        T(r_17_05_a_next_version_records_what_changed_and_never_the_first, "R-7-03 a next version records what changed, the first one nothing"),
        T(what_is_observed_differs_until_it_is_accepted, "R-7-03 what is observed differs until it is accepted into the next version"),
        T(a_questioned_difference_asks_the_owner_and_one_that_goes_away_is_withdrawn,
          "a questioned difference asks the owner; one that goes away is withdrawn"),
        T(hosts_whose_events_arrive_are_observed_by_the_desk_itself, "hosts whose events arrive are observed by the desk itself"),
    };

    return cmocka_run_group_tests_name("passport", tests, NULL, NULL);
}
