/* wire.h - what travels between two nodes: canonical JSON, signed envelopes, bundles of them. No tables, no network.
 *
 * Owns      a bundle and an item their JSON, a card its certificate and JSON.
 * Promises  1. One form only: a line that is not byte for byte the canonical form of what it says is refused, so what was signed,
 *              what was hashed and what was read are the same bytes.
 *           2. An envelope is judged whole before anything of it is used: fields, limits, hashes of its documents.
 *           3. Nothing unsigned is believed: the head of a bundle carries the hash of all that follows, each envelope its own signature.
 *           4. A signature names what it signs: a signed head can never stand for an envelope, nor either for a TLS handshake.
 * Threads   any.
 * Units     bytes; instants are time_ns and stand in JSON as RFC 3339, UTC.
 * Source    docs/link.md; RFC 8785 (JSON canonicalization) without fractions; pki/node.h for the signature. */
#ifndef SAQSHY_DESK_LINK_WIRE_H
#define SAQSHY_DESK_LINK_WIRE_H

#include <jansson.h>

#include "pki/node.h"

#define LINK_DEPTH_MAX      16          /* brackets within brackets; the deepest form has six */
#define LINK_KEY_MAX        64          /* of a property, ASCII */
#define LINK_ENVELOPE_MAX   (2u * MIB)  /* canonical bytes, documents apart */
#define LINK_DOCUMENTS_MAX  32          /* of one envelope */
#define LINK_DOCUMENT_BYTES (16u * MIB) /* all documents of one envelope together */
#define LINK_LINE_MAX       (24u * MIB) /* envelope and documents in base64, signature */
#define LINK_HEAD_MAX       (8u * KIB)  /* the first line of a bundle */
#define LINK_BODY_MAX       (25u * MIB) /* of one HTTP message: at least one line of the greatest length */
#define LINK_FILE_MAX       (64u * MIB)
#define LINK_ITEMS_MAX      1000        /* of one bundle */
#define LINK_HASH_TEXT      65          /* SHA-256 in hexadecimal and NUL */
#define LINK_CARD_MAX       (16u * KIB)
#define LINK_READ_SPARE     (128u * KIB) /* of a buffer for file_read, which asks for a piece more than the file has */
#define LINK_MESSAGE_TEXT   33          /* 128 random bits in hexadecimal and NUL */
#define LINK_ZERO_HASH      "0000000000000000000000000000000000000000000000000000000000000000"

enum link_kind { LINK_NOTICE, LINK_FORM, LINK_REGISTRY_UPDATE, LINK_RECEIPT, LINK_STEP, LINK_KIND_COUNT };
const char *link_kind_name(enum link_kind k);
enum link_kind link_kind_parse(struct str s);    /* LINK_KIND_COUNT if unknown */

/* --- canon.c --- */

/* link_json_read - JSON within the limits above, without two equal keys. -EBADMSG, -E2BIG. */
MUST_USE int link_json_read(struct str text, json_t **out, struct err *e);
/* link_json_write - canonical form: keys sorted by bytes, no blanks, whole numbers within 2^53, only the escapes that must be. -EBADMSG for
 * what has no such form. */
MUST_USE int link_json_write(const json_t *j, struct buf *out, struct err *e);
void link_sha256_hex(struct str s, char out[LINK_HASH_TEXT]);
bool link_hash_valid(struct str s);              /* 64 lower-case hexadecimal digits */

/* --- sign.c: with the key of the node, judged by its certificate --- */

enum link_signed { LINK_SIGNED_ENVELOPE, LINK_SIGNED_BUNDLE };
MUST_USE int link_sign(const struct node_key *k, enum link_signed what, struct str bytes, char out[NODE_SIGNATURE_MAX], struct err *e);
/* link_verify - 0, or -EBADMSG: it is not that certificate's signature of these bytes. */
MUST_USE int link_verify(const struct node_cert *c, enum link_signed what, struct str bytes, struct str signature, struct err *e);

/* --- card.c: what one administrator gives to the other: no secret stands in it --- */

