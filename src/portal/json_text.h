/* json_text.h - foreign texts and moments as JSON values. Internal to the portal.
 *
 * Owns      nothing; what is given out is the caller's.
 * Promises  1. Bytes that are no UTF-8 become U+FFFD; nothing is left out.
 *           2. Never NULL: without memory an empty text.
 * Threads   any.
 * Units     time_ns; zero is no moment.
 * Source    docs/openapi.yaml. */
#ifndef SAQSHY_PORTAL_JSON_TEXT_H
#define SAQSHY_PORTAL_JSON_TEXT_H

#include <jansson.h>

#include "base/base.h"

json_t *json_foreign(struct str s);
/* json_foreign_or_null - null for an empty one. */
json_t *json_foreign_or_null(struct str s);
/* json_moment - null for zero. */
json_t *json_moment(time_ns t);

#endif
