/* test_wire.c - the canonical form, cards, signatures, envelopes and bundles, and whom a node's listener lets in. */
#include "desk/link/wire.h"
#include "base/file.h"
#include "base/test.h"

#include <openssl/err.h>
#include <openssl/ssl.h>

#define T0 INT64_C(1774036200000000000)   /* 2026-03-20T19:50:00Z */

struct place {
    char dir[3][64];
    struct node_key *id[3];
};

static int setup(void **state)
{
    static struct place p;
    static const char *const names[] = { "centre.example", "owner-1", "stranger" };
    struct err e = { 0 };

    for (size_t i = 0; i < COUNT(names); i++) {
        snprintf(p.dir[i], sizeof p.dir[i], "/tmp/saqshy-link-XXXXXX");
        assert_non_null(mkdtemp(p.dir[i]));
        assert_int_equal(pki_node_make(p.dir[i], str_c(names[i]), &e), 0);
        assert_int_equal(node_key_load(p.dir[i], &p.id[i], &e), 0);
    }
    *state = &p;
    return 0;
}

static int teardown(void **state)
{
    struct place *p = *state;
    static const char *const names[] = { "node.pem", "node.key", "" };
    char path[128];

    for (size_t i = 0; i < COUNT(p->id); i++) {
        node_key_free(&p->id[i]);
        for (size_t k = 0; k < COUNT(names); k++) {
            snprintf(path, sizeof path, "%s/%s", p->dir[i], names[k]);
            assert_int_equal(remove(path), 0);
        }
    }
    return 0;
}

static const struct {
    const char *name, *in;
    int         rc;
    const char *out;
} forms[] = {
    { "keys are sorted by bytes", "{\"b\":1,\"a\":2,\"B\":3,\"a.b\":4}", 0, "{\"B\":3,\"a\":2,\"a.b\":4,\"b\":1}" },
    { "blanks go", " { \"a\" : [ 1 , true , null , false , \"x\" ] } ", 0, "{\"a\":[1,true,null,false,\"x\"]}" },
    { "letters stay letters", "{\"a\":\"\\u049a\\u0430\\/\"}", 0, "{\"a\":\"Қа/\"}" },
    { "only the escapes that must be", "{\"a\":\"\\u0001\\n\\t\\u001F\\\"\\\\\\u007f\"}", 0, "{\"a\":\"\\u0001\\n\\t\\u001f\\\"\\\\\x7f\"}" },
    { "empty ones", "{\"a\":[],\"b\":{}}", 0, "{\"a\":[],\"b\":{}}" },
    { "within within", "[[{\"z\":[1],\"a\":[]}],2]", 0, "[[{\"a\":[],\"z\":[1]}],2]" },
    { "the greatest number", "[9007199254740991,-9007199254740991]", 0, "[9007199254740991,-9007199254740991]" },
    { "a number past 2^53", "[9007199254740992]", -EBADMSG, NULL },
    { "a fraction", "[1.0]", -EBADMSG, NULL },
    { "an exponent", "[1e2]", -EBADMSG, NULL },
    { "two equal keys", "{\"a\":1,\"a\":2}", -EBADMSG, NULL },
    { "a key that is no ASCII", "{\"қ\":1}", -EBADMSG, NULL },
    { "an empty key", "{\"\":1}", -EBADMSG, NULL },
    { "bytes behind", "{} {}", -EBADMSG, NULL },
    { "no UTF-8", "[\"\xff\"]", -EBADMSG, NULL },
    { "a NUL in a text", "[\"\\u0000\"]", -EBADMSG, NULL },
    { "sixteen deep", "[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]", 0, "[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]" },
    { "seventeen deep", "[[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]]", -EBADMSG, NULL },
    { "nothing", "", -EBADMSG, NULL },
};

static void json_has_one_form(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(forms); i++) {
        AUTO_BUF struct buf b;
        struct err e;
        json_t *j;
        int rc;

        buf_init(&b, 0);
        rc = link_json_read(str_c(forms[i].in), &j, &e);
        if (rc == 0)
            rc = link_json_write(j, &b, &e);
        CHECK(forms[i].name, rc == forms[i].rc);
        CHECK(forms[i].name, rc < 0 || str_eq(buf_view(&b), str_c(forms[i].out)));
        json_decref(j);
    }
}

