/* stream.h - connections with a byte stream, plain or TLS: accepting, limits, the handshake, reading in turn, answering.
 *
 * Owns      a stream owns its listening socket and its connections, a connection the state of its protocol (size bytes, zeroed).
 * Promises  1. At most limits.connections at a time: past that newcomers wait in the kernel's queue. Of one address at most
 *              limits.peer_connections: more are closed and counted. When more than half of the places are taken, a connection that has
 *              shown no certificate (TLS) or not one byte (plain) within HURRY_NS is closed: a stranger cannot hold all places.
 *           2. Nothing that was read is dropped: an address over limits.peer_bytes_s is not read for a while, and so is everybody when the
 *              queue is full; the sender feels it.
 *           3. An idle TLS connection keeps no buffers.
 *           4. Certificates are read again when their files change (tls.h); connections that stand keep the old ones.
 *           5. A change of configuration closes no connection.
 * Threads   loop only.
 * Units     bytes, time_ns (steady, but of receipt where said).
 * Source    RFC 5425, 6587; see listener.h. */
#ifndef SAQSHY_INGEST_STREAM_H
#define SAQSHY_INGEST_STREAM_H

#include "ingest/listener.h"

struct stream;
struct stream_conn;

struct stream_protocol {
    const char *title;                                           /* in messages: "syslog" */
    size_t      size;                                            /* of the state of a connection */
    int  (*begin)(struct stream_conn *c);                        /* before the first bytes; below zero closes */
    void (*feed)(struct stream_conn *c, struct str bytes);       /* may call stream_send and stream_finish */
    void (*silent)(struct stream_conn *c, time_ns since);        /* each second without a byte; may be NULL */
    void (*flush)(struct stream_conn *c);                        /* nothing more will come: hand over what is held; may be NULL */
    void (*over)(struct stream_conn *c);                         /* after begin, at the end: hand over what is held, free */
    void (*drained)(struct stream_conn *c);                      /* all that was sent has left: there is room again; may be NULL */
    bool (*due)(const struct stream_conn *c);                    /* answers are still to come; may be NULL */
};

/* stream_open - for kinds: the open of a listener_kind. */
MUST_USE int stream_open(struct ingest *in, const struct listener_kind *kind, const struct stream_protocol *p, const struct listen_conf *c,
                         struct listener **out, struct err *e);
/* The other members of a kind over a stream. */
int      stream_change(struct listener *l, const struct listen_conf *c, struct err *e);
void     stream_pause(struct listener *l, bool paused);
void     stream_tick(struct listener *l);
void     stream_stop_accepting(struct listener *l);
/* stream_busy - answers are due, and not for longer than STREAM_BUSY_NS since no more was taken. */
bool     stream_busy(const struct listener *l);
#define STREAM_BUSY_NS (10 * NS_PER_SECOND)
void     stream_close(struct listener *l);
uint16_t stream_port(const struct listener *l);
#define STREAM_MEMBERS                                                                                                        \
    .change = stream_change, .pause = stream_pause, .patient = true, .tick = stream_tick, .stop_accepting = stream_stop_accepting, .busy = stream_busy, \
    .close = stream_close, .port = stream_port

/* --- for protocols --- */
void *stream_state(struct stream_conn *c);
const void *stream_look(const struct stream_conn *c);   /* the same, to look only */
struct ingest *stream_ingest(const struct stream_conn *c);
const struct listener *stream_listener(const struct stream_conn *c);
/* stream_sender - address, verified name, card. */
const struct sender *stream_sender(const struct stream_conn *c);
/* stream_received - when the bytes of this feed came, UTC. */
time_ns stream_received(const struct stream_conn *c);
/* stream_send - queue bytes for the other side. False past STREAM_OUT_MAX: the connection is then closed. Not to be used after over. */
#define STREAM_OUT_MAX (256u * KIB)
bool stream_send(struct stream_conn *c, struct str bytes);
/* stream_room - how many bytes stream_send takes now. */
size_t stream_room(const struct stream_conn *c);
/* stream_wait - do not read this connection (or go on): the other side feels it. */
void stream_wait(struct stream_conn *c, bool wait);
/* stream_wrong - the other side broke the protocol: counted, and told once a minute. */
void stream_wrong(struct stream_conn *c, const char *why);
/* stream_finish - read no more; close when what was sent has left. */
void stream_finish(struct stream_conn *c);
/* stream_held - tell by how much the bytes held of unfinished messages changed; *limit is what one message may now have. */
void stream_held(struct stream_conn *c, size_t before, size_t after, size_t *limit_bytes);

#endif
