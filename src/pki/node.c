/* node.c - see node.h. ECDSA as bare bytes, not CMS: whoever judges has this very certificate, so a chain and signed attributes would be a parser more and
 * not a proof more. P-256 and not Ed25519, because the same certificate opens TLS connections, and proxies and inspectors that know no Ed25519 are still met;
 * no certificate that may vouch for others, because it would open the door for whomever it signs. */
#include "pki/node.h"
#include "base/file.h"

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

static_assert(NODE_SIGNATURE_MAX > (72 + 2) / 3 * 4, "base64 of the longest signature fits");

struct node_cert {
    X509     *x509;
    EVP_PKEY *key;
    char      name[PKI_NAME_MAX + 1], fingerprint[NODE_HASH_TEXT];
    time_ns   begins, ends;
    struct buf pem;
};

struct node_key {
    struct node_cert *cert;
    EVP_PKEY         *key;
};

static int bad(struct err *e, const char *why)
{
    ERR_clear_error();
    return err_set(e, -EBADMSG, "%s", why);
}

static bool hash_of(struct str bytes, char out[NODE_HASH_TEXT])
{
    unsigned char hash[32] = { 0 };
    unsigned n = sizeof hash;
    bool ok = EVP_Digest(bytes.n ? bytes.p : "", bytes.n, hash, &n, EVP_sha256(), NULL) == 1;

    if (!ok)
        memset(hash, 0, sizeof hash);    /* no hash of anything */
    for (size_t i = 0; i < sizeof hash; i++)
        snprintf(out + 2 * i, 3, "%02x", hash[i]);
    return ok;
}

void node_sha256(struct str bytes, char out[NODE_HASH_TEXT])
{
    (void)hash_of(bytes, out);
}

static bool take_time(const ASN1_TIME *from, time_ns *out)
{
    struct tm t;

    if (!ASN1_TIME_to_tm(from, &t))
        return false;
    struct civil civil = { t.tm_year + 1900, t.tm_mon + 1, t.tm_mday, t.tm_hour, t.tm_min, t.tm_sec };
    *out = civil_to_ns(&civil, 0);
    return true;
}

static int take_fingerprint(struct node_cert *c, struct err *e)
{
    unsigned char *der = NULL;
    int n = i2d_X509(c->x509, &der);
    bool ok = n > 0 && hash_of(str_of((char *)der, (size_t)n), c->fingerprint);

    OPENSSL_free(der);
    return ok ? 0 : bad(e, "the certificate has no fingerprint");
}

static int keep_pem(struct node_cert *c, struct err *e)
{
    BIO *b = BIO_new(BIO_s_mem());
    char *p = NULL;
    long n = b && PEM_write_bio_X509(b, c->x509) ? BIO_get_mem_data(b, &p) : 0;

    buf_init(&c->pem, NODE_PEM_MAX);
    if (n > 0)
        buf_put(&c->pem, p, (size_t)n);
    BIO_free(b);
    return n > 0 && !buf_failed(&c->pem) ? 0 : err_set(e, -E2BIG, "the certificate is longer than %u bytes", NODE_PEM_MAX);
}

static int take_cert(struct node_cert *c, struct err *e)
{
    int rc, n = X509_NAME_get_text_by_NID(X509_get_subject_name(c->x509), NID_commonName, c->name, sizeof c->name);
    char group[32] = "";

    if (n <= 0 || strlen(c->name) != (size_t)n || !pki_name_valid(str_c(c->name)))
        return bad(e, "the certificate's CN is not the name of a node");
    c->key = X509_get_pubkey(c->x509);
    if (!c->key || !EVP_PKEY_is_a(c->key, "EC") || !EVP_PKEY_get_group_name(c->key, group, sizeof group, NULL) || strcmp(group, "prime256v1") != 0)
        return bad(e, "the certificate's key is not EC P-256");
    if (X509_check_ca(c->x509) != 0)
        return bad(e, "the certificate may sign other certificates: a node's own certificate is expected");
    if (!take_time(X509_get0_notBefore(c->x509), &c->begins) || !take_time(X509_get0_notAfter(c->x509), &c->ends))
        return bad(e, "the certificate's validity cannot be read");
    rc = take_fingerprint(c, e);
    return rc < 0 ? rc : keep_pem(c, e);
}

int node_cert_read(struct str pem, struct node_cert **out, struct err *e)
{
    struct node_cert *c = calloc(1, sizeof *c);
    BIO *b = pem.n && pem.n <= NODE_PEM_MAX ? BIO_new_mem_buf(pem.p, (int)pem.n) : NULL;
    int rc;

    *out = NULL;
    if (!c) {
        BIO_free(b);
        return err_set(e, -ENOMEM, "no memory for a certificate");
    }
    c->x509 = b ? PEM_read_bio_X509(b, NULL, NULL, NULL) : NULL;
    BIO_free(b);
    rc = c->x509 ? take_cert(c, e) : bad(e, "this is not a certificate in PEM");
    ERR_clear_error();
    if (rc < 0) {
        node_cert_free(&c);
        return rc;
    }
    *out = c;
    return 0;
}

