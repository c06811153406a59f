/* hunt_internal.h - what the readers of hunt share: hunt.c reads lines and JSON, hunt_evtx.c event logs of Windows. */
#ifndef SAQSHY_DETECT_HUNT_INTERNAL_H
#define SAQSHY_DETECT_HUNT_INTERNAL_H

#include "detect/hunt.h"
#include "parse/evtx.h"
#include "parse/parse.h"

struct hunt {
    const struct sigma *rules;
    struct sigma_run   *run;
    struct parser      *parser;
    struct evtx        *evtx;   /* made when the first event log is met */
    struct event_batch  batch;
    uint64_t            seq;
};

/* One file while it is read: a window of bytes that grows at its end and is dropped at its head. */
struct source {
    const char *path;
    int         fd;
    struct buf  window;
    size_t      at;          /* first byte not used */
    bool        end;
    uint64_t    record;
    time_ns     received;
    hunt_sink  *sink;
    hunt_complain *say;
    void       *arg;
    struct hunt_stats *stats;
};

/* hunt_more - read on; what was used is dropped. */
MUST_USE int hunt_more(struct source *s, struct err *e);
/* hunt_look - the event at hand through the rules. */
MUST_USE int hunt_look(struct hunt *h, struct source *s, struct err *e);
/* hunt_broken - a record that cannot be read is told, counted and passed over. */
void hunt_broken(struct source *s, const char *why);

MUST_USE int hunt_evtx(struct hunt *h, struct source *s, struct err *e);

#endif
