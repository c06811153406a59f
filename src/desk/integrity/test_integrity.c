/* test_integrity.c - snapshots become facts, facts differences, and differences what people decide; forged, cut and repeated ones do not. */
#include "desk/integrity/room.h"
#include "desk/testing.h"
#include "desk/blob.h"
#include "desk/tables/tables.h"

#define OBJECT STR("state-register")
#define HOST   "registry-web-1"
#define M      NS_PER_MINUTE
#define H      NS_PER_HOUR
#define SUM_A  "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define SUM_B  "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"
#define SUM_C  "cccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccc"

static int64_t number(struct world *w, const char *sql)
{
    int64_t n = -1;

    assert_int_equal(db_int(w->desk, NULL, 0, &n, sql, ""), 0);
    return n;
}

/* part - as ingest and detect hand it on: the certificate's name in front of the source. */
static void part(struct world *w, const char *sender, const char *payload, time_ns at)
{
    struct journal_origin origin = { STR_INIT("detect"), ++w->batch };
    struct event_batch b;
    struct journal *j;
    char path[4096], source[128];
    struct err e;

    event_batch_init(&b, 0);
    must(journal_open(node_path(w->node, "findings", path), 0, &j, &e), &e);
    struct event *ev = event_batch_add(&b);
    snprintf(source, sizeof source, "%s/facts", sender);
    ev->time = ev->received = at;
    ev->source = str_c(source);
    ev->original = str_c(payload);
    ev->parser = STR(EVENT_PARSER_FACTS);
    assert_int_equal(event_add(ev, &b.arena, STR("event.kind"), STR("state")), 0);
    must(journal_append(j, b.items, b.count, origin, NULL, &e), &e);
    must(journal_commit(j, &e), &e);
    journal_close(&j);
    event_batch_free(&b);
}

static void work(struct world *w, time_ns now)
{
    struct err e;

    must(desk_take_findings(w->desk, now, &e), &e);
    must(desk_tick(w->desk, now, NULL, &e), &e);
}

/* snapshot - of one part: items and gone as JSON. */
static void snapshot(struct world *w, const char *sender, const char *kind, int scan, int base, int total, const char *items, const char *gone, time_ns at)
{
    char payload[4096], basis[40] = "";

    if (base)
        snprintf(basis, sizeof basis, "\"base\":\"%d\",", base);
    snprintf(payload, sizeof payload, "{\"kind\":\"%s\",\"scan\":\"%d\",%s\"total\":%d,\"over\":0,\"roots\":[\"/opt/register\"],\"part\":1,\"last\":true,"
             "\"items\":[%s],\"gone\":[%s]}", kind, scan, basis, total, items, gone);
    part(w, sender, payload, at);
    work(w, at);
}

#define FILE_ITEM(path, sum) "[\"" path "\",\"10\",\"100644\",\"1774000000\",\"" sum "\"]"

static void passport(struct world *w, const char *items, time_ns now)
{
    char body[2048];
    struct desk_reply r = { 0 };

    snprintf(body, sizeof body, "{\"source\":\"owner\",\"items\":[%s]}", items);
    json_t *b = json_loads(body, 0, NULL);
    must(desk_passport_create(w->desk, &w->registry, OBJECT, b, now, &r), &r.err);
    json_decref(b);
    desk_reply_free(&r);
}

#define CHECKSUM(file, algorithm, sum) "{\"kind\":\"checksum\",\"file\":\"" file "\",\"algorithm\":\"" algorithm "\",\"value\":\"" sum "\",\"of\":\"program\"}"

static json_t *changes(struct world *w, const struct viewer *v, const char *state)
{
    struct desk_integrity_query q = { .object = OBJECT, .state = str_c(state) };
    struct desk_reply r = { 0 };

    must(desk_integrity_changes(w->desk, v, &q, &r), &r.err);
    json_t *items = json_incref(json_object_get(r.json, "items"));
    desk_reply_free(&r);
    return items;
}

static const char *text_of(const json_t *items, size_t i, const char *key) { return json_string_value(json_object_get(json_array_get(items, i), key)); }

/* act - explain or decide on all that wait; code: the refusal that is expected. */
static void act(struct world *w, const struct viewer *v, bool explain, const char *rest, const char *code, time_ns now)
{
    json_t *items = changes(w, &w->analyst, "waiting"), *body = json_loads(rest, 0, NULL), *ids = json_array();
    struct desk_reply r = { 0 };

    for (size_t i = 0; i < json_array_size(items); i++)
        json_array_append(ids, json_object_get(json_array_get(items, i), "id"));
    json_object_set_new(body, "ids", ids);
    int rc = explain ? desk_integrity_explain(w->desk, v, body, now, &r) : desk_integrity_decide(w->desk, v, body, now, &r);
    if (code) {
        assert_true(rc < 0);
        assert_string_equal(r.code, code);
    } else {
        must(rc, &r.err);
    }
    desk_reply_free(&r);
    json_decref(body);
    json_decref(items);
}

