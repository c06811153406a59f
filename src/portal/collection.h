/* collection.h - what the pages of collection judge of the pictures of other roles: is a source silent, is it odd, what is an alarm. Internal to the portal.
 *
 * Owns      nothing.
 * Promises  1. A source is silent when it has been quiet for more than twice its longest silence of the last two weeks, and a quarter of an hour at least: a
 *              host that speaks once a night is not silent at noon.
 *           2. Whoever is bound to an organisation sees the sources of its objects, and nothing of listeners, upstreams and disks.
 * Threads   workers.
 * Units     seconds, time_ns.
 * Source    docs/collection.md, docs/portal.md. */
#ifndef SAQSHY_PORTAL_COLLECTION_H
#define SAQSHY_PORTAL_COLLECTION_H

#include "portal/internal.h"

#define SILENT_MOST_S    (7 * 86400)        /* past this an alarm ends: it is a list then, no news (detect/coverage.h says when it begins) */
#define SCORE_LOW        80                 /* percent of Annex 4 */

enum source_flag { FLAG_SILENT = 1, FLAG_SKEWED = 2, FLAG_LATE = 4, FLAG_UNPARSED = 8, FLAG_LOW_SCORE = 16, FLAG_UNASSIGNED = 32, FLAG_ENCODING = 64,
                   FLAG_GAPS = 128 };

struct source_view {
    const json_t *json;          /* of sources.json; borrowed */
    const char   *id;
    const json_t *object;        /* {"name", "org"} of the viewer's objects; NULL: none */
    time_ns       first, last;   /* 0: unknown */
    int64_t       events, unparsed, rate_min, silent_after_s, score;   /* score: percent, below zero: none */
    unsigned      flags;
};

/* What one request works on; free it with sources_done. */
struct sources_seen {
    json_t             *sources, *objects, *scores, *annex4;
    struct source_view *view;
    size_t              count;
};
/* sources_see - those that the viewer may see. */
MUST_USE int sources_see(struct call *c, struct sources_seen *out);
void sources_done(struct sources_seen *s);

#endif
