/* chain.c - from the signer's certificate to an anchor of the folder, and whether anything on the way is revoked.
 *
 * OpenSSL builds and judges chains whose keys it can read. A chain with Kazakh GOST keys it cannot read at all, so walk() does
 * that part: names and key identifiers, signature, dates, authority, path length, nothing critical left unread. Revocation is ours in
 * both cases, so that "no list" and "an old list" are told apart. */
#include "sign/internal.h"

enum { LEAF_FLAGS_UNREAD = EXFLAG_CRITICAL | EXFLAG_INVALID };

struct chain {
    X509  *certs[SIGN_DEPTH_MAX + 1]; /* borrowed; the last is the anchor */
    size_t count;
};

/* signed_by - do the bytes of der (certificate or list) carry this issuer's signature? */
static enum sign_reason signed_by(const struct sign_trust *t, X509 *issuer, struct str der, const ASN1_BIT_STRING *sig)
{
    struct gost_key key;

    if (!gost_key_read(issuer, &key))
        return SIGN_UNKNOWN_ALGORITHM;
    return gost_check(t, &key, sign_first_part(der), str_of((const char *)sig->data, (size_t)sig->length));
}

static enum sign_reason cert_signed_by(const struct sign_trust *t, X509 *cert, X509 *issuer)
{
    const ASN1_BIT_STRING *sig = NULL;
    EVP_PKEY *key = X509_get0_pubkey(issuer);
    unsigned char *der = NULL;
    enum sign_reason why;
    int n;

    if (key)
        return X509_verify(cert, key) == 1 ? SIGN_OK : SIGN_SIGNATURE_BROKEN;
    X509_get0_signature(&sig, NULL, cert);
    n = i2d_X509(cert, &der);
    why = n > 0 ? signed_by(t, issuer, str_of((char *)der, (size_t)n), sig) : SIGN_CHAIN_UNCLEAR;
    OPENSSL_free(der);
    return why;
}

static enum sign_reason list_signed_by(const struct sign_trust *t, X509_CRL *crl, X509 *issuer)
{
    const ASN1_BIT_STRING *sig = NULL;
    EVP_PKEY *key = X509_get0_pubkey(issuer);
    unsigned char *der = NULL;
    enum sign_reason why;
    int n;

    if (key)
        return X509_CRL_verify(crl, key) == 1 ? SIGN_OK : SIGN_SIGNATURE_BROKEN;
    X509_CRL_get0_signature(crl, &sig, NULL);
    n = i2d_X509_CRL(crl, &der);
    why = n > 0 ? signed_by(t, issuer, str_of((char *)der, (size_t)n), sig) : SIGN_CHAIN_UNCLEAR;
    OPENSSL_free(der);
    return why;
}

static enum sign_reason dates(const X509 *cert, time_ns at)
{
    time_ns from = signer_time(X509_get0_notBefore(cert)), until = signer_time(X509_get0_notAfter(cert));

    if (from == 0 || until == 0)
        return SIGN_CHAIN_UNCLEAR;
    return at < from ? SIGN_CERTIFICATE_NOT_YET_VALID : at > until ? SIGN_CERTIFICATE_EXPIRED : SIGN_OK;
}

/* may_be_issuer - by names and key identifiers, before anything costly. */
static bool may_be_issuer(const X509 *cert, X509 *issuer)
{
    const ASN1_OCTET_STRING *want = X509_get0_authority_key_id((X509 *)cert), *have = X509_get0_subject_key_id(issuer);

    if (X509_NAME_cmp(X509_get_issuer_name(cert), X509_get_subject_name(issuer)) != 0)
        return false;
    return !want || !have || ASN1_OCTET_STRING_cmp(want, have) == 0;
}

static X509 *issuer_among(const struct sign_trust *t, X509 *cert, STACK_OF(X509) *among, enum sign_reason *why)
{
    for (int i = 0; i < sk_X509_num(among); i++) {
        X509 *one = sk_X509_value(among, i);

        if (one == cert || !may_be_issuer(cert, one))
            continue;
        *why = cert_signed_by(t, cert, one);
        if (*why == SIGN_OK)
            return one;
    }
    return NULL;
}

static enum sign_reason authority(X509 *cert, size_t below)
{
    long most = X509_get_pathlen(cert);
    uint32_t usage = X509_get_key_usage(cert);