static void a_signature_is_of_one_key_one_text_and_one_purpose(void **state)
{
    struct place *p = *state;
    const struct node_cert *c = node_key_cert(p->id[0]);
    char s[NODE_SIGNATURE_MAX], damaged[NODE_SIGNATURE_MAX];
    struct err e;

    assert_int_equal(link_sign(p->id[0], LINK_SIGNED_ENVELOPE, STR("text"), s, &e), 0);
    assert_int_equal(link_verify(c, LINK_SIGNED_ENVELOPE, STR("text"), str_c(s), &e), 0);
    assert_int_equal(link_verify(c, LINK_SIGNED_ENVELOPE, STR("texT"), str_c(s), &e), -EBADMSG);
    assert_int_equal(link_verify(c, LINK_SIGNED_BUNDLE, STR("text"), str_c(s), &e), -EBADMSG);
    assert_int_equal(link_verify(node_key_cert(p->id[1]), LINK_SIGNED_ENVELOPE, STR("text"), str_c(s), &e), -EBADMSG);
    for (size_t i = 0; i < strlen(s); i++) {
        memcpy(damaged, s, sizeof damaged);
        damaged[i] = damaged[i] == 'A' ? 'B' : 'A';
        assert_int_equal(link_verify(c, LINK_SIGNED_ENVELOPE, STR("text"), str_c(damaged), &e), -EBADMSG);
    }
    assert_int_equal(link_verify(c, LINK_SIGNED_ENVELOPE, STR("text"), STR(""), &e), -EBADMSG);
    assert_int_equal(link_verify(c, LINK_SIGNED_ENVELOPE, STR("text"), STR("===="), &e), -EBADMSG);
}

static void a_card_carries_a_certificate_and_no_secret(void **state)
{
    struct place *p = *state;
    const struct node_cert *c = node_key_cert(p->id[0]);
    AUTO_BUF struct buf b, ca;
    struct link_card card;
    char path[128];
    struct node_cert *other;
    struct err e;

    buf_init(&b, 0);
    buf_init(&ca, 0);
    assert_int_equal(link_card_write(c, STR("Ұлттық орталық"), STR("990140000000"), STR("https://10.0.0.1:8445"), &b, &e), 0);
    assert_true(str_find(buf_view(&b), STR("PRIVATE")) < 0);
    assert_int_equal(link_card_read(buf_view(&b), &card, &e), 0);
    assert_true(str_eq(card.node, STR("centre.example")) && str_eq(card.organisation, STR("Ұлттық орталық")));
    assert_string_equal(node_cert_fingerprint(card.cert), node_cert_fingerprint(c));
    assert_true(node_cert_ends(c) > clock_now() + PKI_NODE_DAYS * NS_PER_DAY - NS_PER_DAY);
    link_card_free(&card);
    for (size_t i = 0; i < b.n; i++)       /* cut after every byte */
        if (i + 1 < b.n)                   /* the LF at the end may go */
            assert_int_equal(link_card_read(str_of(b.p, i), &card, &e), -EBADMSG);
    /* An authority's certificate would let in whomever it signs. */
    assert_int_equal(pki_ca_make(p->dir[2], "authority", &e), 0);
    snprintf(path, sizeof path, "%s/ca.pem", p->dir[2]);
    assert_int_equal(file_read(path, MIB, &ca, &e), 0);
    assert_int_equal(node_cert_read(buf_view(&ca), &other, &e), -EBADMSG);
    assert_int_equal(remove(path), 0);
    snprintf(path, sizeof path, "%s/ca.key", p->dir[2]);
    assert_int_equal(remove(path), 0);
    assert_int_equal(pki_node_make(p->dir[2], STR("stranger"), &e), -EEXIST);
}

static void urls_are_https_and_carry_no_credentials(void **state)
{
    static const struct { const char *name, *url; bool ok; } rows[] = {
        { "host and port", "https://node.example:8445", true }, { "address", "https://[::1]:8445/x", true },
        { "no TLS", "http://node.example", false }, { "another scheme", "file:///etc/passwd", false },
        { "credentials", "https://a:b@node.example", false }, { "a query", "https://node.example/?x", false },
        { "no host", "https:///x", false }, { "a blank", "https://a b", false }, { "empty", "", false },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++)
        CHECK(rows[i].name, link_url_valid(str_c(rows[i].url)) == rows[i].ok);
}

