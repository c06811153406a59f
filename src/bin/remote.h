/* remote.h - the command line as a client of a running centre's API.
 *
 * Owns      struct remote owns its connection and session; signs out when closed.
 * Promises  1. Credentials come from SAQSHY_USER and SAQSHY_PASSWORD, the authority from --cacert or SAQSHY_CACERT; neither is ever printed.
 * Threads   owner. */
#ifndef SAQSHY_BIN_REMOTE_H
#define SAQSHY_BIN_REMOTE_H

#include <jansson.h>

#include "base/base.h"

struct remote;

MUST_USE int remote_open(const char *url, const char *ca_file, struct remote **out, struct err *e);
void remote_close(struct remote **r);
/* remote_get - GET /api/v1PATH?pairs; pairs of name and value, ended by NULL, are encoded. The answer's JSON is owned by the caller. A refusal of
 * the server is -EPROTO with its message. */
MUST_USE int remote_get(struct remote *r, json_t **out, struct err *e, const char *path, ...) __attribute__((sentinel));
/* remote_send - METHOD /api/v1PATH with a JSON body (NULL: none). out may be NULL. */
MUST_USE int remote_send(struct remote *r, const char *method, const char *path, const json_t *body, json_t **out, struct err *e);
/* remote_bytes - the same with a body of bytes, and the answer as it came, borrowed until the next call. */
MUST_USE int remote_bytes(struct remote *r, const char *method, const char *path, struct str body, struct str *out, struct err *e);

#endif