    if (X509_check_ca(cert) <= 0 || !(usage & KU_KEY_CERT_SIGN) || (most >= 0 && (size_t)most < below))
        return SIGN_ISSUER_NOT_AUTHORITY;
    return X509_get_ext_by_NID(cert, NID_name_constraints, -1) >= 0 ? SIGN_UNKNOWN_EXTENSION : SIGN_OK;
}

/* walk - the chain of keys that OpenSSL cannot read. */
static enum sign_reason walk(const struct sign_trust *t, X509 *cert, STACK_OF(X509) *inside, time_ns at, struct chain *out)
{
    enum sign_reason why;

    out->certs[0] = cert;
    for (out->count = 1; out->count <= SIGN_DEPTH_MAX; out->count++) {
        X509 *issuer;
        bool anchor;

        cert = out->certs[out->count - 1];
        if (X509_get_extension_flags(cert) & LEAF_FLAGS_UNREAD)
            return SIGN_UNKNOWN_EXTENSION;
        why = SIGN_UNKNOWN_ISSUER;
        issuer = issuer_among(t, cert, t->anchors, &why);
        anchor = issuer != NULL;
        if (!issuer)
            issuer = issuer_among(t, cert, inside, &why);
        if (!issuer)
            return why == SIGN_SIGNATURE_BROKEN ? SIGN_CHAIN_BROKEN : why;
        why = authority(issuer, out->count - 1);
        if (why == SIGN_OK)
            why = dates(cert, at);
        if (why == SIGN_OK && anchor)
            why = dates(issuer, at);
        if (why != SIGN_OK)
            return why;
        out->certs[out->count] = issuer;
        if (anchor) {
            out->count++;
            return SIGN_OK;
        }
    }
    return SIGN_CHAIN_UNCLEAR;
}

static enum sign_reason reason_of(int openssl)
{
    switch (openssl) {
    case X509_V_ERR_CERT_HAS_EXPIRED:
        return SIGN_CERTIFICATE_EXPIRED;
    case X509_V_ERR_CERT_NOT_YET_VALID:
        return SIGN_CERTIFICATE_NOT_YET_VALID;
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT:
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
    case X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE:
    case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT:
    case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN:
        return SIGN_UNKNOWN_ISSUER;
    case X509_V_ERR_CERT_SIGNATURE_FAILURE:
        return SIGN_CHAIN_BROKEN;
    case X509_V_ERR_INVALID_CA:
    case X509_V_ERR_PATH_LENGTH_EXCEEDED:
    case X509_V_ERR_KEYUSAGE_NO_CERTSIGN:
        return SIGN_ISSUER_NOT_AUTHORITY;
    case X509_V_ERR_UNHANDLED_CRITICAL_EXTENSION:
        return SIGN_UNKNOWN_EXTENSION;
    case X509_V_ERR_EE_KEY_TOO_SMALL:
    case X509_V_ERR_CA_KEY_TOO_SMALL:
    case X509_V_ERR_CA_MD_TOO_WEAK:
        return SIGN_WEAK_ALGORITHM;
    default:
        return SIGN_CHAIN_UNCLEAR;
    }
}

static enum sign_reason by_openssl(X509_STORE_CTX *ctx, time_ns at, struct chain *out)
{
    X509_VERIFY_PARAM *param = X509_STORE_CTX_get0_param(ctx);
    STACK_OF(X509) *built;

    X509_VERIFY_PARAM_set_time(param, (time_t)(at / NS_PER_SECOND));
    X509_VERIFY_PARAM_set_depth(param, SIGN_DEPTH_MAX - 2);
    X509_VERIFY_PARAM_set_auth_level(param, 2); /* 112 bits: RSA 2048, SHA-256 */
    /* Whatever the administrator laid into the folder is an end of the road, root or not. */
    X509_VERIFY_PARAM_set_flags(param, X509_V_FLAG_PARTIAL_CHAIN);
    if (X509_verify_cert(ctx) != 1)
        return reason_of(X509_STORE_CTX_get_error(ctx));
    built = X509_STORE_CTX_get0_chain(ctx);
    if (sk_X509_num(built) > SIGN_DEPTH_MAX)
        return SIGN_CHAIN_UNCLEAR;
    for (out->count = 0; out->count < (size_t)sk_X509_num(built); out->count++)
        out->certs[out->count] = sk_X509_value(built, (int)out->count);
    return SIGN_OK;
}

