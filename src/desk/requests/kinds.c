/* kinds.c - every kind of request: who opens it, its states, what may be done in each, by whom, with which fields (requirements 7.6, 7.9, 7.10).
 *
 * Source: paragraphs 4, 7, 8, 11, 12, 14, 15, 16, 19, 20, 23 of the Rules. A field's name is the same in code, API, portal and database. */
#include "desk/requests/kind.h"

#define B(role)  (1u << DESK_##role)
#define CENTRE   (B(CENTRE_ANALYST) | B(CENTRE_LEAD))
#define LEAD     B(CENTRE_LEAD)
#define OWNER    (B(OWNER_OFFICER) | B(OWNER_ADMINISTRATOR))
#define OCIB     B(OCIB_ANALYST)
#define CII      B(CII_RESPONSIBLE)
#define SURVEYOR B(SURVEYOR)
#define AUDITOR  B(DOCUMENT_AUDITOR)
#define LIST     B(AUTHORISED_BODY)

#define LONG(name, required)     { name, BODY_TEXT, required, false, (required) ? 1 : 0, DESK_TEXT_MAX, NULL }
#define SHORT(name, required)    { name, BODY_STRING, required, false, (required) ? 1 : 0, 300, NULL }
#define SOURCE                   { "source_id", BODY_STRING, false, false, 1, 512, NULL }   /* as ingest names it */
#define DAY(name, required)      { name, BODY_DATE, required, false, 0, 0, NULL }
#define MOMENT(name, required)   { name, BODY_DATETIME, required, false, 0, 0, NULL }
#define FLAG(name)               { name, BODY_BOOL, true, false, 0, 0, NULL }
#define NUMBER(name, required)   { name, BODY_COUNT, required, false, 0, 0, NULL }
#define ONE(name, of)            { name, BODY_ENUM, true, false, 0, 0, of }
#define EMAIL(name)              { name, BODY_EMAIL, false, true, 0, 254, NULL }
#define NOTE                     LONG("note", false)
#define REASON                   LONG("reason", true)
#define ITEM                     { "item", BODY_STRING, true, false, 1, 64, NULL }

static const char *const access_states[] = { "required", "provided", "refused", NULL };
static const char *const copy_states[] = { "awaited", "provided", "missing", NULL };
static const char *const test_values[] = { "ok", "failed", NULL };
static const char *const ground_values[] = { "state_secret_resource", "state_secret_protected_system", "national_bank_not_integrated", NULL };
static const char *const mode_values[] = { "own_unit", "third_party", NULL };
static const char *const sender_values[] = { "ocib", "sts", "own_unit", NULL };
static const char *const class_values[] = { "os-unix", "os-windows", "db", "net", "fw", "app", "sec", NULL };
static const char *const tested_values[] = { "service_software_product", "ict_platform", "internet_resource", "information_system", NULL };

/* --- paragraph 8 --- */

#define PAPER_AND_ELECTRONIC                                                                                                          \
    { .name = "record_paper", .from = "awaited", .roles = CENTRE, .run = act_paper,                                                   \
      .fields = { SHORT("letter_number", true), DAY("letter_date", true), DAY("letter_received_on", true), SHORT("signatory", false) } }, \
    { .name = "send_information", .from = "awaited", .roles = OWNER, .run = act_electronic, .fields = { FLAG("confirmed"), NOTE } }

static const struct req_act commissioning_acts[] = { PAPER_AND_ELECTRONIC, { 0 } };
static const struct req_act termination_acts[] = {
    PAPER_AND_ELECTRONIC,
    { .name = "archive", .from = "complete", .to = "archived", .roles = CENTRE, .run = act_archive, .fields = { NOTE } },
    { 0 },
};

/* --- paragraphs 15 and 16 --- */

