/* machine.c - the three machines of the Rules as one table (requirements 7.1–7.3): who may do what, in which state, what then runs.
 *
 * A row is one step of the catalogue for one or more machines. The numbers in the remarks are the rows of 7.1 (a), 7.2 (b), 7.3 (c). Rows
 * without a number change no state: receipts, remarks, drafts, labels, what the smaller lifecycles of 7.10 need. Past 100 lines: a table. */
#include "desk/cases/acts.h"

static const struct { const char *name, *detector; } machine_words[MACHINE_COUNT] = {
    { "sts", "centre" }, { "self", "owner" }, { "cii", "ocib" }, { "cii", "unit" },
};
const char *machine_name(enum machine m) { return m < MACHINE_COUNT ? machine_words[m].name : "?"; }
const char *machine_detector(enum machine m) { return m < MACHINE_COUNT ? machine_words[m].detector : "?"; }

static const char *const state_names[CASE_STATE_COUNT] = {
    "detected", "primary_analysis", "dismissed_by_sts", "notified", "event_confirmed", "event_analysed", "incident_confirmed",
    "measures_reported", "eliminated", "escalated_knb", "rejected", "closed", "self_detected", "sts_notified", "detected_by_ocib",
    "detected_by_unit", "confirmed",
};

const char *case_state_name(enum case_state s) { return s < CASE_STATE_COUNT ? state_names[s] : "?"; }

enum case_state case_state_parse(struct str s)
{
    enum case_state i = 0;

    while (i < CASE_STATE_COUNT && !str_eq(s, str_c(state_names[i])))
        i++;
    return i;
}

/* --- guards --- */

static bool has_object(struct call *c, const struct kase *k) { (void)c; return k->object_id.p != NULL; }
static bool not_acknowledged(struct call *c, const struct kase *k) { (void)c; return k->acknowledged_at == 0; }
static bool not_filed(struct call *c, const struct kase *k) { (void)c; return k->annex2.n == 0 && k->confirmed_at != 0; }
static bool level_defined(struct call *c, const struct kase *k) { (void)c; return k->level.n && !level_undefined(c, k); }
static bool told(struct call *c, const struct kase *k) { (void)c; return k->notified_at || k->sts_notified_at || k->second_notified_at; }
static bool merged(struct call *c, const struct kase *k) { (void)c; return k->merged_into != 0; }
static bool open_still(struct call *c, const struct kase *k) { (void)c; return k->closed_at == 0; }
static bool was_escalated(struct call *c, const struct kase *k) { return open_still(c, k) && k->escalated_at != 0; }

bool level_undefined(struct call *c, const struct kase *k) { (void)c; return str_eq(k->level, STR("undefined")); }
bool sts_untold(struct call *c, const struct kase *k) { (void)c; return k->sts_notified_at == 0; }
bool ocib_serves(struct call *c, const struct kase *k) { (void)c; return k->ocib_id.n != 0; }
bool no_ocib(struct call *c, const struct kase *k) { (void)c; return k->ocib_id.n == 0; }

/* of_org - does the person act for the organisation? The system itself (policy) acts for everybody. */
static bool of_org(const struct call *c, struct str org) { return !c->v || (org.n && str_eq(str_c(c->v->org_id), org)); }
static bool as_ocib(struct call *c, const struct kase *k) { return of_org(c, k->ocib_id); }
static bool as_unit(struct call *c, const struct kase *k) { return of_org(c, k->org_id) || of_org(c, k->possessor_id); }
static bool ocib_untold(struct call *c, const struct kase *k) { return as_ocib(c, k) && (!k->sts_notified_at || !k->second_notified_at); }
static bool unit_untold(struct call *c, const struct kase *k)
{
    return as_unit(c, k) && (!k->sts_notified_at || (k->ocib_id.n && !k->second_notified_at));
}
static bool ocib_files(struct call *c, const struct kase *k) { return not_filed(c, k) && as_ocib(c, k); }
static bool unit_files(struct call *c, const struct kase *k) { return not_filed(c, k) && no_ocib(c, k) && as_unit(c, k); }

