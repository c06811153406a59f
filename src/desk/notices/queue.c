/* queue.c - see queue.h. */
#include "desk/notices/queue.h"

static time_ns pause_after(int64_t tries)
{
    time_ns pause = QUEUE_PAUSE_FIRST << (tries > 11 ? 10 : tries < 1 ? 0 : tries - 1);

    return pause < QUEUE_PAUSE_MOST ? pause : QUEUE_PAUSE_MOST;
}

int queue_waiting(struct call *c, const char *channel, int64_t *some)
{
    return db_int(c->d, c->e, 0, some, "SELECT EXISTS (SELECT 1 FROM notice n WHERE n.channel = ?2 AND " QUEUE_DUE("n", "?1") ")", "iz", c->now, channel);
}

int queue_put_off(struct call *c, int64_t id, int64_t attempts, struct str receiver, time_ns busy)
{
    int rc = db_exec(c->d, c->e, "UPDATE notice SET attempts = ?2, next_try_at = ?3 WHERE id = ?1", "iii", id, attempts, c->now + pause_after(attempts));

    if (rc >= 0)
        rc = db_exec(c->d, c->e,
                     "INSERT INTO receiver(key, failures, set_at, rest_until) VALUES (?1, 0, ?2, ?3) ON CONFLICT DO UPDATE SET set_at = ?2, rest_until = ?3",
                     "tii", receiver, c->now, c->now + busy);
    return rc < 0 ? rc : 0;
}

/* receiver_well - it answered. What waited because it did not is due now. */
static int receiver_well(struct call *c, struct str receiver, const char *channel, struct str org)
{
    int64_t failures = 0;
    int rc = db_int(c->d, c->e, 0, &failures, "DELETE FROM receiver WHERE key = ? RETURNING failures", "t", receiver);

    if (rc == 0 && failures)
        rc = db_exec(c->d, c->e, "UPDATE notice SET next_try_at = ?1 WHERE channel = ?2 AND state = 'queued' AND next_try_at > ?1 AND (?3 IS NULL OR org_id = ?3)",
                     "izt", c->now, channel, org);
    return rc < 0 ? rc : 0;
}

static int receiver_ill(struct call *c, struct str receiver, const char *error)
{
    int64_t failures = 1;
    int rc = db_int(c->d, c->e, 1, &failures, "UPDATE receiver SET failures = failures + 1, error = ?2 WHERE key = ?1 RETURNING failures", "tz", receiver,
                    error);

    if (rc == 0)
        rc = db_exec(c->d, c->e, "UPDATE receiver SET set_at = ?2, rest_until = ?3 WHERE key = ?1", "tii", receiver, c->now, c->now + pause_after(failures));
    return rc < 0 ? rc : 0;
}

int queue_sent(struct call *c, int64_t id, const char *proof, struct str receiver, const char *channel, struct str org)
{
    int rc = db_exec(c->d, c->e, "UPDATE notice SET state = 'sent', sent_at = ?2, smtp_reply = ?3, last_error = NULL WHERE id = ?1", "iiz", id, c->now, proof);

    return rc < 0 ? rc : receiver_well(c, receiver, channel, org);
}

int queue_failed(struct call *c, const struct queue_failure *f, struct str receiver, const char *channel, struct str org)
{
    bool over = f->over || f->attempts >= QUEUE_TRIES_MOST;
    int rc = f->receiver == QUEUE_SILENT     ? receiver_ill(c, receiver, f->error)
             : f->receiver == QUEUE_ANSWERED ? receiver_well(c, receiver, channel, org)
                                             : db_exec(c->d, c->e, "UPDATE receiver SET rest_until = 0 WHERE key = ?", "t", receiver);

    if (rc >= 0)
        rc = db_exec(c->d, c->e, "UPDATE notice SET state = ?2, last_error = ?3, next_try_at = ?4 WHERE id = ?1", "izzi", f->id, over ? "failed" : "queued",
                     f->error, c->now + pause_after(f->attempts));
    return rc < 0 ? rc : over;
}

/* --- the label, asked again --- */

int queue_letter_may(struct call *c, int64_t case_id, struct str email, bool *may)
{
    int64_t own = 0;
    int rc = 0;

    *may = true;
    if (!case_id)
        return 0;
    rc = tlp_letter(c, case_id, email, may);
    if (rc < 0 || *may)
        return rc;
    /* Under AMBER+STRICT the notice of a case itself goes to whom the owner made responsible for the object, of whatever organisation they are. */
    rc = db_int(c->d, c->e, 0, &own,
                "SELECT EXISTS (SELECT 1 FROM cases k JOIN object_contact x ON x.object_id = k.object_id WHERE k.id = ?1 AND k.tlp = 'amber+strict' AND x.kind ="
                " 'responsible_person' AND x.email = ?2)",
                "it", case_id, email);
    *may = rc == 0 && own;
    return rc;
}

int queue_org_may(struct call *c, int64_t case_id, struct str org, bool *may)
{
    int64_t knb = 0;
    struct kase k;
    int rc;

    *may = true;
    if (!case_id)
        return 0;
    rc = case_load(c, case_id, &k);
    if (rc == 0)
        rc = db_int(c->d, c->e, 0, &knb, "SELECT EXISTS (SELECT 1 FROM org WHERE id = ? AND kind = 'knb')", "t", org);
    if (rc < 0)
        return rc;
    rc = str_eq(k.tlp, STR("red")) ? -EPROTO : tlp_allows(c, &k, org, knb != 0);   /* a system is nobody's name */
    *may = rc == 0;
    c->r->code = NULL;
    c->r->field[0] = 0;
    return rc == -EPROTO ? 0 : rc;
}

int queue_stop(struct call *c, int64_t id, const char *kind, struct str to)
{
    int rc = db_exec(c->d, c->e, "UPDATE notice SET state = 'failed', last_error = 'label' WHERE id = ?1", "i", id);

    return rc < 0 ? rc : audit_add(c, "notice.send", kind, to, "failed");
}
