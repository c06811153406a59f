/* test_sign.c - signatures made here and now by testing_keys.sh, judged; the Kazakh ones are made from Russian ones by the recipe read
 * backwards: other identifiers, all bytes of a signature reversed. Nothing here comes from a real authority. */
#include "sign/internal.h"
#include "base/file.h"
#include "base/test.h"

#include <dirent.h>
#include <sys/stat.h>

static char folder[] = "/tmp/saqshy-sign-XXXXXX";
static bool have_gost;
static time_ns when;     /* a day after the certificates were made */
static struct sign_trust *trust, *nobody;

static const char *at_path(const char *name)
{
    static char path[256];

    snprintf(path, sizeof path, "%s/%s", folder, name);
    return path;
}

static void load(const char *name, struct buf *out)
{
    struct err e;

    buf_init(out, 0);
    if (file_read(at_path(name), SIGN_CMS_MAX, out, &e) < 0)
        fail_msg("%s: %s", name, e.text);
}

/* run - shell words in the test's folder. */
static void run(const char *words)
{
    char command[1024];

    snprintf(command, sizeof command, "cd %s && %s", folder, words);
    assert_int_equal(system(command), 0);
}

static struct sign_result judge(const struct sign_trust *t, struct str content, struct str cms, time_ns at)
{
    struct sign_result r;
    struct err e;

    if (sign_verify(t, content, cms, at, &r, &e) < 0)
        fail_msg("%s", e.text);
    return r;
}

static const struct {
    const char      *name, *file;
    enum sign_reason why;
    bool             intact;
} rows[] = {
    { "RSA with attributes", "letter.p7s", SIGN_OK, true },
    { "ECDSA", "letter-ec.p7s", SIGN_OK, true },
    { "RSA-PSS", "letter-pss.p7s", SIGN_OK, true },
    { "without attributes", "letter-plain.p7s", SIGN_OK, true },
    { "the content inside", "letter-attached.p7s", SIGN_OK, true },
    { "PEM", "letter.pem", SIGN_OK, true },
    { "two signers", "letter-two.p7s", SIGN_OK, true },
    { "SHA-1 is not checked", "letter-sha1.p7s", SIGN_WEAK_ALGORITHM, false },
    { "a revoked certificate", "letter-revoked.p7s", SIGN_CERTIFICATE_REVOKED, true },
    { "an authority nobody trusts", "letter-stranger.p7s", SIGN_UNKNOWN_ISSUER, true },
    { "a key that may not sign", "letter-login.p7s", SIGN_NOT_FOR_SIGNING, true },
};

static void test_verdicts(void **state)
{
    AUTO_BUF struct buf letter;

    (void)state;
    load("letter.txt", &letter);
    for (size_t i = 0; i < COUNT(rows); i++) {
        AUTO_BUF struct buf cms;
        AUTO_BUF struct buf other;
        struct sign_result r;

        load(rows[i].file, &cms);
        r = judge(trust, buf_view(&letter), buf_view(&cms), when);
        if (r.reason != rows[i].why)
            fail_msg("row \"%s\": %s", rows[i].name, sign_reason_name(r.reason));
        CHECK(rows[i].name, r.verdict == sign_reason_verdict(rows[i].why) && r.count >= 1);
        CHECK(rows[i].name, r.signers[0].intact == rows[i].intact);
        /* One letter more, and none of them holds. */
        buf_init(&other, 0);
        buf_str(&other, buf_view(&letter));
        buf_byte(&other, '!');
        r = judge(trust, buf_view(&other), buf_view(&cms), when);
        CHECK(rows[i].name, r.verdict != SIGN_VALID && !r.signers[0].intact);
        /* Without anchors nothing is valid. */
        r = judge(nobody, buf_view(&letter), buf_view(&cms), when);
        CHECK(rows[i].name, r.verdict != SIGN_VALID);
    }
}

