/* indicator.h - one indicator of compromise as text: its one way of writing, and whether it is an address of one's own.
 *
 * Owns      nothing.
 * Promises  1. Pure; takes any bytes. What cannot be an indicator of its type gives false and leaves out untouched.
 *           2. Equal things are written equally: addresses canonical, names and hashes small, hosts of URLs small, defanged dots put back.
 * Threads   any.
 * Source    requirements 6.2 (R-A2-09). */
#ifndef SAQSHY_DESK_INDICATOR_H
#define SAQSHY_DESK_INDICATOR_H

#include "base/base.h"

#define INDICATOR_MAX 2048

/* indicator_normal - type is one of ip, domain, url, hash, email, file, other. */
bool indicator_normal(struct str type, struct str value, struct buf *out);
/* indicator_private - an address that names nobody outside: private, loopback, link-local, unspecified, multicast. */
bool indicator_private(struct str ip);

#endif
