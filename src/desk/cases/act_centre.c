/* act_centre.c - what the centre does: primary analysis, the notice of D-05, the KNB notice, acceptance, closing. */
#include "desk/approvals/approvals.h"
#include "desk/cases/acts.h"

#define NOTHING ((struct str){ NULL, 0 })

int act_note_internal(struct call *c, struct act_call *a)
{
    return timeline_add(c, a->k->id, &(struct line){ .kind = "analyse", .text = json_get_str(a->body, "note"), .internal = true });
}

/* act_dismiss - the owner will never hear of it: a second person looks first, and D-05 runs on until then. 1: it waits. */
int act_dismiss(struct call *c, struct act_call *a)
{
    char id[24];
    struct subject s = case_about(a->k, id);
    int rc = approval_gate(c, "case.dismiss", &s, a->body, json_get_str(a->body, "reason"));

    return rc != 0 ? rc : act_line(c, a->k, "dismiss", json_get_str(a->body, "reason"), 0, NULL);
}

int case_dismiss_approved(struct call *c, struct str id, const json_t *args) { return act_run(c, parse_id(id), STR("dismiss"), args); }

/* annex7_settle - the moment of detection is the system's: the form may show it to the minute, but not another one. */
static int annex7_settle(struct call *c, const struct kase *k, const json_t *body, json_t **out)
{
    json_t *a7 = json_deep_copy(json_object_get(body, "annex7"));
    time_ns at = time_of(a7, "detected_at");
    int rc = a7 ? 0 : err_set(c->e, -ENOMEM, "no memory for a form");

    if (rc == 0 && (minute_before(at, k->detected_at) || minute_before(k->detected_at, at)))
        rc = refuse(c, -EINVAL, "bad_request", "annex7.detected_at", "the moment of detection is the one at which the system raised it");
    if (rc == 0) {
        json_object_set_new(a7, "detected_at", json_time(k->detected_at));
        rc = annex7_addresses(c, a7);
        rc = rc == 0 ? annex_missing(c, k, "annex7", a7) : rc;
    }
    if (rc < 0) {
        json_decref(a7);
        a7 = NULL;
    }
    *out = a7;
    return rc;
}

static int notice_document(struct call *c, const struct kase *k, json_t *a7, const json_t *body, char sha[65])
{
    json_t *values = json_copy(a7);
    int rc;

    json_object_set(values, "recommendations", json_object_get(body, "recommendations"));
    json_object_set(values, "detection_kind", json_object_get(body, "detection_kind"));
    rc = document_make(c, k, "annex7", values, sha);
    json_decref(values);
    return rc;
}

/* contacts_named - under TLP:RED the letter goes to named persons alone: every address of the object must be one of theirs. */
static int contacts_named(struct call *c, const struct kase *k)
{
    int64_t strangers = 0, named = 0;
    int rc = db_int(c->d, c->e, 0, &strangers,
                    "SELECT count(*) FROM object_contact t WHERE t.object_id = ?1 AND t.email IS NOT NULL AND t.email <> '' AND NOT EXISTS"
                    " (SELECT 1 FROM case_person p JOIN user u ON u.id = p.user_id WHERE p.case_id = ?2 AND u.email = t.email)",
                    "ti", k->object_id, k->id);

    if (rc == 0)
        rc = db_int(c->d, c->e, 0, &named, "SELECT count(*) FROM case_person WHERE case_id = ?", "i", k->id);
    if (rc < 0 || (strangers == 0 && named > 0))
        return rc;
    return refuse(c, -EPROTO, "tlp_forbids", "tlp", "TLP:RED goes to named persons alone, and the object has contacts that are not among them");
}

/* act_notify - the notice of Annex 7 (a5). Which of D-10 and D-11 is owed the owner decides by confirming an event or an incident; until then
 * both run. */
int act_notify(struct call *c, struct act_call *a)
{
    struct kase *k = a->k;
    json_t *a7 = NULL;
    int rc = str_eq(k->tlp, STR("red")) ? contacts_named(c, k) : 0;

    if (rc == 0)
        rc = tlp_allows(c, k, k->org_id, true);
    if (rc == 0)
        rc = annex7_settle(c, k, a->body, &a7);
    if (rc < 0)
        return rc;
    AUTO_FREE char *text = json_dumps(a7, JSON_COMPACT);
    bool again = str_eq(json_get_str(a7, "registration_kind"), STR("repeated"));   /* the form decides what the system suggested */
    rc = db_exec(c->d, c->e,
                 "UPDATE cases SET kind = ?2, detection_kind = ?2, notified_at = ?3, recommendations = ?4, annex7 = ?5, updated_at = ?3, recurrence = ?6,"
                 " previous_id = CASE WHEN ?6 = 'repeated' THEN coalesce(previous_id, suggested_id) ELSE NULL END WHERE id = ?1",
                 "ititzz", k->id, json_get_str(a->body, "detection_kind"), c->now, json_get_str(a->body, "recommendations"), text,
                 again ? "repeated" : "new");
    if (rc >= 0)
        rc = db_exec(c->d, c->e, "DELETE FROM case_draft WHERE case_id = ? AND form = 'annex7'", "i", k->id);
    if (rc >= 0)
        rc = case_load(c, k->id, k);
    if (rc == 0)
        rc = notice_document(c, k, a7, a->body, a->sha256);
    json_decref(a7);
    return rc < 0 ? rc : act_line(c, k, "notify", NOTHING, 0, a->sha256);
}

