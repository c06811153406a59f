/* acts.c - the machine of a survey as ONE table (requirements 7.5), and what doing a row of it means.
 *
 * Rows 1 and 8 of 7.5 are made by the schedule (planned.c) or by hand (survey.c). What 7.5 does not say: a blocked survey begins when the conditions
 * are there, and may be cancelled; a survey moves within its state by the acts without "to". Acts marked "team" are done by the survey's own people. */
#include "desk/registry/registry.h"
#include "desk/surveys/room.h"

#include <time.h>

#define B(role)  (1u << DESK_##role)
#define TEAM     (B(SURVEYOR) | B(CENTRE_LEAD) | B(CENTRE_ANALYST))
#define RUNNERS  (B(SURVEYOR) | B(CENTRE_LEAD))
#define CENTRE   (B(CENTRE_LEAD) | B(CENTRE_ANALYST))
#define OWNER    (B(OWNER_OFFICER) | B(OWNER_ADMINISTRATOR) | B(OCIB_ANALYST) | B(CII_RESPONSIBLE))

#define LONG(name, required)     { name, BODY_TEXT, required, false, (required) ? 1 : 0, DESK_TEXT_MAX, NULL }
#define SHORT(name, required)    { name, BODY_STRING, required, false, (required) ? 1 : 0, 300, NULL }
#define DAY(name, required)      { name, BODY_DATE, required, false, 0, 0, NULL }
#define MOMENT(name, required)   { name, BODY_DATETIME, required, false, 0, 0, NULL }
#define ONE(name, of)            { name, BODY_ENUM, true, false, 0, 0, of }
#define LIST(name, required, most) { name, BODY_STRINGS, required, false, 0, most, NULL }
#define NOTE                     LONG("note", false)
#define REASON                   LONG("reason", true)
#define ID(name)                 { name, BODY_STRING, true, false, 1, 24, NULL }

#define WORKING "in_progress completed"
#define BEFORE_COMPLETION "planned blocked in_progress"

const char *const sv_modes[] = { "pentest_auto", "update_config", "source_code", "pentest_manual", NULL };
const char *const sv_kinds[] = { "main", "control", NULL };
static const char *const lan_values[] = { "surveyed", "absent", NULL };
static const char *const answer_values[] = { "fixed", "until", "claim", "comment", NULL };

static const struct body_field answer_fields[] = {
    { "vulnerability", BODY_STRING, true, false, 1, 24, NULL }, ONE("answer", answer_values), DAY("on", false), LONG("comment", false),
};
static const struct body_field all_fields[] = { ONE("answer", answer_values), DAY("on", false), LONG("comment", false) };

const struct sv_state sv_states[] = {
    { "planned", SV_CENTRE, false },       { "in_progress", SV_CENTRE, false },      { "blocked", SV_OWNER, false },
    { "completed", SV_CENTRE, false },     { "results_sent", SV_OWNER, false },      { "results_received", SV_OWNER, false },
    { "measures_received", SV_NOBODY, true }, { "cancelled", SV_NOBODY, true },
};
const size_t sv_state_count = COUNT(sv_states);

#define MEASURES                                                                                                                        \
    { "items", BODY_ITEMS, false, false, 0, 1000, NULL, answer_fields, COUNT(answer_fields) },                                          \
        { "all", BODY_PART, false, true, 0, 0, NULL, all_fields, COUNT(all_fields) }, { "nothing_to_fix", BODY_BOOL, false, false, 0, 0, NULL }, \
        LIST("files", false, 20), NOTE

