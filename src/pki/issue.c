/* issue.c - keys and certificates: the authority's own, a server's, an agent's. */
#include "pki/internal.h"
#include "base/file.h"

#include <arpa/inet.h>
#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <sys/stat.h>

#define SERIAL_BITS 120

static const struct {
    long        days;
    const char *constraints, *usage, *extended;
} kinds[] = {
    [KIND_CA]     = { PKI_CA_DAYS, "critical,CA:TRUE,pathlen:0", "critical,keyCertSign,cRLSign", NULL },
    [KIND_SERVER] = { PKI_SERVER_DAYS, "critical,CA:FALSE", "critical,digitalSignature", "serverAuth" },
    [KIND_AGENT]  = { PKI_AGENT_DAYS, "critical,CA:FALSE", "critical,digitalSignature", "clientAuth" },
    [KIND_NODE]   = { PKI_NODE_DAYS, "critical,CA:FALSE", "critical,digitalSignature", "serverAuth,clientAuth" },
};

int pki_err(struct err *e, const char *what)
{
    char text[256] = "unknown reason";
    unsigned long code = ERR_peek_last_error();

    if (code)
        ERR_error_string_n(code, text, sizeof text);
    ERR_clear_error();
    return err_set(e, -EIO, "%s: %s", what, text);
}

bool pki_name_valid(struct str name)
{
    if (name.n == 0 || name.n > PKI_NAME_MAX || name.p[0] == '.' || name.p[0] == '-')
        return false;
    for (size_t i = 0; i < name.n; i++) {
        char c = name.p[i];

        if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' || c == '_' ||
              c == '-'))
            return false;
    }
    return true;
}

static int extend(X509 *cert, X509 *issuer, int nid, const char *value, struct err *e)
{
    X509V3_CTX ctx;
    X509_EXTENSION *ext;
    int ok;

    X509V3_set_ctx_nodb(&ctx);
    X509V3_set_ctx(&ctx, issuer, cert, NULL, NULL, 0);
    ext = X509V3_EXT_conf_nid(NULL, &ctx, nid, value);
    if (!ext)
        return pki_err(e, "could not make a certificate extension");
    ok = X509_add_ext(cert, ext, -1);
    X509_EXTENSION_free(ext);
    return ok ? 0 : pki_err(e, "could not add a certificate extension");
}

static int put_serial(X509 *cert, struct err *e)
{
    BIGNUM *n = BN_new();
    bool ok = n && BN_rand(n, SERIAL_BITS, BN_RAND_TOP_ONE, BN_RAND_BOTTOM_ANY) &&
              BN_to_ASN1_INTEGER(n, X509_get_serialNumber(cert));

    BN_free(n);
    return ok ? 0 : pki_err(e, "could not draw a serial number");
}

/* cert_make - a certificate of key for name, signed by issuer (NULL: by itself). sans may be NULL. */
int cert_make(enum kind kind, EVP_PKEY *key, const char *name, const char *sans, X509 *issuer, EVP_PKEY *issuer_key,
                     X509 **out, struct err *e)
{
    AUTO_CERT X509 *cert = X509_new();
    X509_NAME *subject = cert ? X509_get_subject_name(cert) : NULL;
    X509 *by = issuer ? issuer : cert;
    time_t now = (time_t)(clock_now() / NS_PER_SECOND);
    int rc;

    if (!cert || !X509_set_version(cert, X509_VERSION_3) || !X509_set_pubkey(cert, key) ||
        !X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_UTF8, (const unsigned char *)name, -1, -1, 0) ||
        !X509_set_issuer_name(cert, X509_get_subject_name(by)) ||
        /* An hour back: the clocks of a centre and its hosts differ a little. */
        !X509_gmtime_adj(X509_getm_notBefore(cert), -3600) ||
        !X509_time_adj_ex(X509_getm_notAfter(cert), (int)kinds[kind].days, 0, &now))
        return pki_err(e, "could not make a certificate");
    if ((rc = put_serial(cert, e)) < 0 ||
        (rc = extend(cert, by, NID_basic_constraints, kinds[kind].constraints, e)) < 0 ||
        (rc = extend(cert, by, NID_key_usage, kinds[kind].usage, e)) < 0 ||
        (rc = extend(cert, by, NID_subject_key_identifier, "hash", e)) < 0 ||
        (rc = issuer ? extend(cert, by, NID_authority_key_identifier, "keyid:always", e) : 0) < 0 ||
        (rc = kinds[kind].extended ? extend(cert, by, NID_ext_key_usage, kinds[kind].extended, e) : 0) < 0 ||
        (rc = sans ? extend(cert, by, NID_subject_alt_name, sans, e) : 0) < 0)
        return rc;
    if (!X509_sign(cert, issuer_key ? issuer_key : key, EVP_sha256()))
        return pki_err(e, "could not sign a certificate");
    *out = cert;
    cert = NULL;
    return 0;
}

static int write_bio(const char *path, BIO *bio, unsigned mode, struct err *e)
{
    char *p = NULL;
    long n = BIO_get_mem_data(bio, &p);

    return file_write_atomic(path, str_of(p, n > 0 ? (size_t)n : 0), mode, e);
}

