/* handlers.h - the functions behind routes.def, one line each. Internal to the portal.
 *
 * Owns      nothing.
 * Promises  each runs on a worker after session, role and CSRF were checked; it answers through call.h and returns 0, or a
 *           negative errno that becomes the error of the API.
 * Threads   workers. */
#ifndef SAQSHY_PORTAL_HANDLERS_H
#define SAQSHY_PORTAL_HANDLERS_H

#include "portal/router.h"

#define ROUTE(m, p, r, l, b, h) route_handler h;
#include "portal/routes.def"
#undef ROUTE

#endif
