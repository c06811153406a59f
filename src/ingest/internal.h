/* internal.h - what the files of ingest share: piles of lines, the hub between loop and worker, counters.
 *
 * Everything here is free of our own struct event: libevent has one of the same name. What the worker needs is in worker.h.
 *
 *      udp.c  tcp.c + frame.c ─┐                          ┌─ parse_line
 *                              ├─► pile ─► hub ─► worker ─┼─ journal_append, journal_commit
 *      http.c ─────────────────┘     ▲                    └─ sources.c, objects.c, ownlog.c
 *          ▲                         │
 *          └──── answers ◄───────────┘ */
#ifndef SAQSHY_INGEST_INTERNAL_H
#define SAQSHY_INGEST_INTERNAL_H

#include "ingest/ingest.h"
#include "base/metrics.h"

#include <pthread.h>
#include <sys/socket.h>

#define LINE_MAX_BYTES      (1u * MIB)    /* EVENT_ORIGINAL_MAX; worker.h compares */
#define PILE_BYTES_MAX      (1u * MIB)    /* a group worth a frame of its own */
#define PILE_LINES_MAX      16384
#define PILE_WAIT_MS        5             /* a line waits no longer for company */
#define QUEUE_BYTES_MAX     (32u * MIB)   /* past this nobody is read */
#define QUEUE_BYTES_LOW     (16u * MIB)   /* below this reading goes on */
#define GROUP_BYTES_MAX     (4u * MIB)    /* piles committed together */
#define PEER_TEXT_MAX       64
#define AGENT_TEXT_MAX      128           /* JOURNAL_ORIGIN_ID_MAX */

enum from { FROM_UDP, FROM_TCP, FROM_OTLP, FROM_OWN, FROM_COUNT };
enum refusal {
    REFUSED_EMPTY, REFUSED_REPEATED, REFUSED_TOO_LARGE, REFUSED_NO_SPACE, REFUSED_STOPPED, REFUSED_COUNT
};
enum coding { CODING_NONE, CODING_GZIP, CODING_ZSTD };

/* --- counters --- */

struct counters {
    struct metrics all;
    struct metric *read[FROM_COUNT], *stored[FROM_COUNT], *bytes[FROM_COUNT];
    struct metric *refused[REFUSED_COUNT];
    struct metric *unparsed, *truncated, *waiting, *queue_bytes, *connections, *kernel_drops, *poison;
    struct metric *answered[5];   /* 200, 400, 413, 503, others */
    struct metric *commits, *commit_us, *commit_last_us, *own_lag;
};
void counters_init(struct counters *c);
void counters_answer(struct counters *c, int status);
/* counters_balance - compute waiting from the others. */
void counters_balance(struct counters *c);
const char *from_name(enum from f);

/* --- piles --- */

struct pile_line {
    uint32_t at, n, peer_at, peer_n;   /* in bytes */
    uint8_t  from;
    bool     truncated;
    time_ns  received;
};

/* Lines on their way, or one OTLP request. Owned by whoever holds it; it moves loop → hub → worker → hub → loop. */
struct pile {
    struct pile      *next;
    bool              request;       /* bytes is the body of an OTLP request */
    struct buf        bytes;
    struct pile_line *lines;
    size_t            count, cap;
    size_t            weight;        /* counted against QUEUE_BYTES_MAX */
    time_ns           received;
    /* of a request */
    void             *http;          /* struct evhttp_request, touched by the loop alone */
    enum coding       coding;
    struct str        agent;         /* in agent_text */
    char              agent_text[AGENT_TEXT_MAX];
    char              peer[PEER_TEXT_MAX];
    bool              numbered;
    uint64_t          number;
    /* the answer */
    int               status;        /* HTTP */
    bool              repeated;
    uint64_t          last_number;
    char              reason[ERR_TEXT_MAX];
};
struct pile *pile_new(void);
void pile_free(struct pile **p);
/* pile_add - copy a line in. -ENOMEM. */
MUST_USE int pile_add(struct pile *p, enum from from, struct str peer, struct str line, bool truncated, time_ns received);

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
/* unpack - body in its plain form in out. -E2BIG past BODY_PLAIN_MAX, -EBADMSG for broken bytes. */
MUST_USE int unpack(enum coding coding, struct str body, struct buf *out, struct err *e);

/* --- the role --- */

struct worker;
struct event_base;
struct event;
struct udp;
struct tcp;
struct http;
struct crowd;

struct ingest {
    const struct ingest_options *options;
    struct counters  counters;
    struct hub       hub;
    struct worker   *worker;
    struct event_base *base;
    struct pile     *open;       /* being filled by udp and tcp */
    struct event    *open_timer, *done_event, *term, *interrupt, *tick;
    struct udp      *udp;
    struct tcp      *tcp;
    struct http     *http;
    struct crowd    *crowd;      /* of http; lives until the loop is gone, which may end connections last */
    bool             paused, stopping;
    size_t           requests;   /* unanswered */
};

/* loop only: */
void ingest_line(struct ingest *in, enum from from, struct str peer, struct str line, bool truncated, time_ns now);
void ingest_flush(struct ingest *in);
MUST_USE int ingest_address(const char *text, struct sockaddr_storage *out, int *n, struct err *e);
void ingest_address_text(const struct sockaddr *sa, char out[PEER_TEXT_MAX], uint16_t *port);

MUST_USE int udp_open(struct ingest *in, const char *address, struct udp **out, struct err *e);
void udp_pause(struct udp *u, bool paused);
void udp_close(struct udp **u);
uint16_t udp_port(const struct udp *u);
MUST_USE int tcp_open(struct ingest *in, const char *address, struct tcp **out, struct err *e);
void tcp_pause(struct tcp *t, bool paused);
void tcp_tick(struct tcp *t);
void tcp_close(struct tcp **t);   /* what connections hold is handed over */
uint16_t tcp_port(const struct tcp *t);
MUST_USE int http_open(struct ingest *in, const char *address, struct http **out, struct err *e);
void http_answer(struct ingest *in, struct pile *p);
void http_stop_accepting(struct http *h);
void http_close(struct http **h);
uint16_t http_port(const struct http *h);

/* crowd.c: the connections of http, by their SSL. */
struct ssl_st;
struct evconnlistener;
MUST_USE int crowd_open(struct event_base *base, struct crowd **out, struct err *e);
/* crowd_watch - the listener that rests while there are too many. */
void crowd_watch(struct crowd *c, struct evconnlistener *listener);
/* crowd_join - from now until ssl is freed. False without memory. */
MUST_USE bool crowd_join(struct crowd *c, struct ssl_st *ssl);
/* crowd_close - touch listener and loop no more; SSLs may still end. crowd_free: when none is left. */
void crowd_close(struct crowd *c);
void crowd_free(struct crowd **c);

/* worker.c */
MUST_USE int worker_start(struct ingest *in, struct worker **out, struct err *e);
void worker_join(struct worker **w);

#endif