/* something_declared - a fact of elimination waits for the centre. */
static bool something_declared(struct call *c, const struct kase *k)
{
    (void)c;
    return (k->causes_at && !k->causes_accepted_at) || (k->consequences_at && !k->consequences_accepted_at);
}

static bool not_all_accepted(struct call *c, const struct kase *k) { (void)c; return !k->causes_accepted_at || !k->consequences_accepted_at; }
static bool all_accepted(struct call *c, const struct kase *k) { (void)c; return k->causes_accepted_at && k->consequences_accepted_at; }

/* elimination_late - D-06 runs and its due moment has passed (a15). */
static bool elimination_late(struct call *c, const struct kase *k)
{
    time_ns due = 0;

    return clock_due(c, k->id, "D-06", &due) == 0 && due != 0 && c->now > due;
}

/* nothing_outstanding - no clock runs (a18). */
static bool nothing_outstanding(struct call *c, const struct kase *k)
{
    int64_t n = 1;

    return db_int(c->d, c->e, 1, &n, "SELECT count(*) FROM duty WHERE case_id = ? AND state = 'running'", "i", k->id) == 0 && n == 0;
}

static bool count_is(struct call *c, const char *sql, const struct kase *k)
{
    int64_t n = 0;

    return db_int(c->d, c->e, 0, &n, sql, "i", k->id) == 0 && n > 0;
}

static bool visit_needed(struct call *c, const struct kase *k)
{
    return count_is(c, "SELECT count(*) FROM case_visit WHERE case_id = ? AND state = 'need_determined'", k);
}

static bool visit_out(struct call *c, const struct kase *k) { return count_is(c, "SELECT count(*) FROM case_visit WHERE case_id = ? AND state = 'sent'", k); }

static bool no_visit(struct call *c, const struct kase *k)
{
    return open_still(c, k) && k->object_id.p && !visit_needed(c, k) && !visit_out(c, k);
}

static bool knb_visit(struct call *c, const struct kase *k) { return was_escalated(c, k) && no_visit(c, k); }
static bool question_open(struct call *c, const struct kase *k)
{
    return count_is(c, "SELECT count(*) FROM consultation WHERE case_id = ? AND state = 'requested'", k);
}

/* --- the words of the table --- */

#define S(name)   (1u << CASE_##name)
#define M(name)   (1u << MACHINE_##name)
#define R(name)   (1u << DESK_##name)
#define ANY       ((1u << CASE_STATE_COUNT) - 1)
#define ANY_OPEN  (ANY & ~S(CLOSED))
#define EVERY_M   ((1u << MACHINE_COUNT) - 1)
#define CHAPTER_2 (M(STS) | M(SELF))
#define CHAPTER_3 (M(OCIB) | M(UNIT))
#define CENTRE    (R(CENTRE_ANALYST) | R(CENTRE_LEAD))
#define OWNER     (R(OWNER_OFFICER) | R(OWNER_ADMINISTRATOR) | R(OCIB_ANALYST))   /* any of the three may perform */
#define UNIT      (R(OWNER_OFFICER) | R(OWNER_ADMINISTRATOR) | R(CII_RESPONSIBLE))
#define PARTY     (OWNER | UNIT)
#define STS_TOLD                                                                                                              \
    (S(NOTIFIED) | S(EVENT_CONFIRMED) | S(EVENT_ANALYSED) | S(INCIDENT_CONFIRMED) | S(MEASURES_REPORTED) | S(ELIMINATED) |    \
     S(ESCALATED_KNB) | S(REJECTED))
#define CONFIRMED_STATES (S(INCIDENT_CONFIRMED) | S(STS_NOTIFIED) | S(MEASURES_REPORTED))

