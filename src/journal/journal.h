/* journal.h - the one durable queue of the house: appended by one process, read by many.
 *
 * Owns      a folder: segments NNNNNNNNNNNNNNNNNNNN.seg (named by their first event's seq), "commit" (how far it is on
 *           disk; shared memory for waiting), LOCK, cursors/NAME.
 * Promises  1. Acknowledged means on disk: journal_commit returns 0 only after fdatasync of all appended frames.
 *           2. Events are numbered without gaps from 1; a reader sees each committed event exactly once and in order.
 *           3. Exactly once from a numbering sender: a frame whose origin seq is not greater than the last one taken
 *              from that origin id is acknowledged and not stored. The table of origins survives crashes with the frames.
 *           4. After kill -9 or power loss recovery drops only frames that were never committed. Damage before the
 *              committed end is an error that names segment and offset; it is skipped by frame, counted, never hidden.
 *           5. Every frame carries an XXH3 checksum and the SHA-256 chain: H(n) = SHA-256(H(n-1) || frame). journal_verify
 *              proves that nothing was changed, removed or put in between.
 *           6. A reader never blocks the writer; segments behind the slowest cursor are cut by journal_cut only.
 *           7. No space left: append fails with -ENOSPC and the journal stays as it was; the caller refuses its sender.
 * Threads   a writer and a reader are each used by one thread; processes share only the folder.
 * Units     seq counts events; bytes.
 * Source    engine research: group commit, design section 1. docs/formats.md has the layout. */
#ifndef SAQSHY_JOURNAL_JOURNAL_H
#define SAQSHY_JOURNAL_JOURNAL_H

#include "event/event.h"

#define JOURNAL_FRAME_MAX     (16u * MIB)  /* a payload after compression */
#define JOURNAL_BATCH_BYTES   (256u * MIB) /* the arena of a batch that the largest frame is read into: its lines, fields and shapes */
#define JOURNAL_ORIGIN_ID_MAX 128
#define JOURNAL_ORIGINS_MAX   65536        /* senders that number their batches */

/* Who sent a frame and the sender's own number of it; id empty: the sender does not number. */
struct journal_origin {
    struct str id;
    uint64_t   seq;
};

struct journal;         /* the writer */
struct journal_reader;

/* --- writing --- */

/* journal_open - open FOLDER for appending (made if absent), recover, take the lock. -EBUSY if another process writes. */
MUST_USE int journal_open(const char *folder, uint64_t segment_bytes, struct journal **out, struct err *e);
/* journal_close - what was appended and not committed is dropped. */
void journal_close(struct journal **j);
/* journal_append - add one frame of count events (1 to EVENT_BATCH_MAX). Not yet on disk. *first_seq (may be NULL) is the number
 * its first event got. Returns 0, or 1 if the origin's number was seen before: nothing is added and the sender may be acknowledged
 * after the next commit. -E2BIG, -ENOSPC, -EIO; after -EIO the writer takes nothing more until it is opened anew. */
MUST_USE int journal_append(struct journal *j, const struct event *events, size_t count, struct journal_origin origin,
                            uint64_t *first_seq, struct err *e);
/* The same in portions, each taken while it is still in the processor's cache: journal_begin, journal_add as often as needed, journal_end.
 * origin.id is borrowed until the end. Beginning anew drops a frame that was not ended. journal_begin answers 1 as journal_append does;
 * after a failure of journal_add the frame is lost. */
MUST_USE int journal_begin(struct journal *j, struct journal_origin origin, struct err *e);
MUST_USE int journal_add(struct journal *j, const struct event *events, size_t count, struct err *e);
MUST_USE int journal_end(struct journal *j, uint64_t *first_seq, struct err *e);
/* journal_commit - everything appended is on disk, and readers may see it. Cheap when nothing was appended. */
MUST_USE int journal_commit(struct journal *j, struct err *e);
/* journal_origin_seq - the last number taken from an origin, 0 if none. */
uint64_t journal_origin_seq(const struct journal *j, struct str id);
/* journal_origin_count - of those whose id begins so; looks at all of them. */
size_t journal_origin_count(const struct journal *j, struct str beginning);
uint64_t journal_next_seq(const struct journal *j);

/* --- reading --- */

/* journal_reader_open - read committed frames from the event from_seq on (0: the oldest there is). The folder may be absent or empty:
 * then next says 0 until it is there. */
MUST_USE int journal_reader_open(const char *folder, uint64_t from_seq, struct journal_reader **out, struct err *e);
void journal_reader_close(struct journal_reader **r);
/* journal_reader_next - decode the next committed frame into batch (reset first), without events before from_seq. origin may be
 * NULL; its id borrows from the reader until the next call, as do the texts of the batch. Returns the number of events, 0 if there
 * is nothing new. -EBADMSG: a damaged frame; the reader stands behind it, *e names the place and how many events are missing. */
MUST_USE int journal_reader_next(struct journal_reader *r, struct event_batch *batch, struct journal_origin *origin, struct err *e);
/* journal_reader_seq - the seq of the first event that the next call will give. */
uint64_t journal_reader_seq(const struct journal_reader *r);
/* journal_reader_wait - sleep until something new may be there, or timeout_ms passed. */
void journal_reader_wait(struct journal_reader *r, int timeout_ms);
/* journal_committed_seq - one past the last committed event of a folder, read afresh (0 if there is no journal). */
uint64_t journal_committed_seq(const char *folder);
/* journal_oldest_seq - the first event of the oldest segment, 0: none. */
uint64_t journal_oldest_seq(const char *folder);
/* journal_bytes_from - what the segment that holds seq and those behind it take. */
uint64_t journal_bytes_from(const char *folder, uint64_t seq);
/* journal_seq_within - the first event of the oldest segment from which on there are at most so many bytes, 0: none. The segment in use always counts. */
uint64_t journal_seq_within(const char *folder, uint64_t bytes);

/* --- cursors and cutting --- */

/* cursor: a file that says which event a reader needs next; the journal is never cut past it. */
MUST_USE int journal_cursor_set(const char *folder, const char *name, uint64_t seq, struct err *e);
/* *seq is 0 when there is no such cursor. */
MUST_USE int journal_cursor_get(const char *folder, const char *name, uint64_t *seq, struct err *e);
/* journal_cut - remove whole segments whose events are all before the smallest cursor and before keep_from_seq (UINT64_MAX:
 * cursors alone decide). With no cursor at all nothing is cut. *removed may be NULL. */
MUST_USE int journal_cut(const char *folder, uint64_t keep_from_seq, size_t *removed, struct err *e);

/* --- evidence --- */

struct journal_report {
    uint64_t segments, frames, events, first_seq, next_seq, damaged_frames, missing_events, torn_bytes;
    char     chain_hex[65];  /* the chain value after the last frame */
};
typedef void journal_complaint(void *arg, const char *file, uint64_t offset, const char *reason);
/* journal_verify - read everything, check every checksum, number and chain link. Returns 0 if all is well, 1 if complaints were made. */
MUST_USE int journal_verify(const char *folder, struct journal_report *report, journal_complaint *say, void *arg, struct err *e);

#endif
