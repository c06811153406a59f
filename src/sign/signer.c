/* signer.c - what a certificate says of its holder, and the names of verdicts and reasons. */
#include "sign/internal.h"

static const struct {
    const char       *name;
    enum sign_verdict verdict;
} reasons[SIGN_REASON_COUNT] = {
    [SIGN_OK] = { "ok", SIGN_VALID },
    [SIGN_NO_TRUST_ANCHOR] = { "no_trust_anchor", SIGN_NOT_CHECKED },
    [SIGN_UNKNOWN_ISSUER] = { "unknown_issuer", SIGN_NOT_CHECKED },
    [SIGN_CERTIFICATE_EXPIRED] = { "certificate_expired", SIGN_NOT_CHECKED },
    [SIGN_CERTIFICATE_NOT_YET_VALID] = { "certificate_not_yet_valid", SIGN_NOT_CHECKED },
    [SIGN_NO_REVOCATION_DATA] = { "no_revocation_data", SIGN_NOT_CHECKED },
    [SIGN_REVOCATION_DATA_OLD] = { "revocation_data_old", SIGN_NOT_CHECKED },
    [SIGN_ENGINE_ABSENT] = { "engine_absent", SIGN_NOT_CHECKED },
    [SIGN_UNKNOWN_ALGORITHM] = { "unknown_algorithm", SIGN_NOT_CHECKED },
    [SIGN_WEAK_ALGORITHM] = { "weak_algorithm", SIGN_NOT_CHECKED },
    [SIGN_NO_CERTIFICATE] = { "no_certificate", SIGN_NOT_CHECKED },
    [SIGN_UNKNOWN_EXTENSION] = { "unknown_extension", SIGN_NOT_CHECKED },
    [SIGN_CHAIN_UNCLEAR] = { "chain_unclear", SIGN_NOT_CHECKED },
    [SIGN_NO_SIGNER] = { "no_signer", SIGN_NOT_CHECKED },
    [SIGN_CONTENT_DIFFERS] = { "content_differs", SIGN_INVALID },
    [SIGN_SIGNATURE_BROKEN] = { "signature_broken", SIGN_INVALID },
    [SIGN_CHAIN_BROKEN] = { "chain_broken", SIGN_INVALID },
    [SIGN_CERTIFICATE_REVOKED] = { "certificate_revoked", SIGN_INVALID },
    [SIGN_NOT_FOR_SIGNING] = { "not_for_signing", SIGN_INVALID },
    [SIGN_ISSUER_NOT_AUTHORITY] = { "issuer_not_authority", SIGN_INVALID },
};
static const char *const verdicts[SIGN_VERDICT_COUNT] = { "valid", "not_checked", "invalid" };
static const struct {
    const char *oid, *name;
} usages[] = {
    { "1.2.398.3.3.4.1.1", "person" },       { "1.2.398.3.3.4.1.2", "organisation" }, { "1.2.398.3.3.4.1.2.1", "first_head" },
    { "1.2.398.3.3.4.1.2.2", "may_sign" },   { "1.2.398.3.3.4.1.2.5", "employee" },
};

const char *sign_reason_name(enum sign_reason r) { return reasons[r].name; }
enum sign_verdict sign_reason_verdict(enum sign_reason r) { return reasons[r].verdict; }
const char *sign_verdict_name(enum sign_verdict v) { return verdicts[v]; }
const char *sign_usage_name(int bit) { return bit >= 0 && (size_t)bit < COUNT(usages) ? usages[bit].name : NULL; }

void sign_mask(const char iin[13], char out[13])
{
    size_t n = strnlen(iin, 12);

    for (size_t i = 0; i < n; i++)
        out[i] = i + 4 < n ? '*' : iin[i];
    out[n] = 0;
}

time_ns signer_time(const ASN1_TIME *t)
{
    struct tm tm;
    struct civil c;

    if (!t || !ASN1_TIME_to_tm(t, &tm)) {
        ERR_clear_error();
        return 0;
    }
    c = (struct civil){ tm.tm_year + 1900, tm.tm_mon + 1, tm.tm_mday, tm.tm_hour, tm.tm_min, tm.tm_sec };
    /* Past 2262 a moment does not fit; such a certificate does not end while anybody asks. */
    if (c.year > 2261)
        return INT64_MAX;
    return civil_valid(&c) ? civil_to_ns(&c, 0) : 0;
}

