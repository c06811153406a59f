/* parts.h - records of the registry as they travel between two nodes: {kind, id, removed, changes}, the same for every kind.
 *
 * Promises  1. What names records of one desk does not travel; what an organisation is (its kinds) neither.
 *           2. A part changes nothing by itself; taken over it is written as any change of the registry is: checked, versioned, audited, by somebody
 *              who may.
 *           3. A component or a contact is one of the object (or of the organisation) that the message is about, or it is a new one.
 *           4. That people's data leave stands in the audit trail ("personal.read").
 * Threads   as struct desk; functions that write run inside the transaction of the act.
 * Source    docs/link.md "Payloads". */
#ifndef SAQSHY_DESK_LINK_PARTS_H
#define SAQSHY_DESK_LINK_PARTS_H

#include "desk/desk.h"
#include "desk/registry/registry.h"

#include <jansson.h>

#define LINK_PARTS_MAX 100      /* in one message */

/* part_kind - RECORD_KIND_COUNT unless it is one that travels: object, component, contact, organisation. */
enum record_kind part_kind(const json_t *part);
/* part_out - what stands here of a record; notes that the node knows this version. */
MUST_USE int part_out(struct call *c, struct str node, enum record_kind k, struct str id, json_t **out);
/* part_told - the node knows this version of a record of ours. */
MUST_USE int part_told(struct call *c, struct str node, enum record_kind k, struct str id, int64_t version);
bool parts_valid(const json_t *parts);

/* Where the parts of a message stand here. */
struct part_place {
    struct str node, org;       /* the sender, and for whom it speaks */
    struct str object;          /* ours; {NULL,0}: not known */
    bool       of_object;       /* the message is about an object; else about the organisation */
};
struct str part_parent(struct call *c, const struct part_place *at);
/* part_differences - of what is proposed and what stands here now, into the array out: {kind, id, name, field, from, to}. */
MUST_USE int part_differences(struct call *c, const struct part_place *at, const json_t *part, json_t *out);
MUST_USE int part_accept(struct call *c, const struct part_place *at, const json_t *part, struct str reason);

#endif