/* pair_write - the key first: a certificate never stands without its key. chain may be NULL. */
int pair_write(const char *folder, const char *stem, EVP_PKEY *key, X509 *cert, X509 *chain, struct err *e)
{
    AUTO_BIO BIO *k = BIO_new(BIO_s_mem());
    AUTO_BIO BIO *c = BIO_new(BIO_s_mem());
    char path[PKI_PATH_MAX];
    int rc;

    if (!k || !c || !PEM_write_bio_PrivateKey(k, key, NULL, NULL, 0, NULL, NULL) || !PEM_write_bio_X509(c, cert) ||
        (chain && !PEM_write_bio_X509(c, chain)))
        return pki_err(e, "could not write PEM");
    snprintf(path, sizeof path, "%s/%s.key", folder, stem);
    rc = write_bio(path, k, 0600, e);
    if (rc < 0)
        return rc;
    snprintf(path, sizeof path, "%s/%s.pem", folder, stem);
    return write_bio(path, c, 0644, e);
}

int cert_read(const char *path, X509 **out, struct err *e)
{
    AUTO_BIO BIO *b = BIO_new_file(path, "r");

    if (!b) {
        ERR_clear_error();
        return err_set(e, -ENOENT, "could not open certificate \"%s\"", path);
    }
    *out = PEM_read_bio_X509(b, NULL, NULL, NULL);
    if (*out)
        return 0;
    ERR_clear_error();
    return err_set(e, -EBADMSG, "\"%s\" is not a certificate in PEM", path);
}

int key_read(const char *path, EVP_PKEY **out, struct err *e)
{
    AUTO_BIO BIO *b = BIO_new_file(path, "r");

    *out = b ? PEM_read_bio_PrivateKey(b, NULL, NULL, NULL) : NULL;
    return *out ? 0 : pki_err(e, "could not read a key");
}

int ca_read(const char *folder, X509 **cert, EVP_PKEY **key, struct err *e)
{
    char path[PKI_PATH_MAX];
    int rc;

    snprintf(path, sizeof path, "%s/ca.pem", folder);
    rc = cert_read(path, cert, e);
    if (rc < 0)
        return rc;
    snprintf(path, sizeof path, "%s/ca.key", folder);
    AUTO_BIO BIO *b = BIO_new_file(path, "r");
    *key = b ? PEM_read_bio_PrivateKey(b, NULL, NULL, NULL) : NULL;
    return *key ? 0 : pki_err(e, "could not read the authority's key");
}

int pki_ca_make(const char *folder, const char *title, struct err *e)
{
    AUTO_KEY EVP_PKEY *key = NULL;
    AUTO_CERT X509 *cert = NULL;
    char path[PKI_PATH_MAX];
    int rc;

    snprintf(path, sizeof path, "%s/ca.pem", folder);
    if (file_exists(path))
        return 1;
    rc = file_mkdirs(folder, 0700, e);
    if (rc < 0)
        return rc;
    key = EVP_EC_gen("P-256");
    if (!key)
        return pki_err(e, "could not make a key");
    rc = cert_make(KIND_CA, key, title, NULL, NULL, NULL, &cert, e);
    return rc < 0 ? rc : pair_write(folder, "ca", key, cert, NULL, e);
}

static int issue(const char *folder, enum kind kind, const char *name, const char *sans, const char *stem, struct err *e)
{
    AUTO_KEY EVP_PKEY *ca_key = NULL;
    AUTO_KEY EVP_PKEY *key = NULL;
    AUTO_CERT X509 *ca = NULL;
    AUTO_CERT X509 *cert = NULL;
    int rc = ca_read(folder, &ca, &ca_key, e);

    if (rc < 0)
        return rc;
    key = EVP_EC_gen("P-256");
    if (!key)
        return pki_err(e, "could not make a key");
    rc = cert_make(kind, key, name, sans, ca, ca_key, &cert, e);
    if (rc == 0)
        rc = issued_note(folder, kind, name, cert, e);
    return rc < 0 ? rc : pair_write(folder, stem, key, cert, NULL, e);
}

