/* test_pki.c - the authority, what it issues, and whom a server with it lets in. */
#include "pki/pki.h"
#include "base/test.h"

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <sys/stat.h>
#include <unistd.h>

struct place {
    char dir[64], other[64];
};

static int setup(void **state)
{
    static struct place p;
    const char *names[] = { "localhost", "127.0.0.1", "::1" };
    struct err e = { 0 };

    snprintf(p.dir, sizeof p.dir, "/tmp/saqshy-pki-XXXXXX");
    snprintf(p.other, sizeof p.other, "/tmp/saqshy-pki-XXXXXX");
    assert_non_null(mkdtemp(p.dir));
    assert_non_null(mkdtemp(p.other));
    for (int i = 0; i < 2; i++) {
        const char *d = i ? p.other : p.dir;

        assert_int_equal(pki_ca_make(d, "Saqshy test authority", &e), 0);
        assert_int_equal(pki_server_make(d, names, 3, &e), 0);
        assert_int_equal(pki_agent_make(d, STR("a1"), &e), 0);
    }
    *state = &p;
    return 0;
}

static int teardown(void **state)
{
    struct place *p = *state;
    const char *names[] = { "ca.pem", "ca.key", "server.pem", "server.key", "agents/a1.pem", "agents/a1.key", "agents", "issued.tsv", "" };
    char path[256];

    for (int d = 0; d < 2; d++)
        for (size_t i = 0; i < COUNT(names); i++) {
            snprintf(path, sizeof path, "%s/%s", d ? p->other : p->dir, names[i]);
            assert_int_equal(remove(path), 0);
        }
    return 0;
}

static void keys_are_private_and_an_authority_is_kept(void **state)
{
    struct place *p = *state;
    struct stat a, b;
    char path[256];
    struct err e = { 0 };
    int days = 0;

    snprintf(path, sizeof path, "%s/ca.key", p->dir);
    assert_int_equal(stat(path, &a), 0);
    assert_int_equal(a.st_mode & 0777, 0600);
    assert_int_equal(pki_ca_make(p->dir, "again", &e), 1);
    assert_int_equal(stat(path, &b), 0);
    assert_int_equal(a.st_ino, b.st_ino);
    snprintf(path, sizeof path, "%s/server.pem", p->dir);
    assert_int_equal(stat(path, &a), 0);
    assert_int_equal(a.st_mode & 0777, 0644);
    assert_int_equal(pki_days_left(path, &days, &e), 0);
    assert_true(days >= PKI_SERVER_DAYS - 1 && days <= PKI_SERVER_DAYS);
    assert_int_equal(pki_days_left("/nonexistent", &days, &e), -ENOENT);
}

static void names_that_could_mean_more_are_refused(void **state)
{
    static const struct { const char *name; bool ok; } rows[] = {
        { "a1", true }, { "srv-01.example_x", true }, { "", false }, { "../a", false }, { "a/b", false }, { ".a", false },
        { "-a", false }, { "a b", false }, { "а", false },
        { "0123456789012345678901234567890123456789012345678901234567890123", true },
        { "01234567890123456789012345678901234567890123456789012345678901234", false },
    };
    struct place *p = *state;
    struct err e;
    const char *bad[] = { "localhost,DNS:evil.example" };

    for (size_t i = 0; i < COUNT(rows); i++)
        CHECK(rows[i].name, pki_name_valid(str_c(rows[i].name)) == rows[i].ok);
    assert_int_equal(pki_agent_make(p->dir, STR("../../x"), &e), -EINVAL);
    assert_int_equal(pki_server_make(p->dir, bad, 1, &e), -EINVAL);
    assert_int_equal(pki_server_make(p->dir, bad, 0, &e), -EINVAL);
}

