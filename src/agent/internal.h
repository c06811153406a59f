/* internal.h - what the files of the agent share.
 *
 *      facts.c ◄── lists.c, dpkg.c, trees.c, clock.c     (src/agent/facts.h)
 *         ▼
 *      files.c, journald.c, ports.c ──► batch (otlp.c) ──► spool.c ──► send.c ──► collector
 *                 ▲                                                       │ acknowledged
 *                 └──────────────────── state.c ◄─────────────────────────┘ */
#ifndef SAQSHY_AGENT_INTERNAL_H
#define SAQSHY_AGENT_INTERNAL_H

#include "agent/agent.h"
#include "base/whofile.h"

#include <sys/types.h>
#include <time.h>

#define AGENT_PATH_MAX   4096
#define LINE_MAX_BYTES   (1u * MIB)      /* longer lines go in pieces, each marked */
#define BATCH_BYTES_MAX  (1u * MIB)      /* of lines; one line may go over it */
#define BATCH_LINES_MAX  5000
#define FILES_MAX        1024
#define GENERATIONS_MAX  16
#define STATE_FILES_MAX  (FILES_MAX * GENERATIONS_MAX)
#define STATE_PORTS_MAX  4096
#define STATE_BYTES_MAX  (8u * MIB)
#define CURSOR_MAX       512
#define AUDIT_LOG        "/var/log/audit/audit.log"
#define FACT_KINDS       4               /* packages, settings, files, time */
#define TREES_MAX        64
#define TREE_FILES_MAX   200000          /* "files_max" goes no higher */

/* --- configuration --- */

struct agent_file {
    char *glob, *program;
    struct str *starts;                  /* how its records begin; none: each line is one */
    size_t start_count;
};
struct agent_config {
    char  *id, *state, *url, *ca, *cert, *key;
    bool   journald, system_files;       /* inputs: auto means journald, or else the files of the system */
    bool   ports;
    struct agent_file *files;
    size_t file_count;
    bool    packages, clock;
    char   *packages_file, *settings_file;   /* settings_file NULL: none */
    char  **trees, **tree_exclude;           /* sorted, none inside another */
    size_t  tree_count, tree_exclude_count;
    time_ns tree_every_ns;
    int64_t tree_files_max;
};

/* --- state: how far we are; text, one fact a line, see state.c --- */

struct mark {
    dev_t       dev;
    ino_t       ino;
    struct file_head head;
    uint64_t    offset;
    bool        done;                    /* read to its end and closed */
    char       *path, *program;
};
struct port {
    char     proto[8];                   /* tcp tcp6 udp udp6 */
    char     address[48];
    uint16_t number;
};
struct fact_mark {
    uint64_t scan, offset;               /* of the last message, and how far it is sent */
    uint64_t full_at;                    /* when a list went whole; 0: never */
};
struct state {
    uint64_t     number;                 /* of the last batch made */
    struct mark *marks;
    size_t       mark_count, mark_cap;
    struct port *ports;
    size_t       port_count, port_cap;
    bool         ports_known;
    char         cursor[CURSOR_MAX];     /* of journald */
    struct fact_mark facts[FACT_KINDS];
};
void state_free(struct state *s);
/* state_read - -EBADMSG if it is not whole. */
MUST_USE int state_read(struct str text, struct state *s, struct err *e);
void state_write(const struct state *s, struct buf *out);
MUST_USE int state_add_mark(struct state *s, const struct mark *m);   /* texts are copied */
MUST_USE int state_add_port(struct state *s, const struct port *p);

/* --- a batch: OTLP being written --- */

struct record {
    struct str body, path, unit, pid, facts;
    time_ns    time;                     /* 0: the line says it itself */
    bool       truncated;
};
struct batch {
    struct buf records, body, packed;
    size_t     lines, bytes;
};
void batch_init(struct batch *b);
void batch_free(struct batch *b);
void batch_reset(struct batch *b);
void batch_add(struct batch *b, const struct record *r, time_ns now);
static inline bool batch_full(const struct batch *b) { return b->lines >= BATCH_LINES_MAX || b->bytes >= BATCH_BYTES_MAX; }
/* batch_close - the whole request, compressed, in b->packed. */
MUST_USE int batch_close(struct batch *b, struct str host, struct str agent, int32_t zone_min, struct err *e);

/* --- spool --- */

