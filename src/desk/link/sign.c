/* sign.c - who a node is: one key, one certificate, and signatures with it.
 *
 * ECDSA over P-256 as bare bytes, not CMS: the other side has this very certificate from the pairing, so a chain, names of algorithms
 * and signed attributes would be a parser more and not a proof more. P-256 and not Ed25519, because the same certificate opens the
 * TLS connection, and proxies and inspectors that know no Ed25519 are still met. Before the bytes a word is signed that says what they
 * are; TLS signs nothing that begins so. */
#include "desk/link/wire.h"
#include "base/file.h"

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

static_assert(LINK_SIGNATURE_MAX > (72 + 2) / 3 * 4, "base64 of the longest signature fits");

struct link_cert {
    X509     *x509;
    EVP_PKEY *key;
    char      node[PKI_NAME_MAX + 1];
    char      fingerprint[LINK_HASH_TEXT];
    time_ns   ends;
    struct buf pem;
};

struct link_identity {
    struct link_cert *cert;
    EVP_PKEY         *key;
};

static int bad(struct err *e, const char *why)
{
    ERR_clear_error();
    return err_set(e, -EBADMSG, "%s", why);
}

static BIO *bio_of(struct str s)
{
    return s.n && s.n <= INT32_MAX ? BIO_new_mem_buf(s.p, (int)s.n) : NULL;
}

static int take_name(struct link_cert *c, struct err *e)
{
    X509_NAME *subject = X509_get_subject_name(c->x509);
    int n = X509_NAME_get_text_by_NID(subject, NID_commonName, c->node, sizeof c->node);

    if (n <= 0 || strlen(c->node) != (size_t)n || !pki_name_valid(str_c(c->node)))
        return bad(e, "the certificate's CN is not the name of a node");
    return 0;
}

static int take_end(struct link_cert *c, struct err *e)
{
    struct tm t;

    if (!ASN1_TIME_to_tm(X509_get0_notAfter(c->x509), &t))
        return bad(e, "the certificate's end cannot be read");
    struct civil civil = { t.tm_year + 1900, t.tm_mon + 1, t.tm_mday, t.tm_hour, t.tm_min, t.tm_sec };
    c->ends = civil_to_ns(&civil, 0);
    return 0;
}

static int take_fingerprint(struct link_cert *c, struct err *e)
{
    unsigned char *der = NULL;
    int n = i2d_X509(c->x509, &der);

    if (n <= 0)
        return bad(e, "the certificate cannot be encoded");
    link_sha256_hex(str_of((char *)der, (size_t)n), c->fingerprint);
    OPENSSL_free(der);
    return 0;
}

/* take_key - P-256 alone, and no certificate that may vouch for others: it would open the door for whomever it signs. */
static int take_key(struct link_cert *c, struct err *e)
{
    char group[32] = "";

    c->key = X509_get_pubkey(c->x509);
    if (!c->key || !EVP_PKEY_is_a(c->key, "EC") || !EVP_PKEY_get_group_name(c->key, group, sizeof group, NULL) ||
        strcmp(group, "prime256v1") != 0)
        return bad(e, "the certificate's key is not EC P-256");
    if (X509_check_ca(c->x509) != 0)
        return bad(e, "the certificate may sign other certificates: a node's own certificate is expected");
    return 0;
}

static int keep_pem(struct link_cert *c, struct err *e)
{
    BIO *b = BIO_new(BIO_s_mem());
    char *p = NULL;
    long n = b && PEM_write_bio_X509(b, c->x509) ? BIO_get_mem_data(b, &p) : 0;

    buf_init(&c->pem, LINK_CARD_MAX);
    if (n > 0)
        buf_put(&c->pem, p, (size_t)n);
    BIO_free(b);
    return n > 0 && !buf_failed(&c->pem) ? 0 : err_set(e, -E2BIG, "the certificate is longer than %u bytes", LINK_CARD_MAX);
}

int link_cert_read(struct str pem, struct link_cert **out, struct err *e)
{
    struct link_cert *c = calloc(1, sizeof *c);
    BIO *b;
    int rc;

    *out = NULL;
    if (!c)
        return err_set(e, -ENOMEM, "no memory for a certificate");
    b = bio_of(pem);
    c->x509 = b ? PEM_read_bio_X509(b, NULL, NULL, NULL) : NULL;
    BIO_free(b);
    rc = c->x509 ? take_name(c, e) : bad(e, "this is not a certificate in PEM");
    if (rc == 0)
        rc = take_key(c, e);
    if (rc == 0)
        rc = take_end(c, e);
    if (rc == 0)
        rc = take_fingerprint(c, e);
    if (rc == 0)
        rc = keep_pem(c, e);
    ERR_clear_error();
    if (rc < 0) {
        link_cert_free(&c);
        return rc;
    }
    *out = c;
    return 0;
}

void link_cert_free(struct link_cert **out)
{
    struct link_cert *c = *out;

    if (!c)
        return;
    EVP_PKEY_free(c->key);
    X509_free(c->x509);
    buf_free(&c->pem);
    free(c);
    *out = NULL;
}

