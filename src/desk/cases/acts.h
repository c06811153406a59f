/* acts.h - one act on a case: between the table in acts.c and the handlers.
 *
 * Owns      nothing.
 * Promises  a handler runs inside the transaction, after role, state, guard and body were found right.
 * Threads   as struct desk. */
#ifndef SAQSHY_DESK_ACTS_H
#define SAQSHY_DESK_ACTS_H

#include "desk/internal.h"

#define ACT_FIELDS_MAX 4

typedef int  act_handler(struct call *c, struct kase *k, const json_t *body);
typedef bool act_guard(struct call *c, const struct kase *k);

act_handler act_analyse, act_dismiss, act_notify, act_acknowledge, act_confirm_event, act_confirm_incident, act_reject, act_event_analysis,
    act_report_measures, act_eliminate, act_accept_elimination, act_notify_knb, act_review_level, act_comment, act_close;

/* act_line - the act's own line: text is what the person wrote. */
MUST_USE int act_line(struct call *c, const struct kase *k, const char *kind, struct str text, time_ns happened, const char *sha256);
/* time_of - the instant under key. body_check has seen that it is one. */
time_ns time_of(const json_t *body, const char *key);
/* minute_before - is a before b, by the minute? People write minutes, the system knows nanoseconds. */
bool minute_before(time_ns a, time_ns b);
#define ACT_FUTURE_NS NS_PER_MINUTE   /* clocks of people's computers are not ours */

#endif
