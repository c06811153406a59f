/* onboarding.c - what is done on the way of an object into monitoring: one table of acts. See onboarding.h. */
#include "desk/requests/kind.h"
#include "desk/requests/onboarding.h"
#include "desk/requests/way.h"

#define B(role)   (1u << DESK_##role)
#define CENTRE    (B(CENTRE_ANALYST) | B(CENTRE_LEAD))
#define PERFORMER (B(OWNER_OFFICER) | B(OWNER_ADMINISTRATOR) | B(OCIB_ANALYST))

#define TEXT(name, required, most) { name, BODY_STRING, required, !(required), (required) ? 1 : 0, most, NULL }
#define NOTE                       { "note", BODY_TEXT, false, true, 0, DESK_TEXT_MAX, NULL }
#define SOURCES                    { "sources", BODY_HOSTS, true, false, 1, 1000, NULL }

static const char *const class_values[] = { "os-unix", "os-windows", "db", "net", "fw", "app", "sec", NULL };
static const char *const agent_values[] = { "lcs", "server", NULL };
static const char *const protocol_values[] = { "otlp_https", "syslog_tls", "syslog_tcp", "syslog_udp", "file", "other", NULL };

/* --- the list of logs --- */

static int source_put(struct call *c, const struct way *w, const json_t *v, const char *state, struct str rule, struct str reason)
{
    int64_t n = 0;
    int rc = db_int(c->d, c->e, 0, &n, "SELECT count(*) FROM log_source WHERE object_id = ?", "t", w->object);

    if (rc < 0)
        return rc;
    if (n >= LOG_SOURCES_MAX)
        return refuse(c, -EINVAL, "bad_request", "log", "more than %d logs", LOG_SOURCES_MAX);
    return db_exec(c->d, c->e,
                   "INSERT INTO log_source(object_id, component, host, class, log, path, agent, protection, rule, reason, state, note, updated_at)"
                   " VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?) ON CONFLICT(object_id, component, class, log) DO NOTHING",
                   "tttttttittzti", w->object, json_get_str(v, "component"), json_get_str(v, "host"), json_get_str(v, "class"), json_get_str(v, "log"),
                   json_get_str(v, "path"), json_get_str(v, "agent"), (int64_t)json_is_true(json_object_get(v, "protection")), rule, reason, state,
                   json_get_str(v, "note"), c->now);
}

static int propose_rule(struct call *c, const struct way *w, const json_t *thing, const struct log_rule *r, struct str word, int *made)
{
    int rc = 0;

    for (size_t i = 0; rc >= 0 && i < r->source_count; i++) {
        const struct log_rule_source *s = &r->sources[i];
        bool lcs = str_eq(s->agent, STR("lcs")) || (str_eq(s->agent, STR("either")) && w->has_collector);
        json_t *v = json_pack("{s:O, s:O, s:o, s:o, s:o, s:s, s:b}", "component", json_object_get(thing, "name"), "host", json_object_get(thing, "host"),
                              "class", json_str(s->class), "log", json_str(s->log), "path", s->path.n ? json_str(s->path) : json_null(), "agent",
                              lcs ? "lcs" : "server", "protection", json_is_true(json_object_get(thing, "protection")));

        rc = source_put(c, w, v, "proposed", r->id, word);
        json_decref(v);
        *made += rc > 0;
    }
    return rc < 0 ? rc : 0;
}

/* propose_thing - each rule that knows the component; where none does, the one for unknown servers, for hosts alone. */
static int propose_thing(struct call *c, const struct way *w, const struct log_rules *rules, const json_t *thing, int *made)
{
    struct str text = fold_text(json_get_str(thing, "words"), &c->a);
    bool protection = json_is_true(json_object_get(thing, "protection")), known = false;
    int rc = 0;

    for (size_t i = 0; rc == 0 && i < rules->count; i++) {
        struct str word = log_rule_matches(&rules->rules[i], text, protection);

        if (rules->rules[i].otherwise || !word.p)
            continue;
        known = true;
        rc = propose_rule(c, w, thing, &rules->rules[i], word, made);
    }
    for (size_t i = 0; rc == 0 && !known && json_is_true(json_object_get(thing, "server")) && i < rules->count; i++)
        if (rules->rules[i].otherwise)
            rc = propose_rule(c, w, thing, &rules->rules[i], (struct str){ NULL, 0 }, made);
    return rc;
}

