/* scope.c - see scope.h. */
#include "desk/scope.h"

#define BIT(role) (1u << DESK_##role)

bool role_of_centre(enum desk_role r) { return (1u << r) & (BIT(CENTRE_ANALYST) | BIT(CENTRE_LEAD)); }

bool role_of_owner(enum desk_role r)
{
    return (1u << r) & (BIT(OWNER_OFFICER) | BIT(OWNER_ADMINISTRATOR) | BIT(OCIB_ANALYST) | BIT(CII_RESPONSIBLE));
}

bool role_reads_all(enum desk_role r)
{
    return role_of_centre(r) || ((1u << r) & (BIT(ADMINISTRATOR) | BIT(SURVEYOR) | BIT(DOCUMENT_AUDITOR) | BIT(AUDITOR)));
}

struct scope scope_of(const struct viewer *v)
{
    return !v || role_reads_all(v->role) ? (struct scope){ 0, "" } : (struct scope){ 1, v->org_id };
}
