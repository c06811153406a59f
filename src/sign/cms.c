/* cms.c - the signature itself: its envelope opened, each signer's bytes and mathematics judged, then the chain.
 *
 * A signer either signs the content, or (always, in practice) "signed attributes" among which the content's digest stands. Then two
 * things must hold: the digest is that of the content, and the signature is one of the attributes. */
#include "sign/internal.h"

#include <openssl/pem.h>
#include <openssl/rsa.h>

/* der_of_text - PEM, or bare base64 as programs in a browser give it, as DER. */
static int der_of_text(struct str text, struct buf *out, struct err *e)
{
    EVP_ENCODE_CTX *ctx = EVP_ENCODE_CTX_new();
    ptrdiff_t begin = str_find(text, STR("-----BEGIN "));
    char *room = buf_room(out, text.n + 4);
    int n = 0, last = 0;
    bool ok = ctx && room;

    if (begin >= 0) {
        ptrdiff_t line, end;

        text = str_cut(text, (size_t)begin);
        line = str_chr(text, '\n');
        text = str_cut(text, line < 0 ? text.n : (size_t)line + 1);
        end = str_find(text, STR("-----END "));
        ok = ok && end >= 0;
        text.n = end >= 0 ? (size_t)end : 0;
    }
    if (ok) {
        EVP_DecodeInit(ctx);
        ok = EVP_DecodeUpdate(ctx, (unsigned char *)room, &n, (const unsigned char *)text.p, (int)text.n) >= 0 &&
             EVP_DecodeFinal(ctx, (unsigned char *)room + n, &last) >= 0 && n + last > 0;
    }
    EVP_ENCODE_CTX_free(ctx);
    if (!ok)
        return err_set(e, -EBADMSG, "neither DER nor PEM nor base64");
    out->n += (size_t)(n + last);
    return 0;
}

static int cms_open(struct str in, CMS_ContentInfo **out, struct err *e)
{
    AUTO_BUF struct buf der;
    const unsigned char *p;
    int rc = 0;

    buf_init(&der, 2 * SIGN_CMS_MAX);
    *out = NULL;
    if (in.n > SIGN_CMS_MAX)
        return err_set(e, -E2BIG, "a signature is at most %u bytes", SIGN_CMS_MAX);
    if (in.n == 0 || in.p[0] != 0x30)
        rc = der_of_text(str_trim(in), &der, e);
    if (rc < 0)
        return rc;
    if (der.n)
        in = buf_view(&der);
    p = (const unsigned char *)in.p;
    *out = d2i_CMS_ContentInfo(NULL, &p, (long)in.n);
    ERR_clear_error();
    if (!*out || OBJ_obj2nid(CMS_get0_type(*out)) != NID_pkcs7_signed) {
        CMS_ContentInfo_free(*out);
        *out = NULL;
        return err_set(e, -EBADMSG, "not a signed CMS message (PKCS#7)");
    }
    return 0;
}

/* What one judgement works with. */
struct work {
    const struct sign_trust *t;
    CMS_ContentInfo         *cms;
    STACK_OF(X509)          *certs;
    STACK_OF(X509_CRL)      *crls;
    struct str               content;
    time_ns                  at;
};

static X509 *signer_certificate(const struct work *w, CMS_SignerInfo *si)
{
    for (int i = 0; i < sk_X509_num(w->certs); i++)
        if (CMS_SignerInfo_cert_cmp(si, sk_X509_value(w->certs, i)) == 0)
            return sk_X509_value(w->certs, i);
    return NULL;
}

static time_ns claimed_time(CMS_SignerInfo *si)
{
    int at = CMS_signed_get_attr_by_NID(si, NID_pkcs9_signingTime, -1);
    X509_ATTRIBUTE *attr = at >= 0 ? CMS_signed_get_attr(si, at) : NULL;
    const ASN1_TYPE *value = attr ? X509_ATTRIBUTE_get0_type(attr, 0) : NULL;

    if (!value || (value->type != V_ASN1_UTCTIME && value->type != V_ASN1_GENERALIZEDTIME))
        return 0;
    return signer_time(value->value.asn1_string);
}

