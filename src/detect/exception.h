/* exception.h - what a site excepts from a rule: a filter of Sigma with author, reason and expiry, as a file of DATA/rules/exceptions.
 *
 * Owns      nothing; the filters belong to the set (sigma_exception_at).
 * Promises  1. A file that exception_write made loads, names whom it excepts, and is undone by deleting it. It never takes the place of another.
 *           2. An expired exception excepts nothing from the moment it names, without anybody doing anything.
 *           3. The preview says nothing it did not look at: findings whose event is no longer at hand are counted apart, and one that is out of time says up to where
 *              it came.
 *           4. An exception may be as wide as its conditions: one whose conditions hold for whatever stands in their fields is told (exception_wide), not refused.
 * Threads   any.
 * Source    detect.md 7 (10); docs/detection.md, "Exceptions".
 *
 * DATA/detect/exceptions.json, written when the rules are read and when one expires:
 *   {"at":TIME,"exceptions":[{"id","title","file","line","author","reason","expires":TIME or null,"state":"active"|"expired",
 *     "objects":[ID …],"rules":[ID or name …] or [] for any}]} */
#ifndef SAQSHY_DETECT_EXCEPTION_H
#define SAQSHY_DETECT_EXCEPTION_H

#include "sigma/sigma.h"

#define EXCEPTION_WHERE_MAX 32
#define EXCEPTION_ID_MAX    64

struct exception_where { struct str field, value; };   /* field may carry modifiers: "CommandLine|contains" */

struct exception {
    struct str             title;       /* empty: made of the rule's and the conditions */
    struct str             rule;        /* its id or name */
    struct str             author, reason;
    time_ns                expires;
    struct str             object;      /* empty: all */
    struct exception_where where[EXCEPTION_WHERE_MAX];
    size_t                 where_count;
};

/* exception_text - the file of an exception from a rule of the set; id gets its UUID. -ENOENT: no such rule; -EINVAL: what cannot be excepted so, and why. */
MUST_USE int exception_text(const struct sigma *set, const struct exception *x, struct buf *out, char id[EXCEPTION_ID_MAX], struct err *e);
/* exception_write - into FOLDER/ID.yml, made if absent; path is what it is called. -EEXIST: there is one, and it stays. */
MUST_USE int exception_write(const char *folder, const char *id, struct str text, char path[4096], struct err *e);

/* What an exception would have removed. */
struct exception_preview {
    uint64_t findings, hits;            /* of the rule and the objects, as far as the journal of findings reaches */
    uint64_t removed, removed_hits;
    uint64_t unknown;                   /* findings whose event says too little to judge */
    time_ns  since;                     /* the oldest of them; 0: none */
    time_ns  until;                     /* the newest finding that was looked at; 0: none */
    bool     complete;                  /* false: out of time after it */
};
/* exception_seen - told of each finding it would have removed. Not 0 ends it. */
typedef int exception_seen(void *arg, const struct event *finding);
struct exception_places {
    const char        *findings, *content;
    const char *const *rules;           /* folders and files of pipelines and rules */
    size_t             rule_count;
    time_ns            deadline_steady;   /* 0: none */
};
/* exception_preview - over the journal of findings, from the oldest: the event of each is read again by the parsers from the line that the finding carries, and judged
 * by the exception's conditions. Out of time it answers 0, and out->complete is false. */
MUST_USE int exception_preview(const struct exception_places *where, const struct exception *x, exception_seen *seen, void *arg,
                               struct exception_preview *out, struct err *e);

/* exception_wide - each of its conditions holds for whatever its field holds ("|re: .*", "|exists", "|cidr: 0.0.0.0/0"): all that the rule finds in events with
 * these fields would be left out. Tried with values that have nothing in common; 1, 0, or below: no memory. */
MUST_USE int exception_wide(const struct exception *x, struct err *e);

/* exceptions_json - the file above, as of "at". */
void exceptions_json(const struct sigma *set, time_ns at, struct buf *out);

#endif
