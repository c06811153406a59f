/* renew.c - a new certificate for whoever still has one that holds.
 *
 * A request is three texts in base64 with dots between: the PKCS#10 request of the new key, the certificate of now, and a signature of the request by the
 * key of that certificate (over RENEW_MARK and the request's DER). The authority believes nothing else: who carried it here does not matter. */
#include "pki/internal.h"
#include "base/file.h"

#include <openssl/err.h>
#include <openssl/pem.h>

#define RENEW_MARK  "saqshy-renew-1\n"
#define PART_MAX    4096u

static void free_req(X509_REQ **r) { X509_REQ_free(*r); }
#define AUTO_REQ __attribute__((cleanup(free_req)))

int pki_life(const char *pem, time_ns *from, time_ns *to, struct err *e)
{
    AUTO_CERT X509 *cert = NULL;
    struct tm a = { 0 }, b = { 0 };
    int rc = cert_read(pem, &cert, e);

    if (rc < 0)
        return rc;
    if (!ASN1_TIME_to_tm(X509_get0_notBefore(cert), &a) || !ASN1_TIME_to_tm(X509_get0_notAfter(cert), &b))
        return pki_err(e, "could not read the life of a certificate");
    *from = timegm(&a) * NS_PER_SECOND;
    *to = timegm(&b) * NS_PER_SECOND;
    return 0;
}

bool pki_due(time_ns from, time_ns to, time_ns now) { return now - from >= (to - from) / 3 * 2; }

/* --- base64 --- */

static int put_part(struct buf *out, const unsigned char *bytes, size_t n, struct err *e)
{
    char text[PART_MAX * 4 / 3 + 8];

    if (n > PART_MAX)
        return err_set(e, -E2BIG, "a part of a request for renewal is longer than %u bytes", PART_MAX);
    EVP_EncodeBlock((unsigned char *)text, bytes, (int)n);
    if (out->n)
        buf_byte(out, '.');
    buf_str(out, str_c(text));
    return buf_failed(out) ? err_set(e, -ENOMEM, "no memory for a request") : 0;
}

/* take_part - one text as bytes. Base64 of OpenSSL fills up to threes: the '=' are taken off again. */
static int take_part(struct str *rest, unsigned char out[PART_MAX + 4], size_t *n, struct err *e)
{
    struct str part;
    int got;

    if (!str_split(rest, '.', &part) || part.n < 4 || part.n % 4 || part.n > PART_MAX / 3 * 4)
        return err_set(e, -EBADMSG, "the request is not three texts in base64");
    got = EVP_DecodeBlock(out, (const unsigned char *)part.p, (int)part.n);
    if (got < 0) {
        ERR_clear_error();
        return err_set(e, -EBADMSG, "the request is not in base64");
    }
    *n = (size_t)got - (part.p[part.n - 1] == '=') - (part.p[part.n - 2] == '=');
    return 0;
}

/* --- asking --- */

/* fresh_key - the one in the file; or a new one, which is in the file then. */
static int fresh_key(const char *file, EVP_PKEY **out, struct err *e)
{
    AUTO_BIO BIO *b = NULL;
    char *p = NULL;
    long n;

    if (file_exists(file) && key_read(file, out, NULL) == 0)
        return 0;
    *out = EVP_EC_gen("P-256");
    b = BIO_new(BIO_s_mem());
    if (!*out || !b || !PEM_write_bio_PrivateKey(b, *out, NULL, NULL, 0, NULL, NULL))
        return pki_err(e, "could not make a key");
    n = BIO_get_mem_data(b, &p);
    return file_write_atomic(file, str_of(p, n > 0 ? (size_t)n : 0), 0600, e);
}

static int sign(EVP_PKEY *key, const unsigned char *der, size_t n, unsigned char *out, size_t *out_n, struct err *e)
{
    EVP_MD_CTX *c = EVP_MD_CTX_new();
    bool ok = c && EVP_DigestSignInit(c, NULL, EVP_sha256(), NULL, key) == 1 && EVP_DigestSignUpdate(c, RENEW_MARK, sizeof RENEW_MARK - 1) == 1 &&
              EVP_DigestSignUpdate(c, der, n) == 1 && EVP_DigestSignFinal(c, out, out_n) == 1;

    EVP_MD_CTX_free(c);
    return ok ? 0 : pki_err(e, "could not sign a request");
}

