/* envelope.h - events in a signed file: for a link that goes one way, or a stick that is carried.
 *
 *     line 1    manifest: JSON in its one form (below)
 *     line 2    signature of the manifest by the node's key, base64
 *     then      blocks, body_bytes in all:  u64 next, u32 events, u32 plain bytes, u32 packed bytes, zstd frame of a payload of the event codec
 *
 *     {"body_bytes":N,"body_sha256":"…","created_at":"…","events":N,"first":N,"format":"saqshy-events-1","next":N,"node":"…","number":N,
 *      "previous":"…","signer":"…","stream":"…"}                                                     (on one line, without blanks)
 *
 * Owns      struct envelope its bytes; struct envelope_trust its certificates; struct envelope_book its rows.
 * Promises  1. envelope_open judges everything before any event is seen: the manifest's form, its signature by a certificate that is trusted and has the node's
 *              name, hash and length of the body, numbers and counts of every block. Nothing unsigned is believed.
 *           2. Envelopes of one stream are numbered from 1 and chained: previous is the SHA-256 of the manifest before. They cover the numbers of the sender's
 *              journal from first to next, in order; events that no filter let through are covered and not in it.
 *           3. Taking one again changes nothing: each block is a frame of the journal with the origin of its stream and the number next.
 *           4. Bounded: ENVELOPE_BYTES_MAX a file, ENVELOPE_BLOCK_MAX a block, NODES_MAX certificates, STREAMS_MAX streams, MISSING_MAX gaps.
 * Threads   owner.
 * Units     bytes; numbers of events are those of the sender's journal.
 * Source    docs/forwarding.md, docs/formats.md. */
#ifndef SAQSHY_ENVELOPE_ENVELOPE_H
#define SAQSHY_ENVELOPE_ENVELOPE_H

#include "event/event.h"
#include "pki/node.h"

#define ENVELOPE_BYTES_MAX    (256u * MIB)
#define ENVELOPE_BLOCK_MAX    (16u * MIB)    /* plain, and packed */
#define ENVELOPE_BLOCK_EVENTS 16384u
#define ENVELOPE_MANIFEST_MAX 2048u
#define ENVELOPE_STREAM_MAX   64             /* NUL included */
#define ENVELOPE_NODES_MAX    1000
#define ENVELOPE_STREAMS_MAX  10000
#define ENVELOPE_MISSING_MAX  10000          /* envelopes of one stream that are missing */
#define ENVELOPE_ORIGIN_MAX   128
#define ENVELOPE_SUFFIX       ".saqshy-envelope"
#define ENVELOPE_ZERO_HASH    "0000000000000000000000000000000000000000000000000000000000000000"

struct envelope_manifest {
    char     node[PKI_NAME_MAX + 1], stream[ENVELOPE_STREAM_MAX], signer[NODE_HASH_TEXT], previous[NODE_HASH_TEXT], body_sha256[NODE_HASH_TEXT];
    uint64_t number, first, next, events, body_bytes;
    time_ns  created_at;      /* whole seconds */
};
/* envelope_manifest_write - the one form, without a line end. */
void envelope_manifest_write(const struct envelope_manifest *m, struct buf *out);
/* envelope_manifest_read - a line that is byte for byte the form of what it says. -EBADMSG. */
MUST_USE int envelope_manifest_read(struct str line, struct envelope_manifest *out, struct err *e);

/* --- making --- */

/* envelope_block_put - count events as a block behind body; next: one past the last number that it and what was left out before it cover. */
MUST_USE int envelope_block_put(const struct event *events, size_t count, uint64_t next, struct buf *body, struct err *e);
/* envelope_make - head and body in one: m's signer, body_sha256 and body_bytes are filled here. digest is what the next one calls previous. */
MUST_USE int envelope_make(const struct node_key *key, struct envelope_manifest *m, struct str body, struct buf *out, char digest[NODE_HASH_TEXT],
                           struct err *e);

/* --- taking --- */

struct envelope_trust;
/* envelope_trust_load - a certificate, or every *.pem and *.crt of a folder. One that cannot be read is refused with its name. */
MUST_USE int envelope_trust_load(const char *path, struct envelope_trust **out, struct err *e);
void envelope_trust_free(struct envelope_trust **t);

struct envelope {
    struct envelope_manifest m;
    char       digest[NODE_HASH_TEXT];
    struct buf bytes;
    struct str body;
};
/* envelope_open - read and judge a file. -EBADMSG: it is none, or was changed; -EACCES: nobody whom we trust signed it. */
MUST_USE int envelope_open(const char *path, const struct envelope_trust *t, struct envelope **out, struct err *e);
/* envelope_judge - the same of bytes, which *out takes over from b. */
MUST_USE int envelope_judge(struct buf *b, const struct envelope_trust *t, struct envelope **out, struct err *e);
void envelope_free(struct envelope **v);

struct envelope_block {
    uint64_t   next;
    uint32_t   events;
    struct str packed;
    size_t     plain_bytes;
};
/* envelope_next - the block at *at (begin with 0). False behind the last one. */
bool envelope_next(const struct envelope *v, size_t *at, struct envelope_block *out);
/* envelope_unpack - its payload in plain. -EBADMSG. */
MUST_USE int envelope_unpack(const struct envelope_block *b, struct buf *plain, struct err *e);
/* envelope_moment - when a node received an event stays, unless that is a day ahead of now or twenty years behind it: the store has a part for each day, and
 * nobody else may make as many as it can hold. Then it is now. */
void envelope_moment(struct event *ev, time_ns now);
/* envelope_mark - an event of a node becomes ours: saqshy.relay, the source of its own log, envelope_moment. */
void envelope_mark(struct event *ev, struct arena *a, struct str node);

/* --- the book: which envelopes of which stream came --- */

struct envelope_book;
enum envelope_place {
    ENVELOPE_IN_ORDER,        /* the next one, or one behind a gap */
    ENVELOPE_AGAIN,           /* it came before */
    ENVELOPE_LATE,            /* it was missing */
};
/* envelope_book_load - FOLDER is the journal's, with which the book lives. */
MUST_USE int envelope_book_load(const char *folder, struct envelope_book **out, struct err *e);
void envelope_book_free(struct envelope_book **b);
/* envelope_book_begin - judge its place in the chain, and write down what is missing before anything of it is taken. origin is what its blocks are numbered
 * by. -EBADMSG: it does not fit the chain: another envelope of this number came, or what it calls previous is not what came; or it was refused before and others came
 * behind it. -EAGAIN: the one before was begun and not finished. */
MUST_USE int envelope_book_begin(struct envelope_book *b, const struct envelope *v, enum envelope_place *place, char origin[ENVELOPE_ORIGIN_MAX], struct err *e);
/* envelope_book_end - all of it is in the journal. */
MUST_USE int envelope_book_end(struct envelope_book *b, const struct envelope *v, struct err *e);
/* envelope_book_refuse - a block of it was refused: what stood before that block is in the journal, the rest is not, and the next envelope goes on. */
MUST_USE int envelope_book_refuse(struct envelope_book *b, const struct envelope *v, struct err *e);
/* envelope_book_missing - the envelopes of a stream that are missing, as "3, 7-9"; empty: none. */
void envelope_book_missing(const struct envelope_book *b, const struct envelope *v, struct buf *out);

#endif
