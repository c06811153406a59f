/* bulk.h - the bulk interface of Elasticsearch, as far as senders of logs use it.
 *
 * Owns      nothing.
 * Promises  1. Every document that is created or indexed becomes an event, whatever it says; update and delete are refused, item by item.
 *           2. The answer has an item for each action, in order, and comes after the commit.
 *           3. A line that is no action refuses the whole request, and nothing of it is stored.
 *           4. Bounded: BULK_ACTIONS_MAX actions, an answer that fits ANSWER_BYTES_MAX.
 * Threads   as http.h and record.h say.
 * Units     bytes.
 * Source    Elasticsearch, documentation of the bulk API and of the requests that senders make before they deliver
 *           (docs/inputs/elasticsearch-bulk.md). */
#ifndef SAQSHY_INGEST_BULK_H
#define SAQSHY_INGEST_BULK_H

#include "ingest/http.h"

#define BULK_ACTIONS_MAX 65536           /* EVENT_BATCH_MAX: a request is one frame of the journal */
#define BULK_VERSION     "8.19.0"        /* told to senders that ask: not older than they are, or they refuse */

extern const struct body_decoder bulk_decoder;

enum bulk_kind { BULK_CREATE, BULK_INDEX, BULK_UPDATE, BULK_DELETE };
struct bulk_action {
    enum bulk_kind kind;
    struct str     index, id;            /* views, or in the arena; as written, {NULL,0} if not said */
};
/* bulk_action_read - an action line. -EBADMSG with what is wrong. */
MUST_USE int bulk_action_read(struct str line, struct arena *a, struct bulk_action *out, struct err *e);
/* bulk_walk - the lines of a body: take is called for each action with its document (empty for delete). -EBADMSG, -E2BIG, or what take said. */
typedef int bulk_take(void *arg, const struct bulk_action *action, struct str document, struct err *e);
MUST_USE int bulk_walk(struct str body, struct arena *a, bulk_take *take, void *arg, struct err *e);

/* bulk_document - a document as a record. */
MUST_USE int bulk_document(struct taking *t, struct str document, struct err *e);
/* bulk_document_as - the same for a document that came otherwise: known is what is known of it (time, host, fields), for what it does not say. */
MUST_USE int bulk_document_as(struct taking *t, struct str document, const struct record *known, struct err *e);

/* bulk_probe - what senders ask besides; at_once of their routes. */
void bulk_probe(const struct http_ask *a, struct http_answer *out);
/* bulk_error - the body of a refusal. */
void bulk_error(struct buf *out, int status, const char *reason);

#endif