static void test_who_signed(void **state)
{
    AUTO_BUF struct buf letter;
    AUTO_BUF struct buf cms;
    struct sign_result r;
    struct sign_signer *s = &r.signers[0];
    char masked[13];

    (void)state;
    load("letter.txt", &letter);
    load("letter.p7s", &cms);
    r = judge(trust, buf_view(&letter), buf_view(&cms), when);
    assert_int_equal(r.count, 1);
    assert_string_equal(s->name, "СЕРІК АЙГҮЛ");
    assert_string_equal(s->organisation, "\"ЦИФРЛЫҚ ҚЫЗМЕТ\" АҚ");
    assert_string_equal(s->issuer, "Test NCA");
    assert_string_equal(s->serial, "1001");
    assert_string_equal(s->iin, "901231400123");
    assert_string_equal(s->bin, "123456789012");
    assert_string_equal(s->algorithm, "RSA 2048, sha256");
    assert_int_equal(s->usage, SIGN_ORGANISATION | SIGN_FIRST_HEAD | SIGN_MAY_SIGN);
    assert_true(s->signed_at > 0 && s->not_before <= s->signed_at && s->signed_at < s->not_after);
    sign_mask(s->iin, masked);
    assert_string_equal(masked, "********0123");
}

static void test_moments_and_lists(void **state)
{
    AUTO_BUF struct buf letter;
    AUTO_BUF struct buf cms;
    struct sign_trust *t;

    (void)state;
    load("letter.txt", &letter);
    load("letter.p7s", &cms);
    struct str c = buf_view(&letter), s = buf_view(&cms);

    assert_int_equal(judge(trust, c, s, when + 60 * NS_PER_DAY).reason, SIGN_REVOCATION_DATA_OLD);
    assert_int_equal(judge(trust, c, s, when + 800 * NS_PER_DAY).reason, SIGN_CERTIFICATE_EXPIRED);
    assert_int_equal(judge(trust, c, s, when - 30 * NS_PER_DAY).reason, SIGN_CERTIFICATE_NOT_YET_VALID);
    assert_int_equal(judge(nobody, c, s, when).reason, SIGN_NO_TRUST_ANCHOR);
    run("rm -rf bare && mkdir bare && cp root.pem person.pem bare/ && echo nonsense >bare/broken.cer");
    assert_int_equal(sign_trust_load(at_path("bare"), &t, NULL), 0);
    assert_int_equal(sign_trust_anchors(t), 1);
    assert_int_equal(sign_trust_skipped(t), 2); /* what is broken, and a person's certificate: no anchor */
    assert_int_equal(judge(t, c, s, when).reason, SIGN_NO_REVOCATION_DATA);
    sign_trust_free(&t);
    assert_null(t);
    /* The issuing authority alone, as DER, without its root: an end of the road too. */
    run("rm -rf part && mkdir part && cp trust/nca.crl part/ && openssl x509 -in nca.pem -outform DER -out part/nca.cer");
    assert_int_equal(sign_trust_load(at_path("part"), &t, NULL), 0);
    assert_int_equal(judge(t, c, s, when).reason, SIGN_OK);
    sign_trust_free(&t);
}

static void test_the_folder_is_read_again_when_it_changes(void **state)
{
    AUTO_BUF struct buf letter;
    AUTO_BUF struct buf cms;
    struct sign_trust *t;

    (void)state;
    load("letter.txt", &letter);
    load("letter.p7s", &cms);
    run("rm -rf moving && mkdir moving && cp root.pem nca.pem moving/");
    assert_int_equal(sign_trust_load(at_path("moving"), &t, NULL), 0);
    assert_false(sign_trust_refresh(t, at_path("moving")));
    assert_int_equal(judge(t, buf_view(&letter), buf_view(&cms), when).reason, SIGN_NO_REVOCATION_DATA);
    run("cp trust/*.crl moving/");                                      /* a file more */
    assert_true(sign_trust_refresh(t, at_path("moving")));
    assert_false(sign_trust_refresh(t, at_path("moving")));
    assert_int_equal(judge(t, buf_view(&letter), buf_view(&cms), when).reason, SIGN_OK);
    run("touch -d 2001-01-01 moving/nca.crl");                          /* the same bytes of another time */
    assert_true(sign_trust_refresh(t, at_path("moving")));
    run("cp -p moving/nca.crl x && mv x moving/nca.crl");               /* another file of the same time and size */
    assert_true(sign_trust_refresh(t, at_path("moving")));
    assert_false(sign_trust_refresh(t, at_path("moving")));
    run("touch moving/.hidden moving/readme.txt");                      /* what is not read does not count */
    assert_false(sign_trust_refresh(t, at_path("moving")));
    run("rm moving/root.pem moving/nca.pem");
    assert_true(sign_trust_refresh(t, at_path("moving")));
    assert_int_equal(judge(t, buf_view(&letter), buf_view(&cms), when).reason, SIGN_NO_TRUST_ANCHOR);
    run("rm -r moving");
    assert_true(sign_trust_refresh(t, at_path("moving")));
    assert_false(sign_trust_refresh(t, at_path("moving")));
    sign_trust_free(&t);
}