/* shake - a handshake in memory; true if both sides are content. peer gets the client's name as the server sees it. */
static bool shake(SSL_CTX *server, SSL_CTX *client, char peer[PKI_NAME_MAX + 1], int *name_rc)
{
    SSL *s = SSL_new(server), *c = SSL_new(client);
    BIO *a, *b;
    bool ok = false;
    struct err e;

    assert_int_equal(BIO_new_bio_pair(&a, 0, &b, 0), 1);
    SSL_set_bio(s, a, a);
    SSL_set_bio(c, b, b);
    SSL_set_accept_state(s);
    SSL_set_connect_state(c);
    SSL_set1_host(c, "localhost");
    for (int i = 0; i < 20 && !ok; i++) {
        int rc = SSL_do_handshake(c), rs = SSL_do_handshake(s);

        ok = rc == 1 && rs == 1;
    }
    *name_rc = ok ? pki_peer_name(s, peer, &e) : -EPROTO;
    ERR_clear_error();
    SSL_free(s);
    SSL_free(c);
    return ok;
}

static void only_agents_of_this_authority_get_in(void **state)
{
    static const struct { const char *name; bool own_ca, cert, own_cert, agents_only, ok; int rc; } rows[] = {
        { "an agent of ours",               true,  true,  true,  true,  true,  0 },
        { "no certificate",                 true,  false, false, true,  false, -EPROTO },
        { "an agent of another authority",  true,  true,  false, true,  false, -EPROTO },
        { "the server is of another one",   false, true,  true,  true,  false, -EPROTO },
        { "a browser at the portal",        true,  false, false, false, true,  -ENOENT },
    };
    struct place *p = *state;

    for (size_t i = 0; i < COUNT(rows); i++) {
        const char *cdir = rows[i].own_cert ? p->dir : p->other;
        char ca[256], cert[256], key[256], peer[PKI_NAME_MAX + 1] = "";
        SSL_CTX *server = NULL, *client = NULL;
        struct err e = { 0 };
        int rc;

        snprintf(ca, sizeof ca, "%s/ca.pem", rows[i].own_ca ? p->dir : p->other);
        snprintf(cert, sizeof cert, "%s/agents/a1.pem", cdir);
        snprintf(key, sizeof key, "%s/agents/a1.key", cdir);
        assert_int_equal(pki_server_context(p->dir, rows[i].agents_only, &server, &e), 0);
        assert_int_equal(pki_client_context(ca, rows[i].cert ? cert : NULL, rows[i].cert ? key : NULL, &client, &e), 0);
        CHECK(rows[i].name, shake(server, client, peer, &rc) == rows[i].ok);
        CHECK(rows[i].name, rc == rows[i].rc);
        if (rc == 0)
            assert_string_equal(peer, "a1");
        pki_context_free(&server);
        pki_context_free(&client);
    }
}

/* A server's certificate does not make an agent: it lacks clientAuth. */
static void a_server_certificate_is_no_agents_certificate(void **state)
{
    struct place *p = *state;
    char ca[256], cert[256], key[256], peer[PKI_NAME_MAX + 1];
    SSL_CTX *server = NULL, *client = NULL;
    struct err e = { 0 };
    int rc;

    snprintf(ca, sizeof ca, "%s/ca.pem", p->dir);
    snprintf(cert, sizeof cert, "%s/server.pem", p->dir);
    snprintf(key, sizeof key, "%s/server.key", p->dir);
    assert_int_equal(pki_server_context(p->dir, true, &server, &e), 0);
    assert_int_equal(pki_client_context(ca, cert, key, &client, &e), 0);
    assert_false(shake(server, client, peer, &rc));
    pki_context_free(&server);
    pki_context_free(&client);
    assert_int_equal(pki_client_context(ca, cert, ca, &client, &e), -EINVAL);
    assert_int_equal(pki_server_context("/nonexistent", true, &server, &e), -EINVAL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(keys_are_private_and_an_authority_is_kept),
        cmocka_unit_test(names_that_could_mean_more_are_refused),
        cmocka_unit_test(only_agents_of_this_authority_get_in),
        cmocka_unit_test(a_server_certificate_is_no_agents_certificate),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
