/* test_records.c - what people do with notices: issue, register, correct, sign, record paper; who sees what; webhooks and where they may lead. */
#include "desk/notices/api.h"
#include "desk/notices/room.h"
#include "desk/testing.h"
#include "sign/sign.h"

#include <arpa/inet.h>
#include <pthread.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>

static json_t *text_about_object(const char *addressee)
{
    return json_pack("{s:s, s:s, s:{s:s, s:s}, s:[s], s:s, s:s}", "kind", "information_request", "paragraph", "15", "subject", "kind", "object", "id",
                     "state-register", "addressees", addressee, "title", "Мәліметтерді сұрату", "text", "10 жұмыс күні ішінде беріңіз");
}

/* create - returns the record's id as text in id[24]; 0 or the refusal. */
static int create(struct world *w, const struct viewer *v, json_t *body, char id[24], struct desk_reply *r)
{
    *r = (struct desk_reply){ 0 };
    int rc = desk_notice_create(w->desk, v, body, T0, r);

    json_decref(body);
    if (rc == 0 && id)
        snprintf(id, 24, "%.*s", STR_ARG(json_get_str(r->json, "id")));
    return rc;
}

static json_t *record_of(struct world *w, const struct viewer *v, const char *id)
{
    struct desk_reply r = { 0 };

    must(desk_notice(w->desk, v, str_c(id), T0, &r), &r.err);
    return r.json;
}

static size_t listed(struct world *w, const struct viewer *v, struct notices_query q)
{
    struct desk_reply r = { 0 };
    size_t n;

    must(desk_notices(w->desk, v, &q, T0, &r), &r.err);
    n = json_array_size(json_object_get(r.json, "items"));
    desk_reply_free(&r);
    return n;
}

static void parties_alone_see_a_notice(void **state)
{
    struct world *w = *state;
    struct desk_reply r;
    char id[24] = "";
    json_t *j;

    assert_int_equal(create(w, &w->analyst, text_about_object(w->registry.org_id), id, &r), 0);
    desk_reply_free(&r);
    j = record_of(w, &w->registry, id);
    assert_string_equal(json_string_value(json_object_get(j, "number")), "OUT-2026-000001");
    assert_int_equal(json_array_size(json_object_get(j, "deliveries")), 3);
    assert_true(json_is_object(json_object_get(j, "form")));
    json_decref(j);
    r = (struct desk_reply){ 0 };
    assert_int_equal(desk_notice(w->desk, &w->city, str_c(id), T0, &r), -ENOENT);
    assert_string_equal(r.code, "not_found");
    assert_int_equal(listed(w, &w->registry, (struct notices_query){ .limit = 10 }), 1);
    assert_int_equal(listed(w, &w->city, (struct notices_query){ .limit = 10 }), 0);
    assert_int_equal(listed(w, &w->analyst, (struct notices_query){ .q = STR("СҰРАТУ"), .limit = 10 }), 1);
    assert_int_equal(listed(w, &w->analyst, (struct notices_query){ .q = STR("nothing"), .limit = 10 }), 0);
    assert_int_equal(listed(w, &w->analyst, (struct notices_query){ .kind = STR("information_request"), .object = STR("state-register"), .limit = 10 }), 1);
    assert_int_equal(listed(w, &w->analyst, (struct notices_query){ .direction = STR("in"), .limit = 10 }), 0);
    /* Each of its byte forms is for its parties too. */
    for (int what = NOTICE_SENT_PDF; what <= NOTICE_CANONICAL; what++) {
        AUTO_BUF struct buf b;
        char name[64];

        buf_init(&b, 0);
        r = (struct desk_reply){ 0 };
        assert_int_equal(desk_notice_bytes(w->desk, &w->registry, str_c(id), (enum notice_bytes)what, T0, &b, name, &r), 0);
        assert_true(b.n > 100 && str_starts(buf_view(&b), what == NOTICE_CANONICAL ? STR("{\"addressees\"") : STR("%PDF-")));
        assert_int_equal(desk_notice_bytes(w->desk, &w->city, str_c(id), (enum notice_bytes)what, T0, &b, name, &r), -ENOENT);
    }
}

