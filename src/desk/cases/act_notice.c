/* act_notice.c - the fifteen-minute notice as one act, the numbered updates that follow it, and recommendations.
 *
 * The notice needs the minimum alone: what, where (the object of the case), when it was confirmed, how bad if that is known, whom to call. It
 * may confirm in the same act. Two addressees are two facts with a moment each (7.3 rows 4 and 6): D-23 and D-24, D-27 and D-28. */
#include "desk/cases/acts.h"

/* confirm_first - an incident that is not confirmed yet is confirmed by the notice, which then must say when. */
static int confirm_first(struct call *c, struct act_call *a)
{
    struct str level = json_get_str(a->body, "level");
    json_t *body;
    int rc;

    if (a->k->confirmed_at)
        return 0;
    if (!json_object_get(a->body, "confirmed_at"))
        return refuse(c, -EINVAL, "bad_request", "confirmed_at", "the moment of confirmation is missing");
    body = json_pack("{s:O, s:o}", "confirmed_at", json_object_get(a->body, "confirmed_at"), "level", level.n ? json_str(level) : json_string("undefined"));
    rc = act_run(c, a->k->id, STR("confirm_incident"), body);
    json_decref(body);
    return rc < 0 ? rc : case_load(c, a->k->id, a->k);
}

static bool wants(const json_t *to, const char *who)
{
    if (json_is_string(to))
        return strcmp(json_string_value(to), who) == 0;
    for (size_t i = 0; i < json_array_size(to); i++)
        if (strcmp(json_string_value(json_array_get(to, i)), who) == 0)
            return true;
    return json_array_size(to) == 0;   /* nobody named: everybody who has not been told */
}

/* notice_values - the minimum, in our own form of the first notice (the Rules prescribe none). */
static json_t *notice_values(struct call *c, const struct kase *k, const json_t *body)
{
    struct str level = json_get_str(body, "level").n ? json_get_str(body, "level") : k->level;

    return json_pack("{s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "object", json_str(k->object_name), "owner_or_possessor", json_str(k->org_name),
                     "event_name", json_str(case_title_both(c, k, 900)), "confirmed_at", json_time(k->confirmed_at), "level", json_str(level),
                     "incident_type", json_str(k->incident_type), "nature", json_incref(json_object_get(body, "what")), "contact",
                     json_incref(json_object_get(body, "contact")));
}

struct fifteen { const char *who, *paragraph, *obligation, *column; unsigned to; };

static int tell(struct call *c, struct act_call *a, const struct fifteen *f, bool *done)
{
    json_t *values = notice_values(c, a->k, a->body);
    int rc = case_send(c, a->k, &(struct case_message){ "incident_notice", f->paragraph, { NULL, 0 }, f->to, "incident_notice", values }, NULL);

    json_decref(values);
    if (rc == 0)
        rc = strcmp(f->column, "sts") == 0
                 ? db_exec(c->d, c->e, "UPDATE cases SET sts_notified_at = ?2, contact = ?3, updated_at = ?2 WHERE id = ?1", "iit", a->k->id, c->now,
                           json_get_str(a->body, "contact"))
                 : db_exec(c->d, c->e, "UPDATE cases SET second_notified_at = ?2, updated_at = ?2 WHERE id = ?1", "ii", a->k->id, c->now);
    if (rc >= 0)
        rc = timeline_add(c, a->k->id, &(struct line){ .kind = "notify_incident", .text = json_get_str(a->body, "what"), .key = strcmp(f->who, "sts") == 0
                                                       ? "case.text.told_sts" : strcmp(f->who, "owner") == 0 ? "case.text.told_owner" : "case.text.told_ocib" });
    if (rc == 0)
        rc = clock_fulfil(c, a->k, f->obligation, c->now);
    *done = true;
    return rc < 0 ? rc : 0;
}

/* level_known - the notice names the level, if it is known by then. */
static int level_known(struct call *c, struct act_call *a)
{
    struct str level = json_get_str(a->body, "level");
    int rc;

    if (!level.n || str_eq(level, a->k->level))
        return 0;
    if (str_eq(level, STR("undefined")))
        return refuse(c, -EINVAL, "bad_request", "level", "the level is determined already");
    rc = db_exec(c->d, c->e, "UPDATE cases SET level = ?2, updated_at = ?3 WHERE id = ?1", "iti", a->k->id, level, c->now);
    return rc < 0 ? rc : clock_fulfil(c, a->k, "D-31", c->now);
}

