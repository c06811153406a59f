/* facts.h - the state of the host, for the files of the collectors: lists, the walk through trees, packages.
 *
 *      STATE/facts/KIND.part   a list being made; after a kill the walk goes on behind its last whole line
 *                  KIND.new    a whole list that differs from what the collector has; it becomes KIND.base when the collector has it
 *                  KIND.base   what the collector has
 *                  KIND.out    the message: what of KIND.new KIND.base has not (or all of it), one part a line; how far it is sent stands in STATE/state
 *
 * A list is text, sorted by key (fact_key_cmp): "saqshy-facts 1 KIND SCAN", then a line an item, then "\4end COUNT". An item is its key, a tab and
 * its value; what stands behind \37 is for us alone. */
#ifndef SAQSHY_AGENT_FACTS_H
#define SAQSHY_AGENT_FACTS_H

#include "agent/internal.h"
#include "agent/settings.h"

#include <sys/timex.h>

#define FACT_LINE_MAX      (3 * AGENT_PATH_MAX + 1024)
#define FACT_PACKAGES_MAX  50000
#define TREE_DEPTH_MAX     64
#define TREE_WATCHES_MAX   16384
#define PART_BYTES         (128u * KIB)

/* --- lists.c --- */

/* fact_escape - bytes that would break a line, a text or a name: controls, "%", and what is not UTF-8, as %xx. */
void fact_escape(struct str raw, struct buf *out);
/* fact_unescape - the raw bytes, NUL-ended; false if they do not fit. */
bool fact_unescape(struct str text, char *out, size_t size);
/* fact_key_cmp - the order of a walk that visits names sorted: "/" stands before every other byte. */
int fact_key_cmp(struct str a, struct str b);

struct list {
    FILE      *f;
    char       line[FACT_LINE_MAX];
    uint64_t   scan;
    struct str key, value, aux;      /* of the item at hand, views into line */
    bool       have, whole;          /* an item is at hand; the end was met */
};
/* list_open - the first item is at hand. False if there is no such list. */
bool list_open(struct list *l, const char *path);
void list_advance(struct list *l);
void list_close(struct list *l);

struct list_out {
    FILE    *f;
    uint64_t count;
};
MUST_USE int list_make(struct list_out *o, const char *path, const char *kind, uint64_t scan, struct err *e);
void list_put(struct list_out *o, struct str key, struct str value, struct str aux);
/* list_resume - a list that was broken off, cut behind its last whole line, for writing on: 1, its scan and its last key (NUL-ended). 0: none. */
MUST_USE int list_resume(struct list_out *o, const char *path, uint64_t *scan, char *last, size_t size, struct err *e);
MUST_USE int list_end(struct list_out *o, struct err *e);   /* synced and closed */
void list_abort(struct list_out *o);

/* --- dpkg.c --- */

struct dpkg {
    char name[256], arch[64], version[256];
    bool installed;
};
typedef void dpkg_take(void *arg, struct str key, struct str version);
/* dpkg_line - the next line of dpkg's status file; an empty one (and the end) ends a package. The pure part. */
void dpkg_line(struct dpkg *d, struct str line, dpkg_take *take, void *arg);
/* dpkg_list - the installed packages as a list. */
MUST_USE int dpkg_list(const char *status, struct list_out *o, struct err *e);
/* settings_list - the values of the settings as a list. */
MUST_USE int settings_list(const struct settings *s, struct list_out *o, struct err *e);

/* --- clock.c --- */

/* clock_fact - what an answer of adjtimex says: "synchronised | unsynchronised | unreadable TAB offset in ms TAB estimated error in ms TAB why not". The
 * pure part: rc and error are what the call gave. */
void clock_fact(const struct timex *t, int rc, int error, struct buf *out);
/* clock_list - the clock of this host as a list of one item. */
MUST_USE int clock_list(struct list_out *o, struct err *e);

/* --- trees.c --- */

struct trees;
struct tree_result {
    uint64_t files, unreadable, over;   /* over: more than the agent may look at */
};
MUST_USE int trees_new(const struct agent_config *c, int inotify, struct trees **out, struct err *e);
void trees_free(struct trees **t);
/* trees_begin - a walk into list o, behind after (""; or the last key that is there). base: files that look as they did there are not read again;
 * NULL: every file is read. */
MUST_USE int trees_begin(struct trees *t, struct list_out *o, const char *after, const char *base, struct err *e);
/* trees_step - go on for about so long. 1: there is more, 0: the walk is done. */
int trees_step(struct trees *t, time_ns budget);
const struct tree_result *trees_result(const struct trees *t);

#endif
