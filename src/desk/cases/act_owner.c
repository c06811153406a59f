/* act_owner.c - what the owner's side does: receipt, confirmation or rejection, analysis, measures, elimination; and the review of a level,
 * which both sides may do. */
#include "desk/cases/acts.h"
#include "ioc/value.h"

int act_reason(struct call *c, struct act_call *a)
{
    return act_line(c, a->k, "reject", json_get_str(a->body, "reason"), 0, NULL);
}

int act_text(struct call *c, struct act_call *a)
{
    int rc = act_line(c, a->k, "event_analysis", json_get_str(a->body, "text"), 0, NULL);

    return rc < 0 ? rc : letter_analysis(c, a->k, json_get_str(a->body, "text"));
}

int act_acknowledge(struct call *c, struct act_call *a)
{
    int rc = db_exec(c->d, c->e, "UPDATE cases SET acknowledged_at = ?2, updated_at = ?2 WHERE id = ?1", "ii", a->k->id, c->now);

    if (rc >= 0)
        rc = act_line(c, a->k, "acknowledge", (struct str){ NULL, 0 }, 0, NULL);
    return rc < 0 || c->heard ? rc : notices_read(c, a->k);
}

int act_confirm_event(struct call *c, struct act_call *a)
{
    int rc = db_exec(c->d, c->e, "UPDATE cases SET kind = 'event', updated_at = ?2 WHERE id = ?1", "ii", a->k->id, c->now);

    return rc < 0 ? rc : act_line(c, a->k, "confirm_event", json_get_str(a->body, "note"), 0, NULL);
}

int act_confirm_incident(struct call *c, struct act_call *a)
{
    time_ns at = time_of(a->body, "confirmed_at");
    int rc = within(c, at, a->k->detected_at, "confirmed_at");

    if (rc == 0)
        rc = db_exec(c->d, c->e, "UPDATE cases SET kind = 'incident', confirmed_at = ?2, level = ?3, updated_at = ?4 WHERE id = ?1", "iiti", a->k->id,
                     at, json_get_str(a->body, "level"), c->now);
    return rc < 0 ? rc : act_line(c, a->k, "confirm_incident", json_get_str(a->body, "note"), at, NULL);
}

/* confirmation_correct - Annex 2 gives another moment of confirmation: the clocks that count from it are counted anew, visibly. Once the
 * KNB was told, the moment stands. */