struct spool;
MUST_USE int spool_open(const char *folder, struct spool **out, struct err *e);
void spool_close(struct spool **s);
MUST_USE int spool_put(struct spool *s, uint64_t number, struct str state, struct str body, struct err *e);
/* spool_get - 1 if there was a batch: its parts are views into plain. A damaged one is put aside, said, and there is none. */
MUST_USE int spool_get(struct spool *s, struct buf *plain, uint64_t *number, struct str *state, struct str *body, struct err *e);
MUST_USE int spool_drop(struct spool *s, struct err *e);
/* spool_aside - keep a batch that the collector will never take: spool/refused-NUMBER, the oldest REFUSED_MAX of them. */
MUST_USE int spool_aside(struct spool *s, uint64_t number, struct err *e);
/* spool_unseal - the pure part: bytes of a file to its parts. */
MUST_USE int spool_unseal(const unsigned char key[32], struct str file, struct buf *plain, uint64_t *number, struct str *state,
                          struct str *body, struct err *e);
MUST_USE int spool_seal(const unsigned char key[32], uint64_t number, struct str state, struct str body, struct buf *file,
                        struct err *e);

/* --- sending --- */

enum sent { SENT_STORED, SENT_REPEATED, SENT_LATER, SENT_REFUSED, SENT_STOPPED };
struct sender;
MUST_USE int sender_open(const struct agent_config *c, int stop_fd, struct sender **out, struct err *e);
void sender_close(struct sender **s);
/* sender_post - last is the collector's last number of us (SENT_REPEATED); wait_s what it asks us to wait (SENT_LATER, 0: nothing). */
enum sent sender_post(struct sender *s, uint64_t number, struct str body, uint64_t *last, int *wait_s, struct err *e);

/* sender_identity - from the next connection on show this certificate; connections of before are not used again. */
MUST_USE int sender_identity(struct sender *s, const char *cert, const char *key, struct err *e);
/* sender_certificate - POST ask to /v1/certificate, or with NULL GET what was made: the status; out gets the body of 200. -EINTR: stop. */
MUST_USE int sender_certificate(struct sender *s, const char *ask, struct buf *out, struct err *e);

/* --- renewal of our certificate --- */

struct renewal;
MUST_USE int renewal_open(const struct agent_config *c, struct renewal **out, struct err *e);
void renewal_free(struct renewal **r);
/* renewal_cert, renewal_key - the files of now: those of the configuration, or the newer identity in the state folder. */
const char *renewal_cert(const struct renewal *r);
const char *renewal_key(const struct renewal *r);
/* renewal_turn - when two thirds of the certificate's life are over: ask, fetch, show the new one from then on. Cheap otherwise. */
void renewal_turn(struct renewal *r, struct sender *s);

/* --- sources --- */

struct files;
/* system: the usual files under /var/log too. since: when the state was written; 0: never. */
MUST_USE int files_new(const struct agent_config *c, bool system, const struct state *s, struct timespec since, struct files **out,
                       struct err *e);
void files_close(struct files **f);
int files_fd(const struct files *f);                    /* inotify: readable when something may have changed */
void files_drain(struct files *f);
/* files_read - whole new lines until the batch is full. True if more are there already. */
bool files_read(struct files *f, struct batch *b, time_ns now);
MUST_USE int files_save(const struct files *f, struct state *s);

struct journald;
/* journald_open - NULL in *out if this host has no journal. */
MUST_USE int journald_open(const char *cursor, struct journald **out, struct err *e);
void journald_close(struct journald **j);
int journald_fd(const struct journald *j);
/* journald_read - audit_elsewhere: records of the audit system are passed over, because they are read from AUDIT_LOG. */
bool journald_read(struct journald *j, struct batch *b, time_ns now, bool audit_elsewhere);
/* journald_audit - such a record as auditd writes it, from what journald keeps of it: the type's name, the serial, the moment and the
 * message, which begins with the name. {NULL,0} if it does not fit together. The pure part. */
struct str journald_audit(struct arena *a, struct str type, struct str serial, struct str usec, struct str message);
void journald_save(const struct journald *j, struct state *s);

struct facts;
MUST_USE int facts_new(const struct agent_config *c, const struct state *s, struct facts **out, struct err *e);
void facts_free(struct facts **f);
int  facts_fd(const struct facts *f);                   /* inotify of the trees; -1: none */
void facts_drain(struct facts *f);
/* facts_work - a slice of what is to be collected: some 20 ms. facts_busy: there is more at once. */
void facts_work(struct facts *f);
bool facts_busy(const struct facts *f);
bool facts_read(struct facts *f, struct batch *b, time_ns now);
MUST_USE int facts_save(const struct facts *f, struct state *s);
void facts_settled(struct facts *f);

struct ports;
MUST_USE int ports_new(const struct state *s, struct ports **out, struct err *e);
void ports_free(struct ports **p);
void ports_read(struct ports *p, struct batch *b, time_ns now);
MUST_USE int ports_save(const struct ports *p, struct state *s);
/* ports_parse - the listening ports of one table of /proc/net; the pure part. inode[i] is the socket of port i. */
size_t ports_parse(struct str table, const char *proto, uint16_t udp_below, struct port *out, uint64_t *inode, size_t most);

#endif
