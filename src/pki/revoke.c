/* revoke.c - which certificates were made, and which of them hold no longer. issued.tsv has a line for each: serial, kind, name, from, to. The list is a CRL of
 * RFC 5280, signed by the authority, so whoever reads it needs to trust nobody else; it names no next update, because it counts until there is another. */
#include "pki/internal.h"
#include "base/file.h"

#include <fcntl.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <sys/file.h>
#include <sys/stat.h>

struct pki_revoked {
    X509_CRL *crl;
};

void serial_hex(const ASN1_INTEGER *serial, char out[65])
{
    const unsigned char *p = ASN1_STRING_get0_data(serial);
    int n = ASN1_STRING_length(serial);

    out[0] = 0;
    for (int i = 0; i < n && i < 32; i++)
        snprintf(out + 2 * i, 3, "%02x", p[i]);
}

void crl_file(const char *folder, char out[PKI_PATH_MAX]) { snprintf(out, PKI_PATH_MAX, "%.4000s/server/revoked.crl", folder); }

int folder_lock(const char *folder, struct err *e)
{
    int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    if (fd < 0)
        return err_sys(e, "could not open folder \"%s\"", folder);
    while (flock(fd, LOCK_EX) < 0) {
        if (errno == EINTR)
            continue;
        int rc = err_sys(e, "could not lock folder \"%s\"", folder);
        close(fd);
        return rc;
    }
    return fd;
}

/* --- what was made --- */

/* torn - does the file end within a line? Then whoever wrote it crashed, or had no space: what follows must not become part of it. */
static bool torn(int fd)
{
    struct stat st;
    char last = 0;

    return fstat(fd, &st) == 0 && st.st_size > 0 && pread(fd, &last, 1, st.st_size - 1) == 1 && last != '\n';
}

