/* machine.c - what may be done to a survey of documents: requirements 7.6 as one table, and the acts that work on its check-list. */
#include "desk/documents/room.h"

#define B(role) (1u << DESK_##role)
#define AUDITOR B(DOCUMENT_AUDITOR)
#define CENTRE  (B(CENTRE_ANALYST) | B(CENTRE_LEAD))
#define LEAD    B(CENTRE_LEAD)
#define OWNER   (B(OWNER_OFFICER) | B(OWNER_ADMINISTRATOR))

#define LONG(name, required)   { name, BODY_TEXT, required, !(required), (required) ? 1 : 0, DESK_TEXT_MAX, NULL }
#define SHORT(name, required)  { name, BODY_STRING, required, !(required), (required) ? 1 : 0, 300, NULL }
#define DAY(name, required)    { name, BODY_DATE, required, !(required), 0, 0, NULL }
#define MOMENT(name, required) { name, BODY_DATETIME, required, !(required), 0, 0, NULL }
#define CODE(name)             { name, BODY_STRING, true, false, 1, 120, NULL }
#define SURE                   { "confirmed", BODY_BOOL, true, false, 0, 0, NULL }
#define NOTE                   LONG("note", false)
#define REASON                 LONG("reason", true)

static const char *const verdict_values[] = { "met", "partly", "not_met", "not_applicable", NULL };

const struct td_state td_states[] = {
    { "planned", TD_CENTRE, .inner = true },
    { "notice_sent", TD_OWNER },
    { "notice_received", TD_OWNER },
    { "td_received", TD_CENTRE },
    { "in_progress", TD_CENTRE },
    { "completed", TD_CENTRE },
    { "results_sent", TD_OWNER, .told = true },
    { "results_received", TD_OWNER, .told = true },
    { "measures_received", TD_CENTRE, .told = true },
    { "closed", TD_NOBODY, .ended = true, .told = true },
    { "withdrawn", TD_NOBODY, .ended = true },
};
const size_t td_state_count = COUNT(td_states);

const struct td_act td_acts[] = {
    { .name = "send_notice", .from = "planned", .to = "notice_sent", .roles = AUDITOR | CENTRE, .run = td_send_notice, .row = "2",
      .fields = { DAY("survey_from", true), LONG("text", true) } },
    { .name = "notice_received", .from = "notice_sent", .to = "notice_received", .row = "3" },
    { .name = "copies_received", .from = "notice_received", .to = "td_received", .row = "4" },
    { .name = "start", .from = "td_received notice_received", .to = "in_progress", .roles = AUDITOR | LEAD, .run = td_start, .row = "5", .fields = { NOTE } },
    { .name = "set_verdict", .from = "in_progress", .roles = AUDITOR, .run = td_set_verdict, .quiet = true,
      .fields = { CODE("requirement"), { "verdict", BODY_ENUM, true, false, 0, 0, verdict_values }, LONG("reason", false), LONG("quote", false),
                  SHORT("page", false), LONG("note", false), LONG("description", false), LONG("recommendation_kk", false), LONG("recommendation_ru", false),
                  LONG("recommendation_en", false) } },
    { .name = "confirm_last", .from = "in_progress", .roles = AUDITOR, .run = td_confirm_last, .quiet = true, .fields = { CODE("requirement") } },
    { .name = "not_presented", .from = "in_progress", .roles = AUDITOR, .run = td_not_presented, .quiet = true, .fields = { CODE("document"), NOTE } },
    { .name = "complete", .from = "in_progress", .to = "completed", .roles = AUDITOR | LEAD, .run = td_complete, .row = "6",
      .fields = { MOMENT("completed_at", false), NOTE } },
    { .name = "send_results", .from = "completed", .to = "results_sent", .roles = AUDITOR | CENTRE, .run = td_send_results, .row = "7",
      .fields = { SURE, LONG("note", false) } },
    { .name = "receive", .from = "results_sent", .to = "results_received", .roles = OWNER, .run = td_receive, .row = "8", .fields = { { 0 } } },
    { .name = "record_receipt", .from = "results_sent", .to = "results_received", .roles = AUDITOR | CENTRE, .run = td_receive, .row = "8",
      .fields = { MOMENT("received_at", true), SHORT("proof", true) } },
    { .name = "set_measure", .from = "results_received", .roles = OWNER, .run = td_set_measure, .quiet = true,
      .fields = { CODE("violation"), LONG("measure", true), DAY("done_on", false) } },
    { .name = "send_measures", .from = "results_received", .to = "measures_received", .roles = OWNER, .run = td_send_measures, .row = "9",
      .fields = { SURE, NOTE } },
    { .name = "close", .from = "measures_received results_received", .to = "closed", .roles = AUDITOR | LEAD, .run = td_close, .row = "10",
      .fields = { NOTE } },
    { .name = "withdraw", .from = "planned notice_sent notice_received td_received in_progress", .to = "withdrawn", .roles = AUDITOR | CENTRE,
      .run = td_withdraw, .fields = { REASON } },
    { 0 },
};

