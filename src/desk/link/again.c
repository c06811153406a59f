/* again.c - a step that could not be repeated when it came is tried again, because somebody here wants it: the object is registered now, or the
 * case has moved on. The bytes are those that came; who may, the state and the label are asked anew, and the moment stays the sender's.
 *
 * The notice that came with the step lies in the inbox since then and is not registered a second time. */
#include "desk/link/room.h"

#define AGAIN_MOST 200      /* of one node by one act */

struct again {
    int64_t    id, record;
    struct str envelope, hash, number, step_act;
};

/* next_of - the oldest after a row that was not applied; only: this one. Without a row: 0. */
static int next_of(struct call *c, struct str node, int64_t after, int64_t only, struct again *out)
{
    sqlite3_stmt *st = db_query(c->d, c->e,
                                "SELECT i.id, i.envelope, i.hash, i.number, i.step_act, (SELECT record_id FROM notice n WHERE n.id = i.ref_id AND i.ref = 'notice') FROM"
                                " link_in i WHERE i.node = ?1 AND i.step_result = 'not_applied' AND i.id > ?2 AND (?3 = 0 OR i.id = ?3) ORDER BY i.id LIMIT 1",
                                "tii", node, after, only);
    int rc = st ? db_step(c->d, st, c->e) : -EIO;

    if (rc <= 0)
        return rc;
    *out = (struct again){ sqlite3_column_int64(st, 0), sqlite3_column_int64(st, 5), db_copy(st, 1, &c->a), db_copy(st, 2, &c->a), db_copy(st, 3, &c->a),
                           db_copy(st, 4, &c->a) };
    db_done(st);
    return 1;
}

static int note(struct call *c, const struct peer *p, const struct again *x, const struct link_item *item, struct applied *a)
{
    bool done = !*a->step_code;
    char target[120];
    int rc = db_exec(c->d, c->e, "UPDATE link_in SET step_result = ?2, step_code = ?3, step_reason = ?4, case_id = coalesce(?5, case_id) WHERE id = ?1", "izzzm", x->id,
                     done ? "applied" : "not_applied", done ? NULL : a->step_code, done ? NULL : a->step_reason, (time_ns)a->case_id);

    change_add(c->d, "link", p->node);
    snprintf(a->number, sizeof a->number, "%.*s", STR_ARG(x->number));
    snprintf(a->step_act, sizeof a->step_act, "%.*s", (int)min_size(x->step_act.n, 40), x->step_act.p);
    if (rc >= 0 && done)
        rc = receipt_put(c, p, item, a);
    snprintf(target, sizeof target, "node/%.*s/%lld", STR_ARG(p->node), (long long)x->id);
    return rc < 0 ? rc : audit_add(c, "link.step.retry", target, x->step_act, done ? "ok" : "refused");
}

/* one - in a transaction of its own; *applied counts. */
static int one(struct call *c, struct str node, const struct again *x, int64_t *applied)
{
    struct link_item *item = arena_zero(&c->a, sizeof *item);
    struct applied a = { 0 };
    struct peer p;
    int rc = item ? peer_load(c, node, &p) : err_set(c->e, -ENOMEM, "no memory for an envelope");

    if (rc > 0)
        rc = link_json_read(x->envelope, &item->json, c->e);
    if (rc == 0)
        rc = link_envelope_read(item->json, &item->envelope, c->e);
    if (rc == 0) {
        const struct viewer *who = c->v;

        snprintf(item->hash, sizeof item->hash, "%.*s", STR_ARG(x->hash));
        c->v = NULL;        /* it is done as them, not as who asked */
        rc = step_again(c, &(struct incoming){ &p, item, x->id }, x->record, &a);
        c->v = who;
    }
    if (rc == 0)
        rc = note(c, &p, x, item, &a);
    *applied += rc == 0 && !*a.step_code;
    json_decref(item ? item->json : NULL);
    return rc;
}

static int again(struct call *c, struct str node, int64_t only)
{
    int64_t tried = 0, applied = 0, there = 0;
    struct again x = { 0 };
    struct peer p;
    int rc = peer_load(c, node, &p);

    if (rc > 0 && only)
        rc = db_int(c->d, c->e, 0, &there, "SELECT count(*) FROM link_in WHERE node = ?1 AND id = ?2 AND step_act IS NOT NULL", "ti", node, only);
    if (rc == 0 && !there)
        return refuse(c, -ENOENT, "not_found", NULL, only ? "no such step" : "no such node");
    if (rc < 0)
        return rc;
    /* In their order: a step may need the one before it. */
    while (tried < AGAIN_MOST && (rc = next_of(c, node, x.id, only, &x)) > 0) {
        rc = db_begin(c->d, c->e);
        if (rc == 0)
            rc = db_end(c->d, one(c, node, &x, &applied), c->e);
        if (rc < 0)
            return rc;
        tried++;
    }
    if (rc >= 0)
        c->r->json = json_pack("{s:I, s:I}", "tried", (json_int_t)tried, "applied", (json_int_t)applied);
    return rc < 0 ? rc : 0;
}

int desk_link_again(struct desk *d, const struct viewer *v, struct str node, const json_t *body, time_ns now, struct desk_reply *r)
{
    static const struct body_field fields[] = { { "envelope", BODY_STRING, false, true, 1, 20, NULL } };
    struct call c;
    int rc;

    desk_call_init(&c, d, v, now, r);
    rc = v->role == DESK_AUDITOR ? refuse(&c, -EACCES, "forbidden", NULL, "an auditor changes nothing") : link_needs(&c, false);
    if (rc == 0)
        rc = body_check(body, fields, COUNT(fields), r->field, c.e);
    struct str id = rc == 0 ? json_get_str(body, "envelope") : (struct str){ NULL, 0 };
    if (rc == 0 && id.n && parse_id(id) <= 0)
        rc = refuse(&c, -ENOENT, "not_found", NULL, "no such step");
    if (rc == 0)
        rc = again(&c, node, id.n ? parse_id(id) : 0);
    desk_call_free(&c);
    return refuse_rc(r, rc);
}
