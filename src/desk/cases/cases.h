/* cases.h - a case: an event or incident on its way from detection to closing, by one of the three machines of the Rules.
 *
 * Owns      the tables cases, case_text, case_person, case_update, case_draft, case_visit, consultation, indicator, case_merge, finding,
 *           document.
 * Promises  1. What may be done is one table (machine.c): machine, states, roles, guard, next state, timers. Nothing else changes a state.
 *           2. A viewer who is bounded by an organisation sees a case of the centre from the notice on, and one that the object's own side
 *              opened from its opening on; the label (TLP) narrows this further, and KNB sees what it was told of.
 *           3. What was sent is never changed: details follow as numbered updates.
 *           4. Two cases that are merged count by the earliest start; a split restores what was.
 * Threads   as struct desk; inside the transaction of the act.
 * Units     time_ns.
 * Source    requirements 4.3, 4.7, 4.11, 6.2, 6.7, 7.1–7.3, 7.10; docs/cases.md. */
#ifndef SAQSHY_DESK_CASES_H
#define SAQSHY_DESK_CASES_H

#include "desk/internal.h"

#define INDICATORS_MAX   1000   /* of one case */
#define MERGED_MAX       64     /* cases in one */
#define CASE_PERSONS_MAX 64     /* named for TLP:RED */

/* The CII machine has two ways in (7.3 rows 1 and 2), and they differ in who owes what: two machines here, one for the reader. */
enum machine { MACHINE_STS, MACHINE_SELF, MACHINE_OCIB, MACHINE_UNIT, MACHINE_COUNT };
const char *machine_name(enum machine m);      /* "sts", "self", "cii" */
const char *machine_detector(enum machine m);  /* "centre", "owner", "ocib", "unit" */

enum case_state {
    CASE_DETECTED, CASE_PRIMARY_ANALYSIS, CASE_DISMISSED, CASE_NOTIFIED, CASE_EVENT_CONFIRMED, CASE_EVENT_ANALYSED, CASE_INCIDENT_CONFIRMED,
    CASE_MEASURES_REPORTED, CASE_ELIMINATED, CASE_ESCALATED_KNB, CASE_REJECTED, CASE_CLOSED, CASE_SELF_DETECTED, CASE_STS_NOTIFIED,
    CASE_DETECTED_BY_OCIB, CASE_DETECTED_BY_UNIT, CASE_CONFIRMED, CASE_STATE_COUNT
};
const char *case_state_name(enum case_state s);
enum case_state case_state_parse(struct str s);   /* CASE_STATE_COUNT if unknown */

struct kase {
    int64_t         id, previous_id, suggested_id, merged_into, opened_by, assignee_id, owner_assignee_id;
    enum machine    machine;
    enum case_state state;
    struct str      number, kind, rule_id, rule_name, rule_level, object_id, object_name, org_id, org_name, group, level, host;
    struct str      edition, recommendations, detection_kind, annex7, annex2, object_contour;
    struct str      tlp, incident_type, recurrence, opened_org, external_number, contact, description, possessor_id, ocib_id;
    time_ns         detected_at, last_seen_at, notified_at, acknowledged_at, confirmed_at, declared_at, eliminated_at, escalated_at,
                    closed_at, updated_at, sts_notified_at, second_notified_at, measures_at, causes_at, causes_accepted_at, consequences_at,
                    consequences_accepted_at, disputed_at;
    int64_t         count;
    bool            repeated;
};

/* Conditions for SQL on cases k and its object o. CASE_TOLD: does the label let a person (bound as the parameter "user") of the organisation bound
 * as ?2 know that there is such a case? KNB knows of what was escalated, unless it is RED. CASE_SHOWN: and has its side been told of it? CASE_VISIBLE
 * binds ?1 bounded, ?2 organisation, ?3 user and ?4 "is KNB", formats "izii". */
#define CASE_TOLD(user)                                                                                                              \
    "((k.tlp <> 'red' OR EXISTS (SELECT 1 FROM case_person cp WHERE cp.case_id = k.id AND cp.user_id = " user ")) AND (k.tlp <> 'amber+strict'" \
    " OR ?2 IN (o.org_id, k.opened_org) OR (k.escalated_at IS NOT NULL AND EXISTS (SELECT 1 FROM org_kind ck WHERE ck.org_id = ?2 AND ck.kind ="  \
    " 'knb'))))"
