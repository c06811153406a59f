/* collection.h - what people tell the collector: profiles of sources, and tokens of senders over HTTP.
 *
 * Owns      DATA/run/profiles.json and, besides `saqshyd --token`, DATA/tokens/senders.
 * Promises  1. A profile that the collector would refuse is refused here, with the property: the file is judged by the collector's own reader before the
 *              change is kept.
 *           2. The narrowest profile comes first: a whole host name before a pattern, a network before a wider one.
 *           3. Every change is an act in the audit trail, with what stood there before.
 *           4. A token is in one answer and nowhere else.
 *           5. A legal hold is in force when its answer is given; its release is the act of two persons where content/policy/two_person.yaml says so.
 * Threads   as struct desk; the files are written one change at a time, whichever desk made it.
 * Units     time_ns.
 * Source    issue of collection, point 7; docs/collection.md. */
#ifndef SAQSHY_DESK_COLLECTION_H
#define SAQSHY_DESK_COLLECTION_H

#include "desk/desk.h"

/* desk_collection_objects - {id: {"name", "org": {"id", "name"}}} of the objects that v reaches. The caller owns it. */
MUST_USE int desk_collection_objects(struct desk *d, const struct viewer *v, json_t **out, struct err *e);

/* desk_fold - letters without case (Latin, Cyrillic with the Kazakh letters), for searching; in the arena. */
struct str desk_fold(struct str s, struct arena *a);

/* The desk's own profiles, the narrowest first, then those of the configuration, which are changed there. */
MUST_USE int desk_source_profiles(struct desk *d, const struct viewer *v, struct desk_reply *r);                                   /* listSourceProfiles */
MUST_USE int desk_source_profile_create(struct desk *d, const struct viewer *v, const json_t *body, time_ns now, struct desk_reply *r);
MUST_USE int desk_source_profile_update(struct desk *d, const struct viewer *v, struct str id, const json_t *body, time_ns now, struct desk_reply *r);
MUST_USE int desk_source_profile_remove(struct desk *d, const struct viewer *v, struct str id, time_ns now, struct desk_reply *r);
/* desk_source_profiles_export - DATA/run/profiles.json anew, as every change does. */
MUST_USE int desk_source_profiles_export(struct desk *d, struct err *e);

/* Names and objects alone; when they were used last, the portal puts in. */
MUST_USE int desk_sender_tokens(struct desk *d, const struct viewer *v, struct desk_reply *r);                                     /* listSenderTokens */
/* desk_sender_token_create - {name, object_id}; r->json has the token, this once. */
MUST_USE int desk_sender_token_create(struct desk *d, const struct viewer *v, const json_t *body, time_ns now, struct desk_reply *r);
MUST_USE int desk_sender_token_remove(struct desk *d, const struct viewer *v, struct str name, time_ns now, struct desk_reply *r);

/* Legal holds (keep/hold.h), the newest first, with the approvals that wait on them; how many cannot be read. */
MUST_USE int desk_holds(struct desk *d, const struct viewer *v, time_ns now, struct desk_reply *r);                                /* listHolds */
/* desk_hold_set - one of {object_id, case_number, query}, from, to, until, reason. */
MUST_USE int desk_hold_set(struct desk *d, const struct viewer *v, const json_t *body, time_ns now, struct desk_reply *r);
/* desk_hold_release - {reason}; asks for it, or does it where policy needs no second person. r->json is the list as it is then. */
MUST_USE int desk_hold_release(struct desk *d, const struct viewer *v, struct str id, const json_t *body, time_ns now, struct desk_reply *r);
/* desk_dropped - what was removed for its age, the newest first, at most 500 lines. */
MUST_USE int desk_dropped(struct desk *d, const struct viewer *v, struct desk_reply *r);                                           /* listDropped */

#endif