/* two_lines - a bundle of a notice with two documents and a receipt. */
static void two_lines(struct place *p, struct buf *out)
{
    AUTO_BUF struct buf items, one;
    struct link_writer w;
    char sha[2][LINK_HASH_TEXT], hash[LINK_HASH_TEXT], s[NODE_SIGNATURE_MAX];
    struct str doc[2] = { STR("first"), STR("second document") };
    struct link_head h = { STR("centre.example"), STR("owner-1"), T0, 2, { 1, 0, LINK_ZERO_HASH } };
    const char *fp = node_key_cert(p->id[0]) ? node_cert_fingerprint(node_key_cert(p->id[0])) : "";
    json_t *payload = json_pack("{s:s, s:i}", "text", "Құпия\n", "n", 5);
    struct err e;

    buf_init(&items, 0);
    buf_init(&one, 0);
    link_sha256_hex(doc[0], sha[0]);
    link_sha256_hex(doc[1], sha[1]);
    if (strcmp(sha[0], sha[1]) > 0) {
        char t[LINK_HASH_TEXT];
        struct str d = doc[0];

        memcpy(t, sha[0], sizeof t);
        memcpy(sha[0], sha[1], sizeof t);
        memcpy(sha[1], t, sizeof t);
        doc[0] = doc[1];
        doc[1] = d;
    }
    struct link_envelope v = { .from = STR("centre.example"), .to = STR("owner-1"), .previous = STR(LINK_ZERO_HASH), .message = STR("00112233445566778899aabbccddeeff"), .kind = LINK_NOTICE, .epoch = 1,
                               .sequence = 1, .created_at = T0, .payload = payload, .document_count = 2 };
    for (size_t i = 0; i < 2; i++)
        v.document[i] = (struct link_document){ STR("a.pdf"), STR("application/pdf"), str_c(sha[i]), (int64_t)doc[i].n };
    assert_int_equal(link_envelope_write(&v, &one, hash, &e), 0);
    assert_int_equal(link_sign(p->id[0], LINK_SIGNED_ENVELOPE, buf_view(&one), s, &e), 0);
    link_item_begin(&w, &items);
    link_item_document(&w, str_c(sha[0]), doc[0]);
    link_item_document(&w, str_c(sha[1]), doc[1]);
    link_item_end(&w, buf_view(&one), fp, str_c(s));
    v.previous = str_c(hash);
    v.sequence = 2;
    v.kind = LINK_RECEIPT;
    v.document_count = 0;
    buf_reset(&one);
    char second[LINK_HASH_TEXT];
    assert_int_equal(link_envelope_write(&v, &one, second, &e), 0);
    assert_int_equal(link_sign(p->id[0], LINK_SIGNED_ENVELOPE, buf_view(&one), s, &e), 0);
    link_item_begin(&w, &items);
    link_item_end(&w, buf_view(&one), fp, str_c(s));
    assert_int_equal(link_bundle_write(&h, buf_view(&items), p->id[0], out, &e), 0);
    json_decref(payload);
}

/* walk - everything that a receiver checks before it believes a bundle. */
static int walk(struct str bytes, const struct node_cert *c, int *count, struct err *e)
{
    struct link_bundle b;
    struct link_item item;
    int rc = link_bundle_read(bytes, &b, e), n;

    *count = 0;
    if (rc < 0)
        return rc;
    rc = link_bundle_verify(&b, c, e);
    while (rc == 0 && (n = link_bundle_next(&b, &item, e)) != 0) {
        if (n < 0) {
            rc = n;
            break;
        }
        rc = link_item_verify(&item, c, e);
        (*count)++;
        link_item_free(&item);
    }
    link_bundle_free(&b);
    return rc;
}

static void a_bundle_is_believed_whole_or_not_at_all(void **state)
{
    struct place *p = *state;
    const struct node_cert *c = node_key_cert(p->id[0]);
    AUTO_BUF struct buf b;
    struct err e;
    int n;

    buf_init(&b, 0);
    two_lines(p, &b);
    assert_int_equal(walk(buf_view(&b), c, &n, &e), 0);
    assert_int_equal(n, 2);
    assert_int_equal(walk(buf_view(&b), node_key_cert(p->id[1]), &n, &e), -EBADMSG);
    for (size_t i = 0; i < b.n; i++) {      /* cut after every byte, from a block of just that size */
        char *copy = malloc(i ? i : 1);

        memcpy(copy, b.p, i);
        assert_true(walk(str_of(copy, i), c, &n, &e) < 0);
        free(copy);
    }
    for (size_t i = 0; i < b.n; i++) {      /* and one bit of every byte flipped */
        b.p[i] = (char)(b.p[i] ^ 1);
        if (walk(buf_view(&b), c, &n, &e) == 0)
            fail_msg("a flipped bit at %zu was not seen", i);
        b.p[i] = (char)(b.p[i] ^ 1);
    }
}