/* act_notify_out - letters to the responsible persons, the inbox of the owner, and of the possessor if that is another. */
int act_notify_out(struct call *c, struct act_call *a)
{
    struct letter l = { .kind = "annex7", .sha256 = a->sha256, .key = "notice" };
    int rc = clock_due(c, a->k->id, "D-11", &l.due);

    if (rc == 0)
        rc = letter_owner(c, a->k, &l);
    if (rc == 0)
        rc = inbox_owner(c, a->k, &l);
    if (rc == 0 && a->k->possessor_id.n && !str_eq(a->k->possessor_id, a->k->org_id))
        rc = letter_recommendations(c, a->k, a->k->recommendations, TO_POSSESSOR);
    return rc;
}

static json_t *knb_values(struct call *c, const struct kase *k, time_ns due, const json_t *body)
{
    json_t *a2 = k->annex2.n ? json_loadb(k->annex2.p, k->annex2.n, 0, NULL) : NULL;
    json_t *a7 = k->annex7.n ? json_loadb(k->annex7.p, k->annex7.n, 0, NULL) : NULL;
    struct str name = json_get_str(a7, "event_name"), done = json_get_str(a2, "elimination_actions");
    struct str rest = arena_printf(&c->a, "%.*s / %.*s", STR_ARG(catalog_text(c->d->setup.catalog, LANG_KK, "case.knb.not_eliminated")),
                                   STR_ARG(catalog_text(c->d->setup.catalog, LANG_RU, "case.knb.not_eliminated")));
    struct str note = json_get_str(body, "note");
    json_t *v = json_pack("{s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "object", json_str(k->object_name), "owner_or_possessor",
                          json_str(k->org_name), "event_name", json_str(name.n ? name : case_title(c, k, LANG_RU)), "level", json_str(k->level), "detected_at",
                          json_time(k->detected_at), "notified_at", json_time_or_null(k->notified_at), "confirmed_at", json_time(k->confirmed_at),
                          "elimination_due_at", json_time(due), "not_eliminated", json_str(rest), "elimination_actions", json_str(done),
                          "recommendations", json_str(k->recommendations), "note", note.n ? json_str(note) : json_null());

    json_decref(a2);
    json_decref(a7);
    return v;
}

int act_notify_knb(struct call *c, struct act_call *a)
{
    struct kase *k = a->k;
    time_ns due = 0;
    int rc = clock_due(c, k->id, "D-06", &due);

    if (rc == 0 && str_eq(k->tlp, STR("red")))
        rc = case_send(c, k, &(struct case_message){ .to = TO_KNB }, NULL);   /* asks the label alone */
    if (rc < 0)
        return rc;
    json_t *values = knb_values(c, k, due, a->body);
    rc = document_make(c, k, "knb_notice", values, a->sha256);
    json_decref(values);
    if (rc == 0)
        rc = db_exec(c->d, c->e, "UPDATE cases SET escalated_at = ?2, updated_at = ?2 WHERE id = ?1", "ii", k->id, c->now);
    return rc < 0 ? rc : act_line(c, k, "notify_knb", json_get_str(a->body, "note"), 0, NULL);
}

int act_notify_knb_out(struct call *c, struct act_call *a)
{
    struct letter l = { .kind = "knb_notice", .sha256 = a->sha256, .key = "knb" };
    int rc = clock_due(c, a->k->id, "D-06", &l.due);

    if (rc == 0)
        rc = letter_org_kind(c, a->k, "knb", &l, true);
    return rc < 0 || c->heard ? rc : notices_read(c, a->k);
}

/* parts - which of the two facts an act speaks of: bit 1 causes, bit 2 consequences. Without a word: all that are declared and wait. */
static unsigned parts(const struct kase *k, const json_t *body)
{
    struct str what = json_get_str(body, "what");
    unsigned waiting = (k->causes_at && !k->causes_accepted_at ? 1u : 0) | (k->consequences_at && !k->consequences_accepted_at ? 2u : 0);

    if (str_eq(what, STR("causes")))
        return waiting & 1u;
    if (str_eq(what, STR("consequences")))
        return waiting & 2u;
    return str_eq(what, STR("both")) && waiting != 3u ? 0 : waiting;
}

/* act_accept_elimination - causes and consequences, apart or together. D-06 stops when both are accepted, at the later of the moments that
 * the owner declared. */
