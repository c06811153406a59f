/* gost.c - Kazakhstan's GOST 34.10-2015: the Russian curves of TC26 under Kazakh numbers, and signatures with all their bytes
 * reversed. OpenSSL has the curve arithmetic, Debian's GOST provider the hash (Streebog); what remains is the equation of RFC 7091,
 * section 6.2, below. No engine is loaded: engines are a state of the whole process, and OpenSSL 4 has none. */
#include "sign/internal.h"

#include <openssl/bn.h>
#include <openssl/ec.h>

struct curve {
    const char *key_oid, *signature_oid;
    size_t      bytes;
    const char *p, *a, *b, *q, *x, *y;
};

/* RFC 7836, appendix B: id-tc26-gost-3410-2012-256-paramSetA in Weierstrass form, id-tc26-gost-3410-12-512-paramSetA. */
static const struct curve curves[] = {
    { "1.2.398.3.10.1.1.2.2.1", "1.2.398.3.10.1.1.2.3.1", 32,
      "FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFD97",
      "C2173F1513981673AF4892C23035A27CE25E2013BF95AA33B22C656F277E7335",
      "295F9BAE7428ED9CCC20E7C359A9D41A22FCCD9108E17BF7BA9337A6F8AE9513",
      "400000000000000000000000000000000FD8CDDFC87B6635C115AF556C360C67",
      "91E38443A5E82C0D880923425712B2BB658B9196932E02C78B2582FE742DAA28",
      "32879423AB1A0375895786C4BB46E9565FDE0B5344766740AF268ADB32322E5C" },
    { "1.2.398.3.10.1.1.2.2.2", "1.2.398.3.10.1.1.2.3.2", 64,
      "FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF"
      "FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFDC7",
      "FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF"
      "FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFDC4",
      "E8C2505DEDFC86DDC1BD0B2B6667F1DA34B82574761CB0E879BD081CFD0B6265"
      "EE3CB090F30D27614CB4574010DA90DD862EF9D4EBEE4761503190785A71C760",
      "FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF"
      "27E69532F48D89116FF22B8D4E0560609B4B38ABFAD2B85DCACDB1411F10B275",
      "3",
      "7503CFE87A836AE3A61B8816E25450E6CE5E1C93ACF1ABC1778064FDCBEFA921"
      "DF1626BE4FD036E93D75E6A50E3A41E98028FE5FC235F5B889A589CB5215F2A4" },
};

static bool object_is(const ASN1_OBJECT *o, const char *dotted)
{
    char text[64];

    return OBJ_obj2txt(text, sizeof text, o, 1) > 0 && strcmp(text, dotted) == 0;
}

bool gost_is_signature(const ASN1_OBJECT *o)
{
    return object_is(o, curves[0].signature_oid) || object_is(o, curves[1].signature_oid) || object_is(o, curves[0].key_oid) ||
           object_is(o, curves[1].key_oid);
}

bool gost_is_old(const ASN1_OBJECT *o)
{
    return object_is(o, "1.2.398.3.10.1.1.1.2") || object_is(o, "1.2.398.3.10.1.1.1.1") || object_is(o, "1.2.398.3.10.1.3.1");
}

static void reversed(unsigned char *out, const unsigned char *in, size_t n)
{
    for (size_t i = 0; i < n; i++)
        out[i] = in[n - 1 - i];
}

bool gost_key_read(const X509 *cert, struct gost_key *out)
{
    ASN1_OBJECT *oid = NULL;
    const unsigned char *p = NULL, *inner;
    int n = 0, tag = 0, class = 0;
    long length = 0;

    if (!X509_PUBKEY_get0_param(&oid, &p, &n, NULL, X509_get_X509_PUBKEY(cert)) || !oid || !p || n <= 0)
        return false;
    for (size_t i = 0; i < COUNT(curves); i++) {
        if (!object_is(oid, curves[i].key_oid))
            continue;
        inner = p;
        /* The BIT STRING holds an OCTET STRING: x and y, little-endian. */
        if (ASN1_get_object(&inner, &length, &tag, &class, n) & 0x81 || tag != V_ASN1_OCTET_STRING ||
            (size_t)length != 2 * curves[i].bytes)
            break;
        out->which = (int)i;
        reversed(out->x, inner, curves[i].bytes);
        reversed(out->y, inner + curves[i].bytes, curves[i].bytes);
        return true;
    }
    ERR_clear_error();
    return false;
}

bool gost_hash(const struct sign_trust *t, int which, struct str bytes, unsigned char out[64])
{
    return t->streebog[which] && EVP_Digest(bytes.n ? bytes.p : "", bytes.n, out, NULL, t->streebog[which], NULL) == 1;
}

/* What one verification needs; every pointer is freed at the end. */
struct sums {
    BN_CTX   *ctx;
    EC_GROUP *group;
    EC_POINT *base, *key, *sum;
    BIGNUM   *p, *a, *b, *q, *x, *y, *r, *s, *e, *z1, *z2;
};