/* attributes_der - the signed attributes as a SET, the form in which they are signed (RFC 5652, 5.4). */
static bool attributes_der(CMS_SignerInfo *si, struct buf *out)
{
    AUTO_BUF struct buf all;
    unsigned char head[16], *p = head;

    buf_init(&all, SIGN_CMS_MAX);
    for (int i = 0; i < CMS_signed_get_attr_count(si); i++) {
        unsigned char *der = NULL;
        int n = i2d_X509_ATTRIBUTE(CMS_signed_get_attr(si, i), &der);

        if (n <= 0)
            return false;
        buf_put(&all, der, (size_t)n);
        OPENSSL_free(der);
    }
    ASN1_put_object(&p, 1, (int)all.n, V_ASN1_SET, V_ASN1_UNIVERSAL);
    buf_put(out, head, (size_t)(p - head));
    buf_str(out, buf_view(&all));
    return !buf_failed(&all) && !buf_failed(out);
}

/* digest_stands - is this the digest that the signed attributes name, for this type of content? */
static enum sign_reason digest_stands(const struct work *w, CMS_SignerInfo *si, struct str digest)
{
    const ASN1_OCTET_STRING *said = CMS_signed_get0_data_by_OBJ(si, OBJ_nid2obj(NID_pkcs9_messageDigest), -3, V_ASN1_OCTET_STRING);
    const ASN1_OBJECT *type = CMS_signed_get0_data_by_OBJ(si, OBJ_nid2obj(NID_pkcs9_contentType), -3, V_ASN1_OBJECT);

    if (!said || !type || OBJ_cmp(type, CMS_get0_eContentType(w->cms)) != 0)
        return SIGN_SIGNATURE_BROKEN;
    return str_eq(str_of((const char *)ASN1_STRING_get0_data(said), (size_t)ASN1_STRING_length(said)), digest) ? SIGN_OK : SIGN_CONTENT_DIFFERS;
}

/* streebog_known - may this digest identifier stand beside a Kazakh key? Its length follows from the key. */
static bool streebog_known(const ASN1_OBJECT *digest, int which)
{
    static const char *const oids[2][3] = {
        { "1.2.398.3.10.1.3.2", "1.2.643.7.1.1.2.2", "1.2.398.3.10.1.1.2.2.1" },
        { "1.2.398.3.10.1.3.3", "1.2.643.7.1.1.2.3", "1.2.398.3.10.1.1.2.2.2" },
    };
    char text[64];

    if (OBJ_obj2txt(text, sizeof text, digest, 1) <= 0)
        return false;
    for (size_t i = 0; i < COUNT(oids[which]); i++)
        if (strcmp(text, oids[which][i]) == 0)
            return true;
    return false;
}

static enum sign_reason gost_signer(const struct work *w, CMS_SignerInfo *si, const struct gost_key *key, const ASN1_OBJECT *digest,
                                    const ASN1_OBJECT *algorithm)
{
    const ASN1_OCTET_STRING *s = CMS_SignerInfo_get0_signature(si);
    struct str sig = str_of((const char *)ASN1_STRING_get0_data(s), (size_t)ASN1_STRING_length(s));
    unsigned char hash[64];
    AUTO_BUF struct buf attrs;
    enum sign_reason why;

    buf_init(&attrs, SIGN_CMS_MAX);
    if (!gost_is_signature(algorithm) || !streebog_known(digest, key->which))
        return SIGN_UNKNOWN_ALGORITHM;
    if (CMS_signed_get_attr_count(si) <= 0)
        return gost_check(w->t, key, w->content, sig);
    if (!gost_hash(w->t, key->which, w->content, hash))
        return SIGN_ENGINE_ABSENT;
    why = digest_stands(w, si, str_of((char *)hash, key->which ? 64 : 32));
    if (why != SIGN_OK)
        return why;
    return attributes_der(si, &attrs) ? gost_check(w->t, key, buf_view(&attrs), sig) : SIGN_CHAIN_UNCLEAR;
}

