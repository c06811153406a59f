/* renewal.h - agents ask for a new certificate over the connection that their old one opens.
 *
 * Owns      DATA/run/renew: NAME.ask (a request, taken away by the role keys), NAME.pem (the answer).
 * Promises  1. A request is written under the name of the certificate that came with the connection, and never read here: whether it is granted is for the
 *              role keys, which believes no file name (pki.h, promise 6).
 *           2. Bounded: one request of PKI_ASK_MAX a name, and none within ASK_EVERY_S after the one before.
 * Threads   loop only; the file is written without a sync.
 * Source    docs/certificates.md. */
#ifndef SAQSHY_INGEST_RENEWAL_H
#define SAQSHY_INGEST_RENEWAL_H

#include "ingest/http.h"

/* renewal_at_once - POST with the header Saqshy-Renewal: 202, come again; GET: 200 with the last certificate that was made for this name, or 404. */
void renewal_at_once(const struct http_ask *a, struct http_answer *out);

#endif