#define NOTE   { "note", BODY_TEXT, false, false, 0, DESK_TEXT_MAX, NULL }
#define REASON { "reason", BODY_TEXT, true, false, 1, DESK_TEXT_MAX, NULL }
#define PLAIN  { "text", BODY_TEXT, true, false, 1, DESK_TEXT_MAX, NULL }
#define LEVEL  { "level", BODY_ENUM, true, false, 0, 0, level_values }
#define MOMENT(name) { name, BODY_DATETIME, true, false, 0, 0, NULL }
#define ANNEX2 { "annex2", BODY_ANNEX2, true, false, 0, 0, NULL }
#define CONFIRM { MOMENT("confirmed_at"), LEVEL, NOTE }
#define NOTICE15(list)                                                                                                          \
    { { "what", BODY_TEXT, true, false, 1, DESK_TEXT_MAX, NULL }, { "contact", BODY_STRING, true, false, 1, 300, NULL },        \
      { "confirmed_at", BODY_DATETIME, false, false, 0, 0, NULL }, { "level", BODY_ENUM, false, false, 0, 0, level_values },    \
      { "to", BODY_ENUMS, false, false, 0, 0, list } }

static const char *const to_sts[] = { "sts", NULL };
static const char *const to_sts_owner[] = { "sts", "owner", NULL };
static const char *const to_sts_ocib[] = { "sts", "ocib", NULL };
static const char *const accept_values[] = { "causes", "consequences", "both", NULL };
static const char *const form_values[] = { "annex7", "annex2", NULL };

#define START(id, moment)       { TIMER_START, id, moment, NULL, NULL }
#define KEEP(id, moment)        { TIMER_KEEP, id, moment, NULL, NULL }
#define START_IF(id, m, when)   { TIMER_START, id, m, when, NULL }
#define FULFIL(id)              { TIMER_FULFIL, id, AT_NOW, NULL, NULL }
#define CANCEL(id, why)         { TIMER_CANCEL, id, AT_NOW, NULL, why }