static void a_first_snapshot_is_the_baseline_and_the_next_one_tells_what_differs(void **state)
{
    struct world *w = *state;

    snapshot(w, HOST, "files", 1, 0, 2, FILE_ITEM("/opt/register/a", SUM_A) "," FILE_ITEM("/opt/register/b", SUM_B), "", T0);
    assert_int_equal(number(w, "SELECT count(*) FROM fact_item"), 2);
    assert_int_equal(number(w, "SELECT count(*) FROM integrity_change"), 0);
    snapshot(w, HOST, "files", 2, 1, 2, FILE_ITEM("/opt/register/a", SUM_C) "," FILE_ITEM("/opt/register/c", SUM_C), "\"/opt/register/b\"", T0 + H);
    json_t *items = changes(w, &w->registry, "waiting");
    assert_int_equal(json_array_size(items), 3);
    assert_string_equal(text_of(items, 0, "what"), "missing");
    assert_string_equal(text_of(items, 1, "what"), "appeared");
    assert_string_equal(text_of(items, 2, "what"), "changed");
    assert_string_equal(text_of(items, 2, "host"), HOST);
    assert_string_equal(json_string_value(json_object_get(json_object_get(json_array_get(items, 2), "before"), "text")), SUM_A);
    json_decref(items);
    items = changes(w, &w->city, "waiting");
    assert_int_equal(json_array_size(items), 0);
    json_decref(items);
    assert_int_equal(number(w, "SELECT count(*) FROM cases"), 0);   /* facts open no case by themselves */
}

static void a_whole_list_says_what_is_gone_by_leaving_it_out(void **state)
{
    struct world *w = *state;

    snapshot(w, HOST, "files", 1, 0, 2, FILE_ITEM("/opt/register/a", SUM_A) "," FILE_ITEM("/opt/register/b", SUM_B), "", T0);
    snapshot(w, HOST, "files", 2, 0, 1, FILE_ITEM("/opt/register/a", SUM_A), "", T0 + H);
    assert_int_equal(number(w, "SELECT count(*) FROM integrity_change WHERE what = 'missing' AND key = '/opt/register/b'"), 1);
    assert_int_equal(number(w, "SELECT count(*) FROM fact_item"), 1);
}

static void a_snapshot_counts_when_all_its_parts_are_here_in_any_order_and_once(void **state)
{
    static const char *const parts[] = {
        "{\"kind\":\"files\",\"scan\":\"1\",\"total\":3,\"over\":0,\"roots\":[],\"part\":1,\"last\":false,\"items\":[" FILE_ITEM("/a", SUM_A) "],\"gone\":[]}",
        "{\"kind\":\"files\",\"scan\":\"1\",\"total\":3,\"over\":0,\"roots\":[],\"part\":2,\"last\":false,\"items\":[" FILE_ITEM("/b", SUM_A) "],\"gone\":[]}",
        "{\"kind\":\"files\",\"scan\":\"1\",\"total\":3,\"over\":0,\"roots\":[],\"part\":3,\"last\":true,\"items\":[" FILE_ITEM("/c", SUM_A) "],\"gone\":[]}",
    };
    struct world *w = *state;

    part(w, HOST, parts[2], T0);
    part(w, HOST, parts[0], T0);
    work(w, T0);
    assert_int_equal(number(w, "SELECT count(*) FROM fact_item"), 0);
    assert_int_equal(number(w, "SELECT count(*) FROM fact_part"), 2);
    part(w, HOST, parts[1], T0 + M);
    work(w, T0 + M);
    assert_int_equal(number(w, "SELECT count(*) FROM fact_item"), 3);
    assert_int_equal(number(w, "SELECT count(*) FROM fact_part"), 0);
    for (size_t i = 0; i < COUNT(parts); i++)      /* an agent whose state was lost sends again */
        part(w, HOST, parts[i], T0 + 2 * M);
    work(w, T0 + 2 * M);
    assert_int_equal(number(w, "SELECT count(*) FROM fact_item"), 3);
    assert_int_equal(number(w, "SELECT count(*) FROM integrity_change"), 0);
    assert_int_equal(number(w, "SELECT count(*) FROM state_arrived"), 0);
}

static void a_fact_speaks_for_the_host_of_its_certificate_alone(void **state)
{
    struct world *w = *state;

    snapshot(w, HOST, "files", 1, 0, 1, FILE_ITEM("/opt/register/a", SUM_A), "", T0);
    /* Another host sends "the same scan", a difference to it, and names the first host wherever a name fits. */
    snapshot(w, "city-web-1", "files", 2, 1, 1, FILE_ITEM("/opt/register/a", SUM_C), "", T0 + M);
    part(w, "city-web-1", "{\"kind\":\"files\",\"host\":\"" HOST "\",\"sender\":\"" HOST "\",\"scan\":\"3\",\"total\":1,\"over\":0,\"roots\":[],\"part\":1,\"last\":true,"
                          "\"items\":[" FILE_ITEM("/opt/register/a", SUM_C) "],\"gone\":[]}", T0 + M);
    work(w, T0 + M);
    assert_int_equal(number(w, "SELECT count(*) FROM fact_item i JOIN fact_host h ON h.id = i.host_id WHERE h.host = '" HOST "' AND instr(i.value, '" SUM_A "') > 0"), 1);
    assert_int_equal(number(w, "SELECT count(*) FROM integrity_change WHERE object_id = 'state-register'"), 0);
    /* A name that the registry does not know is shown to the centre and belongs to no object. */
    snapshot(w, "stranger", "files", 1, 0, 1, FILE_ITEM("/x", SUM_A), "", T0 + M);
    struct desk_reply r = { 0 };
    must(desk_fact_hosts(w->desk, &w->analyst, 100, STR(""), T0 + M, &r), &r.err);
    assert_int_equal(json_array_size(json_object_get(r.json, "unknown")), 1);
    desk_reply_free(&r);
    must(desk_fact_hosts(w->desk, &w->registry, 100, STR(""), T0 + M, &r), &r.err);
    assert_int_equal(json_array_size(json_object_get(r.json, "unknown")), 0);
    desk_reply_free(&r);
}

