/* backup.h - a copy of a node on another disk, made while it runs, and a node made of it again.
 *
 * Owns      TARGET: SAQSHY-BACKUP (says that the folder is ours), LOCK, objects/xx/SHA256 (each file under its content), BACKUP (which files there were, written last).
 * Promises  1. The source is only read: no lock of a role is taken, nothing in it is written.
 *           2. What BACKUP names is one consistent node: every event that was acknowledged before the backup began is in its store or its journal, once, and the desk, the findings
 *              and the places of readers fit them.
 *           3. All or nothing: until BACKUP is replaced, atomically, the copy before it is whole; a kill at any moment leaves one of the two, and the next run goes on with what was
 *              copied. The same holds for a full target.
 *           4. A second run copies what changed: parts are known by the SHA-256 of the store's manifest, other files by size, time and inode.
 *           5. Every copy is read again from the target and compared by SHA-256 before it is named.
 *           6. Private keys are in it only where asked for. Reading and writing keep to a rate.
 * Threads   owner.
 * Units     bytes, time_ns.
 * Source    issue 7 point 7; docs/backup.md, docs/formats.md. */
#ifndef SAQSHY_BACKUP_BACKUP_H
#define SAQSHY_BACKUP_BACKUP_H

#include "base/base.h"

/* How far it is: from time to time, and once at the end. */
struct backup_progress {
    uint64_t files, bytes;                /* looked at, of these files */
    uint64_t copied_files, copied_bytes;  /* of them written now; in a restore, made */
    uint64_t passes;                      /* how often the state was taken anew because it moved on meanwhile */
};
typedef void backup_tell(void *arg, const struct backup_progress *p, const char *now);
typedef void backup_complaint(void *arg, const char *file, const char *reason);

struct backup_options {
    bool              keys;               /* private keys too */
    uint64_t          bytes_per_s;        /* read, of both sides; 0: no limit */
    backup_tell      *tell;               /* may be NULL */
    backup_complaint *warn;               /* what is left out and should not be; may be NULL */
    void             *arg;
};

/* What a BACKUP says of itself. */
struct backup_facts {
    time_ns  at;                          /* when it began */
    bool     keys;
    uint64_t files, bytes, store_next_seq, journal_next_seq, acknowledged_seq;   /* all events before acknowledged_seq were acknowledged when it began */
};

/* backup_make - data into target (made if absent). -EINVAL: target is no folder for it, or of another node; -EBUSY: another backup goes there; -ENOSPC: it is full. */
MUST_USE int backup_make(const char *data, const char *target, const struct backup_options *o, time_ns now, struct backup_facts *facts, struct backup_progress *done,
                         struct err *e);
/* backup_verify - every file that BACKUP names, by SHA-256. 0: whole, 1: complaints were made. */
MUST_USE int backup_verify(const char *target, const struct backup_options *o, struct backup_facts *facts, backup_complaint *say, struct err *e);
/* backup_restore - into an empty folder, or one in which a restore was broken off, which goes on. The configuration comes last: before, no saqshyd starts there. A file that is damaged
 * in the backup is -EBADMSG, and nothing is finished. */
MUST_USE int backup_restore(const char *target, const char *data, const struct backup_options *o, struct backup_facts *facts, struct backup_progress *done, struct err *e);

#endif
