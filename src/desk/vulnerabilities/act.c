/* act.c - what people do to one vulnerability: one table of acts (who, in which states, with which fields), and the claims of Annex 6.
 *
 * The states in which an act is offered are those of life.c; the state afterwards is counted from everything that is known. */
#include "desk/requests/requests.h"
#include "desk/vulnerabilities/api.h"
#include "desk/vulnerabilities/room.h"

#define B(role) (1u << DESK_##role)
#define STS     (B(CENTRE_ANALYST) | B(CENTRE_LEAD) | B(SURVEYOR))
#define OWNER   (B(OWNER_OFFICER) | B(OWNER_ADMINISTRATOR))
#define FIELDS_MAX 9

typedef int vuln_handler(struct call *c, const struct vuln_head *h, const json_t *body, struct vuln_act_new *a);

struct vuln_act {
    const char       *name, *kind;   /* kind: of vuln_act */
    unsigned          roles;
    enum life_kind    when;          /* offered where life_allows it */
    bool              always;        /* in every state that is open */
    vuln_handler     *run;           /* NULL: the values are kept, that is all */
    struct body_field fields[FIELDS_MAX];
};

#define TEXT(name, required) { name, BODY_TEXT, required, false, (required) ? 1 : 0, DESK_TEXT_MAX, NULL }
#define REASON TEXT("reason", true)
#define NOTE   TEXT("note", false)

static const char *const category_values[] = { "production_necessity", "zero_day", "false_positive", NULL };
static const char *const justification_values[] = {
    "vulnerability_and_state_description", "measures_taken", "required_changes", "elimination_due_on", "mitigation_measures",
    "characteristic_or_state_description", NULL,
};

static vuln_handler run_claim, run_return, run_measures, run_report, run_consultation, run_accept;

static const struct vuln_act acts[] = {
    { .name = "report", .kind = "reported", .roles = OWNER, .when = LIFE_OWNER_REPORTED, .run = run_report, .fields = { { "all", BODY_BOOL, false, false, 0, 0, NULL } } },
    { .name = "claim", .kind = "claim", .roles = OWNER, .when = LIFE_CLAIM, .run = run_claim,
      .fields = { { "category", BODY_ENUM, true, false, 0, 0, category_values }, TEXT("vulnerability_and_state_description", false), TEXT("measures_taken", false),
                  TEXT("required_changes", false), { "elimination_due_on", BODY_DATE, false, true, 0, 0, NULL }, TEXT("mitigation_measures", false),
                  TEXT("characteristic_or_state_description", false) } },
    { .name = "withdraw_claim", .kind = "withdraw", .roles = OWNER, .when = LIFE_CLAIM_WITHDRAWN, .fields = { REASON } },
    { .name = "return_claim", .kind = "return", .roles = STS, .when = LIFE_CLAIM_RETURNED, .run = run_return,
      .fields = { { "missing", BODY_ENUMS, true, false, 1, 6, justification_values }, REASON } },
    { .name = "accept_false_positive", .kind = "accept", .roles = STS, .when = LIFE_CLAIM_ACCEPTED, .run = run_accept, .fields = { NOTE } },
    { .name = "report_measures", .kind = "measures", .roles = OWNER, .when = LIFE_MEASURES, .run = run_measures,
      .fields = { TEXT("measures", true), { "eliminated", BODY_BOOL, true, false, 0, 0, NULL }, { "done_at", BODY_DATETIME, false, true, 0, 0, NULL } } },
    { .name = "ask", .kind = "consultation", .roles = OWNER, .always = true, .run = run_consultation, .fields = { TEXT("text", true) } },
    { .name = "close", .kind = "close", .roles = STS, .when = LIFE_CLOSED, .fields = { NOTE } },
    { .name = "note", .kind = "note", .roles = STS | OWNER, .always = true, .fields = { TEXT("text", true) } },
};

static size_t fields_of(const struct vuln_act *a)
{
    size_t n = 0;

    while (n < FIELDS_MAX && a->fields[n].name)
        n++;
    return n;
}

