/* test_collection.c - profiles of sources are judged, ordered, written for the collector and told in the audit trail; tokens of senders are shown once. */
#include "desk/collection/collection.h"
#include "desk/testing.h"
#include "ingest/told.h"
#include "ingest/token_file.h"

static json_t *profile(const char *name, const char *address, const char *host, const char *zone)
{
    return json_pack("{s:s,s:s,s:s,s:n,s:s,s:n,s:n,s:n,s:n}", "name", name, "address", address, "host", host, "listener", "zone", zone, "encoding", "class",
                     "parser", "object_id");
}

static int create(struct world *w, const struct viewer *v, json_t *body, struct desk_reply *r)
{
    int rc;

    *r = (struct desk_reply){ 0 };
    rc = desk_source_profile_create(w->desk, v, body, T0, r);
    json_decref(body);
    return rc;
}

/* kept - what the collector would read now. */
static struct profiles *kept(struct world *w)
{
    AUTO_BUF struct buf b = { 0 };
    struct profiles *p = NULL;
    char path[4096];
    struct err e;

    buf_init(&b, TOLD_BYTES_MAX);
    must(file_read(node_path(w->node, "run/profiles.json", path), TOLD_BYTES_MAX, &b, &e), &e);
    must(told_read(buf_view(&b), &p, &e), &e);
    return p;
}

static const char *found(struct world *w, const char *peer, const char *host)
{
    static char name[128];
    struct profiles *p = kept(w);
    const struct profile *one = profiles_find(p, str_c(peer), STR("syslog_udp"), str_c(host));

    snprintf(name, sizeof name, "%.*s", one ? (int)one->name.n : 0, one ? one->name.p : "");
    profiles_free(&p);
    return name;
}

static int64_t audits(struct world *w, const char *action)
{
    int64_t n = -1;

    assert_int_equal(db_int(w->desk, NULL, 0, &n, "SELECT count(*) FROM audit WHERE action = ? AND outcome = 'ok'", "z", action), 0);
    return n;
}

static void the_narrowest_profile_is_what_the_collector_finds(void **state)
{
    struct world *w = *state;
    struct desk_reply r = { 0 };
    json_t *change;

    must(create(w, &w->admin, profile("wide", "10.0.0.0/8", "", "+06:00"), &r), &r.err);
    desk_reply_free(&r);
    must(create(w, &w->admin, profile("near", "10.1.0.0/16", "", "+05:00"), &r), &r.err);
    desk_reply_free(&r);
    must(create(w, &w->admin, profile("routers", "", "rt-*", "+03:00"), &r), &r.err);
    desk_reply_free(&r);
    must(create(w, &w->admin, profile("one", "", "rt-1", "+04:00"), &r), &r.err);
    assert_string_equal(json_string_value(json_object_get(r.json, "origin")), "desk");
    assert_string_equal(found(w, "10.9.9.9", "x"), "wide");
    assert_string_equal(found(w, "10.1.9.9", "x"), "near");
    assert_string_equal(found(w, "10.1.9.9", "rt-2"), "routers");
    assert_string_equal(found(w, "10.1.9.9", "RT-1"), "one");
    assert_string_equal(found(w, "192.0.2.1", "x"), "");
    assert_int_equal(audits(w, "source_profile.create"), 4);

    /* A change needs the version that was read; what stood before is in the trail. */
    change = profile("one", "", "rt-1", "+07:00");
    char id[32];
    snprintf(id, sizeof id, "%s", json_string_value(json_object_get(r.json, "id")));
    desk_reply_free(&r);
    json_object_set_new(change, "version", json_integer(9));
    assert_int_equal(desk_source_profile_update(w->desk, &w->admin, str_c(id), change, T0, &r), -EEXIST);
    assert_string_equal(r.field, "version");
    desk_reply_free(&r);
    json_object_set_new(change, "version", json_integer(1));
    must(desk_source_profile_update(w->desk, &w->admin, str_c(id), change, T0, &r), &r.err);
    desk_reply_free(&r);
    json_decref(change);
    int64_t told = 0;
    assert_int_equal(db_int(w->desk, NULL, 0, &told, "SELECT count(*) FROM audit WHERE action = 'source_profile.update' AND outcome = 'ok' AND detail LIKE"
                                                     " '%+04:00%+07:00%'", ""), 0);
    assert_int_equal(told, 1);

    must(desk_source_profile_remove(w->desk, &w->admin, str_c(id), T0, &r), &r.err);
    desk_reply_free(&r);
    assert_string_equal(found(w, "10.1.9.9", "rt-1"), "routers");
    assert_int_equal(desk_source_profile_remove(w->desk, &w->admin, str_c(id), T0, &r), -ENOENT);
    desk_reply_free(&r);
}