int pki_server_renew(const char *folder, const char *old, struct err *e)
{
    AUTO_CERT X509 *cert = NULL;
    char name[64][256], path[PKI_PATH_MAX];
    AUTO_BUF struct buf sans = { 0 };
    int rc = cert_read(old, &cert, e), count = 0;
    GENERAL_NAMES *names = rc == 0 ? X509_get_ext_d2i(cert, NID_subject_alt_name, NULL, NULL) : NULL;

    buf_init(&sans, 64 * KIB);
    for (int i = 0; i < (names ? sk_GENERAL_NAME_num(names) : 0) && count < PKI_SANS_MAX; i++) {
        const GENERAL_NAME *g = sk_GENERAL_NAME_value(names, i);
        const ASN1_STRING *s = g->type == GEN_DNS ? g->d.dNSName : g->type == GEN_IPADD ? g->d.iPAddress : NULL;
        int n = s ? ASN1_STRING_length(s) : 0;

        if (g->type == GEN_DNS)
            snprintf(name[count], sizeof name[0], "%.*s", n, (const char *)ASN1_STRING_get0_data(s));
        else if (!s || !inet_ntop(n == 4 ? AF_INET : AF_INET6, ASN1_STRING_get0_data(s), name[count], sizeof name[0]) || (n != 4 && n != 16))
            continue;
        buf_printf(&sans, "%s%s:%s", count ? "," : "", g->type == GEN_DNS ? "DNS" : "IP", name[count]);
        count++;
    }
    GENERAL_NAMES_free(names);
    if (rc < 0)
        return rc;
    buf_byte(&sans, 0);
    if (count == 0 || buf_failed(&sans))
        return err_set(e, -EBADMSG, "\"%s\" has no names to renew", old);
    snprintf(path, sizeof path, "%.4000s/server", folder);
    rc = file_mkdirs(path, 0750, e);
    name[0][PKI_NAME_MAX] = 0;
    return rc < 0 ? rc : issue(folder, KIND_SERVER, name[0], sans.p, "server/server", e);
}

/* host_valid - a DNS name or an address: nothing that OpenSSL's extension syntax could read as more than one name. */
static bool host_valid(const char *name, bool *ip)
{
    unsigned char place[16];
    size_t n = strlen(name);

    *ip = inet_pton(AF_INET, name, place) == 1 || inet_pton(AF_INET6, name, place) == 1;
    if (*ip)
        return true;
    if (n == 0 || n > 253)
        return false;
    return strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_*") == n;
}

int pki_server_make(const char *folder, const char *const *names, size_t count, struct err *e)
{
    AUTO_BUF struct buf sans = { 0 };
    char cn[PKI_NAME_MAX + 1];

    buf_init(&sans, 64 * KIB);
    if (count == 0 || count > PKI_SANS_MAX)
        return err_set(e, -EINVAL, "a server certificate needs 1 to %d names", PKI_SANS_MAX);
    for (size_t i = 0; i < count; i++) {
        bool ip;

        if (!host_valid(names[i], &ip))
            return err_set(e, -EINVAL, "\"%s\" is neither a host name nor an address", names[i]);
        buf_printf(&sans, "%s%s:%s", i ? "," : "", ip ? "IP" : "DNS", names[i]);
    }
    buf_byte(&sans, 0);
    if (buf_failed(&sans))
        return err_set(e, -ENOMEM, "no memory for the names of a certificate");
    snprintf(cn, sizeof cn, "%.*s", PKI_NAME_MAX, names[0]);
    return issue(folder, KIND_SERVER, cn, sans.p, "server", e);
}

int pki_agent_make(const char *folder, struct str id, struct err *e)
{
    char name[PKI_NAME_MAX + 1], stem[PKI_NAME_MAX + 16], sub[PKI_PATH_MAX];
    int rc;

    if (!pki_name_valid(id))
        return err_set(e, -EINVAL, "\"%.*s\" cannot name an agent: letters, digits, '.', '_' and '-', at most %d",
                       STR_ARG(id), PKI_NAME_MAX);
    snprintf(name, sizeof name, "%.*s", STR_ARG(id));
    snprintf(stem, sizeof stem, "agents/%s", name);
    snprintf(sub, sizeof sub, "%s/agents", folder);
    rc = file_mkdirs(sub, 0700, e);
    return rc < 0 ? rc : issue(folder, KIND_AGENT, name, NULL, stem, e);
}

int pki_node_make(const char *folder, struct str id, struct err *e)
{
    AUTO_KEY EVP_PKEY *key = NULL;
    AUTO_CERT X509 *cert = NULL;
    char name[PKI_NAME_MAX + 1], path[PKI_PATH_MAX];
    int rc;

    if (!pki_name_valid(id))
        return err_set(e, -EINVAL, "\"%.*s\" cannot name a node: letters, digits, '.', '_' and '-', at most %d", STR_ARG(id), PKI_NAME_MAX);
    snprintf(path, sizeof path, "%s/node.pem", folder);
    if (file_exists(path))
        return err_set(e, -EEXIST, "\"%s\" is there already: other nodes know this one by it", path);
    snprintf(name, sizeof name, "%.*s", STR_ARG(id));
    rc = file_mkdirs(folder, 0750, e);
    if (rc < 0)
        return rc;
    key = EVP_EC_gen("P-256");
    if (!key)
        return pki_err(e, "could not make a key");
    rc = cert_make(KIND_NODE, key, name, NULL, NULL, NULL, &cert, e);
    return rc < 0 ? rc : pair_write(folder, "node", key, cert, NULL, e);
}

int pki_days_left(const char *pem, int *days, struct err *e)
{
    AUTO_CERT X509 *cert = NULL;
    int seconds, rc = cert_read(pem, &cert, e);

    if (rc < 0)
        return rc;
    if (!ASN1_TIME_diff(days, &seconds, NULL, X509_get0_notAfter(cert)))
        return pki_err(e, "could not read the end of a certificate");
    if (*days == 0 && seconds < 0)
        *days = -1;
    return 0;
}