const struct td_act *td_act_find(struct str name)
{
    for (const struct td_act *a = td_acts; a->name; a++)
        if (str_eq(name, str_c(a->name)))
            return a;
    return NULL;
}

json_t *td_actions_json(struct call *c, const struct td_survey *s)
{
    json_t *list = json_array();

    for (const struct td_act *a = td_acts; c->v && a->name; a++)
        if ((a->roles & (1u << c->v->role)) && td_in(s, a->from))
            json_array_append_new(list, json_pack("{s:s, s:o}", "name", a->name, "fields", body_fields_json(a->fields, body_field_count(a->fields, TD_FIELDS_MAX))));
    return list;
}

/* said - what a person wrote with the act, for the timeline. */
static struct str said(const json_t *body)
{
    static const char *const keys[] = { "reason", "note", "text", "proof" };

    for (size_t i = 0; i < COUNT(keys); i++)
        if (json_get_str(body, keys[i]).n)
            return json_get_str(body, keys[i]);
    return STR("");
}

static int run(struct call *c, struct td_survey *s, const struct td_act *a, const json_t *body)
{
    struct str about = json_get_str(body, "requirement");
    int rc = body_check(body, a->fields, body_field_count(a->fields, TD_FIELDS_MAX), c->r->field, c->e);

    if (rc == 0 && !a->quiet)
        rc = td_line(c, s, a->name, said(body), 0);
    if (rc == 0)
        rc = a->run(c, s, body);
    if (rc == 0 && a->to)
        td_move(s, a->to);
    if (rc == 0)
        rc = td_save(c, s);
    if (rc < 0)
        return rc;
    return audit_add(c, arena_printf(&c->a, "document_survey.%s", a->name).p, arena_printf(&c->a, "document_survey/%lld", (long long)s->id).p,
                     arena_printf(&c->a, "%.*s%s%.*s %.*s", STR_ARG(s->number), about.n ? " " : "", STR_ARG(about.n ? about : STR("")),
                                  STR_ARG(json_get_str(body, "verdict").n ? json_get_str(body, "verdict") : STR(""))), "ok");
}

static int act(struct call *c, int64_t id, struct str name, const json_t *body)
{
    struct td_survey s;
    int rc = td_load(c, id, &s);
    const struct td_act *a = rc == 0 ? td_act_find(name) : NULL;

    if (rc < 0)
        return rc;
    if (!a || !a->roles)
        return refuse(c, -ENOENT, "not_found", NULL, "no such action");
    if (!(a->roles & (1u << c->v->role)))
        return refuse(c, -EACCES, "forbidden", NULL, "%s may not %s", desk_role_name(c->v->role), a->name);
    rc = object_capacity(c, s.object_id);
    if (rc == 0)
        rc = td_follow(c, &s);
    if (rc < 0)
        return rc;
    if (!td_in(&s, a->from))
        return refuse(c, -EPROTO, "wrong_state", NULL, "a survey in state %s does not offer %s", s.state->name, a->name);
    json_t *given = body ? json_incref((json_t *)(uintptr_t)body) : json_object();
    rc = run(c, &s, a, given);
    json_decref(given);
    return rc;
}

int desk_td_act(struct desk *d, const struct viewer *v, struct str id, struct str action, const json_t *body, time_ns now, struct desk_reply *r)
{
    struct call c;
    int rc;

    desk_call_init(&c, d, v, now, r);
    rc = db_begin(d, c.e);
    if (rc == 0)
        rc = db_end(d, act(&c, parse_id(id), action, body), c.e);
    if (rc == -EACCES) {
        char name[80], target[48];

        snprintf(name, sizeof name, "document_survey.%.*s", (int)min_size(action.n, 40), action.p);
        snprintf(target, sizeof target, "document_survey/%lld", (long long)parse_id(id));
        audit_refusal(&c, name, target);
    }
    desk_call_free(&c);
    return rc < 0 ? refuse_rc(r, rc) : desk_td_survey(d, v, id, now, r);
}