static void what_the_collector_would_refuse_is_refused_with_its_name(void **state)
{
    static const struct {
        const char *name, *address, *host, *zone, *field;
    } rows[] = {
        { "no address", "10.0.0", "", "+05:00", "address" },      { "a mask too long", "10.0.0.0/33", "", "+05:00", "address" },
        { "a zone by name", "10.0.0.7", "", "Asia/", "zone" },    { "for nobody", "", "", "+05:00", "host" },
        { "says nothing", "10.0.0.7", "", "", "zone" },           { "a star within", "", "a*b", "+05:00", "host" },
        { "two stars", "", "*a*", "+05:00", "host" },             { "a star alone", "", "*", "+05:00", "host" },
        { "", "10.0.0.7", "", "+05:00", "name" },
    };
    struct world *w = *state;
    struct desk_reply r = { 0 };

    for (size_t i = 0; i < COUNT(rows); i++) {
        int rc = create(w, &w->admin, profile(rows[i].name, rows[i].address, rows[i].host, rows[i].zone), &r);

        CHECK(rows[i].name, rc == -EINVAL);
        CHECK(rows[i].name, strcmp(r.field, rows[i].field) == 0);
        desk_reply_free(&r);
    }
    json_t *body = profile("an object", "10.0.0.7", "", "+05:00");

    json_object_set_new(body, "object_id", json_string("nobody-has-this"));
    assert_int_equal(create(w, &w->admin, body, &r), -EINVAL);
    assert_string_equal(r.field, "object_id");
    desk_reply_free(&r);
    must(create(w, &w->admin, profile("first", "10.0.0.7", "", "+05:00"), &r), &r.err);
    desk_reply_free(&r);
    assert_int_equal(create(w, &w->admin, profile("first", "10.0.0.8", "", "+05:00"), &r), -EEXIST);
    desk_reply_free(&r);
    assert_int_equal(create(w, &w->admin, profile("for the same", "10.0.0.7", "", "+05:00"), &r), -EEXIST);
    desk_reply_free(&r);
}

static void others_than_administrators_change_nothing(void **state)
{
    struct world *w = *state;
    const struct viewer *others[] = { &w->analyst, &w->lead, &w->registry };
    struct desk_reply r = { 0 };

    for (size_t i = 0; i < COUNT(others); i++) {
        json_t *token = json_pack("{s:s,s:n}", "name", "beats", "object_id");

        assert_int_equal(create(w, others[i], profile("x", "10.0.0.7", "", "+05:00"), &r), -EACCES);
        desk_reply_free(&r);
        assert_int_equal(desk_sender_token_create(w->desk, others[i], token, T0, &r), -EACCES);
        desk_reply_free(&r);
        json_decref(token);
    }
    must(desk_source_profiles(w->desk, &w->analyst, &r), &r.err);
    desk_reply_free(&r);
    assert_int_equal(desk_source_profiles(w->desk, &w->registry, &r), -EACCES);
    desk_reply_free(&r);
    assert_int_equal(desk_sender_tokens(w->desk, &w->analyst, &r), -EACCES);
    desk_reply_free(&r);
}

