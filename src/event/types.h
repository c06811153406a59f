/* types.h - the codes of the event types of Annex 4, in the order of the Rules: what saqshy.types holds.
 *
 * Promises  1. A code has one number everywhere, OS-01 is 0 and SEC-04 is 47: sets of types are bits of a 64-bit number.
 * Threads   any.
 * Source    Annex 4 of the Rules (spec/requirements.md 6.4). */
#ifndef SAQSHY_EVENT_TYPES_H
#define SAQSHY_EVENT_TYPES_H

#include "base/base.h"

#define EVENT_TYPES 48

extern const struct str event_types[EVENT_TYPES];   /* "OS-01", each with its zero byte */

/* event_type - the number of a code written as the Rules write it; -1: none. */
int event_type(struct str code);

#endif
