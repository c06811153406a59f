/* sets.h - which rules looked at which events: the texts of the rules in force, and from which event on, on disk.
 *
 * A restart replays the events behind the saved state. The files of rules may be others by then; the events were looked at by the former ones, and
 * must be again. So the texts of each set are kept until the saved state has passed the moment when the next one came.
 *
 *     STATE.rules              lines "SEQ HASH": from event SEQ on the set HASH looked; and "stop SEQ": nothing behind SEQ was looked at
 *     STATE.rules-HASH         "SQRS1\n", number of files, then path and text of each; HASH is the XXH3 of it all; or
 *                              "SQRS2\n", another HASH (le64) whose texts stand whole, the number of files, and until there are as many: place in the
 *                              other's list, how many from there, how many files more, path and text of each of these
 *
 * The second form is for a set of which most is in the other, so that a changed rule writes a changed rule; such a set is never the other of a third.
 *
 * Owns      nothing on its own: struct sets is a list in memory.
 * Promises  1. sets_write replaces the list whole and durably; a set's texts are durable before a line names them.
 *           2. What cannot be read is told, never guessed.
 * Threads   owner.
 * Units     seq of the journal. */
#ifndef SAQSHY_DETECT_SETS_H
#define SAQSHY_DETECT_SETS_H

#include "sigma/sigma.h"

#define SETS_MAX       64               /* sets within one replay; of more the middle ones are left out */
#define SET_BYTES_MAX  (512u * MIB)

struct set_line { uint64_t seq, hash; };
struct sets {
    struct set_line line[SETS_MAX];
    size_t          count;
    bool            stopped;
    uint64_t        stop;
};

uint64_t set_hash(const struct sigma_source *sources, size_t count);
/* set_save - the texts below state, durable. at: of each file its place in the set base, which was written whole, or SET_NOT_THERE; base 0: there is none, and at
 * may be NULL. Returns how they stand there now. */
#define SET_NOT_THERE UINT32_MAX
enum { SET_WAS_THERE, SET_IN_PARTS, SET_WHOLE };
MUST_USE int set_save(const char *state, const struct sigma_source *sources, const uint32_t *at, size_t count, uint64_t hash, uint64_t base, struct err *e);
/* set_load - texts lie in a. -ENOENT, -EBADMSG. */
MUST_USE int set_load(const char *state, uint64_t hash, struct arena *a, struct sigma_source **sources, size_t *count, struct err *e);
/* sets_read - an absent file is an empty list. */
MUST_USE int sets_read(const char *state, struct sets *out, struct err *e);
MUST_USE int sets_write(const char *state, const struct sets *s, struct err *e);
/* sets_add - from seq on the set hash looks: what was to look from seq on or later is gone. Lines that a replay from saved on cannot need go. */
void sets_add(struct sets *s, uint64_t seq, uint64_t hash, uint64_t saved);
/* sets_clean - remove texts that no line needs. */
void sets_clean(const char *state, const struct sets *s);

#endif
