/* internal.h - what the files of sign share: the trust, the Kazakh keys, chains.
 *
 * Owns      see sign.h.
 * Threads   any. */
#ifndef SAQSHY_SIGN_INTERNAL_H
#define SAQSHY_SIGN_INTERNAL_H

#include "sign/sign.h"

#include <openssl/cms.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/provider.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#define SIGN_KEY_BYTES_MAX 64 /* one coordinate of the 512-bit curve */

struct sign_trust {
    OSSL_LIB_CTX *lib;               /* own: nothing of the process is changed by loading a provider */
    OSSL_PROVIDER *standard, *gost;  /* gost NULL: not installed */
    EVP_MD *streebog[2];             /* 256, 512; NULL without the provider */
    STACK_OF(X509) *anchors;
    STACK_OF(X509_CRL) *crls;
    size_t skipped;
    unsigned char seen[32];          /* SHA-256 of how the folder looked when it was read */
};

/* --- gost.c: GOST 34.10-2015 under Kazakh identifiers --- */
struct gost_key {
    int           which;             /* 0: 256 bits, 1: 512 bits */
    unsigned char x[SIGN_KEY_BYTES_MAX], y[SIGN_KEY_BYTES_MAX]; /* big-endian */
};
/* gost_key_read - the key of a certificate; false if it is of another kind. */
bool gost_key_read(const X509 *cert, struct gost_key *out);
bool gost_is_signature(const ASN1_OBJECT *o);  /* a Kazakh signature identifier, 256 or 512 */
bool gost_is_old(const ASN1_OBJECT *o);        /* 34.310-2004, which nobody here can check */
/* gost_hash - Streebog of bytes for a key; false without the provider. */
bool gost_hash(const struct sign_trust *t, int which, struct str bytes, unsigned char out[64]);
/* gost_verify - 1 the signature fits, 0 it does not, -ENOMEM. sig is as the Kazakh tools write it: all bytes reversed. */
int gost_verify(const struct gost_key *key, const unsigned char *hash, struct str sig);
/* gost_check - hash and verify. SIGN_OK, SIGN_SIGNATURE_BROKEN, SIGN_ENGINE_ABSENT, SIGN_UNKNOWN_ALGORITHM. */
enum sign_reason gost_check(const struct sign_trust *t, const struct gost_key *key, struct str bytes, struct str sig);

/* --- chain.c --- */
/* chain_judge - signer's certificate up to an anchor and revocation, as of at. inside: certificates of the signature, lists: its CRLs;
 * both may be NULL. */
enum sign_reason chain_judge(const struct sign_trust *t, X509 *cert, STACK_OF(X509) *inside, STACK_OF(X509_CRL) *lists, time_ns at);

/* --- signer.c --- */
void signer_of_certificate(X509 *cert, struct sign_signer *out);
time_ns signer_time(const ASN1_TIME *t);       /* 0 if unreadable */
/* sign_first_part - the bytes of the first element of a DER sequence, as they stand: what a certificate's or list's signature covers. */
struct str sign_first_part(struct str der);

#endif