static void differences_to_what_we_do_not_have_are_not_taken_and_said(void **state)
{
    struct world *w = *state;

    snapshot(w, HOST, "files", 5, 4, 1, FILE_ITEM("/a", SUM_A), "", T0);
    assert_int_equal(number(w, "SELECT count(*) FROM fact_item"), 0);
    snapshot(w, HOST, "files", 6, 0, 1, FILE_ITEM("/a", SUM_A), "", T0 + M);
    snapshot(w, HOST, "files", 8, 7, 2, FILE_ITEM("/b", SUM_A), "", T0 + 2 * M);
    assert_int_equal(number(w, "SELECT stale FROM fact_state"), 1);
    assert_int_equal(number(w, "SELECT count(*) FROM fact_item"), 1);
    snapshot(w, HOST, "files", 9, 0, 2, FILE_ITEM("/a", SUM_A) "," FILE_ITEM("/b", SUM_A), "", T0 + 3 * M);
    assert_int_equal(number(w, "SELECT stale FROM fact_state"), 0);
}

static void what_is_no_part_is_counted_at_its_sender_and_holds_up_nobody(void **state)
{
    static const char *const broken[] = {
        "", "{", "[]", "{\"kind\":\"files\"}", "{\"kind\":\"shells\",\"scan\":\"1\",\"total\":0,\"over\":0,\"roots\":[],\"part\":1,\"last\":true,\"items\":[],\"gone\":[]}",
        "{\"kind\":\"files\",\"scan\":\"-1\",\"total\":0,\"over\":0,\"roots\":[],\"part\":1,\"last\":true,\"items\":[],\"gone\":[]}",
        "{\"kind\":\"files\",\"scan\":\"1\",\"total\":0,\"over\":0,\"roots\":[],\"part\":5000,\"last\":true,\"items\":[],\"gone\":[]}",
        "{\"kind\":\"files\",\"scan\":\"1\",\"total\":0,\"over\":0,\"roots\":[],\"part\":1,\"last\":true,\"items\":[[\"\",\"x\"]],\"gone\":[]}",
        "{\"kind\":\"files\",\"scan\":\"1\",\"total\":0,\"over\":0,\"roots\":[],\"part\":1,\"last\":true,\"items\":[[\"/a\",\"x\\ty\"]],\"gone\":[]}",
        "{\"kind\":\"files\",\"scan\":\"1\",\"total\":0,\"over\":0,\"roots\":[],\"part\":1,\"last\":true,\"items\":[],\"gone\":[7]}",
    };
    struct world *w = *state;

    for (size_t i = 0; i < COUNT(broken); i++)
        part(w, HOST, broken[i], T0);
    snapshot(w, "city-web-1", "files", 1, 0, 1, FILE_ITEM("/a", SUM_A), "", T0);
    assert_int_equal(number(w, "SELECT refused FROM fact_host WHERE host = '" HOST "'"), COUNT(broken));
    assert_int_equal(number(w, "SELECT count(*) FROM fact_item"), 1);
    assert_int_equal(number(w, "SELECT count(*) FROM state_arrived"), 0);
}

static void a_change_that_goes_away_is_withdrawn_and_one_that_goes_on_is_one_row(void **state)
{
    struct world *w = *state;

    snapshot(w, HOST, "files", 1, 0, 1, FILE_ITEM("/a", SUM_A), "", T0);
    snapshot(w, HOST, "files", 2, 1, 1, FILE_ITEM("/a", SUM_B), "", T0 + M);
    snapshot(w, HOST, "files", 3, 2, 1, FILE_ITEM("/a", SUM_C), "", T0 + 2 * M);
    assert_int_equal(number(w, "SELECT count(*) FROM integrity_change WHERE state = 'open' AND count = 2"), 1);
    snapshot(w, HOST, "files", 4, 3, 1, FILE_ITEM("/a", SUM_A), "", T0 + 3 * M);
    assert_int_equal(number(w, "SELECT count(*) FROM integrity_change WHERE state = 'withdrawn'"), 1);
    assert_int_equal(number(w, "SELECT count(*) FROM integrity_change"), 1);
    /* Another time alone is no difference. */
    snapshot(w, HOST, "files", 5, 4, 1, "[\"/a\",\"10\",\"100644\",\"1774099999\",\"" SUM_A "\"]", "", T0 + 4 * M);
    assert_int_equal(number(w, "SELECT count(*) FROM integrity_change"), 1);
}

