/* acts.c - what may be done to a case: one table of name, states, roles, guard, fields and handler (requirements 7.1). */
#include "desk/cases/acts.h"

#define S(name) (1u << CASE_##name)
#define ANY     ((1u << CASE_STATE_COUNT) - 1)
#define CENTRE  (1u << DESK_CENTRE_ANALYST | 1u << DESK_CENTRE_LEAD)
#define OWNER   (1u << DESK_OWNER_OFFICER | 1u << DESK_OWNER_ADMINISTRATOR | 1u << DESK_OCIB_ANALYST)
#define AFTER_NOTICE                                                                                                          \
    (S(NOTIFIED) | S(EVENT_CONFIRMED) | S(EVENT_ANALYSED) | S(INCIDENT_CONFIRMED) | S(MEASURES_REPORTED) | S(ELIMINATED) |    \
     S(ESCALATED_KNB) | S(REJECTED))
#define NOTE   { "note", BODY_TEXT, false, false, 0, DESK_TEXT_MAX, NULL }
#define REASON { "reason", BODY_TEXT, true, false, 1, DESK_TEXT_MAX, NULL }
#define PLAIN  { "text", BODY_TEXT, true, false, 1, DESK_TEXT_MAX, NULL }
#define LEVEL  { "level", BODY_ENUM, true, false, 0, 0, level_values }

static bool has_object(struct call *c, const struct kase *k) { (void)c; return k->object_id.p != NULL; }
static bool not_acknowledged(struct call *c, const struct kase *k) { (void)c; return k->acknowledged_at == 0; }
static bool declared(struct call *c, const struct kase *k) { (void)c; return k->declared_at != 0; }
static bool not_filed(struct call *c, const struct kase *k) { (void)c; return k->annex2.n == 0 && k->confirmed_at != 0; }
static bool level_undefined(struct call *c, const struct kase *k) { (void)c; return str_eq(k->level, STR("undefined")); }

/* elimination_late - D-06 runs and its due moment has passed (row 15). */
static bool elimination_late(struct call *c, const struct kase *k)
{
    time_ns due = 0;

    return clock_due(c, k->id, "D-06", &due) == 0 && due != 0 && c->now > due;
}

/* nothing_outstanding - no clock runs (row 18). */
static bool nothing_outstanding(struct call *c, const struct kase *k)
{
    int64_t n = 1;

    return db_int(c->d, c->e, 1, &n, "SELECT count(*) FROM duty WHERE case_id = ? AND state = 'running'", "i", k->id) == 0 && n == 0;
}

static const struct act {
    const char  *name;
    unsigned     states, roles;
    act_guard   *guard;
    act_handler *run;
    struct body_field fields[ACT_FIELDS_MAX];
} acts[] = {
    { "analyse", S(DETECTED), CENTRE, NULL, act_analyse, { NOTE } },
    { "dismiss", S(DETECTED) | S(PRIMARY_ANALYSIS), CENTRE, NULL, act_dismiss, { REASON } },
    { "notify", S(DETECTED) | S(PRIMARY_ANALYSIS), CENTRE, has_object, act_notify,
      { { "annex7", BODY_ANNEX7, true, false, 0, 0, NULL },
        { "recommendations", BODY_TEXT, true, false, 1, DESK_TEXT_MAX, NULL },
        { "detection_kind", BODY_ENUM, true, false, 0, 0, detection_values } } },
    { "acknowledge", AFTER_NOTICE, OWNER, not_acknowledged, act_acknowledge, { { 0 } } },
    { "confirm_event", S(NOTIFIED), OWNER, NULL, act_confirm_event, { NOTE } },
    { "confirm_incident", S(NOTIFIED) | S(EVENT_CONFIRMED), OWNER, NULL, act_confirm_incident,
      { { "confirmed_at", BODY_DATETIME, true, false, 0, 0, NULL }, LEVEL, NOTE } },
    { "reject", S(NOTIFIED), OWNER, NULL, act_reject, { REASON } },
    { "event_analysis", S(EVENT_CONFIRMED), OWNER, NULL, act_event_analysis, { PLAIN } },
    /* Measures are owed also when elimination or escalation came first: D-11 and D-06 are two facts. */
    { "report_measures", S(INCIDENT_CONFIRMED) | S(ESCALATED_KNB) | S(ELIMINATED), OWNER, not_filed, act_report_measures,
      { { "annex2", BODY_ANNEX2, true, false, 0, 0, NULL } } },
    { "eliminate", S(INCIDENT_CONFIRMED) | S(MEASURES_REPORTED) | S(ESCALATED_KNB), OWNER, NULL, act_eliminate,
      { { "eliminated_at", BODY_DATETIME, true, false, 0, 0, NULL },
        { "causes", BODY_TEXT, true, false, 1, DESK_TEXT_MAX, NULL },
        { "consequences", BODY_TEXT, true, false, 1, DESK_TEXT_MAX, NULL },
        NOTE } },
    { "accept_elimination", S(INCIDENT_CONFIRMED) | S(MEASURES_REPORTED) | S(ESCALATED_KNB), CENTRE, declared, act_accept_elimination, { NOTE } },
    { "notify_knb", S(INCIDENT_CONFIRMED) | S(MEASURES_REPORTED), CENTRE, elimination_late, act_notify_knb, { NOTE } },
    { "review_level", ANY & ~S(CLOSED), CENTRE | OWNER, level_undefined, act_review_level, { LEVEL, REASON } },
    { "comment", ANY, CENTRE | OWNER, NULL, act_comment, { PLAIN } },
    { "close", S(EVENT_ANALYSED) | S(ELIMINATED) | S(REJECTED) | S(DISMISSED), CENTRE, nothing_outstanding, act_close, { NOTE } },
};

