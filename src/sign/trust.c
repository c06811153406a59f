/* trust.c - the folder of anchors: authorities' certificates and their revocation lists, PEM or DER. */
#include "sign/internal.h"
#include "base/file.h"

#include <dirent.h>
#include <openssl/pem.h>
#include <sys/stat.h>

static bool named(const char *name, const char *tail)
{
    return str_ends(str_c(name), str_c(tail));
}

/* add_certificate - takes cert. Only an authority can be an anchor: a person's certificate here would vouch for itself. */
static bool add_certificate(struct sign_trust *t, X509 *cert)
{
    if (cert && sk_X509_num(t->anchors) < SIGN_TRUST_FILES_MAX && X509_check_ca(cert) > 0 && sk_X509_push(t->anchors, cert) > 0)
        return true;
    X509_free(cert);
    return false;
}

static bool add_list(struct sign_trust *t, X509_CRL *crl)
{
    if (crl && sk_X509_CRL_num(t->crls) < SIGN_TRUST_FILES_MAX && sk_X509_CRL_push(t->crls, crl) > 0)
        return true;
    X509_CRL_free(crl);
    return false;
}

/* add_pem - every certificate and list of a PEM file; false if there is none or one is not taken. */
static bool add_pem(struct sign_trust *t, struct str file)
{
    BIO *in = BIO_new_mem_buf(file.p, (int)file.n);
    STACK_OF(X509_INFO) *all = in ? PEM_X509_INFO_read_bio_ex(in, NULL, NULL, NULL, t->lib, NULL) : NULL;
    bool ok = sk_X509_INFO_num(all) > 0;

    for (int i = 0; i < sk_X509_INFO_num(all); i++) {
        X509_INFO *one = sk_X509_INFO_value(all, i);

        if (one->x509) {
            ok = add_certificate(t, one->x509) && ok;
            one->x509 = NULL;
        }
        if (one->crl) {
            ok = add_list(t, one->crl) && ok;
            one->crl = NULL;
        }
    }
    sk_X509_INFO_pop_free(all, X509_INFO_free);
    BIO_free(in);
    return ok;
}

static bool add_file(struct sign_trust *t, const char *name, struct str file)
{
    const unsigned char *p = (const unsigned char *)file.p;
    bool ok;

    if (file.n == 0 || file.n > INT32_MAX)
        return false;
    if (str_find(str_of(file.p, min_size(file.n, 4096)), STR("-----BEGIN ")) >= 0)
        ok = add_pem(t, file);
    else if (named(name, ".crl"))
        ok = add_list(t, d2i_X509_CRL(NULL, &p, (long)file.n));
    else
        ok = add_certificate(t, d2i_X509(NULL, &p, (long)file.n));
    ERR_clear_error();
    return ok;
}

/* Debian's GOST provider loses some kilobytes each time it is loaded: once for each struct sign_trust, and the leak checker of a test
 * build must not count them against us. */
#ifdef __SANITIZE_ADDRESS__
void __lsan_disable(void);
void __lsan_enable(void);
#else
static void __lsan_disable(void) {}
static void __lsan_enable(void) {}
#endif

static void load_gost(struct sign_trust *t)
{
    __lsan_disable();
    t->gost = OSSL_PROVIDER_load(t->lib, "gostprov");
    if (t->gost) {
        t->streebog[0] = EVP_MD_fetch(t->lib, "md_gost12_256", NULL);
        t->streebog[1] = EVP_MD_fetch(t->lib, "md_gost12_512", NULL);
    }
    __lsan_enable();
}

static bool wanted(const char *name)
{
    return name[0] != '.' && (named(name, ".pem") || named(name, ".crt") || named(name, ".cer") || named(name, ".crl"));
}