static const struct req_act information_acts[] = {
    { .name = "receive", .from = "sent", .to = "received", .roles = OWNER, .run = act_receive_information, .fields = { { 0 } } },
    { .name = "record_receipt", .from = "sent", .to = "received", .roles = CENTRE, .run = act_receive_information,
      .fields = { MOMENT("received_at", true), SHORT("proof", true) } },
    { .name = "send_information", .from = "sent received", .to = "answered", .roles = OWNER, .run = act_answer_information,
      .fields = { FLAG("confirmed"), NOTE } },
    { .name = "return", .from = "answered", .to = "received", .roles = CENTRE, .run = act_return_information, .fields = { REASON } },
    { .name = "register", .from = "answered", .to = "registered", .roles = CENTRE, .run = act_register, .fields = { NOTE } },
    { .name = "withdraw", .from = "sent received", .to = "withdrawn", .roles = CENTRE, .fields = { REASON } },
    { 0 },
};

#define PERSON(required)                                                                                                              \
    SHORT("person_name", required), SHORT("person_position", false), SHORT("person_phone", false), EMAIL("person_email"),              \
        { "person_language", BODY_ENUM, false, true, 0, 0, language_values }

static const struct req_act contact_acts[] = {
    { .name = "declare", .from = "suspected", .to = "changed", .roles = OWNER | OCIB | CII, .run = act_declare_contact,
      .fields = { MOMENT("changed_at", true), NOTE } },
    { .name = "say_unchanged", .from = "suspected", .to = "unchanged", .roles = OWNER | OCIB | CII, .fields = { REASON } },
    { .name = "send_contacts", .from = "changed", .to = "sent", .roles = OWNER | OCIB | CII, .run = act_send_contacts, .fields = { PERSON(true), NOTE } },
    { .name = "record", .from = "sent", .to = "recorded", .roles = CENTRE, .run = act_record_contacts, .fields = { NOTE } },
    { 0 },
};
static const struct req_act check_acts[] = {
    { .name = "record_ok", .from = "due", .to = "ok", .roles = CENTRE, .run = act_check_ok, .fields = { SHORT("reached_by", true), NOTE } },
    { .name = "record_failed", .from = "due", .to = "failed", .roles = CENTRE, .run = act_check_failed, .fields = { REASON } },
    { 0 },
};

/* --- paragraph 12 --- */

static const struct req_act logging_acts[] = {
    { .name = "notify", .from = "planned made non_conforming", .roles = OWNER | OCIB, .run = act_logging_notify, .files = "formats format_description",
      .fields = { NOTE } },
    { .name = "move", .from = "planned notified", .roles = OWNER | OCIB, .run = act_logging_move, .fields = { MOMENT("change_at", true), REASON } },
    { .name = "made", .from = "notified planned", .to = "made", .roles = OWNER | OCIB, .run = act_logging_made,
      .fields = { MOMENT("made_at", true), NOTE } },
    { .name = "compare", .from = "made non_conforming", .roles = OWNER | OCIB | CENTRE, .run = act_logging_compare,
      .fields = { { "before", BODY_TEXT, true, false, 1, 65536, NULL }, { "after", BODY_TEXT, true, false, 1, 65536, NULL } } },
    { .name = "compare_source", .from = "made non_conforming", .roles = OWNER | OCIB | CENTRE, .run = act_logging_compare_source,
      .fields = { SOURCE } },
    { .name = "withdraw", .from = "planned notified", .to = "withdrawn", .roles = OWNER | OCIB, .fields = { REASON } },
    { 0 },
};

/* --- paragraph 11 --- */

