/* act_keep.c - what is kept with a case without sending anything: drafts, whose it is, whether it recurs, the number of another system. */
#include "desk/cases/acts.h"

/* act_save_draft - a form as far as it is filled; it is judged for its shape, not for what is missing. */
int act_save_draft(struct call *c, struct act_call *a)
{
    struct str form = json_get_str(a->body, "form");
    const json_t *values = json_object_get(a->body, str_eq(form, STR("annex7")) ? "annex7" : "annex2");
    int rc;

    if (!values)
        return refuse(c, -EINVAL, "bad_request", str_eq(form, STR("annex7")) ? "annex7" : "annex2", "the form is missing");
    if (str_eq(form, STR("annex7")) != side_of_centre(c))
        return refuse(c, -EINVAL, "bad_request", "form", "this form is the other side's");
    AUTO_FREE char *text = json_dumps(values, JSON_COMPACT);
    rc = db_exec(c->d, c->e,
                 "INSERT INTO case_draft(case_id, form, at, author_id, json) VALUES (?1, ?2, ?3, ?4, ?5) ON CONFLICT(case_id, form) DO UPDATE SET at = ?3,"
                 " author_id = ?4, json = ?5",
                 "itimz", a->k->id, form, c->now, (time_ns)viewer_id(c), text);
    return rc < 0 ? rc : 0;
}

int act_take(struct call *c, struct act_call *a)
{
    bool centre = side_of_centre(c);
    int rc = centre ? db_exec(c->d, c->e, "UPDATE cases SET assignee_id = ?2, updated_at = ?3 WHERE id = ?1", "imi", a->k->id, (time_ns)viewer_id(c), c->now)
                    : db_exec(c->d, c->e, "UPDATE cases SET owner_assignee_id = ?2, updated_at = ?3 WHERE id = ?1", "imi", a->k->id,
                              (time_ns)viewer_id(c), c->now);

    return rc < 0 ? rc : timeline_add(c, a->k->id, &(struct line){ .kind = "take", .internal = centre && a->k->machine == MACHINE_STS && !a->k->notified_at });
}

int act_external_number(struct call *c, struct act_call *a)
{
    struct str number = json_get_str(a->body, "number");
    int rc = db_exec(c->d, c->e, "UPDATE cases SET external_number = ?2, updated_at = ?3 WHERE id = ?1", "iti", a->k->id, number, c->now);

    if (rc >= 0)
        rc = case_search_update(c, a->k->id);
    return rc < 0 ? rc : act_line(c, a->k, "external_number", number, 0, NULL);
}

/* act_decide_recurrence - the system suggests, a person decides; the link to the case before is kept. */
int act_decide_recurrence(struct call *c, struct act_call *a)
{
    bool repeated = str_eq(json_get_str(a->body, "recurrence"), STR("repeated"));
    struct str number = json_get_str(a->body, "previous");
    int64_t previous = repeated ? (a->k->previous_id ? a->k->previous_id : a->k->suggested_id) : 0;
    int rc = 0;

    if (repeated && number.n)
        rc = case_by_number(c, number, &previous);
    if (rc == -ENOENT || (rc == 0 && previous == a->k->id))
        return refuse(c, -EINVAL, "bad_request", "previous", "no such case, or the same one");
    if (rc == 0 && repeated && !previous)
        return refuse(c, -EINVAL, "bad_request", "previous", "the case that it repeats is missing");
    if (rc == 0)
        rc = db_exec(c->d, c->e, "UPDATE cases SET recurrence = ?2, previous_id = ?3, updated_at = ?4 WHERE id = ?1", "izmi", a->k->id,
                     repeated ? "repeated" : "new", (time_ns)previous, c->now);
    return rc < 0 ? rc : timeline_add(c, a->k->id, &(struct line){ .kind = "decide_recurrence", .text = number,
                                                                    .internal = a->k->machine == MACHINE_STS && !a->k->notified_at,
                                                                    .key = repeated ? "case.text.recurs" : "case.text.is_new" });
}
