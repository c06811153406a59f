/* act_owner.c - what the owner's officer does: receipt, confirmation or rejection, analysis, measures, elimination; and the review of an
 * undefined level, which both sides may do. */
#include "desk/cases/acts.h"

/* within - a moment that a person gives: not before low (by the minute), not in the future. */
static int within(struct call *c, time_ns at, time_ns low, const char *field)
{
    if (at > c->now + ACT_FUTURE_NS)
        return refuse(c, -EINVAL, "bad_request", field, "the moment is in the future");
    if (minute_before(at, low))
        return refuse(c, -EINVAL, "bad_request", field, "the moment is before what it follows");
    return 0;
}

int act_acknowledge(struct call *c, struct kase *k, const json_t *body)
{
    int rc = db_exec(c->d, c->e, "UPDATE cases SET acknowledged_at = ?2, updated_at = ?2 WHERE id = ?1", "ii", k->id, c->now);

    (void)body;
    if (rc >= 0)
        rc = act_line(c, k, "acknowledge", (struct str){ NULL, 0 }, 0, NULL);
    return rc < 0 ? rc : notices_read(c, k);
}

int act_confirm_event(struct call *c, struct kase *k, const json_t *body)
{
    int rc = db_exec(c->d, c->e, "UPDATE cases SET state = 'event_confirmed', kind = 'event', updated_at = ?2 WHERE id = ?1", "ii", k->id, c->now);

    if (rc >= 0)
        rc = act_line(c, k, "confirm_event", json_get_str(body, "note"), 0, NULL);
    return rc < 0 ? rc : clock_cancel(c, k, "D-11", "case.text.event_not_incident");
}

int act_confirm_incident(struct call *c, struct kase *k, const json_t *body)
{
    struct str level = json_get_str(body, "level");
    time_ns at = time_of(body, "confirmed_at"), running = 0;
    int rc = within(c, at, k->detected_at, "confirmed_at");

    if (rc < 0)
        return rc;
    rc = db_exec(c->d, c->e,
                 "UPDATE cases SET state = 'incident_confirmed', kind = 'incident', confirmed_at = ?2, level = ?3, updated_at = ?4 WHERE id = ?1",
                 "iiti", k->id, at, level, c->now);
    if (rc >= 0)
        rc = act_line(c, k, "confirm_incident", json_get_str(body, "note"), at, NULL);
    if (rc == 0)
        rc = clock_cancel(c, k, "D-10", "case.text.incident_not_event");
    if (rc == 0)
        rc = clock_due(c, k->id, "D-11", &running);
    /* Row 11: an event that became an incident; the owner's 72 hours still count from the notification. */
    if (rc == 0 && running == 0)
        rc = clock_start(c, k, "D-11", k->notified_at);
    if (rc == 0)
        rc = clock_start(c, k, "D-06", at);
    if (rc == 0 && str_eq(level, STR("undefined")))
        rc = clock_start(c, k, "D-31", at);
    return rc;
}

int act_reject(struct call *c, struct kase *k, const json_t *body)
{
    int rc = db_exec(c->d, c->e, "UPDATE cases SET state = 'rejected', updated_at = ?2 WHERE id = ?1", "ii", k->id, c->now);

    if (rc >= 0)
        rc = act_line(c, k, "reject", json_get_str(body, "reason"), 0, NULL);
    if (rc == 0)
        rc = clock_cancel(c, k, "D-10", "case.text.rejected");
    return rc < 0 ? rc : clock_cancel(c, k, "D-11", "case.text.rejected");
}

int act_event_analysis(struct call *c, struct kase *k, const json_t *body)
{
    int rc = db_exec(c->d, c->e, "UPDATE cases SET state = 'event_analysed', updated_at = ?2 WHERE id = ?1", "ii", k->id, c->now);

    if (rc >= 0)
        rc = act_line(c, k, "event_analysis", json_get_str(body, "text"), 0, NULL);
    return rc < 0 ? rc : clock_fulfil(c, k, "D-10", c->now);
}

/* confirmation_correct - Annex 2 gives another moment of confirmation: the clocks that count from it are counted anew, visibly. Once the
 * KNB was told, the moment stands. */
