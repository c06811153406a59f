/* link.h - the listener for other nodes: mutual TLS, one request a connection, nothing but bundles of envelopes.
 *
 * Owns      its socket, its connections, the TLS context with the certificates of the nodes that are let in.
 * Promises  1. Not a byte of HTTP is read before the handshake has shown a certificate that an administrator registered; whoever is struck off
 *              the list is kept out from the next connection on.
 *           2. It is none of the portal's port and speaks none of its API.
 *           3. Bounded: connections in all and per address, bytes of bodies together, and a time for each phase.
 * Threads   the loop of the portal; exchanges run on its workers, one at a time.
 * Source    docs/link.md. */
#ifndef SAQSHY_PORTAL_LINK_H
#define SAQSHY_PORTAL_LINK_H

#include "base/base.h"

#define LINK_CONNS_MAX         32
#define LINK_CONNS_PER_ADDRESS 4
#define LINK_TRUST_NS          (2 * NS_PER_SECOND)   /* the list of nodes is read anew so often */

struct portal;
struct link_listener;

/* link_listener_open - bind node->link_listen (empty: *out stays NULL, 0). */
MUST_USE int link_listener_open(struct portal *p, struct link_listener **out, struct err *e);
int link_listener_port(const struct link_listener *l);
/* link_listener_tick - once a second: end what takes too long, look whom to let in. */
void link_listener_tick(struct link_listener *l, int64_t now);
/* link_listener_stop - no more connections; then, when the pool is closed and empty, link_listener_free. */
void link_listener_stop(struct link_listener *l);
void link_listener_free(struct link_listener **l);

#endif