static const struct req_act access_acts[] = {
    { .name = "set_item", .from = "open", .roles = OWNER | CENTRE, .run = act_set_item,
      .fields = { ITEM, ONE("state", access_states), NUMBER("count", false), NOTE } },
    { .name = "add_item", .from = "open", .roles = CENTRE | OWNER, .run = act_add_item, .fields = { { "title", BODY_STRING, true, false, 1, 300, NULL } } },
    { .name = "record_test", .from = "open", .roles = CENTRE | SURVEYOR, .list = "tests",
      .fields = { MOMENT("tested_at", true), NUMBER("workplace", true), ONE("result", test_values), NOTE } },
    { .name = "record_visit", .from = "open", .roles = CENTRE | SURVEYOR, .list = "visits",
      .fields = { MOMENT("visited_at", true), SHORT("place", true), SHORT("visitors", true), SHORT("accompanied_by", true), NOTE } },
    { .name = "settle", .from = "open", .to = "settled", .roles = CENTRE, .run = act_access_settle, .fields = { NOTE } },
    { 0 },
};
static const struct req_act collector_acts[] = {
    { .name = "grant", .from = "requested", .to = "granted", .roles = OWNER | OCIB,
      .fields = { SHORT("host", true), SHORT("role_name", true), LONG("configured_in", true), DAY("granted_on", true), NOTE } },
    { .name = "refuse", .from = "requested", .to = "refused", .roles = OWNER | OCIB, .fields = { REASON } },
    { .name = "record_test", .from = "granted tested", .to = "tested", .roles = CENTRE, .list = "tests",
      .fields = { MOMENT("tested_at", true), ONE("result", test_values), LONG("operations", true) } },
    { .name = "record_use", .from = "tested", .roles = CENTRE, .list = "uses",
      .fields = { MOMENT("used_at", true), LONG("operation", true), REASON } },
    { .name = "revoke", .from = "granted tested", .to = "revoked", .roles = OWNER | OCIB, .fields = { DAY("revoked_on", true), REASON } },
    { 0 },
};

/* --- paragraph 4 --- */

static const struct req_act exclusion_acts[] = {
    { .name = "approve", .from = "proposed", .to = "excluded", .roles = LEAD, .run = act_exclusion_approve, .fields = { NOTE } },
    { .name = "decline", .from = "proposed", .to = "declined", .roles = LEAD, .fields = { REASON } },
    { .name = "end", .from = "excluded", .to = "ended", .roles = LEAD, .run = act_exclusion_end, .fields = { DAY("ended_on", true), REASON } },
    { 0 },
};

/* --- paragraphs 19, 20 and 23 --- */

#define ON_LIST "listed declared connected disconnected no_ocib_provider"
static const struct req_act cii_acts[] = {
    { .name = "choose_mode", .from = ON_LIST, .roles = OWNER | CII, .run = act_cii_mode,
      .fields = { ONE("mode", mode_values), SHORT("contractor", false), SHORT("contract_number", false), DAY("contract_date", false) } },
    { .name = "designate", .from = ON_LIST, .roles = OWNER | CII, .run = act_cii_designate, .fields = { DAY("designated_on", true), PERSON(true) } },
    { .name = "declare_connection", .from = "listed disconnected no_ocib_provider", .to = "declared", .roles = OWNER | CII | OCIB, .run = act_cii_declare,
      .fields = { MOMENT("connected_at", true), LONG("cii_monitoring_system", true), LONG("ocib_technical_means", true) } },
    { .name = "confirm_connection", .from = "declared", .to = "connected", .roles = OCIB | CENTRE, .run = act_cii_confirm, .fields = { NOTE } },
    { .name = "decline_connection", .from = "declared", .to = "listed", .roles = OCIB | CENTRE, .run = act_cii_decline, .fields = { REASON } },
    { .name = "say_no_provider", .from = "listed declared connected disconnected", .to = "no_ocib_provider", .roles = OWNER | CII | CENTRE,
      .fields = { MOMENT("since_at", true), REASON } },
    { .name = "disconnect", .from = "connected", .to = "disconnected", .roles = OWNER | CII | OCIB | CENTRE,
      .fields = { MOMENT("disconnected_at", true), REASON } },
    { .name = "delist", .from = ON_LIST, .to = "delisted", .roles = LIST | CENTRE, .run = act_cii_delist,
      .fields = { DAY("delisted_on", true), SHORT("delisting_basis", true), REASON } },
    { 0 },
};
static const struct req_act vulnerability_acts[] = {
    { .name = "receive", .from = "sent", .to = "received", .roles = OWNER | CII, .run = act_vulnerability_receive, .fields = { { 0 } } },
    { .name = "record_receipt", .from = "sent", .to = "received", .roles = CENTRE | OCIB, .run = act_vulnerability_receive,
      .fields = { MOMENT("received_at", true), SHORT("proof", true) } },
    { .name = "correct", .from = "received", .to = "corrected", .roles = OWNER | CII, .run = act_vulnerability_correct,
      .fields = { MOMENT("corrected_at", true), LONG("actions", true) } },
    { .name = "confirm", .from = "corrected", .to = "closed", .roles = CENTRE | OCIB, .fields = { NOTE } },
    { .name = "dispute", .from = "corrected", .to = "received", .roles = CENTRE | OCIB, .run = act_vulnerability_dispute, .fields = { REASON } },
    { 0 },
};

