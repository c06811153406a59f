/* acts.c - doing one act: find the row of machine.c that fits, judge the body, run the handler, then the state and the timers it names. */
#include "desk/cases/acts.h"

static int check_fields(const struct transition *t, const json_t *body, char field[DESK_FIELD_MAX], struct err *e)
{
    size_t n = body_field_count(t->fields, ACT_FIELDS_MAX);

    if (!body) {
        json_t *empty = json_object();
        int rc = body_check(empty, t->fields, n, field, e);

        json_decref(empty);
        return rc;
    }
    return body_check(body, t->fields, n, field, e);
}

int act_body_check(struct str name, const json_t *body, char field[DESK_FIELD_MAX], struct err *e)
{
    int rc = -EPROTO;

    for (size_t i = 0; i < transition_count && rc < 0; i++)
        if (str_eq(name, str_c(transitions[i].name)))
            rc = check_fields(&transitions[i], body, field, e);
    return rc == -EPROTO ? err_set(e, -EPROTO, "no such action") : rc;
}

static bool role_may(const struct call *c, const struct transition *t) { return !c->v || (t->roles & (1u << c->v->role)); }

/* confirms - the policy leaves what goes out of such a case, and its dismissal, to the centre's lead; heard from another node it was decided there. */
static bool confirms(const struct call *c, const struct transition *t, const struct kase *k)
{
    const struct people_row *r;

    if (!c->v || c->heard || (t->run != act_notify && t->run != act_dismiss))
        return true;
    r = policy_confirm(&c->d->policy, k->rule_id, k->rule_level, k->object_id);
    return !r || c->v->role != DESK_CENTRE_ANALYST || str_eq(r->roles[0], STR("centre_analyst"));
}

/* fits - does this row hold for the case as it is, whoever asks? A case that was merged into another takes a remark or the split alone. */
static bool fits(struct call *c, const struct transition *t, const struct kase *k)
{
    if (!(t->machines & (1u << k->machine)) || !(t->states & (1u << k->state)))
        return false;
    if (k->merged_into && t->run != act_split && t->run != act_comment)
        return false;
    return !t->guard || t->guard(c, k);
}

static int find(struct call *c, const struct kase *k, struct str name, const struct transition **out)
{
    const char *known = NULL;
    bool allowed = false;

    for (size_t i = 0; i < transition_count; i++) {
        const struct transition *t = &transitions[i];

        if (!str_eq(name, str_c(t->name)))
            continue;
        known = t->name;
        if (!role_may(c, t) || !(t->machines & (1u << k->machine)))
            continue;
        if (!confirms(c, t, k))
            return refuse(c, -EACCES, "lead_confirms", NULL, "the policy leaves it to the centre's lead to %s this case", known);
        allowed = true;
        if (fits(c, t, k)) {
            *out = t;
            return 0;
        }
    }
    if (!known)
        return refuse(c, -ENOENT, "not_found", NULL, "no such action");
    if (!allowed)
        return refuse(c, -EACCES, "forbidden", NULL, "%s may not %s a case of the machine %s", c->v ? desk_role_name(c->v->role) : "policy", known,
                      machine_name(k->machine));
    return refuse(c, -EPROTO, "wrong_state", NULL, "a case in state %s does not offer %s now", case_state_name(k->state), known);
}

static time_ns moment_of(const struct call *c, const struct kase *k, enum timer_moment m)
{
    if (m == AT_NOTIFIED)
        return k->notified_at;
    if (m == AT_CONFIRMED)
        return k->confirmed_at;
    if (m == AT_ELIMINATED)
        return k->causes_at > k->consequences_at ? k->causes_at : k->consequences_at;
    return c->now;
}

static int timer_run(struct call *c, const struct kase *k, const struct timer_rule *t)
{
    time_ns due = 0;
    int rc = 0;

    if (t->when && !t->when(c, k))
        return 0;
    if (t->verb == TIMER_KEEP)
        rc = clock_due(c, k->id, t->obligation, &due);
    if (rc < 0 || due)
        return rc;
    if (t->verb == TIMER_FULFIL)
        return clock_fulfil(c, k, t->obligation, moment_of(c, k, t->at));
    if (t->verb == TIMER_CANCEL)
        return clock_cancel(c, k, t->obligation, t->why);
    return clock_start(c, k, t->obligation, moment_of(c, k, t->at));
}

