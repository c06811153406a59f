/* scope.h - how far somebody sees: everything, or what belongs to their organisation.
 *
 * Owns      nothing.
 * Promises  1. Whoever asks the database for rows that belong to an organisation passes a scope; no query lists rows without one.
 *           2. An organisation reaches an object as its owner, its possessor or the provider of an operational centre for it (Q-54, R-12-01).
 *           3. What lies outside the scope is -ENOENT, never -EACCES: its existence is told to nobody.
 *           4. The system itself (no viewer) reaches everything.
 * Threads   any.
 * Source    requirements 1.2. */
#ifndef SAQSHY_DESK_SCOPE_H
#define SAQSHY_DESK_SCOPE_H

#include "desk/desk.h"

struct scope {
    int64_t     bounded;   /* 1: only what org reaches */
    const char *org;       /* borrowed from the viewer; "" if not bounded. Bounded by "" reaches nothing */
};

struct scope scope_of(const struct viewer *v);
bool role_of_centre(enum desk_role r);       /* the staff of the centre who decide on cases: analyst and lead */
bool role_of_owner(enum desk_role r);        /* who acts for an owner, a possessor or their operational centre */
bool role_reads_all(enum desk_role r);

/* Conditions for SQL; the scope is bound as ?1 (bounded) and ?2 (org), formats "iz". o: alias of object. */
#define SCOPE_OBJECT "(?1 = 0 OR ?2 IN (o.org_id, o.possessor_id, o.ocib_id))"
/* The same for lists: the objects that an organisation reaches are found by three indices, once for the whole statement. */
#define OBJECTS_OF(org)                                                                                                                    "(SELECT id FROM object WHERE org_id = " org " UNION SELECT id FROM object WHERE possessor_id = " org " UNION SELECT id FROM object" \
    " WHERE ocib_id = " org ")"
#define SCOPE_OBJECTS "(?1 = 0 OR o.id IN " OBJECTS_OF("?2") ")"
#define SCOPE_ORG(column) "(?1 = 0 OR ?2 = " column ")"

/* An address of the people, the accounts or the office of the organisation bound as ?2: a party of a notice sees no other mail address. */
#define ADDRESS_OWN(column)                                                                                                          \
    "(EXISTS (SELECT 1 FROM person ap WHERE ap.org_id = ?2 AND ap.email = " column ") OR EXISTS (SELECT 1 FROM user au WHERE au.org_id = ?2 AND"      \
    " au.email = " column ") OR EXISTS (SELECT 1 FROM org ag WHERE ag.id = ?2 AND ag.email = " column "))"

#endif
