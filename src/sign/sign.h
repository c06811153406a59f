/* sign.h - is this detached signature a signature of these bytes, and whose.
 *
 * Owns      a struct sign_trust owns its certificates, revocation lists and OpenSSL context; a result owns nothing.
 * Promises  1. Three verdicts: valid, invalid, not checked. The last two always carry a reason (a stable code); "valid" means that
 *              everything was checked: the bytes, the signature, the chain up to a certificate of the folder, revocation.
 *              What could not be checked is never valid.
 *           2. No network, no writing, no private key. What is trusted lies in one folder.
 *           3. Foreign bytes are bounded (SIGN_CMS_MAX, SIGN_SIGNERS_MAX, SIGN_CERTS_MAX, SIGN_DEPTH_MAX). What is no
 *              CMS at all is -EBADMSG, not a verdict.
 *           4. A signature of several signers is valid if all of them are; the worst one decides.
 *           5. The moment "at" is an argument: a signature is judged as of the moment when it is known to have existed.
 * Threads   a struct sign_trust is read only once loaded: any. No state of the process is touched (own OSSL_LIB_CTX).
 * Units     time_ns.
 * Source    RFC 5652 (CMS), RFC 5280 (chains, CRL), RFC 7091 and 7836 (GOST 34.10-2012, the same mathematics as the
 *           Kazakh 34.10-2015); README.md of this folder for the Kazakh identifiers and byte order. */
#ifndef SAQSHY_SIGN_SIGN_H
#define SAQSHY_SIGN_SIGN_H

#include "base/base.h"

#define SIGN_CMS_MAX        (1u * MIB)   /* a signature with its certificates, time stamps and CRLs */
#define SIGN_CONTENT_MAX    (64u * MIB)
#define SIGN_SIGNERS_MAX    8
#define SIGN_CERTS_MAX      64           /* certificates inside one signature */
#define SIGN_DEPTH_MAX      8            /* certificates from the signer's to the anchor */
#define SIGN_TRUST_FILES_MAX 256         /* files read from the folder of anchors */
#define SIGN_TRUST_FILE_MAX (48u * MIB)  /* the lists of a national authority are long */
#define SIGN_NAME_MAX       256

enum sign_verdict { SIGN_VALID, SIGN_NOT_CHECKED, SIGN_INVALID, SIGN_VERDICT_COUNT }; /* the greater is the worse */
const char *sign_verdict_name(enum sign_verdict v);   /* "valid", "not_checked", "invalid" */

enum sign_reason {
    SIGN_OK,
    /* not checked, because … */
    SIGN_NO_TRUST_ANCHOR, SIGN_UNKNOWN_ISSUER, SIGN_CERTIFICATE_EXPIRED, SIGN_CERTIFICATE_NOT_YET_VALID, SIGN_NO_REVOCATION_DATA,
    SIGN_REVOCATION_DATA_OLD, SIGN_ENGINE_ABSENT, SIGN_UNKNOWN_ALGORITHM, SIGN_WEAK_ALGORITHM, SIGN_NO_CERTIFICATE,
    SIGN_UNKNOWN_EXTENSION, SIGN_CHAIN_UNCLEAR, SIGN_NO_SIGNER,
    /* invalid */
    SIGN_CONTENT_DIFFERS, SIGN_SIGNATURE_BROKEN, SIGN_CHAIN_BROKEN, SIGN_CERTIFICATE_REVOKED, SIGN_NOT_FOR_SIGNING,
    SIGN_ISSUER_NOT_AUTHORITY,
    SIGN_REASON_COUNT
};
/* sign_reason_name - the stable code, "no_trust_anchor"; the catalogue has sign.reason.CODE. */
const char *sign_reason_name(enum sign_reason r);
enum sign_verdict sign_reason_verdict(enum sign_reason r);

/* What the national authority's certificates say of their holder (extended key usage, 1.2.398.3.3.4.1). */
enum sign_usage {
    SIGN_PERSON = 1,        /* .1 */
    SIGN_ORGANISATION = 2,  /* .2 */
    SIGN_FIRST_HEAD = 4,    /* .2.1 */
    SIGN_MAY_SIGN = 8,      /* .2.2 */
    SIGN_EMPLOYEE = 16      /* .2.5 */
};
/* sign_usage_name - "person", "organisation", "first_head", "may_sign", "employee" for the bits 0 to 4; else NULL. */
const char *sign_usage_name(int bit);

struct sign_signer {
    enum sign_reason reason;
    bool     intact;              /* the bytes and the signature fit each other, whatever the certificate is worth */
    char     name[SIGN_NAME_MAX]; /* CN; empty if there is no certificate */
    char     organisation[SIGN_NAME_MAX];
    char     issuer[SIGN_NAME_MAX];
    char     serial[68];          /* hexadecimal */
    char     iin[13], bin[13];    /* twelve digits, or empty. The IIN is personal: show it through sign_mask */
    char     algorithm[64];       /* "RSA 2048, SHA-256", "GOST 34.10-2015 512" */
    unsigned usage;               /* enum sign_usage */
    time_ns  signed_at;           /* as the signer claims; 0: not said */
    time_ns  not_before, not_after;
};

struct sign_result {
    enum sign_verdict  verdict;
    enum sign_reason   reason;    /* of the worst signer */
    struct sign_signer signers[SIGN_SIGNERS_MAX];
    size_t             count;
};

struct sign_trust;
/* sign_trust_load - every certificate of an authority in the folder is an anchor (*.pem, *.crt, *.cer, PEM or DER), every *.crl is
 * a revocation list. folder NULL or absent: nothing is trusted, and verdicts say so. A file that cannot be read is left out and
 * counted (sign_trust_skipped). -ENOMEM alone fails. */
MUST_USE int sign_trust_load(const char *folder, struct sign_trust **out, struct err *e);
/* sign_trust_refresh - if the folder or a file in it is another one than when it was read (time, size, inode): forget the anchors and lists and
 * read it again. Costs a stat a file otherwise; the lists of a national authority take seconds to read. True if it was read. */
bool sign_trust_refresh(struct sign_trust *t, const char *folder);
void sign_trust_free(struct sign_trust **t);
size_t sign_trust_anchors(const struct sign_trust *t);
size_t sign_trust_skipped(const struct sign_trust *t);
/* sign_trust_gost - is the hash of Kazakhstan's GOST there (Debian: libengine-gost-openssl)? */
bool sign_trust_gost(const struct sign_trust *t);

/* sign_verify - judge cms (DER, PEM, or bare base64 as NCALayer gives it) over content as of the moment at. 0 with *out;
 * -EBADMSG cms is no signed CMS; -E2BIG a bound. A CMS that carries its content is judged too: it must be the same bytes. */
MUST_USE int sign_verify(const struct sign_trust *t, struct str content, struct str cms, time_ns at, struct sign_result *out,
                         struct err *e);
/* sign_mask - "********9012": the last four digits of a personal number. */
void sign_mask(const char iin[13], char out[13]);

#endif
