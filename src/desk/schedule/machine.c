/* machine.c - the states of the plan (requirements 7.8) and what may be done in each, by whom: one table. The portal's forms come from it. */
#include "desk/schedule/paper.h"
#include "desk/schedule/room.h"

#include <unistd.h>

#define B(role) (1u << DESK_##role)
#define CENTRE  (B(CENTRE_ANALYST) | B(CENTRE_LEAD))
#define LEAD    B(CENTRE_LEAD)
#define KNB     B(KNB)

#define REASON(name)          { name, BODY_TEXT, true, false, 1, PLAN_REASON_MAX, NULL, NULL, 0 }
#define NOTE(name)            { name, BODY_TEXT, false, false, 0, PLAN_REASON_MAX, NULL, NULL, 0 }
#define OBJECT(name, needed)  { name, BODY_STRING, needed, !(needed), 1, ID_MAX, NULL, NULL, 0 }

/* Which version the person saw: the number and the digest that the page showed, and the letter names. */
#define SEEN { "version", BODY_COUNT, true, false, 0, 0, NULL, NULL, 0 }, { "sha256", BODY_STRING, true, false, 64, 64, NULL, NULL, 0 }

static const char *const scopes[] = { "all", "missing", NULL };
static const char *const modes[] = { "pentest_auto", "update_config", "source_code", "pentest_manual", "document", NULL };

const struct plan_state plan_states[] = {
    { "draft", .drafting = true },
    { "sent_for_agreement", .with_knb = true },
    { "returned", .with_knb = true },
    { "agreed", 0 },
    { "in_execution", 0 },
    { "amendment_draft", .drafting = true },
    { "completed", 0 },
};
const size_t plan_state_count = COUNT(plan_states);

/* 7.8: row 1 is opening a plan; row 5 (agreed to in_execution) is made by the first work (plan_begin). An agreed amendment goes back into execution if
 * works have begun. */
const struct plan_act plan_acts[] = {
    { "generate", "draft amendment_draft", NULL, CENTRE, prepare_generate, plan_generate, "generate", { { "scope", BODY_ENUM, true, false, 0, 0, scopes, NULL, 0 }, OBJECT("object_id", false) } },
    { "set_reason", "draft amendment_draft", NULL, CENTRE, NULL, plan_reason, NULL,
      { OBJECT("object_id", true), { "mode", BODY_ENUM, true, false, 0, 0, modes, NULL, 0 }, { "reason", BODY_TEXT, true, false, 0, PLAN_REASON_MAX, NULL, NULL, 0 } } },
    { "set_documents", "draft amendment_draft", NULL, CENTRE, NULL, plan_documents, NULL, { OBJECT("object_id", false), { "count", BODY_COUNT, true, false, 0, 0, NULL, NULL, 0 } } },
    { "send", "draft amendment_draft", "sent_for_agreement", LEAD, prepare_send, plan_send, NULL, { NOTE("note") } },   /* rows 2 and 6 */
    { "agree", "sent_for_agreement", "agreed", KNB, NULL, plan_agree, "agree", { SEEN, NOTE("note") } },                  /* row 3 */
    { "record_agreement", "sent_for_agreement", "agreed", LEAD, NULL, plan_record_agreement, "agree",                      /* row 3, on paper */
      { SEEN, { "letter_number", BODY_STRING, true, false, 1, 100, NULL, NULL, 0 }, { "letter_date", BODY_DATE, true, false, 0, 0, NULL, NULL, 0 } } },
    { "return", "sent_for_agreement", "returned", KNB, NULL, plan_return, NULL, { SEEN, REASON("remarks") } },          /* row 4 */
    { "record_return", "sent_for_agreement", "returned", LEAD, NULL, plan_return, NULL,
      { SEEN, REASON("remarks"), { "letter_number", BODY_STRING, true, false, 1, 100, NULL, NULL, 0 }, { "letter_date", BODY_DATE, true, false, 0, 0, NULL, NULL, 0 } } },
    { "rework", "returned", NULL, CENTRE, NULL, plan_rework, NULL, { NOTE("note") } },                                  /* row 4: back to where it was drafted */
    { "amend", "agreed in_execution", "amendment_draft", CENTRE, NULL, plan_amend, "amend", { REASON("reason") } },        /* row 6 */
    { "complete", "in_execution", "completed", LEAD, NULL, plan_complete, NULL, { NOTE("note") } },                     /* row 7 */
};
const size_t plan_act_count = COUNT(plan_acts);

const struct plan_state *plan_state_find(struct str name)
{
    for (size_t i = 0; i < COUNT(plan_states); i++)
        if (str_eq(name, str_c(plan_states[i].name)))
            return &plan_states[i];
    return NULL;
}

void plan_move(struct plan_row *p, const char *state)
{
    p->state = plan_state_find(str_c(state));
    assert(p->state);
}

bool plan_offered(const struct plan_row *p, const struct plan_act *a)
{
    struct str all = str_c(a->from), one;

    while (str_split(&all, ' ', &one))
        if (str_eq(one, str_c(p->state->name)))
            return true;
    return false;
}

