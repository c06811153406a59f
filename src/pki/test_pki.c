/* test_pki.c - the authority, what it issues, and whom a server with it lets in. */
#include "pki/pki.h"
#include "base/file.h"
#include "base/test.h"

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <sys/stat.h>
#include <sys/wait.h>
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
    const char *renewed[] = { "server/server.pem", "server/server.key", "server/revoked.crl", "server", "agents/b1.pem", "agents/b1.key", "agents/c0.pem", "agents/c0.key",
                              "agents/c1.pem", "agents/c1.key", "agents/c2.pem", "agents/c2.key", "agents/c3.pem", "agents/c3.key", "agents/c4.pem",
                              "agents/c4.key", "agents/c5.pem", "agents/c5.key" };
    char path[256];

    for (size_t i = 0; i < COUNT(renewed); i++) {
        snprintf(path, sizeof path, "%s/%s", p->dir, renewed[i]);
        assert_int_equal(remove(path), 0);
    }
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

/* --- renewal --- */

static void read_text(const char *path, struct buf *b)
{
    struct err e;

    buf_init(b, MIB);
    if (file_read(path, MIB, b, &e) < 0)
        fail_msg("%s", e.text);
}

static void a_certificate_is_due_when_two_thirds_of_its_life_are_over(void **state)
{
    struct place *p = *state;
    char path[256];
    time_ns from, to;
    struct err e;

    snprintf(path, sizeof path, "%s/agents/a1.pem", p->dir);
    assert_int_equal(pki_life(path, &from, &to, &e), 0);
    assert_true((to - from) / NS_PER_DAY == PKI_AGENT_DAYS);
    assert_false(pki_due(from, to, from));
    assert_false(pki_due(0, 300, 199));
    assert_true(pki_due(0, 300, 200));
    assert_true(pki_due(0, 300, 400));
    assert_int_equal(pki_life("/nonexistent", &from, &to, &e), -ENOENT);
}

static void the_servers_certificate_is_renewed_for_the_same_names(void **state)
{
    struct place *p = *state;
    char old[256], fresh[256], peer[PKI_NAME_MAX + 1];
    SSL_CTX *server = NULL, *client = NULL;
    char key[256], ca[256], cert[256];
    struct err e = { 0 };
    int rc;

    snprintf(old, sizeof old, "%s/server.pem", p->dir);
    snprintf(fresh, sizeof fresh, "%s/server/server.pem", p->dir);
    snprintf(key, sizeof key, "%s/server/server.key", p->dir);
    snprintf(ca, sizeof ca, "%s/ca.pem", p->dir);
    snprintf(cert, sizeof cert, "%s/agents/a1.pem", p->dir);
    if (pki_server_renew(p->dir, old, &e) < 0)
        fail_msg("%s", e.text);
    assert_int_equal(pki_server_renew(p->dir, fresh, &e), 0);      /* and again, from the renewed one */
    assert_int_equal(pki_listener_context(&(struct pki_files){ .cert = fresh, .key = key, .ca = ca }, 2, &server, &e), 0);
    snprintf(key, sizeof key, "%s/agents/a1.key", p->dir);
    assert_int_equal(pki_client_context(ca, cert, key, &client, &e), 0);
    assert_true(shake(server, client, peer, &rc));                 /* the client checks the name localhost */
    pki_context_free(&server);
    pki_context_free(&client);
    snprintf(old, sizeof old, "%s/agents/a1.pem", p->dir);
    assert_int_equal(pki_server_renew(p->dir, old, &e), -EBADMSG); /* an agent's has no names */
}

static void ask_of(const char *dir, const char *fresh_name, struct buf *ask, char fresh[256])
{
    char cert[256], key[256];
    struct err e;

    snprintf(cert, sizeof cert, "%s/agents/a1.pem", dir);
    snprintf(key, sizeof key, "%s/agents/a1.key", dir);
    snprintf(fresh, 256, "%s/%s", dir, fresh_name);
    buf_init(ask, PKI_ASK_MAX);
    if (pki_renew_ask(cert, key, fresh, ask, &e) < 0)
        fail_msg("%s", e.text);
}

