/* create.c - a case that a person opens: the centre by telephone, the owner's side, an OCIB or the unit of a CII object.
 *
 * The machine follows from the regime of the object and from who speaks: chapter 2 and the centre: 7.1; chapter 2 and the object's side: 7.2;
 * chapter 3: 7.3. With confirmed_at the incident is confirmed, with notice the fifteen-minute notice goes out: all in one transaction. */
#include "desk/cases/acts.h"

static const struct body_field fields[] = {
    { "object", BODY_STRING, true, false, 1, ID_MAX, NULL },
    { "title", BODY_STRING, true, false, 1, 300, NULL },
    { "detected_at", BODY_DATETIME, true, false, 0, 0, NULL },
    { "confirmed_at", BODY_DATETIME, false, true, 0, 0, NULL },
    { "level", BODY_ENUM, false, true, 0, 0, level_values },
    { "incident_type", BODY_ENUM, false, true, 0, 0, type_values },
    { "description", BODY_TEXT, false, true, 0, DESK_TEXT_MAX, NULL },
    { "contact", BODY_STRING, false, true, 0, 300, NULL },
    { "external_number", BODY_STRING, false, true, 0, 64, NULL },
    { "tlp", BODY_ENUM, false, true, 0, 0, case_tlp_values },
    { "previous", BODY_STRING, false, true, 0, 32, NULL },
    { "notice", BODY_BOOL, false, false, 0, 0, NULL },
};

struct opening {
    const json_t        *body;
    struct object_regime of;
    enum machine         machine;
    enum case_state      state;
    int64_t              previous, suggested;
    struct str           machine_word, detector;   /* of a case that was opened on another node: what it must come to */
    bool                 knb;                 /* the centre tells KNB of a case, whoever detected it */
};

static bool mine(const struct call *c, struct str org) { return org.n && str_eq(str_c(c->v->org_id), org); }

/* machine_of - who speaks about which kind of object. */
static int machine_of(struct call *c, struct opening *o)
{
    bool cii = strcmp(o->of.regime, "C") == 0, centre = side_of_centre(c), ocib = c->v->role == DESK_OCIB_ANALYST;

    if (strcmp(o->of.regime, "N2") == 0 || strcmp(o->of.regime, "N3") == 0)
        return refuse(c, -EINVAL, "bad_request", "object", "the Rules do not bind this object (regime %s)", o->of.regime);
    if (!cii) {
        if (c->v->role == DESK_CII_RESPONSIBLE)
            return refuse(c, -EINVAL, "bad_request", "object", "chapter 3 does not apply to an object of e-government (25)");
        o->machine = centre ? MACHINE_STS : MACHINE_SELF;
        o->state = centre ? CASE_DETECTED : CASE_SELF_DETECTED;
        return 0;
    }
    if (centre)
        return refuse(c, -EINVAL, "bad_request", "object", "on an object of chapter 3 incidents are detected by its OCIB or its own unit (22, 24)");
    if (ocib && !o->of.connected && !c->heard)   /* from its own node: who declares the connection is the OCIB */
        return refuse(c, -EPROTO, "not_connected", "object", "the monitoring system of the object is not connected to the OCIB (22)");
    if (ocib ? !mine(c, o->of.ocib_id) : !mine(c, o->of.org_id) && !mine(c, o->of.possessor_id))
        return refuse(c, -ENOENT, "not_found", "object", "no such object");
    o->machine = ocib ? MACHINE_OCIB : MACHINE_UNIT;
    o->state = ocib ? CASE_DETECTED_BY_OCIB : CASE_DETECTED_BY_UNIT;
    return 0;
}

static int moments(struct call *c, const json_t *body)
{
    int rc = within(c, time_of(body, "detected_at"), 0, "detected_at");

    if (rc == 0 && json_is_string(json_object_get(body, "confirmed_at")))
        rc = within(c, time_of(body, "confirmed_at"), time_of(body, "detected_at"), "confirmed_at");
    return rc;
}

