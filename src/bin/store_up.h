/* store_up.h - a journal and its store, held by a command that takes events into a data directory without a daemon.
 *
 * Owns      struct store_up its journal, reader, store and batch.
 * Promises  1. Nobody else writes meanwhile: the lock of the journal is held.
 *           2. What is committed goes into the store in the order of the journal, once, also what an interrupted run left behind.
 * Threads   main only.
 * Units     none. */
#ifndef SAQSHY_BIN_STORE_UP_H
#define SAQSHY_BIN_STORE_UP_H

#include "journal/journal.h"
#include "store/store.h"

struct store_up {
    char                   journal_folder[4096];
    struct journal        *journal;      /* the caller appends and commits */
    struct journal_reader *reader;
    struct store          *store;
    struct event_batch     taken;
};

/* store_up_open - DATA/journal and DATA/store, made if absent; nothing is taken yet. arena_max: of a frame of the journal, 0: as event_batch_init. -EBUSY: a
 * saqshyd runs there, and instead says what to do about it. */
MUST_USE int store_up_open(struct store_up *s, const char *data, size_t arena_max, const char *instead, struct err *e);
/* store_up_drain - what is committed goes from the journal into the store. */
MUST_USE int store_up_drain(struct store_up *s, struct err *e);
/* store_up_finish - drained, all of it in sealed parts, and the journal cut. */
MUST_USE int store_up_finish(struct store_up *s, struct err *e);
void store_up_close(struct store_up *s);    /* also one that was not opened, all zero */

#endif