static void r_7_05_checksums_of_the_passport_are_laid_beside_the_files(void **state)
{
    struct world *w = *state;
    struct desk_reply r = { 0 };

    passport(w, CHECKSUM("/opt/register/a", "sha256", SUM_A) "," CHECKSUM("bin/b", "sha256", SUM_B) "," CHECKSUM("/opt/register/c", "sha256", SUM_C) ","
                CHECKSUM("/srv/far", "sha256", SUM_A) "," CHECKSUM("/opt/register/d", "md5", "0123456789abcdef0123456789abcdef"), T0);
    snapshot(w, HOST, "files", 1, 0, 4, FILE_ITEM("/opt/register/a", SUM_A) "," FILE_ITEM("/opt/register/bin/b", SUM_C) "," FILE_ITEM("/opt/register/d", SUM_C) ","
             FILE_ITEM("/opt/register/x", SUM_C), "", T0 + M);
    must(desk_facts(w->desk, &w->registry, OBJECT, T0 + M, &r), &r.err);
    const json_t *k = json_object_get(r.json, "checksums");
    assert_int_equal(json_integer_value(json_object_get(k, "match")), 1);
    assert_int_equal(json_integer_value(json_object_get(k, "differs")), 1);
    assert_int_equal(json_integer_value(json_object_get(k, "missing")), 1);
    assert_int_equal(json_integer_value(json_object_get(k, "not_watched")), 1);
    assert_int_equal(json_integer_value(json_object_get(k, "not_comparable")), 1);
    assert_int_equal(json_integer_value(json_object_get(k, "extra")), 1);
    desk_reply_free(&r);
    assert_int_equal(number(w, "SELECT count(*) FROM integrity_change WHERE against = 'passport' AND state = 'open'"), 2);
    must(desk_checksums(w->desk, &w->registry, OBJECT, STR("differs"), 10, STR(""), &r), &r.err);
    assert_string_equal(text_of(json_object_get(r.json, "items"), 0, "path"), "/opt/register/bin/b");
    desk_reply_free(&r);
    assert_int_equal(desk_checksums(w->desk, &w->city, OBJECT, STR(""), 10, STR(""), &r), -ENOENT);
    desk_reply_free(&r);
    /* A passport that says what is there: nothing waits any more. */
    passport(w, CHECKSUM("bin/b", "sha256", SUM_C), T0 + 2 * M);
    work(w, T0 + 3 * M);
    assert_int_equal(number(w, "SELECT count(*) FROM integrity_change WHERE against = 'passport' AND state = 'open'"), 0);
    assert_int_equal(number(w, "SELECT count(*) FROM fact_check WHERE verdict = 'match'"), 1);
}

static void a_file_of_the_passport_that_nobody_explains_becomes_an_event_and_not_an_incident(void **state)
{
    struct world *w = *state;

    passport(w, CHECKSUM("/opt/register/a", "sha256", SUM_A) "," CHECKSUM("/opt/register/b", "sha256", SUM_B), T0);
    snapshot(w, HOST, "files", 1, 0, 2, FILE_ITEM("/opt/register/a", SUM_A) "," FILE_ITEM("/opt/register/b", SUM_B), "", T0 + M);
    snapshot(w, HOST, "files", 2, 1, 2, FILE_ITEM("/opt/register/a", SUM_C), "", T0 + 2 * M);
    json_t *items = changes(w, &w->analyst, "open");      /* the passport's row waits; the one to before is recorded */
    assert_int_equal(json_array_size(items), 1);
    assert_string_equal(text_of(items, 0, "against"), "passport");
    json_decref(items);
    work(w, T0 + 2 * M + 59 * M);
    assert_int_equal(number(w, "SELECT count(*) FROM cases"), 0);
    work(w, T0 + 2 * M + 60 * M);
    assert_int_equal(number(w, "SELECT count(*) FROM cases WHERE object_id = 'state-register' AND kind = 'undetermined' AND state = 'detected'"), 1);
    work(w, T0 + 2 * M + 70 * M);
    assert_int_equal(number(w, "SELECT count(*) FROM finding"), 1);
    snapshot(w, HOST, "files", 3, 2, 2, FILE_ITEM("/opt/register/b", SUM_C), "", T0 + 3 * H);
    work(w, T0 + 5 * H);
    assert_int_equal(number(w, "SELECT count(*) FROM cases"), 1);      /* the second joins */
    assert_int_equal(number(w, "SELECT count(*) FROM finding"), 2);
}

static void an_explained_difference_opens_no_case_and_what_is_accepted_is_the_next_passport(void **state)
{
    struct world *w = *state;

    passport(w, CHECKSUM("/opt/register/a", "sha256", SUM_A) "," CHECKSUM("/opt/register/gone", "sha256", SUM_B), T0);
    snapshot(w, HOST, "files", 1, 0, 2, FILE_ITEM("/opt/register/a", SUM_A) "," FILE_ITEM("/opt/register/gone", SUM_B), "", T0 + M);
    snapshot(w, HOST, "files", 2, 1, 1, FILE_ITEM("/opt/register/a", SUM_C), "\"/opt/register/gone\"", T0 + 2 * M);
    act(w, &w->analyst, true, "{\"kind\":\"planned\",\"reason\":\"release 7\"}", "forbidden", T0 + 3 * M);
    act(w, &w->city, true, "{\"kind\":\"planned\",\"reason\":\"release 7\"}", "not_found", T0 + 3 * M);
    act(w, &w->registry, true, "{\"kind\":\"planned\"}", "bad_request", T0 + 3 * M);
    act(w, &w->registry, true, "{\"kind\":\"planned\",\"reason\":\"release 7\"}", NULL, T0 + 3 * M);
    work(w, T0 + 5 * H);
    assert_int_equal(number(w, "SELECT count(*) FROM cases"), 0);
    act(w, &w->registry, false, "{\"decision\":\"accept\"}", "forbidden", T0 + 6 * H);
    act(w, &w->analyst, false, "{\"decision\":\"question\"}", "bad_request", T0 + 6 * H);
    act(w, &w->analyst, false, "{\"decision\":\"accept\",\"note\":\"seen\"}", NULL, T0 + 6 * H);
    assert_int_equal(number(w, "SELECT max(version) FROM passport"), 2);
    assert_int_equal(number(w, "SELECT count(*) FROM passport_item i JOIN passport p ON p.id = i.passport_id WHERE p.version = 2 AND i.json ->> '$.value' = '" SUM_C "'"), 1);
    assert_int_equal(number(w, "SELECT count(*) FROM passport_item i JOIN passport p ON p.id = i.passport_id WHERE p.version = 2"), 1);
    assert_int_equal(number(w, "SELECT count(*) FROM integrity_change WHERE state = 'accepted' AND passport_version = 2"), 2);
    work(w, T0 + 7 * H);
    assert_int_equal(number(w, "SELECT count(*) FROM fact_check WHERE verdict = 'match'"), 1);
    assert_int_equal(number(w, "SELECT count(*) FROM fact_check"), 1);
    assert_int_equal(number(w, "SELECT count(*) FROM audit WHERE action IN ('integrity.explain','integrity.accept') AND outcome = 'ok'"), 2);
}