static void what_breaks_the_form_of_an_envelope_is_named(void **state)
{
    static const struct { const char *name, *key, *json; } rows[] = {
        { "another format", "format", "\"saqshy-envelope-2\"" }, { "no sender", "from", "\"\"" }, { "a path as sender", "from", "\"../a\"" },
        { "an unknown kind", "kind", "\"order\"" }, { "sequence zero", "sequence", "0" }, { "a sequence in words", "sequence", "\"1\"" },
        { "epoch zero", "epoch", "0" }, { "no message", "message", "\"\"" }, { "a short hash", "previous", "\"00\"" }, { "capital hash", "previous", "\"A\"" },
        { "no payload", "payload", "[]" }, { "no instant", "created_at", "\"today\"" }, { "documents are no list", "documents", "{}" },
        { "a document with a path", "documents", "[{\"name\":\"../a\",\"sha256\":\"" LINK_ZERO_HASH "\",\"size\":1,\"type\":\"a/b\"}]" },
        { "a document of nothing", "documents", "[{\"name\":\"a\",\"sha256\":\"" LINK_ZERO_HASH "\",\"size\":0,\"type\":\"a/b\"}]" },
        { "a document too large", "documents", "[{\"name\":\"a\",\"sha256\":\"" LINK_ZERO_HASH "\",\"size\":16777217,\"type\":\"a/b\"}]" },
        { "one property more", "extra", "1" },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct link_envelope v;
        struct err e;
        json_t *j = json_pack("{s:s, s:[], s:i, s:s, s:s, s:s, s:s, s:{}, s:s, s:i, s:s}", "created_at", "2026-03-20T19:50:00Z", "documents", "epoch", 1,
                              "format", "saqshy-envelope-1", "from", "a", "kind", "notice", "message",
                              "00112233445566778899aabbccddeeff", "payload", "previous", LINK_ZERO_HASH, "sequence", 1, "to",
                              "b");

        CHECK(rows[i].name, link_envelope_read(j, &v, &e) == 0);
        json_object_set_new(j, rows[i].key, json_loads(rows[i].json, JSON_DECODE_ANY, NULL));
        CHECK(rows[i].name, link_envelope_read(j, &v, &e) == -EBADMSG);
        json_decref(j);
    }
}

/* shake - a handshake in memory. */
static bool shake(SSL_CTX *server, SSL_CTX *client, char peer[65])
{
    SSL *s = SSL_new(server), *c = SSL_new(client);
    bool ok = false;
    struct err e;
    BIO *a, *b;

    assert_int_equal(BIO_new_bio_pair(&a, 0, &b, 0), 1);
    SSL_set_bio(s, a, a);
    SSL_set_bio(c, b, b);
    SSL_set_accept_state(s);
    SSL_set_connect_state(c);
    for (int i = 0; i < 20 && !ok; i++) {
        int rc = SSL_do_handshake(c), rs = SSL_do_handshake(s);

        ok = rc == 1 && rs == 1;
    }
    if (ok)
        ok = pki_peer_fingerprint(s, peer, &e) == 0;
    ERR_clear_error();
    SSL_free(s);
    SSL_free(c);
    return ok;
}

static void only_certificates_that_were_exchanged_open_a_connection(void **state)
{
    struct place *p = *state;
    struct { const char *name; int client; bool none, ok; } rows[] = {
        { "the registered node", 1, false, true }, { "a stranger", 2, false, false }, { "ourselves", 0, false, false },
        { "no certificate", 1, true, false },
    };
    SSL_CTX *server, *client, *nobody;
    struct err e;

    assert_int_equal(pki_node_server(p->dir[0], node_cert_pem(node_key_cert(p->id[1])), &server, &e), 0);
    assert_int_equal(pki_node_server(p->dir[0], STR(""), &nobody, &e), 0);
    for (size_t i = 0; i < COUNT(rows); i++) {
        char ca[128], cert[128], key[128], peer[65] = "";

        snprintf(ca, sizeof ca, "%s/node.pem", p->dir[0]);
        snprintf(cert, sizeof cert, "%s/node.pem", p->dir[rows[i].client]);
        snprintf(key, sizeof key, "%s/node.key", p->dir[rows[i].client]);
        assert_int_equal(pki_client_context(ca, rows[i].none ? NULL : cert, rows[i].none ? NULL : key, &client, &e), 0);
        X509_VERIFY_PARAM_set_flags(SSL_CTX_get0_param(client), X509_V_FLAG_PARTIAL_CHAIN);
        CHECK(rows[i].name, shake(server, client, peer) == rows[i].ok);
        CHECK(rows[i].name, !rows[i].ok || strcmp(peer, node_cert_fingerprint(node_key_cert(p->id[rows[i].client]))) == 0);
        CHECK(rows[i].name, !shake(nobody, client, peer));
        pki_context_free(&client);
    }
    pki_context_free(&server);
    pki_context_free(&nobody);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(json_has_one_form),
        cmocka_unit_test(a_signature_is_of_one_key_one_text_and_one_purpose),
        cmocka_unit_test(a_card_carries_a_certificate_and_no_secret),
        cmocka_unit_test(urls_are_https_and_carry_no_credentials),
        cmocka_unit_test(a_bundle_is_believed_whole_or_not_at_all),
        cmocka_unit_test(what_breaks_the_form_of_an_envelope_is_named),
        cmocka_unit_test(only_certificates_that_were_exchanged_open_a_connection),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
