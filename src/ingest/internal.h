/* internal.h - what the files of ingest share: piles of lines, the hub between loop and worker, counters.
 *
 * Everything here is free of our own struct event: libevent has one of the same name. What the worker needs is in worker.h.
 *
 *      udp.c                  ─┐                          ┌─ take.c: parse_line, names, marks
 *      stream.c + syslog.c    ─┼─► pile ─► hub ─► worker ─┼─ journal_append, journal_commit
 *      http.c + otlp_http.c   ─┘     ▲                    └─ sources.c, objects.c, ownlog.c
 *          ▲                         │
 *          └──── tickets ◄───────────┘ */
#ifndef SAQSHY_INGEST_INTERNAL_H
#define SAQSHY_INGEST_INTERNAL_H

#include "ingest/ingest.h"
#include "ingest/listener.h"
#include "base/metrics.h"
#include "base/unpack.h"

#include <pthread.h>

#define PILE_BYTES_MAX      (1u * MIB)    /* a group worth a frame of its own */
#define PILE_LINES_MAX      16384
#define PILE_WAIT_MS        5             /* a line waits no longer for company */
#define QUEUE_BYTES_MAX     (32u * MIB)   /* past this nobody is read */
#define SPARE_PILES_MAX     32u           /* as many as may be on their way */
#define QUEUE_BYTES_LOW     (16u * MIB)   /* below this reading goes on */
#define QUEUE_PATIENT_MAX   (8u * MIB)    /* past this nobody is read who loses nothing by waiting: what lies here longer leaves the processor's cache */
#define QUEUE_PATIENT_LOW   (6u * MIB)    /* a group is being stored, another waits */
#define GROUP_BYTES_MAX     (4u * MIB)    /* piles committed together */
#define ANSWER_BYTES_MAX    (4u * MIB)    /* of a body that a decoder writes */
#define QUERY_TEXT_MAX      512
#define STREAM_TEXT_MAX     64

/* --- counters --- */

struct counters {
    struct metrics all;
    struct metric *refused[REFUSED_COUNT];
    struct metric *unparsed, *truncated, *waiting, *queue_bytes, *poison;
    struct metric *answered[5];   /* 200, 400, 413, 503, others */
    struct metric *commits, *commit_us, *commit_last_us, *own_lag;
    struct card    card[CARDS_MAX];
    size_t         cards;         /* read with __atomic_load_n outside the loop; the last one takes what has no room */
};
#define CARD_OWN 0                /* our own log */
void counters_init(struct counters *c);
void counters_answer(struct counters *c, int status);
/* counters_card - the card of this id, made if need be. Loop only. */
struct card *counters_card(struct counters *c, const char *id);
size_t counters_cards(const struct counters *c);
/* counters_publish - everything as a file of metrics, the sums balanced. Worker only. */
MUST_USE int counters_publish(struct counters *c, const char *path, struct err *e);
/* counters_json - the members of a card, without braces. */
void counters_json(const struct card *c, time_ns now, struct buf *b);

/* --- piles --- */

/* Whose lines: texts in the pile's bytes. */
struct pile_sender {
    uint32_t peer_at, peer_n, name_at, name_n;
    uint32_t lines;        /* of it, here */
    uint16_t card;
    bool     alone;
};
struct pile_line {
    uint32_t at, n;
    uint32_t sender;
    bool     truncated;
    time_ns  received;
};
struct pile_wait {
    struct ticket *ticket;
    uint64_t       number;
};

