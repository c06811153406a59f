/* hunt_store.h - what "saqshy hunt" over files and over the store share.
 *
 * Owns      nothing.
 * Promises  1. A match reads the same, wherever its event was found; of the store the file is "store" and the record the event's number (seq).
 * Threads   hunt_print: any. The rest: main only.
 * Units     from and to bound the time of events, half open. */
#ifndef SAQSHY_BIN_HUNT_STORE_H
#define SAQSHY_BIN_HUNT_STORE_H

#include "sigma/sigma.h"

struct hunt_store_options {
    const char *data;
    time_ns     from, to;
    struct str  objects;      /* separated by spaces; empty: all */
    unsigned    workers;
    bool        json;
};

/* hunt_print - the matches of one event, each a line of JSON or some lines to read. */
int hunt_print(bool json, const char *file, uint64_t record, const struct event *ev, const struct sigma_match *m, size_t count, struct buf *out);
/* hunt_processors - that this process may use; 0: one, the owner does all. */
unsigned hunt_processors(void);
/* hunt_store - the rules over the store; returns an exit code, or an error. */
MUST_USE int hunt_store(const struct sigma *s, const struct hunt_store_options *o, struct err *e);

#endif
