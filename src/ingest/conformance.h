/* conformance.h - each source held against Annex 4, all the time: part of what sources.c keeps of it.
 *
 * Owns      a list of tallies, one for each class of the source's events and each object that they are of: two organisations may have a host of the same name.
 * Promises  1. Cheap: of a busy source one line of 1,000 is judged (parse/conform.h), for the others a number is counted.
 *           2. Bounded: CONFORMANCE_TALLIES, and what conform.h says of one; events beyond are not judged.
 *           3. No line of an object stands among what is told of another.
 * Threads   the worker.
 * Source    Annex 4, paragraph 12. */
#ifndef SAQSHY_INGEST_CONFORMANCE_H
#define SAQSHY_INGEST_CONFORMANCE_H

#include "event/event.h"

struct annexed;
/* Zeroed, there are none. */
struct annexes {
    struct annexed *of_class[CLASS_COUNT];   /* the one of the last event: a busy source's others need not be looked at */
    struct annexed *first;
};

#define CONFORMANCE_TALLIES 32 /* of a source */

/* conformance_see - one more event of the source. Without memory it is not counted. scratch is emptied. */
void conformance_see(struct annexes *all, const struct event *ev, struct arena *scratch);
/* conformance_ahead - an event of this class will be seen soon. */
void conformance_ahead(const struct annexes *all, enum event_class class);
void conformance_free(const struct annexes *all);
/* conformance_restore - what an earlier process found of the source: text, as conformance_put wrote it, is told until an event of that
 * class and object comes, which are its members. */
void conformance_restore(struct annexes *all, enum event_class class, struct str object, struct str text);

struct conformance_of {
    struct str source, host, listener;
};
/* conformance_put - an object of DATA/run/annex4.json for each class and object, a line each; *count of them stand before. Behind CONFORMANCE_WHOLE they come
 * without findings and samples: the file has a bound. */
#define CONFORMANCE_WHOLE 4000
void conformance_put(struct buf *b, const struct conformance_of *of, const struct annexes *all, size_t *count);

#endif