static void a_list_is_paged(void **state)
{
    struct world *w = *state;
    struct desk_reply r;
    json_t *page;

    for (int i = 0; i < 5; i++) {
        assert_int_equal(create(w, &w->analyst, text_about_object(w->registry.org_id), NULL, &r), 0);
        desk_reply_free(&r);
    }
    r = (struct desk_reply){ 0 };
    assert_int_equal(desk_notices(w->desk, &w->registry, &(struct notices_query){ .limit = 2 }, T0, &r), 0);
    page = json_incref(r.json);
    desk_reply_free(&r);
    assert_int_equal(json_array_size(json_object_get(page, "items")), 2);
    r = (struct desk_reply){ 0 };
    assert_int_equal(desk_notices(w->desk, &w->registry, &(struct notices_query){ .limit = 2, .before = json_get_str(page, "next") }, T0, &r), 0);
    assert_true(str_eq(json_get_str(json_array_get(json_object_get(r.json, "items"), 0), "number"), STR("OUT-2026-000003")));
    desk_reply_free(&r);
    json_decref(page);
}

static void wrong_bodies_are_named(void **state)
{
    static const struct { const char *name, *json, *field; } rows[] = {
        { "unknown property", "{\"strange\":1}", "strange" },
        { "a notice of a case", "{\"kind\":\"annex7\"}", "kind" },
        { "capital letters", "{\"kind\":\"Ab\"}", "kind" },
        { "no such object", "{\"subject\":{\"kind\":\"object\",\"id\":\"none\"}}", "subject.id" },
        { "no such case", "{\"subject\":{\"kind\":\"case\",\"id\":\"99\"}}", "subject.id" },
        { "no such kind of subject", "{\"subject\":{\"kind\":\"moon\",\"id\":\"1\"}}", "subject.kind" },
        { "nobody", "{\"addressees\":[]}", "addressees" },
        { "a stranger", "{\"addressees\":[\"nobody\"]}", "addressees" },
        { "no such mark", "{\"tlp\":\"white\"}", "tlp" },
        { "no such form", "{\"form\":\"annex99\",\"values\":{}}", "form" },
        { "a form without values", "{\"form\":\"information_request\"}", "values" },
        { "a form that lacks a field", "{\"form\":\"information_request\",\"values\":{\"object\":\"x\"}}", "values.owner_or_possessor" },
        { "no such field", "{\"form\":\"information_request\",\"values\":{\"moon\":\"x\"}}", "values.moon" },
        { "an upload that is not", "{\"files\":[\"7\"]}", "files" },
        { "no title", "{\"title\":null}", "title" },
        { "no text", "{\"text\":null}", "text" },
    };
    struct world *w = *state;
    struct desk_reply r;
    int64_t n = 0;

    for (size_t i = 0; i < COUNT(rows); i++) {
        json_t *body = text_about_object(w->registry.org_id), *change = json_loads(rows[i].json, 0, NULL);

        json_object_update(body, change);
        json_decref(change);
        CHECK(rows[i].name, create(w, &w->analyst, body, NULL, &r) == -EINVAL);
        if (strcmp(r.field, rows[i].field) != 0)
            fail_msg("row \"%s\": field \"%s\", %s", rows[i].name, r.field, r.err.text);
        desk_reply_free(&r);
    }
    /* An organisation writes to the centre alone. */
    assert_int_equal(create(w, &w->registry, text_about_object(w->city.org_id), NULL, &r), -EINVAL);
    assert_string_equal(r.field, "addressees");
    assert_int_equal(create(w, &w->city, text_about_object("centre"), NULL, &r), -EINVAL);   /* about a foreign object */
    assert_string_equal(r.field, "subject.id");
    assert_int_equal(db_int(w->desk, NULL, -1, &n, "SELECT count(*) FROM notice_record", ""), 0);
    assert_int_equal(n, 0);
}

