/* internal.h - what the files of src/ioc share. */
#ifndef SAQSHY_IOC_INTERNAL_H
#define SAQSHY_IOC_INTERNAL_H

#include <jansson.h>

#include "ioc/ioc.h"

/* --- reading --- */

/* What a reader has at hand. */
struct reading {
    const struct ioc *usual;
    ioc_fn           *fn;
    void             *arg;
    struct ioc_told  *told;
    struct err       *e;
    struct buf        value;     /* scratch */
};

struct str ioc_text_of(const json_t *object, const char *name);
/* ioc_time_of - a time of RFC 3339; 0: there is none. */
time_ns ioc_time_of(const json_t *object, const char *name);
void ioc_skip(struct reading *r, enum ioc_skip why, struct str what);
/* ioc_take - value as somebody wrote it, with the rest in i. What is not written as its type is skipped, counted. */
MUST_USE int ioc_take(struct reading *r, struct ioc *i, struct str value);

MUST_USE int ioc_stix(struct reading *r, const json_t *root);
MUST_USE int ioc_misp(struct reading *r, const json_t *root);
MUST_USE int ioc_list(struct reading *r, struct str text);
/* ioc_misp_looks - an event, a list of events, or an answer of MISP's API. */
bool ioc_misp_looks(const json_t *root);

/* --- keys --- */

#define IOC_KEY_MAX (IOC_VALUE_MAX + 1)

/* ioc_is_ipv4 - of an address of 16 bytes. Networks of IPv6 that reach over ::ffff:0:0/96 do not mean these. */
static inline bool ioc_is_ipv4(const uint8_t a[16])
{
    static const uint8_t head[12] = { [10] = 0xff, [11] = 0xff };

    return memcmp(a, head, sizeof head) == 0;
}
#define IOC_IPV4_BITS 96     /* of the 128 that stand before an address of IPv4 */

/* A value as it is looked for: addresses by their bytes, URLs without the port and the path that they have anyway, other texts as they are. */
struct ioc_key {
    uint64_t hash;
    uint32_t n;
    char     bytes[IOC_KEY_MAX];
};
/* ioc_key_of - of a normal value. */
bool ioc_key_of(enum ioc_type type, struct str normal, struct ioc_key *out);
/* ioc_key_network - of the first bits of an address. */
void ioc_key_network(const uint8_t address[16], uint8_t bits, struct ioc_key *out);

/* --- warning lists --- */

struct warnings;
MUST_USE int warnings_new(struct warnings **out, struct err *e);
void warnings_free(struct warnings **w);
MUST_USE int warnings_add(struct warnings *w, struct str json, struct err *e);
/* warnings_find - the number of the first list that has a normal value of this type, from 1; 0: none. */
uint16_t warnings_find(const struct warnings *w, enum ioc_type type, struct str value);
size_t warnings_count(const struct warnings *w);
struct str warnings_name(const struct warnings *w, size_t number);

#endif
