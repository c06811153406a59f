/* blob.h - files that people bring: uploaded in pieces, kept by their SHA-256.
 *
 * Owns      the tables upload and blob; in DATA/documents the files upload-ID.part (growing) and SHA256.bin (whole, never changed).
 * Promises  1. A file comes in pieces of at most BLOB_PIECE_MAX bytes, each authorised by itself; memory does not grow with the file, and a broken
 *              connection goes on where it stopped.
 *           2. An upload belongs to who began it; nobody else can add to it, see it or use it.
 *           3. blob_take happens inside the transaction of the act that refers to the file: the bytes are synced before it commits. The same
 *              bytes are kept once.
 *           4. The kind of a file is told from its bytes, never from its name. What is given out is read back and checked by its hash.
 *              A piece is acknowledged when it is received; the whole file when it is on disk. After a loss of power an upload stands where
 *              its file ends.
 *              A file whose act was refused goes when its upload has: after two days at the latest.
 *           5. Bounded: BLOB_BYTES_MAX a file (BLOB_LARGE_MAX of the centre's people, for blob_take_large), UPLOADS_MAX unfinished ones a person; unfinished ones go after UPLOAD_KEPT_NS.
 * Threads   as struct desk.
 * Units     bytes. */
#ifndef SAQSHY_DESK_BLOB_H
#define SAQSHY_DESK_BLOB_H

#include "desk/desk.h"

#define BLOB_PIECE_MAX  (768u * KIB)    /* a body of the API holds 1 MiB */
#define BLOB_BYTES_MAX  (256u * MIB)    /* minutes of video */
#define BLOB_LARGE_MAX  (1100u * MIB)   /* the report of a scanner over a whole network: for those who make surveys */
#define BLOB_NAME_MAX   255
#define UPLOADS_MAX     16
#define UPLOAD_KEPT_NS  (24 * NS_PER_HOUR)

struct call;

/* --- the API --- */

/* desk_upload_begin - body {name, size_bytes}; r->json is schema Upload. -EAGAIN "too_many_requests" with UPLOADS_MAX unfinished ones. */
MUST_USE int desk_upload_begin(struct desk *d, const struct viewer *v, const json_t *body, time_ns now, struct desk_reply *r);
/* desk_upload_piece - bytes at offset, which must be where the upload stands (-EEXIST "conflict" if not: ask and go on from there). */
MUST_USE int desk_upload_piece(struct desk *d, const struct viewer *v, struct str id, int64_t offset, struct str bytes, time_ns now,
                               struct desk_reply *r);
MUST_USE int desk_upload(struct desk *d, const struct viewer *v, struct str id, struct desk_reply *r);

/* --- for the rooms --- */

struct blob {
    char        sha256[65];
    int64_t     size_bytes;
    const char *type;                       /* a literal: "application/pdf" */
    char        name[BLOB_NAME_MAX + 1];    /* as the person's machine called it; for showing alone */
};
/* blob_take - turn a finished upload of c->v into a blob, in a transaction. -EINVAL with field if there is no such finished upload. */
MUST_USE int blob_take(struct call *c, struct str upload_id, const char *field, struct blob *out);
/* blob_take_large - the same for a file of up to BLOB_LARGE_MAX: blob_take refuses what is larger than BLOB_BYTES_MAX. */
MUST_USE int blob_take_large(struct call *c, struct str upload_id, const char *field, struct blob *out);
/* blob_peek - the bytes of a finished upload of c->v, which stays an upload; out is bounded by its own limit (-EINVAL with field beyond it). */
MUST_USE int blob_peek(struct call *c, struct str upload_id, const char *field, struct buf *out);
/* blob_put - keep bytes that the desk made or received itself. */
MUST_USE int blob_put(struct call *c, struct str bytes, struct blob *out);
/* blob_open - a descriptor for reading, owned by the caller; -ENOENT if it is not kept, -EIO if its bytes are not those of its hash. Whether the
 * viewer may see it is for the caller to know. Reads the whole file to check it. */
MUST_USE int blob_open(struct call *c, const char *sha256, int *fd, struct blob *out);
/* blob_type - what the first bytes say: a literal, "application/octet-stream" if nothing known. */
const char *blob_type(struct str head);

/* uploads_sweep - forget unfinished uploads that are too old. In the background. Returns how many. */
MUST_USE int uploads_sweep(struct desk *d, time_ns now, struct err *e);
/* files_sweep (sweep.c) - take away files of refused or killed acts that no row knows and nobody touched for SWEEP_AGE_NS: some names a turn, a
 * round an hour. Counted in meta 'files_swept'. Returns how many went. files_sweep_end - let go of the folder. */
#define SWEEP_AGE_NS (24 * NS_PER_HOUR)
MUST_USE int files_sweep(struct desk *d, time_ns now, struct err *e);
void files_sweep_end(struct desk *d);

#endif
