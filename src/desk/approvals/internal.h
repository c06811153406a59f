/* internal.h - between the files of approvals.
 *
 * Owns      nothing.
 * Promises  the table of kinds is constant; its order is that of the bits of desk.two_person.
 * Threads   any. */
#ifndef SAQSHY_DESK_APPROVALS_INTERNAL_H
#define SAQSHY_DESK_APPROVALS_INTERNAL_H

#include "desk/approvals/approvals.h"
#include "desk/internal.h"

struct approval_kind {
    const char   *name;
    bool        (*may)(enum desk_role r);  /* who may ask and decide; the organisation's scope comes on top */
    approved_act *run;
};
extern const struct approval_kind approval_kinds[];
extern const size_t approval_kind_count;
const struct approval_kind *approval_kind_find(struct str name);

#endif