static bool offered(const struct vuln_head *h, const struct vuln_act *a)
{
    return h->live && h->is_ego && (a->always ? vuln_state_open(h->state) : life_allows(h->state, a->when));
}

/* owner_state - the state that the owner knows. */
static int owner_state(struct call *c, const struct vuln_head *h, enum vuln_state *out)
{
    struct vuln_head known;
    int rc = side_of(c->v) == SIDE_OWNER ? 0 : vuln_load_as(c, h->id, SIDE_OWNER, &known);

    *out = side_of(c->v) == SIDE_OWNER ? h->state : rc == 0 ? known.state : VULN_NONE;
    if (rc == -ENOENT)
        c->r->code = NULL;
    return rc == -ENOENT ? 0 : rc;
}

/* told - what the centre decides on must be what the owner knows: nobody closes a fix of which no letter has told yet. */
static bool told(const struct vuln_act *a, enum vuln_state known) { return a->always || known == VULN_UNDER_CONTROL || life_allows(known, a->when); }

json_t *vuln_actions_json(struct call *c, const struct vuln_head *h)
{
    static const char *const types[] = { [BODY_TEXT] = "text", [BODY_DATE] = "date", [BODY_DATETIME] = "datetime", [BODY_ENUM] = "enum", [BODY_ENUMS] = "enums",
                                         [BODY_BOOL] = "bool" };
    json_t *list = json_array();
    enum vuln_state known = VULN_NONE;

    if (c->v && owner_state(c, h, &known) < 0)
        return list;
    for (size_t i = 0; c->v && i < COUNT(acts); i++) {
        json_t *fields = json_array();

        if (!(acts[i].roles & (1u << c->v->role)) || !offered(h, &acts[i]) || !told(&acts[i], known)) {
            json_decref(fields);
            continue;
        }
        for (size_t k = 0; k < fields_of(&acts[i]); k++) {
            const struct body_field *f = &acts[i].fields[k];
            json_t *values = json_array();

            for (const char *const *one = f->values; one && *one; one++)
                json_array_append_new(values, json_string(*one));
            json_array_append_new(fields, json_pack("{s:s, s:s, s:b, s:o}", "name", f->name, "type", types[f->type], "required", f->required, "enum", values));
        }
        json_array_append_new(list, json_pack("{s:s, s:o}", "name", acts[i].name, "fields", fields));
    }
    return list;
}

int vuln_act_add(struct call *c, int64_t vuln, const struct vuln_act_new *a, int64_t *id)
{
    AUTO_FREE char *text = a->json ? json_dumps(a->json, JSON_COMPACT | JSON_SORT_KEYS) : NULL;
    bool begins = strcmp(a->kind, "found") == 0 || strcmp(a->kind, "measures") == 0 || strcmp(a->kind, "claim") == 0;
    int64_t row = 0, there = 0;
    int rc = begins ? db_int(c->d, c->e, 0, &there, "SELECT count(*) FROM vuln_act WHERE vuln_id = ? AND kind NOT IN ('note','consultation')", "i", vuln) : 0;

    /* What follows of an act (a return, an expiry) must have its place among those that are counted. */
    if (rc == 0 && there >= VULN_ACTS_MAX - VULN_ACTS_KEPT)
        return refuse(c, -EINVAL, "bad_request", NULL, "more than %d acts on one vulnerability: ask the centre", VULN_ACTS_MAX - VULN_ACTS_KEPT);
    if (rc == 0)
        rc = db_int(c->d, c->e, 0, &row,
                    "INSERT INTO vuln_act(vuln_id, kind, at, recorded_at, survey_id, category, until, notice_id, request_id, by_id, json,"
                    " key_id, text_id) VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?) RETURNING id",
                    "iziimzmmmmzmm", vuln, a->kind, a->at ? a->at : c->now, recorded_at(c), (time_ns)a->survey, a->category, a->until, (time_ns)a->notice,
                    (time_ns)a->request, (time_ns)(c->v ? c->v->user_id : 0), text ? text : "{}", (time_ns)a->key, (time_ns)a->text);

    if (rc == 0)
        rc = db_exec(c->d, c->e, "UPDATE vuln SET told = 1 WHERE id = ?1 OR id = (SELECT merged_into FROM vuln WHERE id = ?1)", "i", vuln);
    if (id)
        *id = row;
    return rc < 0 ? rc : 0;
}