static bool number(BIGNUM **out, const char *hex) { return BN_hex2bn(out, hex) > 0; }

static bool sums_open(struct sums *m, const struct curve *c)
{
    bool ok = (m->ctx = BN_CTX_new()) && number(&m->p, c->p) && number(&m->a, c->a) && number(&m->b, c->b) && number(&m->q, c->q) &&
              number(&m->x, c->x) && number(&m->y, c->y) && (m->group = EC_GROUP_new_curve_GFp(m->p, m->a, m->b, m->ctx)) &&
              (m->base = EC_POINT_new(m->group)) && (m->key = EC_POINT_new(m->group)) && (m->sum = EC_POINT_new(m->group)) &&
              EC_POINT_set_affine_coordinates(m->group, m->base, m->x, m->y, m->ctx) &&
              EC_GROUP_set_generator(m->group, m->base, m->q, NULL);

    return ok && (m->z1 = BN_new()) && (m->z2 = BN_new());
}

static void sums_close(struct sums *m)
{
    BIGNUM *const numbers[] = { m->p, m->a, m->b, m->q, m->x, m->y, m->r, m->s, m->e, m->z1, m->z2 };

    for (size_t i = 0; i < COUNT(numbers); i++)
        BN_free(numbers[i]);
    EC_POINT_free(m->base);
    EC_POINT_free(m->key);
    EC_POINT_free(m->sum);
    EC_GROUP_free(m->group);
    BN_CTX_free(m->ctx);
    ERR_clear_error();
}

static bool within(const BIGNUM *n, const BIGNUM *q) { return !BN_is_zero(n) && !BN_is_negative(n) && BN_cmp(n, q) < 0; }

/* equation - RFC 7091, 6.2, steps 1 to 7: 1, 0 or -ENOMEM. */
static int equation(struct sums *m, const struct gost_key *key, const unsigned char *hash, const unsigned char *sig, size_t bytes)
{
    unsigned char big[SIGN_KEY_BYTES_MAX];

    m->s = BN_bin2bn(sig, (int)bytes, NULL);
    m->r = BN_bin2bn(sig + bytes, (int)bytes, NULL);
    reversed(big, hash, bytes);
    m->e = BN_bin2bn(big, (int)bytes, NULL);
    if (!m->s || !m->r || !m->e)
        return -ENOMEM;
    if (!within(m->r, m->q) || !within(m->s, m->q))
        return 0;
    if (!BN_nnmod(m->e, m->e, m->q, m->ctx) || (BN_is_zero(m->e) && !BN_one(m->e)))
        return -ENOMEM;
    if (!BN_bin2bn(key->x, (int)bytes, m->x) || !BN_bin2bn(key->y, (int)bytes, m->y))
        return -ENOMEM;
    /* A point that is not on the curve is refused here. */
    if (!EC_POINT_set_affine_coordinates(m->group, m->key, m->x, m->y, m->ctx))
        return 0;
    if (!BN_mod_inverse(m->e, m->e, m->q, m->ctx) || !BN_mod_mul(m->z1, m->s, m->e, m->q, m->ctx) ||
        !BN_mod_mul(m->z2, m->r, m->e, m->q, m->ctx) || (!BN_is_zero(m->z2) && !BN_sub(m->z2, m->q, m->z2)) ||
        !EC_POINT_mul(m->group, m->sum, m->z1, m->key, m->z2, m->ctx))
        return -ENOMEM;
    if (EC_POINT_is_at_infinity(m->group, m->sum))
        return 0;
    if (!EC_POINT_get_affine_coordinates(m->group, m->sum, m->x, m->y, m->ctx) || !BN_nnmod(m->x, m->x, m->q, m->ctx))
        return -ENOMEM;
    return BN_cmp(m->x, m->r) == 0;
}

int gost_verify(const struct gost_key *key, const unsigned char *hash, struct str sig)
{
    const struct curve *c = &curves[key->which];
    unsigned char turned[2 * SIGN_KEY_BYTES_MAX];
    struct sums m = { 0 };
    int rc = -ENOMEM;

    if (sig.n != 2 * c->bytes)
        return 0;
    reversed(turned, (const unsigned char *)sig.p, sig.n);
    if (sums_open(&m, c))
        rc = equation(&m, key, hash, turned, c->bytes);
    sums_close(&m);
    return rc;
}

enum sign_reason gost_check(const struct sign_trust *t, const struct gost_key *key, struct str bytes, struct str sig)
{
    unsigned char hash[64];
    int rc;

    if (!gost_hash(t, key->which, bytes, hash))
        return SIGN_ENGINE_ABSENT;
    rc = gost_verify(key, hash, sig);
    return rc == 1 ? SIGN_OK : rc == 0 ? SIGN_SIGNATURE_BROKEN : SIGN_UNKNOWN_ALGORITHM;
}