static void a_renewal_is_granted_to_whoever_signs_with_a_certificate_that_holds(void **state)
{
    struct place *p = *state;
    char fresh[256], ca[256], identity[256], peer[PKI_NAME_MAX + 1];
    AUTO_BUF struct buf ask = { 0 }, again = { 0 }, pem = { 0 };
    SSL_CTX *server = NULL, *client = NULL;
    struct stat st;
    struct err e;
    int rc;

    buf_init(&pem, MIB);
    ask_of(p->dir, "fresh.key", &ask, fresh);
    assert_int_equal(stat(fresh, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
    assert_int_equal(pki_renew_grant(p->dir, STR("a1"), buf_view(&ask), &pem, &e), 0);
    ask_of(p->dir, "fresh.key", &again, fresh);                    /* the same key again: an answer that was lost costs nothing */
    snprintf(ca, sizeof ca, "%s/ca.pem", p->dir);
    snprintf(identity, sizeof identity, "%s/identity.pem", p->dir);
    assert_int_equal(pki_renew_take(STR("rubbish"), fresh, ca, identity, &e), -EBADMSG);
    if (pki_renew_take(buf_view(&pem), fresh, ca, identity, &e) < 0)
        fail_msg("%s", e.text);
    assert_int_equal(stat(identity, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
    assert_int_equal(access(fresh, F_OK), -1);
    assert_int_equal(pki_server_context(p->dir, true, &server, &e), 0);
    assert_int_equal(pki_client_context(ca, identity, identity, &client, &e), 0);
    assert_true(shake(server, client, peer, &rc));
    assert_string_equal(peer, "a1");
    pki_context_free(&server);
    pki_context_free(&client);
    /* An answer for another key is not taken. */
    buf_free(&again);
    ask_of(p->dir, "other.key", &again, fresh);
    assert_int_equal(pki_renew_take(buf_view(&pem), fresh, ca, identity, &e), -EBADMSG);
    unlink(fresh);
    unlink(identity);
}

static void what_is_wrong_with_a_request_is_refused(void **state)
{
    struct place *p = *state;
    AUTO_BUF struct buf own = { 0 }, foreign = { 0 }, mixed = { 0 }, pem = { 0 };
    struct str part[3], theirs[3], rest;
    char fresh[256];
    struct err e;

    buf_init(&pem, MIB);
    buf_init(&mixed, PKI_ASK_MAX);
    ask_of(p->dir, "fresh.key", &own, fresh);
    unlink(fresh);
    ask_of(p->other, "fresh.key", &foreign, fresh);
    unlink(fresh);
    rest = buf_view(&own);
    for (int i = 0; i < 3; i++)
        assert_true(str_split(&rest, '.', &part[i]));
    rest = buf_view(&foreign);
    for (int i = 0; i < 3; i++)
        assert_true(str_split(&rest, '.', &theirs[i]));
    const struct { const char *name; struct str who, a, b, c; } rows[] = {
        { "another name than the certificate's", STR("a2"), part[0], part[1], part[2] },
        { "no name at all", STR("../a1"), part[0], part[1], part[2] },
        { "a certificate of another authority", STR("a1"), theirs[0], theirs[1], theirs[2] },
        { "our certificate, another's signature", STR("a1"), part[0], part[1], theirs[2] },
        { "our certificate and signature, another's key", STR("a1"), theirs[0], part[1], part[2] },
        { "a certificate where a request should be", STR("a1"), part[1], part[1], part[2] },
        { "no base64", STR("a1"), STR("????"), part[1], part[2] },
        { "nothing", STR("a1"), STR(""), STR(""), STR("") },
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        buf_reset(&mixed);
        buf_str(&mixed, rows[i].a);
        buf_byte(&mixed, '.');
        buf_str(&mixed, rows[i].b);
        buf_byte(&mixed, '.');
        buf_str(&mixed, rows[i].c);
        CHECK(rows[i].name, pki_renew_grant(p->dir, rows[i].who, buf_view(&mixed), &pem, &e) < 0);
        CHECK(rows[i].name, pem.n == 0);
    }
    for (size_t n = 0; n < own.n; n += 7)                          /* cut anywhere */
        assert_true(pki_renew_grant(p->dir, STR("a1"), str_of(own.p, n), &pem, &e) < 0);
    assert_int_equal(pki_renew_grant(p->dir, STR("a1"), buf_view(&own), &pem, &e), 0);
}

/* --- revocation --- */

struct tally {
    size_t all, revoked;
};

static int tally_one(void *arg, const struct pki_issued *one)
{
    struct tally *t = arg;

    t->all++;
    t->revoked += one->revoked;
    return 0;
}

static bool gets_in(const char *dir, const struct pki_revoked *list)
{
    char ca[256], cert[256], key[256], server_cert[256], server_key[256], peer[PKI_NAME_MAX + 1];
    SSL_CTX *server = NULL, *client = NULL;
    struct err e;
    bool in;
    int rc;

    snprintf(ca, sizeof ca, "%s/ca.pem", dir);
    snprintf(cert, sizeof cert, "%s/agents/a1.pem", dir);
    snprintf(key, sizeof key, "%s/agents/a1.key", dir);
    snprintf(server_cert, sizeof server_cert, "%s/server.pem", dir);
    snprintf(server_key, sizeof server_key, "%s/server.key", dir);
    assert_int_equal(pki_listener_context(&(struct pki_files){ .cert = server_cert, .key = server_key, .ca = ca, .revoked = list }, 2, &server, &e), 0);
    assert_int_equal(pki_client_context(ca, cert, key, &client, &e), 0);
    in = shake(server, client, peer, &rc);
    pki_context_free(&server);
    pki_context_free(&client);
    return in;
}

static void a_revoked_certificate_opens_nothing_and_renews_nothing(void **state)
{
    struct place *p = *state;
    struct tally t = { 0 };
    struct pki_revoked *list = NULL;
    AUTO_BUF struct buf ask = { 0 }, pem = { 0 }, text = { 0 };
    char crl[256], ca[256], other_ca[256], fresh[256];
    struct err e;
    size_t count;

    buf_init(&pem, MIB);
    snprintf(crl, sizeof crl, "%s/server/revoked.crl", p->dir);
    snprintf(ca, sizeof ca, "%s/ca.pem", p->dir);
    snprintf(other_ca, sizeof other_ca, "%s/ca.pem", p->other);
    assert_int_equal(pki_revoked_load(crl, ca, &list, &e), 0);
    assert_null(list);
    assert_true(gets_in(p->dir, NULL));
    ask_of(p->dir, "fresh.key", &ask, fresh);
    assert_int_equal(pki_revoke(p->dir, STR("nobody"), &count, &e), -ENOENT);
    assert_int_equal(pki_revoke(p->dir, STR("../x"), &count, &e), -EINVAL);
    if (pki_revoke(p->dir, STR("a1"), &count, &e) < 0)
        fail_msg("%s", e.text);
    assert_true(count >= 1);                                       /* with those that were renewed above */
    assert_int_equal(pki_revoked_load(crl, ca, &list, &e), 0);
    assert_int_equal(pki_revoked_count(list), count);
    assert_false(gets_in(p->dir, list));
    assert_int_equal(pki_renew_grant(p->dir, STR("a1"), buf_view(&ask), &pem, &e), -EACCES);
    pki_revoked_free(&list);
    assert_int_equal(pki_revoke(p->dir, STR("a1"), &count, &e), 0);
    assert_int_equal(count, 0);
    /* A new one of the same name is another certificate. */
    assert_int_equal(pki_agent_make(p->dir, STR("a1"), &e), 0);
    assert_int_equal(pki_revoked_load(crl, ca, &list, &e), 0);
    assert_true(gets_in(p->dir, list));
    pki_revoked_free(&list);
    assert_int_equal(pki_issued_each(p->dir, tally_one, &t, &e), 0);
    assert_true(t.revoked >= 1 && t.all > t.revoked);
    /* The list of another authority, or a damaged one, is none. */
    assert_int_equal(pki_revoked_load(crl, other_ca, &list, &e), -EBADMSG);
    read_text(crl, &text);
    text.p[text.n / 2] ^= 1;
    assert_int_equal(file_write_atomic(crl, buf_view(&text), 0644, &e), 0);
    assert_int_equal(pki_revoked_load(crl, ca, &list, &e), -EBADMSG);
    unlink(fresh);
}

/* A line of issued.tsv that a crash, or a full disk, has torn must not swallow the next one: its certificate could not be revoked. */
static void a_torn_line_of_what_was_made_does_not_hide_the_next_certificate(void **state)
{
    struct place *p = *state;
    char path[256];
    size_t count = 0;
    struct err e;
    FILE *f;

    snprintf(path, sizeof path, "%s/server/revoked.crl", p->dir);
    unlink(path);                                                  /* what the test before left of it */
    snprintf(path, sizeof path, "%s/issued.tsv", p->dir);
    f = fopen(path, "a");
    assert_non_null(f);
    fputs("0badc0de\tagent\tgone", f);
    fclose(f);
    assert_int_equal(pki_agent_make(p->dir, STR("b1"), &e), 0);
    assert_int_equal(pki_revoke(p->dir, STR("b1"), &count, &e), 0);
    assert_int_equal(count, 1);
}

/* Two who revoke at the same time: neither list is written over the other. */
static void revocations_at_the_same_time_all_count(void **state)
{
    enum { NAMES = 6 };
    struct place *p = *state;
    struct pki_revoked *list = NULL;
    char crl[256], ca[256], name[8];
    size_t before = 0, count;
    pid_t child[NAMES];
    struct err e;
    int status;

    snprintf(crl, sizeof crl, "%s/server/revoked.crl", p->dir);
    snprintf(ca, sizeof ca, "%s/ca.pem", p->dir);
    for (int i = 0; i < NAMES; i++) {
        snprintf(name, sizeof name, "c%d", i);
        assert_int_equal(pki_agent_make(p->dir, str_c(name), &e), 0);
    }
    assert_int_equal(pki_revoke(p->dir, STR("a1"), &count, &e), 0);
    assert_int_equal(pki_revoked_load(crl, ca, &list, &e), 0);
    before = pki_revoked_count(list);
    pki_revoked_free(&list);
    for (int i = 0; i < NAMES; i++) {
        child[i] = fork();
        if (child[i] == 0) {
            snprintf(name, sizeof name, "c%d", i);
            _exit(pki_revoke(p->dir, str_c(name), &count, &e) == 0 && count == 1 ? 0 : 1);
        }
    }
    for (int i = 0; i < NAMES; i++)
        assert_true(child[i] > 0 && waitpid(child[i], &status, 0) == child[i] && WIFEXITED(status) && WEXITSTATUS(status) == 0);
    assert_int_equal(pki_revoked_load(crl, ca, &list, &e), 0);
    assert_int_equal(pki_revoked_count(list), before + NAMES);
    pki_revoked_free(&list);
}

/* A list that is there and cannot be seen (a folder of another owner) is not an empty one. */
static void a_list_that_cannot_be_read_is_not_taken_for_none(void **state)
{
    struct place *p = *state;
    struct pki_revoked *list = NULL;
    char loop[256], ca[256];
    struct err e;

    snprintf(loop, sizeof loop, "%s/loop.crl", p->dir);
    snprintf(ca, sizeof ca, "%s/ca.pem", p->dir);
    assert_int_equal(symlink(loop, loop), 0);
    assert_true(pki_revoked_load(loop, ca, &list, &e) < 0);
    assert_null(list);
    unlink(loop);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(keys_are_private_and_an_authority_is_kept),
        cmocka_unit_test(names_that_could_mean_more_are_refused),
        cmocka_unit_test(only_agents_of_this_authority_get_in),
        cmocka_unit_test(a_server_certificate_is_no_agents_certificate),
        cmocka_unit_test(a_certificate_is_due_when_two_thirds_of_its_life_are_over),
        cmocka_unit_test(the_servers_certificate_is_renewed_for_the_same_names),
        cmocka_unit_test(a_renewal_is_granted_to_whoever_signs_with_a_certificate_that_holds),
        cmocka_unit_test(what_is_wrong_with_a_request_is_refused),
        cmocka_unit_test(a_revoked_certificate_opens_nothing_and_renews_nothing),
        cmocka_unit_test(a_torn_line_of_what_was_made_does_not_hide_the_next_certificate),
        cmocka_unit_test(revocations_at_the_same_time_all_count),
        cmocka_unit_test(a_list_that_cannot_be_read_is_not_taken_for_none),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
