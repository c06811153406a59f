/* requests.h - what the centre asks of owners and owners declare to the centre: small duties with a kind, states, evidence and clocks.
 *
 * Owns      the tables request, request_item, request_file, log_source, collector, sending.
 * Promises  1. What may be done to a request of a kind, in which state and by whom stands in one table (kinds.c); the portal's forms come from it.
 *           2. An act is one transaction: values, state, clocks, timeline, notices and audit row, or nothing.
 *           3. Clocks run through duties.h alone; the start is the field that the Rules name, as a person declared it.
 *           4. D-01 and D-02 are kept only when the paper and the electronic part are both recorded.
 *           5. Evidence is only added, each file by the SHA-256 of its bytes, with the moment and place of its making.
 *           6. A request is seen by whoever reaches its object (scope.h); the CII list also by the authorised body that approves it.
 * Threads   as struct desk.
 * Units     time_ns.
 * Source    paragraphs 4, 7, 8, 11, 12, 14, 15, 16, 19, 20, 23 of the Rules; requirements 7.6, 7.7, 7.9, 7.10; docs/requests.md. */
#ifndef SAQSHY_DESK_REQUESTS_H
#define SAQSHY_DESK_REQUESTS_H

#include "desk/desk.h"

#define REQUEST_OBJECTS_MAX 500      /* objects asked by one request letter: a transaction must stay short */
#define REQUEST_ITEMS_MAX   100      /* lines of a check-list: Annex 3 has 27 */
#define REQUEST_FILES_MAX   500      /* pieces of evidence of one request */

/* --- the API; bodies and answers by docs/openapi.yaml --- */

struct requests_query {
    struct str kind, state, object, side;   /* side: mine, other, ended; empty: all that are open */
    int        limit;
    struct str before;
};
MUST_USE int desk_requests(struct desk *d, const struct viewer *v, const struct requests_query *q, time_ns now, struct desk_reply *r);
MUST_USE int desk_request(struct desk *d, const struct viewer *v, struct str id, time_ns now, struct desk_reply *r);
MUST_USE int desk_request_kinds(struct desk *d, const struct viewer *v, struct desk_reply *r);
/* desk_request_targets - objects about which v may open a request of this kind, by name; a page. */
MUST_USE int desk_request_targets(struct desk *d, const struct viewer *v, struct str kind, struct str q, struct desk_reply *r);
/* desk_request_open - body {kind, object_ids, values}: one request for each object. */
MUST_USE int desk_request_open(struct desk *d, const struct viewer *v, const json_t *body, time_ns now, struct desk_reply *r);
MUST_USE int desk_request_act(struct desk *d, const struct viewer *v, struct str id, struct str action, const json_t *body, time_ns now,
                              struct desk_reply *r);

/* desk_logging_announced - {id, name} of the request that announced a change of logging of this source (or of its class, where none is named) within five
 * days of at; JSON null: nobody did. The caller has settled that v sees the object. */
MUST_USE int desk_logging_announced(struct desk *d, const struct viewer *v, struct str object, struct str source, struct str class, time_ns at, json_t **out,
                                    struct err *e);

/* desk_request_attach - body {upload_id, role, item, captured_at, place, note}: evidence for a request. Answers the request. */
MUST_USE int desk_request_attach(struct desk *d, const struct viewer *v, struct str id, const json_t *body, time_ns now, struct desk_reply *r);
/* desk_request_file - a descriptor of one file, owned by the caller; r->json is {name, type, size_bytes}. */
MUST_USE int desk_request_file(struct desk *d, const struct viewer *v, struct str id, struct str file, time_ns now, int *fd, struct desk_reply *r);

/* --- for other rooms --- */

struct call;

/* requests_open_one, requests_act - open a request, act on one, inside the transaction of another room's act and with all that it means: the roles of the
 * table, clocks, notices, audit row (a survey of documents sends its notice so). */
MUST_USE int requests_open_one(struct call *c, const char *kind, struct str object, const json_t *values, int64_t *id);
MUST_USE int requests_act(struct call *c, int64_t id, const char *action, const json_t *body);

/* cii_connected - 1 if the monitoring system of the CII object is connected to the technical means of an OCIB (paragraph 20), 0 if not. */
MUST_USE int cii_connected(struct call *c, struct str object);
/* request_open_as - c->v opens a request of this kind from another room, in the transaction of its act; values by the table of the kind. -EACCES if that
 * role opens none of it. */
MUST_USE int request_open_as(struct call *c, const char *kind, struct str object, const json_t *values, int64_t *id);
/* requests_tick - what time brings: the monthly check of contacts. Returns how many were made. */
MUST_USE int requests_tick(struct call *c);

#endif
