/* pki.h - the certificate authority of one centre: who may speak to whom over TLS.
 *
 * Owns      a folder: ca.pem, ca.key, server.pem, server.key, agents/ID.pem, agents/ID.key, issued.tsv (every certificate that was ever made), and in
 *           server/ what was renewed: server.pem, server.key, and revoked.crl; and that of a node: node.pem, node.key.
 * Promises  1. Keys are EC P-256 and lie in files of mode 0600 in folders of mode 0700; certificates are 0644. Each file is
 *              written atomically, the key before its certificate, so a certificate never stands without its key.
 *           2. Serial numbers are 120 random bits. No certificate can sign another one (path length 0).
 *           3. A context speaks TLS 1.2 or newer. pki_server_context with agents_only refuses, in the handshake, whoever has
 *              no certificate of this authority made for clients.
 *           4. An agent's name is its certificate's CN, checked by pki_name_valid when issued and again when read.
 *           5. A node's certificate is its own, signed by no authority: pki_node_server lets in exactly the certificates it was given.
 *           6. A renewal is granted to whoever shows a certificate of ours that holds, is not revoked, and signs the request with its key; never
 *              to a name alone. So whoever carries requests cannot make certificates of them.
 *           7. A revocation list names serial numbers, is signed by the authority and does not end.
 * Threads   making: owner; a context, once made, any.
 * Units     validity in days; it begins by the machine's clock (OpenSSL judges by the same one) and ends by clock_now.
 * Source    RFC 5280; design, "automatic certificates". */
#ifndef SAQSHY_PKI_PKI_H
#define SAQSHY_PKI_PKI_H

#include "base/base.h"
#include "base/clock.h"

#define PKI_NAME_MAX     64   /* of an agent; it becomes a file name and a CN (ub-common-name is 64) */
#define PKI_CA_DAYS      3650
#define PKI_SERVER_DAYS  397
#define PKI_AGENT_DAYS   397
#define PKI_NODE_DAYS    1826
#define PKI_SANS_MAX     64
#define PKI_ASK_MAX      (8 * KIB)   /* a request for renewal as text */
#define PKI_ISSUED_MAX   (64u * MIB)

struct ssl_ctx_st;
struct ssl_st;

/* pki_name_valid - 1 to PKI_NAME_MAX letters, digits, '.', '_', '-', not starting with '.' or '-'. */
bool pki_name_valid(struct str name);

/* pki_ca_make - an authority in folder (made if absent). One that is there already is left as it is: then 1. */
MUST_USE int pki_ca_make(const char *folder, const char *title, struct err *e);
/* pki_server_make - server.pem and server.key for these host names and IP addresses ("centre.example", "127.0.0.1", "::1");
 * the first is the CN. Replaces those that are there. */
MUST_USE int pki_server_make(const char *folder, const char *const *names, size_t count, struct err *e);
/* pki_agent_make - agents/ID.pem and agents/ID.key. Replaces those that are there. */
MUST_USE int pki_agent_make(const char *folder, struct str id, struct err *e);
/* pki_node_make - node.pem and node.key in folder (made if absent), for TLS in both directions and for signing. -EEXIST if there are. */
MUST_USE int pki_node_make(const char *folder, struct str id, struct err *e);
/* pki_days_left - whole days until the certificate in a PEM file ends; below zero: it has ended. */
MUST_USE int pki_days_left(const char *pem, int *days, struct err *e);

/* --- renewal --- */

/* pki_life - from when until when the certificate in a PEM file holds. */
MUST_USE int pki_life(const char *pem, time_ns *from, time_ns *to, struct err *e);
/* pki_due - two thirds of its life are over. */
bool pki_due(time_ns from, time_ns to, time_ns now);
/* pki_server_renew - server/server.pem and server/server.key for the names that the certificate in the file old has. */
MUST_USE int pki_server_renew(const char *folder, const char *old, struct err *e);
/* pki_renew_ask - the text of a request for the certificate in cert, signed with its key: a new key is made in fresh (mode 0600) unless there is one. */
MUST_USE int pki_renew_ask(const char *cert, const char *key, const char *fresh, struct buf *ask, struct err *e);
/* pki_renew_grant - the authority's side: a certificate for name in PEM. -EACCES with the reason for a refusal. */
MUST_USE int pki_renew_grant(const char *folder, struct str name, struct str ask, struct buf *pem, struct err *e);
/* pki_renew_take - pem is of the key in fresh and holds under ca: both go into the one file identity (0600), and fresh goes. -EBADMSG otherwise. */
MUST_USE int pki_renew_take(struct str pem, const char *fresh, const char *ca, const char *identity, struct err *e);

