/* letters.c - what goes out of a case in a form of our own: recommendations, the decision to send an employee and his sending, consultations, the
 * result of an analysis. The Rules prescribe no form for them (requirements 6), so the form stands in the edition and says so on paper. */
#include "desk/cases/acts.h"

/* contact_of - who is asked back: the person who acts. */
static struct str contact_of(struct call *c)
{
    sqlite3_stmt *st = c->v ? db_query(c->d, NULL, "SELECT name, coalesce(email, '') FROM user WHERE id = ?", "i", c->v->user_id) : NULL;
    struct str contact = { NULL, 0 };

    if (st && db_step(c->d, st, NULL) > 0) {
        struct str mail = db_str(st, 1);

        contact = arena_printf(&c->a, "%.*s%s%.*s", STR_ARG(db_str(st, 0)), mail.n ? ", " : "", STR_ARG(mail));
        db_done(st);
    }
    return contact;
}

/* common - what the form asks of every letter of a case. */
static void common(struct call *c, const struct kase *k, const struct form *f, json_t *values)
{
    const struct { const char *id; struct str value; } all[] = {
        { "object", k->object_name.n ? k->object_name : k->host },
        { "owner_or_possessor", k->org_name },
        { "case_number", k->number },
        { "incident_type", k->incident_type },
        { "contact", contact_of(c) },
    };

    for (size_t i = 0; i < COUNT(all); i++)
        if (all[i].value.n && form_field_find(f, str_c(all[i].id)) && !json_object_get(values, all[i].id))
            json_object_set_new(values, all[i].id, json_str(all[i].value));
}

int case_letter(struct call *c, const struct kase *k, const struct case_message *m, json_t *values, int64_t *id)
{
    const struct edition *ed = duty_edition(c->d->setup.world, k->edition);
    const struct form *f = ed ? edition_form(ed, str_c(m->form)) : NULL;
    struct case_message out = *m;
    int rc;

    /* An edition that an administrator made from an older one may lack the form: then the words alone go out. */
    out.form = f ? m->form : NULL;
    out.values = f ? values : NULL;
    if (f) {
        common(c, k, f, values);
        out.text = (struct str){ NULL, 0 };
    }
    rc = values ? case_send(c, k, &out, id) : err_set(c->e, -ENOMEM, "no memory for a letter");
    json_decref(values);
    return rc;
}

int letter_recommendations(struct call *c, const struct kase *k, struct str text, unsigned to)
{
    json_t *iocs = NULL;
    int rc = case_iocs(c, k->id, &iocs);

    if (rc < 0) {
        json_decref(iocs);
        return rc;
    }
    return case_letter(c, k, &(struct case_message){ "recommendations", "10(1)", text, to, "recommendations" },
                       json_pack("{s:o, s:o}", "recommendations", json_str(text), "iocs", iocs), NULL);
}

int letter_visit(struct call *c, const struct kase *k, time_ns arrives_at, struct str note)
{
    sqlite3_stmt *st = db_query(c->d, c->e, "SELECT decided_by, reason, employee, sent_at FROM case_visit WHERE case_id = ? AND state = 'sent' ORDER BY id"
                                            " DESC LIMIT 1", "i", k->id);
    int rc = st ? db_step(c->d, st, c->e) : -EIO;

    if (rc <= 0)
        return rc < 0 ? rc : err_set(c->e, -EIO, "a visit vanished");
    struct str who = db_copy(st, 2, &c->a);
    json_t *values = json_pack("{s:o, s:o, s:[o], s:o, s:o, s:o}", "decided_by", db_json(st, 0), "purpose", db_json(st, 1), "employees", json_str(who),
                               "sent_at", db_json_time(st, 3), "arrives_at", json_time_or_null(arrives_at), "note", note.n ? json_str(note) : json_null());
    db_done(st);
    return case_letter(c, k, &(struct case_message){ "visit", "10(1)", who, TO_OWNER | TO_POSSESSOR, "visit_notice" }, values, NULL);
}

int letter_visit_decision(struct call *c, const struct kase *k, struct str reason)
{
    return case_letter(c, k, &(struct case_message){ "visit", "10(1)", reason, TO_STS, "visit_decision" },
                       json_pack("{s:s, s:o, s:o}", "decided_by", "knb", "decided_at", json_time(c->now), "reason", json_str(reason)), NULL);
}

int letter_question(struct call *c, const struct kase *k, struct str question)
{
    return case_letter(c, k, &(struct case_message){ "consultation", NULL, question, TO_STS, "consultation_request" },
                       json_pack("{s:o}", "question", json_str(question)), NULL);
}

int letter_answer(struct call *c, const struct kase *k, struct str question, struct str answer)
{
    return case_letter(c, k, &(struct case_message){ "consultation", NULL, answer, TO_OTHER_SIDE, "consultation_answer" },
                       json_pack("{s:o, s:o}", "question", json_str(question), "answer", json_str(answer)), NULL);
}

int letter_analysis(struct call *c, const struct kase *k, struct str text)
{
    json_t *a7 = k->annex7.n ? json_loadb(k->annex7.p, k->annex7.n, 0, NULL) : NULL;
    struct str name = json_get_str(a7, "event_name");
    json_t *values = json_pack("{s:o, s:o, s:o, s:s, s:o, s:o}", "event_name", json_str(name.n ? name : case_title_both(c, k, 900)), "notified_at",
                               json_time(k->notified_at), "analysed_at", json_time(c->now), "result", "event_only", "analysis", json_str(text), "performer",
                               c->v ? json_string(c->v->name) : json_null());

    json_decref(a7);
    return case_letter(c, k, &(struct case_message){ "event_analysis", "12", text, TO_STS, "event_analysis" }, values, NULL);
}