const struct transition transitions[] = {
    /* --- a: detected by the centre --- */
    { "analyse", M(STS), S(DETECTED), CENTRE, NULL, act_note_internal, CASE_PRIMARY_ANALYSIS, { NOTE }, { { 0 } }, NULL },                    /* a3 */
    { "dismiss", M(STS), S(DETECTED) | S(PRIMARY_ANALYSIS), CENTRE, NULL, act_dismiss, CASE_DISMISSED, { REASON },                     /* a4 */
      { CANCEL("D-05", "case.text.dismissed") }, NULL },
    { "notify", M(STS), S(DETECTED) | S(PRIMARY_ANALYSIS), CENTRE, has_object, act_notify, CASE_NOTIFIED,                             /* a5 */
      { { "annex7", BODY_ANNEX7, true, false, 0, 0, NULL },
        { "recommendations", BODY_TEXT, true, false, 1, DESK_TEXT_MAX, NULL },
        { "detection_kind", BODY_ENUM, true, false, 0, 0, detection_values } },
      { FULFIL("D-05"), START("D-10", AT_NOTIFIED), START("D-11", AT_NOTIFIED) }, act_notify_out },
    { "acknowledge", M(STS), STS_TOLD, OWNER, not_acknowledged, act_acknowledge, STAY, { { 0 } }, { { 0 } }, NULL },
    { "confirm_event", M(STS), S(NOTIFIED), OWNER, NULL, act_confirm_event, CASE_EVENT_CONFIRMED, { NOTE },                           /* a8 */
      { CANCEL("D-11", "case.text.event_not_incident") }, NULL },
    { "confirm_incident", M(STS), S(NOTIFIED) | S(EVENT_CONFIRMED), OWNER, NULL, act_confirm_incident, CASE_INCIDENT_CONFIRMED,        /* a9, a11 */
      CONFIRM, { CANCEL("D-10", "case.text.incident_not_event"), KEEP("D-11", AT_NOTIFIED), START("D-06", AT_CONFIRMED),
                 START_IF("D-31", AT_CONFIRMED, level_undefined) }, NULL },
    { "reject", M(STS), S(NOTIFIED), OWNER, NULL, act_reason, CASE_REJECTED, { REASON },                                              /* a10 */
      { CANCEL("D-10", "case.text.rejected"), CANCEL("D-11", "case.text.rejected") }, NULL },
    { "dispute_rejection", M(STS), S(REJECTED), CENTRE, NULL, act_dispute, CASE_NOTIFIED, { REASON },                                 /* */
      { START("D-10", AT_NOTIFIED), START("D-11", AT_NOTIFIED) }, NULL },
    { "event_analysis", M(STS), S(EVENT_CONFIRMED), OWNER, NULL, act_text, CASE_EVENT_ANALYSED, { PLAIN }, { FULFIL("D-10") }, NULL },  /* a12 */
    { "report_measures", M(STS), S(INCIDENT_CONFIRMED), OWNER, not_filed, act_report_measures, CASE_MEASURES_REPORTED, { ANNEX2 },    /* a13 */
      { FULFIL("D-11") }, act_report_measures_out },
    /* Measures are owed also when elimination or escalation came first: D-11 and D-06 are two facts. */
    { "report_measures", M(STS), S(ESCALATED_KNB) | S(ELIMINATED), OWNER, not_filed, act_report_measures, STAY, { ANNEX2 }, { FULFIL("D-11") },
      act_report_measures_out },

    /* --- b: detected by the owner's side --- */
    { "confirm_incident", M(SELF), S(SELF_DETECTED), OWNER, NULL, act_confirm_incident, CASE_INCIDENT_CONFIRMED, CONFIRM,             /* b2 */
      { START("D-08", AT_CONFIRMED), START("D-09", AT_CONFIRMED), START("D-06", AT_CONFIRMED), START_IF("D-31", AT_CONFIRMED, level_undefined) }, NULL },
    { "reject", M(SELF), S(SELF_DETECTED), OWNER, NULL, act_reason, CASE_REJECTED, { REASON }, { { 0 } }, NULL },                      /* b3 */
    { "notify_incident", M(SELF), S(SELF_DETECTED) | S(INCIDENT_CONFIRMED), OWNER, sts_untold, act_notify_incident, CASE_STS_NOTIFIED,  /* b2+b4, b4 */
      NOTICE15(to_sts), { FULFIL("D-08") }, NULL },
    { "notify_incident", M(SELF), S(ESCALATED_KNB) | S(ELIMINATED), OWNER, sts_untold, act_notify_incident, STAY, NOTICE15(to_sts), { FULFIL("D-08") }, NULL },
    { "report_measures", M(SELF), S(STS_NOTIFIED), OWNER, not_filed, act_report_measures, CASE_MEASURES_REPORTED, { ANNEX2 },         /* b5 */
      { FULFIL("D-09") }, act_report_measures_out },
    { "report_measures", M(SELF), S(ESCALATED_KNB) | S(ELIMINATED), OWNER, not_filed, act_report_measures, STAY, { ANNEX2 }, { FULFIL("D-09") },
      act_report_measures_out },

    /* --- a and b: elimination, KNB (a14–a16; b6) --- */
    { "eliminate", CHAPTER_2, CONFIRMED_STATES | S(ESCALATED_KNB), OWNER, not_all_accepted, act_eliminate, STAY,
      { { "causes_at", BODY_DATETIME, false, true, 0, 0, NULL }, { "causes", BODY_TEXT, false, true, 0, DESK_TEXT_MAX, NULL },
        { "consequences_at", BODY_DATETIME, false, true, 0, 0, NULL }, { "consequences", BODY_TEXT, false, true, 0, DESK_TEXT_MAX, NULL }, NOTE },
      { { 0 } }, NULL },
    { "accept_elimination", CHAPTER_2, CONFIRMED_STATES | S(ESCALATED_KNB), CENTRE, something_declared, act_accept_elimination, STAY,
      { { "what", BODY_ENUM, false, false, 0, 0, accept_values }, NOTE }, { { TIMER_FULFIL, "D-06", AT_ELIMINATED, all_accepted, NULL } },
      act_inform_knb },
    { "return_elimination", CHAPTER_2, CONFIRMED_STATES | S(ESCALATED_KNB), CENTRE, something_declared, act_return_elimination, STAY,
      { { "what", BODY_ENUM, false, false, 0, 0, accept_values }, REASON }, { { 0 } }, NULL },
    { "notify_knb", CHAPTER_2, CONFIRMED_STATES, CENTRE, elimination_late, act_notify_knb, CASE_ESCALATED_KNB, { NOTE }, { { 0 } }, act_notify_knb_out },
    { "close", CHAPTER_2, S(EVENT_ANALYSED) | S(ELIMINATED) | S(REJECTED) | S(DISMISSED), CENTRE, nothing_outstanding, act_close, CASE_CLOSED,
      { NOTE }, { { 0 } }, NULL },                                                                                                   /* a18 */
    { "decide_visit", CHAPTER_2, ANY_OPEN, CENTRE, no_visit, act_decide_visit, STAY, { REASON }, { { 0 } }, NULL },                    /* a7 */
    { "decide_visit", CHAPTER_2, ANY_OPEN, R(KNB), knb_visit, act_decide_visit, STAY, { REASON }, { { 0 } }, NULL },                   /* a7 */
    { "send_employee", CHAPTER_2, ANY_OPEN, CENTRE, visit_needed, act_send_employee, STAY,
      { { "employee", BODY_STRING, true, false, 1, 300, NULL }, { "sent_at", BODY_DATETIME, false, false, 0, 0, NULL },
        { "arrives_at", BODY_DATETIME, false, false, 0, 0, NULL }, NOTE }, { { 0 } }, NULL },
    { "visit_return", CHAPTER_2, ANY, CENTRE, visit_out, act_visit_return, STAY,
      { { "returned_at", BODY_DATETIME, false, false, 0, 0, NULL }, { "report", BODY_TEXT, true, false, 1, DESK_TEXT_MAX, NULL } }, { { 0 } }, NULL },
    { "recommend", CHAPTER_2, STS_TOLD | S(STS_NOTIFIED), CENTRE, told, act_recommend, STAY,                                          /* a6 */
      { { "recommendations", BODY_TEXT, true, false, 1, DESK_TEXT_MAX, NULL } }, { { 0 } }, NULL },

    /* --- c: a CII object, detected by its OCIB or by its own unit --- */
    { "confirm_incident", M(OCIB), S(DETECTED_BY_OCIB), R(OCIB_ANALYST), as_ocib, act_confirm_incident, CASE_CONFIRMED, CONFIRM,       /* c3 */
      { START("D-23", AT_CONFIRMED), START("D-24", AT_CONFIRMED), START("D-25", AT_CONFIRMED), START_IF("D-31", AT_CONFIRMED, level_undefined) }, NULL },
    { "notify_incident", M(OCIB), S(DETECTED_BY_OCIB) | S(CONFIRMED), R(OCIB_ANALYST), ocib_untold, act_notify_incident, CASE_NOTIFIED, /* c3+c4, c4 */
      NOTICE15(to_sts_owner), { { 0 } }, NULL },
    { "confirm_incident", M(UNIT), S(DETECTED_BY_UNIT), UNIT, as_unit, act_confirm_incident, CASE_CONFIRMED, CONFIRM,                  /* c5 */
      { START("D-27", AT_CONFIRMED), START_IF("D-28", AT_CONFIRMED, ocib_serves), START_IF("D-29", AT_CONFIRMED, ocib_serves),
        START_IF("D-30", AT_CONFIRMED, no_ocib), START_IF("D-31", AT_CONFIRMED, level_undefined) }, NULL },
    { "notify_incident", M(UNIT), S(DETECTED_BY_UNIT) | S(CONFIRMED), R(CII_RESPONSIBLE), unit_untold, act_notify_incident, CASE_NOTIFIED, /* c5+c6, c6 */
      NOTICE15(to_sts_ocib), { { 0 } }, NULL },
    { "report_measures", M(OCIB), S(NOTIFIED), R(OCIB_ANALYST), ocib_files, act_report_measures, CASE_MEASURES_REPORTED, { ANNEX2 },   /* c7 */
      { FULFIL("D-25") }, act_report_measures_out },
    { "report_measures", M(UNIT), S(NOTIFIED), R(OCIB_ANALYST), ocib_files, act_report_measures, CASE_MEASURES_REPORTED, { ANNEX2 },   /* c7 */
      { FULFIL("D-29") }, act_report_measures_out },
    { "report_measures", M(UNIT), S(NOTIFIED), UNIT, unit_files, act_report_measures, CASE_MEASURES_REPORTED, { ANNEX2 },              /* c7 */
      { FULFIL("D-30") }, act_report_measures_out },
    { "close", CHAPTER_3, S(MEASURES_REPORTED), CENTRE, nothing_outstanding, act_close, CASE_CLOSED, { NOTE }, { { 0 } }, NULL },      /* c9 */

    /* --- all three --- */
    { "review_level", EVERY_M, ANY_OPEN, CENTRE | PARTY, level_undefined, act_review_level, STAY, { LEVEL, REASON }, { FULFIL("D-31") }, NULL }, /* a17, c8 */
    { "review_level", EVERY_M, ANY_OPEN, CENTRE, level_defined, act_review_level, STAY, { LEVEL, REASON },                             /* STS may change */
      { START_IF("D-31", AT_CONFIRMED, level_undefined) }, NULL },
    { "update", EVERY_M, ANY_OPEN, CENTRE | PARTY, told, act_update, STAY,
      { PLAIN, { "level", BODY_ENUM, false, false, 0, 0, level_values }, { "incident_type", BODY_ENUM, false, false, 0, 0, type_values },
        { "contact", BODY_STRING, false, false, 1, 300, NULL } }, { { 0 } }, NULL },
    { "decide_recurrence", EVERY_M, ANY_OPEN, CENTRE | PARTY, NULL, act_decide_recurrence, STAY,                                       /* a19, Q-13 */
      { { "recurrence", BODY_ENUM, true, false, 0, 0, recurrence_values }, { "previous", BODY_STRING, false, true, 0, 32, NULL } }, { { 0 } }, NULL },
    { "save_draft", EVERY_M, ANY_OPEN, CENTRE | PARTY, NULL, act_save_draft, STAY,
      { { "form", BODY_ENUM, true, false, 0, 0, form_values }, { "annex7", BODY_ANNEX7, false, false, 0, 0, NULL },
        { "annex2", BODY_ANNEX2, false, false, 0, 0, NULL } }, { { 0 } }, NULL },
    { "consult_request", EVERY_M, ANY_OPEN, PARTY, open_still, act_consult_request, STAY, { PLAIN }, { { 0 } }, NULL },                /* 7.10 */
    { "consult_give", EVERY_M, ANY, CENTRE, question_open, act_consult_give, STAY, { PLAIN }, { { 0 } }, NULL },
    { "take", EVERY_M, ANY_OPEN, CENTRE | PARTY, NULL, act_take, STAY, { { 0 } }, { { 0 } }, NULL },
    { "set_tlp", EVERY_M, ANY, CENTRE | PARTY, NULL, act_set_tlp, STAY,
      { { "tlp", BODY_ENUM, true, false, 0, 0, case_tlp_values }, { "persons", BODY_STRINGS, false, false, 0, CASE_PERSONS_MAX, NULL }, REASON }, { { 0 } }, NULL },
    { "external_number", EVERY_M, ANY_OPEN, CENTRE | PARTY, NULL, act_external_number, STAY,
      { { "number", BODY_STRING, true, false, 1, 64, NULL } }, { { 0 } }, NULL },
    { "add_indicator", EVERY_M, ANY_OPEN, CENTRE | PARTY, NULL, act_add_indicator, STAY,
      { { "type", BODY_ENUM, true, false, 0, 0, ioc_values }, { "value", BODY_STRING, true, false, 1, 2048, NULL }, NOTE }, { { 0 } }, NULL },
    { "remove_indicator", EVERY_M, ANY_OPEN, CENTRE | PARTY, NULL, act_remove_indicator, STAY,
      { { "type", BODY_ENUM, true, false, 0, 0, ioc_values }, { "value", BODY_STRING, true, false, 1, 2048, NULL }, REASON }, { { 0 } }, NULL },
    { "merge", EVERY_M, ANY_OPEN, CENTRE, NULL, act_merge, STAY, { { "into", BODY_STRING, true, false, 1, 32, NULL }, REASON }, { { 0 } }, NULL },
    { "split", EVERY_M, ANY, CENTRE, merged, act_split, STAY, { REASON }, { { 0 } }, NULL },
    { "comment", EVERY_M, ANY, CENTRE | PARTY, NULL, act_comment, STAY, { PLAIN }, { { 0 } }, NULL },
};
const size_t transition_count = COUNT(transitions);