static int confirmation_correct(struct call *c, struct kase *k, json_t *a2)
{
    static const char *const counted[] = { "D-06", "D-08", "D-09", "D-23", "D-24", "D-25", "D-27", "D-28", "D-29", "D-30", "D-31" };
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
    for (size_t i = 0; rc == 0 && i < COUNT(counted); i++) {
        due = 0;
        rc = clock_due(c, k->id, counted[i], &due);
        if (rc == 0 && due)
            rc = clock_start(c, k, counted[i], at);
    }
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

/* measures_keep - the report stands in the case: its form, its type of incident, and whether the thing recurs. */
static int measures_keep(struct call *c, const struct kase *k, const json_t *a2)
{
    AUTO_FREE char *text = json_dumps(a2, JSON_COMPACT);
    int rc = db_exec(c->d, c->e, "UPDATE cases SET annex2 = ?2, measures_at = ?3, incident_type = ?4, recurrence = ?5, updated_at = ?3,"
                     " previous_id = CASE WHEN ?5 = 'repeated' THEN coalesce(previous_id, suggested_id) ELSE NULL END WHERE id = ?1",
                     "izitt", k->id, text, c->now, json_get_str(a2, "incident_type"), json_get_str(a2, "recurrence"));

    if (rc >= 0)
        rc = db_exec(c->d, c->e, "DELETE FROM case_draft WHERE case_id = ? AND form = 'annex2'", "i", k->id);
    return rc < 0 ? rc : 0;
}

/* iocs_readable - each indicator of item 5.4 is what its kind says; a draft may still be otherwise. */
static int iocs_readable(struct call *c, const json_t *a2)
{
    const json_t *one;
    char field[DESK_FIELD_MAX];
    size_t i;

    json_array_foreach(json_object_get(a2, "iocs"), i, one) {
        AUTO_BUF struct buf b = { 0 };

        buf_init(&b, 8 * KIB);
        snprintf(field, sizeof field, "annex2.iocs.%zu.value", i);
        if (!ioc_normal(ioc_type_parse(json_get_str(one, "type")), json_get_str(one, "value"), &b))
            return refuse(c, -EINVAL, "bad_request", field, "not what its kind says");
    }
    return 0;
}

int act_report_measures(struct call *c, struct act_call *a)
{
    struct kase *k = a->k;
    json_t *a2 = json_deep_copy(json_object_get(a->body, "annex2"));
    int rc = tlp_allows(c, k, (struct str){ NULL, 0 }, true);

    if (rc == 0)
        rc = annex_missing(c, k, "annex2", a2);
    if (rc == 0)
        rc = iocs_readable(c, a2);
    if (rc == 0)
        rc = within(c, time_of(a2, "occurred_at"), 0, "annex2.occurred_at");
    if (rc == 0)
        rc = confirmation_correct(c, k, a2);
    if (rc == 0)
        rc = measures_level(c, k, a2);
    if (rc == 0)
        rc = document_make(c, k, "annex2", a2, a->sha256);
    if (rc == 0)
        rc = measures_keep(c, k, a2);
    json_decref(a2);
    return rc < 0 ? rc : act_line(c, k, "report_measures", (struct str){ NULL, 0 }, 0, a->sha256);
}

int act_report_measures_out(struct call *c, struct act_call *a)
{
    struct letter l = { .kind = "annex2", .sha256 = a->sha256, .key = "measures" };
    int rc = letter_org_kind(c, a->k, "sts", &l, false);

    return rc < 0 ? rc : inbox_centre(c, a->k, &l);
}

/* declared_part - one of the two facts: its moment and its words belong together, and what is accepted stands. */
static int declared_part(struct call *c, struct kase *k, const json_t *body, const char *at_key, const char *key, time_ns accepted, time_ns *at)
{
    struct str text = json_get_str(body, key);
    int rc;

    if (!json_is_string(json_object_get(body, at_key)) && text.n == 0)
        return 0;
    if (accepted)
        return refuse(c, -EINVAL, "bad_request", at_key, "this part is accepted already");
    if (!json_is_string(json_object_get(body, at_key)))
        return refuse(c, -EINVAL, "bad_request", at_key, "the moment is missing");
    if (text.n == 0)
        return refuse(c, -EINVAL, "bad_request", key, "what was done is missing");
    rc = within(c, time_of(body, at_key), k->confirmed_at, at_key);
    if (rc == 0)
        *at = time_of(body, at_key);
    return rc;
}

/* act_eliminate - the owner's side declares that causes, consequences, or both are eliminated: two facts with moments of their own (D-06). */
int act_eliminate(struct call *c, struct act_call *a)
{
    struct kase *k = a->k;
    time_ns causes = 0, consequences = 0;
    int rc = declared_part(c, k, a->body, "causes_at", "causes", k->causes_accepted_at, &causes);

    if (rc == 0)
        rc = declared_part(c, k, a->body, "consequences_at", "consequences", k->consequences_accepted_at, &consequences);
    if (rc == 0 && !causes && !consequences)
        rc = refuse(c, -EINVAL, "bad_request", "causes_at", "neither causes nor consequences are declared");
    if (rc < 0)
        return rc;
    time_ns first = causes ? causes : k->causes_at, second = consequences ? consequences : k->consequences_at;
    rc = db_exec(c->d, c->e, "UPDATE cases SET causes_at = ?2, consequences_at = ?3, declared_at = ?4, updated_at = ?5 WHERE id = ?1", "immmi", k->id,
                 first, second, first && second ? (first > second ? first : second) : (time_ns)0, c->now);
    if (rc >= 0 && causes)
        rc = timeline_add(c, k->id, &(struct line){ .kind = "eliminate", .key = "case.text.eliminated_causes", .happened_at = causes,
                                                    .text = json_get_str(a->body, "causes") });
    if (rc >= 0 && consequences)
        rc = timeline_add(c, k->id, &(struct line){ .kind = "eliminate", .key = "case.text.eliminated_consequences", .happened_at = consequences,
                                                    .text = json_get_str(a->body, "consequences") });
    if (rc >= 0 && json_get_str(a->body, "note").n)
        rc = act_line(c, k, "comment", json_get_str(a->body, "note"), 0, NULL);
    return rc < 0 ? rc : 0;
}

int act_review_level(struct call *c, struct act_call *a)
{
    static const char *const keys[] = { "case.text.level.high", "case.text.level.medium", "case.text.level.low", "case.text.level.undefined" };
    struct str level = json_get_str(a->body, "level");
    int rc = db_exec(c->d, c->e, "UPDATE cases SET level = ?2, updated_at = ?3 WHERE id = ?1", "iti", a->k->id, level, c->now);

    for (size_t i = 0; rc >= 0 && i < COUNT(keys) && level_values[i]; i++)
        if (str_eq(level, str_c(level_values[i])))
            rc = timeline_add(c, a->k->id, &(struct line){ .kind = "review_level", .text = json_get_str(a->body, "reason"), .key = keys[i] });
    return rc < 0 ? rc : 0;
}

int act_comment(struct call *c, struct act_call *a)
{
    return timeline_add(c, a->k->id, &(struct line){ .kind = "comment", .text = json_get_str(a->body, "text"),
                                                     .internal = side_of_centre(c) && a->k->machine == MACHINE_STS && a->k->notified_at == 0 });
}
