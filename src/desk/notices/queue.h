/* queue.h - what waits to be handed to somebody else's machine: letters to the mail server, notices to webhooks.
 *
 * Owns      the table "receiver": who did not answer, how often, and until when nothing is tried there; attempts, next_try_at and state of
 *           deliveries in "notice".
 * Promises  1. A try is counted and the next one put off before anything is sent: a crash in between delays and never floods.
 *           2. Two pauses. A delivery that was refused waits by itself; a receiver that cannot be reached rests, and all that is for it waits
 *              without being tried. Others are not delayed.
 *           3. When a receiver answers again, what waited for it is due at once.
 *           4. No pause is longer than QUEUE_PAUSE_MOST: one that reaches further was planned by a clock that ran ahead, and is over.
 *           5. Given up is only what was tried QUEUE_TRIES_MOST times itself, or what the caller says; then it is told.
 *           6. What is about a case goes under the label that the case has when it is sent: what a stricter label forbids by then is closed as failed
 *              ("label") without a try, and a wider one does not bring it back.
 * Threads   as struct desk.
 * Units     time_ns. */
#ifndef SAQSHY_DESK_NOTICES_QUEUE_H
#define SAQSHY_DESK_NOTICES_QUEUE_H

#include "desk/internal.h"

#define QUEUE_PAUSE_FIRST (15 * NS_PER_SECOND)
#define QUEUE_PAUSE_MOST  NS_PER_HOUR
#define QUEUE_TRIES_MOST  100   /* with the pauses: about four days */

/* In SQL: is delivery n due at now? Does the receiver of this key rest at now? */
#define QUEUE_DUE(n, now) "(" n ".state = 'queued' AND (" n ".next_try_at <= " now " OR " n ".next_try_at > " now " + 3600000000000 OR " n       \
    ".next_try_at IS NULL))"
#define RECEIVER_RESTS(key, now)                                                                                                       \
    "EXISTS (SELECT 1 FROM receiver x WHERE x.key = " key " AND x.rest_until > " now " AND x.set_at <= " now ")"

/* queue_waiting - is anything of a channel due? Asked without a transaction: most turns find an empty queue and must not lock. */
MUST_USE int queue_waiting(struct call *c, const char *channel, int64_t *some);
/* queue_put_off - count this try (the attempts-th) and put the next one off; the receiver is busy for so long, should we die. */
MUST_USE int queue_put_off(struct call *c, int64_t id, int64_t attempts, struct str receiver, time_ns busy);
/* queue_sent - taken, with its proof; the receiver is well. org {NULL,0}: the receiver is that of the whole channel. */
MUST_USE int queue_sent(struct call *c, int64_t id, const char *proof, struct str receiver, const char *channel, struct str org);
/* queue_failed - not taken: it waits, or is given up (over, or after QUEUE_TRIES_MOST). A receiver that is silent rests; one that answered is well
 * and refused this one; one that was not asked stays as it was. Returns 1 if the delivery was given up. */
enum queue_receiver { QUEUE_ANSWERED, QUEUE_SILENT, QUEUE_NOT_ASKED };
struct queue_failure {
    int64_t             id, attempts;
    const char         *error;
    enum queue_receiver receiver;
    bool                over;
};
MUST_USE int queue_failed(struct call *c, const struct queue_failure *f, struct str receiver, const char *channel, struct str org);

/* queue_letter_may, queue_org_may - does the label that the case has now let this go to an address, to the system of an organisation? case_id 0: about no
 * case, which no label holds back. */
MUST_USE int queue_letter_may(struct call *c, int64_t case_id, struct str email, bool *may);
MUST_USE int queue_org_may(struct call *c, int64_t case_id, struct str org, bool *may);
/* queue_stop - the label forbids it: closed, audited; to is as the audit trail names the receiver. */
MUST_USE int queue_stop(struct call *c, int64_t id, const char *kind, struct str to);

#endif
