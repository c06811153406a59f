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
#define LINK_SEEN_NS     NS_PER_MINUTE          /* the instant of the last contact is written at most so often, if nothing else changes */
#define LINK_LATE_NS     (15 * NS_PER_MINUTE)   /* a step that counts so long before it came is said to be late */
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
MUST_USE int peer_cert(struct call *c, struct str node, struct str fingerprint, struct node_cert **out);
/* peer_failed - note why the last exchange failed; pause: put off the next try. In its own transaction. */
void peer_failed(struct desk *d, struct str node, const char *why, bool pause, time_ns now);
/* link_self - for whom this node speaks, and its name; 0 if the administrator has not said it yet, else 1. */
struct self {
    struct str org_id, org_kind, org_name, bin, node;
};
MUST_USE int link_self(struct call *c, struct self *out);
MUST_USE int link_node_identity(struct desk *d, struct node_key **out, struct err *e);
/* link_own - does this node speak for the organisation of the viewer? */
MUST_USE int link_own(struct call *c, int64_t *yes);
/* link_needs - -EACCES unless v is an administrator (manage) or may at least look; an owner's administrator looks at the node of their organisation. */
MUST_USE int link_needs(struct call *c, bool manage);

/* --- what was done on a case (docs/link.md "Cases") --- */
struct step {
    int64_t    id, case_id, first_record, last_record;
    struct str act, role, by, org_id, heard_from, body;
    time_ns    at;
};
/* step_role_allowed - may somebody of an organisation of this kind have done a thing in this role? */
bool step_role_allowed(struct str org_kind, enum desk_role role);
/* --- collect.c: a notice on its way to a node --- */
struct issued {
    int64_t    id, record;          /* of its delivery, of its record; 0: none, the step alone goes */
    struct str kind, number, form, canonical, sha256, pdf, case_number, their_case, object, origin;
};
struct message_id { int64_t row; };
/* notice_put - with its documents; step (may be NULL) is borrowed. */
MUST_USE int notice_put(struct call *c, const struct peer *p, const struct issued *n, const json_t *step, struct message_id *sent);

/* step_send (carry.c) - the next step after the peer's cursor. 1: one was looked at, 0: none waits. */
MUST_USE int step_send(struct call *c, struct str node, bool give_up);
/* case_known_to - the nodes of the case's other parties know of it too, if what was done has told them. */
MUST_USE int case_known_to(struct call *c, const struct kase *k, struct str but);
/* case_told - was the organisation of this node told of the case, as it stands? */
bool case_told(const struct kase *k, struct str org_id, struct str org_kind);
/* case_origin - "node/number" of the node that opened it. */
MUST_USE int case_origin(struct call *c, const struct kase *k, const struct self *self, struct str *out);

/* --- proposals.c --- */
/* update_send - the next change of an object that the node knows, if it is to hear of changes by itself. 1: one was looked at, 0: none. */
MUST_USE int update_send(struct call *c, struct str node);

/* --- replay.c --- */
struct replayed {
    int64_t    case_id;
    bool       applied;
    const char *code;               /* why not, a literal; NULL with applied */
    char       reason[ERR_TEXT_MAX];
};
struct incoming;
/* link_trouble - what may work later, against what will be refused again. */
bool link_trouble(int rc);
/* case_find - the case of ours that a message is about, as the peer may see it; 0: none. */
MUST_USE int case_find(struct call *c, const struct peer *p, const json_t *about, int64_t *id);
/* object_find - the object of ours that a message is about. */
MUST_USE int object_find(struct call *c, const struct peer *p, const json_t *about, struct str *id);
/* step_register - the notice that came with a step, about this case; gives its record and its document. */
typedef int step_register(struct call *c, void *arg, int64_t case_id, int64_t *record, struct str *pdf);
/* step_replay - repeat the step of a payload that its node sent at sent. 0: *out says whether it was applied; below zero where it may work later. The caller has a savepoint:
 * what is not applied must be rolled back. registered may be NULL. */
MUST_USE int step_replay(struct call *c, const struct peer *p, const json_t *payload, time_ns sent, step_register *registered, void *arg,
                         struct replayed *out);
void peer_viewer(const struct peer *p, enum desk_role role, struct viewer *v);

/* --- outbox.c --- */
MUST_USE int outbox_put(struct call *c, const struct peer *p, const struct link_message *m, int64_t *id);
/* bundle_make - what waits for the peer, up to limit bytes and one envelope at least. more (may be NULL): not all went in. */
MUST_USE int bundle_make(struct call *c, struct str node, size_t limit, struct buf *out, int64_t *count, bool *more);
/* outbox_acknowledge - what the other side has; returns how many are acknowledged by it for the first time. */
MUST_USE int outbox_acknowledge(struct call *c, const struct peer *p, const struct link_mark *have, bool file);
/* document_note - a document that travels: the page of the links may give it out. */
MUST_USE int document_note(struct call *c, struct str sha256);
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
    int64_t ref_id, record, case_id;
    char    step_act[48], step_code[LINK_CODE_MAX], step_reason[ERR_TEXT_MAX];   /* code empty: it was repeated, or there is none */
};
/* incoming_apply - what a message does here. 0, or below zero where it may work later; a refusal is 0 with a code. */
/* step_again - the step of a message that came before; record: its notice in our register, 0: it came without. a->step_code says why not. */
MUST_USE int step_again(struct call *c, const struct incoming *in, int64_t record, struct applied *a);
/* receipt_put (inbox.c) - what became of a message, to its sender. */
MUST_USE int receipt_put(struct call *c, const struct peer *p, const struct link_item *i, const struct applied *a);
MUST_USE int incoming_apply(struct call *c, const struct incoming *in, struct applied *out);

/* --- files.c --- */
MUST_USE int link_file_keep(struct call *c, struct str sha256, struct str bytes);
MUST_USE int link_file_read(struct desk *d, struct str sha256, struct buf *out, struct err *e);

#endif
