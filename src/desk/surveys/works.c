/* works.c - the works themselves: who does them, that they are announced, begin, are hindered, are completed or called off (7.5 rows 2, 3, 4, 9). */
#include "desk/registry/registry.h"
#include "desk/schedule/schedule.h"
#include "desk/surveys/room.h"

/* schedule_told - what came of the line of the schedule, if there is one. */
static int schedule_told(struct call *c, const struct sv *s)
{
    return s->line_id ? schedule_line_state(c, s->line_id, STR("survey"), str_c(s->id_text), str_c(s->state->name), s->completed_at) : 0;
}

/* person_fits - somebody of the centre who may do surveys. */
static int person_fits(struct call *c, struct str id)
{
    int64_t n = 0;
    int rc = db_int(c->d, c->e, 0, &n, "SELECT count(*) FROM user WHERE id = ? AND active = 1 AND role IN ('surveyor','centre_lead','centre_analyst')", "i",
                    parse_id(id));

    return rc < 0 ? rc : n ? 0 : sv_wrong(c, "people", "not a person of the centre who makes surveys");
}

int sv_do_assign(struct call *c, struct sv *s, const json_t *body)
{
    json_t *people = json_object_get(body, "people");
    AUTO_BUF struct buf names = { 0 };
    size_t i;
    json_t *id;
    int rc;

    buf_init(&names, 16 * KIB);
    rc = db_exec(c->d, c->e, "DELETE FROM survey_person WHERE survey_id = ?", "i", s->id);
    json_array_foreach(people, i, id) {
        struct str one = str_of(json_string_value(id), json_string_length(id));

        if (rc >= 0)
            rc = person_fits(c, one);
        if (rc >= 0)
            rc = db_exec(c->d, c->e, "INSERT OR IGNORE INTO survey_person(survey_id, user_id) VALUES (?,?)", "ii", s->id, parse_id(one));
    }
    sqlite3_stmt *st = rc < 0 ? NULL : db_query(c->d, c->e, "SELECT u.name FROM survey_person p JOIN user u ON u.id = p.user_id WHERE p.survey_id = ? ORDER BY u.name",
                                                "i", s->id);
    while (st && (rc = db_step(c->d, st, c->e)) > 0) {
        if (names.n)
            buf_str(&names, STR(", "));
        buf_str(&names, db_str(st, 0));
    }
    return rc < 0 ? rc : sv_line(c, s, "assigned", arena_copy(&c->a, buf_view(&names)), NULL, true);
}

int sv_do_move(struct call *c, struct sv *s, const json_t *body)
{
    time_ns from, to;
    int rc = sv_day(c, json_get_str(body, "from_on"), "from_on", &from);

    if (rc == 0)
        rc = sv_day(c, json_get_str(body, "to_on"), "to_on", &to);
    if (rc == 0 && to < from)
        rc = sv_wrong(c, "to_on", "before the beginning");
    if (rc < 0)
        return rc;
    json_t *args = json_pack("{s:o, s:o, s:O, s:O}", "before_from", json_str(s->from_on), "before_to", json_str(s->to_on), "from_on",
                             json_object_get(body, "from_on"), "to_on", json_object_get(body, "to_on"));
    s->from_on = json_get_str(body, "from_on");
    s->to_on = json_get_str(body, "to_on");
    rc = sv_line(c, s, "moved", json_get_str(body, "reason"), args, false);
    return rc < 0 || !s->told_at ? rc : sv_tell(c, s, &(struct sv_letter){ .key = "moved", .paragraph = "10(2)" }, NULL);
}

int sv_do_notify(struct call *c, struct sv *s, const json_t *body)
{
    int rc = scope_fill(c, s, false);

    if (rc == 0)
        rc = sv_line(c, s, "notified", json_get_str(body, "note"), NULL, false);
    return rc < 0 ? rc : sv_tell(c, s, &(struct sv_letter){ .key = "planned", .paragraph = "10(2)" }, NULL);
}