static int previous_of(struct call *c, struct opening *o)
{
    struct str number = json_get_str(o->body, "previous");
    int rc = number.n ? case_by_number(c, number, &o->previous) : 0;

    if (rc == -ENOENT)
        return refuse(c, -EINVAL, "bad_request", "previous", "no such case");
    if (rc == 0 && !o->previous)
        rc = case_recurrence(c, STR(""), json_get_str(o->body, "title"), json_get_str(o->body, "object"), (struct str){ NULL, 0 },
                             time_of(o->body, "detected_at"), &o->suggested);
    return rc;
}

static struct str or_null(struct str s) { return s.n ? s : (struct str){ NULL, 0 }; }

static int row_insert(struct call *c, const struct opening *o, int64_t *id)
{
    const json_t *b = o->body;
    struct str tlp = json_get_str(b, "tlp");
    time_ns at = time_of(b, "detected_at");
    char number[32];
    int rc = case_number(c, at, number);

    return rc < 0 ? rc
         : db_int(c->d, c->e, 0, id,
                  "INSERT INTO cases(number, machine, detector, state, kind, rule_id, rule_name, rule_level, object_id, grouping, edition, detected_at,"
                  " last_seen_at, count, tlp, incident_type, previous_id, suggested_id, recurrence, opened_by, opened_org, external_number, contact, description,"
                  " created_at, updated_at) VALUES (?1,?2,?3,?4,?5,'',?6,'medium',?7,'',?8,?9,?9,1,?10,?11,?12,?13,?14,?15,?16,?17,?18,?19,?20,?20) RETURNING id",
                  "zzzzztttitt" "mmzmzttti", number, machine_name(o->machine), machine_detector(o->machine), case_state_name(o->state),
                  o->machine == MACHINE_STS ? "undetermined" : "incident", json_get_str(b, "title"), json_get_str(b, "object"),
                  duty_edition_at(c->d->setup.world, c->now)->id, at, tlp.n ? tlp : STR("amber"), or_null(json_get_str(b, "incident_type")), (time_ns)o->previous,
                  (time_ns)o->suggested, o->previous ? "repeated" : NULL, (time_ns)c->v->user_id, c->v->org_id[0] && !side_of_centre(c) ? c->v->org_id : NULL,
                  or_null(json_get_str(b, "external_number")), or_null(json_get_str(b, "contact")), or_null(json_get_str(b, "description")), c->now);
}

/* first_steps - what was given with the opening: confirmation alone, or the notice that confirms too. */
static int first_steps(struct call *c, const struct opening *o, int64_t id)
{
    struct str level = json_get_str(o->body, "level"), description = json_get_str(o->body, "description");
    const json_t *at = json_object_get(o->body, "confirmed_at");
    json_t *body;
    int rc;

    if (json_is_true(json_object_get(o->body, "notice"))) {
        if (!json_is_string(at))
            return refuse(c, -EINVAL, "bad_request", "confirmed_at", "the notice counts from the confirmation");
        if (!json_get_str(o->body, "contact").n)
            return refuse(c, -EINVAL, "bad_request", "contact", "the notice needs somebody to call");
        body = json_pack("{s:o, s:O, s:O}", "what", json_str(description.n ? description : json_get_str(o->body, "title")), "contact",
                         json_object_get(o->body, "contact"), "confirmed_at", at);
        if (level.n)
            json_object_set_new(body, "level", json_str(level));
        rc = act_run(c, id, STR("notify_incident"), body);
    } else if (json_is_string(at)) {
        body = json_pack("{s:O, s:o}", "confirmed_at", at, "level", level.n ? json_str(level) : json_string("undefined"));
        rc = act_run(c, id, STR("confirm_incident"), body);
    } else {
        return 0;
    }
    json_decref(body);
    return rc;
}

