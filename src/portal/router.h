/* router.h - which handler answers a method and a path, and who may ask.
 *
 * Owns      nothing: the table is constant.
 * Promises  1. Every path that is answered stands in one table (routes.def) with its method, the roles admitted and the lane
 *              of its work; docs/openapi.yaml says the same, and a test compares the two.
 *           2. Pieces in braces take one piece of a path, decoded, 1 to ROUTE_ARG_MAX bytes, never with a '/' or a control byte.
 * Threads   any.
 * Source    docs/openapi.yaml. */
#ifndef SAQSHY_PORTAL_ROUTER_H
#define SAQSHY_PORTAL_ROUTER_H

#include "portal/http.h"

#define ROUTE_ARGS_MAX 2
#define ROUTE_ARG_MAX  128

/* Who may ask: bits of roles, 1 << enum desk_role. */
enum route_roles {
    ROUTE_ANYBODY = 1 << 30,  /* no session is needed; else 1 << enum desk_role */
};

/* Where the work is done: each lane has its own bound, so that searches or sign-ins never hold up the rest. */
enum lane { LANE_DESK, LANE_SEARCH, LANE_SIGNIN, LANE_LINK, LANE_COUNT };

/* What the request carries: nothing, a JSON object, or bytes (at most HTTP_BODY_MAX; longer files come in pieces, see uploads). In the table
 * false and true stand for the first two. */
enum route_body { NOTHING, JSON, BYTES };

struct call;
typedef int route_handler(struct call *c);

struct route {
    enum http_method method;
    const char      *pattern;
    unsigned         roles;
    enum lane        lane;
    enum route_body  body;
    route_handler   *handle;
};

struct route_match {
    const struct route *route;  /* NULL: see allowed */
    struct str          arg[ROUTE_ARGS_MAX];
    unsigned            allowed; /* bits (1 << method) that the path knows; 0: there is no such path */
};

const struct route *route_table(size_t *count);

/* route_find - match method (HEAD counts as GET) and path against the table. Decoded pieces live in the arena. */
void route_find(enum http_method method, struct str path, struct arena *a, struct route_match *out);

/* route_path_match - does path fit pattern? Fills arg. For route_find and its test. */
bool route_path_match(const char *pattern, struct str path, struct arena *a, struct str arg[ROUTE_ARGS_MAX]);

#endif
