/* internal.h - what the files of pki share. */
#ifndef SAQSHY_PKI_INTERNAL_H
#define SAQSHY_PKI_INTERNAL_H

#include "pki/pki.h"

#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/x509v3.h>

#define PKI_PATH_MAX 4096

/* pki_err - WHAT and OpenSSL's newest reason; empties its queue of errors. Returns -EIO. */
int pki_err(struct err *e, const char *what);

enum kind { KIND_CA, KIND_SERVER, KIND_AGENT, KIND_NODE };

static inline void free_key(EVP_PKEY **k) { EVP_PKEY_free(*k); }
static inline void free_cert(X509 **c) { X509_free(*c); }
static inline void free_bio(BIO **b) { BIO_free(*b); }
#define AUTO_KEY  __attribute__((cleanup(free_key)))
#define AUTO_CERT __attribute__((cleanup(free_cert)))
#define AUTO_BIO  __attribute__((cleanup(free_bio)))

/* issue.c, shared with renew.c and revoke.c */
MUST_USE int cert_read(const char *path, X509 **out, struct err *e);
MUST_USE int key_read(const char *path, EVP_PKEY **out, struct err *e);
MUST_USE int ca_read(const char *folder, X509 **cert, EVP_PKEY **key, struct err *e);
MUST_USE int cert_make(enum kind kind, EVP_PKEY *key, const char *name, const char *sans, X509 *issuer, EVP_PKEY *issuer_key, X509 **out, struct err *e);
/* pair_write - the key first. stem is below folder. */
MUST_USE int pair_write(const char *folder, const char *stem, EVP_PKEY *key, X509 *cert, X509 *chain, struct err *e);
/* folder_lock - one at a time renews or revokes: a certificate must not be granted for one that is being revoked, nor one list written over another. Returns a
 * descriptor; closing it lets others go on. */
MUST_USE int folder_lock(const char *folder, struct err *e);
/* issued_note - a line of issued.tsv, synced: before the certificate goes out. */
MUST_USE int issued_note(const char *folder, enum kind kind, const char *name, X509 *cert, struct err *e);
/* serial_hex - of a certificate; out has room for 64 letters. */
void serial_hex(const ASN1_INTEGER *serial, char out[65]);
/* crl_file - FOLDER/server/revoked.crl. */
void crl_file(const char *folder, char out[PKI_PATH_MAX]);
/* crl_has - NULL: no list. */
bool crl_has(X509_CRL *crl, X509 *cert);
MUST_USE int crl_read(const char *path, X509 *ca, X509_CRL **out, struct err *e);
X509_CRL *revoked_crl(const struct pki_revoked *r);

#endif