/* blocked_by - the conditions as people read them, a line each. */
static struct str blocked_by(struct call *c, const json_t *conditions)
{
    AUTO_BUF struct buf b = { 0 };
    const json_t *one;

    buf_init(&b, 64 * KIB);
    for (size_t i = 0; i < json_array_size(conditions); i++) {
        one = json_array_get(conditions, i);
        buf_printf(&b, "%s%.*s %.*s", i ? "\n" : "", STR_ARG(json_get_str(one, "code")),
                   STR_ARG(sv_text(c, "request.item", json_get_str(one, "code"), LANG_KK)));
        buf_printf(&b, " / %.*s", STR_ARG(sv_text(c, "request.item", json_get_str(one, "code"), LANG_RU)));
    }
    return arena_copy(&c->a, buf_view(&b));
}

/* codes_of - "R-11-04, R-11-06". */
static struct str codes_of(struct call *c, const json_t *conditions)
{
    AUTO_BUF struct buf b = { 0 };

    buf_init(&b, 8 * KIB);
    for (size_t i = 0; i < json_array_size(conditions); i++) {
        if (i)
            buf_str(&b, STR(", "));
        buf_str(&b, json_get_str(json_array_get(conditions, i), "code"));
    }
    return arena_copy(&c->a, buf_view(&b));
}

/* block - row 3: which condition is not there is on record, and the owner's side is told. conditions is taken. */
static int block(struct call *c, struct sv *s, json_t *conditions, struct str reason)
{
    struct str said = blocked_by(c, conditions), codes = codes_of(c, conditions);
    struct str told = arena_printf(&c->a, "%.*s%s%.*s", STR_ARG(codes), reason.n ? ". " : "", STR_ARG(reason.n ? reason : STR("")));
    int rc;

    sv_move(s, "blocked");
    json_object_set_new(s->values, "blocked", json_pack("{s:o, s:O, s:o}", "at", json_time(c->now), "conditions", conditions, "reason", json_str(reason)));
    rc = sv_line(c, s, "blocked", told, json_pack("{s:o}", "conditions", conditions), false);
    if (rc == 0)
        rc = sv_tell(c, s, &(struct sv_letter){ .key = "blocked", .paragraph = "11", .args = json_pack("{s:o, s:o}", "conditions", json_str(said), "reason",
                                                                                                        json_str(reason.n ? reason : STR(""))) }, NULL);
    return rc < 0 ? rc : schedule_told(c, s);
}

/* main_completed - a control survey looks again at what its main one has found: a main one that has slipped past its control's days holds it up. One
 * that was called off does not. */
static int main_completed(struct call *c, const struct sv *s)
{
    sqlite3_stmt *st = s->main_id ? db_query(c->d, c->e, "SELECT number FROM survey WHERE id = ? AND state IN ('planned','blocked','in_progress')", "i", s->main_id) : NULL;
    int rc = !s->main_id ? 0 : st ? db_step(c->d, st, c->e) : -EIO;
    char number[40];

    if (rc <= 0)
        return rc;
    snprintf(number, sizeof number, "%.*s", STR_ARG(db_str(st, 0)));
    db_done(st);
    return refuse(c, -EPROTO, "main_not_completed", NULL, "the works of its main survey %s are not completed", number);
}

int sv_do_start(struct call *c, struct sv *s, const json_t *body)
{
    json_t *not_needed = json_object_get(body, "not_needed"), *missing = NULL;
    struct str note = json_get_str(body, "note");
    int rc;

    if (json_array_size(not_needed) && !note.n)
        return sv_wrong(c, "note", "why this survey can do without a condition must be said");
    rc = sv_pair(c, s);
    if (rc == 0)
        rc = main_completed(c, s);
    if (rc == 0)
        rc = access_missing(c, s, not_needed, &missing);
    if (rc == 0)
        rc = scope_fill(c, s, false);
    if (rc < 0 || json_array_size(missing)) {
        if (rc < 0)
            json_decref(missing);
        return rc < 0 ? rc : block(c, s, missing, note);
    }
    json_decref(missing);
    json_object_del(s->values, "blocked");
    if (json_array_size(not_needed))
        json_object_set(s->values, "not_needed", not_needed);
    if (!s->started_at)
        s->started_at = c->now;
    rc = sv_line(c, s, "started", note, json_array_size(not_needed) ? json_pack("{s:O}", "not_needed", not_needed) : NULL, false);
    if (rc == 0 && !s->told_at)
        rc = sv_tell(c, s, &(struct sv_letter){ .key = "started", .paragraph = "10(2)" }, NULL);
    return rc < 0 ? rc : schedule_told(c, s);
}