struct link_card {
    struct str        node, organisation, bin, url;   /* borrowed from json */
    struct node_cert *cert;                           /* owned */
    json_t           *json;                           /* owned */
};
MUST_USE int link_card_write(const struct node_cert *c, struct str organisation, struct str bin, struct str url, struct buf *out, struct err *e);
MUST_USE int link_card_read(struct str text, struct link_card *out, struct err *e);
void link_card_free(struct link_card *c);
/* link_url_valid - https://HOST[:PORT][/PATH] without user, query or fragment. */
bool link_url_valid(struct str url);

/* --- envelope.c --- */

struct link_document {
    struct str name, type;      /* "annex7.pdf", "application/pdf" */
    struct str sha256;          /* hexadecimal */
    int64_t    size_bytes;
};

struct link_envelope {
    struct str     from, to, previous;
    struct str     message;     /* 32 hexadecimal digits: stays the same when the stream is numbered anew */
    enum link_kind kind;
    int64_t        epoch, sequence;
    time_ns        created_at;
    const json_t  *payload;     /* an object; borrowed */
    struct link_document document[LINK_DOCUMENTS_MAX];
    size_t         document_count;
};

/* link_envelope_write - canonical bytes appended to out, their hash in hash. */
MUST_USE int link_envelope_write(const struct link_envelope *v, struct buf *out, char hash[LINK_HASH_TEXT], struct err *e);
/* link_envelope_read - judge an object; *out borrows from j. -EBADMSG with the property that is wrong. */
MUST_USE int link_envelope_read(const json_t *j, struct link_envelope *out, struct err *e);

/* link_instant - an instant in its one form: UTC with 'Z', the shortest of no, 3, 6 or 9 digits of a fraction. */
bool link_instant(struct str s, time_ns *out);

/* --- bundle.c --- */

/* How far a side has come in what the other one sends: the last envelope applied. Sequence 0: none, hash of zeros. */
struct link_mark {
    int64_t epoch, sequence;
    char    hash[LINK_HASH_TEXT];
};

struct link_head {
    struct str       from, to;
    time_ns          created_at;
    int64_t          count;
    struct link_mark have;
};

/* link_item_begin, _document, _end - one line: documents in the order of their hashes, then the envelope with its signature. */
struct link_writer {
    struct buf *out;            /* borrowed */
    bool        first;
};
void link_item_begin(struct link_writer *w, struct buf *out);
void link_item_document(struct link_writer *w, struct str sha256, struct str bytes);
void link_item_end(struct link_writer *w, struct str envelope, const char *fingerprint, struct str signature);

/* link_bundle_write - head, signed, and items (lines made as above). */
MUST_USE int link_bundle_write(const struct link_head *h, struct str items, const struct node_key *by, struct buf *out, struct err *e);

struct link_bundle {
    struct link_head head;      /* borrows from json */
    struct str       fingerprint, signature;
    struct str       signed_bytes;   /* in text */
    struct str       rest;      /* lines not yet taken */
    json_t          *json;      /* owned */
    struct buf       text;      /* owned */
};
/* link_bundle_read - the head, and that what follows is what it announces. Signatures are not looked at yet. -EBADMSG, -E2BIG,
 * -ENOTSUP for a version that is not spoken here. */
MUST_USE int link_bundle_read(struct str bytes, struct link_bundle *out, struct err *e);
MUST_USE int link_bundle_verify(const struct link_bundle *b, const struct node_cert *c, struct err *e);
void link_bundle_free(struct link_bundle *b);

struct link_item {
    struct link_envelope envelope;
    struct str           fingerprint, signature;
    struct buf           bytes;      /* owned: the canonical envelope */
    char                 hash[LINK_HASH_TEXT];
    struct buf           content[LINK_DOCUMENTS_MAX];   /* owned, in the order of envelope.document */
    json_t              *json;       /* owned */
};
/* link_bundle_next - the next line: 1 with *out, 0 at the end. Each document is there and has the size and hash that the envelope says. */
MUST_USE int link_bundle_next(struct link_bundle *b, struct link_item *out, struct err *e);
MUST_USE int link_item_verify(const struct link_item *i, const struct node_cert *c, struct err *e);
void link_item_free(struct link_item *i);

#endif