/* plain_content - a signature over the content itself. PSS says its parameters elsewhere: not this way. */
static enum sign_reason plain_content(const struct work *w, CMS_SignerInfo *si, EVP_PKEY *key, const EVP_MD *md, const ASN1_OBJECT *algorithm)
{
    const ASN1_OCTET_STRING *s = CMS_SignerInfo_get0_signature(si);
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    bool ok;

    if (OBJ_obj2nid(algorithm) == NID_rsassaPss) {
        EVP_MD_CTX_free(ctx);
        return SIGN_UNKNOWN_ALGORITHM;
    }
    ok = ctx && EVP_DigestVerifyInit(ctx, NULL, md, NULL, key) == 1 &&
         EVP_DigestVerify(ctx, ASN1_STRING_get0_data(s), (size_t)ASN1_STRING_length(s), (const unsigned char *)(w->content.n ? w->content.p : ""),
                          w->content.n) == 1;
    EVP_MD_CTX_free(ctx);
    return ok ? SIGN_OK : SIGN_SIGNATURE_BROKEN;
}

static enum sign_reason known_signer(const struct work *w, CMS_SignerInfo *si, X509 *cert, const ASN1_OBJECT *digest,
                                     const ASN1_OBJECT *algorithm)
{
    EVP_PKEY *key = X509_get0_pubkey(cert);
    const EVP_MD *md = EVP_get_digestbyobj(digest);
    int type = key ? EVP_PKEY_get_base_id(key) : NID_undef, nid = md ? EVP_MD_get_type(md) : NID_undef;
    unsigned char hash[EVP_MAX_MD_SIZE];
    unsigned n = 0;
    enum sign_reason why;

    if (nid == NID_md5 || nid == NID_sha1 || nid == NID_md5_sha1)
        return SIGN_WEAK_ALGORITHM;
    if ((type != EVP_PKEY_RSA && type != EVP_PKEY_RSA_PSS && type != EVP_PKEY_EC) ||
        (nid != NID_sha256 && nid != NID_sha384 && nid != NID_sha512 && nid != NID_sha3_256 && nid != NID_sha3_512))
        return SIGN_UNKNOWN_ALGORITHM;
    if (EVP_PKEY_get_security_bits(key) < 112)
        return SIGN_WEAK_ALGORITHM;
    if (CMS_signed_get_attr_count(si) <= 0)
        return plain_content(w, si, key, md, algorithm);
    if (EVP_Digest(w->content.n ? w->content.p : "", w->content.n, hash, &n, md, NULL) != 1)
        return SIGN_UNKNOWN_ALGORITHM;
    why = digest_stands(w, si, str_of((char *)hash, n));
    if (why != SIGN_OK)
        return why;
    CMS_SignerInfo_set1_signer_cert(si, cert);
    return CMS_SignerInfo_verify(si) == 1 ? SIGN_OK : SIGN_SIGNATURE_BROKEN;
}

static void algorithm_name(X509 *cert, const struct gost_key *gost, const ASN1_OBJECT *digest, const ASN1_OBJECT *algorithm, char out[64])
{
    EVP_PKEY *key = cert ? X509_get0_pubkey(cert) : NULL;
    const char *type = key ? EVP_PKEY_get0_type_name(key) : NULL;
    char d[32];

    if (gost) {
        snprintf(out, 64, "GOST 34.10-2015 %d", gost->which ? 512 : 256);
    } else if (type) {
        if (OBJ_obj2txt(d, sizeof d, digest, 0) <= 0)
            d[0] = 0;
        snprintf(out, 64, "%.16s %d, %.31s", type, EVP_PKEY_get_bits(key), d);
    } else if (OBJ_obj2txt(out, 64, algorithm, 0) <= 0) {
        out[0] = 0;
    }
}

