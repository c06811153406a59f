/* tokens.h - who may send by HTTP: names, and the SHA-256 of a random token each.
 *
 * Owns      a table owns its rows; the role owns all tables, listeners only name them.
 * Promises  1. A token itself stands in no file of ours and in no message.
 *           2. Every token is compared with every row, in a time that does not tell how much of it was right.
 *           3. A changed file is taken within seconds; one that cannot be read is told, and the rows before stay in force.
 *           4. Bounded: TOKENS_MAX rows, TOKENS_BYTES_MAX of a file.
 * Threads   loop only.
 * Units     bytes.
 *
 * The file: lines "NAME sha256:64-HEX-DIGITS [object=ID]", "#" begins a comment. A token is 256 random bits (`saqshyd --token NAME`),
 * so a slow hash would protect nothing and only stop the loop. */
#ifndef SAQSHY_INGEST_TOKENS_H
#define SAQSHY_INGEST_TOKENS_H

#include "ingest/http.h"
#include "ingest/token_file.h"

#define TOKEN_TEXT_MAX    256            /* of what a sender shows */

struct tokens;
/* A kind over HTTP whose senders show tokens: the table that its configuration names is read before it is open or changed (one that is not there
 * yet is empty), and looked at again each second. Without TLS if the option "plain" says so; refuses unknown options, and plain HTTP where others than
 * this host may hear it, unless "plain" is "anywhere". options: the kind's own, NULL-ended; NULL: none. */
MUST_USE int tokens_http_open(struct ingest *in, const struct listener_kind *kind, const struct http_service *service, const char *const *options,
                              const struct listen_conf *c, struct listener **out, struct err *e);
MUST_USE int tokens_http_change(struct listener *l, const char *const *options, const struct listen_conf *c, struct err *e);
void tokens_http_tick(struct listener *l);
#define TOKENS_HTTP_MEMBERS \
    .tick = tokens_http_tick, .stop_accepting = http_stop_accepting, .busy = http_busy, .close = http_close, .port = http_port
void tokens_free(struct tokens **all);

enum admitted { ADMITTED, NO_TOKEN, BAD_SCHEME, WRONG_TOKEN };
/* tokens_admit - may this request be taken? p (may be NULL) gets the sender's name and object. */
enum admitted tokens_admit(const struct http_ask *a, struct pile *p);

#endif
