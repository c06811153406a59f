/* internal.h - what the files of forward share: the thread of an upstream, the client's end of a connection, events as lines.
 *
 *      forward.c ──► runner.c ──► kinds.c ──► otlp.c (libcurl)
 *       signals,      reader,                 relp.c ───┐
 *       pictures      filter,                 syslog.c ─┼─► wire.c (TCP, TLS), line.c (RFC 5424)
 *                     cursor                            */
#ifndef SAQSHY_FORWARD_INTERNAL_H
#define SAQSHY_FORWARD_INTERNAL_H

#include "forward/forward.h"
#include "forward/upstream.h"
#include "query/query.h"

#include <pthread.h>
#include <sys/types.h>

/* --- an upstream at work --- */

struct journal_reader;

#define STATE_MAX 16
struct runner {
    struct upstream       u;           /* first: the functions of upstream.h find the rest by it */
    struct upstream_conf  conf;        /* own copy */
    char                  journal[4096], cursor_name[UPSTREAM_NAME_MAX + 16];
    pthread_t             thread;
    bool                  running;     /* the thread is to be joined */
    time_ns               stop_at;     /* of the thread: when it saw that it is to end; 0: not yet */
    bool                  connected;
    pthread_mutex_t       lock;        /* of the next four */
    struct query         *fresh;       /* another filter, to be taken; NULL: none */
    char                  state[STATE_MAX], error[ERR_TEXT_MAX];
    time_ns               error_at;
    /* of the thread */
    struct query         *query;
    struct journal_reader *reader;
    struct event_batch    batch;
    uint64_t              covered;     /* everything before was sent or did not pass the filter */
    bool                  outstanding; /* something was sent and is not acknowledged */
    uint64_t              kept;        /* the cursor's file says so */
    time_ns               kept_at, certs_at;
    uint64_t              certs;       /* stamp of the files when they were read */
    unsigned              tries;       /* in vain, one after another */
    char                  told[ERR_TEXT_MAX];   /* the last failure in the log, and when */
    time_ns               told_at;
    bool                  welcomed;    /* there was a connection */
    _Atomic uint64_t      damaged, failures, given_up;   /* given_up: events */
    _Atomic uint64_t      skip_to;     /* of forward.c: what is before is to be given up, limits.hold_bytes */
    /* of forward.c */
    uint64_t              age_seq;     /* whose age is known */
    time_ns               age_received, age_at;
    bool                  behind_told;
    uint64_t              held_bytes;
};

/* runner_new - everything but the thread; the cursor is there afterwards. */
MUST_USE int runner_new(const struct forward_options *o, const struct upstream_conf *c, struct runner **out, struct err *e);
MUST_USE int runner_start(struct runner *r, struct err *e);
/* runner_stop - tell it to end; runner_ended: it did (and is joined). */
void runner_stop(struct runner *r);
bool runner_ended(struct runner *r);
/* runner_free - after it ended. */
void runner_free(struct runner **r);
/* runner_filter - another filter from the next frame on. */
MUST_USE int runner_filter(struct runner *r, const struct upstream_conf *c, struct err *e);

/* place.c: where an upstream stands, on disk. */
#define PLACE_PREFIX "forward-"
/* place_open - the cursor (made if there is none) and the name of the numbering. */
MUST_USE int place_open(const char *journal, const struct upstream_conf *c, uint64_t *seq, char stream[UPSTREAM_STREAM_MAX], struct err *e);
/* place_renumber - a new name of the numbering: the other side knows the old one from another journal. */
MUST_USE int place_renumber(const char *journal, const char *name, char stream[UPSTREAM_STREAM_MAX], struct err *e);
/* place_drop_others - cursors of upstreams that the table does not name are removed, and told. */
void place_drop_others(const char *journal, const struct upstream_table *t);
/* place_give_up - write down in DATA/forward/given-up.jsonl, on disk, that [from, to) is not passed on: with the moments of receipt, by which it can be sent
 * again out of the store. */
MUST_USE int place_give_up(const char *data, const char *journal, const char *name, uint64_t from, uint64_t to, struct err *e);
/* place_received - when the event was received; 0: not known. */
time_ns place_received(const char *journal, uint64_t seq);

/* note.c: what a kind must find again after a fall, one line in DATA/forward/STREAM.KIND. */
#define NOTE_TEXT 1025u      /* with its zero byte */
#define NOTE_PATH 8192
void note_path(const struct upstream *u, const char *kind, char out[NOTE_PATH]);
/* note_read - returns how many bytes it has, 0: there is none, or it is empty. A larger one is -E2BIG. text ends with a zero byte in any case. */
MUST_USE int note_read(const char *path, char text[NOTE_TEXT], struct err *e);
/* note_write - makes the folder too; on disk when it returns. */
MUST_USE int note_write(const struct upstream *u, const char *kind, struct err *e, const char *fmt, ...) __attribute__((format(printf, 4, 5)));

/* --- a connection --- */

struct wire;
/* wire_open - resolve, connect, shake hands (conf.tls), all within limits.timeout_s. */
MUST_USE int wire_open(struct upstream *u, struct wire **out, struct err *e);
void wire_close(struct wire **c);
/* wire_write, wire_read - some bytes; 0: not now. Below zero: the connection is over, *e says why. */
MUST_USE ssize_t wire_write(struct wire *c, const char *p, size_t n, struct err *e);
MUST_USE ssize_t wire_read(struct wire *c, char *p, size_t n, struct err *e);
/* wire_wait - until it can be read (or written too). As upstream_wait. */
int wire_wait(struct wire *c, bool write, int wait_ms);
/* wire_written - bytes on the wire so far; wire_delivered - of those, that the other side's kernel has acknowledged. */
uint64_t wire_written(const struct wire *c);
uint64_t wire_delivered(const struct wire *c);

/* certs_stamp - changes when one of the files of the entry does. */
uint64_t certs_stamp(const struct upstream_conf *c);

/* --- events as lines of syslog --- */

enum line_format { LINE_ORIGINAL, LINE_STRUCTURED };
struct line_form {
    enum line_format format;
    bool             one_line;    /* line feeds become spaces */
    uint32_t         enterprise;  /* of the SD-IDs */
};
MUST_USE int line_form_take(const struct upstream_conf *c, const char *file, struct line_form *out, struct err *e);
/* line_wants - may the message depend on this field of an event? */
bool line_wants(const struct line_form *f, struct str field);
/* line_of - the message of an event, without framing: its own line where that is one, else written into room, which may have failed. */
struct str line_of(const struct line_form *f, const struct event *ev, struct buf *room);

#endif