static void test_base64_and_damage(void **state)
{
    AUTO_BUF struct buf letter;
    AUTO_BUF struct buf cms;
    AUTO_BUF struct buf text;
    struct sign_result r;
    struct err e;

    (void)state;
    load("letter.txt", &letter);
    load("letter.p7s", &cms);
    run("openssl base64 -A -in letter.p7s -out letter.b64");
    load("letter.b64", &text);
    assert_int_equal(judge(trust, buf_view(&letter), buf_view(&text), when).reason, SIGN_OK);
    for (size_t n = 0; n < cms.n; n += n < 200 ? 1 : 7) {
        char *cut = malloc(n ? n : 1);

        memcpy(cut, cms.p, n);
        assert_int_equal(sign_verify(trust, buf_view(&letter), str_of(cut, n), when, &r, &e), -EBADMSG);
        free(cut);
    }
    for (size_t i = 0; i < cms.n; i += 5) {
        cms.p[i] ^= 0x10;
        /* Some bytes nobody signed; then the signer must still be the same. */
        if (sign_verify(trust, buf_view(&letter), buf_view(&cms), when, &r, &e) == 0 && r.verdict == SIGN_VALID)
            assert_string_equal(r.signers[0].serial, "1001");
        cms.p[i] ^= 0x10;
    }
    assert_int_equal(sign_verify(trust, buf_view(&letter), STR("no signature"), when, &r, &e), -EBADMSG);
    assert_int_equal(sign_verify(trust, buf_view(&letter), STR(""), when, &r, &e), -EBADMSG);
    assert_int_equal(sign_verify(trust, buf_view(&letter), str_of(cms.p, SIGN_CMS_MAX + 1), when, &r, &e), -E2BIG);
}

static void test_reasons_have_names(void **state)
{
    (void)state;
    for (int i = 0; i < SIGN_REASON_COUNT; i++)
        assert_non_null(sign_reason_name((enum sign_reason)i));
    assert_string_equal(sign_usage_name(4), "employee");
    assert_null(sign_usage_name(5));
}

/* --- Kazakh identifiers --- */

static const struct {
    const char *from, *to;
} swaps[] = {
    { "\x2a\x85\x03\x07\x01\x01\x01\x01", "\x2a\x83\x0e\x03\x0a\x01\x01\x02\x02\x01" }, /* key, 256 */
    { "\x2a\x85\x03\x07\x01\x01\x01\x02", "\x2a\x83\x0e\x03\x0a\x01\x01\x02\x02\x02" },
    { "\x2a\x85\x03\x07\x01\x01\x03\x02", "\x2a\x83\x0e\x03\x0a\x01\x01\x02\x03\x01" }, /* signature with its hash */
    { "\x2a\x85\x03\x07\x01\x01\x03\x03", "\x2a\x83\x0e\x03\x0a\x01\x01\x02\x03\x02" },
    { "\x2a\x85\x03\x07\x01\x01\x02\x02", "\x2a\x83\x0e\x03\x0a\x01\x03\x02" },         /* Streebog, 256 */
    { "\x2a\x85\x03\x07\x01\x01\x02\x03", "\x2a\x83\x0e\x03\x0a\x01\x03\x03" },
};

