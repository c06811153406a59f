/* internal.h - layouts and helpers that the files of the journal share. See docs/formats.md.
 *
 * Segment "NNNNNNNNNNNNNNNNNNNN.seg" (decimal seq of its first event):
 *     0  8  magic "SQJRNL01"
 *     8  8  first_seq
 *    16 32  chain value before the first frame
 *    48  4  bytes of the table of origins
 *    52  4  0
 *    56  8  XXH3 of bytes 0..55 and the table
 *    64  …  table of origins: id (varint length, bytes), seq (varint)
 *     then frames, each
 *     0  4  magic "QFRM"
 *     4  4  body bytes
 *     8  8  first_seq
 *    16  4  events
 *    20  4  payload bytes before compression
 *    24  4  bytes of the origin id (they begin the body)
 *    28  4  0
 *    32  8  origin seq
 *    40 32  chain: SHA-256(chain before || bytes 0..39 || body)
 *    72  8  XXH3 of bytes 0..71 and the body
 *    80  …  body: origin id, zstd frame of the payload (event codec)
 *
 * "commit", 128 bytes, shared memory between the processes, never needed for recovery of intact files:
 *     0  8  magic "SQCMMT01"
 *     8  4  generation: odd while the writer changes it; readers wait on it
 *    16  8  first_seq of the segment in use
 *    24  8  committed bytes of that segment
 *    32  8  next_seq
 *    40 32  chain after the last committed frame */
#ifndef SAQSHY_JOURNAL_INTERNAL_H
#define SAQSHY_JOURNAL_INTERNAL_H

#include "journal/journal.h"

#define SEGMENT_HEAD    64u
#define FRAME_HEAD      80u
#define CHAIN_BYTES     32u
#define COMMIT_BYTES    128u
#define PATH_BYTES      4096u
#define PAYLOAD_MAX     (128u * MIB)  /* before compression: 64 Ki events of ordinary size, with their fields */
#define ORIGIN_TABLE_MAX (JOURNAL_ORIGINS_MAX * (JOURNAL_ORIGIN_ID_MAX + 16u))

struct frame_head {
    uint32_t body_bytes, count, payload_bytes, origin_bytes;
    uint64_t first_seq, origin_seq, checksum;
    unsigned char chain[CHAIN_BYTES];
};

struct segment_head {
    uint64_t      first_seq;
    unsigned char chain[CHAIN_BYTES];
    uint32_t      origin_bytes;
};

struct commit_point {
    uint64_t      segment, offset, next_seq;
    unsigned char chain[CHAIN_BYTES];
    bool          valid;
};

/* --- frame.c --- */

/* The contexts of the compressor are kept by the writer and the reader: making one costs as much as compressing some hundred lines. */
struct ZSTD_CCtx_s;
struct ZSTD_DCtx_s;
/* frame_build - the whole frame around an event payload into out (reset). chain is the value before, and becomes the value after. */
int frame_build(struct ZSTD_CCtx_s *zstd, struct buf *out, struct str payload, size_t count, struct journal_origin origin,
                uint64_t first_seq, unsigned char chain[CHAIN_BYTES], struct err *e);
/* frame_head_read - judge the 80 bytes; false if they cannot be a head. */
bool frame_head_read(const unsigned char head[FRAME_HEAD], struct frame_head *out);
/* frame_sound - the checksum of head and body holds. */
bool frame_sound(const unsigned char head[FRAME_HEAD], const struct frame_head *h, const char *body);
/* frame_chain - the chain value after this frame. */
void frame_chain(const unsigned char before[CHAIN_BYTES], const unsigned char head[FRAME_HEAD], struct str body,
                 unsigned char after[CHAIN_BYTES]);
/* frame_payload - decompress into out (reset) and decode the events into batch. */
int frame_payload(struct ZSTD_DCtx_s *zstd, const struct frame_head *h, const char *body, struct buf *out, struct event_batch *batch, struct err *e);

/* --- segment.c --- */

struct segments {
    uint64_t *first_seq;  /* sorted */
    size_t    count;
};
void segment_path(const char *folder, uint64_t first_seq, char out[PATH_BYTES]);
/* segments_list - the segments of a folder; an absent folder has none. */
int  segments_list(const char *folder, struct segments *out, struct err *e);
void segments_free(struct segments *s);
/* segment_create - a new segment with its head, on disk when this returns; the open descriptor, or an error. */
int  segment_create(const char *folder, const struct segment_head *h, struct str origins, struct err *e);
/* segment_open - open for reading (or writing) and read the head; origins (may be NULL) gets the table. The descriptor, or -EBADMSG. */
int  segment_open(const char *folder, uint64_t first_seq, bool write, struct segment_head *h, struct buf *origins, struct err *e);
/* segment_frame - read the frame at offset into head, h and body (reset), never past end. 0, 1 if there is none at end,
 * -EBADMSG if what stands there is no sound frame. */
int  segment_frame(int fd, uint64_t offset, uint64_t end, unsigned char head[FRAME_HEAD], struct frame_head *h, struct buf *body,
                   struct err *e);
/* segment_resync - the offset of the next sound frame behind a damaged place, or end. */
uint64_t segment_resync(int fd, uint64_t offset, uint64_t end, struct buf *body);

/* --- commit.c --- */

struct commit_map;
/* commit_map_open - map the commit file; write: made if absent. -ENOENT for a reader when there is none. */
int  commit_map_open(const char *folder, bool write, struct commit_map **out, struct err *e);
void commit_map_close(struct commit_map **m);
struct commit_point commit_map_read(const struct commit_map *m);
void commit_map_write(struct commit_map *m, const struct commit_point *p);
void commit_map_wait(const struct commit_map *m, uint64_t seen_next_seq, int timeout_ms);

/* --- origins.c --- */

struct origin_row {
    char    *id;
    uint32_t id_bytes;
    uint64_t seq;
};
struct origins {
    struct origin_row *row;
    uint32_t          *slot;  /* index + 1, open addressing */
    size_t             count, cap;
};
int  origins_put(struct origins *o, struct str id, uint64_t seq);
uint64_t origins_get(const struct origins *o, struct str id);
void origins_write(const struct origins *o, struct buf *out);
int  origins_read(struct origins *o, struct str table);
void origins_free(struct origins *o);

#endif
