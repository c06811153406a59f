/* hunt_internal.h - what the files of hunt share: hunt.c reads files and cuts them, hunt_piece.c makes events of a piece and matches
 * them, hunt_pool.c keeps workers busy and tells what they found in order.
 *
 * Owns      struct hunt, below.
 * Promises  those of hunt.h.
 * Threads   a piece belongs to the owner while FREE or DONE, to one worker while BUSY; its state is read and set under the lock. */
#ifndef SAQSHY_DETECT_HUNT_INTERNAL_H
#define SAQSHY_DETECT_HUNT_INTERNAL_H

#include <pthread.h>

#include "detect/hunt.h"
#include "parse/evtx.h"
#include "parse/parse.h"
#include "sigma/classify.h"

#define PIECE_ITEMS 1024
#define PIECE_BYTES (256u * KIB)     /* then it is full; a single value may be longer */
#define PIECES_A_WORKER 4            /* one at work, one waiting, two whose telling waits for others */

enum piece_kind { PIECE_LINES, PIECE_VALUES, PIECE_CHUNK };
enum piece_state { PIECE_FREE, PIECE_READY, PIECE_BUSY, PIECE_DONE };

struct item {
    struct str text;
    uint64_t record;
    bool cut, split;
};

/* A part of a file: what it holds, and what became of it. */
struct piece {
    enum piece_kind    kind;
    enum piece_state   state;
    const char        *path;
    time_ns            received;
    struct arena       texts;
    struct item        items[PIECE_ITEMS];
    size_t             count;

    struct event_batch events;      /* the one at work; with correlations all of them, for the owner to match */
    struct buf         records;     /* then their numbers, 8 bytes each */
    struct buf         out, complaints;
    struct hunt_stats  stats;
    int                rc;
    struct err         err;
};

struct worker {
    struct hunt       *hunt;
    struct sigma_run  *run;         /* NULL with correlations: matching is the owner's */
    struct evtx       *evtx;        /* made when the first event log is met */
    struct classify   *types;       /* the event types of Annex 4; NULL without content */
    pthread_t          thread;
    bool               started;
};

struct hunt {
    const struct sigma *rules;
    struct parser      *parser;
    struct hunt_listener to;
    struct sigma_run   *run;        /* the owner's, with correlations */
    uint64_t            seq;
    struct hunt_stats   stats;

    struct piece       *ring;       /* count pieces, used in turn */
    size_t              count;
    uint64_t            put, taken, told; /* how many pieces so far */
    struct worker       workers[HUNT_WORKERS_MAX];
    unsigned            worker_count;
    pthread_mutex_t     lock;
    pthread_cond_t      ready, done;
    bool                stop;
};

/* --- hunt_piece.c --- */

/* piece_add - copies text. -E2BIG: the piece is full. */
MUST_USE int piece_add(struct piece *p, struct str text, uint64_t record, bool cut, bool split);
bool piece_full(const struct piece *p);
/* piece_work - its events, and (without correlations) their matches. */
void piece_work(struct hunt *h, struct worker *w, struct piece *p);
/* piece_match - an event through the rules of run. */
MUST_USE int piece_match(struct hunt *h, struct sigma_run *run, struct piece *p, uint64_t record, const struct event *ev, struct err *e);
void piece_reset(struct piece *p);

/* --- hunt_pool.c --- */

MUST_USE int pool_start(struct hunt *h, const char *content, unsigned workers, struct err *e);
void pool_stop(struct hunt *h);
/* pool_piece - an empty one to fill; tells what came before, and waits for it, as needed. */
MUST_USE int pool_piece(struct hunt *h, struct piece **out, struct err *e);
/* pool_put - the piece from pool_piece is filled. */
MUST_USE int pool_put(struct hunt *h, struct err *e);
/* pool_tell - what is done; all: wait until everything is. */
MUST_USE int pool_tell(struct hunt *h, bool all, struct err *e);

#endif
