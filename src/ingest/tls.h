/* tls.h - the TLS side of a listener: its files, the context made of them, read again when they change.
 *
 * Owns      struct tls owns its context; connections hold it as long as they live.
 * Promises  1. A change of certificate, key or authority is taken within TLS_LOOK_NS, without touching a connection.
 *           2. Files that do not fit together are told once and leave the old context in force.
 *           3. A certificate on the authority's list of revoked ones (DATA/pki/server/revoked.crl) opens nothing from then on, and connections that stand with
 *              it are closed: tls_look says when to look at them.
 * Threads   loop only.
 * Source    RFC 5425, RFC 8446. */
#ifndef SAQSHY_INGEST_TLS_H
#define SAQSHY_INGEST_TLS_H

#include "ingest/listener.h"

#define TLS_LOOK_NS (2 * NS_PER_SECOND)

struct tls;
struct ssl_ctx_st;
struct ssl_st;

/* tls_open - from the files of c, or those of DATA/pki. */
MUST_USE int tls_open(const char *data, const struct listen_conf *c, struct tls **out, struct err *e);
void tls_free(struct tls **t);
struct ssl_ctx_st *tls_context(const struct tls *t);
/* tls_look - have the files changed? Cheap; call it from a tick. True if the list of revoked certificates did: connections are to be asked tls_revoked. */
bool tls_look(struct tls *t);
/* tls_revoked - was the certificate that the other side has shown revoked meanwhile? */
bool tls_revoked(const struct tls *t, const struct ssl_st *ssl);
/* tls_client - the name in a client's verified certificate. 0; 1 without a certificate where none is needed; below zero for one without a
 * usable name where one is needed, and for one that is revoked. */
MUST_USE int tls_client(const struct tls *t, const struct ssl_st *ssl, char out[AGENT_TEXT_MAX], struct err *e);

#endif
