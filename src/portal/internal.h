/* internal.h - what the files of the portal share.
 *
 * Owns      see portal.h.
 * Threads   the loop, but for what says otherwise. */
#ifndef SAQSHY_PORTAL_INTERNAL_H
#define SAQSHY_PORTAL_INTERNAL_H

#include <pthread.h>

#include "base/metrics.h"
#include "desk/link/link.h"
#include "portal/call.h"
#include "portal/files.h"
#include "portal/link.h"
#include "portal/pictures.h"
#include "portal/portal.h"
#include "portal/pool.h"
#include "portal/tail.h"

#define SESSION_COOKIE      "saqshy_session"

#define CONNS_MAX           256             /* memory: about 100 KiB each at worst, bodies apart */
#define CONNS_PER_ADDRESS   64              /* an office behind one address, several tabs each */
#define BODIES_BYTES_MAX    (16u * MIB)     /* bodies being read, all connections together */
#define HANDSHAKE_NS        (10 * NS_PER_SECOND)
#define HEAD_NS             (10 * NS_PER_SECOND)   /* from the first byte of a head to its end */
#define IDLE_NS             (75 * NS_PER_SECOND)   /* between requests */
#define BODY_NS             (30 * NS_PER_SECOND)
#define WORK_NS             (60 * NS_PER_SECOND)   /* searches end by themselves after SEARCH_NS */
#define SEND_NS             (60 * NS_PER_SECOND)
#define LINGER_NS           (2 * NS_PER_SECOND)
#define SEARCH_NS           (10 * NS_PER_SECOND)

#define STREAMS_MAX         96
#define STREAMS_PER_USER    12              /* tabs */
#define STREAM_LIFE_NS      (5 * NS_PER_MINUTE)    /* then the page connects anew, and the session is looked at anew */
#define STREAM_QUEUE_MAX    (256u * KIB)    /* unsent bytes of one client */
#define HEARTBEAT_NS        (15 * NS_PER_SECOND)
#define CHANGES_MAX         256             /* changes not told yet */
#define COUNT_NS            (10 * NS_PER_SECOND)   /* the desk's numbers are asked for so often */
#define FRESH_NS            (10 * NS_PER_SECOND)   /* a role that has not written its metrics for so long is down */
#define START_NS            (30 * NS_PER_SECOND)   /* a role may take so long to start */

/* Of libevent, whose headers only conn.c, server.c and stream.c include: event/event.h cannot stand beside them. */
struct bufferevent;
struct event;
struct event_base;
struct evconnlistener;

enum conn_state { CONN_HANDSHAKE, CONN_HEAD, CONN_BODY, CONN_WORK, CONN_SEND, CONN_STREAM, CONN_LINGER };

struct conn {
    struct portal      *portal;
    struct conn        *next, *prev;
    struct bufferevent *bev;
    uint64_t            id;
    char                address[64];
    bool                loopback, close_after;
    enum conn_state     state;
    int64_t             since;       /* clock_steady: the state began */
    int64_t             head_since;  /* the first byte of a head came; 0: none yet */
    struct call        *call;        /* being read or worked on; the pool owns it in CONN_WORK */
    size_t              body_reserved;
    struct stream      *stream;
    int64_t             beat;        /* the last thing sent on the stream */
};

enum stream_kind { STREAM_CHANGES, STREAM_TAIL };

struct stream {
    enum stream_kind kind;
    struct viewer    viewer;
    struct tail_sub *sub;            /* owned with STREAM_TAIL */
};

struct change {
    char type[12], id[ROUTE_ARG_MAX + 1];
};

struct portal_metrics {
    struct metric *requests[6];      /* by hundreds of the status; [0]: refused before a head was whole */
    struct metric *open_cases, *running_clocks, *overdue_clocks, *letters_queued, *letters_failed, *findings_taken, *sessions, *rows_waiting, *findings_waiting, *files_swept, *policies_wrong;
    struct metric *link_waiting, *link_oldest, *link_refused, *link_unapplied, *link_held;
    struct metric *micros, *connections, *streams, *refused_connections, *busy, *dropped;
};

/* The desk's numbers, asked for by a worker now and then. */
struct count_job {
    struct job         job;
    struct portal     *portal;
    struct desk_counts counts;
    bool               busy, known;
};

struct portal {
    struct portal_setup    setup;
    const struct catalog  *catalog;
    struct files          *files;
    struct buf             i18n[LANG_COUNT];
    struct desk           *desk[POOL_THREADS];
    struct desk_worker    *worker;   /* owned */
    struct pool           *pool;
    struct tail           *tail;
    struct pictures       *pictures; /* owned: what other roles publish */
    struct ssl_ctx_st     *tls;
    uint64_t               tls_stamp;   /* of the renewed certificate that is in force; 0: none was there */
    struct event_base     *base;     /* of libevent, as the next two */
    struct evconnlistener *listener;
    struct link_listener  *link;     /* owned; NULL: no node may connect */
    struct link_client    *link_client; /* owned */
    struct event          *event[8];
    size_t                 event_count;
    int                    port;
    struct conn           *conns;
    size_t                 conn_count, stream_count, body_bytes;
    uint64_t               next_conn;
    int64_t                started, published, counted;
    struct metrics         metrics;
    struct portal_metrics  m;
    struct count_job       count;
    int                    stop_fd, changed_fd;
    pthread_mutex_t        lock;     /* of the changes below */
    struct change          change[CHANGES_MAX];
    size_t                 change_count;
    bool                   change_lost;
};

struct sockaddr;

/* --- server.c --- */
/* portal_listen - bind "address:port" of a setting; *bound is the port. on and failed_on are callbacks of evconnlistener. */
typedef void portal_accept(struct evconnlistener *l, int fd, struct sockaddr *from, int n, void *arg);
typedef void portal_accept_error(struct evconnlistener *l, void *arg);
MUST_USE int portal_listen(struct portal *p, const char *setting, const char *text, portal_accept *on, portal_accept_error *failed_on, void *arg,
                           struct evconnlistener **out, int *bound, struct err *e);

/* --- conn.c --- */
void conn_accept(struct portal *p, int fd, const struct sockaddr *from);
void conn_close(struct conn *c);
/* conn_answered - call's reply is complete: send it (or forget it if the connection is gone). Takes the call. */
void conn_answered(struct call *call);
/* conn_sweep - end whatever has taken too long; beat the streams. */
void conn_sweep(struct portal *p, int64_t now);

/* --- reply.c --- */
/* reply_head - status line and headers for a reply to this method. */
void reply_head(const struct reply *r, bool keep_alive, struct buf *out);
/* reply_file - answer from the portal's files. */
void reply_file(struct call *c, const struct file_entry *f);

/* --- api_search.c --- */
/* search_objects - the words of *list are the objects whose events the viewer may read; *filter false: all. */
MUST_USE int search_objects(struct call *c, struct str *list, bool *filter);

/* --- stream.c --- */
void stream_free(struct stream **s);
/* stream_admit - is there room for one more? */
bool stream_admit(const struct portal *p, const struct stream *s);
/* stream_begin - the head is sent; from now on c belongs to the stream. */
void stream_begin(struct conn *c, struct stream *s);
void stream_end(struct conn *c);
/* stream_end_of - a session has ended, or all of a user's (0: none): so do their streams. */
void stream_end_of(struct portal *p, int64_t session, int64_t user);
/* stream_changes - tell all clients what was queued by portal_changed. */
void stream_changes(struct portal *p);
/* stream_tails - send what the tail's thread found. */
void stream_tails(struct portal *p);
void stream_beat(struct conn *c, int64_t now);

#endif
