/* upstream.h - the one interface of all kinds of upstreams: what events are handed to, and how it tells that it has them.
 *
 * Owns      the role owns struct upstream; a kind owns what hangs from u->state, from open to close.
 * Promises  1. No file of forward names another kind: kinds.c has the table.
 *           2. Events come in the order of the journal. What was sent and not acknowledged is sent again after the next connect, so a kind keeps
 *              nothing for later: the journal does.
 *           3. The cursor of an upstream moves only as far as upstream_acked says.
 *           4. Nothing that a kind does delays another upstream: each has a thread of its own.
 * Threads   all functions of a kind are called by the thread of the upstream; check and rights by anybody.
 * Units     seq counts events of the journal; bytes; milliseconds where the name says so.
 * Source    docs/forwarding.md.
 *
 * A new kind K: a line in base/upstreams.def, and a struct upstream_kind K_upstream in a file of its own. The life of an upstream:
 *
 *      open ─► connect ─► send … send ─► settle ─► send … ─► disconnect ─► connect … ─► close
 *                 │        (holds what came, writes when enough) │
 *                 └──── any of them may fail: the role disconnects, pauses (longer each time), connects again, and sends
 *                       from the first event that was not acknowledged                                                        */
#ifndef SAQSHY_FORWARD_UPSTREAM_H
#define SAQSHY_FORWARD_UPSTREAM_H

#include "base/upstreams.h"
#include "event/event.h"

#include <stdatomic.h>

#define UPSTREAM_STREAM_MAX 64      /* name of a numbering, as other Saqshys see it */

struct upstream_kind;

struct upstream {
    const struct upstream_kind *kind;
    const struct upstream_conf *conf;      /* borrowed until close */
    const char                 *data;      /* the data directory; a kind may keep files in DATA/forward */
    char                        stream[UPSTREAM_STREAM_MAX];   /* NAME-RANDOM: this journal and this upstream, for those who number */
    int                         stop_fd;   /* readable when the role ends or the upstream is taken out: upstream_wait watches it */
    void                       *state;     /* the kind's */
    uint64_t                    first_seq; /* first event that was not acknowledged: set before connect, raised by upstream_acked */
    /* what is told */
    _Atomic uint64_t            acked, sent, bytes, refused;   /* acked: as first_seq; sent: events, bytes: as acknowledged */
    _Atomic int64_t             last_sent; /* time_ns of the last acknowledgement */
};

/* What a kind needs of the sandbox (kernels with Landlock): told once, before the role enters it. */
struct upstream_rights {
    void *arg;
    void (*connect)(void *arg, uint16_t port);           /* TCP to this port */
    void (*read)(void *arg, const char *file);           /* this file, also when it is replaced: its folder is allowed */
    void (*write)(void *arg, const char *folder);        /* everything in this folder, which is made if it is not there */
};

struct upstream_kind {
    enum upstream_type type;
    /* check - options, address: what base cannot judge. -EINVAL with upstream_bad. May be NULL. */
    int (*check)(const struct upstream_conf *c, const char *file, struct err *e);
    /* rights - besides the address of the entry (where it is host:port) and the files of its `tls`. May be NULL. */
    void (*rights)(const struct upstream_conf *c, const struct upstream_rights *r);
    /* open - make u->state. Connects to nobody. */
    int (*open)(struct upstream *u, struct err *e);
    /* connect - ready to take events from u->first_seq on. Where the other side says that it has more than we know, upstream_acked first. */
    int (*connect)(struct upstream *u, struct err *e);
    /* wants - does send look at this field of an event? Of those that neither it nor the filter looks at nothing is read. NULL: at all of them. */
    bool (*wants)(const struct upstream *u, struct str field);
    /* send - take count events (those that passed the filter), copied or written before it returns. next_seq is one past the last event of the
     * journal that this portion stands for: once it and all before it are delivered, upstream_acked(u, next_seq, …). 0: more may come at once;
     * 1: settle first. A portion has at most UPSTREAM_PORTION events. */
    int (*send)(struct upstream *u, const struct event *events, size_t count, uint64_t next_seq, struct err *e);
    /* settle - send out what is held and take the acknowledgements that are there; where some are due, wait for them at most wait_ms. Called often while
     * nothing happens, with wait_ms 0: notice a connection that ended. 0: everything is acknowledged; 1: not yet. */
    int (*settle)(struct upstream *u, int wait_ms, struct err *e);
    void (*disconnect)(struct upstream *u);   /* also after a connect that failed */
    void (*close)(struct upstream *u);
};
#define UPSTREAM_PORTION 1024

/* upstream_acked - everything before next_seq is delivered: events and bytes of it for the counters. Never moves back. */
void upstream_acked(struct upstream *u, uint64_t next_seq, uint64_t events, uint64_t bytes);
/* upstream_refuse - one event that the other side can never take (too large for its protocol); counted, and told in the log with its seq and the reason. The
 * kind goes on behind it. */
void upstream_refuse(struct upstream *u, const struct event *ev, const char *reason);
/* upstream_wait - sleep until fd (-1: none) is ready for events (POLLIN, POLLOUT), or wait_ms passed. Returns what is ready, 0 after wait_ms, -EINTR when the
 * upstream is to end and its grace (UPSTREAM_GRACE_MS after the wish) is over. */
int upstream_wait(struct upstream *u, int fd, short events, int wait_ms);
#define UPSTREAM_GRACE_MS 2000
/* upstream_stopping - the upstream is to end; what is on its way may still be acknowledged. */
bool upstream_stopping(struct upstream *u);
/* upstream_bad - an error at the option (or, if it was not given, the entry): "FILE:LINE:COLUMN: upstream "NAME": …". */
int upstream_bad(const struct upstream_conf *c, const char *file, const char *option, struct err *e, const char *fmt, ...) __attribute__((format(printf, 5, 6)));
/* upstream_only - every option of the entry is in the NULL-ended list. */
MUST_USE int upstream_only(const struct upstream_conf *c, const char *file, const char *const *names, struct err *e);
/* upstream_whole - the option, where it is given, is a whole number from least to most, and *out becomes it; otherwise *out stays as it is. */
bool upstream_whole(const struct upstream_conf *c, const char *name, uint64_t least, uint64_t most, uint64_t *out);

/* kinds.c: each kind K of base/upstreams.def is defined as K_upstream. */
#define UPSTREAM(kind, address, tls) extern const struct upstream_kind kind##_upstream;
#include "base/upstreams.def"
#undef UPSTREAM
const struct upstream_kind *upstream_kind_find(enum upstream_type type);

#endif