/* --- revocation --- */

/* What issued.tsv says of a certificate. */
struct pki_issued {
    struct str serial, kind, name;     /* hexadecimal; "server" or "agent" */
    time_ns    from, to;
    bool       revoked;
};
typedef int pki_issued_fn(void *arg, const struct pki_issued *one);
/* pki_issued_each - all that were made, oldest first. A non-zero answer ends it and is returned. */
MUST_USE int pki_issued_each(const char *folder, pki_issued_fn *each, void *arg, struct err *e);
/* pki_revoke - all certificates of an agent that were made until now. *count of them were not revoked before. -ENOENT: there is none. */
MUST_USE int pki_revoke(const char *folder, struct str name, size_t *count, struct err *e);

/* The list, as a listener keeps it. */
struct pki_revoked;
/* pki_revoked_load - from file, which the authority in ca must have signed. NULL in *out where there is no file. */
MUST_USE int pki_revoked_load(const char *file, const char *ca, struct pki_revoked **out, struct err *e);
void pki_revoked_free(struct pki_revoked **r);
/* pki_revoked_peer - is the other side's certificate of the authority of the list, and on it? NULL: no list. */
bool pki_revoked_peer(const struct pki_revoked *r, const struct ssl_st *ssl);
size_t pki_revoked_count(const struct pki_revoked *r);

/* pki_server_context - for a listener, from server.pem and server.key of folder. agents_only: clients must show a certificate. */
MUST_USE int pki_server_context(const char *folder, bool agents_only, struct ssl_ctx_st **out, struct err *e);
/* pki_listener_context - for a listener with files of its own. client: 0 asks for no certificate, 1 takes one that holds, 2 insists on one.
 * Sessions are not kept and not resumed, so that a connection costs little. */
struct pki_files {
    const char *cert, *key, *ca;
    const struct pki_revoked *revoked;   /* NULL: none; copied */
};
MUST_USE int pki_listener_context(const struct pki_files *f, int client, struct ssl_ctx_st **out, struct err *e);
/* pki_client_context - trusts ca only; cert and key may both be NULL. */
MUST_USE int pki_client_context(const char *ca, const char *cert, const char *key, struct ssl_ctx_st **out, struct err *e);
/* pki_node_server - for a listener, from node.pem and node.key of folder: clients must show one of the certificates in peers (PEM, one behind
 * the other; empty: nobody gets in). */
MUST_USE int pki_node_server(const char *folder, struct str peers, struct ssl_ctx_st **out, struct err *e);
void pki_context_free(struct ssl_ctx_st **ctx);
/* pki_peer_name - the CN of the other side's verified certificate in out. -ENOENT if it showed none, -EBADMSG if it is no name. */
MUST_USE int pki_peer_name(const struct ssl_st *ssl, char out[PKI_NAME_MAX + 1], struct err *e);
/* pki_peer_host - as pki_peer_name; but where the CN is no name, the first DNS name of the certificate counts (RFC 5425 5.2). */
MUST_USE int pki_peer_host(const struct ssl_st *ssl, char out[PKI_NAME_MAX + 1], struct err *e);
/* pki_peer_fingerprint - SHA-256 of the other side's verified certificate, hexadecimal. -ENOENT if it showed none. */
MUST_USE int pki_peer_fingerprint(const struct ssl_st *ssl, char out[65], struct err *e);
/* pki_peer_issuer - SHA-1, as Windows names certificates, of the one that issued the other side's verified one, hexadecimal. -ENOENT as above. */
MUST_USE int pki_peer_issuer(const struct ssl_st *ssl, char out[41], struct err *e);

#endif