static void what_comes_by_paper_is_registered(void **state)
{
    struct world *w = *state;
    struct desk_reply r = { 0 };
    json_t *body = json_pack("{s:s, s:s, s:{s:s, s:s}, s:s, s:s, s:s, s:s, s:s, s:s}", "kind", "commissioning", "paragraph", "8", "subject", "kind", "object",
                             "id", "state-register", "medium", "paper", "sender", w->registry.org_id, "outer_number", "12-03/45", "outer_date",
                             "2026-03-18", "title", "Пайдалануға енгізу туралы хат", "text", "қағаз");

    assert_int_equal(desk_notice_register(w->desk, &w->analyst, body, T0, &r), 0);
    assert_string_equal(json_string_value(json_object_get(r.json, "number")), "IN-2026-000001");
    assert_string_equal(json_string_value(json_object_get(r.json, "outer_number")), "12-03/45");
    assert_int_equal(json_array_size(json_object_get(r.json, "deliveries")), 0);
    desk_reply_free(&r);
    assert_int_equal(listed(w, &w->registry, (struct notices_query){ .direction = STR("in"), .limit = 10 }), 1);
    assert_int_equal(listed(w, &w->city, (struct notices_query){ .limit = 10 }), 0);
    r = (struct desk_reply){ 0 };
    json_object_set_new(body, "outer_date", json_string("2027-01-01"));
    assert_int_equal(desk_notice_register(w->desk, &w->analyst, body, T0, &r), -EINVAL);
    assert_string_equal(r.field, "outer_date");
    desk_reply_free(&r);
    r = (struct desk_reply){ 0 };
    json_object_del(body, "sender");
    assert_int_equal(desk_notice_register(w->desk, &w->analyst, body, T0, &r), -EINVAL);
    assert_string_equal(r.field, "sender");
    desk_reply_free(&r);
    json_decref(body);
}

static void paper_and_electronic_parts_are_both_moments(void **state)
{
    struct world *w = *state;
    struct desk_reply r;
    struct call c;
    char id[24] = "";
    time_ns made = 0, paper = -1;
    json_t *body = json_pack("{s:s, s:s, s:s}", "number", "12-03/46", "date", "2026-03-20", "signatory", "Ә. Бекұлы");

    assert_int_equal(create(w, &w->registry, text_about_object("centre"), id, &r), 0);
    desk_reply_free(&r);
    desk_call_init(&c, w->desk, NULL, T0, &r);
    assert_int_equal(notice_moments(&c, parse_id(str_c(id)), &made, &paper), 0);
    assert_true(made == T0 && paper == 0);
    r = (struct desk_reply){ 0 };
    assert_int_equal(desk_notice_paper(w->desk, &w->city, str_c(id), body, T0 + NS_PER_DAY, &r), -ENOENT);
    r = (struct desk_reply){ 0 };
    json_object_set_new(body, "date", json_string("2027-01-01"));
    assert_int_equal(desk_notice_paper(w->desk, &w->registry, str_c(id), body, T0 + NS_PER_DAY, &r), -EINVAL);
    assert_string_equal(r.field, "date");
    desk_reply_free(&r);
    r = (struct desk_reply){ 0 };
    json_object_set_new(body, "date", json_string("2026-03-20"));
    assert_int_equal(desk_notice_paper(w->desk, &w->registry, str_c(id), body, T0 + NS_PER_DAY, &r), 0);
    assert_string_equal(json_string_value(json_object_get(json_array_get(json_object_get(r.json, "paper"), 0), "signatory")), "Ә. Бекұлы");
    desk_reply_free(&r);
    assert_int_equal(notice_moments(&c, parse_id(str_c(id)), &made, &paper), 0);
    assert_true(made == T0 && paper == T0 + NS_PER_DAY);
    desk_call_free(&c);
    json_decref(body);
}

static void only_the_sender_corrects(void **state)
{
    struct world *w = *state;
    struct desk_reply r;
    char id[24] = "";
    json_t *body = json_pack("{s:s, s:s}", "reason", "мерзім қате еді", "text", "12 жұмыс күні ішінде беріңіз");

    assert_int_equal(create(w, &w->analyst, text_about_object(w->registry.org_id), id, &r), 0);
    desk_reply_free(&r);
    r = (struct desk_reply){ 0 };
    assert_int_equal(desk_notice_version(w->desk, &w->registry, str_c(id), body, T0, &r), -EACCES);
    r = (struct desk_reply){ 0 };
    assert_int_equal(desk_notice_version(w->desk, &w->analyst, str_c(id), body, T0 + NS_PER_HOUR, &r), 0);
    assert_int_equal(json_integer_value(json_object_get(r.json, "version")), 2);
    assert_int_equal(json_array_size(json_object_get(r.json, "versions")), 2);
    assert_string_equal(json_string_value(json_object_get(r.json, "text")), "12 жұмыс күні ішінде беріңіз");
    desk_reply_free(&r);
    r.json = record_of(w, &w->registry, id);
    assert_string_equal(json_string_value(json_object_get(r.json, "text")), "10 жұмыс күні ішінде беріңіз");
    assert_true(json_is_string(json_object_get(r.json, "newer_id")));
    json_decref(r.json);
    json_decref(body);
}