static int confirmation_correct(struct call *c, struct kase *k, json_t *a2)
{
    time_ns at = time_of(a2, "confirmed_at"), due = 0;
    int rc;

    if (!minute_before(at, k->confirmed_at) && !minute_before(k->confirmed_at, at)) {
        json_object_set_new(a2, "confirmed_at", json_time(k->confirmed_at));
        return 0;
    }
    if (k->escalated_at || k->eliminated_at)
        return refuse(c, -EINVAL, "bad_request", "annex2.confirmed_at", "the moment of confirmation can no longer be corrected");
    rc = within(c, at, k->detected_at, "annex2.confirmed_at");
    if (rc == 0)
        rc = db_exec(c->d, c->e, "UPDATE cases SET confirmed_at = ?2 WHERE id = ?1", "ii", k->id, at);
    if (rc >= 0)
        rc = timeline_add(c, k->id, &(struct line){ .kind = "comment", .key = "case.text.confirmed_corrected", .happened_at = at });
    if (rc == 0)
        rc = clock_start(c, k, "D-06", at);
    if (rc == 0)
        rc = clock_due(c, k->id, "D-31", &due);
    if (rc == 0 && due)
        rc = clock_start(c, k, "D-31", at);
    k->confirmed_at = at;
    return rc;
}

static int measures_level(struct call *c, struct kase *k, const json_t *a2)
{
    struct str level = json_get_str(a2, "level");
    int rc;

    if (str_eq(level, k->level))
        return 0;
    if (str_eq(level, STR("undefined")))
        return refuse(c, -EINVAL, "bad_request", "annex2.level", "the level is determined already");
    rc = db_exec(c->d, c->e, "UPDATE cases SET level = ?2 WHERE id = ?1", "it", k->id, level);
    return rc < 0 ? rc : clock_fulfil(c, k, "D-31", c->now);
}

int act_report_measures(struct call *c, struct kase *k, const json_t *body)
{
    json_t *a2 = json_deep_copy(json_object_get(body, "annex2"));
    char sha[65];
    struct letter l = { .kind = "annex2", .sha256 = sha, .key = "measures" };
    int rc = annex_missing(c, "annex2", a2);

    if (rc == 0)
        rc = within(c, time_of(a2, "occurred_at"), 0, "annex2.occurred_at");
    if (rc == 0)
        rc = confirmation_correct(c, k, a2);
    if (rc == 0)
        rc = measures_level(c, k, a2);
    if (rc == 0)
        rc = document_make(c, k, "annex2", a2, sha);
    AUTO_FREE char *text = json_dumps(a2, JSON_COMPACT);
    json_decref(a2);
    if (rc == 0)
        rc = db_exec(c->d, c->e,
                     "UPDATE cases SET annex2 = ?2, updated_at = ?3,"
                     " state = CASE state WHEN 'incident_confirmed' THEN 'measures_reported' ELSE state END WHERE id = ?1",
                     "izi", k->id, text, c->now);
    if (rc >= 0)
        rc = act_line(c, k, "report_measures", (struct str){ NULL, 0 }, 0, sha);
    if (rc == 0)
        rc = clock_fulfil(c, k, "D-11", c->now);
    if (rc == 0)
        rc = letter_org_kind(c, k, "sts", &l, false);
    return rc < 0 ? rc : inbox_centre(c, k, &l);
}

int act_eliminate(struct call *c, struct kase *k, const json_t *body)
{
    time_ns at = time_of(body, "eliminated_at");
    int rc = within(c, at, k->confirmed_at, "eliminated_at");

    if (rc == 0)
        rc = db_exec(c->d, c->e, "UPDATE cases SET declared_at = ?2, updated_at = ?3 WHERE id = ?1", "iii", k->id, at, c->now);
    if (rc < 0)
        return rc;
    return timeline_add(c, k->id, &(struct line){ .kind = "eliminate", .key = "case.text.eliminate", .happened_at = at,
                                                  .text = json_get_str(body, "note"),
                                                  .args = json_pack("{s:O, s:O}", "causes", json_object_get(body, "causes"), "consequences",
                                                                    json_object_get(body, "consequences")) });
}

int act_review_level(struct call *c, struct kase *k, const json_t *body)
{
    static const char *const keys[] = { "case.text.level.high", "case.text.level.medium", "case.text.level.low", "case.text.level.undefined" };
    struct str level = json_get_str(body, "level");
    int rc = db_exec(c->d, c->e, "UPDATE cases SET level = ?2, updated_at = ?3 WHERE id = ?1", "iti", k->id, level, c->now);

    for (size_t i = 0; rc >= 0 && i < COUNT(keys) && level_values[i]; i++)
        if (str_eq(level, str_c(level_values[i])))
            rc = timeline_add(c, k->id, &(struct line){ .kind = "review_level", .text = json_get_str(body, "reason"), .key = keys[i] });
    return rc < 0 ? rc : clock_fulfil(c, k, "D-31", c->now);
}