/* take_text - a name's text as UTF-8, cut at a letter, without NUL. */
static void take_text(const ASN1_STRING *s, char out[SIGN_NAME_MAX])
{
    unsigned char *utf8 = NULL;
    int n = s ? ASN1_STRING_to_UTF8(&utf8, s) : -1;
    size_t len = n > 0 ? min_size(strnlen((char *)utf8, (size_t)n), SIGN_NAME_MAX - 1) : 0;

    while (len > 0 && len < (size_t)n && (utf8[len] & 0xc0) == 0x80)
        len--;
    if (len && str_utf8_valid(str_of((char *)utf8, len)))
        memcpy(out, utf8, len);
    else
        len = 0;
    out[len] = 0;
    OPENSSL_free(utf8);
    ERR_clear_error();
}

/* take_number - "IIN123456789012" or "BIN…": twelve digits behind the word. */
static void take_number(const char *text, const char *word, char out[13])
{
    size_t n = strlen(word);

    if (strncmp(text, word, n) != 0 || strlen(text) != n + 12 || strspn(text + n, "0123456789") != 12)
        return;
    memcpy(out, text + n, 12);
    out[12] = 0;
}

static void read_subject(const X509_NAME *name, struct sign_signer *out)
{
    char text[SIGN_NAME_MAX];

    for (int i = 0; i < X509_NAME_entry_count(name); i++) {
        const X509_NAME_ENTRY *entry = X509_NAME_get_entry(name, i);
        int nid = OBJ_obj2nid(X509_NAME_ENTRY_get_object(entry));

        take_text(X509_NAME_ENTRY_get_data(entry), text);
        if (nid == NID_commonName)
            memcpy(out->name, text, sizeof text);
        if (nid == NID_organizationName)
            memcpy(out->organisation, text, sizeof text);
        if (nid == NID_serialNumber || nid == NID_organizationalUnitName) {
            take_number(text, "IIN", out->iin);
            take_number(text, "BIN", out->bin);
        }
    }
}

static void read_usage(X509 *cert, struct sign_signer *out)
{
    EXTENDED_KEY_USAGE *eku = X509_get_ext_d2i(cert, NID_ext_key_usage, NULL, NULL);
    char text[64];

    for (int i = 0; i < sk_ASN1_OBJECT_num(eku); i++) {
        if (OBJ_obj2txt(text, sizeof text, sk_ASN1_OBJECT_value(eku, i), 1) <= 0)
            continue;
        for (size_t k = 0; k < COUNT(usages); k++)
            if (strcmp(text, usages[k].oid) == 0)
                out->usage |= 1u << k;
    }
    sk_ASN1_OBJECT_pop_free(eku, ASN1_OBJECT_free);
    ERR_clear_error();
}

void signer_of_certificate(X509 *cert, struct sign_signer *out)
{
    BIGNUM *serial = ASN1_INTEGER_to_BN(X509_get0_serialNumber(cert), NULL);
    char *hex = serial ? BN_bn2hex(serial) : NULL;
    const X509_NAME *issuer = X509_get_issuer_name(cert);
    int at = X509_NAME_get_index_by_NID(issuer, NID_commonName, -1);

    read_subject(X509_get_subject_name(cert), out);
    read_usage(cert, out);
    if (at >= 0)
        take_text(X509_NAME_ENTRY_get_data(X509_NAME_get_entry(issuer, at)), out->issuer);
    snprintf(out->serial, sizeof out->serial, "%s", hex ? hex : "");
    out->not_before = signer_time(X509_get0_notBefore(cert));
    out->not_after = signer_time(X509_get0_notAfter(cert));
    OPENSSL_free(hex);
    BN_free(serial);
    ERR_clear_error();
}

struct str sign_first_part(struct str der)
{
    const unsigned char *start = (const unsigned char *)der.p, *p = start, *part;
    long n = 0;
    int tag = 0, class = 0;

    if (der.n > INT32_MAX || ASN1_get_object(&p, &n, &tag, &class, (long)der.n) & 0x80 || tag != V_ASN1_SEQUENCE)
        return (struct str){ NULL, 0 };
    part = p;
    if (ASN1_get_object(&p, &n, &tag, &class, (long)(der.n - (size_t)(part - start))) & 0x80)
        return (struct str){ NULL, 0 };
    return str_of((const char *)part, (size_t)(p - part) + (size_t)n);
}