/* --- signatures: keys of src/sign/testing_keys.sh --- */

static void shell(const char *words)
{
    if (system(words) != 0)
        fail_msg("%s", words);
}

/* signed_file - NAME.pem signs the frozen bytes (or what name says) of a record; base64 in *out. */
static void signed_file(struct world *w, const char *id, const char *key, enum notice_bytes what, struct buf *out)
{
    AUTO_BUF struct buf b;
    struct desk_reply r = { 0 };
    char path[256], name[64], words[1024];

    buf_init(&b, 0);
    buf_init(out, 0);
    must(desk_notice_bytes(w->desk, &w->registry, str_c(id), what, T0, &b, name, &r), &r.err);
    snprintf(path, sizeof path, "%s/keys/frozen", w->data);
    assert_int_equal(file_write_atomic(path, buf_view(&b), 0600, NULL), 0);
    snprintf(words, sizeof words, "cd %s/keys && openssl cms -sign -binary -in frozen -outform DER -nosmimecap -certfile nca.pem -signer %s.pem -inkey %s.key"
                                  " 2>/dev/null | openssl base64 -A >sig", w->data, key, key);
    shell(words);
    snprintf(path, sizeof path, "%s/keys/sig", w->data);
    assert_int_equal(file_read(path, MIB, out, NULL), 0);
}

static json_t *sign_it(struct world *w, const char *id, struct str text, time_ns now)
{
    struct desk_reply r = { 0 };
    json_t *body = json_pack("{s:o}", "signature", json_str(text)), *s;

    must(desk_notice_sign(w->desk, &w->registry, str_c(id), body, now, &r), &r.err);
    json_decref(body);
    s = json_object_get(r.json, "signatures");
    s = json_incref(json_array_get(s, json_array_size(s) - 1));
    desk_reply_free(&r);
    return s;
}

static void is(json_t *signature, const char *verdict, const char *reason, const char *over)
{
    assert_string_equal(json_string_value(json_object_get(signature, "verdict")), verdict);
    assert_string_equal(json_string_value(json_object_get(signature, "reason")), reason);
    assert_string_equal(json_string_value(json_object_get(signature, "over")), over);
}

/* judged_without_lock - judging needs no lock: another desk that writes does not keep the answer back. */
static void judged_without_lock(struct world *w, const char *id, const json_t *body)
{
    struct desk_setup setup = setup_of(w);
    struct desk_reply r = { 0 };
    struct desk *other;
    struct err e;

    must(desk_open(&setup, &other, &e), &e);
    must(db_begin(other, &e), &e);
    sqlite3_busy_timeout(w->desk->db, 0);
    assert_int_equal(desk_notice_sign(w->desk, &w->registry, str_c(id), body, T0, &r), -EINVAL);
    sqlite3_busy_timeout(w->desk->db, DB_BUSY_MS);
    assert_int_equal(db_end(other, 0, &e), 0);
    desk_close(&other);
    desk_reply_free(&r);
}

/* reasons_have_words - every reason, in every language. */
static void reasons_have_words(struct world *w)
{
    char key[64];

    for (int i = 0; i < SIGN_REASON_COUNT; i++)
        for (int lang = 0; lang < LANG_COUNT; lang++) {
            snprintf(key, sizeof key, "sign.reason.%s", sign_reason_name((enum sign_reason)i));
            assert_false(str_eq(catalog_text(w->catalog, (enum lang)lang, key), str_c(key)));
        }
}

