/* link.h - node to node: what this desk sends to the desk of another organisation, and what it takes from there.
 *
 * Owns      the tables link_*; DATA/link/node.pem and node.key (made by "saqshy link init"). Documents lie in DATA/documents by their hash.
 * Promises  1. What is sent stands in the outbox with the commit of the act that sends it, or not at all; its number, its bytes and the hash of
 *              the one before are fixed there, so a second sending is the same envelope.
 *           2. What is received is applied in the order of its numbers and exactly once: number, hash, effect and receipt are one transaction.
 *           3. A node that is away delays and never drops: rows wait on disk, tries come after a growing pause, and a gap asks again from the
 *              number it has. Memory is bounded by the limits of wire.h, whatever waits.
 *           4. A certificate belongs to one node, a node to one organisation. Only what is addressed to that organisation goes there, and only what
 *              it may speak of is taken: the rest is refused with a code, in a signed receipt.
 *           5. A bundle from a file goes the same way as one from the network. Taken twice it changes nothing; one for another node, of an unknown
 *              one, damaged or forged, is refused whole.
 *           6. Nothing connects and nothing listens unless the configuration says so.
 * Threads   as struct desk; link_client has a thread and a desk of its own.
 * Units     time_ns; limits in bytes.
 * Source    docs/link.md. */
#ifndef SAQSHY_DESK_LINK_LINK_H
#define SAQSHY_DESK_LINK_LINK_H

#include "desk/desk.h"
#include "desk/link/wire.h"

struct call;

/* --- for the rooms that send --- */

struct link_attachment {
    struct str name, type, bytes;   /* "annex7.pdf", "application/pdf"; borrowed */
};

struct link_message {
    enum link_kind kind;
    const json_t  *payload;         /* an object as docs/link.md says for the kind; borrowed */
    const struct link_attachment *attachments;
    size_t         attachment_count;
    const char    *ref;             /* what of ours it is: "notice"; NULL: nothing */
    int64_t        ref_id;
};

/* link_send - into the outbox of the node of org_id, in the caller's transaction. 1: it stands there, *id (may be NULL) is its row; 0: the
 * organisation has no node. */
MUST_USE int link_send(struct call *c, struct str org_id, const struct link_message *m, int64_t *id);

/* --- reads and acts of the API; r->json is the answer of the operation named --- */

MUST_USE int desk_link(struct desk *d, const struct viewer *v, time_ns now, struct desk_reply *r);                        /* getLink */
MUST_USE int desk_link_self(struct desk *d, const struct viewer *v, const json_t *body, time_ns now, struct desk_reply *r); /* setLinkSelf */
MUST_USE int desk_link_peer(struct desk *d, const struct viewer *v, struct str id, time_ns now, struct desk_reply *r);    /* getLinkPeer */
MUST_USE int desk_link_peer_add(struct desk *d, const struct viewer *v, const json_t *body, time_ns now, struct desk_reply *r);
MUST_USE int desk_link_peer_update(struct desk *d, const struct viewer *v, struct str id, const json_t *body, time_ns now, struct desk_reply *r);
/* desk_link_peer_restart - a new epoch: what is not acknowledged is numbered anew from 1. For a node whose counterpart was restored. */
MUST_USE int desk_link_peer_restart(struct desk *d, const struct viewer *v, struct str id, time_ns now, struct desk_reply *r);
struct desk_link_query {
    struct str peer, direction;     /* "out", "in" */
    struct str state;               /* of proposals: open, accepted, declined; empty: all */
    int        limit;
    struct str before;
    time_ns    now;                 /* that people's data were read is audited */
};
MUST_USE int desk_link_envelopes(struct desk *d, const struct viewer *v, const struct desk_link_query *q, struct desk_reply *r);
/* desk_link_object_send - what stands here of an object, as a proposed change to the node of another organisation: {object_id, note}. */
MUST_USE int desk_link_object_send(struct desk *d, const struct viewer *v, struct str node, const json_t *body, time_ns now, struct desk_reply *r);
MUST_USE int desk_link_proposals(struct desk *d, const struct viewer *v, const struct desk_link_query *q, struct desk_reply *r);
/* desk_link_proposal_decide - {decision: accept or decline, note, object_id}: the object changes with the acceptance, and whoever proposed is told. */
MUST_USE int desk_link_proposal_decide(struct desk *d, const struct viewer *v, struct str id, const json_t *body, time_ns now, struct desk_reply *r);
/* desk_link_again - {envelope}: a step of theirs that could not be repeated is tried again; without one, all of that node in their order. */
MUST_USE int desk_link_again(struct desk *d, const struct viewer *v, struct str node, const json_t *body, time_ns now, struct desk_reply *r);
/* desk_link_document - the bytes of a document that travelled. */
MUST_USE int desk_link_document(struct desk *d, const struct viewer *v, struct str sha256, struct buf *out, struct desk_reply *r);
/* desk_link_export - what waits for a node, as the bytes of a file. */
MUST_USE int desk_link_export(struct desk *d, const struct viewer *v, struct str id, time_ns now, struct buf *out, struct desk_reply *r);
/* desk_link_import - {upload}: a file that was uploaded (blob.h) is judged whole, then applied. */
MUST_USE int desk_link_import(struct desk *d, const struct viewer *v, const json_t *body, time_ns now, struct desk_reply *r);            /* importLink */

/* --- for the listener --- */

/* link_trusted - the certificates of all active nodes, PEM one behind the other. */
MUST_USE int link_trusted(struct desk *d, struct buf *out, struct err *e);
/* link_exchange - answer the bundle of a node whose TLS certificate has this fingerprint: out is the bundle that goes back, or the JSON of a
 * refusal. Returns the status of HTTP. */
int link_exchange(struct desk *d, const char *fingerprint, struct str body, time_ns now, struct buf *out);

/* --- for the desk process --- */

/* link_client_start - a thread that collects what is to be sent and exchanges bundles with every node that has a URL (if the configuration lets it
 * connect), again and again. */
struct link_client;
MUST_USE int link_client_start(const struct desk_setup *setup, struct link_client **out, struct err *e);
void link_client_poke(struct link_client *l);
void link_client_stop(struct link_client **l);
/* link_collect - notices that were issued to the organisation of a node and are not in its outbox yet; receipts of reading. Returns how many. */
MUST_USE int link_collect(struct desk *d, time_ns now, struct err *e);

#endif