const struct sv_act sv_acts[] = {
    /* 7.5 row 2: works begin; where a condition of paragraph 11 is missing the handler takes row 3 */
    { .name = "start", .from = "planned blocked", .to = "in_progress", .roles = TEAM, .team = true, .run = sv_do_start, .fields = { LIST("not_needed", false, 100), NOTE } },
    /* row 4 */
    { .name = "complete", .from = "in_progress", .to = "completed", .roles = TEAM, .team = true, .guard = sv_guard_complete, .run = sv_do_complete,
      .fields = { MOMENT("completed_at", false), LONG("reason", false), NOTE } },
    /* row 5 */
    { .name = "send_results", .from = "completed", .to = "results_sent", .roles = TEAM, .team = true, .guard = sv_guard_results, .run = sv_do_send, .fields = { NOTE } },
    /* row 6: by the owner, or by the centre with a proof of the receipt */
    { .name = "receive", .from = "results_sent", .to = "results_received", .roles = OWNER, .run = sv_do_receive, .fields = { { 0 } } },
    { .name = "record_receipt", .from = "results_sent", .to = "results_received", .roles = TEAM, .team = true, .run = sv_do_receive,
      .fields = { MOMENT("received_at", true), SHORT("proof", true) } },
    /* row 7 */
    { .name = "send_measures", .from = "results_sent results_received", .to = "measures_received", .roles = OWNER, .run = sv_do_measures, .fields = { MEASURES } },
    { .name = "record_measures", .from = "results_received", .to = "measures_received", .roles = TEAM, .team = true, .run = sv_do_measures,
      .fields = { MOMENT("received_at", true), SHORT("proof", true), MEASURES } },
    /* row 3 */
    { .name = "block", .from = "planned in_progress", .to = "blocked", .roles = TEAM, .team = true, .run = sv_do_block, .fields = { LIST("conditions", true, 100), REASON } },
    /* row 9 */
    { .name = "cancel", .from = "planned blocked", .to = "cancelled", .roles = TEAM, .team = true, .run = sv_do_cancel, .fields = { REASON } },

    /* within a state */
    { .name = "notify", .from = "planned", .roles = TEAM, .team = true, .run = sv_do_notify, .fields = { NOTE } },
    { .name = "assign", .from = BEFORE_COMPLETION, .roles = TEAM, .team = true, .run = sv_do_assign, .fields = { LIST("people", true, SURVEY_PEOPLE_MAX), NOTE } },
    { .name = "move", .from = "planned blocked", .roles = TEAM, .team = true, .by_hand = true, .run = sv_do_move, .fields = { DAY("from_on", true), DAY("to_on", true), REASON } },
    { .name = "scope_take", .from = BEFORE_COMPLETION, .roles = TEAM, .team = true, .run = sv_do_scope_take, .fields = { { 0 } } },
    { .name = "scope_set", .from = BEFORE_COMPLETION, .roles = TEAM, .team = true, .run = sv_do_scope_set,
      .fields = { ID("item"), { "included", BODY_BOOL, true, false, 0, 0, NULL }, LONG("reason", false) } },
    { .name = "scope_add", .from = BEFORE_COMPLETION, .roles = TEAM, .team = true, .run = sv_do_scope_add,
      .fields = { SHORT("name", true), LIST("hosts", true, 256), { "adjacent", BODY_BOOL, false, false, 0, 0, NULL } } },
    { .name = "adjacent", .from = "in_progress", .roles = TEAM, .team = true, .manual = true, .run = sv_do_adjacent, .fields = { ONE("lan", lan_values), REASON } },
    { .name = "result_remove", .from = WORKING, .roles = TEAM, .team = true, .run = sv_do_result_remove, .fields = { ID("result"), REASON } },
    { .name = "result_restore", .from = WORKING, .roles = TEAM, .team = true, .run = sv_do_result_restore, .fields = { ID("result"), REASON } },
    { .name = "remedy", .from = "in_progress completed", .roles = TEAM, .team = true, .run = sv_do_remedy,
      .fields = { ID("vulnerability"), LONG("kk", true), LONG("ru", true), LONG("en", true) } },
    { .name = "run_propose", .from = "in_progress", .roles = TEAM, .team = true, .run = sv_do_run_propose,
      .fields = { SHORT("profile", true), LIST("targets", true, SURVEY_TARGETS_MAX) } },
    { .name = "run_confirm", .from = "in_progress", .roles = RUNNERS, .team = true, .run = sv_do_run_confirm, .fields = { ID("run"), LONG("command", true) } },
    { .name = "run_cancel", .from = "in_progress completed", .roles = TEAM, .team = true, .run = sv_do_run_cancel, .fields = { ID("run"), LONG("reason", false) } },
};
const size_t sv_act_count = COUNT(sv_acts);

static const struct sv_act *act_find(struct str name)
{
    for (size_t i = 0; i < COUNT(sv_acts); i++)
        if (str_eq(name, str_c(sv_acts[i].name)))
            return &sv_acts[i];
    return NULL;
}

static bool offered(const struct sv *s, const struct sv_act *a)
{
    return sv_in(s, a->from) && (!a->manual || str_eq(s->mode, STR("pentest_manual"))) && (!a->by_hand || s->line_id == 0);
}