void node_cert_free(struct node_cert **c)
{
    if (!*c)
        return;
    EVP_PKEY_free((*c)->key);
    X509_free((*c)->x509);
    buf_free(&(*c)->pem);
    free(*c);
    *c = NULL;
}

const char *node_cert_name(const struct node_cert *c) { return c->name; }
const char *node_cert_fingerprint(const struct node_cert *c) { return c->fingerprint; }
struct str node_cert_pem(const struct node_cert *c) { return buf_view(&c->pem); }
time_ns node_cert_ends(const struct node_cert *c) { return c->ends; }
bool node_cert_holds(const struct node_cert *c, time_ns at) { return at >= c->begins && at <= c->ends; }

static int load_key(struct node_key *k, const char *path, struct err *e)
{
    AUTO_BUF struct buf b = { 0 };
    BIO *bio;
    int rc;

    buf_init(&b, NODE_PEM_MAX + 256 * KIB);
    rc = file_read(path, NODE_PEM_MAX, &b, e);
    bio = rc == 0 ? BIO_new_mem_buf(b.p, (int)b.n) : NULL;
    k->key = bio ? PEM_read_bio_PrivateKey(bio, NULL, NULL, NULL) : NULL;
    BIO_free(bio);
    if (b.p)
        OPENSSL_cleanse(b.p, b.cap);
    if (rc < 0)
        return rc;
    if (!k->key || EVP_PKEY_eq(k->key, k->cert->key) != 1)
        return bad(e, "node.key is not the key of node.pem");
    return 0;
}

int node_key_load(const char *folder, struct node_key **out, struct err *e)
{
    struct node_key *k = calloc(1, sizeof *k);
    AUTO_BUF struct buf pem = { 0 };
    char path[4096];
    int rc;

    buf_init(&pem, NODE_PEM_MAX + 256 * KIB);
    *out = NULL;
    if (!k)
        return err_set(e, -ENOMEM, "no memory for a node's key");
    snprintf(path, sizeof path, "%s/node.pem", folder);
    rc = file_read(path, NODE_PEM_MAX, &pem, e);
    if (rc == 0)
        rc = node_cert_read(buf_view(&pem), &k->cert, e);
    snprintf(path, sizeof path, "%s/node.key", folder);
    if (rc == 0)
        rc = load_key(k, path, e);
    if (rc < 0) {
        node_key_free(&k);
        return rc;
    }
    *out = k;
    return 0;
}

void node_key_free(struct node_key **k)
{
    if (!*k)
        return;
    node_cert_free(&(*k)->cert);
    EVP_PKEY_free((*k)->key);
    free(*k);
    *k = NULL;
}

const struct node_cert *node_key_cert(const struct node_key *k) { return k->cert; }

int node_sign(const struct node_key *k, const char *domain, struct str bytes, char out[NODE_SIGNATURE_MAX], struct err *e)
{
    unsigned char raw[80];
    size_t n = sizeof raw;
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    bool ok = ctx && EVP_DigestSignInit(ctx, NULL, EVP_sha256(), NULL, k->key) > 0 && EVP_DigestSignUpdate(ctx, domain, strlen(domain) + 1) > 0 &&
              EVP_DigestSignUpdate(ctx, bytes.p, bytes.n) > 0 && EVP_DigestSignFinal(ctx, raw, &n) > 0;

    EVP_MD_CTX_free(ctx);
    ERR_clear_error();
    if (!ok)
        return err_set(e, -EIO, "could not sign with the node's key");
    EVP_EncodeBlock((unsigned char *)out, raw, (int)n);
    return 0;
}

int node_verify(const struct node_cert *c, const char *domain, struct str bytes, struct str signature, struct err *e)
{
    unsigned char raw[NODE_SIGNATURE_MAX];
    char again[NODE_SIGNATURE_MAX + 4];
    EVP_MD_CTX *ctx;
    bool ok;
    int n;

    if (signature.n == 0 || signature.n >= NODE_SIGNATURE_MAX || signature.n % 4)
        return err_set(e, -EBADMSG, "the signature is not base64 of its length");
    n = EVP_DecodeBlock(raw, (const unsigned char *)signature.p, (int)signature.n);
    for (size_t pad = 0; n > 0 && pad < 2 && signature.p[signature.n - 1 - pad] == '='; pad++)
        n--;
    if (n <= 0 || EVP_EncodeBlock((unsigned char *)again, raw, n) != (int)signature.n || !str_eq(str_c(again), signature))
        return err_set(e, -EBADMSG, "the signature is not base64");
    ctx = EVP_MD_CTX_new();
    ok = ctx && EVP_DigestVerifyInit(ctx, NULL, EVP_sha256(), NULL, c->key) > 0 && EVP_DigestVerifyUpdate(ctx, domain, strlen(domain) + 1) > 0 &&
         EVP_DigestVerifyUpdate(ctx, bytes.p, bytes.n) > 0 && EVP_DigestVerifyFinal(ctx, raw, (size_t)n) == 1;
    EVP_MD_CTX_free(ctx);
    ERR_clear_error();
    return ok ? 0 : err_set(e, -EBADMSG, "the signature is not that of node \"%s\"", c->name);
}