static int act_propose(struct call *c, struct way *w, const json_t *body)
{
    struct log_rules rules;
    json_t *things = NULL, *thing;
    size_t i;
    int made = 0, rc = log_rules_load(c->d->setup.node->content, &rules, c->e);

    (void)body;
    if (rc < 0)
        return rc;
    rc = way_things(c, w->object, &things);
    json_array_foreach(things, i, thing)
        if (rc == 0)
            rc = propose_thing(c, w, &rules, thing, &made);
    json_decref(things);
    log_rules_free(&rules);
    w->changed = made;
    return rc;
}

static int act_add(struct call *c, struct way *w, const json_t *body)
{
    int rc = source_put(c, w, body, "proposed", (struct str){ NULL, 0 }, (struct str){ NULL, 0 });

    return rc < 0 ? rc : rc == 0 ? refuse(c, -EEXIST, "conflict", "log", "this log stands in the list") : 0;
}

static int act_edit(struct call *c, struct way *w, const json_t *body)
{
    int rc = db_exec(c->d, c->e,
                     "UPDATE log_source SET host = ?3, path = ?4, agent = ?5, protection = ?6, note = ?7, updated_at = ?8 WHERE object_id = ?1 AND id = ?2"
                     " AND state <> 'retired'",
                     "titttiti", w->object, parse_id(json_get_str(body, "source")), json_get_str(body, "host"), json_get_str(body, "path"),
                     json_get_str(body, "agent"), (int64_t)json_is_true(json_object_get(body, "protection")), json_get_str(body, "note"), c->now);

    return rc < 0 ? rc : rc == 0 ? req_wrong(c, "source", "no such log in the list") : 0;
}

/* step - all named logs go from one state to the next, or none does. from: states, each in commas. */
static int step(struct call *c, struct way *w, const json_t *body, const char *from, const char *to)
{
    json_t *ids = json_object_get(body, "sources"), *id;
    size_t i;

    if (json_array_size(ids) == 0)
        return req_wrong(c, "sources", "no log is named");
    json_array_foreach(ids, i, id) {
        char field[32];
        int rc = db_exec(c->d, c->e,
                         "UPDATE log_source SET state = ?3, updated_at = ?4, approved_at = CASE WHEN ?3 = 'identified' THEN ?4 ELSE approved_at END,"
                         " approved_by = CASE WHEN ?3 = 'identified' THEN ?5 ELSE approved_by END"
                         " WHERE object_id = ?1 AND id = ?2 AND instr(?6, ',' || state || ',') > 0",
                         "tiziiz", w->object, parse_id(str_of(json_string_value(id), json_string_length(id))), to, c->now, c->v->user_id, from);

        snprintf(field, sizeof field, "sources.%zu", i);
        if (rc == 0)
            return refuse(c, -EPROTO, "wrong_state", field, "the log is not on the step before \"%s\"", to);
        if (rc < 0)
            return rc;
    }
    w->changed = (int)json_array_size(ids);
    return 0;
}

static int act_approve(struct call *c, struct way *w, const json_t *body)
{
    int rc = step(c, w, body, ",proposed,", "identified");

    if (rc == 0)
        rc = life_move(c, w->object, w->org, "onboarding", c->now);
    return rc < 0 ? rc : way_tell(c, w, true, "log_list");
}

static int act_organised(struct call *c, struct way *w, const json_t *body) { return step(c, w, body, ",identified,", "logging_organised"); }
static int act_to_lcs(struct call *c, struct way *w, const json_t *body) { return step(c, w, body, ",logging_organised,", "to_lcs"); }
static int act_retire(struct call *c, struct way *w, const json_t *body)
{
    return step(c, w, body, ",proposed,identified,logging_organised,to_lcs,agent_installed,", "retired");
}

/* An agent on the server itself needs no collection system on the way. */
static int act_agent(struct call *c, struct way *w, const json_t *body)
{
    return step(c, w, body, ",logging_organised,to_lcs,", "agent_installed");
}