/* machine_same - another node opened it by the machine that we would have opened it by. */
static int machine_same(struct call *c, struct opening *o)
{
    if (o->knb && o->machine == MACHINE_STS && str_eq(o->machine_word, STR("self"))) {
        o->machine = MACHINE_SELF;
        o->state = CASE_SELF_DETECTED;
    }
    if (!o->machine_word.n || (str_eq(o->machine_word, str_c(machine_name(o->machine))) && str_eq(o->detector, str_c(machine_detector(o->machine)))))
        return 0;
    return refuse(c, -EPROTO, "wrong_machine", "object", "as the object stands here, this organisation opens a case of machine %s (%s), not %.*s (%.*s)",
                  machine_name(o->machine), machine_detector(o->machine), STR_ARG(o->machine_word), STR_ARG(o->detector));
}

static int create(struct call *c, struct opening *from, int64_t *id)
{
    struct opening o = *from;
    const json_t *body = o.body;
    char target[40];
    struct kase k;
    int rc = body_check(body, fields, COUNT(fields), c->r->field, c->e);

    if (rc == 0)
        rc = moments(c, body);
    if (rc == 0)
        rc = object_regime_of(c, json_get_str(body, "object"), &o.of);
    if (rc == 0)
        rc = machine_of(c, &o);
    if (rc == 0)
        rc = machine_same(c, &o);
    if (rc == 0 && o.machine == MACHINE_STS && (json_is_string(json_object_get(body, "confirmed_at")) || json_is_true(json_object_get(body, "notice"))))
        rc = refuse(c, -EINVAL, "bad_request", "confirmed_at", "what the centre detects is confirmed by the owner's side (12)");
    if (rc == 0)
        rc = previous_of(c, &o);
    if (rc == 0)
        rc = row_insert(c, &o, id);
    if (rc == 0 && str_eq(json_get_str(body, "tlp"), STR("red")))   /* who opens it knows it */
        rc = db_exec(c->d, c->e, "INSERT INTO case_person(case_id, user_id) VALUES (?, ?)", "ii", *id, c->v->user_id);
    rc = rc < 0 ? rc : case_load(c, *id, &k);
    if (rc == 0 && str_eq(k.tlp, STR("red")) && !side_of_centre(c))
        rc = tlp_owner_named(c, &k);
    if (rc == 0)
        rc = timeline_add(c, *id, &(struct line){ .kind = "detected", .happened_at = k.detected_at, .text = json_get_str(body, "description"),
                                                  .key = o.previous ? "case.text.opened_repeat" : "case.text.opened" });
    if (rc == 0 && o.machine == MACHINE_STS && !c->heard)   /* the thirty minutes are the centre's, on its node */
        rc = clock_start(c, &k, "D-05", k.detected_at);
    if (rc == 0)
        rc = case_search_update(c, *id);
    snprintf(target, sizeof target, "case/%lld", (long long)*id);
    if (rc == 0)
        rc = audit_add(c, "case.create", target, k.number, "ok");
    if (rc == 0)
        change_case(c->d, *id);
    return rc < 0 ? rc : first_steps(c, &o, *id);
}

int case_open_heard(struct call *c, const json_t *body, struct str machine, struct str detector, bool knb, int64_t *id)
{
    struct opening o = { .body = body, .machine_word = machine.n ? machine : STR("?"), .detector = detector, .knb = knb };

    return create(c, &o, id);
}

static bool may_create(enum desk_role r) { return role_of_centre(r) || role_of_owner(r); }

int desk_case_create(struct desk *d, const struct viewer *v, const json_t *body, time_ns now, struct desk_reply *r)
{
    struct call c;
    int64_t id = 0;
    int rc;

    desk_call_init(&c, d, v, now, r);
    if (!may_create(v->role)) {
        rc = refuse(&c, -EACCES, "forbidden", NULL, "%s opens no cases", desk_role_name(v->role));
        audit_refusal(&c, "case.create", "case");
    } else {
        rc = db_begin(d, c.e);
    }
    if (rc == 0) {
        rc = create(&c, &(struct opening){ .body = body }, &id);
        if (rc == 0)
            rc = case_json(&c, id, &r->json);
        rc = db_end(d, rc, c.e);
    }
    if (rc < 0) {
        json_decref(r->json);
        r->json = NULL;
    }
    desk_call_free(&c);
    return refuse_rc(r, rc);
}