#define CASE_SHOWN(user) "((k.notified_at IS NOT NULL OR k.machine <> 'sts') AND " CASE_TOLD(user) ")"
/* The open cases of object o that the viewer may know of, bound as ?1 bounded, ?2 organisation and user. */
#define CASES_COUNTED(user)                                                                                                          \
    "(SELECT count(*) FROM cases k WHERE k.object_id = o.id AND k.state <> 'closed' AND (?1 = 0 OR " CASE_SHOWN(user) "))"
#define CASE_VISIBLE                                                                                                                 \
    "(?1 = 0 OR ((k.tlp <> 'red' OR EXISTS (SELECT 1 FROM case_person cp WHERE cp.case_id = k.id AND cp.user_id = ?3))"              \
    " AND ((?4 = 1 AND k.escalated_at IS NOT NULL) OR (?2 IN (o.org_id, o.possessor_id, o.ocib_id)"                                  \
    " AND (k.notified_at IS NOT NULL OR k.machine <> 'sts') AND (k.tlp <> 'amber+strict' OR ?2 IN (o.org_id, k.opened_org))))))"
int64_t is_bounded(const struct call *c);
int64_t is_knb(const struct call *c);
int64_t viewer_id(const struct call *c);
const char *viewer_org(const struct call *c);

/* case_load - the row; -ENOENT if there is none or the viewer may not see it. */
MUST_USE int case_load(struct call *c, int64_t id, struct kase *out);
/* case_by_number - the id of a number that the viewer may see; -ENOENT. */
MUST_USE int case_by_number(struct call *c, struct str number, int64_t *id);
MUST_USE int case_json(struct call *c, int64_t id, json_t **out);
MUST_USE int case_more_json(struct call *c, const struct kase *k, json_t *out);
/* case_list_ids - at most page_limit + 1 ids, newest first. case_list_statements - what it asks, for the test of the plans. */
MUST_USE int case_list_ids(struct call *c, const struct desk_cases_query *q, int64_t *ids, int *n);
const char *const *case_list_statements(size_t *count);
/* case_title - the rule's title in a language; of a case that a person opened, what they wrote. */
struct str case_title(struct call *c, const struct kase *k, enum lang lang);
/* case_title_both - in Kazakh and Russian, as documents go out; once where they are the same. At most so many bytes of each. */
struct str case_title_both(struct call *c, const struct kase *k, size_t most);
/* case_search_update - what listCases?q= looks into. */
MUST_USE int case_search_update(struct call *c, int64_t id);
/* finding_take - a finding as an event (rule.id, rule.name, rule.level; object and host by its own members) opens a case or joins the open one of its rule
 * and object, in a transaction. Findings of other rooms have seq below zero. */
MUST_USE int finding_take(struct call *c, const struct event *ev);
/* case_number - the next number of a year: "2026-000042". */
MUST_USE int case_number(struct call *c, time_ns at, char out[32]);
/* case_recurrence - the case that this one may repeat: same object, same event, within the days of content/policy/cases.yaml. 0: none. */
MUST_USE int case_recurrence(struct call *c, struct str rule_id, struct str name, struct str object, struct str host, time_ns at, int64_t *id);

/* --- clocks.c: the clocks of a case, on the rows of the room "duties" --- */
/* case_subject - its id is the number of the case; case_about - the id of the row, whose digits live with the caller. */
struct subject case_subject(const struct kase *k);
struct subject case_about(const struct kase *k, char id[24]);
MUST_USE int clock_start(struct call *c, const struct kase *k, const char *obligation, time_ns from);
MUST_USE int clock_fulfil(struct call *c, const struct kase *k, const char *obligation, time_ns at);
MUST_USE int clock_cancel(struct call *c, const struct kase *k, const char *obligation, const char *key);
/* clock_due - due moment of a clock that runs; 0 if it does not run. */
MUST_USE int clock_due(struct call *c, int64_t case_id, const char *obligation, time_ns *due);
MUST_USE int clocks_json(struct call *c, int64_t case_id, json_t **out);   /* of one case, all states */