static void judge_signer(const struct work *w, CMS_SignerInfo *si, struct sign_signer *out)
{
    X509 *cert = signer_certificate(w, si);
    X509_ALGOR *digest_alg = NULL, *sig_alg = NULL;
    const ASN1_OBJECT *digest = NULL, *algorithm = NULL;
    struct gost_key key;
    bool gost = cert && gost_key_read(cert, &key);

    CMS_SignerInfo_get0_algs(si, NULL, NULL, &digest_alg, &sig_alg);
    X509_ALGOR_get0(&digest, NULL, NULL, digest_alg);
    X509_ALGOR_get0(&algorithm, NULL, NULL, sig_alg);
    out->signed_at = claimed_time(si);
    algorithm_name(cert, gost ? &key : NULL, digest, algorithm, out->algorithm);
    if (!cert) {
        out->reason = SIGN_NO_CERTIFICATE;
        return;
    }
    signer_of_certificate(cert, out);
    out->reason = gost ? gost_signer(w, si, &key, digest, algorithm) : known_signer(w, si, cert, digest, algorithm);
    out->intact = out->reason == SIGN_OK;
    if (out->intact)
        out->reason = chain_judge(w->t, cert, w->certs, w->crls, w->at);
    ERR_clear_error();
}

/* content_inside - a message that carries its content must carry these bytes. */
static bool content_fits(const struct work *w)
{
    ASN1_OCTET_STRING **inside = CMS_get0_content(w->cms);

    return !inside || !*inside ||
           str_eq(str_of((const char *)ASN1_STRING_get0_data(*inside), (size_t)ASN1_STRING_length(*inside)), w->content);
}

static int judge_all(const struct work *w, struct sign_result *out, struct err *e)
{
    STACK_OF(CMS_SignerInfo) *all = CMS_get0_SignerInfos(w->cms);
    int n = all ? sk_CMS_SignerInfo_num(all) : 0;

    if (n > SIGN_SIGNERS_MAX || sk_X509_num(w->certs) > SIGN_CERTS_MAX || sk_X509_CRL_num(w->crls) > SIGN_CERTS_MAX)
        return err_set(e, -E2BIG, "more than %d signers, or %d certificates or lists, in one signature", SIGN_SIGNERS_MAX, SIGN_CERTS_MAX);
    *out = (struct sign_result){ .reason = n > 0 ? SIGN_OK : SIGN_NO_SIGNER };
    for (int i = 0; i < n; i++) {
        struct sign_signer *s = &out->signers[out->count++];

        judge_signer(w, sk_CMS_SignerInfo_value(all, i), s);
        if (!content_fits(w)) {
            s->intact = false;
            s->reason = SIGN_CONTENT_DIFFERS;
        }
        if (sign_reason_verdict(s->reason) > sign_reason_verdict(out->reason))
            out->reason = s->reason;
    }
    out->verdict = sign_reason_verdict(out->reason);
    return 0;
}

int sign_verify(const struct sign_trust *t, struct str content, struct str cms, time_ns at, struct sign_result *out, struct err *e)
{
    struct work w = { .t = t, .content = content, .at = at };
    int rc;

    if (content.n > SIGN_CONTENT_MAX)
        return err_set(e, -E2BIG, "signed content is at most %u bytes", SIGN_CONTENT_MAX);
    rc = cms_open(cms, &w.cms, e);
    if (rc < 0)
        return rc;
    w.certs = CMS_get1_certs(w.cms);
    w.crls = CMS_get1_crls(w.cms);
    rc = judge_all(&w, out, e);
    sk_X509_pop_free(w.certs, X509_free);
    sk_X509_CRL_pop_free(w.crls, X509_CRL_free);
    CMS_ContentInfo_free(w.cms);
    ERR_clear_error();
    return rc;
}