static void put_element(struct buf *out, int tag, bool made, struct str body)
{
    unsigned char head[16], *p = head;

    ASN1_put_object(&p, made, (int)body.n, tag & 0x1f, tag & 0xc0);
    buf_put(out, head, (size_t)(p - head));
    buf_str(out, body);
}

/* kazakh - DER with the identifiers changed and the lengths made right again. Of our own making, so it may recurse. */
static void kazakh(struct str der, struct buf *out)
{
    while (der.n) {
        const unsigned char *start = (const unsigned char *)der.p, *p = start;
        long n = 0;
        int tag = 0, class = 0, shape = ASN1_get_object(&p, &n, &tag, &class, (long)der.n);
        struct str body = str_of((const char *)p, (size_t)n);
        AUTO_BUF struct buf inner;

        assert_false(shape & 0x80);
        buf_init(&inner, 0);
        if (shape & V_ASN1_CONSTRUCTED)
            kazakh(body, &inner);
        for (size_t i = 0; tag == V_ASN1_OBJECT && class == 0 && i < COUNT(swaps); i++)
            if (str_eq(body, str_c(swaps[i].from)))
                body = str_c(swaps[i].to);
        put_element(out, tag | class, shape & V_ASN1_CONSTRUCTED, shape & V_ASN1_CONSTRUCTED ? buf_view(&inner) : body);
        der = str_cut(der, (size_t)(p - start) + (size_t)n);
    }
}

static void turn(char *p, size_t n)
{
    for (size_t i = 0; i < n / 2; i++) {
        char c = p[i];

        p[i] = p[n - 1 - i];
        p[n - 1 - i] = c;
    }
}

/* kazakh_signed - a certificate or list under Kazakh identifiers, signed again by the Russian engine's key, bytes reversed. */
static void kazakh_signed(const char *name, int bits, struct buf *out)
{
    AUTO_BUF struct buf in;
    AUTO_BUF struct buf all;
    AUTO_BUF struct buf sig;
    AUTO_BUF struct buf parts;
    unsigned char hash[64];
    char text[160];
    struct str first, rest, algorithm;

    load(name, &in);
    buf_init(&all, 0);
    buf_init(&parts, 0);
    buf_init(out, 0);
    kazakh(buf_view(&in), &all);
    first = sign_first_part(buf_view(&all));
    rest = str_of(first.p + first.n, (size_t)(all.p + all.n - first.p) - first.n);
    algorithm = str_of(rest.p, 2 + (size_t)(unsigned char)rest.p[1]);
    assert_true(gost_hash(trust, bits == 512, first, hash));
    assert_int_equal(file_write_atomic(at_path("hash"), str_of((char *)hash, (size_t)bits / 8), 0600, NULL), 0);
    snprintf(text, sizeof text, "openssl pkeyutl -engine gost -sign -inkey gost/root-%d.key -in hash -out hash.sig 2>/dev/null", bits);
    run(text);
    load("hash.sig", &sig);
    assert_int_equal(sig.n, bits / 4);
    turn(sig.p, sig.n);
    buf_str(&parts, first);
    buf_str(&parts, algorithm);
    buf_byte(&parts, 0x03);
    if (sig.n + 1 > 127)
        buf_byte(&parts, (char)0x81);
    buf_byte(&parts, (char)(sig.n + 1));
    buf_byte(&parts, 0);
    buf_str(&parts, buf_view(&sig));
    put_element(out, V_ASN1_SEQUENCE, true, buf_view(&parts));
}