static void a_token_is_shown_once_and_can_be_taken_back(void **state)
{
    struct world *w = *state;
    json_t *body = json_pack("{s:s,s:s}", "name", "web-1", "object_id", "city-portal");
    AUTO_FREE struct token *rows = calloc(TOKENS_MAX, sizeof *rows);
    AUTO_BUF struct buf b = { 0 };
    unsigned char hash[32];
    struct desk_reply r = { 0 };
    char path[4096];
    size_t count = 0;
    struct err e;

    must(desk_sender_token_create(w->desk, &w->admin, body, T0, &r), &r.err);
    tokens_hash(str_c(json_string_value(json_object_get(r.json, "token"))), hash);
    buf_init(&b, TOKENS_BYTES_MAX);
    must(file_read(node_path(w->node, TOKENS_FILE, path), TOKENS_BYTES_MAX, &b, &e), &e);
    must(tokens_read(buf_view(&b), rows, &count, &e), &e);
    assert_int_equal(count, 1);
    assert_memory_equal(rows[0].hash, hash, sizeof hash);
    assert_string_equal(rows[0].object, "city-portal");
    assert_true(str_find(buf_view(&b), str_c(json_string_value(json_object_get(r.json, "token")))) < 0);
    desk_reply_free(&r);
    assert_int_equal(desk_sender_token_create(w->desk, &w->admin, body, T0, &r), -EEXIST);
    assert_string_equal(r.field, "name");
    desk_reply_free(&r);
    must(desk_sender_tokens(w->desk, &w->admin, &r), &r.err);
    json_t *item = json_array_get(json_object_get(r.json, "items"), 0);
    assert_string_equal(json_string_value(json_object_get(item, "name")), "web-1");
    assert_null(json_object_get(item, "token"));
    desk_reply_free(&r);
    must(desk_sender_token_remove(w->desk, &w->admin, STR("web-1"), T0, &r), &r.err);
    desk_reply_free(&r);
    assert_int_equal(desk_sender_token_remove(w->desk, &w->admin, STR("web-1"), T0, &r), -ENOENT);
    desk_reply_free(&r);
    buf_reset(&b);
    must(file_read(path, TOKENS_BYTES_MAX, &b, &e), &e);
    must(tokens_read(buf_view(&b), rows, &count, &e), &e);
    assert_int_equal(count, 0);
    assert_int_equal(audits(w, "sender_token.create") + audits(w, "sender_token.remove"), 2);
    json_decref(body);
}

/* Lines that people wrote, comments and other rows, stay as they are. */
static void other_lines_of_the_file_of_tokens_stay(void **state)
{
    static const char text[] = "# who may send\nweb sha256:0000000000000000000000000000000000000000000000000000000000000000\n"
                               "web-1 sha256:1111111111111111111111111111111111111111111111111111111111111111 object=x";
    AUTO_BUF struct buf b = { 0 };
    struct err e;

    (void)state;
    buf_init(&b, TOKENS_BYTES_MAX);
    must(token_remove(str_c(text), STR("web"), &b, &e), &e);
    assert_true(str_eq(buf_view(&b), STR("# who may send\nweb-1 sha256:1111111111111111111111111111111111111111111111111111111111111111 object=x\n")));
    buf_reset(&b);
    assert_int_equal(token_remove(str_c(text), STR("we"), &b, &e), -ENOENT);
    buf_reset(&b);
    assert_int_equal(token_add(STR("broken line\n"), STR("web"), STR(""), "secret", &b, &e), -EBADMSG);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(the_narrowest_profile_is_what_the_collector_finds, world_open, world_close),
        cmocka_unit_test_setup_teardown(what_the_collector_would_refuse_is_refused_with_its_name, world_open, world_close),
        cmocka_unit_test_setup_teardown(others_than_administrators_change_nothing, world_open, world_close),
        cmocka_unit_test_setup_teardown(a_token_is_shown_once_and_can_be_taken_back, world_open, world_close),
        cmocka_unit_test(other_lines_of_the_file_of_tokens_stay),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