static int put_request(EVP_PKEY *old_key, X509 *cert, EVP_PKEY *key, struct buf *ask, struct err *e)
{
    AUTO_REQ X509_REQ *req = X509_REQ_new();
    unsigned char der[PART_MAX], signature[512], *at = der;
    size_t n = sizeof signature;
    int length, rc;

    if (!req || !X509_REQ_set_version(req, 0) || !X509_REQ_set_subject_name(req, X509_get_subject_name(cert)) || !X509_REQ_set_pubkey(req, key) ||
        !X509_REQ_sign(req, key, EVP_sha256()) || (length = i2d_X509_REQ(req, NULL)) <= 0 || (size_t)length > sizeof der || i2d_X509_REQ(req, &at) != length)
        return pki_err(e, "could not make a request");
    rc = sign(old_key, der, (size_t)length, signature, &n, e);
    if (rc == 0)
        rc = put_part(ask, der, (size_t)length, e);
    at = der;
    length = i2d_X509(cert, NULL);
    if (rc == 0 && (length <= 0 || (size_t)length > sizeof der || i2d_X509(cert, &at) != length))
        rc = pki_err(e, "could not write a certificate");
    if (rc == 0)
        rc = put_part(ask, der, (size_t)length, e);
    return rc < 0 ? rc : put_part(ask, signature, n, e);
}

int pki_renew_ask(const char *cert, const char *key, const char *fresh, struct buf *ask, struct err *e)
{
    AUTO_CERT X509 *now = NULL;
    AUTO_KEY EVP_PKEY *old_key = NULL;
    AUTO_KEY EVP_PKEY *new_key = NULL;
    int rc = cert_read(cert, &now, e);

    buf_reset(ask);
    if (rc == 0)
        rc = key_read(key, &old_key, e);
    if (rc == 0)
        rc = fresh_key(fresh, &new_key, e);
    return rc < 0 ? rc : put_request(old_key, now, new_key, ask, e);
}

/* --- granting --- */

static int refused(struct err *e, const char *why)
{
    ERR_clear_error();
    return err_set(e, -EACCES, "%s", why);
}

static bool signed_by(X509 *cert, const unsigned char *der, size_t n, const unsigned char *signature, size_t signature_n)
{
    EVP_PKEY *key = X509_get0_pubkey(cert);
    EVP_MD_CTX *c = EVP_MD_CTX_new();
    bool ok = key && c && EVP_DigestVerifyInit(c, NULL, EVP_sha256(), NULL, key) == 1 && EVP_DigestVerifyUpdate(c, RENEW_MARK, sizeof RENEW_MARK - 1) == 1 &&
              EVP_DigestVerifyUpdate(c, der, n) == 1 && EVP_DigestVerifyFinal(c, signature, signature_n) == 1;

    EVP_MD_CTX_free(c);
    return ok;
}

/* holds - of our authority, made for clients, and not over. */
static bool holds(X509 *ca, X509 *cert, time_ns now)
{
    X509_STORE *store = X509_STORE_new();
    X509_STORE_CTX *c = X509_STORE_CTX_new();
    bool ok = store && c && X509_STORE_add_cert(store, ca) == 1 && X509_STORE_CTX_init(c, store, cert, NULL) == 1;

    if (ok) {
        X509_STORE_CTX_set_time(c, 0, (time_t)(now / NS_PER_SECOND));
        ok = X509_STORE_CTX_set_purpose(c, X509_PURPOSE_SSL_CLIENT) == 1 && X509_verify_cert(c) == 1;
    }
    X509_STORE_CTX_free(c);
    X509_STORE_free(store);
    return ok;
}

static bool is_named(X509 *cert, struct str name)
{
    char cn[PKI_NAME_MAX + 2];
    int n = X509_NAME_get_text_by_NID(X509_get_subject_name(cert), NID_commonName, cn, sizeof cn);

    return n > 0 && str_eq(name, str_of(cn, (size_t)n));
}

/* usable - a key of the kind that we make ourselves. */
static bool usable(EVP_PKEY *key)
{
    char group[64] = "";
    size_t n = 0;

    return key && EVP_PKEY_get_base_id(key) == EVP_PKEY_EC && EVP_PKEY_get_group_name(key, group, sizeof group, &n) == 1 && strcmp(group, "prime256v1") == 0;
}

/* judge - the parts of a request against each other; the new key is borrowed from req. */
static int judge(const char *folder, struct str name, X509 *ca, X509 *cert, X509_REQ *req, struct err *e)
{
    char path[PKI_PATH_MAX];
    X509_CRL *crl = NULL;
    EVP_PKEY *key = X509_REQ_get0_pubkey(req);
    int rc;

    if (!is_named(cert, name))
        return refused(e, "the certificate is not of who asks");
    if (!holds(ca, cert, clock_now()))
        return refused(e, "the certificate does not hold, or is not of this authority");
    crl_file(folder, path);
    rc = crl_read(path, ca, &crl, e);
    if (rc < 0)
        return rc;
    bool gone = crl_has(crl, cert);
    X509_CRL_free(crl);
    if (gone)
        return refused(e, "the certificate is revoked");
    if (!usable(key) || X509_REQ_verify(req, key) != 1)
        return refused(e, "the request is not signed by its own key, or that is none of EC P-256");
    return 0;
}

