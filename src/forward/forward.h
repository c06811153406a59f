/* forward.h - the role forward: readers of the journal that pass events on to other systems.
 *
 * Owns      DATA/forward, DATA/journal/cursors/forward-NAME, DATA/run/forward.json and metrics-forward.prom.
 * Promises  1. Each upstream has its own place in the journal, filter, connection and thread. One that is slow, dead or wrongly set up
 *              delays no other, and nobody who writes to us.
 *           2. Nothing is passed over silently: the place moves when the other side has acknowledged, or (syslog, which has no
 *              acknowledgement) when its kernel has. What it can never take is counted and told with its number.
 *           3. Exactly once to another Saqshy: a request is numbered by the event of the journal it ends before, and the other side is
 *              asked where we are before anything is sent. To others at least once.
 *           4. Connects to nobody but the addresses of the configuration.
 *           5. Bounded: UPSTREAMS_MAX upstreams; an upstream holds one frame of the journal as it was read (usually below 2 MiB, at the most
 *              what one frame can be), one batch (limits.batch_bytes twice), and limits.window_events numbers of at most 32 bytes. One that is not
 *              connected holds none of it.
 *           6. Another configuration touches only upstreams that are written differently; another filter keeps the connection.
 * Threads   forward_run: main. Inside, a thread an upstream: reading, decompressing and filtering is work, resolving names, the libraries
 *           for HTTP and files block, and all of it must not be anybody else's time.
 * Units     seq counts events of the journal; bytes; time_ns.
 * Source    design section 1 ("a journal, and readers"); docs/forwarding.md. */
#ifndef SAQSHY_FORWARD_FORWARD_H
#define SAQSHY_FORWARD_FORWARD_H

#include "base/upstreams.h"

struct upstream_rights;

struct forward_options {
    const char                  *data;
    const struct upstream_table *upstreams;
    int64_t                      warn_behind_s;
    bool                         cuts;      /* nobody else cuts the journal behind its readers: there is no role index */
    int                          again_code;   /* exit code for "begin anew", should a thread keep the process from returning */
    /* reload - another configuration, checked; the table lives until the next call. NULL: there is none. */
    int (*reload)(void *arg, const struct upstream_table **fresh, struct err *e);
    void *arg;
};

/* forward_run - until SIGTERM or SIGINT: 0. 1: another configuration needs rights that the sandbox does not give, begin anew (what was on its way has
 * been acknowledged, as far as the other sides did so within UPSTREAM_GRACE_MS). */
MUST_USE int forward_run(const struct forward_options *o, struct err *e);

/* forward_check - what base cannot judge of the entries: filters, options of kinds. file is named in errors. */
MUST_USE int forward_check(const struct upstream_table *t, const char *file, struct err *e);
/* --- once more, beside the role: resend.c --- */

struct event;
struct resend;
/* resend_open - connect to an upstream of the configuration, under a numbering of its own: what the other side has already it gets again. */
MUST_USE int resend_open(const struct upstream_conf *c, const char *data, struct resend **out, struct err *e);
/* resend_event - hand over one event, if it passes the filter of the upstream; waits where the other side is slow. */
MUST_USE int resend_event(struct resend *r, const struct event *ev, struct err *e);
/* resend_end - wait until everything is acknowledged. */
MUST_USE int resend_end(struct resend *r, struct err *e);
/* resend_sent - events that were acknowledged. */
uint64_t resend_sent(const struct resend *r);
uint64_t resend_refused(const struct resend *r);
void resend_close(struct resend **r);

/* forward_rights - what these entries need of the sandbox. */
void forward_rights(const struct upstream_table *t, const struct upstream_rights *r);

#endif
