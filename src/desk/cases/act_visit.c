/* act_visit.c - an employee is sent to the object (10(1), a7), a consultation is asked for and given (7.10). */
#include "desk/cases/acts.h"

/* act_decide_visit - the need is determined by KNB or by STS on its own: who decided is recorded (R-10.1-12). */
int act_decide_visit(struct call *c, struct act_call *a)
{
    bool knb = c->v && c->v->role == DESK_KNB;
    struct str reason = json_get_str(a->body, "reason");
    int rc = db_exec(c->d, c->e,
                     "INSERT INTO case_visit(case_id, state, decided_by, decided_at, author_id, reason) VALUES (?,'need_determined',?,?,?,?)", "izimt",
                     a->k->id, knb ? "knb" : "sts", c->now, (time_ns)viewer_id(c), reason);

    if (rc >= 0)
        rc = timeline_add(c, a->k->id, &(struct line){ .kind = "decide_visit", .text = reason, .internal = a->k->notified_at == 0 && a->k->machine == MACHINE_STS,
                                                       .key = knb ? "case.text.visit_knb" : "case.text.visit_sts" });
    return rc < 0 || !knb ? rc : letter_visit_decision(c, a->k, reason);
}

int act_send_employee(struct call *c, struct act_call *a)
{
    struct str who = json_get_str(a->body, "employee");
    time_ns at = time_of(a->body, "sent_at"), arrives = time_of(a->body, "arrives_at");
    int rc = at ? within(c, at, a->k->detected_at, "sent_at") : 0;

    at = at ? at : c->now;
    if (rc == 0 && arrives && minute_before(arrives, at))
        rc = refuse(c, -EINVAL, "bad_request", "arrives_at", "nobody arrives before being sent");
    if (rc == 0)
        rc = db_exec(c->d, c->e, "UPDATE case_visit SET state = 'sent', sent_at = ?2, employee = ?3 WHERE case_id = ?1 AND state = 'need_determined'", "iit",
                     a->k->id, at, who);
    if (rc >= 0)
        rc = timeline_add(c, a->k->id, &(struct line){ .kind = "send_employee", .happened_at = at, .text = json_get_str(a->body, "note"),
                                                       .key = "case.text.visit_sent", .args = json_pack("{s:o}", "employee", json_str(who)) });
    if (rc < 0 || (a->k->machine == MACHINE_STS && !a->k->notified_at))
        return rc;
    return letter_visit(c, a->k, arrives, json_get_str(a->body, "note"));
}

int act_visit_return(struct call *c, struct act_call *a)
{
    time_ns at = time_of(a->body, "returned_at");
    int rc = at ? within(c, at, a->k->detected_at, "returned_at") : 0;

    at = at ? at : c->now;
    if (rc == 0)
        rc = db_exec(c->d, c->e, "UPDATE case_visit SET state = 'returned_with_report', returned_at = ?2, report = ?3 WHERE case_id = ?1 AND state = 'sent'",
                     "iit", a->k->id, at, json_get_str(a->body, "report"));
    return rc < 0 ? rc : timeline_add(c, a->k->id, &(struct line){ .kind = "visit_return", .happened_at = at, .text = json_get_str(a->body, "report"),
                                                                    .internal = true });
}

int act_consult_request(struct call *c, struct act_call *a)
{
    struct str text = json_get_str(a->body, "text");
    int rc = db_exec(c->d, c->e, "INSERT INTO consultation(case_id, state, requested_at, requested_by, question) VALUES (?,'requested',?,?,?)", "iimt",
                     a->k->id, c->now, (time_ns)viewer_id(c), text);

    if (rc >= 0)
        rc = act_line(c, a->k, "consult_request", text, 0, NULL);
    return rc < 0 ? rc : letter_question(c, a->k, text);
}

/* act_consult_give - answers the oldest open question. */
int act_consult_give(struct call *c, struct act_call *a)
{
    struct str text = json_get_str(a->body, "text"), question;
    sqlite3_stmt *st = db_query(c->d, c->e, "SELECT id, question FROM consultation WHERE case_id = ? AND state = 'requested' ORDER BY id LIMIT 1", "i", a->k->id);
    int rc = st ? db_step(c->d, st, c->e) : -EIO;

    if (rc <= 0)
        return rc < 0 ? rc : err_set(c->e, -EIO, "a question vanished");
    int64_t id = sqlite3_column_int64(st, 0);
    question = db_copy(st, 1, &c->a);
    db_done(st);
    rc = db_exec(c->d, c->e, "UPDATE consultation SET state = 'given', given_at = ?2, given_by = ?3, answer = ?4 WHERE id = ?1", "iimt", id, c->now,
                 (time_ns)viewer_id(c), text);

    if (rc >= 0)
        rc = act_line(c, a->k, "consult_give", text, 0, NULL);
    return rc < 0 ? rc : letter_answer(c, a->k, question, text);
}