static void signatures_are_judged_kept_and_judged_again(void **state)
{
    struct world *w = *state;
    struct desk_reply r;
    char id[24] = "", words[512], anchors[128];
    AUTO_BUF struct buf sig;
    AUTO_BUF struct buf pdf;
    AUTO_BUF struct buf gone;
    time_ns made = 0;
    json_t *s;

    snprintf(words, sizeof words, "mkdir %s/keys && sh %s/src/sign/testing_keys.sh %s/keys; [ $? = 0 -o $? = 3 ]", w->data, getenv("SAQSHY_SOURCE"), w->data);
    shell(words);
    assert_int_equal(create(w, &w->registry, text_about_object("centre"), id, &r), 0);
    desk_reply_free(&r);
    signed_file(w, id, "person", NOTICE_CANONICAL, &sig);
    signed_file(w, id, "person", NOTICE_SENT_PDF, &pdf);
    signed_file(w, id, "gone", NOTICE_CANONICAL, &gone);
    /* The signer's certificate was made today, long after T0: the moment counts. */
    s = sign_it(w, id, buf_view(&sig), T0);
    is(s, "not_checked", "no_trust_anchor", "canonical");
    json_t *signer = json_array_get(json_object_get(s, "signers"), 0);
    assert_string_equal(json_string_value(json_object_get(signer, "iin")), "********0123");
    assert_string_equal(json_string_value(json_object_get(signer, "bin")), "123456789012");
    assert_true(json_is_true(json_object_get(signer, "intact")));
    assert_int_equal(time_parse_rfc3339(json_get_str(signer, "not_before"), &made, NULL, NULL), 0);
    json_decref(s);
    r = (struct desk_reply){ 0 };
    json_t *body = json_pack("{s:o}", "signature", json_str(buf_view(&sig)));
    assert_int_equal(desk_notice_sign(w->desk, &w->registry, str_c(id), body, T0, &r), -EEXIST);
    json_object_set_new(body, "signature", json_string("no signature"));
    desk_reply_free(&r);
    judged_without_lock(w, id, body);
    r = (struct desk_reply){ 0 };
    assert_int_equal(desk_notice_sign(w->desk, &w->registry, str_c(id), body, T0, &r), -EINVAL);
    assert_string_equal(r.field, "signature");
    json_decref(body);
    snprintf(anchors, sizeof anchors, "%s/keys/trust", w->data);
    free(w->node->trust_anchors);
    w->node->trust_anchors = strdup(anchors);
    r = (struct desk_reply){ 0 };
    must(desk_notice_verify(w->desk, &w->analyst, str_c(id), made + NS_PER_DAY, &r), &r.err);
    is(json_array_get(json_object_get(r.json, "signatures"), 0), "not_checked", "certificate_not_yet_valid", "canonical");
    desk_reply_free(&r);
    s = sign_it(w, id, buf_view(&pdf), made + NS_PER_DAY);
    is(s, "valid", "ok", "pdf");
    json_decref(s);
    s = sign_it(w, id, buf_view(&gone), made + NS_PER_DAY);
    is(s, "invalid", "certificate_revoked", "canonical");
    json_decref(s);
    /* Years later what was valid when it came still is. */
    r = (struct desk_reply){ 0 };
    must(desk_notice_verify(w->desk, &w->analyst, str_c(id), made + 2000 * NS_PER_DAY, &r), &r.err);
    is(json_array_get(json_object_get(r.json, "signatures"), 1), "valid", "ok", "pdf");
    desk_reply_free(&r);
    reasons_have_words(w);
}

/* --- webhooks --- */

static void webhooks_lead_to_public_addresses_only(void **state)
{
    static const struct { const char *address; bool is_private; } rows[] = {
        { "127.0.0.1", true },   { "10.1.2.3", true },       { "172.16.0.1", true },   { "172.31.255.255", true }, { "172.32.0.1", false },
        { "192.168.1.1", true }, { "169.254.169.254", true }, { "100.64.0.1", true },  { "0.0.0.0", true },        { "224.0.0.1", true },
        { "255.255.255.255", true }, { "192.0.2.1", true },  { "8.8.8.8", false },     { "195.12.113.1", false },  { "::1", true },
        { "::", true },          { "fe80::1", true },        { "fc00::1", true },      { "fd12::1", true },        { "ff02::1", true },
        { "::ffff:10.0.0.1", true }, { "::ffff:8.8.8.8", true }, { "2002:0a00:1::1", true }, { "2001:db8::1", true }, { "2001:0:1::1", true },
        { "2a00:1450::1", false },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct sockaddr_in v4 = { .sin_family = AF_INET };
        struct sockaddr_in6 v6 = { .sin6_family = AF_INET6 };
        bool four = inet_pton(AF_INET, rows[i].address, &v4.sin_addr) == 1;

        CHECK(rows[i].address, four || inet_pton(AF_INET6, rows[i].address, &v6.sin6_addr) == 1);
        CHECK(rows[i].address, webhook_address_private(four ? (struct sockaddr *)&v4 : (struct sockaddr *)&v6) == rows[i].is_private);
    }
}