static void a_change_that_the_owner_denies_becomes_an_event_at_once(void **state)
{
    struct world *w = *state;

    snapshot(w, HOST, "files", 1, 0, 1, FILE_ITEM("/opt/register/a", SUM_A), "", T0);
    snapshot(w, HOST, "files", 2, 1, 1, FILE_ITEM("/opt/register/a", SUM_C), "", T0 + M);
    work(w, T0 + 5 * H);
    assert_int_equal(number(w, "SELECT count(*) FROM cases"), 0);     /* no file of the passport: it waits for the owner, however long */
    act(w, &w->registry, true, "{\"kind\":\"not_ours\",\"reason\":\"nobody of us was there\"}", NULL, T0 + 6 * H);
    work(w, T0 + 6 * H);
    assert_int_equal(number(w, "SELECT count(*) FROM cases WHERE rule_id = 'saqshy-integrity-denied'"), 1);
    json_t *items = changes(w, &w->analyst, "denied");
    assert_non_null(json_string_value(json_object_get(json_object_get(json_array_get(items, 0), "case"), "number")));
    json_decref(items);
    items = changes(w, &w->registry, "denied");      /* the owner sees the case when it is told of it */
    assert_true(json_is_null(json_object_get(json_array_get(items, 0), "case")));
    json_decref(items);
}

static void r_7_03_packages_are_laid_beside_the_passports_list_of_software(void **state)
{
    struct world *w = *state;

    passport(w, "{\"kind\":\"software\",\"name\":\"nginx\",\"host\":\"" HOST "\",\"version\":\"1.22.1\"},"
                "{\"kind\":\"software\",\"name\":\"libssl3\",\"host\":\"" HOST "\",\"version\":\"3.0\"}", T0);
    snapshot(w, HOST, "packages", 1, 0, 4, "[\"libssl3:amd64\",\"3.0\"],[\"libz:amd64\",\"1\"],[\"nginx:amd64\",\"1.24.0\"],[\"xmrig:amd64\",\"6.2\"]", "", T0 + M);
    assert_int_equal(number(w, "SELECT count(*) FROM object_change WHERE state = 'open'"), 2);
    assert_int_equal(number(w, "SELECT count(*) FROM object_change WHERE what = 'changed' AND key LIKE '%nginx'"), 1);
    assert_int_equal(number(w, "SELECT count(*) FROM object_change WHERE what = 'appeared' AND key LIKE '%xmrig'"), 1);
    snapshot(w, HOST, "packages", 2, 1, 2, "", "\"nginx:amd64\",\"xmrig:amd64\"", T0 + 2 * M);
    assert_int_equal(number(w, "SELECT count(*) FROM object_change WHERE state = 'open' AND what = 'missing' AND key LIKE '%nginx'"), 1);
    /* What came and went is recorded, and waits for nobody. */
    assert_int_equal(number(w, "SELECT count(*) FROM integrity_change WHERE kind = 'packages' AND state = 'recorded'"), 2);
}

static void r_10_2_03_settings_are_judged_and_given_to_a_survey_as_a_file(void **state)
{
    struct world *w = *state;
    struct desk_facts_query q = { .object = OBJECT, .kind = STR("settings") };
    struct desk_reply r = { 0 };

    snapshot(w, HOST, "settings", 1, 0, 3, "[\"sshd.permit_root_login\",\"set\",\"/etc/ssh/sshd_config\",\"yes\"],[\"sshd.password_authentication\",\"absent\",\"\",\"\"],"
             "[\"kernel.randomize_va_space\",\"set\",\"/proc/sys/kernel/randomize_va_space\",\"2\"]", "", T0);
    snapshot(w, HOST, "packages", 1, 0, 1, "[\"nginx:amd64\",\"1.24.0\"]", "", T0);
    must(desk_fact_items(w->desk, &w->registry, &q, T0, &r), &r.err);
    const json_t *items = json_object_get(r.json, "items");
    assert_int_equal(json_array_size(items), 3);
    assert_string_equal(text_of(items, 0, "verdict"), "expected");
    assert_string_equal(text_of(items, 1, "verdict"), "otherwise");   /* what sshd does without a word is known */
    assert_string_equal(text_of(items, 2, "verdict"), "otherwise");
    desk_reply_free(&r);
    must(desk_facts_file(w->desk, &w->analyst, OBJECT, STR(HOST), T0, &r), &r.err);
    assert_string_equal(json_string_value(json_object_get(r.json, "format")), "saqshy-facts");
    assert_int_equal(json_array_size(json_object_get(r.json, "settings")), 3);
    assert_string_equal(text_of(json_object_get(r.json, "packages"), 0, "version"), "1.24.0");
    desk_reply_free(&r);
    assert_int_equal(desk_facts_file(w->desk, &w->city, OBJECT, STR(HOST), T0, &r), -ENOENT);
    desk_reply_free(&r);
}

