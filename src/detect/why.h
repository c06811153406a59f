/* why.h - why a rule matches an event or a pasted text, or not: sigma/explain.h with the event beside it, as JSON.
 *
 * Owns      nothing.
 * Promises  1. A text is read as the guard reads what arrives: JSON values, records of Windows as XML, else lines through the parsers.
 *           2. Bounded: WHY_TEXT_MAX bytes, WHY_EVENTS_MAX events; what is beyond is said ("more").
 * Threads   any, each caller with its own buffer. */
#ifndef SAQSHY_DETECT_WHY_H
#define SAQSHY_DETECT_WHY_H

#include "sigma/explain.h"

#define WHY_TEXT_MAX   (256u * KIB)
#define WHY_EVENTS_MAX 20

/* why_event - {"event":{…},"explain":{…}} (explain_json). loose: an event whose origin nobody knows is shown to every rule. */
MUST_USE int why_event(const struct sigma *s, bool loose, const struct sigma_rule *r, const struct event *ev, struct buf *out, struct err *e);
/* why_text - {"events":[the above …],"more":bool} of all events that the text becomes. content may be NULL (built-in parsers). -E2BIG past
 * WHY_TEXT_MAX; -EINVAL: an empty text. */
MUST_USE int why_text(const struct sigma *s, const char *content, const struct sigma_rule *r, struct str text, struct buf *out, struct err *e);

#endif