struct body_decoder;
/* Lines on their way, or one request. Owned by whoever holds it; it moves loop → hub → worker → hub → loop. */
struct pile {
    struct pile        *next;
    struct buf          bytes;
    struct pile_line   *lines;
    size_t              count, cap;
    struct pile_sender *senders;
    size_t              sender_count, sender_cap;
    struct pile_wait   *waits;         /* the loop's alone */
    size_t              wait_count, wait_cap;
    size_t              weight;        /* counted against QUEUE_BYTES_MAX */
    time_ns             received;
    /* of a request */
    const struct body_decoder *decoder;   /* not NULL: bytes is a body */
    uint16_t            card;
    enum packing         coding;
    size_t              record_bytes;  /* longer records are stored in pieces; 0: LINE_MAX_BYTES */
    struct str          agent;         /* in agent_text: the name of the client's certificate */
    bool                alone;         /* the agent speaks for its own object alone */
    bool                relay;         /* it passes on what many hosts say: sources are AGENT/HOST, without their paths */
    char                object[OBJECT_TEXT_MAX];   /* all of it belongs to this object; empty: as usual */
    char                agent_text[AGENT_TEXT_MAX];
    char                peer[PEER_TEXT_MAX];
    char                query[QUERY_TEXT_MAX];   /* path and query, for decoders that look there */
    bool                numbered;
    char                stream[STREAM_TEXT_MAX];    /* numbers are of this numbering of the agent's; empty: its only one */
    uint64_t            number;
    char                origin[AGENT_TEXT_MAX];   /* of the number; empty: the agent */
    /* the answer */
    int                 status;        /* as of HTTP; 200: stored */
    bool                repeated;
    uint64_t            last_number, records;
    int64_t             unsupported;   /* records that the decoder refused, each with a word in its answer */
    int64_t             repeats;       /* records that the decoder knew as stored already */
    struct buf          answer;        /* a body that the decoder wrote; empty: the form of the kind */
    void               *note;          /* of the kind, from its admit to its answer; owned, freed by note_free */
    void              (*note_free)(void *note);
    char                reason[ERR_TEXT_MAX];
};
struct pile *pile_new(void);
void pile_free(struct pile **p);
/* pile_empty - as pile_new gives it, but its memory is kept for what comes next. */
void pile_empty(struct pile *p);
/* pile_add - copy a line in. -ENOMEM. */
MUST_USE int pile_add(struct pile *p, const struct sender *s, struct str line, bool truncated, time_ns received);
/* pile_wait - t wants to know; a later number of the same ticket takes the place of an earlier. -ENOMEM. */
MUST_USE int pile_wait(struct pile *p, struct ticket *t, uint64_t number);
/* pile_tell - call whoever waits. Loop only. */
void pile_tell(struct pile *p);

/* --- the hub: a queue each way, and the weight of all that is inside --- */

struct hub {
    pthread_mutex_t lock;
    pthread_cond_t  wake;
    struct pile    *head, **tail, *done, **done_tail;
    size_t          weight;
    bool            stop;
    bool            full_disk;   /* the worker waits for space: requests are refused at once */
    int             done_fd;     /* eventfd: done is not empty */
};
MUST_USE int hub_init(struct hub *h, struct err *e);
void hub_free(struct hub *h);
void hub_put(struct hub *h, struct pile *p);
/* hub_take - up to GROUP_BYTES_MAX of piles, in order; NULL after wait_ms without any. *stop: and none will come. */
struct pile *hub_take(struct hub *h, int wait_ms, bool *stop);
void hub_return(struct hub *h, struct pile *list);
struct pile *hub_collect(struct hub *h);
size_t hub_weight(struct hub *h);
void hub_stop(struct hub *h);
void hub_disk(struct hub *h, bool full);
bool hub_disk_full(struct hub *h);
bool hub_stopping(struct hub *h);

/* --- framing of syslog over a stream, RFC 6587 --- */

enum frame_state { FRAME_START, FRAME_LINE, FRAME_COUNTED };
struct framer {
    enum frame_state state;
    char             head[12];      /* digits that may be a count */
    size_t           head_n;
    size_t           left;          /* bytes of a counted message to come */
    size_t           limit_bytes;   /* longer messages are given in pieces */
    bool             split;         /* this piece continues another */
    uint64_t         empty;         /* messages without a byte */
    struct buf       held;
};
typedef void framer_take(void *arg, struct str line, bool truncated);
void framer_init(struct framer *f);
void framer_free(struct framer *f);
/* framer_feed - hand every whole message in bytes (and held before) to take. */
void framer_feed(struct framer *f, struct str bytes, framer_take *take, void *arg);
/* framer_end - the stream is over, or fell silent in the middle: hand over what is held. */
void framer_end(struct framer *f, framer_take *take, void *arg);

/* --- bodies --- */