/* Most rows wait for nobody: no list may walk over them, or sort more than the rows of the objects that are asked about. */
static void every_list_of_differences_has_its_index(void **state)
{
    struct world *w = *state;
    size_t count;
    const char *const *sql = integrity_statements(&count);

    for (size_t i = 0; i < count; i++) {
        AUTO_BUF struct buf plan = { 0 }, explain = { 0 };
        sqlite3_stmt *st = NULL;

        buf_init(&plan, 64 * KIB);
        buf_init(&explain, 64 * KIB);
        buf_printf(&explain, "EXPLAIN QUERY PLAN %s", sql[i]);
        buf_byte(&explain, 0);
        assert_int_equal(sqlite3_prepare_v2(w->desk->db, explain.p, -1, &st, NULL), SQLITE_OK);
        while (sqlite3_step(st) == SQLITE_ROW)
            buf_printf(&plan, "%s\n", (const char *)sqlite3_column_text(st, 3));
        sqlite3_finalize(st);
        bool org = str_find(str_c(sql[i]), STR("UNION")) > 0, all = str_find(str_c(sql[i]), STR("NOT INDEXED")) > 0;
        CHECK(sql[i], all || str_find(buf_view(&plan), STR("SCAN g\n")) < 0);
        CHECK(sql[i], org || str_find(buf_view(&plan), STR("TEMP B-TREE FOR ORDER BY")) < 0);
    }
}

/* arrived_large - a snapshot of parts of 250 values of four thousand letters, as large as one may be; they lie in the table as if they had come. */
static void arrived_large(struct world *w, const char *sender, int scan, char letter, int64_t *seq)
{
    char value[4001];
    struct err e;

    memset(value, letter, 4000);
    value[4000] = 0;
    for (int part_no = 1; part_no <= 31; part_no++) {
        AUTO_BUF struct buf b = { 0 };

        buf_init(&b, 2 * MIB);
        buf_printf(&b, "{\"kind\":\"files\",\"scan\":\"%d\",\"total\":7750,\"over\":0,\"roots\":[],\"part\":%d,\"last\":%s,\"gone\":[],\"items\":[", scan, part_no,
                   part_no == 31 ? "true" : "false");
        for (int i = 0; i < 250; i++)
            buf_printf(&b, "%s[\"/f/%d\",\"%s\"]", i ? "," : "", part_no * 1000 + i, value);
        buf_printf(&b, "]}");
        must(db_exec(w->desk, &e, "INSERT INTO state_arrived(seq, received_at, at, sender, payload) VALUES (?,?,?,?,?)", "iiitb", ++*seq, T0, T0, str_c(sender),
                     buf_view(&b)), &e);
    }
}

/* What is known of this host twice over no longer fits into the memory of a turn: its sender is told off, and the others go on. */
static void a_snapshot_too_large_for_a_turn_holds_up_nobody(void **state)
{
    struct world *w = *state;
    int64_t seq = 1000;
    struct err e;

    for (int scan = 1; scan <= 3; scan++)
        arrived_large(w, HOST, scan, (char)('a' + scan), &seq);
    must(db_exec(w->desk, &e, "INSERT INTO state_arrived(seq, received_at, at, sender, payload) VALUES (?,?,?,?,?)", "iiitb", ++seq, T0, T0, STR("other"),
                 STR("{\"kind\":\"packages\",\"scan\":\"1\",\"total\":1,\"over\":0,\"roots\":[],\"part\":1,\"last\":true,\"gone\":[],\"items\":[[\"nginx\",\"1\"]]}")), &e);
    for (int i = 0; i < 60 && number(w, "SELECT count(*) FROM state_arrived"); i++)
        (void)!desk_tick(w->desk, T0, NULL, &e);
    assert_int_equal(number(w, "SELECT count(*) FROM state_arrived"), 0);
    assert_int_equal(number(w, "SELECT count(*) FROM fact_item WHERE kind = 'packages'"), 1);
}

static int kill_now(void *arg)
{
    int *left = arg;

    return --*left == 0;
}

