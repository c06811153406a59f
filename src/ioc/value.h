/* value.h - one indicator of compromise as text: its one way of writing, and whether it is an address of one's own.
 *
 * Owns      nothing.
 * Promises  1. Pure; takes any bytes. What cannot be an indicator of its type gives false and leaves out untouched.
 *           2. Equal things are written equally: addresses canonical, names and hashes small, hosts of URLs small, defanged dots put back.
 *              What is normal stays as it is when it is made normal again.
 * Threads   any.
 * Source    requirements 6.2 (R-A2-09). */
#ifndef SAQSHY_IOC_VALUE_H
#define SAQSHY_IOC_VALUE_H

#include "base/base.h"

#define IOC_VALUE_MAX 2048

/* The kinds of Annex 2, and those that only feeds have. NETWORK: "192.0.2.0/24"; AGENT: what a browser calls itself. */
enum ioc_type { IOC_IP, IOC_DOMAIN, IOC_URL, IOC_HASH, IOC_EMAIL, IOC_FILE, IOC_OTHER, IOC_NETWORK, IOC_AGENT, IOC_TYPES };

const char *ioc_type_name(enum ioc_type t);
/* ioc_type_parse - IOC_TYPES for a name that is none. */
enum ioc_type ioc_type_parse(struct str name);

bool ioc_normal(enum ioc_type type, struct str value, struct buf *out);
/* ioc_normal_name - the same of a domain or a hash that is written plainly (nothing defanged, no blanks around it), into IOC_NAME_ROOM bytes: what nearly all values of
 * events are. Returns its length; 0: ask ioc_normal. */
#define IOC_NAME_ROOM 256
size_t ioc_normal_name(enum ioc_type type, struct str value, char out[IOC_NAME_ROOM]);
/* ioc_private - an address that names nobody outside: private, loopback, link-local, unspecified, multicast. */
bool ioc_private(struct str ip);
/* ioc_address - an address as 16 bytes (IPv4 as ::ffff:a.b.c.d). */
bool ioc_address(struct str s, uint8_t out[16]);
/* ioc_network - "address/bits" as its first address, and bits of 128. Bits of the host must be zero. An address alone is none. */
bool ioc_network(struct str s, uint8_t out[16], uint8_t *bits);
/* ioc_url_host - of a normal URL: its host, without user, port and brackets. */
struct str ioc_url_host(struct str url);

#endif