bool plan_sees_draft(const struct call *c, const struct plan_row *p)
{
    enum desk_role r = c->v ? c->v->role : DESK_CENTRE_LEAD;

    return role_of_centre(r) || r == DESK_AUDITOR || r == DESK_ADMINISTRATOR || (r == DESK_KNB && p->state->with_knb);
}

int plan_begin(struct call *c, int64_t plan)
{
    int rc = db_exec(c->d, c->e, "UPDATE plan SET begun = 1, state = iif(state = 'agreed', 'in_execution', state), updated_at = ?2 WHERE id = ?1 AND begun = 0",
                     "ii", plan, c->now);

    return rc < 0 ? rc : 0;
}

/* --- a plan in hand --- */

int plan_load(struct call *c, int64_t id, struct plan_row *out)
{
    enum desk_role r = c->v ? c->v->role : DESK_CENTRE_LEAD;
    /* 0: every plan, 1: sent once, 2: agreed once */
    int64_t sees = role_of_centre(r) || r == DESK_AUDITOR || r == DESK_ADMINISTRATOR ? 0 : r == DESK_KNB ? 1 : 2;
    sqlite3_stmt *st = db_query(c->d, c->e,
                                "SELECT id, year, state, documents, version, agreed_version, begun, draft_rev, edition, from_on, reason, generated_at, created_at,"
                                " updated_at, writing, writing_ask, writing_done, writing_total FROM plan WHERE id = ?1 AND (?2 = 0 OR (?2 = 1 AND version > 0) OR agreed_version > 0)",
                                "ii", id, sees);
    int rc = st ? db_step(c->d, st, c->e) : -EIO;

    *out = (struct plan_row){ 0 };
    if (rc < 0)
        return rc;
    if (rc == 0)
        return refuse(c, -ENOENT, "not_found", NULL, "no such plan");
    *out = (struct plan_row){ .id = sqlite3_column_int64(st, 0), .year = sqlite3_column_int(st, 1), .state = plan_state_find(db_str(st, 2)),
                              .documents = sqlite3_column_int(st, 3), .version = sqlite3_column_int64(st, 4), .agreed_version = sqlite3_column_int64(st, 5),
                              .begun = sqlite3_column_int(st, 6), .draft_rev = sqlite3_column_int64(st, 7), .edition = db_copy(st, 8, &c->a),
                              .from_on = db_copy(st, 9, &c->a), .reason = db_copy(st, 10, &c->a), .generated_at = sqlite3_column_int64(st, 11),
                              .created_at = sqlite3_column_int64(st, 12), .updated_at = sqlite3_column_int64(st, 13), .writing = db_copy(st, 14, &c->a),
                              .ask = db_copy(st, 15, &c->a), .written = sqlite3_column_int64(st, 16), .to_write = sqlite3_column_int64(st, 17) };
    db_done(st);
    snprintf(out->id_text, sizeof out->id_text, "%lld", (long long)out->id);
    return out->state ? 0 : err_set(c->e, -EIO, "plan %lld is in a state that nobody knows", (long long)id);
}

int plan_save(struct call *c, struct plan_row *p)
{
    change_id(c->d, "plan", p->id);
    int rc = db_exec(c->d, c->e,
                     "UPDATE plan SET state = ?2, documents = ?3, version = ?4, agreed_version = ?5, draft_rev = ?6, reason = ?7, generated_at = ?8, updated_at = ?9"
                     " WHERE id = ?1",
                     "iziiiitmi", p->id, p->state->name, (int64_t)p->documents, p->version, p->agreed_version, p->draft_rev,
                     p->reason.p ? p->reason : STR(""), p->generated_at, c->now);

    return rc < 0 ? rc : 0;
}

int plan_changed(struct call *c, struct plan_row *p)
{
    (void)c;
    p->draft_rev++;
    return 0;
}

int plan_ids(struct call *c, int64_t count, int64_t *first)
{
    int64_t last = 0;
    int rc = db_int(c->d, c->e, 0, &last,
                    "INSERT INTO counter(name, value) VALUES ('plan-line', ?1) ON CONFLICT(name) DO UPDATE SET value = value + ?1 RETURNING value", "i", count);

    *first = last - count + 1;
    return rc;
}

/* --- acts --- */

static const struct plan_act *act_find(struct str name)
{
    for (size_t i = 0; i < COUNT(plan_acts); i++)
        if (str_eq(name, str_c(plan_acts[i].name)))
            return &plan_acts[i];
    return NULL;
}

static int allowed(struct call *c, const struct plan_row *p, const struct plan_act *a)
{
    if (!(a->roles & (1u << c->v->role)))
        return refuse(c, -EACCES, "forbidden", NULL, "%s may not %s", desk_role_name(c->v->role), a->name);
    if (!plan_offered(p, a))
        return refuse(c, -EPROTO, "wrong_state", NULL, "a plan in state %s does not offer %s", p->state->name, a->name);
    return plan_whole(c, p);
}