static int act_link(struct call *c, struct way *w, const json_t *body)
{
    int rc = db_exec(c->d, c->e, "UPDATE log_source SET source_id = ?3, updated_at = ?4 WHERE object_id = ?1 AND id = ?2 AND state <> 'retired'", "titi",
                     w->object, parse_id(json_get_str(body, "source")), json_get_str(body, "source_id"), c->now);

    return rc < 0 ? rc : rc == 0 ? req_wrong(c, "source", "no such log in the list") : 0;
}

/* --- collection and sending --- */

static int version_add(struct call *c, const char *sql, const struct way *w, const json_t *body)
{
    AUTO_FREE char *text = json_dumps(body, JSON_COMPACT | JSON_SORT_KEYS);
    int rc = db_exec(c->d, c->e, sql, "tzii", w->object, text, c->now, c->v->user_id);

    return rc < 0 ? rc : 0;
}

static int act_collector(struct call *c, struct way *w, const json_t *body)
{
    return version_add(c,
                       "INSERT INTO collector(object_id, version, values_json, at, user_id) SELECT ?1, coalesce(max(version), 0) + 1, ?2, ?3, ?4 FROM collector"
                       " WHERE object_id = ?1",
                       w, body);
}

static int act_sending(struct call *c, struct way *w, const json_t *body)
{
    int rc = version_add(c,
                         "INSERT INTO sending(object_id, version, values_json, at, user_id) SELECT ?1, coalesce(max(version), 0) + 1, ?2, ?3, ?4 FROM sending"
                         " WHERE object_id = ?1",
                         w, body);

    return rc < 0 ? rc : way_tell(c, w, c->v && role_of_centre(c->v->role), "sending_proposed");
}

/* Two sides agree: the newest version, by whoever is on the other side than its author. */
static int act_agree(struct call *c, struct way *w, const json_t *body)
{
    struct duty_start on;
    int64_t version = 0, author_centre = 0, agreed = 0;
    sqlite3_stmt *st = db_query(c->d, c->e,
                                "SELECT s.version, u.role IN ('centre_analyst','centre_lead'), s.agreed_at IS NOT NULL FROM sending s LEFT JOIN user u"
                                " ON u.id = s.user_id WHERE s.object_id = ? ORDER BY s.version DESC LIMIT 1",
                                "t", w->object);
    int rc = st ? db_step(c->d, st, c->e) : -EIO;

    if (rc > 0) {
        version = sqlite3_column_int64(st, 0);
        author_centre = sqlite3_column_int64(st, 1);
        agreed = sqlite3_column_int64(st, 2);
        db_done(st);
    }
    if (rc < 0)
        return rc;
    if (version == 0 || agreed || version != json_integer_value(json_object_get(body, "version")))
        return refuse(c, -EPROTO, "wrong_state", "version", "this version is not the newest that waits for an agreement");
    if (author_centre == (c->v && role_of_centre(c->v->role)))
        return refuse(c, -EACCES, "forbidden", NULL, "the other side agrees");
    rc = day_start(c, json_get_str(body, "agreed_on"), "agreed_on", true, &on);
    if (rc == 0)
        rc = db_exec(c->d, c->e, "UPDATE sending SET agreed_on = ?3, agreed_at = ?4, agreed_by = ?5 WHERE object_id = ?1 AND version = ?2", "titii", w->object,
                     version, json_get_str(body, "agreed_on"), c->now, c->v->user_id);
    return rc < 0 ? rc : way_tell(c, w, c->v && role_of_centre(c->v->role), "sending_agreed");
}

/* --- the table --- */

