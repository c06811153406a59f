/* context.c - TLS contexts for listeners and for agents. */
#include "pki/internal.h"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

static const unsigned char session_id[] = "saqshy";

static int context_new(const SSL_METHOD *method, SSL_CTX **out, struct err *e)
{
    SSL_CTX *ctx = SSL_CTX_new(method);

    if (!ctx)
        return pki_err(e, "could not make a TLS context");
    /* The peer's renegotiation is a free amplifier, and we never need it. */
    SSL_CTX_set_options(ctx, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION | SSL_OP_CIPHER_SERVER_PREFERENCE);
    SSL_CTX_set_mode(ctx, SSL_MODE_RELEASE_BUFFERS);
    if (!SSL_CTX_set_min_proto_version(ctx, TLS1_2_VERSION) ||
        !SSL_CTX_set_cipher_list(ctx, "ECDHE+AESGCM:ECDHE+CHACHA20")) {
        SSL_CTX_free(ctx);
        return pki_err(e, "could not limit a TLS context");
    }
    *out = ctx;
    return 0;
}

static int context_load(SSL_CTX *ctx, const char *ca, const char *cert, const char *key, struct err *e)
{
    if (ca && !SSL_CTX_load_verify_file(ctx, ca)) {
        ERR_clear_error();
        return err_set(e, -EINVAL, "could not load the authority \"%s\"", ca);
    }
    if (!cert)
        return 0;
    if (SSL_CTX_use_certificate_chain_file(ctx, cert) != 1) {
        ERR_clear_error();
        return err_set(e, -EINVAL, "could not load the certificate \"%s\"", cert);
    }
    if (SSL_CTX_use_PrivateKey_file(ctx, key, SSL_FILETYPE_PEM) != 1 || SSL_CTX_check_private_key(ctx) != 1) {
        ERR_clear_error();
        return err_set(e, -EINVAL, "could not load the key \"%s\", or it is not that of \"%s\"", key, cert);
    }
    return 0;
}

int pki_server_context(const char *folder, bool agents_only, SSL_CTX **out, struct err *e)
{
    char ca[PKI_PATH_MAX], cert[PKI_PATH_MAX], key[PKI_PATH_MAX];
    SSL_CTX *ctx;
    int rc = context_new(TLS_server_method(), &ctx, e);

    if (rc < 0)
        return rc;
    snprintf(ca, sizeof ca, "%s/ca.pem", folder);
    snprintf(cert, sizeof cert, "%s/server.pem", folder);
    snprintf(key, sizeof key, "%s/server.key", folder);
    rc = context_load(ctx, ca, cert, key, e);
    if (rc < 0) {
        SSL_CTX_free(ctx);
        return rc;
    }
    SSL_CTX_set_session_id_context(ctx, session_id, sizeof session_id - 1);
    if (agents_only) {
        STACK_OF(X509_NAME) *names = SSL_load_client_CA_file(ca);

        if (names)
            SSL_CTX_set_client_CA_list(ctx, names);
        SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, NULL);
        SSL_CTX_set_verify_depth(ctx, 1);
    }
    *out = ctx;
    return 0;
}

int pki_listener_context(const struct pki_files *f, int client, SSL_CTX **out, struct err *e)
{
    SSL_CTX *ctx;
    int rc = context_new(TLS_server_method(), &ctx, e);

    if (rc == 0)
        rc = context_load(ctx, client ? f->ca : NULL, f->cert, f->key, e);
    else
        return rc;
    if (rc < 0) {
        SSL_CTX_free(ctx);
        return rc;
    }
    if (client && revoked_crl(f->revoked) &&
        (!X509_STORE_add_crl(SSL_CTX_get_cert_store(ctx), revoked_crl(f->revoked)) || !X509_STORE_set_flags(SSL_CTX_get_cert_store(ctx), X509_V_FLAG_CRL_CHECK))) {
        SSL_CTX_free(ctx);
        return pki_err(e, "could not take the list of revoked certificates");
    }
    SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_OFF);
    SSL_CTX_set_options(ctx, SSL_OP_NO_TICKET);
    SSL_CTX_set_num_tickets(ctx, 0);
    if (client) {
        STACK_OF(X509_NAME) *names = SSL_load_client_CA_file(f->ca);

        if (names)
            SSL_CTX_set_client_CA_list(ctx, names);
        SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER | (client == 2 ? SSL_VERIFY_FAIL_IF_NO_PEER_CERT : 0), NULL);
        SSL_CTX_set_verify_depth(ctx, 5);
    }
    *out = ctx;
    return 0;
}

int pki_client_context(const char *ca, const char *cert, const char *key, SSL_CTX **out, struct err *e)
{
    SSL_CTX *ctx;
    int rc = context_new(TLS_client_method(), &ctx, e);

    if (rc < 0)
        return rc;
    rc = context_load(ctx, ca, cert, key, e);
    if (rc < 0) {
        SSL_CTX_free(ctx);
        return rc;
    }
    SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER, NULL);
    *out = ctx;
    return 0;
}

