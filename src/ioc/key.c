/* key.c - a value as it is looked for. Addresses by their bytes: an event may write one in many ways. */
#include "ioc/internal.h"

#include <xxhash.h>

static void hashed(enum ioc_type type, struct ioc_key *k) { k->hash = XXH3_64bits_withSeed(k->bytes, k->n, (XXH64_hash_t)type + 1); }

void ioc_key_network(const uint8_t address[16], uint8_t bits, struct ioc_key *out)
{
    memcpy(out->bytes, address, 16);
    for (size_t i = bits / 8; i < 16; i++)
        out->bytes[i] = (char)(i == bits / 8u ? address[i] & (0xff00 >> (bits % 8)) : 0);
    out->bytes[16] = (char)bits;
    out->n = 17;
    hashed(IOC_NETWORK, out);
}

/* put_url - "http://evil.example:80/" is "http://evil.example" (RFC 3986, 6.2.3): feeds write the one, browsers and proxies the other. */
static void put_url(struct str url, struct ioc_key *out)
{
    static const struct { struct str scheme, port; } usual[] = { { STR_INIT("http://"), STR_INIT(":80") }, { STR_INIT("https://"), STR_INIT(":443") }, { STR_INIT("ftp://"), STR_INIT(":21") } };
    size_t host = (size_t)(str_find(url, STR("://")) + 3), end = host, cut;
    struct str rest;

    while (end < url.n && !strchr("/?#", url.p[end]))
        end++;
    rest = str_cut(url, end);
    for (cut = end; cut > host && url.p[cut - 1] >= '0' && url.p[cut - 1] <= '9'; cut--)
        ;
    for (size_t i = 0; cut > host && i < COUNT(usual); i++)
        if (str_starts(url, usual[i].scheme) && str_eq(str_of(url.p + cut - 1, end - cut + 1), usual[i].port))
            end = cut - 1;
    if (rest.n == 1 && *rest.p == '/')
        rest.n = 0;
    memcpy(out->bytes, url.p, end);
    if (rest.n)
        memcpy(out->bytes + end, rest.p, rest.n);
    out->n = (uint32_t)(end + rest.n);
}

bool ioc_key_of(enum ioc_type type, struct str normal, struct ioc_key *out)
{
    uint8_t address[16], bits;

    if (type == IOC_NETWORK) {
        if (!ioc_network(normal, address, &bits))
            return false;
        ioc_key_network(address, bits, out);
        return true;
    }
    if (normal.n > IOC_VALUE_MAX)
        return false;
    if (type == IOC_IP) {
        if (!ioc_address(normal, (uint8_t *)out->bytes))
            return false;
        out->n = 16;
    } else if (type == IOC_URL && str_find(normal, STR("://")) >= 0) {
        put_url(normal, out);
    } else {
        memcpy(out->bytes, normal.p, normal.n);
        out->n = (uint32_t)normal.n;
    }
    hashed(type, out);
    return true;
}