int act_notify_incident(struct call *c, struct act_call *a)
{
    static const struct fifteen all[MACHINE_COUNT][2] = {
        [MACHINE_SELF] = { { "sts", "12", "D-08", "sts", TO_STS }, { NULL, NULL, NULL, NULL, 0 } },
        [MACHINE_OCIB] = { { "sts", "22", "D-23", "sts", TO_STS }, { "owner", "22", "D-24", "second", TO_OWNER | TO_POSSESSOR } },
        [MACHINE_UNIT] = { { "sts", "24", "D-27", "sts", TO_STS }, { "ocib", "24", "D-28", "second", TO_OCIB } },
    };
    const json_t *to = json_object_get(a->body, "to");
    bool any = false;
    int rc = confirm_first(c, a);

    if (rc == 0)
        rc = level_known(c, a);
    for (size_t i = 0; rc == 0 && i < 2; i++) {
        const struct fifteen *f = &all[a->k->machine][i];
        time_ns told = i == 0 ? a->k->sts_notified_at : a->k->second_notified_at;

        if (f->who && !told && wants(to, f->who) && (f->to != TO_OCIB || a->k->ocib_id.n))
            rc = tell(c, a, f, &any);
    }
    if (rc == 0 && !any)
        rc = refuse(c, -EINVAL, "bad_request", "to", "whoever is named was told already");
    if (rc == 0)
        rc = case_load(c, a->k->id, a->k);
    /* Notified is who told both (c4, c6); without an operational centre the second does not exist. */
    if (rc == 0 && a->k->machine != MACHINE_SELF && !(a->k->sts_notified_at && (a->k->second_notified_at || (a->k->machine == MACHINE_UNIT && !a->k->ocib_id.n))))
        a->next = STAY;
    return rc;
}

static int update_send(struct call *c, const struct kase *k, int64_t no, struct str text, int64_t *notice)
{
    json_t *values = json_pack("{s:o, s:o, s:I, s:o}", "object", json_str(k->object_name), "case_number", json_str(k->number), "number", (json_int_t)no,
                               "details", json_str(text));
    int rc = case_send(c, k, &(struct case_message){ "incident_update", NULL, { NULL, 0 }, TO_OTHER_SIDE, "incident_update", values }, notice);

    json_decref(values);
    return rc;
}

/* act_update - details follow as numbered lines that are never changed, each sent to the other side. */
int act_update(struct call *c, struct act_call *a)
{
    static const char *const names[] = { "level", "incident_type", "contact" };
    struct str text = json_get_str(a->body, "text");
    json_t *fields = json_object();
    int64_t no = 0, notice = 0;
    int rc = db_int(c->d, c->e, 1, &no, "SELECT coalesce(max(no), 0) + 1 FROM case_update WHERE case_id = ?", "i", a->k->id);

    for (size_t i = 0; i < COUNT(names); i++)
        if (json_get_str(a->body, names[i]).n)
            json_object_set(fields, names[i], json_object_get(a->body, names[i]));
    AUTO_FREE char *packed = json_dumps(fields, JSON_COMPACT);
    json_decref(fields);
    if (rc == 0)
        rc = level_known(c, a);
    if (rc == 0)
        rc = db_exec(c->d, c->e, "UPDATE cases SET incident_type = coalesce(?2, incident_type), contact = coalesce(?3, contact), updated_at = ?4 WHERE id = ?1",
                     "itti", a->k->id, json_get_str(a->body, "incident_type"), json_get_str(a->body, "contact"), c->now);
    if (rc >= 0)
        rc = update_send(c, a->k, no, text, &notice);
    if (rc == 0)
        rc = db_exec(c->d, c->e, "INSERT INTO case_update(case_id, no, at, author_id, kind, fields, text, notice_id) VALUES (?,?,?,?,?,?,?,?)", "iiimzztm",
                     a->k->id, no, c->now, (time_ns)viewer_id(c), side_of_centre(c) ? "centre" : "party", packed, text, (time_ns)notice);
    return rc < 0 ? rc : timeline_add(c, a->k->id, &(struct line){ .kind = "update", .text = text, .key = "case.text.update",
                                                                    .args = json_pack("{s:o}", "number", json_id(no)) });
}

/* act_recommend - first recommendations on suspending the spread go to owner and possessor (R-10.1-10, Q-55). */
int act_recommend(struct call *c, struct act_call *a)
{
    struct str text = json_get_str(a->body, "recommendations");
    int rc = db_exec(c->d, c->e, "UPDATE cases SET recommendations = ?2, updated_at = ?3 WHERE id = ?1", "iti", a->k->id, text, c->now);

    if (rc >= 0)
        rc = letter_recommendations(c, a->k, text, TO_OWNER | TO_POSSESSOR);
    return rc < 0 ? rc : act_line(c, a->k, "recommend", text, 0, NULL);
}