int sv_do_block(struct call *c, struct sv *s, const json_t *body)
{
    json_t *given = json_object_get(body, "conditions"), *list, *code;
    size_t i;

    if (json_array_size(given) == 0)
        return sv_wrong(c, "conditions", "the condition that is not created must be named");
    list = json_array();
    json_array_foreach(given, i, code)
        json_array_append_new(list, json_pack("{s:O, s:s}", "code", code, "state", "missing"));
    return block(c, s, list, json_get_str(body, "reason"));
}

/* --- row 4 --- */

int sv_guard_complete(struct call *c, struct sv *s, const json_t *body)
{
    struct str lan = json_get_str(json_object_get(s->values, "adjacent"), "lan");
    int64_t there = 0, runs = 0, waiting = 0;
    int rc;

    if (str_eq(s->mode, STR("pentest_manual")) && !lan.n)
        return refuse(c, -EPROTO, "wrong_state", "adjacent",
                      "the adjacent local network must be recorded as surveyed or as absent before the works are completed (paragraph 10(2))");
    rc = results_waiting(c, s, &waiting);
    if (rc == 0 && waiting)
        return refuse(c, -EPROTO, "wrong_state", "results", "files of results are still being read");
    if (rc == 0)
        rc = results_there(c, s, &there);
    if (rc == 0)
        rc = db_int(c->d, c->e, 0, &runs, "SELECT count(*) FROM survey_run WHERE survey_id = ? AND state IN ('confirmed','running')", "i", s->id);
    if (rc == 0 && runs)
        return refuse(c, -EPROTO, "wrong_state", "runs", "a tool is still running");
    if (rc == 0 && !there && !json_get_str(body, "reason").n)
        return sv_wrong(c, "reason", "there are no results: why there are none must be said");
    return rc;
}

int sv_do_complete(struct call *c, struct sv *s, const json_t *body)
{
    struct subject about = sv_subject(s);
    struct str note = json_get_str(body, "note"), reason = json_get_str(body, "reason");
    int rc = sv_moment(c, body, "completed_at", &s->completed_at);

    if (rc == 0 && s->completed_at / NS_PER_MINUTE < s->started_at / NS_PER_MINUTE)
        rc = sv_wrong(c, "completed_at", "before the works began");
    if (rc == 0 && reason.n)
        json_object_set_new(s->values, "without_results", json_str(reason));
    if (rc == 0)
        rc = sv_line(c, s, "completed", note.n ? note : reason, NULL, false);
    if (rc == 0)
        rc = duties_begin(c, &about, "D-12", (struct duty_start){ s->completed_at, false }, NULL);
    return rc < 0 ? rc : schedule_told(c, s);
}

/* --- row 9 --- */

int sv_do_cancel(struct call *c, struct sv *s, const json_t *body)
{
    int rc = sv_line(c, s, "cancelled", json_get_str(body, "reason"), NULL, false);

    if (rc == 0 && s->told_at)
        rc = sv_tell(c, s, &(struct sv_letter){ .key = "cancelled", .paragraph = "10(2)",
                                                .args = json_pack("{s:O}", "reason", json_object_get(body, "reason")) }, NULL);
    return rc < 0 || !s->line_id ? rc : schedule_line_cancelled(c, s->line_id, json_get_str(body, "reason"));
}
