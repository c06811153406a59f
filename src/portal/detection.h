/* detection.h - what the pages of detection share: where a rule stands, and whether its file may be read. Internal to the portal.
 *
 * Owns      nothing: paths lie in the arena of the call.
 * Promises  1. No file is opened because a published picture names it: it must lie below content/rules, content/pipelines or DATA/rules, links followed.
 *           2. What a rule needs is little for a plain rule (pipelines, its file, its filters) and all rules for a correlation.
 * Threads   workers.
 * Units     bytes.
 * Source    docs/portal.md. */
#ifndef SAQSHY_PORTAL_DETECTION_H
#define SAQSHY_PORTAL_DETECTION_H

#include "desk/detection/detection.h"
#include "portal/internal.h"

/* detection_file_ok - the file is one of the rules of this node. */
bool detection_file_ok(const struct call *c, const char *file);
/* detection_short - a path as people know it: below content or DATA. */
const char *detection_short(const struct call *c, const char *file);
/* detection_text - of a file of rules the document that holds this line; null if it cannot be read. */
json_t *detection_text(const struct call *c, const char *file, int64_t line);
/* detection_paths - where this rule and what belongs to it stand. -ENOENT: no such rule runs. */
MUST_USE int detection_paths(struct call *c, struct str rule, struct desk_rule_paths *out);

#endif