#define BODY_WIRE_MAX   (8u * MIB)
#define BODY_PLAIN_MAX  (16u * MIB)   /* a bomb stops here */
/* body_plain - body in its plain form in out. -E2BIG past BODY_PLAIN_MAX, -EBADMSG for broken bytes. */
MUST_USE int body_plain(enum packing coding, struct str body, struct buf *out, struct err *e);

/* --- the role --- */

struct worker;
struct event_base;
struct event;
struct crowd;
struct tokens;
struct peers;
struct profiles;
struct wef;

struct ingest {
    const struct ingest_options *options;
    struct counters  counters;
    struct hub       hub;
    struct worker   *worker;
    struct event_base *base;
    struct pile     *open;       /* being filled with lines */
    struct pile     *spare;      /* emptied ones: the kernel need not clear pages for each megabyte of lines */
    size_t           spares, spares_least;   /* of them; the fewest since the last tick, when so many are freed */
    struct event    *open_timer, *done_event, *term, *interrupt, *hangup, *tick;
    bool             open_waited;      /* the open pile waits a second time, for an audit event */
    struct listener *listeners;
    struct listener *leaving;    /* taken out of the configuration, with answers still to give */
    struct crowd    *crowds;     /* of HTTP; live until the loop is gone, which may end connections last */
    struct peers    *peers;
    struct tokens   *tokens;     /* of HTTP, by file (tokens.h) */
    struct wef      *wef;        /* subscriptions and bookmarks of Windows machines; made by the first listener of the kind */
    size_t           connections, connections_max;   /* of streams, all together: descriptors are kept for other things */
    struct profiles *profiles;   /* new ones for the worker, under hub.lock; NULL: none */
    struct buf       picture;    /* of ingest.json: the loop draws it under hub.lock, the worker writes it */
    bool             picture_new;
    uint64_t         config_number;   /* of times it was read again */
    char             config_error[ERR_TEXT_MAX];
    bool             paused, patient_paused, stopping;   /* patient_paused: kinds whose senders can wait; paused: the others */
    size_t           requests;   /* unanswered */
};

/* peers.c: what addresses may have at a time and take in a second. Loop only. */
struct peer;
MUST_USE int peers_new(struct peers **out, struct err *e);
void peers_free(struct peers **p);
/* peers_join - one more connection of this address at this listener, NULL if there may be no more (or no memory). */
struct peer *peers_join(struct peers *p, const char *address, const struct listener *l);
void peers_leave(struct peers *p, struct peer **one);
/* peer_away - one of its connections was closed for what it did. */
void peer_away(struct peer *p);
/* peers_json - the members of an array: those that were active last, a bounded number. */
void peers_json(const struct peers *p, struct buf *b);
/* peer_take - n bytes came. False: no more is to be read until peer_ready says so. */
bool peer_take(struct peer *p, size_t n, int64_t bytes_s, time_ns now);
bool peer_ready(struct peer *p, int64_t bytes_s, time_ns now);

/* crowd.c: the connections of an HTTP listener. */
struct ssl_st;
struct evconnlistener;
struct bufferevent;
MUST_USE int crowd_open(struct listener *l, struct crowd **out, struct err *e);
/* crowd_watch - the socket that rests while there are too many. */
void crowd_watch(struct crowd *c, struct evconnlistener *socket);
/* crowd_join - from now until ssl, which bev owns, is freed. False without memory. */
MUST_USE bool crowd_join(struct crowd *c, struct ssl_st *ssl, struct bufferevent *bev);
/* crowd_join_plain - the same for a connection without TLS. */
MUST_USE bool crowd_join_plain(struct crowd *c, struct bufferevent *bev);
/* crowd_revoke - end the connections of which revoked says so. */
struct tls;
void crowd_revoke(struct crowd *c, const struct tls *t);
/* crowd_close - touch listener and loop no more; SSLs may still end. crowds_free: when none is left. */
void crowd_close(struct crowd *c);
void crowds_free(struct ingest *in);

/* worker.c */
MUST_USE int worker_start(struct ingest *in, struct worker **out, struct err *e);
void worker_join(struct worker **w);

#endif
