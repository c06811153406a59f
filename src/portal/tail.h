/* tail.h - events as they are stored: one thread reads the journal for all who watch.
 *
 * Owns      the thread and the reader. A subscription is shared: the loop lets go of it, the thread frees it.
 * Promises  1. A subscriber gets events committed after the subscription that match its query and its filter, in order.
 *           2. Bounded: TAIL_PER_SECOND events a second and TAIL_PENDING_MAX bytes not taken yet; what is more is dropped and counted.
 *           3. While nobody watches nothing is read.
 * Threads   tail_open, tail_close, tail_take, tail_release: the loop. tail_subscribe: any.
 * Source    docs/openapi.yaml, tailEvents. */
#ifndef SAQSHY_PORTAL_TAIL_H
#define SAQSHY_PORTAL_TAIL_H

#include "base/base.h"

#define TAIL_PER_SECOND  200u
#define TAIL_PENDING_MAX (256u * KIB)

struct query;
struct tail;
struct tail_sub;

MUST_USE int tail_open(const char *journal_folder, struct tail **out, struct err *e);
void tail_close(struct tail **t);
/* tail_fd - readable when some subscription has something to take. */
int tail_fd(const struct tail *t);
/* tail_subscribe - q is taken, also on failure. objects is a list of ids with blanks between; filter false: all events. */
MUST_USE int tail_subscribe(struct tail *t, struct query *q, struct str objects, bool filter, struct tail_sub **out, struct err *e);
/* tail_take - append what waits, as server-sent events, and the notice of what was dropped since the last time. */
void tail_take(struct tail_sub *s, struct buf *out, uint64_t *dropped);
void tail_release(struct tail_sub **s);

/* list_has - is id one of the words of list? For the filter, and for searches that filter by themselves. */
bool list_has(struct str list, struct str id);

#endif