/* kazakh_letter - the engine's signature under Kazakh identifiers, with the signer's certificate. */
static void kazakh_letter(const char *name, struct str person, bool reversed, struct buf *out)
{
    AUTO_BUF struct buf in;
    AUTO_BUF struct buf all;
    const unsigned char *p, *q = (const unsigned char *)person.p;
    unsigned char *der = NULL;
    CMS_ContentInfo *cms;
    X509 *cert = d2i_X509(NULL, &q, (long)person.n);
    ASN1_OCTET_STRING *sig;
    int n;

    load(name, &in);
    buf_init(&all, 0);
    buf_init(out, 0);
    kazakh(buf_view(&in), &all);
    p = (const unsigned char *)all.p;
    cms = d2i_CMS_ContentInfo(NULL, &p, (long)all.n);
    assert_non_null(cms);
    assert_int_equal(CMS_add1_cert(cms, cert), 1);
    sig = CMS_SignerInfo_get0_signature(sk_CMS_SignerInfo_value(CMS_get0_SignerInfos(cms), 0));
    if (reversed)
        turn((char *)sig->data, (size_t)sig->length);
    n = i2d_CMS_ContentInfo(cms, &der);
    buf_put(out, der, (size_t)n);
    OPENSSL_free(der);
    CMS_ContentInfo_free(cms);
    X509_free(cert);
}

/* What the Kazakh cases of one length of keys share. */
struct gost {
    int                bits;
    struct buf         letter, person;
    struct sign_trust *t, *bare;   /* with a list of what was revoked, and without */
};

/* gost_file - a signed one of testdata as the file of a trust folder. */
static void gost_file(const struct gost *g, const char *what, const char *to, const char *also)
{
    AUTO_BUF struct buf b;
    char name[64];

    snprintf(name, sizeof name, "gost/%s-%d.der", what, g->bits);
    kazakh_signed(name, g->bits, &b);
    assert_int_equal(file_write_atomic(at_path(to), buf_view(&b), 0600, NULL), 0);
    if (also)
        assert_int_equal(file_write_atomic(at_path(also), buf_view(&b), 0600, NULL), 0);
}

/* gost_letter - the letter as signed; plain: without signed attributes; fits: in the Kazakh order of bytes. */
static void gost_letter(const struct gost *g, bool plain, bool fits, struct buf *cms)
{
    char name[64];

    snprintf(name, sizeof name, "gost/%s-%d.p7s", plain ? "plain" : "letter", g->bits);
    kazakh_letter(name, buf_view(&g->person), fits, cms);
}

static void gost_is_judged(const struct gost *g, bool plain)
{
    struct str letter = buf_view(&g->letter);
    struct sign_trust blind = *g->t;
    AUTO_BUF struct buf cms;
    AUTO_BUF struct buf wrong;
    struct sign_result r;
    char name[64];

    gost_letter(g, plain, true, &cms);
    if (getenv("SAQSHY_SEED")) /* a seed for fuzz/sign_cms.c, by hand */
        assert_int_equal(file_write_atomic(getenv("SAQSHY_SEED"), buf_view(&cms), 0644, NULL), 0);
    r = judge(g->t, letter, buf_view(&cms), when);
    if (r.reason != SIGN_OK)
        fail_msg("%s of %d bits: %s", plain ? "plain" : "letter", g->bits, sign_reason_name(r.reason));
    snprintf(name, sizeof name, "GOST 34.10-2015 %d", g->bits);
    assert_string_equal(r.signers[0].algorithm, name);
    assert_string_equal(r.signers[0].iin, "901231400123");
    assert_int_equal(judge(g->t, STR("another letter"), buf_view(&cms), when).verdict, SIGN_INVALID);
    assert_int_equal(judge(g->bare, letter, buf_view(&cms), when).reason, SIGN_NO_REVOCATION_DATA);
    assert_int_equal(judge(trust, letter, buf_view(&cms), when).reason, SIGN_UNKNOWN_ISSUER);
    assert_int_equal(judge(g->t, letter, buf_view(&cms), when + 800 * NS_PER_DAY).reason, SIGN_CERTIFICATE_EXPIRED);
    /* Without the provider nobody can say. */
    blind.streebog[0] = blind.streebog[1] = NULL;
    assert_int_equal(judge(&blind, letter, buf_view(&cms), when).reason, SIGN_ENGINE_ABSENT);
    /* The Russian byte order under Kazakh identifiers does not fit. */
    gost_letter(g, plain, false, &wrong);
    assert_int_equal(judge(g->t, letter, buf_view(&wrong), when).reason, SIGN_SIGNATURE_BROKEN);
}