const char *link_cert_node(const struct link_cert *c) { return c->node; }
const char *link_cert_fingerprint(const struct link_cert *c) { return c->fingerprint; }
struct str link_cert_pem(const struct link_cert *c) { return buf_view(&c->pem); }
time_ns link_cert_ends(const struct link_cert *c) { return c->ends; }

int link_identity_load(const char *folder, struct link_identity **out, struct err *e)
{
    struct link_identity *i = calloc(1, sizeof *i);
    AUTO_BUF struct buf pem, key;
    char path[4096];
    BIO *b;
    int rc;

    *out = NULL;
    buf_init(&pem, 0);
    buf_init(&key, 0);
    if (!i)
        return err_set(e, -ENOMEM, "no memory for the node's identity");
    snprintf(path, sizeof path, "%s/node.pem", folder);
    rc = file_read(path, LINK_CARD_MAX, &pem, e);
    if (rc == 0)
        rc = link_cert_read(buf_view(&pem), &i->cert, e);
    snprintf(path, sizeof path, "%s/node.key", folder);
    if (rc == 0)
        rc = file_read(path, LINK_CARD_MAX, &key, e);
    if (rc == 0) {
        b = bio_of(buf_view(&key));
        i->key = b ? PEM_read_bio_PrivateKey(b, NULL, NULL, NULL) : NULL;
        BIO_free(b);
        if (!i->key || EVP_PKEY_eq(i->key, i->cert->key) != 1)
            rc = bad(e, "node.key is not the key of node.pem");
    }
    if (key.p)
        OPENSSL_cleanse(key.p, key.cap);
    if (rc < 0) {
        link_identity_free(&i);
        return rc;
    }
    *out = i;
    return 0;
}

void link_identity_free(struct link_identity **i)
{
    if (!*i)
        return;
    link_cert_free(&(*i)->cert);
    EVP_PKEY_free((*i)->key);
    free(*i);
    *i = NULL;
}

const struct link_cert *link_identity_cert(const struct link_identity *i) { return i->cert; }

/* What a signature is of, with the NUL that ends it: no text is the beginning of another. */
static struct str domain(enum link_signed what)
{
    return what == LINK_SIGNED_ENVELOPE ? str_of("saqshy-link envelope 1", sizeof "saqshy-link envelope 1")
                                        : str_of("saqshy-link bundle 1", sizeof "saqshy-link bundle 1");
}

int link_sign(const struct link_identity *i, enum link_signed what, struct str bytes, char out[LINK_SIGNATURE_MAX], struct err *e)
{
    unsigned char raw[80];
    size_t n = sizeof raw;
    struct str d = domain(what);
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    bool ok = ctx && EVP_DigestSignInit(ctx, NULL, EVP_sha256(), NULL, i->key) > 0 && EVP_DigestSignUpdate(ctx, d.p, d.n) > 0 &&
              EVP_DigestSignUpdate(ctx, bytes.p, bytes.n) > 0 && EVP_DigestSignFinal(ctx, raw, &n) > 0;

    EVP_MD_CTX_free(ctx);
    ERR_clear_error();
    if (!ok)
        return err_set(e, -EIO, "could not sign with the node's key");
    EVP_EncodeBlock((unsigned char *)out, raw, (int)n);
    return 0;
}

int link_verify(const struct link_cert *c, enum link_signed what, struct str bytes, struct str signature, struct err *e)
{
    unsigned char raw[LINK_SIGNATURE_MAX];
    char again[LINK_SIGNATURE_MAX + 4];
    struct str d = domain(what);
    EVP_MD_CTX *ctx;
    bool ok;
    int n;

    if (signature.n == 0 || signature.n >= LINK_SIGNATURE_MAX || signature.n % 4)
        return err_set(e, -EBADMSG, "the signature is not base64 of its length");
    n = EVP_DecodeBlock(raw, (const unsigned char *)signature.p, (int)signature.n);
    for (size_t pad = 0; n > 0 && pad < 2 && signature.p[signature.n - 1 - pad] == '='; pad++)
        n--;
    /* One form of base64 too: no blanks, no spare bits. */
    if (n <= 0 || EVP_EncodeBlock((unsigned char *)again, raw, n) != (int)signature.n || !str_eq(str_c(again), signature))
        return err_set(e, -EBADMSG, "the signature is not base64");
    ctx = EVP_MD_CTX_new();
    ok = ctx && EVP_DigestVerifyInit(ctx, NULL, EVP_sha256(), NULL, c->key) > 0 && EVP_DigestVerifyUpdate(ctx, d.p, d.n) > 0 &&
         EVP_DigestVerifyUpdate(ctx, bytes.p, bytes.n) > 0 && EVP_DigestVerifyFinal(ctx, raw, (size_t)n) == 1;
    EVP_MD_CTX_free(ctx);
    ERR_clear_error();
    return ok ? 0 : err_set(e, -EBADMSG, "the signature is not that of node \"%s\"", c->node);
}