/* --- Annex 6 --- */

/* What each category must say (R-A6-04 to R-A6-09). */
static const struct { const char *category, *field; } wanted[] = {
    { "production_necessity", "vulnerability_and_state_description" }, { "production_necessity", "measures_taken" },
    { "production_necessity", "required_changes" },                    { "production_necessity", "elimination_due_on" },
    { "zero_day", "vulnerability_and_state_description" },             { "zero_day", "mitigation_measures" },
    { "false_positive", "characteristic_or_state_description" },
};

static int justified(struct call *c, struct str category, const json_t *body)
{
    for (size_t i = 0; i < COUNT(justification_values) - 1; i++) {
        bool here = str_trim(json_get_str(body, justification_values[i])).n > 0, belongs = false;

        for (size_t k = 0; k < COUNT(wanted); k++)
            belongs = belongs || (str_eq(category, str_c(wanted[k].category)) && strcmp(wanted[k].field, justification_values[i]) == 0);
        if (belongs && !here)
            return vuln_wrong(c, justification_values[i], "Annex 6 wants it for this category");
        if (!belongs && here)
            return vuln_wrong(c, justification_values[i], "it belongs to another category of Annex 6");
    }
    return 0;
}

/* cap_of - the last moment of six months from the first detection (D-15), by the edition in force: "not exceeding", so days off do not move it. */
static int cap_of(struct call *c, const struct vuln_head *h, time_ns *out)
{
    const struct obligation *o = edition_obligation(c->d->setup.world->edition, STR("D-15"));
    struct duty_result due;

    if (!o)
        return err_set(c->e, -ENOTSUP, "the edition has no D-15");
    int rc = duty_due(c->d->setup.world, o, (struct duty_start){ h->first_detected_at, false }, &due, c->e);
    *out = rc < 0 ? 0 : due.nominal;
    return rc;
}

/* term_ok - the day by which it is to be eliminated: not before today, not past six months from the first detection, which a fix and a reappearance do not
 * begin anew. until: the end of that day. */
static int term_ok(struct call *c, const struct vuln_head *h, struct str day, time_ns *until)
{
    struct duty_start start;
    time_ns cap = 0;
    char today[16], last[16];
    int rc = duty_start_parse(day, c->d->setup.world->zone, &start, NULL);

    if (rc < 0 || !start.date)
        return vuln_wrong(c, "elimination_due_on", "not a date");
    local_date(c->d, c->now, today);
    if (str_cmp(day, str_c(today)) < 0)
        return vuln_wrong(c, "elimination_due_on", "the day has passed");
    rc = cap_of(c, h, &cap);
    if (rc < 0)
        return rc;
    local_date(c->d, cap, last);
    if (str_cmp(day, str_c(last)) > 0)
        return vuln_wrong(c, "elimination_due_on", arena_printf(&c->a, "later than six months from the first detection: %s at the latest", last).p);
    *until = start.at + NS_PER_DAY - NS_PER_SECOND < cap ? start.at + NS_PER_DAY - NS_PER_SECOND : cap;
    return *until <= c->now ? vuln_wrong(c, "elimination_due_on", "the six months from the first detection have passed") : 0;
}

