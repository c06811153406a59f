/* profiles.h - what the worker is told of senders, compiled: by address, listener and host, to zone, encoding, class, parser, object.
 *
 * Owns      its texts: a table of the configuration may go once it is compiled.
 * Promises  1. The first profile that matches counts. One that names a host matches only once the host is known.
 *           2. Read-only once made.
 * Threads   made by the loop, handed to the worker whole.
 * Units     minutes east of UTC, nanoseconds. */
#ifndef SAQSHY_INGEST_PROFILES_H
#define SAQSHY_INGEST_PROFILES_H

#include "ingest/ingest.h"
#include "parse/encoding.h"

struct profile {
    struct str    name, parser, object, class;
    int32_t       zone_min;      /* INT32_MIN: not said */
    enum encoding encoding;      /* ENCODING_DETECT: not said */
};

/* profile_address_valid - an address or a network, as 10.0.0.7, 10.0.0.0/8, 2001:db8::/32. */
bool profile_address_valid(struct str text);

struct profiles;
/* profiles_new - of the options' table, with the node's own zone and tolerance. */
MUST_USE int profiles_new(const struct ingest_options *o, struct profiles **out, struct err *e);
void profiles_free(struct profiles **p);
int32_t profiles_zone(const struct profiles *p);
time_ns profiles_tolerance(const struct profiles *p);
/* profiles_by_host - does any profile look at hosts? Then whoever asked without one asks again. */
bool profiles_by_host(const struct profiles *p);
/* profiles_find - NULL if none matches. host may be empty: not known yet. */
const struct profile *profiles_find(const struct profiles *p, struct str peer, struct str listener, struct str host);

#endif
