/* act_centre.c - what the centre does: primary analysis, the notice of D-05, the KNB notice, acceptance, closing. */
#include "desk/approvals/approvals.h"
#include "desk/cases/acts.h"

#define NOTHING ((struct str){ NULL, 0 })

static int set_state(struct call *c, const struct kase *k, enum case_state s)
{
    int rc = db_exec(c->d, c->e, "UPDATE cases SET state = ?2, updated_at = ?3, auto_pending = 0 WHERE id = ?1", "izi", k->id, case_state_name(s),
                     c->now);

    return rc < 0 ? rc : 0;
}

int act_analyse(struct call *c, struct kase *k, const json_t *body)
{
    int rc = set_state(c, k, CASE_PRIMARY_ANALYSIS);

    return rc < 0 ? rc : timeline_add(c, k->id, &(struct line){ .kind = "analyse", .text = json_get_str(body, "note"), .internal = true });
}

/* act_dismiss - the owner will never hear of it: a second person looks first, and D-05 runs on until then. */
int act_dismiss(struct call *c, struct kase *k, const json_t *body)
{
    struct subject s = case_subject(k);
    char id[24];
    int rc;

    snprintf(id, sizeof id, "%lld", (long long)k->id);
    s.id = str_c(id);
    rc = approval_gate(c, "case.dismiss", &s, body, json_get_str(body, "reason"));
    if (rc != 0)
        return rc < 0 ? rc : 0;
    rc = set_state(c, k, CASE_DISMISSED);
    if (rc == 0)
        rc = act_line(c, k, "dismiss", json_get_str(body, "reason"), 0, NULL);
    return rc < 0 ? rc : clock_cancel(c, k, "D-05", "case.text.dismissed");
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
        rc = annex_missing(c, "annex7", a7);
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

/* notice_clocks - which of the two is owed the owner decides by confirming an event or an incident; until then both run. */
static int notice_clocks(struct call *c, const struct kase *k)
{
    int rc = clock_fulfil(c, k, "D-05", c->now);

    if (rc == 0)
        rc = clock_start(c, k, "D-10", c->now);
    return rc < 0 ? rc : clock_start(c, k, "D-11", c->now);
}

/* notice_send - letters to the responsible persons, and the inbox of the owner. */
static int notice_send(struct call *c, const struct kase *k, const char *sha)
{
    struct letter l = { .kind = "annex7", .sha256 = sha, .key = "notice" };
    int rc = clock_due(c, k->id, "D-11", &l.due);

    if (rc == 0)
        rc = letter_owner(c, k, &l);
    return rc < 0 ? rc : inbox_owner(c, k, &l);
}

int act_notify(struct call *c, struct kase *k, const json_t *body)
{
    json_t *a7 = NULL;
    char sha[65];
    int rc = annex7_settle(c, k, body, &a7);

    if (rc < 0)
        return rc;
    AUTO_FREE char *text = json_dumps(a7, JSON_COMPACT);
    rc = db_exec(c->d, c->e,
                 "UPDATE cases SET state = 'notified', kind = ?2, detection_kind = ?2, notified_at = ?3, recommendations = ?4, annex7 = ?5,"
                 " auto_pending = 0, updated_at = ?3 WHERE id = ?1",
                 "ititz", k->id, json_get_str(body, "detection_kind"), c->now, json_get_str(body, "recommendations"), text);
    if (rc >= 0)
        rc = case_load(c, k->id, k);
    if (rc == 0)
        rc = notice_document(c, k, a7, body, sha);
    json_decref(a7);
    if (rc == 0)
        rc = act_line(c, k, "notify", NOTHING, 0, sha);
    if (rc == 0)
        rc = notice_clocks(c, k);
    return rc < 0 ? rc : notice_send(c, k, sha);
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
                          json_str(k->org_name), "event_name", json_str(name.n ? name : k->rule_name), "level", json_str(k->level), "detected_at",
                          json_time(k->detected_at), "notified_at", json_time_or_null(k->notified_at), "confirmed_at", json_time(k->confirmed_at),
                          "elimination_due_at", json_time(due), "not_eliminated", json_str(rest), "elimination_actions", json_str(done),
                          "recommendations", json_str(k->recommendations), "note", note.n ? json_str(note) : json_null());

    json_decref(a2);
    json_decref(a7);
    return v;
}

int act_notify_knb(struct call *c, struct kase *k, const json_t *body)
{
    char sha[65];
    struct letter l = { .kind = "knb_notice", .sha256 = sha, .key = "knb" };
    json_t *values;
    int rc = clock_due(c, k->id, "D-06", &l.due);

    if (rc < 0)
        return rc;
    values = knb_values(c, k, l.due, body);
    rc = document_make(c, k, "knb_notice", values, sha);
    json_decref(values);
    if (rc == 0)
        rc = db_exec(c->d, c->e, "UPDATE cases SET state = 'escalated_knb', escalated_at = ?2, updated_at = ?2 WHERE id = ?1", "ii", k->id, c->now);
    if (rc >= 0)
        rc = act_line(c, k, "notify_knb", json_get_str(body, "note"), 0, NULL);
    if (rc == 0)
        rc = letter_org_kind(c, k, "knb", &l, true);
    return rc < 0 ? rc : notices_read(c, k);
}

int act_accept_elimination(struct call *c, struct kase *k, const json_t *body)
{
    int rc = db_exec(c->d, c->e, "UPDATE cases SET state = 'eliminated', eliminated_at = declared_at, updated_at = ?2 WHERE id = ?1", "ii", k->id,
                     c->now);

    if (rc >= 0)
        rc = act_line(c, k, "accept_elimination", json_get_str(body, "note"), 0, NULL);
    /* D-06 stops at the moment the owner declared, if the centre accepts it. */
    if (rc == 0)
        rc = clock_fulfil(c, k, "D-06", k->declared_at);
    if (rc == 0 && k->escalated_at)
        rc = letter_org_kind(c, k, "knb", &(struct letter){ .kind = "information", .key = "knb_eliminated", .due = k->declared_at }, true);
    return rc;
}

int act_comment(struct call *c, struct kase *k, const json_t *body)
{
    return timeline_add(c, k->id, &(struct line){ .kind = "comment", .text = json_get_str(body, "text"), .internal = k->notified_at == 0 });
}

int act_close(struct call *c, struct kase *k, const json_t *body)
{
    int rc = db_exec(c->d, c->e, "UPDATE cases SET state = 'closed', closed_at = ?2, updated_at = ?2 WHERE id = ?1", "ii", k->id, c->now);

    return rc < 0 ? rc : act_line(c, k, "close", json_get_str(body, "note"), 0, NULL);
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