static int claim_notice(struct call *c, const struct vuln_head *h, const json_t *body, int64_t *notice)
{
    struct subject about = vuln_subject(h);
    struct str to = { NULL, 0 };
    char day[16];
    const char *key;
    json_t *values = json_object(), *one;

    local_date(c->d, h->first_detected_at, day);
    json_object_foreach((json_t *)(uintptr_t)body, key, one)
        if (!json_is_null(one) && !(json_is_string(one) && json_string_length(one) == 0))
            json_object_set(values, key, one);
    json_object_set_new(values, "object", json_str(h->object_name));
    json_object_set_new(values, "vulnerability", json_str(arena_printf(&c->a, "%s: %.*s (%.*s)", h->number, STR_ARG(h->title), STR_ARG(h->key))));
    json_object_set_new(values, "first_detected_on", json_string(day));
    struct notice_new n = { .kind = "vulnerability_claim", .paragraph = "13", .about = &about, .form = "annex6", .values = values, .orgs = &to, .org_count = 1,
                            .sender = &h->org_id };
    int rc = notice_issue(c, &n, notice);
    json_decref(values);
    return rc;
}

static int run_claim(struct call *c, const struct vuln_head *h, const json_t *body, struct vuln_act_new *a)
{
    struct str category = json_get_str(body, "category"), day = json_get_str(body, "elimination_due_on");
    int rc = justified(c, category, body);

    if (rc == 0 && day.n)
        rc = term_ok(c, h, day, &a->until);
    if (rc == 0)
        rc = claim_notice(c, h, body, &a->notice);
    a->category = arena_copy(&c->a, category).p;
    return rc;
}

/* tell - a plain notice about it: to the owner's side, or to the centre. */
static int tell(struct call *c, const struct vuln_head *h, bool owner, const char *key, struct str said, int64_t *notice)
{
    struct subject about = vuln_subject(h);
    struct str orgs[2] = { { NULL, 0 } };
    char title[64], text[64];
    size_t n = 1;
    struct vuln_head known = *h;
    int rc = owner ? vuln_load_as(c, h->id, SIDE_OWNER, &known) : 0;

    if (rc < 0)
        return rc;
    json_t *args = json_pack("{s:s, s:o, s:o, s:o}", "number", h->number, "title", json_str(known.title.n ? known.title : known.key), "object",
                             json_str(h->object_name), "text", json_str(said));
    if (owner) {
        orgs[0] = h->org_id;
        if (h->possessor_id.n && !str_eq(h->possessor_id, h->org_id))
            orgs[n++] = h->possessor_id;
    }
    snprintf(title, sizeof title, "vulnerability.notice.%s.title", key);
    snprintf(text, sizeof text, "vulnerability.notice.%s.text", key);
    const struct catalog *texts = c->d->setup.catalog;
    struct notice_new notice_new = {
        .kind = "vulnerability", .paragraph = "13", .about = &about, .orgs = orgs, .org_count = n,
        .title = text_fill(&c->a, arena_printf(&c->a, "%.*s / %.*s", STR_ARG(catalog_text(texts, LANG_KK, title)), STR_ARG(catalog_text(texts, LANG_RU, title))), args),
        .text = text_fill(&c->a, arena_printf(&c->a, "%.*s\n\n%.*s", STR_ARG(catalog_text(texts, LANG_KK, text)), STR_ARG(catalog_text(texts, LANG_RU, text))), args),
    };
    json_decref(args);
    return notice_issue(c, &notice_new, notice);
}

static int run_return(struct call *c, const struct vuln_head *h, const json_t *body, struct vuln_act_new *a)
{
    return tell(c, h, true, "claim_returned", json_get_str(body, "reason"), &a->notice);
}

static int run_accept(struct call *c, const struct vuln_head *h, const json_t *body, struct vuln_act_new *a)
{
    struct str note = json_get_str(body, "note");

    return tell(c, h, true, "false_positive_accepted", note.p ? note : STR(""), &a->notice);
}

static int run_measures(struct call *c, const struct vuln_head *h, const json_t *body, struct vuln_act_new *a)
{
    struct str done = json_get_str(body, "done_at");
    time_ns at = 0;

    if (done.n && (time_parse_rfc3339(done, &at, NULL, NULL) < 0 || at > c->now + 5 * NS_PER_MINUTE))
        return vuln_wrong(c, "done_at", "not a moment, or in the future");
    return tell(c, h, false, "measures", json_get_str(body, "measures"), &a->notice);
}