/* version_seen - an answer is given to one version: the one that lies there, with its digest. detail tells it in the audit trail. */
static int version_seen(struct call *c, const struct plan_row *p, const json_t *body, struct str *detail)
{
    struct str sha256 = json_get_str(body, "sha256"), lies = STR("");
    int64_t version = json_integer_value(json_object_get(body, "version"));
    sqlite3_stmt *st;

    *detail = arena_printf(&c->a, "%d", p->year);
    if (!json_object_get(body, "version"))
        return 0;
    st = db_query(c->d, c->e, "SELECT sha256 FROM plan_version WHERE plan_id = ? AND number = ?", "ii", p->id, p->version);
    int rc = st ? db_step(c->d, st, c->e) : -EIO;

    if (rc < 0)
        return rc;
    if (rc > 0) {
        lies = db_copy(st, 0, &c->a);
        db_done(st);
    }
    if (version != p->version)
        return refuse(c, -EEXIST, "another_version", "version", "version %lld was seen, version %lld lies there now", (long long)version, (long long)p->version);
    if (!str_eq(sha256, lies))
        return refuse(c, -EEXIST, "another_version", "sha256", "version %lld has the digest %.*s", (long long)version, STR_ARG(lies));
    *detail = arena_printf(&c->a, "%d, version %lld, sha256 %.*s", p->year, (long long)version, STR_ARG(lies));
    return 0;
}

/* act_write - in a transaction: the plan as it is now, and the same as when the act was prepared. */
static int act_write(struct call *c, const struct plan_act *a, const struct plan_row *before, const json_t *body, void *prepared)
{
    char action[40], target[40];
    struct str detail;
    struct plan_row p;
    int rc = plan_load(c, before->id, &p);

    if (rc == 0)
        rc = allowed(c, &p, a);
    if (rc == 0 && a->prepare && p.draft_rev != before->draft_rev)
        rc = refuse(c, -EEXIST, "stale", NULL, "the draft was changed in the meantime");
    if (rc == 0)
        rc = version_seen(c, &p, body, &detail);
    if (rc == 0 && a->to)
        plan_move(&p, a->to);
    if (rc == 0)
        rc = a->run(c, &p, body, prepared);
    if (rc == 0)
        rc = plan_save(c, &p);
    if (rc == 0 && a->writes)
        rc = writing_note(c, &p, a->writes, body, prepared);
    snprintf(action, sizeof action, "schedule.%s", a->name);
    snprintf(target, sizeof target, "plan/%lld", (long long)before->id);
    return rc < 0 ? rc : audit_add(c, action, target, detail, "ok");
}

static int act(struct call *c, int64_t id, struct str name, const json_t *body)
{
    const struct plan_act *a = act_find(name);
    void *prepared = NULL;
    struct plan_row p;
    size_t fields = 0;
    int fd = -1, rc = plan_load(c, id, &p);

    if (rc < 0)
        return rc;
    if (!a)
        return refuse(c, -ENOENT, "not_found", NULL, "no such action");
    while (fields < PLAN_FIELDS_MAX && a->fields[fields].name)
        fields++;
    rc = allowed(c, &p, a);
    if (rc == 0)
        rc = body_check(body, a->fields, fields, c->r->field, c->e);
    if (rc == 0 && a->writes)
        rc = writing_open(c, &fd);
    if (rc == 0 && a->prepare)
        rc = a->prepare(c, &p, body, &prepared);
    if (rc == 0)
        rc = db_begin(c->d, c->e);
    if (rc == 0)
        rc = db_end(c->d, act_write(c, a, &p, body, prepared), c->e);
    /* The act is done; what of its writing fails now is written by schedule_turn, which also tells of it. */
    if (rc == 0 && a->writes && writing_go(c, id, prepared, false) < 0)
        c->e->text[0] = 0;
    if (fd >= 0)
        close(fd);
    if (a->run == plan_generate)
        gathered_free(prepared);
    else if (a->run == plan_send && prepared)
        sent_free(prepared);
    return rc;
}

int desk_schedule_act(struct desk *d, const struct viewer *v, struct str id, struct str action, const json_t *body, time_ns now, struct desk_reply *r)
{
    json_t *empty = json_object();
    char name[60], target[40];
    struct call c;
    int rc;

    desk_call_init(&c, d, v, now, r);
    arena_free(&c.a);
    arena_init(&c.a, PLAN_ARENA);
    rc = act(&c, parse_id(id), action, body ? body : empty);
    json_decref(empty);
    if (rc == -EACCES) {
        snprintf(name, sizeof name, "schedule.%.*s", (int)min_size(action.n, 40), action.p);
        snprintf(target, sizeof target, "plan/%lld", (long long)parse_id(id));
        audit_refusal(&c, name, target);
    }
    desk_call_free(&c);
    return rc < 0 ? refuse_rc(r, rc) : desk_schedule_plan(d, v, id, now, r);
}
