/* lists.h - lists that the portal filters, sorts and pages itself, of what other roles publish: how they are asked for. Internal to the portal.
 *
 * Owns      nothing: folded texts lie in the arena of the call.
 * Promises  1. A list that changes between two pages goes on behind the last item that was shown, wherever it stands now; if it is gone, where it stood.
 *           2. What is refused names its parameter, as error.field wants it.
 * Threads   workers.
 * Units     bytes.
 * Source    docs/openapi.yaml. */
#ifndef SAQSHY_PORTAL_LISTS_H
#define SAQSHY_PORTAL_LISTS_H

#include "portal/internal.h"

#define LIST_SEARCH_MAX 200

/* list_search - the parameter q, trimmed and folded; empty if absent. -EINVAL. */
MUST_USE int list_search(struct call *c, struct str *folded);
/* list_holds - does a text hold what list_search gave? */
bool list_holds(struct call *c, const char *text, struct str folded);
/* list_choice - a parameter that is one of these words; *index is untouched if absent. -EINVAL. */
MUST_USE int list_choice(struct call *c, const char *name, const char *const *words, size_t count, size_t *index);

/* The id of row i. */
typedef const char *list_id(const void *rows, size_t i);
/* list_begin - where the page after a cursor of list_next begins. -EINVAL. */
MUST_USE int list_begin(struct call *c, const void *rows, size_t count, list_id *id, struct str cursor, size_t *at);
/* list_next - the cursor "INDEX ID" of the page that begins at index end; null: there is none. */
json_t *list_next(const void *rows, size_t count, list_id *id, size_t end);

#endif
