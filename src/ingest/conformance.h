/* conformance.h - each source held against Annex 4, all the time: part of what sources.c keeps of it.
 *
 * Owns      a list of tallies, one for each class of the source's events.
 * Promises  1. Cheap: of a busy source one line of 1,000 is judged (parse/conform.h), for the others a number is counted.
 *           2. Bounded: as many tallies as there are classes, and what conform.h says of one.
 * Threads   the worker.
 * Source    Annex 4, paragraph 12. */
#ifndef SAQSHY_INGEST_CONFORMANCE_H
#define SAQSHY_INGEST_CONFORMANCE_H

#include "event/event.h"

struct annexed;

/* conformance_see - one more event of the source. Without memory it is not counted. scratch is emptied. */
void conformance_see(struct annexed **list, const struct event *ev, struct arena *scratch);
void conformance_free(struct annexed **list);
/* conformance_restore - what an earlier process found of the source: the object, as conformance_put wrote it, is told until an event of that
 * class comes. class is its member. */
void conformance_restore(struct annexed **list, enum event_class class, struct str object);

struct conformance_of {
    struct str source, host, object, listener;
};
/* conformance_put - an object of DATA/run/annex4.json for each class, a line each; *count of them stand before. Behind CONFORMANCE_WHOLE they come
 * without findings and samples: the file has a bound. */
#define CONFORMANCE_WHOLE 4000
void conformance_put(struct buf *b, const struct conformance_of *of, const struct annexed *list, size_t *count);

#endif