/* --- paragraphs 7, 10(2) and 14 --- */

static const struct req_act survey_acts[] = {
    { .name = "send_notice", .from = "planned", .to = "notice_sent", .roles = AUDITOR | CENTRE, .run = act_survey_send, .fields = { LONG("text", true) } },
    { .name = "receive", .from = "notice_sent", .to = "notice_received", .roles = OWNER, .run = act_survey_receive, .fields = { { 0 } } },
    { .name = "record_receipt", .from = "notice_sent", .to = "notice_received", .roles = AUDITOR | CENTRE, .run = act_survey_receive,
      .fields = { MOMENT("received_at", true), SHORT("proof", true) } },
    { .name = "set_item", .from = "notice_received", .roles = OWNER | AUDITOR, .run = act_set_item,
      .fields = { ITEM, ONE("state", copy_states), { "approved", BODY_BOOL, false, false, 0, 0, NULL }, { "signed", BODY_BOOL, false, false, 0, 0, NULL },
                  { "sealed", BODY_BOOL, false, false, 0, 0, NULL }, SHORT("version", false), NOTE } },
    { .name = "record_copy", .from = "notice_received", .roles = AUDITOR | CENTRE, .run = act_record_copy,
      .fields = { ITEM, SHORT("received_by", true), MOMENT("received_at", true), SHORT("number", true), REASON, { "approved", BODY_BOOL, false, false, 0, 0, NULL },
                  { "signed", BODY_BOOL, false, false, 0, 0, NULL }, { "sealed", BODY_BOOL, false, false, 0, 0, NULL } } },
    { .name = "send_copies", .from = "notice_received", .to = "td_received", .roles = OWNER, .run = act_survey_submit, .fields = { FLAG("confirmed"), NOTE } },
    { .name = "withdraw", .from = "planned notice_sent notice_received", .to = "withdrawn", .roles = AUDITOR | CENTRE, .fields = { REASON } },
    { 0 },
};
static const struct req_act testing_acts[] = {
    { .name = "hand_over", .from = "received", .to = "handed_over", .roles = CENTRE, .run = act_hand_over, .files = "document",
      .fields = { NUMBER("passport_version", true), NOTE } },
    { 0 },
};
static const struct req_act consultation_acts[] = {
    { .name = "give", .from = "requested", .to = "given", .roles = CENTRE | SURVEYOR | AUDITOR, .run = act_consultation_give, .fields = { LONG("answer", true) } },
    { .name = "withdraw", .from = "requested", .to = "withdrawn", .roles = OWNER | OCIB | CII, .fields = { REASON } },
    { 0 },
};