static int run_consultation(struct call *c, const struct vuln_head *h, const json_t *body, struct vuln_act_new *a)
{
    json_t *values = json_pack("{s:o, s:O}", "title", json_str(arena_printf(&c->a, "%s: %.*s", h->number, (int)min_size(h->title.n, 200), h->title.p)), "text",
                               json_object_get(body, "text"));
    int rc = request_open_as(c, "consultation", h->object_id, values, &a->request);

    json_decref(values);
    return rc;
}

static int run_report(struct call *c, const struct vuln_head *h, const json_t *body, struct vuln_act_new *a)
{
    return vuln_own_report(c, h, json_is_true(json_object_get(body, "all")), &a->notice);
}

/* --- the act --- */

static const struct vuln_act *act_find(struct str name)
{
    for (size_t i = 0; i < COUNT(acts); i++)
        if (str_eq(name, str_c(acts[i].name)))
            return &acts[i];
    return NULL;
}

static int run(struct call *c, const struct vuln_head *h, const struct vuln_act *a, const json_t *body)
{
    struct vuln_act_new new = { .kind = a->kind, .at = c->now, .json = body };
    int rc = body_check(body, a->fields, fields_of(a), c->r->field, c->e);

    if (rc == 0 && a->run)
        rc = a->run(c, h, body, &new);
    /* A report writes the acts of all that it names. */
    if (rc == 0 && a->run != run_report)
        rc = vuln_act_add(c, h->id, &new, NULL);
    if (rc == 0)
        rc = vuln_recount_one(c, h->id);
    change_id(c->d, "vuln", h->id);
    return rc < 0 ? rc : audit_add(c, arena_printf(&c->a, "vulnerability.%s", a->name).p, arena_printf(&c->a, "vulnerability/%s", h->id_text).p, h->key, "ok");
}

static int act(struct call *c, int64_t id, struct str name, const json_t *body)
{
    const struct vuln_act *a = act_find(name);
    struct vuln_head h;
    enum vuln_state known = VULN_NONE;
    int rc = vuln_load(c, id, &h);

    if (rc < 0)
        return rc;
    if (!a)
        return refuse(c, -ENOENT, "not_found", NULL, "no such action");
    if (!(a->roles & (1u << c->v->role)))
        return refuse(c, -EACCES, "forbidden", NULL, "%s may not %s", desk_role_name(c->v->role), a->name);
    if (!offered(&h, a))
        return refuse(c, -EPROTO, "wrong_state", NULL, "a vulnerability in state %.*s does not offer %s", STR_ARG(h.state_name), a->name);
    rc = owner_state(c, &h, &known);
    if (rc == 0 && !told(a, known))
        return refuse(c, -EPROTO, "wrong_state", NULL, "the owner was not told of this state yet: send the results of the survey first");
    if (rc < 0)
        return rc;
    if (body)
        return run(c, &h, a, body);
    json_t *empty = json_object();
    rc = run(c, &h, a, empty);
    json_decref(empty);
    return rc;
}

int desk_vuln_act(struct desk *d, const struct viewer *v, struct str id, struct str action, const json_t *body, time_ns now, struct desk_reply *r)
{
    char name[60], target[48];
    struct call c;
    int rc;

    desk_call_init(&c, d, v, now, r);
    rc = db_begin(d, c.e);
    if (rc == 0)
        rc = db_end(d, act(&c, parse_id(id), action, body), c.e);
    if (rc == -EACCES) {
        snprintf(name, sizeof name, "vulnerability.%.*s", (int)min_size(action.n, 40), action.p);
        snprintf(target, sizeof target, "vulnerability/%lld", (long long)parse_id(id));
        audit_refusal(&c, name, target);
    }
    desk_call_free(&c);
    return rc < 0 ? refuse_rc(r, rc) : desk_vuln(d, v, id, now, r);
}
