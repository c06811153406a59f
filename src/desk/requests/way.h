/* way.h - between the files of onboarding: one object on its way.
 *
 * Owns      nothing; texts are of the call's arena.
 * Promises  see onboarding.h.
 * Threads   as struct desk. */
#ifndef SAQSHY_DESK_WAY_H
#define SAQSHY_DESK_WAY_H

#include "desk/internal.h"

struct way {
    struct str object, name, org, org_name, contour, possessor;
    bool       has_collector;
    int        changed;
};
/* way_load - the object, if the viewer reaches it; else -ENOENT. */
MUST_USE int way_load(struct call *c, struct str object, struct way *out);
/* way_things - what the object consists of, as far as we know: [{name, host, words, protection, server}], owned by the caller. */
MUST_USE int way_things(struct call *c, struct str object, json_t **out);
/* way_tell - a notice to the owner's side or the centre, by the texts request.notice.KEY. */
MUST_USE int way_tell(struct call *c, const struct way *w, bool owner, const char *key);
json_t *way_actions_json(struct call *c);

#endif
