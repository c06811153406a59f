/* listener.h - the one interface of all inputs: how a listener is opened, slowed, changed and closed, and how it hands over what came.
 *
 * Owns      a listener owns its copy of its configuration; its card belongs to the role and outlives it.
 * Promises  1. No file of ingest names another input: the loop walks the list of listeners, kinds.c has the table of kinds.
 *           2. ingest_line and ingest_request take everything or count a refusal; neither blocks.
 *           3. A ticket's callback comes in the loop, after the commit (status 200) or the refusal; not at all once the owner is gone.
 *           4. Numbers on a card balance: read = stored + refused + waiting.
 * Threads   loop only, except the counters of a card, which any thread may add to.
 * Units     bytes; time_ns.
 *
 * A new kind K: a line in base/listeners.def, and a struct listener_kind K_kind in a file of its own. A kind over a byte stream,
 * with or without TLS, gives stream.h a protocol; a kind over HTTP gives http.h its routes. */
#ifndef SAQSHY_INGEST_LISTENER_H
#define SAQSHY_INGEST_LISTENER_H

#include "base/base.h"
#include "base/listen.h"

#include <sys/socket.h>

#define PEER_TEXT_MAX       64
#define AGENT_TEXT_MAX      128           /* JOURNAL_ORIGIN_ID_MAX */
#define LINE_MAX_BYTES      (1u * MIB)    /* EVENT_ORIGINAL_MAX; worker.h compares */
#define OBJECT_TEXT_MAX     64            /* id of an object of the registry */
#define CARDS_MAX           128           /* listeners that ever were, under different ids */

struct evconnlistener;
struct ingest;
struct listener;
struct pile;

enum refusal {
    REFUSED_EMPTY, REFUSED_REPEATED, REFUSED_TOO_LARGE, REFUSED_NO_SPACE, REFUSED_STOPPED, REFUSED_UNSUPPORTED, REFUSED_COUNT
};
/* Connections that were turned away; no lines are counted by these. */
enum away { AWAY_PEER_LIMIT, AWAY_HANDSHAKE, AWAY_CERTIFICATE, AWAY_IDLE, AWAY_PROTOCOL, AWAY_COUNT };

/* rate - events of about the last minute: those of this minute, and of the one before as far as it reaches into it. */
struct rate {
    int64_t  minute;
    uint64_t now, before;
};
void rate_add(struct rate *r, uint64_t n, time_ns at);
uint64_t rate_get(const struct rate *r, time_ns at);

/* What came by one listener. Numbers through card_add and card_get only. */
struct card {
    char     id[LISTEN_ID_MAX + 1];
    char     label[LISTEN_ID_MAX + 16];   /* listener="ID" */
    uint16_t number;
    int64_t  read, stored, bytes, unparsed, truncated, refused[REFUSED_COUNT];
    int64_t  connections, accepted, slowed, away[AWAY_COUNT];   /* slowed: times that an address had to wait for its bytes a second */
    int64_t  unanswered;                  /* taken, but the sender was gone before its answer: it may send them again */
    int64_t  kernel_drops, last_event;    /* time_ns of receipt, 0: none yet */
    struct rate rate;                     /* of read; loop only */
    int64_t     rate_seen;
};
static inline void card_add(int64_t *cell, int64_t n) { __atomic_fetch_add(cell, n, __ATOMIC_RELAXED); }
static inline void card_set(int64_t *cell, int64_t n) { __atomic_store_n(cell, n, __ATOMIC_RELAXED); }
static inline int64_t card_get(const int64_t *cell) { return __atomic_load_n(cell, __ATOMIC_RELAXED); }