static int to_pem(X509 *cert, struct buf *pem, struct err *e)
{
    AUTO_BIO BIO *b = BIO_new(BIO_s_mem());
    char *p = NULL;
    long n;

    if (!b || !PEM_write_bio_X509(b, cert))
        return pki_err(e, "could not write PEM");
    n = BIO_get_mem_data(b, &p);
    buf_put(pem, p, n > 0 ? (size_t)n : 0);
    return buf_failed(pem) ? err_set(e, -ENOMEM, "no memory for a certificate") : 0;
}

int pki_renew_grant(const char *folder, struct str name, struct str ask, struct buf *pem, struct err *e)
{
    unsigned char der[PART_MAX + 4], now[PART_MAX + 4], signature[PART_MAX + 4];
    const unsigned char *d = der, *c = now;
    AUTO_CERT X509 *ca = NULL;
    AUTO_CERT X509 *cert = NULL;
    AUTO_CERT X509 *made = NULL;
    AUTO_KEY EVP_PKEY *ca_key = NULL;
    AUTO_REQ X509_REQ *req = NULL;
    AUTO_CLOSE int lock = -1;
    struct str rest = ask;
    char text[PKI_NAME_MAX + 1];
    size_t n, now_n, signature_n;
    int rc = pki_name_valid(name) && ask.n <= PKI_ASK_MAX ? 0 : refused(e, "no name, or a request that is too long");

    buf_reset(pem);
    if (rc == 0)
        rc = take_part(&rest, der, &n, e);
    if (rc == 0)
        rc = take_part(&rest, now, &now_n, e);
    if (rc == 0)
        rc = take_part(&rest, signature, &signature_n, e);
    if (rc < 0)
        return rc;
    req = d2i_X509_REQ(NULL, &d, (long)n);
    cert = d2i_X509(NULL, &c, (long)now_n);
    if (rest.n || !req || !cert || d != der + n || c != now + now_n)
        return refused(e, "the request is not of the form that agents write");
    rc = ca_read(folder, &ca, &ca_key, e);
    if (rc == 0)
        rc = (lock = folder_lock(folder, e)) < 0 ? lock : 0;
    if (rc == 0)
        rc = judge(folder, name, ca, cert, req, e);
    if (rc == 0 && !signed_by(cert, der, n, signature, signature_n))
        rc = refused(e, "the request is not signed with the key of the certificate");
    snprintf(text, sizeof text, "%.*s", STR_ARG(name));
    if (rc == 0)
        rc = cert_make(KIND_AGENT, X509_REQ_get0_pubkey(req), text, NULL, ca, ca_key, &made, e);
    if (rc == 0)
        rc = issued_note(folder, KIND_AGENT, text, made, e);
    return rc < 0 ? rc : to_pem(made, pem, e);
}

/* --- taking --- */

int pki_renew_take(struct str pem, const char *fresh, const char *ca, const char *identity, struct err *e)
{
    AUTO_BIO BIO *b = pem.n && pem.n < 64 * KIB ? BIO_new_mem_buf(pem.p, (int)pem.n) : NULL;
    AUTO_CERT X509 *cert = b ? PEM_read_bio_X509(b, NULL, NULL, NULL) : NULL;
    AUTO_CERT X509 *issuer = NULL;
    AUTO_KEY EVP_PKEY *key = NULL;
    AUTO_BIO BIO *out = BIO_new(BIO_s_mem());
    char *p = NULL;
    long n;
    int rc = cert ? cert_read(ca, &issuer, e) : err_set(e, -EBADMSG, "what came is not a certificate");

    ERR_clear_error();
    if (rc == 0)
        rc = key_read(fresh, &key, e);
    if (rc < 0)
        return rc;
    if (X509_check_private_key(cert, key) != 1 || !holds(issuer, cert, clock_now())) {
        ERR_clear_error();
        return err_set(e, -EBADMSG, "the certificate that came is not of the key that was asked for, or does not hold");
    }
    if (!out || !PEM_write_bio_PrivateKey(out, key, NULL, NULL, 0, NULL, NULL) || !PEM_write_bio_X509(out, cert))
        return pki_err(e, "could not write PEM");
    n = BIO_get_mem_data(out, &p);
    rc = file_write_atomic(identity, str_of(p, n > 0 ? (size_t)n : 0), 0600, e);
    if (rc == 0)
        unlink(fresh);
    return rc;
}
