/* triage.h - from a match to a finding: its level by the policy, its episode, and what it adds to the risk of host and user.
 *
 * Owns      struct triage owns the policy, the open episodes and the accounts of risk.
 * Promises  1. Without a policy each match is a finding by itself, as it comes.
 *           2. What is decided depends on the events, the policy and the saved state alone (episode.h, risk.h).
 *           3. A policy that became wrong goes on as it was.
 *           4. After a kill, what was judged before is judged again by the policy of then, though its files are others now (triage_resume).
 * Threads   owner.
 * Source    docs/detection.md, "From a match to a finding". */
#ifndef SAQSHY_DETECT_TRIAGE_H
#define SAQSHY_DETECT_TRIAGE_H

#include "detect/episode.h"
#include "detect/risk.h"

struct triage;

/* triage_open - ours and site: files of the policy; ours NULL: none. A site's file that is wrong is left out, and triage_note says why: detection must
 * not stand still for a slip of the pen. */
MUST_USE int triage_open(const char *ours, const char *site, struct triage **out, struct err *e);
void triage_close(struct triage **t);
const char *triage_note(const struct triage *t);   /* why the files of now do not count; "": they do */
/* triage_changed - the policy's files are others than those that were read. */
bool triage_changed(const struct triage *t);
/* triage_reload - read the policy anew. On failure the one before goes on. */
MUST_USE int triage_reload(struct triage *t, struct err *e);

/* triage_match - one match; findings that it brings about are added to out. Returns how many, or -ENOMEM. *last: one of them is of the match itself,
 * and stands at this index of out; SIZE_MAX if not. */
MUST_USE int triage_match(struct triage *t, const struct sigma *set, const struct sigma_match *m, const struct event *ev, struct event_batch *out,
                          size_t *last, struct err *e);
/* triage_is_due - something is, at that moment. */
bool triage_is_due(const struct triage *t, time_ns at);
/* triage_due - what is due when ev is received: see episodes_due. */
MUST_USE int triage_due(struct triage *t, const struct sigma *set, const struct event *ev, struct event_batch *out, struct err *e);

/* triage_policy - as it is in force; NULL: none. */
const struct detect_policy *triage_policy(const struct triage *t);
/* triage_policy_save - the texts of the policy in force. triage_resume - saved texts: if they are not those that were read, they are in force, and those
 * that were read wait. triage_swap - the one that waits is in force, and the other waits; triage_settle - none waits any more. */
void triage_policy_save(const struct triage *t, struct buf *b);
MUST_USE int triage_resume(struct triage *t, struct str saved, struct err *e);
bool triage_resumed(const struct triage *t);
void triage_swap(struct triage *t);
void triage_settle(struct triage *t);
void triage_save(const struct triage *t, struct buf *episodes, struct buf *risk);
MUST_USE int triage_load(struct triage *t, struct str episodes, struct str risk, struct err *e);
/* triage_clear - nothing is open, nobody has an account. */
void triage_clear(struct triage *t);
struct episode_counters triage_counters(const struct triage *t);
/* triage_risk_json - false: there is no policy, so no risk. */
bool triage_risk_json(const struct triage *t, const struct sigma *set, time_ns at, struct buf *out);

#endif