static void a_webhook_is_signed_as_rfc_4231_has_it(void **state)
{
    char sum[72];

    (void)state;
    webhook_sign(STR("Jefe"), STR("what do ya want for nothing?"), sum);
    assert_string_equal(sum, "sha256=5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
}

static void a_webhook_waits_until_it_is_allowed(void **state)
{
    struct world *w = *state;
    struct sockaddr_in a = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    socklen_t n = sizeof a;
    AUTO_CLOSE int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    char url[64];
    struct desk_reply r = { 0 };
    struct err e;
    int64_t left = 0;

    assert_true(bind(fd, (struct sockaddr *)&a, sizeof a) == 0 && getsockname(fd, (struct sockaddr *)&a, &n) == 0);
    snprintf(url, sizeof url, "https://127.0.0.1:%u/hook", (unsigned)ntohs(a.sin_port));
    json_t *body = json_pack("{s:s, s:b}", "url", "http://example.com/", "active", 1);
    assert_int_equal(desk_webhook_set(w->desk, &w->admin, str_c(w->registry.org_id), body, T0, &r), -EINVAL);
    assert_string_equal(r.field, "url");
    json_object_set_new(body, "url", json_string(url));
    r = (struct desk_reply){ 0 };
    assert_int_equal(desk_webhook_set(w->desk, &w->admin, str_c(w->registry.org_id), body, T0, &r), 0);
    assert_int_equal(json_string_length(json_object_get(r.json, "secret")), 64);
    desk_reply_free(&r);
    r = (struct desk_reply){ 0 };
    assert_int_equal(desk_webhook(w->desk, &w->admin, str_c(w->registry.org_id), &r), 0);
    assert_true(json_is_null(json_object_get(r.json, "secret")));
    desk_reply_free(&r);
    assert_int_equal(create(w, &w->analyst, text_about_object(w->registry.org_id), NULL, &r), 0);
    desk_reply_free(&r);
    assert_int_equal(desk_webhook_turn(w->desk, T0, &e), 0);   /* nothing goes out that is not configured */
    free(w->node->webhooks);
    w->node->webhooks = strdup("yes");
    assert_int_equal(desk_webhook_turn(w->desk, T0, &e), 1);   /* tried, and refused before a connection: a loopback address */
    assert_int_equal(db_int(w->desk, NULL, 0, &left, "SELECT count(*) FROM notice WHERE channel = 'webhook' AND state = 'queued' AND attempts = 1"
                                                     " AND last_error IS NOT NULL", ""), 0);
    assert_int_equal(left, 1);
    assert_int_equal(desk_webhook_turn(w->desk, T0 + NS_PER_SECOND, &e), 0);   /* the pause is kept */
    assert_int_equal(desk_webhook_turn(w->desk, T0 + NS_PER_MINUTE, &e), 1);
    json_decref(body);
}

static void hook_set(struct world *w, const char *org, const char *url)
{
    json_t *body = json_pack("{s:s, s:b}", "url", url, "active", 1);
    struct desk_reply r = { 0 };

    must(desk_webhook_set(w->desk, &w->admin, str_c(org), body, T0, &r), &r.err);
    desk_reply_free(&r);
    json_decref(body);
}

static void notice_to(struct world *w, const char *org)
{
    struct desk_reply r = { 0 };

    must(create(w, &w->analyst, text_about_object(org), NULL, &r), &r.err);
    desk_reply_free(&r);
}

static void webhooks_are(struct world *w, const char *how)
{
    free(w->node->webhooks);
    w->node->webhooks = strdup(how);
}

static int64_t hooks(struct world *w, const char *org, const char *what)
{
    sqlite3_stmt *st = NULL;
    char sql[300];

    snprintf(sql, sizeof sql, "SELECT count(*) FROM notice WHERE channel = 'webhook' AND org_id = '%s' AND %s", org, what);
    assert_int_equal(sqlite3_prepare_v2(w->desk->db, sql, -1, &st, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_step(st), SQLITE_ROW);
    int64_t n = sqlite3_column_int64(st, 0);
    sqlite3_finalize(st);
    return n;
}

static int hook_turns(struct world *w, time_ns now, int want)
{
    struct err e;
    int ended = 0;

    for (int i = 0; i < 60 && ended < want; i++) {
        int rc = desk_webhook_turn(w->desk, now, &e);
        must(rc, &e);
        ended += rc;
    }
    return ended;
}

static void a_dead_receiver_rests_and_others_do_not(void **state)
{
    struct world *w = *state;
    struct err e;

    hook_set(w, w->registry.org_id, "https://127.0.0.1:1/dead");
    hook_set(w, w->city.org_id, "https://127.0.0.1:1/other");
    for (int i = 0; i < 3; i++)
        notice_to(w, w->registry.org_id);
    notice_to(w, w->city.org_id);
    webhooks_are(w, "private");
    assert_int_equal(hook_turns(w, T0, 2), 2);   /* one try a receiver */
    assert_int_equal(hooks(w, w->registry.org_id, "attempts = 1"), 1);
    assert_int_equal(hooks(w, w->city.org_id, "attempts = 1"), 1);
    assert_int_equal(desk_webhook_turn(w->desk, T0 + 14 * NS_PER_SECOND, &e), 0);
    desk_reopen(w);                              /* the pause survives */
    assert_int_equal(desk_webhook_turn(w->desk, T0 + 14 * NS_PER_SECOND, &e), 0);
    assert_int_equal(hook_turns(w, T0 + 16 * NS_PER_SECOND, 2), 2);
    assert_int_equal(hooks(w, w->registry.org_id, "attempts = 1"), 2);   /* the next in turn, not the same for ever */
    assert_int_equal(desk_webhook_turn(w->desk, T0 + 40 * NS_PER_SECOND, &e), 0);
    hook_set(w, w->registry.org_id, "https://127.0.0.1:1/corrected");    /* another address is another receiver: tried at once */
    assert_int_equal(hook_turns(w, T0 + 41 * NS_PER_SECOND, 1), 1);
    assert_int_equal(hooks(w, w->registry.org_id, "state = 'queued'"), 3);
}

static void about_case(struct world *w, int64_t id, const char *org)
{
    char text[24];
    struct desk_reply r;

    snprintf(text, sizeof text, "%lld", (long long)id);
    must(create(w, &w->analyst, json_pack("{s:s, s:s, s:{s:s, s:s}, s:[s], s:s, s:s}", "kind", "information_request", "paragraph", "15", "subject", "kind", "case",
                                          "id", text, "addressees", org, "title", "Мәліметтерді сұрату", "text", "x"), NULL, &r), &r.err);
    desk_reply_free(&r);
}

static void a_label_set_later_stops_a_webhook(void **state)
{
    struct world *w = *state;
    int64_t id = case_new(w, "rule-hook", T0);
    char me[24];

    assert_true(db_exec(w->desk, NULL, "UPDATE object SET possessor_id = ?1 WHERE id = 'state-register'", "z", w->city.org_id) == 1);
    hook_set(w, w->registry.org_id, "https://127.0.0.1:1/owner");
    hook_set(w, w->city.org_id, "https://127.0.0.1:1/possessor");
    about_case(w, id, w->city.org_id);
    about_case(w, id, w->city.org_id);
    about_case(w, id, w->registry.org_id);
    webhooks_are(w, "private");
    act_do(w, &w->analyst, id, "set_tlp", json_pack("{s:s, s:s}", "tlp", "amber+strict", "reason", "r"), T0 + NS_PER_SECOND);
    /* The possessor's are closed without a try; the owner's is tried. */
    assert_int_equal(hook_turns(w, T0 + NS_PER_SECOND, 1), 1);
    assert_int_equal(hooks(w, w->city.org_id, "state = 'failed' AND last_error = 'label' AND attempts = 0"), 2);
    assert_int_equal(hooks(w, w->registry.org_id, "state = 'queued' AND attempts = 1"), 1);
    /* RED goes to no system at all, though somebody of the owner is named. */
    snprintf(me, sizeof me, "%lld", (long long)w->registry.user_id);
    act_do(w, &w->analyst, id, "set_tlp", json_pack("{s:s, s:[s], s:s}", "tlp", "red", "persons", me, "reason", "r"), T0 + NS_PER_MINUTE);
    assert_int_equal(hook_turns(w, T0 + NS_PER_HOUR, 1), 0);
    assert_int_equal(hooks(w, w->registry.org_id, "state = 'failed' AND last_error = 'label' AND attempts = 1"), 1);
}

/* A receiver that takes connections and says nothing until as many as it waits for have come; then it hangs up. */
struct silent {
    int       fd, wanted;
    unsigned  port;
    pthread_t thread;
};

static void *silent_run(void *arg)
{
    struct silent *s = arg;
    int fds[8];

    for (int i = 0; i < s->wanted; i++)
        fds[i] = accept(s->fd, NULL, NULL);
    for (int i = 0; i < s->wanted; i++)
        close(fds[i]);
    return NULL;
}

static void silent_start(struct silent *s, int wanted)
{
    struct sockaddr_in a = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    socklen_t n = sizeof a;

    *s = (struct silent){ .fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), .wanted = wanted };
    assert_true(bind(s->fd, (struct sockaddr *)&a, sizeof a) == 0 && listen(s->fd, 8) == 0 && getsockname(s->fd, (struct sockaddr *)&a, &n) == 0);
    s->port = ntohs(a.sin_port);
    if (wanted)
        assert_int_equal(pthread_create(&s->thread, NULL, silent_run, s), 0);
}

static void receivers_that_hang_are_served_beside_each_other(void **state)
{
    struct world *w = *state;
    struct silent s;
    char url[64];

    silent_start(&s, 2);
    snprintf(url, sizeof url, "https://127.0.0.1:%u/one", s.port);
    hook_set(w, w->registry.org_id, url);
    snprintf(url, sizeof url, "https://127.0.0.1:%u/two", s.port);
    hook_set(w, w->city.org_id, url);
    notice_to(w, w->registry.org_id);
    notice_to(w, w->city.org_id);
    webhooks_are(w, "private");
    /* It hangs up when both are there: one after the other, the first would end by its time. */
    assert_int_equal(hook_turns(w, T0, 2), 2);
    pthread_join(s.thread, NULL);
    close(s.fd);
    assert_int_equal(hooks(w, w->registry.org_id, "state = 'queued' AND attempts = 1 AND last_error NOT LIKE '%imeout%'"), 1);
    assert_int_equal(hooks(w, w->city.org_id, "state = 'queued' AND attempts = 1 AND last_error NOT LIKE '%imeout%'"), 1);
}

static void what_is_on_its_way_when_the_desk_ends_is_tried_again(void **state)
{
    struct world *w = *state;
    struct silent s;
    char url[64];
    struct err e;

    silent_start(&s, 0);   /* the backlog takes the connection, nobody answers */
    snprintf(url, sizeof url, "https://127.0.0.1:%u/hang", s.port);
    hook_set(w, w->registry.org_id, url);
    notice_to(w, w->registry.org_id);
    webhooks_are(w, "private");
    assert_int_equal(desk_webhook_turn(w->desk, T0, &e), 0);
    assert_true(webhooks_on_the_way(w->desk));
    desk_reopen(w);
    close(s.fd);
    assert_int_equal(hooks(w, w->registry.org_id, "state = 'queued' AND attempts = 1"), 1);
    assert_int_equal(hook_turns(w, T0 + NS_PER_MINUTE, 1), 1);
    assert_int_equal(hooks(w, w->registry.org_id, "state = 'queued' AND attempts = 2"), 1);
}

#define T(f, n) { .name = n, .test_func = f, .setup_func = world_open, .teardown_func = world_close }

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(parties_alone_see_a_notice, "a notice, its PDF and its frozen bytes are for its parties alone"),
        T(a_list_is_paged, "the journal is paged"),
        T(wrong_bodies_are_named, "a wrong body is refused with its field, and nothing is half-saved"),
        T(what_comes_by_paper_is_registered, "what comes by paper is registered with its sender's number and date"),
        T(paper_and_electronic_parts_are_both_moments, "R-8-01 the paper and the electronic part of a notice are recorded apart, each with its moment"),
        T(only_the_sender_corrects, "only the sender corrects, and the version before stays"),
        T(signatures_are_judged_kept_and_judged_again, "signatures are judged when they come and again, every verdict kept with its reason"),
        T(webhooks_lead_to_public_addresses_only, "webhooks lead to public addresses only"),
        T(a_webhook_is_signed_as_rfc_4231_has_it, "a webhook is signed as RFC 4231 has it"),
        T(a_webhook_waits_until_it_is_allowed, "a webhook waits until it is allowed, and is never led to this host"),
        T(a_dead_receiver_rests_and_others_do_not, "a receiver of webhooks that is dead rests with all that is for it, and delays no other"),
        T(a_label_set_later_stops_a_webhook, "TLP: a label that is set while a webhook waits stops it"),
        T(receivers_that_hang_are_served_beside_each_other, "receivers of webhooks that hang are served beside each other"),
        T(what_is_on_its_way_when_the_desk_ends_is_tried_again, "a webhook on its way when the desk ends is tried again"),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
