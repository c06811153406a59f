/* internal.h - what the files of src/detect share. */
#ifndef SAQSHY_DETECT_INTERNAL_H
#define SAQSHY_DETECT_INTERNAL_H

#include "detect/detect.h"

/* --- rules.c: the files of rules, as last seen good --- */

/* What tells a file from what it was: while all of it is the same the file is not read. */
struct file_mark { uint64_t device, inode; int64_t size, written_ns, changed_ns; };   /* modification and change of the inode */
struct rule_file {
    char    *path;       /* owned */
    char    *text;       /* owned: what runs now */
    size_t   text_n;
    struct file_mark mark;   /* as it was read last, good or not */
    bool     young;      /* it changed so shortly before it was read that another change might not show in its mark */
    uint64_t seen;       /* hash of what stands in it, which is another text if */
    bool     kept;       /* it is broken: text is its former one */
    bool     taken;      /* while files are looked over */
    uint32_t base;       /* its place among the texts that were last written whole (sets.h), or SET_NOT_THERE */
};
/* Refusals that outlive the set in which they were found. */
struct refusals { struct arena arena; struct sigma_refusal *p; size_t count, cap; };
struct rule_store {
    struct rule_file *files;   /* in the order of the paths, below each sorted */
    size_t count;
    struct refusals kept;      /* why files that became broken go on as they were */
    struct sigma_units *units; /* what was made of them; NULL: nothing yet */
    const struct sigma_frequency *frequency;   /* borrowed; or NULL */
};
void rule_store_free(struct rule_store *s);
/* rule_store_load - look at the files, read those that are not as they were (anew: all), and build a set; files that became broken keep their former
 * text. 1: a set was made; 0: nothing has changed. */
MUST_USE int rule_store_load(struct rule_store *s, const char *const *paths, size_t count, bool anew, struct sigma **out, struct detect_rules *stats,
                             struct err *e);
/* rule_store_sources - the texts that run, borrowed; the array is the caller's. NULL without memory. */
struct sigma_source *rule_store_sources(const struct rule_store *s);
/* rule_store_tidy - when there is time: if too much of what was made of files before is of no use any more, all is made anew now, rather than when a change waits. */
MUST_USE int rule_store_tidy(struct rule_store *s, struct err *e);
/* rule_store_say - every refusal of the set, and of the files that were kept. */
void rule_store_say(const struct refusals *kept, const struct sigma *set, detect_say *say, void *arg);

/* detect_run_new - a run of the set, with the plain evaluator looking at some events too (detect.c). */
MUST_USE int detect_run_new(const struct sigma *s, struct sigma_run **out, struct err *e);

/* --- finding.c --- */

/* detect_rule_texts - what people read of a rule, as fields of a finding. */
MUST_USE int detect_rule_texts(const struct sigma_rule *r, struct event *f, struct event_batch *b);

/* detect_state - a part of the state of a host, handed on whole: no rule looks at it, and it is no finding. */
MUST_USE int detect_state(const struct event *ev, struct event_batch *out, struct err *e);

/* detect_shorten - findings too large for a frame, cut to what a case needs; the event itself stays whole in the journal. */
void detect_shorten(struct event_batch *found);

/* --- state.c: the file of saved state --- */

/* Offset  size  meaning
 *      0     8  "SAQDET3\n"
 *      8     8  seq: the first event whose effect is not in the state
 *     16     8  bytes of the rest
 *     24     8  XXH3 of the seq and the rest
 *     32     -  sections: four letters, bytes (le64), content:
 *               "corr" the correlations (src/sigma/state.c), "epis" episodes (episode_state.c), "risk" accounts (risk.c),
 *               "cove" what arrived (coverage_state.c), "poli" the texts of the policy by which all before was judged, ours and the
 *               site's, each with its length (varint), "cloc" the moment of the last tick that told something (le64; tick.c)
 * A section that is not there is empty, one that is not known is passed. Version 1 ("SAQDET1") is the content of "corr" alone, and is read. */
#define STATE_HEAD 32u
enum state_part { STATE_CORRELATIONS, STATE_EPISODES, STATE_RISK, STATE_COVERAGE, STATE_POLICY, STATE_CLOCK, STATE_PARTS };
MUST_USE int state_file_write(const char *path, uint64_t seq, const struct str parts[STATE_PARTS], struct err *e);
/* state_file_read - 0; 1 if there is none; -EBADMSG if it is damaged. parts borrow from b. */
MUST_USE int state_file_read(const char *path, struct buf *b, uint64_t *seq, struct str parts[STATE_PARTS], struct err *e);

#endif
