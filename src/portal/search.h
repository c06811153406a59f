/* search.h - what every search of events needs, read from a request once. Internal to the portal.
 *
 * Owns      struct ask owns its query until ask_free.
 * Promises  1. Which events a viewer may read stands in the search itself: whatever is made of them comes later.
 * Threads   the call's. */
#ifndef SAQSHY_PORTAL_SEARCH_H
#define SAQSHY_PORTAL_SEARCH_H

#include "portal/internal.h"
#include "query/query.h"
#include "store/store.h"

#define PAGE_BYTES_MAX (16u * MIB)   /* an answer; one that would be larger ends early and says that there is more */

struct ask {
    struct query       *query;
    struct store_search s;
    char                store[4096], journal[4096];
};

/* ask_take - parameters q, from, to and what the viewer may read. *pipes: where the pipes of q begin, SIZE_MAX without; NULL: they are refused. Returns 0; 1 when that has
 * been answered. */
MUST_USE int ask_take(struct call *c, struct ask *a, size_t *pipes);
void ask_free(struct ask *a);

#endif
