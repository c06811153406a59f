/* portal.h - the HTTPS server of the desk process: the API of docs/openapi.yaml, live streams, the built portal.
 *
 * Owns      struct portal owns its listener, connections, workers with their desks, the desk's background threads,
 *           and the portal's files; node, world and
 *           catalogue are borrowed.
 * Promises  1. Every request is authorised by role (the route table) and by organisation (the desk, and the filter of searches).
 *           2. TLS 1.2 or newer only. Every answer carries the security headers, refusals of broken requests too.
 *           3. Bounded: connections in all and per address, bytes of head and body, waiting work, clients of streams; each phase of
 *              a connection has a time limit that no trickle of bytes extends.
 *           4. A request that changes something needs the session's token, and an Origin, if sent, that is ours.
 *           5. The loop never waits for SQLite, a search or a password hash: workers do that.
 *           6. A viewer of a stream learns only of what they may read.
 * Threads   portal_open, portal_run, portal_close: one thread. portal_changed and portal_stop: any.
 * Units     see docs/portal.md for all limits.
 * Source    RFC 9110, 9112; HTML, server-sent events. */
#ifndef SAQSHY_PORTAL_PORTAL_H
#define SAQSHY_PORTAL_PORTAL_H

#include "base/catalog.h"
#include "base/node.h"
#include "duty/duty.h"

struct portal;

struct portal_setup {
    const struct node       *node;
    const struct duty_world *world;
    const struct catalog    *catalog;
};

/* portal_open - bind node->portal (port 0: any free one), load certificate and files, open the desks, start the workers and
 * the desk's background work (findings, ticks, letters). */
MUST_USE int portal_open(const struct portal_setup *setup, struct portal **out, struct err *e);
int portal_port(const struct portal *p);
/* portal_run - serve until SIGTERM, SIGINT or portal_stop. */
MUST_USE int portal_run(struct portal *p, struct err *e);
/* portal_stop - also from a signal handler. */
void portal_stop(struct portal *p);
/* portal_changed - a desk_changed callback (arg is the portal): tells the live pages. */
void portal_changed(void *portal, const char *type, const char *id);
void portal_close(struct portal **p);

#endif