static void gost_of(int bits)
{
    struct gost g = { .bits = bits };
    AUTO_BUF struct buf cms;
    char name[64];
    ptrdiff_t at;

    load("letter.txt", &g.letter);
    run("rm -rf kz kz-bare && mkdir kz kz-bare");
    gost_file(&g, "root", "kz/root.cer", "kz-bare/root.cer");
    gost_file(&g, "list", "kz/list.crl", NULL);
    snprintf(name, sizeof name, "gost/person-%d.der", bits);
    kazakh_signed(name, bits, &g.person);
    assert_int_equal(sign_trust_load(at_path("kz"), &g.t, NULL), 0);
    assert_int_equal(sign_trust_load(at_path("kz-bare"), &g.bare, NULL), 0);
    assert_int_equal(sign_trust_anchors(g.t), 1);
    gost_is_judged(&g, false);
    gost_is_judged(&g, true);
    /* A certificate with one bit turned: its own signature no longer fits. */
    at = str_find(buf_view(&g.person), STR("IIN9012"));
    assert_true(at > 0);
    g.person.p[at + 3] = '8';
    gost_letter(&g, false, true, &cms);
    assert_int_equal(judge(g.t, buf_view(&g.letter), buf_view(&cms), when).reason, SIGN_CHAIN_BROKEN);
    sign_trust_free(&g.t);
    sign_trust_free(&g.bare);
    buf_free(&g.letter);
    buf_free(&g.person);
}

static void test_kazakh_gost_512(void **state)
{
    (void)state;
    if (!have_gost) {
        print_message("skipped: libengine-gost-openssl is not installed\n");
        skip();
    }
    gost_of(512);
}

static void test_kazakh_gost_256(void **state)
{
    (void)state;
    if (!have_gost) {
        print_message("skipped: libengine-gost-openssl is not installed\n");
        skip();
    }
    gost_of(256);
}

static int make(void **state)
{
    char command[512];
    struct sign_result r;
    AUTO_BUF struct buf letter;
    AUTO_BUF struct buf cms;
    int rc;

    (void)state;
    buf_init(&letter, 0);
    buf_init(&cms, 0);
    if (!mkdtemp(folder))
        return -1;
    snprintf(command, sizeof command, "sh %s/src/sign/testing_keys.sh %s", getenv("SAQSHY_SOURCE") ? getenv("SAQSHY_SOURCE") : ".", folder);
    rc = WEXITSTATUS(system(command));
    if (rc != 0 && rc != 3)
        return -1;
    if (sign_trust_load(at_path("trust"), &trust, NULL) < 0 || sign_trust_load(NULL, &nobody, NULL) < 0)
        return -1;
    have_gost = rc == 0 && sign_trust_gost(trust);
    load("letter.txt", &letter);
    load("letter.p7s", &cms);
    if (sign_verify(nobody, buf_view(&letter), buf_view(&cms), 0, &r, NULL) < 0)
        return -1;
    when = r.signers[0].not_before + NS_PER_DAY;
    return 0;
}

static int clean(void **state)
{
    char command[512];

    (void)state;
    sign_trust_free(&trust);
    sign_trust_free(&nobody);
    snprintf(command, sizeof command, "rm -r %s", folder);
    return system(command);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_verdicts), cmocka_unit_test(test_who_signed), cmocka_unit_test(test_moments_and_lists),
        cmocka_unit_test(test_the_folder_is_read_again_when_it_changes), cmocka_unit_test(test_base64_and_damage), cmocka_unit_test(test_reasons_have_names),
        cmocka_unit_test(test_kazakh_gost_512),   cmocka_unit_test(test_kazakh_gost_256),
    };

    return cmocka_run_group_tests(tests, make, clean);
}