int act_accept_elimination(struct call *c, struct act_call *a)
{
    static const char *const keys[] = { NULL, "case.text.accepted_causes", "case.text.accepted_consequences", "case.text.accepted_both" };
    struct kase *k = a->k;
    unsigned p = parts(k, a->body);
    time_ns done = k->causes_at > k->consequences_at ? k->causes_at : k->consequences_at;
    bool all = ((p & 1u) || k->causes_accepted_at) && ((p & 2u) || k->consequences_accepted_at);
    int rc;

    if (!p)
        return refuse(c, -EINVAL, "bad_request", "what", "this part was not declared, or is accepted already");
    rc = db_exec(c->d, c->e,
                 "UPDATE cases SET causes_accepted_at = CASE WHEN ?2 THEN ?4 ELSE causes_accepted_at END, consequences_accepted_at ="
                 " CASE WHEN ?3 THEN ?4 ELSE consequences_accepted_at END, eliminated_at = ?5, updated_at = ?4 WHERE id = ?1",
                 "iiiim", k->id, (int64_t)(p & 1u), (int64_t)(p & 2u), c->now, all ? done : (time_ns)0);
    if (rc >= 0)
        rc = timeline_add(c, k->id, &(struct line){ .kind = "accept_elimination", .text = json_get_str(a->body, "note"), .key = keys[p] });
    if (rc == 0 && all)
        a->next = CASE_ELIMINATED;
    return rc;
}

/* act_inform_knb - elimination after the escalation: the KNB is told (a16). */
int act_inform_knb(struct call *c, struct act_call *a)
{
    if (a->k->state != CASE_ELIMINATED || !a->k->escalated_at)
        return 0;
    return letter_org_kind(c, a->k, "knb", &(struct letter){ .kind = "information", .key = "knb_eliminated", .due = a->k->eliminated_at }, true);
}

/* act_return_elimination - the centre does not accept what was declared: the fact is open again, and the owner reads why. */
int act_return_elimination(struct call *c, struct act_call *a)
{
    unsigned p = parts(a->k, a->body);
    int rc;

    if (!p)
        return refuse(c, -EINVAL, "bad_request", "what", "this part was not declared, or is accepted already");
    rc = db_exec(c->d, c->e,
                 "UPDATE cases SET causes_at = CASE WHEN ?2 THEN NULL ELSE causes_at END, consequences_at = CASE WHEN ?3 THEN NULL ELSE"
                 " consequences_at END, declared_at = NULL, updated_at = ?4 WHERE id = ?1",
                 "iiii", a->k->id, (int64_t)(p & 1u), (int64_t)(p & 2u), c->now);
    if (rc >= 0)
        rc = act_line(c, a->k, "return_elimination", json_get_str(a->body, "reason"), 0, NULL);
    return rc < 0 ? rc : case_send(c, a->k, &(struct case_message){ "case_answer", "10(1)",
                                                                    json_get_str(a->body, "reason"), TO_OWNER | TO_OCIB }, NULL);
}

/* act_dispute - the owner rejected, the centre disagrees and keeps the case open; the 72 hours count from the same notice. */
int act_dispute(struct call *c, struct act_call *a)
{
    int rc = db_exec(c->d, c->e, "UPDATE cases SET disputed_at = ?2, updated_at = ?2 WHERE id = ?1", "ii", a->k->id, c->now);

    if (rc >= 0)
        rc = act_line(c, a->k, "dispute_rejection", json_get_str(a->body, "reason"), 0, NULL);
    return rc < 0 ? rc : case_send(c, a->k, &(struct case_message){ "case_answer", "12",
                                                                    json_get_str(a->body, "reason"), TO_OWNER | TO_OCIB }, NULL);
}

int act_close(struct call *c, struct act_call *a)
{
    int rc = db_exec(c->d, c->e, "UPDATE cases SET closed_at = ?2, updated_at = ?2 WHERE id = ?1", "ii", a->k->id, c->now);

    return rc < 0 ? rc : act_line(c, a->k, "close", json_get_str(a->body, "note"), 0, NULL);
}

/* auto_notify - policy sends what an analyst would have sent unchanged. What the form lacks is said, and an analyst is left the rest. */
int auto_notify(struct call *c, int64_t case_id)
{
    struct kase k;
    json_t *a7 = NULL, *body = NULL;
    int rc = case_load(c, case_id, &k);

    if (rc == 0)
        rc = annex7_draft(c, &k, &a7);
    if (rc == 0)
        rc = timeline_add(c, case_id, &(struct line){ .kind = "auto_notify" });
    if (rc == 0) {
        body = json_pack("{s:O, s:o, s:s}", "annex7", a7, "recommendations", json_str(recommendations_both(c->d, k.rule_id, &c->a)),
                         "detection_kind", "event");
        rc = act_run(c, case_id, STR("notify"), body);
    }
    json_decref(a7);
    json_decref(body);
    return rc;
}