/* --- annex.c --- */
MUST_USE int annex7_draft(struct call *c, const struct kase *k, json_t **out);
MUST_USE int annex7_addresses(struct call *c, const json_t *a7);   /* -EINVAL with the field where an item that holds addresses holds none */
MUST_USE int annex2_draft(struct call *c, const struct kase *k, json_t **out);
/* case_iocs - the indicators of the case that are not one's own, as forms take them. */
MUST_USE int case_iocs(struct call *c, int64_t id, json_t **out);
/* document_make - render a form, keep PDF and JSON by hash, add the row and the line. */
MUST_USE int document_make(struct call *c, const struct kase *k, const char *kind, const json_t *values, char sha256[65]);
/* heard_document - the bytes of c->heard->pdf (room "link"). */
MUST_USE int heard_document(struct call *c, struct buf *out);
/* document_preview - the same PDF with the mark of a draft; nothing is kept, and what is missing stops it not. */
MUST_USE int document_preview(struct call *c, const struct kase *k, const char *kind, const json_t *values, struct buf *out);
/* annex_missing - -EINVAL with the field that the form of the case's edition requires and values lack. */
MUST_USE int annex_missing(struct call *c, const struct kase *k, const char *form, const json_t *values);
struct str recommendations_of(const struct desk *d, struct str rule_id, enum lang lang, struct arena *a);
/* recommendations_both - in Kazakh and Russian, as the notice goes out. */
struct str recommendations_both(const struct desk *d, struct str rule_id, struct arena *a);

/* --- advice.c: content/policy/recommendations.yaml and cases.yaml --- */
MUST_USE int case_policy_load(const char *content, struct case_policy *p, struct err *e);
void case_policy_free(struct case_policy *p);
/* template_both - of a type of incident, in Kazakh and Russian; empty without one. */
struct str template_both(const struct desk *d, struct str type, struct arena *a);

/* --- acts.c --- */
/* act_run - what desk_act does inside its transaction; v NULL: policy. */
MUST_USE int act_run(struct call *c, int64_t case_id, struct str name, const json_t *body);
json_t *actions_json(struct call *c, const struct kase *k);
/* act_body_check - is body one that the action takes? -EPROTO for an unknown action. For the fuzzer too. */
MUST_USE int act_body_check(struct str name, const json_t *body, char field[DESK_FIELD_MAX], struct err *e);
MUST_USE int auto_notify(struct call *c, int64_t case_id);

/* --- tlp.c --- */
extern const char *const case_tlp_values[];
enum addressee { TO_STS = 1, TO_OWNER = 2, TO_POSSESSOR = 4, TO_OCIB = 8, TO_KNB = 16, TO_OTHER_SIDE = 32 };
/* tlp_allows - may a thing of the case go to this organisation ({NULL,0}: the centre)? -EPROTO "tlp_forbids" with the reason. */
MUST_USE int tlp_allows(struct call *c, const struct kase *k, struct str org, bool lawful);
/* tlp_narrower_than_usual - is what an indicator was published under narrower than AMBER, which a new case has? The case then begins as AMBER+STRICT: the owner may be
 * told, as paragraph 10 asks, and nobody else without a person's decision. RED by itself would lock out who is on duty: a person names those who may know. */
bool tlp_narrower_than_usual(struct str published);
/* tlp_owner_named - those who stay named when the object's side makes a case RED: who answers for it at the owner, and the centre's leads. */
MUST_USE int tlp_owner_named(struct call *c, const struct kase *k);
/* tlp_not_wider - the label of a notice about the case: that of the case if it has none, never a wider one (-EPROTO "tlp_forbids"; a correction takes
 * what the case has become). */
MUST_USE int tlp_not_wider(struct call *c, const struct kase *k, bool correction, const char **tlp);
/* tlp_letter - may a letter about the case go to this address? Under RED it is that of a named person, under AMBER+STRICT of the owner's or opener's. */
MUST_USE int tlp_letter(struct call *c, int64_t case_id, struct str email, bool *may);
/* case_send - a notice about the case to all of these that exist, each checked against the label. *id (may be NULL) is its record. */
struct case_message {
    const char   *kind, *paragraph;
    struct str    text;
    unsigned      to;
    const char   *form;      /* of the edition, with values; NULL: the text alone */
    const json_t *values;    /* borrowed */
};
MUST_USE int case_send(struct call *c, const struct kase *k, const struct case_message *m, int64_t *id);

/* --- indicators.c --- */
MUST_USE int indicators_of_event(struct call *c, int64_t case_id, const struct event *ev);
MUST_USE int indicators_json(struct call *c, const struct kase *k, json_t **out);

/* --- regime.c: what the registry says of an object, as far as a machine needs it --- */
struct object_regime {
    char       regime[4];     /* "A", "B", "C", "N1" … (requirements 3.3) */
    struct str org_id, possessor_id, ocib_id;
    bool       connected;     /* the CII object's monitoring system to the technical means of an OCIB (7.9) */
};
MUST_USE int object_regime_of(struct call *c, struct str object, struct object_regime *out);

#endif