static void a_kill_between_any_two_steps_takes_each_snapshot_once(void **state)
{
    struct world *w = *state;
    struct err e;

    snapshot(w, HOST, "files", 1, 0, 1, FILE_ITEM("/a", SUM_A), "", T0);
    part(w, HOST, "{\"kind\":\"files\",\"scan\":\"2\",\"base\":\"1\",\"total\":1,\"over\":0,\"roots\":[],\"part\":1,\"last\":true,\"items\":["
                  FILE_ITEM("/a", SUM_B) "],\"gone\":[]}", T0 + M);
    for (int at = 1; at < 200; at++) {
        int left = at;

        sqlite3_progress_handler(w->desk->db, 20, kill_now, &left);
        int rc = desk_take_findings(w->desk, T0 + M, &e);
        if (rc >= 0)
            rc = desk_tick(w->desk, T0 + M, NULL, &e);
        sqlite3_progress_handler(w->desk->db, 0, NULL, NULL);
        desk_reopen(w);
    }
    work(w, T0 + M);
    assert_int_equal(number(w, "SELECT count(*) FROM integrity_change WHERE state = 'open' AND count = 1"), 1);
    assert_int_equal(number(w, "SELECT count(*) FROM fact_part"), 0);
    assert_int_equal(number(w, "SELECT count(*) FROM state_arrived"), 0);
}


/* Verdicts are as many as files times hosts: the memory of a turn does not grow with them, and the object whose comparison fails keeps no other waiting. */
static void a_comparison_is_bounded_and_one_that_fails_holds_up_no_other(void **state)
{
    struct world *w = *state;
    struct desk_reply r = { 0 };
    struct call c;
    struct err e;

    snapshot(w, HOST, "files", 1, 0, 1, FILE_ITEM("/opt/register/a", SUM_A), "", T0);
    passport(w, CHECKSUM("/opt/register/a", "sha256", SUM_A), T0);
    must(db_exec(w->desk, &e, "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 2000) INSERT INTO fact_item SELECT 1, 'files',"
                              " '/opt/register/f' || i, '10' || char(9) || '100644' || char(9) || '1' || char(9) || '" SUM_A "', 1 FROM n", ""), &e);
    must(db_exec(w->desk, &e, "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 2000) INSERT INTO passport_item(passport_id, position, kind,"
                              " key, json) SELECT (SELECT max(id) FROM passport), i + 10, 'checksum', 'k' || i, json_object('kind','checksum','file',"
                              "'/opt/register/f' || i,'algorithm','sha256','value','" SUM_B "') FROM n", ""), &e);
    desk_call_init(&c, w->desk, NULL, T0, &r);
    arena_free(&c.a);
    arena_init(&c.a, 128 * KIB);
    must(db_begin(w->desk, &e), &e);
    must(db_end(w->desk, compare_object(&c, OBJECT), &e), c.e);
    assert_false(arena_failed(&c.a));
    desk_call_free(&c);
    assert_int_equal(number(w, "SELECT count(*) FROM integrity_change WHERE against = 'passport' AND state = 'open'"), 2000);

    must(db_exec(w->desk, &e, "INSERT INTO fact_checked(object_id, version, round, at, extra) VALUES ('city-portal', 7, 1, 1, 0)", ""), &e);
    must(db_exec(w->desk, &e, "UPDATE fact_checked SET version = 7 WHERE object_id = 'state-register'", ""), &e);
    must(db_exec(w->desk, &e, "CREATE TRIGGER refusing BEFORE INSERT ON fact_checked WHEN NEW.object_id = 'city-portal' BEGIN SELECT RAISE(ABORT, 'no'); END", ""), &e);
    work(w, T0 + M);
    work(w, T0 + 2 * M);
    assert_int_equal(number(w, "SELECT version FROM fact_checked WHERE object_id = 'state-register'"), 1);
}

/* --- one host of several --- */

static void verdicts_are(struct world *w, const char *name, int64_t match, int64_t differs, int64_t missing, int64_t extra)
{
    struct desk_reply r = { 0 };

    must(desk_facts(w->desk, &w->analyst, OBJECT, T0, &r), &r.err);
    const json_t *k = json_object_get(r.json, "checksums");
    CHECK(name, json_integer_value(json_object_get(k, "match")) == match);
    CHECK(name, json_integer_value(json_object_get(k, "differs")) == differs);
    CHECK(name, json_integer_value(json_object_get(k, "missing")) == missing);
    CHECK(name, json_integer_value(json_object_get(k, "extra")) == extra);
    desk_reply_free(&r);
}

/* A list of one host is laid beside the passport by itself: what stands of the others is neither read nor written, and the whole says the same as ever. */
static void a_list_of_one_host_leaves_the_others_alone(void **state)
{
    struct world *w = *state;
    struct err e;

    passport(w, CHECKSUM("bin/server", "sha256", SUM_A) "," CHECKSUM("bin/worker", "sha256", SUM_B), T0);
    snapshot(w, HOST, "files", 1, 0, 2, FILE_ITEM("/opt/register/bin/server", SUM_A) "," FILE_ITEM("/opt/register/x", SUM_C), "", T0 + M);
    verdicts_are(w, "one host", 1, 0, 1, 1);
    snapshot(w, "registry-db-1", "files", 1, 0, 1, FILE_ITEM("/opt/register/bin/worker", SUM_B), "", T0 + 2 * M);
    verdicts_are(w, "the second host has the missing file", 2, 0, 0, 1);
    assert_int_equal(db_exec(w->desk, &e, "UPDATE fact_check SET since_at = 7 WHERE host_id = (SELECT id FROM fact_host WHERE host = ?)", "z", HOST), 1);
    snapshot(w, "registry-db-1", "files", 2, 1, 2, FILE_ITEM("/opt/register/bin/server", SUM_C), "", T0 + 3 * M);
    verdicts_are(w, "it has the first one too, otherwise", 2, 1, 0, 1);
    snapshot(w, "registry-db-1", "files", 3, 2, 1, FILE_ITEM("/opt/register/y", SUM_C), "\"/opt/register/bin/server\",\"/opt/register/bin/worker\"", T0 + 4 * M);
    verdicts_are(w, "and has neither: one is missing everywhere, one is not", 1, 0, 1, 2);
    assert_int_equal(number(w, "SELECT count(*) FROM integrity_change WHERE against = 'passport' AND state = 'open'"), 1);
    assert_int_equal(number(w, "SELECT count(*) FROM fact_check WHERE since_at = 7"), 1);   /* nobody has touched the first host's row */
    assert_int_equal(number(w, "SELECT round FROM fact_check WHERE since_at = 7") < number(w, "SELECT round FROM fact_checked"), 1);
    passport(w, CHECKSUM("bin/server", "sha256", SUM_C), T0 + 5 * M);
    work(w, T0 + 5 * M);
    verdicts_are(w, "a new passport is laid beside all", 0, 1, 0, 2);
}