static int run(struct call *c, struct sv *s, const struct sv_act *a, const json_t *body)
{
    char action[60], target[40];
    int rc = body_check(body, a->fields, body_field_count(a->fields, SV_FIELDS_MAX), c->r->field, c->e);

    if (rc == 0 && a->guard)
        rc = a->guard(c, s, body);
    if (rc == 0 && a->to)
        sv_move(s, a->to);
    if (rc == 0 && a->run)
        rc = a->run(c, s, body);
    if (rc == 0)
        rc = sv_save(c, s);
    snprintf(action, sizeof action, "survey.%s", a->name);
    snprintf(target, sizeof target, "survey/%lld", (long long)s->id);
    return rc < 0 ? rc : audit_add(c, action, target, s->number, "ok");
}

static int act(struct call *c, int64_t id, struct str name, const json_t *body)
{
    AUTO_SV struct sv s = { 0 };
    int rc = sv_load(c, id, &s);
    const struct sv_act *a = rc == 0 ? act_find(name) : NULL;

    if (rc < 0)
        return rc;
    if (!a)
        return refuse(c, -ENOENT, "not_found", NULL, "no such action");
    if (!(a->roles & (1u << c->v->role)))
        return refuse(c, -EACCES, "forbidden", NULL, "%s may not %s", desk_role_name(c->v->role), a->name);
    rc = object_capacity(c, s.object_id);
    if (rc < 0)
        return rc;
    if (a->team && (rc = sv_team_only(c, &s)) < 0)
        return rc;
    if (!offered(&s, a))
        return refuse(c, -EPROTO, "wrong_state", NULL, "a %.*s survey in state %s does not offer %s", STR_ARG(s.mode), s.state->name, a->name);
    if (body)
        return run(c, &s, a, body);
    json_t *empty = json_object();
    rc = run(c, &s, a, empty);
    json_decref(empty);
    return rc;
}

/* A letter says what was counted: after an act the counting takes a moment, for which nobody should have to press again. */
#define COUNTED_TRIES 30
#define COUNTED_MS    100

static void wait_counted(struct desk *d, int64_t id, time_ns now)
{
    struct timespec pause = { 0, COUNTED_MS * 1000000 };

    for (int i = 0; i < COUNTED_TRIES; i++) {
        struct desk_reply r = { 0 };
        struct call c;

        desk_call_init(&c, d, NULL, now, &r);
        int busy = vulns_busy(&c, id);
        desk_call_free(&c);
        desk_reply_free(&r);
        if (busy <= 0)
            return;
        nanosleep(&pause, NULL);
    }
}

int desk_survey_act(struct desk *d, const struct viewer *v, struct str id, struct str action, const json_t *body, time_ns now, struct desk_reply *r)
{
    char name[60], target[40];
    struct call c;
    int rc;

    if (str_eq(action, STR("send_results")))
        wait_counted(d, parse_id(id), now);
    desk_call_init(&c, d, v, now, r);
    rc = db_begin(d, c.e);
    if (rc == 0)
        rc = db_end(d, act(&c, parse_id(id), action, body), c.e);
    if (rc == -EACCES) {
        snprintf(name, sizeof name, "survey.%.*s", (int)min_size(action.n, 40), action.p);
        snprintf(target, sizeof target, "survey/%lld", (long long)parse_id(id));
        audit_refusal(&c, name, target);
    }
    desk_call_free(&c);
    return rc < 0 ? refuse_rc(r, rc) : desk_survey(d, v, id, now, r);
}

/* --- what the portal draws its forms from --- */

json_t *sv_actions_json(struct call *c, const struct sv *s)
{
    json_t *list = json_array();
    bool mine = false;

    /* What cannot be asked is not offered: the act itself tells what is wrong. */
    if (c->v && sv_team(c, s, &mine) < 0)
        mine = false;
    for (size_t i = 0; c->v && i < COUNT(sv_acts); i++)
        if ((sv_acts[i].roles & (1u << c->v->role)) && offered(s, &sv_acts[i]) && (mine || !sv_acts[i].team))
            json_array_append_new(list, json_pack("{s:s, s:o}", "name", sv_acts[i].name, "fields", body_fields_json(sv_acts[i].fields, body_field_count(sv_acts[i].fields, SV_FIELDS_MAX))));
    return list;
}