/* look - how the folder looks now: the sum over its files of a hash of name, inode, size and time, for readdir has no order. */
static void look(const char *folder, unsigned char out[32])
{
    DIR *dir = folder && *folder ? opendir(folder) : NULL;
    char line[400];
    struct stat st;

    memset(out, 0, 32);
    for (struct dirent *f; dir && (f = readdir(dir)) != NULL;) {
        unsigned char one[32] = { 0 };

        if (!wanted(f->d_name) || fstatat(dirfd(dir), f->d_name, &st, 0) < 0)
            continue;
        int n = snprintf(line, sizeof line, "%.255s|%llu|%lld|%lld.%09ld", f->d_name, (unsigned long long)st.st_ino, (long long)st.st_size,
                         (long long)st.st_mtim.tv_sec, st.st_mtim.tv_nsec);
        EVP_Digest(line, (size_t)n, one, NULL, EVP_sha256(), NULL);
        for (unsigned i = 0, carry = 0; i < sizeof one; i++) {
            carry += (unsigned)out[i] + one[i];
            out[i] = (unsigned char)carry;
            carry >>= 8;
        }
    }
    if (dir)
        closedir(dir);
}

static void read_folder(struct sign_trust *t, const char *folder)
{
    DIR *dir = folder && *folder ? opendir(folder) : NULL;
    char path[4096];
    AUTO_BUF struct buf b;
    int files = 0;

    buf_init(&b, SIGN_TRUST_FILE_MAX + KIB);
    while (sk_X509_num(t->anchors) > 0)
        X509_free(sk_X509_pop(t->anchors));
    while (sk_X509_CRL_num(t->crls) > 0)
        X509_CRL_free(sk_X509_CRL_pop(t->crls));
    t->skipped = 0;
    for (struct dirent *f; dir && (f = readdir(dir)) != NULL;) {
        if (!wanted(f->d_name))
            continue;
        if (++files > SIGN_TRUST_FILES_MAX || (size_t)snprintf(path, sizeof path, "%s/%s", folder, f->d_name) >= sizeof path ||
            file_read(path, SIGN_TRUST_FILE_MAX, &b, NULL) < 0 || !add_file(t, f->d_name, buf_view(&b)))
            t->skipped++;
    }
    if (dir)
        closedir(dir);
}

bool sign_trust_refresh(struct sign_trust *t, const char *folder)
{
    unsigned char now[32];

    /* Looked at before it is read: what changes meanwhile looks different the next time. */
    look(folder, now);
    if (memcmp(now, t->seen, sizeof now) == 0)
        return false;
    memcpy(t->seen, now, sizeof now);
    read_folder(t, folder);
    return true;
}

int sign_trust_load(const char *folder, struct sign_trust **out, struct err *e)
{
    struct sign_trust *t = calloc(1, sizeof *t);

    *out = NULL;
    if (!t || !(t->lib = OSSL_LIB_CTX_new()) || !(t->anchors = sk_X509_new_null()) || !(t->crls = sk_X509_CRL_new_null())) {
        sign_trust_free(&t);
        return err_set(e, -ENOMEM, "no memory for the trust anchors");
    }
    t->standard = OSSL_PROVIDER_load(t->lib, "default");
    load_gost(t);
    ERR_clear_error();
    look(folder, t->seen);
    read_folder(t, folder);
    *out = t;
    return 0;
}

void sign_trust_free(struct sign_trust **trust)
{
    struct sign_trust *t = *trust;

    if (!t)
        return;
    EVP_MD_free(t->streebog[0]);
    EVP_MD_free(t->streebog[1]);
    sk_X509_pop_free(t->anchors, X509_free);
    sk_X509_CRL_pop_free(t->crls, X509_CRL_free);
    if (t->gost)
        OSSL_PROVIDER_unload(t->gost);
    if (t->standard)
        OSSL_PROVIDER_unload(t->standard);
    OSSL_LIB_CTX_free(t->lib);
    free(t);
    *trust = NULL;
}

size_t sign_trust_anchors(const struct sign_trust *t) { return (size_t)sk_X509_num(t->anchors); }
size_t sign_trust_skipped(const struct sign_trust *t) { return t->skipped; }
bool sign_trust_gost(const struct sign_trust *t) { return t->streebog[0] && t->streebog[1]; }