const struct req_kind req_kinds[] = {
    { .name = "commissioning", .paragraph = "8", .rows = "R-8-01 R-8-03 D-01", .open = OWNER | CENTRE, .centre_told = true, .owner_told = true, .once = true,
      .run = open_commissioning, .states = { { "awaited", WAITS_OWNER }, { "complete", WAITS_NOBODY, .ended = true } },
      .fields = { DAY("commissioned_on", true), NOTE }, .acts = commissioning_acts },
    { .name = "termination", .paragraph = "8", .rows = "R-8-02 R-8-03 D-02", .open = OWNER | CENTRE, .centre_told = true, .owner_told = true, .once = true,
      .run = open_commissioning,
      .states = { { "awaited", WAITS_OWNER }, { "complete", WAITS_CENTRE }, { "archived", WAITS_NOBODY, .ended = true } },
      .fields = { DAY("terminated_on", true), REASON, NOTE }, .acts = termination_acts },
    { .name = "information", .paragraph = "15", .rows = "R-15-01 R-15-02 R-15-03 D-03", .open = CENTRE, .owner_told = true, .once = true,
      .run = open_information,
      .states = { { "sent", WAITS_OWNER }, { "received", WAITS_OWNER }, { "answered", WAITS_CENTRE }, { "registered", WAITS_NOBODY, .ended = true },
                  { "withdrawn", WAITS_NOBODY, .ended = true } },
      .fields = { LONG("text", true), SHORT("letter_number", false) }, .acts = information_acts },
    { .name = "contact_change", .paragraph = "16", .rows = "R-16-01 D-04", .open = OWNER | OCIB | CII, .run = open_contact_change,
      .states = { { "changed", WAITS_OWNER }, { "suspected", WAITS_OWNER }, { "sent", WAITS_CENTRE }, { "recorded", WAITS_NOBODY, .ended = true },
                  { "unchanged", WAITS_NOBODY, .ended = true } },
      .fields = { MOMENT("changed_at", true), PERSON(false), NOTE }, .acts = contact_acts },
    { .name = "contact_check", .paragraph = "16", .rows = "R-16-01", .open = CENTRE, .run = open_contact_check,
      .states = { { "due", WAITS_CENTRE, .inner = true }, { "ok", WAITS_NOBODY, .ended = true, .inner = true },
                  { "failed", WAITS_NOBODY, .ended = true, .inner = true } },
      .fields = { SHORT("month", true), SHORT("contact_id", true) }, .acts = check_acts },
    { .name = "logging_change", .paragraph = "12", .rows = "R-12-07 R-12-08 D-07", .open = OWNER | OCIB, .run = open_logging,
      .states = { { "planned", WAITS_OWNER }, { "notified", WAITS_OWNER }, { "made", WAITS_OWNER }, { "non_conforming", WAITS_OWNER },
                  { "verified", WAITS_NOBODY, .ended = true }, { "withdrawn", WAITS_NOBODY, .ended = true } },
      .fields = { FLAG("planned"), MOMENT("change_at", true), ONE("log_class", class_values), SOURCE, LONG("text", true), LONG("reason", false) },
      .acts = logging_acts },
    { .name = "access", .paragraph = "11", .rows = "R-11-01 R-11-02 R-11-03 R-11-04 R-11-05 R-11-06 R-11-07 R-11-08 R-11-09 R-11-10", .open = CENTRE | OWNER,
      .owner_told = true, .once = true, .run = open_access, .states = { { "open", WAITS_OWNER }, { "settled", WAITS_NOBODY, .ended = true } },
      .fields = { NOTE }, .acts = access_acts, .items = access_states, .item_fields = { NUMBER("count", false) } },
    { .name = "collector_access", .paragraph = "11", .rows = "R-11-06", .open = CENTRE, .owner_told = true, .once = true,
      .states = { { "requested", WAITS_OWNER }, { "granted", WAITS_CENTRE }, { "tested", WAITS_NOBODY }, { "refused", WAITS_NOBODY, .ended = true },
                  { "revoked", WAITS_NOBODY, .ended = true } },
      .fields = { LONG("text", true) }, .acts = collector_acts },
    { .name = "exclusion", .paragraph = "4", .rows = "R-4-03 R-4-04 R-4-05", .open = CENTRE, .once = true,
      .states = { { "proposed", WAITS_CENTRE, .inner = true }, { "excluded", WAITS_NOBODY }, { "declined", WAITS_NOBODY, .ended = true, .inner = true },
                  { "ended", WAITS_NOBODY, .ended = true } },
      .fields = { ONE("ground", ground_values), SHORT("basis", true), REASON }, .acts = exclusion_acts },
    { .name = "cii_connection", .paragraph = "20", .rows = "R-19-01 R-19-02 R-19-03 R-20-01 R-20-02 R-20-03 D-21 D-22", .open = LIST | CENTRE, .owner_told = true,
      .once = true, .run = open_cii,
      .states = { { "listed", WAITS_OWNER }, { "declared", WAITS_OCIB }, { "connected", WAITS_NOBODY }, { "disconnected", WAITS_OWNER }, { "no_ocib_provider", WAITS_OWNER },
                  { "delisted", WAITS_NOBODY, .ended = true } },
      .fields = { DAY("included_on", true), SHORT("basis", true), DAY("basis_date", false), NOTE }, .acts = cii_acts },
    { .name = "vulnerability_notice", .paragraph = "23", .rows = "R-23-01 D-26", .open = CENTRE | OCIB | CII, .owner_told = true, .centre_told = true,
      .states = { { "sent", WAITS_OWNER }, { "received", WAITS_OWNER }, { "corrected", WAITS_OCIB }, { "closed", WAITS_NOBODY, .ended = true } },
      .fields = { ONE("sender", sender_values), SHORT("title", true), LONG("text", true) }, .acts = vulnerability_acts },
    { .name = "document_survey", .paragraph = "14", .rows = "R-14-01 R-14-02 R-14-04 D-16", .open = AUDITOR | CENTRE, .once = true, .run = open_survey,
      .states = { { "planned", WAITS_CENTRE, .inner = true }, { "notice_sent", WAITS_OWNER }, { "notice_received", WAITS_OWNER },
                  { "td_received", WAITS_NOBODY, .ended = true }, { "withdrawn", WAITS_NOBODY, .ended = true } },
      .fields = { DAY("survey_from", true), SHORT("schedule", false), NOTE }, .acts = survey_acts, .items = copy_states,
      .item_fields = { { "approved", BODY_BOOL, false, false, 0, 0, NULL }, { "signed", BODY_BOOL, false, false, 0, 0, NULL },
                       { "sealed", BODY_BOOL, false, false, 0, 0, NULL }, SHORT("version", false) } },
    { .name = "testing_data", .paragraph = "7", .rows = "R-7-02", .open = CENTRE, .run = open_testing,
      .states = { { "received", WAITS_CENTRE, .inner = true }, { "handed_over", WAITS_NOBODY, .ended = true, .inner = true } },
      .fields = { ONE("tested_kind", tested_values), SHORT("protocol_number", true), DAY("protocol_date", true), SHORT("laboratory", false), NOTE },
      .acts = testing_acts },
    { .name = "consultation", .paragraph = "10(2)", .rows = "R-10.2-09", .open = OWNER | OCIB | CII, .centre_told = true,
      .states = { { "requested", WAITS_CENTRE }, { "given", WAITS_NOBODY, .ended = true }, { "withdrawn", WAITS_NOBODY, .ended = true } },
      .fields = { SHORT("title", true), LONG("text", true) }, .acts = consultation_acts },
};
const size_t req_kind_count = COUNT(req_kinds);

const struct req_kind *req_kind_find(struct str name)
{
    for (size_t i = 0; i < COUNT(req_kinds); i++)
        if (str_eq(name, str_c(req_kinds[i].name)))
            return &req_kinds[i];
    return NULL;
}