/* settle - state and timers, as the row says. The case is read anew: the handler has written to it. */
static int settle(struct call *c, const struct transition *t, struct act_call *a)
{
    const struct viewer *v = c->v;
    int rc = 0;

    if (a->next != STAY)
        rc = db_exec(c->d, c->e, "UPDATE cases SET state = ?2, updated_at = ?3, auto_pending = 0 WHERE id = ?1", "izi", a->k->id,
                     case_state_name(a->next), c->now);
    if (rc < 0)
        return rc;
    c->v = NULL;   /* whoever acted may have lost the sight of it by the act (a label); the row is all the same */
    rc = case_load(c, a->k->id, a->k);
    c->v = v;
    for (size_t i = 0; rc == 0 && i < ACT_TIMERS_MAX && t->timers[i].verb != TIMER_NONE; i++)
        rc = timer_run(c, a->k, &t->timers[i]);
    return rc == 0 && t->after ? t->after(c, a) : rc;
}

int act_run(struct call *c, int64_t case_id, struct str name, const json_t *body)
{
    const struct transition *t = NULL;
    char action[48], target[40];
    struct kase k;
    struct act_call a = { .k = &k, .body = body };
    const struct viewer *v = c->v;
    int64_t first = 0;
    int rc;

    c->v = c->heard ? NULL : v;     /* whether the other node may know of it was asked where it was found (link/replay.c) */
    rc = case_load(c, case_id, &k);
    c->v = v;
    if (rc == 0)
        rc = find(c, &k, name, &t);
    if (rc == 0)
        rc = step_here(c, &k, t->name);
    if (rc == 0)
        rc = db_int(c->d, c->e, 0, &first, "SELECT coalesce(max(id), 0) FROM notice_record", "");
    if (rc < 0)
        return rc;
    rc = check_fields(t, body, c->r->field, c->e);
    if (rc < 0)
        return rc;
    a.next = t->to;
    rc = t->run(c, &a);
    if (rc > 0)   /* waits for a second person, who will run it again */
        return 0;
    if (rc == 0)
        rc = settle(c, t, &a);
    if (rc == 0)
        rc = step_keep(c, &k, t->name, body, first);
    if (rc < 0)
        return rc;
    change_case(c->d, case_id);
    snprintf(action, sizeof action, "case.%s", t->name);
    snprintf(target, sizeof target, "case/%lld", (long long)case_id);
    return audit_add(c, action, target, k.number, "ok");
}

/* known_name - the literal of an action, for the trail; "unknown" for what no table has. */
static const char *known_name(struct str name)
{
    for (size_t i = 0; i < transition_count; i++)
        if (str_eq(name, str_c(transitions[i].name)))
            return transitions[i].name;
    return "unknown";
}

/* after_json - the case after the act; nothing (204) if the act took it out of one's own sight. */
static int after_json(struct call *c, int64_t id)
{
    int rc = case_json(c, id, &c->r->json);

    if (rc != -ENOENT)
        return rc;
    json_decref(c->r->json);
    c->r->json = NULL;
    c->r->code = NULL;
    return 0;
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
            rc = after_json(&c, parse_id(case_id));
        rc = db_end(d, rc, c.e);
    }
    if (rc < 0) {
        json_decref(r->json);
        r->json = NULL;
    }
    if (rc == -EACCES) {
        snprintf(name, sizeof name, "case.%s", known_name(action));
        snprintf(target, sizeof target, "case/%lld", (long long)parse_id(case_id));
        audit_refusal(&c, name, target);
    }
    desk_call_free(&c);
    return refuse_rc(r, rc);
}

json_t *actions_json(struct call *c, const struct kase *k)
{
    json_t *list = json_array();
    bool elsewhere = c->v && step_elsewhere(c, k);

    for (size_t i = 0; c->v && i < transition_count; i++)
        if (!(elsewhere && step_travels(transitions[i].name)) && role_may(c, &transitions[i]) && confirms(c, &transitions[i], k) && fits(c, &transitions[i], k))
            json_array_append_new(list, json_pack("{s:s, s:o}", "name", transitions[i].name, "fields",
                                                  body_fields_json(transitions[i].fields, body_field_count(transitions[i].fields, ACT_FIELDS_MAX))));
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

int within(struct call *c, time_ns at, time_ns low, const char *field)
{
    if (at > c->now + ACT_FUTURE_NS)
        return refuse(c, -EINVAL, "bad_request", field, "the moment is in the future");
    if (minute_before(at, low))
        return refuse(c, -EINVAL, "bad_request", field, "the moment is before what it follows");
    return 0;
}

bool side_of_centre(const struct call *c) { return !c->v || role_of_centre(c->v->role); }