/* --- clocks --- */

static void clock_said(struct world *w, int scan, int base, const char *value, time_ns at)
{
    char item[200];

    snprintf(item, sizeof item, "[\"clock\",%s]", value);
    snapshot(w, HOST, "time", scan, base, 1, item, "", at);
}

static void time_is(struct world *w, time_ns now, int64_t kept, int64_t off, int64_t unreadable, int64_t silent, time_ns since)
{
    struct desk_reply r = { 0 };
    time_ns got = 0;

    must(desk_facts(w->desk, &w->registry, OBJECT, now, &r), &r.err);
    const json_t *t = json_object_get(r.json, "time");
    assert_int_equal(json_integer_value(json_object_get(t, "synchronised")), kept);
    assert_int_equal(json_integer_value(json_object_get(t, "unsynchronised")), off);
    assert_int_equal(json_integer_value(json_object_get(t, "unreadable")), unreadable);
    assert_int_equal(json_integer_value(json_object_get(t, "silent")), silent);
    assert_int_equal(json_integer_value(json_object_get(t, "none")), json_integer_value(json_object_get(t, "hosts")) - kept - off - unreadable - silent);
    if (since)
        assert_int_equal(time_parse_rfc3339(json_get_str(t, "since_at"), &got, NULL, NULL), 0);
    assert_int_equal(got, since);
    desk_reply_free(&r);
}

/* The fact is whether the clock is kept in time: an offset that trembles moves no "since", a change opens no difference that anybody had to explain. */
static void a_clock_is_kept_in_time_or_not_and_since_when_is_said(void **state)
{
    struct world *w = *state;

    time_is(w, T0, 0, 0, 0, 0, 0);
    clock_said(w, 1, 0, "\"synchronised\",\"0\",\"1\",\"\"", T0);
    time_is(w, T0, 1, 0, 0, 0, 0);
    clock_said(w, 2, 1, "\"unsynchronised\",\"12\",\"16000\",\"\"", T0 + H);
    time_is(w, T0 + H, 0, 1, 0, 0, T0 + H);
    clock_said(w, 3, 2, "\"unsynchronised\",\"900\",\"16000\",\"\"", T0 + 5 * H);
    time_is(w, T0 + 5 * H, 0, 1, 0, 0, T0 + H);
    time_is(w, T0 + 5 * H + FACT_SILENT_NS + 1, 0, 0, 0, 1, 0);
    clock_said(w, 4, 3, "\"unreadable\",\"\",\"\",\"EPERM\"", T0 + 6 * H);
    time_is(w, T0 + 6 * H, 0, 0, 1, 0, 0);
    assert_int_equal(number(w, "SELECT count(*) FROM integrity_change"), 0);
    assert_int_equal(number(w, "SELECT unreadable FROM fact_state WHERE kind = 'time'"), 1);
}

#define T(name) cmocka_unit_test_setup_teardown(name, world_open, world_close)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(a_first_snapshot_is_the_baseline_and_the_next_one_tells_what_differs),
        T(a_whole_list_says_what_is_gone_by_leaving_it_out),
        T(a_snapshot_counts_when_all_its_parts_are_here_in_any_order_and_once),
        T(a_fact_speaks_for_the_host_of_its_certificate_alone),
        T(differences_to_what_we_do_not_have_are_not_taken_and_said),
        T(what_is_no_part_is_counted_at_its_sender_and_holds_up_nobody),
        T(a_snapshot_too_large_for_a_turn_holds_up_nobody),
        T(a_comparison_is_bounded_and_one_that_fails_holds_up_no_other),
        T(a_change_that_goes_away_is_withdrawn_and_one_that_goes_on_is_one_row),
        T(r_7_05_checksums_of_the_passport_are_laid_beside_the_files),
        T(a_file_of_the_passport_that_nobody_explains_becomes_an_event_and_not_an_incident),
        T(an_explained_difference_opens_no_case_and_what_is_accepted_is_the_next_passport),
        T(a_change_that_the_owner_denies_becomes_an_event_at_once),
        T(r_7_03_packages_are_laid_beside_the_passports_list_of_software),
        T(r_10_2_03_settings_are_judged_and_given_to_a_survey_as_a_file),
        T(a_list_of_one_host_leaves_the_others_alone),
        T(a_clock_is_kept_in_time_or_not_and_since_when_is_said),
        T(every_list_of_differences_has_its_index),
        T(a_kill_between_any_two_steps_takes_each_snapshot_once),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