struct listener_kind {
    enum listen_kind number;
    /* check - address and options, before anything is opened; the error says no more than what is wrong. May be NULL: then address is ADDRESS:PORT. */
    int (*check)(const struct listen_conf *c, struct err *e);
    /* open - bind and begin. in->base is the loop. The listener is made by listener_new. */
    int (*open)(struct ingest *in, const struct listen_conf *c, struct listener **out, struct err *e);
    /* change - take another configuration of the same id and kind without losing a connection. 1: close it and open it anew. May be NULL. */
    int (*change)(struct listener *l, const struct listen_conf *c, struct err *e);
    /* pause - read nothing (or go on). May be NULL: ingest_busy tells. */
    void (*pause)(struct listener *l, bool paused);
    bool patient;                                /* who is not read loses nothing: paused early */
    void (*tick)(struct listener *l);            /* each second; may be NULL */
    void (*stop_accepting)(struct listener *l);  /* the end is near: no new bytes; answers may still leave */
    bool (*busy)(const struct listener *l);      /* answers are still to leave: close it later. May be NULL */
    void (*close)(struct listener *l);           /* hand over what connections hold, free all but *l itself's base: listener_done */
    uint16_t (*port)(const struct listener *l);  /* may be NULL */
    void (*report)(const struct listener *l, struct buf *json);   /* more members, each with a comma before it; may be NULL */
};

/* The first member of what a kind opens. */
struct listener {
    const struct listener_kind *kind;
    struct ingest              *in;
    struct card                *card;
    struct listen_conf          conf;
    struct listener            *next;
};
/* listener_new - size bytes (struct listener first), zeroed, with its card and its copy of the configuration. */
MUST_USE int listener_new(struct ingest *in, const struct listener_kind *kind, const struct listen_conf *c, size_t size, struct listener **out,
                          struct err *e);
/* listener_done - the end of every close: frees the configuration and the listener. */
void listener_done(struct listener *l);
/* listener_keep - the configuration becomes a copy of c. */
MUST_USE int listener_keep(struct listener *l, const struct listen_conf *c, struct err *e);

/* --- who waits for an answer --- */

/* done - lines or a request of the owner, up to number, are stored (status 200) or refused (anything else, with reason in p). */
typedef void ticket_done(void *owner, uint64_t number, const struct pile *p);
struct ticket {
    size_t       refs;
    void        *owner;      /* NULL: gone */
    ticket_done *done;
};
/* ticket_new - held once by the owner, who ends it by ticket_orphan. NULL without memory. */
struct ticket *ticket_new(void *owner, ticket_done *done);
void ticket_unref(struct ticket *t);
/* ticket_orphan - the owner is gone: no callback any more. */
void ticket_orphan(struct ticket **t);

/* --- handing over --- */

/* Who sent something. name is that of a verified client certificate; alone: it speaks for its own object and nobody else's. */
struct sender {
    uint16_t card;
    struct str peer, name;
    bool     alone;
};

struct wire_line {
    struct str     text;
    bool           truncated;
    time_ns        received;
    struct ticket *ticket;     /* NULL: nobody waits */
    uint64_t       number;     /* given back to the ticket */
};
/* ingest_line - a line on its way. False if it was refused (and counted): an empty one, or no memory. */
bool ingest_line(struct ingest *in, const struct sender *s, const struct wire_line *l);
/* ingest_request - the pile holds a body, and a decoder. Taken in any case; the ticket tells the end. */
void ingest_request(struct ingest *in, struct pile *p, struct ticket *t);
/* ingest_busy - new requests must wait: why, or NULL. */
const char *ingest_busy(struct ingest *in);
void ingest_refuse(struct ingest *in, struct card *card, enum refusal why, int64_t count);
void ingest_flush(struct ingest *in);

/* listener_address - "address:port" as a socket address. */
MUST_USE int listener_address(const char *text, struct sockaddr_storage *out, int *n, struct err *e);
typedef void listener_accept(struct evconnlistener *l, int fd, struct sockaddr *peer, int n, void *arg);
/* listener_socket - listen on TCP; title says what for. on_accept NULL: whoever takes *out gives it its own. The caller frees *out. */
MUST_USE int listener_socket(struct ingest *in, const char *title, const char *address, listener_accept *on_accept, void *arg,
                             struct evconnlistener **out, struct err *e);
void listener_address_text(const struct sockaddr *sa, char out[PEER_TEXT_MAX], uint16_t *port);
/* listener_port - of a bound socket. */
uint16_t listener_port(int fd);

/* kinds.c: each kind K of base/listeners.def is defined as K_kind. */
#define LISTENER(kind, address, tls) extern const struct listener_kind kind##_kind;
#include "base/listeners.def"
#undef LISTENER
const struct listener_kind *listener_kind_find(enum listen_kind number);

#endif
