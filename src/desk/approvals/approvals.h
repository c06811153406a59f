/* approvals.h - the two-person rule: what could do harm is asked by one person and done by another.
 *
 * Owns      the table approval.
 * Promises  1. An act of a kind that content/policy/two_person.yaml names is not done when it is asked: a row waits, with the act's own arguments.
 *           2. Only another person decides: not the one who asked, whatever their roles, and only one whose role and organisation may do the
 *              act themselves. Who asked may withdraw.
 *           3. Approving does the act in the same transaction, by the rules of that moment: if the act is no longer possible, nothing changes
 *              and the row waits on.
 *           4. Asking, approving, refusing and withdrawing are lines of the subject's timeline and rows of the audit trail. A decided row is
 *              never changed.
 *           5. Clocks run on while a row waits.
 * Threads   as struct desk.
 * Source    point 8 of requirements 1.2; docs/approvals.md. */
#ifndef SAQSHY_DESK_APPROVALS_H
#define SAQSHY_DESK_APPROVALS_H

#include "desk/desk.h"
#include "desk/subject.h"

struct call;

/* approval_gate - called by an act before it does anything. 0: go on (it is approved, or its kind needs no second person); 1: it waits now,
 * and the act must do nothing more; below zero: refused, -EEXIST if the same act on the same subject waits already. args are what
 * the act needs to be run again, borrowed. */
MUST_USE int approval_gate(struct call *c, const char *kind, const struct subject *s, const json_t *args, struct str reason);

/* What each kind does when it is approved: runs in the transaction with c->approved set and c->v the one who approved. id: of the subject. */
typedef int approved_act(struct call *c, struct str id, const json_t *args);
approved_act case_dismiss_approved, duty_restart_approved, attachment_delete_approved, hold_release_approved;

/* approvals_json - those that wait on a subject, for its page: an array of schema Approval. */
MUST_USE int approvals_json(struct call *c, const char *subject, struct str id, json_t **out);

/* --- the API --- */
/* desk_approvals - newest first; state empty: those that wait. */
MUST_USE int desk_approvals(struct desk *d, const struct viewer *v, struct str state, int limit, struct str before, struct desk_reply *r);
/* desk_approval_decide - body {decision: approve | refuse | withdraw, note}. r->json is schema Approval. */
MUST_USE int desk_approval_decide(struct desk *d, const struct viewer *v, struct str id, const json_t *body, time_ns now, struct desk_reply *r);

#endif
