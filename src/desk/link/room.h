/* room.h - what the files of the room "link" share.
 *
 * Owns      see link.h.
 * Threads   as struct desk. */
#ifndef SAQSHY_DESK_LINK_ROOM_H
#define SAQSHY_DESK_LINK_ROOM_H

#include "desk/internal.h"
#include "desk/link/link.h"

#define LINK_PAUSE_FIRST (5 * NS_PER_SECOND)
#define LINK_PAUSE_MOST  (10 * NS_PER_MINUTE)
#define LINK_POLL_NS     (15 * NS_PER_SECOND)   /* a node with a URL is asked so often, even when nothing waits */
#define LINK_SEEN_NS     NS_PER_MINUTE          /* the instant of the last contact is written at most so often, if nothing else changes */
#define LINK_PEERS_MAX   1000
#define LINK_CERTS_MAX   4                      /* of one node: the old and the new one while they change */
#define LINK_BATCH_BYTES (4u * MIB)             /* an HTTP message is filled up to here; one envelope always fits */
#define LINK_CODE_MAX    32

struct peer {
    struct str node, org_id, org_kind, title, url;
    bool       active;
    int64_t    out_epoch, out_sequence, acked, attempts;
    struct str out_hash;
    struct link_mark in;
    time_ns    next_try_at, last_contact_at;
    bool       troubled;            /* an error of the last exchange stands there */
};
/* peer_load - by node id; 0 if there is none, else 1. In the arena of c. */
MUST_USE int peer_load(struct call *c, struct str node, struct peer *out);
/* peer_cert - the certificate of this fingerprint, if it is one of the peer's. -EKEYREJECTED. */
MUST_USE int peer_cert(struct call *c, struct str node, struct str fingerprint, struct link_cert **out);
/* peer_failed - note why the last exchange failed; pause: put off the next try. In its own transaction. */
void peer_failed(struct desk *d, struct str node, const char *why, bool pause, time_ns now);
/* link_self - for whom this node speaks, and its name; 0 if the administrator has not said it yet, else 1. */
struct self {
    struct str org_id, org_kind, org_name, bin, node;
};
MUST_USE int link_self(struct call *c, struct self *out);
MUST_USE int link_node_identity(struct desk *d, struct link_identity **out, struct err *e);
/* link_needs - -EACCES unless v is an administrator (manage) or may at least look. */
MUST_USE int link_needs(struct call *c, bool manage);

/* --- outbox.c --- */
MUST_USE int outbox_put(struct call *c, const struct peer *p, const struct link_message *m, int64_t *id);
/* bundle_make - what waits for the peer, up to limit bytes and one envelope at least. more (may be NULL): not all went in. */
MUST_USE int bundle_make(struct call *c, struct str node, size_t limit, struct buf *out, int64_t *count, bool *more);
/* outbox_acknowledge - what the other side has; returns how many are acknowledged by it for the first time. */
MUST_USE int outbox_acknowledge(struct call *c, const struct peer *p, const struct link_mark *have, bool file);
MUST_USE int outbox_restart(struct call *c, const struct peer *p);

/* --- inbox.c --- */
struct taken {
    int64_t applied, refused, known, acknowledged;   /* refused ones are applied too: with a receipt that says so */
    bool    gap;
    char    node[PKI_NAME_MAX + 1];
};
/* bundle_take - judge a bundle whole, then apply it an envelope a transaction. file: it came in a file, so what it acknowledges may be old.
 * fingerprint: of the certificate at the other end of the connection; NULL: there is none, or it was compared already.
 * On refusal c->r->code says why: not_a_bundle, unknown_version, wrong_node, unknown_node, forged, diverged. */
MUST_USE int bundle_take(struct call *c, struct str bytes, bool file, const char *fingerprint, struct taken *out);

/* --- apply.c --- */
struct incoming {
    const struct peer     *peer;
    const struct link_item *item;
    int64_t                id;          /* of its row in link_in */
};
struct applied {
    char    code[LINK_CODE_MAX];        /* why it is refused; empty: accepted */
    char    number[ID_MAX + 1];         /* under which it stands here; empty: none */
    char    ref[16];
    int64_t ref_id;
};
/* incoming_apply - what a message does here. 0, or below zero where it may work later; a refusal is 0 with a code. */
MUST_USE int incoming_apply(struct call *c, const struct incoming *in, struct applied *out);

/* --- files.c --- */
MUST_USE int link_file_keep(struct call *c, struct str sha256, struct str bytes);
MUST_USE int link_file_read(struct desk *d, struct str sha256, struct buf *out, struct err *e);

#endif