/* trust_each - every certificate of the text becomes one that is trusted by itself. */
static int trust_each(X509_STORE *store, struct str peers, struct err *e)
{
    BIO *b = BIO_new_mem_buf(peers.n ? peers.p : "", (int)peers.n);
    bool sound = b != NULL;
    X509 *cert;

    while (sound && (cert = PEM_read_bio_X509(b, NULL, NULL, NULL)) != NULL) {
        sound = X509_STORE_add_cert(store, cert) == 1;
        X509_free(cert);
    }
    BIO_free(b);
    ERR_clear_error(); /* the end of the text counts as an error */
    return sound ? 0 : err_set(e, -ENOMEM, "no memory for the certificates of other nodes");
}

int pki_node_server(const char *folder, struct str peers, SSL_CTX **out, struct err *e)
{
    char cert[PKI_PATH_MAX], key[PKI_PATH_MAX];
    SSL_CTX *ctx;
    int rc = context_new(TLS_server_method(), &ctx, e);

    if (rc < 0)
        return rc;
    snprintf(cert, sizeof cert, "%s/node.pem", folder);
    snprintf(key, sizeof key, "%s/node.key", folder);
    rc = peers.n > INT32_MAX ? err_set(e, -E2BIG, "too many certificates of other nodes") : context_load(ctx, NULL, cert, key, e);
    if (rc == 0)
        rc = trust_each(SSL_CTX_get_cert_store(ctx), peers, e);
    if (rc < 0) {
        SSL_CTX_free(ctx);
        return rc;
    }
    /* A node's certificate has no authority above it: it is trusted itself, with its dates and purposes checked. */
    X509_VERIFY_PARAM_set_flags(SSL_CTX_get0_param(ctx), X509_V_FLAG_PARTIAL_CHAIN);
    SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, NULL);
    SSL_CTX_set_verify_depth(ctx, 0);
    /* Each connection shows its certificate anew: one that was struck off the list opens nothing from then on. */
    SSL_CTX_set_options(ctx, SSL_OP_NO_TICKET);
    SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_OFF);
    *out = ctx;
    return 0;
}

int pki_peer_fingerprint(const SSL *ssl, char out[65], struct err *e)
{
    X509 *cert = SSL_get0_peer_certificate(ssl);
    unsigned char raw[EVP_MAX_MD_SIZE];
    unsigned n = 0;

    if (!cert || SSL_get_verify_result(ssl) != X509_V_OK)
        return err_set(e, -ENOENT, "the other side showed no certificate");
    if (!X509_digest(cert, EVP_sha256(), raw, &n) || n != 32)
        return pki_err(e, "could not hash a certificate");
    for (unsigned i = 0; i < n; i++)
        snprintf(out + 2 * i, 3, "%02x", raw[i]);
    return 0;
}

int pki_peer_issuer(const SSL *ssl, char out[41], struct err *e)
{
    const STACK_OF(X509) *chain = SSL_get0_verified_chain(ssl);
    unsigned char raw[EVP_MAX_MD_SIZE];
    unsigned n = 0;
    int count = chain ? sk_X509_num(chain) : 0;

    if (count == 0 || SSL_get_verify_result(ssl) != X509_V_OK)
        return err_set(e, -ENOENT, "the other side showed no certificate");
    if (!X509_digest(sk_X509_value(chain, count > 1 ? 1 : 0), EVP_sha1(), raw, &n) || n != 20)
        return pki_err(e, "could not hash a certificate");
    for (unsigned i = 0; i < n; i++)
        snprintf(out + 2 * i, 3, "%02x", raw[i]);
    return 0;
}

void pki_context_free(SSL_CTX **ctx)
{
    SSL_CTX_free(*ctx);
    *ctx = NULL;
}

int pki_peer_name(const SSL *ssl, char out[PKI_NAME_MAX + 1], struct err *e)
{
    X509 *cert = SSL_get0_peer_certificate(ssl);
    struct str name;
    int n;

    if (!cert || SSL_get_verify_result(ssl) != X509_V_OK)
        return err_set(e, -ENOENT, "the other side showed no certificate");
    n = X509_NAME_get_text_by_NID(X509_get_subject_name(cert), NID_commonName, out, PKI_NAME_MAX + 1);
    name = str_of(out, n > 0 ? (size_t)n : 0);
    if (strlen(out) != name.n || !pki_name_valid(name))
        return err_set(e, -EBADMSG, "the certificate's CN is not the name of an agent");
    return 0;
}

int pki_peer_host(const SSL *ssl, char out[PKI_NAME_MAX + 1], struct err *e)
{
    int rc = pki_peer_name(ssl, out, e), n = 0;
    GENERAL_NAMES *names;

    if (rc != -EBADMSG)
        return rc;
    names = X509_get_ext_d2i(SSL_get0_peer_certificate(ssl), NID_subject_alt_name, NULL, NULL);
    n = names ? sk_GENERAL_NAME_num(names) : 0;
    for (int i = 0; rc < 0 && i < n; i++) {
        const GENERAL_NAME *g = sk_GENERAL_NAME_value(names, i);
        struct str s;

        if (g->type != GEN_DNS)
            continue;
        s = str_of((const char *)ASN1_STRING_get0_data(g->d.dNSName), (size_t)ASN1_STRING_length(g->d.dNSName));
        if (!pki_name_valid(s))
            continue;
        snprintf(out, PKI_NAME_MAX + 1, "%.*s", STR_ARG(s));
        rc = 0;
    }
    GENERAL_NAMES_free(names);
    return rc;
}