static const struct way_act {
    const char *name;
    unsigned    roles;
    int       (*run)(struct call *c, struct way *w, const json_t *body);
    struct body_field fields[10];
} acts[] = {
    { "propose", CENTRE, act_propose, { { 0 } } },
    { "add", CENTRE, act_add,
      { TEXT("component", true, 300), TEXT("host", false, 255), { "class", BODY_ENUM, true, false, 0, 0, class_values }, TEXT("log", true, 100),
        TEXT("path", false, 1000), { "agent", BODY_ENUM, true, false, 0, 0, agent_values }, { "protection", BODY_BOOL, true, false, 0, 0, NULL }, NOTE } },
    { "edit", CENTRE, act_edit,
      { TEXT("source", true, 20), TEXT("host", false, 255), TEXT("path", false, 1000), { "agent", BODY_ENUM, true, false, 0, 0, agent_values },
        { "protection", BODY_BOOL, true, false, 0, 0, NULL }, NOTE } },
    { "approve", CENTRE, act_approve, { SOURCES } },
    { "logging_organised", PERFORMER, act_organised, { SOURCES } },
    { "to_lcs", PERFORMER, act_to_lcs, { SOURCES } },
    { "agent_installed", CENTRE, act_agent, { SOURCES } },
    { "link", CENTRE, act_link, { TEXT("source", true, 20), TEXT("source_id", true, 500) } },
    { "retire", CENTRE, act_retire, { SOURCES, NOTE } },
    { "collector", PERFORMER | CENTRE, act_collector,
      { TEXT("name", true, 300), TEXT("host", true, 255), { "contour", BODY_ENUM, true, false, 0, 0, contour_values },
        { "same_network", BODY_BOOL, true, false, 0, 0, NULL }, { "kept_days", BODY_COUNT, false, true, 0, 0, NULL }, NOTE } },
    { "sending", PERFORMER | CENTRE, act_sending,
      { TEXT("address", true, 255), { "port", BODY_COUNT, true, false, 0, 0, NULL }, { "protocol", BODY_ENUM, true, false, 0, 0, protocol_values },
        TEXT("credentials_reference", true, 300), NOTE } },
    { "agree", PERFORMER | CENTRE, act_agree, { { "version", BODY_COUNT, true, false, 0, 0, NULL }, { "agreed_on", BODY_DATE, true, false, 0, 0, NULL } } },
};

json_t *way_actions_json(struct call *c)
{
    json_t *list = json_array();

    for (size_t i = 0; c->v && i < COUNT(acts); i++)
        if (acts[i].roles & (1u << c->v->role))
            json_array_append_new(list, json_pack("{s:s, s:o}", "name", acts[i].name, "fields", body_fields_json(acts[i].fields, body_field_count(acts[i].fields, COUNT(acts[i].fields)))));
    return list;
}

static int act(struct call *c, struct str object, struct str name, const json_t *body, const struct way_act **found)
{
    char action[48], target[ID_MAX + 20];
    size_t fields = 0;
    struct way w;
    int rc = way_load(c, object, &w);
    const struct way_act *a = NULL;

    for (size_t i = 0; i < COUNT(acts); i++)
        if (str_eq(name, str_c(acts[i].name)))
            a = &acts[i];
    *found = a;
    if (rc < 0)
        return rc;
    if (!a)
        return refuse(c, -ENOENT, "not_found", NULL, "no such action");
    if (!(a->roles & (1u << c->v->role)))
        return refuse(c, -EACCES, "forbidden", NULL, "%s may not %s", desk_role_name(c->v->role), a->name);
    while (fields < COUNT(a->fields) && a->fields[fields].name)
        fields++;
    rc = body_check(body, a->fields, fields, c->r->field, c->e);
    if (rc == 0)
        rc = a->run(c, &w, body);
    snprintf(action, sizeof action, "onboarding.%s", a->name);
    snprintf(target, sizeof target, "object/%.*s", STR_ARG(w.object));
    if (rc >= 0)
        rc = timeline_of(c, &(struct subject){ .kind = "object", .id = w.object, .object_id = w.object, .org_id = w.org },
                         &(struct line){ .kind = a->name, .text = json_get_str(body, "note"), .args = json_deep_copy(body) });
    return rc < 0 ? rc : audit_add(c, action, target, str_c(a->name), "ok");
}

int desk_onboarding_act(struct desk *d, const struct viewer *v, struct str object, struct str action, const json_t *body, time_ns now,
                        struct desk_reply *r)
{
    const struct way_act *a = NULL;
    struct call c;
    int rc;

    desk_call_init(&c, d, v, now, r);
    rc = db_begin(d, c.e);
    if (rc == 0)
        rc = db_end(d, act(&c, object, action, body, &a), c.e);
    if (rc == -EACCES && a)
        audit_refusal(&c, a->name, "onboarding");
    desk_call_free(&c);
    return rc < 0 ? refuse_rc(r, rc) : desk_onboarding(d, v, object, now, r);
}
