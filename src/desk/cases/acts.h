/* acts.h - one act on a case: between the table in machine.c, the engine in acts.c and the handlers.
 *
 * Owns      nothing.
 * Promises  1. A handler runs inside the transaction, after role, machine, state, guard and body were found right. 1 from it: the act waits for
 *              a second person, and nothing more is done.
 *           2. After it the engine sets the state and runs the timers that the row names; a handler sets no state and touches no timer,
 *              but those whose start depends on what was written in the body.
 *           3. after runs last: what goes out tells of the state as it is then.
 * Threads   as struct desk. */
#ifndef SAQSHY_DESK_ACTS_H
#define SAQSHY_DESK_ACTS_H

#include "desk/internal.h"

#define ACT_FIELDS_MAX 9
#define ACT_TIMERS_MAX 6
#define STAY           CASE_STATE_COUNT   /* the act changes no state */

/* What an act works on. next is the state that the row names; a handler whose step may be the last of several sets it. */
struct act_call {
    struct kase    *k;
    const json_t   *body;
    enum case_state next;
    char            sha256[65];   /* of a document that was made */
};
typedef int  act_handler(struct call *c, struct act_call *a);
typedef bool act_guard(struct call *c, const struct kase *k);

enum timer_verb { TIMER_NONE, TIMER_START, TIMER_KEEP, TIMER_FULFIL, TIMER_CANCEL };   /* KEEP: start it if it does not run */
enum timer_moment { AT_NOW, AT_NOTIFIED, AT_CONFIRMED, AT_ELIMINATED };
struct timer_rule {
    enum timer_verb   verb;
    const char       *obligation;
    enum timer_moment at;
    act_guard        *when;       /* NULL: always */
    const char       *why;        /* of a cancel: text of the catalogue */
};

struct transition {
    const char       *name;
    unsigned          machines, states, roles;
    act_guard        *guard;
    act_handler      *run;
    enum case_state   to;
    struct body_field fields[ACT_FIELDS_MAX];
    struct timer_rule timers[ACT_TIMERS_MAX];
    act_handler      *after;
};
extern const struct transition transitions[];
extern const size_t transition_count;

act_handler act_note_internal, act_dismiss, act_reason, act_text, act_dispute, act_notify, act_notify_out, act_acknowledge, act_confirm_event,
    act_confirm_incident, act_report_measures, act_report_measures_out, act_eliminate, act_accept_elimination, act_return_elimination, act_inform_knb,
    act_notify_knb, act_notify_knb_out, act_review_level, act_comment, act_close, act_notify_incident, act_update, act_recommend, act_decide_visit,
    act_send_employee, act_visit_return, act_consult_request, act_consult_give, act_save_draft, act_decide_recurrence, act_set_tlp, act_take,
    act_external_number, act_add_indicator, act_remove_indicator, act_merge, act_split;
act_guard level_undefined, ocib_serves, no_ocib, sts_untold;

/* --- implemented by the room "link" (steps.c): what is done here is repeated on the nodes that know of the case --- */
bool step_travels(const char *act);
/* step_elsewhere - does the viewer's side of this case act on a node of its own? step_here - -EPROTO "elsewhere" if the act is that side's to do there. */
bool step_elsewhere(struct call *c, const struct kase *k);
MUST_USE int step_here(struct call *c, const struct kase *k, const char *act);
/* step_keep - what was done stands in the row of steps, with the notices made after record first_record. */
MUST_USE int step_keep(struct call *c, const struct kase *k, const char *act, const json_t *body, int64_t first_record);
/* org_on_node - does a thing for this organisation ({NULL,0}: the centre) leave by a link? */
MUST_USE int org_on_node(struct call *c, struct str org, bool *yes);

/* case_open_heard - a case that was opened on another node, as c->v of that node; it must come to the machine that is said there. knb: this node is
 * KNB's, which the centre tells of cases of both machines of chapter 2. */
MUST_USE int case_open_heard(struct call *c, const json_t *body, struct str machine, struct str detector, bool knb, int64_t *id);

/* act_line - the act's own line: text is what the person wrote. */
MUST_USE int act_line(struct call *c, const struct kase *k, const char *kind, struct str text, time_ns happened, const char *sha256);
/* time_of - the instant under key. body_check has seen that it is one. */
time_ns time_of(const json_t *body, const char *key);
/* minute_before - is a before b, by the minute? People write minutes, the system knows nanoseconds. */
bool minute_before(time_ns a, time_ns b);
#define ACT_FUTURE_NS NS_PER_MINUTE   /* clocks of people's computers are not ours */
/* within - a moment that a person gives: not before low (by the minute), not in the future. */
MUST_USE int within(struct call *c, time_ns at, time_ns low, const char *field);
/* --- letters.c: each in its form of the case's edition --- */
/* case_letter - a message in m->form; values are taken, and what every letter of a case says is added. Where the edition lacks the form, m->text. */
MUST_USE int case_letter(struct call *c, const struct kase *k, const struct case_message *m, json_t *values, int64_t *id);
MUST_USE int letter_recommendations(struct call *c, const struct kase *k, struct str text, unsigned to);
MUST_USE int letter_visit_decision(struct call *c, const struct kase *k, struct str reason);
MUST_USE int letter_visit(struct call *c, const struct kase *k, time_ns arrives_at, struct str note);   /* the newest that was sent */
MUST_USE int letter_question(struct call *c, const struct kase *k, struct str question);
MUST_USE int letter_answer(struct call *c, const struct kase *k, struct str question, struct str answer);
MUST_USE int letter_analysis(struct call *c, const struct kase *k, struct str text);
/* names_lawful - the machine's own side of the case, or the centre? */
bool side_of_centre(const struct call *c);

#endif
