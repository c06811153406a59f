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
    } else {
        memcpy(out->bytes, normal.p, normal.n);
        out->n = (uint32_t)normal.n;
    }
    hashed(type, out);
    return true;
}
