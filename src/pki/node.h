/* node.h - a node's own signature: its key, its certificate, and bytes signed with one and judged by the other.
 *
 * Owns      struct node_key its key and certificate; struct node_cert its certificate and its PEM.
 * Promises  1. P-256 alone, and no certificate that may vouch for others; its CN is the name of the node.
 *           2. A signature names what it signs: the domain, with the NUL that ends it, stands before the bytes, so that a signature of one thing
 *              never stands for another, nor for a TLS handshake.
 *           3. One form of base64: no blanks, no spare bits.
 * Threads   any; nothing is changed once loaded.
 * Units     time_ns.
 * Source    docs/link.md; FIPS 186-4, RFC 5480. */
#ifndef SAQSHY_PKI_NODE_H
#define SAQSHY_PKI_NODE_H

#include "pki/pki.h"

#define NODE_SIGNATURE_MAX 128      /* of base64, NUL included: DER of ECDSA P-256 is at most 72 bytes */
#define NODE_PEM_MAX       (16u * KIB)
#define NODE_HASH_TEXT     65       /* SHA-256 in hexadecimal and NUL */

struct node_key;
struct node_cert;

/* node_cert_read - one certificate in PEM fit for a node. -EBADMSG with the reason. */
MUST_USE int node_cert_read(struct str pem, struct node_cert **out, struct err *e);
void node_cert_free(struct node_cert **c);
const char *node_cert_name(const struct node_cert *c);          /* the CN */
const char *node_cert_fingerprint(const struct node_cert *c);   /* SHA-256 of the DER, hexadecimal */
struct str node_cert_pem(const struct node_cert *c);            /* of the certificate alone, whatever stood around it */
time_ns node_cert_ends(const struct node_cert *c);
/* node_cert_holds - the moment lies within its validity. */
bool node_cert_holds(const struct node_cert *c, time_ns at);

/* node_key_load - node.pem and node.key of a folder, as "saqshy link init" makes them. -ENOENT if the node has none. */
MUST_USE int node_key_load(const char *folder, struct node_key **out, struct err *e);
void node_key_free(struct node_key **k);
const struct node_cert *node_key_cert(const struct node_key *k);

MUST_USE int node_sign(const struct node_key *k, const char *domain, struct str bytes, char out[NODE_SIGNATURE_MAX], struct err *e);
/* node_verify - 0, or -EBADMSG: it is not that certificate's signature of these bytes. */
MUST_USE int node_verify(const struct node_cert *c, const char *domain, struct str bytes, struct str signature, struct err *e);
void node_sha256(struct str bytes, char out[NODE_HASH_TEXT]);

#endif
