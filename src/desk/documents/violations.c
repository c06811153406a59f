/* violations.c - what a survey found: a row for each requirement that is not met, over its life from found to fixed, from one survey to the next. */
#include "desk/documents/room.h"
#include "desk/schedule/schedule.h"

int violation_step(struct call *c, int64_t id, const struct td_survey *s, const char *state, struct str text)
{
    int rc = db_exec(c->d, c->e, "INSERT INTO td_step(violation_id, survey_id, state, at, user_id, text) VALUES (?,?,?,?,?,?)", "iizimt", id, s->id, state, c->now,
                     (time_ns)(c->v ? c->v->user_id : 0), text.n ? text : (struct str){ NULL, 0 });

    return rc < 0 ? rc : 0;
}

/* A line that was judged, beside the violation of its requirement that is still open. */
struct judged {
    int64_t    position, requirement, open;
    struct str code, document, verdict, reason, description, recommendation;
};

static int found_new(struct call *c, const struct td_survey *s, const struct judged *j, int64_t *id)
{
    char number[40];
    int rc = td_number(c, "TDV", number);

    if (rc == 0)
        rc = db_int(c->d, c->e, 0, id,
                    "INSERT INTO td_violation(number, object_id, document, code, requirement_id, state, open, found_survey, survey_id, description, recommendation,"
                    " found_at, updated_at) VALUES (?1,?2,?3,?4,?5,'found',1,?6,?6,?7,?8,?9,?10) RETURNING id",
                    "ztttiittii", number, s->object_id, j->document, j->code, j->requirement, s->id, j->description, j->recommendation, s->completed_at, c->now);
    return rc < 0 ? rc : violation_step(c, *id, s, "found", STR(""));
}

static int still_there(struct call *c, const struct td_survey *s, const struct judged *j)
{
    int rc = db_exec(c->d, c->e,
                     "UPDATE td_violation SET state = 'persisting', survey_id = ?2, requirement_id = ?3, description = ?4, recommendation = ?5, updated_at = ?6"
                     " WHERE id = ?1", "iiitti", j->open, s->id, j->requirement, j->description, j->recommendation, c->now);

    return rc < 0 ? rc : violation_step(c, j->open, s, "persisting", STR(""));
}

/* settled - mended, or its requirement does not apply any more: two ends, and only the first is somebody's work. */
static int settled(struct call *c, const struct td_survey *s, const struct judged *j)
{
    bool gone = str_eq(j->verdict, STR("not_applicable"));
    const char *end = gone ? "not_applicable" : "fixed";
    int rc = db_exec(c->d, c->e, "UPDATE td_violation SET state = ?5, open = 0, survey_id = ?2, settled_at = ?3, updated_at = ?4 WHERE id = ?1", "iiiiz", j->open,
                     s->id, s->completed_at, c->now, end);

    return rc < 0 ? rc : violation_step(c, j->open, s, end, gone ? j->reason : STR(""));
}

static int settle(struct call *c, const struct td_survey *s, const struct judged *j)
{
    bool wrong = str_eq(j->verdict, STR("partly")) || str_eq(j->verdict, STR("not_met"));
    int64_t id = j->open;
    int rc = 0;

    if (wrong)
        rc = j->open ? still_there(c, s, j) : found_new(c, s, j, &id);
    else if (j->open)
        rc = settled(c, s, j);
    if (rc == 0 && id)
        rc = db_exec(c->d, c->e, "UPDATE td_verdict SET violation_id = ?3 WHERE survey_id = ?1 AND position = ?2", "iii", s->id, j->position, id);
    return rc < 0 ? rc : 0;
}

/* settle_all - only lines that say something: a violation, or an end of one. */
static int settle_all(struct call *c, const struct td_survey *s)
{
    struct judged *list = arena_zero(&c->a, TD_REQUIREMENTS_MAX * 2 * sizeof *list);
    size_t n = 0;
    sqlite3_stmt *st = db_query(c->d, c->e,
                                "SELECT v.position, v.requirement_id, x.id, v.code, v.document, v.verdict, v.reason, v.description, v.recommendation FROM td_verdict v"
                                " LEFT JOIN td_violation x ON x.object_id = ?2 AND x.code = v.code AND x.open = 1 WHERE v.survey_id = ?1 AND"
                                " (v.verdict IN ('partly','not_met') OR x.id IS NOT NULL) ORDER BY v.position", "it", s->id, s->object_id);
    int rc = st && list ? 0 : -EIO;

    while (list && st && n < TD_REQUIREMENTS_MAX * 2 && (rc = db_step(c->d, st, c->e)) > 0)
        list[n++] = (struct judged){ sqlite3_column_int64(st, 0), sqlite3_column_int64(st, 1), sqlite3_column_int64(st, 2), db_copy(st, 3, &c->a),
                                     db_copy(st, 4, &c->a),       db_copy(st, 5, &c->a),       db_copy(st, 6, &c->a),       db_copy(st, 7, &c->a),
                                     db_copy(st, 8, &c->a) };
    if (rc > 0)
        db_done(st);
    for (size_t i = 0; rc >= 0 && i < n; i++)
        rc = settle(c, s, &list[i]);
    return rc < 0 ? rc : 0;
}

static int facts_freeze(struct call *c, const struct td_survey *s)
{
    json_t *facts = NULL;
    int rc = facts_json(c, s->object_id, &facts);
    AUTO_FREE char *text = rc == 0 ? json_dumps(facts, JSON_COMPACT | JSON_SORT_KEYS) : NULL;

    json_decref(facts);
    if (rc == 0)
        rc = db_exec(c->d, c->e, "UPDATE td_survey SET facts = ?2 WHERE id = ?1", "iz", s->id, text);
    return rc < 0 ? rc : 0;
}

int td_complete(struct call *c, struct td_survey *s, const json_t *body)
{
    struct subject about = td_subject(s);
    int64_t left = 0;
    time_ns at;
    int rc = td_moment(c, body, "completed_at", &at);

    if (rc == 0 && at / NS_PER_MINUTE < s->started_at / NS_PER_MINUTE)
        rc = td_wrong(c, "completed_at", "before the survey began");
    if (rc == 0)
        rc = db_int(c->d, c->e, 0, &left, "SELECT count(*) FROM td_verdict WHERE survey_id = ? AND verdict IS NULL", "i", s->id);
    if (rc == 0 && left)
        return refuse(c, -EPROTO, "wrong_state", "checklist", "%lld requirements are without a verdict", (long long)left);
    s->completed_at = at;
    if (rc == 0)
        rc = settle_all(c, s);
    if (rc == 0)
        rc = facts_freeze(c, s);
    if (rc == 0 && s->plan_line)
        rc = schedule_line_state(c, s->plan_line, STR("document_survey"), str_c(s->id_text), STR("completed"), at);
    return rc < 0 ? rc : duties_begin(c, &about, "D-17", (struct duty_start){ at, false }, NULL);
}