int issued_note(const char *folder, enum kind kind, const char *name, X509 *cert, struct err *e)
{
    struct tm a = { 0 }, b = { 0 };
    char path[PKI_PATH_MAX], serial[65], line[256], from[TIME_TEXT_MAX], to[TIME_TEXT_MAX];
    AUTO_CLOSE int fd = -1;
    int n, rc;

    snprintf(path, sizeof path, "%.4000s/issued.tsv", folder);
    fd = open(path, O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    if (fd < 0)
        return err_sys(e, "could not open \"%s\"", path);
    if (!ASN1_TIME_to_tm(X509_get0_notBefore(cert), &a) || !ASN1_TIME_to_tm(X509_get0_notAfter(cert), &b))
        return pki_err(e, "could not read the life of a certificate");
    serial_hex(X509_get0_serialNumber(cert), serial);
    n = snprintf(line, sizeof line, "%s%s\t%s\t%.64s\t%s\t%s\n", torn(fd) ? "\n" : "", serial, kind == KIND_AGENT ? "agent" : "server", name,
                 time_format_utc(timegm(&a) * NS_PER_SECOND, from), time_format_utc(timegm(&b) * NS_PER_SECOND, to));
    rc = file_write_all(fd, str_of(line, (size_t)n), e);
    if (rc == 0 && fsync(fd) < 0)
        rc = err_sys(e, "could not sync \"%s\"", path);
    return rc;
}

static bool take_line(struct str line, struct pki_issued *out)
{
    struct str field[5];

    for (size_t i = 0; i < COUNT(field); i++)
        if (!str_split(&line, '\t', &field[i]))
            return false;
    *out = (struct pki_issued){ .serial = field[0], .kind = field[1], .name = field[2] };
    return time_parse_rfc3339(field[3], &out->from, NULL, NULL) == 0 && time_parse_rfc3339(field[4], &out->to, NULL, NULL) == 0;
}

static bool crl_has_serial(X509_CRL *crl, struct str hex)
{
    X509_REVOKED *found = NULL;
    ASN1_INTEGER *serial;
    BIGNUM *n = NULL;
    char text[65];
    int got;

    if (!crl || hex.n > 64)
        return false;
    snprintf(text, sizeof text, "%.*s", STR_ARG(hex));
    got = BN_hex2bn(&n, text);
    serial = got ? BN_to_ASN1_INTEGER(n, NULL) : NULL;
    BN_free(n);
    got = serial ? X509_CRL_get0_by_serial(crl, &found, serial) : 0;
    ASN1_INTEGER_free(serial);
    return got == 1;
}

bool crl_has(X509_CRL *crl, X509 *cert)
{
    char serial[65];

    serial_hex(X509_get0_serialNumber(cert), serial);
    return crl_has_serial(crl, str_c(serial));
}

/* absent - is there no such file? One that we may not see is there: whoever cannot read the list must not take it for empty. */
static bool absent(const char *path)
{
    struct stat st;

    return stat(path, &st) < 0 && errno == ENOENT;
}

int crl_read(const char *path, X509 *ca, X509_CRL **out, struct err *e)
{
    AUTO_BIO BIO *b = NULL;

    *out = NULL;
    if (absent(path))
        return 0;
    b = BIO_new_file(path, "r");
    *out = b ? PEM_read_bio_X509_CRL(b, NULL, NULL, NULL) : NULL;
    ERR_clear_error();
    if (*out && X509_CRL_verify(*out, X509_get0_pubkey(ca)) == 1)
        return 0;
    ERR_clear_error();
    X509_CRL_free(*out);
    *out = NULL;
    return err_set(e, -EBADMSG, "\"%s\" is no list of revoked certificates of this authority", path);
}

static int read_list(const char *folder, X509_CRL **crl, struct err *e)
{
    AUTO_CERT X509 *ca = NULL;
    char path[PKI_PATH_MAX];
    int rc;

    *crl = NULL;
    snprintf(path, sizeof path, "%.4000s/ca.pem", folder);
    rc = cert_read(path, &ca, e);
    crl_file(folder, path);
    return rc < 0 ? rc : crl_read(path, ca, crl, e);
}

/* note_older - certificates of the first releases, of which issued.tsv does not know: agents/NAME.pem. */
static int note_older(const char *folder, struct str name, struct err *e)
{
    AUTO_CERT X509 *cert = NULL;
    AUTO_BUF struct buf b;
    char path[PKI_PATH_MAX], serial[65], text[PKI_NAME_MAX + 1];

    buf_init(&b, PKI_ISSUED_MAX);
    snprintf(text, sizeof text, "%.*s", STR_ARG(name));
    snprintf(path, sizeof path, "%.3900s/agents/%s.pem", folder, text);
    if (!file_exists(path) || cert_read(path, &cert, e) < 0)
        return 0;
    serial_hex(X509_get0_serialNumber(cert), serial);
    snprintf(path, sizeof path, "%.4000s/issued.tsv", folder);
    if (file_read(path, PKI_ISSUED_MAX, &b, NULL) == 0 && str_find(buf_view(&b), str_c(serial)) >= 0)
        return 0;
    return issued_note(folder, KIND_AGENT, text, cert, e);
}

int pki_issued_each(const char *folder, pki_issued_fn *each, void *arg, struct err *e)
{
    AUTO_BUF struct buf b;
    char path[PKI_PATH_MAX];
    X509_CRL *crl = NULL;
    struct str rest, line;
    int rc = read_list(folder, &crl, e);

    buf_init(&b, PKI_ISSUED_MAX);
    snprintf(path, sizeof path, "%.4000s/issued.tsv", folder);
    if (rc == 0 && file_exists(path))
        rc = file_read(path, PKI_ISSUED_MAX, &b, e);
    rest = buf_view(&b);
    while (rc == 0 && str_split(&rest, '\n', &line)) {
        struct pki_issued one;

        if (!take_line(line, &one))
            continue;       /* torn by a crash: its certificate never went out */
        one.revoked = crl_has_serial(crl, one.serial);
        rc = each(arg, &one);
    }
    X509_CRL_free(crl);
    return rc;
}

/* --- revoking --- */

struct revoking {
    struct str name;
    X509_CRL  *crl;
    size_t     seen, added;
};

static bool add_serial(X509_CRL *crl, struct str hex, time_ns now)
{
    X509_REVOKED *r = X509_REVOKED_new();
    ASN1_TIME *at = ASN1_TIME_set(NULL, (time_t)(now / NS_PER_SECOND));
    ASN1_INTEGER *serial;
    BIGNUM *n = NULL;
    char text[65];
    bool ok;

    snprintf(text, sizeof text, "%.*s", STR_ARG(hex));
    serial = BN_hex2bn(&n, text) ? BN_to_ASN1_INTEGER(n, NULL) : NULL;
    ok = r && at && serial && X509_REVOKED_set_serialNumber(r, serial) && X509_REVOKED_set_revocationDate(r, at) && X509_CRL_add0_revoked(crl, r);
    if (!ok)
        X509_REVOKED_free(r);
    ASN1_TIME_free(at);
    ASN1_INTEGER_free(serial);
    BN_free(n);
    return ok;
}

static int revoke_one(void *arg, const struct pki_issued *one)
{
    struct revoking *v = arg;

    if (!str_eq(one->name, v->name) || !str_eq(one->kind, STR("agent")) || one->serial.n > 64)
        return 0;
    v->seen++;
    if (one->revoked)
        return 0;
    v->added++;
    return add_serial(v->crl, one->serial, clock_now()) ? 0 : -ENOMEM;
}

/* seal - the number one higher, the moment of now, signed. */
static bool seal(X509_CRL *crl, X509 *ca, EVP_PKEY *key)
{
    ASN1_INTEGER *number = X509_CRL_get_ext_d2i(crl, NID_crl_number, NULL, NULL);
    long n = number ? ASN1_INTEGER_get(number) : 0;
    ASN1_TIME *at = X509_gmtime_adj(NULL, 0);
    bool ok;

    if (!number)
        number = ASN1_INTEGER_new();
    ok = number && at && ASN1_INTEGER_set(number, n + 1) && X509_CRL_set_version(crl, 1) && X509_CRL_set_issuer_name(crl, X509_get_subject_name(ca)) &&
         X509_CRL_set1_lastUpdate(crl, at) && X509_CRL_add1_ext_i2d(crl, NID_crl_number, number, 0, X509V3_ADD_REPLACE) == 1 && X509_CRL_sort(crl) &&
         X509_CRL_sign(crl, key, EVP_sha256());
    ASN1_INTEGER_free(number);
    ASN1_TIME_free(at);
    return ok;
}

static int write_list(const char *folder, X509_CRL *crl, struct err *e)
{
    AUTO_BIO BIO *b = BIO_new(BIO_s_mem());
    char path[PKI_PATH_MAX], *p = NULL;
    long n;
    int rc;

    if (!b || !PEM_write_bio_X509_CRL(b, crl))
        return pki_err(e, "could not write PEM");
    n = BIO_get_mem_data(b, &p);
    snprintf(path, sizeof path, "%.4000s/server", folder);
    rc = file_mkdirs(path, 0750, e);
    crl_file(folder, path);
    return rc < 0 ? rc : file_write_atomic(path, str_of(p, n > 0 ? (size_t)n : 0), 0644, e);
}

int pki_revoke(const char *folder, struct str name, size_t *count, struct err *e)
{
    AUTO_CERT X509 *ca = NULL;
    AUTO_KEY EVP_PKEY *key = NULL;
    AUTO_CLOSE int lock = -1;
    struct revoking v = { .name = name };
    int rc = pki_name_valid(name) ? ca_read(folder, &ca, &key, e) : err_set(e, -EINVAL, "\"%.*s\" is no name of an agent", STR_ARG(name));

    *count = 0;
    if (rc == 0)
        rc = (lock = folder_lock(folder, e)) < 0 ? lock : 0;
    if (rc == 0)
        rc = note_older(folder, name, e);
    if (rc == 0)
        rc = read_list(folder, &v.crl, e);
    if (rc == 0 && !v.crl && !(v.crl = X509_CRL_new()))
        rc = err_set(e, -ENOMEM, "no memory for the list");
    if (rc == 0)
        rc = pki_issued_each(folder, revoke_one, &v, e);
    if (rc == 0 && v.seen == 0)
        rc = err_set(e, -ENOENT, "no certificate was made for an agent \"%.*s\"", STR_ARG(name));
    if (rc == 0 && v.added)
        rc = seal(v.crl, ca, key) ? write_list(folder, v.crl, e) : pki_err(e, "could not sign the list of revoked certificates");
    X509_CRL_free(v.crl);
    *count = rc == 0 ? v.added : 0;
    return rc;
}

/* --- the listener's side --- */

int pki_revoked_load(const char *file, const char *ca, struct pki_revoked **out, struct err *e)
{
    AUTO_CERT X509 *issuer = NULL;
    X509_CRL *crl = NULL;
    int rc;

    *out = NULL;
    if (absent(file))
        return 0;
    rc = cert_read(ca, &issuer, e);
    if (rc == 0)
        rc = crl_read(file, issuer, &crl, e);
    if (rc < 0)
        return rc;
    *out = calloc(1, sizeof **out);
    if (!*out) {
        X509_CRL_free(crl);
        return err_set(e, -ENOMEM, "no memory for the list of revoked certificates");
    }
    (*out)->crl = crl;
    return 0;
}

void pki_revoked_free(struct pki_revoked **r)
{
    if (!*r)
        return;
    X509_CRL_free((*r)->crl);
    free(*r);
    *r = NULL;
}

X509_CRL *revoked_crl(const struct pki_revoked *r) { return r ? r->crl : NULL; }

bool pki_revoked_peer(const struct pki_revoked *r, const SSL *ssl)
{
    X509 *cert = r && ssl ? SSL_get0_peer_certificate(ssl) : NULL;

    /* A listener may take certificates of several authorities: a number counts for the one that gave it. */
    return cert && X509_NAME_cmp(X509_get_issuer_name(cert), X509_CRL_get_issuer(r->crl)) == 0 && crl_has(r->crl, cert);
}

size_t pki_revoked_count(const struct pki_revoked *r)
{
    STACK_OF(X509_REVOKED) *list = r ? X509_CRL_get_REVOKED(r->crl) : NULL;
    int n = list ? sk_X509_REVOKED_num(list) : 0;

    return n > 0 ? (size_t)n : 0;
}