/* revoked_in - judge one list for one certificate; SIGN_NO_REVOCATION_DATA: it says nothing about it. */
static enum sign_reason revoked_in(const struct sign_trust *t, X509_CRL *crl, X509 *cert, X509 *issuer, time_ns at)
{
    X509_REVOKED *found = NULL;
    time_ns next = signer_time(X509_CRL_get0_nextUpdate(crl));
    /* A delta, or a list of some kinds of certificates or reasons only, can say that one is revoked and never that it is not. */
    bool partial = X509_CRL_get_ext_by_NID(crl, NID_delta_crl, -1) >= 0 || X509_CRL_get_ext_by_NID(crl, NID_issuing_distribution_point, -1) >= 0;

    if (X509_NAME_cmp(X509_CRL_get_issuer(crl), X509_get_subject_name(issuer)) != 0 || list_signed_by(t, crl, issuer) != SIGN_OK)
        return SIGN_NO_REVOCATION_DATA;
    /* 2: "removed from the list", of deltas. Revoked after the moment in question does not undo what was signed before. */
    if (X509_CRL_get0_by_cert(crl, &found, cert) == 1 && signer_time(X509_REVOKED_get0_revocationDate(found)) <= at)
        return SIGN_CERTIFICATE_REVOKED;
    if (partial)
        return SIGN_NO_REVOCATION_DATA;
    /* A list that names no next one never ages by itself: it is old from the start. */
    return !next || next < at ? SIGN_REVOCATION_DATA_OLD : SIGN_OK;
}

static enum sign_reason revoked(const struct sign_trust *t, STACK_OF(X509_CRL) *lists, X509 *cert, X509 *issuer, time_ns at)
{
    STACK_OF(X509_CRL) *const both[] = { t->crls, lists };
    enum sign_reason best = SIGN_NO_REVOCATION_DATA;

    for (size_t k = 0; k < COUNT(both); k++)
        for (int i = 0; i < sk_X509_CRL_num(both[k]); i++) {
            enum sign_reason one = revoked_in(t, sk_X509_CRL_value(both[k], i), cert, issuer, at);

            if (one == SIGN_CERTIFICATE_REVOKED)
                return one;
            if (one == SIGN_OK || (one == SIGN_REVOCATION_DATA_OLD && best == SIGN_NO_REVOCATION_DATA))
                best = one;
        }
    return best;
}

static enum sign_reason chain_revoked(const struct sign_trust *t, STACK_OF(X509_CRL) *lists, const struct chain *ch, time_ns at)
{
    enum sign_reason worst = SIGN_OK;

    for (size_t i = 0; i + 1 < ch->count; i++) {
        enum sign_reason one = revoked(t, lists, ch->certs[i], ch->certs[i + 1], at);

        if (one == SIGN_CERTIFICATE_REVOKED)
            return one;
        if (one != SIGN_OK && worst == SIGN_OK)
            worst = one;
    }
    return worst;
}

static enum sign_reason by_store(const struct sign_trust *t, X509 *cert, STACK_OF(X509) *inside, STACK_OF(X509_CRL) *lists, time_ns at)
{
    X509_STORE *store = X509_STORE_new();
    X509_STORE_CTX *ctx = X509_STORE_CTX_new_ex(t->lib, NULL);
    struct chain ch = { .count = 0 };
    enum sign_reason why = SIGN_CHAIN_UNCLEAR;

    for (int i = 0; store && i < sk_X509_num(t->anchors); i++)
        X509_STORE_add_cert(store, sk_X509_value(t->anchors, i));
    if (store && ctx && X509_STORE_CTX_init(ctx, store, cert, inside) == 1) {
        why = by_openssl(ctx, at, &ch);
        if (why == SIGN_OK)
            why = chain_revoked(t, lists, &ch, at);
    }
    X509_STORE_CTX_free(ctx);
    X509_STORE_free(store);
    return why;
}

enum sign_reason chain_judge(const struct sign_trust *t, X509 *cert, STACK_OF(X509) *inside, STACK_OF(X509_CRL) *lists, time_ns at)
{
    struct chain ch = { .count = 0 };
    enum sign_reason why;
    uint32_t usage = X509_get_key_usage(cert);

    if (!(usage & (KU_DIGITAL_SIGNATURE | KU_NON_REPUDIATION)))
        return SIGN_NOT_FOR_SIGNING;
    if (sk_X509_num(t->anchors) == 0)
        return SIGN_NO_TRUST_ANCHOR;
    if (X509_get0_pubkey(cert)) {
        why = by_store(t, cert, inside, lists, at);
    } else {
        why = walk(t, cert, inside, at, &ch);
        if (why == SIGN_OK)
            why = chain_revoked(t, lists, &ch, at);
    }
    ERR_clear_error();
    return why;
}
