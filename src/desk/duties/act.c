/* act.c - what people do to a duty itself: say that they have seen it, and correct the moment from which it counts. The second moves a term of
 * the law and needs another person (content/policy/two_person.yaml: duty.restart). */
#include "desk/approvals/approvals.h"
#include "desk/duties/room.h"

/* seen - the row, if the viewer may see it. */
static int seen(struct call *c, struct str id, struct duty_row *row)
{
    struct scope scope = scope_of(c->v);
    int64_t found = 0;
    int rc = db_int(c->d, c->e, 0, &found,
                    "SELECT d.id FROM duty d LEFT JOIN cases k ON k.id = d.case_id LEFT JOIN object o ON o.id = coalesce(d.object_id, k.object_id)"
                    " WHERE d.id = ?3 AND (?1 = 0 OR EXISTS (SELECT 1 FROM duty_reach e WHERE e.duty_id = d.id AND e.org_id = ?2))"
                    " AND (?1 = 0 OR d.case_id IS NULL OR " CASE_SHOWN("?4") ")",
                    "izii", scope.bounded, scope.org, parse_id(id), viewer_id(c));

    if (rc < 0)
        return rc;
    return found ? row_load(c, found, row) : refuse(c, -ENOENT, "not_found", NULL, "no such duty");
}

/* owes - those on whose desk it lies: the centre's staff, or people of the performer or of the accountable party. */
static bool owes(const struct viewer *v, const struct duty_row *row)
{
    struct str org = str_c(v->org_id);

    if (str_eq(row->owed_by, STR("centre")))
        return role_of_centre(v->role) || v->role == DESK_SURVEYOR || v->role == DESK_DOCUMENT_AUDITOR;
    return v->role != DESK_AUDITOR && v->role != DESK_ADMINISTRATOR && org.n &&
           ((row->performer_org.p && str_eq(row->performer_org, org)) || (row->org_id.p && str_eq(row->org_id, org)));
}

static int audit_row(struct call *c, const char *action, int64_t id, struct str detail)
{
    char target[40];

    snprintf(target, sizeof target, "duty/%lld", (long long)id);
    return audit_add(c, action, target, detail, "ok");
}

static int acknowledge(struct call *c, struct str id)
{
    struct duty_row row;
    struct subject s;
    int rc = seen(c, id, &row);

    if (rc < 0)
        return rc;
    if (!owes(c->v, &row))
        return refuse(c, -EACCES, "forbidden", NULL, "only those who owe a duty say that they have seen it");
    if (!str_eq(row.state, STR("running")))
        return refuse(c, -EPROTO, "wrong_state", NULL, "a duty in state %.*s is over", STR_ARG(row.state));
    if (row.acknowledged_at)
        return 0;
    rc = db_exec(c->d, c->e, "UPDATE duty SET acknowledged_at = ?2, acknowledged_by = ?3 WHERE id = ?1", "iii", row.id, c->now, c->v->user_id);
    if (rc >= 0)
        rc = db_exec(c->d, c->e, "UPDATE reminder SET sent_at = ?2, outcome = 'acknowledged' WHERE duty_id = ?1 AND kind = 'chain' AND sent_at IS NULL",
                     "ii", row.id, c->now);
    if (rc < 0)
        return rc;
    s = row_subject(&row);
    change_id(c->d, "clock", row.id);
    rc = timeline_of(c, &s, &(struct line){ .kind = "clock_acknowledged", .obligation = row.obligation.p, .due_at = row.due_at });
    return rc < 0 ? rc : audit_row(c, "duty.acknowledge", row.id, row.obligation);
}

/* --- another start --- */

static const struct body_field restart_fields[] = {
    { "from", BODY_STRING, true, false, 1, 64, NULL },
    { "reason", BODY_TEXT, true, false, 1, 2000, NULL },
};

static int restart(struct call *c, struct str id, const json_t *body)
{
    json_t *args;
    struct duty_start start;
    struct duty_row row;
    struct subject s;
    int rc = seen(c, id, &row);

    if (rc < 0)
        return rc;
    if (c->v && !role_of_centre(c->v->role))
        return refuse(c, -EACCES, "forbidden", NULL, "the centre corrects the start of a duty");
    rc = body_check(body, restart_fields, COUNT(restart_fields), c->r->field, c->e);
    if (rc < 0)
        return rc;
    if (!str_eq(row.state, STR("running")))
        return refuse(c, -EPROTO, "wrong_state", NULL, "a duty in state %.*s is over", STR_ARG(row.state));
    if (duty_start_parse(json_get_str(body, "from"), c->d->setup.world->zone, &start, c->e) < 0)
        return refuse(c, -EINVAL, "bad_request", "from", "not a date or a moment");
    if (start.at > c->now + NS_PER_MINUTE && row.from_at <= row.due_at)
        return refuse(c, -EINVAL, "bad_request", "from", "the start lies in the future");
    s = row_subject(&row);
    args = json_pack("{s:o, s:O, s:O}", "duty", json_id(row.id), "from", json_object_get(body, "from"), "reason", json_object_get(body, "reason"));
    rc = approval_gate(c, "duty.restart", &s, args, json_get_str(body, "reason"));
    json_decref(args);
    if (rc != 0)
        return rc < 0 ? rc : 0;
    rc = row_recount(c, &row, start, CHANGE_START, json_get_str(body, "reason"));
    return rc < 0 ? rc : audit_row(c, "duty.restart", row.id, row.obligation);
}

int duty_restart_approved(struct call *c, struct str subject_id, const json_t *args)
{
    json_t *body = json_pack("{s:O, s:O}", "from", json_object_get(args, "from"), "reason", json_object_get(args, "reason"));
    int rc = restart(c, json_get_str(args, "duty"), body);

    (void)subject_id;
    json_decref(body);
    return rc;
}

/* --- the API --- */

typedef int duty_work(struct call *c, struct str id, const json_t *body);

static int acknowledge_work(struct call *c, struct str id, const json_t *body)
{
    (void)body;
    return acknowledge(c, id);
}

static int act(struct desk *d, const struct viewer *v, struct str id, const json_t *body, time_ns now, struct desk_reply *r, const char *name,
               duty_work *work)
{
    struct call c;
    char target[40];
    int rc;

    desk_call_init(&c, d, v, now, r);
    rc = db_begin(d, c.e);
    if (rc == 0) {
        rc = work(&c, id, body);
        if (rc == 0)
            rc = duty_json_full(&c, parse_id(id), &r->json);
        rc = db_end(d, rc, c.e);
    }
    if (rc < 0) {
        json_decref(r->json);
        r->json = NULL;
    }
    snprintf(target, sizeof target, "duty/%lld", (long long)parse_id(id));
    if (rc == -EACCES)
        audit_refusal(&c, name, target);
    desk_call_free(&c);
    return refuse_rc(r, rc);
}

int desk_duty_acknowledge(struct desk *d, const struct viewer *v, struct str id, time_ns now, struct desk_reply *r)
{
    return act(d, v, id, NULL, now, r, "duty.acknowledge", acknowledge_work);
}

int desk_duty_restart(struct desk *d, const struct viewer *v, struct str id, const json_t *body, time_ns now, struct desk_reply *r)
{
    return act(d, v, id, body, now, r, "duty.restart", restart);
}