static const struct act *act_find(struct str name)
{
    for (size_t i = 0; i < COUNT(acts); i++)
        if (str_eq(name, str_c(acts[i].name)))
            return &acts[i];
    return NULL;
}

static size_t field_count(const struct act *a)
{
    size_t n = 0;

    while (n < ACT_FIELDS_MAX && a->fields[n].name)
        n++;
    return n;
}

static int check_fields(const struct act *a, const json_t *body, char field[DESK_FIELD_MAX], struct err *e)
{
    size_t n = field_count(a);

    if (!body) {
        json_t *empty = json_object();
        int rc = body_check(empty, a->fields, n, field, e);

        json_decref(empty);
        return rc;
    }
    return body_check(body, a->fields, n, field, e);
}

int act_body_check(struct str name, const json_t *body, char field[DESK_FIELD_MAX], struct err *e)
{
    const struct act *a = act_find(name);

    return a ? check_fields(a, body, field, e) : err_set(e, -EPROTO, "no such action");
}

int act_run(struct call *c, int64_t case_id, struct str name, const json_t *body)
{
    const struct act *a = act_find(name);
    char action[40], target[40];
    struct kase k;
    int rc = case_load(c, case_id, &k);

    if (rc < 0)
        return rc;
    if (!a)
        return refuse(c, -ENOENT, "not_found", NULL, "no such action");
    if (c->v && !(a->roles & (1u << c->v->role)))
        return refuse(c, -EACCES, "forbidden", NULL, "%s may not %s", desk_role_name(c->v->role), a->name);
    if (!(a->states & (1u << k.state)) || (a->guard && !a->guard(c, &k)))
        return refuse(c, -EPROTO, "wrong_state", NULL, "a case in state %s does not offer %s now", case_state_name(k.state), a->name);
    rc = check_fields(a, body, c->r->field, c->e);
    if (rc < 0)
        return rc;
    rc = a->run(c, &k, body);
    if (rc < 0)
        return rc;
    snprintf(action, sizeof action, "case.%s", a->name);
    snprintf(target, sizeof target, "case/%lld", (long long)case_id);
    return audit_add(c, action, target, k.number, "ok");
}

int desk_act(struct desk *d, const struct viewer *v, struct str case_id, struct str action, const json_t *body, time_ns now,
             struct desk_reply *r)
{
    struct call c;
    char name[48], target[40];
    int rc;

    desk_call_init(&c, d, v, now, r);
    rc = db_begin(d, c.e);
    if (rc == 0) {
        rc = act_run(&c, parse_id(case_id), action, body);
        if (rc == 0)
            rc = case_json(&c, parse_id(case_id), &r->json);
        rc = db_end(d, rc, c.e);
    }
    if (rc < 0) {
        json_decref(r->json);
        r->json = NULL;
    }
    if (rc == -EACCES) {
        snprintf(name, sizeof name, "case.%s", act_find(action)->name);
        snprintf(target, sizeof target, "case/%lld", (long long)parse_id(case_id));
        audit_refusal(&c, name, target);
    }
    desk_call_free(&c);
    return refuse_rc(r, rc);
}

static const char *field_type(enum body_type t)
{
    return t == BODY_TEXT ? "text" : t == BODY_DATE ? "date" : t == BODY_DATETIME ? "datetime" : t == BODY_ENUM ? "enum"
           : t == BODY_ANNEX7 ? "annex7" : t == BODY_ANNEX2 ? "annex2" : "string";
}

json_t *actions_json(struct call *c, const struct kase *k)
{
    json_t *list = json_array();

    for (size_t i = 0; c->v && i < COUNT(acts); i++) {
        const struct act *a = &acts[i];
        json_t *fields;

        if (!(a->roles & (1u << c->v->role)) || !(a->states & (1u << k->state)) || (a->guard && !a->guard(c, k)))
            continue;
        fields = json_array();
        for (size_t f = 0; f < field_count(a); f++) {
            json_t *values = json_array();

            for (const char *const *v = a->fields[f].type == BODY_ENUM ? a->fields[f].values : NULL; v && *v; v++)
                json_array_append_new(values, json_string(*v));
            json_array_append_new(fields, json_pack("{s:s, s:s, s:b, s:o}", "name", a->fields[f].name, "type", field_type(a->fields[f].type),
                                                    "required", a->fields[f].required, "enum", values));
        }
        json_array_append_new(list, json_pack("{s:s, s:o}", "name", a->name, "fields", fields));
    }
    return list;
}

int act_line(struct call *c, const struct kase *k, const char *kind, struct str text, time_ns happened, const char *sha256)
{
    return timeline_add(c, k->id, &(struct line){ .kind = kind, .text = text, .happened_at = happened, .sha256 = sha256 });
}

time_ns time_of(const json_t *body, const char *key)
{
    time_ns t = 0;

    return time_parse_rfc3339(json_get_str(body, key), &t, NULL, NULL) == 0 ? t : 0;
}

bool minute_before(time_ns a, time_ns b) { return a / NS_PER_MINUTE < b / NS_PER_MINUTE; }
